// drivers/fat through the machine: what a Windows program sees of it. After every test fsck.fat finds the image in
// order.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "ntifs.h"
#include "ntio/machine.h"
#include "src/io/io.h"
#include "src/ke/service.h"
#include "src/mm/mm.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace {

constexpr uint32_t kReadWrite = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE
constexpr uint32_t kAll = FILE_ALL_ACCESS;
constexpr uint32_t kSynchronous = FILE_SYNCHRONOUS_IO_NONALERT;

// A stack that leaves a transfer too little. The frames of unoptimised and sanitized builds would not fit into it.
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__)
constexpr size_t kShortStackBytes = 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr size_t kShortStackBytes = 0;
#else
constexpr size_t kShortStackBytes = 8 * 1024;
#endif
#else
constexpr size_t kShortStackBytes = 8 * 1024;
#endif

std::string DriverPath() { return std::string(NTIO_BUILD_DIR) + "/drivers/fat.sys"; }

/// A program: what it does, it does as a process of its own, in user mode, with arguments in requestor memory.
class Client {
 public:
  Client() {
    Enter([&] { EXPECT_EQ(nt::ps::CreateProcess(u"client", nullptr, &process_).value(), STATUS_SUCCESS); }, KernelMode);
  }
  ~Client() {
    for (auto& [memory, bytes] : blocks_) nt::mm::UserArena::Free(memory, bytes);
    Enter(
        [&] {
          nt::ps::TerminateProcess(process_, STATUS_SUCCESS);
          nt::ob::DereferenceObject(process_);
        },
        KernelMode);
  }
  template <class F>
  void Enter(F&& body, KPROCESSOR_MODE mode = UserMode) {
    EXPECT_TRUE(nt::ke::CallIntoMachine([&] {
      nt::ke::ServiceScope scope(mode == UserMode ? process_ : nullptr, mode);
      body();
    }));
  }
  /// Requestor memory, zeroed, until the client goes.
  template <class T>
  T* New(size_t count = 1) {
    const size_t bytes = sizeof(T) * count;
    void* memory = nt::mm::UserArena::Allocate(bytes);
    std::memset(memory, 0, bytes);
    blocks_.emplace_back(memory, bytes);
    return static_cast<T*>(memory);
  }
  UNICODE_STRING* String(const std::u16string& text) {
    auto* string = New<UNICODE_STRING>();
    string->Buffer = New<WCHAR>(text.size() + 1);
    std::memcpy(string->Buffer, text.data(), text.size() * sizeof(WCHAR));
    string->Length = string->MaximumLength = static_cast<USHORT>(text.size() * sizeof(WCHAR));
    return string;
  }
  OBJECT_ATTRIBUTES* Attributes(const std::u16string& nt_path) {
    auto* attributes = New<OBJECT_ATTRIBUTES>();
    InitializeObjectAttributes(attributes, String(nt_path), OBJ_CASE_INSENSITIVE, nullptr, nullptr);
    return attributes;
  }
  NTSTATUS Open(const std::u16string& path, HANDLE* handle, ULONG access = kAll, ULONG share = 7,
                ULONG disposition = FILE_OPEN_IF, ULONG options = kSynchronous,
                ULONG attributes = FILE_ATTRIBUTE_NORMAL) {
    auto* out = New<HANDLE>();
    auto* iosb = New<IO_STATUS_BLOCK>();
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    Enter([&] {
      status = nt::io::NtCreateFile(out, access | SYNCHRONIZE, Attributes(volume + path), iosb, nullptr, attributes,
                                    share, disposition, options, nullptr, 0)
                   .value();
    });
    *handle = *out;
    return status;
  }
  void Close(HANDLE handle) {
    Enter([&] { EXPECT_EQ(nt::ob::Close(handle, UserMode).value(), STATUS_SUCCESS); });
  }
  NTSTATUS Set(HANDLE handle, FILE_INFORMATION_CLASS kind, const void* data, size_t bytes) {
    auto* buffer = New<char>(bytes);
    std::memcpy(buffer, data, bytes);
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    Enter([&] {
      status =
          nt::io::NtSetInformationFile(handle, New<IO_STATUS_BLOCK>(), buffer, static_cast<ULONG>(bytes), kind).value();
    });
    return status;
  }
  template <class T>
  NTSTATUS Query(HANDLE handle, FILE_INFORMATION_CLASS kind, T* info, size_t extra = 0) {
    char* buffer = New<char>(sizeof(T) + extra);
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    Enter([&] {
      status = nt::io::NtQueryInformationFile(handle, New<IO_STATUS_BLOCK>(), buffer,
                                              static_cast<ULONG>(sizeof(T) + extra), kind)
                   .value();
    });
    std::memcpy(info, buffer, sizeof(T));
    return status;
  }
  NTSTATUS Delete(HANDLE handle) {
    FILE_DISPOSITION_INFORMATION info{TRUE};
    return Set(handle, FileDispositionInformation, &info, sizeof info);
  }
  NTSTATUS Rename(HANDLE handle, const std::u16string& target, bool replace = false) {
    std::vector<char> memory(sizeof(FILE_RENAME_INFORMATION) + target.size() * sizeof(WCHAR));
    auto* info = reinterpret_cast<FILE_RENAME_INFORMATION*>(memory.data());
    info->ReplaceIfExists = replace;
    info->FileNameLength = static_cast<ULONG>(target.size() * sizeof(WCHAR));
    std::memcpy(info->FileName, target.data(), info->FileNameLength);
    return Set(handle, FileRenameInformation, info, memory.size());
  }
  /// Whatever the request, by the status it ends with: waits for one that pends.
  NTSTATUS FsControl(HANDLE handle, ULONG code, void* in = nullptr, ULONG in_bytes = 0, void* out = nullptr,
                     ULONG out_bytes = 0, ULONG_PTR* information = nullptr) {
    auto* iosb = New<IO_STATUS_BLOCK>();
    char* input = in ? New<char>(in_bytes) : nullptr;
    char* output = out ? New<char>(out_bytes) : nullptr;
    if (in) std::memcpy(input, in, in_bytes);
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    Enter([&] {
      status =
          nt::io::NtFsControlFile(handle, nullptr, nullptr, nullptr, iosb, code, input, in_bytes, output, out_bytes)
              .value();
    });
    if (out) std::memcpy(out, output, out_bytes);
    if (information) *information = iosb->Information;
    return status;
  }

  std::u16string volume;

 private:
  nt::ps::Process* process_ = nullptr;
  std::vector<std::pair<void*, size_t>> blocks_;
};

/// Waits for a request that pends; false when it did not end within the time.
bool Wait(const IO_STATUS_BLOCK* iosb, NTSTATUS* status, int seconds = 20) {
  for (int i = 0; i < seconds * 1000; i++) {
    *status = __atomic_load_n(&iosb->Status, __ATOMIC_ACQUIRE);
    if (*status != STATUS_PENDING) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

class FatTest : public ::testing::TestWithParam<int> {
 protected:
  void Start(int fat = 32, int mib = 64, ntio::MachineOptions options = {}, const std::string& mkfs = "-s 1") {
    char name[] = "/tmp/ntio-fat-XXXXXX";
    const int file = mkstemp(name);
    if (file >= 0) ::close(file);
    image_ = name;
    const std::string command = "truncate -s " + std::to_string(mib) + "M " + image_ + " && mkfs.fat -F " +
                                std::to_string(fat) + " " + mkfs + " " + image_ + " >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    Boot(options);
  }
  void Boot(ntio::MachineOptions options = {}) {
    options.statistics = true;
    machine_ = std::make_unique<ntio::Machine>(options);
    ASSERT_TRUE(machine_->booted().ok());
    ASSERT_TRUE(machine_->Load(DriverPath()).ok());
    ASSERT_TRUE(machine_->AddDisk(image_).ok());
    client_ = std::make_unique<Client>();
    client_->volume = machine_->VolumeDevice();
  }
  void Stop() {
    client_.reset();
    if (!machine_) return;
    const auto shutdown = machine_->Shutdown();
    EXPECT_TRUE(shutdown.ok()) << shutdown.failure().message;
    machine_.reset();
    const std::string command =
        "fsck.fat -n " + image_ + " > " + image_ + ".log || { cat " + image_ + ".log; exit 1; }";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::remove((image_ + ".log").c_str());
  }
  void TearDown() override {
    Stop();
    std::remove(image_.c_str());
  }
  HANDLE Open(const std::u16string& path, ULONG options = kSynchronous, ULONG access = kAll, ULONG share = 7) {
    HANDLE handle = nullptr;
    EXPECT_EQ(client_->Open(path, &handle, access, share, FILE_OPEN_IF, options), STATUS_SUCCESS);
    return handle;
  }
  std::vector<ntio::DirectoryEntry> List(const std::u16string& path = u"\\", const std::u16string& pattern = u"*") {
    ntio::OpenOptions options;
    options.options = 0x21;
    auto directory = machine_->Open(path, options);
    EXPECT_TRUE(directory.ok());
    auto entries = directory->List(pattern);
    EXPECT_TRUE(entries.ok());
    return entries.ok() ? *entries : std::vector<ntio::DirectoryEntry>{};
  }
  unsigned char ImageByte(long offset) {
    std::ifstream in(image_, std::ios::binary);
    in.seekg(offset);
    return static_cast<unsigned char>(in.get());
  }

  std::string image_;
  std::unique_ptr<ntio::Machine> machine_;
  std::unique_ptr<Client> client_;
};

std::u16string Number(int i) {
  std::u16string text;
  for (int digits = 0; digits < 5; digits++, i /= 10) text.insert(text.begin(), static_cast<char16_t>(u'0' + i % 10));
  return text;
}

// --- names
// ---------------------------------------------------------------------------------------------------------------------

// NTIO_FILES=20000 for the long form. The time of a create must not grow with the directory.
TEST_F(FatTest, ManyFilesInOneDirectory_EachTakesAsLongAsTheFirst) {
  const char* wanted = std::getenv("NTIO_FILES");
  const int files = wanted ? std::atoi(wanted) : 8000;
  Start(32, 128);
  ntio::OpenOptions make;
  make.options = 0x21;
  make.disposition = FILE_CREATE;
  make.access = kReadWrite;
  ASSERT_TRUE(machine_->Open(u"\\many", make).ok());
  make.options = 0x60;
  const auto run = [&](int from, int to) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = from; i < to; i++) {
      auto file = machine_->Open(u"\\many\\a long name " + Number(i) + u".txt", make);
      if (!file.ok()) {
        ADD_FAILURE() << "file " << i << ": " << ntio::DescribeStatus(file.failure().status);
        break;
      }
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  run(0, 100);  // warm
  const double first = run(100, 1100);
  run(1100, files - 1000);
  const double last = run(files - 1000, files);
  std::printf("%d files: first 1,000 in %.0f ms, last 1,000 in %.0f ms, ratio %.2f\n", files, first * 1e3, last * 1e3,
              last / first);
  EXPECT_EQ(List(u"\\many").size(), static_cast<size_t>(files) + 2);
  EXPECT_LT(last, first * 5 + 0.5) << "creating files in a large directory slows down";
}

TEST_F(FatTest, Names_FoundByLongAndShortName_AfterCreateRenameDelete) {
  for (int fat : {12, 16, 32}) {
    ASSERT_NO_FATAL_FAILURE(Start(fat, fat == 12 ? 2 : fat == 16 ? 16 : 64));
    Client& client = *client_;
    HANDLE handle;
    for (int i = 0; i < 60; i++) client.Close(Open(u"\\some long name " + Number(i)));
    // Every name has its own short one, and is found by it.
    auto entries = List();
    ASSERT_EQ(entries.size(), 60u);
    for (const auto& entry : entries) {
      ASSERT_EQ(client.Open(u"\\" + entry.short_name, &handle, kAll, 7, FILE_OPEN), STATUS_SUCCESS);
      FILE_NAME_INFORMATION name{};
      client.Query(handle, FileNameInformation, &name, 200);
      EXPECT_EQ(name.FileNameLength, (entry.name.size() + 1) * 2);
      client.Close(handle);
    }
    // Holes are used again, whatever their size.
    for (int i = 0; i < 60; i += 2) {
      handle = Open(u"\\some long name " + Number(i));
      EXPECT_EQ(client.Delete(handle), STATUS_SUCCESS);
      client.Close(handle);
      EXPECT_EQ(client.Open(u"\\SOME LONG NAME " + Number(i), &handle, kAll, 7, FILE_OPEN),
                STATUS_OBJECT_NAME_NOT_FOUND);
    }
    for (int i = 0; i < 30; i++) client.Close(Open(u"\\S" + Number(i)));
    for (int i = 1; i < 60; i += 2) {
      handle = Open(u"\\some long name " + Number(i));
      EXPECT_EQ(client.Rename(handle, u"Renamed to something longer than before " + Number(i)), STATUS_SUCCESS);
      client.Close(handle);
      EXPECT_EQ(client.Open(u"\\some long name " + Number(i), &handle, kAll, 7, FILE_OPEN),
                STATUS_OBJECT_NAME_NOT_FOUND);
      EXPECT_EQ(client.Open(u"\\renamed to something longer than before " + Number(i), &handle, kAll, 7, FILE_OPEN),
                STATUS_SUCCESS);
      client.Close(handle);
    }
    EXPECT_EQ(List().size(), 60u);
    ASSERT_NO_FATAL_FAILURE(Stop());
    std::remove(image_.c_str());
  }
}

TEST_F(FatTest, Names_OnlyCaseKeepsFromBeingShort_ShortNameIsTheUpcasedOne) {
  Start();
  client_->Close(Open(u"\\MakeFile.Txt"));
  const auto entries = List();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].name, u"MakeFile.Txt");
  EXPECT_EQ(entries[0].short_name, u"MAKEFILE.TXT");
}

// --- tunnelling: locks-oplocks-notify.md section 4
// -------------------------------------------------------------------------------

TEST_F(FatTest, Tunnel_DeleteAndCreate_KeepsCreationTimeAndShortName) {
  Start();
  Client& client = *client_;
  client.Close(Open(u"\\long file name 1"));  // takes LONGFI~1
  HANDLE handle = Open(u"\\long file name 2");
  FILE_BASIC_INFORMATION basic{};
  basic.CreationTime.QuadPart = 131000000000000000;
  ASSERT_EQ(client.Set(handle, FileBasicInformation, &basic, sizeof basic), STATUS_SUCCESS);
  ASSERT_EQ(client.Query(handle, FileBasicInformation, &basic), STATUS_SUCCESS);
  const auto short_name = List(u"\\", u"long file name 2").at(0).short_name;
  EXPECT_EQ(short_name, u"LONGFI~2");
  HANDLE first = Open(u"\\long file name 1");
  EXPECT_EQ(client.Delete(first), STATUS_SUCCESS);
  client.Close(first);
  EXPECT_EQ(client.Delete(handle), STATUS_SUCCESS);
  client.Close(handle);
  handle = Open(u"\\long file name 2");
  FILE_BASIC_INFORMATION again{};
  ASSERT_EQ(client.Query(handle, FileBasicInformation, &again), STATUS_SUCCESS);
  EXPECT_EQ(again.CreationTime.QuadPart, basic.CreationTime.QuadPart);
  client.Close(handle);
  EXPECT_EQ(List(u"\\", u"long file name 2").at(0).short_name, short_name);
}

TEST_F(FatTest, Tunnel_SavedByShortName_KeepsTheLongName) {
  Start();
  Client& client = *client_;
  client.Close(Open(u"\\Letter to somebody.doc"));
  HANDLE handle = Open(u"\\LETTER~1.DOC");
  EXPECT_EQ(client.Rename(handle, u"LETTER.BAK"), STATUS_SUCCESS);
  client.Close(handle);
  handle = Open(u"\\new.tmp");
  EXPECT_EQ(client.Rename(handle, u"LETTER~1.DOC"), STATUS_SUCCESS);
  client.Close(handle);
  const auto found = List(u"\\", u"Letter to somebody.doc");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].short_name, u"LETTER~1.DOC");
}

// --- the dirty mark
// ----------------------------------------------------------------------------------------------------------------

TEST_F(FatTest, PureRead_WritesNothing) {
  Start();
  HANDLE handle = Open(u"\\file");
  client_->Close(handle);
  Stop();
  // Yesterday's access date would be due for an update.
  ASSERT_EQ(std::system(("MTOOLS_SKIP_CHECK=1 mdir -i " + image_ + " ::/ >/dev/null").c_str()), 0);
  Boot();
  handle = Open(u"\\file", kSynchronous, FILE_READ_DATA);
  client_->Close(handle);
  EXPECT_FALSE(List().empty());
  client_.reset();
  ASSERT_TRUE(machine_->Dismount().ok());
  EXPECT_EQ(machine_->Statistics().paging.writes, 0u);
}

TEST_F(FatTest, DirtyMark_ThereAfterTheFirstChange_GoneWhenIdle) {
  Start(16, 16);
  constexpr long kState = 0x25;
  EXPECT_EQ(ImageByte(kState) & 1, 0);
  HANDLE handle = Open(u"\\file");
  EXPECT_EQ(ImageByte(kState) & 1, 1);
  for (int i = 0; i < 300 && (ImageByte(kState) & 1); i++) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(ImageByte(kState) & 1, 0) << "still marked dirty after half a minute";
  EXPECT_EQ(client_->Delete(handle), STATUS_SUCCESS);
  client_->Close(handle);
  EXPECT_EQ(ImageByte(kState) & 1, 1);
}

// --- transfers
// -------------------------------------------------------------------------------------------------------------------

TEST_F(FatTest, OverlappedNonCached_PendsAndCompletesFromBelow) {
  Start();
  Client& client = *client_;
  constexpr ULONG kBytes = 64 * 1024;
  constexpr int kRequests = 16;
  constexpr ULONG kOptions = FILE_NO_INTERMEDIATE_BUFFERING | FILE_NON_DIRECTORY_FILE,
                  kAccess = FILE_READ_DATA | FILE_WRITE_DATA;
  HANDLE handle = Open(u"\\data", kOptions, kAccess);
  // In pieces, with another file between: more runs than one.
  FILE_END_OF_FILE_INFORMATION size{};
  size.EndOfFile.QuadPart = kBytes * kRequests;
  ASSERT_EQ(client.Set(handle, FileEndOfFileInformation, &size, sizeof size), STATUS_SUCCESS);
  auto* buffers = client.New<char>(kBytes * kRequests + 4096);
  buffers = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(buffers) + 4095) & ~uintptr_t{4095});
  for (ULONG i = 0; i < kBytes * kRequests; i++) buffers[i] = static_cast<char>(i / 512 * 7 + i);
  const std::vector<char> expected(buffers, buffers + kBytes * kRequests);

  const auto run = [&](bool write) {
    auto* iosbs = client.New<IO_STATUS_BLOCK>(kRequests);
    auto* offsets = client.New<LARGE_INTEGER>(kRequests);
    int pended = 0;
    client.Enter([&] {
      for (int i = 0; i < kRequests; i++) {
        iosbs[i].Status = STATUS_PENDING;
        offsets[i].QuadPart = static_cast<LONGLONG>(i) * kBytes;
        const NTSTATUS status = write ? nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr, &iosbs[i],
                                                            buffers + i * kBytes, kBytes, &offsets[i], nullptr)
                                            .value()
                                      : nt::io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosbs[i],
                                                           buffers + i * kBytes, kBytes, &offsets[i], nullptr)
                                            .value();
        EXPECT_TRUE(NT_SUCCESS(status)) << ntio::DescribeStatus(status);
        pended += status == STATUS_PENDING;
      }
    });
    for (int i = 0; i < kRequests; i++) {
      NTSTATUS status;
      ASSERT_TRUE(Wait(&iosbs[i], &status)) << "request " << i;
      EXPECT_EQ(status, STATUS_SUCCESS);
      EXPECT_EQ(iosbs[i].Information, kBytes);
    }
    EXPECT_EQ(pended, kRequests);
  };
  client.Close(handle);
  handle = Open(u"\\data", kOptions, kAccess);
  ASSERT_NO_FATAL_FAILURE(run(true));
  ASSERT_NO_FATAL_FAILURE(run(true));  // now below valid data: in place
  std::memset(buffers, 0, kBytes * kRequests);
  ASSERT_NO_FATAL_FAILURE(run(false));
  EXPECT_EQ(std::memcmp(buffers, expected.data(), expected.size()), 0);
  client.Close(handle);
  // A cache that begins afterwards shows the same.
  ntio::OpenOptions options;
  auto file = machine_->Open(u"\\data", options);
  ASSERT_TRUE(file.ok());
  std::vector<std::byte> back(expected.size());
  EXPECT_EQ(file->Read(0, back).information, back.size());
  EXPECT_EQ(std::memcmp(back.data(), expected.data(), expected.size()), 0);
}

TEST_F(FatTest, ShortStack_TransfersGoOnAnotherThread) {
  ntio::MachineOptions options;
  options.kernel_stack_bytes = kShortStackBytes;
  Start(32, 64, options);
  std::vector<std::byte> data(300'000), back(300'000);
  for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<std::byte>(i * 31 >> 3);
  ntio::OpenOptions create;
  create.access = kReadWrite;
  create.disposition = FILE_OVERWRITE_IF;
  auto file = machine_->Open(u"\\file.bin", create);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->Write(0, data).ok());
  ASSERT_TRUE(file->Flush().ok());
  file->Close();
  ASSERT_TRUE(machine_->Dismount().ok());
  file = machine_->Open(u"\\file.bin");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->Read(0, back).information, back.size());
  EXPECT_EQ(data, back);
  file->Close();
}

// --- attributes by path
// ----------------------------------------------------------------------------------------------------------

TEST_F(FatTest, QueryOpen_AnswersWithoutAnOpen) {
  Start();
  Client& client = *client_;
  HANDLE directory = Open(u"\\dir", FILE_DIRECTORY_FILE | kSynchronous);
  client.Close(directory);
  client.Close(Open(u"\\dir\\a file in it"));
  const auto before = machine_->Statistics();
  auto* info = client.New<FILE_NETWORK_OPEN_INFORMATION>();
  NTSTATUS status = STATUS_UNSUCCESSFUL, missing = STATUS_SUCCESS;
  client.Enter([&] {
    status = nt::io::NtQueryFullAttributesFile(client.Attributes(client.volume + u"\\DIR\\a file in it"), info).value();
  });
  EXPECT_EQ(status, STATUS_SUCCESS);
  EXPECT_EQ(info->FileAttributes, static_cast<ULONG>(FILE_ATTRIBUTE_ARCHIVE));
  const auto after = machine_->Statistics();
  EXPECT_EQ(after.fast_io.at("FastIoQueryOpen").returned_true, 1u);
  EXPECT_EQ(after.irp.at("IRP_MJ_CREATE").sent, before.irp.at("IRP_MJ_CREATE").sent);
  client.Enter([&] {
    missing = nt::io::NtQueryFullAttributesFile(client.Attributes(client.volume + u"\\dir\\none"), info).value();
  });
  EXPECT_EQ(missing, STATUS_OBJECT_NAME_NOT_FOUND);
}

// --- oplocks, notification, deletion
// -----------------------------------------------------------------------------------------------

TEST_F(FatTest, Oplock_BatchHolderClosesInsteadOfASharingViolation) {
  Start();
  Client& client = *client_;
  HANDLE holder = nullptr;
  ASSERT_EQ(client.Open(u"\\file", &holder, kAll, 0, FILE_OPEN_IF, 0), STATUS_SUCCESS);
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  iosb->Status = STATUS_PENDING;
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  client.Enter([&] {
    status = nt::io::NtFsControlFile(holder, nullptr, nullptr, nullptr, iosb, FSCTL_REQUEST_BATCH_OPLOCK, nullptr, 0,
                                     nullptr, 0)
                 .value();
  });
  ASSERT_EQ(status, STATUS_PENDING);
  Client other;
  other.volume = client.volume;
  HANDLE second = nullptr;
  NTSTATUS opened = STATUS_UNSUCCESSFUL;
  std::thread opener([&] { opened = other.Open(u"\\file", &second, FILE_READ_DATA, 7, FILE_OPEN); });
  NTSTATUS broken = STATUS_UNSUCCESSFUL;
  EXPECT_TRUE(Wait(iosb, &broken));
  EXPECT_EQ(broken, STATUS_SUCCESS);
  client.Close(holder);
  opener.join();
  EXPECT_EQ(opened, STATUS_SUCCESS);
  other.Close(second);
}

TEST_F(FatTest, Oplock_ReadHandle_SharingViolationWaitsForTheHandle) {
  Start();
  Client& client = *client_;
  HANDLE holder = nullptr;
  ASSERT_EQ(client.Open(u"\\file", &holder, FILE_READ_DATA, FILE_SHARE_READ, FILE_OPEN_IF, 0), STATUS_SUCCESS);
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  iosb->Status = STATUS_PENDING;
  auto* in = client.New<REQUEST_OPLOCK_INPUT_BUFFER>();
  auto* out = client.New<REQUEST_OPLOCK_OUTPUT_BUFFER>();
  in->StructureVersion = REQUEST_OPLOCK_CURRENT_VERSION;
  in->StructureLength = sizeof *in;
  in->RequestedOplockLevel = OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_HANDLE;
  in->Flags = REQUEST_OPLOCK_INPUT_FLAG_REQUEST;
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  client.Enter([&] {
    status = nt::io::NtFsControlFile(holder, nullptr, nullptr, nullptr, iosb, FSCTL_REQUEST_OPLOCK, in, sizeof *in, out,
                                     sizeof *out)
                 .value();
  });
  ASSERT_EQ(status, STATUS_PENDING);
  Client other;
  other.volume = client.volume;
  HANDLE second = nullptr;
  NTSTATUS opened = STATUS_UNSUCCESSFUL;
  std::thread opener([&] { opened = other.Open(u"\\file", &second, FILE_WRITE_DATA, 7, FILE_OPEN); });
  NTSTATUS broken = STATUS_UNSUCCESSFUL;
  EXPECT_TRUE(Wait(iosb, &broken));
  EXPECT_EQ(out->NewOplockLevel, static_cast<ULONG>(OPLOCK_LEVEL_CACHE_READ));
  client.Close(holder);
  opener.join();
  EXPECT_EQ(opened, STATUS_SUCCESS);
  other.Close(second);
}

TEST_F(FatTest, Notify_RenameTellsBothNames_DeletedDirectoryEndsTheWatch) {
  Start();
  Client& client = *client_;
  client.Close(Open(u"\\dir", FILE_DIRECTORY_FILE | kSynchronous));
  HANDLE watch = nullptr;
  ASSERT_EQ(client.Open(u"\\dir", &watch, FILE_LIST_DIRECTORY | DELETE, 7, FILE_OPEN, FILE_DIRECTORY_FILE),
            STATUS_SUCCESS);
  auto* buffer = client.New<char>(4096);
  IO_STATUS_BLOCK* iosb = nullptr;
  const auto arm = [&] {
    iosb = client.New<IO_STATUS_BLOCK>();
    iosb->Status = STATUS_PENDING;
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    client.Enter([&] {
      status = nt::io::NtNotifyChangeDirectoryFile(watch, nullptr, nullptr, nullptr, iosb, buffer, 4096,
                                                   FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_SIZE, false)
                   .value();
    });
    return status;
  };
  const auto next = [&](ULONG* action) {
    NTSTATUS status;
    EXPECT_TRUE(Wait(iosb, &status));
    const auto* info = reinterpret_cast<const FILE_NOTIFY_INFORMATION*>(buffer);
    *action = info->Action;
    return std::u16string(reinterpret_cast<const char16_t*>(info->FileName), info->FileNameLength / 2);
  };
  ULONG action;
  ASSERT_EQ(arm(), STATUS_PENDING);
  HANDLE file = Open(u"\\dir\\before.txt");
  EXPECT_EQ(next(&action), u"before.txt");
  EXPECT_EQ(action, static_cast<ULONG>(FILE_ACTION_ADDED));
  ASSERT_EQ(arm(), STATUS_PENDING);
  EXPECT_EQ(client.Rename(file, u"after.txt"), STATUS_SUCCESS);
  EXPECT_EQ(next(&action), u"before.txt");
  EXPECT_EQ(action, static_cast<ULONG>(FILE_ACTION_RENAMED_OLD_NAME));
  const auto* first = reinterpret_cast<const FILE_NOTIFY_INFORMATION*>(buffer);
  ASSERT_NE(first->NextEntryOffset, 0u);
  const auto* renamed = reinterpret_cast<const FILE_NOTIFY_INFORMATION*>(buffer + first->NextEntryOffset);
  EXPECT_EQ(renamed->Action, static_cast<ULONG>(FILE_ACTION_RENAMED_NEW_NAME));
  // A write is told at cleanup.
  ASSERT_EQ(arm(), STATUS_PENDING);
  ntio::OpenOptions write;
  write.access = kReadWrite;
  auto writer = machine_->Open(u"\\dir\\after.txt", write);
  ASSERT_TRUE(writer.ok());
  std::vector<std::byte> data(10, std::byte{1});
  EXPECT_TRUE(writer->Write(0, data).ok());
  writer->Close();
  EXPECT_EQ(next(&action), u"after.txt");
  EXPECT_EQ(action, static_cast<ULONG>(FILE_ACTION_MODIFIED));
  ASSERT_EQ(arm(), STATUS_PENDING);
  EXPECT_EQ(client.Delete(file), STATUS_SUCCESS);
  client.Close(file);
  EXPECT_EQ(next(&action), u"after.txt");
  EXPECT_EQ(action, static_cast<ULONG>(FILE_ACTION_REMOVED));
  ASSERT_EQ(arm(), STATUS_PENDING);
  EXPECT_EQ(client.Delete(watch), STATUS_SUCCESS);
  NTSTATUS status;
  EXPECT_TRUE(Wait(iosb, &status));
  EXPECT_EQ(status, STATUS_DELETE_PENDING);
  client.Close(watch);
}

TEST_F(FatTest, Rename_ReplacesOnlyWhatMayGo) {
  Start();
  Client& client = *client_;
  client.Close(Open(u"\\sub", FILE_DIRECTORY_FILE | kSynchronous));
  client.Close(Open(u"\\target"));
  HANDLE source = Open(u"\\source");
  EXPECT_EQ(client.Rename(source, u"target"), STATUS_OBJECT_NAME_COLLISION);
  HANDLE target = Open(u"\\target");
  EXPECT_EQ(client.Rename(source, u"target", true), STATUS_ACCESS_DENIED);
  FILE_BASIC_INFORMATION basic{};
  basic.FileAttributes = FILE_ATTRIBUTE_READONLY;
  EXPECT_EQ(client.Set(target, FileBasicInformation, &basic, sizeof basic), STATUS_SUCCESS);
  client.Close(target);
  EXPECT_EQ(client.Rename(source, u"target", true), STATUS_ACCESS_DENIED);
  ASSERT_EQ(client.Open(u"\\target", &target, FILE_WRITE_ATTRIBUTES | FILE_READ_ATTRIBUTES, 7, FILE_OPEN),
            STATUS_SUCCESS);
  basic.FileAttributes = FILE_ATTRIBUTE_NORMAL;
  EXPECT_EQ(client.Set(target, FileBasicInformation, &basic, sizeof basic), STATUS_SUCCESS);
  FILE_BASIC_INFORMATION old{}, now{};
  EXPECT_EQ(client.Query(target, FileBasicInformation, &old), STATUS_SUCCESS);
  client.Close(target);
  EXPECT_EQ(client.Rename(source, u"sub", true), STATUS_ACCESS_DENIED);
  EXPECT_EQ(client.Rename(source, u"target", true), STATUS_SUCCESS);
  EXPECT_EQ(client.Query(source, FileBasicInformation, &now), STATUS_SUCCESS);
  EXPECT_EQ(now.CreationTime.QuadPart, old.CreationTime.QuadPart);
  EXPECT_EQ(client.Rename(source, client.volume + u"\\sub\\moved"), STATUS_SUCCESS);
  // A directory stays while something below it is open.
  HANDLE directory = Open(u"\\sub", FILE_DIRECTORY_FILE | kSynchronous);
  EXPECT_EQ(client.Rename(directory, u"other"), STATUS_ACCESS_DENIED);
  client.Close(source);
  EXPECT_EQ(client.Rename(directory, u"other"), STATUS_SUCCESS);
  client.Close(directory);
  EXPECT_EQ(List(u"\\").size(), 1u);
  EXPECT_EQ(List(u"\\other", u"MOVED").size(), 1u);
  EXPECT_TRUE(List(u"\\other", u"none").empty());
}

TEST_F(FatTest, ByteLocks_RefuseOthers_AndGoWithTheHandle) {
  Start();
  Client& client = *client_;
  HANDLE owner = Open(u"\\file"), other = Open(u"\\file");
  char* data = client.New<char>(100);
  auto* offset = client.New<LARGE_INTEGER>();
  auto* length = client.New<LARGE_INTEGER>();
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  length->QuadPart = 10;
  const auto call = [&](auto&& body) {
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    client.Enter([&] { status = body().value(); });
    return status;
  };
  const auto write = [&](HANDLE handle) {
    return call(
        [&] { return nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr, iosb, data, 20, offset, nullptr); });
  };
  const auto read = [&](HANDLE handle) {
    return call([&] { return nt::io::NtReadFile(handle, nullptr, nullptr, nullptr, iosb, data, 20, offset, nullptr); });
  };
  const auto lock = [&](HANDLE handle) {
    return call(
        [&] { return nt::io::NtLockFile(handle, nullptr, nullptr, nullptr, iosb, offset, length, 0, true, true); });
  };
  EXPECT_EQ(write(owner), STATUS_SUCCESS);
  EXPECT_EQ(read(other), STATUS_SUCCESS);  // both are cached now: fast I/O has to ask
  EXPECT_EQ(lock(owner), STATUS_SUCCESS);
  EXPECT_EQ(lock(other), STATUS_LOCK_NOT_GRANTED);
  EXPECT_EQ(read(other), STATUS_FILE_LOCK_CONFLICT);
  EXPECT_EQ(write(other), STATUS_FILE_LOCK_CONFLICT);
  EXPECT_EQ(write(owner), STATUS_SUCCESS);
  EXPECT_EQ(call([&] { return nt::io::NtUnlockFile(other, iosb, offset, length, 0); }), STATUS_RANGE_NOT_LOCKED);
  EXPECT_EQ(call([&] { return nt::io::NtUnlockFile(owner, iosb, offset, length, 0); }), STATUS_SUCCESS);
  EXPECT_EQ(read(other), STATUS_SUCCESS);
  EXPECT_EQ(lock(owner), STATUS_SUCCESS);
  client.Close(owner);
  EXPECT_EQ(write(other), STATUS_SUCCESS);
  client.Close(other);
}

TEST_F(FatTest, NonCachedWriteOverACache_BothSeeTheSame) {
  Start();
  Client& client = *client_;
  HANDLE cached = Open(u"\\file");
  HANDLE direct = Open(u"\\file", FILE_NO_INTERMEDIATE_BUFFERING | kSynchronous, FILE_READ_DATA | FILE_WRITE_DATA);
  char* memory = client.New<char>(3 * 4096);
  memory = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory) + 4095) & ~uintptr_t{4095});
  auto* offset = client.New<LARGE_INTEGER>();
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  const auto transfer = [&](HANDLE handle, bool write, LONGLONG at, ULONG bytes) {
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    offset->QuadPart = at;
    client.Enter([&] {
      status =
          write ? nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr, iosb, memory, bytes, offset, nullptr).value()
                : nt::io::NtReadFile(handle, nullptr, nullptr, nullptr, iosb, memory, bytes, offset, nullptr).value();
    });
    return status;
  };
  for (int round = 1; round < 20; round++) {
    std::memset(memory, round, 4096);
    ASSERT_EQ(transfer(cached, true, 0, 4000), STATUS_SUCCESS);
    std::memset(memory, 100 + round, 512);
    ASSERT_EQ(transfer(direct, true, 512, 512), STATUS_SUCCESS);
    std::memset(memory, 0, 4096);
    ASSERT_EQ(transfer(cached, false, 0, 4096), STATUS_SUCCESS);
    EXPECT_EQ(iosb->Information, 4000u);
    EXPECT_EQ(memory[511], round);
    EXPECT_EQ(memory[512], 100 + round);
    EXPECT_EQ(memory[1023], 100 + round);
    EXPECT_EQ(memory[3999], round);
    std::memset(memory, 0, 4096);
    ASSERT_EQ(transfer(direct, false, 0, 4096), STATUS_SUCCESS);
    EXPECT_EQ(iosb->Information, 4000u);
    EXPECT_EQ(memory[512], 100 + round);
    EXPECT_EQ(memory[3999], round);
  }
  client.Close(cached);
  client.Close(direct);
}

TEST_F(FatTest, Delete_StatusesAsDocumented) {
  Start();
  Client& client = *client_;
  HANDLE directory = Open(u"\\dir", FILE_DIRECTORY_FILE | kSynchronous);
  HANDLE file = Open(u"\\dir\\file");
  HANDLE none;
  EXPECT_EQ(client.Delete(directory), STATUS_DIRECTORY_NOT_EMPTY);
  FILE_BASIC_INFORMATION read_only{};
  read_only.FileAttributes = FILE_ATTRIBUTE_READONLY;
  EXPECT_EQ(client.Set(file, FileBasicInformation, &read_only, sizeof read_only), STATUS_SUCCESS);
  EXPECT_EQ(client.Delete(file), STATUS_CANNOT_DELETE);
  read_only.FileAttributes = FILE_ATTRIBUTE_NORMAL;
  EXPECT_EQ(client.Set(file, FileBasicInformation, &read_only, sizeof read_only), STATUS_SUCCESS);
  EXPECT_EQ(client.Delete(file), STATUS_SUCCESS);
  EXPECT_EQ(client.Open(u"\\dir\\file", &none, FILE_READ_DATA, 7, FILE_OPEN), STATUS_DELETE_PENDING);
  EXPECT_EQ(client.Open(u"\\dir\\file", &none, FILE_READ_DATA, 7, FILE_CREATE), STATUS_DELETE_PENDING);
  FILE_DISPOSITION_INFORMATION keep{FALSE};
  EXPECT_EQ(client.Set(file, FileDispositionInformation, &keep, sizeof keep), STATUS_SUCCESS);
  HANDLE second = Open(u"\\dir\\file", kSynchronous | FILE_DELETE_ON_CLOSE);
  client.Close(second);
  EXPECT_EQ(client.Open(u"\\dir\\file", &none, FILE_READ_DATA, 7, FILE_OPEN), STATUS_DELETE_PENDING);
  client.Close(file);
  EXPECT_EQ(client.Open(u"\\dir\\file", &none, FILE_READ_DATA, 7, FILE_OPEN), STATUS_OBJECT_NAME_NOT_FOUND);
  std::vector<char> link(sizeof(FILE_LINK_INFORMATION) + 16);
  reinterpret_cast<FILE_LINK_INFORMATION*>(link.data())->FileNameLength = 2;
  reinterpret_cast<FILE_LINK_INFORMATION*>(link.data())->FileName[0] = L'x';
  HANDLE other = Open(u"\\other");
  EXPECT_EQ(client.Set(other, FileLinkInformation, link.data(), link.size()), STATUS_INVALID_DEVICE_REQUEST);
  client.Close(other);
  EXPECT_EQ(client.Delete(directory), STATUS_SUCCESS);
  client.Close(directory);
  EXPECT_EQ(client.Open(u"\\1", &none, FILE_READ_DATA, 7, FILE_OPEN, FILE_OPEN_BY_FILE_ID), STATUS_NOT_IMPLEMENTED);
}

// --- volumes
// -----------------------------------------------------------------------------------------------------------------------

TEST_F(FatTest, VolumeFsctls) {
  Start(16, 16);
  Client& client = *client_;
  HANDLE file = Open(u"\\file");
  FILE_ALLOCATION_INFORMATION allocation{};
  allocation.AllocationSize.QuadPart = 10 * 512;
  ASSERT_EQ(client.Set(file, FileAllocationInformation, &allocation, sizeof allocation), STATUS_SUCCESS);
  HANDLE volume = Open(u"", kSynchronous, FILE_READ_DATA);
  char bpb[0x24];
  EXPECT_EQ(client.FsControl(volume, FSCTL_QUERY_FAT_BPB, nullptr, 0, bpb, sizeof bpb), STATUS_SUCCESS);
  EXPECT_EQ(static_cast<unsigned char>(bpb[0x0C]), 512 / 256);
  EXPECT_EQ(static_cast<unsigned char>(bpb[0x15]), ImageByte(0x15));

  LARGE_INTEGER start{};
  std::vector<char> bitmap(8192);
  ULONG_PTR bytes = 0;
  EXPECT_EQ(client.FsControl(volume, FSCTL_GET_VOLUME_BITMAP, &start, sizeof start, bitmap.data(), 8192, &bytes),
            STATUS_SUCCESS);
  const auto* map = reinterpret_cast<const VOLUME_BITMAP_BUFFER*>(bitmap.data());
  LONGLONG used = 0;
  for (LONGLONG i = 0; i < map->BitmapSize.QuadPart; i++) used += map->Buffer[i / 8] >> (i % 8) & 1;
  EXPECT_EQ(used, 10);
  EXPECT_EQ(bytes, 16 + (static_cast<size_t>(map->BitmapSize.QuadPart) + 7) / 8);
  EXPECT_EQ(client.FsControl(volume, FSCTL_GET_VOLUME_BITMAP, &start, sizeof start, bitmap.data(), 24, &bytes),
            STATUS_BUFFER_OVERFLOW);

  std::vector<char> statistics(64 * 1024);
  EXPECT_EQ(client.FsControl(volume, FSCTL_FILESYSTEM_GET_STATISTICS, nullptr, 0, statistics.data(), 64 * 1024, &bytes),
            STATUS_SUCCESS);
  const auto* common = reinterpret_cast<const FILESYSTEM_STATISTICS*>(statistics.data());
  EXPECT_EQ(common->FileSystemType, FILESYSTEM_STATISTICS_TYPE_FAT);
  ASSERT_GE(common->SizeOfCompleteStructure, sizeof(FILESYSTEM_STATISTICS) + sizeof(FAT_STATISTICS));
  ULONG creates = 0;
  for (size_t at = 0; at < bytes; at += common->SizeOfCompleteStructure)
    creates +=
        reinterpret_cast<const FAT_STATISTICS*>(statistics.data() + at + sizeof(FILESYSTEM_STATISTICS))->CreateHits;
  EXPECT_GE(creates, 2u);

  struct {
    ULONG length;
    WCHAR text[8];
  } name{};
  const auto valid = [&](const char16_t* text) {
    name.length = static_cast<ULONG>(std::char_traits<char16_t>::length(text) * 2);
    std::memcpy(name.text, text, name.length);
    return client.FsControl(volume, FSCTL_IS_PATHNAME_VALID, &name, sizeof name);
  };
  EXPECT_EQ(valid(u"\\a\\b.c"), STATUS_SUCCESS);
  EXPECT_EQ(valid(u"\\a\\b*c"), STATUS_OBJECT_NAME_INVALID);
  EXPECT_EQ(client.FsControl(file, FSCTL_QUERY_RETRIEVAL_POINTERS), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(client.FsControl(volume, FSCTL_LOCK_VOLUME), STATUS_ACCESS_DENIED);
  client.Close(file);
  EXPECT_EQ(client.FsControl(volume, FSCTL_LOCK_VOLUME), STATUS_SUCCESS);
  EXPECT_EQ(client.FsControl(volume, FSCTL_UNLOCK_VOLUME), STATUS_SUCCESS);
  client.Close(volume);
}

TEST_F(FatTest, InvalidateVolumes_TakesTheVolumeAway) {
  Start();
  client_->Close(Open(u"\\file"));
  Stop();  // clean: what is taken away is not written
  Boot();
  Client& client = *client_;
  HANDLE file = Open(u"\\file", kSynchronous, FILE_READ_DATA);
  HANDLE none = nullptr;
  const std::u16string volume = client.volume;
  client.volume.clear();
  HANDLE system = Open(u"\\Fat", kSynchronous, FILE_READ_DATA);
  EXPECT_EQ(client.FsControl(system, FSCTL_INVALIDATE_VOLUMES, &file, sizeof file), STATUS_SUCCESS);
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  auto* data = client.New<char>(512);
  auto* offset = client.New<LARGE_INTEGER>();
  client.Enter([&] {
    EXPECT_EQ(nt::io::NtReadFile(file, nullptr, nullptr, nullptr, iosb, data, 512, offset, nullptr),
              STATUS_VOLUME_DISMOUNTED);
  });
  client.Close(file);
  client.Close(system);
  client.volume = volume;
  EXPECT_EQ(client.Open(u"\\file", &none, FILE_READ_DATA, 7, FILE_OPEN), STATUS_SUCCESS);  // mounted anew
  client.Close(none);
}

}  // namespace
