/* DriverEntry: attaches to the disk that the value "Disks" names. All requests but transfers pass through. */
#include "split.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH SplitPassOn;
static DRIVER_DISPATCH SplitPower;
static DRIVER_UNLOAD SplitUnload;

static NTSTATUS NTAPI SplitPassOn(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PSPLIT split = DeviceObject->DeviceExtension;
  IoSkipCurrentIrpStackLocation(Irp);
  return IoCallDriver(split->Lower, Irp);
}

static NTSTATUS NTAPI SplitPower(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PSPLIT split = DeviceObject->DeviceExtension;
  PoStartNextPowerIrp(Irp);
  IoSkipCurrentIrpStackLocation(Irp);
  return PoCallDriver(split->Lower, Irp);
}

static VOID NTAPI SplitUnload(PDRIVER_OBJECT DriverObject) {
  PSPLIT split = DriverObject->DeviceObject->DeviceExtension;
  IoDetachDevice(split->Lower);
  IoDeleteDevice(split->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  PFILE_OBJECT file;
  PDEVICE_OBJECT disk, device;
  PSPLIT split;
  ULONG count, i;
  NTSTATUS status = StorageOpenDisks(RegistryPath, 1, 1, &file, &disk, &count);
  if (!NT_SUCCESS(status)) return status;
  status = IoCreateDevice(DriverObject, sizeof(SPLIT), NULL, FILE_DEVICE_DISK, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
  if (!NT_SUCCESS(status)) {
    ObDereferenceObject(file);
    return status;
  }
  split = device->DeviceExtension;
  RtlZeroMemory(split, sizeof *split);
  split->DeviceObject = device;
  split->MaximumBytes = StorageQueryDword(RegistryPath, L"MaximumTransfer", 64 * 1024);
  split->MaximumPages = StorageQueryDword(RegistryPath, L"MapRegisters", 17);
  split->Associated = StorageQueryDword(RegistryPath, L"Associated", 0) != 0;
  /* A part is at least one sector, wherever its buffer lies. */
  if (disk->SectorSize == 0 || split->MaximumBytes < disk->SectorSize || split->MaximumPages < 2)
    status = STATUS_DEVICE_CONFIGURATION_ERROR;

  for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) DriverObject->MajorFunction[i] = SplitPassOn;
  DriverObject->MajorFunction[IRP_MJ_READ] = SplitReadWrite;
  DriverObject->MajorFunction[IRP_MJ_WRITE] = SplitReadWrite;
  DriverObject->MajorFunction[IRP_MJ_POWER] = SplitPower;
  DriverObject->DriverUnload = SplitUnload;
  if (NT_SUCCESS(status)) {
    split->Lower = IoAttachDeviceToDeviceStack(device, disk);
    if (!split->Lower) status = STATUS_NO_SUCH_DEVICE;
  }
  ObDereferenceObject(file);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
    return status;
  }
  /* Whatever the device below wants, this one takes the pages of the request and makes of them what is wanted. */
  device->Flags |= DO_DIRECT_IO | (split->Lower->Flags & DO_POWER_PAGABLE);
  device->AlignmentRequirement = split->Lower->AlignmentRequirement;
  device->SectorSize = split->Lower->SectorSize;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
