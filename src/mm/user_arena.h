// Private to mm: the arena's life.
#pragma once

#include <cstdint>

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::mm {

Status ArenaBoot();
void ArenaShutdown();
/// ZwFreeVirtualMemory of all that a process has.
void FreeProcessMemory(PEPROCESS process);
/// Inside a buffer or a committed region.
bool IsArenaAddress(uintptr_t address);

}  // namespace nt::mm
