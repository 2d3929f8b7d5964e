// Address queries; memory use; boot.
#include <algorithm>
#include <string>

#include "src/host/host.h"
#include "src/ldr/ldr.h"
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"
#include "src/mm/section.h"
#include "src/mm/segment.h"
#include "src/mm/user_arena.h"
#include "src/mm/view.h"
#include "src/mm/writer.h"
#include "src/ps/ps.h"

namespace nt::mm {

bool IsAddressValid(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  if (IsViewAddress(address)) return IsViewPageMapped(at);
  if (IsCacheAddress(address)) {
    const Slot* slot = SlotOfAddress(address);
    return slot->resident.load() >> ((at & (kSlotBytes - 1)) >> PAGE_SHIFT) & 1;
  }
  char byte;
  return ldr::TryCopy(&byte, address, 1).ok();
}

bool IsNonPagedSystemAddressValid(const void* address) {
  return reinterpret_cast<uintptr_t>(address) >= kSystemRangeStart && !IsViewAddress(address) && IsAddressValid(address);
}

PHYSICAL_ADDRESS GetPhysicalAddress(void* address) {
  PHYSICAL_ADDRESS result;
  const auto at = reinterpret_cast<uintptr_t>(address);
  PFN_NUMBER frame = PfnOfAddress(address);
  if (IsViewAddress(address)) {
    Status status = LockViewPage(at, false, &frame);
    if (status.ok())
      Segment::Unpin(SlotOfAddress(AddressOfPfn(frame)));
    else
      frame = 0;
  }
  result.QuadPart = static_cast<LONGLONG>((frame << PAGE_SHIFT) | (at & (PAGE_SIZE - 1)));
  return result;
}

void* GetSystemRoutineAddress(UNICODE_STRING* name) {
  std::string narrow;
  for (USHORT i = 0; i < name->Length / sizeof(WCHAR); i++) {
    if (name->Buffer[i] >= 0x80) return nullptr;
    narrow += static_cast<char>(name->Buffer[i]);
  }
  return const_cast<void*>(ldr::FindRoutine(narrow.c_str()));
}

MM_SYSTEMSIZE QuerySystemSize() { return MmLargeSystem; }

MemoryUse CurrentMemoryUse() {
  MemoryUse use;
  use.cache_bytes = static_cast<uint64_t>(SlotsInUse()) * kSlotBytes;
  use.dirty_bytes = static_cast<uint64_t>(std::max<int64_t>(g_dirty_pages.load(), 0)) * PAGE_SIZE;
  use.limit_bytes = static_cast<uint64_t>(SlotLimit()) * kSlotBytes;
  use.segments = SegmentCount();
  use.views = ViewCount();
  return use;
}

namespace {

uint64_t DefaultCacheBytes() { return std::min(host::MemoryBytes() / 2, 16 * kGiB); }

}  // namespace

Status Boot(const Options& options) {
  const uint64_t limit = options.cache_bytes ? options.cache_bytes : DefaultCacheBytes();
  if (!PhysicalMemoryBoot(limit)) return STATUS_CONFLICTING_ADDRESSES;
  NT_TRY(ArenaBoot());
  NT_TRY(ViewsBoot());
  SegmentTableBoot(options.unused_segments, options.cluster_bytes >> PAGE_SHIFT);
  NT_TRY(SectionsBoot());
  ps::SetAddressSpaceCleaner(CleanProcessAddressSpace);
  return StartWriter(options.writer_interval_ms);
}

void CleanProcessAddressSpace(PEPROCESS process) {
  DeleteAllViews(process);
  FreeProcessMemory(process);
}

void CloseAllSegments() {
  DeleteAllViews(nullptr);
  RunMappedPageWriter();
  TrimUnusedSegments(true);
}

void Shutdown() {
  ps::SetAddressSpaceCleaner(nullptr);
  StopWriter();
  CloseAllSegments();
  SegmentTableShutdown();
  ViewsShutdown();
  ArenaShutdown();
  PhysicalMemoryShutdown();
}

}  // namespace nt::mm
