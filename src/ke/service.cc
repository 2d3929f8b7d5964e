// Entering and leaving the machine (service.h).
#include "src/ke/internal.h"
#include "src/ps/ps.h"

namespace nt::ke {
namespace {

/// Whoever queues an APC afterwards sees it; one queued before is seen by the load of apc_pending that follows.
void LeaveMachine(Thread* thread) {
  thread->in_machine.store(0, std::memory_order_release);
  host::LightBarrier();
}

}  // namespace

ServiceScope::ServiceScope(ps::Process* process, KPROCESSOR_MODE previous_mode)
    : thread_((ParkIfBugChecked(), CurrentThread())) {
  Thread* thread = thread_;
  saved_process_ = thread->process.load(std::memory_order_relaxed);
  saved_cid_process_ = thread->cid.UniqueProcess;
  saved_stack_base_ = thread->stack_base;
  saved_stack_limit_ = thread->stack_limit;
  saved_mode_ = thread->previous_mode;
  saved_irql_ = thread->irql;
  saved_kernel_apc_disable_ = thread->kernel_apc_disable;
  saved_special_apc_disable_ = thread->special_apc_disable;
  exceptions_ = *thread->exceptions_in_flight;
  thread->previous_mode = previous_mode;
  if (process && process != saved_process_) {
    thread->process.store(process, std::memory_order_relaxed);
    thread->home_process.store(process, std::memory_order_relaxed);
    thread->cid.UniqueProcess = reinterpret_cast<HANDLE>(process->id);
  }
  if (thread->service_depth++ == 0) {
    thread->in_machine.store(1, std::memory_order_relaxed);
    if (!thread->system_thread) {
      const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
      thread->stack_base = here;
      const size_t bytes = KernelStackBytes();
      const uintptr_t lowest = thread->host_stack_low + 16 * 1024;
      thread->stack_limit = here - lowest > bytes && here > lowest ? here - bytes : lowest;
    }
  }
}

ServiceScope::~ServiceScope() {
  Thread* thread = thread_;
  if (*thread->exceptions_in_flight == exceptions_) {
    if (thread->irql != saved_irql_) [[unlikely]]
      BugCheckWithMessage("a system service ends at another IRQL than it began", IRQL_GT_ZERO_AT_SYSTEM_SERVICE, 0,
                          thread->irql);
    if (thread->kernel_apc_disable != saved_kernel_apc_disable_ ||
        thread->special_apc_disable != saved_special_apc_disable_) [[unlikely]]
      BugCheckWithMessage("a system service enters a critical or guarded region and does not leave it, or the reverse",
                          APC_INDEX_MISMATCH, 0, 0,
                          static_cast<ULONG_PTR>(static_cast<USHORT>(thread->special_apc_disable)) << 16 |
                              static_cast<USHORT>(thread->kernel_apc_disable));
    const bool user = thread->previous_mode == UserMode;
    DeliveryPoint(thread);
    if (user && thread->user_apc_queued.load(std::memory_order_relaxed) && thread->user_apc_pending) [[unlikely]]
      DeliverUserApcs(thread);
    if (thread->service_depth == 1) {
      LeaveMachine(thread);
      while (thread->apc_pending.load(std::memory_order_acquire) != 0 && KernelApcMayRun(thread)) [[unlikely]] {
        thread->in_machine.store(1, std::memory_order_relaxed);
        DeliverKernelApcs();
        LeaveMachine(thread);
        if (thread->kernel_apc_disable != 0) break;  // the caller's region holds a normal APC back
      }
    }
  } else if (thread->service_depth == 1) {
    LeaveMachine(thread);
  }
  thread->service_depth--;
  thread->previous_mode = saved_mode_;
  if (saved_process_ != thread->process.load(std::memory_order_relaxed)) {
    thread->process.store(saved_process_, std::memory_order_relaxed);
    thread->home_process.store(saved_process_, std::memory_order_relaxed);
    thread->cid.UniqueProcess = saved_cid_process_;
  }
  thread->stack_base = saved_stack_base_;
  thread->stack_limit = saved_stack_limit_;
}

}  // namespace nt::ke
