// IRP_MJ_CREATE. Walks the path, then opens or creates its last component; holds the volume exclusively throughout.
#include "create.h"

namespace fat {
namespace {

constexpr ACCESS_MASK kWriteAccess = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA;
constexpr ACCESS_MASK kReadOnlyFileAccess = DELETE | READ_CONTROL | WRITE_OWNER | WRITE_DAC | SYNCHRONIZE |
                                            ACCESS_SYSTEM_SECURITY | FILE_READ_DATA | FILE_READ_EA | FILE_WRITE_EA |
                                            FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | FILE_EXECUTE |
                                            FILE_LIST_DIRECTORY | FILE_TRAVERSE;

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
