// Start-I/O queues: one packet at a time per device, the rest waits in the device queue. StartIo runs at DISPATCH_LEVEL.
#include "src/io/internal.h"

namespace nt::io {
namespace {

enum : UCHAR { kDeferred = 1, kNonCancelable = 2 };
enum : UCHAR { kNextPending = 1, kNextByKey = 2, kNextCancelable = 4 };

void StartIo(DEVICE_OBJECT* device, IRP* irp) {
  PDRIVER_STARTIO routine = device->DriverObject->DriverStartIo;
  if (!routine)
    ke::BugCheckWithMessage("IoStartPacket, and the driver has no StartIo routine", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                            0x30, reinterpret_cast<ULONG_PTR>(device), reinterpret_cast<ULONG_PTR>(irp));
  DeviceExtra* extra = Extra(device);
  if (!(extra->start_io_flags & kDeferred)) {
    nt::CallDriver(routine, device, irp);
    return;
  }
  // A deferred device is not re-entered: an IoStartNextPacket from inside StartIo is done when that returns.
  if (__atomic_add_fetch(&extra->start_io_depth, 1, __ATOMIC_ACQ_REL) > 1) {
    __atomic_sub_fetch(&extra->start_io_depth, 1, __ATOMIC_ACQ_REL);
    return;
  }
  nt::CallDriver(routine, device, irp);
  __atomic_sub_fetch(&extra->start_io_depth, 1, __ATOMIC_ACQ_REL);
  while (const UCHAR pending = __atomic_exchange_n(&extra->packet_flags, 0, __ATOMIC_ACQ_REL)) {
    if (pending & kNextByKey)
      StartNextPacketByKey(device, pending & kNextCancelable, extra->start_io_key);
    else
      StartNextPacket(device, pending & kNextCancelable);
  }
}

template <class F>
void Next(DEVICE_OBJECT* device, bool cancelable, F&& remove) {
  ke::IrqlScope scope(DISPATCH_LEVEL);
  KIRQL irql = DISPATCH_LEVEL;
  if (cancelable) AcquireCancelSpinLock(&irql);
  device->CurrentIrp = nullptr;
  PKDEVICE_QUEUE_ENTRY entry = remove();
  if (!entry) {
    if (cancelable) ReleaseCancelSpinLock(irql);
    return;
  }
  IRP* irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.DeviceQueueEntry);
  device->CurrentIrp = irp;
  if (cancelable) {
    if (Extra(device)->start_io_flags & kNonCancelable) IoSetCancelRoutine(irp, nullptr);
    ReleaseCancelSpinLock(irql);
  }
  StartIo(device, irp);
}

/// @returns true when the device is deferred and inside StartIo: the call is remembered
bool Defer(DEVICE_OBJECT* device, UCHAR flags, ULONG key) {
  DeviceExtra* extra = Extra(device);
  if (!(extra->start_io_flags & kDeferred) || __atomic_load_n(&extra->start_io_depth, __ATOMIC_ACQUIRE) == 0) return false;
  extra->start_io_key = key;
  __atomic_store_n(&extra->packet_flags, flags, __ATOMIC_RELEASE);
  return true;
}

}  // namespace

void StartPacket(DEVICE_OBJECT* device, IRP* irp, ULONG* key, PDRIVER_CANCEL cancel) {
  ke::IrqlScope scope(DISPATCH_LEVEL);
  KIRQL irql = DISPATCH_LEVEL;
  if (cancel) {
    AcquireCancelSpinLock(&irql);
    IoSetCancelRoutine(irp, cancel);
  }
  PKDEVICE_QUEUE_ENTRY entry = &irp->Tail.Overlay.DeviceQueueEntry;
  const bool queued = key ? ke::InsertByKeyDeviceQueue(&device->DeviceQueue, entry, *key)
                          : ke::InsertDeviceQueue(&device->DeviceQueue, entry);
  if (!queued) {
    device->CurrentIrp = irp;
    if (cancel) {
      if (Extra(device)->start_io_flags & kNonCancelable) IoSetCancelRoutine(irp, nullptr);
      ReleaseCancelSpinLock(irql);
    }
    StartIo(device, irp);
    return;
  }
  if (!cancel) return;
  if (irp->Cancel) {
    // Cancelled before its routine was set, and not since: nobody else will call it.
    if (IoSetCancelRoutine(irp, nullptr)) {
      irp->CancelIrql = irql;
      nt::CallDriver(cancel, device, irp);  // releases the cancel spin lock
      return;
    }
  }
  ReleaseCancelSpinLock(irql);
}

void StartNextPacket(DEVICE_OBJECT* device, bool cancelable) {
  if (Defer(device, static_cast<UCHAR>(kNextPending | (cancelable ? kNextCancelable : 0)), 0)) return;
  Next(device, cancelable, [&] { return ke::RemoveDeviceQueue(&device->DeviceQueue); });
}

void StartNextPacketByKey(DEVICE_OBJECT* device, bool cancelable, ULONG key) {
  if (Defer(device, static_cast<UCHAR>(kNextPending | kNextByKey | (cancelable ? kNextCancelable : 0)), key)) return;
  Next(device, cancelable, [&] { return ke::RemoveByKeyDeviceQueue(&device->DeviceQueue, key); });
}

void SetStartIoAttributes(DEVICE_OBJECT* device, bool deferred, bool non_cancelable) {
  Extra(device)->start_io_flags = static_cast<UCHAR>((deferred ? kDeferred : 0) | (non_cancelable ? kNonCancelable : 0));
}

void InitializeDpcRequest(DEVICE_OBJECT* device, PIO_DPC_ROUTINE routine) {
  ke::InitializeDpc(&device->Dpc, reinterpret_cast<PKDEFERRED_ROUTINE>(reinterpret_cast<void*>(routine)), device);
}
bool RequestDpc(DEVICE_OBJECT* device, IRP* irp, void* context) { return ke::InsertQueueDpc(&device->Dpc, irp, context); }

}  // namespace nt::io
