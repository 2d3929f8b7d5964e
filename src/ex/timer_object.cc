// EX_TIMER: timers that the system allocates (ExAllocateTimer).
//
// Life: 1. allocated; 2. set and cancelled as often as its owner likes; 3. deleted: cancelled, or left to expire once
// more;
// 4. freed when no expiration of it is under way, then the owner's delete callback runs. The KTIMER comes first:
// drivers wait for the EX_TIMER itself.
#include "src/ex/ex_objects.h"

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/ke/bug_check.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"

struct _EX_TIMER {
  KTIMER timer;
  KDPC dpc;
  PEXT_CALLBACK callback;
  void* context;
  bool high_resolution;
  KSPIN_LOCK lock;  // over what follows
  bool deleting, freeing;
  bool set;  // an expiration is to come
  bool periodic;
  EXT_DELETE_PARAMETERS deletion;
  WORK_QUEUE_ITEM free_item;
};

namespace nt::ex {
namespace {

constexpr ULONG kTag = 'mTxE';

/// No expiration comes any more; those under way have ended when this returns. At <= APC_LEVEL.
void Free(EX_TIMER* timer) {
  ke::FlushQueuedDpcs();
  const EXT_DELETE_PARAMETERS deletion = timer->deletion;
  FreePool(timer);
  if (deletion.DeleteCallback) CallDriver(deletion.DeleteCallback, deletion.DeleteContext);
}

void NTIO_MS_ABI FreeLater(void* timer) { Free(static_cast<EX_TIMER*>(timer)); }

void QueueFree(EX_TIMER* timer) {
  timer->free_item.List = {};
  timer->free_item.WorkerRoutine = FreeLater;
  timer->free_item.Parameter = timer;
  QueueWorkItem(&timer->free_item, CriticalWorkQueue);
}

void NTIO_MS_ABI Expired(PKDPC, PVOID context, PVOID, PVOID) {
  auto* timer = static_cast<EX_TIMER*>(context);
  if (timer->callback) CallDriver(timer->callback, timer, timer->context);
  bool free = false;
  {
    const ke::SpinLockScope scope(&timer->lock);
    if (!timer->periodic) timer->set = false;
    if (timer->deleting && !timer->freeing) {
      timer->freeing = free = true;
      ke::CancelTimer(&timer->timer);  // a periodic one
    }
  }
  if (free) QueueFree(timer);
}

[[noreturn]] void BadUse(const char* what, const void* timer) {
  ke::BugCheckWithMessage(what, TIMER_OR_DPC_INVALID, 0, reinterpret_cast<ULONG_PTR>(timer));
}

}  // namespace

EX_TIMER* AllocateTimer(PEXT_CALLBACK callback, void* context, ULONG attributes) {
  if ((attributes & EX_TIMER_HIGH_RESOLUTION) && (attributes & EX_TIMER_NO_WAKE))
    BadUse("ExAllocateTimer: a timer cannot be of high resolution and not wake", nullptr);
  auto* timer = static_cast<EX_TIMER*>(AllocatePoolZero(NonPagedPoolNx, sizeof(EX_TIMER), kTag));
  if (!timer) return nullptr;
  ke::InitializeTimerEx(&timer->timer, attributes & EX_TIMER_NOTIFICATION ? NotificationTimer : SynchronizationTimer);
  ke::InitializeDpc(&timer->dpc, Expired, timer);
  ke::InitializeSpinLock(&timer->lock);
  timer->callback = callback;
  timer->context = context;
  timer->high_resolution = attributes & EX_TIMER_HIGH_RESOLUTION;
  return timer;
}

bool SetTimer(EX_TIMER* timer, LONGLONG due_time, LONGLONG period_100ns) {
  if (period_100ns < 0 || period_100ns > MAXLONG) BadUse("ExSetTimer: the period is out of range", timer);
  if (timer->high_resolution && due_time >= 0) BadUse("ExSetTimer: high resolution and an absolute time", timer);
  LARGE_INTEGER due;
  due.QuadPart = due_time;
  const ke::SpinLockScope scope(&timer->lock);
  if (timer->deleting) BadUse("ExSetTimer after ExDeleteTimer", timer);
  timer->set = true;
  timer->periodic = period_100ns != 0;
  return ke::SetTimerEx(&timer->timer, due, static_cast<LONG>((period_100ns + 9999) / 10'000), &timer->dpc);
}

bool CancelTimer(EX_TIMER* timer) {
  const ke::SpinLockScope scope(&timer->lock);
  const bool cancelled = ke::CancelTimer(&timer->timer);
  if (cancelled) timer->set = false;
  return cancelled;
}

bool DeleteTimer(EX_TIMER* timer, bool cancel, bool wait, const EXT_DELETE_PARAMETERS* parameters) {
  if (wait && !cancel) BadUse("ExDeleteTimer: who waits must cancel", timer);
  bool cancelled = false, free;
  {
    const ke::SpinLockScope scope(&timer->lock);
    if (timer->deleting) BadUse("ExDeleteTimer twice", timer);
    timer->deleting = true;
    if (parameters) timer->deletion = *parameters;
    if (cancel) {
      cancelled = ke::CancelTimer(&timer->timer);
      timer->set = false;
    }
    // A timer that is left to expire is freed behind its expiration.
    timer->freeing = free = !timer->set;
  }
  if (free && wait)
    Free(timer);
  else if (free)
    QueueFree(timer);
  return cancelled;
}

}  // namespace nt::ex
