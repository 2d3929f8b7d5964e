// The services called by host programs: a Windows program, threads, memory of every kind, cancellation, the end of a
// process.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "ntio/ntdll.h"

extern "C" int WindowsProgram(void);

namespace {

class Image {
 public:
  Image() {
    char name[] = "/tmp/ntio-ntdll-XXXXXX";
    const int file = mkstemp(name);
    if (file < 0 || ftruncate(file, 16 << 20) != 0) std::abort();
    ::close(file);
    path_ = name;
    if (std::system(("mkfs.fat -F 16 " + path_ + " >/dev/null").c_str()) != 0) std::abort();
  }
  ~Image() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Ntdll : public testing::Test {
 public:
  void SetUp() override {
    ASSERT_TRUE(machine.booted().ok());
    ASSERT_TRUE(machine.Load(NTIO_BUILD_DIR "/drivers/fat.sys").ok());
    ASSERT_TRUE(machine.AddDisk(image.path()).ok());
  }
  static NTSTATUS Open(HANDLE* handle, const char16_t* path, ULONG disposition = FILE_OPEN,
                       ULONG options = FILE_SYNCHRONOUS_IO_NONALERT,
                       ACCESS_MASK access = FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE) {
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK iosb;
    RtlInitUnicodeString(&name, path);
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
    return NtCreateFile(handle, access, &attributes, &iosb, nullptr, 0, 7, disposition, options, nullptr, 0);
  }
  Image image;
  ntio::Machine machine;
};

TEST_F(Ntdll, WindowsProgramRuns) {
  ntio::Process process(machine);
  ASSERT_TRUE(process.created().ok());
  EXPECT_EQ(process.Run(WindowsProgram), 0) << "the line of windows_program.c";
  EXPECT_EQ(process.Run(WindowsProgram), 0);
}

TEST_F(Ntdll, OutsideOfAProcessNothingRuns) {
  EXPECT_EQ(NtClose(nullptr), STATUS_THREAD_NOT_IN_PROCESS);
  ntio::Process process(machine);
  std::thread([] { EXPECT_EQ(NtClose(nullptr), STATUS_THREAD_NOT_IN_PROCESS); }).join();
  auto attachment = process.Attach();
  EXPECT_EQ(NtClose(nullptr), STATUS_INVALID_HANDLE);
}

// Handles belong to a process; its end closes them.
TEST_F(Ntdll, ProcessesHaveTheirOwnHandles) {
  ntio::Process first(machine);
  HANDLE file = nullptr;
  first.Run([&] {
    EXPECT_EQ(Open(&file, u"\\??\\D:\\a.txt", FILE_OVERWRITE_IF), STATUS_SUCCESS);
    return 0;
  });
  {
    ntio::Process second(machine);
    second.Run([&] {
      EXPECT_EQ(NtClose(file), STATUS_INVALID_HANDLE);
      HANDLE own;
      EXPECT_EQ(Open(&own, u"\\??\\D:\\b.txt", FILE_OVERWRITE_IF), STATUS_SUCCESS);
      return 0;
    });
  }
  first.Run([&] {
    EXPECT_EQ(NtClose(file), STATUS_SUCCESS);
    return 0;
  });
  EXPECT_TRUE(machine.Dismount().ok());  // nothing is open any more
}

// Null, kernel and unmapped memory is refused as on Windows; what is unwritable cannot receive.
TEST_F(Ntdll, BadMemoryIsAnAccessViolation) {
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file;
  ASSERT_EQ(Open(&file, u"\\??\\D:\\a.txt", FILE_OVERWRITE_IF), STATUS_SUCCESS);
  IO_STATUS_BLOCK iosb{};
  LARGE_INTEGER zero{};
  char data[64] = "hello";
  EXPECT_EQ(NtWriteFile(file, nullptr, nullptr, nullptr, &iosb, data, sizeof data, &zero, nullptr), STATUS_SUCCESS);
  char* unmapped = reinterpret_cast<char*>(0x10000000000);
  char* kernel = reinterpret_cast<char*>(0x7a2000000000);
  for (char* bad : {static_cast<char*>(nullptr), unmapped, kernel}) {
    SCOPED_TRACE(static_cast<void*>(bad));
    auto* bad_iosb = reinterpret_cast<IO_STATUS_BLOCK*>(bad);
    auto* bad_offset = reinterpret_cast<LARGE_INTEGER*>(bad);
    EXPECT_EQ(NtReadFile(file, nullptr, nullptr, nullptr, bad_iosb, data, 8, &zero, nullptr), STATUS_ACCESS_VIOLATION);
    if (bad)
      EXPECT_EQ(NtReadFile(file, nullptr, nullptr, nullptr, &iosb, data, 8, bad_offset, nullptr),
                STATUS_ACCESS_VIOLATION);
    EXPECT_EQ(NtReadFile(file, nullptr, nullptr, nullptr, &iosb, bad, 8, &zero, nullptr), STATUS_ACCESS_VIOLATION);
    EXPECT_EQ(NtWriteFile(file, nullptr, nullptr, nullptr, &iosb, bad, 8, &zero, nullptr), STATUS_ACCESS_VIOLATION);
    EXPECT_EQ(NtQueryInformationFile(file, &iosb, bad, sizeof(FILE_BASIC_INFORMATION), FileBasicInformation),
              STATUS_ACCESS_VIOLATION);
    EXPECT_EQ(NtCreateEvent(reinterpret_cast<HANDLE*>(bad), EVENT_ALL_ACCESS, nullptr, NotificationEvent, FALSE),
              STATUS_ACCESS_VIOLATION);
  }
  static const char kConstant[8] = "const";
  EXPECT_EQ(NtReadFile(file, nullptr, nullptr, nullptr, &iosb, const_cast<char*>(kConstant), 8, &zero, nullptr),
            STATUS_ACCESS_VIOLATION);
  EXPECT_STREQ(kConstant, "const");
  EXPECT_EQ(NtWriteFile(file, nullptr, nullptr, nullptr, &iosb, const_cast<char*>(kConstant), 8, &zero, nullptr),
            STATUS_SUCCESS);
  EXPECT_EQ(NtClose(file), STATUS_SUCCESS);
}

// A failed request that never pended leaves the status block as it was (irp-read-write 2).
TEST_F(Ntdll, FailureLeavesTheStatusBlock) {
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE file;
  ASSERT_EQ(Open(&file, u"\\??\\D:\\a.txt", FILE_OVERWRITE_IF), STATUS_SUCCESS);
  IO_STATUS_BLOCK iosb{{0x1234}, 77};
  LARGE_INTEGER negative;
  negative.QuadPart = -5;
  char data[8];
  EXPECT_EQ(NtReadFile(file, nullptr, nullptr, nullptr, &iosb, data, 8, &negative, nullptr), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(iosb.Status, 0x1234);
  EXPECT_EQ(iosb.Information, 77u);
  EXPECT_EQ(NtClose(file), STATUS_SUCCESS);
}

// Requestor memory of the program's own is passed as it is.
TEST_F(Ntdll, VirtualMemoryIsABufferLikeAnyOther) {
  ntio::Process process(machine);
  auto attachment = process.Attach();
  PVOID base = nullptr;
  SIZE_T bytes = 10000;
  ASSERT_EQ(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
            STATUS_SUCCESS);
  EXPECT_GE(bytes, 10000u);
  auto* memory = static_cast<char*>(base);
  auto* iosb = reinterpret_cast<IO_STATUS_BLOCK*>(memory);
  auto* offset = reinterpret_cast<LARGE_INTEGER*>(memory + 64);
  HANDLE file;
  ASSERT_EQ(Open(&file, u"\\??\\D:\\a.txt", FILE_OVERWRITE_IF), STATUS_SUCCESS);
  std::memset(memory + 4096, 'v', 4096);
  offset->QuadPart = 0;
  EXPECT_EQ(NtWriteFile(file, nullptr, nullptr, nullptr, iosb, memory + 4096, 4096, offset, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(iosb->Information, 4096u);
  char host[4096] = {};
  IO_STATUS_BLOCK host_iosb;
  EXPECT_EQ(NtReadFile(file, nullptr, nullptr, nullptr, &host_iosb, host, sizeof host, offset, nullptr),
            STATUS_SUCCESS);
  EXPECT_EQ(std::string(host, sizeof host), std::string(4096, 'v'));
  // A page that went read-only receives nothing.
  ULONG before = 0;
  ASSERT_EQ(NtProtectVirtualMemory(NtCurrentProcess(), &base, &bytes, PAGE_READONLY, &before), STATUS_SUCCESS);
  EXPECT_EQ(NtReadFile(file, nullptr, nullptr, nullptr, &host_iosb, memory + 4096, 16, nullptr, nullptr),
            STATUS_ACCESS_VIOLATION);
  EXPECT_EQ(NtClose(file), STATUS_SUCCESS);
  bytes = 0;
  EXPECT_EQ(NtFreeVirtualMemory(NtCurrentProcess(), &base, &bytes, MEM_RELEASE), STATUS_SUCCESS);
}

// A change notification pends until something changes; cancelled by the program's own status block; waited for with
// others.
TEST_F(Ntdll, NotificationPendsIsToldAndIsCancelled) {
  ntio::Process process(machine);
  auto attachment = process.Attach();
  HANDLE directory, event, other;
  ASSERT_EQ(Open(&directory, u"\\??\\D:\\", FILE_OPEN, FILE_DIRECTORY_FILE, FILE_LIST_DIRECTORY | SYNCHRONIZE),
            STATUS_SUCCESS);
  ASSERT_EQ(NtCreateEvent(&event, EVENT_ALL_ACCESS, nullptr, NotificationEvent, FALSE), STATUS_SUCCESS);
  ASSERT_EQ(NtCreateEvent(&other, EVENT_ALL_ACCESS, nullptr, SynchronizationEvent, FALSE), STATUS_SUCCESS);
  IO_STATUS_BLOCK iosb{{0x1234}, 0}, cancel{};
  alignas(8) char buffer[512] = {};
  ASSERT_EQ(NtNotifyChangeDirectoryFile(directory, event, nullptr, nullptr, &iosb, buffer, sizeof buffer,
                                        FILE_NOTIFY_CHANGE_FILE_NAME, FALSE),
            STATUS_PENDING);
  EXPECT_EQ(iosb.Status, 0x1234);
  std::thread([&] {
    process.Run([] {
      HANDLE file;
      EXPECT_EQ(Open(&file, u"\\??\\D:\\new.txt", FILE_CREATE), STATUS_SUCCESS);
      EXPECT_EQ(NtClose(file), STATUS_SUCCESS);
      return 0;
    });
  }).join();
  HANDLE handles[] = {other, event};
  EXPECT_EQ(NtWaitForMultipleObjects(2, handles, WaitAny, FALSE, nullptr), STATUS_WAIT_1);
  EXPECT_EQ(iosb.Status, STATUS_SUCCESS);
  const auto* change = reinterpret_cast<const FILE_NOTIFY_INFORMATION*>(buffer);
  EXPECT_EQ(change->Action, static_cast<ULONG>(FILE_ACTION_ADDED));
  EXPECT_EQ(std::u16string(change->FileName, change->FileNameLength / 2), u"new.txt");

  ASSERT_EQ(NtNotifyChangeDirectoryFile(directory, event, nullptr, nullptr, &iosb, buffer, sizeof buffer,
                                        FILE_NOTIFY_CHANGE_FILE_NAME, FALSE),
            STATUS_PENDING);
  IO_STATUS_BLOCK unrelated{};
  EXPECT_EQ(NtCancelIoFileEx(directory, &unrelated, &cancel), STATUS_NOT_FOUND);
  EXPECT_EQ(NtCancelIoFileEx(directory, &iosb, &cancel), STATUS_SUCCESS);
  EXPECT_EQ(NtWaitForSingleObject(event, FALSE, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(iosb.Status, STATUS_CANCELLED);
  LARGE_INTEGER now{};
  EXPECT_EQ(NtWaitForMultipleObjects(2, handles, WaitAll, FALSE, &now), STATUS_TIMEOUT);
  EXPECT_EQ(NtSetEvent(other, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(NtWaitForMultipleObjects(2, handles, WaitAll, FALSE, &now), STATUS_SUCCESS);
  HANDLE twice[] = {event, event};
  EXPECT_EQ(NtWaitForMultipleObjects(2, twice, WaitAll, FALSE, &now), STATUS_INVALID_PARAMETER_MIX);
  EXPECT_EQ(NtWaitForMultipleObjects(0, handles, WaitAll, FALSE, &now), STATUS_INVALID_PARAMETER_1);
  EXPECT_EQ(NtWaitForMultipleObjects(65, handles, WaitAll, FALSE, &now), STATUS_INVALID_PARAMETER_1);
  EVENT_BASIC_INFORMATION basic{};
  EXPECT_EQ(NtQueryEvent(event, EventBasicInformation, &basic, sizeof basic, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(basic.EventType, NotificationEvent);
  EXPECT_EQ(basic.EventState, 1);
  for (HANDLE handle : {directory, event, other}) EXPECT_EQ(NtClose(handle), STATUS_SUCCESS);
}

// A request that is under way when its process ends is cancelled; nothing is written to the program afterwards.
TEST_F(Ntdll, ProcessEndsWithARequestUnderWay) {
  IO_STATUS_BLOCK iosb{{0x1234}, 0};
  alignas(8) char buffer[512] = {};
  {
    ntio::Process process(machine);
    std::thread([&] {
      process.Run([&] {
        HANDLE directory;
        EXPECT_EQ(Open(&directory, u"\\??\\D:\\", FILE_OPEN, FILE_DIRECTORY_FILE, FILE_LIST_DIRECTORY | SYNCHRONIZE),
                  STATUS_SUCCESS);
        EXPECT_EQ(NtNotifyChangeDirectoryFile(directory, nullptr, nullptr, nullptr, &iosb, buffer, sizeof buffer,
                                              FILE_NOTIFY_CHANGE_FILE_NAME, FALSE),
                  STATUS_PENDING);
        return 0;
      });
    }).join();
  }
  EXPECT_EQ(iosb.Status, STATUS_CANCELLED);
  EXPECT_TRUE(machine.Dismount().ok());
}

// Threads of one process, each with requests of its own, by event and by APC, against one file.
TEST_F(Ntdll, ThreadsReadAndWrite) {
  ntio::Process process(machine);
  process.Run([] {
    HANDLE file;
    EXPECT_EQ(Open(&file, u"\\??\\D:\\shared.bin", FILE_OVERWRITE_IF), STATUS_SUCCESS);
    std::vector<char> zeros(64 * 1024);
    IO_STATUS_BLOCK iosb;
    EXPECT_EQ(NtWriteFile(file, nullptr, nullptr, nullptr, &iosb, zeros.data(), 64 * 1024, nullptr, nullptr),
              STATUS_SUCCESS);
    EXPECT_EQ(NtClose(file), STATUS_SUCCESS);
    return 0;
  });
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; number++)
    threads.emplace_back([&process, number] {
      auto attachment = process.Attach();
      HANDLE file, event;
      ASSERT_EQ(Open(&file, u"\\??\\D:\\shared.bin", FILE_OPEN, 0, FILE_READ_DATA | FILE_WRITE_DATA), STATUS_SUCCESS);
      ASSERT_EQ(NtCreateEvent(&event, EVENT_ALL_ACCESS, nullptr, SynchronizationEvent, FALSE), STATUS_SUCCESS);
      std::mt19937 random(static_cast<unsigned>(number));
      for (int i = 0; i < 200; i++) {
        LARGE_INTEGER offset;
        offset.QuadPart = number * 16384 + static_cast<LONGLONG>(random() % 15000);
        char out[1000], in[1000];
        for (auto& byte : out) byte = static_cast<char>(random());
        for (const bool write : {true, false}) {
          IO_STATUS_BLOCK iosb{};
          NTSTATUS status = write ? NtWriteFile(file, event, nullptr, nullptr, &iosb, out, sizeof out, &offset, nullptr)
                                  : NtReadFile(file, event, nullptr, nullptr, &iosb, in, sizeof in, &offset, nullptr);
          if (status == STATUS_PENDING) {
            ASSERT_EQ(NtWaitForSingleObject(event, FALSE, nullptr), STATUS_SUCCESS);
            status = iosb.Status;
          } else {
            NtResetEvent(event, nullptr);
          }
          ASSERT_EQ(status, STATUS_SUCCESS);
          ASSERT_EQ(iosb.Information, 1000u);
        }
        ASSERT_EQ(std::memcmp(in, out, sizeof in), 0) << "thread " << number << " operation " << i;
      }
      EXPECT_EQ(NtClose(file), STATUS_SUCCESS);
      EXPECT_EQ(NtClose(event), STATUS_SUCCESS);
    });
  for (auto& thread : threads) thread.join();
}

}  // namespace
