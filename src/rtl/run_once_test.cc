// One-time initialization.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

std::atomic<int> g_calls;
int g_failures_left;
int g_object[2];

ULONG NTAPI Init(PRTL_RUN_ONCE, PVOID parameter, PVOID* context) {
  g_calls.fetch_add(1);
  if (g_failures_left > 0) return --g_failures_left, FALSE;
  std::this_thread::yield();
  *context = parameter;
  return TRUE;
}

TEST(RtlRunOnce, ExecuteOnce_ManyThreads_OneCall_AllSeeTheContext) {
  for (int round = 0; round < 50; ++round) {
    RTL_RUN_ONCE once;
    RunOnceInitialize(&once);
    g_calls = 0;
    g_failures_left = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        PVOID context = nullptr;
        EXPECT_EQ(RunOnceExecuteOnce(&once, Init, g_object, &context), STATUS_SUCCESS);
        EXPECT_EQ(context, g_object);
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(g_calls, 1);
  }
}

TEST(RtlRunOnce, ExecuteOnce_Failure_LetsTheNextTry) {
  RTL_RUN_ONCE once = RTL_RUN_ONCE_INIT;
  g_calls = 0;
  g_failures_left = 1;
  EXPECT_EQ(RunOnceExecuteOnce(&once, Init, g_object, nullptr), STATUS_UNSUCCESSFUL);
  EXPECT_EQ(RunOnceExecuteOnce(&once, Init, g_object, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(RunOnceExecuteOnce(&once, Init, g_object, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(g_calls, 2);
}

TEST(RtlRunOnce, Async_TheFirstToCompleteWins) {
  RTL_RUN_ONCE once = RTL_RUN_ONCE_INIT;
  PVOID context = nullptr;
  EXPECT_EQ(RunOnceBeginInitialize(&once, RTL_RUN_ONCE_CHECK_ONLY, &context), STATUS_UNSUCCESSFUL);
  EXPECT_EQ(RunOnceBeginInitialize(&once, RTL_RUN_ONCE_ASYNC, &context), STATUS_PENDING);
  EXPECT_EQ(RunOnceBeginInitialize(&once, RTL_RUN_ONCE_ASYNC, &context), STATUS_PENDING);
  EXPECT_EQ(RunOnceComplete(&once, RTL_RUN_ONCE_ASYNC, g_object), STATUS_SUCCESS);
  EXPECT_EQ(RunOnceComplete(&once, RTL_RUN_ONCE_ASYNC, nullptr), STATUS_OBJECT_NAME_COLLISION);
  EXPECT_EQ(RunOnceBeginInitialize(&once, 0, &context), STATUS_SUCCESS);
  EXPECT_EQ(context, g_object);
}

}  // namespace
}  // namespace nt::rtl
