#include "src/ldr/unwind.h"

#include <algorithm>
#include <cstring>

#include "src/ldr/image_table.h"

#if defined(__clang__)
#define NTIO_NO_SANITIZE __attribute__((no_sanitize("address", "thread", "undefined", "memory")))
#else
#define NTIO_NO_SANITIZE __attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined))
#endif

namespace nt::ldr {
namespace {

NTIO_NO_SANITIZE inline uint64_t Load64(uint64_t address) { return *reinterpret_cast<const volatile uint64_t*>(address); }
NTIO_NO_SANITIZE inline int32_t Load32(const uint8_t* at) {
  int32_t value;
  __builtin_memcpy(&value, at, 4);
  return value;
}

inline unsigned SlotsOf(UnwindCode code) {
  switch (code.op()) {
    case UnwindOp::kAllocateLarge:
      return code.info() ? 3 : 2;
    case UnwindOp::kSaveNonvolatile:
    case UnwindOp::kSaveXmm:
      return 2;
    case UnwindOp::kSaveNonvolatileFar:
    case UnwindOp::kSaveXmmFar:
      return 3;
    default:
      return 1;
  }
}

inline uint16_t Operand16(const UnwindCode* code) {
  uint16_t value;
  __builtin_memcpy(&value, code + 1, 2);
  return value;
}
inline uint32_t Operand32(const UnwindCode* code) {
  uint32_t value;
  __builtin_memcpy(&value, code + 1, 4);
  return value;
}

const UnwindInfo* InfoOf(uint64_t base, const RuntimeFunction* function) {
  return reinterpret_cast<const UnwindInfo*>(base + function->unwind);
}

/// The row at the end of a chain: the function's own.
NTIO_NO_SANITIZE const RuntimeFunction* PrimaryOf(uint64_t base, const RuntimeFunction* function) {
  for (int depth = 0; depth < 32; depth++) {
    const UnwindInfo* info = InfoOf(base, function);
    if (!(info->flags() & kUnwindChained)) break;
    function = static_cast<const RuntimeFunction*>(info->after_codes());
  }
  return function;
}

/// Whether a jump from `function` to `target` leaves it (a tail call, so part of an epilogue) rather than goes on in it.
NTIO_NO_SANITIZE bool JumpLeaves(uint64_t base, const RuntimeFunction* function, uint64_t target) {
  const uint64_t rva = target - base;
  if (rva > function->begin && rva < function->end) return false;
  const Image* image = ImageAt(target);
  if (!image || image->base != base) return true;
  const RuntimeFunction* other = LookupIn(*image, target);
  if (!other) return true;
  // Into another part of the same function: only its very beginning would be a (recursive) tail call.
  const RuntimeFunction* mine = PrimaryOf(base, function);
  const RuntimeFunction* theirs = PrimaryOf(base, other);
  return mine->begin != theirs->begin || rva == mine->begin;
}

/// An epilogue has one of a few forms: release the frame, pop registers, return or jump out. When the code at `pc` is the
/// rest of one, does what it would do.
NTIO_NO_SANITIZE bool FinishEpilogue(uint64_t base, uint64_t pc, const RuntimeFunction* function, const UnwindInfo* info,
                                     Context* context) {
  const auto* code = reinterpret_cast<const uint8_t*>(pc);
  const auto* end = reinterpret_cast<const uint8_t*>(base + function->end);
  uint64_t gpr[16];
  __builtin_memcpy(gpr, context->gpr, sizeof gpr);
  const auto left = [&] { return end - code; };

  if (left() >= 4 && code[0] == 0x48 && code[1] == 0x83 && code[2] == 0xc4) {  // add rsp, imm8
    gpr[kRsp] += static_cast<uint64_t>(static_cast<int8_t>(code[3]));
    code += 4;
  } else if (left() >= 7 && code[0] == 0x48 && code[1] == 0x81 && code[2] == 0xc4) {  // add rsp, imm32
    gpr[kRsp] += static_cast<uint64_t>(int64_t{Load32(code + 3)});
    code += 7;
  } else if (left() >= 4 && (code[0] & 0xfe) == 0x48 && code[1] == 0x8d && (code[2] & 0x38) == 0x20 &&
             info->frame_register()) {  // lea rsp, [frame register + displacement]
    const unsigned reg = (code[2] & 7u) | (code[0] & 1u) << 3;
    const unsigned mode = code[2] >> 6;
    const unsigned sib = (code[2] & 7) == 4 ? 1 : 0;
    if (reg != info->frame_register() && !(sib && info->frame_register() == kR12)) return false;
    if (mode == 1) {
      gpr[kRsp] = gpr[info->frame_register()] + static_cast<uint64_t>(static_cast<int8_t>(code[3 + sib]));
      code += 4 + sib;
    } else if (mode == 2 && left() >= 7) {
      gpr[kRsp] = gpr[info->frame_register()] + static_cast<uint64_t>(int64_t{Load32(code + 3 + sib)});
      code += 7 + sib;
    } else if (mode == 0) {
      gpr[kRsp] = gpr[info->frame_register()];
      code += 3 + sib;
    } else {
      return false;
    }
  }
  while (left() >= 1) {
    unsigned reg;
    if ((code[0] & 0xf8) == 0x58) {  // pop
      reg = code[0] & 7u;
      code += 1;
    } else if (left() >= 2 && code[0] == 0x41 && (code[1] & 0xf8) == 0x58) {
      reg = 8 + (code[1] & 7u);
      code += 2;
    } else {
      break;
    }
    gpr[reg] = Load64(gpr[kRsp]);
    gpr[kRsp] += 8;
  }
  if (left() < 1) return false;
  bool leaves = false;
  if (code[0] == 0xc3 || code[0] == 0xc2) {
    leaves = true;
  } else if (left() >= 2 && (code[0] == 0xf3 || code[0] == 0xf2) && code[1] == 0xc3) {  // rep ret, bnd ret
    leaves = true;
  } else if (left() >= 5 && code[0] == 0xe9) {
    leaves = JumpLeaves(base, function, reinterpret_cast<uint64_t>(code) + 5 + static_cast<uint64_t>(int64_t{Load32(code + 1)}));
  } else if (left() >= 2 && code[0] == 0xeb) {
    leaves = JumpLeaves(base, function,
                        reinterpret_cast<uint64_t>(code) + 2 + static_cast<uint64_t>(static_cast<int8_t>(code[1])));
  } else if (left() >= 2 && code[0] == 0xff && code[1] == 0x25) {  // jmp [rip + displacement]
    leaves = true;
  } else if (left() >= 3 && (code[0] & 0xf8) == 0x48 && code[1] == 0xff && (code[2] & 0x38) == 0x20) {  // rex.w jmp r/m
    leaves = true;
  }
  if (!leaves) return false;
  __builtin_memcpy(context->gpr, gpr, sizeof gpr);
  UnwindLeaf(context);
  return true;
}

}  // namespace

NTIO_NO_SANITIZE const RuntimeFunction* LookupIn(const Image& image, uint64_t pc) {
  const auto rva = static_cast<uint32_t>(pc - image.base);
  const RuntimeFunction* first = image.functions;
  const RuntimeFunction* last = first + image.function_count;
  const RuntimeFunction* found =
      std::upper_bound(first, last, rva, [](uint32_t wanted, const RuntimeFunction& row) { return wanted < row.begin; });
  if (found == first) return nullptr;
  --found;
  if (rva >= found->end) return nullptr;
  if (found->unwind & 1) found = reinterpret_cast<const RuntimeFunction*>(image.base + (found->unwind & ~1u));
  return found;
}

NTIO_NO_SANITIZE FrameHandler VirtualUnwind(unsigned types, uint64_t base, uint64_t pc, const RuntimeFunction* function,
                                            Context* context) {
  FrameHandler result;
  const UnwindInfo* info = InfoOf(base, function);
  const uint64_t rva = pc - base;

  // The establisher frame: the frame register once it is set, else rsp.
  result.establisher_frame = context->rsp();
  bool in_prolog = rva - function->begin < info->prolog_bytes && rva >= function->begin;
  if (info->frame_register()) {
    bool set = !in_prolog || (info->flags() & kUnwindChained);
    for (unsigned i = 0; !set && i < info->count; i += SlotsOf(info->codes()[i]))
      set = info->codes()[i].op() == UnwindOp::kSetFrame && rva - function->begin >= info->codes()[i].offset;
    if (set) result.establisher_frame = context->gpr[info->frame_register()] - info->frame_offset();
  }
  if (!in_prolog && FinishEpilogue(base, pc, function, info, context)) return result;

  bool machine_frame = false;
  uint64_t frame = result.establisher_frame;
  for (int depth = 0; depth < 32; depth++) {
    const bool partial = rva >= function->begin && rva - function->begin < info->prolog_bytes;
    in_prolog = partial;
    for (unsigned i = 0; i < info->count;) {
      const UnwindCode* code = info->codes() + i;
      i += SlotsOf(*code);
      if (code->op() == UnwindOp::kEpilog) continue;
      if (partial && rva - function->begin < code->offset) continue;  // not executed yet
      switch (code->op()) {
        case UnwindOp::kPushNonvolatile:
          context->gpr[code->info()] = Load64(context->rsp());
          context->rsp() += 8;
          break;
        case UnwindOp::kAllocateLarge:
          context->rsp() += code->info() ? Operand32(code) : Operand16(code) * 8u;
          break;
        case UnwindOp::kAllocateSmall:
          context->rsp() += code->info() * 8u + 8u;
          break;
        case UnwindOp::kSetFrame:
          context->rsp() = context->gpr[info->frame_register()] - info->frame_offset();
          break;
        case UnwindOp::kSaveNonvolatile:
          context->gpr[code->info()] = Load64(frame + Operand16(code) * 8u);
          break;
        case UnwindOp::kSaveNonvolatileFar:
          context->gpr[code->info()] = Load64(frame + Operand32(code));
          break;
        case UnwindOp::kSaveXmm: {
          const uint64_t at = frame + Operand16(code) * 16u;
          context->xmm[code->info()] = {Load64(at), Load64(at + 8)};
          break;
        }
        case UnwindOp::kSaveXmmFar: {
          const uint64_t at = frame + Operand32(code);
          context->xmm[code->info()] = {Load64(at), Load64(at + 8)};
          break;
        }
        case UnwindOp::kMachineFrame: {
          const uint64_t at = context->rsp() + (code->info() ? 8 : 0);  // with an error code, or without
          machine_frame = true;
          context->rip = Load64(at);
          context->eflags = static_cast<uint32_t>(Load64(at + 16));
          context->rsp() = Load64(at + 24);
          break;
        }
        default:
          break;
      }
    }
    if (!(info->flags() & kUnwindChained)) break;
    function = static_cast<const RuntimeFunction*>(info->after_codes());
    info = InfoOf(base, function);
    if (info->frame_register()) frame = context->gpr[info->frame_register()] - info->frame_offset();
  }
  if (!machine_frame) UnwindLeaf(context);
  if ((info->flags() & types) && !in_prolog) {
    const auto* handler = static_cast<const uint32_t*>(info->after_codes());
    result.routine = reinterpret_cast<void*>(base + *handler);
    result.data = handler + 1;
  }
  return result;
}

const RuntimeFunction* LookupFunction(uint64_t pc, uint64_t* image_base) {
  const Image* image = ImageAt(pc);
  if (image_base) *image_base = image ? image->base : 0;
  return image ? LookupIn(*image, pc) : nullptr;
}

bool UnwindDriverFrame(Context* context) {
  const Image* image = ImageAt(context->rip);
  if (!image) return false;
  if (const RuntimeFunction* function = LookupIn(*image, context->rip))
    VirtualUnwind(0, image->base, context->rip, function, context);
  else
    UnwindLeaf(context);
  return true;
}

}  // namespace nt::ldr
