// Waits: the dispatcher's core. How a wait sleeps and is woken: internal.h.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

PKMUTANT AsMutant(DISPATCHER_HEADER* header) { return reinterpret_cast<PKMUTANT>(header); }
bool IsMutant(const DISPATCHER_HEADER* header) { return (header->Type & 0x7f) == MutantObject; }

bool IsSignaledLocked(DISPATCHER_HEADER* header, Thread* thread) {
  if (header->SignalState > 0) return true;
  return IsMutant(header) && AsThread(AsMutant(header)->OwnerThread) == thread;
}

/// Takes from the object what a satisfied wait takes. @returns `status`, or the same with the ABANDONED bit
LONG_PTR ConsumeLocked(DISPATCHER_HEADER* header, Thread* thread, LONG_PTR status) {
  switch (header->Type & 0x7f) {
    case EventSynchronizationObject:
    case TimerSynchronizationObject:
      WriteSignal(header, 0);
      break;
    case SemaphoreObject:
      WriteSignal(header, header->SignalState - 1);
      break;
    case MutantObject: {
      auto* mutant = AsMutant(header);
      if (header->SignalState == static_cast<LONG>(MINLONG)) return STATUS_MUTANT_LIMIT_EXCEEDED;
      WriteSignal(header, header->SignalState - 1);
      if (header->SignalState == 0) {
        mutant->OwnerThread = thread->nt();
        thread->kernel_apc_disable = static_cast<int16_t>(thread->kernel_apc_disable - mutant->ApcDisable);
        ListPushFront(&thread->mutant_list, &mutant->MutantListEntry);
        if (mutant->Abandoned) {
          mutant->Abandoned = FALSE;
          return status | STATUS_ABANDONED;
        }
      }
      break;
    }
    default:
      break;
  }
  return status;
}

bool AllSignaledLocked(Thread* thread) {
  for (ULONG i = 0; i < thread->wait_block_count; i++)
    if (!IsSignaledLocked(static_cast<DISPATCHER_HEADER*>(thread->wait_blocks[i].Object), thread)) return false;
  return true;
}

LONG_PTR ConsumeAllLocked(Thread* thread) {
  LONG_PTR status = STATUS_SUCCESS;
  for (ULONG i = 0; i < thread->wait_block_count; i++)
    status |= ConsumeLocked(static_cast<DISPATCHER_HEADER*>(thread->wait_blocks[i].Object), thread, 0);
  return status;
}

void UnlinkLocked(Thread* thread) {
  for (ULONG i = 0; i < thread->wait_block_count; i++) ListRemove(&thread->wait_blocks[i].WaitListEntry);
  thread->waiting = false;
  if (thread->queue) thread->queue->CurrentCount = thread->queue->CurrentCount + 1;
}

Status Wait(ULONG count, void* const objects[], WAIT_TYPE type, KWAIT_REASON reason, KPROCESSOR_MODE mode, bool alertable,
            const LARGE_INTEGER* timeout, KWAIT_BLOCK* blocks) {
  Thread* thread = CurrentThread();
  ParkIfBugChecked();
  CheckWaitIrql(thread, timeout, count ? objects[0] : nullptr);
  const bool poll = timeout && timeout->QuadPart == 0;
  bool have_deadline = false;
  host::Deadline deadline = host::kForever;
  for (;;) {
    DeliveryPoint(thread);
    {
      Dispatcher dispatcher;
      if (thread->apc_pending.load(std::memory_order_relaxed) != 0 && KernelApcDeliverableLocked(thread)) continue;

      if (type == WaitAny) {
        for (ULONG i = 0; i < count; i++) {
          auto* header = static_cast<DISPATCHER_HEADER*>(objects[i]);
          if (!IsSignaledLocked(header, thread)) continue;
          const LONG_PTR status = ConsumeLocked(header, thread, static_cast<LONG_PTR>(i));
          if (status == STATUS_MUTANT_LIMIT_EXCEEDED) [[unlikely]]
            break;  // raised below, without the lock
          return static_cast<NTSTATUS>(status);
        }
      }
      // Blocks are filled before the test for all: it reads them.
      for (ULONG i = 0; i < count; i++) {
        auto& block = blocks[i];
        block.WaitType = static_cast<UCHAR>(type);
        block.BlockState = 0;
        block.WaitKey = static_cast<USHORT>(i);
        block.Thread = thread->nt();
        block.Object = objects[i];
      }
      thread->wait_blocks = blocks;
      thread->wait_block_count = count;
      if (type == WaitAll && count != 0 && AllSignaledLocked(thread))
        return static_cast<NTSTATUS>(ConsumeAllLocked(thread));

      const NTSTATUS alert = TestAlertLocked(thread, mode, alertable);
      if (alert != STATUS_SUCCESS) return alert;
      if (poll) return STATUS_TIMEOUT;

      for (ULONG i = 0; i < count; i++) {
        auto* header = static_cast<DISPATCHER_HEADER*>(objects[i]);
        if (IsMutant(header) && header->SignalState == static_cast<LONG>(MINLONG)) [[unlikely]] {
          for (ULONG k = 0; k < i; k++) ListRemove(&blocks[k].WaitListEntry);
          goto limit_exceeded;
        }
        ListPushBack(&header->WaitListHead, &blocks[i].WaitListEntry);
      }
      if (thread->queue) QueueThreadBlocksLocked(thread->queue, dispatcher.wakes);
      BeginWaitLocked(thread, blocks, count, type, reason, mode, alertable);
    }
    if (!have_deadline) {
      deadline = DeadlineOf(timeout);
      have_deadline = true;
    }
    if (!SleepUntilAwake(thread, deadline)) {
      DeliveryPoint(thread);
      return STATUS_TIMEOUT;
    }
    if (thread->wait_status != kWaitEndedByKernelApc) break;
  }
  DeliveryPoint(thread);
  return static_cast<NTSTATUS>(thread->wait_status);

limit_exceeded:
  Raise(STATUS_MUTANT_LIMIT_EXCEEDED);
}

}  // namespace

host::Deadline DeadlineOf(const LARGE_INTEGER* timeout) {
  if (!timeout) return host::kForever;
  const uint64_t now = host::MonotonicNanoseconds();
  uint64_t wait_100ns;
  if (timeout->QuadPart <= 0) {
    wait_100ns = 0 - static_cast<uint64_t>(timeout->QuadPart);
  } else {
    const uint64_t system_now = host::SystemTime100ns();
    const auto due = static_cast<uint64_t>(timeout->QuadPart);
    wait_100ns = due > system_now ? due - system_now : 0;
  }
  if (wait_100ns >= (host::kForever - now) / 100 - 1) return host::kForever;
  return now + wait_100ns * 100;
}

void CheckWaitIrql(Thread* thread, const LARGE_INTEGER* timeout, const void* object) {
  if (thread->irql < DISPATCH_LEVEL) [[likely]]
    return;
  if (thread->irql > DISPATCH_LEVEL || !timeout || timeout->QuadPart != 0)
    BugCheckWithMessage("a wait that may block at DISPATCH_LEVEL or above", IRQL_NOT_LESS_OR_EQUAL,
                        reinterpret_cast<ULONG_PTR>(object), thread->irql, 0,
                        reinterpret_cast<ULONG_PTR>(__builtin_return_address(0)));
}

void BeginWaitLocked(Thread* thread, KWAIT_BLOCK* blocks, ULONG count, WAIT_TYPE type, KWAIT_REASON reason,
                     KPROCESSOR_MODE mode, bool alertable) {
  thread->wait_blocks = blocks;
  thread->wait_block_count = count;
  thread->wait_type = type;
  thread->wait_reason = reason;
  thread->wait_mode = mode;
  thread->wait_alertable = alertable;
  thread->waiting = true;
  uint32_t expected = kAwake;
  // kParked stays: a bug check wants the thread awake.
  thread->wait_word.compare_exchange_strong(expected, kAsleep, std::memory_order_relaxed);
}

bool SleepUntilAwake(Thread* thread, host::Deadline deadline) {
  for (;;) {
    if (thread->wait_word.load(std::memory_order_acquire) == kAwake) return true;
    ParkIfBugChecked();
    if (host::WaitOnAddress(&thread->wait_word, kAsleep, deadline) == host::WaitResult::kWoken) continue;
    ParkIfBugChecked();
    Dispatcher dispatcher;
    if (!thread->waiting) {  // ended just now; its waker is about to say so
      deadline = host::kForever;
      continue;
    }
    UnlinkLocked(thread);
    thread->wait_word.store(kAwake, std::memory_order_relaxed);
    return false;
  }
}

void UnwaitLocked(Thread* thread, LONG_PTR status, WakeList& wakes) {
  UnlinkLocked(thread);
  thread->wait_status = status;
  wakes.Add(thread);
}

NTSTATUS TestAlertLocked(Thread* thread, KPROCESSOR_MODE mode, bool alertable) {
  if (alertable) {
    if (thread->alerted[static_cast<int>(mode)]) {
      thread->alerted[static_cast<int>(mode)] = false;
      return STATUS_ALERTED;
    }
    if (mode == UserMode && !ListEmpty(&thread->apc_list[UserMode])) {
      thread->user_apc_pending = true;
      return STATUS_USER_APC;
    }
    if (thread->alerted[KernelMode]) {
      thread->alerted[KernelMode] = false;
      return STATUS_ALERTED;
    }
  } else if (mode == UserMode && thread->user_apc_pending) {
    return STATUS_USER_APC;
  }
  return STATUS_SUCCESS;
}

void TestWaitersLocked(DISPATCHER_HEADER* header, WakeList& wakes) {
  LIST_ENTRY* head = &header->WaitListHead;
  for (LIST_ENTRY* entry = head->Flink; entry != head && header->SignalState > 0;) {
    auto* block = CONTAINING_RECORD(entry, KWAIT_BLOCK, WaitListEntry);
    Thread* thread = AsThread(block->Thread);
    if (block->WaitType == WaitAny) {
      UnwaitLocked(thread, ConsumeLocked(header, thread, block->WaitKey), wakes);
      entry = head->Flink;
    } else if (AllSignaledLocked(thread)) {
      UnwaitLocked(thread, ConsumeAllLocked(thread), wakes);
      entry = head->Flink;
    } else {
      entry = entry->Flink;
    }
  }
}

Status WaitForSingleObject(void* object, KWAIT_REASON reason, KPROCESSOR_MODE mode, bool alertable,
                           const LARGE_INTEGER* timeout) {
  KWAIT_BLOCK block;
  return Wait(1, &object, WaitAny, reason, mode, alertable, timeout, &block);
}

Status WaitForMultipleObjects(ULONG count, void* const objects[], WAIT_TYPE type, KWAIT_REASON reason,
                              KPROCESSOR_MODE mode, bool alertable, const LARGE_INTEGER* timeout, PKWAIT_BLOCK blocks) {
  if (count > MAXIMUM_WAIT_OBJECTS || (!blocks && count > THREAD_WAIT_OBJECTS))
    BugCheckWithMessage("KeWaitForMultipleObjects without enough wait blocks", MAXIMUM_WAIT_OBJECTS_EXCEEDED, count);
  if (count == 0) return STATUS_INVALID_PARAMETER_1;
  KWAIT_BLOCK own[THREAD_WAIT_OBJECTS];
  return Wait(count, objects, type, reason, mode, alertable, timeout, blocks ? blocks : own);
}

Status DelayExecutionThread(KPROCESSOR_MODE mode, bool alertable, const LARGE_INTEGER* interval) {
  const bool yield = interval->QuadPart == 0;
  if (yield && CurrentIrql() < DISPATCH_LEVEL) host::Yield();
  const Status status = Wait(0, nullptr, WaitAny, DelayExecution, mode, alertable, interval, nullptr);
  return status == STATUS_TIMEOUT ? Status(STATUS_SUCCESS) : status;
}

void InitializeHeader(DISPATCHER_HEADER* header, UCHAR type, size_t bytes, LONG state) {
  header->Lock = 0;
  header->Type = type;
  header->Size = static_cast<UCHAR>(bytes / sizeof(LONG));
  WriteSignal(header, state);
  ListInit(&header->WaitListHead);
}

void SignalForever(DISPATCHER_HEADER* header) {
  Dispatcher dispatcher;
  WriteSignal(header, 1);
  TestWaitersLocked(header, dispatcher.wakes);
}

}  // namespace nt::ke
