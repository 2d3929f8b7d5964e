// The few Rtl routines that every program of this kind calls. They touch nothing but what they are given.
#include "src/rtl/rtl.h"

#include "ntio/ntdll.h"

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING string, PCWSTR text) { nt::rtl::InitUnicodeString(string, text); }
