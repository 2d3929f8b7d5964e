#include "src/ldr/pe_details.h"

#include <fmt/format.h>

#include <cstring>

#include "src/ldr/context.h"

namespace nt::ldr {
namespace {

template <class T>
std::optional<T> ReadAt(std::span<const std::byte> file, uint64_t offset) {
  if (offset > file.size() || sizeof(T) > file.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

/// The sum of all 16-bit words but those of the field itself, carries folded in, plus the length.
uint32_t Checksum(std::span<const std::byte> file, uint64_t field) {
  uint64_t sum = 0;
  for (uint64_t at = 0; at < file.size(); at += 2) {
    if (at == field || at == field + 2) continue;
    const auto low = static_cast<uint8_t>(file[at]);
    const auto high = at + 1 < file.size() ? static_cast<uint8_t>(file[at + 1]) : uint8_t{0};
    sum += static_cast<uint32_t>(low | high << 8);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint32_t>(sum + file.size());
}

void ReadHeaders(std::span<const std::byte> file, ImageDetails* details) {
  const auto dos = ReadAt<pe::DosHeader>(file, 0);
  if (!dos) return;
  const uint64_t at = dos->header_offset + 4ull + sizeof(pe::FileHeader);
  const auto header = ReadAt<pe::OptionalHeader64>(file, at);
  if (!header) return;
  details->linker_major = header->linker_major;
  details->linker_minor = header->linker_minor;
  details->os_major = header->os_major;
  details->os_minor = header->os_minor;
  details->subsystem_major = header->subsystem_major;
  details->subsystem_minor = header->subsystem_minor;
  details->dll_characteristics = header->dll_characteristics;
  details->checksum = header->checksum;
  details->computed_checksum = Checksum(file, at + offsetof(pe::OptionalHeader64, checksum));
  constexpr unsigned kCertificates = 4;
  if (header->directory_count > kCertificates)
    if (const auto directory =
            ReadAt<pe::DataDirectory>(file, at + sizeof *header + kCertificates * sizeof(pe::DataDirectory)))
      details->certificate_bytes = directory->bytes;
}

uint32_t CountRelocations(const PeImage& image, const ImageView& view) {
  const auto& directory = image.directories[pe::kDirectoryRelocation];
  uint32_t count = 0;
  for (uint64_t at = 0; at + sizeof(pe::RelocationBlock) <= directory.bytes;) {
    const auto block = view.Read<pe::RelocationBlock>(directory.rva + at);
    if (!block || block->bytes < sizeof(pe::RelocationBlock)) break;
    for (uint64_t i = sizeof(pe::RelocationBlock); i + 2 <= block->bytes; i += 2) {
      const auto word = view.Read<uint16_t>(directory.rva + at + i);
      if (word && *word >> 12 != pe::kRelocationAbsolute) count++;
    }
    at += block->bytes;
  }
  return count;
}

void CountFunctions(const PeImage& image, const ImageView& view, ImageDetails* details) {
  const auto& directory = image.directories[pe::kDirectoryException];
  details->function_count = directory.bytes / sizeof(RuntimeFunction);
  for (uint32_t i = 0; i < details->function_count; i++) {
    const auto row = view.Read<RuntimeFunction>(directory.rva + i * sizeof(RuntimeFunction));
    const auto info = row && !(row->unwind & 1) ? view.Read<UnwindInfo>(row->unwind) : std::nullopt;
    if (info && (info->flags() & (kUnwindExceptionHandler | kUnwindTerminationHandler))) details->handler_count++;
  }
}

/// IMAGE_LOAD_CONFIG_DIRECTORY64: GuardCFFunctionCount, GuardFlags.
void ReadGuard(const PeImage& image, const ImageView& view, ImageDetails* details) {
  constexpr uint32_t kCount = 0x88, kFlags = 0x90;
  const auto& directory = image.directories[pe::kDirectoryLoadConfig];
  const auto bytes = directory.bytes ? view.Read<uint32_t>(directory.rva) : std::nullopt;
  if (!bytes || *bytes < kFlags + 4) return;
  details->guard_flags = view.Read<uint32_t>(directory.rva + kFlags).value_or(0);
  details->guard_function_count = view.Read<uint64_t>(directory.rva + kCount).value_or(0);
}

/// The CodeView record of the debug directory: 'RSDS', GUID, age, path.
void ReadPdb(const PeImage& image, const ImageView& view, ImageDetails* details) {
  struct Entry {
    uint32_t characteristics, timestamp;
    uint16_t major, minor;
    uint32_t type, bytes, rva, file_offset;
  };
  struct Record {
    uint32_t signature;
    uint32_t data1;
    uint16_t data2, data3;
    uint8_t data4[8];
    uint32_t age;
  };
  constexpr unsigned kDirectoryDebug = 6;
  constexpr uint32_t kCodeView = 2, kRsds = 0x53445352;
  const auto& directory = image.directories[kDirectoryDebug];
  for (uint64_t at = 0; at + sizeof(Entry) <= directory.bytes; at += sizeof(Entry)) {
    const auto entry = view.Read<Entry>(directory.rva + at);
    if (!entry || entry->type != kCodeView) continue;
    const auto record = view.Read<Record>(entry->rva);
    const auto path = view.Text(entry->rva + sizeof(Record), 1024);
    if (!record || record->signature != kRsds || !path) continue;
    details->pdb = *path;
    for (char& c : details->pdb)
      if (static_cast<unsigned char>(c) < 0x20) c = '?';
    const uint8_t* d = record->data4;
    details->pdb_id =
        fmt::format("{{{:08X}-{:04X}-{:04X}-{:02X}{:02X}-{:02X}{:02X}{:02X}{:02X}{:02X}{:02X}}} {}", record->data1,
                    record->data2, record->data3, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], record->age);
    return;
  }
}

/// The data of the first resource of a type, three levels down: type, name, language.
std::optional<uint32_t> FindResource(const ImageView& view, uint32_t root, uint32_t type) {
  struct Directory {
    uint32_t characteristics, timestamp;
    uint16_t major, minor, named, numbered;
  };
  struct Entry {
    uint32_t id, offset;
  };
  constexpr uint32_t kSubdirectory = 0x80000000;
  uint32_t at = 0;
  for (unsigned level = 0; level < 3; level++) {
    const auto directory = view.Read<Directory>(uint64_t{root} + at);
    if (!directory) return std::nullopt;
    std::optional<Entry> found;
    const uint32_t count = directory->named + directory->numbered;
    for (uint32_t i = 0; i < count && !found; i++) {
      const auto entry = view.Read<Entry>(uint64_t{root} + at + sizeof(Directory) + i * sizeof(Entry));
      if (!entry) return std::nullopt;
      if (level > 0 || entry->id == type) found = entry;
    }
    if (!found || (level < 2) != ((found->offset & kSubdirectory) != 0)) return std::nullopt;
    at = found->offset & ~kSubdirectory;
  }
  return view.Read<uint32_t>(uint64_t{root} + at);
}

void ReadVersion(const PeImage& image, const ImageView& view, ImageDetails* details) {
  struct FixedInfo {
    uint32_t signature, structure_version, high, low;
  };
  constexpr unsigned kDirectoryResource = 2;
  constexpr uint32_t kVersion = 16, kSignature = 0xFEEF04BD,
                     kOffset = 40;  // behind lengths, type and "VS_VERSION_INFO"
  const auto& directory = image.directories[kDirectoryResource];
  if (!directory.bytes) return;
  const auto data = FindResource(view, directory.rva, kVersion);
  const auto fixed = data ? view.Read<FixedInfo>(uint64_t{*data} + kOffset) : std::nullopt;
  if (!fixed || fixed->signature != kSignature) return;
  details->file_version =
      fmt::format("{}.{}.{}.{}", fixed->high >> 16, fixed->high & 0xffff, fixed->low >> 16, fixed->low & 0xffff);
}

}  // namespace

ImageDetails ReadDetails(const PeImage& image, std::span<const std::byte> file, const ImageView& view) {
  ImageDetails details;
  ReadHeaders(file, &details);
  details.relocation_count = CountRelocations(image, view);
  CountFunctions(image, view, &details);
  details.cookie_rva = image.SecurityCookieRva(view, image.preferred_base);
  ReadGuard(image, view, &details);
  ReadPdb(image, view, &details);
  ReadVersion(image, view, &details);
  return details;
}

}  // namespace nt::ldr
