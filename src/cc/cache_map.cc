// Cache maps: made, sized, torn down.
#include "src/cc/cache_map.h"

#include <algorithm>

#include "src/ex/ex.h"
#include "src/ob/ob.h"

namespace nt::cc {
namespace {

/// Ends a map that nobody uses. Called with a reference count of 0 and State::lock held; releases the lock.
/// The file object's last reference may go here: a close IRP is sent.
void TearDown(SharedCacheMap* map) {
  DropIdleBcbs(map);
  FILE_OBJECT* file = map->file;
  mm::Segment* segment = map->segment;
  CACHE_UNINITIALIZE_EVENT* events = map->events;
  const LONGLONG size = map->FileSize();
  ex::PoolDelete(map);
  segment->file_size.store(static_cast<uint64_t>(size), std::memory_order_relaxed);
  mm::ReleaseSegment(segment);
  while (events) {
    CACHE_UNINITIALIZE_EVENT* next = events->Next;
    ke::SetEvent(&events->Event);
    events = next;
  }
  ob::DereferenceObject(file);
}

bool IsIdleLocked(SharedCacheMap* map) NT_REQUIRES(g_state->lock) {
  return map->open_count == 0 && map->references == 0 && map->segment->dirty_pages() == 0;
}
void UnlinkLocked(SharedCacheMap* map) NT_REQUIRES(g_state->lock) {
  RemoveEntryList(&map->link.entry);
  ForgetLazyWorkLocked(map);
  __atomic_store_n(&map->pointers->SharedCacheMap, nullptr, __ATOMIC_RELEASE);
}

}  // namespace

SharedCacheMap* ReferenceMap(SECTION_OBJECT_POINTERS* pointers) {
  if (!pointers) return nullptr;
  LockGuard guard(g_state->lock);
  auto* map = static_cast<SharedCacheMap*>(pointers->SharedCacheMap);
  if (map) map->references++;
  return map;
}
void ReferenceMap(SharedCacheMap* map) {
  LockGuard guard(g_state->lock);
  map->references++;
}
bool DereferenceMap(SharedCacheMap* map) {
  const bool pinned = HasBcbs(map);  // a pinned range holds its map; its unpin comes here again
  {
    LockGuard guard(g_state->lock);
    map->references--;
    if (pinned || !IsIdleLocked(map)) return false;
    UnlinkLocked(map);
  }
  TearDown(map);
  return true;
}

void DereferencePrivate(PrivateCacheMap* private_map) {
  if (private_map->references.fetch_sub(1, std::memory_order_acq_rel) == 1) ex::PoolDelete(private_map);
}

void InitializeCacheMap(FILE_OBJECT* file, CC_FILE_SIZES* sizes, bool pin_access, CACHE_MANAGER_CALLBACKS* callbacks,
                        void* lazy_write_context) {
  SECTION_OBJECT_POINTERS* pointers = file->SectionObjectPointer;
  if (!pointers) Raise(STATUS_INVALID_PARAMETER);
  if (PrivateOf(file)) return;
  auto* private_map = ex::PoolNew<PrivateCacheMap>(kTagPrivate);
  if (!private_map) Raise(STATUS_INSUFFICIENT_RESOURCES);
  private_map->node_bytes = sizeof(PrivateCacheMap);
  private_map->file = file;
  if (file->Flags & FO_RANDOM_ACCESS) private_map->disabled.store(true, std::memory_order_relaxed);

  SharedCacheMap* fresh = nullptr;
  if (!MapOf(file)) {
    Result<mm::Segment*> segment = mm::AcquireSegment(file);
    if (!segment.ok()) {
      ex::PoolDelete(private_map);
      Raise(segment.status());
    }
    fresh = ex::PoolNew<SharedCacheMap>(kTagMap);
    if (!fresh) {
      mm::ReleaseSegment(segment.take());
      ex::PoolDelete(private_map);
      Raise(STATUS_INSUFFICIENT_RESOURCES);
    }
    fresh->node_bytes = sizeof(SharedCacheMap);
    fresh->file_size = sizes->FileSize;
    fresh->section_size.QuadPart = std::max(sizes->AllocationSize.QuadPart, sizes->FileSize.QuadPart);
    fresh->valid_data_length.store(sizes->ValidDataLength.QuadPart, std::memory_order_relaxed);
    fresh->valid_data_goal.store(sizes->ValidDataLength.QuadPart, std::memory_order_relaxed);
    fresh->segment = segment.take();
    fresh->file = file;
    fresh->pointers = pointers;
    fresh->callbacks = callbacks;
    fresh->lazy_write_context = lazy_write_context;
    fresh->pin_access = pin_access;
    InitializeListHead(&fresh->private_maps);
    ob::ReferenceObject(file);
  }
  SharedCacheMap* map;
  {
    LockGuard guard(g_state->lock);
    map = static_cast<SharedCacheMap*>(pointers->SharedCacheMap);
    if (!map && fresh) {
      map = fresh;
      fresh = nullptr;
      InsertTailList(&g_state->maps, &map->link.entry);
      // Paging reads of a cluster ask the segment, which knows what it was told last.
      map->segment->file_size.store(static_cast<uint64_t>(map->FileSize()), std::memory_order_relaxed);
      __atomic_store_n(&pointers->SharedCacheMap, static_cast<void*>(map), __ATOMIC_RELEASE);
    }
    if (map) {
      map->open_count++;
      if (map->open_count == 1 && map->callbacks != callbacks) {
        // It waited to be torn down; the file system may use another context for the stream by now.
        map->callbacks = callbacks;
        map->lazy_write_context = lazy_write_context;
      }
      private_map->shared = map;
      InsertTailList(&map->private_maps, &private_map->entry);
      __atomic_store_n(&file->PrivateCacheMap, static_cast<void*>(private_map), __ATOMIC_RELEASE);
    }
  }
  if (!map) {  // it went between the look and the lock
    ex::PoolDelete(private_map);
    return InitializeCacheMap(file, sizes, pin_access, callbacks, lazy_write_context);
  }
  if (fresh) {  // another thread was faster
    mm::ReleaseSegment(fresh->segment);
    ob::DereferenceObject(file);
    ex::PoolDelete(fresh);
  }
  if (sizes->AllocationSize.QuadPart > map->section_size.QuadPart) map->section_size = sizes->AllocationSize;
}

bool UninitializeCacheMap(FILE_OBJECT* file, LARGE_INTEGER* truncate_size, CACHE_UNINITIALIZE_EVENT* event) {
  SECTION_OBJECT_POINTERS* pointers = file->SectionObjectPointer;
  PrivateCacheMap* private_map = nullptr;
  SharedCacheMap* map = nullptr;
  bool last = false;
  if (pointers) {
    LockGuard guard(g_state->lock);
    private_map = PrivateOf(file);
    map = static_cast<SharedCacheMap*>(pointers->SharedCacheMap);
    if (private_map) {
      RemoveEntryList(&private_map->entry);
      __atomic_store_n(&file->PrivateCacheMap, nullptr, __ATOMIC_RELEASE);
      map = private_map->shared;
      map->open_count--;
    }
    if (map) {
      last = map->open_count == 0;
      map->references++;
      if (last && event) {
        event->Next = map->events;
        map->events = event;
        event = nullptr;
      }
    }
  }
  if (private_map) DereferencePrivate(private_map);
  bool gone = true;
  if (map) {
    if (last && truncate_size) {
      map->segment->Truncate(static_cast<uint64_t>(truncate_size->QuadPart));
      const LONGLONG size = truncate_size->QuadPart;
      if (map->FileSize() > size) __atomic_store_n(&map->file_size.QuadPart, size, __ATOMIC_RELAXED);
      if (map->valid_data_goal.load() > size && map->TracksValidData()) map->valid_data_goal.store(size);
    }
    const bool waited_for = last && map->events;
    gone = DereferenceMap(map);
    if (!gone && waited_for) WakeLazyWriter(false);
  } else if (truncate_size && pointers) {
    mm::SegmentReference segment(pointers);
    if (segment) segment->Truncate(static_cast<uint64_t>(truncate_size->QuadPart));
  }
  // Nothing of it will be flushed on this file object's account.
  if (event) ke::SetEvent(&event->Event);
  return gone;
}

/// Truncates so that the zeros behind the new end reach the disk: FASTFAT zeroes from the next sector on when the file grows.
static void ClearTail(mm::Segment* segment, uint64_t size) {
  const uint64_t index = size >> mm::kSlotShift;
  const uint32_t in_piece = static_cast<uint32_t>(size & (mm::kSlotBytes - 1));
  const uint64_t page = 1ull << (in_piece >> PAGE_SHIFT);
  const bool partial = size & (PAGE_SIZE - 1);
  // A page that cannot be read stays on the disk as it is, as it does without a cache.
  if (partial) segment->MakePiece(index, page, mm::Wait::kYes).Ignore();
  segment->Truncate(size);
  if (!partial) return;
  mm::Hazard hazard;
  if (mm::Slot* slot = segment->Protect(hazard, index, page)) segment->MarkDirty(slot, page);
}

void SetFileSizes(FILE_OBJECT* file, CC_FILE_SIZES* sizes) {
  const Status status = SetFileSizesEx(file, sizes);
  if (!status.ok()) Raise(status);
}

Status SetFileSizesEx(FILE_OBJECT* file, CC_FILE_SIZES* sizes) {
  SECTION_OBJECT_POINTERS* pointers = file->SectionObjectPointer;
  const LONGLONG size = sizes->FileSize.QuadPart;
  SharedCacheMap* map = ReferenceMap(pointers);
  if (!map) {
    mm::SegmentReference segment(pointers);
    if (!segment) return STATUS_SUCCESS;
    if (segment->file_size.load() > static_cast<uint64_t>(size)) segment->Truncate(static_cast<uint64_t>(size));
    segment->file_size.store(static_cast<uint64_t>(size), std::memory_order_relaxed);
    return STATUS_SUCCESS;
  }
  if (sizes->AllocationSize.QuadPart > map->section_size.QuadPart) map->section_size = sizes->AllocationSize;
  const LONGLONG old_size = map->FileSize();
  const bool data_ends_beyond = !map->TracksValidData() || map->valid_data_goal.load() > size;
  __atomic_store_n(&map->file_size.QuadPart, size, __ATOMIC_RELAXED);
  map->segment->file_size.store(static_cast<uint64_t>(size), std::memory_order_relaxed);
  if (map->TracksValidData()) {
    const LONGLONG valid = std::min(sizes->ValidDataLength.QuadPart, size);
    map->valid_data_length.store(valid, std::memory_order_relaxed);
    LONGLONG goal = map->valid_data_goal.load(std::memory_order_relaxed);
    goal = std::max(std::min(goal, size), valid);
    map->valid_data_goal.store(goal, std::memory_order_relaxed);
  }
  if (size < old_size) {
    if (data_ends_beyond) ClearTail(map->segment, static_cast<uint64_t>(size));
    else map->segment->Truncate(static_cast<uint64_t>(size));
  }
  DereferenceMap(map);
  return STATUS_SUCCESS;
}

LARGE_INTEGER GetFlushedValidData(SECTION_OBJECT_POINTERS* pointers, bool) {
  LARGE_INTEGER result;
  result.QuadPart = MAXLONGLONG;
  if (SharedCacheMap* map = ReferenceMap(pointers)) {
    const uint64_t dirty = map->segment->FirstDirty(0);
    const LONGLONG goal = map->valid_data_goal.load();
    result.QuadPart = dirty < static_cast<uint64_t>(goal) ? static_cast<LONGLONG>(dirty) : goal;
    DereferenceMap(map);
  }
  return result;
}

FILE_OBJECT* GetFileObjectFromSectionPtrs(SECTION_OBJECT_POINTERS* pointers) {
  LockGuard guard(g_state->lock);
  auto* map = static_cast<SharedCacheMap*>(pointers->SharedCacheMap);
  return map ? map->file : nullptr;
}
FILE_OBJECT* GetFileObjectFromSectionPtrsRef(SECTION_OBJECT_POINTERS* pointers) {
  LockGuard guard(g_state->lock);
  auto* map = static_cast<SharedCacheMap*>(pointers->SharedCacheMap);
  if (!map) return nullptr;
  ob::ReferenceObject(map->file);
  return map->file;
}

void SetAdditionalCacheAttributes(FILE_OBJECT* file, bool disable_read_ahead, bool disable_write_behind) {
  SharedCacheMap* map = MapOf(file);
  if (!map) return;
  map->disable_read_ahead.store(disable_read_ahead);
  map->disable_write_behind.store(disable_write_behind);
}
void SetAdditionalCacheAttributesEx(FILE_OBJECT* file, ULONG flags) {
  SetAdditionalCacheAttributes(file, flags & CC_DISABLE_READ_AHEAD, flags & CC_DISABLE_WRITE_BEHIND);
}
void SetDirtyPageThreshold(FILE_OBJECT* file, ULONG pages) {
  if (SharedCacheMap* map = MapOf(file)) map->dirty_threshold_pages.store(pages);
}
void SetLogHandleForFile(FILE_OBJECT* file, void* log_handle, PFLUSH_TO_LSN flush_to_lsn) {
  SharedCacheMap* map = MapOf(file);
  if (!map) return;
  map->log_handle.store(log_handle);
  map->flush_to_lsn.store(flush_to_lsn);
}

bool IsThereDirtyDataEx(VPB* vpb, ULONG* pages) {
  uint64_t count = 0;
  bool found = false;
  LockGuard guard(g_state->lock);
  for (LIST_ENTRY* entry = g_state->maps.Flink; entry != &g_state->maps; entry = entry->Flink) {
    auto* map = MapOfEntry(entry);
    if (map->file->Vpb != vpb || (map->file->Flags & FO_TEMPORARY_FILE)) continue;
    const uint64_t dirty = map->segment->dirty_pages();
    found |= dirty != 0;
    count += dirty;
  }
  if (pages) *pages = static_cast<ULONG>(count);
  return found;
}
bool IsThereDirtyData(VPB* vpb) { return IsThereDirtyDataEx(vpb, nullptr); }

}  // namespace nt::cc
