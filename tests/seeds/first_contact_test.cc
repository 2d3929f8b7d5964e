// The first driver contact of each kind of request (the table of expectations that the seeds imply), on the seed file
// system and through a legacy filter.
#include "src/mm/mm.h"
#include "src/srv/srv.h"
#include "tests/seeds/seed_entries.h"

namespace nt::seeds {
namespace {

constexpr ULONG kSync = FILE_SYNCHRONOUS_IO_NONALERT;

class FirstContact : public SeedTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    SeedTest::SetUp();
    volume = std::make_unique<SeedVolume>(GetParam());
  }
  void TearDown() override {
    volume.reset();
    SeedTest::TearDown();
  }
  Status Read(HANDLE handle) {
    LARGE_INTEGER offset = At(0);
    return io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, sizeof buffer, &offset, nullptr);
  }
  Status Write(HANDLE handle) {
    LARGE_INTEGER offset = At(0);
    return io::NtWriteFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, sizeof buffer, &offset, nullptr);
  }
  /// "FastIoRead", "IRP_MJ_READ", "IRP_MJ_READ (paging)", or "": nobody was asked.
  template <class F>
  std::string First(F&& request) {
    volume->Forget();
    request();
    const auto contacts = volume->Contacts();
    if (contacts.empty()) return {};
    if (contacts[0].entry) return io::FastIoEntryName(contacts[0].entry);
    return std::string(io::MajorFunctionName(contacts[0].major)) + (contacts[0].paging ? " (paging)" : "");
  }
  std::unique_ptr<SeedVolume> volume;
  alignas(512) char buffer[512] = {};
};
INSTANTIATE_TEST_SUITE_P(Filters, FirstContact, testing::Values(0, 1),
                         [](const auto& filters) { return std::to_string(filters.param); });

TEST_P(FirstContact, ReadAndWrite_NeverCachedYet_Irp_ThenFast) {
  HANDLE handle = volume->Open(kSync);
  EXPECT_EQ(First([&] { EXPECT_EQ(Read(handle), STATUS_SUCCESS); }), "IRP_MJ_READ");
  EXPECT_EQ(First([&] { EXPECT_EQ(Read(handle), STATUS_SUCCESS); }), "FastIoRead");
  EXPECT_EQ(volume->Irps(IRP_MJ_READ), 0);
  volume->Close(handle);
  handle = volume->Open(kSync);
  EXPECT_EQ(First([&] { EXPECT_EQ(Write(handle), STATUS_SUCCESS); }), "IRP_MJ_WRITE");
  EXPECT_EQ(First([&] { EXPECT_EQ(Write(handle), STATUS_SUCCESS); }), "FastIoWrite");
  EXPECT_EQ(volume->Irps(IRP_MJ_WRITE), 0);
  volume->Close(handle);
}

// Pitfall 4: no fast read or write with an asynchronous handle, but fast locks and device control.
TEST_P(FirstContact, AsynchronousOrUnbuffered_Irp) {
  for (const ULONG options : {0u, static_cast<ULONG>(kSync | FILE_NO_INTERMEDIATE_BUFFERING)}) {
    const HANDLE cached = volume->OpenCached(kSync);
    const HANDLE handle = options ? volume->Open(options) : volume->OpenCached(options);
    for (int i = 0; i < 2; i++) {
      EXPECT_EQ(First([&] { EXPECT_EQ(Read(handle), STATUS_SUCCESS); }), "IRP_MJ_READ");
      EXPECT_EQ(First([&] { EXPECT_EQ(Write(handle), STATUS_SUCCESS); }), "IRP_MJ_WRITE");
    }
    EXPECT_EQ(First([&] {
                io::NtDeviceIoControlFile(handle, nullptr, nullptr, nullptr, &iosb, kControlCode, nullptr, 0, nullptr,
                                          0)
                    .Ignore();
              }),
              "FastIoDeviceControl");
    volume->Close(handle);
    volume->Close(cached);
  }
}

TEST_P(FirstContact, WriteThrough_FastReadAllowed_FastWriteDeclinedByTheHelper) {
  const HANDLE handle = volume->OpenCached(kSync | FILE_WRITE_THROUGH);
  EXPECT_EQ(First([&] { EXPECT_EQ(Read(handle), STATUS_SUCCESS); }), "FastIoRead");
  EXPECT_EQ(volume->Irps(IRP_MJ_READ), 0);
  EXPECT_EQ(First([&] { EXPECT_EQ(Write(handle), STATUS_SUCCESS); }), "FastIoWrite");
  EXPECT_EQ(volume->Irps(IRP_MJ_WRITE), 1);
  volume->Close(handle);
}

TEST_P(FirstContact, Lock_AnyHandle) {
  for (const ULONG options : {0u, static_cast<ULONG>(kSync)}) {
    const HANDLE handle = volume->Open(options);
    LARGE_INTEGER offset = At(0), length = At(1);
    const auto lock = [&] {
      io::NtLockFile(handle, nullptr, nullptr, nullptr, &iosb, &offset, &length, 0, true, true).Ignore();
    };
    EXPECT_EQ(First(lock), "FastIoLock");
    EXPECT_EQ(volume->Irps(IRP_MJ_LOCK_CONTROL), 0);
    volume->SetMode(6, Mode::kFalse);
    EXPECT_EQ(First(lock), "FastIoLock");
    EXPECT_EQ(volume->Irps(IRP_MJ_LOCK_CONTROL), 1);
    volume->SetMode(6, Mode::kReal);
    volume->Close(handle);
  }
}

TEST_P(FirstContact, DeviceControlFast_FsControlByIrp) {
  const HANDLE handle = volume->Open(kSync);
  EXPECT_EQ(First([&] {
              io::NtDeviceIoControlFile(handle, nullptr, nullptr, nullptr, &iosb, kControlCode, nullptr, 0, nullptr, 0)
                  .Ignore();
            }),
            "FastIoDeviceControl");
  EXPECT_EQ(
      First([&] {
        io::NtFsControlFile(handle, nullptr, nullptr, nullptr, &iosb, kControlCode, nullptr, 0, nullptr, 0).Ignore();
      }),
      "IRP_MJ_FILE_SYSTEM_CONTROL");
  volume->Close(handle);
}

TEST_P(FirstContact, Queries) {
  for (const ULONG options : {0u, static_cast<ULONG>(kSync)}) {
    const HANDLE handle = volume->Open(options);
    const auto query = [&](FILE_INFORMATION_CLASS kind, ULONG bytes) {
      return First([&] { io::NtQueryInformationFile(handle, &iosb, buffer, bytes, kind).Ignore(); });
    };
    EXPECT_EQ(query(FileBasicInformation, sizeof(FILE_BASIC_INFORMATION)), "FastIoQueryBasicInfo");
    EXPECT_EQ(query(FileStandardInformation, sizeof(FILE_STANDARD_INFORMATION)), "FastIoQueryStandardInfo");
    EXPECT_EQ(query(FileNetworkOpenInformation, sizeof(FILE_NETWORK_OPEN_INFORMATION)), "FastIoQueryNetworkOpenInfo");
    EXPECT_EQ(query(FileEaInformation, sizeof(FILE_EA_INFORMATION)), "IRP_MJ_QUERY_INFORMATION");
    // The I/O manager's own.
    if (options) EXPECT_EQ(query(FilePositionInformation, sizeof(FILE_POSITION_INFORMATION)), "");
    EXPECT_EQ(query(FileAccessInformation, sizeof(FILE_ACCESS_INFORMATION)), "");
    EXPECT_EQ(query(FileModeInformation, sizeof(FILE_MODE_INFORMATION)), "");
    EXPECT_EQ(query(FileAlignmentInformation, sizeof(FILE_ALIGNMENT_INFORMATION)), "");
    volume->Close(handle);
  }
}

TEST_P(FirstContact, AttributesByPath) {
  volume->Close(volume->Open());  // mounted
  UNICODE_STRING name = io::test::Name(u"\\Device\\SeedDisk\\file");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
  FILE_NETWORK_OPEN_INFORMATION information;
  const auto query = [&] { EXPECT_EQ(io::NtQueryFullAttributesFile(&attributes, &information), STATUS_SUCCESS); };
  EXPECT_EQ(First(query), "FastIoQueryOpen");
  EXPECT_EQ(volume->Irps(IRP_MJ_CREATE), 0);
  volume->SetMode(24, Mode::kFalse);
  EXPECT_EQ(First(query), "FastIoQueryOpen");
  std::string rest;
  for (const Contact& contact : volume->Contacts())
    rest += contact.entry ? std::string(io::FastIoEntryName(contact.entry)) + " "
                          : std::string(io::MajorFunctionName(contact.major)) + " ";
  EXPECT_EQ(rest, "FastIoQueryOpen IRP_MJ_CREATE FastIoQueryNetworkOpenInfo IRP_MJ_CLEANUP IRP_MJ_CLOSE ");
}

TEST_P(FirstContact, IrpOnly) {
  const HANDLE handle = volume->OpenCached(kSync);
  const auto directory = [&] {
    io::NtQueryDirectoryFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, sizeof buffer, FileNamesInformation,
                             false, nullptr, true)
        .Ignore();
  };
  EXPECT_EQ(First(directory), "IRP_MJ_DIRECTORY_CONTROL");
  FILE_BASIC_INFORMATION basic{};
  EXPECT_EQ(
      First([&] { io::NtSetInformationFile(handle, &iosb, &basic, sizeof basic, FileBasicInformation).Ignore(); }),
      "IRP_MJ_SET_INFORMATION");
  EXPECT_EQ(First([&] {
              io::NtQueryEaFile(handle, &iosb, buffer, sizeof buffer, false, nullptr, 0, nullptr, true).Ignore();
            }),
            "IRP_MJ_QUERY_EA");
  ULONG needed = 0;
  EXPECT_EQ(First([&] {
              io::QueryFileSecurity(volume->FileOf(handle), OWNER_SECURITY_INFORMATION, buffer, sizeof buffer, &needed)
                  .Ignore();
            }),
            "IRP_MJ_QUERY_SECURITY");
  EXPECT_EQ(First([&] { io::NtFlushBuffersFile(handle, &iosb).Ignore(); }), "IRP_MJ_FLUSH_BUFFERS");
  volume->Close(handle);
}

TEST_P(FirstContact, ViewFaultAndModifiedPage_PagingIrpsBetweenTheAcquires) {
  const HANDLE handle = volume->Open(kSync);
  void* section = nullptr;
  LARGE_INTEGER size = At(0);
  EXPECT_EQ(First([&] {
              ASSERT_EQ(mm::CreateSection(&section, SECTION_MAP_READ | SECTION_MAP_WRITE, nullptr, &size,
                                          PAGE_READWRITE, SEC_COMMIT, handle, nullptr),
                        STATUS_SUCCESS);
            }),
            "AcquireFileForNtCreateSection");
  EXPECT_EQ(volume->FastCalls(12), 1);
  void* base = nullptr;
  SIZE_T bytes = 0;
  ASSERT_EQ(mm::MapViewInSystemSpace(section, &base, &bytes), STATUS_SUCCESS);
  EXPECT_EQ(First([&] { EXPECT_EQ(static_cast<char*>(base)[0], 'a'); }), "IRP_MJ_READ (paging)");
  static_cast<char*>(base)[0] = 'm';
  EXPECT_EQ(First([&] { mm::RunMappedPageWriter(); }), "AcquireForModWrite");
  const auto contacts = volume->Contacts();
  ASSERT_EQ(contacts.size(), 3u);
  EXPECT_TRUE(contacts[1].paging && contacts[1].major == IRP_MJ_WRITE);
  EXPECT_EQ(contacts[2].entry, 25u);
  EXPECT_EQ(mm::UnmapViewInSystemSpace(base), STATUS_SUCCESS);
  ob::DereferenceObject(section);
  volume->Close(handle);
}

TEST_P(FirstContact, MdlTransfers) {
  for (const bool cached : {true, false}) {
    for (const bool write : {false, true}) {
      const HANDLE handle = cached ? volume->OpenCached() : volume->Open();
      FILE_OBJECT* const file = volume->FileOf(handle);
      srv::MdlTransfer transfer;
      EXPECT_EQ(First([&] {
                  EXPECT_EQ(write ? srv::PrepareMdlWrite(file, 0, 100, 0, &transfer)
                                  : srv::MdlRead(file, 0, 100, 0, &transfer),
                            STATUS_SUCCESS);
                }),
                write ? "PrepareMdlWrite" : "MdlRead");
      // On a file that is not cached the fast call fails, and the IRP starts caching.
      EXPECT_EQ(volume->Irps(write ? IRP_MJ_WRITE : IRP_MJ_READ, IRP_MN_MDL), cached ? 0 : 1);
      EXPECT_NE(file->PrivateCacheMap, nullptr);
      EXPECT_EQ(First([&] { EXPECT_EQ(srv::Complete(&transfer), STATUS_SUCCESS); }),
                write ? "MdlWriteComplete" : "MdlReadComplete");
      volume->Close(handle);
    }
  }
}

}  // namespace
}  // namespace nt::seeds
