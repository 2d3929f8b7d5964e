// Structured exception handling: the cases of tests/ldr, at each optimisation level, and what the runtime sees of an exception.

#include <gtest/gtest.h>

#include <thread>

#include "src/ldr/call.h"
#include "src/ldr/ldr.h"
#include "src/ldr/test_exports.h"

namespace nt::ldr {
namespace {

using Case = long long(NTIO_MS_ABI*)();

Image* Load(const std::string& name) {
  AddTestExports();
  std::string why;
  auto image = LoadImage(TestDriver(name), {}, &why);
  EXPECT_TRUE(image.ok()) << why;
  return image.ok() ? image.value() : nullptr;
}

class Cases : public testing::TestWithParam<const char*> {};

TEST_P(Cases, ReturnWhatWindowsWould) {
  Image* image = Load(GetParam());
  ASSERT_NE(image, nullptr);
  int count = 0;
  for (int round = 0; round < 2; round++) {
    for (const Image::Export& row : image->exports) {
      if (row.name.rfind("case_", 0) != 0) continue;
      const auto* want = static_cast<const long long*>(image->FindExport(("want_" + row.name.substr(5)).c_str()));
      ASSERT_NE(want, nullptr) << row.name;
      long long got = -12345;
      try {
        got = CallDriver(reinterpret_cast<Case>(image->FindExport(row.name.c_str())));
      } catch (const SehException& exception) {
        ADD_FAILURE() << row.name << " raised " << std::hex << exception.code();
      }
      EXPECT_EQ(got, *want) << row.name;
      count++;
    }
  }
  EXPECT_GT(count, 10);
  UnloadImage(image);
}

INSTANTIATE_TEST_SUITE_P(Seh, Cases,
                         testing::Values("seh_cases_O0", "seh_cases_O1", "seh_cases_O2", "seh_low_level"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Seh, UncaughtInDriver_ArrivesAsSehException) {
  Image* image = Load("seh_cases_O1");
  ASSERT_NE(image, nullptr);
  auto raise = reinterpret_cast<int(NTIO_MS_ABI*)(void*)>(image->FindExport("raise_uncaught"));
  bool caught = false;
  try {
    CallDriver(raise, reinterpret_cast<void*>(uint64_t{0xC0000099}));
  } catch (const SehException& exception) {
    caught = true;
    EXPECT_EQ(static_cast<uint32_t>(exception.code()), 0xC0000099u);
    EXPECT_TRUE(image->Contains(reinterpret_cast<uint64_t>(exception.record().ExceptionAddress)));
  }
  EXPECT_TRUE(caught);
  UnloadImage(image);
}

TEST(Seh, ManyThreadsAtOnce) {
  Image* image = Load("seh_cases_O2");
  ASSERT_NE(image, nullptr);
  auto raise = reinterpret_cast<int(NTIO_MS_ABI*)(int)>(image->FindExport("bench_callback_raise"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) threads.emplace_back([raise] { EXPECT_EQ(CallDriver(raise, 2000), 2000); });
  for (auto& thread : threads) thread.join();
  UnloadImage(image);
}

void ExitWithCode(const EXCEPTION_RECORD& record, const Context& context) {
  // Nothing has been unwound: the stack still leads from the raise to the test.
  bool found = false;
  for (const Frame& frame : CaptureStackFrom(context)) found |= frame.symbol.find("CallDriver") != std::string::npos || !frame.driver;
  std::fprintf(stderr, "unhandled %x stack %s\n", static_cast<unsigned>(record.ExceptionCode), found ? "whole" : "broken");
  std::_Exit(found ? 7 : 8);
}

TEST(SehDeathTest, NoFrameTakesIt_HookRunsAtTheRaise) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Image* image = Load("seh_cases_O1");
        SetUnhandledExceptionHook(ExitWithCode);
        auto raise = reinterpret_cast<int(NTIO_MS_ABI*)(void*)>(image->FindExport("raise_uncaught"));
        // On a bare thread: no catch of the test framework above it. noexcept ends the search.
        std::thread([raise] { CallDriver(raise, reinterpret_cast<void*>(uint64_t{0xC0000099})); }).join();
      },
      testing::ExitedWithCode(7), "unhandled c0000099 stack whole");
}

}  // namespace
}  // namespace nt::ldr
