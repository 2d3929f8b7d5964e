// What the tests of mm share: a machine without cc, cm and se, and a toy file system that keeps its files in memory and serves
// paging requests.
#pragma once

#include "src/mm/mm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "src/base/lock.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/host/host.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ldr/ldr.h"
#include "src/ldr/user_access.h"
#include "src/mm/segment.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::mm {

inline const HANDLE kThisProcess = reinterpret_cast<HANDLE>(static_cast<LONG_PTR>(-1));

// --- the toy file system --------------------------------------------------------------------------------------------------------

/// A file: FCB, content, and what happened to it. FILE_OBJECT.FsContext points to `header`.
struct ToyFile {
  FSRTL_ADVANCED_FCB_HEADER header{};
  SECTION_OBJECT_POINTERS pointers{};
  ERESOURCE resource{};
  Lock lock{LockRank::kHost};
  std::vector<unsigned char> content NT_GUARDED_BY(lock);
  std::atomic<NTSTATUS> read_status{STATUS_SUCCESS}, write_status{STATUS_SUCCESS};
  std::atomic<int> reads{0}, writes{0}, flushes{0}, cleanups{0}, closes{0};
  std::atomic<bool> was_recursive_fault{false}, delayed_reads{false};
  std::atomic<KPROCESSOR_MODE> mode_in_read{KernelMode};

  explicit ToyFile(size_t bytes, unsigned seed = 1) {
    std::mt19937 random(seed);
    LockGuard guard(lock);
    content.resize(bytes);
    for (auto& byte : content) byte = static_cast<unsigned char>(random());
    header.NodeTypeCode = 1;
    header.NodeByteSize = sizeof header;
    header.Resource = &resource;
    header.IsFastIoPossible = FastIoIsPossible;
    SetSizes();
    EXPECT_EQ(ex::InitializeResourceLite(&resource), STATUS_SUCCESS);
  }
  ~ToyFile() {
    // Nothing of the test refers to the file any more, but its pages do until now.
    EXPECT_TRUE(ForceSectionClosed(&pointers, false));
    EXPECT_EQ(ex::DeleteResourceLite(&resource), STATUS_SUCCESS);
  }

  void SetSizes() NT_REQUIRES(lock) {
    const auto size = static_cast<LONGLONG>(content.size());
    header.AllocationSize.QuadPart = (size + 511) & ~511ll;
    header.FileSize.QuadPart = header.ValidDataLength.QuadPart = size;
  }
  size_t size() {
    LockGuard guard(lock);
    return content.size();
  }
  void Resize(size_t bytes) {
    LockGuard guard(lock);
    content.resize(bytes);
    SetSizes();
  }
  unsigned char At(size_t offset) {
    LockGuard guard(lock);
    return content[offset];
  }
  std::vector<unsigned char> Content() {
    LockGuard guard(lock);
    return content;
  }
};

inline ToyFile* FileOf(const IO_STACK_LOCATION* location) {
  return reinterpret_cast<ToyFile*>(location->FileObject->FsContext);
}

inline NTSTATUS Complete(IRP* irp, NTSTATUS status, ULONG_PTR information = 0) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  io::CompleteRequest(irp);
  return status;
}

inline NTSTATUS NTIO_MS_ABI ToyRead(PDEVICE_OBJECT, PIRP irp) {
  const IO_STACK_LOCATION* location = irp->Tail.Overlay.CurrentStackLocation;
  ToyFile* file = FileOf(location);
  EXPECT_TRUE(irp->Flags & IRP_PAGING_IO);
  EXPECT_EQ(location->Parameters.Read.ByteOffset.QuadPart % PAGE_SIZE, 0);
  file->reads++;
  file->mode_in_read = ke::CurrentThread()->previous_mode;
  if (IsRecursiveIoFault()) file->was_recursive_fault = true;
  if (file->delayed_reads) {
    LARGE_INTEGER pause;
    pause.QuadPart = -10'000;
    ke::DelayExecutionThread(KernelMode, false, &pause).Ignore();
  }
  if (!NT_SUCCESS(file->read_status)) return Complete(irp, file->read_status);
  auto* buffer = static_cast<char*>(GetSystemAddressForMdl(irp->MdlAddress));
  const auto offset = static_cast<size_t>(location->Parameters.Read.ByteOffset.QuadPart);
  size_t bytes = location->Parameters.Read.Length;
  {
    LockGuard guard(file->lock);
    if (offset >= file->content.size())
      bytes = 0;
    else
      std::memcpy(buffer, &file->content[offset], bytes = std::min(bytes, file->content.size() - offset));
  }
  return bytes ? Complete(irp, STATUS_SUCCESS, bytes) : Complete(irp, STATUS_END_OF_FILE);
}

inline NTSTATUS NTIO_MS_ABI ToyWrite(PDEVICE_OBJECT, PIRP irp) {
  const IO_STACK_LOCATION* location = irp->Tail.Overlay.CurrentStackLocation;
  ToyFile* file = FileOf(location);
  EXPECT_TRUE(irp->Flags & IRP_PAGING_IO);
  file->writes++;
  if (!NT_SUCCESS(file->write_status)) return Complete(irp, file->write_status);
  const auto* buffer = static_cast<char*>(GetSystemAddressForMdl(irp->MdlAddress));
  const auto offset = static_cast<size_t>(location->Parameters.Write.ByteOffset.QuadPart);
  size_t bytes = location->Parameters.Write.Length;
  {
    LockGuard guard(file->lock);
    // Paging writes never extend a file.
    if (offset < file->content.size())
      std::memcpy(&file->content[offset], buffer, std::min(bytes, file->content.size() - offset));
  }
  return Complete(irp, STATUS_SUCCESS, bytes);
}

inline NTSTATUS NTIO_MS_ABI ToyInformation(PDEVICE_OBJECT, PIRP irp) {
  const IO_STACK_LOCATION* location = irp->Tail.Overlay.CurrentStackLocation;
  ToyFile* file = FileOf(location);
  void* buffer = irp->AssociatedIrp.SystemBuffer;
  if (location->MajorFunction == IRP_MJ_QUERY_INFORMATION) {
    if (location->Parameters.QueryFile.FileInformationClass != FileStandardInformation)
      return Complete(irp, STATUS_INVALID_PARAMETER);
    auto* standard = static_cast<FILE_STANDARD_INFORMATION*>(buffer);
    *standard = {};
    standard->EndOfFile.QuadPart = static_cast<LONGLONG>(file->size());
    standard->AllocationSize = standard->EndOfFile;
    standard->NumberOfLinks = 1;
    return Complete(irp, STATUS_SUCCESS, sizeof *standard);
  }
  if (location->Parameters.SetFile.FileInformationClass != FileEndOfFileInformation)
    return Complete(irp, STATUS_INVALID_PARAMETER);
  LARGE_INTEGER size = static_cast<FILE_END_OF_FILE_INFORMATION*>(buffer)->EndOfFile;
  if (static_cast<size_t>(size.QuadPart) < file->size() && !CanFileBeTruncated(&file->pointers, &size))
    return Complete(irp, STATUS_USER_MAPPED_FILE);
  file->Resize(static_cast<size_t>(size.QuadPart));
  return Complete(irp, STATUS_SUCCESS);
}

inline NTSTATUS NTIO_MS_ABI ToySmall(PDEVICE_OBJECT, PIRP irp) {
  const IO_STACK_LOCATION* location = irp->Tail.Overlay.CurrentStackLocation;
  ToyFile* file = FileOf(location);
  switch (location->MajorFunction) {
    case IRP_MJ_FLUSH_BUFFERS:
      file->flushes++;
      break;
    case IRP_MJ_CLEANUP:
      file->cleanups++;
      break;
    case IRP_MJ_CLOSE:
      if (file) file->closes++;
      break;
    default:
      return Complete(irp, STATUS_INVALID_DEVICE_REQUEST);
  }
  return Complete(irp, STATUS_SUCCESS);
}

inline NTSTATUS NTIO_MS_ABI ToyEntry(PDRIVER_OBJECT driver, PUNICODE_STRING) {
  for (auto& routine : driver->MajorFunction) routine = ToySmall;
  driver->MajorFunction[IRP_MJ_READ] = ToyRead;
  driver->MajorFunction[IRP_MJ_WRITE] = ToyWrite;
  driver->MajorFunction[IRP_MJ_QUERY_INFORMATION] = ToyInformation;
  driver->MajorFunction[IRP_MJ_SET_INFORMATION] = ToyInformation;
  return STATUS_SUCCESS;
}

// --- the machine ------------------------------------------------------------------------------------------------------------------

class MmTest : public ::testing::Test {
 protected:
  virtual Options MemoryOptions() {
    Options options;
    options.cache_bytes = 64 << 20;
    options.writer_interval_ms = 0;  // passes are made by hand
    return options;
  }
  void SetUp() override {
    ldr::Initialize();
    ASSERT_TRUE(ke::Boot().ok());
    ASSERT_TRUE(ex::Boot().ok());
    ASSERT_TRUE(ob::Boot().ok());
    ASSERT_TRUE(ps::Boot().ok());
    ASSERT_TRUE(ex::StartWorkers().ok());
    scope_ = std::make_unique<ke::ServiceScope>(nullptr, KernelMode);
    ASSERT_TRUE(Boot(MemoryOptions()).ok());
    ASSERT_TRUE(io::Boot().ok());
    ASSERT_TRUE(fsrtl::Boot().ok());
    auto driver = io::CreateBuiltInDriver(u"\\FileSystem\\Toy", ToyEntry);
    ASSERT_TRUE(driver.ok());
    ASSERT_TRUE(io::CreateDevice(driver.value(), 0, nullptr, FILE_DEVICE_DISK_FILE_SYSTEM, 0, false, &device_).ok());
    device_->Flags &= ~DO_DEVICE_INITIALIZING;
  }
  void TearDown() override {
    CloseAllSegments();
    io::UnloadAllDrivers();
    fsrtl::Shutdown();
    io::Shutdown();
    Shutdown();
    ex::StopWorkers();
    scope_.reset();
    ps::Shutdown();
    ob::Shutdown();
    ex::Shutdown();
    ke::Shutdown();
  }

  FILE_OBJECT* Open(ToyFile* file) {
    FILE_OBJECT* object = io::CreateStreamFileObjectLite(nullptr, device_);
    object->FsContext = &file->header;
    object->FsContext2 = file;
    object->SectionObjectPointer = &file->pointers;
    return object;
  }
  HANDLE HandleOf(FILE_OBJECT* object, ACCESS_MASK access = FILE_READ_DATA | FILE_WRITE_DATA) {
    HANDLE handle = nullptr;
    EXPECT_EQ(ob::InsertHandle(object, access, OBJ_KERNEL_HANDLE, &handle), STATUS_SUCCESS);
    return handle;
  }
  /// A section over a file, which holds no other reference to it.
  HANDLE SectionOf(FILE_OBJECT* object, ULONG protection, LONGLONG size = 0) {
    const HANDLE file = HandleOf(object);
    LARGE_INTEGER maximum;
    maximum.QuadPart = size;
    HANDLE section = nullptr;
    EXPECT_EQ(mm::NtCreateSection(&section, SECTION_ALL_ACCESS, nullptr, size ? &maximum : nullptr, protection, SEC_COMMIT, file),
              STATUS_SUCCESS);
    EXPECT_EQ(ob::Close(file, KernelMode), STATUS_SUCCESS);
    return section;
  }
  unsigned char* Map(HANDLE section, ULONG protection, LONGLONG offset = 0, SIZE_T bytes = 0) {
    void* base = nullptr;
    LARGE_INTEGER from;
    from.QuadPart = offset;
    EXPECT_EQ(mm::NtMapViewOfSection(section, kThisProcess, &base, 0, 0, &from, &bytes, ViewUnmap, 0, protection), STATUS_SUCCESS);
    return static_cast<unsigned char*>(base);
  }
  void Unmap(void* base) { EXPECT_EQ(mm::NtUnmapViewOfSection(kThisProcess, base), STATUS_SUCCESS); }
  void Flush(void* base, SIZE_T bytes = 0) {
    IO_STATUS_BLOCK iosb;
    EXPECT_EQ(mm::NtFlushVirtualMemory(kThisProcess, &base, &bytes, &iosb), STATUS_SUCCESS);
  }

  std::unique_ptr<ke::ServiceScope> scope_;
  DEVICE_OBJECT* device_ = nullptr;
};

class SmallMemory : public MmTest {
  Options MemoryOptions() override {
    Options options = MmTest::MemoryOptions();
    options.cache_bytes = 2 << 20;  // eight slots
    options.writer_interval_ms = 5;
    return options;
  }
};

template <class F>
NTSTATUS RaisedBy(F&& function) {
  try {
    function();
  } catch (const SehException& exception) {
    return exception.code();
  }
  return STATUS_SUCCESS;
}

/// An MDL in pool, freed at the end.
struct TestMdl {
  TestMdl(void* base, SIZE_T bytes) : mdl(CreateMdl(nullptr, base, bytes)) {}
  ~TestMdl() { ex::FreePool(mdl); }
  MDL* operator->() { return mdl; }
  PFN_NUMBER* frames() { return MmGetMdlPfnArray(mdl); }
  MDL* const mdl;
};

}  // namespace nt::mm
