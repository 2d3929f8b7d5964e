// The DDIs that raise, as functions that return a status. Everything above this file is free of SEH.
#pragma once
#include <ntifs.h>

namespace fat::seh {

NTSTATUS MapData(PFILE_OBJECT file, LONGLONG offset, ULONG length, PVOID* bcb, PVOID* data);
NTSTATUS PinRead(PFILE_OBJECT file, LONGLONG offset, ULONG length, PVOID* bcb, PVOID* data);
NTSTATUS PreparePinWrite(PFILE_OBJECT file, LONGLONG offset, ULONG length, BOOLEAN zero, PVOID* bcb, PVOID* data);

NTSTATUS InitializeCacheMap(PFILE_OBJECT file, PCC_FILE_SIZES sizes, BOOLEAN pin_access,
                            PCACHE_MANAGER_CALLBACKS callbacks, PVOID context);
NTSTATUS SetFileSizes(PFILE_OBJECT file, PCC_FILE_SIZES sizes);

/// @returns STATUS_CANT_WAIT if `wait` is FALSE and the data are not resident
NTSTATUS CopyRead(PFILE_OBJECT file, LONGLONG offset, ULONG length, BOOLEAN wait, PVOID buffer, PIO_STATUS_BLOCK iosb);
NTSTATUS CopyWrite(PFILE_OBJECT file, LONGLONG offset, ULONG length, BOOLEAN wait, PVOID buffer);
NTSTATUS ZeroData(PFILE_OBJECT file, LONGLONG from, LONGLONG to, BOOLEAN wait);
NTSTATUS MdlRead(PFILE_OBJECT file, LONGLONG offset, ULONG length, PMDL* chain, PIO_STATUS_BLOCK iosb);
NTSTATUS PrepareMdlWrite(PFILE_OBJECT file, LONGLONG offset, ULONG length, PMDL* chain, PIO_STATUS_BLOCK iosb);
NTSTATUS MdlWriteComplete(PFILE_OBJECT file, LONGLONG offset, PMDL chain);

NTSTATUS InitializeMcb(PLARGE_MCB mcb);
NTSTATUS AddMcbRun(PLARGE_MCB mcb, LONGLONG vcn, LONGLONG lcn, LONGLONG count);

NTSTATUS ProbeAndLock(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation);
/// Copies from or to memory of the requestor (METHOD_NEITHER), probed when `mode` is UserMode.
NTSTATUS CopyFromUser(KPROCESSOR_MODE mode, PVOID destination, PVOID user, SIZE_T length, ULONG alignment);
NTSTATUS CopyToUser(KPROCESSOR_MODE mode, PVOID user, PVOID source, SIZE_T length, ULONG alignment);

/// False also when the memory for the long name is lacking.
bool FindInTunnelCache(PTUNNEL cache, ULONGLONG key, PUNICODE_STRING name, PUNICODE_STRING short_name,
                       PUNICODE_STRING long_name, PULONG data_bytes, PVOID data);
/// @returns STATUS_PENDING: `routine` will run on a thread with an empty stack
NTSTATUS PostStackOverflow(PVOID context, PKEVENT event, PFSRTL_STACK_OVERFLOW_ROUTINE routine, bool paging);

NTSTATUS IsNameInExpression(PUNICODE_STRING upcased_expression, PUNICODE_STRING name, BOOLEAN* matches);
NTSTATUS CheckOplock(POPLOCK oplock, PIRP irp, POPLOCK_WAIT_COMPLETE_ROUTINE complete, POPLOCK_FS_PREPOST_IRP prepost);
/// The same for a create that found a sharing violation: holders that cache their handle may close it.
NTSTATUS BreakOplockH(POPLOCK oplock, PIRP irp, POPLOCK_WAIT_COMPLETE_ROUTINE complete, POPLOCK_FS_PREPOST_IRP prepost);
/// An entry of the directory whose oplock this is changes. Waits for nobody.
void BreakParentOplock(POPLOCK oplock, PIRP irp);
/// A create that had claimed an oplock fails.
void BackOutOplock(POPLOCK oplock, PIRP irp);
/// For a create: the package's answer. Else as the next two.
NTSTATUS OplockFsctrl(POPLOCK oplock, PIRP irp, ULONG open_count);
/// STATUS_PENDING = the package has the IRP (or has completed it); else it raised and the IRP is ours.
NTSTATUS ProcessFileLock(PFILE_LOCK lock, PIRP irp);
NTSTATUS NotifyChangeDirectory(PNOTIFY_SYNC sync, PLIST_ENTRY list, PVOID context, PSTRING directory,
                               BOOLEAN watch_tree, ULONG filter, PIRP irp);

/// Runs one request; an exception that gets here passed guards, so it stops the system rather than the request.
NTSTATUS RunRequest(NTSTATUS (*body)(PVOID), PVOID argument);

}  // namespace fat::seh
