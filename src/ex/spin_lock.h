// EX_SPIN_LOCK: a reader-writer spin lock at DISPATCH_LEVEL. Top bit: a writer holds it or waits for the readers to go.
#pragma once

#include <atomic>

#include "ntifs.h"
#include "src/host/host.h"

namespace nt::ex {

inline constexpr uint32_t kSpinLockWriter = 0x80000000;

inline std::atomic_ref<uint32_t> SpinLockWord(PEX_SPIN_LOCK lock) {
  return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(const_cast<LONG*>(lock)));
}

/// Spins, and yields when the holder seems not to run (there may be more virtual processors than cores).
template <class F>
void SpinUntil(F&& done) {
  for (unsigned spins = 0; !done(); spins++) spins % 128 < 127 ? host::SpinPause() : host::Yield();
}

inline void AcquireSpinLockExclusive(PEX_SPIN_LOCK lock) {
  auto word = SpinLockWord(lock);
  SpinUntil([&] {
    uint32_t old = word.load(std::memory_order_relaxed);
    return !(old & kSpinLockWriter) && word.compare_exchange_weak(old, old | kSpinLockWriter, std::memory_order_acquire);
  });
  SpinUntil([&] { return word.load(std::memory_order_acquire) == kSpinLockWriter; });
}
inline void AcquireSpinLockShared(PEX_SPIN_LOCK lock) {
  auto word = SpinLockWord(lock);
  SpinUntil([&] {
    uint32_t old = word.load(std::memory_order_relaxed);
    return !(old & kSpinLockWriter) && word.compare_exchange_weak(old, old + 1, std::memory_order_acquire);
  });
}
inline void ReleaseSpinLockExclusive(PEX_SPIN_LOCK lock) { SpinLockWord(lock).store(0, std::memory_order_release); }
inline void ReleaseSpinLockShared(PEX_SPIN_LOCK lock) { SpinLockWord(lock).fetch_sub(1, std::memory_order_release); }

}  // namespace nt::ex
