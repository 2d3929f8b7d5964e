// Exports that only the loader's tests have (tests/ldr/cases.h declares them for the drivers).

#include "src/ldr/test_exports.h"

#include "src/host/host.h"
#include "src/ldr/call.h"
#include "src/ldr/ldr.h"
#include "src/ldr/user_access.h"

extern "C" {
extern const nt::ExportRecord __start_ntio_exports[];
extern const nt::ExportRecord __stop_ntio_exports[];
}

namespace nt::ldr {

std::atomic<uint64_t> g_test_destructors{0};

namespace {

using Routine = int(NTIO_MS_ABI*)(void*);

struct Counted {
  ~Counted() { g_test_destructors++; }
};

[[gnu::noinline]] int Middle(Routine routine, void* context) {
  Counted counted;
  const int result = CallDriver(routine, context);
  __asm__ volatile("" : : : "memory");
  return result;
}

uint64_t g_variable = 0x1234;

}  // namespace

void* TestBadPageAddress() {
  static void* page = host::ReserveMemory(0, 4096);
  return page;
}

void AddTestExports() {
  static const bool done = [] {
    AddExports(__start_ntio_exports, __stop_ntio_exports);
    return true;
  }();
  (void)done;
}

}  // namespace nt::ldr

using nt::ldr::Routine;

NT_EXPORT(int, TestThrow, (int kind), (kind)) {
  nt::ldr::Counted counted;
  if (kind) nt::Raise(STATUS_INSUFFICIENT_RESOURCES);
  return 0;
}
NT_EXPORT(int, TestCallBack, (Routine routine, void* context), (routine, context)) {
  return nt::ldr::Middle(routine, context) + 1;
}
// Inlined in the wrapper as a rule: its catch must not be taken for the wrapper's.
NT_EXPORT(int, TestCallAndCatch, (Routine routine, void* context), (routine, context)) {
  try {
    return nt::CallDriver(routine, context);
  } catch (const nt::SehException& exception) {
    return exception.code();
  }
}
NT_EXPORT(int, TestCallAndRethrow, (Routine routine, void* context), (routine, context)) {
  try {
    return nt::CallDriver(routine, context);
  } catch (const nt::SehException&) {
    throw;
  }
}
NT_EXPORT(uint64_t, TestDestructors, (), ()) { return nt::ldr::g_test_destructors; }
NT_EXPORT(void*, TestBadPage, (), ()) { return nt::ldr::TestBadPageAddress(); }
NT_EXPORT(void, TestProbeForRead, (const void* address, uint64_t bytes, uint32_t alignment), (address, bytes, alignment)) {
  nt::ldr::ProbeForRead(address, bytes, alignment);
}
NT_EXPORT(void, TestCopy, (void* to, const void* from, uint64_t bytes), (to, from, bytes)) {
  nt::ldr::Counted counted;
  nt::ldr::CopyUser(to, from, bytes);
}
NT_EXPORT(int, TestAdd, (int a, int b), (a, b)) { return a + b; }

extern "C" {
uint64_t* TestVariable = &nt::ldr::g_variable;
}
NT_EXPORT_DATA(TestVariable)
