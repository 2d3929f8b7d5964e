// Driver objects: loading an image and running its DriverEntry, unloading it, extensions, reinitialization.
//
// DriverEntry and DriverUnload run in a system thread of their own, in the System process, as on NT. A driver object is
// referenced by its name and by each of its devices.
#include <algorithm>
#include <cstring>
#include <memory>

#include "src/fsrtl/fsrtl.h"
#include "src/rtl/rtl.h"
#include "src/cm/cm.h"
#include "src/io/internal.h"
#include "src/io/observe.h"

namespace nt::io {

struct Reinitialization {
  PDRIVER_REINITIALIZE routine;
  void* context;
};

/// Follows DRIVER_OBJECT and DRIVER_EXTENSION in the object's body.
struct DriverExtra {
  DRIVER_EXTENSION extension;
  ldr::Image* image;
  std::u16string* name;           // what DriverName shows
  std::u16string* service;        // what ServiceKeyName shows
  std::u16string* registry_path;
  bool is_file_system;  // has registered one, perhaps no longer
  std::vector<std::pair<void*, void*>>* client_extensions;
  std::vector<Reinitialization>* reinitialize;  // under database
  WORK_QUEUE_ITEM unload_later;
  bool unload_wanted;             // under database
  bool unload_queued;             // under database
};

NTSTATUS NTIO_MS_ABI InvalidDeviceRequest(PDEVICE_OBJECT, PIRP irp) {
  irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
  irp->IoStatus.Information = 0;
  CompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_INVALID_DEVICE_REQUEST;
}

namespace {

constexpr ULONG kThreadStuckInDeviceDriver = 0xea;
constexpr char16_t kServices[] = u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";
char16_t g_hardware[] = u"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM";
UNICODE_STRING g_hardware_database{sizeof g_hardware - 2, sizeof g_hardware, g_hardware};

DriverExtra* ExtraOf(DRIVER_OBJECT* driver) { return reinterpret_cast<DriverExtra*>(driver + 1); }

UNICODE_STRING View(std::u16string& text) {
  UNICODE_STRING view;
  view.Buffer = text.data();
  view.Length = static_cast<USHORT>(text.size() * sizeof(WCHAR));
  view.MaximumLength = static_cast<USHORT>(view.Length + sizeof(WCHAR));
  return view;
}

std::string Hex(NTSTATUS status) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08X", static_cast<unsigned>(status));
  const char* name = StatusName(status);
  return name ? std::string(name) + " (" + text + ")" : text;
}

Status NewDriverObject(std::u16string name, std::u16string service, DRIVER_OBJECT** out) {
  void* body;
  NT_TRY(ob::CreateObject(IoDriverObjectType, sizeof(DRIVER_OBJECT) + sizeof(DriverExtra), &body));
  auto* driver = static_cast<DRIVER_OBJECT*>(body);
  DriverExtra* extra = ExtraOf(driver);
  driver->Type = IO_TYPE_DRIVER;
  driver->Size = sizeof(DRIVER_OBJECT);
  driver->DriverExtension = &extra->extension;
  extra->extension.DriverObject = driver;
  extra->name = new std::u16string(std::move(name));
  extra->registry_path = new std::u16string(kServices + service);
  extra->service = new std::u16string(std::move(service));
  extra->client_extensions = new std::vector<std::pair<void*, void*>>;
  extra->reinitialize = new std::vector<Reinitialization>;
  driver->DriverName = View(*extra->name);
  extra->extension.ServiceKeyName = View(*extra->service);
  driver->HardwareDatabase = &g_hardware_database;
  for (auto& routine : driver->MajorFunction) routine = InvalidDeviceRequest;
  UNICODE_STRING path = View(*extra->name);
  Status status = ob::InsertPermanent(driver, &path);
  if (!status.ok()) {
    ob::DereferenceObject(driver);
    return status;
  }
  LockGuard guard(g_state->database);
  g_state->drivers.push_back(driver);
  *out = driver;
  return STATUS_SUCCESS;
}

struct Call {
  void (*body)(void*);
  void* context;
  KEVENT done;
};

/// Runs `body` in a system thread. @returns false when it did not come back in time
template <class F>
bool RunInSystemThread(const char* name, unsigned timeout_seconds, F&& body, ke::Thread** stuck = nullptr) {
  struct Context {
    std::remove_reference_t<F>* body;
    KEVENT done;
  };
  // Not on this stack: after a timeout the thread still has it.
  auto* context = new Context{&body, {}};
  ke::InitializeEvent(&context->done, NotificationEvent, false);
  ke::Thread* thread = nullptr;
  Status started = ps::CreateRuntimeThread(
      name,
      [](void* raw) {
        auto* call = static_cast<Context*>(raw);
        (*call->body)();
        ke::SetEvent(&call->done);
      },
      context, &thread);
  CHECK_MSG(started.ok(), "no system thread for a driver");
  LARGE_INTEGER timeout;
  timeout.QuadPart = -10'000'000ll * timeout_seconds;
  Status waited = ke::WaitForSingleObject(&context->done, Executive, KernelMode, false,
                                          timeout_seconds ? &timeout : nullptr);
  if (waited == STATUS_TIMEOUT) {
    if (stuck) *stuck = thread;
    return false;
  }
  ke::WaitFor(thread);
  ob::DereferenceObject(thread);
  delete context;
  return true;
}

/// After DriverEntry: what the driver left to the I/O manager.
void FinishEntry(DRIVER_OBJECT* driver) {
  for (auto& routine : driver->MajorFunction)
    if (!routine) routine = InvalidDeviceRequest;
  ObserveDriver(driver);
  LockGuard guard(g_state->database);
  for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice)
    device->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
  driver->Flags |= DRVO_INITIALIZED;
}

void RunReinitialization(DRIVER_OBJECT* driver) {
  for (;;) {
    Reinitialization next;
    {
      LockGuard guard(g_state->database);
      auto& list = *ExtraOf(driver)->reinitialize;
      driver->Flags &= ~static_cast<ULONG>(DRVO_REINIT_REGISTERED | DRVO_BOOTREINIT_REGISTERED);
      if (list.empty()) return;
      next = list.front();
      list.erase(list.begin());
    }
    driver->DriverExtension->Count++;
    nt::CallDriver(next.routine, driver, next.context, driver->DriverExtension->Count);
    ObserveDriver(driver);
  }
}

void AddReinitialization(DRIVER_OBJECT* driver, PDRIVER_REINITIALIZE routine, void* context, ULONG flag) {
  LockGuard guard(g_state->database);
  driver->Flags |= flag;
  ExtraOf(driver)->reinitialize->push_back({routine, context});
}

void ForgetDriver(DRIVER_OBJECT* driver) {
  {
    LockGuard guard(g_state->database);
    std::erase(g_state->drivers, driver);
    std::erase_if(g_state->fs_notifications, [&](const FsNotification& entry) { return entry.driver == driver; });
  }
  ob::MakeTemporaryObject(driver);
}

/// Nothing of the image may be reached through the objects that outlive it.
void DropImage(DRIVER_OBJECT* driver) {
  MakeDriverDeaf(driver);
  driver->DriverSection = nullptr;
  ldr::Image* image = std::exchange(ExtraOf(driver)->image, nullptr);
  if (!image) return;
  // A completion routine or a work item may have let the unloading thread go on before its own last instructions ran.
  ke::FlushQueuedDpcs();
  ex::DrainWorkQueues();
  ldr::UnloadImage(image);
}

void DeleteDevicesByForce(DRIVER_OBJECT* driver) {
  for (;;) {
    DEVICE_OBJECT* device = nullptr;
    bool pending = false;
    {
      LockGuard guard(g_state->database);
      for (device = driver->DeviceObject; device; device = device->NextDevice) {
        pending = (Extra(device)->state & kDeletePending) != 0;
        if (!pending || device->ReferenceCount > 0) break;
      }
      if (!device) return;
      if (DEVICE_OBJECT* below = Extra(device)->attached_to) {
        __atomic_store_n(&below->AttachedDevice, nullptr, __ATOMIC_RELEASE);
        Extra(device)->attached_to = nullptr;
      }
      // Opens that are left find a device that refuses. A registered file system counts once, until DeleteDevice.
      device->ReferenceCount = Extra(device)->file_system_registered ? 1 : 0;
    }
    if (pending) {
      device->ReferenceCount = 1;
      UncountOpen(device);
    } else {
      DeleteDevice(device);
    }
  }
}

/// Whether the driver's devices allow its unload now; marks them so that no open comes.
bool MayUnloadLocked(DRIVER_OBJECT* driver) NT_REQUIRES(g_state->database) {
  bool free = true;
  for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice) {
    Extra(device)->state |= kUnloadPending;
    if (device->ReferenceCount > 0 || device->AttachedDevice) free = false;
  }
  return free;
}

void Unload(DRIVER_OBJECT* driver) {
  {
    LockGuard guard(g_state->database);
    if (driver->Flags & DRVO_UNLOAD_INVOKED) return;
    driver->Flags |= DRVO_UNLOAD_INVOKED;
  }
  if (PDRIVER_UNLOAD unload = driver->DriverUnload)
    RunInSystemThread("DriverUnload", 0, [&] { nt::CallDriver(unload, driver); });
  else SwitchOffDriver(driver);  // only a machine that shuts down unloads such a one
  DeleteDriver(driver, true);
}

void NTIO_MS_ABI UnloadLater(void* object) {
  auto* driver = static_cast<DRIVER_OBJECT*>(object);
  Unload(driver);
  ob::DereferenceObject(driver);
}

/// Makes sure that the service key exists. @returns what its Type says, or the options when it says nothing
bool IsFileSystem(const DriverOptions& options, const std::u16string& service) {
  constexpr ULONG kKernelDriver = 1, kFileSystemDriver = 2, kRecognizer = 8;  // SERVICE_*_DRIVER
  constexpr ULONG kDemandStart = 3, kErrorNormal = 1;  // SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL
  const std::u16string key = kServices + service;
  Result<ULONG> type = cm::QueryDword(key, u"Type");
  if (type.ok()) return type.value() == kFileSystemDriver || type.value() == kRecognizer;
  // Nobody installed it: what CreateService would have written. A driver that needs the key reports its absence itself.
  const auto missing = [&](const char16_t* name) { return !cm::QueryValue(key, name).ok(); };
  cm::SetDword(key, u"Type", options.file_system ? kFileSystemDriver : kKernelDriver).Ignore();
  if (missing(u"Start")) cm::SetDword(key, u"Start", kDemandStart).Ignore();
  if (missing(u"ErrorControl")) cm::SetDword(key, u"ErrorControl", kErrorNormal).Ignore();
  const std::u16string path(options.path.begin(), options.path.end());
  if (missing(u"ImagePath")) cm::SetString(key, u"ImagePath", path, REG_EXPAND_SZ).Ignore();
  return options.file_system;
}

std::u16string ServiceName(const DriverOptions& options) {
  if (!options.service.empty()) return options.service;
  std::string name = options.path.substr(options.path.find_last_of('/') + 1);
  if (const size_t dot = name.find_last_of('.'); dot != std::string::npos && dot > 0) name.resize(dot);
  return rtl::FromUtf8(name);
}

}  // namespace

void MakeDriverDeaf(DRIVER_OBJECT* driver) {
  for (auto& routine : driver->MajorFunction) routine = InvalidDeviceRequest;
  driver->FastIoDispatch = nullptr;
  driver->DriverStartIo = nullptr;
  driver->DriverUnload = nullptr;
}

/// A device of a driver was deleted or lost its last open.
void DeviceGone(DRIVER_OBJECT* driver) {
  DriverExtra* extra = ExtraOf(driver);
  {
    LockGuard guard(g_state->database);
    if (!extra->unload_wanted || extra->unload_queued || !MayUnloadLocked(driver)) return;
    extra->unload_queued = true;
  }
  ob::ReferenceObject(driver);
  extra->unload_later.WorkerRoutine = UnloadLater;
  extra->unload_later.Parameter = driver;
  ex::QueueWorkItem(&extra->unload_later, DelayedWorkQueue);
}

/// The delete procedure of the type.
void RemoveDriver(void* object) {
  auto* driver = static_cast<DRIVER_OBJECT*>(object);
  fsrtl::ForgetDriver(driver);
  ForgetObserved(driver);
  DriverExtra* extra = ExtraOf(driver);
  if (extra->client_extensions)
    for (auto& [id, memory] : *extra->client_extensions) ex::FreePool(memory);
  delete extra->client_extensions;
  delete extra->reinitialize;
  delete extra->name;
  delete extra->service;
  delete extra->registry_path;
}

Result<DRIVER_OBJECT*> LoadDriver(const DriverOptions& options, std::string* why) {
  std::string ignored;
  if (!why) why = &ignored;
  why->clear();
  const std::u16string service = ServiceName(options);
  ldr::LoadOptions load;
  load.lazy_imports = options.lazy_imports;
  Result<ldr::Image*> image = ldr::LoadImage(options.path, load, why);
  if (!image.ok()) return image.status();
  const std::string file_name = image.value()->name;
  const auto fail = [&](Status status, std::string text) -> Result<DRIVER_OBJECT*> {
    *why = std::move(text);
    return status;
  };
  auto entry = reinterpret_cast<PDRIVER_INITIALIZE>(image.value()->entry());
  if (!entry) {
    ldr::UnloadImage(image.value());
    return fail(STATUS_INVALID_IMAGE_FORMAT, file_name + " has no entry point");
  }
  DRIVER_OBJECT* driver = nullptr;
  Status made = NewDriverObject((IsFileSystem(options, service) ? u"\\FileSystem\\" : u"\\Driver\\") + service, service, &driver);
  if (!made.ok()) {
    ldr::UnloadImage(image.value());
    return fail(made, made == STATUS_OBJECT_NAME_COLLISION ? "a driver named " + rtl::ToUtf8(service) + " is loaded already"
                                                           : "no driver object: " + Hex(made));
  }
  ExtraOf(driver)->image = image.value();
  driver->DriverStart = reinterpret_cast<void*>(image.value()->base);
  driver->DriverSize = image.value()->size;
  driver->DriverSection = image.value();
  driver->DriverInit = entry;
  driver->Flags |= DRVO_LEGACY_DRIVER;

  IMAGE_INFO info{};
  info.SystemModeImage = 1;
  info.ImageBase = driver->DriverStart;
  info.ImageSize = driver->DriverSize;
  std::u16string image_path = rtl::FromUtf8(options.path);
  UNICODE_STRING image_name = View(image_path);
  ps::CallLoadImageNotifyRoutines(&image_name, nullptr, &info);

  NTSTATUS status = STATUS_UNSUCCESSFUL;
  UNICODE_STRING registry_path = View(*ExtraOf(driver)->registry_path);
  ke::Thread* stuck = nullptr;
  const bool returned = RunInSystemThread("DriverEntry", options.entry_timeout_seconds, [&] {
    status = nt::CallDriver(entry, driver, &registry_path);  // an exception is a bug check, with the raise's stack
  }, &stuck);
  if (!returned) {
    ke::BlameDriver(file_name);
    const std::string text = "DriverEntry of " + file_name + " did not return within " +
                             std::to_string(options.entry_timeout_seconds) + " seconds";
    ke::BugCheckWithMessage(text.c_str(), kThreadStuckInDeviceDriver, reinterpret_cast<ULONG_PTR>(stuck));
  }
  if (!NT_SUCCESS(status)) {
    DeleteDriver(driver, true);
    return fail(status, "DriverEntry of " + file_name + " returned " + Hex(status));
  }
  FinishEntry(driver);
  ldr::DiscardInit(image.value());
  RunInSystemThread("DriverReinit", 0, [&] { RunReinitialization(driver); });
  return driver;
}

Result<DRIVER_OBJECT*> CreateBuiltInDriver(const char16_t* name, PDRIVER_INITIALIZE entry) {
  std::u16string full(name);
  std::u16string service = full.substr(full.find_last_of(u'\\') + 1);
  DRIVER_OBJECT* driver = nullptr;
  NT_TRY(NewDriverObject(std::move(full), std::move(service), &driver));
  driver->Flags |= DRVO_BUILTIN_DRIVER;
  driver->DriverInit = entry;
  if (entry) {
    UNICODE_STRING registry_path = View(*ExtraOf(driver)->registry_path);
    Status status = nt::CallDriver(entry, driver, &registry_path);
    if (!status.ok()) {
      DeleteDriver(driver, true);
      return status;
    }
  }
  FinishEntry(driver);
  RunReinitialization(driver);
  return driver;
}

Status UnloadDriver(DRIVER_OBJECT* driver) {
  if (!driver->DriverUnload) return STATUS_INVALID_DEVICE_REQUEST;
  {
    LockGuard guard(g_state->database);
    if (driver->Flags & DRVO_UNLOAD_INVOKED) return STATUS_INVALID_DEVICE_REQUEST;
    if (!MayUnloadLocked(driver)) {
      ExtraOf(driver)->unload_wanted = true;
      return STATUS_PENDING;
    }
  }
  Unload(driver);
  return STATUS_SUCCESS;
}

namespace {

std::u16string ServiceOfKey(const UNICODE_STRING* key) {
  const std::u16string path(key->Buffer, key->Length / sizeof(WCHAR));
  return path.substr(path.find_last_of(u'\\') + 1);
}

DRIVER_OBJECT* FindByService(const std::u16string& service) {
  for (DRIVER_OBJECT* driver : Drivers())
    if (*ExtraOf(driver)->service == service) return driver;
  return nullptr;
}

}  // namespace

Status LoadDriverByServiceKey(const UNICODE_STRING* key) {
  DriverOptions options;
  options.service = ServiceOfKey(key);
  if (FindByService(options.service)) return STATUS_IMAGE_ALREADY_LOADED;
  Result<std::u16string> image = cm::QueryString(std::u16string(key->Buffer, key->Length / sizeof(WCHAR)), u"ImagePath");
  if (!image.ok()) return image.status();
  options.path = rtl::ToUtf8(image.value());
  options.file_system = false;  // unless Type says so
  return LoadDriver(options).status();
}

Status UnloadDriverByServiceKey(const UNICODE_STRING* key) {
  DRIVER_OBJECT* driver = FindByService(ServiceOfKey(key));
  return driver ? UnloadDriver(driver) : Status(STATUS_OBJECT_NAME_NOT_FOUND);
}

void DeleteDriver(DRIVER_OBJECT* driver, bool delete_devices) {
  ob::ReferenceObject(driver);
  if (delete_devices) DeleteDevicesByForce(driver);
  ForgetDriver(driver);
  DropImage(driver);
  ob::DereferenceObject(driver);  // ours
  ob::DereferenceObject(driver);  // the creator's
}

namespace {

/// Newest first.
void UnloadNewest(bool down_to_file_systems) {
  for (;;) {
    DRIVER_OBJECT* driver = nullptr;
    {
      LockGuard guard(g_state->database);
      for (auto entry = g_state->drivers.rbegin(); entry != g_state->drivers.rend() && !driver; ++entry)
        if (!((*entry)->Flags & (DRVO_BUILTIN_DRIVER | DRVO_UNLOAD_INVOKED))) driver = *entry;
      if (!driver || (down_to_file_systems && ExtraOf(driver)->is_file_system)) return;
    }
    Unload(driver);
  }
}

}  // namespace

void UnloadDriversAboveFileSystems() { UnloadNewest(true); }
void UnloadAllDrivers() { UnloadNewest(false); }

void NoteFileSystem(DRIVER_OBJECT* driver) { ExtraOf(driver)->is_file_system = true; }

std::vector<DRIVER_OBJECT*> Drivers() {
  LockGuard guard(g_state->database);
  return g_state->drivers;
}

std::string DriverFileName(DRIVER_OBJECT* driver) {
  if (!driver) return "(no driver)";
  const DriverExtra* extra = ExtraOf(driver);
  if (extra->image) return extra->image->name;
  return extra->name ? rtl::ToUtf8(*extra->name) : "(deleted driver)";
}

std::string DriverServiceName(DRIVER_OBJECT* driver) {
  const DriverExtra* extra = ExtraOf(driver);
  return extra->service ? rtl::ToUtf8(*extra->service) : "(deleted driver)";
}

Status AllocateDriverObjectExtension(DRIVER_OBJECT* driver, void* client_id, ULONG bytes, void** extension) {
  *extension = nullptr;
  void* memory = ex::AllocatePoolZero(NonPagedPoolNx, bytes, 'xerD');
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  {
    LockGuard guard(g_state->database);
    auto& list = *ExtraOf(driver)->client_extensions;
    const bool taken = std::any_of(list.begin(), list.end(), [&](auto& entry) { return entry.first == client_id; });
    if (!taken) {
      list.emplace_back(client_id, memory);
      *extension = memory;
      return STATUS_SUCCESS;
    }
  }
  ex::FreePool(memory);
  return STATUS_OBJECT_NAME_COLLISION;
}

void* GetDriverObjectExtension(DRIVER_OBJECT* driver, void* client_id) {
  LockGuard guard(g_state->database);
  for (auto& [id, memory] : *ExtraOf(driver)->client_extensions)
    if (id == client_id) return memory;
  return nullptr;
}

void RegisterDriverReinitialization(DRIVER_OBJECT* driver, PDRIVER_REINITIALIZE routine, void* context) {
  AddReinitialization(driver, routine, context, DRVO_REINIT_REGISTERED);
}
void RegisterBootDriverReinitialization(DRIVER_OBJECT* driver, PDRIVER_REINITIALIZE routine, void* context) {
  AddReinitialization(driver, routine, context, DRVO_BOOTREINIT_REGISTERED);
}

}  // namespace nt::io
