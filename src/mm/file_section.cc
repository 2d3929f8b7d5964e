// What file systems ask about the sections of a file, and force upon them.
#include <algorithm>

#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/mm/mm.h"
#include "src/mm/segment.h"
#include "src/mm/view.h"

namespace nt::mm {
namespace {

constinit thread_local uint32_t t_page_in_depth = 0;

}  // namespace

// There are no image sections: SEC_IMAGE is refused. An image never stands in the way.
bool FlushImageSection(SECTION_OBJECT_POINTERS* pointers, MMFLUSH_TYPE type) {
  if (type != MmFlushForDelete) return true;
  SegmentReference segment(pointers);
  return !segment || (segment->user_views.load() == 0 && segment->user_sections.load() == 0);
}

bool CanFileBeTruncated(SECTION_OBJECT_POINTERS* pointers, LARGE_INTEGER* new_size) {
  SegmentReference segment(pointers);
  if (!segment) return true;
  if (segment->user_views.load() == 0 && segment->user_sections.load() == 0) return true;
  if (!new_size) return false;
  const uint64_t size = (static_cast<uint64_t>(new_size->QuadPart) + PAGE_SIZE - 1) & ~static_cast<uint64_t>(PAGE_SIZE - 1);
  if (size >= segment->section_size.load()) return true;
  // A section object without views forbids it too (learn.microsoft.com, SetEndOfFile).
  if (segment->user_sections.load() != 0) return false;
  LockGuard guard(segment->lock);
  for (const View* view = segment->views; view; view = view->next_of_segment)
    if (view->user && view->end() > size) return false;
  return true;
}

bool ForceSectionClosedEx(SECTION_OBJECT_POINTERS* pointers, ULONG flags) {
  if (!pointers || !(flags & MM_FORCE_CLOSED_DATA)) return true;
  {
    SegmentReference segment(pointers);
    if (!segment) return true;
    // Dirty pages of views that are gone are written, not lost.
    if (segment->dirty_pages() && !__atomic_load_n(&pointers->SharedCacheMap, __ATOMIC_ACQUIRE)) {
      uint64_t written = 0;
      segment->Flush(0, ~0ull, {}, &written).Ignore();  // what cannot be written keeps the segment, and the answer is no
      if (segment->dirty_pages()) return false;
    }
  }
  return DeleteUnusedSegment(pointers);
}
bool ForceSectionClosed(SECTION_OBJECT_POINTERS* pointers, bool) {
  return ForceSectionClosedEx(pointers, MM_FORCE_CLOSED_DATA | MM_FORCE_CLOSED_IMAGE);
}

ULONG DoesFileHaveUserWritableReferences(SECTION_OBJECT_POINTERS* pointers) {
  SegmentReference segment(pointers);
  return segment ? segment->writable_user_views.load() + segment->writable_sections.load() : 0;
}

bool DisableModifiedWriteOfSection(SECTION_OBJECT_POINTERS* pointers) {
  SegmentReference segment(pointers);
  if (!segment) return false;
  segment->no_modified_write.store(true);
  return true;
}

Status PrefetchPages(ULONG lists, READ_LIST** read_lists) {
  for (ULONG i = 0; i < lists; i++) {
    const READ_LIST* list = read_lists[i];
    if (list->IsImage || !list->FileObject->SectionObjectPointer) continue;
    Result<Segment*> segment = AcquireSegment(list->FileObject);
    if (!segment.ok()) continue;  // a hint
    for (ULONG entry = 0; entry < list->NumberOfEntries; entry++) {
      const uint64_t offset = list->List[entry].Alignment & ~static_cast<uint64_t>(PAGE_SIZE - 1);
      segment.value()->MakeResident(offset, PAGE_SIZE, Wait::kYes).Ignore();  // the access meets the error
    }
    ReleaseSegment(segment.take());
  }
  return STATUS_SUCCESS;
}

Status SetAddressRangeModified(void* address, SIZE_T bytes) {
  auto at = reinterpret_cast<uintptr_t>(address) & ~static_cast<uintptr_t>(PAGE_SIZE - 1);
  const uintptr_t end = reinterpret_cast<uintptr_t>(address) + bytes;
  for (; at < end; at += PAGE_SIZE) {
    if (IsCacheAddress(reinterpret_cast<void*>(at))) {
      Slot* slot = SlotOfAddress(reinterpret_cast<void*>(at));
      Segment* owner = slot->owner.load(std::memory_order_acquire);
      if (!owner || !slot->pins.load()) return STATUS_INVALID_ADDRESS;
      owner->MarkDirty(slot, 1ull << ((at & (kSlotBytes - 1)) >> PAGE_SHIFT));
    } else if (IsViewAddress(reinterpret_cast<void*>(at))) {
      uint64_t offset, left;
      Segment* segment = SegmentOfView(at, &offset, &left, nullptr, nullptr, nullptr);
      if (!segment) return STATUS_INVALID_ADDRESS;
      Hazard hazard;
      const uint64_t page = 1ull << ((offset & (kSlotBytes - 1)) >> PAGE_SHIFT);
      if (Slot* slot = segment->Protect(hazard, offset >> kSlotShift, page)) segment->MarkDirty(slot, page);
      hazard.Clear();
      ReleaseSegment(segment);
    } else {
      return STATUS_INVALID_ADDRESS;
    }
  }
  return STATUS_SUCCESS;
}

PageInScope::PageInScope() { t_page_in_depth++; }
PageInScope::~PageInScope() { t_page_in_depth--; }
bool IsRecursiveIoFault() { return t_page_in_depth != 0; }

}  // namespace nt::mm
