// Threads: first state, attachment to host threads, the registry, the end.
//
// The registry lists every attached Thread. It is process-wide and guarded by a spin flag, since a bug check walks it while any
// lock may be held, and since a host thread may exit while its machine shuts down. A host thread's variable t_current_thread
// is cleared by whoever takes its Thread out of the registry.
#include <cxxabi.h>

#include <exception>
#include <new>

#include "src/ke/internal.h"

namespace nt::ke {

NTIO_FAST_TLS constinit thread_local std::atomic<Thread*> t_current_thread{nullptr};

namespace {

std::atomic_flag g_registry_busy = ATOMIC_FLAG_INIT;
LIST_ENTRY g_threads = {&g_threads, &g_threads};
std::atomic<int> g_detaching{0};
std::atomic<uint32_t> g_next_processor{0};

class RegistryScope {
 public:
  RegistryScope() {
    while (g_registry_busy.test_and_set(std::memory_order_acquire)) host::Yield();
  }
  ~RegistryScope() { g_registry_busy.clear(std::memory_order_release); }
  RegistryScope(const RegistryScope&) = delete;
  RegistryScope& operator=(const RegistryScope&) = delete;
};

constexpr std::align_val_t kAlignment{64};

/// The counter behind std::uncaught_exceptions(). Its place is the Itanium C++ ABI's (2.2.2, __cxa_eh_globals).
const unsigned* ExceptionsInFlight() {
  struct Globals {
    void* caught;
    unsigned uncaught;
  };
  const unsigned* counter = &reinterpret_cast<Globals*>(abi::__cxa_get_globals())->uncaught;
  CHECK(*counter == static_cast<unsigned>(std::uncaught_exceptions()));
  return counter;
}

Thread* NewEarlyThread() {
  auto* thread = static_cast<Thread*>(::operator new(sizeof(Thread), kAlignment));
  InitializeThread(thread, nullptr);
  thread->early = true;
  return thread;
}

void Release(Thread* thread, const ThreadFactory* factory) {
  if (thread->early) {
    thread->~Thread();
    ::operator delete(thread, kAlignment);
  } else {
    factory->release(thread);
  }
}

/// What every thread leaves behind. The Thread is still current, or belongs to a host thread outside the machine.
void EndThread(Thread* thread) {
  State& state = TheState();
  if (thread->irql != PASSIVE_LEVEL)
    BugCheckWithMessage("a thread ends above PASSIVE_LEVEL", IRQL_GT_ZERO_AT_SYSTEM_SERVICE, 0, thread->irql);
  thread->terminating.store(true, std::memory_order_release);
  for (unsigned i = 0; i < state.exit_hook_count; i++) state.exit_hooks[i](thread);
  RundownApcs(thread);
  KMUTANT* held;
  {
    Dispatcher dispatcher;
    held = AbandonMutantsLocked(thread, dispatcher.wakes);
    if (thread->queue) LeaveQueueLocked(thread, dispatcher.wakes);
  }
  if (held && !thread->switched_off.load(std::memory_order_relaxed))
    BugCheckWithMessage("a thread ends while it holds a mutex", kThreadTerminateHeldMutex,
                        reinterpret_cast<ULONG_PTR>(thread), reinterpret_cast<ULONG_PTR>(held));
  thread->resource_holdings.Trim();
}

/// Detaches a host thread when it exits.
struct Detacher {
  ~Detacher() {
    Thread* thread;
    {
      RegistryScope registry;
      thread = CurrentThreadOrNull();
      if (!thread || HasBugChecked()) return;
      ListRemove(&thread->registry_entry);
      g_detaching.fetch_add(1, std::memory_order_relaxed);
    }
    EndThread(thread);
    const ThreadFactory* factory = TheState().factory;
    Release(thread, factory);
    t_current_thread.store(nullptr, std::memory_order_relaxed);
    g_detaching.fetch_sub(1, std::memory_order_release);
  }
  void Touch() {}
};
thread_local Detacher t_detacher;

void DetachOthers(Thread* keep) {
  const ThreadFactory* factory = TheState().factory;
  for (;;) {
    Thread* thread = nullptr;
    {
      RegistryScope registry;
      for (LIST_ENTRY* entry = g_threads.Flink; entry != &g_threads; entry = entry->Flink) {
        auto* at = CONTAINING_RECORD(entry, Thread, registry_entry);
        if (at == keep) continue;
        thread = at;
        break;
      }
      if (thread) {
        CHECK_MSG(!thread->system_thread, "a system thread still runs at shutdown");
        CHECK_MSG(thread->in_machine.load() == 0, "a thread is inside the machine at shutdown");
        ListRemove(&thread->registry_entry);
        thread->current_slot->store(nullptr, std::memory_order_relaxed);
      }
    }
    if (!thread) break;
    EndThread(thread);
    Release(thread, factory);
  }
  while (g_detaching.load(std::memory_order_acquire) != 0) host::Yield();
}

}  // namespace

void InitializeThread(Thread* storage, ps::Process* process) {
  Thread* thread = new (storage) Thread();
  InitializeHeader(&thread->header, ThreadObject, 0, 0);
  thread->process.store(process, std::memory_order_relaxed);
  thread->home_process.store(process, std::memory_order_relaxed);
  thread->previous_mode = KernelMode;
  thread->exit_status = STATUS_PENDING;
  thread->create_time = static_cast<LONGLONG>(host::SystemTime100ns());
  for (auto* list : {&thread->irp_list, &thread->apc_list[KernelMode], &thread->apc_list[UserMode], &thread->mutant_list})
    ListInit(list);
  thread->wait_word.store(kAwake, std::memory_order_relaxed);
  thread->apc_queueable = true;
  thread->processor = -1;
  thread->affinity = TheState().active;
  thread->priority = 8;
  thread->last_processor = g_next_processor.fetch_add(1, std::memory_order_relaxed) % TheState().processor_count;
  auto& pcr = thread->pcr;
  pcr.self = &pcr;
  pcr.current_prcb = &pcr.mxcsr;
  pcr.mxcsr = 0x1f80;
  pcr.processor_number = pcr.prcb_number = thread->last_processor;
  pcr.current_thread = thread;
}

void AttachThread(Thread* thread, bool system_thread) {
  CHECK_MSG(g_state, "a thread enters the machine, but none is booted");
  CHECK_MSG(!CurrentThreadOrNull(), "a host thread is attached twice");
  if (!thread) thread = NewEarlyThread();
  thread->system_thread = system_thread;
  thread->current_slot = &t_current_thread;
  thread->exceptions_in_flight = ExceptionsInFlight();
  host::CurrentStackBounds(&thread->host_stack_low, &thread->host_stack_high);
  thread->stack_base = thread->host_stack_high;
  thread->stack_limit = thread->host_stack_low;
  host::PrepareThreadForFaults();
  host::SetGsBase(&thread->pcr);
  t_current_thread.store(thread, std::memory_order_relaxed);
  if (!thread->early && TheState().factory->attached) TheState().factory->attached(thread);
  if (!system_thread) t_detacher.Touch();
  RegistryScope registry;
  ListPushBack(&g_threads, &thread->registry_entry);
}

Thread* AttachCurrentThread() {
  ParkIfBugChecked();
  CHECK_MSG(g_state, "a thread enters the machine, but none is booted");
  Thread* thread = nullptr;
  if (const ThreadFactory* factory = g_state->factory) {
    thread = factory->create();
    CHECK_MSG(thread, "no memory for a thread object");
    InitializeThread(thread, nullptr);
  }
  AttachThread(thread, false);
  return CurrentThreadOrNull();
}

void DetachCurrentThread() {
  Thread* thread = CurrentThreadOrNull();
  CHECK(thread);
  EndThread(thread);
  const ThreadFactory* factory = TheState().factory;
  {
    RegistryScope registry;
    ListRemove(&thread->registry_entry);
  }
  // The waiters of a system thread may go on to shut the machine down, up to joining this host thread.
  if (thread->system_thread) SignalForever(&thread->header);
  Release(thread, factory);  // still current: ob asks for its IRQL
  t_current_thread.store(nullptr, std::memory_order_relaxed);
}

void AddThreadExitHook(ThreadExitHook hook) {
  State& state = TheState();
  CHECK(state.exit_hook_count < std::size(state.exit_hooks));
  state.exit_hooks[state.exit_hook_count++] = hook;
}

void RemoveThreadExitHook(ThreadExitHook hook) {
  State& state = TheState();
  for (unsigned i = 0; i < state.exit_hook_count; i++) {
    if (state.exit_hooks[i] != hook) continue;
    for (unsigned k = i; k + 1 < state.exit_hook_count; k++) state.exit_hooks[k] = state.exit_hooks[k + 1];
    state.exit_hook_count--;
    return;
  }
}

void SetThreadFactory(const ThreadFactory* factory) {
  State& state = TheState();
  StopServiceThread();
  Thread* current = CurrentThread();
  CHECK_MSG(current->service_depth == 0, "ps boots or shuts down inside a service");
  DetachOthers(current);
  DetachCurrentThread();
  state.factory = factory;
  AttachCurrentThread();
}

void AttachBootThread() {
  CHECK(!CurrentThreadOrNull());
  AttachThread(nullptr, false);
}

void DetachAllThreads() {
  Thread* current = CurrentThread();
  DetachOthers(current);
  DetachCurrentThread();
}

void WakeAllForBugCheck() {
  RegistryScope registry;
  for (LIST_ENTRY* entry = g_threads.Flink; entry != &g_threads; entry = entry->Flink) {
    auto* thread = CONTAINING_RECORD(entry, Thread, registry_entry);
    thread->wait_word.store(kParked, std::memory_order_release);
    host::WakeAddress(&thread->wait_word, 1);
  }
}

}  // namespace nt::ke
