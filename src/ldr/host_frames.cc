#include "src/ldr/host_frames.h"

#include <cxxabi.h>
#include <unwind.h>

#include <typeinfo>

#include "src/ldr/export.h"
#include "src/ldr/image_table.h"
#include "src/ldr/trampolines.h"

extern "C" _Unwind_Reason_Code __gxx_personality_v0(int version, _Unwind_Action actions, _Unwind_Exception_Class exception_class,
                                                    _Unwind_Exception* exception, _Unwind_Context* context);

namespace nt::ldr {
namespace {

constexpr _Unwind_Exception_Class kCxxClass = 0x474e5543432b2b00;  // "GNUCC++\0"
constexpr int kDwarfRegister[16] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};  // index: Register

/// A C++ exception that is never thrown: only asked about. The layout up to the object is __cxa_exception of the Itanium C++
/// ABI, which personality routines of other modules read as well.
struct Probe {
  const std::type_info* type;
  void* destructor;
  void* unexpected;
  void* terminate;
  void* next;
  int handler_count;
  int switch_value;  // out: which of the frame's catch types matched
  const unsigned char* action_record;
  const unsigned char* language_data;
  uintptr_t catch_temporary;
  void* adjusted;
  _Unwind_Exception header;
  std::byte object[8];
};

/// Whether the frame has a catch that takes `type`; `*which` tells catch types of one function apart.
bool Catches(const std::type_info& type, _Unwind_Context* context, int* which) {
  alignas(16) Probe probe = {};
  static_assert(offsetof(Probe, header) == 80 && offsetof(Probe, object) == offsetof(Probe, header) + sizeof(_Unwind_Exception));
  probe.type = &type;
  probe.header.exception_class = kCxxClass;
  const auto answer = __gxx_personality_v0(1, _UA_SEARCH_PHASE, kCxxClass, &probe.header, context);
  *which = probe.switch_value;
  return answer == _URC_HANDLER_FOUND;
}

/// Never thrown: only a `catch (...)` takes it.
struct Unrelated {};

struct Walk {
  const Context* from;
  bool stop_at_catch;
  HostFrameVisitor visitor;
  void* argument;
  Context* driver;
  HostWalkEnd end = HostWalkEnd::kStackEnd;
  bool started = false;
  bool caught_by_wrapper = false;  // the frame before catches, with the catch that NT_EXPORT makes
};

_Unwind_Reason_Code OnFrame(_Unwind_Context* context, void* argument) {
  auto& walk = *static_cast<Walk*>(argument);
  const uint64_t pc = _Unwind_GetIP(context);
  const uint64_t sp = _Unwind_GetCFA(context);
  if (!walk.started) {
    if (pc != walk.from->rip || sp != walk.from->rsp()) return _URC_NO_REASON;
    walk.started = true;
  }
  if (ImageAt(pc)) {
    *walk.driver = *walk.from;
    for (int i = 0; i < 16; i++)
      if (i != kRsp) walk.driver->gpr[i] = _Unwind_GetGR(context, kDwarfRegister[i]);
    walk.driver->rsp() = sp;
    walk.driver->rip = pc;
    walk.end = HostWalkEnd::kDriver;
    return _URC_NORMAL_STOP;
  }
  if (walk.caught_by_wrapper) {  // the wrapper's caller is not a driver: its catch is like any other
    walk.end = HostWalkEnd::kCaught;
    return _URC_NORMAL_STOP;
  }
  if (pc == 0) return _URC_NORMAL_STOP;
  if (walk.visitor && !walk.visitor(walk.argument, pc, sp)) return _URC_NORMAL_STOP;
  if (!walk.stop_at_catch || !_Unwind_GetLanguageSpecificData(context)) return _URC_NO_REASON;
  int exception_switch = 0, boundary_switch = 0, unrelated_switch = 0;
  if (!Catches(typeid(SehException), context, &exception_switch)) return _URC_NO_REASON;
  // `catch (...)` only looks on: it cleans up and throws again, or stands where a thread enters the machine, behind the report.
  if (Catches(typeid(Unrelated), context, &unrelated_switch) && exception_switch == unrelated_switch) return _URC_NO_REASON;
  if (Catches(typeid(DriverBoundary), context, &boundary_switch) && exception_switch == boundary_switch) {
    walk.caught_by_wrapper = true;
    return _URC_NO_REASON;
  }
  walk.end = HostWalkEnd::kCaught;
  return _URC_NORMAL_STOP;
}

void Run(void* argument) { _Unwind_Backtrace(OnFrame, argument); }

}  // namespace

HostWalkEnd WalkHostFrames(const Context& from, Pc pc, bool stop_at_catch, HostFrameVisitor visitor, void* argument,
                           Context* driver) {
  Walk walk{&from, stop_at_catch, visitor, argument, driver};
  (pc == Pc::kInstruction ? ntio_walk_from_fault : ntio_walk_from)(&from, Run, &walk);
  // The last frame was a wrapper with nothing above it: it does catch.
  if (walk.end == HostWalkEnd::kStackEnd && walk.caught_by_wrapper) walk.end = HostWalkEnd::kCaught;
  return walk.end;
}

}  // namespace nt::ldr
