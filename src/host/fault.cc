// Processor faults. One handler for the process; what it does not take goes to the handler that was there before (a
// sanitizer's, a debugger's crash handler), and from there to the default action with the context unchanged.
#include <ucontext.h>

#include <cerrno>
#include <csignal>

#include "src/base/check.h"
#include "src/host/host.h"

namespace host {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
constexpr int kMaxSignal = 32;
constexpr int kMaxDepth = 3;  // a handler that faults while it handles a fault gets this far

std::atomic<FaultHandler> g_handler{nullptr};
struct sigaction g_previous[kMaxSignal];
thread_local int t_depth = 0;

void RunPrevious(int signal, siginfo_t* info, void* context) {
  const struct sigaction& previous = g_previous[signal];
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
    return;
  }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  if (previous.sa_handler == SIG_IGN && info->si_code <= 0) return;  // sent by kill(), and ignored before
  // The default: end the process here, so that a core dump shows the faulting instruction. A fault happens again on return;
  // a signal that was sent has to be sent again.
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  if (info->si_code <= 0 || signal == SIGTRAP) raise(signal);
}

void OnSignal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const auto* machine = static_cast<const ucontext_t*>(context);
  FaultHandler handler = g_handler.load(std::memory_order_acquire);
  bool taken = false;
  if (handler && info->si_code > 0 && t_depth < kMaxDepth) {  // si_code <= 0: sent by a process, not a fault
    t_depth++;
    FaultInfo fault;
    fault.signal = signal;
    fault.code = info->si_code;
    fault.address = signal == SIGSEGV || signal == SIGBUS ? static_cast<uintptr_t>(machine->uc_mcontext.gregs[REG_CR2])
                                                          : reinterpret_cast<uintptr_t>(info->si_addr);
    fault.trap = static_cast<unsigned>(machine->uc_mcontext.gregs[REG_TRAPNO]);
    fault.error_code = static_cast<unsigned>(machine->uc_mcontext.gregs[REG_ERR]);
    fault.machine = context;
    taken = handler(fault);
    t_depth--;
  }
  if (!taken) RunPrevious(signal, info, context);
  errno = saved_errno;
}

}  // namespace

void InstallFaultHandler(FaultHandler handler) {
  // The actions are replaced once; a later call only changes the handler, so the chain never points at itself.
  static std::atomic<bool> installed{false};
  g_handler.store(handler, std::memory_order_release);
  if (installed.exchange(true)) return;
  for (int signal : kSignals) {
    struct sigaction action = {};
    action.sa_sigaction = OnSignal;
    // SA_NODEFER: the handler resumes elsewhere through the context, and code it resumes may fault again at once.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    // Read the old action first: a fault between the two would find an empty slot otherwise.
    CHECK(sigaction(signal, nullptr, &g_previous[signal]) == 0);
    CHECK(sigaction(signal, &action, nullptr) == 0);
  }
}

}  // namespace host
