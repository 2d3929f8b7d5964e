// The assembler parts: places where control changes sides with a full processor state in hand (trampolines.S).
#pragma once

#include <cstdint>

#include "src/ldr/context.h"

extern "C" {
/// Where an export "returns" when its body raised: captures the driver caller's state and dispatches.
void ntio_raise_trampoline();
/// Where the fault handler resumes a driver: rbx, rdi = Context*, rsi = EXCEPTION_RECORD*.
void ntio_fault_trampoline();
/// The same for a fault in runtime code.
void ntio_host_fault_trampoline();
/// Where the fault handler resumes to run a call on the thread's own stack: rdi = DeferredCall*, rbx = ucontext_t*. When the
/// call returns, the saved context is resumed.
void ntio_deferred_trampoline();
/// Target of the thunks of missing imports: r10 = MissingImportRecord*.
void ntio_missing_import_trampoline();

/// Loads the whole context. Writes 32 bytes below the new rsp.
[[noreturn]] void ntio_restore_context(const nt::ldr::Context* context);
/// Calls function(argument) such that the ELF unwinder sees the frame of `context` as the caller.
void ntio_walk_from(const nt::ldr::Context* context, void (*function)(void*), void* argument);
/// The same where the pc of `context` is that of an instruction, not a return address behind a call.
void ntio_walk_from_fault(const nt::ldr::Context* context, void (*function)(void*), void* argument);
/// The state of the caller, as it will be after this call returns.
void ntio_capture_here(nt::ldr::Context* context);

/// Result of the user-memory helpers: kind 0 is success, else 1 (read), 2 (write) or 3 (bus error, read) ... see user_access.cc.
struct ntio_user_fault {
  uint64_t kind, address;
};
ntio_user_fault ntio_user_copy(void* to, const void* from, uint64_t bytes);
ntio_user_fault ntio_user_fill(void* to, int value, uint64_t bytes);
ntio_user_fault ntio_user_touch_read(const void* at, uint64_t bytes);
ntio_user_fault ntio_user_touch_write(void* at, uint64_t bytes);
extern const char ntio_user_access_begin[], ntio_user_access_end[], ntio_user_access_fault[];
}
