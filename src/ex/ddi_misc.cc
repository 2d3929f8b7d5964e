// Exports: worker threads, time, unique identifiers, processor features.
#include <cstring>

#include "ntifs.h"
#include "src/ex/ex.h"
#include "src/host/host.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(VOID, ExQueueWorkItem, (PWORK_QUEUE_ITEM item, WORK_QUEUE_TYPE queue), (item, queue)) {
  ex::QueueWorkItem(item, queue);
}

NT_EXPORT(KPROCESSOR_MODE, ExGetPreviousMode, (VOID), ()) { return ke::CurrentThread()->previous_mode; }

NT_EXPORT(VOID, ExSystemTimeToLocalTime, (PLARGE_INTEGER system, PLARGE_INTEGER local), (system, local)) {
  ex::SystemTimeToLocalTime(system, local);
}
NT_EXPORT(VOID, ExLocalTimeToSystemTime, (PLARGE_INTEGER local, PLARGE_INTEGER system), (local, system)) {
  ex::LocalTimeToSystemTime(local, system);
}

NT_EXPORT(NTSTATUS, ExUuidCreate, (UUID * uuid), (uuid)) {
  host::RandomBytes(std::as_writable_bytes(std::span(uuid, 1)));
  uuid->Data3 = static_cast<USHORT>((uuid->Data3 & 0x0FFF) | 0x4000);  // version 4: random
  uuid->Data4[0] = static_cast<UCHAR>((uuid->Data4[0] & 0x3F) | 0x80);
  return STATUS_SUCCESS;
}
