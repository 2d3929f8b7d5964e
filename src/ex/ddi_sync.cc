// Exports: resources, fast and guarded mutexes, push locks, rundown protection, reader-writer spin locks.
#include "ntifs.h"
#include "src/ex/ex.h"
#include "src/ex/spin_lock.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(NTSTATUS, ExInitializeResourceLite, (PERESOURCE resource), (resource)) {
  return ex::InitializeResourceLite(resource);
}
NT_EXPORT(NTSTATUS, ExReinitializeResourceLite, (PERESOURCE resource), (resource)) {
  return ex::ReinitializeResourceLite(resource);
}
NT_EXPORT(NTSTATUS, ExDeleteResourceLite, (PERESOURCE resource), (resource)) { return ex::DeleteResourceLite(resource); }
NT_EXPORT(BOOLEAN, ExAcquireResourceExclusiveLite, (PERESOURCE resource, BOOLEAN wait), (resource, wait)) {
  return ex::AcquireResourceExclusiveLite(resource, wait);
}
NT_EXPORT(BOOLEAN, ExTryToAcquireResourceExclusiveLite, (PERESOURCE resource), (resource)) {
  return ex::AcquireResourceExclusiveLite(resource, false);
}
NT_EXPORT(BOOLEAN, ExAcquireResourceSharedLite, (PERESOURCE resource, BOOLEAN wait), (resource, wait)) {
  return ex::AcquireResourceSharedLite(resource, wait);
}
NT_EXPORT(BOOLEAN, ExAcquireSharedStarveExclusive, (PERESOURCE resource, BOOLEAN wait), (resource, wait)) {
  return ex::AcquireSharedStarveExclusive(resource, wait);
}
NT_EXPORT(BOOLEAN, ExAcquireSharedWaitForExclusive, (PERESOURCE resource, BOOLEAN wait), (resource, wait)) {
  return ex::AcquireSharedWaitForExclusive(resource, wait);
}
NT_EXPORT(VOID, ExReleaseResourceLite, (PERESOURCE resource), (resource)) { ex::ReleaseResourceLite(resource); }
NT_EXPORT(VOID, ExReleaseResourceForThreadLite, (PERESOURCE resource, ERESOURCE_THREAD owner), (resource, owner)) {
  ex::ReleaseResourceForThreadLite(resource, owner);
}
NT_EXPORT(VOID, ExSetResourceOwnerPointer, (PERESOURCE resource, PVOID owner), (resource, owner)) {
  ex::SetResourceOwnerPointer(resource, owner);
}
NT_EXPORT(VOID, ExConvertExclusiveToSharedLite, (PERESOURCE resource), (resource)) {
  ex::ConvertExclusiveToSharedLite(resource);
}
NT_EXPORT(BOOLEAN, ExIsResourceAcquiredExclusiveLite, (PERESOURCE resource), (resource)) {
  return ex::IsResourceAcquiredExclusiveLite(resource);
}
NT_EXPORT(ULONG, ExIsResourceAcquiredSharedLite, (PERESOURCE resource), (resource)) {
  return ex::IsResourceAcquiredSharedLite(resource);
}
NT_EXPORT(ULONG, ExGetExclusiveWaiterCount, (PERESOURCE resource), (resource)) {
  return ex::GetExclusiveWaiterCount(resource);
}
NT_EXPORT(ULONG, ExGetSharedWaiterCount, (PERESOURCE resource), (resource)) { return ex::GetSharedWaiterCount(resource); }
// Threads have no priority that a resource would boost.
NT_EXPORT(VOID, ExDisableResourceBoostLite, (PERESOURCE resource), (resource)) { static_cast<void>(resource); }

NT_EXPORT(PVOID, ExEnterCriticalRegionAndAcquireResourceExclusive, (PERESOURCE resource), (resource)) {
  ke::EnterCriticalRegion();
  ex::AcquireResourceExclusiveLite(resource, true);
  return nullptr;
}
NT_EXPORT(PVOID, ExEnterCriticalRegionAndAcquireResourceShared, (PERESOURCE resource), (resource)) {
  ke::EnterCriticalRegion();
  ex::AcquireResourceSharedLite(resource, true);
  return nullptr;
}
NT_EXPORT(PVOID, ExEnterCriticalRegionAndAcquireSharedWaitForExclusive, (PERESOURCE resource), (resource)) {
  ke::EnterCriticalRegion();
  ex::AcquireSharedWaitForExclusive(resource, true);
  return nullptr;
}
NT_EXPORT(VOID, ExReleaseResourceAndLeaveCriticalRegion, (PERESOURCE resource), (resource)) {
  ex::ReleaseResourceLite(resource);
  ke::LeaveCriticalRegion();
}

NT_EXPORT(VOID, ExAcquireFastMutex, (PFAST_MUTEX mutex), (mutex)) { ex::AcquireFastMutex(mutex); }
NT_EXPORT(VOID, ExReleaseFastMutex, (PFAST_MUTEX mutex), (mutex)) { ex::ReleaseFastMutex(mutex); }
NT_EXPORT(BOOLEAN, ExTryToAcquireFastMutex, (PFAST_MUTEX mutex), (mutex)) { return ex::TryToAcquireFastMutex(mutex); }
NT_EXPORT(VOID, ExAcquireFastMutexUnsafe, (PFAST_MUTEX mutex), (mutex)) { ex::AcquireFastMutexUnsafe(mutex); }
NT_EXPORT(VOID, ExReleaseFastMutexUnsafe, (PFAST_MUTEX mutex), (mutex)) { ex::ReleaseFastMutexUnsafe(mutex); }
NT_EXPORT(VOID, ExEnterCriticalRegionAndAcquireFastMutexUnsafe, (PFAST_MUTEX mutex), (mutex)) {
  ke::EnterCriticalRegion();
  ex::AcquireFastMutexUnsafe(mutex);
}
NT_EXPORT(VOID, ExReleaseFastMutexUnsafeAndLeaveCriticalRegion, (PFAST_MUTEX mutex), (mutex)) {
  ex::ReleaseFastMutexUnsafe(mutex);
  ke::LeaveCriticalRegion();
}

// A guarded mutex is a fast mutex by another name (the same layout).
static PFAST_MUTEX AsFastMutex(PKGUARDED_MUTEX mutex) {
  static_assert(sizeof(KGUARDED_MUTEX) == sizeof(FAST_MUTEX));
  return reinterpret_cast<PFAST_MUTEX>(mutex);
}

NT_EXPORT(VOID, KeInitializeGuardedMutex, (PKGUARDED_MUTEX mutex), (mutex)) { ex::InitializeFastMutex(AsFastMutex(mutex)); }
NT_EXPORT(VOID, KeAcquireGuardedMutex, (PKGUARDED_MUTEX mutex), (mutex)) {
  ke::EnterGuardedRegion();
  ex::AcquireFastMutexUnsafe(AsFastMutex(mutex));
}
NT_EXPORT(VOID, KeReleaseGuardedMutex, (PKGUARDED_MUTEX mutex), (mutex)) {
  ex::ReleaseFastMutexUnsafe(AsFastMutex(mutex));
  ke::LeaveGuardedRegion();
}
NT_EXPORT(VOID, KeAcquireGuardedMutexUnsafe, (PKGUARDED_MUTEX mutex), (mutex)) { ex::AcquireFastMutexUnsafe(AsFastMutex(mutex)); }
NT_EXPORT(VOID, KeReleaseGuardedMutexUnsafe, (PKGUARDED_MUTEX mutex), (mutex)) { ex::ReleaseFastMutexUnsafe(AsFastMutex(mutex)); }

NT_EXPORT(VOID, ExInitializePushLock, (PEX_PUSH_LOCK lock), (lock)) { ex::InitializePushLock(lock); }
NT_EXPORT(VOID, ExAcquirePushLockExclusiveEx, (PEX_PUSH_LOCK lock, ULONG flags), (lock, flags)) {
  static_cast<void>(flags);
  ex::AcquirePushLockExclusive(lock);
}
NT_EXPORT(VOID, ExAcquirePushLockSharedEx, (PEX_PUSH_LOCK lock, ULONG flags), (lock, flags)) {
  static_cast<void>(flags);
  ex::AcquirePushLockShared(lock);
}
NT_EXPORT(VOID, ExReleasePushLockExclusiveEx, (PEX_PUSH_LOCK lock, ULONG flags), (lock, flags)) {
  static_cast<void>(flags);
  ex::ReleasePushLockExclusive(lock);
}
NT_EXPORT(VOID, ExReleasePushLockSharedEx, (PEX_PUSH_LOCK lock, ULONG flags), (lock, flags)) {
  static_cast<void>(flags);
  ex::ReleasePushLockShared(lock);
}
NT_EXPORT(VOID, ExReleasePushLockEx, (PEX_PUSH_LOCK lock, ULONG flags), (lock, flags)) {
  static_cast<void>(flags);
  ex::ReleasePushLock(lock);
}

NT_EXPORT(VOID, ExInitializeRundownProtection, (PEX_RUNDOWN_REF reference), (reference)) {
  ex::InitializeRundownProtection(reference);
}
NT_EXPORT(VOID, ExReInitializeRundownProtection, (PEX_RUNDOWN_REF reference), (reference)) {
  ex::ReInitializeRundownProtection(reference);
}
NT_EXPORT(BOOLEAN, ExAcquireRundownProtection, (PEX_RUNDOWN_REF reference), (reference)) {
  return ex::AcquireRundownProtection(reference);
}
NT_EXPORT(VOID, ExReleaseRundownProtection, (PEX_RUNDOWN_REF reference), (reference)) {
  ex::ReleaseRundownProtection(reference);
}
NT_EXPORT(VOID, ExRundownCompleted, (PEX_RUNDOWN_REF reference), (reference)) { ex::RundownCompleted(reference); }
NT_EXPORT(VOID, ExWaitForRundownProtectionRelease, (PEX_RUNDOWN_REF reference), (reference)) {
  ex::WaitForRundownProtectionRelease(reference);
}

NT_EXPORT(KIRQL, ExAcquireSpinLockExclusive, (PEX_SPIN_LOCK lock), (lock)) {
  const KIRQL old = ke::RaiseIrqlToDpcLevel();
  ex::AcquireSpinLockExclusive(lock);
  return old;
}
NT_EXPORT(KIRQL, ExAcquireSpinLockShared, (PEX_SPIN_LOCK lock), (lock)) {
  const KIRQL old = ke::RaiseIrqlToDpcLevel();
  ex::AcquireSpinLockShared(lock);
  return old;
}
NT_EXPORT(VOID, ExReleaseSpinLockExclusive, (PEX_SPIN_LOCK lock, KIRQL old), (lock, old)) {
  ex::ReleaseSpinLockExclusive(lock);
  ke::LowerIrql(old);
}
NT_EXPORT(VOID, ExReleaseSpinLockShared, (PEX_SPIN_LOCK lock, KIRQL old), (lock, old)) {
  ex::ReleaseSpinLockShared(lock);
  ke::LowerIrql(old);
}
