#include "front/cli/report.h"

#include <cstdio>

namespace cli {
namespace {

int g_exit_code = 0;

// What people need beyond the name of a status: what is wrong in their words, or what to do.
const char* Explain(int32_t status) {
  switch (static_cast<uint32_t>(status)) {
    case 0xC000000F:
    case 0xC0000034:
      return "there is no such file or directory";
    case 0xC000003A:
      return "a directory on the way to it does not exist";
    case 0xC0000035:
      return "there is a file or directory of that name already";
    case 0xC0000033:
      return "the file system takes no such name";
    case 0xC00000BA:
      return "is a directory";
    case 0xC0000103:
      return "is not a directory";
    case 0xC0000101:
      return "the directory is not empty";
    case 0xC000007F:
      return "the volume is full, or the file larger than this file system can hold";
    case 0xC00000A2:
      return "the disk is read-only";
    case 0xC0000022:
      return "the file system refuses this access: is the file read-only?";
    case 0xC0000121:
      return "it cannot be removed: is it read-only? (rm -f removes such files)";
    case 0xC0000043:
      return "it is open elsewhere";
    case 0xC000014F:
      return "no loaded file system knows what is on this disk; --fs DRIVER loads another, partition=N chooses a "
             "partition";
    case 0xC0000102:
    case 0xC0000032:
      return "the volume is damaged here; fsck.fat -n tells more of a FAT volume";
    default:
      return "";
  }
}

}  // namespace

void Need(const std::string& context, const ntio::IoResult& result) {
  if (result.stopped)
    throw CommandFailed(context, {ntio::FailureKind::kBugCheck, 0, "the machine has stopped (bug check)"});
  if (!result.ok()) throw CommandFailed(context, {ntio::FailureKind::kRequest, result.status, {}});
}

void Report(const CommandFailed& failed) {
  const auto& failure = failed.failure();
  std::string text = "ntio: " + failed.context() + ": ";
  if (failure.status != 0) text += ntio::DescribeStatus(failure.status);
  // Messages of the runtime may begin with the path, as the context does.
  const std::string prefix = failed.context() + ": ";
  std::string message = failure.message.rfind(prefix, 0) == 0 ? failure.message.substr(prefix.size()) : failure.message;
  if (message.empty()) message = Explain(failure.status);
  if (failure.status != 0 && !message.empty()) text += ": ";
  std::fflush(stdout);
  std::fprintf(stderr, "%s%s\n", text.c_str(), message.c_str());
  g_exit_code = static_cast<int>(failure.kind);
}

int ExitCode() { return g_exit_code; }

}  // namespace cli
