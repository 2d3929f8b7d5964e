// CHECK: a broken invariant of the runtime itself. On in release builds. A driver's fault is never a CHECK: it is a bug
// check (src/ke/bug_check.h) or a verifier report.
#pragma once

namespace nt {

/// Prints the message and ends the process by abort(), so that a debugger or a core dump finds the state.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const char* message);

}  // namespace nt

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::nt::CheckFailed(__FILE__, __LINE__, #condition, nullptr);            \
  } while (0)

#define CHECK_MSG(condition, message)                                        \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::nt::CheckFailed(__FILE__, __LINE__, #condition, message);            \
  } while (0)

#ifdef NDEBUG
#define DCHECK(condition) static_cast<void>(sizeof(!(condition)))
#else
#define DCHECK(condition) CHECK(condition)
#endif
