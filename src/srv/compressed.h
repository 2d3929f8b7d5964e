// The fast completion of compressed MDL transfers, for mdl.cc.
#pragma once

#include "src/srv/srv.h"

namespace nt::srv {

bool CompleteCompressedFast(MdlTransfer* transfer);

}  // namespace nt::srv
