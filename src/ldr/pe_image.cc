#include "src/ldr/pe_image.h"

#include <algorithm>
#include <cstring>

#include "src/ldr/context.h"

#include <fmt/format.h>

namespace nt::ldr {
namespace {

constexpr uint32_t kPage = 4096;
// Bounds on what is believed of a header: far above any driver, far below what would exhaust the process.
constexpr uint32_t kMaxImageBytes = 256u << 20;
constexpr uint32_t kMaxSections = 256;
constexpr size_t kMaxImports = 65536;
constexpr size_t kMaxExports = 65536;

uint64_t RoundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

template <class T>
std::optional<T> ReadAt(std::span<const std::byte> file, uint64_t offset) {
  if (offset > file.size() || sizeof(T) > file.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

template <class... A>
Status Fail(std::string* why, NTSTATUS status, fmt::format_string<A...> text, A&&... arguments) {
  if (why) *why = fmt::format(text, std::forward<A>(arguments)...);
  return status;
}

}  // namespace

std::optional<std::string_view> ImageView::Text(uint64_t rva, size_t limit) const {
  if (rva >= size_) return std::nullopt;
  const size_t available = static_cast<size_t>(std::min<uint64_t>(size_ - rva, limit));
  const auto* text = reinterpret_cast<const char*>(bytes_ + rva);
  const void* end = std::memchr(text, 0, available);
  if (!end) return std::nullopt;
  return std::string_view(text, static_cast<size_t>(static_cast<const char*>(end) - text));
}

Result<PeImage> PeImage::Parse(std::span<const std::byte> file, std::string* why) {
  using namespace pe;
  const auto dos = ReadAt<DosHeader>(file, 0);
  if (!dos || dos->magic != kDosMagic)
    return Fail(why, STATUS_INVALID_IMAGE_NOT_MZ, "not a PE image: it does not begin with an MZ header");
  const uint64_t header = dos->header_offset;
  const auto signature = ReadAt<uint32_t>(file, header);
  if (!signature) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "truncated: the PE header lies at {:#x}, past the end", header);
  if (*signature != kPeSignature)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "not a PE image: no PE signature at {:#x}", header);
  const auto coff = ReadAt<FileHeader>(file, header + 4);
  if (!coff) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "truncated inside the COFF header");
  if (coff->machine != kMachineAmd64)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "built for machine {:#06x}{}; only x64 (0x8664) images load", coff->machine,
                coff->machine == 0x14c ? " (32-bit x86)" : coff->machine == 0xaa64 ? " (ARM64)" : "");
  const uint64_t optional_offset = header + 4 + sizeof(FileHeader);
  const auto magic = ReadAt<uint16_t>(file, optional_offset);
  if (!magic) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "truncated before the optional header");
  if (*magic == kOptional32) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "a 32-bit (PE32) image; only PE32+ images load");
  if (*magic != kOptional64)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "optional header magic {:#x} is not PE32+ (0x20b)", *magic);
  const auto optional = ReadAt<OptionalHeader64>(file, optional_offset);
  if (!optional || coff->optional_header_bytes < sizeof(OptionalHeader64))
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "truncated inside the optional header");
  if (!(coff->characteristics & kFileExecutable))
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "not an executable image (an object file, or a failed link)");
  if (optional->subsystem != kSubsystemNative)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "subsystem {} is not native (1): a program or user-mode library, not a driver",
                optional->subsystem);
  if (optional->section_alignment < kPage)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT,
                "section alignment {:#x} is below a page: its sections cannot have memory protection of their own",
                optional->section_alignment);
  if ((optional->section_alignment & (optional->section_alignment - 1)) != 0)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "section alignment {:#x} is not a power of two", optional->section_alignment);
  if (optional->image_bytes == 0 || optional->image_bytes > kMaxImageBytes)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "image size {:#x} is out of reason", optional->image_bytes);
  if (optional->image_base % 0x10000 != 0)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "image base {:#x} is not a multiple of 64 KiB", optional->image_base);

  PeImage image;
  image.preferred_base = optional->image_base;
  image.image_bytes = static_cast<uint32_t>(RoundUp(optional->image_bytes, kPage));
  image.header_bytes = optional->header_bytes;
  image.entry_rva = optional->entry_rva;
  image.timestamp = coff->timestamp;
  image.subsystem = optional->subsystem;
  image.machine = coff->machine;
  image.symbol_table = coff->symbol_table;
  image.symbol_count = coff->symbol_count;
  if (image.header_bytes > image.image_bytes || image.header_bytes > file.size())
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "truncated: headers of {:#x} bytes do not fit", image.header_bytes);

  const uint32_t directories = std::min<uint32_t>(optional->directory_count, 16);
  if (coff->optional_header_bytes < sizeof(OptionalHeader64) + directories * sizeof(DataDirectory))
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "the optional header is too short for its {} data directories", directories);
  for (uint32_t i = 0; i < directories; i++) {
    const auto directory = ReadAt<DataDirectory>(file, optional_offset + sizeof(OptionalHeader64) + i * sizeof(DataDirectory));
    if (!directory) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "truncated inside the data directories");
    // Directory 4 (certificates) is a file offset, of no interest here.
    if (i != 4 && directory->rva != 0 && directory->bytes != 0) {
      if (directory->rva > image.image_bytes || directory->bytes > image.image_bytes - directory->rva)
        return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "data directory {} ({:#x}, {:#x} bytes) lies outside the image", i,
                    directory->rva, directory->bytes);
      image.directories[i] = *directory;
    }
  }
  if (image.directories[kDirectoryTls].bytes)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "it has thread-local storage, which drivers cannot have");
  if (image.directories[kDirectoryClr].bytes) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "a .NET image, not a driver");

  if (coff->section_count == 0 || coff->section_count > kMaxSections)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "{} sections", coff->section_count);
  const uint64_t table = optional_offset + coff->optional_header_bytes;
  uint64_t next_rva = RoundUp(image.header_bytes, kPage);
  for (uint32_t i = 0; i < coff->section_count; i++) {
    const auto raw = ReadAt<SectionHeader>(file, table + i * sizeof(SectionHeader));
    if (!raw) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "truncated inside the section table");
    PeSection section;
    section.number = i + 1;
    section.name.assign(raw->name, strnlen(raw->name, sizeof raw->name));
    section.rva = raw->rva;
    section.virtual_bytes = raw->virtual_bytes ? raw->virtual_bytes : raw->file_bytes;
    section.file_offset = raw->file_offset;
    section.file_bytes = raw->file_offset ? raw->file_bytes : 0;
    section.characteristics = raw->characteristics;
    for (char& c : section.name)
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
    if (section.virtual_bytes == 0) continue;
    if (section.rva % kPage != 0)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "section {} at {:#x} does not begin on a page", section.name, section.rva);
    if (section.rva < next_rva)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "section {} at {:#x} overlaps what lies before it", section.name, section.rva);
    if (section.rva > image.image_bytes || section.virtual_bytes > image.image_bytes - section.rva)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "section {} ({:#x}, {:#x} bytes) ends outside the image", section.name,
                  section.rva, section.virtual_bytes);
    if (section.file_bytes != 0 &&
        (section.file_offset > file.size() || section.file_bytes > file.size() - section.file_offset))
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "truncated: section {} needs bytes {:#x}-{:#x} of a file of {:#x}",
                  section.name, section.file_offset, uint64_t{section.file_offset} + section.file_bytes, file.size());
    next_rva = RoundUp(uint64_t{section.rva} + section.virtual_bytes, kPage);
    image.sections.push_back(std::move(section));
  }
  if (image.sections.empty()) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "every section is empty");
  if (image.entry_rva != 0) {
    const bool in_code = std::any_of(image.sections.begin(), image.sections.end(), [&](const PeSection& section) {
      return (section.characteristics & kSectionExecute) && image.entry_rva - section.rva < section.virtual_bytes;
    });
    if (!in_code)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "the entry point {:#x} lies in no executable section", image.entry_rva);
  }
  image.relocatable = !(coff->characteristics & kFileRelocationsStripped);
  return image;
}

void PeImage::LayOut(std::span<const std::byte> file, const ImageView& view) const {
  std::memcpy(view.data(), file.data(), header_bytes);
  for (const PeSection& section : sections) {
    const uint32_t bytes = std::min<uint32_t>(section.file_bytes, static_cast<uint32_t>(RoundUp(section.virtual_bytes, kPage)));
    if (bytes) std::memcpy(view.data() + section.rva, file.data() + section.file_offset, bytes);
  }
}

Status PeImage::Relocate(const ImageView& view, uint64_t delta, std::string* why) const {
  if (delta == 0) return STATUS_SUCCESS;
  if (!relocatable)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "its relocations are stripped and its base {:#x} cannot be used", preferred_base);
  const auto& directory = directories[pe::kDirectoryRelocation];
  uint64_t at = directory.rva;
  const uint64_t end = at + directory.bytes;
  while (end - at >= sizeof(pe::RelocationBlock)) {
    const auto block = view.Read<pe::RelocationBlock>(at);
    if (!block) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "a relocation block lies outside the image");
    if (block->bytes == 0 && block->page_rva == 0) break;  // padding
    if (block->bytes < sizeof(pe::RelocationBlock) || block->bytes > end - at)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "relocation block at {:#x} has a length of {:#x}", at, block->bytes);
    for (uint64_t entry = at + sizeof(pe::RelocationBlock); entry + 2 <= at + block->bytes; entry += 2) {
      const uint16_t word = *view.Read<uint16_t>(entry);
      const uint64_t target = uint64_t{block->page_rva} + (word & 0xfff);
      switch (word >> 12) {
        case pe::kRelocationAbsolute:
          break;
        case pe::kRelocationDir64: {
          const auto value = view.Read<uint64_t>(target);
          if (!value || target < header_bytes)
            return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "a relocation targets {:#x}, outside the sections", target);
          view.Write<uint64_t>(target, *value + delta);
          break;
        }
        case pe::kRelocationHighLow: {
          const auto value = view.Read<uint32_t>(target);
          if (!value || target < header_bytes)
            return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "a relocation targets {:#x}, outside the sections", target);
          // 32 bits cannot hold an address of the image range.
          return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "it has 32-bit relocations (at {:#x}), which no 64-bit base satisfies", target);
        }
        default:
          return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "relocation type {} at {:#x} is not one of x64", word >> 12, target);
      }
    }
    at += block->bytes;
  }
  return STATUS_SUCCESS;
}

namespace {

Status ReadThunks(const ImageView& view, const std::string& module, uint32_t lookup, uint32_t addresses, bool delay,
                  std::vector<PeImport>* imports, std::string* why) {
  for (uint64_t i = 0;; i++) {
    const auto thunk = view.Read<uint64_t>(lookup + i * 8);
    if (!thunk) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "the import list of {} runs out of the image", module);
    if (*thunk == 0) return STATUS_SUCCESS;
    PeImport import;
    import.module = module;
    import.delay = delay;
    if (*thunk & pe::kOrdinalFlag) {
      import.by_ordinal = true;
      import.name = fmt::format("#{}", static_cast<uint16_t>(*thunk));
    } else {
      const auto name = view.Text(static_cast<uint32_t>(*thunk) + 2ull, 512);
      if ((*thunk >> 31) != 0 || !name || name->empty())
        return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "an import of {} has no name", module);
      import.name = *name;
    }
    const uint64_t slot = addresses + i * 8;
    if (!view.Has(slot, 8) || slot < 64)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "the address table of {} runs out of the image", module);
    if (imports->size() >= kMaxImports) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "more than {} imports", kMaxImports);
    import.slot_rva = static_cast<uint32_t>(slot);
    imports->push_back(std::move(import));
  }
}

}  // namespace

Status PeImage::ReadImports(const ImageView& view, std::vector<PeImport>* imports, std::string* why) const {
  const auto& directory = directories[pe::kDirectoryImport];
  if (directory.bytes) {
    for (uint64_t at = directory.rva;; at += sizeof(pe::ImportDescriptor)) {
      const auto descriptor = view.Read<pe::ImportDescriptor>(at);
      if (!descriptor) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "the import directory runs out of the image");
      if (descriptor->name_rva == 0 && descriptor->address_rva == 0) break;
      const auto module = view.Text(descriptor->name_rva, 256);
      if (!module || module->empty()) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "an import descriptor has no module name");
      const uint32_t lookup = descriptor->lookup_rva ? descriptor->lookup_rva : descriptor->address_rva;
      NT_TRY(ReadThunks(view, std::string(*module), lookup, descriptor->address_rva, false, imports, why));
    }
  }
  const auto& delay = directories[pe::kDirectoryDelayImport];
  if (delay.bytes) {
    for (uint64_t at = delay.rva;; at += sizeof(pe::DelayDescriptor)) {
      const auto descriptor = view.Read<pe::DelayDescriptor>(at);
      if (!descriptor) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "the delay import directory runs out of the image");
      if (descriptor->name_rva == 0 && descriptor->address_rva == 0) break;
      if (!(descriptor->attributes & 1))
        return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "its delay imports hold addresses (a format of 32-bit images)");
      const auto module = view.Text(descriptor->name_rva, 256);
      if (!module || module->empty()) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "a delay import has no module name");
      NT_TRY(ReadThunks(view, std::string(*module), descriptor->lookup_rva, descriptor->address_rva, true, imports, why));
    }
  }
  return STATUS_SUCCESS;
}

Status PeImage::ReadExports(const ImageView& view, std::vector<PeExport>* exports, std::string* why) const {
  const auto& directory = directories[pe::kDirectoryExport];
  if (!directory.bytes) return STATUS_SUCCESS;
  const auto table = view.Read<pe::ExportDirectory>(directory.rva);
  if (!table) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "the export directory is truncated");
  if (table->name_count > kMaxExports || table->function_count > kMaxExports)
    return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "more than {} exports", kMaxExports);
  std::vector<bool> named(table->function_count);
  const auto add = [&](std::string name, uint32_t index, uint32_t rva) {
    PeExport row{std::move(name), rva, rva - directory.rva < directory.bytes, {}, table->ordinal_base + index};
    if (row.forwarder) row.forward = view.Text(rva, 512).value_or("");
    exports->push_back(std::move(row));
  };
  for (uint32_t i = 0; i < table->name_count; i++) {
    const auto name_rva = view.Read<uint32_t>(table->names_rva + i * 4ull);
    const auto ordinal = view.Read<uint16_t>(table->ordinals_rva + i * 2ull);
    const auto name = name_rva ? view.Text(*name_rva, 512) : std::nullopt;
    if (!name || !ordinal || *ordinal >= table->function_count)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "export {} has no name or no address", i);
    const auto rva = view.Read<uint32_t>(table->functions_rva + *ordinal * 4ull);
    if (!rva || *rva >= image_bytes)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "export {} lies outside the image", std::string(*name));
    add(std::string(*name), *ordinal, *rva);
    named[*ordinal] = true;
  }
  for (uint32_t i = 0; i < table->function_count; i++) {
    const auto rva = view.Read<uint32_t>(table->functions_rva + i * 4ull);
    if (!named[i] && rva && *rva && *rva < image_bytes) add(fmt::format("#{}", table->ordinal_base + i), i, *rva);
  }
  std::sort(exports->begin(), exports->end(), [](const PeExport& a, const PeExport& b) { return a.name < b.name; });
  return STATUS_SUCCESS;
}

Status PeImage::CheckFunctions(const ImageView& view, std::string* why) const {
  const auto& directory = directories[pe::kDirectoryException];
  if (!directory.bytes) return STATUS_SUCCESS;
  if (directory.rva % 4 != 0) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, ".pdata is not aligned");
  const uint32_t count = directory.bytes / sizeof(RuntimeFunction);
  uint32_t previous_end = 0;
  for (uint32_t i = 0; i < count; i++) {
    const auto row = view.Read<RuntimeFunction>(directory.rva + i * sizeof(RuntimeFunction));
    if (!row || row->begin >= row->end || row->end > image_bytes || row->begin < previous_end)
      return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "row {} of .pdata is out of order or outside the image", i);
    previous_end = row->end;
    uint32_t unwind = row->unwind;
    if (unwind & 1) {
      const auto other = view.Read<RuntimeFunction>(unwind & ~1u);
      if (!other || (other->unwind & 1) || other->begin >= other->end || other->end > image_bytes)
        return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "row {} of .pdata refers to a row that is none", i);
      unwind = other->unwind;
    }
    for (unsigned depth = 0;; depth++) {
      const auto info = view.Read<UnwindInfo>(unwind);
      if (!info || unwind % 2 != 0 || depth > 32 || (info->version() != 1 && info->version() != 2))
        return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "unwind data at {:#x} (row {} of .pdata) is malformed", unwind, i);
      const uint64_t codes_at = unwind + sizeof(UnwindInfo);
      const uint64_t after = codes_at + ((info->count + 1u) & ~1u) * 2u;
      unsigned code = 0;
      while (code < info->count) {
        const auto raw = view.Read<UnwindCode>(codes_at + code * 2u);
        if (!raw) return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "unwind codes at {:#x} run out of the image", unwind);
        switch (raw->op()) {
          case UnwindOp::kAllocateLarge:
            code += raw->info() ? 3 : 2;
            break;
          case UnwindOp::kSaveNonvolatile:
          case UnwindOp::kSaveXmm:
            code += 2;
            break;
          case UnwindOp::kSaveNonvolatileFar:
          case UnwindOp::kSaveXmmFar:
            code += 3;
            break;
          case UnwindOp::kPushNonvolatile:
          case UnwindOp::kAllocateSmall:
          case UnwindOp::kSetFrame:
          case UnwindOp::kMachineFrame:
          case UnwindOp::kEpilog:
            code += 1;
            break;
          default:
            return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "unwind data at {:#x} has the unknown code {}", unwind,
                        static_cast<unsigned>(raw->op()));
        }
      }
      if (code != info->count && !(info->version() == 2))
        return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "unwind codes at {:#x} end inside a code", unwind);
      if (info->flags() & kUnwindChained) {
        const auto chained = view.Read<RuntimeFunction>(after);
        if (!chained || (chained->unwind & 1) || chained->begin >= chained->end || chained->end > image_bytes)
          return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "unwind data at {:#x} is chained to nothing", unwind);
        unwind = chained->unwind;
        continue;
      }
      if (info->flags() & (kUnwindExceptionHandler | kUnwindTerminationHandler)) {
        const auto handler = view.Read<uint32_t>(after);
        if (!handler || *handler >= image_bytes)
          return Fail(why, STATUS_INVALID_IMAGE_FORMAT, "the language handler of {:#x} lies outside the image", row->begin);
      }
      break;
    }
  }
  return STATUS_SUCCESS;
}

uint32_t PeImage::SecurityCookieRva(const ImageView& view, uint64_t base) const {
  const auto& directory = directories[pe::kDirectoryLoadConfig];
  if (!directory.bytes) return 0;
  const auto bytes = view.Read<uint32_t>(directory.rva);
  if (!bytes || *bytes < 0x60) return 0;
  const auto address = view.Read<uint64_t>(directory.rva + 0x58);
  if (!address || *address <= base || *address - base >= image_bytes) return 0;
  return static_cast<uint32_t>(*address - base);
}

}  // namespace nt::ldr
