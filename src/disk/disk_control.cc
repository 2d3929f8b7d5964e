// IOCTL_DISK_*: geometry, partitions, layout, verify.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "src/disk/device.h"

namespace nt::disk {
namespace {

GUID GuidOf(const GuidBytes& bytes) {
  GUID guid;
  static_assert(sizeof(guid) == sizeof(bytes));
  std::memcpy(&guid, bytes.data(), sizeof(guid));
  return guid;
}

/// What Windows calls recognized: types whose volumes get a drive letter.
bool IsRecognized(uint8_t type) {
  switch (type & ~PARTITION_NTFT) {
    case PARTITION_FAT_12:
    case PARTITION_FAT_16:
    case PARTITION_HUGE:
    case PARTITION_IFS:
    case PARTITION_FAT32:
    case PARTITION_FAT32_XINT13:
    case PARTITION_XINT13:
      return true;
    default:
      return false;
  }
}

PARTITION_STYLE StyleOf(const PartitionTable& table) {
  switch (table.style) {
    case PartitionStyle::kGpt:
      return PARTITION_STYLE_GPT;
    case PartitionStyle::kMbr:
    case PartitionStyle::kNone:  // a disk without table is shown as one MBR partition, as Windows does with a superfloppy
      break;
  }
  return PARTITION_STYLE_MBR;
}

PARTITION_INFORMATION_EX InformationOf(const Disk& disk, const Partition& partition) {
  PARTITION_INFORMATION_EX information = {};
  information.PartitionStyle = StyleOf(disk.table());
  information.StartingOffset.QuadPart = static_cast<LONGLONG>(partition.start);
  information.PartitionLength.QuadPart = static_cast<LONGLONG>(partition.length);
  information.PartitionNumber = partition.ordinal;
  if (disk.table().style == PartitionStyle::kGpt) {
    information.Gpt.PartitionType = GuidOf(partition.gpt_type);
    information.Gpt.PartitionId = GuidOf(partition.gpt_id);
    information.Gpt.Attributes = partition.gpt_attributes;
    std::copy_n(partition.gpt_name.begin(), std::min<size_t>(partition.gpt_name.size(), 36), information.Gpt.Name);
  } else {
    information.Mbr.PartitionType = partition.mbr_type;
    information.Mbr.BootIndicator = partition.active;
    information.Mbr.RecognizedPartition = IsRecognized(partition.mbr_type);
    information.Mbr.HiddenSectors = static_cast<ULONG>(partition.start / disk.sector_bytes());
  }
  return information;
}

/// The partition that the device is. The whole disk is partition 0; a volume over a whole disk is partition 1 of it.
PARTITION_INFORMATION_EX InformationOf(Device& device) {
  if (device.partition()) return InformationOf(device.disk(), *device.partition());
  Partition whole;
  whole.start = device.start();
  whole.length = device.length();
  whole.ordinal = device.PartitionNumber();
  if (device.kind() == DeviceKind::kVolume) whole.mbr_type = PARTITION_HUGE;
  PARTITION_INFORMATION_EX information = InformationOf(device.disk(), whole);
  if (device.kind() == DeviceKind::kVolume && device.disk().table().style == PartitionStyle::kGpt) {
    // The user asked for the whole of a partitioned disk; a GPT partition it is not.
    information.PartitionStyle = PARTITION_STYLE_RAW;
    information.Gpt = {};
  }
  return information;
}

PARTITION_INFORMATION OldForm(const PARTITION_INFORMATION_EX& information) {
  PARTITION_INFORMATION old = {};
  old.StartingOffset = information.StartingOffset;
  old.PartitionLength = information.PartitionLength;
  old.HiddenSectors = information.Mbr.HiddenSectors;
  old.PartitionNumber = information.PartitionNumber;
  old.PartitionType = information.Mbr.PartitionType;
  old.BootIndicator = information.Mbr.BootIndicator;
  old.RecognizedPartition = information.Mbr.RecognizedPartition;
  return old;
}

std::vector<PARTITION_INFORMATION_EX> LayoutOf(Disk& disk) {
  std::vector<PARTITION_INFORMATION_EX> entries;
  for (const Partition& partition : disk.table().partitions) entries.push_back(InformationOf(disk, partition));
  if (disk.table().style == PartitionStyle::kNone) entries.push_back(InformationOf(disk.volume()));
  return entries;
}

/// MBR entries come in fours; unused ones are shown as such.
template <class T>
void PadMbr(std::vector<T>* entries) {
  while (entries->size() % 4 != 0) entries->push_back(T{});
}

template <class Header, class Entry>
NTSTATUS ReturnLayout(Control& control, const Header& header, size_t header_bytes, const std::vector<Entry>& entries) {
  const size_t bytes = header_bytes + entries.size() * sizeof(Entry);
  if (control.output_bytes < bytes) return STATUS_BUFFER_TOO_SMALL;
  std::memcpy(control.buffer, &header, header_bytes);
  if (!entries.empty())
    std::memcpy(static_cast<char*>(control.buffer) + header_bytes, entries.data(), entries.size() * sizeof(Entry));
  control.information = bytes;
  return STATUS_SUCCESS;
}

NTSTATUS GetLayout(Control& control) {
  Disk& disk = control.device.disk();
  if (StyleOf(disk.table()) != PARTITION_STYLE_MBR) return STATUS_INVALID_PARAMETER;  // only the _EX form can say it
  std::vector<PARTITION_INFORMATION> entries;
  for (const auto& entry : LayoutOf(disk)) entries.push_back(OldForm(entry));
  PadMbr(&entries);
  DRIVE_LAYOUT_INFORMATION header = {};
  header.PartitionCount = static_cast<ULONG>(entries.size());
  header.Signature = disk.table().mbr_signature;
  return ReturnLayout(control, header, offsetof(DRIVE_LAYOUT_INFORMATION, PartitionEntry), entries);
}

NTSTATUS GetLayoutEx(Control& control) {
  Disk& disk = control.device.disk();
  const PartitionTable& table = disk.table();
  auto entries = LayoutOf(disk);
  DRIVE_LAYOUT_INFORMATION_EX header = {};
  header.PartitionStyle = StyleOf(table);
  if (table.style == PartitionStyle::kGpt) {
    header.Gpt.DiskId = GuidOf(table.gpt_disk_id);
    header.Gpt.StartingUsableOffset.QuadPart = static_cast<LONGLONG>(table.gpt_usable_start);
    header.Gpt.UsableLength.QuadPart = static_cast<LONGLONG>(table.gpt_usable_bytes);
    header.Gpt.MaxPartitionCount = table.gpt_max_entries;
  } else {
    PadMbr(&entries);
    header.Mbr.Signature = table.mbr_signature;
  }
  header.PartitionCount = static_cast<ULONG>(entries.size());
  return ReturnLayout(control, header, offsetof(DRIVE_LAYOUT_INFORMATION_EX, PartitionEntry), entries);
}

/// The fixed part, then DISK_PARTITION_INFO; no detection information, as an image has no BIOS.
NTSTATUS GetGeometryEx(Control& control) {
  Disk& disk = control.device.disk();
  constexpr size_t kFixed = offsetof(DISK_GEOMETRY_EX, Data);
  if (control.output_bytes < kFixed) return STATUS_BUFFER_TOO_SMALL;
  DISK_GEOMETRY_EX geometry = {};
  geometry.Geometry = disk.Geometry();
  geometry.DiskSize.QuadPart = static_cast<LONGLONG>(disk.bytes());
  std::memcpy(control.buffer, &geometry, kFixed);
  control.information = kFixed;
  if (control.output_bytes >= kFixed + sizeof(DISK_PARTITION_INFO)) {
    DISK_PARTITION_INFO information = {};
    information.SizeOfPartitionInfo = sizeof(information);
    information.PartitionStyle = StyleOf(disk.table());
    if (information.PartitionStyle == PARTITION_STYLE_GPT)
      information.Gpt.DiskId = GuidOf(disk.table().gpt_disk_id);
    else
      information.Mbr.Signature = disk.table().mbr_signature;
    std::memcpy(static_cast<char*>(control.buffer) + kFixed, &information, sizeof(information));
    control.information += sizeof(information);
  }
  return STATUS_SUCCESS;
}

NTSTATUS VerifySectors(Control& control) {
  if (control.input_bytes < sizeof(VERIFY_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
  VERIFY_INFORMATION verify;
  std::memcpy(&verify, control.buffer, sizeof(verify));
  Device& device = control.device;
  const uint32_t mask = device.disk().sector_bytes() - 1;
  if (verify.StartingOffset.QuadPart < 0) return STATUS_INVALID_PARAMETER;
  const auto start = static_cast<uint64_t>(verify.StartingOffset.QuadPart);
  if ((start & mask) != 0 || (verify.Length & mask) != 0) return STATUS_INVALID_PARAMETER;
  if (start > device.length() || verify.Length > device.length() - start) return STATUS_NONEXISTENT_SECTOR;
  return device.disk().Verify(device, start, verify.Length);
}

}  // namespace

NTSTATUS DiskControl(Control& control) {
  Device& device = control.device;
  Disk& disk = device.disk();
  switch (control.code) {
    case IOCTL_DISK_GET_DRIVE_GEOMETRY:
      return control.Return(disk.Geometry());
    case IOCTL_DISK_GET_MEDIA_TYPES:  // also IOCTL_STORAGE_GET_MEDIA_TYPES: the one geometry there is
      return control.Return(disk.Geometry());
    case IOCTL_DISK_GET_DRIVE_GEOMETRY_EX:
      return GetGeometryEx(control);
    case IOCTL_DISK_GET_LENGTH_INFO: {
      GET_LENGTH_INFORMATION length;
      length.Length.QuadPart = static_cast<LONGLONG>(device.length());
      return control.Return(length);
    }
    case IOCTL_DISK_GET_PARTITION_INFO: {
      const PARTITION_INFORMATION_EX information = InformationOf(device);
      if (information.PartitionStyle != PARTITION_STYLE_MBR) return STATUS_INVALID_DEVICE_REQUEST;
      return control.Return(OldForm(information));
    }
    case IOCTL_DISK_GET_PARTITION_INFO_EX:
      return control.Return(InformationOf(device));
    case IOCTL_DISK_GET_DRIVE_LAYOUT:
      return GetLayout(control);
    case IOCTL_DISK_GET_DRIVE_LAYOUT_EX:
      return GetLayoutEx(control);
    case IOCTL_DISK_IS_WRITABLE:
      return disk.options().read_only ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_SUCCESS;
    case IOCTL_DISK_VERIFY:
      return VerifySectors(control);
    // The table is the image's; a driver below a mounted file system does not change it.
    case IOCTL_DISK_SET_PARTITION_INFO:
    case IOCTL_DISK_SET_PARTITION_INFO_EX:
    case IOCTL_DISK_SET_DRIVE_LAYOUT:
    case IOCTL_DISK_SET_DRIVE_LAYOUT_EX:
    case IOCTL_DISK_CREATE_DISK:
    case IOCTL_DISK_DELETE_DRIVE_LAYOUT:
    case IOCTL_DISK_GROW_PARTITION:
      return disk.options().read_only ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_NOT_SUPPORTED;
    default:
      return STATUS_INVALID_DEVICE_REQUEST;
  }
}

}  // namespace nt::disk
