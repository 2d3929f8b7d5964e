// IRP_MJ_DEVICE_CONTROL: finds the family that knows the code. All codes here are METHOD_BUFFERED.
#include "src/disk/device.h"
#include "src/io/io.h"

namespace nt::disk {

NTSTATUS DeviceControl(Device& device, PIRP irp) {
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  const auto& parameters = location->Parameters.DeviceIoControl;
  Control control{device, parameters.IoControlCode, irp->AssociatedIrp.SystemBuffer, parameters.InputBufferLength,
                  parameters.OutputBufferLength, (location->Flags & SL_OVERRIDE_VERIFY_VOLUME) != 0};
  // Every code that is served is buffered, so the I/O manager has checked and copied the caller's memory. Without a buffer
  // there is no room for any output or input.
  if (!control.buffer) control.input_bytes = control.output_bytes = 0;
  NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;
  if (METHOD_FROM_CTL_CODE(control.code) == METHOD_BUFFERED) {
    for (auto* family : {DiskControl, CdRomControl, StorageControl, VolumeControl}) {
      status = family(control);
      if (status != STATUS_INVALID_DEVICE_REQUEST) break;
    }
  }
  if (status == STATUS_VERIFY_REQUIRED && irp->Tail.Overlay.Thread)
    io::SetHardErrorOrVerifyDevice(irp, device.object());
  return CompleteNow(irp, status, control.information);
}

}  // namespace nt::disk
