// System threads, and the identity of all threads.
//
// A system thread runs on a host thread of its own. PsTerminateSystemThread jumps to its base without unwinding the driver's
// frames, as on Windows.
#include <csetjmp>

#include "src/ps/internal.h"

namespace nt::ps {
namespace {

thread_local std::jmp_buf* t_base = nullptr;  // of a system thread

struct Start {
  ke::Thread* thread;
  PKSTART_ROUTINE driver_routine;
  void (*runtime_routine)(void*);
  void* context;
  HostThread* host_thread;
};

void Call(const Start& start) {
  // As in ke::CallIntoMachine: a driver's exception is reported at its raise, only the runtime's own arrive here.
  try {
    if (start.driver_routine) CallDriver(start.driver_routine, start.context);
    else start.runtime_routine(start.context);
  } catch (...) {
    try {
      throw;
    } catch (const SehException& exception) {
      ke::BugCheckWithMessage("an exception escapes from a system thread", SYSTEM_THREAD_EXCEPTION_NOT_HANDLED,
                              static_cast<ULONG_PTR>(static_cast<LONG_PTR>(exception.code())),
                              reinterpret_cast<ULONG_PTR>(exception.record().ExceptionAddress));
    }
  }
}

/// Runs until the start routine returns or terminates the thread.
[[gnu::noinline]] void RunOnBase(const Start& start) {
  std::jmp_buf base;
  if (_setjmp(base) == 0) {
    t_base = &base;
    Call(start);
  }
  t_base = nullptr;
}

/// Where a switched off thread goes (ke/switch_off.h).
void Vanish() {
  CHECK(t_base);
  std::longjmp(*t_base, 1);
}

void Run(const Start& start) {
  ke::Thread* thread = start.thread;
  ke::AttachThread(thread, true);
  thread->service_depth = 1;  // services that it calls are nested
  thread->in_machine.store(1, std::memory_order_seq_cst);
  {
    ke::AccountedStack stack;
    NotifyThread(thread, true);
    RunOnBase(start);
    NotifyThread(thread, false);
  }
  if (thread->exit_status == STATUS_PENDING) thread->exit_status = STATUS_SUCCESS;
  thread->home_process.load(std::memory_order_relaxed)->thread_count.fetch_sub(1);
  ke::DetachCurrentThread();
  start.host_thread->ended.store(true, std::memory_order_release);
}

/// @param thread  its object, with one reference for the caller
Status Launch(const char* name, Process* process, PKSTART_ROUTINE driver_routine, void (*runtime_routine)(void*),
              void* context, ke::Thread** out) {
  ReapHostThreads(false);
  void* body;
  NT_TRY(ob::CreateObject(PsThreadType, sizeof(ke::Thread), &body));
  auto* thread = static_cast<ke::Thread*>(body);
  ke::InitializeThread(thread, process);
  ob::ReferenceObject(process);  // goes with the thread's object
  thread->system_thread = true;
  if (driver_routine) thread->vanish = Vanish;
  RegisterThread(thread);
  ob::ReferenceObject(thread);  // the running thread's
  process->thread_count.fetch_add(1);
  auto host_thread = std::make_unique<HostThread>();
  host_thread->id = reinterpret_cast<ULONG_PTR>(thread->cid.UniqueThread);
  host_thread->start_address = reinterpret_cast<uintptr_t>(driver_routine);
  const Start start = {thread, driver_routine, runtime_routine, context, host_thread.get()};
  // The vector's lock is held over the start, so that nobody reaps before the thread is known.
  LockGuard guard(g_state->lock);
  host_thread->thread = host::Thread::Start(name, ke::SystemThreadStackBytes(), [start] { Run(start); });
  if (!host_thread->thread) {
    process->thread_count.fetch_sub(1);
    g_state->threads.erase(host_thread->id);
    ob::DereferenceObject(thread);
    ob::DereferenceObject(thread);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  g_state->host_threads.push_back(std::move(host_thread));
  *out = thread;
  return STATUS_SUCCESS;
}

}  // namespace

void RegisterThread(ke::Thread* thread) {
  const ULONG_PTR id = NewId();
  thread->cid.UniqueThread = reinterpret_cast<HANDLE>(id);
  thread->cid.UniqueProcess = reinterpret_cast<HANDLE>(thread->home_process.load(std::memory_order_relaxed)->id);
  LockGuard guard(g_state->lock);
  g_state->threads[id] = thread;
}

void UnregisterThread(ke::Thread* thread) {
  if (!thread->cid.UniqueThread) return;
  LockGuard guard(g_state->lock);
  g_state->threads.erase(reinterpret_cast<ULONG_PTR>(thread->cid.UniqueThread));
}

void ReapHostThreads(bool wait) {
  uint64_t complaint = host::MonotonicNanoseconds() + 10'000'000'000;
  for (;;) {
    std::vector<std::unique_ptr<HostThread>> ended;
    ULONG_PTR running = 0;
    {
      LockGuard guard(g_state->lock);
      auto& all = g_state->host_threads;
      for (size_t i = 0; i < all.size();) {
        if (!all[i]->ended.load(std::memory_order_acquire)) {
          running = all[i++]->id;
          continue;
        }
        ended.push_back(std::move(all[i]));
        all[i] = std::move(all.back());
        all.pop_back();
      }
    }
    for (auto& thread : ended) thread->thread->Join();
    if (!wait || running == 0) return;
    if (host::MonotonicNanoseconds() > complaint) {
      const std::string text = "ntio: shutdown waits for system thread " + std::to_string(running) + "\n";
      host::WriteError(text.data(), text.size());
      complaint = host::kForever;
    }
    LARGE_INTEGER millisecond;
    millisecond.QuadPart = -10'000;
    ke::DelayExecutionThread(KernelMode, false, &millisecond).Ignore();  // kernel, not alertable
  }
}

bool SwitchOffThreads(uintptr_t low, size_t bytes, unsigned patience_seconds) {
  const uint64_t deadline = host::MonotonicNanoseconds() + patience_seconds * 1'000'000'000ull;
  for (;;) {
    bool running = false;
    {
      LockGuard guard(g_state->lock);
      for (const auto& host_thread : g_state->host_threads) {
        if (host_thread->start_address - low >= bytes || host_thread->ended.load(std::memory_order_acquire)) continue;
        running = true;
        // Unregistered, under this lock, before it goes.
        const auto found = g_state->threads.find(host_thread->id);
        if (found != g_state->threads.end()) ke::SwitchOff(found->second);
      }
    }
    if (!running) return true;
    if (host::MonotonicNanoseconds() > deadline) return false;
    LARGE_INTEGER millisecond;
    millisecond.QuadPart = -10'000;
    ke::DelayExecutionThread(KernelMode, false, &millisecond).Ignore();  // a pause
  }
}

Status CreateSystemThread(PHANDLE handle, ULONG access, POBJECT_ATTRIBUTES attributes, HANDLE process_handle,
                          PCLIENT_ID client_id, PKSTART_ROUTINE start, void* context) {
  Process* process = g_state->system;
  if (process_handle) {
    void* object;
    NT_TRY(ob::ReferenceObjectByHandle(process_handle, PROCESS_CREATE_THREAD, PsProcessType, KernelMode, &object, nullptr));
    process = static_cast<Process*>(object);
  } else {
    ob::ReferenceObject(process);
  }
  ke::Thread* thread;
  Status status = Launch("system", process, start, nullptr, context, &thread);
  ob::DereferenceObject(process);
  if (!status.ok()) return status;
  if (client_id) *client_id = thread->cid;
  if (handle) {
    const ULONG flags = attributes ? attributes->Attributes : 0;
    status = ob::InsertHandle(thread, ob::MapAccess(PsThreadType, access), flags, handle);
  }
  ob::DereferenceObject(thread);
  return status;
}

Status CreateRuntimeThread(const char* name, void (*start)(void*), void* context, ke::Thread** thread) {
  return Launch(name, g_state->system, nullptr, start, context, thread);
}

Status TerminateSystemThread(NTSTATUS exit_status) {
  ke::Thread* thread = ke::CurrentThread();
  if (!thread->system_thread || !t_base) return STATUS_INVALID_PARAMETER;
  thread->exit_status = exit_status;
  std::longjmp(*t_base, 1);
}

HANDLE GetCurrentProcessId() { return ke::CurrentThread()->cid.UniqueProcess; }
HANDLE GetCurrentThreadId() { return ke::CurrentThread()->cid.UniqueThread; }
HANDLE GetThreadId(PETHREAD thread) { return ke::AsThread(thread)->cid.UniqueThread; }
HANDLE GetThreadProcessId(PETHREAD thread) { return ke::AsThread(thread)->cid.UniqueProcess; }
PEPROCESS GetThreadProcess(PETHREAD thread) { return ke::AsThread(thread)->home_process.load(std::memory_order_relaxed)->eprocess(); }
NTSTATUS GetThreadExitStatus(PETHREAD thread) { return ke::AsThread(thread)->exit_status; }
bool IsSystemThread(PETHREAD thread) { return ke::AsThread(thread)->system_thread; }
bool IsThreadTerminating(PETHREAD thread) { return ke::AsThread(thread)->terminating.load(std::memory_order_acquire); }

Status LookupThreadByThreadId(HANDLE thread_id, PETHREAD* out) {
  LockGuard guard(g_state->lock);
  const auto found = g_state->threads.find(reinterpret_cast<ULONG_PTR>(thread_id));
  if (found == g_state->threads.end()) return STATUS_INVALID_CID;
  ob::ReferenceObject(found->second);
  *out = found->second->ethread();
  return STATUS_SUCCESS;
}

}  // namespace nt::ps
