// Legacy filters above drivers/fat while the volume is read, written, locked, dismounted and mounted again by several
// threads.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "ntio/machine.h"
#include "ntio/server.h"

namespace {

constexpr uint32_t kReadWrite = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE

class FilterLoad : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    char name[] = "/tmp/ntio-filters-XXXXXX";
    const int file = mkstemp(name);
    if (file >= 0) ::close(file);
    image_ = name;
    const std::string command = "truncate -s 32M " + image_ + " && mkfs.fat -F 16 " + image_ + " >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_TRUE(machine.booted().ok());
    for (int i = 1; i <= GetParam(); i++) {
      ntio::LoadOptions load;
      if (i > 1) load.service = "legacy_passthrough-" + std::to_string(i);
      const auto loaded = machine.Load(std::string(NTIO_BUILD_DIR) + "/drivers/legacy_passthrough.sys", load);
      ASSERT_TRUE(loaded.ok()) << loaded.failure().message;
    }
    ASSERT_TRUE(machine.Load(std::string(NTIO_BUILD_DIR) + "/drivers/fat.sys").ok());
    ASSERT_TRUE(machine.AddDisk(image_).ok());
  }
  void TearDown() override {
    const auto shutdown = machine.Shutdown();
    EXPECT_TRUE(shutdown.ok()) << shutdown.failure().message;
    EXPECT_EQ(std::system(("fsck.fat -n " + image_ + " >/dev/null").c_str()), 0);
    std::remove(image_.c_str());
  }
  ntio::Machine machine;
  std::string image_;
};
INSTANTIATE_TEST_SUITE_P(Filters, FilterLoad, testing::Values(0, 1, 3),
                         [](const auto& filters) { return std::to_string(filters.param); });

// Dismounts succeed when nothing happens to be open; each mount puts the filters on the new volume device, each
// dismount takes them off by FastIoDetachDevice.
TEST_P(FilterLoad, DismountAndDetachUnderLoad) {
  std::atomic<bool> stop = false;
  std::atomic<int> rounds = 0, dismounts = 0;
  std::vector<std::thread> threads;
  for (int id = 0; id < 3; id++)
    threads.emplace_back([&, id] {
      std::vector<std::byte> data(10'000, static_cast<std::byte>(id + 1)), back(data.size());
      while (!stop) {
        ntio::OpenOptions create;
        create.access = kReadWrite;
        create.disposition = 5;  // FILE_OVERWRITE_IF
        auto file = machine.Open(u"\\f" + std::u16string(1, static_cast<char16_t>(u'0' + id)), create);
        if (!file.ok()) continue;  // the volume is locked for a dismount
        if (!file->Write(0, data).ok()) continue;
        if (!file->Read(0, back).ok()) continue;
        ASSERT_EQ(back, data);
        rounds++;
      }
    });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  while (std::chrono::steady_clock::now() < end) {
    dismounts += machine.Dismount().ok();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_GT(rounds, 10);
  for (int i = 0; i < 20; i++) dismounts += machine.Dismount().ok();
  EXPECT_GT(dismounts, 10);
  std::printf("%d rounds, %d dismounts\n", rounds.load(), dismounts.load());
}

// The face of the kernel file server: what it writes by MDL is the file's data, and its locks go by key.
TEST_P(FilterLoad, ServerFile) {
  ntio::OpenOptions create;
  create.access = kReadWrite;
  create.disposition = 5;
  auto opened = ntio::ServerFile::Open(machine, u"\\served", create);
  ASSERT_TRUE(opened.ok());
  ntio::ServerFile& file = *opened;
  std::vector<std::byte> data(600'000, std::byte{'x'});
  ASSERT_TRUE(file.Write(0, data).ok());
  EXPECT_EQ(file.Write(0, data).path, ntio::IoPath::kFastIo);
  {
    auto transfer = file.PrepareMdlWrite(100'000, 300'000);
    EXPECT_EQ(transfer.result().path, ntio::IoPath::kFastIo);
    EXPECT_EQ(transfer.result().information, 300'000u);
    EXPECT_GT(transfer.pieces().size(), 1u);
    for (auto piece : transfer.pieces())
      for (auto& byte : piece) byte = std::byte{'y'};
    EXPECT_TRUE(transfer.Complete().ok());
    EXPECT_TRUE(transfer.pieces().empty());
  }
  std::fill(data.begin() + 100'000, data.begin() + 400'000, std::byte{'y'});
  std::vector<std::byte> read;
  auto transfer = file.MdlRead(0, 600'000);
  ASSERT_TRUE(transfer.result().ok());
  for (auto piece : transfer.pieces()) read.insert(read.end(), piece.begin(), piece.end());
  EXPECT_TRUE(read == data);
  EXPECT_TRUE(transfer.Complete().ok());

  EXPECT_TRUE(file.Lock(0, 10, 7, true).ok());
  EXPECT_TRUE(file.Lock(20, 10, 8, true).ok());
  auto other = ntio::ServerFile::Open(machine, u"\\served");
  ASSERT_TRUE(other.ok());
  std::vector<std::byte> ten(10);
  EXPECT_FALSE(other->Read(0, ten).ok());
  EXPECT_TRUE(file.UnlockAllByKey(7).ok());
  EXPECT_TRUE(other->Read(0, ten).ok());
  EXPECT_FALSE(other->Read(20, ten).ok());
  EXPECT_TRUE(file.UnlockAllByKey(8).ok());
  EXPECT_TRUE(other->Read(20, ten).ok());
}

}  // namespace
