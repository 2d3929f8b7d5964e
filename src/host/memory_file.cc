// MemoryFile over memfd.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "src/host/host.h"
#include "src/host/memory_internal.h"

namespace host {
namespace {

class MemFd final : public MemoryFile {
 public:
  explicit MemFd(int fd) : fd_(fd) {}
  ~MemFd() override { close(fd_); }

  void* Map(uintptr_t address, uint64_t offset, size_t bytes, Access access) override {
    const int flags = MAP_SHARED | MAP_NORESERVE | (address != 0 ? MAP_FIXED : 0);
    void* memory = mmap(reinterpret_cast<void*>(address), bytes, internal::Protection(access), flags, fd_,
                        static_cast<off_t>(offset));
    return memory == MAP_FAILED ? nullptr : memory;
  }

  Error Punch(uint64_t offset, uint64_t bytes) override {
    for (;;) {
      if (fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(bytes)) == 0)
        return 0;
      if (errno != EINTR) return errno;
    }
  }

 private:
  const int fd_;
};

}  // namespace

std::unique_ptr<MemoryFile> MemoryFile::Create(const char* name, uint64_t bytes) {
  const int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) return nullptr;
  if (ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    close(fd);
    return nullptr;
  }
  return std::make_unique<MemFd>(fd);
}

}  // namespace host
