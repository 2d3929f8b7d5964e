// Exports: drivers, devices, stacks, volumes, timers, hard errors.
#include "src/io/internal.h"

using namespace nt;  // NOLINT: a file of exports only

namespace nt::io {
Status VolumeDeviceToGuidPath(DEVICE_OBJECT* volume, UNICODE_STRING* out);
Status VolumeDeviceToGuid(DEVICE_OBJECT* volume, GUID* guid);
}  // namespace nt::io

NT_EXPORT(NTSTATUS, IoCreateDevice,
          (PDRIVER_OBJECT driver, ULONG extension, PUNICODE_STRING name, DEVICE_TYPE type, ULONG characteristics,
           BOOLEAN exclusive, PDEVICE_OBJECT* device),
          (driver, extension, name, type, characteristics, exclusive, device)) {
  return io::CreateDevice(driver, extension, name, type, characteristics, exclusive, device);
}
static constexpr char kNoSddl[] = "the SDDL string is not applied: any requestor may open the device";
NT_EXPORT_PARTIAL(NTSTATUS, IoCreateDeviceSecure,
                  (PDRIVER_OBJECT driver, ULONG extension, PUNICODE_STRING name, DEVICE_TYPE type, ULONG characteristics,
                   BOOLEAN exclusive, PCUNICODE_STRING sddl, const GUID* class_guid, PDEVICE_OBJECT* device),
                  (driver, extension, name, type, characteristics, exclusive, sddl, class_guid, device), kNoSddl) {
  static_cast<void>(sddl);
  static_cast<void>(class_guid);
  return io::CreateDevice(driver, extension, name, type, characteristics, exclusive, device);
}
NT_EXPORT_PARTIAL(NTSTATUS, WdmlibIoCreateDeviceSecure,
                  (PDRIVER_OBJECT driver, ULONG extension, PUNICODE_STRING name, DEVICE_TYPE type, ULONG characteristics,
                   BOOLEAN exclusive, PCUNICODE_STRING sddl, const GUID* class_guid, PDEVICE_OBJECT* device),
                  (driver, extension, name, type, characteristics, exclusive, sddl, class_guid, device), kNoSddl) {
  static_cast<void>(sddl);
  static_cast<void>(class_guid);
  return io::CreateDevice(driver, extension, name, type, characteristics, exclusive, device);
}
NT_EXPORT(VOID, IoDeleteDevice, (PDEVICE_OBJECT device), (device)) { io::DeleteDevice(device); }
NT_EXPORT(NTSTATUS, IoCreateSymbolicLink, (PUNICODE_STRING link, PUNICODE_STRING name), (link, name)) {
  return io::CreateSymbolicLink(link, name);
}
NT_EXPORT(NTSTATUS, IoCreateUnprotectedSymbolicLink, (PUNICODE_STRING link, PUNICODE_STRING name), (link, name)) {
  return io::CreateSymbolicLink(link, name);
}
NT_EXPORT(NTSTATUS, IoDeleteSymbolicLink, (PUNICODE_STRING link), (link)) { return io::DeleteSymbolicLink(link); }

NT_EXPORT(NTSTATUS, IoCreateDriver, (PUNICODE_STRING name, PDRIVER_INITIALIZE entry), (name, entry)) {
  static std::atomic<unsigned> next{1};
  std::u16string text;
  if (name) {
    text.assign(name->Buffer, name->Length / sizeof(WCHAR));
  } else {
    const std::string number = std::to_string(next.fetch_add(1));
    text = u"\\Driver\\" + std::u16string(number.begin(), number.end());
  }
  return io::CreateBuiltInDriver(text.c_str(), entry).status();
}
NT_EXPORT(VOID, IoDeleteDriver, (PDRIVER_OBJECT driver), (driver)) { io::DeleteDriver(driver); }
NT_EXPORT(NTSTATUS, IoAllocateDriverObjectExtension, (PDRIVER_OBJECT driver, PVOID id, ULONG bytes, PVOID* extension),
          (driver, id, bytes, extension)) {
  return io::AllocateDriverObjectExtension(driver, id, bytes, extension);
}
NT_EXPORT(PVOID, IoGetDriverObjectExtension, (PDRIVER_OBJECT driver, PVOID id), (driver, id)) {
  return io::GetDriverObjectExtension(driver, id);
}
NT_EXPORT(VOID, IoRegisterDriverReinitialization, (PDRIVER_OBJECT driver, PDRIVER_REINITIALIZE routine, PVOID context),
          (driver, routine, context)) {
  io::RegisterDriverReinitialization(driver, routine, context);
}
NT_EXPORT(VOID, IoRegisterBootDriverReinitialization,
          (PDRIVER_OBJECT driver, PDRIVER_REINITIALIZE routine, PVOID context), (driver, routine, context)) {
  io::RegisterBootDriverReinitialization(driver, routine, context);
}

NT_EXPORT(NTSTATUS, IoAttachDevice, (PDEVICE_OBJECT source, PUNICODE_STRING target, PDEVICE_OBJECT* attached),
          (source, target, attached)) {
  return io::AttachDevice(source, target, attached);
}
NT_EXPORT(PDEVICE_OBJECT, IoAttachDeviceToDeviceStack, (PDEVICE_OBJECT source, PDEVICE_OBJECT target), (source, target)) {
  return io::AttachDeviceToDeviceStack(source, target);
}
NT_EXPORT(NTSTATUS, IoAttachDeviceToDeviceStackSafe,
          (PDEVICE_OBJECT source, PDEVICE_OBJECT target, PDEVICE_OBJECT* attached), (source, target, attached)) {
  return io::AttachDeviceToDeviceStackSafe(source, target, attached);
}
NT_EXPORT(NTSTATUS, IoAttachDeviceByPointer, (PDEVICE_OBJECT source, PDEVICE_OBJECT target), (source, target)) {
  return io::AttachDeviceByPointer(source, target);
}
NT_EXPORT(VOID, IoDetachDevice, (PDEVICE_OBJECT target), (target)) { io::DetachDevice(target); }
NT_EXPORT(PDEVICE_OBJECT, IoGetAttachedDevice, (PDEVICE_OBJECT device), (device)) { return io::GetAttachedDevice(device); }
NT_EXPORT(PDEVICE_OBJECT, IoGetAttachedDeviceReference, (PDEVICE_OBJECT device), (device)) {
  return io::GetAttachedDeviceReference(device);
}
NT_EXPORT(PDEVICE_OBJECT, IoGetLowerDeviceObject, (PDEVICE_OBJECT device), (device)) {
  return io::GetLowerDeviceObject(device);
}
NT_EXPORT(PDEVICE_OBJECT, IoGetDeviceAttachmentBaseRef, (PDEVICE_OBJECT device), (device)) {
  return io::GetDeviceAttachmentBaseRef(device);
}
NT_EXPORT(PDEVICE_OBJECT, IoGetBaseFileSystemDeviceObject, (PFILE_OBJECT file), (file)) {
  return io::GetBaseFileSystemDeviceObject(file);
}
NT_EXPORT(PDEVICE_OBJECT, IoGetRelatedDeviceObject, (PFILE_OBJECT file), (file)) {
  return io::GetRelatedDeviceObject(file);
}
NT_EXPORT(NTSTATUS, IoGetDiskDeviceObject, (PDEVICE_OBJECT device, PDEVICE_OBJECT* disk), (device, disk)) {
  return io::GetDiskDeviceObject(device, disk);
}
NT_EXPORT(NTSTATUS, IoGetDeviceObjectPointer,
          (PUNICODE_STRING name, ACCESS_MASK access, PFILE_OBJECT* file, PDEVICE_OBJECT* device),
          (name, access, file, device)) {
  return io::GetDeviceObjectPointer(name, access, file, device);
}
NT_EXPORT(NTSTATUS, IoEnumerateDeviceObjectList,
          (PDRIVER_OBJECT driver, PDEVICE_OBJECT* list, ULONG bytes, PULONG count), (driver, list, bytes, count)) {
  return io::EnumerateDeviceObjectList(driver, list, bytes, count);
}

NT_EXPORT(VOID, IoRegisterFileSystem, (PDEVICE_OBJECT device), (device)) { io::RegisterFileSystem(device); }
NT_EXPORT(VOID, IoUnregisterFileSystem, (PDEVICE_OBJECT device), (device)) { io::UnregisterFileSystem(device); }
NT_EXPORT(NTSTATUS, IoRegisterFsRegistrationChange, (PDRIVER_OBJECT driver, PDRIVER_FS_NOTIFICATION routine),
          (driver, routine)) {
  return io::RegisterFsRegistrationChange(driver, routine);
}
NT_EXPORT(NTSTATUS, IoRegisterFsRegistrationChangeMountAware,
          (PDRIVER_OBJECT driver, PDRIVER_FS_NOTIFICATION routine, BOOLEAN synchronize), (driver, routine, synchronize)) {
  return io::RegisterFsRegistrationChange(driver, routine, synchronize);
}
NT_EXPORT(VOID, IoUnregisterFsRegistrationChange, (PDRIVER_OBJECT driver, PDRIVER_FS_NOTIFICATION routine),
          (driver, routine)) {
  io::UnregisterFsRegistrationChange(driver, routine);
}
NT_EXPORT(VOID, IoAcquireVpbSpinLock, (PKIRQL irql), (irql)) { io::AcquireVpbSpinLock(irql); }
NT_EXPORT(VOID, IoReleaseVpbSpinLock, (KIRQL irql), (irql)) { io::ReleaseVpbSpinLock(irql); }
NT_EXPORT(NTSTATUS, IoVerifyVolume, (PDEVICE_OBJECT device, BOOLEAN allow_raw), (device, allow_raw)) {
  return io::VerifyVolume(device, allow_raw);
}
NT_EXPORT(PDEVICE_OBJECT, IoGetDeviceToVerify, (PETHREAD thread), (thread)) { return io::GetDeviceToVerify(thread); }
NT_EXPORT(VOID, IoSetDeviceToVerify, (PETHREAD thread, PDEVICE_OBJECT device), (thread, device)) {
  io::SetDeviceToVerify(thread, device);
}
NT_EXPORT(VOID, IoSetHardErrorOrVerifyDevice, (PIRP irp, PDEVICE_OBJECT device), (irp, device)) {
  io::SetHardErrorOrVerifyDevice(irp, device);
}
NT_EXPORT(VOID, IoRaiseHardError, (PIRP irp, PVPB vpb, PDEVICE_OBJECT device), (irp, vpb, device)) {
  io::RaiseHardError(irp, vpb, device);
}
NT_EXPORT(BOOLEAN, IoRaiseInformationalHardError, (NTSTATUS status, PUNICODE_STRING text, PKTHREAD thread),
          (status, text, thread)) {
  return io::RaiseInformationalHardError(status, text, thread);
}
NT_EXPORT(BOOLEAN, IoSetThreadHardErrorMode, (BOOLEAN enable), (enable)) { return io::SetThreadHardErrorMode(enable); }
NT_EXPORT(NTSTATUS, IoVolumeDeviceToDosName, (PVOID volume, PUNICODE_STRING name), (volume, name)) {
  return io::VolumeDeviceToDosName(static_cast<PDEVICE_OBJECT>(volume), name);
}
NT_EXPORT(NTSTATUS, RtlVolumeDeviceToDosName, (PVOID volume, PUNICODE_STRING name), (volume, name)) {
  return io::VolumeDeviceToDosName(static_cast<PDEVICE_OBJECT>(volume), name);
}
NT_EXPORT(NTSTATUS, IoVolumeDeviceToGuid, (PDEVICE_OBJECT volume, GUID* guid), (volume, guid)) {
  return io::VolumeDeviceToGuid(volume, guid);
}
NT_EXPORT(NTSTATUS, IoVolumeDeviceToGuidPath, (PDEVICE_OBJECT volume, PUNICODE_STRING path), (volume, path)) {
  return io::VolumeDeviceToGuidPath(volume, path);
}

NT_EXPORT(NTSTATUS, IoRegisterShutdownNotification, (PDEVICE_OBJECT device), (device)) {
  return io::RegisterShutdownNotification(device);
}
NT_EXPORT(NTSTATUS, IoRegisterLastChanceShutdownNotification, (PDEVICE_OBJECT device), (device)) {
  return io::RegisterLastChanceShutdownNotification(device);
}
NT_EXPORT(VOID, IoUnregisterShutdownNotification, (PDEVICE_OBJECT device), (device)) {
  io::UnregisterShutdownNotification(device);
}
NT_EXPORT(NTSTATUS, IoInitializeTimer, (PDEVICE_OBJECT device, PIO_TIMER_ROUTINE routine, PVOID context),
          (device, routine, context)) {
  return io::InitializeTimer(device, routine, context);
}
NT_EXPORT(VOID, IoStartTimer, (PDEVICE_OBJECT device), (device)) { io::StartTimer(device); }
NT_EXPORT(VOID, IoStopTimer, (PDEVICE_OBJECT device), (device)) { io::StopTimer(device); }
NT_EXPORT(BOOLEAN, IoIsWdmVersionAvailable, (UCHAR major, UCHAR minor), (major, minor)) {
  return major < 6 || (major == 6 && minor <= 0x40);
}

NT_EXPORT(NTSTATUS, ZwLoadDriver, (PUNICODE_STRING key), (key)) { return io::LoadDriverByServiceKey(key); }
NT_EXPORT(NTSTATUS, ZwUnloadDriver, (PUNICODE_STRING key), (key)) { return io::UnloadDriverByServiceKey(key); }
