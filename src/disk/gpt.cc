// GPT: the primary header and entries, or the backup at the end of the disk when they fail their checks.
#include <cstring>

#include "src/disk/partition_internal.h"

namespace nt::disk {

uint32_t Crc32(const void* data, size_t bytes) {
  const auto* next = static_cast<const uint8_t*>(data);
  uint32_t crc = ~0u;
  while (bytes-- > 0) {
    crc ^= *next++;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ ((crc & 1) ? 0xedb88320u : 0u);
  }
  return ~crc;
}

namespace internal {
namespace {

constexpr char kMark[] = "EFI PART";
constexpr uint32_t kLeastHeaderBytes = 92;
constexpr uint32_t kLeastEntryBytes = 128;
constexpr uint64_t kMostEntriesBytes = 4u << 20;

Status ReadHeader(const Input& input, uint64_t lba, PartitionTable* table, std::string* problem) {
  const uint64_t disk_sectors = input.disk_bytes / input.sector_bytes;
  const std::string where = lba == 1 ? "the GPT header" : "the backup GPT header";
  if (lba >= disk_sectors) return Corrupt(problem, "the disk is too small for a GPT header");
  std::vector<uint8_t> header(input.sector_bytes);
  NT_TRY(ReadSectors(input, lba * input.sector_bytes, header.data(), header.size(), problem));
  if (std::memcmp(header.data(), kMark, 8) != 0) return Corrupt(problem, where + " is missing");
  const uint32_t header_bytes = Little32(&header[12]);
  if (header_bytes < kLeastHeaderBytes || header_bytes > input.sector_bytes)
    return Corrupt(problem, where + " has a wrong size");
  const uint32_t crc = Little32(&header[16]);
  std::memset(&header[16], 0, 4);
  if (Crc32(header.data(), header_bytes) != crc) return Corrupt(problem, where + " fails its checksum");
  if (Little64(&header[24]) != lba) return Corrupt(problem, where + " was written for another place");

  const uint64_t first_usable = Little64(&header[40]), last_usable = Little64(&header[48]);
  const uint64_t entries_lba = Little64(&header[72]);
  const uint32_t count = Little32(&header[80]), entry_bytes = Little32(&header[84]);
  const uint32_t entries_crc = Little32(&header[88]);
  if (entry_bytes < kLeastEntryBytes || (entry_bytes & (entry_bytes - 1)) != 0)
    return Corrupt(problem, where + " has a wrong entry size");
  const uint64_t entries_bytes = uint64_t{count} * entry_bytes;
  if (entries_bytes == 0 || entries_bytes > kMostEntriesBytes) return Corrupt(problem, where + " has too many entries");
  if (first_usable > last_usable || last_usable >= disk_sectors || entries_lba >= disk_sectors)
    return Corrupt(problem, where + " points past the end of the disk; is the image complete?");

  const uint64_t rounded = (entries_bytes + input.sector_bytes - 1) / input.sector_bytes * input.sector_bytes;
  std::vector<uint8_t> entries(rounded);
  NT_TRY(ReadSectors(input, entries_lba * input.sector_bytes, entries.data(), entries.size(), problem));
  if (Crc32(entries.data(), entries_bytes) != entries_crc)
    return Corrupt(problem, "the entries of " + where + " fail their checksum");

  *table = {};
  table->style = PartitionStyle::kGpt;
  std::memcpy(table->gpt_disk_id.data(), &header[56], 16);
  table->gpt_usable_start = first_usable * input.sector_bytes;
  table->gpt_usable_bytes = (last_usable - first_usable + 1) * input.sector_bytes;
  table->gpt_max_entries = count;
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t* entry = &entries[size_t{i} * entry_bytes];
    Partition partition;
    std::memcpy(partition.gpt_type.data(), entry, 16);
    if (partition.gpt_type == GuidBytes{}) continue;  // unused
    const uint64_t first = Little64(entry + 32), last = Little64(entry + 40);
    partition.number = i + 1;
    if (first > last || first < first_usable || last > last_usable)
      return Corrupt(problem, "partition " + std::to_string(partition.number) + " lies outside of the usable sectors");
    std::memcpy(partition.gpt_id.data(), entry + 16, 16);
    partition.start = first * input.sector_bytes;
    partition.length = (last - first + 1) * input.sector_bytes;
    partition.gpt_attributes = Little64(entry + 48);
    for (size_t k = 0; k < 36; k++) {
      const auto unit = static_cast<char16_t>(entry[56 + 2 * k] | entry[57 + 2 * k] << 8);
      if (unit == 0) break;
      partition.gpt_name.push_back(unit);
    }
    table->partitions.push_back(std::move(partition));
  }
  return STATUS_SUCCESS;
}

/// The most likely reason for a header that is not there.
bool MadeForOtherSectorSize(const Input& input, uint32_t* other) {
  *other = input.sector_bytes == 512 ? 4096 : 512;
  if (input.disk_bytes < 8192) return false;
  std::vector<uint8_t> start(8192);
  return input.read(0, start.data(), start.size()) && std::memcmp(&start[*other], kMark, 8) == 0;
}

}  // namespace

Status ReadGpt(const Input& input, PartitionTable* table, std::string* problem) {
  const Status primary = ReadHeader(input, 1, table, problem);
  if (primary.ok()) return primary;
  uint32_t other;
  if (MadeForOtherSectorSize(input, &other))
    return Corrupt(problem, "the GPT was made for sectors of " + std::to_string(other) + " bytes, not " +
                                std::to_string(input.sector_bytes));
  std::string backup_problem;
  if (ReadHeader(input, input.disk_bytes / input.sector_bytes - 1, table, &backup_problem).ok()) {
    table->from_backup = true;
    problem->clear();
    return STATUS_SUCCESS;
  }
  *table = {};
  *problem += "; " + backup_problem;
  return primary;
}

}  // namespace internal
}  // namespace nt::disk
