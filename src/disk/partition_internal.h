// Shared by partition.cc and gpt.cc.
#pragma once

#include "src/disk/partition.h"

namespace nt::disk::internal {

struct Input {
  const SectorReader& read;
  uint64_t disk_bytes;
  uint32_t sector_bytes;
};

inline uint32_t Little32(const uint8_t* bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | uint32_t{bytes[3]} << 24;
}
inline uint64_t Little64(const uint8_t* bytes) { return Little32(bytes) | uint64_t{Little32(bytes + 4)} << 32; }

Status Corrupt(std::string* problem, std::string text);
Status ReadSectors(const Input& input, uint64_t offset, void* buffer, size_t bytes, std::string* problem);
Status ReadGpt(const Input& input, PartitionTable* table, std::string* problem);

}  // namespace nt::disk::internal
