// Life of Fcbs and Ccbs.
// 1. Created for a directory entry, found again by (parent, slot of the short entry).
// 2. Referenced by every file object, every child Fcb, every caller in flight.
// 3. At the last reference a file is freed; a directory stays idle, with its cached stream, until the list of idle
//    directories is long or the volume goes.
// 4. A directory's stream file object may outlive that; the Fcb waits for its close.
#include "name_index.h"

namespace fat {
namespace {

LIST_ENTRY* Bucket(Vcb& vcb, const Fcb* parent, ULONG slot) {
  const ULONG_PTR mixed = (reinterpret_cast<ULONG_PTR>(parent) >> 5) * 31 + slot / kSlotBytes;
  return &vcb.hash[mixed % kHashBuckets];
}

void UnidleDirectory(Fcb& fcb) {
  if (fcb.idle_link.Flink == nullptr) return;
  RemoveEntryList(&fcb.idle_link);
  fcb.idle_link.Flink = nullptr;
  --fcb.vcb->idle_count;
}

/// Writes the stream and has the cache let go of it; its close comes through the queue.
void CloseStream(Fcb& fcb) {
  PFILE_OBJECT stream = fcb.stream;
  if (stream == nullptr) return;
  fcb.stream = nullptr;
  CcFlushCache(&fcb.np->section, nullptr, 0, nullptr);
  CACHE_UNINITIALIZE_EVENT done;
  LARGE_INTEGER nothing;
  nothing.QuadPart = 0;
  KeInitializeEvent(&done.Event, NotificationEvent, FALSE);
  CcUninitializeCacheMap(stream, &nothing, &done);
  KeWaitForSingleObject(&done.Event, Executive, KernelMode, FALSE, nullptr);
  ObDereferenceObject(stream);
}

/// Frees an Fcb that nothing refers to. @returns its parent, to be released; null while its stream is still closing
Fcb* FreeOne(Fcb* fcb) {
  UnidleDirectory(*fcb);
  CloseStream(*fcb);
  if (fcb->stream_references != 0) return nullptr;  // the close of the stream comes back here

  Fcb* parent = fcb->parent;
  RemoveEntryList(&fcb->all_link);
  RemoveEntryList(&fcb->hash_link);
  FsRtlTeardownPerStreamContexts(&fcb->header);
  if (fcb->kind != FcbKind::kVolume) FsRtlUninitializeOplock(&fcb->header.Oplock);
  if (fcb->kind == FcbKind::kFile) FsRtlUninitializeFileLock(&fcb->lock);
  FsRtlUninitializeLargeMcb(&fcb->mcb);
  ExDeleteResourceLite(&fcb->np->chain_resource);
  ExDeleteResourceLite(&fcb->np->paging_resource);
  ExDeleteResourceLite(&fcb->np->resource);
  FreeString(&fcb->name);
  ForgetNameIndex(*fcb);
  FreePool(fcb->np);
  FreePool(fcb);
  return parent;
}

bool LoopsToAncestor(const Fcb& directory, ULONG cluster) {
  for (const Fcb* up = &directory; up != nullptr; up = up->parent) {
    const ULONG own = up->kind == FcbKind::kRoot ? up->vcb->geometry.root_cluster : up->first_cluster;
    if (own == cluster) return true;
  }
  return false;
}

}  // namespace

NTSTATUS CreateFcb(Vcb& vcb, FcbKind kind, Fcb* parent, Fcb** out) {
  Fcb* fcb = static_cast<Fcb*>(AllocatePaged(sizeof(Fcb)));
  FcbNonPaged* np = static_cast<FcbNonPaged*>(AllocateNonPaged(sizeof(FcbNonPaged)));
  if (fcb == nullptr || np == nullptr) {
    if (fcb != nullptr) FreePool(fcb);
    if (np != nullptr) FreePool(np);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  RtlZeroMemory(fcb, sizeof(*fcb));
  RtlZeroMemory(np, sizeof(*np));
  const NTSTATUS status = seh::InitializeMcb(&fcb->mcb);
  if (!NT_SUCCESS(status)) {
    FreePool(fcb);
    FreePool(np);
    return status;
  }
  ExInitializeResourceLite(&np->resource);
  ExInitializeResourceLite(&np->paging_resource);
  ExInitializeResourceLite(&np->chain_resource);
  ExInitializeFastMutex(&np->header_mutex);
  FsRtlSetupAdvancedHeader(&fcb->header, &np->header_mutex);
  fcb->header.NodeTypeCode = kind == FcbKind::kVolume ? kNodeVolume
                             : kind == FcbKind::kFile ? kNodeFile
                                                      : kNodeDirectory;
  fcb->header.NodeByteSize = sizeof(Fcb);
  fcb->header.Resource = &np->resource;
  fcb->header.PagingIoResource = &np->paging_resource;
  fcb->header.IsFastIoPossible = FastIoIsNotPossible;
  fcb->vcb = &vcb;
  fcb->np = np;
  fcb->kind = kind;
  fcb->parent = parent;
  fcb->references = 1;
  InitializeListHead(&fcb->hash_link);
  InsertTailList(&vcb.all_fcbs, &fcb->all_link);
  // The oplock is the header's own: the memory manager breaks it when a writable section is made.
  if (kind != FcbKind::kVolume) FsRtlInitializeOplock(&fcb->header.Oplock);
  if (kind == FcbKind::kFile) FsRtlInitializeFileLock(&fcb->lock, nullptr, nullptr);
  if (parent != nullptr) ReferenceFcb(*parent);
  *out = fcb;
  return STATUS_SUCCESS;
}

NTSTATUS SetFcbName(Fcb& fcb, const UNICODE_STRING& name, const Dirent& dirent) {
  UNICODE_STRING copy;
  FAT_TRY_STATUS(DuplicateString(name, &copy));
  FreeString(&fcb.name);
  fcb.name = copy;
  fcb.nt_case = dirent.nt_case;
  fcb.short_name.Buffer = fcb.short_buffer;
  fcb.short_name.MaximumLength = sizeof(fcb.short_buffer);
  DecodeShortName(dirent.name, 0, false, &fcb.short_name);
  return STATUS_SUCCESS;
}

NTSTATUS CreateFcbFromEntry(Fcb& directory, const DirectoryEntry& entry, Fcb** out) {
  Vcb& vcb = *directory.vcb;
  const ULONG first = entry.first_cluster(vcb);
  const bool is_directory = entry.is_directory();
  if (first != 0 && !IsDataCluster(vcb, first)) return STATUS_FILE_CORRUPT_ERROR;
  if (is_directory && (first == 0 || LoopsToAncestor(directory, first))) return STATUS_FILE_CORRUPT_ERROR;
  if (!is_directory && first == 0 && entry.dirent.size != 0) return STATUS_FILE_CORRUPT_ERROR;

  Fcb* fcb;
  FAT_TRY_STATUS(CreateFcb(vcb, is_directory ? FcbKind::kDirectory : FcbKind::kFile, &directory, &fcb));
  const NTSTATUS status = SetFcbName(*fcb, entry.name(), entry.dirent);
  if (!NT_SUCCESS(status)) {
    DestroyFcb(fcb);
    return status;
  }
  const Dirent& dirent = entry.dirent;
  fcb->attributes = static_cast<UCHAR>(dirent.attributes & 0x3F);
  fcb->first_cluster = first;
  fcb->chain_complete = first == 0;
  fcb->first_slot = entry.first_slot;
  fcb->dirent_slot = entry.dirent_slot;
  fcb->creation_time = DecodeTime(dirent.creation_date, dirent.creation_time, dirent.creation_10ms);
  fcb->access_time = DecodeTime(dirent.access_date, 0, 0);
  fcb->write_time = DecodeTime(dirent.write_date, dirent.write_time, 0);
  if (!is_directory) {
    fcb->header.FileSize.QuadPart = dirent.size;
    fcb->header.ValidDataLength.QuadPart = dirent.size;
    fcb->header.AllocationSize.QuadPart = RoundToCluster(vcb, dirent.size);
  }
  InsertFcbName(*fcb);
  *out = fcb;
  return STATUS_SUCCESS;
}

void InsertFcbName(Fcb& fcb) { InsertHeadList(Bucket(*fcb.vcb, fcb.parent, fcb.dirent_slot), &fcb.hash_link); }

void RemoveFcbName(Fcb& fcb) {
  RemoveEntryList(&fcb.hash_link);
  InitializeListHead(&fcb.hash_link);
}

Fcb* FindFcb(const Fcb& directory, ULONG dirent_slot) {
  LIST_ENTRY* head = Bucket(*directory.vcb, &directory, dirent_slot);
  for (LIST_ENTRY* link = head->Flink; link != head; link = link->Flink) {
    Fcb* fcb = CONTAINING_RECORD(link, Fcb, hash_link);
    if (fcb->parent == &directory && fcb->dirent_slot == dirent_slot) return fcb;
  }
  return nullptr;
}

NTSTATUS GetFcb(Fcb& directory, const DirectoryEntry& entry, Fcb** fcb) {
  *fcb = FindFcb(directory, entry.dirent_slot);
  if (*fcb == nullptr) return CreateFcbFromEntry(directory, entry, fcb);
  ReferenceFcb(**fcb);
  return STATUS_SUCCESS;
}

void ReferenceFcb(Fcb& fcb) {
  UnidleDirectory(fcb);
  ++fcb.references;
}

void ReleaseFcb(Fcb* fcb) {
  Vcb& vcb = *fcb->vcb;
  // Freeing a file lets go of its parent: a loop, as paths can be deep and stacks are not.
  while (fcb != nullptr && --fcb->references == 0) {
    if (fcb->kind == FcbKind::kDirectory && !fcb->unlinked && vcb.state == VolumeState::kMounted && !vcb.tearing_down) {
      InsertTailList(&vcb.idle_directories, &fcb->idle_link);
      ++vcb.idle_count;
      if (!vcb.trimming) TrimIdleDirectories(vcb, kIdleDirectoryLimit);
      return;
    }
    fcb = FreeOne(fcb);
  }
}

void TrimIdleDirectories(Vcb& vcb, ULONG keep) {
  const bool nested = vcb.trimming;
  vcb.trimming = true;  // parents that become idle meanwhile are this loop's too
  while (vcb.idle_count > keep) {
    Fcb* fcb = CONTAINING_RECORD(vcb.idle_directories.Flink, Fcb, idle_link);
    UnidleDirectory(*fcb);
    DestroyFcb(fcb);
  }
  vcb.trimming = nested;
}

void DestroyFcb(Fcb* fcb) {
  Fcb* parent = FreeOne(fcb);
  if (parent != nullptr) ReleaseFcb(parent);
}

void UpdateFastIoState(Fcb& fcb) {
  UCHAR state = FastIoIsNotPossible;
  if (fcb.kind == FcbKind::kFile && fcb.vcb->state == VolumeState::kMounted &&
      FsRtlOplockIsFastIoPossible(&fcb.header.Oplock)) {
    state =
        FsRtlAreThereCurrentFileLocks(&fcb.lock) || fcb.vcb->write_protected ? FastIoIsQuestionable : FastIoIsPossible;
  }
  fcb.header.IsFastIoPossible = state;
}

ULONGLONG FileId(const Fcb& fcb) {
  Vcb& vcb = *fcb.vcb;
  if (fcb.kind == FcbKind::kRoot) {
    return static_cast<ULONGLONG>(vcb.geometry.type == FatType::k32 ? ClusterOffset(vcb, vcb.geometry.root_cluster)
                                                                    : vcb.geometry.root_base);
  }
  if (fcb.kind == FcbKind::kDirectory) return static_cast<ULONGLONG>(ClusterOffset(vcb, fcb.first_cluster));
  LONGLONG offset;
  ULONG run;
  if (fcb.parent == nullptr || !NT_SUCCESS(LookupRun(*fcb.parent, fcb.dirent_slot, kSlotBytes, &offset, &run)))
    return 0;
  return static_cast<ULONGLONG>(offset) | 1;  // odd: no directory's number
}

ULONGLONG FileIdOfEntry(Fcb& directory, const DirectoryEntry& entry) {
  if (entry.is_directory()) {
    const ULONG first = entry.first_cluster(*directory.vcb);
    return first == 0 ? FileId(*directory.vcb->root) : static_cast<ULONGLONG>(ClusterOffset(*directory.vcb, first));
  }
  LONGLONG offset;
  ULONG run;
  if (!NT_SUCCESS(LookupRun(directory, entry.dirent_slot, kSlotBytes, &offset, &run))) return 0;
  return static_cast<ULONGLONG>(offset) | 1;
}

Ccb* CreateCcb(Fcb& fcb, PFILE_OBJECT file) {
  Ccb* ccb = static_cast<Ccb*>(AllocatePaged(sizeof(Ccb)));
  if (ccb == nullptr) return nullptr;
  RtlZeroMemory(ccb, sizeof(*ccb));
  ccb->fcb = &fcb;
  ccb->file = file;
  InsertTailList(&fcb.vcb->ccbs, &ccb->link);
  return ccb;
}

void FreeCcb(Ccb* ccb) {
  RemoveEntryList(&ccb->link);
  FreeString(&ccb->pattern);
  FreeString(&ccb->notify_name);
  FreePool(ccb);
}

}  // namespace fat
