#include <cstdio>
#include <memory>

#include "front/cli/commands.h"
#include "front/cli/machine_options.h"
#include "front/cli/names.h"
#include "front/cli/volume.h"

namespace cli {
namespace {

struct Arguments {
  MachineArguments machine;
  std::vector<std::string> paths;
};

void Print(const Path& path, const ntio::FileInfo& info) {
  std::printf("  Path: %s\n", Show(path.nt).c_str());
  std::printf("  Size: %llu   Allocation: %llu   Attributes: 0x%08x %s   Links: %u   File ID: 0x%llx\n",
              static_cast<unsigned long long>(info.size), static_cast<unsigned long long>(info.allocation),
              info.attributes, ShowAttributes(info.attributes).c_str(), info.links,
              static_cast<unsigned long long>(info.file_id));
  std::printf("Create: %s\nAccess: %s\n Write: %s\nChange: %s\n", ShowTime(info.creation_time).c_str(),
              ShowTime(info.last_access_time).c_str(), ShowTime(info.last_write_time).c_str(),
              ShowTime(info.change_time).c_str());
}

void Run(const Arguments& arguments) {
  std::vector<Path> paths;
  for (const auto& text : arguments.paths) {
    paths.push_back(ParsePath(text));
    if (!paths.back().on_volume) throw CLI::ValidationError(text, "stat looks at the volume; write :/ before the name");
  }
  auto machine = arguments.machine.Boot();
  for (const auto& path : Expand(*machine, paths))
    Serve([&] { Print(path, Query(*machine, "stat " + path.text, path.nt)); });
  arguments.machine.Finish(*machine);
}

}  // namespace

void AddStat(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("stat", "Show what the file system keeps about files");
  arguments->machine.AddTo(*command);
  command->add_option("PATHS", arguments->paths, "On the volume")->required();
  command->callback([arguments] { Run(*arguments); });
}

}  // namespace cli
