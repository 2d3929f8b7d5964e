// MDL transfers: the pages of the cache, lent by the file system and given back.
#include "src/fsrtl/fsrtl.h"
#include "src/io/io.h"
#include "src/srv/compressed.h"
#include "src/srv/request.h"

namespace nt::srv {
namespace {

MdlTransfer Begin(FILE_OBJECT* file, LONGLONG offset, bool write) {
  MdlTransfer transfer;
  transfer.file = file;
  transfer.offset.QuadPart = offset;
  transfer.write = write;
  return transfer;
}

/// IRP_MN_MDL: unlike the fast call it may start caching.
Status BeginByIrp(MdlTransfer* transfer, ULONG length, ULONG lock_key) {
  transfer->begun = Route::kIrp;
  Request request(transfer->file, transfer->write ? IRP_MJ_WRITE : IRP_MJ_READ, IRP_MN_MDL);
  if (!request) return transfer->iosb.Status = STATUS_INSUFFICIENT_RESOURCES;
  auto& parameters = request.location()->Parameters.Read;  // Write has the same members at the same places
  parameters.Length = length;
  parameters.Key = lock_key;
  parameters.ByteOffset = transfer->offset;
  const Status status = request.Send(&transfer->iosb);
  transfer->chain = request.irp()->MdlAddress;
  return status;
}

Status CompleteByIrp(MdlTransfer* transfer) {
  transfer->finished = Route::kIrp;
  UCHAR minor = IRP_MN_COMPLETE_MDL;
  if (transfer->compressed) minor |= IRP_MN_COMPRESSED;
  Request request(transfer->file, transfer->write ? IRP_MJ_WRITE : IRP_MJ_READ, minor);
  if (!request) return STATUS_INSUFFICIENT_RESOURCES;
  request.irp()->MdlAddress = transfer->chain;
  auto& parameters = request.location()->Parameters.Read;
  parameters.Length = static_cast<ULONG>(transfer->iosb.Information);
  parameters.ByteOffset = transfer->offset;
  IO_STATUS_BLOCK iosb{};
  const Status status = request.Send(&iosb);
  transfer->chain = request.irp()->MdlAddress;
  return status;
}

bool CompleteFast(MdlTransfer* transfer) {
  return Fast([&] {
    if (transfer->compressed) return CompleteCompressedFast(transfer);
    return transfer->write ? fsrtl::MdlWriteComplete(transfer->file, &transfer->offset, transfer->chain)
                           : fsrtl::MdlReadComplete(transfer->file, transfer->chain);
  });
}

}  // namespace

Status MdlRead(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, MdlTransfer* transfer) {
  *transfer = Begin(file, offset, false);
  if (Fast([&] {
        return fsrtl::MdlRead(file, &transfer->offset, length, lock_key, &transfer->chain, &transfer->iosb);
      })) {
    transfer->begun = Route::kFastIo;
    return transfer->iosb.Status;
  }
  return BeginByIrp(transfer, length, lock_key);
}

Status PrepareMdlWrite(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, MdlTransfer* transfer) {
  *transfer = Begin(file, offset, true);
  if (Fast([&] {
        return fsrtl::PrepareMdlWrite(file, &transfer->offset, length, lock_key, &transfer->chain, &transfer->iosb);
      })) {
    transfer->begun = Route::kFastIo;
    return transfer->iosb.Status;
  }
  return BeginByIrp(transfer, length, lock_key);
}

Status Complete(MdlTransfer* transfer) {
  if (!transfer->chain) return STATUS_SUCCESS;
  if (CompleteFast(transfer)) {
    transfer->finished = Route::kFastIo;
    transfer->chain = nullptr;
    return STATUS_SUCCESS;
  }
  return CompleteByIrp(transfer);
}

}  // namespace nt::srv
