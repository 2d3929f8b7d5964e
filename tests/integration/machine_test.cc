// Whole machines in one process: many lives without growth, and I/O errors injected below the file system at every request.
#include <dirent.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "ntio/machine.h"
#include "src/cm/cm.h"
#include "src/disk/disk.h"
#include "src/host/host.h"
#include "src/io/io.h"
#include "src/ke/service.h"
#include "src/mm/mm.h"

namespace {

constexpr uint32_t kReadWrite = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE
constexpr uint32_t kOverwriteIf = 5;

// AddressSanitizer holds back freed memory, to find uses of it; everything else is to be steady.
#if defined(__SANITIZE_ADDRESS__)
constexpr long kHeldBackKilobytes = 256 * 1024;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr long kHeldBackKilobytes = 256 * 1024;
#else
constexpr long kHeldBackKilobytes = 0;
#endif
#else
constexpr long kHeldBackKilobytes = 0;
#endif

class Image {
 public:
  explicit Image(int mib) {
    char name[] = "/tmp/ntio-machine-XXXXXX";
    const int file = mkstemp(name);
    if (file >= 0) ::close(file);
    path_ = name;
    const std::string command = "truncate -s " + std::to_string(mib) + "M " + path_ + " && mkfs.fat -F 16 " + path_ + " >/dev/null";
    if (std::system(command.c_str()) != 0) std::abort();
  }
  ~Image() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string DriverPath() { return std::string(NTIO_BUILD_DIR) + "/drivers/fat.sys"; }

size_t CountEntries(const char* directory) {
  size_t count = 0;
  DIR* open = opendir(directory);
  while (readdir(open)) count++;
  closedir(open);
  return count;
}

// The threads of this process that are its own. io_uring's workers are the kernel's: they come and go when it likes, some
// of them after the ring is closed.
size_t CountThreads() {
  size_t count = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (const dirent* task = readdir(tasks)) {
    std::string name;
    std::ifstream comm(std::string("/proc/self/task/") + task->d_name + "/comm");
    if (std::getline(comm, name) && name.rfind("iou-", 0) != 0) count++;
  }
  closedir(tasks);
  return count;
}

// pthread_join returns when the kernel has cleared the thread's ID, which is before the task leaves /proc, so a joined
// thread can be seen for a moment longer. A leaked one is seen for ever.
size_t CountThreadsUntil(size_t expected) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  size_t count = CountThreads();
  for (; count != expected && std::chrono::steady_clock::now() < deadline; count = CountThreads())
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return count;
}

long ResidentKilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0) return std::atol(line.c_str() + 6);
  return 0;
}

void OneLife(const std::string& image) {
  ntio::Machine machine;
  ASSERT_TRUE(machine.booted().ok());
  ASSERT_TRUE(machine.Load(DriverPath()).ok());
  ASSERT_TRUE(machine.AddDisk(image).ok());
  ntio::OpenOptions create;
  create.access = kReadWrite;
  create.disposition = kOverwriteIf;
  auto file = machine.Open(u"\\file.bin", create);
  ASSERT_TRUE(file.ok()) << ntio::DescribeStatus(file.failure().status);
  std::vector<std::byte> data(10'000, std::byte{7}), back(10'000);
  ASSERT_TRUE(file->Write(0, data).ok());
  ASSERT_EQ(file->Read(0, back).information, back.size());
  ASSERT_EQ(data, back);
  file->Close();
  const auto shutdown = machine.Shutdown();
  ASSERT_TRUE(shutdown.ok()) << shutdown.failure().message;
}

// NTIO_BOOTS=1000 for the long form.
TEST(Machine, ManyLives_NoGrowthOfMemoryDescriptorsOrThreads) {
  const char* wanted = std::getenv("NTIO_BOOTS");
  const int boots = wanted ? std::atoi(wanted) : 100;
  Image image(16);
  for (int i = 0; i < 20; i++) ASSERT_NO_FATAL_FAILURE(OneLife(image.path()));
  const size_t descriptors = CountEntries("/proc/self/fd"), threads = CountThreadsUntil(1);
  const long memory = ResidentKilobytes();
  for (int i = 0; i < boots; i++) ASSERT_NO_FATAL_FAILURE(OneLife(image.path())) << "life " << i;
  EXPECT_EQ(CountEntries("/proc/self/fd"), descriptors);
  EXPECT_EQ(CountThreadsUntil(threads), threads);
  const long grown = ResidentKilobytes() - memory;
  std::printf("%d lives: %ld KiB of %ld KiB grown\n", boots, grown, memory);
  EXPECT_LT(grown, 8192 + boots * 4 + kHeldBackKilobytes) << "resident memory grows with the number of boots";
}

// The n-th transfer to the disk fails, for every n until a run has fewer: the request above fails or succeeds, nothing hangs or
// stops the machine, and the next mount works.
TEST(Machine, InjectedErrors_AtEveryRequest) {
  Image image(16);
  ASSERT_NO_FATAL_FAILURE(OneLife(image.path()));
  constexpr int kMostRequests = 200;
  std::atomic<int> transfers = 0;
  int at = 0;
  do {
    ntio::Machine machine;
    ASSERT_TRUE(machine.Load(DriverPath()).ok());
    ASSERT_TRUE(machine.AddDisk(image.path()).ok());
    transfers = 0;
    ASSERT_TRUE(nt::ke::CallIntoMachine([&] {
      nt::ke::ServiceScope scope(nullptr, KernelMode);
      auto* volume = nt::disk::FindVolume(machine.VolumeDevice());
      ASSERT_NE(volume, nullptr);
      nt::disk::SetFaultInjector(volume, [&transfers, at](nt::disk::Operation, uint64_t, uint32_t) -> NTSTATUS {
        return transfers++ == at ? STATUS_IO_DEVICE_ERROR : STATUS_SUCCESS;
      });
    }));
    ntio::OpenOptions create;
    create.access = kReadWrite;
    create.disposition = kOverwriteIf;
    if (auto file = machine.Open(u"\\file.bin", create); file.ok()) {
      std::vector<std::byte> data(100'000, std::byte{9});
      static_cast<void>(file->Write(0, data));
      static_cast<void>(file->Flush());
      static_cast<void>(file->Read(0, data));
    }
    const auto shutdown = machine.Shutdown();
    ASSERT_TRUE(shutdown.ok() || shutdown.failure().kind == ntio::FailureKind::kRequest)
        << "transfer " << at << ": " << shutdown.failure().message;
  } while (++at <= transfers && at < kMostRequests);
  std::printf("%d transfers failed in turn\n", at);
  EXPECT_GT(at, 5);
  const std::string repair = "fsck.fat -a " + image.path() + " >/dev/null; fsck.fat -n " + image.path() + " >/dev/null";
  EXPECT_EQ(std::system(repair.c_str()), 0);
  ASSERT_NO_FATAL_FAILURE(OneLife(image.path()));
}

// The example of the documentation, as it stands there.
TEST(Machine, EmbeddingExample) {
  const Image image(16);
  ntio::Machine m;
  ASSERT_TRUE(m.booted().ok());
  ASSERT_TRUE(m.AddDisk(image.path()).ok());
  ASSERT_TRUE(m.Load(DriverPath(), {.altitude = "370030"}).ok());
  auto f = m.Volume(0).Open(u"\\a.txt", {.access = kReadWrite, .disposition = kOverwriteIf});
  ASSERT_TRUE(f.ok());
  const char text[] = "hello";
  EXPECT_TRUE(f->Write(0, std::as_bytes(std::span(text))).ok());
  char back[sizeof text] = {};
  EXPECT_EQ(f->Read(0, std::as_writable_bytes(std::span(back))).information, sizeof text);
  EXPECT_STREQ(back, text);
  EXPECT_EQ(m.Volume(0).Device(), u"\\Device\\HarddiskVolume1");
  EXPECT_EQ(m.Volume(1).Device(), u"");
  EXPECT_FALSE(m.Volume(1).Open(u"\\a.txt").ok());
  f->Close();
  EXPECT_TRUE(m.Volume(0).Dismount().ok());
  nt::ke::CallIntoMachine([] {
    nt::ke::ServiceScope scope(nullptr, KernelMode);
    const std::u16string key = std::u16string(nt::cm::kServicesPath) + u"\\fat";
    // What loading wrote, and the instance of the altitude.
    EXPECT_EQ(nt::cm::QueryDword(key, u"Type").value(), 2u);
    EXPECT_EQ(nt::cm::QueryDword(key, u"Start").value(), 3u);
    EXPECT_EQ(nt::cm::QueryDword(key, u"ErrorControl").value(), 1u);
    EXPECT_TRUE(nt::cm::QueryString(key, u"ImagePath").value().ends_with(u"fat.sys"));
    EXPECT_EQ(nt::cm::QueryString(key + u"\\Instances", u"DefaultInstance").value(), u"fat Instance");
    EXPECT_EQ(nt::cm::QueryString(key + u"\\Instances\\fat Instance", u"Altitude").value(), u"370030");
  });
  EXPECT_TRUE(m.Shutdown().ok());
}

// A driver that closes neither its file nor its section: named and cleaned up, and the next machine finds nothing of
// it.
TEST(Machine, LeakedHandles_AreNamedAndClosed) {
  const Image image(16);
  testing::internal::CaptureStderr();
  {
    ntio::Machine m;
    ASSERT_TRUE(m.AddDisk(image.path()).ok());
    ASSERT_TRUE(m.Load(DriverPath()).ok());
    auto f = m.Open(u"\\leaked.txt", {.access = kReadWrite, .disposition = kOverwriteIf});
    ASSERT_TRUE(f.ok());
    ASSERT_TRUE(f->SetSize(100'000).ok());
    f->Close();
    nt::ke::CallIntoMachine([] {
      nt::ke::ServiceScope scope(nullptr, KernelMode);
      const std::u16string path = u"\\Device\\HarddiskVolume1\\leaked.txt";
      UNICODE_STRING name;
      name.Buffer = const_cast<WCHAR*>(path.data());
      name.Length = name.MaximumLength = static_cast<USHORT>(path.size() * sizeof(WCHAR));
      OBJECT_ATTRIBUTES attributes;
      InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
      HANDLE file, section;
      IO_STATUS_BLOCK iosb;
      ASSERT_EQ(nt::io::NtOpenFile(&file, kReadWrite, &attributes, &iosb, 7, FILE_SYNCHRONOUS_IO_NONALERT),
                STATUS_SUCCESS);
      InitializeObjectAttributes(&attributes, nullptr, OBJ_KERNEL_HANDLE, nullptr, nullptr);
      ASSERT_EQ(
          nt::mm::NtCreateSection(&section, SECTION_ALL_ACCESS, &attributes, nullptr, PAGE_READWRITE, SEC_COMMIT, file),
          STATUS_SUCCESS);
      void* view = nullptr;
      SIZE_T bytes = 0;
      ASSERT_EQ(nt::mm::NtMapViewOfSection(section, NtCurrentProcess(), &view, 0, 0, nullptr, &bytes, ViewUnmap, 0,
                                           PAGE_READWRITE),
                STATUS_SUCCESS);
      static_cast<volatile char*>(view)[0] = 1;
    });
    static_cast<void>(m.Shutdown().ok());  // what was stored through the view may be late for the dismount
  }
  const std::string report = testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("a section of the file \\Device\\HarddiskVolume1\\leaked.txt"), std::string::npos) << report;
  EXPECT_NE(report.find("the file \\Device\\HarddiskVolume1\\leaked.txt that was left open"), std::string::npos)
      << report;
  ntio::Machine again;
  EXPECT_TRUE(again.booted().ok());
  ASSERT_TRUE(again.AddDisk(image.path()).ok());
  ASSERT_TRUE(again.Load(DriverPath()).ok());
  EXPECT_TRUE(again.Open(u"\\leaked.txt").ok());
}

TEST(Machine, CacheOfHalfTheMemoryUnlessTold) {
  for (const uint64_t wanted : {uint64_t{0}, uint64_t{64} << 20}) {
    ntio::MachineOptions options;
    options.cache_bytes = wanted;
    ntio::Machine m(options);
    ASSERT_TRUE(m.booted().ok());
    const uint64_t limit = nt::mm::CurrentMemoryUse().limit_bytes;
    if (wanted)
      EXPECT_EQ(limit, wanted);
    else
      EXPECT_EQ(limit, std::min(host::MemoryBytes() / 2, uint64_t{16} << 30) & ~(uint64_t{256 * 1024} - 1));
    EXPECT_GT(limit, 0u);
  }
}

}  // namespace
