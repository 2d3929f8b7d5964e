// The table behind FsRtlLegalAnsiCharacterArray.
#pragma once

#include "src/fsrtl/fsrtl.h"

namespace nt::fsrtl {

/// 128 bytes of FSRTL_*_LEGAL and FSRTL_WILD_CHARACTER.
const UCHAR* LegalCharacters();

}  // namespace nt::fsrtl
