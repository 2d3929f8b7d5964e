/* DriverEntry: a device over the two disks that the value "Disks" names. They must be of one size. */
#include "mirror.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH MirrorSucceed;
static DRIVER_UNLOAD MirrorUnload;

ULONG MirrorFirstSide(PMIRROR Mirror) {
  ULONG side;
  for (side = 0; side < MIRROR_SIDES && Mirror->Failed[side]; side++) {
  }
  return side;
}

/* IRQL <= DISPATCH_LEVEL. */
VOID MirrorFailSide(PMIRROR Mirror, ULONG Side, NTSTATUS Status) {
  PIO_ERROR_LOG_PACKET entry;
  if (InterlockedCompareExchange(&Mirror->Failed[Side], Status, STATUS_SUCCESS) != STATUS_SUCCESS) return;
  entry = IoAllocateErrorLogEntry(Mirror->DeviceObject, sizeof *entry);
  if (!entry) return;
  RtlZeroMemory(entry, sizeof *entry);
  entry->ErrorCode = IO_ERR_DRIVER_ERROR;
  entry->UniqueErrorValue = Side;
  entry->FinalStatus = Status;
  IoWriteErrorLogEntry(entry);
}

static NTSTATUS NTAPI MirrorSucceed(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
  return MirrorComplete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI MirrorUnload(PDRIVER_OBJECT DriverObject) {
  PMIRROR mirror = DriverObject->DeviceObject->DeviceExtension;
  ULONG side;
  for (side = 0; side < MIRROR_SIDES; side++) ObDereferenceObject(mirror->Files[side]);
  IoDeleteDevice(mirror->DeviceObject);
}

static NTSTATUS CheckSizes(PDEVICE_OBJECT* Sides) {
  GET_LENGTH_INFORMATION length[MIRROR_SIDES];
  ULONG side;
  for (side = 0; side < MIRROR_SIDES; side++) {
    const NTSTATUS status = StorageControl(Sides[side], IOCTL_DISK_GET_LENGTH_INFO, &length[side], sizeof length[side]);
    if (!NT_SUCCESS(status)) return status;
    if (length[side].Length.QuadPart != length[0].Length.QuadPart || Sides[side]->SectorSize != Sides[0]->SectorSize ||
        !(Sides[side]->Flags & DO_DIRECT_IO))
      return STATUS_DEVICE_CONFIGURATION_ERROR;
  }
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  PFILE_OBJECT files[MIRROR_SIDES];
  PDEVICE_OBJECT sides[MIRROR_SIDES], device;
  PMIRROR mirror;
  UNICODE_STRING name;
  WCHAR nameBuffer[STORAGE_NAME_CHARS];
  ULONG count, side;
  NTSTATUS status = StorageOpenDisks(RegistryPath, MIRROR_SIDES, MIRROR_SIDES, files, sides, &count);
  if (!NT_SUCCESS(status)) return status;
  status = CheckSizes(sides);
  if (NT_SUCCESS(status))
    status = StorageCreateNamedDisk(DriverObject, sizeof(MIRROR), L"Mirror", FILE_DEVICE_SECURE_OPEN, nameBuffer, &name,
                                    &device);
  if (!NT_SUCCESS(status)) {
    for (side = 0; side < MIRROR_SIDES; side++) ObDereferenceObject(files[side]);
    return status;
  }
  mirror = device->DeviceExtension;
  RtlZeroMemory(mirror, sizeof *mirror);
  mirror->DeviceObject = device;
  RtlCopyMemory(mirror->NameBuffer, nameBuffer, sizeof nameBuffer);
  mirror->Name = name;
  mirror->Name.Buffer = mirror->NameBuffer;
  device->SectorSize = sides[0]->SectorSize;
  for (side = 0; side < MIRROR_SIDES; side++) {
    mirror->Files[side] = files[side];
    mirror->Sides[side] = sides[side];
    if (device->AlignmentRequirement < sides[side]->AlignmentRequirement)
      device->AlignmentRequirement = sides[side]->AlignmentRequirement;
    /* A read is the caller's own IRP on its way down, so it needs a location for whichever side is asked. */
    if (device->StackSize < sides[side]->StackSize + 1) device->StackSize = sides[side]->StackSize + 1;
  }
  DriverObject->MajorFunction[IRP_MJ_CREATE] = MirrorSucceed;
  DriverObject->MajorFunction[IRP_MJ_CLEANUP] = MirrorSucceed;
  DriverObject->MajorFunction[IRP_MJ_CLOSE] = MirrorSucceed;
  DriverObject->MajorFunction[IRP_MJ_READ] = MirrorRead;
  DriverObject->MajorFunction[IRP_MJ_WRITE] = MirrorWriteOrFlush;
  DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = MirrorWriteOrFlush;
  DriverObject->MajorFunction[IRP_MJ_SHUTDOWN] = MirrorWriteOrFlush;
  DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = MirrorDeviceControl;
  DriverObject->DriverUnload = MirrorUnload;
  device->Flags |= DO_DIRECT_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
