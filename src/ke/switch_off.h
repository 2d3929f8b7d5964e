// Where a driver's thread goes when the machine is switched off.
//
// On Windows the system threads of a driver that has no DriverUnload run until the power goes. Here they go at a wait
// that the driver itself asked for: an exported wait is wrapped in DriverWait. Their frames are not unwound, as on
// Windows.
#pragma once

#include <type_traits>

#include "src/ke/thread.h"

namespace nt::ke {

class DriverWait {
 public:
  DriverWait() : thread_(CurrentThread()) {
    if (!thread_->vanish) return;
    thread_->in_driver_wait.store(true, std::memory_order_seq_cst);
    GoIfSwitchedOff();
  }
  ~DriverWait() {
    if (thread_->vanish) thread_->in_driver_wait.store(false, std::memory_order_relaxed);
  }
  DriverWait(const DriverWait&) = delete;
  DriverWait& operator=(const DriverWait&) = delete;
  /// The last thing an exported wait does before it returns.
  void GoIfSwitchedOff() {
    if (thread_->switched_off.load(std::memory_order_seq_cst)) [[unlikely]]
      Vanish();
  }

 private:
  [[noreturn]] void Vanish();
  Thread* const thread_;
};

/// Tells a thread to go. To be repeated until it has: it may not have reached its wait yet.
void SwitchOff(Thread* thread);

}  // namespace nt::ke
