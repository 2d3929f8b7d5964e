// What the cached-copy helpers share: the critical region with the file's resource, the fast-I/O marker, the question to
// the file system, and stores to the sizes in the header.
#pragma once

#include "src/ex/ex.h"
#include "src/io/io.h"
#include "src/ke/ke.h"

namespace nt::fsrtl {

/// As FsRtlSupportsPerStreamContexts and friends: the header that a file system hangs on FsContext; null before it did.
inline PFSRTL_ADVANCED_FCB_HEADER HeaderOf(PFILE_OBJECT file) {
  return static_cast<PFSRTL_ADVANCED_FCB_HEADER>(file->FsContext);
}

/// The critical region, and within it Resource. Left in order at the end of the scope.
class FileResourceScope {
 public:
  FileResourceScope() { ke::EnterCriticalRegion(); }
  ~FileResourceScope() {
    Release();
    ke::LeaveCriticalRegion();
  }
  FileResourceScope(const FileResourceScope&) = delete;
  FileResourceScope& operator=(const FileResourceScope&) = delete;

  bool AcquireShared(PERESOURCE resource, bool wait) { return Keep(resource, ex::AcquireResourceSharedLite(resource, wait)); }
  bool AcquireExclusive(PERESOURCE resource, bool wait) {
    return Keep(resource, ex::AcquireResourceExclusiveLite(resource, wait));
  }
  void Release() {
    if (resource_) ex::ReleaseResourceLite(resource_);
    resource_ = nullptr;
  }

 private:
  bool Keep(PERESOURCE resource, bool acquired) {
    if (acquired) resource_ = resource;
    return acquired;
  }
  PERESOURCE resource_ = nullptr;
};

/// Marks the thread's top-level request as fast I/O around a call of the cache manager. It ends as null, whatever it was.
class FastIoMarker {
 public:
  FastIoMarker() : thread_(ke::CurrentThread()) {
    thread_->top_level_irp = reinterpret_cast<PIRP>(FSRTL_FAST_IO_TOP_LEVEL_IRP);
  }
  ~FastIoMarker() { thread_->top_level_irp = nullptr; }
  FastIoMarker(const FastIoMarker&) = delete;
  FastIoMarker& operator=(const FastIoMarker&) = delete;

 private:
  ke::Thread* const thread_;
};

enum class Direction : bool { kWrite, kRead };

/// FastIoCheckIfPossible of the topmost device; a stack without one says no.
inline bool IsFastIoAllowed(PFILE_OBJECT file, LONGLONG offset, ULONG length, ULONG lock_key, Direction direction,
                            PIO_STATUS_BLOCK io_status) {
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(file);
  auto* const check = io::FastIoEntry<&FAST_IO_DISPATCH::FastIoCheckIfPossible>(top);
  if (!check) return false;
  LARGE_INTEGER where;
  where.QuadPart = offset;
  return io::CallFastIo<&FAST_IO_DISPATCH::FastIoCheckIfPossible>(check, file, &where, length, BOOLEAN{TRUE}, lock_key,
                                                                  static_cast<BOOLEAN>(direction == Direction::kRead),
                                                                  io_status, top);
}

inline LONGLONG LoadSize(const LARGE_INTEGER& size) { return __atomic_load_n(&size.QuadPart, __ATOMIC_RELAXED); }

/// Stores FileSize or ValidDataLength; Resource is held. A change of the high half is made under PagingIoResource, so that no
/// driver built for 32-bit loads sees half of it.
inline void StoreSize(PFSRTL_ADVANCED_FCB_HEADER header, LARGE_INTEGER& size, LONGLONG value) {
  const bool guarded = header->PagingIoResource && (size.QuadPart >> 32) != (value >> 32);
  if (guarded) ex::AcquireResourceExclusiveLite(header->PagingIoResource, true);
  __atomic_store_n(&size.QuadPart, value, __ATOMIC_RELAXED);
  if (guarded) ex::ReleaseResourceLite(header->PagingIoResource);
}

inline void SetFileObjectFlags(PFILE_OBJECT file, ULONG flags) {
  if ((__atomic_load_n(&file->Flags, __ATOMIC_RELAXED) & flags) != flags)
    __atomic_fetch_or(&file->Flags, flags, __ATOMIC_RELAXED);
}

}  // namespace nt::fsrtl
