// NtDeviceIoControlFile and NtFsControlFile: the access bits of the code, the three kinds of buffers, and fast I/O for device
// control (never for file-system control).
#include "src/io/internal.h"
#include "src/mm/mm.h"

namespace nt::io {
namespace {

struct Control {
  ULONG code;
  void* input;
  ULONG input_length;
  void* output;
  ULONG output_length;
};

Status Probe(const Control& control, IO_STATUS_BLOCK* iosb) {
  return Guarded([&] {
    ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
    const ULONG method = control.code & 3;
    if (method == METHOD_NEITHER) return;
    if (control.input_length) ldr::ProbeForRead(control.input, control.input_length, 1);
    if (control.output_length && method == METHOD_BUFFERED) ldr::ProbeForWrite(control.output, control.output_length, 1);
  });
}

Status SetBuffers(IRP* irp, IO_STACK_LOCATION* location, const Control& control) {
  location->Parameters.DeviceIoControl.OutputBufferLength = control.output_length;
  location->Parameters.DeviceIoControl.InputBufferLength = control.input_length;
  location->Parameters.DeviceIoControl.IoControlCode = control.code;
  const ULONG method = control.code & 3;
  if (method == METHOD_NEITHER) {
    irp->UserBuffer = control.output;
    location->Parameters.DeviceIoControl.Type3InputBuffer = control.input;
    return STATUS_SUCCESS;
  }
  const ULONG bytes = method == METHOD_BUFFERED && control.output_length > control.input_length ? control.output_length
                                                                                               : control.input_length;
  if (bytes) {
    irp->AssociatedIrp.SystemBuffer = ex::AllocatePool(NonPagedPoolNx, bytes, 'sysI');
    if (!irp->AssociatedIrp.SystemBuffer) return STATUS_INSUFFICIENT_RESOURCES;
    irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    if (control.input_length)
      NT_TRY(Guarded([&] { ldr::CopyFromUser(irp->AssociatedIrp.SystemBuffer, control.input, control.input_length); }));
    if (method == METHOD_BUFFERED) {
      irp->UserBuffer = control.output;
      if (control.output_length) irp->Flags |= IRP_INPUT_OPERATION;
    }
  }
  if (method == METHOD_BUFFERED || control.output_length == 0) return STATUS_SUCCESS;
  MDL* mdl = AllocateMdl(control.output, control.output_length, false, true, irp);
  if (!mdl) return STATUS_INSUFFICIENT_RESOURCES;
  return Guarded([&] {
    mm::ProbeAndLockPages(mdl, irp->RequestorMode, method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
  });
}

Status ControlFile(UCHAR major, HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context,
                   IO_STATUS_BLOCK* iosb, const Control& control) {
  const KPROCESSOR_MODE mode = PreviousMode();
  if (mode != KernelMode) NT_TRY(Probe(control, iosb));
  Ref<FILE_OBJECT> file;
  OBJECT_HANDLE_INFORMATION information;
  NT_TRY(ReferenceFile(handle, 0, mode, &file, &information));
  if (mode != KernelMode) {
    const ULONG needed = control.code >> 14 & 3;
    if (((needed & FILE_READ_ACCESS) && !(information.GrantedAccess & FILE_READ_DATA)) ||
        ((needed & FILE_WRITE_ACCESS) && !(information.GrantedAccess & FILE_WRITE_DATA)))
      return STATUS_ACCESS_DENIED;
  }
  AsyncParameters parameters{event, apc, apc_context, iosb, mode, {}};
  NT_TRY(parameters.Prepare(file.get()));
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  if (major == IRP_MJ_DEVICE_CONTROL && !apc) {
    if (auto* fast = FastIoEntry<&FAST_IO_DISPATCH::FastIoDeviceControl>(top)) {
      IO_STATUS_BLOCK result{};
      if (CallFastIo<&FAST_IO_DISPATCH::FastIoDeviceControl>(fast, file.get(), static_cast<BOOLEAN>(TRUE), control.input,
                                                             control.input_length, control.output, control.output_length,
                                                             control.code, &result, top)) {
        NoteFastIo(true);
        parameters.FinishFast(file.get(), result);
        return result.Status;
      }
    }
  }
  IRP* irp = NewFileIrp(file.get(), top, major);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  IO_STACK_LOCATION* location = NextLocation(irp);
  if (information.GrantedAccess & FILE_READ_DATA) location->Flags |= SL_READ_ACCESS_GRANTED;
  if (information.GrantedAccess & FILE_WRITE_DATA) location->Flags |= SL_WRITE_ACCESS_GRANTED;
  Status status = SetBuffers(irp, location, control);
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  return SendRequest(file.get(), top, irp, parameters, lock.synchronous());
}

}  // namespace

Status NtDeviceIoControlFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                             ULONG code, void* input, ULONG input_length, void* output, ULONG output_length) {
  return ControlFile(IRP_MJ_DEVICE_CONTROL, handle, event, apc, apc_context, iosb,
                     {code, input, input_length, output, output_length});
}

Status NtFsControlFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                       ULONG code, void* input, ULONG input_length, void* output, ULONG output_length) {
  return ControlFile(IRP_MJ_FILE_SYSTEM_CONTROL, handle, event, apc, apc_context, iosb,
                     {code, input, input_length, output, output_length});
}

}  // namespace nt::io
