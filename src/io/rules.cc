// What a driver must not do with an IRP, checked on every request. A violation is a bug check that names the rule, the
// driver and the IRP; the numbers are those of Driver Verifier's I/O checks (0xC9).
//
// How the pending protocol is checked without touching an IRP that may be gone: the service that sends holds the IRP
// (IRP::Reserved, irp.cc) until it has seen what the dispatch routine returned. Sender and completer each leave a bit
// there; whoever comes second compares.
#include "src/io/internal.h"

namespace nt::io {

void ReportRule(ULONG rule, const std::string& sentence, DRIVER_OBJECT* driver, IRP* irp) {
  const std::string message = "driver " + (driver ? DriverFileName(driver) : std::string("(unknown)")) + " " + sentence;
  if (irp) ke::CurrentThread()->dispatch_irp = irp;  // the report shows it
  if (driver) ke::BlameDriver(DriverFileName(driver));
  ke::BugCheckWithMessage(message.c_str(), DRIVER_VERIFIER_IOMANAGER_VIOLATION, rule, reinterpret_cast<ULONG_PTR>(irp));
}

namespace {

std::string Major(UCHAR major) { return MajorFunctionName(major); }

IO_STACK_LOCATION* LocationAt(IRP* irp, int index) { return reinterpret_cast<IO_STACK_LOCATION*>(irp + 1) + index - 1; }
IO_STACK_LOCATION* TopLocation(IRP* irp) { return LocationAt(irp, irp->StackCount); }

DRIVER_OBJECT* DriverAt(IRP* irp, int index) {
  if (index < 1 || index > irp->StackCount) return nullptr;
  DEVICE_OBJECT* device = LocationAt(irp, index)->DeviceObject;
  return device ? device->DriverObject : nullptr;
}

[[noreturn]] void ReportUnmarked(IRP* irp, int location) {
  ReportRule(0x23D,
             "returned STATUS_PENDING for " + Major(TopLocation(irp)->MajorFunction) +
                 " and did not mark the IRP (IoMarkIrpPending), or its completion routine did not pass the mark on",
             DriverAt(irp, location), irp);
}

}  // namespace

void CheckedState::NoteDeferred(IRP* irp, int unmarked_location) {
  const USHORT before = __atomic_fetch_or(
      &irp->Reserved, static_cast<USHORT>(kDeferred | unmarked_location << kLocationShift), __ATOMIC_ACQ_REL);
  if (before & kSentPending) [[unlikely]]
    ReportUnmarked(irp, unmarked_location);
}

void CheckedState::NoteReturned(IRP* irp, Status status) {
  if (status == STATUS_PENDING) {
    const USHORT before = __atomic_fetch_or(&irp->Reserved, kSentPending, __ATOMIC_ACQ_REL);
    if (before & kDeferred) [[unlikely]]
      ReportUnmarked(irp, (before & kLocationMask) >> kLocationShift);
  } else if (!(__atomic_load_n(&irp->Reserved, __ATOMIC_ACQUIRE) & kDeferred)) [[unlikely]] {
    const UCHAR major = TopLocation(irp)->MajorFunction;
    const bool completed = irp->CurrentLocation > irp->StackCount;
    if (completed || TopLocation(irp)->Control & SL_PENDING_RETURNED)
      ReportRule(0x23E, "marked the IRP of " + Major(major) + " pending and did not return STATUS_PENDING",
                 DriverAt(irp, irp->StackCount), irp);
    ReportRule(0x226,
               "returned from " + Major(major) + " with a final status and neither completed the IRP nor passed it on",
               DriverAt(irp, irp->CurrentLocation), irp);
  }
  UnpinIrp(irp);
}

void CheckAnswered(KEVENT* event, DRIVER_OBJECT* driver, IRP* irp, UCHAR major) {
  if (ke::ReadStateEvent(event) == 0) [[unlikely]]
    ReportRule(0x226,
               "returned from " + Major(major) + " with a final status and neither completed the IRP nor passed it on",
               driver, irp);
}

void ReportUnbalancedDispatch(const ThreadBalance& before, DRIVER_OBJECT* driver, UCHAR major) {
  const ThreadBalance now(ke::CurrentThread());
  if (now.irql != before.irql)
    ReportRule(5,
               "changed the IRQL in its " + Major(major) + " routine: it was " + std::to_string(before.irql) +
                   " and is " + std::to_string(now.irql),
               driver, nullptr);
  ReportRule(
      0xC5,
      "entered a critical or guarded region in its " + Major(major) + " routine and did not leave it, or the reverse",
      driver, nullptr);
}

void ReportUnbalancedCompletion(DEVICE_OBJECT* device, IRP* irp) {
  ReportRule(0xFA, "changed the IRQL or the APC state in a completion routine", device ? device->DriverObject : nullptr,
             irp);
}

}  // namespace nt::io
