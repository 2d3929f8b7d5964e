// Bug checks: each in a child process, which prints the report and exits.
#include "src/ke/bug_check.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "src/ke/internal.h"
#include "src/ke/ke.h"

namespace nt::ke {
namespace {

std::function<bool()> g_await;  // what must come about after the bug check

[[noreturn]] void RunToBugCheck(const std::function<void()>& body) {
  if (!Boot().ok()) std::_Exit(99);
  const bool alive = CallIntoMachine([&] {
    ServiceScope scope(nullptr, KernelMode);
    body();
  });
  if (alive) std::_Exit(98);
  while (g_await && !g_await()) host::Yield();
  if (Boot().ok()) std::_Exit(97);  // CHECK or refusal: never a second machine
  std::_Exit(CurrentBugCheck() ? 5 : 96);
}

class KeBugCheckTest : public ::testing::Test {
 protected:
  void SetUp() override { ::testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

#define EXPECT_BUG_CHECK(pattern, ...) \
  EXPECT_EXIT(RunToBugCheck([] { __VA_ARGS__; }), ::testing::ExitedWithCode(5), pattern)

TEST_F(KeBugCheckTest, Plain) {
  EXPECT_BUG_CHECK("STOP: 0x000000E2 \\(0x0*1, 0x0*2, 0x0*3, 0x0*4\\)", BugCheckEx(0xE2, 1, 2, 3, 4));
}
TEST_F(KeBugCheckTest, SpinLockTakenTwice) {
  EXPECT_BUG_CHECK("SPIN_LOCK_ALREADY_OWNED", {
        KSPIN_LOCK lock = 0;
        AcquireSpinLockRaiseToDpc(&lock);
        AcquireSpinLockAtDpcLevel(&lock);
      });
}
TEST_F(KeBugCheckTest, SpinLockReleasedUnheld) {
  EXPECT_BUG_CHECK("SPIN_LOCK_NOT_OWNED", {
        KSPIN_LOCK lock = 0;
        RaiseIrqlToDpcLevel();
        ReleaseSpinLockFromDpcLevel(&lock);
      });
}
TEST_F(KeBugCheckTest, WaitAtDispatch) {
  EXPECT_BUG_CHECK("IRQL_NOT_LESS_OR_EQUAL", {
        KEVENT event;
        InitializeEvent(&event, NotificationEvent, false);
        RaiseIrqlToDpcLevel();
        WaitFor(&event);
      });
}
TEST_F(KeBugCheckTest, ServiceEndsAtRaisedIrql) {
  EXPECT_BUG_CHECK("IRQL_GT_ZERO_AT_SYSTEM_SERVICE", RaiseIrql(APC_LEVEL));
}
TEST_F(KeBugCheckTest, ServiceEndsInACriticalRegion) { EXPECT_BUG_CHECK("APC_INDEX_MISMATCH", EnterCriticalRegion()); }
TEST_F(KeBugCheckTest, EscapedException) {
  EXPECT_BUG_CHECK("KMODE_EXCEPTION_NOT_HANDLED", Raise(STATUS_ACCESS_VIOLATION));
}
TEST_F(KeBugCheckTest, ThreadsThatWaitComeBack) {
  EXPECT_BUG_CHECK("MANUALLY_INITIATED_CRASH", {
        // Four outside threads, asleep in a wait, waiting for a spin lock, at an export, and raising.
        static KEVENT never;
        static KSPIN_LOCK lock = 0;
        static std::atomic<int> inside{0}, back{0};
        static std::vector<std::unique_ptr<host::Thread>> threads;
        InitializeEvent(&never, NotificationEvent, false);
        RaiseIrqlToDpcLevel();
        AcquireSpinLockAtDpcLevel(&lock);
        for (int i = 0; i < 3; i++) {
          threads.push_back(host::Thread::Start("outside", 4 << 20, [i] {
            const bool alive = CallIntoMachine([i] {
              ServiceScope scope(nullptr, KernelMode);
              inside++;
              if (i == 0) WaitFor(&never);
              if (i == 1) AcquireSpinLockRaiseToDpc(&lock);
              for (;;) ParkIfBugChecked();  // as every export does
            });
            if (!alive) back++;
          }));
        }
        while (inside != 3) host::Yield();
        g_await = [] { return back == 3; };
        BugCheckEx(0xE2);
      });
}

}  // namespace
}  // namespace nt::ke
