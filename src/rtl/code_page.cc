// The ANSI page (1252) and the OEM page (437, 850 or 1252) and conversions between them and UTF-16.
// All pages here are single-byte with ASCII below 0x80, so lengths convert by a factor of two.
#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <memory>

#include "src/rtl/pool.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

struct BestFitRun {
  char16_t first;
  const char* letters;
};

#include "src/rtl/code_pages.inc"

constexpr unsigned char kDefault = '?';
constexpr size_t kMaxPages = 16;  // 256-character pages that any of the tables reaches, and the empty one

}  // namespace

struct CodePage {
  USHORT number;
  std::array<char16_t, 256> to_unicode{};
  std::array<unsigned char, 256> page_of{};
  std::array<std::array<unsigned char, 256>, kMaxPages> from{};

  constexpr CodePage(USHORT number, const char16_t (&upper)[128]) : number(number) {
    for (auto& page : from)
      for (auto& byte : page) byte = kDefault;
    unsigned char used = 0;
    for (const BestFitRun& run : kBestFitRuns)
      for (unsigned i = 0; run.letters[i]; ++i) Set(used, run.first + i, static_cast<unsigned char>(run.letters[i]));
    for (unsigned byte = 0x100; byte-- > 0;) {
      to_unicode[byte] = byte < 0x80 ? static_cast<char16_t>(byte) : upper[byte - 0x80];
      Set(used, to_unicode[byte], static_cast<unsigned char>(byte));
    }
  }
  constexpr void Set(unsigned char& used, unsigned character, unsigned char byte) {
    if (!page_of[character >> 8]) page_of[character >> 8] = ++used;
    from[page_of[character >> 8]][character & 0xFF] = byte;
  }
};

namespace {

constexpr CodePage kPages[] = {{437, kCodePage437}, {850, kCodePage850}, {1252, kCodePage1252}};
static_assert(kPages[0].from[0][0] == kDefault);

// Chosen before drivers run; read without order.
constinit std::atomic<const CodePage*> g_oem_page{&kPages[0]};

unsigned char Convert(const CodePage& page, WCHAR character, Upper upper) {
  const unsigned char byte = FromUnicode(page, character);
  // As documented for RtlUpcaseUnicodeStringToCountedOemString: to the page, back, upcase, to the page.
  return upper == Upper::kYes ? FromUnicode(page, UpcaseUnicodeChar(ToUnicode(page, byte))) : byte;
}

}  // namespace

const CodePage& AnsiPage() { return kPages[2]; }
const CodePage& OemPage() { return *g_oem_page.load(std::memory_order_relaxed); }
USHORT CodePageNumber(const CodePage& page) { return page.number; }

Status SelectOemCodePage(USHORT number) {
  const auto* page = std::find_if(std::begin(kPages), std::end(kPages),
                                  [&](const CodePage& candidate) { return candidate.number == number; });
  if (page == std::end(kPages)) return STATUS_INVALID_PARAMETER;
  g_oem_page.store(page, std::memory_order_relaxed);
  return STATUS_SUCCESS;
}

WCHAR ToUnicode(const CodePage& page, unsigned char byte) { return page.to_unicode[byte]; }
unsigned char FromUnicode(const CodePage& page, WCHAR c) { return page.from[page.page_of[c >> 8]][c & 0xFF]; }

Status ToUnicodeN(const CodePage& page, WCHAR* out, ULONG out_bytes, ULONG* written, const char* in, ULONG in_bytes) {
  const ULONG count = std::min<ULONG>(out_bytes / sizeof(WCHAR), in_bytes);
  // Backwards, so that a caller may widen in place.
  for (ULONG i = count; i-- > 0;) out[i] = page.to_unicode[static_cast<unsigned char>(in[i])];
  if (written) *written = count * sizeof(WCHAR);
  return count == in_bytes ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

Status FromUnicodeN(const CodePage& page, char* out, ULONG out_bytes, ULONG* written, const WCHAR* in, ULONG in_bytes,
                    Upper upper) {
  const ULONG characters = in_bytes / sizeof(WCHAR);
  const ULONG count = std::min<ULONG>(out_bytes, characters);
  for (ULONG i = 0; i < count; ++i) out[i] = static_cast<char>(Convert(page, in[i], upper));
  if (written) *written = count;
  return count == characters ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

Status ToUnicodeString(const CodePage& page, PUNICODE_STRING destination, const STRING* source,
                       ConvertOptions options) {
  const ULONG length = source->Length * sizeof(WCHAR);
  const ULONG needed = length + (options.terminate ? sizeof(WCHAR) : 0);
  if (needed > UNICODE_STRING_MAX_BYTES) return STATUS_INVALID_PARAMETER_2;
  if (options.allocate) {
    destination->Buffer = static_cast<WCHAR*>(PoolAllocate(needed));
    if (!destination->Buffer) return STATUS_NO_MEMORY;
    destination->MaximumLength = static_cast<USHORT>(needed);
  } else if (needed > destination->MaximumLength) {
    return STATUS_BUFFER_OVERFLOW;
  }
  destination->Length = static_cast<USHORT>(length);
  ToUnicodeN(page, destination->Buffer, length, nullptr, source->Buffer, source->Length).Ignore();  // the room is there
  if (options.terminate) destination->Buffer[source->Length] = 0;
  return STATUS_SUCCESS;
}

Status FromUnicodeString(const CodePage& page, PSTRING destination, PCUNICODE_STRING source, ConvertOptions options) {
  const auto text = View(source);
  const size_t needed = text.size() + (options.terminate ? 1 : 0);
  if (options.refuse_unmappable) {
    for (WCHAR c : text)
      if (c != kDefault && Convert(page, c, options.upper) == kDefault) return STATUS_UNMAPPABLE_CHARACTER;
  }
  // With allocation a failure leaves the destination as it was; without, as much as fits is converted.
  USHORT length = static_cast<USHORT>(text.size());
  Status status = STATUS_SUCCESS;
  if (options.allocate) {
    auto* buffer = static_cast<char*>(PoolAllocate(needed));
    if (!buffer) return STATUS_NO_MEMORY;
    destination->Buffer = buffer;
    destination->MaximumLength = static_cast<USHORT>(needed);
  } else if (needed > destination->MaximumLength) {
    if (!options.terminate || destination->MaximumLength == 0) return STATUS_BUFFER_OVERFLOW;
    length = static_cast<USHORT>(destination->MaximumLength - 1);
    status = STATUS_BUFFER_OVERFLOW;
  }
  destination->Length = length;
  FromUnicodeN(page, destination->Buffer, length, nullptr, text.data(), length * sizeof(WCHAR), options.upper).Ignore();
  if (options.terminate) destination->Buffer[length] = 0;
  return status;
}

}  // namespace nt::rtl
