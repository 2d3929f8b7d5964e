// MDLs: locking, mapping. There is one address space, so the system address of locked pages is where they are: the cache
// address for cache pages, the address itself for pool, stacks and requestor buffers. The page frame numbers carry that
// address (kSyntheticPfn), so that it is found again from a partial MDL or one whose frames were copied.
// A locked cache page pins its slot, once per page.
#include <algorithm>
#include <cstring>

#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"
#include "src/mm/view.h"
#include "src/ps/ps.h"

namespace nt::mm {
namespace {

constexpr ULONG kMdlTag = ' ldM';

ULONG PagesOf(const MDL* mdl) {
  return ADDRESS_AND_SIZE_TO_SPAN_PAGES(static_cast<char*>(mdl->StartVa) + mdl->ByteOffset, mdl->ByteCount);
}

void UnpinFrames(MDL* mdl, ULONG count) {
  const PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
  const bool dirty = (mdl->MdlFlags & MDL_WRITE_OPERATION) && IsViewAddress(mdl->StartVa);
  for (ULONG i = 0; i < count; i++) {
    if (frames[i] & kSyntheticPfn) continue;
    const char* address = static_cast<const char*>(AddressOfPfn(frames[i]));
    Slot* slot = SlotOfAddress(address);
    // Written by way of the MDL, where no fault would have told.
    if (dirty)
      slot->owner.load(std::memory_order_relaxed)->MarkDirty(slot, 1ull << ((reinterpret_cast<uintptr_t>(address) & (kSlotBytes - 1)) >> PAGE_SHIFT));
    Segment::Unpin(slot);
  }
}

/// The address where the frames lie one after the other; nullptr when they do not.
char* ContiguousAddress(const MDL* mdl) {
  const PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
  const ULONG count = PagesOf(mdl);
  for (ULONG i = 1; i < count; i++)
    if (frames[i] != frames[0] + i) return nullptr;
  return count ? static_cast<char*>(AddressOfPfn(frames[0])) + mdl->ByteOffset
               : static_cast<char*>(mdl->StartVa) + mdl->ByteOffset;
}

/// Frames that are not contiguous: only pages of physical memory can be mapped a second time.
char* MapElsewhere(const MDL* mdl, bool user) {
  const PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
  const ULONG count = PagesOf(mdl);
  for (ULONG i = 0; i < count; i++)
    if (frames[i] & kSyntheticPfn) return nullptr;
  const uintptr_t base = ReserveViewRange(static_cast<uint64_t>(count) * PAGE_SIZE, user);
  if (!base) return nullptr;
  for (ULONG i = 0; i < count; i++)
    if (!MapPhysical(base + static_cast<uint64_t>(i) * PAGE_SIZE, frames[i] << PAGE_SHIFT, PAGE_SIZE, true)) {
      FreeViewRange(base, user);
      return nullptr;
    }
  return reinterpret_cast<char*>(base) + mdl->ByteOffset;
}

}  // namespace

SIZE_T SizeOfMdl(void* base, SIZE_T bytes) {
  return sizeof(MDL) + sizeof(PFN_NUMBER) * ((((reinterpret_cast<ULONG_PTR>(base) & (PAGE_SIZE - 1)) + bytes + PAGE_SIZE - 1) >> PAGE_SHIFT));
}

void ProbeAndLockPages(MDL* mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation) {
  auto* start = static_cast<char*>(mdl->StartVa);
  auto* address = start + mdl->ByteOffset;
  const ULONG bytes = mdl->ByteCount;
  if (mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL))
    ke::BugCheckWithMessage("MmProbeAndLockPages: the MDL describes locked pages already", MEMORY_MANAGEMENT,
                            reinterpret_cast<ULONG_PTR>(mdl), static_cast<ULONG_PTR>(mdl->MdlFlags));
  if (mode != KernelMode && !IsUserRange(address, bytes)) Raise(STATUS_ACCESS_VIOLATION);
  const bool write = operation != IoReadAccess;
  const bool view = IsViewAddress(address);
  if (!view && bytes) {
    if (write)
      ldr::TouchForWrite(address, bytes);
    else
      ldr::TouchForRead(address, bytes);
  }
  PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
  const ULONG count = PagesOf(mdl);
  for (ULONG i = 0; i < count; i++) {
    char* page = start + static_cast<uint64_t>(i) * PAGE_SIZE;
    if (view) {
      const Status status = LockViewPage(reinterpret_cast<uintptr_t>(page), write, &frames[i]);
      if (status.ok()) continue;
      UnpinFrames(mdl, i);
      Raise(status);
    }
    frames[i] = PfnOfAddress(page);
    if (IsCacheAddress(page)) SlotOfAddress(page)->pins.fetch_add(1, std::memory_order_acq_rel);
  }
  mdl->MdlFlags |= MDL_PAGES_LOCKED;
  mdl->MdlFlags = static_cast<CSHORT>(write ? mdl->MdlFlags | MDL_WRITE_OPERATION : mdl->MdlFlags & ~MDL_WRITE_OPERATION);
  mdl->Process = mode != KernelMode || IsUserAddress(address) ? ps::GetCurrentProcess() : nullptr;
}

void ProbeAndLockProcessPages(MDL* mdl, PEPROCESS, KPROCESSOR_MODE mode, LOCK_OPERATION operation) {
  ProbeAndLockPages(mdl, mode, operation);  // one address space
}

void UnlockPages(MDL* mdl) {
  if (!(mdl->MdlFlags & MDL_PAGES_LOCKED))
    ke::BugCheckWithMessage("MmUnlockPages: the MDL's pages are not locked", PFN_LIST_CORRUPT,
                            reinterpret_cast<ULONG_PTR>(mdl), static_cast<ULONG_PTR>(mdl->MdlFlags));
  if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) UnmapLockedPages(mdl->MappedSystemVa, mdl);
  UnpinFrames(mdl, PagesOf(mdl));
  mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
  mdl->Process = nullptr;
}

void BuildMdlForNonPagedPool(MDL* mdl) {
  auto* start = static_cast<char*>(mdl->StartVa);
  PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
  const ULONG count = PagesOf(mdl);
  for (ULONG i = 0; i < count; i++) frames[i] = PfnOfAddress(start + static_cast<uint64_t>(i) * PAGE_SIZE);
  mdl->MappedSystemVa = start + mdl->ByteOffset;
  mdl->Process = nullptr;
  mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

void* MapLockedPagesSpecifyCache(MDL* mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE, void* requested,
                                 ULONG bug_check_on_failure, ULONG) {
  char* address;
  if (mode != KernelMode) {
    address = requested ? nullptr : MapElsewhere(mdl, true);
    if (!address) Raise(STATUS_NOT_SUPPORTED);  // pool and requestor memory have one address only
    return address;                             // undone by its address; the MDL does not know of it
  }
  address = ContiguousAddress(mdl);
  if (!address && IsViewAddress(mdl->StartVa)) address = static_cast<char*>(mdl->StartVa) + mdl->ByteOffset;
  if (!address) address = MapElsewhere(mdl, false);
  if (!address) {
    if (bug_check_on_failure && !(mdl->MdlFlags & MDL_MAPPING_CAN_FAIL))
      ke::BugCheckWithMessage("MmMapLockedPages: frames of different memory in one MDL cannot be mapped", NO_MORE_SYSTEM_PTES,
                              reinterpret_cast<ULONG_PTR>(mdl));
    return nullptr;
  }
  mdl->MappedSystemVa = address;
  mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA | (mdl->MdlFlags & MDL_PARTIAL ? MDL_PARTIAL_HAS_BEEN_MAPPED : 0);
  return address;
}

void* MapLockedPages(MDL* mdl, KPROCESSOR_MODE mode) {
  return MapLockedPagesSpecifyCache(mdl, mode, MmCached, nullptr, TRUE, HighPagePriority);
}

void UnmapLockedPages(void* base, MDL* mdl) {
  const auto page = reinterpret_cast<uintptr_t>(base) & ~static_cast<uintptr_t>(PAGE_SIZE - 1);
  const bool user = page - kUserViewBase < kUserViewBytes;
  if (!IsViewAddress(base) || base == static_cast<char*>(mdl->StartVa) + mdl->ByteOffset) {
    mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
    return;
  }
  FreeViewRange(page, user);
  if (!user) mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
}

void PrepareMdlForReuse(MDL* mdl) {
  if (mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) UnmapLockedPages(mdl->MappedSystemVa, mdl);
}

Status AdvanceMdl(MDL* mdl, ULONG bytes) {
  if (bytes > mdl->ByteCount) return STATUS_INVALID_PARAMETER_2;
  if (mdl->MdlFlags & MDL_PARTIAL) return STATUS_INVALID_PARAMETER_1;
  const ULONG offset = mdl->ByteOffset + bytes;
  const ULONG pages = offset >> PAGE_SHIFT;
  if (pages) {
    PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
    const ULONG count = PagesOf(mdl);
    if (mdl->MdlFlags & MDL_PAGES_LOCKED) UnpinFrames(mdl, std::min(pages, count));
    std::memmove(frames, frames + pages, (count - std::min(pages, count)) * sizeof(PFN_NUMBER));
  }
  mdl->StartVa = static_cast<char*>(mdl->StartVa) + static_cast<uint64_t>(pages) * PAGE_SIZE;
  mdl->ByteOffset = offset & (PAGE_SIZE - 1);
  mdl->ByteCount -= bytes;
  if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
    mdl->MappedSystemVa = static_cast<char*>(mdl->MappedSystemVa) + bytes;
  return STATUS_SUCCESS;
}

MDL* CreateMdl(MDL* mdl, void* base, SIZE_T bytes) {
  if (!mdl) mdl = static_cast<MDL*>(ex::AllocatePool(NonPagedPoolNx, SizeOfMdl(base, bytes), kMdlTag));
  if (mdl) {
    *mdl = {};
    MmInitializeMdl(mdl, base, bytes);
  }
  return mdl;
}

MDL* AllocatePagesForMdlEx(PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, SIZE_T bytes, MEMORY_CACHING_TYPE,
                           ULONG) {
  bytes = (bytes + PAGE_SIZE - 1) & ~static_cast<SIZE_T>(PAGE_SIZE - 1);
  if (!bytes || bytes > 0xFFFFF000u) return nullptr;
  void* pages = ex::AllocatePoolZero(NonPagedPoolNx, bytes, kMdlTag);
  if (!pages) return nullptr;
  MDL* mdl = CreateMdl(nullptr, nullptr, bytes);
  if (!mdl) {
    ex::FreePool(pages);
    return nullptr;
  }
  PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
  const PFN_NUMBER first = PfnOfAddress(pages);
  for (SIZE_T i = 0; i < bytes >> PAGE_SHIFT; i++) frames[i] = first + i;
  mdl->MdlFlags |= MDL_PAGES_LOCKED;
  return mdl;
}
MDL* AllocatePagesForMdl(PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high, PHYSICAL_ADDRESS skip, SIZE_T bytes) {
  return AllocatePagesForMdlEx(low, high, skip, bytes, MmCached, 0);
}
void FreePagesFromMdl(MDL* mdl) {
  if (!(mdl->MdlFlags & MDL_PAGES_LOCKED)) return;
  ex::FreePool(AddressOfPfn(MmGetMdlPfnArray(mdl)[0]));
  mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA);
}

}  // namespace nt::mm
