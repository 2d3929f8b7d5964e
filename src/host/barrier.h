// A memory barrier in two halves. Two threads each store, then load what the other stores, and one of them must see the other:
// a hazard and an eviction, a reader and a writer that revokes its bias. Where one side is frequent and the other rare, the
// frequent side pays next to nothing and the rare side runs a barrier in all threads of the process (membarrier(2)).
//
//   frequent:  mine.store(x, relaxed);  host::LightBarrier();  theirs.load(acquire);
//   rare:      theirs.store(y, relaxed);  host::HeavyBarrier();  mine.load(acquire);
#pragma once

#include <atomic>

namespace host {

/// Whether this kernel does the frequent half's part. Set once, before a machine has threads.
inline constinit std::atomic<bool> g_barriers_are_asymmetric{false};

/// Asks the kernel for membarrier; without it both halves are full barriers. Idempotent.
void PrepareBarriers();

inline void LightBarrier() {
  if (g_barriers_are_asymmetric.load(std::memory_order_relaxed)) [[likely]]
    std::atomic_signal_fence(std::memory_order_seq_cst);
  else
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

/// About a microsecond where other threads of the process run.
void HeavyBarrier();

}  // namespace host
