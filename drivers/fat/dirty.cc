// The dirty mark, FSInfo, and the order in which a volume reaches the medium.
// The mark goes out before the first change and is taken away after the last page was written. In between FSInfo may
// be stale; whoever finds the mark does not trust it.
#include "fat.h"

namespace fat {
namespace {

/// Sets or clears the mark in the cached boot sector and FAT[1], and writes both.
NTSTATUS WriteMark(Vcb& vcb, bool dirty) {
  const Geometry& geometry = vcb.geometry;
  if (geometry.boot_state_valid) {
    CacheView view;
    FAT_TRY_STATUS(view.Pin(vcb.volume_stream, 0, geometry.sector_bytes));
    UCHAR* state = view.As<UCHAR>(geometry.boot_state_offset);
    *state = static_cast<UCHAR>(dirty ? *state | kBootDirty : *state & ~kBootDirty);
    view.SetDirty();
  }
  if (geometry.type != FatType::k12) {
    const LONGLONG page = geometry.fat_base & ~static_cast<LONGLONG>(PAGE_SIZE - 1);
    const ULONG at = static_cast<ULONG>(geometry.fat_base - page);
    CacheView view;
    FAT_TRY_STATUS(view.Pin(vcb.volume_stream, page, at + geometry.sector_bytes));
    if (geometry.type == FatType::k16) {
      USHORT* entry = view.As<USHORT>(at + 2);
      *entry = static_cast<USHORT>(dirty ? *entry & ~kFat16CleanBit : *entry | kFat16CleanBit);
    } else {
      ULONG* entry = view.As<ULONG>(at + 4);
      *entry = dirty ? *entry & ~kFat32CleanBit : *entry | kFat32CleanBit;
    }
    view.SetDirty();
  }
  LARGE_INTEGER start;
  IO_STATUS_BLOCK iosb;
  start.QuadPart = 0;
  CcFlushCache(&vcb.volume_fcb->np->section, &start, static_cast<ULONG>(geometry.fat_base) + geometry.sector_bytes,
               &iosb);
  return iosb.Status;
}

NTSTATUS WriteFsInfo(Vcb& vcb) {
  const Geometry& geometry = vcb.geometry;
  if (geometry.type != FatType::k32 || geometry.fsinfo_offset == 0) return STATUS_SUCCESS;
  CacheView view;
  const ULONG page = geometry.fsinfo_offset & ~static_cast<ULONG>(PAGE_SIZE - 1);
  const ULONG at = geometry.fsinfo_offset - page;
  FAT_TRY_STATUS(view.Pin(vcb.volume_stream, page, at + sizeof(FsInfoSector)));
  FsInfoSector* info = view.As<FsInfoSector>(at);
  info->free_clusters = vcb.free.free_clusters;
  info->next_free = vcb.free.hint;
  view.SetDirty();
  return STATUS_SUCCESS;
}

void Keep(NTSTATUS* first, NTSTATUS status) {
  if (NT_SUCCESS(*first) && !NT_SUCCESS(status)) *first = status;
}

}  // namespace

NTSTATUS MarkDirty(Vcb& vcb) {
  if (vcb.marked_dirty) return STATUS_SUCCESS;
  ExclusiveGuard guard(vcb.fat_resource);
  if (vcb.marked_dirty) return STATUS_SUCCESS;
  FAT_TRY_STATUS(WriteMark(vcb, true));
  FAT_TRY_STATUS(FlushDisk(vcb));
  vcb.marked_dirty = true;
  ArmIdleClean();
  return STATUS_SUCCESS;
}

NTSTATUS MarkClean(Vcb& vcb) {
  ExclusiveGuard guard(vcb.fat_resource);
  if (!vcb.marked_dirty) return STATUS_SUCCESS;
  if (vcb.was_dirty) return STATUS_SUCCESS;  // what was wrong before we came still is
  FAT_TRY_STATUS(WriteMark(vcb, false));
  vcb.marked_dirty = false;
  return FlushDisk(vcb);
}

NTSTATUS BeginModification(Vcb& vcb) {
  if (vcb.write_protected) return STATUS_MEDIA_WRITE_PROTECTED;
  if (vcb.state != VolumeState::kMounted) return STATUS_VOLUME_DISMOUNTED;
  if (vcb.shutdown) return STATUS_TOO_LATE;
  NoteChange(vcb);
  return MarkDirty(vcb);
}

NTSTATUS FlushFile(Fcb& fcb) {
  IO_STATUS_BLOCK iosb;
  CcFlushCache(&fcb.np->section, nullptr, 0, &iosb);
  return iosb.Status;
}

NTSTATUS FlushVolume(Vcb& vcb, bool mark_clean) {
  NTSTATUS result = STATUS_SUCCESS;
  if (vcb.write_protected || vcb.volume_stream == nullptr) return result;
  // Data, then the entries that speak of them, then directories, then the FAT, then "clean".
  for (LIST_ENTRY* link = vcb.all_fcbs.Flink; link != &vcb.all_fcbs; link = link->Flink) {
    Fcb* fcb = CONTAINING_RECORD(link, Fcb, all_link);
    if (fcb->kind != FcbKind::kFile || fcb->unlinked) continue;
    ExclusiveGuard guard(fcb->np->resource);
    if (fcb->header.ValidDataLength.QuadPart < fcb->file_size() && mark_clean) {
      Keep(&result, ZeroValidDataGap(*fcb, nullptr, fcb->file_size(), Wait::kYes));
    }
    Keep(&result, FlushFile(*fcb));
    if (fcb->dirent_dirty) Keep(&result, UpdateDirent(*fcb));
  }
  for (LIST_ENTRY* link = vcb.all_fcbs.Flink; link != &vcb.all_fcbs; link = link->Flink) {
    Fcb* fcb = CONTAINING_RECORD(link, Fcb, all_link);
    if (fcb->is_directory() && fcb->stream != nullptr && !fcb->unlinked) Keep(&result, FlushFile(*fcb));
  }
  if (vcb.marked_dirty) {
    ExclusiveGuard guard(vcb.fat_resource);
    Keep(&result, WriteFsInfo(vcb));
  }
  Keep(&result, FlushFile(*vcb.volume_fcb));
  Keep(&result, FlushDisk(vcb));
  if (mark_clean && NT_SUCCESS(result)) result = MarkClean(vcb);
  return result;
}

void PurgeClosedFiles(Vcb& vcb) {
  // Purging may close file objects, and their Fcbs leave the list: hold the one in hand, and its successor.
  LIST_ENTRY* link = vcb.all_fcbs.Flink;
  if (link == &vcb.all_fcbs) return;
  Fcb* fcb = CONTAINING_RECORD(link, Fcb, all_link);
  ReferenceFcb(*fcb);
  while (fcb != nullptr) {
    if (fcb->kind == FcbKind::kFile && fcb->open_handles == 0) {
      MmFlushImageSection(&fcb->np->section, MmFlushForWrite);
      CcPurgeCacheSection(&fcb->np->section, nullptr, 0, FALSE);
      MmForceSectionClosed(&fcb->np->section, FALSE);
    }
    link = fcb->all_link.Flink;
    Fcb* next = link == &vcb.all_fcbs ? nullptr : CONTAINING_RECORD(link, Fcb, all_link);
    if (next != nullptr) ReferenceFcb(*next);
    ReleaseFcb(fcb);
    fcb = next;
  }
  DrainCloses(vcb);
  TrimIdleDirectories(vcb, 0);
  DrainCloses(vcb);
}

}  // namespace fat
