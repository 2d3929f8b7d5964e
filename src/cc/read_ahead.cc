// Read-ahead: a reader that goes on where it stopped gets the next window read by a worker, under AcquireForReadAhead.
#include <algorithm>
#include <bit>

#include "src/cc/cache_map.h"
#include "src/ex/ex.h"
#include "src/host/host.h"
#include "src/ob/ob.h"

namespace nt::cc {
namespace {

constexpr uint32_t kSequentialReads = 2;     // in a row, before anything is read ahead
constexpr uint32_t kFirstWindow = 128 * 1024;

struct ReadAhead {
  WORK_QUEUE_ITEM item;
  PrivateCacheMap* private_map;  // referenced
  SharedCacheMap* map;           // referenced
  FILE_OBJECT* file;             // referenced
  uint64_t offset, length;
};

VOID NTIO_MS_ABI Work(PVOID context) {
  auto* work = static_cast<ReadAhead*>(context);
  SharedCacheMap* map = work->map;
  CACHE_MANAGER_CALLBACKS* callbacks = map->callbacks;
  bool acquired = true;
  if (callbacks && callbacks->AcquireForReadAhead)
    acquired = CallDriver(callbacks->AcquireForReadAhead, map->lazy_write_context, static_cast<BOOLEAN>(TRUE));
  if (acquired) {
    const auto size = static_cast<uint64_t>(std::max<LONGLONG>(map->FileSize(), 0));
    if (work->offset < size)
      // A hint: whoever reads the page later meets the error.
      map->segment->MakeResident(work->offset, std::min(work->length, size - work->offset), mm::Wait::kYes).Ignore();
    if (callbacks && callbacks->ReleaseFromReadAhead)
      CallDriver(callbacks->ReleaseFromReadAhead, map->lazy_write_context);
  }
  work->private_map->active.store(false, std::memory_order_release);
  DereferencePrivate(work->private_map);
  FILE_OBJECT* file = work->file;
  ex::FreePool(work);
  DereferenceMap(map);
  ob::DereferenceObject(file);
  g_state->read_aheads.fetch_sub(1);
}

void Schedule(PrivateCacheMap* private_map, SharedCacheMap* map, uint64_t offset, uint64_t length) {
  if (private_map->active.exchange(true, std::memory_order_acquire)) return;
  auto* work = static_cast<ReadAhead*>(ex::AllocatePool(NonPagedPoolNx, sizeof(ReadAhead), kTagWork));
  if (!work) {
    private_map->active.store(false, std::memory_order_release);
    return;
  }
  private_map->references.fetch_add(1, std::memory_order_relaxed);
  ReferenceMap(map);
  ob::ReferenceObject(private_map->file);
  g_state->read_aheads.fetch_add(1);
  *work = {};
  work->item.WorkerRoutine = Work;
  work->item.Parameter = work;
  work->private_map = private_map;
  work->map = map;
  work->file = private_map->file;
  work->offset = offset;
  work->length = length;
  ex::QueueWorkItem(&work->item, DelayedWorkQueue);
}

}  // namespace

void NoteRead(PrivateCacheMap* private_map, SharedCacheMap* map, uint64_t offset, uint64_t length) {
  const uint64_t end = offset + length;
  const uint64_t expected = private_map->expected.load(std::memory_order_relaxed);
  private_map->expected.store(end, std::memory_order_relaxed);
  if (private_map->disabled.load(std::memory_order_relaxed)) return;
  if (offset != expected) {
    if (private_map->run.load(std::memory_order_relaxed)) private_map->run.store(0, std::memory_order_relaxed);
    private_map->ahead.store(0, std::memory_order_relaxed);
    private_map->window.store(0, std::memory_order_relaxed);
    return;
  }
  const uint32_t run = private_map->run.load(std::memory_order_relaxed);
  if (run < kSequentialReads) {
    private_map->run.store(run + 1, std::memory_order_relaxed);
    if (!(private_map->file->Flags & FO_SEQUENTIAL_ONLY)) return;
  }
  const uint64_t ahead = private_map->ahead.load(std::memory_order_relaxed);
  uint32_t window = private_map->window.load(std::memory_order_relaxed);
  if (ahead > end && ahead - end > window / 2) return;  // enough for now
  if (map->disable_read_ahead.load(std::memory_order_relaxed)) return;
  const uint32_t granularity = private_map->granularity.load(std::memory_order_relaxed);
  const uint64_t from = std::max<uint64_t>(ahead, (end + PAGE_SIZE - 1) & ~static_cast<uint64_t>(PAGE_SIZE - 1));
  const auto size = static_cast<uint64_t>(std::max<LONGLONG>(map->FileSize(), 0));
  if (from >= size) return;
  window = window ? std::min(window * 2, g_state->options.maximum_read_ahead_bytes)
                  : std::max(kFirstWindow, granularity);
  uint64_t to = from + window;
  if (granularity > PAGE_SIZE) to = (to + granularity - 1) & ~static_cast<uint64_t>(granularity - 1);
  to = std::min(to, size);
  private_map->window.store(window, std::memory_order_relaxed);
  private_map->ahead.store(to, std::memory_order_relaxed);
  if (map->segment->IsResident(from, to - from)) return;
  Schedule(private_map, map, from, to - from);
}

void ScheduleReadAhead(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length) {
  PrivateCacheMap* private_map = PrivateOf(file);
  if (!private_map || private_map->disabled.load(std::memory_order_relaxed)) return;
  SharedCacheMap* map = private_map->shared;
  if (map->disable_read_ahead.load(std::memory_order_relaxed)) return;
  const uint64_t end = static_cast<uint64_t>(offset->QuadPart) + length;
  const uint64_t granularity = std::max<uint64_t>(private_map->granularity.load(std::memory_order_relaxed), length);
  const uint64_t from = end & ~static_cast<uint64_t>(PAGE_SIZE - 1);
  const auto size = static_cast<uint64_t>(std::max<LONGLONG>(map->FileSize(), 0));
  if (from >= size) return;
  const uint64_t bytes = std::min(granularity, size - from);
  if (!map->segment->IsResident(from, bytes)) Schedule(private_map, map, from, bytes);
}

void SetReadAheadGranularity(FILE_OBJECT* file, ULONG granularity) {
  PrivateCacheMap* private_map = PrivateOf(file);
  if (!private_map) return;
  if (granularity < PAGE_SIZE || !std::has_single_bit(granularity))
    ke::BugCheckWithMessage("CcSetReadAheadGranularity: not a power of two of at least a page", CACHE_MANAGER,
                            reinterpret_cast<ULONG_PTR>(file), granularity);
  private_map->granularity.store(granularity, std::memory_order_relaxed);
}

void DrainReadAhead() {
  while (g_state->read_aheads.load()) {
    LARGE_INTEGER interval;
    interval.QuadPart = -10'000;
    ke::DelayExecutionThread(KernelMode, false, &interval).Ignore();  // a pause
  }
}

}  // namespace nt::cc
