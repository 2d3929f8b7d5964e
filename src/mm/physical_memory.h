// Physical memory: one sparse memory file, mapped once at kPhysicalBase and cut into slots of 256 KiB (64 pages).
//
// A slot is free, or belongs to one 256 KiB piece of one segment. Its state words fit one bit a page, so that a hit is an array
// load, a bit test, and a hazard:
//   reader   publishes the slot's number in its thread's hazard record, then finds the page bits set and the owner right
//   evictor  takes the page bits away, then finds the number in no hazard record; otherwise it puts the bits back
// Both sides are sequentially consistent, so at least one sees the other: a slot under a hazard whose pages were resident is
// not recycled. Readers of one file share no cache line that they write.
//
// The array of Slot lives as long as the machine; a stale pointer to a slot is harmless, since every use checks the owner.
// Lock: LockRank::kPhysicalMemory, over the free list only.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "src/base/check.h"
#include "src/host/host.h"
#include "src/mm/layout.h"

namespace nt::mm {

class Segment;

inline constexpr uint32_t kSlotShift = 18;
inline constexpr uint32_t kSlotBytes = 1u << kSlotShift;
inline constexpr uint32_t kSlotPages = 64;
inline constexpr uint32_t kMaxSlots = static_cast<uint32_t>(kPhysicalBytes >> kSlotShift);
inline constexpr uint64_t kAllPages = ~0ull;

/// Bits [first, first + count) of a page mask.
inline constexpr uint64_t PageMask(uint32_t first, uint32_t count) {
  return (count >= 64 ? ~0ull : (1ull << count) - 1) << first;
}
/// The pages that bytes [offset, offset + bytes) of a slot touch.
inline constexpr uint64_t PageMaskOfBytes(uint32_t offset, uint32_t bytes) {
  const uint32_t first = offset >> 12, last = (offset + bytes - 1) >> 12;
  return PageMask(first, last - first + 1);
}

struct alignas(64) Slot {
  // Read by every hit, written by page-in and eviction only.
  std::atomic<uint64_t> resident{0};        // pages whose content is the file's
  std::atomic<Segment*> owner{nullptr};
  std::atomic<uint64_t> index{0};           // which piece of the owner
  uint64_t pad_[5];
  // Written by writers of the file.
  std::atomic<uint64_t> dirty{0};
  std::atomic<uint32_t> pins{0};            // > 0: stays where it is (Bcbs, MDLs, views, I/O)
  std::atomic<uint8_t> accessed{0};         // clock
  uint32_t views = 0;                       // owner's lock: view pieces that map it; each holds a pin
  uint64_t busy = 0;                        // owner's lock: pages being filled
  uint64_t writing = 0;                     // owner's lock: pages being written
  uint32_t next_free = 0;                   // physical memory's lock

  inline uint32_t number() const;
  inline char* data() const;
};
static_assert(sizeof(Slot) == 128);

/// Slot numbers are 1..kMaxSlots; 0 means none.
extern Slot* g_slots;

inline Slot* SlotOfNumber(uint32_t number) { return g_slots + (number - 1); }
inline uint32_t Slot::number() const { return static_cast<uint32_t>(this - g_slots) + 1; }
inline char* Slot::data() const {
  return reinterpret_cast<char*>(kPhysicalBase + (static_cast<uint64_t>(this - g_slots) << kSlotShift));
}
/// The slot that a cache address lies in.
inline Slot* SlotOfAddress(const void* address) {
  return g_slots + ((reinterpret_cast<uintptr_t>(address) - kPhysicalBase) >> kSlotShift);
}

// --- hazards ----------------------------------------------------------------------------------------------------------------

struct alignas(64) HazardRecord {
  static constexpr uint32_t kDepth = 8;  // a copy may fault in a view, whose page-in copies, ...
  std::atomic<uint32_t> slots[kDepth];
  uint32_t depth = 0;                    // the thread's own
  std::atomic<bool> in_use{false};
  HazardRecord* next = nullptr;
};
extern constinit thread_local HazardRecord* t_hazards;
HazardRecord* AttachHazards();

/// Keeps one slot at a time from being recycled, for the length of a copy.
class Hazard {
 public:
  Hazard() : record_(t_hazards ? t_hazards : AttachHazards()), depth_(record_->depth++) {
    CHECK(depth_ < HazardRecord::kDepth);
  }
  ~Hazard() {
    record_->slots[depth_].store(0, std::memory_order_release);
    record_->depth--;
  }
  Hazard(const Hazard&) = delete;
  Hazard& operator=(const Hazard&) = delete;

  /// True: `pages` of the slot are resident, it is piece `index` of `owner`, and stays so until the next Protect or the end.
  bool Protect(uint32_t number, uint64_t pages, const Segment* owner, uint64_t index) {
    record_->slots[depth_].store(number, std::memory_order_relaxed);
    host::LightBarrier();  // with IsHazarded
    const Slot* slot = SlotOfNumber(number);
    return (slot->resident.load(std::memory_order_acquire) & pages) == pages &&
           slot->owner.load(std::memory_order_relaxed) == owner && slot->index.load(std::memory_order_relaxed) == index;
  }
  void Clear() { record_->slots[depth_].store(0, std::memory_order_release); }

 private:
  HazardRecord* const record_;
  const uint32_t depth_;
};
/// Whether any thread's hazard names the slot. After the slot's page bits were taken away. A heavy barrier.
bool IsHazarded(uint32_t number);

// --- slots -------------------------------------------------------------------------------------------------------------------

struct PhysicalMemory;
bool PhysicalMemoryBoot(uint64_t limit_bytes);
void PhysicalMemoryShutdown();

/// A free slot with no bits set, without owner; nullptr when all memory is in use. Never blocks; does not evict.
Slot* TakeFreeSlot();
/// Back to the free list; owner, bits and pins must be gone.
void GiveFreeSlot(Slot* slot);
uint32_t SlotsInUse();
uint32_t SlotLimit();
/// Slots that were ever used: the clock's range.
uint32_t SlotHighWater();
uint32_t AdvanceClock();

/// Maps pages of physical memory at another address, which lies in a reservation of ours.
bool MapPhysical(uintptr_t address, uint64_t physical_offset, size_t bytes, bool writable);
void UnmapPhysical(uintptr_t address, size_t bytes);

extern std::atomic<int64_t> g_dirty_pages;

}  // namespace nt::mm
