// Exports: plug and play notifications and device interfaces.
#include "src/io/pnp.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(NTSTATUS, IoRegisterPlugPlayNotification,
          (IO_NOTIFICATION_EVENT_CATEGORY category, ULONG flags, PVOID data, PDRIVER_OBJECT driver,
           PDRIVER_NOTIFICATION_CALLBACK_ROUTINE routine, PVOID context, PVOID* entry),
          (category, flags, data, driver, routine, context, entry)) {
  return io::RegisterPlugPlayNotification(category, flags, data, driver, routine, context, entry);
}
NT_EXPORT(NTSTATUS, IoUnregisterPlugPlayNotification, (PVOID entry), (entry)) {
  return io::UnregisterPlugPlayNotification(entry);
}
NT_EXPORT(NTSTATUS, IoUnregisterPlugPlayNotificationEx, (PVOID entry), (entry)) {
  return io::UnregisterPlugPlayNotification(entry);
}
NT_EXPORT(NTSTATUS, IoReportTargetDeviceChange, (PDEVICE_OBJECT device, PVOID structure), (device, structure)) {
  return io::ReportTargetDeviceChange(device, structure);
}
NT_EXPORT(NTSTATUS, IoReportTargetDeviceChangeAsynchronous,
          (PDEVICE_OBJECT device, PVOID structure, PDEVICE_CHANGE_COMPLETE_CALLBACK done, PVOID context),
          (device, structure, done, context)) {
  return io::ReportTargetDeviceChangeAsynchronous(device, structure, done, context);
}
NT_EXPORT(NTSTATUS, IoRegisterDeviceInterface,
          (PDEVICE_OBJECT device, const GUID* interface_class, PUNICODE_STRING reference, PUNICODE_STRING link),
          (device, interface_class, reference, link)) {
  return io::RegisterDeviceInterface(device, *interface_class, reference, link);
}
NT_EXPORT(NTSTATUS, IoSetDeviceInterfaceState, (PUNICODE_STRING link, BOOLEAN enable), (link, enable)) {
  return io::SetDeviceInterfaceState(link, enable);
}
NT_EXPORT(NTSTATUS, IoGetDeviceInterfaces,
          (const GUID* interface_class, PDEVICE_OBJECT device, ULONG flags, PZZWSTR* list),
          (interface_class, device, flags, list)) {
  return io::GetDeviceInterfaces(*interface_class, device, flags & DEVICE_INTERFACE_INCLUDE_NONACTIVE, list);
}
