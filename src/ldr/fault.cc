// Processor faults. The handler runs on the signal stack and decides; whatever takes time or may run driver code happens on
// the thread's own stack, at a trampoline that the handler resumes at. In order:
//   1. an address that mm pages in (user views): deferred page-in, then the instruction again
//   2. driver code: emulated instructions, fast fail, or an exception dispatched from the faulting instruction
//   3. the user-memory helpers (user_access.h): their error return
//   4. runtime code: stack overflow or a fault of ours; the hooks make a bug check of it
// Anything else goes back to the host, which passes it to the handler that was there before.

#include "src/ldr/fault.h"

#include <ucontext.h>

#include <csignal>
#include <cstring>

#include "src/base/check.h"
#include "src/ldr/binding.h"
#include "src/ldr/dispatch.h"
#include "src/ldr/export.h"
#include "src/ldr/image_table.h"
#include "src/ldr/trampolines.h"
#include "src/ldr/unwind.h"

namespace nt::ldr {
namespace {

constexpr int kGreg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                           REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
constexpr unsigned kTrapBreakpoint = 3, kTrapGeneralProtection = 13, kTrapPage = 14;
constexpr uint64_t kRedZone = 128;
constexpr uint64_t kNearStack = 1u << 20;      // how far from rsp an access beyond the stack's end still is an overflow
constexpr uint64_t kDispatchReserve = 0x4000;  // what dispatching an exception needs at least

struct Hooks {
  HostFaultHook host_fault = nullptr;
  StackOverflowHook stack_overflow = nullptr;
  FastFailHook fast_fail = nullptr;
  MissingImportHook missing_import = nullptr;
  ProcessorHooks processor = {};
  PageFaultHooks page_fault = {};
};
Hooks g_hooks;

struct StackBounds {
  uintptr_t low = 0, high = 0;
};
thread_local StackBounds t_stack;

void FillContext(const ucontext_t* machine, Context* context) {
  std::memset(context, 0, sizeof *context);
  const greg_t* gregs = machine->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) context->gpr[i] = static_cast<uint64_t>(gregs[kGreg[i]]);
  context->rip = static_cast<uint64_t>(gregs[REG_RIP]);
  context->eflags = static_cast<uint32_t>(gregs[REG_EFL]);
  context->flags = kContextFull;
  if (const auto* vector = machine->uc_mcontext.fpregs) {
    std::memcpy(context->xmm, vector->_xmm, sizeof context->xmm);
    context->mxcsr = vector->mxcsr;
  } else {
    context->mxcsr = 0x1f80;
  }
}

void FillRecord(const host::FaultInfo& fault, uint64_t pc, EXCEPTION_RECORD* record) {
  *record = {};
  record->ExceptionAddress = reinterpret_cast<void*>(pc);
  switch (fault.signal) {
    case SIGFPE:
      switch (fault.code) {
        case FPE_INTDIV:
          record->ExceptionCode = STATUS_INTEGER_DIVIDE_BY_ZERO;
          return;
        case FPE_FLTDIV:
          record->ExceptionCode = STATUS_FLOAT_DIVIDE_BY_ZERO;
          return;
        case FPE_FLTOVF:
          record->ExceptionCode = STATUS_FLOAT_OVERFLOW;
          return;
        case FPE_FLTUND:
          record->ExceptionCode = STATUS_FLOAT_UNDERFLOW;
          return;
        case FPE_FLTRES:
          record->ExceptionCode = STATUS_FLOAT_INEXACT_RESULT;
          return;
        default:
          record->ExceptionCode = STATUS_FLOAT_INVALID_OPERATION;
          return;
      }
    case SIGILL:
      record->ExceptionCode = STATUS_ILLEGAL_INSTRUCTION;
      return;
    case SIGTRAP:
      record->ExceptionCode = fault.trap == kTrapBreakpoint ? STATUS_BREAKPOINT : STATUS_SINGLE_STEP;
      return;
    default:
      break;
  }
  record->ExceptionCode = STATUS_ACCESS_VIOLATION;
  record->NumberParameters = 2;
  if (fault.trap == kTrapPage) {
    record->ExceptionInformation[0] = fault.error_code & 0x10 ? 8 : (fault.error_code >> 1) & 1;  // fetch, write, read
    record->ExceptionInformation[1] = fault.address;
    if (fault.signal == SIGBUS) {  // a mapped file that shrank or could not be read
      record->ExceptionCode = STATUS_IN_PAGE_ERROR;
      record->NumberParameters = 3;
      record->ExceptionInformation[2] = static_cast<uint32_t>(STATUS_IO_DEVICE_ERROR);
    }
  } else {
    record->ExceptionInformation[0] = 0;
    record->ExceptionInformation[1] = ~0ull;  // a general-protection fault tells no address
  }
}

/// Whether the access went beyond the end of the thread's stack, or leaves no room to handle anything on it.
bool IsStackOverflow(const host::FaultInfo& fault, uint64_t sp) {
  if (fault.trap != kTrapPage) return false;
  const uint64_t distance = fault.address > sp ? fault.address - sp : sp - fault.address;
  if (distance > kNearStack) return false;
  uintptr_t low = t_stack.low, high = t_stack.high;
  if (!high) host::CurrentStackBounds(&low, &high);
  if (sp > high || sp + kNearStack < low) {
    // Another stack than the thread's: an access close to rsp that faulted is its end.
    return distance < 0x10000;
  }
  return fault.address < low + host::kPageBytes || sp < low + kDispatchReserve;
}

[[noreturn]] void OverflowOnSignalStack(const host::FaultInfo& fault, const ucontext_t* machine, uint64_t pc) {
  Context context;
  FillContext(machine, &context);
  EXCEPTION_RECORD record;
  FillRecord(fault, pc, &record);
  record.ExceptionCode = STATUS_STACK_OVERFLOW;
  if (g_hooks.stack_overflow) g_hooks.stack_overflow(record, context);
  if (g_hooks.host_fault) g_hooks.host_fault(record, context);
  ReportUnhandled(record, context);
}

/// Where data for the thread may be put on its own stack. On a thread without a signal stack (one that never came through
/// the host) the handler itself runs there: then below the handler, with room for what it still calls.
[[gnu::noinline]] uint64_t FreeStack(const greg_t* gregs) {
  const auto sp = static_cast<uint64_t>(gregs[REG_RSP]);
  const auto here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  if (here < sp && sp - here < 0x8000) return here - 0x2000;
  return sp - kRedZone;
}

/// Puts context and record on the faulting stack and resumes at `trampoline`.
void ResumeAt(void (*trampoline)(), const host::FaultInfo& fault, ucontext_t* machine, uint64_t pc) {
  greg_t* gregs = machine->uc_mcontext.gregs;
  const uint64_t room = sizeof(Context) + sizeof(EXCEPTION_RECORD) + 64;
  const uint64_t sp = (FreeStack(gregs) - room) & ~uint64_t{63};
  auto* context = reinterpret_cast<Context*>(sp);
  auto* record = reinterpret_cast<EXCEPTION_RECORD*>(sp + sizeof(Context));
  FillContext(machine, context);
  FillRecord(fault, pc, record);
  gregs[REG_RBX] = gregs[REG_RDI] = static_cast<greg_t>(sp);
  gregs[REG_RSI] = reinterpret_cast<greg_t>(record);
  gregs[REG_RSP] = static_cast<greg_t>(sp);
  gregs[REG_RIP] = reinterpret_cast<greg_t>(trampoline);
  gregs[REG_EFL] &= ~(0x400 | 0x100);  // direction, single step
}

bool InUserAccess(uint64_t pc) {
  return pc >= reinterpret_cast<uint64_t>(ntio_user_access_begin) && pc < reinterpret_cast<uint64_t>(ntio_user_access_end);
}

void FailUserAccess(greg_t* gregs, bool write, bool bus, uint64_t address) {
  gregs[REG_RAX] = static_cast<greg_t>((write ? kUserFaultWrite : kUserFaultRead) | (bus ? kUserFaultBus : 0));
  gregs[REG_RDX] = static_cast<greg_t>(address);
  gregs[REG_RIP] = reinterpret_cast<greg_t>(ntio_user_access_fault);
  gregs[REG_EFL] &= ~0x400;
}

/// On the thread's stack: pages in; a failure becomes an exception at the faulting instruction.
void PageIn(void* ucontext, uint64_t address, uint64_t write) {
  auto* machine = static_cast<ucontext_t*>(ucontext);
  greg_t* gregs = machine->uc_mcontext.gregs;
  Status status = STATUS_SUCCESS;
  try {
    status = g_hooks.page_fault.page_in(address, write != 0);
  } catch (const SehException& exception) {
    status = exception.code();
  }
  if (status.ok()) return;
  const auto pc = static_cast<uint64_t>(gregs[REG_RIP]);
  const bool access = status == STATUS_ACCESS_VIOLATION || status == STATUS_GUARD_PAGE_VIOLATION;
  if (InUserAccess(pc)) {
    FailUserAccess(gregs, write != 0, !access, address);
    return;
  }
  Context context;
  FillContext(machine, &context);
  EXCEPTION_RECORD record = {};
  record.ExceptionCode = access ? status.value() : STATUS_IN_PAGE_ERROR;
  record.ExceptionAddress = reinterpret_cast<void*>(pc);
  record.NumberParameters = access ? 2 : 3;
  record.ExceptionInformation[0] = write;
  record.ExceptionInformation[1] = address;
  record.ExceptionInformation[2] = static_cast<uint32_t>(status.value());
  if (ImageAt(pc)) DispatchException(&context, &record);
  if (g_hooks.host_fault) g_hooks.host_fault(record, context);
  ReportUnhandled(record, context);
}

void FastFail(void* ucontext, uint64_t code, uint64_t) {
  Context context;
  FillContext(static_cast<ucontext_t*>(ucontext), &context);
  EXCEPTION_RECORD record = {};
  record.ExceptionCode = STATUS_STACK_BUFFER_OVERRUN;
  record.ExceptionFlags = kNoncontinuable;
  record.ExceptionAddress = reinterpret_cast<void*>(context.rip);
  record.NumberParameters = 1;
  record.ExceptionInformation[0] = code;
  if (g_hooks.fast_fail) g_hooks.fast_fail(static_cast<uint32_t>(code), record, context);
  ReportUnhandled(record, context);
}

/// `int n` is a general-protection fault here; three of them mean something to Windows.
bool HandleSoftwareInterrupt(const host::FaultInfo& fault, ucontext_t* machine) {
  if (fault.trap != kTrapGeneralProtection) return false;
  greg_t* gregs = machine->uc_mcontext.gregs;
  const auto pc = static_cast<uint64_t>(gregs[REG_RIP]);
  if (!ImageAt(pc + 1)) return false;
  const auto* code = reinterpret_cast<const uint8_t*>(pc);
  if (code[0] != 0xCD) return false;
  switch (code[1]) {
    case 0x29:
      DeferToThread(machine, FastFail, static_cast<uint32_t>(gregs[REG_RCX]), 0);
      return true;
    case 0x2C:
    case 0x2D: {
      ResumeAt(ntio_fault_trampoline, fault, machine, pc);
      auto* record = reinterpret_cast<EXCEPTION_RECORD*>(gregs[REG_RSI]);
      record->ExceptionCode = code[1] == 0x2C ? STATUS_ASSERTION_FAILURE : STATUS_BREAKPOINT;
      record->NumberParameters = 0;
      auto* context = reinterpret_cast<Context*>(gregs[REG_RDI]);
      // An assertion's context is at the instruction, which may be the last one of its __try; a service's behind it.
      if (code[1] == 0x2D) context->rip += 2;
      return true;
    }
    default:
      return false;
  }
}

bool OnFault(const host::FaultInfo& fault) {
  auto* machine = static_cast<ucontext_t*>(fault.machine);
  greg_t* gregs = machine->uc_mcontext.gregs;
  const auto pc = static_cast<uint64_t>(gregs[REG_RIP]);
  const auto sp = static_cast<uint64_t>(gregs[REG_RSP]);
  const bool page = fault.trap == kTrapPage;
  const bool write = page && (fault.error_code & 2);

  if (page && fault.signal == SIGSEGV && g_hooks.page_fault.is_mine && g_hooks.page_fault.is_mine(fault.address)) {
    DeferToThread(machine, PageIn, fault.address, write);
    return true;
  }
  if (ImageAt(pc)) {
    if (EmulateDriverInstruction(fault) || HandleSoftwareInterrupt(fault, machine)) return true;
    if (IsStackOverflow(fault, sp)) OverflowOnSignalStack(fault, machine, pc);
    // A breakpoint reports the instruction itself; the processor has gone past it.
    const uint64_t address = fault.signal == SIGTRAP && fault.trap == kTrapBreakpoint ? pc - 1 : pc;
    ResumeAt(ntio_fault_trampoline, fault, machine, address);
    if (address != pc) reinterpret_cast<Context*>(gregs[REG_RDI])->rip = address;
    return true;
  }
  if (InUserAccess(pc)) {
    FailUserAccess(gregs, write, fault.signal == SIGBUS, page ? fault.address : ~0ull);
    return true;
  }
  // A driver called through a bad pointer: the frame is the caller's, as if the call had not been made.
  if (page && (fault.error_code & 0x10) && fault.address == pc) {
    const uint64_t caller = *reinterpret_cast<const uint64_t*>(sp);
    if (ImageAt(caller)) {
      ResumeAt(ntio_fault_trampoline, fault, machine, pc);
      UnwindLeaf(reinterpret_cast<Context*>(gregs[REG_RDI]));
      return true;
    }
  }
  if (!g_hooks.host_fault || fault.signal == SIGTRAP) return false;
  if (IsStackOverflow(fault, sp)) OverflowOnSignalStack(fault, machine, pc);
  ResumeAt(ntio_host_fault_trampoline, fault, machine, pc);
  return true;
}

/// Lies on the thread's stack below a copy of the signal frame.
struct DeferredCall {
  void (*routine)(void* ucontext, uint64_t first, uint64_t second);
  void* ucontext;
  uint64_t first, second;
};

}  // namespace

void DeferToThread(void* ucontext, void (*routine)(void*, uint64_t, uint64_t), uint64_t first, uint64_t second) {
  auto* machine = static_cast<ucontext_t*>(ucontext);
  greg_t* gregs = machine->uc_mcontext.gregs;
  uint64_t at = FreeStack(gregs) & ~uint64_t{63};
  // The extended processor state: its size is in the software-reserved bytes of the legacy area.
  fpregset_t state = nullptr;
  if (machine->uc_mcontext.fpregs) {
    const auto* legacy = reinterpret_cast<const std::byte*>(machine->uc_mcontext.fpregs);
    uint32_t magic, bytes;
    std::memcpy(&magic, legacy + 464, 4);
    std::memcpy(&bytes, legacy + 468, 4);
    if (magic != 0x46505853 || bytes < 512 || bytes > 64 * 1024) bytes = 512;
    at = (at - bytes) & ~uint64_t{63};
    std::memcpy(reinterpret_cast<void*>(at), legacy, bytes);
    state = reinterpret_cast<fpregset_t>(at);
  }
  at = (at - sizeof(ucontext_t)) & ~uint64_t{63};
  auto* copy = reinterpret_cast<ucontext_t*>(at);
  std::memcpy(copy, machine, sizeof *copy);
  copy->uc_mcontext.fpregs = state;
  at = (at - sizeof(DeferredCall)) & ~uint64_t{63};
  auto* call = reinterpret_cast<DeferredCall*>(at);
  *call = {routine, copy, first, second};
  gregs[REG_RDI] = static_cast<greg_t>(at);
  gregs[REG_RBX] = reinterpret_cast<greg_t>(copy);
  gregs[REG_RSP] = static_cast<greg_t>(at);
  gregs[REG_RIP] = reinterpret_cast<greg_t>(&ntio_deferred_trampoline);
  gregs[REG_EFL] &= ~(0x400 | 0x100);
}

void InstallFaultHandling() { host::InstallFaultHandler(OnFault); }

void SetStackBounds(uintptr_t limit, uintptr_t base) { t_stack = {limit, base}; }
void SetHostFaultHook(HostFaultHook hook) { g_hooks.host_fault = hook; }
void SetStackOverflowHook(StackOverflowHook hook) { g_hooks.stack_overflow = hook; }
void SetFastFailHook(FastFailHook hook) { g_hooks.fast_fail = hook; }
void SetMissingImportHook(MissingImportHook hook) { g_hooks.missing_import = hook; }
void SetProcessorHooks(const ProcessorHooks& hooks) { g_hooks.processor = hooks; }
void SetPageFaultHooks(const PageFaultHooks& hooks) { g_hooks.page_fault = hooks; }

uint8_t ReadIrql() { return g_hooks.processor.read_irql ? g_hooks.processor.read_irql() : uint8_t{0}; }
void WriteIrql(uint8_t irql) {
  if (g_hooks.processor.write_irql) g_hooks.processor.write_irql(irql);
}

void MissingImport(const char* driver, const char* name) {
  if (g_hooks.missing_import) g_hooks.missing_import(driver, name);
  const std::string text = std::string("ntio: ") + driver + " called " + name + ", which the runtime does not have\n";
  host::WriteError(text.data(), text.size());
  std::abort();
}

}  // namespace nt::ldr

extern "C" {

void ntio_run_deferred(void* call) {
  const auto* deferred = static_cast<nt::ldr::DeferredCall*>(call);
  deferred->routine(deferred->ucontext, deferred->first, deferred->second);
}

[[noreturn]] void ntio_host_fault(nt::ldr::Context* context, EXCEPTION_RECORD* record) {
  nt::ldr::g_hooks.host_fault(*record, *context);
  nt::ldr::ReportUnhandled(*record, *context);
}

[[noreturn]] void ntio_missing_import(const nt::ldr::MissingImportRecord* record) {
  nt::ldr::MissingImport(record->driver.c_str(), record->name.c_str());
}
}
