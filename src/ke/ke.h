// The kernel core: dispatcher objects, waits, IRQL, spin locks, DPCs, APCs, timers, time, threads.
//
// Inner twins of the Ke* routines: same parameters, C++ types. What a routine promises to drivers stands in
// include/wdk/nt/ke.h; here is what differs and what only the runtime uses. Threads: thread.h; entry: service.h; IRQL: irql.h.
#pragma once

#include "ntifs.h"
#include "src/base/status.h"
#include "src/host/host.h"
#include "src/ke/bug_check.h"
#include "src/ke/irql.h"
#include "src/ke/service.h"
#include "src/ke/switch_off.h"
#include "src/ke/thread.h"

namespace nt::ke {

// --- waits (wait.cc) ------------------------------------------------------------------------------------------------------

/// @param object   any dispatcher object: KEVENT, KMUTANT, KSEMAPHORE, KTIMER, Thread, ps::Process
/// @param timeout  100 ns; nullptr waits for ever, 0 polls (any IRQL <= DISPATCH_LEVEL), < 0 relative, > 0 system time
/// @returns SUCCESS, TIMEOUT, USER_APC, ALERTED, ABANDONED_WAIT_0
Status WaitForSingleObject(void* object, KWAIT_REASON reason, KPROCESSOR_MODE mode, bool alertable,
                           const LARGE_INTEGER* timeout);
/// @param blocks  needed for more than THREAD_WAIT_OBJECTS objects; bug check MAXIMUM_WAIT_OBJECTS_EXCEEDED otherwise
Status WaitForMultipleObjects(ULONG count, void* const objects[], WAIT_TYPE type, KWAIT_REASON reason,
                              KPROCESSOR_MODE mode, bool alertable, const LARGE_INTEGER* timeout, PKWAIT_BLOCK blocks);
Status DelayExecutionThread(KPROCESSOR_MODE mode, bool alertable, const LARGE_INTEGER* interval);
/// Non-alertable kernel wait without timeout: what the runtime mostly needs.
inline void WaitFor(void* object) {
  WaitForSingleObject(object, Executive, KernelMode, false, nullptr).Ignore();  // can only be SUCCESS or ABANDONED
}
/// The monotonic deadline of an NT timeout.
host::Deadline DeadlineOf(const LARGE_INTEGER* timeout);

// --- events (event.cc): Increment and Wait are taken and ignored, there is no boost -------------------------------------------

void InitializeEvent(PRKEVENT event, EVENT_TYPE type, bool state);
LONG SetEvent(PRKEVENT event, KPRIORITY increment = 0, bool wait = false);
LONG ResetEvent(PRKEVENT event);
void ClearEvent(PRKEVENT event);
LONG PulseEvent(PRKEVENT event, KPRIORITY increment = 0, bool wait = false);
LONG ReadStateEvent(PRKEVENT event);

// --- semaphores (semaphore.cc) ------------------------------------------------------------------------------------------------

void InitializeSemaphore(PRKSEMAPHORE semaphore, LONG count, LONG limit);
/// @raises STATUS_SEMAPHORE_LIMIT_EXCEEDED
LONG ReleaseSemaphore(PRKSEMAPHORE semaphore, KPRIORITY increment, LONG adjustment, bool wait = false);
LONG ReadStateSemaphore(PRKSEMAPHORE semaphore);

// --- mutants (mutant.cc) ------------------------------------------------------------------------------------------------------

void InitializeMutex(PRKMUTEX mutex, ULONG level = 0);
void InitializeMutant(PRKMUTANT mutant, bool initial_owner);
/// @raises STATUS_MUTANT_NOT_OWNED, STATUS_ABANDONED
LONG ReleaseMutex(PRKMUTEX mutex, bool wait = false);
LONG ReleaseMutant(PRKMUTANT mutant, KPRIORITY increment, bool abandoned, bool wait = false);
LONG ReadStateMutex(PRKMUTEX mutex);
inline LONG ReadStateMutant(PRKMUTANT mutant) { return ReadStateMutex(mutant); }

// --- queues (queue.cc) --------------------------------------------------------------------------------------------------------

void InitializeQueue(PRKQUEUE queue, ULONG count);
LONG InsertQueue(PRKQUEUE queue, PLIST_ENTRY entry);
LONG InsertHeadQueue(PRKQUEUE queue, PLIST_ENTRY entry);
/// @returns an entry, or a status (TIMEOUT, USER_APC, ABANDONED) in the place of the pointer
PLIST_ENTRY RemoveQueue(PRKQUEUE queue, KPROCESSOR_MODE mode, const LARGE_INTEGER* timeout);
ULONG RemoveQueueEx(PRKQUEUE queue, KPROCESSOR_MODE mode, bool alertable, const LARGE_INTEGER* timeout,
                    PLIST_ENTRY* entries, ULONG count);
/// @returns the first of the entries left, still linked in a ring; nullptr: none
PLIST_ENTRY RundownQueue(PRKQUEUE queue);
LONG ReadStateQueue(PRKQUEUE queue);

// --- timers (timer.cc) --------------------------------------------------------------------------------------------------------

void InitializeTimer(PKTIMER timer);
void InitializeTimerEx(PKTIMER timer, TIMER_TYPE type);
bool SetTimer(PKTIMER timer, LARGE_INTEGER due_time, PKDPC dpc);
bool SetTimerEx(PKTIMER timer, LARGE_INTEGER due_time, LONG period_ms, PKDPC dpc);
bool CancelTimer(PKTIMER timer);
bool ReadStateTimer(PKTIMER timer);
/// Cancels the timers that lie in [low, low + bytes), and those whose DPC routine does.
void CancelTimersOf(uintptr_t low, size_t bytes);

// --- threads and processes as waitable objects ----------------------------------------------------------------------------------

/// Sets SignalState to 1 for good and wakes all waiters (a thread or a process ends).
void SignalForever(DISPATCHER_HEADER* header);
void InitializeHeader(DISPATCHER_HEADER* header, UCHAR type, size_t bytes, LONG state);

// --- spin locks (spin_lock.cc) --------------------------------------------------------------------------------------------------

void InitializeSpinLock(PKSPIN_LOCK lock);
KIRQL AcquireSpinLockRaiseToDpc(PKSPIN_LOCK lock);
inline void AcquireSpinLock(PKSPIN_LOCK lock, PKIRQL old_irql) { *old_irql = AcquireSpinLockRaiseToDpc(lock); }
void ReleaseSpinLock(PKSPIN_LOCK lock, KIRQL old_irql);
void AcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock);
void ReleaseSpinLockFromDpcLevel(PKSPIN_LOCK lock);
bool TryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock);
bool TestSpinLock(PKSPIN_LOCK lock);
KIRQL AcquireSpinLockForDpc(PKSPIN_LOCK lock);
void ReleaseSpinLockForDpc(PKSPIN_LOCK lock, KIRQL old_irql);
void AcquireInStackQueuedSpinLock(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle);
void ReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE handle);
void AcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle);
void ReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE handle);

/// A KSPIN_LOCK held for the life of the object, at DISPATCH_LEVEL.
class SpinLockScope {
 public:
  explicit SpinLockScope(PKSPIN_LOCK lock) : lock_(lock), old_(AcquireSpinLockRaiseToDpc(lock)) {}
  ~SpinLockScope() { ReleaseSpinLock(lock_, old_); }
  SpinLockScope(const SpinLockScope&) = delete;
  SpinLockScope& operator=(const SpinLockScope&) = delete;

 private:
  PKSPIN_LOCK const lock_;
  const KIRQL old_;
};

// --- DPCs (dpc.cc) --------------------------------------------------------------------------------------------------------------

void InitializeDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, void* context);
void InitializeThreadedDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, void* context);
void SetImportanceDpc(PRKDPC dpc, KDPC_IMPORTANCE importance);
void SetTargetProcessorDpc(PRKDPC dpc, CCHAR number);
/// @returns false when it was queued already. At IRQL < DISPATCH_LEVEL a DPC of medium or high importance without a target
///          runs before this returns, as its interrupt would come at once.
bool InsertQueueDpc(PRKDPC dpc, void* argument1, void* argument2);
bool RemoveQueueDpc(PRKDPC dpc);
/// Returns when all DPCs queued before the call have run. PASSIVE_LEVEL.
void FlushQueuedDpcs();

// --- APCs and regions (apc.cc) ----------------------------------------------------------------------------------------------------

void InitializeApc(PRKAPC apc, PKTHREAD thread, KAPC_ENVIRONMENT environment, PKKERNEL_ROUTINE kernel_routine,
                   PKRUNDOWN_ROUTINE rundown_routine, PKNORMAL_ROUTINE normal_routine, KPROCESSOR_MODE mode,
                   void* context);
/// @returns false when it is queued already or its thread ends
bool InsertQueueApc(PRKAPC apc, void* argument1, void* argument2, KPRIORITY increment = 0);
/// As InsertQueueApc, but also false when the thread is outside the machine, where nothing would deliver the APC: the caller
/// then does the work in its own thread.
bool InsertQueueApcIfDelivered(PRKAPC apc, void* argument1, void* argument2);
bool RemoveQueueApc(PRKAPC apc);
bool AlertThread(PKTHREAD thread, KPROCESSOR_MODE mode);
ULONG AlertResumeThread(PKTHREAD thread);
bool TestAlertThread(KPROCESSOR_MODE mode);
/// Runs the kernel APCs that may run now; IRQL < APC_LEVEL. A delivery point.
void DeliverKernelApcs();
/// Thread exit: runs the kernel APCs that are left, gives user APCs to their rundown routines; none can be queued afterwards.
void RundownApcs(Thread* thread);

void EnterCriticalRegion();
void LeaveCriticalRegion();
void EnterGuardedRegion();
void LeaveGuardedRegion();
bool AreApcsDisabled();
bool AreAllApcsDisabled();

class CriticalRegion {
 public:
  CriticalRegion() { EnterCriticalRegion(); }
  ~CriticalRegion() { LeaveCriticalRegion(); }
  CriticalRegion(const CriticalRegion&) = delete;
  CriticalRegion& operator=(const CriticalRegion&) = delete;
};

// --- attachment (attach.cc) ---------------------------------------------------------------------------------------------------------

void StackAttachProcess(PRKPROCESS process, PRKAPC_STATE state);
void UnstackDetachProcess(PRKAPC_STATE state);
/// Attached to a process until the end of the scope.
class ProcessAttachment {
 public:
  explicit ProcessAttachment(ps::Process* process) {
    StackAttachProcess(reinterpret_cast<PRKPROCESS>(process), &state_);
  }
  ~ProcessAttachment() { UnstackDetachProcess(&state_); }
  ProcessAttachment(const ProcessAttachment&) = delete;
  ProcessAttachment& operator=(const ProcessAttachment&) = delete;

 private:
  KAPC_STATE state_;
};

// --- time (time.cc)
// -----------------------------------------------------------------------------------------------------------------

inline constexpr ULONG kTimeIncrement100ns = 156250;
void QuerySystemTime(PLARGE_INTEGER time);
void QuerySystemTimePrecise(PLARGE_INTEGER time);
/// 100 ns since the machine booted.
ULONGLONG QueryInterruptTime();
ULONGLONG QueryInterruptTimePrecise(PULONG64 performance_counter);
ULONGLONG QueryUnbiasedInterruptTime();
LARGE_INTEGER QueryPerformanceCounter(PLARGE_INTEGER frequency);
ULONG QueryTimeIncrement();
void QueryTickCount(PLARGE_INTEGER ticks);
void StallExecutionProcessor(ULONG microseconds);
/// Writes the times of a KUSER_SHARED_DATA page: SystemTime, InterruptTime, TickCount, TimeZoneBias. Whoever serves a read of
/// that page calls it first; no thread ticks.
void UpdateSharedUserData(void* page);

// --- processors, priorities (processor.cc) --------------------------------------------------------------------------------------------

KAFFINITY QueryActiveProcessors();
ULONG QueryActiveProcessorCount(PKAFFINITY active);
ULONG QueryActiveProcessorCountEx(USHORT group);
ULONG QueryMaximumProcessorCount();
ULONG QueryMaximumProcessorCountEx(USHORT group);
USHORT QueryActiveGroupCount();
USHORT QueryMaximumGroupCount();
KAFFINITY QueryGroupAffinity(USHORT group);
ULONG GetCurrentProcessorNumber();
ULONG GetCurrentProcessorNumberEx(PPROCESSOR_NUMBER number);
void SetSystemAffinityThread(KAFFINITY affinity);
KAFFINITY SetSystemAffinityThreadEx(KAFFINITY affinity);
void RevertToUserAffinityThread();
void RevertToUserAffinityThreadEx(KAFFINITY affinity);
void SetSystemGroupAffinityThread(PGROUP_AFFINITY affinity, PGROUP_AFFINITY previous);
void RevertToUserGroupAffinityThread(PGROUP_AFFINITY previous);
Status GetProcessorNumberFromIndex(ULONG index, PPROCESSOR_NUMBER number);
ULONG GetProcessorIndexFromNumber(PPROCESSOR_NUMBER number);
KPRIORITY SetPriorityThread(PKTHREAD thread, KPRIORITY priority);
KPRIORITY QueryPriorityThread(PKTHREAD thread);
LONG SetBasePriorityThread(PKTHREAD thread, LONG increment);
ULONG GetRecommendedSharedDataAlignment();

// --- device queues (device_queue.cc) ----------------------------------------------------------------------------------------------------

void InitializeDeviceQueue(PKDEVICE_QUEUE queue);
bool InsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry);
bool InsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key);
PKDEVICE_QUEUE_ENTRY RemoveDeviceQueue(PKDEVICE_QUEUE queue);
PKDEVICE_QUEUE_ENTRY RemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key);
PKDEVICE_QUEUE_ENTRY RemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE queue, ULONG key);
bool RemoveEntryDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry);

}  // namespace nt::ke
