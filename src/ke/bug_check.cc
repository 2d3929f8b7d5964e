// Bug check (bug_check.h). Takes no ranked lock: the caller may hold any.
#include "src/ke/internal.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>

namespace nt::ke {

std::atomic<bool> g_bug_checked{false};

namespace {

std::atomic<uint32_t> g_report_ready{0};
BugCheckReport* g_report = nullptr;  // leaked with the machine
IrpDescriber g_irp_describer = nullptr;
StackDescriber g_stack_describer = nullptr;
BugCheckListener g_listener = nullptr;
bool g_print = true;

// Drivers' callback records. The spin flag: registration at any IRQL.
std::atomic_flag g_callbacks_busy = ATOMIC_FLAG_INIT;
LIST_ENTRY g_callbacks = {&g_callbacks, &g_callbacks};
LIST_ENTRY g_reason_callbacks = {&g_reason_callbacks, &g_reason_callbacks};

struct CallbacksScope {
  CallbacksScope() {
    while (g_callbacks_busy.test_and_set(std::memory_order_acquire)) host::Yield();
  }
  ~CallbacksScope() { g_callbacks_busy.clear(std::memory_order_release); }
};

thread_local bool t_reporting = false;
thread_local std::string* t_blamed = nullptr;  // set shortly before a bug check, never freed
thread_local std::jmp_buf* t_exit = nullptr;  // the outermost CallIntoMachine of this host thread

std::string Format(const char* format, auto... values) {
  char text[256];
  std::snprintf(text, sizeof(text), format, values...);
  return text;
}

[[noreturn]] void Park() {
  if (t_exit) std::longjmp(*t_exit, 1);
  std::atomic<uint32_t> never{0};
  for (;;) host::WaitOnAddress(&never, 0, host::kForever);
}

void FinishReport() {
  g_report_ready.store(1, std::memory_order_release);
  host::WakeAddress(&g_report_ready, -1);
}

void AwaitReport() {
  while (g_report_ready.load(std::memory_order_acquire) == 0)
    host::WaitOnAddress(&g_report_ready, 0, host::kForever);
}

void CallDriverCallbacks() {
  for (LIST_ENTRY* entry = g_callbacks.Flink; entry != &g_callbacks; entry = entry->Flink) {
    auto* record = CONTAINING_RECORD(entry, KBUGCHECK_CALLBACK_RECORD, Entry);
    record->State = BufferStarted;
    CallDriver(record->CallbackRoutine, record->Buffer, record->Length);
    record->State = BufferFinished;
  }
  // Reason callbacks contribute to a crash dump file, which this machine does not write: they are registered and not called.
}

[[noreturn]] void Report(const char* message, ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4) {
  if (g_bug_checked.exchange(true, std::memory_order_seq_cst)) {
    if (t_reporting) {
      // The report itself failed (a describer or a driver's callback): what there is must do.
      const std::string text = Format("*** STOP: 0x%08X (0x%016llX, 0x%016llX) while reporting a bug check\n", code, p1, p2);
      if (g_print) host::WriteError(text.data(), text.size());
      WakeAllForBugCheck();
      FinishReport();
    }
    Park();
  }
  t_reporting = true;
  host::g_schedule_hook.store(&ParkIfBugChecked, std::memory_order_seq_cst);
  auto* report = new BugCheckReport;
  g_report = report;
  report->code = code;
  report->name = BugCheckName(code);
  report->parameters[0] = p1;
  report->parameters[1] = p2;
  report->parameters[2] = p3;
  report->parameters[3] = p4;
  if (message) report->message = message;
  if (t_blamed) report->driver = *t_blamed;
  Thread* thread = CurrentThreadOrNull();
  if (thread) {
    report->thread = thread;
    report->thread_id = reinterpret_cast<ULONG_PTR>(thread->cid.UniqueThread);
    report->irql = thread->irql;
    report->processor = static_cast<UCHAR>(thread->last_processor);
  }
  // What is known comes first: the describers walk structures that may be broken.
  const auto print = [](const std::string& text) {
    if (g_print) host::WriteError(text.data(), text.size());
  };
  print(report->Head());
  if (g_stack_describer) g_stack_describer(report);
  print(report->DriverAndStack());
  if (g_irp_describer && thread) report->irp = g_irp_describer(thread);
  print(report->IrpBlock());
  if (thread) thread->irql = HIGH_LEVEL;
  CallDriverCallbacks();
  WakeAllForBugCheck();
  if (g_listener) g_listener(*report);
  FinishReport();
  t_reporting = false;
  Park();
}

void AppendBlock(std::string* text, const char* title, const std::string& block) {
  if (block.empty()) return;
  *text += title;
  *text += '\n';
  size_t at = 0;
  while (at < block.size()) {
    size_t end = block.find('\n', at);
    if (end == std::string::npos) end = block.size();
    *text += "    ";
    text->append(block, at, end - at);
    *text += '\n';
    at = end + 1;
  }
}

}  // namespace

std::string BugCheckReport::Head() const {
  std::string text = Format("\n*** STOP: 0x%08X (0x%016llX, 0x%016llX, 0x%016llX, 0x%016llX)\n", code, parameters[0],
                            parameters[1], parameters[2], parameters[3]);
  if (*name) text += std::string("    ") + name + "\n";
  if (!message.empty()) text += "*** " + message + "\n";
  for (int i = 0; i < 4; i++) {
    const char* meaning = BugCheckParameterMeaning(code, i);
    if (!meaning) continue;
    text += Format("    %d: %016llX  %s", i + 1, parameters[i], meaning);
    // Exception codes are the one kind of parameter that has a name.
    const char* name = i == 0 && std::strcmp(meaning, "exception code") == 0
                           ? StatusName(static_cast<NTSTATUS>(parameters[i]))
                           : nullptr;
    text += name ? std::string(" (") + name + ")\n" : "\n";
  }
  return text + Format("*** thread %p (%llx)  IRQL %u  processor %u\n", thread, thread_id, irql, processor);
}

std::string BugCheckReport::DriverAndStack() const {
  std::string text;
  if (!driver.empty()) text += "*** driver: " + driver + "\n";
  AppendBlock(&text, "*** fault:", fault);
  AppendBlock(&text, "*** stack:", stack);
  return text;
}

std::string BugCheckReport::IrpBlock() const {
  std::string text;
  AppendBlock(&text, "*** IRP:", irp);
  return text;
}

std::string BugCheckReport::Text() const { return Head() + DriverAndStack() + IrpBlock(); }

void BlameDriver(std::string file_name) { t_blamed = new std::string(std::move(file_name)); }

void BugCheckEx(ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4) {
  Report(nullptr, code, p1, p2, p3, p4);
}

void BugCheckWithMessage(const char* message, ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4) {
  Report(message, code, p1, p2, p3, p4);
}

void EscapedException(const char* where, NTSTATUS status, const void* address) {
  const std::string message = Format("exception 0x%08X escapes from %s", static_cast<ULONG>(status), where);
  BugCheckWithMessage(message.c_str(), KMODE_EXCEPTION_NOT_HANDLED,
                      static_cast<ULONG_PTR>(static_cast<LONG_PTR>(status)), reinterpret_cast<ULONG_PTR>(address));
}

bool HasBugChecked() { return g_bug_checked.load(std::memory_order_acquire); }

const BugCheckReport* CurrentBugCheck() {
  return g_report_ready.load(std::memory_order_acquire) ? g_report : nullptr;
}

void ParkIfBugChecked() {
  if (!g_bug_checked.load(std::memory_order_acquire)) [[likely]]
    return;
  if (!t_reporting) Park();
}

void SetIrpDescriber(IrpDescriber describer) { g_irp_describer = describer; }
void SetStackDescriber(StackDescriber describer) { g_stack_describer = describer; }
void SetBugCheckListener(BugCheckListener listener) { g_listener = listener; }
void SetBugCheckPrinting(bool print) { g_print = print; }

namespace {

void RunGuarded(void (*function)(void*), void* context) {
  // A driver's exception that nobody takes is reported at its raise, with the whole stack (the loader's search does not stop
  // at `catch (...)`). What arrives here was raised by the runtime itself.
  try {
    function(context);
  } catch (...) {
    try {
      throw;
    } catch (const SehException& exception) {
      EscapedException("a system service", exception.code(), exception.record().ExceptionAddress);
    }
  }
}

}  // namespace

bool CallIntoMachineRaw(void (*function)(void*), void* context) {
  if (t_exit) {
    function(context);
    return true;
  }
  if (HasBugChecked()) {
    AwaitReport();
    return false;
  }
  std::jmp_buf exit;
  if (_setjmp(exit) != 0) {
    Lock::ForgetHeldByThisThread();
    t_exit = nullptr;
    AwaitReport();
    return false;
  }
  t_exit = &exit;
  RunGuarded(function, context);
  t_exit = nullptr;
  return true;
}

bool RegisterBugCheckCallback(KBUGCHECK_CALLBACK_RECORD* record, void* routine, void* buffer, ULONG length,
                              PUCHAR component) {
  CallbacksScope scope;
  if (record->State != BufferEmpty) return false;
  record->CallbackRoutine = reinterpret_cast<PKBUGCHECK_CALLBACK_ROUTINE>(routine);
  record->Buffer = buffer;
  record->Length = length;
  record->Component = component;
  record->Checksum = reinterpret_cast<ULONG_PTR>(routine) + reinterpret_cast<ULONG_PTR>(buffer) + length +
                     reinterpret_cast<ULONG_PTR>(component);
  record->State = BufferInserted;
  ListPushBack(&g_callbacks, &record->Entry);
  return true;
}

bool DeregisterBugCheckCallback(KBUGCHECK_CALLBACK_RECORD* record) {
  CallbacksScope scope;
  if (record->State != BufferInserted) return false;
  record->State = BufferEmpty;
  ListRemove(&record->Entry);
  return true;
}

bool RegisterBugCheckReasonCallback(KBUGCHECK_REASON_CALLBACK_RECORD* record, void* routine, int reason,
                                    PUCHAR component) {
  CallbacksScope scope;
  if (record->State != BufferEmpty) return false;
  record->CallbackRoutine = reinterpret_cast<PKBUGCHECK_REASON_CALLBACK_ROUTINE>(routine);
  record->Reason = static_cast<KBUGCHECK_CALLBACK_REASON>(reason);
  record->Component = component;
  record->Checksum = reinterpret_cast<ULONG_PTR>(routine) + static_cast<ULONG_PTR>(reason) +
                     reinterpret_cast<ULONG_PTR>(component);
  record->State = BufferInserted;
  ListPushBack(&g_reason_callbacks, &record->Entry);
  return true;
}

bool DeregisterBugCheckReasonCallback(KBUGCHECK_REASON_CALLBACK_RECORD* record) {
  CallbacksScope scope;
  if (record->State != BufferInserted) return false;
  record->State = BufferEmpty;
  ListRemove(&record->Entry);
  return true;
}

}  // namespace nt::ke
