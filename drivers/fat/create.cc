// IRP_MJ_CREATE. Walks the path, then opens or creates its last component; holds the volume exclusively throughout.
#include "fat.h"

namespace fat {
namespace {

constexpr ACCESS_MASK kWriteAccess = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA;
constexpr ACCESS_MASK kReadOnlyFileAccess = DELETE | READ_CONTROL | WRITE_OWNER | WRITE_DAC | SYNCHRONIZE |
                                            ACCESS_SYSTEM_SECURITY | FILE_READ_DATA | FILE_READ_EA | FILE_WRITE_EA |
                                            FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | FILE_EXECUTE |
                                            FILE_LIST_DIRECTORY | FILE_TRAVERSE;

struct OpenRequest {
  IrpContext* context;
  Vcb* vcb;
  PFILE_OBJECT file;
  PIO_SECURITY_CONTEXT security;
  ACCESS_MASK access;
  USHORT share;
  UCHAR attributes;
  ULONG disposition;
  ULONG options;
  LONGLONG allocation;
  bool directory;  // the caller wants a directory
  bool non_directory;
  bool trailing_backslash;
  bool delete_on_close;
  bool target_directory;
  bool by_short_name;
  bool oplock_reserved;

  bool overwrites() const {
    return disposition == FILE_SUPERSEDE || disposition == FILE_OVERWRITE || disposition == FILE_OVERWRITE_IF;
  }
  bool may_create() const { return disposition != FILE_OPEN && disposition != FILE_OVERWRITE; }
};

NTSTATUS Decode(IrpContext& context, OpenRequest* request) {
  PIO_STACK_LOCATION stack = context.stack();
  RtlZeroMemory(request, sizeof(*request));
  request->context = &context;
  request->vcb = context.vcb;
  request->file = stack->FileObject;
  request->security = stack->Parameters.Create.SecurityContext;
  request->access = request->security->DesiredAccess;
  request->share = stack->Parameters.Create.ShareAccess;
  request->attributes = static_cast<UCHAR>(stack->Parameters.Create.FileAttributes & kAttrSettable);
  request->disposition = stack->Parameters.Create.Options >> 24;
  request->options = stack->Parameters.Create.Options & 0x00FFFFFF;
  request->allocation = context.irp->Overlay.AllocationSize.QuadPart;
  request->directory = (request->options & FILE_DIRECTORY_FILE) != 0;
  request->non_directory = (request->options & FILE_NON_DIRECTORY_FILE) != 0;
  request->delete_on_close = (request->options & FILE_DELETE_ON_CLOSE) != 0;
  request->target_directory = (stack->Flags & SL_OPEN_TARGET_DIRECTORY) != 0;
  if ((request->options & FILE_OPEN_BY_FILE_ID) != 0) return STATUS_NOT_IMPLEMENTED;
  if (stack->Parameters.Create.EaLength != 0) return STATUS_EAS_NOT_SUPPORTED;
  if (request->disposition > FILE_MAXIMUM_DISPOSITION) return STATUS_INVALID_PARAMETER;
  if (request->directory && (request->non_directory || request->overwrites())) return STATUS_INVALID_PARAMETER;
  if ((stack->Flags & SL_OPEN_PAGING_FILE) != 0) return STATUS_ACCESS_DENIED;
  return STATUS_SUCCESS;
}

/// FAT keeps no owners: everything is granted that the read-only attribute and the medium allow.
NTSTATUS Grant(OpenRequest& request, UCHAR attributes, bool directory) {
  PACCESS_STATE state = request.security->AccessState;
  const bool read_only = !directory && (attributes & kAttrReadOnly) != 0;
  ACCESS_MASK wanted = request.access & ~MAXIMUM_ALLOWED;
  if (read_only && (wanted & ~kReadOnlyFileAccess) != 0) return STATUS_ACCESS_DENIED;
  if (read_only && request.delete_on_close) return STATUS_CANNOT_DELETE;
  if (request.vcb->write_protected && ((!directory && (wanted & kWriteAccess) != 0) || request.delete_on_close)) {
    return STATUS_MEDIA_WRITE_PROTECTED;
  }
  if ((request.access & MAXIMUM_ALLOWED) != 0)
    wanted |= read_only ? kReadOnlyFileAccess & ~ACCESS_SYSTEM_SECURITY : FILE_ALL_ACCESS;
  if (state != nullptr) {
    state->PreviouslyGrantedAccess |= wanted;
    state->RemainingDesiredAccess &= ~(wanted | MAXIMUM_ALLOWED);
  }
  request.access = wanted;
  return STATUS_SUCCESS;
}

/// Ties the file object to the Fcb; the caller's reference becomes the file object's.
NTSTATUS FinishOpen(OpenRequest& request, Fcb& fcb, bool volume) {
  PFILE_OBJECT file = request.file;
  Ccb* ccb = CreateCcb(fcb, file);
  if (ccb == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  ccb->volume = volume;
  ccb->delete_on_close = request.delete_on_close;
  ccb->opened_by_short_name = request.by_short_name;
  if (fcb.open_handles == 0) {
    IoSetShareAccess(request.access, request.share, file, &fcb.share);
  } else {
    IoUpdateShareAccess(file, &fcb.share);
  }
  file->FsContext = &fcb;
  file->FsContext2 = ccb;
  file->SectionObjectPointer = &fcb.np->section;
  file->Vpb = request.vcb->vpb;
  if (volume) {
    file->Flags |= FO_NO_INTERMEDIATE_BUFFERING;
  } else if (fcb.kind == FcbKind::kFile) {
    if ((request.options & FILE_NO_INTERMEDIATE_BUFFERING) == 0) file->Flags |= FO_CACHE_SUPPORTED;
    if ((fcb.attributes & FILE_ATTRIBUTE_TEMPORARY) != 0) file->Flags |= FO_TEMPORARY_FILE;
  }
  ReferenceFcb(fcb);
  ++fcb.open_handles;
  ++request.vcb->open_handles;
  ++request.vcb->file_objects;
  UpdateFastIoState(fcb);
  return STATUS_SUCCESS;
}

NTSTATUS OpenVolume(OpenRequest& request) {
  Vcb& vcb = *request.vcb;
  Fcb& fcb = *vcb.volume_fcb;
  if (request.directory) return STATUS_NOT_A_DIRECTORY;
  if (request.delete_on_close) return STATUS_CANNOT_DELETE;
  if (request.target_directory) return STATUS_INVALID_PARAMETER;
  if (request.disposition != FILE_OPEN && request.disposition != FILE_OPEN_IF) return STATUS_ACCESS_DENIED;
  const ACCESS_MASK asked = request.access;
  FAT_TRY_STATUS(Grant(request, 0, true));
  if (fcb.open_handles != 0) {
    FAT_TRY_STATUS(IoCheckShareAccess(request.access, request.share, request.file, &fcb.share, FALSE));
  }
  // Who reads sectors wants to see what was written to files.
  if ((asked & (FILE_READ_DATA | FILE_WRITE_DATA | MAXIMUM_ALLOWED | GENERIC_READ)) != 0) {
    FAT_TRY_STATUS(FlushVolume(vcb, false));
  }
  FAT_TRY_STATUS(FinishOpen(request, fcb, true));
  request.context->irp->IoStatus.Information = FILE_OPENED;
  return STATUS_SUCCESS;
}

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

/// An open that asks for an oplock, or against those of others, claims the next one as part of being opened.
NTSTATUS ReserveOplock(OpenRequest& request, Fcb& fcb) {
  if ((request.options & (FILE_OPEN_REQUIRING_OPLOCK | FILE_RESERVE_OPFILTER)) == 0) return STATUS_SUCCESS;
  request.oplock_reserved = true;
  return seh::OplockFsctrl(&fcb.header.Oplock, request.context->irp, fcb.open_handles + 1);
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

NTSTATUS OpenExisting(OpenRequest& request, Fcb& fcb) {
  const NTSTATUS status = OpenChecked(request, fcb);
  if (request.oplock_reserved && !NT_SUCCESS(status)) seh::BackOutOplock(&fcb.header.Oplock, request.context->irp);
  return status;
}

void FillNewDirent(Vcb& vcb, UCHAR attributes, ULONG cluster, Dirent* dirent) {
  RtlZeroMemory(dirent, sizeof(*dirent));
  const LARGE_INTEGER now = Now();
  dirent->attributes = attributes;
  EncodeTime(now, &dirent->creation_date, &dirent->creation_time, &dirent->creation_10ms);
  EncodeTime(now, &dirent->write_date, &dirent->write_time, nullptr);
  EncodeTime(now, &dirent->access_date, nullptr, nullptr);
  dirent->cluster_low = static_cast<USHORT>(cluster);
  if (vcb.geometry.type == FatType::k32) dirent->cluster_high = static_cast<USHORT>(cluster >> 16);
}

NTSTATUS AllocateDirectoryCluster(Fcb& parent, ULONG* cluster) {
  Vcb& vcb = *parent.vcb;
  LARGE_MCB runs;
  ULONG last;
  FAT_TRY_STATUS(seh::InitializeMcb(&runs));
  const NTSTATUS status = AllocateClusters(vcb, 0, 1, &runs, cluster, &last);
  FsRtlUninitializeLargeMcb(&runs);
  return status;
}

/// Puts the entry; a file that had this name a moment ago gives it what it had.
NTSTATUS AddTunnelledEntry(Fcb& parent, const UNICODE_STRING& name, bool directory, DirectoryEntry* entry) {
  PoolBuffer memory(AllocatePaged(sizeof(Tunnelled) + sizeof(DirectoryEntry)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  Tunnelled* tunnelled = memory.As<Tunnelled>();
  DirectoryEntry* other = reinterpret_cast<DirectoryEntry*>(tunnelled + 1);
  tunnelled->Clear();
  UNICODE_STRING long_name = name;
  UNICODE_STRING short_name = tunnelled->short_name;
  if (!directory && TunnelBack(parent, name, tunnelled)) {
    FAT_TRY_STATUS(NamesFromTunnel(parent, name, *tunnelled, other, &long_name, &short_name));
    Dirent& dirent = entry->dirent;
    EncodeTime(tunnelled->creation_time, &dirent.creation_date, &dirent.creation_time, &dirent.creation_10ms);
  }
  return AddEntry(parent, long_name, short_name, entry);
}

NTSTATUS CreateNew(OpenRequest& request, Fcb& parent, const UNICODE_STRING& name, DirectoryEntry* entry) {
  Vcb& vcb = *request.vcb;
  if (parent.delete_pending) return STATUS_DELETE_PENDING;
  if (request.trailing_backslash && !request.directory) return STATUS_OBJECT_NAME_INVALID;
  if ((request.attributes & kAttrReadOnly) != 0 && request.delete_on_close) return STATUS_CANNOT_DELETE;
  FAT_TRY_STATUS(BeginModification(vcb));
  FAT_TRY_STATUS(Grant(request, 0, request.directory));

  ULONG cluster = 0;
  NTSTATUS status = STATUS_SUCCESS;
  if (request.directory) {
    FAT_TRY_STATUS(AllocateDirectoryCluster(parent, &cluster));
    FillNewDirent(vcb, kAttrDirectory, cluster, &entry->dirent);
    status = InitializeNewDirectory(parent, cluster, entry->dirent);
    entry->dirent.attributes = static_cast<UCHAR>(entry->dirent.attributes | (request.attributes & ~kAttrArchive));
  } else {
    FillNewDirent(vcb, static_cast<UCHAR>(request.attributes | kAttrArchive), 0, &entry->dirent);
  }
  if (NT_SUCCESS(status)) status = AddTunnelledEntry(parent, name, request.directory, entry);
  if (!NT_SUCCESS(status)) {
    if (cluster != 0) FreeChain(vcb, cluster);
    return status;
  }

  Fcb* fcb = nullptr;
  status = CreateFcbFromEntry(parent, *entry, &fcb);
  FcbRef ref(NT_SUCCESS(status) ? fcb : nullptr);
  if (NT_SUCCESS(status) && !request.directory && request.allocation > 0) {
    ExclusiveGuard guard(fcb->np->resource);
    status = SetAllocation(*fcb, request.file, request.allocation);
  }
  if (NT_SUCCESS(status)) status = ReserveOplock(request, *fcb);
  if (NT_SUCCESS(status)) status = FinishOpen(request, *fcb, false);
  if (NT_SUCCESS(status) && request.context->write_through) FlushSlots(parent, entry->first_slot, entry->dirent_slot);
  if (!NT_SUCCESS(status)) {
    if (fcb != nullptr && ref.get() != nullptr) {
      if (!request.directory) TruncateChain(*fcb, 0);
      fcb->unlinked = true;
      RemoveFcbName(*fcb);
    }
    RemoveEntry(parent, entry->first_slot, entry->dirent_slot);
    if (cluster != 0) FreeChain(vcb, cluster);
    return status;
  }
  BreakParentOplock(*request.context, parent);
  ReportChange(*fcb, request.directory ? FILE_NOTIFY_CHANGE_DIR_NAME : FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
  request.context->irp->IoStatus.Information = FILE_CREATED;
  return STATUS_SUCCESS;
}

/// For a rename: opens the directory, and leaves only the last component in the file object's name.
NTSTATUS OpenTargetDirectory(OpenRequest& request, Fcb& parent, const UNICODE_STRING& name, bool exists) {
  request.directory = true;
  request.non_directory = false;
  request.trailing_backslash = false;
  request.delete_on_close = false;
  request.disposition = FILE_OPEN;
  FAT_TRY_STATUS(OpenExisting(request, parent));
  UNICODE_STRING* file_name = &request.file->FileName;
  RtlMoveMemory(file_name->Buffer, name.Buffer, name.Length);
  file_name->Length = name.Length;
  request.context->irp->IoStatus.Information = exists ? FILE_EXISTS : FILE_DOES_NOT_EXIST;
  return STATUS_SUCCESS;
}

NTSTATUS Walk(OpenRequest& request, Fcb& start, UNICODE_STRING remaining, DirectoryEntry* entry) {
  ReferenceFcb(start);
  FcbRef current(&start);
  if (remaining.Length != 0 && remaining.Buffer[remaining.Length / sizeof(WCHAR) - 1] == L'\\') {
    request.trailing_backslash = true;
    remaining.Length -= sizeof(WCHAR);
  }
  if (remaining.Length == 0) {
    if (request.target_directory) return STATUS_INVALID_PARAMETER;
    return OpenExisting(request, start);
  }
  for (;;) {
    if (remaining.Buffer[0] == L'\\') return STATUS_OBJECT_NAME_INVALID;
    UNICODE_STRING component;
    UNICODE_STRING rest;
    FsRtlDissectName(remaining, &component, &rest);
    if (!IsLegalName(component)) return STATUS_OBJECT_NAME_INVALID;
    const bool last = rest.Length == 0;
    const NTSTATUS status = FindEntry(*current.get(), component, entry);
    if (status != STATUS_OBJECT_NAME_NOT_FOUND && !NT_SUCCESS(status)) return status;
    const bool exists = NT_SUCCESS(status);
    if (last && request.target_directory) return OpenTargetDirectory(request, *current.get(), component, exists);
    if (!exists) {
      if (!last) return STATUS_OBJECT_PATH_NOT_FOUND;
      if (!request.may_create()) return STATUS_OBJECT_NAME_NOT_FOUND;
      return CreateNew(request, *current.get(), component, entry);
    }
    Fcb* next;
    FAT_TRY_STATUS(GetFcb(*current.get(), *entry, &next));
    current.Adopt(next);
    request.by_short_name = last && entry->long_name.name.Length != 0 && !NamesEqual(component, entry->name());
    if (last) return OpenExisting(request, *next);
    if (!next->is_directory()) return STATUS_OBJECT_PATH_NOT_FOUND;
    remaining = rest;
  }
}

NTSTATUS CreateOnVolume(OpenRequest& request) {
  Vcb& vcb = *request.vcb;
  PFILE_OBJECT file = request.file;
  UNICODE_STRING name = file->FileName;
  // Win32 sometimes hands down two backslashes in front.
  if (name.Length >= 2 * sizeof(WCHAR) && name.Buffer[0] == L'\\' && name.Buffer[1] == L'\\') {
    name.Buffer += 1;
    name.Length -= sizeof(WCHAR);
    if (name.Length >= 2 * sizeof(WCHAR) && name.Buffer[1] == L'\\') return STATUS_OBJECT_NAME_INVALID;
  }

  Fcb* start = vcb.root;
  if (file->RelatedFileObject != nullptr) {
    start = FcbOf(file->RelatedFileObject);
    if (start == nullptr || start->vcb != &vcb) return STATUS_INVALID_PARAMETER;
    if (name.Length != 0 && name.Buffer[0] == L'\\') return STATUS_INVALID_PARAMETER;
    if (start->kind == FcbKind::kVolume) return name.Length == 0 ? OpenVolume(request) : STATUS_INVALID_PARAMETER;
    if (!start->is_directory() && name.Length != 0) return STATUS_INVALID_PARAMETER;
    if (start->unlinked) return STATUS_DELETE_PENDING;
  } else if (name.Length == 0) {
    return OpenVolume(request);
  } else if (name.Buffer[0] != L'\\') {
    return STATUS_INVALID_PARAMETER;
  } else {
    name.Buffer += 1;
    name.Length -= sizeof(WCHAR);
  }
  PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  DirectoryEntry* entry = memory.As<DirectoryEntry>();
  entry->long_name.Clear();
  return Walk(request, *start, name, entry);
}

}  // namespace

NTSTATUS Create(IrpContext& context) {
  if (context.vcb == nullptr) {
    context.irp->IoStatus.Information = FILE_OPENED;
    return STATUS_SUCCESS;
  }
  OpenRequest request;
  FAT_TRY_STATUS(Decode(context, &request));
  Vcb& vcb = *context.vcb;
  ExclusiveGuard guard(vcb.resource);
  if (vcb.state != VolumeState::kMounted) return STATUS_VOLUME_DISMOUNTED;
  if (vcb.locked_by != nullptr) return STATUS_ACCESS_DENIED;
  if (vcb.shutdown && request.may_create()) return STATUS_TOO_LATE;
  const NTSTATUS status = CreateOnVolume(request);
  CountCreate(vcb, status);
  DrainCloses(vcb);
  return status;
}

}  // namespace fat
