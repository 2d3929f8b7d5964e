// What is known of a file and its volume, and extended attributes: requests that wait for their end.
#include "src/io/io.h"
#include "src/ntdll/call.h"

#include "ntio/ntdll.h"

using namespace nt;         // NOLINT: a file of services only
using namespace nt::ntdll;  // NOLINT

NTSTATUS NTAPI NtQueryInformationFile(HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length,
                                      FILE_INFORMATION_CLASS information_class) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtQueryInformationFile(file, call.InOut(iosb), call.InOutBuffer(buffer, length), length,
                                      information_class);
  });
}

NTSTATUS NTAPI NtSetInformationFile(HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length,
                                    FILE_INFORMATION_CLASS information_class) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtSetInformationFile(file, call.InOut(iosb), call.InBuffer(buffer, length), length, information_class);
  });
}

NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length,
                                            FS_INFORMATION_CLASS information_class) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtQueryVolumeInformationFile(file, call.InOut(iosb), call.InOutBuffer(buffer, length), length,
                                            information_class);
  });
}

NTSTATUS NTAPI NtSetVolumeInformationFile(HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length,
                                          FS_INFORMATION_CLASS information_class) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtSetVolumeInformationFile(file, call.InOut(iosb), call.InBuffer(buffer, length), length,
                                          information_class);
  });
}

NTSTATUS NTAPI NtQueryEaFile(HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length, BOOLEAN single, PVOID list,
                             ULONG list_bytes, PULONG index, BOOLEAN restart) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtQueryEaFile(file, call.InOut(iosb), call.InOutBuffer(buffer, length), length, single,
                             call.InBuffer(list, list_bytes), list_bytes, call.In(index), restart);
  });
}

NTSTATUS NTAPI NtSetEaFile(HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length) {
  return Service([&](Call& call) -> NTSTATUS {
    return io::NtSetEaFile(file, call.InOut(iosb), call.InOutBuffer(buffer, length), length);
  });
}
