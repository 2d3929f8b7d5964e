/* DispatchReadWrite: what fits goes on as it is, the rest in parts. */
#include "split.h"

ULONG SplitPartBytes(PSPLIT Split, ULONG_PTR Address, ULONG BytesLeft, ULONG SectorBytes) {
  ULONG bytes = BytesLeft < Split->MaximumBytes ? BytesLeft : Split->MaximumBytes;
  if (ADDRESS_AND_SIZE_TO_SPAN_PAGES((PVOID)Address, bytes) > Split->MaximumPages)
    bytes = Split->MaximumPages * PAGE_SIZE - BYTE_OFFSET((PVOID)Address);
  if (bytes < BytesLeft) bytes -= bytes % SectorBytes;
  return bytes;
}

NTSTATUS NTAPI SplitReadWrite(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PSPLIT split = DeviceObject->DeviceExtension;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
  const ULONG length = location->Parameters.Read.Length;
  const LONGLONG offset = location->Parameters.Read.ByteOffset.QuadPart;
  const BOOLEAN convert = (split->Lower->Flags & DO_BUFFERED_IO) && !Irp->AssociatedIrp.SystemBuffer && length != 0;
  /* A request without pages to take apart is for the lower driver to judge. */
  if (!Irp->MdlAddress || (!convert && SplitPartBytes(split, (ULONG_PTR)MmGetMdlVirtualAddress(Irp->MdlAddress), length,
                                                      DeviceObject->SectorSize) == length)) {
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(split->Lower, Irp);
  }
  if (offset < 0 || offset > MAXLONGLONG - length || MmGetMdlByteCount(Irp->MdlAddress) < length)
    return SplitComplete(Irp, STATUS_INVALID_PARAMETER);
  return split->Associated ? SplitStartAssociated(split, Irp) : SplitStartSequence(split, Irp);
}
