// The buffers of an IRP that a service builds: buffered, direct, or the requestor's own.
#include "src/io/internal.h"
#include "src/mm/mm.h"

namespace nt::io {

Status SetTransferBuffer(IRP* irp, DEVICE_OBJECT* top, void* buffer, ULONG length, bool device_writes) {
  irp->UserBuffer = buffer;
  if (top->Flags & DO_BUFFERED_IO) {
    irp->Flags |= IRP_BUFFERED_IO;
    if (length == 0) return STATUS_SUCCESS;
    irp->AssociatedIrp.SystemBuffer = ex::AllocatePool(NonPagedPoolNx, length, 'sysI');
    if (!irp->AssociatedIrp.SystemBuffer) return STATUS_INSUFFICIENT_RESOURCES;
    irp->Flags |= IRP_DEALLOCATE_BUFFER;
    if (device_writes) {
      irp->Flags |= IRP_INPUT_OPERATION;
      return STATUS_SUCCESS;
    }
    return Guarded([&] { ldr::CopyFromUser(irp->AssociatedIrp.SystemBuffer, buffer, length); });
  }
  if ((top->Flags & DO_DIRECT_IO) && length) {
    MDL* mdl = AllocateMdl(buffer, length, false, true, irp);
    if (!mdl) return STATUS_INSUFFICIENT_RESOURCES;
    return Guarded([&] { mm::ProbeAndLockPages(mdl, irp->RequestorMode, device_writes ? IoWriteAccess : IoReadAccess); });
  }
  return STATUS_SUCCESS;
}

}  // namespace nt::io
