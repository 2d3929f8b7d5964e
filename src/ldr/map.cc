// Loading: a checked PE file becomes mapped, bound, protected memory in the image range.
//
// No page is ever writable and executable at once: everything is written first, then each section gets its protection. A
// section that asks for both becomes read-execute, and the image carries a warning that says so.
// Lock: g_lock (kLoader), over the table of images. Driver code does not run here.

#include <algorithm>
#include <cstring>
#include <deque>

#include <fmt/format.h>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/host/host.h"
#include "src/ldr/binding.h"
#include "src/ldr/crt_image.h"
#include "src/ldr/fault.h"
#include "src/ldr/image_table.h"
#include "src/ldr/pe_image.h"
#include "src/ldr/trampolines.h"

/// A place for debuggers: tools/gdb/ntio.py stops here and adds the symbols of `path`, moved by `delta`.
extern "C" [[gnu::noinline, gnu::used]] void nt_image_loaded(const char* path, uint64_t base, int64_t delta) {
  __asm__ volatile("" : : "r"(path), "r"(base), "r"(delta) : "memory");
}
extern "C" [[gnu::noinline, gnu::used]] void nt_image_unloaded(const char* path, uint64_t base) {
  __asm__ volatile("" : : "r"(path), "r"(base) : "memory");
}

namespace nt::ldr {

std::atomic<Image*> g_image_slots[kSlotCount];

namespace {

constexpr uint32_t kThunkBytes = 32;

/// An image with what only the loader knows of it.
struct LoadedImage : Image {
  std::deque<MissingImportRecord> thunk_records;
};

Lock g_lock{LockRank::kLoader};
std::vector<LoadedImage*> g_images NT_GUARDED_BY(g_lock);
uint64_t g_next_slot NT_GUARDED_BY(g_lock) = 0;

uint64_t PagesOf(uint64_t bytes) { return (bytes + host::kPageBytes - 1) & ~uint64_t{host::kPageBytes - 1}; }

std::string LastPart(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// Reserves `bytes` on a free run of slots. Addresses go round the range, so that a stale pointer into an unloaded image
/// faults rather than meets the next one.
uint64_t ReserveSlots(uint64_t bytes) NT_REQUIRES(g_lock) {
  const uint64_t wanted = (bytes + kSlotBytes - 1) / kSlotBytes;
  for (uint64_t tried = 0; tried < kSlotCount; tried++) {
    const uint64_t first = (g_next_slot + tried) % kSlotCount;
    if (first + wanted > kSlotCount) continue;
    bool free = true;
    for (uint64_t i = 0; i < wanted && free; i++) free = !g_image_slots[first + i].load(std::memory_order_relaxed);
    if (!free) continue;
    const uint64_t address = mm::kImageBase + first * kSlotBytes;
    if (!host::ReserveMemory(address, bytes)) continue;
    g_next_slot = (first + wanted) % kSlotCount;
    return address;
  }
  return 0;
}

void ReadSymbols(const PeImage& pe, std::span<const std::byte> file, Image* image) {
  const uint64_t bytes = uint64_t{pe.symbol_count} * sizeof(pe::Symbol);
  if (pe.symbol_table && pe.symbol_table <= file.size() && bytes <= file.size() - pe.symbol_table) {
    const std::byte* table = file.data() + pe.symbol_table;
    const uint64_t strings = pe.symbol_table + bytes;
    for (uint32_t i = 0; i < pe.symbol_count; i++) {
      pe::Symbol symbol;
      std::memcpy(&symbol, table + i * sizeof symbol, sizeof symbol);
      i += symbol.aux_count;
      if (symbol.storage_class != 2 && symbol.storage_class != 3) continue;  // external, static
      const auto section = std::find_if(pe.sections.begin(), pe.sections.end(), [&](const PeSection& candidate) {
        return symbol.section > 0 && candidate.number == static_cast<uint32_t>(symbol.section);
      });
      if (section == pe.sections.end() || !(section->characteristics & pe::kSectionExecute)) continue;
      if (symbol.value >= section->virtual_bytes) continue;
      std::string name;
      if (symbol.name.string.zeroes) {
        name.assign(symbol.name.text, strnlen(symbol.name.text, 8));
      } else {
        const uint64_t at = strings + symbol.name.string.offset;
        if (at >= file.size()) continue;
        const auto* text = reinterpret_cast<const char*>(file.data() + at);
        name.assign(text, strnlen(text, std::min<size_t>(file.size() - at, 512)));
      }
      if (name.empty() || name[0] == '.' || name[0] == '@') continue;
      image->symbols.push_back({section->rva + symbol.value, std::move(name)});
    }
  }
  for (const Image::Export& row : image->exports) image->symbols.push_back({row.rva, row.name});
  std::sort(image->symbols.begin(), image->symbols.end(), [](const Image::Symbol& a, const Image::Symbol& b) {
    return a.rva != b.rva ? a.rva < b.rva : a.name < b.name;
  });
}

/// `mov r10, record; mov r11, MissingImport's trampoline; jmp r11`.
void WriteThunk(std::byte* at, const MissingImportRecord* record) {
  const auto target = reinterpret_cast<uint64_t>(&ntio_missing_import_trampoline);
  const auto argument = reinterpret_cast<uint64_t>(record);
  uint8_t code[kThunkBytes] = {0x49, 0xBA, 0, 0, 0, 0, 0, 0, 0, 0, 0x49, 0xBB, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xFF, 0xE3};
  std::memcpy(code + 2, &argument, 8);
  std::memcpy(code + 12, &target, 8);
  std::memset(code + 23, 0xCC, kThunkBytes - 23);
  std::memcpy(at, code, kThunkBytes);
}

struct Bound {
  const PeImport* import;
  const void* address;  // nullptr: to a thunk
};

/// Resolves every import, or says which are missing.
Status Resolve(const std::string& driver, const std::vector<PeImport>& imports, const LoadOptions& options,
               std::vector<Bound>* bound, std::vector<std::string>* missing, std::string* why) {
  std::string list;
  size_t absent = 0;
  for (const PeImport& import : imports) {
    Binding binding = Bind(import.module, import.name, {});
    if (import.by_ordinal && !binding.address) binding.reason = "by ordinal; the runtime has names only";
    bound->push_back({&import, binding.address});
    if (binding.address) continue;
    missing->push_back(import.module + "!" + import.name);
    if (import.delay) continue;  // needed only when called
    const bool data = IsKnownData(import.name);
    if (options.lazy_imports && !data) continue;
    absent++;
    list += fmt::format("{}{}!{}{}", list.empty() ? "" : ", ", import.module, import.name,
                        binding.reason.empty() ? (data && options.lazy_imports ? " (a variable: cannot be bound lazily)" : "")
                                               : " (" + binding.reason + ")");
  }
  if (absent == 0) return STATUS_SUCCESS;
  if (why)
    *why = fmt::format("{}: {} import{} missing: {}", driver, absent, absent == 1 ? " is" : "s are", list);
  return STATUS_PROCEDURE_NOT_FOUND;
}

void Protect(const PeImage& pe, LoadedImage* image) {
  auto* base = reinterpret_cast<std::byte*>(image->base);
  const auto set = [](std::byte* at, uint64_t bytes, host::Access access) {
    if (bytes) CHECK(host::ProtectMemory(at, bytes, access) == 0);
  };
  uint64_t covered = PagesOf(pe.header_bytes);
  set(base, covered, host::Access::kRead);
  for (const PeSection& section : pe.sections) {
    if (section.rva > covered) set(base + covered, section.rva - covered, host::Access::kNone);
    const bool execute = section.characteristics & pe::kSectionExecute;
    const bool write = section.characteristics & pe::kSectionWrite;
    if (execute && write)
      image->warnings.push_back(fmt::format("section {} asks to be writable and executable; it was made read-execute", section.name));
    const uint64_t bytes = PagesOf(section.virtual_bytes);
    set(base + section.rva, bytes,
        execute ? host::Access::kReadExecute : write ? host::Access::kReadWrite : host::Access::kRead);
    if ((section.characteristics & pe::kSectionDiscardable) && section.name == "INIT")
      image->discardable.push_back({section.rva, static_cast<uint32_t>(bytes)});
    covered = section.rva + bytes;
  }
  if (image->size > covered) set(base + covered, image->size - covered, host::Access::kNone);
  if (image->mapped_bytes > image->size)
    set(base + image->size, image->mapped_bytes - image->size, host::Access::kReadExecute);
}

void SetCookie(const PeImage& pe, const ImageView& view, uint64_t base) {
  const uint32_t rva = pe.SecurityCookieRva(view, base);
  if (!rva) return;
  uint64_t cookie = 0;
  host::RandomBytes(std::as_writable_bytes(std::span(&cookie, 1)));
  // 48 bits, and not the value that says "not initialised".
  cookie &= 0x0000FFFFFFFFFFFF;
  if (cookie == 0x2B992DDFA232 || cookie == 0) cookie ^= 0x5a5a5a5a5a;
  if (const auto old = view.Read<uint64_t>(rva)) {
    view.Write(rva, cookie);
    // The complement follows the cookie in images that MSVC's start-up code would initialise.
    if (const auto complement = view.Read<uint64_t>(rva + 8); complement && *complement == ~*old) view.Write(rva + 8, ~cookie);
    if (const auto complement = view.Read<uint64_t>(rva - 8ull); complement && *complement == ~*old) view.Write(rva - 8ull, ~cookie);
  }
}

Result<Image*> LoadChecked(const std::string& path, std::span<const std::byte> file, const LoadOptions& options,
                           std::string* why) {
  std::string reason;
  auto parsed = PeImage::Parse(file, &reason);
  const std::string name = options.name.empty() ? LastPart(path) : options.name;
  const auto fail = [&](Status status) -> Result<Image*> {
    if (why) *why = reason.rfind(name, 0) == 0 ? reason : name + ": " + reason;
    return status;
  };
  if (!parsed.ok()) return fail(parsed.status());
  const PeImage& pe = parsed.value();

  // Binding needs the laid-out image and the number of thunks needs the binding; so lay out at the final place with room for
  // the most thunks there can be, and give back what is not used.
  std::unique_ptr<LoadedImage> image(new LoadedImage);
  LockGuard guard(g_lock);
  std::vector<std::byte> scratch(pe.image_bytes);
  const ImageView look(scratch.data(), pe.image_bytes);
  pe.LayOut(file, look);
  std::vector<PeImport> imports;
  if (Status status = pe.ReadImports(look, &imports, &reason); !status.ok()) return fail(status);
  std::vector<PeExport> exports;
  if (Status status = pe.ReadExports(look, &exports, &reason); !status.ok()) return fail(status);
  if (Status status = pe.CheckFunctions(look, &reason); !status.ok()) return fail(status);
  std::vector<Bound> bound;
  if (Status status = Resolve(name, imports, options, &bound, &image->missing_imports, &reason); !status.ok()) return fail(status);

  const uint64_t thunk_bytes = PagesOf(image->missing_imports.size() * kThunkBytes);
  const uint64_t mapped = pe.image_bytes + thunk_bytes;
  const uint64_t base = ReserveSlots(mapped);
  auto* memory = reinterpret_cast<std::byte*>(base);
  if (!base || host::CommitMemory(memory, mapped, host::Access::kReadWrite) != 0) {
    if (base) host::ReleaseMemory(memory, mapped);
    reason = "no room for it in the image range";
    return fail(STATUS_INSUFFICIENT_RESOURCES);
  }
  const ImageView view(memory, pe.image_bytes);
  std::memcpy(memory, scratch.data(), scratch.size());
  if (Status status = pe.Relocate(view, base - pe.preferred_base, &reason); !status.ok()) {
    host::ReleaseMemory(memory, mapped);
    return fail(status);
  }

  image->name = name;
  image->path = path;
  image->base = base;
  image->preferred_base = pe.preferred_base;
  image->size = pe.image_bytes;
  image->mapped_bytes = static_cast<uint32_t>(mapped);
  image->entry_rva = pe.entry_rva;
  image->timestamp = pe.timestamp;
  const auto& functions = pe.directories[pe::kDirectoryException];
  if (functions.bytes) {
    image->functions = reinterpret_cast<const RuntimeFunction*>(base + functions.rva);
    image->function_count = functions.bytes / sizeof(RuntimeFunction);
  }
  for (PeExport& row : exports)
    if (!row.forwarder) image->exports.push_back({std::move(row.name), row.rva});
  ReadSymbols(pe, file, image.get());

  uint32_t thunk_rva = pe.image_bytes;
  for (const Bound& row : bound) {
    uint64_t address = reinterpret_cast<uint64_t>(row.address);
    if (!row.address) {
      image->thunk_records.push_back({image->name, row.import->module + "!" + row.import->name});
      WriteThunk(memory + thunk_rva, &image->thunk_records.back());
      address = base + thunk_rva;
      thunk_rva += kThunkBytes;
    }
    view.Write(row.import->slot_rva, address);
  }
  SetCookie(pe, view, base);
  Protect(pe, image.get());
  // Relocation and binding may have written over the tables that were checked above, in an image made to do so.
  if (Status status = pe.CheckFunctions(view, &reason); !status.ok()) {
    host::ReleaseMemory(memory, mapped);
    return fail(status);
  }

  LoadedImage* loaded = image.release();
  g_images.push_back(loaded);
  for (uint64_t at = 0; at < mapped; at += kSlotBytes)
    g_image_slots[(base - mm::kImageBase + at) / kSlotBytes].store(loaded, std::memory_order_release);
  nt_image_loaded(loaded->path.c_str(), base, static_cast<int64_t>(base - loaded->preferred_base));
  return static_cast<Image*>(loaded);
}

bool SameName(const std::string& a, const char* b) {
  size_t i = 0;
  for (; i < a.size() && b[i]; i++)
    if ((a[i] | (a[i] >= 'A' && a[i] <= 'Z' ? 0x20 : 0)) != (b[i] | (b[i] >= 'A' && b[i] <= 'Z' ? 0x20 : 0))) return false;
  return i == a.size() && !b[i];
}

std::atomic<Image*> g_crt{nullptr};

}  // namespace

void Initialize() {
  // Once a process; a function's static is initialised once, and by one thread.
  static const bool initialized = [] {
    InstallFaultHandling();
    std::string why;
    LoadOptions options;
    options.name = "ntio-crt.sys";
    auto crt = LoadChecked(CrtImagePath(), CrtImageBytes(), options, &why);
    CHECK_MSG(crt.ok(), why.c_str());
    g_crt.store(crt.value(), std::memory_order_release);
    return true;
  }();
  static_cast<void>(initialized);
  host::PrepareThreadForFaults();
}

Image* CrtImage() { return g_crt.load(std::memory_order_acquire); }

Result<Image*> LoadImage(const std::string& path, const LoadOptions& options, std::string* why) {
  std::vector<std::byte> file;
  if (const host::Error error = host::ReadFile(path, &file)) {
    if (why) *why = fmt::format("{}: cannot be read: {}", path, std::strerror(error));
    return Status(STATUS_OBJECT_NAME_NOT_FOUND);
  }
  return LoadImageFromBytes(path, file, options, why);
}

Result<Image*> LoadImageFromBytes(const std::string& path, std::span<const std::byte> file, const LoadOptions& options,
                                  std::string* why) {
  Initialize();
  return LoadChecked(path, file, options, why);
}

void DiscardInit(Image* image) {
  if (image->init_discarded) return;
  image->init_discarded = true;
  for (const Image::Range& range : image->discardable)
    CHECK(host::ProtectMemory(reinterpret_cast<void*>(image->base + range.rva), range.bytes, host::Access::kNone) == 0);
}

void UnloadImage(Image* image) {
  LockGuard guard(g_lock);
  auto* loaded = static_cast<LoadedImage*>(image);
  const auto found = std::find(g_images.begin(), g_images.end(), loaded);
  CHECK_MSG(found != g_images.end(), "unload of an image that is not loaded");
  g_images.erase(found);
  for (uint64_t at = 0; at < loaded->mapped_bytes; at += kSlotBytes)
    g_image_slots[(loaded->base - mm::kImageBase + at) / kSlotBytes].store(nullptr, std::memory_order_release);
  nt_image_unloaded(loaded->path.c_str(), loaded->base);
  host::ReleaseMemory(reinterpret_cast<void*>(loaded->base), loaded->mapped_bytes);
  delete loaded;
}

Image* FindImage(uint64_t address) { return ImageAt(address); }

Image* FindImageByNameLocked(const char* name) NT_NO_THREAD_SAFETY_ANALYSIS {
  for (LoadedImage* image : g_images)
    if (SameName(image->name, name)) return image;
  return nullptr;
}

Image* FindImageByName(const char* name) {
  LockGuard guard(g_lock);
  return FindImageByNameLocked(name);
}

std::vector<Image*> LoadedImages() {
  LockGuard guard(g_lock);
  return {g_images.begin(), g_images.end()};
}

void* Image::FindExport(const char* export_name) const {
  const auto found = std::lower_bound(exports.begin(), exports.end(), export_name,
                                      [](const Export& row, const char* wanted) { return row.name < wanted; });
  if (found == exports.end() || found->name != export_name) return nullptr;
  return reinterpret_cast<void*>(base + found->rva);
}

}  // namespace nt::ldr
