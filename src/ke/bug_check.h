// Bug check: the end of a machine whose drivers, or whose runtime, broke a rule that NT enforces by a stop.
//
// The thread that calls BugCheckEx writes the report. Every thread of the machine then parks at its next export, callback or
// wait: an outside thread jumps to its outermost CallIntoMachine, which returns false; a system thread sleeps for ever. The
// machine is leaked, and the process refuses another boot.
#pragma once

#include <string>

#include "ntdef.h"

namespace nt::ke {

struct Thread;

struct BugCheckReport {
  ULONG code = 0;
  const char* name = "";        // "IRQL_NOT_LESS_OR_EQUAL"; "" when unknown
  ULONG_PTR parameters[4] = {};
  std::string message;          // what the runtime knows about the cause; may be empty
  std::string driver;           // file name of the driver held responsible; may be empty
  std::string fault;            // the instruction, and the registers there; empty unless the processor stopped the driver
  std::string stack;            // symbolised, one frame a line
  std::string irp;              // the IRP at hand with its stack locations
  const void* thread = nullptr;
  ULONG_PTR thread_id = 0;
  UCHAR irql = 0;
  UCHAR processor = 0;
  /// The report as printed: its three parts, in the order in which they become known.
  std::string Text() const;
  std::string Head() const;
  std::string DriverAndStack() const;
  std::string IrpBlock() const;
};

[[noreturn]] void BugCheckEx(ULONG code, ULONG_PTR p1 = 0, ULONG_PTR p2 = 0, ULONG_PTR p3 = 0, ULONG_PTR p4 = 0);
[[noreturn]] inline void BugCheck(ULONG code) { BugCheckEx(code); }
/// The driver that the next bug check of this thread is laid to, where its stack does not tell: it has returned, or hangs in
/// another thread.
void BlameDriver(std::string file_name);
/// As BugCheckEx, with a sentence for people.
[[noreturn]] void BugCheckWithMessage(const char* message, ULONG code, ULONG_PTR p1 = 0, ULONG_PTR p2 = 0,
                                      ULONG_PTR p3 = 0, ULONG_PTR p4 = 0);

bool HasBugChecked();
/// nullptr until the report is complete; then valid for the life of the process.
const BugCheckReport* CurrentBugCheck();
/// Parks the calling thread when the machine has bug-checked; else returns. Called by exports (SchedulePoint) and waits.
void ParkIfBugChecked();
const char* BugCheckName(ULONG code);
/// "address referenced"; nullptr when the parameter has no meaning, or the code is not known here.
const char* BugCheckParameterMeaning(ULONG code, int index);

// What other components add to the report. Called once, on the thread that bug-checks, at any IRQL; must take no locks.
/// @returns text about the IRP that `thread` is working on, or "".
using IrpDescriber = std::string (*)(Thread* thread);
void SetIrpDescriber(IrpDescriber describer);
/// Fills the stack of the calling thread, symbolised and mixed; the driver nearest to its top, if any and not known already;
/// what the processor was doing, if it was a fault.
using StackDescriber = void (*)(BugCheckReport* report);
void SetStackDescriber(StackDescriber describer);
/// Called after the report is complete and printed, before the thread parks (an isolated machine writes it out and exits).
using BugCheckListener = void (*)(const BugCheckReport& report);
void SetBugCheckListener(BugCheckListener listener);
/// Whether the report is printed to standard error. Default: yes.
void SetBugCheckPrinting(bool print);

// Drivers' callbacks (KeRegisterBugCheckCallback, KeRegisterBugCheckReasonCallback).
bool RegisterBugCheckCallback(struct _KBUGCHECK_CALLBACK_RECORD* record, void* routine, void* buffer, ULONG length,
                              PUCHAR component);
bool DeregisterBugCheckCallback(struct _KBUGCHECK_CALLBACK_RECORD* record);
bool RegisterBugCheckReasonCallback(struct _KBUGCHECK_REASON_CALLBACK_RECORD* record, void* routine, int reason,
                                    PUCHAR component);
bool DeregisterBugCheckReasonCallback(struct _KBUGCHECK_REASON_CALLBACK_RECORD* record);

}  // namespace nt::ke
