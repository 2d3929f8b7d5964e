// A create that found no such name: the entry, and for a directory its first cluster.
#include "create.h"

namespace fat {
namespace {

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

}  // namespace

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

}  // namespace fat
