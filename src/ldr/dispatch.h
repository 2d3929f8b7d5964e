// Structured exception handling: search for a handler, then unwind to it, across driver and runtime frames.
// docs/internals/seh.md tells how the pieces meet.
#pragma once

#include <cstdint>

#include "src/ldr/context.h"
#include "src/ldr/export.h"

namespace nt::ldr {

/// Raises `record` at `context`, a driver's state. Both live on the stack above the caller's frame and may be changed by
/// filters. `first_scope`: scopes of the first frame that have been done with (collided unwinds).
[[noreturn]] void DispatchException(Context* context, EXCEPTION_RECORD* record, uint32_t first_scope = 0);

/// Unwinds from `context` to `target`, running termination handlers; through runtime frames as a C++ exception. Without a
/// target frame the exception is thrown in the first runtime frame.
[[noreturn]] void UnwindTo(const Context& context, const UnwindTarget& target, EXCEPTION_RECORD* record, uint32_t first_scope = 0);

/// __C_specific_handler for both phases. `*execute` is set when a filter accepted: the exception belongs to this frame.
Disposition CSpecificHandler(EXCEPTION_RECORD* record, uint64_t frame, Context* context, DispatcherContext* dispatcher,
                             bool* execute, UnwindTarget* target);

/// Bug-checks through the unhandled-exception hook.
[[noreturn]] void ReportUnhandled(const EXCEPTION_RECORD& record, const Context& context);

}  // namespace nt::ldr
