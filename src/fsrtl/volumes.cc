// Questions and notices about volumes: sector sizes, events, mirrors, reparse buffers.
#include <cstring>

#include "ntdddisk.h"
#include "ntddstor.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/io_control.h"
#include "src/fsrtl/state.h"

namespace nt::fsrtl {
namespace {

// Controls of fault-tolerant volumes (device type 'f').
constexpr ULONG kFtSyncRedundantCopy = CTL_CODE('f', 4, METHOD_NEITHER, FILE_ANY_ACCESS);
constexpr ULONG kFtBalancedReadMode = CTL_CODE('f', 6, METHOD_NEITHER, FILE_ANY_ACCESS);

struct EventName {
  ULONG code;
  GUID guid;
};
// The documented GUID_IO_VOLUME_* of each FSRTL_VOLUME_*.
constexpr EventName kEvents[] = {
    {FSRTL_VOLUME_DISMOUNT, {0xd16a55e8, 0x1059, 0x11d2, {0x8f, 0xfd, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32}}},
    {FSRTL_VOLUME_DISMOUNT_FAILED, {0xe3c5b178, 0x105d, 0x11d2, {0x8f, 0xfd, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32}}},
    {FSRTL_VOLUME_LOCK, {0x50708874, 0xc9af, 0x11d1, {0x8f, 0xef, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32}}},
    {FSRTL_VOLUME_LOCK_FAILED, {0xae2eed10, 0x0ba8, 0x11d2, {0x8f, 0xfb, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32}}},
    {FSRTL_VOLUME_UNLOCK, {0x9a8c3d68, 0xd0cb, 0x11d1, {0x8f, 0xef, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32}}},
    {FSRTL_VOLUME_MOUNT, {0xb5804878, 0x1a96, 0x11d2, {0x8f, 0xfd, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32}}},
    {FSRTL_VOLUME_NEEDS_CHKDSK, {0x799a0960, 0x0a0b, 0x4e03, {0xad, 0x88, 0x2f, 0xa7, 0xc6, 0xce, 0x74, 0x8a}}},
    {FSRTL_VOLUME_WORM_NEAR_FULL, {0xf3bfff82, 0xf3de, 0x48d2, {0xaf, 0x95, 0x45, 0x7f, 0x80, 0xb7, 0x63, 0xf2}}},
    {FSRTL_VOLUME_WEARING_OUT, {0x873113ca, 0x1486, 0x4508, {0x82, 0xac, 0xc3, 0xb2, 0xe5, 0x29, 0x7a, 0xaa}}},
    {FSRTL_VOLUME_FORCED_CLOSED, {0x411ad84f, 0x433e, 0x4dc2, {0xa5, 0xae, 0x4a, 0x2d, 0x1a, 0x2d, 0xe6, 0x54}}},
    {FSRTL_VOLUME_INFO_MAKE_COMPAT, {0x3ab9a0d2, 0xef80, 0x45cf, {0x8c, 0xdc, 0xcb, 0xe0, 0x2a, 0x21, 0x29, 0x06}}},
    {FSRTL_VOLUME_PREPARING_EJECT, {0xc79eb16e, 0x0dac, 0x4e7a, {0xa8, 0x6c, 0xb2, 0x5c, 0xee, 0xaa, 0x88, 0xf6}}},
    {FSRTL_VOLUME_CHANGE_SIZE, {0x3a1625be, 0xad03, 0x49f1, {0x8e, 0xf8, 0x6b, 0xba, 0xc1, 0x82, 0xd1, 0xfd}}},
    {FSRTL_VOLUME_BACKGROUND_FORMAT, {0xa2e5fc86, 0xd5cd, 0x4038, {0xb2, 0xe3, 0x44, 0x45, 0x06, 0x5c, 0x23, 0x77}}},
};

TargetDeviceReporter g_reporter = nullptr;

template <class Descriptor>
Status QueryProperty(PDEVICE_OBJECT device, STORAGE_PROPERTY_ID property, Descriptor* descriptor) {
  STORAGE_PROPERTY_QUERY query{};
  query.PropertyId = property;
  query.QueryType = PropertyStandardQuery;
  ULONG_PTR returned = 0;
  NT_TRY(SendIoControl(device, IOCTL_STORAGE_QUERY_PROPERTY, &query, sizeof query, descriptor, sizeof *descriptor,
                       &returned));
  return returned >= sizeof *descriptor ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST;
}

}  // namespace

void SetTargetDeviceReporter(TargetDeviceReporter reporter) { g_reporter = reporter; }

Status NotifyVolumeEventEx(PFILE_OBJECT file, ULONG event_code, PTARGET_DEVICE_CUSTOM_NOTIFICATION event) {
  const GUID* guid = nullptr;
  for (const EventName& name : kEvents)
    if (name.code == event_code) guid = &name.guid;
  if (!guid && !event) return STATUS_INVALID_PARAMETER;
  if (!g_reporter) return STATUS_SUCCESS;  // nobody can have registered for it
  TARGET_DEVICE_CUSTOM_NOTIFICATION notification{};
  if (!event) {
    notification.Version = 1;
    notification.Size = FIELD_OFFSET(TARGET_DEVICE_CUSTOM_NOTIFICATION, CustomDataBuffer);
    notification.Event = *guid;
    notification.NameBufferOffset = -1;
    event = &notification;
  }
  return g_reporter(file, event);
}

Status BalanceReads(PDEVICE_OBJECT device) { return SendIoControl(device, kFtBalancedReadMode, nullptr, 0, nullptr, 0); }

Status SyncVolumes(PDEVICE_OBJECT device, PLARGE_INTEGER offset, PLARGE_INTEGER count) {
  struct {
    LARGE_INTEGER offset, count;
  } information{*offset, *count};
  return SendIoControl(device, kFtSyncRedundantCopy, &information, sizeof information, nullptr, 0);
}

Status GetSectorSizeInformation(PDEVICE_OBJECT device, PFILE_FS_SECTOR_SIZE_INFORMATION information) {
  STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR alignment{};
  if (!QueryProperty(device, StorageAccessAlignmentProperty, &alignment).ok() || alignment.BytesPerLogicalSector == 0) {
    DISK_GEOMETRY geometry{};
    NT_TRY(SendIoControl(device, IOCTL_DISK_GET_DRIVE_GEOMETRY, nullptr, 0, &geometry, sizeof geometry));
    alignment = {};
    alignment.BytesPerLogicalSector = alignment.BytesPerPhysicalSector = geometry.BytesPerSector;
    alignment.BytesOffsetForSectorAlignment = SSINFO_OFFSET_UNKNOWN;
  }
  *information = {};
  information->LogicalBytesPerSector = alignment.BytesPerLogicalSector;
  information->PhysicalBytesPerSectorForAtomicity = alignment.BytesPerPhysicalSector;
  information->PhysicalBytesPerSectorForPerformance = alignment.BytesPerPhysicalSector;
  // File systems write whole sectors of at most a page.
  information->FileSystemEffectivePhysicalBytesPerSectorForAtomicity =
      alignment.BytesPerPhysicalSector > PAGE_SIZE ? alignment.BytesPerLogicalSector : alignment.BytesPerPhysicalSector;
  information->ByteOffsetForSectorAlignment = alignment.BytesOffsetForSectorAlignment;
  if (alignment.BytesOffsetForSectorAlignment == 0) information->Flags |= SSINFO_FLAGS_ALIGNED_DEVICE;

  PARTITION_INFORMATION_EX partition{};
  if (alignment.BytesPerPhysicalSector != 0 && alignment.BytesOffsetForSectorAlignment != SSINFO_OFFSET_UNKNOWN &&
      SendIoControl(device, IOCTL_DISK_GET_PARTITION_INFO_EX, nullptr, 0, &partition, sizeof partition).ok()) {
    const auto at = static_cast<ULONG>((partition.StartingOffset.QuadPart + alignment.BytesOffsetForSectorAlignment) %
                                       alignment.BytesPerPhysicalSector);
    information->ByteOffsetForPartitionAlignment = at;
    if (at == 0) information->Flags |= SSINFO_FLAGS_PARTITION_ALIGNED_ON_DEVICE;
  } else {
    information->ByteOffsetForPartitionAlignment = SSINFO_OFFSET_UNKNOWN;
  }
  DEVICE_SEEK_PENALTY_DESCRIPTOR seek{};
  if (QueryProperty(device, StorageDeviceSeekPenaltyProperty, &seek).ok() && !seek.IncursSeekPenalty)
    information->Flags |= SSINFO_FLAGS_NO_SEEK_PENALTY;
  DEVICE_TRIM_DESCRIPTOR trim{};
  if (QueryProperty(device, StorageDeviceTrimProperty, &trim).ok() && trim.TrimEnabled)
    information->Flags |= SSINFO_FLAGS_TRIM_ENABLED;
  return STATUS_SUCCESS;
}

Status ValidateReparsePointBuffer(ULONG bytes, PREPARSE_DATA_BUFFER buffer) {
  constexpr NTSTATUS kInvalid = STATUS_IO_REPARSE_DATA_INVALID;
  if (bytes < REPARSE_DATA_BUFFER_HEADER_SIZE || bytes > MAXIMUM_REPARSE_DATA_BUFFER_SIZE) return kInvalid;
  const ULONG tag = buffer->ReparseTag;
  const ULONG data = buffer->ReparseDataLength;
  if (!IsReparseTagValid(tag)) return STATUS_IO_REPARSE_TAG_INVALID;
  if (!IsReparseTagMicrosoft(tag)) {
    const auto* guid_buffer = reinterpret_cast<PREPARSE_GUID_DATA_BUFFER>(buffer);
    if (bytes != REPARSE_GUID_DATA_BUFFER_HEADER_SIZE + data) return kInvalid;
    constexpr GUID kNone{};
    return memcmp(&guid_buffer->ReparseGuid, &kNone, sizeof(GUID)) == 0 ? kInvalid : STATUS_SUCCESS;
  }
  if (bytes != REPARSE_DATA_BUFFER_HEADER_SIZE + data) return kInvalid;
  const auto names_fit = [&](const auto& names, ULONG header) {
    if (data < header) return false;
    const ULONG room = data - header;
    return names.SubstituteNameLength != 0 && names.SubstituteNameLength % sizeof(WCHAR) == 0 &&
           names.PrintNameLength % sizeof(WCHAR) == 0 &&
           names.SubstituteNameOffset + ULONG{names.SubstituteNameLength} <= room &&
           names.PrintNameOffset + ULONG{names.PrintNameLength} <= room;
  };
  // Bytes of the union before PathBuffer.
  if (tag == IO_REPARSE_TAG_MOUNT_POINT) {
    const auto& names = buffer->MountPointReparseBuffer;
    // Both names, terminated, in this order.
    return names_fit(names, 8) && names.SubstituteNameOffset == 0 &&
                   names.PrintNameOffset == names.SubstituteNameLength + sizeof(WCHAR) &&
                   data == 8 + names.SubstituteNameLength + names.PrintNameLength + 2 * sizeof(WCHAR)
               ? STATUS_SUCCESS
               : kInvalid;
  }
  if (tag == IO_REPARSE_TAG_SYMLINK) return names_fit(buffer->SymbolicLinkReparseBuffer, 12) ? STATUS_SUCCESS : kInvalid;
  return STATUS_SUCCESS;
}

}  // namespace nt::fsrtl
