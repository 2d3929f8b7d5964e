// Adding and removing disks: the image, its partition, the device objects and their names.
#include <algorithm>
#include <cstring>

#include "src/base/check.h"
#include "src/disk/device.h"
#include "src/disk/state.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ob/ob.h"

namespace nt::disk {

struct DpcEntry {
  static VOID NTAPI Run(PKDPC, PVOID context, PVOID, PVOID) { static_cast<Disk*>(context)->RunDpc(); }
};

namespace {

UNICODE_STRING StringOf(const std::u16string& text) {
  UNICODE_STRING string;
  string.Buffer = const_cast<WCHAR*>(reinterpret_cast<const WCHAR*>(text.c_str()));
  string.Length = static_cast<USHORT>(text.size() * sizeof(char16_t));
  string.MaximumLength = static_cast<USHORT>(string.Length + sizeof(char16_t));
  return string;
}

std::u16string Widen(const std::string& text) { return std::u16string(text.begin(), text.end()); }
std::u16string Number(uint64_t number) { return Widen(std::to_string(number)); }

/// The registry form of a GUID; the first three fields are little-endian in memory.
std::u16string GuidText(const GuidBytes& id) {
  static constexpr int kOrder[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  static constexpr char16_t kDigits[] = u"0123456789abcdef";
  std::u16string text = u"{";
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += u'-';
    text += kDigits[id[kOrder[i]] >> 4];
    text += kDigits[id[kOrder[i]] & 15];
  }
  return text + u"}";
}

/// Reads while there is no device yet.
bool ReadNow(host::BlockFile& file, uint64_t offset, void* buffer, size_t bytes) {
  struct Waiter {
    std::atomic<uint32_t> done{0};
    bool whole = false;
    size_t wanted;
    static void Complete(void* context, host::Error error, size_t bytes) {
      auto* self = static_cast<Waiter*>(context);
      self->whole = error == 0 && bytes == self->wanted;
      self->done.store(1, std::memory_order_release);
      host::WakeAddress(&self->done, 1);
    }
  } waiter;
  waiter.wanted = bytes;
  file.ReadAsync(offset, buffer, bytes, Waiter::Complete, &waiter);
  while (waiter.done.load(std::memory_order_acquire) == 0) host::WaitOnAddress(&waiter.done, 0, host::kForever);
  return waiter.whole;
}

Status CheckOptions(const Options& options, std::string* why) {
  const uint32_t sector = options.sector_bytes;
  if (sector < 512 || sector > 4096 || (sector & (sector - 1)) != 0) {
    *why = "the sector size must be 512, 1024, 2048 or 4096, not " + std::to_string(sector);
    return STATUS_INVALID_PARAMETER;
  }
  if (options.cdrom && (sector != 2048 || options.partition.value_or(0) != 0)) {
    *why = "a CD-ROM has sectors of 2048 bytes and no partitions";
    return STATUS_INVALID_PARAMETER;
  }
  if (options.max_transfer_bytes % sector != 0) {
    *why = "max-transfer must be a multiple of the sector size";
    return STATUS_INVALID_PARAMETER;
  }
  if (options.queue_depth == 0) {
    *why = "the queue depth must not be 0";
    return STATUS_INVALID_PARAMETER;
  }
  return STATUS_SUCCESS;
}

/// *partition stays nullptr for the whole disk.
Status ChoosePartition(const Options& options, const PartitionTable& table, const Partition** partition,
                       std::string* why) {
  *partition = nullptr;
  if (options.partition == 0u) return STATUS_SUCCESS;
  if (!options.partition) {
    if (table.style == PartitionStyle::kNone) return STATUS_SUCCESS;
    if (table.partitions.size() == 1) {
      *partition = &table.partitions[0];
      return STATUS_SUCCESS;
    }
    *why = table.partitions.empty()
               ? options.path + ": its partition table is empty"
               : options.path + ": has several partitions, choose one with partition=N:\n" + Describe(table);
    return STATUS_UNRECOGNIZED_MEDIA;
  }
  *partition = table.Find(*options.partition);
  if (*partition) return STATUS_SUCCESS;
  *why = options.path + ": has no partition " + std::to_string(*options.partition) +
         (table.style == PartitionStyle::kNone ? ", it has no partition table" : "; there are:\n" + Describe(table));
  return STATUS_UNRECOGNIZED_MEDIA;
}

Disk* DiskOf(PDEVICE_OBJECT device) NT_REQUIRES(g_state->lock) {
  for (auto& disk : g_state->disks)
    if (disk->raw().object() == device || disk->volume().object() == device) return disk.get();
  return nullptr;
}

}  // namespace

ULONG Device::PartitionNumber() const {
  if (kind_ == DeviceKind::kDisk) return 0;
  return partition_ ? partition_->ordinal : 1;
}

void Device::SetInjector(FaultInjector injector) {
  LockGuard guard(injector_lock_);
  injector_ = injector ? std::make_shared<const FaultInjector>(std::move(injector)) : nullptr;
  injecting_.store(injector_ != nullptr, std::memory_order_relaxed);
}

NTSTATUS Device::InjectSlow(Operation operation, uint64_t offset, uint32_t bytes) {
  std::shared_ptr<const FaultInjector> injector;
  {
    LockGuard guard(injector_lock_);
    injector = injector_;
  }
  return injector ? (*injector)(operation, offset, bytes) : STATUS_SUCCESS;
}

Disk::Disk(const Options& options, std::unique_ptr<host::BlockFile> file, PartitionTable table)
    : options_(options),
      file_(std::move(file)),
      table_(std::move(table)),
      bytes_(file_->SizeBytes() / options.sector_bytes * options.sector_bytes) {
  InitializeListHead(&queue_);
  InitializeListHead(&done_);
}

Disk::~Disk() = default;

DISK_GEOMETRY Disk::Geometry() const {
  DISK_GEOMETRY geometry = {};
  geometry.MediaType = options_.removable ? RemovableMedia : FixedMedia;
  geometry.TracksPerCylinder = options_.cdrom ? 64 : 255;
  geometry.SectorsPerTrack = options_.cdrom ? 32 : 63;
  geometry.BytesPerSector = options_.sector_bytes;
  geometry.Cylinders.QuadPart = static_cast<LONGLONG>(bytes_ / options_.sector_bytes) /
                                (geometry.TracksPerCylinder * geometry.SectorsPerTrack);
  return geometry;
}

Status Disk::CreateDevice(PDRIVER_OBJECT driver, Device& device, std::u16string name) {
  device.name_ = std::move(name);
  UNICODE_STRING string = StringOf(device.name_);
  ULONG characteristics = FILE_DEVICE_SECURE_OPEN;
  if (options_.removable) characteristics |= FILE_REMOVABLE_MEDIA;
  if (options_.cdrom) characteristics |= FILE_READ_ONLY_DEVICE;
  if (device.name_.empty()) characteristics |= FILE_AUTOGENERATED_DEVICE_NAME;
  const DEVICE_TYPE type = options_.cdrom ? FILE_DEVICE_CD_ROM : FILE_DEVICE_DISK;
  PDEVICE_OBJECT object = nullptr;
  NT_TRY(io::CreateDevice(driver, sizeof(DeviceExtension), device.name_.empty() ? nullptr : &string, type, characteristics, false,
                          &object));
  auto* extension = new (object->DeviceExtension) DeviceExtension{};
  extension->device = &device;
  object->Flags |= DO_DIRECT_IO;
  object->AlignmentRequirement = options_.alignment_mask;
  object->SectorSize = static_cast<USHORT>(options_.sector_bytes);
  object->StackSize = 1;
  device.object_ = object;
  return STATUS_SUCCESS;
}

Status Disk::AddLink(std::u16string link, const std::u16string& target) {
  UNICODE_STRING link_string = StringOf(link), target_string = StringOf(target);
  NT_TRY(io::CreateSymbolicLink(&link_string, &target_string));
  links_.push_back(std::move(link));
  return STATUS_SUCCESS;
}

Status Disk::AssignDriveLetter() {
  if (options_.drive_letter) {
    drive_letter_ = *options_.drive_letter;
    if (drive_letter_ >= u'a' && drive_letter_ <= u'z') drive_letter_ = static_cast<char16_t>(drive_letter_ - u'a' + u'A');
    return AddLink(std::u16string(u"\\??\\") + drive_letter_ + u":", volume_->name());
  }
  for (char16_t letter = u'D'; letter <= u'Z'; letter++) {
    const Status status = AddLink(std::u16string(u"\\??\\") + letter + u":", volume_->name());
    if (status.ok()) drive_letter_ = letter;
    if (status != STATUS_OBJECT_NAME_COLLISION) return status;
  }
  return STATUS_SUCCESS;  // all taken: the volume goes without one
}

Status Disk::CreateDiskDevices(PDRIVER_OBJECT driver, ULONG disk_number, ULONG volume_number, const Partition* partition) {
  number_ = disk_number;
  raw_ = std::make_unique<Device>(*this, DeviceKind::kDisk, 0, bytes_);
  volume_ = std::make_unique<Device>(*this, DeviceKind::kVolume, partition ? partition->start : 0,
                                     partition ? partition->length : bytes_);
  if (partition) volume_->partition_ = table_.Find(partition->number);
  const std::u16string directory = u"\\Device\\Harddisk" + Number(disk_number);
  UNICODE_STRING directory_string = StringOf(directory);
  NT_TRY(ob::CreateDirectoryObject(&directory_string));
  NT_TRY(ob::ReferenceObjectByName(&directory_string, 0, nullptr, 0, ob::g_directory_type, KernelMode, nullptr,
                                   &directory_));
  NT_TRY(CreateDevice(driver, *raw_, directory + u"\\DR" + Number(disk_number)));
  NT_TRY(CreateDevice(driver, *volume_, u"\\Device\\HarddiskVolume" + Number(volume_number)));

  NT_TRY(AddLink(directory + u"\\Partition0", raw_->name()));
  NT_TRY(AddLink(directory + u"\\Partition" + Number(volume_->PartitionNumber()), volume_->name()));
  NT_TRY(AddLink(u"\\??\\PhysicalDrive" + Number(disk_number), raw_->name()));
  NT_TRY(AddLink(u"\\??\\HarddiskVolume" + Number(volume_number), volume_->name()));
  return STATUS_SUCCESS;
}

Status Disk::CreateDevices(PDRIVER_OBJECT driver, const DeviceNumbers& numbers, const Partition* partition) {
  if (partition && table_.style == PartitionStyle::kGpt) {
    volume_id_ = partition->gpt_id;
  } else {
    host::RandomBytes(std::as_writable_bytes(std::span(volume_id_)));
    volume_id_[7] = static_cast<uint8_t>((volume_id_[7] & 0x0f) | 0x40);  // a random GUID, version 4
    volume_id_[8] = static_cast<uint8_t>((volume_id_[8] & 0x3f) | 0x80);
  }
  if (options_.cdrom)
    NT_TRY(CreateCdRomDevices(driver, numbers.disk, Number(numbers.disk)));
  else
    NT_TRY(CreateDiskDevices(driver, numbers.disk, numbers.volume, partition));
  ke::InitializeDpc(&raw_->object_->Dpc, DpcEntry::Run, this);
  // A file system would otherwise find the same volume twice on a disk without partition table.
  raw_->object_->Vpb->Flags |= VPB_RAW_MOUNT;
  NT_TRY(AddLink(u"\\??\\Volume" + GuidText(volume_id_), volume_->name()));
  NT_TRY(AssignDriveLetter());
  raw_->object_->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
  volume_->object_->Flags &= ~static_cast<ULONG>(DO_DEVICE_INITIALIZING);
  return STATUS_SUCCESS;
}

void Disk::DeleteDevices() {
  for (auto link = links_.rbegin(); link != links_.rend(); ++link) {
    UNICODE_STRING string = StringOf(*link);
    io::DeleteSymbolicLink(&string).Ignore();  // we made it; a driver that has deleted it is welcome
  }
  links_.clear();
  for (Device* device : {volume_.get(), raw_.get()})
    if (device && device->object_) DeviceReference::ExtensionOf(device->object_)->remove_lock.CloseAndWait();
  // The DPC can be queued once more than there are requests.
  ke::FlushQueuedDpcs();
  for (Device* device : {volume_.get(), raw_.get()}) {
    if (!device || !device->object_) continue;
    DeviceReference::ExtensionOf(device->object_)->device = nullptr;
    io::DeleteDevice(std::exchange(device->object_, nullptr));
  }
  if (directory_) {
    ob::MakeTemporaryObject(directory_);
    ob::DereferenceObject(std::exchange(directory_, nullptr));
  }
}

Result<PDEVICE_OBJECT> AddDisk(const Options& wanted, std::string* why) {
  std::string unread;
  if (!why) why = &unread;
  why->clear();
  if (Status status = CheckOptions(wanted, why); !status.ok()) return status;
  Options options = wanted;
  if (options.cdrom) {
    options.read_only = options.removable = true;
    options.partition = 0;
  }

  std::unique_ptr<host::BlockFile> file;
  const auto access = options.read_only ? host::BlockAccess::kReadOnly : host::BlockAccess::kReadWrite;
  if (host::Error error = host::BlockFile::Open(options.path, access, options.engine, &file); error != 0) {
    *why = options.path + ": " + std::strerror(error);
    if (error == EBUSY) *why = options.path + ": another program, or another disk of this machine, uses the image";
    if ((error == EACCES || error == EROFS) && !options.read_only) *why += " (open it read-only?)";
    return StatusFromErrno(error, !options.read_only);
  }
  const uint64_t bytes = file->SizeBytes() / options.sector_bytes * options.sector_bytes;
  if (bytes == 0) {
    *why = options.path + ": is smaller than one sector";
    return STATUS_UNRECOGNIZED_MEDIA;
  }

  PartitionTable table;
  const Partition* partition = nullptr;
  std::string problem;
  Status read = STATUS_SUCCESS;
  if (!options.cdrom)  // an .iso for USB sticks has a table, which a CD-ROM drive does not read
    read = ReadPartitionTable(
        [&file](uint64_t offset, void* buffer, size_t count) { return ReadNow(*file, offset, buffer, count); }, bytes,
        options.sector_bytes, &table, &problem);
  if (!read.ok()) {
    *why = options.path + ": " + problem;
    // The whole disk can be had without its table.
    if (options.partition != 0u) return read;
    table = {};
  }
  if (table.from_backup) *why = options.path + ": the primary GPT is damaged; the backup is used";
  if (Status status = ChoosePartition(options, table, &partition, why); !status.ok()) return status;

  DeviceNumbers numbers;
  {
    LockGuard guard(g_state->lock);
    numbers.disk = options.cdrom ? g_state->next_cdrom++ : g_state->next_disk++;
    if (!options.cdrom) numbers.volume = g_state->next_volume++;
  }
  auto disk = std::make_unique<Disk>(options, std::move(file), table);
  if (Status status = disk->CreateDevices(g_state->driver, numbers, partition); !status.ok()) {
    *why = options.path + ": its device objects could not be made";
    disk->DeleteDevices();
    return status;
  }
  PDEVICE_OBJECT volume = disk->volume().object();
  LockGuard guard(g_state->lock);
  g_state->disks.push_back(std::move(disk));
  return volume;
}

Status RemoveDisk(PDEVICE_OBJECT device) {
  std::unique_ptr<Disk> disk;
  {
    LockGuard guard(g_state->lock);
    Disk* found = DiskOf(device);
    if (!found) return STATUS_INVALID_PARAMETER;
    auto place = std::find_if(g_state->disks.begin(), g_state->disks.end(),
                              [found](const auto& each) { return each.get() == found; });
    disk = std::move(*place);
    g_state->disks.erase(place);
  }
  disk->DeleteDevices();
  return STATUS_SUCCESS;
}

PDEVICE_OBJECT RawDeviceOf(PDEVICE_OBJECT volume) {
  DeviceReference device(volume);
  return device ? device->disk().raw().object() : nullptr;
}

PDEVICE_OBJECT FindVolume(const std::u16string& device_name) {
  std::vector<PDEVICE_OBJECT> volumes;
  {
    LockGuard guard(g_state->lock);
    for (auto& disk : g_state->disks) volumes.push_back(disk->volume().object());
  }
  for (PDEVICE_OBJECT volume : volumes)
    if (DeviceName(volume) == device_name) return volume;
  return nullptr;
}

std::u16string DeviceName(PDEVICE_OBJECT object) {
  DeviceReference device(object);
  return device ? device->name() : std::u16string();
}

char16_t DriveLetter(PDEVICE_OBJECT volume) {
  DeviceReference device(volume);
  return device ? device->disk().drive_letter() : u'\0';
}

std::string EngineName(PDEVICE_OBJECT object) {
  DeviceReference device(object);
  if (!device) return {};
  host::BlockFile& file = device->disk().file();
  return file.engine() == host::BlockEngine::kIoUring ? "io_uring" : "threads (" + file.why() + ")";
}

Status NotifyMediaChange(PDEVICE_OBJECT object) {
  DeviceReference device(object);
  if (!device) return STATUS_DEVICE_DOES_NOT_EXIST;
  if (!device->disk().options().removable) return STATUS_INVALID_DEVICE_REQUEST;
  device->disk().media_changes.fetch_add(1);
  for (Device* each : {&device->disk().volume(), &device->disk().raw()})
    if (each->object()->Vpb && (each->object()->Vpb->Flags & VPB_MOUNTED))
      reinterpret_cast<std::atomic<ULONG>&>(each->object()->Flags).fetch_or(DO_VERIFY_VOLUME);
  return STATUS_SUCCESS;
}

void SetFaultInjector(PDEVICE_OBJECT object, FaultInjector injector) {
  DeviceReference device(object);
  if (device) device->SetInjector(std::move(injector));
}

}  // namespace nt::disk
