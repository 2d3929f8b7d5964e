// Exports of the loader: exceptions, unwinding, stack walks. Logic is in dispatch.cc, unwind.cc, stack.cc.

#include <cstring>

#include "src/ldr/call.h"
#include "src/ldr/dispatch.h"
#include "src/ldr/fault.h"
#include "src/ldr/image_table.h"
#include "src/ldr/ldr.h"
#include "src/ldr/unwind.h"

using nt::ldr::Context;
using nt::ldr::DispatcherContext;
using nt::ldr::RuntimeFunction;

NT_EXPORT(int, __C_specific_handler,
          (EXCEPTION_RECORD * record, uint64_t frame, Context* context, DispatcherContext* dispatcher),
          (record, frame, context, dispatcher)) {
  // Called by a driver's own handler (__GSHandlerCheck_SEH); the dispatcher itself calls CSpecificHandler directly.
  bool execute = false;
  nt::ldr::UnwindTarget target;
  const auto answer = nt::ldr::CSpecificHandler(record, frame, context, dispatcher, &execute, &target);
  if (execute) throw nt::SehException(*record, target);
  return static_cast<int>(answer);
}

NT_EXPORT(void, ExRaiseStatus, (NTSTATUS status), (status)) { nt::Raise(status); }
NT_EXPORT(void, RtlRaiseStatus, (NTSTATUS status), (status)) { nt::Raise(status); }
NT_EXPORT(void, ExRaiseAccessViolation, (), ()) { nt::Raise(STATUS_ACCESS_VIOLATION); }
NT_EXPORT(void, ExRaiseDatatypeMisalignment, (), ()) { nt::Raise(STATUS_DATATYPE_MISALIGNMENT); }

NT_EXPORT(void, RtlRaiseException, (EXCEPTION_RECORD * record), (record)) {
  // The search starts at the caller; a filter that continues the execution makes this call return.
  record->ExceptionAddress = nullptr;  // filled with the caller's address where the dispatch begins
  nt::RaiseRecord(*record);
}

namespace {

[[noreturn]] void RaiseUnwind(uint64_t frame, uint64_t ip, const EXCEPTION_RECORD* record, uint64_t return_value) {
  EXCEPTION_RECORD unwind = {};
  if (record) {
    unwind = *record;
  } else {
    unwind.ExceptionCode = STATUS_UNWIND;
  }
  if (!frame) unwind.ExceptionFlags |= nt::ldr::kExitUnwind;
  throw nt::SehException(unwind, {frame, ip, return_value});
}

}  // namespace

NT_EXPORT(void, RtlUnwindEx,
          (uint64_t target_frame, uint64_t target_ip, EXCEPTION_RECORD* record, uint64_t return_value, Context* context,
           void* history),
          (target_frame, target_ip, record, return_value, context, history)) {
  (void)context;  // scratch space of the caller; the dispatcher has its own
  (void)history;
  RaiseUnwind(target_frame, target_ip, record, return_value);
}
NT_EXPORT(void, RtlUnwind, (uint64_t target_frame, uint64_t target_ip, EXCEPTION_RECORD* record, uint64_t return_value),
          (target_frame, target_ip, record, return_value)) {
  RaiseUnwind(target_frame, target_ip, record, return_value);
}
NT_EXPORT(void, _local_unwind, (uint64_t frame, uint64_t target_ip), (frame, target_ip)) {
  RaiseUnwind(frame, target_ip, nullptr, 0);
}

// In trampolines.S: it needs the registers before any compiled code has run.
extern "C" NTIO_MS_ABI void ntio_rtl_capture_context(Context*) __asm__("nt$RtlCaptureContext");
[[gnu::section("ntio_exports"), gnu::used, gnu::aligned(8)]] static nt::ExportRecord ntio_export_row_RtlCaptureContext{
    "RtlCaptureContext", reinterpret_cast<const void*>(&ntio_rtl_capture_context), NTIO_EXPORT_LIBRARY, nullptr, false};

NT_EXPORT(const RuntimeFunction*, RtlLookupFunctionEntry, (uint64_t pc, uint64_t* image_base, void* history),
          (pc, image_base, history)) {
  (void)history;
  return nt::ldr::LookupFunction(pc, image_base);
}

NT_EXPORT_PARTIAL(void*, RtlVirtualUnwind,
                  (uint32_t type, uint64_t base, uint64_t pc, const RuntimeFunction* function, Context* context,
                   const void** handler_data, uint64_t* establisher_frame, void* context_pointers),
                  (type, base, pc, function, context, handler_data, establisher_frame, context_pointers),
                  "ContextPointers is not filled") {
  if (context_pointers) std::memset(context_pointers, 0, 32 * sizeof(void*));
  const nt::ldr::FrameHandler handler = nt::ldr::VirtualUnwind(type & 3, base, pc, function, context);
  *handler_data = handler.data;
  *establisher_frame = handler.establisher_frame;
  return handler.routine;
}

NT_EXPORT(void*, RtlPcToFileHeader, (void* pc, void** base), (pc, base)) {
  const nt::ldr::Image* image = nt::ldr::FindImage(reinterpret_cast<uint64_t>(pc));
  *base = image ? reinterpret_cast<void*>(image->base) : nullptr;
  return *base;
}

NT_EXPORT(uint16_t, RtlCaptureStackBackTrace, (uint32_t skip, uint32_t capacity, void** addresses, uint32_t* hash),
          (skip, capacity, addresses, hash)) {
  const size_t count = nt::ldr::CaptureDriverCallers(skip, addresses, capacity);
  if (hash) {
    *hash = 0;
    for (size_t i = 0; i < count; i++) *hash += static_cast<uint32_t>(reinterpret_cast<uint64_t>(addresses[i]));
  }
  return static_cast<uint16_t>(count);
}

NT_EXPORT(uint32_t, RtlWalkFrameChain, (void** addresses, uint32_t capacity, uint32_t flags), (addresses, capacity, flags)) {
  if (flags & 1) return 0;  // the requestor's own stack: there is none
  return static_cast<uint32_t>(nt::ldr::CaptureDriverCallers(0, addresses, capacity));
}

// Compilers' intrinsics that clang leaves as calls; MSVC's inline form traps and is emulated (emulate.cc).
NT_EXPORT(uint64_t, __readcr8, (), ()) { return nt::ldr::ReadIrql(); }
NT_EXPORT(void, __writecr8, (uint64_t irql), (irql)) { nt::ldr::WriteIrql(static_cast<uint8_t>(irql)); }
