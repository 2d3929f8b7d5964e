// ERESOURCE: the reader-writer lock of file systems, with owners, recursion and ownership that can be handed over.
//
// The whole state lives in the structure that drivers allocate. Its 64-bit SpinLock member is the word below; every change
// goes through compare-and-swap on it, so that an uncontended acquisition is one atomic operation:
//   bits 0-30   shared acquisitions (each recursion counts)      bit 32  owned exclusively
//   bit 33      someone waits: take the slow path                bit 34  the slow path's lock
//   bit 35      biased: readers are in the slots of their threads, and count only as far as bits 0-30 say (reader_bias.h)
//   bits 40-47  shared acquisitions since the last exclusive one; when it is full the resource becomes biased
// An exclusive owner is OwnerEntry.OwnerThread, its recursion count in OwnerEntry.TableSize. A shared owner is recorded in
// its thread (resource_holdings.h), or, when it is an owner pointer (ExSetResourceOwnerPointer), in the table at OwnerTable.
// Waiters queue at SharedWaiters and ExclusiveWaiters; a release hands the resource over to them, it is never free in between.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/host/host.h"
#include "src/ke/ke.h"
#include "src/ke/thread.h"

namespace nt::ex {
namespace {

constexpr uint64_t kSharedMask = 0x7fffffff;
constexpr uint64_t kExclusive = 1ull << 32;
constexpr uint64_t kWaiters = 1ull << 33;
constexpr uint64_t kLocked = 1ull << 34;
constexpr uint64_t kBiased = 1ull << 35;
constexpr uint64_t kStreakOne = 1ull << 40;
constexpr uint64_t kStreakMask = 0xffull << 40;
constexpr ERESOURCE_THREAD kOwnerPointerBits = 3;

struct Waiter {
  Waiter* next = nullptr;
  ke::Thread* thread = nullptr;
  KEVENT event{};
};

struct WaitQueue {  // lives in pool, made on first contention: head and tail
  Waiter* head = nullptr;
  Waiter* tail = nullptr;
};

// An owner pointer that holds the resource shared.
struct PointerOwner {
  PointerOwner* next;
  ERESOURCE_THREAD owner;
  uint32_t count;
};

std::atomic_ref<uint64_t> Word(PERESOURCE resource) {
  return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(&resource->SpinLock));
}

ERESOURCE_THREAD Self() { return reinterpret_cast<ERESOURCE_THREAD>(ke::CurrentThread()); }

// OwnerThread is read without the word's lock by threads that ask whether they are the owner themselves.
std::atomic_ref<ERESOURCE_THREAD> Owner(PERESOURCE resource) {
  return std::atomic_ref<ERESOURCE_THREAD>(resource->OwnerEntry.OwnerThread);
}
void SetOwner(PERESOURCE resource, ERESOURCE_THREAD owner) {
  Owner(resource).store(owner, std::memory_order_relaxed);
  resource->OwnerEntry.TableSize = 1;
  resource->Flag |= ResourceOwnedExclusive;
  resource->ActiveEntries = 1;
}
void ClearOwner(PERESOURCE resource) {
  Owner(resource).store(0, std::memory_order_relaxed);
  resource->OwnerEntry.TableSize = 0;
  resource->Flag &= static_cast<USHORT>(~ResourceOwnedExclusive);
  resource->ActiveEntries = 0;
}

/// The slow path's lock on one resource. Releasing it stores the new counts and whether anyone waits.
class SlowPath {
 public:
  explicit SlowPath(PERESOURCE resource) : resource_(resource) {
    auto word = Word(resource);
    for (unsigned spins = 0;; spins++) {
      uint64_t old = word.load(std::memory_order_relaxed);
      if (!(old & kLocked) && word.compare_exchange_weak(old, old | kLocked, std::memory_order_acquire)) {
        state = old & ~kWaiters;
        return;
      }
      spins < 64 ? host::SpinPause() : host::Yield();
    }
  }
  ~SlowPath() {
    uint64_t next = state;
    if (resource_->NumberOfExclusiveWaiters || resource_->NumberOfSharedWaiters) next |= kWaiters;
    Word(resource_).store(next, std::memory_order_release);
    while (grant_) {
      Waiter* waiter = grant_;
      grant_ = waiter->next;
      ke::SetEvent(&waiter->event, 0, false);
    }
  }
  SlowPath(const SlowPath&) = delete;
  SlowPath& operator=(const SlowPath&) = delete;

  bool exclusive() const { return state & kExclusive; }
  uint64_t shared() const { return state & kSharedMask; }
  /// Ends the bias: from here on shared() counts every reader.
  void Revoke() {
    if (!(state & kBiased)) return;
    Word(resource_).fetch_and(~kBiased, std::memory_order_acq_rel);
    state = (state & ~(kBiased | kStreakMask)) + CountReaders(resource_);
  }
  /// Wakes the waiter after the lock is released.
  void Grant(Waiter* waiter) {
    waiter->next = grant_;
    grant_ = waiter;
  }

  uint64_t state;  // without kWaiters and kLocked

 private:
  PERESOURCE resource_;
  Waiter* grant_ = nullptr;
};

/// Afterwards every reader counts.
void EndBias(PERESOURCE resource) {
  SlowPath slow(resource);
  slow.Revoke();
}

WaitQueue* Queue(void** slot) {
  if (!*slot) *slot = PoolNew<WaitQueue>('wseR');
  CHECK_MSG(*slot, "no memory for the wait queue of a resource");
  return static_cast<WaitQueue*>(*slot);
}
void Push(void** slot, Waiter* waiter) {
  auto* queue = Queue(slot);
  (queue->tail ? queue->tail->next : queue->head) = waiter;
  queue->tail = waiter;
}
Waiter* Pop(void** slot) {
  auto* queue = static_cast<WaitQueue*>(*slot);
  Waiter* waiter = queue->head;
  queue->head = waiter->next;
  if (!queue->head) queue->tail = nullptr;
  waiter->next = nullptr;
  return waiter;
}

void GrantExclusive(PERESOURCE resource, SlowPath& slow) {
  Waiter* waiter = Pop(&resource->ExclusiveWaiters);
  resource->NumberOfExclusiveWaiters--;
  slow.state = kExclusive;
  SetOwner(resource, reinterpret_cast<ERESOURCE_THREAD>(waiter->thread));
  slow.Grant(waiter);
}
void GrantAllShared(PERESOURCE resource, SlowPath& slow) {
  while (resource->NumberOfSharedWaiters) {
    Waiter* waiter = Pop(&resource->SharedWaiters);
    resource->NumberOfSharedWaiters--;
    slow.state++;
    slow.Grant(waiter);
  }
}

void Wait(PERESOURCE resource, Waiter& waiter) {
  static_cast<void>(resource);
  ke::WaitForSingleObject(&waiter.event, WrResource, KernelMode, false, nullptr).Ignore();  // kernel, not alertable
}

bool HoldsShared(ke::Thread* thread, PERESOURCE resource) {
  auto& holdings = thread->resource_holdings;
  if (auto* biased = holdings.BiasedOrNull(); biased && biased->CountOf(resource)) return true;
  holdings.Lock();
  const bool holds = holdings.Find(resource) != nullptr;
  holdings.Unlock();
  return holds;
}
void NoteShared(ke::Thread* thread, PERESOURCE resource) {
  auto& holdings = thread->resource_holdings;
  holdings.Lock();
  holdings.Add(resource);
  holdings.Unlock();
}

enum class Order {
  kFair,              // behind exclusive waiters, unless this thread holds it shared already
  kStarveExclusive,   // before exclusive waiters
  kWaitForExclusive,  // behind exclusive waiters always
};

/// Without a count. False: not biased any more, or too many resources are held.
bool AcquireBiased(ke::Thread* self, PERESOURCE resource) {
  auto* slot = self->resource_holdings.Biased().Publish(resource);
  if (!slot) return false;
  if (Word(resource).load(std::memory_order_acquire) & kBiased) [[likely]]
    return true;
  // Revoked in between. Who revoked may have counted this reader: then it has the resource.
  if (!(slot->exchange(0, std::memory_order_acq_rel) & ReaderSlots::kCounted)) return false;
  NoteShared(self, resource);
  return true;
}

uint64_t OneMoreReader(uint64_t word) {
  word++;
  return (word & kStreakMask) == kStreakMask ? word | kBiased : word + kStreakOne;
}

bool AcquireShared(PERESOURCE resource, bool wait, Order order) {
  auto* self = ke::CurrentThread();
  auto word = Word(resource);
  uint64_t old = word.load(std::memory_order_relaxed);
  if ((old & kBiased) && AcquireBiased(self, resource)) return true;
  while (!(old & (kExclusive | kWaiters | kLocked))) {
    if (word.compare_exchange_weak(old, OneMoreReader(old), std::memory_order_acquire)) {
      NoteShared(self, resource);
      return true;
    }
  }
  Waiter waiter;
  {
    SlowPath slow(resource);
    if (slow.exclusive() && Owner(resource).load(std::memory_order_relaxed) == Self()) {
      resource->OwnerEntry.TableSize++;
      return true;
    }
    const bool before_waiters = resource->NumberOfExclusiveWaiters == 0 || order == Order::kStarveExclusive ||
                                (order == Order::kFair && HoldsShared(self, resource));
    if (!slow.exclusive() && before_waiters) {
      slow.state++;
      NoteShared(self, resource);
      return true;
    }
    if (!wait) return false;
    resource->ContentionCount++;
    waiter.thread = self;
    ke::InitializeEvent(&waiter.event, SynchronizationEvent, false);
    Push(&resource->SharedWaiters, &waiter);
    resource->NumberOfSharedWaiters++;
  }
  Wait(resource, waiter);
  NoteShared(self, resource);
  return true;
}

void ReleaseSharedCount(PERESOURCE resource) {
  auto word = Word(resource);
  uint64_t old = word.load(std::memory_order_relaxed);
  while (!(old & (kWaiters | kLocked)))
    if (word.compare_exchange_weak(old, old - 1, std::memory_order_release)) return;
  SlowPath slow(resource);
  slow.state--;
  if (slow.shared() == 0 && resource->NumberOfExclusiveWaiters) GrantExclusive(resource, slow);
  else if (resource->NumberOfExclusiveWaiters == 0) GrantAllShared(resource, slow);
}

void ReleaseExclusive(PERESOURCE resource) {
  if (resource->OwnerEntry.TableSize > 1) {
    resource->OwnerEntry.TableSize--;
    return;
  }
  ClearOwner(resource);
  auto word = Word(resource);
  uint64_t old = kExclusive;
  if (word.compare_exchange_strong(old, 0, std::memory_order_release)) return;
  SlowPath slow(resource);
  slow.state = 0;
  if (resource->NumberOfSharedWaiters) GrantAllShared(resource, slow);
  else if (resource->NumberOfExclusiveWaiters) GrantExclusive(resource, slow);
}

[[noreturn]] void NotOwned(PERESOURCE resource, ERESOURCE_THREAD owner) {
  ke::BugCheckEx(RESOURCE_NOT_OWNED, reinterpret_cast<ULONG_PTR>(resource), owner,
                 reinterpret_cast<ULONG_PTR>(resource->OwnerTable), 3);
}

bool ReleasePointerOwner(PERESOURCE resource, ERESOURCE_THREAD owner) {
  PointerOwner* empty = nullptr;
  bool found = false;
  {
    SlowPath slow(resource);
    for (auto** link = reinterpret_cast<PointerOwner**>(&resource->OwnerTable); *link; link = &(*link)->next) {
      auto* entry = *link;
      if (entry->owner != owner) continue;
      found = true;
      if (--entry->count == 0) {
        *link = entry->next;
        empty = entry;
      }
      break;
    }
  }
  if (empty) FreePool(empty);
  if (found) ReleaseSharedCount(resource);
  return found;
}

}  // namespace

NTSTATUS InitializeResourceLite(PERESOURCE resource) {
  std::memset(static_cast<void*>(resource), 0, sizeof *resource);
  InitializeListHead(&resource->SystemResourcesList);
  return STATUS_SUCCESS;
}

NTSTATUS ReinitializeResourceLite(PERESOURCE resource) {
  NTSTATUS status = DeleteResourceLite(resource);
  return NT_SUCCESS(status) ? InitializeResourceLite(resource) : status;
}

NTSTATUS DeleteResourceLite(PERESOURCE resource) {
  if (resource->NumberOfExclusiveWaiters || resource->NumberOfSharedWaiters)
    ke::BugCheckEx(RESOURCE_OWNER_POINTER_INVALID, reinterpret_cast<ULONG_PTR>(resource), 0, 0, 0);
  EndBias(resource);
  for (void** queue : {&resource->SharedWaiters, &resource->ExclusiveWaiters})
    if (*queue) FreePool(std::exchange(*queue, nullptr));
  for (auto* entry = reinterpret_cast<PointerOwner*>(resource->OwnerTable); entry;)
    FreePool(std::exchange(entry, entry->next));
  resource->OwnerTable = nullptr;
  return STATUS_SUCCESS;
}

bool AcquireResourceExclusiveLite(PERESOURCE resource, bool wait) {
  const auto self = Self();
  auto word = Word(resource);
  uint64_t old = word.load(std::memory_order_relaxed);
  if (!(old & ~kStreakMask) && word.compare_exchange_strong(old, kExclusive, std::memory_order_acquire)) {
    SetOwner(resource, self);
    return true;
  }
  Waiter waiter;
  {
    SlowPath slow(resource);
    if (slow.exclusive() && Owner(resource).load(std::memory_order_relaxed) == self) {
      resource->OwnerEntry.TableSize++;
      return true;
    }
    slow.Revoke();
    if (!slow.exclusive() && slow.shared() == 0) {
      slow.state = kExclusive;
      SetOwner(resource, self);
      return true;
    }
    if (!wait) return false;
    resource->ContentionCount++;
    waiter.thread = ke::CurrentThread();
    ke::InitializeEvent(&waiter.event, SynchronizationEvent, false);
    Push(&resource->ExclusiveWaiters, &waiter);
    resource->NumberOfExclusiveWaiters++;
  }
  Wait(resource, waiter);
  return true;
}

bool AcquireResourceSharedLite(PERESOURCE resource, bool wait) { return AcquireShared(resource, wait, Order::kFair); }
bool AcquireSharedStarveExclusive(PERESOURCE resource, bool wait) {
  return AcquireShared(resource, wait, Order::kStarveExclusive);
}
bool AcquireSharedWaitForExclusive(PERESOURCE resource, bool wait) {
  return AcquireShared(resource, wait, Order::kWaitForExclusive);
}

void ReleaseResourceLite(PERESOURCE resource) { ReleaseResourceForThreadLite(resource, Self()); }

void ReleaseResourceForThreadLite(PERESOURCE resource, ERESOURCE_THREAD owner) {
  if (Owner(resource).load(std::memory_order_relaxed) == owner) return ReleaseExclusive(resource);
  if ((owner & kOwnerPointerBits) == kOwnerPointerBits) {
    if (!ReleasePointerOwner(resource, owner)) NotOwned(resource, owner);
    return;
  }
  auto* thread = reinterpret_cast<ke::Thread*>(owner);
  auto& holdings = thread->resource_holdings;
  if (auto* biased = holdings.BiasedOrNull()) {
    if (thread != ke::CurrentThread()) EndBias(resource);  // its slots are not ours to empty while they do not count
    const auto release = biased->Empty(resource);
    if (release == ReaderSlots::Release::kDone) return;
    if (release == ReaderSlots::Release::kCountDown) return ReleaseSharedCount(resource);
  }
  holdings.Lock();
  const bool held = holdings.Remove(resource);
  holdings.Unlock();
  if (!held) NotOwned(resource, owner);
  ReleaseSharedCount(resource);
}

void SetResourceOwnerPointer(PERESOURCE resource, void* owner_pointer) {
  const auto owner = reinterpret_cast<ERESOURCE_THREAD>(owner_pointer) | kOwnerPointerBits;
  if (Owner(resource).load(std::memory_order_relaxed) == Self()) {
    Owner(resource).store(owner, std::memory_order_relaxed);
    return;
  }
  auto& holdings = ke::CurrentThread()->resource_holdings;
  uint32_t count = 0;
  if (auto* biased = holdings.BiasedOrNull()) {
    EndBias(resource);
    while (biased->Empty(resource) != ReaderSlots::Release::kNotHere) count++;
  }
  holdings.Lock();
  if (uint32_t* held = holdings.Find(resource)) {
    const uint32_t noted = *held;
    for (uint32_t i = 0; i < noted; i++) holdings.Remove(resource);
    count += noted;
  }
  holdings.Unlock();
  if (!count) NotOwned(resource, Self());
  auto* fresh = PoolNew<PointerOwner>('oseR');
  CHECK_MSG(fresh, "no memory for the owner of a resource");
  {
    SlowPath slow(resource);
    auto** table = reinterpret_cast<PointerOwner**>(&resource->OwnerTable);
    for (auto* entry = *table; entry; entry = entry->next) {
      if (entry->owner != owner) continue;
      entry->count += count;
      count = 0;
      break;
    }
    if (count) {
      *fresh = {*table, owner, count};
      *table = fresh;
      fresh = nullptr;
    }
  }
  if (fresh) FreePool(fresh);
}

void ConvertExclusiveToSharedLite(PERESOURCE resource) {
  auto* self = ke::CurrentThread();
  const auto owner = Owner(resource).load(std::memory_order_relaxed);
  if (owner != Self()) NotOwned(resource, Self());
  const uint32_t count = resource->OwnerEntry.TableSize;
  ClearOwner(resource);
  for (uint32_t i = 0; i < count; i++) NoteShared(self, resource);
  SlowPath slow(resource);
  slow.state = count;
  GrantAllShared(resource, slow);
}

bool IsResourceAcquiredExclusiveLite(PERESOURCE resource) {
  return Owner(resource).load(std::memory_order_relaxed) == Self();
}

ULONG IsResourceAcquiredSharedLite(PERESOURCE resource) {
  if (IsResourceAcquiredExclusiveLite(resource)) return resource->OwnerEntry.TableSize;
  auto& holdings = ke::CurrentThread()->resource_holdings;
  const auto* biased = holdings.BiasedOrNull();
  ULONG count = biased ? biased->CountOf(resource) : 0;
  holdings.Lock();
  if (const uint32_t* held = holdings.Find(resource)) count += *held;
  holdings.Unlock();
  return count;
}

ULONG GetExclusiveWaiterCount(PERESOURCE resource) {
  return std::atomic_ref<ULONG>(resource->NumberOfExclusiveWaiters).load(std::memory_order_relaxed);
}
ULONG GetSharedWaiterCount(PERESOURCE resource) {
  return std::atomic_ref<ULONG>(resource->NumberOfSharedWaiters).load(std::memory_order_relaxed);
}

}  // namespace nt::ex
