// Events. All state is in the KEVENT, which drivers embed.
#include "src/ke/internal.h"

namespace nt::ke {

void InitializeEvent(PRKEVENT event, EVENT_TYPE type, bool state) {
  InitializeHeader(&event->Header,
                   type == SynchronizationEvent ? EventSynchronizationObject : EventNotificationObject, sizeof(KEVENT),
                   state ? 1 : 0);
}

LONG SetEvent(PRKEVENT event, KPRIORITY, bool) {
  Dispatcher dispatcher;
  const LONG before = event->Header.SignalState;
  WriteSignal(&event->Header, 1);
  if (!ListEmpty(&event->Header.WaitListHead)) TestWaitersLocked(&event->Header, dispatcher.wakes);
  return before;
}

LONG ResetEvent(PRKEVENT event) {
  Dispatcher dispatcher;
  const LONG before = event->Header.SignalState;
  WriteSignal(&event->Header, 0);
  return before;
}

void ClearEvent(PRKEVENT event) { ResetEvent(event); }

LONG PulseEvent(PRKEVENT event, KPRIORITY, bool) {
  Dispatcher dispatcher;
  const LONG before = event->Header.SignalState;
  if (before == 0 && !ListEmpty(&event->Header.WaitListHead)) {
    WriteSignal(&event->Header, 1);
    TestWaitersLocked(&event->Header, dispatcher.wakes);
  }
  WriteSignal(&event->Header, 0);
  return before;
}

LONG ReadStateEvent(PRKEVENT event) { return ReadSignal(&event->Header); }

}  // namespace nt::ke
