// IRP_MJ_DIRECTORY_CONTROL: enumeration, and the start of change notification.
#include "file_info.h"

namespace fat {
namespace {

/// Everything the eight structures can say of an entry.
struct EntryFacts {
  LARGE_INTEGER creation, access, write;
  LONGLONG size, allocation;
  ULONG attributes;
  ULONGLONG id;
  ULONG index;
  const UNICODE_STRING* name;
  const UNICODE_STRING* short_name;  // empty if the name is short itself
};

template <typename T>
void FillCommon(const EntryFacts& facts, T* info) {
  RtlZeroMemory(info, FIELD_OFFSET(T, FileName));
  info->FileIndex = facts.index;
  info->CreationTime = facts.creation;
  info->LastAccessTime = facts.access;
  info->LastWriteTime = facts.write;
  info->EndOfFile.QuadPart = facts.size;
  info->AllocationSize.QuadPart = facts.allocation;
  info->FileAttributes = facts.attributes;
  info->FileNameLength = facts.name->Length;
}

template <typename T>
void FillShortName(const EntryFacts& facts, T* info) {
  info->ShortNameLength = static_cast<CCHAR>(facts.short_name->Length);
  RtlCopyMemory(info->ShortName, facts.short_name->Buffer, facts.short_name->Length);
}

ULONG FixedBytes(FILE_INFORMATION_CLASS information_class) {
  switch (information_class) {
    case FileDirectoryInformation:
      return FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileName);
    case FileFullDirectoryInformation:
      return FIELD_OFFSET(FILE_FULL_DIR_INFORMATION, FileName);
    case FileIdFullDirectoryInformation:
      return FIELD_OFFSET(FILE_ID_FULL_DIR_INFORMATION, FileName);
    case FileBothDirectoryInformation:
      return FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, FileName);
    case FileIdBothDirectoryInformation:
      return FIELD_OFFSET(FILE_ID_BOTH_DIR_INFORMATION, FileName);
    case FileNamesInformation:
      return FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName);
    default:
      return 0;
  }
}

void FillFixed(const EntryFacts& facts, FILE_INFORMATION_CLASS information_class, UCHAR* at) {
  switch (information_class) {
    case FileDirectoryInformation:
      FillCommon(facts, reinterpret_cast<FILE_DIRECTORY_INFORMATION*>(at));
      break;
    case FileFullDirectoryInformation:
      FillCommon(facts, reinterpret_cast<FILE_FULL_DIR_INFORMATION*>(at));
      break;
    case FileIdFullDirectoryInformation: {
      auto* info = reinterpret_cast<FILE_ID_FULL_DIR_INFORMATION*>(at);
      FillCommon(facts, info);
      info->FileId.QuadPart = static_cast<LONGLONG>(facts.id);
      break;
    }
    case FileBothDirectoryInformation: {
      auto* info = reinterpret_cast<FILE_BOTH_DIR_INFORMATION*>(at);
      FillCommon(facts, info);
      FillShortName(facts, info);
      break;
    }
    case FileIdBothDirectoryInformation: {
      auto* info = reinterpret_cast<FILE_ID_BOTH_DIR_INFORMATION*>(at);
      FillCommon(facts, info);
      FillShortName(facts, info);
      info->FileId.QuadPart = static_cast<LONGLONG>(facts.id);
      break;
    }
    default: {
      auto* info = reinterpret_cast<FILE_NAMES_INFORMATION*>(at);
      RtlZeroMemory(info, FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName));
      info->FileIndex = facts.index;
      info->FileNameLength = facts.name->Length;
      break;
    }
  }
}

/// Facts of an entry; an open file knows better than the medium.
void Describe(Fcb& directory, const DirectoryEntry& entry, const UNICODE_STRING& no_short_name, EntryFacts* facts) {
  Vcb& vcb = *directory.vcb;
  const Dirent& dirent = entry.dirent;
  facts->creation = DecodeTime(dirent.creation_date, dirent.creation_time, dirent.creation_10ms);
  facts->access = DecodeTime(dirent.access_date, 0, 0);
  facts->write = DecodeTime(dirent.write_date, dirent.write_time, 0);
  facts->attributes = dirent.attributes & (kAttrSettable | kAttrDirectory);
  facts->size = entry.is_directory() ? 0 : dirent.size;
  facts->allocation = entry.is_directory() ? 0 : RoundToCluster(vcb, dirent.size);
  facts->id = FileIdOfEntry(directory, entry);
  facts->index = entry.dirent_slot;
  facts->name = &entry.name();
  facts->short_name = entry.long_name.name.Length != 0 ? &entry.short_name : &no_short_name;
  if (const Fcb* fcb = FindFcb(directory, entry.dirent_slot); fcb != nullptr && dirent.name[0] != '.') {
    facts->creation = fcb->creation_time;
    facts->access = fcb->access_time;
    facts->write = fcb->write_time;
    facts->attributes = fcb->attributes & (kAttrSettable | kAttrDirectory);
    if (!fcb->is_directory()) {
      facts->size = fcb->file_size();
      facts->allocation = fcb->header.AllocationSize.QuadPart;
    }
  }
  if (facts->attributes == 0) facts->attributes = FILE_ATTRIBUTE_NORMAL;
}

/// The pattern is frozen by the first query of a handle.
NTSTATUS StartQuery(Ccb& ccb, PUNICODE_STRING pattern) {
  if (ccb.query_started) return STATUS_SUCCESS;
  const bool all =
      pattern == nullptr || pattern->Length == 0 || (pattern->Length == sizeof(WCHAR) && pattern->Buffer[0] == L'*');
  if (!all) {
    FAT_TRY_STATUS(DuplicateString(*pattern, &ccb.pattern));
    RtlUpcaseUnicodeString(&ccb.pattern, &ccb.pattern, FALSE);
  }
  ccb.match_all = all;
  ccb.match_one = !all && ccb.pattern.Buffer[0] != L'.' && !FsRtlDoesNameContainWildCards(&ccb.pattern);
  ccb.query_started = true;
  ccb.query_offset = 0;
  return STATUS_SUCCESS;
}

NTSTATUS Matches(const Ccb& ccb, const DirectoryEntry& entry, bool* matches) {
  *matches = true;
  if (ccb.match_all) return STATUS_SUCCESS;
  BOOLEAN result = FALSE;
  UNICODE_STRING pattern = ccb.pattern;
  UNICODE_STRING name = entry.name();
  FAT_TRY_STATUS(seh::IsNameInExpression(&pattern, &name, &result));
  if (!result && entry.long_name.name.Length != 0) {
    UNICODE_STRING short_name = entry.short_name;
    FAT_TRY_STATUS(seh::IsNameInExpression(&pattern, &short_name, &result));
  }
  *matches = result != FALSE;
  return STATUS_SUCCESS;
}

struct Query {
  Fcb& directory;
  Ccb& ccb;
  FILE_INFORMATION_CLASS information_class;
  UCHAR* buffer;
  ULONG room;
  bool single;
  ULONG used = 0;         // bytes to report
  ULONG next = 0;         // where the next entry goes
  ULONG* link = nullptr;  // NextEntryOffset of the entry before
  ULONG link_at = 0;
};

/// Puts an entry. @returns STATUS_NO_MORE_ENTRIES if the buffer is full, STATUS_BUFFER_OVERFLOW if the name was cut
NTSTATUS Put(Query& query, const EntryFacts& facts) {
  const ULONG fixed = FixedBytes(query.information_class);
  const ULONG bytes = fixed + facts.name->Length;
  const bool first = query.link == nullptr;
  if (query.next > query.room || bytes > query.room - query.next) {
    if (!first) return STATUS_NO_MORE_ENTRIES;
    if (query.room < fixed) return STATUS_BUFFER_TOO_SMALL;
  }
  UCHAR* at = query.buffer + query.next;
  FillFixed(facts, query.information_class, at);
  const ULONG name_bytes = Min(static_cast<ULONG>(facts.name->Length), query.room - query.next - fixed);
  RtlCopyMemory(at + fixed, facts.name->Buffer, name_bytes);
  if (query.link != nullptr) *query.link = query.next - query.link_at;
  query.link = reinterpret_cast<ULONG*>(at);  // NextEntryOffset comes first in every class
  query.link_at = query.next;
  query.used = query.next + fixed + name_bytes;
  query.next = (query.used + 7) & ~7u;
  return name_bytes == facts.name->Length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

/// A pattern that is a name: no need to look at all the others.
NTSTATUS FindOne(Query& query, DirectoryEntry* entry) {
  UNICODE_STRING no_short_name;
  RtlZeroMemory(&no_short_name, sizeof(no_short_name));
  query.ccb.query_offset = kMaxDirectoryBytes;
  const NTSTATUS status = FindEntry(query.directory, query.ccb.pattern, entry);
  if (status == STATUS_OBJECT_NAME_NOT_FOUND) return STATUS_NO_MORE_FILES;
  if (!NT_SUCCESS(status)) return status;
  EntryFacts facts;
  Describe(query.directory, *entry, no_short_name, &facts);
  return Put(query, facts);
}

NTSTATUS Enumerate(Query& query, DirectoryEntry* entry) {
  if (query.ccb.match_one && query.ccb.query_offset == 0) return FindOne(query, entry);
  UNICODE_STRING no_short_name;
  RtlZeroMemory(&no_short_name, sizeof(no_short_name));
  SlotCursor cursor(query.directory);
  for (;;) {
    NTSTATUS status = NextEntry(cursor, query.ccb.query_offset, false, entry);
    if (!NT_SUCCESS(status)) return query.used != 0 ? STATUS_SUCCESS : status;
    bool matches;
    FAT_TRY_STATUS(Matches(query.ccb, *entry, &matches));
    if (matches) {
      EntryFacts facts;
      Describe(query.directory, *entry, no_short_name, &facts);
      status = Put(query, facts);
      if (status == STATUS_NO_MORE_ENTRIES) return STATUS_SUCCESS;
      if (status != STATUS_SUCCESS && status != STATUS_BUFFER_OVERFLOW) return status;
    }
    query.ccb.query_offset = entry->dirent_slot + kSlotBytes;
    if (matches && (query.single || status == STATUS_BUFFER_OVERFLOW)) return status;
  }
}

NTSTATUS QueryDirectory(IrpContext& context, Fcb& directory, Ccb& ccb) {
  PIRP irp = context.irp;
  PIO_STACK_LOCATION stack = context.stack();
  const auto& parameters = stack->Parameters.QueryDirectory;
  if (!context.can_wait) return STATUS_CANT_WAIT;
  if (FixedBytes(parameters.FileInformationClass) == 0) return STATUS_INVALID_INFO_CLASS;
  if (directory.unlinked) return STATUS_DELETE_PENDING;

  FAT_TRY_STATUS(LockUserBuffer(irp, IoWriteAccess, parameters.Length));
  PVOID buffer;
  FAT_TRY_STATUS(MapUserBuffer(irp, &buffer));
  PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  DirectoryEntry* entry = memory.As<DirectoryEntry>();
  entry->long_name.Clear();

  SharedGuard volume(context.vcb->resource);
  ExclusiveGuard guard(directory.np->resource);  // the position in the Ccb moves
  FAT_TRY_STATUS(OpenDirectoryStream(directory));
  const bool first_query = !ccb.query_started;
  FAT_TRY_STATUS(StartQuery(ccb, reinterpret_cast<PUNICODE_STRING>(parameters.FileName)));
  bool restarted = first_query;
  if ((stack->Flags & SL_RESTART_SCAN) != 0) {
    ccb.query_offset = 0;
    restarted = true;
  } else if ((stack->Flags & SL_INDEX_SPECIFIED) != 0) {
    ccb.query_offset = (parameters.FileIndex & ~(kSlotBytes - 1)) + kSlotBytes;  // what follows that entry
  }
  Query query{directory,
              ccb,
              parameters.FileInformationClass,
              static_cast<UCHAR*>(buffer),
              parameters.Length,
              (stack->Flags & SL_RETURN_SINGLE_ENTRY) != 0};
  NTSTATUS status = Enumerate(query, entry);
  if (status == STATUS_NO_MORE_FILES && restarted) status = STATUS_NO_SUCH_FILE;
  irp->IoStatus.Information = NT_ERROR(status) ? 0 : query.used;
  return status;
}

NTSTATUS NotifyDirectory(IrpContext& context, Fcb& directory, Ccb& ccb) {
  PIO_STACK_LOCATION stack = context.stack();
  Vcb& vcb = *context.vcb;
  SharedGuard volume(vcb.resource);
  ExclusiveGuard guard(directory.np->resource);
  if (directory.unlinked || directory.delete_pending) return STATUS_DELETE_PENDING;
  if (ccb.notify_name.Buffer == nullptr) {
    USHORT last;
    FAT_TRY_STATUS(FullPath(directory, &ccb.notify_name, &last));
  }
  return seh::NotifyChangeDirectory(vcb.notify_sync, &vcb.notify_list, &ccb,
                                    reinterpret_cast<PSTRING>(&ccb.notify_name), (stack->Flags & SL_WATCH_TREE) != 0,
                                    stack->Parameters.NotifyDirectory.CompletionFilter, context.irp);
}

}  // namespace

NTSTATUS DirectoryControl(IrpContext& context) {
  PFILE_OBJECT file = context.stack()->FileObject;
  Fcb& fcb = *FcbOf(file);
  Ccb* ccb = CcbOf(file);
  if (ccb == nullptr || !fcb.is_directory()) return STATUS_INVALID_PARAMETER;
  FAT_TRY_STATUS(VerifyVolume(context, ccb));
  switch (context.minor) {
    case IRP_MN_QUERY_DIRECTORY:
      return QueryDirectory(context, fcb, *ccb);
    case IRP_MN_NOTIFY_CHANGE_DIRECTORY:
      return NotifyDirectory(context, fcb, *ccb);
    default:
      return STATUS_INVALID_DEVICE_REQUEST;
  }
}

}  // namespace fat
