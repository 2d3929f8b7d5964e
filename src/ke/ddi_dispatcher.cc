// Exports: dispatcher objects, waits, timers, queues, device queues.
#include "src/ke/ke.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

// --- events ------------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeInitializeEvent, (PRKEVENT event, EVENT_TYPE type, BOOLEAN state), (event, type, state)) {
  ke::InitializeEvent(event, type, state);
}
NT_EXPORT(LONG, KeSetEvent, (PRKEVENT event, KPRIORITY increment, BOOLEAN wait), (event, increment, wait)) {
  return ke::SetEvent(event, increment, wait);
}
NT_EXPORT(LONG, KeResetEvent, (PRKEVENT event), (event)) { return ke::ResetEvent(event); }
NT_EXPORT(VOID, KeClearEvent, (PRKEVENT event), (event)) { ke::ClearEvent(event); }
NT_EXPORT(LONG, KePulseEvent, (PRKEVENT event, KPRIORITY increment, BOOLEAN wait), (event, increment, wait)) {
  return ke::PulseEvent(event, increment, wait);
}
NT_EXPORT(LONG, KeReadStateEvent, (PRKEVENT event), (event)) { return ke::ReadStateEvent(event); }

// --- mutexes, semaphores ---------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeInitializeMutex, (PRKMUTEX mutex, ULONG level), (mutex, level)) { ke::InitializeMutex(mutex, level); }
NT_EXPORT(LONG, KeReleaseMutex, (PRKMUTEX mutex, BOOLEAN wait), (mutex, wait)) { return ke::ReleaseMutex(mutex, wait); }
NT_EXPORT(LONG, KeReadStateMutex, (PRKMUTEX mutex), (mutex)) { return ke::ReadStateMutex(mutex); }
NT_EXPORT(VOID, KeInitializeMutant, (PRKMUTANT mutant, BOOLEAN initial_owner), (mutant, initial_owner)) {
  ke::InitializeMutant(mutant, initial_owner);
}
NT_EXPORT(LONG, KeReleaseMutant, (PRKMUTANT mutant, KPRIORITY increment, BOOLEAN abandoned, BOOLEAN wait),
          (mutant, increment, abandoned, wait)) {
  return ke::ReleaseMutant(mutant, increment, abandoned, wait);
}
NT_EXPORT(LONG, KeReadStateMutant, (PRKMUTANT mutant), (mutant)) { return ke::ReadStateMutant(mutant); }
NT_EXPORT(VOID, KeInitializeSemaphore, (PRKSEMAPHORE semaphore, LONG count, LONG limit), (semaphore, count, limit)) {
  ke::InitializeSemaphore(semaphore, count, limit);
}
NT_EXPORT(LONG, KeReleaseSemaphore, (PRKSEMAPHORE semaphore, KPRIORITY increment, LONG adjustment, BOOLEAN wait),
          (semaphore, increment, adjustment, wait)) {
  return ke::ReleaseSemaphore(semaphore, increment, adjustment, wait);
}
NT_EXPORT(LONG, KeReadStateSemaphore, (PRKSEMAPHORE semaphore), (semaphore)) {
  return ke::ReadStateSemaphore(semaphore);
}

// --- waits -----------------------------------------------------------------------------------------------------------------------

NT_EXPORT(NTSTATUS, KeWaitForSingleObject,
          (PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER timeout),
          (object, reason, mode, alertable, timeout)) {
  ke::DriverWait wait;
  const auto result = ke::WaitForSingleObject(object, reason, mode, alertable, timeout);
  wait.GoIfSwitchedOff();
  return result;
}
NT_EXPORT(NTSTATUS, KeWaitForMutexObject,
          (PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER timeout),
          (object, reason, mode, alertable, timeout)) {
  ke::DriverWait wait;
  const auto result = ke::WaitForSingleObject(object, reason, mode, alertable, timeout);
  wait.GoIfSwitchedOff();
  return result;
}
NT_EXPORT(NTSTATUS, KeWaitForMultipleObjects,
          (ULONG count, PVOID* objects, WAIT_TYPE type, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable,
           PLARGE_INTEGER timeout, PKWAIT_BLOCK blocks),
          (count, objects, type, reason, mode, alertable, timeout, blocks)) {
  ke::DriverWait wait;
  const auto result = ke::WaitForMultipleObjects(count, objects, type, reason, mode, alertable, timeout, blocks);
  wait.GoIfSwitchedOff();
  return result;
}
NT_EXPORT(NTSTATUS, KeDelayExecutionThread, (KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER interval),
          (mode, alertable, interval)) {
  ke::DriverWait wait;
  const auto result = ke::DelayExecutionThread(mode, alertable, interval);
  wait.GoIfSwitchedOff();
  return result;
}

// --- timers ------------------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeInitializeTimer, (PKTIMER timer), (timer)) { ke::InitializeTimer(timer); }
NT_EXPORT(VOID, KeInitializeTimerEx, (PKTIMER timer, TIMER_TYPE type), (timer, type)) {
  ke::InitializeTimerEx(timer, type);
}
NT_EXPORT(BOOLEAN, KeSetTimer, (PKTIMER timer, LARGE_INTEGER due_time, PKDPC dpc), (timer, due_time, dpc)) {
  return ke::SetTimer(timer, due_time, dpc);
}
NT_EXPORT(BOOLEAN, KeSetTimerEx, (PKTIMER timer, LARGE_INTEGER due_time, LONG period, PKDPC dpc),
          (timer, due_time, period, dpc)) {
  return ke::SetTimerEx(timer, due_time, period, dpc);
}
// The tolerance allows a later expiry and asks for none.
NT_EXPORT(BOOLEAN, KeSetCoalescableTimer,
          (PKTIMER timer, LARGE_INTEGER due_time, ULONG period, ULONG tolerable_delay, PKDPC dpc),
          (timer, due_time, period, tolerable_delay, dpc)) {
  static_cast<void>(tolerable_delay);
  return ke::SetTimerEx(timer, due_time, static_cast<LONG>(period), dpc);
}
NT_EXPORT(BOOLEAN, KeCancelTimer, (PKTIMER timer), (timer)) { return ke::CancelTimer(timer); }
NT_EXPORT(BOOLEAN, KeReadStateTimer, (PKTIMER timer), (timer)) { return ke::ReadStateTimer(timer); }

// --- queues ------------------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeInitializeQueue, (PRKQUEUE queue, ULONG count), (queue, count)) { ke::InitializeQueue(queue, count); }
NT_EXPORT(LONG, KeReadStateQueue, (PRKQUEUE queue), (queue)) { return ke::ReadStateQueue(queue); }
NT_EXPORT(LONG, KeInsertQueue, (PRKQUEUE queue, PLIST_ENTRY entry), (queue, entry)) {
  return ke::InsertQueue(queue, entry);
}
NT_EXPORT(LONG, KeInsertHeadQueue, (PRKQUEUE queue, PLIST_ENTRY entry), (queue, entry)) {
  return ke::InsertHeadQueue(queue, entry);
}
NT_EXPORT(PLIST_ENTRY, KeRemoveQueue, (PRKQUEUE queue, KPROCESSOR_MODE mode, PLARGE_INTEGER timeout),
          (queue, mode, timeout)) {
  ke::DriverWait wait;
  const auto result = ke::RemoveQueue(queue, mode, timeout);
  wait.GoIfSwitchedOff();
  return result;
}
NT_EXPORT(ULONG, KeRemoveQueueEx,
          (PRKQUEUE queue, KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER timeout, PLIST_ENTRY* entries,
           ULONG count),
          (queue, mode, alertable, timeout, entries, count)) {
  ke::DriverWait wait;
  const auto result = ke::RemoveQueueEx(queue, mode, alertable, timeout, entries, count);
  wait.GoIfSwitchedOff();
  return result;
}
NT_EXPORT(PLIST_ENTRY, KeRundownQueue, (PRKQUEUE queue), (queue)) { return ke::RundownQueue(queue); }

// --- device queues ---------------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeInitializeDeviceQueue, (PKDEVICE_QUEUE queue), (queue)) { ke::InitializeDeviceQueue(queue); }
NT_EXPORT(BOOLEAN, KeInsertDeviceQueue, (PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry), (queue, entry)) {
  return ke::InsertDeviceQueue(queue, entry);
}
NT_EXPORT(BOOLEAN, KeInsertByKeyDeviceQueue, (PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key),
          (queue, entry, key)) {
  return ke::InsertByKeyDeviceQueue(queue, entry, key);
}
NT_EXPORT(PKDEVICE_QUEUE_ENTRY, KeRemoveDeviceQueue, (PKDEVICE_QUEUE queue), (queue)) {
  return ke::RemoveDeviceQueue(queue);
}
NT_EXPORT(PKDEVICE_QUEUE_ENTRY, KeRemoveByKeyDeviceQueue, (PKDEVICE_QUEUE queue, ULONG key), (queue, key)) {
  return ke::RemoveByKeyDeviceQueue(queue, key);
}
NT_EXPORT(PKDEVICE_QUEUE_ENTRY, KeRemoveByKeyDeviceQueueIfBusy, (PKDEVICE_QUEUE queue, ULONG key), (queue, key)) {
  return ke::RemoveByKeyDeviceQueueIfBusy(queue, key);
}
NT_EXPORT(BOOLEAN, KeRemoveEntryDeviceQueue, (PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry), (queue, entry)) {
  return ke::RemoveEntryDeviceQueue(queue, entry);
}
