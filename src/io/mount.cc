// Mounting: the first open of a storage device asks the registered file systems, newest first, until one knows the medium.
//
// Serialised per device by DEVICE_OBJECT::DeviceLock. A recognizer answers STATUS_FS_DRIVER_REQUIRED and is asked to load its
// file system; then the list is walked again. The raw file system is last, and only for an open of the volume itself.
#include "src/io/internal.h"

namespace nt::io {
namespace {

bool MountQueueOf(DEVICE_TYPE type, FileSystemQueue* queue) {
  switch (type) {
    case FILE_DEVICE_DISK:
    case FILE_DEVICE_VIRTUAL_DISK: *queue = kDiskQueue; return true;
    case FILE_DEVICE_CD_ROM: *queue = kCdromQueue; return true;
    case FILE_DEVICE_TAPE: *queue = kTapeQueue; return true;
    default: return false;
  }
}

/// The file systems of a queue at this moment, referenced.
std::vector<DEVICE_OBJECT*> FileSystems(FileSystemQueue queue) {
  std::vector<DEVICE_OBJECT*> systems;
  LockGuard guard(g_state->database);
  LIST_ENTRY* head = &g_state->file_systems[queue];
  for (LIST_ENTRY* entry = head->Flink; entry != head; entry = entry->Flink) {
    DEVICE_OBJECT* device = CONTAINING_RECORD(entry, DEVICE_OBJECT, Queue.ListEntry);
    ob::ReferenceObject(device);
    systems.push_back(device);
  }
  return systems;
}

struct Systems {
  explicit Systems(FileSystemQueue queue) : list(FileSystems(queue)) {}
  ~Systems() {
    for (DEVICE_OBJECT* device : list) ob::DereferenceObject(device);
  }
  std::vector<DEVICE_OBJECT*> list;
};

/// Sends a file-system control request of the I/O manager's own to the top of a stack and waits.
template <class F>
Status SendFsControl(DEVICE_OBJECT* device, UCHAR minor, F&& fill) {
  DEVICE_OBJECT* top = GetAttachedDevice(device);
  IRP* irp = AllocateIrp(top->StackSize);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  KEVENT event;
  IO_STATUS_BLOCK result{};
  ke::InitializeEvent(&event, NotificationEvent, false);
  irp->Flags = IRP_MOUNT_COMPLETION | IRP_SYNCHRONOUS_PAGING_IO;
  irp->UserEvent = &event;
  irp->UserIosb = &result;
  irp->RequestorMode = KernelMode;
  irp->Tail.Overlay.Thread = ke::CurrentThread()->ethread();
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
  location->MinorFunction = minor;
  fill(location);
  if (StatisticsEnabled())
    TheStatistics().irp[IRP_MJ_FILE_SYSTEM_CONTROL].sent.fetch_add(1, std::memory_order_relaxed);
  Status status = CallDriver(top, irp);
  if (status == STATUS_PENDING) {
    ke::WaitFor(&event);
    status = result.Status;
  } else {
    CheckAnswered(&event, top->DriverObject, irp, IRP_MJ_FILE_SYSTEM_CONTROL);
  }
  return status;
}

Status AskAll(DEVICE_OBJECT* device, FileSystemQueue queue, bool allow_raw, bool* load_and_repeat) {
  *load_and_repeat = false;
  Systems systems(queue);
  const bool only_raw = device->Vpb->Flags & VPB_RAW_MOUNT;
  Status last = STATUS_UNRECOGNIZED_VOLUME;
  for (DEVICE_OBJECT* system : systems.list) {
    const bool raw = system->DriverObject == g_state->raw_driver;
    if (raw ? !allow_raw : only_raw) continue;
    VPB* vpb = device->Vpb;
    // Referenced for the file system, which drops the reference when it has mounted (FASTFAT, CDFS); else it is dropped here.
    DEVICE_OBJECT* target = GetAttachedDeviceReference(device);
    Status status = SendFsControl(system, IRP_MN_MOUNT_VOLUME, [&](IO_STACK_LOCATION* location) {
      if (allow_raw) location->Flags = SL_ALLOW_RAW_MOUNT;
      location->Parameters.MountVolume.Vpb = vpb;
      location->Parameters.MountVolume.DeviceObject = target;
    });
    if (status.ok()) {
      ke::SpinLockScope scope(&g_state->vpb_lock);
      vpb = device->Vpb;  // a remount puts the old VPB back on the device
      vpb->Flags |= VPB_MOUNTED;
      if (DEVICE_OBJECT* volume = vpb->DeviceObject) {
        if (volume->StackSize <= target->StackSize) volume->StackSize = static_cast<CCHAR>(target->StackSize + 1);
        volume->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
        // Filters that attached while the mount was under way stand on what the file system had said.
        for (DEVICE_OBJECT* below = volume; DEVICE_OBJECT* above = below->AttachedDevice; below = above)
          if (above->StackSize <= below->StackSize) above->StackSize = static_cast<CCHAR>(below->StackSize + 1);
      }
      return STATUS_SUCCESS;
    }
    ob::DereferenceObject(target);
    if (status == STATUS_FS_DRIVER_REQUIRED) {
      Status loaded = SendFsControl(system, IRP_MN_LOAD_FILE_SYSTEM, [](IO_STACK_LOCATION*) {});
      *load_and_repeat = loaded.ok();
      if (loaded.ok()) return loaded;
      continue;
    }
    if (status != STATUS_UNRECOGNIZED_VOLUME) {
      last = status;
      // The medium itself is the trouble: no other file system will do better.
      if (IoIsErrorUserInduced(status)) return status;
    }
  }
  return last;
}

}  // namespace

Status MountVolume(DEVICE_OBJECT* device, bool allow_raw) {
  FileSystemQueue queue;
  if (!MountQueueOf(device->DeviceType, &queue)) return STATUS_UNRECOGNIZED_VOLUME;
  ke::CriticalRegion region;
  ke::WaitFor(&device->DeviceLock);
  Status status = STATUS_SUCCESS;
  try {
    const ULONG state = Extra(device)->state;
    if ((device->Flags & DO_DEVICE_INITIALIZING) || (state & (kDeletePending | kUnloadPending | kDeleted))) {
      status = STATUS_NO_SUCH_DEVICE;
    } else if (device->Vpb->Flags & VPB_REMOVE_PENDING) {
      status = STATUS_NO_SUCH_DEVICE;
    } else if (!(device->Vpb->Flags & VPB_MOUNTED)) {
      bool repeat = true;
      for (int round = 0; repeat && round < 16; round++) status = AskAll(device, queue, allow_raw, &repeat);
      if (repeat) status = STATUS_UNRECOGNIZED_VOLUME;
    }
  } catch (...) {
    ke::SetEvent(&device->DeviceLock);
    throw;
  }
  ke::SetEvent(&device->DeviceLock);
  return status;
}

Status VerifyVolume(DEVICE_OBJECT* device, bool allow_raw) {
  ke::CriticalRegion region;
  ke::WaitFor(&device->DeviceLock);
  Status status = STATUS_SUCCESS;
  bool mount = false;
  if (device->Flags & DO_VERIFY_VOLUME) {
    VPB* vpb = nullptr;
    {
      ke::SpinLockScope scope(&g_state->vpb_lock);
      if (device->Vpb->Flags & VPB_MOUNTED) {
        vpb = device->Vpb;
        vpb->ReferenceCount++;
      }
    }
    if (vpb) {
      DEVICE_OBJECT* volume = vpb->DeviceObject;
      ob::ReferenceObject(volume);
      status = SendFsControl(volume, IRP_MN_VERIFY_VOLUME, [&](IO_STACK_LOCATION* location) {
        if (allow_raw) location->Flags = SL_ALLOW_RAW_MOUNT;
        location->Parameters.VerifyVolume.Vpb = vpb;
        location->Parameters.VerifyVolume.DeviceObject = volume;
      });
      ob::DereferenceObject(volume);
      DereferenceVpb(vpb);
      mount = status == STATUS_WRONG_VOLUME;
    } else {
      mount = true;
    }
    if (mount) {
      // Another medium: what is there now gets its own volume, if it was not mounted meanwhile.
      ke::SpinLockScope scope(&g_state->vpb_lock);
      mount = !(device->Vpb->Flags & VPB_MOUNTED);
    }
  }
  ke::SetEvent(&device->DeviceLock);
  if (mount) {
    Status mounted = MountVolume(device, allow_raw);
    if (!mounted.ok()) {
      device->Flags &= ~static_cast<ULONG>(DO_VERIFY_VOLUME);
      if (status.ok()) status = mounted;
    }
  }
  return status;
}

DEVICE_OBJECT* GetDeviceToVerify(PETHREAD thread) {
  auto* data = static_cast<ThreadIo*>(ke::AsThread(thread)->component_data[kThreadSlot]);
  return data ? data->device_to_verify : nullptr;
}

void SetDeviceToVerify(PETHREAD thread, DEVICE_OBJECT* device) {
  ke::Thread* owner = ke::AsThread(thread);
  if (!device && !owner->component_data[kThreadSlot]) return;
  ThreadData(owner)->device_to_verify = device;
}

void SetHardErrorOrVerifyDevice(IRP* irp, DEVICE_OBJECT* device) {
  // A driver's own IRP may belong to no thread: the caller then learns it from the status alone.
  if (PETHREAD thread = irp->Tail.Overlay.Thread) SetDeviceToVerify(thread, device);
}

}  // namespace nt::io
