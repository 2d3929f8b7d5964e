// Exports: cancel-safe queues, remove locks, work items, the error log, named events.
#include <cstdio>

#include "src/io/csq.h"
#include "src/io/internal.h"

using namespace nt;  // NOLINT: a file of exports only

namespace nt::io {
ULONG SizeofWorkItem();
void InitializeWorkItem(void* object, PIO_WORKITEM work);
}  // namespace nt::io

NT_EXPORT(NTSTATUS, IoCsqInitialize,
          (PIO_CSQ csq, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove, PIO_CSQ_PEEK_NEXT_IRP peek,
           PIO_CSQ_ACQUIRE_LOCK acquire, PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete),
          (csq, insert, remove, peek, acquire, release, complete)) {
  return io::CsqInitialize(csq, IO_TYPE_CSQ, insert, remove, peek, acquire, release, complete);
}
NT_EXPORT(NTSTATUS, IoCsqInitializeEx,
          (PIO_CSQ csq, PIO_CSQ_INSERT_IRP_EX insert, PIO_CSQ_REMOVE_IRP remove, PIO_CSQ_PEEK_NEXT_IRP peek,
           PIO_CSQ_ACQUIRE_LOCK acquire, PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete),
          (csq, insert, remove, peek, acquire, release, complete)) {
  return io::CsqInitialize(csq, IO_TYPE_CSQ_EX, reinterpret_cast<PIO_CSQ_INSERT_IRP>(reinterpret_cast<void*>(insert)),
                           remove, peek, acquire, release, complete);
}
NT_EXPORT(VOID, IoCsqInsertIrp, (PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context), (csq, irp, context)) {
  io::CsqInsertIrpEx(csq, irp, context, nullptr).Ignore();  // the plain insert routine cannot refuse
}
NT_EXPORT(NTSTATUS, IoCsqInsertIrpEx, (PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context, PVOID insert_context),
          (csq, irp, context, insert_context)) {
  return io::CsqInsertIrpEx(csq, irp, context, insert_context);
}
NT_EXPORT(PIRP, IoCsqRemoveNextIrp, (PIO_CSQ csq, PVOID peek_context), (csq, peek_context)) {
  return io::CsqRemoveNextIrp(csq, peek_context);
}
NT_EXPORT(PIRP, IoCsqRemoveIrp, (PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context), (csq, context)) {
  return io::CsqRemoveIrp(csq, context);
}

// --- remove locks: IoCount starts at 1; the remover drops that one and its own, and waits for the rest ---------------------------

NT_EXPORT(VOID, IoInitializeRemoveLockEx, (PIO_REMOVE_LOCK lock, ULONG tag, ULONG minutes, ULONG high, ULONG bytes),
          (lock, tag, minutes, high, bytes)) {
  static_cast<void>(tag);
  static_cast<void>(minutes);
  static_cast<void>(high);
  static_cast<void>(bytes);
  lock->Common.Removed = FALSE;
  lock->Common.IoCount = 1;
  ke::InitializeEvent(&lock->Common.RemoveEvent, SynchronizationEvent, false);
}
NT_EXPORT(NTSTATUS, IoAcquireRemoveLockEx, (PIO_REMOVE_LOCK lock, PVOID tag, PCSTR file, ULONG line, ULONG bytes),
          (lock, tag, file, line, bytes)) {
  static_cast<void>(tag);
  static_cast<void>(file);
  static_cast<void>(line);
  static_cast<void>(bytes);
  __atomic_fetch_add(&lock->Common.IoCount, 1, __ATOMIC_SEQ_CST);
  if (!__atomic_load_n(&lock->Common.Removed, __ATOMIC_SEQ_CST)) return STATUS_SUCCESS;
  if (__atomic_sub_fetch(&lock->Common.IoCount, 1, __ATOMIC_SEQ_CST) == 0) ke::SetEvent(&lock->Common.RemoveEvent);
  return STATUS_DELETE_PENDING;
}
NT_EXPORT(VOID, IoReleaseRemoveLockEx, (PIO_REMOVE_LOCK lock, PVOID tag, ULONG bytes), (lock, tag, bytes)) {
  static_cast<void>(tag);
  static_cast<void>(bytes);
  const LONG left = __atomic_sub_fetch(&lock->Common.IoCount, 1, __ATOMIC_SEQ_CST);
  if (left < 0)
    ke::BugCheckWithMessage("IoReleaseRemoveLock of a lock that is not held", DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40,
                            reinterpret_cast<ULONG_PTR>(lock));
  if (left == 0) ke::SetEvent(&lock->Common.RemoveEvent);
}
NT_EXPORT(VOID, IoReleaseRemoveLockAndWaitEx, (PIO_REMOVE_LOCK lock, PVOID tag, ULONG bytes), (lock, tag, bytes)) {
  static_cast<void>(tag);
  static_cast<void>(bytes);
  __atomic_store_n(&lock->Common.Removed, static_cast<BOOLEAN>(TRUE), __ATOMIC_SEQ_CST);
  __atomic_sub_fetch(&lock->Common.IoCount, 1, __ATOMIC_SEQ_CST);
  if (__atomic_sub_fetch(&lock->Common.IoCount, 1, __ATOMIC_SEQ_CST) > 0) ke::WaitFor(&lock->Common.RemoveEvent);
}

// --- work items -----------------------------------------------------------------------------------------------------------------

NT_EXPORT(PIO_WORKITEM, IoAllocateWorkItem, (PDEVICE_OBJECT device), (device)) { return io::AllocateWorkItem(device); }
NT_EXPORT(VOID, IoFreeWorkItem, (PIO_WORKITEM work), (work)) { io::FreeWorkItem(work); }
NT_EXPORT(VOID, IoQueueWorkItem,
          (PIO_WORKITEM work, PIO_WORKITEM_ROUTINE routine, WORK_QUEUE_TYPE queue, PVOID context),
          (work, routine, queue, context)) {
  io::QueueWorkItem(work, routine, queue, context);
}
NT_EXPORT(VOID, IoQueueWorkItemEx,
          (PIO_WORKITEM work, PIO_WORKITEM_ROUTINE_EX routine, WORK_QUEUE_TYPE queue, PVOID context),
          (work, routine, queue, context)) {
  io::QueueWorkItemEx(work, routine, queue, context);
}
NT_EXPORT(ULONG, IoSizeofWorkItem, (), ()) { return io::SizeofWorkItem(); }
NT_EXPORT(VOID, IoInitializeWorkItem, (PVOID object, PIO_WORKITEM work), (object, work)) {
  io::InitializeWorkItem(object, work);
}
NT_EXPORT(VOID, IoUninitializeWorkItem, (PIO_WORKITEM work), (work)) { __builtin_memset(work, 0, io::SizeofWorkItem()); }

// --- the error log: lines on standard error ------------------------------------------------------------------------------------------

NT_EXPORT(PVOID, IoAllocateErrorLogEntry, (PVOID object, UCHAR bytes), (object, bytes)) {
  static_cast<void>(object);
  if (bytes < sizeof(IO_ERROR_LOG_PACKET) || bytes > ERROR_LOG_MAXIMUM_SIZE) return static_cast<PVOID>(nullptr);
  return ex::AllocatePoolZero(NonPagedPoolNx, bytes, 'rEoI');
}
NT_EXPORT(VOID, IoWriteErrorLogEntry, (PVOID entry), (entry)) {
  const auto* packet = static_cast<const IO_ERROR_LOG_PACKET*>(entry);
  char line[160];
  const int length = std::snprintf(line, sizeof line, "ntio: error log: code 0x%08X, unique 0x%X, final status 0x%08X\n",
                                   static_cast<unsigned>(packet->ErrorCode), packet->UniqueErrorValue,
                                   static_cast<unsigned>(packet->FinalStatus));
  host::WriteError(line, static_cast<size_t>(length));
  ex::FreePool(entry);
}
NT_EXPORT(VOID, IoFreeErrorLogEntry, (PVOID entry), (entry)) { ex::FreePool(entry); }
