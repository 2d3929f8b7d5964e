// The cache manager's public face (ntifs.h): cache maps, copy, mapping and pinning, MDL, read-ahead, throttling.
#pragma once

#include "../ntdef.h"
#include "io.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VACB_MAPPING_GRANULARITY (0x40000)
#define VACB_OFFSET_SHIFT        (18)

/// The three sizes of a stream; taken from the FSRTL header, FileSize <= AllocationSize.
/// ValidDataLength is MAXLONGLONG when the file system does not track it.
typedef struct _CC_FILE_SIZES {
  LARGE_INTEGER AllocationSize;
  LARGE_INTEGER FileSize;
  LARGE_INTEGER ValidDataLength;
} CC_FILE_SIZES, *PCC_FILE_SIZES;

/// What a Bcb pointer points to: enough for a file system to name the mapped range.
typedef struct _PUBLIC_BCB {
  CSHORT NodeTypeCode;
  CSHORT NodeByteSize;
  ULONG MappedLength;
  LARGE_INTEGER MappedFileOffset;
} PUBLIC_BCB, *PPUBLIC_BCB;

typedef BOOLEAN(NTAPI *PACQUIRE_FOR_LAZY_WRITE)(PVOID Context, BOOLEAN Wait);
typedef VOID(NTAPI *PRELEASE_FROM_LAZY_WRITE)(PVOID Context);
typedef BOOLEAN(NTAPI *PACQUIRE_FOR_READ_AHEAD)(PVOID Context, BOOLEAN Wait);
typedef VOID(NTAPI *PRELEASE_FROM_READ_AHEAD)(PVOID Context);

typedef struct _CACHE_MANAGER_CALLBACKS {
  PACQUIRE_FOR_LAZY_WRITE AcquireForLazyWrite;
  PRELEASE_FROM_LAZY_WRITE ReleaseFromLazyWrite;
  PACQUIRE_FOR_READ_AHEAD AcquireForReadAhead;
  PRELEASE_FROM_READ_AHEAD ReleaseFromReadAhead;
} CACHE_MANAGER_CALLBACKS, *PCACHE_MANAGER_CALLBACKS;

#define CACHE_MANAGER_CALLBACKS_EX_V1        0x0001
#define CC_ACQUIRE_DONT_WAIT                 0x00000001
#define CC_ACQUIRE_SUPPORTS_ASYNC_LAZYWRITE  0x00000001

/// Signalled when the last cache map reference is gone (CcUninitializeCacheMap).
typedef struct _CACHE_UNINITIALIZE_EVENT {
  struct _CACHE_UNINITIALIZE_EVENT *Next;
  KEVENT Event;
} CACHE_UNINITIALIZE_EVENT, *PCACHE_UNINITIALIZE_EVENT;

typedef VOID(NTAPI *PDIRTY_PAGE_ROUTINE)(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                         PLARGE_INTEGER OldestLsn, PLARGE_INTEGER NewestLsn, PVOID Context1,
                                         PVOID Context2);
typedef VOID(NTAPI *PFLUSH_TO_LSN)(PVOID LogHandle, LARGE_INTEGER Lsn);
typedef VOID(NTAPI *PCC_POST_DEFERRED_WRITE)(PVOID Context1, PVOID Context2);

// ---------------------------------------------------------------------------------------------------------------
// Cache maps

/// TRUE when a private cache map hangs off the file object: the fast path may be tried.
#define CcIsFileCached(FO)                                      \
  (((FO)->SectionObjectPointer != NULL) &&                      \
   (((PSECTION_OBJECT_POINTERS)(FO)->SectionObjectPointer)->SharedCacheMap != NULL))

/// Turns caching on for FileObject. PinAccess: the file system will pin (its metadata).
/// @irql PASSIVE_LEVEL   @raises STATUS_INSUFFICIENT_RESOURCES and the section's statuses
NTKERNELAPI VOID NTAPI CcInitializeCacheMap(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes, BOOLEAN PinAccess,
                                            PCACHE_MANAGER_CALLBACKS Callbacks, PVOID LazyWriteContext);
NTKERNELAPI VOID NTAPI CcInitializeCacheMapEx(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes, BOOLEAN PinAccess,
                                              PCACHE_MANAGER_CALLBACKS Callbacks, PVOID LazyWriteContext,
                                              ULONG Flags);

/// @returns TRUE when the cache map is gone on return; otherwise it goes later, and UninitializeEvent tells
NTKERNELAPI BOOLEAN NTAPI CcUninitializeCacheMap(PFILE_OBJECT FileObject, PLARGE_INTEGER TruncateSize,
                                                 PCACHE_UNINITIALIZE_EVENT UninitializeEvent);

NTKERNELAPI VOID NTAPI CcSetFileSizes(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes);
NTKERNELAPI NTSTATUS NTAPI CcSetFileSizesEx(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes);

/// Address of the cached file size: take a consistent copy under the spin lock of the cache.
#define CcGetFileSizePointer(FO) \
  ((PLARGE_INTEGER)((PVOID)((ULONG_PTR)((FO)->SectionObjectPointer->SharedCacheMap) + sizeof(LARGE_INTEGER))))

#define UNINITIALIZE_CACHE_MAPS (1)
#define DO_NOT_RETRY_PURGE      (2)
#define DO_NOT_PURGE_DIRTY_PAGES (0x4)
#define PURGE_WITH_ACTIVE_VIEWS (0x8)

/// @returns FALSE when a mapped view, an image or a pin keeps pages in place
NTKERNELAPI BOOLEAN NTAPI CcPurgeCacheSection(PSECTION_OBJECT_POINTERS SectionObjectPointer,
                                              PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags);

#define CC_FLUSH_AND_PURGE_NO_PURGE           (0x1)
#define CC_FLUSH_AND_PURGE_GATHER_DIRTY_BITS  (0x2)
#define CC_FLUSH_AND_PURGE_WRITEABLE_VIEWS_NOTSEEN (0x4)

NTKERNELAPI VOID NTAPI CcCoherencyFlushAndPurgeCache(PSECTION_OBJECT_POINTERS SectionObjectPointer,
                                                     PLARGE_INTEGER FileOffset, ULONG Length,
                                                     PIO_STATUS_BLOCK IoStatus, ULONG Flags);

/// Writes dirty pages of the range (of the file when FileOffset is NULL) and waits for them.
NTKERNELAPI VOID NTAPI CcFlushCache(PSECTION_OBJECT_POINTERS SectionObjectPointer, PLARGE_INTEGER FileOffset,
                                    ULONG Length, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI LARGE_INTEGER NTAPI CcGetFlushedValidData(PSECTION_OBJECT_POINTERS SectionObjectPointer,
                                                      BOOLEAN BcbListHeld);

/// Zeroes the range through the cache, or with writes of zeros when the file is not cached.
/// @returns FALSE only when Wait is FALSE and the work would block
NTKERNELAPI BOOLEAN NTAPI CcZeroData(PFILE_OBJECT FileObject, PLARGE_INTEGER StartOffset, PLARGE_INTEGER EndOffset,
                                     BOOLEAN Wait);

NTKERNELAPI PFILE_OBJECT NTAPI CcGetFileObjectFromSectionPtrs(PSECTION_OBJECT_POINTERS SectionObjectPointer);
NTKERNELAPI PFILE_OBJECT NTAPI CcGetFileObjectFromSectionPtrsRef(PSECTION_OBJECT_POINTERS SectionObjectPointer);
NTKERNELAPI PFILE_OBJECT NTAPI CcGetFileObjectFromBcb(PVOID Bcb);

NTKERNELAPI VOID NTAPI CcSetDirtyPageThreshold(PFILE_OBJECT FileObject, ULONG DirtyPageThreshold);

NTKERNELAPI VOID NTAPI CcSetAdditionalCacheAttributes(PFILE_OBJECT FileObject, BOOLEAN DisableReadAhead,
                                                      BOOLEAN DisableWriteBehind);

#define CC_AGGRESSIVE_UNMAP_BEHIND      (0x00000001)
#define CC_DISABLE_READ_AHEAD           (0x00000002)
#define CC_DISABLE_WRITE_BEHIND         (0x00000004)
#define CC_DISABLE_DIRTY_PAGE_TRACKING  (0x00000008)
#define CC_ENABLE_DISK_IO_ACCOUNTING    (0x00000010)
#define CC_DISABLE_UNMAP_BEHIND         (0x00000020)
#define CC_ENABLE_CPU_CACHE             (0x10000000)

NTKERNELAPI VOID NTAPI CcSetAdditionalCacheAttributesEx(PFILE_OBJECT FileObject, ULONG Flags);

NTKERNELAPI VOID NTAPI CcSetParallelFlushFile(PFILE_OBJECT FileObject, BOOLEAN EnableParallelFlush);
NTKERNELAPI NTSTATUS NTAPI CcSetLogHandleForFileEx(PFILE_OBJECT FileObject, PVOID LogHandle,
                                                   PFLUSH_TO_LSN FlushToLsnRoutine, PVOID LargestLsn);
NTKERNELAPI VOID NTAPI CcSetLogHandleForFile(PFILE_OBJECT FileObject, PVOID LogHandle,
                                             PFLUSH_TO_LSN FlushToLsnRoutine);

NTKERNELAPI LARGE_INTEGER NTAPI CcGetDirtyPages(PVOID LogHandle, PDIRTY_PAGE_ROUTINE DirtyPageRoutine,
                                                PVOID Context1, PVOID Context2);
NTKERNELAPI BOOLEAN NTAPI CcIsThereDirtyData(PVPB Vpb);
NTKERNELAPI BOOLEAN NTAPI CcIsThereDirtyDataEx(PVPB Vpb, PULONG NumberOfDirtyPages);
NTKERNELAPI BOOLEAN NTAPI CcIsThereDirtyLoggedPages(PDEVICE_OBJECT DeviceObject, PULONG NumberOfDirtyPages);
NTKERNELAPI NTSTATUS NTAPI CcWaitForCurrentLazyWriterActivity(VOID);

// ---------------------------------------------------------------------------------------------------------------
// Copy

/// Copies cached file bytes into Buffer.
/// @param FileOffset  bytes; FileOffset + Length <= file size
/// @param Wait        FALSE: never block; returns FALSE when page-in is needed
/// @irql    <= APC_LEVEL
/// @raises  STATUS_INSUFFICIENT_RESOURCES, the paging read's status, or a fault of Buffer
NTKERNELAPI BOOLEAN NTAPI CcCopyRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                                     PVOID Buffer, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI BOOLEAN NTAPI CcCopyReadEx(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                                       PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PETHREAD IoIssuerThread);
NTKERNELAPI VOID NTAPI CcFastCopyRead(PFILE_OBJECT FileObject, ULONG FileOffset, ULONG Length, ULONG PageCount,
                                      PVOID Buffer, PIO_STATUS_BLOCK IoStatus);

struct _CC_ASYNC_READ_CONTEXT;

typedef VOID(NTAPI *PASYNC_READ_COMPLETION_CALLBACK)(struct _CC_ASYNC_READ_CONTEXT *AsyncReadContext);

typedef struct _CC_ASYNC_READ_CONTEXT {
  PASYNC_READ_COMPLETION_CALLBACK CompletionRoutine;
  PVOID Context;
  PMDL Mdl;
  KPROCESSOR_MODE RequestorMode;
  ULONG NestingLevel;
} CC_ASYNC_READ_CONTEXT, *PCC_ASYNC_READ_CONTEXT;

NTKERNELAPI BOOLEAN NTAPI CcAsyncCopyRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                          BOOLEAN Wait, PVOID Buffer, PIO_STATUS_BLOCK IoStatus,
                                          PETHREAD IoIssuerThread, PCC_ASYNC_READ_CONTEXT AsyncReadContext);

/// Copies Buffer into the cache and marks the pages dirty (write-through files: and writes them).
/// @returns TRUE if copied; FALSE only when Wait is FALSE
NTKERNELAPI BOOLEAN NTAPI CcCopyWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                                      PVOID Buffer);
NTKERNELAPI BOOLEAN NTAPI CcCopyWriteEx(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                        BOOLEAN Wait, PVOID Buffer, PETHREAD IoIssuerThread);
NTKERNELAPI VOID NTAPI CcFastCopyWrite(PFILE_OBJECT FileObject, ULONG FileOffset, ULONG Length, PVOID Buffer);
NTKERNELAPI BOOLEAN NTAPI CcCopyWriteWontFlush(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length);

/// FALSE: too many dirty pages; post with CcDeferWrite.
NTKERNELAPI BOOLEAN NTAPI CcCanIWrite(PFILE_OBJECT FileObject, ULONG BytesToWrite, BOOLEAN Wait, UCHAR Retrying);
NTKERNELAPI VOID NTAPI CcDeferWrite(PFILE_OBJECT FileObject, PCC_POST_DEFERRED_WRITE PostRoutine, PVOID Context1,
                                    PVOID Context2, ULONG BytesToWrite, BOOLEAN Retrying);

// ---------------------------------------------------------------------------------------------------------------
// MDL: the cache's own pages, locked, described to the caller

NTKERNELAPI VOID NTAPI CcMdlRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, PMDL *MdlChain,
                                 PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI VOID NTAPI CcMdlReadComplete(PFILE_OBJECT FileObject, PMDL MdlChain);
NTKERNELAPI VOID NTAPI CcPrepareMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                         PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI VOID NTAPI CcMdlWriteComplete(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain);
NTKERNELAPI VOID NTAPI CcMdlWriteAbort(PFILE_OBJECT FileObject, PMDL MdlChain);

// ---------------------------------------------------------------------------------------------------------------
// Mapping and pinning

#define PIN_WAIT                 (1)   // may block
#define PIN_EXCLUSIVE            (2)
#define PIN_NO_READ              (4)   // only what is resident
#define PIN_IF_BCB               (8)   // only where a Bcb exists already
#define PIN_CALLER_TRACKS_DIRTY_DATA (32)
#define PIN_HIGH_PRIORITY        (64)
#define PIN_VERIFY_REQUIRED      (128)

#define MAP_WAIT                 (1)
#define MAP_NO_READ              (16)
#define MAP_HIGH_PRIORITY        (64)
#define MAP_DISABLE_PAGEFAULT_CLUSTERING (256)

/// Maps a range for reading. The data stay mapped, not necessarily resident, until CcUnpinData.
/// @returns FALSE only without MAP_WAIT   @raises the paging read's status
NTKERNELAPI BOOLEAN NTAPI CcMapData(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags,
                                    PVOID *Bcb, PVOID *Buffer);
NTKERNELAPI BOOLEAN NTAPI CcPinMappedData(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                          ULONG Flags, PVOID *Bcb);
NTKERNELAPI BOOLEAN NTAPI CcPinRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags,
                                    PVOID *Bcb, PVOID *Buffer);
NTKERNELAPI BOOLEAN NTAPI CcPreparePinWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                            BOOLEAN Zero, ULONG Flags, PVOID *Bcb, PVOID *Buffer);
NTKERNELAPI VOID NTAPI CcSetDirtyPinnedData(PVOID BcbVoid, PLARGE_INTEGER Lsn);
NTKERNELAPI VOID NTAPI CcUnpinData(PVOID Bcb);
NTKERNELAPI VOID NTAPI CcUnpinDataForThread(PVOID Bcb, ERESOURCE_THREAD ResourceThreadId);
NTKERNELAPI VOID NTAPI CcSetBcbOwnerPointer(PVOID Bcb, PVOID OwnerPointer);
NTKERNELAPI VOID NTAPI CcRepinBcb(PVOID Bcb);
NTKERNELAPI VOID NTAPI CcUnpinRepinnedBcb(PVOID Bcb, BOOLEAN WriteThrough, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI PVOID NTAPI CcRemapBcb(PVOID Bcb);
NTKERNELAPI LOGICAL NTAPI CcHasInactiveViews(VOID);
NTKERNELAPI LOGICAL NTAPI CcUnmapInactiveViews(ULONG NumberOfViewsToUnmap);

// ---------------------------------------------------------------------------------------------------------------
// Read-ahead

/// Granularity is a power of two, at least PAGE_SIZE.
NTKERNELAPI VOID NTAPI CcSetReadAheadGranularity(PFILE_OBJECT FileObject, ULONG Granularity);
NTKERNELAPI NTSTATUS NTAPI CcSetReadAheadGranularityEx(PFILE_OBJECT FileObject, ULONG Granularity, ULONG Flags);
NTKERNELAPI VOID NTAPI CcScheduleReadAhead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length);
NTKERNELAPI VOID NTAPI CcScheduleReadAheadEx(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                             PETHREAD IoIssuerThread);

/// Schedules read-ahead for a read a file system serves itself; reads under one page do not count.
#define CcReadAhead(FO, FOFF, LEN)                 \
  {                                                \
    if ((LEN) >= 256) {                            \
      CcScheduleReadAhead((FO), (FOFF), (LEN));    \
    }                                              \
  }
#define CcReadAheadEx(FO, FOFF, LEN, IOTHREAD)                 \
  {                                                            \
    if ((LEN) >= 256) {                                        \
      CcScheduleReadAheadEx((FO), (FOFF), (LEN), (IOTHREAD));  \
    }                                                          \
  }

#ifdef __cplusplus
}  // extern "C"
#endif
