// Mapping and pinning. A Bcb names pages of one slot and pins it; Bcbs of one stream are disjoint. A range that overlaps
// several gets an OverlapBcb over its parts. A mapped range (CcMapData) is only a pin on the slot.
//
// Pages of a dirty Bcb are not written while it is pinned: Segment::Flush asks FlushGate (flush.cc), which takes the Bcb's
// resource. Lock order: the file's Resource, Bcb, PagingIoResource.
#include <algorithm>
#include <bit>
#include <cstring>

#include "src/cc/cache_map.h"
#include "src/cc/pin.h"
#include "src/ex/ex.h"

namespace nt::cc {
namespace {

using mm::kSlotBytes;
using mm::kSlotShift;
using mm::Segment;

struct Range {
  uint64_t index;      // piece
  uint32_t in_piece;   // first byte
  uint32_t length;
  uint64_t pages;
};

Range RangeOf(FILE_OBJECT* file, const LARGE_INTEGER* offset, ULONG length) {
  const auto start = static_cast<uint64_t>(offset->QuadPart);
  Range range;
  range.index = start >> kSlotShift;
  range.in_piece = static_cast<uint32_t>(start & (kSlotBytes - 1));
  range.length = length ? length : 1;
  if (offset->QuadPart < 0 || static_cast<uint64_t>(range.in_piece) + range.length > kSlotBytes)
    ke::BugCheckWithMessage("a range given to CcMapData, CcPinRead or CcPreparePinWrite crosses a 256 KB boundary",
                            CACHE_MANAGER, reinterpret_cast<ULONG_PTR>(file), static_cast<ULONG_PTR>(offset->QuadPart), length);
  range.pages = mm::PageMaskOfBytes(range.in_piece, range.length);
  return range;
}

CSHORT TypeOf(const void* bcb) { return static_cast<const BcbHead*>(bcb)->nt.NodeTypeCode; }

[[noreturn]] void BadBcb(const void* bcb, const char* routine) {
  char message[128];
  std::snprintf(message, sizeof message, "%s was given something that is no pinned Bcb", routine);
  ke::BugCheckWithMessage(message, CACHE_MANAGER, reinterpret_cast<ULONG_PTR>(bcb));
}

/// Drops a reference; the last one ends the Bcb unless a log waits for its range to be written.
void DropBcb(Bcb* bcb, bool unpin) {
  SharedCacheMap* map = bcb->map;
  bool gone = false;
  {
    LockGuard guard(map->bcb_lock);
    if (unpin) bcb->pins--;
    CHECK(bcb->references > 0);
    if (--bcb->references == 0 && !(bcb->dirty && bcb->newest_lsn)) {
      map->bcbs.erase(bcb->first_page);
      gone = true;
    }
  }
  if (!gone) return;
  ex::DeleteResourceLite(&bcb->resource);
  Segment::Unpin(bcb->slot);
  ex::PoolDelete(bcb);
}

bool AcquireBcb(Bcb* bcb, bool exclusive, bool wait) {
  return exclusive ? ex::AcquireResourceExclusiveLite(&bcb->resource, wait)
                   : ex::AcquireSharedStarveExclusive(&bcb->resource, wait);
}

/// The Bcbs that cover `range`, each referenced and counted as pinned; new ones fill the gaps. The slot's pages are pinned by
/// the caller while this runs. @returns how many; 0: out of memory, or `only_existing` and not all is covered
uint32_t FindBcbs(SharedCacheMap* map, const Range& range, mm::Slot* slot, bool only_existing, Bcb** parts) {
  const uint64_t base = range.index * mm::kSlotPages;
  uint64_t left = range.pages;
  uint32_t count = 0;
  while (left) {
    const uint32_t page = static_cast<uint32_t>(std::countr_zero(left));
    Bcb* fresh = nullptr;
    Bcb* bcb = nullptr;
    uint64_t gap = 0;
    for (;;) {
      {
        LockGuard guard(map->bcb_lock);
        auto next = map->bcbs.upper_bound(base + page);
        if (next != map->bcbs.begin()) {
          Bcb* before = std::prev(next)->second;
          if (before->first_page + before->page_count > base + page) bcb = before;
        }
        if (!bcb) {
          const uint64_t end = next == map->bcbs.end() ? ~0ull : next->second->first_page;
          uint32_t pages = static_cast<uint32_t>(std::countr_one(left >> page));
          pages = static_cast<uint32_t>(std::min<uint64_t>(pages, end - (base + page)));
          gap = mm::PageMask(page, pages);
          if (fresh) {
            fresh->page_count = pages;
            fresh->pages = gap;
            fresh->nt.MappedLength = pages * PAGE_SIZE;
            map->bcbs.emplace(base + page, fresh);
            bcb = fresh;
            fresh = nullptr;
          }
        }
        if (bcb) {
          bcb->references++;
          bcb->pins++;
          break;
        }
      }
      if (only_existing) break;
      fresh = ex::PoolNew<Bcb>(kTagBcb);
      if (!fresh) break;
      fresh->nt.NodeTypeCode = kTypeBcb;
      fresh->nt.NodeByteSize = sizeof(Bcb);
      fresh->nt.MappedFileOffset.QuadPart = static_cast<LONGLONG>((base + page) << PAGE_SHIFT);
      fresh->map = map;
      fresh->slot = slot;
      fresh->first_page = base + page;
      ex::InitializeResourceLite(&fresh->resource);
      slot->pins.fetch_add(1, std::memory_order_acq_rel);
    }
    if (fresh) {  // another thread made one meanwhile
      ex::DeleteResourceLite(&fresh->resource);
      Segment::Unpin(slot);
      ex::PoolDelete(fresh);
    }
    if (!bcb) {
      while (count) DropBcb(parts[--count], true);
      return 0;
    }
    parts[count++] = bcb;
    left &= ~bcb->pages;
  }
  return count;
}

/// Pins the range. *failed_for_wait: false was for want of blocking.
void* PinParts(SharedCacheMap* map, const Range& range, mm::Slot* slot, ULONG flags) {
  Bcb* parts[mm::kSlotPages];
  const uint32_t count = FindBcbs(map, range, slot, flags & PIN_IF_BCB, parts);
  if (count == 0) {
    if (flags & PIN_IF_BCB) return nullptr;
    Raise(STATUS_INSUFFICIENT_RESOURCES);
  }
  uint32_t acquired = 0;
  while (acquired < count && AcquireBcb(parts[acquired], flags & PIN_EXCLUSIVE, flags & PIN_WAIT)) acquired++;
  OverlapBcb* overlap = nullptr;
  bool memory = true;
  if (acquired == count && count > 1) {
    overlap = ex::PoolNew<OverlapBcb>(kTagBcb);
    memory = overlap != nullptr;
  }
  if (acquired < count || !memory) {
    for (uint32_t i = 0; i < acquired; i++) ex::ReleaseResourceLite(&parts[i]->resource);
    for (uint32_t i = 0; i < count; i++) DropBcb(parts[i], true);
    if (!memory) Raise(STATUS_INSUFFICIENT_RESOURCES);
    return nullptr;
  }
  if (!overlap) return parts[0];
  overlap->nt.NodeTypeCode = kTypeOverlapBcb;
  overlap->nt.NodeByteSize = sizeof(OverlapBcb);
  overlap->nt.MappedFileOffset = parts[0]->nt.MappedFileOffset;
  for (uint32_t i = 0; i < count; i++) {
    overlap->parts[i] = parts[i];
    overlap->nt.MappedLength += parts[i]->nt.MappedLength;
  }
  overlap->count = count;
  return overlap;
}

void CheckPinFlags(FILE_OBJECT* file, ULONG flags) {
  if ((flags & PIN_EXCLUSIVE) && !(flags & PIN_WAIT))
    ke::BugCheckWithMessage("PIN_EXCLUSIVE without PIN_WAIT", CACHE_MANAGER, reinterpret_cast<ULONG_PTR>(file), flags);
}

/// A slot pinned for the length of a scope.
class SlotPin {
 public:
  explicit SlotPin(mm::Slot* slot) : slot_(slot) {}
  ~SlotPin() {
    if (slot_) Segment::Unpin(slot_);
  }
  SlotPin(const SlotPin&) = delete;
  SlotPin& operator=(const SlotPin&) = delete;
  void Keep() { slot_ = nullptr; }

 private:
  mm::Slot* slot_;
};

template <class F>
void ForEachPart(void* bcb, const char* routine, F visit) {
  if (TypeOf(bcb) == kTypeBcb) return visit(static_cast<Bcb*>(bcb));
  if (TypeOf(bcb) != kTypeOverlapBcb) BadBcb(bcb, routine);
  auto* overlap = static_cast<OverlapBcb*>(bcb);
  for (uint32_t i = 0; i < overlap->count; i++) visit(overlap->parts[i]);
}

/// An overlap, or nullptr. Asked before the parts are let go: a lone Bcb may be gone then.
OverlapBcb* OverlapOf(void* bcb) { return TypeOf(bcb) == kTypeOverlapBcb ? static_cast<OverlapBcb*>(bcb) : nullptr; }

/// An overlap's own count: pins and repins together hold it.
void DropOverlap(OverlapBcb* overlap) {
  if (!overlap) return;
  if (overlap->references.fetch_sub(1, std::memory_order_acq_rel) == 1) ex::PoolDelete(overlap);
}

void UnpinMapped(MapBcb* bcb) {
  if (bcb->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  Segment::Unpin(bcb->slot);
  bcb->map->mapped_ranges.fetch_sub(1, std::memory_order_release);
  ex::PoolDelete(bcb);
}

}  // namespace

bool MapData(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, ULONG flags, void** bcb_out, void** buffer) {
  const Range range = RangeOf(file, offset, length);
  SharedCacheMap* map = MapOf(file);
  mm::Slot* slot;
  const auto fill = flags & MAP_NO_READ ? Segment::Fill::kResident : Segment::Fill::kRead;
  const Status status =
      map->segment->PinPiece(range.index, range.pages, flags & MAP_WAIT ? mm::Wait::kYes : mm::Wait::kNo, fill, &slot);
  if (status == STATUS_CANT_WAIT) return false;
  if (!status.ok()) Raise(status);
  auto* bcb = ex::PoolNew<MapBcb>(kTagBcb);
  if (!bcb) {
    Segment::Unpin(slot);
    Raise(STATUS_INSUFFICIENT_RESOURCES);
  }
  bcb->nt.NodeTypeCode = kTypeMapBcb;
  bcb->nt.NodeByteSize = sizeof(MapBcb);
  bcb->nt.MappedFileOffset = *offset;
  bcb->nt.MappedLength = length;
  bcb->map = map;
  bcb->slot = slot;
  map->mapped_ranges.fetch_add(1, std::memory_order_relaxed);
  *bcb_out = bcb;
  *buffer = slot->data() + range.in_piece;
  if (PrivateCacheMap* private_map = PrivateOf(file)) NoteRead(private_map, map, static_cast<uint64_t>(offset->QuadPart), length);
  return true;
}

bool PinMappedData(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, ULONG flags, void** bcb) {
  CheckPinFlags(file, flags);
  if (TypeOf(*bcb) != kTypeMapBcb) return true;  // pinned already
  const Range range = RangeOf(file, offset, length);
  auto* mapped = static_cast<MapBcb*>(*bcb);
  // The mapping pins the slot; what the range adds to it may have to be read.
  mm::Slot* slot;
  const auto fill = flags & PIN_NO_READ ? Segment::Fill::kResident : Segment::Fill::kRead;
  const Status status = mapped->map->segment->PinPiece(range.index, range.pages,
                                                       flags & PIN_WAIT ? mm::Wait::kYes : mm::Wait::kNo, fill, &slot);
  if (status == STATUS_CANT_WAIT) return false;
  if (!status.ok()) Raise(status);
  SlotPin pin(slot);
  void* pinned = PinParts(mapped->map, range, slot, flags);
  if (!pinned) return false;
  UnpinMapped(mapped);
  *bcb = pinned;
  return true;
}

bool PinRead(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, ULONG flags, void** bcb, void** buffer) {
  CheckPinFlags(file, flags);
  const Range range = RangeOf(file, offset, length);
  SharedCacheMap* map = MapOf(file);
  // NT keeps a Bcb until its range is written; ours went with the last pin. FASTFAT flushes its FAT by asking for them.
  if (flags & PIN_IF_BCB) {
    const auto start = static_cast<uint64_t>(offset->QuadPart);
    if (map->segment->FirstDirty(start) < start + range.length) flags &= ~static_cast<ULONG>(PIN_IF_BCB);
  }
  mm::Slot* slot;
  const auto fill = flags & (PIN_NO_READ | PIN_IF_BCB) ? Segment::Fill::kResident : Segment::Fill::kRead;
  const Status status =
      map->segment->PinPiece(range.index, range.pages, flags & PIN_WAIT ? mm::Wait::kYes : mm::Wait::kNo, fill, &slot);
  if (status == STATUS_CANT_WAIT) return false;
  if (!status.ok()) Raise(status);
  SlotPin pin(slot);
  void* pinned = PinParts(map, range, slot, flags);
  if (!pinned) return false;
  *bcb = pinned;
  *buffer = slot->data() + range.in_piece;
  return true;
}

bool PreparePinWrite(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool zero, ULONG flags, void** bcb,
                     void** buffer) {
  CheckPinFlags(file, flags);
  const Range range = RangeOf(file, offset, length);
  SharedCacheMap* map = MapOf(file);
  // Pages that the caller will write from end to end need not be read.
  uint64_t partial = 0;
  if (range.in_piece & (PAGE_SIZE - 1)) partial |= 1ull << (range.in_piece >> PAGE_SHIFT);
  const uint32_t end = range.in_piece + range.length;
  if (end & (PAGE_SIZE - 1)) partial |= 1ull << (end >> PAGE_SHIFT);
  partial &= range.pages;
  const auto wait = flags & PIN_WAIT ? mm::Wait::kYes : mm::Wait::kNo;
  Status status = partial ? map->segment->MakePiece(range.index, partial, wait) : Status(STATUS_SUCCESS);
  mm::Slot* slot = nullptr;
  if (status.ok())
    status = map->segment->PinPiece(range.index, range.pages, wait,
                                    range.pages & ~partial ? Segment::Fill::kZero : Segment::Fill::kRead, &slot);
  if (status == STATUS_CANT_WAIT) return false;
  if (!status.ok()) Raise(status);
  SlotPin pin(slot);
  void* pinned = PinParts(map, range, slot, flags);
  if (!pinned) return false;
  if (zero) std::memset(slot->data() + range.in_piece, 0, range.length);
  SetDirtyPinnedData(pinned, nullptr);
  *bcb = pinned;
  *buffer = slot->data() + range.in_piece;
  return true;
}

void SetDirtyPinnedData(void* bcb_void, LARGE_INTEGER* lsn) {
  ForEachPart(bcb_void, "CcSetDirtyPinnedData", [&](Bcb* bcb) {
    {
      LockGuard guard(bcb->map->bcb_lock);
      bcb->dirty = true;
      if (lsn) {
        if (!bcb->oldest_lsn || lsn->QuadPart < bcb->oldest_lsn) bcb->oldest_lsn = lsn->QuadPart;
        if (lsn->QuadPart > bcb->newest_lsn) bcb->newest_lsn = lsn->QuadPart;
      }
    }
    bcb->map->segment->MarkDirty(bcb->slot, bcb->pages);
    if (bcb->map->TracksValidData())
      bcb->map->AdvanceGoal(std::min<LONGLONG>(bcb->nt.MappedFileOffset.QuadPart + bcb->nt.MappedLength,
                                               bcb->map->FileSize()));
  });
}

void UnpinData(void* bcb) {
  if (TypeOf(bcb) == kTypeMapBcb) return UnpinMapped(static_cast<MapBcb*>(bcb));
  OverlapBcb* const overlap = OverlapOf(bcb);
  ForEachPart(bcb, "CcUnpinData", [](Bcb* part) {
    ex::ReleaseResourceLite(&part->resource);
    DropBcb(part, true);
  });
  DropOverlap(overlap);
}

void UnpinDataForThread(void* bcb, ERESOURCE_THREAD thread) {
  if (TypeOf(bcb) == kTypeMapBcb) return UnpinMapped(static_cast<MapBcb*>(bcb));
  OverlapBcb* const overlap = OverlapOf(bcb);
  ForEachPart(bcb, "CcUnpinDataForThread", [&](Bcb* part) {
    ex::ReleaseResourceForThreadLite(&part->resource, thread);
    DropBcb(part, true);
  });
  DropOverlap(overlap);
}

void SetBcbOwnerPointer(void* bcb, void* owner) {
  if (TypeOf(bcb) == kTypeMapBcb) return;  // nobody owns a mapping
  ForEachPart(bcb, "CcSetBcbOwnerPointer", [&](Bcb* part) { ex::SetResourceOwnerPointer(&part->resource, owner); });
}

void RepinBcb(void* bcb) {
  if (TypeOf(bcb) == kTypeMapBcb) {
    static_cast<MapBcb*>(bcb)->references.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (TypeOf(bcb) == kTypeOverlapBcb) static_cast<OverlapBcb*>(bcb)->references.fetch_add(1, std::memory_order_relaxed);
  ForEachPart(bcb, "CcRepinBcb", [](Bcb* part) {
    LockGuard guard(part->map->bcb_lock);
    part->references++;
  });
}

void UnpinRepinnedBcb(void* bcb, bool write_through, IO_STATUS_BLOCK* iosb) {
  iosb->Status = STATUS_SUCCESS;
  iosb->Information = 0;
  if (TypeOf(bcb) == kTypeMapBcb) return UnpinMapped(static_cast<MapBcb*>(bcb));
  OverlapBcb* const overlap = OverlapOf(bcb);
  ForEachPart(bcb, "CcUnpinRepinnedBcb", [&](Bcb* part) {
    if (write_through) {
      // FlushRange takes the Bcb exclusive where it is dirty.
      const auto start = static_cast<uint64_t>(part->nt.MappedFileOffset.QuadPart);
      uint64_t written = 0;
      const Status status = FlushRange(part->map, start, start + part->nt.MappedLength, false, ~0ull, &written);
      if (!status.ok()) iosb->Status = status;
      iosb->Information += written;
    }
    DropBcb(part, false);
  });
  DropOverlap(overlap);
}

void* RemapBcb(void* bcb) {
  if (TypeOf(bcb) != kTypeMapBcb) {
    // A second hold on the same range that needs no read and is unpinned on its own.
    Bcb* part = TypeOf(bcb) == kTypeBcb ? static_cast<Bcb*>(bcb) : static_cast<OverlapBcb*>(bcb)->parts[0];
    auto* mapped = ex::PoolNew<MapBcb>(kTagBcb);
    if (!mapped) Raise(STATUS_INSUFFICIENT_RESOURCES);
    mapped->nt = static_cast<BcbHead*>(bcb)->nt;
    mapped->nt.NodeTypeCode = kTypeMapBcb;
    mapped->map = part->map;
    mapped->slot = part->slot;
    part->map->mapped_ranges.fetch_add(1, std::memory_order_relaxed);
    part->slot->pins.fetch_add(1, std::memory_order_acq_rel);
    return mapped;
  }
  static_cast<MapBcb*>(bcb)->references.fetch_add(1, std::memory_order_relaxed);
  return bcb;
}

FILE_OBJECT* GetFileObjectFromBcb(void* bcb) {
  switch (TypeOf(bcb)) {
    case kTypeMapBcb:
      return static_cast<MapBcb*>(bcb)->map->file;
    case kTypeBcb:
      return static_cast<Bcb*>(bcb)->map->file;
    case kTypeOverlapBcb:
      return static_cast<OverlapBcb*>(bcb)->parts[0]->map->file;
    default:
      BadBcb(bcb, "CcGetFileObjectFromBcb");
  }
}

// --- for the flush and the tear-down -----------------------------------------------------------------------------------------

bool HasBcbs(SharedCacheMap* map) {
  if (map->mapped_ranges.load(std::memory_order_acquire)) return true;
  LockGuard guard(map->bcb_lock);
  for (const auto& [page, bcb] : map->bcbs)
    if (bcb->references) return true;
  return false;
}

void DropIdleBcbs(SharedCacheMap* map) {
  std::map<uint64_t, Bcb*> bcbs;
  {
    LockGuard guard(map->bcb_lock);
    bcbs.swap(map->bcbs);
  }
  for (const auto& [page, bcb] : bcbs) {
    ex::DeleteResourceLite(&bcb->resource);
    Segment::Unpin(bcb->slot);
    ex::PoolDelete(bcb);
  }
}

uint64_t BcbGate::Enter(uint64_t index, uint64_t pages) {
  Bcb* parts[mm::kSlotPages];
  uint32_t count = 0;
  const uint64_t base = index * mm::kSlotPages;
  LONGLONG newest = 0;
  {
    LockGuard guard(map_->bcb_lock);
    if (map_->bcbs.empty()) return pages;
    auto it = map_->bcbs.lower_bound(base);
    for (; it != map_->bcbs.end() && it->first < base + mm::kSlotPages; ++it) {
      Bcb* bcb = it->second;
      if (!bcb->dirty || !(bcb->pages & pages)) continue;
      bcb->references++;
      parts[count++] = bcb;
    }
  }
  for (uint32_t i = 0; i < count; i++) {
    Bcb* bcb = parts[i];
    // What this thread has pinned itself it may write: nobody else is there to finish it.
    const bool mine = ex::IsResourceAcquiredExclusiveLite(&bcb->resource) || ex::IsResourceAcquiredSharedLite(&bcb->resource);
    if (!mine && !ex::AcquireResourceExclusiveLite(&bcb->resource, !lazy_)) {
      pages &= ~bcb->pages;
      DropBcb(bcb, false);
      continue;
    }
    {
      LockGuard guard(map_->bcb_lock);
      newest = std::max(newest, bcb->newest_lsn);
    }
    held_[held_count_++] = {bcb, mine};
  }
  auto* flush_to_lsn = map_->flush_to_lsn.load();
  if (newest && flush_to_lsn) {
    LARGE_INTEGER lsn;
    lsn.QuadPart = newest;
    CallDriver(flush_to_lsn, map_->log_handle.load(), lsn);
  }
  return pages;
}

void BcbGate::Leave(uint64_t index) {
  while (held_count_) {
    const Held held = held_[--held_count_];
    Bcb* bcb = held.bcb;
    {
      LockGuard guard(map_->bcb_lock);
      if (!(bcb->slot->dirty.load(std::memory_order_seq_cst) & bcb->pages)) {
        bcb->dirty = false;
        bcb->oldest_lsn = bcb->newest_lsn = 0;
      }
    }
    if (!held.mine) ex::ReleaseResourceLite(&bcb->resource);
    DropBcb(bcb, false);
  }
  (void)index;
}

LARGE_INTEGER GetDirtyPages(void* log_handle, PDIRTY_PAGE_ROUTINE routine, void* context1, void* context2) {
  struct Row {
    FILE_OBJECT* file;
    LARGE_INTEGER offset, oldest, newest;
    ULONG length;
  };
  std::vector<Row> rows;
  std::vector<SharedCacheMap*> maps;
  {
    LockGuard guard(g_state->lock);
    for (LIST_ENTRY* entry = g_state->maps.Flink; entry != &g_state->maps; entry = entry->Flink) {
      auto* map = MapOfEntry(entry);
      if (map->log_handle.load() != log_handle) continue;
      map->references++;
      maps.push_back(map);
    }
  }
  LARGE_INTEGER oldest;
  oldest.QuadPart = 0;
  for (SharedCacheMap* map : maps) {
    LockGuard guard(map->bcb_lock);
    for (const auto& [page, bcb] : map->bcbs) {
      if (!bcb->dirty) continue;
      Row row;
      row.file = map->file;
      row.offset = bcb->nt.MappedFileOffset;
      row.length = bcb->nt.MappedLength;
      row.oldest.QuadPart = bcb->oldest_lsn;
      row.newest.QuadPart = bcb->newest_lsn;
      rows.push_back(row);
      if (bcb->oldest_lsn && (!oldest.QuadPart || bcb->oldest_lsn < oldest.QuadPart)) oldest.QuadPart = bcb->oldest_lsn;
    }
  }
  for (Row& row : rows)
    CallDriver(routine, row.file, &row.offset, row.length, &row.oldest, &row.newest, context1, context2);
  for (SharedCacheMap* map : maps) DereferenceMap(map);
  return oldest;
}

}  // namespace nt::cc
