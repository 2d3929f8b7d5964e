// Exports: IRQL, spin locks, regions, DPCs, APCs, processors.
#include "src/ke/ke.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

namespace {
constexpr KIRQL kSynchLevel = 12;
}

// --- IRQL: inline in the headers of amd64, imported by other binaries ---------------------------------------------------

NT_EXPORT(KIRQL, KeGetCurrentIrql, (), ()) { return ke::GetCurrentIrql(); }
NT_EXPORT(KIRQL, KfRaiseIrql, (KIRQL irql), (irql)) { return ke::RaiseIrql(irql); }
NT_EXPORT(VOID, KfLowerIrql, (KIRQL irql), (irql)) { ke::LowerIrql(irql); }
NT_EXPORT(VOID, KeLowerIrql, (KIRQL irql), (irql)) { ke::LowerIrql(irql); }
NT_EXPORT(KIRQL, KeRaiseIrqlToDpcLevel, (), ()) { return ke::RaiseIrqlToDpcLevel(); }
NT_EXPORT(KIRQL, KeRaiseIrqlToSynchLevel, (), ()) { return ke::RaiseIrql(kSynchLevel); }

// --- spin locks ------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeInitializeSpinLock, (PKSPIN_LOCK lock), (lock)) { ke::InitializeSpinLock(lock); }
NT_EXPORT(KIRQL, KeAcquireSpinLockRaiseToDpc, (PKSPIN_LOCK lock), (lock)) { return ke::AcquireSpinLockRaiseToDpc(lock); }
NT_EXPORT(KIRQL, KeAcquireSpinLockRaiseToSynch, (PKSPIN_LOCK lock), (lock)) {
  const KIRQL old = ke::RaiseIrql(kSynchLevel);
  ke::AcquireSpinLockAtDpcLevel(lock);
  return old;
}
NT_EXPORT(VOID, KeReleaseSpinLock, (PKSPIN_LOCK lock, KIRQL irql), (lock, irql)) { ke::ReleaseSpinLock(lock, irql); }
NT_EXPORT(VOID, KeAcquireSpinLockAtDpcLevel, (PKSPIN_LOCK lock), (lock)) { ke::AcquireSpinLockAtDpcLevel(lock); }
NT_EXPORT(VOID, KeReleaseSpinLockFromDpcLevel, (PKSPIN_LOCK lock), (lock)) { ke::ReleaseSpinLockFromDpcLevel(lock); }
NT_EXPORT(BOOLEAN, KeTryToAcquireSpinLockAtDpcLevel, (PKSPIN_LOCK lock), (lock)) {
  return ke::TryToAcquireSpinLockAtDpcLevel(lock);
}
NT_EXPORT(BOOLEAN, KeTestSpinLock, (PKSPIN_LOCK lock), (lock)) { return ke::TestSpinLock(lock); }
NT_EXPORT(KIRQL, KeAcquireSpinLockForDpc, (PKSPIN_LOCK lock), (lock)) { return ke::AcquireSpinLockForDpc(lock); }
NT_EXPORT(VOID, KeReleaseSpinLockForDpc, (PKSPIN_LOCK lock, KIRQL irql), (lock, irql)) {
  ke::ReleaseSpinLockForDpc(lock, irql);
}
NT_EXPORT(VOID, KeAcquireInStackQueuedSpinLock, (PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle), (lock, handle)) {
  ke::AcquireInStackQueuedSpinLock(lock, handle);
}
NT_EXPORT(VOID, KeReleaseInStackQueuedSpinLock, (PKLOCK_QUEUE_HANDLE handle), (handle)) {
  ke::ReleaseInStackQueuedSpinLock(handle);
}
NT_EXPORT(VOID, KeAcquireInStackQueuedSpinLockAtDpcLevel, (PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle),
          (lock, handle)) {
  ke::AcquireInStackQueuedSpinLockAtDpcLevel(lock, handle);
}
NT_EXPORT(VOID, KeReleaseInStackQueuedSpinLockFromDpcLevel, (PKLOCK_QUEUE_HANDLE handle), (handle)) {
  ke::ReleaseInStackQueuedSpinLockFromDpcLevel(handle);
}
NT_EXPORT(VOID, KeAcquireInStackQueuedSpinLockForDpc, (PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle), (lock, handle)) {
  ke::AcquireInStackQueuedSpinLock(lock, handle);
}
NT_EXPORT(VOID, KeReleaseInStackQueuedSpinLockForDpc, (PKLOCK_QUEUE_HANDLE handle), (handle)) {
  ke::ReleaseInStackQueuedSpinLock(handle);
}

// --- regions -----------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeEnterCriticalRegion, (), ()) { ke::EnterCriticalRegion(); }
NT_EXPORT(VOID, KeLeaveCriticalRegion, (), ()) { ke::LeaveCriticalRegion(); }
NT_EXPORT(VOID, KeEnterGuardedRegion, (), ()) { ke::EnterGuardedRegion(); }
NT_EXPORT(VOID, KeLeaveGuardedRegion, (), ()) { ke::LeaveGuardedRegion(); }
NT_EXPORT(BOOLEAN, KeAreApcsDisabled, (), ()) { return ke::AreApcsDisabled(); }
NT_EXPORT(BOOLEAN, KeAreAllApcsDisabled, (), ()) { return ke::AreAllApcsDisabled(); }

// --- DPCs ----------------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeInitializeDpc, (PRKDPC dpc, PKDEFERRED_ROUTINE routine, PVOID context), (dpc, routine, context)) {
  ke::InitializeDpc(dpc, routine, context);
}
// Windows may run it at DISPATCH_LEVEL as well, so drivers are written for both.
NT_EXPORT(VOID, KeInitializeThreadedDpc, (PRKDPC dpc, PKDEFERRED_ROUTINE routine, PVOID context),
          (dpc, routine, context)) {
  ke::InitializeThreadedDpc(dpc, routine, context);
}
NT_EXPORT(BOOLEAN, KeInsertQueueDpc, (PRKDPC dpc, PVOID argument1, PVOID argument2), (dpc, argument1, argument2)) {
  return ke::InsertQueueDpc(dpc, argument1, argument2);
}
NT_EXPORT(BOOLEAN, KeRemoveQueueDpc, (PRKDPC dpc), (dpc)) { return ke::RemoveQueueDpc(dpc); }
NT_EXPORT(VOID, KeSetImportanceDpc, (PRKDPC dpc, KDPC_IMPORTANCE importance), (dpc, importance)) {
  ke::SetImportanceDpc(dpc, importance);
}
NT_EXPORT(VOID, KeSetTargetProcessorDpc, (PRKDPC dpc, CCHAR number), (dpc, number)) {
  ke::SetTargetProcessorDpc(dpc, number);
}
NT_EXPORT(NTSTATUS, KeSetTargetProcessorDpcEx, (PRKDPC dpc, PPROCESSOR_NUMBER number), (dpc, number)) {
  if (number->Group != 0 || number->Number >= ke::QueryActiveProcessorCount(nullptr) || number->Reserved != 0)
    return STATUS_INVALID_PARAMETER;
  ke::SetTargetProcessorDpc(dpc, static_cast<CCHAR>(number->Number));
  return STATUS_SUCCESS;
}
NT_EXPORT(VOID, KeFlushQueuedDpcs, (), ()) { ke::FlushQueuedDpcs(); }
NT_EXPORT(BOOLEAN, KeIsExecutingDpc, (), ()) { return ke::CurrentThread()->in_dpc; }

// --- APCs ----------------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeInitializeApc,
          (PRKAPC apc, PRKTHREAD thread, KAPC_ENVIRONMENT environment, PKKERNEL_ROUTINE kernel_routine,
           PKRUNDOWN_ROUTINE rundown_routine, PKNORMAL_ROUTINE normal_routine, KPROCESSOR_MODE mode, PVOID context),
          (apc, thread, environment, kernel_routine, rundown_routine, normal_routine, mode, context)) {
  ke::InitializeApc(apc, thread, environment, kernel_routine, rundown_routine, normal_routine, mode, context);
}
NT_EXPORT(BOOLEAN, KeInsertQueueApc, (PRKAPC apc, PVOID argument1, PVOID argument2, KPRIORITY increment),
          (apc, argument1, argument2, increment)) {
  return ke::InsertQueueApc(apc, argument1, argument2, increment);
}
NT_EXPORT(BOOLEAN, KeRemoveQueueApc, (PRKAPC apc), (apc)) { return ke::RemoveQueueApc(apc); }
NT_EXPORT(BOOLEAN, KeTestAlertThread, (KPROCESSOR_MODE mode), (mode)) { return ke::TestAlertThread(mode); }

// --- processors and priorities -----------------------------------------------------------------------------------------------------

NT_EXPORT(PKTHREAD, KeGetCurrentThread, (), ()) { return ke::GetCurrentThread(); }
NT_EXPORT(ULONG, KeGetCurrentProcessorNumber, (), ()) { return ke::GetCurrentProcessorNumber(); }
NT_EXPORT(ULONG, KeGetCurrentProcessorNumberEx, (PPROCESSOR_NUMBER number), (number)) {
  return ke::GetCurrentProcessorNumberEx(number);
}
NT_EXPORT(KAFFINITY, KeQueryActiveProcessors, (), ()) { return ke::QueryActiveProcessors(); }
NT_EXPORT(ULONG, KeQueryActiveProcessorCount, (PKAFFINITY active), (active)) {
  return ke::QueryActiveProcessorCount(active);
}
NT_EXPORT(ULONG, KeQueryActiveProcessorCountEx, (USHORT group), (group)) {
  return ke::QueryActiveProcessorCountEx(group);
}
NT_EXPORT(ULONG, KeQueryMaximumProcessorCount, (), ()) { return ke::QueryMaximumProcessorCount(); }
NT_EXPORT(ULONG, KeQueryMaximumProcessorCountEx, (USHORT group), (group)) {
  return ke::QueryMaximumProcessorCountEx(group);
}
NT_EXPORT(USHORT, KeQueryActiveGroupCount, (), ()) { return ke::QueryActiveGroupCount(); }
NT_EXPORT(USHORT, KeQueryMaximumGroupCount, (), ()) { return ke::QueryMaximumGroupCount(); }
NT_EXPORT(KAFFINITY, KeQueryGroupAffinity, (USHORT group), (group)) { return ke::QueryGroupAffinity(group); }
NT_EXPORT(NTSTATUS, KeGetProcessorNumberFromIndex, (ULONG index, PPROCESSOR_NUMBER number), (index, number)) {
  return ke::GetProcessorNumberFromIndex(index, number);
}
NT_EXPORT(ULONG, KeGetProcessorIndexFromNumber, (PPROCESSOR_NUMBER number), (number)) {
  return ke::GetProcessorIndexFromNumber(number);
}
// One node.
NT_EXPORT(ULONG, KeGetCurrentNodeNumber, (), ()) { return 0; }
NT_EXPORT(USHORT, KeQueryHighestNodeNumber, (), ()) { return 0; }
NT_EXPORT(VOID, KeSetSystemAffinityThread, (KAFFINITY affinity), (affinity)) { ke::SetSystemAffinityThread(affinity); }
NT_EXPORT(KAFFINITY, KeSetSystemAffinityThreadEx, (KAFFINITY affinity), (affinity)) {
  return ke::SetSystemAffinityThreadEx(affinity);
}
NT_EXPORT(VOID, KeRevertToUserAffinityThread, (), ()) { ke::RevertToUserAffinityThread(); }
NT_EXPORT(VOID, KeRevertToUserAffinityThreadEx, (KAFFINITY affinity), (affinity)) {
  ke::RevertToUserAffinityThreadEx(affinity);
}
NT_EXPORT(VOID, KeSetSystemGroupAffinityThread, (PGROUP_AFFINITY affinity, PGROUP_AFFINITY previous),
          (affinity, previous)) {
  ke::SetSystemGroupAffinityThread(affinity, previous);
}
NT_EXPORT(VOID, KeRevertToUserGroupAffinityThread, (PGROUP_AFFINITY previous), (previous)) {
  ke::RevertToUserGroupAffinityThread(previous);
}
NT_EXPORT(KPRIORITY, KeSetPriorityThread, (PKTHREAD thread, KPRIORITY priority), (thread, priority)) {
  return ke::SetPriorityThread(thread, priority);
}
NT_EXPORT(KPRIORITY, KeQueryPriorityThread, (PKTHREAD thread), (thread)) { return ke::QueryPriorityThread(thread); }
NT_EXPORT(LONG, KeSetBasePriorityThread, (PKTHREAD thread, LONG increment), (thread, increment)) {
  return ke::SetBasePriorityThread(thread, increment);
}
