// Threads: start and join, alternate signal stacks, stack bounds, the gs base.
#include <asm/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "src/base/check.h"
#include "src/host/host.h"

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1u << 1)
#endif

namespace host {
namespace {

// The alternate stack carries the saved processor state (up to 11 KiB with AMX), the fault handler, and whatever handler it
// passes the fault on to: sanitizers symbolise their report on it. Untouched pages cost nothing.
constexpr size_t kSignalStackBytes = 256 * 1024;

/// The alternate signal stack of one thread. Restores what was there before: the sanitizers install one of their own, and
/// unmap at thread exit the one they find.
class SignalStack {
 public:
  SignalStack() {
    void* memory = mmap(nullptr, kPageBytes + kSignalStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    CHECK_MSG(memory != MAP_FAILED, "no memory for an alternate signal stack");
    memory_ = static_cast<char*>(memory);
    CHECK(mprotect(memory_, kPageBytes, PROT_NONE) == 0);
    stack_t stack = {};
    stack.ss_sp = memory_ + kPageBytes;
    stack.ss_size = kSignalStackBytes;
    CHECK_MSG(sigaltstack(&stack, &previous_) == 0, "sigaltstack failed");
  }
  ~SignalStack() {
    stack_t current;
    if (sigaltstack(nullptr, &current) == 0 && current.ss_sp == memory_ + kPageBytes) {
      if (previous_.ss_flags & SS_DISABLE) previous_.ss_size = kSignalStackBytes;  // some kernels check it all the same
      if (sigaltstack(&previous_, nullptr) != 0) return;  // running on it: leave it mapped
    }
    munmap(memory_, kPageBytes + kSignalStackBytes);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;
  void Touch() {}

 private:
  char* memory_;
  stack_t previous_;
};

struct StackBounds {
  uintptr_t low = 0;
  uintptr_t high = 0;
};

thread_local StackBounds t_bounds;
thread_local uint64_t t_thread_id = 0;

class PosixThread final : public Thread {
 public:
  ~PosixThread() override { Join(); }
  void Join() override {
    if (!joinable_) return;
    joinable_ = false;
    CHECK_MSG(pthread_join(thread_, nullptr) == 0, "a thread that joins itself");
  }
  void Detach() override {
    if (!joinable_) return;
    joinable_ = false;
    pthread_detach(thread_);
  }

  pthread_t thread_{};
  bool joinable_ = false;
};

struct StartBlock {
  std::function<void()> body;
  char name[16];
};

void* ThreadMain(void* argument) {
  std::unique_ptr<StartBlock> block(static_cast<StartBlock*>(argument));
  pthread_setname_np(pthread_self(), block->name);
  PrepareThreadForFaults();
  block->body();
  return nullptr;
}

bool HaveWrgsbase() {
  static const bool have = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
  return have;
}

}  // namespace

std::unique_ptr<Thread> Thread::Start(const char* name, size_t stack_bytes, std::function<void()> body) {
  auto block = std::make_unique<StartBlock>();
  block->body = std::move(body);
  std::strncpy(block->name, name, sizeof(block->name) - 1);
  block->name[sizeof(block->name) - 1] = 0;

  const auto least = static_cast<size_t>(std::max<long>(PTHREAD_STACK_MIN, 64 * 1024));
  stack_bytes = (std::max(stack_bytes, least) + kPageBytes - 1) & ~(kPageBytes - 1);
  pthread_attr_t attributes;
  CHECK(pthread_attr_init(&attributes) == 0);
  pthread_attr_setguardsize(&attributes, 4 * kPageBytes);
  pthread_attr_setstacksize(&attributes, stack_bytes + 4 * kPageBytes);  // glibc takes the guard out of the size

  // Signals meant for the process (SIGINT, SIGCHLD, ...) go to the threads of the embedding program. A new thread inherits
  // the mask; faults are delivered to the thread that causes them and stay open.
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF}) sigdelset(&blocked, fault);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  auto thread = std::make_unique<PosixThread>();
  const int error = pthread_create(&thread->thread_, &attributes, ThreadMain, block.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) return nullptr;
  block.release();
  thread->joinable_ = true;
  return thread;
}

uint64_t CurrentThreadId() {
  if (t_thread_id == 0) t_thread_id = static_cast<uint64_t>(syscall(SYS_gettid));
  return t_thread_id;
}

void CurrentStackBounds(uintptr_t* low, uintptr_t* high) {
  if (t_bounds.high == 0) {
    pthread_attr_t attributes;
    void* base = nullptr;
    size_t bytes = 0;
    CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
    pthread_attr_getstack(&attributes, &base, &bytes);
    pthread_attr_destroy(&attributes);
    t_bounds.low = reinterpret_cast<uintptr_t>(base);
    t_bounds.high = t_bounds.low + bytes;
  }
  *low = t_bounds.low;
  *high = t_bounds.high;
}

void SetGsBase(const void* base) {
  if (HaveWrgsbase()) [[likely]] {
    __asm__ volatile("wrgsbase %0" : : "r"(base) : "memory");
  } else {
    CHECK_MSG(syscall(SYS_arch_prctl, ARCH_SET_GS, base) == 0, "arch_prctl(ARCH_SET_GS) failed");
  }
}

void PrepareThreadForFaults() {
  static thread_local SignalStack stack;
  stack.Touch();
}

unsigned ProcessorCount() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    const int count = CPU_COUNT(&set);
    if (count > 0) return static_cast<unsigned>(count);
  }
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<unsigned>(online) : 1;
}

}  // namespace host
