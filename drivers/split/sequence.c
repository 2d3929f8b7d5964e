/* The parts of a request one after the other, as a device with one DMA channel does them.

   One IRP and one partial MDL serve all parts. A part may complete before IoCallDriver has returned: whoever of the
   two, the sender and the completion routine, comes second (InterlockedIncrement of Turn) goes on to the next part, so
   that the stack does not grow with their number. */
#include "split.h"

typedef struct _SEQUENCE {
  PSPLIT Split;
  PIRP Parent;
  PIRP Irp;
  PMDL Mdl;
  ULONG BytesDone, PartBytes;
  NTSTATUS Status;
  volatile LONG Turn;
} SEQUENCE, *PSEQUENCE;

static IO_COMPLETION_ROUTINE SequencePartDone;

static VOID SequenceFinish(PSEQUENCE Sequence) {
  PIRP parent = Sequence->Parent;
  const NTSTATUS status = Sequence->Status;
  const ULONG bytes = Sequence->BytesDone;
  IoFreeMdl(Sequence->Mdl);
  IoFreeIrp(Sequence->Irp);
  ExFreePoolWithTag(Sequence, SPLIT_TAG);
  parent->IoStatus.Status = status;
  parent->IoStatus.Information = NT_SUCCESS(status) ? bytes : 0;
  IoCompleteRequest(parent, NT_SUCCESS(status) ? IO_DISK_INCREMENT : IO_NO_INCREMENT);
}

/* Fills the IRP for the part that comes next. FALSE: the pages cannot be mapped. */
static BOOLEAN SequencePrepare(PSEQUENCE Sequence) {
  PSPLIT split = Sequence->Split;
  PIO_STACK_LOCATION above = IoGetCurrentIrpStackLocation(Sequence->Parent);
  PIO_STACK_LOCATION next;
  PUCHAR address = (PUCHAR)MmGetMdlVirtualAddress(Sequence->Parent->MdlAddress) + Sequence->BytesDone;
  Sequence->PartBytes = SplitPartBytes(split, (ULONG_PTR)address, above->Parameters.Read.Length - Sequence->BytesDone,
                                       split->DeviceObject->SectorSize);
  IoReuseIrp(Sequence->Irp, STATUS_SUCCESS);
  Sequence->Irp->Tail.Overlay.Thread =
      Sequence->Parent->Tail.Overlay.Thread; /* whom removable media are verified for */
  next = IoGetNextIrpStackLocation(Sequence->Irp);
  next->MajorFunction = above->MajorFunction;
  next->Flags = above->Flags;
  next->Parameters.Read.Length = Sequence->PartBytes;
  next->Parameters.Read.Key = above->Parameters.Read.Key;
  next->Parameters.Read.ByteOffset.QuadPart = above->Parameters.Read.ByteOffset.QuadPart + Sequence->BytesDone;
  if (split->Lower->Flags & DO_BUFFERED_IO) {
    PUCHAR base = MmGetSystemAddressForMdlSafe(Sequence->Parent->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (!base) return FALSE;
    Sequence->Irp->AssociatedIrp.SystemBuffer = base + Sequence->BytesDone;
  } else {
    MmPrepareMdlForReuse(Sequence->Mdl);
    IoBuildPartialMdl(Sequence->Parent->MdlAddress, Sequence->Mdl, address, Sequence->PartBytes);
    Sequence->Irp->MdlAddress = Sequence->Mdl;
  }
  IoSetCompletionRoutine(Sequence->Irp, SequencePartDone, Sequence, TRUE, TRUE, TRUE);
  return TRUE;
}

static VOID SequenceRun(PSEQUENCE Sequence) {
  for (;;) {
    const ULONG length = IoGetCurrentIrpStackLocation(Sequence->Parent)->Parameters.Read.Length;
    if (NT_SUCCESS(Sequence->Status) && Sequence->Parent->Cancel) Sequence->Status = STATUS_CANCELLED;
    if (!NT_SUCCESS(Sequence->Status) || Sequence->BytesDone == length) {
      SequenceFinish(Sequence);
      return;
    }
    if (!SequencePrepare(Sequence)) {
      Sequence->Status = STATUS_INSUFFICIENT_RESOURCES;
      continue;
    }
    Sequence->Turn = 0;
    IoCallDriver(Sequence->Split->Lower, Sequence->Irp);
    if (InterlockedIncrement(&Sequence->Turn) != 2) return; /* the completion routine will go on */
  }
}

static NTSTATUS NTAPI SequencePartDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context) {
  PSEQUENCE sequence = Context;
  UNREFERENCED_PARAMETER(DeviceObject);
  Irp->MdlAddress = NULL; /* the MDL serves the next part */
  Irp->AssociatedIrp.SystemBuffer = NULL;
  if (!NT_SUCCESS(Irp->IoStatus.Status))
    sequence->Status = Irp->IoStatus.Status;
  else if (Irp->IoStatus.Information != sequence->PartBytes)
    sequence->Status = STATUS_UNEXPECTED_IO_ERROR; /* a disk that succeeds with less than it was asked for */
  else
    sequence->BytesDone += sequence->PartBytes;
  if (InterlockedIncrement(&sequence->Turn) == 2) SequenceRun(sequence);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS SplitStartSequence(PSPLIT Split, PIRP Irp) {
  PSEQUENCE sequence = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *sequence, SPLIT_TAG);
  PVOID address = MmGetMdlVirtualAddress(Irp->MdlAddress);
  if (!sequence) return SplitComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
  RtlZeroMemory(sequence, sizeof *sequence);
  sequence->Split = Split;
  sequence->Parent = Irp;
  sequence->Irp = IoAllocateIrp(Split->Lower->StackSize, FALSE);
  /* Long enough for any part, wherever in its page that begins. */
  sequence->Mdl = IoAllocateMdl((PVOID)((ULONG_PTR)PAGE_ALIGN(address) + PAGE_SIZE - 1),
                                MmGetMdlByteCount(Irp->MdlAddress), FALSE, FALSE, NULL);
  if (!sequence->Irp || !sequence->Mdl) {
    if (sequence->Irp) IoFreeIrp(sequence->Irp);
    if (sequence->Mdl) IoFreeMdl(sequence->Mdl);
    ExFreePoolWithTag(sequence, SPLIT_TAG);
    return SplitComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
  }
  IoMarkIrpPending(Irp);
  SequenceRun(sequence);
  return STATUS_PENDING;
}
