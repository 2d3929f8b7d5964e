// Events, waiting, handles.
#include "src/ex/event_object.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ldr/user_access.h"
#include "src/ntdll/call.h"
#include "src/ob/ob.h"

#include "ntio/ntdll.h"

using namespace nt;         // NOLINT: a file of services only
using namespace nt::ntdll;  // NOLINT

namespace {

/// A value of the program, fetched by the call itself.
template <class T>
T Fetch(Call& call, T* from) {
  return ldr::ReadUser(call.In(from));
}

}  // namespace

NTSTATUS NTAPI NtCreateEvent(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, EVENT_TYPE type,
                             BOOLEAN state) {
  return Service([&](Call& call) -> NTSTATUS {
    HANDLE* to = call.InOut(handle);
    ldr::ProbeForWrite(to, sizeof *to, 8);
    HANDLE made = nullptr;
    const Status status = ex::NtCreateEvent(&made, access, call.Attributes(attributes), type, state);
    if (!status.is_error()) ldr::WriteUser(to, made);
    return status;
  });
}

NTSTATUS NTAPI NtOpenEvent(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes) {
  return Service([&](Call& call) -> NTSTATUS {
    HANDLE* to = call.InOut(handle);
    ldr::ProbeForWrite(to, sizeof *to, 8);
    HANDLE opened = nullptr;
    const Status status = ex::NtOpenEvent(&opened, access, call.Attributes(attributes));
    if (status.ok()) ldr::WriteUser(to, opened);
    return status;
  });
}

namespace {

template <class F>
NTSTATUS ChangeEvent(PLONG previous, F&& change) {
  return Service([&](Call& call) -> NTSTATUS {
    LONG* to = call.InOut(previous);
    if (to) ldr::ProbeForWrite(to, sizeof *to, 4);
    LONG before = 0;
    const Status status = change(&before);
    if (status.ok() && to) ldr::WriteUser(to, before);
    return status;
  });
}

}  // namespace

NTSTATUS NTAPI NtSetEvent(HANDLE event, PLONG previous) {
  return ChangeEvent(previous, [&](LONG* before) { return ex::NtSetEvent(event, before); });
}
NTSTATUS NTAPI NtResetEvent(HANDLE event, PLONG previous) {
  return ChangeEvent(previous, [&](LONG* before) { return ex::NtResetEvent(event, before); });
}
NTSTATUS NTAPI NtClearEvent(HANDLE event) {
  return Service([&](Call&) -> NTSTATUS { return ex::NtResetEvent(event, nullptr); });
}

NTSTATUS NTAPI NtQueryEvent(HANDLE event, EVENT_INFORMATION_CLASS information_class, PVOID buffer, ULONG length,
                            PULONG returned) {
  return Service([&](Call& call) -> NTSTATUS {
    return ex::NtQueryEvent(event, information_class, call.InOutBuffer(buffer, length), length, call.InOut(returned));
  });
}

NTSTATUS NTAPI NtWaitForSingleObject(HANDLE handle, BOOLEAN alertable, PLARGE_INTEGER timeout) {
  return Service([&](Call& call) -> NTSTATUS {
    LARGE_INTEGER interval{};
    if (timeout) interval = Fetch(call, timeout);
    return ex::NtWaitForSingleObject(handle, alertable, timeout ? &interval : nullptr);
  });
}

NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG count, HANDLE* handles, WAIT_TYPE type, BOOLEAN alertable,
                                        PLARGE_INTEGER timeout) {
  return Service([&](Call& call) -> NTSTATUS {
    if (count == 0 || count > MAXIMUM_WAIT_OBJECTS) return STATUS_INVALID_PARAMETER_1;
    HANDLE copies[MAXIMUM_WAIT_OBJECTS];
    ldr::CopyFromUser(copies, call.InBuffer(handles, count * sizeof(HANDLE)), count * sizeof(HANDLE));
    LARGE_INTEGER interval{};
    if (timeout) interval = Fetch(call, timeout);
    return ex::NtWaitForMultipleObjects(count, copies, type, alertable, timeout ? &interval : nullptr);
  });
}

NTSTATUS NTAPI NtDelayExecution(BOOLEAN alertable, PLARGE_INTEGER delay) {
  return Service([&](Call& call) -> NTSTATUS {
    const LARGE_INTEGER interval = Fetch(call, delay);
    return ke::DelayExecutionThread(UserMode, alertable, &interval);
  });
}

NTSTATUS NTAPI NtTestAlert(VOID) {
  return Service([](Call&) -> NTSTATUS { return ke::TestAlertThread(UserMode) ? STATUS_ALERTED : STATUS_SUCCESS; });
}

NTSTATUS NTAPI NtClose(HANDLE handle) {
  return Service([&](Call&) -> NTSTATUS { return ob::Close(handle, UserMode); });
}

NTSTATUS NTAPI NtDuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process, PHANDLE target, ACCESS_MASK access,
                                 ULONG attributes, ULONG options) {
  return Service([&](Call& call) -> NTSTATUS {
    HANDLE* to = call.InOut(target);
    if (to) ldr::ProbeForWrite(to, sizeof *to, 8);
    HANDLE made = nullptr;
    const Status status = ob::DuplicateObject(source_process, source, target_process, access, attributes, options, &made);
    if (status.ok() && to) ldr::WriteUser(to, made);
    return status;
  });
}
