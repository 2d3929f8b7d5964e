#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/state.h"

namespace nt::fsrtl {

Status Boot() {
  SetTunnelLimits({});
  BootAcquire();
  BootContexts();
  BootSharedResources();
  BootStackOverflow();
  return STATUS_SUCCESS;
}

void Shutdown() {
  ShutdownStackOverflow();
  ShutdownSharedResources();
  ShutdownContexts();
  ShutdownAcquire();
}

}  // namespace nt::fsrtl
