// Directory change notification. A record is one open directory's watch, in the volume's NotifyList; it queues IRPs and, while
// none waits, buffers changes.
//
// NOTIFY_SYNC points to a NotifySync, whose lock (rank kNotify) guards every list of its volume. IRPs are completed and
// callbacks (traverse, filter) called without it; a record that is looked at then is kept by a reference.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "src/base/lock.h"
#include "src/base/ref_ptr.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/io/io.h"
#include "src/ldr/call.h"
#include "src/mm/mm.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::fsrtl {
namespace {

struct NotifySync : RefCounted<NotifySync> {
  Lock lock{LockRank::kNotify};
};

struct NotifyRecord;
/// The standard-layout part, by which a record is in a list of the driver's.
struct NotifyLink {
  LIST_ENTRY entry;
  NotifyRecord* record;
};

struct NotifyRecord : RefCounted<NotifyRecord> {
  ~NotifyRecord() {
    if (subject) {
      se::ReleaseSubjectContext(subject);
      ex::FreePool(subject);
    }
  }

  // All but the constants below: guarded by sync->lock.
  NotifyLink link;               // NotifyList; self-linked once removed
  LIST_ENTRY irps;               // IRP::Tail.Overlay.ListEntry
  std::string directory;         // full name, bytes as given
  std::vector<char> changes;     // buffered FILE_NOTIFY_INFORMATION
  size_t last_entry = 0;         // offset of the last one
  bool overflowed = false;
  // constants
  RefPtr<NotifySync> sync;
  void* fs_context = nullptr;    // the watch's name: usually the handle's context
  void* stream = nullptr;        // FsContext of its file object
  size_t character_bytes = sizeof(WCHAR);
  ULONG filter = 0;
  ULONG buffer_bytes = 0;
  bool watch_tree = false, ignore_buffer = false;
  PCHECK_FOR_TRAVERSE_ACCESS traverse = nullptr;
  PFILTER_REPORT_CHANGE filter_callback = nullptr;
  PSECURITY_SUBJECT_CONTEXT subject = nullptr;
};

struct Completion {
  PIRP irp;
  NTSTATUS status;
  ULONG_PTR information;
};

void Complete(const std::vector<Completion>& completions) {
  for (const Completion& done : completions) {
    done.irp->IoStatus.Status = done.status;
    done.irp->IoStatus.Information = done.information;
    io::CompleteRequest(done.irp, IO_DISK_INCREMENT);
  }
}

NotifySync* SyncOf(PNOTIFY_SYNC sync) { return static_cast<NotifySync*>(sync); }

ULONG BufferBytes(PIRP irp) { return IoGetCurrentIrpStackLocation(irp)->Parameters.NotifyDirectory.Length; }

/// Where the changes go. The requestor may be another process than the one that reports, so a plain user buffer gets a system
/// buffer, which the I/O manager copies at completion. @returns nullptr: out of memory
char* OutputOf(PIRP irp) {
  if (irp->AssociatedIrp.SystemBuffer) return static_cast<char*>(irp->AssociatedIrp.SystemBuffer);
  if (irp->MdlAddress) return static_cast<char*>(mm::GetSystemAddressForMdl(irp->MdlAddress));
  void* const buffer = ex::AllocatePoolWithTag(NonPagedPoolNx, BufferBytes(irp), 'nrsF');
  if (!buffer) return nullptr;
  irp->AssociatedIrp.SystemBuffer = buffer;
  irp->Flags |= IRP_BUFFERED_IO | IRP_INPUT_OPERATION | IRP_DEALLOCATE_BUFFER;
  return static_cast<char*>(buffer);
}

NotifyRecord* FindLocked(PLIST_ENTRY list, void* fs_context) {
  for (PLIST_ENTRY entry = list->Flink; entry != list; entry = entry->Flink) {
    auto* const record = CONTAINING_RECORD(entry, NotifyLink, entry)->record;
    if (record->fs_context == fs_context) return record;
  }
  return nullptr;
}

/// The first IRP that is not being cancelled. Its reference to the record goes; the caller has one, or the list.
PIRP TakeIrpLocked(NotifyRecord* record) {
  for (PLIST_ENTRY entry = record->irps.Flink; entry != &record->irps; entry = entry->Flink) {
    auto* const irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (!IoSetCancelRoutine(irp, nullptr)) continue;
    RemoveEntryList(entry);
    record->ReleaseRef();
    return irp;
  }
  return nullptr;
}

void EndIrpsLocked(NotifyRecord* record, NTSTATUS status, std::vector<Completion>* completions) {
  while (PIRP irp = TakeIrpLocked(record)) completions->push_back({irp, status, 0});
}

void NTIO_MS_ABI Cancel(PDEVICE_OBJECT, PIRP irp) {
  io::ReleaseCancelSpinLock(irp->CancelIrql);
  const auto record = RefPtr<NotifyRecord>::Adopt(reinterpret_cast<NotifyRecord*>(irp->IoStatus.Information));
  {
    LockGuard guard(record->sync->lock);
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  }
  Complete({{irp, STATUS_CANCELLED, 0}});
}

/// Moves what is buffered into an IRP.
void DeliverLocked(NotifyRecord* record, PIRP irp, std::vector<Completion>* completions) {
  NTSTATUS status = STATUS_NOTIFY_ENUM_DIR;
  ULONG_PTR information = 0;
  if (!record->overflowed && !record->changes.empty() && record->changes.size() <= BufferBytes(irp)) {
    if (char* const output = OutputOf(irp)) {
      memcpy(output, record->changes.data(), record->changes.size());
      status = STATUS_SUCCESS;
      information = record->changes.size();
    }
  }
  record->changes.clear();
  record->overflowed = false;
  completions->push_back({irp, status, information});
}

void RemoveRecordLocked(NotifyRecord* record, std::vector<Completion>* completions) {
  EndIrpsLocked(record, STATUS_NOTIFY_CLEANUP, completions);
  RemoveEntryList(&record->link.entry);
  InitializeListHead(&record->link.entry);
}

// --- reports --------------------------------------------------------------------------------------------------------------------

std::string_view Bytes(PSTRING string) { return string ? std::string_view(string->Buffer, string->Length) : std::string_view(); }

/// A change as the report gives it.
struct Change {
  std::string_view target;       // full name
  std::string_view parent;       // its directory, without the last separator unless it is the root
  std::string_view name;         // its last component
  std::string_view stream;
  ULONG filter, action;
};

bool IsSeparator(std::string_view text, size_t at, size_t character_bytes) {
  if (at + character_bytes > text.size() || text[at] != '\\') return false;
  return character_bytes == 1 || text[at + 1] == 0;
}

enum class Where { kElsewhere, kInDirectory, kBelow };

/// @param relative  the parent's name relative to the watched directory, when below
Where Locate(const NotifyRecord& record, const Change& change, std::string_view* relative) {
  const std::string_view directory = record.directory;
  const size_t width = record.character_bytes;
  if (change.parent == directory) return Where::kInDirectory;
  if (!record.watch_tree || change.parent.size() < directory.size() || !change.parent.starts_with(directory))
    return Where::kElsewhere;
  size_t rest = directory.size();
  const bool root = directory.size() == width;
  if (!root) {
    if (!IsSeparator(change.parent, rest, width)) return Where::kElsewhere;
    rest += width;
  }
  *relative = change.parent.substr(rest);
  return Where::kBelow;
}

std::u16string Unicode(std::string_view bytes, size_t character_bytes) {
  std::u16string text;
  if (character_bytes == sizeof(WCHAR)) {
    text.resize(bytes.size() / sizeof(WCHAR));
    memcpy(text.data(), bytes.data(), text.size() * sizeof(WCHAR));
  } else {
    for (const char byte : bytes) text += rtl::ToUnicode(rtl::OemPage(), static_cast<unsigned char>(byte));
  }
  return text;
}

void AppendLocked(NotifyRecord* record, const Change& change, std::string_view relative) {
  if (record->overflowed) return;
  if (record->ignore_buffer || record->buffer_bytes == 0) {
    record->overflowed = true;
    return;
  }
  std::u16string name = Unicode(relative, record->character_bytes);
  if (!name.empty()) name += u'\\';
  name += Unicode(change.name, record->character_bytes);
  if (!change.stream.empty()) name += u':' + Unicode(change.stream, record->character_bytes);
  const size_t name_bytes = name.size() * sizeof(WCHAR);
  const size_t header_bytes = FIELD_OFFSET(FILE_NOTIFY_INFORMATION, FileName);
  const size_t start = (record->changes.size() + 3) & ~size_t{3};
  if (start + header_bytes + name_bytes > record->buffer_bytes) {
    record->changes.clear();
    record->overflowed = true;
    return;
  }
  const bool first = record->changes.empty();
  record->changes.resize(start + header_bytes + name_bytes);
  if (!first) {
    const auto next = static_cast<ULONG>(start - record->last_entry);
    memcpy(record->changes.data() + record->last_entry, &next, sizeof next);
  }
  const ULONG fields[3] = {0, change.action, static_cast<ULONG>(name_bytes)};
  memcpy(record->changes.data() + start, fields, sizeof fields);
  memcpy(record->changes.data() + start + header_bytes, name.data(), name_bytes);
  record->last_entry = start;
}

void FreeSubject(PSECURITY_SUBJECT_CONTEXT subject) {
  if (!subject) return;
  se::ReleaseSubjectContext(subject);
  ex::FreePool(subject);
}

/// A name that starts with a backslash shows by its second byte how wide its characters are.
size_t CharacterBytes(std::string_view name) {
  return name.size() >= 2 && name[1] != 0 ? 1 : name.size() == 1 ? 1 : sizeof(WCHAR);
}

}  // namespace

void NotifyInitializeSync(PNOTIFY_SYNC* sync) { *sync = new NotifySync; }

void NotifyUninitializeSync(PNOTIFY_SYNC* sync) {
  if (!*sync) return;
  SyncOf(*sync)->ReleaseRef();
  *sync = nullptr;
}

void NotifyFilterChangeDirectory(PNOTIFY_SYNC sync_pointer, PLIST_ENTRY list, void* fs_context,
                                 PSTRING full_directory_name, bool watch_tree, bool ignore_buffer,
                                 ULONG completion_filter, PIRP irp, PCHECK_FOR_TRAVERSE_ACCESS traverse,
                                 PSECURITY_SUBJECT_CONTEXT subject, PFILTER_REPORT_CHANGE filter) {
  NotifySync* const sync = SyncOf(sync_pointer);
  std::vector<Completion> completions;
  if (!irp) {
    // The directory is being deleted: every watch of the stream hears of it.
    {
      LockGuard guard(sync->lock);
      for (PLIST_ENTRY entry = list->Flink; entry != list; entry = entry->Flink) {
        auto* const record = CONTAINING_RECORD(entry, NotifyLink, entry)->record;
        if (record->stream == fs_context || record->fs_context == fs_context)
          EndIrpsLocked(record, STATUS_DELETE_PENDING, &completions);
      }
    }
    FreeSubject(subject);
    return Complete(completions);
  }

  const PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
  irp->IoStatus.Status = STATUS_SUCCESS;
  irp->IoStatus.Information = 0;
  if (file->Flags & FO_CLEANUP_COMPLETE) {
    FreeSubject(subject);
    return Complete({{irp, STATUS_NOTIFY_CLEANUP, 0}});
  }
  PSECURITY_SUBJECT_CONTEXT unused = subject;
  bool invalid = false;
  {
    LockGuard guard(sync->lock);
    NotifyRecord* record = FindLocked(list, fs_context);
    if (!record && (completion_filter == 0 || (completion_filter & ~FILE_NOTIFY_VALID_MASK))) {
      invalid = true;
    } else {
      if (!record) {
        record = new NotifyRecord;
        record->link.record = record;
        InitializeListHead(&record->irps);
        record->sync = RefPtr<NotifySync>::Share(sync);
        record->fs_context = fs_context;
        record->stream = file->FsContext;
        record->character_bytes = CharacterBytes(Bytes(full_directory_name));
        record->filter = completion_filter;
        record->buffer_bytes = BufferBytes(irp);
        record->watch_tree = watch_tree;
        record->ignore_buffer = ignore_buffer;
        record->traverse = traverse;
        record->filter_callback = filter;
        record->subject = std::exchange(unused, nullptr);
        InsertTailList(list, &record->link.entry);  // the list has the first reference
      }
      if (full_directory_name) record->directory = Bytes(full_directory_name);  // it may have been renamed
      IoMarkIrpPending(irp);
      if (record->overflowed || !record->changes.empty()) {
        DeliverLocked(record, irp, &completions);
      } else {
        record->AddRef();
        irp->IoStatus.Information = reinterpret_cast<ULONG_PTR>(record);
        InsertTailList(&record->irps, &irp->Tail.Overlay.ListEntry);
        IoSetCancelRoutine(irp, Cancel);
        if (__atomic_load_n(&irp->Cancel, __ATOMIC_SEQ_CST) && IoSetCancelRoutine(irp, nullptr)) {
          RemoveEntryList(&irp->Tail.Overlay.ListEntry);
          record->ReleaseRef();
          completions.push_back({irp, STATUS_CANCELLED, 0});
        }
      }
    }
  }
  FreeSubject(unused);
  if (invalid) {
    IoMarkIrpPending(irp);
    completions.push_back({irp, STATUS_INVALID_PARAMETER, 0});
  }
  Complete(completions);
}

void NotifyFilterReportChange(PNOTIFY_SYNC sync_pointer, PLIST_ENTRY list, PSTRING full_target_name,
                              USHORT target_name_offset, PSTRING stream_name, PSTRING normalized_parent_name,
                              ULONG filter_match, ULONG action, void* target_context, void* filter_context) {
  NotifySync* const sync = SyncOf(sync_pointer);
  Change change{};
  change.target = Bytes(full_target_name);
  const size_t width = CharacterBytes(change.target);
  const size_t offset = target_name_offset;
  change.name = change.target.substr(std::min(offset, change.target.size()));
  if (normalized_parent_name && normalized_parent_name->Length) {
    change.parent = Bytes(normalized_parent_name);
  } else {
    // Without its last separator, but the root keeps it.
    change.parent = change.target.substr(0, offset);
    if (change.parent.size() > width) change.parent.remove_suffix(width);
  }
  change.stream = Bytes(stream_name);
  change.filter = filter_match;
  change.action = action;

  struct Hit {
    RefPtr<NotifyRecord> record;
    std::string relative;
    bool below;
  };
  std::vector<Hit> hits;
  {
    LockGuard guard(sync->lock);
    for (PLIST_ENTRY entry = list->Flink; entry != list; entry = entry->Flink) {
      auto* const record = CONTAINING_RECORD(entry, NotifyLink, entry)->record;
      if (!(record->filter & filter_match)) continue;
      std::string_view relative;
      const Where where = Locate(*record, change, &relative);
      if (where != Where::kElsewhere)
        hits.push_back({RefPtr<NotifyRecord>::Share(record), std::string(relative), where == Where::kBelow});
    }
  }
  std::vector<Completion> completions;
  for (const Hit& hit : hits) {
    NotifyRecord* const record = hit.record.get();
    if (hit.below && record->traverse &&
        !CallDriver(record->traverse, record->fs_context, target_context, record->subject))
      continue;
    if (record->filter_callback && filter_context &&
        !CallDriver(record->filter_callback, record->fs_context, filter_context))
      continue;
    LockGuard guard(sync->lock);
    if (IsListEmpty(&record->link.entry)) continue;  // cleaned up meanwhile
    AppendLocked(record, change, hit.relative);
    // An old name is told together with the new one, which follows at once.
    if (action == FILE_ACTION_RENAMED_OLD_NAME && !record->overflowed) continue;
    if (PIRP irp = TakeIrpLocked(record)) {
      DeliverLocked(record, irp, &completions);
      EndIrpsLocked(record, STATUS_NOTIFY_ENUM_DIR, &completions);
    }
  }
  Complete(completions);
}

void NotifyCleanup(PNOTIFY_SYNC sync_pointer, PLIST_ENTRY list, void* fs_context) {
  if (!sync_pointer) return;
  NotifySync* const sync = SyncOf(sync_pointer);
  std::vector<Completion> completions;
  RefPtr<NotifyRecord> record;
  {
    LockGuard guard(sync->lock);
    record = RefPtr<NotifyRecord>::Adopt(FindLocked(list, fs_context));  // the list's reference
    if (record) RemoveRecordLocked(record.get(), &completions);
  }
  Complete(completions);
}

void NotifyCleanupAll(PNOTIFY_SYNC sync_pointer, PLIST_ENTRY list) {
  if (!sync_pointer) return;
  NotifySync* const sync = SyncOf(sync_pointer);
  std::vector<Completion> completions;
  std::vector<RefPtr<NotifyRecord>> records;
  {
    LockGuard guard(sync->lock);
    while (!IsListEmpty(list)) {
      auto* const record = CONTAINING_RECORD(list->Flink, NotifyLink, entry)->record;
      RemoveRecordLocked(record, &completions);
      records.push_back(RefPtr<NotifyRecord>::Adopt(record));
    }
  }
  Complete(completions);
}

}  // namespace nt::fsrtl
