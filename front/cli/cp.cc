// cp: what goes where. The copying itself is in copier.h.
#include <filesystem>
#include <memory>

#include "front/cli/commands.h"
#include "front/cli/copier.h"
#include "front/cli/machine_options.h"
#include "front/cli/names.h"
#include "front/cli/report.h"
#include "front/cli/volume.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  MachineArguments machine;
  std::vector<std::string> paths;
  bool recursive = false;
};

/// The name that a source gets in a directory; empty where it stands for its content: "dir/.", "..", the root.
std::string TargetName(const Path& source) {
  if (source.on_volume) return ToUtf8(BaseName(source.nt));
  const size_t end = source.host.find_last_not_of('/');
  if (end == std::string::npos) return {};
  const std::string name = fs::path(source.host.substr(0, end + 1)).filename().string();
  return name == "." || name == ".." ? std::string() : name;
}

void CopyOne(Copier& copier, const Path& source, const Path& target, bool into_directory) {
  const std::string name = TargetName(source);
  if (!target.on_volume)
    return copier.VolumeToHost(source.nt,
                               into_directory && !name.empty() ? fs::path(target.host) / name : fs::path(target.host));
  const auto utf16 = ToUtf16(name);
  if (!utf16) throw CommandFailed(source.text, "the name is not UTF-8");
  const std::u16string to = into_directory && !name.empty() ? Join(target.nt, *utf16) : target.nt;
  if (source.on_volume)
    copier.VolumeToVolume(source.nt, to);
  else
    copier.HostToVolume(source.host, to);
}

void Run(const Arguments& arguments) {
  if (arguments.paths.size() < 2) throw CLI::ValidationError("cp", "a source and a target are wanted");
  std::vector<Path> paths;
  for (const auto& text : arguments.paths) paths.push_back(ParsePath(text));
  const Path target = paths.back();
  paths.pop_back();
  for (const auto& source : paths)
    if (!source.on_volume && !target.on_volume)
      throw CLI::ValidationError(source.text,
                                 "neither this nor the target is on the volume; write :/path for what is there");

  auto machine = arguments.machine.Boot();
  bool into_directory = !target.text.empty() && (target.text.back() == '/' || target.text.back() == '\\');
  if (target.on_volume) {
    const auto found = Find(*machine, target.nt);
    into_directory |= target.nt == u"\\" || (found && found->directory());
  } else {
    into_directory |= fs::is_directory(target.host);
  }
  const auto sources = Expand(*machine, paths);
  if (sources.size() > 1 && !into_directory)
    throw CommandFailed("cp " + target.text, "several sources need a directory as target");
  Copier copier(*machine, arguments.machine, arguments.recursive);
  for (const auto& source : sources) Serve([&] { CopyOne(copier, source, target, into_directory); });
  arguments.machine.Finish(*machine);
}

}  // namespace

void AddCp(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("cp", "Copy between the host and the volume, or within the volume");
  arguments->machine.AddTo(*command);
  command->add_option("PATHS", arguments->paths, "SOURCE... TARGET")->required();
  command->add_flag("-r,--recursive", arguments->recursive, "Directories with all below them; links are followed");
  command->callback([arguments] { Run(*arguments); });
}

}  // namespace cli
