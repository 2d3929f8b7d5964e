// Device queues: the queue of requests of a device with StartIo. All state is in the KDEVICE_QUEUE, under its spin lock.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

PKDEVICE_QUEUE_ENTRY FromEntry(LIST_ENTRY* entry) {
  return CONTAINING_RECORD(entry, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

PKDEVICE_QUEUE_ENTRY TakeOrIdle(PKDEVICE_QUEUE queue, LIST_ENTRY* entry) {
  if (entry == &queue->DeviceListHead) {
    queue->Busy = FALSE;
    return nullptr;
  }
  ListRemove(entry);
  auto* taken = FromEntry(entry);
  taken->Inserted = FALSE;
  return taken;
}

/// The first entry with a key of at least `key`, else the first of all.
LIST_ENTRY* FindByKey(PKDEVICE_QUEUE queue, ULONG key) {
  LIST_ENTRY* head = &queue->DeviceListHead;
  for (LIST_ENTRY* entry = head->Flink; entry != head; entry = entry->Flink)
    if (FromEntry(entry)->SortKey >= key) return entry;
  return head->Flink;
}

void CheckBusy(PKDEVICE_QUEUE queue) {
  if (!queue->Busy)
    BugCheckWithMessage("an entry is removed from a device queue that is not busy", DEVICE_QUEUE_NOT_BUSY,
                        reinterpret_cast<ULONG_PTR>(queue));
}

}  // namespace

void InitializeDeviceQueue(PKDEVICE_QUEUE queue) {
  queue->Type = DeviceQueueObject;
  queue->Size = sizeof(KDEVICE_QUEUE);
  ListInit(&queue->DeviceListHead);
  InitializeSpinLock(&queue->Lock);
  queue->Busy = FALSE;
}

bool InsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  SpinLockScope scope(&queue->Lock);
  entry->Inserted = queue->Busy;
  if (queue->Busy) ListPushBack(&queue->DeviceListHead, &entry->DeviceListEntry);
  queue->Busy = TRUE;
  return entry->Inserted;
}

bool InsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key) {
  SpinLockScope scope(&queue->Lock);
  entry->SortKey = key;
  entry->Inserted = queue->Busy;
  if (queue->Busy) {
    LIST_ENTRY* before = queue->DeviceListHead.Blink;
    while (before != &queue->DeviceListHead && FromEntry(before)->SortKey > key) before = before->Blink;
    ListInsertBefore(before->Flink, &entry->DeviceListEntry);
  }
  queue->Busy = TRUE;
  return entry->Inserted;
}

PKDEVICE_QUEUE_ENTRY RemoveDeviceQueue(PKDEVICE_QUEUE queue) {
  SpinLockScope scope(&queue->Lock);
  CheckBusy(queue);
  return TakeOrIdle(queue, queue->DeviceListHead.Flink);
}

PKDEVICE_QUEUE_ENTRY RemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key) {
  SpinLockScope scope(&queue->Lock);
  CheckBusy(queue);
  return TakeOrIdle(queue, FindByKey(queue, key));
}

PKDEVICE_QUEUE_ENTRY RemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE queue, ULONG key) {
  SpinLockScope scope(&queue->Lock);
  return queue->Busy ? TakeOrIdle(queue, FindByKey(queue, key)) : nullptr;
}

bool RemoveEntryDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  SpinLockScope scope(&queue->Lock);
  if (!entry->Inserted) return false;
  ListRemove(&entry->DeviceListEntry);
  entry->Inserted = FALSE;
  return true;
}

}  // namespace nt::ke
