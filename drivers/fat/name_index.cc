// See name_index.h.
#include "name_index.h"

namespace fat {
namespace {

constexpr ULONG kFirstCapacity = 64;

void FreeTables(NameIndex& index) {
  if (index.nodes != nullptr) FreePool(index.nodes);
  if (index.buckets != nullptr) FreePool(index.buckets);
  index.nodes = nullptr;
  index.buckets = nullptr;
}

ULONG* BucketOf(const NameIndex& index, ULONG hash) { return &index.buckets[hash & (index.capacity - 1)]; }

/// Twice the room, and every name in its new bucket.
bool Grow(NameIndex& index) {
  const ULONG capacity = index.capacity == 0 ? kFirstCapacity : index.capacity * 2;
  NameNode* nodes = static_cast<NameNode*>(AllocatePaged(capacity * sizeof(NameNode)));
  ULONG* buckets = static_cast<ULONG*>(AllocatePaged(capacity * sizeof(ULONG)));
  if (nodes == nullptr || buckets == nullptr) {
    if (nodes != nullptr) FreePool(nodes);
    if (buckets != nullptr) FreePool(buckets);
    return false;
  }
  RtlFillMemory(buckets, capacity * sizeof(ULONG), 0xFF);
  // Only a full table grows, so every node is in use.
  for (ULONG i = 0; i < index.used; ++i) {
    nodes[i] = index.nodes[i];
    ULONG* bucket = &buckets[nodes[i].hash & (capacity - 1)];
    nodes[i].next = *bucket;
    *bucket = i;
  }
  FreeTables(index);
  index.nodes = nodes;
  index.buckets = buckets;
  index.capacity = capacity;
  return true;
}

bool AddName(NameIndex& index, const UNICODE_STRING& name, const DirectoryEntry& entry) {
  ULONG at = index.free_node;
  if (at != kNoNode) {
    index.free_node = index.nodes[at].next;
  } else {
    if (index.used == index.capacity && !Grow(index)) return false;
    at = index.used++;
  }
  NameNode& node = index.nodes[at];
  node.hash = HashName(name);
  node.first = static_cast<USHORT>(entry.first_slot / kSlotBytes);
  node.dirent = static_cast<USHORT>(entry.dirent_slot / kSlotBytes);
  ULONG* bucket = BucketOf(index, node.hash);
  node.next = *bucket;
  *bucket = at;
  return true;
}

void RemoveName(NameIndex& index, const UNICODE_STRING& name, const DirectoryEntry& entry) {
  if (index.capacity == 0) return;
  const ULONG hash = HashName(name);
  for (ULONG* link = BucketOf(index, hash); *link != kNoNode; link = &index.nodes[*link].next) {
    const ULONG at = *link;
    NameNode& node = index.nodes[at];
    if (node.hash != hash || node.dirent != entry.dirent_slot / kSlotBytes) continue;
    *link = node.next;
    node.next = index.free_node;
    index.free_node = at;
    return;
  }
}

bool AddNames(NameIndex& index, const DirectoryEntry& entry) {
  if (!AddName(index, entry.short_name, entry)) return false;
  return entry.long_name.name.Length == 0 || AddName(index, entry.long_name.name, entry);
}

NTSTATUS ReadAllNames(Fcb& directory, NameIndex& index) {
  PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  DirectoryEntry* entry = memory.As<DirectoryEntry>();
  SlotCursor cursor(directory);
  for (ULONG offset = 0;; offset = entry->dirent_slot + kSlotBytes) {
    const NTSTATUS status = NextEntry(cursor, offset, false, entry);
    if (status == STATUS_NO_MORE_FILES) return STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
      index.unreadable = status;
      return STATUS_SUCCESS;
    }
    if (entry->dirent.name[0] == '.') continue;  // "." and ".." are not names
    if (!AddNames(index, *entry)) return STATUS_INSUFFICIENT_RESOURCES;
  }
}

}  // namespace

ULONG HashName(const UNICODE_STRING& name) {
  ULONG hash = 0;
  RtlHashUnicodeString(&name, TRUE, HASH_STRING_ALGORITHM_X65599, &hash);
  return hash ^ (hash >> 15);
}

NTSTATUS RequireNameIndex(Fcb& directory) {
  FAT_TRY_STATUS(OpenDirectoryStream(directory));
  if (directory.names != nullptr && !NT_SUCCESS(directory.names->unreadable)) ForgetNameIndex(directory);
  if (directory.names != nullptr) return STATUS_SUCCESS;
  NameIndex* index = static_cast<NameIndex*>(AllocatePaged(sizeof(NameIndex)));
  if (index == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  RtlZeroMemory(index, sizeof(*index));
  index->free_node = kNoNode;
  directory.names = index;
  const NTSTATUS status = ReadAllNames(directory, *index);
  if (!NT_SUCCESS(status)) ForgetNameIndex(directory);
  return status;
}

void ForgetNameIndex(Fcb& directory) {
  if (directory.names == nullptr) return;
  FreeTables(*directory.names);
  FreePool(directory.names);
  directory.names = nullptr;
}

void IndexEntry(Fcb& directory, const DirectoryEntry& entry) {
  if (directory.names != nullptr && !AddNames(*directory.names, entry)) ForgetNameIndex(directory);
}

void UnindexEntry(Fcb& directory, const DirectoryEntry& entry) {
  if (directory.names == nullptr) return;
  RemoveName(*directory.names, entry.short_name, entry);
  if (entry.long_name.name.Length != 0) RemoveName(*directory.names, entry.long_name.name, entry);
}

ULONG NextCandidate(const NameIndex& index, ULONG hash, ULONG node) {
  if (index.capacity == 0) return kNoNode;
  ULONG at = node == kNoNode ? *BucketOf(index, hash) : index.nodes[node].next;
  while (at != kNoNode && index.nodes[at].hash != hash) at = index.nodes[at].next;
  return at;
}

ULONG FreeRunHint(const NameIndex& index, ULONG count) { return index.free_run_hint[count]; }

void NoteFreeRun(NameIndex& index, ULONG count, ULONG offset) {
  // Where no shorter run is, no longer one is either.
  for (ULONG i = count; i <= kMaxEntrySlots; ++i) index.free_run_hint[i] = Max(index.free_run_hint[i], offset);
}

void NoteFreed(NameIndex& index, ULONG first_slot) {
  // A run that the freed slots complete may begin in front of them.
  for (ULONG i = 1; i <= kMaxEntrySlots; ++i) {
    const ULONG before = Min(first_slot, (i - 1) * kSlotBytes);
    index.free_run_hint[i] = Min(index.free_run_hint[i], first_slot - before);
  }
}

}  // namespace fat
