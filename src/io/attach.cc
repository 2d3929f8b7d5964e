// Device stacks: attaching, detaching, and the ways up and down.
//
// AttachedDevice is changed under State::database and read without it (GetAttachedDevice): a stack that is being torn down
// while requests go down it is the drivers' bug on Windows, too.
#include "src/io/internal.h"
#include "src/io/observe.h"

namespace nt::io {
namespace {

bool MayBeAttachedTo(DEVICE_OBJECT* device) {
  return !(device->Flags & DO_DEVICE_INITIALIZING) &&
         !(Extra(device)->state & (kDeletePending | kUnloadPending | kDeleted));
}

DEVICE_OBJECT* BottomLocked(DEVICE_OBJECT* device) {
  while (DEVICE_OBJECT* below = Extra(device)->attached_to) device = below;
  return device;
}

}  // namespace

static Status AttachToTop(DEVICE_OBJECT* source, DEVICE_OBJECT* target, DEVICE_OBJECT** attached_to) {
  LockGuard guard(g_state->database);
  DEVICE_OBJECT* top = GetAttachedDevice(target);
  if (!MayBeAttachedTo(top) || top == source || source->AttachedDevice || Extra(source)->attached_to)
    return STATUS_NO_SUCH_DEVICE;
  source->StackSize = static_cast<CCHAR>(top->StackSize + 1);
  source->AlignmentRequirement = top->AlignmentRequirement;
  source->SectorSize = top->SectorSize;
  Extra(source)->attached_to = top;
  // Before the device becomes the top: a request that comes at once finds where it goes next.
  if (attached_to) __atomic_store_n(attached_to, top, __ATOMIC_RELEASE);
  __atomic_store_n(&top->AttachedDevice, source, __ATOMIC_RELEASE);
  return STATUS_SUCCESS;
}

Status AttachDeviceToDeviceStackSafe(DEVICE_OBJECT* source, DEVICE_OBJECT* target, DEVICE_OBJECT** attached_to) {
  const Status status = AttachToTop(source, target, attached_to);
  if (status.ok()) IsFileSystemType(source->DeviceType) ? NoteFilter(source->DriverObject) : ObserveDriver(source->DriverObject);
  return status;
}

DEVICE_OBJECT* AttachDeviceToDeviceStack(DEVICE_OBJECT* source, DEVICE_OBJECT* target) {
  DEVICE_OBJECT* top = nullptr;
  return AttachDeviceToDeviceStackSafe(source, target, &top).ok() ? top : nullptr;
}

Status AttachDeviceByPointer(DEVICE_OBJECT* source, DEVICE_OBJECT* target) {
  return AttachDeviceToDeviceStackSafe(source, target, nullptr);
}

Status AttachDevice(DEVICE_OBJECT* source, UNICODE_STRING* name, DEVICE_OBJECT** attached) {
  FILE_OBJECT* file;
  DEVICE_OBJECT* target;
  NT_TRY(GetDeviceObjectPointer(name, FILE_READ_ATTRIBUTES, &file, &target));
  Status status = AttachDeviceToDeviceStackSafe(source, target, attached);
  ob::DereferenceObject(file);
  return status;
}

void DetachDevice(DEVICE_OBJECT* target) {
  LockGuard guard(g_state->database);
  DEVICE_OBJECT* above = target->AttachedDevice;
  if (!above) return;
  Extra(above)->attached_to = nullptr;
  __atomic_store_n(&target->AttachedDevice, nullptr, __ATOMIC_RELEASE);
}

DEVICE_OBJECT* GetAttachedDeviceReference(DEVICE_OBJECT* device) {
  LockGuard guard(g_state->database);
  device = GetAttachedDevice(device);
  ob::ReferenceObject(device);
  return device;
}

DEVICE_OBJECT* LowerDevice(DEVICE_OBJECT* device) {
  LockGuard guard(g_state->database);
  return Extra(device)->attached_to;
}

DEVICE_OBJECT* GetLowerDeviceObject(DEVICE_OBJECT* device) {
  LockGuard guard(g_state->database);
  DEVICE_OBJECT* below = Extra(device)->attached_to;
  if (!below || (Extra(below)->state & (kDeletePending | kUnloadPending | kDeleted))) return nullptr;
  ob::ReferenceObject(below);
  return below;
}

DEVICE_OBJECT* GetDeviceAttachmentBaseRef(DEVICE_OBJECT* device) {
  LockGuard guard(g_state->database);
  device = BottomLocked(device);
  ob::ReferenceObject(device);
  return device;
}

bool IsInStack(DEVICE_OBJECT* top, DEVICE_OBJECT* device) {
  LockGuard guard(g_state->database);
  for (; top; top = Extra(top)->attached_to)
    if (top == device) return true;
  return false;
}

/// The device that a file's requests belong to, without what is attached to it.
static DEVICE_OBJECT* BaseOfFile(FILE_OBJECT* file) {
  if (file->Vpb && file->Vpb->DeviceObject) return file->Vpb->DeviceObject;
  if (!(file->Flags & FO_DIRECT_DEVICE_OPEN)) {
    const VPB* vpb = file->DeviceObject->Vpb;
    if (vpb && vpb->DeviceObject) return vpb->DeviceObject;
  }
  return file->DeviceObject;
}

DEVICE_OBJECT* GetRelatedDeviceObject(FILE_OBJECT* file) {
  DEVICE_OBJECT* device = BaseOfFile(file);
  if (DEVICE_OBJECT* hint = Private(file)->top_device_hint; hint && !(file->Flags & FO_STREAM_FILE)) [[unlikely]]
    if (IsInStack(GetAttachedDevice(device), hint)) return hint;
  return GetAttachedDevice(device);
}

DEVICE_OBJECT* GetBaseFileSystemDeviceObject(FILE_OBJECT* file) { return BaseOfFile(file); }

Status GetDiskDeviceObject(DEVICE_OBJECT* device, DEVICE_OBJECT** disk) {
  ke::SpinLockScope scope(&g_state->vpb_lock);
  // The VPB knows both; a volume device is found by the storage device that points back at it.
  if (VPB* vpb = device->Vpb) {
    if (!(vpb->Flags & VPB_MOUNTED)) return STATUS_VOLUME_DISMOUNTED;
    *disk = vpb->RealDevice;
    ob::ReferenceObject(*disk);
    return STATUS_SUCCESS;
  }
  for (DRIVER_OBJECT* driver : Drivers()) {
    for (DEVICE_OBJECT* storage = driver->DeviceObject; storage; storage = storage->NextDevice) {
      const VPB* vpb = storage->Vpb;
      if (!vpb || vpb->DeviceObject != device || vpb->RealDevice != storage) continue;
      if (!(vpb->Flags & VPB_MOUNTED)) return STATUS_VOLUME_DISMOUNTED;
      *disk = storage;
      ob::ReferenceObject(storage);
      return STATUS_SUCCESS;
    }
  }
  return STATUS_INVALID_PARAMETER;
}

Status GetDeviceObjectPointer(const UNICODE_STRING* name, ACCESS_MASK access, FILE_OBJECT** file, DEVICE_OBJECT** device) {
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, const_cast<UNICODE_STRING*>(name), OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
                             nullptr, nullptr);
  HANDLE handle;
  IO_STATUS_BLOCK iosb;
  ke::PreviousModeScope scope(KernelMode);
  NT_TRY(io::NtOpenFile(&handle, access, &attributes, &iosb, 0, FILE_NON_DIRECTORY_FILE));
  Ref<FILE_OBJECT> opened;
  Status status = ReferenceFile(handle, 0, KernelMode, &opened);
  if (status.ok()) {
    *device = GetRelatedDeviceObject(opened.get());
    *file = opened.release();
  }
  ob::Close(handle, KernelMode).Ignore();  // a handle that was just made
  return status;
}

Status EnumerateDeviceObjectList(DRIVER_OBJECT* driver, DEVICE_OBJECT** list, ULONG list_bytes, ULONG* count) {
  LockGuard guard(g_state->database);
  const ULONG room = list ? list_bytes / sizeof(DEVICE_OBJECT*) : 0;
  ULONG found = 0;
  for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice) found++;
  *count = found;
  if (found > room) return STATUS_BUFFER_TOO_SMALL;
  ULONG index = 0;
  for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice) {
    ob::ReferenceObject(device);
    list[index++] = device;
  }
  return STATUS_SUCCESS;
}

void CallDetachFastIo(DEVICE_OBJECT* device) {
  DEVICE_OBJECT* above = device->AttachedDevice;
  if (!above) return;
  if (auto* detach = FastIoEntry<&FAST_IO_DISPATCH::FastIoDetachDevice>(above))
    CallFastIo<&FAST_IO_DISPATCH::FastIoDetachDevice>(detach, above, device);
  if (device->AttachedDevice == above) DetachDevice(device);  // a filter without the entry: its device must not dangle
}

}  // namespace nt::io
