// Faults: emulated instructions, page-in, user-memory helpers, and what the hooks are told.

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "src/host/host.h"
#include "src/ldr/call.h"
#include "src/ldr/ldr.h"
#include "src/ldr/test_exports.h"
#include "src/ldr/user_access.h"

namespace nt::ldr {
namespace {

class Faults : public testing::Test {
 protected:
  void SetUp() override {
    AddTestExports();
    std::string why;
    auto image = LoadImage(TestDriver("fault_cases"), {}, &why);
    ASSERT_TRUE(image.ok()) << why;
    image_ = image.value();
  }
  void TearDown() override {
    SetProcessorHooks({});
    SetSharedUserDataHook(nullptr);
    SetPageFaultHooks({});
    UnloadImage(image_);
  }
  template <class F>
  F* Find(const char* name) {
    return reinterpret_cast<F*>(image_->FindExport(name));
  }
  Image* image_ = nullptr;
};

thread_local uint8_t t_irql = 0;
thread_local int t_writes = 0;

TEST_F(Faults, Cr8_ReadAndWriteReachTheHooks) {
  SetProcessorHooks({[] { return t_irql; },
                     [](uint8_t irql) {
                       // Ordinary code: allocates, throws, uses vector registers.
                       try {
                         throw std::string("x");
                       } catch (const std::string&) {
                       }
                       volatile double d = irql * 1.5;
                       (void)d;
                       t_irql = irql;
                       t_writes++;
                     }});
  t_irql = 0;
  auto* read = Find<uint64_t NTIO_MS_ABI()>("read_cr8");
  auto* write = Find<void NTIO_MS_ABI(uint64_t)>("write_cr8");
  auto* write_checked = Find<uint64_t NTIO_MS_ABI(uint64_t)>("write_cr8_keeps_registers");
  EXPECT_EQ(CallDriver(read), 0u);
  CallDriver(write, uint64_t{2});
  EXPECT_EQ(t_irql, 2);
  EXPECT_EQ(CallDriver(read), 2u);
  EXPECT_EQ(CallDriver(Find<uint64_t NTIO_MS_ABI()>("read_cr8_intrinsic")), 2u);
  EXPECT_EQ(CallDriver(write_checked, uint64_t{0}), static_cast<uint64_t>(-1 + 3 + 4));
  EXPECT_EQ(t_irql, 0);
  EXPECT_EQ(t_writes, 2);
}

TEST_F(Faults, SharedUserData_LoadsReadTheHostPage) {
  auto* shared = static_cast<char*>(SharedUserData());
  const uint64_t time = 0x1122334455667788;
  std::memcpy(shared + 0x14, &time, 8);
  const uint32_t low = 77;
  std::memcpy(shared + 8, &low, 4);
  shared[0x26c] = 10;
  shared[0x300] = -2;
  const uint16_t word = 0xBEEF;
  std::memcpy(shared + 0x310, &word, 2);
  int count = 0;
  for (const Image::Export& row : image_->exports) {
    if (row.name.rfind("case_", 0) != 0) continue;
    const auto* want = static_cast<const long long*>(image_->FindExport(("want_" + row.name.substr(5)).c_str()));
    EXPECT_EQ(CallDriver(Find<long long NTIO_MS_ABI()>(row.name.c_str())), *want) << row.name;
    count++;
  }
  EXPECT_GE(count, 10);
}

TEST_F(Faults, SharedUserData_EachLoadAsksForTheTime) {
  static uint64_t now;
  now = 0;
  SetSharedUserDataHook([](void* page) {
    now++;
    std::memcpy(static_cast<char*>(page) + 0x14, &now, 8);
  });
  const auto read = Find<long long NTIO_MS_ABI()>("case_SharedData_Load64");
  EXPECT_EQ(CallDriver(read), 1);
  EXPECT_EQ(CallDriver(read), 2);
}

// ---- page-in ----

constexpr size_t kPages = 16;
std::byte* g_view = nullptr;
std::atomic<int> g_page_ins{0};
std::atomic<bool> g_fill{true};
std::atomic<NTSTATUS> g_page_in_status{STATUS_SUCCESS};

struct View {
  View() {
    g_view = static_cast<std::byte*>(host::ReserveMemory(0, kPages * 4096));
    g_page_ins = 0;
    g_fill = true;
    g_page_in_status = STATUS_SUCCESS;
    SetPageFaultHooks({[](uintptr_t address) { return address - reinterpret_cast<uintptr_t>(g_view) < kPages * 4096; },
                       [](uintptr_t address, bool) -> Status {
                         g_page_ins++;
                         std::string allocates(1000, 'x');
                         if (const NTSTATUS status = g_page_in_status; status != STATUS_SUCCESS) {
                           if (status == STATUS_FILE_CORRUPT_ERROR) Raise(status);
                           return status;
                         }
                         auto* page = reinterpret_cast<std::byte*>(address & ~uintptr_t{4095});
                         EXPECT_EQ(host::CommitMemory(page, 4096, host::Access::kReadWrite), 0);
                         if (g_fill) std::memset(page, 0x11, 4096);
                         return STATUS_SUCCESS;
                       }});
  }
  ~View() {
    SetPageFaultHooks({});
    host::ReleaseMemory(g_view, kPages * 4096);
  }
};

TEST_F(Faults, PageIn_DriverLoadsAndStores) {
  View view;
  EXPECT_EQ(CallDriver(Find<uint64_t NTIO_MS_ABI(void*)>("sum_page"), static_cast<void*>(g_view)), 0x2222222222222222u);
  EXPECT_EQ(g_page_ins, 1);
  CallDriver(Find<void NTIO_MS_ABI(void*, uint64_t)>("store_page"), static_cast<void*>(g_view + 4096), uint64_t{5});
  EXPECT_EQ(g_page_ins, 2);
  EXPECT_EQ(reinterpret_cast<uint64_t*>(g_view + 4096)[3], 5u);
}

TEST_F(Faults, PageIn_RuntimeCodeToo) {
  View view;
  // Any access in ELF code, the C library's included.
  char copy[8192];
  std::memcpy(copy, g_view + 2048, sizeof copy);
  EXPECT_EQ(g_page_ins, 3);
  EXPECT_EQ(copy[0], 0x11);
  EXPECT_EQ(copy[8191], 0x11);
  CopyFromUser(copy, g_view + 5 * 4096 - 10, 20);
  EXPECT_EQ(g_page_ins, 5);
  TouchForWrite(g_view, kPages * 4096);
  EXPECT_EQ(g_page_ins, static_cast<int>(kPages));
}

TEST_F(Faults, PageIn_VectorStateSurvives) {
  View view;
  EXPECT_EQ(CallDriver(Find<double NTIO_MS_ABI(void*)>("vector_state_survives"), static_cast<void*>(g_view)), 42.0);
  EXPECT_EQ(g_page_ins, 1);
}

TEST_F(Faults, PageIn_FailureIsAnExceptionAtTheInstruction) {
  View view;
  auto* guarded = Find<uint32_t NTIO_MS_ABI(void*)>("guarded_code");
  g_page_in_status = STATUS_INSUFFICIENT_RESOURCES;
  EXPECT_EQ(CallDriver(guarded, static_cast<void*>(g_view)), static_cast<uint32_t>(STATUS_INSUFFICIENT_RESOURCES));
  g_page_in_status = STATUS_FILE_CORRUPT_ERROR;  // by a raise
  EXPECT_EQ(CallDriver(guarded, static_cast<void*>(g_view)), static_cast<uint32_t>(STATUS_FILE_CORRUPT_ERROR));
  g_page_in_status = STATUS_ACCESS_VIOLATION;
  EXPECT_EQ(CallDriver(guarded, static_cast<void*>(g_view)), static_cast<uint32_t>(STATUS_ACCESS_VIOLATION));
  char byte;
  g_page_in_status = STATUS_INSUFFICIENT_RESOURCES;
  EXPECT_EQ(TryCopy(&byte, g_view, 1), STATUS_IN_PAGE_ERROR);
}

TEST_F(Faults, PageIn_ManyThreads) {
  View view;
  g_fill = false;  // this page_in would fill a page that another thread already reads
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([] {
      host::PrepareThreadForFaults();
      for (size_t i = 0; i < kPages * 4096; i += 512) (void)reinterpret_cast<volatile std::byte*>(g_view)[i];
    });
  for (auto& thread : threads) thread.join();
  EXPECT_GE(g_page_ins, static_cast<int>(kPages));
}

// ---- user memory ----

TEST_F(Faults, UserCopy_AllSizesCopyExactly) {
  std::vector<unsigned char> from(5000), to(5200);
  for (size_t i = 0; i < from.size(); i++) from[i] = static_cast<unsigned char>(i * 7 + 1);
  for (size_t bytes = 0; bytes <= 4500; bytes += bytes < 300 ? 1 : 97) {
    for (size_t shift : {0, 1, 7}) {
      std::fill(to.begin(), to.end(), 0xEE);
      CopyFromUser(to.data() + 16 + shift, from.data() + shift, bytes);
      EXPECT_EQ(std::memcmp(to.data() + 16 + shift, from.data() + shift, bytes), 0) << bytes;
      EXPECT_EQ(to[15 + shift], 0xEE);
      EXPECT_EQ(to[16 + shift + bytes], 0xEE);
    }
  }
}

TEST_F(Faults, UserCopy_FaultRaises) {
  char buffer[4096] = {};
  auto* bad = static_cast<char*>(TestBadPageAddress());
  for (size_t bytes : {1, 3, 4, 8, 15, 16, 31, 33, 64, 65, 128, 129, 1000, 2048, 4096}) {
    bool raised = false;
    try {
      CopyFromUser(buffer, bad, bytes);
    } catch (const SehException& exception) {
      raised = true;
      EXPECT_EQ(exception.code(), STATUS_ACCESS_VIOLATION);
      EXPECT_EQ(exception.record().ExceptionInformation[0], 0u);
      EXPECT_EQ(exception.record().ExceptionInformation[1] & ~uint64_t{4095}, reinterpret_cast<uint64_t>(bad));
    }
    EXPECT_TRUE(raised) << bytes;
    raised = false;
    try {
      CopyToUser(bad, buffer, bytes);
    } catch (const SehException& exception) {
      raised = exception.record().ExceptionInformation[0] == 1;
    }
    EXPECT_TRUE(raised) << bytes;
    EXPECT_EQ(TryCopy(buffer, bad, bytes), STATUS_ACCESS_VIOLATION);
    EXPECT_THROW(ZeroUser(bad, bytes), SehException);
    EXPECT_THROW(TouchForRead(bad, bytes), SehException);
    EXPECT_THROW(TouchForWrite(bad, bytes), SehException);
  }
  EXPECT_EQ(TryCopy(buffer, reinterpret_cast<void*>(0x8000123400000000), 8), STATUS_ACCESS_VIOLATION);
}

TEST_F(Faults, Probe_Rules) {
  EXPECT_NO_THROW(ProbeForRead(reinterpret_cast<void*>(0x1001), 0, 8));
  EXPECT_NO_THROW(ProbeForRead(reinterpret_cast<void*>(0x1000), 8, 8));
  EXPECT_THROW(ProbeForRead(reinterpret_cast<void*>(0x1001), 8, 8), SehException);
  EXPECT_THROW(ProbeForRead(reinterpret_cast<void*>(~0ull - 4), 8, 1), SehException);
  EXPECT_THROW(ProbeForRead(image_->entry(), 8, 1), SehException);
  EXPECT_THROW(ProbeForWrite(reinterpret_cast<void*>(0x1000), 8, 8), SehException);
}

// ---- ends ----

void ExitOnHostFault(const EXCEPTION_RECORD& record, const Context& context) {
  size_t frames = CaptureStackFrom(context).size();
  std::fprintf(stderr, "host fault %x at %llx, stack %s\n", static_cast<unsigned>(record.ExceptionCode),
               static_cast<unsigned long long>(record.ExceptionInformation[1]), frames > 5 ? "whole" : "short");
  std::_Exit(11);
}

[[gnu::noinline]] int ReadInRuntime(const volatile int* address) {
  const int value = *address;
  __asm__ volatile("");
  return value + 1;
}

TEST(FaultsDeathTest, RuntimeFault_ReachesTheHook) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Initialize();
        SetHostFaultHook(ExitOnHostFault);
        const volatile int* volatile address = reinterpret_cast<const volatile int*>(0x40);
        ReadInRuntime(address);
      },
      testing::ExitedWithCode(11), "host fault c0000005 at 40, stack whole");
}

void ExitOnOverflow(const EXCEPTION_RECORD& record, const Context& context) {
  std::fprintf(stderr, "overflow %x in %s\n", static_cast<unsigned>(record.ExceptionCode),
               FindImage(context.rip) ? FindImage(context.rip)->name.c_str() : "runtime");
  std::_Exit(12);
}

TEST(FaultsDeathTest, StackOverflowInDriver_ReachesTheHook) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        AddTestExports();
        std::string why;
        SetStackOverflowHook(ExitOnOverflow);
        auto image = LoadImage(TestDriver("fault_cases"), {}, &why);
        auto recurse = reinterpret_cast<int(NTIO_MS_ABI*)(int)>(image.value()->FindExport("recurse"));
        auto thread = host::Thread::Start("overflow", 256 * 1024, [recurse] { CallDriver(recurse, 0); });
        thread->Join();
      },
      testing::ExitedWithCode(12), "overflow c00000fd in fault_cases.sys");
}

void ExitOnFastFail(uint32_t code, const EXCEPTION_RECORD&, const Context&) {
  std::fprintf(stderr, "fast fail %u\n", code);
  std::_Exit(13);
}

TEST(FaultsDeathTest, FastFail_ReachesTheHook) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        AddTestExports();
        std::string why;
        SetFastFailHook(ExitOnFastFail);
        auto image = LoadImage(TestDriver("fault_cases"), {}, &why);
        CallDriver(reinterpret_cast<void(NTIO_MS_ABI*)(uint64_t)>(image.value()->FindExport("fast_fail")), uint64_t{3});
      },
      testing::ExitedWithCode(13), "fast fail 3");
}

}  // namespace
}  // namespace nt::ldr
