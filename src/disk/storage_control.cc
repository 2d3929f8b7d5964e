// IOCTL_STORAGE_*, and the older IOCTL_DISK_* twins of some: media, device number, properties.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "src/disk/device.h"

namespace nt::disk {
namespace {

/// Locks the medium in, or releases it; counted.
NTSTATUS MediaRemoval(Control& control) {
  if (control.input_bytes < sizeof(PREVENT_MEDIA_REMOVAL)) return STATUS_INFO_LENGTH_MISMATCH;
  Disk& disk = control.device.disk();
  if (!disk.options().removable) return STATUS_INVALID_DEVICE_REQUEST;
  const bool prevent = static_cast<PREVENT_MEDIA_REMOVAL*>(control.buffer)->PreventMediaRemoval;
  LONG locks = disk.removal_locks.load();
  do {
    if (!prevent && locks == 0) return STATUS_INVALID_DEVICE_STATE;
  } while (!disk.removal_locks.compare_exchange_weak(locks, prevent ? locks + 1 : locks - 1));
  return STATUS_SUCCESS;
}

/// A property with its header: a short buffer gets as much as fits, and a caller that asks for the header learns the size.
template <class T>
NTSTATUS ReturnDescriptor(Control& control, const T& value, size_t bytes) {
  if (control.output_bytes < sizeof(STORAGE_DESCRIPTOR_HEADER)) return STATUS_BUFFER_TOO_SMALL;
  control.information = std::min<size_t>(bytes, control.output_bytes);
  std::memcpy(control.buffer, &value, control.information);
  return STATUS_SUCCESS;
}

NTSTATUS DeviceProperty(Control& control) {
  struct {
    STORAGE_DEVICE_DESCRIPTOR descriptor;
    char vendor[8];
    char product[16];
    char revision[8];
  } value = {};
  std::strcpy(value.vendor, "ntio");
  std::strcpy(value.product, control.device.disk().options().cdrom ? "Image CD-ROM" : "Image disk");
  std::strcpy(value.revision, "1");
  value.descriptor.Version = sizeof(STORAGE_DEVICE_DESCRIPTOR);
  value.descriptor.Size = sizeof(value);
  if (control.device.disk().options().cdrom) value.descriptor.DeviceType = 5;  // SCSI's number for it
  value.descriptor.RemovableMedia = control.device.disk().options().removable;
  value.descriptor.CommandQueueing = TRUE;
  value.descriptor.VendorIdOffset = offsetof(decltype(value), vendor);
  value.descriptor.ProductIdOffset = offsetof(decltype(value), product);
  value.descriptor.ProductRevisionOffset = offsetof(decltype(value), revision);
  value.descriptor.BusType = BusTypeFileBackedVirtual;
  return ReturnDescriptor(control, value, sizeof(value));
}

NTSTATUS AdapterProperty(Control& control) {
  const Options& options = control.device.disk().options();
  STORAGE_ADAPTER_DESCRIPTOR value = {};
  value.Version = value.Size = sizeof(value);
  value.MaximumTransferLength = options.max_transfer_bytes ? options.max_transfer_bytes : MAXULONG;
  value.MaximumPhysicalPages = MAXULONG;
  value.AlignmentMask = options.alignment_mask;
  value.CommandQueueing = TRUE;
  value.BusType = BusTypeFileBackedVirtual;
  return ReturnDescriptor(control, value, sizeof(value));
}

NTSTATUS AlignmentProperty(Control& control) {
  STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR value = {};
  value.Version = value.Size = sizeof(value);
  value.BytesPerLogicalSector = value.BytesPerPhysicalSector = control.device.disk().sector_bytes();
  return ReturnDescriptor(control, value, sizeof(value));
}

NTSTATUS WriteCacheProperty(Control& control) {
  STORAGE_WRITE_CACHE_PROPERTY value = {};
  value.Version = value.Size = sizeof(value);
  // The page cache of the host; a flush and a write-through reach stable storage.
  value.WriteCacheType = WriteCacheTypeWriteBack;
  value.WriteCacheEnabled = WriteCacheEnabled;
  value.WriteCacheChangeable = WriteCacheNotChangeable;
  value.WriteThroughSupported = WriteThroughSupported;
  value.FlushCacheSupported = TRUE;
  return ReturnDescriptor(control, value, sizeof(value));
}

template <class T>
NTSTATUS NoProperty(Control& control) {  // "incurs seek penalty": no; "trim enabled": no
  T value = {};
  value.Version = value.Size = sizeof(value);
  return ReturnDescriptor(control, value, sizeof(value));
}

NTSTATUS QueryProperty(Control& control) {
  if (control.input_bytes < offsetof(STORAGE_PROPERTY_QUERY, AdditionalParameters)) return STATUS_INFO_LENGTH_MISMATCH;
  STORAGE_PROPERTY_QUERY query = {};
  std::memcpy(&query, control.buffer, offsetof(STORAGE_PROPERTY_QUERY, AdditionalParameters));
  NTSTATUS (*property)(Control&) = nullptr;
  switch (query.PropertyId) {
    case StorageDeviceProperty:
      property = DeviceProperty;
      break;
    case StorageAdapterProperty:
      property = AdapterProperty;
      break;
    case StorageAccessAlignmentProperty:
      property = AlignmentProperty;
      break;
    case StorageDeviceWriteCacheProperty:
      property = WriteCacheProperty;
      break;
    case StorageDeviceSeekPenaltyProperty:
      property = NoProperty<DEVICE_SEEK_PENALTY_DESCRIPTOR>;
      break;
    case StorageDeviceTrimProperty:
      property = NoProperty<DEVICE_TRIM_DESCRIPTOR>;
      break;
    default:
      return STATUS_NOT_SUPPORTED;
  }
  if (query.QueryType == PropertyExistsQuery) return STATUS_SUCCESS;
  if (query.QueryType != PropertyStandardQuery) return STATUS_NOT_SUPPORTED;
  return property(control);
}

/// Trim is not offered (StorageDeviceTrimProperty says so); a well-formed request is refused all the same.
NTSTATUS ManageDataSet(Control& control) {
  if (control.input_bytes < sizeof(DEVICE_MANAGE_DATA_SET_ATTRIBUTES)) return STATUS_INVALID_PARAMETER;
  DEVICE_MANAGE_DATA_SET_ATTRIBUTES request;
  std::memcpy(&request, control.buffer, sizeof(request));
  if (request.Size < sizeof(request)) return STATUS_INVALID_PARAMETER;
  return STATUS_NOT_SUPPORTED;
}

}  // namespace

NTSTATUS CheckVerify(Control& control) {
  Device& device = control.device;
  if (control.output_bytes != 0 && control.output_bytes < sizeof(ULONG)) return STATUS_BUFFER_TOO_SMALL;
  // A file system that verifies its volume sets SL_OVERRIDE_VERIFY_VOLUME; others learn that a verify is due.
  if ((device.object()->Flags & DO_VERIFY_VOLUME) != 0 && !control.overrides_verify) return STATUS_VERIFY_REQUIRED;
  if (control.output_bytes == 0) return STATUS_SUCCESS;
  return control.Return(device.disk().media_changes.load(std::memory_order_relaxed));
}

NTSTATUS StorageControl(Control& control) {
  Device& device = control.device;
  Disk& disk = device.disk();
  switch (control.code) {
    case IOCTL_STORAGE_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY2:
    case IOCTL_DISK_CHECK_VERIFY:
      return CheckVerify(control);
    case IOCTL_STORAGE_MEDIA_REMOVAL:
    case IOCTL_DISK_MEDIA_REMOVAL:
      return MediaRemoval(control);
    case IOCTL_STORAGE_GET_MEDIA_TYPES:
      return control.Return(disk.Geometry());
    case IOCTL_STORAGE_GET_HOTPLUG_INFO: {
      STORAGE_HOTPLUG_INFO information = {};
      information.Size = sizeof(information);
      information.MediaRemovable = disk.options().removable;
      return control.Return(information);
    }
    case IOCTL_STORAGE_GET_DEVICE_NUMBER: {
      STORAGE_DEVICE_NUMBER number = {};
      number.DeviceType = device.object()->DeviceType;
      number.DeviceNumber = disk.number();
      number.PartitionNumber = disk.options().cdrom ? MAXULONG : device.PartitionNumber();  // a CD-ROM has none
      return control.Return(number);
    }
    case IOCTL_STORAGE_QUERY_PROPERTY:
      return QueryProperty(control);
    case IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES:
      return ManageDataSet(control);
    default:
      return STATUS_INVALID_DEVICE_REQUEST;
  }
}

}  // namespace nt::disk
