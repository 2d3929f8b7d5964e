// What lies on the medium: boot sector, FSInfo sector, directory slots. Little-endian, packed, read in place.
#pragma once
#include <ntifs.h>

namespace fat {

constexpr ULONG kSlotBytes = 32;
constexpr ULONG kFirstCluster = 2;
constexpr ULONG kMaxDirectoryBytes = 65536 * kSlotBytes;  // the format's own limit

// FAT entry values, widened to 28 bits whatever the FAT's width.
constexpr ULONG kFatFree = 0;
constexpr ULONG kFatBad = 0x0FFFFFF7;
constexpr ULONG kFatEnd = 0x0FFFFFFF;

constexpr UCHAR kSlotEnd = 0x00;      // first byte: this slot and all after it are unused
constexpr UCHAR kSlotDeleted = 0xE5;  // first byte: free
constexpr UCHAR kSlotKanjiE5 = 0x05;  // first byte: stands for a real 0xE5
constexpr UCHAR kLfnLast = 0x40;      // ordinal flag of the slot that comes first on disk
constexpr UCHAR kCaseLowerBase = 0x08;
constexpr UCHAR kCaseLowerExtension = 0x10;

constexpr UCHAR kAttrReadOnly = 0x01;
constexpr UCHAR kAttrVolumeId = 0x08;
constexpr UCHAR kAttrDirectory = 0x10;
constexpr UCHAR kAttrArchive = 0x20;
constexpr UCHAR kAttrLfn = 0x0F;
constexpr UCHAR kAttrSettable = 0x27;  // read-only, hidden, system, archive

constexpr UCHAR kBootDirty = 0x01;        // BootSector::*.state
constexpr ULONG kFat16CleanBit = 0x8000;  // FAT[1], 1 = clean
constexpr ULONG kFat32CleanBit = 0x08000000;

#pragma pack(push, 1)

struct BootSector {
  UCHAR jump[3];
  UCHAR oem_name[8];
  USHORT bytes_per_sector;
  UCHAR sectors_per_cluster;
  USHORT reserved_sectors;
  UCHAR fat_count;
  USHORT root_entries;
  USHORT sectors16;
  UCHAR media;
  USHORT fat_sectors16;
  USHORT sectors_per_track;
  USHORT heads;
  ULONG hidden_sectors;
  ULONG sectors32;
  union {
    struct {
      UCHAR drive;
      UCHAR state;
      UCHAR signature;  // 0x28 or 0x29: serial (and label) are valid
      ULONG serial;
      UCHAR label[11];
      UCHAR type[8];
      UCHAR code[448];
    } fat16;
    struct {
      ULONG fat_sectors;
      USHORT flags;  // bit 7: not mirrored, bits 0-3: the active FAT
      USHORT version;
      ULONG root_cluster;
      USHORT fsinfo_sector;
      USHORT backup_sector;
      UCHAR reserved[12];
      UCHAR drive;
      UCHAR state;
      UCHAR signature;
      ULONG serial;
      UCHAR label[11];
      UCHAR type[8];
      UCHAR code[420];
    } fat32;
  };
  USHORT end_signature;  // 0xAA55
};
static_assert(sizeof(BootSector) == 512);

struct FsInfoSector {
  ULONG lead_signature;  // "RRaA"
  UCHAR reserved1[480];
  ULONG signature;  // "rrAa"
  ULONG free_clusters;
  ULONG next_free;
  UCHAR reserved2[12];
  ULONG trail_signature;
};
static_assert(sizeof(FsInfoSector) == 512);
constexpr ULONG kFsInfoLead = 0x41615252;
constexpr ULONG kFsInfoSignature = 0x61417272;
constexpr ULONG kFsInfoTrail = 0xAA550000;

struct Dirent {
  UCHAR name[11];
  UCHAR attributes;
  UCHAR nt_case;
  UCHAR creation_10ms;
  USHORT creation_time;
  USHORT creation_date;
  USHORT access_date;
  USHORT cluster_high;
  USHORT write_time;
  USHORT write_date;
  USHORT cluster_low;
  ULONG size;
};
static_assert(sizeof(Dirent) == kSlotBytes);

struct LfnSlot {
  UCHAR ordinal;
  WCHAR name1[5];
  UCHAR attributes;
  UCHAR type;
  UCHAR checksum;
  WCHAR name2[6];
  USHORT cluster;
  WCHAR name3[2];
};
static_assert(sizeof(LfnSlot) == kSlotBytes);
constexpr ULONG kLfnCharsPerSlot = 13;
constexpr ULONG kLfnMaxSlots = 20;
constexpr ULONG kMaxNameChars = 255;

#pragma pack(pop)

}  // namespace fat
