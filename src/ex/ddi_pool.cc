// Exports: pool, lookaside lists, interlocked lists.
#include <cstring>

#include "ntifs.h"
#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/ex/slist.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(PVOID, ExAllocatePoolWithTag, (POOL_TYPE type, SIZE_T bytes, ULONG tag), (type, bytes, tag)) {
  return ex::AllocatePoolWithTag(type, bytes, tag);
}
NT_EXPORT(PVOID, ExAllocatePool, (POOL_TYPE type, SIZE_T bytes), (type, bytes)) {
  return ex::AllocatePoolWithTag(type, bytes, 'enoN');
}
NT_EXPORT(PVOID, ExAllocatePoolWithTagPriority, (POOL_TYPE type, SIZE_T bytes, ULONG tag, EX_POOL_PRIORITY priority),
          (type, bytes, tag, priority)) {
  static_cast<void>(priority);
  return ex::AllocatePoolWithTag(type, bytes, tag);
}
NT_EXPORT_PARTIAL(PVOID, ExAllocatePoolWithQuotaTag, (POOL_TYPE type, SIZE_T bytes, ULONG tag), (type, bytes, tag),
                  "processes have no pool quota to charge") {
  void* block = ex::AllocatePoolWithTag(type, bytes, tag);
  if (!block && !(static_cast<ULONG>(type) & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE)) Raise(STATUS_INSUFFICIENT_RESOURCES);
  return block;
}
NT_EXPORT(PVOID, ExAllocatePool2, (POOL_FLAGS flags, SIZE_T bytes, ULONG tag), (flags, bytes, tag)) {
  return ex::AllocatePool3(flags, bytes, tag, nullptr, 0);
}
NT_EXPORT(PVOID, ExAllocatePool3,
          (POOL_FLAGS flags, SIZE_T bytes, ULONG tag, PCPOOL_EXTENDED_PARAMETER parameters, ULONG count),
          (flags, bytes, tag, parameters, count)) {
  return ex::AllocatePool3(flags, bytes, tag, parameters, count);
}
NT_EXPORT(VOID, ExFreePoolWithTag, (PVOID block, ULONG tag), (block, tag)) { ex::FreePoolWithTag(block, tag); }
#undef ExFreePool
NT_EXPORT(VOID, ExFreePool, (PVOID block), (block)) { ex::FreePoolWithTag(block, 0); }

NT_EXPORT(VOID, ExInitializeNPagedLookasideList,
          (PNPAGED_LOOKASIDE_LIST list, PALLOCATE_FUNCTION allocate, PFREE_FUNCTION free, ULONG flags, SIZE_T bytes,
           ULONG tag, USHORT depth),
          (list, allocate, free, flags, bytes, tag, depth)) {
  static_cast<void>(depth);  // reserved
  ex::InitializeLookaside(reinterpret_cast<GENERAL_LOOKASIDE_POOL*>(&list->L), allocate, free,
                          static_cast<POOL_TYPE>(NonPagedPoolNx | flags), bytes, tag);
}
NT_EXPORT(VOID, ExDeleteNPagedLookasideList, (PNPAGED_LOOKASIDE_LIST list), (list)) {
  ex::FlushLookaside(reinterpret_cast<GENERAL_LOOKASIDE_POOL*>(&list->L), nullptr);
}
NT_EXPORT(VOID, ExInitializePagedLookasideList,
          (PPAGED_LOOKASIDE_LIST list, PALLOCATE_FUNCTION allocate, PFREE_FUNCTION free, ULONG flags, SIZE_T bytes,
           ULONG tag, USHORT depth),
          (list, allocate, free, flags, bytes, tag, depth)) {
  static_cast<void>(depth);  // reserved
  ex::InitializeLookaside(reinterpret_cast<GENERAL_LOOKASIDE_POOL*>(&list->L), allocate, free,
                          static_cast<POOL_TYPE>(PagedPool | flags), bytes, tag);
}
NT_EXPORT(VOID, ExDeletePagedLookasideList, (PPAGED_LOOKASIDE_LIST list), (list)) {
  ex::FlushLookaside(reinterpret_cast<GENERAL_LOOKASIDE_POOL*>(&list->L), nullptr);
}
NT_EXPORT(NTSTATUS, ExInitializeLookasideListEx,
          (PLOOKASIDE_LIST_EX list, PALLOCATE_FUNCTION_EX allocate, PFREE_FUNCTION_EX free, POOL_TYPE type, ULONG flags,
           SIZE_T bytes, ULONG tag, USHORT depth),
          (list, allocate, free, type, flags, bytes, tag, depth)) {
  static_cast<void>(depth);  // reserved
  constexpr ULONG kBoth = EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE;
  if (flags & ~kBoth) return STATUS_INVALID_PARAMETER_5;
  if (flags == kBoth) return STATUS_INVALID_PARAMETER_5;
  auto pool = static_cast<ULONG>(type);
  if (flags & EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL) pool |= POOL_RAISE_IF_ALLOCATION_FAILURE;
  // The default routines ignore the fourth argument that the inline helpers pass; ms_abi lets a callee do so.
  ex::InitializeLookaside(&list->L, reinterpret_cast<PALLOCATE_FUNCTION>(reinterpret_cast<void*>(allocate)),
                          reinterpret_cast<PFREE_FUNCTION>(reinterpret_cast<void*>(free)),
                          static_cast<POOL_TYPE>(pool), bytes, tag);
  return STATUS_SUCCESS;
}
NT_EXPORT(VOID, ExDeleteLookasideListEx, (PLOOKASIDE_LIST_EX list), (list)) { ex::FlushLookaside(&list->L, list); }
NT_EXPORT(VOID, ExFlushLookasideListEx, (PLOOKASIDE_LIST_EX list), (list)) { ex::FlushLookaside(&list->L, list); }

NT_EXPORT(VOID, InitializeSListHead, (PSLIST_HEADER list), (list)) { ex::InitializeSListHead(list); }
NT_EXPORT(USHORT, ExQueryDepthSList, (PSLIST_HEADER list), (list)) { return ex::QueryDepthSList(list); }
NT_EXPORT(PSLIST_ENTRY, ExpInterlockedPopEntrySList, (PSLIST_HEADER list), (list)) {
  return ex::InterlockedPopEntrySList(list);
}
NT_EXPORT(PSLIST_ENTRY, ExpInterlockedPushEntrySList, (PSLIST_HEADER list, PSLIST_ENTRY entry), (list, entry)) {
  return ex::InterlockedPushEntrySList(list, entry);
}
NT_EXPORT(PSLIST_ENTRY, ExpInterlockedFlushSList, (PSLIST_HEADER list), (list)) { return ex::InterlockedFlushSList(list); }

// The ExInterlocked* list operations may be called at any IRQL; the spin lock is the caller's.
NT_EXPORT(PLIST_ENTRY, ExInterlockedInsertHeadList, (PLIST_ENTRY head, PLIST_ENTRY entry, PKSPIN_LOCK lock),
          (head, entry, lock)) {
  const KIRQL old = ke::AcquireSpinLockRaiseToDpc(lock);
  PLIST_ENTRY first = IsListEmpty(head) ? nullptr : head->Flink;
  InsertHeadList(head, entry);
  ke::ReleaseSpinLock(lock, old);
  return first;
}
NT_EXPORT(PLIST_ENTRY, ExInterlockedInsertTailList, (PLIST_ENTRY head, PLIST_ENTRY entry, PKSPIN_LOCK lock),
          (head, entry, lock)) {
  const KIRQL old = ke::AcquireSpinLockRaiseToDpc(lock);
  PLIST_ENTRY last = IsListEmpty(head) ? nullptr : head->Blink;
  InsertTailList(head, entry);
  ke::ReleaseSpinLock(lock, old);
  return last;
}
NT_EXPORT(PLIST_ENTRY, ExInterlockedRemoveHeadList, (PLIST_ENTRY head, PKSPIN_LOCK lock), (head, lock)) {
  const KIRQL old = ke::AcquireSpinLockRaiseToDpc(lock);
  PLIST_ENTRY first = IsListEmpty(head) ? nullptr : RemoveHeadList(head);
  ke::ReleaseSpinLock(lock, old);
  return first;
}
NT_EXPORT(LARGE_INTEGER, ExInterlockedAddLargeInteger, (PLARGE_INTEGER addend, LARGE_INTEGER increment, PKSPIN_LOCK lock),
          (addend, increment, lock)) {
  static_cast<void>(lock);
  LARGE_INTEGER before;
  before.QuadPart = __atomic_fetch_add(&addend->QuadPart, increment.QuadPart, __ATOMIC_SEQ_CST);
  return before;
}
NT_EXPORT(ULONG, ExInterlockedAddUlong, (PULONG addend, ULONG increment, PKSPIN_LOCK lock), (addend, increment, lock)) {
  static_cast<void>(lock);
  return __atomic_fetch_add(addend, increment, __ATOMIC_SEQ_CST);
}
