// Worker threads: three queues (critical, delayed, hypercritical), each with threads that start when items wait and no
// thread is free, up to a limit. An item's routine is driver code and may block for as long as it likes; file systems post
// work that waits for other posted work, hence the growth.
#include <atomic>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::ex {
namespace {

constexpr int kQueues = 3;
constexpr int kMaxThreads = 32;

struct WorkQueue {
  KQUEUE queue{};
  Lock lock{LockRank::kWorkQueue};
  int threads NT_GUARDED_BY(lock) = 0;
  int busy NT_GUARDED_BY(lock) = 0;
  int waiting NT_GUARDED_BY(lock) = 0;   // queued, not yet taken
  std::vector<void*> objects NT_GUARDED_BY(lock);  // thread objects, referenced
};

struct State {
  WorkQueue queues[kQueues];
  bool stopping = false;
};

State* g_state = nullptr;
thread_local WorkQueue* t_serving = nullptr;  // the queue whose item this thread runs


void NTIO_MS_ABI WorkerMain(void* context) {
  auto& queue = *static_cast<WorkQueue*>(context);
  for (;;) {
    auto* entry = ke::RemoveQueue(&queue.queue, KernelMode, nullptr);
    auto* item = CONTAINING_RECORD(entry, WORK_QUEUE_ITEM, List);
    auto* const routine = item->WorkerRoutine;
    void* const parameter = item->Parameter;
    const bool stop = routine == nullptr;
    {
      LockGuard guard(queue.lock);
      queue.waiting--;
      if (!stop) queue.busy++;
    }
    if (stop) {
      FreePool(item);
      return;
    }
    item->List.Flink = nullptr;  // the item may be queued again from its routine, or freed
    t_serving = &queue;
    CallDriver(routine, parameter);
    t_serving = nullptr;
    if (ke::CurrentIrql() != PASSIVE_LEVEL)
      ke::BugCheckEx(WORKER_THREAD_RETURNED_AT_BAD_IRQL, reinterpret_cast<ULONG_PTR>(routine), ke::CurrentIrql(),
                     reinterpret_cast<ULONG_PTR>(parameter), reinterpret_cast<ULONG_PTR>(item));
    LockGuard guard(queue.lock);
    queue.busy--;
  }
}

void StartThread(WorkQueue& queue) {
  HANDLE handle;
  Status status = ps::CreateSystemThread(&handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr, WorkerMain, &queue);
  CHECK_MSG(status.ok(), "cannot start a worker thread");
  void* object;
  status = ob::ReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, nullptr, KernelMode, &object, nullptr);
  CHECK(status.ok());
  ob::Close(handle, KernelMode).Ignore();  // the reference keeps the object
  LockGuard guard(queue.lock);
  queue.objects.push_back(object);
}

}  // namespace

Status StartWorkers() {
  CHECK(!g_state);
  g_state = new State;
  for (auto& queue : g_state->queues) ke::InitializeQueue(&queue.queue, 0);
  return STATUS_SUCCESS;
}

void QueueWorkItem(PWORK_QUEUE_ITEM item, WORK_QUEUE_TYPE type) {
  CHECK_MSG(g_state && !g_state->stopping, "a work item is queued after the worker threads have ended");
  auto& queue = g_state->queues[type == HyperCriticalWorkQueue ? 2 : type == DelayedWorkQueue ? 1 : 0];
  bool start = false;
  {
    LockGuard guard(queue.lock);
    queue.waiting++;
    if (queue.busy + queue.waiting > queue.threads && queue.threads < kMaxThreads) {
      queue.threads++;
      start = true;
    }
  }
  ke::InsertQueue(&queue.queue, &item->List);
  if (start) StartThread(queue);
}

void DrainWorkQueues() {
  // Everything queued before has run once no item waits and none runs.
  for (auto& queue : g_state->queues) {
    for (;;) {
      {
        LockGuard guard(queue.lock);
        const int own = t_serving == &queue ? 1 : 0;
        if (queue.waiting == 0 && queue.busy == own) break;
      }
      LARGE_INTEGER interval;
      interval.QuadPart = -10'000;  // 1 ms
      ke::DelayExecutionThread(KernelMode, false, &interval).Ignore();
    }
  }
}

void StopWorkers() {
  DrainWorkQueues();
  g_state->stopping = true;
  for (auto& queue : g_state->queues) {
    std::vector<void*> objects;
    {
      LockGuard guard(queue.lock);
      objects.swap(queue.objects);
      queue.waiting += static_cast<int>(objects.size());
    }
    for (size_t i = 0; i < objects.size(); i++) {
      auto* stop = static_cast<WORK_QUEUE_ITEM*>(AllocatePoolZero(NonPagedPoolNx, sizeof(WORK_QUEUE_ITEM), 'kroW'));
      CHECK(stop);
      ke::InsertQueue(&queue.queue, &stop->List);
    }
    for (void* object : objects) {
      ke::WaitForSingleObject(object, Executive, KernelMode, false, nullptr).Ignore();  // not alertable, no timeout
      ob::DereferenceObject(object);
    }
    ke::RundownQueue(&queue.queue);
  }
  delete std::exchange(g_state, nullptr);
}

}  // namespace nt::ex
