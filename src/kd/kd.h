// Debug output of drivers: DbgPrint and its relatives, and the formatted output of the kernel's C library.
#pragma once

#include <string>

#include "ntdef.h"

namespace nt::kd {

/// Whether DbgPrint goes to standard error. It is formatted and dropped otherwise. Default: no.
void SetPrinting(bool print);
bool IsPrinting();
void Print(const std::string& text);

/// RtlAssert: a bug check that names the assertion.
[[noreturn]] void AssertionFailed(const char* expression, const char* file, ULONG line, const char* message);

}  // namespace nt::kd
