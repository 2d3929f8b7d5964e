// How the runtime offers a routine to drivers: the export macro and the raise.
//
//   NT_EXPORT(BOOLEAN, CcCopyRead, (PFILE_OBJECT file, ...), (file, ...)) { ... plain C++ ... }
//
// defines the ms_abi routine that drivers call (assembler label nt$CcCopyRead, so that no libc symbol can stand in for it)
// and records it in the section ntio_exports: the loader, the import libraries and `ntio info` are made from that section.
// The body is ordinary C++. It may call nt::Raise; the exception that leaves the body becomes a Windows exception raised at
// the driver's call, as if by ExRaiseStatus. The prototype in include/wdk, when the file includes it, is checked by the compiler.
//
//   NT_EXPORT_PARTIAL(R, Name, (params), (args), "what is missing")   the same, reported as partial
//   NT_EXPORT_VARIADIC(R, Name, (const char* format, ...), ms_abi body) body handles __builtin_ms_va_list itself; must not raise
//   NT_EXPORT_DATA(Name)                                              an exported variable of the runtime: `POBJECT_TYPE IoFileObjectType`
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>

#include "ntdef.h"
#include "ntstatus.h"
#include "src/host/schedule_point.h"

namespace nt {

/// One row of the export table.
struct ExportRecord {
  const char* name;
  const void* address;
  const char* library;         // the module drivers import it from
  const char* partial_reason;  // nullptr: complete
  bool is_data;
};

namespace ldr {

/// What the wrappers that NT_EXPORT makes catch. A type of its own, so that the search for a handler can tell them from a
/// `catch (const SehException&)` of the runtime, even when the body is inlined in the wrapper. Catch SehException, never this.
class DriverBoundary {
 protected:
  DriverBoundary() = default;
};

/// Where an unwind that is under way ends: a frame of a driver whose handler has been chosen, beyond runtime frames.
struct UnwindTarget {
  uint64_t frame = 0;         // establisher frame; 0: no target, the next catch of the runtime takes the exception
  uint64_t ip = 0;
  uint64_t return_value = 0;  // RAX on arrival
};

}  // namespace ldr

/// The one C++ exception of the runtime: a Windows exception on its way through runtime frames.
class SehException : public ldr::DriverBoundary {
 public:
  explicit SehException(const EXCEPTION_RECORD& record, const ldr::UnwindTarget& target = {})
      : record_(record), target_(target) {}
  NTSTATUS code() const { return static_cast<NTSTATUS>(record_.ExceptionCode); }
  const EXCEPTION_RECORD& record() const { return record_; }
  /// Set while a driver's frame farther up has already accepted the exception.
  const ldr::UnwindTarget& target() const { return target_; }

 private:
  EXCEPTION_RECORD record_;
  ldr::UnwindTarget target_;
};

/// Raises `status` as ExRaiseStatus does: noncontinuable, unwinds runtime frames, then reaches the driver that called.
[[noreturn]] void Raise(NTSTATUS status);

/// Raises an exception with a full record (RtlRaiseException).
[[noreturn]] void RaiseRecord(const EXCEPTION_RECORD& record);

namespace ldr {
/// Replaces the return address of the export whose frame is `frame` by the trampoline that raises `exception` in the caller.
void RaiseAtCallerOf(void* frame, const DriverBoundary& exception);

/// What a wrapper returns to the trampoline, which ignores it.
template <class R>
inline R NoValue() {
  return R();
}
}  // namespace ldr

}  // namespace nt

#ifndef NTIO_EXPORT_LIBRARY
#define NTIO_EXPORT_LIBRARY "ntoskrnl.exe"
#endif

#define NTIO_EXPORT_ROW(Name, Address, Reason, IsData)                                                \
  [[gnu::section("ntio_exports"), gnu::used, gnu::aligned(8)]] static ::nt::ExportRecord ntio_export_row_##Name{ \
      #Name, Address, NTIO_EXPORT_LIBRARY, Reason, IsData};

#define NTIO_EXPORT_BODY(R, Name, Params, Args, Reason)                               \
  static R ntio_body_##Name Params;                                                   \
  extern "C" NTIO_MS_ABI R Name Params __asm__("nt$" #Name);                          \
  NTIO_EXPORT_ROW(Name, reinterpret_cast<const void*>(&Name), Reason, false)          \
  extern "C" NTIO_MS_ABI R Name Params {                                              \
    ::host::SchedulePoint();                                                          \
    try {                                                                             \
      return ntio_body_##Name Args;                                                   \
    } catch (const ::nt::ldr::DriverBoundary& exception) {                            \
      ::nt::ldr::RaiseAtCallerOf(__builtin_frame_address(0), exception);              \
    }                                                                                 \
    return ::nt::ldr::NoValue<R>();                                                   \
  }                                                                                   \
  static R ntio_body_##Name Params

#define NT_EXPORT(R, Name, Params, Args) NTIO_EXPORT_BODY(R, Name, Params, Args, nullptr)
#define NT_EXPORT_PARTIAL(R, Name, Params, Args, Reason) NTIO_EXPORT_BODY(R, Name, Params, Args, Reason)

#define NT_EXPORT_VARIADIC(R, Name, Params)                                    \
  extern "C" NTIO_MS_ABI R Name Params __asm__("nt$" #Name);                   \
  NTIO_EXPORT_ROW(Name, reinterpret_cast<const void*>(&Name), nullptr, false)  \
  extern "C" NTIO_MS_ABI R Name Params

/// For a variable with external linkage that the runtime defines and drivers import by address.
#define NT_EXPORT_DATA(Name) NTIO_EXPORT_ROW(Name, reinterpret_cast<const void*>(&Name), nullptr, true)
