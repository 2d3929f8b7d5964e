// Waiting on a 32-bit word: the one primitive below every lock, dispatcher wait and queue of the runtime.
// All ordering comes from the caller's atomics; the system call only sleeps.
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

#include "src/host/host.h"

namespace host {

WaitResult WaitOnAddress(std::atomic<uint32_t>* address, uint32_t expected, Deadline deadline) {
  timespec until;
  timespec* timeout = nullptr;
  if (deadline != kForever) {
    // The kernel takes signed seconds; a deadline of centuries is as good as none.
    until.tv_sec = static_cast<time_t>(deadline / 1000000000u);
    until.tv_nsec = static_cast<long>(deadline % 1000000000u);
    timeout = &until;
  }
  const int saved_errno = errno;
  // FUTEX_WAIT_BITSET takes an absolute time on CLOCK_MONOTONIC, so a restart after a signal does not stretch it.
  const long result = syscall(SYS_futex, reinterpret_cast<uint32_t*>(address), FUTEX_WAIT_BITSET_PRIVATE, expected,
                              timeout, nullptr, FUTEX_BITSET_MATCH_ANY);
  const bool timed_out = result < 0 && errno == ETIMEDOUT;
  errno = saved_errno;
  return timed_out ? WaitResult::kTimedOut : WaitResult::kWoken;
}

void WakeAddress(std::atomic<uint32_t>* address, int count) {
  const int saved_errno = errno;
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(address), FUTEX_WAKE_PRIVATE, count < 0 ? INT_MAX : count, nullptr,
          nullptr, 0);
  errno = saved_errno;
}

void Yield() { sched_yield(); }

}  // namespace host
