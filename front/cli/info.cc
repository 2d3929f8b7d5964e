#include <cstdio>
#include <initializer_list>
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

struct Flag {
  uint32_t bit;
  const char* name;
};

std::string FlagNames(uint32_t value, std::initializer_list<Flag> flags) {
  std::string text;
  for (const Flag& flag : flags) {
    if (!(value & flag.bit)) continue;
    if (!text.empty()) text += ' ';
    text += flag.name;
    value &= ~flag.bit;
  }
  if (value) {
    char rest[16];
    std::snprintf(rest, sizeof rest, "%s0x%x", text.empty() ? "" : " ", value);
    text += rest;
  }
  return text;
}

void PrintHeader(const ntio::DriverInfo& info) {
  const auto version = [](uint16_t value) { return std::to_string(value >> 8) + "." + std::to_string(value & 0xff); };
  std::printf("  image        base 0x%llx, %u bytes, entry 0x%x, %u relocations\n",
              static_cast<unsigned long long>(info.preferred_base), info.image_bytes, info.entry_rva, info.relocations);
  const int linker_minor = info.linker_version & 0xff;
  std::printf("  built        linker %u.%02d, subsystem %u (native) %s, os %s, time stamp 0x%08x\n",
              info.linker_version >> 8, linker_minor, info.subsystem, version(info.subsystem_version).c_str(),
              version(info.os_version).c_str(), info.timestamp);
  if (info.dll_characteristics)
    std::printf("  flags        %s\n", FlagNames(info.dll_characteristics, {{0x20, "HIGH_ENTROPY_VA"},
                                                                            {0x40, "DYNAMIC_BASE"},
                                                                            {0x80, "FORCE_INTEGRITY"},
                                                                            {0x100, "NX_COMPAT"},
                                                                            {0x200, "NO_ISOLATION"},
                                                                            {0x400, "NO_SEH"},
                                                                            {0x800, "NO_BIND"},
                                                                            {0x2000, "WDM_DRIVER"},
                                                                            {0x4000, "GUARD_CF"},
                                                                            {0x8000, "TERMINAL_SERVER_AWARE"}})
                                           .c_str());
  if (info.checksum == info.computed_checksum)
    std::printf("  checksum     0x%08x, correct\n", info.checksum);
  else if (info.checksum)
    std::printf("  checksum     0x%08x, but the file's is 0x%08x\n", info.checksum, info.computed_checksum);
  if (!info.file_version.empty()) std::printf("  version      %s\n", info.file_version.c_str());
  if (!info.pdb.empty()) std::printf("  pdb          %s %s\n", info.pdb.c_str(), info.pdb_id.c_str());
  if (info.signature_bytes) std::printf("  signature    %u bytes, not checked\n", info.signature_bytes);
  std::printf("  unwind data  %u functions, %u with a handler\n", info.functions, info.functions_with_handler);
  if (info.cookie_rva) std::printf("  /GS cookie   at 0x%08x\n", info.cookie_rva);
  if (info.guard_flags)
    std::printf("  CFG          %llu functions, %s\n", static_cast<unsigned long long>(info.guard_functions),
                FlagNames(info.guard_flags & 0x0fffffff, {{0x100, "CF_INSTRUMENTED"},
                                                          {0x200, "CFW_INSTRUMENTED"},
                                                          {0x400, "CF_FUNCTION_TABLE_PRESENT"},
                                                          {0x800, "SECURITY_COOKIE_UNUSED"},
                                                          {0x1000, "PROTECT_DELAYLOAD_IAT"},
                                                          {0x2000, "DELAYLOAD_IAT_IN_ITS_OWN_SECTION"},
                                                          {0x4000, "CF_EXPORT_SUPPRESSION_INFO_PRESENT"},
                                                          {0x8000, "CF_ENABLE_EXPORT_SUPPRESSION"},
                                                          {0x10000, "CF_LONGJUMP_TABLE_PRESENT"},
                                                          {0x20000, "RF_INSTRUMENTED"},
                                                          {0x40000, "RF_ENABLE"},
                                                          {0x80000, "RF_STRICT"},
                                                          {0x100000, "RETPOLINE_PRESENT"},
                                                          {0x400000, "EH_CONTINUATION_TABLE_PRESENT"},
                                                          {0x800000, "XFG_ENABLED"},
                                                          {0x1000000, "CASTGUARD_PRESENT"},
                                                          {0x2000000, "MEMCPY_PRESENT"}})
                    .c_str());
}

void Print(const ntio::DriverInfo& info, bool all) {
  std::printf("%s\n", info.path.c_str());
  if (!info.well_formed) {
    std::printf("  not a driver that can be loaded: %s\n", info.why.c_str());
    return;
  }
  PrintHeader(info);
  std::printf("\n  sections\n");
  for (const auto& section : info.sections)
    std::printf("    %-8s  at 0x%08x  %8u bytes, %8u in the file  %s\n", section.name.c_str(), section.rva,
                section.virtual_bytes, section.file_bytes, SectionFlags(section.characteristics).c_str());
  size_t counts[3] = {};
  for (const auto& import : info.imports) counts[static_cast<int>(import.state)]++;
  std::printf("\n  imports: %zu present, %zu partial, %zu absent%s\n", counts[0], counts[1], counts[2],
              all || counts[0] == 0 ? "" : " (--all lists the present ones, too)");
  for (const auto& import : info.imports) {
    if (import.state == ntio::ImportInfo::State::kPresent && !all) continue;
    std::printf("    %-8s  %s!%s%s%s%s\n", StateName(import.state), import.module.c_str(), import.name.c_str(),
                import.delay ? " (delay)" : "", import.reason.empty() ? "" : ": ", import.reason.c_str());
  }
  if (!info.exports.empty()) {
    std::printf("\n  exports\n");
    for (const auto& row : info.exports) {
      if (row.forward.empty())
        std::printf("    %5u  0x%08x  %s\n", row.ordinal, row.rva, row.name.c_str());
      else
        std::printf("    %5u              %s = %s\n", row.ordinal, row.name.c_str(), row.forward.c_str());
    }
  }
  if (!info.warnings.empty()) std::printf("\n");
  for (const auto& warning : info.warnings) std::printf("  note: %s\n", warning.c_str());
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
