// Exported variables of the kernel core. In a file of their own: rows for data and rows for routines differ in section flags.
#include "src/ldr/export.h"
#include "src/ke/ke.h"

NT_EXPORT_DATA(KeNumberProcessors)
