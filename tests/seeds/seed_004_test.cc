// Seed S004: DispatchRead, DispatchWrite, and DispatchReadWrite routines. One test a claim, by its number.
// Drivers: ramdisk.sys (lowest level), split.sys (intermediate), mirror.sys (highest level), and bare ones made here.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ntio/ntdll.h"
#include "src/disk/disk.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ke/service.h"
#include "src/ob/ob.h"

#include "drivers/mirror/mirror_public.h"  // after the NT types

namespace {

constexpr uint32_t kMiB = 1 << 20;
constexpr ACCESS_MASK kReadWrite = FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE;

NTSTATUS Complete(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  nt::io::CompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

std::vector<UCHAR> g_seen_by_read, g_seen_by_write, g_seen_by_both;

NTSTATUS NTAPI Succeed(PDEVICE_OBJECT, PIRP irp) { return Complete(irp, STATUS_SUCCESS, 0); }
NTSTATUS NTAPI DispatchRead(PDEVICE_OBJECT, PIRP irp) {
  g_seen_by_read.push_back(IoGetCurrentIrpStackLocation(irp)->MajorFunction);
  return Complete(irp, STATUS_SUCCESS, IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length);
}
NTSTATUS NTAPI DispatchWrite(PDEVICE_OBJECT, PIRP irp) {
  g_seen_by_write.push_back(IoGetCurrentIrpStackLocation(irp)->MajorFunction);
  return Complete(irp, STATUS_SUCCESS, IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length);
}
NTSTATUS NTAPI DispatchReadWrite(PDEVICE_OBJECT, PIRP irp) {
  g_seen_by_both.push_back(IoGetCurrentIrpStackLocation(irp)->MajorFunction);
  return Complete(irp, STATUS_SUCCESS, IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length);
}

class S004 : public testing::Test {
 public:
  void SetUp() override {
    ASSERT_TRUE(machine.booted().ok());
    g_seen_by_read.clear();
    g_seen_by_write.clear();
    g_seen_by_both.clear();
  }
  template <class F>
  static void Kernel(F&& body) {
    ASSERT_TRUE(nt::ke::CallIntoMachine([&] {
      nt::ke::ServiceScope scope(nullptr, KernelMode);
      body();
    }));
  }
  /// A driver with a device \Device\Bare and these two routines; nullptr leaves a slot as the I/O manager filled it.
  void BareDriver(PDRIVER_DISPATCH read, PDRIVER_DISPATCH write) {
    Kernel([&] {
      auto made = nt::io::CreateBuiltInDriver(u"\\Driver\\Bare", nullptr);
      ASSERT_TRUE(made.ok());
      PDRIVER_OBJECT driver = made.value();
      for (const UCHAR major : {IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE}) driver->MajorFunction[major] = Succeed;
      if (read) driver->MajorFunction[IRP_MJ_READ] = read;
      if (write) driver->MajorFunction[IRP_MJ_WRITE] = write;
      UNICODE_STRING name = RTL_CONSTANT_STRING(u"\\Device\\Bare");
      PDEVICE_OBJECT device;
      ASSERT_EQ(nt::io::CreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, false, &device), STATUS_SUCCESS);
      device->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
    });
  }
  static HANDLE Open(const char16_t* path, ULONG options = FILE_SYNCHRONOUS_IO_NONALERT) {
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK iosb;
    HANDLE handle = nullptr;
    RtlInitUnicodeString(&name, path);
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
    EXPECT_EQ(NtOpenFile(&handle, kReadWrite, &attributes, &iosb, FILE_SHARE_READ | FILE_SHARE_WRITE, options),
              STATUS_SUCCESS);
    return handle;
  }
  static NTSTATUS Read(HANDLE file, void* buffer, ULONG bytes, LONGLONG at = 0, ULONG_PTR* information = nullptr) {
    return Do(NtReadFile, file, buffer, bytes, at, information);
  }
  static NTSTATUS Write(HANDLE file, void* buffer, ULONG bytes, LONGLONG at = 0, ULONG_PTR* information = nullptr) {
    return Do(NtWriteFile, file, buffer, bytes, at, information);
  }
  template <class Service>
  static NTSTATUS Do(Service service, HANDLE file, void* buffer, ULONG bytes, LONGLONG at, ULONG_PTR* information) {
    IO_STATUS_BLOCK iosb{};
    LARGE_INTEGER offset;
    offset.QuadPart = at;
    const NTSTATUS status = service(file, nullptr, nullptr, nullptr, &iosb, buffer, bytes, &offset, nullptr);
    if (information) *information = iosb.Information;
    return status;
  }
  void Add(const char* driver, const ntio::StorageOptions& options) {
    const auto added = machine.AddStorage(driver, options);
    ASSERT_TRUE(added.ok()) << added.failure().message;
  }
  ntio::Machine machine;
  char data[4096] = {};
};

/// Empty images for the drivers that lie over disks.
class Image {
 public:
  Image() {
    char name[] = "/tmp/ntio-s004-XXXXXX";
    const int file = mkstemp(name);
    if (file < 0 || ftruncate(file, kMiB) != 0) std::abort();
    ::close(file);
    path_ = name;
  }
  ~Image() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_F(S004, S004_01_DispatchReadGetsReads) {
  BareDriver(DispatchRead, DispatchWrite);
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Bare");
  EXPECT_EQ(Read(file, data, 16), STATUS_SUCCESS);
  EXPECT_EQ(g_seen_by_read, std::vector<UCHAR>{IRP_MJ_READ});
  EXPECT_TRUE(g_seen_by_write.empty());
  NtClose(file);
}

TEST_F(S004, S004_02_DispatchWriteGetsWrites) {
  BareDriver(DispatchRead, DispatchWrite);
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Bare");
  EXPECT_EQ(Write(file, data, 16), STATUS_SUCCESS);
  EXPECT_EQ(g_seen_by_write, std::vector<UCHAR>{IRP_MJ_WRITE});
  EXPECT_TRUE(g_seen_by_read.empty());
  NtClose(file);
}

TEST_F(S004, S004_03_OneRoutineGetsBoth) {
  BareDriver(DispatchReadWrite, DispatchReadWrite);
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Bare");
  EXPECT_EQ(Read(file, data, 16), STATUS_SUCCESS);
  EXPECT_EQ(Write(file, data, 16), STATUS_SUCCESS);
  EXPECT_EQ(g_seen_by_both, (std::vector<UCHAR>{IRP_MJ_READ, IRP_MJ_WRITE}));
  NtClose(file);
}

TEST_F(S004, S004_04_NoReadRoutineNoReads) {
  BareDriver(nullptr, DispatchWrite);
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Bare");
  EXPECT_EQ(Read(file, data, 16), STATUS_INVALID_DEVICE_REQUEST);
  EXPECT_EQ(Write(file, data, 16), STATUS_SUCCESS);
  NtClose(file);
}

TEST_F(S004, S004_05_NoWriteRoutineNoWrites) {
  BareDriver(DispatchRead, nullptr);
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Bare");
  EXPECT_EQ(Write(file, data, 16), STATUS_INVALID_DEVICE_REQUEST);
  EXPECT_EQ(Read(file, data, 16), STATUS_SUCCESS);
  NtClose(file);
}

TEST_F(S004, S004_06_CombinedRoutineForBothWays) {
  Add("ramdisk", {{}, {{"Size", kMiB}}});
  Kernel([&] {
    for (PDRIVER_OBJECT driver : nt::io::Drivers())
      if (nt::io::DriverFileName(driver) == "ramdisk.sys")
        EXPECT_EQ(driver->MajorFunction[IRP_MJ_READ], driver->MajorFunction[IRP_MJ_WRITE]);
  });
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Ramdisk0");
  char back[sizeof data];
  std::memset(data, 'x', sizeof data);
  EXPECT_EQ(Write(file, data, sizeof data, 8192), STATUS_SUCCESS);
  EXPECT_EQ(Read(file, back, sizeof back, 8192), STATUS_SUCCESS);
  EXPECT_EQ(std::memcmp(back, data, sizeof data), 0);
  NtClose(file);
}

// The lowest driver marks, queues and returns: both kinds of requests are under way when the service has returned, and
// a second one waits its turn; it can be cancelled there.
TEST_F(S004, S004_07_LowerDriversWorkAsynchronously) {
  Add("ramdisk", {{}, {{"Size", kMiB}, {"DelayMicroseconds", 200'000}}});
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Ramdisk0", 0), event;
  ASSERT_EQ(NtCreateEvent(&event, EVENT_ALL_ACCESS, nullptr, SynchronizationEvent, FALSE), STATUS_SUCCESS);
  for (const bool write : {false, true}) {
    IO_STATUS_BLOCK iosb[3] = {};
    LARGE_INTEGER offset{};
    const auto service = write ? NtWriteFile : NtReadFile;
    for (int i = 0; i < 3; i++)
      EXPECT_EQ(service(file, i ? nullptr : event, nullptr, nullptr, &iosb[i], data, 512, &offset, nullptr),
                STATUS_PENDING);
    IO_STATUS_BLOCK cancel;
    EXPECT_EQ(NtCancelIoFileEx(file, &iosb[1], &cancel), STATUS_SUCCESS);
    EXPECT_EQ(iosb[1].Status, STATUS_CANCELLED);  // it was in the queue
    EXPECT_EQ(iosb[1].Information, 0u);
    EXPECT_EQ(iosb[0].Information, 0u);
    EXPECT_EQ(NtWaitForSingleObject(event, FALSE, nullptr), STATUS_SUCCESS);
    EXPECT_EQ(iosb[0].Status, STATUS_SUCCESS);
    EXPECT_EQ(iosb[0].Information, 512u);
    LARGE_INTEGER limit;
    limit.QuadPart = -100'000'000;
    EXPECT_EQ(NtWaitForSingleObject(file, FALSE, &limit), STATUS_SUCCESS);
    while (__atomic_load_n(&iosb[2].Information, __ATOMIC_ACQUIRE) != 512) NtTestAlert();
    EXPECT_EQ(iosb[2].Status, STATUS_SUCCESS);
  }
  NtClose(event);
  NtClose(file);
}

MIRROR_STATE StateOf(HANDLE file) {
  MIRROR_STATE state{};
  IO_STATUS_BLOCK iosb;
  EXPECT_EQ(NtDeviceIoControlFile(file, nullptr, nullptr, nullptr, &iosb, IOCTL_MIRROR_GET_STATE, nullptr, 0, &state,
                                  sizeof state),
            STATUS_SUCCESS);
  return state;
}

TEST_F(S004, S004_08_HighestDriverPassesRequestsOn) {
  Image first, second;
  ASSERT_TRUE(machine.AddDisk(first.path()).ok());
  ASSERT_TRUE(machine.AddDisk(second.path()).ok());
  Add("mirror", {{0, 1}, {}});
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Mirror0");
  const MIRROR_STATE before = StateOf(file);
  EXPECT_EQ(Write(file, data, 512), STATUS_SUCCESS);
  EXPECT_EQ(Read(file, data, 512), STATUS_SUCCESS);
  const MIRROR_STATE after = StateOf(file);
  EXPECT_EQ(after.Requests[0] - before.Requests[0], 2u);
  EXPECT_EQ(after.Requests[1] - before.Requests[1], 1u);
  // It does not wait for the lower drivers: an asynchronous request is pending when its service returns, or done.
  HANDLE async = Open(u"\\Device\\Mirror0", 0);
  IO_STATUS_BLOCK iosb{};
  LARGE_INTEGER offset{};
  EXPECT_EQ(NtReadFile(async, nullptr, nullptr, nullptr, &iosb, data, 512, &offset, nullptr), STATUS_PENDING);
  EXPECT_EQ(NtWaitForSingleObject(async, FALSE, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(iosb.Information, 512u);
  NtClose(async);
  NtClose(file);
}

// What the location of the driver itself says must be valid: else the driver completes the request, and nothing goes
// on.
TEST_F(S004, S004_09_InvalidParametersEndAtTheDriver) {
  Image first, second;
  ASSERT_TRUE(machine.AddDisk(first.path()).ok());
  ASSERT_TRUE(machine.AddDisk(second.path()).ok());
  Add("mirror", {{0, 1}, {}});
  Kernel([&] {
    UNICODE_STRING name = RTL_CONSTANT_STRING(u"\\Device\\Mirror0");
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    ASSERT_EQ(nt::io::GetDeviceObjectPointer(&name, FILE_READ_ATTRIBUTES, &file, &device), STATUS_SUCCESS);
    struct Result {
      IO_STATUS_BLOCK status;
      int calls;
      static NTSTATUS NTAPI Keep(PDEVICE_OBJECT, PIRP irp, PVOID context) {
        static_cast<Result*>(context)->status = irp->IoStatus;
        static_cast<Result*>(context)->calls++;
        return STATUS_MORE_PROCESSING_REQUIRED;
      }
    };
    for (const UCHAR major : {IRP_MJ_READ, IRP_MJ_WRITE}) {
      Result result{};
      PIRP irp = nt::io::AllocateIrp(device->StackSize);
      PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
      location->MajorFunction = major;
      location->Parameters.Read.Length = 512;  // and no pages
      IoSetCompletionRoutine(irp, Result::Keep, &result, TRUE, TRUE, TRUE);
      EXPECT_EQ(nt::io::CallDriver(device, irp), STATUS_INVALID_PARAMETER);
      EXPECT_EQ(result.calls, 1);
      EXPECT_EQ(result.status.Status, STATUS_INVALID_PARAMETER);
      EXPECT_EQ(result.status.Information, 0u);
      nt::io::FreeIrp(irp);
    }
    nt::ob::DereferenceObject(file);
  });
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Mirror0");
  const MIRROR_STATE state = StateOf(file);
  EXPECT_EQ(state.Requests[0] + state.Requests[1], 0u);
  NtClose(file);
}

std::atomic<bool> g_system_buffer, g_pages;
NTSTATUS NTAPI NoteBuffers(PDEVICE_OBJECT, PIRP irp) {
  g_system_buffer = irp->AssociatedIrp.SystemBuffer != nullptr;
  g_pages = irp->MdlAddress && (irp->MdlAddress->MdlFlags & MDL_PAGES_LOCKED);
  return Complete(irp, STATUS_SUCCESS, 0);
}

TEST_F(S004, S004_10_TheDeviceObjectDecidesHowDataCome) {
  BareDriver(NoteBuffers, NoteBuffers);
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(u"\\Device\\Bare");
  for (const ULONG flags : {0u, ULONG{DO_BUFFERED_IO}, ULONG{DO_DIRECT_IO}}) {
    Kernel([&] {
      UNICODE_STRING name = RTL_CONSTANT_STRING(u"\\Device\\Bare");
      PFILE_OBJECT object;
      PDEVICE_OBJECT device;
      ASSERT_EQ(nt::io::GetDeviceObjectPointer(&name, FILE_READ_ATTRIBUTES, &object, &device), STATUS_SUCCESS);
      device->Flags = (device->Flags & ~static_cast<ULONG>(DO_BUFFERED_IO | DO_DIRECT_IO)) | flags;
      nt::ob::DereferenceObject(object);
    });
    for (const bool write : {false, true}) {
      EXPECT_EQ(write ? Write(file, data, 100) : Read(file, data, 100), STATUS_SUCCESS);
      EXPECT_EQ(g_system_buffer.load(), flags == DO_BUFFERED_IO);
      EXPECT_EQ(g_pages.load(), flags == DO_DIRECT_IO);
    }
  }
  NtClose(file);
}

TEST_F(S004, S004_11_LargeRequestsBecomeSmallTransfers) {
  Image image;
  ASSERT_TRUE(machine.AddDisk(image.path()).ok());
  const std::u16string volume = machine.VolumeDevice(0);
  Add("split", {{0}, {{"MaximumTransfer", 8192}}});
  std::atomic<ULONG> transfers{0}, longest{0};
  Kernel([&] {
    nt::disk::SetFaultInjector(nt::disk::FindVolume(volume),
                               [&](nt::disk::Operation, uint64_t, uint32_t bytes) -> NTSTATUS {
                                 transfers++;
                                 if (bytes > longest) longest = bytes;
                                 return STATUS_SUCCESS;
                               });
  });
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(volume.c_str());
  std::vector<char> large(128 * 1024, 'l');
  for (const bool write : {true, false}) {
    transfers = longest = 0;
    EXPECT_EQ(write ? Write(file, large.data(), 128 * 1024) : Read(file, large.data(), 128 * 1024), STATUS_SUCCESS);
    EXPECT_EQ(transfers, 16u);
    EXPECT_EQ(longest, 8192u);
  }
  NtClose(file);
  Kernel([&] { nt::disk::SetFaultInjector(nt::disk::FindVolume(volume), nullptr); });
}

TEST_F(S004, S004_12_TheSequenceSatisfiesTheOneRequest) {
  Image image;
  ASSERT_TRUE(machine.AddDisk(image.path()).ok());
  const std::u16string volume = machine.VolumeDevice(0);
  Add("split", {{0}, {{"MaximumTransfer", 1024}}});
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file = Open(volume.c_str());
  std::vector<char> out(100 * 1024), in(out.size());
  for (size_t i = 0; i < out.size(); i++) out[i] = static_cast<char>(i * 31 + i / 1024);
  ULONG_PTR information = 0;
  EXPECT_EQ(Write(file, out.data(), static_cast<ULONG>(out.size()), 4096, &information), STATUS_SUCCESS);
  EXPECT_EQ(information, out.size());
  EXPECT_EQ(Read(file, in.data(), static_cast<ULONG>(in.size()), 4096, &information), STATUS_SUCCESS);
  EXPECT_EQ(information, in.size());
  EXPECT_EQ(in, out);
  NtClose(file);
}

TEST_F(S004, S004_13_LowestDriversByBufferedOrByDirectIo) {
  Add("ramdisk", {{}, {{"Size", kMiB}, {"Buffered", 1}}});
  Add("ramdisk", {{}, {{"Size", kMiB}, {"Buffered", 0}}});
  ntio::Process process(machine);
  auto attachment = process.Attach();
  for (const char16_t* name : {u"\\Device\\Ramdisk0", u"\\Device\\Ramdisk1"}) {
    HANDLE file = Open(name);
    char back[sizeof data];
    std::memset(data, 'd', sizeof data);
    EXPECT_EQ(Write(file, data, sizeof data, 512), STATUS_SUCCESS);
    EXPECT_EQ(Read(file, back, sizeof back, 512), STATUS_SUCCESS);
    EXPECT_EQ(std::memcmp(back, data, sizeof data), 0);
    NtClose(file);
  }
}

// split above a ramdisk of either kind follows its own design: it takes pages, and gives what the driver below wants.
TEST_F(S004, S004_14_HigherDriversFollowTheirOwnDesign) {
  for (const uint32_t buffered : {0u, 1u}) {
    const auto disk = machine.AddStorage("ramdisk", {{}, {{"Size", kMiB}, {"Buffered", buffered}}});
    ASSERT_TRUE(disk.ok());
    Add("split", {{static_cast<int>(buffered)}, {{"MaximumTransfer", 1024}}});
  }
  ntio::Process process(machine);
  auto attachment = process.Attach();
  for (const char16_t* name : {u"\\Device\\Ramdisk0", u"\\Device\\Ramdisk1"}) {
    HANDLE file = Open(name);
    std::vector<char> out(20 * 1024, 'h'), in(out.size());
    EXPECT_EQ(Write(file, out.data(), static_cast<ULONG>(out.size()), 1024), STATUS_SUCCESS);
    EXPECT_EQ(Read(file, in.data(), static_cast<ULONG>(in.size()), 1024), STATUS_SUCCESS);
    EXPECT_EQ(in, out);
    NtClose(file);
  }
}

}  // namespace
