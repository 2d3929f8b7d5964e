// Interlocked singly linked lists with Windows' x64 header: depth (16 bits), sequence (48), next entry (60 bits of 128).
// The sequence number makes a pop that raced with pop and push of the same entry fail.
#include "src/ex/slist.h"

#include <cstdint>

namespace nt::ex {
namespace {

struct alignas(16) Header {
  uint64_t low;   // depth, sequence
  uint64_t high;  // next entry
};

bool CompareExchange(SLIST_HEADER* list, Header& expected, Header desired) {
  bool swapped;
  asm volatile("lock cmpxchg16b %1"
               : "=@ccz"(swapped), "+m"(*reinterpret_cast<Header*>(list)), "+a"(expected.low), "+d"(expected.high)
               : "b"(desired.low), "c"(desired.high)
               : "memory");
  return swapped;
}

Header Load(SLIST_HEADER* list) {
  auto* header = reinterpret_cast<Header*>(list);
  return {__atomic_load_n(&header->low, __ATOMIC_RELAXED), __atomic_load_n(&header->high, __ATOMIC_RELAXED)};
}

uint64_t NextLow(uint64_t low, int depth_change) {
  const auto depth = static_cast<uint16_t>(static_cast<uint16_t>(low) + depth_change);
  return (((low >> 16) + 1) << 16) | depth;
}

SLIST_ENTRY* EntryOf(const Header& header) { return reinterpret_cast<SLIST_ENTRY*>(header.high & ~15ull); }

}  // namespace

void InitializeSListHead(SLIST_HEADER* list) { *reinterpret_cast<Header*>(list) = {0, 0}; }

USHORT QueryDepthSList(SLIST_HEADER* list) { return static_cast<USHORT>(Load(list).low); }

SLIST_ENTRY* InterlockedPushEntrySList(SLIST_HEADER* list, SLIST_ENTRY* entry) {
  Header old = Load(list);
  for (;;) {
    __atomic_store_n(&entry->Next, EntryOf(old), __ATOMIC_RELAXED);
    if (CompareExchange(list, old, {NextLow(old.low, 1), reinterpret_cast<uint64_t>(entry)})) return EntryOf(old);
  }
}

// The entry read may be popped by another thread meanwhile; its memory stays mapped (pool is never unmapped while the
// machine lives), and the compare then fails.
__attribute__((no_sanitize("address", "thread"))) SLIST_ENTRY* InterlockedPopEntrySList(SLIST_HEADER* list) {
  Header old = Load(list);
  for (;;) {
    SLIST_ENTRY* entry = EntryOf(old);
    if (!entry) return nullptr;
    auto* next = *const_cast<SLIST_ENTRY* volatile*>(&entry->Next);
    if (CompareExchange(list, old, {NextLow(old.low, -1), reinterpret_cast<uint64_t>(next)})) return entry;
  }
}

SLIST_ENTRY* InterlockedFlushSList(SLIST_HEADER* list) {
  Header old = Load(list);
  while (EntryOf(old))
    if (CompareExchange(list, old, {NextLow(old.low, 0) & ~0xffffull, 0})) return EntryOf(old);
  return nullptr;
}

}  // namespace nt::ex
