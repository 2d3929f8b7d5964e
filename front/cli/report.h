// What a command prints on standard error, and the exit code it leaves.
#pragma once

#include <string>

#include "ntio/machine.h"

namespace cli {

/// Ends what is being done for one path, or the command.
class CommandFailed {
 public:
  CommandFailed(std::string context, ntio::Failure failure)
      : context_(std::move(context)), failure_(std::move(failure)) {}
  /// A request of the host that failed: no NTSTATUS, only words.
  CommandFailed(std::string context, std::string message)
      : CommandFailed(std::move(context), ntio::Failure{ntio::FailureKind::kRequest, 0, std::move(message)}) {}
  const std::string& context() const { return context_; }
  const ntio::Failure& failure() const { return failure_; }

 private:
  std::string context_;
  ntio::Failure failure_;
};

/// The value of a Result, or CommandFailed with the context ("cat :/a.txt").
template <class T>
T Need(const std::string& context, ntio::Result<T> result) {
  if (!result.ok()) throw CommandFailed(context, result.failure());
  return result.take();
}
inline void Need(const std::string& context, ntio::Result<void> result) {
  if (!result.ok()) throw CommandFailed(context, result.failure());
}
/// CommandFailed when the request's status is a failure.
void Need(const std::string& context, const ntio::IoResult& result);

/// Prints the failure; it becomes the exit code.
void Report(const CommandFailed& failed);
int ExitCode();

/// Serves one of several paths: a request that fails is reported and the next path has its turn; anything worse ends
/// the command.
template <class F>
void Serve(F&& serve) {
  try {
    serve();
  } catch (const CommandFailed& failed) {
    if (failed.failure().kind != ntio::FailureKind::kRequest) throw;
    Report(failed);
  }
}

}  // namespace cli
