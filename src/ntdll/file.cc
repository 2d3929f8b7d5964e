// Opening, reading and writing files, directories, cancellation.
#include "src/io/io.h"
#include "src/ntdll/request.h"

#include "ntio/ntdll.h"

using namespace nt;         // NOLINT: a file of services only
using namespace nt::ntdll;  // NOLINT

NTSTATUS NTAPI NtCreateFile(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK iosb,
                            PLARGE_INTEGER allocation, ULONG file_attributes, ULONG share, ULONG disposition,
                            ULONG options, PVOID ea, ULONG ea_bytes) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtCreateFile(call.InOut(handle), access, call.Attributes(attributes), call.InOut(iosb),
                            call.In(allocation), file_attributes, share, disposition, options,
                            call.InBuffer(ea, ea_bytes), ea_bytes);
  });
}

NTSTATUS NTAPI NtOpenFile(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK iosb,
                          ULONG share, ULONG options) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtOpenFile(call.InOut(handle), access, call.Attributes(attributes), call.InOut(iosb), share, options);
  });
}

NTSTATUS NTAPI NtDeleteFile(POBJECT_ATTRIBUTES attributes) {
  return Service([&](Call& call) -> NTSTATUS { return io::NtDeleteFile(call.Attributes(attributes)); });
}

NTSTATUS NTAPI NtQueryAttributesFile(POBJECT_ATTRIBUTES attributes, PFILE_BASIC_INFORMATION information) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtQueryAttributesFile(call.Attributes(attributes), call.InOut(information));
  });
}

NTSTATUS NTAPI NtQueryFullAttributesFile(POBJECT_ATTRIBUTES attributes, PFILE_NETWORK_OPEN_INFORMATION information) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtQueryFullAttributesFile(call.Attributes(attributes), call.InOut(information));
  });
}

NTSTATUS NTAPI NtReadFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb,
                          PVOID buffer, ULONG length, PLARGE_INTEGER offset, PULONG key) {
  return AsRequest(iosb, apc, context, [&](Call& call, Request& request) -> NTSTATUS {
    void* data = request.Out(buffer, length);
    const auto to = request.Start();
    return io::NtReadFile(file, event, to.apc, to.context, to.iosb, data, length, call.In(offset), call.In(key));
  });
}

NTSTATUS NTAPI NtWriteFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb,
                           PVOID buffer, ULONG length, PLARGE_INTEGER offset, PULONG key) {
  return AsRequest(iosb, apc, context, [&](Call& call, Request& request) -> NTSTATUS {
    void* data = request.In(buffer, length);
    const auto to = request.Start();
    return io::NtWriteFile(file, event, to.apc, to.context, to.iosb, data, length, call.In(offset), call.In(key));
  });
}

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context,
                                    PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length,
                                    FILE_INFORMATION_CLASS information_class, BOOLEAN single, PUNICODE_STRING pattern,
                                    BOOLEAN restart) {
  return AsRequest(iosb, apc, context, [&](Call& call, Request& request) -> NTSTATUS {
    void* data = request.Out(buffer, length);
    const auto to = request.Start();
    return io::NtQueryDirectoryFile(file, event, to.apc, to.context, to.iosb, data, length, information_class, single,
                                    call.String(pattern), restart);
  });
}

NTSTATUS NTAPI NtQueryDirectoryFileEx(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context,
                                      PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length,
                                      FILE_INFORMATION_CLASS information_class, ULONG flags, PUNICODE_STRING pattern) {
  return AsRequest(iosb, apc, context, [&](Call& call, Request& request) -> NTSTATUS {
    void* data = request.Out(buffer, length);
    const auto to = request.Start();
    return io::NtQueryDirectoryFileEx(file, event, to.apc, to.context, to.iosb, data, length, information_class, flags,
                                      call.String(pattern));
  });
}

NTSTATUS NTAPI NtNotifyChangeDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context,
                                           PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length, ULONG filter,
                                           BOOLEAN tree) {
  return AsRequest(iosb, apc, context, [&](Call&, Request& request) -> NTSTATUS {
    void* data = request.Out(buffer, length);
    const auto to = request.Start();
    return io::NtNotifyChangeDirectoryFile(file, event, to.apc, to.context, to.iosb, data, length, filter, tree);
  });
}

NTSTATUS NTAPI NtCancelIoFile(HANDLE file, PIO_STATUS_BLOCK iosb) {
  return Service([&](Call& call) -> NTSTATUS { return io::NtCancelIoFile(file, call.InOut(iosb)); });
}

NTSTATUS NTAPI NtCancelIoFileEx(HANDLE file, PIO_STATUS_BLOCK of, PIO_STATUS_BLOCK iosb) {
  return Service(
      [&](Call& call) -> NTSTATUS { return io::NtCancelIoFileEx(file, Request::Translate(of), call.InOut(iosb)); });
}

NTSTATUS NTAPI NtCancelSynchronousIoFile(HANDLE thread, PIO_STATUS_BLOCK of, PIO_STATUS_BLOCK iosb) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtCancelSynchronousIoFile(thread, Request::Translate(of), call.InOut(iosb));
  });
}
