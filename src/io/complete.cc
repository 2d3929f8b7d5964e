// IoCompleteRequest: the way back up a device stack, in two stages.
//
// Stage 1 runs where the driver completes, at up to DISPATCH_LEVEL: completion routines from the completer's location upward,
// then paging and associated IRPs end, and locked pages are unlocked. Stage 2 (FinishRequest) runs in the originating thread
// by a special kernel APC while that thread is inside the machine, else in the completing thread: it copies back, writes the
// status block, signals, and frees the IRP.
#include <cstring>

#include "src/io/internal.h"
#include "src/io/observe.h"
#include "src/mm/mm.h"

namespace nt::io {

constinit std::atomic<RequestDoneHook> g_request_done{nullptr};

namespace {

constexpr UCHAR kDisassociated = 0x80;  // IRP::AllocationFlags: its thread has gone without it

void ClearLocation(IO_STACK_LOCATION* location) {
  location->MinorFunction = 0;
  location->Flags = 0;
  location->Control = 0;
  std::memset(&location->Parameters, 0, sizeof location->Parameters);
  location->FileObject = nullptr;
}

/// @param unmarked  for the report of rules.cc: the lowest of the uppermost locations without the pending mark
/// @returns false when a routine took the IRP back
bool RunCompletionRoutines(IRP* irp, int* unmarked) {
  ke::Thread* thread = ke::CurrentThread();
  IO_STACK_LOCATION* location = CurrentLocation(irp);
  bool marked_before = true;
  irp->CurrentLocation++;
  irp->Tail.Overlay.CurrentStackLocation++;
  while (irp->CurrentLocation <= irp->StackCount + 1) {
    const UCHAR control = location->Control;
    irp->PendingReturned = control & SL_PENDING_RETURNED;
    if (!irp->PendingReturned && marked_before) *unmarked = irp->CurrentLocation - 1;
    marked_before = irp->PendingReturned;
    const bool succeeded = NT_SUCCESS(irp->IoStatus.Status);
    const bool invoke = (succeeded && (control & SL_INVOKE_ON_SUCCESS)) ||
                        (!succeeded && (control & SL_INVOKE_ON_ERROR)) ||
                        (irp->Cancel && (control & SL_INVOKE_ON_CANCEL));
    const PIO_COMPLETION_ROUTINE routine = location->CompletionRoutine;
    void* context = location->Context;
    const bool originator = irp->CurrentLocation == irp->StackCount + 1;
    ClearLocation(location);
    if (invoke) {
      DEVICE_OBJECT* device = originator ? nullptr : CurrentLocation(irp)->DeviceObject;
      const ThreadBalance before(thread);
      const NTSTATUS answer = nt::CallDriver(routine, device, irp, context);
      if (ThreadBalance(thread) != before) [[unlikely]]
        ReportUnbalancedCompletion(device, nullptr);
      if (answer == STATUS_MORE_PROCESSING_REQUIRED) return false;
    } else if (irp->PendingReturned && !originator) {
      CurrentLocation(irp)->Control |= SL_PENDING_RETURNED;
    }
    location++;
    irp->CurrentLocation++;
    irp->Tail.Overlay.CurrentStackLocation++;
  }
  return true;
}

void CompleteAssociated(IRP* irp, CCHAR boost) {
  IRP* master = irp->AssociatedIrp.MasterIrp;
  while (MDL* mdl = irp->MdlAddress) {
    irp->MdlAddress = mdl->Next;
    FreeMdl(mdl);
  }
  FreeIrp(irp);
  if (__atomic_sub_fetch(&master->AssociatedIrp.IrpCount, 1, __ATOMIC_ACQ_REL) == 0) CompleteRequest(master, boost);
}

void CompletePagingOrClose(IRP* irp) {
  IO_STATUS_BLOCK* iosb = irp->UserIosb;
  KEVENT* event = irp->UserEvent;
  const IO_STATUS_BLOCK status = irp->IoStatus;
  if (irp->Flags & (IRP_SYNCHRONOUS_PAGING_IO | IRP_CLOSE_OPERATION)) {
    FreeIrp(irp);
    *iosb = status;
    if (event) ke::SetEvent(event, IO_NO_INCREMENT, false);  // the last touch: both may be on the waiter's stack
    return;
  }
  auto* done = reinterpret_cast<void (*)(void*)>(
      reinterpret_cast<void*>(irp->Overlay.AsynchronousParameters.UserApcRoutine));
  void* context = irp->Overlay.AsynchronousParameters.UserApcContext;
  FreeIrp(irp);
  *iosb = status;
  if (done) done(context);
}

VOID NTIO_MS_ABI SecondStage(PKAPC apc, PKNORMAL_ROUTINE*, PVOID*, PVOID* file, PVOID*) {
  IRP* irp = CONTAINING_RECORD(apc, IRP, Tail.Apc);
  FinishRequest(irp, ke::AsThread(apc->Thread), static_cast<FILE_OBJECT*>(*file));
}
VOID NTIO_MS_ABI FreeAfterApc(PKAPC apc, PKNORMAL_ROUTINE*, PVOID*, PVOID*, PVOID*) {
  ReleaseIrp(CONTAINING_RECORD(apc, IRP, Tail.Apc));
}
VOID NTIO_MS_ABI FreeAtRundown(PKAPC apc) { ReleaseIrp(CONTAINING_RECORD(apc, IRP, Tail.Apc)); }

void FreeBuffers(IRP* irp) {
  if (irp->Flags & IRP_BUFFERED_IO) {
    const NTSTATUS status = irp->IoStatus.Status;
    if ((irp->Flags & IRP_INPUT_OPERATION) && !NT_ERROR(status) && status != STATUS_VERIFY_REQUIRED &&
        irp->IoStatus.Information) {
      Status copied = Guarded(
          [&] { ldr::CopyToUser(irp->UserBuffer, irp->AssociatedIrp.SystemBuffer, irp->IoStatus.Information); });
      if (!copied.ok()) irp->IoStatus.Status = copied;
    }
    if (irp->Flags & IRP_DEALLOCATE_BUFFER) ex::FreePool(irp->AssociatedIrp.SystemBuffer);
    irp->Flags &= ~static_cast<ULONG>(IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER | IRP_INPUT_OPERATION);
  }
  while (MDL* mdl = irp->MdlAddress) {
    irp->MdlAddress = mdl->Next;
    FreeMdl(mdl);
  }
}

}  // namespace

void CompleteRequest(IRP* irp, CCHAR boost) {
  if (StatisticsEnabled()) [[unlikely]] NoteCompletion(irp);
  if (irp->Type != IO_TYPE_IRP || irp->CurrentLocation > irp->StackCount + 1) [[unlikely]]
    ke::BugCheckWithMessage("IoCompleteRequest of an IRP that is complete, or of something that is not an IRP",
                            MULTIPLE_IRP_COMPLETE_REQUESTS, reinterpret_cast<ULONG_PTR>(irp), __LINE__);
  if (irp->IoStatus.Status == STATUS_PENDING || irp->IoStatus.Status == -1) [[unlikely]]
    ke::BugCheckWithMessage("IoCompleteRequest with a status that is not final", DRIVER_VERIFIER_IOMANAGER_VIOLATION, 6,
                            static_cast<ULONG_PTR>(irp->IoStatus.Status), reinterpret_cast<ULONG_PTR>(irp));
  if (irp->CancelRoutine) [[unlikely]]
    ke::BugCheckWithMessage("IoCompleteRequest while the IRP has a cancel routine", DRIVER_VERIFIER_IOMANAGER_VIOLATION, 7,
                            reinterpret_cast<ULONG_PTR>(irp->CancelRoutine), reinterpret_cast<ULONG_PTR>(irp));
  int unmarked = 0;
  if (!RunCompletionRoutines(irp, &unmarked)) return;
  if (irp->Flags & IRP_ASSOCIATED_IRP) return CompleteAssociated(irp, boost);
  if (irp->Flags & (IRP_PAGING_IO | IRP_CLOSE_OPERATION)) return CompletePagingOrClose(irp);

  for (MDL* mdl = irp->MdlAddress; mdl; mdl = mdl->Next)
    if ((mdl->MdlFlags & MDL_PAGES_LOCKED) && !(mdl->MdlFlags & MDL_PARTIAL)) mm::UnlockPages(mdl);
  // The copied parameters of a service; a create's reparse data goes on to parse.cc.
  if (char* auxiliary = irp->Tail.Overlay.AuxiliaryBuffer;
      auxiliary && !((irp->Flags & IRP_CREATE_OPERATION) && irp->IoStatus.Status == STATUS_REPARSE)) {
    irp->Tail.Overlay.AuxiliaryBuffer = nullptr;
    ex::FreePool(auxiliary);
  }
  // The service that sent it sees from the return value that it is complete, and does stage 2 itself.
  if ((irp->Flags & IRP_DEFER_IO_COMPLETION) && !irp->PendingReturned) return CheckedState::NoteDeferred(irp, unmarked);

  FILE_OBJECT* file = irp->Tail.Overlay.OriginalFileObject;
  if (irp->AllocationFlags & kDisassociated) {
    irp->Flags &= ~static_cast<ULONG>(IRP_INPUT_OPERATION);
    FreeBuffers(irp);
    if (file && !(irp->Flags & (IRP_SYNCHRONOUS_API | IRP_CREATE_OPERATION))) {
      if (irp->UserEvent) ob::DereferenceObject(irp->UserEvent);
      ob::DereferenceObject(file);
    }
    return ReleaseIrp(irp);
  }
  if (ListEmpty(&irp->ThreadListEntry)) [[unlikely]]
    ke::BugCheckWithMessage(
        "an IRP of IoAllocateIrp or IoBuildAsynchronousFsdRequest was completed and its completion routine did not keep it "
        "with STATUS_MORE_PROCESSING_REQUIRED",
        DRIVER_VERIFIER_IOMANAGER_VIOLATION, 8, reinterpret_cast<ULONG_PTR>(irp));
  ke::Thread* thread = ke::AsThread(irp->Tail.Overlay.Thread);
  // From here on the APC lies over Tail.Overlay.
  ke::InitializeApc(&irp->Tail.Apc, thread->nt(), OriginalApcEnvironment, SecondStage, nullptr, nullptr, KernelMode,
                    nullptr);
  if (!ke::InsertQueueApcIfDelivered(&irp->Tail.Apc, file, nullptr)) FinishRequest(irp, thread, file);
}

void FinishRequest(IRP* irp, ke::Thread* thread, FILE_OBJECT* file) {
  FreeBuffers(irp);
  const IO_STATUS_BLOCK result = irp->IoStatus;
  const bool pended = irp->PendingReturned;
  const bool own_waiter = irp->Flags & (IRP_SYNCHRONOUS_API | IRP_CREATE_OPERATION);
  KEVENT* event = irp->UserEvent;
  UnlinkIrp(irp, thread);
  if (pended && StatisticsEnabled() && NT_ERROR(result.Status)) [[unlikely]] {
    const auto* top = reinterpret_cast<IO_STACK_LOCATION*>(irp + 1) + irp->StackCount - 1;
    TheStatistics().irp[top->MajorFunction].failed.fetch_add(1, std::memory_order_relaxed);
  }
  if (own_waiter || !file) {
    // SendAndWait, a create, or IoBuildSynchronousFsdRequest: the waiter holds what is needed.
    IO_STATUS_BLOCK* iosb = irp->UserIosb;
    const bool tell = pended || !NT_ERROR(result.Status);
    ReleaseIrp(irp);
    if (tell) {
      Guarded([&] { ldr::WriteUser(iosb, result); }).Ignore();
      if (event) ke::SetEvent(event, IO_NO_INCREMENT, false);
    }
    return;
  }
  if (NT_ERROR(result.Status) && !pended) {
    // The status is the service's return value; nothing else tells of it.
    if (event) ob::DereferenceObject(event);
    ReleaseIrp(irp);
    ob::DereferenceObject(file);
    return;
  }
  Guarded([&] { ldr::WriteUser(irp->UserIosb, result); }).Ignore();  // the requestor took its status block away
  if (RequestDoneHook hook = g_request_done.load(std::memory_order_acquire)) [[unlikely]]
    hook(irp->UserIosb);
  const PIO_APC_ROUTINE apc = irp->Overlay.AsynchronousParameters.UserApcRoutine;
  void* apc_context = irp->Overlay.AsynchronousParameters.UserApcContext;
  const IO_COMPLETION_CONTEXT* completion = file->CompletionContext;
  if (event) {
    if (file->Flags & FO_SYNCHRONOUS_IO) {
      file->FinalStatus = result.Status;
      ke::SetEvent(&file->Event, IO_NO_INCREMENT, false);
    }
    ke::SetEvent(event, IO_NO_INCREMENT, false);
    ob::DereferenceObject(event);
  } else {
    file->FinalStatus = result.Status;
    // Who asked for it does without the event; a synchronous request waits for it.
    const bool set = (file->Flags & FO_SYNCHRONOUS_IO) || !(Private(file)->notification_modes & FILE_SKIP_SET_EVENT_ON_HANDLE);
    if (set) ke::SetEvent(&file->Event, IO_NO_INCREMENT, false);
  }
  if (apc) {
    ke::InitializeApc(&irp->Tail.Apc, thread->nt(), CurrentApcEnvironment, FreeAfterApc, FreeAtRundown,
                      reinterpret_cast<PKNORMAL_ROUTINE>(reinterpret_cast<void*>(apc)), irp->RequestorMode, apc_context);
    if (!ke::InsertQueueApc(&irp->Tail.Apc, irp->UserIosb, nullptr, 2)) ReleaseIrp(irp);
  } else {
    const bool skip = !pended && NT_SUCCESS(result.Status) &&
                      (Private(file)->notification_modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    if (completion && apc_context && !skip)
      QueueMiniPacket(static_cast<KQUEUE*>(completion->Port), completion->Key, apc_context, result.Status,
                      result.Information)
          .Ignore();  // out of memory: reported nowhere, as there is no one left to tell
    ReleaseIrp(irp);
  }
  ob::DereferenceObject(file);
}

void SetRequestDoneHook(RequestDoneHook hook) { g_request_done.store(hook, std::memory_order_release); }

/// For cancel.cc: a thread ends and its IRP does not come back.
void Disassociate(IRP* irp) { irp->AllocationFlags |= kDisassociated; }

}  // namespace nt::io
