// The cached streams of a file system that stays until the machine is switched off.
#include <vector>

#include "src/cc/cache_map.h"
#include "src/ex/ex.h"
#include "src/io/io.h"
#include "src/mm/segment.h"
#include "src/ob/ob.h"

namespace nt::cc {
namespace {

void DropPrivateMaps(SharedCacheMap* map) {
  std::vector<PrivateCacheMap*> dropped;
  {
    LockGuard guard(g_state->lock);
    while (!IsListEmpty(&map->private_maps)) {
      auto* private_map = CONTAINING_RECORD(RemoveHeadList(&map->private_maps), PrivateCacheMap, entry);
      __atomic_store_n(&private_map->file->PrivateCacheMap, nullptr, __ATOMIC_RELEASE);
      dropped.push_back(private_map);
    }
  }
  for (PrivateCacheMap* private_map : dropped) DereferencePrivate(private_map);
}

bool IsReferenced(SharedCacheMap* map) {
  LockGuard guard(g_state->lock);
  return map->references != 0;
}

}  // namespace

void DropMapsOf(DRIVER_OBJECT* driver) {
  DrainReadAhead();
  std::vector<SharedCacheMap*> maps;
  {
    LockGuard guard(g_state->lock);
    for (LIST_ENTRY* entry = g_state->maps.Flink; entry != &g_state->maps;) {
      auto* map = MapOfEntry(entry);
      entry = entry->Flink;
      if (io::GetBaseFileSystemDeviceObject(map->file)->DriverObject != driver) continue;
      RemoveEntryList(&map->link.entry);
      ForgetLazyWorkLocked(map);
      __atomic_store_n(&map->pointers->SharedCacheMap, nullptr, __ATOMIC_RELEASE);
      maps.push_back(map);
    }
  }
  for (SharedCacheMap* map : maps) {
    while (IsReferenced(map)) {  // by the lazy writer, for the rest of its pass
      LARGE_INTEGER millisecond;
      millisecond.QuadPart = -10'000;
      ke::DelayExecutionThread(KernelMode, false, &millisecond).Ignore();  // a pause
    }
    DropPrivateMaps(map);
    // Bcbs stay in the pool, for whoever has their addresses; what they pin goes with the segment.
    SECTION_OBJECT_POINTERS* pointers = map->pointers;
    FILE_OBJECT* file = map->file;
    for (CACHE_UNINITIALIZE_EVENT *event = map->events, *next; event; event = next) {
      next = event->Next;
      ke::SetEvent(&event->Event);
    }
    mm::ReleaseSegment(map->segment);
    mm::DropUnusedSegment(pointers);
    ex::PoolDelete(map);
    ob::DereferenceObject(file);
  }
}

}  // namespace nt::cc
