// The options that say what machine to boot, shared by every command that needs one.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "front/cli/report.h"
#include "ntio/machine.h"

namespace cli {

struct DiskArgument {
  std::string path;                 // as given, without options
  std::string driver;               // a storage driver over the images; empty: the image itself
  std::vector<std::string> images;
  ntio::DiskOptions options;
  std::map<std::string, uint32_t> parameters;  // of the storage driver: options that begin with a capital
};
/// IMAGE[,ro][,cdrom][,sector=4096][,max-transfer=64K][,partition=N][,engine=threads]
DiskArgument ParseDisk(const std::string& text);

class MachineArguments {
 public:
  /// Adds the options to a command.
  void AddTo(CLI::App& command, bool disk_required = true);
  /// Boots: registry files, filters, file systems, disks.
  std::unique_ptr<ntio::Machine> Boot() const;
  /// Whether a file of the host is one of the disks: to copy it onto itself, or something over it, would destroy it.
  bool IsDisk(const std::string& host_path) const;
  /// Shuts down and prints --stats.
  void Finish(ntio::Machine& machine) const;

 private:
  std::vector<std::string> disks_;
  std::vector<std::string> file_systems_;
  std::vector<std::string> filters_;
  std::vector<std::string> registry_files_;
  std::vector<std::string> inf_files_;
  std::string stats_;
  unsigned processors_ = 4;
  unsigned entry_timeout_seconds_ = 30;
  bool lazy_imports_ = false;
  bool debug_output_ = false;
};

}  // namespace cli
