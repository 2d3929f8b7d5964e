// Oplocks: rows of the break table, acknowledgements, waiting, keys.
#include <gtest/gtest.h>

#include <list>
#include <memory>

#include "src/fsrtl/oplock.h"
#include "src/fsrtl/test_irp.h"
#include "src/machine/test_machine.h"

namespace nt::fsrtl {
namespace {

using Op = OplockOperation;
using Kind = OplockKind;

TEST(OplockTableTest, Rows) {
  enum Answer { kStays, kSilent, kAnswered, kAwaited };
  const struct {
    Op operation;
    Kind held;
    Answer answer;
    Kind to;
  } kRows[] = {
      {Op::kOpen, Kind::kLevel2, kStays, Kind::kNone},          {Op::kOpen, Kind::kLevel1, kAwaited, Kind::kLevel2},
      {Op::kOpen, Kind::kBatch, kAwaited, Kind::kLevel2},       {Op::kOpen, Kind::kFilter, kStays, Kind::kNone},
      {Op::kOpenWriterNotSharingRead, Kind::kFilter, kAwaited, Kind::kNone},
      {Op::kOpen, Kind::kR, kStays, Kind::kNone},               {Op::kOpen, Kind::kRH, kStays, Kind::kNone},
      {Op::kOpen, Kind::kRW, kAwaited, Kind::kR},               {Op::kOpen, Kind::kRWH, kAwaited, Kind::kRH},
      {Op::kSharingViolation, Kind::kRH, kAwaited, Kind::kR},   {Op::kSharingViolation, Kind::kRWH, kAwaited, Kind::kRW},
      {Op::kOpenOverwrite, Kind::kLevel2, kSilent, Kind::kNone}, {Op::kOpenOverwrite, Kind::kLevel1, kAwaited, Kind::kNone},
      {Op::kOpenOverwrite, Kind::kRH, kAnswered, Kind::kNone},  {Op::kOpenOverwrite, Kind::kRWH, kAwaited, Kind::kNone},
      {Op::kOpenReserve, Kind::kFilter, kAwaited, Kind::kNone}, {Op::kOpenOverwrite, Kind::kFilter, kStays, Kind::kNone},
      {Op::kRead, Kind::kLevel1, kAwaited, Kind::kLevel2},      {Op::kRead, Kind::kFilter, kStays, Kind::kNone},
      {Op::kRead, Kind::kRW, kAwaited, Kind::kR},               {Op::kRead, Kind::kRWH, kAwaited, Kind::kRH},
      {Op::kWrite, Kind::kR, kSilent, Kind::kNone},             {Op::kWrite, Kind::kRH, kAnswered, Kind::kNone},
      {Op::kWrite, Kind::kRW, kAwaited, Kind::kNone},           {Op::kWrite, Kind::kFilter, kAwaited, Kind::kNone},
      {Op::kLock, Kind::kFilter, kStays, Kind::kNone},          {Op::kLock, Kind::kRWH, kAnswered, Kind::kNone},
      {Op::kLock, Kind::kBatch, kAwaited, Kind::kNone},         {Op::kRename, Kind::kBatch, kAwaited, Kind::kNone},
      {Op::kRename, Kind::kLevel1, kStays, Kind::kNone},        {Op::kRename, Kind::kRH, kAwaited, Kind::kR},
      {Op::kDelete, Kind::kRWH, kAwaited, Kind::kRW},           {Op::kDelete, Kind::kBatch, kStays, Kind::kNone},
      {Op::kWritableSection, Kind::kRWH, kSilent, Kind::kNone}, {Op::kWritableSection, Kind::kBatch, kStays, Kind::kNone},
  };
  int row_number = 0;
  for (const auto& row : kRows) {
    const OplockBreak got = BreakOf(row.operation, row.held, false);
    EXPECT_EQ(got.breaks, row.answer != kStays) << "row " << row_number;
    if (got.breaks) {
      EXPECT_EQ(got.to, row.to) << "row " << row_number;
      EXPECT_EQ(got.acknowledged, row.answer >= kAnswered) << "row " << row_number;
      EXPECT_EQ(got.waits, row.answer == kAwaited) << "row " << row_number;
    }
    row_number++;
  }
  // Pitfall 24: Level 2 breaks on the owner's own write and lock, RH of the same key does not.
  EXPECT_TRUE(BreakOf(Op::kWrite, Kind::kLevel2, true).breaks);
  EXPECT_TRUE(BreakOf(Op::kLock, Kind::kLevel2, true).breaks);
  EXPECT_FALSE(BreakOf(Op::kWrite, Kind::kRH, true).breaks);
  EXPECT_TRUE(BreakOf(Op::kWritableSection, Kind::kRH, true).breaks);
}

struct Posted {
  int posts = 0, completions = 0;
  NTSTATUS status = STATUS_PENDING;
};
VOID NTIO_MS_ABI Post(PVOID context, PIRP) { static_cast<Posted*>(context)->posts++; }
VOID NTIO_MS_ABI Done(PVOID context, PIRP irp) {
  static_cast<Posted*>(context)->completions++;
  static_cast<Posted*>(context)->status = irp->IoStatus.Status;
}

class OplockTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    InitializeOplock(&oplock_);
  }
  void TearDown() override {
    UninitializeOplock(&oplock_);
    irps_.clear();
    TestMachine::TearDown();
  }
  TestIrp& Irp(UCHAR major, PFILE_OBJECT file) {
    irps_.push_back(std::make_unique<TestIrp>(major, file));
    return *irps_.back();
  }
  TestIrp& Fsctl(PFILE_OBJECT file, ULONG code) {
    TestIrp& irp = Irp(IRP_MJ_FILE_SYSTEM_CONTROL, file);
    irp.location()->MinorFunction = IRP_MN_USER_FS_REQUEST;
    irp.location()->Parameters.FileSystemControl.FsControlCode = code;
    return irp;
  }
  /// FSCTL_REQUEST_OPLOCK; the buffer also takes the output.
  TestIrp& Level(PFILE_OBJECT file, ULONG level, ULONG flags = REQUEST_OPLOCK_INPUT_FLAG_REQUEST) {
    TestIrp& irp = Fsctl(file, FSCTL_REQUEST_OPLOCK);
    buffers_.emplace_back();
    auto* input = reinterpret_cast<REQUEST_OPLOCK_INPUT_BUFFER*>(buffers_.back().bytes);
    *input = {REQUEST_OPLOCK_CURRENT_VERSION, sizeof *input, level, flags};
    irp.get()->AssociatedIrp.SystemBuffer = input;
    irp.location()->Parameters.FileSystemControl.InputBufferLength = sizeof *input;
    irp.location()->Parameters.FileSystemControl.OutputBufferLength = sizeof(REQUEST_OPLOCK_OUTPUT_BUFFER);
    return irp;
  }
  NTSTATUS Send(TestIrp& irp, ULONG open_count) { return OplockFsctrl(&oplock_, irp.get(), open_count); }
  NTSTATUS Check(TestIrp& irp, Posted* posted, ULONG flags = 0) {
    return CheckOplockEx(&oplock_, irp.get(), flags, posted, posted ? Done : nullptr, posted ? Post : nullptr);
  }
  static const REQUEST_OPLOCK_OUTPUT_BUFFER& Output(TestIrp& irp) {
    return *static_cast<REQUEST_OPLOCK_OUTPUT_BUFFER*>(irp.get()->AssociatedIrp.SystemBuffer);
  }

  static constexpr ULONG kR = OPLOCK_LEVEL_CACHE_READ, kH = OPLOCK_LEVEL_CACHE_HANDLE, kW = OPLOCK_LEVEL_CACHE_WRITE;
  struct alignas(16) Buffer {
    char bytes[64] = {};
  };
  OPLOCK oplock_ = nullptr;
  FILE_OBJECT file1_{}, file2_{};
  std::list<std::unique_ptr<TestIrp>> irps_;
  std::list<Buffer> buffers_;
};

TEST_F(OplockTest, Level1_BreaksToLevel2_OnAnothersRead_WhichWaits) {
  TestIrp& request = Fsctl(&file1_, FSCTL_REQUEST_OPLOCK_LEVEL_1);
  EXPECT_EQ(Send(request, 1), STATUS_PENDING);
  EXPECT_TRUE(OplockIsFastIoPossible(&oplock_)) << "exclusive, and no break under way";
  TestIrp& own = Irp(IRP_MJ_READ, &file1_);
  EXPECT_EQ(Check(own, nullptr), STATUS_SUCCESS);

  Posted posted;
  TestIrp& read = Irp(IRP_MJ_READ, &file2_);
  EXPECT_EQ(Check(read, &posted), STATUS_PENDING);
  EXPECT_EQ(posted.posts, 1);
  EXPECT_EQ(posted.completions, 0);
  ASSERT_TRUE(request.completed());
  EXPECT_EQ(request.information(), static_cast<ULONG_PTR>(FILE_OPLOCK_BROKEN_TO_LEVEL_2));
  EXPECT_FALSE(OplockIsFastIoPossible(&oplock_));

  TestIrp& acknowledge = Fsctl(&file1_, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE);
  EXPECT_EQ(Send(acknowledge, 0), STATUS_PENDING) << "it is the Level 2's request now";
  EXPECT_EQ(posted.completions, 1);
  EXPECT_EQ(posted.status, STATUS_SUCCESS);

  TestIrp& write = Irp(IRP_MJ_WRITE, &file1_);
  EXPECT_EQ(Check(write, nullptr), STATUS_SUCCESS) << "Level 2 never waits";
  ASSERT_TRUE(acknowledge.completed()) << "even its own write breaks it";
  EXPECT_EQ(acknowledge.information(), static_cast<ULONG_PTR>(FILE_OPLOCK_BROKEN_TO_NONE));
  EXPECT_FALSE(CurrentOplock(&oplock_));
}

TEST_F(OplockTest, Requests_AreRefused) {
  FILE_OBJECT synchronous{};
  synchronous.Flags = FO_SYNCHRONOUS_IO;
  EXPECT_EQ(Send(Fsctl(&synchronous, FSCTL_REQUEST_OPLOCK_LEVEL_1), 1), STATUS_OPLOCK_NOT_GRANTED);
  EXPECT_EQ(Send(Fsctl(&file1_, FSCTL_REQUEST_BATCH_OPLOCK), 2), STATUS_OPLOCK_NOT_GRANTED) << "other opens";
  EXPECT_EQ(Send(Fsctl(&file1_, FSCTL_REQUEST_OPLOCK_LEVEL_2), 1), STATUS_OPLOCK_NOT_GRANTED) << "byte locks";
  EXPECT_EQ(Send(Fsctl(&file1_, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE), 0), STATUS_INVALID_OPLOCK_PROTOCOL);
  EXPECT_EQ(Send(Level(&file1_, kW), 0), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(Send(Level(&file1_, kR, REQUEST_OPLOCK_INPUT_FLAG_ACK), 0), STATUS_INVALID_OPLOCK_PROTOCOL);
  EXPECT_FALSE(CurrentOplock(&oplock_));
}

TEST_F(OplockTest, Level2_AndRH_DoNotCoexist_R_DoesWithBoth) {
  EXPECT_EQ(Send(Fsctl(&file1_, FSCTL_REQUEST_OPLOCK_LEVEL_2), 0), STATUS_PENDING);
  EXPECT_EQ(Send(Level(&file2_, kR | kH), 0), STATUS_OPLOCK_NOT_GRANTED);
  EXPECT_EQ(Send(Level(&file2_, kR), 0), STATUS_PENDING);
  EXPECT_FALSE(OplockIsFastIoPossible(&oplock_));
}

TEST_F(OplockTest, SameHandle_RequestsHigher_OldRequestEndsAsSwitched) {
  TestIrp& old = Level(&file1_, kR);
  ASSERT_EQ(Send(old, 0), STATUS_PENDING);
  TestIrp& fresh = Level(&file1_, kR | kW | kH);
  EXPECT_EQ(Send(fresh, 1), STATUS_PENDING);
  ASSERT_TRUE(old.completed());
  EXPECT_EQ(old.status(), STATUS_OPLOCK_SWITCHED_TO_NEW_HANDLE);
  EXPECT_TRUE(CurrentOplockH(&oplock_));
}

TEST_F(OplockTest, RWH_BrokenFurther_WhileItAnswers) {
  TestIrp& request = Level(&file1_, kR | kW | kH);
  ASSERT_EQ(Send(request, 1), STATUS_PENDING);
  Posted reader, writer;
  TestIrp& read = Irp(IRP_MJ_READ, &file2_);
  EXPECT_EQ(Check(read, &reader), STATUS_PENDING);
  ASSERT_TRUE(request.completed());
  EXPECT_EQ(request.information(), sizeof(REQUEST_OPLOCK_OUTPUT_BUFFER));
  EXPECT_EQ(Output(request).OriginalOplockLevel, kR | kW | kH);
  EXPECT_EQ(Output(request).NewOplockLevel, kR | kH);
  EXPECT_TRUE(Output(request).Flags & REQUEST_OPLOCK_OUTPUT_FLAG_ACK_REQUIRED);
  TestIrp& write = Irp(IRP_MJ_WRITE, &file2_);
  EXPECT_EQ(Check(write, &writer), STATUS_PENDING);

  TestIrp& too_much = Level(&file1_, kR | kW, REQUEST_OPLOCK_INPUT_FLAG_ACK);
  EXPECT_EQ(Send(too_much, 0), STATUS_INVALID_OPLOCK_PROTOCOL);
  TestIrp& keep = Level(&file1_, kR | kH, REQUEST_OPLOCK_INPUT_FLAG_ACK);
  EXPECT_EQ(Send(keep, 0), STATUS_SUCCESS) << "broken again at once";
  EXPECT_EQ(Output(keep).NewOplockLevel, 0u);
  EXPECT_EQ(reader.completions, 1);
  EXPECT_EQ(writer.completions, 1) << "RH to none is not waited for";
  TestIrp& none = Level(&file1_, 0, REQUEST_OPLOCK_INPUT_FLAG_ACK);
  EXPECT_EQ(Send(none, 0), STATUS_SUCCESS);
  EXPECT_FALSE(CurrentOplock(&oplock_));
}

TEST_F(OplockTest, Cleanup_AcknowledgesImplicitly) {
  TestIrp& request = Fsctl(&file1_, FSCTL_REQUEST_BATCH_OPLOCK);
  ASSERT_EQ(Send(request, 1), STATUS_PENDING);
  EXPECT_TRUE(CurrentBatchOplock(&oplock_));
  Posted posted;
  TestIrp& write = Irp(IRP_MJ_WRITE, &file2_);
  EXPECT_EQ(Check(write, &posted), STATUS_PENDING);
  TestIrp& pending = Fsctl(&file1_, FSCTL_OPBATCH_ACK_CLOSE_PENDING);
  EXPECT_EQ(Send(pending, 0), STATUS_SUCCESS);
  EXPECT_EQ(posted.completions, 0) << "waits for the close";
  TestIrp& cleanup = Irp(IRP_MJ_CLEANUP, &file1_);
  EXPECT_EQ(Check(cleanup, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(posted.completions, 1);
}

TEST_F(OplockTest, CancelledWaiter_AndCancelledRequest) {
  TestIrp& request = Fsctl(&file1_, FSCTL_REQUEST_OPLOCK_LEVEL_1);
  ASSERT_EQ(Send(request, 1), STATUS_PENDING);
  Posted posted;
  TestIrp& read = Irp(IRP_MJ_READ, &file2_);
  ASSERT_EQ(Check(read, &posted), STATUS_PENDING);
  EXPECT_TRUE(io::CancelIrp(read.get()));
  EXPECT_EQ(posted.completions, 1);
  EXPECT_EQ(posted.status, STATUS_CANCELLED);
  TestIrp& acknowledge = Fsctl(&file1_, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE);
  ASSERT_EQ(Send(acknowledge, 0), STATUS_PENDING);
  EXPECT_TRUE(io::CancelIrp(acknowledge.get()));
  EXPECT_EQ(acknowledge.status(), STATUS_CANCELLED);
  EXPECT_FALSE(CurrentOplock(&oplock_));
}

TEST_F(OplockTest, CompleteIfOplocked_DoesNotWait) {
  ASSERT_EQ(Send(Fsctl(&file1_, FSCTL_REQUEST_OPLOCK_LEVEL_1), 1), STATUS_PENDING);
  TestIrp& read = Irp(IRP_MJ_READ, &file2_);
  EXPECT_EQ(Check(read, nullptr, OPLOCK_FLAG_COMPLETE_IF_OPLOCKED), STATUS_OPLOCK_BREAK_IN_PROGRESS);
}

TEST_F(OplockTest, PagingIo_IsNotChecked) {
  ASSERT_EQ(Send(Fsctl(&file1_, FSCTL_REQUEST_OPLOCK_LEVEL_1), 1), STATUS_PENDING);
  TestIrp& read = Irp(IRP_MJ_READ, &file2_);
  read.get()->Flags |= IRP_PAGING_IO;
  EXPECT_EQ(Check(read, nullptr), STATUS_SUCCESS);
}

}  // namespace
}  // namespace nt::fsrtl
