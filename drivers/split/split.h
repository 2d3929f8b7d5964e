/* split: an intermediate driver. It attaches above a disk and sends down no transfer that is longer than a DMA adapter
   with few map registers could take: longer ones become a sequence of smaller ones that together satisfy the one
   request. */
#pragma once
#include <ntddk.h>

#include "../common/parameters.h"

#define SPLIT_TAG 'tlpS'

typedef struct _SPLIT {
  PDEVICE_OBJECT DeviceObject;
  PDEVICE_OBJECT Lower; /* what the device stands on */
  ULONG MaximumBytes;   /* of one transfer */
  ULONG MaximumPages;   /* that one transfer may touch: the map registers */
  BOOLEAN Associated;   /* parts are associated IRPs, all at once */
} SPLIT, *PSPLIT;

/* transfer.c */
DRIVER_DISPATCH SplitReadWrite;
/* The bytes of the next part of a transfer whose rest begins at address `Address`, an index into its MDL. */
ULONG SplitPartBytes(PSPLIT Split, ULONG_PTR Address, ULONG BytesLeft, ULONG SectorBytes);

/* sequence.c: one part after the other, by one IRP and one MDL of the driver's own */
NTSTATUS SplitStartSequence(PSPLIT Split, PIRP Irp);
/* associated.c: a part's IRP is associated with the request; the I/O manager completes that with the last */
NTSTATUS SplitStartAssociated(PSPLIT Split, PIRP Irp);

static inline NTSTATUS SplitComplete(PIRP Irp, NTSTATUS Status) {
  Irp->IoStatus.Status = Status;
  Irp->IoStatus.Information = 0;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return Status;
}
