// One-time initialization. The word holds the context; its two low bits the state: 0 not begun, 1 in progress, 2 done,
// 3 in progress by several (asynchronous). Waiters for a synchronous initialization sleep on one generation counter,
// shared by all run-once words: contention is rare and the word itself is the driver's.
#include <atomic>

#include "src/host/host.h"
#include "src/ldr/call.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr ULONG_PTR kStateMask = (1 << RTL_RUN_ONCE_CTX_RESERVED_BITS) - 1;
constexpr ULONG_PTR kIdle = 0, kBusy = 1, kDone = 2, kBusyAsync = 3;

std::atomic<uint32_t> g_generation{0};

std::atomic_ref<ULONG_PTR> Word(PRTL_RUN_ONCE once) {
  return std::atomic_ref<ULONG_PTR>(*reinterpret_cast<ULONG_PTR*>(once));
}

void WakeWaiters() {
  g_generation.fetch_add(1);
  host::WakeAddress(&g_generation, 0x7FFFFFFF);
}

}  // namespace

void RunOnceInitialize(PRTL_RUN_ONCE once) { once->Ptr = nullptr; }

Status RunOnceBeginInitialize(PRTL_RUN_ONCE once, ULONG flags, PVOID* context) {
  if ((flags & ~(RTL_RUN_ONCE_CHECK_ONLY | RTL_RUN_ONCE_ASYNC)) ||
      flags == (RTL_RUN_ONCE_CHECK_ONLY | RTL_RUN_ONCE_ASYNC))
    return STATUS_INVALID_PARAMETER;
  const ULONG_PTR wanted = (flags & RTL_RUN_ONCE_ASYNC) ? kBusyAsync : kBusy;
  for (;;) {
    const uint32_t generation = g_generation.load();
    ULONG_PTR value = Word(once).load(std::memory_order_acquire);
    if ((value & kStateMask) == kDone) {
      if (context) *context = reinterpret_cast<PVOID>(value & ~kStateMask);
      return STATUS_SUCCESS;
    }
    if (flags & RTL_RUN_ONCE_CHECK_ONLY) return STATUS_UNSUCCESSFUL;
    if ((value & kStateMask) == kIdle) {
      if (Word(once).compare_exchange_strong(value, wanted)) return STATUS_PENDING;
      continue;
    }
    if ((value & kStateMask) != wanted) return STATUS_INVALID_PARAMETER;  // synchronous and asynchronous mixed
    if (wanted == kBusyAsync) return STATUS_PENDING;
    host::WaitOnAddress(&g_generation, generation, host::kForever);
  }
}

Status RunOnceComplete(PRTL_RUN_ONCE once, ULONG flags, PVOID context) {
  const bool async = flags & RTL_RUN_ONCE_ASYNC, failed = flags & RTL_RUN_ONCE_INIT_FAILED;
  if ((flags & ~(RTL_RUN_ONCE_ASYNC | RTL_RUN_ONCE_INIT_FAILED)) || (async && failed) ||
      (reinterpret_cast<ULONG_PTR>(context) & kStateMask) || (failed && context))
    return STATUS_INVALID_PARAMETER;
  ULONG_PTR expected = async ? kBusyAsync : kBusy;
  const ULONG_PTR done = failed ? kIdle : reinterpret_cast<ULONG_PTR>(context) | kDone;
  if (!Word(once).compare_exchange_strong(expected, done, std::memory_order_acq_rel)) {
    // Of several asynchronous initializers the first wins.
    return async && (expected & kStateMask) == kDone ? STATUS_OBJECT_NAME_COLLISION : STATUS_UNSUCCESSFUL;
  }
  if (!async) WakeWaiters();
  return STATUS_SUCCESS;
}

Status RunOnceExecuteOnce(PRTL_RUN_ONCE once, PRTL_RUN_ONCE_INIT_FN init, PVOID parameter, PVOID* context) {
  const Status begun = RunOnceBeginInitialize(once, 0, context);
  if (begun != STATUS_PENDING) return begun;
  // An exception of the driver's routine, too, lets the next caller try.
  struct Failure {
    PRTL_RUN_ONCE once;
    ~Failure() {
      if (once) RunOnceComplete(once, RTL_RUN_ONCE_INIT_FAILED, nullptr).Ignore();  // we hold it: cannot fail
    }
  } failure{once};
  PVOID made = nullptr;
  if (!CallDriver(init, once, parameter, &made)) return STATUS_UNSUCCESSFUL;
  NT_TRY(RunOnceComplete(once, 0, made));
  failure.once = nullptr;
  if (context) *context = made;
  return STATUS_SUCCESS;
}

}  // namespace nt::rtl
