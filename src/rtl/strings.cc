// Counted strings: initialize, copy, append, compare, hash, allocate.
// Lengths are bytes in USHORTs; a UNICODE_STRING of drivers may have an odd MaximumLength, which is rounded down.
#include <algorithm>
#include <cstring>

#include "src/base/check.h"
#include "src/rtl/pool.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr size_t kMaxAnsiBytes = 0xFFFE;
constexpr size_t kMaxUnicodeBytes = 0xFFFC;

char Fold(char c, Case fold) { return fold == Case::kInsensitive ? UpperChar(c) : c; }
WCHAR Fold(WCHAR c, Case fold) { return fold == Case::kInsensitive ? UpcaseUnicodeChar(c) : c; }

template <class View>
LONG Compare(View a, View b, Case fold) {
  const size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    if (a[i] == b[i]) continue;
    const auto left = Fold(a[i], fold), right = Fold(b[i], fold);
    if (left != right) {
      using Unsigned = std::conditional_t<sizeof(left) == 1, unsigned char, char16_t>;
      return static_cast<LONG>(static_cast<Unsigned>(left)) - static_cast<LONG>(static_cast<Unsigned>(right));
    }
  }
  return static_cast<LONG>(a.size()) - static_cast<LONG>(b.size());
}

template <class View>
bool SameText(View a, View b, Case fold) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && Fold(a[i], fold) != Fold(b[i], fold)) return false;
  return true;
}

}  // namespace

UNICODE_STRING UnicodeString(std::u16string_view text) {
  const size_t bytes = text.size() * sizeof(WCHAR);
  CHECK(bytes <= kMaxUnicodeBytes);
  return {static_cast<USHORT>(bytes), static_cast<USHORT>(bytes), const_cast<WCHAR*>(text.data())};
}

void InitString(PSTRING destination, const char* source) {
  const size_t length = source ? std::min(strlen(source), kMaxAnsiBytes) : 0;
  *destination = {static_cast<USHORT>(length), static_cast<USHORT>(source ? length + 1 : 0),
                  const_cast<char*>(source)};
}

void InitUnicodeString(PUNICODE_STRING destination, const WCHAR* source) {
  const size_t bytes =
      source ? std::min(std::char_traits<WCHAR>::length(source) * sizeof(WCHAR), kMaxUnicodeBytes) : 0;
  *destination = {static_cast<USHORT>(bytes), static_cast<USHORT>(source ? bytes + sizeof(WCHAR) : 0),
                  const_cast<WCHAR*>(source)};
}

Status InitStringEx(PSTRING destination, const char* source) {
  if (source && strlen(source) > kMaxAnsiBytes) return STATUS_NAME_TOO_LONG;
  InitString(destination, source);
  return STATUS_SUCCESS;
}

Status InitUnicodeStringEx(PUNICODE_STRING destination, const WCHAR* source) {
  if (source && std::char_traits<WCHAR>::length(source) * sizeof(WCHAR) > kMaxUnicodeBytes)
    return STATUS_NAME_TOO_LONG;
  InitUnicodeString(destination, source);
  return STATUS_SUCCESS;
}

void CopyString(PSTRING destination, const STRING* source) {
  destination->Length = source ? std::min(source->Length, destination->MaximumLength) : USHORT{0};
  if (destination->Length) memmove(destination->Buffer, source->Buffer, destination->Length);
}

void CopyUnicodeString(PUNICODE_STRING destination, PCUNICODE_STRING source) {
  destination->Length = source ? std::min(source->Length, destination->MaximumLength) : USHORT{0};
  if (!source) return;
  if (destination->Length) memmove(destination->Buffer, source->Buffer, destination->Length);
  if (destination->Length + sizeof(WCHAR) <= destination->MaximumLength)
    destination->Buffer[destination->Length / sizeof(WCHAR)] = 0;
}

Status AppendString(PSTRING destination, std::string_view source) {
  if (destination->Length + source.size() > destination->MaximumLength) return STATUS_BUFFER_TOO_SMALL;
  if (!source.empty()) memmove(destination->Buffer + destination->Length, source.data(), source.size());
  destination->Length = static_cast<USHORT>(destination->Length + source.size());
  return STATUS_SUCCESS;
}

Status AppendUnicode(PUNICODE_STRING destination, std::u16string_view source) {
  const size_t bytes = source.size() * sizeof(WCHAR);
  if (destination->Length + bytes > destination->MaximumLength) return STATUS_BUFFER_TOO_SMALL;
  if (bytes == 0) return STATUS_SUCCESS;
  memmove(destination->Buffer + destination->Length / sizeof(WCHAR), source.data(), bytes);
  destination->Length = static_cast<USHORT>(destination->Length + bytes);
  if (destination->Length + sizeof(WCHAR) <= destination->MaximumLength)
    destination->Buffer[destination->Length / sizeof(WCHAR)] = 0;
  return STATUS_SUCCESS;
}

LONG CompareUnicode(std::u16string_view a, std::u16string_view b, Case fold) { return Compare(a, b, fold); }
bool EqualUnicode(std::u16string_view a, std::u16string_view b, Case fold) { return SameText(a, b, fold); }
bool PrefixUnicode(std::u16string_view prefix, std::u16string_view text, Case fold) {
  return prefix.size() <= text.size() && SameText(prefix, text.substr(0, prefix.size()), fold);
}
bool SuffixUnicode(std::u16string_view suffix, std::u16string_view text, Case fold) {
  return suffix.size() <= text.size() && SameText(suffix, text.substr(text.size() - suffix.size()), fold);
}
LONG CompareString(std::string_view a, std::string_view b, Case fold) { return Compare(a, b, fold); }
bool EqualString(std::string_view a, std::string_view b, Case fold) { return SameText(a, b, fold); }
bool PrefixString(std::string_view prefix, std::string_view text, Case fold) {
  return prefix.size() <= text.size() && SameText(prefix, text.substr(0, prefix.size()), fold);
}

ULONG HashUnicode(std::u16string_view text, Case fold) {
  ULONG hash = 0;
  for (WCHAR c : text) hash = hash * 65599 + Fold(c, fold);
  return hash;
}

void FreeUnicodeString(PUNICODE_STRING string) {
  if (string->Buffer) PoolFree(string->Buffer);
  *string = {};
}

void FreeString(PSTRING string) {
  if (string->Buffer) PoolFree(string->Buffer);
  *string = {};
}

Status ValidateUnicodeString(PCUNICODE_STRING string) {
  if (!string) return STATUS_SUCCESS;
  const bool good = string->Length % sizeof(WCHAR) == 0 && string->MaximumLength % sizeof(WCHAR) == 0 &&
                    string->Length <= string->MaximumLength && (string->Buffer || string->MaximumLength == 0);
  return good ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

Status DuplicateUnicodeString(ULONG flags, PCUNICODE_STRING source, PUNICODE_STRING destination) {
  constexpr ULONG kTerminate = RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE;
  constexpr ULONG kAllocateEmpty = RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING;
  if ((flags & ~(kTerminate | kAllocateEmpty)) || ((flags & kAllocateEmpty) && !(flags & kTerminate)) || !destination)
    return STATUS_INVALID_PARAMETER;
  NT_TRY(ValidateUnicodeString(source));
  const USHORT length = source ? source->Length : USHORT{0};
  const size_t bytes = length + ((flags & kTerminate) ? sizeof(WCHAR) : 0);
  if (bytes > UNICODE_STRING_MAX_BYTES) return STATUS_NAME_TOO_LONG;
  if (length == 0 && !(flags & kAllocateEmpty)) {
    *destination = {};
    return STATUS_SUCCESS;
  }
  auto* buffer = static_cast<WCHAR*>(PoolAllocate(bytes));
  if (!buffer) return STATUS_NO_MEMORY;
  if (length) memcpy(buffer, source->Buffer, length);
  if (flags & kTerminate) buffer[length / sizeof(WCHAR)] = 0;
  *destination = {length, static_cast<USHORT>(bytes), buffer};
  return STATUS_SUCCESS;
}

bool CreateUnicodeString(PUNICODE_STRING destination, const WCHAR* source) {
  UNICODE_STRING text;
  if (!InitUnicodeStringEx(&text, source).ok()) return false;
  return DuplicateUnicodeString(
             RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE | RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING, &text,
             destination)
      .ok();
}

}  // namespace nt::rtl
