/* DispatchRead: the request itself goes to one side, and to the other when that fails. */
#include "mirror.h"

static IO_COMPLETION_ROUTINE MirrorReadDone;

static VOID SendRead(PMIRROR Mirror, PIRP Irp, ULONG Side) {
  IoCopyCurrentIrpStackLocationToNext(Irp);
  IoSetCompletionRoutine(Irp, MirrorReadDone, (PVOID)(ULONG_PTR)Side, TRUE, TRUE, TRUE);
  InterlockedIncrement(&Mirror->Requests[Side]);
  IoCallDriver(Mirror->Sides[Side], Irp);
}

static NTSTATUS NTAPI MirrorReadDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context) {
  PMIRROR mirror = DeviceObject->DeviceExtension;
  const ULONG side = (ULONG)(ULONG_PTR)Context, other = 1 - side;
  const NTSTATUS status = Irp->IoStatus.Status;
  /* Pending was marked by the dispatch routine, which returned STATUS_PENDING. */
  if (NT_SUCCESS(status) || MirrorIsRequestsFault(status)) return STATUS_CONTINUE_COMPLETION;
  /* The side is bad when it is the only one of the two to fail: when none is left to try, its status is the request's.
   */
  if (mirror->Failed[other]) {
    Irp->IoStatus.Information = 0;
    return STATUS_CONTINUE_COMPLETION;
  }
  MirrorFailSide(mirror, side, status);
  Irp->IoStatus.Status = STATUS_SUCCESS;
  Irp->IoStatus.Information = 0;
  SendRead(mirror, Irp, other);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS NTAPI MirrorRead(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PMIRROR mirror = DeviceObject->DeviceExtension;
  ULONG side = MirrorFirstSide(mirror);
  if (!Irp->MdlAddress && IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length != 0)
    return MirrorComplete(Irp, STATUS_INVALID_PARAMETER, 0);
  if (side == MIRROR_SIDES) side = 0; /* no side fails when none is left, so this is not reached */
  IoMarkIrpPending(Irp);
  SendRead(mirror, Irp, side);
  return STATUS_PENDING;
}
