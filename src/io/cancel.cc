// Cancellation: IoCancelIrp, the services that cancel, and the end of a thread.
#include "src/io/internal.h"

namespace nt::io {

void PinIrp(IRP* irp);
void UnpinIrp(IRP* irp);
void Disassociate(IRP* irp);

namespace {

constexpr LONGLONG kPoll100ns = -1 * 10 * 1000;  // 1 ms
constexpr uint64_t kGiveUpNanoseconds = 300ull * 1000 * 1000 * 1000;

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

void CancelThreadIo(ke::Thread* thread) {
  const uint64_t start = host::MonotonicNanoseconds();
  while (CancelMatching(thread, [](IRP*) { return true; })) {
    if (host::MonotonicNanoseconds() - start > kGiveUpNanoseconds) {
      LockGuard guard(thread->irp_list_lock);
      while (!ListEmpty(&thread->irp_list)) {
        IRP* irp = CONTAINING_RECORD(thread->irp_list.Flink, IRP, ThreadListEntry);
        Disassociate(irp);
        ListRemove(&irp->ThreadListEntry);
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

Status NtCancelIoFileEx(HANDLE handle, IO_STATUS_BLOCK* request, IO_STATUS_BLOCK* iosb) {
  const KPROCESSOR_MODE mode = PreviousMode();
  if (mode != KernelMode) NT_TRY(Guarded([&] { ldr::ProbeForWrite(iosb, sizeof *iosb, 4); }));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, 0, mode, &file));
  // All threads of the machine: a file object is not shared between processes here.
  auto wanted = [&](IRP* irp) { return OfFile(irp, file.get()) && (!request || irp->UserIosb == request); };
  bool found = false;
  for (;;) {
    IRP* irp = nullptr;
    {
      LockGuard guard(g_state->database);
      for (LIST_ENTRY* entry = g_state->threads.Flink; entry != &g_state->threads && !irp; entry = entry->Flink) {
        bool any = false;
        irp = NextIrp(CONTAINING_RECORD(entry, ThreadIo, link)->thread, wanted, &any);
      }
    }
    if (!irp) break;
    found = true;
    CancelIrp(irp);
    UnpinIrp(irp);
  }
  if (!found) return STATUS_NOT_FOUND;
  return Guarded([&] { ldr::WriteUser(iosb, IO_STATUS_BLOCK{{STATUS_SUCCESS}, 0}); });
}

}  // namespace nt::io
