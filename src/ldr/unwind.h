// Unwinding one frame of driver code by .pdata, as RtlVirtualUnwind does. Compiled without sanitizers: it reads stacks.
#pragma once

#include <cstdint>

#include "src/ldr/context.h"
#include "src/ldr/ldr.h"

namespace nt::ldr {

/// The language handler of a frame, if it has one of the type asked for.
struct FrameHandler {
  void* routine = nullptr;
  const void* data = nullptr;
  uint64_t establisher_frame = 0;
};

/// The row that covers `pc`, or nullptr for a leaf.
const RuntimeFunction* LookupIn(const Image& image, uint64_t pc);

/// Moves `context` (whose pc is `pc`, in `function` of the image at `base`) to the caller. Follows chained data, reads machine
/// frames, recognises epilogues. A handler is reported only when `pc` lies in the body.
/// @param types  kUnwindExceptionHandler, kUnwindTerminationHandler, or 0
FrameHandler VirtualUnwind(unsigned types, uint64_t base, uint64_t pc, const RuntimeFunction* function, Context* context);

/// The frame of a leaf function.
inline void UnwindLeaf(Context* context) {
  context->rip = *reinterpret_cast<const uint64_t*>(context->rsp());
  context->rsp() += 8;
}

}  // namespace nt::ldr
