// Exports: event objects, waiting on handles.
#include "ntifs.h"
#include "src/ex/event_object.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT_DATA(ExEventObjectType)

NT_EXPORT(NTSTATUS, ZwCreateEvent,
          (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, EVENT_TYPE type, BOOLEAN state),
          (handle, access, attributes, type, state)) {
  ke::PreviousModeScope scope(KernelMode);
  return ex::NtCreateEvent(handle, access, attributes, type, state);
}
NT_EXPORT(NTSTATUS, ZwOpenEvent, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes),
          (handle, access, attributes)) {
  ke::PreviousModeScope scope(KernelMode);
  return ex::NtOpenEvent(handle, access, attributes);
}
NT_EXPORT(NTSTATUS, ZwSetEvent, (HANDLE handle, PLONG previous), (handle, previous)) {
  ke::PreviousModeScope scope(KernelMode);
  return ex::NtSetEvent(handle, previous);
}
NT_EXPORT(NTSTATUS, ZwResetEvent, (HANDLE handle, PLONG previous), (handle, previous)) {
  ke::PreviousModeScope scope(KernelMode);
  return ex::NtResetEvent(handle, previous);
}
NT_EXPORT(NTSTATUS, ZwClearEvent, (HANDLE handle), (handle)) {
  ke::PreviousModeScope scope(KernelMode);
  return ex::NtResetEvent(handle, nullptr);
}
NT_EXPORT(NTSTATUS, ZwWaitForSingleObject, (HANDLE handle, BOOLEAN alertable, PLARGE_INTEGER timeout),
          (handle, alertable, timeout)) {
  ke::DriverWait wait;
  Status status;
  {
    ke::PreviousModeScope scope(KernelMode);
    status = ex::NtWaitForSingleObject(handle, alertable, timeout);
  }
  wait.GoIfSwitchedOff();
  return status;
}
