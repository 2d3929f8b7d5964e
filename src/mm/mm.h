// Memory: the page cache ("physical memory"), cached files and their sections, views, MDLs, requestor memory.
//
// Twins of Mm* routines have their parameters and meaning; what they promise to drivers stands in include/wdk/nt/mm.h.
// cc works on segments directly (segment.h); everybody else needs only this header.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ntifs.h"
#include "src/base/status.h"
#include "src/mm/layout.h"

namespace nt::mm {

struct Options {
  uint64_t cache_bytes = 0;            // page cache: beyond it clean slots are recycled; 0: half of memory, <= 16 GiB
  uint32_t cluster_bytes = 64 * 1024;  // what a fault reads around the page it needs; <= 256 KiB
  uint32_t unused_segments = 4096;     // clean files kept in memory after their last use
  uint32_t writer_interval_ms = 1000;  // mapped page writer
};

Status Boot(const Options& options = {});
/// Every file must have been flushed and closed (cc::FlushAll, then CloseAllSegments).
void Shutdown();
/// The machine's end: closes handles to sections that nobody closed, and names their files on standard error.
void CloseLeakedSections();
/// Machine shutdown, after cc::FlushAll: writes dirty pages of mapped files, unmaps what is left, drops every file
/// object.
void CloseAllSegments();

// --- pages and addresses (physical_memory.cc, mdl.cc) -----------------------------------------------------------------------

/// Page frame numbers: pages of the cache count from 0; any other memory has its page's address with kSyntheticPfn set.
inline constexpr PFN_NUMBER kSyntheticPfn = 1ull << 40;
inline bool IsCacheAddress(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - kPhysicalBase < kPhysicalBytes;
}
inline PFN_NUMBER PfnOfAddress(const void* address) {
  const auto value = reinterpret_cast<uintptr_t>(address);
  return value - kPhysicalBase < kPhysicalBytes ? (value - kPhysicalBase) >> PAGE_SHIFT : (value >> PAGE_SHIFT) | kSyntheticPfn;
}
inline void* AddressOfPfn(PFN_NUMBER pfn) {
  return reinterpret_cast<void*>(pfn & kSyntheticPfn ? (pfn & ~kSyntheticPfn) << PAGE_SHIFT
                                                     : kPhysicalBase + (pfn << PAGE_SHIFT));
}

struct MemoryUse {
  uint64_t cache_bytes = 0;     // of slots in use
  uint64_t dirty_bytes = 0;
  uint64_t limit_bytes = 0;
  uint64_t segments = 0;        // files with pages in memory
  uint64_t views = 0;
};
MemoryUse CurrentMemoryUse();
/// Gives the frames of free slots back to the host.
void TrimFreeMemory();

// --- requestor memory (user_arena.cc) ------------------------------------------------------------------------------------------

/// Buffers below MmUserProbeAddress for requests from outside: FUSE, the command line, the C++ API. Allocation of a recycled size
/// takes one short lock and no system call; memory comes zeroed only the first time.
class UserArena {
 public:
  /// @param bytes  a power of two from 64 to 2 KiB, then whole pages; above 64 KiB the buffer begins at a multiple of
  ///               64 KiB. nullptr: exhausted
  static void* Allocate(size_t bytes);
  static void Free(void* buffer, size_t bytes);
};
/// Requestor addresses: arena buffers and user views.
inline bool IsUserRange(const void* address, size_t bytes) {
  const auto start = reinterpret_cast<uintptr_t>(address);
  return start + bytes >= start && start + bytes <= kUserProbeAddress;
}

Status NtAllocateVirtualMemory(HANDLE process, void** base, ULONG_PTR zero_bits, SIZE_T* bytes, ULONG type, ULONG protect);
Status NtFreeVirtualMemory(HANDLE process, void** base, SIZE_T* bytes, ULONG type);
Status NtProtectVirtualMemory(HANDLE process, void** base, SIZE_T* bytes, ULONG protect, ULONG* old_protect);
Status NtQueryVirtualMemory(HANDLE process, void* base, MEMORY_INFORMATION_CLASS information_class, void* buffer,
                            SIZE_T length, SIZE_T* returned);
Status NtFlushVirtualMemory(HANDLE process, void** base, SIZE_T* bytes, IO_STATUS_BLOCK* iosb);

// --- MDLs (mdl.cc) ------------------------------------------------------------------------------------------------------------

SIZE_T SizeOfMdl(void* base, SIZE_T bytes);
/// @raises STATUS_ACCESS_VIOLATION; the MDL is then as before
void ProbeAndLockPages(MDL* mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation);
void ProbeAndLockProcessPages(MDL* mdl, PEPROCESS process, KPROCESSOR_MODE mode, LOCK_OPERATION operation);
void UnlockPages(MDL* mdl);
void BuildMdlForNonPagedPool(MDL* mdl);
/// Kernel mode: the address where the pages are anyway. User mode (cache pages only): a second mapping; @raises otherwise
void* MapLockedPages(MDL* mdl, KPROCESSOR_MODE mode);
void* MapLockedPagesSpecifyCache(MDL* mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, void* address,
                                 ULONG bug_check_on_failure, ULONG priority);
void UnmapLockedPages(void* base, MDL* mdl);
/// MmGetSystemAddressForMdlSafe, which drivers get inline.
inline void* GetSystemAddressForMdl(MDL* mdl) {
  if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) return mdl->MappedSystemVa;
  return MapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, nullptr, FALSE, NormalPagePriority);
}
inline void* GetSystemAddressForMdlSafe(MDL* mdl, ULONG priority) {
  (void)priority;
  return GetSystemAddressForMdl(mdl);
}
/// MmPrepareMdlForReuse.
void PrepareMdlForReuse(MDL* mdl);
Status AdvanceMdl(MDL* mdl, ULONG bytes);
MDL* CreateMdl(MDL* mdl, void* base, SIZE_T bytes);
MDL* AllocatePagesForMdl(PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high, PHYSICAL_ADDRESS skip, SIZE_T bytes);
MDL* AllocatePagesForMdlEx(PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high, PHYSICAL_ADDRESS skip, SIZE_T bytes,
                           MEMORY_CACHING_TYPE cache, ULONG flags);
void FreePagesFromMdl(MDL* mdl);

// --- address queries, contiguous memory (misc.cc) ---------------------------------------------------------------------------------

/// TRUE when an access would not fault. Never pages in.
bool IsAddressValid(const void* address);
bool IsNonPagedSystemAddressValid(const void* address);
PHYSICAL_ADDRESS GetPhysicalAddress(void* address);
void* GetSystemRoutineAddress(UNICODE_STRING* name);
MM_SYSTEMSIZE QuerySystemSize();

// --- sections (section.cc, view.cc) ---------------------------------------------------------------------------------------------

Status CreateSection(void** section, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, LARGE_INTEGER* maximum_size,
                     ULONG protection, ULONG allocation_attributes, HANDLE file_handle, FILE_OBJECT* file);
Status NtCreateSection(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, LARGE_INTEGER* maximum_size,
                       ULONG protection, ULONG allocation_attributes, HANDLE file);
Status NtOpenSection(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes);
Status NtMapViewOfSection(HANDLE section, HANDLE process, void** base, ULONG_PTR zero_bits, SIZE_T commit,
                          LARGE_INTEGER* offset, SIZE_T* view_bytes, SECTION_INHERIT inherit, ULONG type, ULONG protect);
Status NtUnmapViewOfSection(HANDLE process, void* base);
Status NtExtendSection(HANDLE section, LARGE_INTEGER* new_size);
Status NtQuerySection(HANDLE section, SECTION_INFORMATION_CLASS information_class, void* buffer, SIZE_T length,
                      SIZE_T* returned);
Status MapViewOfSection(void* section, PEPROCESS process, void** base, LARGE_INTEGER* offset, SIZE_T* view_bytes,
                        ULONG protect);
Status UnmapViewOfSection(PEPROCESS process, void* base);
Status MapViewInSystemSpace(void* section, void** base, SIZE_T* view_bytes);
Status UnmapViewInSystemSpace(void* base);
/// Unmaps every user view of a process and frees what it allocated: ps calls it when the process ends.
void CleanProcessAddressSpace(PEPROCESS process);

// --- what file systems ask (file_section.cc) --------------------------------------------------------------------------------------

bool FlushImageSection(SECTION_OBJECT_POINTERS* pointers, MMFLUSH_TYPE type);
bool CanFileBeTruncated(SECTION_OBJECT_POINTERS* pointers, LARGE_INTEGER* new_size);
bool ForceSectionClosed(SECTION_OBJECT_POINTERS* pointers, bool delay_close);
bool ForceSectionClosedEx(SECTION_OBJECT_POINTERS* pointers, ULONG flags);
ULONG DoesFileHaveUserWritableReferences(SECTION_OBJECT_POINTERS* pointers);
bool DisableModifiedWriteOfSection(SECTION_OBJECT_POINTERS* pointers);
Status PrefetchPages(ULONG lists, READ_LIST** read_lists);
Status SetAddressRangeModified(void* address, SIZE_T bytes);
bool IsRecursiveIoFault();

/// Writes dirty pages of mapped files now, as the mapped page writer does at its interval.
void RunMappedPageWriter();

}  // namespace nt::mm
