// One way in and one way out for every request: critical region, top-level IRP, posting, completion.
#include "fat.h"

namespace fat {
namespace {

Operation OperationFor(UCHAR major) {
  switch (major) {
    case IRP_MJ_CREATE:
      return Create;
    case IRP_MJ_CLOSE:
      return Close;
    case IRP_MJ_READ:
      return Read;
    case IRP_MJ_WRITE:
      return Write;
    case IRP_MJ_QUERY_INFORMATION:
      return QueryInformation;
    case IRP_MJ_SET_INFORMATION:
      return SetInformation;
    case IRP_MJ_QUERY_EA:
    case IRP_MJ_SET_EA:
      return RefuseExtendedAttributes;
    case IRP_MJ_FLUSH_BUFFERS:
      return FlushBuffers;
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
      return QueryVolumeInformation;
    case IRP_MJ_SET_VOLUME_INFORMATION:
      return SetVolumeInformation;
    case IRP_MJ_DIRECTORY_CONTROL:
      return DirectoryControl;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
      return FileSystemControl;
    case IRP_MJ_DEVICE_CONTROL:
      return DeviceControl;
    case IRP_MJ_SHUTDOWN:
      return Shutdown;
    case IRP_MJ_LOCK_CONTROL:
      return LockControl;
    case IRP_MJ_CLEANUP:
      return Cleanup;
    case IRP_MJ_PNP:
      return Pnp;
    default:
      return nullptr;
  }
}

/// Only these have a caller that may refuse to wait for long; the rest run in place.
bool MayRefuseToWait(UCHAR major) {
  return major == IRP_MJ_READ || major == IRP_MJ_WRITE || major == IRP_MJ_DIRECTORY_CONTROL;
}

void InitializeContext(IrpContext& context, PIRP irp) {
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  RtlZeroMemory(&context, sizeof(context));
  context.irp = irp;
  context.device = stack->DeviceObject;
  context.vcb = stack->DeviceObject == g.device ? nullptr : static_cast<Vcb*>(stack->DeviceObject->DeviceExtension);
  context.major = stack->MajorFunction;
  context.minor = stack->MinorFunction;
  context.thread = KeGetCurrentThread();
  context.async = MayRefuseToWait(context.major) &&
                  (context.paging() ? (irp->Flags & IRP_SYNCHRONOUS_PAGING_IO) == 0 : !IoIsOperationSynchronous(irp));
  context.can_wait = !MayRefuseToWait(context.major) || context.paging() || IoIsOperationSynchronous(irp);
  context.write_through = (stack->FileObject != nullptr && (stack->FileObject->Flags & FO_WRITE_THROUGH) != 0) ||
                          (context.major == IRP_MJ_WRITE && (stack->Flags & SL_WRITE_THROUGH) != 0);
}

/// The file system device itself answers only these.
bool AllowedOnFileSystemDevice(const IrpContext& context) {
  return context.major == IRP_MJ_CREATE || context.major == IRP_MJ_CLEANUP || context.major == IRP_MJ_CLOSE ||
         context.major == IRP_MJ_FILE_SYSTEM_CONTROL || context.major == IRP_MJ_SHUTDOWN;
}

struct Request {
  Operation operation;
  IrpContext* context;
};

NTSTATUS RunOperation(PVOID argument) {
  Request* request = static_cast<Request*>(argument);
  return request->operation(*request->context);
}

/// What the deepest of our own calls down to the storage device takes, with room for filters between.
constexpr ULONG_PTR kStackForTransfer = 6 * 1024;

struct OtherStack {
  Request* request;
  NTSTATUS status;
};

VOID NTAPI RunOnOtherStack(PVOID argument, PKEVENT event) {
  OtherStack* other = static_cast<OtherStack*>(argument);
  FsRtlEnterFileSystem();
  IoSetTopLevelIrp(reinterpret_cast<PIRP>(FSRTL_FSP_TOP_LEVEL_IRP));
  other->status = seh::RunRequest(RunOperation, other->request);
  IoSetTopLevelIrp(nullptr);
  FsRtlExitFileSystem();
  KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

/// A data transfer for which too little of this thread's stack is left: paging I/O comes from below anything. One that
/// an overflow thread or a worker makes itself stays there: they begin with an empty stack.
bool NeedsOtherStack(const IrpContext& context) {
  if (context.major != IRP_MJ_READ && context.major != IRP_MJ_WRITE) return false;
  return IoGetRemainingStackSize() < kStackForTransfer && !context.posted &&
         (context.top_level || IoGetTopLevelIrp() != reinterpret_cast<PIRP>(FSRTL_FSP_TOP_LEVEL_IRP));
}

NTSTATUS LockBufferForPosting(PIRP irp);

NTSTATUS RunElsewhere(Request& request) {
  IrpContext& context = *request.context;
  KEVENT event;
  OtherStack other{&request, STATUS_SUCCESS};
  FAT_TRY_STATUS(LockBufferForPosting(context.irp));
  PFILE_OBJECT file = context.stack()->FileObject;
  context.other_stack = true;
  if (file->FsContext != nullptr) {
    FcbNonPaged& np = *FcbOf(file)->np;
    context.owns_file = ExIsResourceAcquiredExclusiveLite(&np.resource);
    context.owns_paging = ExIsResourceAcquiredExclusiveLite(&np.paging_resource);
  }
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  const NTSTATUS status = seh::PostStackOverflow(&other, &event, RunOnOtherStack, context.paging());
  if (!NT_SUCCESS(status)) return status;
  KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr);
  return other.status;
}

NTSTATUS Execute(IrpContext& context) {
  PIRP irp = context.irp;
  Request request{OperationFor(context.major), &context};
  NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;
  if (request.operation != nullptr && (context.vcb != nullptr || AllowedOnFileSystemDevice(context))) {
    status = NeedsOtherStack(context) ? RunElsewhere(request) : seh::RunRequest(RunOperation, &request);
  }
  if (status == STATUS_PENDING) return status;
  if (status == STATUS_CANT_WAIT && !context.can_wait) return PostIrp(irp);
  CompleteIrp(irp, status);
  return status;
}

VOID NTAPI Worker(PVOID argument) {
  IrpContext* context = static_cast<IrpContext*>(argument);
  FsRtlEnterFileSystem();
  IoSetTopLevelIrp(reinterpret_cast<PIRP>(FSRTL_FSP_TOP_LEVEL_IRP));
  Execute(*context);
  IoSetTopLevelIrp(nullptr);
  FsRtlExitFileSystem();
  FreePool(context);
}

NTSTATUS LockBufferForPosting(PIRP irp) {
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  switch (stack->MajorFunction) {
    case IRP_MJ_READ:
      if (stack->MinorFunction & IRP_MN_MDL) return STATUS_SUCCESS;
      return LockUserBuffer(irp, IoWriteAccess, stack->Parameters.Read.Length);
    case IRP_MJ_WRITE:
      if (stack->MinorFunction & IRP_MN_MDL) return STATUS_SUCCESS;
      return LockUserBuffer(irp, IoReadAccess, stack->Parameters.Write.Length);
    case IRP_MJ_DIRECTORY_CONTROL:
      if (stack->MinorFunction != IRP_MN_QUERY_DIRECTORY) return STATUS_SUCCESS;
      return LockUserBuffer(irp, IoWriteAccess, stack->Parameters.QueryDirectory.Length);
    default:
      return STATUS_SUCCESS;
  }
}

void QueueOrComplete(PIRP irp, NTSTATUS status) {
  IrpContext* context = nullptr;
  if (NT_SUCCESS(status)) {
    context = static_cast<IrpContext*>(AllocateNonPaged(sizeof(IrpContext)));
    if (context == nullptr) status = STATUS_INSUFFICIENT_RESOURCES;
  }
  if (context == nullptr) {
    CompleteIrp(irp, status);
    return;
  }
  InitializeContext(*context, irp);
  context->can_wait = true;
  context->posted = true;
  ExInitializeWorkItem(&context->work, Worker, context);
  ExQueueWorkItem(&context->work, CriticalWorkQueue);
}

}  // namespace

void CompleteIrp(PIRP irp, NTSTATUS status) {
  irp->IoStatus.Status = status;
  if (NT_ERROR(status) && status != STATUS_SHARING_VIOLATION) irp->IoStatus.Information = 0;
  IoCompleteRequest(irp, NT_SUCCESS(status) ? IO_DISK_INCREMENT : IO_NO_INCREMENT);
}

NTSTATUS PostIrp(PIRP irp) {
  const NTSTATUS status = LockBufferForPosting(irp);
  IoMarkIrpPending(irp);
  QueueOrComplete(irp, status);
  return STATUS_PENDING;
}

NTSTATUS DeferWrite(IrpContext& context, ULONG bytes) {
  PIRP irp = context.irp;
  FAT_TRY_STATUS(LockBufferForPosting(irp));
  IoMarkIrpPending(irp);
  CcDeferWrite(context.stack()->FileObject, FatDeferredWrite, irp, nullptr, bytes, context.posted);
  return STATUS_PENDING;
}

NTSTATUS VerifyVolume(const IrpContext& context, const Ccb* ccb) {
  const Vcb& vcb = *context.vcb;
  PFILE_OBJECT file = context.stack()->FileObject;
  if (vcb.state == VolumeState::kDismounted && !context.paging() && !(ccb != nullptr && ccb->volume)) {
    return STATUS_VOLUME_DISMOUNTED;
  }
  if (file != nullptr && (file->Flags & FO_CLEANUP_COMPLETE) != 0 && !context.paging() &&
      context.major != IRP_MJ_QUERY_INFORMATION && context.major != IRP_MJ_SET_INFORMATION &&
      !(context.major <= IRP_MJ_WRITE && (context.minor & IRP_MN_COMPLETE) != 0)) {
    return STATUS_FILE_CLOSED;
  }
  return STATUS_SUCCESS;
}

}  // namespace fat

using namespace fat;

extern "C" NTSTATUS NTAPI FatDispatch(PDEVICE_OBJECT, PIRP irp) {
  IrpContext context;
  InitializeContext(context, irp);
  FsRtlEnterFileSystem();
  context.top_level = IoGetTopLevelIrp() == nullptr;
  if (context.top_level) IoSetTopLevelIrp(irp);
  const bool top_level = context.top_level;
  const NTSTATUS status = Execute(context);
  if (top_level) IoSetTopLevelIrp(nullptr);
  FsRtlExitFileSystem();
  return status;
}

// The oplock package calls this before it keeps an IRP until a break is acknowledged. May raise.
extern "C" VOID NTAPI FatPrePostIrp(PVOID, PIRP irp) {
  const NTSTATUS status = LockBufferForPosting(irp);
  if (!NT_SUCCESS(status)) ExRaiseStatus(status);
  IoMarkIrpPending(irp);
}

// The break is over, or the IRP was cancelled meanwhile: start the request afresh.
extern "C" VOID NTAPI FatOplockComplete(PVOID, PIRP irp) { QueueOrComplete(irp, irp->IoStatus.Status); }

// CcDeferWrite: there is room for the data now.
extern "C" VOID NTAPI FatDeferredWrite(PVOID irp, PVOID) { QueueOrComplete(static_cast<PIRP>(irp), STATUS_SUCCESS); }
