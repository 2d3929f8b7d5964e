# __chkstk: touches every page between rsp and rsp - rax, so that a large frame meets the guard page and not what lies behind
# it. Changes no register; the caller subtracts rax from rsp itself.
  .intel_syntax noprefix
  .text
  .globl __chkstk
  .p2align 4
  .def __chkstk
  .scl 2
  .type 32
  .endef
  .seh_proc __chkstk
__chkstk:
  push rcx
  .seh_pushreg rcx
  push rax
  .seh_pushreg rax
  .seh_endprologue
  lea rcx, [rsp + 24]
  cmp rax, 4096
  jb 2f
1:
  sub rcx, 4096
  test byte ptr [rcx], 0
  sub rax, 4096
  cmp rax, 4096
  ja 1b
2:
  sub rcx, rax
  test byte ptr [rcx], 0
  pop rax
  pop rcx
  ret
  .seh_endproc
