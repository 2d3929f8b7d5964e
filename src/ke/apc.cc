// APCs, and the regions that hold them back.
//
// A thread has one list for each mode; special kernel APCs stand before normal ones. Attachment does not switch lists: there
// is one address space. apc_pending is 1 while the kernel list is not empty. Delivery points: lowering the IRQL below
// APC_LEVEL, leaving a region, entry and exit of a wait, and the end of a service; a kernel APC also ends a wait that would
// accept it. Never from a signal.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

PKKERNEL_ROUTINE KernelRoutine(PKAPC apc) { return reinterpret_cast<PKKERNEL_ROUTINE>(apc->Reserved[0]); }
PKRUNDOWN_ROUTINE RundownRoutine(PKAPC apc) { return reinterpret_cast<PKRUNDOWN_ROUTINE>(apc->Reserved[1]); }
PKNORMAL_ROUTINE NormalRoutine(PKAPC apc) { return reinterpret_cast<PKNORMAL_ROUTINE>(apc->Reserved[2]); }

PKAPC FromEntry(LIST_ENTRY* entry) { return CONTAINING_RECORD(entry, KAPC, ApcListEntry); }

/// What an APC says, copied before its kernel routine, which may free it.
struct Call {
  PKAPC apc;
  PKKERNEL_ROUTINE kernel_routine;
  PKNORMAL_ROUTINE normal_routine;
  void *context, *argument1, *argument2;
};

Call TakeLocked(PKAPC apc) {
  ListRemove(&apc->ApcListEntry);
  apc->Inserted = FALSE;
  return {apc,           KernelRoutine(apc),   NormalRoutine(apc),
          apc->NormalContext, apc->SystemArgument1, apc->SystemArgument2};
}

void CallKernelRoutine(Thread* thread, Call& call) {
  thread->irql = APC_LEVEL;
  GuardDriverCode("an APC kernel routine", [&] {
    CallDriver(call.kernel_routine, call.apc, &call.normal_routine, &call.context, &call.argument1, &call.argument2);
  });
  if (thread->irql != APC_LEVEL)
    BugCheckWithMessage("an APC kernel routine returned at another IRQL", IRQL_UNEXPECTED_VALUE,
                        static_cast<ULONG_PTR>(thread->irql) << 16 | APC_LEVEL << 8,
                        reinterpret_cast<ULONG_PTR>(call.kernel_routine));
}

bool Insert(PKAPC apc, void* argument1, void* argument2, bool only_if_delivered) {
  Thread* current = CurrentThread();
  Thread* target = AsThread(apc->Thread);
  {
    Dispatcher dispatcher;
    if (apc->Inserted || !target->apc_queueable) return false;
    apc->SystemArgument1 = argument1;
    apc->SystemArgument2 = argument2;
    LIST_ENTRY* head = &target->apc_list[static_cast<int>(apc->ApcMode)];
    if (apc->ApcMode != KernelMode) {
      if (only_if_delivered && target->in_machine.load(std::memory_order_seq_cst) == 0) return false;
      ListPushBack(head, &apc->ApcListEntry);
      apc->Inserted = TRUE;
      target->user_apc_queued.store(true, std::memory_order_release);
      if (target->waiting && target->wait_mode == UserMode && target->wait_alertable) {
        target->user_apc_pending = true;
        UnwaitLocked(target, STATUS_USER_APC, dispatcher.wakes);
      }
      return true;
    }
    if (NormalRoutine(apc)) {
      ListPushBack(head, &apc->ApcListEntry);
    } else {
      LIST_ENTRY* after = head->Blink;
      while (after != head && NormalRoutine(FromEntry(after))) after = after->Blink;
      ListInsertBefore(after->Flink, &apc->ApcListEntry);
    }
    apc->Inserted = TRUE;
    target->apc_pending.store(1, std::memory_order_relaxed);
    // The end of a service clears in_machine, then looks at apc_pending: one of the two sees the other. A thread that waits
    // will look after this critical section.
    if (only_if_delivered && target != current && !target->waiting) host::HeavyBarrier();
    if (only_if_delivered && target != current && target->in_machine.load(std::memory_order_acquire) == 0) {
      ListRemove(&apc->ApcListEntry);
      apc->Inserted = FALSE;
      if (ListEmpty(head)) target->apc_pending.store(0, std::memory_order_relaxed);
      return false;
    }
    if (target->waiting && KernelApcDeliverableLocked(target))
      UnwaitLocked(target, kWaitEndedByKernelApc, dispatcher.wakes);
  }
  if (target == current) DeliveryPoint(current);
  return true;
}

}  // namespace

bool KernelApcDeliverableLocked(Thread* thread) {
  if (thread->irql >= APC_LEVEL || thread->special_apc_disable != 0) return false;
  LIST_ENTRY* head = &thread->apc_list[KernelMode];
  if (ListEmpty(head)) return false;
  if (!NormalRoutine(FromEntry(head->Flink))) return true;
  return thread->kernel_apc_disable == 0 && !thread->kernel_apc_in_progress;
}

void DeliverKernelApcs() {
  Thread* thread = CurrentThread();
  const KIRQL old = thread->irql;
  for (;;) {
    Call call;
    {
      Dispatcher dispatcher;
      if (!KernelApcDeliverableLocked(thread)) return;
      call = TakeLocked(FromEntry(thread->apc_list[KernelMode].Flink));
      if (ListEmpty(&thread->apc_list[KernelMode])) thread->apc_pending.store(0, std::memory_order_relaxed);
    }
    const bool normal = call.normal_routine != nullptr;
    CallKernelRoutine(thread, call);
    if (normal && call.normal_routine) {
      thread->kernel_apc_in_progress = true;
      thread->irql = PASSIVE_LEVEL;
      GuardDriverCode("a normal kernel APC",
                      [&] { CallDriver(call.normal_routine, call.context, call.argument1, call.argument2); });
      thread->kernel_apc_in_progress = false;
    }
    thread->irql = old;
  }
}

void DeliverUserApcs(Thread* thread) {
  for (;;) {
    Call call;
    {
      Dispatcher dispatcher;
      thread->user_apc_pending = false;
      LIST_ENTRY* head = &thread->apc_list[UserMode];
      if (ListEmpty(head)) {
        thread->user_apc_queued.store(false, std::memory_order_relaxed);
        return;
      }
      call = TakeLocked(FromEntry(head->Flink));
    }
    CallKernelRoutine(thread, call);
    thread->irql = PASSIVE_LEVEL;
    // The requestor's routine: an ms_abi function of the embedder.
    if (call.normal_routine)
      GuardDriverCode("a user APC",
                      [&] { CallDriver(call.normal_routine, call.context, call.argument1, call.argument2); });
  }
}

void InitializeApc(PRKAPC apc, PKTHREAD thread, KAPC_ENVIRONMENT environment, PKKERNEL_ROUTINE kernel_routine,
                   PKRUNDOWN_ROUTINE rundown_routine, PKNORMAL_ROUTINE normal_routine, KPROCESSOR_MODE mode,
                   void* context) {
  apc->Type = ApcObject;
  apc->AllFlags = 0;
  apc->Size = sizeof(KAPC);
  apc->SpareByte1 = 0;
  apc->SpareLong0 = 0;
  apc->Thread = thread;
  apc->ApcListEntry = {nullptr, nullptr};
  apc->Reserved[0] = reinterpret_cast<void*>(kernel_routine);
  apc->Reserved[1] = reinterpret_cast<void*>(rundown_routine);
  apc->Reserved[2] = reinterpret_cast<void*>(normal_routine);
  apc->NormalContext = normal_routine ? context : nullptr;
  apc->SystemArgument1 = apc->SystemArgument2 = nullptr;
  apc->ApcStateIndex = static_cast<CCHAR>(environment == CurrentApcEnvironment ? OriginalApcEnvironment : environment);
  apc->ApcMode = normal_routine ? mode : static_cast<KPROCESSOR_MODE>(KernelMode);
  apc->Inserted = FALSE;
}

bool InsertQueueApc(PRKAPC apc, void* argument1, void* argument2, KPRIORITY) {
  return Insert(apc, argument1, argument2, false);
}

bool InsertQueueApcIfDelivered(PRKAPC apc, void* argument1, void* argument2) {
  return Insert(apc, argument1, argument2, true);
}

bool RemoveQueueApc(PRKAPC apc) {
  Dispatcher dispatcher;
  if (!apc->Inserted) return false;
  Thread* target = AsThread(apc->Thread);
  ListRemove(&apc->ApcListEntry);
  apc->Inserted = FALSE;
  if (ListEmpty(&target->apc_list[KernelMode])) target->apc_pending.store(0, std::memory_order_relaxed);
  return true;
}

bool AlertThread(PKTHREAD alerted, KPROCESSOR_MODE mode) {
  Thread* thread = AsThread(alerted);
  Dispatcher dispatcher;
  const bool before = thread->alerted[static_cast<int>(mode)];
  if (before) return true;
  if (thread->waiting && thread->wait_alertable && mode <= thread->wait_mode)
    UnwaitLocked(thread, STATUS_ALERTED, dispatcher.wakes);
  else
    thread->alerted[static_cast<int>(mode)] = true;
  return false;
}

bool TestAlertThread(KPROCESSOR_MODE mode) {
  Thread* thread = CurrentThread();
  Dispatcher dispatcher;
  const bool before = thread->alerted[static_cast<int>(mode)];
  thread->alerted[static_cast<int>(mode)] = false;
  if (!before && mode == UserMode && !ListEmpty(&thread->apc_list[UserMode])) thread->user_apc_pending = true;
  return before;
}

void RundownApcs(Thread* thread) {
  for (;;) {
    bool deliverable;
    PKAPC first;
    {
      Dispatcher dispatcher;
      LIST_ENTRY* head = &thread->apc_list[KernelMode];
      if (ListEmpty(head)) {
        thread->apc_queueable = false;
        break;
      }
      first = FromEntry(head->Flink);
      deliverable = KernelApcDeliverableLocked(thread);
    }
    if (!deliverable || thread != CurrentThreadOrNull())
      BugCheckWithMessage("a thread ends with a kernel APC queued to it", KERNEL_APC_PENDING_DURING_EXIT,
                          reinterpret_cast<ULONG_PTR>(first));
    DeliverKernelApcs();
  }
  for (;;) {
    PKAPC apc;
    {
      Dispatcher dispatcher;
      LIST_ENTRY* head = &thread->apc_list[UserMode];
      if (ListEmpty(head)) return;
      apc = FromEntry(head->Flink);
      ListRemove(&apc->ApcListEntry);
      apc->Inserted = FALSE;
    }
    if (PKRUNDOWN_ROUTINE rundown = RundownRoutine(apc))
      GuardDriverCode("an APC rundown routine", [&] { CallDriver(rundown, apc); });
  }
}

void EnterCriticalRegion() { CurrentThread()->kernel_apc_disable--; }

void LeaveCriticalRegion() {
  Thread* thread = CurrentThread();
  if (thread->kernel_apc_disable >= 0) [[unlikely]]
    BugCheckWithMessage("KeLeaveCriticalRegion outside a critical region", APC_INDEX_MISMATCH, 0, 0,
                        static_cast<ULONG_PTR>(thread->special_apc_disable) << 16);
  if (++thread->kernel_apc_disable == 0) DeliveryPoint(thread);
}

void EnterGuardedRegion() { CurrentThread()->special_apc_disable--; }

void LeaveGuardedRegion() {
  Thread* thread = CurrentThread();
  if (thread->special_apc_disable >= 0) [[unlikely]]
    BugCheckWithMessage("KeLeaveGuardedRegion outside a guarded region", APC_INDEX_MISMATCH, 0, 0,
                        static_cast<USHORT>(thread->kernel_apc_disable));
  if (++thread->special_apc_disable == 0) DeliveryPoint(thread);
}

bool AreApcsDisabled() {
  Thread* thread = CurrentThread();
  return thread->kernel_apc_disable != 0 || thread->special_apc_disable != 0;
}

bool AreAllApcsDisabled() {
  Thread* thread = CurrentThread();
  return thread->irql >= APC_LEVEL || thread->special_apc_disable != 0;
}

}  // namespace nt::ke
