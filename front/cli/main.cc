// ntio: Windows file-system drivers on Linux. The command line; exit codes in docs and `ntio --help`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "front/cli/commands.h"
#include "front/cli/machine_options.h"

namespace {

int Report(const cli::CommandFailed& failed) {
  const auto& failure = failed.failure();
  std::fflush(stdout);
  std::fprintf(stderr, "ntio: %s: ", failed.context().c_str());
  if (failure.status != 0) std::fprintf(stderr, "%s", ntio::DescribeStatus(failure.status).c_str());
  if (failure.status != 0 && !failure.message.empty()) std::fprintf(stderr, ": ");
  std::fprintf(stderr, "%s\n", failure.message.c_str());
  // After a bug check the machine's threads are parked where they were and its memory is given up: nothing is torn down under
  // them, and nothing of it is a leak.
  if (failure.kind == ntio::FailureKind::kBugCheck) {
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(failure.kind));
  }
  return static_cast<int>(failure.kind);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs Windows file-system drivers on Linux: the NT I/O system in one process."};
  app.name("ntio");
  app.require_subcommand(1);
  app.set_version_flag("--version", NTIO_VERSION);
  app.footer(
      "A path that begins with ':' is on the volume (:/a/b), any other on the host.\n"
      "Exit codes: 0 done; 1 a request failed (its NTSTATUS is printed); 2 usage; 3 a driver did not load;\n"
      "4 the verifier found a violation; 5 bug check.");
  cli::AddLs(app);
  cli::AddCat(app);
  cli::AddCp(app);
  cli::AddRm(app);
  cli::AddMkdir(app);
  cli::AddStat(app);
  cli::AddInfo(app);
  cli::AddTree(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const cli::CommandFailed& failed) {
    return Report(failed);
  }
  return 0;
}
