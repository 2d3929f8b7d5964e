// The processor state and the unwind tables as Windows x64 images and handlers know them. Layouts are facts of the x64 ABI
// (learn.microsoft.com: "x64 exception handling", CONTEXT); sizes are asserted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nt::ldr {

enum Register : uint8_t { kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi, kR8, kR9, kR10, kR11, kR12, kR13, kR14, kR15 };

struct Xmm {
  uint64_t low, high;
};

inline constexpr uint32_t kContextFull = 0x0010000B;  // AMD64 | CONTROL | INTEGER | FLOATING_POINT

/// CONTEXT of winnt.h.
struct alignas(16) Context {
  uint64_t home[6];
  uint32_t flags;
  uint32_t mxcsr;
  uint16_t segments[6];
  uint32_t eflags;
  uint64_t debug[6];
  uint64_t gpr[16];  // in the order of Register
  uint64_t rip;
  uint8_t fx_header[0xa0];
  Xmm xmm[16];
  uint8_t rest[0x4d0 - 0x2a0];

  uint64_t& rsp() { return gpr[kRsp]; }
  uint64_t rsp() const { return gpr[kRsp]; }
};
static_assert(offsetof(Context, mxcsr) == 0x34 && offsetof(Context, eflags) == 0x44 && offsetof(Context, gpr) == 0x78 &&
              offsetof(Context, rip) == 0xf8 && offsetof(Context, xmm) == 0x1a0 && sizeof(Context) == 0x4d0);

/// RUNTIME_FUNCTION: one row of .pdata. `unwind` with bit 0 set is the RVA of another row.
struct RuntimeFunction {
  uint32_t begin, end, unwind;
};

enum class UnwindOp : uint8_t {
  kPushNonvolatile = 0,
  kAllocateLarge = 1,
  kAllocateSmall = 2,
  kSetFrame = 3,
  kSaveNonvolatile = 4,
  kSaveNonvolatileFar = 5,
  kEpilog = 6,  // version 2
  kSpare = 7,
  kSaveXmm = 8,
  kSaveXmmFar = 9,
  kMachineFrame = 10,
};

struct UnwindCode {
  uint8_t offset;
  uint8_t op_and_info;
  UnwindOp op() const { return static_cast<UnwindOp>(op_and_info & 15); }
  unsigned info() const { return op_and_info >> 4; }
};

inline constexpr unsigned kUnwindExceptionHandler = 1, kUnwindTerminationHandler = 2, kUnwindChained = 4;

/// UNWIND_INFO; `count` codes follow, padded to an even number, then a handler RVA and its data, or a RuntimeFunction.
struct UnwindInfo {
  uint8_t version_and_flags;
  uint8_t prolog_bytes;
  uint8_t count;
  uint8_t frame;

  unsigned version() const { return version_and_flags & 7; }
  unsigned flags() const { return version_and_flags >> 3; }
  unsigned frame_register() const { return frame & 15; }
  unsigned frame_offset() const { return (frame >> 4) * 16u; }
  const UnwindCode* codes() const { return reinterpret_cast<const UnwindCode*>(this + 1); }
  const void* after_codes() const { return codes() + ((count + 1u) & ~1u); }
};
static_assert(sizeof(UnwindInfo) == 4);

struct DispatcherContext;

/// Exception disposition returned by a language handler.
enum class Disposition : int { kContinueExecution = 0, kContinueSearch = 1, kNested = 2, kCollided = 3 };

/// DISPATCHER_CONTEXT.
struct DispatcherContext {
  uint64_t control_pc;
  uint64_t image_base;
  const RuntimeFunction* function;
  uint64_t establisher_frame;
  uint64_t target_ip;
  Context* context;
  void* handler;
  const void* handler_data;
  void* history_table;
  uint32_t scope_index;
  uint32_t fill;
};
static_assert(sizeof(DispatcherContext) == 0x50);

// EXCEPTION_RECORD.ExceptionFlags
inline constexpr uint32_t kNoncontinuable = 0x01, kUnwinding = 0x02, kExitUnwind = 0x04, kStackInvalid = 0x08,
                          kNestedCall = 0x10, kTargetUnwind = 0x20, kCollidedUnwind = 0x40;
inline constexpr uint32_t kAnyUnwind = kUnwinding | kExitUnwind | kTargetUnwind | kCollidedUnwind;

}  // namespace nt::ldr
