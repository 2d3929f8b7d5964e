// What the files of ps share. Not for siblings.
//
// Locks: State::lock (kProcess) guards the lists of processes, threads and host threads. It is not held while drivers or ob run.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/host/host.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::ps {

/// A system thread as the host sees it. Reaped when `ended`.
struct HostThread {
  std::unique_ptr<host::Thread> thread;
  std::atomic<bool> ended{false};
  ULONG_PTR id = 0;
  uintptr_t start_address = 0;  // of a driver's thread
};

struct State {
  Lock lock{LockRank::kProcess};
  ULONG_PTR next_id NT_GUARDED_BY(lock) = 4;
  std::map<ULONG_PTR, Process*> processes NT_GUARDED_BY(lock);   // live ones
  std::map<ULONG_PTR, ke::Thread*> threads NT_GUARDED_BY(lock);  // live ones
  std::vector<std::unique_ptr<HostThread>> host_threads NT_GUARDED_BY(lock);
  Process* system = nullptr;
  const TokenProcedures* tokens = nullptr;
  void (*clean_address_space)(PEPROCESS) = nullptr;
};
extern State* g_state;

ULONG_PTR NewId();
Status NewProcess(const std::u16string& image_path, Process* parent, Process** process);
/// Joins the host threads that have ended; all of them when `wait`.
void ReapHostThreads(bool wait);
void RegisterThread(ke::Thread* thread);
void UnregisterThread(ke::Thread* thread);

/// @returns the status a routine vetoed the creation with, or SUCCESS
Status NotifyProcessCreated(Process* process);
void NotifyProcessEnded(Process* process);
void NotifyThread(ke::Thread* thread, bool create);
void ClearNotifyRoutines();

}  // namespace nt::ps
