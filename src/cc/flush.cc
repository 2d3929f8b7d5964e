// Flush and purge.
#include <algorithm>

#include "src/cc/cache_map.h"
#include "src/cc/pin.h"
#include "src/fsrtl/fsrtl.h"
#include "src/mm/mm.h"

namespace nt::cc {
namespace {

struct Bounds {
  uint64_t start, end;
};
Bounds BoundsOf(const LARGE_INTEGER* offset, ULONG length) {
  if (!offset) return {0, ~0ull};
  const auto start = static_cast<uint64_t>(offset->QuadPart);
  return {start, length ? start + length : ~0ull};
}

/// Bracketed by the file system's AcquireForCcFlush.
class CcFlushAcquisition {
 public:
  explicit CcFlushAcquisition(FILE_OBJECT* file) : file_(file), status_(fsrtl::AcquireFileForCcFlush(file)) {}
  ~CcFlushAcquisition() {
    if (status_.ok()) fsrtl::ReleaseFileForCcFlush(file_);
  }
  CcFlushAcquisition(const CcFlushAcquisition&) = delete;
  CcFlushAcquisition& operator=(const CcFlushAcquisition&) = delete;
  Status status() const { return status_; }

 private:
  FILE_OBJECT* const file_;
  const Status status_;
};

void FlushBounds(SECTION_OBJECT_POINTERS* pointers, Bounds bounds, IO_STATUS_BLOCK* iosb) {
  iosb->Status = STATUS_SUCCESS;
  iosb->Information = 0;
  uint64_t written = 0;
  if (SharedCacheMap* map = ReferenceMap(pointers)) {
    Status status = STATUS_SUCCESS;
    try {
      if (map->segment->dirty_pages()) {
        const CcFlushAcquisition acquired(map->file);
        status = acquired.status();
        if (status.ok()) status = FlushRange(map, bounds.start, bounds.end, false, ~0ull, &written);
      } else {
        status = FlushRange(map, bounds.start, bounds.end, false, ~0ull, &written);  // waits for writes under way
      }
    } catch (...) {
      DereferenceMap(map);
      throw;
    }
    iosb->Status = status;
    iosb->Information = written;
    DereferenceMap(map);
    return;
  }
  mm::SegmentReference segment(pointers);
  if (!segment || !segment->file() || !segment->dirty_pages()) return;
  const CcFlushAcquisition acquired(segment->file());
  Status status = acquired.status();
  if (status.ok()) status = segment->Flush(bounds.start, bounds.end, {}, &written);
  iosb->Status = status;
  iosb->Information = written;
}

/// Ends the caching of every file object of the stream.
void UninitializeAll(SECTION_OBJECT_POINTERS* pointers) {
  for (;;) {
    FILE_OBJECT* file = nullptr;
    {
      LockGuard guard(g_state->lock);
      auto* map = static_cast<SharedCacheMap*>(pointers->SharedCacheMap);
      if (!map || IsListEmpty(&map->private_maps)) return;
      file = CONTAINING_RECORD(map->private_maps.Flink, PrivateCacheMap, entry)->file;
    }
    UninitializeCacheMap(file, nullptr, nullptr);
  }
}

bool PurgeBounds(SECTION_OBJECT_POINTERS* pointers, Bounds bounds, ULONG flags) {
  mm::SegmentReference segment(pointers);
  if (!segment) return true;
  if (segment->user_views.load() && !(flags & PURGE_WITH_ACTIVE_VIEWS)) {
    // Slots under views are pinned; only what nobody maps can go, and the answer is no where that was not all.
  }
  return segment->Purge(bounds.start, bounds.end, flags & DO_NOT_PURGE_DIRTY_PAGES);
}

}  // namespace

Status FlushRange(SharedCacheMap* map, uint64_t start, uint64_t end, bool lazy, uint64_t maximum_bytes, uint64_t* written) {
  BcbGate gate(map, lazy);
  mm::FlushOptions options;
  options.gate = &gate;
  options.wait = !lazy;
  options.drop_on_error = lazy;
  options.maximum_bytes = maximum_bytes;
  return map->segment->Flush(start, end, options, written);
}

void FlushCache(SECTION_OBJECT_POINTERS* pointers, LARGE_INTEGER* offset, ULONG length, IO_STATUS_BLOCK* iosb) {
  IO_STATUS_BLOCK local;
  FlushBounds(pointers, BoundsOf(offset, length), iosb ? iosb : &local);
}

bool PurgeCacheSection(SECTION_OBJECT_POINTERS* pointers, LARGE_INTEGER* offset, ULONG length, ULONG flags) {
  if (!pointers) return true;
  if (flags & UNINITIALIZE_CACHE_MAPS) UninitializeAll(pointers);
  // Referenced first: with the last page the file object may be closed, and the file system frees `pointers` with the stream.
  SharedCacheMap* map = ReferenceMap(pointers);
  const bool purged = PurgeBounds(pointers, BoundsOf(offset, length), flags);
  // A map that was left for its dirty pages alone may go now.
  if (map) DereferenceMap(map);
  return purged;
}

void CoherencyFlushAndPurgeCache(SECTION_OBJECT_POINTERS* pointers, LARGE_INTEGER* offset, ULONG length,
                                 IO_STATUS_BLOCK* iosb, ULONG flags) {
  const Bounds bounds = BoundsOf(offset, length);
  FlushBounds(pointers, bounds, iosb);
  if (!NT_SUCCESS(iosb->Status) || (flags & CC_FLUSH_AND_PURGE_NO_PURGE)) return;
  if (!PurgeBounds(pointers, bounds, 0)) iosb->Status = STATUS_CACHE_PAGE_LOCKED;
}

}  // namespace nt::cc
