// FsRtlAllocateResource: a resource that the caller shares with others and never frees. Sixteen go round.
#include <atomic>
#include <utility>

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/state.h"

namespace nt::fsrtl {
namespace {

constexpr unsigned kResources = 16;

struct State {
  PERESOURCE resources[kResources];
  std::atomic<unsigned> next{0};
};
State* g_state = nullptr;

}  // namespace

void BootSharedResources() {
  CHECK(!g_state);
  g_state = new State;
  for (PERESOURCE& resource : g_state->resources) {
    resource = static_cast<PERESOURCE>(ex::AllocatePoolWithTag(NonPagedPoolNx, sizeof(ERESOURCE), 'srsF'));
    CHECK_MSG(resource && NT_SUCCESS(ex::InitializeResourceLite(resource)), "no memory for resources");
  }
}

void ShutdownSharedResources() {
  for (PERESOURCE resource : g_state->resources) {
    ex::DeleteResourceLite(resource);
    ex::FreePool(resource);
  }
  delete std::exchange(g_state, nullptr);
}

PERESOURCE AllocateResource() {
  return g_state->resources[g_state->next.fetch_add(1, std::memory_order_relaxed) % kResources];
}

}  // namespace nt::fsrtl
