// The version of Windows that drivers see.
#include <cstddef>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr ULONG kAllTypes = 0xFF;
constexpr USHORT kSuiteMask = 0x0100;  // VER_SUITE_SINGLEUSERTS

bool Holds(ULONGLONG actual, ULONGLONG wanted, ULONG condition) {
  switch (condition) {
    case VER_EQUAL: return actual == wanted;
    case VER_GREATER: return actual > wanted;
    case VER_GREATER_EQUAL: return actual >= wanted;
    case VER_LESS: return actual < wanted;
    case VER_LESS_EQUAL: return actual <= wanted;
    default: return false;
  }
}

ULONG ConditionFor(ULONGLONG mask, ULONG type) {
  return static_cast<ULONG>(mask >> (__builtin_ctz(type) * VER_NUM_BITS_PER_CONDITION_MASK)) & VER_CONDITION_MASK;
}

}  // namespace

Status GetVersion(PRTL_OSVERSIONINFOW information) {
  const ULONG size = information->dwOSVersionInfoSize;
  information->dwMajorVersion = kMajorVersion;
  information->dwMinorVersion = kMinorVersion;
  information->dwBuildNumber = kBuildNumber;
  information->dwPlatformId = VER_PLATFORM_WIN32_NT;
  information->szCSDVersion[0] = 0;
  if (size == sizeof(RTL_OSVERSIONINFOEXW)) {
    auto* extended = reinterpret_cast<PRTL_OSVERSIONINFOEXW>(information);
    extended->wServicePackMajor = 0;
    extended->wServicePackMinor = 0;
    extended->wSuiteMask = kSuiteMask;
    extended->wProductType = VER_NT_WORKSTATION;
    extended->wReserved = 0;
  }
  return STATUS_SUCCESS;
}

ULONGLONG SetConditionMask(ULONGLONG mask, ULONG types, UCHAR condition) {
  for (ULONG type = 1; type <= kAllTypes; type <<= 1)
    if (types & type)
      mask |= static_cast<ULONGLONG>(condition & VER_CONDITION_MASK)
              << (__builtin_ctz(type) * VER_NUM_BITS_PER_CONDITION_MASK);
  return mask;
}

Status VerifyVersionInfo(const RTL_OSVERSIONINFOEXW* wanted, ULONG types, ULONGLONG mask) {
  if (types == 0 || mask == 0) return STATUS_INVALID_PARAMETER;
  if (types & VER_SUITENAME) {
    const USHORT common = kSuiteMask & wanted->wSuiteMask;
    const ULONG condition = ConditionFor(mask, VER_SUITENAME);
    if (condition == VER_AND ? common != wanted->wSuiteMask : common == 0) return STATUS_REVISION_MISMATCH;
  }
  struct Field {
    ULONG type;
    ULONG actual;
    ULONG wanted;
  };
  const Field simple[] = {{VER_PRODUCT_TYPE, VER_NT_WORKSTATION, wanted->wProductType},
                          {VER_PLATFORMID, VER_PLATFORM_WIN32_NT, wanted->dwPlatformId},
                          {VER_BUILDNUMBER, kBuildNumber, wanted->dwBuildNumber}};
  for (const Field& field : simple)
    if ((types & field.type) && !Holds(field.actual, field.wanted, ConditionFor(mask, field.type)))
      return STATUS_REVISION_MISMATCH;
  // Major, minor and service packs are one number: a field counts only while those before it are equal.
  const Field version[] = {{VER_MAJORVERSION, kMajorVersion, wanted->dwMajorVersion},
                           {VER_MINORVERSION, kMinorVersion, wanted->dwMinorVersion},
                           {VER_SERVICEPACKMAJOR, 0, wanted->wServicePackMajor},
                           {VER_SERVICEPACKMINOR, 0, wanted->wServicePackMinor}};
  ULONG condition = 0;
  bool holds = true;
  for (const Field& field : version) {
    if (!(types & field.type)) continue;
    if (!condition) condition = ConditionFor(mask, field.type);
    holds = Holds(field.actual, field.wanted, condition);
    if (field.actual != field.wanted) break;
  }
  return holds ? STATUS_SUCCESS : STATUS_REVISION_MISMATCH;
}

bool IsNtDdiVersionAvailable(ULONG version) {
  // As documented: the service pack must be 0. The low byte is the release of Windows 10.
  if (version & 0xFF00) return false;
  constexpr ULONG kOurs = kMajorVersion << 24 | kMinorVersion << 16 | (NTDDI_WIN10_VB & 0xFF);
  return version <= kOurs;
}

}  // namespace nt::rtl
