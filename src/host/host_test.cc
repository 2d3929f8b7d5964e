// The host without its block files: waits, clocks, threads, memory, faults.
#include "src/host/host.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace host {
namespace {

TEST(Wait, ReturnsAtOnce_WhenTheValueDiffers) {
  std::atomic<uint32_t> word{1};
  EXPECT_EQ(WaitResult::kWoken, WaitOnAddress(&word, 0, kForever));
}

TEST(Wait, TimesOut_AtAnAbsoluteDeadline) {
  std::atomic<uint32_t> word{0};
  const Deadline deadline = MonotonicNanoseconds() + 20'000'000;
  while (WaitOnAddress(&word, 0, deadline) != WaitResult::kTimedOut) {
  }
  EXPECT_GE(MonotonicNanoseconds(), deadline);
  EXPECT_EQ(WaitResult::kTimedOut, WaitOnAddress(&word, 0, 0)) << "a deadline in the past";
}

TEST(Wait, HandsAWordToAnotherThread) {
  std::atomic<uint32_t> word{0};
  int plain = 0;  // ThreadSanitizer sees the hand-over through the atomic alone
  auto thread = Thread::Start("waker", 64 * 1024, [&] {
    plain = 42;
    word.store(1, std::memory_order_release);
    WakeAddress(&word, 1);
  });
  ASSERT_TRUE(thread);
  while (word.load(std::memory_order_acquire) == 0) WaitOnAddress(&word, 0, kForever);
  EXPECT_EQ(42, plain);
}

TEST(Clock, CountsFrom1601) {
  const uint64_t now = SystemTime100ns();
  EXPECT_GT(now, 132'000'000'000'000'000u);  // 2019
  EXPECT_LT(now, 170'000'000'000'000'000u);  // 2139
  EXPECT_LE(std::abs(LocalTimeBiasMinutes()), 14 * 60);
}

TEST(Clock, BiasIsPositiveWestOfGreenwich) {
  const char* old = std::getenv("TZ");
  const std::string saved = old ? old : "";
  setenv("TZ", "XXX5", 1);
  tzset();
  EXPECT_EQ(300, LocalTimeBiasMinutes());
  if (old)
    setenv("TZ", saved.c_str(), 1);
  else
    unsetenv("TZ");
  tzset();
}

TEST(Threads, JoinOnDestruction) {
  std::atomic<int> ran{0};
  for (int i = 0; i < 20; i++) {
    auto thread = Thread::Start("a name that is longer than fifteen", 1, [&] { ran++; });
    ASSERT_TRUE(thread);
  }
  EXPECT_EQ(20, ran);
}

TEST(Threads, RunOnAfterDetach) {
  static std::atomic<uint32_t> go{0}, done{0};
  auto thread = Thread::Start("detached", 64 * 1024, [] {
    while (go.load() == 0) WaitOnAddress(&go, 0, kForever);
    done.store(1);
    WakeAddress(&done, 1);
  });
  thread->Detach();
  thread.reset();
  go.store(1);
  WakeAddress(&go, 1);
  while (done.load() == 0) WaitOnAddress(&done, 0, kForever);
}

TEST(Threads, KnowTheirStack) {
  uintptr_t low, high;
  CurrentStackBounds(&low, &high);
  EXPECT_LT(low, reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
  EXPECT_GT(high, reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
  const uint64_t main_thread = CurrentThreadId();
  Thread::Start("stack", 512 * 1024, [&] {
    CurrentStackBounds(&low, &high);
    const auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    EXPECT_LT(low, frame);
    EXPECT_GT(high, frame);
    EXPECT_GE(high - low, 512u * 1024);
    EXPECT_NE(main_thread, CurrentThreadId());
  })->Join();
  EXPECT_GE(ProcessorCount(), 1u);
}

TEST(Threads, HaveTheirOwnGsBase) {
  alignas(64) static uint64_t here[4] = {7, 8, 9, 10};
  alignas(64) static uint64_t there[4] = {1, 2, 3, 4};
  auto second_word = [] {
    uint64_t value;
    __asm__ volatile("movq %%gs:8, %0" : "=r"(value));
    return value;
  };
  SetGsBase(here);
  Thread::Start("gs", 64 * 1024, [&] {
    SetGsBase(there);
    EXPECT_EQ(2u, second_word());
  })->Join();
  EXPECT_EQ(8u, second_word());
  SetGsBase(nullptr);
}

TEST(Random, FillsAll) {
  std::byte a[300] = {}, b[300] = {};
  RandomBytes(a);
  RandomBytes(b);
  EXPECT_NE(0, std::memcmp(a, b, sizeof(a)));
  EXPECT_NE(0, std::memcmp(a + 260, b + 260, 40));
  RandomBytes({});
}

TEST(Memory, ReservesCommitsAndForgets) {
  constexpr uintptr_t kAddress = 0x7a5000000000;
  constexpr size_t kBytes = 16 * kPageBytes;
  auto* memory = static_cast<char*>(ReserveMemory(kAddress, kBytes));
  ASSERT_EQ(kAddress, reinterpret_cast<uintptr_t>(memory));
  EXPECT_EQ(nullptr, ReserveMemory(kAddress + kPageBytes, kPageBytes)) << "taken";
  ASSERT_EQ(0, CommitMemory(memory, 2 * kPageBytes, Access::kReadWrite));
  memory[5] = 'x';
  DecommitMemory(memory, 2 * kPageBytes);
  ASSERT_EQ(0, CommitMemory(memory, kPageBytes, Access::kRead));
  EXPECT_EQ(0, memory[5]);
  ReleaseMemory(memory, kBytes);
  memory = static_cast<char*>(ReserveMemory(0, kBytes));
  ASSERT_NE(nullptr, memory);
  ReleaseMemory(memory, kBytes);
}

TEST(MemoryFile, IsSeenThroughEveryMapping) {
  auto file = MemoryFile::Create("test", 1ull << 36);
  ASSERT_TRUE(file);
  constexpr size_t kBytes = 4 * kPageBytes;
  auto* view = static_cast<char*>(file->Map(0, 1ull << 35, kBytes, Access::kReadWrite));
  ASSERT_NE(nullptr, view);
  auto* reservation = static_cast<char*>(ReserveMemory(0, 2 * kBytes));
  auto* second = static_cast<char*>(
      file->Map(reinterpret_cast<uintptr_t>(reservation) + kBytes, 1ull << 35, kBytes, Access::kRead));
  ASSERT_EQ(reservation + kBytes, second);
  std::strcpy(view + kPageBytes, "coherent");
  EXPECT_STREQ("coherent", second + kPageBytes);
  EXPECT_EQ(0, file->Punch(1ull << 35, kBytes));
  EXPECT_STREQ("", second + kPageBytes);
  UnmapToReserved(second, kBytes);
  EXPECT_EQ(nullptr, ReserveMemory(reinterpret_cast<uintptr_t>(second), kPageBytes)) << "still reserved";
  ReleaseMemory(reservation, 2 * kBytes);
  ReleaseMemory(view, kBytes);
}

TEST(File, ReadsWholeFilesOnly) {
  const std::string path = testing::TempDir() + "/host_test_file";
  std::ofstream(path, std::ios::binary) << std::string(100'000, 'a') << "end";
  std::vector<std::byte> bytes;
  EXPECT_EQ(0, ReadFile(path, &bytes));
  ASSERT_EQ(100'003u, bytes.size());
  EXPECT_EQ(std::byte{'d'}, bytes.back());
  unlink(path.c_str());
  EXPECT_EQ(ENOENT, ReadFile(path, &bytes));
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(EISDIR, ReadFile(testing::TempDir(), &bytes));
  EXPECT_EQ(EINVAL, ReadFile("/dev/zero", &bytes));
}

// --- faults ------------------------------------------------------------------------------------------------------------

std::atomic<char*> g_guarded{nullptr};
FaultInfo g_seen;

/// Opens the guarded page, or steps over a one-byte int3 or a ud2.
bool OpenGuardedPage(const FaultInfo& fault) {
  g_seen = fault;
  if (fault.signal == SIGSEGV && g_guarded.load() != nullptr) {
    char* page = g_guarded.exchange(nullptr);
    return fault.address == reinterpret_cast<uintptr_t>(page) + 8 && ProtectMemory(page, kPageBytes, Access::kReadWrite) == 0;
  }
  if (fault.signal == SIGTRAP) return true;  // rip is behind the int3
  if (fault.signal == SIGILL) {
    static_cast<ucontext_t*>(fault.machine)->uc_mcontext.gregs[REG_RIP] += 2;
    return true;
  }
  return false;
}

void TouchGuardedPage() {
  auto* page = static_cast<char*>(ReserveMemory(0, kPageBytes));
  g_guarded = page;
  *reinterpret_cast<volatile char*>(page + 8) = 1;
  EXPECT_EQ(nullptr, g_guarded.load());
  EXPECT_EQ(14u, g_seen.trap);
  EXPECT_EQ(6u, g_seen.error_code & 7) << "user, write, not present";
  ReleaseMemory(page, kPageBytes);
}

TEST(Faults, ResumeWhenTheHandlerSaysSo) {
  InstallFaultHandler(OpenGuardedPage);
  PrepareThreadForFaults();
  PrepareThreadForFaults();
  TouchGuardedPage();
  __asm__ volatile("int3");
  EXPECT_EQ(SIGTRAP, g_seen.signal);
  __asm__ volatile("ud2");
  EXPECT_EQ(SIGILL, g_seen.signal);
  EXPECT_EQ(6u, g_seen.trap);
  for (int i = 0; i < 3; i++) Thread::Start("fault", 64 * 1024, TouchGuardedPage)->Join();
}

void StoreToNull() {
  volatile int* volatile null = nullptr;
  *null = 1;
}

TEST(FaultsDeathTest, UntakenFaultReachesTheDefault) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        InstallFaultHandler([](const FaultInfo&) { return false; });
        StoreToNull();
      },
      "");
}

TEST(FaultsDeathTest, UntakenFaultReachesTheHandlerThatWasThereBefore) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        struct sigaction action = {};
        action.sa_handler = [](int) { _exit(33); };
        sigaction(SIGSEGV, &action, nullptr);
        InstallFaultHandler([](const FaultInfo&) { return false; });
        StoreToNull();
      },
      testing::ExitedWithCode(33), "");
}

TEST(FaultsDeathTest, HandlerRunsOnItsOwnStackWhenTheStackIsUsedUp) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        InstallFaultHandler([](const FaultInfo& fault) -> bool { _exit(fault.signal == SIGSEGV ? 34 : 35); });
        Thread::Start("deep", 64 * 1024, [] {
          uintptr_t low, high;
          CurrentStackBounds(&low, &high);
          __asm__ volatile("movq %0, %%rsp; pushq %%rax" : : "r"(low - 8) : "memory");
        })->Join();
      },
      testing::ExitedWithCode(34), "");
}

TEST(Output, EndsLines) {
  testing::internal::CaptureStderr();
  WriteError("one", 3);
  WriteError("two\n", 4);
  EXPECT_EQ("one\ntwo\n", testing::internal::GetCapturedStderr());
}

}  // namespace
}  // namespace host
