// IRP_MJ_PNP: the device below wants to go. The request is passed on once the volume has let go.
#include "fat.h"

namespace fat {
namespace {

NTSTATUS NTAPI SignalComplete(PDEVICE_OBJECT, PIRP, PVOID event) {
  KeSetEvent(static_cast<PKEVENT>(event), IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/// Sends the IRP down and waits; afterwards it is the caller's to complete.
NTSTATUS PassAndWait(IrpContext& context) {
  KEVENT event;
  PIRP irp = context.irp;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  IoCopyCurrentIrpStackLocationToNext(irp);
  IoSetCompletionRoutine(irp, SignalComplete, &event, TRUE, TRUE, TRUE);
  IoCallDriver(context.vcb->target, irp);
  KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr);
  return irp->IoStatus.Status;
}

}  // namespace

NTSTATUS Pnp(IrpContext& context) {
  Vcb& vcb = *context.vcb;
  switch (context.minor) {
    case IRP_MN_QUERY_REMOVE_DEVICE: {
      ExAcquireResourceExclusiveLite(&vcb.resource, TRUE);
      NTSTATUS status = STATUS_SUCCESS;
      if (vcb.open_handles != 0) {
        status = STATUS_ACCESS_DENIED;
      } else if (vcb.state == VolumeState::kMounted) {
        status = FlushVolume(vcb, true);
      }
      if (NT_SUCCESS(status)) status = PassAndWait(context);
      if (NT_SUCCESS(status)) DismountVolume(vcb, true);
      ReleaseVolume(vcb);
      return status;
    }
    case IRP_MN_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL: {
      ExAcquireResourceExclusiveLite(&vcb.resource, TRUE);
      const NTSTATUS status = PassAndWait(context);
      DismountVolume(vcb, false);
      ReleaseVolume(vcb);
      return status;
    }
    default:
      IoSkipCurrentIrpStackLocation(context.irp);
      IoCallDriver(vcb.target, context.irp);
      return STATUS_PENDING;
  }
}

}  // namespace fat
