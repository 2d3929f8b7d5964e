// Requestor memory: buffers by size class, and ZwAllocateVirtualMemory's regions.
#include <algorithm>
#include <bit>
#include <map>
#include <vector>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/host/host.h"
#include "src/ke/ke.h"
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"
#include "src/mm/section.h"
#include "src/mm/user_arena.h"
#include "src/mm/view.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::mm {
namespace {

constexpr size_t kSmallest = 64, kLargestSmall = 2048;
constexpr int kSmallClasses = 12;
constexpr size_t kLargestPages = 16;  // 64 KiB: from there on buffers are ranges of their own
constexpr uint64_t kCommitBytes = 1 << 20;
constexpr uint64_t kGranularity = 64 * 1024;

struct Region {
  uint64_t bytes;
  ULONG protect;
  PEPROCESS process;
};
struct Arena {
  Lock lock{LockRank::kPhysicalMemory};
  // Buffers. Free ones are remembered here, not in the memory, which requestors may still scribble on.
  std::vector<void*> free[kSmallClasses] NT_GUARDED_BY(lock);        // by power of two
  std::vector<void*> free_pages[kLargestPages] NT_GUARDED_BY(lock);  // by number of pages
  std::map<uintptr_t, size_t> free_ranges NT_GUARDED_BY(lock);       // larger ones; neighbours are joined
  uintptr_t next NT_GUARDED_BY(lock) = kUserBufferBase;
  uintptr_t committed NT_GUARDED_BY(lock) = kUserBufferBase;
  // Regions of ZwAllocateVirtualMemory.
  std::map<uintptr_t, Region> regions NT_GUARDED_BY(lock);
};
Arena* g_arena = nullptr;

/// Powers of two; above kLargestSmall whole pages.
size_t RoundedBytes(size_t bytes) {
  if (bytes <= kSmallest) return kSmallest;
  if (bytes <= kLargestSmall) return std::bit_ceil(bytes);
  return (bytes + PAGE_SIZE - 1) & ~static_cast<size_t>(PAGE_SIZE - 1);
}
/// Where free buffers of a size are kept; nullptr: among the ranges.
std::vector<void*>* FreeListLocked(size_t rounded) NT_REQUIRES(g_arena->lock) {
  if (rounded <= kLargestSmall) return &g_arena->free[std::countr_zero(rounded)];
  if (rounded <= kLargestPages * PAGE_SIZE) return &g_arena->free_pages[rounded / PAGE_SIZE - 1];
  return nullptr;
}
/// What a range takes of address space: it begins at a multiple of 64 KiB.
size_t RangeBytes(size_t rounded) { return (rounded + kGranularity - 1) & ~(kGranularity - 1); }

uintptr_t TakeRangeLocked(size_t bytes) NT_REQUIRES(g_arena->lock) {
  auto best = g_arena->free_ranges.end();
  for (auto range = g_arena->free_ranges.begin(); range != g_arena->free_ranges.end(); ++range)
    if (range->second >= bytes && (best == g_arena->free_ranges.end() || range->second < best->second)) best = range;
  if (best == g_arena->free_ranges.end()) return 0;
  const auto [at, size] = *best;
  g_arena->free_ranges.erase(best);
  if (size > bytes) g_arena->free_ranges[at + bytes] = size - bytes;
  return at;
}

void GiveRangeLocked(uintptr_t at, size_t bytes) NT_REQUIRES(g_arena->lock) {
  auto next = g_arena->free_ranges.lower_bound(at);
  if (next != g_arena->free_ranges.end() && next->first == at + bytes) {
    bytes += next->second;
    next = g_arena->free_ranges.erase(next);
  }
  if (next != g_arena->free_ranges.begin() && std::prev(next)->first + std::prev(next)->second == at)
    std::prev(next)->second += bytes;
  else
    g_arena->free_ranges[at] = bytes;
}

host::Access AccessOf(ULONG protect) {
  switch (protect & 0xFF) {
    case PAGE_READONLY:
      return host::Access::kRead;
    case PAGE_READWRITE:
      return host::Access::kReadWrite;
    default:
      return host::Access::kNone;
  }
}
bool IsKnownProtection(ULONG protect) {
  const ULONG kind = protect & ~static_cast<ULONG>(PAGE_NOCACHE | PAGE_WRITECOMBINE);
  return kind == PAGE_READONLY || kind == PAGE_READWRITE || kind == PAGE_NOACCESS;
}

/// Which process a region belongs to. One address space: for everything else any process will do, but it must be one.
Status FindProcess(HANDLE handle, PEPROCESS* process) {
  void* object;
  NT_TRY(ob::ReferenceObjectByHandle(handle, PROCESS_VM_OPERATION, PsProcessType, ke::CurrentThread()->previous_mode,
                                     &object, nullptr));
  *process = static_cast<ps::Process*>(object)->eprocess();
  const bool ended = static_cast<ps::Process*>(object)->terminated;
  ob::DereferenceObject(object);
  return ended ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS;
}
Status CheckProcess(HANDLE handle) {
  PEPROCESS process;
  return FindProcess(handle, &process);
}

template <class T>
T In(const T* from) {
  return ke::CurrentThread()->previous_mode == KernelMode ? *from : ldr::ReadUser(from);
}
template <class T>
void Out(T* to, const T& value) {
  if (ke::CurrentThread()->previous_mode == KernelMode)
    *to = value;
  else
    ldr::WriteUser(to, value);
}

}  // namespace

Status ArenaBoot() {
  if (!host::ReserveMemory(kUserBufferBase, kUserBufferBytes + kUserVirtualBytes)) return STATUS_CONFLICTING_ADDRESSES;
  g_arena = new Arena;
  return STATUS_SUCCESS;
}
void ArenaShutdown() {
  if (!g_arena) return;
  ldr::SetSteadyUserRange(0, 0);
  delete g_arena;
  g_arena = nullptr;
  host::ReleaseMemory(reinterpret_cast<void*>(kUserBufferBase), kUserBufferBytes + kUserVirtualBytes);
}

void* UserArena::Allocate(size_t bytes) {
  if (bytes > kUserBufferBytes / 2) return nullptr;
  const size_t rounded = RoundedBytes(bytes);
  LockGuard guard(g_arena->lock);
  auto* free = FreeListLocked(rounded);
  if (free && !free->empty()) {
    void* buffer = free->back();
    free->pop_back();
    return buffer;
  }
  if (!free)
    if (const uintptr_t range = TakeRangeLocked(RangeBytes(rounded))) return reinterpret_cast<void*>(range);
  const uint64_t alignment = !free ? kGranularity : rounded > kLargestSmall ? PAGE_SIZE : 1;
  const size_t taken = free ? rounded : RangeBytes(rounded);
  const uintptr_t at = (g_arena->next + alignment - 1) & ~(alignment - 1);
  if (taken > kUserBufferBase + kUserBufferBytes - at) return nullptr;
  if (at + taken > g_arena->committed) {
    const uint64_t more = (at + taken - g_arena->committed + kCommitBytes - 1) & ~(kCommitBytes - 1);
    if (g_arena->committed + more > kUserBufferBase + kUserBufferBytes) return nullptr;
    if (host::CommitMemory(reinterpret_cast<void*>(g_arena->committed), more, host::Access::kReadWrite) != 0) return nullptr;
    g_arena->committed += more;
    ldr::SetSteadyUserRange(kUserBufferBase, g_arena->committed);
  }
  g_arena->next = at + taken;
  return reinterpret_cast<void*>(at);
}

void UserArena::Free(void* buffer, size_t bytes) {
  if (!buffer) return;
  const size_t rounded = RoundedBytes(bytes);
  LockGuard guard(g_arena->lock);
  if (auto* free = FreeListLocked(rounded))
    free->push_back(buffer);
  else
    GiveRangeLocked(reinterpret_cast<uintptr_t>(buffer), RangeBytes(rounded));
}

bool IsArenaAddress(uintptr_t address) {
  LockGuard guard(g_arena->lock);
  if (address - kUserBufferBase < kUserBufferBytes) return address < g_arena->next;
  auto next = g_arena->regions.upper_bound(address);
  if (next == g_arena->regions.begin()) return false;
  --next;
  return address - next->first < next->second.bytes && AccessOf(next->second.protect) != host::Access::kNone;
}

Status NtAllocateVirtualMemory(HANDLE process, void** base, ULONG_PTR, SIZE_T* bytes, ULONG type, ULONG protect) {
  PEPROCESS owner;
  NT_TRY(FindProcess(process, &owner));
  if (!(type & (MEM_COMMIT | MEM_RESERVE)) || (type & ~static_cast<ULONG>(MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN)))
    return STATUS_INVALID_PARAMETER_5;
  if (!IsKnownProtection(protect)) return STATUS_INVALID_PAGE_PROTECTION;
  const auto wanted = reinterpret_cast<uintptr_t>(In(base));
  SIZE_T size = In(bytes);
  if (!size || size > kUserVirtualBytes) return STATUS_INVALID_PARAMETER_4;
  const uintptr_t start_page = wanted & ~static_cast<uintptr_t>(PAGE_SIZE - 1);
  uintptr_t at = 0;
  Status status = STATUS_SUCCESS;
  {
    LockGuard guard(g_arena->lock);
    auto& regions = g_arena->regions;
    if (wanted && !(type & MEM_RESERVE)) {
      // Commit inside a region: its pages are there from the first touch on.
      auto next = regions.upper_bound(wanted);
      size = (wanted + size + PAGE_SIZE - 1 - start_page) & ~static_cast<uint64_t>(PAGE_SIZE - 1);
      if (next == regions.begin() || start_page + size > std::prev(next)->first + std::prev(next)->second.bytes)
        return STATUS_CONFLICTING_ADDRESSES;
      if (host::CommitMemory(reinterpret_cast<void*>(start_page), size, AccessOf(protect)) != 0) return STATUS_NO_MEMORY;
      std::prev(next)->second.protect = protect;
      at = start_page;
    } else {
      at = wanted & ~static_cast<uintptr_t>(kGranularity - 1);
      size = wanted ? (wanted + size + PAGE_SIZE - 1 - at) & ~static_cast<uint64_t>(PAGE_SIZE - 1)
                    : (size + PAGE_SIZE - 1) & ~static_cast<SIZE_T>(PAGE_SIZE - 1);
      if (wanted) {
        if (at < kUserVirtualBase || at + size > kUserVirtualBase + kUserVirtualBytes) return STATUS_CONFLICTING_ADDRESSES;
        auto next = regions.lower_bound(at);
        if (next != regions.end() && next->first < at + size) return STATUS_CONFLICTING_ADDRESSES;
        if (next != regions.begin() && std::prev(next)->first + std::prev(next)->second.bytes > at)
          return STATUS_CONFLICTING_ADDRESSES;
      } else {
        at = kUserVirtualBase;
        for (const auto& [from, region] : regions) {
          if (from - at >= size) break;
          at = (from + region.bytes + kGranularity - 1) & ~static_cast<uintptr_t>(kGranularity - 1);
        }
        if (at + size > kUserVirtualBase + kUserVirtualBytes) return STATUS_NO_MEMORY;
      }
      const ULONG effective = type & MEM_COMMIT ? protect : static_cast<ULONG>(PAGE_NOACCESS);
      if (host::CommitMemory(reinterpret_cast<void*>(at), size, AccessOf(effective)) != 0) return STATUS_NO_MEMORY;
      regions[at] = {size, effective, owner};
    }
  }
  Out(base, reinterpret_cast<void*>(at));
  Out(bytes, size);
  return status;
}

void FreeProcessMemory(PEPROCESS process) {
  LockGuard guard(g_arena->lock);
  for (auto region = g_arena->regions.begin(); region != g_arena->regions.end();) {
    if (region->second.process != process) {
      ++region;
      continue;
    }
    host::DecommitMemory(reinterpret_cast<void*>(region->first), region->second.bytes);
    region = g_arena->regions.erase(region);
  }
}

Status NtFreeVirtualMemory(HANDLE process, void** base, SIZE_T* bytes, ULONG type) {
  NT_TRY(CheckProcess(process));
  if (type != MEM_RELEASE && type != MEM_DECOMMIT) return STATUS_INVALID_PARAMETER_4;
  const auto wanted = reinterpret_cast<uintptr_t>(In(base));
  SIZE_T size = In(bytes);
  uintptr_t at = wanted & ~static_cast<uintptr_t>(PAGE_SIZE - 1);
  {
    LockGuard guard(g_arena->lock);
    auto next = g_arena->regions.upper_bound(at);
    if (next == g_arena->regions.begin()) return STATUS_MEMORY_NOT_ALLOCATED;
    auto region = std::prev(next);
    if (at >= region->first + region->second.bytes) return STATUS_MEMORY_NOT_ALLOCATED;
    if (!size) {
      if (at != region->first) return STATUS_FREE_VM_NOT_AT_BASE;
      size = region->second.bytes;
    }
    size = (wanted + size + PAGE_SIZE - 1 - at) & ~static_cast<uint64_t>(PAGE_SIZE - 1);
    if (at + size > region->first + region->second.bytes) return STATUS_UNABLE_TO_FREE_VM;
    host::DecommitMemory(reinterpret_cast<void*>(at), size);
    if (type == MEM_RELEASE) {
      const uintptr_t first = region->first, end = first + region->second.bytes;
      const ULONG protect = region->second.protect;
      const PEPROCESS owner = region->second.process;
      g_arena->regions.erase(region);
      if (at > first) g_arena->regions[first] = {at - first, protect, owner};
      if (at + size < end) g_arena->regions[at + size] = {end - at - size, protect, owner};
    }
  }
  Out(base, reinterpret_cast<void*>(at));
  Out(bytes, size);
  return STATUS_SUCCESS;
}

Status NtProtectVirtualMemory(HANDLE process, void** base, SIZE_T* bytes, ULONG protect, ULONG* old_protect) {
  NT_TRY(CheckProcess(process));
  if (!IsKnownProtection(protect)) return STATUS_INVALID_PAGE_PROTECTION;
  const auto wanted = reinterpret_cast<uintptr_t>(In(base));
  SIZE_T size = In(bytes);
  const uintptr_t at = wanted & ~static_cast<uintptr_t>(PAGE_SIZE - 1);
  size = (wanted + size + PAGE_SIZE - 1 - at) & ~static_cast<uint64_t>(PAGE_SIZE - 1);
  ULONG old;
  {
    LockGuard guard(g_arena->lock);
    auto next = g_arena->regions.upper_bound(at);
    if (next == g_arena->regions.begin()) return STATUS_CONFLICTING_ADDRESSES;
    auto region = std::prev(next);
    if (at + size > region->first + region->second.bytes) return STATUS_CONFLICTING_ADDRESSES;
    old = region->second.protect;
    if (host::ProtectMemory(reinterpret_cast<void*>(at), size, AccessOf(protect)) != 0) return STATUS_NO_MEMORY;
    if (at == region->first && size == region->second.bytes) region->second.protect = protect;
  }
  Out(base, reinterpret_cast<void*>(at));
  Out(bytes, size);
  Out(old_protect, old);
  return STATUS_SUCCESS;
}

Status NtQueryVirtualMemory(HANDLE process, void* base, MEMORY_INFORMATION_CLASS information_class, void* buffer, SIZE_T length,
                            SIZE_T* returned) {
  NT_TRY(CheckProcess(process));
  if (information_class != MemoryBasicInformation) return STATUS_INVALID_INFO_CLASS;
  if (length < sizeof(MEMORY_BASIC_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
  const auto at = reinterpret_cast<uintptr_t>(base) & ~static_cast<uintptr_t>(PAGE_SIZE - 1);
  if (at >= kUserProbeAddress) return STATUS_INVALID_PARAMETER;
  MEMORY_BASIC_INFORMATION information = {};
  information.BaseAddress = reinterpret_cast<void*>(at);
  information.State = MEM_FREE;
  information.Protect = PAGE_NOACCESS;
  information.RegionSize = PAGE_SIZE;
  uint64_t offset, left, view_bytes;
  uintptr_t view_base;
  bool writable;
  if (Segment* segment = IsViewAddress(base) ? SegmentOfView(at, &offset, &left, &view_base, &writable, &view_bytes) : nullptr) {
    ReleaseSegment(segment);
    information.AllocationBase = reinterpret_cast<void*>(view_base);
    information.AllocationProtect = information.Protect = writable ? PAGE_READWRITE : PAGE_READONLY;
    information.RegionSize = left;
    information.State = MEM_COMMIT;
    information.Type = MEM_MAPPED;
  } else {
    LockGuard guard(g_arena->lock);
    auto next = g_arena->regions.upper_bound(at);
    if (next != g_arena->regions.begin() && at < std::prev(next)->first + std::prev(next)->second.bytes) {
      const auto region = std::prev(next);
      information.AllocationBase = reinterpret_cast<void*>(region->first);
      information.AllocationProtect = information.Protect = region->second.protect;
      information.RegionSize = region->first + region->second.bytes - at;
      information.State = region->second.protect == PAGE_NOACCESS ? MEM_RESERVE : MEM_COMMIT;
      information.Type = MEM_PRIVATE;
    } else if (at >= kUserBufferBase && at < g_arena->next) {
      information.AllocationBase = reinterpret_cast<void*>(kUserBufferBase);
      information.AllocationProtect = information.Protect = PAGE_READWRITE;
      information.RegionSize = g_arena->next - at;
      information.State = MEM_COMMIT;
      information.Type = MEM_PRIVATE;
    }
  }
  Out(static_cast<MEMORY_BASIC_INFORMATION*>(buffer), information);
  if (returned) Out(returned, static_cast<SIZE_T>(sizeof information));
  return STATUS_SUCCESS;
}

Status NtFlushVirtualMemory(HANDLE process, void** base, SIZE_T* bytes, IO_STATUS_BLOCK* iosb) {
  NT_TRY(CheckProcess(process));
  const auto at = reinterpret_cast<uintptr_t>(In(base));
  const SIZE_T size = In(bytes);
  uintptr_t start = 0;
  uint64_t flushed = 0;
  IO_STATUS_BLOCK result = {};
  const Status status = FlushView(at, size, &start, &flushed, &result);
  if (status == STATUS_NOT_MAPPED_VIEW) return status;
  Out(base, reinterpret_cast<void*>(start));
  Out(bytes, static_cast<SIZE_T>(flushed));
  Out(iosb, result);
  return status;
}

}  // namespace nt::mm
