// Timers: one list by due time, expired by the service thread, which also runs the DPCs of processors that nobody owns.
//
// KTIMER: Header.Reserved1 is the NT "inserted" mark, DueTime an interrupt time. A timer that is due when it is set expires at
// once. Its DPC is queued under the dispatcher lock, so KeCancelTimer, KeRemoveQueueDpc, KeFlushQueuedDpcs in this order leave
// nothing behind.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

constexpr UCHAR kInserted = 0x40;

bool IsInserted(PKTIMER timer) { return timer->Header.Reserved1 & kInserted; }

void RemoveLocked(PKTIMER timer) {
  ListRemove(&timer->TimerListEntry);
  timer->Header.Reserved1 &= static_cast<UCHAR>(~kInserted);
}

/// @returns whether it became the first
bool InsertLocked(State& state, PKTIMER timer) {
  LIST_ENTRY* after = state.timers.Blink;
  while (after != &state.timers &&
         CONTAINING_RECORD(after, KTIMER, TimerListEntry)->DueTime.QuadPart > timer->DueTime.QuadPart)
    after = after->Blink;
  ListInsertBefore(after->Flink, &timer->TimerListEntry);
  timer->Header.Reserved1 |= kInserted;
  return after == &state.timers;
}

/// Signals a timer that is in no list, puts a periodic one back. @returns the processor that got its DPC, if any
Processor* ExpireLocked(State& state, PKTIMER timer, Processor& preferred, WakeList& wakes, bool* became_first) {
  PKDPC dpc = timer->Dpc;
  WriteSignal(&timer->Header, 1);
  TestWaitersLocked(&timer->Header, wakes);
  if (timer->Period != 0) {
    const uint64_t period = static_cast<uint64_t>(timer->Period) * 10'000;
    const uint64_t now = InterruptTimeNow();
    uint64_t next = timer->DueTime.QuadPart + period;
    if (next <= now) next += (now - next) / period * period + period;  // late by periods: one expiry for all of them
    timer->DueTime.QuadPart = next;
    *became_first |= InsertLocked(state, timer);
  }
  return dpc ? QueueDpc(dpc, ULongToPtr(static_cast<ULONG>(timer->DueTime.LowPart)),
                        ULongToPtr(static_cast<ULONG>(timer->DueTime.HighPart)), preferred)
             : nullptr;
}

Processor& PreferredProcessor(Thread* thread) {
  return TheState().processors[thread->processor >= 0 ? static_cast<unsigned>(thread->processor) : thread->last_processor];
}

bool Set(PKTIMER timer, LARGE_INTEGER due_time, ULONG period_ms, PKDPC dpc) {
  EnsureServiceThread();
  Thread* thread = CurrentThread();
  State& state = TheState();
  // At DISPATCH_LEVEL a DPC that is queued here waits for the lowering of the IRQL.
  IrqlScope at_dispatch(DISPATCH_LEVEL);
  bool was_inserted, became_first = false, poke = false;
  {
    Dispatcher dispatcher;
    was_inserted = IsInserted(timer);
    if (was_inserted) RemoveLocked(timer);
    WriteSignal(&timer->Header, 0);
    timer->Dpc = dpc;
    timer->Period = period_ms;
    const uint64_t now = InterruptTimeNow();
    uint64_t due = now;
    if (due_time.QuadPart < 0) {
      due = now + (0 - static_cast<uint64_t>(due_time.QuadPart));
    } else {
      const uint64_t system_now = host::SystemTime100ns();
      const auto wanted = static_cast<uint64_t>(due_time.QuadPart);
      if (wanted > system_now) due = now + (wanted - system_now);
    }
    timer->DueTime.QuadPart = due;
    if (due <= now) {
      Processor* processor = ExpireLocked(state, timer, PreferredProcessor(thread), dispatcher.wakes, &became_first);
      poke = processor && processor->number != static_cast<unsigned>(thread->processor);
    } else {
      became_first = InsertLocked(state, timer);
    }
  }
  if (became_first || poke) PokeServiceThread();
  return was_inserted;
}

/// Lets the DPCs of processors that nobody owns run on this thread.
void DrainFreeProcessors(Thread* thread) {
  State& state = TheState();
  for (unsigned number = 0; number < state.processor_count; number++) {
    Processor& processor = state.processors[number];
    if (processor.dpc_pending.load(std::memory_order_seq_cst) == 0) continue;
    if (!TryBindProcessor(thread, processor)) continue;  // its owner drains it
    thread->irql = DISPATCH_LEVEL;
    LowerIrql(PASSIVE_LEVEL);
  }
}

void ServiceThreadMain(const ThreadFactory* factory) {
  Thread* thread = factory ? factory->create() : static_cast<Thread*>(nullptr);
  CHECK_MSG(!factory || thread, "no memory for the kernel's service thread");
  if (thread) InitializeThread(thread, nullptr);
  AttachThread(thread, true);
  thread = CurrentThread();
  State& state = TheState();
  {
    AccountedStack stack;
    while (!state.service_stop.load(std::memory_order_acquire)) {
      const uint32_t word = state.service_word.load(std::memory_order_seq_cst);
      const host::Deadline next = ExpireTimers();
      DrainFreeProcessors(thread);
      ParkIfBugChecked();
      if (!state.service_stop.load(std::memory_order_acquire)) host::WaitOnAddress(&state.service_word, word, next);
    }
  }
  DetachCurrentThread();
}

}  // namespace

void InitializeTimerEx(PKTIMER timer, TIMER_TYPE type) {
  InitializeHeader(&timer->Header, type == SynchronizationTimer ? TimerSynchronizationObject : TimerNotificationObject,
                   sizeof(KTIMER), 0);
  timer->DueTime.QuadPart = 0;
  timer->TimerListEntry = {nullptr, nullptr};
  timer->Dpc = nullptr;
  timer->Processor = 0;
  timer->TimerType = 0;
  timer->Period = 0;
}

void InitializeTimer(PKTIMER timer) { InitializeTimerEx(timer, NotificationTimer); }

bool SetTimer(PKTIMER timer, LARGE_INTEGER due_time, PKDPC dpc) { return Set(timer, due_time, 0, dpc); }

bool SetTimerEx(PKTIMER timer, LARGE_INTEGER due_time, LONG period_ms, PKDPC dpc) {
  return Set(timer, due_time, period_ms > 0 ? static_cast<ULONG>(period_ms) : 0, dpc);
}

bool CancelTimer(PKTIMER timer) {
  Dispatcher dispatcher;
  if (!IsInserted(timer)) return false;
  RemoveLocked(timer);
  return true;
}

void CancelTimersOf(uintptr_t low, size_t bytes) {
  const auto inside = [&](const void* address) { return reinterpret_cast<uintptr_t>(address) - low < bytes; };
  Dispatcher dispatcher;
  for (LIST_ENTRY *entry = TheState().timers.Flink, *next; entry != &TheState().timers; entry = next) {
    next = entry->Flink;
    auto* timer = CONTAINING_RECORD(entry, KTIMER, TimerListEntry);
    if (inside(timer) || (timer->Dpc && inside(reinterpret_cast<const void*>(timer->Dpc->DeferredRoutine)))) RemoveLocked(timer);
  }
}

bool ReadStateTimer(PKTIMER timer) { return ReadSignal(&timer->Header) != 0; }

host::Deadline ExpireTimers() {
  Thread* thread = CurrentThread();
  State& state = TheState();
  Dispatcher dispatcher;
  for (;;) {
    if (ListEmpty(&state.timers)) return host::kForever;
    auto* timer = CONTAINING_RECORD(state.timers.Flink, KTIMER, TimerListEntry);
    if (timer->DueTime.QuadPart > InterruptTimeNow()) return DeadlineOfInterruptTime(timer->DueTime.QuadPart);
    RemoveLocked(timer);
    bool became_first = false;
    ExpireLocked(state, timer, PreferredProcessor(thread), dispatcher.wakes, &became_first);
  }
}

void EnsureServiceThread() {
  State& state = TheState();
  if (state.service_started.load(std::memory_order_acquire) == 2) return;
  uint32_t expected = 0;
  if (state.service_started.compare_exchange_strong(expected, 1)) {
    const ThreadFactory* factory = state.factory;
    state.service_thread = host::Thread::Start("ke service", SystemThreadStackBytes(),
                                               [factory] { ServiceThreadMain(factory); });
    CHECK_MSG(state.service_thread, "the kernel's service thread does not start");
    state.service_started.store(2, std::memory_order_release);
    host::WakeAddress(&state.service_started, -1);
  }
  while (state.service_started.load(std::memory_order_acquire) == 1)
    host::WaitOnAddress(&state.service_started, 1, host::kForever);
}

void StopServiceThread() {
  State& state = TheState();
  if (state.service_started.load(std::memory_order_acquire) == 0) return;
  state.service_stop.store(true, std::memory_order_release);
  PokeServiceThread();
  state.service_thread->Join();
  state.service_thread.reset();
  state.service_stop.store(false, std::memory_order_relaxed);
  state.service_started.store(0, std::memory_order_release);
}

void PokeServiceThread() {
  EnsureServiceThread();
  State& state = TheState();
  state.service_word.fetch_add(1, std::memory_order_seq_cst);
  host::WakeAddress(&state.service_word, 1);
}

}  // namespace nt::ke
