// 8.3 names: whether a name is one, and the NAME~1 that stands for one that is not.
#include "fat.h"

namespace fat {
namespace {

constexpr ULONG kBaseChars = 8;
constexpr ULONG kExtensionChars = 3;
constexpr ULONG kMostChars = kBaseChars + 1 + kExtensionChars;

bool IsShortChar(UCHAR c) {
  if (c <= 0x20 || c == 0x7F) return false;
  switch (c) {
    case '"':
    case '*':
    case '+':
    case ',':
    case '.':
    case '/':
    case ':':
    case ';':
    case '<':
    case '=':
    case '>':
    case '?':
    case '[':
    case '\\':
    case ']':
    case '|':
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

/// The 11 bytes of an upcased 8.3 name; false if it is none.
bool Pack(const STRING& oem, UCHAR packed[11]) {
  RtlFillMemory(packed, 11, ' ');
  ULONG at = 0;
  ULONG limit = kBaseChars;
  for (USHORT i = 0; i < oem.Length; ++i) {
    const UCHAR c = static_cast<UCHAR>(oem.Buffer[i]);
    if (c == '.') {
      if (limit != kBaseChars || i == 0) return false;
      at = kBaseChars;
      limit = kBaseChars + kExtensionChars;
      continue;
    }
    if (at == limit || !IsShortChar(c)) return false;
    packed[at++] = c;
  }
  if (packed[0] == kSlotDeleted) packed[0] = kSlotKanjiE5;
  return oem.Length != 0;
}

/// The 11 bytes of a name that but for its case is an 8.3 name.
bool PackName(const UNICODE_STRING& name, UCHAR packed[11]) {
  if (name.Length == 0 || name.Length > kMostChars * sizeof(WCHAR)) return false;
  CHAR bytes[2 * kMostChars + 1];
  STRING oem;
  return ToOem(name, bytes, sizeof(bytes), &oem) && Pack(oem, packed);
}

/// True unless some name of the directory is this short name.
NTSTATUS IsFree(Fcb& directory, const UCHAR packed[11], DirectoryEntry* entry, bool* is_free) {
  WCHAR chars[kMostChars + 1];
  UNICODE_STRING name;
  name.Buffer = chars;
  name.MaximumLength = sizeof(chars);
  DecodeShortName(packed, 0, false, &name);
  const NTSTATUS status = FindEntry(directory, name, entry);
  *is_free = status == STATUS_OBJECT_NAME_NOT_FOUND;
  return *is_free ? STATUS_SUCCESS : status;
}

ULONG FindLastDot(const UNICODE_STRING& name) {
  const ULONG chars = name.Length / sizeof(WCHAR);
  for (ULONG i = chars; i > 1; --i) {
    if (name.Buffer[i - 1] == L'.') return i - 1;
  }
  return chars;
}

}  // namespace

bool EncodeShortName(const UNICODE_STRING& name, UCHAR packed[11], UCHAR* nt_case) {
  const ULONG chars = name.Length / sizeof(WCHAR);
  if (chars == 0 || chars > kMostChars) return false;
  const ULONG dot = FindLastDot(name);
  const Case base_case = CaseOf(name.Buffer, dot);
  const Case extension_case = dot < chars ? CaseOf(name.Buffer + dot + 1, chars - dot - 1) : Case::kNone;
  if (base_case == Case::kMixed || extension_case == Case::kMixed || !PackName(name, packed)) return false;
  *nt_case = static_cast<UCHAR>((base_case == Case::kLower ? kCaseLowerBase : 0) |
                                (extension_case == Case::kLower ? kCaseLowerExtension : 0));
  return true;
}

NTSTATUS ChooseShortName(Fcb& directory, const UNICODE_STRING& name, const UNICODE_STRING& wanted, UCHAR packed[11]) {
  PoolBuffer memory(AllocatePaged(sizeof(DirectoryEntry)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  DirectoryEntry* entry = memory.As<DirectoryEntry>();
  bool is_free = false;
  // A name that only its case keeps from being an 8.3 one gives its own, which nobody else can have.
  if (PackName(name, packed)) return STATUS_SUCCESS;
  if (PackName(wanted, packed)) {
    FAT_TRY_STATUS(IsFree(directory, packed, entry, &is_free));
    if (is_free) return STATUS_SUCCESS;
  }
  GENERATE_NAME_CONTEXT context;
  RtlZeroMemory(&context, sizeof(context));
  while (!is_free) {
    WCHAR chars[kMostChars];
    UNICODE_STRING candidate;
    candidate.Buffer = chars;
    candidate.Length = 0;
    candidate.MaximumLength = sizeof(chars);
    FAT_TRY_STATUS(RtlGenerate8dot3Name(&name, TRUE, &context, &candidate));
    if (!PackName(candidate, packed)) return STATUS_FILE_INVALID;
    FAT_TRY_STATUS(IsFree(directory, packed, entry, &is_free));
  }
  return STATUS_SUCCESS;
}

}  // namespace fat
