// The end of a machine, as drivers hear of it: IRP_MJ_SHUTDOWN, and the dismount of every volume.
#include <algorithm>

#include "src/host/host.h"
#include "src/io/internal.h"

namespace nt::io {
namespace {

Status Register(std::vector<DEVICE_OBJECT*>& list, DEVICE_OBJECT* device) {
  LockGuard guard(g_state->database);
  list.push_back(device);
  Extra(device)->in_shutdown_list = true;
  device->Flags |= DO_SHUTDOWN_REGISTERED;
  return STATUS_SUCCESS;
}

void SendShutdown(DEVICE_OBJECT* device) {
  DEVICE_OBJECT* top = GetAttachedDeviceReference(device);
  KEVENT event;
  IO_STATUS_BLOCK result;
  ke::InitializeEvent(&event, NotificationEvent, false);
  if (IRP* irp = BuildSynchronousFsdRequest(IRP_MJ_SHUTDOWN, top, nullptr, 0, nullptr, &event, &result))
    CallDriverAndWait(top, irp, &event, &result).Ignore();  // a driver cannot refuse the end
  ob::DereferenceObject(top);
}

/// Devices newest first, each taken out of the list before it is called.
void SendToList(std::vector<DEVICE_OBJECT*>& list) {
  for (;;) {
    DEVICE_OBJECT* device;
    {
      LockGuard guard(g_state->database);
      if (list.empty()) return;
      device = list.back();
      list.pop_back();
      ob::ReferenceObject(device);
    }
    SendShutdown(device);
    ob::DereferenceObject(device);
  }
}

}  // namespace

Status RegisterShutdownNotification(DEVICE_OBJECT* device) { return Register(g_state->shutdown, device); }
Status RegisterLastChanceShutdownNotification(DEVICE_OBJECT* device) {
  return Register(g_state->last_chance_shutdown, device);
}

void UnregisterShutdownNotification(DEVICE_OBJECT* device) {
  LockGuard guard(g_state->database);
  std::erase(g_state->shutdown, device);
  std::erase(g_state->last_chance_shutdown, device);
  Extra(device)->in_shutdown_list = false;
  device->Flags &= ~static_cast<ULONG>(DO_SHUTDOWN_REGISTERED);
}

void NotifyShutdown() {
  SendToList(g_state->shutdown);
  std::vector<DEVICE_OBJECT*> systems;
  {
    LockGuard guard(g_state->database);
    for (LIST_ENTRY& head : g_state->file_systems)
      for (LIST_ENTRY* entry = head.Flink; entry != &head; entry = entry->Flink) {
        systems.push_back(CONTAINING_RECORD(entry, DEVICE_OBJECT, Queue.ListEntry));
        ob::ReferenceObject(systems.back());
      }
  }
  for (DEVICE_OBJECT* system : systems) {
    // A file system may answer for all its devices at the first: unregister and delete them (FASTFAT does).
    bool registered;
    {
      LockGuard guard(g_state->database);
      registered = Extra(system)->file_system_registered;
    }
    if (registered) SendShutdown(system);
    ob::DereferenceObject(system);
  }
  SendToList(g_state->last_chance_shutdown);
}

std::string DescribeFile(const FILE_OBJECT* file) {
  std::u16string name = file->DeviceObject ? ob::NameOf(file->DeviceObject) : std::u16string();
  if (file->FileName.Buffer) name.append(file->FileName.Buffer, file->FileName.Length / sizeof(WCHAR));
  std::string text;
  for (const char16_t c : name) text += c >= 0x20 && c < 0x7F ? static_cast<char>(c) : '?';
  return text.empty() ? "(unnamed)" : text;
}

void CloseLeakedFiles() {
  ob::CloseSystemHandles(IoFileObjectType, [](void* object) {
    const std::string text = "ntio: shutdown closes a handle to the file " +
                             DescribeFile(static_cast<FILE_OBJECT*>(object)) + " that was left open\n";
    host::WriteError(text.data(), text.size());
  });
}

Status DismountAllVolumes() {
  ke::PreviousModeScope scope(KernelMode);
  Status first = STATUS_SUCCESS;
  std::vector<DEVICE_OBJECT*> mounted;
  for (DRIVER_OBJECT* driver : Drivers()) {
    LockGuard guard(g_state->database);
    for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice) {
      const VPB* vpb = device->Vpb;
      if (!vpb || vpb->RealDevice != device || !(vpb->Flags & VPB_MOUNTED)) continue;
      ob::ReferenceObject(device);
      mounted.push_back(device);
    }
  }
  for (DEVICE_OBJECT* device : mounted) {
    std::u16string path = ob::NameOf(device);
    UNICODE_STRING name;
    name.Buffer = path.data();
    name.Length = name.MaximumLength = static_cast<USHORT>(path.size() * sizeof(WCHAR));
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
    HANDLE handle;
    IO_STATUS_BLOCK iosb;
    Status status = path.empty() ? Status(STATUS_OBJECT_NAME_NOT_FOUND)
                                 : io::NtOpenFile(&handle, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &attributes, &iosb,
                                              FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_SYNCHRONOUS_IO_NONALERT);
    if (status.ok()) {
      // A volume that cannot be locked has open files: it is flushed and dismounted under them, as FSCTL_DISMOUNT allows.
      Status flushed = io::NtFlushBuffersFile(handle, &iosb);
      if (flushed == STATUS_MEDIA_WRITE_PROTECTED || flushed == STATUS_INVALID_DEVICE_REQUEST) flushed = STATUS_SUCCESS;
      io::NtFsControlFile(handle, nullptr, nullptr, nullptr, &iosb, FSCTL_LOCK_VOLUME, nullptr, 0, nullptr, 0).Ignore();
      status = io::NtFsControlFile(handle, nullptr, nullptr, nullptr, &iosb, FSCTL_DISMOUNT_VOLUME, nullptr, 0, nullptr, 0);
      if (!flushed.ok()) status = flushed;
      ob::Close(handle, KernelMode).Ignore();  // just opened
    }
    if (!status.ok() && first.ok()) first = status;
    ob::DereferenceObject(device);
  }
  return first;
}

}  // namespace nt::io
