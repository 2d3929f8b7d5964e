// Completion ports.
#include "src/io/io.h"
#include "src/ntdll/call.h"

#include "ntio/ntdll.h"

using namespace nt;         // NOLINT: a file of services only
using namespace nt::ntdll;  // NOLINT

NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, ULONG count) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtCreateIoCompletion(call.InOut(handle), access, call.Attributes(attributes), count);
  });
}

NTSTATUS NTAPI NtOpenIoCompletion(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtOpenIoCompletion(call.InOut(handle), access, call.Attributes(attributes));
  });
}

NTSTATUS NTAPI NtQueryIoCompletion(HANDLE port, IO_COMPLETION_INFORMATION_CLASS information_class, PVOID buffer,
                                   ULONG length, PULONG returned) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtQueryIoCompletion(port, information_class, call.InOutBuffer(buffer, length), length,
                                   call.InOut(returned));
  });
}

NTSTATUS NTAPI NtSetIoCompletion(HANDLE port, PVOID key, PVOID context, NTSTATUS status, ULONG_PTR information) {
  return Service([&](Call&) -> NTSTATUS { return io::NtSetIoCompletion(port, key, context, status, information); });
}

NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE port, PVOID* key, PVOID* context, PIO_STATUS_BLOCK iosb,
                                    PLARGE_INTEGER timeout) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtRemoveIoCompletion(port, call.InOut(key), call.InOut(context), call.InOut(iosb), call.In(timeout));
  });
}

NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE port, PFILE_IO_COMPLETION_INFORMATION information, ULONG count,
                                      PULONG removed, PLARGE_INTEGER timeout, BOOLEAN alertable) {
  return Service([&](Call& call) -> NTSTATUS {
    auto* packets = static_cast<FILE_IO_COMPLETION_INFORMATION*>(
        call.InOutBuffer(information, static_cast<SIZE_T>(count) * sizeof *information));
    return io::NtRemoveIoCompletionEx(port, packets, count, call.InOut(removed), call.In(timeout), alertable);
  });
}
