// The C run-time routines that NT's kernel exports, for the helper image. WCHAR is 16 bits; the locale is "C".
#pragma once

#include <stddef.h>

#define EXPORT __declspec(dllexport)

EXPORT void *memcpy(void *to, const void *from, size_t bytes);
EXPORT void *memmove(void *to, const void *from, size_t bytes);
EXPORT void *memset(void *to, int value, size_t bytes);
EXPORT int tolower(int c);
EXPORT int toupper(int c);
