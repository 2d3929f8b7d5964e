// The dirty mark goes when a volume has been left alone for a while.
// 1. MarkDirty arms the timer, which is one for all volumes.
// 2. It expires: the DPC hands over to a worker.
// 3. The worker writes and marks every volume that nobody changed since, and arms the timer anew while one is left.
#include "fat.h"

namespace fat {
namespace {

constexpr LONGLONG kSecond_100ns = 10 * 1000 * 1000;
constexpr LONGLONG kIdle_100ns = 5 * kSecond_100ns;

void SetTimer() {
  LARGE_INTEGER due;
  due.QuadPart = -kIdle_100ns;
  KeSetTimer(&g.idle.timer, due, &g.idle.dpc);
}

VOID NTAPI Expired(PKDPC, PVOID, PVOID, PVOID) {
  InterlockedExchange(&g.idle.again, 1);  // for a worker that is still at it
  if (InterlockedExchange(&g.idle.queued, 1) != 0) return;
  KeClearEvent(&g.idle.done);
  ExQueueWorkItem(&g.idle.work, DelayedWorkQueue);
}

/// What a check of the medium would complain of although nothing is in the cache: clusters beyond an open file's end,
/// and an end beyond what was ever written.
bool HasUnsettledFile(const Vcb& vcb) {
  for (const LIST_ENTRY* link = vcb.all_fcbs.Flink; link != &vcb.all_fcbs; link = link->Flink) {
    const Fcb& fcb = *CONTAINING_RECORD(link, Fcb, all_link);
    if (fcb.kind != FcbKind::kFile || fcb.unlinked || fcb.open_handles == 0) continue;
    if (fcb.header.AllocationSize.QuadPart > RoundToCluster(vcb, fcb.file_size())) return true;
    if (fcb.header.ValidDataLength.QuadPart < fcb.file_size()) return true;
  }
  return false;
}

void CleanIfIdle(Vcb& vcb) {
  if (vcb.state != VolumeState::kMounted || !vcb.marked_dirty || vcb.was_dirty) return;
  const LONGLONG idle = static_cast<LONGLONG>(KeQueryInterruptTime()) - vcb.changed_at_100ns;
  // A write error keeps the mark; the next expiry tries again.
  if (idle >= kIdle_100ns && !HasUnsettledFile(vcb)) FlushVolume(vcb, true);
  if (vcb.marked_dirty) InterlockedExchange(&g.idle.again, 1);
}

VOID NTAPI Work(PVOID) {
  FsRtlEnterFileSystem();
  IoSetTopLevelIrp(reinterpret_cast<PIRP>(FSRTL_FSP_TOP_LEVEL_IRP));
  InterlockedExchange(&g.idle.again, 0);
  ForEachVolume(CleanIfIdle);
  IoSetTopLevelIrp(nullptr);
  FsRtlExitFileSystem();
  // In this order: the DPC clears the event after it found nothing queued.
  KeSetEvent(&g.idle.done, IO_NO_INCREMENT, FALSE);
  InterlockedExchange(&g.idle.queued, 0);
  if (g.idle.again != 0 && !g.idle.stopped) SetTimer();
}

}  // namespace

void InitializeIdleClean() {
  KeInitializeTimer(&g.idle.timer);
  KeInitializeDpc(&g.idle.dpc, Expired, nullptr);
  KeInitializeEvent(&g.idle.done, NotificationEvent, TRUE);
  ExInitializeWorkItem(&g.idle.work, Work, nullptr);
}

void StopIdleClean() {
  g.idle.stopped = true;
  // Once more after the worker: it may have been about to set the timer when it was told.
  for (int i = 0; i < 2; ++i) {
    KeCancelTimer(&g.idle.timer);
    KeFlushQueuedDpcs();
    KeWaitForSingleObject(&g.idle.done, Executive, KernelMode, FALSE, nullptr);
  }
}

void NoteChange(Vcb& vcb) { vcb.changed_at_100ns = static_cast<LONGLONG>(KeQueryInterruptTime()); }

void ArmIdleClean() {
  if (!g.idle.stopped) SetTimer();
}

}  // namespace fat
