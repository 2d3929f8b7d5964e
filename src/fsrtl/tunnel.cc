// The tunnel cache: a file that is deleted or renamed away and soon made again under the same name gets its other name and
// its data (creation time, object id) back. Entries live some seconds.
//
// All entries are in TUNNEL::TimerQueue, oldest first, under TUNNEL::Mutex; there are few. TUNNEL::Cache is not used.
#include <atomic>
#include <cstring>
#include <new>
#include <string_view>

#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/rtl/rtl.h"

namespace nt::fsrtl {
namespace {

struct Limits {
  std::atomic<uint32_t> age_seconds{15}, entries{256};
};
constinit Limits g_limits;

enum : ULONG { kCaseSensitive = 1, kKeyByShortName = 2 };

/// Followed in its block by the short name, the long name, the data.
struct Entry {
  LIST_ENTRY links;
  ULONGLONG born_100ns;
  ULONGLONG directory_key;
  ULONG flags;
  USHORT short_bytes, long_bytes;
  ULONG data_bytes;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  std::u16string_view short_name() {
    return {reinterpret_cast<char16_t*>(bytes()), short_bytes / sizeof(WCHAR)};
  }
  std::u16string_view long_name() {
    return {reinterpret_cast<char16_t*>(bytes() + short_bytes), long_bytes / sizeof(WCHAR)};
  }
  std::u16string_view key_name() { return flags & kKeyByShortName ? short_name() : long_name(); }
  void* data() { return bytes() + short_bytes + long_bytes; }
};

class TunnelScope {
 public:
  explicit TunnelScope(PTUNNEL cache) : mutex_(&cache->Mutex) { ex::AcquireFastMutex(mutex_); }
  ~TunnelScope() { ex::ReleaseFastMutex(mutex_); }
  TunnelScope(const TunnelScope&) = delete;
  TunnelScope& operator=(const TunnelScope&) = delete;

 private:
  PFAST_MUTEX const mutex_;
};

Entry* AsEntry(PLIST_ENTRY entry) { return CONTAINING_RECORD(entry, Entry, links); }

void Remove(PTUNNEL cache, Entry* entry, PLIST_ENTRY doomed) {
  RemoveEntryList(&entry->links);
  InsertTailList(doomed, &entry->links);
  cache->NumEntries--;
}

void RemoveOld(PTUNNEL cache, PLIST_ENTRY doomed) {
  const ULONGLONG now = ke::QueryInterruptTime();
  const ULONGLONG age_100ns = g_limits.age_seconds.load(std::memory_order_relaxed) * 10'000'000ull;
  const uint32_t limit = g_limits.entries.load(std::memory_order_relaxed);
  while (!IsListEmpty(&cache->TimerQueue)) {
    Entry* const oldest = AsEntry(cache->TimerQueue.Flink);
    if (cache->NumEntries <= limit && now - oldest->born_100ns < age_100ns) break;
    Remove(cache, oldest, doomed);
  }
}

void Free(PLIST_ENTRY doomed) {
  while (!IsListEmpty(doomed)) ex::FreePool(AsEntry(RemoveHeadList(doomed)));
}

Entry* Find(PTUNNEL cache, ULONGLONG directory_key, std::u16string_view name, bool case_sensitive) {
  // The newest first.
  for (PLIST_ENTRY at = cache->TimerQueue.Blink; at != &cache->TimerQueue; at = at->Blink) {
    Entry* const entry = AsEntry(at);
    if (entry->directory_key != directory_key) continue;
    const bool exact = case_sensitive || (entry->flags & kCaseSensitive);
    if (rtl::EqualUnicode(entry->key_name(), name, exact ? rtl::Case::kSensitive : rtl::Case::kInsensitive)) return entry;
  }
  return nullptr;
}

}  // namespace

void SetTunnelLimits(const TunnelLimits& limits) {
  g_limits.age_seconds.store(limits.age_seconds, std::memory_order_relaxed);
  g_limits.entries.store(limits.entries, std::memory_order_relaxed);
}

void InitializeTunnelCache(PTUNNEL cache) {
  ex::InitializeFastMutex(&cache->Mutex);
  cache->Cache = nullptr;
  InitializeListHead(&cache->TimerQueue);
  cache->NumEntries = 0;
}

void AddToTunnelCacheEx(PTUNNEL cache, ULONGLONG directory_key, PUNICODE_STRING short_name, PUNICODE_STRING long_name,
                        ULONG flags, ULONG data_length, void* data) {
  if (g_limits.entries.load(std::memory_order_relaxed) == 0) return;
  const USHORT short_bytes = short_name ? short_name->Length : 0;
  const USHORT long_bytes = long_name ? long_name->Length : 0;
  const size_t bytes = sizeof(Entry) + short_bytes + long_bytes + data_length;
  auto* const entry = static_cast<Entry*>(ex::AllocatePoolWithTag(PagedPool, bytes, 'nuTF'));
  if (!entry) return;  // a convenience only
  new (entry) Entry{{}, ke::QueryInterruptTime(), directory_key, flags, short_bytes, long_bytes, data_length};
  if (short_bytes) memcpy(entry->bytes(), short_name->Buffer, short_bytes);
  if (long_bytes) memcpy(entry->bytes() + short_bytes, long_name->Buffer, long_bytes);
  if (data_length) memcpy(entry->data(), data, data_length);

  LIST_ENTRY doomed;
  InitializeListHead(&doomed);
  {
    TunnelScope scope(cache);
    if (Entry* same = Find(cache, directory_key, entry->key_name(), flags & kCaseSensitive)) Remove(cache, same, &doomed);
    InsertTailList(&cache->TimerQueue, &entry->links);
    cache->NumEntries++;
    RemoveOld(cache, &doomed);
  }
  Free(&doomed);
}

bool FindInTunnelCacheEx(PTUNNEL cache, ULONGLONG directory_key, PUNICODE_STRING name, PUNICODE_STRING short_name,
                         PUNICODE_STRING long_name, ULONG flags, PULONG data_length, void* data) {
  LIST_ENTRY doomed;
  InitializeListHead(&doomed);
  bool found = false;
  NTSTATUS failure = STATUS_SUCCESS;
  {
    TunnelScope scope(cache);
    RemoveOld(cache, &doomed);
    Entry* const entry = Find(cache, directory_key, rtl::View(name), flags & FSRTL_FIND_TC_CASE_SENSITIVE);
    if (entry && entry->data_bytes <= *data_length) {
      if (entry->short_bytes <= short_name->MaximumLength) {
        memcpy(short_name->Buffer, entry->bytes(), entry->short_bytes);
        short_name->Length = entry->short_bytes;
      } else {
        short_name->Length = 0;
      }
      if (entry->long_bytes > long_name->MaximumLength) {
        void* const larger = ex::AllocatePoolWithTag(PagedPool, entry->long_bytes, '4nuT');
        if (larger) {
          long_name->Buffer = static_cast<PWCH>(larger);
          long_name->MaximumLength = entry->long_bytes;
        } else {
          failure = STATUS_INSUFFICIENT_RESOURCES;
        }
      }
      if (failure == STATUS_SUCCESS) {
        memcpy(long_name->Buffer, entry->bytes() + entry->short_bytes, entry->long_bytes);
        long_name->Length = entry->long_bytes;
        memcpy(data, entry->data(), entry->data_bytes);
        *data_length = entry->data_bytes;
        Remove(cache, entry, &doomed);  // what was found has tunnelled
        found = true;
      }
    }
  }
  Free(&doomed);
  if (failure != STATUS_SUCCESS) Raise(failure);
  return found;
}

void DeleteKeyFromTunnelCache(PTUNNEL cache, ULONGLONG directory_key) {
  LIST_ENTRY doomed;
  InitializeListHead(&doomed);
  {
    TunnelScope scope(cache);
    for (PLIST_ENTRY at = cache->TimerQueue.Flink; at != &cache->TimerQueue;) {
      Entry* const entry = AsEntry(at);
      at = at->Flink;
      if (entry->directory_key == directory_key) Remove(cache, entry, &doomed);
    }
    RemoveOld(cache, &doomed);
  }
  Free(&doomed);
}

void DeleteTunnelCache(PTUNNEL cache) {
  while (!IsListEmpty(&cache->TimerQueue)) ex::FreePool(AsEntry(RemoveHeadList(&cache->TimerQueue)));
  cache->NumEntries = 0;
}

}  // namespace nt::fsrtl
