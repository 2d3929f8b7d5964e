#include "src/ldr/crt_image.h"

// NTIO_CRT_IMAGE: the file, given by the build.
__asm__(
    ".pushsection .rodata.ntio_crt,\"a\",@progbits\n"
    ".balign 16\n"
    "ntio_crt_begin:\n"
    ".incbin \"" NTIO_CRT_IMAGE
    "\"\n"
    "ntio_crt_end:\n"
    ".popsection\n"
    ".globl ntio_crt_begin\n"
    ".hidden ntio_crt_begin\n"
    ".globl ntio_crt_end\n"
    ".hidden ntio_crt_end\n");

extern "C" {
extern const std::byte ntio_crt_begin[];
extern const std::byte ntio_crt_end[];
}

namespace nt::ldr {

std::span<const std::byte> CrtImageBytes() { return {ntio_crt_begin, ntio_crt_end}; }
const char* CrtImagePath() { return NTIO_CRT_IMAGE; }

}  // namespace nt::ldr
