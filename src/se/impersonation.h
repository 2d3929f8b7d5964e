// The boot of impersonation.cc. Private to se.
#pragma once

namespace nt::se {

/// Threads drop their impersonation token when they end, up to the last, which is after se::Shutdown.
void ImpersonationBoot();

}  // namespace nt::se
