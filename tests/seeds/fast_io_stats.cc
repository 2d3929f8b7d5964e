// fast_io_stats OUTPUT: one run of a machine in which each of the 27 fast I/O entries is called by the component that
// calls it on Windows; writes its statistics (--stats=json) to OUTPUT and fails when an entry is missing.
//
// The file system is drivers/fat, under one legacy filter; the compressed entries and FastIoQueryOpen, which it does
// not have, are those of the seed file system beside it.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "ntio/machine.h"
#include "ntio/server.h"
#include "src/ke/service.h"
#include "src/mm/mm.h"
#include "src/srv/srv.h"
#include "tests/seeds/seed_entries.h"

namespace {

using namespace nt;

constexpr uint32_t kReadWrite = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE

void Check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "fast_io_stats: %s failed\n", what);
  std::exit(1);
}

template <class F>
void InKernel(F&& body) {
  Check(ke::CallIntoMachine([&] {
          ke::ServiceScope scope(nullptr, KernelMode);
          body();
        }),
        "the machine");
}

std::string MakeImage() {
  char name[] = "/tmp/ntio-stats-XXXXXX";
  const int file = mkstemp(name);
  Check(file >= 0, "the image");
  ::close(file);
  const std::string command = std::string("truncate -s 32M ") + name + " && mkfs.fat -F 16 " + name + " >/dev/null";
  Check(std::system(command.c_str()) == 0, "mkfs.fat");
  return name;
}

/// Entries 11, 12, 15 and 25: a section, a view, a page that it made dirty, the mapped page writer.
void UseView(void* kernel_handle) {
  InKernel([&] {
    void* section = nullptr;
    LARGE_INTEGER size{};
    Check(mm::CreateSection(&section, SECTION_MAP_READ | SECTION_MAP_WRITE, nullptr, &size, PAGE_READWRITE, SEC_COMMIT,
                            kernel_handle, nullptr)
              .ok(),
          "a section");
    void* base = nullptr;
    SIZE_T bytes = 0;
    Check(mm::MapViewInSystemSpace(section, &base, &bytes).ok(), "a view");
    static_cast<char*>(base)[0] = 'v';
    mm::RunMappedPageWriter();
    Check(mm::UnmapViewInSystemSpace(base).ok(), "unmapping");
    ob::DereferenceObject(section);
  });
}

void UseFat(ntio::Machine& machine) {
  ntio::OpenOptions create;
  create.access = kReadWrite;
  create.disposition = 5;  // FILE_OVERWRITE_IF
  std::vector<std::byte> data(20'000, std::byte{'d'});
  {
    auto file = machine.Open(u"\\file", create);
    Check(file.ok() && file->Write(0, data).ok() && file->Write(0, data).ok() && file->Read(0, data).ok(),
          "reads and writes");
    Check(file->Query().ok() && file->Flush().ok(), "queries");
  }
  {
    // A view of a file that nobody caches.
    auto file = ntio::ServerFile::Open(machine, u"\\file", {.access = kReadWrite});
    Check(file.ok(), "open");
    UseView(file->handle());
  }
  create.disposition = 1;
  auto file = ntio::ServerFile::Open(machine, u"\\file", create);
  Check(file.ok() && file->Read(0, data).ok(), "open");
  Check(file->Lock(0, 10, 7, true).ok(), "lock");
  Check(file->Read(100, std::span(data).first(10)).ok(), "a read beside a lock");  // FastIoCheckIfPossible
  InKernel([&] {
    LARGE_INTEGER offset{}, length{};
    length.QuadPart = 10;
    IO_STATUS_BLOCK iosb;
    Check(io::NtUnlockFile(file->handle(), &iosb, &offset, &length, 7).ok(), "unlock");
    char storage[64];
    io::NtDeviceIoControlFile(file->handle(), nullptr, nullptr, nullptr, &iosb, seeds::kControlCode, nullptr, 0,
                              storage,
                              sizeof storage)
        .Ignore();  // fat knows no such code; the filter's entry was asked
    FILE_NETWORK_OPEN_INFORMATION network;
    Check(io::NtQueryInformationFile(file->handle(), &iosb, &network, sizeof network, FileNetworkOpenInformation).ok(),
          "query");
    // FastIoUnlockAll: one of two processes closes its last handle.
    ps::Process* other = nullptr;
    Check(ps::CreateProcess(u"other", nullptr, &other).ok(), "a process");
    void* object = nullptr;
    Check(ob::ReferenceObjectByHandle(file->handle(), 0, IoFileObjectType, KernelMode, &object, nullptr).ok(),
          "the file object");
    {
      ke::ServiceScope scope(other, KernelMode);
      HANDLE handle = nullptr;
      Check(ob::OpenObjectByPointer(object, 0, nullptr, FILE_READ_DATA, IoFileObjectType, KernelMode, &handle).ok(),
            "a handle");
      length.QuadPart = 5;
      Check(io::NtLockFile(handle, nullptr, nullptr, nullptr, &iosb, &offset, &length, 1, true, true).ok(), "lock");
      Check(ob::Close(handle, KernelMode).ok(), "close");
    }
    ob::DereferenceObject(object);
    ps::TerminateProcess(other, STATUS_SUCCESS);
    ob::DereferenceObject(other);
  });
  Check(file->Lock(0, 10, 9, true).ok() && file->UnlockAllByKey(9).ok(), "unlocking by key");
  auto write = file->PrepareMdlWrite(0, 5000);
  Check(write.result().ok() && write.Complete().ok(), "an MDL write");
  auto read = file->MdlRead(0, 5000);
  Check(read.result().ok() && read.Complete().ok(), "an MDL read");
  file->Close();
  Check(machine.Dismount().ok(), "the dismount");  // FastIoDetachDevice
}

void UseSeedVolume() {
  InKernel([&] {
    seeds::SeedVolume volume;
    const HANDLE handle = volume.OpenCached();
    FILE_OBJECT* const file = volume.FileOf(handle);
    alignas(COMPRESSED_DATA_INFO) char space[64] = {};
    auto* const info = reinterpret_cast<COMPRESSED_DATA_INFO*>(space);
    std::string buffer(4096, 'c');
    IO_STATUS_BLOCK iosb;
    srv::Route route;
    Check(srv::WriteCompressed(file, 0, 4096, 0, buffer.data(), info, sizeof space, &iosb, &route).ok() &&
              srv::ReadCompressed(file, 0, 4096, 0, buffer.data(), info, sizeof space, &iosb, &route).ok(),
          "compressed transfers");
    srv::MdlTransfer transfer;
    Check(srv::MdlReadCompressed(file, 0, 4096, 0, info, sizeof space, &transfer).ok() && srv::Complete(&transfer).ok(),
          "a compressed MDL read");
    Check(
        srv::MdlWriteCompressed(file, 0, 4096, 0, info, sizeof space, &transfer).ok() && srv::Complete(&transfer).ok(),
        "a compressed MDL write");
    UNICODE_STRING name = io::test::Name(u"\\Device\\SeedDisk\\file");
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
    FILE_NETWORK_OPEN_INFORMATION network;
    Check(io::NtQueryFullAttributesFile(&attributes, &network).ok(), "a query by path");
    volume.Close(handle);
  });
}

}  // namespace

int main(int count, char** arguments) {
  Check(count == 2, "usage: fast_io_stats OUTPUT");
  const std::string image = MakeImage();
  ntio::Stats stats;
  {
    ntio::Machine machine({.statistics = true});
    const std::string drivers = std::string(NTIO_BUILD_DIR) + "/drivers/";
    Check(machine.booted().ok() && machine.Load(drivers + "legacy_passthrough.sys").ok() &&
              machine.Load(drivers + "fat.sys").ok() && machine.AddDisk(image).ok(),
          "the boot");
    UseFat(machine);
    UseSeedVolume();
    Check(machine.Shutdown().ok(), "the shutdown");
    stats = machine.Statistics();
  }
  std::remove(image.c_str());
  std::ofstream(arguments[1]) << stats.Json() << "\n";
  int missing = 0;
  for (size_t n = 1; n < seeds::kEntries; n++) {
    if (stats.fast_io.count(io::FastIoEntryName(n))) continue;
    std::fprintf(stderr, "fast_io_stats: %s was never called\n", io::FastIoEntryName(n));
    missing++;
  }
  return missing ? 1 : 0;
}
