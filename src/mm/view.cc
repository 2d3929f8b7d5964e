#include "src/mm/view.h"

#include <algorithm>
#include <map>
#include <memory>

#include "src/host/host.h"
#include "src/ke/service.h"
#include "src/ldr/ldr.h"

namespace nt::mm {
namespace {

constexpr uint64_t kGranularity = 64 * 1024;

struct Range {
  uint64_t bytes;
  View* view;  // nullptr: a second mapping
};
struct Space {
  uintptr_t base;
  uint64_t bytes;
  std::map<uintptr_t, Range> ranges;
  uintptr_t hint;
};
struct Views {
  Lock lock{static_cast<LockRank>(static_cast<int>(LockRank::kSection) + 5)};
  Space user NT_GUARDED_BY(lock){kUserViewBase, kUserViewBytes, {}, kUserViewBase};
  Space system NT_GUARDED_BY(lock){kSystemViewBase, kSystemViewBytes, {}, kSystemViewBase};
};
Views* g_views = nullptr;

bool IsMine(uintptr_t address) {
  return address - kUserViewBase < kUserViewBytes || address - kSystemViewBase < kSystemViewBytes;
}
Status PageIn(uintptr_t address, bool write) {
  if (!g_views) return STATUS_ACCESS_VIOLATION;
  // The access may come from outside the machine: a program that uses its view. Never a service of a requestor: previous mode
  // is the kernel's, and user APCs stay where they are.
  ke::ServiceScope scope(nullptr, KernelMode);
  return FaultView(address, write);
}

/// First fit, from where the last search ended.
uintptr_t PlaceLocked(Space& space, uint64_t bytes) {
  bytes = (bytes + kGranularity - 1) & ~(kGranularity - 1);
  for (const uintptr_t from : {space.hint, space.base}) {
    uintptr_t at = from;
    auto next = space.ranges.lower_bound(at);
    if (next != space.ranges.begin()) {
      const auto before = std::prev(next);
      at = std::max<uintptr_t>(at, (before->first + before->second.bytes + kGranularity - 1) & ~(kGranularity - 1));
    }
    for (; next != space.ranges.end() && next->first - at < bytes; ++next)
      at = (next->first + next->second.bytes + kGranularity - 1) & ~(kGranularity - 1);
    if (at + bytes <= space.base + space.bytes) {
      space.hint = at + bytes;
      return at;
    }
  }
  return 0;
}

View* FindLocked(const Space& space, uintptr_t address) {
  auto next = space.ranges.upper_bound(address);
  if (next == space.ranges.begin()) return nullptr;
  --next;
  return address - next->first < next->second.bytes ? next->second.view : nullptr;
}

View* ReferenceView(uintptr_t address) {
  LockGuard guard(g_views->lock);
  View* view = FindLocked(address - kUserViewBase < kUserViewBytes ? g_views->user : g_views->system, address);
  if (view) view->references++;
  return view;
}

void DereferenceView(View* view) {
  {
    LockGuard guard(g_views->lock);
    if (--view->references) return;
  }
  ReleaseSegment(view->segment);
  delete view;
}

/// Unmaps what the view maps and drops its pins. The range stays reserved.
void Empty(View* view) {
  Segment* segment = view->segment;
  LockGuard guard(segment->lock);
  view->dead = true;
  for (View** link = &segment->views; *link; link = &(*link)->next_of_segment)
    if (*link == view) {
      *link = view->next_of_segment;
      break;
    }
  UnmapPhysical(view->base, view->bytes);
  for (View::Piece& piece : view->pieces) {
    if (!piece.slot) continue;
    piece.slot->views--;
    Segment::Unpin(piece.slot);
    piece = {};
  }
  if (view->user) {
    segment->user_views.fetch_sub(1);
    if (view->writable) segment->writable_user_views.fetch_sub(1);
  }
}

struct Spot {
  uint64_t index;     // piece of the segment
  uint32_t page;      // in the piece
  uint64_t in_view;   // pages of the piece that the view covers
};
Spot SpotOf(const View* view, uintptr_t address) {
  const uint64_t at = view->offset + (address - view->base);
  Spot spot;
  spot.index = at >> kSlotShift;
  spot.page = static_cast<uint32_t>(at >> PAGE_SHIFT) & (kSlotPages - 1);
  const uint64_t first_page = view->offset >> PAGE_SHIFT, end_page = view->end() >> PAGE_SHIFT;
  const uint64_t base = spot.index * kSlotPages;
  const uint32_t from = static_cast<uint32_t>(first_page > base ? first_page - base : 0);
  const uint32_t to = static_cast<uint32_t>(std::min<uint64_t>(kSlotPages, end_page - base));
  spot.in_view = PageMask(from, to - from);
  return spot;
}

void MapRun(const View* view, uint64_t index, const Slot* slot, uint64_t run, bool writable) {
  const uint32_t first = static_cast<uint32_t>(std::countr_zero(run));
  const auto bytes = static_cast<size_t>(std::popcount(run)) * PAGE_SIZE;
  const uintptr_t address = view->base + ((index << kSlotShift) + first * PAGE_SIZE - view->offset);
  const uint64_t frame = reinterpret_cast<uintptr_t>(slot->data()) - kPhysicalBase + first * PAGE_SIZE;
  CHECK_MSG(MapPhysical(address, frame, bytes, writable), "the host refuses to map a page of a view");
}

Status FaultIn(View* view, uintptr_t address, bool write, Slot** locked) {
  if (write && !view->writable) return STATUS_ACCESS_VIOLATION;
  Segment* segment = view->segment;
  const Spot spot = SpotOf(view, address);
  const uint64_t page = 1ull << spot.page;
  Slot* slot;
  NT_TRY(segment->PinPiece(spot.index, page, Wait::kYes, Segment::Fill::kRead, &slot));
  for (;;) {
    // Dirty first: once the page is writable, another thread's store needs no fault, and its flush must find the page.
    if (write) segment->MarkDirty(slot, page);
    LockGuard guard(segment->lock);
    if (write && !(slot->dirty.load(std::memory_order_relaxed) & page)) continue;  // written meanwhile
    if (view->dead) {
      Segment::Unpin(slot);
      return STATUS_ACCESS_VIOLATION;
    }
    View::Piece& piece = view->pieces[spot.index - view->first_piece()];
    if (!piece.slot) {
      piece.slot = slot;
      slot->views++;
      slot->pins.fetch_add(1, std::memory_order_acq_rel);
    }
    if (write) {
      if (!(piece.writable & page)) {
        MapRun(view, spot.index, slot, page, true);
        piece.mapped |= page;
        piece.writable |= page;
      }
    } else if (!(piece.mapped & page)) {
      // The resident run around the page that is not mapped yet.
      const uint64_t candidates = slot->resident.load(std::memory_order_relaxed) & ~slot->busy & spot.in_view & ~piece.mapped;
      uint32_t first = spot.page, end = spot.page + 1;
      while (first > 0 && (candidates >> (first - 1) & 1)) first--;
      while (end < kSlotPages && (candidates >> end & 1)) end++;
      const uint64_t run = PageMask(first, end - first);
      MapRun(view, spot.index, slot, run, false);
      piece.mapped |= run;
    }
    break;
  }
  if (locked)
    *locked = slot;
  else
    Segment::Unpin(slot);
  return STATUS_SUCCESS;
}

}  // namespace

void Segment::WriteProtectLocked(Slot* slot, uint64_t index, uint64_t pages) {
  if (!slot->views) return;
  for (View* view = views; view; view = view->next_of_segment) {
    const uint64_t first = view->first_piece();
    if (index < first || index - first >= view->pieces.size()) continue;
    View::Piece& piece = view->pieces[index - first];
    if (piece.slot != slot) continue;
    uint64_t todo = piece.writable & pages;
    piece.writable &= ~todo;
    while (todo) {
      const uint32_t page = static_cast<uint32_t>(std::countr_zero(todo));
      const uint64_t run = PageMask(page, static_cast<uint32_t>(std::countr_one(todo >> page)));
      MapRun(view, index, slot, run, false);
      todo &= ~run;
    }
  }
}

Status ViewsBoot() {
  if (!host::ReserveMemory(kUserViewBase, kUserViewBytes)) return STATUS_CONFLICTING_ADDRESSES;
  if (!host::ReserveMemory(kSystemViewBase, kSystemViewBytes)) {
    host::ReleaseMemory(reinterpret_cast<void*>(kUserViewBase), kUserViewBytes);
    return STATUS_CONFLICTING_ADDRESSES;
  }
  ldr::Initialize();  // the fault handler
  g_views = new Views;
  ldr::PageFaultHooks hooks = {};
  hooks.is_mine = IsMine;
  hooks.page_in = PageIn;
  ldr::SetPageFaultHooks(hooks);
  return STATUS_SUCCESS;
}

void ViewsShutdown() {
  if (!g_views) return;
  ldr::SetPageFaultHooks({});
  delete g_views;
  g_views = nullptr;
  host::ReleaseMemory(reinterpret_cast<void*>(kUserViewBase), kUserViewBytes);
  host::ReleaseMemory(reinterpret_cast<void*>(kSystemViewBase), kSystemViewBytes);
}

Status CreateView(Segment* segment, uint64_t offset, uint64_t bytes, bool writable, bool user, PEPROCESS process,
                  uintptr_t* base) {
  if (bytes > (user ? kUserViewBytes : kSystemViewBytes)) {
    ReleaseSegment(segment);
    return STATUS_NO_MEMORY;
  }
  auto view = std::make_unique<View>();
  view->segment = segment;
  view->bytes = (bytes + PAGE_SIZE - 1) & ~static_cast<uint64_t>(PAGE_SIZE - 1);
  view->offset = offset;
  view->writable = writable;
  view->user = user;
  view->process = process;
  view->pieces.resize(((offset + view->bytes - 1) >> kSlotShift) - (offset >> kSlotShift) + 1);
  Status status = STATUS_SUCCESS;
  {
    LockGuard guard(g_views->lock);
    Space& space = user ? g_views->user : g_views->system;
    uintptr_t at = *base;
    if (at) {
      if ((at & (kGranularity - 1)) || at < space.base || at + view->bytes > space.base + space.bytes) {
        status = STATUS_CONFLICTING_ADDRESSES;
      } else {
        auto next = space.ranges.lower_bound(at);
        if (next != space.ranges.end() && next->first < at + view->bytes) status = STATUS_CONFLICTING_ADDRESSES;
        if (next != space.ranges.begin() && std::prev(next)->first + std::prev(next)->second.bytes > at)
          status = STATUS_CONFLICTING_ADDRESSES;
      }
    } else {
      at = PlaceLocked(space, view->bytes);
      if (!at) status = STATUS_NO_MEMORY;
    }
    if (status.ok()) {
      view->base = *base = at;
      space.ranges[at] = {view->bytes, view.get()};
    }
  }
  if (!status.ok()) {
    ReleaseSegment(segment);
    return status;
  }
  LockGuard guard(segment->lock);
  view->next_of_segment = segment->views;
  segment->views = view.release();
  if (user) {
    segment->user_views.fetch_add(1);
    if (writable) segment->writable_user_views.fetch_add(1);
  }
  return STATUS_SUCCESS;
}

Status DeleteView(uintptr_t address, bool user, PEPROCESS process) {
  View* view;
  {
    LockGuard guard(g_views->lock);
    Space& space = user ? g_views->user : g_views->system;
    view = FindLocked(space, address);
    if (!view || (process && view->process != process)) return STATUS_NOT_MAPPED_VIEW;
    // Out of sight of faults; the range itself is taken until it is unmapped.
    space.ranges[view->base].view = nullptr;
  }
  Empty(view);
  {
    LockGuard guard(g_views->lock);
    (user ? g_views->user : g_views->system).ranges.erase(view->base);
  }
  DereferenceView(view);
  return STATUS_SUCCESS;
}

void DeleteAllViews(PEPROCESS process) {
  for (;;) {
    uintptr_t base = 0;
    bool user = true;
    {
      LockGuard guard(g_views->lock);
      for (Space* space : {&g_views->user, &g_views->system}) {
        for (const auto& [at, range] : space->ranges)
          if (range.view && (!process || (range.view->user && range.view->process == process))) base = at;
        if (base) break;
        user = false;
      }
    }
    if (!base || !DeleteView(base, user).ok()) return;
  }
}

Status FaultView(uintptr_t address, bool write) {
  View* view = ReferenceView(address);
  if (!view) return STATUS_ACCESS_VIOLATION;
  const Status status = FaultIn(view, address, write, nullptr);
  DereferenceView(view);
  return status;
}

Status LockViewPage(uintptr_t address, bool write, PFN_NUMBER* pfn) {
  View* view = ReferenceView(address);
  if (!view) return STATUS_ACCESS_VIOLATION;
  Slot* slot = nullptr;
  const Status status = FaultIn(view, address, write, &slot);
  if (status.ok()) *pfn = PfnOfAddress(slot->data()) + SpotOf(view, address).page;
  DereferenceView(view);
  return status;
}

bool IsViewPageMapped(uintptr_t address) {
  View* view = ReferenceView(address);
  if (!view) return false;
  const Spot spot = SpotOf(view, address);
  bool mapped;
  {
    LockGuard guard(view->segment->lock);
    mapped = view->pieces[spot.index - view->first_piece()].mapped >> spot.page & 1;
  }
  DereferenceView(view);
  return mapped;
}

Segment* SegmentOfView(uintptr_t address, uint64_t* offset, uint64_t* bytes_left, uintptr_t* base, bool* writable,
                       uint64_t* view_bytes) {
  View* view = ReferenceView(address);
  if (!view) return nullptr;
  Segment* segment = view->segment;
  ReferenceSegment(segment);
  *offset = view->offset + (address - view->base);
  *bytes_left = view->bytes - (address - view->base);
  if (base) *base = view->base;
  if (writable) *writable = view->writable;
  if (view_bytes) *view_bytes = view->bytes;
  DereferenceView(view);
  return segment;
}

uint64_t ViewCount() {
  LockGuard guard(g_views->lock);
  return g_views->user.ranges.size() + g_views->system.ranges.size();
}

uintptr_t ReserveViewRange(uint64_t bytes, bool user) {
  LockGuard guard(g_views->lock);
  Space& space = user ? g_views->user : g_views->system;
  const uintptr_t at = PlaceLocked(space, bytes);
  if (at) space.ranges[at] = {bytes, nullptr};
  return at;
}
void FreeViewRange(uintptr_t base, bool user) {
  uint64_t bytes;
  {
    LockGuard guard(g_views->lock);
    Space& space = user ? g_views->user : g_views->system;
    const auto found = space.ranges.find(base);
    CHECK(found != space.ranges.end() && !found->second.view);
    bytes = found->second.bytes;
  }
  UnmapPhysical(base, bytes);
  LockGuard guard(g_views->lock);
  (user ? g_views->user : g_views->system).ranges.erase(base);
}

}  // namespace nt::mm
