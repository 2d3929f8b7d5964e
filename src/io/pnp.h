// Plug and play routines that ddi_pnp.cc exports.
#pragma once

#include <memory>

#include "src/io/internal.h"

namespace nt::io {

Status RegisterPlugPlayNotification(IO_NOTIFICATION_EVENT_CATEGORY category, ULONG flags, void* data, DRIVER_OBJECT* driver,
                                    PDRIVER_NOTIFICATION_CALLBACK_ROUTINE routine, void* context, void** handle);
Status UnregisterPlugPlayNotification(void* handle);
/// Calls the notifications registered for the device's stack, one after the other.
Status ReportTargetDeviceChange(DEVICE_OBJECT* device, void* structure);
/// The same later, from a copy of the structure; then calls `done`, if given.
Status ReportTargetDeviceChangeAsynchronous(DEVICE_OBJECT* device, void* structure,
                                            PDEVICE_CHANGE_COMPLETE_CALLBACK done, void* context);
/// @param link  *link's buffer is in pool, the caller's to free
Status RegisterDeviceInterface(DEVICE_OBJECT* device, const GUID& interface_class, const UNICODE_STRING* reference,
                               UNICODE_STRING* link);
Status SetDeviceInterfaceState(const UNICODE_STRING* link, bool enable);
Status GetDeviceInterfaces(const GUID& interface_class, DEVICE_OBJECT* device, bool inactive_too, PZZWSTR* list);

}  // namespace nt::io
