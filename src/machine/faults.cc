#include "src/machine/faults.h"

#include <cstdio>
#include <string>

#include "src/kd/kd.h"
#include "src/ke/bug_check.h"
#include "src/ke/ke.h"
#include "src/ldr/ldr.h"
#include "src/rtl/rtl.h"

namespace nt::machine {
namespace {

// The state in which the thread faulted, while its bug check is being reported; else the reporter's own stack is the story.
thread_local const ldr::Context* t_fault_context = nullptr;

std::string DescribeRegisters(const ldr::Context& context) {
  using namespace ldr;
  struct {
    const char* name;
    uint64_t value;
  } const rows[] = {{"rax", context.gpr[kRax]}, {"rbx", context.gpr[kRbx]}, {"rcx", context.gpr[kRcx]},
                    {"rdx", context.gpr[kRdx]}, {"rsi", context.gpr[kRsi]}, {"rdi", context.gpr[kRdi]},
                    {"rip", context.rip},       {"rsp", context.gpr[kRsp]}, {"rbp", context.gpr[kRbp]},
                    {"r8", context.gpr[kR8]},   {"r9", context.gpr[kR9]},   {"r10", context.gpr[kR10]},
                    {"r11", context.gpr[kR11]}, {"r12", context.gpr[kR12]}, {"r13", context.gpr[kR13]},
                    {"r14", context.gpr[kR14]}, {"r15", context.gpr[kR15]}, {"efl", context.eflags}};
  std::string text;
  for (size_t i = 0; i < std::size(rows); i++) {
    char column[40];
    std::snprintf(column, sizeof column, "%3s=%016llx%s", rows[i].name, static_cast<unsigned long long>(rows[i].value),
                  i % 3 == 2 ? "\n" : "  ");
    text += column;
  }
  return text;
}

void DescribeStack(ke::BugCheckReport* report) {
  auto frames = t_fault_context ? ldr::CaptureStackFrom(*t_fault_context) : ldr::CaptureStack(2);
  ldr::Symbolize(&frames);
  // A recursion is as long as the stack: frames that say the same are told once.
  std::string last;
  size_t repeated = 0;
  const auto flush = [&] {
    if (repeated) report->stack += "... " + std::to_string(repeated) + " more of the same\n";
    repeated = 0;
  };
  for (const auto& frame : frames) {
    if (report->driver.empty() && frame.driver) report->driver = frame.module;
    std::string line = ldr::FormatFrame(frame);
    if (line == last) {
      repeated++;
      continue;
    }
    flush();
    report->stack += line + "\n";
    last = std::move(line);
  }
  flush();
  if (t_fault_context && !frames.empty()) {
    report->fault = ldr::FormatFrame(frames[0]) + "\n";
    if (frames[0].module_offset) {
      char place[24];
      std::snprintf(place, sizeof place, "+0x%llx", static_cast<unsigned long long>(frames[0].module_offset));
      report->fault += frames[0].module + place + "\n";
    }
    report->fault += DescribeRegisters(*t_fault_context);
  }
}

ULONG_PTR Parameter(const EXCEPTION_RECORD& record, ULONG index) {
  return index < record.NumberParameters ? record.ExceptionInformation[index] : 0;
}

[[noreturn]] void Stop(const char* message, ULONG code, const EXCEPTION_RECORD& record, const ldr::Context& context) {
  t_fault_context = &context;
  ke::BugCheckWithMessage(message, code, static_cast<ULONG>(record.ExceptionCode),
                          reinterpret_cast<ULONG_PTR>(record.ExceptionAddress), Parameter(record, 0), Parameter(record, 1));
}

const char* ExplainException(const EXCEPTION_RECORD& record, char* buffer, size_t bytes) {
  const auto* name = StatusName(static_cast<NTSTATUS>(record.ExceptionCode));
  if (static_cast<NTSTATUS>(record.ExceptionCode) == STATUS_ACCESS_VIOLATION && record.NumberParameters >= 2) {
    const char* verb = record.ExceptionInformation[0] == 0 ? "read" : record.ExceptionInformation[0] == 1 ? "wrote" : "executed";
    std::snprintf(buffer, bytes, "A driver %s memory that is not there: address 0x%016llx.", verb,
                  static_cast<unsigned long long>(record.ExceptionInformation[1]));
  } else {
    std::snprintf(buffer, bytes, "A driver raised an exception that nobody handled: %s (0x%08X).", name ? name : "unknown",
                  static_cast<unsigned>(record.ExceptionCode));
  }
  return buffer;
}

}  // namespace

void InstallFaultHooks() {
  ldr::Initialize();
  ke::SetStackDescriber(DescribeStack);
  ldr::SetUnhandledExceptionHook([](const EXCEPTION_RECORD& record, const ldr::Context& context) {
    char text[128];
    Stop(ExplainException(record, text, sizeof text), KMODE_EXCEPTION_NOT_HANDLED, record, context);
  });
  ldr::SetHostFaultHook([](const EXCEPTION_RECORD& record, const ldr::Context& context) {
    Stop("The runtime itself faulted: a bad pointer from a driver, or a defect of ntio.", KMODE_EXCEPTION_NOT_HANDLED,
         record, context);
  });
  ldr::SetStackOverflowHook([](const EXCEPTION_RECORD&, const ldr::Context& context) {
    t_fault_context = &context;
    constexpr ULONG_PTR kDoubleFault = 8;  // what a kernel stack overflow is on Windows
    ke::BugCheckWithMessage("A thread ran out of kernel stack.", UNEXPECTED_KERNEL_MODE_TRAP, kDoubleFault);
  });
  ldr::SetFastFailHook([](uint32_t code, const EXCEPTION_RECORD& record, const ldr::Context& context) {
    t_fault_context = &context;
    constexpr uint32_t kStackCookie = 2;
    ke::BugCheckWithMessage(code == kStackCookie ? "A driver overran a buffer on its stack."
                                                 : "A driver's own check failed (__fastfail).",
                            KERNEL_SECURITY_CHECK_FAILURE, code, reinterpret_cast<ULONG_PTR>(&context),
                            reinterpret_cast<ULONG_PTR>(&record));
  });
  ldr::SetAssertionHook([](const ldr::Context& context) {
    if (!kd::IsPrinting()) return;
    // A handler of the driver may swallow it; then only the debug output tells.
    auto frames = ldr::CaptureStackFrom(context);
    if (frames.size() > 1) frames.resize(1);
    ldr::Symbolize(&frames);
    kd::Print("Assertion failed: " + (frames.empty() ? std::string("?") : ldr::FormatFrame(frames[0])) + "\n");
  });
  ldr::SetMissingImportHook([](const char* driver, const char* name) {
    const std::string text =
        std::string(driver) + " called " + name + ", which this version of ntio does not have (--lazy-imports let it load).";
    ke::BugCheckWithMessage(text.c_str(), KMODE_EXCEPTION_NOT_HANDLED, static_cast<ULONG>(STATUS_ENTRYPOINT_NOT_FOUND));
  });
  auto* shared = static_cast<KUSER_SHARED_DATA*>(ldr::SharedUserData());
  shared->NtMajorVersion = rtl::kMajorVersion;
  shared->NtMinorVersion = rtl::kMinorVersion;
  shared->NtBuildNumber = rtl::kBuildNumber;
  shared->NtProductType = NtProductWinNt;
  shared->ProductTypeIsValid = TRUE;
  ldr::SetSharedUserDataHook([](void* page) { ke::UpdateSharedUserData(page); });  // KeQuerySystemTime is such a load
  ldr::SetProcessorHooks({[]() -> uint8_t { return ke::CurrentIrql(); },
                          [](uint8_t irql) {
                            if (irql > ke::CurrentIrql()) ke::RaiseIrql(irql);
                            else ke::LowerIrql(irql);
                          }});
}

}  // namespace nt::machine
