// Mounting and letting go of volumes.
// 1. MountVolume recognises the medium, makes the volume device, its Vcb, the volume stream and the root.
// 2. DismountVolume writes everything, detaches the Vcb from the device's VPB, and leaves only open handles behind.
// 3. ReleaseVolume after the last close deletes the device.
#include "fat.h"

namespace fat {
namespace {

struct DeviceFacts {
  ULONG sector_bytes;
  LONGLONG bytes;
  bool write_protected;
};

NTSTATUS AskDevice(PDEVICE_OBJECT target, DeviceFacts* facts) {
  RtlZeroMemory(facts, sizeof(*facts));
  NTSTATUS status = DeviceIoControl(target, IOCTL_DISK_CHECK_VERIFY, nullptr, 0, nullptr, 0, nullptr);
  if (status == STATUS_NO_MEDIA_IN_DEVICE || status == STATUS_DEVICE_NOT_READY) return status;

  union {
    DISK_GEOMETRY geometry;
    DISK_GEOMETRY_EX geometry_ex;
    UCHAR room[256];
  } disk;
  status = DeviceIoControl(target, IOCTL_DISK_GET_DRIVE_GEOMETRY_EX, nullptr, 0, &disk, sizeof(disk), nullptr);
  if (NT_SUCCESS(status)) {
    facts->sector_bytes = disk.geometry_ex.Geometry.BytesPerSector;
    facts->bytes = disk.geometry_ex.DiskSize.QuadPart;
  } else {
    status = DeviceIoControl(target, IOCTL_DISK_GET_DRIVE_GEOMETRY, nullptr, 0, &disk, sizeof(disk), nullptr);
    if (!NT_SUCCESS(status)) return status;
    const DISK_GEOMETRY& geometry = disk.geometry;
    facts->sector_bytes = geometry.BytesPerSector;
    facts->bytes =
        geometry.Cylinders.QuadPart * geometry.TracksPerCylinder * geometry.SectorsPerTrack * geometry.BytesPerSector;
  }
  PARTITION_INFORMATION_EX partition;
  GET_LENGTH_INFORMATION length;
  if (NT_SUCCESS(DeviceIoControl(target, IOCTL_DISK_GET_PARTITION_INFO_EX, nullptr, 0, &partition, sizeof(partition),
                                 nullptr)) &&
      partition.PartitionLength.QuadPart > 0) {
    facts->bytes = partition.PartitionLength.QuadPart;
  } else if (NT_SUCCESS(
                 DeviceIoControl(target, IOCTL_DISK_GET_LENGTH_INFO, nullptr, 0, &length, sizeof(length), nullptr))) {
    facts->bytes = length.Length.QuadPart;
  }
  status = DeviceIoControl(target, IOCTL_DISK_IS_WRITABLE, nullptr, 0, nullptr, 0, nullptr);
  facts->write_protected = status == STATUS_MEDIA_WRITE_PROTECTED;
  const ULONG sector = facts->sector_bytes;
  return sector < 512 || sector > 4096 || (sector & (sector - 1)) != 0 ? STATUS_UNRECOGNIZED_VOLUME : STATUS_SUCCESS;
}

NTSTATUS Recognize(PDEVICE_OBJECT target, const DeviceFacts& facts, Geometry* geometry) {
  const ULONG bytes = Max(facts.sector_bytes, static_cast<ULONG>(sizeof(BootSector)));
  PoolBuffer buffer(AllocateNonPaged(bytes));
  if (!buffer) return STATUS_INSUFFICIENT_RESOURCES;
  const NTSTATUS status = TransferDisk(target, IRP_MJ_READ, 0, bytes, buffer.As<void>());
  if (!NT_SUCCESS(status)) return status;
  return DecodeBootSector(*buffer.As<BootSector>(), facts.sector_bytes, facts.bytes, geometry);
}

NTSTATUS OpenVolumeStream(Vcb& vcb) {
  FAT_TRY_STATUS(CreateFcb(vcb, FcbKind::kVolume, nullptr, &vcb.volume_fcb));
  Fcb& fcb = *vcb.volume_fcb;
  const LONGLONG bytes = vcb.geometry.fat_base + vcb.geometry.fat_bytes;
  fcb.header.AllocationSize.QuadPart = bytes;
  fcb.header.FileSize.QuadPart = bytes;
  fcb.header.ValidDataLength.QuadPart = MAXLONGLONG;
  PFILE_OBJECT stream = IoCreateStreamFileObject(nullptr, vcb.vpb->RealDevice);
  if (stream == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  stream->Vpb = vcb.vpb;
  stream->FsContext = &fcb;
  stream->FsContext2 = nullptr;
  stream->SectionObjectPointer = &fcb.np->section;
  stream->ReadAccess = TRUE;
  stream->WriteAccess = TRUE;
  stream->DeleteAccess = TRUE;
  ++fcb.stream_references;
  CC_FILE_SIZES sizes = CacheSizes(fcb);
  const NTSTATUS status = seh::InitializeCacheMap(stream, &sizes, TRUE, &g.callbacks, &fcb);
  if (!NT_SUCCESS(status)) {
    ObDereferenceObject(stream);
    return status;
  }
  fcb.stream = stream;
  vcb.volume_stream = stream;
  return STATUS_SUCCESS;
}

/// Was the volume left without its last dirty mark being taken away?
NTSTATUS ReadDirtyMark(Vcb& vcb) {
  vcb.was_dirty = vcb.geometry.dirty;
  if (vcb.geometry.type == FatType::k12) return STATUS_SUCCESS;
  ULONG entry;
  const LONGLONG offset = vcb.geometry.fat_base + (vcb.geometry.type == FatType::k16 ? 2 : 4);
  CacheView view;
  FAT_TRY_STATUS(
      view.Map(vcb.volume_stream, offset & ~static_cast<LONGLONG>(PAGE_SIZE - 1), vcb.geometry.sector_bytes));
  const ULONG at = static_cast<ULONG>(offset & (PAGE_SIZE - 1));
  if (vcb.geometry.type == FatType::k16) {
    entry = *view.As<USHORT>(at);
    if ((entry & kFat16CleanBit) == 0) vcb.was_dirty = true;
  } else {
    entry = *view.As<ULONG>(at);
    if ((entry & kFat32CleanBit) == 0) vcb.was_dirty = true;
  }
  return STATUS_SUCCESS;
}

NTSTATUS OpenRoot(Vcb& vcb) {
  FAT_TRY_STATUS(CreateFcb(vcb, FcbKind::kRoot, nullptr, &vcb.root));
  Fcb& root = *vcb.root;
  root.attributes = kAttrDirectory;
  root.first_cluster = vcb.geometry.root_cluster;
  return OpenDirectoryStream(root);
}

void ReadLabel(Vcb& vcb, PVPB vpb) {
  vpb->VolumeLabelLength = 0;
  PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry)));
  if (!memory) return;
  DirectoryEntry* entry = memory.As<DirectoryEntry>();
  entry->long_name.Clear();
  if (!NT_SUCCESS(FindLabel(*vcb.root, entry))) return;
  UNICODE_STRING label;
  label.Buffer = vpb->VolumeLabel;
  label.MaximumLength = sizeof(vpb->VolumeLabel);
  DecodeLabel(entry->dirent.name, &label);
  vpb->VolumeLabelLength = label.Length;
}

void InitializeVcb(Vcb& vcb, PDEVICE_OBJECT device, PDEVICE_OBJECT target, PVPB vpb) {
  RtlZeroMemory(&vcb, sizeof(vcb));
  vcb.device = device;
  vcb.target = target;
  vcb.vpb = vpb;
  ExInitializeResourceLite(&vcb.resource);
  ExInitializeResourceLite(&vcb.fat_resource);
  InitializeListHead(&vcb.all_fcbs);
  InitializeListHead(&vcb.idle_directories);
  InitializeListHead(&vcb.ccbs);
  InitializeListHead(&vcb.notify_list);
  FsRtlInitializeTunnelCache(&vcb.tunnel);
  for (LIST_ENTRY& bucket : vcb.hash) InitializeListHead(&bucket);
}

NTSTATUS OpenMetadata(Vcb& vcb) {
  vcb.spare_vpb = static_cast<PVPB>(AllocateNonPaged(sizeof(VPB)));
  if (vcb.spare_vpb == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  FsRtlNotifyInitializeSync(&vcb.notify_sync);
  FAT_TRY_STATUS(InitializeStatistics(vcb));
  FAT_TRY_STATUS(OpenVolumeStream(vcb));
  FAT_TRY_STATUS(ReadDirtyMark(vcb));
  FAT_TRY_STATUS(InitializeFreeMap(vcb));
  return OpenRoot(vcb);
}

/// Lets go of what only the mount itself holds. Vcb exclusive.
void CloseMetadata(Vcb& vcb) {
  vcb.tearing_down = true;
  TrimIdleDirectories(vcb, 0);
  if (vcb.root != nullptr) ReleaseFcb(vcb.root);
  vcb.root = nullptr;
  vcb.volume_stream = nullptr;
  if (vcb.volume_fcb != nullptr) ReleaseFcb(vcb.volume_fcb);
  vcb.volume_fcb = nullptr;
  DrainCloses(vcb);
}

/// The device gets a fresh VPB, so that it can be mounted anew while old handles keep the old one.
void SwapVpb(Vcb& vcb) {
  KIRQL irql;
  PVPB old = vcb.vpb;
  PDEVICE_OBJECT real = old->RealDevice;
  IoAcquireVpbSpinLock(&irql);
  if (real->Vpb == old && vcb.spare_vpb != nullptr) {
    PVPB fresh = vcb.spare_vpb;
    vcb.spare_vpb = nullptr;
    RtlZeroMemory(fresh, sizeof(*fresh));
    fresh->Type = IO_TYPE_VPB;
    fresh->Size = sizeof(VPB);
    fresh->RealDevice = real;
    fresh->Flags = static_cast<USHORT>(old->Flags & VPB_REMOVE_PENDING);
    real->Vpb = fresh;
    old->Flags |= VPB_PERSISTENT;  // the I/O manager must not free it while the Vcb points to it
  }
  IoReleaseVpbSpinLock(irql);
}

void AddToList(Vcb& vcb) {
  ExAcquireFastMutex(&g.list_mutex);
  InsertTailList(&g.volumes, &vcb.global_link);
  ExReleaseFastMutex(&g.list_mutex);
}

void FreeVcb(Vcb& vcb) {
  FreeFreeMap(vcb);
  FreeStatistics(vcb);
  FsRtlDeleteTunnelCache(&vcb.tunnel);
  if (vcb.notify_sync != nullptr) FsRtlNotifyUninitializeSync(&vcb.notify_sync);
  if (vcb.spare_vpb != nullptr) FreePool(vcb.spare_vpb);
  ExDeleteResourceLite(&vcb.fat_resource);
  ExDeleteResourceLite(&vcb.resource);
}

/// Takes the volume device off its VPB.
void DetachVpb(Vcb& vcb) {
  KIRQL irql;
  PVPB vpb = vcb.vpb;
  const bool swapped = vcb.spare_vpb == nullptr;
  IoAcquireVpbSpinLock(&irql);
  if (vpb->DeviceObject == vcb.device) {
    vpb->DeviceObject = nullptr;
    vpb->Flags = static_cast<USHORT>(vpb->Flags & ~VPB_MOUNTED);
  }
  // No longer the device's VPB: it goes with its last file object; with none left it is ours to free.
  if (swapped) vpb->Flags = static_cast<USHORT>(vpb->Flags & ~VPB_PERSISTENT);
  const bool free_vpb = swapped && vpb->ReferenceCount == 0;
  IoReleaseVpbSpinLock(irql);
  if (free_vpb) ExFreePool(vpb);
}

}  // namespace

NTSTATUS MountVolume(IrpContext& context) {
  PIO_STACK_LOCATION stack = context.stack();
  PVPB vpb = stack->Parameters.MountVolume.Vpb;
  PDEVICE_OBJECT target = stack->Parameters.MountVolume.DeviceObject;

  ExclusiveGuard mount(g.mount_resource);
  DeviceFacts facts;
  Geometry geometry;
  FAT_TRY_STATUS(AskDevice(target, &facts));
  FAT_TRY_STATUS(Recognize(target, facts, &geometry));

  PDEVICE_OBJECT device;
  FAT_TRY_STATUS(IoCreateDevice(g.driver, sizeof(Vcb), nullptr, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &device));
  device->StackSize = static_cast<CCHAR>(target->StackSize + 1);
  device->AlignmentRequirement = Max(device->AlignmentRequirement, target->AlignmentRequirement);
  device->SectorSize = static_cast<USHORT>(geometry.sector_bytes);
  Vcb& vcb = *static_cast<Vcb*>(device->DeviceExtension);
  InitializeVcb(vcb, device, target, vpb);
  vcb.geometry = geometry;
  vcb.write_protected = facts.write_protected;
  // The streams opened below send their paging requests here.
  vpb->DeviceObject = device;
  device->Flags &= ~DO_DEVICE_INITIALIZING;

  ExAcquireResourceExclusiveLite(&vcb.resource, TRUE);
  const NTSTATUS status = OpenMetadata(vcb);
  if (!NT_SUCCESS(status)) {
    CloseMetadata(vcb);
    vpb->DeviceObject = nullptr;
    vcb.state = VolumeState::kDismounted;
    AddToList(vcb);
    ReleaseVolume(vcb);
    return status;
  }
  vpb->SerialNumber = geometry.serial;
  ReadLabel(vcb, vpb);
  AddToList(vcb);
  ExReleaseResourceLite(&vcb.resource);
  ObDereferenceObject(target);  // the I/O manager's, taken for a mount that succeeds
  return STATUS_SUCCESS;
}

/// Is the medium in the device still the one that was mounted?
NTSTATUS VerifyMountedVolume(IrpContext& context) {
  PIO_STACK_LOCATION stack = context.stack();
  PVPB vpb = stack->Parameters.VerifyVolume.Vpb;
  Vcb& vcb = *static_cast<Vcb*>(stack->Parameters.VerifyVolume.DeviceObject->DeviceExtension);
  ExclusiveGuard guard(vcb.resource);
  if (vcb.state != VolumeState::kMounted) return STATUS_WRONG_VOLUME;
  DeviceFacts facts;
  Geometry geometry;
  NTSTATUS status = AskDevice(vcb.target, &facts);
  if (NT_SUCCESS(status)) status = Recognize(vcb.target, facts, &geometry);
  if (status == STATUS_UNRECOGNIZED_VOLUME) status = STATUS_WRONG_VOLUME;
  if (NT_SUCCESS(status)) {
    const Geometry& known = vcb.geometry;
    const bool same = geometry.serial == known.serial && geometry.type == known.type &&
                      geometry.cluster_count == known.cluster_count && geometry.data_base == known.data_base &&
                      geometry.cluster_bytes == known.cluster_bytes;
    status = same ? STATUS_SUCCESS : STATUS_WRONG_VOLUME;
  }
  if (NT_SUCCESS(status)) {
    vcb.write_protected = facts.write_protected;
    vpb->RealDevice->Flags &= ~DO_VERIFY_VOLUME;
  } else if (status == STATUS_WRONG_VOLUME) {
    DismountVolume(vcb, false);
  }
  return status;
}

void DismountVolume(Vcb& vcb, bool flush) {
  if (vcb.state == VolumeState::kDismounted) return;
  if (flush && !vcb.write_protected) FlushVolume(vcb, true);
  vcb.tearing_down = true;
  PurgeClosedFiles(vcb);
  vcb.state = VolumeState::kDismounted;
  for (LIST_ENTRY* link = vcb.all_fcbs.Flink; link != &vcb.all_fcbs; link = link->Flink) {
    Fcb* fcb = CONTAINING_RECORD(link, Fcb, all_link);
    UpdateFastIoState(*fcb);
    if (fcb->kind == FcbKind::kFile) CcPurgeCacheSection(&fcb->np->section, nullptr, 0, FALSE);
  }
  CloseMetadata(vcb);
  SwapVpb(vcb);
}

void ReleaseVolume(Vcb& vcb) {
  bool unused = vcb.state == VolumeState::kDismounted && vcb.file_objects == 0;
  if (unused) {
    DrainCloses(vcb);
    unused = IsListEmpty(&vcb.all_fcbs);
  }
  if (unused) {
    ExAcquireFastMutex(&g.list_mutex);
    unused = vcb.pins == 0;
    if (unused) RemoveEntryList(&vcb.global_link);
    ExReleaseFastMutex(&g.list_mutex);
  }
  ExReleaseResourceLite(&vcb.resource);
  if (!unused) return;
  DetachVpb(vcb);
  FreeVcb(vcb);
  IoDeleteDevice(vcb.device);
}

void ForEachVolume(void (*visit)(Vcb& vcb)) {
  ExAcquireFastMutex(&g.list_mutex);
  LIST_ENTRY* link = g.volumes.Flink;
  if (link != &g.volumes) ++CONTAINING_RECORD(link, Vcb, global_link)->pins;
  ExReleaseFastMutex(&g.list_mutex);
  while (link != &g.volumes) {
    Vcb& vcb = *CONTAINING_RECORD(link, Vcb, global_link);
    ExAcquireResourceExclusiveLite(&vcb.resource, TRUE);
    visit(vcb);
    ExAcquireFastMutex(&g.list_mutex);
    link = link->Flink;
    if (link != &g.volumes) ++CONTAINING_RECORD(link, Vcb, global_link)->pins;
    --vcb.pins;
    ExReleaseFastMutex(&g.list_mutex);
    ReleaseVolume(vcb);
  }
}

}  // namespace fat
