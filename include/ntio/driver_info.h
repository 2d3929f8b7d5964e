// DriverInfo: what a .sys file is and needs, without loading it. No machine has to be booted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ntio {

struct ImportInfo {
  enum class State { kPresent, kPartial, kAbsent };
  std::string module;  // "ntoskrnl.exe"
  std::string name;
  State state = State::kAbsent;
  std::string reason;  // of partial and absent
  bool delay = false;  // needed at its first call only
};

struct ExportInfo {
  std::string name;     // "#5" when it has an ordinal only
  std::string forward;  // "module.name" when another module has it
  uint32_t ordinal = 0;
  uint32_t rva = 0;
};

struct SectionInfo {
  std::string name;
  uint32_t rva = 0;
  uint32_t virtual_bytes = 0;
  uint32_t file_bytes = 0;
  uint32_t characteristics = 0;  // IMAGE_SCN_*
};

struct DriverInfo {
  std::string path;
  bool well_formed = false;  // false: `why` says what is wrong with the file, the rest is empty
  bool loads = false;
  std::string why;
  uint64_t preferred_base = 0;
  uint32_t image_bytes = 0;
  uint32_t entry_rva = 0;
  uint32_t timestamp = 0;
  uint16_t subsystem = 0;
  uint16_t linker_version = 0, os_version = 0, subsystem_version = 0;  // major << 8 | minor
  uint16_t dll_characteristics = 0;                                    // IMAGE_DLLCHARACTERISTICS_*
  uint32_t checksum = 0, computed_checksum = 0;
  uint32_t signature_bytes = 0;  // an embedded signature; not checked
  uint32_t relocations = 0;
  uint32_t functions = 0, functions_with_handler = 0;  // of .pdata
  uint32_t cookie_rva = 0;                             // __security_cookie; 0: compiled without /GS
  uint32_t guard_flags = 0;                            // IMAGE_GUARD_*
  uint64_t guard_functions = 0;
  std::string pdb, pdb_id;   // as the linker wrote it; "{GUID} AGE"
  std::string file_version;  // of the version resource
  std::vector<SectionInfo> sections;
  std::vector<ImportInfo> imports;
  std::vector<ExportInfo> exports;
  std::vector<std::string> warnings;
};

/// @param driver  a path, or the bare name of a shipped driver
DriverInfo InspectDriver(const std::string& driver);

/// Where a driver's file is: a path as given; a bare name ("fat") in the shipped drivers beside the program. Empty when
/// there is no such file.
std::string FindDriver(const std::string& driver);

}  // namespace ntio
