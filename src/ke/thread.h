// Thread: the KTHREAD/ETHREAD. Drivers hold a PKTHREAD or PETHREAD, which is the address of a Thread.
//
// Life: 1. created by the factory (ps: an object of type Thread; before ps boots: bare memory). 2. attached: the host thread
// that runs it points its CurrentThread() and gs base at it. An outside host thread is attached at its first ServiceScope and
// stays so until it exits or the machine shuts down. 3. terminated: the header is signalled. 4. the last reference frees it.
//
// Members without a note are touched by the thread itself only. [D] = guarded by the dispatcher lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ntifs.h"
#include "src/base/lock.h"
#include "src/base/status.h"
#include "src/ex/resource_holdings.h"

namespace nt::ps {
struct Process;
}

namespace nt::ke {

struct Thread;

/// What gs points at while a thread runs: the documented head of KPCR and KPRCB, with the offsets that drivers inline.
struct ProcessorControlRegion {
  void* reserved_00[3];
  ProcessorControlRegion* self;      // gs:[0x18]
  void* current_prcb;                // gs:[0x20]
  unsigned char reserved_28[0x158];
  ULONG mxcsr;                       // gs:[0x180], the start of the KPRCB
  ULONG processor_number;            // gs:[0x184]
  Thread* current_thread;            // gs:[0x188]
  unsigned char reserved_190[0x14];
  ULONG prcb_number;                 // gs:[0x1a4]
  unsigned char reserved_1a8[0x1000 - 0x1a8];
};
static_assert(offsetof(ProcessorControlRegion, self) == 0x18);
static_assert(offsetof(ProcessorControlRegion, current_prcb) == 0x20);
static_assert(offsetof(ProcessorControlRegion, processor_number) == 0x184);
static_assert(offsetof(ProcessorControlRegion, current_thread) == 0x188);
static_assert(offsetof(ProcessorControlRegion, prcb_number) == 0x1a4);
static_assert(sizeof(ProcessorControlRegion) == 0x1000);

struct Thread {
  DISPATCHER_HEADER header;          // ThreadObject; [D]; signalled at termination

  // --- for siblings -----------------------------------------------------------------------------------------------------
  std::atomic<ps::Process*> process; // the process whose handles and token the thread uses now (attachment included)
  std::atomic<ps::Process*> home_process;  // the process it belongs to, without attachment
  KPROCESSOR_MODE previous_mode;     // UserMode: the service runs for a requestor
  KIRQL irql;
  bool system_thread;
  std::atomic<bool> terminating;
  PIRP top_level_irp;
  PIRP dispatch_irp;                 // io's: the IRP that the thread is in a dispatch routine for; for reports
  LIST_ENTRY irp_list;               // IRP::ThreadListEntry; io's, under irp_list_lock
  Lock irp_list_lock{LockRank::kIrpList};
  int16_t kernel_apc_disable;        // <= 0; critical regions
  int16_t special_apc_disable;       // <= 0; guarded regions
  uintptr_t stack_base;              // accounted kernel stack: [stack_limit, stack_base)
  uintptr_t stack_limit;
  CLIENT_ID cid;
  void* impersonation_token;         // se's
  ULONG impersonation_flags;         // se's
  std::atomic<ULONG> cross_flags;    // free for siblings
  LONG hard_error_disable;           // IoSetThreadHardErrorMode: > 0 means disabled
  ex::ResourceHoldings resource_holdings;
  void* component_data[4];           // io, cc, mm, flt in this order; each frees its own in a thread exit hook

  // --- ke's ---------------------------------------------------------------------------------------------------------------
  bool early;                        // made before the factory was set; has no object header
  int service_depth;
  const unsigned* exceptions_in_flight;  // of the host thread: std::uncaught_exceptions() without two calls
  std::atomic<uint32_t> in_machine;  // inside a service: APCs will be delivered
  bool in_dpc;                       // runs a DPC routine
  NTSTATUS exit_status;              // of a system thread; STATUS_PENDING while it runs
  LONGLONG create_time;              // system time

  // APCs
  std::atomic<uint32_t> apc_pending;       // a kernel APC waits in the list; [D] to set, read without
  std::atomic<bool> user_apc_queued;       // [D] to set
  LIST_ENTRY apc_list[2];                  // [D] KernelMode, UserMode
  bool kernel_apc_in_progress;
  bool user_apc_pending;                   // [D] a user wait was ended by a user APC; delivered at service exit
  bool alerted[2];                         // [D]
  bool apc_queueable;                      // [D]

  // Waits
  std::atomic<uint32_t> wait_word;         // 0: asleep; see internal.h
  LONG_PTR wait_status;                    // [D] set by the waker before wait_word
  KWAIT_BLOCK* wait_blocks;                // [D]
  ULONG wait_block_count;                  // [D]
  KPROCESSOR_MODE wait_mode;               // [D]
  bool wait_alertable;                     // [D]
  bool wait_accepts_kernel_apc;            // [D]
  bool waiting;                            // [D]
  WAIT_TYPE wait_type;                     // [D]
  KWAIT_REASON wait_reason;                // [D]
  Thread* wake_next;                       // of the waker: WakeList
  PKQUEUE queue;                           // [D] the queue the thread serves
  LIST_ENTRY queue_entry;                  // [D]
  LIST_ENTRY mutant_list;                  // [D] KMUTANT::MutantListEntry of mutants it owns

  // Scheduling
  int processor;                           // virtual processor bound while irql >= DISPATCH_LEVEL, else -1
  uint32_t last_processor;
  KAFFINITY affinity;
  KAFFINITY user_affinity;                 // to which KeRevertToUserAffinityThread returns
  KPRIORITY priority;
  LONG base_priority_increment;
  LONGLONG quantum_start;

  // Registry of threads (thread.cc)
  LIST_ENTRY registry_entry;
  std::atomic<Thread*>* current_slot;      // the CurrentThread() variable of the host thread
  uintptr_t host_stack_low, host_stack_high;

  // The end of the machine under a driver's thread (switch_off.cc)
  std::atomic<bool> switched_off;          // it goes at its next wait
  std::atomic<bool> in_driver_wait;        // the wait is one that a driver asked for, with no runtime frames to unwind
  void (*vanish)();                        // does not return; null: the thread cannot be switched off

  // Attachment (KeStackAttachProcess)
  int attach_depth;

  ProcessorControlRegion pcr;

  PKTHREAD nt() { return reinterpret_cast<PKTHREAD>(this); }
  PETHREAD ethread() { return reinterpret_cast<PETHREAD>(this); }
};

inline Thread* AsThread(PKTHREAD thread) { return reinterpret_cast<Thread*>(thread); }
inline Thread* AsThread(PETHREAD thread) { return reinterpret_cast<Thread*>(thread); }

// Not inline: a program that embeds libntio must not have a second one.
#if defined(__clang__) || defined(__GNUC__)
#define NTIO_FAST_TLS [[gnu::tls_model("initial-exec")]]
#endif
NTIO_FAST_TLS extern constinit thread_local std::atomic<Thread*> t_current_thread;
/// Attaches the current host thread. CHECK-fails when no machine is booted.
Thread* AttachCurrentThread();

/// Never null inside a machine: a host thread that was not attached yet is attached.
inline Thread* CurrentThread() {
  Thread* thread = t_current_thread.load(std::memory_order_relaxed);
  return thread ? thread : AttachCurrentThread();
}
inline PKTHREAD GetCurrentThread() { return CurrentThread()->nt(); }
/// Null when this host thread was never attached.
inline Thread* CurrentThreadOrNull() { return t_current_thread.load(std::memory_order_relaxed); }

// --- the factory: ps gives threads an object header --------------------------------------------------------------------------

struct ThreadFactory {
  Thread* (*create)();          // raw storage of sizeof(Thread), with one reference; nullptr: out of memory
  void (*release)(Thread*);     // drops that reference
  void (*attached)(Thread*);    // assigns cid and process; the thread is not yet in the registry
};
/// Set by ps::Boot, cleared (nullptr) by ps::Shutdown. Both also re-attach the current host thread and detach all others.
void SetThreadFactory(const ThreadFactory* factory);
/// Puts a Thread's members into their first state (storage from the factory).
void InitializeThread(Thread* thread, ps::Process* process);
/// Makes `thread` the current one of this host thread (system threads). Takes over the factory's reference: it is dropped by
/// DetachCurrentThread.
void AttachThread(Thread* thread, bool system_thread);
/// The end of a thread: exit hooks, APCs, mutants; signals the object of a system thread; drops its reference.
void DetachCurrentThread();
/// Called at the end of every attached thread, on it, before it is signalled: io cancels and waits, ex checks resources.
using ThreadExitHook = void (*)(Thread*);
void AddThreadExitHook(ThreadExitHook hook);
void RemoveThreadExitHook(ThreadExitHook hook);

// --- machine life ------------------------------------------------------------------------------------------------------------

struct BootOptions {
  unsigned processors = 4;               // virtual processors, 1..64; may exceed the cores
  size_t kernel_stack_bytes = 0;         // accounted per service entry; 0: 24 KiB, larger in builds with -O0 or sanitizers
};
Status Boot(const BootOptions& options);
Status Boot();
/// Every system thread must have ended. Frees all attached threads.
void Shutdown();
/// Accounted kernel stack of a service entry.
size_t KernelStackBytes();

// --- accounted stacks (stack.cc) -----------------------------------------------------------------------------------------------

/// Linux stack that a system thread needs: the accounted stack plus room for expansions and the runtime.
size_t SystemThreadStackBytes();
void GetStackLimits(PULONG_PTR low, PULONG_PTR high);
/// Bytes from `stack_pointer` (default: the caller's frame) down to the accounted limit; 0 when already below it.
ULONG_PTR GetRemainingStackSize(uintptr_t stack_pointer = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
/// TRUE when [start, start + bytes) is inside the accounted stack.
bool WithinStackLimits(ULONG_PTR start, SIZE_T bytes);
Status ExpandKernelStackAndCallout(PEXPAND_STACK_CALLOUT callout, void* parameter, SIZE_T bytes);
Status ExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT callout, void* parameter, SIZE_T bytes, bool wait,
                                     void* context);
/// A fresh accounted stack of `bytes` (0: KernelStackBytes()) from the current frame on, for the life of the object.
class AccountedStack {
 public:
  explicit AccountedStack(size_t bytes = 0);
  ~AccountedStack();
  AccountedStack(const AccountedStack&) = delete;
  AccountedStack& operator=(const AccountedStack&) = delete;

 private:
  Thread* thread_;
  uintptr_t saved_base_, saved_limit_;
};

}  // namespace nt::ke
