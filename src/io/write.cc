// NtWriteFile: as NtReadFile, with the two special offsets and the append-only handle.
#include "src/io/internal.h"

namespace nt::io {
namespace {

constexpr LONGLONG kUseFilePointer = -2;  // FILE_USE_FILE_POINTER_POSITION, -1
constexpr LONGLONG kEndOfFile = -1;       // FILE_WRITE_TO_END_OF_FILE, -1

struct WriteCall {
  void* buffer;
  ULONG length;
  LARGE_INTEGER offset;
  bool has_offset;
  ULONG key;
};

Status CheckUnbuffered(FILE_OBJECT* file, DEVICE_OBJECT* top, const WriteCall& call) {
  const ULONG sector = file->DeviceObject->SectorSize ? file->DeviceObject->SectorSize : top->SectorSize;
  const LONGLONG offset = call.offset.QuadPart;
  const bool special = !call.has_offset || offset == kUseFilePointer || offset == kEndOfFile;
  if (sector && (call.length % sector || (!special && offset % sector))) return STATUS_INVALID_PARAMETER;
  if (reinterpret_cast<ULONG_PTR>(call.buffer) & top->AlignmentRequirement) return STATUS_INVALID_PARAMETER;
  return STATUS_SUCCESS;
}

Status SendWrite(FILE_OBJECT* file, DEVICE_OBJECT* top, const WriteCall& call, AsyncParameters& parameters,
                 bool synchronous) {
  IRP* irp = NewFileIrp(file, top, IRP_MJ_WRITE);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  irp->Flags = IRP_WRITE_OPERATION;
  if (file->Flags & FO_NO_INTERMEDIATE_BUFFERING) irp->Flags |= IRP_NOCACHE;
  IO_STACK_LOCATION* location = NextLocation(irp);
  if (file->Flags & FO_WRITE_THROUGH) location->Flags |= SL_WRITE_THROUGH;
  location->Parameters.Write.Length = call.length;
  location->Parameters.Write.ByteOffset = call.offset;
  location->Parameters.Write.Key = call.key;
  Status status = SetTransferBuffer(irp, top, call.buffer, call.length, false);
  if (!status.ok()) {
    AbandonIrp(irp);
    return status;
  }
  return SendRequest(file, top, irp, parameters, synchronous);
}

}  // namespace

Status NtWriteFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                   void* buffer, ULONG length, LARGE_INTEGER* offset, ULONG* key) {
  const KPROCESSOR_MODE mode = PreviousMode();
  Ref<FILE_OBJECT> file;
  OBJECT_HANDLE_INFORMATION information;
  NT_TRY(ReferenceFile(handle, 0, mode, &file, &information));
  const bool pipe = (file->Flags & FO_NAMED_PIPE) != 0;
  const ACCESS_MASK needed = pipe ? FILE_WRITE_DATA : FILE_WRITE_DATA | FILE_APPEND_DATA;
  if (mode != KernelMode && !(information.GrantedAccess & needed)) return STATUS_ACCESS_DENIED;
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  WriteCall call{buffer, length, {}, offset != nullptr, 0};
  if (mode != KernelMode) {
    NT_TRY(Guarded([&] {
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
      ldr::ProbeForRead(buffer, length, 1);
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
  if (call.offset.QuadPart < kUseFilePointer) return STATUS_INVALID_PARAMETER;
  const bool append_only = (information.GrantedAccess & (FILE_WRITE_DATA | FILE_APPEND_DATA)) == FILE_APPEND_DATA && !pipe;
  AsyncParameters parameters{event, apc, apc_context, iosb, mode, {}};
  if (event) NT_TRY(parameters.Prepare(file.get()));

  if (!(file->Flags & FO_SYNCHRONOUS_IO)) {
    if (append_only) {
      call.offset.QuadPart = kEndOfFile;
    } else if (!(file->Flags & (FO_NAMED_PIPE | FO_MAILSLOT)) &&
               (!call.has_offset || call.offset.QuadPart == kUseFilePointer)) {
      return STATUS_INVALID_PARAMETER;
    }
    return SendWrite(file.get(), top, call, parameters, false);
  }

  FileLock lock(file.get());
  if (!lock.synchronous()) return lock.status();
  if (append_only)
    call.offset.QuadPart = kEndOfFile;
  else if (!call.has_offset || call.offset.QuadPart == kUseFilePointer)
    call.offset = file->CurrentByteOffset;
  if (file->PrivateCacheMap) {
    if (auto* fast = FastIoEntry<&FAST_IO_DISPATCH::FastIoWrite>(top)) {
      IO_STATUS_BLOCK result;
      result.Information = 0;
      if (CallFastIo<&FAST_IO_DISPATCH::FastIoWrite>(fast, file.get(), &call.offset, length, static_cast<BOOLEAN>(TRUE),
                                                     call.key, buffer, &result, top) &&
          result.Status == STATUS_SUCCESS) {
        NoteFastIo(true);
        Status written = Guarded([&] { ldr::WriteUser(iosb, result); });
        if (!written.ok()) return written;
        parameters.TellFast(file.get());
        return STATUS_SUCCESS;
      }
    }
  }
  return SendWrite(file.get(), top, call, parameters, true);
}

}  // namespace nt::io
