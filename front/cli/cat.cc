#include <cstdio>
#include <memory>

#include "front/cli/commands.h"
#include "front/cli/interrupt.h"
#include "front/cli/machine_options.h"
#include "front/cli/names.h"
#include "front/cli/volume.h"

namespace cli {
namespace {

constexpr size_t kChunkBytes = 256 * 1024;
constexpr auto kEndOfFile = static_cast<int32_t>(0xC0000011);

struct Arguments {
  MachineArguments machine;
  std::vector<std::string> paths;
  bool uncached = false;
};

void Cat(ntio::Machine& machine, const Path& path, bool uncached) {
  const std::string context = "cat " + path.text;
  auto options = ForReading();
  constexpr uint32_t kNoIntermediateBuffering = 0x8;
  if (uncached) options.options |= kNoIntermediateBuffering;
  auto file = Need(context, machine.Open(path.nt, options));
  auto buffer = Need(context, machine.AllocateBuffer(kChunkBytes));
  for (uint64_t offset = 0;;) {
    const auto result = file.Read(offset, buffer.span());
    if (result.status == kEndOfFile) break;
    Need(context, result);
    if (result.information == 0) break;
    std::fwrite(buffer.data(), 1, result.information, stdout);
    CheckInterrupt();
    offset += result.information;
    // An uncached read must start at a sector: a short one was the last.
    if (uncached && result.information < buffer.size()) break;
  }
}

void Run(const Arguments& arguments) {
  std::vector<Path> paths;
  for (const auto& text : arguments.paths) {
    paths.push_back(ParsePath(text));
    if (!paths.back().on_volume)
      throw CLI::ValidationError(text, "cat reads from the volume; write :/ before the name");
  }
  auto machine = arguments.machine.Boot();
  for (const auto& path : Expand(*machine, paths)) Serve([&] { Cat(*machine, path, arguments.uncached); });
  arguments.machine.Finish(*machine);
}

}  // namespace

void AddCat(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("cat", "Write files to standard output");
  arguments->machine.AddTo(*command);
  command->add_option("PATHS", arguments->paths, "On the volume")->required();
  command->add_flag("--uncached", arguments->uncached, "Open with FILE_NO_INTERMEDIATE_BUFFERING");
  command->callback([arguments] { Run(*arguments); });
}

}  // namespace cli
