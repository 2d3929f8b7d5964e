// IRP_MJ_READ: the whole life of a read that did not go through FsRtlCopyRead.
//   volume handle: sectors of the device      paging: sectors of a stream, zeroes beyond its valid data
//   non-cached: the same after a flush        cached: copied, or lent as MDLs, by the cache manager
#include "fat.h"

namespace fat {
namespace {

ULONG RoundToSector(const Vcb& vcb, ULONG bytes) {
  return (bytes + vcb.geometry.sector_bytes - 1) & ~(vcb.geometry.sector_bytes - 1);
}

/// Zeroes bytes [from, to) of the requestor's locked buffer.
NTSTATUS ZeroBuffer(PIRP irp, ULONG from, ULONG to) {
  if (from >= to) return STATUS_SUCCESS;
  PVOID buffer;
  FAT_TRY_STATUS(MapUserBuffer(irp, &buffer));
  RtlZeroMemory(static_cast<UCHAR*>(buffer) + from, to - from);
  return STATUS_SUCCESS;
}

/// @param guard  what keeps the file as it is; held until the data are there
NTSTATUS ReadFromDisk(IrpContext& context, Fcb& fcb, LONGLONG offset, ULONG length, ResourceGuard& guard) {
  PIRP irp = context.irp;
  const ULONG asked = length;
  const LONGLONG size = fcb.file_size();
  if (offset >= size) return STATUS_END_OF_FILE;
  length = static_cast<ULONG>(Min(static_cast<LONGLONG>(length), size - offset));
  const LONGLONG valid = Min(fcb.header.ValidDataLength.QuadPart, size);
  const ULONG data = offset < valid ? static_cast<ULONG>(Min(static_cast<LONGLONG>(length), valid - offset)) : 0;

  const ULONG rounded = RoundToSector(*fcb.vcb, data);
  const bool whole = (offset & (fcb.vcb->geometry.sector_bytes - 1)) == 0 && rounded <= asked;
  const bool waits = !whole || !IsChainKnown(fcb, offset + rounded);
  if (data != 0 && !context.can_wait && waits) return STATUS_CANT_WAIT;
  FAT_TRY_STATUS(LockUserBuffer(irp, IoWriteAccess, asked));
  const ULONG zero_to = context.paging() ? asked : Max(length, Min(rounded, asked));
  if (data != 0 && whole && context.async && guard.held()) {
    const AsyncEnd end{length, data, zero_to, context.paging() ? 0u : FO_FILE_FAST_IO_READ};
    return TransferAsync(context, fcb, offset, rounded, guard, end);
  }
  if (data != 0) {
    NTSTATUS status;
    if (whole) {
      status = TransferStream(fcb, IRP_MJ_READ, offset, rounded, irp->MdlAddress, 0, false);
    } else {
      PVOID buffer;
      FAT_TRY_STATUS(MapUserBuffer(irp, &buffer));
      status = TransferStreamUnaligned(fcb, IRP_MJ_READ, offset, data, buffer);
    }
    if (!NT_SUCCESS(status)) return status;
  }
  FAT_TRY_STATUS(ZeroBuffer(irp, data, zero_to));
  irp->IoStatus.Information = length;
  return STATUS_SUCCESS;
}

NTSTATUS ReadVolume(IrpContext& context, LONGLONG offset, ULONG length) {
  Vcb& vcb = *context.vcb;
  const LONGLONG size = VolumeHandleLimit(vcb, *CcbOf(context.stack()->FileObject));
  const ULONG sector = vcb.geometry.sector_bytes;
  if (offset >= size) return STATUS_END_OF_FILE;
  if (offset % sector != 0 || length % sector != 0) return STATUS_INVALID_PARAMETER;
  length = static_cast<ULONG>(Min(static_cast<LONGLONG>(length), size - offset));
  FAT_TRY_STATUS(LockUserBuffer(context.irp, IoWriteAccess, length));
  ResourceGuard guard;
  if (!guard.Shared(vcb.resource, context.wait())) return STATUS_CANT_WAIT;
  if (context.async) return TransferAsync(context, *vcb.volume_fcb, offset, length, guard, AsyncEnd{length, 0, 0, 0});
  FAT_TRY_STATUS(TransferDevice(vcb.target, IRP_MJ_READ, offset, length, context.irp->MdlAddress, false));
  context.irp->IoStatus.Information = length;
  return STATUS_SUCCESS;
}

NTSTATUS ReadPaging(IrpContext& context, Fcb& fcb, LONGLONG offset, ULONG length) {
  if (fcb.kind == FcbKind::kFile && fcb.vcb->state != VolumeState::kMounted) return STATUS_VOLUME_DISMOUNTED;
  ResourceGuard guard;
  if (!context.owns_paging) guard.SharedForPaging(context.other_stack, fcb.np->paging_resource);
  return ReadFromDisk(context, fcb, offset, length, guard);
}

NTSTATUS ReadNonCached(IrpContext& context, Fcb& fcb, LONGLONG offset, ULONG length) {
  if (fcb.np->section.DataSectionObject != nullptr) {
    if (!context.can_wait) return STATUS_CANT_WAIT;
    ResourceGuard guard;
    if (!guard.Exclusive(fcb.np->resource, context.wait())) return STATUS_CANT_WAIT;
    LARGE_INTEGER start;
    IO_STATUS_BLOCK iosb;
    start.QuadPart = offset;
    CcFlushCache(&fcb.np->section, &start, length, &iosb);
    if (!NT_SUCCESS(iosb.Status)) return iosb.Status;
    // Writes that had begun before are on the medium once this was ours.
    {
      ExclusiveGuard barrier(fcb.np->paging_resource);
    }
  }
  ResourceGuard guard;
  if (!guard.Shared(fcb.np->resource, context.wait())) return STATUS_CANT_WAIT;
  return ReadFromDisk(context, fcb, offset, length, guard);
}

NTSTATUS ReadCached(IrpContext& context, Fcb& fcb, LONGLONG offset, ULONG length) {
  PIRP irp = context.irp;
  PFILE_OBJECT file = context.stack()->FileObject;
  ResourceGuard guard;
  const bool starts = file->PrivateCacheMap == nullptr;
  // A non-cached write that is under way would leave what was there before in a cache that begins now.
  if (starts ? !guard.Exclusive(fcb.np->resource, context.wait()) : !guard.Shared(fcb.np->resource, context.wait())) {
    return STATUS_CANT_WAIT;
  }
  if (offset >= fcb.file_size()) return STATUS_END_OF_FILE;
  length = static_cast<ULONG>(Min(static_cast<LONGLONG>(length), fcb.file_size() - offset));
  if (starts) {
    if (file->PrivateCacheMap == nullptr) FAT_TRY_STATUS(StartCaching(fcb, file));
    guard.Share();
  }

  if ((context.minor & IRP_MN_MDL) != 0) {
    return seh::MdlRead(file, offset, length, &irp->MdlAddress, &irp->IoStatus);
  }
  PVOID buffer;
  FAT_TRY_STATUS(MapUserBuffer(irp, &buffer));
  return seh::CopyRead(file, offset, length, context.can_wait, buffer, &irp->IoStatus);
}

NTSTATUS CheckLocks(IrpContext& context, Fcb& fcb) {
  const NTSTATUS status = seh::CheckOplock(&fcb.header.Oplock, context.irp, FatOplockComplete, FatPrePostIrp);
  if (status != STATUS_SUCCESS) return status;
  UpdateFastIoState(fcb);
  return FsRtlCheckLockForReadAccess(&fcb.lock, context.irp) ? STATUS_SUCCESS : STATUS_FILE_LOCK_CONFLICT;
}

}  // namespace

NTSTATUS Read(IrpContext& context) {
  PIRP irp = context.irp;
  PIO_STACK_LOCATION stack = context.stack();
  PFILE_OBJECT file = stack->FileObject;
  Fcb& fcb = *FcbOf(file);
  Ccb* ccb = CcbOf(file);
  const LONGLONG offset = stack->Parameters.Read.ByteOffset.QuadPart;
  const ULONG length = stack->Parameters.Read.Length;

  if ((context.minor & IRP_MN_COMPLETE) != 0) {
    CcMdlReadComplete(file, irp->MdlAddress);
    irp->MdlAddress = nullptr;
    return STATUS_SUCCESS;
  }
  if ((context.minor & IRP_MN_DPC) != 0) {
    stack->MinorFunction = static_cast<UCHAR>(context.minor & ~IRP_MN_DPC);
    return PostIrp(irp);
  }
  FAT_TRY_STATUS(VerifyVolume(context, ccb));
  irp->IoStatus.Information = 0;
  if (length == 0) return STATUS_SUCCESS;
  if (offset < 0 || offset > MAXLONGLONG - length) return STATUS_INVALID_PARAMETER;

  if (context.paging() || ccb == nullptr) return ReadPaging(context, fcb, offset, length);
  NTSTATUS status;
  if (fcb.kind == FcbKind::kVolume) {
    status = ReadVolume(context, offset, length);
  } else if (fcb.kind != FcbKind::kFile) {
    return STATUS_INVALID_PARAMETER;
  } else {
    status = CheckLocks(context, fcb);
    if (status != STATUS_SUCCESS) return status;
    if ((irp->Flags & IRP_NOCACHE) != 0 && (context.minor & IRP_MN_MDL) == 0) {
      CountNonCached(*context.vcb, IRP_MJ_READ, length);
      status = ReadNonCached(context, fcb, offset, length);
    } else {
      status = ReadCached(context, fcb, offset, length);
    }
  }
  if (status == STATUS_CANT_WAIT || status == STATUS_PENDING) return status;
  if (NT_SUCCESS(status)) file->Flags |= FO_FILE_FAST_IO_READ;
  if ((file->Flags & FO_SYNCHRONOUS_IO) != 0) {
    file->CurrentByteOffset.QuadPart =
        offset + (NT_ERROR(status) ? 0 : static_cast<LONGLONG>(irp->IoStatus.Information));
  }
  return status;
}

}  // namespace fat
