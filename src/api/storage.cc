// Machine::AddStorage: a storage driver of the legacy kind, which makes its devices in DriverEntry from its Parameters
// key.
#include <algorithm>

#include "ntio/driver_info.h"
#include "ntio/machine.h"
#include "src/api/state.h"
#include "src/cm/cm.h"
#include "src/io/io.h"
#include "src/ob/ob.h"

namespace ntio {

using nt::Status;

namespace {

/// "mirror" of "dir/mirror.sys".
std::u16string BaseName(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  if (const size_t dot = name.rfind('.'); dot != std::string::npos) name.resize(dot);
  return {name.begin(), name.end()};
}

/// The device that file systems are to mount on, or nullptr: the driver only attached itself.
PDEVICE_OBJECT DiskOf(DRIVER_OBJECT* driver) {
  for (PDEVICE_OBJECT device = driver->DeviceObject; device; device = device->NextDevice)
    if (device->DeviceType == FILE_DEVICE_DISK && device->Vpb && !nt::ob::NameOf(device).empty()) return device;
  return nullptr;
}

}  // namespace

Result<int> Machine::AddStorage(const std::string& driver, const StorageOptions& options) {
  nt::io::DriverOptions load;
  load.path = FindDriver(driver);
  load.file_system = false;
  if (load.path.empty())
    return Failure{
        FailureKind::kDriverLoad, 0,
        "there is no driver \"" + driver + "\": give the path of a .sys file, or the name of a shipped driver"};
  std::u16string names;
  for (const int disk : options.disks) {
    const std::u16string name = VolumeDevice(disk);
    if (name.empty()) return Failure{FailureKind::kUsage, 0, "there is no disk " + std::to_string(disk)};
    names += name + u'\0';
  }
  names += u'\0';
  // A service of its own for each disk that the driver makes.
  const size_t uses = std::count(state_->storage_services.begin(), state_->storage_services.end(), BaseName(load.path));
  state_->storage_services.push_back(BaseName(load.path));
  const std::string suffix = uses ? std::to_string(uses) : "";
  load.service = BaseName(load.path) + std::u16string(suffix.begin(), suffix.end());

  std::string why;
  DRIVER_OBJECT* object = nullptr;
  PDEVICE_OBJECT device = nullptr;
  Status status = STATUS_SUCCESS;
  const bool alive = state_->Kernel([&] {
    const std::u16string key = std::u16string(nt::cm::kServicesPath) + u"\\" + load.service + u"\\Parameters";
    if (!options.disks.empty()) status = nt::cm::SetValue(key, u"Disks", REG_MULTI_SZ, names.data(), names.size() * 2);
    for (const auto& [name, value] : options.parameters)
      if (status.ok()) status = nt::cm::SetDword(key, std::u16string(name.begin(), name.end()), value);
    if (!status.ok()) return;
    auto loaded = nt::io::LoadDriver(load, &why);
    status = loaded.status();
    if (!loaded.ok()) return;
    object = loaded.value();
    device = DiskOf(object);
  });
  if (!alive) return BugChecked();
  if (!object) return Failure{FailureKind::kDriverLoad, status, why};
  state_->drivers.push_back(object);
  if (options.disks.empty()) {
    if (!device)
      return Failure{FailureKind::kDriverLoad, 0, driver + " made no disk: no named device of type FILE_DEVICE_DISK"};
    state_->disks.push_back(device);
    return static_cast<int>(state_->disks.size()) - 1;
  }
  if (device) state_->disks[static_cast<size_t>(options.disks[0])] = device;
  return options.disks[0];
}

}  // namespace ntio
