// Attachment to another process: its handles and token become the thread's. There is one address space, so nothing else moves.
#include "src/ke/internal.h"
#include "src/ps/ps.h"

namespace nt::ke {
namespace {

// KAPC_STATE::Process when nothing changed.
PKPROCESS const kNoChange = reinterpret_cast<PKPROCESS>(1);

}  // namespace

void StackAttachProcess(PRKPROCESS process, PRKAPC_STATE state) {
  Thread* thread = CurrentThread();
  if (thread->in_dpc)
    BugCheckWithMessage("KeStackAttachProcess in a DPC", INVALID_PROCESS_ATTACH_ATTEMPT,
                        reinterpret_cast<ULONG_PTR>(process));
  ListInit(&state->ApcListHead[KernelMode]);
  ListInit(&state->ApcListHead[UserMode]);
  state->InProgressFlags = 0;
  state->KernelApcPending = FALSE;
  state->UserApcPendingAll = 0;
  ps::Process* before = thread->process.load(std::memory_order_relaxed);
  if (before == ps::AsProcess(process)) {
    state->Process = kNoChange;
    return;
  }
  state->Process = reinterpret_cast<PKPROCESS>(before);
  thread->process.store(ps::AsProcess(process), std::memory_order_relaxed);
  thread->attach_depth++;
}

void UnstackDetachProcess(PRKAPC_STATE state) {
  if (state->Process == kNoChange) return;
  Thread* thread = CurrentThread();
  if (thread->attach_depth == 0)
    BugCheckWithMessage("KeUnstackDetachProcess without attachment", INVALID_PROCESS_DETACH_ATTEMPT);
  thread->process.store(ps::AsProcess(state->Process), std::memory_order_relaxed);
  thread->attach_depth--;
}

}  // namespace nt::ke
