// Block files by a few threads with pread and pwrite: where io_uring is forbidden (containers, hardened kernels).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "src/host/block_file_internal.h"

namespace host::internal {
namespace {

constexpr size_t kThreads = 4;
constexpr size_t kStackBytes = 512 * 1024;  // completions run here
constexpr size_t kMaxTransfer = 1u << 30;

class ThreadsFile final : public BlockEngineBase {
 public:
  ThreadsFile(int fd, uint64_t size, std::string why) : BlockEngineBase(fd, size), why_(std::move(why)) {}
  ~ThreadsFile() override {
    {
      nt::LockGuard guard(lock_);
      stopping_ = true;
    }
    Ring(static_cast<int>(kThreads));
    threads_.clear();  // joins: the threads leave when the queue is empty
  }

  /// False when not even one thread could be started.
  bool Start() {
    for (size_t i = 0; i < kThreads; i++) {
      auto thread = Thread::Start("ntio-disk", kStackBytes, [this] { Run(); });
      if (!thread) break;
      threads_.push_back(std::move(thread));
    }
    return !threads_.empty();
  }

  BlockEngine engine() const override { return BlockEngine::kThreads; }
  const std::string& why() const override { return why_; }

 protected:
  void Submit(BlockRequest* request) override {
    {
      nt::LockGuard guard(lock_);
      queue_.Push(request);
    }
    Ring(1);
  }

 private:
  void Ring(int count) {
    bell_.fetch_add(1, std::memory_order_release);
    WakeAddress(&bell_, count);
  }

  void Run() {
    for (;;) {
      const uint32_t seen = bell_.load(std::memory_order_acquire);
      BlockRequest* request;
      bool stopping;
      {
        nt::LockGuard guard(lock_);
        request = queue_.Pop();
        stopping = stopping_;
      }
      if (request)
        Serve(request);
      else if (stopping)
        return;
      else
        WaitOnAddress(&bell_, seen, kForever);
    }
  }

  void Serve(BlockRequest* request) {
    Error error;
    while (!request->Advance(TransferOnce(*request), &error)) {
    }
    request->completion(request->context, error, request->done);
    delete request;
  }

  int64_t TransferOnce(const BlockRequest& request) {
    char* buffer = request.buffer + request.done;
    const size_t bytes = std::min(request.bytes - request.done, kMaxTransfer);
    const auto offset = static_cast<off_t>(request.offset + request.done);
    int64_t result = -1;
    switch (request.operation) {
      case BlockOperation::kRead:
        result = pread(fd_, buffer, bytes, offset);
        break;
      case BlockOperation::kWrite:
        result = pwrite(fd_, buffer, bytes, offset);
        break;
      case BlockOperation::kFlush:
        result = fdatasync(fd_);
        break;
    }
    return result < 0 ? -errno : result;
  }

  const std::string why_;
  nt::Lock lock_{nt::LockRank::kHost};
  RequestQueue queue_ NT_GUARDED_BY(lock_);
  bool stopping_ NT_GUARDED_BY(lock_) = false;
  std::atomic<uint32_t> bell_{0};
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace

Error MakeThreadsFile(int fd, uint64_t size, std::string why, std::unique_ptr<BlockFile>* out) {
  const int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);  // so that a failed start leaves the caller's fd alone
  if (mine < 0) return errno;
  auto file = std::make_unique<ThreadsFile>(mine, size, std::move(why));
  if (!file->Start()) return EAGAIN;
  close(fd);
  *out = std::move(file);
  return 0;
}

}  // namespace host::internal
