// Owners of what must be given back: resources, cache pins, pool.
// Destructors do not run when an SEH exception passes, so nothing below a guard may raise: see seh.h.
#pragma once
#include <ntifs.h>

#include "seh.h"

namespace fat {

constexpr ULONG kPoolTag = 'TAFN';

inline void* AllocatePaged(SIZE_T bytes) { return ExAllocatePoolWithTag(PagedPool, bytes, kPoolTag); }
inline void* AllocateNonPaged(SIZE_T bytes) { return ExAllocatePoolWithTag(NonPagedPoolNx, bytes, kPoolTag); }
inline void FreePool(void* memory) { ExFreePoolWithTag(memory, kPoolTag); }

template <typename T>
constexpr T Min(T a, T b) {
  return a < b ? a : b;
}
template <typename T>
constexpr T Max(T a, T b) {
  return a < b ? b : a;
}

enum class Wait : BOOLEAN { kNo = FALSE, kYes = TRUE };

/// An ERESOURCE held by this thread. Caller is in a critical region.
class ResourceGuard {
 public:
  ResourceGuard() = default;
  ResourceGuard(const ResourceGuard&) = delete;
  ResourceGuard& operator=(const ResourceGuard&) = delete;
  ~ResourceGuard() { Release(); }

  bool Shared(ERESOURCE& resource, Wait wait = Wait::kYes) {
    Release();
    if (!ExAcquireResourceSharedLite(&resource, static_cast<BOOLEAN>(wait))) return false;
    resource_ = &resource;
    return true;
  }
  bool Exclusive(ERESOURCE& resource, Wait wait = Wait::kYes) {
    Release();
    if (!ExAcquireResourceExclusiveLite(&resource, static_cast<BOOLEAN>(wait))) return false;
    resource_ = &resource;
    return true;
  }
  /// For paging I/O that another thread waits for: that one may hold the resource shared already, and would wait for
  /// itself if an exclusive waiter came in between.
  void SharedForPaging(bool for_another_thread, ERESOURCE& resource) {
    if (!for_another_thread) {
      Shared(resource);
      return;
    }
    Release();
    ExAcquireSharedStarveExclusive(&resource, TRUE);
    resource_ = &resource;
  }
  void Release() {
    if (resource_ != nullptr) ExReleaseResourceLite(resource_);
    resource_ = nullptr;
  }
  bool held() const { return resource_ != nullptr; }
  /// Exclusive becomes shared.
  void Share() { ExConvertExclusiveToSharedLite(resource_); }
  /// Gives the resource to `owner`, who releases it in whatever thread: see ExSetResourceOwnerPointer.
  ERESOURCE* HandOver(ERESOURCE_THREAD owner) {
    ERESOURCE* resource = resource_;
    resource_ = nullptr;
    if (owner != ExGetCurrentResourceThread()) ExSetResourceOwnerPointer(resource, reinterpret_cast<PVOID>(owner));
    return resource;
  }

 private:
  ERESOURCE* resource_ = nullptr;
};

struct SharedGuard : ResourceGuard {
  explicit SharedGuard(ERESOURCE& resource) { Shared(resource); }
};
struct ExclusiveGuard : ResourceGuard {
  explicit ExclusiveGuard(ERESOURCE& resource) { Exclusive(resource); }
};

/// One mapped or pinned range of a cached stream.
class CacheView {
 public:
  CacheView() = default;
  CacheView(const CacheView&) = delete;
  CacheView& operator=(const CacheView&) = delete;
  ~CacheView() { Release(); }

  NTSTATUS Map(PFILE_OBJECT file, LONGLONG offset, ULONG length) {
    Release();
    return seh::MapData(file, offset, length, &bcb_, &data_);
  }
  NTSTATUS Pin(PFILE_OBJECT file, LONGLONG offset, ULONG length) {
    Release();
    return seh::PinRead(file, offset, length, &bcb_, &data_);
  }
  NTSTATUS PrepareZeroed(PFILE_OBJECT file, LONGLONG offset, ULONG length) {
    Release();
    return seh::PreparePinWrite(file, offset, length, TRUE, &bcb_, &data_);
  }
  void SetDirty() { CcSetDirtyPinnedData(bcb_, nullptr); }
  void Release() {
    if (bcb_ != nullptr) CcUnpinData(bcb_);
    bcb_ = nullptr;
    data_ = nullptr;
  }
  explicit operator bool() const { return bcb_ != nullptr; }
  template <typename T>
  T* As(ULONG offset) const {
    return reinterpret_cast<T*>(static_cast<UCHAR*>(data_) + offset);
  }

 private:
  PVOID bcb_ = nullptr;
  PVOID data_ = nullptr;
};

/// Pool memory owned by a scope.
class PoolBuffer {
 public:
  PoolBuffer() = default;
  explicit PoolBuffer(void* memory) : memory_(memory) {}
  PoolBuffer(const PoolBuffer&) = delete;
  PoolBuffer& operator=(const PoolBuffer&) = delete;
  ~PoolBuffer() { Reset(nullptr); }
  void Reset(void* memory) {
    if (memory_ != nullptr) FreePool(memory_);
    memory_ = memory;
  }
  void* Detach() {
    void* memory = memory_;
    memory_ = nullptr;
    return memory;
  }
  explicit operator bool() const { return memory_ != nullptr; }
  template <typename T>
  T* As() const {
    return static_cast<T*>(memory_);
  }

 private:
  void* memory_ = nullptr;
};

}  // namespace fat
