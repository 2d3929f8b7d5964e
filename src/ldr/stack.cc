// Mixed stacks: driver frames by .pdata, runtime frames by CFI, joined where they meet.

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>

#include <cxxabi.h>
#include <fmt/format.h>

#include "src/ldr/fault.h"
#include "src/ldr/host_frames.h"
#include "src/ldr/image_table.h"
#include "src/ldr/ldr.h"
#include "src/ldr/symbolizer.h"
#include "src/ldr/trampolines.h"
#include "src/ldr/unwind.h"

namespace nt::ldr {
namespace {

constexpr size_t kMaxFrames = 256;

struct RawFrame {
  uint64_t pc, sp;
  bool driver;
};

struct Collector {
  size_t skip, capacity;
  void (*take)(void* argument, const RawFrame& frame);
  void* argument;
  size_t taken = 0;
  size_t steps = 0;

  bool Add(const RawFrame& frame) {
    if (++steps > 4 * kMaxFrames) return false;
    if (skip > 0) {
      skip--;
      return true;
    }
    if (taken == capacity) return false;
    take(argument, frame);
    return ++taken < capacity;
  }
};

bool VisitHost(void* argument, uint64_t pc, uint64_t sp) { return static_cast<Collector*>(argument)->Add({pc, sp, false}); }

/// Whether `pc` lies in a module of the process: the return address of a smashed frame, or of a driver that is gone, does not.
bool IsHostCode(uint64_t pc) {
  Dl_info info;
  return dladdr(reinterpret_cast<void*>(pc), &info) != 0;
}

void Walk(const Context& from, Collector* collector) {
  Context cursor = from;
  for (Pc pc = Pc::kInstruction;; pc = Pc::kReturnAddress) {
    if (!ImageAt(cursor.rip)) {
      if (!IsHostCode(cursor.rip)) {
        collector->Add({cursor.rip, cursor.rsp(), false});
        return;
      }
      Context driver;
      if (WalkHostFrames(cursor, pc, false, VisitHost, collector, &driver) != HostWalkEnd::kDriver) return;
      cursor = driver;
      continue;
    }
    const uint64_t sp = cursor.rsp();
    if (!collector->Add({cursor.rip, sp, true})) return;
    if (!UnwindDriverFrame(&cursor)) return;
    if (cursor.rsp() <= sp) return;  // damaged, or a machine frame to another stack: do not guess
  }
}

std::string Demangle(const char* name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string result = status == 0 && text ? text : name;
  std::free(text);
  return result;
}

std::string BaseName(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash ? slash + 1 : path;
}

Frame Describe(const RawFrame& raw) {
  Frame frame;
  frame.pc = raw.pc;
  frame.sp = raw.sp;
  frame.driver = raw.driver;
  if (const Image* image = ImageAt(raw.pc)) {
    frame.module = image->name;
    const auto rva = static_cast<uint32_t>(raw.pc - image->base);
    frame.offset = frame.module_offset = rva;
    auto found = std::upper_bound(image->symbols.begin(), image->symbols.end(), rva,
                                  [](uint32_t wanted, const Image::Symbol& symbol) { return wanted < symbol.rva; });
    if (found != image->symbols.begin()) {
      --found;
      frame.symbol = found->name;
      frame.offset = rva - found->rva;
    }
    return frame;
  }
  Dl_info info = {};
  if (dladdr(reinterpret_cast<void*>(raw.pc - 1), &info) && info.dli_fname) {
    frame.module = BaseName(info.dli_fname);
    frame.offset = frame.module_offset = raw.pc - reinterpret_cast<uint64_t>(info.dli_fbase);
    if (info.dli_sname) {
      frame.symbol = std::strncmp(info.dli_sname, "nt$", 3) == 0 ? info.dli_sname + 3 : Demangle(info.dli_sname);
      frame.offset = raw.pc - reinterpret_cast<uint64_t>(info.dli_saddr);
    }
  }
  return frame;
}

}  // namespace

std::vector<Frame> CaptureStackFrom(const Context& context) {
  std::vector<Frame> frames;
  Collector collector{0, kMaxFrames,
                      [](void* argument, const RawFrame& frame) {
                        static_cast<std::vector<Frame>*>(argument)->push_back(Describe(frame));
                      },
                      &frames};
  Walk(context, &collector);
  return frames;
}

std::vector<Frame> CaptureStack(size_t skip) {
  Context context;
  ntio_capture_here(&context);
  std::vector<Frame> frames = CaptureStackFrom(context);
  frames.erase(frames.begin(), frames.begin() + static_cast<ptrdiff_t>(std::min(frames.size(), skip + 1)));
  return frames;
}

size_t WalkStack(const Context& from, size_t skip, void** addresses, size_t capacity) {
  struct Out {
    void** next;
  } out{addresses};
  Collector collector{skip, capacity,
                      [](void* argument, const RawFrame& frame) {
                        *static_cast<Out*>(argument)->next++ = reinterpret_cast<void*>(frame.pc);
                      },
                      &out};
  if (capacity) Walk(from, &collector);
  return collector.taken;
}

size_t CaptureDriverCallers(size_t skip, void** addresses, size_t capacity) {
  Context here, driver;
  ntio_capture_here(&here);
  if (WalkHostFrames(here, Pc::kInstruction, false, nullptr, nullptr, &driver) != HostWalkEnd::kDriver) return 0;
  return WalkStack(driver, skip, addresses, capacity);
}

namespace {

/// A demangled name as people say it: "int nt::CallDriver<int, ...>(...)" is nt::CallDriver.
std::string ShortName(const std::string& name) {
  if (name.find("operator") != std::string::npos) return name;
  std::string text;
  int depth = 0;
  for (size_t i = 0; i < name.size(); i++) {
    constexpr std::string_view kAnonymous = "(anonymous namespace)::";
    if (name.compare(i, kAnonymous.size(), kAnonymous) == 0) {
      i += kAnonymous.size() - 1;
      continue;
    }
    const char c = name[i];
    if (c == '<' || c == '(' || c == '{') depth++;
    if (depth == 0) text += c;
    if (c == '>' || c == ')' || c == '}') depth--;
  }
  if (text.size() > 6 && text.ends_with(" const")) text.resize(text.size() - 6);
  const size_t space = text.rfind(' ');
  if (space != std::string::npos) text.erase(0, space + 1);
  return text.empty() ? name : text;
}

/// "/tree/build/../src/io/mount.cc" -> "/tree/src/io/mount.cc"
std::string ShortPath(std::string path) {
  for (size_t at; (at = path.find("/../")) != std::string::npos && at > 0;) {
    const size_t parent = path.rfind('/', at - 1);
    if (parent == std::string::npos) break;
    path.erase(parent, at + 3 - parent);
  }
  return path;
}

}  // namespace

std::string FormatFrame(const Frame& frame) {
  std::string text = frame.module.empty()   ? fmt::format("{:#x}", frame.pc)
                     : frame.symbol.empty() ? fmt::format("{}+{:#x}", frame.module, frame.offset)
                                            : fmt::format("{}!{}", frame.module, ShortName(frame.symbol));
  if (!frame.symbol.empty() && frame.offset) text += fmt::format("+{:#x}", frame.offset);
  if (!frame.file.empty()) text += fmt::format(" ({}:{})", ShortPath(frame.file), frame.line);
  return text;
}

void Symbolize(std::vector<Frame>* frames) {
  // One run of the symbolizer per module.
  std::map<std::string, std::vector<SymbolQuery>> queries;
  for (size_t i = 0; i < frames->size(); i++) {
    const Frame& frame = (*frames)[i];
    const uint64_t pc = i == 0 ? frame.pc : frame.pc - 1;  // return addresses lie behind the call
    if (const Image* image = ImageAt(frame.pc)) {
      queries[image->path].push_back({i, pc - image->base + image->preferred_base});
      continue;
    }
    Dl_info info = {};
    if (dladdr(reinterpret_cast<void*>(pc), &info) && info.dli_fname)
      queries[info.dli_fname].push_back({i, pc - reinterpret_cast<uint64_t>(info.dli_fbase)});
  }
  for (const auto& [path, list] : queries) {
    std::vector<SymbolAnswer> answers;
    if (!RunSymbolizer(path, list, &answers)) continue;
    for (const SymbolAnswer& answer : answers) {
      Frame& frame = (*frames)[answer.index];
      if (!answer.symbol.empty()) {
        // The tables in memory lack static functions: what they gave was the one before.
        if (ShortName(answer.symbol) != ShortName(frame.symbol)) frame.offset = 0;
        frame.symbol = answer.symbol;
      }
      frame.file = answer.file;
      frame.line = answer.line;
    }
  }
}

}  // namespace nt::ldr
