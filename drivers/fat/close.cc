// IRP_MJ_CLOSE: the last reference to a file object is gone. May come in any thread, also in the middle of our own
// calls into the cache or memory manager, so tear-down that cannot be done here and now goes through a queue.
#include "fat.h"

namespace fat {
namespace {

void FinishUserClose(Ccb* ccb) {
  Fcb* fcb = ccb->fcb;
  --fcb->vcb->file_objects;
  FreeCcb(ccb);
  ReleaseFcb(fcb);
}

void FinishStreamCloses(Fcb* fcb, ULONG count) {
  fcb->stream_references -= count;
  if (fcb->stream_references == 0 && fcb->references == 0 && fcb->stream == nullptr &&
      fcb->idle_link.Flink == nullptr) {
    DestroyFcb(fcb);
  }
}

/// Takes one close of `vcb` (of any volume, if null) off the queues. @returns its volume, or null
Vcb* PopClose(Vcb* vcb, Ccb** ccb, Fcb** fcb, ULONG* count) {
  *ccb = nullptr;
  *fcb = nullptr;
  Vcb* found = nullptr;
  ExAcquireFastMutex(&g.close_mutex);
  for (LIST_ENTRY* link = g.close_queue.Flink; link != &g.close_queue && found == nullptr; link = link->Flink) {
    Ccb* candidate = CONTAINING_RECORD(link, Ccb, close_link);
    if (vcb != nullptr && candidate->fcb->vcb != vcb) continue;
    RemoveEntryList(&candidate->close_link);
    *ccb = candidate;
    found = candidate->fcb->vcb;
    break;
  }
  for (LIST_ENTRY* link = g.stream_close_queue.Flink; link != &g.stream_close_queue && found == nullptr;
       link = link->Flink) {
    Fcb* candidate = CONTAINING_RECORD(link, Fcb, stream_close_link);
    if (vcb != nullptr && candidate->vcb != vcb) continue;
    RemoveEntryList(&candidate->stream_close_link);
    *fcb = candidate;
    *count = candidate->stream_closes;
    candidate->stream_closes = 0;
    found = candidate->vcb;
    break;
  }
  ExReleaseFastMutex(&g.close_mutex);
  return found;
}

void Finish(Ccb* ccb, Fcb* fcb, ULONG count) {
  if (ccb != nullptr) {
    FinishUserClose(ccb);
  } else {
    FinishStreamCloses(fcb, count);
  }
}

/// The volume of the first close in the queue, pinned so that whoever else finishes its closes leaves it to us.
Vcb* PinQueuedVolume() {
  Vcb* vcb = nullptr;
  ExAcquireFastMutex(&g.close_mutex);
  if (!IsListEmpty(&g.close_queue)) {
    vcb = CONTAINING_RECORD(g.close_queue.Flink, Ccb, close_link)->fcb->vcb;
  } else if (!IsListEmpty(&g.stream_close_queue)) {
    vcb = CONTAINING_RECORD(g.stream_close_queue.Flink, Fcb, stream_close_link)->vcb;
  }
  if (vcb != nullptr) {
    ExAcquireFastMutex(&g.list_mutex);
    ++vcb->pins;
    ExReleaseFastMutex(&g.list_mutex);
  } else {
    g.close_worker_queued = false;
    KeSetEvent(&g.close_idle, IO_NO_INCREMENT, FALSE);
  }
  ExReleaseFastMutex(&g.close_mutex);
  return vcb;
}

VOID NTAPI CloseWorker(PVOID) {
  FsRtlEnterFileSystem();
  IoSetTopLevelIrp(reinterpret_cast<PIRP>(FSRTL_FSP_TOP_LEVEL_IRP));
  while (Vcb* vcb = PinQueuedVolume()) {
    ExAcquireResourceExclusiveLite(&vcb->resource, TRUE);
    DrainCloses(*vcb);
    ExAcquireFastMutex(&g.list_mutex);
    --vcb->pins;
    ExReleaseFastMutex(&g.list_mutex);
    ReleaseVolume(*vcb);
  }
  IoSetTopLevelIrp(nullptr);
  FsRtlExitFileSystem();
}

void QueueClose(Ccb* ccb, Fcb* fcb) {
  ExAcquireFastMutex(&g.close_mutex);
  if (ccb != nullptr) {
    InsertTailList(&g.close_queue, &ccb->close_link);
  } else if (fcb->stream_closes++ == 0) {
    InsertTailList(&g.stream_close_queue, &fcb->stream_close_link);
  }
  if (!g.close_worker_queued) {
    g.close_worker_queued = true;
    KeClearEvent(&g.close_idle);
    ExInitializeWorkItem(&g.close_worker, CloseWorker, nullptr);
    ExQueueWorkItem(&g.close_worker, DelayedWorkQueue);
  }
  ExReleaseFastMutex(&g.close_mutex);
}

}  // namespace

void DrainCloses(Vcb& vcb) {
  Ccb* ccb;
  Fcb* fcb;
  ULONG count = 0;
  while (PopClose(&vcb, &ccb, &fcb, &count) != nullptr) Finish(ccb, fcb, count);
}

NTSTATUS Close(IrpContext& context) {
  PFILE_OBJECT file = context.stack()->FileObject;
  if (context.vcb == nullptr || file->FsContext == nullptr) return STATUS_SUCCESS;
  Vcb& vcb = *context.vcb;
  Fcb* fcb = FcbOf(file);
  Ccb* ccb = CcbOf(file);
  file->FsContext = nullptr;
  file->FsContext2 = nullptr;
  if (context.top_level && ccb != nullptr && ExAcquireResourceExclusiveLite(&vcb.resource, FALSE)) {
    FinishUserClose(ccb);
    ReleaseVolume(vcb);
  } else {
    QueueClose(ccb, fcb);
  }
  return STATUS_SUCCESS;
}

}  // namespace fat
