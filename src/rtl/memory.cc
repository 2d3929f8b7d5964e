// Comparison of memory.
#include <cstring>

#include "src/rtl/rtl.h"

namespace nt::rtl {

SIZE_T CompareMemory(const void* a, const void* b, SIZE_T bytes) {
  const auto* left = static_cast<const unsigned char*>(a);
  const auto* right = static_cast<const unsigned char*>(b);
  SIZE_T at = 0;
  for (; at + sizeof(uint64_t) <= bytes; at += sizeof(uint64_t)) {
    uint64_t x, y;
    memcpy(&x, left + at, sizeof(x));
    memcpy(&y, right + at, sizeof(y));
    if (x != y) return at + __builtin_ctzll(x ^ y) / 8;
  }
  while (at < bytes && left[at] == right[at]) ++at;
  return at;
}

SIZE_T CompareMemoryUlong(const void* source, SIZE_T bytes, ULONG pattern) {
  const auto* at = static_cast<const unsigned char*>(source);
  SIZE_T same = 0;
  for (; same + sizeof(ULONG) <= bytes; same += sizeof(ULONG)) {
    ULONG value;
    memcpy(&value, at + same, sizeof(value));
    if (value != pattern) break;
  }
  return same;
}

}  // namespace nt::rtl
