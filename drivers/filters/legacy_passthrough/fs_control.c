/* IRP_MJ_FILE_SYSTEM_CONTROL: a mount that succeeds makes a volume to attach to; a recognizer that loads its file system goes. */
#include "filter.h"

static IO_COMPLETION_ROUTINE LpSignal;

static NTSTATUS NTAPI LpSignal(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context) {
  UNREFERENCED_PARAMETER(DeviceObject);
  UNREFERENCED_PARAMETER(Irp);
  KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Sends the IRP down and takes it back; the caller completes it. */
static NTSTATUS LpSendAndTakeBack(PDEVICE_OBJECT Lower, PIRP Irp) {
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  IoCopyCurrentIrpStackLocationToNext(Irp);
  IoSetCompletionRoutine(Irp, LpSignal, &event, TRUE, TRUE, TRUE);
  if (IoCallDriver(Lower, Irp) == STATUS_PENDING) KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
  return Irp->IoStatus.Status;
}

static NTSTATUS LpMount(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  /* The file system may put another VPB on the disk; the disk stays. */
  PDEVICE_OBJECT storage = IoGetCurrentIrpStackLocation(Irp)->Parameters.MountVolume.Vpb->RealDevice;
  NTSTATUS status = LpSendAndTakeBack(LpExtension(DeviceObject)->Lower, Irp);
  if (NT_SUCCESS(status) && storage->Vpb != NULL && storage->Vpb->DeviceObject != NULL) {
    PDEVICE_OBJECT volume = storage->Vpb->DeviceObject, device;
    if (NT_SUCCESS(LpCreateDevice(volume, &device))) {
      /* A remount finds us there already. Without a device the volume works unfiltered. */
      ExAcquireFastMutex(&LpAttachMutex);
      if (LpIsAttachedTo(volume) || !NT_SUCCESS(LpAttach(device, volume))) IoDeleteDevice(device);
      ExReleaseFastMutex(&LpAttachMutex);
    }
  }
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return status;
}

/* The recognizer's control device is about to go, and we with it, unless it fails. */
static NTSTATUS LpLoadFileSystem(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PDEVICE_OBJECT lower = LpExtension(DeviceObject)->Lower;
  NTSTATUS status;
  IoDetachDevice(lower);
  status = LpSendAndTakeBack(lower, Irp);
  if (NT_SUCCESS(status) || status == STATUS_IMAGE_ALREADY_LOADED ||
      !NT_SUCCESS(IoAttachDeviceToDeviceStackSafe(DeviceObject, lower, &LpExtension(DeviceObject)->Lower)))
    IoDeleteDevice(DeviceObject);
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return status;
}

NTSTATUS NTAPI LpFsControl(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_MOUNT_VOLUME:
      return LpMount(DeviceObject, Irp);
    case IRP_MN_LOAD_FILE_SYSTEM:
      return LpLoadFileSystem(DeviceObject, Irp);
    default:
      IoSkipCurrentIrpStackLocation(Irp);
      return IoCallDriver(LpExtension(DeviceObject)->Lower, Irp);
  }
}
