// Build tool: writes what drivers can import, from the runtime's own export table and the CRT image.
//
//   ntio-export-list --def DIRECTORY     one .def a module (ntoskrnl.exe.def, fltmgr.sys.def, ...), for llvm-dlltool
//   ntio-export-list                     the table as text: name, module, "full" or "partial: reason"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "src/ldr/binding.h"
#include "src/ldr/ldr.h"

int main(int argc, char** argv) {
  using namespace nt::ldr;
  Initialize();
  struct Row {
    bool data;
    std::string note;
  };
  std::map<std::string, std::map<std::string, Row>> modules;
  modules["ntoskrnl.exe"];
  for (const nt::ExportRecord* row : RuntimeExports())
    modules[row->library][row->name] = {row->is_data, row->partial_reason ? std::string("partial: ") + row->partial_reason : "full"};
  for (const Image::Export& row : CrtImage()->exports) modules["ntoskrnl.exe"].insert({row.name, {false, "full"}});

  if (argc == 3 && std::string(argv[1]) == "--def") {
    for (const auto& [module, rows] : modules) {
      const std::string path = std::string(argv[2]) + "/" + module + ".def";
      std::ofstream out(path);
      out << "LIBRARY " << module << "\nEXPORTS\n";
      for (const auto& [name, row] : rows) out << "  " << name << (row.data ? " CONSTANT" : "") << "\n";
      if (!out.flush()) {
        std::cerr << "ntio-export-list: cannot write " << path << "\n";
        return 1;
      }
    }
    return 0;
  }
  if (argc != 1) {
    std::cerr << "usage: ntio-export-list [--def DIRECTORY]\n";
    return 2;
  }
  for (const auto& [module, rows] : modules)
    for (const auto& [name, row] : rows) std::cout << name << "\t" << module << "\t" << row.note << (row.data ? "\tdata" : "") << "\n";
  return 0;
}
