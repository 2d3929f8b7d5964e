// Exports: conversions between UTF-16, the ANSI page, the OEM page and UTF-8; short names.
#include "src/ldr/export.h"
#include "src/rtl/rtl.h"

namespace rtl = nt::rtl;

NT_EXPORT(VOID, RtlGetDefaultCodePage, (PUSHORT ansi, PUSHORT oem), (ansi, oem)) {
  *ansi = rtl::CodePageNumber(rtl::AnsiPage());
  *oem = rtl::CodePageNumber(rtl::OemPage());
}
NT_EXPORT(BOOLEAN, RtlIsValidOemCharacter, (PWCHAR character), (character)) {
  const rtl::CodePage& page = rtl::OemPage();
  const WCHAR upper = rtl::UpcaseUnicodeChar(rtl::ToUnicode(page, rtl::FromUnicode(page, *character)));
  const unsigned char byte = rtl::FromUnicode(page, upper);
  if (byte == '?') return FALSE;
  *character = upper;
  return TRUE;
}

// ---- sizes, with the terminator ----

NT_EXPORT(ULONG, RtlxAnsiStringToUnicodeSize, (PCANSI_STRING string), (string)) {
  return (string->Length + 1) * sizeof(WCHAR);
}
NT_EXPORT(ULONG, RtlxOemStringToUnicodeSize, (PCOEM_STRING string), (string)) {
  return (string->Length + 1) * sizeof(WCHAR);
}
NT_EXPORT(ULONG, RtlxUnicodeStringToAnsiSize, (PCUNICODE_STRING string), (string)) {
  return string->Length / sizeof(WCHAR) + 1;
}
NT_EXPORT(ULONG, RtlxUnicodeStringToOemSize, (PCUNICODE_STRING string), (string)) {
  return string->Length / sizeof(WCHAR) + 1;
}

// ---- counted strings ----

NT_EXPORT(NTSTATUS, RtlAnsiStringToUnicodeString, (PUNICODE_STRING destination, PCANSI_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::ToUnicodeString(rtl::AnsiPage(), destination, source, {.allocate = allocate != FALSE});
}
NT_EXPORT(NTSTATUS, RtlOemStringToUnicodeString, (PUNICODE_STRING destination, PCOEM_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::ToUnicodeString(rtl::OemPage(), destination, source, {.allocate = allocate != FALSE});
}
NT_EXPORT(NTSTATUS, RtlOemStringToCountedUnicodeString, (PUNICODE_STRING destination, PCOEM_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::ToUnicodeString(rtl::OemPage(), destination, source, {.allocate = allocate != FALSE, .terminate = false});
}
NT_EXPORT(NTSTATUS, RtlUnicodeStringToAnsiString, (PANSI_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::FromUnicodeString(rtl::AnsiPage(), destination, source,
                                {.allocate = allocate != FALSE});
}
NT_EXPORT(NTSTATUS, RtlUpcaseUnicodeStringToAnsiString, (PANSI_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::FromUnicodeString(rtl::AnsiPage(), destination, source,
                                {.allocate = allocate != FALSE, .upper = rtl::Upper::kYes});
}
NT_EXPORT(NTSTATUS, RtlUnicodeStringToOemString, (POEM_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::FromUnicodeString(rtl::OemPage(), destination, source,
                                {.allocate = allocate != FALSE});
}
NT_EXPORT(NTSTATUS, RtlUpcaseUnicodeStringToOemString, (POEM_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::FromUnicodeString(rtl::OemPage(), destination, source,
                                {.allocate = allocate != FALSE, .upper = rtl::Upper::kYes});
}
NT_EXPORT(NTSTATUS, RtlUnicodeStringToCountedOemString, (POEM_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::FromUnicodeString(rtl::OemPage(), destination, source,
                                {.allocate = allocate != FALSE, .terminate = false, .refuse_unmappable = true});
}
NT_EXPORT(NTSTATUS, RtlUpcaseUnicodeStringToCountedOemString, (POEM_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate),
          (destination, source, allocate)) {
  return rtl::FromUnicodeString(rtl::OemPage(), destination, source,
                                {.allocate = allocate != FALSE, .terminate = false, .upper = rtl::Upper::kYes, .refuse_unmappable = true});
}

// ---- the N forms ----

/// The ANSI forms do not tell that they cut.
static NTSTATUS CutIsSuccess(NTSTATUS status) { return status == STATUS_BUFFER_OVERFLOW ? STATUS_SUCCESS : status; }

NT_EXPORT(NTSTATUS, RtlMultiByteToUnicodeN,
          (PWCH out, ULONG out_bytes, PULONG written, const CHAR* in, ULONG in_bytes),
          (out, out_bytes, written, in, in_bytes)) {
  return CutIsSuccess(rtl::ToUnicodeN(rtl::AnsiPage(), out, out_bytes, written, in, in_bytes));
}
NT_EXPORT(NTSTATUS, RtlMultiByteToUnicodeSize, (PULONG bytes, const CHAR* in, ULONG in_bytes), (bytes, in, in_bytes)) {
  static_cast<void>(in);
  *bytes = in_bytes * sizeof(WCHAR);
  return STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, RtlUnicodeToMultiByteSize, (PULONG bytes, PCWCH in, ULONG in_bytes), (bytes, in, in_bytes)) {
  static_cast<void>(in);
  *bytes = in_bytes / sizeof(WCHAR);
  return STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, RtlUnicodeToMultiByteN, (PCHAR out, ULONG out_bytes, PULONG written, PCWCH in, ULONG in_bytes),
          (out, out_bytes, written, in, in_bytes)) {
  return CutIsSuccess(rtl::FromUnicodeN(rtl::AnsiPage(), out, out_bytes, written, in, in_bytes, rtl::Upper::kNo));
}
NT_EXPORT(NTSTATUS, RtlUpcaseUnicodeToMultiByteN,
          (PCHAR out, ULONG out_bytes, PULONG written, PCWCH in, ULONG in_bytes),
          (out, out_bytes, written, in, in_bytes)) {
  return CutIsSuccess(rtl::FromUnicodeN(rtl::AnsiPage(), out, out_bytes, written, in, in_bytes, rtl::Upper::kYes));
}
NT_EXPORT(NTSTATUS, RtlOemToUnicodeN, (PWCH out, ULONG out_bytes, PULONG written, const CHAR* in, ULONG in_bytes),
          (out, out_bytes, written, in, in_bytes)) {
  return rtl::ToUnicodeN(rtl::OemPage(), out, out_bytes, written, in, in_bytes);
}
NT_EXPORT(NTSTATUS, RtlUnicodeToOemN, (PCHAR out, ULONG out_bytes, PULONG written, PCWCH in, ULONG in_bytes),
          (out, out_bytes, written, in, in_bytes)) {
  return rtl::FromUnicodeN(rtl::OemPage(), out, out_bytes, written, in, in_bytes, rtl::Upper::kNo);
}
NT_EXPORT(NTSTATUS, RtlUpcaseUnicodeToOemN, (PCHAR out, ULONG out_bytes, PULONG written, PCWCH in, ULONG in_bytes),
          (out, out_bytes, written, in, in_bytes)) {
  return rtl::FromUnicodeN(rtl::OemPage(), out, out_bytes, written, in, in_bytes, rtl::Upper::kYes);
}

// ---- UTF-8 ----

NT_EXPORT(NTSTATUS, RtlUnicodeToUTF8N, (PCHAR out, ULONG out_bytes, PULONG actual, PCWCH in, ULONG in_bytes),
          (out, out_bytes, actual, in, in_bytes)) {
  return rtl::UnicodeToUtf8N(out, out_bytes, actual, in, in_bytes);
}
NT_EXPORT(NTSTATUS, RtlUTF8ToUnicodeN, (PWSTR out, ULONG out_bytes, PULONG actual, const CHAR* in, ULONG in_bytes),
          (out, out_bytes, actual, in, in_bytes)) {
  return rtl::Utf8ToUnicodeN(out, out_bytes, actual, in, in_bytes);
}
NT_EXPORT(NTSTATUS, RtlUnicodeStringToUTF8String,
          (PUTF8_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate), (destination, source, allocate)) {
  return rtl::UnicodeStringToUtf8String(destination, source, allocate);
}
NT_EXPORT(NTSTATUS, RtlUTF8StringToUnicodeString,
          (PUNICODE_STRING destination, PCUTF8_STRING source, BOOLEAN allocate), (destination, source, allocate)) {
  return rtl::Utf8StringToUnicodeString(destination, source, allocate);
}

// ---- short names ----

NT_EXPORT(NTSTATUS, RtlGenerate8dot3Name,
          (PCUNICODE_STRING name, BOOLEAN allow_extended, PGENERATE_NAME_CONTEXT context, PUNICODE_STRING name_8dot3),
          (name, allow_extended, context, name_8dot3)) {
  return rtl::Generate8dot3Name(name, allow_extended, context, name_8dot3);
}
NT_EXPORT(BOOLEAN, RtlIsNameLegalDOS8Dot3,
          (PCUNICODE_STRING name, POEM_STRING oem_name, PBOOLEAN name_contains_spaces),
          (name, oem_name, name_contains_spaces)) {
  return rtl::IsNameLegalDos8Dot3(name, oem_name, name_contains_spaces);
}
