// Exported variables of processes and threads. In a file of their own: rows for data and rows for routines differ in section flags.
#include "src/ldr/export.h"
#include "src/ps/ps.h"

NT_EXPORT_DATA(PsProcessType)
NT_EXPORT_DATA(PsThreadType)
NT_EXPORT_DATA(PsInitialSystemProcess)
