// The resources a thread holds shared: a small table in each thread, so that shared acquisition by many threads writes
// nothing in common but the resource's own count.
//
// Another thread may release on the thread's behalf (ExReleaseResourceForThreadLite), hence the lock; it is almost always
// taken by its own thread alone. All zero is the empty table: a Thread's storage needs no constructor for it.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/ex/reader_bias.h"
#include "src/host/host.h"

struct _ERESOURCE;

namespace nt::ex {

class ResourceHoldings {
 public:
  /// The count of shared acquisitions of `resource`, or nullptr. Caller holds the lock.
  uint32_t* Find(_ERESOURCE* resource) {
    for (Table* table = &first_; table; table = table->next)
      for (auto& entry : table->entries)
        if (entry.resource == resource) return &entry.count;
    return nullptr;
  }
  void Add(_ERESOURCE* resource) {
    if (uint32_t* count = Find(resource)) {
      ++*count;
      return;
    }
    Table* table = &first_;
    for (;; table = table->next) {
      for (auto& entry : table->entries) {
        if (entry.resource) continue;
        entry = {resource, 1};
        return;
      }
      if (!table->next) break;
    }
    table->next = new Table{};
    table->next->entries[0] = {resource, 1};
  }
  /// Drops one acquisition. Returns false when there is none.
  bool Remove(_ERESOURCE* resource) {
    for (Table* table = &first_; table; table = table->next) {
      for (auto& entry : table->entries) {
        if (entry.resource != resource) continue;
        if (--entry.count == 0) entry.resource = nullptr;
        return true;
      }
    }
    return false;
  }
  /// Frees what a thread that held many resources made; at the end of the thread.
  void Trim() {
    for (Table* table = first_.next; table;) {
      Table* next = table->next;
      delete table;
      table = next;
    }
    first_.next = nullptr;
    ReaderSlots::Give(biased_.exchange(nullptr, std::memory_order_acq_rel));
  }
  /// The slots of biased acquisitions; they are the thread's own and need no lock. BiasedOrNull: for other threads too.
  ReaderSlots& Biased() {
    ReaderSlots* set = biased_.load(std::memory_order_relaxed);
    if (!set) [[unlikely]]
      biased_.store(set = ReaderSlots::Take(), std::memory_order_release);
    return *set;
  }
  ReaderSlots* BiasedOrNull() const { return biased_.load(std::memory_order_acquire); }
  void Lock() {
    while (locked_.exchange(true, std::memory_order_acquire)) host::SpinPause();
  }
  void Unlock() { locked_.store(false, std::memory_order_release); }

 private:
  struct Entry {
    _ERESOURCE* resource;
    uint32_t count;
  };
  struct Table {
    Entry entries[12];
    Table* next;
  };
  Table first_;
  std::atomic<bool> locked_;
  std::atomic<ReaderSlots*> biased_;
};

}  // namespace nt::ex
