// Machine: boot, disks, drivers, opening, shutdown.
#include "ntio/machine.h"

#include <cstdio>

#include "ntio/driver_info.h"
#include "src/api/state.h"
#include "src/cm/cm.h"
#include "src/disk/disk.h"
#include "src/host/host.h"
#include "src/io/io.h"
#include "src/kd/kd.h"
#include "src/ke/bug_check.h"
#include "src/machine/machine.h"
#include "src/ob/ob.h"

namespace ntio {

using nt::Status;

std::string DescribeStatus(int32_t status) {
  char number[24];
  std::snprintf(number, sizeof number, "0x%08X", static_cast<unsigned>(status));
  const char* name = nt::StatusName(status);
  return name ? std::string(name) + " (" + number + ")" : std::string(number);
}

Failure BugChecked() {
  const auto* report = nt::ke::CurrentBugCheck();
  return {FailureKind::kBugCheck, 0,
          "the machine has stopped (bug check): " + (report ? report->message + " " + report->name : std::string())};
}

Failure Request(NTSTATUS status, std::string message) { return {FailureKind::kRequest, status, std::move(message)}; }

void SetResult(IoResult* result, NTSTATUS status, const IO_STATUS_BLOCK& iosb) {
  result->status = status;
  result->information = NT_ERROR(status) ? 0 : iosb.Information;
  result->path = nt::io::LastRequestWasFastIo() ? IoPath::kFastIo : IoPath::kIrp;
}

bool PutName(ServiceBlock& block, const std::u16string& name) {
  const size_t bytes = name.size() * sizeof(char16_t);
  if (bytes > UNICODE_STRING_MAX_BYTES) return false;
  std::memcpy(block.data, name.data(), bytes);
  block.name.Buffer = reinterpret_cast<WCHAR*>(block.data);
  block.name.Length = block.name.MaximumLength = static_cast<USHORT>(bytes);
  return true;
}

Machine::Machine(const MachineOptions& options) : state_(std::make_unique<State>()) {
  state_->options = options;
  nt::machine::BootOptions boot;
  boot.ke.processors = options.processors;
  boot.ke.kernel_stack_bytes = options.kernel_stack_bytes;
  boot.cache_bytes = options.cache_bytes;
  nt::ke::SetBugCheckPrinting(options.print_bug_check);
  nt::kd::SetPrinting(options.print_driver_output);
  if (Status status = nt::machine::Boot(boot); !status.ok()) {
    booted_ = status == STATUS_DEVICE_BUSY
                  ? Failure{FailureKind::kUsage, status, "another machine is live in this process; shut it down first"}
                  : Failure{FailureKind::kBugCheck, status,
                            "a machine has bug-checked in this process; boot the next one in a new process"};
    return;
  }
  state_->live = true;
  nt::io::ResetStatistics();
  nt::io::EnableStatistics(options.statistics);
  Status status = STATUS_SUCCESS;
  if (!state_->Kernel([&] { status = nt::ps::CreateProcess(u"ntio", nullptr, &state_->process); })) booted_ = BugChecked();
  else if (!status.ok()) booted_ = Request(status, "the requesting process cannot be created");
}

Machine::~Machine() { static_cast<void>(Shutdown().ok()); }

Result<void> Machine::Shutdown() {
  auto& state = *state_;
  if (!std::exchange(state.live, false)) return {};
  Status flushed = STATUS_SUCCESS;
  const bool alive = state.Kernel([&] {
    state.blocks->Close();
    if (state.process) {
      nt::ps::TerminateProcess(state.process, STATUS_SUCCESS);
      nt::ob::DereferenceObject(std::exchange(state.process, nullptr));
    }
    // Volumes first: a file system that was told of the shutdown refuses the writes that a dismount makes (TOO_LATE).
    flushed = nt::io::DismountAllVolumes();
    nt::io::NotifyShutdown();
  });
  if (!alive || !nt::ke::CallIntoMachine([] { nt::machine::Shutdown(); })) return BugChecked();
  if (!flushed.ok()) return Request(flushed, "not everything could be written to the disk");
  return {};
}

Result<int> Machine::AddDisk(const std::string& path, const DiskOptions& options) {
  nt::disk::Options disk;
  disk.path = path;
  disk.read_only = options.read_only;
  disk.cdrom = options.cdrom;
  disk.sector_bytes = options.sector_bytes ? options.sector_bytes : options.cdrom ? 2048 : 512;
  disk.max_transfer_bytes = options.max_transfer_bytes;
  if (options.partition != DiskOptions::kAnyPartition) disk.partition = options.partition;
  disk.engine = options.engine == DiskEngine::kIoUring   ? host::BlockEngine::kIoUring
                : options.engine == DiskEngine::kThreads ? host::BlockEngine::kThreads
                                                         : host::BlockEngine::kBest;
  std::string why;
  PDEVICE_OBJECT device = nullptr;
  Status status = STATUS_SUCCESS;
  const bool alive = state_->Kernel([&] {
    auto added = nt::disk::AddDisk(disk, &why);
    if (added.ok()) device = added.value();
    else status = added.status();
  });
  if (!alive) return BugChecked();
  if (!device) return Failure{FailureKind::kRequest, status, why};
  state_->disks.push_back(device);
  return static_cast<int>(state_->disks.size()) - 1;
}

namespace {

/// What a minifilter's .inf adds to its service key: one instance, the default.
Status WriteInstance(const std::string& driver_path, const std::string& altitude) {
  std::string name = driver_path.substr(driver_path.find_last_of('/') + 1);
  if (name.ends_with(".sys")) name.resize(name.size() - 4);
  const std::u16string service(name.begin(), name.end());
  const std::u16string instances = std::u16string(nt::cm::kServicesPath) + u"\\" + service + u"\\Instances";
  const std::u16string instance = service + u" Instance", key = instances + u"\\" + instance;
  NT_TRY(nt::cm::SetString(instances, u"DefaultInstance", instance));
  NT_TRY(nt::cm::SetString(key, u"Altitude", std::u16string(altitude.begin(), altitude.end())));
  return nt::cm::SetDword(key, u"Flags", 0);
}

}  // namespace

Result<void> Machine::Load(const std::string& driver, const LoadOptions& options) {
  nt::io::DriverOptions load;
  load.path = FindDriver(driver);
  if (load.path.empty())
    return Failure{FailureKind::kDriverLoad, 0,
                   "there is no driver \"" + driver + "\": give the path of a .sys file, or the name of a shipped driver"};
  load.lazy_imports = options.lazy_imports;
  load.entry_timeout_seconds = options.entry_timeout_seconds;
  load.service.assign(options.service.begin(), options.service.end());
  std::string why;
  DRIVER_OBJECT* object = nullptr;
  Status status = STATUS_SUCCESS;
  const bool alive = state_->Kernel([&] {
    if (!options.altitude.empty()) status = WriteInstance(load.path, options.altitude);
    if (!status.ok()) return;
    auto loaded = nt::io::LoadDriver(load, &why);
    if (loaded.ok()) object = loaded.value();
    else status = loaded.status();
  });
  if (!alive) return BugChecked();
  if (!object) return Failure{FailureKind::kDriverLoad, status, why};
  state_->drivers.push_back(object);
  return {};
}

namespace {

template <class F>
Result<void> LoadText(Machine& machine, const std::string& path, F&& load) {
  std::vector<std::byte> bytes;
  if (const int error = host::ReadFile(path, &bytes))
    return Failure{FailureKind::kUsage, 0, path + ": " + std::strerror(error)};
  static_cast<void>(machine);
  return load(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

std::u16string Machine::VolumeDevice(int disk) const {
  if (!state_->live || disk < 0 || static_cast<size_t>(disk) >= state_->disks.size()) return {};
  std::u16string name;
  state_->Kernel([&] { name = nt::ob::NameOf(state_->disks[disk]); });
  return name;
}

Result<File> Machine::Open(const std::u16string& path, const OpenOptions& options, int disk) {
  const std::u16string device = VolumeDevice(disk);
  if (device.empty()) return Failure{FailureKind::kUsage, 0, "there is no disk " + std::to_string(disk)};
  return OpenNt(device + path, options);
}

Result<File> Machine::OpenNt(const std::u16string& nt_path, const OpenOptions& options) {
  Status status = STATUS_SUCCESS;
  HANDLE handle = nullptr;
  const bool alive = state_->Service([&](ServiceBlock& block) {
    if (!PutName(block, nt_path)) {
      status = STATUS_OBJECT_NAME_INVALID;
      return;
    }
    InitializeObjectAttributes(&block.attributes, &block.name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
    block.allocation.QuadPart = static_cast<LONGLONG>(options.allocation_bytes);
    status = nt::io::NtCreateFile(&block.handle, options.access, &block.attributes, &block.iosb,
                                  options.allocation_bytes ? &block.allocation : nullptr, options.attributes, options.share,
                                  options.disposition, options.options, nullptr, 0);
    handle = block.handle;
  });
  if (!alive) return BugChecked();
  if (!status.ok()) return Request(status);
  return File(this, handle);
}

std::u16string Volume::Device() const { return machine_->VolumeDevice(disk_); }
Result<File> Volume::Open(const std::u16string& path, const OpenOptions& options) const {
  return machine_->Open(path, options, disk_);
}
Result<void> Volume::Dismount() const { return machine_->Dismount(disk_); }

Result<void> Machine::Dismount(int disk) {
  OpenOptions options;
  options.access = FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE;
  auto volume = Open(u"", options, disk);
  if (!volume.ok()) return volume.failure();
  for (const ULONG code : {FSCTL_LOCK_VOLUME, FSCTL_DISMOUNT_VOLUME, FSCTL_UNLOCK_VOLUME}) {
    const auto result = volume->FsControl(code, {}, {});
    if (result.stopped) return BugChecked();
    if (!result.ok()) return Request(result.status, "the volume cannot be locked and dismounted: are files open?");
  }
  return {};
}

Result<Buffer> Machine::AllocateBuffer(size_t bytes) {
  Buffer buffer;
  if (!state_->Kernel([&] { buffer.data_ = static_cast<std::byte*>(nt::mm::UserArena::Allocate(bytes)); }))
    return BugChecked();
  if (!buffer.data_) return Request(STATUS_NO_MEMORY);
  buffer.bytes_ = bytes;
  return buffer;
}

Result<std::string> Machine::DeviceTree() {
  std::string text;
  if (!state_->Kernel([&] { text = nt::io::DescribeDeviceTree(); })) return BugChecked();
  return text;
}

Result<void> Machine::LoadRegistryFile(const std::string& path) {
  return LoadText(*this, path, [&](std::string_view text) -> Result<void> {
    std::string why;
    Status status = STATUS_SUCCESS;
    if (!state_->Kernel([&] { status = nt::cm::LoadRegFile(text, &why); })) return BugChecked();
    if (!status.ok()) return Failure{FailureKind::kUsage, status, why};
    return {};
  });
}

Result<void> Machine::LoadInfFile(const std::string& path) {
  return LoadText(*this, path, [&](std::string_view text) -> Result<void> {
    std::string why;
    Status status = STATUS_SUCCESS;
    if (!state_->Kernel([&] { status = nt::cm::LoadInf(text, &why); })) return BugChecked();
    if (!status.ok()) return Failure{FailureKind::kUsage, status, why};
    return {};
  });
}

// --- Buffer ----------------------------------------------------------------------------------------------------------------

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Buffer::~Buffer() {
  // Memory of a machine that is gone went with it.
  if (data_ && nt::machine::IsBooted() && !nt::ke::HasBugChecked()) nt::mm::UserArena::Free(data_, bytes_);
}

}  // namespace ntio
