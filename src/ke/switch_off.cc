#include "src/ke/switch_off.h"

#include "src/ke/internal.h"

namespace nt::ke {

void DriverWait::Vanish() {
  // It may have waited at APC_LEVEL, inside critical regions, with mutexes: nobody will miss them.
  if (thread_->irql != PASSIVE_LEVEL) {
    thread_->special_apc_disable = thread_->kernel_apc_disable = 0;
    LowerIrql(PASSIVE_LEVEL);
  }
  thread_->in_driver_wait.store(false, std::memory_order_relaxed);
  thread_->vanish();
  __builtin_unreachable();
}

void SwitchOff(Thread* thread) {
  thread->switched_off.store(true, std::memory_order_seq_cst);
  Dispatcher dispatcher;
  if (thread->waiting && thread->in_driver_wait.load(std::memory_order_seq_cst))
    UnwaitLocked(thread, STATUS_ABANDONED, dispatcher.wakes);
}

}  // namespace nt::ke
