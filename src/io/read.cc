// NtReadFile: parameters in NT's order, then fast I/O for a synchronous handle of a cached file, else an IRP.
//
// The fast path makes no system call, allocates nothing, and takes no lock but the handle's entry and the file object's.
#include "src/io/internal.h"

namespace nt::io {
namespace {

constexpr LONGLONG kUseFilePointer = -2;  // FILE_USE_FILE_POINTER_POSITION, -1

struct ReadCall {
  void* buffer;
  ULONG length;
  LARGE_INTEGER offset;
  bool has_offset;
  ULONG key;
  IO_STATUS_BLOCK* iosb;
};

Status CheckUnbuffered(FILE_OBJECT* file, DEVICE_OBJECT* top, const ReadCall& call) {
  const ULONG sector = file->DeviceObject->SectorSize ? file->DeviceObject->SectorSize : top->SectorSize;
  if (sector && (call.length % sector || (call.has_offset && call.offset.QuadPart != kUseFilePointer &&
                                          call.offset.QuadPart % sector)))
    return STATUS_INVALID_PARAMETER;
  if (reinterpret_cast<ULONG_PTR>(call.buffer) & top->AlignmentRequirement) return STATUS_INVALID_PARAMETER;
  return STATUS_SUCCESS;
}

Status SendRead(FILE_OBJECT* file, DEVICE_OBJECT* top, const ReadCall& call, AsyncParameters& parameters,
                bool synchronous) {
  IRP* irp = NewFileIrp(file, top, IRP_MJ_READ);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  irp->Flags = IRP_READ_OPERATION;
  if (file->Flags & FO_NO_INTERMEDIATE_BUFFERING) irp->Flags |= IRP_NOCACHE;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->Parameters.Read.Length = call.length;
  location->Parameters.Read.ByteOffset = call.offset;
  location->Parameters.Read.Key = call.key;
  Status status = SetTransferBuffer(irp, top, call.buffer, call.length, true);
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  return SendRequest(file, top, irp, parameters, synchronous);
}

}  // namespace

Status NtReadFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb, void* buffer,
                  ULONG length, LARGE_INTEGER* offset, ULONG* key) {
  const KPROCESSOR_MODE mode = PreviousMode();
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, FILE_READ_DATA, mode, &file));
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  ReadCall call{buffer, length, {}, offset != nullptr, 0, iosb};
  if (mode != KernelMode) {
    NT_TRY(Guarded([&] {
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
      ldr::ProbeForWrite(buffer, length, 1);
      if (offset) {
        ldr::ProbeForRead(offset, sizeof *offset, 1);
        call.offset = ldr::ReadUser(offset);
      }
      if (key) {
        ldr::ProbeForRead(key, sizeof *key, 1);
        call.key = ldr::ReadUser(key);
      }
    }));
    if (apc && file->CompletionContext) return STATUS_INVALID_PARAMETER;
    if (file->Flags & FO_NO_INTERMEDIATE_BUFFERING) NT_TRY(CheckUnbuffered(file.get(), top, call));
  } else {
    if (offset) call.offset = *offset;
    if (key) call.key = *key;
  }
  if (call.offset.QuadPart < 0 && call.offset.QuadPart != kUseFilePointer) return STATUS_INVALID_PARAMETER;
  AsyncParameters parameters{event, apc, apc_context, iosb, mode, {}};
  if (event) NT_TRY(parameters.Prepare(file.get()));

  if (!(file->Flags & FO_SYNCHRONOUS_IO)) {
    if (!(file->Flags & (FO_NAMED_PIPE | FO_MAILSLOT)) &&
        (!call.has_offset || call.offset.QuadPart == kUseFilePointer))
      return STATUS_INVALID_PARAMETER;
    return SendRead(file.get(), top, call, parameters, false);
  }

  FileLock lock(file.get());
  if (!lock.synchronous()) return lock.status();
  if (!call.has_offset || call.offset.QuadPart == kUseFilePointer) call.offset = file->CurrentByteOffset;
  if (file->PrivateCacheMap) {
    if (auto* fast = FastIoEntry<&FAST_IO_DISPATCH::FastIoRead>(top)) {
      IO_STATUS_BLOCK result;
      result.Information = 0;
      if (CallFastIo<&FAST_IO_DISPATCH::FastIoRead>(fast, file.get(), &call.offset, length, static_cast<BOOLEAN>(TRUE),
                                                    call.key, buffer, &result, top) &&
          (result.Status == STATUS_SUCCESS || result.Status == STATUS_BUFFER_OVERFLOW ||
           result.Status == STATUS_END_OF_FILE)) {
        NoteFastIo(true);
        const NTSTATUS status = result.Status;
        Status written = Guarded([&] { ldr::WriteUser(iosb, result); });
        if (!written.ok()) return written;
        parameters.TellFast(file.get());
        return status;
      }
    }
  }
  return SendRead(file.get(), top, call, parameters, true);
}

}  // namespace nt::io
