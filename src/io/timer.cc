// Device timers: one routine per device, called once a second at DISPATCH_LEVEL while started.
#include <algorithm>

#include "src/io/internal.h"

struct _IO_TIMER {
  CSHORT type;
  CSHORT enabled;
  DEVICE_OBJECT* device;
  PIO_TIMER_ROUTINE routine;
  void* context;
};

namespace nt::io {
namespace {

constexpr LONG kPeriodMs = 1000;

struct Timers {
  KTIMER timer;
  KDPC dpc;
  std::vector<PIO_TIMER> list;  // under database
  unsigned enabled = 0;         // under database
};

Timers* TheTimers() { return static_cast<Timers*>(g_state->timers); }

VOID NTIO_MS_ABI Tick(PKDPC, PVOID, PVOID, PVOID) {
  std::vector<_IO_TIMER> due;
  {
    LockGuard guard(g_state->database);
    for (PIO_TIMER timer : TheTimers()->list)
      if (timer->enabled) {
        due.push_back(*timer);
        ob::ReferenceObject(timer->device);
      }
  }
  for (const _IO_TIMER& timer : due) {
    nt::CallDriver(timer.routine, timer.device, timer.context);
    ob::DereferenceObject(timer.device);
  }
}

}  // namespace

Status InitializeTimer(DEVICE_OBJECT* device, PIO_TIMER_ROUTINE routine, void* context) {
  PIO_TIMER timer = device->Timer;
  if (!timer) {
    timer = ex::PoolNew<_IO_TIMER>('iToI');
    if (!timer) return STATUS_INSUFFICIENT_RESOURCES;
    *timer = {IO_TYPE_TIMER, 0, device, nullptr, nullptr};
  }
  LockGuard guard(g_state->database);
  timer->routine = routine;
  timer->context = context;
  if (!g_state->timers) {
    auto* timers = new Timers;
    ke::InitializeTimerEx(&timers->timer, SynchronizationTimer);
    ke::InitializeDpc(&timers->dpc, Tick, nullptr);
    g_state->timers = timers;
  }
  if (!device->Timer) {
    TheTimers()->list.push_back(timer);
    device->Timer = timer;
  }
  return STATUS_SUCCESS;
}

void StartTimer(DEVICE_OBJECT* device) {
  bool first = false;
  {
    LockGuard guard(g_state->database);
    if (!device->Timer || device->Timer->enabled || (Extra(device)->state & (kDeletePending | kUnloadPending))) return;
    device->Timer->enabled = 1;
    first = TheTimers()->enabled++ == 0;
  }
  if (!first) return;
  LARGE_INTEGER due;
  due.QuadPart = -10'000ll * kPeriodMs;
  ke::SetTimerEx(&TheTimers()->timer, due, kPeriodMs, &TheTimers()->dpc);
}

void StopTimer(DEVICE_OBJECT* device) {
  bool last = false;
  {
    LockGuard guard(g_state->database);
    if (!device->Timer || !device->Timer->enabled) return;
    device->Timer->enabled = 0;
    last = --TheTimers()->enabled == 0;
  }
  if (last) ke::CancelTimer(&TheTimers()->timer);
}

void CancelTimerOf(DEVICE_OBJECT* device) {
  if (!device->Timer) return;
  StopTimer(device);
  PIO_TIMER timer;
  {
    LockGuard guard(g_state->database);
    timer = std::exchange(device->Timer, nullptr);
    std::erase(TheTimers()->list, timer);
  }
  ex::PoolDelete(timer);
}

void TimersShutdown() {
  Timers* timers = TheTimers();
  if (!timers) return;
  ke::CancelTimer(&timers->timer);
  ke::FlushQueuedDpcs();
  delete timers;
  g_state->timers = nullptr;
}

}  // namespace nt::io
