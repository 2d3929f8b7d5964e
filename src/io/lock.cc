// NtLockFile and NtUnlockFile: fast I/O first, whatever the handle; then IRP_MJ_LOCK_CONTROL.
#include "src/io/internal.h"

namespace nt::io {
namespace {

/// The length lies in the IRP's auxiliary block, where Parameters.LockControl.Length points.
Status CopyLength(IRP* irp, IO_STACK_LOCATION* location, const LARGE_INTEGER& length) {
  auto* copy = static_cast<LARGE_INTEGER*>(ex::AllocatePool(NonPagedPoolNx, sizeof length, 'kcLI'));
  if (!copy) return STATUS_INSUFFICIENT_RESOURCES;
  *copy = length;
  irp->Tail.Overlay.AuxiliaryBuffer = reinterpret_cast<char*>(copy);
  location->Parameters.LockControl.Length = copy;
  return STATUS_SUCCESS;
}

Status CheckAccess(const OBJECT_HANDLE_INFORMATION& information, KPROCESSOR_MODE mode) {
  if (mode != KernelMode && !(information.GrantedAccess & (FILE_READ_DATA | FILE_WRITE_DATA))) return STATUS_ACCESS_DENIED;
  return STATUS_SUCCESS;
}

}  // namespace

Status NtLockFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                  LARGE_INTEGER* offset, LARGE_INTEGER* length, ULONG key, bool fail_immediately, bool exclusive) {
  const KPROCESSOR_MODE mode = PreviousMode();
  LARGE_INTEGER start, bytes;
  NT_TRY(Guarded([&] {
    if (mode != KernelMode) ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
    start = ldr::ReadUser(offset);
    bytes = ldr::ReadUser(length);
  }));
  Ref<FILE_OBJECT> file;
  OBJECT_HANDLE_INFORMATION information;
  NT_TRY(ReferenceFile(handle, 0, mode, &file, &information));
  NT_TRY(CheckAccess(information, mode));
  AsyncParameters parameters{event, apc, apc_context, iosb, mode, {}};
  NT_TRY(parameters.Prepare(file.get()));
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  if (!apc) {
    if (auto* fast = FastIoEntry<&FAST_IO_DISPATCH::FastIoLock>(top)) {
      IO_STATUS_BLOCK result{};
      if (CallFastIo<&FAST_IO_DISPATCH::FastIoLock>(fast, file.get(), &start, &bytes, ps::GetCurrentProcess(), key,
                                                    static_cast<BOOLEAN>(fail_immediately),
                                                    static_cast<BOOLEAN>(exclusive), &result, top)) {
        file->LockOperation = TRUE;
        NoteFastIo(true);
        parameters.FinishFast(file.get(), result);
        return result.Status;
      }
    }
  }
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  file->LockOperation = TRUE;
  IRP* irp = NewFileIrp(file.get(), top, IRP_MJ_LOCK_CONTROL, IRP_MN_LOCK);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  IO_STACK_LOCATION* location = NextLocation(irp);
  if (fail_immediately) location->Flags |= SL_FAIL_IMMEDIATELY;
  if (exclusive) location->Flags |= SL_EXCLUSIVE_LOCK;
  location->Parameters.LockControl.Key = key;
  location->Parameters.LockControl.ByteOffset = start;
  Status status = CopyLength(irp, location, bytes);
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  return SendRequest(file.get(), top, irp, parameters, lock.synchronous());
}

Status NtUnlockFile(HANDLE handle, IO_STATUS_BLOCK* iosb, LARGE_INTEGER* offset, LARGE_INTEGER* length, ULONG key) {
  const KPROCESSOR_MODE mode = PreviousMode();
  LARGE_INTEGER start, bytes;
  NT_TRY(Guarded([&] {
    if (mode != KernelMode) ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
    start = ldr::ReadUser(offset);
    bytes = ldr::ReadUser(length);
  }));
  Ref<FILE_OBJECT> file;
  OBJECT_HANDLE_INFORMATION information;
  NT_TRY(ReferenceFile(handle, 0, mode, &file, &information));
  NT_TRY(CheckAccess(information, mode));
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  if (auto* fast = FastIoEntry<&FAST_IO_DISPATCH::FastIoUnlockSingle>(top)) {
    IO_STATUS_BLOCK result{};
    if (CallFastIo<&FAST_IO_DISPATCH::FastIoUnlockSingle>(fast, file.get(), &start, &bytes, ps::GetCurrentProcess(), key,
                                                          &result, top)) {
      NoteFastIo(true);
      Status written = Guarded([&] { ldr::WriteUser(iosb, result); });
      return written.ok() ? Status(result.Status) : written;
    }
  }
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  NoteFastIo(false);
  IRP* irp = NewFileIrp(file.get(), top, IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_SINGLE);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->Parameters.LockControl.Key = key;
  location->Parameters.LockControl.ByteOffset = start;
  Status status = CopyLength(irp, location, bytes);
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  IO_STATUS_BLOCK result;
  bool written = false;
  status = SendAndWait(top, irp, &result, &written);
  if (written) NT_TRY(Guarded([&] { ldr::WriteUser(iosb, result); }));
  return status;
}

}  // namespace nt::io
