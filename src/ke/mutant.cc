// Mutants, and mutexes, which are mutants that also disable normal kernel APCs of their owner.
//
// SignalState: 1 free, 0 and below owned once or more. The owner's list of mutants ends with the thread: a mutant is then
// abandoned; a held mutex is a bug check.
#include "src/ke/internal.h"

namespace nt::ke {

void InitializeMutex(PRKMUTEX mutex, ULONG) {
  InitializeHeader(&mutex->Header, MutantObject, sizeof(KMUTANT), 1);
  mutex->MutantListEntry = {nullptr, nullptr};
  mutex->OwnerThread = nullptr;
  mutex->Abandoned = FALSE;
  mutex->ApcDisable = 1;
}

void InitializeMutant(PRKMUTANT mutant, bool initial_owner) {
  InitializeMutex(mutant, 0);
  mutant->ApcDisable = 0;
  if (!initial_owner) return;
  Thread* thread = CurrentThread();
  Dispatcher dispatcher;
  WriteSignal(&mutant->Header, 0);
  mutant->OwnerThread = thread->nt();
  ListPushFront(&thread->mutant_list, &mutant->MutantListEntry);
}

LONG ReleaseMutant(PRKMUTANT mutant, KPRIORITY, bool abandoned, bool) {
  Thread* thread = CurrentThread();
  NTSTATUS error = STATUS_SUCCESS;
  LONG before;
  {
    Dispatcher dispatcher;
    before = mutant->Header.SignalState;
    if (!abandoned && AsThread(mutant->OwnerThread) != thread) {
      error = mutant->Abandoned ? STATUS_ABANDONED : STATUS_MUTANT_NOT_OWNED;
    } else {
      const LONG after = abandoned ? 1 : before + 1;
      WriteSignal(&mutant->Header, after);
      if (after == 1) {
        if (Thread* owner = AsThread(mutant->OwnerThread)) {
          ListRemove(&mutant->MutantListEntry);
          owner->kernel_apc_disable = static_cast<int16_t>(owner->kernel_apc_disable + mutant->ApcDisable);
          mutant->OwnerThread = nullptr;
        }
        if (abandoned) mutant->Abandoned = TRUE;
        if (!ListEmpty(&mutant->Header.WaitListHead)) TestWaitersLocked(&mutant->Header, dispatcher.wakes);
      }
    }
  }
  if (error != STATUS_SUCCESS) Raise(error);
  DeliveryPoint(thread);
  return before;
}

LONG ReleaseMutex(PRKMUTEX mutex, bool wait) { return ReleaseMutant(mutex, 1, false, wait); }

LONG ReadStateMutex(PRKMUTEX mutex) { return ReadSignal(&mutex->Header); }

KMUTANT* AbandonMutantsLocked(Thread* thread, WakeList& wakes) {
  while (!ListEmpty(&thread->mutant_list)) {
    auto* mutant = CONTAINING_RECORD(thread->mutant_list.Flink, KMUTANT, MutantListEntry);
    if (mutant->ApcDisable) return mutant;
    ListRemove(&mutant->MutantListEntry);
    mutant->OwnerThread = nullptr;
    mutant->Abandoned = TRUE;
    WriteSignal(&mutant->Header, 1);
    TestWaitersLocked(&mutant->Header, wakes);
  }
  return nullptr;
}

}  // namespace nt::ke
