// The executive: pool, resources, fast mutexes, push locks, rundown, lookaside lists, worker threads, interlocked lists.
//
// Inner twins of the Ex* routines: same parameters, C++ types. What a routine promises to drivers stands at its declaration
// in include/wdk/nt/ex.h; here is only what differs or what the runtime alone uses.
#pragma once

#include <cstddef>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::ex {

/// Takes the pool's address range. First after ke, before anything that allocates.
Status Boot();
/// Starts the worker threads' queues; needs ob and ps.
Status StartWorkers();
/// Lets the workers finish what is queued and ends them. Items queued later are a bug check.
void StopWorkers();
/// Gives all pool memory back. Nothing of the machine may be used afterwards.
void Shutdown();

// --- pool (pool.cc) ------------------------------------------------------------------------------------------------------

/// @param bytes  0 is served as the smallest block, as Windows does
/// @returns nullptr when the pool's range or a limit set by SetPoolLimit is exhausted; 16-byte aligned, page-aligned from
///          PAGE_SIZE bytes on; not zeroed. With POOL_RAISE_IF_ALLOCATION_FAILURE or a quota type: raises instead
void* AllocatePoolWithTag(POOL_TYPE type, SIZE_T bytes, ULONG tag);
inline void* AllocatePool(POOL_TYPE type, SIZE_T bytes, ULONG tag) { return AllocatePoolWithTag(type, bytes, tag); }
void* AllocatePoolZero(POOL_TYPE type, SIZE_T bytes, ULONG tag);
/// ExAllocatePool3; ExAllocatePool2 is it without parameters.
void* AllocatePool3(POOL_FLAGS flags, SIZE_T bytes, ULONG tag, const POOL_EXTENDED_PARAMETER* parameters, ULONG count);
/// Bug check BAD_POOL_CALLER for an address that is not a live pool block.
void FreePoolWithTag(void* block, ULONG tag);
inline void FreePool(void* block) { FreePoolWithTag(block, 0); }

/// The bytes asked for when the block was allocated; 0 when `block` is no live pool block.
SIZE_T PoolBlockBytes(const void* block);
bool IsPoolAddress(const void* address);

struct PoolUse {
  uint64_t blocks = 0;
  uint64_t bytes = 0;
};
/// Blocks that are live now.
PoolUse CurrentPoolUse();
struct PoolTagUse {
  ULONG tag;
  PoolUse use;
};
/// Live blocks by tag, for leak reports. Walks the whole pool.
std::vector<PoolTagUse> PoolUseByTag();

template <class T, class... A>
T* PoolNew(ULONG tag, A&&... arguments) {
  void* memory = AllocatePoolWithTag(NonPagedPoolNx, sizeof(T), tag);
  return memory ? new (memory) T(std::forward<A>(arguments)...) : nullptr;
}
template <class T>
void PoolDelete(T* object) {
  if (!object) return;
  object->~T();
  FreePool(object);
}

// --- resources (resource.cc) -----------------------------------------------------------------------------------------------

NTSTATUS InitializeResourceLite(PERESOURCE resource);
NTSTATUS ReinitializeResourceLite(PERESOURCE resource);
NTSTATUS DeleteResourceLite(PERESOURCE resource);
bool AcquireResourceExclusiveLite(PERESOURCE resource, bool wait);
bool AcquireResourceSharedLite(PERESOURCE resource, bool wait);
bool AcquireSharedStarveExclusive(PERESOURCE resource, bool wait);
bool AcquireSharedWaitForExclusive(PERESOURCE resource, bool wait);
void ReleaseResourceLite(PERESOURCE resource);
void ReleaseResourceForThreadLite(PERESOURCE resource, ERESOURCE_THREAD owner);
void SetResourceOwnerPointer(PERESOURCE resource, void* owner_pointer);
void ConvertExclusiveToSharedLite(PERESOURCE resource);
bool IsResourceAcquiredExclusiveLite(PERESOURCE resource);
ULONG IsResourceAcquiredSharedLite(PERESOURCE resource);
ULONG GetExclusiveWaiterCount(PERESOURCE resource);
ULONG GetSharedWaiterCount(PERESOURCE resource);

// --- fast mutexes and push locks (fast_mutex.cc, push_lock.cc) ---------------------------------------------------------------

void InitializeFastMutex(PFAST_MUTEX mutex);
void AcquireFastMutex(PFAST_MUTEX mutex);
void ReleaseFastMutex(PFAST_MUTEX mutex);
void AcquireFastMutexUnsafe(PFAST_MUTEX mutex);
void ReleaseFastMutexUnsafe(PFAST_MUTEX mutex);
bool TryToAcquireFastMutex(PFAST_MUTEX mutex);

void InitializePushLock(EX_PUSH_LOCK* lock);
void AcquirePushLockExclusive(EX_PUSH_LOCK* lock);
bool TryAcquirePushLockExclusive(EX_PUSH_LOCK* lock);
void AcquirePushLockShared(EX_PUSH_LOCK* lock);
bool TryAcquirePushLockShared(EX_PUSH_LOCK* lock);
void ReleasePushLockExclusive(EX_PUSH_LOCK* lock);
void ReleasePushLockShared(EX_PUSH_LOCK* lock);
void ReleasePushLock(EX_PUSH_LOCK* lock);

// --- rundown protection (rundown.cc) -----------------------------------------------------------------------------------------

void InitializeRundownProtection(PEX_RUNDOWN_REF reference);
bool AcquireRundownProtection(PEX_RUNDOWN_REF reference);
void ReleaseRundownProtection(PEX_RUNDOWN_REF reference);
void WaitForRundownProtectionRelease(PEX_RUNDOWN_REF reference);
void ReInitializeRundownProtection(PEX_RUNDOWN_REF reference);
void RundownCompleted(PEX_RUNDOWN_REF reference);

// --- lookaside lists (lookaside.cc) ----------------------------------------------------------------------------------------

void InitializeLookaside(GENERAL_LOOKASIDE_POOL* list, PALLOCATE_FUNCTION allocate, PFREE_FUNCTION free, POOL_TYPE type,
                         SIZE_T bytes, ULONG tag);
/// Frees the entries that are kept.
void FlushLookaside(GENERAL_LOOKASIDE_POOL* list, LOOKASIDE_LIST_EX* extended);

// --- worker threads (work_queue.cc) --------------------------------------------------------------------------------------------

void QueueWorkItem(PWORK_QUEUE_ITEM item, WORK_QUEUE_TYPE queue);
/// Returns once no item waits and none runs, but for the one that the caller runs in.
void DrainWorkQueues();

// --- time --------------------------------------------------------------------------------------------------------------------

void SystemTimeToLocalTime(const LARGE_INTEGER* system, LARGE_INTEGER* local);
void LocalTimeToSystemTime(const LARGE_INTEGER* local, LARGE_INTEGER* system);

}  // namespace nt::ex
