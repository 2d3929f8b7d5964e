// Local time and system time.
#include "src/ex/ex.h"
#include "src/host/host.h"

namespace nt::ex {
namespace {

LONGLONG Bias100ns() { return static_cast<LONGLONG>(host::LocalTimeBiasMinutes()) * 60 * 10'000'000; }

}  // namespace

void SystemTimeToLocalTime(const LARGE_INTEGER* system, LARGE_INTEGER* local) {
  local->QuadPart = system->QuadPart - Bias100ns();
}
void LocalTimeToSystemTime(const LARGE_INTEGER* local, LARGE_INTEGER* system) {
  system->QuadPart = local->QuadPart + Bias100ns();
}

}  // namespace nt::ex
