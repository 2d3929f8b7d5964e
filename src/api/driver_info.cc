// Finding and inspecting drivers.
#include "ntio/driver_info.h"

#include "src/host/program.h"
#include "src/ldr/ldr.h"

namespace ntio {

namespace {

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

std::string FindDriver(const std::string& driver) {
  if (host::IsRegularFile(driver)) return driver;
  if (driver.find('/') != std::string::npos) return {};
  // A bare name: in a build tree lib/libntio.so and drivers/fat.sys, installed lib/libntio.so and
  // lib/ntio/drivers/fat.sys.
  const std::string library = host::LibraryPath();
  const std::string directory = library.substr(0, library.rfind('/') + 1);
  const std::string name = EndsWith(driver, ".sys") ? driver : driver + ".sys";
  for (const char* place : {"../drivers/", "ntio/drivers/"}) {
    const std::string candidate = host::ResolvePath(directory + place + name);
    if (!candidate.empty() && host::IsRegularFile(candidate)) return candidate;
  }
  return {};
}

DriverInfo InspectDriver(const std::string& driver) {
  DriverInfo info;
  info.path = FindDriver(driver);
  if (info.path.empty()) {
    info.path = driver;
    info.why = "there is no such file, and no shipped driver of that name";
    return info;
  }
  const auto report = nt::ldr::InspectImage(info.path);
  info.well_formed = report.well_formed;
  info.loads = report.loads;
  info.why = report.why;
  info.preferred_base = report.preferred_base;
  info.image_bytes = report.size;
  info.entry_rva = report.entry_rva;
  info.timestamp = report.timestamp;
  info.subsystem = report.subsystem;
  for (const auto& section : report.sections)
    info.sections.push_back(
        {section.name, section.rva, section.virtual_bytes, section.file_bytes, section.characteristics});
  for (const auto& import : report.imports)
    info.imports.push_back(
        {import.module, import.name, static_cast<ImportInfo::State>(import.state), import.reason, import.delay});
  for (const auto& row : report.exports) info.exports.push_back({row.name, row.forward, row.ordinal, row.rva});
  const auto& details = report.details;
  const auto version = [](unsigned major, unsigned minor) {
    return static_cast<uint16_t>(major << 8 | (minor & 0xff));
  };
  info.linker_version = version(details.linker_major, details.linker_minor);
  info.os_version = version(details.os_major, details.os_minor);
  info.subsystem_version = version(details.subsystem_major, details.subsystem_minor);
  info.dll_characteristics = details.dll_characteristics;
  info.checksum = details.checksum;
  info.computed_checksum = details.computed_checksum;
  info.signature_bytes = details.certificate_bytes;
  info.relocations = details.relocation_count;
  info.functions = details.function_count;
  info.functions_with_handler = details.handler_count;
  info.cookie_rva = details.cookie_rva;
  info.guard_flags = details.guard_flags;
  info.guard_functions = details.guard_function_count;
  info.pdb = details.pdb;
  info.pdb_id = details.pdb_id;
  info.file_version = details.file_version;
  info.warnings = report.warnings;
  return info;
}

}  // namespace ntio
