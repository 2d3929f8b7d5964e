// Boot and shutdown of the kernel core.
#include "src/host/host.h"
#include "src/ke/internal.h"

namespace nt::ke {

State* g_state = nullptr;

extern "C" {
CCHAR KeNumberProcessors = 0;
}

void AttachBootThread();
void DetachAllThreads();

Status Boot() { return Boot(BootOptions{}); }

Status Boot(const BootOptions& options) {
  if (HasBugChecked()) return STATUS_SHUTDOWN_IN_PROGRESS;
  CHECK_MSG(!g_state, "a machine is running already");
  if (options.processors < 1 || options.processors > kMaxProcessors) return STATUS_INVALID_PARAMETER;
  host::PrepareBarriers();
  auto* state = new State;
  state->processor_count = options.processors;
  state->active = options.processors == 64 ? ~0ull : (1ull << options.processors) - 1;
  for (unsigned number = 0; number < kMaxProcessors; number++) state->processors[number].number = number;
  state->kernel_stack_bytes = options.kernel_stack_bytes;
  state->boot_ns = host::MonotonicNanoseconds();
  ListInit(&state->timers);
  g_state = state;
  KeNumberProcessors = static_cast<CCHAR>(options.processors);
  AttachBootThread();
  return STATUS_SUCCESS;
}

void Shutdown() {
  if (!g_state || HasBugChecked()) return;  // a bug-checked machine is leaked
  StopServiceThread();
  DetachAllThreads();
  CHECK_MSG(ListEmpty(&g_state->timers), "a timer is set at shutdown");
  delete std::exchange(g_state, nullptr);
  KeNumberProcessors = 0;
}

}  // namespace nt::ke
