// An IRP as text, for bug-check reports. Takes no lock and trusts nothing: the IRP may be what is broken.
#include <cstdarg>
#include <cstdio>

#include "src/io/internal.h"
#include "src/rtl/rtl.h"

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

const char* MinorName(UCHAR major, UCHAR minor) {
  constexpr const char* kFsControl[] = {"USER_FS_REQUEST", "MOUNT_VOLUME", "VERIFY_VOLUME", "LOAD_FILE_SYSTEM",
                                        "KERNEL_CALL"};
  constexpr const char* kDirectory[] = {"", "QUERY_DIRECTORY", "NOTIFY_CHANGE_DIRECTORY", "NOTIFY_CHANGE_DIRECTORY_EX"};
  constexpr const char* kLock[] = {"", "LOCK", "UNLOCK_SINGLE", "UNLOCK_ALL", "UNLOCK_ALL_BY_KEY"};
  const auto of = [&](const auto& names) { return minor < std::size(names) ? names[minor] : ""; };
  switch (major) {
    case IRP_MJ_FILE_SYSTEM_CONTROL:
      return of(kFsControl);
    case IRP_MJ_DIRECTORY_CONTROL:
      return of(kDirectory);
    case IRP_MJ_LOCK_CONTROL:
      return of(kLock);
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
      return minor & IRP_MN_MDL ? "MDL" : minor & IRP_MN_COMPLETE ? "COMPLETE" : "";
    default:
      return "";
  }
}

/// What is asked: the parameters that the major function has.
void AppendParameters(const IO_STACK_LOCATION& location, std::string* text) {
  const auto& parameters = location.Parameters;
  switch (location.MajorFunction) {
    case IRP_MJ_CREATE:
      Append(text, "disposition %u  options 0x%06x  share 0x%x  attributes 0x%x", parameters.Create.Options >> 24,
             parameters.Create.Options & 0xFFFFFF, parameters.Create.ShareAccess, parameters.Create.FileAttributes);
      break;
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
      Append(text, "offset 0x%llx  length 0x%x  key 0x%x",
             static_cast<unsigned long long>(parameters.Read.ByteOffset.QuadPart), parameters.Read.Length,
             parameters.Read.Key);
      break;
    case IRP_MJ_QUERY_INFORMATION:
    case IRP_MJ_SET_INFORMATION:
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
      Append(text, "information class %d  length 0x%x", static_cast<int>(parameters.QueryFile.FileInformationClass),
             parameters.QueryFile.Length);
      break;
    case IRP_MJ_DIRECTORY_CONTROL:
      Append(text, "information class %d  length 0x%x",
             static_cast<int>(parameters.QueryDirectory.FileInformationClass), parameters.QueryDirectory.Length);
      break;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
      if (location.MinorFunction == IRP_MN_MOUNT_VOLUME || location.MinorFunction == IRP_MN_VERIFY_VOLUME) {
        Append(text, "VPB %p  device %p", static_cast<const void*>(parameters.MountVolume.Vpb),
               static_cast<const void*>(parameters.MountVolume.DeviceObject));
        break;
      }
      [[fallthrough]];
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
      Append(text, "control code 0x%08x  input 0x%x  output 0x%x", parameters.DeviceIoControl.IoControlCode,
             parameters.DeviceIoControl.InputBufferLength, parameters.DeviceIoControl.OutputBufferLength);
      break;
    default:
      break;
  }
}

std::string FileName(const FILE_OBJECT* file) {
  if (!Readable(file, sizeof *file) || file->Type != IO_TYPE_FILE) return {};
  const UNICODE_STRING& name = file->FileName;
  if (name.Length == 0 || !Readable(name.Buffer, name.Length)) return {};
  return rtl::ToUtf8({name.Buffer, name.Length / sizeof(WCHAR)});
}

void AppendLocation(const IO_STACK_LOCATION& location, int number, bool current, std::string* text) {
  const char* minor = MinorName(location.MajorFunction, location.MinorFunction);
  const bool used = location.DeviceObject || current;
  Append(text, " %c%2d %s%s%s", current ? '>' : ' ', number,
         used ? MajorFunctionName(location.MajorFunction) : "(not used yet)", *minor && used ? ", IRP_MN_" : "",
         used ? minor : "");
  if (!used) {
    *text += "\n";
    return;
  }
  if (!*minor && location.MinorFunction) Append(text, ", minor %u", location.MinorFunction);
  Append(text, "  flags %02x  control %02x%s\n", location.Flags, location.Control,
         location.Control & SL_PENDING_RETURNED ? " (marked pending)" : "");
  std::string driver = "-";
  if (Readable(location.DeviceObject, sizeof(DEVICE_OBJECT)) && location.DeviceObject->Type == IO_TYPE_DEVICE)
    driver = DriverFileName(location.DeviceObject->DriverObject);
  Append(text, "      device %p of %s", static_cast<const void*>(location.DeviceObject), driver.c_str());
  if (location.FileObject) {
    Append(text, "  file %p", static_cast<const void*>(location.FileObject));
    if (const std::string name = FileName(location.FileObject); !name.empty()) *text += " \"" + name + "\"";
  }
  if (location.CompletionRoutine)
    Append(text, "  completion routine %p", reinterpret_cast<const void*>(location.CompletionRoutine));
  *text += "\n";
  std::string parameters;
  AppendParameters(location, &parameters);
  if (!parameters.empty()) *text += "      " + parameters + "\n";
}

std::string IrpFlagNames(ULONG flags) {
  constexpr struct {
    ULONG bit;
    const char* name;
  } kNames[] = {{IRP_NOCACHE, "NOCACHE"},
                {IRP_PAGING_IO, "PAGING_IO"},
                {IRP_SYNCHRONOUS_API, "SYNCHRONOUS_API"},
                {IRP_ASSOCIATED_IRP, "ASSOCIATED"},
                {IRP_BUFFERED_IO, "BUFFERED_IO"},
                {IRP_SYNCHRONOUS_PAGING_IO, "SYNCHRONOUS_PAGING_IO"}};
  std::string text;
  for (const auto& row : kNames)
    if (flags & row.bit) text += (text.empty() ? "" : " ") + std::string(row.name);
  return text;
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
  const char* status = StatusName(irp->IoStatus.Status);
  Append(&text, "IRP %p  flags 0x%x (%s)  status 0x%08x %s  information 0x%llx  requestor %s%s%s\n",
         static_cast<const void*>(irp), irp->Flags, IrpFlagNames(irp->Flags).c_str(),
         static_cast<unsigned>(irp->IoStatus.Status), status ? status : "",
         static_cast<unsigned long long>(irp->IoStatus.Information),
         irp->RequestorMode == KernelMode ? "kernel" : "user", irp->PendingReturned ? "  pending" : "",
         irp->Cancel ? "  cancelled" : "");
  if (irp->CurrentLocation > irp->StackCount) text += "  completed, or not sent yet\n";
  const auto* stack = reinterpret_cast<const IO_STACK_LOCATION*>(irp + 1);
  for (int i = irp->StackCount; i >= 1; i--) AppendLocation(stack[i - 1], i, i == irp->CurrentLocation, &text);
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
  for (const LIST_ENTRY* entry = thread->irp_list.Flink; entry != &thread->irp_list && count < 4;
       entry = entry->Flink) {
    const IRP* irp = CONTAINING_RECORD(entry, IRP, ThreadListEntry);
    if (!Readable(irp, sizeof *irp)) break;
    if (irp != thread->top_level_irp) text += DescribeIrp(irp);
    count++;
  }
  return text;
}

}  // namespace nt::io
