// Byte-range locks: who conflicts with whom, waiting, cancelling, unlocking.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/test_irp.h"
#include "src/machine/test_machine.h"

namespace nt::fsrtl {
namespace {

enum class Kind { kShared, kExclusive };

class FileLockTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    InitializeFileLock(&lock_, nullptr, nullptr);
    process_ = ps::GetCurrentProcess();
  }
  void TearDown() override {
    UninitializeFileLock(&lock_);
    TestMachine::TearDown();
  }
  NTSTATUS Lock(PFILE_OBJECT file, LONGLONG offset, LONGLONG length, Kind kind, ULONG key = 0) {
    IO_STATUS_BLOCK io_status{};
    LARGE_INTEGER o = Large(offset), l = Large(length);
    const bool final = PrivateLock(&lock_, file, &o, &l, process_, key, true, kind == Kind::kExclusive, &io_status,
                                   nullptr, nullptr, false);
    return final ? io_status.Status : STATUS_PENDING;
  }
  NTSTATUS Unlock(PFILE_OBJECT file, LONGLONG offset, LONGLONG length, ULONG key = 0) {
    LARGE_INTEGER o = Large(offset), l = Large(length);
    return FastUnlockSingle(&lock_, file, &o, &l, process_, key, nullptr, false);
  }
  bool MayRead(PFILE_OBJECT file, LONGLONG offset, LONGLONG length, ULONG key = 0) {
    LARGE_INTEGER o = Large(offset), l = Large(length);
    return FastCheckLockForRead(&lock_, &o, &l, key, file, process_);
  }
  bool MayWrite(PFILE_OBJECT file, LONGLONG offset, LONGLONG length, ULONG key = 0) {
    LARGE_INTEGER o = Large(offset), l = Large(length);
    return FastCheckLockForWrite(&lock_, &o, &l, key, file, process_);
  }
  std::unique_ptr<TestIrp> LockIrp(PFILE_OBJECT file, LONGLONG offset, LONGLONG length, Kind kind) {
    auto irp = std::make_unique<TestIrp>(IRP_MJ_LOCK_CONTROL, file, IRP_MN_LOCK);
    lengths_.push_back(std::make_unique<LARGE_INTEGER>(Large(length)));
    auto* const location = irp->location();
    location->Flags = kind == Kind::kExclusive ? SL_EXCLUSIVE_LOCK : 0;
    location->Parameters.LockControl.ByteOffset = Large(offset);
    location->Parameters.LockControl.Length = lengths_.back().get();
    return irp;
  }

  FILE_LOCK lock_{};
  PEPROCESS process_ = nullptr;
  FILE_OBJECT file1_{}, file2_{};
  std::vector<std::unique_ptr<LARGE_INTEGER>> lengths_;
};

TEST_F(FileLockTest, Exclusive_KeepsOthersOut_NotItsOwner) {
  EXPECT_EQ(Lock(&file1_, 100, 50, Kind::kExclusive, 7), STATUS_SUCCESS);
  EXPECT_TRUE(MayRead(&file1_, 100, 50, 7));
  EXPECT_TRUE(MayWrite(&file1_, 100, 50, 7));
  EXPECT_FALSE(MayRead(&file1_, 149, 1, 8)) << "another key is another owner";
  EXPECT_FALSE(MayWrite(&file2_, 90, 11, 7));
  EXPECT_TRUE(MayRead(&file2_, 90, 10));
  EXPECT_TRUE(MayRead(&file2_, 150, 10));
  EXPECT_TRUE(MayRead(&file2_, 120, 0)) << "no bytes, no conflict";
  EXPECT_EQ(Lock(&file2_, 149, 1, Kind::kShared), STATUS_LOCK_NOT_GRANTED);
  EXPECT_EQ(Lock(&file1_, 149, 1, Kind::kExclusive, 7), STATUS_LOCK_NOT_GRANTED) << "even its own";
  EXPECT_EQ(Lock(&file1_, 120, 10, Kind::kShared, 7), STATUS_SUCCESS) << "shared over one's own exclusive lock";
}

TEST_F(FileLockTest, Shared_Coexists_AndBlocksEveryWriter) {
  EXPECT_EQ(Lock(&file1_, 0, 10, Kind::kShared), STATUS_SUCCESS);
  EXPECT_EQ(Lock(&file2_, 5, 10, Kind::kShared), STATUS_SUCCESS);
  EXPECT_TRUE(MayRead(&file2_, 0, 100));
  EXPECT_FALSE(MayWrite(&file1_, 0, 1)) << "the owner too";
  EXPECT_FALSE(MayWrite(&file2_, 14, 1));
  EXPECT_TRUE(MayWrite(&file2_, 15, 1));
  EXPECT_EQ(Lock(&file1_, 14, 5, Kind::kExclusive), STATUS_LOCK_NOT_GRANTED);
}

TEST_F(FileLockTest, Ranges_OfNoBytes_AndWrapping) {
  EXPECT_EQ(Lock(&file1_, 0, 0, Kind::kExclusive), STATUS_SUCCESS);
  EXPECT_EQ(Lock(&file2_, 0, 10, Kind::kExclusive), STATUS_SUCCESS) << "{0, 0} touches nothing";
  EXPECT_EQ(Lock(&file1_, 5, 0, Kind::kExclusive), STATUS_LOCK_NOT_GRANTED) << "inside another's bytes";
  EXPECT_EQ(Lock(&file1_, 10, 0, Kind::kExclusive), STATUS_SUCCESS) << "at their end";
  EXPECT_EQ(Lock(&file1_, -10, 20, Kind::kShared), STATUS_INVALID_LOCK_RANGE);
  EXPECT_EQ(Lock(&file1_, -10, 10, Kind::kShared), STATUS_SUCCESS) << "up to the last byte there can be";
  EXPECT_EQ(Unlock(&file1_, -10, 20), STATUS_INVALID_LOCK_RANGE);
}

TEST_F(FileLockTest, Unlock_NeedsTheExactRangeAndOwner_ExclusiveFirst) {
  ASSERT_EQ(Lock(&file1_, 0, 10, Kind::kExclusive, 1), STATUS_SUCCESS);
  ASSERT_EQ(Lock(&file1_, 0, 10, Kind::kShared, 1), STATUS_SUCCESS);
  EXPECT_EQ(Unlock(&file1_, 0, 9, 1), STATUS_RANGE_NOT_LOCKED);
  EXPECT_EQ(Unlock(&file1_, 0, 10, 2), STATUS_RANGE_NOT_LOCKED);
  EXPECT_EQ(Unlock(&file2_, 0, 10, 1), STATUS_RANGE_NOT_LOCKED);
  EXPECT_EQ(Unlock(&file1_, 0, 10, 1), STATUS_SUCCESS);
  EXPECT_TRUE(MayRead(&file2_, 0, 10)) << "the exclusive one went";
  EXPECT_FALSE(MayWrite(&file2_, 0, 10));
  EXPECT_EQ(Unlock(&file1_, 0, 10, 1), STATUS_SUCCESS);
  EXPECT_EQ(Unlock(&file1_, 0, 10, 1), STATUS_RANGE_NOT_LOCKED);
}

TEST_F(FileLockTest, CurrentLocks_StaysTrue_CurrentOrInProgress_DoesNot) {  // pitfall 25
  EXPECT_FALSE(AreThereCurrentFileLocks(&lock_));
  ASSERT_EQ(Lock(&file1_, 0, 1, Kind::kShared), STATUS_SUCCESS);
  EXPECT_TRUE(AreThereCurrentOrInProgressFileLocks(&lock_));
  ASSERT_EQ(Unlock(&file1_, 0, 1), STATUS_SUCCESS);
  EXPECT_TRUE(AreThereCurrentFileLocks(&lock_));
  EXPECT_FALSE(AreThereCurrentOrInProgressFileLocks(&lock_));
}

TEST_F(FileLockTest, FastLock_ThatWouldWait_IsFalseAndLeavesNothing) {
  ASSERT_EQ(Lock(&file1_, 0, 10, Kind::kExclusive), STATUS_SUCCESS);
  IO_STATUS_BLOCK io_status{};
  LARGE_INTEGER o = Large(0), l = Large(10);
  EXPECT_FALSE(FastLock(&lock_, &file2_, &o, &l, process_, 0, false, true, &io_status, nullptr, false));
  ASSERT_EQ(Unlock(&file1_, 0, 10), STATUS_SUCCESS);
  EXPECT_TRUE(MayWrite(&file1_, 0, 10));
  EXPECT_FALSE(AreThereWaitingFileLocks(&lock_));
}

TEST_F(FileLockTest, WaitingIrps_AreGrantedInOrder) {
  ASSERT_EQ(Lock(&file1_, 0, 10, Kind::kExclusive), STATUS_SUCCESS);
  auto first = LockIrp(&file2_, 0, 5, Kind::kExclusive);
  auto second = LockIrp(&file2_, 0, 10, Kind::kExclusive);
  auto third = LockIrp(&file2_, 5, 5, Kind::kExclusive);
  for (TestIrp* irp : {first.get(), second.get(), third.get()})
    EXPECT_EQ(ProcessFileLock(&lock_, irp->get(), nullptr), STATUS_PENDING);
  EXPECT_TRUE(AreThereWaitingFileLocks(&lock_));
  EXPECT_EQ(Unlock(&file1_, 0, 10), STATUS_SUCCESS);
  EXPECT_TRUE(first->completed());
  EXPECT_FALSE(second->completed());
  EXPECT_TRUE(third->completed());
  EXPECT_EQ(first->status(), STATUS_SUCCESS);
  EXPECT_EQ(FastUnlockAll(&lock_, &file2_, process_, nullptr), STATUS_SUCCESS);
  EXPECT_TRUE(second->completed());
  EXPECT_EQ(second->status(), STATUS_RANGE_NOT_LOCKED) << "a waiter of the handle that unlocks all";
}

TEST_F(FileLockTest, WaitingIrp_IsCancelled) {
  ASSERT_EQ(Lock(&file1_, 0, 10, Kind::kExclusive), STATUS_SUCCESS);
  auto irp = LockIrp(&file2_, 0, 5, Kind::kShared);
  ASSERT_EQ(ProcessFileLock(&lock_, irp->get(), nullptr), STATUS_PENDING);
  EXPECT_TRUE(io::CancelIrp(irp->get()));
  EXPECT_TRUE(irp->completed());
  EXPECT_EQ(irp->status(), STATUS_CANCELLED);
  EXPECT_FALSE(AreThereWaitingFileLocks(&lock_));
}

TEST_F(FileLockTest, FailImmediately_CompletesTheIrp) {
  ASSERT_EQ(Lock(&file1_, 0, 10, Kind::kExclusive), STATUS_SUCCESS);
  auto irp = LockIrp(&file2_, 0, 5, Kind::kShared);
  irp->location()->Flags |= SL_FAIL_IMMEDIATELY;
  EXPECT_EQ(ProcessFileLock(&lock_, irp->get(), nullptr), STATUS_LOCK_NOT_GRANTED);
  EXPECT_TRUE(irp->completed());
  EXPECT_EQ(irp->status(), STATUS_LOCK_NOT_GRANTED);
}

NTSTATUS NTIO_MS_ABI RefuseLock(PVOID, PIRP irp) {
  const NTSTATUS status = NT_SUCCESS(irp->IoStatus.Status) ? STATUS_INSUFFICIENT_RESOURCES : irp->IoStatus.Status;
  irp->IoStatus.Status = status;
  io::CompleteRequest(irp);
  return status;
}

TEST_F(FileLockTest, FailingCompletionRoutine_TakesTheLockBack) {
  InitializeFileLock(&lock_, RefuseLock, nullptr);
  auto irp = LockIrp(&file1_, 0, 5, Kind::kExclusive);
  EXPECT_EQ(ProcessFileLock(&lock_, irp->get(), nullptr), STATUS_INSUFFICIENT_RESOURCES);
  EXPECT_TRUE(MayRead(&file2_, 0, 5));
}

int g_unlocked = 0;
VOID NTIO_MS_ABI CountUnlock(PVOID context, PFILE_LOCK_INFO info) {
  EXPECT_EQ(context, &g_unlocked);
  EXPECT_EQ(info->Length.QuadPart, 10);
  g_unlocked++;
}

TEST_F(FileLockTest, UnlockRoutine_RunsForEachLock_AndEnumerationSeesThem) {
  g_unlocked = 0;
  InitializeFileLock(&lock_, nullptr, CountUnlock);
  for (LONGLONG i = 0; i < 4; i++) ASSERT_EQ(Lock(&file1_, i * 10, 10, Kind::kShared, i % 2), STATUS_SUCCESS);
  int seen = 0;
  for (auto* info = GetNextFileLock(&lock_, true); info; info = GetNextFileLock(&lock_, false)) {
    EXPECT_EQ(info->StartingByte.QuadPart, seen * 10);
    seen++;
  }
  EXPECT_EQ(seen, 4);
  EXPECT_EQ(FastUnlockAllByKey(&lock_, &file1_, process_, 1, &g_unlocked), STATUS_SUCCESS);
  EXPECT_EQ(g_unlocked, 2);
  EXPECT_EQ(FastUnlockAll(&lock_, &file1_, process_, &g_unlocked), STATUS_SUCCESS);
  EXPECT_EQ(g_unlocked, 4);
}

TEST_F(FileLockTest, Uninitialize_EndsWaiters) {
  ASSERT_EQ(Lock(&file1_, 0, 10, Kind::kExclusive), STATUS_SUCCESS);
  auto irp = LockIrp(&file2_, 0, 5, Kind::kShared);
  ASSERT_EQ(ProcessFileLock(&lock_, irp->get(), nullptr), STATUS_PENDING);
  UninitializeFileLock(&lock_);
  EXPECT_TRUE(irp->completed());
}

TEST_F(FileLockTest, RandomLocks_AgreeWithAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  struct Held {
    PFILE_OBJECT file;
    LONGLONG offset, length;
    ULONG key;
    bool exclusive;
  };
  std::vector<Held> model;
  for (int step = 0; step < 5000; step++) {
    const Held want{random() % 2 ? &file1_ : &file2_, static_cast<LONGLONG>(random() % 60),
                    static_cast<LONGLONG>(1 + random() % 12), static_cast<ULONG>(random() % 2),
                    random() % 2 == 0};
    const auto overlaps = [&](const Held& held) {
      return held.offset < want.offset + want.length && want.offset < held.offset + held.length;
    };
    const auto mine = [&](const Held& held) { return held.file == want.file && held.key == want.key; };
    if (random() % 3 == 0 && !model.empty()) {
      const size_t i = random() % model.size();
      const Held gone = model[i];
      ASSERT_EQ(Unlock(gone.file, gone.offset, gone.length, gone.key), STATUS_SUCCESS);
      // Of two on one range, the exclusive one.
      size_t victim = i;
      for (size_t j = 0; j < model.size(); j++)
        if (model[j].exclusive && model[j].file == gone.file && model[j].key == gone.key &&
            model[j].offset == gone.offset && model[j].length == gone.length)
          victim = j;
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(victim));
      continue;
    }
    bool conflict = false, may_read = true, may_write = true;
    for (const Held& held : model) {
      if (!overlaps(held)) continue;
      if (want.exclusive || (held.exclusive && !mine(held))) conflict = true;
      if (held.exclusive && !mine(held)) may_read = may_write = false;
      if (!held.exclusive) may_write = false;
    }
    ASSERT_EQ(MayRead(want.file, want.offset, want.length, want.key), may_read) << "step " << step;
    ASSERT_EQ(MayWrite(want.file, want.offset, want.length, want.key), may_write) << "step " << step;
    ASSERT_EQ(Lock(want.file, want.offset, want.length, want.exclusive ? Kind::kExclusive : Kind::kShared, want.key),
              conflict ? STATUS_LOCK_NOT_GRANTED : STATUS_SUCCESS)
        << "step " << step;
    if (!conflict) model.push_back(want);
  }
}

}  // namespace
}  // namespace nt::fsrtl
