#include <cstdio>
#include <memory>

#include "front/cli/commands.h"
#include "front/cli/interrupt.h"
#include "front/cli/machine_options.h"
#include "front/cli/names.h"
#include "front/cli/volume.h"

namespace cli {
namespace {

struct Arguments {
  MachineArguments machine;
  std::vector<std::string> paths;
  bool details = false, recursive = false;
};

void Print(const std::string& name, const ntio::FileInfo& info, bool details) {
  if (details)
    std::printf("%s %12llu  %s  %s\n", ShowAttributes(info.attributes).c_str(),
                static_cast<unsigned long long>(info.size), ShowTime(info.last_write_time).c_str(), name.c_str());
  else
    std::printf("%s%s\n", name.c_str(), info.directory() ? "/" : "");
}

void List(ntio::Machine& machine, const Arguments& arguments, const std::u16string& directory, bool heading) {
  const auto entries = ListDirectory(machine, directory);
  if (heading) std::printf("%s:\n", Show(directory).c_str());
  for (const auto& entry : entries) Print(ToUtf8(entry.name), entry.info, arguments.details);
  CheckInterrupt();
  if (!arguments.recursive) return;
  for (const auto& entry : entries) {
    if (!entry.info.directory()) continue;
    std::printf("\n");
    Serve([&] { List(machine, arguments, Join(directory, entry.name), true); });
  }
}

void Run(const Arguments& arguments) {
  std::vector<Path> paths;
  for (const auto& text : arguments.paths) {
    paths.push_back(ParsePath(text));
    if (!paths.back().on_volume) throw CLI::ValidationError(text, "ls lists the volume; write :/ for its root");
  }
  if (paths.empty()) paths.push_back(ParsePath(":/"));
  auto machine = arguments.machine.Boot();
  const auto listed = Expand(*machine, paths);
  for (const auto& path : listed) {
    Serve([&] {
      const auto info = Query(*machine, "ls " + path.text, path.nt);
      if (info.directory())
        List(*machine, arguments, path.nt, listed.size() > 1 || arguments.recursive);
      else
        Print(ToUtf8(BaseName(path.nt)), info, arguments.details);
    });
  }
  arguments.machine.Finish(*machine);
}

}  // namespace

void AddLs(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("ls", "List directories of the volume");
  arguments->machine.AddTo(*command);
  command->add_option("PATHS", arguments->paths, "On the volume (default :/)");
  command->add_flag("-l", arguments->details, "Attributes, size, time of last write (UTC)");
  command->add_flag("-R,--recursive", arguments->recursive, "Directories below, too");
  command->callback([arguments] { Run(*arguments); });
}

}  // namespace cli
