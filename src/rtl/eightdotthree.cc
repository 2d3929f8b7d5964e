// Short names: what is a legal one, and candidates for a long name.
//
// Candidates: up to six characters of the name and ~1 to ~4; then two characters, four hexadecimal digits of a checksum of
// the whole name and ~1 to ~9; then fewer characters and more digits. A name with fewer than three usable characters takes
// the checksum at once.
#include <algorithm>
#include <iterator>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr size_t kNameRoom = 8;
constexpr size_t kExtensionRoom = 3;
constexpr size_t kPlainName = 6;
constexpr ULONG kPlainTries = 4;
constexpr ULONG kLastIndex = 999'999;

/// Legal in long names, but not in short ones.
bool BecomesUnderscore(WCHAR c) { return c == u':' || c == u';' || c == u',' || c == u'+' || c == u'=' || c == u'[' || c == u']'; }

/// Characters that no short name holds (FAT specification, 6.1).
bool IsIllegal(unsigned char byte) {
  return byte < 0x20 || std::string_view("\"*+,./:;<=>?[\\]|").find(static_cast<char>(byte)) != std::string_view::npos;
}

/// What a character of a long name becomes; 0 drops it.
WCHAR ShortCharacter(WCHAR c, bool allow_extended) {
  if (c <= u' ' || c == u'.') return 0;
  if (BecomesUnderscore(c)) return u'_';
  const CodePage& page = OemPage();
  const WCHAR upper = UpcaseUnicodeChar(c);
  const unsigned char byte = FromUnicode(page, upper);
  if (ToUnicode(page, byte) != upper || IsIllegal(byte)) return u'_';
  if (byte > 0x7E && !allow_extended) return u'_';
  return upper;
}

template <size_t kRoom>
size_t Fill(std::u16string_view text, size_t limit, bool allow_extended, WCHAR (&out)[kRoom]) {
  size_t used = 0;
  for (WCHAR c : text) {
    if (used == limit) break;
    if (const WCHAR mapped = ShortCharacter(c, allow_extended)) out[used++] = mapped;
  }
  return used;
}

USHORT Checksum(std::u16string_view name) {
  ULONG sum = 0;
  for (WCHAR c : name) sum = sum * 37 + c;
  return static_cast<USHORT>(sum ^ sum >> 16);
}

void Begin(std::u16string_view name, bool allow_extended, PGENERATE_NAME_CONTEXT context) {
  name.remove_prefix(std::min(name.find_first_not_of(u'.'), name.size()));
  // The extension is what follows the last dot; a dot at the very end has none.
  const size_t dot = name.rfind(u'.');
  std::u16string_view base = name.substr(0, dot), extension;
  if (dot != name.npos) extension = name.substr(dot + 1);

  context->NameLength = static_cast<UCHAR>(Fill(base, kPlainName, allow_extended, context->NameBuffer));
  context->ExtensionLength = 0;
  if (!extension.empty()) {
    WCHAR text[kExtensionRoom];
    const size_t length = Fill(extension, kExtensionRoom, allow_extended, text);
    if (length) {
      context->ExtensionBuffer[0] = u'.';
      std::copy_n(text, length, context->ExtensionBuffer + 1);
      context->ExtensionLength = static_cast<ULONG>(length + 1);
    }
  }
}

void InsertChecksum(std::u16string_view name, PGENERATE_NAME_CONTEXT context) {
  context->Checksum = Checksum(name);
  context->NameLength = std::min<UCHAR>(context->NameLength, 2);
  for (int shift = 12; shift >= 0; shift -= 4)
    context->NameBuffer[context->NameLength++] = u"0123456789ABCDEF"[context->Checksum >> shift & 0xF];
  context->ChecksumInserted = TRUE;
  context->LastIndexValue = 1;
}

}  // namespace

Status Generate8dot3Name(PCUNICODE_STRING name, BOOLEAN allow_extended, PGENERATE_NAME_CONTEXT context,
                         PUNICODE_STRING name_8dot3) {
  const auto text = View(name);
  const bool first = context->LastIndexValue == 0;
  if (first) Begin(text, allow_extended, context);
  if (!context->ChecksumInserted && ((first && context->NameLength <= 2) || context->LastIndexValue >= kPlainTries)) {
    InsertChecksum(text, context);
  } else if (++context->LastIndexValue > kLastIndex) {
    return STATUS_FILE_SYSTEM_LIMITATION;
  }

  WCHAR digits[8];
  size_t start = std::size(digits);
  for (ULONG value = context->LastIndexValue; value; value /= 10) digits[--start] = static_cast<WCHAR>(u'0' + value % 10);
  digits[--start] = u'~';
  const size_t tail = std::size(digits) - start;
  const size_t base = std::min<size_t>(context->NameLength, kNameRoom - tail);

  WCHAR* out = std::copy_n(context->NameBuffer, base, name_8dot3->Buffer);
  out = std::copy_n(digits + start, tail, out);
  out = std::copy_n(context->ExtensionBuffer, context->ExtensionLength, out);
  name_8dot3->Length = static_cast<USHORT>((out - name_8dot3->Buffer) * sizeof(WCHAR));
  return STATUS_SUCCESS;
}

bool IsNameLegalDos8Dot3(PCUNICODE_STRING name, POEM_STRING oem_name, PBOOLEAN name_contains_spaces) {
  const auto text = View(name);
  if (text.empty() || text.size() > kNameRoom + 1 + kExtensionRoom) return false;
  char buffer[kNameRoom + 1 + kExtensionRoom];
  OEM_STRING own = {0, sizeof(buffer), buffer};
  OEM_STRING* oem = oem_name ? oem_name : &own;
  if (!FromUnicodeString(OemPage(), oem, name,
                         {.terminate = false, .upper = Upper::kYes, .refuse_unmappable = true})
           .ok())
    return false;
  const auto bytes = View(*oem);
  const bool spaces = bytes.find(' ') != bytes.npos;
  const auto answer = [&] {
    if (name_contains_spaces) *name_contains_spaces = spaces;
    return true;
  };
  if (bytes == "." || bytes == "..") return answer();
  const size_t dot = bytes.find('.');
  const auto base = bytes.substr(0, dot);
  const auto extension = dot == bytes.npos ? std::string_view() : bytes.substr(dot + 1);
  if (base.empty() || base.size() > kNameRoom || extension.size() > kExtensionRoom) return false;
  if (dot != bytes.npos && extension.empty()) return false;
  if (base.back() == ' ' || (!extension.empty() && extension.back() == ' ')) return false;
  for (std::string_view part : {base, extension})
    for (char c : part)
      if (IsIllegal(static_cast<unsigned char>(c))) return false;
  return answer();
}

}  // namespace nt::rtl
