// Changing directories: slots are pinned, changed, set dirty; a directory grows by zeroed clusters.
#include "name_index.h"

namespace fat {
namespace {

ULONG SlotLimit(const Fcb& directory) {
  if (directory.kind == FcbKind::kRoot && directory.vcb->geometry.type != FatType::k32) {
    return directory.vcb->geometry.root_entries * kSlotBytes;
  }
  return directory.header.FileSize.LowPart;
}

/// One slot, pinned in the directory's stream.
NTSTATUS PinSlot(Fcb& directory, ULONG offset, CacheView* view, Dirent** slot) {
  const ULONG page = offset & ~static_cast<ULONG>(PAGE_SIZE - 1);
  const ULONG length = Min(static_cast<ULONG>(PAGE_SIZE), directory.header.FileSize.LowPart - page);
  FAT_TRY_STATUS(view->Pin(directory.stream, page, length));
  *slot = view->As<Dirent>(offset - page);
  return STATUS_SUCCESS;
}

NTSTATUS GrowDirectory(Fcb& directory) {
  const Geometry& geometry = directory.vcb->geometry;
  if (directory.kind == FcbKind::kRoot && geometry.type != FatType::k32) return STATUS_CANNOT_MAKE;
  const LONGLONG bytes = directory.file_size() + geometry.cluster_bytes;
  if (bytes > kMaxDirectoryBytes) return STATUS_CANNOT_MAKE;
  FAT_TRY_STATUS(ExtendChain(directory, static_cast<ULONG>(bytes >> geometry.cluster_shift), true));
  directory.header.AllocationSize.QuadPart = bytes;
  directory.header.FileSize.QuadPart = bytes;
  CC_FILE_SIZES sizes = CacheSizes(directory);
  const NTSTATUS status = seh::SetFileSizes(directory.stream, &sizes);
  if (!NT_SUCCESS(status)) {
    directory.header.AllocationSize.QuadPart -= geometry.cluster_bytes;
    directory.header.FileSize.QuadPart -= geometry.cluster_bytes;
    TruncateChain(directory, directory.known_clusters - 1);
  }
  return status;
}

/// First of `count` free slots in a row; the directory grows until there are so many.
/// `over_end`: the end mark is among them, or before them.
NTSTATUS FindFreeSlots(Fcb& directory, ULONG count, ULONG* first, bool* over_end) {
  FAT_TRY_STATUS(RequireNameIndex(directory));
  ULONG run_start = 0;
  ULONG run = 0;
  bool past_end = false;
  ULONG offset = FreeRunHint(*directory.names, count);
  for (;;) {
    SlotCursor cursor(directory);
    for (; offset < SlotLimit(directory) && run < count; offset += kSlotBytes) {
      Dirent slot;
      if (!past_end) {
        FAT_TRY_STATUS(cursor.Read(offset, &slot));
        past_end = slot.name[0] == kSlotEnd;
      }
      if (!past_end && slot.name[0] != kSlotDeleted) {
        run = 0;
        continue;
      }
      if (run++ == 0) run_start = offset;
    }
    if (run == count) {
      *first = run_start;
      *over_end = past_end;
      NoteFreeRun(*directory.names, count, run_start);
      return STATUS_SUCCESS;
    }
    FAT_TRY_STATUS(GrowDirectory(directory));
    past_end = true;  // the new cluster is zero
  }
}

/// Behind the end mark anything may stand: when slots are put over the mark, the one after them becomes the mark.
NTSTATUS PutEndMark(Fcb& directory, ULONG offset) {
  if (offset >= SlotLimit(directory)) return STATUS_SUCCESS;
  CacheView view;
  Dirent* slot;
  FAT_TRY_STATUS(PinSlot(directory, offset, &view, &slot));
  if (slot->name[0] != kSlotEnd) {
    RtlZeroMemory(slot, kSlotBytes);
    view.SetDirty();
  }
  return STATUS_SUCCESS;
}

/// Free slots in a row, ready to be written.
NTSTATUS TakeFreeSlots(Fcb& directory, ULONG count, ULONG* first) {
  bool over_end;
  FAT_TRY_STATUS(FindFreeSlots(directory, count, first, &over_end));
  return over_end ? PutEndMark(directory, *first + count * kSlotBytes) : STATUS_SUCCESS;
}

NTSTATUS EraseSlots(Fcb& directory, ULONG from, ULONG to) {
  // The short entry, which is the last, first: what remains after a crash in between are long-name slots that belong to
  // nothing.
  for (ULONG offset = to;; offset -= kSlotBytes) {
    CacheView view;
    Dirent* slot;
    FAT_TRY_STATUS(PinSlot(directory, offset, &view, &slot));
    slot->name[0] = kSlotDeleted;
    view.SetDirty();
    if (offset == from) break;
  }
  if (directory.names != nullptr) NoteFreed(*directory.names, from);
  return STATUS_SUCCESS;
}

void FillLfnSlot(const UNICODE_STRING& name, ULONG ordinal, bool last, UCHAR checksum, Dirent* out) {
  LfnSlot slot;
  RtlZeroMemory(&slot, sizeof(slot));
  slot.ordinal = static_cast<UCHAR>(ordinal | (last ? kLfnLast : 0));
  slot.attributes = kAttrLfn;
  slot.checksum = checksum;
  const ULONG chars = name.Length / sizeof(WCHAR);
  for (ULONG i = 0; i < kLfnCharsPerSlot; ++i) {
    const ULONG at = (ordinal - 1) * kLfnCharsPerSlot + i;
    const WCHAR c = at < chars ? name.Buffer[at] : at == chars ? 0 : 0xFFFF;
    if (i < 5) {
      slot.name1[i] = c;
    } else if (i < 11) {
      slot.name2[i - 5] = c;
    } else {
      slot.name3[i - 11] = c;
    }
  }
  RtlCopyMemory(out, &slot, sizeof(slot));
}

}  // namespace

NTSTATUS WriteSlot(Fcb& directory, ULONG offset, const Dirent& slot) {
  CacheView view;
  Dirent* at;
  FAT_TRY_STATUS(PinSlot(directory, offset, &view, &at));
  RtlCopyMemory(at, &slot, kSlotBytes);
  view.SetDirty();
  return STATUS_SUCCESS;
}

NTSTATUS AddEntry(Fcb& directory, const UNICODE_STRING& name, const UNICODE_STRING& wanted_short,
                  DirectoryEntry* entry) {
  FAT_TRY_STATUS(OpenDirectoryStream(directory));
  Dirent& dirent = entry->dirent;
  ULONG lfn_slots = 0;
  if (!EncodeShortName(name, dirent.name, &dirent.nt_case)) {
    dirent.nt_case = 0;
    lfn_slots = (name.Length / sizeof(WCHAR) + kLfnCharsPerSlot - 1) / kLfnCharsPerSlot;
    FAT_TRY_STATUS(ChooseShortName(directory, name, wanted_short, dirent.name));
  }
  ULONG first;
  FAT_TRY_STATUS(TakeFreeSlots(directory, lfn_slots + 1, &first));
  const ULONG last = first + lfn_slots * kSlotBytes;
  const UCHAR checksum = ShortNameChecksum(dirent.name);
  NTSTATUS status = STATUS_SUCCESS;
  ULONG written = 0;
  for (ULONG i = 0; i < lfn_slots && NT_SUCCESS(status); ++i, ++written) {
    Dirent slot;
    FillLfnSlot(name, lfn_slots - i, i == 0, checksum, &slot);
    status = WriteSlot(directory, first + i * kSlotBytes, slot);
  }
  if (NT_SUCCESS(status)) status = WriteSlot(directory, last, dirent);
  if (!NT_SUCCESS(status)) {
    if (written != 0) EraseSlots(directory, first, first + (written - 1) * kSlotBytes);
    return status;
  }
  entry->first_slot = first;
  entry->dirent_slot = last;
  entry->long_name.Clear();
  if (lfn_slots != 0) {
    RtlCopyMemory(entry->long_name.chars, name.Buffer, name.Length);
    entry->long_name.name.Length = name.Length;
  }
  entry->short_name.Buffer = entry->short_chars;
  entry->short_name.MaximumLength = sizeof(entry->short_chars);
  DecodeShortName(dirent.name, dirent.nt_case, lfn_slots == 0, &entry->short_name);
  IndexEntry(directory, *entry);
  return STATUS_SUCCESS;
}

NTSTATUS AddLabelEntry(Fcb& root, const Dirent& dirent) {
  ULONG slot;
  FAT_TRY_STATUS(TakeFreeSlots(root, 1, &slot));
  return WriteSlot(root, slot, dirent);
}

NTSTATUS RemoveEntry(Fcb& directory, ULONG first_slot, ULONG dirent_slot) {
  FAT_TRY_STATUS(OpenDirectoryStream(directory));
  if (directory.names != nullptr) {
    PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry)));
    DirectoryEntry* entry = memory.As<DirectoryEntry>();
    SlotCursor cursor(directory);
    const NTSTATUS status =
        memory ? NextEntry(cursor, first_slot, false, entry) : static_cast<NTSTATUS>(STATUS_INSUFFICIENT_RESOURCES);
    if (!NT_SUCCESS(status) && status != STATUS_NO_MORE_FILES) {
      ForgetNameIndex(directory);
    } else if (NT_SUCCESS(status) && entry->dirent_slot == dirent_slot) {
      UnindexEntry(directory, *entry);
    }
  }
  const NTSTATUS status = EraseSlots(directory, first_slot, dirent_slot);
  if (!NT_SUCCESS(status)) ForgetNameIndex(directory);
  return status;
}

NTSTATUS UpdateDirent(Fcb& fcb) {
  if (fcb.parent == nullptr || fcb.unlinked) {
    fcb.dirent_dirty = false;
    return STATUS_SUCCESS;
  }
  Vcb& vcb = *fcb.vcb;
  Fcb& directory = *fcb.parent;
  FAT_TRY_STATUS(OpenDirectoryStream(directory));
  CacheView view;
  Dirent* slot;
  FAT_TRY_STATUS(PinSlot(directory, fcb.dirent_slot, &view, &slot));
  slot->attributes = static_cast<UCHAR>(fcb.attributes | (slot->attributes & 0xC0));
  EncodeTime(fcb.creation_time, &slot->creation_date, &slot->creation_time, &slot->creation_10ms);
  EncodeTime(fcb.access_time, &slot->access_date, nullptr, nullptr);
  EncodeTime(fcb.write_time, &slot->write_date, &slot->write_time, nullptr);
  slot->cluster_low = static_cast<USHORT>(fcb.first_cluster);
  if (vcb.geometry.type == FatType::k32) slot->cluster_high = static_cast<USHORT>(fcb.first_cluster >> 16);
  slot->size = fcb.is_directory() ? 0 : fcb.header.FileSize.LowPart;
  view.SetDirty();
  fcb.dirent_dirty = false;
  return STATUS_SUCCESS;
}

NTSTATUS FlushSlots(Fcb& directory, ULONG from, ULONG to) {
  if (directory.stream == nullptr) return STATUS_SUCCESS;
  LARGE_INTEGER start;
  start.QuadPart = from & ~static_cast<ULONG>(PAGE_SIZE - 1);
  IO_STATUS_BLOCK iosb;
  CcFlushCache(&directory.np->section, &start, to + kSlotBytes - start.LowPart, &iosb);
  return iosb.Status;
}

NTSTATUS InitializeNewDirectory(Fcb& parent, ULONG cluster, const Dirent& own) {
  Vcb& vcb = *parent.vcb;
  FAT_TRY_STATUS(ZeroCluster(vcb, cluster));
  const ULONG sector = vcb.geometry.sector_bytes;
  PoolBuffer buffer(AllocateNonPaged(sector));
  if (!buffer) return STATUS_INSUFFICIENT_RESOURCES;
  RtlZeroMemory(buffer.As<void>(), sector);
  Dirent* dots = buffer.As<Dirent>();
  for (ULONG i = 0; i < 2; ++i) {
    dots[i] = own;
    dots[i].nt_case = 0;
    dots[i].attributes = kAttrDirectory;
    RtlFillMemory(dots[i].name, sizeof(dots[i].name), ' ');
    dots[i].name[0] = '.';
  }
  dots[1].name[1] = '.';
  // ".." of a directory in the root says cluster 0, on FAT32 too.
  const ULONG up = parent.kind == FcbKind::kRoot ? 0 : parent.first_cluster;
  dots[0].cluster_low = static_cast<USHORT>(cluster);
  dots[0].cluster_high = static_cast<USHORT>(cluster >> 16);
  dots[1].cluster_low = static_cast<USHORT>(up);
  dots[1].cluster_high = static_cast<USHORT>(up >> 16);
  return TransferDisk(vcb.target, IRP_MJ_WRITE, ClusterOffset(vcb, cluster), sector, buffer.As<void>());
}

NTSTATUS SetDotDotCluster(Fcb& directory, ULONG parent_cluster) {
  FAT_TRY_STATUS(OpenDirectoryStream(directory));
  CacheView view;
  Dirent* slot;
  FAT_TRY_STATUS(PinSlot(directory, kSlotBytes, &view, &slot));
  if (slot->name[0] != '.' || slot->name[1] != '.') return STATUS_FILE_CORRUPT_ERROR;
  slot->cluster_low = static_cast<USHORT>(parent_cluster);
  slot->cluster_high = static_cast<USHORT>(parent_cluster >> 16);
  view.SetDirty();
  return STATUS_SUCCESS;
}

}  // namespace fat
