// What the copy helpers decide before the cache manager is asked: a header, a file object, a device, no cached data.
#include <gtest/gtest.h>

#include <thread>

#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/test_irp.h"
#include "src/machine/test_machine.h"

namespace nt::fsrtl {
namespace {

int g_asked = 0;
BOOLEAN g_answer = FALSE;
BOOLEAN NTIO_MS_ABI CheckIfPossible(PFILE_OBJECT, PLARGE_INTEGER, ULONG, BOOLEAN, ULONG, BOOLEAN, PIO_STATUS_BLOCK,
                                    PDEVICE_OBJECT) {
  g_asked++;
  return g_answer;
}

NTSTATUS NTIO_MS_ABI Entry(PDRIVER_OBJECT, PUNICODE_STRING) { return STATUS_SUCCESS; }

class CopyTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    auto driver = io::CreateBuiltInDriver(u"\\Driver\\CopyTest", Entry);
    ASSERT_TRUE(driver.ok());
    driver_ = driver.value();
    table_.SizeOfFastIoDispatch = sizeof table_;
    table_.FastIoCheckIfPossible = CheckIfPossible;
    driver_->FastIoDispatch = &table_;
    ASSERT_EQ(io::CreateDevice(driver_, 0, nullptr, FILE_DEVICE_DISK_FILE_SYSTEM, 0, false, &device_), STATUS_SUCCESS);
    ex::InitializeResourceLite(&resource_);
    ex::InitializeResourceLite(&paging_resource_);
    header_.Resource = &resource_;
    header_.PagingIoResource = &paging_resource_;
    header_.AllocationSize = Large(4096);
    header_.FileSize = header_.ValidDataLength = Large(1000);
    header_.IsFastIoPossible = FastIoIsPossible;
    file_.Type = IO_TYPE_FILE;
    file_.Size = sizeof file_;
    file_.DeviceObject = device_;
    file_.FsContext = &header_;
    file_.SectionObjectPointer = &section_;
    file_.PrivateCacheMap = this;  // only that it is not null counts before Cc is called
    g_asked = 0;
    g_answer = FALSE;
  }
  void TearDown() override {
    EXPECT_FALSE(ex::IsResourceAcquiredSharedLite(&resource_));
    EXPECT_EQ(ke::CurrentThread()->kernel_apc_disable, 0);
    EXPECT_EQ(ke::CurrentThread()->top_level_irp, nullptr);
    ex::DeleteResourceLite(&resource_);
    ex::DeleteResourceLite(&paging_resource_);
    io::DeleteDevice(device_);
    io::DeleteDriver(driver_);
    TestMachine::TearDown();
  }
  bool Read(LONGLONG offset, ULONG length, bool wait = true) {
    LARGE_INTEGER o = Large(offset);
    io_status_ = {};
    return CopyRead(&file_, &o, length, wait, 0, buffer_, &io_status_, device_);
  }
  bool Write(LONGLONG offset, ULONG length, bool wait = true) {
    LARGE_INTEGER o = Large(offset);
    io_status_ = {};
    return CopyWrite(&file_, &o, length, wait, 0, buffer_, &io_status_, device_);
  }

  DRIVER_OBJECT* driver_ = nullptr;
  DEVICE_OBJECT* device_ = nullptr;
  FAST_IO_DISPATCH table_{};
  FSRTL_ADVANCED_FCB_HEADER header_{};
  ERESOURCE resource_{}, paging_resource_{};
  SECTION_OBJECT_POINTERS section_{};
  FILE_OBJECT file_{};
  IO_STATUS_BLOCK io_status_{};
  char buffer_[64] = {};
};

TEST_F(CopyTest, ZeroLengthRead_IsTrue_EvenUncached) {  // pitfall 6
  file_.PrivateCacheMap = nullptr;
  EXPECT_TRUE(Read(0, 0));
  EXPECT_EQ(io_status_.Status, STATUS_SUCCESS);
}

TEST_F(CopyTest, ZeroLengthWrite_OnWriteThrough_IsFalse) {
  file_.Flags |= FO_WRITE_THROUGH;
  EXPECT_FALSE(Write(0, 0));
}

TEST_F(CopyTest, ReadPastTheEnd_IsTrueWithEndOfFile) {
  EXPECT_TRUE(Read(1000, 10));
  EXPECT_EQ(io_status_.Status, STATUS_END_OF_FILE);
  EXPECT_EQ(io_status_.Information, 0u);
}

TEST_F(CopyTest, Overflow_IsFalse) {
  EXPECT_FALSE(Read(MAXLONGLONG - 5, 10));
  EXPECT_EQ(io_status_.Status, STATUS_INVALID_PARAMETER);
  EXPECT_FALSE(Write(MAXLONGLONG - 5, 10));
}

TEST_F(CopyTest, UncachedOrNotPossible_IsFalse) {
  header_.IsFastIoPossible = FastIoIsNotPossible;
  EXPECT_FALSE(Read(0, 10));
  EXPECT_FALSE(Write(0, 10));
  header_.IsFastIoPossible = FastIoIsPossible;
  file_.PrivateCacheMap = nullptr;
  EXPECT_FALSE(Read(0, 10));
  EXPECT_FALSE(Write(0, 10));
}

TEST_F(CopyTest, Questionable_AsksTheTopOfTheStack) {
  header_.IsFastIoPossible = FastIoIsQuestionable;
  EXPECT_FALSE(Read(0, 10));
  EXPECT_EQ(g_asked, 1);
  EXPECT_FALSE(Write(0, 10));
  EXPECT_EQ(g_asked, 2);
  g_answer = TRUE;
  EXPECT_TRUE(Read(1000, 10)) << "past the end, so the cache is not asked";
}

TEST_F(CopyTest, WritePastTheAllocation_OrFarPastTheValidData_IsFalseAndChangesNothing) {  // pitfall 7
  EXPECT_FALSE(Write(4096 - 9, 10));
  header_.AllocationSize = Large(1 << 20);
  EXPECT_FALSE(Write(1000 + 0x2000, 10));
  EXPECT_EQ(header_.FileSize.QuadPart, 1000);
  EXPECT_EQ(header_.ValidDataLength.QuadPart, 1000);
  EXPECT_EQ(file_.CurrentByteOffset.QuadPart, 0);
  EXPECT_EQ(file_.Flags, 0u);
}

TEST_F(CopyTest, WithoutWait_ABusyResource_IsFalse) {
  std::thread holder;
  KEVENT held, done;
  ke::InitializeEvent(&held, NotificationEvent, false);
  ke::InitializeEvent(&done, NotificationEvent, false);
  holder = std::thread([&] {
    ke::ServiceScope scope(nullptr, KernelMode);
    ke::CriticalRegion region;
    ex::AcquireResourceExclusiveLite(&resource_, true);
    ke::SetEvent(&held);
    ke::WaitFor(&done);
    ex::ReleaseResourceLite(&resource_);
  });
  ke::WaitFor(&held);
  EXPECT_FALSE(Read(0, 10, false));
  EXPECT_FALSE(Write(0, 10, false));
  ke::SetEvent(&done);
  holder.join();
}

}  // namespace
}  // namespace nt::fsrtl
