// NtCreateFile, NtOpenFile, IoCreateFile and the services that open by name for a moment: parameters, capture, and the
// object manager's walk that ends in parse.cc.
#include <cstring>

#include "src/io/internal.h"
#include "src/se/se.h"

namespace nt::io {
namespace {

/// A requestor's OBJECT_ATTRIBUTES, copied.
class Attributes {
 public:
  Status Capture(const OBJECT_ATTRIBUTES* from, KPROCESSOR_MODE mode) {
    if (mode == KernelMode) {
      copy_ = *from;
      return STATUS_SUCCESS;
    }
    return Guarded([&]() -> Status {
      ldr::ProbeForRead(from, sizeof *from, 8);
      copy_ = ldr::ReadUser(from);
      if (copy_.Length != sizeof copy_) return STATUS_INVALID_PARAMETER;
      copy_.Attributes &= OBJ_VALID_ATTRIBUTES & ~static_cast<ULONG>(OBJ_KERNEL_HANDLE);
      if (copy_.ObjectName) {
        name_ = ldr::ReadUser(copy_.ObjectName);
        if (name_.Length & 1) return STATUS_OBJECT_NAME_INVALID;
        ldr::ProbeForRead(name_.Buffer, name_.Length, 2);
        text_.resize(name_.Length / sizeof(WCHAR));
        ldr::CopyFromUser(text_.data(), name_.Buffer, name_.Length);
        name_.Buffer = text_.data();
        name_.MaximumLength = name_.Length;
        copy_.ObjectName = &name_;
      }
      copy_.SecurityDescriptor = nullptr;  // captured by se where one is used: creates pass it in the access state
      copy_.SecurityQualityOfService = nullptr;
      return STATUS_SUCCESS;
    });
  }
  OBJECT_ATTRIBUTES* get() { return &copy_; }

 private:
  OBJECT_ATTRIBUTES copy_;
  UNICODE_STRING name_;
  std::u16string text_;
};

class AccessState {
 public:
  ~AccessState() {
    if (made_) se::DeleteAccessState(&state_);
  }
  Status Create(ACCESS_MASK access, PSECURITY_DESCRIPTOR descriptor) {
    NT_TRY(se::CreateAccessState(&state_, &auxiliary_, access, GetFileObjectGenericMapping()));
    made_ = true;
    state_.SecurityDescriptor = descriptor;
    return STATUS_SUCCESS;
  }
  ACCESS_STATE* get() { return &state_; }

 private:
  ACCESS_STATE state_;
  se::AuxAccessData auxiliary_;
  bool made_ = false;
};

Status CheckParameters(ACCESS_MASK access, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options,
                       CREATE_FILE_TYPE type) {
  constexpr ULONG kSynchronous = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT;
  constexpr ULONG kForDirectory =
      FILE_DIRECTORY_FILE | kSynchronous | FILE_WRITE_THROUGH | FILE_COMPLETE_IF_OPLOCKED | FILE_OPEN_FOR_BACKUP_INTENT |
      FILE_DELETE_ON_CLOSE | FILE_OPEN_FOR_FREE_SPACE_QUERY | FILE_OPEN_BY_FILE_ID | FILE_NO_COMPRESSION |
      FILE_OPEN_REPARSE_POINT | FILE_OPEN_REQUIRING_OPLOCK | FILE_DISALLOW_EXCLUSIVE | FILE_SESSION_AWARE |
      FILE_NO_EA_KNOWLEDGE | FILE_OPEN_NO_RECALL;
  const bool bad =
      (file_attributes & ~static_cast<ULONG>(FILE_ATTRIBUTE_VALID_FLAGS)) ||
      (share & ~static_cast<ULONG>(FILE_SHARE_VALID_FLAGS)) || disposition > FILE_MAXIMUM_DISPOSITION ||
      (options & ~static_cast<ULONG>(FILE_VALID_OPTION_FLAGS)) ||
      ((options & kSynchronous) && !(access & SYNCHRONIZE)) ||  // as asked for: generic rights do not count
      ((options & FILE_DELETE_ON_CLOSE) && !(access & DELETE)) ||
      (options & kSynchronous) == kSynchronous ||
      ((options & FILE_DIRECTORY_FILE) && !(options & FILE_NON_DIRECTORY_FILE) &&
       ((options & ~kForDirectory) ||
        (disposition != FILE_CREATE && disposition != FILE_OPEN && disposition != FILE_OPEN_IF))) ||
      ((options & FILE_DIRECTORY_FILE) && (options & FILE_NON_DIRECTORY_FILE)) ||
      ((options & FILE_COMPLETE_IF_OPLOCKED) && (options & FILE_RESERVE_OPFILTER)) ||
      ((options & FILE_NO_INTERMEDIATE_BUFFERING) && (access & FILE_APPEND_DATA)) ||
      (type != CreateFileTypeNone && (options & ~static_cast<ULONG>(FILE_VALID_PIPE_OPTION_FLAGS)));
  return bad ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/// Opens by name without a handle: packet.query or packet.delete_only.
Status OpenForAMoment(OBJECT_ATTRIBUTES* from, ACCESS_MASK access, OpenPacket& packet) {
  const KPROCESSOR_MODE mode = PreviousMode();
  Attributes attributes;
  NT_TRY(attributes.Capture(from, mode));
  AccessState state;
  NT_TRY(state.Create(access, nullptr));
  void* object = nullptr;
  Status status = ob::LookupByAttributes(attributes.get(), IoFileObjectType, mode, state.get(), &packet, &object);
  if (object) ob::DereferenceObject(object);
  if (!NT_SUCCESS(status)) return status;
  return packet.parsed ? packet.final_status : Status(STATUS_OBJECT_TYPE_MISMATCH);
}

Status QueryByName(OBJECT_ATTRIBUTES* attributes, FILE_NETWORK_OPEN_INFORMATION* information) {
  OpenPacket packet;
  packet.share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  packet.options = FILE_OPEN_REPARSE_POINT;
  packet.query = information;
  return OpenForAMoment(attributes, FILE_READ_ATTRIBUTES, packet);
}

}  // namespace

GENERIC_MAPPING* GetFileObjectGenericMapping() {
  static GENERIC_MAPPING mapping{FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
  return &mapping;
}

Status CreateFile(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* object_attributes, IO_STATUS_BLOCK* iosb,
                  LARGE_INTEGER* allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options,
                  void* ea_buffer, ULONG ea_length, CREATE_FILE_TYPE type, void* parameters, ULONG io_options,
                  IO_DRIVER_CREATE_CONTEXT* context) {
  const KPROCESSOR_MODE mode = io_options & IO_NO_PARAMETER_CHECKING ? static_cast<KPROCESSOR_MODE>(KernelMode)
                                                                     : PreviousMode();
  if (mode != KernelMode || (io_options & IO_CHECK_CREATE_PARAMETERS))
    NT_TRY(CheckParameters(access, file_attributes, share, disposition, options, type));
  OpenPacket packet;
  if (mode != KernelMode) {
    NT_TRY(Guarded([&] {
      ldr::ProbeForWrite(handle, sizeof *handle, 8);
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
      if (allocation) packet.allocation = ldr::ReadUser(allocation);
    }));
  } else if (allocation) {
    packet.allocation = *allocation;
  }
  if (packet.allocation.QuadPart < 0) return STATUS_INVALID_PARAMETER;
  packet.file_attributes = file_attributes;
  packet.share = share;
  packet.disposition = disposition;
  packet.options = options;
  packet.io_options = io_options;
  packet.type = type;
  packet.type_parameters = parameters;
  if (context) {
    packet.ecps = context->ExtraCreateParameter;
    packet.device_hint = static_cast<DEVICE_OBJECT*>(context->DeviceObjectHint);
    packet.transaction = context->TxnParameters;
  }
  Attributes attributes;
  NT_TRY(attributes.Capture(object_attributes, mode));
  AccessState state;
  NT_TRY(state.Create(access, attributes.get()->SecurityDescriptor));

  struct EaBuffer {
    ~EaBuffer() {
      if (memory) ex::FreePool(memory);
    }
    void* memory = nullptr;
  } ea;
  if (ea_buffer && ea_length) {
    ea.memory = ex::AllocatePool(NonPagedPoolNx, ea_length, ' aEI');
    if (!ea.memory) return STATUS_INSUFFICIENT_RESOURCES;
    NT_TRY(Guarded([&] { ldr::CopyFromUser(ea.memory, ea_buffer, ea_length); }));
    ULONG offset;
    NT_TRY(CheckEaBufferValidity(static_cast<FILE_FULL_EA_INFORMATION*>(ea.memory), ea_length, &offset));
    packet.ea_buffer = ea.memory;
    packet.ea_length = ea_length;
  }

  HANDLE opened = nullptr;
  Status status = ob::OpenObjectByName(attributes.get(), IoFileObjectType, mode, state.get(), access, &packet, &opened);
  if (!NT_SUCCESS(status)) return status;
  if (!packet.parsed || !packet.file) {
    ob::Close(opened, KernelMode).Ignore();  // an object of another kind by that name
    return STATUS_OBJECT_TYPE_MISMATCH;
  }
  packet.file->Flags |= FO_HANDLE_CREATED;
  Status written = Guarded([&] {
    ldr::WriteUser(handle, opened);
    IO_STATUS_BLOCK result{};
    result.Status = packet.final_status;
    result.Information = packet.information;
    ldr::WriteUser(iosb, result);
  });
  if (!written.ok()) {
    ob::Close(opened, mode).Ignore();  // just opened
    return written;
  }
  return packet.final_status;
}

Status NtCreateFile(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, IO_STATUS_BLOCK* iosb,
                    LARGE_INTEGER* allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options,
                    void* ea_buffer, ULONG ea_length) {
  return CreateFile(handle, access, attributes, iosb, allocation, file_attributes, share, disposition, options, ea_buffer,
                    ea_length, CreateFileTypeNone, nullptr, 0);
}

Status NtOpenFile(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, IO_STATUS_BLOCK* iosb, ULONG share,
                  ULONG options) {
  return CreateFile(handle, access, attributes, iosb, nullptr, 0, share, FILE_OPEN, options, nullptr, 0,
                    CreateFileTypeNone, nullptr, 0);
}

Status NtDeleteFile(OBJECT_ATTRIBUTES* attributes) {
  OpenPacket packet;
  packet.share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  packet.options = FILE_DELETE_ON_CLOSE;
  packet.delete_only = true;
  return OpenForAMoment(attributes, DELETE, packet);
}

Status NtQueryFullAttributesFile(OBJECT_ATTRIBUTES* attributes, FILE_NETWORK_OPEN_INFORMATION* information) {
  if (PreviousMode() != KernelMode) NT_TRY(Guarded([&] { ldr::ProbeForWrite(information, sizeof *information, 8); }));
  FILE_NETWORK_OPEN_INFORMATION local{};
  NT_TRY(QueryByName(attributes, &local));
  return Guarded([&] { ldr::WriteUser(information, local); });
}

Status NtQueryAttributesFile(OBJECT_ATTRIBUTES* attributes, FILE_BASIC_INFORMATION* information) {
  if (PreviousMode() != KernelMode) NT_TRY(Guarded([&] { ldr::ProbeForWrite(information, sizeof *information, 8); }));
  FILE_NETWORK_OPEN_INFORMATION local{};
  NT_TRY(QueryByName(attributes, &local));
  FILE_BASIC_INFORMATION basic{};
  basic.CreationTime = local.CreationTime;
  basic.LastAccessTime = local.LastAccessTime;
  basic.LastWriteTime = local.LastWriteTime;
  basic.ChangeTime = local.ChangeTime;
  basic.FileAttributes = local.FileAttributes;
  return Guarded([&] { ldr::WriteUser(information, basic); });
}

/// For IoFastQueryNetworkAttributes.
Status QueryNetworkAttributes(OBJECT_ATTRIBUTES* attributes, ACCESS_MASK access, ULONG options,
                              FILE_NETWORK_OPEN_INFORMATION* information) {
  OpenPacket packet;
  packet.share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  packet.options = options;
  packet.query = information;
  return OpenForAMoment(attributes, access, packet);
}

Status CheckEaBufferValidity(FILE_FULL_EA_INFORMATION* buffer, ULONG length, ULONG* error_offset) {
  auto* at = reinterpret_cast<UCHAR*>(buffer);
  ULONG offset = 0;
  const auto bad = [&] {
    *error_offset = offset;
    return STATUS_EA_LIST_INCONSISTENT;
  };
  for (;;) {
    constexpr ULONG kFixed = FIELD_OFFSET(FILE_FULL_EA_INFORMATION, EaName);
    if (length - offset < kFixed) return bad();
    const auto* entry = reinterpret_cast<FILE_FULL_EA_INFORMATION*>(at + offset);
    const ULONG bytes = kFixed + entry->EaNameLength + 1 + entry->EaValueLength;
    if (length - offset < bytes || entry->EaName[entry->EaNameLength] != 0) return bad();
    if (entry->NextEntryOffset == 0) return STATUS_SUCCESS;
    if (entry->NextEntryOffset != ((bytes + 3) & ~3u) || entry->NextEntryOffset > length - offset) return bad();
    offset += entry->NextEntryOffset;
  }
}

}  // namespace nt::io
