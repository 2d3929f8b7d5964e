#include <cstdio>
#include <memory>

#include "front/cli/commands.h"
#include "front/cli/machine_options.h"

namespace cli {

void AddTree(CLI::App& app) {
  auto arguments = std::make_shared<MachineArguments>();
  auto* command = app.add_subcommand("tree", "Draw the device stacks");
  arguments->AddTo(*command, false);
  command->callback([arguments] {
    auto machine = arguments->Boot();
    // A volume's stack exists once it is mounted; a disk nobody recognises is drawn as it is.
    static_cast<void>(machine->Open(u"\\").ok());
    std::printf("%s", Need("tree", machine->DeviceTree()).c_str());
    arguments->Finish(*machine);
  });
}

}  // namespace cli
