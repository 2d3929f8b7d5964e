// Processes.
#include <algorithm>
#include <new>

#include "src/ps/internal.h"

namespace nt::ps {
namespace {

/// The last part of a path, in ASCII, at most 15 characters: what PsGetProcessImageFileName shows.
void SetImageFileName(Process* process, const std::u16string& path) {
  const size_t slash = path.find_last_of(u"\\/");
  const size_t start = slash == std::u16string::npos ? 0 : slash + 1;
  size_t at = 0;
  for (size_t i = start; i < path.size() && at + 1 < sizeof(process->image_file_name); i++)
    process->image_file_name[at++] = path[i] < 0x80 ? static_cast<char>(path[i]) : '?';
  process->image_file_name[at] = 0;
}

}  // namespace

ULONG_PTR NewId() {
  LockGuard guard(g_state->lock);
  const ULONG_PTR id = g_state->next_id;
  g_state->next_id += 4;
  return id;
}

Status NewProcess(const std::u16string& image_path, Process* parent, Process** out) {
  void* body;
  NT_TRY(ob::CreateObject(PsProcessType, sizeof(Process), &body));
  auto* process = new (body) Process();
  ke::InitializeHeader(&process->header, ProcessObject, 0, 0);
  process->id = NewId();
  process->parent_id = parent ? parent->id : 0;
  process->exit_status = STATUS_PENDING;
  process->create_time = static_cast<LONGLONG>(host::SystemTime100ns());
  process->image_path = new std::u16string(image_path);
  SetImageFileName(process, image_path);
  process->handle_table = ob::CreateHandleTable();
  if (g_state->tokens && g_state->tokens->inherit)
    process->token = g_state->tokens->inherit(process, parent ? parent : g_state->system);
  ob::ReferenceObject(process);  // the list's, until it ends
  LockGuard guard(g_state->lock);
  g_state->processes[process->id] = process;
  *out = process;
  return STATUS_SUCCESS;
}

Process* InitialSystemProcess() { return g_state ? g_state->system : nullptr; }

Status CreateProcess(const std::u16string& image_path, Process* parent, Process** out) {
  Process* process;
  NT_TRY(NewProcess(image_path, parent ? parent : g_state->system, &process));
  const Status status = NotifyProcessCreated(process);
  if (!status.ok()) {
    TerminateProcess(process, status);
    ob::DereferenceObject(process);
    return status;
  }
  *out = process;
  return STATUS_SUCCESS;
}

void TerminateProcess(Process* process, NTSTATUS exit_status) {
  if (process->terminated.exchange(true)) return;
  if (!process->is_system) NotifyProcessEnded(process);
  process->exit_status = exit_status;
  {
    // As if a thread of its own did it: IRP_MJ_CLEANUP comes in the context of the process that ends.
    const ke::ServiceScope scope(process, KernelMode);
    ob::CloseAllHandles(process->handle_table, process);
    // After the handles: a file that is still mapped gets IRP_MJ_CLEANUP first, and IRP_MJ_CLOSE when its section lets
    // go.
    if (g_state->clean_address_space) g_state->clean_address_space(process->eprocess());
  }
  void* token = process->token.exchange(nullptr);
  if (token && g_state->tokens && g_state->tokens->release) g_state->tokens->release(token);
  {
    LockGuard guard(g_state->lock);
    g_state->processes.erase(process->id);
  }
  ke::SignalForever(&process->header);
  ob::DereferenceObject(process);
}

void SetAddressSpaceCleaner(void (*clean)(PEPROCESS process)) { g_state->clean_address_space = clean; }
void SetTokenProcedures(const TokenProcedures* procedures) { g_state->tokens = procedures; }

HANDLE GetProcessId(PEPROCESS process) { return reinterpret_cast<HANDLE>(AsProcess(process)->id); }
HANDLE GetProcessInheritedFromUniqueProcessId(PEPROCESS process) {
  return reinterpret_cast<HANDLE>(AsProcess(process)->parent_id);
}
NTSTATUS GetProcessExitStatus(PEPROCESS process) { return AsProcess(process)->exit_status; }
LONGLONG GetProcessCreateTimeQuadPart(PEPROCESS process) { return AsProcess(process)->create_time; }
const char* GetProcessImageFileName(PEPROCESS process) { return AsProcess(process)->image_file_name; }
bool IsSystemProcess(PEPROCESS process) { return AsProcess(process)->is_system; }
ULONG GetProcessSessionId(PEPROCESS) { return 0; }  // there is one session

Status LookupProcessByProcessId(HANDLE process_id, PEPROCESS* out) {
  LockGuard guard(g_state->lock);
  const auto found = g_state->processes.find(reinterpret_cast<ULONG_PTR>(process_id));
  if (found == g_state->processes.end()) return STATUS_INVALID_CID;
  ob::ReferenceObject(found->second);
  *out = found->second->eprocess();
  return STATUS_SUCCESS;
}

bool IsDiskCountersEnabled() { return true; }

void UpdateDiskCounters(PEPROCESS counted, ULONG64 bytes_read, ULONG64 bytes_written, ULONG reads, ULONG writes,
                        ULONG flushes) {
  Process* process = AsProcess(counted);
  const ULONG64 values[] = {bytes_read, bytes_written, reads, writes, flushes};
  for (size_t i = 0; i < std::size(values); i++)
    process->disk_counters[i].fetch_add(static_cast<LONGLONG>(values[i]), std::memory_order_relaxed);
}

bool GetVersion(PULONG major, PULONG minor, PULONG build, PUNICODE_STRING csd_version) {
  if (major) *major = 10;
  if (minor) *minor = 0;
  if (build) *build = 19041;
  if (csd_version) csd_version->Length = 0;
  return false;  // a free build
}

}  // namespace nt::ps
