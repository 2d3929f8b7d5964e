// Clocks.
#include <ctime>

#include "src/host/host.h"

namespace host {
namespace {

// 1601-01-01 to 1970-01-01: 369 years with 89 leap days.
constexpr uint64_t kUnixEpochSeconds = (369ull * 365 + 89) * 86400;

timespec Now(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now;
}

}  // namespace

uint64_t MonotonicNanoseconds() {
  const timespec now = Now(CLOCK_MONOTONIC);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t SystemTime100ns() {
  const timespec now = Now(CLOCK_REALTIME);
  return (static_cast<uint64_t>(now.tv_sec) + kUnixEpochSeconds) * 10000000u +
         static_cast<uint64_t>(now.tv_nsec) / 100;
}

int LocalTimeBiasMinutes() {
  const time_t now = Now(CLOCK_REALTIME).tv_sec;
  tm local;
  if (!localtime_r(&now, &local)) return 0;
  return static_cast<int>(-local.tm_gmtoff / 60);
}

}  // namespace host
