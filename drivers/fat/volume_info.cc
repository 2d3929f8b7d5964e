// IRP_MJ_QUERY_VOLUME_INFORMATION and IRP_MJ_SET_VOLUME_INFORMATION: sizes, attributes, the label.
#include "fat.h"

namespace fat {
namespace {

struct Output {
  UCHAR* buffer;
  ULONG room;
  ULONG used;

  template <typename T>
  T* Fixed() {
    if (room < sizeof(T)) return nullptr;
    RtlZeroMemory(buffer, sizeof(T));
    used = sizeof(T);
    return reinterpret_cast<T*>(buffer);
  }
};

NTSTATUS PutString(Output& out, ULONG fixed, const WCHAR* text, ULONG bytes) {
  const ULONG part = Min(bytes, out.room - fixed);
  RtlCopyMemory(out.buffer + fixed, text, part);
  out.used = fixed + part;
  return part == bytes ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS QueryVolume(Vcb& vcb, Output& out) {
  constexpr ULONG kFixed = FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel);
  if (out.room < kFixed) return STATUS_INFO_LENGTH_MISMATCH;
  auto* info = reinterpret_cast<FILE_FS_VOLUME_INFORMATION*>(out.buffer);
  RtlZeroMemory(info, kFixed);
  info->VolumeSerialNumber = vcb.vpb->SerialNumber;
  info->VolumeLabelLength = vcb.vpb->VolumeLabelLength;
  return PutString(out, kFixed, vcb.vpb->VolumeLabel, vcb.vpb->VolumeLabelLength);
}

NTSTATUS QueryAttributes(Vcb& vcb, Output& out) {
  constexpr ULONG kFixed = FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName);
  if (out.room < kFixed) return STATUS_INFO_LENGTH_MISMATCH;
  static const WCHAR kFat[] = L"FAT";
  static const WCHAR kFat32[] = L"FAT32";
  const bool fat32 = vcb.geometry.type == FatType::k32;
  const ULONG bytes = fat32 ? sizeof(kFat32) - sizeof(WCHAR) : sizeof(kFat) - sizeof(WCHAR);
  auto* info = reinterpret_cast<FILE_FS_ATTRIBUTE_INFORMATION*>(out.buffer);
  info->FileSystemAttributes =
      FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK | (vcb.write_protected ? FILE_READ_ONLY_VOLUME : 0);
  info->MaximumComponentNameLength = kMaxNameChars;
  info->FileSystemNameLength = bytes;
  return PutString(out, kFixed, fat32 ? kFat32 : kFat, bytes);
}

NTSTATUS Query(Vcb& vcb, FS_INFORMATION_CLASS information_class, Output& out) {
  const Geometry& geometry = vcb.geometry;
  const ULONG free = vcb.free.free_clusters;
  switch (information_class) {
    case FileFsVolumeInformation:
      return QueryVolume(vcb, out);
    case FileFsAttributeInformation:
      return QueryAttributes(vcb, out);
    case FileFsSizeInformation: {
      auto* info = out.Fixed<FILE_FS_SIZE_INFORMATION>();
      if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
      info->TotalAllocationUnits.QuadPart = geometry.cluster_count;
      info->AvailableAllocationUnits.QuadPart = free;
      info->SectorsPerAllocationUnit = geometry.cluster_bytes / geometry.sector_bytes;
      info->BytesPerSector = geometry.sector_bytes;
      return STATUS_SUCCESS;
    }
    case FileFsFullSizeInformation: {
      auto* info = out.Fixed<FILE_FS_FULL_SIZE_INFORMATION>();
      if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
      info->TotalAllocationUnits.QuadPart = geometry.cluster_count;
      info->CallerAvailableAllocationUnits.QuadPart = free;
      info->ActualAvailableAllocationUnits.QuadPart = free;
      info->SectorsPerAllocationUnit = geometry.cluster_bytes / geometry.sector_bytes;
      info->BytesPerSector = geometry.sector_bytes;
      return STATUS_SUCCESS;
    }
    case FileFsDeviceInformation: {
      auto* info = out.Fixed<FILE_FS_DEVICE_INFORMATION>();
      if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
      info->DeviceType = FILE_DEVICE_DISK;
      info->Characteristics = vcb.vpb->RealDevice->Characteristics | (vcb.write_protected ? FILE_READ_ONLY_DEVICE : 0);
      return STATUS_SUCCESS;
    }
    case FileFsSectorSizeInformation: {
      auto* info = out.Fixed<FILE_FS_SECTOR_SIZE_INFORMATION>();
      if (info == nullptr) return STATUS_INFO_LENGTH_MISMATCH;
      return FsRtlGetSectorSizeInformation(vcb.vpb->RealDevice, info);
    }
    default:
      return STATUS_INVALID_PARAMETER;
  }
}

/// 11 characters as the medium has them; false if the text cannot be a label.
bool EncodeLabel(const UNICODE_STRING& label, UCHAR packed[11]) {
  CHAR bytes[2 * 11];
  STRING oem;
  oem.Buffer = bytes;
  oem.Length = 0;
  oem.MaximumLength = sizeof(bytes);
  if (label.Length > 11 * sizeof(WCHAR)) return false;
  if (!NT_SUCCESS(RtlUpcaseUnicodeStringToCountedOemString(&oem, &label, FALSE)) || oem.Length > 11) return false;
  RtlFillMemory(packed, 11, ' ');
  for (USHORT i = 0; i < oem.Length; ++i) {
    const UCHAR c = static_cast<UCHAR>(bytes[i]);
    if (c < 0x20 || (i == 0 && c == ' ')) return false;
    for (const char* bad = "\"*+,./:;<=>?[\\]|&^()"; *bad != 0; ++bad) {
      if (c == static_cast<UCHAR>(*bad)) return false;
    }
    packed[i] = c;
  }
  if (packed[0] == kSlotDeleted) packed[0] = kSlotKanjiE5;
  return true;
}

NTSTATUS SetLabel(Vcb& vcb, const UNICODE_STRING& label, DirectoryEntry* entry) {
  UCHAR packed[11];
  if (label.Length != 0 && !EncodeLabel(label, packed)) return STATUS_INVALID_VOLUME_LABEL;
  FAT_TRY_STATUS(BeginModification(vcb));
  Fcb& root = *vcb.root;
  NTSTATUS status = FindLabel(root, entry);
  const bool exists = NT_SUCCESS(status);
  if (!exists && status != STATUS_OBJECT_NAME_NOT_FOUND) return status;
  if (label.Length == 0) {
    status = exists ? RemoveEntry(root, entry->first_slot, entry->dirent_slot) : STATUS_SUCCESS;
  } else {
    Dirent dirent;
    RtlZeroMemory(&dirent, sizeof(dirent));
    RtlCopyMemory(dirent.name, packed, sizeof(packed));
    dirent.attributes = kAttrVolumeId;
    EncodeTime(Now(), &dirent.write_date, &dirent.write_time, nullptr);
    status = exists ? WriteSlot(root, entry->dirent_slot, dirent) : AddLabelEntry(root, dirent);
  }
  if (!NT_SUCCESS(status)) return status;
  UNICODE_STRING out;
  out.Buffer = vcb.vpb->VolumeLabel;
  out.Length = 0;
  out.MaximumLength = sizeof(vcb.vpb->VolumeLabel);
  if (label.Length != 0) DecodeLabel(packed, &out);
  vcb.vpb->VolumeLabelLength = out.Length;
  return STATUS_SUCCESS;
}

}  // namespace

NTSTATUS QueryVolumeInformation(IrpContext& context) {
  PIO_STACK_LOCATION stack = context.stack();
  Vcb& vcb = *context.vcb;
  FAT_TRY_STATUS(VerifyVolume(context, nullptr));
  SharedGuard guard(vcb.resource);
  Output out{static_cast<UCHAR*>(context.irp->AssociatedIrp.SystemBuffer), stack->Parameters.QueryVolume.Length, 0};
  const NTSTATUS status = Query(vcb, stack->Parameters.QueryVolume.FsInformationClass, out);
  context.irp->IoStatus.Information = NT_ERROR(status) ? 0 : out.used;
  return status;
}

NTSTATUS SetVolumeInformation(IrpContext& context) {
  PIO_STACK_LOCATION stack = context.stack();
  Vcb& vcb = *context.vcb;
  FAT_TRY_STATUS(VerifyVolume(context, nullptr));
  if (stack->Parameters.SetVolume.FsInformationClass != FileFsLabelInformation) return STATUS_INVALID_PARAMETER;
  const auto* info = static_cast<FILE_FS_LABEL_INFORMATION*>(context.irp->AssociatedIrp.SystemBuffer);
  constexpr ULONG kFixed = FIELD_OFFSET(FILE_FS_LABEL_INFORMATION, VolumeLabel);
  const ULONG length = stack->Parameters.SetVolume.Length;
  if (length < kFixed || info->VolumeLabelLength > length - kFixed) return STATUS_INVALID_PARAMETER;
  if (info->VolumeLabelLength > 11 * sizeof(WCHAR) || info->VolumeLabelLength % sizeof(WCHAR) != 0) {
    return STATUS_INVALID_VOLUME_LABEL;
  }
  UNICODE_STRING label;
  label.Buffer = const_cast<PWCH>(info->VolumeLabel);
  label.Length = label.MaximumLength = static_cast<USHORT>(info->VolumeLabelLength);
  PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  memory.As<DirectoryEntry>()->long_name.Clear();
  ExclusiveGuard guard(vcb.resource);
  if (vcb.state != VolumeState::kMounted) return STATUS_VOLUME_DISMOUNTED;
  return SetLabel(vcb, label, memory.As<DirectoryEntry>());
}

}  // namespace fat
