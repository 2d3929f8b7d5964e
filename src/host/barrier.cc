#include "src/host/barrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/base/check.h"

namespace host {
namespace {

long Membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

}  // namespace

void PrepareBarriers() {
  if (Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0)
    g_barriers_are_asymmetric.store(true, std::memory_order_relaxed);
}

void HeavyBarrier() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!g_barriers_are_asymmetric.load(std::memory_order_relaxed)) return;
  CHECK_MSG(Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0, "membarrier was registered and is refused");
}

}  // namespace host
