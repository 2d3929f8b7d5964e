#include "src/base/status.h"

#include <algorithm>
#include <iterator>

namespace nt {
namespace {

struct Entry {
  ULONG value;
  const char* name;
};

// Sorted by value; made by tools/gen_ntstatus.py.
constexpr Entry kNames[] = {
#include "ntstatus_names.inc"
};

}  // namespace

const char* StatusName(NTSTATUS status) {
  const auto value = static_cast<ULONG>(status);
  const auto* found = std::lower_bound(std::begin(kNames), std::end(kNames), value,
                                       [](const Entry& entry, ULONG wanted) { return entry.value < wanted; });
  return found != std::end(kNames) && found->value == value ? found->name : nullptr;
}

}  // namespace nt
