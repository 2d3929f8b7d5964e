// Work that must go on when a thread's kernel stack is nearly used up: it is run by a thread of its own. Requests on paging
// files have another one, since the first may wait for them.
#include <utility>

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/state.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"
#include "src/ldr/export.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::fsrtl {
namespace {

struct Item {
  LIST_ENTRY links;
  PFSRTL_STACK_OVERFLOW_ROUTINE routine;  // null: the thread ends
  void* context;
  PKEVENT event;
};

struct Worker {
  KQUEUE queue;
  ke::Thread* thread;
};

struct State {
  Worker workers[2];  // ordinary, paging files
};
State* g_state = nullptr;

void Run(void* context) {
  auto* const worker = static_cast<Worker*>(context);
  for (;;) {
    auto* const item = CONTAINING_RECORD(ke::RemoveQueue(&worker->queue, KernelMode, nullptr), Item, links);
    const Item work = *item;
    ex::FreePool(item);
    if (!work.routine) return;
    CallDriver(work.routine, work.context, work.event);  // it sets the event
  }
}

void Post(Worker& worker, PFSRTL_STACK_OVERFLOW_ROUTINE routine, void* context, PKEVENT event) {
  auto* const item = static_cast<Item*>(ex::AllocatePoolWithTag(NonPagedPoolNx, sizeof(Item), 'osrF'));
  if (!item) Raise(STATUS_INSUFFICIENT_RESOURCES);
  *item = {{}, routine, context, event};
  ke::InsertQueue(&worker.queue, &item->links);
}

}  // namespace

void BootStackOverflow() {
  CHECK(!g_state);
  g_state = new State;
  static constexpr const char* kNames[] = {"fsrtl-stack", "fsrtl-pagefile"};
  for (int i = 0; i < 2; i++) {
    Worker& worker = g_state->workers[i];
    ke::InitializeQueue(&worker.queue, 0);
    CHECK_MSG(ps::CreateRuntimeThread(kNames[i], Run, &worker, &worker.thread).ok(), "cannot start a thread");
  }
}

void ShutdownStackOverflow() {
  for (Worker& worker : g_state->workers) {
    Post(worker, nullptr, nullptr, nullptr);
    ke::WaitFor(worker.thread);
    ob::DereferenceObject(worker.thread);
    ke::RundownQueue(&worker.queue);
  }
  delete std::exchange(g_state, nullptr);
}

void PostStackOverflow(void* context, PKEVENT event, PFSRTL_STACK_OVERFLOW_ROUTINE routine) {
  Post(g_state->workers[0], routine, context, event);
}

void PostPagingFileStackOverflow(void* context, PKEVENT event, PFSRTL_STACK_OVERFLOW_ROUTINE routine) {
  Post(g_state->workers[1], routine, context, event);
}

}  // namespace nt::fsrtl
