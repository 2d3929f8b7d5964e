/* The parts of a request all at once, each an IRP associated with it: the I/O manager counts them and completes the
   request when the last is done. For the highest driver of a stack only (IoMakeAssociatedIrp): a file system above may
   use the request's AssociatedIrp itself, so the service's value Associated is for disks that are opened as they are.
 */
#include "split.h"

/* The associated IRP is the I/O manager's to free, with its MDL; it completes the parent at the last one. */
static NTSTATUS NTAPI AssociatedPartDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context) {
  PIRP parent = Context;
  UNREFERENCED_PARAMETER(DeviceObject);
  if (!NT_SUCCESS(Irp->IoStatus.Status)) /* The first error wins. It is in place before this part is counted off. */
    if (InterlockedCompareExchange((volatile LONG*)&parent->IoStatus.Status, Irp->IoStatus.Status, STATUS_SUCCESS) ==
        STATUS_SUCCESS)
      parent->IoStatus.Information = 0;
  return STATUS_SUCCESS;
}

static PIRP MakePart(PSPLIT Split, PIRP Parent, ULONG BytesDone, ULONG Bytes) {
  PIO_STACK_LOCATION above = IoGetCurrentIrpStackLocation(Parent);
  PIO_STACK_LOCATION next;
  PUCHAR address = (PUCHAR)MmGetMdlVirtualAddress(Parent->MdlAddress) + BytesDone;
  PIRP irp = IoMakeAssociatedIrp(Parent, Split->Lower->StackSize);
  if (!irp) return NULL;
  if (!IoAllocateMdl(address, Bytes, FALSE, FALSE, irp)) {
    IoFreeIrp(irp);
    return NULL;
  }
  IoBuildPartialMdl(Parent->MdlAddress, irp->MdlAddress, address, Bytes);
  next = IoGetNextIrpStackLocation(irp);
  next->MajorFunction = above->MajorFunction;
  next->Flags = above->Flags;
  next->Parameters.Read.Length = Bytes;
  next->Parameters.Read.Key = above->Parameters.Read.Key;
  next->Parameters.Read.ByteOffset.QuadPart = above->Parameters.Read.ByteOffset.QuadPart + BytesDone;
  IoSetCompletionRoutine(irp, AssociatedPartDone, Parent, TRUE, TRUE, TRUE);
  return irp;
}

NTSTATUS SplitStartAssociated(PSPLIT Split, PIRP Irp) {
  const ULONG length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length;
  const ULONG_PTR address = (ULONG_PTR)MmGetMdlVirtualAddress(Irp->MdlAddress);
  LIST_ENTRY parts;
  LONG count = 0;
  ULONG done, bytes;
  if (Split->Lower->Flags & DO_BUFFERED_IO)
    return SplitComplete(Irp, STATUS_NOT_SUPPORTED); /* MasterIrp is SystemBuffer */
  /* All parts exist before the first is sent: a request that lacks memory is refused whole. */
  InitializeListHead(&parts);
  for (done = 0; done < length; done += bytes) {
    PIRP part;
    bytes = SplitPartBytes(Split, address + done, length - done, Split->DeviceObject->SectorSize);
    part = MakePart(Split, Irp, done, bytes);
    if (!part) {
      while (!IsListEmpty(&parts)) {
        part = CONTAINING_RECORD(RemoveHeadList(&parts), IRP, Tail.Overlay.ListEntry);
        IoFreeMdl(part->MdlAddress);
        IoFreeIrp(part);
      }
      return SplitComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    InsertTailList(&parts, &part->Tail.Overlay.ListEntry);
    count++;
  }
  Irp->IoStatus.Status = STATUS_SUCCESS;
  Irp->IoStatus.Information = length;
  Irp->AssociatedIrp.IrpCount = count;
  IoMarkIrpPending(Irp);
  while (count-- > 0) {
    PIRP part = CONTAINING_RECORD(RemoveHeadList(&parts), IRP, Tail.Overlay.ListEntry);
    IoCallDriver(Split->Lower, part); /* with the last one the request may be gone */
  }
  return STATUS_PENDING;
}
