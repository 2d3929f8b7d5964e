// Seed 000, FAST_IO_DISPATCH: each of the 27 entries is called by the component that calls it on Windows, and a table
// without it, or an entry that declines, leads to the documented fallback, which the requester cannot tell from the
// fast answer.
//
// The ids of the claims (S000.nn) stand at the tests that show them; docs/SEEDS.md is the table.
#include <cstddef>

#include "src/fsrtl/fsrtl.h"
#include "src/io/observe.h"
#include "src/mm/mm.h"
#include "src/srv/srv.h"
#include "tests/seeds/seed_entries.h"

namespace nt::seeds {
namespace {

// S000.01, S000.02: the structure, its order and its offsets on x64.
TEST(Seed000, S000_01_02_Layout_SizeThen27PointersAt8n) {
  static_assert(sizeof(FAST_IO_DISPATCH) == 0xE0);
  static_assert(offsetof(FAST_IO_DISPATCH, SizeOfFastIoDispatch) == 0 &&
                sizeof(FAST_IO_DISPATCH{}.SizeOfFastIoDispatch) == 4);
  const size_t offsets[] = {offsetof(FAST_IO_DISPATCH, FastIoCheckIfPossible),
                            offsetof(FAST_IO_DISPATCH, FastIoRead),
                            offsetof(FAST_IO_DISPATCH, FastIoWrite),
                            offsetof(FAST_IO_DISPATCH, FastIoQueryBasicInfo),
                            offsetof(FAST_IO_DISPATCH, FastIoQueryStandardInfo),
                            offsetof(FAST_IO_DISPATCH, FastIoLock),
                            offsetof(FAST_IO_DISPATCH, FastIoUnlockSingle),
                            offsetof(FAST_IO_DISPATCH, FastIoUnlockAll),
                            offsetof(FAST_IO_DISPATCH, FastIoUnlockAllByKey),
                            offsetof(FAST_IO_DISPATCH, FastIoDeviceControl),
                            offsetof(FAST_IO_DISPATCH, AcquireFileForNtCreateSection),
                            offsetof(FAST_IO_DISPATCH, ReleaseFileForNtCreateSection),
                            offsetof(FAST_IO_DISPATCH, FastIoDetachDevice),
                            offsetof(FAST_IO_DISPATCH, FastIoQueryNetworkOpenInfo),
                            offsetof(FAST_IO_DISPATCH, AcquireForModWrite),
                            offsetof(FAST_IO_DISPATCH, MdlRead),
                            offsetof(FAST_IO_DISPATCH, MdlReadComplete),
                            offsetof(FAST_IO_DISPATCH, PrepareMdlWrite),
                            offsetof(FAST_IO_DISPATCH, MdlWriteComplete),
                            offsetof(FAST_IO_DISPATCH, FastIoReadCompressed),
                            offsetof(FAST_IO_DISPATCH, FastIoWriteCompressed),
                            offsetof(FAST_IO_DISPATCH, MdlReadCompleteCompressed),
                            offsetof(FAST_IO_DISPATCH, MdlWriteCompleteCompressed),
                            offsetof(FAST_IO_DISPATCH, FastIoQueryOpen),
                            offsetof(FAST_IO_DISPATCH, ReleaseForModWrite),
                            offsetof(FAST_IO_DISPATCH, AcquireForCcFlush),
                            offsetof(FAST_IO_DISPATCH, ReleaseForCcFlush)};
  ASSERT_EQ(std::size(offsets), 27u);
  for (size_t n = 1; n <= 27; n++) EXPECT_EQ(offsets[n - 1], 8 * n) << io::FastIoEntryName(n);
}

// --- the entries that a request reaches through the top of the stack
// ------------------------------------------------------------

/// What a requester can see.
struct Outcome {
  NTSTATUS status = 0;
  ULONG_PTR information = 0;
  std::string data;
  LONGLONG position = 0;
  bool operator==(const Outcome&) const = default;
  friend void PrintTo(const Outcome& outcome, std::ostream* to) {
    *to << std::hex << outcome.status << " information " << std::dec << outcome.information << " position "
        << outcome.position << " data \"" << outcome.data << '"';
  }
};

using Request = std::function<Outcome(SeedVolume&, HANDLE)>;

struct Row {
  size_t entry;
  const char* caller;
  Request request;
  UCHAR major, minor;         // the IRP that takes the place of the fast call
  bool helper_below = false;  // without any entry in the stack, FsRtl's own routine serves instead of an IRP
};

IO_STATUS_BLOCK g_iosb;  // services write it; cleared before each

LARGE_INTEGER At(LONGLONG offset) {
  LARGE_INTEGER value;
  value.QuadPart = offset;
  return value;
}

Outcome Seen(SeedVolume& volume, HANDLE handle, Status status, std::string data = {}) {
  return {status.value(), g_iosb.Information, std::move(data), volume.FileOf(handle)->CurrentByteOffset.QuadPart};
}

Outcome ReadSome(SeedVolume& volume, HANDLE handle) {
  char buffer[100] = {};
  LARGE_INTEGER offset = At(10);
  const Status status =
      io::NtReadFile(handle, nullptr, nullptr, nullptr, &g_iosb, buffer, sizeof buffer, &offset, nullptr);
  return Seen(volume, handle, status, std::string(buffer, sizeof buffer));
}

Outcome WriteSome(SeedVolume& volume, HANDLE handle) {
  char buffer[50];
  std::memset(buffer, 'W', sizeof buffer);
  LARGE_INTEGER offset = At(20);
  const Status status =
      io::NtWriteFile(handle, nullptr, nullptr, nullptr, &g_iosb, buffer, sizeof buffer, &offset, nullptr);
  return Seen(volume, handle, status);
}

template <class T>
Outcome QuerySome(SeedVolume& volume, HANDLE handle, FILE_INFORMATION_CLASS kind) {
  T information{};
  const Status status = io::NtQueryInformationFile(handle, &g_iosb, &information, sizeof information, kind);
  return Seen(volume, handle, status, std::string(reinterpret_cast<char*>(&information), sizeof information));
}

Status LockRange(HANDLE handle, LONGLONG offset, ULONG key) {
  LARGE_INTEGER start = At(offset), length = At(10);
  return io::NtLockFile(handle, nullptr, nullptr, nullptr, &g_iosb, &start, &length, key, true, true);
}
Status UnlockRange(HANDLE handle, LONGLONG offset, ULONG key) {
  LARGE_INTEGER start = At(offset), length = At(10);
  return io::NtUnlockFile(handle, &g_iosb, &start, &length, key);
}

/// Which of two locked ranges are still locked.
std::string StillLocked(HANDLE handle) {
  std::string held;
  for (const ULONG key : {7u, 8u})
    if (UnlockRange(handle, 100 * key, key) == STATUS_SUCCESS) held += static_cast<char>('0' + key);
  return held;
}

Outcome UnlockByKey(SeedVolume& volume, HANDLE handle) {
  for (const ULONG key : {7u, 8u}) EXPECT_EQ(LockRange(handle, 100 * key, key), STATUS_SUCCESS);
  srv::Route route;
  const Status status = srv::UnlockAllByKey(volume.FileOf(handle), ps::GetCurrentProcess(), 7, &route);
  const std::string held = StillLocked(handle);
  return {status.value(), 0, held, 0};
}

std::string BytesOf(MDL* chain) {
  std::string bytes;
  for (; chain; chain = chain->Next)
    bytes.append(static_cast<char*>(mm::GetSystemAddressForMdl(chain)), chain->ByteCount);
  return bytes;
}

/// An MDL transfer from its beginning to its end. @param chunks  of a compressed one
Outcome TransferByMdl(SeedVolume& volume, HANDLE handle, bool write, bool compressed) {
  FILE_OBJECT* const file = volume.FileOf(handle);
  srv::MdlTransfer transfer;
  alignas(COMPRESSED_DATA_INFO) char space[64] = {};
  auto* const info = reinterpret_cast<COMPRESSED_DATA_INFO*>(space);
  const Status status = compressed
                            ? (write ? srv::MdlWriteCompressed(file, 4096, 4096, 0, info, sizeof space, &transfer)
                                     : srv::MdlReadCompressed(file, 4096, 4096, 0, info, sizeof space, &transfer))
                            : (write ? srv::PrepareMdlWrite(file, 5000, 3000, 0, &transfer)
                                     : srv::MdlRead(file, 5000, 3000, 0, &transfer));
  std::string data;
  if (!write) data = BytesOf(transfer.chain);
  if (write)
    for (MDL* mdl = transfer.chain; mdl; mdl = mdl->Next)
      std::memset(mm::GetSystemAddressForMdl(mdl), 'M', mdl->ByteCount);
  const ULONG_PTR information = transfer.iosb.Information;
  EXPECT_EQ(srv::Complete(&transfer), STATUS_SUCCESS);
  EXPECT_EQ(transfer.chain, nullptr);
  if (write) data = ReadSome(volume, handle).data, data += std::to_string(volume.file->header.FileSize.QuadPart);
  return {status.value(), information, data, 0};
}

Outcome CompressedInBuffer(SeedVolume& volume, HANDLE handle, bool write) {
  std::string buffer(8192, 'C');
  alignas(COMPRESSED_DATA_INFO) char space[64] = {};
  auto* const info = reinterpret_cast<COMPRESSED_DATA_INFO*>(space);
  IO_STATUS_BLOCK iosb{};
  srv::Route route;
  FILE_OBJECT* const file = volume.FileOf(handle);
  const Status status = write ? srv::WriteCompressed(file, 0, 8192, 0, buffer.data(), info, sizeof space, &iosb, &route)
                              : srv::ReadCompressed(file, 0, 8192, 0, buffer.data(), info, sizeof space, &iosb, &route);
  return {status.value(), iosb.Information, buffer + std::to_string(info->NumberOfChunks), 0};
}

Outcome BasicAttributesByPath(SeedVolume&, HANDLE) {
  UNICODE_STRING name = io::test::Name(u"\\Device\\SeedDisk\\file");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
  FILE_BASIC_INFORMATION information{};
  const Status status = io::NtQueryAttributesFile(&attributes, &information);
  return {status.value(), 0, std::string(reinterpret_cast<char*>(&information), sizeof information), 0};
}

Outcome AttributesByPath(SeedVolume&, HANDLE) {
  UNICODE_STRING name = io::test::Name(u"\\Device\\SeedDisk\\file");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
  FILE_NETWORK_OPEN_INFORMATION information{};
  const Status status = io::NtQueryFullAttributesFile(&attributes, &information);
  return {status.value(), 0, std::string(reinterpret_cast<char*>(&information), sizeof information), 0};
}

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      // S000.04: asked for a read, by FsRtlCopyRead
      {1, "FsRtlCopyRead",
       [](SeedVolume& volume, HANDLE handle) {
         volume.file->header.IsFastIoPossible = FastIoIsQuestionable;
         return ReadSome(volume, handle);
       },
       IRP_MJ_READ, IRP_MN_NORMAL},
      // S000.05: asked for a write, by FsRtlCopyWrite
      {1, "FsRtlCopyWrite",
       [](SeedVolume& volume, HANDLE handle) {
         volume.file->header.IsFastIoPossible = FastIoIsQuestionable;
         return WriteSome(volume, handle);
       },
       IRP_MJ_WRITE, IRP_MN_NORMAL},
      // S000.06
      {2, "NtReadFile", ReadSome, IRP_MJ_READ, IRP_MN_NORMAL},
      // S000.08
      {3, "NtWriteFile", WriteSome, IRP_MJ_WRITE, IRP_MN_NORMAL},
      // S000.10
      {4, "NtQueryInformationFile",
       [](SeedVolume& volume, HANDLE handle) {
         return QuerySome<FILE_BASIC_INFORMATION>(volume, handle, FileBasicInformation);
       },
       IRP_MJ_QUERY_INFORMATION, 0},
      // S000.11
      {5, "NtQueryInformationFile",
       [](SeedVolume& volume, HANDLE handle) {
         return QuerySome<FILE_STANDARD_INFORMATION>(volume, handle, FileStandardInformation);
       },
       IRP_MJ_QUERY_INFORMATION, 0},
      // S000.12: the lock is there: its range can be unlocked, another cannot.
      {6, "NtLockFile",
       [](SeedVolume& volume, HANDLE handle) {
         const Outcome outcome = Seen(volume, handle, LockRange(handle, 700, 7));
         EXPECT_TRUE(volume.FileOf(handle)->LockOperation);
         EXPECT_EQ(StillLocked(handle), "7");
         return outcome;
       },
       IRP_MJ_LOCK_CONTROL, IRP_MN_LOCK},
      // S000.13: one lock is gone, the other stays.
      {7, "NtUnlockFile",
       [](SeedVolume& volume, HANDLE handle) {
         for (const ULONG key : {7u, 8u}) EXPECT_EQ(LockRange(handle, 100 * key, key), STATUS_SUCCESS);
         const Outcome outcome = Seen(volume, handle, UnlockRange(handle, 700, 7));
         EXPECT_EQ(StillLocked(handle), "8");
         return outcome;
       },
       IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_SINGLE},
      // S000.15: the locks of the key, no others.
      {9, "a kernel file server", UnlockByKey, IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_ALL_BY_KEY},
      // S000.16
      {10, "NtDeviceIoControlFile",
       [](SeedVolume& volume, HANDLE handle) {
         return Seen(volume, handle,
                     io::NtDeviceIoControlFile(handle, nullptr, nullptr, nullptr, &g_iosb, kControlCode, nullptr, 0,
                                               nullptr, 0));
       },
       IRP_MJ_DEVICE_CONTROL, 0},
      // S000.20
      {14, "NtQueryInformationFile",
       [](SeedVolume& volume, HANDLE handle) {
         return QuerySome<FILE_NETWORK_OPEN_INFORMATION>(volume, handle, FileNetworkOpenInformation);
       },
       IRP_MJ_QUERY_INFORMATION, 0},
      // S000.23
      {16, "a kernel file server", [](SeedVolume& v, HANDLE h) { return TransferByMdl(v, h, false, false); },
       IRP_MJ_READ, IRP_MN_MDL, true},
      // S000.24
      {17, "a kernel file server", [](SeedVolume& v, HANDLE h) { return TransferByMdl(v, h, false, false); },
       IRP_MJ_READ, IRP_MN_COMPLETE_MDL, true},
      // S000.25
      {18, "a kernel file server", [](SeedVolume& v, HANDLE h) { return TransferByMdl(v, h, true, false); },
       IRP_MJ_WRITE, IRP_MN_MDL, true},
      // S000.26
      {19, "a kernel file server", [](SeedVolume& v, HANDLE h) { return TransferByMdl(v, h, true, false); },
       IRP_MJ_WRITE, IRP_MN_COMPLETE_MDL, true},
      // S000.27
      {20, "a kernel file server", [](SeedVolume& v, HANDLE h) { return CompressedInBuffer(v, h, false); }, IRP_MJ_READ,
       IRP_MN_COMPRESSED},
      // S000.28
      {21, "a kernel file server", [](SeedVolume& v, HANDLE h) { return CompressedInBuffer(v, h, true); }, IRP_MJ_WRITE,
       IRP_MN_COMPRESSED},
      // S000.29
      {22, "a kernel file server", [](SeedVolume& v, HANDLE h) { return TransferByMdl(v, h, false, true); },
       IRP_MJ_READ, IRP_MN_COMPLETE_MDL | IRP_MN_COMPRESSED},
      // S000.30
      {23, "a kernel file server", [](SeedVolume& v, HANDLE h) { return TransferByMdl(v, h, true, true); },
       IRP_MJ_WRITE, IRP_MN_COMPLETE_MDL | IRP_MN_COMPRESSED},
      // S000.31: the query by path needs no open when the entry answers.
      {24, "NtQueryFullAttributesFile", AttributesByPath, IRP_MJ_CREATE, 0},
      {24, "NtQueryAttributesFile", BasicAttributesByPath, IRP_MJ_CREATE, 0},
  };
  return rows;
}

enum class Variant { kTrue, kFalse, kAbsent, kShortTable, kNoTable };
const char* const kVariantNames[] = {"True", "False", "Absent", "ShortTable", "NoTable"};

class Entry : public SeedTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    SeedTest::SetUp();
    io::ResetStatistics();
    io::EnableStatistics(true);
  }
  void TearDown() override {
    SeedTest::TearDown();
    io::EnableStatistics(false);
  }
  /// What the filters counted, by entry: the sum over all of them.
  static uint64_t FilterCount(size_t entry, std::atomic<uint64_t> io::DriverCounts::FastIo::* member) {
    uint64_t sum = 0;
    for (const auto* row : io::AllDriverCounts())
      if (row->filter) sum += row->fast_io[entry].*member;
    return sum;
  }
};
INSTANTIATE_TEST_SUITE_P(Filters, Entry, testing::Values(0, 1, 3),
                         [](const auto& filters) { return std::to_string(filters.param); });

// S000.03: SizeOfFastIoDispatch hides what lies beyond it. S000.04 to S000.31 at the rows. S000.35: at PASSIVE_LEVEL.
TEST_P(Entry, S000_04_to_31_CalledByItsCaller_OrItsFallbackWithTheSameResult) {
  const int filters = GetParam();
  for (const Row& row : Rows()) {
    Outcome answered;
    for (const Variant variant :
         {Variant::kTrue, Variant::kFalse, Variant::kAbsent, Variant::kShortTable, Variant::kNoTable}) {
      SCOPED_TRACE(std::string(io::FastIoEntryName(row.entry)) + " by " + row.caller + ", " +
                   kVariantNames[static_cast<int>(variant)]);
      SeedVolume volume(filters);
      const HANDLE handle = volume.OpenCached();
      ASSERT_EQ(io::GetRelatedDeviceObject(volume.FileOf(handle)) == volume.volume, filters == 0);
      switch (variant) {
        case Variant::kTrue:
          break;
        case Variant::kFalse:
          volume.SetMode(row.entry, Mode::kFalse);
          break;
        case Variant::kAbsent:
          volume.UseTable(SeedVolume::Table::kWithout, row.entry);
          break;
        case Variant::kShortTable:
          volume.UseTable(SeedVolume::Table::kShort, row.entry);
          break;
        case Variant::kNoTable:
          volume.UseTable(SeedVolume::Table::kNone);
          break;
      }
      volume.Forget();
      io::ResetStatistics();
      g_iosb = {};
      const Outcome outcome = row.request(volume, handle);
      EXPECT_TRUE(NT_SUCCESS(outcome.status)) << std::hex << outcome.status;
      if (variant == Variant::kTrue)
        answered = outcome;
      else
        EXPECT_EQ(outcome, answered);  // the requester cannot tell

      const bool reached = variant == Variant::kTrue || variant == Variant::kFalse;
      EXPECT_EQ(volume.FastCalls(row.entry) > 0, reached);
      const bool by_helper = row.helper_below && filters == 0 && variant != Variant::kFalse;
      const bool answers = variant == Variant::kTrue || by_helper;
      EXPECT_EQ(volume.Irps(row.major, row.minor) > 0, !answers);
      for (const Contact& contact : volume.Contacts()) {
        if (contact.entry == 0) continue;
        EXPECT_EQ(contact.irql, PASSIVE_LEVEL);
        EXPECT_EQ(contact.device, volume.volume) << "each filter hands on the device below it";
      }
      // Each filter was asked, from the top down, and passed on what could be passed on.
      const auto asked = FilterCount(row.entry, &io::DriverCounts::FastIo::called);
      // FastIoCheckIfPossible is asked by the helper behind FastIoRead, which a table that ends before it does not have.
      const bool helper_runs = row.entry != 1 || (variant != Variant::kShortTable && variant != Variant::kNoTable);
      if (filters && helper_runs) EXPECT_GE(asked, static_cast<uint64_t>(filters));
      if (reached) EXPECT_EQ(FilterCount(row.entry, &io::DriverCounts::FastIo::passed_on), asked);
      EXPECT_EQ(io::GetTopLevelIrp(), nullptr);
      volume.Close(handle);
    }
  }
}

// A filter in the middle that has no entry, or declines, ends the fast call: the file system's own entry is not
// reached.
TEST_F(Entry, FilterThatDeclinesOrLacksTheEntry_IsNotSkipped) {
  for (const char* parameter : {"DeclineMask", "AbsentMask", "NoTable"}) {
    for (const Row& row : Rows()) {
      if (row.entry == 1) continue;  // asked below the filters, by the helper: the next test
      SCOPED_TRACE(std::string(io::FastIoEntryName(row.entry)) + " " + parameter);
      SeedVolume::SetFilterParameter(1, parameter, std::string(parameter) == "NoTable" ? 1 : 1u << row.entry);
      SeedVolume volume(3);
      const HANDLE handle = volume.OpenCached();
      volume.Forget();
      g_iosb = {};
      const Outcome outcome = row.request(volume, handle);
      EXPECT_TRUE(NT_SUCCESS(outcome.status)) << std::hex << outcome.status;
      EXPECT_EQ(volume.FastCalls(row.entry), 0);
      EXPECT_GT(volume.Irps(row.major, row.minor), 0);
      volume.Close(handle);
      SeedVolume::SetFilterParameter(1, parameter, 0);
    }
  }
}

// S000.04, S000.05 and pitfall 5: the helper asks at the top of the stack, not at the device that it was given.
TEST_F(Entry, S000_04_05_CheckIfPossible_AskedAtTheTop) {
  SeedVolume::SetFilterParameter(0, "DeclineMask", 1u << 1);
  SeedVolume volume(1);
  const HANDLE handle = volume.OpenCached();
  volume.file->header.IsFastIoPossible = FastIoIsQuestionable;
  volume.Forget();
  EXPECT_EQ(ReadSome(volume, handle).status, STATUS_SUCCESS);
  EXPECT_EQ(volume.FastCalls(2), 1);  // the read came down to the file system, whose helper asked the filter
  EXPECT_EQ(volume.FastCalls(1), 0);
  EXPECT_EQ(volume.Irps(IRP_MJ_READ, 0), 1);
  volume.Close(handle);
  SeedVolume::SetFilterParameter(0, "DeclineMask", 0);
}

// Pitfalls 2 and 3: TRUE is final with the statuses of fast-io 3 only; otherwise exactly one IRP follows and decides.
TEST_P(Entry, ReadAndWrite_TrueWithEachClassOfStatus) {
  for (const NTSTATUS status : {STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW, STATUS_END_OF_FILE, STATUS_INVALID_PARAMETER,
                                STATUS_INVALID_DEVICE_REQUEST, STATUS_ACCESS_VIOLATION}) {
    SCOPED_TRACE(StatusName(status));
    SeedVolume volume(GetParam());
    const HANDLE handle = volume.OpenCached();
    volume.status_of_true = status;
    volume.Forget();
    const Outcome read = ReadSome(volume, handle);
    const bool read_final =
        status == STATUS_SUCCESS || status == STATUS_BUFFER_OVERFLOW || status == STATUS_END_OF_FILE;
    EXPECT_EQ(volume.Irps(IRP_MJ_READ, 0), read_final ? 0 : 1);
    EXPECT_EQ(read.status, read_final ? status : STATUS_SUCCESS);
    const Outcome write = WriteSome(volume, handle);
    EXPECT_EQ(volume.Irps(IRP_MJ_WRITE, 0), status == STATUS_SUCCESS ? 0 : 1);
    EXPECT_EQ(write.status, STATUS_SUCCESS);
    EXPECT_EQ(write.information, 50u);
    volume.Close(handle);
  }
}

// S000.07, S000.09: copy read and copy write on a cached file object of a synchronous handle, and only there.
TEST_P(Entry, S000_07_09_ReadAndWrite_OnlyOfCachedSynchronousFileObjects) {
  SeedVolume volume(GetParam());
  for (const bool cached : {false, true}) {
    for (const ULONG options : {0u, static_cast<ULONG>(FILE_SYNCHRONOUS_IO_NONALERT)}) {
      const HANDLE handle = cached ? volume.OpenCached(options) : volume.Open(options);
      volume.Forget();
      // Queues of an asynchronous handle are looked at by its status block.
      char buffer[16] = {};
      LARGE_INTEGER offset = At(0);
      EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &g_iosb, buffer, sizeof buffer, &offset, nullptr),
                STATUS_SUCCESS);
      const bool fast = cached && options;
      EXPECT_EQ(volume.FastCalls(2), fast ? 1 : 0);
      EXPECT_EQ(volume.Irps(IRP_MJ_READ, 0), fast ? 0 : 1);
      volume.Close(handle);
      const HANDLE writer = cached ? volume.OpenCached(options) : volume.Open(options);
      volume.Forget();
      EXPECT_EQ(io::NtWriteFile(writer, nullptr, nullptr, nullptr, &g_iosb, buffer, sizeof buffer, &offset, nullptr),
                STATUS_SUCCESS);
      EXPECT_EQ(volume.FastCalls(3), fast ? 1 : 0);
      EXPECT_EQ(volume.Irps(IRP_MJ_WRITE, 0), fast ? 0 : 1);
      volume.Close(writer);
    }
  }
}

// S000.14: a process closes its last handle while another has one: its locks go, the other's stay.
TEST_P(Entry, S000_14_UnlockAll) {
  for (const Variant variant :
       {Variant::kTrue, Variant::kFalse, Variant::kAbsent, Variant::kShortTable, Variant::kNoTable}) {
    SCOPED_TRACE(kVariantNames[static_cast<int>(variant)]);
    SeedVolume volume(GetParam());
    const HANDLE handle = volume.OpenCached();
    if (variant == Variant::kFalse) volume.SetMode(8, Mode::kFalse);
    if (variant == Variant::kAbsent) volume.UseTable(SeedVolume::Table::kWithout, 8);
    if (variant == Variant::kShortTable) volume.UseTable(SeedVolume::Table::kShort, 8);
    if (variant == Variant::kNoTable) volume.UseTable(SeedVolume::Table::kNone);
    EXPECT_EQ(LockRange(handle, 700, 7), STATUS_SUCCESS);
    ps::Process* other = nullptr;
    ASSERT_EQ(ps::CreateProcess(u"other", nullptr, &other), STATUS_SUCCESS);
    {
      ke::ServiceScope scope(other, KernelMode);
      HANDLE second = nullptr;
      ASSERT_EQ(ob::OpenObjectByPointer(volume.FileOf(handle), 0, nullptr, FILE_READ_DATA, IoFileObjectType, KernelMode,
                                        &second),
                STATUS_SUCCESS);
      EXPECT_EQ(LockRange(second, 0, 1), STATUS_SUCCESS);
      EXPECT_EQ(LockRange(second, 20, 2), STATUS_SUCCESS);
      volume.Forget();
      io::ResetStatistics();
      EXPECT_EQ(ob::Close(second, KernelMode), STATUS_SUCCESS);
    }
    ps::TerminateProcess(other, STATUS_SUCCESS);
    ob::DereferenceObject(other);
    const bool reached = variant == Variant::kTrue || variant == Variant::kFalse;
    EXPECT_EQ(volume.FastCalls(8), reached ? 1 : 0);
    EXPECT_EQ(volume.Irps(IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_ALL), variant == Variant::kTrue ? 0 : 1);
    EXPECT_EQ(FilterCount(8, &io::DriverCounts::FastIo::called), static_cast<uint64_t>(GetParam()));
    EXPECT_EQ(volume.Irps(IRP_MJ_CLEANUP), 0);
    for (const LONGLONG free : {0, 20}) {
      EXPECT_EQ(LockRange(handle, free, 3), STATUS_SUCCESS);
      EXPECT_EQ(UnlockRange(handle, free, 3), STATUS_SUCCESS);
    }
    EXPECT_EQ(StillLocked(handle), "7");
    volume.Close(handle);
  }
}

// --- the six entries of Mm and the cache manager: the file system's own, whatever stands above
// --------------------------------------

class Acquire : public Entry {
 protected:
  void* MakeSection(SeedVolume& volume, HANDLE handle) {
    void* section = nullptr;
    LARGE_INTEGER size = At(0);
    EXPECT_EQ(mm::CreateSection(&section, SECTION_MAP_READ | SECTION_MAP_WRITE, nullptr, &size, PAGE_READWRITE,
                                SEC_COMMIT, handle, nullptr),
              STATUS_SUCCESS);
    static_cast<void>(volume);
    return section;
  }
  /// Dirties a page of the file through a view, with the cache manager out of it.
  void DirtyByView(SeedVolume& volume, char with) {
    const HANDLE handle = volume.Open();
    void* const section = MakeSection(volume, handle);
    void* base = nullptr;
    SIZE_T bytes = 0;
    ASSERT_EQ(mm::MapViewInSystemSpace(section, &base, &bytes), STATUS_SUCCESS);
    static_cast<char*>(base)[0] = with;
    ASSERT_EQ(mm::UnmapViewInSystemSpace(base), STATUS_SUCCESS);
    ob::DereferenceObject(section);
    volume.Close(handle);
  }
  static char FirstOnDisk(SeedVolume& volume) {
    std::lock_guard guard(volume.file->disk_lock);
    return volume.file->disk[0];
  }
  static void ExpectUnowned(SeedVolume& volume) {
    EXPECT_FALSE(ex::IsResourceAcquiredExclusiveLite(&volume.file->resource));
    EXPECT_EQ(ex::IsResourceAcquiredSharedLite(&volume.file->resource), 0u);
    EXPECT_EQ(ex::IsResourceAcquiredSharedLite(&volume.file->paging), 0u);
  }
  /// The file system's table with the entry, without it, and none at all.
  template <class F>
  void ForEachTable(std::initializer_list<size_t> entries, F&& body) {
    for (const size_t without : entries) {
      for (const auto shape : {SeedVolume::Table::kWhole, SeedVolume::Table::kWithout, SeedVolume::Table::kShort,
                               SeedVolume::Table::kNone}) {
        SCOPED_TRACE(std::string(io::FastIoEntryName(without)) + " table " + std::to_string(static_cast<int>(shape)));
        SeedVolume volume(GetParam());
        // Both of a pair go, as a driver would leave them out.
        volume.UseTable(shape, *std::min_element(entries.begin(), entries.end()));
        body(volume, shape == SeedVolume::Table::kWhole);
        ExpectUnowned(volume);
      }
      break;
    }
    for (const size_t entry : entries) {
      EXPECT_EQ(FilterCount(entry, &io::DriverCounts::FastIo::called), 0u) << "a filter's entry is never called";
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Filters, Acquire, testing::Values(0, 1, 3),
                         [](const auto& filters) { return std::to_string(filters.param); });

// S000.17, S000.18: Mm owns the file exclusively while it makes a section, and gives it up.
TEST_P(Acquire, S000_17_18_CreateSection) {
  for (const auto shape : {SeedVolume::Table::kWhole, SeedVolume::Table::kShort, SeedVolume::Table::kNone}) {
    SeedVolume volume(GetParam());
    volume.UseTable(shape, 11);
    const bool there = shape == SeedVolume::Table::kWhole;
    const HANDLE handle = volume.Open();
    volume.Forget();
    ob::DereferenceObject(MakeSection(volume, handle));
    EXPECT_EQ(volume.FastCalls(11), there ? 1 : 0);
    EXPECT_EQ(volume.FastCalls(12), there ? 1 : 0);
    ExpectUnowned(volume);
    volume.Close(handle);
  }
  for (const size_t entry : {11, 12}) EXPECT_EQ(FilterCount(entry, &io::DriverCounts::FastIo::called), 0u);
}

// S000.17: without an entry Mm takes the header's Resource: it waits for who has it.
TEST_P(Acquire, S000_17_CreateSection_WithoutEntryTakesTheResource) {
  SeedVolume volume(GetParam());
  volume.UseTable(SeedVolume::Table::kNone);
  const HANDLE handle = volume.Open();
  std::atomic<bool> held = false, released = false;
  std::thread holder([&] {
    ke::CallIntoMachine([&] {
      ke::ServiceScope scope(nullptr, KernelMode);
      ke::EnterCriticalRegion();
      ex::AcquireResourceSharedLite(&volume.file->resource, true);
      held = true;
      while (ex::GetExclusiveWaiterCount(&volume.file->resource) == 0) std::this_thread::yield();
      released = true;
      ex::ReleaseResourceLite(&volume.file->resource);
      ke::LeaveCriticalRegion();
    });
  });
  while (!held) std::this_thread::yield();
  ob::DereferenceObject(MakeSection(volume, handle));
  EXPECT_TRUE(released);
  holder.join();
  volume.Close(handle);
}

// S000.21, S000.22, S000.32, and pitfall 19: the mapped page writer asks the file system which resource to hold.
TEST_P(Acquire, S000_21_22_32_ModWrite) {
  for (const auto shape : {SeedVolume::Table::kWhole, SeedVolume::Table::kShort, SeedVolume::Table::kNone}) {
    SeedVolume volume(GetParam());
    volume.UseTable(shape, 15);
    const bool there = shape == SeedVolume::Table::kWhole;
    DirtyByView(volume, '1');
    volume.Forget();
    mm::RunMappedPageWriter();
    EXPECT_EQ(FirstOnDisk(volume), '1');
    EXPECT_EQ(volume.FastCalls(15), there ? 1 : 0);
    EXPECT_EQ(volume.FastCalls(25), there ? 1 : 0);
    EXPECT_EQ(volume.Irps(IRP_MJ_WRITE, 0, true), 1);
    bool marked = false;
    for (const Contact& contact : volume.Contacts())
      if (contact.major == IRP_MJ_WRITE && contact.paging)
        marked = contact.top_level == reinterpret_cast<IRP*>(static_cast<ULONG_PTR>(FSRTL_MOD_WRITE_TOP_LEVEL_IRP));
    EXPECT_TRUE(marked);
    ExpectUnowned(volume);
  }
  for (const size_t entry : {15, 25}) EXPECT_EQ(FilterCount(entry, &io::DriverCounts::FastIo::called), 0u);
}

// S000.22 and pitfall 19: CANT_WAIT, nothing written, tried again later.
TEST_P(Acquire, S000_22_ModWrite_CantWaitIsTriedAgain) {
  SeedVolume volume(GetParam());
  DirtyByView(volume, '2');
  volume.SetMode(15, Mode::kFalse);
  volume.refusal = STATUS_CANT_WAIT;
  volume.Forget();
  mm::RunMappedPageWriter();
  EXPECT_EQ(volume.FastCalls(15), 1);
  EXPECT_EQ(volume.FastCalls(25), 0);
  EXPECT_EQ(volume.Irps(IRP_MJ_WRITE, 0, true), 0);
  volume.SetMode(15, Mode::kReal);
  mm::RunMappedPageWriter();
  EXPECT_EQ(FirstOnDisk(volume), '2');
  ExpectUnowned(volume);
}

// S000.21: another refusal leaves the choice to the default, which takes the resource of the header.
TEST_P(Acquire, S000_21_ModWrite_OtherStatusLeavesItToTheDefault) {
  SeedVolume volume(GetParam());
  DirtyByView(volume, '3');
  volume.SetMode(15, Mode::kFalse);
  volume.SetMode(25, Mode::kFalse);
  volume.Forget();
  mm::RunMappedPageWriter();
  EXPECT_EQ(FirstOnDisk(volume), '3');
  EXPECT_EQ(volume.FastCalls(15), 1);
  ExpectUnowned(volume);
}

// S000.33, S000.34: before and after the cache manager's flush.
TEST_P(Acquire, S000_33_34_CcFlush) {
  for (const auto shape : {SeedVolume::Table::kWhole, SeedVolume::Table::kShort, SeedVolume::Table::kNone}) {
    SeedVolume volume(GetParam());
    const HANDLE handle = volume.OpenCached();
    EXPECT_EQ(WriteSome(volume, handle).status, STATUS_SUCCESS);
    volume.UseTable(shape, 26);
    const bool there = shape == SeedVolume::Table::kWhole;
    volume.Forget();
    EXPECT_EQ(io::NtFlushBuffersFile(handle, &iosb), STATUS_SUCCESS);
    EXPECT_EQ(volume.FastCalls(26), there ? 1 : 0);
    EXPECT_EQ(volume.FastCalls(27), there ? 1 : 0);
    EXPECT_EQ(volume.Irps(IRP_MJ_WRITE, 0, true), 1);
    ExpectUnowned(volume);
    // A refusal with another status: the default, and the flush is made. CANT_WAIT: the flush's answer.
    for (const NTSTATUS refusal : {STATUS_INVALID_DEVICE_REQUEST, STATUS_CANT_WAIT}) {
      volume.UseTable(SeedVolume::Table::kWhole);
      EXPECT_EQ(WriteSome(volume, handle).status, STATUS_SUCCESS);
      volume.SetMode(26, Mode::kFalse);
      volume.SetMode(27, Mode::kFalse);
      volume.refusal = refusal;
      EXPECT_EQ(io::NtFlushBuffersFile(handle, &iosb), refusal == STATUS_CANT_WAIT ? STATUS_CANT_WAIT : STATUS_SUCCESS);
      volume.SetMode(26, Mode::kReal);
      volume.SetMode(27, Mode::kReal);
      ExpectUnowned(volume);
    }
    EXPECT_EQ(io::NtFlushBuffersFile(handle, &iosb), STATUS_SUCCESS);
    volume.Close(handle);
  }
  for (const size_t entry : {26, 27}) EXPECT_EQ(FilterCount(entry, &io::DriverCounts::FastIo::called), 0u);
}

// S000.11, the kernel's caller: FsRtlGetFileSize asks the same entry, and by a paging IRP when it declines.
TEST_P(Entry, S000_11_GetFileSize) {
  for (const Mode mode : {Mode::kReal, Mode::kFalse}) {
    SeedVolume volume(GetParam());
    const HANDLE handle = volume.Open();
    volume.SetMode(5, mode);
    volume.Forget();
    LARGE_INTEGER size{};
    EXPECT_EQ(fsrtl::GetFileSize(volume.FileOf(handle), &size), STATUS_SUCCESS);
    EXPECT_EQ(size.QuadPart, volume.file->header.FileSize.QuadPart);
    EXPECT_EQ(volume.FastCalls(5), 1);
    EXPECT_EQ(volume.Irps(IRP_MJ_QUERY_INFORMATION, 0, true), mode == Mode::kReal ? 0 : 1);
    volume.Close(handle);
  }
}

// --- detach
// -------------------------------------------------------------------------------------------------------------------------

// S000.19: the device below is deleted, and each filter above leaves it.
TEST_P(Entry, S000_19_DetachDevice) {
  const int filters = GetParam();
  SeedVolume volume(filters);
  volume.Close(volume.Open());
  ASSERT_NE(volume.volume, nullptr);
  int attached = 0;
  for (DEVICE_OBJECT* device = volume.volume; (device = device->AttachedDevice);) attached++;
  EXPECT_EQ(attached, filters);
  {
    KIRQL irql;
    io::AcquireVpbSpinLock(&irql);
    volume.storage->Vpb->Flags &= static_cast<USHORT>(~VPB_MOUNTED);
    volume.storage->Vpb->DeviceObject = nullptr;
    io::ReleaseVpbSpinLock(irql);
  }
  ob::ReferenceObject(volume.volume);
  io::DeleteDevice(volume.volume);
  EXPECT_EQ(volume.volume->AttachedDevice, nullptr);
  ob::DereferenceObject(volume.volume);
  EXPECT_EQ(FilterCount(13, &io::DriverCounts::FastIo::called), static_cast<uint64_t>(filters));
  // The next open mounts anew, with as many above.
  const HANDLE again = volume.OpenCached();
  EXPECT_EQ(ReadSome(volume, again).status, STATUS_SUCCESS);
  attached = 0;
  for (DEVICE_OBJECT* device = volume.volume; (device = device->AttachedDevice);) attached++;
  EXPECT_EQ(attached, filters);
  volume.Close(again);
}

// S000.19: a driver without the entry is detached by the I/O manager.
TEST_F(Entry, S000_19_DetachDevice_WithoutEntry) {
  SeedVolume::SetFilterParameter(0, "NoTable", 1);
  {
    SeedVolume volume(1);
    volume.Close(volume.Open());
    DEVICE_OBJECT* const above = volume.volume->AttachedDevice;
    ASSERT_NE(above, nullptr);
    ob::ReferenceObject(above);
    {
      KIRQL irql;
      io::AcquireVpbSpinLock(&irql);
      volume.storage->Vpb->Flags &= static_cast<USHORT>(~VPB_MOUNTED);
      volume.storage->Vpb->DeviceObject = nullptr;
      io::ReleaseVpbSpinLock(irql);
    }
    io::DeleteDevice(volume.volume);
    EXPECT_EQ(io::LowerDevice(above), nullptr);
    ob::DereferenceObject(above);
  }
  SeedVolume::SetFilterParameter(0, "NoTable", 0);
}

}  // namespace
}  // namespace nt::seeds
