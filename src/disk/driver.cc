// The driver: its dispatch table, and the requests that need no queue.
#include <cerrno>

#include "src/base/check.h"
#include "src/disk/device.h"
#include "src/disk/state.h"
#include "src/ex/ex.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/mm/mm.h"
#include "src/ob/ob.h"

namespace nt::disk {

bool RemoveLock::TryAcquire() {
  uint32_t old = state_.load(std::memory_order_relaxed);
  do {
    if (old & kClosed) return false;
  } while (!state_.compare_exchange_weak(old, old + kReference, std::memory_order_acquire));
  return true;
}

void RemoveLock::Release() {
  if (state_.fetch_sub(kReference, std::memory_order_release) - kReference == kClosed)
    host::WakeAddress(&state_, 1 << 30);
}

void RemoveLock::CloseAndWait() {
  state_.fetch_or(kClosed);
  for (uint32_t seen; (seen = state_.load(std::memory_order_acquire)) != kClosed;) {
    // Wakes now and then, so that a bug check elsewhere finds this thread.
    host::WaitOnAddress(&state_, seen, host::MonotonicNanoseconds() + 100'000'000);
    host::SchedulePoint();
  }
}

NTSTATUS StatusFromErrno(host::Error error, bool write) {
  switch (error) {
    case 0:
      return STATUS_SUCCESS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return STATUS_DISK_FULL;
    case EROFS:
    case EPERM:
    case EACCES:
    case EBADF:  // a write to a descriptor that is open for reading
      return write ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_ACCESS_DENIED;
    case EIO:
      return write ? STATUS_IO_DEVICE_ERROR : STATUS_DEVICE_DATA_ERROR;
    case ENODEV:
    case ENXIO:
      return STATUS_NO_SUCH_DEVICE;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
      return STATUS_INSUFFICIENT_RESOURCES;
    case EINVAL:
      return STATUS_INVALID_PARAMETER;
    case ENOENT:
      return STATUS_OBJECT_NAME_NOT_FOUND;
    case EBUSY:
      return STATUS_SHARING_VIOLATION;
    case EISDIR:
    case ENOTBLK:
      return STATUS_OBJECT_TYPE_MISMATCH;
    case ETIMEDOUT:
      return STATUS_IO_TIMEOUT;
    default:
      return STATUS_IO_DEVICE_ERROR;
  }
}

NTSTATUS CompleteNow(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  io::CompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

namespace {

/// What a read or write must satisfy before it is queued.
NTSTATUS CheckTransfer(Device& device, PIRP irp, PIO_STACK_LOCATION location) {
  Disk& disk = device.disk();
  PDEVICE_OBJECT object = device.object();
  if ((object->Flags & DO_VERIFY_VOLUME) != 0 && (location->Flags & SL_OVERRIDE_VERIFY_VOLUME) == 0) {
    if (irp->Tail.Overlay.Thread) io::SetHardErrorOrVerifyDevice(irp, object);
    return STATUS_VERIFY_REQUIRED;
  }
  if (device.offline.load(std::memory_order_relaxed)) return STATUS_DEVICE_OFF_LINE;
  const ULONG length = location->Parameters.Read.Length;
  const LONGLONG offset = location->Parameters.Read.ByteOffset.QuadPart;
  const ULONG sector_mask = disk.sector_bytes() - 1;
  // fastfat takes INVALID_PARAMETER as a sign that the sector size has changed, as it comes from Microsoft's disk driver.
  if (offset < 0 || (length & sector_mask) != 0 || (offset & sector_mask) != 0) return STATUS_INVALID_PARAMETER;
  const auto start = static_cast<uint64_t>(offset);
  if (start > device.length() || length > device.length() - start) {
    // Microsoft's disk driver lets the hardware refuse what is past the disk; the volume manager refuses by itself.
    return device.kind() == DeviceKind::kDisk ? STATUS_NONEXISTENT_SECTOR : STATUS_INVALID_PARAMETER;
  }
  if (location->MajorFunction == IRP_MJ_WRITE && disk.options().read_only) return STATUS_MEDIA_WRITE_PROTECTED;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI DispatchReadWrite(PDEVICE_OBJECT object, PIRP irp) {
  DeviceReference device(object);
  if (!device) return CompleteNow(irp, STATUS_DEVICE_DOES_NOT_EXIST);
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  if (NTSTATUS status = CheckTransfer(*device, irp, location); status != STATUS_SUCCESS) return CompleteNow(irp, status);
  if (location->Parameters.Read.Length == 0) return CompleteNow(irp, STATUS_SUCCESS);
  void* buffer = irp->MdlAddress ? mm::GetSystemAddressForMdl(irp->MdlAddress) : nullptr;
  if (!buffer) return CompleteNow(irp, irp->MdlAddress ? STATUS_INSUFFICIENT_RESOURCES : STATUS_INVALID_PARAMETER);
  if (irp->MdlAddress->ByteCount < location->Parameters.Read.Length) return CompleteNow(irp, STATUS_INVALID_PARAMETER);
  IoMarkIrpPending(irp);
  Disk& disk = device->disk();
  device.HandOver();
  disk.StartTransfer(irp, static_cast<char*>(buffer));
  return STATUS_PENDING;
}

/// IRP_MJ_FLUSH_BUFFERS, IRP_MJ_SHUTDOWN: completed once the host has everything on stable storage.
NTSTATUS NTAPI DispatchFlush(PDEVICE_OBJECT object, PIRP irp) {
  DeviceReference device(object);
  if (!device) return CompleteNow(irp, STATUS_DEVICE_DOES_NOT_EXIST);
  if (device->disk().options().read_only) return CompleteNow(irp, STATUS_SUCCESS);  // nothing was written
  IoMarkIrpPending(irp);
  Disk& disk = device->disk();
  device.HandOver();
  disk.StartFlush(irp);
  return STATUS_PENDING;
}

NTSTATUS NTAPI DispatchCreate(PDEVICE_OBJECT object, PIRP irp) {
  DeviceReference device(object);
  return CompleteNow(irp, device ? STATUS_SUCCESS : STATUS_DEVICE_DOES_NOT_EXIST, FILE_OPENED);
}

/// IRP_MJ_CLEANUP, IRP_MJ_CLOSE: an open of a disk has no state. They work on a removed disk, too.
NTSTATUS NTAPI DispatchClose(PDEVICE_OBJECT, PIRP irp) { return CompleteNow(irp, STATUS_SUCCESS); }

NTSTATUS NTAPI DispatchDeviceControl(PDEVICE_OBJECT object, PIRP irp) {
  DeviceReference device(object);
  if (!device) return CompleteNow(irp, STATUS_DEVICE_DOES_NOT_EXIST);
  return DeviceControl(*device, irp);
}

/// There is no power to manage: the disk is always on.
NTSTATUS NTAPI DispatchPower(PDEVICE_OBJECT, PIRP irp) {
  switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_SET_POWER:
    case IRP_MN_QUERY_POWER:
      return CompleteNow(irp, STATUS_SUCCESS);
    default:
      return CompleteNow(irp, irp->IoStatus.Status);
  }
}

/// The disk is its own physical device. What it does not know keeps the status it came with, as the bottom of a stack must.
NTSTATUS NTAPI DispatchPnp(PDEVICE_OBJECT object, PIRP irp) {
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  switch (location->MinorFunction) {
    case IRP_MN_QUERY_DEVICE_RELATIONS: {
      if (location->Parameters.QueryDeviceRelations.Type != TargetDeviceRelation) break;
      auto* relations = static_cast<PDEVICE_RELATIONS>(
          ex::AllocatePoolWithTag(PagedPool, sizeof(DEVICE_RELATIONS), kPoolTag));
      if (!relations) return CompleteNow(irp, STATUS_INSUFFICIENT_RESOURCES);
      relations->Count = 1;
      relations->Objects[0] = object;
      ob::ReferenceObject(object);
      return CompleteNow(irp, STATUS_SUCCESS, reinterpret_cast<ULONG_PTR>(relations));
    }
    case IRP_MN_START_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
      return CompleteNow(irp, STATUS_SUCCESS);
    case IRP_MN_DEVICE_USAGE_NOTIFICATION:
      // No paging, hibernation or crash-dump file can lie here.
      return CompleteNow(irp, STATUS_NOT_SUPPORTED);
  }
  return CompleteNow(irp, irp->IoStatus.Status, irp->IoStatus.Information);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING) {
  driver->MajorFunction[IRP_MJ_CREATE] = DispatchCreate;
  driver->MajorFunction[IRP_MJ_CLEANUP] = DispatchClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = DispatchClose;
  driver->MajorFunction[IRP_MJ_READ] = DispatchReadWrite;
  driver->MajorFunction[IRP_MJ_WRITE] = DispatchReadWrite;
  driver->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = DispatchFlush;
  driver->MajorFunction[IRP_MJ_SHUTDOWN] = DispatchFlush;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DispatchDeviceControl;
  driver->MajorFunction[IRP_MJ_POWER] = DispatchPower;
  driver->MajorFunction[IRP_MJ_PNP] = DispatchPnp;
  g_state->driver = driver;
  return STATUS_SUCCESS;
}

}  // namespace

State* g_state = nullptr;

Status Boot() {
  CHECK(g_state == nullptr);
  g_state = new State;
  auto driver = io::CreateBuiltInDriver(u"\\Driver\\Disk", DriverEntry);
  if (!driver.ok()) {
    delete g_state;
    g_state = nullptr;
  }
  return driver.status();
}

void Shutdown() {
  if (!g_state) return;
  for (;;) {
    PDEVICE_OBJECT device = nullptr;
    {
      LockGuard guard(g_state->lock);
      if (!g_state->disks.empty()) device = g_state->disks.back()->raw().object();
    }
    if (!device) break;
    RemoveDisk(device).Ignore();  // fails only for a device that is not a disk's
  }
  io::DeleteDriver(g_state->driver);
  delete g_state;
  g_state = nullptr;
}

}  // namespace nt::disk
