// FastIoQueryOpen: the attributes of a path, without opening it. What this cannot tell at once goes the long way: a
// create, a query, a close.
#include "file_info.h"

namespace fat {
namespace {

constexpr ULONG kPlainOptions = FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT |
                                FILE_OPEN_FOR_BACKUP_INTENT | FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT |
                                FILE_COMPLETE_IF_OPLOCKED;

/// The Fcb of the path below `start`, with a reference for the caller.
NTSTATUS Find(Fcb& start, UNICODE_STRING remaining, DirectoryEntry* entry, Fcb** found) {
  ReferenceFcb(start);
  FcbRef current(&start);
  while (remaining.Length != 0) {
    UNICODE_STRING component;
    if (remaining.Buffer[0] == L'\\') return STATUS_OBJECT_NAME_INVALID;
    FsRtlDissectName(remaining, &component, &remaining);
    if (!current.get()->is_directory() || !IsLegalName(component)) return STATUS_OBJECT_PATH_NOT_FOUND;
    FAT_TRY_STATUS(FindEntry(*current.get(), component, entry));
    Fcb* next;
    FAT_TRY_STATUS(GetFcb(*current.get(), *entry, &next));
    current.Adopt(next);
  }
  *found = current.Detach();
  return STATUS_SUCCESS;
}

NTSTATUS Answer(Vcb& vcb, PIO_STACK_LOCATION stack, PFILE_NETWORK_OPEN_INFORMATION info) {
  PFILE_OBJECT file = stack->FileObject;
  const ULONG options = stack->Parameters.Create.Options & 0x00FFFFFF;
  if ((options & ~kPlainOptions) != 0 || (stack->Flags & (SL_OPEN_TARGET_DIRECTORY | SL_OPEN_PAGING_FILE)) != 0) {
    return STATUS_NOT_SUPPORTED;
  }
  UNICODE_STRING name = file->FileName;
  if (name.Length == 0 || name.Buffer[name.Length / sizeof(WCHAR) - 1] == L'\\') return STATUS_NOT_SUPPORTED;
  Fcb* start = vcb.root;
  if (file->RelatedFileObject != nullptr) {
    start = FcbOf(file->RelatedFileObject);
    if (start == nullptr || start->vcb != &vcb || !start->is_directory() || start->unlinked)
      return STATUS_NOT_SUPPORTED;
  } else {
    if (name.Buffer[0] != L'\\') return STATUS_NOT_SUPPORTED;
    name.Buffer += 1;
    name.Length -= sizeof(WCHAR);
  }
  PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  memory.As<DirectoryEntry>()->long_name.Clear();
  Fcb* fcb;
  FAT_TRY_STATUS(Find(*start, name, memory.As<DirectoryEntry>(), &fcb));
  FcbRef ref(fcb);
  if (fcb->delete_pending) return STATUS_DELETE_PENDING;
  if ((options & (fcb->is_directory() ? FILE_NON_DIRECTORY_FILE : FILE_DIRECTORY_FILE)) != 0)
    return STATUS_NOT_SUPPORTED;
  SharedGuard guard(fcb->np->resource);
  FillNetworkOpen(*fcb, info);
  return STATUS_SUCCESS;
}

}  // namespace

BOOLEAN NTAPI QueryOpen(PIRP irp, PFILE_NETWORK_OPEN_INFORMATION info, PDEVICE_OBJECT device) {
  if (device == g.device) return FALSE;
  Vcb& vcb = *static_cast<Vcb*>(device->DeviceExtension);
  NTSTATUS status = STATUS_NOT_SUPPORTED;
  FsRtlEnterFileSystem();
  {
    ExclusiveGuard guard(vcb.resource);
    if (vcb.state == VolumeState::kMounted && vcb.locked_by == nullptr) {
      status = Answer(vcb, IoGetCurrentIrpStackLocation(irp), info);
    }
  }
  FsRtlExitFileSystem();
  if (!NT_SUCCESS(status)) return FALSE;
  irp->IoStatus.Status = STATUS_SUCCESS;
  irp->IoStatus.Information = sizeof(*info);
  return TRUE;
}

}  // namespace fat
