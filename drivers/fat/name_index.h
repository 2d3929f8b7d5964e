// The names of one directory, so that a look-up reads the slots of one entry instead of all.
// 1. Built by the first search of a directory, from all of its slots; freed with the Fcb.
// 2. AddEntry and RemoveEntry keep it true; nothing else changes names.
// 3. Out of memory, or a slot that cannot be read: it is dropped, and the next search builds it anew.
// Guarded as the slots are: changed with the Vcb exclusive, or (built) with the Vcb shared and the directory exclusive.
#pragma once
#include "fat.h"

namespace fat {

constexpr ULONG kMaxEntrySlots = kLfnMaxSlots + 1;

/// One name of an entry: an entry with a long name has two.
struct NameNode {
  ULONG hash;
  ULONG next;     // in its bucket, or in the free list; kNoNode = the end
  USHORT first;   // numbers of the entry's first slot
  USHORT dirent;  // ... and of its short entry
};
constexpr ULONG kNoNode = 0xFFFFFFFF;

struct NameIndex {
  NameNode* nodes;
  ULONG capacity;
  ULONG used;  // nodes in use or in the free list
  ULONG free_node;
  ULONG* buckets;                           // as many as `capacity`, a power of two
  NTSTATUS unreadable;                      // why building stopped; what lies before is in the index
  ULONG free_run_hint[kMaxEntrySlots + 1];  // byte offset: no run of so many free slots begins before it
};

NTSTATUS RequireNameIndex(Fcb& directory);
void ForgetNameIndex(Fcb& directory);
/// Adds or removes the names of an entry that is on the medium.
void IndexEntry(Fcb& directory, const DirectoryEntry& entry);
void UnindexEntry(Fcb& directory, const DirectoryEntry& entry);
/// The entries that may have `name`, one after the other: begin with kNoNode; kNoNode = no more.
ULONG NextCandidate(const NameIndex& index, ULONG hash, ULONG node);
ULONG HashName(const UNICODE_STRING& name);

/// Where a search for `count` free slots begins, and what was learned by it.
ULONG FreeRunHint(const NameIndex& index, ULONG count);
void NoteFreeRun(NameIndex& index, ULONG count, ULONG offset);
void NoteFreed(NameIndex& index, ULONG first_slot);

}  // namespace fat
