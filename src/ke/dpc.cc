// Deferred procedure calls: one queue for each virtual processor, drained by its owner when it leaves DISPATCH_LEVEL, or by the
// service thread when nobody owns it.
//
// State in the KDPC: DpcData is the Processor whose queue holds it, null when it is in none; whoever changes it from null owns
// the insertion, whoever holds that processor's dpc_lock may change it back.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

constexpr USHORT kTargetBase = 2048;  // KDPC::Number of a DPC with a target: kTargetBase + processor

std::atomic_ref<void*> Place(PKDPC dpc) { return std::atomic_ref<void*>(dpc->DpcData); }
PKDPC FromEntry(SINGLE_LIST_ENTRY* entry) { return CONTAINING_RECORD(entry, KDPC, DpcListEntry); }

void Initialize(PKDPC dpc, UCHAR type, PKDEFERRED_ROUTINE routine, void* context) {
  dpc->TargetInfoAsUlong = 0;
  dpc->Type = type;
  dpc->Importance = MediumImportance;
  dpc->DpcListEntry.Next = nullptr;
  dpc->ProcessorHistory = 0;
  dpc->DeferredRoutine = routine;
  dpc->DeferredContext = context;
  dpc->SystemArgument1 = dpc->SystemArgument2 = nullptr;
  Place(dpc).store(nullptr, std::memory_order_release);
}

bool HasTarget(PKDPC dpc) { return dpc->Number >= kTargetBase; }

}  // namespace

void InitializeDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, void* context) {
  Initialize(dpc, DpcObject, routine, context);
}

void InitializeThreadedDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, void* context) {
  Initialize(dpc, ThreadedDpcObject, routine, context);
}

void SetImportanceDpc(PRKDPC dpc, KDPC_IMPORTANCE importance) { dpc->Importance = static_cast<UCHAR>(importance); }

void SetTargetProcessorDpc(PRKDPC dpc, CCHAR number) {
  const auto target = static_cast<UCHAR>(number);
  if (target >= TheState().processor_count)
    BugCheckWithMessage("KeSetTargetProcessorDpc: no such processor", INVALID_AFFINITY_SET, target);
  dpc->Number = static_cast<USHORT>(kTargetBase + target);
}

Processor* QueueDpc(PKDPC dpc, void* argument1, void* argument2, Processor& preferred) {
  Processor& processor = HasTarget(dpc) ? TheState().processors[dpc->Number - kTargetBase] : preferred;
  LockGuard guard(processor.dpc_lock);
  void* nowhere = nullptr;
  if (!Place(dpc).compare_exchange_strong(nowhere, &processor, std::memory_order_acq_rel)) return nullptr;
  dpc->SystemArgument1 = argument1;
  dpc->SystemArgument2 = argument2;
  auto* entry = &dpc->DpcListEntry;
  entry->Next = nullptr;
  if (!processor.dpc_head) {
    processor.dpc_head = processor.dpc_tail = dpc;
  } else if (dpc->Importance == HighImportance) {
    entry->Next = &processor.dpc_head->DpcListEntry;
    processor.dpc_head = dpc;
  } else {
    processor.dpc_tail->DpcListEntry.Next = entry;
    processor.dpc_tail = dpc;
  }
  processor.dpc_pending.fetch_add(1, std::memory_order_seq_cst);
  return &processor;
}

bool InsertQueueDpc(PRKDPC dpc, void* argument1, void* argument2) {
  Thread* thread = CurrentThread();
  State& state = TheState();
  if (thread->irql >= DISPATCH_LEVEL) {
    Processor* processor = QueueDpc(dpc, argument1, argument2, state.processors[thread->processor]);
    if (!processor) return false;
    if (processor->number != static_cast<unsigned>(thread->processor)) PokeServiceThread();
    return true;
  }
  if (HasTarget(dpc) || dpc->Importance == LowImportance) {
    Processor* processor = QueueDpc(dpc, argument1, argument2, state.processors[thread->last_processor]);
    if (!processor) return false;
    PokeServiceThread();
    return true;
  }
  const KIRQL old = RaiseIrql(DISPATCH_LEVEL);
  const bool queued = QueueDpc(dpc, argument1, argument2, state.processors[thread->processor]) != nullptr;
  LowerIrql(old);
  return queued;
}

bool RemoveQueueDpc(PRKDPC dpc) {
  for (;;) {
    auto* processor = static_cast<Processor*>(Place(dpc).load(std::memory_order_acquire));
    if (!processor) return false;
    LockGuard guard(processor->dpc_lock);
    if (Place(dpc).load(std::memory_order_relaxed) != processor) continue;
    PKDPC previous = nullptr;
    for (PKDPC at = processor->dpc_head; at;) {
      auto* next = at->DpcListEntry.Next;
      if (at == dpc) {
        if (previous) previous->DpcListEntry.Next = next;
        else processor->dpc_head = next ? FromEntry(next) : nullptr;
        if (processor->dpc_tail == dpc) processor->dpc_tail = previous;
        processor->dpc_pending.fetch_sub(1, std::memory_order_relaxed);
        Place(dpc).store(nullptr, std::memory_order_release);
        return true;
      }
      previous = at;
      at = next ? FromEntry(next) : nullptr;
    }
    CHECK_MSG(false, "a DPC is not in the queue that it names");
  }
}

void DrainDpcs(Thread* thread, Processor& processor) {
  for (;;) {
    PKDPC dpc;
    PKDEFERRED_ROUTINE routine;
    void *context, *argument1, *argument2;
    {
      LockGuard guard(processor.dpc_lock);
      dpc = processor.dpc_head;
      if (!dpc) return;
      auto* next = dpc->DpcListEntry.Next;
      processor.dpc_head = next ? FromEntry(next) : nullptr;
      if (!next) processor.dpc_tail = nullptr;
      processor.dpc_pending.fetch_sub(1, std::memory_order_relaxed);
      routine = dpc->DeferredRoutine;
      context = dpc->DeferredContext;
      argument1 = dpc->SystemArgument1;
      argument2 = dpc->SystemArgument2;
      Place(dpc).store(nullptr, std::memory_order_release);
    }
    // From here on the driver may queue the DPC again, or free it.
    AccountedStack stack;
    const bool outer_dpc = std::exchange(thread->in_dpc, true);
    GuardDriverCode("a DPC routine", [&] { CallDriver(routine, dpc, context, argument1, argument2); });
    thread->in_dpc = outer_dpc;
    if (thread->irql != DISPATCH_LEVEL)
      BugCheckWithMessage("a DPC routine returned at another IRQL", IRQL_UNEXPECTED_VALUE,
                          static_cast<ULONG_PTR>(thread->irql) << 16 | DISPATCH_LEVEL << 8,
                          reinterpret_cast<ULONG_PTR>(routine));
  }
}

void FlushQueuedDpcs() {
  Thread* thread = CurrentThread();
  if (thread->irql > APC_LEVEL)
    BugCheckWithMessage("KeFlushQueuedDpcs above PASSIVE_LEVEL", IRQL_NOT_LESS_OR_EQUAL, 0, thread->irql);
  State& state = TheState();
  // Owning a processor means that no DPC of it runs; leaving it drains its queue.
  const KIRQL old = thread->irql;
  for (unsigned number = 0; number < state.processor_count; number++) {
    BindProcessor(thread, static_cast<KAFFINITY>(1) << number);
    thread->irql = DISPATCH_LEVEL;
    LowerIrql(old);
  }
}

}  // namespace nt::ke
