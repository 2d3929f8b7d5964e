// Compiler intrinsics. Drivers get the compiler's full set; the runtime, the kernel subset.
#ifndef NTIO_WDK_INTRIN_H
#define NTIO_WDK_INTRIN_H
#ifndef __ELF__
#include_next <intrin.h>
#endif
#include "nt/intrinsics.h"
#endif  // NTIO_WDK_INTRIN_H
