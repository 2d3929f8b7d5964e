#include "src/ex/reader_bias.h"

namespace nt::ex {
namespace {

std::atomic<ReaderSlots*> g_sets{nullptr};

}  // namespace

ReaderSlots* ReaderSlots::Take() {
  for (auto* set = g_sets.load(std::memory_order_acquire); set; set = set->next) {
    bool free = false;
    if (set->in_use.compare_exchange_strong(free, true, std::memory_order_acquire)) return set;
  }
  auto* set = new ReaderSlots{};
  set->in_use.store(true, std::memory_order_relaxed);
  set->next = g_sets.load(std::memory_order_relaxed);
  while (!g_sets.compare_exchange_weak(set->next, set, std::memory_order_release, std::memory_order_relaxed)) {
  }
  return set;
}

void ReaderSlots::Give(ReaderSlots* set) {
  if (!set) return;
  for (const auto& slot : set->slots)
    if (slot.load(std::memory_order_relaxed)) return;
  set->in_use.store(false, std::memory_order_release);
}

uint32_t CountReaders(_ERESOURCE* resource) {
  host::HeavyBarrier();
  const auto named = reinterpret_cast<uintptr_t>(resource);
  uint32_t count = 0;
  for (auto* set = g_sets.load(std::memory_order_acquire); set; set = set->next)
    for (auto& slot : set->slots) {
      uintptr_t expected = named;
      if (slot.load(std::memory_order_acquire) == named &&
          slot.compare_exchange_strong(expected, named | ReaderSlots::kCounted, std::memory_order_acq_rel))
        count++;
    }
  return count;
}

}  // namespace nt::ex
