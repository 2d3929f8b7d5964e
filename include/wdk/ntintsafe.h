// Integer conversions and arithmetic that answer STATUS_INTEGER_OVERFLOW instead of wrapping (RtlULongAdd and kin).
// On overflow the result is the type's error value, all ones or -1, as documented for intsafe.h.
#ifndef WDK_NTINTSAFE_H_
#define WDK_NTINTSAFE_H_

#include "ntdef.h"
#ifndef WIN32_NO_STATUS
#include "ntstatus.h"
#endif

#define WDK_SAFE_MATH_(Name, Type, Error)                                                      \
  FORCEINLINE NTSTATUS Rtl##Name##Add(Type Augend, Type Addend, Type *Result) {               \
    if (__builtin_add_overflow(Augend, Addend, Result)) {                                      \
      *Result = (Type)(Error);                                                                 \
      return STATUS_INTEGER_OVERFLOW;                                                          \
    }                                                                                          \
    return STATUS_SUCCESS;                                                                     \
  }                                                                                            \
  FORCEINLINE NTSTATUS Rtl##Name##Sub(Type Minuend, Type Subtrahend, Type *Result) {          \
    if (__builtin_sub_overflow(Minuend, Subtrahend, Result)) {                                 \
      *Result = (Type)(Error);                                                                 \
      return STATUS_INTEGER_OVERFLOW;                                                          \
    }                                                                                          \
    return STATUS_SUCCESS;                                                                     \
  }                                                                                            \
  FORCEINLINE NTSTATUS Rtl##Name##Mult(Type Multiplicand, Type Multiplier, Type *Result) {    \
    if (__builtin_mul_overflow(Multiplicand, Multiplier, Result)) {                            \
      *Result = (Type)(Error);                                                                 \
      return STATUS_INTEGER_OVERFLOW;                                                          \
    }                                                                                          \
    return STATUS_SUCCESS;                                                                     \
  }

WDK_SAFE_MATH_(Int8, INT8, -1)
WDK_SAFE_MATH_(UInt8, UINT8, -1)
WDK_SAFE_MATH_(Short, SHORT, -1)
WDK_SAFE_MATH_(UShort, USHORT, -1)
WDK_SAFE_MATH_(Int, INT, -1)
WDK_SAFE_MATH_(UInt, UINT, -1)
WDK_SAFE_MATH_(Long, LONG, -1)
WDK_SAFE_MATH_(ULong, ULONG, -1)
WDK_SAFE_MATH_(LongLong, LONGLONG, -1)
WDK_SAFE_MATH_(ULongLong, ULONGLONG, -1)
WDK_SAFE_MATH_(LongPtr, LONG_PTR, -1)
WDK_SAFE_MATH_(ULongPtr, ULONG_PTR, -1)
WDK_SAFE_MATH_(IntPtr, INT_PTR, -1)
WDK_SAFE_MATH_(UIntPtr, UINT_PTR, -1)
WDK_SAFE_MATH_(DWordPtr, DWORD_PTR, -1)
WDK_SAFE_MATH_(DWord, DWORD, -1)
WDK_SAFE_MATH_(SizeT, SIZE_T, -1)
WDK_SAFE_MATH_(SSIZET, SSIZE_T, -1)
WDK_SAFE_MATH_(PtrdiffT, LONG_PTR, -1)
#undef WDK_SAFE_MATH_

#define RtlSIZETAdd RtlSizeTAdd
#define RtlSIZETSub RtlSizeTSub
#define RtlSIZETMult RtlSizeTMult
#define RtlUInt64Add RtlULongLongAdd
#define RtlUInt64Sub RtlULongLongSub
#define RtlUInt64Mult RtlULongLongMult
#define RtlInt64Add RtlLongLongAdd
#define RtlInt64Sub RtlLongLongSub
#define RtlInt64Mult RtlLongLongMult
#define RtlUInt32Add RtlUIntAdd
#define RtlUInt16Add RtlUShortAdd
#define RtlWordAdd RtlUShortAdd
#define RtlByteAdd RtlUInt8Add

#define WDK_SAFE_CONVERT_(From, FromType, Target, ToType)                                \
  FORCEINLINE NTSTATUS Rtl##From##To##Target(FromType Operand, ToType *Result) {         \
    if (__builtin_add_overflow(Operand, (FromType)0, Result)) {                       \
      *Result = (ToType)(-1);                                                         \
      return STATUS_INTEGER_OVERFLOW;                                                 \
    }                                                                                 \
    return STATUS_SUCCESS;                                                            \
  }

WDK_SAFE_CONVERT_(Long, LONG, ULong, ULONG)
WDK_SAFE_CONVERT_(Long, LONG, UShort, USHORT)
WDK_SAFE_CONVERT_(Long, LONG, Short, SHORT)
WDK_SAFE_CONVERT_(Long, LONG, SizeT, SIZE_T)
WDK_SAFE_CONVERT_(Int, INT, UInt, UINT)
WDK_SAFE_CONVERT_(Int, INT, ULong, ULONG)
WDK_SAFE_CONVERT_(Int, INT, UShort, USHORT)
WDK_SAFE_CONVERT_(Int, INT, UInt8, UINT8)
WDK_SAFE_CONVERT_(Int, INT, SizeT, SIZE_T)
WDK_SAFE_CONVERT_(UInt, UINT, Int, INT)
WDK_SAFE_CONVERT_(UInt, UINT, UShort, USHORT)
WDK_SAFE_CONVERT_(UShort, USHORT, Short, SHORT)
WDK_SAFE_CONVERT_(UShort, USHORT, UInt8, UINT8)
WDK_SAFE_CONVERT_(ULong, ULONG, Long, LONG)
WDK_SAFE_CONVERT_(ULong, ULONG, Int, INT)
WDK_SAFE_CONVERT_(ULong, ULONG, UShort, USHORT)
WDK_SAFE_CONVERT_(ULong, ULONG, Short, SHORT)
WDK_SAFE_CONVERT_(ULong, ULONG, UInt8, UINT8)
WDK_SAFE_CONVERT_(LongLong, LONGLONG, Long, LONG)
WDK_SAFE_CONVERT_(LongLong, LONGLONG, ULong, ULONG)
WDK_SAFE_CONVERT_(LongLong, LONGLONG, ULongLong, ULONGLONG)
WDK_SAFE_CONVERT_(LongLong, LONGLONG, Int, INT)
WDK_SAFE_CONVERT_(LongLong, LONGLONG, UInt, UINT)
WDK_SAFE_CONVERT_(LongLong, LONGLONG, SizeT, SIZE_T)
WDK_SAFE_CONVERT_(ULongLong, ULONGLONG, Long, LONG)
WDK_SAFE_CONVERT_(ULongLong, ULONGLONG, ULong, ULONG)
WDK_SAFE_CONVERT_(ULongLong, ULONGLONG, LongLong, LONGLONG)
WDK_SAFE_CONVERT_(ULongLong, ULONGLONG, Int, INT)
WDK_SAFE_CONVERT_(ULongLong, ULONGLONG, UInt, UINT)
WDK_SAFE_CONVERT_(ULongLong, ULONGLONG, UShort, USHORT)
WDK_SAFE_CONVERT_(ULongLong, ULONGLONG, SizeT, SIZE_T)
WDK_SAFE_CONVERT_(SizeT, SIZE_T, ULong, ULONG)
WDK_SAFE_CONVERT_(SizeT, SIZE_T, Long, LONG)
WDK_SAFE_CONVERT_(SizeT, SIZE_T, UInt, UINT)
WDK_SAFE_CONVERT_(SizeT, SIZE_T, Int, INT)
WDK_SAFE_CONVERT_(SizeT, SIZE_T, UShort, USHORT)
WDK_SAFE_CONVERT_(SizeT, SIZE_T, LongLong, LONGLONG)
WDK_SAFE_CONVERT_(ULongPtr, ULONG_PTR, ULong, ULONG)
WDK_SAFE_CONVERT_(ULongPtr, ULONG_PTR, Long, LONG)
WDK_SAFE_CONVERT_(ULongPtr, ULONG_PTR, UShort, USHORT)
WDK_SAFE_CONVERT_(UIntPtr, UINT_PTR, ULong, ULONG)
WDK_SAFE_CONVERT_(LongPtr, LONG_PTR, Long, LONG)
WDK_SAFE_CONVERT_(LongPtr, LONG_PTR, ULong, ULONG)
#undef WDK_SAFE_CONVERT_
#define RtlSIZETToULong RtlSizeTToULong
#define RtlSIZETToUShort RtlSizeTToUShort
#define RtlULongToUSHORT RtlULongToUShort
#define RtlUInt64ToULong RtlULongLongToULong

#endif
