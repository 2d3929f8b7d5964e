/* DispatchWrite, and flushes: an IRP of our own to each side that works, the request is completed with the last.

   One side done and one failed: the request succeeds, and the side that failed is given up. Both failed: the request
   fails with the status of the first side, and both are kept, as the fault may be the request's. */
#include "mirror.h"

typedef struct _PAIR {
  PMIRROR Mirror;
  PIRP Parent;
  volatile LONG Outstanding;
  NTSTATUS Status[MIRROR_SIDES];
  ULONG_PTR Information[MIRROR_SIDES];
  PIRP Irps[MIRROR_SIDES];
} PAIR, *PPAIR;

static IO_COMPLETION_ROUTINE SideDone;

static VOID FinishPair(PPAIR Pair) {
  PIRP parent = Pair->Parent;
  ULONG side, good = MIRROR_SIDES, bad = MIRROR_SIDES;
  NTSTATUS status;
  ULONG_PTR information;
  for (side = 0; side < MIRROR_SIDES; side++) {
    if (!Pair->Irps[side]) continue;
    if (NT_SUCCESS(Pair->Status[side]))
      good = side;
    else if (bad == MIRROR_SIDES)
      bad = side;
    if (Pair->Irps[side]->MdlAddress) IoFreeMdl(Pair->Irps[side]->MdlAddress);
    IoFreeIrp(Pair->Irps[side]);
  }
  if (good != MIRROR_SIDES && bad != MIRROR_SIDES) MirrorFailSide(Pair->Mirror, bad, Pair->Status[bad]);
  status = good != MIRROR_SIDES ? Pair->Status[good] : Pair->Status[bad];
  information = good != MIRROR_SIDES ? Pair->Information[good] : 0;
  ExFreePoolWithTag(Pair, MIRROR_TAG);
  MirrorComplete(parent, status, information);
}

static NTSTATUS NTAPI SideDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context) {
  PPAIR pair = Context;
  const ULONG side = Irp == pair->Irps[0] ? 0 : 1;
  UNREFERENCED_PARAMETER(DeviceObject); /* NULL: this driver has no location in the IRP */
  pair->Status[side] = Irp->IoStatus.Status;
  pair->Information[side] = Irp->IoStatus.Information;
  if (InterlockedDecrement(&pair->Outstanding) == 0) FinishPair(pair);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP MakeSideIrp(PPAIR Pair, ULONG Side) {
  PIO_STACK_LOCATION above = IoGetCurrentIrpStackLocation(Pair->Parent);
  PIO_STACK_LOCATION next;
  PMDL whole = Pair->Parent->MdlAddress;
  PIRP irp = IoAllocateIrp(Pair->Mirror->Sides[Side]->StackSize, FALSE);
  if (!irp) return NULL;
  if (whole) {
    /* An MDL of its own for each side: two drivers may map it at the same time. */
    PMDL mdl = IoAllocateMdl(MmGetMdlVirtualAddress(whole), MmGetMdlByteCount(whole), FALSE, FALSE, irp);
    if (!mdl) {
      IoFreeIrp(irp);
      return NULL;
    }
    IoBuildPartialMdl(whole, mdl, MmGetMdlVirtualAddress(whole), 0);
  }
  irp->Tail.Overlay.Thread = Pair->Parent->Tail.Overlay.Thread;
  next = IoGetNextIrpStackLocation(irp);
  next->MajorFunction = above->MajorFunction;
  next->Flags = above->Flags;
  next->Parameters = above->Parameters;
  IoSetCompletionRoutine(irp, SideDone, Pair, TRUE, TRUE, TRUE);
  return irp;
}

NTSTATUS NTAPI MirrorWriteOrFlush(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PMIRROR mirror = DeviceObject->DeviceExtension;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
  PPAIR pair;
  ULONG side, sides = 0;
  if (location->MajorFunction == IRP_MJ_WRITE && !Irp->MdlAddress && location->Parameters.Write.Length != 0)
    return MirrorComplete(Irp, STATUS_INVALID_PARAMETER, 0);
  pair = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *pair, MIRROR_TAG);
  if (!pair) return MirrorComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  RtlZeroMemory(pair, sizeof *pair);
  pair->Mirror = mirror;
  pair->Parent = Irp;
  for (side = 0; side < MIRROR_SIDES; side++) {
    if (mirror->Failed[side]) continue;
    pair->Irps[side] = MakeSideIrp(pair, side);
    if (!pair->Irps[side]) break;
    sides++;
  }
  if (side < MIRROR_SIDES) { /* nothing was sent yet: refused whole, so that the sides stay the same */
    for (side = 0; side < MIRROR_SIDES; side++) {
      if (!pair->Irps[side]) continue;
      if (pair->Irps[side]->MdlAddress) IoFreeMdl(pair->Irps[side]->MdlAddress);
      IoFreeIrp(pair->Irps[side]);
    }
    ExFreePoolWithTag(pair, MIRROR_TAG);
    return MirrorComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  pair->Outstanding = (LONG)sides + 1; /* one for this loop */
  IoMarkIrpPending(Irp);
  for (side = 0; side < MIRROR_SIDES; side++) {
    if (!pair->Irps[side]) continue;
    InterlockedIncrement(&mirror->Requests[side]);
    IoCallDriver(mirror->Sides[side], pair->Irps[side]);
  }
  if (InterlockedDecrement(&pair->Outstanding) == 0) FinishPair(pair);
  return STATUS_PENDING;
}
