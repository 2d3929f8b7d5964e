// Exports of processes and threads.
#include "src/ldr/export.h"
#include "src/ps/ps.h"

using namespace nt;  // NOLINT: a file of exports only

// --- current -------------------------------------------------------------------------------------------------------------------

NT_EXPORT(PEPROCESS, IoGetCurrentProcess, (), ()) { return ps::GetCurrentProcess(); }
NT_EXPORT(PEPROCESS, PsGetCurrentProcess, (), ()) { return ps::GetCurrentProcess(); }
NT_EXPORT(PETHREAD, PsGetCurrentThread, (), ()) { return ps::GetCurrentThread(); }
NT_EXPORT(HANDLE, PsGetCurrentProcessId, (), ()) { return ps::GetCurrentProcessId(); }
NT_EXPORT(HANDLE, PsGetCurrentThreadId, (), ()) { return ps::GetCurrentThreadId(); }
NT_EXPORT(PEPROCESS, PsGetCurrentThreadProcess, (), ()) { return ps::GetThreadProcess(ps::GetCurrentThread()); }
NT_EXPORT(HANDLE, PsGetCurrentThreadProcessId, (), ()) { return ps::GetThreadProcessId(ps::GetCurrentThread()); }
NT_EXPORT(ULONG, PsGetCurrentProcessSessionId, (), ()) { return ps::GetProcessSessionId(ps::GetCurrentProcess()); }

// --- processes -------------------------------------------------------------------------------------------------------------------

NT_EXPORT(HANDLE, PsGetProcessId, (PEPROCESS process), (process)) { return ps::GetProcessId(process); }
NT_EXPORT(HANDLE, PsGetProcessInheritedFromUniqueProcessId, (PEPROCESS process), (process)) {
  return ps::GetProcessInheritedFromUniqueProcessId(process);
}
NT_EXPORT(NTSTATUS, PsGetProcessExitStatus, (PEPROCESS process), (process)) { return ps::GetProcessExitStatus(process); }
NT_EXPORT(LONGLONG, PsGetProcessCreateTimeQuadPart, (PEPROCESS process), (process)) {
  return ps::GetProcessCreateTimeQuadPart(process);
}
NT_EXPORT(PUCHAR, PsGetProcessImageFileName, (PEPROCESS process), (process)) {
  return reinterpret_cast<PUCHAR>(const_cast<char*>(ps::GetProcessImageFileName(process)));
}
NT_EXPORT(ULONG, PsGetProcessSessionId, (PEPROCESS process), (process)) { return ps::GetProcessSessionId(process); }
NT_EXPORT(BOOLEAN, PsIsSystemProcess, (PEPROCESS process), (process)) { return ps::IsSystemProcess(process); }
// There are no protected and no 32-bit processes.
NT_EXPORT(BOOLEAN, PsIsProtectedProcess, (PEPROCESS process), (process)) {
  static_cast<void>(process);
  return FALSE;
}
NT_EXPORT(BOOLEAN, PsIsProtectedProcessLight, (PEPROCESS process), (process)) {
  static_cast<void>(process);
  return FALSE;
}
NT_EXPORT(PVOID, PsGetProcessWow64Process, (PEPROCESS process), (process)) {
  static_cast<void>(process);
  return nullptr;
}
NT_EXPORT(NTSTATUS, PsLookupProcessByProcessId, (HANDLE id, PEPROCESS* process), (id, process)) {
  return ps::LookupProcessByProcessId(id, process);
}
NT_EXPORT(BOOLEAN, PsIsDiskCountersEnabled, (), ()) { return ps::IsDiskCountersEnabled(); }
NT_EXPORT(VOID, PsUpdateDiskCounters,
          (PEPROCESS process, ULONG64 bytes_read, ULONG64 bytes_written, ULONG reads, ULONG writes, ULONG flushes),
          (process, bytes_read, bytes_written, reads, writes, flushes)) {
  ps::UpdateDiskCounters(process, bytes_read, bytes_written, reads, writes, flushes);
}
NT_EXPORT(BOOLEAN, PsGetVersion, (PULONG major, PULONG minor, PULONG build, PUNICODE_STRING csd_version),
          (major, minor, build, csd_version)) {
  return ps::GetVersion(major, minor, build, csd_version);
}

// --- threads -----------------------------------------------------------------------------------------------------------------------

NT_EXPORT(NTSTATUS, PsCreateSystemThread,
          (PHANDLE handle, ULONG access, POBJECT_ATTRIBUTES attributes, HANDLE process, PCLIENT_ID client_id,
           PKSTART_ROUTINE start, PVOID context),
          (handle, access, attributes, process, client_id, start, context)) {
  return ps::CreateSystemThread(handle, access, attributes, process, client_id, start, context);
}
NT_EXPORT(NTSTATUS, PsTerminateSystemThread, (NTSTATUS exit_status), (exit_status)) {
  return ps::TerminateSystemThread(exit_status);
}
NT_EXPORT(HANDLE, PsGetThreadId, (PETHREAD thread), (thread)) { return ps::GetThreadId(thread); }
NT_EXPORT(HANDLE, PsGetThreadProcessId, (PETHREAD thread), (thread)) { return ps::GetThreadProcessId(thread); }
NT_EXPORT(PEPROCESS, PsGetThreadProcess, (PETHREAD thread), (thread)) { return ps::GetThreadProcess(thread); }
NT_EXPORT(PEPROCESS, IoThreadToProcess, (PETHREAD thread), (thread)) { return ps::GetThreadProcess(thread); }
NT_EXPORT(NTSTATUS, PsGetThreadExitStatus, (PETHREAD thread), (thread)) { return ps::GetThreadExitStatus(thread); }
NT_EXPORT(LONGLONG, PsGetThreadCreateTime, (PETHREAD thread), (thread)) { return ke::AsThread(thread)->create_time; }
NT_EXPORT(BOOLEAN, PsIsSystemThread, (PETHREAD thread), (thread)) { return ps::IsSystemThread(thread); }
NT_EXPORT(BOOLEAN, IoIsSystemThread, (PETHREAD thread), (thread)) { return ps::IsSystemThread(thread); }
NT_EXPORT(BOOLEAN, PsIsThreadTerminating, (PETHREAD thread), (thread)) { return ps::IsThreadTerminating(thread); }
NT_EXPORT(NTSTATUS, PsLookupThreadByThreadId, (HANDLE id, PETHREAD* thread), (id, thread)) {
  return ps::LookupThreadByThreadId(id, thread);
}

// --- notify routines ---------------------------------------------------------------------------------------------------------------------

NT_EXPORT(NTSTATUS, PsSetCreateProcessNotifyRoutine, (PCREATE_PROCESS_NOTIFY_ROUTINE routine, BOOLEAN remove),
          (routine, remove)) {
  return ps::SetCreateProcessNotifyRoutine(routine, remove);
}
NT_EXPORT(NTSTATUS, PsSetCreateProcessNotifyRoutineEx, (PCREATE_PROCESS_NOTIFY_ROUTINE_EX routine, BOOLEAN remove),
          (routine, remove)) {
  return ps::SetCreateProcessNotifyRoutineEx(routine, remove);
}
NT_EXPORT(NTSTATUS, PsSetCreateProcessNotifyRoutineEx2,
          (PSCREATEPROCESSNOTIFYTYPE type, PVOID routine, BOOLEAN remove), (type, routine, remove)) {
  if (type != PsCreateProcessNotifySubsystems) return STATUS_INVALID_PARAMETER;
  return ps::SetCreateProcessNotifyRoutineEx(reinterpret_cast<PCREATE_PROCESS_NOTIFY_ROUTINE_EX>(routine), remove);
}
NT_EXPORT_PARTIAL(NTSTATUS, PsSetCreateThreadNotifyRoutine, (PCREATE_THREAD_NOTIFY_ROUTINE routine), (routine),
                  "called for system threads only") {
  return ps::SetCreateThreadNotifyRoutine(routine);
}
NT_EXPORT(NTSTATUS, PsRemoveCreateThreadNotifyRoutine, (PCREATE_THREAD_NOTIFY_ROUTINE routine), (routine)) {
  return ps::RemoveCreateThreadNotifyRoutine(routine);
}
NT_EXPORT_PARTIAL(NTSTATUS, PsSetLoadImageNotifyRoutine, (PLOAD_IMAGE_NOTIFY_ROUTINE routine), (routine),
                  "called for driver images only") {
  return ps::SetLoadImageNotifyRoutine(routine);
}
NT_EXPORT(NTSTATUS, PsRemoveLoadImageNotifyRoutine, (PLOAD_IMAGE_NOTIFY_ROUTINE routine), (routine)) {
  return ps::RemoveLoadImageNotifyRoutine(routine);
}
