// Oplock objects: holders, waiters, keys, and the questions that file systems ask about a stream's oplocks.
#include "src/fsrtl/oplock.h"

#include <algorithm>
#include <cstring>

#include "src/ex/ex.h"
#include "src/fsrtl/state.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"
#include "src/ps/ps.h"

namespace nt::fsrtl {
namespace {

// The documented GUIDs of the two ECPs that carry keys.
constexpr GUID kOplockKeyEcp = {0x48850596, 0x3050, 0x4be7, {0x98, 0x63, 0xfe, 0xc3, 0x50, 0xce, 0x8d, 0x7f}};
constexpr GUID kDualOplockKeyEcp = {0x41621a14, 0xb08b, 0x4df1, {0xb6, 0x76, 0xa0, 0x5f, 0xfd, 0xf0, 0x1b, 0xea}};

/// What FILE_OBJECT::FileObjectExtension points to: written once, during create.
struct OplockKeys {
  bool target_set, parent_set;
  GUID target, parent;
};

const OplockKeys* KeysOf(PFILE_OBJECT file) {
  return static_cast<const OplockKeys*>(__atomic_load_n(&file->FileObjectExtension, __ATOMIC_ACQUIRE));
}

/// Ends a pending oplock request: the oplock goes with it.
void NTIO_MS_ABI CancelHolder(PDEVICE_OBJECT, PIRP irp) {
  io::ReleaseCancelSpinLock(irp->CancelIrql);
  const auto oplock = RefPtr<Oplock>::Adopt(reinterpret_cast<Oplock*>(irp->IoStatus.Information));
  OplockOutcome outcome;
  {
    LockGuard guard(oplock->lock);
    for (auto holder = oplock->holders.begin(); holder != oplock->holders.end(); ++holder) {
      if (holder->irp != irp) continue;
      oplock->EraseLocked(holder);
      break;
    }
    oplock->WakeWaitersLocked(&outcome);
  }
  outcome.completions.push_back({irp, STATUS_CANCELLED, 0});
  outcome.CarryOut();
}

void NTIO_MS_ABI CancelWaiter(PDEVICE_OBJECT, PIRP irp) {
  io::ReleaseCancelSpinLock(irp->CancelIrql);
  auto* const waiter = reinterpret_cast<OplockWaiter*>(irp->IoStatus.Information);
  const RefPtr<Oplock> oplock = waiter->oplock;
  OplockOutcome outcome;
  {
    LockGuard guard(oplock->lock);
    oplock->waiters.erase(waiter->position);
  }
  irp->IoStatus.Information = 0;
  if (waiter->event) {
    *waiter->event_status = STATUS_CANCELLED;
    const PKEVENT event = waiter->event;
    delete waiter;
    ke::SetEvent(event);
    return;
  }
  outcome.resumptions.push_back({irp, waiter->routine, waiter->context, STATUS_CANCELLED});
  delete waiter;
  outcome.CarryOut();
}

}  // namespace

void OplockOutcome::CarryOut() {
  for (const Completion& done : completions) {
    done.irp->IoStatus.Status = done.status;
    done.irp->IoStatus.Information = done.information;
    io::CompleteRequest(done.irp, IO_DISK_INCREMENT);
  }
  for (const PKEVENT event : events) ke::SetEvent(event);
  for (const Resumption& resumed : resumptions) {
    resumed.irp->IoStatus.Status = resumed.status;
    resumed.irp->IoStatus.Information = 0;
    if (resumed.routine)
      CallDriver(resumed.routine, resumed.context, resumed.irp);
    else
      io::CompleteRequest(resumed.irp, IO_DISK_INCREMENT);
  }
}

// --- keys -------------------------------------------------------------------------------------------------------------------

void AttachOplockKey(PIRP irp, PFILE_OBJECT file) {
  PECP_LIST list = nullptr;
  if (!io::GetIrpExtraCreateParameter(irp, &list).ok() || !list || KeysOf(file)) return;
  OplockKeys keys{};
  void* context = nullptr;
  ULONG bytes = 0;
  if (FindExtraCreateParameter(list, &kDualOplockKeyEcp, &context, &bytes).ok() &&
      bytes >= sizeof(DUAL_OPLOCK_KEY_ECP_CONTEXT)) {
    const auto* dual = static_cast<const DUAL_OPLOCK_KEY_ECP_CONTEXT*>(context);
    keys = {dual->TargetOplockKeySet != FALSE, dual->ParentOplockKeySet != FALSE, dual->TargetOplockKey,
            dual->ParentOplockKey};
    AcknowledgeEcp(context);
  } else if (FindExtraCreateParameter(list, &kOplockKeyEcp, &context, &bytes).ok() &&
             bytes >= sizeof(OPLOCK_KEY_ECP_CONTEXT)) {
    keys.target_set = true;
    keys.target = static_cast<const OPLOCK_KEY_ECP_CONTEXT*>(context)->OplockKey;
    AcknowledgeEcp(context);
  }
  if (!keys.target_set && !keys.parent_set) return;
  auto* const kept = ex::PoolNew<OplockKeys>('kOsF', keys);
  if (!kept) return;  // the key is advice: without it the opener is a stranger to itself
  void* none = nullptr;
  if (!__atomic_compare_exchange_n(&file->FileObjectExtension, &none, static_cast<void*>(kept), false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    ex::PoolDelete(kept);
}

void ReleaseOplockKeys(PFILE_OBJECT file) {
  if (!KeysOf(file)) return;
  ex::PoolDelete(static_cast<OplockKeys*>(__atomic_exchange_n(&file->FileObjectExtension, nullptr, __ATOMIC_ACQ_REL)));
}

bool SameOplockKey(PFILE_OBJECT a, PFILE_OBJECT b, OplockKeyUse use) {
  if (use == OplockKeyUse::kIgnore) return false;
  if (a == b) return use == OplockKeyUse::kTarget;
  const OplockKeys* const keys_a = a ? KeysOf(a) : nullptr;
  const OplockKeys* const keys_b = b ? KeysOf(b) : nullptr;
  if (!keys_a || !keys_b || !keys_b->target_set) return false;
  // `a` operates, `b` holds. An operation on a child compares the key it gave for the parent.
  if (use == OplockKeyUse::kParent)
    return keys_a->parent_set && memcmp(&keys_a->parent, &keys_b->target, sizeof(GUID)) == 0;
  return keys_a->target_set && memcmp(&keys_a->target, &keys_b->target, sizeof(GUID)) == 0;
}

bool OplockKeysEqual(PFILE_OBJECT file1, PFILE_OBJECT file2) {
  return SameOplockKey(file1, file2, OplockKeyUse::kTarget);
}

void DestroyFileObjectExtension(PFILE_OBJECT file) {
  ReleaseOplockKeys(file);
  ForgetFileObjectContexts(file);
}

// --- life -------------------------------------------------------------------------------------------------------------------

RefPtr<Oplock> LoadOplock(POPLOCK oplock) {
  return RefPtr<Oplock>::Share(static_cast<Oplock*>(__atomic_load_n(oplock, __ATOMIC_ACQUIRE)));
}

RefPtr<Oplock> MakeOplock(POPLOCK oplock) {
  if (auto present = LoadOplock(oplock)) return present;
  auto* const fresh = new Oplock;
  void* none = nullptr;
  if (!__atomic_compare_exchange_n(oplock, &none, static_cast<void*>(fresh), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    fresh->ReleaseRef();
  return LoadOplock(oplock);
}

void InitializeOplock(POPLOCK oplock) { *oplock = nullptr; }

void UninitializeOplock(POPLOCK oplock) {
  const auto gone = RefPtr<Oplock>::Adopt(static_cast<Oplock*>(__atomic_exchange_n(oplock, nullptr, __ATOMIC_ACQ_REL)));
  if (!gone) return;
  OplockOutcome outcome;
  {
    LockGuard guard(gone->lock);
    for (auto holder = gone->holders.begin(); holder != gone->holders.end();) {
      const bool told = gone->TellLocked(&*holder, OplockKind::kNone, false, STATUS_SUCCESS, {}, &outcome);
      holder = told ? gone->EraseLocked(holder) : std::next(holder);
    }
    gone->WakeWaitersLocked(&outcome);
  }
  outcome.CarryOut();
}

// --- holders -------------------------------------------------------------------------------------------------------------------

Oplock::Holder Oplock::EraseLocked(Holder holder) {
  const Holder next = holders.erase(holder);
  NoteLocked();
  return next;
}

bool Oplock::TellLocked(OplockHolder* holder, OplockKind to, bool acknowledge, NTSTATUS status,
                        const OplockModes& modes, OplockOutcome* outcome) {
  const PIRP irp = holder->irp;
  if (!irp) return true;
  if (!IoSetCancelRoutine(irp, nullptr)) return false;
  holder->irp = nullptr;
  reinterpret_cast<Oplock*>(irp->IoStatus.Information)->ReleaseRef();  // not the last: the caller has one
  ULONG_PTR information;
  if (IsLegacy(holder->kind)) {
    information = to == OplockKind::kLevel2 ? FILE_OPLOCK_BROKEN_TO_LEVEL_2 : FILE_OPLOCK_BROKEN_TO_NONE;
  } else {
    auto* const output = static_cast<PREQUEST_OPLOCK_OUTPUT_BUFFER>(irp->AssociatedIrp.SystemBuffer);
    *output = {};
    output->StructureVersion = REQUEST_OPLOCK_CURRENT_VERSION;
    output->StructureLength = sizeof *output;
    output->OriginalOplockLevel = CacheFlags(holder->kind);
    output->NewOplockLevel = CacheFlags(to);
    if (acknowledge) output->Flags |= REQUEST_OPLOCK_OUTPUT_FLAG_ACK_REQUIRED;
    if (modes.provided) {
      output->Flags |= REQUEST_OPLOCK_OUTPUT_FLAG_MODES_PROVIDED;
      output->AccessMode = modes.access;
      output->ShareMode = modes.share;
    }
    information = sizeof *output;
  }
  outcome->completions.push_back({irp, status, information});
  return true;
}

bool Oplock::BreakLocked(Holder holder, const OplockBreak& how, const OplockModes& modes, OplockOutcome* outcome) {
  if (!TellLocked(&*holder, how.to, how.acknowledged, STATUS_SUCCESS, modes, outcome)) {
    EraseLocked(holder);  // its cancel routine is on the way; there is nobody to wait for
    return false;
  }
  if (!how.acknowledged) {
    EraseLocked(holder);
    return false;
  }
  holder->breaking = true;
  holder->told = holder->allowed = how.to;
  return true;
}

bool Oplock::PendLocked(Holder holder, PIRP irp, OplockOutcome* outcome) {
  holder->irp = irp;
  AddRef();
  irp->IoStatus.Status = STATUS_PENDING;
  irp->IoStatus.Information = reinterpret_cast<ULONG_PTR>(this);
  IoMarkIrpPending(irp);
  IoSetCancelRoutine(irp, CancelHolder);
  if (__atomic_load_n(&irp->Cancel, __ATOMIC_SEQ_CST) && IoSetCancelRoutine(irp, nullptr)) {
    ReleaseRef();
    EraseLocked(holder);
    outcome->completions.push_back({irp, STATUS_CANCELLED, 0});
    WakeWaitersLocked(outcome);
    return false;
  }
  return true;
}

// --- waiters -------------------------------------------------------------------------------------------------------------------

bool Oplock::IsHeldUpLocked(PFILE_OBJECT file, bool for_handles, OplockKeyUse use) {
  return std::any_of(holders.begin(), holders.end(), [&](const OplockHolder& holder) {
    const bool concerned = for_handles ? CachesHandle(holder.kind) || holder.kind == OplockKind::kBatch ||
                                             holder.kind == OplockKind::kFilter
                                       : IsExclusive(holder.kind);
    return holder.breaking && concerned && !SameOplockKey(file, holder.file, use);
  });
}

bool Oplock::QueueWaiterLocked(OplockWaiter* waiter) {
  waiter->position = waiters.insert(waiters.end(), waiter);
  waiter->irp->IoStatus.Information = reinterpret_cast<ULONG_PTR>(waiter);
  IoSetCancelRoutine(waiter->irp, CancelWaiter);
  if (__atomic_load_n(&waiter->irp->Cancel, __ATOMIC_SEQ_CST) && IoSetCancelRoutine(waiter->irp, nullptr)) {
    waiters.erase(waiter->position);
    waiter->irp->IoStatus.Information = 0;
    return false;
  }
  return true;
}

void Oplock::WakeWaitersLocked(OplockOutcome* outcome) {
  for (auto it = waiters.begin(); it != waiters.end();) {
    OplockWaiter* const waiter = *it++;
    if (IsHeldUpLocked(waiter->file, waiter->for_handles, waiter->use)) continue;
    if (!IoSetCancelRoutine(waiter->irp, nullptr)) continue;  // its cancel routine takes it off
    waiters.erase(waiter->position);
    waiter->oplock.release()->ReleaseRef();  // not the last: the caller has one
    waiter->irp->IoStatus.Information = 0;
    if (waiter->event) {
      *waiter->event_status = STATUS_SUCCESS;
      outcome->events.push_back(waiter->event);
    } else {
      outcome->resumptions.push_back({waiter->irp, waiter->routine, waiter->context, STATUS_SUCCESS});
    }
    delete waiter;
  }
}

// --- questions -------------------------------------------------------------------------------------------------------------------

namespace {

template <class Test>
bool AnyHolder(POPLOCK oplock, Test test) {
  const auto present = LoadOplock(oplock);
  if (!present || present->granted.load(std::memory_order_acquire) == 0) return false;
  LockGuard guard(present->lock);
  return std::any_of(present->holders.begin(), present->holders.end(), test);
}

}  // namespace

bool OplockIsFastIoPossible(POPLOCK oplock) {
  return !AnyHolder(oplock, [](const OplockHolder& holder) { return !IsExclusive(holder.kind) || holder.breaking; });
}

bool CurrentBatchOplock(POPLOCK oplock) {
  return AnyHolder(oplock, [](const OplockHolder& holder) {
    return holder.kind == OplockKind::kBatch || holder.kind == OplockKind::kFilter;
  });
}

bool CurrentOplock(POPLOCK oplock) {
  return AnyHolder(oplock, [](const OplockHolder&) { return true; });
}

bool CurrentOplockH(POPLOCK oplock) {
  return AnyHolder(oplock, [](const OplockHolder& holder) { return CachesHandle(holder.kind); });
}

PEPROCESS OplockGetAnyBreakOwnerProcess(POPLOCK oplock) {
  const auto present = LoadOplock(oplock);
  if (!present) return nullptr;
  std::vector<HANDLE> ids;
  {
    LockGuard guard(present->lock);
    for (const OplockHolder& holder : present->holders)
      if (holder.breaking) ids.push_back(holder.process_id);
  }
  for (const HANDLE id : ids) {
    PEPROCESS process;
    if (ps::LookupProcessByProcessId(id, &process).ok()) return process;
  }
  return nullptr;
}

void BreakOplockForWritableSection(PFILE_OBJECT file) {
  // Only where the file system keeps its oplock in the header can the stream's oplock be found from a file object.
  auto* const header = static_cast<PFSRTL_ADVANCED_FCB_HEADER>(file->FsContext);
  if (!header || !(header->Flags & FSRTL_FLAG_ADVANCED_HEADER) || header->Version < FSRTL_FCB_HEADER_V2) return;
  const auto present = LoadOplock(&header->Oplock);
  if (!present) return;
  OplockOutcome outcome;
  {
    LockGuard guard(present->lock);
    for (auto holder = present->holders.begin(); holder != present->holders.end();) {
      const auto current = holder++;
      const OplockBreak how = BreakOf(OplockOperation::kWritableSection, current->kind, false);
      if (how.breaks) present->BreakLocked(current, how, {}, &outcome);
    }
    present->WakeWaitersLocked(&outcome);
  }
  outcome.CarryOut();
}

}  // namespace nt::fsrtl
