// What several commands do on a volume: open, list, walk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "front/cli/names.h"
#include "ntio/machine.h"

namespace cli {

ntio::OpenOptions ForReading();
ntio::OpenOptions ForListing();
ntio::OpenOptions ForAttributes();
ntio::OpenOptions ForCreating();  // a file: created or overwritten
ntio::OpenOptions ForDirectoryCreation();
ntio::OpenOptions ForDeleting();
ntio::OpenOptions ForSettingAttributes();

/// The entries of a directory without "." and "..", in the order of the file system.
std::vector<ntio::DirectoryEntry> ListDirectory(ntio::Machine& machine, const std::u16string& path,
                                                const std::u16string& pattern = u"*");
/// Replaces each path on the volume whose last component has wildcards (`:/*.txt`) by what it stands for. One that
/// stands for nothing is reported and left out.
std::vector<Path> Expand(ntio::Machine& machine, const std::vector<Path>& paths);
/// Information about a path; throws CommandFailed with `context`.
ntio::FileInfo Query(ntio::Machine& machine, const std::string& context, const std::u16string& path);
/// What is at a path; nullopt when nothing is.
std::optional<ntio::FileInfo> Find(ntio::Machine& machine, const std::u16string& path);

/// "2026-11-20 10:34:00", UTC; "-" for a time that is not kept.
std::string ShowTime(int64_t time);
/// "d" directory, "r" read-only, "h" hidden, "s" system, "a" archive, "-" for each that is not set.
std::string ShowAttributes(uint32_t attributes);

}  // namespace cli
