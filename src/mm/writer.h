// The mapped page writer: writes pages that stores through views made dirty, and closes files that nobody needs in memory.
#pragma once

#include "src/base/status.h"

namespace nt::mm {

Status StartWriter(uint32_t interval_ms);
void StopWriter();
/// A pass soon.
void WakeWriter();

}  // namespace nt::mm
