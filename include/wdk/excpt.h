// Structured exception handling in C: the keywords as drivers of the WDK era write them. Values and types: ntdef.h.
// In C++ `try` is the language's own; C++ drivers write __try.
#ifndef WDK_EXCPT_H_
#define WDK_EXCPT_H_

#include "ntdef.h"

#if !defined(__ELF__) && !defined(__cplusplus)
#define try __try
#define except __except
#define finally __finally
#define leave __leave
#endif

#endif
