// printf as Windows' kernel has it: the conversions of its C library, and %Z / %wZ for counted strings.
#pragma once

#include <cstddef>
#include <string>

#include "ntifs.h"

namespace nt::kd {

/// Formats `format` with the arguments of an ms_abi variadic function. In `%s` and `%c` the width of `Char` is the default, as
/// Windows has it; h, l and w choose narrow or wide. Wide text becomes UTF-8 in narrow output, narrow text is taken as Latin-1
/// in wide output.
std::string Format(const char* format, __builtin_ms_va_list arguments);
std::u16string Format(const char16_t* format, __builtin_ms_va_list arguments);

}  // namespace nt::kd
