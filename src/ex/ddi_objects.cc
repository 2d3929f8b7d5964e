// Exports: EX_TIMER and callback objects.
#include "src/ex/ex_objects.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(PEX_TIMER, ExAllocateTimer, (PEXT_CALLBACK callback, PVOID context, ULONG attributes),
          (callback, context, attributes)) {
  return ex::AllocateTimer(callback, context, attributes);
}
NT_EXPORT(BOOLEAN, ExSetTimer, (PEX_TIMER timer, LONGLONG due_time, LONGLONG period, PEXT_SET_PARAMETERS parameters),
          (timer, due_time, period, parameters)) {
  static_cast<void>(parameters);  // how late a timer may wake a sleeping processor: none sleeps
  return ex::SetTimer(timer, due_time, period);
}
NT_EXPORT(BOOLEAN, ExCancelTimer, (PEX_TIMER timer, PVOID parameters), (timer, parameters)) {
  static_cast<void>(parameters);  // NULL
  return ex::CancelTimer(timer);
}
NT_EXPORT(BOOLEAN, ExDeleteTimer, (PEX_TIMER timer, BOOLEAN cancel, BOOLEAN wait, PEXT_DELETE_PARAMETERS parameters),
          (timer, cancel, wait, parameters)) {
  return ex::DeleteTimer(timer, cancel, wait, parameters);
}

NT_EXPORT(NTSTATUS, ExCreateCallback,
          (PCALLBACK_OBJECT * callback, POBJECT_ATTRIBUTES attributes, BOOLEAN create, BOOLEAN multiple),
          (callback, attributes, create, multiple)) {
  return ex::CreateCallback(callback, attributes, create, multiple);
}
NT_EXPORT(PVOID, ExRegisterCallback, (PCALLBACK_OBJECT callback, PCALLBACK_FUNCTION function, PVOID context),
          (callback, function, context)) {
  return ex::RegisterCallback(callback, function, context);
}
NT_EXPORT(VOID, ExUnregisterCallback, (PVOID registration), (registration)) { ex::UnregisterCallback(registration); }
NT_EXPORT(VOID, ExNotifyCallback, (PVOID callback, PVOID argument1, PVOID argument2),
          (callback, argument1, argument2)) {
  ex::NotifyCallback(static_cast<PCALLBACK_OBJECT>(callback), argument1, argument2);
}
