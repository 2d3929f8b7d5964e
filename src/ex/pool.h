// The pool's own life; private to ex.
#pragma once

#include "src/base/status.h"

namespace nt::ex {

Status PoolBoot();
void PoolShutdown();

}  // namespace nt::ex
