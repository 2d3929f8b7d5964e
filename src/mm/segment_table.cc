// The database of segments: making, finding, letting go; eviction.
#include <algorithm>
#include <string>
#include <vector>

#include "src/base/lock.h"
#include "src/host/host.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/mm/mm.h"
#include "src/mm/segment.h"
#include "src/mm/writer.h"
#include "src/ob/ob.h"

namespace nt::mm {
namespace {

struct Database {
  Lock lock{LockRank::kSection};
  LIST_ENTRY all NT_GUARDED_BY(lock);
  LIST_ENTRY unused NT_GUARDED_BY(lock);  // least recently used first
  uint32_t unused_count NT_GUARDED_BY(lock) = 0;
  std::atomic<uint64_t> count{0};
  uint32_t unused_limit = 0;
  uint32_t cluster_pages = 16;
  std::atomic<void (*)()> low_memory{nullptr};
};
Database* g_database = nullptr;

Segment* SegmentOfEntry(LIST_ENTRY* entry) { return reinterpret_cast<SegmentLink*>(entry)->segment; }

void LeaveUnusedLocked(Segment* segment) NT_REQUIRES(g_database->lock) {
  if (!segment->unused_link.entry.Flink) return;
  RemoveEntryList(&segment->unused_link.entry);
  segment->unused_link.entry.Flink = nullptr;
  g_database->unused_count--;
}

/// Takes an unreferenced, clean segment out of the world; the caller then calls Finish without the lock.
void UnlinkLocked(Segment* segment) NT_REQUIRES(g_database->lock) {
  LeaveUnusedLocked(segment);
  // Under the database lock, so that the evictor, which finds segments by their slots, never sees one that is gone.
  segment->FreeAllSlots();
  RemoveEntryList(&segment->all_link.entry);
  g_database->count.fetch_sub(1, std::memory_order_relaxed);
  if (segment->pointers()) __atomic_store_n(&segment->pointers()->DataSectionObject, nullptr, __ATOMIC_RELEASE);
}
void Finish(Segment* segment) {
  FILE_OBJECT* file = segment->file();
  delete segment;
  if (file) ob::DereferenceObject(file);
}

}  // namespace

void SegmentTableBoot(uint32_t unused_limit, uint32_t cluster_pages) {
  g_database = new Database;
  InitializeListHead(&g_database->all);
  InitializeListHead(&g_database->unused);
  g_database->unused_limit = unused_limit;
  g_database->cluster_pages = std::clamp<uint32_t>(std::bit_floor(std::max(cluster_pages, 1u)), 1, kSlotPages);
}
void SegmentTableShutdown() {
  if (!g_database) return;
  std::vector<const FILE_OBJECT*> left;
  {
    LockGuard guard(g_database->lock);
    for (LIST_ENTRY* entry = g_database->all.Flink; entry != &g_database->all; entry = entry->Flink)
      left.push_back(SegmentOfEntry(entry)->file());
  }
  for (const FILE_OBJECT* file : left) {
    const std::string text = "ntio: mm shuts down while " + (file ? io::DescribeFile(file) : std::string("a section")) +
                             " is still cached or mapped\n";
    host::WriteError(text.data(), text.size());
  }
  CHECK_MSG(g_database->count.load() == 0, "mm shuts down while files are still cached or mapped");
  delete g_database;
  g_database = nullptr;
}
uint32_t ClusterPages() { return g_database->cluster_pages; }
uint64_t SegmentCount() { return g_database->count.load(std::memory_order_relaxed); }

Segment* ReferenceSegment(SECTION_OBJECT_POINTERS* pointers) {
  LockGuard guard(g_database->lock);
  auto* segment = static_cast<Segment*>(pointers->DataSectionObject);
  if (segment) {
    segment->references++;
    LeaveUnusedLocked(segment);
  }
  return segment;
}
void ReferenceSegment(Segment* segment) {
  LockGuard guard(g_database->lock);
  segment->references++;
}

Result<Segment*> AcquireSegment(FILE_OBJECT* file) {
  SECTION_OBJECT_POINTERS* pointers = file->SectionObjectPointer;
  if (!pointers) return STATUS_INVALID_FILE_FOR_SECTION;
  if (Segment* segment = ReferenceSegment(pointers)) return segment;
  Segment* fresh;
  try {
    fresh = new Segment(file, pointers);
  } catch (const std::bad_alloc&) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  Segment* segment;
  {
    LockGuard guard(g_database->lock);
    segment = static_cast<Segment*>(pointers->DataSectionObject);
    if (segment) {
      segment->references++;
      LeaveUnusedLocked(segment);
    } else {
      ob::ReferenceObject(file);
      InsertTailList(&g_database->all, &fresh->all_link.entry);
      g_database->count.fetch_add(1, std::memory_order_relaxed);
      __atomic_store_n(&pointers->DataSectionObject, static_cast<void*>(fresh), __ATOMIC_RELEASE);
    }
  }
  if (!segment) return fresh;
  delete fresh;
  return segment;
}

Result<Segment*> CreateAnonymousSegment() {
  Segment* segment;
  try {
    segment = new Segment(nullptr, nullptr);
  } catch (const std::bad_alloc&) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  LockGuard guard(g_database->lock);
  InsertTailList(&g_database->all, &segment->all_link.entry);
  g_database->count.fetch_add(1, std::memory_order_relaxed);
  return segment;
}

void ReleaseSegment(Segment* segment) {
  bool trim = false;
  {
    LockGuard guard(g_database->lock);
    CHECK(segment->references > 0);
    if (--segment->references) return;
    if (segment->file() ? segment->HasSlots() : segment->AnyPinned()) {
      InsertTailList(&g_database->unused, &segment->unused_link.entry);
      g_database->unused_count++;
      trim = g_database->unused_count > g_database->unused_limit;
      segment = nullptr;
    } else {
      UnlinkLocked(segment);
    }
  }
  // Closing other files here could meet locks that the caller's file system holds: the writer thread does it.
  if (trim) WakeWriter();
  if (segment) Finish(segment);
}

bool DeleteUnusedSegment(SECTION_OBJECT_POINTERS* pointers) {
  Segment* segment;
  {
    LockGuard guard(g_database->lock);
    segment = static_cast<Segment*>(pointers->DataSectionObject);
    if (!segment) return true;
    if (segment->references || segment->AnyPinned()) return false;
    UnlinkLocked(segment);
  }
  Finish(segment);
  return true;
}

void DropUnusedSegment(SECTION_OBJECT_POINTERS* pointers) {
  Segment* segment;
  {
    LockGuard guard(g_database->lock);
    segment = static_cast<Segment*>(pointers->DataSectionObject);
    if (!segment || segment->references) return;
    segment->ForgetPins();
    UnlinkLocked(segment);
  }
  Finish(segment);
}

void TrimUnusedSegments(bool all) {
  for (;;) {
    Segment* victim = nullptr;
    {
      LockGuard guard(g_database->lock);
      if (!all && g_database->unused_count <= g_database->unused_limit) return;
      for (LIST_ENTRY* entry = g_database->unused.Flink; entry != &g_database->unused; entry = entry->Flink) {
        auto* segment = SegmentOfEntry(entry);
        if (!all && segment->dirty_pages()) continue;  // the writer comes first
        if (segment->AnyPinned()) continue;            // an MDL or a Bcb that a driver still holds
        victim = segment;
        break;
      }
      if (!victim) return;
      UnlinkLocked(victim);
    }
    Finish(victim);
  }
}

void ForEachDirtySegment(void (*visit)(Segment*, void*), void* context) {
  std::vector<Segment*> found;
  {
    LockGuard guard(g_database->lock);
    for (LIST_ENTRY* entry = g_database->all.Flink; entry != &g_database->all; entry = entry->Flink) {
      auto* segment = SegmentOfEntry(entry);
      if (!segment->file() || !segment->dirty_pages()) continue;
      segment->references++;
      LeaveUnusedLocked(segment);
      found.push_back(segment);
    }
  }
  for (Segment* segment : found) {
    visit(segment, context);
    ReleaseSegment(segment);
  }
}

// --- memory ---------------------------------------------------------------------------------------------------------------------

namespace {

Slot* EvictOne() {
  LockGuard database(g_database->lock);
  const uint32_t range = SlotHighWater();
  for (uint64_t tries = 2ull * range + 1; tries; tries--) {
    Slot* slot = SlotOfNumber(AdvanceClock() % range + 1);
    Segment* owner = slot->owner.load(std::memory_order_acquire);
    if (!owner || slot->pins.load(std::memory_order_relaxed) || slot->dirty.load(std::memory_order_relaxed)) continue;
    if (slot->accessed.exchange(0, std::memory_order_relaxed)) continue;
    LockGuard guard(owner->lock);
    if (owner->DetachLocked(slot)) return slot;
  }
  return nullptr;
}

}  // namespace

void SetLowMemoryHook(void (*hook)()) { g_database->low_memory.store(hook); }

Slot* ObtainSlot() {
  if (SlotsInUse() < SlotLimit())
    if (Slot* slot = TakeFreeSlot()) return slot;
  for (int round = 0; round < 5; round++) {
    if (Slot* slot = EvictOne()) return slot;
    // Everything is dirty or pinned. A writer that itself needs memory must get it, so the limit gives way after a while.
    if (auto* hook = g_database->low_memory.load()) hook();
    WakeWriter();
    if (ke::CurrentIrql() > APC_LEVEL) break;
    LARGE_INTEGER interval;
    interval.QuadPart = -10 * 1000 * 2;
    ke::DelayExecutionThread(KernelMode, false, &interval).Ignore();  // a pause; nothing depends on its length
  }
  return TakeFreeSlot();
}

}  // namespace nt::mm
