// IRPs that drivers have built for them: IoBuildAsynchronousFsdRequest, IoBuildSynchronousFsdRequest,
// IoBuildDeviceIoControlRequest.
#include <cstring>

#include "src/io/internal.h"
#include "src/mm/mm.h"

namespace nt::io {

IRP* BuildAsynchronousFsdRequest(ULONG major, DEVICE_OBJECT* device, void* buffer, ULONG length, LARGE_INTEGER* offset,
                                 IO_STATUS_BLOCK* iosb) {
  IRP* irp = AllocateIrp(device->StackSize);
  if (!irp) return nullptr;
  irp->Tail.Overlay.Thread = ke::CurrentThread()->ethread();
  irp->UserIosb = iosb;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->MajorFunction = static_cast<UCHAR>(major);
  if (major != IRP_MJ_READ && major != IRP_MJ_WRITE) return irp;
  if (device->Flags & DO_BUFFERED_IO) {
    irp->AssociatedIrp.SystemBuffer = ex::AllocatePool(NonPagedPoolNx, length ? length : 1, 'sysI');
    if (!irp->AssociatedIrp.SystemBuffer) {
      FreeIrp(irp);
      return nullptr;
    }
    irp->Flags = IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    if (major == IRP_MJ_READ) {
      irp->Flags |= IRP_INPUT_OPERATION;
      irp->UserBuffer = buffer;
    } else {
      std::memcpy(irp->AssociatedIrp.SystemBuffer, buffer, length);
    }
  } else if (device->Flags & DO_DIRECT_IO) {
    MDL* mdl = length ? AllocateMdl(buffer, length, false, false, irp) : nullptr;
    if (length && !mdl) {
      FreeIrp(irp);
      return nullptr;
    }
    if (mdl) {
      Status locked = Guarded(
          [&] { mm::ProbeAndLockPages(mdl, KernelMode, major == IRP_MJ_READ ? IoWriteAccess : IoReadAccess); });
      if (!locked.ok()) {
        AbandonIrp(irp);
        return nullptr;
      }
    }
  } else {
    irp->UserBuffer = buffer;
  }
  irp->Flags |= major == IRP_MJ_READ ? IRP_READ_OPERATION : IRP_WRITE_OPERATION;
  location->Parameters.Read.Length = length;
  if (offset) location->Parameters.Read.ByteOffset = *offset;
  return irp;
}

IRP* BuildSynchronousFsdRequest(ULONG major, DEVICE_OBJECT* device, void* buffer, ULONG length, LARGE_INTEGER* offset,
                                KEVENT* event, IO_STATUS_BLOCK* iosb) {
  IRP* irp = BuildAsynchronousFsdRequest(major, device, buffer, length, offset, iosb);
  if (!irp) return nullptr;
  irp->UserEvent = event;
  LinkIrp(irp);
  return irp;
}

IRP* BuildDeviceIoControlRequest(ULONG code, DEVICE_OBJECT* device, void* input, ULONG input_length, void* output,
                                 ULONG output_length, bool internal, KEVENT* event, IO_STATUS_BLOCK* iosb) {
  IRP* irp = AllocateIrp(device->StackSize);
  if (!irp) return nullptr;
  irp->UserIosb = iosb;
  irp->UserEvent = event;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->MajorFunction = internal ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
  location->Parameters.DeviceIoControl.OutputBufferLength = output_length;
  location->Parameters.DeviceIoControl.InputBufferLength = input_length;
  location->Parameters.DeviceIoControl.IoControlCode = code;
  const ULONG method = code & 3;
  if (method == METHOD_NEITHER) {
    irp->UserBuffer = output;
    location->Parameters.DeviceIoControl.Type3InputBuffer = input;
  } else {
    const ULONG bytes = method == METHOD_BUFFERED && output_length > input_length ? output_length : input_length;
    if (bytes) {
      irp->AssociatedIrp.SystemBuffer = ex::AllocatePool(NonPagedPoolNx, bytes, 'sysI');
      if (!irp->AssociatedIrp.SystemBuffer) {
        FreeIrp(irp);
        return nullptr;
      }
      if (input) std::memcpy(irp->AssociatedIrp.SystemBuffer, input, input_length);
      irp->Flags = IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
      if (method == METHOD_BUFFERED) {
        irp->UserBuffer = output;
        if (output) irp->Flags |= IRP_INPUT_OPERATION;
      }
    }
    if (method != METHOD_BUFFERED && output && output_length) {
      MDL* mdl = AllocateMdl(output, output_length, false, false, irp);
      Status locked = mdl ? Guarded([&] {
        mm::ProbeAndLockPages(mdl, KernelMode, method == METHOD_IN_DIRECT ? IoReadAccess : IoModifyAccess);
      })
                          : Status(STATUS_INSUFFICIENT_RESOURCES);
      if (!locked.ok()) {
        AbandonIrp(irp);
        return nullptr;
      }
    }
  }
  LinkIrp(irp);
  return irp;
}

}  // namespace nt::io
