#include "src/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace nt {

void CheckFailed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "ntio: internal check failed: %s:%d: %s%s%s\n", file, line, condition, message ? ": " : "",
               message ? message : "");
  std::fflush(stderr);
  std::abort();
}

}  // namespace nt
