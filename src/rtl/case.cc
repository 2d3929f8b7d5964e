// Case of Unicode characters, by the table of the exFAT specification: one character to one character, no locale.
// Two-level tables made at compile time, so that a look-up is two loads.
#include <algorithm>
#include <array>
#include <iterator>

#include "src/rtl/pool.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

struct CaseRun {
  char16_t first;
  char16_t last;
  unsigned char stride;
  char16_t delta;
};

#include "src/rtl/case_table.inc"

constexpr size_t CountPages(const CaseRun* runs, size_t count) {
  bool seen[256] = {};
  for (size_t i = 0; i < count; ++i)
    for (size_t page = runs[i].first >> 8; page <= static_cast<size_t>(runs[i].last >> 8); ++page) seen[page] = true;
  size_t pages = 1;
  for (bool page : seen) pages += page;
  return pages;
}

// Page 0 of `delta` is all zeros: characters without case.
template <size_t kPages>
struct CaseTable {
  std::array<unsigned char, 256> page_of{};
  std::array<std::array<char16_t, 256>, kPages> delta{};

  constexpr CaseTable(const CaseRun* runs, size_t count) {
    unsigned char used = 0;
    for (size_t i = 0; i < count; ++i)
      for (unsigned c = runs[i].first; c <= runs[i].last; c += runs[i].stride) {
        if (!page_of[c >> 8]) page_of[c >> 8] = ++used;
        delta[page_of[c >> 8]][c & 0xFF] = runs[i].delta;
      }
  }
  constexpr char16_t Map(char16_t c) const { return static_cast<char16_t>(c + delta[page_of[c >> 8]][c & 0xFF]); }
};

constexpr CaseTable<CountPages(kUpcaseRuns, std::size(kUpcaseRuns))> kUpcase{kUpcaseRuns, std::size(kUpcaseRuns)};
constexpr CaseTable<CountPages(kDowncaseRuns, std::size(kDowncaseRuns))> kDowncase{kDowncaseRuns,
                                                                                  std::size(kDowncaseRuns)};
static_assert(kUpcase.Map(u'a') == u'A' && kUpcase.Map(0x00FF) == 0x0178 && kUpcase.Map(0x0131) == 0x0131);

template <class Map>
Status MapString(PUNICODE_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate, Map map) {
  if (allocate) {
    destination->Buffer = static_cast<WCHAR*>(PoolAllocate(source->Length));
    if (!destination->Buffer) return STATUS_NO_MEMORY;
    destination->MaximumLength = source->Length;
  } else if (source->Length > destination->MaximumLength) {
    return STATUS_BUFFER_OVERFLOW;
  }
  for (size_t i = 0; i < source->Length / sizeof(WCHAR); ++i) destination->Buffer[i] = map(source->Buffer[i]);
  destination->Length = source->Length;
  return STATUS_SUCCESS;
}

}  // namespace

WCHAR UpcaseUnicodeChar(WCHAR c) { return c < 0x80 ? (c >= u'a' && c <= u'z' ? c - 0x20 : c) : kUpcase.Map(c); }
WCHAR DowncaseUnicodeChar(WCHAR c) { return c < 0x80 ? (c >= u'A' && c <= u'Z' ? c + 0x20 : c) : kDowncase.Map(c); }

char UpperChar(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x80) return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 0x20) : c;
  const WCHAR upper = UpcaseUnicodeChar(ToUnicode(AnsiPage(), byte));
  const unsigned char mapped = FromUnicode(AnsiPage(), upper);
  return ToUnicode(AnsiPage(), mapped) == upper ? static_cast<char>(mapped) : c;
}

void UpperString(PSTRING destination, const STRING* source) {
  destination->Length = std::min(source->Length, destination->MaximumLength);
  for (size_t i = 0; i < destination->Length; ++i) destination->Buffer[i] = UpperChar(source->Buffer[i]);
}

Status UpcaseUnicodeString(PUNICODE_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate) {
  return MapString(destination, source, allocate, UpcaseUnicodeChar);
}

Status DowncaseUnicodeString(PUNICODE_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate) {
  return MapString(destination, source, allocate, DowncaseUnicodeChar);
}

std::u16string Upcase(std::u16string_view text) {
  std::u16string upper(text);
  for (WCHAR& c : upper) c = UpcaseUnicodeChar(c);
  return upper;
}

}  // namespace nt::rtl
