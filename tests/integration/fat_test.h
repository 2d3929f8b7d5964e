// For the tests of drivers/fat through the machine: what a Windows program sees of it. After every test fsck.fat finds
// the image in order.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
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

namespace fat_test {

inline constexpr uint32_t kReadWrite = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE
inline constexpr uint32_t kAll = FILE_ALL_ACCESS;
inline constexpr uint32_t kSynchronous = FILE_SYNCHRONOUS_IO_NONALERT;

inline std::string DriverPath() { return std::string(NTIO_BUILD_DIR) + "/drivers/fat.sys"; }

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
inline bool Wait(const IO_STATUS_BLOCK* iosb, NTSTATUS* status, int seconds = 20) {
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

inline std::u16string Number(int i) {
  std::u16string text;
  for (int digits = 0; digits < 5; digits++, i /= 10) text.insert(text.begin(), static_cast<char16_t>(u'0' + i % 10));
  return text;
}

}  // namespace fat_test
