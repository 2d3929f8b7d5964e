// IRP_MJ_DEVICE_CONTROL: what is meant for the storage device goes there.
#include "fat.h"

namespace fat {

NTSTATUS DeviceControl(IrpContext& context) {
  PFILE_OBJECT file = context.stack()->FileObject;
  Ccb* ccb = CcbOf(file);
  if (ccb == nullptr || !ccb->volume) return STATUS_INVALID_PARAMETER;
  PIRP irp = context.irp;
  IoSkipCurrentIrpStackLocation(irp);
  IoCallDriver(context.vcb->target, irp);
  return STATUS_PENDING;  // no longer ours
}

}  // namespace fat
