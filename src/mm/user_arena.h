// Private to mm: the arena's life.
#pragma once

#include <cstdint>

#include "src/base/status.h"

namespace nt::mm {

Status ArenaBoot();
void ArenaShutdown();
/// Inside a buffer or a committed region.
bool IsArenaAddress(uintptr_t address);

}  // namespace nt::mm
