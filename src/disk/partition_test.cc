// Partition tables built by hand, whole and damaged.
#include "src/disk/partition.h"

#include <gtest/gtest.h>

#include <cstring>

namespace nt::disk {
namespace {

class Image {
 public:
  explicit Image(uint64_t sectors, uint32_t sector_bytes = 512)
      : bytes(sectors * sector_bytes), sector_bytes(sector_bytes) {}

  void Put32(uint64_t at, uint32_t value) { std::memcpy(&bytes[at], &value, 4); }
  void Put64(uint64_t at, uint64_t value) { std::memcpy(&bytes[at], &value, 8); }
  void Mark(uint64_t sector) {
    bytes[sector * sector_bytes + 510] = 0x55;
    bytes[sector * sector_bytes + 511] = 0xaa;
  }
  void Entry(uint64_t sector, unsigned slot, uint8_t type, uint32_t start, uint32_t count, uint8_t status = 0) {
    const uint64_t at = sector * sector_bytes + 446 + slot * 16;
    bytes[at] = status;
    bytes[at + 4] = type;
    Put32(at + 8, start);
    Put32(at + 12, count);
    Mark(sector);
  }
  uint64_t sectors() const { return bytes.size() / sector_bytes; }

  void GptHeader(uint64_t lba, uint64_t entries_lba, uint32_t count = 128) {
    const uint64_t at = lba * sector_bytes;
    std::memcpy(&bytes[at], "EFI PART", 8);
    Put32(at + 8, 0x10000);
    Put32(at + 12, 92);
    Put64(at + 24, lba);
    Put64(at + 32, lba == 1 ? sectors() - 1 : 1);
    Put64(at + 40, 34);
    Put64(at + 48, sectors() - 34);
    std::memset(&bytes[at + 56], 0xd1, 16);
    Put64(at + 72, entries_lba);
    Put32(at + 80, count);
    Put32(at + 84, 128);
    SealEntries(lba);
  }
  void SealEntries(uint64_t lba) {
    const uint64_t at = lba * sector_bytes;
    uint64_t entries_lba;
    uint32_t count;
    std::memcpy(&entries_lba, &bytes[at + 72], 8);
    std::memcpy(&count, &bytes[at + 80], 4);
    Put32(at + 88, Crc32(&bytes[entries_lba * sector_bytes], count * 128));
    Put32(at + 16, 0);
    Put32(at + 16, Crc32(&bytes[at], 92));
  }
  void GptEntry(uint64_t entries_lba, unsigned index, uint64_t first, uint64_t last, const char* name = "") {
    const uint64_t at = entries_lba * sector_bytes + index * 128;
    std::memset(&bytes[at], 0xa0 + static_cast<int>(index), 16);
    std::memset(&bytes[at + 16], 0x10 + static_cast<int>(index), 16);
    Put64(at + 32, first);
    Put64(at + 40, last);
    for (size_t i = 0; name[i]; i++) bytes[at + 56 + 2 * i] = static_cast<uint8_t>(name[i]);
  }
  void Gpt(const std::function<void(uint64_t entries_lba)>& fill) {
    Entry(0, 0, 0xee, 1, static_cast<uint32_t>(sectors() - 1));
    const uint64_t entry_sectors = 128 * 128 / sector_bytes;
    for (uint64_t entries : {uint64_t{2}, sectors() - 1 - entry_sectors}) fill(entries);
    GptHeader(1, 2);
    GptHeader(sectors() - 1, sectors() - 1 - entry_sectors);
  }

  Status Read() {
    return ReadPartitionTable(
        [this](uint64_t offset, void* buffer, size_t count) {
          EXPECT_EQ(0u, offset % sector_bytes);
          EXPECT_LE(offset + count, bytes.size());
          std::memcpy(buffer, &bytes[offset], count);
          return !broken;
        },
        bytes.size(), sector_bytes, &table, &problem);
  }

  std::vector<uint8_t> bytes;
  uint32_t sector_bytes;
  bool broken = false;
  PartitionTable table;
  std::string problem;
};

TEST(Crc32, MatchesTheStandardCheckValue) { EXPECT_EQ(0xcbf43926u, Crc32("123456789", 9)); }

TEST(Mbr, EmptyDiskHasNoTable) {
  Image image(100);
  EXPECT_EQ(STATUS_SUCCESS, image.Read());
  EXPECT_EQ(PartitionStyle::kNone, image.table.style);
}

TEST(Mbr, VolumeBootSectorIsNoTable) {
  Image image(100);
  std::memset(&image.bytes[446], 0xcd, 64);  // boot code
  image.Mark(0);
  EXPECT_EQ(STATUS_SUCCESS, image.Read());
  EXPECT_EQ(PartitionStyle::kNone, image.table.style);
}

TEST(Mbr, PrimaryPartitionsKeepTheirSlots) {
  Image image(1000);
  image.Put32(440, 0x12345678);
  image.Entry(0, 0, 0x0c, 63, 100, 0x80);
  image.Entry(0, 2, 0x07, 200, 800);
  ASSERT_EQ(STATUS_SUCCESS, image.Read()) << image.problem;
  EXPECT_EQ(PartitionStyle::kMbr, image.table.style);
  EXPECT_EQ(0x12345678u, image.table.mbr_signature);
  ASSERT_EQ(2u, image.table.partitions.size());
  const Partition* third = image.table.Find(3);
  ASSERT_TRUE(third);
  EXPECT_EQ(2u, third->ordinal);
  EXPECT_EQ(200u * 512, third->start);
  EXPECT_EQ(800u * 512, third->length);
  EXPECT_FALSE(third->active);
  EXPECT_TRUE(image.table.Find(1)->active);
  EXPECT_EQ(0x0c, image.table.Find(1)->mbr_type);
  EXPECT_EQ(nullptr, image.table.Find(2));
}

TEST(Mbr, FollowsLogicalPartitions) {
  Image image(1000);
  image.Entry(0, 0, 0x06, 10, 90);
  image.Entry(0, 1, 0x0f, 100, 900);
  image.Entry(100, 0, 0x06, 1, 99);
  image.Entry(100, 1, 0x05, 200, 200);  // relative to 100: the next record is sector 300
  image.Entry(300, 0, 0x07, 5, 100);
  image.Entry(300, 1, 0x05, 500, 100);
  image.Entry(600, 0, 0x0b, 1, 50);
  ASSERT_EQ(STATUS_SUCCESS, image.Read()) << image.problem;
  ASSERT_EQ(4u, image.table.partitions.size());
  EXPECT_EQ(101u * 512, image.table.Find(5)->start);
  EXPECT_EQ(305u * 512, image.table.Find(6)->start);
  EXPECT_EQ(601u * 512, image.table.Find(7)->start);
  EXPECT_TRUE(image.table.Find(7)->logical);
  EXPECT_EQ(4u, image.table.Find(7)->ordinal);
}

TEST(Mbr, EmptyExtendedPartitionIsNoError) {
  Image image(1000);
  image.Entry(0, 0, 0x06, 10, 90);
  image.Entry(0, 1, 0x05, 100, 900);
  EXPECT_EQ(STATUS_SUCCESS, image.Read()) << image.problem;
  EXPECT_EQ(1u, image.table.partitions.size());
}

TEST(Mbr, EndlessChainIsRefused) {
  Image image(1000);
  image.Entry(0, 1, 0x05, 100, 900);
  image.Entry(100, 1, 0x05, 200, 200);
  image.Entry(300, 1, 0x05, 0, 200);  // back to sector 100
  EXPECT_EQ(STATUS_DISK_CORRUPT_ERROR, image.Read());
  EXPECT_NE(std::string::npos, image.problem.find("does not end"));
}

TEST(Mbr, RecordPastTheDiskIsRefused) {
  Image image(1000);
  image.Entry(0, 1, 0x05, 100, 900);
  image.Entry(100, 1, 0x05, 0xffffffff, 200);
  EXPECT_EQ(STATUS_DISK_CORRUPT_ERROR, image.Read());
}

TEST(Mbr, TruncatedImageIsNamed) {
  Image image(500);
  image.Entry(0, 0, 0x0c, 63, 1000);
  EXPECT_EQ(STATUS_DISK_CORRUPT_ERROR, image.Read());
  EXPECT_NE(std::string::npos, image.problem.find("partition 1 ends past the end")) << image.problem;
}

TEST(Mbr, OverlapIsRefused) {
  Image image(1000);
  image.Entry(0, 0, 0x0c, 63, 100);
  image.Entry(0, 1, 0x0c, 162, 100);
  EXPECT_EQ(STATUS_DISK_CORRUPT_ERROR, image.Read());
  EXPECT_EQ("partitions 1 and 2 overlap", image.problem);
}

TEST(Mbr, ReadErrorIsNotMistakenForCorruption) {
  Image image(1000);
  image.broken = true;
  EXPECT_EQ(STATUS_IO_DEVICE_ERROR, image.Read());
}

class GptTest : public testing::TestWithParam<uint32_t> {};

TEST_P(GptTest, ReadsEntries) {
  Image image(2000, GetParam());
  image.Gpt([&](uint64_t at) {
    image.GptEntry(at, 0, 100, 199, "EFI");
    image.GptEntry(at, 5, 200, 299, "data");
  });
  ASSERT_EQ(STATUS_SUCCESS, image.Read()) << image.problem;
  EXPECT_EQ(PartitionStyle::kGpt, image.table.style);
  EXPECT_FALSE(image.table.from_backup);
  ASSERT_EQ(2u, image.table.partitions.size());
  const Partition* sixth = image.table.Find(6);
  ASSERT_TRUE(sixth);
  EXPECT_EQ(2u, sixth->ordinal);
  EXPECT_EQ(200ull * GetParam(), sixth->start);
  EXPECT_EQ(100ull * GetParam(), sixth->length);
  EXPECT_EQ(u"data", sixth->gpt_name);
  EXPECT_EQ(0xa5, sixth->gpt_type[0]);
  EXPECT_EQ(0x15, sixth->gpt_id[15]);
}

TEST_P(GptTest, DamagedPrimary_FallsBack) {
  Image image(2000, GetParam());
  image.Gpt([&](uint64_t at) { image.GptEntry(at, 0, 100, 199); });
  image.bytes[GetParam() + 60] ^= 1;
  ASSERT_EQ(STATUS_SUCCESS, image.Read()) << image.problem;
  EXPECT_TRUE(image.table.from_backup);
  EXPECT_EQ(1u, image.table.partitions.size());
}

TEST_P(GptTest, DamagedEntries_FallBack) {
  Image image(2000, GetParam());
  image.Gpt([&](uint64_t at) { image.GptEntry(at, 0, 100, 199); });
  image.bytes[2 * GetParam() + 32] ^= 1;
  ASSERT_EQ(STATUS_SUCCESS, image.Read()) << image.problem;
  EXPECT_TRUE(image.table.from_backup);
}

TEST_P(GptTest, BothDamaged_SaysHow) {
  Image image(2000, GetParam());
  image.Gpt([&](uint64_t at) { image.GptEntry(at, 0, 100, 199); });
  image.bytes[GetParam() + 60] ^= 1;
  image.bytes[image.bytes.size() - GetParam()] = 'X';
  EXPECT_EQ(STATUS_DISK_CORRUPT_ERROR, image.Read());
  EXPECT_EQ("the GPT header fails its checksum; the backup GPT header is missing", image.problem);
}

TEST_P(GptTest, EntryOutsideTheUsableSectors_IsRefused) {
  Image image(2000, GetParam());
  image.Gpt([&](uint64_t at) { image.GptEntry(at, 0, 100, 1ull << 60); });
  EXPECT_EQ(STATUS_DISK_CORRUPT_ERROR, image.Read());
}

INSTANTIATE_TEST_SUITE_P(SectorSizes, GptTest, testing::Values(512u, 4096u));

TEST(Gpt, WrongSectorSizeIsNamed) {
  Image image(4096, 512);
  image.Gpt([&](uint64_t at) { image.GptEntry(at, 0, 100, 199); });
  // The protective entry counts 512-byte sectors, so it must start on the disk for a table to be seen at all.
  image.sector_bytes = 4096;
  EXPECT_EQ(STATUS_DISK_CORRUPT_ERROR, image.Read());
  EXPECT_NE(std::string::npos, image.problem.find("sectors of 512 bytes")) << image.problem;
}

TEST(Gpt, AbsurdCountsAreRefused) {
  Image image(2000);
  image.Gpt([&](uint64_t at) { image.GptEntry(at, 0, 100, 199); });
  for (uint64_t header : {uint64_t{1}, image.sectors() - 1}) {
    const uint64_t at = header * 512;
    image.Put32(at + 80, 0x80000000);
    image.Put32(at + 16, 0);
    image.Put32(at + 16, Crc32(&image.bytes[at], 92));
  }
  EXPECT_EQ(STATUS_DISK_CORRUPT_ERROR, image.Read());
}

}  // namespace
}  // namespace nt::disk
