// Instructions that kernel code executes and user mode may not: mov to and from cr8 (KeRaiseIrql and KeLowerIrql are inline in
// drivers for amd64), and loads from KUSER_SHARED_DATA, whose address no process can map. Everything here runs in the fault
// handler: no lock, no allocation.

#include <Zydis/Zydis.h>
#include <ucontext.h>

#include <cstring>

#include "src/ldr/fault.h"

namespace nt::ldr {
namespace {

constexpr uint64_t kSharedUserDataAddress = 0xFFFFF78000000000;
constexpr int kGreg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                           REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

alignas(4096) std::byte g_shared_user_data[4096];
void (*g_update_shared_user_data)(void* page) = nullptr;

void RaiseOrLower(void*, uint64_t irql, uint64_t) { WriteIrql(static_cast<uint8_t>(irql)); }

/// mov r64, cr8: 44/45 0F 20 /r; mov cr8, r64: 44/45 0F 22 /r.
bool EmulateCr8(ucontext_t* machine) {
  greg_t* gregs = machine->uc_mcontext.gregs;
  const auto* code = reinterpret_cast<const uint8_t*>(gregs[REG_RIP]);
  if ((code[0] & 0xfe) != 0x44 || code[1] != 0x0f || (code[2] != 0x20 && code[2] != 0x22) || (code[3] & 0xf8) != (0xc0 | (code[3] & 0x38)) ||
      (code[3] & 0x38) != 0)
    return false;
  const int reg = (code[3] & 7) | (code[0] & 1) << 3;
  gregs[REG_RIP] += 4;
  if (code[2] == 0x20)
    gregs[kGreg[reg]] = ReadIrql();
  else
    DeferToThread(machine, RaiseOrLower, static_cast<uint64_t>(gregs[kGreg[reg]]) & 15, 0);
  return true;
}

int RegisterIndex(ZydisRegister reg) {
  const ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
  return full >= ZYDIS_REGISTER_RAX && full <= ZYDIS_REGISTER_R15 ? full - ZYDIS_REGISTER_RAX : -1;
}

bool IsHighByte(ZydisRegister reg) { return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH; }

uint64_t ReadRegister(const greg_t* gregs, ZydisRegister reg, unsigned bits) {
  const auto value = static_cast<uint64_t>(gregs[kGreg[RegisterIndex(reg)]]);
  const uint64_t shifted = IsHighByte(reg) ? value >> 8 : value;
  return bits == 64 ? shifted : shifted & ((1ull << bits) - 1);
}

void WriteRegister(greg_t* gregs, ZydisRegister reg, unsigned bits, uint64_t value) {
  greg_t& target = gregs[kGreg[RegisterIndex(reg)]];
  auto old = static_cast<uint64_t>(target);
  if (bits == 32) {
    old = static_cast<uint32_t>(value);
  } else if (bits == 64) {
    old = value;
  } else {
    const unsigned shift = IsHighByte(reg) ? 8 : 0;
    const uint64_t mask = ((1ull << bits) - 1) << shift;
    old = (old & ~mask) | ((value << shift) & mask);
  }
  target = static_cast<greg_t>(old);
}

/// Arithmetic flags of `left op right` at a width, by the processor itself.
enum class Operation { kCompare, kTest, kAdd, kSubtract, kAnd, kOr, kXor };
uint64_t Compute(Operation operation, uint64_t left, uint64_t right, unsigned bits, uint64_t* flags) {
  // Shifted to the top of the register, carries and signs come out as they would at the width; the low zeros add nothing.
  // The adjust flag alone is lost; no compiler reads it.
  const unsigned shift = 64 - bits;
  left <<= shift;
  right <<= shift;
  uint64_t result = left, after = 0;
  switch (operation) {
    case Operation::kCompare:
    case Operation::kSubtract:
      __asm__("subq %2, %0\n\tpushfq\n\tpopq %1" : "+r"(result), "=r"(after) : "r"(right) : "cc");
      break;
    case Operation::kAdd:
      __asm__("addq %2, %0\n\tpushfq\n\tpopq %1" : "+r"(result), "=r"(after) : "r"(right) : "cc");
      break;
    case Operation::kTest:
    case Operation::kAnd:
      __asm__("andq %2, %0\n\tpushfq\n\tpopq %1" : "+r"(result), "=r"(after) : "r"(right) : "cc");
      break;
    case Operation::kOr:
      __asm__("orq %2, %0\n\tpushfq\n\tpopq %1" : "+r"(result), "=r"(after) : "r"(right) : "cc");
      break;
    case Operation::kXor:
      __asm__("xorq %2, %0\n\tpushfq\n\tpopq %1" : "+r"(result), "=r"(after) : "r"(right) : "cc");
      break;
  }
  result >>= shift;
  // Parity is of the low byte of the result at its width.
  constexpr uint64_t kParity = 4;
  after = (after & ~kParity) | (__builtin_parity(static_cast<unsigned>(result & 0xff)) ? 0 : kParity);
  *flags = after;
  return result;
}

bool EmulateSharedLoad(ucontext_t* machine, uint64_t address) {
  greg_t* gregs = machine->uc_mcontext.gregs;
  ZydisDecoder decoder;
  ZydisDecodedInstruction instruction;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
      !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, reinterpret_cast<const void*>(gregs[REG_RIP]), 15, &instruction, operands)))
    return false;
  if (instruction.operand_count_visible != 2) return false;
  const ZydisDecodedOperand& first = operands[0];
  const ZydisDecodedOperand& second = operands[1];
  const bool load = second.type == ZYDIS_OPERAND_TYPE_MEMORY;
  const ZydisDecodedOperand& memory = load ? second : first;
  if (memory.type != ZYDIS_OPERAND_TYPE_MEMORY || memory.size > 128) return false;
  const uint64_t offset = address - kSharedUserDataAddress;
  const unsigned bytes = memory.size / 8;
  if (offset + bytes > sizeof g_shared_user_data) return false;
  uint64_t value[2] = {};
  if (g_update_shared_user_data) {
    alignas(16) std::byte page[sizeof g_shared_user_data];  // its own: times of two threads must not mix
    std::memcpy(page, g_shared_user_data, sizeof page);
    g_update_shared_user_data(page);
    std::memcpy(value, page + offset, bytes);
  } else {
    std::memcpy(value, g_shared_user_data + offset, bytes);
  }

  // Loads of vectors: the register image is in the signal frame.
  if (load && first.type == ZYDIS_OPERAND_TYPE_REGISTER && first.reg.value >= ZYDIS_REGISTER_XMM0 &&
      first.reg.value <= ZYDIS_REGISTER_XMM15 && machine->uc_mcontext.fpregs) {
    switch (instruction.mnemonic) {
      case ZYDIS_MNEMONIC_MOVUPS:
      case ZYDIS_MNEMONIC_MOVAPS:
      case ZYDIS_MNEMONIC_MOVUPD:
      case ZYDIS_MNEMONIC_MOVAPD:
      case ZYDIS_MNEMONIC_MOVDQU:
      case ZYDIS_MNEMONIC_MOVDQA:
      case ZYDIS_MNEMONIC_MOVQ:
      case ZYDIS_MNEMONIC_MOVD:
      case ZYDIS_MNEMONIC_MOVSD:
      case ZYDIS_MNEMONIC_MOVSS:
        std::memcpy(&machine->uc_mcontext.fpregs->_xmm[first.reg.value - ZYDIS_REGISTER_XMM0], value, 16);
        gregs[REG_RIP] += instruction.length;
        return true;
      default:
        return false;
    }
  }
  if (bytes > 8) return false;

  if (load) {
    if (first.type != ZYDIS_OPERAND_TYPE_REGISTER || RegisterIndex(first.reg.value) < 0) return false;
    if (instruction.mnemonic == ZYDIS_MNEMONIC_MOV || instruction.mnemonic == ZYDIS_MNEMONIC_MOVZX) {
      WriteRegister(gregs, first.reg.value, first.size, value[0]);
      gregs[REG_RIP] += instruction.length;
      return true;
    }
    if (instruction.mnemonic == ZYDIS_MNEMONIC_MOVSX || instruction.mnemonic == ZYDIS_MNEMONIC_MOVSXD) {
      const unsigned shift = 64 - memory.size;
      const auto wide = static_cast<uint64_t>(static_cast<int64_t>(value[0] << shift) >> shift);
      WriteRegister(gregs, first.reg.value, first.size, wide);
      gregs[REG_RIP] += instruction.length;
      return true;
    }
  }
  Operation operation;
  bool writes = true;
  switch (instruction.mnemonic) {
    case ZYDIS_MNEMONIC_CMP:
      operation = Operation::kCompare;
      writes = false;
      break;
    case ZYDIS_MNEMONIC_TEST:
      operation = Operation::kTest;
      writes = false;
      break;
    case ZYDIS_MNEMONIC_ADD:
      operation = Operation::kAdd;
      break;
    case ZYDIS_MNEMONIC_SUB:
      operation = Operation::kSubtract;
      break;
    case ZYDIS_MNEMONIC_AND:
      operation = Operation::kAnd;
      break;
    case ZYDIS_MNEMONIC_OR:
      operation = Operation::kOr;
      break;
    case ZYDIS_MNEMONIC_XOR:
      operation = Operation::kXor;
      break;
    default:
      return false;
  }
  if (writes && !load) return false;  // a store: the page is read-only to drivers
  const ZydisDecodedOperand& other = load ? first : second;
  uint64_t other_value;
  if (other.type == ZYDIS_OPERAND_TYPE_REGISTER && RegisterIndex(other.reg.value) >= 0)
    other_value = ReadRegister(gregs, other.reg.value, memory.size);
  else if (other.type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
    other_value = other.imm.value.u;
  else
    return false;
  uint64_t flags = 0;
  const uint64_t result = Compute(operation, load ? other_value : value[0], load ? value[0] : other_value, memory.size, &flags);
  constexpr uint64_t kArithmetic = 0x8d5;  // CF PF AF ZF SF OF
  gregs[REG_EFL] = static_cast<greg_t>((static_cast<uint64_t>(gregs[REG_EFL]) & ~kArithmetic) | (flags & kArithmetic));
  if (writes) WriteRegister(gregs, first.reg.value, first.size, result);
  gregs[REG_RIP] += instruction.length;
  return true;
}

}  // namespace

void* SharedUserData() { return g_shared_user_data; }
void SetSharedUserDataHook(void (*update)(void* page)) { g_update_shared_user_data = update; }

bool EmulateDriverInstruction(const host::FaultInfo& fault) {
  auto* machine = static_cast<ucontext_t*>(fault.machine);
  if (fault.trap == 13) return EmulateCr8(machine);
  if (fault.trap != 14) return false;
  // The last bytes of an instruction that is an image's last may not be mapped; the decoder asks for 15 at most and images
  // end in padding, so that case does not arise.
  if (fault.address - kSharedUserDataAddress >= sizeof g_shared_user_data) return false;
  return EmulateSharedLoad(machine, fault.address);
}

}  // namespace nt::ldr
