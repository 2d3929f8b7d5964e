#include "src/base/lock.h"

#include "src/base/check.h"
#include "src/host/host.h"

namespace nt {
namespace {

constexpr uint64_t kParkCheckNanoseconds = 200'000'000;

}  // namespace

void Lock::AcquireSlow() {
  for (int spin = 0; spin < 64; spin++) {
    uint32_t expected = kFree;
    if (state_.load(std::memory_order_relaxed) == kFree &&
        state_.compare_exchange_weak(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed))
      return;
    host::SpinPause();
  }
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    // The deadline lets a thread notice that the machine has stopped while the holder was parked (ke/bug_check.h).
    host::WaitOnAddress(&state_, kContended, host::MonotonicNanoseconds() + kParkCheckNanoseconds);
    host::SchedulePoint();
  }
}

void Lock::WakeOne() { host::WakeAddress(&state_, 1); }

#ifndef NDEBUG
namespace {
constexpr int kMaxHeld = 16;
thread_local const Lock* t_held[kMaxHeld];
thread_local int t_held_count = 0;
}  // namespace

void Lock::NoteAcquire() {
  CHECK_MSG(t_held_count < kMaxHeld, "too many runtime locks held");
  if (t_held_count > 0)
    CHECK_MSG(t_held[t_held_count - 1]->rank_ < rank_, "runtime locks taken out of rank");
  t_held[t_held_count++] = this;
}

void Lock::NoteRelease() {
  for (int i = t_held_count - 1; i >= 0; i--) {
    if (t_held[i] != this) continue;
    for (int k = i; k + 1 < t_held_count; k++) t_held[k] = t_held[k + 1];
    t_held_count--;
    return;
  }
  CHECK_MSG(false, "release of a runtime lock that this thread does not hold");
}

void Lock::ForgetHeldByThisThread() { t_held_count = 0; }
#else
void Lock::ForgetHeldByThisThread() {}
#endif

}  // namespace nt
