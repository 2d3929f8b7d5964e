#include "front/cli/copier.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "front/cli/interrupt.h"
#include "front/cli/names.h"
#include "front/cli/report.h"
#include "front/cli/volume.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChunkBytes = 256 * 1024;
constexpr auto kEndOfFile = static_cast<int32_t>(0xC0000011);
constexpr int64_t kUnixEpoch100ns = 116'444'736'000'000'000;

[[noreturn]] void FailHost(const std::string& what, const std::string& path, int error) {
  throw CommandFailed("cp " + path, what + ": " + std::strerror(error));
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using HostFile = std::unique_ptr<std::FILE, FileCloser>;

/// Removes a file that was begun and not finished.
template <class F>
class Unfinished {
 public:
  explicit Unfinished(F remove) : remove_(std::move(remove)) {}
  ~Unfinished() {
    if (!finished_) remove_();
  }
  void Finish() { finished_ = true; }

 private:
  F remove_;
  bool finished_ = false;
};

}  // namespace

Copier::Copier(ntio::Machine& machine, const MachineArguments& arguments, bool recursive)
    : machine_(machine),
      arguments_(arguments),
      recursive_(recursive),
      buffer_(Need("cp", machine.AllocateBuffer(kChunkBytes))) {}

void Copier::HostToVolume(const fs::path& source, const std::u16string& target) {
  CheckInterrupt();
  const std::string context = "cp " + source.string();
  struct stat status;
  if (stat(source.c_str(), &status) != 0) FailHost("cannot look at it", source.string(), errno);
  if (S_ISDIR(status.st_mode)) {
    NeedRecursive(context);
    const HostIdentity identity{status.st_dev, status.st_ino};
    if (std::find(above_.begin(), above_.end(), identity) != above_.end())
      throw CommandFailed(context, "is a link to a directory that it lies in");
    MakeDirectory(target);
    above_.push_back(identity);
    std::error_code error;
    for (fs::directory_iterator entry(source, error), end; !error && entry != end; entry.increment(error)) {
      Serve([&] {
        const auto name = ToUtf16(entry->path().filename().string());
        if (!name) throw CommandFailed("cp " + entry->path().string(), "the name is not UTF-8");
        HostToVolume(entry->path(), Join(target, *name));
      });
    }
    above_.pop_back();
    if (error) FailHost("cannot read the directory", source.string(), error.value());
    return;
  }
  if (!S_ISREG(status.st_mode)) throw CommandFailed(context, "is neither a file nor a directory");
  if (arguments_.IsDisk(source.string())) throw CommandFailed(context, "is the disk that is copied to");
  const int64_t written = static_cast<int64_t>(status.st_mtim.tv_sec) * 10'000'000 + status.st_mtim.tv_nsec / 100;
  FileToVolume(source, target, written + kUnixEpoch100ns);
}

void Copier::FileToVolume(const fs::path& source, const std::u16string& target, int64_t written) {
  const std::string context = "cp " + Show(target);
  HostFile input(std::fopen(source.c_str(), "rb"));
  if (!input) FailHost("cannot open it", source.string(), errno);
  auto output = Need(context, machine_.Open(target, ForCreating()));
  Unfinished unfinished([&] { output.SetDelete(true); });
  for (uint64_t offset = 0;;) {
    CheckInterrupt();
    const size_t bytes = std::fread(buffer_.data(), 1, buffer_.size(), input.get());
    if (bytes == 0 && std::ferror(input.get())) FailHost("cannot read it", source.string(), errno);
    if (bytes == 0) break;
    Need(context, output.Write(offset, {buffer_.data(), bytes}));
    offset += bytes;
  }
  Need(context, output.SetBasic(0, 0, written, 0));
  unfinished.Finish();
}

void Copier::VolumeToHost(const std::u16string& source, const fs::path& target) {
  CheckInterrupt();
  const std::string context = "cp " + Show(source);
  const auto info = Query(machine_, context, source);
  if (!info.directory()) return FileToHost(source, target, info);
  NeedRecursive(context);
  std::error_code error;
  fs::create_directory(target, error);
  if (error) FailHost("cannot create the directory", target.string(), error.value());
  for (const auto& entry : ListDirectory(machine_, source)) {
    Serve([&] {
      const std::string name = ToUtf8(entry.name);
      // A volume may lie; no name of it leads out of the target.
      if (name.empty() || name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos)
        throw CommandFailed("cp " + Show(Join(source, entry.name)), "no file of the host can have this name");
      VolumeToHost(Join(source, entry.name), target / name);
    });
  }
}

void Copier::FileToHost(const std::u16string& source, const fs::path& target, const ntio::FileInfo& info) {
  const std::string context = "cp " + Show(source);
  if (arguments_.IsDisk(target.string()))
    throw CommandFailed("cp " + target.string(), "is the disk that is copied from");
  auto input = Need(context, machine_.Open(source, ForReading()));
  HostFile output(std::fopen(target.c_str(), "wb"));
  if (!output) FailHost("cannot create it", target.string(), errno);
  Unfinished unfinished([&] {
    std::error_code error;  // there is nothing more to say than the failure that led here
    if (fs::symlink_status(target, error).type() == fs::file_type::regular) fs::remove(target, error);
  });
  ForEachChunk(context, input, [&](uint64_t, size_t bytes) {
    if (std::fwrite(buffer_.data(), 1, bytes, output.get()) != bytes)
      FailHost("cannot write it", target.string(), errno);
  });
  if (std::fflush(output.get()) != 0) FailHost("cannot write it", target.string(), errno);
  unfinished.Finish();
  if (info.last_write_time) {
    const int64_t unix_time = info.last_write_time - kUnixEpoch100ns;
    int64_t seconds = unix_time / 10'000'000, rest = unix_time % 10'000'000;
    if (rest < 0) {
      seconds--;
      rest += 10'000'000;
    }
    const timespec written{seconds, rest * 100};
    const timespec times[2] = {written, written};
    futimens(fileno(output.get()), times);  // the content matters; a host that keeps no times is fine
  }
}

void Copier::VolumeToVolume(const std::u16string& source, const std::u16string& target) {
  const std::string context = "cp " + Show(source);
  const auto info = Query(machine_, context, source);
  if (info.directory()) NeedRecursive(context);
  RefuseItself(source, info, target);
  TreeWithin(source, target);
}

void Copier::TreeWithin(const std::u16string& source, const std::u16string& target) {
  CheckInterrupt();
  const auto info = Query(machine_, "cp " + Show(source), source);
  if (!info.directory()) return FileWithin(source, target, info);
  MakeDirectory(target);
  for (const auto& entry : ListDirectory(machine_, source))
    Serve([&] { TreeWithin(Join(source, entry.name), Join(target, entry.name)); });
}

void Copier::FileWithin(const std::u16string& source, const std::u16string& target, const ntio::FileInfo& info) {
  const std::string context = "cp " + Show(target);
  auto input = Need("cp " + Show(source), machine_.Open(source, ForReading()));
  auto output = Need(context, machine_.Open(target, ForCreating()));
  Unfinished unfinished([&] { output.SetDelete(true); });
  ForEachChunk("cp " + Show(source), input, [&](uint64_t offset, size_t bytes) {
    Need(context, output.Write(offset, {buffer_.data(), bytes}));
  });
  Need(context, output.SetBasic(0, 0, info.last_write_time, info.attributes));
  unfinished.Finish();
}

void Copier::NeedRecursive(const std::string& context) const {
  if (!recursive_) throw CommandFailed(context, "is a directory; -r copies it with all below it");
}

// By what the file system says a file is: a name has several spellings.
void Copier::RefuseItself(const std::u16string& source, const ntio::FileInfo& info,
                          const std::u16string& target) const {
  for (std::u16string place = target;; place = ParentOf(place)) {
    const auto found = Find(machine_, place);
    if (found && found->file_id == info.file_id && found->directory() == info.directory())
      throw CommandFailed("cp " + Show(source),
                          place == target ? "is the same file as the target" : "the target lies inside of it");
    if (place == u"\\" || !info.directory()) return;
  }
}

void Copier::MakeDirectory(const std::u16string& path) {
  if (path == u"\\") return;
  if (const auto found = Find(machine_, path); found && found->directory()) return;
  Need("cp " + Show(path), machine_.Open(path, ForDirectoryCreation()));
}

template <class F>
void Copier::ForEachChunk(const std::string& context, ntio::File& input, F&& consume) {
  for (uint64_t offset = 0;;) {
    CheckInterrupt();
    const auto result = input.Read(offset, buffer_.span());
    if (result.status == kEndOfFile) break;
    Need(context, result);
    if (result.information == 0) break;
    consume(offset, static_cast<size_t>(result.information));
    offset += result.information;
  }
}

}  // namespace cli
