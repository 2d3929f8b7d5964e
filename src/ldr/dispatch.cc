#include "src/ldr/dispatch.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "src/host/host.h"
#include "src/ldr/call.h"
#include "src/ldr/host_frames.h"
#include "src/ldr/image_table.h"
#include "src/ldr/trampolines.h"
#include "src/ldr/unwind.h"

extern "C" NTIO_MS_ABI int ntio_c_specific_handler(EXCEPTION_RECORD*, uint64_t, nt::ldr::Context*,
                                                   nt::ldr::DispatcherContext*) __asm__("nt$__C_specific_handler");

namespace nt {

void Raise(NTSTATUS status) {
  EXCEPTION_RECORD record = {};
  record.ExceptionCode = status;
  record.ExceptionFlags = ldr::kNoncontinuable;
  throw SehException(record);
}

void RaiseRecord(const EXCEPTION_RECORD& record) { throw SehException(record); }

}  // namespace nt

namespace nt::ldr {
namespace {

using LanguageHandler = int(NTIO_MS_ABI*)(EXCEPTION_RECORD*, uint64_t, Context*, DispatcherContext*);
using Filter = int(NTIO_MS_ABI*)(void* pointers, uint64_t frame);
using Termination = void(NTIO_MS_ABI*)(uint8_t abnormal, uint64_t frame);

constexpr int kMaxNested = 64;  // exceptions inside filters of one exception

/// An exception on its way over the boundary: set on one side, taken on the other, by the same thread without a call between.
struct Crossing {
  uint64_t return_address = 0;
  EXCEPTION_RECORD record;
  UnwindTarget target;
};
thread_local Crossing t_crossing;

UnhandledExceptionHook g_unhandled = nullptr;
AssertionHook g_assertion = nullptr;

/// What came of calling driver code while dispatching.
struct Outcome {
  bool raised = false;
  EXCEPTION_RECORD record;
  UnwindTarget target;
};

/// Whether an image's handler is the runtime's __C_specific_handler: unwind data refers to a thunk in the image, a jump through
/// the address table.
bool IsCSpecificHandler(const void* routine) {
  const auto* code = static_cast<const uint8_t*>(routine);
  if (code[0] != 0xff || code[1] != 0x25) return false;
  int32_t displacement;
  std::memcpy(&displacement, code + 2, 4);
  uint64_t target;
  std::memcpy(&target, code + 6 + displacement, 8);
  return target == reinterpret_cast<uint64_t>(&ntio_c_specific_handler);
}

/// Calls a language handler. An exception that leaves it is caught here: it is nested in the one being dispatched.
Disposition CallHandler(const FrameHandler& handler, EXCEPTION_RECORD* record, Context* context, DispatcherContext* dispatcher,
                        bool* execute, UnwindTarget* target, Outcome* outcome) {
  try {
    if (IsCSpecificHandler(handler.routine))
      return CSpecificHandler(record, dispatcher->establisher_frame, context, dispatcher, execute, target);
    return static_cast<Disposition>(CallDriver(reinterpret_cast<LanguageHandler>(handler.routine), record,
                                               dispatcher->establisher_frame, context, dispatcher));
  } catch (const SehException& exception) {
    outcome->raised = true;
    outcome->record = exception.record();
    outcome->target = exception.target();
  }
  return Disposition::kContinueSearch;
}

enum class SearchEnd { kContinueExecution, kExecute, kCaughtByRuntime, kRaised, kUnhandled };

/// The first phase: asks every frame from `raise` up, driver and runtime, whether it takes the exception.
SearchEnd Search(Context* raise, EXCEPTION_RECORD* record, uint32_t first_scope, UnwindTarget* target, Outcome* outcome) {
  Context cursor = *raise;
  Context before;
  uint32_t scope = first_scope;
  for (;;) {
    const Image* image = ImageAt(cursor.rip);
    if (!image) {
      Context driver;
      switch (WalkHostFrames(cursor, Pc::kReturnAddress, true, nullptr, nullptr, &driver)) {
        case HostWalkEnd::kDriver:
          cursor = driver;
          scope = 0;
          continue;
        case HostWalkEnd::kCaught:
          return SearchEnd::kCaughtByRuntime;
        case HostWalkEnd::kStackEnd:
          return SearchEnd::kUnhandled;
      }
    }
    const uint64_t sp = cursor.rsp();
    const RuntimeFunction* function = LookupIn(*image, cursor.rip);
    if (!function) {
      UnwindLeaf(&cursor);
      continue;
    }
    before = cursor;
    const FrameHandler handler = VirtualUnwind(kUnwindExceptionHandler, image->base, before.rip, function, &cursor);
    if (handler.routine) {
      DispatcherContext dispatcher = {before.rip,      image->base,  function, handler.establisher_frame, 0, &before,
                                      handler.routine, handler.data, nullptr,  scope,                     0};
      bool execute = false;
      const Disposition answer = CallHandler(handler, record, raise, &dispatcher, &execute, target, outcome);
      if (outcome->raised) return SearchEnd::kRaised;
      if (execute) return SearchEnd::kExecute;
      if (answer == Disposition::kContinueExecution) return SearchEnd::kContinueExecution;
    }
    scope = 0;
    // A stack that does not grow upward is damaged, unless a machine frame changed it.
    if (cursor.rsp() <= sp && ImageAt(cursor.rip) == image) {
      record->ExceptionFlags |= kStackInvalid;
      return SearchEnd::kUnhandled;
    }
  }
}

[[noreturn]] void ThrowCrossing() {
  const SehException exception(t_crossing.record, t_crossing.target);
  throw exception;
}

/// Goes on in runtime code: as if the driver routine that the runtime called had thrown. `state` is the runtime's, at the return.
[[noreturn]] void EnterRuntime(Context* state, const EXCEPTION_RECORD& record, const UnwindTarget& target) {
  t_crossing.record = record;
  t_crossing.record.ExceptionFlags &= ~kAnyUnwind;
  t_crossing.target = target;
  state->rsp() -= 8;
  *reinterpret_cast<uint64_t*>(state->rsp()) = state->rip;
  state->rip = reinterpret_cast<uint64_t>(&ThrowCrossing);
  state->eflags = 0x202;
  ntio_restore_context(state);
}

}  // namespace

void SetAssertionHook(AssertionHook hook) { g_assertion = hook; }
void SetUnhandledExceptionHook(UnhandledExceptionHook hook) { g_unhandled = hook; }

void ReportUnhandled(const EXCEPTION_RECORD& record, const Context& context) {
  if (g_unhandled) g_unhandled(record, context);
  char text[200];
  const int length = std::snprintf(text, sizeof text, "ntio: unhandled exception %#x at %p, pc %#llx\n",
                                   static_cast<unsigned>(record.ExceptionCode), record.ExceptionAddress,
                                   static_cast<unsigned long long>(context.rip));
  host::WriteError(text, static_cast<size_t>(length));
  for (const Frame& frame : CaptureStackFrom(context)) {
    const std::string line = "  " + FormatFrame(frame) + "\n";
    host::WriteError(line.data(), line.size());
  }
  std::abort();
}

void DispatchException(Context* context, EXCEPTION_RECORD* record, uint32_t first_scope) {
  EXCEPTION_RECORD nested[2];
  for (int depth = 0; depth < kMaxNested; depth++) {
    UnwindTarget target;
    Outcome outcome;
    switch (Search(context, record, first_scope, &target, &outcome)) {
      case SearchEnd::kContinueExecution: {
        if (static_cast<NTSTATUS>(record->ExceptionCode) == STATUS_ASSERTION_FAILURE &&
            reinterpret_cast<void*>(context->rip) == record->ExceptionAddress)
          context->rip += 2;  // behind `int 2c`
        if (!(record->ExceptionFlags & kNoncontinuable)) ntio_restore_context(context);
        EXCEPTION_RECORD& next = nested[depth % 2];
        EXCEPTION_RECORD* previous = record;
        next = {};
        next.ExceptionCode = STATUS_NONCONTINUABLE_EXCEPTION;
        next.ExceptionFlags = kNoncontinuable;
        next.ExceptionRecord = previous;
        next.ExceptionAddress = reinterpret_cast<void*>(context->rip);
        record = &next;
        break;
      }
      case SearchEnd::kExecute:
        UnwindTo(*context, target, record, first_scope);
      case SearchEnd::kCaughtByRuntime:
        UnwindTo(*context, {}, record, first_scope);
      case SearchEnd::kUnhandled:
        ReportUnhandled(*record, *context);
      case SearchEnd::kRaised: {
        EXCEPTION_RECORD& next = nested[depth % 2];
        next = outcome.record;
        // A handler that unwinds by itself (RtlUnwindEx) has made the choice.
        if (outcome.target.frame) UnwindTo(*context, outcome.target, &next, first_scope);
        record = &next;
        break;
      }
    }
  }
  ReportUnhandled(*record, *context);  // a filter that keeps raising
}

void UnwindTo(const Context& context, const UnwindTarget& target, EXCEPTION_RECORD* record, uint32_t first_scope) {
  Context cursor = context;
  Context before;
  uint32_t scope = first_scope;
  record->ExceptionFlags |= kUnwinding;
  for (;;) {
    const Image* image = ImageAt(cursor.rip);
    if (!image) {
      if (target.frame && target.frame < cursor.rsp()) {  // gone past it: it never was a frame of this stack
        EXCEPTION_RECORD invalid = {};
        invalid.ExceptionCode = STATUS_INVALID_UNWIND_TARGET;
        invalid.ExceptionRecord = record;
        ReportUnhandled(invalid, context);
      }
      EnterRuntime(&cursor, *record, target);
    }
    const RuntimeFunction* function = LookupIn(*image, cursor.rip);
    if (!function) {
      UnwindLeaf(&cursor);
      continue;
    }
    before = cursor;
    const FrameHandler handler = VirtualUnwind(kUnwindTerminationHandler, image->base, before.rip, function, &cursor);
    const bool arrived = target.frame && handler.establisher_frame == target.frame;
    record->ExceptionFlags = (record->ExceptionFlags & ~kTargetUnwind) | (arrived ? kTargetUnwind : 0);
    if (handler.routine) {
      DispatcherContext dispatcher = {before.rip,      image->base,  function, handler.establisher_frame, target.ip, &before,
                                      handler.routine, handler.data, nullptr,  scope,                     0};
      bool execute = false;
      UnwindTarget unused;
      Outcome outcome;
      CallHandler(handler, record, &before, &dispatcher, &execute, &unused, &outcome);
      if (outcome.raised) {
        // A collided unwind: the new exception goes on from this frame, past the scopes that have run.
        if (outcome.target.frame) UnwindTo(before, outcome.target, &outcome.record, dispatcher.scope_index);
        DispatchException(&before, &outcome.record, dispatcher.scope_index);
      }
    }
    scope = 0;
    if (arrived) {
      before.gpr[kRax] = target.return_value;
      before.rip = target.ip;
      ntio_restore_context(&before);
    }
  }
}

namespace {

struct Scope {
  uint32_t begin, end, handler, jump;  // handler: filter (1: always) when jump != 0, else the __finally block
};
struct ScopeTable {
  uint32_t count;
  Scope scopes[];
};

}  // namespace

Disposition CSpecificHandler(EXCEPTION_RECORD* record, uint64_t frame, Context* context, DispatcherContext* dispatcher,
                             bool* execute, UnwindTarget* target) {
  const auto* table = static_cast<const ScopeTable*>(dispatcher->handler_data);
  const uint64_t base = dispatcher->image_base;
  const auto pc = static_cast<uint32_t>(dispatcher->control_pc - base);
  if (!(record->ExceptionFlags & (kUnwinding | kExitUnwind))) {
    for (uint32_t i = dispatcher->scope_index; i < table->count; i++) {
      const Scope& scope = table->scopes[i];
      if (pc < scope.begin || pc >= scope.end || !scope.jump) continue;
      int answer = EXCEPTION_EXECUTE_HANDLER;
      if (scope.handler != 1) {
        EXCEPTION_POINTERS pointers = {record, reinterpret_cast<PCONTEXT>(context)};
        answer = CallDriver(reinterpret_cast<Filter>(base + scope.handler), static_cast<void*>(&pointers), frame);
      }
      if (answer < 0) return Disposition::kContinueExecution;
      if (answer > 0) {
        *execute = true;
        *target = {frame, base + scope.jump, static_cast<uint32_t>(record->ExceptionCode)};
        return Disposition::kContinueSearch;
      }
    }
    return Disposition::kContinueSearch;
  }
  const bool at_target = record->ExceptionFlags & kTargetUnwind;
  const auto target_rva = static_cast<uint32_t>(dispatcher->target_ip - base);
  for (uint32_t i = dispatcher->scope_index; i < table->count; i++) {
    const Scope& scope = table->scopes[i];
    if (pc < scope.begin || pc >= scope.end) continue;
    if (at_target) {
      // The target lies inside this scope: its block is not left, nor are those around it.
      bool stays = false;
      for (uint32_t k = 0; k < table->count && !stays; k++) {
        const Scope& other = table->scopes[k];
        stays = target_rva >= other.begin && target_rva < other.end && other.jump == scope.jump && other.handler == scope.handler;
      }
      if (stays || (scope.jump && scope.jump == target_rva)) break;
    }
    if (scope.jump) continue;
    dispatcher->scope_index = i + 1;  // before the call: an exception in the block must not run it again
    CallDriver(reinterpret_cast<Termination>(base + scope.handler), uint8_t{1}, frame);
  }
  return Disposition::kContinueSearch;
}

void RaiseAtCallerOf(void* frame, const DriverBoundary& exception) {
  const auto& seh = static_cast<const SehException&>(exception);
  auto* return_address = static_cast<uint64_t*>(frame) + 1;
  t_crossing.return_address = *return_address;
  t_crossing.record = seh.record();
  t_crossing.target = seh.target();
  *return_address = reinterpret_cast<uint64_t>(&ntio_raise_trampoline);
}

}  // namespace nt::ldr

extern "C" {

/// From ntio_raise_trampoline: `context` has the state of the driver that called the export.
[[noreturn]] void ntio_dispatch_pending(nt::ldr::Context* context) {
  using namespace nt::ldr;
  context->rip = t_crossing.return_address;
  EXCEPTION_RECORD record = t_crossing.record;
  if (!record.ExceptionAddress) record.ExceptionAddress = reinterpret_cast<void*>(context->rip);
  const UnwindTarget target = t_crossing.target;
  if (target.frame || (record.ExceptionFlags & kExitUnwind)) UnwindTo(*context, target, &record);
  DispatchException(context, &record);
}

/// From ntio_fault_trampoline.
[[noreturn]] void ntio_dispatch_fault(nt::ldr::Context* context, EXCEPTION_RECORD* record) {
  if (static_cast<NTSTATUS>(record->ExceptionCode) == STATUS_ASSERTION_FAILURE && nt::ldr::g_assertion) {
    nt::ldr::Context at = *context;
    at.rip = reinterpret_cast<uint64_t>(record->ExceptionAddress);
    nt::ldr::g_assertion(at);
  }
  nt::ldr::DispatchException(context, record);
}
}
