// How many handles an object has, in each process and altogether.
//
// Most objects are open in one process: its count lies in the header, others in a vector. Few threads open and close
// handles to one object at once, so the locks are shared by objects.
#include <array>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/ob/object.h"
#include "src/ps/ps.h"

namespace nt::ob {
namespace {

struct CountLock {
  Lock lock{static_cast<LockRank>(static_cast<int>(LockRank::kHandleTable) + 1)};
};
std::array<CountLock, 32> g_locks;

Lock& LockOf(const ObjectHeader* header) {
  return g_locks[(reinterpret_cast<uintptr_t>(header) >> 6) % g_locks.size()].lock;
}

const ps::Process* KeyOf(const ps::Process* process) {
  return process == ps::InitialSystemProcess() ? nullptr : process;
}

ProcessHandles* FindLocked(ObjectHeader* header, const ps::Process* key) {
  if (header->first_count.handles && header->first_count.process == key) return &header->first_count;
  if (header->more_counts)
    for (ProcessHandles& count : *header->more_counts)
      if (count.process == key) return &count;
  return nullptr;
}

}  // namespace

void CountHandle(ObjectHeader* header, const ps::Process* process) {
  process = KeyOf(process);
  LockGuard guard(LockOf(header));
  header->handles.fetch_add(1, std::memory_order_relaxed);
  if (ProcessHandles* count = FindLocked(header, process)) {
    count->handles++;
  } else if (!header->first_count.handles) {
    header->first_count = {process, 1};
  } else {
    if (!header->more_counts) header->more_counts = new std::vector<ProcessHandles>;
    header->more_counts->push_back({process, 1});
  }
}

HandleCounts UncountHandle(ObjectHeader* header, const ps::Process* process) {
  process = KeyOf(process);
  LockGuard guard(LockOf(header));
  ProcessHandles* count = FindLocked(header, process);
  CHECK_MSG(count, "a process closes a handle that it does not have");
  const HandleCounts before = {count->handles,
                               static_cast<ULONG_PTR>(header->handles.fetch_sub(1, std::memory_order_acq_rel))};
  if (--count->handles == 0 && count != &header->first_count) {
    *count = header->more_counts->back();
    header->more_counts->pop_back();
  }
  return before;
}

}  // namespace nt::ob
