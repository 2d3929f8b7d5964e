// Mixed stacks, their names, and what a crossing costs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "src/ldr/call.h"
#include "src/ldr/ldr.h"
#include "src/ldr/test_exports.h"

namespace nt::ldr {
namespace {

Image* Load(const std::string& name) {
  AddTestExports();
  std::string why;
  auto image = LoadImage(TestDriver(name), {}, &why);
  EXPECT_TRUE(image.ok()) << why;
  return image.ok() ? image.value() : nullptr;
}

std::vector<Frame> g_stack;

NTIO_MS_ABI int TakeStack(void*) {
  g_stack = CaptureStack();
  return 0;
}

TEST(Stack, CrossesDriverAndRuntimeFrames) {
  Image* image = Load("seh_cases_O0");
  ASSERT_NE(image, nullptr);
  auto deep = reinterpret_cast<int(NTIO_MS_ABI*)(void*)>(image->FindExport("deep_callback"));
  auto* routine = &TakeStack;
  CallDriver(deep, static_cast<void*>(&routine));
  ASSERT_GT(g_stack.size(), 5u);
  // Runtime (TakeStack ... TestCallBack), the driver, the runtime again.
  std::string shape;
  for (const Frame& frame : g_stack)
    if (const char side = frame.driver ? 'D' : 'R'; shape.empty() || shape.back() != side) shape += side;
  EXPECT_EQ(shape, "RDR");
  Symbolize(&g_stack);
  bool found = false;
  for (const Frame& frame : g_stack) {
    if (!frame.driver) continue;
    EXPECT_EQ(frame.symbol, "deep_callback");
    EXPECT_EQ(frame.module, "seh_cases_O0.sys");
    if (!frame.file.empty()) {
      EXPECT_THAT(frame.file, testing::HasSubstr("seh_cases.c"));
      EXPECT_GT(frame.line, 10);
    }
    EXPECT_THAT(FormatFrame(frame), testing::StartsWith("seh_cases_O0.sys!deep_callback+0x"));
    found = true;
  }
  EXPECT_TRUE(found);
  UnloadImage(image);
}

double Nanoseconds(int count, const std::function<void()>& run) {
  double best = 1e18;
  for (int i = 0; i < 3; i++) {
    const auto start = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / count);
  }
  return best;
}

// Prints; no limit, as machines and builds differ.
TEST(Stack, CostOfCrossings) {
  Image* image = Load("seh_cases_O2");
  ASSERT_NE(image, nullptr);
  auto out = reinterpret_cast<uint64_t(NTIO_MS_ABI*)(uint64_t)>(image->FindExport("bench_export"));
  auto in = reinterpret_cast<int(NTIO_MS_ABI*)(int, int)>(image->FindExport("bench_driver"));
  const auto routine = [&](const char* name) { return reinterpret_cast<int(NTIO_MS_ABI*)(int)>(image->FindExport(name)); };
  std::printf("driver calls an export        %8.1f ns\n", Nanoseconds(1000000, [&] { CallDriver(out, uint64_t{1000000}); }));
  volatile int sum = 0;
  std::printf("runtime calls a driver        %8.1f ns\n", Nanoseconds(1000000, [&] {
                for (int i = 0; i < 1000000; i++) sum = CallDriver(in, i, static_cast<int>(sum));
              }));
  std::printf("ExRaiseStatus to __except     %8.1f ns\n", Nanoseconds(5000, [&] { CallDriver(routine("bench_raise"), 5000); }));
  std::printf("null dereference to __except  %8.1f ns\n", Nanoseconds(5000, [&] { CallDriver(routine("bench_fault"), 5000); }));
  std::printf("raise across the runtime      %8.1f ns\n",
              Nanoseconds(5000, [&] { CallDriver(routine("bench_callback_raise"), 5000); }));
  UnloadImage(image);
}

}  // namespace
}  // namespace nt::ldr
