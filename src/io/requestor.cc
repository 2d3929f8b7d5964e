// Whose request is it: top-level IRPs, the requestor's process, and whether the request waits. ECPs of a create.
#include "src/io/internal.h"

namespace nt::io {

void SetTopLevelIrp(IRP* irp) { ke::CurrentThread()->top_level_irp = irp; }
IRP* GetTopLevelIrp() { return ke::CurrentThread()->top_level_irp; }

bool IsOperationSynchronous(IRP* irp) {
  // Asynchronous paging I/O pends even when its file is opened for synchronous I/O.
  const bool asynchronous_paging = (irp->Flags & IRP_PAGING_IO) && !(irp->Flags & IRP_SYNCHRONOUS_PAGING_IO);
  const FILE_OBJECT* file = CurrentLocation(irp)->FileObject;
  return ((file && (file->Flags & FO_SYNCHRONOUS_IO)) || (irp->Flags & IRP_SYNCHRONOUS_API) ||
          (irp->Flags & IRP_SYNCHRONOUS_PAGING_IO && irp->Flags & IRP_PAGING_IO)) &&
         !asynchronous_paging;
}

PEPROCESS GetRequestorProcess(IRP* irp) {
  if (!irp->Tail.Overlay.Thread) return nullptr;
  ps::Process* process = ke::AsThread(irp->Tail.Overlay.Thread)->process.load(std::memory_order_relaxed);
  return process ? process->eprocess() : nullptr;
}

ULONG GetRequestorProcessId(IRP* irp) {
  PEPROCESS process = GetRequestorProcess(irp);
  return process ? static_cast<ULONG>(ps::AsProcess(process)->id) : 0;
}

// A create uses no UserBuffer; the list lies there, where file systems of old looked for it, too.
Status SetIrpExtraCreateParameter(IRP* irp, ECP_LIST* list) {
  if (!(irp->Flags & IRP_CREATE_OPERATION)) return STATUS_INVALID_PARAMETER;
  if (irp->UserBuffer) return STATUS_INVALID_PARAMETER;
  irp->UserBuffer = list;
  return STATUS_SUCCESS;
}
void ClearIrpExtraCreateParameter(IRP* irp) {
  if (irp->Flags & IRP_CREATE_OPERATION) irp->UserBuffer = nullptr;
}
Status GetIrpExtraCreateParameter(IRP* irp, ECP_LIST** list) {
  *list = nullptr;
  if (!(irp->Flags & IRP_CREATE_OPERATION)) return STATUS_INVALID_PARAMETER;
  *list = static_cast<ECP_LIST*>(irp->UserBuffer);
  return STATUS_SUCCESS;
}

Status SetCompletionRoutineEx(DEVICE_OBJECT* device, IRP* irp, PIO_COMPLETION_ROUTINE routine, void* context,
                              bool on_success, bool on_error, bool on_cancel) {
  // The routine of a driver that is being unloaded must not be called: the device is kept until the routine has run.
  struct Kept {
    DEVICE_OBJECT* device;
    PIO_COMPLETION_ROUTINE routine;
    void* context;
    bool on_success, on_error, on_cancel;
    static NTSTATUS NTIO_MS_ABI Run(PDEVICE_OBJECT owner, PIRP irp, PVOID raw) {
      const Kept kept = *static_cast<Kept*>(raw);
      ex::PoolDelete(static_cast<Kept*>(raw));
      const bool success = NT_SUCCESS(irp->IoStatus.Status);
      NTSTATUS status = STATUS_SUCCESS;
      if ((success && kept.on_success) || (!success && kept.on_error) || (irp->Cancel && kept.on_cancel))
        status = nt::CallDriver(kept.routine, owner, irp, kept.context);
      else if (irp->PendingReturned && irp->CurrentLocation <= irp->StackCount)
        IoMarkIrpPending(irp);
      ob::DereferenceObject(kept.device);
      return status;
    }
  };
  auto* kept = ex::PoolNew<Kept>('rCoI');
  if (!kept) return STATUS_INSUFFICIENT_RESOURCES;
  *kept = {device, routine, context, on_success, on_error, on_cancel};
  ob::ReferenceObject(device);
  IoSetCompletionRoutine(irp, Kept::Run, kept, TRUE, TRUE, TRUE);
  return STATUS_SUCCESS;
}

}  // namespace nt::io
