// The raw file system: mounts what no other file system knows, when the volume itself is opened. One file, the device.
//
// A driver like any other, of the name \FileSystem\RAW. Its volume device goes with the last open of the volume, so that a
// file system that is loaded later gets its turn.
#include "src/io/internal.h"

namespace nt::io {
namespace {

struct Volume {
  DEVICE_OBJECT* target;  // the top of the storage stack
  VPB* vpb;
  SHARE_ACCESS share;     // under lock
  KEVENT lock;            // synchronization event
  LONG opens;
};

NTSTATUS Complete(IRP* irp, NTSTATUS status, ULONG_PTR information = 0) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  CompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

bool IsVolume(DEVICE_OBJECT* device) { return device->DeviceExtension != nullptr; }
Volume* VolumeOf(DEVICE_OBJECT* device) { return static_cast<Volume*>(device->DeviceExtension); }

NTSTATUS Mount(IRP* irp) {
  IO_STACK_LOCATION* location = CurrentLocation(irp);
  VPB* vpb = location->Parameters.MountVolume.Vpb;
  DEVICE_OBJECT* target = location->Parameters.MountVolume.DeviceObject;
  DEVICE_OBJECT* device;
  Status status = CreateDevice(g_state->raw_driver, sizeof(Volume), nullptr, FILE_DEVICE_DISK_FILE_SYSTEM, 0, false, &device);
  if (!status.ok()) return Complete(irp, status);
  Volume* volume = VolumeOf(device);
  volume->target = target;
  volume->vpb = vpb;
  ke::InitializeEvent(&volume->lock, SynchronizationEvent, true);
  // Requests are passed on as they are, so they carry what the device below wants.
  device->Flags |= target->Flags & DO_BUFFERED_IO ? DO_BUFFERED_IO : DO_DIRECT_IO;
  device->AlignmentRequirement = target->AlignmentRequirement;
  device->StackSize = static_cast<CCHAR>(target->StackSize + 1);
  device->SectorSize = target->SectorSize ? target->SectorSize : 512;
  device->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
  vpb->DeviceObject = device;
  vpb->SerialNumber = 0xffffffff;
  vpb->VolumeLabelLength = 0;
  ob::DereferenceObject(target);  // the I/O manager's, taken for a mount; open files keep the storage device
  return Complete(irp, STATUS_SUCCESS);
}

NTSTATUS Create(DEVICE_OBJECT* device, IRP* irp) {
  if (!IsVolume(device)) return Complete(irp, STATUS_SUCCESS, FILE_OPENED);
  IO_STACK_LOCATION* location = CurrentLocation(irp);
  FILE_OBJECT* file = location->FileObject;
  if (file->FileName.Length || (file->RelatedFileObject && file->RelatedFileObject->FileName.Length))
    return Complete(irp, STATUS_UNRECOGNIZED_VOLUME);
  const ULONG disposition = location->Parameters.Create.Options >> 24;
  if (disposition != FILE_OPEN && disposition != FILE_OPEN_IF) return Complete(irp, STATUS_ACCESS_DENIED);
  if (location->Parameters.Create.Options & FILE_DIRECTORY_FILE) return Complete(irp, STATUS_NOT_A_DIRECTORY);
  Volume* volume = VolumeOf(device);
  ke::WaitFor(&volume->lock);
  const ACCESS_MASK access = location->Parameters.Create.SecurityContext->DesiredAccess;
  NTSTATUS status = STATUS_SUCCESS;
  if (volume->opens == 0)
    SetShareAccess(access, location->Parameters.Create.ShareAccess, file, &volume->share);
  else
    status = CheckShareAccess(access, location->Parameters.Create.ShareAccess, file, &volume->share, true);
  if (NT_SUCCESS(status)) {
    volume->opens++;
    file->Vpb = volume->vpb;
    file->Flags |= FO_NO_INTERMEDIATE_BUFFERING;
  }
  ke::SetEvent(&volume->lock);
  return Complete(irp, status, NT_SUCCESS(status) ? FILE_OPENED : 0);
}

NTSTATUS Cleanup(DEVICE_OBJECT* device, IRP* irp) {
  if (IsVolume(device)) {
    Volume* volume = VolumeOf(device);
    ke::WaitFor(&volume->lock);
    RemoveShareAccess(CurrentLocation(irp)->FileObject, &volume->share);
    ke::SetEvent(&volume->lock);
  }
  return Complete(irp, STATUS_SUCCESS);
}

NTSTATUS Close(DEVICE_OBJECT* device, IRP* irp) {
  if (!IsVolume(device)) return Complete(irp, STATUS_SUCCESS);
  Volume* volume = VolumeOf(device);
  ke::WaitFor(&volume->lock);
  const LONG left = --volume->opens;
  ke::SetEvent(&volume->lock);
  bool dismount = false;
  if (left == 0) {
    ke::SpinLockScope scope(&g_state->vpb_lock);
    VPB* vpb = volume->vpb;
    // An open on its way has counted the VPB before it comes here.
    if (vpb->ReferenceCount == 0 && (vpb->Flags & VPB_MOUNTED)) {
      vpb->Flags &= static_cast<USHORT>(~(VPB_MOUNTED | VPB_LOCKED));
      vpb->DeviceObject = nullptr;
      dismount = true;
    }
  }
  const NTSTATUS status = Complete(irp, STATUS_SUCCESS);
  if (dismount) DeleteDevice(device);
  return status;
}

NTSTATUS Pass(DEVICE_OBJECT* device, IRP* irp) {
  IoSkipCurrentIrpStackLocation(irp);
  return io::CallDriver(VolumeOf(device)->target, irp);
}

NTSTATUS FileSystemControl(DEVICE_OBJECT* device, IRP* irp) {
  IO_STACK_LOCATION* location = CurrentLocation(irp);
  if (!IsVolume(device))
    return location->MinorFunction == IRP_MN_MOUNT_VOLUME ? Mount(irp) : Complete(irp, STATUS_INVALID_DEVICE_REQUEST);
  if (location->MinorFunction == IRP_MN_VERIFY_VOLUME) {
    // The raw file system has no way to tell one medium from another; the old one is gone.
    VolumeOf(device)->vpb->RealDevice->Flags &= ~static_cast<ULONG>(DO_VERIFY_VOLUME);
    return Complete(irp, STATUS_SUCCESS);
  }
  if (location->MinorFunction != IRP_MN_USER_FS_REQUEST) return Complete(irp, STATUS_INVALID_DEVICE_REQUEST);
  VPB* vpb = VolumeOf(device)->vpb;
  NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;
  switch (location->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_LOCK_VOLUME: {
      ke::SpinLockScope scope(&g_state->vpb_lock);
      status = STATUS_ACCESS_DENIED;
      if (!(vpb->Flags & VPB_LOCKED) && vpb->ReferenceCount == 1) {
        vpb->Flags |= VPB_LOCKED;
        status = STATUS_SUCCESS;
      }
      break;
    }
    case FSCTL_UNLOCK_VOLUME: {
      ke::SpinLockScope scope(&g_state->vpb_lock);
      status = vpb->Flags & VPB_LOCKED ? STATUS_SUCCESS : STATUS_NOT_LOCKED;
      vpb->Flags &= static_cast<USHORT>(~VPB_LOCKED);
      break;
    }
    case FSCTL_DISMOUNT_VOLUME:
      status = vpb->Flags & VPB_LOCKED ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;  // goes with the last close
      break;
    default: break;
  }
  return Complete(irp, status);
}

NTSTATUS Query(IRP* irp) {
  IO_STACK_LOCATION* location = CurrentLocation(irp);
  void* buffer = irp->AssociatedIrp.SystemBuffer;
  if (location->MajorFunction == IRP_MJ_QUERY_VOLUME_INFORMATION &&
      location->Parameters.QueryVolume.FsInformationClass == FileFsAttributeInformation) {
    constexpr char16_t kName[] = u"RAW";
    constexpr ULONG kFixed = FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName);
    auto* out = static_cast<FILE_FS_ATTRIBUTE_INFORMATION*>(buffer);
    const ULONG room = location->Parameters.QueryVolume.Length - kFixed;
    out->FileSystemAttributes = 0;
    out->MaximumComponentNameLength = 0;
    out->FileSystemNameLength = sizeof kName - 2;
    const ULONG bytes = room < sizeof kName - 2 ? room : sizeof kName - 2;
    __builtin_memcpy(out->FileSystemName, kName, bytes);
    return Complete(irp, bytes == sizeof kName - 2 ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW, kFixed + bytes);
  }
  return Complete(irp, STATUS_INVALID_DEVICE_REQUEST);
}

NTSTATUS NTIO_MS_ABI Dispatch(PDEVICE_OBJECT device, PIRP irp) {
  switch (CurrentLocation(irp)->MajorFunction) {
    case IRP_MJ_CREATE: return Create(device, irp);
    case IRP_MJ_CLEANUP: return Cleanup(device, irp);
    case IRP_MJ_CLOSE: return Close(device, irp);
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_FLUSH_BUFFERS:
    case IRP_MJ_PNP:
      return IsVolume(device) ? Pass(device, irp) : Complete(irp, STATUS_INVALID_DEVICE_REQUEST);
    case IRP_MJ_FILE_SYSTEM_CONTROL: return FileSystemControl(device, irp);
    case IRP_MJ_SHUTDOWN: return Complete(irp, STATUS_SUCCESS);
    case IRP_MJ_QUERY_VOLUME_INFORMATION: return Query(irp);
    default: return Complete(irp, STATUS_INVALID_DEVICE_REQUEST);
  }
}

NTSTATUS NTIO_MS_ABI Entry(PDRIVER_OBJECT driver, PUNICODE_STRING) {
  g_state->raw_driver = driver;
  for (auto& routine : driver->MajorFunction) routine = Dispatch;
  struct Row {
    const char16_t* name;
    DEVICE_TYPE type;
  };
  for (const Row& row : {Row{u"\\Device\\RawDisk", FILE_DEVICE_DISK_FILE_SYSTEM},
                         Row{u"\\Device\\RawCdRom", FILE_DEVICE_CD_ROM_FILE_SYSTEM},
                         Row{u"\\Device\\RawTape", FILE_DEVICE_TAPE_FILE_SYSTEM}}) {
    UNICODE_STRING name;
    name.Buffer = const_cast<WCHAR*>(row.name);
    name.Length = name.MaximumLength = static_cast<USHORT>(std::char_traits<char16_t>::length(row.name) * 2);
    DEVICE_OBJECT* device;
    Status status = CreateDevice(driver, 0, &name, row.type, 0, false, &device);
    if (!status.ok()) return status;
    RegisterFileSystem(device);
  }
  return STATUS_SUCCESS;
}

}  // namespace

Status RawBoot() { return CreateBuiltInDriver(u"\\FileSystem\\RAW", Entry).status(); }

}  // namespace nt::io
