// What block_file.cc and its two engines share.
#pragma once

#include "src/base/lock.h"
#include "src/host/host.h"

namespace host::internal {

enum class BlockOperation : uint8_t { kRead, kWrite, kFlush };

/// One request on its way. Owned by the engine from ReadAsync, WriteAsync or FlushAsync to the return of the completion.
struct BlockRequest {
  BlockOperation operation;
  bool force_async = false;  // io_uring: this one met EAGAIN; let a kernel worker block for it
  char* buffer = nullptr;
  uint64_t offset = 0;
  size_t bytes = 0;  // asked
  size_t done = 0;   // transferred so far: short transfers are continued
  BlockFile::Completion completion;
  void* context;
  BlockRequest* next = nullptr;
  // The kernel's hand-over between submitter and completion thread is invisible to ThreadSanitizer; this pair shows it.
  std::atomic<uint32_t> handed_over{0};

  /// Takes the result of one transfer (bytes, or -errno). Returns true when the request is finished, with *error.
  bool Advance(int64_t result, Error* error);
};

/// A first-in first-out list of requests; the caller locks.
class RequestQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  void Push(BlockRequest* request) {
    request->next = nullptr;
    *(tail_ ? &tail_->next : &head_) = request;
    tail_ = request;
  }
  BlockRequest* Pop() {
    BlockRequest* request = head_;
    if (request && !(head_ = request->next)) tail_ = nullptr;
    return request;
  }

 private:
  BlockRequest* head_ = nullptr;
  BlockRequest* tail_ = nullptr;
};

/// The part of both engines that makes requests.
class BlockEngineBase : public BlockFile {
 public:
  BlockEngineBase(int fd, uint64_t size) : fd_(fd), size_(size) {}
  ~BlockEngineBase() override;

  uint64_t SizeBytes() const final { return size_; }
  void ReadAsync(uint64_t offset, void* buffer, size_t bytes, Completion completion, void* context) final;
  void WriteAsync(uint64_t offset, const void* buffer, size_t bytes, Completion completion, void* context) final;
  void FlushAsync(Completion completion, void* context) final;

 protected:
  virtual void Submit(BlockRequest* request) = 0;

  const int fd_;

 private:
  const uint64_t size_;
};

/// Takes `fd` only on success. On failure *why says which call refused, and the errno is returned.
Error MakeUringFile(int fd, uint64_t size, std::unique_ptr<BlockFile>* out, std::string* why);
Error MakeThreadsFile(int fd, uint64_t size, std::string why, std::unique_ptr<BlockFile>* out);

}  // namespace host::internal
