// Shared by the drivers that src/ldr/*_test.cc load. A case is an exported routine case_NAME and the value it must return,
// want_NAME; the test program finds them by their names. Declarations of the few routines used are our own, so that these
// files test the loader and not the headers.
#pragma once

typedef unsigned long long U64;
typedef unsigned int U32;
typedef unsigned short U16;
typedef unsigned char U8;
typedef long NTSTATUS;

#define NOINLINE __attribute__((noinline))
#define EXPORT __declspec(dllexport)
#define IMPORT __declspec(dllimport)

#define CASE(name, want)                    \
  EXPORT const long long want_##name = want; \
  EXPORT long long case_##name(void)

#define STATUS_ACCESS_VIOLATION 0xC0000005u
#define STATUS_INTEGER_DIVIDE_BY_ZERO 0xC0000094u
#define STATUS_DATATYPE_MISALIGNMENT 0x80000002u

struct EXCEPTION_RECORD {
  U32 Code, Flags;
  struct EXCEPTION_RECORD *Next;
  void *Address;
  U32 Count;
  U64 Information[15];
};
struct CONTEXT {
  U64 Home[6];
  U32 Flags, MxCsr;
  U16 Segments[6];
  U32 EFlags;
  U64 Debug[6];
  U64 Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15, Rip;
  U8 Rest[0x4d0 - 0x100];
} __attribute__((aligned(16)));
struct EXCEPTION_POINTERS {
  struct EXCEPTION_RECORD *Record;
  struct CONTEXT *Context;
};
struct RUNTIME_FUNCTION {
  U32 Begin, End, Unwind;
};

unsigned long _exception_code(void);
void *_exception_info(void);
int _abnormal_termination(void);
#define CODE() ((U32)_exception_code())
#define INFO() ((struct EXCEPTION_POINTERS *)_exception_info())
#define ABNORMAL() _abnormal_termination()

// The runtime's.
IMPORT void ExRaiseStatus(NTSTATUS) __attribute__((noreturn));
IMPORT void ExRaiseAccessViolation(void) __attribute__((noreturn));
IMPORT void ExRaiseDatatypeMisalignment(void) __attribute__((noreturn));
IMPORT void RtlRaiseStatus(NTSTATUS);
IMPORT void RtlRaiseException(struct EXCEPTION_RECORD *);
IMPORT void RtlCaptureContext(struct CONTEXT *);
IMPORT struct RUNTIME_FUNCTION *RtlLookupFunctionEntry(U64 pc, U64 *base, void *history);
IMPORT void *RtlVirtualUnwind(U32 type, U64 base, U64 pc, struct RUNTIME_FUNCTION *, struct CONTEXT *, void **data, U64 *frame,
                              void *pointers);
IMPORT void RtlUnwindEx(void *frame, void *ip, struct EXCEPTION_RECORD *, void *value, struct CONTEXT *, void *history);
IMPORT void RtlUnwind(void *frame, void *ip, struct EXCEPTION_RECORD *, void *value);
IMPORT void _local_unwind(void *frame, void *ip);
IMPORT void *RtlPcToFileHeader(void *pc, void **base);
IMPORT U16 RtlCaptureStackBackTrace(U32 skip, U32 count, void **addresses, U32 *hash);
IMPORT U32 RtlWalkFrameChain(void **addresses, U32 count, U32 flags);
IMPORT int __C_specific_handler(struct EXCEPTION_RECORD *, void *, struct CONTEXT *, void *);
void *memcpy(void *, const void *, U64);
void *memset(void *, int, U64);

// Of the test program (src/ldr/test_exports.cc).
IMPORT int TestThrow(int kind);                                        // throws inside the runtime
IMPORT long TestCallBack(long (*routine)(void *), void *context);      // calls a driver, result + 1; has a destructor
IMPORT long TestCallAndCatch(long (*routine)(void *), void *context);  // catches: returns the code
IMPORT long TestCallAndRethrow(long (*routine)(void *), void *context);
IMPORT U64 TestDestructors(void);                                      // runtime destructors run so far
IMPORT void *TestBadPage(void);
IMPORT void TestProbeForRead(const void *, U64, U32);
IMPORT void TestCopy(void *, const void *, U64);
IMPORT int TestAdd(int, int);
IMPORT extern U64 *TestVariable;
