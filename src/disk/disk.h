// The disk: the lowest driver of every storage stack. It serves a disk image or a block device of the host through
// host::BlockFile, as a Windows disk driver, partition manager and volume manager together would.
//
// A CD-ROM drive is \Device\CdRom<n>, linked as \??\CdRom<n>; cdrom.cc.
// A disk has two device objects of the driver \Driver\Disk:
//   \Device\Harddisk<n>\DR<n>    the whole disk; only the raw file system may mount on it (VPB_RAW_MOUNT)
//   \Device\HarddiskVolume<m>    one partition, or the whole image: what file systems mount on
// and the links that Windows has: \Device\Harddisk<n>\Partition0 and Partition<k>, \??\PhysicalDrive<n>,
// \??\HarddiskVolume<m>, \??\Volume{guid}, \??\<letter>:.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ntifs.h"
#include "src/base/status.h"
#include "src/host/host.h"

namespace nt::disk {

struct Options {
  std::string path;
  bool read_only = false;
  bool cdrom = false;                // a CD-ROM drive: read-only, removable, no partitions; sectors of 2048 bytes
  bool removable = false;            // FILE_REMOVABLE_MEDIA: file systems verify the volume when the media change
  uint32_t sector_bytes = 512;       // 512, 1024, 2048 or 4096
  uint32_t max_transfer_bytes = 0;   // longer transfers are split; a multiple of the sector size; 0: no limit
  uint32_t queue_depth = 64;         // pieces at the host at a time; further requests wait, and can be cancelled
  uint32_t alignment_mask = FILE_WORD_ALIGNMENT;
  /// As fdisk numbers them (logical partitions from 5). 0: the whole disk. None: the whole disk when it has no partition
  /// table, its partition when it has one partition, otherwise an error that lists them.
  std::optional<unsigned> partition;
  std::optional<char16_t> drive_letter;  // none: the first that is free from D: on
  host::BlockEngine engine = host::BlockEngine::kBest;
};

/// Creates the driver object.
Status Boot();
/// Removes all disks and the driver object. No volume may be mounted.
void Shutdown();

/// @param why  when not null: on failure a sentence for the user, on success empty or a warning
/// @returns the volume's device object, to mount on; it lives until RemoveDisk
/// @irql PASSIVE_LEVEL
Result<PDEVICE_OBJECT> AddDisk(const Options& options, std::string* why = nullptr);

/// Refuses new requests (STATUS_DEVICE_DOES_NOT_EXIST), waits for those under way, then deletes both devices and closes the
/// image. @param device  either device of the disk. @irql PASSIVE_LEVEL
Status RemoveDisk(PDEVICE_OBJECT device);

/// The device of the whole disk that a volume lies on.
PDEVICE_OBJECT RawDeviceOf(PDEVICE_OBJECT volume);
/// "\\Device\\HarddiskVolume1"
std::u16string DeviceName(PDEVICE_OBJECT device);
/// The volume device of that name, or nullptr.
PDEVICE_OBJECT FindVolume(const std::u16string& device_name);
/// 'D' for \??\D:
char16_t DriveLetter(PDEVICE_OBJECT volume);
/// What serves the image, for reports: "io_uring", or "threads (io_uring_setup: Operation not permitted)".
std::string EngineName(PDEVICE_OBJECT device);

/// As if the medium were taken out and put back: counts a change and asks mounted file systems to verify their volume.
/// STATUS_INVALID_DEVICE_REQUEST for a disk that is not removable.
Status NotifyMediaChange(PDEVICE_OBJECT device);

// --- fault injection -----------------------------------------------------------------------------------------------------

enum class Operation { kRead, kWrite, kFlush };

/// Called before each piece goes to the host, on any thread, at up to DISPATCH_LEVEL; must not block. Anything but
/// STATUS_SUCCESS ends the piece, and with it the request, with that status.
/// @param offset  bytes from the start of `device`; 0 for a flush
using FaultInjector = std::function<NTSTATUS(Operation operation, uint64_t offset, uint32_t bytes)>;

/// Costs one load per piece while none is set. An empty function removes it.
void SetFaultInjector(PDEVICE_OBJECT device, FaultInjector injector);

}  // namespace nt::disk
