// What a file system or file-system filter includes: everything.
#ifndef NTIO_WDK_NTIFS_H
#define NTIO_WDK_NTIFS_H
#define _NTIFS_

#include "ntddk.h"
#include "nt/file.h"
#include "nt/fsrtl.h"
#include "nt/cc.h"
#include "nt/zw.h"

#endif  // NTIO_WDK_NTIFS_H
