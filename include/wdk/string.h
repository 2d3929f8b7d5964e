// The memory and string routines of ntoskrnl for drivers. The runtime (ELF) passes on to the system's header.
#ifdef __ELF__
#include_next <string.h>
#else
#ifndef WDK_STRING_H_
#define WDK_STRING_H_

#include <stddef.h>

#ifndef _CRTIMP
#define _CRTIMP
#endif

#ifdef __cplusplus
extern "C" {
#endif

void *__cdecl memcpy(void *dest, const void *src, size_t count);
void *__cdecl memmove(void *dest, const void *src, size_t count);
void *__cdecl memset(void *dest, int c, size_t count);
int __cdecl memcmp(const void *buf1, const void *buf2, size_t count);
void *__cdecl memchr(const void *buf, int c, size_t count);
int __cdecl memcpy_s(void *dest, size_t dest_size, const void *src, size_t count);
int __cdecl memmove_s(void *dest, size_t dest_size, const void *src, size_t count);

size_t __cdecl strlen(const char *str);
size_t __cdecl strnlen(const char *str, size_t max);
char *__cdecl strcpy(char *dest, const char *src);
char *__cdecl strncpy(char *dest, const char *src, size_t count);
char *__cdecl strcat(char *dest, const char *src);
char *__cdecl strncat(char *dest, const char *src, size_t count);
int __cdecl strcmp(const char *str1, const char *str2);
int __cdecl strncmp(const char *str1, const char *str2, size_t count);
int __cdecl _stricmp(const char *str1, const char *str2);
int __cdecl _strnicmp(const char *str1, const char *str2, size_t count);
char *__cdecl strchr(const char *str, int c);
char *__cdecl strrchr(const char *str, int c);
char *__cdecl strstr(const char *str, const char *sub);
size_t __cdecl strspn(const char *str, const char *set);
char *__cdecl strpbrk(const char *str, const char *set);
char *__cdecl _strlwr(char *str);
char *__cdecl _strupr(char *str);
char *__cdecl _strrev(char *str);
char *__cdecl _strset(char *str, int c);
int __cdecl strcpy_s(char *dest, size_t dest_size, const char *src);
int __cdecl strncpy_s(char *dest, size_t dest_size, const char *src, size_t count);
int __cdecl strcat_s(char *dest, size_t dest_size, const char *src);
int __cdecl strncat_s(char *dest, size_t dest_size, const char *src, size_t count);

#ifdef __cplusplus
}
#endif

#include <wchar.h>

#endif
#endif
