// Exports: byte-range locks and oplocks.
#include "ntifs.h"
#include "src/fsrtl/fsrtl.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(PFILE_LOCK, FsRtlAllocateFileLock,
          (PCOMPLETE_LOCK_IRP_ROUTINE complete_lock_irp_routine, PUNLOCK_ROUTINE unlock_routine),
          (complete_lock_irp_routine, unlock_routine)) {
  return fsrtl::AllocateFileLock(complete_lock_irp_routine, unlock_routine);
}
NT_EXPORT(VOID, FsRtlFreeFileLock, (PFILE_LOCK file_lock), (file_lock)) { fsrtl::FreeFileLock(file_lock); }
NT_EXPORT(VOID, FsRtlInitializeFileLock,
          (PFILE_LOCK file_lock, PCOMPLETE_LOCK_IRP_ROUTINE complete_lock_irp_routine,
           PUNLOCK_ROUTINE unlock_routine),
          (file_lock, complete_lock_irp_routine, unlock_routine)) {
  fsrtl::InitializeFileLock(file_lock, complete_lock_irp_routine, unlock_routine);
}
NT_EXPORT(VOID, FsRtlUninitializeFileLock, (PFILE_LOCK file_lock), (file_lock)) {
  fsrtl::UninitializeFileLock(file_lock);
}
NT_EXPORT(NTSTATUS, FsRtlProcessFileLock, (PFILE_LOCK file_lock, PIRP irp, PVOID context), (file_lock, irp, context)) {
  return fsrtl::ProcessFileLock(file_lock, irp, context);
}
NT_EXPORT(BOOLEAN, FsRtlCheckLockForReadAccess, (PFILE_LOCK file_lock, PIRP irp), (file_lock, irp)) {
  return fsrtl::CheckLockForReadAccess(file_lock, irp);
}
NT_EXPORT(BOOLEAN, FsRtlCheckLockForWriteAccess, (PFILE_LOCK file_lock, PIRP irp), (file_lock, irp)) {
  return fsrtl::CheckLockForWriteAccess(file_lock, irp);
}
NT_EXPORT(BOOLEAN, FsRtlCheckLockForOplockRequest,
          (PFILE_LOCK file_lock, PLARGE_INTEGER allocation_size),
          (file_lock, allocation_size)) {
  return fsrtl::CheckLockForOplockRequest(file_lock, allocation_size);
}
NT_EXPORT(BOOLEAN, FsRtlFastCheckLockForRead,
          (PFILE_LOCK file_lock, PLARGE_INTEGER starting_byte, PLARGE_INTEGER length, ULONG key, PFILE_OBJECT file,
           PVOID process_id),
          (file_lock, starting_byte, length, key, file, process_id)) {
  return fsrtl::FastCheckLockForRead(file_lock, starting_byte, length, key, file, process_id);
}
NT_EXPORT(BOOLEAN, FsRtlFastCheckLockForWrite,
          (PFILE_LOCK file_lock, PLARGE_INTEGER starting_byte, PLARGE_INTEGER length, ULONG key, PVOID file,
           PVOID process_id),
          (file_lock, starting_byte, length, key, file, process_id)) {
  return fsrtl::FastCheckLockForWrite(file_lock, starting_byte, length, key, file, process_id);
}
NT_EXPORT(PFILE_LOCK_INFO, FsRtlGetNextFileLock, (PFILE_LOCK file_lock, BOOLEAN restart), (file_lock, restart)) {
  return fsrtl::GetNextFileLock(file_lock, restart);
}
NT_EXPORT(NTSTATUS, FsRtlFastUnlockSingle,
          (PFILE_LOCK file_lock, PFILE_OBJECT file, PLARGE_INTEGER file_offset, PLARGE_INTEGER length,
           PEPROCESS process, ULONG key, PVOID context, BOOLEAN already_synchronized),
          (file_lock, file, file_offset, length, process, key, context, already_synchronized)) {
  return fsrtl::FastUnlockSingle(file_lock, file, file_offset, length, process, key, context, already_synchronized);
}
NT_EXPORT(NTSTATUS, FsRtlFastUnlockAll,
          (PFILE_LOCK file_lock, PFILE_OBJECT file, PEPROCESS process, PVOID context),
          (file_lock, file, process, context)) {
  return fsrtl::FastUnlockAll(file_lock, file, process, context);
}
NT_EXPORT(NTSTATUS, FsRtlFastUnlockAllByKey,
          (PFILE_LOCK file_lock, PFILE_OBJECT file, PEPROCESS process, ULONG key, PVOID context),
          (file_lock, file, process, key, context)) {
  return fsrtl::FastUnlockAllByKey(file_lock, file, process, key, context);
}
NT_EXPORT(BOOLEAN, FsRtlPrivateLock,
          (PFILE_LOCK file_lock, PFILE_OBJECT file, PLARGE_INTEGER file_offset, PLARGE_INTEGER length,
           PEPROCESS process, ULONG key, BOOLEAN fail_immediately, BOOLEAN exclusive_lock,
           PIO_STATUS_BLOCK io_status, PIRP irp, PVOID context, BOOLEAN already_synchronized),
          (file_lock, file, file_offset, length, process, key, fail_immediately, exclusive_lock, io_status, irp,
           context, already_synchronized)) {
  return fsrtl::PrivateLock(file_lock, file, file_offset, length, process, key, fail_immediately, exclusive_lock,
      io_status, irp, context, already_synchronized);
}
NT_EXPORT(BOOLEAN, FsRtlAreThereCurrentOrInProgressFileLocks, (PFILE_LOCK file_lock), (file_lock)) {
  return fsrtl::AreThereCurrentOrInProgressFileLocks(file_lock);
}
NT_EXPORT(BOOLEAN, FsRtlAreThereWaitingFileLocks, (PFILE_LOCK file_lock), (file_lock)) {
  return fsrtl::AreThereWaitingFileLocks(file_lock);
}
NT_EXPORT(VOID, FsRtlInitializeOplock, (POPLOCK oplock), (oplock)) { fsrtl::InitializeOplock(oplock); }
NT_EXPORT(VOID, FsRtlUninitializeOplock, (POPLOCK oplock), (oplock)) { fsrtl::UninitializeOplock(oplock); }
NT_EXPORT(NTSTATUS, FsRtlOplockFsctrl, (POPLOCK oplock, PIRP irp, ULONG open_count), (oplock, irp, open_count)) {
  return fsrtl::OplockFsctrl(oplock, irp, open_count);
}
NT_EXPORT(NTSTATUS, FsRtlOplockFsctrlEx,
          (POPLOCK oplock, PIRP irp, ULONG open_count, ULONG flags),
          (oplock, irp, open_count, flags)) {
  return fsrtl::OplockFsctrlEx(oplock, irp, open_count, flags);
}
NT_EXPORT(NTSTATUS, FsRtlCheckOplock,
          (POPLOCK oplock, PIRP irp, PVOID context, POPLOCK_WAIT_COMPLETE_ROUTINE completion_routine,
           POPLOCK_FS_PREPOST_IRP post_irp_routine),
          (oplock, irp, context, completion_routine, post_irp_routine)) {
  return fsrtl::CheckOplock(oplock, irp, context, completion_routine, post_irp_routine);
}
NT_EXPORT(NTSTATUS, FsRtlCheckOplockEx,
          (POPLOCK oplock, PIRP irp, ULONG flags, PVOID context, POPLOCK_WAIT_COMPLETE_ROUTINE completion_routine,
           POPLOCK_FS_PREPOST_IRP post_irp_routine),
          (oplock, irp, flags, context, completion_routine, post_irp_routine)) {
  return fsrtl::CheckOplockEx(oplock, irp, flags, context, completion_routine, post_irp_routine);
}
NT_EXPORT(NTSTATUS, FsRtlOplockBreakH,
          (POPLOCK oplock, PIRP irp, ULONG flags, PVOID context, POPLOCK_WAIT_COMPLETE_ROUTINE completion_routine,
           POPLOCK_FS_PREPOST_IRP post_irp_routine),
          (oplock, irp, flags, context, completion_routine, post_irp_routine)) {
  return fsrtl::OplockBreakH(oplock, irp, flags, context, completion_routine, post_irp_routine);
}
NT_EXPORT(NTSTATUS, FsRtlOplockBreakToNone,
          (POPLOCK oplock, PIO_STACK_LOCATION irp_sp, PIRP irp, PVOID context,
           POPLOCK_WAIT_COMPLETE_ROUTINE completion_routine, POPLOCK_FS_PREPOST_IRP post_irp_routine),
          (oplock, irp_sp, irp, context, completion_routine, post_irp_routine)) {
  static_cast<void>(irp_sp);  // the current location of the IRP
  return fsrtl::OplockBreakToNoneEx(oplock, irp, 0, context, completion_routine, post_irp_routine);
}
NT_EXPORT(NTSTATUS, FsRtlOplockBreakToNoneEx,
          (POPLOCK oplock, PIRP irp, ULONG flags, PVOID context, POPLOCK_WAIT_COMPLETE_ROUTINE completion_routine,
           POPLOCK_FS_PREPOST_IRP post_irp_routine),
          (oplock, irp, flags, context, completion_routine, post_irp_routine)) {
  return fsrtl::OplockBreakToNoneEx(oplock, irp, flags, context, completion_routine, post_irp_routine);
}
NT_EXPORT(BOOLEAN, FsRtlOplockIsFastIoPossible, (POPLOCK oplock), (oplock)) {
  return fsrtl::OplockIsFastIoPossible(oplock);
}
NT_EXPORT(BOOLEAN, FsRtlOplockIsSharedRequest, (PIRP irp), (irp)) { return fsrtl::OplockIsSharedRequest(irp); }
NT_EXPORT(BOOLEAN, FsRtlOplockKeysEqual, (PFILE_OBJECT file1, PFILE_OBJECT file2), (file1, file2)) {
  return fsrtl::OplockKeysEqual(file1, file2);
}
NT_EXPORT(BOOLEAN, FsRtlCurrentBatchOplock, (POPLOCK oplock), (oplock)) { return fsrtl::CurrentBatchOplock(oplock); }
NT_EXPORT(BOOLEAN, FsRtlCurrentOplock, (POPLOCK oplock), (oplock)) { return fsrtl::CurrentOplock(oplock); }
NT_EXPORT(BOOLEAN, FsRtlCurrentOplockH, (POPLOCK oplock), (oplock)) { return fsrtl::CurrentOplockH(oplock); }
NT_EXPORT(PEPROCESS, FsRtlOplockGetAnyBreakOwnerProcess, (POPLOCK oplock), (oplock)) {
  return fsrtl::OplockGetAnyBreakOwnerProcess(oplock);
}
