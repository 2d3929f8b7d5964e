// The options that say what machine to boot, shared by every command that needs one.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "ntio/machine.h"

namespace cli {

/// Ends the command with a failure; caught in main, which prints it and exits with its code.
class CommandFailed {
 public:
  CommandFailed(std::string context, ntio::Failure failure) : context_(std::move(context)), failure_(std::move(failure)) {}
  const std::string& context() const { return context_; }
  const ntio::Failure& failure() const { return failure_; }

 private:
  std::string context_;
  ntio::Failure failure_;
};

/// The value of a Result, or CommandFailed with the context ("cat :/a.txt").
template <class T>
T Need(const std::string& context, ntio::Result<T> result) {
  if (!result.ok()) throw CommandFailed(context, result.failure());
  return result.take();
}
inline void Need(const std::string& context, ntio::Result<void> result) {
  if (!result.ok()) throw CommandFailed(context, result.failure());
}
/// CommandFailed when the request's status is a failure.
void Need(const std::string& context, const ntio::IoResult& result);

struct DiskArgument {
  std::string path;
  ntio::DiskOptions options;
};
/// IMAGE[,ro][,cdrom][,sector=4096][,max-transfer=64K][,partition=N][,engine=threads]
DiskArgument ParseDisk(const std::string& text);

class MachineArguments {
 public:
  /// Adds the options to a command.
  void AddTo(CLI::App& command, bool disk_required = true);
  /// Boots: registry files, filters, file systems, disks.
  std::unique_ptr<ntio::Machine> Boot() const;
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
