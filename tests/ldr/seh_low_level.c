// The unwinding routines called by a driver itself, and frames of other compilers (seh_frames.S).
#include "cases.h"

static volatile long long trace;
static volatile int zero, sink;
#define T(digit) (trace = trace * 10 + (digit))
#define BEGIN() (trace = 0)

U64 chained_call(void (*routine)(void *), void *argument);
U64 with_patterns(void *routine, void *first, void *second);
extern char with_patterns_return[], machine_frame_resume[];
U64 machine_frame_call(void (*routine)(void *), void *argument);
U64 guarded_call(void (*routine)(void *), void *argument);
U64 unwind_landing(void (*routine)(void *frame, void *ip));
extern char forms_0[], forms_1[], forms_2[], forms_3[], forms_body[], forms_jump[], forms_e0[], forms_e1[], forms_e2[], forms_e3[],
    forms_tail[], v2_0[], v2_1[], v2_2[], v2_body[], v2_e0[], v2_e1[], v2_e2[], v2_e3[];

static NOINLINE void Thrower(U32 status) { ExRaiseStatus((NTSTATUS)status); }
static NOINLINE void Raise(void *code) { Thrower((U32)(U64)code); }
static NOINLINE void ReadNull(void *ignored) { sink = *(volatile int *)ignored; }

static int WalkTo(struct CONTEXT *context, void *pc) {
  for (int i = 0; i < 20; i++) {
    if (context->Rip == (U64)pc) return 1;
    U64 base = 0, frame;
    void *data;
    struct RUNTIME_FUNCTION *function = RtlLookupFunctionEntry(context->Rip, &base, 0);
    if (!base) return 0;
    if (!function) {
      context->Rip = *(U64 *)context->Rsp;
      context->Rsp += 8;
      continue;
    }
    RtlVirtualUnwind(0, base, context->Rip, function, context, &data, &frame, 0);
  }
  return 0;
}
static long long g_good;
static NOINLINE void CheckPatterns(void *ignored) {
  struct CONTEXT context;
  RtlCaptureContext(&context);
  g_good = WalkTo(&context, with_patterns_return) && context.Rbx == 0xB0B0 && context.Rbp == 0xB1B1 && context.Rsi == 0xB2B2 &&
           context.Rdi == 0xB3B3 && context.R12 == 0xB4B4 && context.R13 == 0xB5B5 && context.R14 == 0xB6B6 &&
           context.R15 == 0xB7B7 && *(U64 *)((char *)&context + 0x1a0 + 6 * 16) == 0xB7B7;
}
CASE(VirtualUnwind_RestoresNonvolatileRegisters, 1) {
  g_good = 0;
  with_patterns((void *)CheckPatterns, 0, 0);
  return g_good;
}
CASE(VirtualUnwind_ChainedData, 1) {
  g_good = 0;
  with_patterns((void *)chained_call, (void *)CheckPatterns, 0);
  return g_good;
}
CASE(VirtualUnwind_MachineFrame, 1) {
  g_good = 0;
  with_patterns((void *)machine_frame_call, (void *)CheckPatterns, 0);
  return g_good;
}
CASE(Raise_ThroughChainedData, 1) {
  __try {
    chained_call(Raise, (void *)5);
  } __except (CODE() == 5) {
    return 1;
  }
  return 0;
}
CASE(Fault_ThroughChainedData, 1) {
  __try {
    chained_call(ReadNull, 0);
  } __except (CODE() == STATUS_ACCESS_VIOLATION) {
    return 1;
  }
  return 0;
}
CASE(Raise_ThroughMachineFrame, 1) {
  __try {
    machine_frame_call(Raise, (void *)5);
  } __except (CODE() == 5) {
    return 1;
  }
  return 0;
}

// ---- every instruction of a prologue and an epilogue ----

static int UnwindForm(char *pc, int pushed, int allocated) {
  // The stack as at that instruction: allocated bytes, r12, rbx (as far as pushed), the return address.
  U64 stack[32] = {0};
  U64 *top = stack + 31;
  *top = 0x1234;
  if (pushed > 0) *--top = 0xAAAA;  // rbx
  if (pushed > 1) *--top = 0xBBBB;  // r12
  top = (U64 *)((char *)top - allocated);
  static struct CONTEXT context;
  context.Rsp = (U64)top;
  context.Rip = (U64)pc;
  context.Rbx = pushed > 0 ? 1 : 0xAAAA;
  context.R12 = pushed > 1 ? 1 : 0xBBBB;
  U64 base, frame;
  void *data;
  struct RUNTIME_FUNCTION *function = RtlLookupFunctionEntry((U64)pc, &base, 0);
  if (!function) return 0;
  RtlVirtualUnwind(0, base, (U64)pc, function, &context, &data, &frame, 0);
  return context.Rip == 0x1234 && context.Rsp == (U64)(stack + 32) && context.Rbx == 0xAAAA && context.R12 == 0xBBBB;
}
CASE(VirtualUnwind_Prologue, 1111) {
  return UnwindForm(forms_0, 0, 0) * 1000 + UnwindForm(forms_1, 1, 0) * 100 + UnwindForm(forms_2, 2, 0) * 10 +
         UnwindForm(forms_3, 2, 0x20);
}
CASE(VirtualUnwind_Body, 11) { return UnwindForm(forms_body, 2, 0x20) * 10 + UnwindForm(forms_jump, 2, 0x20); }
CASE(VirtualUnwind_Epilogue, 11111) {
  return UnwindForm(forms_e0, 2, 0x20) * 10000 + UnwindForm(forms_e1, 2, 0) * 1000 + UnwindForm(forms_e2, 1, 0) * 100 +
         UnwindForm(forms_e3, 0, 0) * 10 + UnwindForm(forms_tail, 2, 0x20);
}

CASE(VirtualUnwind_Version2, 11111111) {
  return UnwindForm(v2_0, 0, 0) * 10000000 + UnwindForm(v2_1, 1, 0) * 1000000 + UnwindForm(v2_2, 2, 0) * 100000 +
         UnwindForm(v2_body, 2, 0x20) * 10000 + UnwindForm(v2_e0, 2, 0x20) * 1000 + UnwindForm(v2_e1, 2, 0) * 100 +
         UnwindForm(v2_e2, 1, 0) * 10 + UnwindForm(v2_e3, 0, 0);
}

// ---- a handler in front of __C_specific_handler ----

static int g_handler_calls;
int CheckingHandler(struct EXCEPTION_RECORD *record, void *frame, struct CONTEXT *context, void *dispatcher) {
  g_handler_calls++;
  return __C_specific_handler(record, frame, context, dispatcher);
}
CASE(OwnHandler_PassesToCSpecificHandler, 12) {
  g_handler_calls = 0;
  long long raised = (long long)guarded_call(Raise, (void *)3);
  return raised * 10 + g_handler_calls;  // once to search, once to unwind
}
CASE(OwnHandler_NoException, 0) { return (long long)guarded_call(CheckPatterns, 0); }
static NOINLINE void RaiseInFinally(void *code) {
  __try {
    Raise(code);
  } __finally {
    T(2);
  }
}
CASE(OwnHandler_FinallyBelowItRuns, 12) {
  BEGIN();
  if (guarded_call(RaiseInFinally, (void *)3)) trace += 10;
  return trace;
}
static long GuardedInCallback(void *context) { return (long)guarded_call((void (*)(void *))context, (void *)8); }
static long RaiseLong(void *code) {
  Raise(code);
  return 0;
}
static NOINLINE void CallBackAndRaise(void *code) { TestCallBack(RaiseLong, code); }
CASE(OwnHandler_ExceptionFromBeyondTheRuntime, 2) { return TestCallBack(GuardedInCallback, (void *)CallBackAndRaise); }

// ---- unwinds that a driver starts ----

static void UnwindByEx(void *frame, void *ip) {
  struct CONTEXT scratch;
  __try {
    T(1);
    RtlUnwindEx(frame, ip, 0, (void *)77, &scratch, 0);
    T(9);
  } __finally {
    T(ABNORMAL() ? 2 : 8);
  }
}
CASE(RtlUnwindEx_RunsFinallyAndLands, 1277) {
  BEGIN();
  U64 result = unwind_landing(UnwindByEx);
  return trace * 100 + (long long)result;
}
static void UnwindByUnwind(void *frame, void *ip) {
  __try {
    T(1);
    RtlUnwind(frame, ip, 0, (void *)78);
  } __finally {
    T(2);
  }
}
CASE(RtlUnwind_RunsFinallyAndLands, 1278) {
  BEGIN();
  U64 result = unwind_landing(UnwindByUnwind);
  return trace * 100 + (long long)result;
}
static void UnwindLocally(void *frame, void *ip) {
  __try {
    T(1);
    _local_unwind(frame, ip);
  } __finally {
    T(2);
  }
}
CASE(LocalUnwind_RunsFinallyAndLands, 12) {
  BEGIN();
  unwind_landing(UnwindLocally);
  return trace;
}
struct Target {
  void *frame, *ip;
};
static long UnwindFromCallback(void *context) {
  struct Target *target = context;
  __try {
    T(2);
    RtlUnwindEx(target->frame, target->ip, 0, (void *)79, 0, 0);
  } __finally {
    T(3);
  }
  return 0;
}
static void UnwindAcross(void *frame, void *ip) {
  struct Target target = {frame, ip};
  __try {
    T(1);
    TestCallBack(UnwindFromCallback, &target);
  } __finally {
    T(4);
  }
}
CASE(RtlUnwindEx_AcrossTheRuntime, 123479) {
  BEGIN();
  U64 before = TestDestructors();
  U64 result = unwind_landing(UnwindAcross);
  return TestDestructors() == before + 1 ? trace * 100 + (long long)result : -1;
}
// A filter that unwinds instead of answering.
static int FilterUnwinds(void *frame, void *ip) {
  T(2);
  RtlUnwindEx(frame, ip, 0, (void *)80, 0, 0);
  return 0;
}
static void RaiseWithUnwindingFilter(void *frame, void *ip) {
  __try {
    __try {
      T(1);
      Thrower(6);
    } __finally {
      T(3);
    }
  } __except (FilterUnwinds(frame, ip)) {
    T(9);
  }
}
CASE(RtlUnwindEx_FromAFilter, 12380) {
  BEGIN();
  U64 result = unwind_landing(RaiseWithUnwindingFilter);
  return trace * 100 + (long long)result;
}

// ---- raising with a record ----

CASE(RtlRaiseException_KeepsParameters, 1) {
  struct EXCEPTION_RECORD record = {0xE0001234, 0, 0, 0, 2, {11, 22}};
  __try {
    RtlRaiseException(&record);
  } __except (INFO()->Record->Count == 2 && INFO()->Record->Information[0] == 11 && INFO()->Record->Information[1] == 22) {
    return CODE() == 0xE0001234;
  }
  return 0;
}
CASE(RtlRaiseException_ContinuedReturns, 5) {
  struct EXCEPTION_RECORD record = {0xE0001234};
  volatile int result = 0;
  __try {
    RtlRaiseException(&record);
    result = 5;
  } __except (-1) {
    return -1;
  }
  return result;
}
CASE(RtlRaiseStatus_Code, 1) {
  __try {
    RtlRaiseStatus((NTSTATUS)0xC0000011);
  } __except (1) {
    return CODE() == 0xC0000011;
  }
  return 0;
}

// ---- looking around ----

CASE(RtlPcToFileHeader_FindsTheImage, 1) {
  void *base = 0;
  return RtlPcToFileHeader((void *)forms_0, &base) == base && *(U16 *)base == 0x5A4D;
}
CASE(RtlLookupFunctionEntry_CoversThePc, 1) {
  U64 base = 0;
  struct RUNTIME_FUNCTION *function = RtlLookupFunctionEntry((U64)forms_body, &base, 0);
  return function && base + function->Begin == (U64)forms_0 && base + function->End > (U64)forms_body;
}
static NOINLINE int Trace3(void **frames, U32 *hash) { return RtlCaptureStackBackTrace(0, 16, frames, hash) + zero; }
static NOINLINE int Trace2(void **frames, U32 *hash) { return Trace3(frames, hash) + zero; }
CASE(RtlCaptureStackBackTrace_NamesCallers, 1) {
  void *frames[16] = {0};
  U32 hash = 0;
  int count = Trace2(frames, &hash);
  return count >= 3 && (U64)frames[0] - (U64)Trace3 < 200 && (U64)frames[1] - (U64)Trace2 < 200 && hash != 0;
}
CASE(RtlWalkFrameChain_Counts, 1) {
  void *frames[4];
  return RtlWalkFrameChain(frames, 4, 0) >= 2;
}

long DriverEntry(void *driver, void *path) { return 0; }
