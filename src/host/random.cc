// Random bytes from the system.
#include <sys/random.h>

#include <cerrno>

#include "src/base/check.h"
#include "src/host/host.h"

namespace host {

void RandomBytes(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      CHECK_MSG(errno == EINTR, "getrandom failed");
      continue;
    }
    out = out.subspan(static_cast<size_t>(got));
  }
}

}  // namespace host
