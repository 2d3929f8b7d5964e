// Notify routines for processes, threads and images. A routine that is being removed may run until the removal returns, not
// longer.
#include <algorithm>

#include "src/ps/internal.h"

namespace nt::ps {
namespace {

constexpr size_t kMaxRoutines = 64;

template <class R>
class RoutineList {
 public:
  Status Add(R routine) {
    LockGuard guard(lock_);
    if (std::find(routines_.begin(), routines_.end(), routine) != routines_.end()) return STATUS_INVALID_PARAMETER;
    if (routines_.size() == kMaxRoutines) return STATUS_INSUFFICIENT_RESOURCES;
    routines_.push_back(routine);
    return STATUS_SUCCESS;
  }
  Status Remove(R routine, NTSTATUS not_found) {
    {
      LockGuard guard(lock_);
      const auto found = std::find(routines_.begin(), routines_.end(), routine);
      if (found == routines_.end()) return not_found;
      routines_.erase(found);
    }
    while (callers_.load(std::memory_order_acquire) != 0) host::Yield();
    return STATUS_SUCCESS;
  }
  /// Calls `call` with each routine, in order of registration, without the lock.
  template <class F>
  void ForEach(F&& call) {
    std::vector<R> routines;
    {
      LockGuard guard(lock_);
      if (routines_.empty()) return;
      routines = routines_;
      callers_.fetch_add(1, std::memory_order_acquire);
    }
    for (R routine : routines) call(routine);
    callers_.fetch_sub(1, std::memory_order_release);
  }
  void Clear() {
    LockGuard guard(lock_);
    std::vector<R>().swap(routines_);
  }

 private:
  Lock lock_{LockRank::kProcess};
  std::vector<R> routines_ NT_GUARDED_BY(lock_);
  std::atomic<uint32_t> callers_{0};
};

RoutineList<PCREATE_PROCESS_NOTIFY_ROUTINE> g_process_routines;
RoutineList<PCREATE_PROCESS_NOTIFY_ROUTINE_EX> g_process_routines_ex;
RoutineList<PCREATE_THREAD_NOTIFY_ROUTINE> g_thread_routines;
RoutineList<PLOAD_IMAGE_NOTIFY_ROUTINE> g_image_routines;

HANDLE AsHandle(ULONG_PTR id) { return reinterpret_cast<HANDLE>(id); }

}  // namespace

Status NotifyProcessCreated(Process* process) {
  UNICODE_STRING name;
  name.Buffer = process->image_path->data();
  name.Length = static_cast<USHORT>(std::min<size_t>(process->image_path->size() * sizeof(WCHAR), 0xfffe));
  name.MaximumLength = name.Length;
  PS_CREATE_NOTIFY_INFO info{};
  info.Size = sizeof(info);
  info.FileOpenNameAvailable = 0;  // a program of the host: no file object, the name is the embedder's
  info.ParentProcessId = AsHandle(process->parent_id);
  info.CreatingThreadId = ke::CurrentThread()->cid;
  info.ImageFileName = &name;
  info.CreationStatus = STATUS_SUCCESS;
  g_process_routines.ForEach(
      [&](auto routine) { CallDriver(routine, AsHandle(process->parent_id), AsHandle(process->id), BOOLEAN{TRUE}); });
  NTSTATUS status = STATUS_SUCCESS;
  g_process_routines_ex.ForEach([&](auto routine) {
    CallDriver(routine, process->eprocess(), AsHandle(process->id), &info);
    if (NT_SUCCESS(status)) status = info.CreationStatus;
  });
  return NT_SUCCESS(status) ? STATUS_SUCCESS : status;
}

void NotifyProcessEnded(Process* process) {
  g_process_routines.ForEach(
      [&](auto routine) { CallDriver(routine, AsHandle(process->parent_id), AsHandle(process->id), BOOLEAN{FALSE}); });
  g_process_routines_ex.ForEach([&](auto routine) {
    CallDriver(routine, process->eprocess(), AsHandle(process->id), PPS_CREATE_NOTIFY_INFO{nullptr});
  });
}

void NotifyThread(ke::Thread* thread, bool create) {
  g_thread_routines.ForEach([&](auto routine) {
    CallDriver(routine, thread->cid.UniqueProcess, thread->cid.UniqueThread, static_cast<BOOLEAN>(create));
  });
}

void CallLoadImageNotifyRoutines(PUNICODE_STRING full_name, HANDLE process_id, PIMAGE_INFO info) {
  g_image_routines.ForEach([&](auto routine) { CallDriver(routine, full_name, process_id, info); });
}

void ClearNotifyRoutines() {
  g_process_routines.Clear();
  g_process_routines_ex.Clear();
  g_thread_routines.Clear();
  g_image_routines.Clear();
}

Status SetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE routine, bool remove) {
  return remove ? g_process_routines.Remove(routine, STATUS_INVALID_PARAMETER) : g_process_routines.Add(routine);
}
Status SetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX routine, bool remove) {
  return remove ? g_process_routines_ex.Remove(routine, STATUS_INVALID_PARAMETER) : g_process_routines_ex.Add(routine);
}
Status SetCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE routine) { return g_thread_routines.Add(routine); }
Status RemoveCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE routine) {
  return g_thread_routines.Remove(routine, STATUS_PROCEDURE_NOT_FOUND);
}
Status SetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE routine) { return g_image_routines.Add(routine); }
Status RemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE routine) {
  return g_image_routines.Remove(routine, STATUS_PROCEDURE_NOT_FOUND);
}

}  // namespace nt::ps
