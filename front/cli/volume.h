// What several commands do on a volume: open, list, walk.
#pragma once

#include <string>
#include <vector>

#include "ntio/machine.h"

namespace cli {

ntio::OpenOptions ForReading();
ntio::OpenOptions ForListing();
ntio::OpenOptions ForAttributes();
ntio::OpenOptions ForCreating();        // a file: created or overwritten
ntio::OpenOptions ForDirectoryCreation();
ntio::OpenOptions ForDeleting();

/// The entries of a directory without "." and "..", in the order of the file system.
std::vector<ntio::DirectoryEntry> ListDirectory(ntio::Machine& machine, const std::u16string& path);
/// Information about a path; throws CommandFailed with `context`.
ntio::FileInfo Query(ntio::Machine& machine, const std::string& context, const std::u16string& path);
bool Exists(ntio::Machine& machine, const std::u16string& path, ntio::FileInfo* info);

/// "2026-11-20 10:34:00", UTC; "-" for a time that is not kept.
std::string ShowTime(int64_t time);
/// "d" directory, "r" read-only, "h" hidden, "s" system, "a" archive, "-" for each that is not set.
std::string ShowAttributes(uint32_t attributes);

}  // namespace cli
