// Shared acquisitions that write nothing in common. A resource that is acquired shared again and again becomes biased
// towards readers: a reader then names it in a slot of its own thread instead of counting itself in the resource. Whoever
// wants it exclusively revokes the bias: takes it away, then turns each slot that names the resource into a count.
//
// A slot's word is the resource's address; bit 0: counted, so that the release must count down. Slots of a thread are written
// by the thread, and by a revoker, who only sets bit 0. Sets of slots outlive threads, and are handed on.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/host/host.h"

struct _ERESOURCE;

namespace nt::ex {

struct alignas(64) ReaderSlots {
  static constexpr uintptr_t kCounted = 1;
  static constexpr int kSlots = 5;

  std::atomic<uintptr_t> slots[kSlots];
  std::atomic<bool> in_use;
  ReaderSlots* next;

  /// A set for a thread, with empty slots.
  static ReaderSlots* Take();
  /// Back from a thread that ends; kept for ever when a slot is still in use.
  static void Give(ReaderSlots* slots);

  /// Names the resource in a free slot. nullptr: none is free.
  std::atomic<uintptr_t>* Publish(_ERESOURCE* resource) {
    for (auto& slot : slots) {
      if (slot.load(std::memory_order_relaxed)) continue;
      slot.store(reinterpret_cast<uintptr_t>(resource), std::memory_order_relaxed);
      host::LightBarrier();  // with CountReaders
      return &slot;
    }
    return nullptr;
  }
  enum class Release { kNotHere, kDone, kCountDown };
  /// Empties one slot that names the resource. kCountDown: it was counted meanwhile.
  Release Empty(_ERESOURCE* resource) {
    for (auto& slot : slots) {
      if ((slot.load(std::memory_order_relaxed) & ~kCounted) != reinterpret_cast<uintptr_t>(resource)) continue;
      return slot.exchange(0, std::memory_order_acq_rel) & kCounted ? Release::kCountDown : Release::kDone;
    }
    return Release::kNotHere;
  }
  uint32_t CountOf(_ERESOURCE* resource) const {
    uint32_t count = 0;
    for (const auto& slot : slots)
      count += (slot.load(std::memory_order_relaxed) & ~kCounted) == reinterpret_cast<uintptr_t>(resource);
    return count;
  }
};

/// The revoker's part, after it took the bias away: marks every slot that names the resource as counted.
/// @returns how many there were
uint32_t CountReaders(_ERESOURCE* resource);

}  // namespace nt::ex
