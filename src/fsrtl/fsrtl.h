// The file-system run-time library: cached copy, byte-range locks, oplocks, change notification, tunnelling, run lists,
// names, contexts, extra create parameters, and the acquiring of files for the cache manager and Mm.
//
// Inner twins of the FsRtl* routines: same parameters, C++ types. What a routine promises to drivers stands at its declaration
// in include/wdk/nt/fsrtl.h; here is what differs, and what siblings use. Critical regions: ke::EnterCriticalRegion.
#pragma once

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::fsrtl {

Status Boot();
void Shutdown();

// --- for mm and cc: acquiring a file of which the caller knows only a file object (acquire.cc) ----------------------------
//
// Order of look-up: pre-callbacks of filters from the top of the stack down, then of the file system; the file system's
// fast I/O entry; the default on the FSRTL header. Each successful acquire is followed by its release on the same thread. The
// critical region is entered by the acquire and left by the release.

/// Section synchronisation, SyncTypeOther: cannot be refused. Twins of FsRtlAcquireFileExclusive, FsRtlReleaseFile.
void AcquireFileExclusive(PFILE_OBJECT file);
void ReleaseFile(PFILE_OBJECT file);
/// Section synchronisation, SyncTypeCreateSection: a filter or the file system may refuse.
/// @returns NT_SUCCESS (also STATUS_FILE_LOCKED_WITH_ONLY_READERS, _WITH_WRITERS): acquired, to be ended by ReleaseFile
Status AcquireToCreateMappedSection(PFILE_OBJECT file, ULONG page_protection, ULONG allocation_attributes = 0);
/// Never waits.
/// @param resource  the resource taken (may be null), to be given to ReleaseFileForModWrite
/// @returns STATUS_CANT_WAIT: try again later
Status AcquireFileForModWrite(PFILE_OBJECT file, PLARGE_INTEGER ending_offset, PERESOURCE* resource);
void ReleaseFileForModWrite(PFILE_OBJECT file, PERESOURCE resource);
/// @returns STATUS_CANT_WAIT or another failure: the flush does not take place
Status AcquireFileForCcFlush(PFILE_OBJECT file);
void ReleaseFileForCcFlush(PFILE_OBJECT file);

Status RegisterFileSystemFilterCallbacks(PDRIVER_OBJECT driver, PFS_FILTER_CALLBACKS callbacks);
/// io calls it when a driver object goes.
void ForgetDriver(PDRIVER_OBJECT driver);

/// Through the top device's FastIoQueryStandardInfo, else by an IRP.
/// @returns STATUS_FILE_IS_A_DIRECTORY
Status GetFileSize(PFILE_OBJECT file, PLARGE_INTEGER file_size);
bool IsPagingFile(PFILE_OBJECT file);

// --- for io --------------------------------------------------------------------------------------------------------------

/// io calls it when a file object is deleted: frees what FileObjectExtension points to (oplock keys). Contexts that filters
/// left behind are theirs.
void DestroyFileObjectExtension(PFILE_OBJECT file);
/// The list rides on the IRP in Tail.Overlay.AuxiliaryBuffer's place; io frees one that nobody took off with
/// FreeExtraCreateParameterList.
Status GetEcpListFromIrp(PIRP irp, PECP_LIST* list);
Status SetEcpListIntoIrp(PIRP irp, PECP_LIST list);

// --- cached copy (copy_read.cc, copy_write.cc, mdl.cc) ----------------------------------------------------------------------

bool CopyRead(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, bool wait, ULONG lock_key, void* buffer,
              PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device);
bool CopyWrite(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, bool wait, ULONG lock_key, void* buffer,
               PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device);

bool MdlRead(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
             PIO_STATUS_BLOCK io_status);
bool MdlReadDev(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device);
bool MdlReadComplete(PFILE_OBJECT file, PMDL mdl_chain);
bool MdlReadCompleteDev(PFILE_OBJECT file, PMDL mdl_chain, PDEVICE_OBJECT device);
bool PrepareMdlWrite(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                     PIO_STATUS_BLOCK io_status);
bool PrepareMdlWriteDev(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                        PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device);
bool MdlWriteComplete(PFILE_OBJECT file, PLARGE_INTEGER offset, PMDL mdl_chain);
bool MdlWriteCompleteDev(PFILE_OBJECT file, PLARGE_INTEGER offset, PMDL mdl_chain, PDEVICE_OBJECT device);
Status MdlReadEx(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                 PIO_STATUS_BLOCK io_status);
Status PrepareMdlWriteEx(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG lock_key, PMDL* mdl_chain,
                         PIO_STATUS_BLOCK io_status);

/// What the helpers counted since Boot (FsRtlIncrementCcFastRead*).
struct FastReadCounters {
  uint64_t no_wait = 0, wait = 0, resource_miss = 0, not_possible = 0;
};
enum class FastReadEvent { kNoWait, kWait, kResourceMiss, kNotPossible };
void CountFastRead(FastReadEvent event);
FastReadCounters CurrentFastReadCounters();

// --- byte-range locks (file_lock.cc) -----------------------------------------------------------------------------------------

void InitializeFileLock(PFILE_LOCK lock, PCOMPLETE_LOCK_IRP_ROUTINE complete_routine, PUNLOCK_ROUTINE unlock_routine);
void UninitializeFileLock(PFILE_LOCK lock);
PFILE_LOCK AllocateFileLock(PCOMPLETE_LOCK_IRP_ROUTINE complete_routine, PUNLOCK_ROUTINE unlock_routine);
void FreeFileLock(PFILE_LOCK lock);
Status ProcessFileLock(PFILE_LOCK lock, PIRP irp, void* context);
bool PrivateLock(PFILE_LOCK lock, PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length, PEPROCESS process,
                 ULONG key, bool fail_immediately, bool exclusive, PIO_STATUS_BLOCK io_status, PIRP irp, void* context,
                 bool already_synchronized);
inline bool FastLock(PFILE_LOCK lock, PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length,
                     PEPROCESS process, ULONG key, bool fail_immediately, bool exclusive, PIO_STATUS_BLOCK io_status,
                     void* context, bool already_synchronized) {
  return PrivateLock(lock, file, offset, length, process, key, fail_immediately, exclusive, io_status, nullptr, context,
                     already_synchronized);
}
Status FastUnlockSingle(PFILE_LOCK lock, PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length,
                        PEPROCESS process, ULONG key, void* context, bool already_synchronized);
Status FastUnlockAll(PFILE_LOCK lock, PFILE_OBJECT file, PEPROCESS process, void* context);
Status FastUnlockAllByKey(PFILE_LOCK lock, PFILE_OBJECT file, PEPROCESS process, ULONG key, void* context);
bool CheckLockForReadAccess(PFILE_LOCK lock, PIRP irp);
bool CheckLockForWriteAccess(PFILE_LOCK lock, PIRP irp);
bool FastCheckLockForRead(PFILE_LOCK lock, PLARGE_INTEGER offset, PLARGE_INTEGER length, ULONG key, PFILE_OBJECT file,
                          void* process);
bool FastCheckLockForWrite(PFILE_LOCK lock, PLARGE_INTEGER offset, PLARGE_INTEGER length, ULONG key, void* file,
                           void* process);
bool CheckLockForOplockRequest(PFILE_LOCK lock, PLARGE_INTEGER allocation_size);
PFILE_LOCK_INFO GetNextFileLock(PFILE_LOCK lock, bool restart);
inline bool AreThereCurrentFileLocks(PFILE_LOCK lock) { return lock->FastIoIsQuestionable; }
bool AreThereCurrentOrInProgressFileLocks(PFILE_LOCK lock);
bool AreThereWaitingFileLocks(PFILE_LOCK lock);

// --- oplocks (oplock*.cc) ---------------------------------------------------------------------------------------------------

void InitializeOplock(POPLOCK oplock);
void UninitializeOplock(POPLOCK oplock);
inline Status OplockFsctrl(POPLOCK oplock, PIRP irp, ULONG open_count);
Status OplockFsctrlEx(POPLOCK oplock, PIRP irp, ULONG open_count, ULONG flags);
Status CheckOplockEx(POPLOCK oplock, PIRP irp, ULONG flags, void* context, POPLOCK_WAIT_COMPLETE_ROUTINE completion,
                     POPLOCK_FS_PREPOST_IRP post_irp);
Status OplockBreakH(POPLOCK oplock, PIRP irp, ULONG flags, void* context, POPLOCK_WAIT_COMPLETE_ROUTINE completion,
                    POPLOCK_FS_PREPOST_IRP post_irp);
Status OplockBreakToNoneEx(POPLOCK oplock, PIRP irp, ULONG flags, void* context,
                           POPLOCK_WAIT_COMPLETE_ROUTINE completion, POPLOCK_FS_PREPOST_IRP post_irp);
bool OplockIsFastIoPossible(POPLOCK oplock);
bool OplockIsSharedRequest(PIRP irp);
bool OplockKeysEqual(PFILE_OBJECT file1, PFILE_OBJECT file2);
bool CurrentBatchOplock(POPLOCK oplock);
bool CurrentOplock(POPLOCK oplock);
bool CurrentOplockH(POPLOCK oplock);
/// The process of any holder that has yet to acknowledge a break, referenced; null: none.
PEPROCESS OplockGetAnyBreakOwnerProcess(POPLOCK oplock);
/// mm calls it when a writable view's section is created over the file: R, RH, RW, RWH break to none without waiting.
void BreakOplockForWritableSection(PFILE_OBJECT file);

inline Status OplockFsctrl(POPLOCK oplock, PIRP irp, ULONG open_count) {
  return OplockFsctrlEx(oplock, irp, open_count, 0);
}
inline Status CheckOplock(POPLOCK oplock, PIRP irp, void* context, POPLOCK_WAIT_COMPLETE_ROUTINE completion,
                          POPLOCK_FS_PREPOST_IRP post_irp) {
  return CheckOplockEx(oplock, irp, 0, context, completion, post_irp);
}

// --- directory change notification (notify.cc) ----------------------------------------------------------------------------------

void NotifyInitializeSync(PNOTIFY_SYNC* sync);
void NotifyUninitializeSync(PNOTIFY_SYNC* sync);
void NotifyFilterChangeDirectory(PNOTIFY_SYNC sync, PLIST_ENTRY list, void* fs_context, PSTRING full_directory_name,
                                 bool watch_tree, bool ignore_buffer, ULONG completion_filter, PIRP irp,
                                 PCHECK_FOR_TRAVERSE_ACCESS traverse, PSECURITY_SUBJECT_CONTEXT subject,
                                 PFILTER_REPORT_CHANGE filter);
void NotifyFilterReportChange(PNOTIFY_SYNC sync, PLIST_ENTRY list, PSTRING full_target_name, USHORT target_name_offset,
                              PSTRING stream_name, PSTRING normalized_parent_name, ULONG filter_match, ULONG action,
                              void* target_context, void* filter_context);
void NotifyCleanup(PNOTIFY_SYNC sync, PLIST_ENTRY list, void* fs_context);
void NotifyCleanupAll(PNOTIFY_SYNC sync, PLIST_ENTRY list);

// --- tunnel cache (tunnel.cc) -----------------------------------------------------------------------------------------------------

void InitializeTunnelCache(PTUNNEL cache);
void AddToTunnelCacheEx(PTUNNEL cache, ULONGLONG directory_key, PUNICODE_STRING short_name, PUNICODE_STRING long_name,
                        ULONG flags, ULONG data_length, void* data);
bool FindInTunnelCacheEx(PTUNNEL cache, ULONGLONG directory_key, PUNICODE_STRING name, PUNICODE_STRING short_name,
                         PUNICODE_STRING long_name, ULONG flags, PULONG data_length, void* data);
void DeleteKeyFromTunnelCache(PTUNNEL cache, ULONGLONG directory_key);
void DeleteTunnelCache(PTUNNEL cache);
/// MaximumTunnelEntryAgeInSeconds and MaximumTunnelEntries.
struct TunnelLimits {
  uint32_t age_seconds = 15;
  uint32_t entries = 256;
};
void SetTunnelLimits(const TunnelLimits& limits);

// --- run lists (base_mcb.cc, large_mcb.cc) ----------------------------------------------------------------------------------------

Status InitializeBaseMcb(PBASE_MCB mcb, POOL_TYPE pool_type, USHORT flags);
void UninitializeBaseMcb(PBASE_MCB mcb);
void ResetBaseMcb(PBASE_MCB mcb);
void TruncateBaseMcb(PBASE_MCB mcb, LONGLONG vbn);
/// @returns STATUS_INVALID_PARAMETER: another mapping is in the way; STATUS_INSUFFICIENT_RESOURCES
Status AddBaseMcbEntry(PBASE_MCB mcb, LONGLONG vbn, LONGLONG lbn, LONGLONG count);
/// @returns STATUS_INSUFFICIENT_RESOURCES: a run had to be split, and there was no memory; nothing has changed
Status RemoveBaseMcbEntry(PBASE_MCB mcb, LONGLONG vbn, LONGLONG count);
bool LookupBaseMcbEntry(const BASE_MCB* mcb, LONGLONG vbn, LONGLONG* lbn, LONGLONG* count_from_lbn,
                        LONGLONG* starting_lbn, LONGLONG* count_from_starting_lbn, ULONG* index);
bool LookupLastBaseMcbEntryAndIndex(const BASE_MCB* mcb, LONGLONG* vbn, LONGLONG* lbn, ULONG* index);
ULONG NumberOfRunsInBaseMcb(const BASE_MCB* mcb);
bool GetNextBaseMcbEntry(const BASE_MCB* mcb, ULONG index, LONGLONG* vbn, LONGLONG* lbn, LONGLONG* count);
Status SplitBaseMcb(PBASE_MCB mcb, LONGLONG vbn, LONGLONG amount);

// The same under the guarded mutex of the LARGE_MCB; STATUS_INSUFFICIENT_RESOURCES is raised.
void InitializeLargeMcb(PLARGE_MCB mcb, POOL_TYPE pool_type);
void UninitializeLargeMcb(PLARGE_MCB mcb);
void ResetLargeMcb(PLARGE_MCB mcb, bool self_synchronized);
void TruncateLargeMcb(PLARGE_MCB mcb, LONGLONG vbn);
bool AddLargeMcbEntry(PLARGE_MCB mcb, LONGLONG vbn, LONGLONG lbn, LONGLONG count);
void RemoveLargeMcbEntry(PLARGE_MCB mcb, LONGLONG vbn, LONGLONG count);
bool LookupLargeMcbEntry(PLARGE_MCB mcb, LONGLONG vbn, LONGLONG* lbn, LONGLONG* count_from_lbn, LONGLONG* starting_lbn,
                         LONGLONG* count_from_starting_lbn, ULONG* index);
bool LookupLastLargeMcbEntryAndIndex(PLARGE_MCB mcb, LONGLONG* vbn, LONGLONG* lbn, ULONG* index);
ULONG NumberOfRunsInLargeMcb(PLARGE_MCB mcb);
bool GetNextLargeMcbEntry(PLARGE_MCB mcb, ULONG index, LONGLONG* vbn, LONGLONG* lbn, LONGLONG* count);
bool SplitLargeMcb(PLARGE_MCB mcb, LONGLONG vbn, LONGLONG amount);

// --- names (names.cc, expression.cc) ----------------------------------------------------------------------------------------------

void DissectName(UNICODE_STRING path, PUNICODE_STRING first, PUNICODE_STRING remaining);
bool DoesNameContainWildCards(PUNICODE_STRING name);
/// @param upcase_table  null: the system's
bool AreNamesEqual(PCUNICODE_STRING a, PCUNICODE_STRING b, bool ignore_case, PCWCH upcase_table);
bool IsNameInExpression(PUNICODE_STRING expression, PUNICODE_STRING name, bool ignore_case, PWCH upcase_table);
bool IsNameInUnUpcasedExpression(PUNICODE_STRING expression, PUNICODE_STRING name, bool ignore_case, PWCH upcase_table);
void DissectDbcs(ANSI_STRING path, PANSI_STRING first, PANSI_STRING remaining);
bool DoesDbcsContainWildCards(PANSI_STRING name);
bool IsDbcsInExpression(PANSI_STRING expression, PANSI_STRING name);
bool IsFatDbcsLegal(ANSI_STRING name, bool wild_cards, bool path_name, bool leading_backslash);
bool IsHpfsDbcsLegal(ANSI_STRING name, bool wild_cards, bool path_name, bool leading_backslash);
Status RemoveDotsFromPath(PWSTR path, USHORT path_length, USHORT* new_length);

// --- exceptions, stack (exceptions.cc, stack_overflow.cc) ---------------------------------------------------------------------------

bool IsNtstatusExpected(NTSTATUS exception);
NTSTATUS NormalizeNtstatus(NTSTATUS exception, NTSTATUS generic);
bool IsTotalDeviceFailure(NTSTATUS status);
void PostStackOverflow(void* context, PKEVENT event, PFSRTL_STACK_OVERFLOW_ROUTINE routine);
void PostPagingFileStackOverflow(void* context, PKEVENT event, PFSRTL_STACK_OVERFLOW_ROUTINE routine);

// --- contexts (contexts.cc) ---------------------------------------------------------------------------------------------------------

Status InsertPerStreamContext(PFSRTL_ADVANCED_FCB_HEADER header, PFSRTL_PER_STREAM_CONTEXT context);
PFSRTL_PER_STREAM_CONTEXT LookupPerStreamContext(PFSRTL_ADVANCED_FCB_HEADER header, void* owner, void* instance);
PFSRTL_PER_STREAM_CONTEXT RemovePerStreamContext(PFSRTL_ADVANCED_FCB_HEADER header, void* owner, void* instance);
void TeardownPerStreamContexts(PFSRTL_ADVANCED_FCB_HEADER header);
Status InsertPerFileContext(void** file_context, PFSRTL_PER_FILE_CONTEXT context);
PFSRTL_PER_FILE_CONTEXT LookupPerFileContext(void** file_context, void* owner, void* instance);
PFSRTL_PER_FILE_CONTEXT RemovePerFileContext(void** file_context, void* owner, void* instance);
void TeardownPerFileContexts(void** file_context);
Status InsertPerFileObjectContext(PFILE_OBJECT file, PFSRTL_PER_FILEOBJECT_CONTEXT context);
PFSRTL_PER_FILEOBJECT_CONTEXT LookupPerFileObjectContext(PFILE_OBJECT file, void* owner, void* instance);
PFSRTL_PER_FILEOBJECT_CONTEXT RemovePerFileObjectContext(PFILE_OBJECT file, void* owner, void* instance);

// --- extra create parameters (ecp.cc) -------------------------------------------------------------------------------------------------

Status AllocateExtraCreateParameterList(ULONG flags, PECP_LIST* list);
/// Frees the list and what is in it, after the clean-up callbacks.
void FreeExtraCreateParameterList(PECP_LIST list);
Status AllocateExtraCreateParameter(LPCGUID type, ULONG bytes, ULONG flags,
                                    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK cleanup, ULONG tag, void** context);
void FreeExtraCreateParameter(void* context);
Status InsertExtraCreateParameter(PECP_LIST list, void* context);
Status FindExtraCreateParameter(PECP_LIST list, LPCGUID type, void** context, ULONG* bytes);
Status RemoveExtraCreateParameter(PECP_LIST list, LPCGUID type, void** context, ULONG* bytes);
Status GetNextExtraCreateParameter(PECP_LIST list, void* current, LPGUID next_type, void** next, ULONG* next_bytes);
void AcknowledgeEcp(void* context);
bool IsEcpAcknowledged(void* context);
bool IsEcpFromUserMode(void* context);
void PrepareToReuseEcp(void* context);
void InitExtraCreateParameterLookasideList(void* lookaside, ULONG flags, SIZE_T bytes, ULONG tag);
void DeleteExtraCreateParameterLookasideList(void* lookaside, ULONG flags);
Status AllocateExtraCreateParameterFromLookasideList(LPCGUID type, ULONG bytes, ULONG flags,
                                                     PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK cleanup,
                                                     void* lookaside, void** context);

// --- volumes and the rest (volumes.cc, shared_resources.cc) ------------------------------------------------------------------------------------

Status NotifyVolumeEventEx(PFILE_OBJECT file, ULONG event_code, PTARGET_DEVICE_CUSTOM_NOTIFICATION event);
inline Status NotifyVolumeEvent(PFILE_OBJECT file, ULONG event_code) {
  return NotifyVolumeEventEx(file, event_code, nullptr);
}
/// io sets it when it has listeners: delivers the notification to those of the file's device.
using TargetDeviceReporter = Status (*)(PFILE_OBJECT file, PTARGET_DEVICE_CUSTOM_NOTIFICATION notification);
void SetTargetDeviceReporter(TargetDeviceReporter reporter);
PERESOURCE AllocateResource();
Status SyncVolumes(PDEVICE_OBJECT device, PLARGE_INTEGER offset, PLARGE_INTEGER count);
Status BalanceReads(PDEVICE_OBJECT device);
Status GetSectorSizeInformation(PDEVICE_OBJECT device, PFILE_FS_SECTOR_SIZE_INFORMATION information);
Status ValidateReparsePointBuffer(ULONG bytes, PREPARSE_DATA_BUFFER buffer);

}  // namespace nt::fsrtl
