// Sections and their views.
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"
#include "src/ntdll/call.h"

#include "ntio/ntdll.h"

using namespace nt;         // NOLINT: a file of services only
using namespace nt::ntdll;  // NOLINT

NTSTATUS NTAPI NtCreateSection(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PLARGE_INTEGER size,
                               ULONG protection, ULONG allocation, HANDLE file) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtCreateSection(call.InOut(handle), access, call.Attributes(attributes), call.In(size), protection,
                               allocation, file);
  });
}

NTSTATUS NTAPI NtOpenSection(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtOpenSection(call.InOut(handle), access, call.Attributes(attributes));
  });
}

NTSTATUS NTAPI NtMapViewOfSection(HANDLE section, HANDLE process, PVOID* base, ULONG_PTR zero_bits, SIZE_T commit,
                                  PLARGE_INTEGER offset, PSIZE_T bytes, SECTION_INHERIT inherit, ULONG type,
                                  ULONG protect) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtMapViewOfSection(section, process, call.InOut(base), zero_bits, commit, call.InOut(offset),
                                  call.InOut(bytes), inherit, type, protect);
  });
}

NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE process, PVOID base) {
  return Service([&](Call&) -> NTSTATUS { return mm::NtUnmapViewOfSection(process, base); });
}

NTSTATUS NTAPI NtExtendSection(HANDLE section, PLARGE_INTEGER size) {
  return Service([&](Call& call) -> NTSTATUS { return mm::NtExtendSection(section, call.InOut(size)); });
}

NTSTATUS NTAPI NtQuerySection(HANDLE section, SECTION_INFORMATION_CLASS information_class, PVOID buffer, SIZE_T length,
                              PSIZE_T returned) {
  return Service([&](Call& call) -> NTSTATUS {
    return mm::NtQuerySection(section, information_class, call.InOutBuffer(buffer, length), length,
                              call.InOut(returned));
  });
}
