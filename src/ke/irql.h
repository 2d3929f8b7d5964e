// IRQL: the interrupt request level of the current thread.
//
// Below DISPATCH_LEVEL the level is only a number of the thread. Raising to DISPATCH_LEVEL binds one of N virtual processors
// to the thread; lowering drains that processor's DPCs, gives it back, then delivers APCs. So two threads at DISPATCH_LEVEL
// never have the same processor number, and at most N threads are there at once.
//
// Rule: never raise to DISPATCH_LEVEL or take a KSPIN_LOCK while holding a base::Lock. The thread may have to wait for a
// processor whose owner waits for that lock.
#pragma once

#include "src/ke/thread.h"

namespace nt::ke {

inline KIRQL CurrentIrql() { return CurrentThread()->irql; }
inline KIRQL GetCurrentIrql() { return CurrentIrql(); }

/// @returns the previous level. Bug check IRQL_NOT_GREATER_OR_EQUAL when `irql` is lower than the current level.
KIRQL RaiseIrql(KIRQL irql);
inline void RaiseIrql(KIRQL irql, PKIRQL old_irql) { *old_irql = RaiseIrql(irql); }
inline KIRQL RaiseIrqlToDpcLevel() { return RaiseIrql(DISPATCH_LEVEL); }
/// Bug check IRQL_NOT_LESS_OR_EQUAL when `irql` is higher than the current level. May run DPCs and APCs of drivers.
void LowerIrql(KIRQL irql);

/// Raises for the life of the object; nothing happens when the level is already as high.
class IrqlScope {
 public:
  explicit IrqlScope(KIRQL irql) : old_(GetCurrentIrql()), raised_(irql > old_) {
    if (raised_) RaiseIrql(irql);
  }
  ~IrqlScope() {
    if (raised_) LowerIrql(old_);
  }
  IrqlScope(const IrqlScope&) = delete;
  IrqlScope& operator=(const IrqlScope&) = delete;

 private:
  KIRQL old_;
  bool raised_;
};

}  // namespace nt::ke
