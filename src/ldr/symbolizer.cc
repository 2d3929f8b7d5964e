#include "src/ldr/symbolizer.h"

#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

#include "src/host/program.h"

namespace nt::ldr {
namespace {

/// Single-quoted for the shell.
std::string Quote(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

const std::string& Program() {
  static const std::string program = [] {
    if (std::string chosen = host::Environment("NTIO_SYMBOLIZER"); !chosen.empty()) return chosen;
    for (const char* name : {"llvm-symbolizer", "llvm-symbolizer-22", "llvm-symbolizer-21", "llvm-symbolizer-20",
                             "llvm-symbolizer-19", "llvm-symbolizer-18", "llvm-symbolizer-17", "llvm-symbolizer-16"}) {
      std::string where;
      if (host::RunCommand(fmt::format("command -v {} 2>/dev/null", name), &where) && !where.empty()) return std::string(name);
    }
    return std::string();
  }();
  return program;
}

}  // namespace

bool RunSymbolizer(const std::string& path, const std::vector<SymbolQuery>& queries, std::vector<SymbolAnswer>* answers) {
  if (Program().empty() || path.empty()) return false;
  std::string command = fmt::format("{} --no-inlines --output-style=LLVM --functions=linkage --demangle --obj={}", Quote(Program()), Quote(path));
  for (const SymbolQuery& query : queries) command += fmt::format(" {:#x}", query.address);
  command += " 2>/dev/null </dev/null";
  std::string output;
  if (!host::RunCommand(command, &output)) return false;
  // Per address: the function, then file:line:column, then an empty line.
  std::istringstream lines(output);
  std::string function, place, blank;
  for (const SymbolQuery& query : queries) {
    if (!std::getline(lines, function) || !std::getline(lines, place)) break;
    while (std::getline(lines, blank) && !blank.empty()) place = blank;
    SymbolAnswer answer;
    answer.index = query.index;
    if (function != "??") answer.symbol = function.rfind("nt$", 0) == 0 ? function.substr(3) : function;
    const size_t column = place.rfind(':');
    const size_t line = column == std::string::npos || column == 0 ? std::string::npos : place.rfind(':', column - 1);
    if (line != std::string::npos && place.rfind("??", 0) != 0) {
      answer.file = place.substr(0, line);
      answer.line = std::atoi(place.c_str() + line + 1);
    }
    answers->push_back(std::move(answer));
  }
  return true;
}

}  // namespace nt::ldr
