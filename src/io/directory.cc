// NtQueryDirectoryFile(Ex) and NtNotifyChangeDirectoryFile.
#include <cstring>

#include "src/io/internal.h"

namespace nt::io {
namespace {

/// The fixed part of an entry; 0: not a class of directories.
ULONG FixedBytes(FILE_INFORMATION_CLASS information_class) {
  switch (information_class) {
    case FileDirectoryInformation: return sizeof(FILE_DIRECTORY_INFORMATION);
    case FileFullDirectoryInformation: return sizeof(FILE_FULL_DIR_INFORMATION);
    case FileBothDirectoryInformation: return sizeof(FILE_BOTH_DIR_INFORMATION);
    case FileNamesInformation: return sizeof(FILE_NAMES_INFORMATION);
    case FileIdBothDirectoryInformation: return sizeof(FILE_ID_BOTH_DIR_INFORMATION);
    case FileIdFullDirectoryInformation: return sizeof(FILE_ID_FULL_DIR_INFORMATION);
    case FileIdExtdDirectoryInformation: return sizeof(FILE_ID_EXTD_DIR_INFORMATION);
    case FileIdExtdBothDirectoryInformation: return sizeof(FILE_ID_EXTD_BOTH_DIR_INFORMATION);
    case FileIdGlobalTxDirectoryInformation: return sizeof(FILE_ID_GLOBAL_TX_DIR_INFORMATION);
    case FileObjectIdInformation: return sizeof(FILE_OBJECTID_INFORMATION);
    case FileQuotaInformation: return sizeof(FILE_QUOTA_INFORMATION);
    case FileReparsePointInformation: return sizeof(FILE_REPARSE_POINT_INFORMATION);
    default: return 0;
  }
}

/// A copy in one block: the UNICODE_STRING, then its characters.
Status CopyPattern(const UNICODE_STRING* pattern, IRP* irp) {
  if (!pattern) return STATUS_SUCCESS;
  return Guarded([&]() -> Status {
    const UNICODE_STRING from = ldr::ReadUser(pattern);
    if (from.Length == 0) return STATUS_SUCCESS;
    if (from.Length & 1) return STATUS_INVALID_PARAMETER;
    auto* block = static_cast<char*>(ex::AllocatePool(PagedPool, sizeof(UNICODE_STRING) + from.Length, 'daPI'));
    if (!block) return STATUS_INSUFFICIENT_RESOURCES;
    irp->Tail.Overlay.AuxiliaryBuffer = block;  // freed with the IRP
    auto* copy = reinterpret_cast<UNICODE_STRING*>(block);
    copy->Buffer = reinterpret_cast<WCHAR*>(copy + 1);
    copy->Length = copy->MaximumLength = from.Length;
    ldr::CopyFromUser(copy->Buffer, from.Buffer, from.Length);
    return STATUS_SUCCESS;
  });
}

}  // namespace

Status NtQueryDirectoryFileEx(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                              void* buffer, ULONG length, FILE_INFORMATION_CLASS information_class, ULONG flags,
                              UNICODE_STRING* pattern) {
  const KPROCESSOR_MODE mode = PreviousMode();
  const ULONG fixed = FixedBytes(information_class);
  if (fixed == 0) return STATUS_INVALID_INFO_CLASS;
  if (length < fixed) return STATUS_INFO_LENGTH_MISMATCH;
  if (flags & ~static_cast<ULONG>(SL_QUERY_DIRECTORY_MASK)) return STATUS_INVALID_PARAMETER;
  if (mode != KernelMode)
    NT_TRY(Guarded([&] {
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
      ldr::ProbeForWrite(buffer, length, information_class == FileNamesInformation ? 4 : 8);
    }));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, FILE_LIST_DIRECTORY, mode, &file));
  AsyncParameters parameters{event, apc, apc_context, iosb, mode, {}};
  NT_TRY(parameters.Prepare(file.get()));
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  IRP* irp = NewFileIrp(file.get(), top, IRP_MJ_DIRECTORY_CONTROL, IRP_MN_QUERY_DIRECTORY);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  Status status = CopyPattern(pattern, irp);
  if (status.ok()) status = SetTransferBuffer(irp, top, buffer, length, true);
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->Flags = static_cast<UCHAR>(flags);
  location->Parameters.QueryDirectory.Length = length;
  location->Parameters.QueryDirectory.FileName = reinterpret_cast<UNICODE_STRING*>(irp->Tail.Overlay.AuxiliaryBuffer);
  location->Parameters.QueryDirectory.FileInformationClass = information_class;
  return SendRequest(file.get(), top, irp, parameters, lock.synchronous());
}

Status NtQueryDirectoryFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                            void* buffer, ULONG length, FILE_INFORMATION_CLASS information_class, bool single_entry,
                            UNICODE_STRING* pattern, bool restart) {
  return io::NtQueryDirectoryFileEx(handle, event, apc, apc_context, iosb, buffer, length, information_class,
                                    (single_entry ? SL_RETURN_SINGLE_ENTRY : 0) | (restart ? SL_RESTART_SCAN : 0), pattern);
}

Status NtNotifyChangeDirectoryFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context,
                                   IO_STATUS_BLOCK* iosb, void* buffer, ULONG length, ULONG filter, bool watch_tree) {
  const KPROCESSOR_MODE mode = PreviousMode();
  if (filter == 0 || (filter & ~static_cast<ULONG>(FILE_NOTIFY_VALID_MASK))) return STATUS_INVALID_PARAMETER;
  if (mode != KernelMode)
    NT_TRY(Guarded([&] {
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
      ldr::ProbeForWrite(buffer, length, 4);
    }));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, FILE_LIST_DIRECTORY, mode, &file));
  AsyncParameters parameters{event, apc, apc_context, iosb, mode, {}};
  NT_TRY(parameters.Prepare(file.get()));
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  IRP* irp = NewFileIrp(file.get(), top, IRP_MJ_DIRECTORY_CONTROL, IRP_MN_NOTIFY_CHANGE_DIRECTORY);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  Status status = SetTransferBuffer(irp, top, buffer, length, true);
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  IO_STACK_LOCATION* location = NextLocation(irp);
  if (watch_tree) location->Flags = SL_WATCH_TREE;
  location->Parameters.NotifyDirectory.Length = length;
  location->Parameters.NotifyDirectory.CompletionFilter = filter;
  return SendRequest(file.get(), top, irp, parameters, lock.synchronous());
}

}  // namespace nt::io
