// KSPIN_LOCK: 0 when free, else the address of the owning Thread with bit 0 set; bit 1 says that someone sleeps on it.
//
// The owner is in the word, so a thread that takes a lock twice, or releases one that it does not hold, is found at once.
// Uncontended: one locked instruction each way, no system call. Contended: spins, then sleeps on the low half of the word.
// In-stack queued locks use the same word; they are not queued in order, which no driver can rely on.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

constexpr ULONG_PTR kHeld = 1, kSleepers = 2, kFlags = kHeld | kSleepers;
constexpr int kSpins = 400;

std::atomic_ref<ULONG_PTR> Word(PKSPIN_LOCK lock) { return std::atomic_ref<ULONG_PTR>(*lock); }
/// The half that holds the flags, for the futex.
std::atomic<uint32_t>* LowHalf(PKSPIN_LOCK lock) { return reinterpret_cast<std::atomic<uint32_t>*>(lock); }

[[gnu::noinline]] void AcquireSlow(PKSPIN_LOCK lock, ULONG_PTR mine) {
  auto word = Word(lock);
  if ((word.load(std::memory_order_relaxed) & ~kFlags) == (mine & ~kFlags))
    BugCheckWithMessage("a spin lock is acquired by the thread that holds it", SPIN_LOCK_ALREADY_OWNED,
                        reinterpret_cast<ULONG_PTR>(lock));
  for (int spin = 0; spin < kSpins; spin++) {
    ULONG_PTR expected = 0;
    if (word.load(std::memory_order_relaxed) == 0 &&
        word.compare_exchange_weak(expected, mine, std::memory_order_acquire, std::memory_order_relaxed))
      return;
    host::SpinPause();
  }
  for (;;) {
    ULONG_PTR seen = word.load(std::memory_order_relaxed);
    if (seen == 0) {
      // Others may sleep still: whoever slept takes it with the flag.
      if (word.compare_exchange_weak(seen, mine | kSleepers, std::memory_order_acquire, std::memory_order_relaxed))
        return;
      continue;
    }
    if (!(seen & kSleepers) &&
        !word.compare_exchange_weak(seen, seen | kSleepers, std::memory_order_relaxed, std::memory_order_relaxed))
      continue;
    host::WaitOnAddress(LowHalf(lock), static_cast<uint32_t>(seen | kSleepers), SoonForBugCheck());
    ParkIfBugChecked();
  }
}

inline void AcquireWord(Thread* thread, PKSPIN_LOCK lock) {
  const ULONG_PTR mine = reinterpret_cast<ULONG_PTR>(thread) | kHeld;
  ULONG_PTR expected = 0;
  if (!Word(lock).compare_exchange_strong(expected, mine, std::memory_order_acquire, std::memory_order_relaxed))
      [[unlikely]]
    AcquireSlow(lock, mine);
}

inline void ReleaseWord(Thread* thread, PKSPIN_LOCK lock) {
  const ULONG_PTR before = Word(lock).exchange(0, std::memory_order_release);
  if (before != (reinterpret_cast<ULONG_PTR>(thread) | kHeld)) [[unlikely]] {
    if ((before & ~kFlags) != reinterpret_cast<ULONG_PTR>(thread))
      BugCheckWithMessage("a spin lock is released by a thread that does not hold it", SPIN_LOCK_NOT_OWNED,
                          reinterpret_cast<ULONG_PTR>(lock), before & ~kFlags);
    if (before & kSleepers) host::WakeAddress(LowHalf(lock), 1);
  }
}

inline void RequireDispatch(Thread* thread, PKSPIN_LOCK lock) {
  if (thread->irql < DISPATCH_LEVEL) [[unlikely]]
    BugCheckWithMessage("a spin lock routine for DISPATCH_LEVEL is called below it", IRQL_NOT_DISPATCH_LEVEL,
                        reinterpret_cast<ULONG_PTR>(lock), thread->irql);
}

}  // namespace

void InitializeSpinLock(PKSPIN_LOCK lock) { Word(lock).store(0, std::memory_order_release); }

KIRQL AcquireSpinLockRaiseToDpc(PKSPIN_LOCK lock) {
  Thread* thread = CurrentThread();
  const KIRQL old = RaiseIrql(DISPATCH_LEVEL);
  AcquireWord(thread, lock);
  return old;
}

void ReleaseSpinLock(PKSPIN_LOCK lock, KIRQL old_irql) {
  Thread* thread = CurrentThread();
  RequireDispatch(thread, lock);
  ReleaseWord(thread, lock);
  LowerIrql(old_irql);
}

void AcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock) {
  Thread* thread = CurrentThread();
  RequireDispatch(thread, lock);
  AcquireWord(thread, lock);
}

void ReleaseSpinLockFromDpcLevel(PKSPIN_LOCK lock) {
  Thread* thread = CurrentThread();
  RequireDispatch(thread, lock);
  ReleaseWord(thread, lock);
}

bool TryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock) {
  Thread* thread = CurrentThread();
  RequireDispatch(thread, lock);
  ULONG_PTR expected = 0;
  return Word(lock).compare_exchange_strong(expected, reinterpret_cast<ULONG_PTR>(thread) | kHeld,
                                            std::memory_order_acquire, std::memory_order_relaxed);
}

bool TestSpinLock(PKSPIN_LOCK lock) { return Word(lock).load(std::memory_order_acquire) == 0; }

// A threaded DPC runs at DISPATCH_LEVEL here as any other, but a caller may be below it.
KIRQL AcquireSpinLockForDpc(PKSPIN_LOCK lock) { return AcquireSpinLockRaiseToDpc(lock); }
void ReleaseSpinLockForDpc(PKSPIN_LOCK lock, KIRQL old_irql) { ReleaseSpinLock(lock, old_irql); }

void AcquireInStackQueuedSpinLock(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle) {
  handle->LockQueue.Next = nullptr;
  handle->LockQueue.Lock = lock;
  handle->OldIrql = AcquireSpinLockRaiseToDpc(lock);
}

void ReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE handle) {
  ReleaseSpinLock(handle->LockQueue.Lock, handle->OldIrql);
}

void AcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle) {
  handle->LockQueue.Next = nullptr;
  handle->LockQueue.Lock = lock;
  AcquireSpinLockAtDpcLevel(lock);
}

void ReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE handle) {
  ReleaseSpinLockFromDpcLevel(handle->LockQueue.Lock);
}

}  // namespace nt::ke
