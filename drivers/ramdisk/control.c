/* What a file system asks a disk before it mounts. All codes are METHOD_BUFFERED. */
#include "ramdisk.h"

static DISK_GEOMETRY Geometry(PRAMDISK Disk) {
  DISK_GEOMETRY geometry;
  geometry.MediaType = FixedMedia;
  geometry.TracksPerCylinder = 64;
  geometry.SectorsPerTrack = 32;
  geometry.BytesPerSector = Disk->SectorBytes;
  geometry.Cylinders.QuadPart = (LONGLONG)(Disk->Bytes / Disk->SectorBytes / (64 * 32));
  return geometry;
}

/* Fills `Output`; the answer's bytes, or 0 when it does not fit. */
static NTSTATUS Answer(PVOID Output, ULONG OutputBytes, const VOID* Value, ULONG Bytes, PULONG_PTR Information) {
  if (OutputBytes < Bytes) return STATUS_BUFFER_TOO_SMALL;
  RtlCopyMemory(Output, Value, Bytes);
  *Information = Bytes;
  return STATUS_SUCCESS;
}

static NTSTATUS DeviceName(PRAMDISK Disk, PVOID Output, ULONG OutputBytes, PULONG_PTR Information) {
  PMOUNTDEV_NAME name = Output;
  const ULONG needed = FIELD_OFFSET(MOUNTDEV_NAME, Name) + Disk->Name.Length;
  if (OutputBytes < sizeof *name) return STATUS_BUFFER_TOO_SMALL;
  name->NameLength = Disk->Name.Length;
  if (OutputBytes < needed) {
    *Information = sizeof *name;
    return STATUS_BUFFER_OVERFLOW;
  }
  RtlCopyMemory(name->Name, Disk->Name.Buffer, Disk->Name.Length);
  *Information = needed;
  return STATUS_SUCCESS;
}

/* A disk without a partition table, shown as one partition. */
static PARTITION_INFORMATION_EX Partition(PRAMDISK Disk) {
  PARTITION_INFORMATION_EX partition;
  RtlZeroMemory(&partition, sizeof partition);
  partition.PartitionStyle = PARTITION_STYLE_MBR;
  partition.PartitionLength.QuadPart = (LONGLONG)Disk->Bytes;
  partition.PartitionNumber = 1;
  partition.Mbr.PartitionType = PARTITION_HUGE;
  partition.Mbr.RecognizedPartition = TRUE;
  return partition;
}

static NTSTATUS Verify(PRAMDISK Disk, PVOID Input, ULONG InputBytes) {
  PVERIFY_INFORMATION verify = Input;
  if (InputBytes < sizeof *verify) return STATUS_INFO_LENGTH_MISMATCH;
  if (verify->StartingOffset.QuadPart < 0 || (ULONGLONG)verify->StartingOffset.QuadPart > Disk->Bytes ||
      verify->Length > Disk->Bytes - (ULONGLONG)verify->StartingOffset.QuadPart)
    return STATUS_NONEXISTENT_SECTOR;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI RamdiskDeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PRAMDISK disk = DeviceObject->DeviceExtension;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
  PVOID buffer = Irp->AssociatedIrp.SystemBuffer;
  const ULONG bytes = location->Parameters.DeviceIoControl.OutputBufferLength;
  ULONG_PTR information = 0;
  NTSTATUS status;
  switch (location->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_DISK_GET_DRIVE_GEOMETRY: {
      const DISK_GEOMETRY geometry = Geometry(disk);
      status = Answer(buffer, bytes, &geometry, sizeof geometry, &information);
      break;
    }
    case IOCTL_DISK_GET_DRIVE_GEOMETRY_EX: {
      DISK_GEOMETRY_EX geometry;
      RtlZeroMemory(&geometry, sizeof geometry);
      geometry.Geometry = Geometry(disk);
      geometry.DiskSize.QuadPart = (LONGLONG)disk->Bytes;
      status = Answer(buffer, bytes, &geometry, FIELD_OFFSET(DISK_GEOMETRY_EX, Data), &information);
      break;
    }
    case IOCTL_DISK_GET_LENGTH_INFO: {
      GET_LENGTH_INFORMATION length;
      length.Length.QuadPart = (LONGLONG)disk->Bytes;
      status = Answer(buffer, bytes, &length, sizeof length, &information);
      break;
    }
    case IOCTL_DISK_GET_PARTITION_INFO_EX: {
      const PARTITION_INFORMATION_EX partition = Partition(disk);
      status = Answer(buffer, bytes, &partition, sizeof partition, &information);
      break;
    }
    case IOCTL_DISK_GET_PARTITION_INFO: {
      PARTITION_INFORMATION partition;
      RtlZeroMemory(&partition, sizeof partition);
      partition.PartitionLength.QuadPart = (LONGLONG)disk->Bytes;
      partition.PartitionNumber = 1;
      partition.PartitionType = PARTITION_HUGE;
      partition.RecognizedPartition = TRUE;
      status = Answer(buffer, bytes, &partition, sizeof partition, &information);
      break;
    }
    case IOCTL_DISK_IS_WRITABLE:
      status = disk->ReadOnly ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_SUCCESS;
      break;
    case IOCTL_DISK_VERIFY:
      status = Verify(disk, buffer, location->Parameters.DeviceIoControl.InputBufferLength);
      break;
    case IOCTL_DISK_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY2:
      status = STATUS_SUCCESS;
      break; /* the medium does not change */
    case IOCTL_MOUNTDEV_QUERY_DEVICE_NAME:
      status = DeviceName(disk, buffer, bytes, &information);
      break;
    default:
      status = STATUS_INVALID_DEVICE_REQUEST;
  }
  return RamdiskComplete(Irp, status, information, IO_NO_INCREMENT);
}
