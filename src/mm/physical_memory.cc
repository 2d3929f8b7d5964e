#include "src/mm/physical_memory.h"

#include <algorithm>
#include <memory>

#include "src/base/lock.h"
#include "src/host/host.h"
#include "src/mm/mm.h"

namespace nt::mm {

Slot* g_slots = nullptr;
constinit thread_local HazardRecord* t_hazards = nullptr;
std::atomic<int64_t> g_dirty_pages{0};

namespace {

// Records outlive machines and threads; a thread that ends leaves its record to the next one.
std::atomic<HazardRecord*> g_records{nullptr};

struct RecordOwner {
  HazardRecord* record = nullptr;
  ~RecordOwner() {
    if (!record) return;
    for (auto& slot : record->slots) slot.store(0, std::memory_order_relaxed);
    record->depth = 0;
    t_hazards = nullptr;
    record->in_use.store(false, std::memory_order_release);
  }
};

struct Memory {
  std::unique_ptr<host::MemoryFile> file;
  Lock lock{LockRank::kPhysicalMemory};
  uint32_t free_head NT_GUARDED_BY(lock) = 0;
  std::atomic<uint32_t> high_water{0};
  std::atomic<uint32_t> in_use{0};
  std::atomic<uint32_t> clock{0};
  uint32_t limit = 0;
};
Memory* g_memory = nullptr;

constexpr size_t kSlotArrayBytes = sizeof(Slot) * static_cast<size_t>(kMaxSlots);

}  // namespace

HazardRecord* AttachHazards() {
  thread_local RecordOwner owner;
  for (auto* record = g_records.load(std::memory_order_acquire); record; record = record->next) {
    bool free = false;
    if (record->in_use.compare_exchange_strong(free, true, std::memory_order_acquire)) {
      owner.record = t_hazards = record;
      return record;
    }
  }
  auto* record = new HazardRecord;
  for (auto& slot : record->slots) slot.store(0, std::memory_order_relaxed);
  record->in_use.store(true, std::memory_order_relaxed);
  auto* head = g_records.load(std::memory_order_relaxed);
  do {
    record->next = head;
  } while (!g_records.compare_exchange_weak(head, record, std::memory_order_release, std::memory_order_relaxed));
  owner.record = t_hazards = record;
  return record;
}

bool IsHazarded(uint32_t number) {
  host::HeavyBarrier();
  for (auto* record = g_records.load(std::memory_order_acquire); record; record = record->next)
    for (const auto& slot : record->slots)
      if (slot.load(std::memory_order_acquire) == number) return true;
  return false;
}

bool PhysicalMemoryBoot(uint64_t limit_bytes) {
  auto memory = std::make_unique<Memory>();
  memory->file = host::MemoryFile::Create("ntio-pages", kPhysicalBytes);
  if (!memory->file) return false;
  if (!host::ReserveMemory(kPhysicalBase, kPhysicalBytes)) return false;
  if (!memory->file->Map(kPhysicalBase, 0, kPhysicalBytes, host::Access::kReadWrite)) {
    host::ReleaseMemory(reinterpret_cast<void*>(kPhysicalBase), kPhysicalBytes);
    return false;
  }
  void* slots = host::ReserveMemory(0, kSlotArrayBytes);
  if (!slots || host::CommitMemory(slots, kSlotArrayBytes, host::Access::kReadWrite) != 0) {
    host::ReleaseMemory(reinterpret_cast<void*>(kPhysicalBase), kPhysicalBytes);
    if (slots) host::ReleaseMemory(slots, kSlotArrayBytes);
    return false;
  }
  g_slots = static_cast<Slot*>(slots);  // zero bytes are a free slot
  const uint64_t limit = std::max<uint64_t>(limit_bytes >> kSlotShift, 8);
  memory->limit = static_cast<uint32_t>(std::min<uint64_t>(limit, kMaxSlots - 1));
  g_dirty_pages.store(0);
  g_memory = memory.release();
  return true;
}

void PhysicalMemoryShutdown() {
  if (!g_memory) return;
  host::ReleaseMemory(reinterpret_cast<void*>(kPhysicalBase), kPhysicalBytes);
  host::ReleaseMemory(g_slots, kSlotArrayBytes);
  g_slots = nullptr;
  delete g_memory;
  g_memory = nullptr;
}

Slot* TakeFreeSlot() {
  LockGuard guard(g_memory->lock);
  Slot* slot;
  if (g_memory->free_head) {
    slot = SlotOfNumber(g_memory->free_head);
    g_memory->free_head = slot->next_free;
  } else {
    const uint32_t number = g_memory->high_water.load(std::memory_order_relaxed) + 1;
    if (number > kMaxSlots) return nullptr;
    g_memory->high_water.store(number, std::memory_order_release);
    slot = SlotOfNumber(number);
  }
  g_memory->in_use.fetch_add(1, std::memory_order_relaxed);
  return slot;
}

void GiveFreeSlot(Slot* slot) {
  DCHECK(slot->pins.load() == 0 && slot->dirty.load() == 0 && slot->resident.load() == 0 && slot->owner.load() == nullptr);
  LockGuard guard(g_memory->lock);
  slot->accessed.store(0, std::memory_order_relaxed);
  slot->next_free = g_memory->free_head;
  g_memory->free_head = slot->number();
  g_memory->in_use.fetch_sub(1, std::memory_order_relaxed);
}

uint32_t SlotsInUse() { return g_memory->in_use.load(std::memory_order_relaxed); }
uint32_t SlotLimit() { return g_memory->limit; }
uint32_t SlotHighWater() { return g_memory->high_water.load(std::memory_order_acquire); }
uint32_t AdvanceClock() { return g_memory->clock.fetch_add(1, std::memory_order_relaxed); }

bool MapPhysical(uintptr_t address, uint64_t physical_offset, size_t bytes, bool writable) {
  return g_memory->file->Map(address, physical_offset, bytes,
                             writable ? host::Access::kReadWrite : host::Access::kRead) != nullptr;
}
void UnmapPhysical(uintptr_t address, size_t bytes) {
  host::UnmapToReserved(reinterpret_cast<void*>(address), bytes);
}

void TrimFreeMemory() {
  // Slots are taken off the list, punched without the lock, and put back.
  std::vector<Slot*> taken;
  {
    LockGuard guard(g_memory->lock);
    for (uint32_t number = g_memory->free_head; number; number = SlotOfNumber(number)->next_free)
      taken.push_back(SlotOfNumber(number));
    g_memory->free_head = 0;
    g_memory->in_use.fetch_add(static_cast<uint32_t>(taken.size()), std::memory_order_relaxed);
  }
  for (Slot* slot : taken) {
    // A failure leaves the frames where they are, which is what trimming was to avoid and nothing worse.
    (void)g_memory->file->Punch(static_cast<uint64_t>(slot - g_slots) << kSlotShift, kSlotBytes);
    GiveFreeSlot(slot);
  }
}

}  // namespace nt::mm
