// Reads MBR and GPT. Everything in a table is untrusted: each number is checked against the disk before it is used.
#include "src/disk/partition.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "src/disk/partition_internal.h"

namespace nt::disk {

const Partition* PartitionTable::Find(unsigned number) const {
  for (const Partition& partition : partitions)
    if (partition.number == number) return &partition;
  return nullptr;
}

namespace internal {

Status Corrupt(std::string* problem, std::string text) {
  *problem = std::move(text);
  return STATUS_DISK_CORRUPT_ERROR;
}

Status ReadSectors(const Input& input, uint64_t offset, void* buffer, size_t bytes, std::string* problem) {
  if (offset > input.disk_bytes || bytes > input.disk_bytes - offset)
    return Corrupt(problem, "the partition table points past the end of the disk");
  if (input.read(offset, buffer, bytes)) return STATUS_SUCCESS;
  *problem = "reading the partition table failed";
  return STATUS_IO_DEVICE_ERROR;
}

namespace {

constexpr size_t kEntriesOffset = 446;
constexpr size_t kSignatureOffset = 440;
constexpr uint8_t kGptProtective = 0xee;
constexpr unsigned kMaxLogical = 256;

struct MbrEntry {
  uint8_t status, type;
  uint32_t start, sectors;
};

MbrEntry EntryAt(const std::vector<uint8_t>& sector, unsigned slot) {
  const uint8_t* bytes = &sector[kEntriesOffset + slot * 16];
  return {bytes[0], bytes[4], Little32(bytes + 8), Little32(bytes + 12)};
}

bool IsExtended(uint8_t type) { return type == 0x05 || type == 0x0f || type == 0x85; }
bool HasMbrMark(const std::vector<uint8_t>& sector) { return sector[510] == 0x55 && sector[511] == 0xaa; }

/// A volume's boot sector carries the same mark, with boot code where an MBR has its entries.
bool LooksLikeMbr(const std::vector<uint8_t>& sector, uint64_t disk_sectors) {
  if (!HasMbrMark(sector)) return false;
  bool any = false;
  for (unsigned slot = 0; slot < 4; slot++) {
    const MbrEntry entry = EntryAt(sector, slot);
    if (entry.status != 0 && entry.status != 0x80) return false;
    if (entry.type == 0) continue;
    if (entry.start == 0 || entry.sectors == 0) return false;
    // A disk image cut short is a disk with a bad table, not a disk without one: only the start must lie on the disk.
    if (entry.start >= disk_sectors) return false;
    any = true;
  }
  return any;
}

Status AddMbrPartition(const Input& input, unsigned number, uint64_t start, const MbrEntry& entry, bool logical,
                       PartitionTable* table, std::string* problem) {
  const uint64_t disk_sectors = input.disk_bytes / input.sector_bytes;
  if (start >= disk_sectors || entry.sectors > disk_sectors - start)
    return Corrupt(problem, "partition " + std::to_string(number) + " ends past the end of the disk (sector " +
                                std::to_string(start + entry.sectors) + " of " + std::to_string(disk_sectors) +
                                "); is the image complete, and its sector size right?");
  Partition partition;
  partition.number = number;
  partition.start = start * input.sector_bytes;
  partition.length = uint64_t{entry.sectors} * input.sector_bytes;
  partition.mbr_type = entry.type;
  partition.active = entry.status == 0x80;
  partition.logical = logical;
  table->partitions.push_back(partition);
  return STATUS_SUCCESS;
}

/// Follows the chain of extended boot records: in each, the first entry is a logical partition, relative to the record; the
/// second is the next record, relative to the extended partition.
Status ReadLogical(const Input& input, const MbrEntry& extended, PartitionTable* table, std::string* problem) {
  std::vector<uint8_t> sector(input.sector_bytes);
  uint64_t record = extended.start;
  for (unsigned count = 0;; count++) {
    if (count == kMaxLogical) return Corrupt(problem, "the chain of logical partitions does not end");
    NT_TRY(ReadSectors(input, record * input.sector_bytes, sector.data(), sector.size(), problem));
    if (!HasMbrMark(sector)) {
      // mkfs and sfdisk leave a fresh, empty extended partition without a first record.
      if (count == 0) return STATUS_SUCCESS;
      return Corrupt(problem, "the chain of logical partitions is broken at sector " + std::to_string(record));
    }
    const MbrEntry data = EntryAt(sector, 0);
    if (data.type != 0 && data.sectors != 0)
      NT_TRY(AddMbrPartition(input, 5 + count, record + data.start, data, true, table, problem));
    const MbrEntry next = EntryAt(sector, 1);
    if (!IsExtended(next.type) || next.sectors == 0) return STATUS_SUCCESS;
    record = uint64_t{extended.start} + next.start;
  }
}

Status ReadMbr(const Input& input, const std::vector<uint8_t>& sector, PartitionTable* table, std::string* problem) {
  table->style = PartitionStyle::kMbr;
  table->mbr_signature = Little32(&sector[kSignatureOffset]);
  for (unsigned slot = 0; slot < 4; slot++) {
    const MbrEntry entry = EntryAt(sector, slot);
    if (entry.type != 0 && !IsExtended(entry.type))
      NT_TRY(AddMbrPartition(input, slot + 1, entry.start, entry, false, table, problem));
  }
  for (unsigned slot = 0; slot < 4; slot++) {
    const MbrEntry entry = EntryAt(sector, slot);
    if (IsExtended(entry.type)) {
      NT_TRY(ReadLogical(input, entry, table, problem));
      break;  // there is at most one
    }
  }
  return STATUS_SUCCESS;
}

Status CheckOverlap(const PartitionTable& table, std::string* problem) {
  std::vector<const Partition*> sorted;
  for (const Partition& partition : table.partitions) sorted.push_back(&partition);
  std::sort(sorted.begin(), sorted.end(), [](const Partition* a, const Partition* b) { return a->start < b->start; });
  for (size_t i = 1; i < sorted.size(); i++)
    if (sorted[i]->start < sorted[i - 1]->start + sorted[i - 1]->length)
      return Corrupt(problem, "partitions " + std::to_string(sorted[i - 1]->number) + " and " +
                                  std::to_string(sorted[i]->number) + " overlap");
  return STATUS_SUCCESS;
}

}  // namespace
}  // namespace internal

Status ReadPartitionTable(const SectorReader& read, uint64_t disk_bytes, uint32_t sector_bytes, PartitionTable* table,
                          std::string* problem) {
  using namespace internal;
  *table = {};
  problem->clear();
  if (disk_bytes < sector_bytes) return STATUS_SUCCESS;
  const Input input{read, disk_bytes, sector_bytes};
  std::vector<uint8_t> sector(sector_bytes);
  NT_TRY(ReadSectors(input, 0, sector.data(), sector.size(), problem));
  if (!LooksLikeMbr(sector, disk_bytes / sector_bytes)) return STATUS_SUCCESS;

  bool gpt = false;
  for (unsigned slot = 0; slot < 4; slot++) gpt |= EntryAt(sector, slot).type == kGptProtective;
  if (gpt)
    NT_TRY(ReadGpt(input, table, problem));
  else
    NT_TRY(ReadMbr(input, sector, table, problem));
  unsigned ordinal = 0;
  for (Partition& partition : table->partitions) partition.ordinal = ++ordinal;
  return CheckOverlap(*table, problem);
}

std::string Describe(const PartitionTable& table) {
  std::string text;
  for (const Partition& partition : table.partitions) {
    char line[128];
    if (table.style == PartitionStyle::kMbr)
      std::snprintf(line, sizeof(line), "  %u: type 0x%02x, at %llu, %llu bytes\n", partition.number, partition.mbr_type,
                    static_cast<unsigned long long>(partition.start), static_cast<unsigned long long>(partition.length));
    else
      std::snprintf(line, sizeof(line), "  %u: GPT, at %llu, %llu bytes\n", partition.number,
                    static_cast<unsigned long long>(partition.start), static_cast<unsigned long long>(partition.length));
    text += line;
  }
  return text;
}

}  // namespace nt::disk
