// ExAllocatePool2 and ExAllocatePool3: flags instead of a type; zeroed unless asked otherwise.
#include <bit>
#include <cstring>

#include "src/base/status.h"
#include "src/ex/ex.h"
#include "src/ldr/export.h"

namespace nt::ex {
namespace {

constexpr POOL_FLAGS kTypes = POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED;
constexpr POOL_FLAGS kRequired = kTypes | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_SESSION |
                                 POOL_FLAG_CACHE_ALIGNED | POOL_FLAG_RAISE_ON_FAILURE;
constexpr POOL_FLAGS kRequiredRange = (POOL_FLAG_REQUIRED_END << 1) - 1;
constexpr SIZE_T kCacheLine = 64;

/// One type, and no required flag that nobody knows. Optional flags may be ignored.
bool AreValid(POOL_FLAGS flags) {
  return std::has_single_bit(flags & kTypes) && !(flags & kRequiredRange & ~kRequired);
}

/// Priorities and preferred nodes are hints. There is no secure pool, so who needs it gets nothing.
bool AreValid(const POOL_EXTENDED_PARAMETER* parameters, ULONG count) {
  if (count && !parameters) return false;
  for (ULONG i = 0; i < count; i++) {
    const bool known =
        parameters[i].Type == PoolExtendedParameterPriority || parameters[i].Type == PoolExtendedParameterNumaNode;
    if (!known && !parameters[i].Optional) return false;
  }
  return true;
}

void* AllocateAligned(POOL_TYPE type, SIZE_T bytes, ULONG tag) {
  const auto is_aligned = [](void* block) { return reinterpret_cast<uintptr_t>(block) % kCacheLine == 0; };
  void* block = AllocatePoolWithTag(type, (bytes + kCacheLine - 1) & ~(kCacheLine - 1), tag);
  if (!block || is_aligned(block)) return block;
  FreePool(block);
  return AllocatePoolWithTag(type, PAGE_SIZE, tag);
}

}  // namespace

void* AllocatePool3(POOL_FLAGS flags, SIZE_T bytes, ULONG tag, const POOL_EXTENDED_PARAMETER* parameters, ULONG count) {
  void* block = nullptr;
  if (bytes && tag && AreValid(flags) && AreValid(parameters, count)) {
    const POOL_TYPE type = flags & POOL_FLAG_PAGED               ? PagedPool
                           : flags & POOL_FLAG_NON_PAGED_EXECUTE ? NonPagedPool
                                                                 : NonPagedPoolNx;
    block = flags & POOL_FLAG_CACHE_ALIGNED ? AllocateAligned(type, bytes, tag) : AllocatePoolWithTag(type, bytes, tag);
  }
  if (!block && (flags & POOL_FLAG_RAISE_ON_FAILURE)) Raise(STATUS_INSUFFICIENT_RESOURCES);
  if (block && !(flags & POOL_FLAG_UNINITIALIZED)) std::memset(block, 0, bytes);
  return block;
}

}  // namespace nt::ex
