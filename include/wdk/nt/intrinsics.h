// Processor intrinsics as kernel drivers spell them: interlocked operations, bit scans, gs-relative reads, fences.
// On PE they are the compiler's; on ELF, macros over __atomic builtins (LONG is int there).
#ifndef NTIO_WDK_NT_INTRINSICS_H
#define NTIO_WDK_NT_INTRINSICS_H

#include "../ntdef.h"

#ifndef __ELF__
// ---- PE ---------------------------------------------------------------------------------------
#include <intrin0.h>

#ifdef __cplusplus
extern "C" {
#endif
unsigned char __readgsbyte(unsigned long);
unsigned short __readgsword(unsigned long);
unsigned long __readgsdword(unsigned long);
unsigned __int64 __readgsqword(unsigned long);
void __writegsbyte(unsigned long, unsigned char);
void __writegsword(unsigned long, unsigned short);
void __writegsdword(unsigned long, unsigned long);
void __writegsqword(unsigned long, unsigned __int64);
unsigned __int64 __readcr8(void);
void __writecr8(unsigned __int64);
void __faststorefence(void);
void __int2c(void);
void *_AddressOfReturnAddress(void);
void _ReadBarrier(void);
void _WriteBarrier(void);
unsigned char _bittest(long const *, long);
unsigned char _bittestandcomplement(long *, long);
unsigned char _bittestandreset(long *, long);
unsigned char _bittestandset(long *, long);
unsigned char _bittest64(__int64 const *, __int64);
unsigned char _bittestandset64(__int64 *, __int64);
unsigned char _bittestandreset64(__int64 *, __int64);
unsigned char _interlockedbittestandreset(long volatile *, long);
unsigned char _interlockedbittestandset(long volatile *, long);
unsigned char _interlockedbittestandreset64(__int64 volatile *, __int64);
unsigned char _interlockedbittestandset64(__int64 volatile *, __int64);
#ifdef __cplusplus
}
#endif

#define InterlockedIncrement _InterlockedIncrement
#define InterlockedDecrement _InterlockedDecrement
#define InterlockedExchange _InterlockedExchange
#define InterlockedExchangeAdd _InterlockedExchangeAdd
#define InterlockedCompareExchange _InterlockedCompareExchange
#define InterlockedAnd _InterlockedAnd
#define InterlockedOr _InterlockedOr
#define InterlockedXor _InterlockedXor
#define InterlockedIncrement64 _InterlockedIncrement64
#define InterlockedDecrement64 _InterlockedDecrement64
#define InterlockedExchange64 _InterlockedExchange64
#define InterlockedExchangeAdd64 _InterlockedExchangeAdd64
#define InterlockedCompareExchange64 _InterlockedCompareExchange64
#define InterlockedAnd64 _InterlockedAnd64
#define InterlockedOr64 _InterlockedOr64
#define InterlockedXor64 _InterlockedXor64
#define InterlockedIncrement16 _InterlockedIncrement16
#define InterlockedDecrement16 _InterlockedDecrement16
#define InterlockedExchange16 _InterlockedExchange16
#define InterlockedExchangeAdd16 _InterlockedExchangeAdd16
#define InterlockedCompareExchange16 _InterlockedCompareExchange16
#define InterlockedAnd16 _InterlockedAnd16
#define InterlockedOr16 _InterlockedOr16
#define InterlockedXor16 _InterlockedXor16
#define InterlockedExchange8 _InterlockedExchange8
#define InterlockedExchangeAdd8 _InterlockedExchangeAdd8
#define InterlockedCompareExchange8 _InterlockedCompareExchange8
#define InterlockedAnd8 _InterlockedAnd8
#define InterlockedOr8 _InterlockedOr8
#define InterlockedXor8 _InterlockedXor8
#define InterlockedExchangePointer _InterlockedExchangePointer
#define InterlockedCompareExchangePointer _InterlockedCompareExchangePointer
#define InterlockedCompareExchange128 _InterlockedCompareExchange128
#define InterlockedBitTestAndSet _interlockedbittestandset
#define InterlockedBitTestAndReset _interlockedbittestandreset
#define InterlockedBitTestAndSet64 _interlockedbittestandset64
#define InterlockedBitTestAndReset64 _interlockedbittestandreset64
#define BitTest _bittest
#define BitTestAndSet _bittestandset
#define BitTestAndReset _bittestandreset
#define BitTestAndComplement _bittestandcomplement
#define BitTest64 _bittest64
#define BitTestAndSet64 _bittestandset64
#define BitTestAndReset64 _bittestandreset64
#define BitScanForward _BitScanForward
#define BitScanReverse _BitScanReverse
#define BitScanForward64 _BitScanForward64
#define BitScanReverse64 _BitScanReverse64

#ifdef __cplusplus
extern "C" {
#endif
FORCEINLINE LONG InterlockedAdd(LONG volatile *Addend, LONG Value) {
  return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedAdd64(LONG64 volatile *Addend, LONG64 Value) {
  return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);
}
#ifdef __cplusplus
}
#endif
#define _InterlockedAdd InterlockedAdd
#define _InterlockedAdd64 InterlockedAdd64

#else
// ---- ELF --------------------------------------------------------------------------------------

#ifdef __cplusplus
extern "C" {
#endif

#define NTIO_INTERLOCKED(T, Suffix)                                                           \
  FORCEINLINE T InterlockedIncrement##Suffix(T volatile *Addend) {                            \
    return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);                                   \
  }                                                                                           \
  FORCEINLINE T InterlockedDecrement##Suffix(T volatile *Addend) {                            \
    return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);                                   \
  }                                                                                           \
  FORCEINLINE T InterlockedAdd##Suffix(T volatile *Addend, T Value) {                         \
    return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);                               \
  }                                                                                           \
  FORCEINLINE T InterlockedExchange##Suffix(T volatile *Target, T Value) {                    \
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);                              \
  }                                                                                           \
  FORCEINLINE T InterlockedExchangeAdd##Suffix(T volatile *Addend, T Value) {                 \
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);                               \
  }                                                                                           \
  FORCEINLINE T InterlockedAnd##Suffix(T volatile *Target, T Value) {                         \
    return __atomic_fetch_and(Target, Value, __ATOMIC_SEQ_CST);                               \
  }                                                                                           \
  FORCEINLINE T InterlockedOr##Suffix(T volatile *Target, T Value) {                          \
    return __atomic_fetch_or(Target, Value, __ATOMIC_SEQ_CST);                                \
  }                                                                                           \
  FORCEINLINE T InterlockedXor##Suffix(T volatile *Target, T Value) {                         \
    return __atomic_fetch_xor(Target, Value, __ATOMIC_SEQ_CST);                               \
  }                                                                                           \
  FORCEINLINE T InterlockedCompareExchange##Suffix(T volatile *Target, T Exchange, T Comperand) { \
    __atomic_compare_exchange_n(Target, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
    return Comperand;                                                                         \
  }
NTIO_INTERLOCKED(LONG, )
NTIO_INTERLOCKED(LONG64, 64)
NTIO_INTERLOCKED(SHORT, 16)
NTIO_INTERLOCKED(CHAR, 8)
#undef NTIO_INTERLOCKED

FORCEINLINE PVOID InterlockedExchangePointer(PVOID volatile *Target, PVOID Value) {
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE PVOID InterlockedCompareExchangePointer(PVOID volatile *Target, PVOID Exchange, PVOID Comperand) {
  __atomic_compare_exchange_n(Target, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return Comperand;
}
FORCEINLINE UCHAR InterlockedBitTestAndSet(LONG volatile *Base, LONG Offset) {
  return (UCHAR)((__atomic_fetch_or(&Base[Offset >> 5], (LONG)(1u << (Offset & 31)), __ATOMIC_SEQ_CST) >> (Offset & 31)) & 1);
}
FORCEINLINE UCHAR InterlockedBitTestAndReset(LONG volatile *Base, LONG Offset) {
  return (UCHAR)((__atomic_fetch_and(&Base[Offset >> 5], ~(LONG)(1u << (Offset & 31)), __ATOMIC_SEQ_CST) >> (Offset & 31)) & 1);
}
FORCEINLINE UCHAR BitScanForward(ULONG *Index, ULONG Mask) {
  if (Mask == 0) return 0;
  *Index = (ULONG)__builtin_ctz(Mask);
  return 1;
}
FORCEINLINE UCHAR BitScanReverse(ULONG *Index, ULONG Mask) {
  if (Mask == 0) return 0;
  *Index = 31u - (ULONG)__builtin_clz(Mask);
  return 1;
}
FORCEINLINE UCHAR BitScanForward64(ULONG *Index, ULONG64 Mask) {
  if (Mask == 0) return 0;
  *Index = (ULONG)__builtin_ctzll(Mask);
  return 1;
}
FORCEINLINE UCHAR BitScanReverse64(ULONG *Index, ULONG64 Mask) {
  if (Mask == 0) return 0;
  *Index = 63u - (ULONG)__builtin_clzll(Mask);
  return 1;
}
FORCEINLINE ULONG64 NtioReadGsQword(ULONG Offset) {
  ULONG64 value;
  __asm__ volatile("movq %%gs:(%1), %0" : "=r"(value) : "r"((ULONG64)Offset));
  return value;
}
FORCEINLINE UCHAR NtioReadGsByte(ULONG Offset) {
  UCHAR value;
  __asm__ volatile("movb %%gs:(%1), %0" : "=q"(value) : "r"((ULONG64)Offset));
  return value;
}

#ifdef __cplusplus
}
#endif

#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
#define _InterlockedAnd InterlockedAnd
#define _InterlockedOr InterlockedOr
#define _InterlockedXor InterlockedXor
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedExchangePointer InterlockedExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define _BitScanForward BitScanForward
#define _BitScanReverse BitScanReverse
#define _BitScanForward64 BitScanForward64
#define _BitScanReverse64 BitScanReverse64
#define _ReturnAddress() __builtin_return_address(0)
#define __readgsqword NtioReadGsQword
#define __readgsbyte NtioReadGsByte
#if !defined(__clang__)
#define __debugbreak() __asm__ volatile("int3")
#endif
#define _ReadWriteBarrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define _ReadBarrier() __atomic_signal_fence(__ATOMIC_ACQUIRE)
#define _WriteBarrier() __atomic_signal_fence(__ATOMIC_RELEASE)
#endif

// ---- both -------------------------------------------------------------------------------------

#define InterlockedIncrementAcquire InterlockedIncrement
#define InterlockedIncrementRelease InterlockedIncrement
#define InterlockedIncrementNoFence InterlockedIncrement
#define InterlockedDecrementAcquire InterlockedDecrement
#define InterlockedDecrementRelease InterlockedDecrement
#define InterlockedDecrementNoFence InterlockedDecrement
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedExchangeNoFence InterlockedExchange
#define InterlockedExchangeAddAcquire InterlockedExchangeAdd
#define InterlockedExchangeAddRelease InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence InterlockedExchangeAdd
#define InterlockedCompareExchangeAcquire InterlockedCompareExchange
#define InterlockedCompareExchangeRelease InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define InterlockedCompareExchangeAcquire64 InterlockedCompareExchange64
#define InterlockedCompareExchangeRelease64 InterlockedCompareExchange64
#define InterlockedCompareExchangeNoFence64 InterlockedCompareExchange64
#define InterlockedIncrementNoFence64 InterlockedIncrement64
#define InterlockedDecrementNoFence64 InterlockedDecrement64
#define InterlockedExchangePointerAcquire InterlockedExchangePointer
#define InterlockedExchangePointerNoFence InterlockedExchangePointer
#define InterlockedCompareExchangePointerAcquire InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerNoFence InterlockedCompareExchangePointer
#define InterlockedOrAcquire InterlockedOr
#define InterlockedOrRelease InterlockedOr
#define InterlockedOrNoFence InterlockedOr
#define InterlockedAndAcquire InterlockedAnd
#define InterlockedAndRelease InterlockedAnd
#define InterlockedAndNoFence InterlockedAnd
#define InterlockedIncrementSizeT(a) ((SIZE_T)InterlockedIncrement64((LONG64 volatile *)(a)))
#define InterlockedDecrementSizeT(a) ((SIZE_T)InterlockedDecrement64((LONG64 volatile *)(a)))
#define InterlockedExchangeAddSizeT(a, b) ((SIZE_T)InterlockedExchangeAdd64((LONG64 volatile *)(a), (LONG64)(b)))

#define YieldProcessor() __builtin_ia32_pause()
#define MemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define KeMemoryBarrierWithoutFence() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define PreFetchCacheLine(l, a) __builtin_prefetch(a)
#define PrefetchForWrite(p)
#define ReadForWriteAccess(p) (*(p))
#define FastFence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define LoadFence() __builtin_ia32_lfence()
#define StoreFence() __builtin_ia32_sfence()
#define ReadTimeStampCounter() __builtin_ia32_rdtsc()

#define NTIO_READ_WRITE(Name, T)                                             \
  FORCEINLINE T Read##Name##Acquire(T const volatile *Source) {              \
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);                        \
  }                                                                          \
  FORCEINLINE T Read##Name##NoFence(T const volatile *Source) {              \
    return __atomic_load_n(Source, __ATOMIC_RELAXED);                        \
  }                                                                          \
  FORCEINLINE T Read##Name##Raw(T const volatile *Source) {                  \
    return __atomic_load_n(Source, __ATOMIC_RELAXED);                        \
  }                                                                          \
  FORCEINLINE VOID Write##Name##Release(T volatile *Target, T Value) {       \
    __atomic_store_n(Target, Value, __ATOMIC_RELEASE);                       \
  }                                                                          \
  FORCEINLINE VOID Write##Name##NoFence(T volatile *Target, T Value) {       \
    __atomic_store_n(Target, Value, __ATOMIC_RELAXED);                       \
  }                                                                          \
  FORCEINLINE VOID Write##Name##Raw(T volatile *Target, T Value) {           \
    __atomic_store_n(Target, Value, __ATOMIC_RELAXED);                       \
  }
#ifdef __cplusplus
extern "C" {
#endif
NTIO_READ_WRITE(8, CHAR)
NTIO_READ_WRITE(16, SHORT)
NTIO_READ_WRITE(, LONG)
NTIO_READ_WRITE(64, LONG64)
NTIO_READ_WRITE(UChar, UCHAR)
NTIO_READ_WRITE(UShort, USHORT)
NTIO_READ_WRITE(ULong, ULONG)
NTIO_READ_WRITE(ULong64, ULONG64)
NTIO_READ_WRITE(Pointer, PVOID)
#ifdef __cplusplus
}
#endif
#undef NTIO_READ_WRITE

#endif  // NTIO_WDK_NT_INTRINSICS_H
