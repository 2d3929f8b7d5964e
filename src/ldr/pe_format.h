// Structures of the PE32+ file format (learn.microsoft.com: "PE Format"), as they lie in a file.
#pragma once

#include <cstdint>

namespace nt::ldr::pe {

#pragma pack(push, 1)

struct DosHeader {
  uint16_t magic;  // 'MZ'
  uint8_t rest[58];
  uint32_t header_offset;
};
static_assert(sizeof(DosHeader) == 64);

struct FileHeader {
  uint16_t machine;
  uint16_t section_count;
  uint32_t timestamp;
  uint32_t symbol_table;
  uint32_t symbol_count;
  uint16_t optional_header_bytes;
  uint16_t characteristics;
};
static_assert(sizeof(FileHeader) == 20);

struct DataDirectory {
  uint32_t rva, bytes;
};

struct OptionalHeader64 {
  uint16_t magic;
  uint8_t linker_major, linker_minor;
  uint32_t code_bytes, data_bytes, bss_bytes;
  uint32_t entry_rva;
  uint32_t code_base;
  uint64_t image_base;
  uint32_t section_alignment, file_alignment;
  uint16_t os_major, os_minor, image_major, image_minor, subsystem_major, subsystem_minor;
  uint32_t win32_version;
  uint32_t image_bytes, header_bytes;
  uint32_t checksum;
  uint16_t subsystem;
  uint16_t dll_characteristics;
  uint64_t stack_reserve, stack_commit, heap_reserve, heap_commit;
  uint32_t loader_flags;
  uint32_t directory_count;
};
static_assert(sizeof(OptionalHeader64) == 112);

struct SectionHeader {
  char name[8];
  uint32_t virtual_bytes, rva;
  uint32_t file_bytes, file_offset;
  uint32_t relocations, line_numbers;
  uint16_t relocation_count, line_number_count;
  uint32_t characteristics;
};
static_assert(sizeof(SectionHeader) == 40);

struct ImportDescriptor {
  uint32_t lookup_rva, timestamp, forwarder, name_rva, address_rva;
};
static_assert(sizeof(ImportDescriptor) == 20);

struct DelayDescriptor {
  uint32_t attributes, name_rva, module_rva, address_rva, lookup_rva, bound_rva, unload_rva, timestamp;
};
static_assert(sizeof(DelayDescriptor) == 32);

struct ExportDirectory {
  uint32_t characteristics, timestamp;
  uint16_t major, minor;
  uint32_t name_rva, ordinal_base, function_count, name_count, functions_rva, names_rva, ordinals_rva;
};
static_assert(sizeof(ExportDirectory) == 40);

struct RelocationBlock {
  uint32_t page_rva, bytes;
};

struct Symbol {
  union {
    char text[8];
    struct {
      uint32_t zeroes, offset;
    } string;
  } name;
  uint32_t value;
  int16_t section;
  uint16_t type;
  uint8_t storage_class;
  uint8_t aux_count;
};
static_assert(sizeof(Symbol) == 18);

#pragma pack(pop)

inline constexpr uint16_t kDosMagic = 0x5A4D, kMachineAmd64 = 0x8664, kOptional64 = 0x20B, kOptional32 = 0x10B;
inline constexpr uint32_t kPeSignature = 0x00004550;
inline constexpr uint16_t kSubsystemNative = 1;

inline constexpr unsigned kDirectoryExport = 0, kDirectoryImport = 1, kDirectoryException = 3, kDirectoryRelocation = 5,
                          kDirectoryTls = 9, kDirectoryLoadConfig = 10, kDirectoryDelayImport = 13, kDirectoryClr = 14;

inline constexpr uint16_t kFileExecutable = 0x0002, kFileRelocationsStripped = 0x0001, kFileDll = 0x2000;

inline constexpr uint32_t kSectionCode = 0x20, kSectionUninitialized = 0x80, kSectionDiscardable = 0x02000000,
                          kSectionExecute = 0x20000000, kSectionRead = 0x40000000, kSectionWrite = 0x80000000;

inline constexpr uint64_t kOrdinalFlag = 1ull << 63;
inline constexpr unsigned kRelocationAbsolute = 0, kRelocationHigh = 1, kRelocationLow = 2, kRelocationHighLow = 3,
                          kRelocationHighAdj = 4, kRelocationDir64 = 10;

}  // namespace nt::ldr::pe
