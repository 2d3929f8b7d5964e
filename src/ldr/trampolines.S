# Places where control changes sides with a full processor state in hand; see trampolines.h and docs/internals/seh.md.
# Each tells the ELF unwinder by CFI that its caller's registers are in the Context that rbx points at, so that debuggers and
# our own walkers cross it.
  .intel_syntax noprefix
  .text

  .set C_FLAGS, 0x30
  .set C_MXCSR, 0x34
  .set C_EFLAGS, 0x44
  .set C_RAX, 0x78
  .set C_RCX, 0x80
  .set C_RDX, 0x88
  .set C_RBX, 0x90
  .set C_RSP, 0x98
  .set C_RBP, 0xa0
  .set C_RSI, 0xa8
  .set C_RDI, 0xb0
  .set C_R8, 0xb8
  .set C_R9, 0xc0
  .set C_R10, 0xc8
  .set C_R11, 0xd0
  .set C_R12, 0xd8
  .set C_R13, 0xe0
  .set C_R14, 0xe8
  .set C_R15, 0xf0
  .set C_RIP, 0xf8
  .set C_XMM, 0x1a0
  .set FRAME, 0x600

# DW_CFA_expression: the register was saved at rbx + offset.
.macro SAVED_AT register, offset
  .cfi_escape 0x10, \register, 3, 0x73, (\offset & 0x7f) | 0x80, \offset >> 7
.endm

# The caller's state is the Context at rbx: CFA = its rsp.
.macro CALLER_IS_CONTEXT
  .cfi_escape 0x0f, 4, 0x73, (C_RSP & 0x7f) | 0x80, C_RSP >> 7, 0x06
  SAVED_AT 0, C_RAX
  SAVED_AT 1, C_RDX
  SAVED_AT 2, C_RCX
  SAVED_AT 3, C_RBX
  SAVED_AT 4, C_RSI
  SAVED_AT 5, C_RDI
  SAVED_AT 6, C_RBP
  SAVED_AT 8, C_R8
  SAVED_AT 9, C_R9
  SAVED_AT 10, C_R10
  SAVED_AT 11, C_R11
  SAVED_AT 12, C_R12
  SAVED_AT 13, C_R13
  SAVED_AT 14, C_R14
  SAVED_AT 15, C_R15
  SAVED_AT 16, C_RIP
.endm

# Stores everything but rsp and rip to the Context at `base`; clobbers rax (after saving it) and keeps flags in the Context.
.macro STORE base
  mov [\base + C_RAX], rax
  mov [\base + C_RCX], rcx
  mov [\base + C_RDX], rdx
  mov [\base + C_RBX], rbx
  mov [\base + C_RBP], rbp
  mov [\base + C_RSI], rsi
  mov [\base + C_RDI], rdi
  mov [\base + C_R8], r8
  mov [\base + C_R9], r9
  mov [\base + C_R10], r10
  mov [\base + C_R11], r11
  mov [\base + C_R12], r12
  mov [\base + C_R13], r13
  mov [\base + C_R14], r14
  mov [\base + C_R15], r15
  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
  movups [\base + C_XMM + 16 * \n], xmm\n
  .endr
  stmxcsr [\base + C_MXCSR]
  pushfq
  pop rax
  and eax, ~0x400
  mov [\base + C_EFLAGS], eax
  mov dword ptr [\base + C_FLAGS], 0x10000b
.endm

.macro FUNCTION name
  .globl \name
  .hidden \name
  .type \name, @function
  .p2align 4
\name:
  .cfi_startproc
.endm

.macro END name
  .cfi_endproc
  .size \name, . - \name
.endm

# rsp and every nonvolatile register are the driver caller's, as after the return of the export.
FUNCTION ntio_raise_trampoline
  .cfi_undefined rip
  lea rsp, [rsp - FRAME]
  STORE rsp
  lea rax, [rsp + FRAME]
  mov [rsp + C_RSP], rax
  mov rbx, rsp
  CALLER_IS_CONTEXT
  and rsp, -16
  cld
  mov rdi, rbx
  call ntio_dispatch_pending
  ud2
END ntio_raise_trampoline

FUNCTION ntio_fault_trampoline
  CALLER_IS_CONTEXT
  call ntio_dispatch_fault
  ud2
END ntio_fault_trampoline

FUNCTION ntio_host_fault_trampoline
  .cfi_signal_frame
  CALLER_IS_CONTEXT
  nop
  call ntio_host_fault
  ud2
END ntio_host_fault_trampoline

# Entered by a jump from a thunk: [rsp] is the return address in the driver.
FUNCTION ntio_missing_import_trampoline
  lea rsp, [rsp - FRAME - 8]
  STORE rsp
  lea rax, [rsp + FRAME + 16]
  mov [rsp + C_RSP], rax
  mov rax, [rsp + FRAME + 8]
  mov [rsp + C_RIP], rax
  mov rbx, rsp
  CALLER_IS_CONTEXT
  and rsp, -16
  cld
  mov rdi, r10
  call ntio_missing_import
  ud2
END ntio_missing_import_trampoline

# ucontext_t of x86-64 Linux: gregs at 40, in the order r8-r15 rdi rsi rbp rbx rdx rax rcx rsp rip.
FUNCTION ntio_deferred_trampoline
  .cfi_signal_frame
  .cfi_escape 0x0f, 4, 0x73, (160 & 0x7f) | 0x80, 160 >> 7, 0x06
  SAVED_AT 8, 40
  SAVED_AT 9, 48
  SAVED_AT 10, 56
  SAVED_AT 11, 64
  SAVED_AT 12, 72
  SAVED_AT 13, 80
  SAVED_AT 14, 88
  SAVED_AT 15, 96
  SAVED_AT 5, 104
  SAVED_AT 4, 112
  SAVED_AT 6, 120
  SAVED_AT 3, 128
  SAVED_AT 1, 136
  SAVED_AT 0, 144
  SAVED_AT 2, 152
  SAVED_AT 16, 168
  nop
  call ntio_run_deferred
  mov rsp, rbx
  mov eax, 15        # rt_sigreturn: restores the whole state, vector registers included, from the frame at rsp
  syscall
  ud2
END ntio_deferred_trampoline

FUNCTION ntio_restore_context
  .cfi_undefined rip
  .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
  movups xmm\n, [rdi + C_XMM + 16 * \n]
  .endr
  ldmxcsr [rdi + C_MXCSR]
  mov rax, [rdi + C_RSP]
  mov rdx, [rdi + C_RIP]
  mov [rax - 8], rdx
  mov rdx, [rdi + C_RDI]
  mov [rax - 16], rdx
  mov rdx, [rdi + C_RAX]
  mov [rax - 24], rdx
  mov edx, [rdi + C_EFLAGS]
  mov [rax - 32], rdx
  mov rcx, [rdi + C_RCX]
  mov rdx, [rdi + C_RDX]
  mov rbx, [rdi + C_RBX]
  mov rbp, [rdi + C_RBP]
  mov rsi, [rdi + C_RSI]
  mov r8, [rdi + C_R8]
  mov r9, [rdi + C_R9]
  mov r10, [rdi + C_R10]
  mov r11, [rdi + C_R11]
  mov r12, [rdi + C_R12]
  mov r13, [rdi + C_R13]
  mov r14, [rdi + C_R14]
  mov r15, [rdi + C_R15]
  lea rsp, [rax - 32]
  popfq
  pop rax
  pop rdi
  ret
END ntio_restore_context

# ntio_walk_from: the pc of the context is a return address; ntio_walk_from_fault: it is the instruction itself, which may be the
# first of its function.
.macro WALK_FROM name, signal_frame
FUNCTION \name
  .if \signal_frame
  .cfi_signal_frame
  .endif
  push rbx
  .cfi_def_cfa_offset 16
  .cfi_offset rbx, -16
  mov rbx, rdi
  .cfi_remember_state
  CALLER_IS_CONTEXT
  mov rdi, rdx
  call rsi
  .cfi_restore_state
  .cfi_def_cfa rsp, 16
  pop rbx
  .cfi_def_cfa_offset 8
  .cfi_restore rbx
  ret
END \name
.endm
  WALK_FROM ntio_walk_from, 0
  WALK_FROM ntio_walk_from_fault, 1

FUNCTION ntio_capture_here
  STORE rdi
  mov rax, [rsp]
  mov [rdi + C_RIP], rax
  lea rax, [rsp + 8]
  mov [rdi + C_RSP], rax
  ret
END ntio_capture_here

# VOID RtlCaptureContext(PCONTEXT): called by drivers.
  .globl "nt$RtlCaptureContext"
  .type "nt$RtlCaptureContext", @function
  .p2align 4
"nt$RtlCaptureContext":
  .cfi_startproc
  STORE rcx
  mov rax, [rsp]
  mov [rcx + C_RIP], rax
  lea rax, [rsp + 8]
  mov [rcx + C_RSP], rax
  ret
  .cfi_endproc
  .size "nt$RtlCaptureContext", . - "nt$RtlCaptureContext"

# ---- user memory -------------------------------------------------------------------------------------------------------
# A fault between begin and end resumes at ntio_user_access_fault with rax = kind and rdx = address: the functions return
# that pair. None has a frame, so the return address is at rsp throughout.
  .globl ntio_user_access_begin
  .hidden ntio_user_access_begin
ntio_user_access_begin:

# ntio_user_fault ntio_user_copy(rdi to, rsi from, rdx bytes). The ranges do not overlap.
FUNCTION ntio_user_copy
  cmp rdx, 16
  jb 1f
  cmp rdx, 32
  ja 2f
  movups xmm0, [rsi]
  movups xmm1, [rsi + rdx - 16]
  movups [rdi], xmm0
  movups [rdi + rdx - 16], xmm1
  xor eax, eax
  ret
2:
  cmp rdx, 128
  ja 3f
  cmp rdx, 64
  ja 4f
  movups xmm0, [rsi]
  movups xmm1, [rsi + 16]
  movups xmm2, [rsi + rdx - 32]
  movups xmm3, [rsi + rdx - 16]
  movups [rdi], xmm0
  movups [rdi + 16], xmm1
  movups [rdi + rdx - 32], xmm2
  movups [rdi + rdx - 16], xmm3
  xor eax, eax
  ret
4:
  movups xmm0, [rsi]
  movups xmm1, [rsi + 16]
  movups xmm2, [rsi + 32]
  movups xmm3, [rsi + 48]
  movups xmm4, [rsi + rdx - 64]
  movups xmm5, [rsi + rdx - 48]
  movups xmm6, [rsi + rdx - 32]
  movups xmm7, [rsi + rdx - 16]
  movups [rdi], xmm0
  movups [rdi + 16], xmm1
  movups [rdi + 32], xmm2
  movups [rdi + 48], xmm3
  movups [rdi + rdx - 64], xmm4
  movups [rdi + rdx - 48], xmm5
  movups [rdi + rdx - 32], xmm6
  movups [rdi + rdx - 16], xmm7
  xor eax, eax
  ret
3:
  cmp rdx, 2048
  jae 6f
  movups xmm4, [rsi + rdx - 64]
  movups xmm5, [rsi + rdx - 48]
  movups xmm6, [rsi + rdx - 32]
  movups xmm7, [rsi + rdx - 16]
  lea r8, [rdi + rdx - 64]
5:
  movups xmm0, [rsi]
  movups xmm1, [rsi + 16]
  movups xmm2, [rsi + 32]
  movups xmm3, [rsi + 48]
  movups [rdi], xmm0
  movups [rdi + 16], xmm1
  movups [rdi + 32], xmm2
  movups [rdi + 48], xmm3
  add rsi, 64
  add rdi, 64
  cmp rdi, r8
  jb 5b
  movups [r8], xmm4
  movups [r8 + 16], xmm5
  movups [r8 + 32], xmm6
  movups [r8 + 48], xmm7
  xor eax, eax
  ret
6:
  mov rcx, rdx
  rep movsb
  xor eax, eax
  ret
1:
  cmp edx, 8
  jae 7f
  cmp edx, 4
  jae 8f
  test edx, edx
  je 9f
  movzx eax, byte ptr [rsi]
  movzx ecx, byte ptr [rsi + rdx - 1]
  mov r8d, edx
  shr r8d, 1
  movzx r9d, byte ptr [rsi + r8]
  mov [rdi], al
  mov [rdi + r8], r9b
  mov [rdi + rdx - 1], cl
9:
  xor eax, eax
  ret
8:
  mov eax, [rsi]
  mov ecx, [rsi + rdx - 4]
  mov [rdi], eax
  mov [rdi + rdx - 4], ecx
  xor eax, eax
  ret
7:
  mov rax, [rsi]
  mov rcx, [rsi + rdx - 8]
  mov [rdi], rax
  mov [rdi + rdx - 8], rcx
  xor eax, eax
  ret
END ntio_user_copy

# ntio_user_fault ntio_user_fill(rdi to, esi value, rdx bytes)
FUNCTION ntio_user_fill
  mov eax, esi
  mov rcx, rdx
  rep stosb
  xor eax, eax
  ret
END ntio_user_fill

# Reads one byte of every page of [rdi, rdi + rsi), rsi > 0.
FUNCTION ntio_user_touch_read
  lea rcx, [rdi + rsi - 1]
  mov al, [rcx]
1:
  mov al, [rdi]
  or rdi, 4095
  inc rdi
  je 2f
  cmp rdi, rcx
  jbe 1b
2:
  xor eax, eax
  ret
END ntio_user_touch_read

# Writes back one byte of every page, atomically, so that a racing writer loses nothing.
FUNCTION ntio_user_touch_write
  lea rcx, [rdi + rsi - 1]
  lock or byte ptr [rcx], 0
1:
  lock or byte ptr [rdi], 0
  or rdi, 4095
  inc rdi
  je 2f
  cmp rdi, rcx
  jbe 1b
2:
  xor eax, eax
  ret
END ntio_user_touch_write

  .globl ntio_user_access_end
  .hidden ntio_user_access_end
ntio_user_access_end:

FUNCTION ntio_user_access_fault
  ret
END ntio_user_access_fault

  .section .note.GNU-stack, "", @progbits
