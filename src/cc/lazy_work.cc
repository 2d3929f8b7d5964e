// The lazy writer's workers: what a pass has found is written by system worker threads, a file at a time.
//
// A file has one writer at once, a volume at most `lazy_workers_per_volume`: a volume that blocks in its callbacks or
// paging writes keeps no other from being written. The queue is first in, first out among the volumes that may have a
// worker; a file that has more to write than its turn allows comes again with the next pass. A map in the queue is not
// referenced, so that waiting for it to go never waits for a worker that is busy with another.
#include "src/cc/cache_map.h"
#include "src/ex/ex.h"

namespace nt::cc {
namespace {

thread_local bool t_is_worker = false;

void FinishLocked(SharedCacheMap* map) NT_REQUIRES(g_state->lock) {
  const auto work = g_state->work_of_pass.find(map->queued_pass);
  if (--work->second == 0) g_state->work_of_pass.erase(work);
  map->lazy_state = LazyState::kIdle;
}

/// The first map whose volume may have another worker; it is then referenced and the caller's to write.
SharedCacheMap* TakeLocked() NT_REQUIRES(g_state->lock) {
  for (LIST_ENTRY* entry = g_state->lazy_queue.Flink; entry != &g_state->lazy_queue; entry = entry->Flink) {
    SharedCacheMap* map = MapOfEntry(entry);
    uint32_t& workers = g_state->workers_of_volume[map->file->DeviceObject];
    if (workers >= g_state->options.lazy_workers_per_volume) continue;
    workers++;
    RemoveEntryList(entry);
    map->lazy_state = LazyState::kWriting;
    map->references++;
    return map;
  }
  return nullptr;
}

void Write(SharedCacheMap* map) {
  const bool closed = __atomic_load_n(&map->open_count, __ATOMIC_RELAXED) == 0;
  const bool valid_data_waits = map->TracksValidData() && map->valid_data_goal.load() > map->valid_data_length.load();
  if (map->segment->dirty_pages() || valid_data_waits)
    WriteMap(map, closed ? ~0ull : g_state->options.maximum_write_bytes, true);
}

void NTIO_MS_ABI Worker(void* item) {
  ex::PoolDelete(static_cast<WORK_QUEUE_ITEM*>(item));
  t_is_worker = true;
  for (;;) {
    SharedCacheMap* map;
    void* volume;
    {
      LockGuard guard(g_state->lock);
      map = TakeLocked();
      if (!map) {
        t_is_worker = false;
        g_state->workers--;  // cc may be shut down from here on
        return;
      }
      volume = map->file->DeviceObject;
    }
    Write(map);
    EndWriting(map);
    {
      LockGuard guard(g_state->lock);
      const auto workers = g_state->workers_of_volume.find(volume);
      if (--workers->second == 0) g_state->workers_of_volume.erase(workers);
    }
    ke::PulseEvent(&g_state->cleaned);
    PostDeferredWrites(false);
  }
}

}  // namespace

bool IsLazyWorker() { return t_is_worker; }

void QueueLazyWorkLocked(SharedCacheMap* map, uint64_t pass) {
  if (map->lazy_state != LazyState::kIdle) return;
  map->lazy_state = LazyState::kQueued;
  map->queued_pass = pass;
  g_state->work_of_pass[pass]++;
  InsertTailList(&g_state->lazy_queue, &map->work_link.entry);
}

void ForgetLazyWorkLocked(SharedCacheMap* map) {
  if (map->lazy_state != LazyState::kQueued) return;
  RemoveEntryList(&map->work_link.entry);
  FinishLocked(map);
}

bool BeginWritingLocked(SharedCacheMap* map, uint64_t pass) {
  if (map->lazy_state == LazyState::kWriting) return false;
  ForgetLazyWorkLocked(map);
  map->lazy_state = LazyState::kWriting;
  map->queued_pass = pass;
  g_state->work_of_pass[pass]++;
  return true;
}

void EndWriting(SharedCacheMap* map) {
  {
    LockGuard guard(g_state->lock);
    FinishLocked(map);
  }
  DereferenceMap(map);
}

void StartLazyWorkers() {
  for (;;) {
    {
      LockGuard guard(g_state->lock);
      uint32_t waiting = 0;
      for (LIST_ENTRY* entry = g_state->lazy_queue.Flink; entry != &g_state->lazy_queue; entry = entry->Flink) {
        const auto workers = g_state->workers_of_volume.find(MapOfEntry(entry)->file->DeviceObject);
        if (workers == g_state->workers_of_volume.end() || workers->second < g_state->options.lazy_workers_per_volume)
          waiting++;
      }
      uint32_t writing = 0;
      for (const auto& [volume, workers] : g_state->workers_of_volume) writing += workers;
      // Those that are not writing are on their way to the queue.
      if (waiting <= g_state->workers - writing || g_state->workers >= g_state->options.lazy_workers) return;
      g_state->workers++;
    }
    auto* item = ex::PoolNew<WORK_QUEUE_ITEM>(kTagWork);
    if (!item) {
      LockGuard guard(g_state->lock);
      g_state->workers--;
      return;  // the next pass tries again
    }
    item->List = {};
    item->WorkerRoutine = Worker;
    item->Parameter = item;
    // Not among the items of drivers: threads that all wait for the cache to be written must not keep it from being
    // written.
    ex::QueueWorkItem(item, HyperCriticalWorkQueue);
  }
}

bool AreWorkersBusy() {
  LockGuard guard(g_state->lock);
  return g_state->workers != 0;
}

bool IsWorkLeft(uint64_t pass) {
  LockGuard guard(g_state->lock);
  return !g_state->work_of_pass.empty() && g_state->work_of_pass.begin()->first <= pass;
}

}  // namespace nt::cc
