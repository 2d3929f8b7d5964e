// Lookaside lists: caches of fixed-size blocks. Allocating and freeing is inline in the driver (include/wdk/nt/ex.h); the
// runtime sets a list up and empties it. The depth is fixed: this system has no balance-set manager that would tune it.
#include <cstring>

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/ex/slist.h"
#include "src/ldr/call.h"

namespace nt::ex {
namespace {

constexpr USHORT kDepth = 64;

PVOID NTIO_MS_ABI DefaultAllocate(POOL_TYPE type, SIZE_T bytes, ULONG tag) { return AllocatePoolWithTag(type, bytes, tag); }
VOID NTIO_MS_ABI DefaultFree(PVOID block) { FreePool(block); }

}  // namespace

void InitializeLookaside(GENERAL_LOOKASIDE_POOL* list, PALLOCATE_FUNCTION allocate, PFREE_FUNCTION free, POOL_TYPE type,
                         SIZE_T bytes, ULONG tag) {
  std::memset(static_cast<void*>(list), 0, sizeof *list);
  ex::InitializeSListHead(&list->ListHead);
  InitializeListHead(&list->ListEntry);
  list->Depth = kDepth;
  list->MaximumDepth = EX_MAXIMUM_LOOKASIDE_DEPTH_BASE;
  list->Type = type;
  list->Tag = tag;
  list->Size = static_cast<ULONG>(bytes);
  list->Allocate = allocate ? allocate : DefaultAllocate;
  list->Free = free ? free : DefaultFree;
}

void FlushLookaside(GENERAL_LOOKASIDE_POOL* list, LOOKASIDE_LIST_EX* extended) {
  for (SLIST_ENTRY* entry = InterlockedFlushSList(&list->ListHead); entry;) {
    SLIST_ENTRY* next = entry->Next;
    if (extended && list->Free != DefaultFree) CallDriver(list->FreeEx, static_cast<PVOID>(entry), extended);
    else CallDriver(list->Free, static_cast<PVOID>(entry));
    entry = next;
  }
}

}  // namespace nt::ex
