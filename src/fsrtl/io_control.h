// Device controls that this package sends by itself.
#pragma once

#include "src/io/io.h"
#include "src/ke/ke.h"

namespace nt::fsrtl {

/// Sends and waits. @returns the final status; *returned (may be null): IoStatus.Information
inline Status SendIoControl(PDEVICE_OBJECT device, ULONG code, void* input, ULONG input_bytes, void* output,
                            ULONG output_bytes, ULONG_PTR* returned = nullptr) {
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  IO_STATUS_BLOCK io_status{};
  IRP* const irp =
      io::BuildDeviceIoControlRequest(code, device, input, input_bytes, output, output_bytes, false, &event, &io_status);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  const Status status = io::CallDriverAndWait(device, irp, &event, &io_status);
  if (returned) *returned = io_status.Information;
  return status;
}

}  // namespace nt::fsrtl
