// Segment: the pages of one stream in memory, shared by the cache and all views of it. SECTION_OBJECT_POINTERS.DataSectionObject
// points to it. One physical page per page of the stream, hence coherency between cached I/O and views.
//
// Life: 1. made by the first cache map or section, which then hold references; it references the file object it was made with.
// 2. the last reference goes: it stays, unused, while it has pages (IRP_MJ_CLOSE of that file object waits so long).
// 3. deleted: by MmForceSectionClosed, a purge that leaves nothing, when too many are unused, or at shutdown.
//
// A page of a slot is: absent; busy (being filled: others wait); resident; resident and dirty; being written (others wait only
// to write it again or to purge it). All changes happen under `lock`; a hit tests the bits without it (physical_memory.h).
//
// Locks: the segment database (LockRank::kSection) over the list and the reference counts; Segment::lock (kSegment) inside it.
// Neither is held across paging I/O, waits, or calls into drivers.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>

#include "ntifs.h"
#include "src/base/lock.h"
#include "src/base/status.h"
#include "src/mm/physical_memory.h"

namespace nt::mm {

enum class Wait { kNo, kYes };

/// One waiter for pages of a segment; on the waiter's stack.
struct PageWaiter {
  KEVENT event;
  PageWaiter* next = nullptr;
};

/// Asked by Segment::Flush before it writes pages of a piece: cc's pinned ranges.
class FlushGate {
 public:
  /// @returns the pages of `pages` that may be written now. Called without locks.
  virtual uint64_t Enter(uint64_t index, uint64_t pages) = 0;
  virtual void Leave(uint64_t index) = 0;

 protected:
  ~FlushGate() = default;
};

struct FlushOptions {
  FlushGate* gate = nullptr;
  bool wait = true;                // for pages that someone else writes at the moment
  bool drop_on_error = false;      // lazy writer: data of a failed write is lost, except where a retry is asked for
  uint64_t maximum_bytes = ~0ull;
};

struct View;

struct SegmentLink {
  LIST_ENTRY entry;
  Segment* segment;
};

class Segment {
 public:
  Segment(FILE_OBJECT* file, SECTION_OBJECT_POINTERS* pointers);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  FILE_OBJECT* file() const { return file_; }
  SECTION_OBJECT_POINTERS* pointers() const { return pointers_; }

  // --- the hit path -----------------------------------------------------------------------------------------------------
  uint32_t SlotNumberAt(uint64_t index) const {
    const Table* table = table_.load(std::memory_order_acquire);
    return index < table->count ? table->entries()[index].load(std::memory_order_acquire) : 0;
  }
  /// The slot of a piece with `pages` resident, kept by the hazard; nullptr on a miss (the hazard is then clear).
  Slot* Protect(Hazard& hazard, uint64_t index, uint64_t pages) const {
    const uint32_t number = SlotNumberAt(index);
    if (!number) return nullptr;
    if (!hazard.Protect(number, pages, this, index)) {
      hazard.Clear();
      return nullptr;
    }
    Slot* slot = SlotOfNumber(number);
    if (!slot->accessed.load(std::memory_order_relaxed)) slot->accessed.store(1, std::memory_order_relaxed);
    return slot;
  }
  /// The caller holds a hazard or a pin on the slot, and has stored into the pages.
  void MarkDirty(Slot* slot, uint64_t pages) {
    if ((slot->dirty.load(std::memory_order_seq_cst) & pages) != pages) MarkDirtySlow(slot, pages);
  }

  // --- filling ------------------------------------------------------------------------------------------------------------
  enum class Fill {
    kRead,      // from the file
    kZero,      // pages that are absent become zeros, resident but clean
    kResident,  // only what is there already: STATUS_CANT_WAIT otherwise
  };
  /// Makes pages of one piece resident. STATUS_CANT_WAIT when that would block; or the paging read's status.
  Status MakePiece(uint64_t index, uint64_t pages, Wait wait, Fill fill = Fill::kRead) {
    return FillPiece(index, pages, wait, fill, nullptr);
  }
  /// The same for a range of bytes.
  Status MakeResident(uint64_t offset, uint64_t bytes, Wait wait);
  /// MakePiece, and a pin that keeps the slot in its place until Unpin.
  Status PinPiece(uint64_t index, uint64_t pages, Wait wait, Fill fill, Slot** slot) {
    return FillPiece(index, pages, wait, fill, slot);
  }
  static void Unpin(Slot* slot) {
    const uint32_t before = slot->pins.fetch_sub(1, std::memory_order_acq_rel);
    CHECK(before > 0);
  }
  /// Whether all pages of a range are resident at the moment.
  bool IsResident(uint64_t offset, uint64_t bytes) const;

  /// Claims the absent ones of `pages` (whole pages that the caller will overwrite) as busy. *claimed may be 0. Pins the slot.
  Status BeginOverwrite(uint64_t index, uint64_t pages, Slot** slot, uint64_t* claimed);
  /// `filled` of the claimed pages are resident and dirty now; the others are absent again. Unpins.
  void EndOverwrite(Slot* slot, uint64_t claimed, uint64_t filled);

  // --- writing, dropping -----------------------------------------------------------------------------------------------------
  /// Writes dirty pages of [start, end). Goes on after an error. @returns the first error; *written counts bytes
  Status Flush(uint64_t start, uint64_t end, const FlushOptions& options, uint64_t* written);
  /// Drops pages that [start, end) touches, dirty or not. False: some were pinned, and are left.
  bool Purge(uint64_t start, uint64_t end, bool keep_dirty = false);
  /// The file ends at `size` now: pages beyond go, the rest of the page that holds the end becomes zeros.
  void Truncate(uint64_t size);
  uint64_t dirty_pages() const { return dirty_pages_.load(std::memory_order_relaxed); }
  /// First dirty byte at or after `start`, or ~0.
  uint64_t FirstDirty(uint64_t start);
  bool HasSlots() const { return slots_held_.load(std::memory_order_relaxed) != 0; }
  /// Whether Bcbs, MDLs or views hold slots: the segment must stay.
  bool AnyPinned();

  // --- sizes ---------------------------------------------------------------------------------------------------------------------
  /// A hint for clustering and the size of new sections.
  std::atomic<uint64_t> file_size{0};
  std::atomic<bool> no_modified_write{false};    // MmDisableModifiedWriteOfSection: only cc writes it
  std::atomic<uint64_t> section_size{0};         // the largest section object made over it
  std::atomic<uint32_t> user_sections{0};        // section objects made for requestors
  std::atomic<uint32_t> user_views{0};
  std::atomic<uint32_t> writable_user_views{0};
  std::atomic<uint32_t> writable_sections{0};    // section objects with write access made for requestors

  Lock lock{LockRank::kSegment};
  View* views NT_GUARDED_BY(lock) = nullptr;     // view.cc

  // Guarded by the database lock (segment_table.cc).
  uint32_t references = 1;
  SegmentLink all_link{{}, this};
  SegmentLink unused_link{{}, this};             // Flink null: in use
  bool unlinked = false;

  // --- for eviction, views and the table ------------------------------------------------------------------------------------------
  /// Takes a clean, unpinned slot away from the segment; it then belongs to the caller.
  bool DetachLocked(Slot* slot) NT_REQUIRES(lock);
  Slot* SlotAtLocked(uint64_t index) const NT_REQUIRES(lock) {
    const uint32_t number = SlotNumberAt(index);
    return number ? SlotOfNumber(number) : nullptr;
  }
  /// Takes the pins away whose owners are gone.
  void ForgetPins();
  /// Frees every slot; nobody refers to the segment any more.
  void FreeAllSlots();

 private:
  struct Table {
    uint64_t count;
    Table* older;
    std::atomic<uint32_t>* entries() { return reinterpret_cast<std::atomic<uint32_t>*>(this + 1); }
    const std::atomic<uint32_t>* entries() const { return reinterpret_cast<const std::atomic<uint32_t>*>(this + 1); }
    static Table* Create(uint64_t count, Table* older);
  };

  Status FillPiece(uint64_t index, uint64_t pages, Wait wait, Fill fill, Slot** pinned);
  void MarkDirtySlow(Slot* slot, uint64_t pages);
  void SetDirtyLocked(Slot* slot, uint64_t pages) NT_REQUIRES(lock);
  uint64_t ClearDirtyLocked(Slot* slot, uint64_t pages) NT_REQUIRES(lock);
  Status InstallLocked(uint64_t index, Slot* slot) NT_REQUIRES(lock);
  Status EnsureSlot(uint64_t index);
  Status ReadPages(Slot* slot, uint64_t index, uint64_t run);
  Status WritePages(Slot* slot, uint64_t index, uint64_t run);
  Status FlushPiece(uint64_t index, uint64_t pages, const FlushOptions& options, uint64_t* written);
  uint64_t WidenLocked(const Slot* slot, uint64_t index, uint64_t missing) const NT_REQUIRES(lock);
  /// Enters the waiter into the list; the caller then releases the lock and waits.
  void AddWaiterLocked(PageWaiter* waiter) NT_REQUIRES(lock);
  PageWaiter* TakeWaitersLocked() NT_REQUIRES(lock);
  static void Wake(PageWaiter* waiters);
  void WriteProtectLocked(Slot* slot, uint64_t index, uint64_t pages) NT_REQUIRES(lock);  // view.cc

  FILE_OBJECT* const file_;                     // referenced; nullptr: no file behind it
  SECTION_OBJECT_POINTERS* const pointers_;
  std::atomic<Table*> table_;                   // changed under lock; older tables live as long as the segment
  std::atomic<uint32_t> slots_held_{0};
  std::atomic<uint64_t> dirty_pages_{0};
  std::set<uint64_t> dirty_index_ NT_GUARDED_BY(lock);  // pieces with dirty pages
  PageWaiter* waiters_ NT_GUARDED_BY(lock) = nullptr;
};

// --- the database (segment_table.cc) --------------------------------------------------------------------------------------------

/// The segment of a file, made if need be, with a reference. A stream file object of the stream will do.
Result<Segment*> AcquireSegment(FILE_OBJECT* file);
/// One without a file: pages start as zeros and are never written.
Result<Segment*> CreateAnonymousSegment();
/// The segment that hangs on the pointers, with a reference; or nullptr.
Segment* ReferenceSegment(SECTION_OBJECT_POINTERS* pointers);
void ReferenceSegment(Segment* segment);
void ReleaseSegment(Segment* segment);
/// Deletes the segment if nobody refers to it. True: there is none on the pointers any more.
bool DeleteUnusedSegment(SECTION_OBJECT_POINTERS* pointers);
/// The same for a driver that is gone: with the pages that it left dirty or pinned.
void DropUnusedSegment(SECTION_OBJECT_POINTERS* pointers);
/// Deletes what is beyond the limit of unused segments, or all. File objects are released: close IRPs are sent.
void TrimUnusedSegments(bool all);
uint64_t SegmentCount();
/// Calls `visit` for every segment that has dirty pages and a file, with a reference, without locks.
void ForEachDirtySegment(void (*visit)(Segment*, void*), void* context);

/// A slot to fill: a free one, or one evicted. Beyond the limit when nothing can be evicted for a while.
Slot* ObtainSlot();
/// cc: called when memory is short of clean pages.
void SetLowMemoryHook(void (*hook)());

/// Marks the thread as resolving a fault (MmIsRecursiveIoFault).
class PageInScope {
 public:
  PageInScope();
  ~PageInScope();
  PageInScope(const PageInScope&) = delete;
  PageInScope& operator=(const PageInScope&) = delete;
};

class SegmentReference {
 public:
  explicit SegmentReference(SECTION_OBJECT_POINTERS* pointers) : segment_(pointers ? ReferenceSegment(pointers) : nullptr) {}
  ~SegmentReference() {
    if (segment_) ReleaseSegment(segment_);
  }
  SegmentReference(const SegmentReference&) = delete;
  SegmentReference& operator=(const SegmentReference&) = delete;
  explicit operator bool() const { return segment_ != nullptr; }
  Segment* operator->() const { return segment_; }
  Segment* get() const { return segment_; }

 private:
  Segment* const segment_;
};

void SegmentTableBoot(uint32_t unused_limit, uint32_t cluster_pages);
void SegmentTableShutdown();
uint32_t ClusterPages();

}  // namespace nt::mm
