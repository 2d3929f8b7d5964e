// The NT services for host programs, with NT's own names, types and statuses: what ntdll.dll is to a Windows program.
//
//   ntio::Machine machine;                      // disks and drivers as for any test
//   ntio::Process process(machine);             // in whose name the services run: its handles, its token
//   process.Run([] { return program(); });      // on this thread; program() is C or C++ that calls NtCreateFile, ...
//
// A program written for Windows that uses only ntdll's file interface compiles against this header with little change: what
// it includes, and u"" for L"" (WCHAR has 16 bits here). Routines that the services call back (APCs) are declared NTAPI.
//
// A thread calls services while it runs in a process (Run, Attach); else they return STATUS_THREAD_NOT_IN_PROCESS. After a bug
// check they return STATUS_SYSTEM_SHUTDOWN.
//
// Memory: the services see requestor memory only, below MmUserProbeAddress, as on Windows. Pointers into it (from
// NtAllocateVirtualMemory, views of sections, Machine::AllocateBuffer) are passed as they are. What lies elsewhere in the
// program (its stack, its heap) is copied to requestor memory for the call and back at the end of the request, before an
// event is set, an APC runs or a packet is queued. So the rule is Windows' own: memory that was given to a request is the
// request's until it is done. A null or kernel address is not copied: the service refuses it.
#pragma once

#include <ntifs.h>

#ifdef __cplusplus
extern "C" {
#endif

// What include/wdk does not declare, as kernel code has no use for it.
NTSYSCALLAPI NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG Count, HANDLE *Handles, WAIT_TYPE WaitType, BOOLEAN Alertable,
                                                     PLARGE_INTEGER Timeout);
NTSYSCALLAPI NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER DelayInterval);
/// Runs the thread's user APCs.
NTSYSCALLAPI NTSTATUS NTAPI NtTestAlert(VOID);
NTSYSCALLAPI NTSTATUS NTAPI NtCancelSynchronousIoFile(HANDLE ThreadHandle, PIO_STATUS_BLOCK IoRequestToCancel,
                                                      PIO_STATUS_BLOCK IoStatusBlock);
NTSYSCALLAPI NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE IoCompletionHandle, ACCESS_MASK DesiredAccess,
                                                 POBJECT_ATTRIBUTES ObjectAttributes, ULONG Count);
NTSYSCALLAPI NTSTATUS NTAPI NtOpenIoCompletion(PHANDLE IoCompletionHandle, ACCESS_MASK DesiredAccess,
                                               POBJECT_ATTRIBUTES ObjectAttributes);
NTSYSCALLAPI NTSTATUS NTAPI NtQueryIoCompletion(HANDLE IoCompletionHandle,
                                                IO_COMPLETION_INFORMATION_CLASS IoCompletionInformationClass,
                                                PVOID IoCompletionInformation, ULONG IoCompletionInformationLength,
                                                PULONG ReturnLength);
NTSYSCALLAPI NTSTATUS NTAPI NtSetIoCompletion(HANDLE IoCompletionHandle, PVOID KeyContext, PVOID ApcContext,
                                              NTSTATUS IoStatus, ULONG_PTR IoStatusInformation);
NTSYSCALLAPI NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE IoCompletionHandle, PVOID *KeyContext, PVOID *ApcContext,
                                                 PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER Timeout);
NTSYSCALLAPI NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE IoCompletionHandle,
                                                   PFILE_IO_COMPLETION_INFORMATION IoCompletionInformation, ULONG Count,
                                                   PULONG NumEntriesRemoved, PLARGE_INTEGER Timeout, BOOLEAN Alertable);

#ifdef __cplusplus
}

#include <functional>
#include <memory>
#include <string>

#include "ntio/machine.h"

namespace ntio {

class Process {
 public:
  /// Destroy it before the machine shuts down: its handles are closed then.
  explicit Process(Machine& machine, const std::u16string& image = u"program.exe");
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  const Result<void>& created() const { return created_; }

  /// Runs `program` on this thread as one of the process. @returns what it returns
  int Run(const std::function<int()>& program);

  /// While it lives, the thread that made it runs in the process. Nests.
  class Attachment {
   public:
    explicit Attachment(Process& process);
    ~Attachment();
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;

   private:
    void* outer_;
  };
  Attachment Attach() { return Attachment(*this); }

 private:
  struct State;
  std::unique_ptr<State> state_;
  Result<void> created_;
};

}  // namespace ntio
#endif
