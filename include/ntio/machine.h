// Machine: one Windows NT I/O system in this process.
//
//   ntio::Machine machine;
//   machine.AddDisk("volume.img");
//   machine.Load("fat");                                   // a shipped driver by its name, or a path to a .sys
//   machine.Load("mine.sys", {.altitude = "370030"});      // its service key gets an instance at that altitude
//   auto file = machine.Volume(0).Open(u"\\a.txt");         // machine.Open is short for the first disk's volume
//   auto result = file->Read(0, buffer);                   // result.status, result.information, result.path
//
// Life: booted by the constructor in milliseconds, shut down by Shutdown or the destructor: files are closed, volumes flushed
// and dismounted, drivers unloaded. One live machine a process, as many one after the other as a test likes. After a bug check
// every call fails with kBugCheck, the machine is leaked and the process refuses another boot: use `ntio run` or a child
// process where a driver may crash.
//
// Threads: every method may be called from any thread; requests run on the calling thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ntio/file.h"
#include "ntio/result.h"
#include "ntio/stats.h"

namespace ntio {

struct MachineOptions {
  unsigned processors = 4;        // virtual processors: threads that can be at DISPATCH_LEVEL at once
  size_t kernel_stack_bytes = 0;  // accounted from service entry; 0: 24 KiB, more in unoptimised and sanitizer builds
  bool statistics = false;        // count requests (Stats)
  bool print_driver_output = false;  // DbgPrint to standard error
  bool print_bug_check = true;       // the report of a bug check to standard error
  uint64_t cache_bytes = 0;          // limit of the page cache; 0: half of the host's memory, at most 16 GiB
};

enum class DiskEngine { kBest, kIoUring, kThreads };

struct DiskOptions {
  bool read_only = false;
  bool cdrom = false;                 // a CD-ROM drive with the image in it: read-only, file systems for CD-ROMs mount
  uint32_t sector_bytes = 0;          // 512, 1024, 2048 or 4096; 0: 2048 for a CD-ROM, else 512
  uint32_t max_transfer_bytes = 0;    // larger transfers are split; 0: 1 MiB
  /// 0: the whole disk; N: as fdisk numbers it. kAnyPartition: the whole disk when it has no partition table, its partition
  /// when it has one, otherwise an error that lists them.
  static constexpr uint32_t kAnyPartition = ~0u;
  uint32_t partition = kAnyPartition;
  DiskEngine engine = DiskEngine::kBest;
};

/// A storage driver over disks of the machine: ramdisk, split, mirror, or one of your own.
struct StorageOptions {
  std::vector<int> disks;                        // by number; the driver finds their device names in the value "Disks"
  std::map<std::string, uint32_t> parameters;    // further REG_DWORD values of its Parameters key
};

struct LoadOptions {
  /// A minifilter's: its default instance, as its .inf would write it to the service key. Empty: the registry as it is.
  std::string altitude = {};
  bool lazy_imports = false;  // bind missing imports to a bug check that names them instead of refusing the driver
  unsigned entry_timeout_seconds = 30;
  std::string service = {};           // of the driver object and its registry key; empty: the file's name. One image can be
                                      // loaded several times under different names
};

class Machine;

/// The volume on a disk. As light as a pointer; the machine must outlive it.
class Volume {
 public:
  /// "\\Device\\HarddiskVolume1"; empty when there is no such disk.
  std::u16string Device() const;
  /// Opens `path` ("\\dir\\name"); the first open mounts the volume. "" opens the volume itself.
  Result<File> Open(const std::u16string& path, const OpenOptions& options = {}) const;
  /// Locks, dismounts and unlocks: everything is written, the next open mounts again.
  Result<void> Dismount() const;

 private:
  friend class Machine;
  Volume(Machine* machine, int disk) : machine_(machine), disk_(disk) {}
  Machine* machine_;
  int disk_;
};

class Machine {
 public:
  explicit Machine(const MachineOptions& options = {});
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Fails when the boot failed; the failure says why.
  const Result<void>& booted() const { return booted_; }
  /// Idempotent. Fails with the first thing that could not be written.
  Result<void> Shutdown();

  /// @returns the disk's number, from 0
  Result<int> AddDisk(const std::string& path, const DiskOptions& options = {});
  Result<void> Load(const std::string& driver, const LoadOptions& options = {});
  /// Loads a driver that makes a disk (a named device of type FILE_DEVICE_DISK) or attaches to one.
  /// @returns the number of the result: that of the first disk under it, whose place it takes, or else a new one
  Result<int> AddStorage(const std::string& driver, const StorageOptions& options = {});
  /// Registry content for drivers, before they load.
  Result<void> LoadRegistryFile(const std::string& path);
  Result<void> LoadInfFile(const std::string& path);

  /// By the number that AddDisk gave.
  ntio::Volume Volume(int disk) { return {this, disk}; }
  /// The NT name of a disk's volume device, "\\Device\\HarddiskVolume1".
  std::u16string VolumeDevice(int disk = 0) const;
  /// Opens `path` ("\\dir\\name") on a disk's volume; the first open mounts it. "" opens the volume itself.
  Result<File> Open(const std::u16string& path, const OpenOptions& options = {}, int disk = 0);
  /// Opens any NT path.
  Result<File> OpenNt(const std::u16string& nt_path, const OpenOptions& options = {});
  /// Locks, dismounts and unlocks the volume: everything is written, the next open mounts again.
  Result<void> Dismount(int disk = 0);

  Result<Buffer> AllocateBuffer(size_t bytes);
  Stats Statistics() const;
  /// Device stacks as text: disks, volumes, file systems, filters.
  Result<std::string> DeviceTree();

 private:
  friend class File;
  friend class Buffer;
  friend class ServerFile;
  friend class MdlTransfer;
  struct State;
  Result<void> booted_;
  std::unique_ptr<State> state_;
};

}  // namespace ntio
