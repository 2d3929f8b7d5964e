// How a host thread enters and leaves the machine.
//
//   bool alive = ke::CallIntoMachine([&] {                      // outermost: a bug check ends up here
//     ke::ServiceScope scope(process, UserMode);                // one system service
//     status = io::NtReadFile(...);
//   });
//   if (!alive) -> *ke::CurrentBugCheck()
//
// Steady state: no allocation, no system call, no lock; two atomic exchanges.
#pragma once

#include <type_traits>

#include "src/ke/bug_check.h"
#include "src/ke/thread.h"

namespace nt::ke {

/// One system service: attaches the thread if need be, sets process and previous mode, accounts the kernel stack. At its end
/// checks IRQL and APC balance (bug check), delivers APCs, restores. Nests: an inner scope keeps the outer kernel stack.
class ServiceScope {
 public:
  /// @param process  nullptr: keep the thread's. Borrowed: the caller keeps it alive.
  explicit ServiceScope(ps::Process* process = nullptr, KPROCESSOR_MODE previous_mode = UserMode);
  ~ServiceScope();
  ServiceScope(const ServiceScope&) = delete;
  ServiceScope& operator=(const ServiceScope&) = delete;
  Thread* thread() const { return thread_; }

 private:
  Thread* const thread_;
  ps::Process* saved_process_;
  uintptr_t saved_stack_base_, saved_stack_limit_;
  void* saved_cid_process_;
  unsigned exceptions_;
  int16_t saved_kernel_apc_disable_, saved_special_apc_disable_;
  KPROCESSOR_MODE saved_mode_;
  KIRQL saved_irql_;
};

/// Zw* = Nt* with previous mode KernelMode.
class PreviousModeScope {
 public:
  explicit PreviousModeScope(KPROCESSOR_MODE mode) : thread_(CurrentThread()), saved_(thread_->previous_mode) {
    thread_->previous_mode = mode;
  }
  ~PreviousModeScope() { thread_->previous_mode = saved_; }
  PreviousModeScope(const PreviousModeScope&) = delete;
  PreviousModeScope& operator=(const PreviousModeScope&) = delete;

 private:
  Thread* const thread_;
  const KPROCESSOR_MODE saved_;
};

/// The type-erased body of CallIntoMachine.
bool CallIntoMachineRaw(void (*function)(void*), void* context);

/// Runs `function`. @returns false when the machine bug-checked: before, or during the call, on this thread or another; frames
/// between are then abandoned without running destructors. A Windows exception that escapes is bug check
/// KMODE_EXCEPTION_NOT_HANDLED. Any other C++ exception must not leave `function`.
template <class F>
bool CallIntoMachine(F&& function) {
  using Function = std::remove_reference_t<F>;
  return CallIntoMachineRaw([](void* context) { (*static_cast<Function*>(context))(); },
                            const_cast<void*>(static_cast<const volatile void*>(&function)));
}

}  // namespace nt::ke
