// Interlocked singly linked lists; the exports ExpInterlocked*EntrySList and the lookaside lists use them.
#pragma once

#include "ntifs.h"

namespace nt::ex {

void InitializeSListHead(SLIST_HEADER* list);
USHORT QueryDepthSList(SLIST_HEADER* list);
/// Returns the entry that was first, or nullptr.
SLIST_ENTRY* InterlockedPushEntrySList(SLIST_HEADER* list, SLIST_ENTRY* entry);
SLIST_ENTRY* InterlockedPopEntrySList(SLIST_HEADER* list);
SLIST_ENTRY* InterlockedFlushSList(SLIST_HEADER* list);

}  // namespace nt::ex
