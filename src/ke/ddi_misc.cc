// Exports: time, attachment, stacks, caches, bug checks.
#include "src/ke/ke.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

// --- time --------------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeQuerySystemTime, (PLARGE_INTEGER time), (time)) { ke::QuerySystemTime(time); }
NT_EXPORT(VOID, KeQuerySystemTimePrecise, (PLARGE_INTEGER time), (time)) { ke::QuerySystemTimePrecise(time); }
NT_EXPORT(ULONGLONG, KeQueryInterruptTime, (), ()) { return ke::QueryInterruptTime(); }
NT_EXPORT(ULONGLONG, KeQueryInterruptTimePrecise, (PULONG64 counter), (counter)) {
  return ke::QueryInterruptTimePrecise(counter);
}
NT_EXPORT(ULONGLONG, KeQueryUnbiasedInterruptTime, (), ()) { return ke::QueryUnbiasedInterruptTime(); }
NT_EXPORT(ULONGLONG, KeQueryUnbiasedInterruptTimePrecise, (PULONG64 counter), (counter)) {
  return ke::QueryInterruptTimePrecise(counter);
}
NT_EXPORT(LARGE_INTEGER, KeQueryPerformanceCounter, (PLARGE_INTEGER frequency), (frequency)) {
  return ke::QueryPerformanceCounter(frequency);
}
NT_EXPORT(ULONG, KeQueryTimeIncrement, (), ()) { return ke::QueryTimeIncrement(); }
NT_EXPORT(VOID, KeQueryTickCount, (PLARGE_INTEGER ticks), (ticks)) { ke::QueryTickCount(ticks); }
NT_EXPORT(VOID, KeStallExecutionProcessor, (ULONG microseconds), (microseconds)) {
  ke::StallExecutionProcessor(microseconds);
}

// --- attachment ----------------------------------------------------------------------------------------------------------------

NT_EXPORT(VOID, KeStackAttachProcess, (PRKPROCESS process, PRKAPC_STATE state), (process, state)) {
  ke::StackAttachProcess(process, state);
}
NT_EXPORT(VOID, KeUnstackDetachProcess, (PRKAPC_STATE state), (state)) { ke::UnstackDetachProcess(state); }

// --- stacks ----------------------------------------------------------------------------------------------------------------------

NT_EXPORT(NTSTATUS, KeExpandKernelStackAndCallout, (PEXPAND_STACK_CALLOUT callout, PVOID parameter, SIZE_T size),
          (callout, parameter, size)) {
  return ke::ExpandKernelStackAndCallout(callout, parameter, size);
}
NT_EXPORT(NTSTATUS, KeExpandKernelStackAndCalloutEx,
          (PEXPAND_STACK_CALLOUT callout, PVOID parameter, SIZE_T size, BOOLEAN wait, PVOID context),
          (callout, parameter, size, wait, context)) {
  return ke::ExpandKernelStackAndCalloutEx(callout, parameter, size, wait, context);
}
NT_EXPORT(VOID, IoGetStackLimits, (PULONG_PTR low, PULONG_PTR high), (low, high)) { ke::GetStackLimits(low, high); }
NT_EXPORT(ULONG_PTR, IoGetRemainingStackSize, (), ()) { return ke::GetRemainingStackSize(); }
NT_EXPORT(PVOID, IoGetInitialStack, (), ()) { return reinterpret_cast<PVOID>(ke::CurrentThread()->stack_base); }
NT_EXPORT(ULONG, IoWithinStackLimits, (ULONG_PTR start, SIZE_T size), (start, size)) {
  return ke::WithinStackLimits(start, size);
}

// --- caches, processor state: x64 keeps caches coherent with DMA and saves XMM registers with every thread --------------------------

NT_EXPORT(ULONG, KeGetRecommendedSharedDataAlignment, (), ()) { return ke::GetRecommendedSharedDataAlignment(); }
NT_EXPORT(VOID, KeFlushIoBuffers, (PMDL mdl, BOOLEAN read, BOOLEAN dma), (mdl, read, dma)) {
  static_cast<void>(mdl);
  static_cast<void>(read);
  static_cast<void>(dma);
}
NT_EXPORT(VOID, KeInvalidateAllCaches, (), ()) {}
NT_EXPORT(NTSTATUS, KeSaveFloatingPointState, (PKFLOATING_SAVE save), (save)) {
  save->Dummy = 0;
  return STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, KeRestoreFloatingPointState, (PKFLOATING_SAVE save), (save)) {
  static_cast<void>(save);
  return STATUS_SUCCESS;
}

// --- bug checks: not NT_EXPORT, as they do not return ----------------------------------------------------------------------------------

NT_EXPORT_VARIADIC(VOID, KeBugCheckEx, (ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4)) {
  ke::BugCheckEx(code, p1, p2, p3, p4);
}
NT_EXPORT_VARIADIC(VOID, KeBugCheck, (ULONG code)) { ke::BugCheckEx(code); }

NT_EXPORT(BOOLEAN, KeRegisterBugCheckCallback,
          (PKBUGCHECK_CALLBACK_RECORD record, PKBUGCHECK_CALLBACK_ROUTINE routine, PVOID buffer, ULONG length,
           PUCHAR component),
          (record, routine, buffer, length, component)) {
  return ke::RegisterBugCheckCallback(record, reinterpret_cast<void*>(routine), buffer, length, component);
}
NT_EXPORT(BOOLEAN, KeDeregisterBugCheckCallback, (PKBUGCHECK_CALLBACK_RECORD record), (record)) {
  return ke::DeregisterBugCheckCallback(record);
}
NT_EXPORT_PARTIAL(BOOLEAN, KeRegisterBugCheckReasonCallback,
                  (PKBUGCHECK_REASON_CALLBACK_RECORD record, PKBUGCHECK_REASON_CALLBACK_ROUTINE routine,
                   KBUGCHECK_CALLBACK_REASON reason, PUCHAR component),
                  (record, routine, reason, component), "no crash dump is written, so the routine is never called") {
  return ke::RegisterBugCheckReasonCallback(record, reinterpret_cast<void*>(routine), reason, component);
}
NT_EXPORT(BOOLEAN, KeDeregisterBugCheckReasonCallback, (PKBUGCHECK_REASON_CALLBACK_RECORD record), (record)) {
  return ke::DeregisterBugCheckReasonCallback(record);
}
