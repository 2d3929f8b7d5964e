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
  std::vector<SectionInfo> sections;
  std::vector<ImportInfo> imports;
  std::vector<std::string> exports;
  std::vector<std::string> warnings;
};

/// @param driver  a path, or the bare name of a shipped driver
DriverInfo InspectDriver(const std::string& driver);

/// Where a driver's file is: a path as given; a bare name ("fat") in the shipped drivers beside the program. Empty when there
/// is no such file.
std::string FindDriver(const std::string& driver);

}  // namespace ntio
