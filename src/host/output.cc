// Standard error.
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "src/host/host.h"

namespace host {

void WriteError(const char* text, size_t bytes) {
  // One system call for text and newline: lines of several threads do not mix.
  char newline = '\n';
  const bool complete = bytes > 0 && text[bytes - 1] == '\n';
  iovec parts[2] = {{const_cast<char*>(text), bytes}, {&newline, complete ? 0u : 1u}};
  const int saved_errno = errno;
  ssize_t written;
  do written = writev(STDERR_FILENO, parts, 2);
  while (written < 0 && errno == EINTR);
  // A pipe took only a part: give it the rest. An error ends it; there is nowhere to report it.
  size_t done = written > 0 ? static_cast<size_t>(written) : bytes + 1;
  while (done < bytes) {
    written = write(STDERR_FILENO, text + done, bytes - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<size_t>(written);
    if (done == bytes && !complete) written = write(STDERR_FILENO, &newline, 1);
  }
  errno = saved_errno;
}

}  // namespace host
