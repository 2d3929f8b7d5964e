#include <algorithm>

#include "src/cc/cache_map.h"
#include "src/mm/mm.h"

namespace nt::cc {

State* g_state = nullptr;

void SetOptions(const Options& options) {
  g_state->options = options;
  const uint64_t threshold =
      options.dirty_threshold_bytes ? options.dirty_threshold_bytes : mm::CurrentMemoryUse().limit_bytes / 4;
  g_state->dirty_limit_pages.store(std::max<uint64_t>(threshold >> PAGE_SHIFT, 16));
}

Status Boot(const Options& options) {
  CHECK(!g_state);
  g_state = new State;
  InitializeListHead(&g_state->maps);
  InitializeListHead(&g_state->deferred);
  InitializeListHead(&g_state->lazy_queue);
  SetOptions(options);
  return StartLazyWriter();
}

void Shutdown() {
  if (!g_state) return;
  StopLazyWriter();
  DrainReadAhead();
  CHECK_MSG(IsListEmpty(&g_state->maps), "cc shuts down while streams are still cached");
  delete g_state;
  g_state = nullptr;
}

}  // namespace nt::cc
