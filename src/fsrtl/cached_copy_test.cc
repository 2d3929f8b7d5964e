// The copy helpers over the cache manager, with a file system of a few lines: against a model, past the end, failing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "src/cc/cc.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/test_irp.h"
#include "src/ldr/export.h"
#include "src/machine/test_machine.h"
#include "src/mm/mm.h"
#include "src/ob/ob.h"

namespace nt::fsrtl {
namespace {

constexpr LONGLONG kDiskBytes = 1 << 20;
std::vector<char>* g_disk = nullptr;
NTSTATUS g_read_status = STATUS_SUCCESS;

NTSTATUS NTIO_MS_ABI Transfer(PDEVICE_OBJECT, PIRP irp) {
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  NTSTATUS status = location->MajorFunction == IRP_MJ_READ ? g_read_status : STATUS_SUCCESS;
  ULONG_PTR information = 0;
  if (NT_SUCCESS(status) && (location->MajorFunction == IRP_MJ_READ || location->MajorFunction == IRP_MJ_WRITE)) {
    EXPECT_TRUE(irp->Flags & IRP_PAGING_IO);
    auto* const memory = static_cast<char*>(mm::GetSystemAddressForMdl(irp->MdlAddress));
    const auto offset = static_cast<size_t>(location->Parameters.Read.ByteOffset.QuadPart);
    size_t bytes = location->Parameters.Read.Length;
    if (offset + bytes > g_disk->size()) bytes = offset < g_disk->size() ? g_disk->size() - offset : 0;
    if (location->MajorFunction == IRP_MJ_READ)
      memcpy(memory, g_disk->data() + offset, bytes);
    else
      memcpy(g_disk->data() + offset, memory, bytes);
    information = bytes;
  }
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  io::CompleteRequest(irp);
  return status;
}

NTSTATUS NTIO_MS_ABI Entry(PDRIVER_OBJECT driver, PUNICODE_STRING) {
  for (auto& routine : driver->MajorFunction) routine = Transfer;
  return STATUS_SUCCESS;
}

BOOLEAN NTIO_MS_ABI Acquire(PVOID, BOOLEAN) { return TRUE; }
VOID NTIO_MS_ABI Release(PVOID) {}
CACHE_MANAGER_CALLBACKS g_callbacks = {Acquire, Release, Acquire, Release};

class CachedCopyTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    disk_.assign(kDiskBytes, 0);
    g_disk = &disk_;
    g_read_status = STATUS_SUCCESS;
    auto driver = io::CreateBuiltInDriver(u"\\FileSystem\\CachedCopyTest", Entry);
    ASSERT_TRUE(driver.ok());
    ASSERT_EQ(io::CreateDevice(driver.value(), 0, nullptr, FILE_DEVICE_DISK_FILE_SYSTEM, 0, false, &device_),
              STATUS_SUCCESS);
    device_->Flags &= ~DO_DEVICE_INITIALIZING;
    ex::InitializeResourceLite(&resource_);
    ex::InitializeResourceLite(&paging_resource_);
    header_.Resource = &resource_;
    header_.PagingIoResource = &paging_resource_;
    header_.IsFastIoPossible = FastIoIsPossible;
  }
  void Open(LONGLONG allocation, LONGLONG size) {
    header_.AllocationSize = Large(allocation);
    header_.FileSize = header_.ValidDataLength = Large(size);
    file_ = io::CreateStreamFileObjectLite(nullptr, device_);
    file_->FsContext = &header_;
    file_->SectionObjectPointer = &section_;
    cc::InitializeCacheMap(file_, reinterpret_cast<CC_FILE_SIZES*>(&header_.AllocationSize), false, &g_callbacks,
                           nullptr);
  }
  void TearDown() override {
    if (file_) {
      cc::FlushCache(&section_, nullptr, 0, nullptr);
      cc::UninitializeCacheMap(file_, nullptr, nullptr);
      ob::DereferenceObject(file_);
    }
    cc::FlushAll();
    mm::ForceSectionClosed(&section_, false);
    EXPECT_EQ(ke::CurrentThread()->kernel_apc_disable, 0);
    EXPECT_EQ(ke::CurrentThread()->top_level_irp, nullptr);
    EXPECT_EQ(ex::IsResourceAcquiredSharedLite(&resource_), 0u);
    TestMachine::TearDown();
  }
  bool Read(LONGLONG offset, void* buffer, ULONG length, bool wait = true) {
    LARGE_INTEGER o = Large(offset);
    return CopyRead(file_, &o, length, wait, 0, buffer, &io_status_, device_);
  }
  bool Write(LONGLONG offset, const void* buffer, ULONG length, bool wait = true) {
    LARGE_INTEGER o = Large(offset);
    return CopyWrite(file_, &o, length, wait, 0, const_cast<void*>(buffer), &io_status_, device_);
  }

  std::vector<char> disk_;
  DEVICE_OBJECT* device_ = nullptr;
  FSRTL_ADVANCED_FCB_HEADER header_{};
  ERESOURCE resource_{}, paging_resource_{};
  SECTION_OBJECT_POINTERS section_{};
  FILE_OBJECT* file_ = nullptr;
  IO_STATUS_BLOCK io_status_{};
};

TEST_F(CachedCopyTest, Read_IsCutAtTheEnd_AndMovesThePosition) {
  disk_[998] = 'x';
  disk_[999] = 'y';
  Open(4096, 1000);
  char buffer[100];
  ASSERT_TRUE(Read(998, buffer, sizeof buffer));
  EXPECT_EQ(io_status_.Status, STATUS_SUCCESS);
  EXPECT_EQ(io_status_.Information, 2u);
  EXPECT_EQ(std::string(buffer, 2), "xy");
  EXPECT_EQ(file_->CurrentByteOffset.QuadPart, 1000);
  EXPECT_TRUE(file_->Flags & FO_FILE_FAST_IO_READ);
}

TEST_F(CachedCopyTest, Write_ExtendsWithinTheAllocation) {
  Open(8192, 100);
  ASSERT_TRUE(Write(90, "0123456789abcdefghij", 20));
  EXPECT_EQ(io_status_.Information, 20u);
  EXPECT_EQ(header_.FileSize.QuadPart, 110);
  EXPECT_EQ(header_.ValidDataLength.QuadPart, 110);
  EXPECT_EQ(header_.AllocationSize.QuadPart, 8192);
  EXPECT_EQ(file_->CurrentByteOffset.QuadPart, 110);
  EXPECT_EQ(CcGetFileSizePointer(file_)->QuadPart, 110);
  EXPECT_EQ(file_->Flags & (FO_FILE_MODIFIED | FO_FILE_SIZE_CHANGED),
            static_cast<ULONG>(FO_FILE_MODIFIED | FO_FILE_SIZE_CHANGED));
  LARGE_INTEGER end;
  end.QuadPart = -1;  // FILE_WRITE_TO_END_OF_FILE in both halves
  ASSERT_TRUE(CopyWrite(file_, &end, 3, true, 0, const_cast<char*>("END"), &io_status_, device_));
  EXPECT_EQ(header_.FileSize.QuadPart, 113);
  char buffer[23];
  ASSERT_TRUE(Read(90, buffer, sizeof buffer));
  EXPECT_EQ(std::string(buffer, sizeof buffer), "0123456789abcdefghijEND");
}

TEST_F(CachedCopyTest, SmallHole_ReadsAsZero) {
  disk_.assign(kDiskBytes, 'g');  // what lies on the disk past the valid data must not show
  Open(16384, 100);
  ASSERT_TRUE(Write(3000, "z", 1));
  EXPECT_EQ(header_.FileSize.QuadPart, 3001);
  std::vector<char> buffer(2901);
  ASSERT_TRUE(Read(100, buffer.data(), 2901));
  EXPECT_EQ(std::count(buffer.begin(), buffer.end() - 1, 0), 2900);
  EXPECT_EQ(buffer.back(), 'z');
}

TEST_F(CachedCopyTest, FailingRead_IsFalse_AndWriteThatNeedsIt_RestoresTheSizes) {
  Open(3 * 4096, 2 * 4096 - 10);
  g_read_status = STATUS_DEVICE_DATA_ERROR;
  char buffer[20] = {};
  EXPECT_FALSE(Read(0, buffer, sizeof buffer));
  EXPECT_FALSE(Write(2 * 4096 - 20, buffer, 20)) << "the page has to be read first";
  EXPECT_EQ(header_.FileSize.QuadPart, 2 * 4096 - 10);
  EXPECT_EQ(CcGetFileSizePointer(file_)->QuadPart, 2 * 4096 - 10);
  EXPECT_EQ(file_->Flags & (FO_FILE_MODIFIED | FO_FILE_SIZE_CHANGED), 0u);
  EXPECT_EQ(file_->CurrentByteOffset.QuadPart, 0);
  g_read_status = STATUS_SUCCESS;
}

TEST_F(CachedCopyTest, WithoutWait_AMiss_IsFalse_ThenAHit_IsTrue) {
  Open(65536, 65536);
  char buffer[16];
  EXPECT_FALSE(Read(0, buffer, sizeof buffer, false));
  ASSERT_TRUE(Read(0, buffer, sizeof buffer, true));
  EXPECT_TRUE(Read(0, buffer, sizeof buffer, false));
}

TEST_F(CachedCopyTest, MdlRead_DescribesTheCachedBytes) {
  for (size_t i = 0; i < 5000; i++) disk_[i] = static_cast<char>(i * 7);
  Open(8192, 5000);
  LARGE_INTEGER offset = Large(1000);
  PMDL chain = nullptr;
  ASSERT_TRUE(MdlRead(file_, &offset, 6000, 0, &chain, &io_status_));
  EXPECT_EQ(io_status_.Information, 4000u);
  size_t at = 1000;
  for (PMDL mdl = chain; mdl; mdl = mdl->Next) {
    const auto* memory = static_cast<const char*>(mm::GetSystemAddressForMdl(mdl));
    ASSERT_EQ(memcmp(memory, &disk_[at], MmGetMdlByteCount(mdl)), 0);
    at += MmGetMdlByteCount(mdl);
  }
  EXPECT_EQ(at, 5000u);
  EXPECT_EQ(file_->CurrentByteOffset.QuadPart, 0) << "MDL transfers do not move it";
  EXPECT_TRUE(MdlReadComplete(file_, chain));
}

TEST_F(CachedCopyTest, RandomCopies_AgreeWithAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Open(kDiskBytes, 0);
  std::vector<char> model;
  std::vector<char> buffer;
  for (int step = 0; step < 3000; step++) {
    const auto length = static_cast<ULONG>(1 + random() % 9000);
    const auto limit = static_cast<LONGLONG>(model.size()) + 3000;
    const auto offset = static_cast<LONGLONG>(random() % static_cast<uint64_t>(std::min(limit, kDiskBytes)));
    buffer.assign(length, 0);
    if (random() % 2) {
      for (char& byte : buffer) byte = static_cast<char>(random());
      const LONGLONG end = offset + length;
      ASSERT_EQ(Write(offset, buffer.data(), length), end <= kDiskBytes) << "step " << step;
      if (end > kDiskBytes) continue;
      if (static_cast<size_t>(end) > model.size()) model.resize(static_cast<size_t>(end), 0);
      std::copy(buffer.begin(), buffer.end(), model.begin() + offset);
      ASSERT_EQ(header_.FileSize.QuadPart, static_cast<LONGLONG>(model.size()));
    } else {
      ASSERT_TRUE(Read(offset, buffer.data(), length)) << "step " << step;
      if (offset >= static_cast<LONGLONG>(model.size())) {
        ASSERT_EQ(io_status_.Status, STATUS_END_OF_FILE);
        continue;
      }
      const size_t expected = std::min<size_t>(length, model.size() - static_cast<size_t>(offset));
      ASSERT_EQ(io_status_.Information, expected);
      ASSERT_EQ(memcmp(buffer.data(), model.data() + offset, expected), 0) << "step " << step << " at " << offset;
    }
  }
}

}  // namespace
}  // namespace nt::fsrtl
