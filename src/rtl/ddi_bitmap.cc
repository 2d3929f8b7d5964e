// Exports: bitmaps.
#include <bit>

#include "src/ldr/export.h"
#include "src/rtl/rtl.h"

namespace rtl = nt::rtl;
using rtl::Bit;

NT_EXPORT(VOID, RtlInitializeBitMap, (PRTL_BITMAP map, PULONG buffer, ULONG bits), (map, buffer, bits)) {
  rtl::InitializeBitMap(map, buffer, bits);
}
NT_EXPORT(VOID, RtlClearBit, (PRTL_BITMAP map, ULONG bit), (map, bit)) { rtl::FillBits(map, bit, 1, Bit::kClear); }
NT_EXPORT(VOID, RtlSetBit, (PRTL_BITMAP map, ULONG bit), (map, bit)) { rtl::FillBits(map, bit, 1, Bit::kSet); }
NT_EXPORT(BOOLEAN, RtlTestBit, (PRTL_BITMAP map, ULONG bit), (map, bit)) { return rtl::TestBit(map, bit); }
NT_EXPORT(VOID, RtlClearAllBits, (PRTL_BITMAP map), (map)) { rtl::FillAllBits(map, Bit::kClear); }
NT_EXPORT(VOID, RtlSetAllBits, (PRTL_BITMAP map), (map)) { rtl::FillAllBits(map, Bit::kSet); }
NT_EXPORT(VOID, RtlClearBits, (PRTL_BITMAP map, ULONG start, ULONG count), (map, start, count)) {
  rtl::FillBits(map, start, count, Bit::kClear);
}
NT_EXPORT(VOID, RtlSetBits, (PRTL_BITMAP map, ULONG start, ULONG count), (map, start, count)) {
  rtl::FillBits(map, start, count, Bit::kSet);
}
NT_EXPORT(BOOLEAN, RtlAreBitsClear, (PRTL_BITMAP map, ULONG start, ULONG count), (map, start, count)) {
  return rtl::AreBits(map, start, count, Bit::kClear);
}
NT_EXPORT(BOOLEAN, RtlAreBitsSet, (PRTL_BITMAP map, ULONG start, ULONG count), (map, start, count)) {
  return rtl::AreBits(map, start, count, Bit::kSet);
}
NT_EXPORT(ULONG, RtlNumberOfClearBits, (PRTL_BITMAP map), (map)) {
  return rtl::CountBits(map, 0, map->SizeOfBitMap, Bit::kClear);
}
NT_EXPORT(ULONG, RtlNumberOfSetBits, (PRTL_BITMAP map), (map)) {
  return rtl::CountBits(map, 0, map->SizeOfBitMap, Bit::kSet);
}
NT_EXPORT(ULONG, RtlNumberOfClearBitsInRange, (PRTL_BITMAP map, ULONG start, ULONG count), (map, start, count)) {
  return rtl::CountBits(map, start, count, Bit::kClear);
}
NT_EXPORT(ULONG, RtlNumberOfSetBitsInRange, (PRTL_BITMAP map, ULONG start, ULONG count), (map, start, count)) {
  return rtl::CountBits(map, start, count, Bit::kSet);
}
NT_EXPORT(ULONG, RtlNumberOfSetBitsUlongPtr, (ULONG_PTR target), (target)) {
  return static_cast<ULONG>(std::popcount(target));
}
NT_EXPORT(ULONG, RtlFindClearBits, (PRTL_BITMAP map, ULONG count, ULONG hint), (map, count, hint)) {
  return rtl::FindBits(map, count, hint, Bit::kClear);
}
NT_EXPORT(ULONG, RtlFindSetBits, (PRTL_BITMAP map, ULONG count, ULONG hint), (map, count, hint)) {
  return rtl::FindBits(map, count, hint, Bit::kSet);
}
NT_EXPORT(ULONG, RtlFindClearBitsAndSet, (PRTL_BITMAP map, ULONG count, ULONG hint), (map, count, hint)) {
  return rtl::FindBitsAndFlip(map, count, hint, Bit::kClear);
}
NT_EXPORT(ULONG, RtlFindSetBitsAndClear, (PRTL_BITMAP map, ULONG count, ULONG hint), (map, count, hint)) {
  return rtl::FindBitsAndFlip(map, count, hint, Bit::kSet);
}
NT_EXPORT(ULONG, RtlFindClearRuns, (PRTL_BITMAP map, PRTL_BITMAP_RUN runs, ULONG room, BOOLEAN longest),
          (map, runs, room, longest)) {
  return rtl::FindClearRuns(map, runs, room, longest);
}
NT_EXPORT(ULONG, RtlFindLongestRunClear, (PRTL_BITMAP map, PULONG start), (map, start)) {
  return rtl::FindLongestRunClear(map, start);
}
NT_EXPORT(ULONG, RtlFindFirstRunClear, (PRTL_BITMAP map, PULONG start), (map, start)) {
  return rtl::FindNextForwardRunClear(map, 0, start);
}
NT_EXPORT(ULONG, RtlFindNextForwardRunClear, (PRTL_BITMAP map, ULONG from, PULONG start), (map, from, start)) {
  return rtl::FindNextForwardRunClear(map, from, start);
}
NT_EXPORT(ULONG, RtlFindLastBackwardRunClear, (PRTL_BITMAP map, ULONG from, PULONG start), (map, from, start)) {
  return rtl::FindLastBackwardRunClear(map, from, start);
}
NT_EXPORT(CCHAR, RtlFindLeastSignificantBit, (ULONGLONG set), (set)) {
  return static_cast<CCHAR>(set ? std::countr_zero(set) : -1);
}
NT_EXPORT(CCHAR, RtlFindMostSignificantBit, (ULONGLONG set), (set)) {
  return static_cast<CCHAR>(set ? 63 - std::countl_zero(set) : -1);
}
