// Registered file systems, and the VPB counts.
//
// A storage device has one VPB; a mount ties it to the file system's volume device. Every open of a file counts it, stream
// file objects too, and the count falls before IRP_MJ_CLOSE is sent, so that a file system can tell from it when nothing but
// its own streams is left. A file system that replaces a device's VPB frees the old one itself.
#include <algorithm>

#include "src/io/internal.h"
#include "src/io/observe.h"

namespace nt::io {
namespace {

FileSystemQueue QueueOf(DEVICE_TYPE type) {
  switch (type) {
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM: return kCdromQueue;
    case FILE_DEVICE_TAPE_FILE_SYSTEM: return kTapeQueue;
    case FILE_DEVICE_NETWORK_FILE_SYSTEM: return kNetworkQueue;
    default: return kDiskQueue;
  }
}

void Notify(DEVICE_OBJECT* device, bool active) {
  std::vector<FsNotification> notifications;
  {
    LockGuard guard(g_state->database);
    notifications = g_state->fs_notifications;
  }
  for (const FsNotification& entry : notifications)
    nt::CallDriver(entry.routine, device, static_cast<BOOLEAN>(active));
}

}  // namespace

void AcquireVpbSpinLock(KIRQL* irql) { *irql = ke::AcquireSpinLockRaiseToDpc(&g_state->vpb_lock); }
void ReleaseVpbSpinLock(KIRQL irql) { ke::ReleaseSpinLock(&g_state->vpb_lock, irql); }

void DereferenceVpb(VPB* vpb) {
  ke::SpinLockScope scope(&g_state->vpb_lock);
  vpb->ReferenceCount--;
}

Status ReferenceMountedVpb(DEVICE_OBJECT* device, bool raw_open, VPB** out) {
  for (;;) {
    {
      ke::SpinLockScope scope(&g_state->vpb_lock);
      VPB* vpb = device->Vpb;
      if (!vpb) return STATUS_NO_SUCH_DEVICE;
      if (vpb->Flags & VPB_MOUNTED) {
        if (vpb->Flags & VPB_LOCKED) return STATUS_ACCESS_DENIED;
        vpb->ReferenceCount++;
        *out = vpb;
        return STATUS_SUCCESS;
      }
    }
    NT_TRY(MountVolume(device, raw_open));
  }
}

void RegisterFileSystem(DEVICE_OBJECT* device) {
  {
    LockGuard guard(g_state->database);
    if (Extra(device)->file_system_registered) return;
    LIST_ENTRY* head = &g_state->file_systems[QueueOf(device->DeviceType)];
    // The newest is asked first, except that low-priority ones stay together at the end, before the raw file system.
    LIST_ENTRY* before = head->Flink;
    if (device->Flags & DO_LOW_PRIORITY_FILESYSTEM) {
      before = head;
      while (before->Blink != head &&
             CONTAINING_RECORD(before->Blink, DEVICE_OBJECT, Queue.ListEntry)->DriverObject == g_state->raw_driver)
        before = before->Blink;
    }
    ListPushBack(before, &device->Queue.ListEntry);
    Extra(device)->file_system_registered = true;
    NoteFileSystem(device->DriverObject);
    device->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
    device->ReferenceCount++;
  }
  ObserveDriver(device->DriverObject);
  Notify(device, true);
}

void UnregisterFileSystem(DEVICE_OBJECT* device) {
  {
    LockGuard guard(g_state->database);
    if (!Extra(device)->file_system_registered) return;
    Extra(device)->file_system_registered = false;
    ListRemove(&device->Queue.ListEntry);
  }
  Notify(device, false);
  UncountOpen(device);
}

Status RegisterFsRegistrationChange(DRIVER_OBJECT* driver, PDRIVER_FS_NOTIFICATION routine, bool) {
  std::vector<DEVICE_OBJECT*> present;
  {
    LockGuard guard(g_state->database);
    for (const FsNotification& entry : g_state->fs_notifications)
      if (entry.driver == driver && entry.routine == routine) return STATUS_DEVICE_ALREADY_ATTACHED;
    g_state->fs_notifications.push_back({driver, routine});
    for (LIST_ENTRY& head : g_state->file_systems)
      for (LIST_ENTRY* entry = head.Flink; entry != &head; entry = entry->Flink) {
        DEVICE_OBJECT* device = CONTAINING_RECORD(entry, DEVICE_OBJECT, Queue.ListEntry);
        ob::ReferenceObject(device);
        present.push_back(device);
      }
  }
  for (DEVICE_OBJECT* device : present) {
    nt::CallDriver(routine, device, static_cast<BOOLEAN>(TRUE));
    ob::DereferenceObject(device);
  }
  return STATUS_SUCCESS;
}

void UnregisterFsRegistrationChange(DRIVER_OBJECT* driver, PDRIVER_FS_NOTIFICATION routine) {
  LockGuard guard(g_state->database);
  std::erase_if(g_state->fs_notifications, [&](const FsNotification& entry) {
    return entry.driver == driver && entry.routine == routine;
  });
}

}  // namespace nt::io
