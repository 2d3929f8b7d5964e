// KQUEUE: entries for a pool of threads, of which at most MaximumCount run at once.
//
// CurrentCount is the number of threads of the queue that run. A thread belongs to the queue that it last removed from. It
// stops counting when it comes back for more, or blocks in any other wait; then a waiting thread may take an entry.
// SignalState is the number of entries in the list. Waiters are woken last in, first out; each gets its entry by wait_status.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

PLIST_ENTRY TakeEntryLocked(PKQUEUE queue) {
  PLIST_ENTRY entry = queue->EntryListHead.Flink;
  ListRemove(entry);
  entry->Flink = nullptr;
  WriteSignal(&queue->Header, queue->Header.SignalState - 1);
  return entry;
}

/// The waiter that has waited least, or nullptr.
Thread* LastWaiterLocked(PKQUEUE queue) {
  if (ListEmpty(&queue->Header.WaitListHead)) return nullptr;
  return AsThread(CONTAINING_RECORD(queue->Header.WaitListHead.Blink, KWAIT_BLOCK, WaitListEntry)->Thread);
}

LONG Insert(PKQUEUE queue, PLIST_ENTRY entry, bool head) {
  Dispatcher dispatcher;
  const LONG before = queue->Header.SignalState;
  Thread* waiter = LastWaiterLocked(queue);
  if (waiter && queue->CurrentCount < queue->MaximumCount && before == 0) {
    entry->Flink = nullptr;
    UnwaitLocked(waiter, reinterpret_cast<LONG_PTR>(entry), dispatcher.wakes);  // counts it
    return before;
  }
  if (head) ListPushFront(&queue->EntryListHead, entry);
  else ListPushBack(&queue->EntryListHead, entry);
  WriteSignal(&queue->Header, before + 1);
  return before;
}

void SetCount(PKQUEUE queue, LONG change) {
  queue->CurrentCount = queue->CurrentCount + static_cast<ULONG>(change);
}

/// Hands entries to waiters while the limit allows it.
void ActivateLocked(PKQUEUE queue, WakeList& wakes) {
  while (queue->CurrentCount < queue->MaximumCount && !ListEmpty(&queue->EntryListHead)) {
    Thread* waiter = LastWaiterLocked(queue);
    if (!waiter) return;
    UnwaitLocked(waiter, reinterpret_cast<LONG_PTR>(TakeEntryLocked(queue)), wakes);
  }
}

/// One entry, or a status as a pointer.
LONG_PTR RemoveOne(PKQUEUE queue, KPROCESSOR_MODE mode, bool alertable, const LARGE_INTEGER* timeout) {
  Thread* thread = CurrentThread();
  ParkIfBugChecked();
  CheckWaitIrql(thread, timeout, queue);
  KWAIT_BLOCK block;
  bool idle = false;  // thread->queue == queue, and CurrentCount does not include this thread
  host::Deadline deadline = 0;
  bool have_deadline = false;
  for (;;) {
    DeliveryPoint(thread);
    {
      Dispatcher dispatcher;
      if (!idle) {
        if (thread->queue == queue) {
          SetCount(queue, -1);
        } else {
          if (thread->queue) LeaveQueueLocked(thread, dispatcher.wakes);
          thread->queue = queue;
          ListPushBack(&queue->ThreadListHead, &thread->queue_entry);
        }
        idle = true;
      }
      if (thread->apc_pending.load(std::memory_order_relaxed) != 0 && KernelApcDeliverableLocked(thread)) {
        SetCount(queue, 1);  // it runs while it runs APCs
        idle = false;
        continue;
      }
      if (!ListEmpty(&queue->EntryListHead) && queue->CurrentCount < queue->MaximumCount) {
        SetCount(queue, 1);
        return reinterpret_cast<LONG_PTR>(TakeEntryLocked(queue));
      }
      NTSTATUS status = TestAlertLocked(thread, mode, alertable);
      if (status == STATUS_SUCCESS && timeout && timeout->QuadPart == 0) status = STATUS_TIMEOUT;
      if (status != STATUS_SUCCESS) {
        SetCount(queue, 1);
        return status;
      }
      block.WaitType = WaitAny;
      block.BlockState = 0;
      block.WaitKey = 0;
      block.Thread = thread->nt();
      block.Object = queue;
      ListPushBack(&queue->Header.WaitListHead, &block.WaitListEntry);
      BeginWaitLocked(thread, &block, 1, WaitAny, WrQueue, mode, alertable);
    }
    if (!have_deadline) {
      deadline = DeadlineOf(timeout);
      have_deadline = true;
    }
    const bool woken = SleepUntilAwake(thread, deadline);
    idle = false;  // the waker, or the undoing of the wait, counted this thread again
    if (!woken) return STATUS_TIMEOUT;
    if (thread->wait_status != kWaitEndedByKernelApc) return thread->wait_status;
  }
}

bool IsStatus(LONG_PTR value) {
  return value == STATUS_TIMEOUT || value == STATUS_USER_APC || value == STATUS_ALERTED || value == STATUS_ABANDONED;
}

}  // namespace

void QueueThreadBlocksLocked(PKQUEUE queue, WakeList& wakes) {
  SetCount(queue, -1);
  ActivateLocked(queue, wakes);
}

void LeaveQueueLocked(Thread* thread, WakeList& wakes) {
  PKQUEUE queue = thread->queue;
  thread->queue = nullptr;
  ListRemove(&thread->queue_entry);
  QueueThreadBlocksLocked(queue, wakes);
}

void InitializeQueue(PRKQUEUE queue, ULONG count) {
  InitializeHeader(&queue->Header, QueueObject, sizeof(KQUEUE), 0);
  ListInit(&queue->EntryListHead);
  ListInit(&queue->ThreadListHead);
  queue->CurrentCount = 0;
  queue->MaximumCount = count ? count : QueryActiveProcessorCount(nullptr);
}

LONG InsertQueue(PRKQUEUE queue, PLIST_ENTRY entry) { return Insert(queue, entry, false); }
LONG InsertHeadQueue(PRKQUEUE queue, PLIST_ENTRY entry) { return Insert(queue, entry, true); }

PLIST_ENTRY RemoveQueue(PRKQUEUE queue, KPROCESSOR_MODE mode, const LARGE_INTEGER* timeout) {
  return reinterpret_cast<PLIST_ENTRY>(RemoveOne(queue, mode, false, timeout));
}

ULONG RemoveQueueEx(PRKQUEUE queue, KPROCESSOR_MODE mode, bool alertable, const LARGE_INTEGER* timeout,
                    PLIST_ENTRY* entries, ULONG count) {
  const LONG_PTR first = RemoveOne(queue, mode, alertable, timeout);
  if (IsStatus(first)) return static_cast<ULONG>(first);
  entries[0] = reinterpret_cast<PLIST_ENTRY>(first);
  ULONG taken = 1;
  if (count > 1) {
    Dispatcher dispatcher;
    while (taken < count && !ListEmpty(&queue->EntryListHead)) entries[taken++] = TakeEntryLocked(queue);
  }
  return taken;
}

PLIST_ENTRY RundownQueue(PRKQUEUE queue) {
  Dispatcher dispatcher;
  // Waiting threads get STATUS_ABANDONED; then no thread belongs to the queue.
  while (Thread* waiter = LastWaiterLocked(queue))
    UnwaitLocked(waiter, static_cast<LONG_PTR>(STATUS_ABANDONED), dispatcher.wakes);
  while (!ListEmpty(&queue->ThreadListHead)) {
    auto* thread = CONTAINING_RECORD(queue->ThreadListHead.Flink, Thread, queue_entry);
    ListRemove(&thread->queue_entry);
    thread->queue = nullptr;
  }
  queue->CurrentCount = 0;
  if (ListEmpty(&queue->EntryListHead)) return nullptr;
  PLIST_ENTRY first = queue->EntryListHead.Flink;
  ListRemove(&queue->EntryListHead);  // the entries stay a ring without the head
  ListInit(&queue->EntryListHead);
  WriteSignal(&queue->Header, 0);
  return first;
}

LONG ReadStateQueue(PRKQUEUE queue) { return ReadSignal(&queue->Header); }

}  // namespace nt::ke
