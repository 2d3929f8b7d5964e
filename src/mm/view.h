// Views of sections: ranges of requestor or system addresses that show a segment's pages.
//
// A view is reserved address space; a fault on a page of it makes the page resident, pins its slot, and maps the page from
// physical memory. Pages are mapped read-only first: the first store faults, makes the page dirty and maps it writable. Before
// a dirty page is written to the file it is write-protected again, so that a later store is seen.
//
// Locks: the table of views (kSection + 5); what a view has mapped is guarded by its segment's lock.
#pragma once

#include <vector>

#include "src/mm/mm.h"
#include "src/mm/segment.h"

namespace nt::mm {

struct View {
  Segment* segment = nullptr;        // referenced
  uintptr_t base = 0;
  uint64_t bytes = 0;                // whole pages
  uint64_t offset = 0;               // in the segment; a multiple of 64 KiB
  bool writable = false;
  bool user = false;
  PEPROCESS process = nullptr;
  uint32_t references = 1;           // the table's lock: the mapping itself, and faults under way
  // The segment's lock:
  View* next_of_segment = nullptr;
  bool dead = false;
  struct Piece {
    Slot* slot = nullptr;            // pinned once, while anything of it is mapped
    uint64_t mapped = 0;             // pages of the slot
    uint64_t writable = 0;
  };
  std::vector<Piece> pieces;         // by piece of the segment, from the one that holds `offset`

  uint64_t first_piece() const { return offset >> kSlotShift; }
  uint64_t end() const { return offset + bytes; }
};

inline bool IsViewAddress(const void* address) {
  const auto value = reinterpret_cast<uintptr_t>(address);
  return value - kUserViewBase < kUserViewBytes || value - kSystemViewBase < kSystemViewBytes;
}

Status ViewsBoot();
void ViewsShutdown();
/// @param segment  a reference that the view takes over, also on failure
/// @param base     in: wanted address or 0
Status CreateView(Segment* segment, uint64_t offset, uint64_t bytes, bool writable, bool user, PEPROCESS process,
                  uintptr_t* base);
/// STATUS_NOT_MAPPED_VIEW when `address` is in no view, in one of the other kind, or in another process's (nullptr:
/// any).
Status DeleteView(uintptr_t address, bool user, PEPROCESS process = nullptr);
void DeleteAllViews(PEPROCESS process);
/// Makes the page at `address` accessible. STATUS_ACCESS_VIOLATION: no view, or a store to a read-only one.
Status FaultView(uintptr_t address, bool write);
/// FaultView, and a pin on the page's slot. *pfn is its frame.
Status LockViewPage(uintptr_t address, bool write, PFN_NUMBER* pfn);
bool IsViewPageMapped(uintptr_t address);
/// The view at an address: segment with a reference, and where in it. nullptr: none.
Segment* SegmentOfView(uintptr_t address, uint64_t* offset, uint64_t* bytes_left, uintptr_t* base, bool* writable,
                       uint64_t* view_bytes);
uint64_t ViewCount();

/// Address space for second mappings (MmMapLockedPages), system or user.
uintptr_t ReserveViewRange(uint64_t bytes, bool user);
void FreeViewRange(uintptr_t base, bool user);

}  // namespace nt::mm
