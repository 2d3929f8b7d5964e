// The library's own use of the pool: buffers of strings that RtlFree*String releases.
#pragma once

#include <cstddef>

#include "src/ex/ex.h"

namespace nt::rtl {

inline constexpr ULONG kStringTag = 0x676e7453;  // 'Stng'

inline void* PoolAllocate(size_t bytes) { return ex::AllocatePool(PagedPool, bytes, kStringTag); }
inline void PoolFree(void* block) { ex::FreePool(block); }

}  // namespace nt::rtl
