// IRP_MJ_SET_INFORMATION. Rename and deletion are in rename.cc.
#include "fat.h"

namespace fat {
namespace {

struct SetRequest {
  IrpContext& context;
  Fcb& fcb;
  Ccb* ccb;
  PFILE_OBJECT file;
  PVOID buffer;
  ULONG length;

  template <typename T>
  const T* As() const {
    return length >= sizeof(T) ? static_cast<const T*>(buffer) : nullptr;
  }
};

bool TakesTime(const LARGE_INTEGER& given) {
  return given.QuadPart != 0 && given.QuadPart != -1 && given.QuadPart != -2;
}

NTSTATUS SetBasic(SetRequest& request) {
  const auto* info = request.As<FILE_BASIC_INFORMATION>();
  if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
  Fcb& fcb = request.fcb;
  if (fcb.kind == FcbKind::kRoot) return STATUS_INVALID_PARAMETER;
  const LARGE_INTEGER* const times[] = {&info->CreationTime, &info->LastAccessTime, &info->LastWriteTime};
  for (const LARGE_INTEGER* time : times) {
    USHORT date = 1;
    if (time->QuadPart < -2) return STATUS_INVALID_PARAMETER;
    if (TakesTime(*time)) EncodeTime(*time, &date, nullptr, nullptr);
    if (date == 0) return STATUS_INVALID_PARAMETER;  // a year that FAT cannot say
  }
  if (info->FileAttributes != 0) {
    const bool wants_directory = (info->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    if (wants_directory && !fcb.is_directory()) return STATUS_INVALID_PARAMETER;
    if (fcb.is_directory() && (info->FileAttributes & FILE_ATTRIBUTE_TEMPORARY) != 0) return STATUS_INVALID_PARAMETER;
  }
  FAT_TRY_STATUS(BeginModification(*fcb.vcb));

  ULONG changed = 0;
  if (info->FileAttributes != 0) {
    fcb.attributes = static_cast<UCHAR>((info->FileAttributes & kAttrSettable) | (fcb.attributes & kAttrDirectory));
    if ((info->FileAttributes & FILE_ATTRIBUTE_TEMPORARY) != 0) {
      request.file->Flags |= FO_TEMPORARY_FILE;
    } else {
      request.file->Flags &= ~FO_TEMPORARY_FILE;
    }
    changed |= FILE_NOTIFY_CHANGE_ATTRIBUTES;
  }
  if (TakesTime(info->CreationTime)) {
    fcb.creation_time = info->CreationTime;
    changed |= FILE_NOTIFY_CHANGE_CREATION;
  }
  if (TakesTime(info->LastAccessTime)) {
    fcb.access_time = info->LastAccessTime;
    changed |= FILE_NOTIFY_CHANGE_LAST_ACCESS;
  }
  if (TakesTime(info->LastWriteTime)) {
    fcb.write_time = info->LastWriteTime;
    changed |= FILE_NOTIFY_CHANGE_LAST_WRITE;
  }
  // A time set by hand, or frozen by -1, is not updated again through this handle; -2 thaws it.
  const auto freeze = [](const LARGE_INTEGER& given, bool* frozen) {
    if (given.QuadPart == -2) {
      *frozen = false;
    } else if (given.QuadPart != 0) {
      *frozen = true;
    }
  };
  freeze(info->LastAccessTime, &request.ccb->modified_by_user_times_access);
  freeze(info->LastWriteTime, &request.ccb->modified_by_user_times_write);
  if (changed == 0) return STATUS_SUCCESS;
  FAT_TRY_STATUS(UpdateDirent(fcb));
  ReportChange(fcb, changed, FILE_ACTION_MODIFIED);
  return STATUS_SUCCESS;
}

NTSTATUS SetDisposition(SetRequest& request, bool remove, bool ignore_read_only) {
  Fcb& fcb = request.fcb;
  if (!remove) {
    fcb.delete_pending = false;
    request.file->DeletePending = FALSE;
    return STATUS_SUCCESS;
  }
  if (fcb.vcb->write_protected) return STATUS_MEDIA_WRITE_PROTECTED;
  if (fcb.kind == FcbKind::kRoot) return STATUS_CANNOT_DELETE;
  if ((fcb.attributes & kAttrReadOnly) != 0 && !ignore_read_only) return STATUS_CANNOT_DELETE;
  const NTSTATUS broken = seh::CheckOplock(&fcb.header.Oplock, request.context.irp, FatOplockComplete, FatPrePostIrp);
  if (broken != STATUS_SUCCESS) return broken;
  UpdateFastIoState(fcb);
  if (fcb.is_directory()) {
    bool empty;
    FAT_TRY_STATUS(IsDirectoryEmpty(fcb, &empty));
    if (!empty) return STATUS_DIRECTORY_NOT_EMPTY;
    ReportDirectoryGone(fcb);
  } else if (!MmFlushImageSection(&fcb.np->section, MmFlushForDelete)) {
    return STATUS_CANNOT_DELETE;
  }
  fcb.delete_pending = true;
  request.file->DeletePending = TRUE;
  return STATUS_SUCCESS;
}

NTSTATUS SetDispositionEx(SetRequest& request) {
  const auto* info = request.As<FILE_DISPOSITION_INFORMATION_EX>();
  if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
  // A name that goes while handles stay cannot be kept on FAT: the chain hangs from the entry.
  if ((info->Flags & FILE_DISPOSITION_POSIX_SEMANTICS) != 0) return STATUS_INVALID_PARAMETER;
  const bool remove = (info->Flags & FILE_DISPOSITION_DELETE) != 0;
  if ((info->Flags & FILE_DISPOSITION_ON_CLOSE) != 0) {
    request.ccb->delete_on_close = remove;
    return STATUS_SUCCESS;
  }
  return SetDisposition(request, remove, (info->Flags & FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE) != 0);
}

NTSTATUS SetSize(SetRequest& request, FILE_INFORMATION_CLASS information_class) {
  Fcb& fcb = request.fcb;
  if (fcb.kind != FcbKind::kFile) return STATUS_INVALID_DEVICE_REQUEST;
  const bool allocation = information_class == FileAllocationInformation;
  const auto* info = request.As<FILE_END_OF_FILE_INFORMATION>();  // all three classes carry one LARGE_INTEGER
  if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
  const LONGLONG bytes = info->EndOfFile.QuadPart;
  if (bytes < 0) return STATUS_INVALID_PARAMETER;

  if (information_class == FileEndOfFileInformation && request.context.stack()->Parameters.SetFile.AdvanceOnly) {
    // The lazy writer tells how far it has written. FAT keeps no valid data length on the medium: the size says it.
    if (fcb.unlinked || fcb.vcb->write_protected) return STATUS_SUCCESS;
    return fcb.dirent_dirty ? UpdateDirent(fcb) : STATUS_SUCCESS;
  }
  if (information_class == FileValidDataLengthInformation) {
    if (bytes < fcb.header.ValidDataLength.QuadPart || bytes > fcb.file_size()) return STATUS_INVALID_PARAMETER;
    if (fcb.np->section.DataSectionObject != nullptr && !MmCanFileBeTruncated(&fcb.np->section, nullptr)) {
      return STATUS_USER_MAPPED_FILE;
    }
    FAT_TRY_STATUS(BeginModification(*fcb.vcb));
    fcb.header.ValidDataLength.QuadPart = bytes;
    PublishSizes(fcb, request.file);
    return STATUS_SUCCESS;
  }

  const NTSTATUS status = seh::CheckOplock(&fcb.header.Oplock, request.context.irp, FatOplockComplete, FatPrePostIrp);
  if (status != STATUS_SUCCESS) return status;
  UpdateFastIoState(fcb);
  FAT_TRY_STATUS(BeginModification(*fcb.vcb));
  const LONGLONG old_size = fcb.file_size();
  // The cache keeps pages beyond the new end otherwise, where only a map of this file object lets it be told.
  if (request.file->PrivateCacheMap == nullptr && fcb.np->section.DataSectionObject != nullptr &&
      (request.file->Flags & FO_CLEANUP_COMPLETE) == 0) {
    FAT_TRY_STATUS(StartCaching(fcb, request.file));
  }
  FAT_TRY_STATUS(allocation ? SetAllocation(fcb, request.file, bytes) : SetEndOfFile(fcb, request.file, bytes));
  request.file->Flags |= FO_FILE_MODIFIED;
  if (fcb.file_size() != old_size || fcb.dirent_dirty) {
    FAT_TRY_STATUS(UpdateDirent(fcb));
    ReportChange(fcb, FILE_NOTIFY_CHANGE_SIZE, FILE_ACTION_MODIFIED);
  }
  return STATUS_SUCCESS;
}

NTSTATUS SetPosition(SetRequest& request) {
  const auto* info = request.As<FILE_POSITION_INFORMATION>();
  if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
  if (info->CurrentByteOffset.QuadPart < 0) return STATUS_INVALID_PARAMETER;
  if ((request.file->Flags & FO_NO_INTERMEDIATE_BUFFERING) != 0 &&
      (info->CurrentByteOffset.LowPart & (request.fcb.vcb->geometry.sector_bytes - 1)) != 0) {
    return STATUS_INVALID_PARAMETER;
  }
  request.file->CurrentByteOffset = info->CurrentByteOffset;
  return STATUS_SUCCESS;
}

NTSTATUS Set(SetRequest& request, FILE_INFORMATION_CLASS information_class) {
  switch (information_class) {
    case FileBasicInformation:
      return SetBasic(request);
    case FileDispositionInformation: {
      const auto* info = request.As<FILE_DISPOSITION_INFORMATION>();
      if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
      return SetDisposition(request, info->DeleteFile != FALSE, false);
    }
    case FileDispositionInformationEx:
      return SetDispositionEx(request);
    case FilePositionInformation:
      return SetPosition(request);
    case FileAllocationInformation:
    case FileEndOfFileInformation:
    case FileValidDataLengthInformation:
      return SetSize(request, information_class);
    case FileLinkInformation:
      return STATUS_INVALID_DEVICE_REQUEST;  // one name a file
    default:
      return STATUS_INVALID_PARAMETER;
  }
}

}  // namespace

NTSTATUS SetInformation(IrpContext& context) {
  PIRP irp = context.irp;
  PIO_STACK_LOCATION stack = context.stack();
  PFILE_OBJECT file = stack->FileObject;
  Fcb& fcb = *FcbOf(file);
  Ccb* ccb = CcbOf(file);
  Vcb& vcb = *context.vcb;
  const FILE_INFORMATION_CLASS information_class = stack->Parameters.SetFile.FileInformationClass;
  irp->IoStatus.Information = 0;
  if (fcb.kind == FcbKind::kVolume || (ccb == nullptr && information_class != FileEndOfFileInformation)) {
    return STATUS_INVALID_PARAMETER;
  }
  FAT_TRY_STATUS(VerifyVolume(context, ccb));
  if (fcb.unlinked && information_class != FilePositionInformation && information_class != FileEndOfFileInformation) {
    return STATUS_FILE_DELETED;
  }

  ResourceGuard volume;
  if (information_class == FileRenameInformation || information_class == FileRenameInformationEx) {
    volume.Exclusive(vcb.resource);
    return RenameFile(context, fcb, *ccb);
  }
  if (information_class == FileDispositionInformation || information_class == FileDispositionInformationEx) {
    volume.Exclusive(vcb.resource);
  } else {
    volume.Shared(vcb.resource);
  }
  ExclusiveGuard guard(fcb.np->resource);
  SetRequest request{context, fcb, ccb, file, irp->AssociatedIrp.SystemBuffer, stack->Parameters.SetFile.Length};
  return Set(request, information_class);
}

}  // namespace fat
