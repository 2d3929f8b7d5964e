// Cancellation: IoCancelIrp, the services that cancel, and the end of a thread.
#include "src/io/internal.h"

namespace nt::io {

void Disassociate(IRP* irp);

namespace {

constexpr LONGLONG kPoll100ns = -1 * 10 * 1000;  // 1 ms
constexpr uint64_t kPatienceNanoseconds = 300ull * 1000 * 1000 * 1000;
std::atomic<uint64_t> g_patience_ns{kPatienceNanoseconds};

/// Takes the next IRP of `thread` that `wanted` accepts and that was not cancelled yet, pinned.
template <class F>
IRP* NextIrp(ke::Thread* thread, F&& wanted, bool* any) {
  LockGuard guard(thread->irp_list_lock);
  for (LIST_ENTRY* entry = thread->irp_list.Flink; entry != &thread->irp_list; entry = entry->Flink) {
    IRP* irp = CONTAINING_RECORD(entry, IRP, ThreadListEntry);
    if (!wanted(irp)) continue;
    *any = true;
    if (irp->Cancel) continue;
    PinIrp(irp);
    return irp;
  }
  return nullptr;
}

/// Cancels all that `wanted` accepts. @returns whether there is one, cancelled before or now
template <class F>
bool CancelMatching(ke::Thread* thread, F&& wanted) {
  bool any = false;
  while (IRP* irp = NextIrp(thread, wanted, &any)) {
    CancelIrp(irp);
    UnpinIrp(irp);
  }
  return any;
}

void Pause() {
  LARGE_INTEGER interval;
  interval.QuadPart = kPoll100ns;
  ke::DelayExecutionThread(KernelMode, false, &interval).Ignore();  // SUCCESS: not alertable
}

bool OfFile(const IRP* irp, const FILE_OBJECT* file) {
  // An IRP whose second stage is queued has its APC over these fields; it counts as ended.
  return irp->Tail.Overlay.OriginalFileObject == file && irp->CurrentLocation <= irp->StackCount + 1;
}

}  // namespace

bool CancelIrp(IRP* irp) {
  KIRQL irql;
  AcquireCancelSpinLock(&irql);
  irp->Cancel = TRUE;
  if (PDRIVER_CANCEL routine = IoSetCancelRoutine(irp, nullptr)) {
    if (irp->CurrentLocation > irp->StackCount + 1)
      ke::BugCheckEx(CANCEL_STATE_IN_COMPLETED_IRP, reinterpret_cast<ULONG_PTR>(irp),
                     reinterpret_cast<ULONG_PTR>(routine));
    irp->CancelIrql = irql;
    // A cancel routine runs with the location of the driver that set it.
    nt::CallDriver(routine, CurrentLocation(irp)->DeviceObject, irp);
    return true;
  }
  ReleaseCancelSpinLock(irql);
  return false;
}

void AcquireCancelSpinLock(KIRQL* irql) { *irql = ke::AcquireSpinLockRaiseToDpc(&g_state->cancel_lock); }
void ReleaseCancelSpinLock(KIRQL irql) { ke::ReleaseSpinLock(&g_state->cancel_lock, irql); }

void SetCancelPatience(uint64_t nanoseconds) { g_patience_ns = nanoseconds ? nanoseconds : kPatienceNanoseconds; }

namespace {

/// Verifier rule 0xC4/0x135 as a message: the machine goes on, as NT does.
void ReportForgotten(IRP* irp) {
  DRIVER_OBJECT* driver = nullptr;
  if (irp->CurrentLocation >= 1 && irp->CurrentLocation <= irp->StackCount && CurrentLocation(irp)->DeviceObject)
    driver = CurrentLocation(irp)->DeviceObject->DriverObject;
  const std::string text = "ntio: rule 0x135: driver " + (driver ? DriverFileName(driver) : std::string("(unknown)")) +
                           " did not complete an IRP after it was cancelled; its thread ends without it\n" + DescribeIrp(irp);
  host::WriteError(text.data(), text.size());
}

/// Cuts an IRP loose: whoever completes it some day frees it. @returns false when there is none left
bool DisassociateOne(ke::Thread* thread) {
  IRP* irp;
  {
    LockGuard guard(thread->irp_list_lock);
    if (ListEmpty(&thread->irp_list)) return false;
    irp = CONTAINING_RECORD(thread->irp_list.Flink, IRP, ThreadListEntry);
    PinIrp(irp);
    Disassociate(irp);
    ListRemove(&irp->ThreadListEntry);
  }
  ReportForgotten(irp);
  UnpinIrp(irp);
  return true;
}

}  // namespace

void CancelThreadIo(ke::Thread* thread) {
  const uint64_t start = host::MonotonicNanoseconds();
  while (CancelMatching(thread, [](IRP*) { return true; })) {
    if (host::MonotonicNanoseconds() - start > g_patience_ns) {
      while (DisassociateOne(thread)) {
      }
      return;
    }
    Pause();
  }
}

Status NtCancelIoFile(HANDLE handle, IO_STATUS_BLOCK* iosb) {
  const KPROCESSOR_MODE mode = PreviousMode();
  if (mode != KernelMode) NT_TRY(Guarded([&] { ldr::ProbeForWrite(iosb, sizeof *iosb, 4); }));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, 0, mode, &file));
  ke::Thread* thread = ke::CurrentThread();
  while (CancelMatching(thread, [&](IRP* irp) { return OfFile(irp, file.get()); })) Pause();
  return Guarded([&] { ldr::WriteUser(iosb, IO_STATUS_BLOCK{{STATUS_SUCCESS}, 0}); });
}

namespace {

/// Cancels what `wanted` accepts among the requests of all threads of the machine, and does not wait for their end.
template <class F>
bool CancelEverywhere(F&& wanted) {
  bool found = false;
  for (;;) {
    IRP* irp = nullptr;
    {
      LockGuard guard(g_state->database);
      for (LIST_ENTRY* entry = g_state->threads.Flink; entry != &g_state->threads && !irp; entry = entry->Flink) {
        bool any = false;
        ke::Thread* thread = CONTAINING_RECORD(entry, ThreadIo, link)->thread;
        irp = NextIrp(thread, [&](IRP* candidate) { return wanted(thread, candidate); }, &any);
      }
    }
    if (!irp) return found;
    found = true;
    CancelIrp(irp);
    UnpinIrp(irp);
  }
}

Status Answer(IO_STATUS_BLOCK* iosb, bool found) {
  const NTSTATUS status = found ? STATUS_SUCCESS : STATUS_NOT_FOUND;
  Status written = Guarded([&] { ldr::WriteUser(iosb, IO_STATUS_BLOCK{{status}, 0}); });
  return written.ok() ? Status(status) : written;
}

}  // namespace

Status NtCancelIoFileEx(HANDLE handle, IO_STATUS_BLOCK* request, IO_STATUS_BLOCK* iosb) {
  const KPROCESSOR_MODE mode = PreviousMode();
  if (mode != KernelMode) NT_TRY(Guarded([&] { ldr::ProbeForWrite(iosb, sizeof *iosb, 4); }));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, 0, mode, &file));
  // All threads of the machine: a file object is not shared between processes here.
  return Answer(iosb, CancelEverywhere([&](ke::Thread*, IRP* irp) {
                  return OfFile(irp, file.get()) && (!request || irp->UserIosb == request);
                }));
}

Status NtCancelSynchronousIoFile(HANDLE handle, IO_STATUS_BLOCK* request, IO_STATUS_BLOCK* iosb) {
  const KPROCESSOR_MODE mode = PreviousMode();
  if (mode != KernelMode) NT_TRY(Guarded([&] { ldr::ProbeForWrite(iosb, sizeof *iosb, 4); }));
  Ref<void> thread;
  if (handle == NtCurrentThread())
    thread.Share(ke::CurrentThread());
  else
    NT_TRY(ob::ReferenceObjectByHandle(handle, THREAD_TERMINATE, PsThreadType, mode, thread.out(), nullptr));
  return Answer(iosb, CancelEverywhere([&](ke::Thread* of, IRP* irp) {
                  if (of != thread.get() || irp->CurrentLocation > irp->StackCount + 1) return false;
                  const FILE_OBJECT* file = irp->Tail.Overlay.OriginalFileObject;
                  const bool waited_for = (irp->Flags & (IRP_SYNCHRONOUS_API | IRP_CREATE_OPERATION)) ||
                                          (file && (file->Flags & FO_SYNCHRONOUS_IO));
                  return waited_for && (!request || irp->UserIosb == request);
                }));
}

}  // namespace nt::io
