// cp: between the host and the volume, or within the volume. Data goes through a synchronous cached handle, as a Windows
// program's copy would: the first request of a file by IRP, the following ones by fast I/O.
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "front/cli/commands.h"
#include "front/cli/machine_options.h"
#include "front/cli/names.h"
#include "front/cli/volume.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChunkBytes = 256 * 1024;
constexpr auto kEndOfFile = static_cast<int32_t>(0xC0000011);
constexpr int64_t kUnixEpoch100ns = 116'444'736'000'000'000;

struct Arguments {
  MachineArguments machine;
  std::vector<std::string> paths;
  bool recursive = false;
};

[[noreturn]] void FailHost(const std::string& what, const std::string& path, int error) {
  throw CommandFailed("cp " + path, {ntio::FailureKind::kRequest, 0, what + ": " + std::strerror(error)});
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using HostFile = std::unique_ptr<std::FILE, FileCloser>;

class Copier {
 public:
  Copier(ntio::Machine& machine, bool recursive)
      : machine_(machine), recursive_(recursive), buffer_(Need("cp", machine.AllocateBuffer(kChunkBytes))) {}

  void HostToVolume(const fs::path& source, const std::u16string& target) {
    const std::string context = "cp " + source.string();
    struct stat status;
    if (stat(source.c_str(), &status) != 0) FailHost("cannot look at it", source.string(), errno);
    if (S_ISDIR(status.st_mode)) {
      NeedRecursive(context);
      MakeDirectory(target);
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(source, error)) {
        const auto name = ToUtf16(entry.path().filename().string());
        if (!name)
          throw CommandFailed("cp " + entry.path().string(), {ntio::FailureKind::kRequest, 0, "the name is not UTF-8"});
        HostToVolume(entry.path(), Join(target, *name));
      }
      if (error) FailHost("cannot read the directory", source.string(), error.value());
      return;
    }
    if (!S_ISREG(status.st_mode))
      throw CommandFailed(context, {ntio::FailureKind::kRequest, 0, "is neither a file nor a directory"});
    HostFile input(std::fopen(source.c_str(), "rb"));
    if (!input) FailHost("cannot open it", source.string(), errno);
    auto output = Need("cp " + Show(target), machine_.Open(target, ForCreating()));
    for (uint64_t offset = 0;;) {
      const size_t bytes = std::fread(buffer_.data(), 1, buffer_.size(), input.get());
      if (bytes == 0 && std::ferror(input.get())) FailHost("cannot read it", source.string(), errno);
      if (bytes == 0) break;
      Need("cp " + Show(target), output.Write(offset, {buffer_.data(), bytes}));
      offset += bytes;
    }
    const int64_t written = static_cast<int64_t>(status.st_mtim.tv_sec) * 10'000'000 + status.st_mtim.tv_nsec / 100;
    Need("cp " + Show(target), output.SetBasic(0, 0, written + kUnixEpoch100ns, 0));
  }

  void VolumeToHost(const std::u16string& source, const fs::path& target) {
    const std::string context = "cp " + Show(source);
    const auto info = Query(machine_, context, source);
    if (info.directory()) {
      NeedRecursive(context);
      std::error_code error;
      fs::create_directory(target, error);
      if (error) FailHost("cannot create the directory", target.string(), error.value());
      for (const auto& entry : ListDirectory(machine_, source))
        VolumeToHost(Join(source, entry.name), target / ToUtf8(entry.name));
      return;
    }
    auto input = Need(context, machine_.Open(source, ForReading()));
    HostFile output(std::fopen(target.c_str(), "wb"));
    if (!output) FailHost("cannot create it", target.string(), errno);
    ForEachChunk(context, input, [&](uint64_t, size_t bytes) {
      if (std::fwrite(buffer_.data(), 1, bytes, output.get()) != bytes) FailHost("cannot write it", target.string(), errno);
    });
    if (std::fflush(output.get()) != 0) FailHost("cannot write it", target.string(), errno);
    if (info.last_write_time) {
      const int64_t unix_time = info.last_write_time - kUnixEpoch100ns;
      const timespec written{unix_time / 10'000'000, unix_time % 10'000'000 * 100};
      const timespec times[2] = {written, written};
      futimens(fileno(output.get()), times);  // the content matters; a host that keeps no times is fine
    }
  }

  void VolumeToVolume(const std::u16string& source, const std::u16string& target) {
    const std::string context = "cp " + Show(source);
    const auto info = Query(machine_, context, source);
    if (info.directory()) {
      NeedRecursive(context);
      MakeDirectory(target);
      for (const auto& entry : ListDirectory(machine_, source))
        VolumeToVolume(Join(source, entry.name), Join(target, entry.name));
      return;
    }
    auto input = Need(context, machine_.Open(source, ForReading()));
    auto output = Need("cp " + Show(target), machine_.Open(target, ForCreating()));
    ForEachChunk(context, input, [&](uint64_t offset, size_t bytes) {
      Need("cp " + Show(target), output.Write(offset, {buffer_.data(), bytes}));
    });
    Need("cp " + Show(target), output.SetBasic(0, 0, info.last_write_time, 0));
  }

 private:
  void NeedRecursive(const std::string& context) const {
    if (!recursive_)
      throw CommandFailed(context, {ntio::FailureKind::kRequest, 0, "is a directory; -r copies it with all below it"});
  }

  void MakeDirectory(const std::u16string& path) {
    ntio::FileInfo info;
    if (path == u"\\" || (Exists(machine_, path, &info) && info.directory())) return;
    Need("cp " + Show(path), machine_.Open(path, ForDirectoryCreation()));
  }

  template <class F>
  void ForEachChunk(const std::string& context, ntio::File& input, F&& consume) {
    for (uint64_t offset = 0;;) {
      const auto result = input.Read(offset, buffer_.span());
      if (result.status == kEndOfFile) break;
      Need(context, result);
      if (result.information == 0) break;
      consume(offset, static_cast<size_t>(result.information));
      offset += result.information;
    }
  }

  ntio::Machine& machine_;
  const bool recursive_;
  ntio::Buffer buffer_;
};

void Run(const Arguments& arguments) {
  if (arguments.paths.size() < 2) throw CLI::ValidationError("cp", "a source and a target are wanted");
  std::vector<Path> paths;
  bool any_on_volume = false;
  for (const auto& text : arguments.paths) {
    paths.push_back(ParsePath(text));
    any_on_volume |= paths.back().on_volume;
  }
  if (!any_on_volume) throw CLI::ValidationError("cp", "no path is on the volume; write it as :/path");
  const Path target = paths.back();
  paths.pop_back();

  auto machine = arguments.machine.Boot();
  bool into_directory = !target.text.empty() && target.text.back() == '/';
  if (target.on_volume) {
    ntio::FileInfo info;
    into_directory |= target.nt == u"\\" || (Exists(*machine, target.nt, &info) && info.directory());
  } else {
    into_directory |= fs::is_directory(target.host);
  }
  if (paths.size() > 1 && !into_directory)
    throw CommandFailed("cp " + target.text, {ntio::FailureKind::kRequest, 0, "several sources need a directory as target"});

  Copier copier(*machine, arguments.recursive);
  for (const auto& source : paths) {
    const std::string name = source.on_volume ? ToUtf8(BaseName(source.nt))
                                              : fs::path(source.host).lexically_normal().filename().string();
    if (target.on_volume) {
      const auto utf16 = ToUtf16(name);
      if (!utf16) throw CLI::ValidationError(source.text, "the name is not UTF-8");
      const std::u16string to = into_directory && !utf16->empty() ? Join(target.nt, *utf16) : target.nt;
      if (source.on_volume) copier.VolumeToVolume(source.nt, to);
      else copier.HostToVolume(source.host, to);
    } else {
      if (!source.on_volume) throw CLI::ValidationError(source.text, "neither this nor the target is on the volume");
      copier.VolumeToHost(source.nt, into_directory ? fs::path(target.host) / name : fs::path(target.host));
    }
  }
  arguments.machine.Finish(*machine);
}

}  // namespace

void AddCp(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("cp", "Copy between the host and the volume");
  arguments->machine.AddTo(*command);
  command->add_option("PATHS", arguments->paths, "SOURCE... TARGET")->required();
  command->add_flag("-r,--recursive", arguments->recursive, "Directories with all below them");
  command->callback([arguments] { Run(*arguments); });
}

}  // namespace cli
