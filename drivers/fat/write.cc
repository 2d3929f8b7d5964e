// IRP_MJ_WRITE: the whole life of a write that did not go through FsRtlCopyWrite.
// Order of an extending write: clusters, file size, cache sizes, zeroes up to the data, the data, valid data length.
// Undone in reverse if a step fails.
#include "fat.h"

namespace fat {
namespace {

struct WriteRequest {
  IrpContext& context;
  Fcb& fcb;
  PFILE_OBJECT file;
  LONGLONG offset;
  ULONG length;
  bool append;
  bool cached;
  ResourceGuard* guard;  // of the Fcb
  LONGLONG end() const { return offset + length; }
};

NTSTATUS WriteVolume(IrpContext& context, LONGLONG offset, ULONG length) {
  Vcb& vcb = *context.vcb;
  PFILE_OBJECT file = context.stack()->FileObject;
  const LONGLONG size = VolumeHandleLimit(vcb, *CcbOf(file));
  const ULONG sector = vcb.geometry.sector_bytes;
  if (vcb.write_protected) return STATUS_MEDIA_WRITE_PROTECTED;
  if (offset >= size || length > size - offset) return STATUS_INVALID_PARAMETER;
  if (offset % sector != 0 || length % sector != 0) return STATUS_INVALID_PARAMETER;
  FAT_TRY_STATUS(LockUserBuffer(context.irp, IoReadAccess, length));
  ResourceGuard guard;
  if (!guard.Shared(vcb.resource, context.wait())) return STATUS_CANT_WAIT;
  // Sectors below a file system in use are its own: the volume has to be locked, or dismounted.
  if (vcb.locked_by != file && vcb.state == VolumeState::kMounted) return STATUS_ACCESS_DENIED;
  if (context.async) return TransferAsync(context, *vcb.volume_fcb, offset, length, guard, AsyncEnd{length, 0, 0, 0});
  FAT_TRY_STATUS(
      TransferDevice(vcb.target, IRP_MJ_WRITE, offset, length, context.irp->MdlAddress, context.write_through));
  context.irp->IoStatus.Information = length;
  return STATUS_SUCCESS;
}

ULONG RoundToSector(const Vcb& vcb, ULONG bytes) {
  return (bytes + vcb.geometry.sector_bytes - 1) & ~(vcb.geometry.sector_bytes - 1);
}

/// A write beyond valid data by someone other than us: a mapped page. Zeroes what it skips, and makes it count.
NTSTATUS RaiseValidData(const IrpContext& context, Fcb& fcb, LONGLONG offset, LONGLONG end) {
  const LONGLONG valid = fcb.header.ValidDataLength.QuadPart;
  if (end <= valid) return STATUS_SUCCESS;
  if (fcb.lazy_write_thread == context.thread) {
    // The lazy writer runs beside a cached write that has yet to raise VDL, or beside a mapped one that it must not
    // write: nobody would know of its data.
    const LONGLONG valid_page_end = (valid + PAGE_SIZE) & ~static_cast<LONGLONG>(PAGE_SIZE - 1);
    if (offset < fcb.file_size() && end > valid_page_end &&
        MmDoesFileHaveUserWritableReferences(&fcb.np->section) != 0) {
      return STATUS_FILE_LOCK_CONFLICT;
    }
    return STATUS_SUCCESS;
  }
  if (!context.owns_file && !ExIsResourceAcquiredExclusiveLite(&fcb.np->resource)) return STATUS_SUCCESS;
  if (offset > valid) FAT_TRY_STATUS(ZeroStreamOnDisk(fcb, valid, offset));
  fcb.header.ValidDataLength.QuadPart = end;
  return STATUS_SUCCESS;
}

NTSTATUS WritePaging(IrpContext& context, Fcb& fcb, LONGLONG offset, ULONG length) {
  PIRP irp = context.irp;
  Vcb& vcb = *fcb.vcb;
  if (fcb.kind == FcbKind::kFile && vcb.state != VolumeState::kMounted) return STATUS_VOLUME_DISMOUNTED;
  if (vcb.write_protected) return STATUS_MEDIA_WRITE_PROTECTED;
  ResourceGuard guard;
  if (!context.owns_paging) guard.SharedForPaging(context.other_stack, fcb.np->paging_resource);
  const ULONG asked = length;
  const LONGLONG size = fcb.file_size();
  if (offset >= size) return STATUS_SUCCESS;
  length = static_cast<ULONG>(Min(static_cast<LONGLONG>(length), size - offset));
  const ULONG sector = vcb.geometry.sector_bytes;
  if (offset % sector != 0) return STATUS_NOT_IMPLEMENTED;
  if (fcb.kind == FcbKind::kFile) FAT_TRY_STATUS(RaiseValidData(context, fcb, offset, offset + length));

  FAT_TRY_STATUS(LockUserBuffer(irp, IoReadAccess, asked));
  const ULONG rounded = RoundToSector(vcb, length);
  if (rounded <= asked) {
    if (context.async && guard.held())
      return TransferAsync(context, fcb, offset, rounded, guard, AsyncEnd{length, 0, 0, 0});
    FAT_TRY_STATUS(TransferStream(fcb, IRP_MJ_WRITE, offset, rounded, irp->MdlAddress, 0, context.write_through));
  } else {
    PVOID buffer;
    FAT_TRY_STATUS(MapUserBuffer(irp, &buffer));
    FAT_TRY_STATUS(TransferStreamUnaligned(fcb, IRP_MJ_WRITE, offset, length, buffer));
  }
  irp->IoStatus.Information = length;
  return STATUS_SUCCESS;
}

/// Takes the Fcb: shared where the write stays within valid data, exclusive where it moves a size.
bool AcquireForWrite(WriteRequest& request, ResourceGuard& guard) {
  Fcb& fcb = request.fcb;
  const Wait wait = request.context.wait();
  const auto needs_exclusive = [&] {
    return request.append || request.end() > fcb.header.ValidDataLength.QuadPart ||
           (!request.cached && fcb.np->section.DataSectionObject != nullptr);
  };
  if (!needs_exclusive()) {
    if (!guard.Shared(fcb.np->resource, wait)) return false;
    if (!needs_exclusive()) return true;
    guard.Release();
  }
  return guard.Exclusive(fcb.np->resource, wait);
}

NTSTATUS CheckLocks(WriteRequest& request) {
  Fcb& fcb = request.fcb;
  const NTSTATUS status = seh::CheckOplock(&fcb.header.Oplock, request.context.irp, FatOplockComplete, FatPrePostIrp);
  if (status != STATUS_SUCCESS) return status;
  UpdateFastIoState(fcb);
  return FsRtlCheckLockForWriteAccess(&fcb.lock, request.context.irp) ? STATUS_SUCCESS : STATUS_FILE_LOCK_CONFLICT;
}

void SetFileSize(Fcb& fcb, LONGLONG size) {
  ExclusiveGuard paging(fcb.np->paging_resource);
  fcb.header.FileSize.QuadPart = size;
}

/// True if nothing is left to be done after the data of this non-cached write are on the medium.
bool MayGoOn(const WriteRequest& request) {
  const Fcb& fcb = request.fcb;
  return request.context.async && request.length % fcb.vcb->geometry.sector_bytes == 0 &&
         request.end() <= fcb.header.ValidDataLength.QuadPart && fcb.np->section.DataSectionObject == nullptr &&
         !(request.context.write_through && fcb.dirent_dirty);
}

NTSTATUS WriteNonCached(WriteRequest& request) {
  PIRP irp = request.context.irp;
  Fcb& fcb = request.fcb;
  Vcb& vcb = *fcb.vcb;
  const ULONG sector = vcb.geometry.sector_bytes;
  const LONGLONG valid = fcb.header.ValidDataLength.QuadPart;
  if (request.offset % sector != 0) return STATUS_NOT_IMPLEMENTED;
  if (request.length % sector != 0 && request.end() < valid) return STATUS_NOT_IMPLEMENTED;
  // Until the data are on the medium no page of this range comes back.
  ResourceGuard paging;
  if (fcb.np->section.DataSectionObject != nullptr) {
    LARGE_INTEGER start;
    IO_STATUS_BLOCK iosb;
    start.QuadPart = request.offset;
    paging.Exclusive(fcb.np->paging_resource);
    CcCoherencyFlushAndPurgeCache(&fcb.np->section, &start, request.length, &iosb, 0);
    if (NT_ERROR(iosb.Status)) return iosb.Status;
  }
  FAT_TRY_STATUS(LockUserBuffer(irp, IoReadAccess, request.length));
  if (MayGoOn(request)) {
    const AsyncEnd end{request.length, 0, 0, FO_FILE_MODIFIED};
    return TransferAsync(request.context, fcb, request.offset, request.length, *request.guard, end);
  }
  if (request.length % sector == 0) {
    return TransferStream(fcb, IRP_MJ_WRITE, request.offset, request.length, irp->MdlAddress, 0,
                          request.context.write_through);
  }
  PVOID buffer;
  FAT_TRY_STATUS(MapUserBuffer(irp, &buffer));
  return TransferStreamUnaligned(fcb, IRP_MJ_WRITE, request.offset, request.length, buffer);
}

NTSTATUS WriteCached(WriteRequest& request) {
  PIRP irp = request.context.irp;
  if ((request.context.minor & IRP_MN_MDL) != 0) {
    return seh::PrepareMdlWrite(request.file, request.offset, request.length, &irp->MdlAddress, &irp->IoStatus);
  }
  PVOID buffer;
  FAT_TRY_STATUS(MapUserBuffer(irp, &buffer));
  return seh::CopyWrite(request.file, request.offset, request.length, request.context.can_wait, buffer);
}

/// Puts the entry and the data of this write on the medium.
NTSTATUS WriteThrough(WriteRequest& request) {
  Fcb& fcb = request.fcb;
  IO_STATUS_BLOCK iosb;
  iosb.Status = STATUS_SUCCESS;
  if (request.cached && (request.file->Flags & FO_WRITE_THROUGH) == 0) {
    LARGE_INTEGER start;
    start.QuadPart = request.offset;
    CcFlushCache(&fcb.np->section, &start, request.length, &iosb);
    if (!NT_SUCCESS(iosb.Status)) return iosb.Status;
  }
  if (!fcb.dirent_dirty || fcb.parent == nullptr || fcb.unlinked) return STATUS_SUCCESS;
  FAT_TRY_STATUS(FlushFile(*fcb.vcb->volume_fcb));
  FAT_TRY_STATUS(UpdateDirent(fcb));
  return FlushSlots(*fcb.parent, fcb.dirent_slot, fcb.dirent_slot);
}

NTSTATUS WriteLocked(WriteRequest& request) {
  Fcb& fcb = request.fcb;
  PFILE_OBJECT file = request.file;
  const LONGLONG old_size = fcb.file_size();
  const LONGLONG old_valid = fcb.header.ValidDataLength.QuadPart;
  const bool extending = request.end() > old_size;
  if (request.cached && file->PrivateCacheMap == nullptr) FAT_TRY_STATUS(StartCaching(fcb, file));

  NTSTATUS status = STATUS_SUCCESS;
  if (extending) {
    FAT_TRY_STATUS(BeginModification(*fcb.vcb));
    FAT_TRY_STATUS(EnsureAllocation(fcb, file, request.end()));
    SetFileSize(fcb, request.end());
    fcb.dirent_dirty = true;
    fcb.unreported |= FILE_NOTIFY_CHANGE_SIZE;
    CC_FILE_SIZES sizes = CacheSizes(fcb);
    status = seh::SetFileSizes(file, &sizes);
  }
  if (NT_SUCCESS(status) && request.offset > old_valid) {
    status = ZeroValidDataGap(fcb, file, request.offset, request.context.wait());
  }
  if (NT_SUCCESS(status)) status = request.cached ? WriteCached(request) : WriteNonCached(request);
  if (status == STATUS_PENDING) return status;
  if (NT_SUCCESS(status)) {
    if (request.end() > fcb.header.ValidDataLength.QuadPart) fcb.header.ValidDataLength.QuadPart = request.end();
    request.context.irp->IoStatus.Information = request.length;
    return status;
  }
  if (extending) {
    SetFileSize(fcb, old_size);
    if (fcb.header.ValidDataLength.QuadPart > old_size) fcb.header.ValidDataLength.QuadPart = old_size;
    CC_FILE_SIZES sizes = CacheSizes(fcb);
    seh::SetFileSizes(file, &sizes);
  }
  return status;
}

NTSTATUS WriteFile(WriteRequest& request) {
  IrpContext& context = request.context;
  Fcb& fcb = request.fcb;
  Vcb& vcb = *fcb.vcb;
  if (vcb.write_protected) return STATUS_MEDIA_WRITE_PROTECTED;
  if (vcb.shutdown) return STATUS_TOO_LATE;
  // The directory entry is written below: its slot must not move.
  ResourceGuard volume;
  if (context.write_through && !volume.Shared(vcb.resource, context.wait())) return STATUS_CANT_WAIT;
  ResourceGuard guard;
  if (!AcquireForWrite(request, guard)) return STATUS_CANT_WAIT;
  request.guard = &guard;
  if (request.append) request.offset = fcb.file_size();
  if (request.end() > kMaxFileSize) return STATUS_DISK_FULL;
  NTSTATUS status = CheckLocks(request);
  if (status != STATUS_SUCCESS) return status;

  const bool moves_sizes = request.end() > fcb.header.ValidDataLength.QuadPart;
  if (!request.cached && !context.can_wait && (moves_sizes || !MayGoOn(request) || !IsChainKnown(fcb, request.end()))) {
    return STATUS_CANT_WAIT;
  }
  const LONGLONG old_size = fcb.file_size();
  status = WriteLocked(request);
  if (!NT_SUCCESS(status) || status == STATUS_PENDING) return status;
  request.file->Flags |= FO_FILE_MODIFIED;
  if (fcb.file_size() != old_size && request.cached && !context.write_through)
    request.file->Flags |= FO_FILE_SIZE_CHANGED;
  if (context.write_through && (context.minor & IRP_MN_MDL) == 0) status = WriteThrough(request);
  if (NT_SUCCESS(status) && (request.file->Flags & FO_SYNCHRONOUS_IO) != 0) {
    request.file->CurrentByteOffset.QuadPart = request.end();
  }
  return status;
}

}  // namespace

NTSTATUS Write(IrpContext& context) {
  PIRP irp = context.irp;
  PIO_STACK_LOCATION stack = context.stack();
  PFILE_OBJECT file = stack->FileObject;
  Fcb& fcb = *FcbOf(file);
  Ccb* ccb = CcbOf(file);
  const LARGE_INTEGER byte_offset = stack->Parameters.Write.ByteOffset;
  const ULONG length = stack->Parameters.Write.Length;

  if ((context.minor & IRP_MN_COMPLETE) != 0) {
    const NTSTATUS status = seh::MdlWriteComplete(file, byte_offset.QuadPart, irp->MdlAddress);
    if (NT_SUCCESS(status)) irp->MdlAddress = nullptr;
    return status;
  }
  if ((context.minor & IRP_MN_DPC) != 0) {
    stack->MinorFunction = static_cast<UCHAR>(context.minor & ~IRP_MN_DPC);
    return PostIrp(irp);
  }
  FAT_TRY_STATUS(VerifyVolume(context, ccb));
  irp->IoStatus.Information = 0;
  if (length == 0) return STATUS_SUCCESS;
  const bool append = byte_offset.LowPart == FILE_WRITE_TO_END_OF_FILE && byte_offset.HighPart == -1;
  if (!append && (byte_offset.QuadPart < 0 || byte_offset.QuadPart > MAXLONGLONG - length))
    return STATUS_INVALID_PARAMETER;

  if (context.paging() || ccb == nullptr) return WritePaging(context, fcb, byte_offset.QuadPart, length);
  if (fcb.kind == FcbKind::kVolume) {
    if (append) return STATUS_INVALID_PARAMETER;
    const NTSTATUS status = WriteVolume(context, byte_offset.QuadPart, length);
    if (NT_SUCCESS(status) && status != STATUS_PENDING && (file->Flags & FO_SYNCHRONOUS_IO) != 0) {
      file->CurrentByteOffset.QuadPart = byte_offset.QuadPart + length;
    }
    return status;
  }
  if (fcb.kind != FcbKind::kFile) return STATUS_INVALID_PARAMETER;

  WriteRequest request{context,
                       fcb,
                       file,
                       append ? 0 : byte_offset.QuadPart,
                       length,
                       append,
                       (irp->Flags & IRP_NOCACHE) == 0 || (context.minor & IRP_MN_MDL) != 0,
                       nullptr};
  if (!request.cached) CountNonCached(*context.vcb, IRP_MJ_WRITE, length);
  if (request.cached && !CcCanIWrite(file, length, context.can_wait && !context.posted, context.posted)) {
    return DeferWrite(context, length);
  }
  return WriteFile(request);
}

}  // namespace fat
