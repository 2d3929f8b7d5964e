// The boot sector, trusted with nothing: a field that no FAT volume of this device can have ends recognition.
#include "fat.h"

namespace fat {
namespace {

bool IsPowerOfTwo(ULONG value) { return value != 0 && (value & (value - 1)) == 0; }

ULONG Log2(ULONG value) {
  ULONG shift = 0;
  while ((1u << shift) < value) ++shift;
  return shift;
}

bool IsJump(const BootSector& boot) {
  return boot.jump[0] == 0xE9 || boot.jump[0] == 0xEB || boot.jump[0] == 0x49;  // the last: FM-TOWNS floppies
}

bool IsMediaByte(UCHAR media) { return media == 0xF0 || media >= 0xF8; }

}  // namespace

NTSTATUS DecodeBootSector(const BootSector& boot, ULONG device_sector_bytes, LONGLONG device_bytes,
                          Geometry* geometry) {
  RtlZeroMemory(geometry, sizeof(*geometry));
  const ULONG sector = boot.bytes_per_sector;
  const ULONG per_cluster = boot.sectors_per_cluster;
  if (!IsJump(boot) || !IsMediaByte(boot.media)) return STATUS_UNRECOGNIZED_VOLUME;
  if (!IsPowerOfTwo(sector) || sector < 512 || sector > 4096 || sector < device_sector_bytes) {
    return STATUS_UNRECOGNIZED_VOLUME;
  }
  if (!IsPowerOfTwo(per_cluster) || sector * per_cluster > 256 * 1024) return STATUS_UNRECOGNIZED_VOLUME;
  if (boot.reserved_sectors == 0 || boot.fat_count == 0 || boot.fat_count > 4) return STATUS_UNRECOGNIZED_VOLUME;

  // FAT32 is told by the 16-bit fields it leaves zero; FAT12 and FAT16 by the number of clusters.
  const bool fat32 = boot.fat_sectors16 == 0;
  const ULONG fat_sectors = fat32 ? boot.fat32.fat_sectors : boot.fat_sectors16;
  const ULONG total_sectors = boot.sectors16 != 0 ? boot.sectors16 : boot.sectors32;
  if (fat_sectors == 0 || total_sectors == 0) return STATUS_UNRECOGNIZED_VOLUME;
  if (fat32 ? (boot.root_entries != 0 || boot.fat32.version != 0) : boot.root_entries == 0) {
    return STATUS_UNRECOGNIZED_VOLUME;
  }
  const LONGLONG volume_bytes = static_cast<LONGLONG>(total_sectors) * sector;
  if (device_bytes > 0 && volume_bytes > device_bytes) return STATUS_UNRECOGNIZED_VOLUME;

  const ULONGLONG root_sectors = (boot.root_entries * kSlotBytes + sector - 1) / sector;
  const ULONGLONG fats_start = boot.reserved_sectors;
  const ULONGLONG root_start = fats_start + static_cast<ULONGLONG>(boot.fat_count) * fat_sectors;
  const ULONGLONG data_start = root_start + root_sectors;
  if (data_start >= total_sectors) return STATUS_UNRECOGNIZED_VOLUME;
  ULONGLONG clusters = (total_sectors - data_start) / per_cluster;
  if (clusters == 0) return STATUS_UNRECOGNIZED_VOLUME;

  geometry->type = fat32 ? FatType::k32 : clusters < 4085 ? FatType::k12 : FatType::k16;
  if (!fat32 && clusters > 65524) return STATUS_UNRECOGNIZED_VOLUME;
  if (fat32 && clusters > 0x0FFFFFF5) return STATUS_UNRECOGNIZED_VOLUME;

  // A FAT too short for the clusters makes the rest of them unusable; one far too short is nonsense.
  const ULONGLONG fat_bits = static_cast<ULONGLONG>(fat_sectors) * sector * 8;
  const ULONGLONG entries = fat_bits / (fat32 ? 32 : geometry->type == FatType::k16 ? 16 : 12);
  if (entries < clusters + kFirstCluster) return STATUS_UNRECOGNIZED_VOLUME;

  geometry->media = boot.media;
  geometry->fat_count = boot.fat_count;
  geometry->mirrored = true;
  geometry->sector_bytes = sector;
  geometry->cluster_bytes = sector * per_cluster;
  geometry->cluster_shift = Log2(geometry->cluster_bytes);
  geometry->cluster_count = static_cast<ULONG>(clusters);
  geometry->fat_bytes = static_cast<LONGLONG>(fat_sectors) * sector;
  geometry->fat_base = static_cast<LONGLONG>(fats_start) * sector;
  geometry->root_base = static_cast<LONGLONG>(root_start) * sector;
  geometry->data_base = static_cast<LONGLONG>(data_start) * sector;
  geometry->volume_bytes = volume_bytes;

  UCHAR state;
  UCHAR signature;
  if (fat32) {
    if ((boot.fat32.flags & 0x80) != 0) {
      geometry->active_fat = boot.fat32.flags & 0x0F;
      geometry->mirrored = false;
      if (geometry->active_fat >= boot.fat_count) return STATUS_UNRECOGNIZED_VOLUME;
      geometry->fat_base += geometry->active_fat * geometry->fat_bytes;
    }
    geometry->root_cluster = boot.fat32.root_cluster;
    if (geometry->root_cluster < kFirstCluster || geometry->root_cluster - kFirstCluster >= clusters) {
      return STATUS_UNRECOGNIZED_VOLUME;
    }
    if (boot.fat32.fsinfo_sector != 0 && boot.fat32.fsinfo_sector < boot.reserved_sectors) {
      geometry->fsinfo_offset = boot.fat32.fsinfo_sector * sector;
    }
    geometry->boot_state_offset = FIELD_OFFSET(BootSector, fat32.state);
    geometry->serial = boot.fat32.serial;
    state = boot.fat32.state;
    signature = boot.fat32.signature;
  } else {
    geometry->root_entries = boot.root_entries;
    geometry->root_bytes = static_cast<ULONG>(root_sectors) * sector;
    geometry->boot_state_offset = FIELD_OFFSET(BootSector, fat16.state);
    geometry->serial = boot.fat16.serial;
    state = boot.fat16.state;
    signature = boot.fat16.signature;
  }
  geometry->boot_state_valid = signature == 0x28 || signature == 0x29;
  if (!geometry->boot_state_valid) geometry->serial = 0;
  geometry->dirty = geometry->boot_state_valid && (state & kBootDirty) != 0;
  return STATUS_SUCCESS;
}

}  // namespace fat
