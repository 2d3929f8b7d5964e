// Rename and deletion of names. The volume is held exclusively: no slot moves, no Fcb is looked up meanwhile.
// A new name is written before the old one goes, so that a crash in between leaves a file with two entries, which a
// check repairs, and not one with none.
#include "fat.h"

namespace fat {
namespace {

struct Target {
  Fcb* directory;
  UNICODE_STRING name;
};

/// Where the file is to go: another directory comes as a file object that was opened as target directory.
NTSTATUS FindTarget(IrpContext& context, Fcb& fcb, Target* target) {
  PIO_STACK_LOCATION stack = context.stack();
  PFILE_OBJECT target_file = stack->Parameters.SetFile.FileObject;
  if (target_file != nullptr) {
    target->directory = FcbOf(target_file);
    target->name = target_file->FileName;
    if (target->directory == nullptr || target->directory->vcb != fcb.vcb) return STATUS_NOT_SAME_DEVICE;
    if (!target->directory->is_directory()) return STATUS_INVALID_PARAMETER;
  } else {
    const auto* info = static_cast<FILE_RENAME_INFORMATION*>(context.irp->AssociatedIrp.SystemBuffer);
    const ULONG length = stack->Parameters.SetFile.Length;
    constexpr ULONG kFixed = FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName);
    if (length < kFixed || info->FileNameLength > length - kFixed || info->FileNameLength % sizeof(WCHAR) != 0) {
      return STATUS_INVALID_PARAMETER;
    }
    if (info->FileNameLength > MAXUSHORT) return STATUS_OBJECT_NAME_INVALID;
    target->directory = fcb.parent;
    target->name.Buffer = const_cast<PWCH>(info->FileName);
    target->name.Length = target->name.MaximumLength = static_cast<USHORT>(info->FileNameLength);
    // A full path without a target directory: the last component is meant.
    for (USHORT i = static_cast<USHORT>(target->name.Length / sizeof(WCHAR)); i > 0; --i) {
      if (target->name.Buffer[i - 1] != L'\\') continue;
      target->name.Buffer += i;
      target->name.Length = static_cast<USHORT>(target->name.Length - i * sizeof(WCHAR));
      break;
    }
  }
  return IsLegalName(target->name) ? STATUS_SUCCESS : STATUS_OBJECT_NAME_INVALID;
}

bool IsBelow(const Fcb& directory, const Fcb& ancestor) {
  for (const Fcb* up = &directory; up != nullptr; up = up->parent) {
    if (up == &ancestor) return true;
  }
  return false;
}

/// A handle that its owner keeps for the sake of an oplock only may be closed when the oplock breaks.
NTSTATUS BreakOplock(IrpContext& context, Fcb& fcb) {
  if (fcb.open_handles == 0) return STATUS_SUCCESS;
  const NTSTATUS status = seh::CheckOplock(&fcb.header.Oplock, context.irp, FatOplockComplete, FatPrePostIrp);
  if (status == STATUS_SUCCESS) UpdateFastIoState(fcb);
  return status;
}

/// A directory moves only while nothing below it is open.
NTSTATUS CheckNothingOpenBelow(IrpContext& context, const Fcb& directory) {
  Vcb& vcb = *directory.vcb;
  for (LIST_ENTRY* link = vcb.all_fcbs.Flink; link != &vcb.all_fcbs; link = link->Flink) {
    Fcb* fcb = CONTAINING_RECORD(link, Fcb, all_link);
    if (fcb->open_handles == 0 || fcb == &directory || !IsBelow(*fcb, directory)) continue;
    const NTSTATUS status = BreakOplock(context, *fcb);
    return status == STATUS_SUCCESS ? STATUS_ACCESS_DENIED : status;
  }
  return STATUS_SUCCESS;
}

/// May the file that has the new name be replaced?
NTSTATUS CheckReplace(IrpContext& context, Fcb& target, bool replace) {
  if (!replace) return STATUS_OBJECT_NAME_COLLISION;
  if (target.is_directory()) return STATUS_ACCESS_DENIED;
  if ((target.attributes & kAttrReadOnly) != 0) return STATUS_ACCESS_DENIED;
  const NTSTATUS broken = BreakOplock(context, target);
  if (broken != STATUS_SUCCESS) return broken;
  if (target.open_handles != 0 || target.delete_pending) return STATUS_ACCESS_DENIED;
  if (!MmFlushImageSection(&target.np->section, MmFlushForDelete)) return STATUS_ACCESS_DENIED;
  return STATUS_SUCCESS;
}

/// Moves the entry, and gives the file what was tunnelled for its new name. fcb exclusive. @param entry  memory to work
/// with
NTSTATUS MoveEntry(Fcb& fcb, Fcb& new_parent, const UNICODE_STRING& asked_name, const Tunnelled& tunnelled,
                   DirectoryEntry* entry) {
  Fcb& old_parent = *fcb.parent;
  Dirent& dirent = entry->dirent;
  FAT_TRY_STATUS(UpdateDirent(fcb));
  {
    SlotCursor cursor(old_parent);
    FAT_TRY_STATUS(cursor.Read(fcb.dirent_slot, &dirent));
  }
  // Within one directory the old short name is free for the new entry.
  const bool same_directory = &old_parent == &new_parent;
  const ULONG old_first = fcb.first_slot;
  const ULONG old_slot = fcb.dirent_slot;
  UNICODE_STRING name;
  UNICODE_STRING short_name;
  const Dirent kept = dirent;
  FAT_TRY_STATUS(NamesFromTunnel(new_parent, asked_name, tunnelled, entry, &name, &short_name));
  dirent = kept;
  UNICODE_STRING name_copy;
  FAT_TRY_STATUS(DuplicateString(name, &name_copy));

  if (fcb.is_directory() && !same_directory) {
    const NTSTATUS status = SetDotDotCluster(fcb, new_parent.kind == FcbKind::kRoot ? 0 : new_parent.first_cluster);
    if (!NT_SUCCESS(status)) {
      FreeString(&name_copy);
      return status;
    }
  }
  if (!fcb.is_directory()) dirent.attributes |= kAttrArchive;
  if (tunnelled.creation_time.QuadPart != 0) {
    EncodeTime(tunnelled.creation_time, &dirent.creation_date, &dirent.creation_time, &dirent.creation_10ms);
  }
  NTSTATUS status = AddEntry(new_parent, name, short_name, entry);
  if (!NT_SUCCESS(status)) {
    if (fcb.is_directory() && !same_directory) {
      SetDotDotCluster(fcb, old_parent.kind == FcbKind::kRoot ? 0 : old_parent.first_cluster);
    }
    FreeString(&name_copy);
    return status;
  }
  status = RemoveEntry(old_parent, old_first, old_slot);
  if (!NT_SUCCESS(status)) {
    RemoveEntry(new_parent, entry->first_slot, entry->dirent_slot);
    FreeString(&name_copy);
    return status;
  }
  RemoveFcbName(fcb);
  fcb.first_slot = entry->first_slot;
  fcb.dirent_slot = entry->dirent_slot;
  fcb.attributes = static_cast<UCHAR>(dirent.attributes & 0x3F);
  fcb.nt_case = dirent.nt_case;
  if (tunnelled.creation_time.QuadPart != 0) fcb.creation_time = tunnelled.creation_time;
  FreeString(&fcb.name);
  fcb.name = name_copy;
  DecodeShortName(dirent.name, 0, false, &fcb.short_name);
  if (!same_directory) {
    ReferenceFcb(new_parent);
    fcb.parent = &new_parent;
    ReleaseFcb(&old_parent);
  }
  InsertFcbName(fcb);
  return STATUS_SUCCESS;
}

NTSTATUS RenameLocked(IrpContext& context, Fcb& fcb, const Ccb& ccb, const Target& target, bool replace,
                      Tunnelled* tunnelled, DirectoryEntry* entry) {
  Vcb& vcb = *fcb.vcb;
  const NTSTATUS found = FindEntry(*target.directory, target.name, entry);
  if (found != STATUS_OBJECT_NAME_NOT_FOUND && !NT_SUCCESS(found)) return found;
  const bool self = NT_SUCCESS(found) && target.directory == fcb.parent && entry->dirent_slot == fcb.dirent_slot;
  if (self && RtlEqualUnicodeString(&fcb.name, &target.name, FALSE)) return STATUS_SUCCESS;

  FcbRef replaced;
  if (NT_SUCCESS(found) && !self) {
    Fcb* other;
    FAT_TRY_STATUS(GetFcb(*target.directory, *entry, &other));
    replaced.Adopt(other);
    const NTSTATUS allowed = CheckReplace(context, *other, replace);
    if (allowed != STATUS_SUCCESS) return allowed;
  }
  FAT_TRY_STATUS(BeginModification(vcb));
  const ULONG filter = fcb.is_directory() ? FILE_NOTIFY_CHANGE_DIR_NAME : FILE_NOTIFY_CHANGE_FILE_NAME;
  Fcb* old_parent = fcb.parent;
  UNICODE_STRING old_name;
  FAT_TRY_STATUS(DuplicateString(fcb.name, &old_name));
  ReferenceFcb(*old_parent);
  FcbRef hold(old_parent);
  NTSTATUS status;
  if (!fcb.is_directory()) {
    TunnelAway(fcb, ccb.opened_by_short_name);
    // A file that is replaced lends its creation time, too.
    if (replaced.get() != nullptr) TunnelAway(*replaced.get(), false);
    if (!self) TunnelBack(*target.directory, target.name, tunnelled);
  }
  {
    ExclusiveGuard guard(fcb.np->resource);
    status = MoveEntry(fcb, *target.directory, target.name, *tunnelled, entry);
  }
  // Only now that the file has its new entry does the other lose the name: no failure above costs it anything.
  if (NT_SUCCESS(status) && replaced.get() != nullptr) {
    ExclusiveGuard other(replaced.get()->np->resource);
    ReportChange(*replaced.get(), FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_REMOVED);
    status = DeleteFileName(*replaced.get(), false);
  }
  if (NT_SUCCESS(status)) {
    const bool same_directory = old_parent == fcb.parent;
    BreakParentOplock(context, *old_parent);
    if (!same_directory) BreakParentOplock(context, *fcb.parent);
    ReportNamedChange(*old_parent, old_name, filter,
                      same_directory ? FILE_ACTION_RENAMED_OLD_NAME : FILE_ACTION_REMOVED);
    ReportChange(fcb, filter, same_directory ? FILE_ACTION_RENAMED_NEW_NAME : FILE_ACTION_ADDED);
  }
  FreeString(&old_name);
  return status;
}

}  // namespace

NTSTATUS RenameFile(IrpContext& context, Fcb& fcb, Ccb& ccb) {
  PIO_STACK_LOCATION stack = context.stack();
  Vcb& vcb = *fcb.vcb;
  if (vcb.write_protected) return STATUS_MEDIA_WRITE_PROTECTED;
  if (fcb.kind == FcbKind::kRoot) return STATUS_INVALID_PARAMETER;
  if (fcb.delete_pending) return STATUS_DELETE_PENDING;
  Target target;
  FAT_TRY_STATUS(FindTarget(context, fcb, &target));
  if (target.directory->delete_pending || target.directory->unlinked) return STATUS_DELETE_PENDING;
  bool replace = stack->Parameters.SetFile.ReplaceIfExists != FALSE;
  if (stack->Parameters.SetFile.FileInformationClass == FileRenameInformationEx) {
    const auto* info = static_cast<FILE_RENAME_INFORMATION*>(context.irp->AssociatedIrp.SystemBuffer);
    if ((info->Flags & FILE_RENAME_POSIX_SEMANTICS) != 0) return STATUS_INVALID_PARAMETER;
    replace = (info->Flags & FILE_RENAME_REPLACE_IF_EXISTS) != 0;
  }
  if (fcb.is_directory()) {
    if (IsBelow(*target.directory, fcb)) return STATUS_INVALID_PARAMETER;
    const NTSTATUS status = CheckNothingOpenBelow(context, fcb);
    if (status != STATUS_SUCCESS) return status;
  } else {
    const NTSTATUS status = seh::CheckOplock(&fcb.header.Oplock, context.irp, FatOplockComplete, FatPrePostIrp);
    if (status != STATUS_SUCCESS) return status;
    UpdateFastIoState(fcb);
  }
  PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry) + sizeof(Tunnelled)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  DirectoryEntry* entry = memory.As<DirectoryEntry>();
  Tunnelled* tunnelled = reinterpret_cast<Tunnelled*>(entry + 1);
  entry->long_name.Clear();
  tunnelled->Clear();
  return RenameLocked(context, fcb, ccb, target, replace, tunnelled, entry);
}

NTSTATUS DeleteFileName(Fcb& fcb, bool opened_by_short_name) {
  Vcb& vcb = *fcb.vcb;
  FAT_TRY_STATUS(BeginModification(vcb));
  FAT_TRY_STATUS(RemoveEntry(*fcb.parent, fcb.first_slot, fcb.dirent_slot));
  RemoveFcbName(fcb);
  TunnelAway(fcb, opened_by_short_name);
  fcb.unlinked = true;
  fcb.dirent_dirty = false;
  if (fcb.is_directory()) {
    TunnelForgetDirectory(fcb);
    ReportDirectoryGone(fcb);
    // Nobody may write the directory's old pages over whatever gets its clusters.
    if (fcb.stream != nullptr) CcPurgeCacheSection(&fcb.np->section, nullptr, 0, FALSE);
    ExclusiveGuard paging(fcb.np->paging_resource);
    fcb.header.FileSize.QuadPart = 0;
    return TruncateChain(fcb, 0);
  }
  CcPurgeCacheSection(&fcb.np->section, nullptr, 0, FALSE);
  ExclusiveGuard paging(fcb.np->paging_resource);
  fcb.header.FileSize.QuadPart = 0;
  fcb.header.ValidDataLength.QuadPart = 0;
  fcb.header.AllocationSize.QuadPart = 0;
  return TruncateChain(fcb, 0);
}

}  // namespace fat
