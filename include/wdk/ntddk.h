// What an NT driver includes: wdm.h; the kernel-only routines it adds live in the same component headers.
#ifndef NTIO_WDK_NTDDK_H
#define NTIO_WDK_NTDDK_H
#define _NTDDK_

#include "wdm.h"

#endif  // NTIO_WDK_NTDDK_H
