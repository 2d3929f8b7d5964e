// Numbers, GUIDs and network addresses as text.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "src/rtl/pool.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr unsigned kNoDigit = 99;

unsigned DigitOf(char16_t c) {
  if (c >= u'0' && c <= u'9') return c - u'0';
  if (c >= u'a' && c <= u'f') return c - u'a' + 10;
  if (c >= u'A' && c <= u'F') return c - u'A' + 10;
  return kNoDigit;
}

bool ValidBase(ULONG base) { return base == 2 || base == 8 || base == 10 || base == 16; }

/// The grammar of RtlUnicodeStringToInteger and RtlCharToInteger: space, sign, 0b/0o/0x when base is 0, digits.
template <class View>
Status ParseInteger(View text, ULONG base, ULONG* value) {
  size_t at = 0;
  while (at < text.size() && static_cast<unsigned>(text[at]) <= ' ') ++at;
  bool negative = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  if (base == 0) {
    base = 10;
    if (at + 1 < text.size() && text[at] == '0') {
      const auto mark = text[at + 1];
      base = mark == 'b' ? 2 : mark == 'o' ? 8 : mark == 'x' ? 16 : 10;
      if (base != 10) at += 2;
    }
  } else if (!ValidBase(base)) {
    return STATUS_INVALID_PARAMETER;
  }
  ULONG result = 0;
  for (; at < text.size(); ++at) {
    const unsigned digit = DigitOf(static_cast<char16_t>(text[at]));
    if (digit >= base) break;
    result = result * base + digit;
  }
  *value = negative ? 0 - result : result;
  return STATUS_SUCCESS;
}

bool ParseHex(std::u16string_view text, ULONG* value) {
  *value = 0;
  for (char16_t c : text) {
    const unsigned digit = DigitOf(c);
    if (digit == kNoDigit) return false;
    *value = *value << 4 | digit;
  }
  return true;
}

}  // namespace

Status IntegerToUnicodeString(ULONGLONG value, ULONG base, PUNICODE_STRING string) {
  if (base == 0) base = 10;
  if (!ValidBase(base)) return STATUS_INVALID_PARAMETER;
  WCHAR digits[64];
  size_t start = std::size(digits);
  do {
    const unsigned digit = static_cast<unsigned>(value % base);
    digits[--start] = static_cast<WCHAR>(digit < 10 ? u'0' + digit : u'A' + digit - 10);
    value /= base;
  } while (value);
  const size_t bytes = (std::size(digits) - start) * sizeof(WCHAR);
  if (bytes > string->MaximumLength) return STATUS_BUFFER_OVERFLOW;
  memcpy(string->Buffer, digits + start, bytes);
  string->Length = static_cast<USHORT>(bytes);
  if (bytes + sizeof(WCHAR) <= string->MaximumLength) string->Buffer[bytes / sizeof(WCHAR)] = 0;
  return STATUS_SUCCESS;
}

Status UnicodeStringToInteger(std::u16string_view text, ULONG base, ULONG* value) {
  if (text.empty()) return STATUS_INVALID_PARAMETER;
  return ParseInteger(text, base, value);
}

Status CharToInteger(const char* text, ULONG base, ULONG* value) {
  return ParseInteger(std::string_view(text), base, value);
}

std::u16string GuidText(const GUID& g) {
  char text[39];
  snprintf(text, sizeof(text), "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", static_cast<unsigned>(g.Data1),
           g.Data2, g.Data3, g.Data4[0], g.Data4[1], g.Data4[2], g.Data4[3], g.Data4[4], g.Data4[5], g.Data4[6],
           g.Data4[7]);
  return std::u16string(text, text + 38);
}

Status StringFromGuid(const GUID& guid, PUNICODE_STRING string) {
  const std::u16string text = GuidText(guid);
  const size_t bytes = (text.size() + 1) * sizeof(WCHAR);
  auto* buffer = static_cast<WCHAR*>(PoolAllocate(bytes));
  if (!buffer) return STATUS_NO_MEMORY;
  memcpy(buffer, text.c_str(), bytes);
  *string = {static_cast<USHORT>(bytes - sizeof(WCHAR)), static_cast<USHORT>(bytes), buffer};
  return STATUS_SUCCESS;
}

Status GuidFromString(std::u16string_view text, GUID* guid) {
  // {8-4-4-4-12}
  if (text.size() != 38 || text[0] != u'{' || text[37] != u'}' || text[9] != u'-' || text[14] != u'-' ||
      text[19] != u'-' || text[24] != u'-')
    return STATUS_INVALID_PARAMETER;
  ULONG data1, data2, data3, byte;
  GUID parsed;
  if (!ParseHex(text.substr(1, 8), &data1) || !ParseHex(text.substr(10, 4), &data2) ||
      !ParseHex(text.substr(15, 4), &data3))
    return STATUS_INVALID_PARAMETER;
  parsed.Data1 = data1;
  parsed.Data2 = static_cast<USHORT>(data2);
  parsed.Data3 = static_cast<USHORT>(data3);
  for (size_t i = 0; i < 8; ++i) {
    const size_t at = i < 2 ? 20 + 2 * i : 25 + 2 * (i - 2);
    if (!ParseHex(text.substr(at, 2), &byte)) return STATUS_INVALID_PARAMETER;
    parsed.Data4[i] = static_cast<UCHAR>(byte);
  }
  *guid = parsed;
  return STATUS_SUCCESS;
}

std::string Ipv4Text(const unsigned char a[4], USHORT port) {
  std::string text = std::to_string(a[0]) + '.' + std::to_string(a[1]) + '.' + std::to_string(a[2]) + '.' +
                     std::to_string(a[3]);
  if (port) text += ':' + std::to_string(RtlUshortByteSwap(port));
  return text;
}

std::string Ipv6Text(const unsigned char address[16], ULONG scope, USHORT port) {
  unsigned words[8];
  for (int i = 0; i < 8; ++i) words[i] = address[2 * i] << 8 | address[2 * i + 1];
  // A mapped or compatible IPv4 address ends in dotted form.
  const bool leading_zero = std::all_of(words, words + 5, [](unsigned word) { return word == 0; });
  const bool dotted = leading_zero && (words[5] == 0xFFFF || (words[5] == 0 && words[6] != 0));
  const int count = dotted ? 6 : 8;
  int best = -1, best_length = 1;  // the longest run of zeros, of two or more
  for (int i = 0; i < count; ++i) {
    int end = i;
    while (end < count && words[end] == 0) ++end;
    if (end - i > best_length) best = i, best_length = end - i;
    if (end > i) i = end;
  }
  std::string text;
  char piece[8];
  for (int i = 0; i < count; ++i) {
    if (i == best) {
      text += "::";
      i += best_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    snprintf(piece, sizeof(piece), "%x", words[i]);
    text += piece;
  }
  if (dotted) {
    if (text.back() != ':') text += ':';
    text += Ipv4Text(address + 12, 0);
  }
  if (scope) text += '%' + std::to_string(scope);
  if (port) text = '[' + text + "]:" + std::to_string(RtlUshortByteSwap(port));
  return text;
}

}  // namespace nt::rtl
