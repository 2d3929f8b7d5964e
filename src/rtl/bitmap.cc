// Bitmaps: arrays of ULONGs, bit n in word n / 32. File systems keep free space in them, with hundreds of thousands of
// bits, so searches step by words.
#include <algorithm>
#include <bit>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr ULONG kWordBits = 32;

// A bitmap is whole ULONGs, and the last is accessed as one. FASTFAT allocates whole bytes only, which on Windows the rounding
// of pool blocks makes good, as it does here: the address sanitizer, which knows the byte, must not count it.
[[gnu::no_sanitize("address")]] ULONG Load(const ULONG* word) { return *word; }
[[gnu::no_sanitize("address")]] void Store(ULONG* word, ULONG bits) { *word = bits; }

/// The word in which a wanted bit reads as 1.
ULONG WordOf(const RTL_BITMAP* map, ULONG word, Bit value) {
  const ULONG bits = Load(&map->Buffer[word]);
  return value == Bit::kSet ? bits : ~bits;
}

/// The first bit of that value in [from, end), or `end`.
ULONG FindFrom(const RTL_BITMAP* map, ULONG from, ULONG end, Bit value) {
  if (from >= end) return end;
  ULONG word = from / kWordBits;
  ULONG bits = WordOf(map, word, value) & (~0u << from % kWordBits);
  const ULONG last = (end - 1) / kWordBits;
  while (!bits) {
    if (++word > last) return end;
    bits = WordOf(map, word, value);
  }
  return std::min<ULONG>(end, word * kWordBits + std::countr_zero(bits));
}

/// The last bit of that value in [0, end), or kNoBit.
ULONG FindBackward(const RTL_BITMAP* map, ULONG end, Bit value) {
  if (end == 0) return kNoBit;
  ULONG word = (end - 1) / kWordBits;
  ULONG bits = WordOf(map, word, value) & (~0u >> (kWordBits - 1 - (end - 1) % kWordBits));
  while (!bits) {
    if (word == 0) return kNoBit;
    bits = WordOf(map, --word, value);
  }
  return word * kWordBits + kWordBits - 1 - std::countl_zero(bits);
}

Bit Other(Bit value) { return value == Bit::kSet ? Bit::kClear : Bit::kSet; }

/// The start of a run of `count` bits that begins in [from, ...) and ends by `end`, or kNoBit.
ULONG FindRun(const RTL_BITMAP* map, ULONG from, ULONG end, ULONG count, Bit value) {
  while (from < end) {
    const ULONG start = FindFrom(map, from, end, value);
    if (end - start < count) return kNoBit;
    const ULONG stop = FindFrom(map, start, start + count, Other(value));
    if (stop == start + count) return start;
    from = stop + 1;
  }
  return kNoBit;
}

/// Applies `operation(word, mask)` to the words of a range.
template <class Operation>
void ForWords(ULONG start, ULONG count, Operation operation) {
  while (count) {
    const ULONG shift = start % kWordBits;
    const ULONG bits = std::min(kWordBits - shift, count);
    operation(start / kWordBits, (bits == kWordBits ? ~0u : (1u << bits) - 1) << shift);
    start += bits;
    count -= bits;
  }
}

}  // namespace

void InitializeBitMap(PRTL_BITMAP map, PULONG buffer, ULONG bits) { *map = {bits, buffer}; }

void FillAllBits(PRTL_BITMAP map, Bit value) {
  // Whole words: the bits behind the last are written as well, as Windows does.
  const ULONG words = (map->SizeOfBitMap + kWordBits - 1) / kWordBits;
  for (ULONG word = 0; word < words; word++) Store(&map->Buffer[word], value == Bit::kSet ? ~0u : 0u);
}

void FillBits(PRTL_BITMAP map, ULONG start, ULONG count, Bit value) {
  if (start >= map->SizeOfBitMap) return;
  count = std::min(count, map->SizeOfBitMap - start);
  ForWords(start, count, [&](ULONG word, ULONG mask) {
    const ULONG bits = Load(&map->Buffer[word]);
    Store(&map->Buffer[word], value == Bit::kSet ? bits | mask : bits & ~mask);
  });
}

bool TestBit(const RTL_BITMAP* map, ULONG index) {
  return index < map->SizeOfBitMap && (Load(&map->Buffer[index / kWordBits]) >> index % kWordBits & 1);
}

bool AreBits(const RTL_BITMAP* map, ULONG start, ULONG count, Bit value) {
  if (count == 0 || start >= map->SizeOfBitMap || count > map->SizeOfBitMap - start) return false;
  return FindFrom(map, start, start + count, Other(value)) == start + count;
}

ULONG CountBits(const RTL_BITMAP* map, ULONG start, ULONG count, Bit value) {
  if (start >= map->SizeOfBitMap) return 0;
  count = std::min(count, map->SizeOfBitMap - start);
  ULONG total = 0;
  ForWords(start, count, [&](ULONG word, ULONG mask) { total += std::popcount(WordOf(map, word, value) & mask); });
  return total;
}

ULONG FindBits(const RTL_BITMAP* map, ULONG count, ULONG hint, Bit value) {
  if (hint >= map->SizeOfBitMap) hint = 0;
  if (count == 0) return hint;
  const ULONG found = FindRun(map, hint, map->SizeOfBitMap, count, value);
  if (found != kNoBit || hint == 0) return found;
  // From the beginning; a run may start before the hint and reach past it.
  const ULONG end = std::min<ULONGLONG>(map->SizeOfBitMap, ULONGLONG{hint} + count - 1);
  return FindRun(map, 0, end, count, value);
}

ULONG FindBitsAndFlip(PRTL_BITMAP map, ULONG count, ULONG hint, Bit value) {
  const ULONG start = FindBits(map, count, hint, value);
  if (start != kNoBit) FillBits(map, start, count, Other(value));
  return start;
}

ULONG FindClearRuns(const RTL_BITMAP* map, PRTL_BITMAP_RUN runs, ULONG room, BOOLEAN longest) {
  ULONG found = 0;
  for (ULONG at = 0; at < map->SizeOfBitMap && room;) {
    ULONG start = 0;
    const ULONG length = FindNextForwardRunClear(map, at, &start);
    if (!length) break;
    at = start + length;
    if (!longest) {
      runs[found++] = {start, length};
      if (found == room) break;
      continue;
    }
    // Insertion into a list sorted by length; the first of equals stays first.
    if (found == room && runs[found - 1].NumberOfBits >= length) continue;
    ULONG slot = found < room ? found++ : found - 1;
    for (; slot > 0 && runs[slot - 1].NumberOfBits < length; --slot) runs[slot] = runs[slot - 1];
    runs[slot] = {start, length};
  }
  return found;
}

ULONG FindLongestRunClear(const RTL_BITMAP* map, PULONG start) {
  RTL_BITMAP_RUN run;
  if (FindClearRuns(map, &run, 1, TRUE) == 0) {
    *start = 0;
    return 0;
  }
  *start = run.StartingIndex;
  return run.NumberOfBits;
}

ULONG FindNextForwardRunClear(const RTL_BITMAP* map, ULONG from, PULONG start) {
  const ULONG size = map->SizeOfBitMap;
  const ULONG first = FindFrom(map, from, std::max(from, size), Bit::kClear);
  if (first >= size) {
    *start = size;
    return 0;
  }
  *start = first;
  return FindFrom(map, first, size, Bit::kSet) - first;
}

ULONG FindLastBackwardRunClear(const RTL_BITMAP* map, ULONG from, PULONG start) {
  const ULONG end = map->SizeOfBitMap == 0 ? 0 : std::min(from, map->SizeOfBitMap - 1) + 1;
  const ULONG last = FindBackward(map, end, Bit::kClear);
  if (last == kNoBit) {
    *start = from;
    return 0;
  }
  const ULONG before = FindBackward(map, last, Bit::kSet);
  *start = before == kNoBit ? 0 : before + 1;
  return last - *start + 1;
}

}  // namespace nt::rtl
