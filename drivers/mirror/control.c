/* Device control: the first side that works answers; its name and the mirror's state are the driver's own. */
#include "mirror.h"

static NTSTATUS DeviceName(PMIRROR Mirror, PVOID Output, ULONG OutputBytes, PULONG_PTR Information) {
  PMOUNTDEV_NAME name = Output;
  const ULONG needed = FIELD_OFFSET(MOUNTDEV_NAME, Name) + Mirror->Name.Length;
  if (OutputBytes < sizeof *name) return STATUS_BUFFER_TOO_SMALL;
  name->NameLength = Mirror->Name.Length;
  if (OutputBytes < needed) {
    *Information = sizeof *name;
    return STATUS_BUFFER_OVERFLOW;
  }
  RtlCopyMemory(name->Name, Mirror->Name.Buffer, Mirror->Name.Length);
  *Information = needed;
  return STATUS_SUCCESS;
}

static NTSTATUS State(PMIRROR Mirror, PVOID Output, ULONG OutputBytes, PULONG_PTR Information) {
  PMIRROR_STATE state = Output;
  ULONG side;
  if (OutputBytes < sizeof *state) return STATUS_BUFFER_TOO_SMALL;
  for (side = 0; side < MIRROR_SIDES; side++) {
    state->Failed[side] = Mirror->Failed[side];
    state->Requests[side] = (ULONG)Mirror->Requests[side];
  }
  *Information = sizeof *state;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI MirrorDeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PMIRROR mirror = DeviceObject->DeviceExtension;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
  PVOID buffer = Irp->AssociatedIrp.SystemBuffer;
  const ULONG bytes = location->Parameters.DeviceIoControl.OutputBufferLength;
  const ULONG side = MirrorFirstSide(mirror);
  ULONG_PTR information = 0;
  NTSTATUS status;
  switch (location->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_MOUNTDEV_QUERY_DEVICE_NAME:
      status = DeviceName(mirror, buffer, bytes, &information);
      break;
    case IOCTL_MIRROR_GET_STATE:
      status = State(mirror, buffer, bytes, &information);
      break;
    default:
      IoSkipCurrentIrpStackLocation(Irp);
      return IoCallDriver(mirror->Sides[side == MIRROR_SIDES ? 0 : side], Irp);
  }
  return MirrorComplete(Irp, status, information);
}
