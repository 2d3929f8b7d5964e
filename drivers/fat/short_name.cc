// 8.3 names: whether a name is one, and the NAME~1 that stands for one that is not.
#include "fat.h"

namespace fat {
namespace {

constexpr ULONG kBaseChars = 8;
constexpr ULONG kExtensionChars = 3;

bool IsShortChar(UCHAR c) {
  if (c <= 0x20 || c == 0x7F) return false;
  switch (c) {
    case '"': case '*': case '+': case ',': case '.': case '/': case ':': case ';':
    case '<': case '=': case '>': case '?': case '[': case '\\': case ']': case '|':
      return false;
    default:
      return true;
  }
}

/// Upcased OEM form of `name`; false if a character has none.
bool ToOem(const UNICODE_STRING& name, CHAR* buffer, USHORT buffer_bytes, STRING* oem) {
  oem->Buffer = buffer;
  oem->Length = 0;
  oem->MaximumLength = buffer_bytes;
  if (!NT_SUCCESS(RtlUpcaseUnicodeStringToCountedOemString(oem, &name, FALSE))) return false;
  // Lossless means: back in Unicode it is the same name but for case.
  WCHAR back_chars[kMaxNameChars + 1];
  UNICODE_STRING back;
  back.Buffer = back_chars;
  back.Length = 0;
  back.MaximumLength = sizeof(back_chars);
  if (!NT_SUCCESS(RtlOemStringToCountedUnicodeString(&back, oem, FALSE))) return false;
  return NamesEqual(back, name);
}

enum class Case { kNone, kUpper, kLower, kMixed };

Case CaseOf(const WCHAR* chars, ULONG count) {
  Case result = Case::kNone;
  for (ULONG i = 0; i < count; ++i) {
    const WCHAR c = chars[i];
    Case one = Case::kNone;
    if (c >= L'a' && c <= L'z') {
      one = Case::kLower;
    } else if (c >= L'A' && c <= L'Z') {
      one = Case::kUpper;
    } else if (c >= 0x80 && RtlUpcaseUnicodeChar(c) != c) {
      return Case::kMixed;  // the flags speak of ASCII letters only
    }
    if (one == Case::kNone) continue;
    if (result != Case::kNone && result != one) return Case::kMixed;
    result = one;
  }
  return result;
}

ULONG FindLastDot(const UNICODE_STRING& name) {
  const ULONG chars = name.Length / sizeof(WCHAR);
  for (ULONG i = chars; i > 1; --i) {
    if (name.Buffer[i - 1] == L'.') return i - 1;
  }
  return chars;
}

/// Legal 8.3 characters of name[from, to), at most `limit`; what has no place becomes '_' or goes.
ULONG Condense(const UNICODE_STRING& name, ULONG from, ULONG to, ULONG limit, UCHAR* out) {
  ULONG count = 0;
  for (ULONG i = from; i < to && count < limit; ++i) {
    WCHAR c = name.Buffer[i];
    if (c == L' ' || c == L'.') continue;
    UNICODE_STRING one;
    one.Buffer = &c;
    one.Length = one.MaximumLength = sizeof(WCHAR);
    CHAR bytes[4];
    STRING oem;
    if (!ToOem(one, bytes, sizeof(bytes), &oem) || oem.Length == 0 ||
        (oem.Length == 1 && !IsShortChar(static_cast<UCHAR>(bytes[0])))) {
      out[count++] = '_';
    } else if (count + oem.Length <= limit) {
      for (USHORT j = 0; j < oem.Length; ++j) out[count++] = static_cast<UCHAR>(bytes[j]);
    } else {
      break;
    }
  }
  return count;
}

USHORT HashName(const UNICODE_STRING& name, ULONG salt) {
  ULONG hash = salt;
  for (ULONG i = 0; i < name.Length / sizeof(WCHAR); ++i) hash = hash * 37 + RtlUpcaseUnicodeChar(name.Buffer[i]);
  hash = hash * 314159269u;
  return static_cast<USHORT>(hash ^ (hash >> 16));
}

void Compose(const UCHAR* base, ULONG base_count, char digit, const UCHAR* extension, ULONG extension_count,
             UCHAR packed[11]) {
  RtlFillMemory(packed, 11, ' ');
  RtlCopyMemory(packed, base, base_count);
  packed[base_count] = '~';
  packed[base_count + 1] = static_cast<UCHAR>(digit);
  RtlCopyMemory(packed + kBaseChars, extension, extension_count);
  if (packed[0] == kSlotDeleted) packed[0] = kSlotKanjiE5;
}

}  // namespace

bool EncodeShortName(const UNICODE_STRING& name, UCHAR packed[11], UCHAR* nt_case) {
  const ULONG chars = name.Length / sizeof(WCHAR);
  if (chars == 0 || chars > kBaseChars + 1 + kExtensionChars || name.Buffer[0] == L'.') return false;
  const ULONG dot = FindLastDot(name);
  const Case base_case = CaseOf(name.Buffer, dot);
  const Case extension_case = dot < chars ? CaseOf(name.Buffer + dot + 1, chars - dot - 1) : Case::kNone;
  if (base_case == Case::kMixed || extension_case == Case::kMixed) return false;

  CHAR bytes[2 * (kBaseChars + 1 + kExtensionChars) + 1];
  STRING oem;
  if (!ToOem(name, bytes, sizeof(bytes), &oem)) return false;
  RtlFillMemory(packed, 11, ' ');
  ULONG at = 0;
  ULONG limit = kBaseChars;
  for (USHORT i = 0; i < oem.Length; ++i) {
    const UCHAR c = static_cast<UCHAR>(bytes[i]);
    if (c == '.') {
      if (limit != kBaseChars) return false;
      at = kBaseChars;
      limit = kBaseChars + kExtensionChars;
      continue;
    }
    if (at == limit || !IsShortChar(c)) return false;
    packed[at++] = c;
  }
  if (packed[0] == kSlotDeleted) packed[0] = kSlotKanjiE5;
  *nt_case = static_cast<UCHAR>((base_case == Case::kLower ? kCaseLowerBase : 0) |
                                (extension_case == Case::kLower ? kCaseLowerExtension : 0));
  return true;
}

NTSTATUS GenerateShortName(Fcb& directory, const UNICODE_STRING& name, UCHAR packed[11]) {
  const ULONG chars = name.Length / sizeof(WCHAR);
  ULONG start = 0;
  while (start < chars && (name.Buffer[start] == L'.' || name.Buffer[start] == L' ')) ++start;
  ULONG dot = FindLastDot(name);
  if (dot < start) dot = chars;
  UCHAR base[kBaseChars];
  UCHAR extension[kExtensionChars];
  const ULONG base_count = Condense(name, start, dot, 6, base);
  const ULONG extension_count = dot < chars ? Condense(name, dot + 1, chars, kExtensionChars, extension) : 0;

  bool in_use = true;
  for (char digit = '1'; digit <= '4'; ++digit) {
    Compose(base, base_count, digit, extension, extension_count, packed);
    FAT_TRY_STATUS(ShortNameInUse(directory, packed, &in_use));
    if (!in_use) return STATUS_SUCCESS;
  }
  // Many alike: two characters of the name and a hash of all of it find a free one at once.
  static const char kHex[] = "0123456789ABCDEF";
  UCHAR hashed[6];
  const ULONG kept = Min<ULONG>(base_count, 2);
  RtlCopyMemory(hashed, base, kept);
  for (ULONG salt = 0; salt < 4096; ++salt) {
    const USHORT hash = HashName(name, salt);
    for (ULONG i = 0; i < 4; ++i) hashed[kept + i] = static_cast<UCHAR>(kHex[(hash >> (12 - 4 * i)) & 15]);
    Compose(hashed, kept + 4, '1', extension, extension_count, packed);
    FAT_TRY_STATUS(ShortNameInUse(directory, packed, &in_use));
    if (!in_use) return STATUS_SUCCESS;
  }
  return STATUS_FILE_INVALID;
}

}  // namespace fat
