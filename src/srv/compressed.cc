// Compressed transfers: FastIoReadCompressed and FastIoWriteCompressed, in a buffer or by MDL, then IRP_MN_COMPRESSED.
//
// The fast entries are those of the topmost device alone: FsRtl has no helper that would stand in for a file system.
#include "src/srv/compressed.h"

#include "src/io/io.h"
#include "src/srv/request.h"

namespace nt::srv {
namespace {

struct Call {
  FILE_OBJECT* file;
  LARGE_INTEGER offset;
  ULONG length;
  ULONG lock_key;
  void* buffer;  // nullptr: by MDL
  COMPRESSED_DATA_INFO* info;
  ULONG info_bytes;
  bool write;
};

template <auto kEntry>
bool TryEntry(Call& call, MDL** chain, IO_STATUS_BLOCK* iosb) {
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(call.file);
  auto* entry = io::FastIoEntry<kEntry>(top);
  return entry && Fast([&] {
           return io::CallFastIo<kEntry>(entry, call.file, &call.offset, call.length, call.lock_key, call.buffer, chain,
                                         iosb, call.info, call.info_bytes, top) != 0;
         });
}

/// @returns the driver's status. @param chain  what a transfer by MDL lends
Status Transfer(Call call, MDL** chain, IO_STATUS_BLOCK* iosb, Route* route) {
  *chain = nullptr;
  *iosb = {};
  const bool answered = call.write ? TryEntry<&FAST_IO_DISPATCH::FastIoWriteCompressed>(call, chain, iosb)
                                   : TryEntry<&FAST_IO_DISPATCH::FastIoReadCompressed>(call, chain, iosb);
  if (answered) {
    *route = Route::kFastIo;
    return iosb->Status;
  }
  *route = Route::kIrp;
  *chain = nullptr;
  UCHAR minor = IRP_MN_COMPRESSED;
  if (!call.buffer) minor |= IRP_MN_MDL;
  Request request(call.file, call.write ? IRP_MJ_WRITE : IRP_MJ_READ, minor);
  if (!request) return iosb->Status = STATUS_INSUFFICIENT_RESOURCES;
  FSRTL_AUXILIARY_BUFFER auxiliary{};
  auxiliary.Buffer = call.info;
  auxiliary.Length = call.info_bytes;
  request.irp()->Tail.Overlay.AuxiliaryBuffer = reinterpret_cast<char*>(&auxiliary);
  request.irp()->UserBuffer = call.buffer;
  auto& parameters = request.location()->Parameters.Read;
  parameters.Length = call.length;
  parameters.Key = call.lock_key;
  parameters.ByteOffset = call.offset;
  const Status status = request.Send(iosb);
  if (!call.buffer) *chain = request.irp()->MdlAddress;
  return status;
}

Status ByMdl(const Call& call, MdlTransfer* transfer) {
  *transfer = {};
  transfer->file = call.file;
  transfer->offset = call.offset;
  transfer->write = call.write;
  transfer->compressed = true;
  return Transfer(call, &transfer->chain, &transfer->iosb, &transfer->begun);
}

LARGE_INTEGER At(LONGLONG offset) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  return at;
}

}  // namespace

bool CompleteCompressedFast(MdlTransfer* transfer) {
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(transfer->file);
  if (transfer->write) {
    auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::MdlWriteCompleteCompressed>(top);
    return entry && io::CallFastIo<&FAST_IO_DISPATCH::MdlWriteCompleteCompressed>(
                        entry, transfer->file, &transfer->offset, transfer->chain, top);
  }
  auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::MdlReadCompleteCompressed>(top);
  return entry &&
         io::CallFastIo<&FAST_IO_DISPATCH::MdlReadCompleteCompressed>(entry, transfer->file, transfer->chain, top);
}

Status MdlReadCompressed(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, COMPRESSED_DATA_INFO* info,
                         ULONG info_bytes, MdlTransfer* transfer) {
  return ByMdl({file, At(offset), length, lock_key, nullptr, info, info_bytes, false}, transfer);
}

Status MdlWriteCompressed(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, COMPRESSED_DATA_INFO* info,
                          ULONG info_bytes, MdlTransfer* transfer) {
  return ByMdl({file, At(offset), length, lock_key, nullptr, info, info_bytes, true}, transfer);
}

Status ReadCompressed(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, void* buffer,
                      COMPRESSED_DATA_INFO* info, ULONG info_bytes, IO_STATUS_BLOCK* iosb, Route* route) {
  MDL* none;
  return Transfer({file, At(offset), length, lock_key, buffer, info, info_bytes, false}, &none, iosb, route);
}

Status WriteCompressed(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, const void* buffer,
                       COMPRESSED_DATA_INFO* info, ULONG info_bytes, IO_STATUS_BLOCK* iosb, Route* route) {
  MDL* none;
  return Transfer({file, At(offset), length, lock_key, const_cast<void*>(buffer), info, info_bytes, true}, &none, iosb,
                  route);
}

}  // namespace nt::srv
