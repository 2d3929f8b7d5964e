// The cache manager: what siblings include. Twins of Cc* have their parameters and meaning; what they promise to drivers stands
// in include/wdk/nt/cc.h. Errors of paging I/O are raised (nt::Raise), as there.
#pragma once

#include <cstdint>

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::cc {

struct Options {
  uint32_t lazy_write_interval_ms = 1000;
  uint32_t lazy_write_fraction = 8;                    // a pass writes at least 1/8 of the dirty pages
  uint64_t dirty_threshold_bytes = 0;                  // CcCanIWrite; 0: a quarter of the page cache
  uint32_t maximum_write_bytes = 1024 * 1024;          // of one lazy write of one file before the next has its turn
  uint32_t maximum_read_ahead_bytes = 1024 * 1024;
  bool start_lazy_writer = true;         // tests turn it off and call RunLazyWriter
  uint32_t lazy_workers = 16;            // worker threads that write at once,
  uint32_t lazy_workers_per_volume = 2;  // and for one volume: one that is blocked leaves the others theirs
};

Status Boot(const Options& options = {});
void Shutdown();

/// Machine shutdown, and tests: writes all dirty data, tears down every cache map that nobody has open, releases file objects.
/// @returns the first failure to write (the data is then dropped and logged)
NTSTATUS FlushAll();
/// Machine shutdown, after FlushAll: drops the streams that a file system without DriverUnload leaves cached, with what is pinned
/// in them. Its dispatch routines must not be reached any more.
void DropMapsOf(DRIVER_OBJECT* driver);
/// One pass of the lazy writer on the calling thread. @returns pages written
uint64_t RunLazyWriter(bool write_everything = false);
void SetOptions(const Options& options);

// --- cache maps (cache_map.cc) -------------------------------------------------------------------------------------------------

/// @raises STATUS_INSUFFICIENT_RESOURCES
void InitializeCacheMap(FILE_OBJECT* file, CC_FILE_SIZES* sizes, bool pin_access, CACHE_MANAGER_CALLBACKS* callbacks,
                        void* lazy_write_context);
bool UninitializeCacheMap(FILE_OBJECT* file, LARGE_INTEGER* truncate_size, CACHE_UNINITIALIZE_EVENT* event);
void SetFileSizes(FILE_OBJECT* file, CC_FILE_SIZES* sizes);
Status SetFileSizesEx(FILE_OBJECT* file, CC_FILE_SIZES* sizes);
inline bool IsFileCached(FILE_OBJECT* file) {
  return file->SectionObjectPointer && __atomic_load_n(&file->SectionObjectPointer->SharedCacheMap, __ATOMIC_ACQUIRE);
}
bool PurgeCacheSection(SECTION_OBJECT_POINTERS* pointers, LARGE_INTEGER* offset, ULONG length, ULONG flags);
void CoherencyFlushAndPurgeCache(SECTION_OBJECT_POINTERS* pointers, LARGE_INTEGER* offset, ULONG length,
                                 IO_STATUS_BLOCK* iosb, ULONG flags);
void FlushCache(SECTION_OBJECT_POINTERS* pointers, LARGE_INTEGER* offset, ULONG length, IO_STATUS_BLOCK* iosb);
LARGE_INTEGER GetFlushedValidData(SECTION_OBJECT_POINTERS* pointers, bool bcb_list_held);
bool ZeroData(FILE_OBJECT* file, LARGE_INTEGER* start, LARGE_INTEGER* end, bool wait);
FILE_OBJECT* GetFileObjectFromSectionPtrs(SECTION_OBJECT_POINTERS* pointers);
FILE_OBJECT* GetFileObjectFromSectionPtrsRef(SECTION_OBJECT_POINTERS* pointers);
FILE_OBJECT* GetFileObjectFromBcb(void* bcb);
void SetDirtyPageThreshold(FILE_OBJECT* file, ULONG pages);
void SetAdditionalCacheAttributes(FILE_OBJECT* file, bool disable_read_ahead, bool disable_write_behind);
void SetAdditionalCacheAttributesEx(FILE_OBJECT* file, ULONG flags);
void SetLogHandleForFile(FILE_OBJECT* file, void* log_handle, PFLUSH_TO_LSN flush_to_lsn);
LARGE_INTEGER GetDirtyPages(void* log_handle, PDIRTY_PAGE_ROUTINE routine, void* context1, void* context2);
bool IsThereDirtyData(VPB* vpb);
bool IsThereDirtyDataEx(VPB* vpb, ULONG* pages);
Status WaitForCurrentLazyWriterActivity();

// --- copy (copy_read.cc, copy_write.cc) -------------------------------------------------------------------------------------------

bool CopyRead(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool wait, void* buffer, IO_STATUS_BLOCK* iosb);
bool CopyReadEx(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool wait, void* buffer, IO_STATUS_BLOCK* iosb,
                PETHREAD issuer);
void FastCopyRead(FILE_OBJECT* file, ULONG offset, ULONG length, ULONG pages, void* buffer, IO_STATUS_BLOCK* iosb);
bool CopyWrite(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool wait, void* buffer);
bool CopyWriteEx(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool wait, void* buffer, PETHREAD issuer);
void FastCopyWrite(FILE_OBJECT* file, ULONG offset, ULONG length, void* buffer);
bool CopyWriteWontFlush(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length);

// --- throttling (throttle.cc) -------------------------------------------------------------------------------------------------------

bool CanIWrite(FILE_OBJECT* file, ULONG bytes, bool wait, UCHAR retrying);
void DeferWrite(FILE_OBJECT* file, PCC_POST_DEFERRED_WRITE post, void* context1, void* context2, ULONG bytes, bool retrying);

// --- MDL (mdl.cc) ----------------------------------------------------------------------------------------------------------------------

void MdlRead(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, MDL** chain, IO_STATUS_BLOCK* iosb);
void MdlReadComplete(FILE_OBJECT* file, MDL* chain);
void PrepareMdlWrite(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, MDL** chain, IO_STATUS_BLOCK* iosb);
void MdlWriteComplete(FILE_OBJECT* file, LARGE_INTEGER* offset, MDL* chain);
void MdlWriteAbort(FILE_OBJECT* file, MDL* chain);

// --- mapping and pinning (pin.cc) -------------------------------------------------------------------------------------------------------

bool MapData(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, ULONG flags, void** bcb, void** buffer);
bool PinMappedData(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, ULONG flags, void** bcb);
bool PinRead(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, ULONG flags, void** bcb, void** buffer);
bool PreparePinWrite(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool zero, ULONG flags, void** bcb,
                     void** buffer);
void SetDirtyPinnedData(void* bcb, LARGE_INTEGER* lsn);
void UnpinData(void* bcb);
void UnpinDataForThread(void* bcb, ERESOURCE_THREAD thread);
void SetBcbOwnerPointer(void* bcb, void* owner);
void RepinBcb(void* bcb);
void UnpinRepinnedBcb(void* bcb, bool write_through, IO_STATUS_BLOCK* iosb);
void* RemapBcb(void* bcb);

// --- read-ahead (read_ahead.cc) ------------------------------------------------------------------------------------------------------------

void ScheduleReadAhead(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length);
void SetReadAheadGranularity(FILE_OBJECT* file, ULONG granularity);

}  // namespace nt::cc
