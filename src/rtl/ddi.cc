// Exports: memory, time, random, version, run once, LUIDs.
#include <algorithm>

#include "src/ldr/export.h"
#include "src/ldr/user_access.h"
#include "src/rtl/rtl.h"

// Macros for those who compile against the headers; old binaries import the routines.
#undef RtlCopyMemory
#undef RtlMoveMemory
#undef RtlZeroMemory
#undef RtlFillMemory

namespace rtl = nt::rtl;

// ---- memory: any of it may be a requestor's, so that a fault belongs to the caller ----

NT_EXPORT(SIZE_T, RtlCompareMemory, (const VOID* a, const VOID* b, SIZE_T bytes), (a, b, bytes)) {
  constexpr SIZE_T kPiece = 512;
  char left[kPiece], right[kPiece];
  SIZE_T at = 0;
  while (at < bytes) {
    const SIZE_T piece = std::min(kPiece, bytes - at);
    nt::ldr::CopyFromUser(left, static_cast<const char*>(a) + at, piece);
    nt::ldr::CopyFromUser(right, static_cast<const char*>(b) + at, piece);
    const SIZE_T same = rtl::CompareMemory(left, right, piece);
    at += same;
    if (same < piece) break;
  }
  return at;
}
NT_EXPORT(SIZE_T, RtlCompareMemoryUlong, (PVOID source, SIZE_T bytes, ULONG pattern), (source, bytes, pattern)) {
  return rtl::CompareMemoryUlong(source, bytes, pattern);
}
extern "C" {
NTAPI VOID RtlCopyMemory(PVOID to, const VOID* from, SIZE_T bytes);
NTAPI VOID RtlMoveMemory(PVOID to, const VOID* from, SIZE_T bytes);
NTAPI VOID RtlZeroMemory(PVOID to, SIZE_T bytes);
NTAPI VOID RtlFillMemory(PVOID to, SIZE_T bytes, UCHAR fill);
}
static void Move(PVOID to, const VOID* from, SIZE_T bytes) {
  constexpr SIZE_T kPiece = 1024;
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  if (out <= in || out >= in + bytes) {
    nt::ldr::CopyUser(out, in, bytes);
    return;
  }
  char piece[kPiece];
  while (bytes) {
    const SIZE_T count = std::min(kPiece, bytes);
    bytes -= count;
    nt::ldr::CopyFromUser(piece, in + bytes, count);
    nt::ldr::CopyToUser(out + bytes, piece, count);
  }
}
NT_EXPORT(VOID, RtlCopyMemory, (PVOID to, const VOID* from, SIZE_T bytes), (to, from, bytes)) { Move(to, from, bytes); }
NT_EXPORT(VOID, RtlMoveMemory, (PVOID to, const VOID* from, SIZE_T bytes), (to, from, bytes)) { Move(to, from, bytes); }
NT_EXPORT(VOID, RtlZeroMemory, (PVOID to, SIZE_T bytes), (to, bytes)) { nt::ldr::ZeroUser(to, bytes); }
NT_EXPORT(VOID, RtlFillMemory, (PVOID to, SIZE_T bytes, UCHAR fill), (to, bytes, fill)) {
  constexpr SIZE_T kPiece = 1024;
  char piece[kPiece];
  std::fill_n(piece, std::min(bytes, kPiece), static_cast<char>(fill));
  for (SIZE_T at = 0; at < bytes; at += kPiece)
    nt::ldr::CopyToUser(static_cast<char*>(to) + at, piece, std::min(bytes - at, kPiece));
}
NT_EXPORT(VOID, RtlPrefetchMemoryNonTemporal, (PVOID source, SIZE_T bytes), (source, bytes)) {
  for (SIZE_T at = 0; at < bytes; at += SYSTEM_CACHE_ALIGNMENT_SIZE)
    __builtin_prefetch(static_cast<char*>(source) + at, 0, 0);
}

// ---- time ----

NT_EXPORT(VOID, RtlTimeToTimeFields, (PLARGE_INTEGER time, PTIME_FIELDS fields), (time, fields)) {
  rtl::TimeToTimeFields(time->QuadPart, fields);
}
NT_EXPORT(BOOLEAN, RtlTimeFieldsToTime, (PTIME_FIELDS fields, PLARGE_INTEGER time), (fields, time)) {
  return rtl::TimeFieldsToTime(fields, time);
}
NT_EXPORT(BOOLEAN, RtlTimeToSecondsSince1980, (PLARGE_INTEGER time, PULONG seconds), (time, seconds)) {
  return rtl::TimeToSecondsSince1980(time->QuadPart, seconds);
}
NT_EXPORT(BOOLEAN, RtlTimeToSecondsSince1970, (PLARGE_INTEGER time, PULONG seconds), (time, seconds)) {
  return rtl::TimeToSecondsSince1970(time->QuadPart, seconds);
}
NT_EXPORT(VOID, RtlSecondsSince1980ToTime, (ULONG seconds, PLARGE_INTEGER time), (seconds, time)) {
  time->QuadPart = rtl::SecondsSince1980ToTime(seconds);
}
NT_EXPORT(VOID, RtlSecondsSince1970ToTime, (ULONG seconds, PLARGE_INTEGER time), (seconds, time)) {
  time->QuadPart = rtl::SecondsSince1970ToTime(seconds);
}

// ---- random, LUIDs ----

NT_EXPORT(ULONG, RtlRandom, (PULONG seed), (seed)) { return rtl::Random(seed); }
NT_EXPORT(ULONG, RtlRandomEx, (PULONG seed), (seed)) { return rtl::RandomEx(seed); }
NT_EXPORT(VOID, RtlCopyLuid, (PLUID destination, PLUID source), (destination, source)) { *destination = *source; }

// ---- version ----

NT_EXPORT(NTSTATUS, RtlGetVersion, (PRTL_OSVERSIONINFOW information), (information)) {
  return rtl::GetVersion(information);
}
NT_EXPORT(NTSTATUS, RtlVerifyVersionInfo, (PRTL_OSVERSIONINFOEXW wanted, ULONG types, ULONGLONG mask),
          (wanted, types, mask)) {
  return rtl::VerifyVersionInfo(wanted, types, mask);
}
NT_EXPORT(ULONGLONG, VerSetConditionMask, (ULONGLONG mask, ULONG types, UCHAR condition), (mask, types, condition)) {
  return rtl::SetConditionMask(mask, types, condition);
}
NT_EXPORT(BOOLEAN, RtlIsNtDdiVersionAvailable, (ULONG version), (version)) {
  return rtl::IsNtDdiVersionAvailable(version);
}

// ---- run once ----

NT_EXPORT(VOID, RtlRunOnceInitialize, (PRTL_RUN_ONCE once), (once)) { rtl::RunOnceInitialize(once); }
NT_EXPORT(NTSTATUS, RtlRunOnceBeginInitialize, (PRTL_RUN_ONCE once, ULONG flags, PVOID* context),
          (once, flags, context)) {
  return rtl::RunOnceBeginInitialize(once, flags, context);
}
NT_EXPORT(NTSTATUS, RtlRunOnceComplete, (PRTL_RUN_ONCE once, ULONG flags, PVOID context), (once, flags, context)) {
  return rtl::RunOnceComplete(once, flags, context);
}
NT_EXPORT(NTSTATUS, RtlRunOnceExecuteOnce,
          (PRTL_RUN_ONCE once, PRTL_RUN_ONCE_INIT_FN init, PVOID parameter, PVOID* context),
          (once, init, parameter, context)) {
  return rtl::RunOnceExecuteOnce(once, init, parameter, context);
}
