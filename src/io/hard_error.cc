// Hard errors. There is nobody at a console: they are written to the log, and the request goes on with its status.
#include <cstdio>

#include "src/io/internal.h"
#include "src/rtl/rtl.h"

namespace nt::io {
namespace {

void Log(const char* kind, NTSTATUS status, const std::string& about) {
  const char* name = StatusName(status);
  char line[512];
  const int length = std::snprintf(line, sizeof line, "ntio: %s: %s (0x%08X) %s\n", kind, name ? name : "status",
                                   static_cast<unsigned>(status), about.c_str());
  host::WriteError(line, static_cast<size_t>(length < static_cast<int>(sizeof line) ? length : sizeof line - 1));
}

std::string Text(const UNICODE_STRING* text) {
  return text ? rtl::ToUtf8({text->Buffer, text->Length / sizeof(WCHAR)}) : std::string();
}

}  // namespace

void RaiseHardError(IRP* irp, VPB* vpb, DEVICE_OBJECT* real_device) {
  std::string about = real_device ? "on a device of " + DriverFileName(real_device->DriverObject) : "";
  if (vpb && vpb->VolumeLabelLength) {
    UNICODE_STRING label;
    label.Buffer = vpb->VolumeLabel;
    label.Length = label.MaximumLength = vpb->VolumeLabelLength;
    about += ", volume " + Text(&label);
  }
  if (ke::CurrentThread()->hard_error_disable <= 0) Log("hard error", irp->IoStatus.Status, about);
  // As when the user presses "cancel".
  irp->IoStatus.Information = 0;
  CompleteRequest(irp, IO_DISK_INCREMENT);
}

bool RaiseInformationalHardError(NTSTATUS status, const UNICODE_STRING* text, PKTHREAD thread) {
  const ke::Thread* owner = thread ? ke::AsThread(thread) : ke::CurrentThread();
  if (owner->hard_error_disable > 0) return false;
  Log("message of a driver", status, Text(text));
  return true;
}

bool SetThreadHardErrorMode(bool enable) {
  ke::Thread* thread = ke::CurrentThread();
  const bool before = thread->hard_error_disable <= 0;
  thread->hard_error_disable = enable ? 0 : 1;
  return before;
}

}  // namespace nt::io
