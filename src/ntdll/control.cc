// Device and file-system control, byte-range locks, flushes.
#include "src/io/io.h"
#include "src/ntdll/request.h"

#include "ntio/ntdll.h"

using namespace nt;         // NOLINT: a file of services only
using namespace nt::ntdll;  // NOLINT

namespace {

using ControlService = decltype(&io::NtDeviceIoControlFile);

NTSTATUS Control(ControlService service, HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context,
                 PIO_STATUS_BLOCK iosb, ULONG code, PVOID input, ULONG input_bytes, PVOID output, ULONG output_bytes) {
  return AsRequest(iosb, apc, context, [&](Call&, Request& request) -> NTSTATUS {
    void* in = request.In(input, input_bytes);
    // Direct and neither I/O may read what they are given as output.
    void* out = request.Out(output, output_bytes, (code & 3) != METHOD_BUFFERED);
    const auto to = request.Start();
    return service(file, event, to.apc, to.context, to.iosb, code, in, input_bytes, out, output_bytes);
  });
}

}  // namespace

NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context,
                                     PIO_STATUS_BLOCK iosb, ULONG code, PVOID input, ULONG input_bytes, PVOID output,
                                     ULONG output_bytes) {
  return Control(io::NtDeviceIoControlFile, file, event, apc, context, iosb, code, input, input_bytes, output,
                 output_bytes);
}

NTSTATUS NTAPI NtFsControlFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb,
                               ULONG code, PVOID input, ULONG input_bytes, PVOID output, ULONG output_bytes) {
  return Control(io::NtFsControlFile, file, event, apc, context, iosb, code, input, input_bytes, output, output_bytes);
}

NTSTATUS NTAPI NtLockFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb,
                          PLARGE_INTEGER offset, PLARGE_INTEGER length, ULONG key, BOOLEAN fail_immediately,
                          BOOLEAN exclusive) {
  return AsRequest(iosb, apc, context, [&](Call& call, Request& request) -> NTSTATUS {
    const auto to = request.Start();
    return io::NtLockFile(file, event, to.apc, to.context, to.iosb, call.In(offset), call.In(length), key,
                          fail_immediately, exclusive);
  });
}

NTSTATUS NTAPI NtUnlockFile(HANDLE file, PIO_STATUS_BLOCK iosb, PLARGE_INTEGER offset, PLARGE_INTEGER length,
                            ULONG key) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtUnlockFile(file, call.InOut(iosb), call.In(offset), call.In(length), key);
  });
}

NTSTATUS NTAPI NtFlushBuffersFile(HANDLE file, PIO_STATUS_BLOCK iosb) {
  return Service([&](Call& call) -> NTSTATUS { return io::NtFlushBuffersFile(file, call.InOut(iosb)); });
}

NTSTATUS NTAPI NtFlushBuffersFileEx(HANDLE file, ULONG flags, PVOID parameters, ULONG parameters_bytes,
                                    PIO_STATUS_BLOCK iosb) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtFlushBuffersFileEx(file, flags, call.InBuffer(parameters, parameters_bytes), parameters_bytes,
                                    call.InOut(iosb));
  });
}
