// The file-system run-time library's public face (ntifs.h): the header of every file's context, cached copy, byte-range
// locks, oplocks, change notification, tunnelling, run lists, names, contexts, ECPs, filter callbacks, providers.
#pragma once

#include "../ntdef.h"
#include "cc.h"
#include "guiddef.h"
#include "io.h"
#include "rtl.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef PVOID OPLOCK, *POPLOCK;
typedef PVOID PNOTIFY_SYNC;

typedef ULONG LBN, *PLBN;
typedef ULONG VBN, *PVBN;

#ifndef FlagOn
#define FlagOn(_F, _SF) ((_F) & (_SF))
#endif

// ---------------------------------------------------------------------------------------------------------------
// Critical regions around every entry into a file system

#define FsRtlEnterFileSystem() \
  {                            \
    KeEnterCriticalRegion();   \
  }
#define FsRtlExitFileSystem() \
  {                           \
    KeLeaveCriticalRegion();  \
  }

#define FsRtlCompleteRequest(IRP, STATUS)           \
  {                                                 \
    (IRP)->IoStatus.Status = (STATUS);              \
    IoCompleteRequest((IRP), IO_DISK_INCREMENT);    \
  }

// Values of IoGetTopLevelIrp that are no IRP.
#define FSRTL_FSP_TOP_LEVEL_IRP       ((LONG_PTR)0x01)
#define FSRTL_CACHE_TOP_LEVEL_IRP     ((LONG_PTR)0x02)
#define FSRTL_MOD_WRITE_TOP_LEVEL_IRP ((LONG_PTR)0x03)
#define FSRTL_FAST_IO_TOP_LEVEL_IRP   ((LONG_PTR)0x04)
#define FSRTL_NETWORK1_TOP_LEVEL_IRP  ((LONG_PTR)0x05)
#define FSRTL_NETWORK2_TOP_LEVEL_IRP  ((LONG_PTR)0x06)
#define FSRTL_MAX_TOP_LEVEL_IRP_FLAG  ((LONG_PTR)0xFFFF)

typedef enum _FSRTL_COMPARISON_RESULT { LessThan = -1, EqualTo = 0, GreaterThan = 1 } FSRTL_COMPARISON_RESULT;

// ---------------------------------------------------------------------------------------------------------------
// The header FileObject->FsContext points to

typedef enum _FAST_IO_POSSIBLE {
  FastIoIsNotPossible = 0,
  FastIoIsPossible,
  FastIoIsQuestionable
} FAST_IO_POSSIBLE;

#define FSRTL_FCB_HEADER_V0 (0x00)
#define FSRTL_FCB_HEADER_V1 (0x01)
#define FSRTL_FCB_HEADER_V2 (0x02)
#define FSRTL_FCB_HEADER_V3 (0x03)
#define FSRTL_FCB_HEADER_V4 (0x04)

#define FSRTL_FLAG_FILE_MODIFIED        (0x01)
#define FSRTL_FLAG_FILE_LENGTH_CHANGED  (0x02)
#define FSRTL_FLAG_LIMIT_MODIFIED_PAGES (0x04)
#define FSRTL_FLAG_ACQUIRE_MAIN_RSRC_EX (0x08)
#define FSRTL_FLAG_ACQUIRE_MAIN_RSRC_SH (0x10)
#define FSRTL_FLAG_USER_MAPPED_FILE     (0x20)
#define FSRTL_FLAG_ADVANCED_HEADER      (0x40)
#define FSRTL_FLAG_EOF_ADVANCE_ACTIVE   (0x80)

#define FSRTL_FLAG2_DO_MODIFIED_WRITE         (0x01)
#define FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS  (0x02)
#define FSRTL_FLAG2_PURGE_WHEN_MAPPED         (0x04)
#define FSRTL_FLAG2_IS_PAGING_FILE            (0x08)
#define FSRTL_FLAG2_WRITABLE_USER_MAPPED_FILE (0x10)
#define FSRTL_FLAG2_BYPASSIO_STREAM_PAUSED    (0x20)

/// Flags is guarded by the header's fast mutex. The sizes are guarded by Resource and PagingIoResource: to change one,
/// hold Resource exclusive (FileSize, and against paging I/O, PagingIoResource too); to read, either one shared.
typedef struct _FSRTL_COMMON_FCB_HEADER {
  CSHORT NodeTypeCode;
  CSHORT NodeByteSize;
  UCHAR Flags;             // FSRTL_FLAG_*
  UCHAR IsFastIoPossible;  // FAST_IO_POSSIBLE
  UCHAR Flags2;            // FSRTL_FLAG2_*
  UCHAR Reserved : 4;
  UCHAR Version : 4;       // FSRTL_FCB_HEADER_V*
  PERESOURCE Resource;
  PERESOURCE PagingIoResource;
  LARGE_INTEGER AllocationSize;
  LARGE_INTEGER FileSize;
  LARGE_INTEGER ValidDataLength;
} FSRTL_COMMON_FCB_HEADER;
typedef FSRTL_COMMON_FCB_HEADER *PFSRTL_COMMON_FCB_HEADER;

struct _FSRTL_PER_STREAM_CONTEXT;

/// Which members exist is told by Version, never by the size: a driver may be built for an older system.
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wmicrosoft-anon-tag"
#endif
#ifdef __cplusplus
typedef struct _FSRTL_ADVANCED_FCB_HEADER : FSRTL_COMMON_FCB_HEADER {
#else
typedef struct _FSRTL_ADVANCED_FCB_HEADER {
  FSRTL_COMMON_FCB_HEADER DUMMYSTRUCTNAME;
#endif
  PFAST_MUTEX FastMutex;
  LIST_ENTRY FilterContexts;
  // V1: Windows Vista
  EX_PUSH_LOCK PushLock;
  PVOID *FileContextSupportPointer;
  // V2: Windows 8
  union {
    OPLOCK Oplock;            // of a local file system
    PVOID ReservedForRemote;  // of a redirector
  };
  // V3: Windows 10
  union {
    PVOID AePushLock;             // 20H2 and later
    PVOID ReservedContextLegacy;  // before
  };
#if NTDDI_VERSION >= 0x0A00000B  // V4: Windows 11
  ULONG BypassIoOpenCount;
#endif
} FSRTL_ADVANCED_FCB_HEADER;
#ifdef __clang__
#pragma clang diagnostic pop
#endif
typedef FSRTL_ADVANCED_FCB_HEADER *PFSRTL_ADVANCED_FCB_HEADER;

/// Prepares the part of the header that filters use. The caller zeroed the header and initialized the mutex.
FORCEINLINE VOID FsRtlSetupAdvancedHeader(PVOID AdvHdr, PFAST_MUTEX FMutex) {
  PFSRTL_ADVANCED_FCB_HEADER header = (PFSRTL_ADVANCED_FCB_HEADER)AdvHdr;
  header->Flags |= FSRTL_FLAG_ADVANCED_HEADER;
  header->Flags2 |= FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS;
#if NTDDI_VERSION >= 0x0A00000B
  header->Version = FSRTL_FCB_HEADER_V4;
  header->BypassIoOpenCount = 0;
#else
  header->Version = FSRTL_FCB_HEADER_V3;
#endif
  InitializeListHead(&header->FilterContexts);
  if (FMutex != NULL) {
    header->FastMutex = FMutex;
  }
  *(ULONG_PTR *)&header->PushLock = 0;
  header->FileContextSupportPointer = NULL;
  header->AePushLock = NULL;
}

FORCEINLINE VOID FsRtlSetupAdvancedHeaderEx(PVOID AdvHdr, PFAST_MUTEX FMutex, PVOID *FileContextSupportPointer) {
  FsRtlSetupAdvancedHeader(AdvHdr, FMutex);
  if (FileContextSupportPointer != NULL) {
    ((PFSRTL_ADVANCED_FCB_HEADER)AdvHdr)->FileContextSupportPointer = FileContextSupportPointer;
  }
}

FORCEINLINE VOID FsRtlSetupAdvancedHeaderEx2(PVOID AdvHdr, PFAST_MUTEX FMutex, PVOID *FileContextSupportPointer,
                                             PVOID AePushLock) {
  FsRtlSetupAdvancedHeaderEx(AdvHdr, FMutex, FileContextSupportPointer);
  if (AePushLock != NULL) {
    ((PFSRTL_ADVANCED_FCB_HEADER)AdvHdr)->AePushLock = AePushLock;
  }
}

/// For file systems that extend a file in several threads at once.
typedef struct _EOF_WAIT_BLOCK {
  LIST_ENTRY EofWaitLinks;
  KEVENT Event;
} EOF_WAIT_BLOCK, *PEOF_WAIT_BLOCK;

#define FSRTL_AUXILIARY_FLAG_DEALLOCATE 0x00000001

typedef struct _FSRTL_AUXILIARY_BUFFER {
  PVOID Buffer;
  ULONG Length;
  ULONG Flags;
  PMDL Mdl;
} FSRTL_AUXILIARY_BUFFER, *PFSRTL_AUXILIARY_BUFFER;

// ---------------------------------------------------------------------------------------------------------------
// Fast I/O: what a file system puts into its FAST_IO_DISPATCH

/// Reads from the cache, when the header says fast I/O is possible and the resource is to be had.
/// @returns TRUE if IoStatus holds the outcome; FALSE: send an IRP
/// @irql PASSIVE_LEVEL   @source learn.microsoft.com: ntifs FsRtlCopyRead
NTKERNELAPI BOOLEAN NTAPI FsRtlCopyRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                                        ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus,
                                        PDEVICE_OBJECT DeviceObject);
NTKERNELAPI BOOLEAN NTAPI FsRtlCopyWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                         BOOLEAN Wait, ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus,
                                         PDEVICE_OBJECT DeviceObject);

NTKERNELAPI BOOLEAN NTAPI FsRtlMdlRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                       PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI NTSTATUS NTAPI FsRtlMdlReadEx(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                          ULONG LockKey, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI BOOLEAN NTAPI FsRtlMdlReadDev(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                          ULONG LockKey, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                          PDEVICE_OBJECT DeviceObject);
NTKERNELAPI BOOLEAN NTAPI FsRtlMdlReadComplete(PFILE_OBJECT FileObject, PMDL MdlChain);
NTKERNELAPI BOOLEAN NTAPI FsRtlMdlReadCompleteDev(PFILE_OBJECT FileObject, PMDL MdlChain, PDEVICE_OBJECT DeviceObject);
NTKERNELAPI BOOLEAN NTAPI FsRtlPrepareMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                               ULONG LockKey, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI NTSTATUS NTAPI FsRtlPrepareMdlWriteEx(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                                  ULONG LockKey, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI BOOLEAN NTAPI FsRtlPrepareMdlWriteDev(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                                  ULONG LockKey, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                                  PDEVICE_OBJECT DeviceObject);
NTKERNELAPI BOOLEAN NTAPI FsRtlMdlWriteComplete(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain);
NTKERNELAPI BOOLEAN NTAPI FsRtlMdlWriteCompleteDev(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain,
                                                   PDEVICE_OBJECT DeviceObject);

NTKERNELAPI VOID NTAPI FsRtlIncrementCcFastReadNotPossible(VOID);
NTKERNELAPI VOID NTAPI FsRtlIncrementCcFastReadWait(VOID);
NTKERNELAPI VOID NTAPI FsRtlIncrementCcFastReadNoWait(VOID);
NTKERNELAPI VOID NTAPI FsRtlIncrementCcFastReadResourceMiss(VOID);
NTKERNELAPI LOGICAL NTAPI FsRtlIsPagingFile(PFILE_OBJECT FileObject);
NTKERNELAPI LOGICAL NTAPI FsRtlIsSystemPagingFile(PFILE_OBJECT FileObject);

// Acquire and release through the file system's and the filters' callbacks.
NTKERNELAPI VOID NTAPI FsRtlAcquireFileExclusive(PFILE_OBJECT FileObject);
NTKERNELAPI VOID NTAPI FsRtlReleaseFile(PFILE_OBJECT FileObject);
NTKERNELAPI NTSTATUS NTAPI FsRtlGetFileSize(PFILE_OBJECT FileObject, PLARGE_INTEGER FileSize);

// ---------------------------------------------------------------------------------------------------------------
// Pool that raises instead of returning NULL

#ifndef POOL_RAISE_IF_ALLOCATION_FAILURE
#define POOL_RAISE_IF_ALLOCATION_FAILURE 16
#endif
#ifndef POOL_QUOTA_FAIL_INSTEAD_OF_RAISE
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE 8
#endif

#define FsRtlAllocatePoolWithTag(PoolType, NumberOfBytes, Tag) \
  ExAllocatePoolWithTag((POOL_TYPE)((PoolType) | POOL_RAISE_IF_ALLOCATION_FAILURE), NumberOfBytes, Tag)
#define FsRtlAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, Tag) \
  ExAllocatePoolWithQuotaTag((POOL_TYPE)((PoolType) | POOL_RAISE_IF_ALLOCATION_FAILURE), NumberOfBytes, Tag)
#define FsRtlAllocatePool(PoolType, NumberOfBytes) FsRtlAllocatePoolWithTag(PoolType, NumberOfBytes, 'trSF')
#define FsRtlAllocatePoolWithQuota(PoolType, NumberOfBytes) \
  FsRtlAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, 'trSF')

NTKERNELAPI PERESOURCE NTAPI FsRtlAllocateResource(VOID);

// ---------------------------------------------------------------------------------------------------------------
// Byte-range locks

typedef struct _FILE_LOCK_INFO {
  LARGE_INTEGER StartingByte;
  LARGE_INTEGER Length;
  BOOLEAN ExclusiveLock;
  ULONG Key;
  PFILE_OBJECT FileObject;
  PVOID ProcessId;
  LARGE_INTEGER EndingByte;
} FILE_LOCK_INFO, *PFILE_LOCK_INFO;

typedef NTSTATUS NTAPI COMPLETE_LOCK_IRP_ROUTINE(PVOID Context, PIRP Irp);
typedef COMPLETE_LOCK_IRP_ROUTINE *PCOMPLETE_LOCK_IRP_ROUTINE;
typedef VOID NTAPI UNLOCK_ROUTINE(PVOID Context, PFILE_LOCK_INFO FileLockInfo);
typedef UNLOCK_ROUTINE *PUNLOCK_ROUTINE;

typedef struct _FILE_LOCK {
  PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine;
  PUNLOCK_ROUTINE UnlockRoutine;
  BOOLEAN FastIoIsQuestionable;
  BOOLEAN SpareC[3];
  PVOID LockInformation;  // NULL until the first lock
  FILE_LOCK_INFO LastReturnedLockInfo;
  PVOID LastReturnedLock;
  LONG volatile LockRequestsInProgress;
} FILE_LOCK, *PFILE_LOCK;

NTKERNELAPI PFILE_LOCK NTAPI FsRtlAllocateFileLock(PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine,
                                                   PUNLOCK_ROUTINE UnlockRoutine);
NTKERNELAPI VOID NTAPI FsRtlFreeFileLock(PFILE_LOCK FileLock);
NTKERNELAPI VOID NTAPI FsRtlInitializeFileLock(PFILE_LOCK FileLock, PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine,
                                               PUNLOCK_ROUTINE UnlockRoutine);
NTKERNELAPI VOID NTAPI FsRtlUninitializeFileLock(PFILE_LOCK FileLock);

/// Does what an IRP_MJ_LOCK_CONTROL asks for, and completes it.
NTKERNELAPI NTSTATUS NTAPI FsRtlProcessFileLock(PFILE_LOCK FileLock, PIRP Irp, PVOID Context);
NTKERNELAPI BOOLEAN NTAPI FsRtlCheckLockForReadAccess(PFILE_LOCK FileLock, PIRP Irp);
NTKERNELAPI BOOLEAN NTAPI FsRtlCheckLockForWriteAccess(PFILE_LOCK FileLock, PIRP Irp);
NTKERNELAPI BOOLEAN NTAPI FsRtlCheckLockForOplockRequest(PFILE_LOCK FileLock, PLARGE_INTEGER AllocationSize);
NTKERNELAPI BOOLEAN NTAPI FsRtlFastCheckLockForRead(PFILE_LOCK FileLock, PLARGE_INTEGER StartingByte,
                                                    PLARGE_INTEGER Length, ULONG Key, PFILE_OBJECT FileObject,
                                                    PVOID ProcessId);
NTKERNELAPI BOOLEAN NTAPI FsRtlFastCheckLockForWrite(PFILE_LOCK FileLock, PLARGE_INTEGER StartingByte,
                                                     PLARGE_INTEGER Length, ULONG Key, PVOID FileObject,
                                                     PVOID ProcessId);
NTKERNELAPI PFILE_LOCK_INFO NTAPI FsRtlGetNextFileLock(PFILE_LOCK FileLock, BOOLEAN Restart);
NTKERNELAPI NTSTATUS NTAPI FsRtlFastUnlockSingle(PFILE_LOCK FileLock, PFILE_OBJECT FileObject,
                                                 PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length, PEPROCESS Process,
                                                 ULONG Key, PVOID Context, BOOLEAN AlreadySynchronized);
NTKERNELAPI NTSTATUS NTAPI FsRtlFastUnlockAll(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process,
                                              PVOID Context);
NTKERNELAPI NTSTATUS NTAPI FsRtlFastUnlockAllByKey(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process,
                                                   ULONG Key, PVOID Context);
NTKERNELAPI BOOLEAN NTAPI FsRtlPrivateLock(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                           PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key,
                                           BOOLEAN FailImmediately, BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus,
                                           PIRP Irp, PVOID Context, BOOLEAN AlreadySynchronized);
NTKERNELAPI BOOLEAN NTAPI FsRtlAreThereCurrentOrInProgressFileLocks(PFILE_LOCK FileLock);
NTKERNELAPI BOOLEAN NTAPI FsRtlAreThereWaitingFileLocks(PFILE_LOCK FileLock);

/// BOOLEAN FsRtlFastLock(FileLock, FileObject, FileOffset, Length, Process, Key, FailImmediately, ExclusiveLock, Iosb,
/// Context, AlreadySynchronized): FALSE when the request must wait, which takes an IRP.
#define FsRtlFastLock(A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11) \
  (FsRtlPrivateLock(A1, A2, A3, A4, A5, A6, A7, A8, A9, NULL, A10, A11))

#define FsRtlAreThereCurrentFileLocks(FL) ((FL)->FastIoIsQuestionable)

// ---------------------------------------------------------------------------------------------------------------
// Oplocks

typedef VOID(NTAPI *POPLOCK_WAIT_COMPLETE_ROUTINE)(PVOID Context, PIRP Irp);
typedef VOID(NTAPI *POPLOCK_FS_PREPOST_IRP)(PVOID Context, PIRP Irp);

#define OPLOCK_FLAG_COMPLETE_IF_OPLOCKED           0x00000001
#define OPLOCK_FLAG_OPLOCK_KEY_CHECK_ONLY          0x00000002
#define OPLOCK_FLAG_BACK_OUT_ATOMIC_OPLOCK         0x00000004
#define OPLOCK_FLAG_IGNORE_OPLOCK_KEYS             0x00000008
#define OPLOCK_FLAG_PARENT_OBJECT                  0x00000010
#define OPLOCK_FLAG_CLOSING_DELETE_ON_CLOSE        0x00000020
#define OPLOCK_FLAG_REMOVING_FILE_OR_LINK          0x00000040
#define OPLOCK_FLAG_BREAKING_FOR_SHARING_VIOLATION 0x00000080
#define OPLOCK_UPPER_FLAG_CHECK_NO_BREAK           0x00010000
#define OPLOCK_UPPER_FLAG_NOTIFY_REFRESH_READ      0x00020000
#define OPLOCK_FSCTRL_FLAG_ALL_KEYS_MATCH          0x00000001

NTKERNELAPI VOID NTAPI FsRtlInitializeOplock(POPLOCK Oplock);
NTKERNELAPI VOID NTAPI FsRtlUninitializeOplock(POPLOCK Oplock);

/// Grants, acknowledges or refuses an oplock; completes or pends Irp. OpenCount: see the documentation's table.
NTKERNELAPI NTSTATUS NTAPI FsRtlOplockFsctrl(POPLOCK Oplock, PIRP Irp, ULONG OpenCount);
NTKERNELAPI NTSTATUS NTAPI FsRtlOplockFsctrlEx(POPLOCK Oplock, PIRP Irp, ULONG OpenCount, ULONG Flags);

/// Breaks what Irp conflicts with.
/// @returns STATUS_PENDING: Irp was taken and CompletionRoutine gets it later; without one, it waits
NTKERNELAPI NTSTATUS NTAPI FsRtlCheckOplock(POPLOCK Oplock, PIRP Irp, PVOID Context,
                                            POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                            POPLOCK_FS_PREPOST_IRP PostIrpRoutine);
NTKERNELAPI NTSTATUS NTAPI FsRtlCheckOplockEx(POPLOCK Oplock, PIRP Irp, ULONG Flags, PVOID Context,
                                              POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                              POPLOCK_FS_PREPOST_IRP PostIrpRoutine);
NTKERNELAPI NTSTATUS NTAPI FsRtlOplockBreakH(POPLOCK Oplock, PIRP Irp, ULONG Flags, PVOID Context,
                                             POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                             POPLOCK_FS_PREPOST_IRP PostIrpRoutine);
NTKERNELAPI NTSTATUS NTAPI FsRtlOplockBreakToNone(POPLOCK Oplock, PIO_STACK_LOCATION IrpSp, PIRP Irp, PVOID Context,
                                                  POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                                  POPLOCK_FS_PREPOST_IRP PostIrpRoutine);
NTKERNELAPI NTSTATUS NTAPI FsRtlOplockBreakToNoneEx(POPLOCK Oplock, PIRP Irp, ULONG Flags, PVOID Context,
                                                    POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                                    POPLOCK_FS_PREPOST_IRP PostIrpRoutine);
NTKERNELAPI NTSTATUS NTAPI FsRtlCheckUpperOplock(POPLOCK Oplock, ULONG NewLowerOplockState,
                                                 PVOID CompletionRoutineContext,
                                                 POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                                 POPLOCK_FS_PREPOST_IRP PrependRoutine, ULONG Flags);
NTKERNELAPI NTSTATUS NTAPI FsRtlUpperOplockFsctrl(POPLOCK Oplock, PIRP Irp, ULONG OpenCount, ULONG LowerOplockState,
                                                  ULONG Flags);
NTKERNELAPI BOOLEAN NTAPI FsRtlOplockIsFastIoPossible(POPLOCK Oplock);
NTKERNELAPI BOOLEAN NTAPI FsRtlOplockIsSharedRequest(PIRP Irp);
NTKERNELAPI BOOLEAN NTAPI FsRtlOplockKeysEqual(PFILE_OBJECT Fo1, PFILE_OBJECT Fo2);
NTKERNELAPI BOOLEAN NTAPI FsRtlCurrentBatchOplock(POPLOCK Oplock);
NTKERNELAPI BOOLEAN NTAPI FsRtlCurrentOplock(POPLOCK Oplock);
NTKERNELAPI BOOLEAN NTAPI FsRtlCurrentOplockH(POPLOCK Oplock);
NTKERNELAPI PEPROCESS NTAPI FsRtlOplockGetAnyBreakOwnerProcess(POPLOCK Oplock);

/// GUID_ECP_OPLOCK_KEY: opens of one key do not break each other's oplocks.
typedef struct _OPLOCK_KEY_ECP_CONTEXT {
  GUID OplockKey;
  ULONG Reserved;
} OPLOCK_KEY_ECP_CONTEXT, *POPLOCK_KEY_ECP_CONTEXT;

typedef struct _DUAL_OPLOCK_KEY_ECP_CONTEXT {
  GUID ParentOplockKey;
  GUID TargetOplockKey;
  BOOLEAN ParentOplockKeySet;
  BOOLEAN TargetOplockKeySet;
} DUAL_OPLOCK_KEY_ECP_CONTEXT, *PDUAL_OPLOCK_KEY_ECP_CONTEXT;

#ifdef DEFINE_GUID
DEFINE_GUID(GUID_ECP_OPLOCK_KEY, 0x48850596, 0x3050, 0x4be7, 0x98, 0x63, 0xfe, 0xc3, 0x50, 0xce, 0x8d, 0x7f);
DEFINE_GUID(GUID_ECP_DUAL_OPLOCK_KEY, 0x41621a14, 0xb08b, 0x4df1, 0xb6, 0x76, 0xa0, 0x5f, 0xfd, 0xf0, 0x1b, 0xea);
DEFINE_GUID(GUID_ECP_PREFETCH_OPEN, 0xe1777b21, 0x847e, 0x4837, 0xaa, 0x45, 0x64, 0x16, 0x1d, 0x28, 0x06, 0x55);
DEFINE_GUID(GUID_ECP_NETWORK_OPEN_CONTEXT, 0xc584edbf, 0x00df, 0x4d28, 0xb8, 0x84, 0x35, 0xba, 0xca, 0x89, 0x11,
            0xe8);
DEFINE_GUID(GUID_ECP_SRV_OPEN, 0xbebfaebc, 0xaabf, 0x489d, 0x9d, 0x2c, 0xe9, 0xe3, 0x61, 0x10, 0x28, 0x53);
DEFINE_GUID(GUID_ECP_NFS_OPEN, 0xf326d30c, 0xe5f8, 0x4fe7, 0xab, 0x74, 0xf5, 0xa3, 0x19, 0x6d, 0x92, 0xdb);
DEFINE_GUID(GUID_ECP_IO_DEVICE_HINT, 0xf315b732, 0xac6b, 0x4d4d, 0xbe, 0x0c, 0xb3, 0x12, 0x64, 0x90, 0xe1, 0xa3);
DEFINE_GUID(GUID_ECP_CREATE_REDIRECTION, 0x188d6bd6, 0xa126, 0x4fa8, 0xbd, 0xf2, 0x1c, 0xcd, 0xf8, 0x96, 0xf3,
            0xe0);
DEFINE_GUID(GUID_ECP_ATOMIC_CREATE, 0x4720bd83, 0x52ac, 0x4104, 0xa1, 0x30, 0xd1, 0xec, 0x6a, 0x8c, 0xc8, 0xe5);
DEFINE_GUID(GUID_ECP_QUERY_ON_CREATE, 0x1aca62e9, 0xabb4, 0x4ff2, 0xbb, 0x5c, 0x1c, 0x79, 0x02, 0x5e, 0x41, 0x7f);
#endif

typedef struct _PREFETCH_OPEN_ECP_CONTEXT {
  PVOID Context;
} PREFETCH_OPEN_ECP_CONTEXT, *PPREFETCH_OPEN_ECP_CONTEXT;

// ---------------------------------------------------------------------------------------------------------------
// Directory change notification

typedef BOOLEAN NTAPI CHECK_FOR_TRAVERSE_ACCESS(PVOID NotifyContext, PVOID TargetContext,
                                                PSECURITY_SUBJECT_CONTEXT SubjectContext);
typedef CHECK_FOR_TRAVERSE_ACCESS *PCHECK_FOR_TRAVERSE_ACCESS;
typedef BOOLEAN(NTAPI *PFILTER_REPORT_CHANGE)(PVOID NotifyContext, PVOID FilterContext);

NTKERNELAPI VOID NTAPI FsRtlNotifyInitializeSync(PNOTIFY_SYNC *NotifySync);
NTKERNELAPI VOID NTAPI FsRtlNotifyUninitializeSync(PNOTIFY_SYNC *NotifySync);

/// Pends Irp until a change that matches, or completes it at once from what was buffered.
NTKERNELAPI VOID NTAPI FsRtlNotifyFullChangeDirectory(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList,
                                                      PVOID FsContext, PSTRING FullDirectoryName, BOOLEAN WatchTree,
                                                      BOOLEAN IgnoreBuffer, ULONG CompletionFilter, PIRP NotifyIrp,
                                                      PCHECK_FOR_TRAVERSE_ACCESS TraverseCallback,
                                                      PSECURITY_SUBJECT_CONTEXT SubjectContext);
NTKERNELAPI VOID NTAPI FsRtlNotifyFilterChangeDirectory(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList,
                                                        PVOID FsContext, PSTRING FullDirectoryName, BOOLEAN WatchTree,
                                                        BOOLEAN IgnoreBuffer, ULONG CompletionFilter, PIRP NotifyIrp,
                                                        PCHECK_FOR_TRAVERSE_ACCESS TraverseCallback,
                                                        PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                                        PFILTER_REPORT_CHANGE FilterCallback);
NTKERNELAPI VOID NTAPI FsRtlNotifyFilterReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList,
                                                     PSTRING FullTargetName, USHORT TargetNameOffset,
                                                     PSTRING StreamName, PSTRING NormalizedParentName,
                                                     ULONG FilterMatch, ULONG Action, PVOID TargetContext,
                                                     PVOID FilterContext);
NTKERNELAPI VOID NTAPI FsRtlNotifyFullReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList,
                                                   PSTRING FullTargetName, USHORT TargetNameOffset,
                                                   PSTRING StreamName, PSTRING NormalizedParentName,
                                                   ULONG FilterMatch, ULONG Action, PVOID TargetContext);
NTKERNELAPI VOID NTAPI FsRtlNotifyReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PSTRING FullTargetName,
                                               PUSHORT FileNamePartLength, ULONG FilterMatch);
NTKERNELAPI VOID NTAPI FsRtlNotifyChangeDirectory(PNOTIFY_SYNC NotifySync, PVOID FsContext, PSTRING FullDirectoryName,
                                                  PLIST_ENTRY NotifyList, BOOLEAN WatchTree, ULONG CompletionFilter,
                                                  PIRP NotifyIrp);
NTKERNELAPI VOID NTAPI FsRtlNotifyCleanup(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext);
NTKERNELAPI VOID NTAPI FsRtlNotifyCleanupAll(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList);

// ---------------------------------------------------------------------------------------------------------------
// Volume events and the like

#define FSRTL_VOLUME_DISMOUNT          1
#define FSRTL_VOLUME_DISMOUNT_FAILED   2
#define FSRTL_VOLUME_LOCK              3
#define FSRTL_VOLUME_LOCK_FAILED       4
#define FSRTL_VOLUME_UNLOCK            5
#define FSRTL_VOLUME_MOUNT             6
#define FSRTL_VOLUME_NEEDS_CHKDSK      7
#define FSRTL_VOLUME_WORM_NEAR_FULL    8
#define FSRTL_VOLUME_WEARING_OUT       9
#define FSRTL_VOLUME_FORCED_CLOSED     10
#define FSRTL_VOLUME_INFO_MAKE_COMPAT  11
#define FSRTL_VOLUME_PREPARING_EJECT   12
#define FSRTL_VOLUME_CHANGE_SIZE       13
#define FSRTL_VOLUME_BACKGROUND_FORMAT 14

struct _TARGET_DEVICE_CUSTOM_NOTIFICATION;
NTKERNELAPI NTSTATUS NTAPI FsRtlNotifyVolumeEvent(PFILE_OBJECT FileObject, ULONG EventCode);
NTKERNELAPI NTSTATUS NTAPI FsRtlNotifyVolumeEventEx(PFILE_OBJECT FileObject, ULONG EventCode,
                                                    struct _TARGET_DEVICE_CUSTOM_NOTIFICATION *Event);
NTKERNELAPI NTSTATUS NTAPI FsRtlSyncVolumes(PDEVICE_OBJECT TargetDevice, PLARGE_INTEGER ByteOffset,
                                            PLARGE_INTEGER ByteCount);
NTKERNELAPI VOID NTAPI FsRtlDismountComplete(PDEVICE_OBJECT DeviceObject, NTSTATUS DismountStatus);
NTKERNELAPI BOOLEAN NTAPI FsRtlAreVolumeStartupApplicationsComplete(VOID);
NTKERNELAPI NTSTATUS NTAPI FsRtlBalanceReads(PDEVICE_OBJECT TargetDevice);
NTKERNELAPI NTSTATUS NTAPI FsRtlGetSectorSizeInformation(PDEVICE_OBJECT DeviceObject,
                                                         PFILE_FS_SECTOR_SIZE_INFORMATION SectorSizeInfo);
NTKERNELAPI NTSTATUS NTAPI FsRtlGetSupportedFeatures(PDEVICE_OBJECT DeviceObject, PULONG SupportedFeatures);
NTKERNELAPI VOID NTAPI FsRtlUpdateDiskCounters(ULONG64 BytesRead, ULONG64 BytesWritten);
NTKERNELAPI NTSTATUS NTAPI FsRtlGetVirtualDiskNestingLevel(PDEVICE_OBJECT DeviceObject, PULONG NestingLevel,
                                                           PULONG NestingFlags);
NTKERNELAPI ULONG NTAPI FsRtlQueryMaximumVirtualDiskNestingLevel(VOID);
#define FSRTL_VIRTDISK_FULLY_ALLOCATED 0x00000001
#define FSRTL_VIRTDISK_NO_DRIVE_LETTER 0x00000002

NTKERNELAPI NTSTATUS NTAPI FsRtlValidateReparsePointBuffer(ULONG BufferLength, PREPARSE_DATA_BUFFER ReparseBuffer);
NTKERNELAPI NTSTATUS NTAPI FsRtlRemoveDotsFromPath(PWSTR OriginalString, USHORT PathLength, USHORT *NewLength);
NTKERNELAPI BOOLEAN NTAPI FsRtlIs32BitProcess(PEPROCESS Process);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsMobileOS(VOID);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsDaxVolume(PFILE_OBJECT FileObject);

#define FSRTL_CC_FLUSH_ERROR_FLAG_NO_HARD_ERROR 0x1
#define FSRTL_CC_FLUSH_ERROR_FLAG_NO_LOG_ENTRY  0x2
NTKERNELAPI NTSTATUS NTAPI FsRtlLogCcFlushError(PUNICODE_STRING FileName, PDEVICE_OBJECT DeviceObject,
                                                PSECTION_OBJECT_POINTERS SectionObjectPointer, NTSTATUS FlushError,
                                                ULONG Flags);

typedef enum _FSRTL_CHANGE_BACKING_TYPE {
  ChangeDataControlArea,
  ChangeImageControlArea,
  ChangeSharedCacheMap
} FSRTL_CHANGE_BACKING_TYPE, *PFSRTL_CHANGE_BACKING_TYPE;
NTKERNELAPI NTSTATUS NTAPI FsRtlChangeBackingFileObject(PFILE_OBJECT CurrentFileObject, PFILE_OBJECT NewFileObject,
                                                        FSRTL_CHANGE_BACKING_TYPE ChangeBackingType, ULONG Flags);

NTKERNELAPI NTSTATUS NTAPI FsRtlCreateSectionForDataScan(PHANDLE SectionHandle, PVOID *SectionObject,
                                                         PLARGE_INTEGER SectionFileSize, PFILE_OBJECT FileObject,
                                                         ACCESS_MASK DesiredAccess,
                                                         POBJECT_ATTRIBUTES ObjectAttributes,
                                                         PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection,
                                                         ULONG AllocationAttributes, ULONG Flags);

NTKERNELAPI NTSTATUS NTAPI FsRtlQueryInformationFile(PFILE_OBJECT FileObject, PVOID FileInformation, ULONG Length,
                                                     FILE_INFORMATION_CLASS FileInformationClass,
                                                     PULONG RetFileInformationSize);
NTKERNELAPI NTSTATUS NTAPI FsRtlKernelFsControlFile(PFILE_OBJECT FileObject, ULONG FsControlCode, PVOID InputBuffer,
                                                    ULONG InputBufferLength, PVOID OutputBuffer,
                                                    ULONG OutputBufferLength, PULONG RetOutputBufferSize);
NTKERNELAPI NTSTATUS NTAPI FsRtlQueryKernelEaFile(PFILE_OBJECT FileObject, PVOID ReturnedEaData, ULONG Length,
                                                  BOOLEAN ReturnSingleEntry, PVOID EaList, ULONG EaListLength,
                                                  PULONG EaIndex, BOOLEAN RestartScan, PULONG LengthReturned);
NTKERNELAPI NTSTATUS NTAPI FsRtlSetKernelEaFile(PFILE_OBJECT FileObject, PVOID EaBuffer, ULONG Length);
NTKERNELAPI NTSTATUS NTAPI FsRtlIssueDeviceIoControl(PDEVICE_OBJECT DeviceObject, ULONG IoCtl, UCHAR Flags,
                                                     PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
                                                     ULONG OutputBufferLength, PULONG_PTR IosbInformation);

NTKERNELAPI NTSTATUS NTAPI FsRtlCancellableWaitForSingleObject(PVOID Object, PLARGE_INTEGER Timeout, PIRP Irp);
NTKERNELAPI NTSTATUS NTAPI FsRtlCancellableWaitForMultipleObjects(ULONG Count, PVOID ObjectArray[], WAIT_TYPE WaitType,
                                                                  PLARGE_INTEGER Timeout, PKWAIT_BLOCK WaitBlockArray,
                                                                  PIRP Irp);

// ---------------------------------------------------------------------------------------------------------------
// Tunnel cache: names and times that survive delete and create

typedef struct {
  FAST_MUTEX Mutex;
  PRTL_SPLAY_LINKS Cache;
  LIST_ENTRY TimerQueue;
  USHORT NumEntries;
} TUNNEL, *PTUNNEL;

#define FSRTL_ADD_TC_CASE_SENSITIVE   0x1
#define FSRTL_ADD_TC_KEY_BY_SHORT_NAME 0x2
#define FSRTL_FIND_TC_CASE_SENSITIVE  0x1

NTKERNELAPI VOID NTAPI FsRtlInitializeTunnelCache(PTUNNEL Cache);
NTKERNELAPI VOID NTAPI FsRtlAddToTunnelCache(PTUNNEL Cache, ULONGLONG DirectoryKey, PUNICODE_STRING ShortName,
                                             PUNICODE_STRING LongName, BOOLEAN KeyByShortName, ULONG DataLength,
                                             PVOID Data);
NTKERNELAPI VOID NTAPI FsRtlAddToTunnelCacheEx(PTUNNEL Cache, ULONGLONG DirectoryKey, PUNICODE_STRING ShortName,
                                               PUNICODE_STRING LongName, ULONG Flags, ULONG DataLength, PVOID Data);
NTKERNELAPI BOOLEAN NTAPI FsRtlFindInTunnelCache(PTUNNEL Cache, ULONGLONG DirectoryKey, PUNICODE_STRING Name,
                                                 PUNICODE_STRING ShortName, PUNICODE_STRING LongName,
                                                 PULONG DataLength, PVOID Data);
NTKERNELAPI BOOLEAN NTAPI FsRtlFindInTunnelCacheEx(PTUNNEL Cache, ULONGLONG DirectoryKey, PUNICODE_STRING Name,
                                                   PUNICODE_STRING ShortName, PUNICODE_STRING LongName, ULONG Flags,
                                                   PULONG DataLength, PVOID Data);
NTKERNELAPI VOID NTAPI FsRtlDeleteKeyFromTunnelCache(PTUNNEL Cache, ULONGLONG DirectoryKey);
NTKERNELAPI VOID NTAPI FsRtlDeleteTunnelCache(PTUNNEL Cache);

// ---------------------------------------------------------------------------------------------------------------
// Run lists

typedef struct _BASE_MCB {
  ULONG MaximumPairCount;
  ULONG PairCount;
  USHORT PoolType;
  USHORT Flags;
  PVOID Mapping;
} BASE_MCB, *PBASE_MCB;

typedef struct _LARGE_MCB {
  PKGUARDED_MUTEX GuardedMutex;
  BASE_MCB BaseMcb;
} LARGE_MCB, *PLARGE_MCB;

typedef struct _MCB {
  LARGE_MCB DummyFieldThatSizesThisStructureCorrectly;
} MCB, *PMCB;

#define MCB_FLAG_RAISE_ON_ALLOCATION_FAILURE 1

/// @raises STATUS_INSUFFICIENT_RESOURCES
NTKERNELAPI VOID NTAPI FsRtlInitializeLargeMcb(PLARGE_MCB Mcb, POOL_TYPE PoolType);
NTKERNELAPI VOID NTAPI FsRtlUninitializeLargeMcb(PLARGE_MCB Mcb);
NTKERNELAPI VOID NTAPI FsRtlResetLargeMcb(PLARGE_MCB Mcb, BOOLEAN SelfSynchronized);
NTKERNELAPI VOID NTAPI FsRtlTruncateLargeMcb(PLARGE_MCB Mcb, LONGLONG Vbn);
/// @returns FALSE when the range overlaps a run with another mapping
/// @raises STATUS_INSUFFICIENT_RESOURCES
NTKERNELAPI BOOLEAN NTAPI FsRtlAddLargeMcbEntry(PLARGE_MCB Mcb, LONGLONG Vbn, LONGLONG Lbn, LONGLONG SectorCount);
NTKERNELAPI VOID NTAPI FsRtlRemoveLargeMcbEntry(PLARGE_MCB Mcb, LONGLONG Vbn, LONGLONG SectorCount);
/// @returns FALSE when Vbn lies past the last run; a hole gives TRUE with *Lbn == -1
NTKERNELAPI BOOLEAN NTAPI FsRtlLookupLargeMcbEntry(PLARGE_MCB Mcb, LONGLONG Vbn, PLONGLONG Lbn,
                                                   PLONGLONG SectorCountFromLbn, PLONGLONG StartingLbn,
                                                   PLONGLONG SectorCountFromStartingLbn, PULONG Index);
NTKERNELAPI BOOLEAN NTAPI FsRtlLookupLastLargeMcbEntry(PLARGE_MCB Mcb, PLONGLONG Vbn, PLONGLONG Lbn);
NTKERNELAPI BOOLEAN NTAPI FsRtlLookupLastLargeMcbEntryAndIndex(PLARGE_MCB OpaqueMcb, PLONGLONG LargeVbn,
                                                               PLONGLONG LargeLbn, PULONG Index);
NTKERNELAPI ULONG NTAPI FsRtlNumberOfRunsInLargeMcb(PLARGE_MCB Mcb);
NTKERNELAPI BOOLEAN NTAPI FsRtlGetNextLargeMcbEntry(PLARGE_MCB Mcb, ULONG RunIndex, PLONGLONG Vbn, PLONGLONG Lbn,
                                                    PLONGLONG SectorCount);
NTKERNELAPI BOOLEAN NTAPI FsRtlSplitLargeMcb(PLARGE_MCB Mcb, LONGLONG Vbn, LONGLONG Amount);

// The same without the lock.
NTKERNELAPI VOID NTAPI FsRtlInitializeBaseMcb(PBASE_MCB Mcb, POOL_TYPE PoolType);
NTKERNELAPI BOOLEAN NTAPI FsRtlInitializeBaseMcbEx(PBASE_MCB Mcb, POOL_TYPE PoolType, USHORT Flags);
NTKERNELAPI VOID NTAPI FsRtlUninitializeBaseMcb(PBASE_MCB Mcb);
NTKERNELAPI VOID NTAPI FsRtlResetBaseMcb(PBASE_MCB Mcb);
NTKERNELAPI VOID NTAPI FsRtlTruncateBaseMcb(PBASE_MCB Mcb, LONGLONG Vbn);
NTKERNELAPI BOOLEAN NTAPI FsRtlAddBaseMcbEntry(PBASE_MCB Mcb, LONGLONG Vbn, LONGLONG Lbn, LONGLONG SectorCount);
NTKERNELAPI NTSTATUS NTAPI FsRtlAddBaseMcbEntryEx(PBASE_MCB Mcb, LONGLONG Vbn, LONGLONG Lbn, LONGLONG SectorCount);
NTKERNELAPI BOOLEAN NTAPI FsRtlRemoveBaseMcbEntry(PBASE_MCB Mcb, LONGLONG Vbn, LONGLONG SectorCount);
NTKERNELAPI BOOLEAN NTAPI FsRtlLookupBaseMcbEntry(PBASE_MCB Mcb, LONGLONG Vbn, PLONGLONG Lbn,
                                                  PLONGLONG SectorCountFromLbn, PLONGLONG StartingLbn,
                                                  PLONGLONG SectorCountFromStartingLbn, PULONG Index);
NTKERNELAPI BOOLEAN NTAPI FsRtlLookupLastBaseMcbEntry(PBASE_MCB Mcb, PLONGLONG Vbn, PLONGLONG Lbn);
NTKERNELAPI BOOLEAN NTAPI FsRtlLookupLastBaseMcbEntryAndIndex(PBASE_MCB OpaqueMcb, PLONGLONG LargeVbn,
                                                              PLONGLONG LargeLbn, PULONG Index);
NTKERNELAPI ULONG NTAPI FsRtlNumberOfRunsInBaseMcb(PBASE_MCB Mcb);
NTKERNELAPI BOOLEAN NTAPI FsRtlGetNextBaseMcbEntry(PBASE_MCB Mcb, ULONG RunIndex, PLONGLONG Vbn, PLONGLONG Lbn,
                                                   PLONGLONG SectorCount);
NTKERNELAPI BOOLEAN NTAPI FsRtlSplitBaseMcb(PBASE_MCB Mcb, LONGLONG Vbn, LONGLONG Amount);

// The same with 32-bit numbers.
NTKERNELAPI VOID NTAPI FsRtlInitializeMcb(PMCB Mcb, POOL_TYPE PoolType);
NTKERNELAPI VOID NTAPI FsRtlUninitializeMcb(PMCB Mcb);
NTKERNELAPI VOID NTAPI FsRtlTruncateMcb(PMCB Mcb, VBN Vbn);
NTKERNELAPI BOOLEAN NTAPI FsRtlAddMcbEntry(PMCB Mcb, VBN Vbn, LBN Lbn, ULONG SectorCount);
NTKERNELAPI VOID NTAPI FsRtlRemoveMcbEntry(PMCB Mcb, VBN Vbn, ULONG SectorCount);
NTKERNELAPI BOOLEAN NTAPI FsRtlLookupMcbEntry(PMCB Mcb, VBN Vbn, PLBN Lbn, PULONG SectorCount, PULONG Index);
NTKERNELAPI BOOLEAN NTAPI FsRtlLookupLastMcbEntry(PMCB Mcb, PVBN Vbn, PLBN Lbn);
NTKERNELAPI ULONG NTAPI FsRtlNumberOfRunsInMcb(PMCB Mcb);
NTKERNELAPI BOOLEAN NTAPI FsRtlGetNextMcbEntry(PMCB Mcb, ULONG RunIndex, PVBN Vbn, PLBN Lbn, PULONG SectorCount);

// ---------------------------------------------------------------------------------------------------------------
// Names

#define ANSI_DOS_STAR ('<')
#define ANSI_DOS_QM   ('>')
#define ANSI_DOS_DOT  ('"')
#define DOS_STAR ((WCHAR)'<')
#define DOS_QM   ((WCHAR)'>')
#define DOS_DOT  ((WCHAR)'"')

#define FSRTL_FAT_LEGAL      0x01
#define FSRTL_HPFS_LEGAL     0x02
#define FSRTL_NTFS_LEGAL     0x04
#define FSRTL_WILD_CHARACTER 0x08
#define FSRTL_OLE_LEGAL      0x10
#define FSRTL_NTFS_STREAM_LEGAL (FSRTL_NTFS_LEGAL | FSRTL_OLE_LEGAL)

#ifndef __ELF__
/// Of each character below 128, the FSRTL_*_LEGAL bits.
NTKERNELAPI extern const UCHAR *const FsRtlLegalAnsiCharacterArray;
#define LEGAL_ANSI_CHARACTER_ARRAY (FsRtlLegalAnsiCharacterArray)

#define FsRtlIsAnsiCharacterWild(C) \
  FlagOn(FsRtlLegalAnsiCharacterArray[(UCHAR)(C)], FSRTL_WILD_CHARACTER)
#define FsRtlIsAnsiCharacterLegalFat(C, WILD_OK)  FsRtlTestAnsiCharacter((C), TRUE, (WILD_OK), FSRTL_FAT_LEGAL)
#define FsRtlIsAnsiCharacterLegalHpfs(C, WILD_OK) FsRtlTestAnsiCharacter((C), TRUE, (WILD_OK), FSRTL_HPFS_LEGAL)
#define FsRtlIsAnsiCharacterLegalNtfs(C, WILD_OK) FsRtlTestAnsiCharacter((C), TRUE, (WILD_OK), FSRTL_NTFS_LEGAL)
#define FsRtlIsAnsiCharacterLegalNtfsStream(C, WILD_OK) \
  FsRtlTestAnsiCharacter((C), TRUE, (WILD_OK), FSRTL_NTFS_STREAM_LEGAL)
#define FsRtlIsAnsiCharacterLegal(C, FLAGS) FsRtlTestAnsiCharacter((C), TRUE, FALSE, (FLAGS))
#define FsRtlTestAnsiCharacter(C, DEFAULT_RET, WILD_OK, FLAGS) \
  (((signed char)(C) < 0)                                      \
       ? (DEFAULT_RET)                                         \
       : FlagOn(FsRtlLegalAnsiCharacterArray[(UCHAR)(C)], (FLAGS) | ((WILD_OK) ? FSRTL_WILD_CHARACTER : 0)))

#define FsRtlIsUnicodeCharacterWild(C) \
  ((((C) >= 0x40) ? FALSE : FlagOn(FsRtlLegalAnsiCharacterArray[(C)], FSRTL_WILD_CHARACTER)))

#define FsRtlIsLeadDbcsCharacter(DBCS_CHAR)                 \
  ((BOOLEAN)((UCHAR)(DBCS_CHAR) < 0x80                      \
                 ? FALSE                                    \
                 : (NLS_MB_CODE_PAGE_TAG && (NLS_OEM_LEAD_BYTE_INFO[(UCHAR)(DBCS_CHAR)] != 0))))
#endif

/// First component of Path, and the rest without the separator; both point into Path's buffer.
NTKERNELAPI VOID NTAPI FsRtlDissectName(UNICODE_STRING Path, PUNICODE_STRING FirstName,
                                        PUNICODE_STRING RemainingName);
NTKERNELAPI BOOLEAN NTAPI FsRtlDoesNameContainWildCards(PUNICODE_STRING Name);
NTKERNELAPI BOOLEAN NTAPI FsRtlAreNamesEqual(PCUNICODE_STRING ConstantNameA, PCUNICODE_STRING ConstantNameB,
                                             BOOLEAN IgnoreCase, PCWCH UpcaseTable);
/// Expression must be upcased when IgnoreCase is TRUE.
NTKERNELAPI BOOLEAN NTAPI FsRtlIsNameInExpression(PUNICODE_STRING Expression, PUNICODE_STRING Name,
                                                  BOOLEAN IgnoreCase, PWCH UpcaseTable);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsNameInUnUpcasedExpression(PUNICODE_STRING Expression, PUNICODE_STRING Name,
                                                           BOOLEAN IgnoreCase, PWCH UpcaseTable);
NTKERNELAPI VOID NTAPI FsRtlDissectDbcs(ANSI_STRING Path, PANSI_STRING FirstName, PANSI_STRING RemainingName);
NTKERNELAPI BOOLEAN NTAPI FsRtlDoesDbcsContainWildCards(PANSI_STRING Name);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsDbcsInExpression(PANSI_STRING Expression, PANSI_STRING Name);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsFatDbcsLegal(ANSI_STRING DbcsName, BOOLEAN WildCardsPermissible,
                                              BOOLEAN PathNamePermissible, BOOLEAN LeadingBackslashPermissible);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsHpfsDbcsLegal(ANSI_STRING DbcsName, BOOLEAN WildCardsPermissible,
                                               BOOLEAN PathNamePermissible, BOOLEAN LeadingBackslashPermissible);

// ---------------------------------------------------------------------------------------------------------------
// Exceptions and stack

NTKERNELAPI BOOLEAN NTAPI FsRtlIsNtstatusExpected(NTSTATUS Exception);
NTKERNELAPI NTSTATUS NTAPI FsRtlNormalizeNtstatus(NTSTATUS Exception, NTSTATUS GenericException);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsTotalDeviceFailure(NTSTATUS Status);

typedef VOID(NTAPI *PFSRTL_STACK_OVERFLOW_ROUTINE)(PVOID Context, PKEVENT Event);

/// Runs the routine in a thread of its own kernel stack; it sets Event.
NTKERNELAPI VOID NTAPI FsRtlPostStackOverflow(PVOID Context, PKEVENT Event,
                                              PFSRTL_STACK_OVERFLOW_ROUTINE StackOverflowRoutine);
NTKERNELAPI VOID NTAPI FsRtlPostPagingFileStackOverflow(PVOID Context, PKEVENT Event,
                                                        PFSRTL_STACK_OVERFLOW_ROUTINE StackOverflowRoutine);

// ---------------------------------------------------------------------------------------------------------------
// Contexts that filters hang on streams, files and file objects

typedef struct _FSRTL_PER_STREAM_CONTEXT {
  LIST_ENTRY Links;
  PVOID OwnerId;
  PVOID InstanceId;
  VOID(NTAPI *FreeCallback)(PVOID Buffer);
} FSRTL_PER_STREAM_CONTEXT, *PFSRTL_PER_STREAM_CONTEXT;

typedef struct _FSRTL_PER_FILE_CONTEXT {
  LIST_ENTRY Links;
  PVOID OwnerId;
  PVOID InstanceId;
  VOID(NTAPI *FreeCallback)(PVOID Buffer);
} FSRTL_PER_FILE_CONTEXT, *PFSRTL_PER_FILE_CONTEXT;

typedef struct _FSRTL_PER_FILEOBJECT_CONTEXT {
  LIST_ENTRY Links;
  PVOID OwnerId;
  PVOID InstanceId;
} FSRTL_PER_FILEOBJECT_CONTEXT, *PFSRTL_PER_FILEOBJECT_CONTEXT;

NTKERNELAPI NTSTATUS NTAPI FsRtlInsertPerStreamContext(PFSRTL_ADVANCED_FCB_HEADER PerStreamContext,
                                                       PFSRTL_PER_STREAM_CONTEXT Ptr);
NTKERNELAPI PFSRTL_PER_STREAM_CONTEXT NTAPI FsRtlLookupPerStreamContextInternal(
    PFSRTL_ADVANCED_FCB_HEADER StreamContext, PVOID OwnerId, PVOID InstanceId);
NTKERNELAPI PFSRTL_PER_STREAM_CONTEXT NTAPI FsRtlRemovePerStreamContext(PFSRTL_ADVANCED_FCB_HEADER StreamContext,
                                                                        PVOID OwnerId, PVOID InstanceId);
/// The file system calls it before it frees the header; every context's FreeCallback runs.
NTKERNELAPI VOID NTAPI FsRtlTeardownPerStreamContexts(PFSRTL_ADVANCED_FCB_HEADER AdvancedHeader);

NTKERNELAPI NTSTATUS NTAPI FsRtlInsertPerFileContext(PVOID *PerFileContextPointer, PFSRTL_PER_FILE_CONTEXT Ptr);
NTKERNELAPI PFSRTL_PER_FILE_CONTEXT NTAPI FsRtlLookupPerFileContext(PVOID *PerFileContextPointer, PVOID OwnerId,
                                                                    PVOID InstanceId);
NTKERNELAPI PFSRTL_PER_FILE_CONTEXT NTAPI FsRtlRemovePerFileContext(PVOID *PerFileContextPointer, PVOID OwnerId,
                                                                    PVOID InstanceId);
NTKERNELAPI VOID NTAPI FsRtlTeardownPerFileContexts(PVOID *PerFileContextPointer);

NTKERNELAPI NTSTATUS NTAPI FsRtlInsertPerFileObjectContext(PFILE_OBJECT FileObject,
                                                           PFSRTL_PER_FILEOBJECT_CONTEXT Ptr);
NTKERNELAPI PFSRTL_PER_FILEOBJECT_CONTEXT NTAPI FsRtlLookupPerFileObjectContext(PFILE_OBJECT FileObject,
                                                                                PVOID OwnerId, PVOID InstanceId);
NTKERNELAPI PFSRTL_PER_FILEOBJECT_CONTEXT NTAPI FsRtlRemovePerFileObjectContext(PFILE_OBJECT FileObject,
                                                                                PVOID OwnerId, PVOID InstanceId);

#define FsRtlGetPerStreamContextPointer(_fo) ((PFSRTL_ADVANCED_FCB_HEADER)((_fo)->FsContext))
#define FsRtlSupportsPerStreamContexts(_fo)                             \
  ((BOOLEAN)((NULL != FsRtlGetPerStreamContextPointer(_fo)) &&          \
             (0 != FlagOn(FsRtlGetPerStreamContextPointer(_fo)->Flags2, FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS))))
#define FsRtlLookupPerStreamContext(_sc, _oid, _iid)                                          \
  (((NULL != (_sc)) && FlagOn((_sc)->Flags2, FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) &&         \
    !IsListEmpty(&(_sc)->FilterContexts))                                                     \
       ? FsRtlLookupPerStreamContextInternal((_sc), (_oid), (_iid))                           \
       : NULL)
#define FsRtlInitPerStreamContext(_fc, _owner, _inst, _cb) \
  ((_fc)->OwnerId = (_owner), (_fc)->InstanceId = (_inst), (_fc)->FreeCallback = (_cb))

#define FsRtlSupportsPerFileContexts(_fo)                                            \
  ((FsRtlGetPerStreamContextPointer(_fo) != NULL) &&                                 \
   (FsRtlGetPerStreamContextPointer(_fo)->Version >= FSRTL_FCB_HEADER_V1) &&         \
   (FsRtlGetPerStreamContextPointer(_fo)->FileContextSupportPointer != NULL))
#define FsRtlGetPerFileContextPointer(_fo) \
  (FsRtlSupportsPerFileContexts(_fo) ? FsRtlGetPerStreamContextPointer(_fo)->FileContextSupportPointer : NULL)
#define FsRtlInitPerFileContext(_fc, _owner, _inst, _cb) \
  ((_fc)->OwnerId = (_owner), (_fc)->InstanceId = (_inst), (_fc)->FreeCallback = (_cb))
#define FsRtlInitPerFileObjectContext(_fc, _owner, _inst) ((_fc)->OwnerId = (_owner), (_fc)->InstanceId = (_inst))

// ---------------------------------------------------------------------------------------------------------------
// Extra create parameters

typedef ULONG FSRTL_ALLOCATE_ECPLIST_FLAGS;
typedef ULONG FSRTL_ALLOCATE_ECP_FLAGS;
typedef ULONG FSRTL_ECP_LOOKASIDE_FLAGS;
#define FSRTL_ALLOCATE_ECPLIST_FLAG_CHARGE_QUOTA 0x00000001
#define FSRTL_ALLOCATE_ECP_FLAG_CHARGE_QUOTA     0x00000001
#define FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL    0x00000002
#define FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL   0x00000002

typedef VOID NTAPI FSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK(PVOID EcpContext, LPCGUID EcpType);
typedef FSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK *PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK;

NTKERNELAPI NTSTATUS NTAPI FsRtlAllocateExtraCreateParameterList(FSRTL_ALLOCATE_ECPLIST_FLAGS Flags,
                                                                 PECP_LIST *EcpList);
NTKERNELAPI VOID NTAPI FsRtlFreeExtraCreateParameterList(PECP_LIST EcpList);
NTKERNELAPI NTSTATUS NTAPI FsRtlInitializeExtraCreateParameterList(PECP_LIST EcpList);
NTKERNELAPI NTSTATUS NTAPI FsRtlAllocateExtraCreateParameter(
    LPCGUID EcpType, ULONG SizeOfContext, FSRTL_ALLOCATE_ECP_FLAGS Flags,
    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback, ULONG PoolTag, PVOID *EcpContext);
NTKERNELAPI VOID NTAPI FsRtlInitializeExtraCreateParameter(
    PECP_HEADER Ecp, ULONG EcpFlags, PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback, ULONG TotalSize,
    LPCGUID EcpType, PVOID ListAllocatedFrom);
NTKERNELAPI VOID NTAPI FsRtlFreeExtraCreateParameter(PVOID EcpContext);
NTKERNELAPI VOID NTAPI FsRtlInitExtraCreateParameterLookasideList(PVOID Lookaside, FSRTL_ECP_LOOKASIDE_FLAGS Flags,
                                                                  SIZE_T Size, ULONG Tag);
NTKERNELAPI VOID NTAPI FsRtlDeleteExtraCreateParameterLookasideList(PVOID Lookaside,
                                                                    FSRTL_ECP_LOOKASIDE_FLAGS Flags);
NTKERNELAPI NTSTATUS NTAPI FsRtlAllocateExtraCreateParameterFromLookasideList(
    LPCGUID EcpType, ULONG SizeOfContext, FSRTL_ALLOCATE_ECP_FLAGS Flags,
    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback, PVOID LookasideList, PVOID *EcpContext);
NTKERNELAPI NTSTATUS NTAPI FsRtlInsertExtraCreateParameter(PECP_LIST EcpList, PVOID EcpContext);
/// @returns STATUS_NOT_FOUND when the list holds none of the type
NTKERNELAPI NTSTATUS NTAPI FsRtlFindExtraCreateParameter(PECP_LIST EcpList, LPCGUID EcpType, PVOID *EcpContext,
                                                         ULONG *EcpContextSize);
NTKERNELAPI NTSTATUS NTAPI FsRtlRemoveExtraCreateParameter(PECP_LIST EcpList, LPCGUID EcpType, PVOID *EcpContext,
                                                           ULONG *EcpContextSize);
NTKERNELAPI NTSTATUS NTAPI FsRtlGetEcpListFromIrp(PIRP Irp, PECP_LIST *EcpList);
NTKERNELAPI NTSTATUS NTAPI FsRtlSetEcpListIntoIrp(PIRP Irp, PECP_LIST EcpList);
NTKERNELAPI NTSTATUS NTAPI FsRtlGetNextExtraCreateParameter(PECP_LIST EcpList, PVOID CurrentEcpContext,
                                                            LPGUID NextEcpType, PVOID *NextEcpContext,
                                                            ULONG *NextEcpContextSize);
NTKERNELAPI VOID NTAPI FsRtlAcknowledgeEcp(PVOID EcpContext);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsEcpAcknowledged(PVOID EcpContext);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsEcpFromUserMode(PVOID EcpContext);
NTKERNELAPI VOID NTAPI FsRtlPrepareToReuseEcp(PVOID EcpContext);

// ---------------------------------------------------------------------------------------------------------------
// Callbacks around the acquiring of a file for others: Mm, the cache manager, the modified page writer

#define FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION ((UCHAR)-1)
#define FS_FILTER_RELEASE_FOR_SECTION_SYNCHRONIZATION ((UCHAR)-2)
#define FS_FILTER_ACQUIRE_FOR_MOD_WRITE               ((UCHAR)-3)
#define FS_FILTER_RELEASE_FOR_MOD_WRITE               ((UCHAR)-4)
#define FS_FILTER_ACQUIRE_FOR_CC_FLUSH                ((UCHAR)-5)
#define FS_FILTER_RELEASE_FOR_CC_FLUSH                ((UCHAR)-6)
#define FS_FILTER_QUERY_OPEN                          ((UCHAR)-7)

typedef enum _FS_FILTER_SECTION_SYNC_TYPE {
  SyncTypeOther = 0,
  SyncTypeCreateSection
} FS_FILTER_SECTION_SYNC_TYPE, *PFS_FILTER_SECTION_SYNC_TYPE;

typedef enum _FS_FILTER_STREAM_FO_NOTIFICATION_TYPE {
  NotifyTypeCreate = 0,
  NotifyTypeRetired
} FS_FILTER_STREAM_FO_NOTIFICATION_TYPE, *PFS_FILTER_STREAM_FO_NOTIFICATION_TYPE;

#define FS_FILTER_SECTION_SYNC_IN_FLAG_DONT_UPDATE_LAST_ACCESS 0x00000001
#define FS_FILTER_SECTION_SYNC_IN_FLAG_DONT_UPDATE_LAST_WRITE  0x00000002
#define FS_FILTER_SECTION_SYNC_SUPPORTS_ASYNC_PARALLEL_IO      0x00000001
#define FS_FILTER_SECTION_SYNC_SUPPORTS_DIRECT_MAP_DATA        0x00000002
#define FS_FILTER_SECTION_SYNC_SUPPORTS_DIRECT_MAP_IMAGE       0x00000004
#define FS_FILTER_SECTION_SYNC_IMAGE_EXTENTS_ARE_NOT_RVA       0x00000008

typedef struct _FS_FILTER_SECTION_SYNC_OUTPUT {
  ULONG StructureSize;
  ULONG SizeReturned;
  ULONG Flags;
  ULONG DesiredReadAlignment;
} FS_FILTER_SECTION_SYNC_OUTPUT, *PFS_FILTER_SECTION_SYNC_OUTPUT;

typedef union _FS_FILTER_PARAMETERS {
  struct {
    PLARGE_INTEGER EndingOffset;
    PERESOURCE *ResourceToRelease;
  } AcquireForModifiedPageWriter;
  struct {
    PERESOURCE ResourceToRelease;
  } ReleaseForModifiedPageWriter;
  struct {
    FS_FILTER_SECTION_SYNC_TYPE SyncType;
    ULONG PageProtection;
    PFS_FILTER_SECTION_SYNC_OUTPUT OutputInformation;
    ULONG Flags;
    ULONG AllocationAttributes;
  } AcquireForSectionSynchronization;
  struct {
    PIRP Irp;
    PVOID FileInformation;
    PULONG Length;
    FILE_INFORMATION_CLASS FileInformationClass;
    NTSTATUS CompletionStatus;
  } QueryOpen;
  struct {
    FS_FILTER_STREAM_FO_NOTIFICATION_TYPE NotificationType;
    DECLSPEC_ALIGN(8) BOOLEAN SafeToRecurse;
  } NotifyStreamFileObject;
  struct {
    PVOID Argument1;
    PVOID Argument2;
    PVOID Argument3;
    PVOID Argument4;
    PVOID Argument5;
  } Others;
} FS_FILTER_PARAMETERS, *PFS_FILTER_PARAMETERS;

typedef struct _FS_FILTER_CALLBACK_DATA {
  ULONG SizeOfFsFilterCallbackData;
  UCHAR Operation;  // FS_FILTER_*
  UCHAR Reserved;
  struct _DEVICE_OBJECT *DeviceObject;
  struct _FILE_OBJECT *FileObject;
  FS_FILTER_PARAMETERS Parameters;
} FS_FILTER_CALLBACK_DATA, *PFS_FILTER_CALLBACK_DATA;

/// Status other than success, STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY included, ends the operation.
typedef NTSTATUS NTAPI FS_FILTER_CALLBACK(PFS_FILTER_CALLBACK_DATA Data, PVOID *CompletionContext);
typedef FS_FILTER_CALLBACK *PFS_FILTER_CALLBACK;
typedef VOID NTAPI FS_FILTER_COMPLETION_CALLBACK(PFS_FILTER_CALLBACK_DATA Data, NTSTATUS OperationStatus,
                                                 PVOID CompletionContext);
typedef FS_FILTER_COMPLETION_CALLBACK *PFS_FILTER_COMPLETION_CALLBACK;

typedef struct _FS_FILTER_CALLBACKS {
  ULONG SizeOfFsFilterCallbacks;
  ULONG Reserved;
  PFS_FILTER_CALLBACK PreAcquireForSectionSynchronization;
  PFS_FILTER_COMPLETION_CALLBACK PostAcquireForSectionSynchronization;
  PFS_FILTER_CALLBACK PreReleaseForSectionSynchronization;
  PFS_FILTER_COMPLETION_CALLBACK PostReleaseForSectionSynchronization;
  PFS_FILTER_CALLBACK PreAcquireForCcFlush;
  PFS_FILTER_COMPLETION_CALLBACK PostAcquireForCcFlush;
  PFS_FILTER_CALLBACK PreReleaseForCcFlush;
  PFS_FILTER_COMPLETION_CALLBACK PostReleaseForCcFlush;
  PFS_FILTER_CALLBACK PreAcquireForModifiedPageWriter;
  PFS_FILTER_COMPLETION_CALLBACK PostAcquireForModifiedPageWriter;
  PFS_FILTER_CALLBACK PreReleaseForModifiedPageWriter;
  PFS_FILTER_COMPLETION_CALLBACK PostReleaseForModifiedPageWriter;
  PFS_FILTER_CALLBACK PreQueryOpen;
  PFS_FILTER_COMPLETION_CALLBACK PostQueryOpen;
} FS_FILTER_CALLBACKS, *PFS_FILTER_CALLBACKS;

NTKERNELAPI NTSTATUS NTAPI FsRtlRegisterFileSystemFilterCallbacks(struct _DRIVER_OBJECT *FilterDriverObject,
                                                                  PFS_FILTER_CALLBACKS Callbacks);

// ---------------------------------------------------------------------------------------------------------------
// Network providers

#define FSRTL_UNC_PROVIDER_FLAGS_MAILSLOTS_SUPPORTED 0x00000001
#define FSRTL_UNC_PROVIDER_FLAGS_CSC_ENABLED         0x00000002
#define FSRTL_UNC_PROVIDER_FLAGS_DOMAIN_SVC_AWARE    0x00000004
#define FSRTL_UNC_PROVIDER_FLAGS_CONTAINER_AWARE     0x00000008

#define DD_MUP_DEVICE_NAME L"\\Device\\Mup"

typedef struct _FSRTL_MUP_PROVIDER_INFO_LEVEL_1 {
  ULONG32 ProviderId;
} FSRTL_MUP_PROVIDER_INFO_LEVEL_1, *PFSRTL_MUP_PROVIDER_INFO_LEVEL_1;

typedef struct _FSRTL_MUP_PROVIDER_INFO_LEVEL_2 {
  ULONG32 ProviderId;
  UNICODE_STRING ProviderName;
} FSRTL_MUP_PROVIDER_INFO_LEVEL_2, *PFSRTL_MUP_PROVIDER_INFO_LEVEL_2;

NTKERNELAPI NTSTATUS NTAPI FsRtlRegisterUncProvider(PHANDLE MupHandle, PCUNICODE_STRING RedirectorDeviceName,
                                                    BOOLEAN MailslotsSupported);
NTKERNELAPI NTSTATUS NTAPI FsRtlRegisterUncProviderEx(PHANDLE MupHandle, PCUNICODE_STRING RedirDevName,
                                                      PDEVICE_OBJECT DeviceObject, ULONG Flags);
NTKERNELAPI VOID NTAPI FsRtlDeregisterUncProvider(HANDLE Handle);
NTKERNELAPI NTSTATUS NTAPI FsRtlMupGetProviderInfoFromFileObject(PFILE_OBJECT pFileObject, ULONG Level, PVOID pBuffer,
                                                                 PULONG pBufferSize);
NTKERNELAPI NTSTATUS NTAPI FsRtlMupGetProviderIdFromName(PCUNICODE_STRING pProviderName, PULONG32 pProviderId);

#ifdef __cplusplus
}  // extern "C"
#endif
