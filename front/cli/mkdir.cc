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
  bool parents = false;
};

void MakeWithParents(ntio::Machine& machine, const std::string& context, const std::u16string& path) {
  if (path == u"\\") return;
  if (const auto found = Find(machine, path); found && found->directory()) return;
  MakeWithParents(machine, context, ParentOf(path));
  Need(context, machine.Open(path, ForDirectoryCreation()));
}

void Run(const Arguments& arguments) {
  std::vector<Path> paths;
  for (const auto& text : arguments.paths) {
    paths.push_back(ParsePath(text));
    if (!paths.back().on_volume)
      throw CLI::ValidationError(text, "mkdir works on the volume; write :/ before the name");
  }
  auto machine = arguments.machine.Boot();
  for (const auto& path : paths) {
    const std::string context = "mkdir " + path.text;
    Serve([&] {
      if (arguments.parents)
        MakeWithParents(*machine, context, path.nt);
      else
        Need(context, machine->Open(path.nt, ForDirectoryCreation()));
    });
  }
  arguments.machine.Finish(*machine);
}

}  // namespace

void AddMkdir(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("mkdir", "Create directories");
  arguments->machine.AddTo(*command);
  command->add_option("PATHS", arguments->paths, "On the volume")->required();
  command->add_flag("-p,--parents", arguments->parents, "Create what is missing above; no error when it exists");
  command->callback([arguments] { Run(*arguments); });
}

}  // namespace cli
