// Counted and bounded string operations (RtlStringCb*, RtlStringCch*, RtlUnicodeString*), inline.
//
// The contract of the whole family: a destination is always terminated (except UNICODE_STRINGs, which are counted), what
// does not fit is cut and STATUS_BUFFER_OVERFLOW returned, a size of 0 or above NTSTRSAFE_MAX_CCH is
// STATUS_INVALID_PARAMETER. Cb counts bytes, Cch characters. The Ex forms also give the end and what remains.
#ifndef WDK_NTSTRSAFE_H_
#define WDK_NTSTRSAFE_H_

#include <stdarg.h>
#include <stddef.h>

#include "ntdef.h"
#ifndef WIN32_NO_STATUS
#include "ntstatus.h"
#endif

#ifndef __ELF__
#include <stdio.h>

#ifndef NTSTRSAFE_MAX_CCH
#define NTSTRSAFE_MAX_CCH 2147483647
#endif
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(wchar_t))
#define NTSTRSAFE_MAX_LENGTH (NTSTRSAFE_MAX_CCH - 1)

#define STRSAFE_IGNORE_NULLS 0x00000100
#define STRSAFE_FILL_BEHIND_NULL 0x00000200
#define STRSAFE_FILL_ON_FAILURE 0x00000400
#define STRSAFE_NULL_ON_FAILURE 0x00000800
#define STRSAFE_NO_TRUNCATION 0x00001000
#define STRSAFE_ZERO_LENGTH_ON_FAILURE STRSAFE_NULL_ON_FAILURE
#define STRSAFE_FILL_BEHIND STRSAFE_FILL_BEHIND_NULL
#define STRSAFE_FILL_BYTE(x) ((unsigned long)(((x) & 0xFF) | STRSAFE_FILL_BEHIND_NULL))
#define STRSAFE_FAILURE_BYTE(x) ((unsigned long)(((x) & 0xFF) | STRSAFE_FILL_ON_FAILURE))

typedef char *NTSTRSAFE_PSTR;
typedef const char *NTSTRSAFE_PCSTR;
typedef wchar_t *NTSTRSAFE_PWSTR;
typedef const wchar_t *NTSTRSAFE_PCWSTR;
typedef const wchar_t *NTSTRSAFE_PCUWSTR;

// ---- one body for both character types ----
// Internal helpers: WdkStr<operation><A|W>. Sizes are in characters and already checked.

#define WDK_STRSAFE_COMMON_(Suffix, Char)                                                                            \
  FORCEINLINE NTSTATUS WdkStrLength##Suffix(const Char *Str, size_t Max, size_t *Length) {                          \
    size_t At = 0;                                                                                                   \
    while (At < Max && Str[At] != 0) {                                                                               \
      At++;                                                                                                          \
    }                                                                                                                \
    if (Length) {                                                                                                    \
      *Length = At == Max ? 0 : At;                                                                                  \
    }                                                                                                                \
    return At == Max ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;                                                    \
  }                                                                                                                  \
  FORCEINLINE NTSTATUS WdkStrCopy##Suffix(Char *Dest, size_t Size, size_t *Copied, const Char *Src, size_t Count) { \
    size_t At = 0;                                                                                                   \
    NTSTATUS Status = STATUS_SUCCESS;                                                                                \
    while (At < Size && At < Count && Src[At] != 0) {                                                                \
      Dest[At] = Src[At];                                                                                            \
      At++;                                                                                                          \
    }                                                                                                                \
    if (At == Size) {                                                                                                \
      At--;                                                                                                          \
      Status = STATUS_BUFFER_OVERFLOW;                                                                               \
    }                                                                                                                \
    Dest[At] = 0;                                                                                                    \
    if (Copied) {                                                                                                    \
      *Copied = At;                                                                                                  \
    }                                                                                                                \
    return Status;                                                                                                   \
  }                                                                                                                  \
  FORCEINLINE NTSTATUS WdkStrCheck##Suffix(size_t Size) {                                                           \
    return (Size == 0 || Size > NTSTRSAFE_MAX_CCH) ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;                      \
  }                                                                                                                  \
  /* After an operation: what the flags ask for, then the outputs. */                                                \
  FORCEINLINE NTSTATUS WdkStrFinish##Suffix(NTSTATUS Status, Char *Dest, size_t Size, size_t Used, Char **DestEnd,  \
                                            size_t *Remaining, ULONG Flags) {                                        \
    unsigned char *Bytes = (unsigned char *)Dest;                                                                    \
    size_t At;                                                                                                       \
    if (Status == STATUS_SUCCESS) {                                                                                  \
      if (Flags & STRSAFE_FILL_BEHIND_NULL) {                                                                        \
        for (At = (Used + 1) * sizeof(Char); At < Size * sizeof(Char); At++) {                                       \
          Bytes[At] = (unsigned char)Flags;                                                                          \
        }                                                                                                            \
      }                                                                                                              \
    } else if (Size != 0) {                                                                                          \
      if (Flags & STRSAFE_FILL_ON_FAILURE) {                                                                         \
        for (At = 0; At < Size * sizeof(Char); At++) {                                                               \
          Bytes[At] = (unsigned char)Flags;                                                                          \
        }                                                                                                            \
        if ((Flags & 0xFF) == 0) {                                                                                   \
          Used = 0;                                                                                                  \
        } else {                                                                                                     \
          Used = Size - 1;                                                                                           \
          Dest[Used] = 0;                                                                                            \
        }                                                                                                            \
      }                                                                                                              \
      if (Flags & (STRSAFE_NULL_ON_FAILURE | STRSAFE_NO_TRUNCATION)) {                                               \
        Used = 0;                                                                                                    \
        Dest[0] = 0;                                                                                                 \
      }                                                                                                              \
    }                                                                                                                \
    if (NT_SUCCESS(Status) || Status == STATUS_BUFFER_OVERFLOW) {                                                    \
      if (DestEnd) {                                                                                                 \
        *DestEnd = Dest + Used;                                                                                      \
      }                                                                                                              \
      if (Remaining) {                                                                                               \
        *Remaining = Size - Used;                                                                                    \
      }                                                                                                              \
    }                                                                                                                \
    return Status;                                                                                                   \
  }                                                                                                                  \
  FORCEINLINE NTSTATUS WdkStrCopyAll##Suffix(Char *Dest, size_t Size, const Char *Src, size_t Count, Char **DestEnd, \
                                             size_t *Remaining, ULONG Flags) {                                       \
    static const Char Empty = 0;                                                                                     \
    size_t Used = 0;                                                                                                 \
    NTSTATUS Status = WdkStrCheck##Suffix(Size);                                                                     \
    if (!NT_SUCCESS(Status)) {                                                                                       \
      return Status;                                                                                                 \
    }                                                                                                                \
    if (Src == NULL && (Flags & STRSAFE_IGNORE_NULLS)) {                                                             \
      Src = &Empty;                                                                                                  \
    }                                                                                                                \
    Status = WdkStrCopy##Suffix(Dest, Size, &Used, Src, Count);                                                      \
    return WdkStrFinish##Suffix(Status, Dest, Size, Used, DestEnd, Remaining, Flags);                                \
  }                                                                                                                  \
  FORCEINLINE NTSTATUS WdkStrCat##Suffix(Char *Dest, size_t Size, const Char *Src, size_t Count, Char **DestEnd,    \
                                         size_t *Remaining, ULONG Flags) {                                           \
    static const Char Empty = 0;                                                                                     \
    size_t Before = 0, Used = 0;                                                                                     \
    NTSTATUS Status = WdkStrCheck##Suffix(Size);                                                                     \
    if (!NT_SUCCESS(Status)) {                                                                                       \
      return Status;                                                                                                 \
    }                                                                                                                \
    Status = WdkStrLength##Suffix(Dest, Size, &Before);                                                              \
    if (!NT_SUCCESS(Status)) {                                                                                       \
      return Status;                                                                                                 \
    }                                                                                                                \
    if (Src == NULL && (Flags & STRSAFE_IGNORE_NULLS)) {                                                             \
      Src = &Empty;                                                                                                  \
    }                                                                                                                \
    Status = WdkStrCopy##Suffix(Dest + Before, Size - Before, &Used, Src, Count);                                    \
    if (Status != STATUS_SUCCESS && (Flags & STRSAFE_NO_TRUNCATION)) {                                               \
      Dest[Before] = 0;                                                                                              \
      Flags &= ~(ULONG)STRSAFE_NO_TRUNCATION;                                                                        \
      Used = 0;                                                                                                      \
    }                                                                                                                \
    return WdkStrFinish##Suffix(Status, Dest, Size, Before + Used, DestEnd, Remaining, Flags);                       \
  }

WDK_STRSAFE_COMMON_(A, char)
WDK_STRSAFE_COMMON_(W, wchar_t)
#undef WDK_STRSAFE_COMMON_

/// Formats; ntoskrnl's _vsnprintf gives a negative count, or exactly the room, when text is cut.
FORCEINLINE NTSTATUS WdkStrFormatA(char *Dest, size_t Size, size_t *Used, const char *Format, va_list Args) {
  NTSTATUS Status = STATUS_SUCCESS;
  int Length = _vsnprintf(Dest, Size - 1, Format, Args);
  if (Length < 0 || (size_t)Length > Size - 1) {
    Length = (int)(Size - 1);
    Status = STATUS_BUFFER_OVERFLOW;
  }
  Dest[Length] = 0;
  *Used = (size_t)Length;
  return Status;
}
FORCEINLINE NTSTATUS WdkStrFormatW(wchar_t *Dest, size_t Size, size_t *Used, const wchar_t *Format, va_list Args) {
  NTSTATUS Status = STATUS_SUCCESS;
  int Length = _vsnwprintf(Dest, Size - 1, Format, Args);
  if (Length < 0 || (size_t)Length > Size - 1) {
    Length = (int)(Size - 1);
    Status = STATUS_BUFFER_OVERFLOW;
  }
  Dest[Length] = 0;
  *Used = (size_t)Length;
  return Status;
}

// ---- the public forms ----

#define WDK_STRSAFE_FORMS_(Suffix, Char)                                                                              \
  FORCEINLINE NTSTATUS RtlStringCchCopy##Suffix(Char *Dest, size_t CchDest, const Char *Src) {                       \
    return WdkStrCopyAll##Suffix(Dest, CchDest, Src, NTSTRSAFE_MAX_CCH, NULL, NULL, 0);                               \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCbCopy##Suffix(Char *Dest, size_t CbDest, const Char *Src) {                         \
    return WdkStrCopyAll##Suffix(Dest, CbDest / sizeof(Char), Src, NTSTRSAFE_MAX_CCH, NULL, NULL, 0);                 \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCchCopyEx##Suffix(Char *Dest, size_t CchDest, const Char *Src, Char **DestEnd,       \
                                                  size_t *CchRemaining, ULONG Flags) {                                \
    return WdkStrCopyAll##Suffix(Dest, CchDest, Src, NTSTRSAFE_MAX_CCH, DestEnd, CchRemaining, Flags);                \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCbCopyEx##Suffix(Char *Dest, size_t CbDest, const Char *Src, Char **DestEnd,         \
                                                 size_t *CbRemaining, ULONG Flags) {                                  \
    size_t Cch = 0;                                                                                                   \
    NTSTATUS Status =                                                                                                 \
        WdkStrCopyAll##Suffix(Dest, CbDest / sizeof(Char), Src, NTSTRSAFE_MAX_CCH, DestEnd, &Cch, Flags);             \
    if (CbRemaining && (NT_SUCCESS(Status) || Status == STATUS_BUFFER_OVERFLOW)) {                                    \
      *CbRemaining = Cch * sizeof(Char) + CbDest % sizeof(Char);                                                      \
    }                                                                                                                 \
    return Status;                                                                                                    \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCchCopyN##Suffix(Char *Dest, size_t CchDest, const Char *Src, size_t CchToCopy) {    \
    if (CchToCopy > NTSTRSAFE_MAX_CCH) {                                                                              \
      return STATUS_INVALID_PARAMETER;                                                                                \
    }                                                                                                                 \
    return WdkStrCopyAll##Suffix(Dest, CchDest, Src, CchToCopy, NULL, NULL, 0);                                       \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCbCopyN##Suffix(Char *Dest, size_t CbDest, const Char *Src, size_t CbToCopy) {       \
    if (CbToCopy / sizeof(Char) > NTSTRSAFE_MAX_CCH) {                                                                \
      return STATUS_INVALID_PARAMETER;                                                                                \
    }                                                                                                                 \
    return WdkStrCopyAll##Suffix(Dest, CbDest / sizeof(Char), Src, CbToCopy / sizeof(Char), NULL, NULL, 0);           \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCchCat##Suffix(Char *Dest, size_t CchDest, const Char *Src) {                        \
    return WdkStrCat##Suffix(Dest, CchDest, Src, NTSTRSAFE_MAX_CCH, NULL, NULL, 0);                                   \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCbCat##Suffix(Char *Dest, size_t CbDest, const Char *Src) {                          \
    return WdkStrCat##Suffix(Dest, CbDest / sizeof(Char), Src, NTSTRSAFE_MAX_CCH, NULL, NULL, 0);                     \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCchCatEx##Suffix(Char *Dest, size_t CchDest, const Char *Src, Char **DestEnd,        \
                                                 size_t *CchRemaining, ULONG Flags) {                                 \
    return WdkStrCat##Suffix(Dest, CchDest, Src, NTSTRSAFE_MAX_CCH, DestEnd, CchRemaining, Flags);                    \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCbCatEx##Suffix(Char *Dest, size_t CbDest, const Char *Src, Char **DestEnd,          \
                                                size_t *CbRemaining, ULONG Flags) {                                   \
    size_t Cch = 0;                                                                                                   \
    NTSTATUS Status = WdkStrCat##Suffix(Dest, CbDest / sizeof(Char), Src, NTSTRSAFE_MAX_CCH, DestEnd, &Cch, Flags);   \
    if (CbRemaining && (NT_SUCCESS(Status) || Status == STATUS_BUFFER_OVERFLOW)) {                                    \
      *CbRemaining = Cch * sizeof(Char) + CbDest % sizeof(Char);                                                      \
    }                                                                                                                 \
    return Status;                                                                                                    \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCchCatN##Suffix(Char *Dest, size_t CchDest, const Char *Src, size_t CchToAppend) {   \
    if (CchToAppend > NTSTRSAFE_MAX_CCH) {                                                                            \
      return STATUS_INVALID_PARAMETER;                                                                                \
    }                                                                                                                 \
    return WdkStrCat##Suffix(Dest, CchDest, Src, CchToAppend, NULL, NULL, 0);                                         \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCbCatN##Suffix(Char *Dest, size_t CbDest, const Char *Src, size_t CbToAppend) {      \
    if (CbToAppend / sizeof(Char) > NTSTRSAFE_MAX_CCH) {                                                              \
      return STATUS_INVALID_PARAMETER;                                                                                \
    }                                                                                                                 \
    return WdkStrCat##Suffix(Dest, CbDest / sizeof(Char), Src, CbToAppend / sizeof(Char), NULL, NULL, 0);             \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCchLength##Suffix(const Char *Str, size_t CchMax, size_t *CchLength) {               \
    if (Str == NULL || CchMax > NTSTRSAFE_MAX_CCH) {                                                                  \
      if (CchLength) {                                                                                                \
        *CchLength = 0;                                                                                               \
      }                                                                                                               \
      return STATUS_INVALID_PARAMETER;                                                                                \
    }                                                                                                                 \
    return WdkStrLength##Suffix(Str, CchMax, CchLength);                                                              \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCbLength##Suffix(const Char *Str, size_t CbMax, size_t *CbLength) {                  \
    NTSTATUS Status = RtlStringCchLength##Suffix(Str, CbMax / sizeof(Char), CbLength);                                \
    if (NT_SUCCESS(Status) && CbLength) {                                                                             \
      *CbLength *= sizeof(Char);                                                                                      \
    }                                                                                                                 \
    return Status;                                                                                                    \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCchVPrintf##Suffix(Char *Dest, size_t CchDest, const Char *Format, va_list Args) {   \
    size_t Used;                                                                                                      \
    NTSTATUS Status = WdkStrCheck##Suffix(CchDest);                                                                   \
    return NT_SUCCESS(Status) ? WdkStrFormat##Suffix(Dest, CchDest, &Used, Format, Args) : Status;                    \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCbVPrintf##Suffix(Char *Dest, size_t CbDest, const Char *Format, va_list Args) {     \
    return RtlStringCchVPrintf##Suffix(Dest, CbDest / sizeof(Char), Format, Args);                                    \
  }                                                                                                                   \
  FORCEINLINE NTSTATUS RtlStringCchVPrintfEx##Suffix(Char *Dest, size_t CchDest, Char **DestEnd,                     \
                                                     size_t *CchRemaining, ULONG Flags, const Char *Format,           \
                                                     va_list Args) {                                                  \
    size_t Used = 0;                                                                                                  \
    NTSTATUS Status = WdkStrCheck##Suffix(CchDest);                                                                   \
    if (!NT_SUCCESS(Status)) {                                                                                        \
      return Status;                                                                                                  \
    }                                                                                                                 \
    if (Format == NULL && (Flags & STRSAFE_IGNORE_NULLS)) {                                                           \
      Dest[0] = 0;                                                                                                    \
    } else {                                                                                                          \
      Status = WdkStrFormat##Suffix(Dest, CchDest, &Used, Format, Args);                                              \
    }                                                                                                                 \
    return WdkStrFinish##Suffix(Status, Dest, CchDest, Used, DestEnd, CchRemaining, Flags);                           \
  }                                                                                                                   \
  static __inline__ __attribute__((unused)) NTSTATUS __cdecl RtlStringCchPrintf##Suffix(                              \
      Char *Dest, size_t CchDest, const Char *Format, ...) {                                                          \
    NTSTATUS Status;                                                                                                  \
    va_list Args;                                                                                                     \
    va_start(Args, Format);                                                                                           \
    Status = RtlStringCchVPrintf##Suffix(Dest, CchDest, Format, Args);                                                \
    va_end(Args);                                                                                                     \
    return Status;                                                                                                    \
  }                                                                                                                   \
  static __inline__ __attribute__((unused)) NTSTATUS __cdecl RtlStringCbPrintf##Suffix(                               \
      Char *Dest, size_t CbDest, const Char *Format, ...) {                                                           \
    NTSTATUS Status;                                                                                                  \
    va_list Args;                                                                                                     \
    va_start(Args, Format);                                                                                           \
    Status = RtlStringCchVPrintf##Suffix(Dest, CbDest / sizeof(Char), Format, Args);                                  \
    va_end(Args);                                                                                                     \
    return Status;                                                                                                    \
  }                                                                                                                   \
  static __inline__ __attribute__((unused)) NTSTATUS __cdecl RtlStringCchPrintfEx##Suffix(                            \
      Char *Dest, size_t CchDest, Char **DestEnd, size_t *CchRemaining, ULONG Flags, const Char *Format, ...) {       \
    NTSTATUS Status;                                                                                                  \
    va_list Args;                                                                                                     \
    va_start(Args, Format);                                                                                           \
    Status = RtlStringCchVPrintfEx##Suffix(Dest, CchDest, DestEnd, CchRemaining, Flags, Format, Args);                \
    va_end(Args);                                                                                                     \
    return Status;                                                                                                    \
  }                                                                                                                   \
  static __inline__ __attribute__((unused)) NTSTATUS __cdecl RtlStringCbPrintfEx##Suffix(                             \
      Char *Dest, size_t CbDest, Char **DestEnd, size_t *CbRemaining, ULONG Flags, const Char *Format, ...) {         \
    NTSTATUS Status;                                                                                                  \
    size_t Cch = 0;                                                                                                   \
    va_list Args;                                                                                                     \
    va_start(Args, Format);                                                                                           \
    Status = RtlStringCchVPrintfEx##Suffix(Dest, CbDest / sizeof(Char), DestEnd, &Cch, Flags, Format, Args);          \
    va_end(Args);                                                                                                     \
    if (CbRemaining && (NT_SUCCESS(Status) || Status == STATUS_BUFFER_OVERFLOW)) {                                    \
      *CbRemaining = Cch * sizeof(Char) + CbDest % sizeof(Char);                                                      \
    }                                                                                                                 \
    return Status;                                                                                                    \
  }

WDK_STRSAFE_FORMS_(A, char)
WDK_STRSAFE_FORMS_(W, wchar_t)
#undef WDK_STRSAFE_FORMS_

// ---- counted strings ----

#define WDK_USTR_CCH_(Bytes) ((size_t)(Bytes) / sizeof(wchar_t))

/// Lengths even, Length <= MaximumLength, and a buffer where there is a length.
FORCEINLINE NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING SourceString) {
  if (SourceString == NULL || (SourceString->Length & 1) || (SourceString->MaximumLength & 1) ||
      SourceString->Length > SourceString->MaximumLength ||
      (SourceString->Buffer == NULL && SourceString->MaximumLength != 0)) {
    return STATUS_INVALID_PARAMETER;
  }
  return STATUS_SUCCESS;
}
FORCEINLINE NTSTATUS RtlUnicodeStringValidateEx(PCUNICODE_STRING SourceString, ULONG Flags) {
  if (SourceString == NULL && (Flags & STRSAFE_IGNORE_NULLS)) {
    return STATUS_SUCCESS;
  }
  return RtlUnicodeStringValidate(SourceString);
}
FORCEINLINE NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, const wchar_t *Src) {
  size_t Length = 0;
  if (Src != NULL) {
    while (Src[Length] != 0) {
      if (++Length >= NTSTRSAFE_UNICODE_STRING_MAX_CCH) {
        return STATUS_INVALID_PARAMETER;
      }
    }
  }
  DestinationString->Length = (USHORT)(Length * sizeof(wchar_t));
  DestinationString->MaximumLength = Src ? (USHORT)((Length + 1) * sizeof(wchar_t)) : 0;
  DestinationString->Buffer = (PWCH)Src;
  return STATUS_SUCCESS;
}
/// Writes Src, at most Count characters, at character At of the destination.
FORCEINLINE NTSTATUS WdkUnicodeStringPut(PUNICODE_STRING Dest, size_t At, const wchar_t *Src, size_t Count) {
  NTSTATUS Status = RtlUnicodeStringValidate(Dest);
  size_t Room, Used = 0;
  if (!NT_SUCCESS(Status)) {
    return Status;
  }
  Room = WDK_USTR_CCH_(Dest->MaximumLength);
  while (Used < Count && Src[Used] != 0) {
    if (At + Used >= Room) {
      Status = STATUS_BUFFER_OVERFLOW;
      break;
    }
    Dest->Buffer[At + Used] = Src[Used];
    Used++;
  }
  Dest->Length = (USHORT)((At + Used) * sizeof(wchar_t));
  return Status;
}
/// The same for counted sources, in which a null character is text.
FORCEINLINE NTSTATUS WdkUnicodeStringPutCounted(PUNICODE_STRING Dest, size_t At, PCUNICODE_STRING Src, size_t Count) {
  NTSTATUS Status = RtlUnicodeStringValidate(Dest);
  size_t Room, Used;
  if (NT_SUCCESS(Status)) {
    Status = RtlUnicodeStringValidate(Src);
  }
  if (!NT_SUCCESS(Status)) {
    return Status;
  }
  if (Count > WDK_USTR_CCH_(Src->Length)) {
    Count = WDK_USTR_CCH_(Src->Length);
  }
  Room = WDK_USTR_CCH_(Dest->MaximumLength) - At;
  if (Count > Room) {
    Count = Room;
    Status = STATUS_BUFFER_OVERFLOW;
  }
  if (Dest->Buffer + At <= Src->Buffer) {
    for (Used = 0; Used < Count; Used++) {
      Dest->Buffer[At + Used] = Src->Buffer[Used];
    }
  } else {
    for (Used = Count; Used-- > 0;) {
      Dest->Buffer[At + Used] = Src->Buffer[Used];
    }
  }
  Dest->Length = (USHORT)((At + Count) * sizeof(wchar_t));
  return Status;
}
FORCEINLINE NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING DestinationString, const wchar_t *Src) {
  return WdkUnicodeStringPut(DestinationString, 0, Src, NTSTRSAFE_MAX_CCH);
}
FORCEINLINE NTSTATUS RtlUnicodeStringCchCopyStringN(PUNICODE_STRING DestinationString, const wchar_t *Src,
                                                    size_t CchToCopy) {
  return WdkUnicodeStringPut(DestinationString, 0, Src, CchToCopy);
}
FORCEINLINE NTSTATUS RtlUnicodeStringCbCopyStringN(PUNICODE_STRING DestinationString, const wchar_t *Src,
                                                   size_t CbToCopy) {
  return WdkUnicodeStringPut(DestinationString, 0, Src, CbToCopy / sizeof(wchar_t));
}
FORCEINLINE NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString) {
  return WdkUnicodeStringPutCounted(DestinationString, 0, SourceString, NTSTRSAFE_MAX_CCH);
}
FORCEINLINE NTSTATUS RtlUnicodeStringCchCopyN(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                              size_t CchToCopy) {
  return WdkUnicodeStringPutCounted(DestinationString, 0, SourceString, CchToCopy);
}
FORCEINLINE NTSTATUS RtlUnicodeStringCbCopyN(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                             size_t CbToCopy) {
  return WdkUnicodeStringPutCounted(DestinationString, 0, SourceString, CbToCopy / sizeof(wchar_t));
}
FORCEINLINE NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING DestinationString, const wchar_t *Src) {
  NTSTATUS Status = RtlUnicodeStringValidate(DestinationString);
  return NT_SUCCESS(Status) ? WdkUnicodeStringPut(DestinationString, WDK_USTR_CCH_(DestinationString->Length), Src,
                                                  NTSTRSAFE_MAX_CCH)
                            : Status;
}
FORCEINLINE NTSTATUS RtlUnicodeStringCchCatStringN(PUNICODE_STRING DestinationString, const wchar_t *Src,
                                                   size_t CchToAppend) {
  NTSTATUS Status = RtlUnicodeStringValidate(DestinationString);
  return NT_SUCCESS(Status)
             ? WdkUnicodeStringPut(DestinationString, WDK_USTR_CCH_(DestinationString->Length), Src, CchToAppend)
             : Status;
}
FORCEINLINE NTSTATUS RtlUnicodeStringCbCatStringN(PUNICODE_STRING DestinationString, const wchar_t *Src,
                                                  size_t CbToAppend) {
  return RtlUnicodeStringCchCatStringN(DestinationString, Src, CbToAppend / sizeof(wchar_t));
}
FORCEINLINE NTSTATUS RtlUnicodeStringCchCatN(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                             size_t CchToAppend) {
  NTSTATUS Status = RtlUnicodeStringValidate(DestinationString);
  return NT_SUCCESS(Status) ? WdkUnicodeStringPutCounted(DestinationString, WDK_USTR_CCH_(DestinationString->Length),
                                                         SourceString, CchToAppend)
                            : Status;
}
FORCEINLINE NTSTATUS RtlUnicodeStringCbCatN(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                            size_t CbToAppend) {
  return RtlUnicodeStringCchCatN(DestinationString, SourceString, CbToAppend / sizeof(wchar_t));
}
FORCEINLINE NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString) {
  return RtlUnicodeStringCchCatN(DestinationString, SourceString, NTSTRSAFE_MAX_CCH);
}
FORCEINLINE NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING DestinationString, const wchar_t *Format, va_list Args) {
  NTSTATUS Status = RtlUnicodeStringValidate(DestinationString);
  size_t Room;
  int Length;
  if (!NT_SUCCESS(Status)) {
    return Status;
  }
  Room = WDK_USTR_CCH_(DestinationString->MaximumLength);
  Length = Room ? _vsnwprintf(DestinationString->Buffer, Room, Format, Args) : -1;
  if (Length < 0 || (size_t)Length > Room) {
    Length = (int)Room;
    Status = STATUS_BUFFER_OVERFLOW;
  }
  DestinationString->Length = (USHORT)((size_t)Length * sizeof(wchar_t));
  return Status;
}
static __inline__ __attribute__((unused)) NTSTATUS __cdecl RtlUnicodeStringPrintf(PUNICODE_STRING DestinationString,
                                                                                  const wchar_t *Format, ...) {
  NTSTATUS Status;
  va_list Args;
  va_start(Args, Format);
  Status = RtlUnicodeStringVPrintf(DestinationString, Format, Args);
  va_end(Args);
  return Status;
}

#endif  // !__ELF__
#endif
