// Partition tables: MBR with logical partitions, and GPT. Reads through a function, so it needs no device and no machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "src/base/status.h"

namespace nt::disk {

enum class PartitionStyle { kNone, kMbr, kGpt };

using GuidBytes = std::array<uint8_t, 16>;

struct Partition {
  unsigned number = 0;   // as fdisk shows it: MBR slots 1-4, logical partitions from 5, GPT entry + 1
  unsigned ordinal = 0;  // as NT counts: the partitions that hold data, from 1, in order of the table
  uint64_t start = 0;    // bytes
  uint64_t length = 0;   // bytes
  uint8_t mbr_type = 0;
  bool active = false;
  bool logical = false;
  GuidBytes gpt_type{};
  GuidBytes gpt_id{};
  uint64_t gpt_attributes = 0;
  std::u16string gpt_name;
};

struct PartitionTable {
  PartitionStyle style = PartitionStyle::kNone;
  uint32_t mbr_signature = 0;
  GuidBytes gpt_disk_id{};
  uint64_t gpt_usable_start = 0;  // bytes
  uint64_t gpt_usable_bytes = 0;
  uint32_t gpt_max_entries = 0;
  bool from_backup = false;  // the primary GPT is damaged
  std::vector<Partition> partitions;

  /// nullptr when the table has no such partition.
  const Partition* Find(unsigned number) const;
};

/// Reads `bytes` at `offset`, both multiples of the sector size; false on failure.
using SectorReader = std::function<bool(uint64_t offset, void* buffer, size_t bytes)>;

/// @param problem  on failure a sentence for the user
/// @returns SUCCESS, also for a disk without a table (style kNone: a file system may begin at sector 0);
///          STATUS_DISK_CORRUPT_ERROR: there is a table and it is wrong; STATUS_IO_DEVICE_ERROR: a read failed
Status ReadPartitionTable(const SectorReader& read, uint64_t disk_bytes, uint32_t sector_bytes, PartitionTable* table,
                          std::string* problem);

/// One line per partition, for messages.
std::string Describe(const PartitionTable& table);

/// CRC-32 of IEEE 802.3, as GPT uses it.
uint32_t Crc32(const void* data, size_t bytes);

}  // namespace nt::disk
