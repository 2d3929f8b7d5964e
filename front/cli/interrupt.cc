#include "front/cli/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

namespace cli {
namespace {

volatile std::sig_atomic_t g_signal = 0;

void Note(int signal) {
  g_signal = signal;
  if (signal == SIGPIPE) return;
  constexpr char kText[] = "\nntio: interrupted; the volume is being written (once more to end at once)\n";
  // Nothing can be done about a terminal that does not take it.
  if (write(STDERR_FILENO, kText, sizeof kText - 1) < 0) return;
}

}  // namespace

void CatchInterrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    struct sigaction old {
    }, action{};
    sigaction(signal, nullptr, &old);
    if (old.sa_handler == SIG_IGN) continue;  // nohup
    action.sa_handler = Note;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    if (signal != SIGPIPE) action.sa_flags |= SA_RESETHAND;
    sigaction(signal, &action, nullptr);
  }
}

void CheckInterrupt() {
  if (g_signal) throw Interrupted{g_signal};
  if (std::ferror(stdout)) throw Interrupted{0};
}

void EndBySignal(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  std::_Exit(128 + signal);
}

}  // namespace cli
