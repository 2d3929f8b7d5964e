// The machine: boots the components in order, shuts them down in reverse. One live machine a process.
#pragma once

#include "src/base/status.h"
#include "src/ke/thread.h"

namespace nt::machine {

struct BootOptions {
  ke::BootOptions ke;
  uint64_t cache_bytes =
      0;  // limit of the page cache; 0: the default of src/mm (half of the host's memory, at most 16 GiB)
};

/// STATUS_DEVICE_BUSY when a machine is live, STATUS_SYSTEM_SHUTDOWN when one has bug-checked in this process.
Status Boot(const BootOptions& options = {});
/// Files must be closed. Flushes, dismounts, unloads, frees. The machine that bug-checked is not shut down: it is leaked.
void Shutdown();
bool IsBooted();

}  // namespace nt::machine
