// Processes and system threads. A Process is the EPROCESS: drivers hold its address as PEPROCESS or PKPROCESS.
//
// Life of a Process: created (one reference for the creator, one that its termination drops), terminated (notify
// routines run, handles are closed, views unmapped, the header is signalled), freed with the last reference.
#pragma once

#include <atomic>
#include <string>

#include "ntifs.h"
#include "src/base/lock.h"
#include "src/base/status.h"
#include "src/ke/thread.h"

namespace nt::ob {
class HandleTable;
}

namespace nt::ps {

struct Process {
  DISPATCHER_HEADER header;             // ProcessObject; signalled when it ends
  LIST_ENTRY list_entry;                // of live processes
  ULONG_PTR id;                         // a multiple of 4, unique in the machine; System is 4
  ULONG_PTR parent_id;
  ob::HandleTable* handle_table;        // made at creation, closed at termination
  std::atomic<void*> token;             // se's: the primary token, referenced
  LONGLONG create_time;                 // system time
  std::atomic<NTSTATUS> exit_status;    // STATUS_PENDING while it lives
  std::atomic<bool> terminated;
  bool is_system;
  std::atomic<LONG> thread_count;       // system threads that run in it
  std::atomic<LONGLONG> disk_counters[5];  // bytes read, bytes written, reads, writes, flushes (PsUpdateDiskCounters)
  char image_file_name[16];             // PsGetProcessImageFileName: at most 15 characters
  std::u16string* image_path;           // full name given by the embedder
  void* component_data[4];              // io, cc, mm, flt in this order

  PKPROCESS nt() { return reinterpret_cast<PKPROCESS>(this); }
  PEPROCESS eprocess() { return reinterpret_cast<PEPROCESS>(this); }
};

inline Process* AsProcess(PEPROCESS process) { return reinterpret_cast<Process*>(process); }
inline Process* AsProcess(PKPROCESS process) { return reinterpret_cast<Process*>(process); }

/// Needs ke, ex, ob. Creates the types Process and Thread, the System process, and attaches the calling host thread to it.
Status Boot();
/// Waits for system threads to end (they must have been told to), then drops the System process and detaches all threads.
void Shutdown();

// --- processes -----------------------------------------------------------------------------------------------------------------

/// The System process, id 4. Borrowed; valid from Boot to Shutdown.
Process* InitialSystemProcess();
/// The process the current thread works in now (attachment included).
inline Process* CurrentProcess() { return ke::CurrentThread()->process.load(std::memory_order_relaxed); }
inline PEPROCESS GetCurrentProcess() { return CurrentProcess()->eprocess(); }
/// Creates a process for the embedder's requests; calls the create notify routines. A copy of the System process's token is
/// se's to replace.
/// @returns a reference to be dropped by TerminateProcess + ob::DereferenceObject; or the status a notify routine set
Status CreateProcess(const std::u16string& image_path, Process* parent, Process** process);
/// Notify routines, closes handles, unmaps views, signals. Idempotent. Outside ServiceScopes of that process.
void TerminateProcess(Process* process, NTSTATUS exit_status);
/// se sets how a process gets and loses its primary token (create: from `parent`'s, nullptr for System).
struct TokenProcedures {
  void* (*inherit)(Process* process, Process* parent);
  void (*release)(void* token);
};
void SetTokenProcedures(const TokenProcedures* procedures);

/// mm sets what unmaps views and frees memory of a process that has ended: after its handles were closed, in its
/// context.
void SetAddressSpaceCleaner(void (*clean)(PEPROCESS process));

HANDLE GetProcessId(PEPROCESS process);
HANDLE GetProcessInheritedFromUniqueProcessId(PEPROCESS process);
NTSTATUS GetProcessExitStatus(PEPROCESS process);
LONGLONG GetProcessCreateTimeQuadPart(PEPROCESS process);
const char* GetProcessImageFileName(PEPROCESS process);
bool IsSystemProcess(PEPROCESS process);
/// @returns STATUS_INVALID_CID; else *process holds a reference
Status LookupProcessByProcessId(HANDLE process_id, PEPROCESS* process);
ULONG GetProcessSessionId(PEPROCESS process);
bool IsDiskCountersEnabled();
void UpdateDiskCounters(PEPROCESS process, ULONG64 bytes_read, ULONG64 bytes_written, ULONG reads, ULONG writes,
                        ULONG flushes);

// --- threads -------------------------------------------------------------------------------------------------------------------

/// @param handle   nullptr: no handle is made
/// @param process_handle  nullptr: the System process
Status CreateSystemThread(PHANDLE handle, ULONG access, POBJECT_ATTRIBUTES attributes, HANDLE process_handle,
                          PCLIENT_ID client_id, PKSTART_ROUTINE start, void* context);
/// The same for the runtime's own threads: a C++ function, no handle. *thread holds a reference (wait for it, then
/// ob::DereferenceObject).
Status CreateRuntimeThread(const char* name, void (*start)(void*), void* context, ke::Thread** thread);
/// Ends the driver's threads whose start routine lies in [low, low + bytes), each at its next wait, without unwinding it:
/// the machine is being switched off.
/// @returns false when one has not reached a wait within the time
bool SwitchOffThreads(uintptr_t low, size_t bytes, unsigned patience_seconds);
/// Ends the current system thread. @returns STATUS_INVALID_PARAMETER when it is none
Status TerminateSystemThread(NTSTATUS exit_status);

inline PETHREAD GetCurrentThread() { return ke::CurrentThread()->ethread(); }
HANDLE GetCurrentProcessId();
HANDLE GetCurrentThreadId();
HANDLE GetThreadId(PETHREAD thread);
HANDLE GetThreadProcessId(PETHREAD thread);
PEPROCESS GetThreadProcess(PETHREAD thread);
NTSTATUS GetThreadExitStatus(PETHREAD thread);
bool IsSystemThread(PETHREAD thread);
bool IsThreadTerminating(PETHREAD thread);
Status LookupThreadByThreadId(HANDLE thread_id, PETHREAD* thread);

// --- notify routines (notify.cc) ---------------------------------------------------------------------------------------------------

Status SetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE routine, bool remove);
Status SetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX routine, bool remove);
Status SetCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE routine);
Status RemoveCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE routine);
Status SetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE routine);
Status RemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE routine);
/// io calls it when a driver image was loaded, before its entry point. process_id nullptr: a driver.
void CallLoadImageNotifyRoutines(PUNICODE_STRING full_name, HANDLE process_id, PIMAGE_INFO info);

bool GetVersion(PULONG major, PULONG minor, PULONG build, PUNICODE_STRING csd_version);

}  // namespace nt::ps
