#include <cstdio>
#include <ctime>
#include <memory>

#include "front/cli/commands.h"
#include "front/cli/machine_options.h"
#include "ntio/driver_info.h"

namespace cli {
namespace {

const char* StateName(ntio::ImportInfo::State state) {
  switch (state) {
    case ntio::ImportInfo::State::kPresent:
      return "present";
    case ntio::ImportInfo::State::kPartial:
      return "partial";
    case ntio::ImportInfo::State::kAbsent:
      return "ABSENT";
  }
  return "";
}

std::string SectionFlags(uint32_t characteristics) {
  std::string text;
  text += characteristics & 0x40000000 ? 'r' : '-';
  text += characteristics & 0x80000000 ? 'w' : '-';
  text += characteristics & 0x20000000 ? 'x' : '-';
  if (characteristics & 0x02000000) text += " discardable";
  return text;
}

void Print(const ntio::DriverInfo& info, bool all) {
  std::printf("%s\n", info.path.c_str());
  if (!info.well_formed) {
    std::printf("  not a driver that can be loaded: %s\n", info.why.c_str());
    return;
  }
  std::printf("  preferred base 0x%llx, %u bytes, entry 0x%x, subsystem %u, time stamp 0x%08x\n",
              static_cast<unsigned long long>(info.preferred_base), info.image_bytes, info.entry_rva, info.subsystem,
              info.timestamp);
  std::printf("\n  sections\n");
  for (const auto& section : info.sections)
    std::printf("    %-8s  at 0x%08x  %8u bytes  %s\n", section.name.c_str(), section.rva, section.virtual_bytes,
                SectionFlags(section.characteristics).c_str());
  size_t counts[3] = {};
  for (const auto& import : info.imports) counts[static_cast<int>(import.state)]++;
  std::printf("\n  imports: %zu present, %zu partial, %zu absent%s\n", counts[0], counts[1], counts[2],
              all || counts[0] == 0 ? "" : " (--all lists the present ones, too)");
  for (const auto& import : info.imports) {
    if (import.state == ntio::ImportInfo::State::kPresent && !all) continue;
    std::printf("    %-8s  %s!%s%s%s\n", StateName(import.state), import.module.c_str(), import.name.c_str(),
                import.reason.empty() ? "" : ": ", import.reason.c_str());
  }
  if (!info.exports.empty()) {
    std::printf("\n  exports\n");
    for (const auto& name : info.exports) std::printf("    %s\n", name.c_str());
  }
  for (const auto& warning : info.warnings) std::printf("\n  note: %s\n", warning.c_str());
  std::printf("\n  %s\n", info.loads ? "would load" : ("would not load: " + info.why).c_str());
}

}  // namespace

void AddInfo(CLI::App& app) {
  struct Arguments {
    std::vector<std::string> drivers;
    bool all = false;
  };
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("info", "Show a driver's sections and imports, and whether it would load");
  command->add_option("DRIVER", arguments->drivers, "A .sys file, or a shipped driver's name")->required();
  command->add_flag("--all", arguments->all, "List the imports that are present, too");
  command->callback([arguments] {
    bool all_load = true;
    std::string failed;
    for (const auto& driver : arguments->drivers) {
      const auto info = ntio::InspectDriver(driver);
      Print(info, arguments->all);
      if (!info.loads) {
        all_load = false;
        failed = info.path;
      }
    }
    if (!all_load) throw CommandFailed(failed, {ntio::FailureKind::kDriverLoad, 0, "the driver would not load"});
  });
}

}  // namespace cli
