// Accounted kernel stacks. A service entry gets 24 KiB of the Linux stack, which is larger; drivers see these bounds only.
//
// KeExpandKernelStackAndCallout runs the callout further down the same Linux stack with new accounted bounds. Windows switches
// to another stack; a driver cannot tell the difference other than by comparing addresses.
#include "src/ke/internal.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define NTIO_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NTIO_SANITIZED 1
#endif

namespace nt::ke {
namespace {

constexpr size_t kStackBytes = 24 * 1024;
#if defined(NTIO_SANITIZED)
constexpr size_t kScale = 8;
#elif !defined(__OPTIMIZE__)
constexpr size_t kScale = 3;
#else
constexpr size_t kScale = 1;
#endif
/// Kept free at the low end of a Linux stack, for the runtime's own frames below the accounted limit and for signal frames.
constexpr size_t kReserve = 32 * 1024 * kScale;

/// The lowest limit that the host's stack admits.
uintptr_t LowestLimit(Thread* thread) { return thread->host_stack_low + kReserve; }

}  // namespace

size_t KernelStackBytes() {
  const size_t chosen = g_state ? g_state->kernel_stack_bytes : 0;
  return chosen ? chosen : kStackBytes * kScale;
}

size_t SystemThreadStackBytes() { return 1024 * 1024 * (kScale > 3 ? 4 : 1); }

AccountedStack::AccountedStack(size_t bytes)
    : thread_(CurrentThread()), saved_base_(thread_->stack_base), saved_limit_(thread_->stack_limit) {
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (bytes == 0) bytes = KernelStackBytes();
  thread_->stack_base = here;
  const uintptr_t lowest = LowestLimit(thread_);
  thread_->stack_limit = here > lowest + bytes ? here - bytes : (here > lowest ? lowest : here);
}

AccountedStack::~AccountedStack() {
  thread_->stack_base = saved_base_;
  thread_->stack_limit = saved_limit_;
}

void GetStackLimits(PULONG_PTR low, PULONG_PTR high) {
  Thread* thread = CurrentThread();
  *low = thread->stack_limit;
  *high = thread->stack_base;
}

ULONG_PTR GetRemainingStackSize(uintptr_t stack_pointer) {
  const uintptr_t limit = CurrentThread()->stack_limit;
  return stack_pointer > limit ? stack_pointer - limit : 0;
}

bool WithinStackLimits(ULONG_PTR start, SIZE_T bytes) {
  Thread* thread = CurrentThread();
  return start >= thread->stack_limit && start < thread->stack_base && bytes <= thread->stack_base - start;
}

Status ExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT callout, void* parameter, SIZE_T bytes, bool, void*) {
  if (bytes > MAXIMUM_EXPANSION_SIZE) return STATUS_INVALID_PARAMETER_3;
  Thread* thread = CurrentThread();
  if (thread->irql > DISPATCH_LEVEL)
    BugCheckWithMessage("KeExpandKernelStackAndCallout above DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL, 0, thread->irql);
  const size_t wanted = (bytes < kStackBytes ? kStackBytes : bytes) * kScale;
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (here < LowestLimit(thread) + wanted) return STATUS_NO_MEMORY;
  AccountedStack stack(wanted);
  CallDriver(callout, parameter);
  return STATUS_SUCCESS;
}

Status ExpandKernelStackAndCallout(PEXPAND_STACK_CALLOUT callout, void* parameter, SIZE_T bytes) {
  if (CurrentIrql() > APC_LEVEL)
    BugCheckWithMessage("KeExpandKernelStackAndCallout above APC_LEVEL", IRQL_NOT_LESS_OR_EQUAL, 0, CurrentIrql());
  return ExpandKernelStackAndCalloutEx(callout, parameter, bytes, true, nullptr);
}

}  // namespace nt::ke
