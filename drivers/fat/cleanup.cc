// IRP_MJ_CLEANUP: the last handle of a file object is closed. What the handle changed reaches the directory entry,
// a file marked for deletion loses its name with its last handle.
#include "fat.h"

namespace fat {
namespace {

/// Times that reads and writes through this handle left to be updated.
void UpdateTimes(Fcb& fcb, const Ccb& ccb, PFILE_OBJECT file) {
  if (fcb.vcb->write_protected || fcb.unlinked) return;
  if ((file->Flags & FO_FILE_MODIFIED) != 0) {
    fcb.attributes |= kAttrArchive;
    if (!ccb.modified_by_user_times_write) fcb.write_time = Now();
    if (!ccb.modified_by_user_times_access) fcb.access_time = fcb.write_time;
    fcb.dirent_dirty = true;
    fcb.unreported |= FILE_NOTIFY_CHANGE_LAST_WRITE;
  } else if (g.update_last_access && (file->Flags & FO_FILE_FAST_IO_READ) != 0 && !ccb.modified_by_user_times_access) {
    // The medium knows the day only.
    const LARGE_INTEGER now = Now();
    USHORT old_date;
    USHORT new_date;
    EncodeTime(fcb.access_time, &old_date, nullptr, nullptr);
    EncodeTime(now, &new_date, nullptr, nullptr);
    if (old_date != new_date) {
      fcb.access_time = now;
      fcb.dirent_dirty = true;
      fcb.unreported |= FILE_NOTIFY_CHANGE_LAST_ACCESS;
    }
  }
  if ((file->Flags & FO_FILE_SIZE_CHANGED) != 0) {
    fcb.dirent_dirty = true;
    fcb.unreported |= FILE_NOTIFY_CHANGE_SIZE;
  }
}

/// Everything between the end of file and the medium, once nobody has the file open.
void SettleSizes(Fcb& fcb, PFILE_OBJECT file) {
  Vcb& vcb = *fcb.vcb;
  if (vcb.write_protected || vcb.state != VolumeState::kMounted) return;
  if (fcb.header.ValidDataLength.QuadPart < fcb.file_size()) {
    ZeroValidDataGap(fcb, file, fcb.file_size(), Wait::kYes);
  }
  if (fcb.header.AllocationSize.QuadPart > RoundToCluster(vcb, fcb.file_size()) && NT_SUCCESS(BeginModification(vcb))) {
    SetAllocation(fcb, file, fcb.file_size());
  }
}

void CleanupVolume(Vcb& vcb, PFILE_OBJECT file) {
  if (vcb.locked_by == file) {
    vcb.locked_by = nullptr;
    FsRtlNotifyVolumeEvent(file, FSRTL_VOLUME_UNLOCK);
  }
}

void DeleteIfPending(IrpContext& context, Fcb& fcb, const Ccb& ccb) {
  if (!fcb.delete_pending || fcb.unlinked || fcb.parent == nullptr) return;
  Vcb& vcb = *fcb.vcb;
  if (vcb.state != VolumeState::kMounted) return;
  const bool directory = fcb.is_directory();
  if (directory) {
    bool empty;
    if (!NT_SUCCESS(IsDirectoryEmpty(fcb, &empty)) || !empty) {
      fcb.delete_pending = false;
      return;
    }
  }
  if (NT_SUCCESS(DeleteFileName(fcb, ccb.opened_by_short_name)) || fcb.unlinked) {
    BreakParentOplock(context, *fcb.parent);
    ReportChange(fcb, directory ? FILE_NOTIFY_CHANGE_DIR_NAME : FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_REMOVED);
  }
}

void CleanupFile(IrpContext& context, Fcb& fcb, Ccb& ccb, PFILE_OBJECT file) {
  Vcb& vcb = *context.vcb;
  const bool mounted = vcb.state == VolumeState::kMounted;
  if (fcb.is_directory()) {
    FsRtlNotifyCleanup(vcb.notify_sync, &vcb.notify_list, &ccb);
  } else {
    FsRtlFastUnlockAll(&fcb.lock, file, IoGetRequestorProcess(context.irp), nullptr);
  }
  if (ccb.delete_on_close && !(fcb.kind == FcbKind::kRoot) && !vcb.write_protected) fcb.delete_pending = true;
  const bool last = fcb.open_handles == 1;
  const bool removing = last && fcb.delete_pending;
  UpdateTimes(fcb, ccb, file);
  if (last && !removing && fcb.kind == FcbKind::kFile) SettleSizes(fcb, file);
  if (removing) DeleteIfPending(context, fcb, ccb);
  if (fcb.dirent_dirty && mounted && !fcb.unlinked && NT_SUCCESS(BeginModification(vcb))) UpdateDirent(fcb);
  if (fcb.unreported != 0 && !fcb.unlinked) {
    if (fcb.parent != nullptr) BreakParentOplock(context, *fcb.parent);
    ReportChange(fcb, fcb.unreported, FILE_ACTION_MODIFIED);
  }
  fcb.unreported = 0;

  LARGE_INTEGER nothing;
  nothing.QuadPart = 0;
  CcUninitializeCacheMap(file, fcb.unlinked ? &nothing : nullptr, nullptr);
  UpdateFastIoState(fcb);
}

}  // namespace

NTSTATUS Cleanup(IrpContext& context) {
  PFILE_OBJECT file = context.stack()->FileObject;
  if (context.vcb == nullptr || file->FsContext == nullptr || CcbOf(file) == nullptr) return STATUS_SUCCESS;
  Vcb& vcb = *context.vcb;
  Fcb& fcb = *FcbOf(file);
  Ccb& ccb = *CcbOf(file);
  ExclusiveGuard volume(vcb.resource);
  {
    ExclusiveGuard guard(fcb.np->resource);
    if (fcb.kind == FcbKind::kVolume) {
      CleanupVolume(vcb, file);
    } else {
      CleanupFile(context, fcb, ccb, file);
    }
    IoRemoveShareAccess(file, &fcb.share);
    // Who waits for a break by this handle may go on only now that it shares no more.
    if (fcb.kind != FcbKind::kVolume) {
      seh::CheckOplock(&fcb.header.Oplock, context.irp, nullptr, nullptr);
      UpdateFastIoState(fcb);
    }
    --fcb.open_handles;
    --vcb.open_handles;
    file->Flags |= FO_CLEANUP_COMPLETE;
  }
  return STATUS_SUCCESS;
}

}  // namespace fat
