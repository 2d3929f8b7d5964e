// Names: splitting, comparing, which characters are legal.
#include <algorithm>
#include <vector>

#include "src/fsrtl/legal_characters.h"
#include "src/rtl/rtl.h"

namespace nt::fsrtl {
namespace {

constexpr std::u16string_view kWildCards = u"*?<>\"";

UNICODE_STRING Part(const UNICODE_STRING& of, size_t from, size_t to) {
  UNICODE_STRING part;
  part.Buffer = to > from ? of.Buffer + from : nullptr;
  part.Length = part.MaximumLength = static_cast<USHORT>((to - from) * sizeof(WCHAR));
  return part;
}

ANSI_STRING Part(const ANSI_STRING& of, size_t from, size_t to) {
  ANSI_STRING part;
  part.Buffer = to > from ? of.Buffer + from : nullptr;
  part.Length = part.MaximumLength = static_cast<USHORT>(to - from);
  return part;
}

/// The code pages of the runtime have single bytes only, so a byte is a character.
template <class String, class View>
void Dissect(const String& path, const View& text, String* first, String* remaining) {
  size_t start = 0;
  if (!text.empty() && text[0] == '\\') start = 1;
  size_t end = start;
  while (end < text.size() && text[end] != '\\') end++;
  *first = Part(path, start, end);
  *remaining = end < text.size() ? Part(path, end + 1, text.size()) : Part(path, 0, 0);
}

bool IsLegal(char character, bool wild_cards, UCHAR flags) {
  const auto byte = static_cast<unsigned char>(character);
  if (byte >= 128) return true;
  return LegalCharacters()[byte] & (flags | (wild_cards ? FSRTL_WILD_CHARACTER : 0));
}

}  // namespace

void DissectName(UNICODE_STRING path, PUNICODE_STRING first, PUNICODE_STRING remaining) {
  Dissect(path, rtl::View(path), first, remaining);
}

void DissectDbcs(ANSI_STRING path, PANSI_STRING first, PANSI_STRING remaining) {
  Dissect(path, rtl::View(path), first, remaining);
}

bool DoesNameContainWildCards(PUNICODE_STRING name) {
  return rtl::View(name).find_first_of(kWildCards) != std::u16string_view::npos;
}

bool DoesDbcsContainWildCards(PANSI_STRING name) {
  return rtl::View(*name).find_first_of("*?<>\"") != std::string_view::npos;
}

bool AreNamesEqual(PCUNICODE_STRING a, PCUNICODE_STRING b, bool ignore_case, PCWCH upcase_table) {
  if (a->Length != b->Length) return false;
  const auto text_a = rtl::View(a), text_b = rtl::View(b);
  if (!ignore_case) return text_a == text_b;
  for (size_t i = 0; i < text_a.size(); i++) {
    if (text_a[i] == text_b[i]) continue;
    const bool equal = upcase_table ? upcase_table[text_a[i]] == upcase_table[text_b[i]]
                                    : rtl::UpcaseUnicodeChar(text_a[i]) == rtl::UpcaseUnicodeChar(text_b[i]);
    if (!equal) return false;
  }
  return true;
}

bool IsFatDbcsLegal(ANSI_STRING name, bool wild_cards, bool path_name, bool leading_backslash) {
  auto text = rtl::View(name);
  if (text.empty()) return false;
  if (text[0] == '\\') {
    if (!leading_backslash) return false;
    text.remove_prefix(1);
    if (text.empty()) return true;  // the root
  }
  if (path_name) {
    // Each component by itself.
    size_t start = 0;
    for (;;) {
      const size_t end = std::min(text.find('\\', start), text.size());
      const ANSI_STRING component = Part(name, static_cast<size_t>(text.data() - name.Buffer) + start,
                                         static_cast<size_t>(text.data() - name.Buffer) + end);
      if (!IsFatDbcsLegal(component, wild_cards, false, false)) return false;
      if (end == text.size()) return true;
      start = end + 1;
    }
  }
  // With wild cards an expression of any shape up to 12 characters goes; "." and ".." are names.
  if (wild_cards && text.find_first_of("*?<>\"") != std::string_view::npos) {
    for (const char character : text)
      if (!IsLegal(character, true, FSRTL_FAT_LEGAL)) return false;
    return true;
  }
  if (text == "." || text == "..") return true;
  if (text.size() > 12) return false;
  size_t dot = std::string_view::npos;
  for (size_t i = 0; i < text.size(); i++) {
    if (!IsLegal(text[i], false, FSRTL_FAT_LEGAL)) return false;
    if (text[i] != '.') continue;
    if (dot != std::string_view::npos || i == 0 || i > 8 || text[i - 1] == ' ') return false;
    dot = i;
  }
  if (text.back() == ' ' || text.back() == '.') return false;
  return dot == std::string_view::npos ? text.size() <= 8 : text.size() - dot - 1 <= 3;
}

bool IsHpfsDbcsLegal(ANSI_STRING name, bool wild_cards, bool path_name, bool leading_backslash) {
  auto text = rtl::View(name);
  if (text.empty()) return false;
  if (text[0] == '\\') {
    if (!leading_backslash) return false;
    text.remove_prefix(1);
    if (text.empty()) return true;
  }
  size_t start = 0;
  for (;;) {
    const size_t end = path_name ? std::min(text.find('\\', start), text.size()) : text.size();
    const std::string_view part = text.substr(start, end - start);
    if (part.empty() || part.size() > 255) return false;
    for (const char character : part)
      if (!IsLegal(character, wild_cards, FSRTL_HPFS_LEGAL)) return false;
    if (part != "." && part != ".." && (part.back() == ' ' || part.back() == '.')) return false;
    if (end == text.size()) return true;
    start = end + 1;
  }
}

Status RemoveDotsFromPath(PWSTR path, USHORT path_length, USHORT* new_length) {
  // "a\.\b" -> "a\b", "a\..\b" -> "b". A ".." above the start of the path is an error.
  const size_t count = path_length / sizeof(WCHAR);
  const std::u16string_view text(reinterpret_cast<const char16_t*>(path), count);
  const bool rooted = count > 0 && text[0] == u'\\';
  std::u16string out;
  std::vector<size_t> starts;
  size_t at = rooted ? 1 : 0;
  if (rooted) out = u"\\";
  while (at <= count) {
    const size_t end = std::min(text.find(u'\\', at), count);
    const auto part = text.substr(at, end - at);
    if (part == u"..") {
      if (starts.empty()) return STATUS_IO_REPARSE_DATA_INVALID;
      out.resize(starts.back());
      starts.pop_back();
    } else if (part != u".") {
      const size_t start = out.size();
      if (!out.empty() && out.back() != u'\\') out += u'\\';
      if (!part.empty() || end < count) starts.push_back(start);
      out += part;
    }
    at = end + 1;
  }
  out.copy(reinterpret_cast<char16_t*>(path), out.size());
  *new_length = static_cast<USHORT>(out.size() * sizeof(WCHAR));
  return STATUS_SUCCESS;
}

}  // namespace nt::fsrtl
