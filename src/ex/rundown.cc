// EX_RUNDOWN_REF: references that one waiter can run down. Bit 0: running down (no more references); from bit 1: references.
#include <atomic>

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/host/host.h"

namespace nt::ex {
namespace {

constexpr ULONG_PTR kRunDown = 1, kReference = 2;

std::atomic_ref<ULONG_PTR> Count(PEX_RUNDOWN_REF reference) { return std::atomic_ref<ULONG_PTR>(reference->Count); }
std::atomic<uint32_t>* LowHalf(PEX_RUNDOWN_REF reference) {
  return reinterpret_cast<std::atomic<uint32_t>*>(&reference->Count);
}

}  // namespace

void InitializeRundownProtection(PEX_RUNDOWN_REF reference) { Count(reference).store(0); }
void ReInitializeRundownProtection(PEX_RUNDOWN_REF reference) { Count(reference).store(0); }
void RundownCompleted(PEX_RUNDOWN_REF reference) { Count(reference).store(kRunDown); }

bool AcquireRundownProtection(PEX_RUNDOWN_REF reference) {
  auto count = Count(reference);
  ULONG_PTR old = count.load(std::memory_order_relaxed);
  do {
    if (old & kRunDown) return false;
  } while (!count.compare_exchange_weak(old, old + kReference, std::memory_order_acquire));
  return true;
}

void ReleaseRundownProtection(PEX_RUNDOWN_REF reference) {
  const ULONG_PTR old = Count(reference).fetch_sub(kReference, std::memory_order_release);
  CHECK_MSG(old >= kReference, "rundown protection released more often than acquired");
  if (old - kReference == kRunDown) host::WakeAddress(LowHalf(reference), 1 << 30);
}

void WaitForRundownProtectionRelease(PEX_RUNDOWN_REF reference) {
  auto count = Count(reference);
  count.fetch_or(kRunDown);
  for (ULONG_PTR seen; (seen = count.load(std::memory_order_acquire)) != kRunDown;) {
    host::WaitOnAddress(LowHalf(reference), static_cast<uint32_t>(seen), host::MonotonicNanoseconds() + 100'000'000);
    host::SchedulePoint();
  }
}

}  // namespace nt::ex
