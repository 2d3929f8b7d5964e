// Event objects and waiting on handles: the services.
#pragma once

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::ex {

/// Creates the types of ex's objects; needs ob.
Status CreateObjectTypes();

Status NtCreateEvent(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, EVENT_TYPE type, bool state);
Status NtOpenEvent(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes);
/// @param previous  the state before; may be null
Status NtSetEvent(HANDLE handle, LONG* previous);
Status NtResetEvent(HANDLE handle, LONG* previous);
Status NtQueryEvent(HANDLE handle, EVENT_INFORMATION_CLASS information_class, void* buffer, ULONG length, ULONG* returned);
Status NtWaitForSingleObject(HANDLE handle, bool alertable, LARGE_INTEGER* timeout);
/// @param handles  at most MAXIMUM_WAIT_OBJECTS, captured by the caller
Status NtWaitForMultipleObjects(ULONG count, const HANDLE* handles, WAIT_TYPE type, bool alertable, LARGE_INTEGER* timeout);

}  // namespace nt::ex
