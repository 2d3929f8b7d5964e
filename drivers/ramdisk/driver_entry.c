/* DriverEntry: one disk from the Parameters key, empty or a copy of the disk that the value "Disks" names. */
#include "ramdisk.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH RamdiskSucceed;
static DRIVER_UNLOAD RamdiskUnload;

/* IRP_MJ_CREATE, CLEANUP, CLOSE: an open has no state. FLUSH_BUFFERS, SHUTDOWN: memory holds no cache of its own. */
static NTSTATUS NTAPI RamdiskSucceed(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
  return RamdiskComplete(Irp, STATUS_SUCCESS, 0, IO_NO_INCREMENT);
}

static VOID NTAPI RamdiskUnload(PDRIVER_OBJECT DriverObject) {
  PRAMDISK disk = DriverObject->DeviceObject->DeviceExtension;
  KeCancelTimer(&disk->DelayTimer);
  KeFlushQueuedDpcs();
  ExFreePoolWithTag(disk->Memory, RAMDISK_TAG);
  IoDeleteDevice(disk->DeviceObject);
}

/* Reads the whole of another disk, a piece at a time. */
static NTSTATUS CopyFrom(PRAMDISK Disk, PDEVICE_OBJECT Source) {
  const ULONG piece = 1024 * 1024;
  ULONGLONG done;
  for (done = 0; done < Disk->Bytes; done += piece) {
    const ULONG bytes = Disk->Bytes - done < piece ? (ULONG)(Disk->Bytes - done) : piece;
    KEVENT event;
    IO_STATUS_BLOCK iosb;
    LARGE_INTEGER offset;
    PIRP irp;
    NTSTATUS status;
    offset.QuadPart = (LONGLONG)done;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildSynchronousFsdRequest(IRP_MJ_READ, Source, Disk->Memory + done, bytes, &offset, &event, &iosb);
    if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
    status = IoCallDriver(Source, irp);
    if (status == STATUS_PENDING) {
      KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
      status = iosb.Status;
    }
    if (!NT_SUCCESS(status)) return status;
  }
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  PFILE_OBJECT sourceFile;
  PDEVICE_OBJECT source, device;
  PRAMDISK disk;
  UNICODE_STRING name;
  WCHAR nameBuffer[STORAGE_NAME_CHARS];
  ULONG sources, i;
  NTSTATUS status = StorageOpenDisks(RegistryPath, 0, 1, &sourceFile, &source, &sources);
  if (!NT_SUCCESS(status)) return status;

  status = StorageCreateNamedDisk(DriverObject, sizeof(RAMDISK), L"Ramdisk", FILE_DEVICE_SECURE_OPEN, nameBuffer, &name,
                                  &device);
  if (!NT_SUCCESS(status)) goto NoDevice;
  disk = device->DeviceExtension;
  RtlZeroMemory(disk, sizeof *disk);
  disk->DeviceObject = device;
  RtlCopyMemory(disk->NameBuffer, nameBuffer, sizeof nameBuffer);
  disk->Name = name;
  disk->Name.Buffer = disk->NameBuffer;
  disk->SectorBytes = StorageQueryDword(RegistryPath, L"SectorSize", 512);
  disk->Bytes = StorageQueryDword(RegistryPath, L"Size", 16 * 1024 * 1024);
  disk->ReadOnly = StorageQueryDword(RegistryPath, L"ReadOnly", 0) != 0;
  disk->DelayMicroseconds = StorageQueryDword(RegistryPath, L"DelayMicroseconds", 0);
  if (sources) {
    GET_LENGTH_INFORMATION length;
    status = StorageControl(source, IOCTL_DISK_GET_LENGTH_INFO, &length, sizeof length);
    disk->Bytes = (ULONGLONG)length.Length.QuadPart;
    disk->SectorBytes = source->SectorSize;
  }
  if (NT_SUCCESS(status) && (disk->SectorBytes < 512 || disk->SectorBytes > PAGE_SIZE ||
                             (disk->SectorBytes & (disk->SectorBytes - 1)) || disk->Bytes < disk->SectorBytes))
    status = STATUS_DEVICE_CONFIGURATION_ERROR;
  if (!NT_SUCCESS(status)) goto Failed;
  disk->Bytes -= disk->Bytes % disk->SectorBytes;
  disk->Memory = ExAllocatePoolWithTag(NonPagedPoolNx, disk->Bytes, RAMDISK_TAG);
  if (!disk->Memory) {
    status = STATUS_INSUFFICIENT_RESOURCES;
    goto Failed;
  }
  if (sources) {
    status = CopyFrom(disk, source);
    ObDereferenceObject(sourceFile);
    sources = 0;
    if (!NT_SUCCESS(status)) goto Failed;
  } else {
    RtlZeroMemory(disk->Memory, disk->Bytes);
  }

  /* Every slot keeps what the I/O manager put there, which answers STATUS_INVALID_DEVICE_REQUEST, but these. */
  for (i = 0; i < 2; i++) DriverObject->MajorFunction[i ? IRP_MJ_WRITE : IRP_MJ_READ] = RamdiskReadWrite;
  DriverObject->MajorFunction[IRP_MJ_CREATE] = RamdiskSucceed;
  DriverObject->MajorFunction[IRP_MJ_CLEANUP] = RamdiskSucceed;
  DriverObject->MajorFunction[IRP_MJ_CLOSE] = RamdiskSucceed;
  DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = RamdiskSucceed;
  DriverObject->MajorFunction[IRP_MJ_SHUTDOWN] = RamdiskSucceed;
  DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = RamdiskDeviceControl;
  DriverObject->DriverStartIo = RamdiskStartIo;
  DriverObject->DriverUnload = RamdiskUnload;
  RamdiskInitializeTransfers(disk);
  device->SectorSize = (USHORT)disk->SectorBytes;
  device->Flags |= StorageQueryDword(RegistryPath, L"Buffered", 0) ? DO_BUFFERED_IO : DO_DIRECT_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;

Failed:
  if (disk->Memory) ExFreePoolWithTag(disk->Memory, RAMDISK_TAG);
  IoDeleteDevice(device);
NoDevice:
  if (sources) ObDereferenceObject(sourceFile);
  return status;
}
