// CallDriver: the one way from the runtime into driver code.
//
// Not inlined and without clean-ups of its own: the compiler keeps no value in RSI, RDI or XMM6-15 across the call that a
// landing pad would use, since the unwinder of this side does not restore them (docs/internals/seh.md). A Windows exception
// that the driver does not handle runs the driver's __finally blocks and arrives here as nt::SehException.
#pragma once

#include "src/ldr/export.h"

#if defined(__clang__)
#define NTIO_OPAQUE_CALL [[gnu::noinline]]
#else
// g++ would otherwise carry what it knows of the callee's registers into the caller.
#define NTIO_OPAQUE_CALL [[gnu::noinline, gnu::noipa]]
#endif

namespace nt {

template <class R, class... P, class... A>
NTIO_OPAQUE_CALL R CallDriver(R(NTIO_MS_ABI* function)(P...), A... arguments) {
  return function(arguments...);
}

}  // namespace nt
