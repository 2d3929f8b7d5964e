// BlockFile: opening, the choice of an engine, and what both engines do alike.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "src/host/block_file_internal.h"

namespace host {
namespace {

/// An fd that closes unless released.
class ScopedFd {
 public:
  explicit ScopedFd(int fd) : fd_(fd) {}
  ~ScopedFd() {
    if (fd_ >= 0) close(fd_);
  }
  ScopedFd(const ScopedFd&) = delete;
  ScopedFd& operator=(const ScopedFd&) = delete;
  int get() const { return fd_; }
  void Release() { fd_ = -1; }

 private:
  int fd_;
};

Error FindSize(int fd, uint64_t* size) {
  struct stat info;
  if (fstat(fd, &info) != 0) return errno;
  if (S_ISREG(info.st_mode)) {
    *size = static_cast<uint64_t>(info.st_size);
    return 0;
  }
  if (S_ISDIR(info.st_mode)) return EISDIR;
  if (!S_ISBLK(info.st_mode)) return ENOTBLK;
  return ioctl(fd, BLKGETSIZE64, size) == 0 ? 0 : errno;
}

constexpr uint64_t kLockPatienceNanoseconds = 500'000'000;

/// Keeps a second writer away from an image. File systems without locks are let through. A program that was killed is gone some
/// time before the kernel has taken down its io_uring, and the lock with it: hence the patience.
Error LockImage(int fd, BlockAccess access) {
  const uint64_t deadline = MonotonicNanoseconds() + kLockPatienceNanoseconds;
  while (flock(fd, (access == BlockAccess::kReadOnly ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return 0;
    if (MonotonicNanoseconds() >= deadline) return EBUSY;
    const timespec pause = {0, 5'000'000};
    nanosleep(&pause, nullptr);
  }
  return 0;
}

}  // namespace

Error BlockFile::Open(const std::string& path, BlockAccess access, BlockEngine engine, std::unique_ptr<BlockFile>* out) {
  out->reset();
  const int mode = access == BlockAccess::kReadOnly ? O_RDONLY : O_RDWR;
  // O_NONBLOCK: a FIFO by mistake must not hang the open. It means nothing for files and block devices.
  ScopedFd fd(open(path.c_str(), mode | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd.get() < 0) return errno;
  uint64_t size = 0;
  if (Error error = FindSize(fd.get(), &size)) return error;
  if (Error error = LockImage(fd.get(), access)) return error;
  // io_uring gives requests on an O_NONBLOCK file back with EAGAIN instead of waiting.
  if (fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK) != 0) return errno;

  std::string why;
  Error error = EINVAL;
  if (engine != BlockEngine::kThreads) error = internal::MakeUringFile(fd.get(), size, out, &why);
  if (engine == BlockEngine::kThreads) why = "asked for";
  if (error != 0 && engine != BlockEngine::kIoUring) error = internal::MakeThreadsFile(fd.get(), size, why, out);
  if (error == 0) fd.Release();
  return error;
}

namespace internal {

bool BlockRequest::Advance(int64_t result, Error* error) {
  if (result < 0) {
    // EINTR: a signal. EAGAIN: would have blocked. ECANCELED: the thread that submitted it has ended, and io_uring withdraws
    // a thread's requests at its end; we never cancel. Each is simply done again.
    if (result == -EINTR || result == -EAGAIN || result == -ECANCELED) {
      force_async |= result == -EAGAIN;
      return false;
    }
    *error = static_cast<Error>(-result);
    return true;
  }
  *error = 0;
  if (operation == BlockOperation::kFlush) return true;
  done += static_cast<size_t>(result);
  if (done == bytes) return true;
  if (result > 0) return false;
  // Nothing moved. A read has met the end of the file; a write cannot explain itself.
  if (operation == BlockOperation::kWrite) *error = EIO;
  return true;
}

BlockEngineBase::~BlockEngineBase() {
  flock(fd_, LOCK_UN);  // not left to close: io_uring drops its references to the file some time later
  close(fd_);
}

void BlockEngineBase::ReadAsync(uint64_t offset, void* buffer, size_t bytes, Completion completion, void* context) {
  auto* request = new BlockRequest{.operation = BlockOperation::kRead, .completion = completion, .context = context};
  request->buffer = static_cast<char*>(buffer);
  request->offset = offset;
  request->bytes = bytes;
  Submit(request);
}

void BlockEngineBase::WriteAsync(uint64_t offset, const void* buffer, size_t bytes, Completion completion,
                                 void* context) {
  auto* request = new BlockRequest{.operation = BlockOperation::kWrite, .completion = completion, .context = context};
  request->buffer = static_cast<char*>(const_cast<void*>(buffer));
  request->offset = offset;
  request->bytes = bytes;
  Submit(request);
}

void BlockEngineBase::FlushAsync(Completion completion, void* context) {
  Submit(new BlockRequest{.operation = BlockOperation::kFlush, .completion = completion, .context = context});
}

}  // namespace internal
}  // namespace host
