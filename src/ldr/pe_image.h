// PeImage: a PE32+ file, checked. Everything read from the file goes through bounds checks; a file that parses can be mapped
// without further looks at its headers, and its tables can be walked without leaving it.
//
// The tables (imports, exports, .pdata, ...) are read from the laid-out image: the bytes as they lie in memory, before or after
// relocation. Parse makes that layout for a look without mapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/status.h"
#include "src/ldr/pe_format.h"

namespace nt::ldr {

/// Bytes of a laid-out image, addressed by RVA.
class ImageView {
 public:
  ImageView() = default;
  ImageView(std::byte* bytes, uint64_t size) : bytes_(bytes), size_(size) {}

  bool Has(uint64_t rva, uint64_t length) const { return rva <= size_ && length <= size_ - rva; }
  /// A copy of the T at `rva`, or nothing when it does not lie inside.
  template <class T>
  std::optional<T> Read(uint64_t rva) const {
    if (!Has(rva, sizeof(T))) return std::nullopt;
    T value;
    __builtin_memcpy(&value, bytes_ + rva, sizeof(T));
    return value;
  }
  template <class T>
  bool Write(uint64_t rva, const T& value) const {
    if (!Has(rva, sizeof(T))) return false;
    __builtin_memcpy(bytes_ + rva, &value, sizeof(T));
    return true;
  }
  /// A terminated string of at most `limit` characters.
  std::optional<std::string_view> Text(uint64_t rva, size_t limit = 4096) const;
  std::byte* data() const { return bytes_; }
  uint64_t size() const { return size_; }

 private:
  std::byte* bytes_ = nullptr;
  uint64_t size_ = 0;
};

struct PeSection {
  std::string name;
  uint32_t rva = 0, virtual_bytes = 0;  // virtual_bytes: not rounded, never 0
  uint32_t file_offset = 0, file_bytes = 0;
  uint32_t characteristics = 0;
  uint32_t number = 0;  // from 1, empty sections counted: as symbols refer to it
};

struct PeImport {
  std::string module, name;  // by ordinal: "#5"
  bool by_ordinal = false;
  uint32_t slot_rva = 0;  // where the address goes
  bool delay = false;
};

struct PeExport {
  std::string name;     // "#5" when it has none
  uint32_t rva = 0;
  bool forwarder = false;
  std::string forward;  // "module.name"
  uint32_t ordinal = 0;
};

/// The checked headers.
struct PeImage {
  uint64_t preferred_base = 0;
  uint32_t image_bytes = 0;  // rounded up to a page
  uint32_t header_bytes = 0;
  uint32_t entry_rva = 0;
  uint32_t timestamp = 0;
  uint16_t subsystem = 0;
  uint16_t machine = 0;
  bool relocatable = false;
  uint32_t symbol_table = 0, symbol_count = 0;
  std::vector<PeSection> sections;
  pe::DataDirectory directories[16] = {};

  /// Checks headers and section table. `*why`: one sentence.
  static Result<PeImage> Parse(std::span<const std::byte> file, std::string* why);

  /// Copies headers and sections to `view`, which is zero-filled and image_bytes long.
  void LayOut(std::span<const std::byte> file, const ImageView& view) const;
  /// Applies base relocations for a move by `delta`.
  Status Relocate(const ImageView& view, uint64_t delta, std::string* why) const;
  /// Imports and delay imports, in file order.
  Status ReadImports(const ImageView& view, std::vector<PeImport>* imports, std::string* why) const;
  Status ReadExports(const ImageView& view, std::vector<PeExport>* exports, std::string* why) const;
  /// Checks that .pdata is sorted and that its rows and their unwind data lie in the image.
  Status CheckFunctions(const ImageView& view, std::string* why) const;
  /// RVA of the security cookie, 0 when the image has none. The load configuration holds an address, relocated or not:
  /// `base` is the one it was relocated to.
  uint32_t SecurityCookieRva(const ImageView& view, uint64_t base) const;
};

}  // namespace nt::ldr
