// The character classes of ntoskrnl for drivers. The runtime (ELF) passes on to the system's header.
#ifdef __ELF__
#include_next <ctype.h>
#else
#ifndef WDK_CTYPE_H_
#define WDK_CTYPE_H_

#ifdef __cplusplus
extern "C" {
#endif

int __cdecl isalpha(int c);
int __cdecl isupper(int c);
int __cdecl islower(int c);
int __cdecl isdigit(int c);
int __cdecl isxdigit(int c);
int __cdecl isspace(int c);
int __cdecl isalnum(int c);
int __cdecl isprint(int c);
int __cdecl ispunct(int c);
int __cdecl iscntrl(int c);
int __cdecl toupper(int c);
int __cdecl tolower(int c);
#define __isascii(c) ((unsigned)(c) < 0x80)
#define isascii __isascii
#define __toascii(c) ((c) & 0x7f)

#ifdef __cplusplus
}
#endif

#endif
#endif
