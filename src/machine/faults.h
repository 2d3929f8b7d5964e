// What happens in this machine when driver or runtime code faults: connects the loader's hooks to the kernel's bug checks.
#pragma once

namespace nt::machine {

/// Once a process; the hooks serve every machine that it boots.
void InstallFaultHooks();

}  // namespace nt::machine
