// Boot and shutdown: the types Process and Thread, the System process, the factory of thread objects.
#include "src/ps/internal.h"

extern "C" {
POBJECT_TYPE PsProcessType = nullptr;
POBJECT_TYPE PsThreadType = nullptr;
PEPROCESS PsInitialSystemProcess = nullptr;
}

namespace nt::ps {

State* g_state = nullptr;

namespace {

void RemoveProcess(void* object) {
  auto* process = static_cast<Process*>(object);
  CHECK_MSG(process->terminated, "a process is freed that did not end");
  ob::DeleteHandleTable(process->handle_table);
  delete process->image_path;
  process->~Process();
}

void RemoveThread(void* object) {
  auto* thread = static_cast<ke::Thread*>(object);
  ps::Process* process = thread->home_process.load(std::memory_order_relaxed);
  if (thread->system_thread && process) ob::DereferenceObject(process);
  thread->~Thread();
}

ke::Thread* CreateThreadObject() {
  void* body;
  return ob::CreateObject(PsThreadType, sizeof(ke::Thread), &body).ok() ? static_cast<ke::Thread*>(body) : nullptr;
}

void ReleaseThreadObject(ke::Thread* thread) { ob::DereferenceObject(thread); }

void ThreadAttached(ke::Thread* thread) {
  if (!thread->process.load(std::memory_order_relaxed)) {
    thread->process.store(g_state->system, std::memory_order_relaxed);
    thread->home_process.store(g_state->system, std::memory_order_relaxed);
    if (thread->system_thread) ob::ReferenceObject(g_state->system);  // as Launch does; RemoveThread drops it
  }
  if (!thread->cid.UniqueThread) RegisterThread(thread);
}

constexpr ke::ThreadFactory kFactory = {CreateThreadObject, ReleaseThreadObject, ThreadAttached};

}  // namespace

Status Boot() {
  CHECK(!g_state);
  ob::TypeProcedures process_procedures;
  process_procedures.remove = RemoveProcess;
  ob::TypeProcedures thread_procedures;
  thread_procedures.remove = RemoveThread;
  constexpr GENERIC_MAPPING process_mapping = {
      STANDARD_RIGHTS_READ | PROCESS_VM_READ | PROCESS_QUERY_INFORMATION,
      STANDARD_RIGHTS_WRITE | PROCESS_CREATE_PROCESS | PROCESS_CREATE_THREAD | PROCESS_VM_OPERATION | PROCESS_VM_WRITE |
          PROCESS_DUP_HANDLE | PROCESS_TERMINATE | PROCESS_SET_QUOTA | PROCESS_SET_INFORMATION,
      STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_ALL_ACCESS};
  constexpr GENERIC_MAPPING thread_mapping = {
      STANDARD_RIGHTS_READ | THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION,
      STANDARD_RIGHTS_WRITE | THREAD_TERMINATE | THREAD_SUSPEND_RESUME | THREAD_ALERT | THREAD_SET_INFORMATION |
          THREAD_SET_CONTEXT,
      STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE | THREAD_QUERY_LIMITED_INFORMATION, THREAD_ALL_ACCESS};
  NT_TRY(ob::CreateType(u"Process", process_procedures, process_mapping, PROCESS_ALL_ACCESS, &PsProcessType));
  NT_TRY(ob::CreateType(u"Thread", thread_procedures, thread_mapping, THREAD_ALL_ACCESS, &PsThreadType));
  g_state = new State;
  Status status = NewProcess(u"System", nullptr, &g_state->system);
  if (!status.ok()) {
    delete std::exchange(g_state, nullptr);
    return status;
  }
  g_state->system->is_system = true;
  PsInitialSystemProcess = g_state->system->eprocess();
  ke::SetThreadFactory(&kFactory);
  ke::AddThreadExitHook(UnregisterThread);
  return STATUS_SUCCESS;
}

void Shutdown() {
  if (!g_state || ke::HasBugChecked()) return;
  ReapHostThreads(true);
  for (;;) {
    Process* left = nullptr;
    {
      LockGuard guard(g_state->lock);
      for (auto& [id, process] : g_state->processes)
        if (process != g_state->system) left = process;
    }
    if (!left) break;
    TerminateProcess(left, STATUS_SUCCESS);
  }
  ClearNotifyRoutines();
  Process* system = g_state->system;
  TerminateProcess(system, STATUS_SUCCESS);
  ke::SetThreadFactory(nullptr);
  ke::RemoveThreadExitHook(UnregisterThread);
  PsInitialSystemProcess = nullptr;
  ob::DereferenceObject(system);
  delete std::exchange(g_state, nullptr);
  PsProcessType = PsThreadType = nullptr;
}

}  // namespace nt::ps
