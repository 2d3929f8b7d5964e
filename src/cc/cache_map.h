// What a cached stream and a caching file object are to the cache manager. Private to cc.
//
// SharedCacheMap: one per stream. Life: made by the first CcInitializeCacheMap; `open_count` file objects cache through it;
// when that is 0 and nothing is dirty or pinned, it goes (at once, or by the lazy writer). It holds a reference to its segment
// and to the file object it was made with.
// PrivateCacheMap: one per caching file object; where it read last, for read-ahead.
//
// Locks: State::lock (kCacheGlobal) over lists, counts and the pointers to maps; SharedCacheMap::bcb_lock (kCacheMap) over its
// Bcbs. Neither is held over the other, nor across I/O, waits and drivers.
#pragma once

#include <atomic>
#include <map>

#include "src/base/lock.h"
#include "src/cc/cc.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"
#include "src/mm/segment.h"

namespace nt::cc {

inline constexpr CSHORT kTypeSharedCacheMap = 0x2FF, kTypePrivateCacheMap = 0x2FE, kTypeBcb = 0x2FD, kTypeMapBcb = 0x2FB,
                        kTypeOverlapBcb = 0x2FA;
inline constexpr ULONG kTagMap = 'mScC', kTagPrivate = 'cPcC', kTagBcb = 'cBcC', kTagWork = 'kWcC', kTagZero = 'rZcC';

struct Bcb;

struct SharedCacheMap;

/// What file systems may reach into.
struct SharedCacheMapHead {
  CSHORT node_type = kTypeSharedCacheMap;
  CSHORT node_bytes = 0;
  ULONG open_count = 0;                         // State::lock
  LARGE_INTEGER file_size{};                    // file systems store here (CcGetFileSizePointer)
};
static_assert(offsetof(SharedCacheMapHead, file_size) == 8, "CcGetFileSizePointer");

struct MapLink {
  LIST_ENTRY entry;
  SharedCacheMap* map;
};

/// Where a map is on its way through the lazy writer. A map that waits is not referenced: it may go.
enum class LazyState : uint8_t { kIdle, kQueued, kWriting };

struct SharedCacheMap : SharedCacheMapHead {
  LARGE_INTEGER section_size{};
  std::atomic<LONGLONG> valid_data_length{0};   // what the file system knows; MAXLONGLONG: not tracked
  std::atomic<LONGLONG> valid_data_goal{0};     // what has been written into the cache
  mm::Segment* segment = nullptr;               // referenced
  FILE_OBJECT* file = nullptr;                  // referenced
  SECTION_OBJECT_POINTERS* pointers = nullptr;
  CACHE_MANAGER_CALLBACKS* callbacks = nullptr;
  void* lazy_write_context = nullptr;
  bool pin_access = false;
  std::atomic<bool> disable_read_ahead{false}, disable_write_behind{false};
  std::atomic<ULONG> dirty_threshold_pages{0};
  std::atomic<PFLUSH_TO_LSN> flush_to_lsn{nullptr};
  std::atomic<void*> log_handle{nullptr};
  // State::lock
  MapLink link{{}, this};                       // State::maps
  LIST_ENTRY private_maps{};
  uint32_t references = 0;                      // transient: lazy writer, flush, read-ahead
  CACHE_UNINITIALIZE_EVENT* events = nullptr;
  uint64_t lazy_pass = 0;   // the last pass of RunLazyWriter that came by
  uint64_t flush_pass = 0;  // the last FlushAll that came by
  LazyState lazy_state = LazyState::kIdle;
  uint64_t queued_pass = 0;     // while it is not idle: the pass that it belongs to
  MapLink work_link{{}, this};  // State::lazy_queue, while queued
  uint32_t skipped_passes = 0;  // who writes it (kWriting)
  Lock bcb_lock{LockRank::kCacheMap};
  std::atomic<uint32_t> mapped_ranges{0};       // MapBcbs
  std::map<uint64_t, Bcb*> bcbs NT_GUARDED_BY(bcb_lock);  // by first page; disjoint

  LONGLONG FileSize() const { return __atomic_load_n(&file_size.QuadPart, __ATOMIC_RELAXED); }
  bool TracksValidData() const { return valid_data_length.load(std::memory_order_relaxed) != MAXLONGLONG; }
  void AdvanceGoal(LONGLONG end) {
    LONGLONG goal = valid_data_goal.load(std::memory_order_relaxed);
    while (goal < end && !valid_data_goal.compare_exchange_weak(goal, end, std::memory_order_relaxed)) {
    }
  }
};
inline SharedCacheMap* MapOfEntry(LIST_ENTRY* entry) { return reinterpret_cast<MapLink*>(entry)->map; }

struct PrivateCacheMap {
  CSHORT node_type = kTypePrivateCacheMap;
  CSHORT node_bytes = 0;
  std::atomic<uint32_t> references{1};
  FILE_OBJECT* file = nullptr;
  SharedCacheMap* shared = nullptr;
  LIST_ENTRY entry{};                           // SharedCacheMap::private_maps
  std::atomic<uint32_t> granularity{PAGE_SIZE};
  std::atomic<uint64_t> expected{0};            // where a sequential reader reads next
  std::atomic<uint64_t> ahead{0};               // read-ahead was asked for up to here
  std::atomic<uint32_t> run{0};                 // sequential reads in a row
  std::atomic<uint32_t> window{0};
  std::atomic<bool> disabled{false};
  std::atomic<bool> active{false};              // one read-ahead at a time
};

/// What a Bcb pointer points to. Public part first.
struct BcbHead {
  PUBLIC_BCB nt;
};
struct Bcb : BcbHead {
  SharedCacheMap* map = nullptr;
  mm::Slot* slot = nullptr;                     // pinned while the Bcb exists
  uint64_t first_page = 0;
  uint32_t page_count = 0;
  uint64_t pages = 0;                           // within the slot
  // SharedCacheMap::bcb_lock
  uint32_t references = 0;                      // pins, repins, flushes under way
  uint32_t pins = 0;
  bool dirty = false;
  LONGLONG oldest_lsn = 0, newest_lsn = 0;
  ERESOURCE resource{};
};
struct MapBcb : BcbHead {
  SharedCacheMap* map = nullptr;
  mm::Slot* slot = nullptr;
  std::atomic<uint32_t> references{1};
};
struct OverlapBcb : BcbHead {
  std::atomic<uint32_t> references{1};
  uint32_t count = 0;
  Bcb* parts[64] = {};
};

struct DeferredWrite {
  LIST_ENTRY entry;
  FILE_OBJECT* file;
  PCC_POST_DEFERRED_WRITE post;
  void* context1;
  void* context2;
  ULONG bytes;
};

struct State {
  Options options;
  Lock lock{LockRank::kCacheGlobal};
  LIST_ENTRY maps;                              // of SharedCacheMap::link
  LIST_ENTRY deferred;                          // of DeferredWrite
  std::atomic<uint64_t> dirty_limit_pages{0};
  std::atomic<uint32_t> throttled{0};  // threads that wait in CcCanIWrite
  KEVENT wake{};                       // lazy writer: synchronization event
  KEVENT cleaned{};                    // a pass of the lazy writer has ended: notification event, pulsed by generation
  std::atomic<uint64_t> passes_begun{0}, passes_ended{0}, flushes{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> urgent{false};
  ke::Thread* thread = nullptr;  // makes the passes
  std::atomic<uint32_t> read_aheads{0};
  // Under `lock`: what passes have queued and workers write (lazy_work.cc)
  LIST_ENTRY lazy_queue;                        // of SharedCacheMap::work_link
  uint32_t workers = 0;                         // work items queued or running
  std::map<void*, uint32_t> workers_of_volume;  // by device; those that write
  std::map<uint64_t, uint32_t> work_of_pass;    // maps that are queued or written
};
extern State* g_state;

inline SharedCacheMap* MapOf(FILE_OBJECT* file) {
  return static_cast<SharedCacheMap*>(__atomic_load_n(&file->SectionObjectPointer->SharedCacheMap, __ATOMIC_ACQUIRE));
}
inline PrivateCacheMap* PrivateOf(FILE_OBJECT* file) {
  return static_cast<PrivateCacheMap*>(__atomic_load_n(&file->PrivateCacheMap, __ATOMIC_ACQUIRE));
}
/// A transient reference, or nullptr when the stream has no cache map.
SharedCacheMap* ReferenceMap(SECTION_OBJECT_POINTERS* pointers);
void ReferenceMap(SharedCacheMap* map);
/// May be what the map waited for: then it goes, and its file object is released.
/// @returns whether it went
bool DereferenceMap(SharedCacheMap* map);
void DereferencePrivate(PrivateCacheMap* private_map);

/// A kernel-mode write or flush of a range on behalf of the cache: waits for pinned ranges, calls the log's flush routine.
Status FlushRange(SharedCacheMap* map, uint64_t start, uint64_t end, bool lazy, uint64_t maximum_bytes, uint64_t* written);
/// Whether ranges are mapped or pinned: the map must stay. The lazy writer's next pass looks again.
bool HasBcbs(SharedCacheMap* map);
/// Frees Bcbs without references, before the map goes.
void DropIdleBcbs(SharedCacheMap* map);

/// Part of every read through a private cache map.
void NoteRead(PrivateCacheMap* private_map, SharedCacheMap* map, uint64_t offset, uint64_t length);
/// Waits until no read-ahead is under way.
void DrainReadAhead();

/// @returns pages written
uint64_t WriteMap(SharedCacheMap* map, uint64_t maximum_bytes, bool patient);
/// Queues a map for the workers, if it is idle.
void QueueLazyWorkLocked(SharedCacheMap* map, uint64_t pass) NT_REQUIRES(g_state->lock);
/// The map goes: out of the queue.
void ForgetLazyWorkLocked(SharedCacheMap* map) NT_REQUIRES(g_state->lock);
/// A map that is idle is the caller's to write, until EndWriting. @returns false: somebody writes it
bool BeginWritingLocked(SharedCacheMap* map, uint64_t pass) NT_REQUIRES(g_state->lock);
void EndWriting(SharedCacheMap* map);
void StartLazyWorkers();
bool IsLazyWorker();
/// Whether worker threads write, or are about to.
bool AreWorkersBusy();
/// Whether work of that pass, or of an earlier one, is left.
bool IsWorkLeft(uint64_t pass);
void WakeLazyWriter(bool urgent);
bool IsOverDirtyLimit(FILE_OBJECT* file, ULONG bytes);
void PostDeferredWrites(bool all);
Status StartLazyWriter();
void StopLazyWriter();

}  // namespace nt::cc
