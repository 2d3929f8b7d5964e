// Semaphores.
#include "src/ke/internal.h"

namespace nt::ke {

void InitializeSemaphore(PRKSEMAPHORE semaphore, LONG count, LONG limit) {
  InitializeHeader(&semaphore->Header, SemaphoreObject, sizeof(KSEMAPHORE), count);
  semaphore->Limit = limit;
}

LONG ReleaseSemaphore(PRKSEMAPHORE semaphore, KPRIORITY, LONG adjustment, bool) {
  {
    Dispatcher dispatcher;
    const LONG before = semaphore->Header.SignalState;
    const LONGLONG after = static_cast<LONGLONG>(before) + adjustment;
    if (after <= semaphore->Limit && after >= before) {
      WriteSignal(&semaphore->Header, static_cast<LONG>(after));
      if (before == 0) TestWaitersLocked(&semaphore->Header, dispatcher.wakes);
      return before;
    }
  }
  Raise(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
}

LONG ReadStateSemaphore(PRKSEMAPHORE semaphore) { return ReadSignal(&semaphore->Header); }

}  // namespace nt::ke
