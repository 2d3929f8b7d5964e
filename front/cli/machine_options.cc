#include "front/cli/machine_options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <map>

#include "front/cli/interrupt.h"
#include "ntio/driver_info.h"

namespace cli {
namespace {

uint32_t ParseSize(const std::string& key, const std::string& text) {
  const auto refuse = [&](const char* why) { throw CLI::ValidationError("--disk", key + "=" + text + ": " + why); };
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) refuse("the number is too large");
  if (error != std::errc()) refuse("a number is wanted, such as 4096 or 64K");
  const std::string unit(rest, end);
  const int shift = unit.empty() ? 0 : unit == "K" || unit == "k" ? 10 : unit == "M" || unit == "m" ? 20 : -1;
  if (shift < 0) refuse("the unit is K or M");
  if (value > UINT32_MAX >> shift) refuse("the number is too large");
  return value << shift;
}

/// "mirror:a.img+b.img": a storage driver and the images under it. Not when there is a file of that name.
void ParseStorage(DiskArgument* disk) {
  disk->images = {disk->path};
  const size_t colon = disk->path.find(':');
  if (colon == std::string::npos || colon == 0 || std::filesystem::exists(disk->path)) return;
  const std::string driver = disk->path.substr(0, colon);
  if (ntio::FindDriver(driver).empty()) return;
  disk->driver = driver;
  disk->images.clear();
  for (size_t begin = colon + 1; begin < disk->path.size();) {
    const size_t end = std::min(disk->path.find('+', begin), disk->path.size());
    disk->images.push_back(disk->path.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

DiskArgument ParseDisk(const std::string& text) {
  DiskArgument disk;
  size_t begin = text.find(',');
  disk.path = text.substr(0, begin);
  ParseStorage(&disk);
  while (begin != std::string::npos) {
    const size_t end = text.find(',', begin + 1);
    const std::string option = text.substr(begin + 1, end == std::string::npos ? end : end - begin - 1);
    begin = end;
    const size_t equals = option.find('=');
    const std::string key = option.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    if (!disk.driver.empty() && !key.empty() && key[0] >= 'A' && key[0] <= 'Z') {
      disk.parameters[key] = static_cast<uint32_t>(ParseSize(key, value));
    } else if (key == "ro" && value.empty()) {
      disk.options.read_only = true;
    } else if (key == "cdrom" && value.empty()) {
      disk.options.cdrom = true;
    } else if (key == "sector") {
      const uint32_t bytes = ParseSize(key, value);
      if (bytes != 512 && bytes != 1024 && bytes != 2048 && bytes != 4096)
        throw CLI::ValidationError("--disk", "sector=" + value + ": a sector has 512, 1024, 2048 or 4096 bytes");
      disk.options.sector_bytes = bytes;
    } else if (key == "max-transfer") {
      disk.options.max_transfer_bytes = ParseSize(key, value);
    } else if (key == "partition") {
      disk.options.partition = ParseSize(key, value);
    } else if (key == "engine" && (value == "io_uring" || value == "threads")) {
      disk.options.engine = value == "threads" ? ntio::DiskEngine::kThreads : ntio::DiskEngine::kIoUring;
    } else {
      throw CLI::ValidationError("--disk",
                                 "\"" + option +
                                     "\" is not an option of a disk; these are: ro, cdrom, sector=512|1024|2048|4096, "
                                     "max-transfer=SIZE, partition=N, engine=io_uring|threads");
    }
  }
  const uint32_t default_sector = disk.options.cdrom ? 2048 : 512;
  const uint32_t sector = disk.options.sector_bytes ? disk.options.sector_bytes : default_sector;
  if (disk.options.max_transfer_bytes % sector != 0)
    throw CLI::ValidationError("--disk", "max-transfer is not a multiple of the sector size");
  if (disk.path.empty()) throw CLI::ValidationError("--disk", "the image's name is missing");
  return disk;
}

void MachineArguments::AddTo(CLI::App& command, bool disk_required) {
  auto* disk = command.add_option(
      "--disk", disks_,
      "Disk image: IMAGE[,ro][,cdrom][,sector=4096][,max-transfer=64K][,partition=N]; or a storage driver over images: "
      "split:IMAGE, mirror:IMAGE+IMAGE, ramdisk:IMAGE[,Value=N]; paths that begin with ':' are on the first disk");
  disk->type_name("IMAGE")->allow_extra_args(false);
  if (disk_required) disk->required();
  command.add_option("--fs", file_systems_, "File-system driver: a shipped one by name, or a path (default: fat)")
      ->type_name("DRIVER")
      ->allow_extra_args(false);
  command.add_option("--filter", filters_, "Legacy filter driver, loaded before the volume is mounted")
      ->type_name("DRIVER")
      ->allow_extra_args(false);
  command.add_option("--inf", inf_files_, "Install a driver's .inf into the registry")->allow_extra_args(false);
  command.add_option("--reg", registry_files_, "Merge a .reg file into the registry")->allow_extra_args(false);
  // A flag that takes a value only behind "=", so that a path may follow it.
  command.add_flag("--stats{text}", stats_, "Print what the requests did, when done: --stats or --stats=json")
      ->check(CLI::IsMember({"text", "json"}));
  command.add_option("--processors", processors_, "Virtual processors")->check(CLI::Range(1u, 64u));
  command.add_option("--entry-timeout", entry_timeout_seconds_,
                     "Seconds after which a DriverEntry that does not return is a bug check; 0: never");
  command.add_flag("--lazy-imports", lazy_imports_,
                   "Load a driver whose imports are missing; a call to one is a bug check");
  command.add_flag("--debug-output", debug_output_, "Print the drivers' debug output (DbgPrint)");
}

std::unique_ptr<ntio::Machine> MachineArguments::Boot() const {
  std::vector<DiskArgument> disks;
  for (const auto& text : disks_) disks.push_back(ParseDisk(text));

  ntio::MachineOptions options;
  options.processors = processors_;
  options.statistics = !stats_.empty();
  options.print_driver_output = debug_output_;
  auto machine = std::make_unique<ntio::Machine>(options);
  Need("boot", machine->booted());
  for (const auto& file : registry_files_) Need(file, machine->LoadRegistryFile(file));
  for (const auto& file : inf_files_) Need(file, machine->LoadInfFile(file));
  ntio::LoadOptions load;
  load.lazy_imports = lazy_imports_;
  load.entry_timeout_seconds = entry_timeout_seconds_;
  // The same filter again is another instance of it: its service is called NAME-2, NAME-3.
  std::map<std::string, int> instances;
  for (const auto& driver : filters_) {
    ntio::LoadOptions filter = load;
    if (const int instance = ++instances[driver]; instance > 1)
      filter.service = std::filesystem::path(driver).stem().string() + "-" + std::to_string(instance);
    Need(driver, machine->Load(driver, filter));
  }
  const std::vector<std::string> standard{"fat"};
  for (const auto& driver : file_systems_.empty() ? standard : file_systems_) Need(driver, machine->Load(driver, load));
  for (const auto& disk : disks) {
    ntio::StorageOptions storage;
    for (const auto& image : disk.images) storage.disks.push_back(Need(image, machine->AddDisk(image, disk.options)));
    storage.parameters = disk.parameters;
    if (!disk.driver.empty()) Need(disk.path, machine->AddStorage(disk.driver, storage));
  }
  return machine;
}

bool MachineArguments::IsDisk(const std::string& host_path) const {
  for (const auto& text : disks_) {
    std::error_code error;
    for (const auto& image : ParseDisk(text).images)
      if (std::filesystem::equivalent(image, host_path, error)) return true;
  }
  return false;
}

void MachineArguments::Finish(ntio::Machine& machine) const {
  Need("shutdown", machine.Shutdown());  // first: the last writes count
  const ntio::Stats stats = machine.Statistics();
  if (stats_ == "json")
    std::printf("%s\n", stats.Json().c_str());
  else if (!stats_.empty())
    std::printf("%s", stats.Text().c_str());
  std::fflush(stdout);
  CheckInterrupt();
}

}  // namespace cli
