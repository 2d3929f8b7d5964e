// The formatting routines of ntoskrnl for drivers. The runtime (ELF) passes on to the system's header.
#ifdef __ELF__
#include_next <stdio.h>
#else
#ifndef WDK_STDIO_H_
#define WDK_STDIO_H_

#include <stdarg.h>
#include <stddef.h>

#define _TRUNCATE ((size_t)-1)

#ifdef __cplusplus
extern "C" {
#endif

int __cdecl sprintf(char *buffer, const char *format, ...);
int __cdecl _snprintf(char *buffer, size_t count, const char *format, ...);
int __cdecl _snwprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...);
int __cdecl swprintf(wchar_t *buffer, const wchar_t *format, ...);
int __cdecl vsprintf(char *buffer, const char *format, va_list args);
int __cdecl _vsnprintf(char *buffer, size_t count, const char *format, va_list args);
int __cdecl _vsnwprintf(wchar_t *buffer, size_t count, const wchar_t *format, va_list args);
int __cdecl sprintf_s(char *buffer, size_t size, const char *format, ...);
int __cdecl _snprintf_s(char *buffer, size_t size, size_t count, const char *format, ...);
int __cdecl _snwprintf_s(wchar_t *buffer, size_t size, size_t count, const wchar_t *format, ...);
int __cdecl swprintf_s(wchar_t *buffer, size_t size, const wchar_t *format, ...);
int __cdecl vsprintf_s(char *buffer, size_t size, const char *format, va_list args);
int __cdecl sscanf_s(const char *buffer, const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
#endif
