// EX_TIMER, callback objects, ExAllocatePool2 and ExAllocatePool3.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "src/base/status.h"
#include "src/ex/ex.h"
#include "src/ex/ex_objects.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/machine/test_machine.h"
#include "src/ob/ob.h"

namespace nt::ex {
namespace {

class ExObjects : public machine::TestMachine {
 protected:
  static constexpr LONGLONG kMillisecond = 10'000;
  template <class F>
  static bool Eventually(F&& condition) {
    for (int i = 0; i < 2000; i++) {
      if (condition()) return true;
      LARGE_INTEGER interval;
      interval.QuadPart = -5 * kMillisecond;
      ke::DelayExecutionThread(KernelMode, false, &interval).Ignore();
    }
    return false;
  }
};

struct TimerSeen {
  std::atomic<int> expired{0}, deleted{0};
  std::atomic<KIRQL> irql{0};
  std::atomic<EX_TIMER*> timer{nullptr};
};
VOID NTIO_MS_ABI OnTimer(PEX_TIMER timer, PVOID context) {
  auto* seen = static_cast<TimerSeen*>(context);
  seen->irql = ke::GetCurrentIrql();
  seen->timer = timer;
  seen->expired++;
}
VOID NTIO_MS_ABI OnDelete(PVOID context) { static_cast<TimerSeen*>(context)->deleted++; }

TEST_F(ExObjects, Timer_ExpiresSignalsAndCallsBack) {
  TimerSeen seen;
  EX_TIMER* timer = AllocateTimer(OnTimer, &seen, EX_TIMER_NOTIFICATION);
  ASSERT_NE(timer, nullptr);
  EXPECT_FALSE(CancelTimer(timer));
  EXPECT_FALSE(SetTimer(timer, -60'000 * kMillisecond, 0));
  EXPECT_TRUE(SetTimer(timer, -1 * kMillisecond, 0)) << "it was set";
  EXPECT_EQ(ke::WaitForSingleObject(timer, Executive, KernelMode, false, nullptr), STATUS_SUCCESS);
  EXPECT_TRUE(Eventually([&] { return seen.expired == 1; }));
  EXPECT_EQ(seen.irql, DISPATCH_LEVEL);
  EXPECT_EQ(seen.timer, timer);
  LARGE_INTEGER poll{};
  EXPECT_EQ(ke::WaitForSingleObject(timer, Executive, KernelMode, false, &poll), STATUS_SUCCESS)
      << "a notification timer";
  EXT_DELETE_PARAMETERS parameters{0, 0, OnDelete, &seen};
  EXPECT_FALSE(DeleteTimer(timer, true, true, &parameters)) << "it had expired";
  EXPECT_EQ(seen.deleted, 1);
  EXPECT_EQ(seen.expired, 1);
}

TEST_F(ExObjects, Timer_PeriodicUntilDeleted) {
  TimerSeen seen;
  EX_TIMER* timer = AllocateTimer(OnTimer, &seen, 0);
  EXPECT_FALSE(SetTimer(timer, -1 * kMillisecond, kMillisecond));
  EXPECT_TRUE(Eventually([&] { return seen.expired >= 3; }));
  EXT_DELETE_PARAMETERS parameters{0, 0, OnDelete, &seen};
  EXPECT_TRUE(DeleteTimer(timer, true, true, &parameters));
  const int expired = seen.expired;
  EXPECT_EQ(seen.deleted, 1);
  LARGE_INTEGER pause;
  pause.QuadPart = -20 * kMillisecond;
  ke::DelayExecutionThread(KernelMode, false, &pause).Ignore();
  EXPECT_EQ(seen.expired, expired) << "the callback does not run after a delete that waited";
}

TEST_F(ExObjects, Timer_DeletedWithoutCancelExpiresOnceMore) {
  TimerSeen seen;
  EXT_DELETE_PARAMETERS parameters{0, 0, OnDelete, &seen};
  EX_TIMER* timer = AllocateTimer(OnTimer, &seen, 0);
  EXPECT_FALSE(SetTimer(timer, -30 * kMillisecond, 0));
  EXPECT_FALSE(DeleteTimer(timer, false, false, &parameters));
  EXPECT_TRUE(Eventually([&] { return seen.deleted == 1; }));
  EXPECT_EQ(seen.expired, 1);
  // At DISPATCH_LEVEL, as from a callback.
  timer = AllocateTimer(OnTimer, &seen, 0);
  EXPECT_FALSE(SetTimer(timer, -60'000 * kMillisecond, 0));
  const KIRQL old = ke::RaiseIrql(DISPATCH_LEVEL);
  EXPECT_TRUE(DeleteTimer(timer, true, false, &parameters));
  ke::LowerIrql(old);
  EXPECT_TRUE(Eventually([&] { return seen.deleted == 2; }));
  EXPECT_EQ(seen.expired, 1);
}

// --- callback objects
// ---------------------------------------------------------------------------------------------------------

std::vector<int> g_order;
VOID NTIO_MS_ABI Note(PVOID context, PVOID argument1, PVOID argument2) {
  EXPECT_EQ(argument1, reinterpret_cast<PVOID>(1));
  EXPECT_EQ(argument2, reinterpret_cast<PVOID>(2));
  g_order.push_back(static_cast<int>(reinterpret_cast<intptr_t>(context)));
}

NTSTATUS Create(const char16_t* name, CALLBACK_OBJECT** callback, bool create, bool multiple) {
  UNICODE_STRING path{};
  path.Buffer = const_cast<WCHAR*>(name);
  path.Length = path.MaximumLength = static_cast<USHORT>(std::char_traits<char16_t>::length(name) * sizeof(WCHAR));
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, name[0] ? &path : nullptr, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
  return CreateCallback(callback, &attributes, create, multiple);
}

TEST_F(ExObjects, Callback_CallsInOrderOfRegistration) {
  CALLBACK_OBJECT *callback, *again, *none;
  EXPECT_EQ(Create(u"\\Callback\\Toy", &none, false, true), STATUS_OBJECT_NAME_NOT_FOUND);
  EXPECT_EQ(Create(u"", &none, true, true), STATUS_UNSUCCESSFUL);
  ASSERT_EQ(Create(u"\\Callback\\Toy", &callback, true, true), STATUS_SUCCESS);
  ASSERT_EQ(Create(u"\\callback\\toy", &again, true, false), STATUS_SUCCESS);
  EXPECT_EQ(again, callback);
  ob::DereferenceObject(again);
  g_order.clear();
  void* registrations[3];
  for (intptr_t i = 0; i < 3; i++) {
    registrations[i] = RegisterCallback(callback, Note, reinterpret_cast<void*>(i));
    ASSERT_NE(registrations[i], nullptr);
  }
  NotifyCallback(callback, reinterpret_cast<void*>(1), reinterpret_cast<void*>(2));
  EXPECT_EQ(g_order, (std::vector<int>{0, 1, 2}));
  UnregisterCallback(registrations[1]);
  NotifyCallback(callback, reinterpret_cast<void*>(1), reinterpret_cast<void*>(2));
  EXPECT_EQ(g_order, (std::vector<int>{0, 1, 2, 0, 2}));
  UnregisterCallback(registrations[0]);
  UnregisterCallback(registrations[2]);
  ob::MakeTemporaryObject(callback);
  ob::DereferenceObject(callback);
  ASSERT_EQ(Create(u"\\Callback\\PowerState", &callback, false, false), STATUS_SUCCESS) << "Windows has it";
  ob::DereferenceObject(callback);
}

TEST_F(ExObjects, Callback_SingleRegistration) {
  CALLBACK_OBJECT* callback;
  ASSERT_EQ(Create(u"\\Callback\\Single", &callback, true, false), STATUS_SUCCESS);
  void* first = RegisterCallback(callback, Note, nullptr);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(RegisterCallback(callback, Note, nullptr), nullptr);
  UnregisterCallback(first);
  first = RegisterCallback(callback, Note, nullptr);
  EXPECT_NE(first, nullptr);
  UnregisterCallback(first);
  ob::MakeTemporaryObject(callback);
  ob::DereferenceObject(callback);
}

struct Slow {
  KEVENT entered, go;
  std::atomic<bool> done{false};
};
VOID NTIO_MS_ABI SlowCallback(PVOID context, PVOID, PVOID) {
  auto* slow = static_cast<Slow*>(context);
  ke::SetEvent(&slow->entered);
  ke::WaitFor(&slow->go);
  slow->done = true;
}

TEST_F(ExObjects, Callback_UnregisterWaitsForItsCall) {
  CALLBACK_OBJECT* callback;
  ASSERT_EQ(Create(u"\\Callback\\Slow", &callback, true, true), STATUS_SUCCESS);
  Slow slow;
  ke::InitializeEvent(&slow.entered, NotificationEvent, false);
  ke::InitializeEvent(&slow.go, NotificationEvent, false);
  void* registration = RegisterCallback(callback, SlowCallback, &slow);
  const auto in_machine = [](auto body) {
    return std::thread([body] {
      ke::CallIntoMachine([&] {
        ke::ServiceScope scope(nullptr, KernelMode);
        body();
      });
    });
  };
  std::thread notifier = in_machine([=] { NotifyCallback(callback, nullptr, nullptr); });
  ke::WaitFor(&slow.entered);
  std::thread opener = in_machine([&slow] {
    LARGE_INTEGER pause;
    pause.QuadPart = -20 * 10'000;
    ke::DelayExecutionThread(KernelMode, false, &pause).Ignore();
    ke::SetEvent(&slow.go);
  });
  UnregisterCallback(registration);
  EXPECT_TRUE(slow.done);
  notifier.join();
  opener.join();
  ob::MakeTemporaryObject(callback);
  ob::DereferenceObject(callback);
}

// --- pool
// -----------------------------------------------------------------------------------------------------------------------

TEST_F(ExObjects, AllocatePool3_FlagsAndParameters) {
  const auto allocate = [](POOL_FLAGS flags, const POOL_EXTENDED_PARAMETER* parameters = nullptr, ULONG count = 0) {
    void* block = AllocatePool3(flags, 100, 'tset', parameters, count);
    const bool got = block != nullptr;
    if (block) FreePool(block);
    return got;
  };
  EXPECT_TRUE(allocate(POOL_FLAG_NON_PAGED));
  EXPECT_TRUE(allocate(POOL_FLAG_PAGED | POOL_FLAG_USE_QUOTA | POOL_FLAG_SESSION));
  EXPECT_TRUE(allocate(POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_SPECIAL_POOL)) << "an optional flag";
  EXPECT_FALSE(allocate(0)) << "no type";
  EXPECT_FALSE(allocate(POOL_FLAG_PAGED | POOL_FLAG_NON_PAGED)) << "two types";
  EXPECT_FALSE(allocate(POOL_FLAG_PAGED | 0x1000)) << "a required flag that is not known";
  POOL_EXTENDED_PARAMETER parameters[2] = {};
  parameters[0].Type = PoolExtendedParameterPriority;
  parameters[1].Type = PoolExtendedParameterSecurePool;
  EXPECT_TRUE(allocate(POOL_FLAG_PAGED, parameters, 1));
  EXPECT_FALSE(allocate(POOL_FLAG_PAGED, parameters, 2)) << "there is no secure pool";
  parameters[1].Optional = 1;
  EXPECT_TRUE(allocate(POOL_FLAG_PAGED, parameters, 2));
  EXPECT_EQ(AllocatePool3(POOL_FLAG_PAGED, 0, 'tset', nullptr, 0), nullptr);
  EXPECT_EQ(AllocatePool3(POOL_FLAG_PAGED, 8, 0, nullptr, 0), nullptr);
  NTSTATUS raised = STATUS_SUCCESS;
  try {
    AllocatePool3(POOL_FLAG_RAISE_ON_FAILURE, 8, 'tset', nullptr, 0);
  } catch (const SehException& exception) {
    raised = exception.code();
  }
  EXPECT_EQ(raised, STATUS_INSUFFICIENT_RESOURCES);
}

TEST_F(ExObjects, AllocatePool2_ZeroesAndAligns) {
  for (SIZE_T bytes = 1; bytes < 5000; bytes += 37) {
    auto* dirty =
        static_cast<UCHAR*>(AllocatePool3(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, bytes, 'tset', nullptr, 0));
    std::memset(dirty, 0xFF, bytes);
    FreePool(dirty);
    auto* block =
        static_cast<UCHAR*>(AllocatePool3(POOL_FLAG_NON_PAGED | POOL_FLAG_CACHE_ALIGNED, bytes, 'tset', nullptr, 0));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u) << bytes;
    for (SIZE_T i = 0; i < bytes; i++) ASSERT_EQ(block[i], 0);
    FreePool(block);
  }
}

}  // namespace
}  // namespace nt::ex
