// RtlRandom and RtlRandomEx: numbers in [0, MAXLONG - 1] from the caller's seed.
// Lehmer's multiplicative generator, shuffled through a table (MacLaren and Marsaglia). The table is shared, as on Windows:
// two callers with one seed do not get one series. Not for secrets; the host's generator is.
#include <array>
#include <atomic>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr ULONGLONG kModulus = 0x7FFFFFFF;  // 2^31 - 1, a prime
constexpr ULONGLONG kMultiplier = 48'271;

constexpr ULONG Step(ULONG seed) {
  const ULONGLONG next = (seed % kModulus + 1) * kMultiplier % kModulus;  // the seed 0 counts
  return static_cast<ULONG>(next % (kModulus - 1));
}

struct ShuffleTable {
  std::array<std::atomic<ULONG>, 128> slots;
  ShuffleTable() {
    ULONG value = 0x5EED;
    for (auto& slot : slots) slot.store(value = Step(value), std::memory_order_relaxed);
  }
  ULONG Exchange(ULONG index, ULONG value) {
    return slots[index % slots.size()].exchange(value, std::memory_order_relaxed);
  }
};

ShuffleTable& Table() {
  static ShuffleTable table;
  return table;
}

}  // namespace

ULONG Random(PULONG seed) {
  const ULONG value = Step(*seed);
  *seed = Step(value);
  return Table().Exchange(*seed, value);
}

ULONG RandomEx(PULONG seed) {
  *seed = Step(*seed);
  return Table().Exchange(*seed >> 7, *seed);
}

}  // namespace nt::rtl
