// EX_PUSH_LOCK: a pointer-sized reader-writer lock. Bit 0: held exclusively; bit 1: someone waits; from bit 4: shared holders.
// Waiters sleep on the low half of the word and try again when it changes; a waiting writer keeps new readers out.
#include <atomic>

#include "src/ex/ex.h"
#include "src/host/host.h"

namespace nt::ex {
namespace {

constexpr uint32_t kExclusive = 1, kWaiting = 2, kShared = 16;

std::atomic<uint32_t>& Word(EX_PUSH_LOCK* lock) { return *reinterpret_cast<std::atomic<uint32_t>*>(lock); }

void WaitForChange(std::atomic<uint32_t>& word, uint32_t seen) {
  if (!(seen & kWaiting) && !word.compare_exchange_strong(seen, seen | kWaiting)) return;
  // The deadline lets a thread notice that its machine has stopped (bug check), through the schedule point.
  host::WaitOnAddress(&word, seen | kWaiting, host::MonotonicNanoseconds() + 100'000'000);
  host::SchedulePoint();
}

void Release(std::atomic<uint32_t>& word, uint32_t held) {
  uint32_t old = word.load(std::memory_order_relaxed);
  uint32_t next;
  do {
    next = old - held;
    if (next < kShared) next &= ~kWaiting;
  } while (!word.compare_exchange_weak(old, next, std::memory_order_release));
  if ((old & kWaiting) && next == 0) host::WakeAddress(&word, 1 << 30);
}

}  // namespace

void InitializePushLock(EX_PUSH_LOCK* lock) { *reinterpret_cast<ULONG_PTR*>(lock) = 0; }

bool TryAcquirePushLockExclusive(EX_PUSH_LOCK* lock) {
  auto& word = Word(lock);
  uint32_t old = word.load(std::memory_order_relaxed);
  while ((old & ~kWaiting) == 0)
    if (word.compare_exchange_weak(old, old | kExclusive, std::memory_order_acquire)) return true;
  return false;
}

void AcquirePushLockExclusive(EX_PUSH_LOCK* lock) {
  while (!TryAcquirePushLockExclusive(lock)) {
    const uint32_t seen = Word(lock).load(std::memory_order_relaxed);
    if (seen & ~kWaiting) WaitForChange(Word(lock), seen);
  }
}

bool TryAcquirePushLockShared(EX_PUSH_LOCK* lock) {
  auto& word = Word(lock);
  uint32_t old = word.load(std::memory_order_relaxed);
  while (!(old & (kExclusive | kWaiting)))
    if (word.compare_exchange_weak(old, old + kShared, std::memory_order_acquire)) return true;
  return false;
}

void AcquirePushLockShared(EX_PUSH_LOCK* lock) {
  while (!TryAcquirePushLockShared(lock)) {
    const uint32_t seen = Word(lock).load(std::memory_order_relaxed);
    if (seen & (kExclusive | kWaiting)) WaitForChange(Word(lock), seen);
  }
}

void ReleasePushLockExclusive(EX_PUSH_LOCK* lock) { Release(Word(lock), kExclusive); }
void ReleasePushLockShared(EX_PUSH_LOCK* lock) { Release(Word(lock), kShared); }

void ReleasePushLock(EX_PUSH_LOCK* lock) {
  if (Word(lock).load(std::memory_order_relaxed) & kExclusive) ReleasePushLockExclusive(lock);
  else ReleasePushLockShared(lock);
}

}  // namespace nt::ex
