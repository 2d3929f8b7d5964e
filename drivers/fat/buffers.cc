// The requestor's buffer: locked when the request leaves its thread or goes to the disk.
#include "fat.h"

namespace fat {

NTSTATUS LockUserBuffer(PIRP irp, LOCK_OPERATION operation, ULONG length) {
  if (irp->MdlAddress != nullptr || length == 0) return STATUS_SUCCESS;
  PMDL mdl = IoAllocateMdl(irp->UserBuffer, length, FALSE, FALSE, irp);
  if (mdl == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  const NTSTATUS status = seh::ProbeAndLock(mdl, irp->RequestorMode, operation);
  if (!NT_SUCCESS(status)) {
    irp->MdlAddress = nullptr;
    IoFreeMdl(mdl);
  }
  return status;
}

NTSTATUS MapUserBuffer(PIRP irp, PVOID* address) {
  if (irp->MdlAddress == nullptr) {
    *address = irp->UserBuffer;
    return STATUS_SUCCESS;
  }
  *address = MmGetSystemAddressForMdlSafe(irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
  return *address != nullptr ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

}  // namespace fat
