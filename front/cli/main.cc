// ntio: Windows file-system drivers on Linux. The command line; exit codes in docs and `ntio --help`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "front/cli/commands.h"
#include "front/cli/interrupt.h"
#include "front/cli/report.h"

namespace {

/// What CLI11 says of wrong arguments, and of a command that is none.
std::string DescribeUsage(const CLI::App* app, const CLI::Error& error) {
  std::string text = std::string("ntio: ") + error.what() + "\n";
  if (const auto rest = app->remaining(); app->get_subcommands().empty() && (rest.empty() || rest[0][0] != '-')) {
    text = rest.empty() ? "ntio: a command is wanted:" : "ntio: \"" + rest[0] + "\" is not a command; these are:";
    for (const auto* known : app->get_subcommands([](const CLI::App*) { return true; }))
      text += " " + known->get_name();
    text += "\n";
  }
  std::string command = "ntio";
  for (const auto* chosen : app->get_subcommands()) command += " " + chosen->get_name();
  return text + "`" + command + " --help` tells how it is used.\n";
}

/// After a bug check the machine's threads are parked where they were and its memory is given up: nothing is torn down
/// under them, and nothing of it is a leak.
[[noreturn]] void Abandon() {
  std::fflush(nullptr);
  std::_Exit(cli::ExitCode());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs Windows file-system drivers on Linux: the NT I/O system in one process."};
  app.name("ntio");
  app.require_subcommand(1);
  app.failure_message(DescribeUsage);
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
  cli::CatchInterrupts();
  try {
    if (argc == 2 && std::string_view(argv[1]) == "help") throw CLI::CallForHelp();
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const cli::Interrupted& interrupted) {
    if (interrupted.signal != 0) cli::EndBySignal(interrupted.signal);
    cli::Report({"standard output", "cannot be written"});
  } catch (const cli::CommandFailed& failed) {
    cli::Report(failed);
    if (failed.failure().kind == ntio::FailureKind::kBugCheck) Abandon();
  }
  return cli::ExitCode();
}
