// NtFlushBuffersFile(Ex).
#include "src/io/internal.h"

namespace nt::io {

Status NtFlushBuffersFileEx(HANDLE handle, ULONG flags, void* parameters, ULONG parameters_bytes, IO_STATUS_BLOCK* iosb) {
  const KPROCESSOR_MODE mode = PreviousMode();
  UCHAR minor = 0;
  switch (flags) {
    case 0: break;
    case 1: minor = IRP_MN_FLUSH_DATA_ONLY; break;       // FLUSH_FLAGS_FILE_DATA_ONLY
    case 2: minor = IRP_MN_FLUSH_NO_SYNC; break;         // FLUSH_FLAGS_NO_SYNC
    case 4: minor = IRP_MN_FLUSH_DATA_SYNC_ONLY; break;  // FLUSH_FLAGS_FILE_DATA_SYNC_ONLY
    default: return STATUS_INVALID_PARAMETER;
  }
  if (parameters || parameters_bytes) return STATUS_INVALID_PARAMETER;
  if (mode != KernelMode) NT_TRY(Guarded([&] { ldr::ProbeForWrite(iosb, sizeof *iosb, 4); }));
  Ref<FILE_OBJECT> file;
  OBJECT_HANDLE_INFORMATION information;
  NT_TRY(ReferenceFile(handle, 0, mode, &file, &information));
  if (mode != KernelMode && !(information.GrantedAccess & (FILE_WRITE_DATA | FILE_APPEND_DATA)))
    return STATUS_ACCESS_DENIED;
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  NoteFastIo(false);
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  IRP* irp = NewFileIrp(file.get(), top, IRP_MJ_FLUSH_BUFFERS, minor);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  IO_STATUS_BLOCK result;
  bool written = false;
  Status status = SendAndWait(top, irp, &result, &written);
  if (written) NT_TRY(Guarded([&] { ldr::WriteUser(iosb, result); }));
  return status;
}

Status NtFlushBuffersFile(HANDLE handle, IO_STATUS_BLOCK* iosb) {
  return io::NtFlushBuffersFileEx(handle, 0, nullptr, 0, iosb);
}

}  // namespace nt::io
