// The devices of this machine as text, as device tree viewers draw them: what stands on each storage device, which file
// systems are asked to mount, and each driver with its devices.
#include <algorithm>

#include "src/io/internal.h"
#include "src/rtl/rtl.h"

namespace nt::io {
namespace {

constexpr size_t kDriverColumn = 20, kDeviceColumn = 32;

std::string NameOf(DEVICE_OBJECT* device) {
  const std::u16string name = ob::NameOf(device);
  return name.empty() ? "(unnamed)" : rtl::ToUtf8(name);
}

std::string Column(std::string text, size_t width) {
  text.append(text.size() < width ? width - text.size() : 1, ' ');
  return text;
}

std::string TypeName(DEVICE_TYPE type) {
  switch (type) {
    case FILE_DEVICE_CD_ROM:
      return "CD_ROM";
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
      return "CD_ROM_FILE_SYSTEM";
    case FILE_DEVICE_DISK:
      return "DISK";
    case FILE_DEVICE_DISK_FILE_SYSTEM:
      return "DISK_FILE_SYSTEM";
    case FILE_DEVICE_FILE_SYSTEM:
      return "FILE_SYSTEM";
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
      return "NETWORK_FILE_SYSTEM";
    case FILE_DEVICE_NULL:
      return "NULL";
    case FILE_DEVICE_TAPE:
      return "TAPE";
    case FILE_DEVICE_TAPE_FILE_SYSTEM:
      return "TAPE_FILE_SYSTEM";
    case FILE_DEVICE_UNKNOWN:
      return "UNKNOWN";
    case FILE_DEVICE_VIRTUAL_DISK:
      return "VIRTUAL_DISK";
    default: {
      char number[24];
      std::snprintf(number, sizeof number, "type 0x%x", type);
      return number;
    }
  }
}

/// A stack, its top first; each device one step further in than the one attached to it.
void DrawStack(DEVICE_OBJECT* bottom, size_t indent, std::string* text) {
  std::vector<DEVICE_OBJECT*> stack;
  for (DEVICE_OBJECT* device = bottom; device; device = device->AttachedDevice) stack.push_back(device);
  for (size_t i = stack.size(); i-- > 0; indent += 2)
    *text += std::string(indent, ' ') + Column(DriverFileName(stack[i]->DriverObject), kDriverColumn) +
             NameOf(stack[i]) + "\n";
}

std::string DescribeVpb(const VPB& vpb) {
  if (!(vpb.Flags & VPB_MOUNTED)) return "not mounted";
  char serial[24];
  std::snprintf(serial, sizeof serial, "serial %04X-%04X", vpb.SerialNumber >> 16, vpb.SerialNumber & 0xFFFF);
  std::string text = vpb.Flags & VPB_RAW_MOUNT ? "mounted raw" : "mounted";
  const size_t length = std::min<size_t>(vpb.VolumeLabelLength, sizeof vpb.VolumeLabel) / sizeof(WCHAR);
  if (length) text += ", label \"" + rtl::ToUtf8({vpb.VolumeLabel, length}) + "\"";
  text += std::string(", ") + serial;
  if (vpb.Flags & VPB_LOCKED) text += ", locked";
  return text;
}

/// A volume or disk, not a filter above one, which is drawn with its stack.
bool IsStorage(DEVICE_OBJECT* device) {
  return device->Vpb && device->Vpb->RealDevice == device && !LowerDevice(device);
}

void DrawStorage(DEVICE_OBJECT* device, std::string* text) {
  const VPB& vpb = *device->Vpb;
  *text += "  " + Column(NameOf(device), kDeviceColumn) + DescribeVpb(vpb) + "\n";
  if ((vpb.Flags & VPB_MOUNTED) && vpb.DeviceObject) {
    *text += "    file system stack\n";
    DrawStack(vpb.DeviceObject, 6, text);
  }
  *text += "    storage stack\n";
  DrawStack(device, 6, text);
}

std::vector<DEVICE_OBJECT*> Registered(int queue) {
  std::vector<DEVICE_OBJECT*> systems;
  LockGuard guard(g_state->database);
  LIST_ENTRY* head = &g_state->file_systems[queue];
  for (LIST_ENTRY* entry = head->Flink; entry != head; entry = entry->Flink)
    systems.push_back(CONTAINING_RECORD(entry, DEVICE_OBJECT, Queue.ListEntry));
  return systems;
}

/// What a device is for, as far as it is not told by its type.
std::string Role(DEVICE_OBJECT* device, const std::vector<DEVICE_OBJECT*>& storage) {
  for (int queue = 0; queue < kFileSystemQueues; queue++) {
    const auto systems = Registered(queue);
    if (std::find(systems.begin(), systems.end(), device) != systems.end()) return "control device, registered";
  }
  for (DEVICE_OBJECT* real : storage)
    if (real->Vpb->DeviceObject == device) return "volume on " + NameOf(real);
  if (DEVICE_OBJECT* below = LowerDevice(device))
    return "attached to " + NameOf(below) + " of " + DriverFileName(below->DriverObject);
  return {};
}

void DrawDriver(DRIVER_OBJECT* driver, const std::vector<DEVICE_OBJECT*>& storage, std::string* text) {
  *text += "  " + Column(rtl::ToUtf8(ob::NameOf(driver)), kDeviceColumn) +
           (driver->Flags & DRVO_BUILTIN_DRIVER ? "built in" : DriverFileName(driver)) + "\n";
  for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice) {
    const std::string role = Role(device, storage);
    *text += "    " + Column(NameOf(device), kDeviceColumn - 2) + TypeName(device->DeviceType) +
             (role.empty() ? "" : ", " + role) + "\n";
  }
}

}  // namespace

std::string DescribeDeviceTree() {
  const auto drivers = Drivers();
  std::vector<DEVICE_OBJECT*> storage;
  for (DRIVER_OBJECT* driver : drivers)
    for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice)
      if (IsStorage(device)) storage.push_back(device);

  std::string text = "Storage\n";
  if (storage.empty()) text += "  (none)\n";
  for (DEVICE_OBJECT* device : storage) DrawStorage(device, &text);

  text += "\nFile systems, in the order in which they are asked to mount\n";
  constexpr const char* kQueueNames[kFileSystemQueues] = {"disks", "CD-ROMs", "tapes", "network"};
  for (int queue = 0; queue < kFileSystemQueues; queue++) {
    const auto systems = Registered(queue);
    // The one that is built in, and asked last, tells nothing where nobody else wants to mount.
    const auto built_in = [](const DEVICE_OBJECT* device) {
      return (device->DriverObject->Flags & DRVO_BUILTIN_DRIVER) != 0;
    };
    if (queue != kDiskQueue && std::all_of(systems.begin(), systems.end(), built_in)) continue;
    text += std::string("  ") + kQueueNames[queue] + "\n";
    for (DEVICE_OBJECT* system : systems) DrawStack(system, 4, &text);
  }

  text += "\nDrivers\n";
  for (DRIVER_OBJECT* driver : drivers) DrawDriver(driver, storage, &text);
  return text;
}

}  // namespace nt::io
