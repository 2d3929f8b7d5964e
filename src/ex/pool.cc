// The pool: one range of addresses above MmUserProbeAddress, in chunks of 64 KiB.
//
// A small chunk holds blocks of one size class; blocks never cross a page (as Windows promises). From a page on, a block is a
// run of whole pages in one or more chunks. What the pool knows of a block (size, tag) is kept outside it, so that an overrun
// does not destroy the evidence and a bad free is always recognised.
//
// Paged and nonpaged pool are the same memory here; the type is kept for the reports. Locks: one per size class, one for
// chunks and large runs, taken in that order (rank kPool and kPool + 1).

#include <algorithm>
#include <atomic>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <memory>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/ex/ex.h"
#include "src/ex/pool.h"
#include "src/host/host.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/mm/layout.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NTIO_POOL_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define NTIO_POOL_ASAN 1
#endif
#ifdef NTIO_POOL_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

namespace nt::ex {
namespace {

constexpr SIZE_T kPage = PAGE_SIZE;
constexpr SIZE_T kChunk = 64 * 1024;
constexpr SIZE_T kChunkPages = kChunk / kPage;
constexpr SIZE_T kChunks = mm::kPoolBytes / kChunk;

constexpr std::array<uint16_t, 27> kClassBytes = {16,  32,  48,  64,  80,  96,  112, 128,  160,  192,  224,  256,  320, 384,
                                                  448, 512, 576, 672, 800, 1008, 1360, 2048, 4096, 0, 0, 0, 0};
constexpr unsigned kClasses = 23;

struct BlockInfo {
  uint32_t tag;
  uint32_t bytes;  // asked for, plus one; 0: the block is free
};

struct SmallChunk {
  unsigned size_class;
  unsigned blocks_per_page;
  std::unique_ptr<BlockInfo[]> blocks;
};

struct LargeRun {
  uint32_t tag;
  SIZE_T bytes;
  SIZE_T pages;
};

struct ChunkEntry {
  std::atomic<SmallChunk*> small{nullptr};
};

struct SizeClass {
  Lock lock{LockRank::kPool};
  struct FreeBlock {
    FreeBlock* next;
  };
  FreeBlock* free NT_GUARDED_BY(lock) = nullptr;
  uint64_t live_blocks NT_GUARDED_BY(lock) = 0;
  uint64_t live_bytes NT_GUARDED_BY(lock) = 0;
};

constexpr auto kRunRank = static_cast<LockRank>(static_cast<int>(LockRank::kPool) + 1);

struct State {
  uint8_t* base = nullptr;
  std::array<SizeClass, kClasses> classes;
  std::unique_ptr<ChunkEntry[]> chunks;
  std::vector<std::unique_ptr<SmallChunk>> small_chunks;
  Lock run_lock{kRunRank};
  SIZE_T next_page NT_GUARDED_BY(run_lock) = 0;  // pages below were handed out at least once
  std::map<SIZE_T, SIZE_T> free_runs NT_GUARDED_BY(run_lock);  // first page -> pages
  std::map<SIZE_T, LargeRun> large NT_GUARDED_BY(run_lock);    // first page -> run
  uint64_t large_bytes NT_GUARDED_BY(run_lock) = 0;
};

uint8_t* g_range = nullptr;  // reserved once per process, kept between machines
State* g_pool = nullptr;

void Poison([[maybe_unused]] const void* address, [[maybe_unused]] SIZE_T bytes) {
#ifdef NTIO_POOL_ASAN
  __asan_poison_memory_region(address, bytes);
#endif
}
void Unpoison([[maybe_unused]] const void* address, [[maybe_unused]] SIZE_T bytes) {
#ifdef NTIO_POOL_ASAN
  __asan_unpoison_memory_region(address, bytes);
#endif
}

#ifdef NTIO_POOL_ASAN
constexpr SIZE_T kRedzone = 16;  // so that the byte after a block is never part of the next one
#else
constexpr SIZE_T kRedzone = 0;
#endif

unsigned ClassFor(SIZE_T bytes) {
  if (bytes <= 128) return bytes == 0 ? 0 : static_cast<unsigned>((bytes - 1) / 16);
  for (unsigned index = 8; index < kClasses; index++)
    if (bytes <= kClassBytes[index]) return index;
  return kClasses;
}

/// Takes `pages` contiguous pages, committed. Chunk-aligned when asked. Returns the first page, or ~0.
SIZE_T TakePages(State& pool, SIZE_T pages, bool chunk_aligned) NT_REQUIRES(pool.run_lock) {
  const SIZE_T align = chunk_aligned ? kChunkPages : 1;
  for (auto run = pool.free_runs.begin(); run != pool.free_runs.end(); ++run) {
    const SIZE_T first = (run->first + align - 1) & ~(align - 1);
    const SIZE_T end = run->first + run->second;
    if (first + pages > end) continue;
    const SIZE_T start = run->first;
    pool.free_runs.erase(run);
    if (first > start) pool.free_runs[start] = first - start;
    if (first + pages < end) pool.free_runs[first + pages] = end - first - pages;
    return first;
  }
  const SIZE_T first = (pool.next_page + align - 1) & ~(align - 1);
  if (first + pages > kChunks * kChunkPages) return ~SIZE_T{0};
  if (first > pool.next_page) pool.free_runs[pool.next_page] = first - pool.next_page;
  // Grown in steps, so that small chunks do not each cost a system call.
  const SIZE_T grown = std::min(std::max(first + pages, pool.next_page + 256), kChunks * kChunkPages);
  if (host::CommitMemory(pool.base + pool.next_page * kPage, (grown - pool.next_page) * kPage, host::Access::kReadWrite))
    return ~SIZE_T{0};
  pool.next_page = grown;
  if (grown > first + pages) pool.free_runs[first + pages] = grown - first - pages;
  return first;
}

void GivePages(State& pool, SIZE_T first, SIZE_T pages) NT_REQUIRES(pool.run_lock) {
  auto& runs = pool.free_runs;
  auto next = runs.lower_bound(first);
  if (next != runs.end() && next->first == first + pages) {
    pages += next->second;
    next = runs.erase(next);
  }
  if (next != runs.begin()) {
    auto previous = std::prev(next);
    if (previous->first + previous->second == first) {
      previous->second += pages;
      return;
    }
  }
  runs[first] = pages;
}

bool Refill(State& pool, SizeClass& size_class, unsigned index) NT_REQUIRES(size_class.lock) {
  SIZE_T first;
  auto chunk = std::make_unique<SmallChunk>();
  chunk->size_class = index;
  chunk->blocks_per_page = static_cast<unsigned>(kPage / kClassBytes[index]);
  chunk->blocks = std::make_unique<BlockInfo[]>(chunk->blocks_per_page * kChunkPages);
  {
    LockGuard guard(pool.run_lock);
    first = TakePages(pool, kChunkPages, true);
    if (first == ~SIZE_T{0}) return false;
    pool.chunks[first / kChunkPages].small.store(chunk.get(), std::memory_order_release);
    pool.small_chunks.push_back(std::move(chunk));
  }
  uint8_t* base = pool.base + first * kPage;
  const SIZE_T bytes = kClassBytes[index];
  Unpoison(base, kChunkPages * kPage);  // of a large block that lay here before
  for (SIZE_T page = kChunkPages; page-- > 0;) {
    for (SIZE_T block = kPage / bytes; block-- > 0;) {
      auto* free = reinterpret_cast<SizeClass::FreeBlock*>(base + page * kPage + block * bytes);
      free->next = size_class.free;
      size_class.free = free;
      Poison(free, bytes);
    }
  }
  return true;
}

BlockInfo* InfoOf(SmallChunk& chunk, SIZE_T offset_in_chunk, bool* exact) {
  const SIZE_T bytes = kClassBytes[chunk.size_class];
  const SIZE_T page = offset_in_chunk / kPage, in_page = offset_in_chunk % kPage;
  *exact = in_page % bytes == 0 && in_page / bytes < chunk.blocks_per_page;
  return &chunk.blocks[page * chunk.blocks_per_page + std::min<SIZE_T>(in_page / bytes, chunk.blocks_per_page - 1)];
}

void* AllocateSmall(unsigned index, SIZE_T bytes, ULONG tag) {
  auto& size_class = g_pool->classes[index];
  LockGuard guard(size_class.lock);
  if (!size_class.free && !Refill(*g_pool, size_class, index)) return nullptr;
  auto* block = size_class.free;
  Unpoison(block, kClassBytes[index]);
  size_class.free = block->next;
  const SIZE_T offset = reinterpret_cast<uint8_t*>(block) - g_pool->base;
  bool exact;
  auto* info = InfoOf(*g_pool->chunks[offset / kChunk].small.load(std::memory_order_acquire), offset % kChunk, &exact);
  *info = {tag, static_cast<uint32_t>(bytes) + 1};
  size_class.live_blocks++;
  size_class.live_bytes += bytes;
  Poison(reinterpret_cast<uint8_t*>(block) + bytes, kClassBytes[index] - bytes);
  return block;
}

void* AllocateLarge(SIZE_T bytes, ULONG tag) {
  auto& pool = *g_pool;
  const SIZE_T pages = (bytes + kRedzone + kPage - 1) / kPage;
  LockGuard guard(pool.run_lock);
  const SIZE_T first = TakePages(pool, pages, false);
  if (first == ~SIZE_T{0}) return nullptr;
  pool.large[first] = {tag, bytes, pages};
  pool.large_bytes += bytes;
  uint8_t* block = pool.base + first * kPage;
  Unpoison(block, bytes);
  Poison(block + bytes, pages * kPage - bytes);
  return block;
}

[[noreturn]] void BadPoolCaller(const void* block, ULONG_PTR reason) {
  ke::BugCheckEx(BAD_POOL_CALLER, reason, 0, 0, reinterpret_cast<ULONG_PTR>(block));
}

}  // namespace

Status PoolBoot() {
  CHECK(!g_pool);
  if (!g_range) {
    g_range = static_cast<uint8_t*>(host::ReserveMemory(mm::kPoolBase, mm::kPoolBytes));
    if (!g_range) return STATUS_CONFLICTING_ADDRESSES;
#ifdef NTIO_POOL_ASAN
    __lsan_register_root_region(g_range, mm::kPoolBytes);  // objects that only pool refers to are not leaks
#endif
  }
  g_pool = new State;
  g_pool->base = g_range;
  g_pool->chunks = std::make_unique<ChunkEntry[]>(kChunks);
  return STATUS_SUCCESS;
}

void PoolShutdown() {
  SIZE_T used;
  {
    LockGuard guard(g_pool->run_lock);
    used = g_pool->next_page;
  }
  Unpoison(g_range, used * kPage);
  if (used) host::DecommitMemory(g_range, used * kPage);
  delete std::exchange(g_pool, nullptr);
}

void* AllocatePoolWithTag(POOL_TYPE type, SIZE_T bytes, ULONG tag) {
  void* block = nullptr;
  if (bytes < mm::kPoolBytes / 2) {
    const unsigned index = ClassFor(bytes + kRedzone);
    block = index < kClasses && bytes < kPage ? AllocateSmall(index, bytes, tag) : AllocateLarge(bytes, tag);
  }
  if (!block && (static_cast<ULONG>(type) & POOL_RAISE_IF_ALLOCATION_FAILURE))
    Raise(STATUS_INSUFFICIENT_RESOURCES);
  if (block && (static_cast<ULONG>(type) & POOL_ZERO_ALLOCATION)) std::memset(block, 0, bytes);
  return block;
}

void* AllocatePoolZero(POOL_TYPE type, SIZE_T bytes, ULONG tag) {
  void* block = AllocatePoolWithTag(type, bytes, tag);
  if (block) std::memset(block, 0, bytes);
  return block;
}

void FreePoolWithTag(void* block, [[maybe_unused]] ULONG tag) {
  if (!IsPoolAddress(block)) BadPoolCaller(block, 0x46);
  auto& pool = *g_pool;
  const SIZE_T offset = static_cast<uint8_t*>(block) - pool.base;
  if (SmallChunk* chunk = pool.chunks[offset / kChunk].small.load(std::memory_order_acquire)) {
    auto& size_class = pool.classes[chunk->size_class];
    bool exact, live;
    {
      LockGuard guard(size_class.lock);
      auto* info = InfoOf(*chunk, offset % kChunk, &exact);
      live = exact && info->bytes != 0;
      if (live) {
        size_class.live_blocks--;
        size_class.live_bytes -= info->bytes - 1;
        info->bytes = 0;
        Unpoison(block, kClassBytes[chunk->size_class]);
        auto* free = static_cast<SizeClass::FreeBlock*>(block);
        free->next = size_class.free;
        size_class.free = free;
        Poison(block, kClassBytes[chunk->size_class]);
      }
    }
    if (!live) BadPoolCaller(block, exact ? 7 : 0x46);
    return;
  }
  bool found = false;
  {
    LockGuard guard(pool.run_lock);
    auto run = pool.large.find(offset / kPage);
    if (run != pool.large.end() && offset % kPage == 0) {
      found = true;
      pool.large_bytes -= run->second.bytes;
      Poison(block, run->second.pages * kPage);
      GivePages(pool, run->first, run->second.pages);
      pool.large.erase(run);
    }
  }
  if (!found) BadPoolCaller(block, 7);
}

bool IsPoolAddress(const void* address) {
  const auto value = reinterpret_cast<uintptr_t>(address);
  return value >= mm::kPoolBase && value < mm::kPoolBase + mm::kPoolBytes;
}

SIZE_T PoolBlockBytes(const void* block) {
  if (!g_pool || !IsPoolAddress(block)) return 0;
  auto& pool = *g_pool;
  const SIZE_T offset = static_cast<const uint8_t*>(block) - pool.base;
  if (SmallChunk* chunk = pool.chunks[offset / kChunk].small.load(std::memory_order_acquire)) {
    LockGuard guard(pool.classes[chunk->size_class].lock);
    bool exact;
    const auto* info = InfoOf(*chunk, offset % kChunk, &exact);
    return exact && info->bytes ? info->bytes - 1 : 0;
  }
  LockGuard guard(pool.run_lock);
  auto run = pool.large.find(offset / kPage);
  return run != pool.large.end() && offset % kPage == 0 ? run->second.bytes : 0;
}

PoolUse CurrentPoolUse() {
  PoolUse use;
  for (auto& size_class : g_pool->classes) {
    LockGuard guard(size_class.lock);
    use.blocks += size_class.live_blocks;
    use.bytes += size_class.live_bytes;
  }
  LockGuard guard(g_pool->run_lock);
  use.blocks += g_pool->large.size();
  use.bytes += g_pool->large_bytes;
  return use;
}

std::vector<PoolTagUse> PoolUseByTag() {
  std::map<ULONG, PoolUse> tags;
  std::vector<SmallChunk*> chunks;
  {
    LockGuard guard(g_pool->run_lock);
    for (auto& chunk : g_pool->small_chunks) chunks.push_back(chunk.get());
    for (auto& [page, run] : g_pool->large) {
      tags[run.tag].blocks++;
      tags[run.tag].bytes += run.bytes;
    }
  }
  for (auto* chunk : chunks) {
    LockGuard guard(g_pool->classes[chunk->size_class].lock);
    for (SIZE_T i = 0; i < chunk->blocks_per_page * kChunkPages; i++) {
      const auto& info = chunk->blocks[i];
      if (!info.bytes) continue;
      tags[info.tag].blocks++;
      tags[info.tag].bytes += info.bytes - 1;
    }
  }
  std::vector<PoolTagUse> result;
  for (auto& [tag, use] : tags) result.push_back({tag, use});
  return result;
}

}  // namespace nt::ex
