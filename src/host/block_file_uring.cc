// Block files by io_uring: one ring and one completion thread per file.
//
// Any thread submits. Requests pass through a queue; whoever finds no submitter becomes it and hands over everything that
// has gathered, so that concurrent requests share a system call. What finds no room in the ring stays queued and is handed
// over by the completion thread as completions make room.
//
// The kernel ties a request to the thread that submitted it and cancels it when that thread ends; BlockRequest::Advance
// has it done again.
#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/base/check.h"
#include "src/host/block_file_internal.h"

namespace host::internal {
namespace {

constexpr unsigned kEntries = 128;               // submission queue
constexpr unsigned kMaxInFlight = 2 * kEntries;  // completion queue: it never overflows
constexpr size_t kStackBytes = 512 * 1024;       // completions run here
constexpr size_t kMaxTransfer = 1u << 30;        // a request's length has 32 bits; longer ones are continued

class UringFile final : public BlockEngineBase {
 public:
  UringFile(int fd, uint64_t size) : BlockEngineBase(fd, size) {}
  ~UringFile() override {
    if (thread_) {
      {
        nt::LockGuard guard(lock_);
        stopping_ = true;
      }
      SubmitQueued();  // wakes the completion thread by a no-operation when nothing is left
      thread_.reset();
    }
    if (have_ring_) io_uring_queue_exit(&ring_);
  }

  /// Returns the errno and the call that refused.
  Error Start(std::string* why) {
    io_uring_params params = {};
    const int result = io_uring_queue_init_params(kEntries, &ring_, &params);
    if (result < 0) {
      *why = std::string("io_uring_setup: ") + std::strerror(-result);
      if (result == -EPERM) *why += " (kernel.io_uring_disabled, or a seccomp filter)";
      return -result;
    }
    have_ring_ = true;
    if (!(params.features & IORING_FEAT_NODROP) || !SupportsOperations()) {
      *why = "io_uring: the kernel is too old (READ, WRITE and FSYNC need Linux 5.6)";
      return ENOSYS;
    }
    fixed_file_ = io_uring_register_files(&ring_, &fd_, 1) == 0;
    thread_ = Thread::Start("ntio-disk", kStackBytes, [this] { Run(); });
    if (!thread_) {
      *why = "no thread for io_uring completions";
      return EAGAIN;
    }
    return 0;
  }

  BlockEngine engine() const override { return BlockEngine::kIoUring; }
  const std::string& why() const override { return why_; }

  void BeginBatch() override { batches_.fetch_add(1, std::memory_order_relaxed); }
  void EndBatch() override {
    batches_.fetch_sub(1, std::memory_order_acq_rel);
    SubmitQueued();
  }

 protected:
  void Submit(BlockRequest* request) override {
    {
      nt::LockGuard guard(lock_);
      queue_.Push(request);
    }
    // A batch that ends meanwhile submits what it finds in the queue, this request included: it was pushed first.
    if (batches_.load(std::memory_order_acquire) == 0) SubmitQueued();
  }

 private:
  bool SupportsOperations() {
    io_uring_probe* probe = io_uring_get_probe_ring(&ring_);
    if (!probe) return false;
    bool all = true;
    for (int operation : {IORING_OP_NOP, IORING_OP_READ, IORING_OP_WRITE, IORING_OP_FSYNC})
      all = all && io_uring_opcode_supported(probe, operation);
    io_uring_free_probe(probe);
    return all;
  }

  /// Hands queued requests to the kernel, as far as the ring has room.
  void SubmitQueued() {
    {
      nt::LockGuard guard(lock_);
      if (submitting_) return;  // that thread looks at the queue, under the lock, before it leaves
      submitting_ = true;
    }
    for (;;) {
      {
        nt::LockGuard guard(lock_);
        FillSubmissionQueue();
        if (io_uring_sq_ready(&ring_) == 0) {
          submitting_ = false;
          return;
        }
      }
      // Outside the lock: the kernel may copy cached data right here, and others go on queueing meanwhile.
      const int result = io_uring_submit(&ring_);
      if (result >= 0 || result == -EINTR) continue;
      // EAGAIN: no memory for requests; EBUSY: completions wait to be collected. Both pass.
      CHECK_MSG(result == -EAGAIN || result == -EBUSY, "io_uring_enter refused a submission");
      Yield();
    }
  }

  /// Only the submitter calls it, so the submission queue has one user.
  void FillSubmissionQueue() NT_REQUIRES(lock_) {
    while (in_flight_ < kMaxInFlight && !queue_.empty()) {
      io_uring_sqe* entry = io_uring_get_sqe(&ring_);
      if (!entry) return;
      Prepare(queue_.Pop(), entry);
      in_flight_++;
    }
    if (stopping_ && !stop_sent_ && in_flight_ == 0 && queue_.empty()) {
      if (io_uring_sqe* entry = io_uring_get_sqe(&ring_)) {
        io_uring_prep_nop(entry);
        io_uring_sqe_set_data(entry, nullptr);
        stop_sent_ = true;
      }
    }
  }

  void Prepare(BlockRequest* request, io_uring_sqe* entry) {
    const int fd = fixed_file_ ? 0 : fd_;
    char* buffer = request->buffer + request->done;
    const auto bytes = static_cast<unsigned>(std::min(request->bytes - request->done, kMaxTransfer));
    const uint64_t offset = request->offset + request->done;
    switch (request->operation) {
      case BlockOperation::kRead:
        io_uring_prep_read(entry, fd, buffer, bytes, offset);
        break;
      case BlockOperation::kWrite:
        io_uring_prep_write(entry, fd, buffer, bytes, offset);
        break;
      case BlockOperation::kFlush:
        io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC);
        break;
    }
    unsigned flags = fixed_file_ ? IOSQE_FIXED_FILE : 0u;
    if (request->force_async) flags |= IOSQE_ASYNC;
    io_uring_sqe_set_flags(entry, flags);
    io_uring_sqe_set_data(entry, request);
    request->handed_over.store(1, std::memory_order_release);
  }

  void Run() {
    for (;;) {
      io_uring_cqe* first = nullptr;
      const int result = io_uring_wait_cqe(&ring_, &first);
      if (result < 0) {
        CHECK_MSG(result == -EINTR || result == -EAGAIN || result == -EBUSY, "io_uring_enter refused a wait");
        continue;
      }
      io_uring_cqe* entries[32];
      const unsigned count = io_uring_peek_batch_cqe(&ring_, entries, 32);
      BlockRequest* requests[32];
      int results[32];
      bool stop = false;
      for (unsigned i = 0; i < count; i++) {
        requests[i] = static_cast<BlockRequest*>(io_uring_cqe_get_data(entries[i]));
        results[i] = entries[i]->res;
        stop |= requests[i] == nullptr;
      }
      io_uring_cq_advance(&ring_, count);
      if (stop) return;  // sent when nothing was in flight, so it is alone
      Finish(requests, results, count);
    }
  }

  void Finish(BlockRequest** requests, const int* results, unsigned count) {
    Error errors[32];
    bool finished[32];
    for (unsigned i = 0; i < count; i++) {
      requests[i]->handed_over.load(std::memory_order_acquire);
      finished[i] = requests[i]->Advance(results[i], &errors[i]);
    }
    bool more;
    {
      nt::LockGuard guard(lock_);
      for (unsigned i = 0; i < count; i++)
        if (!finished[i]) queue_.Push(requests[i]);
      in_flight_ -= count;
      more = !queue_.empty();
    }
    // Keep the disk busy while completions run.
    if (more) SubmitQueued();
    for (unsigned i = 0; i < count; i++) {
      if (!finished[i]) continue;
      requests[i]->completion(requests[i]->context, errors[i], requests[i]->done);
      delete requests[i];
    }
    bool stopping;
    {
      nt::LockGuard guard(lock_);
      stopping = stopping_;
    }
    if (stopping) SubmitQueued();
  }

  const std::string why_;
  io_uring ring_;  // submission side: the submitter (submitting_); completion side: thread_
  bool have_ring_ = false;
  bool fixed_file_ = false;
  std::unique_ptr<Thread> thread_;
  std::atomic<int> batches_{0};

  nt::Lock lock_{nt::LockRank::kHost};
  RequestQueue queue_ NT_GUARDED_BY(lock_);
  unsigned in_flight_ NT_GUARDED_BY(lock_) = 0;
  bool submitting_ NT_GUARDED_BY(lock_) = false;
  bool stopping_ NT_GUARDED_BY(lock_) = false;
  bool stop_sent_ NT_GUARDED_BY(lock_) = false;
};

}  // namespace

Error MakeUringFile(int fd, uint64_t size, std::unique_ptr<BlockFile>* out, std::string* why) {
  const int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);  // so that a refusal leaves the caller's fd alone
  if (mine < 0) return errno;
  auto file = std::make_unique<UringFile>(mine, size);
  if (Error error = file->Start(why)) return error;
  close(fd);
  *out = std::move(file);
  return 0;
}

}  // namespace host::internal
