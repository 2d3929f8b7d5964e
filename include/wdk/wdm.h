// What a Windows Driver Model driver includes: the kernel's components without the file-system interfaces.
#ifndef NTIO_WDK_WDM_H
#define NTIO_WDK_WDM_H
#define _WDMDDK_

#include "ntdef.h"
#include "ntstatus.h"
#include "nt/guiddef.h"
#include "nt/intrinsics.h"
#include "nt/dbg.h"
#include "nt/ke.h"
#include "nt/ex.h"
#include "nt/mm.h"
#include "nt/se.h"
#include "nt/ob.h"
#include "nt/ps.h"
#include "nt/po.h"
#include "nt/cm.h"
#include "nt/rtl.h"
#include "nt/io.h"
#include "nt/zw.h"

#endif  // NTIO_WDK_WDM_H
