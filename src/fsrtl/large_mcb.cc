// LARGE_MCB: a run list with its lock, the guarded mutex that GuardedMutex points to. Paging I/O looks up mappings, so the
// lock keeps APCs out and no memory is touched under it but the run list's.
#include <cstring>

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"

namespace nt::fsrtl {
namespace {

static_assert(sizeof(KGUARDED_MUTEX) == sizeof(FAST_MUTEX));

class McbScope {
 public:
  explicit McbScope(PLARGE_MCB mcb) : mutex_(reinterpret_cast<PFAST_MUTEX>(mcb->GuardedMutex)) {
    ke::EnterGuardedRegion();
    ex::AcquireFastMutexUnsafe(mutex_);
  }
  ~McbScope() {
    ex::ReleaseFastMutexUnsafe(mutex_);
    ke::LeaveGuardedRegion();
  }
  McbScope(const McbScope&) = delete;
  McbScope& operator=(const McbScope&) = delete;

 private:
  PFAST_MUTEX const mutex_;
};

/// Raises for want of memory; any other failure is the answer "no". Called with no lock held.
bool Succeeded(Status status) {
  if (status == STATUS_INSUFFICIENT_RESOURCES) Raise(STATUS_INSUFFICIENT_RESOURCES);
  return status.ok();
}

}  // namespace

void InitializeLargeMcb(PLARGE_MCB mcb, POOL_TYPE pool_type) {
  memset(mcb, 0, sizeof *mcb);
  auto* mutex = static_cast<PFAST_MUTEX>(ex::AllocatePoolWithTag(NonPagedPoolNx, sizeof(FAST_MUTEX), 'xtuM'));
  if (!mutex) Raise(STATUS_INSUFFICIENT_RESOURCES);
  ex::InitializeFastMutex(mutex);
  if (!InitializeBaseMcb(&mcb->BaseMcb, pool_type, 0).ok()) {
    ex::FreePool(mutex);
    Raise(STATUS_INSUFFICIENT_RESOURCES);
  }
  mcb->GuardedMutex = reinterpret_cast<PKGUARDED_MUTEX>(mutex);
}

void UninitializeLargeMcb(PLARGE_MCB mcb) {
  if (!mcb->GuardedMutex) return;
  ex::FreePool(mcb->GuardedMutex);
  mcb->GuardedMutex = nullptr;
  UninitializeBaseMcb(&mcb->BaseMcb);
}

void ResetLargeMcb(PLARGE_MCB mcb, bool self_synchronized) {
  if (self_synchronized) return ResetBaseMcb(&mcb->BaseMcb);
  McbScope scope(mcb);
  ResetBaseMcb(&mcb->BaseMcb);
}

void TruncateLargeMcb(PLARGE_MCB mcb, LONGLONG vbn) {
  McbScope scope(mcb);
  TruncateBaseMcb(&mcb->BaseMcb, vbn);
}

bool AddLargeMcbEntry(PLARGE_MCB mcb, LONGLONG vbn, LONGLONG lbn, LONGLONG count) {
  Status status;
  {
    McbScope scope(mcb);
    status = AddBaseMcbEntry(&mcb->BaseMcb, vbn, lbn, count);
  }
  return Succeeded(status);
}

void RemoveLargeMcbEntry(PLARGE_MCB mcb, LONGLONG vbn, LONGLONG count) {
  Status status;
  {
    McbScope scope(mcb);
    status = RemoveBaseMcbEntry(&mcb->BaseMcb, vbn, count);
  }
  Succeeded(status);
}

bool LookupLargeMcbEntry(PLARGE_MCB mcb, LONGLONG vbn, LONGLONG* lbn, LONGLONG* count_from_lbn, LONGLONG* starting_lbn,
                         LONGLONG* count_from_starting_lbn, ULONG* index) {
  McbScope scope(mcb);
  return LookupBaseMcbEntry(&mcb->BaseMcb, vbn, lbn, count_from_lbn, starting_lbn, count_from_starting_lbn, index);
}

bool LookupLastLargeMcbEntryAndIndex(PLARGE_MCB mcb, LONGLONG* vbn, LONGLONG* lbn, ULONG* index) {
  McbScope scope(mcb);
  return LookupLastBaseMcbEntryAndIndex(&mcb->BaseMcb, vbn, lbn, index);
}

ULONG NumberOfRunsInLargeMcb(PLARGE_MCB mcb) {
  McbScope scope(mcb);
  return NumberOfRunsInBaseMcb(&mcb->BaseMcb);
}

bool GetNextLargeMcbEntry(PLARGE_MCB mcb, ULONG index, LONGLONG* vbn, LONGLONG* lbn, LONGLONG* count) {
  McbScope scope(mcb);
  return GetNextBaseMcbEntry(&mcb->BaseMcb, index, vbn, lbn, count);
}

bool SplitLargeMcb(PLARGE_MCB mcb, LONGLONG vbn, LONGLONG amount) {
  Status status;
  {
    McbScope scope(mcb);
    status = SplitBaseMcb(&mcb->BaseMcb, vbn, amount);
  }
  return Succeeded(status);
}

}  // namespace nt::fsrtl
