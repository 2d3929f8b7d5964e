#include "front/cli/volume.h"

#include <ctime>

#include "front/cli/report.h"

namespace cli {
namespace {

// Windows' own values (wdm.h); spelled here because the command line sees only include/ntio.
constexpr uint32_t kListDirectory = 0x1, kReadAttributes = 0x80, kWriteAttributes = 0x100, kDelete = 0x10000;
constexpr uint32_t kSynchronize = 0x100000, kGenericRead = 0x80000000, kGenericWrite = 0x40000000;
constexpr uint32_t kCreate = 2, kOverwriteIf = 5;
constexpr uint32_t kDirectoryFile = 0x1, kSequentialOnly = 0x4, kSynchronousIo = 0x20, kNonDirectoryFile = 0x40;

}  // namespace

ntio::OpenOptions ForReading() {
  ntio::OpenOptions options;
  options.access = kGenericRead | kSynchronize;
  options.options = kSynchronousIo | kNonDirectoryFile | kSequentialOnly;
  return options;
}

ntio::OpenOptions ForListing() {
  ntio::OpenOptions options;
  options.access = kListDirectory | kReadAttributes | kSynchronize;
  options.options = kSynchronousIo | kDirectoryFile;
  return options;
}

ntio::OpenOptions ForAttributes() {
  ntio::OpenOptions options;
  options.access = kReadAttributes | kSynchronize;
  return options;
}

ntio::OpenOptions ForCreating() {
  ntio::OpenOptions options;
  options.access = kGenericWrite | kWriteAttributes | kReadAttributes | kDelete | kSynchronize;
  options.share = 1;
  options.disposition = kOverwriteIf;
  options.options = kSynchronousIo | kNonDirectoryFile | kSequentialOnly;
  return options;
}

ntio::OpenOptions ForDirectoryCreation() {
  ntio::OpenOptions options;
  options.access = kListDirectory | kSynchronize;
  options.disposition = kCreate;
  options.options = kSynchronousIo | kDirectoryFile;
  return options;
}

ntio::OpenOptions ForDeleting() {
  ntio::OpenOptions options;
  options.access = kDelete | kReadAttributes | kSynchronize;
  return options;
}

ntio::OpenOptions ForSettingAttributes() {
  ntio::OpenOptions options;
  options.access = kWriteAttributes | kSynchronize;
  return options;
}

std::vector<ntio::DirectoryEntry> ListDirectory(ntio::Machine& machine, const std::u16string& path,
                                                const std::u16string& pattern) {
  auto directory = Need(Show(path), machine.Open(path, ForListing()));
  auto all = Need(Show(path), directory.List(pattern));
  std::vector<ntio::DirectoryEntry> entries;
  for (auto& entry : all)
    if (entry.name != u"." && entry.name != u"..") entries.push_back(std::move(entry));
  return entries;
}

std::vector<Path> Expand(ntio::Machine& machine, const std::vector<Path>& paths) {
  std::vector<Path> expanded;
  for (const auto& path : paths) {
    const std::u16string pattern = BaseName(path.nt);
    if (!path.on_volume || pattern.find_first_of(u"*?") == std::u16string::npos) {
      expanded.push_back(path);
      continue;
    }
    Serve([&] {
      // As Windows programs do: *.* is everything, a dot or none.
      const auto entries = ListDirectory(machine, ParentOf(path.nt), pattern == u"*.*" ? u"*" : pattern);
      if (entries.empty()) throw CommandFailed(path.text, "no name matches");
      for (const auto& entry : entries) {
        Path match{.on_volume = true, .text = {}, .nt = Join(ParentOf(path.nt), entry.name), .host = {}};
        match.text = Show(match.nt);
        expanded.push_back(std::move(match));
      }
    });
  }
  return expanded;
}

ntio::FileInfo Query(ntio::Machine& machine, const std::string& context, const std::u16string& path) {
  auto file = Need(context, machine.Open(path, ForAttributes()));
  return Need(context, file.Query());
}

std::optional<ntio::FileInfo> Find(ntio::Machine& machine, const std::u16string& path) {
  auto file = machine.Open(path, ForAttributes());
  if (!file.ok()) {
    constexpr auto kNameNotFound = static_cast<int32_t>(0xC0000034), kPathNotFound = static_cast<int32_t>(0xC000003A);
    const int32_t status = file.failure().status;
    if (status == kNameNotFound || status == kPathNotFound) return std::nullopt;
    throw CommandFailed(Show(path), file.failure());
  }
  return Need(Show(path), file->Query());
}

std::string ShowTime(int64_t time) {
  if (time == 0) return "-";
  const std::time_t seconds = static_cast<std::time_t>(time / 10'000'000 - 11'644'473'600);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::string ShowAttributes(uint32_t attributes) {
  constexpr struct {
    uint32_t bit;
    char letter;
  } kLetters[] = {{0x10, 'd'}, {0x01, 'r'}, {0x02, 'h'}, {0x04, 's'}, {0x20, 'a'}};
  std::string text;
  for (const auto& letter : kLetters) text += attributes & letter.bit ? letter.letter : '-';
  return text;
}

}  // namespace cli
