// The CRT image: a PE library of C run-time routines (memcpy, wcslen, ...) that is part of the runtime's binary. As driver-side
// code it has unwind data, and a fault in it belongs to its caller.
#pragma once

#include <cstddef>
#include <span>

namespace nt::ldr {

std::span<const std::byte> CrtImageBytes();
/// Where the build left the file, for debuggers; may no longer be there.
const char* CrtImagePath();

}  // namespace nt::ldr
