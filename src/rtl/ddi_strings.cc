// Exports: strings, case, numbers and GUIDs as text.
#include <cstring>

#include "src/ldr/export.h"
#include "src/rtl/rtl.h"

namespace rtl = nt::rtl;

NT_EXPORT(VOID, RtlInitString, (PSTRING destination, PCSZ source), (destination, source)) {
  rtl::InitString(destination, source);
}
NT_EXPORT(VOID, RtlInitAnsiString, (PANSI_STRING destination, PCSZ source), (destination, source)) {
  rtl::InitString(destination, source);
}
NT_EXPORT(VOID, RtlInitUnicodeString, (PUNICODE_STRING destination, PCWSTR source), (destination, source)) {
  rtl::InitUnicodeString(destination, source);
}
NT_EXPORT(NTSTATUS, RtlInitStringEx, (PSTRING destination, PCSZ source), (destination, source)) {
  return rtl::InitStringEx(destination, source);
}
NT_EXPORT(NTSTATUS, RtlInitAnsiStringEx, (PANSI_STRING destination, PCSZ source), (destination, source)) {
  return rtl::InitStringEx(destination, source);
}
NT_EXPORT(NTSTATUS, RtlInitUnicodeStringEx, (PUNICODE_STRING destination, PCWSTR source), (destination, source)) {
  return rtl::InitUnicodeStringEx(destination, source);
}
NT_EXPORT(VOID, RtlCopyString, (PSTRING destination, const STRING* source), (destination, source)) {
  rtl::CopyString(destination, source);
}
NT_EXPORT(VOID, RtlCopyUnicodeString, (PUNICODE_STRING destination, PCUNICODE_STRING source), (destination, source)) {
  rtl::CopyUnicodeString(destination, source);
}
NT_EXPORT(NTSTATUS, RtlAppendStringToString, (PSTRING destination, const STRING* source), (destination, source)) {
  return rtl::AppendString(destination, rtl::View(*source));
}
NT_EXPORT(NTSTATUS, RtlAppendAsciizToString, (PSTRING destination, PCSZ source), (destination, source)) {
  return source ? rtl::AppendString(destination, source).value() : STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, RtlAppendUnicodeToString, (PUNICODE_STRING destination, PCWSTR source), (destination, source)) {
  return source ? rtl::AppendUnicode(destination, source).value() : STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, RtlAppendUnicodeStringToString, (PUNICODE_STRING destination, PCUNICODE_STRING source),
          (destination, source)) {
  return rtl::AppendUnicode(destination, rtl::View(source));
}
NT_EXPORT(LONG, RtlCompareString, (const STRING* a, const STRING* b, BOOLEAN fold), (a, b, fold)) {
  return rtl::CompareString(rtl::View(*a), rtl::View(*b), rtl::CaseOf(fold));
}
NT_EXPORT(BOOLEAN, RtlEqualString, (const STRING* a, const STRING* b, BOOLEAN fold), (a, b, fold)) {
  return rtl::EqualString(rtl::View(*a), rtl::View(*b), rtl::CaseOf(fold));
}
NT_EXPORT(BOOLEAN, RtlPrefixString, (const STRING* prefix, const STRING* text, BOOLEAN fold), (prefix, text, fold)) {
  return rtl::PrefixString(rtl::View(*prefix), rtl::View(*text), rtl::CaseOf(fold));
}
NT_EXPORT(LONG, RtlCompareUnicodeString, (PCUNICODE_STRING a, PCUNICODE_STRING b, BOOLEAN fold), (a, b, fold)) {
  return rtl::CompareUnicodeString(a, b, fold);
}
NT_EXPORT(LONG, RtlCompareUnicodeStrings, (PCWCH a, SIZE_T a_length, PCWCH b, SIZE_T b_length, BOOLEAN fold),
          (a, a_length, b, b_length, fold)) {
  return rtl::CompareUnicode({a, a_length}, {b, b_length}, rtl::CaseOf(fold));
}
NT_EXPORT(BOOLEAN, RtlEqualUnicodeString, (PCUNICODE_STRING a, PCUNICODE_STRING b, BOOLEAN fold), (a, b, fold)) {
  return rtl::EqualUnicodeString(a, b, fold);
}
NT_EXPORT(BOOLEAN, RtlPrefixUnicodeString, (PCUNICODE_STRING prefix, PCUNICODE_STRING text, BOOLEAN fold),
          (prefix, text, fold)) {
  return rtl::PrefixUnicodeString(prefix, text, fold);
}
NT_EXPORT(BOOLEAN, RtlSuffixUnicodeString, (PCUNICODE_STRING suffix, PCUNICODE_STRING text, BOOLEAN fold),
          (suffix, text, fold)) {
  return rtl::SuffixUnicode(rtl::View(suffix), rtl::View(text), rtl::CaseOf(fold));
}
NT_EXPORT(NTSTATUS, RtlHashUnicodeString, (PCUNICODE_STRING string, BOOLEAN fold, ULONG algorithm, PULONG hash),
          (string, fold, algorithm, hash)) {
  if (!string || !hash || algorithm > HASH_STRING_ALGORITHM_X65599) return STATUS_INVALID_PARAMETER;
  *hash = rtl::HashUnicode(rtl::View(string), rtl::CaseOf(fold));
  return STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, RtlDuplicateUnicodeString, (ULONG flags, PCUNICODE_STRING source, PUNICODE_STRING destination),
          (flags, source, destination)) {
  return rtl::DuplicateUnicodeString(flags, source, destination);
}
NT_EXPORT(BOOLEAN, RtlCreateUnicodeString, (PUNICODE_STRING destination, PCWSTR source), (destination, source)) {
  return rtl::CreateUnicodeString(destination, source);
}
NT_EXPORT(NTSTATUS, RtlValidateUnicodeString, (ULONG flags, PCUNICODE_STRING string), (flags, string)) {
  return flags ? STATUS_INVALID_PARAMETER : rtl::ValidateUnicodeString(string).value();
}
NT_EXPORT(VOID, RtlFreeAnsiString, (PANSI_STRING string), (string)) { rtl::FreeString(string); }
NT_EXPORT(VOID, RtlFreeOemString, (POEM_STRING string), (string)) { rtl::FreeString(string); }
NT_EXPORT(VOID, RtlFreeUTF8String, (PUTF8_STRING string), (string)) { rtl::FreeString(string); }
NT_EXPORT(VOID, RtlFreeUnicodeString, (PUNICODE_STRING string), (string)) { rtl::FreeUnicodeString(string); }

// ---- case ----

NT_EXPORT(CHAR, RtlUpperChar, (CHAR character), (character)) { return rtl::UpperChar(character); }
NT_EXPORT(VOID, RtlUpperString, (PSTRING destination, const STRING* source), (destination, source)) {
  rtl::UpperString(destination, source);
}
NT_EXPORT(WCHAR, RtlUpcaseUnicodeChar, (WCHAR character), (character)) { return rtl::UpcaseUnicodeChar(character); }
NT_EXPORT(WCHAR, RtlDowncaseUnicodeChar, (WCHAR character), (character)) { return rtl::DowncaseUnicodeChar(character); }
NT_EXPORT(NTSTATUS, RtlUpcaseUnicodeString,
          (PUNICODE_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate), (destination, source, allocate)) {
  return rtl::UpcaseUnicodeString(destination, source, allocate);
}
NT_EXPORT(NTSTATUS, RtlDowncaseUnicodeString,
          (PUNICODE_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate), (destination, source, allocate)) {
  return rtl::DowncaseUnicodeString(destination, source, allocate);
}

// ---- numbers, GUIDs, addresses ----

NT_EXPORT(NTSTATUS, RtlIntegerToUnicodeString, (ULONG value, ULONG base, PUNICODE_STRING string),
          (value, base, string)) {
  return rtl::IntegerToUnicodeString(value, base, string);
}
NT_EXPORT(NTSTATUS, RtlInt64ToUnicodeString, (ULONGLONG value, ULONG base, PUNICODE_STRING string),
          (value, base, string)) {
  return rtl::IntegerToUnicodeString(value, base, string);
}
NT_EXPORT(NTSTATUS, RtlUnicodeStringToInteger, (PCUNICODE_STRING string, ULONG base, PULONG value),
          (string, base, value)) {
  return rtl::UnicodeStringToInteger(rtl::View(string), base, value);
}
NT_EXPORT(NTSTATUS, RtlCharToInteger, (PCSZ string, ULONG base, PULONG value), (string, base, value)) {
  return rtl::CharToInteger(string, base, value);
}
NT_EXPORT(NTSTATUS, RtlStringFromGUID, (const GUID* guid, PUNICODE_STRING string), (guid, string)) {
  return rtl::StringFromGuid(*guid, string);
}
NT_EXPORT(NTSTATUS, RtlGUIDFromString, (PCUNICODE_STRING string, GUID* guid), (string, guid)) {
  return rtl::GuidFromString(rtl::View(string), guid);
}

static NTSTATUS PutAddress(const std::string& text, PSTR out, PULONG length) {
  if (!out || !length) return STATUS_INVALID_PARAMETER;
  const ULONG room = *length;
  *length = static_cast<ULONG>(text.size() + 1);
  if (room < *length) return STATUS_INVALID_PARAMETER;  // as documented: with the length needed
  memcpy(out, text.c_str(), *length);
  return STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, RtlIpv4AddressToStringExA,
          (const struct in_addr* address, USHORT port, PSTR string, PULONG length), (address, port, string, length)) {
  if (!address) return STATUS_INVALID_PARAMETER;
  return PutAddress(rtl::Ipv4Text(reinterpret_cast<const unsigned char*>(address), port), string, length);
}
NT_EXPORT(NTSTATUS, RtlIpv6AddressToStringExA,
          (const struct in6_addr* address, ULONG scope, USHORT port, PSTR string, PULONG length),
          (address, scope, port, string, length)) {
  if (!address) return STATUS_INVALID_PARAMETER;
  return PutAddress(rtl::Ipv6Text(reinterpret_cast<const unsigned char*>(address), scope, port), string, length);
}
