// Time. Interrupt time counts from the boot of the machine; a tick is 15.625 ms; no thread ticks: every answer is computed.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

constexpr uint64_t kPerformanceFrequency = 10'000'000;

void WriteSystemTime(volatile KSYSTEM_TIME* time, uint64_t value) {
  // Readers on NT compare High1Time and High2Time; here nobody reads while this is written.
  time->High2Time = static_cast<LONG>(value >> 32);
  time->LowPart = static_cast<ULONG>(value);
  time->High1Time = static_cast<LONG>(value >> 32);
}

}  // namespace

uint64_t InterruptTimeNow() { return (host::MonotonicNanoseconds() - TheState().boot_ns) / 100; }

host::Deadline DeadlineOfInterruptTime(uint64_t interrupt_time) {
  const uint64_t boot = TheState().boot_ns;
  if (interrupt_time >= (host::kForever - boot) / 100 - 1) return host::kForever;
  return boot + interrupt_time * 100;
}

void QuerySystemTime(PLARGE_INTEGER time) { time->QuadPart = static_cast<LONGLONG>(host::SystemTime100ns()); }
void QuerySystemTimePrecise(PLARGE_INTEGER time) { QuerySystemTime(time); }
ULONGLONG QueryInterruptTime() { return InterruptTimeNow(); }
ULONGLONG QueryUnbiasedInterruptTime() { return InterruptTimeNow(); }

ULONGLONG QueryInterruptTimePrecise(PULONG64 performance_counter) {
  const uint64_t now = InterruptTimeNow();
  *performance_counter = now;
  return now;
}

LARGE_INTEGER QueryPerformanceCounter(PLARGE_INTEGER frequency) {
  if (frequency) frequency->QuadPart = kPerformanceFrequency;
  LARGE_INTEGER counter;
  counter.QuadPart = static_cast<LONGLONG>(InterruptTimeNow());
  return counter;
}

ULONG QueryTimeIncrement() { return kTimeIncrement100ns; }

void QueryTickCount(PLARGE_INTEGER ticks) {
  ticks->QuadPart = static_cast<LONGLONG>(InterruptTimeNow() / kTimeIncrement100ns);
}

void StallExecutionProcessor(ULONG microseconds) {
  const uint64_t until = host::MonotonicNanoseconds() + static_cast<uint64_t>(microseconds) * 1000;
  while (host::MonotonicNanoseconds() < until) host::SpinPause();
}

void UpdateSharedUserData(void* page) {
  auto* data = static_cast<KUSER_SHARED_DATA*>(page);
  const uint64_t interrupt_time = g_state ? InterruptTimeNow() : 0;
  WriteSystemTime(&data->InterruptTime, interrupt_time);
  WriteSystemTime(&data->SystemTime, host::SystemTime100ns());
  WriteSystemTime(&data->TimeZoneBias,
                  static_cast<uint64_t>(static_cast<int64_t>(host::LocalTimeBiasMinutes()) * 600'000'000));
  WriteSystemTime(&data->TickCount, interrupt_time / kTimeIncrement100ns);
  data->TickCountMultiplier = 0x0fa00000;  // 15.625 ms in 8.24 fixed point
  data->TickCountLowDeprecated = static_cast<ULONG>(interrupt_time / kTimeIncrement100ns);
  data->QpcFrequency = kPerformanceFrequency;
  if (g_state) {
    data->ActiveProcessorCount = g_state->processor_count;
    data->ActiveGroupCount = 1;
  }
}

}  // namespace nt::ke
