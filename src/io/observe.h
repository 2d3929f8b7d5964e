// Counts per driver, for io's own files; what siblings read is in io.h (DriverCounts).
#pragma once

#include "src/io/io.h"

namespace nt::io {

/// Replaces what is new in the driver's tables by thunks. Does nothing while statistics are off.
void ObserveDriver(DRIVER_OBJECT* driver);
/// The driver object goes; its counts stay.
void ForgetObserved(DRIVER_OBJECT* driver);
/// The driver has attached a device to a file system or a volume.
void NoteFilter(DRIVER_OBJECT* driver);
/// IoCompleteRequest is called: the innermost driver of this thread that was given the IRP completes it.
void NoteCompletion(const IRP* irp);
void ResetDriverCounts();

/// What the I/O manager puts where a driver left MajorFunction empty.
NTSTATUS NTIO_MS_ABI InvalidDeviceRequest(PDEVICE_OBJECT device, PIRP irp);

}  // namespace nt::io
