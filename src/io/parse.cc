// Opening: the parse procedure of device objects builds the file object and sends IRP_MJ_CREATE.
//
// Order: count the open of the device; mount or find the volume and count its VPB; pick the top of the stack; build the file
// object and the IRP; send, and always wait. A failed create gets no cleanup and no close. STATUS_REPARSE goes back to the
// object manager with a new name, or (IO_REMOUNT) starts here again.
#include <algorithm>
#include <cstring>

#include "src/io/internal.h"

namespace nt::io {
namespace {

constexpr ACCESS_MASK kDirectOpenAccess = SYNCHRONIZE | FILE_READ_ATTRIBUTES | READ_CONTROL | ACCESS_SYSTEM_SECURITY |
                                          WRITE_OWNER | WRITE_DAC;
constexpr int kMaxRemounts = 8;

ULONG FlagsFromOptions(const OpenPacket& packet, ULONG attributes) {
  ULONG flags = 0;
  if (packet.options & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)) flags |= FO_SYNCHRONOUS_IO;
  if (packet.options & FILE_SYNCHRONOUS_IO_ALERT) flags |= FO_ALERTABLE_IO;
  if (packet.options & FILE_NO_INTERMEDIATE_BUFFERING) flags |= FO_NO_INTERMEDIATE_BUFFERING;
  if (packet.options & FILE_WRITE_THROUGH) flags |= FO_WRITE_THROUGH;
  if (packet.options & FILE_SEQUENTIAL_ONLY) flags |= FO_SEQUENTIAL_ONLY;
  if (packet.options & FILE_RANDOM_ACCESS) flags |= FO_RANDOM_ACCESS;
  if (packet.options & FILE_DISALLOW_EXCLUSIVE) flags |= FO_DISALLOW_EXCLUSIVE;
  if (!(attributes & OBJ_CASE_INSENSITIVE)) flags |= FO_OPENED_CASE_SENSITIVE;
  return flags;
}

/// The file object of a try that failed: nothing is to be sent for it.
void DropFile(File* file) {
  file->opened = false;
  ob::DereferenceObject(file);
}

Status CopyName(FILE_OBJECT* file, const UNICODE_STRING* name) {
  if (name->Length == 0) return STATUS_SUCCESS;
  const auto bytes = static_cast<USHORT>(name->Length < 0xffc0 ? (name->Length + 0x3f) & ~0x3f : name->Length);
  file->FileName.Buffer = static_cast<WCHAR*>(ex::AllocatePool(PagedPool, bytes, 'mNoI'));
  if (!file->FileName.Buffer) return STATUS_INSUFFICIENT_RESOURCES;
  file->FileName.Length = name->Length;
  file->FileName.MaximumLength = bytes;
  std::memcpy(file->FileName.Buffer, name->Buffer, name->Length);
  return STATUS_SUCCESS;
}

/// A name buffer that the object manager frees.
Status ReplaceName(UNICODE_STRING* complete_name, const std::u16string& text) {
  if (text.size() > 0x7ff0) return STATUS_NAME_TOO_LONG;
  const auto bytes = static_cast<USHORT>(text.size() * sizeof(WCHAR));
  auto* buffer = static_cast<WCHAR*>(ex::AllocatePool(PagedPool, bytes + sizeof(WCHAR), 'mNoI'));
  if (!buffer) return STATUS_INSUFFICIENT_RESOURCES;
  std::memcpy(buffer, text.data(), bytes);
  complete_name->Buffer = buffer;
  complete_name->Length = bytes;
  complete_name->MaximumLength = static_cast<USHORT>(bytes + sizeof(WCHAR));
  return STATUS_REPARSE;
}

std::u16string Text(const UNICODE_STRING& string) {
  return string.Buffer ? std::u16string(string.Buffer, string.Length / sizeof(WCHAR)) : std::u16string();
}

/// The new name that a mount point or symbolic link leads to. @param opened  the name that the driver was given
Status FollowReparsePoint(const REPARSE_DATA_BUFFER* data, const std::u16string& opened, UNICODE_STRING* complete_name) {
  const WCHAR* path;
  ULONG offset, length;
  bool relative = false;
  if (data->ReparseTag == IO_REPARSE_TAG_MOUNT_POINT) {
    path = data->MountPointReparseBuffer.PathBuffer;
    offset = data->MountPointReparseBuffer.SubstituteNameOffset;
    length = data->MountPointReparseBuffer.SubstituteNameLength;
  } else if (data->ReparseTag == IO_REPARSE_TAG_SYMLINK) {
    path = data->SymbolicLinkReparseBuffer.PathBuffer;
    offset = data->SymbolicLinkReparseBuffer.SubstituteNameOffset;
    length = data->SymbolicLinkReparseBuffer.SubstituteNameLength;
    relative = data->SymbolicLinkReparseBuffer.Flags & SYMLINK_FLAG_RELATIVE;
  } else {
    return STATUS_IO_REPARSE_TAG_NOT_HANDLED;
  }
  if (offset + length > data->ReparseDataLength) return STATUS_IO_REPARSE_DATA_INVALID;
  std::u16string target(path + offset / sizeof(WCHAR), length / sizeof(WCHAR));
  // Reserved holds the length of what the driver did not parse.
  const size_t unparsed = data->Reserved / sizeof(WCHAR);
  if (unparsed > opened.size()) return STATUS_IO_REPARSE_DATA_INVALID;
  const std::u16string rest = opened.substr(opened.size() - unparsed);
  if (relative) {
    const std::u16string complete = Text(*complete_name);
    if (complete.size() < unparsed) return STATUS_IO_REPARSE_DATA_INVALID;
    std::u16string base = complete.substr(0, complete.size() - unparsed);
    while (!base.empty() && base.back() == u'\\') base.pop_back();
    base.resize(base.find_last_of(u'\\') + 1);
    // "." and ".." of the link's text are resolved here: no file system does.
    std::u16string result = base;
    size_t at = 0;
    while (at <= target.size()) {
      const size_t end = std::min(target.find(u'\\', at), target.size());
      const std::u16string part = target.substr(at, end - at);
      if (part == u"..") {
        if (!result.empty() && result.back() == u'\\') result.pop_back();
        result.resize(result.find_last_of(u'\\') + 1);
      } else if (part != u"." && !part.empty()) {
        result += part + u"\\";
      }
      at = end + 1;
    }
    if (!result.empty() && result.back() == u'\\') result.pop_back();
    target = std::move(result);
  }
  if (!rest.empty() && rest[0] != u'\\' && (target.empty() || target.back() != u'\\')) target += u'\\';
  return ReplaceName(complete_name, target + rest);
}

enum class Next { kDone, kRemount };

struct Open {
  OpenPacket& packet;
  DEVICE_OBJECT* device;    // the named one, or that of the related file
  PACCESS_STATE access_state;
  KPROCESSOR_MODE mode;
  ULONG attributes;
  UNICODE_STRING* complete_name;
  UNICODE_STRING* remaining_name;
  PSECURITY_QUALITY_OF_SERVICE quality;
  void** object;
};

/// Fast I/O's by-path query: the IRP is filled in and not sent. @returns whether the driver answered
bool TryQueryOpen(OpenPacket& packet, DEVICE_OBJECT* top, IRP* irp) {
  auto* query = FastIoEntry<&FAST_IO_DISPATCH::FastIoQueryOpen>(top);
  if (!query) return false;
  IoSetNextIrpStackLocation(irp);
  CurrentLocation(irp)->DeviceObject = top;
  if (CallFastIo<&FAST_IO_DISPATCH::FastIoQueryOpen>(query, irp, packet.query, top) &&
      irp->IoStatus.Status != STATUS_REPARSE)
    return true;
  IoSkipCurrentIrpStackLocation(irp);
  return false;
}

Status QueryNetworkInformation(File* file, OpenPacket& packet) {
  DEVICE_OBJECT* top = GetRelatedDeviceObject(&file->nt);
  IO_STATUS_BLOCK result{};
  auto* fast = FastIoEntry<&FAST_IO_DISPATCH::FastIoQueryNetworkOpenInfo>(top);
  if (fast && CallFastIo<&FAST_IO_DISPATCH::FastIoQueryNetworkOpenInfo>(fast, &file->nt, static_cast<BOOLEAN>(TRUE),
                                                                        packet.query, &result, top))
    return result.Status;
  ULONG returned;
  Status status = QueryFileInformation(&file->nt, FileNetworkOpenInformation, sizeof *packet.query, packet.query, &returned);
  if (status != STATUS_INVALID_PARAMETER && status != STATUS_NOT_IMPLEMENTED && status != STATUS_INVALID_DEVICE_REQUEST)
    return status;
  // A file system that does not know the class: the same from its parts.
  FILE_BASIC_INFORMATION basic;
  FILE_STANDARD_INFORMATION standard;
  NT_TRY(QueryFileInformation(&file->nt, FileBasicInformation, sizeof basic, &basic, &returned));
  NT_TRY(QueryFileInformation(&file->nt, FileStandardInformation, sizeof standard, &standard, &returned));
  packet.query->CreationTime = basic.CreationTime;
  packet.query->LastAccessTime = basic.LastAccessTime;
  packet.query->LastWriteTime = basic.LastWriteTime;
  packet.query->ChangeTime = basic.ChangeTime;
  packet.query->FileAttributes = basic.FileAttributes;
  packet.query->AllocationSize = standard.AllocationSize;
  packet.query->EndOfFile = standard.EndOfFile;
  return STATUS_SUCCESS;
}

/// One create request to the top of one stack. Counts are taken over by the file object.
Status SendCreate(const Open& open, DEVICE_OBJECT* volume, VPB* vpb, bool direct, Next* next) {
  OpenPacket& packet = open.packet;
  *next = Next::kDone;
  const auto undo = [&](Status status) {
    if (vpb) DereferenceVpb(vpb);
    UncountOpen(open.device);
    return status;
  };
  DEVICE_OBJECT* top = GetAttachedDevice(volume);
  if (packet.device_hint && IsInStack(top, packet.device_hint)) top = packet.device_hint;
  else if (packet.device_hint) return undo(STATUS_INVALID_DEVICE_OBJECT_PARAMETER);

  File* file;
  Status status = NewFileObject(&file);
  if (!status.ok()) return undo(status);
  ob::ReferenceObject(open.device);
  file->counted_device = open.device;
  file->counted_vpb = vpb;
  FILE_OBJECT* nt = &file->nt;
  nt->DeviceObject = open.device;
  nt->RelatedFileObject = packet.related;
  nt->Flags = FlagsFromOptions(packet, open.attributes);
  if (direct) nt->Flags |= FO_DIRECT_DEVICE_OPEN;
  if (!direct && vpb && open.remaining_name->Length == 0 && !packet.related) nt->Flags |= FO_VOLUME_OPEN;
  if (packet.device_hint) file->top_device_hint = packet.device_hint;
  if (packet.io_options & IO_IGNORE_SHARE_ACCESS_CHECK) file->ignore_sharing = true;
  status = CopyName(nt, open.remaining_name);
  IRP* irp = status.ok() ? AllocateIrp(top->StackSize) : nullptr;
  if (!irp) {
    DropFile(file);
    return status.ok() ? Status(STATUS_INSUFFICIENT_RESOURCES) : status;
  }
  KEVENT event;
  IO_STATUS_BLOCK result{};
  ke::InitializeEvent(&event, SynchronizationEvent, false);
  IO_SECURITY_CONTEXT security{};
  security.SecurityQos = open.quality;
  security.AccessState = open.access_state;
  security.DesiredAccess = open.access_state->RemainingDesiredAccess | open.access_state->PreviouslyGrantedAccess;
  security.FullCreateOptions = packet.options;
  irp->RequestorMode = open.mode;
  irp->Flags = IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API | IRP_DEFER_IO_COMPLETION;
  irp->UserIosb = &result;
  irp->UserEvent = &event;
  irp->Overlay.AllocationSize = packet.allocation;
  irp->AssociatedIrp.SystemBuffer = packet.ea_buffer;
  irp->UserBuffer = packet.ecps;
  irp->Tail.Overlay.OriginalFileObject = nt;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->MajorFunction = packet.type == CreateFileTypeNamedPipe  ? IRP_MJ_CREATE_NAMED_PIPE
                            : packet.type == CreateFileTypeMailslot ? IRP_MJ_CREATE_MAILSLOT
                                                                    : IRP_MJ_CREATE;
  location->FileObject = nt;
  if (packet.io_options & IO_FORCE_ACCESS_CHECK || open.attributes & OBJ_FORCE_ACCESS_CHECK)
    location->Flags |= SL_FORCE_ACCESS_CHECK;
  if (packet.io_options & IO_OPEN_PAGING_FILE) location->Flags |= SL_OPEN_PAGING_FILE;
  if (packet.io_options & IO_OPEN_TARGET_DIRECTORY) location->Flags |= SL_OPEN_TARGET_DIRECTORY;
  if (packet.io_options & IO_STOP_ON_SYMLINK) location->Flags |= SL_STOP_ON_SYMLINK;
  if (!(open.attributes & OBJ_CASE_INSENSITIVE)) location->Flags |= SL_CASE_SENSITIVE;
  location->Parameters.Create.SecurityContext = &security;
  location->Parameters.Create.Options = packet.disposition << 24 | (packet.options & FILE_VALID_OPTION_FLAGS);
  location->Parameters.Create.ShareAccess = static_cast<USHORT>(packet.share);
  if (packet.type == CreateFileTypeNone) {
    location->Parameters.Create.FileAttributes = static_cast<USHORT>(packet.file_attributes);
    location->Parameters.Create.EaLength = packet.ea_length;
  } else {
    location->Parameters.CreatePipe.Parameters = static_cast<NAMED_PIPE_CREATE_PARAMETERS*>(packet.type_parameters);
  }
  packet.parsed = true;
  LinkIrp(irp);
  if (packet.query && TryQueryOpen(packet, top, irp)) {
    packet.final_status = irp->IoStatus.Status;
    packet.information = irp->IoStatus.Information;
    UnlinkIrp(irp, ke::CurrentThread());
    UnpinIrp(irp);
    ReleaseIrp(irp);
    DropFile(file);
    return STATUS_SUCCESS;
  }

  const bool count = StatisticsEnabled();
  if (count) TheStatistics().irp[IRP_MJ_CREATE].sent.fetch_add(1, std::memory_order_relaxed);
  REPARSE_DATA_BUFFER* reparse = nullptr;
  status = CallDriver(top, irp);
  CheckedState::NoteReturned(irp, status);
  if (status == STATUS_PENDING) {
    // The reparse data of a create that pended went with its IRP: such a reparse is answered TAG_NOT_HANDLED.
    ke::WaitFor(&event);
    status = result.Status;
  } else {
    result = irp->IoStatus;
    reparse = reinterpret_cast<REPARSE_DATA_BUFFER*>(std::exchange(irp->Tail.Overlay.AuxiliaryBuffer, nullptr));
    UnlinkIrp(irp, ke::CurrentThread());
    ReleaseIrp(irp);
  }
  if (count && status.is_error()) TheStatistics().irp[IRP_MJ_CREATE].failed.fetch_add(1, std::memory_order_relaxed);
  packet.information = result.Information;

  if (status == STATUS_REPARSE) {
    Status outcome = STATUS_REPARSE;
    const std::u16string name = Text(nt->FileName);
    switch (result.Information) {
      case IO_REMOUNT:
        *next = Next::kRemount;
        break;
      case IO_REPARSE:
        outcome = ReplaceName(open.complete_name, name);
        break;
      default:
        outcome = reparse ? FollowReparsePoint(reparse, name, open.complete_name)
                          : Status(STATUS_IO_REPARSE_TAG_NOT_HANDLED);
    }
    if (reparse) ex::FreePool(reparse);
    DropFile(file);
    return outcome;
  }
  if (reparse) ex::FreePool(reparse);
  if (!NT_SUCCESS(status)) {
    DropFile(file);
    return status;
  }
  file->opened = true;
  packet.final_status = status;
  nt->RelatedFileObject = nullptr;  // valid during the create only, and not referenced beyond it
  if (packet.query || packet.delete_only) {
    if (packet.query) packet.final_status = QueryNetworkInformation(file, packet);
    SendCleanup(file);
    ob::DereferenceObject(file);
    return STATUS_SUCCESS;
  }
  packet.file = nt;
  *open.object = nt;
  return status;
}

Status OpenOnce(const Open& open, Next* next) {
  OpenPacket& packet = open.packet;
  *next = Next::kDone;
  NT_TRY(CountOpen(open.device));
  const ACCESS_MASK access = open.access_state->RemainingDesiredAccess | open.access_state->PreviouslyGrantedAccess;
  const bool related_allows = !packet.related || (packet.related->Flags & FO_DIRECT_DEVICE_OPEN);
  const bool direct = open.device->Vpb && open.remaining_name->Length == 0 && related_allows &&
                      !(access & ~kDirectOpenAccess) && !packet.query && !packet.delete_only;
  VPB* vpb = nullptr;
  DEVICE_OBJECT* volume = open.device;
  if (open.device->Vpb && !direct && !(packet.related && (packet.related->Flags & FO_DIRECT_DEVICE_OPEN))) {
    const bool raw_open = open.remaining_name->Length == 0 && !packet.related;
    Status status = ReferenceMountedVpb(open.device, raw_open, &vpb);
    if (!status.ok()) {
      UncountOpen(open.device);
      return status;
    }
    volume = vpb->DeviceObject;
  }
  return SendCreate(open, volume, vpb, direct, next);
}

}  // namespace

Status ParseDevice(void* parse_object, POBJECT_TYPE type, PACCESS_STATE access_state, KPROCESSOR_MODE mode,
                   ULONG attributes, UNICODE_STRING* complete_name, UNICODE_STRING* remaining_name, void* context,
                   PSECURITY_QUALITY_OF_SERVICE quality, void** object) {
  *object = nullptr;
  auto* packet = static_cast<OpenPacket*>(context);
  if (!packet || packet->tag != OpenPacket::kTag) {
    // Not an open: somebody wants the device object itself.
    if (remaining_name->Length == 0 && (!type || type == IoDeviceObjectType)) {
      ob::ReferenceObject(parse_object);
      *object = parse_object;
      return STATUS_SUCCESS;
    }
    return STATUS_OBJECT_TYPE_MISMATCH;
  }
  auto* device = packet->related ? packet->related->DeviceObject : static_cast<DEVICE_OBJECT*>(parse_object);
  const Open open{*packet, device, access_state, mode, attributes, complete_name, remaining_name, quality, object};
  for (;;) {
    Next next;
    Status status = OpenOnce(open, &next);
    if (next != Next::kRemount) return status;
    if (++packet->remounts > kMaxRemounts) return STATUS_UNSUCCESSFUL;
  }
}

Status ParseFile(void* parse_object, POBJECT_TYPE type, PACCESS_STATE access_state, KPROCESSOR_MODE mode,
                 ULONG attributes, UNICODE_STRING* complete_name, UNICODE_STRING* remaining_name, void* context,
                 PSECURITY_QUALITY_OF_SERVICE quality, void** object) {
  auto* packet = static_cast<OpenPacket*>(context);
  if (!packet || packet->tag != OpenPacket::kTag) {
    if (remaining_name->Length == 0 && (!type || type == IoFileObjectType)) {
      ob::ReferenceObject(parse_object);
      *object = parse_object;
      return STATUS_SUCCESS;
    }
    return STATUS_OBJECT_TYPE_MISMATCH;
  }
  packet->related = static_cast<FILE_OBJECT*>(parse_object);
  Status status = ParseDevice(packet->related->DeviceObject, type, access_state, mode, attributes, complete_name,
                              remaining_name, context, quality, object);
  packet->related = nullptr;
  return status;
}

}  // namespace nt::io
