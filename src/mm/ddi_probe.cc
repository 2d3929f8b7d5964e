// Exports: ProbeForRead and ProbeForWrite.
#include "ntifs.h"
#include "src/ldr/export.h"
#include "src/ldr/user_access.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(VOID, ProbeForRead, (const volatile VOID* address, SIZE_T bytes, ULONG alignment), (address, bytes, alignment)) {
  ldr::ProbeForRead(address, bytes, alignment);
}
NT_EXPORT(VOID, ProbeForWrite, (volatile VOID* address, SIZE_T bytes, ULONG alignment), (address, bytes, alignment)) {
  ldr::ProbeForWrite(address, bytes, alignment);
}
