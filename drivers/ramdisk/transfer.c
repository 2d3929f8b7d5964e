/* Reads and writes: DispatchReadWrite checks and queues, StartIo starts the device, the DPC finishes and starts the
   next.

   The device object says how data comes: with DO_BUFFERED_IO at AssociatedIrp.SystemBuffer, with DO_DIRECT_IO in the
   pages of MdlAddress, which are locked already. A request that waits in the queue can be cancelled; one that the
   device has begun cannot: IoSetStartIoAttributes has the I/O manager take the cancel routine off when a request leaves
   the queue. */
#include "ramdisk.h"

static DRIVER_CANCEL RamdiskCancel;
static IO_DPC_ROUTINE RamdiskDpcForIsr;
static KDEFERRED_ROUTINE RamdiskDelayOver;

static NTSTATUS Check(PRAMDISK Disk, PIO_STACK_LOCATION Location, PIRP Irp) {
  const ULONG length = Location->Parameters.Read.Length; /* Parameters.Write is laid out alike */
  const LONGLONG offset = Location->Parameters.Read.ByteOffset.QuadPart;
  if (offset < 0 || length % Disk->SectorBytes || (ULONGLONG)offset % Disk->SectorBytes)
    return STATUS_INVALID_PARAMETER;
  if ((ULONGLONG)offset > Disk->Bytes || length > Disk->Bytes - (ULONGLONG)offset) return STATUS_NONEXISTENT_SECTOR;
  if (Location->MajorFunction == IRP_MJ_WRITE && Disk->ReadOnly) return STATUS_MEDIA_WRITE_PROTECTED;
  if (length == 0) return STATUS_SUCCESS;
  if (Disk->DeviceObject->Flags & DO_BUFFERED_IO)
    return Irp->AssociatedIrp.SystemBuffer ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
  return Irp->MdlAddress && MmGetMdlByteCount(Irp->MdlAddress) >= length ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI RamdiskReadWrite(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PRAMDISK disk = DeviceObject->DeviceExtension;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
  NTSTATUS status = Check(disk, location, Irp);
  if (!NT_SUCCESS(status)) return RamdiskComplete(Irp, status, 0, IO_NO_INCREMENT);
  if (location->Parameters.Read.Length == 0) return RamdiskComplete(Irp, STATUS_SUCCESS, 0, IO_NO_INCREMENT);
  IoMarkIrpPending(Irp);
  IoStartPacket(DeviceObject, Irp, NULL, RamdiskCancel);
  return STATUS_PENDING;
}

/* DISPATCH_LEVEL. A device with an interrupt would be programmed here; this one is done when its delay is over. */
VOID NTAPI RamdiskStartIo(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PRAMDISK disk = DeviceObject->DeviceExtension;
  LARGE_INTEGER due;
  if (disk->DelayMicroseconds == 0) {
    IoRequestDpc(DeviceObject, Irp, NULL);
    return;
  }
  due.QuadPart = -10 * (LONGLONG)disk->DelayMicroseconds;
  KeSetTimer(&disk->DelayTimer, due, &disk->DelayDpc);
}

static VOID NTAPI RamdiskDelayOver(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
  PRAMDISK disk = Context;
  UNREFERENCED_PARAMETER(Dpc);
  UNREFERENCED_PARAMETER(Argument1);
  UNREFERENCED_PARAMETER(Argument2);
  IoRequestDpc(disk->DeviceObject, disk->DeviceObject->CurrentIrp, NULL);
}

static VOID NTAPI RamdiskDpcForIsr(PKDPC Dpc, PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context) {
  PRAMDISK disk = DeviceObject->DeviceExtension;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
  const ULONG length = location->Parameters.Read.Length;
  PUCHAR memory = disk->Memory + location->Parameters.Read.ByteOffset.QuadPart;
  PVOID data;
  NTSTATUS status = STATUS_SUCCESS;
  UNREFERENCED_PARAMETER(Dpc);
  UNREFERENCED_PARAMETER(Context);
  if (DeviceObject->Flags & DO_BUFFERED_IO)
    data = Irp->AssociatedIrp.SystemBuffer;
  else
    data = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
  if (!data)
    status = STATUS_INSUFFICIENT_RESOURCES;
  else if (Irp->Cancel)
    status = STATUS_CANCELLED;
  else if (location->MajorFunction == IRP_MJ_READ)
    RtlCopyMemory(data, memory, length);
  else
    RtlCopyMemory(memory, data, length);
  /* The next one first, so that the device is not idle while the completion routines run. */
  IoStartNextPacket(DeviceObject, TRUE);
  RamdiskComplete(Irp, status, NT_SUCCESS(status) ? length : 0,
                  NT_SUCCESS(status) ? IO_DISK_INCREMENT : IO_NO_INCREMENT);
}

/* Called with the cancel spin lock held, for a request that is in the queue. */
static VOID NTAPI RamdiskCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  const BOOLEAN queued = Irp != DeviceObject->CurrentIrp &&
                         KeRemoveEntryDeviceQueue(&DeviceObject->DeviceQueue, &Irp->Tail.Overlay.DeviceQueueEntry);
  IoReleaseCancelSpinLock(Irp->CancelIrql);
  if (queued) RamdiskComplete(Irp, STATUS_CANCELLED, 0, IO_NO_INCREMENT);
}

VOID RamdiskInitializeTransfers(PRAMDISK Disk) {
  IoInitializeDpcRequest(Disk->DeviceObject, RamdiskDpcForIsr);
  IoSetStartIoAttributes(Disk->DeviceObject, TRUE, TRUE);
  KeInitializeTimer(&Disk->DelayTimer);
  KeInitializeDpc(&Disk->DelayDpc, RamdiskDelayOver, Disk);
}
