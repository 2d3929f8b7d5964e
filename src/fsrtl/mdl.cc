// MDL reads and writes: the cache's own pages, for callers that transfer from or to them (file servers).
//
// FsRtlMdlRead and its kin ask the stack; ...Dev is what a file system puts into its table; ...Ex falls back to an IRP.
#include "src/fsrtl/write_range.h"
#include "src/ldr/export.h"

namespace nt::fsrtl {
namespace {

/// The topmost device's entry. Where only the file system below has one, a filter above does not pass it on, and the answer is
/// no; where nobody has one, `otherwise` serves.
template <auto kEntry, class Otherwise, class... A>
bool ByStack(PFILE_OBJECT file, Otherwise otherwise, A... arguments) {
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(file);
  if (auto* entry = io::FastIoEntry<kEntry>(top)) return io::CallFastIo<kEntry>(entry, arguments..., top);
  DEVICE_OBJECT* const base = io::GetBaseFileSystemDeviceObject(file);
  if (base != top && io::FastIoEntry<kEntry>(base)) return false;
  return otherwise(top);
}

/// Sends an IRP of `minor` with `mdl` to the top of the stack and waits; *mdl is what the IRP comes back with.
Status MdlIrp(PFILE_OBJECT file, UCHAR major, UCHAR minor, LONGLONG offset, ULONG length, ULONG lock_key, PMDL* mdl,
              PIO_STATUS_BLOCK io_status) {
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(file);
  IRP* const irp = io::AllocateIrp(top->StackSize);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  irp->RequestorMode = KernelMode;
  irp->Flags = IRP_SYNCHRONOUS_API;
  irp->Tail.Overlay.Thread = ke::CurrentThread()->ethread();
  irp->Tail.Overlay.OriginalFileObject = file;
  irp->MdlAddress = *mdl;
  PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
  location->MajorFunction = major;
  location->MinorFunction = minor;
  location->FileObject = file;
  location->DeviceObject = top;
  location->Parameters.Read.Length = length;
  location->Parameters.Read.Key = lock_key;
  location->Parameters.Read.ByteOffset.QuadPart = offset;
  PIO_COMPLETION_ROUTINE keep = [](PDEVICE_OBJECT, PIRP, PVOID context) NTIO_MS_ABI -> NTSTATUS {
    ke::SetEvent(static_cast<PKEVENT>(context));
    return STATUS_MORE_PROCESSING_REQUIRED;
  };
  IoSetCompletionRoutine(irp, keep, &event, TRUE, TRUE, TRUE);
  io::CallDriver(top, irp).Ignore();  // the IRP's own status counts
  ke::WaitFor(&event);
  *mdl = irp->MdlAddress;
  irp->MdlAddress = nullptr;
  *io_status = irp->IoStatus;
  io::FreeIrp(irp);
  return io_status->Status;
}

}  // namespace

bool MdlReadDev(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device) {
  static_cast<void>(device);
  if (length == 0) {
    io_status->Status = STATUS_SUCCESS;
    io_status->Information = 0;
    return true;
  }
  const LONGLONG start = offset->QuadPart;
  LONGLONG end;
  if (start < 0 || __builtin_add_overflow(start, static_cast<LONGLONG>(length), &end)) {
    io_status->Status = STATUS_INVALID_PARAMETER;
    io_status->Information = 0;
    return false;
  }
  auto* const header = HeaderOf(file);
  if (!header) return false;
  FileResourceScope scope;
  scope.AcquireShared(header->Resource, true);
  if (!file->PrivateCacheMap || header->IsFastIoPossible == FastIoIsNotPossible) return false;
  if (header->IsFastIoPossible == FastIoIsQuestionable &&
      !IsFastIoAllowed(file, start, length, lock_key, Direction::kRead, io_status))
    return false;
  const LONGLONG file_size = LoadSize(header->FileSize);
  if (start >= file_size) {
    io_status->Status = STATUS_END_OF_FILE;
    io_status->Information = 0;
    return true;
  }
  if (end > file_size) length = static_cast<ULONG>(file_size - start);

  const PMDL before = *mdl_chain;
  FastIoMarker marker;
  try {
    LARGE_INTEGER where;
    where.QuadPart = start;
    cc::MdlRead(file, &where, length, mdl_chain, io_status);
  } catch (const SehException& exception) {
    if (!before && *mdl_chain) {  // pages that were locked before the failure
      cc::MdlReadComplete(file, *mdl_chain);
      *mdl_chain = nullptr;
    }
    if (!IsNtstatusExpected(exception.code())) throw;
    return false;
  }
  SetFileObjectFlags(file, FO_FILE_FAST_IO_READ);
  return true;
}

bool MdlReadCompleteDev(PFILE_OBJECT file, PMDL mdl_chain, PDEVICE_OBJECT device) {
  static_cast<void>(device);
  cc::MdlReadComplete(file, mdl_chain);
  return true;
}

bool PrepareMdlWriteDev(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                        PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device) {
  static_cast<void>(device);
  if ((file->Flags & FO_WRITE_THROUGH) || !cc::CanIWrite(file, length, true, false)) return false;
  io_status->Status = STATUS_SUCCESS;
  io_status->Information = 0;
  if (length == 0) return true;
  WriteRange range(file);
  if (!range.Acquire(offset, length, true, lock_key, io_status)) return false;
  FastIoMarker marker;
  try {
    range.ZeroHole(true);
    LARGE_INTEGER where;
    where.QuadPart = range.start();
    cc::PrepareMdlWrite(file, &where, length, mdl_chain, io_status);
  } catch (const SehException& exception) {
    if (!IsNtstatusExpected(exception.code())) throw;
    return false;
  }
  range.Commit(MovePosition::kNo);
  return true;
}

bool MdlWriteCompleteDev(PFILE_OBJECT file, PLARGE_INTEGER offset, PMDL mdl_chain, PDEVICE_OBJECT device) {
  static_cast<void>(device);
  // A write-through file's completion flushes; that is for an IRP.
  if (file->Flags & FO_WRITE_THROUGH) return false;
  cc::MdlWriteComplete(file, offset, mdl_chain);
  return true;
}

bool MdlRead(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
             PIO_STATUS_BLOCK io_status) {
  return ByStack<&FAST_IO_DISPATCH::MdlRead>(
      file,
      [&](PDEVICE_OBJECT top) { return MdlReadDev(file, offset, length, lock_key, mdl_chain, io_status, top); }, file,
      offset, length, lock_key, mdl_chain, io_status);
}

bool MdlReadComplete(PFILE_OBJECT file, PMDL mdl_chain) {
  return ByStack<&FAST_IO_DISPATCH::MdlReadComplete>(
      file, [&](PDEVICE_OBJECT top) { return MdlReadCompleteDev(file, mdl_chain, top); }, file, mdl_chain);
}

bool PrepareMdlWrite(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                     PIO_STATUS_BLOCK io_status) {
  return ByStack<&FAST_IO_DISPATCH::PrepareMdlWrite>(
      file,
      [&](PDEVICE_OBJECT top) { return PrepareMdlWriteDev(file, offset, length, lock_key, mdl_chain, io_status, top); },
      file, offset, length, lock_key, mdl_chain, io_status);
}

bool MdlWriteComplete(PFILE_OBJECT file, PLARGE_INTEGER offset, PMDL mdl_chain) {
  return ByStack<&FAST_IO_DISPATCH::MdlWriteComplete>(
      file, [&](PDEVICE_OBJECT top) { return MdlWriteCompleteDev(file, offset, mdl_chain, top); }, file, offset,
      mdl_chain);
}

Status MdlReadEx(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                 PIO_STATUS_BLOCK io_status) {
  if (*mdl_chain) return STATUS_INVALID_PARAMETER;
  if (MdlRead(file, offset, length, lock_key, mdl_chain, io_status)) return io_status->Status;
  return MdlIrp(file, IRP_MJ_READ, IRP_MN_MDL, offset->QuadPart, length, lock_key, mdl_chain, io_status);
}

Status PrepareMdlWriteEx(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                         PIO_STATUS_BLOCK io_status) {
  if (*mdl_chain) return STATUS_INVALID_PARAMETER;
  if (PrepareMdlWrite(file, offset, length, lock_key, mdl_chain, io_status)) return io_status->Status;
  return MdlIrp(file, IRP_MJ_WRITE, IRP_MN_MDL, offset->QuadPart, length, lock_key, mdl_chain, io_status);
}

}  // namespace nt::fsrtl
