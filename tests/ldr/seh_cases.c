// Structured exception handling as C code sees it. Each step appends a digit to `trace`: the value of a case is its order of
// events. Digit 9 is a place that must not be reached.
#include "cases.h"

static volatile int zero, sink;
static volatile long long trace;
#define T(digit) (trace = trace * 10 + (digit))
#define BEGIN() (trace = 0)

static NOINLINE void Thrower(U32 status) { ExRaiseStatus((NTSTATUS)status); }
static NOINLINE void MayThrow(U32 status) {
  if (!zero) ExRaiseStatus((NTSTATUS)status);
  T(9);
}

CASE(Except_FilterSeesTheCode, 12) {
  BEGIN();
  __try {
    T(1);
    Thrower(0xC0000123);
    T(9);
  } __except (CODE() == 0xC0000123) {
    T(2);
  }
  return trace;
}
CASE(Except_CodeInFilterAndBlock, 1) {
  U32 code = 0;
  __try {
    Thrower(0xC0000005);
  } __except (code = CODE(), 1) {
    if (CODE() != code) return -1;
  }
  return code == 0xC0000005;
}
CASE(Finally_RunsBeforeTheOuterBlock, 123) {
  BEGIN();
  __try {
    __try {
      T(1);
      Thrower(1);
    } __finally {
      T(ABNORMAL() ? 2 : 8);
    }
  } __except (1) {
    T(3);
  }
  return trace;
}
CASE(Finally_NormalExit, 12) {
  BEGIN();
  __try {
    T(1);
  } __finally {
    T(ABNORMAL() ? 8 : 2);
  }
  return trace;
}
CASE(Finally_Leave, 12) {
  BEGIN();
  __try {
    T(1);
    if (!zero) __leave;
    T(9);
  } __finally {
    T(ABNORMAL() ? 8 : 2);
  }
  return trace;
}
static NOINLINE int ReturnInside(void) {
  __try {
    T(1);
    if (!zero) return 5;
    T(9);
  } __finally {
    T(2);
  }
  return 6;
}
CASE(Finally_Return, 125) {
  BEGIN();
  int result = ReturnInside();
  return trace * 10 + result;
}
static NOINLINE void SearchesOn(void) {
  __try {
    Thrower(0xC0000022);
  } __except (T(1), 0) {
    T(9);
  }
}
static NOINLINE void FinallyBetween(void) {
  __try {
    SearchesOn();
  } __finally {
    T(3);
  }
}
static NOINLINE void OtherCode(void) {
  __try {
    FinallyBetween();
  } __except (CODE() == 1) {
    T(9);
  }
}
CASE(Search_AllFiltersBeforeAnyFinally, 1234) {
  BEGIN();
  __try {
    OtherCode();
  } __except (T(2), 1) {
    T(4);
  }
  return trace;
}
static NOINLINE int FilterThatHandles(struct EXCEPTION_POINTERS *pointers) {
  __try {
    Thrower(7);
  } __except (1) {
    T(2);
  }
  T(3);
  return pointers->Record->Code == 1;
}
CASE(Filter_ExceptionHandledInside, 1234) {
  BEGIN();
  __try {
    T(1);
    Thrower(1);
  } __except (FilterThatHandles(INFO())) {
    T(4);
  }
  return trace;
}
static NOINLINE void FinallyHelper(void) {
  __try {
    T(2);
    Thrower(9);
  } __except (1) {
    T(3);
  }
}
CASE(Finally_ExceptionHandledInside, 12345) {
  BEGIN();
  __try {
    __try {
      T(1);
      Thrower(1);
    } __finally {
      FinallyHelper();
      T(4);
    }
  } __except (CODE() == 1) {
    T(5);
  }
  return trace;
}
CASE(Finally_RaisesAnother_CollidedUnwind, 1234) {
  BEGIN();
  __try {
    __try {
      __try {
        T(1);
        Thrower(1);
      } __finally {
        T(2);
        if (!zero) MayThrow(2);
        T(9);
      }
    } __finally {
      T(3);
    }
  } __except (CODE() == 2) {
    T(4);
  }
  return trace;
}
static NOINLINE int FilterThatRaisesOnce(void) {
  static int calls;
  if (calls++ % 2 == 0) Thrower(0x77);
  return 1;
}
CASE(Filter_RaisesAnother_SearchBeginsAgain, 12 * 1000 + 0x77) {
  U32 code = 0;
  BEGIN();
  __try {
    T(1);
    Thrower(1);
  } __except (code = CODE(), FilterThatRaisesOnce()) {
    T(2);
  }
  return trace * 1000 + code;
}
CASE(Except_RaisesAgainInBlock, 12) {
  BEGIN();
  __try {
    __try {
      Thrower(1);
    } __except (1) {
      T(1);
      Thrower(2);
    }
  } __except (CODE() == 2) {
    T(2);
  }
  return trace;
}
static NOINLINE int Locals(int a, int b) {
  volatile double d = a * 1.5;
  int x = a + b;
  double kept = a * 2.25;
  __try {
    x += 10;
    sink = x;
    Thrower(1);
  } __except (x == 15 && d == 3.0) {
    return x * 100 + (int)kept;
  }
  return -1;
}
CASE(Locals_AreRestored, 1504) { return Locals(2, 3); }
CASE(Loop_ContinueRaiseAndFallThrough, 334 * 10 + 333 * 110 + 333 * 11) {
  int n = 0;
  for (int i = 0; i < 1000; i++) {
    __try {
      __try {
        if (i % 3 == 0) continue;
        if (i % 3 == 1) Thrower((U32)i);
        n += 1;
      } __finally {
        n += 10;
      }
    } __except (1) {
      n += 100;
    }
  }
  return n;
}
CASE(ExRaiseAccessViolation_Code, 1) {
  __try {
    ExRaiseAccessViolation();
  } __except (1) {
    return CODE() == STATUS_ACCESS_VIOLATION;
  }
  return 0;
}
CASE(ExRaiseDatatypeMisalignment_Code, 1) {
  __try {
    ExRaiseDatatypeMisalignment();
  } __except (1) {
    return CODE() == STATUS_DATATYPE_MISALIGNMENT;
  }
  return 0;
}

// ---- across the runtime ----

CASE(Runtime_ThrowBecomesException, 1) {
  U64 before = TestDestructors();
  __try {
    TestThrow(1);
  } __except (CODE() == 0xC000009A) {
    return TestDestructors() == before + 1;
  }
  return 0;
}
static long RaiseWithFinally(void *context) {
  T(2);
  __try {
    Thrower((U32)(U64)context);
  } __finally {
    T(4);
  }
  return 0;
}
CASE(Callback_FiltersBeyondTheRuntimeRunFirst, 12345) {
  // Windows' order: the filter of the outer driver frame (3) before the __finally of the inner one (4).
  BEGIN();
  __try {
    T(1);
    TestCallBack(RaiseWithFinally, (void *)0xC0000033);
    T(9);
  } __except (T(3), CODE() == 0xC0000033) {
    T(5);
  }
  return trace;
}
static long CallsBackInside(void *context) {
  __try {
    return TestCallBack(RaiseWithFinally, context);
  } __except (T(6), CODE() == 1) {
    T(9);
  }
  return 0;
}
CASE(Callback_NestedTwice, 126345) {
  BEGIN();
  __try {
    T(1);
    TestCallBack(CallsBackInside, (void *)0xC0000033);
  } __except (T(3), CODE() == 0xC0000033) {
    T(5);
  }
  return trace;
}
CASE(Callback_RuntimeCatchEndsTheSearch, 1241) {
  BEGIN();
  __try {
    T(1);
    long code = TestCallAndCatch(RaiseWithFinally, (void *)0xC0000033);
    T(code == (long)0xC0000033 ? 1 : 8);
  } __except (T(9), 1) {
    T(9);
  }
  return trace;
}
CASE(Callback_RuntimeRethrows, 1245) {
  // The runtime's catch ends the first search, so the unwind comes first and the second search follows.
  BEGIN();
  __try {
    T(1);
    TestCallAndRethrow(RaiseWithFinally, (void *)0xC0000033);
  } __except (CODE() == 0xC0000033) {
    T(5);
  }
  return trace;
}
CASE(Callback_RuntimeDestructorsRun, 2) {
  U64 before = TestDestructors();
  __try {
    TestCallBack(CallsBackInside, (void *)0xC0000033);
  } __except (1) {
    return (long long)(TestDestructors() - before);
  }
  return -1;
}
static long Fault(void *context) {
  sink = *(volatile int *)context;
  return 0;
}
CASE(Callback_FaultIsCaughtByOuterDriver, 1) {
  __try {
    TestCallBack(Fault, 0);
  } __except (1) {
    return CODE() == STATUS_ACCESS_VIOLATION;
  }
  return 0;
}
static long FaultAndContinue(void *context) {
  long result = 0;
  __asm__ volatile("movq %1, %%rax\n movl (%%rax), %%eax\n movl %%eax, %0" : "=r"(result) : "r"(context) : "rax");
  return result;
}
static NOINLINE int SkipLoad(struct EXCEPTION_POINTERS *pointers) {
  pointers->Context->Rip += 2;  // movl (%rax), %eax
  pointers->Context->Rax = 41;
  return -1;
}
CASE(Callback_OuterFilterContinuesExecution, 42) {
  // Only possible because nothing was unwound for the search.
  __try {
    return TestCallBack(FaultAndContinue, 0);
  } __except (SkipLoad(INFO())) {
    return -1;
  }
}
static long CollideInFinally(void *context) {
  __try {
    Thrower(1);
  } __finally {
    T(2);
    if (!zero) MayThrow(2);
  }
  return 0;
}
CASE(Callback_CollidedUnwindAcrossRuntime, 1234) {
  BEGIN();
  __try {
    __try {
      T(1);
      TestCallBack(CollideInFinally, 0);
    } __finally {
      T(3);
    }
  } __except (CODE() == 2 || CODE() == 1) {
    T(CODE() == 2 ? 4 : 8);
  }
  return trace;
}

// ---- faults ----

CASE(Fault_ReadNull, 1) {
  U64 kind = 99, address = 0;
  __try {
    sink = *(volatile int *)(U64)(0x10 + zero);
  } __except (kind = INFO()->Record->Information[0], address = INFO()->Record->Information[1], CODE() == STATUS_ACCESS_VIOLATION) {
    return kind == 0 && address == 0x10;
  }
  return 0;
}
CASE(Fault_WriteBadPage, 1) {
  U64 kind = 0, address = 0;
  char *page = TestBadPage();
  __try {
    page[5] = 1;
  } __except (kind = INFO()->Record->Information[0], address = INFO()->Record->Information[1], 1) {
    return kind == 1 && address == (U64)page + 5;
  }
  return 0;
}
CASE(Fault_NonCanonical, 1) {
  U64 address = 0;
  __try {
    sink = *(volatile int *)0x8000123400000014ull;
  } __except (address = INFO()->Record->Information[1], 1) {
    return CODE() == STATUS_ACCESS_VIOLATION && address == ~0ull;
  }
  return 0;
}
CASE(Fault_CallOfBadPointer, 1) {
  U64 kind = 0, address = 0;
  int (*volatile routine)(void) = (int (*)(void))0x1230;
  __try {
    sink = routine();
  } __except (kind = INFO()->Record->Information[0], address = INFO()->Record->Information[1], 1) {
    return CODE() == STATUS_ACCESS_VIOLATION && kind == 8 && address == 0x1230;
  }
  return 0;
}
CASE(Fault_DivideByZero, 1) {
  __try {
    sink = 100 / zero;
  } __except (1) {
    return CODE() == STATUS_INTEGER_DIVIDE_BY_ZERO;
  }
  return 0;
}
CASE(Fault_IllegalInstruction, 1) {
  __try {
    __asm__ volatile("ud2");
  } __except (1) {
    return CODE() == 0xC000001D;
  }
  return 0;
}
CASE(Fault_Breakpoint, 1) {
  __try {
    __asm__ volatile("int3");
  } __except (1) {
    return CODE() == 0x80000003;
  }
  return 0;
}
CASE(Fault_Assertion, 1) {
  __try {
    __asm__ volatile("int $0x2c");  // the last instruction of the __try
  } __except (1) {
    return CODE() == 0xC0000420;
  }
  return 0;
}
CASE(Fault_InImportedMemcpy_From, 1) {
  char buffer[64];
  volatile U64 bytes = 40;
  __try {
    memcpy(buffer, TestBadPage(), bytes);
  } __except (1) {
    return CODE() == STATUS_ACCESS_VIOLATION;
  }
  return 0;
}
CASE(Fault_InImportedMemcpy_To, 1) {
  char buffer[64];
  volatile U64 bytes = 40;
  __try {
    memcpy(TestBadPage(), buffer, bytes);
  } __except (1) {
    return CODE() == STATUS_ACCESS_VIOLATION;
  }
  return 0;
}
CASE(Fault_InImportedMemset, 1) {
  volatile U64 bytes = 4000;
  __try {
    memset(TestBadPage(), 0, bytes);
  } __except (1) {
    return CODE() == STATUS_ACCESS_VIOLATION;
  }
  return 0;
}
CASE(Fault_ProbeMisaligned, 1) {
  __try {
    TestProbeForRead((void *)0x10001, 8, 4);
  } __except (1) {
    return CODE() == STATUS_DATATYPE_MISALIGNMENT;
  }
  return 0;
}
CASE(Fault_ProbeSystemAddress, 1) {
  __try {
    TestProbeForRead((void *)0x7a0000000000, 8, 1);
  } __except (1) {
    return CODE() == STATUS_ACCESS_VIOLATION;
  }
  return 0;
}
CASE(Fault_InRuntimeCopyOfDriverBuffer, 1) {
  char buffer[64];
  U64 address = 0;
  char *page = TestBadPage();
  __try {
    TestCopy(buffer, page, 64);
  } __except (address = INFO()->Record->Information[1], 1) {
    return CODE() == STATUS_ACCESS_VIOLATION && address >= (U64)page && address < (U64)page + 64;
  }
  return 0;
}
static NOINLINE int Skip(struct EXCEPTION_POINTERS *pointers) {
  pointers->Context->Rip += 2;
  pointers->Context->Rax = 42;
  return -1;
}
CASE(Fault_ContinueExecution, 42) {
  int result = 0;
  __try {
    __asm__ volatile("xorl %%eax, %%eax\n movl (%%rax), %%eax\n movl %%eax, %0" : "=r"(result) : : "rax");
  } __except (Skip(INFO())) {
    return -1;
  }
  return result;
}
CASE(NonContinuable_ContinueRaisesAnother, 12) {
  BEGIN();
  __try {
    __try {
      Thrower(5);
    } __except (CODE() == 5 ? (T(1), -1) : 0) {
      T(9);
    }
  } __except (CODE() == 0xC0000025) {
    T(2);
  }
  return trace;
}

// ---- measured by bench ----

EXPORT int bench_raise(int count) {
  int n = 0;
  for (int i = 0; i < count; i++) {
    __try {
      Thrower(1);
    } __except (1) {
      n++;
    }
  }
  return n;
}
EXPORT int bench_fault(int count) {
  int n = 0;
  for (int i = 0; i < count; i++) {
    __try {
      sink = *(volatile int *)(U64)zero;
    } __except (1) {
      n++;
    }
  }
  return n;
}
static long Raise1(void *context) {
  Thrower(1);
  return 0;
}
EXPORT int bench_callback_raise(int count) {
  int n = 0;
  for (int i = 0; i < count; i++) {
    __try {
      TestCallBack(Raise1, 0);
    } __except (1) {
      n++;
    }
  }
  return n;
}
EXPORT U64 bench_export(U64 count) {
  U64 sum = 0;
  for (U64 i = 0; i < count; i++) sum += (U64)TestAdd((int)i, 3);
  return sum;
}
EXPORT int bench_driver(int a, int b) { return a + b; }

EXPORT long raise_uncaught(void *context) {
  Thrower((U32)(U64)context);
  return 0;
}
EXPORT long deep_callback(void *context) { return TestCallBack(*(long (**)(void *))context, 0); }

long DriverEntry(void *driver, void *path) { return *TestVariable == 0x1234 ? 0 : (long)0xC0000001; }
