#include <memory>

#include "front/cli/commands.h"
#include "front/cli/interrupt.h"
#include "front/cli/machine_options.h"
#include "front/cli/names.h"
#include "front/cli/volume.h"

namespace cli {
namespace {

constexpr uint32_t kReadOnly = 0x1, kNormal = 0x80;  // FILE_ATTRIBUTE_*

struct Arguments {
  MachineArguments machine;
  std::vector<std::string> paths;
  bool recursive = false, force = false;
};

void Remove(ntio::Machine& machine, const Arguments& arguments, const std::u16string& path) {
  CheckInterrupt();
  const std::string context = "rm " + Show(path);
  const auto info = arguments.force ? Find(machine, path) : Query(machine, context, path);
  if (!info) return;
  if (info->directory()) {
    if (!arguments.recursive) throw CommandFailed(context, "is a directory; -r removes it with all below it");
    for (const auto& entry : ListDirectory(machine, path))
      Serve([&] { Remove(machine, arguments, Join(path, entry.name)); });
  }
  if (arguments.force && info->attributes & kReadOnly) {
    auto file = Need(context, machine.Open(path, ForSettingAttributes()));
    const uint32_t rest = info->attributes & ~kReadOnly;
    Need(context, file.SetBasic(0, 0, 0, rest ? rest : kNormal));
  }
  auto file = Need(context, machine.Open(path, ForDeleting()));
  Need(context, file.SetDelete(true));
}

void Run(const Arguments& arguments) {
  std::vector<Path> paths;
  for (const auto& text : arguments.paths) {
    paths.push_back(ParsePath(text));
    if (!paths.back().on_volume) throw CLI::ValidationError(text, "rm works on the volume; write :/ before the name");
    if (paths.back().nt == u"\\") throw CLI::ValidationError(text, "the root directory cannot be removed");
  }
  auto machine = arguments.machine.Boot();
  for (const auto& path : Expand(*machine, paths)) Serve([&] { Remove(*machine, arguments, path.nt); });
  arguments.machine.Finish(*machine);
}

}  // namespace

void AddRm(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("rm", "Remove files and directories");
  arguments->machine.AddTo(*command);
  command->add_option("PATHS", arguments->paths, "On the volume")->required();
  command->add_flag("-r,--recursive", arguments->recursive, "Directories with all below them");
  command->add_flag("-f,--force", arguments->force, "No error for what does not exist; read-only files go, too");
  command->callback([arguments] { Run(*arguments); });
}

}  // namespace cli
