// The objects behind the device objects. Internal to src/disk.
//
// Life of a request: 1. dispatch takes the device's remove lock, checks the request, marks it pending, Enqueue.
// 2. Pump hands it to the host in pieces, as far as the queue depth allows. 3. Each piece ends on a host thread, with the
// last one the request joins done_, and the disk's DPC is queued. 4. The DPC completes it at DISPATCH_LEVEL and releases
// the remove lock. While it waits in the queue untouched it has a cancel routine.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "ntifs.h"
#include "ntdddisk.h"
#include "src/base/lock.h"
#include "src/disk/disk.h"
#include "src/disk/partition.h"
#include "src/host/host.h"

namespace nt::disk {

class Disk;
class Device;

/// Counts who uses a device, and closes for good. Unlike EX_RUNDOWN_REF, a holder may take a further reference while others
/// wait for the end. Release calls nothing of the machine, so host threads may do it.
class RemoveLock {
 public:
  /// False once closed.
  bool TryAcquire();
  /// For a caller that holds a reference already.
  void AddReference() { state_.fetch_add(kReference, std::memory_order_relaxed); }
  void Release();
  /// Refuses further TryAcquire and waits for the last Release.
  void CloseAndWait();

 private:
  static constexpr uint32_t kClosed = 1, kReference = 2;
  std::atomic<uint32_t> state_;
};

/// DEVICE_OBJECT::DeviceExtension. Lives as long as the device object, which may be longer than the Device.
struct DeviceExtension {
  RemoveLock remove_lock;  // held by every request; closed by RemoveDisk
  Device* device;          // valid while the lock is held
};

enum class DeviceKind { kDisk, kVolume };

struct DeviceNumbers {
  ULONG disk = 0;    // or CD-ROM drive
  ULONG volume = 0;
};

class Device {
 public:
  Device(Disk& disk, DeviceKind kind, uint64_t start, uint64_t length)
      : disk_(disk), kind_(kind), start_(start), length_(length) {}

  Disk& disk() { return disk_; }
  DeviceKind kind() const { return kind_; }
  uint64_t start() const { return start_; }
  uint64_t length() const { return length_; }
  PDEVICE_OBJECT object() const { return object_; }
  const std::u16string& name() const { return name_; }

  /// NT's number: 0 for the whole disk.
  ULONG PartitionNumber() const;
  /// nullptr when the device is the whole disk or there is no table.
  const Partition* partition() const { return partition_; }

  NTSTATUS Inject(Operation operation, uint64_t offset, uint32_t bytes) {
    return injecting_.load(std::memory_order_relaxed) ? InjectSlow(operation, offset, bytes) : STATUS_SUCCESS;
  }
  void SetInjector(FaultInjector injector);

  std::atomic<bool> offline{false};  // IOCTL_VOLUME_OFFLINE

 private:
  friend class Disk;
  NTSTATUS InjectSlow(Operation operation, uint64_t offset, uint32_t bytes);

  Disk& disk_;
  const DeviceKind kind_;
  const uint64_t start_;   // on the disk
  const uint64_t length_;
  const Partition* partition_ = nullptr;
  PDEVICE_OBJECT object_ = nullptr;
  std::u16string name_;
  std::atomic<bool> injecting_{false};
  Lock injector_lock_{LockRank::kDeviceQueue};
  std::shared_ptr<const FaultInjector> injector_ NT_GUARDED_BY(injector_lock_);
};

class Disk {
 public:
  Disk(const Options& options, std::unique_ptr<host::BlockFile> file, PartitionTable table);
  ~Disk();

  const Options& options() const { return options_; }
  const PartitionTable& table() const { return table_; }
  uint64_t bytes() const { return bytes_; }
  uint32_t sector_bytes() const { return options_.sector_bytes; }
  host::BlockFile& file() { return *file_; }
  ULONG number() const { return number_; }
  Device& raw() { return *raw_; }
  Device& volume() { return *volume_; }
  const GuidBytes& volume_id() const { return volume_id_; }
  char16_t drive_letter() const { return drive_letter_; }
  DISK_GEOMETRY Geometry() const;

  // --- attach.cc ---------------------------------------------------------------------------------------------------------
  Status CreateDevices(PDRIVER_OBJECT driver, const DeviceNumbers& numbers, const Partition* partition);
  /// Waits for requests, removes links and devices. Also undoes a CreateDevices that failed half way.
  void DeleteDevices();

  // --- transfer.cc ---------------------------------------------------------------------------------------------------------
  /// The IRP is checked, pending, and holds the remove lock.
  void StartTransfer(PIRP irp, char* buffer);
  void StartFlush(PIRP irp);
  /// Reads [offset, offset + bytes) of a device and drops the data. Blocks the calling thread.
  Status Verify(Device& device, uint64_t offset, uint64_t bytes);

  /// The raw device's DPC: completes what has finished. DISPATCH_LEVEL.
  void RunDpc();

  std::atomic<ULONG> media_changes{0};
  std::atomic<LONG> removal_locks{0};

 private:
  friend struct TransferCallbacks;
  struct Piece;

  bool Enqueue(PIRP irp);
  void Pump();
  bool NextPiece(Piece* piece) NT_REQUIRES(lock_);
  Status Issue(const Piece& piece);
  void PieceDone(PIRP irp, NTSTATUS status);
  void DropReference(PIRP irp);
  void Finished(PIRP irp);
  void IssueFlush(PIRP irp);
  Status CreateDiskDevices(PDRIVER_OBJECT driver, ULONG disk_number, ULONG volume_number, const Partition* partition);
  Status CreateCdRomDevices(PDRIVER_OBJECT driver, ULONG number, const std::u16string& digits);
  /// Without a name it gets a generated one.
  Status CreateDevice(PDRIVER_OBJECT driver, Device& device, std::u16string name);
  Status AddLink(std::u16string link, const std::u16string& target);
  Status AssignDriveLetter();

  const Options options_;
  const std::unique_ptr<host::BlockFile> file_;
  const PartitionTable table_;
  const uint64_t bytes_;  // whole sectors of the file
  ULONG number_ = 0;
  std::unique_ptr<Device> raw_, volume_;
  GuidBytes volume_id_{};
  char16_t drive_letter_ = 0;
  std::vector<std::u16string> links_;
  void* directory_ = nullptr;  // \Device\Harddisk<n>, referenced

  Lock lock_{LockRank::kDeviceQueue};
  LIST_ENTRY queue_ NT_GUARDED_BY(lock_);  // IRPs with pieces left to issue
  LIST_ENTRY done_ NT_GUARDED_BY(lock_);   // IRPs to complete
  uint32_t in_flight_ NT_GUARDED_BY(lock_) = 0;
};

/// Holds the remove lock of a device for the length of a scope.
class DeviceReference {
 public:
  /// Empty when the disk is being removed.
  explicit DeviceReference(PDEVICE_OBJECT object) : extension_(ExtensionOf(object)) {
    if (!extension_->remove_lock.TryAcquire()) extension_ = nullptr;
  }
  /// A second reference, while a request holds one.
  static DeviceReference Share(PDEVICE_OBJECT object) {
    ExtensionOf(object)->remove_lock.AddReference();
    return DeviceReference(ExtensionOf(object));
  }
  ~DeviceReference() {
    if (extension_) extension_->remove_lock.Release();
  }
  DeviceReference(const DeviceReference&) = delete;
  DeviceReference& operator=(const DeviceReference&) = delete;
  explicit operator bool() const { return extension_ != nullptr; }
  Device& operator*() const { return *extension_->device; }
  Device* operator->() const { return extension_->device; }
  /// The reference goes on to a request; ReleaseDevice ends it.
  void HandOver() { extension_ = nullptr; }

  static DeviceExtension* ExtensionOf(PDEVICE_OBJECT object) {
    return static_cast<DeviceExtension*>(object->DeviceExtension);
  }

 private:
  explicit DeviceReference(DeviceExtension* extension) : extension_(extension) {}
  DeviceExtension* extension_;
};
inline void ReleaseDevice(PDEVICE_OBJECT object) { DeviceReference::ExtensionOf(object)->remove_lock.Release(); }

NTSTATUS StatusFromErrno(host::Error error, bool write);
/// Completes now.
NTSTATUS CompleteNow(PIRP irp, NTSTATUS status, ULONG_PTR information = 0);

/// IRP_MJ_DEVICE_CONTROL; completes the IRP.
NTSTATUS DeviceControl(Device& device, PIRP irp);

/// The output of a control request with METHOD_BUFFERED.
struct Control {
  Device& device;
  ULONG code;
  void* buffer;       // input, then output
  ULONG input_bytes;
  ULONG output_bytes;
  bool overrides_verify;  // SL_OVERRIDE_VERIFY_VOLUME
  ULONG_PTR information = 0;

  /// STATUS_BUFFER_TOO_SMALL unless a whole T fits.
  template <class T>
  NTSTATUS Return(const T& value) {
    if (output_bytes < sizeof(T)) return STATUS_BUFFER_TOO_SMALL;
    __builtin_memcpy(buffer, &value, sizeof(T));
    information = sizeof(T);
    return STATUS_SUCCESS;
  }
};
/// Each returns STATUS_INVALID_DEVICE_REQUEST for a code that is not its own.
NTSTATUS DiskControl(Control& control);      // IOCTL_DISK_*
NTSTATUS CdRomControl(Control& control);     // IOCTL_CDROM_*
NTSTATUS StorageControl(Control& control);   // IOCTL_STORAGE_*
NTSTATUS VolumeControl(Control& control);    // IOCTL_VOLUME_*, IOCTL_MOUNTDEV_*

/// IOCTL_*_CHECK_VERIFY: is the medium there and unchanged? Optionally returns how often it changed.
NTSTATUS CheckVerify(Control& control);

}  // namespace nt::disk
