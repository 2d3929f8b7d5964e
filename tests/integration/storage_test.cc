// ramdisk, split and mirror, opened as they are: transfers against a model, their limits, and what they make of errors
// below.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ntio/machine.h"
#include "src/disk/disk.h"
#include "src/ke/service.h"

#include "drivers/mirror/mirror_public.h"  // after the NT types

namespace {

constexpr uint32_t kReadWrite = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE
constexpr uint64_t kMiB = 1 << 20;

class Image {
 public:
  explicit Image(uint64_t bytes = kMiB) {
    char name[] = "/tmp/ntio-storage-XXXXXX";
    const int file = mkstemp(name);
    if (file < 0 || ftruncate(file, static_cast<off_t>(bytes)) != 0) std::abort();
    ::close(file);
    path_ = name;
  }
  ~Image() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }
  std::vector<std::byte> Content() const {
    std::ifstream file(path_, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
  }

 private:
  std::string path_;
};

/// The disk itself, without a file system on it.
ntio::File OpenDisk(ntio::Machine& machine, int disk, uint32_t access = kReadWrite) {
  ntio::OpenOptions options;
  options.access = access;
  options.options = 0x20 | 0x08;  // FILE_SYNCHRONOUS_IO_NONALERT | FILE_NO_INTERMEDIATE_BUFFERING
  auto file = machine.Open(u"", options, disk);
  EXPECT_TRUE(file.ok()) << ntio::DescribeStatus(file.failure().status) << " " << file.failure().message;
  return file.ok() ? file.take() : ntio::File();
}

int Add(ntio::Machine& machine, const char* driver, ntio::StorageOptions options) {
  auto added = machine.AddStorage(driver, options);
  EXPECT_TRUE(added.ok()) << added.failure().message;
  return added.ok() ? *added : -1;
}

/// Sees every transfer that reaches the image disk, and may fail it.
void Watch(const std::u16string& volume, nt::disk::FaultInjector injector) {
  ASSERT_TRUE(nt::ke::CallIntoMachine([&] {
    nt::ke::ServiceScope scope(nullptr, KernelMode);
    auto* device = nt::disk::FindVolume(volume);
    ASSERT_NE(device, nullptr);
    nt::disk::SetFaultInjector(device, std::move(injector));
  }));
}

/// Random reads and writes of whole sectors against a byte array. The buffers begin anywhere on the required alignment.
void RunModel(ntio::Machine& machine, ntio::File& file, std::vector<std::byte>& model, uint32_t sector,
              int operations) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr size_t kMost = 200 * 1024;
  auto buffer = machine.AllocateBuffer(kMost + 4096);
  ASSERT_TRUE(buffer.ok());
  for (int i = 0; i < operations; i++) {
    const uint64_t sectors = model.size() / sector;
    const uint64_t first = random() % sectors;
    const uint64_t count = std::min<uint64_t>(random() % (kMost / sector), sectors - first);
    const size_t bytes = count * sector, offset = first * sector;
    auto data = buffer->span().subspan(random() % 512 * 8, bytes);
    if (random() % 2) {
      for (auto& byte : data) byte = static_cast<std::byte>(random());
      const auto result = file.Write(offset, data);
      ASSERT_TRUE(result.ok()) << ntio::DescribeStatus(result.status);
      ASSERT_EQ(result.information, bytes);
      std::memcpy(model.data() + offset, data.data(), bytes);
    } else {
      const auto result = file.Read(offset, data);
      ASSERT_TRUE(result.ok()) << ntio::DescribeStatus(result.status);
      ASSERT_EQ(result.information, bytes);
      ASSERT_EQ(std::memcmp(model.data() + offset, data.data(), bytes), 0) << "operation " << i << " offset " << offset;
    }
  }
}

// S004.10, S004.13: the same transfers by buffered and by direct I/O.
TEST(Ramdisk, TransfersBufferedAndDirect) {
  for (const uint32_t buffered : {0u, 1u})
    for (const uint32_t sector : {512u, 4096u}) {
      SCOPED_TRACE(testing::Message() << "buffered " << buffered << " sector " << sector);
      ntio::Machine machine;
      const int disk =
          Add(machine, "ramdisk", {{}, {{"Size", 2 * kMiB}, {"Buffered", buffered}, {"SectorSize", sector}}});
      ASSERT_EQ(disk, 0);
      EXPECT_EQ(machine.VolumeDevice(disk), u"\\Device\\Ramdisk0");
      auto file = OpenDisk(machine, disk);
      std::vector<std::byte> model(2 * kMiB);
      ASSERT_NO_FATAL_FAILURE(RunModel(machine, file, model, sector, 300));
    }
}

TEST(Ramdisk, BadTransfersAreRefused) {
  ntio::Machine machine;
  const int disk = Add(machine, "ramdisk", {{}, {{"Size", kMiB}}});
  const int read_only = Add(machine, "ramdisk", {{}, {{"Size", kMiB}, {"ReadOnly", 1}}});
  EXPECT_EQ(machine.VolumeDevice(read_only), u"\\Device\\Ramdisk1");
  auto file = OpenDisk(machine, disk), protected_file = OpenDisk(machine, read_only);
  auto buffer = machine.AllocateBuffer(4096);
  ASSERT_TRUE(buffer.ok());
  struct Row {
    uint64_t offset;
    size_t bytes;
    int32_t status;
  };
  for (const Row row :
       {Row{0, 0, 0}, Row{kMiB - 512, 512, 0}, Row{kMiB, 0, 0}, Row{kMiB, 512, STATUS_NONEXISTENT_SECTOR},
        Row{kMiB - 512, 1024, STATUS_NONEXISTENT_SECTOR}, Row{0, 100, STATUS_INVALID_PARAMETER},
        Row{100, 512, STATUS_INVALID_PARAMETER}, Row{0x7ffffffffffffe00, 512, STATUS_NONEXISTENT_SECTOR}}) {
    SCOPED_TRACE(testing::Message() << row.offset << " + " << row.bytes);
    for (const auto& result : {file.Read(row.offset, buffer->span().first(row.bytes)),
                               file.Write(row.offset, buffer->span().first(row.bytes))}) {
      EXPECT_EQ(result.status, row.status) << ntio::DescribeStatus(result.status);
      EXPECT_EQ(result.information, row.status == 0 ? row.bytes : 0u);
    }
  }
  EXPECT_EQ(protected_file.Write(0, buffer->span().first(512)).status, STATUS_MEDIA_WRITE_PROTECTED);
  EXPECT_TRUE(protected_file.Read(0, buffer->span().first(512)).ok());
}

/// What reached the disk.
struct Seen {
  std::mutex lock;
  uint64_t bytes = 0, longest = 0, count = 0;
};

// S004.11, S004.12: no transfer below is longer than the limits allow, and together they are the whole request.
TEST(Split, PartsObeyTheLimitsAndSatisfyTheRequest) {
  for (const uint32_t associated : {0u, 1u})
    for (const auto& [bytes, pages] :
         {std::pair{4096u, 17u}, {512u, 2u}, {1u << 20, 2u}, {24u * 1024, 5u}, {1u << 20, 64u}}) {
      SCOPED_TRACE(testing::Message() << "associated " << associated << " bytes " << bytes << " pages " << pages);
      Image image(2 * kMiB);
      std::vector<std::byte> model(2 * kMiB);
      {
        ntio::Machine machine;
        ASSERT_TRUE(machine.AddDisk(image.path()).ok());
        ASSERT_EQ(Add(machine, "split",
                      {{0}, {{"MaximumTransfer", bytes}, {"MapRegisters", pages}, {"Associated", associated}}}),
                  0);
        EXPECT_EQ(machine.VolumeDevice(0), u"\\Device\\HarddiskVolume1");
        auto file = OpenDisk(machine, 0);
        Seen seen;
        Watch(machine.VolumeDevice(0), [&seen](nt::disk::Operation operation, uint64_t, uint32_t length) -> NTSTATUS {
          std::lock_guard guard(seen.lock);
          if (operation == nt::disk::Operation::kFlush) return STATUS_SUCCESS;
          seen.bytes += length;
          seen.longest = std::max<uint64_t>(seen.longest, length);
          seen.count++;
          return STATUS_SUCCESS;
        });
        ASSERT_NO_FATAL_FAILURE(RunModel(machine, file, model, 512, 200));
        EXPECT_LE(seen.longest, std::min<uint64_t>(bytes, uint64_t{pages} * 4096));
        // 12 pages from the middle of a page: 13 pages are touched.
        auto buffer = machine.AllocateBuffer(64 * 1024);
        seen.bytes = seen.count = 0;
        EXPECT_TRUE(file.Read(0, buffer->span().subspan(2048, 12 * 4096)).ok());
        EXPECT_EQ(seen.bytes, 12u * 4096);
        if (bytes == 24 * 1024) EXPECT_EQ(seen.count, 3u);  // 5 map registers: 4.5, 5 and 2.5 pages
        Watch(machine.VolumeDevice(0), nullptr);
      }
      EXPECT_EQ(image.Content(), model);
    }
}

// irp-read-write 6: the first error is the request's, with Information 0; the next request is served again.
TEST(Split, FailedPartFailsTheRequest) {
  for (const uint32_t associated : {0u, 1u})
    for (int bad = 0; bad < 8; bad++) {
      SCOPED_TRACE(testing::Message() << "associated " << associated << " part " << bad);
      Image image;
      ntio::Machine machine;
      ASSERT_TRUE(machine.AddDisk(image.path()).ok());
      Add(machine, "split", {{0}, {{"MaximumTransfer", 4096}, {"Associated", associated}}});
      auto file = OpenDisk(machine, 0);
      std::atomic<int> parts{0};
      Watch(machine.VolumeDevice(0), [&parts, bad](nt::disk::Operation, uint64_t offset, uint32_t) -> NTSTATUS {
        parts++;
        return offset == static_cast<uint64_t>(bad) * 4096 ? STATUS_DEVICE_DATA_ERROR : STATUS_SUCCESS;
      });
      auto buffer = machine.AllocateBuffer(8 * 4096);
      const auto result = file.Read(0, buffer->span());
      EXPECT_EQ(result.status, STATUS_DEVICE_DATA_ERROR);
      EXPECT_EQ(result.information, 0u);
      EXPECT_EQ(parts, associated ? 8 : bad + 1);  // a sequence ends at the error
      Watch(machine.VolumeDevice(0), nullptr);
      EXPECT_TRUE(file.Read(0, buffer->span()).ok());
    }
}

// S004.14: drivers layered above one that uses buffered I/O; split makes buffered requests of the direct ones it gets.
TEST(Split, AboveABufferedRamdisk) {
  ntio::Machine machine;
  const int disk = Add(machine, "ramdisk", {{}, {{"Size", 2 * kMiB}, {"Buffered", 1}}});
  EXPECT_EQ(Add(machine, "split", {{disk}, {{"MaximumTransfer", 8192}}}), disk);
  auto file = OpenDisk(machine, disk);
  std::vector<std::byte> model(2 * kMiB);
  ASSERT_NO_FATAL_FAILURE(RunModel(machine, file, model, 512, 200));
}

MIRROR_STATE StateOf(ntio::File& mirror) {
  MIRROR_STATE state{};
  const auto result = mirror.DeviceControl(IOCTL_MIRROR_GET_STATE, {}, std::as_writable_bytes(std::span(&state, 1)));
  EXPECT_TRUE(result.ok()) << ntio::DescribeStatus(result.status);
  return state;
}

struct MirrorMachine {
  MirrorMachine() {
    EXPECT_TRUE(machine.AddDisk(images[0].path()).ok());
    EXPECT_TRUE(machine.AddDisk(images[1].path()).ok());
    for (int side = 0; side < 2; side++) volumes[side] = machine.VolumeDevice(side);
    EXPECT_EQ(Add(machine, "mirror", {{0, 1}, {}}), 0);
    EXPECT_EQ(machine.VolumeDevice(0), u"\\Device\\Mirror0");
    file = OpenDisk(machine, 0);
  }
  void Fail(int side, NTSTATUS status, std::optional<nt::disk::Operation> only = {}) {
    Watch(volumes[side], [status, only](nt::disk::Operation operation, uint64_t, uint32_t) -> NTSTATUS {
      return only && operation != *only ? STATUS_SUCCESS : status;
    });
  }
  Image images[2];
  ntio::Machine machine;
  std::u16string volumes[2];
  ntio::File file;
};

// S004.08: the highest driver passes the requests on, to both disks for writes and to one for reads.
TEST(Mirror, WritesGoToBothReadsToOne) {
  Image* images;
  std::vector<std::byte> model(kMiB);
  MirrorMachine mirror;
  images = mirror.images;
  ASSERT_NO_FATAL_FAILURE(RunModel(mirror.machine, mirror.file, model, 512, 300));
  EXPECT_TRUE(mirror.file.Flush().ok());
  const MIRROR_STATE before = StateOf(mirror.file);
  std::vector<std::byte> sector(512);
  EXPECT_TRUE(mirror.file.Read(0, sector).ok());
  EXPECT_TRUE(mirror.file.Read(0, sector).ok());
  EXPECT_TRUE(mirror.file.Write(0, sector).ok());
  std::memcpy(model.data(), sector.data(), 512);
  const MIRROR_STATE after = StateOf(mirror.file);
  EXPECT_EQ(after.Requests[0] - before.Requests[0], 3u);
  EXPECT_EQ(after.Requests[1] - before.Requests[1], 1u);
  EXPECT_EQ(after.Failed[0], STATUS_SUCCESS);
  EXPECT_EQ(after.Failed[1], STATUS_SUCCESS);
  mirror.file.Close();
  ASSERT_TRUE(mirror.machine.Shutdown().ok());
  EXPECT_EQ(images[0].Content(), model);
  EXPECT_EQ(images[1].Content(), model);
}

// One side fails: the requests succeed with the other, which alone is asked from then on, and the state says so.
TEST(Mirror, SurvivesTheFailureOfEitherSide) {
  for (const int bad : {0, 1})
    for (const bool by_write : {false, true}) {
      SCOPED_TRACE(testing::Message() << "side " << bad << " write " << by_write);
      MirrorMachine mirror;
      std::vector<std::byte> model(kMiB);
      ASSERT_NO_FATAL_FAILURE(RunModel(mirror.machine, mirror.file, model, 512, 50));
      mirror.Fail(bad, STATUS_IO_DEVICE_ERROR);
      std::vector<std::byte> sector(512, std::byte{0x5a});
      if (by_write) {
        const auto result = mirror.file.Write(1024, sector);
        EXPECT_TRUE(result.ok()) << ntio::DescribeStatus(result.status);
        EXPECT_EQ(result.information, 512u);
        std::memcpy(model.data() + 1024, sector.data(), 512);
      } else {
        const auto result = mirror.file.Read(1024, sector);
        EXPECT_TRUE(result.ok()) << ntio::DescribeStatus(result.status);
        EXPECT_EQ(std::memcmp(sector.data(), model.data() + 1024, 512), 0);
      }
      const MIRROR_STATE state = StateOf(mirror.file);
      // Reads ask side 0, so that they notice its failure only.
      EXPECT_EQ(state.Failed[bad], by_write || bad == 0 ? STATUS_IO_DEVICE_ERROR : STATUS_SUCCESS);
      EXPECT_EQ(state.Failed[1 - bad], STATUS_SUCCESS);
      ASSERT_NO_FATAL_FAILURE(RunModel(mirror.machine, mirror.file, model, 512, 50));
      EXPECT_TRUE(mirror.file.Flush().ok());
      const MIRROR_STATE later = StateOf(mirror.file);
      if (state.Failed[bad]) EXPECT_EQ(later.Requests[bad], state.Requests[bad]);
      // The status of the last side is the request's, and that side stays.
      mirror.Fail(1 - bad, STATUS_DEVICE_DATA_ERROR);
      if (state.Failed[bad]) {
        EXPECT_EQ(mirror.file.Read(0, sector).status, STATUS_DEVICE_DATA_ERROR);
        EXPECT_EQ(mirror.file.Write(0, sector).status, STATUS_DEVICE_DATA_ERROR);
        EXPECT_EQ(mirror.file.Flush().status, STATUS_DEVICE_DATA_ERROR);
        EXPECT_EQ(StateOf(mirror.file).Failed[1 - bad], STATUS_SUCCESS);
        Watch(mirror.volumes[1 - bad], nullptr);
        EXPECT_TRUE(mirror.file.Read(0, sector).ok());
      }
      mirror.file.Close();
      Watch(mirror.volumes[0], nullptr);
      Watch(mirror.volumes[1], nullptr);
    }
}

// Both sides fail a write at once: the request fails, and neither side is given up.
TEST(Mirror, FailureOfBothIsTheRequests) {
  MirrorMachine mirror;
  mirror.Fail(0, STATUS_IO_DEVICE_ERROR);
  mirror.Fail(1, STATUS_DISK_FULL);
  std::vector<std::byte> sector(512);
  const auto result = mirror.file.Write(0, sector);
  EXPECT_EQ(result.status, STATUS_IO_DEVICE_ERROR);  // the first side's
  EXPECT_EQ(result.information, 0u);
  const MIRROR_STATE state = StateOf(mirror.file);
  EXPECT_EQ(state.Failed[0], STATUS_SUCCESS);
  EXPECT_EQ(state.Failed[1], STATUS_SUCCESS);
  for (const auto& volume : mirror.volumes) Watch(volume, nullptr);
  EXPECT_TRUE(mirror.file.Write(0, sector).ok());
  // A request that is wrong says nothing about the sides.
  EXPECT_EQ(mirror.file.Read(kMiB, sector).status, STATUS_INVALID_PARAMETER);
  EXPECT_EQ(StateOf(mirror.file).Failed[0], STATUS_SUCCESS);
}

// A file system on it goes on when a disk under it dies.
TEST(Mirror, FileSystemSurvivesTheFailureOfASide) {
  for (const int bad : {0, 1}) {
    SCOPED_TRACE(bad);
    Image first(16 * kMiB), second(16 * kMiB);
    const std::string make =
        "mkfs.fat -F 16 " + first.path() + " >/dev/null && cp " + first.path() + " " + second.path();
    ASSERT_EQ(std::system(make.c_str()), 0);
    std::vector<std::byte> data(3'000'000);
    std::mt19937 random(42);
    for (auto& byte : data) byte = static_cast<std::byte>(random());
    {
      ntio::Machine machine;
      ASSERT_TRUE(machine.Load("fat").ok());
      ASSERT_TRUE(machine.AddDisk(first.path()).ok());
      ASSERT_TRUE(machine.AddDisk(second.path()).ok());
      const std::u16string volume = machine.VolumeDevice(bad);
      ASSERT_EQ(Add(machine, "mirror", {{0, 1}, {}}), 0);
      ntio::OpenOptions create;
      create.access = kReadWrite;
      create.disposition = 5;
      auto file = machine.Open(u"\\before.bin", create);
      ASSERT_TRUE(file.ok()) << ntio::DescribeStatus(file.failure().status);
      ASSERT_TRUE(file->Write(0, data).ok());
      ASSERT_TRUE(file->Flush().ok());
      Watch(volume, [](nt::disk::Operation, uint64_t, uint32_t) -> NTSTATUS { return STATUS_IO_DEVICE_ERROR; });
      auto after = machine.Open(u"\\after.bin", create);
      ASSERT_TRUE(after.ok()) << ntio::DescribeStatus(after.failure().status);
      ASSERT_TRUE(after->Write(0, data).ok());
      after->Close();
      file->Close();
      ASSERT_TRUE(machine.Dismount().ok());
      std::vector<std::byte> back(data.size());
      auto again = machine.Open(u"\\after.bin");
      ASSERT_TRUE(again.ok());
      ASSERT_EQ(again->Read(0, back).information, back.size());
      EXPECT_EQ(back, data);
      again->Close();
      ASSERT_TRUE(machine.Shutdown().ok());
    }
    const Image& good = bad == 0 ? second : first;
    EXPECT_EQ(std::system(("fsck.fat -n " + good.path() + " >/dev/null").c_str()), 0);
    ntio::Machine machine;
    ASSERT_TRUE(machine.Load("fat").ok());
    ASSERT_TRUE(machine.AddDisk(good.path()).ok());
    for (const char16_t* name : {u"\\before.bin", u"\\after.bin"}) {
      std::vector<std::byte> back(data.size());
      auto file = machine.Open(name);
      ASSERT_TRUE(file.ok());
      EXPECT_EQ(file->Read(0, back).information, back.size());
      EXPECT_EQ(back, data);
    }
  }
}

// fat.sys on memory: an image is copied in, files are written, and what the memory holds then is a clean volume.
TEST(Ramdisk, FileSystemOnMemory) {
  Image image(16 * kMiB);
  ASSERT_EQ(std::system(("mkfs.fat -F 16 " + image.path() + " >/dev/null").c_str()), 0);
  Image dump(16 * kMiB);
  std::vector<std::byte> data(1'000'000, std::byte{0x77});
  {
    ntio::Machine machine;
    ASSERT_TRUE(machine.Load("fat").ok());
    ASSERT_TRUE(machine.AddDisk(image.path()).ok());
    ASSERT_EQ(Add(machine, "ramdisk", {{0}, {}}), 0);
    ntio::OpenOptions create;
    create.access = kReadWrite;
    create.disposition = 5;
    for (int i = 0; i < 8; i++) {
      auto file = machine.Open(u"\\file" + std::u16string(1, static_cast<char16_t>(u'0' + i)), create);
      ASSERT_TRUE(file.ok()) << ntio::DescribeStatus(file.failure().status);
      ASSERT_TRUE(file->Write(0, data).ok());
    }
    ASSERT_TRUE(machine.Dismount().ok());
    // The volume as bytes, through the file system.
    auto volume = OpenDisk(machine, 0, 0x80100000);
    auto buffer = machine.AllocateBuffer(kMiB);
    std::ofstream out(dump.path(), std::ios::binary);
    for (uint64_t at = 0; at < 16 * kMiB; at += kMiB) {
      const auto result = volume.Read(at, buffer->span());
      ASSERT_TRUE(result.ok()) << at << " " << ntio::DescribeStatus(result.status);
      out.write(reinterpret_cast<const char*>(buffer->data()), static_cast<std::streamsize>(result.information));
    }
  }
  EXPECT_EQ(std::system(("fsck.fat -n " + dump.path() + " >/dev/null").c_str()), 0);
  ntio::Machine machine;
  ASSERT_TRUE(machine.Load("fat").ok());
  ASSERT_TRUE(machine.AddDisk(dump.path()).ok());
  auto file = machine.Open(u"\\file7");
  ASSERT_TRUE(file.ok());
  std::vector<std::byte> back(data.size());
  EXPECT_EQ(file->Read(0, back).information, back.size());
  EXPECT_EQ(back, data);
}

}  // namespace
