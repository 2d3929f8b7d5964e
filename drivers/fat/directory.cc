// Reading directories: slots through the directory's own cached stream, long names assembled and checked.
#include "name_index.h"

namespace fat {
namespace {

constexpr ULONG kViewBytes = 16 * 1024;

ULONG DirectoryBytes(const Fcb& directory) {
  if (directory.kind == FcbKind::kRoot && directory.vcb->geometry.type != FatType::k32) {
    return directory.vcb->geometry.root_entries * kSlotBytes;
  }
  return directory.header.FileSize.LowPart;
}

/// Gathers the slots of one long name, which stand on disk last part first.
class LongNameCollector {
 public:
  void Reset() { expected_ = 0; }

  void Add(const LfnSlot& slot, ULONG offset, DirectoryEntry* entry) {
    const ULONG ordinal = slot.ordinal & 0x3F;
    if ((slot.ordinal & kLfnLast) != 0) {
      if (ordinal == 0 || ordinal > kLfnMaxSlots) return Reset();
      first_slot_ = offset;
      checksum_ = slot.checksum;
      expected_ = ordinal;
      entry->long_name.Clear();
      ended_at_ = ordinal * kLfnCharsPerSlot;
    } else if (expected_ == 0 || ordinal != expected_ || slot.checksum != checksum_) {
      return Reset();
    }
    for (ULONG i = 0; i < kLfnCharsPerSlot; ++i) {
      const WCHAR c = i < 5 ? slot.name1[i] : i < 11 ? slot.name2[i - 5] : slot.name3[i - 11];
      const ULONG at = (ordinal - 1) * kLfnCharsPerSlot + i;
      if (c == 0) {
        ended_at_ = Min(ended_at_, at);
      } else if (at < kMaxNameChars) {
        entry->long_name.chars[at] = c;
      }
    }
    expected_ = ordinal - 1;
    complete_ = expected_ == 0;
  }

  /// True if the slots seen just now are the long name of this short entry.
  bool Finish(const Dirent& dirent, DirectoryEntry* entry) {
    const bool good = complete_ && expected_ == 0 && first_slot_ != kNoSlot && ended_at_ != 0 &&
                      ended_at_ <= kMaxNameChars && checksum_ == ShortNameChecksum(dirent.name);
    complete_ = false;
    if (good) entry->long_name.name.Length = static_cast<USHORT>(ended_at_ * sizeof(WCHAR));
    return good;
  }

  bool collecting() const { return expected_ != 0 || complete_; }
  ULONG first_slot() const { return first_slot_; }

 private:
  static constexpr ULONG kNoSlot = 0xFFFFFFFF;
  ULONG expected_ = 0;
  ULONG first_slot_ = kNoSlot;
  ULONG ended_at_ = 0;
  UCHAR checksum_ = 0;
  bool complete_ = false;
};

}  // namespace

NTSTATUS OpenDirectoryStream(Fcb& directory) {
  if (directory.stream != nullptr) return STATUS_SUCCESS;
  Vcb& vcb = *directory.vcb;
  ULONGLONG bytes = vcb.geometry.root_bytes;
  if (directory.kind != FcbKind::kRoot || vcb.geometry.type == FatType::k32) {
    const NTSTATUS status = LoadWholeChain(directory);
    if (!NT_SUCCESS(status)) return status;
    bytes = static_cast<ULONGLONG>(directory.known_clusters) << vcb.geometry.cluster_shift;
    if (bytes == 0) return STATUS_FILE_CORRUPT_ERROR;
  }
  directory.header.AllocationSize.QuadPart = static_cast<LONGLONG>(bytes);
  directory.header.FileSize.QuadPart = static_cast<LONGLONG>(bytes);
  directory.header.ValidDataLength.QuadPart = MAXLONGLONG;

  PFILE_OBJECT stream = IoCreateStreamFileObject(nullptr, vcb.vpb->RealDevice);
  if (stream == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  stream->Vpb = vcb.vpb;
  stream->FsContext = &directory;
  stream->FsContext2 = nullptr;
  stream->SectionObjectPointer = &directory.np->section;
  stream->ReadAccess = TRUE;
  stream->WriteAccess = TRUE;
  stream->DeleteAccess = TRUE;
  ++directory.stream_references;
  CC_FILE_SIZES sizes = CacheSizes(directory);
  const NTSTATUS status = seh::InitializeCacheMap(stream, &sizes, TRUE, &g.callbacks, &directory);
  if (!NT_SUCCESS(status)) {
    ObDereferenceObject(stream);  // its close drops stream_references
    return status;
  }
  directory.stream = stream;
  return STATUS_SUCCESS;
}

NTSTATUS SlotCursor::Read(ULONG offset, Dirent* slot) {
  const ULONG end = DirectoryBytes(directory_);
  if (offset >= end) return STATUS_END_OF_FILE;
  const ULONG base = offset & ~(kViewBytes - 1);
  if (!view_ || base != base_) {
    const ULONG length = Min(kViewBytes, directory_.header.FileSize.LowPart - base);
    FAT_TRY_STATUS(view_.Map(directory_.stream, base, length));
    base_ = base;
  }
  RtlCopyMemory(slot, view_.As<UCHAR>(offset - base), kSlotBytes);
  return STATUS_SUCCESS;
}

NTSTATUS NextEntry(SlotCursor& cursor, ULONG offset, bool want_label, DirectoryEntry* entry) {
  LongNameCollector collector;
  entry->long_name.Clear();
  for (;; offset += kSlotBytes) {
    const NTSTATUS status = cursor.Read(offset, &entry->dirent);
    if (status == STATUS_END_OF_FILE) return STATUS_NO_MORE_FILES;
    if (!NT_SUCCESS(status)) return status;
    const Dirent& dirent = entry->dirent;
    if (dirent.name[0] == kSlotEnd) return STATUS_NO_MORE_FILES;
    if (dirent.name[0] == kSlotDeleted) {
      collector = LongNameCollector();
      continue;
    }
    if ((dirent.attributes & 0x3F) == kAttrLfn) {
      collector.Add(reinterpret_cast<const LfnSlot&>(dirent), offset, entry);
      continue;
    }
    const bool label = (dirent.attributes & kAttrVolumeId) != 0;
    if (label != want_label) {
      collector = LongNameCollector();
      continue;
    }
    entry->dirent_slot = offset;
    entry->first_slot = offset;
    if (collector.Finish(dirent, entry)) {
      entry->first_slot = collector.first_slot();
    } else {
      entry->long_name.Clear();
    }
    entry->short_name.Buffer = entry->short_chars;
    entry->short_name.MaximumLength = sizeof(entry->short_chars);
    // Without a long name the short one is the name, in the case NT noted for it.
    DecodeShortName(dirent.name, dirent.nt_case, entry->long_name.name.Length == 0, &entry->short_name);
    if (entry->short_name.Length == 0) continue;
    return STATUS_SUCCESS;
  }
}

NTSTATUS FindEntry(Fcb& directory, const UNICODE_STRING& name, DirectoryEntry* entry) {
  FAT_TRY_STATUS(RequireNameIndex(directory));
  const NameIndex& index = *directory.names;
  SlotCursor cursor(directory);
  const ULONG hash = HashName(name);
  ULONG found = kNoNode;
  // Of two entries with one name, which only a damaged directory has, the first on the medium counts.
  for (ULONG at = NextCandidate(index, hash, kNoNode); at != kNoNode; at = NextCandidate(index, hash, at)) {
    const NameNode& node = index.nodes[at];
    if (found != kNoNode && node.dirent >= index.nodes[found].dirent) continue;
    FAT_TRY_STATUS(NextEntry(cursor, node.first * kSlotBytes, false, entry));
    if (entry->dirent_slot != node.dirent * kSlotBytes) return STATUS_FILE_CORRUPT_ERROR;
    if (NamesEqual(entry->name(), name) || NamesEqual(entry->short_name, name)) found = at;
  }
  if (found == kNoNode) return NT_SUCCESS(index.unreadable) ? STATUS_OBJECT_NAME_NOT_FOUND : index.unreadable;
  return NextEntry(cursor, index.nodes[found].first * kSlotBytes, false, entry);
}

NTSTATUS FindLabel(Fcb& root, DirectoryEntry* entry) {
  FAT_TRY_STATUS(OpenDirectoryStream(root));
  SlotCursor cursor(root);
  const NTSTATUS status = NextEntry(cursor, 0, true, entry);
  return status == STATUS_NO_MORE_FILES ? STATUS_OBJECT_NAME_NOT_FOUND : status;
}

NTSTATUS IsDirectoryEmpty(Fcb& directory, bool* empty) {
  FAT_TRY_STATUS(OpenDirectoryStream(directory));
  SlotCursor cursor(directory);
  Dirent slot;
  *empty = true;
  for (ULONG offset = 0;; offset += kSlotBytes) {
    const NTSTATUS status = cursor.Read(offset, &slot);
    if (status == STATUS_END_OF_FILE || (NT_SUCCESS(status) && slot.name[0] == kSlotEnd)) return STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) return status;
    if (slot.name[0] == kSlotDeleted || slot.name[0] == '.' || (slot.attributes & kAttrVolumeId) != 0) continue;
    *empty = false;
    return STATUS_SUCCESS;
  }
}

}  // namespace fat
