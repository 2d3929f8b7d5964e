// The wide-character routines of ntoskrnl for drivers. The runtime (ELF) passes on to the system's header.
#ifdef __ELF__
#include_next <wchar.h>
#else
#ifndef WDK_WCHAR_H_
#define WDK_WCHAR_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef WEOF
typedef unsigned short wint_t;
#define WEOF ((wint_t)0xFFFF)
#endif
#ifndef WCHAR_MAX
#define WCHAR_MIN 0x0000
#define WCHAR_MAX 0xFFFF
#endif

size_t __cdecl wcslen(const wchar_t *str);
size_t __cdecl wcsnlen(const wchar_t *str, size_t max);
wchar_t *__cdecl wcscpy(wchar_t *dest, const wchar_t *src);
wchar_t *__cdecl wcsncpy(wchar_t *dest, const wchar_t *src, size_t count);
wchar_t *__cdecl wcscat(wchar_t *dest, const wchar_t *src);
wchar_t *__cdecl wcsncat(wchar_t *dest, const wchar_t *src, size_t count);
int __cdecl wcscmp(const wchar_t *str1, const wchar_t *str2);
int __cdecl wcsncmp(const wchar_t *str1, const wchar_t *str2, size_t count);
int __cdecl _wcsicmp(const wchar_t *str1, const wchar_t *str2);
int __cdecl _wcsnicmp(const wchar_t *str1, const wchar_t *str2, size_t count);
wchar_t *__cdecl wcschr(const wchar_t *str, wchar_t c);
wchar_t *__cdecl wcsrchr(const wchar_t *str, wchar_t c);
wchar_t *__cdecl wcsstr(const wchar_t *str, const wchar_t *sub);
size_t __cdecl wcsspn(const wchar_t *str, const wchar_t *set);
size_t __cdecl wcscspn(const wchar_t *str, const wchar_t *set);
wchar_t *__cdecl _wcslwr(wchar_t *str);
wchar_t *__cdecl _wcsupr(wchar_t *str);
wchar_t *__cdecl _wcsrev(wchar_t *str);
wchar_t *__cdecl _wcsnset(wchar_t *str, wchar_t c, size_t count);
int __cdecl wcscpy_s(wchar_t *dest, size_t dest_size, const wchar_t *src);
int __cdecl wcsncpy_s(wchar_t *dest, size_t dest_size, const wchar_t *src, size_t count);
int __cdecl wcscat_s(wchar_t *dest, size_t dest_size, const wchar_t *src);
int __cdecl wcsncat_s(wchar_t *dest, size_t dest_size, const wchar_t *src, size_t count);
wchar_t __cdecl towlower(wchar_t c);
wchar_t __cdecl towupper(wchar_t c);
int __cdecl iswdigit(wchar_t c);
int __cdecl iswspace(wchar_t c);
int __cdecl iswctype(wchar_t c, unsigned short type);
unsigned long __cdecl wcstoul(const wchar_t *str, wchar_t **end, int radix);
long __cdecl wcstol(const wchar_t *str, wchar_t **end, int radix);

#ifdef __cplusplus
}
#endif

#endif
#endif
