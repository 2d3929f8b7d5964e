// Where this program and its files are on the host.
#pragma once

#include <string>

namespace host {

/// The file that the runtime was loaded from: libntio.so, or the program when linked into it.
std::string LibraryPath();
bool IsRegularFile(const std::string& path);
/// The absolute path without links and dots; empty when there is no such file.
std::string ResolvePath(const std::string& path);

/// Runs a shell command and appends what it prints. False when it failed. For reports only: it starts a process.
bool RunCommand(const std::string& command, std::string* output);
/// An environment variable; empty when it is not set.
std::string Environment(const char* name);

}  // namespace host
