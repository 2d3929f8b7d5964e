// Boot and shutdown of the executive.
#include "src/ex/ex.h"
#include "src/ex/pool.h"

namespace nt::ex {

Status Boot() { return PoolBoot(); }
void Shutdown() { PoolShutdown(); }

}  // namespace nt::ex
