// Extended attributes and security descriptors of an open file.
#include <cstring>

#include "src/io/internal.h"

namespace nt::io {

Status NtQueryEaFile(HANDLE handle, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length, bool single_entry, void* ea_list,
                     ULONG ea_list_length, ULONG* ea_index, bool restart) {
  const KPROCESSOR_MODE mode = PreviousMode();
  ULONG index = 0;
  NT_TRY(Guarded([&] {
    if (mode != KernelMode) {
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
      ldr::ProbeForWrite(buffer, length, 4);
    }
    if (ea_index) index = ldr::ReadUser(ea_index);
  }));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, FILE_READ_EA, mode, &file));
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  NoteFastIo(false);
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  IRP* irp = NewFileIrp(file.get(), top, IRP_MJ_QUERY_EA);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  IO_STACK_LOCATION* location = NextLocation(irp);
  Status status = STATUS_SUCCESS;
  if (ea_list && ea_list_length) {
    auto* copy = static_cast<char*>(ex::AllocatePool(NonPagedPoolNx, ea_list_length, ' aEI'));
    status = copy ? Guarded([&] { ldr::CopyFromUser(copy, ea_list, ea_list_length); })
                  : Status(STATUS_INSUFFICIENT_RESOURCES);
    irp->Tail.Overlay.AuxiliaryBuffer = copy;
    location->Parameters.QueryEa.EaList = copy;
    location->Parameters.QueryEa.EaListLength = ea_list_length;
  }
  if (status.ok()) status = SetTransferBuffer(irp, top, buffer, length, true);
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  location->Parameters.QueryEa.Length = length;
  location->Parameters.QueryEa.EaIndex = index;
  location->Flags = static_cast<UCHAR>((restart ? SL_RESTART_SCAN : 0) | (single_entry ? SL_RETURN_SINGLE_ENTRY : 0) |
                                       (ea_index ? SL_INDEX_SPECIFIED : 0));
  IO_STATUS_BLOCK result;
  bool written = false;
  status = SendAndWait(top, irp, &result, &written);
  if (written) NT_TRY(Guarded([&] { ldr::WriteUser(iosb, result); }));
  return status;
}

Status NtSetEaFile(HANDLE handle, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length) {
  const KPROCESSOR_MODE mode = PreviousMode();
  if (mode != KernelMode)
    NT_TRY(Guarded([&] {
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
      ldr::ProbeForRead(buffer, length, 4);
    }));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, FILE_WRITE_EA, mode, &file));
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  NoteFastIo(false);
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  IRP* irp = NewFileIrp(file.get(), top, IRP_MJ_SET_EA);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  // Checked on a copy, so that what the driver gets through SystemBuffer is what was checked.
  Status status = STATUS_SUCCESS;
  ULONG error_offset = 0;
  if (length) {
    auto* copy = static_cast<char*>(ex::AllocatePool(NonPagedPoolNx, length, ' aEI'));
    status = copy ? Guarded([&] { ldr::CopyFromUser(copy, buffer, length); }) : Status(STATUS_INSUFFICIENT_RESOURCES);
    if (status.ok()) status = CheckEaBufferValidity(reinterpret_cast<FILE_FULL_EA_INFORMATION*>(copy), length, &error_offset);
    if (copy && status.ok() && (top->Flags & DO_BUFFERED_IO)) {
      irp->AssociatedIrp.SystemBuffer = copy;
      irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    } else if (copy) {
      ex::FreePool(copy);
    }
    if (status == STATUS_EA_LIST_INCONSISTENT) {
      FreeIrp(irp);
      IO_STATUS_BLOCK result{};
      result.Status = status;
      result.Information = error_offset;
      NT_TRY(Guarded([&] { ldr::WriteUser(iosb, result); }));
      return status;
    }
    if (status.ok() && !(top->Flags & DO_BUFFERED_IO)) status = SetTransferBuffer(irp, top, buffer, length, false);
  }
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  NextLocation(irp)->Parameters.SetEa.Length = length;
  IO_STATUS_BLOCK result;
  bool written = false;
  status = SendAndWait(top, irp, &result, &written);
  if (written) NT_TRY(Guarded([&] { ldr::WriteUser(iosb, result); }));
  return status;
}

Status QueryFileSecurity(FILE_OBJECT* file, SECURITY_INFORMATION information, void* descriptor, ULONG length,
                         ULONG* needed) {
  FileLock lock(file);
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file);
  IRP* irp = NewFileIrp(file, top, IRP_MJ_QUERY_SECURITY);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  irp->UserBuffer = descriptor;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->Parameters.QuerySecurity.SecurityInformation = information;
  location->Parameters.QuerySecurity.Length = length;
  IO_STATUS_BLOCK result;
  Status status = SendAndWait(top, irp, &result);
  if (status == STATUS_BUFFER_OVERFLOW) status = STATUS_BUFFER_TOO_SMALL;  // as NtQuerySecurityObject says it
  if (needed) *needed = static_cast<ULONG>(result.Information);
  return status;
}

Status SetFileSecurity(FILE_OBJECT* file, SECURITY_INFORMATION information, void* descriptor) {
  FileLock lock(file);
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file);
  IRP* irp = NewFileIrp(file, top, IRP_MJ_SET_SECURITY);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->Parameters.SetSecurity.SecurityInformation = information;
  location->Parameters.SetSecurity.SecurityDescriptor = descriptor;
  IO_STATUS_BLOCK result;
  return SendAndWait(top, irp, &result);
}

}  // namespace nt::io
