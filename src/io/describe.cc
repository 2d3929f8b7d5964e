// An IRP as text, for bug-check reports. Takes no lock and trusts nothing: the IRP may be what is broken.
#include <cstdarg>
#include <cstdio>

#include "src/io/internal.h"

namespace nt::io {
namespace {

bool Readable(const void* address, size_t bytes) { return ex::IsPoolAddress(address) && bytes < 0x10000; }

void Append(std::string* text, const char* format, ...) __attribute__((format(printf, 2, 3)));
void Append(std::string* text, const char* format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  *text += line;
}

}  // namespace

std::string DescribeIrp(const IRP* irp) {
  std::string text;
  if (!Readable(irp, sizeof *irp)) {
    Append(&text, "IRP %p: not in pool\n", static_cast<const void*>(irp));
    return text;
  }
  if (irp->Type != IO_TYPE_IRP || irp->StackCount < 0 || irp->StackCount > 64) {
    Append(&text, "IRP %p: not an IRP, or freed\n", static_cast<const void*>(irp));
    return text;
  }
  Append(&text, "IRP %p  flags 0x%x  status 0x%08x  information 0x%llx  location %d of %d%s%s\n",
         static_cast<const void*>(irp), irp->Flags, static_cast<unsigned>(irp->IoStatus.Status),
         static_cast<unsigned long long>(irp->IoStatus.Information), irp->CurrentLocation, irp->StackCount,
         irp->PendingReturned ? "  pending" : "", irp->Cancel ? "  cancelled" : "");
  const auto* stack = reinterpret_cast<const IO_STACK_LOCATION*>(irp + 1);
  for (int i = irp->StackCount; i >= 1; i--) {
    const IO_STACK_LOCATION& location = stack[i - 1];
    std::string driver = "-";
    if (Readable(location.DeviceObject, sizeof(DEVICE_OBJECT)) && location.DeviceObject->Type == IO_TYPE_DEVICE)
      driver = DriverFileName(location.DeviceObject->DriverObject);
    Append(&text, "  %c%2d %-32s minor %2u  flags %02x  control %02x  device %p [%s]  file %p\n",
           i == irp->CurrentLocation ? '>' : ' ', i, MajorFunctionName(location.MajorFunction), location.MinorFunction,
           location.Flags, location.Control, static_cast<const void*>(location.DeviceObject), driver.c_str(),
           static_cast<const void*>(location.FileObject));
  }
  return text;
}

/// ke's hook: the requests that a thread waits for.
std::string DescribeThreadIrps(ke::Thread* thread) {
  std::string text;
  if (!thread) return text;
  if (thread->dispatch_irp) text += "current " + DescribeIrp(thread->dispatch_irp);
  if (thread->top_level_irp && reinterpret_cast<ULONG_PTR>(thread->top_level_irp) > 0xffff)
    text += "top-level " + DescribeIrp(thread->top_level_irp);
  if (!thread->irp_list.Flink) return text;
  int count = 0;
  for (const LIST_ENTRY* entry = thread->irp_list.Flink; entry != &thread->irp_list && count < 4; entry = entry->Flink) {
    const IRP* irp = CONTAINING_RECORD(entry, IRP, ThreadListEntry);
    if (!Readable(irp, sizeof *irp)) break;
    if (irp != thread->top_level_irp) text += DescribeIrp(irp);
    count++;
  }
  return text;
}

}  // namespace nt::io
