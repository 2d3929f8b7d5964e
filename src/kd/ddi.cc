// Exports: DbgPrint*, breakpoints, RtlAssert, KdPrint's variables, and the printf family.
#include <atomic>
#include <cstring>

#include "ntifs.h"
#include "src/host/host.h"
#include "src/kd/format.h"
#include "src/kd/kd.h"
#include "src/ldr/export.h"

namespace nt::kd {
namespace {

std::atomic<bool> g_printing{false};

template <class Char>
int Store(Char* buffer, size_t count, const std::basic_string<Char>& text) {
  if (buffer && count) {
    std::memcpy(buffer, text.data(), std::min(count, text.size()) * sizeof(Char));
    if (text.size() < count) buffer[text.size()] = 0;
  }
  // Windows: no room for the terminator is no error, no room for the text is.
  return text.size() <= count ? static_cast<int>(text.size()) : -1;
}

}  // namespace

void SetPrinting(bool print) { g_printing = print; }
bool IsPrinting() { return g_printing; }

void Print(const std::string& text) {
  if (g_printing) host::WriteError(text.data(), text.size());
}

}  // namespace nt::kd

using namespace nt;  // NOLINT: a file of exports only

#define KD_FORMAT(text, format)                    \
  __builtin_ms_va_list arguments;                  \
  __builtin_ms_va_start(arguments, format);        \
  const auto text = kd::Format(format, arguments); \
  __builtin_ms_va_end(arguments)

NT_EXPORT_VARIADIC(ULONG, DbgPrint, (PCSTR format, ...)) {
  KD_FORMAT(text, format);
  kd::Print(text);
  return STATUS_SUCCESS;
}

NT_EXPORT_VARIADIC(ULONG, DbgPrintEx, (ULONG component, ULONG level, PCSTR format, ...)) {
  static_cast<void>(component);
  static_cast<void>(level);  // no filter: who asks for debug output gets all of it
  KD_FORMAT(text, format);
  kd::Print(text);
  return STATUS_SUCCESS;
}

NT_EXPORT(ULONG, vDbgPrintEx, (ULONG component, ULONG level, PCCH format, __builtin_ms_va_list arguments),
          (component, level, format, arguments)) {
  static_cast<void>(component);
  static_cast<void>(level);
  kd::Print(kd::Format(format, arguments));
  return STATUS_SUCCESS;
}

NT_EXPORT(ULONG, vDbgPrintExWithPrefix,
          (PCCH prefix, ULONG component, ULONG level, PCCH format, __builtin_ms_va_list arguments),
          (prefix, component, level, format, arguments)) {
  static_cast<void>(component);
  static_cast<void>(level);
  kd::Print(prefix + kd::Format(format, arguments));
  return STATUS_SUCCESS;
}

namespace {

/// What `int 3` at the caller raises; a filter that continues the execution makes the call return.
void Break(ULONG_PTR information) {
  EXCEPTION_RECORD record = {};
  record.ExceptionCode = STATUS_BREAKPOINT;
  record.NumberParameters = 1;
  record.ExceptionInformation[0] = information;
  RaiseRecord(record);
}

}  // namespace

NT_EXPORT(void, DbgBreakPoint, (), ()) { Break(0); }
NT_EXPORT(void, DbgBreakPointWithStatus, (ULONG status), (status)) { Break(status); }

NT_EXPORT(void, RtlAssert, (PVOID expression, PVOID file, ULONG line, PSTR message),
          (expression, file, line, message)) {
  kd::AssertionFailed(static_cast<const char*>(expression), static_cast<const char*>(file), line, message);
}

// --- the printf family; libc has functions of these names, so the exports have their own and only the label is the
// name --------

#define KD_EXPORT_AS(R, Name, Params)                                                             \
  extern "C" NTIO_MS_ABI R kd_##Name Params __asm__("nt$" #Name);                                 \
  [[gnu::section("ntio_exports"), gnu::used, gnu::aligned(8)]] static ExportRecord kd_row_##Name{ \
      #Name, reinterpret_cast<const void*>(&kd_##Name), "ntoskrnl.exe", nullptr, false};          \
  extern "C" NTIO_MS_ABI R kd_##Name Params

KD_EXPORT_AS(int, sprintf, (char* buffer, const char* format, ...)) {
  KD_FORMAT(text, format);
  std::memcpy(buffer, text.c_str(), text.size() + 1);
  return static_cast<int>(text.size());
}
KD_EXPORT_AS(int, swprintf, (char16_t* buffer, const char16_t* format, ...)) {
  KD_FORMAT(text, format);
  std::memcpy(buffer, text.c_str(), (text.size() + 1) * sizeof(char16_t));
  return static_cast<int>(text.size());
}
KD_EXPORT_AS(int, _snprintf, (char* buffer, size_t count, const char* format, ...)) {
  KD_FORMAT(text, format);
  return kd::Store(buffer, count, text);
}
KD_EXPORT_AS(int, _snwprintf, (char16_t* buffer, size_t count, const char16_t* format, ...)) {
  KD_FORMAT(text, format);
  return kd::Store(buffer, count, text);
}
KD_EXPORT_AS(int, _vsnprintf, (char* buffer, size_t count, const char* format, __builtin_ms_va_list arguments)) {
  return kd::Store(buffer, count, kd::Format(format, arguments));
}
KD_EXPORT_AS(int, _vsnwprintf,
             (char16_t* buffer, size_t count, const char16_t* format, __builtin_ms_va_list arguments)) {
  return kd::Store(buffer, count, kd::Format(format, arguments));
}
