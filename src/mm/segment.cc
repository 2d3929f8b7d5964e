// Segment: filling, writing, dropping pages.
#include "src/mm/segment.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "src/ex/ex.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/mm/mm.h"
#include "src/ob/ob.h"

namespace nt::mm {
namespace {

constexpr uint64_t kMaxPieces = 1ull << 26;  // 16 TiB
constexpr ULONG kMdlTag = 'dMmM';

uint64_t LowestRun(uint64_t pages) {
  const uint32_t first = static_cast<uint32_t>(std::countr_zero(pages));
  const uint32_t count = static_cast<uint32_t>(std::countr_one(pages >> first));
  return PageMask(first, count);
}

/// An MDL over pages of one slot, locked by the slot's pin.
MDL* MdlOver(void* address, uint32_t bytes, bool read) {
  const uint32_t pages = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
  auto* mdl = static_cast<MDL*>(ex::AllocatePool(NonPagedPoolNx, sizeof(MDL) + pages * sizeof(PFN_NUMBER), kMdlTag));
  if (!mdl) return nullptr;
  *mdl = {};
  mdl->Size = static_cast<CSHORT>(sizeof(MDL) + pages * sizeof(PFN_NUMBER));
  mdl->MdlFlags = static_cast<CSHORT>(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | (read ? MDL_IO_PAGE_READ : 0));
  mdl->StartVa = mdl->MappedSystemVa = address;
  mdl->ByteCount = bytes;
  PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
  const PFN_NUMBER first = PfnOfAddress(address);
  for (uint32_t i = 0; i < pages; i++) frames[i] = first + i;
  return mdl;
}

}  // namespace

Segment::Table* Segment::Table::Create(uint64_t count, Table* older) {
  // calloc: a table for a huge file costs only the pages that are used.
  auto* table = static_cast<Table*>(std::calloc(1, sizeof(Table) + count * sizeof(std::atomic<uint32_t>)));
  if (!table) return nullptr;
  table->count = count;
  table->older = older;
  return table;
}

Segment::Segment(FILE_OBJECT* file, SECTION_OBJECT_POINTERS* pointers) : file_(file), pointers_(pointers) {
  Table* table = Table::Create(8, nullptr);
  if (!table) throw std::bad_alloc();
  table_.store(table, std::memory_order_relaxed);
}

Segment::~Segment() {
  for (Table* table = table_.load(std::memory_order_relaxed); table;) {
    Table* older = table->older;
    std::free(table);
    table = older;
  }
}

// --- waiting --------------------------------------------------------------------------------------------------------------------

void Segment::AddWaiterLocked(PageWaiter* waiter) {
  ke::InitializeEvent(&waiter->event, NotificationEvent, false);
  waiter->next = waiters_;
  waiters_ = waiter;
}
PageWaiter* Segment::TakeWaitersLocked() {
  PageWaiter* waiters = waiters_;
  waiters_ = nullptr;
  return waiters;
}
void Segment::Wake(PageWaiter* waiters) {
  while (waiters) {
    PageWaiter* next = waiters->next;  // the waiter's frame may be gone once its event is set
    ke::SetEvent(&waiters->event);
    waiters = next;
  }
}

// --- dirty pages ------------------------------------------------------------------------------------------------------------------

void Segment::SetDirtyLocked(Slot* slot, uint64_t pages) {
  const uint64_t fresh = pages & ~slot->dirty.load(std::memory_order_relaxed);
  if (!fresh) return;
  slot->dirty.fetch_or(fresh, std::memory_order_seq_cst);
  const int count = std::popcount(fresh);
  dirty_pages_.fetch_add(static_cast<uint64_t>(count), std::memory_order_relaxed);
  g_dirty_pages.fetch_add(count, std::memory_order_relaxed);
  dirty_index_.insert(slot->index.load(std::memory_order_relaxed));
}
uint64_t Segment::ClearDirtyLocked(Slot* slot, uint64_t pages) {
  const uint64_t cleared = slot->dirty.fetch_and(~pages, std::memory_order_seq_cst) & pages;
  if (!cleared) return 0;
  const int count = std::popcount(cleared);
  dirty_pages_.fetch_sub(static_cast<uint64_t>(count), std::memory_order_relaxed);
  g_dirty_pages.fetch_sub(count, std::memory_order_relaxed);
  if (!slot->dirty.load(std::memory_order_relaxed)) dirty_index_.erase(slot->index.load(std::memory_order_relaxed));
  return cleared;
}
void Segment::MarkDirtySlow(Slot* slot, uint64_t pages) {
  LockGuard guard(lock);
  SetDirtyLocked(slot, pages);
}

// --- slots ------------------------------------------------------------------------------------------------------------------------

Status Segment::InstallLocked(uint64_t index, Slot* slot) {
  Table* table = table_.load(std::memory_order_relaxed);
  if (index >= table->count) {
    if (index >= kMaxPieces) return STATUS_SECTION_TOO_BIG;
    uint64_t count = table->count;
    while (count <= index) count *= 2;
    Table* larger = Table::Create(count, table);
    if (!larger) return STATUS_INSUFFICIENT_RESOURCES;
    for (uint64_t i = 0; i < table->count; i++)
      if (const uint32_t number = table->entries()[i].load(std::memory_order_relaxed))
        larger->entries()[i].store(number, std::memory_order_relaxed);
    table_.store(larger, std::memory_order_release);
    table = larger;
  }
  slot->index.store(index, std::memory_order_relaxed);
  slot->owner.store(this, std::memory_order_release);
  slot->accessed.store(1, std::memory_order_relaxed);
  table->entries()[index].store(slot->number(), std::memory_order_release);
  slots_held_.fetch_add(1, std::memory_order_relaxed);
  return STATUS_SUCCESS;
}

/// Gives the piece a slot if it has none. May block for memory; never called with the lock.
Status Segment::EnsureSlot(uint64_t index) {
  if (SlotNumberAt(index)) return STATUS_SUCCESS;
  if (index >= kMaxPieces) return STATUS_SECTION_TOO_BIG;
  Slot* slot = ObtainSlot();
  if (!slot) return STATUS_INSUFFICIENT_RESOURCES;
  Status status = STATUS_SUCCESS;
  {
    LockGuard guard(lock);
    if (!SlotNumberAt(index)) {
      status = InstallLocked(index, slot);
      if (status.ok()) return status;
    }
  }
  GiveFreeSlot(slot);
  return status;
}

bool Segment::DetachLocked(Slot* slot) {
  if (slot->owner.load(std::memory_order_relaxed) != this || slot->pins.load(std::memory_order_acquire) || slot->busy ||
      slot->writing || slot->dirty.load(std::memory_order_relaxed))
    return false;
  const uint64_t resident = slot->resident.exchange(0, std::memory_order_seq_cst);
  if (IsHazarded(slot->number()) || slot->dirty.load(std::memory_order_seq_cst)) {
    slot->resident.store(resident, std::memory_order_seq_cst);
    return false;
  }
  const uint64_t index = slot->index.load(std::memory_order_relaxed);
  table_.load(std::memory_order_relaxed)->entries()[index].store(0, std::memory_order_release);
  slot->owner.store(nullptr, std::memory_order_relaxed);
  slot->index.store(0, std::memory_order_relaxed);
  slots_held_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void Segment::ForgetPins() {
  LockGuard guard(lock);
  Table* table = table_.load(std::memory_order_relaxed);
  for (uint64_t i = 0; i < table->count; i++)
    if (Slot* slot = SlotAtLocked(i)) slot->pins.store(0, std::memory_order_release);
}

void Segment::FreeAllSlots() {
  LockGuard guard(lock);
  Table* table = table_.load(std::memory_order_relaxed);
  for (uint64_t i = 0; i < table->count && slots_held_.load(std::memory_order_relaxed); i++) {
    const uint32_t number = table->entries()[i].load(std::memory_order_relaxed);
    if (!number) continue;
    Slot* slot = SlotOfNumber(number);
    ClearDirtyLocked(slot, kAllPages);
    CHECK_MSG(slot->pins.load() == 0 && !slot->busy && !slot->writing, "a segment is freed whose pages are in use");
    // A reader that looked at an old table may still hold a hazard on it for the length of a failing test.
    while (!DetachLocked(slot)) host::Yield();
    GiveFreeSlot(slot);
  }
}

// --- filling ------------------------------------------------------------------------------------------------------------------------

/// The pages to read for `missing`: the lowest run of them, and absent neighbours up to the cluster's bounds and the file's end.
uint64_t Segment::WidenLocked(const Slot* slot, uint64_t index, uint64_t missing) const {
  const uint64_t run = LowestRun(missing);
  const uint32_t cluster = ClusterPages();
  const uint32_t first = static_cast<uint32_t>(std::countr_zero(run));
  const uint32_t end = first + static_cast<uint32_t>(std::popcount(run));
  const uint32_t from = first / cluster * cluster;
  const uint32_t to = std::min<uint32_t>(kSlotPages, (end + cluster - 1) / cluster * cluster);
  const uint64_t file_pages = (file_size.load(std::memory_order_relaxed) + PAGE_SIZE - 1) >> PAGE_SHIFT;
  const uint64_t base = index * kSlotPages;
  const uint64_t taken = slot->resident.load(std::memory_order_relaxed) | slot->busy;
  uint64_t wide = run;
  for (uint32_t page = end; page < to && base + page < file_pages && !(taken >> page & 1); page++) wide |= 1ull << page;
  for (uint32_t page = first; page > from && !(taken >> (page - 1) & 1); page--) wide |= 1ull << (page - 1);
  return wide;
}

Status Segment::ReadPages(Slot* slot, uint64_t index, uint64_t run) {
  const uint32_t first = static_cast<uint32_t>(std::countr_zero(run));
  const uint32_t bytes = static_cast<uint32_t>(std::popcount(run)) * PAGE_SIZE;
  char* address = slot->data() + first * PAGE_SIZE;
  if (!file_) {
    std::memset(address, 0, bytes);
    return STATUS_SUCCESS;
  }
  MDL* mdl = MdlOver(address, bytes, true);
  if (!mdl) return STATUS_INSUFFICIENT_RESOURCES;
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  IO_STATUS_BLOCK iosb = {};
  LARGE_INTEGER offset;
  offset.QuadPart = static_cast<LONGLONG>((index << kSlotShift) + first * PAGE_SIZE);
  Status status = STATUS_SUCCESS;
  const PageInScope scope;
  try {
    status = io::PageRead(file_, mdl, &offset, &event, &iosb);
    if (status == STATUS_PENDING) {
      ke::WaitFor(&event);
      status = iosb.Status;
    } else if (status.ok()) {
      status = iosb.Status;
    }
  } catch (const SehException& exception) {
    status = exception.code();
  }
  if (mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) mdl->MdlFlags &= ~MDL_PARTIAL_HAS_BEEN_MAPPED;
  ex::FreePool(mdl);
  if (status == STATUS_END_OF_FILE) {
    // Wholly past the end: zeros, as for the tail of the last page.
    iosb.Information = 0;
    status = STATUS_SUCCESS;
  }
  if (!status.ok()) return status;
  if (iosb.Information < bytes) std::memset(address + iosb.Information, 0, bytes - iosb.Information);
  return STATUS_SUCCESS;
}

Status Segment::FillPiece(uint64_t index, uint64_t pages, Wait wait, Fill fill, Slot** pinned) {
  bool widen = true;
  for (;;) {
    Slot* slot;
    uint64_t run = 0;
    PageWaiter waiter;
    {
      LockGuard guard(lock);
      slot = SlotAtLocked(index);
      if (slot) {
        const uint64_t missing = pages & ~slot->resident.load(std::memory_order_relaxed);
        if (!missing) {
          if (pinned) {
            slot->pins.fetch_add(1, std::memory_order_acq_rel);
            *pinned = slot;
          }
          slot->accessed.store(1, std::memory_order_relaxed);
          return STATUS_SUCCESS;
        }
        if (wait == Wait::kNo && fill != Fill::kZero) return STATUS_CANT_WAIT;
        if (fill == Fill::kResident) return STATUS_CANT_WAIT;
        if (missing & slot->busy) {
          if (wait == Wait::kNo) return STATUS_CANT_WAIT;
          AddWaiterLocked(&waiter);
        } else {
          run = fill == Fill::kZero || !widen ? LowestRun(missing) : WidenLocked(slot, index, missing);
          slot->busy |= run;
          slot->pins.fetch_add(1, std::memory_order_acq_rel);
        }
      }
    }
    if (!slot) {
      if (fill == Fill::kResident || (wait == Wait::kNo && fill == Fill::kRead)) return STATUS_CANT_WAIT;
      NT_TRY(EnsureSlot(index));
      continue;
    }
    if (!run) {
      ke::WaitFor(&waiter.event);
      continue;
    }
    Status status = STATUS_SUCCESS;
    if (fill == Fill::kZero)
      std::memset(slot->data() + std::countr_zero(run) * PAGE_SIZE, 0, static_cast<size_t>(std::popcount(run)) * PAGE_SIZE);
    else
      status = ReadPages(slot, index, run);
    PageWaiter* waiters;
    {
      LockGuard guard(lock);
      slot->busy &= ~run;
      if (status.ok()) slot->resident.fetch_or(run, std::memory_order_seq_cst);
      slot->pins.fetch_sub(1, std::memory_order_acq_rel);
      waiters = TakeWaitersLocked();
    }
    Wake(waiters);
    if (status.ok()) continue;
    // A neighbour may be to blame: once more with just what is needed.
    if (!widen || (run & ~pages) == 0) return status;
    widen = false;
  }
}

Status Segment::MakeResident(uint64_t offset, uint64_t bytes, Wait wait) {
  while (bytes) {
    const uint32_t in_piece = static_cast<uint32_t>(offset & (kSlotBytes - 1));
    const uint32_t part = static_cast<uint32_t>(std::min<uint64_t>(bytes, kSlotBytes - in_piece));
    NT_TRY(MakePiece(offset >> kSlotShift, PageMaskOfBytes(in_piece, part), wait));
    offset += part;
    bytes -= part;
  }
  return STATUS_SUCCESS;
}

bool Segment::IsResident(uint64_t offset, uint64_t bytes) const {
  Hazard hazard;
  while (bytes) {
    const uint32_t in_piece = static_cast<uint32_t>(offset & (kSlotBytes - 1));
    const uint32_t part = static_cast<uint32_t>(std::min<uint64_t>(bytes, kSlotBytes - in_piece));
    if (!Protect(hazard, offset >> kSlotShift, PageMaskOfBytes(in_piece, part))) return false;
    offset += part;
    bytes -= part;
  }
  return true;
}

Status Segment::BeginOverwrite(uint64_t index, uint64_t pages, Slot** slot_out, uint64_t* claimed) {
  for (;;) {
    NT_TRY(EnsureSlot(index));
    LockGuard guard(lock);
    Slot* slot = SlotAtLocked(index);
    if (!slot) continue;  // evicted in between
    *claimed = pages & ~slot->resident.load(std::memory_order_relaxed) & ~slot->busy;
    slot->busy |= *claimed;
    slot->pins.fetch_add(1, std::memory_order_acq_rel);
    *slot_out = slot;
    return STATUS_SUCCESS;
  }
}

void Segment::EndOverwrite(Slot* slot, uint64_t claimed, uint64_t filled) {
  PageWaiter* waiters;
  {
    LockGuard guard(lock);
    slot->busy &= ~claimed;
    if (filled) {
      SetDirtyLocked(slot, filled);
      slot->resident.fetch_or(filled, std::memory_order_seq_cst);
    }
    slot->pins.fetch_sub(1, std::memory_order_acq_rel);
    waiters = TakeWaitersLocked();
  }
  Wake(waiters);
}

// --- writing ------------------------------------------------------------------------------------------------------------------------

Status Segment::WritePages(Slot* slot, uint64_t index, uint64_t run) {
  if (!file_) return STATUS_SUCCESS;
  const uint32_t first = static_cast<uint32_t>(std::countr_zero(run));
  const uint32_t bytes = static_cast<uint32_t>(std::popcount(run)) * PAGE_SIZE;
  MDL* mdl = MdlOver(slot->data() + first * PAGE_SIZE, bytes, false);
  if (!mdl) return STATUS_INSUFFICIENT_RESOURCES;
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  IO_STATUS_BLOCK iosb = {};
  LARGE_INTEGER offset;
  offset.QuadPart = static_cast<LONGLONG>((index << kSlotShift) + first * PAGE_SIZE);
  Status status = STATUS_SUCCESS;
  try {
    status = io::SynchronousPageWrite(file_, mdl, &offset, &event, &iosb);
    if (status == STATUS_PENDING) {
      ke::WaitFor(&event);
      status = iosb.Status;
    } else if (status.ok()) {
      status = iosb.Status;
    }
  } catch (const SehException& exception) {
    status = exception.code();
  }
  ex::FreePool(mdl);
  return status;
}

Status Segment::FlushPiece(uint64_t index, uint64_t pages, const FlushOptions& options, uint64_t* written) {
  Status result = STATUS_SUCCESS;
  uint64_t todo = pages;  // each page is written once, even when it becomes dirty again meanwhile
  while (todo) {
    Slot* slot;
    uint64_t run = 0;
    PageWaiter waiter;
    {
      LockGuard guard(lock);
      slot = SlotAtLocked(index);
      if (!slot) return result;
      uint64_t dirty = slot->dirty.load(std::memory_order_seq_cst) & todo & ~slot->writing;
      if (dirty) {
        run = LowestRun(dirty);
        todo &= ~run;
        WriteProtectLocked(slot, index, run);
        ClearDirtyLocked(slot, run);
        slot->writing |= run;
        slot->pins.fetch_add(1, std::memory_order_acq_rel);
      } else {
        if (!(slot->writing & todo) || !options.wait) return result;
        AddWaiterLocked(&waiter);
      }
    }
    if (!run) {
      ke::WaitFor(&waiter.event);
      continue;
    }
    const Status status = WritePages(slot, index, run);
    PageWaiter* waiters;
    {
      LockGuard guard(lock);
      slot->writing &= ~run;
      const bool retry = status == STATUS_FILE_LOCK_CONFLICT || status == STATUS_CANT_WAIT ||
                         status == STATUS_INSUFFICIENT_RESOURCES || status == STATUS_VERIFY_REQUIRED;
      if (!status.ok() && (retry || !options.drop_on_error)) SetDirtyLocked(slot, run);
      slot->pins.fetch_sub(1, std::memory_order_acq_rel);
      waiters = TakeWaitersLocked();
    }
    Wake(waiters);
    if (status.ok())
      *written += static_cast<uint64_t>(std::popcount(run)) * PAGE_SIZE;
    else if (result.ok())
      result = status;
  }
  return result;
}

Status Segment::Flush(uint64_t start, uint64_t end, const FlushOptions& options, uint64_t* written) {
  Status result = STATUS_SUCCESS;
  uint64_t bytes = 0;
  uint64_t index = start >> kSlotShift;
  const uint64_t end_page = end > ~0ull - PAGE_SIZE ? ~0ull >> PAGE_SHIFT : (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
  const uint64_t start_page = start >> PAGE_SHIFT;
  while (bytes < options.maximum_bytes) {
    uint64_t pages;
    {
      LockGuard guard(lock);
      const auto next = dirty_index_.lower_bound(index);
      // Pages that are being written are no longer dirty; a caller that waits must see the end of those writes too.
      uint64_t candidate = next == dirty_index_.end() ? ~0ull : *next;
      if (options.wait && slots_held_.load(std::memory_order_relaxed)) {
        const Table* table = table_.load(std::memory_order_relaxed);
        for (uint64_t i = index; i < std::min(candidate, table->count) && i * kSlotPages < end_page; i++) {
          const uint32_t number = table->entries()[i].load(std::memory_order_relaxed);
          if (number && SlotOfNumber(number)->writing) {
            candidate = i;
            break;
          }
        }
      }
      if (candidate == ~0ull || candidate * kSlotPages >= end_page) break;
      index = candidate;
      const uint64_t base = index * kSlotPages;
      const uint32_t first = static_cast<uint32_t>(start_page > base ? start_page - base : 0);
      const uint32_t last = static_cast<uint32_t>(std::min<uint64_t>(kSlotPages, end_page - base));
      pages = first < last ? PageMask(first, last - first) : 0;
    }
    if (pages) {
      uint64_t allowed = pages;
      if (options.gate) allowed = options.gate->Enter(index, pages);
      Status status = STATUS_SUCCESS;
      if (allowed) status = FlushPiece(index, allowed, options, &bytes);
      if (options.gate) options.gate->Leave(index);
      if (!status.ok() && result.ok()) result = status;
    }
    index++;
  }
  if (written) *written += bytes;
  return result;
}

uint64_t Segment::FirstDirty(uint64_t start) {
  LockGuard guard(lock);
  const uint64_t start_page = start >> PAGE_SHIFT;
  for (auto it = dirty_index_.lower_bound(start >> kSlotShift); it != dirty_index_.end(); ++it) {
    const Slot* slot = SlotAtLocked(*it);
    if (!slot) continue;
    uint64_t dirty = slot->dirty.load(std::memory_order_relaxed) | slot->writing;
    if (start_page > *it * kSlotPages) dirty &= ~PageMask(0, static_cast<uint32_t>(start_page - *it * kSlotPages));
    if (dirty) return (*it << kSlotShift) + static_cast<uint64_t>(std::countr_zero(dirty)) * PAGE_SIZE;
  }
  return ~0ull;
}

// --- dropping -----------------------------------------------------------------------------------------------------------------------

bool Segment::Purge(uint64_t start, uint64_t end, bool keep_dirty) {
  bool all = true;
  const uint64_t start_page = start >> PAGE_SHIFT;
  const uint64_t end_page = end > ~0ull - PAGE_SIZE ? ~0ull >> PAGE_SHIFT : (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
  for (uint64_t index = start_page / kSlotPages;; index++) {
    PageWaiter waiter;
    bool wait = false;
    Slot* freed = nullptr;
    {
      LockGuard guard(lock);
      const Table* table = table_.load(std::memory_order_relaxed);
      while (index < table->count && !table->entries()[index].load(std::memory_order_relaxed)) index++;
      if (index >= table->count || index * kSlotPages >= end_page) return all;
      Slot* slot = SlotOfNumber(table->entries()[index].load(std::memory_order_relaxed));
      const uint64_t base = index * kSlotPages;
      const uint32_t first = static_cast<uint32_t>(start_page > base ? start_page - base : 0);
      const uint32_t last = static_cast<uint32_t>(std::min<uint64_t>(kSlotPages, end_page - base));
      uint64_t pages = PageMask(first, last - first);
      if ((slot->busy | slot->writing) & pages) {
        AddWaiterLocked(&waiter);
        wait = true;
      } else {
        // Pins other than those of I/O on other pages of the slot.
        const bool other_io = (slot->busy | slot->writing) != 0;
        if (slot->pins.load(std::memory_order_acquire) && !other_io) {
          if (slot->resident.load(std::memory_order_relaxed) & pages) all = false;
          continue;
        }
        if (other_io) {
          AddWaiterLocked(&waiter);  // then it can be told whether anything else pins it
          wait = true;
        } else {
          if (keep_dirty) {
            const uint64_t dirty = slot->dirty.load(std::memory_order_relaxed) & pages;
            if (dirty) all = false;
            pages &= ~dirty;
          } else {
            ClearDirtyLocked(slot, pages);
          }
          slot->resident.fetch_and(~pages, std::memory_order_seq_cst);
          if (!slot->resident.load(std::memory_order_relaxed) && DetachLocked(slot)) freed = slot;
        }
      }
    }
    if (freed) GiveFreeSlot(freed);
    if (wait) {
      ke::WaitFor(&waiter.event);
      index--;
    }
  }
}

void Segment::Truncate(uint64_t size) {
  const uint64_t keep_pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
  // The rest of the last page.
  if (size & (PAGE_SIZE - 1)) {
    Hazard hazard;
    const uint64_t index = size >> kSlotShift;
    const uint32_t in_piece = static_cast<uint32_t>(size & (kSlotBytes - 1));
    if (Slot* slot = Protect(hazard, index, 1ull << (in_piece >> PAGE_SHIFT)))
      std::memset(slot->data() + in_piece, 0, PAGE_SIZE - (in_piece & (PAGE_SIZE - 1)));
  }
  if (Purge(keep_pages << PAGE_SHIFT, ~0ull)) return;
  // Pinned pages stay where they are, as zeros that nobody writes.
  LockGuard guard(lock);
  const Table* table = table_.load(std::memory_order_relaxed);
  for (uint64_t index = keep_pages / kSlotPages; index < table->count; index++) {
    const uint32_t number = table->entries()[index].load(std::memory_order_relaxed);
    if (!number) continue;
    Slot* slot = SlotOfNumber(number);
    const uint64_t base = index * kSlotPages;
    const uint32_t first = static_cast<uint32_t>(keep_pages > base ? keep_pages - base : 0);
    uint64_t pages = PageMask(first, kSlotPages - first) & slot->resident.load(std::memory_order_relaxed) & ~slot->busy;
    WriteProtectLocked(slot, index, pages);  // the file may grow again: stores must be seen then
    ClearDirtyLocked(slot, pages);
    while (pages) {
      std::memset(slot->data() + std::countr_zero(pages) * PAGE_SIZE, 0, PAGE_SIZE);
      pages &= pages - 1;
    }
  }
}

bool Segment::AnyPinned() {
  LockGuard guard(lock);
  const Table* table = table_.load(std::memory_order_relaxed);
  for (uint64_t i = 0; i < table->count; i++)
    if (const uint32_t number = table->entries()[i].load(std::memory_order_relaxed))
      if (SlotOfNumber(number)->pins.load(std::memory_order_acquire)) return true;
  return false;
}

}  // namespace nt::mm
