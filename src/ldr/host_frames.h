// Walking the runtime's own frames from a saved state, by the CFI that the compiler made, up to the next driver frame.
#pragma once

#include <cstdint>

#include "src/ldr/context.h"

namespace nt::ldr {

enum class HostWalkEnd {
  kDriver,   // a driver's frame: `driver` is its state
  kCaught,   // a frame of the runtime catches SehException (only when asked for)
  kStackEnd,  // no frame is left
};

/// Called for every runtime frame, innermost first; false stops the walk (as kStackEnd).
using HostFrameVisitor = bool (*)(void* argument, uint64_t pc, uint64_t sp);

enum class Pc { kReturnAddress, kInstruction };

/// @param from    a state in runtime code
/// @param pc      what its pc is: behind a call, or where a fault or a capture happened
/// @param driver  the caller's state in the driver, when that is where the walk ends. Vector registers are not recovered: what
///                runs on this state (filters, further unwinding) needs only the general ones.
/// @param stop_at_catch  whether a catch of SehException ends the walk. The wrappers of exports do not count: the exception
///                goes on to the driver that called them.
HostWalkEnd WalkHostFrames(const Context& from, Pc pc, bool stop_at_catch, HostFrameVisitor visitor, void* argument, Context* driver);

}  // namespace nt::ldr
