// Lines and names from debug information, by llvm-symbolizer when it is installed. For reports only: it starts a process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nt::ldr {

struct SymbolQuery {
  size_t index;      // given back in the answer
  uint64_t address;  // as linked
};
struct SymbolAnswer {
  size_t index;
  std::string symbol, file;
  int line = 0;
};

/// False when there is no symbolizer or it failed; answers it could not give are left out.
bool RunSymbolizer(const std::string& path, const std::vector<SymbolQuery>& queries, std::vector<SymbolAnswer>* answers);

}  // namespace nt::ldr
