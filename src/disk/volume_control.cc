// IOCTL_VOLUME_* and IOCTL_MOUNTDEV_*: what a volume manager's device answers.
#include <cstddef>
#include <cstring>

#include "ntddvol.h"
#include "mountdev.h"
#include "src/disk/device.h"

namespace nt::disk {
namespace {

/// A counted name behind a length field: too small a buffer still gets the length, and STATUS_BUFFER_OVERFLOW.
template <class Header, class Length>
NTSTATUS ReturnCounted(Control& control, Header header, Length Header::*length, size_t data_offset, const void* data,
                       size_t bytes) {
  if (control.output_bytes < sizeof(Header)) return STATUS_INVALID_PARAMETER;
  header.*length = static_cast<Length>(bytes);
  std::memcpy(control.buffer, &header, sizeof(Header));
  if (control.output_bytes < data_offset + bytes) {
    control.information = sizeof(Header);
    return STATUS_BUFFER_OVERFLOW;
  }
  std::memcpy(static_cast<char*>(control.buffer) + data_offset, data, bytes);
  control.information = data_offset + bytes;
  return STATUS_SUCCESS;
}

/// What lets the mount manager know a volume again: MBR signature and offset, or the GPT partition's GUID.
NTSTATUS QueryUniqueId(Control& control) {
  Device& device = control.device;
  Disk& disk = device.disk();
  unsigned char id[24];
  size_t bytes = 0;
  if (device.partition() && disk.table().style == PartitionStyle::kMbr) {
    const uint64_t start = device.start();
    std::memcpy(id, &disk.table().mbr_signature, 4);
    std::memcpy(id + 4, &start, 8);
    bytes = 12;
  } else {
    std::memcpy(id, "DMIO:ID:", 8);
    std::memcpy(id + 8, disk.volume_id().data(), 16);
    bytes = 24;
  }
  return ReturnCounted(control, MOUNTDEV_UNIQUE_ID{}, &MOUNTDEV_UNIQUE_ID::UniqueIdLength,
                       offsetof(MOUNTDEV_UNIQUE_ID, UniqueId), id, bytes);
}

NTSTATUS QuerySuggestedLink(Control& control) {
  const char16_t letter = control.device.disk().drive_letter();
  if (letter == 0) return STATUS_NOT_FOUND;
  const std::u16string name = std::u16string(u"\\DosDevices\\") + letter + u":";
  return ReturnCounted(control, MOUNTDEV_SUGGESTED_LINK_NAME{}, &MOUNTDEV_SUGGESTED_LINK_NAME::NameLength,
                       offsetof(MOUNTDEV_SUGGESTED_LINK_NAME, Name), name.data(), name.size() * sizeof(char16_t));
}

NTSTATUS GetExtents(Control& control) {
  VOLUME_DISK_EXTENTS extents = {};
  extents.NumberOfDiskExtents = 1;
  extents.Extents[0].DiskNumber = control.device.disk().number();
  extents.Extents[0].StartingOffset.QuadPart = static_cast<LONGLONG>(control.device.start());
  extents.Extents[0].ExtentLength.QuadPart = static_cast<LONGLONG>(control.device.length());
  return control.Return(extents);
}

}  // namespace

NTSTATUS VolumeControl(Control& control) {
  Device& device = control.device;
  // The device's name is asked of disks as well.
  if (control.code == IOCTL_MOUNTDEV_QUERY_DEVICE_NAME)
    return ReturnCounted(control, MOUNTDEV_NAME{}, &MOUNTDEV_NAME::NameLength, offsetof(MOUNTDEV_NAME, Name),
                         device.name().data(), device.name().size() * sizeof(char16_t));
  if (control.code == IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS && !device.disk().options().cdrom) return GetExtents(control);
  if (device.kind() != DeviceKind::kVolume) return STATUS_INVALID_DEVICE_REQUEST;

  switch (control.code) {
    case IOCTL_MOUNTDEV_QUERY_UNIQUE_ID:
      return QueryUniqueId(control);
    case IOCTL_MOUNTDEV_QUERY_SUGGESTED_LINK_NAME:
      return QuerySuggestedLink(control);
    case IOCTL_MOUNTDEV_QUERY_STABLE_GUID: {
      if (!device.partition() || device.disk().table().style != PartitionStyle::kGpt) return STATUS_UNSUCCESSFUL;
      MOUNTDEV_STABLE_GUID guid;
      std::memcpy(&guid.StableGuid, device.partition()->gpt_id.data(), sizeof(guid.StableGuid));
      return control.Return(guid);
    }
    case IOCTL_MOUNTDEV_LINK_CREATED:  // notices that ask for nothing
    case IOCTL_MOUNTDEV_LINK_DELETED:
      return STATUS_SUCCESS;
    case IOCTL_VOLUME_ONLINE:
      device.offline = false;
      return STATUS_SUCCESS;
    case IOCTL_VOLUME_OFFLINE:  // from now on reads and writes fail with STATUS_DEVICE_OFF_LINE
      device.offline = true;
      return STATUS_SUCCESS;
    case IOCTL_VOLUME_IS_OFFLINE:
      return device.offline ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
    case IOCTL_VOLUME_IS_IO_CAPABLE:
      return device.offline ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
    case IOCTL_VOLUME_IS_PARTITION:
      return STATUS_SUCCESS;
    case IOCTL_VOLUME_IS_DYNAMIC:
      return control.Return(static_cast<BOOLEAN>(FALSE));
    case IOCTL_VOLUME_GET_GPT_ATTRIBUTES: {
      VOLUME_GET_GPT_ATTRIBUTES_INFORMATION attributes = {};
      if (device.partition() && device.disk().table().style == PartitionStyle::kGpt)
        attributes.GptAttributes = device.partition()->gpt_attributes;
      return control.Return(attributes);
    }
    default:
      return STATUS_INVALID_DEVICE_REQUEST;
  }
}

}  // namespace nt::disk
