// Signals and standard output that end a command early: the volume is written and dismounted all the same.
#pragma once

namespace cli {

/// Thrown by CheckInterrupt; main shuts down first, then lets the signal do what it does.
struct Interrupted {
  int signal;  // 0: standard output cannot be written
};

/// SIGINT, SIGTERM, SIGHUP, and SIGPIPE of a reader that has gone: the first is noted, a second one ends the process.
void CatchInterrupts();
/// Called between the steps of a command. Throws Interrupted after a signal, or when standard output cannot be written.
void CheckInterrupt();
/// Ends the process by the signal, as if it had not been caught.
[[noreturn]] void EndBySignal(int signal);

}  // namespace cli
