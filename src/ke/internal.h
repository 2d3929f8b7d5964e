// What the files of ke share. Not for siblings.
//
// Dispatcher: one lock guards every dispatcher object, wait, APC list and the timer queue. A thread about to sleep links its wait
// blocks into the objects under the lock, sets wait_word to kAsleep, releases the lock and sleeps on wait_word. The waker does
// everything for it (unlinks, consumes, sets wait_status): the woken thread takes no lock.
// Its wait_word is written, and the system call made, after the lock is released.
//
// Lock order: kDispatcher, then a processor's DPC lock. The thread registry has a bare spin flag, since a bug check may come
// while any lock is held.
#pragma once

#include <atomic>
#include <memory>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/host/host.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"

namespace nt::ke {

inline constexpr unsigned kMaxProcessors = 64;
inline constexpr LockRank kDpcRank = static_cast<LockRank>(static_cast<int>(LockRank::kDispatcher) + 10);

/// Bug-check codes that include/wdk leaves out.
inline constexpr ULONG kThreadTerminateHeldMutex = 0xEE;

/// Values of Thread::wait_word. A bug check writes kParked, so that a thread about to sleep does not.
enum : uint32_t { kAsleep = 0, kAwake = 1, kParked = 2 };

/// wait_status of a wait that a kernel APC ended: deliver, then wait again.
inline constexpr LONG_PTR kWaitEndedByKernelApc = static_cast<LONG_PTR>(STATUS_KERNEL_APC);

/// A virtual processor.
struct alignas(64) Processor {
  std::atomic<uint32_t> owned{0};
  std::atomic<uint32_t> dpc_pending{0};  // queued DPCs
  Lock dpc_lock{kDpcRank};
  PKDPC dpc_head NT_GUARDED_BY(dpc_lock) = nullptr;
  PKDPC dpc_tail NT_GUARDED_BY(dpc_lock) = nullptr;
  unsigned number = 0;
};

struct State {
  Lock dispatcher{LockRank::kDispatcher};

  unsigned processor_count = 4;
  KAFFINITY active = 0xf;
  Processor processors[kMaxProcessors];
  std::atomic<uint32_t> processor_waiters{0};
  std::atomic<uint32_t> processor_releases{0};

  size_t kernel_stack_bytes = 0;
  uint64_t boot_ns = 0;

  LIST_ENTRY timers;                           // under dispatcher, by due time
  std::atomic<uint32_t> service_word{0};       // changes when the service thread has something new to look at
  std::atomic<bool> service_stop{false};
  std::atomic<uint32_t> service_started{0};    // 0 no, 1 being started, 2 yes
  std::unique_ptr<host::Thread> service_thread;

  const ThreadFactory* factory = nullptr;
  ThreadExitHook exit_hooks[8] = {};
  unsigned exit_hook_count = 0;
};

extern State* g_state;

inline State& TheState() { return *g_state; }

// --- lists ------------------------------------------------------------------------------------------------------------------

inline void ListInit(LIST_ENTRY* head) { head->Flink = head->Blink = head; }
inline bool ListEmpty(const LIST_ENTRY* head) { return head->Flink == head; }
inline void ListInsertBefore(LIST_ENTRY* next, LIST_ENTRY* entry) {
  LIST_ENTRY* previous = next->Blink;
  entry->Flink = next;
  entry->Blink = previous;
  previous->Flink = entry;
  next->Blink = entry;
}
inline void ListPushBack(LIST_ENTRY* head, LIST_ENTRY* entry) { ListInsertBefore(head, entry); }
inline void ListPushFront(LIST_ENTRY* head, LIST_ENTRY* entry) { ListInsertBefore(head->Flink, entry); }
inline void ListRemove(LIST_ENTRY* entry) {
  CHECK_MSG(entry->Flink->Blink == entry && entry->Blink->Flink == entry, "corrupted list in a dispatcher object");
  entry->Blink->Flink = entry->Flink;
  entry->Flink->Blink = entry->Blink;
}

// --- the dispatcher lock ------------------------------------------------------------------------------------------------------

/// Threads whose wait has ended, to be released once the dispatcher lock is. Not before: a woken thread may free the object it
/// waited for (an event on its stack), which the waker still reads. Until its wait_word is written the Thread cannot go away.
class WakeList {
 public:
  WakeList() = default;
  ~WakeList() {
    for (Thread* thread = first_; thread;) {
      Thread* next = thread->wake_next;
      std::atomic<uint32_t>* word = &thread->wait_word;
      word->store(kAwake, std::memory_order_release);
      host::WakeAddress(word, 1);  // only an address from here on
      thread = next;
    }
  }
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;
  void Add(Thread* thread) {
    thread->wake_next = nullptr;
    *end_ = thread;
    end_ = &thread->wake_next;
  }

 private:
  Thread* first_ = nullptr;
  Thread** end_ = &first_;
};

/// Holds the dispatcher lock; wakes after its release.
class NT_SCOPED_CAPABILITY Dispatcher {
 public:
  Dispatcher() NT_ACQUIRE(TheState().dispatcher) NT_NO_THREAD_SAFETY_ANALYSIS : lock_(TheState().dispatcher) {
    lock_.Acquire();
  }
  ~Dispatcher() NT_RELEASE() NT_NO_THREAD_SAFETY_ANALYSIS { lock_.Release(); }
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  WakeList wakes;  // destroyed after the body of ~Dispatcher

 private:
  Lock& lock_;
};

// --- dispatcher objects -------------------------------------------------------------------------------------------------------

/// SignalState is read without the lock by KeReadState*.
inline LONG ReadSignal(const DISPATCHER_HEADER* header) {
  return __atomic_load_n(&header->SignalState, __ATOMIC_ACQUIRE);
}
inline void WriteSignal(DISPATCHER_HEADER* header, LONG value) {
  __atomic_store_n(&header->SignalState, value, __ATOMIC_RELEASE);
}

/// Satisfies the waits that the object's state now allows.
void TestWaitersLocked(DISPATCHER_HEADER* header, WakeList& wakes);
/// Ends a thread's wait: unlinks its blocks, sets its status, wakes it.
void UnwaitLocked(Thread* thread, LONG_PTR status, WakeList& wakes);
/// Puts `thread`, which is current and unqueued, to sleep on its linked blocks; called without the lock.
/// @returns false at the deadline (the wait is then undone)
bool SleepUntilAwake(Thread* thread, host::Deadline deadline);
/// STATUS_ALERTED, STATUS_USER_APC, or SUCCESS when neither ends a wait that begins now.
NTSTATUS TestAlertLocked(Thread* thread, KPROCESSOR_MODE mode, bool alertable);
/// Marks the thread as waiting on `count` linked blocks.
void BeginWaitLocked(Thread* thread, KWAIT_BLOCK* blocks, ULONG count, WAIT_TYPE type, KWAIT_REASON reason,
                     KPROCESSOR_MODE mode, bool alertable);
/// Bug-checks unless the current IRQL allows a wait that may block.
void CheckWaitIrql(Thread* thread, const LARGE_INTEGER* timeout, const void* object);

/// A thread that serves the queue stops running: another may take an entry.
void QueueThreadBlocksLocked(PKQUEUE queue, WakeList& wakes);
/// The thread leaves its queue for good (it ends, or serves another).
void LeaveQueueLocked(Thread* thread, WakeList& wakes);
/// Takes ownership away from an ending thread. @returns a mutex that must not be held at thread exit, or nullptr
KMUTANT* AbandonMutantsLocked(Thread* thread, WakeList& wakes);

// --- APCs -----------------------------------------------------------------------------------------------------------------------

/// Whether the first kernel APC of `thread` could be delivered at its present state.
bool KernelApcDeliverableLocked(Thread* thread);
inline bool KernelApcMayRun(Thread* thread) {
  return thread->apc_pending.load(std::memory_order_relaxed) != 0 && thread->irql < APC_LEVEL &&
         thread->special_apc_disable == 0;
}
inline void DeliveryPoint(Thread* thread) {
  if (KernelApcMayRun(thread)) [[unlikely]]
    DeliverKernelApcs();
}
/// User APCs at the end of a service with previous mode UserMode.
void DeliverUserApcs(Thread* thread);

// --- processors and DPCs --------------------------------------------------------------------------------------------------------

bool TryBindProcessor(Thread* thread, Processor& processor);
/// Binds one of `mask`, waiting for it if need be.
void BindProcessor(Thread* thread, KAFFINITY mask);
void DrainDpcs(Thread* thread, Processor& processor);
/// Puts a DPC into a queue: that of its target, or `preferred`. @returns the processor, or nullptr when it is queued already
Processor* QueueDpc(PKDPC dpc, void* argument1, void* argument2, Processor& preferred);

// --- the service thread: timers, and DPCs of processors that nobody owns ---------------------------------------------------------

void EnsureServiceThread();
void StopServiceThread();
void PokeServiceThread();
/// Expires what is due. @returns when the next timer is due
host::Deadline ExpireTimers();

// --- time -----------------------------------------------------------------------------------------------------------------------

uint64_t InterruptTimeNow();
/// Monotonic time of an interrupt time.
host::Deadline DeadlineOfInterruptTime(uint64_t interrupt_time);

// --- bug check ------------------------------------------------------------------------------------------------------------------

extern std::atomic<bool> g_bug_checked;
/// Makes every sleeping thread look at the bug check.
void WakeAllForBugCheck();
/// How long a sleep may last before it looks for a bug check by itself (waits that nobody wakes at a bug check).
inline host::Deadline SoonForBugCheck() { return host::MonotonicNanoseconds() + 50'000'000; }

/// Runs driver code; a Windows exception that escapes is a bug check, as nothing above could handle it.
[[noreturn]] void EscapedException(const char* where, NTSTATUS code, const void* address);
template <class F>
void GuardDriverCode(const char* where, F&& function) {
  try {
    function();
  } catch (const SehException& exception) {
    EscapedException(where, exception.code(), exception.record().ExceptionAddress);
  }
}

}  // namespace nt::ke
