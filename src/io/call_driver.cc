// IoCallDriver, and how the I/O manager's own requests are sent: the way down a device stack.
#include "src/io/internal.h"

namespace nt::io {

namespace {

/// The IRP that the thread is in a dispatch routine for; bug-check reports show it (describe.cc).
class DispatchScope {
 public:
  explicit DispatchScope(IRP* irp) : thread_(ke::CurrentThread()), outer_(thread_->dispatch_irp) {
    thread_->dispatch_irp = irp;
  }
  ~DispatchScope() { thread_->dispatch_irp = outer_; }
  DispatchScope(const DispatchScope&) = delete;
  DispatchScope& operator=(const DispatchScope&) = delete;
  ke::Thread* thread() const { return thread_; }

 private:
  ke::Thread* const thread_;
  IRP* const outer_;
};

}  // namespace

Status CallDriver(DEVICE_OBJECT* device, IRP* irp) {
  if (irp->Type != IO_TYPE_IRP) [[unlikely]]
    ke::BugCheckWithMessage("IoCallDriver with something that is not an IRP, or with one that was freed",
                            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 4, reinterpret_cast<ULONG_PTR>(irp));
  if (--irp->CurrentLocation <= 0) [[unlikely]]
    ke::BugCheckEx(NO_MORE_IRP_STACK_LOCATIONS, reinterpret_cast<ULONG_PTR>(irp));
  IO_STACK_LOCATION* location = --irp->Tail.Overlay.CurrentStackLocation;
  location->DeviceObject = device;
  if (location->MajorFunction > IRP_MJ_MAXIMUM_FUNCTION) [[unlikely]]
    ke::BugCheckWithMessage("IoCallDriver with a major function code that does not exist",
                            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 5, reinterpret_cast<ULONG_PTR>(irp),
                            location->MajorFunction);
  DispatchScope scope(irp);
  const ThreadBalance before(scope.thread());
  DRIVER_OBJECT* const driver = device->DriverObject;
  const UCHAR major = location->MajorFunction;
  const NTSTATUS status = nt::CallDriver(driver->MajorFunction[major], device, irp);
  if (ThreadBalance(scope.thread()) != before) [[unlikely]]
    ReportUnbalancedDispatch(before, driver, major);
  return status;
}

Status CallDriverAndWait(DEVICE_OBJECT* device, IRP* irp, KEVENT* event, IO_STATUS_BLOCK* iosb) {
  Status status = CallDriver(device, irp);
  if (status == STATUS_PENDING) {
    ke::WaitFor(event);
    status = iosb->Status;
  }
  return status;
}

namespace {

NTSTATUS NTIO_MS_ABI SignalAndKeep(PDEVICE_OBJECT, PIRP irp, PVOID event) {
  if (irp->PendingReturned) ke::SetEvent(static_cast<PRKEVENT>(event), IO_NO_INCREMENT, false);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

void CountSent(UCHAR major) {
  TheStatistics().irp[major].sent.fetch_add(1, std::memory_order_relaxed);
}

/// Sends, counted. The sender holds the IRP; afterwards it may be touched only when the status is not STATUS_PENDING.
Status Send(DEVICE_OBJECT* top, IRP* irp) {
  const bool count = StatisticsEnabled();
  const UCHAR major = NextLocation(irp)->MajorFunction;
  if (count) [[unlikely]] CountSent(major);
  Status status = CallDriver(top, irp);
  CheckedState::NoteReturned(irp, status);
  if (count && status.is_error()) TheStatistics().irp[major].failed.fetch_add(1, std::memory_order_relaxed);
  return status;
}

}  // namespace

bool ForwardIrpSynchronously(DEVICE_OBJECT* device, IRP* irp) {
  if (irp->CurrentLocation <= 1) return false;
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  IoCopyCurrentIrpStackLocationToNext(irp);
  IoSetCompletionRoutine(irp, SignalAndKeep, &event, TRUE, TRUE, TRUE);
  if (CallDriver(device, irp) == STATUS_PENDING) ke::WaitFor(&event);
  return true;
}

IRP* NewFileIrp(FILE_OBJECT* file, DEVICE_OBJECT* top, UCHAR major, UCHAR minor) {
  IRP* irp = AllocateIrp(top->StackSize);
  if (!irp) return nullptr;
  irp->RequestorMode = PreviousMode();
  irp->Tail.Overlay.Thread = ke::CurrentThread()->ethread();
  irp->Tail.Overlay.OriginalFileObject = file;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->MajorFunction = major;
  location->MinorFunction = minor;
  location->FileObject = file;
  return irp;
}

Status SendAndWait(DEVICE_OBJECT* top, IRP* irp, IO_STATUS_BLOCK* result, bool* written) {
  KEVENT event;
  ke::InitializeEvent(&event, SynchronizationEvent, false);
  *result = {};
  irp->UserEvent = &event;
  irp->UserIosb = result;
  irp->Flags |= IRP_SYNCHRONOUS_API | IRP_DEFER_IO_COMPLETION;
  FILE_OBJECT* file = irp->Tail.Overlay.OriginalFileObject;
  LinkIrp(irp);
  Status status = Send(top, irp);
  if (status == STATUS_PENDING) {
    ke::WaitFor(&event);
    status = result->Status;
    if (written) *written = true;
    return status;
  }
  const IO_STATUS_BLOCK final = irp->IoStatus;
  FinishRequest(irp, ke::CurrentThread(), file);
  if (written) *written = !status.is_error();
  *result = final;
  return status;
}

Status AsyncParameters::Prepare(FILE_OBJECT* file) {
  if (mode != KernelMode && apc && file->CompletionContext) return STATUS_INVALID_PARAMETER;
  if (event_handle) {
    NT_TRY(ob::ReferenceObjectByHandle(event_handle, EVENT_MODIFY_STATE, ExEventObjectType, mode, event.out(), nullptr));
    ke::ClearEvent(event.get());
  }
  return STATUS_SUCCESS;
}

void AsyncParameters::FinishFast(FILE_OBJECT* file, const IO_STATUS_BLOCK& result) {
  Guarded([&] { ldr::WriteUser(iosb, result); }).Ignore();  // as the IRP path: the requestor's loss
  TellFast(file);
  const IO_COMPLETION_CONTEXT* context = file->CompletionContext;
  const bool skip = NT_SUCCESS(result.Status) &&
                    (Private(file)->notification_modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
  if (context && apc_context && !skip)
    QueueMiniPacket(static_cast<KQUEUE*>(context->Port), context->Key, apc_context, result.Status, result.Information)
        .Ignore();  // out of memory: the packet is lost, as documented for NtSetIoCompletion's failure
}

Status SendRequest(FILE_OBJECT* file, DEVICE_OBJECT* top, IRP* irp, AsyncParameters& parameters, bool synchronous) {
  irp->UserIosb = parameters.iosb;
  irp->UserEvent = parameters.event.release();
  irp->Overlay.AsynchronousParameters.UserApcRoutine = parameters.apc;
  irp->Overlay.AsynchronousParameters.UserApcContext = parameters.apc_context;
  irp->Flags |= IRP_DEFER_IO_COMPLETION;
  ob::ReferenceObject(file);  // the IRP's
  ke::ClearEvent(&file->Event);
  LinkIrp(irp);
  NoteFastIo(false);
  Status status = Send(top, irp);
  if (status != STATUS_PENDING) {
    FinishRequest(irp, ke::CurrentThread(), file);
    return status;
  }
  if (!synchronous) return status;
  const bool alertable = (file->Flags & FO_ALERTABLE_IO) != 0;
  const KPROCESSOR_MODE mode = PreviousMode();
  Status waited = ke::WaitForSingleObject(&file->Event, Executive, mode, alertable, nullptr);
  if (waited == STATUS_ALERTED || waited == STATUS_USER_APC) {
    // The second stage runs in this thread by an APC, so at APC_LEVEL the IRP stays while its event is not set.
    {
      ke::IrqlScope scope(APC_LEVEL);
      if (ke::ReadStateEvent(&file->Event) == 0) CancelIrp(irp);
    }
    ke::WaitFor(&file->Event);
  }
  return file->FinalStatus;
}

}  // namespace nt::io
