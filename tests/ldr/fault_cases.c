// Instructions that only kernel code may execute, and faults that end a machine.
#include "cases.h"

static volatile int sink;

EXPORT U64 read_cr8(void) {
  U64 value;
  __asm__ volatile("movq %%cr8, %0" : "=r"(value));
  return value;
}
EXPORT void write_cr8(U64 value) { __asm__ volatile("movq %0, %%cr8" : : "r"(value)); }
EXPORT U64 write_cr8_keeps_registers(U64 value) {
  U64 sum;
  __asm__ volatile(
      "movq $3, %%r9\n movq $4, %%r12\n pcmpeqd %%xmm7, %%xmm7\n"
      "movq %1, %%cr8\n"
      "movq %%xmm7, %%rax\n addq %%r9, %%rax\n addq %%r12, %%rax\n movq %%rax, %0"
      : "=r"(sum)
      : "r"(value)
      : "rax", "r9", "r12", "xmm7");
  return sum;  // -1 + 3 + 4
}
IMPORT U64 __readcr8(void);
EXPORT U64 read_cr8_intrinsic(void) { return __readcr8(); }

#define SHARED 0xFFFFF78000000000ull
CASE(SharedData_Load64, 0x1122334455667788) { return (long long)*(volatile U64 *)(SHARED + 0x14); }
CASE(SharedData_Load32, 78) { return *(volatile U32 *)(SHARED + 8) + 1; }
CASE(SharedData_CompareByte, 1) { return *(volatile U8 *)(SHARED + 0x26c) == 10; }
CASE(SharedData_CompareByteLess, 1) { return *(volatile U8 *)(SHARED + 0x26c) < 11; }
CASE(SharedData_SignExtend, -2) { return *(volatile signed char *)(SHARED + 0x300); }
CASE(SharedData_Load16, 0xBEEF) { return *(volatile U16 *)(SHARED + 0x310); }
CASE(SharedData_Add, 87) {
  U32 value = 10;
  __asm__ volatile("addl (%1), %0" : "+r"(value) : "r"(SHARED + 8) : "cc");
  return value;
}
CASE(SharedData_Moffs, 77) {
  U32 value;
  __asm__ volatile("movabsl 0xFFFFF78000000008, %%eax\n movl %%eax, %0" : "=r"(value) : : "rax");
  return value;
}
CASE(SharedData_Vector, 77) {
  U32 value;
  __asm__ volatile("movdqu (%1), %%xmm3\n movd %%xmm3, %0" : "=r"(value) : "r"(SHARED + 8) : "xmm3");
  return value;
}
CASE(SharedData_StoreFaults, 1) {
  __try {
    *(volatile U32 *)(SHARED + 8) = 1;
  } __except (1) {
    return CODE() == STATUS_ACCESS_VIOLATION;
  }
  return 0;
}
CASE(PrivilegedInstruction_Faults, 1) {
  __try {
    __asm__ volatile("hlt");
  } __except (1) {
    return CODE() == STATUS_ACCESS_VIOLATION || CODE() == 0xC0000096;
  }
  return 0;
}

EXPORT void fast_fail(U64 code) { __asm__ volatile("int $0x29" : : "c"(code)); }
EXPORT NOINLINE int recurse(int depth) {
  volatile char buffer[512];
  buffer[0] = (char)depth;
  return recurse(depth + 1) + buffer[0];
}
EXPORT U64 sum_page(volatile U64 *page) { return page[0] + page[511]; }
EXPORT void store_page(volatile U64 *page, U64 value) { page[3] = value; }
EXPORT long long guarded_sum(volatile U64 *page) {
  __try {
    return (long long)(page[0] + page[511]);
  } __except (1) {
    return -1;
  }
}
EXPORT U32 guarded_code(volatile U64 *page) {
  U64 status = 0;
  __try {
    return (U32)page[0];
  } __except (status = INFO()->Record->Count > 2 ? INFO()->Record->Information[2] : 0, 1) {
    return status ? (U32)status : CODE();
  }
}
EXPORT double vector_state_survives(volatile U64 *page) {
  double a;
  U64 loaded;
  __asm__ volatile(
      "movq %2, %%xmm9\n movq (%3), %1\n movq %%xmm9, %0"
      : "=&x"(a), "=&r"(loaded)
      : "r"(0x4045000000000000ull), "r"(page)
      : "xmm9", "memory");
  return a;  // 42.0
}

long DriverEntry(void *driver, void *path) { return 0; }
