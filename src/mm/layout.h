// Where things lie in the one address space: the ranges that make "user" and "system" addresses tell themselves apart.
//
// Requestor memory lies below MmUserProbeAddress, everything a driver owns or gets from the runtime above it. The ranges take
// fixed mappings in a plain process and under clang's AddressSanitizer and ThreadSanitizer. The runtime's own library and the
// stacks of Linux threads lie at 0x7f..., above the probe address too.
//
// System ranges stay between 0x7a0000000000, where ThreadSanitizer's last range of program memory begins, and 0x7ab000000000:
// AddressSanitizer's heap takes the 4 TiB below the libraries, down to 0x7aff..., and what is mapped later goes below that.
#pragma once

#include <cstdint>

namespace nt::mm {

inline constexpr uint64_t kGiB = 1ull << 30;

/// The requestor arena: buffers of FUSE, the command line and the C++ API; user views of files.
inline constexpr uint64_t kUserArenaBase = 0x580000000000;
inline constexpr uint64_t kUserArenaBytes = 512 * kGiB;
/// Its parts: buffers, ZwAllocateVirtualMemory, views of sections.
inline constexpr uint64_t kUserBufferBase = kUserArenaBase;
inline constexpr uint64_t kUserBufferBytes = 192 * kGiB;
inline constexpr uint64_t kUserVirtualBase = kUserBufferBase + kUserBufferBytes;
inline constexpr uint64_t kUserVirtualBytes = 64 * kGiB;
inline constexpr uint64_t kUserViewBase = kUserVirtualBase + kUserVirtualBytes;
inline constexpr uint64_t kUserViewBytes = 256 * kGiB;
/// MmHighestUserAddress, MmUserProbeAddress, MmSystemRangeStart: 64 KiB of no-man's land end the user range, as on Windows.
inline constexpr uint64_t kHighestUserAddress = 0x58FFFFFEFFFF;
inline constexpr uint64_t kUserProbeAddress = 0x58FFFFFF0000;
inline constexpr uint64_t kSystemRangeStart = 0x590000000000;

/// Driver images.
inline constexpr uint64_t kImageBase = 0x7a1000000000;
inline constexpr uint64_t kImageBytes = 64 * kGiB;
/// Pool, paged and nonpaged.
inline constexpr uint64_t kPoolBase = 0x7a2000000000;
inline constexpr uint64_t kPoolBytes = 64 * kGiB;
/// The page cache: "physical memory", one memfd mapped once.
inline constexpr uint64_t kPhysicalBase = 0x7a3000000000;
inline constexpr uint64_t kPhysicalBytes = 256 * kGiB;
/// System-space views of sections (MmMapViewInSystemSpace).
inline constexpr uint64_t kSystemViewBase = 0x7a7000000000;
inline constexpr uint64_t kSystemViewBytes = 256 * kGiB;

inline bool IsUserAddress(const void* address) {
  return reinterpret_cast<uintptr_t>(address) < kUserProbeAddress;
}

}  // namespace nt::mm
