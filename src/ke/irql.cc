// Raising and lowering, and the virtual processors behind DISPATCH_LEVEL (irql.h).
//
// No wake-up is lost between a thread that queues a DPC and the owner of the processor that gives it back: the one counts the
// DPC and then tries to own the processor; the other gives it back and then looks at the count. One of them sees the other.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

constexpr int kSpinsForProcessor = 200;

void SetProcessor(Thread* thread, unsigned number) {
  thread->processor = static_cast<int>(number);
  thread->last_processor = number;
  thread->pcr.processor_number = number;
  thread->pcr.prcb_number = number;
}

bool TryBindAny(Thread* thread, KAFFINITY mask) {
  State& state = TheState();
  const unsigned last = thread->last_processor;
  if ((mask >> last & 1) && TryBindProcessor(thread, state.processors[last])) return true;
  for (unsigned number = 0; number < state.processor_count; number++) {
    if (number != last && (mask >> number & 1) && TryBindProcessor(thread, state.processors[number])) return true;
  }
  return false;
}

void GiveBack(Processor& processor) {
  State& state = TheState();
  processor.owned.store(0, std::memory_order_seq_cst);
  if (state.processor_waiters.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
    state.processor_releases.fetch_add(1, std::memory_order_seq_cst);
    host::WakeAddress(&state.processor_releases, static_cast<int>(kMaxProcessors));
  }
}

/// Leaves DISPATCH_LEVEL: DPCs, then the processor goes back.
void LeaveProcessor(Thread* thread) {
  Processor& processor = TheState().processors[thread->processor];
  do {
    while (processor.dpc_pending.load(std::memory_order_acquire) != 0) [[unlikely]]
      DrainDpcs(thread, processor);
    thread->processor = -1;
    GiveBack(processor);
    // Someone else who owns it by now will drain it.
  } while (processor.dpc_pending.load(std::memory_order_seq_cst) != 0 && TryBindProcessor(thread, processor));
}

}  // namespace

bool TryBindProcessor(Thread* thread, Processor& processor) {
  uint32_t expected = 0;
  if (!processor.owned.compare_exchange_strong(expected, 1, std::memory_order_seq_cst)) return false;
  SetProcessor(thread, processor.number);
  return true;
}

void BindProcessor(Thread* thread, KAFFINITY mask) {
  if (TryBindAny(thread, mask)) [[likely]]
    return;
  State& state = TheState();
  for (int spin = 0; spin < kSpinsForProcessor; spin++) {
    host::SpinPause();
    if (TryBindAny(thread, mask)) return;
  }
  state.processor_waiters.fetch_add(1, std::memory_order_seq_cst);
  for (;;) {
    const uint32_t releases = state.processor_releases.load(std::memory_order_seq_cst);
    if (TryBindAny(thread, mask)) break;
    host::WaitOnAddress(&state.processor_releases, releases, SoonForBugCheck());
    ParkIfBugChecked();
  }
  state.processor_waiters.fetch_sub(1, std::memory_order_seq_cst);
}

KIRQL RaiseIrql(KIRQL irql) {
  Thread* thread = CurrentThread();
  const KIRQL old = thread->irql;
  if (irql < old) [[unlikely]]
    BugCheckWithMessage("KeRaiseIrql to a lower IRQL", IRQL_NOT_GREATER_OR_EQUAL, old, irql);
  if (irql >= DISPATCH_LEVEL && old < DISPATCH_LEVEL) BindProcessor(thread, thread->affinity);
  thread->irql = irql;
  return old;
}

void LowerIrql(KIRQL irql) {
  Thread* thread = CurrentThread();
  const KIRQL old = thread->irql;
  if (irql > old) [[unlikely]]
    BugCheckWithMessage("KeLowerIrql to a higher IRQL", IRQL_NOT_LESS_OR_EQUAL, irql, old);
  if (old >= DISPATCH_LEVEL && irql < DISPATCH_LEVEL) {
    thread->irql = DISPATCH_LEVEL;
    LeaveProcessor(thread);
  }
  thread->irql = irql;
  DeliveryPoint(thread);
}

}  // namespace nt::ke
