// A storage device and a file system in C++ for the tests of io. Every dispatch goes through a std::function that a test may
// replace; everything that was sent is counted.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "src/io/internal.h"
#include "src/machine/test_machine.h"

namespace nt::io::test {

inline UNICODE_STRING Name(const char16_t* text) {
  UNICODE_STRING name;
  name.Buffer = const_cast<WCHAR*>(text);
  name.Length = name.MaximumLength = static_cast<USHORT>(std::char_traits<char16_t>::length(text) * sizeof(WCHAR));
  return name;
}

inline NTSTATUS Complete(IRP* irp, NTSTATUS status, ULONG_PTR information = 0) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  CompleteRequest(irp);
  return status;
}

using Dispatch = std::function<NTSTATUS(DEVICE_OBJECT*, IRP*, IO_STACK_LOCATION*)>;

/// Threads that complete later; joined before the machine goes.
inline std::vector<std::thread>& LateThreads() {
  static std::vector<std::thread> threads;
  return threads;
}
inline void JoinLateThreads() {
  for (auto& thread : LateThreads()) thread.join();
  LateThreads().clear();
}

/// A driver whose devices dispatch through `handlers` (by major function), else through `fallback`.
class Driver {
 public:
  explicit Driver(const char16_t* name) {
    auto made = CreateBuiltInDriver(name, nullptr);
    EXPECT_EQ(made.status(), STATUS_SUCCESS);
    object = made.value();
    for (auto& routine : object->MajorFunction) routine = Entry;
    std::lock_guard guard(Table().second);
    Table().first[object] = this;
  }
  ~Driver() {
    JoinLateThreads();
    DeleteDriver(object, true);
    std::lock_guard guard(Table().second);
    Table().first.erase(object);
  }
  DEVICE_OBJECT* Device(const char16_t* name = nullptr, DEVICE_TYPE type = FILE_DEVICE_UNKNOWN, ULONG extension = 0) {
    UNICODE_STRING text = name ? Name(name) : UNICODE_STRING{};
    DEVICE_OBJECT* device = nullptr;
    EXPECT_EQ(CreateDevice(object, extension, name ? &text : nullptr, type, 0, false, &device), STATUS_SUCCESS);
    device->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
    return device;
  }
  int Sent(UCHAR major) const { return counts[major].load(); }

  DRIVER_OBJECT* object = nullptr;
  std::map<UCHAR, Dispatch> handlers;
  Dispatch fallback = [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) { return Complete(irp, STATUS_SUCCESS); };
  std::atomic<int> counts[IRP_MJ_MAXIMUM_FUNCTION + 1] = {};

 private:
  static std::pair<std::map<DRIVER_OBJECT*, Driver*>, std::mutex>& Table() {
    static std::pair<std::map<DRIVER_OBJECT*, Driver*>, std::mutex> table;
    return table;
  }
  static NTSTATUS NTIO_MS_ABI Entry(PDEVICE_OBJECT device, PIRP irp) {
    Driver* driver;
    {
      std::lock_guard guard(Table().second);
      driver = Table().first.at(device->DriverObject);
    }
    IO_STACK_LOCATION* location = CurrentLocation(irp);
    driver->counts[location->MajorFunction]++;
    auto handler = driver->handlers.find(location->MajorFunction);
    return (handler == driver->handlers.end() ? driver->fallback : handler->second)(device, irp, location);
  }
};

/// Completes an IRP on a thread of its own, inside the machine.
inline void CompleteLater(IRP* irp, NTSTATUS status, ULONG_PTR information = 0, int delay_ms = 20) {
  IoMarkIrpPending(irp);
  LateThreads().emplace_back([=] {
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    ke::CallIntoMachine([&] {
      ke::ServiceScope scope(nullptr, KernelMode);
      Complete(irp, status, information);
    });
  });
}

/// A disk that holds a "volume" the file system below may or may not recognise.
struct ToyVolume {
  ToyVolume() : disk(u"\\Driver\\ToyDisk"), system(u"\\FileSystem\\Toy") {
    storage = disk.Device(u"\\Device\\ToyDisk", FILE_DEVICE_DISK);
    storage->SectorSize = 512;
    storage->Flags |= DO_DIRECT_IO;
    control = system.Device(u"\\Toy", FILE_DEVICE_DISK_FILE_SYSTEM);
    RegisterFileSystem(control);
    system.handlers[IRP_MJ_FILE_SYSTEM_CONTROL] = [this](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
      return Control(irp, location);
    };
    system.handlers[IRP_MJ_CREATE] = [this](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
      location->FileObject->Vpb = storage->Vpb;
      location->FileObject->FsContext = this;
      last_name.assign(location->FileObject->FileName.Buffer ? location->FileObject->FileName.Buffer : u"",
                       location->FileObject->FileName.Length / sizeof(WCHAR));
      return Complete(irp, create_status, FILE_OPENED);
    };
    system.handlers[IRP_MJ_CLOSE] = [this](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
      vpb_count_at_close = storage->Vpb ? storage->Vpb->ReferenceCount : 0;
      return Complete(irp, STATUS_SUCCESS);
    };
  }
  ~ToyVolume() {
    JoinLateThreads();
    if (storage->Vpb && (storage->Vpb->Flags & VPB_MOUNTED)) Dismount();
    UnregisterFileSystem(control);
  }
  NTSTATUS Control(IRP* irp, IO_STACK_LOCATION* location) {
    if (location->MinorFunction != IRP_MN_MOUNT_VOLUME) return Complete(irp, STATUS_INVALID_DEVICE_REQUEST);
    mounts_tried++;
    if (!recognised) return Complete(irp, STATUS_UNRECOGNIZED_VOLUME);
    EXPECT_EQ(location->Parameters.MountVolume.DeviceObject, GetAttachedDevice(storage));
    volume = system.Device(nullptr, FILE_DEVICE_DISK_FILE_SYSTEM);
    ob::DereferenceObject(location->Parameters.MountVolume.DeviceObject);  // the I/O manager's, as FASTFAT does
    location->Parameters.MountVolume.Vpb->DeviceObject = volume;
    return Complete(irp, STATUS_SUCCESS);
  }
  void Dismount() {
    KIRQL irql;
    AcquireVpbSpinLock(&irql);
    EXPECT_EQ(storage->Vpb->ReferenceCount, 0u);
    storage->Vpb->Flags &= static_cast<USHORT>(~VPB_MOUNTED);
    DEVICE_OBJECT* device = std::exchange(storage->Vpb->DeviceObject, nullptr);
    ReleaseVpbSpinLock(irql);
    if (device && device->DriverObject == system.object) DeleteDevice(device);
    volume = nullptr;
  }
  NTSTATUS Open(HANDLE* handle, const char16_t* path = u"\\Device\\ToyDisk\\file", ULONG options = FILE_SYNCHRONOUS_IO_NONALERT,
                ACCESS_MASK access = FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | DELETE |
                                     SYNCHRONIZE,
                HANDLE root = nullptr) {
    UNICODE_STRING name = Name(path);
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, root, nullptr);
    return io::NtCreateFile(handle, access, &attributes, &iosb, nullptr, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
                            options, nullptr, 0);
  }

  Driver disk, system;
  DEVICE_OBJECT *storage = nullptr, *control = nullptr, *volume = nullptr;
  bool recognised = true;
  NTSTATUS create_status = STATUS_SUCCESS;
  int mounts_tried = 0;
  ULONG vpb_count_at_close = ~0u;
  std::u16string last_name;
  IO_STATUS_BLOCK iosb{};
};

inline FILE_OBJECT* FileOf(HANDLE handle) {
  Ref<FILE_OBJECT> file;
  EXPECT_EQ(ReferenceFile(handle, 0, KernelMode, &file), STATUS_SUCCESS);
  return file.get();  // the handle keeps it
}

inline void Close(HANDLE handle) { EXPECT_EQ(ob::Close(handle, KernelMode), STATUS_SUCCESS); }

}  // namespace nt::io::test
