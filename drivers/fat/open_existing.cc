// A create that found its name: sharing and oplocks, overwriting, opening.
#include "create.h"

namespace fat {
namespace {

bool MustWait(NTSTATUS status) { return status != STATUS_SUCCESS && status != STATUS_OPLOCK_BREAK_IN_PROGRESS; }

/// Breaks oplocks and checks sharing, as the table of breaks asks: batch oplocks before the share check, handles that
/// are only cached when it fails.
/// @returns STATUS_PENDING if the oplock package keeps the IRP; STATUS_OPLOCK_BREAK_IN_PROGRESS counts as success
NTSTATUS CheckSharing(OpenRequest& request, Fcb& fcb) {
  PIRP irp = request.context->irp;
  POPLOCK oplock = &fcb.header.Oplock;
  NTSTATUS result = STATUS_SUCCESS;
  if (fcb.open_handles == 0) return result;
  if (FsRtlCurrentBatchOplock(oplock)) {
    irp->IoStatus.Information = FILE_OPBATCH_BREAK_UNDERWAY;
    result = seh::CheckOplock(oplock, irp, FatOplockComplete, FatPrePostIrp);
    if (MustWait(result)) return result;
    if (result == STATUS_SUCCESS) irp->IoStatus.Information = 0;
  }
  NTSTATUS status = IoCheckShareAccess(request.access, request.share, request.file, &fcb.share, FALSE);
  if (!NT_SUCCESS(status) && FsRtlCurrentOplockH(oplock)) {
    const NTSTATUS broken = seh::BreakOplockH(oplock, irp, FatOplockComplete, FatPrePostIrp);
    if (MustWait(broken)) return broken;
    status = IoCheckShareAccess(request.access, request.share, request.file, &fcb.share, FALSE);
  }
  if (!NT_SUCCESS(status)) return status;
  irp->IoStatus.Information = 0;
  const NTSTATUS broken = seh::CheckOplock(oplock, irp, FatOplockComplete, FatPrePostIrp);
  return broken == STATUS_SUCCESS ? result : broken;
}

NTSTATUS CheckSections(OpenRequest& request, Fcb& fcb) {
  if (fcb.kind != FcbKind::kFile) return STATUS_SUCCESS;
  if ((request.access & FILE_WRITE_DATA) != 0 || request.delete_on_close) {
    if (!MmFlushImageSection(&fcb.np->section, MmFlushForWrite)) {
      return request.delete_on_close ? STATUS_CANNOT_DELETE : STATUS_SHARING_VIOLATION;
    }
  }
  return STATUS_SUCCESS;
}

NTSTATUS Overwrite(OpenRequest& request, Fcb& fcb) {
  Vcb& vcb = *request.vcb;
  // Hidden and system files are overwritten only by who says that he knows.
  const UCHAR guarded = static_cast<UCHAR>(fcb.attributes & (FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM));
  if ((guarded & ~request.attributes) != 0) return STATUS_ACCESS_DENIED;
  FAT_TRY_STATUS(BeginModification(vcb));
  request.file->SectionObjectPointer = &fcb.np->section;
  NTSTATUS status;
  {
    ExclusiveGuard guard(fcb.np->resource);
    status = SetEndOfFile(fcb, request.file, 0);
    if (NT_SUCCESS(status)) status = SetAllocation(fcb, request.file, request.allocation);
    if (NT_SUCCESS(status)) {
      const UCHAR kept = request.disposition == FILE_SUPERSEDE ? 0 : fcb.attributes;
      fcb.attributes = static_cast<UCHAR>(kept | request.attributes | kAttrArchive);
      fcb.write_time = fcb.access_time = Now();
      if (request.disposition == FILE_SUPERSEDE) fcb.creation_time = fcb.write_time;
      status = UpdateDirent(fcb);
    }
  }
  if (!NT_SUCCESS(status)) {
    request.file->SectionObjectPointer = nullptr;
    return status;
  }
  const ULONG creation = request.disposition == FILE_SUPERSEDE ? FILE_NOTIFY_CHANGE_CREATION : 0;
  ReportChange(fcb, FILE_NOTIFY_CHANGE_ATTRIBUTES | FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE | creation,
               FILE_ACTION_MODIFIED);
  return STATUS_SUCCESS;
}

NTSTATUS OpenChecked(OpenRequest& request, Fcb& fcb) {
  const bool directory = fcb.is_directory();
  if (fcb.delete_pending) return STATUS_DELETE_PENDING;
  if (request.disposition == FILE_CREATE) return STATUS_OBJECT_NAME_COLLISION;
  if (directory && request.non_directory) return STATUS_FILE_IS_A_DIRECTORY;
  if (!directory && request.directory) return STATUS_NOT_A_DIRECTORY;
  if (!directory && request.trailing_backslash) return STATUS_OBJECT_NAME_INVALID;
  if (directory && request.overwrites()) return STATUS_OBJECT_NAME_COLLISION;
  if (fcb.kind == FcbKind::kRoot && request.delete_on_close) return STATUS_CANNOT_DELETE;
  if (request.overwrites()) request.access |= FILE_WRITE_DATA;  // for the checks below: it is a write
  if (request.overwrites() && request.disposition == FILE_SUPERSEDE) request.access |= DELETE;
  FAT_TRY_STATUS(Grant(request, fcb.attributes, directory));
  const NTSTATUS sharing = CheckSharing(request, fcb);
  if (!NT_SUCCESS(sharing) || sharing == STATUS_PENDING) return sharing;
  FAT_TRY_STATUS(CheckSections(request, fcb));
  FAT_TRY_STATUS(ReserveOplock(request, fcb));

  ULONG information = FILE_OPENED;
  if (request.overwrites()) {
    FAT_TRY_STATUS(Overwrite(request, fcb));
    information = request.disposition == FILE_SUPERSEDE ? FILE_SUPERSEDED : FILE_OVERWRITTEN;
  }
  FAT_TRY_STATUS(FinishOpen(request, fcb, false));
  if (request.overwrites()) request.file->Flags |= FO_FILE_MODIFIED;
  if (sharing != STATUS_OPLOCK_BREAK_IN_PROGRESS || request.context->irp->IoStatus.Information == 0) {
    request.context->irp->IoStatus.Information = information;
  }
  return sharing;
}

}  // namespace

NTSTATUS ReserveOplock(OpenRequest& request, Fcb& fcb) {
  if ((request.options & (FILE_OPEN_REQUIRING_OPLOCK | FILE_RESERVE_OPFILTER)) == 0) return STATUS_SUCCESS;
  request.oplock_reserved = true;
  return seh::OplockFsctrl(&fcb.header.Oplock, request.context->irp, fcb.open_handles + 1);
}

NTSTATUS OpenExisting(OpenRequest& request, Fcb& fcb) {
  const NTSTATUS status = OpenChecked(request, fcb);
  if (request.oplock_reserved && !NT_SUCCESS(status)) seh::BackOutOplock(&fcb.header.Oplock, request.context->irp);
  return status;
}

}  // namespace fat
