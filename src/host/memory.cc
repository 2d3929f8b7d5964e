// Address space: reserve, commit, protect.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "src/base/check.h"
#include "src/host/host.h"
#include "src/host/memory_internal.h"

namespace host {

int internal::Protection(Access access) {
  switch (access) {
    case Access::kNone:
      return PROT_NONE;
    case Access::kRead:
      return PROT_READ;
    case Access::kReadWrite:
      return PROT_READ | PROT_WRITE;
    case Access::kReadExecute:
      return PROT_READ | PROT_EXEC;
  }
  CHECK_MSG(false, "not a value of host::Access");
}

uint64_t MemoryBytes() {
  auto bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  // In a container this is its own group; elsewhere the root has no such file, and nothing limits.
  std::vector<std::byte> text;
  if (ReadFile("/sys/fs/cgroup/memory.max", &text) == 0) {
    const std::string limit(reinterpret_cast<const char*>(text.data()), text.size());
    if (const uint64_t number = std::strtoull(limit.c_str(), nullptr, 10)) bytes = std::min<uint64_t>(bytes, number);
  }
  return bytes;
}

void* ReserveMemory(uintptr_t address, size_t bytes) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (address != 0) flags |= MAP_FIXED_NOREPLACE;
  void* wanted = reinterpret_cast<void*>(address);
  void* memory = mmap(wanted, bytes, PROT_NONE, flags, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  if (address != 0 && memory != wanted) {  // a kernel before 4.17 took the address as a hint
    munmap(memory, bytes);
    return nullptr;
  }
  return memory;
}

Error CommitMemory(void* address, size_t bytes, Access access) {
  // Reserved pages have never been touched, or were replaced when decommitted: they read as zero.
  return ProtectMemory(address, bytes, access);
}

void DecommitMemory(void* address, size_t bytes) { UnmapToReserved(address, bytes); }

Error ProtectMemory(void* address, size_t bytes, Access access) {
  return mprotect(address, bytes, internal::Protection(access)) == 0 ? 0 : errno;
}

void ReleaseMemory(void* address, size_t bytes) {
  CHECK_MSG(munmap(address, bytes) == 0, "munmap of a range that is not ours");
}

void UnmapToReserved(void* address, size_t bytes) {
  // A fresh mapping rather than madvise: it merges with the reservation around it, and sanitizers forget the old contents.
  void* memory = mmap(address, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  CHECK_MSG(memory == address, "could not return memory to its reservation");
}

}  // namespace host
