// UTF-8 and UTF-16. What is no Unicode becomes U+FFFD: a lone surrogate, or each maximal ill-formed run of bytes.
#include <cstring>

#include "src/rtl/pool.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

/// One character of UTF-16 from text[*at]; moves *at.
char32_t NextUtf16(std::u16string_view text, size_t* at, bool* ill_formed) {
  const char16_t first = text[(*at)++];
  if (first < 0xD800 || first > 0xDFFF) return first;
  if (first < 0xDC00 && *at < text.size() && text[*at] >= 0xDC00 && text[*at] <= 0xDFFF)
    return 0x10000 + ((first - 0xD800) << 10) + (text[(*at)++] - 0xDC00);
  *ill_formed = true;
  return kReplacement;
}

/// One character of UTF-8 from text[*at]; moves *at past it, or past the ill-formed part.
char32_t NextUtf8(std::string_view text, size_t* at, bool* ill_formed) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char first = byte((*at)++);
  if (first < 0x80) return first;
  unsigned more;
  char32_t value;
  unsigned char low = 0x80, high = 0xBF;  // bounds of the second byte (Unicode, table 3-7)
  if (first >= 0xC2 && first <= 0xDF) {
    more = 1, value = first & 0x1F;
  } else if (first >= 0xE0 && first <= 0xEF) {
    more = 2, value = first & 0x0F;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    more = 3, value = first & 0x07;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    *ill_formed = true;
    return kReplacement;
  }
  for (; more; --more) {
    if (*at >= text.size() || byte(*at) < low || byte(*at) > high) {
      *ill_formed = true;
      return kReplacement;
    }
    value = value << 6 | (byte((*at)++) & 0x3F);
    low = 0x80, high = 0xBF;
  }
  return value;
}

size_t EncodeUtf8(char32_t c, char out[4]) {
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  const size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; --i, c >>= 6) out[i] = static_cast<char>(0x80 | (c & 0x3F));
  constexpr unsigned char kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  out[0] = static_cast<char>(kLead[length] | c);
  return length;
}

size_t EncodeUtf16(char32_t c, WCHAR out[2]) {
  if (c < 0x10000) {
    out[0] = static_cast<WCHAR>(c);
    return 1;
  }
  out[0] = static_cast<WCHAR>(0xD800 + ((c - 0x10000) >> 10));
  out[1] = static_cast<WCHAR>(0xDC00 + (c & 0x3FF));
  return 2;
}

/// Both directions: decodes with `next`, encodes with `encode`, and stops where the room ends.
template <class In, class Out, class Next, class Encode>
Status Transcode(Out* out, ULONG out_bytes, ULONG* actual, In text, Next next, Encode encode) {
  size_t at = 0, used = 0;
  bool ill_formed = false, full = false;
  const size_t room = out ? out_bytes / sizeof(Out) : SIZE_MAX;
  while (at < text.size()) {
    Out units[4];
    const size_t count = encode(next(text, &at, &ill_formed), units);
    if (used + count > room) {
      full = true;
      break;
    }
    if (out) memcpy(out + used, units, count * sizeof(Out));
    used += count;
  }
  if (actual) *actual = static_cast<ULONG>(used * sizeof(Out));
  if (full) return STATUS_BUFFER_TOO_SMALL;
  return ill_formed ? STATUS_SOME_NOT_MAPPED : STATUS_SUCCESS;
}

}  // namespace

Status UnicodeToUtf8N(char* out, ULONG out_bytes, ULONG* actual, const WCHAR* in, ULONG in_bytes) {
  if (!in) return STATUS_INVALID_PARAMETER_4;
  if (in_bytes % sizeof(WCHAR)) return STATUS_INVALID_PARAMETER_5;
  if (!out && !actual) return STATUS_INVALID_PARAMETER;
  return Transcode(out, out_bytes, actual, std::u16string_view(in, in_bytes / sizeof(WCHAR)), NextUtf16, EncodeUtf8);
}

Status Utf8ToUnicodeN(WCHAR* out, ULONG out_bytes, ULONG* actual, const char* in, ULONG in_bytes) {
  if (!in) return STATUS_INVALID_PARAMETER_4;
  if (!out && !actual) return STATUS_INVALID_PARAMETER;
  return Transcode(out, out_bytes, actual, std::string_view(in, in_bytes), NextUtf8, EncodeUtf16);
}

Status UnicodeStringToUtf8String(PSTRING destination, PCUNICODE_STRING source, BOOLEAN allocate) {
  const std::string text = ToUtf8(View(source));
  if (text.size() + 1 > MAXUSHORT) return STATUS_INVALID_PARAMETER_2;
  if (allocate) {
    auto* buffer = static_cast<char*>(PoolAllocate(text.size() + 1));
    if (!buffer) return STATUS_NO_MEMORY;
    *destination = {0, static_cast<USHORT>(text.size() + 1), buffer};
  } else if (text.size() + 1 > destination->MaximumLength) {
    return STATUS_BUFFER_OVERFLOW;
  }
  memcpy(destination->Buffer, text.c_str(), text.size() + 1);
  destination->Length = static_cast<USHORT>(text.size());
  return STATUS_SUCCESS;
}

Status Utf8StringToUnicodeString(PUNICODE_STRING destination, const STRING* source, BOOLEAN allocate) {
  const std::u16string text = FromUtf8(View(*source));
  const size_t bytes = (text.size() + 1) * sizeof(WCHAR);
  if (bytes > UNICODE_STRING_MAX_BYTES) return STATUS_INVALID_PARAMETER_2;
  if (allocate) {
    auto* buffer = static_cast<WCHAR*>(PoolAllocate(bytes));
    if (!buffer) return STATUS_NO_MEMORY;
    *destination = {0, static_cast<USHORT>(bytes), buffer};
  } else if (bytes > destination->MaximumLength) {
    return STATUS_BUFFER_OVERFLOW;
  }
  memcpy(destination->Buffer, text.c_str(), bytes);
  destination->Length = static_cast<USHORT>(bytes - sizeof(WCHAR));
  return STATUS_SUCCESS;
}

std::string ToUtf8(std::u16string_view text) {
  std::string out;
  out.reserve(text.size());
  bool ill_formed = false;
  char units[4];
  for (size_t at = 0; at < text.size();) out.append(units, EncodeUtf8(NextUtf16(text, &at, &ill_formed), units));
  return out;
}

std::u16string FromUtf8(std::string_view text) {
  std::u16string out;
  out.reserve(text.size());
  bool ill_formed = false;
  WCHAR units[2];
  for (size_t at = 0; at < text.size();) out.append(units, EncodeUtf16(NextUtf8(text, &at, &ill_formed), units));
  return out;
}

}  // namespace nt::rtl
