# Frames that C compilers for this target do not make, or not on demand: chained unwind data, machine frames, a handler in front
# of __C_specific_handler, epilogues with a label at each instruction, places to unwind to.
  .intel_syntax noprefix
  .text

# U64 chained_call(rcx routine, rdx argument): the call is in a part of the function with chained data that saves rsi and xmm6.
# The tables are written by hand, as MSVC writes them: the parts do not overlap, and the last has chained data without codes.
  .globl chained_call
  .def chained_call; .scl 2; .type 32; .endef
chained_call:
  push rbx
chained_pushed_rbx:
  push rdi
chained_pushed_rdi:
  sub rsp, 0x48
chained_prologue_end:
  mov rbx, rcx
  mov rdi, 0x1111
  test rcx, rcx
  je chained_last
chained_part:
  mov [rsp + 0x40], rsi
chained_saved_rsi:
  movaps [rsp + 0x30], xmm6
chained_saved_xmm6:
  mov rsi, 0x2222
  pcmpeqd xmm6, xmm6
  mov rcx, rdx
  call rbx
  movaps xmm6, [rsp + 0x30]
  mov rsi, [rsp + 0x40]
chained_last:
  add rsp, 0x48
  pop rdi
  pop rbx
  ret
chained_end:

  .section .xdata, "dr"
  .p2align 2
chained_info:
  .byte 1, chained_prologue_end - chained_call, 3, 0
  .byte chained_prologue_end - chained_call, 0x82      # allocate 0x48
  .byte chained_pushed_rdi - chained_call, 0x70        # push rdi
  .byte chained_pushed_rbx - chained_call, 0x30        # push rbx
  .short 0
chained_part_info:
  .byte 1 | 4 << 3, chained_saved_xmm6 - chained_part, 4, 0
  .byte chained_saved_xmm6 - chained_part, 0x68        # save xmm6 at 3 * 16
  .short 3
  .byte chained_saved_rsi - chained_part, 0x64         # save rsi at 8 * 8
  .short 8
  .long chained_call@IMGREL, chained_part@IMGREL, chained_info@IMGREL
chained_last_info:
  .byte 1 | 4 << 3, 0, 0, 0
  .long chained_call@IMGREL, chained_part@IMGREL, chained_info@IMGREL
  .section .pdata, "dr"
  .p2align 2
  .long chained_call@IMGREL, chained_part@IMGREL, chained_info@IMGREL
  .long chained_part@IMGREL, chained_last@IMGREL, chained_part_info@IMGREL
  .long chained_last@IMGREL, chained_end@IMGREL, chained_last_info@IMGREL
  .text

# U64 with_patterns(rcx routine, rdx first argument, r8 second): calls with known values in every nonvolatile register.
  .globl with_patterns
  .globl with_patterns_return
  .def with_patterns; .scl 2; .type 32; .endef
  .seh_proc with_patterns
with_patterns:
  push rbx
  .seh_pushreg rbx
  push rbp
  .seh_pushreg rbp
  push rsi
  .seh_pushreg rsi
  push rdi
  .seh_pushreg rdi
  push r12
  .seh_pushreg r12
  push r13
  .seh_pushreg r13
  push r14
  .seh_pushreg r14
  push r15
  .seh_pushreg r15
  sub rsp, 0x38
  .seh_stackalloc 0x38
  movaps [rsp + 0x20], xmm6
  .seh_savexmm xmm6, 0x20
  .seh_endprologue
  mov rax, rcx
  mov rcx, rdx
  mov rdx, r8
  mov rbx, 0xB0B0
  mov rbp, 0xB1B1
  mov rsi, 0xB2B2
  mov rdi, 0xB3B3
  mov r12, 0xB4B4
  mov r13, 0xB5B5
  mov r14, 0xB6B6
  mov r15, 0xB7B7
  movq xmm6, r15
  call rax
with_patterns_return:
  movaps xmm6, [rsp + 0x20]
  add rsp, 0x38
  pop r15
  pop r14
  pop r13
  pop r12
  pop rdi
  pop rsi
  pop rbp
  pop rbx
  ret
  .seh_endproc

# U64 machine_frame_call(rcx routine, rdx argument): calls from below an interrupt frame.
  .globl machine_frame_call
  .globl machine_frame_resume
  .def machine_frame_call; .scl 2; .type 32; .endef
  .seh_proc machine_frame_call
machine_frame_call:
  push rbp
  .seh_pushreg rbp
  sub rsp, 0x20
  .seh_stackalloc 0x20
  .seh_endprologue
  mov r9, rsp
  mov eax, 0x2b
  push rax
  push r9
  pushfq
  mov eax, 0x33
  push rax
  lea rax, [rip + machine_frame_resume]
  push rax
  jmp interrupt_handler
machine_frame_resume:
  nop
  add rsp, 0x20
  pop rbp
  ret
  .seh_endproc

  .def interrupt_handler; .scl 3; .type 32; .endef
  .seh_proc interrupt_handler
interrupt_handler:
  .seh_pushframe
  sub rsp, 0x28
  .seh_stackalloc 0x28
  .seh_endprologue
  mov rax, rcx
  mov rcx, rdx
  call rax
  add rsp, 0x28
  mov rcx, [rsp]
  mov rsp, [rsp + 24]
  jmp rcx
  .seh_endproc

# U64 guarded_call(rcx routine, rdx argument): returns 1 when the call raised. Its handler is the driver's own, which passes on to
# __C_specific_handler, as __GSHandlerCheck_SEH does.
  .globl guarded_call
  .def guarded_call; .scl 2; .type 32; .endef
  .seh_proc guarded_call
  .seh_handler CheckingHandler, @except, @unwind
guarded_call:
  sub rsp, 0x28
  .seh_stackalloc 0x28
  .seh_endprologue
  mov rax, rcx
  mov rcx, rdx
guarded_begin:
  call rax
  nop
guarded_end:
  xor eax, eax
guarded_out:
  add rsp, 0x28
  ret
guarded_except:
  mov eax, 1
  jmp guarded_out
  .seh_handlerdata
  .long 1
  .long guarded_begin@IMGREL, guarded_end@IMGREL, 1, guarded_except@IMGREL
  .text
  .seh_endproc

# U64 unwind_landing(rcx routine): calls routine(frame, ip); returns what an unwind to frame and ip leaves in rax.
  .globl unwind_landing
  .def unwind_landing; .scl 2; .type 32; .endef
  .seh_proc unwind_landing
unwind_landing:
  sub rsp, 0x28
  .seh_stackalloc 0x28
  .seh_endprologue
  mov rax, rcx
  mov rcx, rsp
  lea rdx, [rip + landing]
  call rax
  mov eax, 9
landing:
  add rsp, 0x28
  ret
  .seh_endproc

# Prologue and epilogue with a label each; only unwound through, never called.
  .globl forms_0, forms_1, forms_2, forms_3, forms_body, forms_e0, forms_e1, forms_e2, forms_e3, forms_jump, forms_tail
  .def forms_0; .scl 2; .type 32; .endef
  .seh_proc forms_0
forms_0:
  push rbx
  .seh_pushreg rbx
forms_1:
  push r12
  .seh_pushreg r12
forms_2:
  sub rsp, 0x20
  .seh_stackalloc 0x20
forms_3:
  .seh_endprologue
forms_body:
  nop
  test eax, eax
forms_jump:
  jmp forms_body       # not an epilogue: it stays inside
forms_e0:
  add rsp, 0x20
forms_e1:
  pop r12
forms_e2:
  pop rbx
forms_e3:
  ret
  nop
forms_tail:
  add rsp, 0x20
  pop r12
  pop rbx
  jmp unwind_landing   # a tail call
  .seh_endproc

# The same with version 2 unwind data, which describes its epilogues.
  .globl v2_0, v2_1, v2_2, v2_body, v2_e0, v2_e1, v2_e2, v2_e3
  .def v2_0; .scl 2; .type 32; .endef
  .seh_proc v2_0
v2_0:
  .seh_unwindversion 2
  push rbx
  .seh_pushreg rbx
v2_1:
  push r12
  .seh_pushreg r12
v2_2:
  sub rsp, 0x20
  .seh_stackalloc 0x20
  .seh_endprologue
v2_body:
  nop
  test eax, eax
  je v2_other
  nop
  .seh_startepilogue
v2_e0:
  add rsp, 0x20
  .seh_unwindv2start
v2_e1:
  pop r12
v2_e2:
  pop rbx
v2_e3:
  ret
  .seh_endepilogue
v2_other:
  nop
  .seh_startepilogue
  add rsp, 0x20
  .seh_unwindv2start
  pop r12
  pop rbx
  ret
  .seh_endepilogue
  .seh_endproc
