// See seh.h. No object with a destructor may live in these functions.
#include "seh.h"

namespace fat::seh {
namespace {

constexpr ULONG kFatFileSystemBugCheck = 0x23;  // FAT_FILE_SYSTEM

// An indirect call: the compiler must not conclude that copying cannot unwind and drop the __try around it.
void CopyBytes(PVOID to, const void* from, SIZE_T length) { RtlCopyMemory(to, from, length); }
void (*volatile g_copy_bytes)(PVOID, const void*, SIZE_T) = &CopyBytes;

LONG Filter(PEXCEPTION_POINTERS pointers, NTSTATUS* status) {
  PEXCEPTION_RECORD record = pointers->ExceptionRecord;
  *status = record->ExceptionCode;
  if (*status == STATUS_ACCESS_VIOLATION || *status == STATUS_GUARD_PAGE_VIOLATION ||
      *status == STATUS_DATATYPE_MISALIGNMENT) {
    *status = STATUS_INVALID_USER_BUFFER;
    return EXCEPTION_EXECUTE_HANDLER;
  }
  if (*status == STATUS_IN_PAGE_ERROR && record->NumberParameters >= 3) {
    *status = static_cast<NTSTATUS>(record->ExceptionInformation[2]);
  }
  return FsRtlIsNtstatusExpected(*status) ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

LONG StopFilter(PEXCEPTION_POINTERS pointers) {
  PEXCEPTION_RECORD record = pointers->ExceptionRecord;
  KeBugCheckEx(kFatFileSystemBugCheck, static_cast<ULONG>(record->ExceptionCode),
               reinterpret_cast<ULONG_PTR>(record->ExceptionAddress), reinterpret_cast<ULONG_PTR>(record),
               reinterpret_cast<ULONG_PTR>(pointers->ContextRecord));
  return EXCEPTION_CONTINUE_SEARCH;
}

}  // namespace

#define FAT_TRY                     \
  NTSTATUS raised = STATUS_SUCCESS; \
  __try
#define FAT_CATCH                                         \
  __except (Filter(GetExceptionInformation(), &raised)) { \
    return raised;                                        \
  }

NTSTATUS MapData(PFILE_OBJECT file, LONGLONG offset, ULONG length, PVOID* bcb, PVOID* data) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  FAT_TRY { return CcMapData(file, &at, length, MAP_WAIT, bcb, data) ? STATUS_SUCCESS : STATUS_CANT_WAIT; }
  FAT_CATCH
}

NTSTATUS PinRead(PFILE_OBJECT file, LONGLONG offset, ULONG length, PVOID* bcb, PVOID* data) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  FAT_TRY { return CcPinRead(file, &at, length, PIN_WAIT, bcb, data) ? STATUS_SUCCESS : STATUS_CANT_WAIT; }
  FAT_CATCH
}

NTSTATUS PreparePinWrite(PFILE_OBJECT file, LONGLONG offset, ULONG length, BOOLEAN zero, PVOID* bcb, PVOID* data) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  FAT_TRY {
    return CcPreparePinWrite(file, &at, length, zero, PIN_WAIT, bcb, data) ? STATUS_SUCCESS : STATUS_CANT_WAIT;
  }
  FAT_CATCH
}

NTSTATUS InitializeCacheMap(PFILE_OBJECT file, PCC_FILE_SIZES sizes, BOOLEAN pin_access,
                            PCACHE_MANAGER_CALLBACKS callbacks,
                            PVOID context){FAT_TRY{CcInitializeCacheMap(file, sizes, pin_access, callbacks, context);
return STATUS_SUCCESS;
}  // namespace fat::seh
FAT_CATCH
}

NTSTATUS SetFileSizes(PFILE_OBJECT file, PCC_FILE_SIZES sizes){FAT_TRY{CcSetFileSizes(file, sizes);
return STATUS_SUCCESS;
}
FAT_CATCH
}

NTSTATUS CopyRead(PFILE_OBJECT file, LONGLONG offset, ULONG length, BOOLEAN wait, PVOID buffer, PIO_STATUS_BLOCK iosb) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  FAT_TRY { return CcCopyRead(file, &at, length, wait, buffer, iosb) ? iosb->Status : STATUS_CANT_WAIT; }
  FAT_CATCH
}

NTSTATUS CopyWrite(PFILE_OBJECT file, LONGLONG offset, ULONG length, BOOLEAN wait, PVOID buffer) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  FAT_TRY { return CcCopyWrite(file, &at, length, wait, buffer) ? STATUS_SUCCESS : STATUS_CANT_WAIT; }
  FAT_CATCH
}

NTSTATUS ZeroData(PFILE_OBJECT file, LONGLONG from, LONGLONG to, BOOLEAN wait) {
  LARGE_INTEGER start, end;
  start.QuadPart = from;
  end.QuadPart = to;
  FAT_TRY { return CcZeroData(file, &start, &end, wait) ? STATUS_SUCCESS : STATUS_CANT_WAIT; }
  FAT_CATCH
}

NTSTATUS MdlRead(PFILE_OBJECT file, LONGLONG offset, ULONG length, PMDL* chain, PIO_STATUS_BLOCK iosb) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  FAT_TRY {
    CcMdlRead(file, &at, length, chain, iosb);
    return iosb->Status;
  }
  FAT_CATCH
}

NTSTATUS PrepareMdlWrite(PFILE_OBJECT file, LONGLONG offset, ULONG length, PMDL* chain, PIO_STATUS_BLOCK iosb) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  FAT_TRY {
    CcPrepareMdlWrite(file, &at, length, chain, iosb);
    return iosb->Status;
  }
  FAT_CATCH
}

NTSTATUS MdlWriteComplete(PFILE_OBJECT file, LONGLONG offset, PMDL chain) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  FAT_TRY {
    CcMdlWriteComplete(file, &at, chain);
    return STATUS_SUCCESS;
  }
  FAT_CATCH
}

NTSTATUS InitializeMcb(PLARGE_MCB mcb){FAT_TRY{FsRtlInitializeLargeMcb(mcb, PagedPool);
return STATUS_SUCCESS;
}
FAT_CATCH
}

NTSTATUS AddMcbRun(PLARGE_MCB mcb, LONGLONG vcn, LONGLONG lcn, LONGLONG count){
    FAT_TRY{return FsRtlAddLargeMcbEntry(mcb, vcn, lcn, count) ? STATUS_SUCCESS : STATUS_FILE_CORRUPT_ERROR;
}
FAT_CATCH
}

NTSTATUS ProbeAndLock(PMDL mdl, KPROCESSOR_MODE mode,
                      LOCK_OPERATION operation){FAT_TRY{MmProbeAndLockPages(mdl, mode, operation);
return STATUS_SUCCESS;
}
FAT_CATCH
}

NTSTATUS CopyFromUser(KPROCESSOR_MODE mode, PVOID destination, PVOID user, SIZE_T length,
                      ULONG alignment){FAT_TRY{if (mode != KernelMode) ProbeForRead(user, length, alignment);
g_copy_bytes(destination, user, length);
return STATUS_SUCCESS;
}
FAT_CATCH
}

NTSTATUS CopyToUser(KPROCESSOR_MODE mode, PVOID user, PVOID source, SIZE_T length, ULONG alignment) {
  FAT_TRY {
    if (mode != KernelMode) ProbeForWrite(user, length, alignment);
    g_copy_bytes(user, source, length);
    return STATUS_SUCCESS;
  }
  FAT_CATCH
}

bool FindInTunnelCache(PTUNNEL cache, ULONGLONG key, PUNICODE_STRING name, PUNICODE_STRING short_name,
                       PUNICODE_STRING long_name, PULONG data_bytes, PVOID data) {
  NTSTATUS raised;
  __try {
    return FsRtlFindInTunnelCache(cache, key, name, short_name, long_name, data_bytes, data) != FALSE;
  } __except (Filter(GetExceptionInformation(), &raised)) {
    return false;
  }
}

NTSTATUS PostStackOverflow(PVOID context, PKEVENT event, PFSRTL_STACK_OVERFLOW_ROUTINE routine, bool paging){FAT_TRY{
    // Not one thread for both: a cached read on it may wait for a page that another thread's paging read brings.
    if (paging){FsRtlPostPagingFileStackOverflow(context, event, routine);
}
else {
  FsRtlPostStackOverflow(context, event, routine);
}
return STATUS_PENDING;
}
FAT_CATCH
}

NTSTATUS IsNameInExpression(PUNICODE_STRING upcased_expression, PUNICODE_STRING name, BOOLEAN* matches){
    FAT_TRY{* matches = FsRtlIsNameInExpression(upcased_expression, name, TRUE, nullptr);
return STATUS_SUCCESS;
}
FAT_CATCH
}

NTSTATUS CheckOplock(POPLOCK oplock, PIRP irp, POPLOCK_WAIT_COMPLETE_ROUTINE complete, POPLOCK_FS_PREPOST_IRP prepost){
    FAT_TRY{return FsRtlCheckOplock(oplock, irp, nullptr, complete, prepost);
}
FAT_CATCH
}

NTSTATUS BreakOplockH(POPLOCK oplock, PIRP irp, POPLOCK_WAIT_COMPLETE_ROUTINE complete,
                      POPLOCK_FS_PREPOST_IRP prepost) {
  FAT_TRY { return FsRtlOplockBreakH(oplock, irp, 0, nullptr, complete, prepost); }
  FAT_CATCH
}

void BreakParentOplock(POPLOCK oplock, PIRP irp) {
  NTSTATUS raised;
  __try {
    FsRtlCheckOplockEx(oplock, irp, OPLOCK_FLAG_PARENT_OBJECT, nullptr, nullptr, nullptr);
  } __except (Filter(GetExceptionInformation(), &raised)) {
    return;
  }
}

void BackOutOplock(POPLOCK oplock, PIRP irp) {
  NTSTATUS raised;
  __try {
    FsRtlCheckOplockEx(oplock, irp, OPLOCK_FLAG_BACK_OUT_ATOMIC_OPLOCK, nullptr, nullptr, nullptr);
  } __except (Filter(GetExceptionInformation(), &raised)) {
    return;
  }
}

NTSTATUS OplockFsctrl(POPLOCK oplock, PIRP irp, ULONG open_count){
    FAT_TRY{const bool create = IoGetCurrentIrpStackLocation(irp) -> MajorFunction == IRP_MJ_CREATE;
const NTSTATUS status = FsRtlOplockFsctrl(oplock, irp, open_count);
return create ? status : STATUS_PENDING;
}
FAT_CATCH
}

NTSTATUS ProcessFileLock(PFILE_LOCK lock, PIRP irp){FAT_TRY{FsRtlProcessFileLock(lock, irp, nullptr);
return STATUS_PENDING;
}
FAT_CATCH
}

NTSTATUS NotifyChangeDirectory(PNOTIFY_SYNC sync, PLIST_ENTRY list, PVOID context, PSTRING directory,
                               BOOLEAN watch_tree, ULONG filter, PIRP irp){FAT_TRY{
    FsRtlNotifyFullChangeDirectory(sync, list, context, directory, watch_tree, FALSE, filter, irp, nullptr, nullptr);
return STATUS_PENDING;
}
FAT_CATCH
}

NTSTATUS RunRequest(NTSTATUS (*body)(PVOID), PVOID argument) {
  __try {
    return body(argument);
  } __except (StopFilter(GetExceptionInformation())) {
    return STATUS_UNSUCCESSFUL;
  }
}

}  // namespace fat::seh
