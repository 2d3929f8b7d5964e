// The number and sorting routines of ntoskrnl for drivers. The runtime (ELF) passes on to the system's header.
#ifdef __ELF__
#include_next <stdlib.h>
#else
#ifndef WDK_STDLIB_H_
#define WDK_STDLIB_H_

#include <stddef.h>

#ifndef _countof
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif
#define _MAX_PATH 260
#define _MAX_DRIVE 3
#define _MAX_DIR 256
#define _MAX_FNAME 256
#define _MAX_EXT 256
#ifndef __cplusplus
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

int __cdecl abs(int n);
long __cdecl labs(long n);
int __cdecl atoi(const char *str);
long __cdecl atol(const char *str);
long long __cdecl _atoi64(const char *str);
long __cdecl strtol(const char *str, char **end, int radix);
unsigned long __cdecl strtoul(const char *str, char **end, int radix);
int __cdecl _wtoi(const wchar_t *str);
long __cdecl _wtol(const wchar_t *str);
char *__cdecl _itoa(int value, char *buffer, int radix);
wchar_t *__cdecl _itow(int value, wchar_t *buffer, int radix);
int __cdecl _itoa_s(int value, char *buffer, size_t size, int radix);
int __cdecl _itow_s(int value, wchar_t *buffer, size_t size, int radix);
int __cdecl rand(void);
void __cdecl srand(unsigned int seed);
void __cdecl qsort(void *base, size_t count, size_t width, int(__cdecl *compare)(const void *, const void *));
void *__cdecl bsearch(const void *key, const void *base, size_t count, size_t width,
                      int(__cdecl *compare)(const void *, const void *));
unsigned short __cdecl _byteswap_ushort(unsigned short value);
unsigned long __cdecl _byteswap_ulong(unsigned long value);
unsigned __int64 __cdecl _byteswap_uint64(unsigned __int64 value);
unsigned int __cdecl _rotl(unsigned int value, int shift);
unsigned int __cdecl _rotr(unsigned int value, int shift);

#ifdef __cplusplus
}
#endif

#endif
#endif
