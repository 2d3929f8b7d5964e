/* Attaching to control devices and volumes, and letting go of them. */
#include "filter.h"

#define LP_ATTACH_TRIES 8

/* A filter device for `Target`, with what the I/O manager looks at taken over from it. */
NTSTATUS LpCreateDevice(PDEVICE_OBJECT Target, PDEVICE_OBJECT *Device) {
  return IoCreateDevice(LpDriver, sizeof(LP_EXTENSION), NULL, Target->DeviceType,
                        Target->Characteristics & FILE_DEVICE_SECURE_OPEN, FALSE, Device);
}

/* Whether a device of ours is in the stack. */
BOOLEAN LpIsAttachedTo(PDEVICE_OBJECT Target) {
  PDEVICE_OBJECT device = IoGetAttachedDeviceReference(Target);
  while (device != NULL) {
    PDEVICE_OBJECT below;
    if (device->DriverObject == LpDriver) {
      ObDereferenceObject(device);
      return TRUE;
    }
    below = IoGetLowerDeviceObject(device);
    ObDereferenceObject(device);
    device = below;
  }
  return FALSE;
}

/* Puts `Device` on top of Target's stack. A volume that is just being mounted may refuse for a moment. */
NTSTATUS LpAttach(PDEVICE_OBJECT Device, PDEVICE_OBJECT Target) {
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  LARGE_INTEGER pause;
  ULONG i;
  pause.QuadPart = -10 * 1000 * 5; /* 5 ms */
  Device->Flags |= Target->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO | DO_SUPPORTS_TRANSACTIONS);
  for (i = 0; i < LP_ATTACH_TRIES; i++) {
    status = IoAttachDeviceToDeviceStackSafe(Device, Target, &LpExtension(Device)->Lower);
    if (NT_SUCCESS(status)) {
      Device->Flags &= ~DO_DEVICE_INITIALIZING;
      return status;
    }
    KeDelayExecutionThread(KernelMode, FALSE, &pause);
  }
  return status;
}

static VOID LpAttachOnce(PDEVICE_OBJECT Target) {
  PDEVICE_OBJECT device;
  if (!NT_SUCCESS(LpCreateDevice(Target, &device))) return;
  ExAcquireFastMutex(&LpAttachMutex);
  if (LpIsAttachedTo(Target) || !NT_SUCCESS(LpAttach(device, Target))) IoDeleteDevice(device);
  ExReleaseFastMutex(&LpAttachMutex);
}

/* The volumes that the file system had mounted before we came. */
static VOID LpAttachToVolumesOf(PDEVICE_OBJECT ControlDevice) {
  PDEVICE_OBJECT *list;
  ULONG count = 0, i;
  IoEnumerateDeviceObjectList(ControlDevice->DriverObject, NULL, 0, &count);
  if (count == 0) return;
  count += 8; /* some may be mounted meanwhile */
  list = (PDEVICE_OBJECT *)ExAllocatePoolWithTag(NonPagedPoolNx, count * sizeof(PDEVICE_OBJECT), LP_TAG);
  if (list == NULL) return;
  if (NT_SUCCESS(IoEnumerateDeviceObjectList(ControlDevice->DriverObject, list, count * sizeof(PDEVICE_OBJECT), &count))) {
    for (i = 0; i < count; i++) {
      PDEVICE_OBJECT storage;
      if (list[i] != ControlDevice && list[i]->DeviceType == ControlDevice->DeviceType &&
          NT_SUCCESS(IoGetDiskDeviceObject(list[i], &storage))) {
        LpAttachOnce(list[i]);
        ObDereferenceObject(storage);
      }
      ObDereferenceObject(list[i]);
    }
  }
  ExFreePoolWithTag(list, LP_TAG);
}

static VOID LpDetachFrom(PDEVICE_OBJECT ControlDevice) {
  PDEVICE_OBJECT below = ControlDevice, device;
  for (device = below->AttachedDevice; device != NULL; below = device, device = device->AttachedDevice) {
    if (device->DriverObject != LpDriver) continue;
    IoDetachDevice(below);
    IoDeleteDevice(device);
    return;
  }
}

VOID NTAPI LpFileSystemChange(PDEVICE_OBJECT DeviceObject, BOOLEAN FsActive) {
  if (!FsActive) {
    LpDetachFrom(DeviceObject);
    return;
  }
  switch (DeviceObject->DeviceType) {
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
      LpAttachOnce(DeviceObject);
      LpAttachToVolumesOf(DeviceObject);
      break;
    default:
      break;
  }
}

VOID LpDetachAll(VOID) {
  LARGE_INTEGER pause;
  PDEVICE_OBJECT device;
  pause.QuadPart = -10 * 1000 * 5;
  for (device = LpDriver->DeviceObject; device != NULL; device = device->NextDevice) {
    /* Not Extension->Lower: without a FastIoDetachDevice entry (NoTable) nobody told us that it went. */
    PDEVICE_OBJECT below = IoGetLowerDeviceObject(device);
    if (below == NULL) continue;
    IoDetachDevice(below);
    ObDereferenceObject(below);
  }
  KeDelayExecutionThread(KernelMode, FALSE, &pause); /* who has found us is inside, or out again */
  while ((device = LpDriver->DeviceObject) != NULL) IoDeleteDevice(device);
}
