// Throttling: writers wait, or are put off, while too much of the cache is dirty.
#include <algorithm>
#include <vector>

#include "src/cc/cache_map.h"
#include "src/ex/ex.h"

namespace nt::cc {

namespace {

uint64_t PagesOf(ULONG bytes) { return (static_cast<uint64_t>(bytes) + PAGE_SIZE - 1) >> PAGE_SHIFT; }

bool IsOverGlobalLimit(uint64_t pages) {
  const auto dirty = static_cast<uint64_t>(std::max<int64_t>(mm::g_dirty_pages.load(std::memory_order_relaxed), 0));
  // A write larger than the limit goes when it is alone: it could never go otherwise.
  return dirty && dirty + pages > g_state->dirty_limit_pages.load(std::memory_order_relaxed);
}

}  // namespace

bool IsOverDirtyLimit(FILE_OBJECT* file, ULONG bytes) {
  const uint64_t pages = PagesOf(bytes);
  if (IsOverGlobalLimit(pages)) return true;
  if (!file || !file->SectionObjectPointer) return false;
  const SharedCacheMap* map = MapOf(file);
  if (!map) return false;
  const ULONG threshold = map->dirty_threshold_pages.load(std::memory_order_relaxed);
  const uint64_t own = threshold ? map->segment->dirty_pages() : 0;
  return own && own + pages > threshold;
}

bool CanIWrite(FILE_OBJECT* file, ULONG bytes, bool wait, UCHAR retrying) {
  bool behind = false;  // others are waiting already
  if (!retrying) {
    const LIST_ENTRY* first = __atomic_load_n(&g_state->deferred.Flink, __ATOMIC_RELAXED);
    behind = first != &g_state->deferred;
  }
  if (!behind && !IsOverDirtyLimit(file, bytes)) [[likely]]
    return true;
  WakeLazyWriter(true);
  if (!wait) return false;
  g_state->throttled.fetch_add(1);
  while (IsOverDirtyLimit(file, bytes) && !g_state->stop.load()) {
    WakeLazyWriter(true);
    LARGE_INTEGER interval;
    interval.QuadPart = -10'000ll * 10;
    ke::WaitForSingleObject(&g_state->cleaned, Executive, KernelMode, false, &interval).Ignore();  // looks again either way
  }
  g_state->throttled.fetch_sub(1);
  return true;
}

void DeferWrite(FILE_OBJECT* file, PCC_POST_DEFERRED_WRITE post, void* context1, void* context2, ULONG bytes,
                bool retrying) {
  auto* write = IsOverDirtyLimit(file, bytes) ? ex::PoolNew<DeferredWrite>(kTagWork) : nullptr;
  if (!write) {
    // There is room by now, or no memory to remember it by.
    CallDriver(post, context1, context2);
    return;
  }
  write->file = file;
  write->post = post;
  write->context1 = context1;
  write->context2 = context2;
  write->bytes = bytes;
  {
    LockGuard guard(g_state->lock);
    if (retrying)
      InsertHeadList(&g_state->deferred, &write->entry);
    else
      InsertTailList(&g_state->deferred, &write->entry);
  }
  WakeLazyWriter(true);
}

void PostDeferredWrites(bool all) {
  for (;;) {
    DeferredWrite* write = nullptr;
    {
      LockGuard guard(g_state->lock);
      for (LIST_ENTRY* entry = g_state->deferred.Flink; entry != &g_state->deferred && !write; entry = entry->Flink) {
        auto* next = CONTAINING_RECORD(entry, DeferredWrite, entry);
        // In order where the cache is full; a file that is at its own limit holds back only itself.
        if (!all && IsOverGlobalLimit(PagesOf(next->bytes))) return;
        if (all || !IsOverDirtyLimit(next->file, next->bytes)) write = next;
      }
      if (!write) return;
      RemoveEntryList(&write->entry);
    }
    CallDriver(write->post, write->context1, write->context2);
    ex::PoolDelete(write);
  }
}

}  // namespace nt::cc
