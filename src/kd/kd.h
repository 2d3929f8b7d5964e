// Debug output of drivers: DbgPrint and its relatives, and the formatted output of the kernel's C library.
#pragma once

#include <string>

namespace nt::kd {

/// Whether DbgPrint goes to standard error. It is formatted and dropped otherwise. Default: no.
void SetPrinting(bool print);
void Print(const std::string& text);

}  // namespace nt::kd
