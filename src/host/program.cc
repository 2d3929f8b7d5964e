#include "src/host/program.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <climits>
#include <cstdio>
#include <cstdlib>

namespace host {

std::string LibraryPath() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&LibraryPath), &info) || !info.dli_fname) return {};
  const std::string resolved = ResolvePath(info.dli_fname);
  return resolved.empty() ? info.dli_fname : resolved;
}

bool IsRegularFile(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::string ResolvePath(const std::string& path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) ? resolved : std::string();
}

bool RunCommand(const std::string& command, std::string* output) {
  FILE* pipe = popen(command.c_str(), "re");
  if (!pipe) return false;
  char buffer[4096];
  for (size_t bytes; (bytes = fread(buffer, 1, sizeof buffer, pipe)) > 0;) output->append(buffer, bytes);
  return pclose(pipe) == 0;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : std::string();
}

}  // namespace host
