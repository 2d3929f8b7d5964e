// Shared by the files of src/host that map memory.
#pragma once

#include "src/host/host.h"

namespace host::internal {

/// PROT_* of an Access.
int Protection(Access access);

}  // namespace host::internal
