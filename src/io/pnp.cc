// Plug and play, as far as file systems see it: registered notifications, device interfaces, and target device changes.
//
// There is no bus and no device tree: devices are made by the runtime and by drivers. Notifications are kept and called when
// one is reported (IoReportTargetDeviceChange, IoSetDeviceInterfaceState).
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "src/fsrtl/fsrtl.h"
#include "src/io/pnp.h"

namespace nt::io {
namespace {

struct Notification {
  IO_NOTIFICATION_EVENT_CATEGORY category;
  GUID interface_class;
  DEVICE_OBJECT* target;  // of EventCategoryTargetDeviceChange
  FILE_OBJECT* file;      // likewise, as registered
  DRIVER_OBJECT* driver;
  PDRIVER_NOTIFICATION_CALLBACK_ROUTINE routine;
  void* context;
};

struct Interface {
  GUID interface_class;
  std::u16string link;
  std::u16string device;
  bool enabled = false;
};

struct Pnp {
  std::vector<Notification*> notifications;  // under database
  std::vector<Interface> interfaces;         // under database
};

Pnp& ThePnp() NT_REQUIRES(g_state->database) {
  if (!g_state->pnp) g_state->pnp = new Pnp;
  return *static_cast<Pnp*>(g_state->pnp);
}

bool Same(const GUID& a, const GUID& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

std::u16string GuidText(const GUID& guid) {
  char text[40];
  std::snprintf(text, sizeof text, "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", guid.Data1, guid.Data2, guid.Data3,
                guid.Data4[0], guid.Data4[1], guid.Data4[2], guid.Data4[3], guid.Data4[4], guid.Data4[5], guid.Data4[6],
                guid.Data4[7]);
  return {text, text + std::strlen(text)};
}

UNICODE_STRING View(std::u16string& text) {
  UNICODE_STRING view;
  view.Buffer = text.data();
  view.Length = view.MaximumLength = static_cast<USHORT>(text.size() * sizeof(WCHAR));
  return view;
}

/// Calls what `wanted` accepts. A notification that is unregistered meanwhile is not called again.
template <class F>
void CallAll(F&& wanted, void* structure, FILE_OBJECT** file_field) {
  std::vector<Notification*> due;
  {
    LockGuard guard(g_state->database);
    for (Notification* entry : ThePnp().notifications)
      if (wanted(*entry)) due.push_back(entry);
  }
  for (Notification* entry : due) {
    Notification copy;
    {
      LockGuard guard(g_state->database);
      auto& all = ThePnp().notifications;
      if (std::find(all.begin(), all.end(), entry) == all.end()) continue;
      copy = *entry;
    }
    if (file_field) *file_field = copy.file;
    nt::CallDriver(copy.routine, structure, copy.context);
  }
}

void ReportInterface(const GUID& event, const GUID& interface_class, std::u16string link) {
  UNICODE_STRING name = View(link);
  DEVICE_INTERFACE_CHANGE_NOTIFICATION structure{1, sizeof structure, event, interface_class, &name};
  CallAll(
      [&](const Notification& entry) {
        return entry.category == EventCategoryDeviceInterfaceChange && Same(entry.interface_class, interface_class);
      },
      &structure, nullptr);
}

constexpr GUID kArrival{0xcb3a4004, 0x46f0, 0x11d0, {0xb0, 0x8f, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3f}};
constexpr GUID kRemoval{0xcb3a4005, 0x46f0, 0x11d0, {0xb0, 0x8f, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3f}};

}  // namespace

Status RegisterPlugPlayNotification(IO_NOTIFICATION_EVENT_CATEGORY category, ULONG flags, void* data, DRIVER_OBJECT* driver,
                                    PDRIVER_NOTIFICATION_CALLBACK_ROUTINE routine, void* context, void** handle) {
  auto entry = std::make_unique<Notification>();
  *entry = {category, {}, nullptr, nullptr, driver, routine, context};
  switch (category) {
    case EventCategoryHardwareProfileChange: break;
    case EventCategoryDeviceInterfaceChange: entry->interface_class = *static_cast<const GUID*>(data); break;
    case EventCategoryTargetDeviceChange:
      entry->file = static_cast<FILE_OBJECT*>(data);
      entry->target = GetDeviceAttachmentBaseRef(entry->file->DeviceObject);
      break;
    default: return STATUS_INVALID_PARAMETER;
  }
  ob::ReferenceObject(driver);
  std::vector<std::u16string> existing;
  const GUID interface_class = entry->interface_class;
  {
    LockGuard guard(g_state->database);
    if (category == EventCategoryDeviceInterfaceChange &&
        (flags & PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES))
      for (const Interface& row : ThePnp().interfaces)
        if (row.enabled && Same(row.interface_class, interface_class)) existing.push_back(row.link);
    ThePnp().notifications.push_back(entry.get());
  }
  *handle = entry.release();
  for (std::u16string& link : existing) {
    UNICODE_STRING name = View(link);
    DEVICE_INTERFACE_CHANGE_NOTIFICATION structure{1, sizeof structure, kArrival, interface_class, &name};
    nt::CallDriver(routine, static_cast<void*>(&structure), context);
  }
  return STATUS_SUCCESS;
}

Status UnregisterPlugPlayNotification(void* handle) {
  auto* entry = static_cast<Notification*>(handle);
  {
    LockGuard guard(g_state->database);
    std::erase(ThePnp().notifications, entry);
  }
  if (entry->target) ob::DereferenceObject(entry->target);
  ob::DereferenceObject(entry->driver);
  delete entry;
  return STATUS_SUCCESS;
}

namespace {

/// GUID_TARGET_DEVICE_QUERY_REMOVE, _REMOVE_CANCELLED, _REMOVE_COMPLETE: only the PnP manager reports these.
bool IsSystemEvent(const GUID& event) {
  GUID first = event;
  const ULONG kind = std::exchange(first.Data1, kArrival.Data1);
  return kind >= 0xcb3a4006 && kind <= 0xcb3a4008 && Same(first, kArrival);
}

Status ReportForFile(FILE_OBJECT* file, TARGET_DEVICE_CUSTOM_NOTIFICATION* notification) {
  return ReportTargetDeviceChange(file->DeviceObject, notification);
}

/// A report that does not wait: its copy of the structure follows it.
struct LateReport {
  WORK_QUEUE_ITEM item;
  DEVICE_OBJECT* device;  // referenced
  PDEVICE_CHANGE_COMPLETE_CALLBACK done;
  void* context;

  static void NTIO_MS_ABI Run(void* raw) {
    auto* report = static_cast<LateReport*>(raw);
    ReportTargetDeviceChange(report->device, report + 1).Ignore();  // it was looked at when it was queued
    if (report->done) nt::CallDriver(report->done, report->context);
    ob::DereferenceObject(report->device);
    ex::FreePool(report);
  }
};

}  // namespace

void PnpBoot() { fsrtl::SetTargetDeviceReporter(ReportForFile); }

Status ReportTargetDeviceChange(DEVICE_OBJECT* device, void* structure) {
  auto* custom = static_cast<TARGET_DEVICE_CUSTOM_NOTIFICATION*>(structure);
  if (IsSystemEvent(custom->Event)) return STATUS_INVALID_DEVICE_REQUEST;
  DEVICE_OBJECT* base = GetDeviceAttachmentBaseRef(device);
  CallAll(
      [&](const Notification& entry) {
        return entry.category == EventCategoryTargetDeviceChange && entry.target == base;
      },
      structure, &custom->FileObject);
  custom->FileObject = nullptr;
  ob::DereferenceObject(base);
  return STATUS_SUCCESS;
}

Status ReportTargetDeviceChangeAsynchronous(DEVICE_OBJECT* device, void* structure,
                                            PDEVICE_CHANGE_COMPLETE_CALLBACK done, void* context) {
  const auto* custom = static_cast<const TARGET_DEVICE_CUSTOM_NOTIFICATION*>(structure);
  if (IsSystemEvent(custom->Event)) return STATUS_INVALID_DEVICE_REQUEST;
  const SIZE_T bytes = std::max<SIZE_T>(custom->Size, sizeof *custom);
  auto* report = static_cast<LateReport*>(ex::AllocatePoolZero(NonPagedPoolNx, sizeof(LateReport) + bytes, 'rPoI'));
  if (!report) return STATUS_INSUFFICIENT_RESOURCES;
  std::memcpy(report + 1, structure, custom->Size);
  report->device = device;
  report->done = done;
  report->context = context;
  ob::ReferenceObject(device);
  report->item.WorkerRoutine = LateReport::Run;
  report->item.Parameter = report;
  ex::QueueWorkItem(&report->item, DelayedWorkQueue);
  return STATUS_SUCCESS;
}

Status RegisterDeviceInterface(DEVICE_OBJECT* device, const GUID& interface_class, const UNICODE_STRING* reference,
                               UNICODE_STRING* link) {
  Interface row;
  row.interface_class = interface_class;
  row.device = ob::NameOf(device);
  if (row.device.empty()) return STATUS_INVALID_DEVICE_REQUEST;
  std::u16string unique = row.device;
  std::replace(unique.begin(), unique.end(), u'\\', u'#');
  row.link = u"\\??\\ROOT" + unique + u"#" + GuidText(interface_class);
  if (reference && reference->Length)
    row.link += u"\\" + std::u16string(reference->Buffer, reference->Length / sizeof(WCHAR));
  const auto bytes = static_cast<USHORT>(row.link.size() * sizeof(WCHAR));
  link->Buffer = static_cast<WCHAR*>(ex::AllocatePool(PagedPool, bytes + sizeof(WCHAR), 'mNoI'));
  if (!link->Buffer) return STATUS_INSUFFICIENT_RESOURCES;
  std::memcpy(link->Buffer, row.link.data(), bytes);
  link->Buffer[row.link.size()] = 0;
  link->Length = bytes;
  link->MaximumLength = static_cast<USHORT>(bytes + sizeof(WCHAR));
  LockGuard guard(g_state->database);
  for (const Interface& other : ThePnp().interfaces)
    if (other.link == row.link) return STATUS_OBJECT_NAME_EXISTS;
  ThePnp().interfaces.push_back(std::move(row));
  return STATUS_SUCCESS;
}

Status SetDeviceInterfaceState(const UNICODE_STRING* link, bool enable) {
  const std::u16string name(link->Buffer, link->Length / sizeof(WCHAR));
  Interface copy;
  {
    LockGuard guard(g_state->database);
    auto& all = ThePnp().interfaces;
    auto row = std::find_if(all.begin(), all.end(), [&](const Interface& other) { return other.link == name; });
    if (row == all.end()) return STATUS_OBJECT_NAME_NOT_FOUND;
    if (row->enabled == enable) return enable ? STATUS_OBJECT_NAME_EXISTS : STATUS_OBJECT_NAME_NOT_FOUND;
    row->enabled = enable;
    copy = *row;
  }
  UNICODE_STRING link_name = View(copy.link), target = View(copy.device);
  NT_TRY(enable ? ob::CreateSymbolicLink(&link_name, &target) : ob::DeleteSymbolicLink(&link_name));
  ReportInterface(enable ? kArrival : kRemoval, copy.interface_class, copy.link);
  return STATUS_SUCCESS;
}

Status GetDeviceInterfaces(const GUID& interface_class, DEVICE_OBJECT* device, bool inactive_too, PZZWSTR* list) {
  std::u16string text;
  const std::u16string only = device ? ob::NameOf(device) : std::u16string();
  {
    LockGuard guard(g_state->database);
    for (const Interface& row : ThePnp().interfaces)
      if (Same(row.interface_class, interface_class) && (row.enabled || inactive_too) &&
          (only.empty() || row.device == only))
        text += row.link + u'\0';
  }
  text += u'\0';
  auto* memory = static_cast<WCHAR*>(ex::AllocatePool(PagedPool, (text.size() + 1) * sizeof(WCHAR), 'mNoI'));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  std::memcpy(memory, text.data(), text.size() * sizeof(WCHAR));
  memory[text.size()] = 0;
  *list = memory;
  return STATUS_SUCCESS;
}

void PnpShutdown() {
  fsrtl::SetTargetDeviceReporter(nullptr);
  for (;;) {
    void* first = nullptr;
    {
      LockGuard guard(g_state->database);
      if (!ThePnp().notifications.empty()) first = ThePnp().notifications.front();
    }
    if (!first) break;
    UnregisterPlugPlayNotification(first).Ignore();  // always succeeds
  }
  delete static_cast<Pnp*>(std::exchange(g_state->pnp, nullptr));
}

}  // namespace nt::io
