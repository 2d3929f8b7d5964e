// A file system in memory for the tests of cc and mm: a driver whose files serve paging I/O from a byte vector, with counters,
// failures on demand, and completion from another thread on demand.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "src/cc/cc.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/mm/mm.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::toy {

struct File {
  FSRTL_ADVANCED_FCB_HEADER header{};   // first: what FsContext points to
  SECTION_OBJECT_POINTERS pointers{};
  ERESOURCE resource{}, paging{};
  FAST_MUTEX mutex{};
  std::mutex lock;
  std::vector<char> disk;
  std::atomic<uint32_t> reads{0}, writes{0}, closes{0}, flushes{0}, lazy_acquires{0}, ahead_acquires{0};
  std::atomic<uint64_t> bytes_read{0}, bytes_written{0};
  std::atomic<LONGLONG> advanced_to{-1};
  std::atomic<bool> refuse_lazy{false};
  std::atomic<bool> pend{false};        // complete from another thread
  std::atomic<bool> gone_at_close{false};  // `pointers` become what freed memory may hold
  std::function<NTSTATUS(bool write, uint64_t offset, uint32_t bytes)> fault;  // a failing status, or success
  std::function<void(bool write, uint64_t offset)> before;

  explicit File(uint64_t bytes) : disk(bytes) {
    ex::InitializeResourceLite(&resource);
    ex::InitializeResourceLite(&paging);
    ex::InitializeFastMutex(&mutex);
    header.NodeTypeCode = 0x0701;
    header.NodeByteSize = sizeof header;
    header.Resource = &resource;
    header.PagingIoResource = &paging;
    header.FastMutex = &mutex;
    InitializeListHead(&header.FilterContexts);
    SetSizes(bytes);
  }
  ~File() {
    ex::DeleteResourceLite(&paging);
    ex::DeleteResourceLite(&resource);
  }
  void SetSizes(uint64_t bytes) {
    header.FileSize.QuadPart = header.ValidDataLength.QuadPart = static_cast<LONGLONG>(bytes);
    header.AllocationSize.QuadPart = static_cast<LONGLONG>((bytes + 4095) & ~4095ull);
  }
  CC_FILE_SIZES Sizes() {
    CC_FILE_SIZES sizes;
    sizes.AllocationSize = header.AllocationSize;
    sizes.FileSize = header.FileSize;
    sizes.ValidDataLength = header.ValidDataLength;
    return sizes;
  }
};

/// Threads that still complete something: the machine waits for them before it goes.
inline std::atomic<int> g_pended{0};

inline NTSTATUS Transfer(File* file, IRP* irp, IO_STACK_LOCATION* location) {
  const bool write = location->MajorFunction == IRP_MJ_WRITE;
  const auto offset = static_cast<uint64_t>(location->Parameters.Read.ByteOffset.QuadPart);
  const uint32_t bytes = location->Parameters.Read.Length;
  EXPECT_TRUE(irp->Flags & IRP_PAGING_IO);
  EXPECT_TRUE(irp->Flags & IRP_NOCACHE);
  if (file->before) file->before(write, offset);
  if (file->fault)
    if (const NTSTATUS status = file->fault(write, offset, bytes); !NT_SUCCESS(status)) return status;
  auto* memory = static_cast<char*>(mm::GetSystemAddressForMdl(irp->MdlAddress));
  std::lock_guard guard(file->lock);
  if (write) {
    file->writes++;
    if (offset >= file->disk.size()) return STATUS_SUCCESS;  // past the end: nothing, successfully
    const auto count = std::min<uint64_t>(bytes, file->disk.size() - offset);
    std::memcpy(file->disk.data() + offset, memory, count);
    file->bytes_written += count;
    irp->IoStatus.Information = count;
    return STATUS_SUCCESS;
  }
  file->reads++;
  if (offset >= file->disk.size()) return STATUS_END_OF_FILE;
  const auto count = std::min<uint64_t>(bytes, file->disk.size() - offset);
  std::memcpy(memory, file->disk.data() + offset, count);
  file->bytes_read += count;
  irp->IoStatus.Information = count;
  return STATUS_SUCCESS;
}

inline NTSTATUS NTIO_MS_ABI Dispatch(PDEVICE_OBJECT, PIRP irp) {
  IO_STACK_LOCATION* location = irp->Tail.Overlay.CurrentStackLocation;
  auto* file = location->FileObject ? static_cast<File*>(location->FileObject->FsContext) : nullptr;
  irp->IoStatus.Information = 0;
  NTSTATUS status = STATUS_SUCCESS;
  switch (location->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
      if (file->pend.load()) {
        location->Control |= SL_PENDING_RETURNED;
        g_pended++;
        std::thread([=] {
          ke::CallIntoMachine([&] {
            ke::ServiceScope scope(nullptr, KernelMode);
            irp->IoStatus.Status = Transfer(file, irp, location);
            io::CompleteRequest(irp);
          });
          g_pended--;
        }).detach();
        return STATUS_PENDING;
      }
      status = Transfer(file, irp, location);
      break;
    case IRP_MJ_SET_INFORMATION: {
      EXPECT_TRUE(location->Parameters.SetFile.AdvanceOnly);
      const auto* end = static_cast<FILE_END_OF_FILE_INFORMATION*>(irp->AssociatedIrp.SystemBuffer);
      file->advanced_to.store(end->EndOfFile.QuadPart);
      break;
    }
    case IRP_MJ_QUERY_INFORMATION: {
      auto* standard = static_cast<FILE_STANDARD_INFORMATION*>(irp->AssociatedIrp.SystemBuffer);
      *standard = {};
      standard->EndOfFile = file->header.FileSize;
      standard->AllocationSize = file->header.AllocationSize;
      irp->IoStatus.Information = sizeof *standard;
      break;
    }
    case IRP_MJ_FLUSH_BUFFERS:
      file->flushes++;
      break;
    case IRP_MJ_CLOSE:
      if (file) file->closes++;
      if (file && file->gone_at_close) file->pointers.SharedCacheMap = reinterpret_cast<void*>(uintptr_t{16});
      break;
    default:
      break;
  }
  irp->IoStatus.Status = status;
  io::CompleteRequest(irp);
  return status;
}

inline NTSTATUS NTIO_MS_ABI Entry(PDRIVER_OBJECT driver, PUNICODE_STRING) {
  for (auto& major : driver->MajorFunction) major = Dispatch;
  return STATUS_SUCCESS;
}

inline BOOLEAN NTIO_MS_ABI AcquireLazy(PVOID context, BOOLEAN wait) {
  auto* file = static_cast<File*>(context);
  if (file->refuse_lazy.load()) return FALSE;
  if (!ex::AcquireResourceSharedLite(&file->paging, wait)) return FALSE;
  file->lazy_acquires++;
  EXPECT_EQ(io::GetTopLevelIrp(), nullptr);
  io::SetTopLevelIrp(reinterpret_cast<IRP*>(static_cast<ULONG_PTR>(FSRTL_CACHE_TOP_LEVEL_IRP)));
  return TRUE;
}
inline VOID NTIO_MS_ABI ReleaseLazy(PVOID context) {
  io::SetTopLevelIrp(nullptr);
  ex::ReleaseResourceLite(&static_cast<File*>(context)->paging);
}
inline BOOLEAN NTIO_MS_ABI AcquireAhead(PVOID context, BOOLEAN wait) {
  auto* file = static_cast<File*>(context);
  if (!ex::AcquireResourceSharedLite(&file->resource, wait)) return FALSE;
  file->ahead_acquires++;
  return TRUE;
}
inline VOID NTIO_MS_ABI ReleaseAhead(PVOID context) { ex::ReleaseResourceLite(&static_cast<File*>(context)->resource); }
inline CACHE_MANAGER_CALLBACKS g_callbacks = {AcquireLazy, ReleaseLazy, AcquireAhead, ReleaseAhead};

/// A machine without drivers but the toy, the lazy writer off unless asked for.
class Machine : public testing::Test {
 protected:
  void SetUp() override {
    cc_options.start_lazy_writer = false;
    mm_options.cache_bytes = 32 << 20;
    mm_options.writer_interval_ms = 0;
    Configure();
    ASSERT_TRUE(ke::Boot().ok());
    ASSERT_TRUE(ex::Boot().ok());
    ASSERT_TRUE(ob::Boot().ok());
    ASSERT_TRUE(ps::Boot().ok());
    ASSERT_TRUE(ex::StartWorkers().ok());
    scope_ = std::make_unique<ke::ServiceScope>(nullptr, KernelMode);
    ASSERT_TRUE(mm::Boot(mm_options).ok());
    ASSERT_TRUE(cc::Boot(cc_options).ok());
    ASSERT_TRUE(io::Boot().ok());
    ASSERT_TRUE(fsrtl::Boot().ok());
    Result<DRIVER_OBJECT*> made = io::CreateBuiltInDriver(u"\\FileSystem\\Toy", Entry);
    ASSERT_TRUE(made.ok());
    driver = made.value();
    ASSERT_TRUE(io::CreateDevice(driver, 0, nullptr, FILE_DEVICE_DISK_FILE_SYSTEM, 0, false, &device).ok());
    device->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
  }
  void TearDown() override {
    while (g_pended) std::this_thread::yield();
    EXPECT_TRUE(NT_SUCCESS(cc::FlushAll()));
    mm::CloseAllSegments();
    EXPECT_EQ(mm::CurrentMemoryUse().segments, 0u);
    EXPECT_EQ(mm::CurrentMemoryUse().cache_bytes, 0u);
    EXPECT_EQ(mm::CurrentMemoryUse().dirty_bytes, 0u);
    files_.clear();
    io::DeleteDriver(driver, true);
    fsrtl::Shutdown();
    io::Shutdown();
    cc::Shutdown();
    mm::Shutdown();
    ex::StopWorkers();
    scope_.reset();
    ps::Shutdown();
    ob::Shutdown();
    ex::Shutdown();
    ke::Shutdown();
  }
  virtual void Configure() {}

  /// Lives until its file objects are closed, which may be long after the test let go of them.
  File& NewFile(uint64_t bytes) { return *files_.emplace_back(std::make_unique<File>(bytes)); }

  /// Another volume; it goes with the driver.
  DEVICE_OBJECT* NewVolume() {
    DEVICE_OBJECT* volume = nullptr;
    EXPECT_TRUE(io::CreateDevice(driver, 0, nullptr, FILE_DEVICE_DISK_FILE_SYSTEM, 0, false, &volume).ok());
    volume->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
    return volume;
  }
  FILE_OBJECT* Open(File& file, ULONG flags = 0, DEVICE_OBJECT* volume = nullptr) {
    FILE_OBJECT* object = io::CreateStreamFileObjectLite(nullptr, volume ? volume : device);
    object->FsContext = &file;
    object->SectionObjectPointer = &file.pointers;
    object->ReadAccess = object->WriteAccess = TRUE;
    object->Flags |= flags;
    return object;
  }
  FILE_OBJECT* OpenCached(File& file, bool track_valid_data = true, ULONG flags = 0, DEVICE_OBJECT* volume = nullptr) {
    FILE_OBJECT* object = Open(file, flags, volume);
    CC_FILE_SIZES sizes = file.Sizes();
    if (!track_valid_data) sizes.ValidDataLength.QuadPart = MAXLONGLONG;
    cc::InitializeCacheMap(object, &sizes, true, &g_callbacks, &file);
    return object;
  }
  static void Close(FILE_OBJECT* object) {
    cc::UninitializeCacheMap(object, nullptr, nullptr);
    ob::DereferenceObject(object);
  }
  static LARGE_INTEGER At(uint64_t offset) {
    LARGE_INTEGER value;
    value.QuadPart = static_cast<LONGLONG>(offset);
    return value;
  }
  static bool Read(FILE_OBJECT* object, uint64_t offset, uint32_t bytes, char* to, bool wait = true) {
    LARGE_INTEGER at = At(offset);
    IO_STATUS_BLOCK iosb = {};
    if (!cc::CopyRead(object, &at, bytes, wait, to, &iosb)) return false;
    EXPECT_EQ(iosb.Status, STATUS_SUCCESS);
    EXPECT_EQ(iosb.Information, bytes);
    return true;
  }
  static bool Write(FILE_OBJECT* object, uint64_t offset, uint32_t bytes, const char* from, bool wait = true) {
    LARGE_INTEGER at = At(offset);
    return cc::CopyWrite(object, &at, bytes, wait, const_cast<char*>(from));
  }
  static IO_STATUS_BLOCK Flush(File& file) {
    IO_STATUS_BLOCK iosb = {};
    cc::FlushCache(&file.pointers, nullptr, 0, &iosb);
    return iosb;
  }
  template <class F>
  static NTSTATUS Raised(F&& function) {
    try {
      function();
    } catch (const SehException& exception) {
      return exception.code();
    }
    return STATUS_SUCCESS;
  }
  /// Runs `body` on `count` threads of the machine.
  template <class F>
  static void Parallel(int count, F body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++)
      threads.emplace_back([&, i] {
        ke::CallIntoMachine([&] {
          ke::ServiceScope scope(nullptr, KernelMode);
          body(i);
        });
      });
    for (auto& thread : threads) thread.join();
  }

  mm::Options mm_options;
  cc::Options cc_options;
  DRIVER_OBJECT* driver = nullptr;
  DEVICE_OBJECT* device = nullptr;

 private:
  std::vector<std::unique_ptr<File>> files_;
  std::unique_ptr<ke::ServiceScope> scope_;
};

}  // namespace nt::toy
