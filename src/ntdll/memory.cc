// Requestor memory of the program's own.
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"
#include "src/ntdll/call.h"

#include "ntio/ntdll.h"

using namespace nt;         // NOLINT: a file of services only
using namespace nt::ntdll;  // NOLINT

NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, PVOID* base, ULONG_PTR zero_bits, PSIZE_T bytes, ULONG type,
                                       ULONG protect) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtAllocateVirtualMemory(process, call.InOut(base), zero_bits, call.InOut(bytes), type, protect);
  });
}

NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE process, PVOID* base, PSIZE_T bytes, ULONG type) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtFreeVirtualMemory(process, call.InOut(base), call.InOut(bytes), type);
  });
}

NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE process, PVOID* base, PSIZE_T bytes, ULONG protect, PULONG old_protect) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtProtectVirtualMemory(process, call.InOut(base), call.InOut(bytes), protect, call.InOut(old_protect));
  });
}

NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE process, PVOID base, MEMORY_INFORMATION_CLASS information_class,
                                    PVOID buffer, SIZE_T length, PSIZE_T returned) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtQueryVirtualMemory(process, base, information_class, call.InOutBuffer(buffer, length), length,
                                    call.InOut(returned));
  });
}

NTSTATUS NTAPI NtFlushVirtualMemory(HANDLE process, PVOID* base, PSIZE_T bytes, PIO_STATUS_BLOCK iosb) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtFlushVirtualMemory(process, call.InOut(base), call.InOut(bytes), call.InOut(iosb));
  });
}
