// Oplock requests and acknowledgements: FsRtlOplockFsctrl.
#include <algorithm>

#include "src/fsrtl/oplock.h"
#include "src/io/io.h"
#include "src/mm/mm.h"
#include "src/ps/ps.h"

#ifndef REQUEST_OPLOCK_OUTPUT_FLAG_WRITABLE_SECTION_PRESENT
#define REQUEST_OPLOCK_OUTPUT_FLAG_WRITABLE_SECTION_PRESENT 0x00000004
#endif

namespace nt::fsrtl {
namespace {

Status Finish(PIRP irp, NTSTATUS status, ULONG_PTR information = 0) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  io::CompleteRequest(irp, IO_DISK_INCREMENT);
  return status;
}

HANDLE ProcessIdOf(PIRP irp) {
  const PEPROCESS process = io::GetRequestorProcess(irp);
  return process ? ps::GetProcessId(process) : nullptr;
}

/// Every holder of the same key gives way to the new handle.
void SwitchLocked(Oplock* oplock, PFILE_OBJECT file, OplockOutcome* outcome) NT_REQUIRES(oplock->lock) {
  for (auto holder = oplock->holders.begin(); holder != oplock->holders.end();) {
    const auto current = holder++;
    if (IsLegacy(current->kind) || !SameOplockKey(file, current->file, OplockKeyUse::kTarget)) continue;
    if (oplock->TellLocked(&*current, current->kind, false, STATUS_OPLOCK_SWITCHED_TO_NEW_HANDLE, {}, outcome))
      oplock->EraseLocked(current);
  }
}

Status GrantLocked(Oplock* oplock, PIRP irp, PFILE_OBJECT file, OplockKind kind, OplockOutcome* outcome)
    NT_REQUIRES(oplock->lock) {
  const auto holder = oplock->holders.insert(
      oplock->holders.end(), {nullptr, file, kind, false, OplockKind::kNone, OplockKind::kNone, ProcessIdOf(irp)});
  oplock->NoteLocked();
  if (oplock->reserved == file) oplock->reserved = nullptr;
  oplock->PendLocked(holder, irp, outcome);
  return STATUS_PENDING;
}

/// Decides a request; STATUS_SUCCESS: to be granted, after the holders of `file`'s key were switched.
Status DecideLocked(Oplock* oplock, PFILE_OBJECT file, OplockKind kind, ULONG open_count, ULONG flags,
                    OplockOutcome* outcome) NT_REQUIRES(oplock->lock) {
  constexpr NTSTATUS kRefused = STATUS_OPLOCK_NOT_GRANTED;
  if (file->Flags & FO_SYNCHRONOUS_IO) return kRefused;
  if (oplock->reserved && oplock->reserved != file) return kRefused;
  auto& holders = oplock->holders;
  const auto all = [held = &holders](auto test) { return std::all_of(held->begin(), held->end(), test); };
  const auto same = [&](const OplockHolder& holder) { return SameOplockKey(file, holder.file, OplockKeyUse::kTarget); };

  if (!IsExclusive(kind) && open_count != 0) return kRefused;  // byte-range locks
  switch (kind) {
    case OplockKind::kLevel2:
      return all([](const OplockHolder& holder) {
               return holder.kind == OplockKind::kLevel2 || holder.kind == OplockKind::kR;
             })
                 ? STATUS_SUCCESS
                 : kRefused;
    case OplockKind::kLevel1:
    case OplockKind::kBatch:
    case OplockKind::kFilter: {
      if (open_count > 1) return kRefused;
      if (holders.empty()) return STATUS_SUCCESS;
      // The requester's own Level 2 gives way.
      if (!all([&](const OplockHolder& holder) { return holder.kind == OplockKind::kLevel2 && holder.file == file; }))
        return kRefused;
      while (!holders.empty())
        oplock->BreakLocked(holders.begin(), {true, OplockKind::kNone, false, false}, {}, outcome);
      return STATUS_SUCCESS;
    }
    case OplockKind::kR:
      return all([&](const OplockHolder& holder) {
               return holder.kind == OplockKind::kLevel2 || holder.kind == OplockKind::kR ||
                      (holder.kind == OplockKind::kRH && !same(holder));
             })
                 ? STATUS_SUCCESS
                 : kRefused;
    case OplockKind::kRH:
      return all([&](const OplockHolder& holder) {
               return holder.kind == OplockKind::kR || (holder.kind == OplockKind::kRH && !(holder.breaking && same(holder)));
             })
                 ? STATUS_SUCCESS
                 : kRefused;
    case OplockKind::kRW:
    case OplockKind::kRWH: {
      if (open_count > 1 && !(flags & OPLOCK_FSCTRL_FLAG_ALL_KEYS_MATCH)) return kRefused;
      return all([&](const OplockHolder& holder) {
               const bool lower = holder.kind == OplockKind::kR || holder.kind == OplockKind::kRW ||
                                  (kind == OplockKind::kRWH &&
                                   (holder.kind == OplockKind::kRH || holder.kind == OplockKind::kRWH));
               return lower && !holder.breaking && same(holder);
             })
                 ? STATUS_SUCCESS
                 : kRefused;
    }
    case OplockKind::kNone:
      break;
  }
  return STATUS_INVALID_PARAMETER;
}

Status RequestOplock(POPLOCK pointer, PIRP irp, OplockKind kind, ULONG open_count, ULONG flags) {
  const PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
  if (!IsLegacy(kind) && file->SectionObjectPointer &&
      mm::DoesFileHaveUserWritableReferences(file->SectionObjectPointer) != 0) {
    auto* const output = static_cast<PREQUEST_OPLOCK_OUTPUT_BUFFER>(irp->AssociatedIrp.SystemBuffer);
    *output = {};
    output->StructureVersion = REQUEST_OPLOCK_CURRENT_VERSION;
    output->StructureLength = sizeof *output;
    output->Flags = REQUEST_OPLOCK_OUTPUT_FLAG_WRITABLE_SECTION_PRESENT;
    return Finish(irp, STATUS_CANNOT_GRANT_REQUESTED_OPLOCK, sizeof *output);
  }
  const auto oplock = MakeOplock(pointer);
  OplockOutcome outcome;
  Status status;
  {
    LockGuard guard(oplock->lock);
    status = DecideLocked(oplock.get(), file, kind, open_count, flags, &outcome);
    if (status == STATUS_SUCCESS) {
      if (!IsLegacy(kind)) SwitchLocked(oplock.get(), file, &outcome);
      status = GrantLocked(oplock.get(), irp, file, kind, &outcome);
    }
  }
  outcome.CarryOut();
  return status == STATUS_PENDING ? status : Finish(irp, status);
}

enum class Acknowledgement { kPlain, kNoLevel2, kClosePending };

Oplock::Holder FindBreakingLocked(Oplock* oplock, PFILE_OBJECT file, bool legacy) NT_REQUIRES(oplock->lock) {
  return std::find_if(oplock->holders.begin(), oplock->holders.end(), [&](const OplockHolder& holder) {
    return holder.file == file && holder.breaking && !holder.irp && IsLegacy(holder.kind) == legacy;
  });
}

Status AcknowledgeLegacy(POPLOCK pointer, PIRP irp, Acknowledgement how) {
  const PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
  const auto oplock = LoadOplock(pointer);
  if (!oplock) return Finish(irp, STATUS_INVALID_OPLOCK_PROTOCOL);
  OplockOutcome outcome;
  Status status = STATUS_SUCCESS;
  ULONG_PTR information = 0;
  {
    LockGuard guard(oplock->lock);
    const auto holder = FindBreakingLocked(oplock.get(), file, true);
    if (holder == oplock->holders.end()) {
      status = STATUS_INVALID_OPLOCK_PROTOCOL;
    } else if (how == Acknowledgement::kClosePending && holder->kind != OplockKind::kLevel1) {
      // The holder is about to close; what waits goes on waiting until then.
    } else if (how == Acknowledgement::kPlain && holder->told == OplockKind::kLevel2 &&
               holder->allowed == OplockKind::kLevel2) {
      holder->kind = OplockKind::kLevel2;
      holder->breaking = false;
      status = STATUS_PENDING;
      if (oplock->PendLocked(holder, irp, &outcome)) oplock->WakeWaitersLocked(&outcome);
    } else {
      // Told to keep Level 2, but another operation came since: broken again at once.
      if (how == Acknowledgement::kPlain && holder->told == OplockKind::kLevel2)
        information = FILE_OPLOCK_BROKEN_TO_NONE;
      oplock->EraseLocked(holder);
      oplock->WakeWaitersLocked(&outcome);
    }
  }
  outcome.CarryOut();
  return status == STATUS_PENDING ? status : Finish(irp, status, information);
}

Status AcknowledgeLevel(POPLOCK pointer, PIRP irp, OplockKind kept, bool on_close) {
  const PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
  const auto oplock = LoadOplock(pointer);
  if (!oplock) return Finish(irp, STATUS_INVALID_OPLOCK_PROTOCOL);
  OplockOutcome outcome;
  Status status = STATUS_SUCCESS;
  ULONG_PTR information = 0;
  {
    LockGuard guard(oplock->lock);
    const auto holder = FindBreakingLocked(oplock.get(), file, false);
    if (holder == oplock->holders.end() || (CacheFlags(kept) & ~CacheFlags(holder->told))) {
      status = STATUS_INVALID_OPLOCK_PROTOCOL;
    } else if (on_close && kept == OplockKind::kNone) {
      status = STATUS_PENDING;  // answered when the handle closes
      oplock->PendLocked(holder, irp, &outcome);
    } else if (CacheFlags(kept) & ~CacheFlags(holder->allowed)) {
      // Another operation came since: broken again at once, further down.
      OplockKind lower = OplockKind::kNone;
      KindOfCacheFlags(CacheFlags(kept) & CacheFlags(holder->allowed), &lower);
      auto* const output = static_cast<PREQUEST_OPLOCK_OUTPUT_BUFFER>(irp->AssociatedIrp.SystemBuffer);
      const bool acknowledge = kept != OplockKind::kR;
      *output = {};
      output->StructureVersion = REQUEST_OPLOCK_CURRENT_VERSION;
      output->StructureLength = sizeof *output;
      output->OriginalOplockLevel = CacheFlags(kept);
      output->NewOplockLevel = CacheFlags(lower);
      output->Flags = acknowledge ? REQUEST_OPLOCK_OUTPUT_FLAG_ACK_REQUIRED : 0;
      information = sizeof *output;
      holder->kind = kept;
      holder->told = holder->allowed = lower;
      if (!acknowledge) oplock->EraseLocked(holder);
      oplock->WakeWaitersLocked(&outcome);
    } else if (kept == OplockKind::kNone) {
      oplock->EraseLocked(holder);
      oplock->WakeWaitersLocked(&outcome);
    } else {
      holder->kind = kept;
      holder->breaking = false;
      status = STATUS_PENDING;
      if (oplock->PendLocked(holder, irp, &outcome)) oplock->WakeWaitersLocked(&outcome);
    }
  }
  outcome.CarryOut();
  return status == STATUS_PENDING ? status : Finish(irp, status, information);
}

/// FSCTL_OPLOCK_BREAK_NOTIFY: completes when no break is under way.
Status NotifyOfBreak(POPLOCK pointer, PIRP irp) {
  const PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
  const auto oplock = LoadOplock(pointer);
  if (!oplock) return Finish(irp, STATUS_SUCCESS);
  {
    LockGuard guard(oplock->lock);
    if (oplock->IsHeldUpLocked(file, false, OplockKeyUse::kIgnore)) {
      auto* const waiter = new OplockWaiter{oplock,  irp,     file,    OplockKeyUse::kIgnore, false,
                                            nullptr, nullptr, nullptr, nullptr,               {}};
      IoMarkIrpPending(irp);
      if (oplock->QueueWaiterLocked(waiter)) return STATUS_PENDING;
      delete waiter;
      irp->IoStatus.Status = STATUS_CANCELLED;
    } else {
      irp->IoStatus.Status = STATUS_SUCCESS;
    }
  }
  const NTSTATUS status = irp->IoStatus.Status;
  Finish(irp, status).Ignore();  // the same status
  return status == STATUS_CANCELLED ? STATUS_PENDING : status;
}

/// An open that wants an oplock: others get none until it asked, or failed.
Status ReserveAtCreate(POPLOCK pointer, PIRP irp, ULONG open_count) {
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  const auto oplock = MakeOplock(pointer);
  LockGuard guard(oplock->lock);
  if (oplock->reserved && oplock->reserved != location->FileObject) return STATUS_CANNOT_BREAK_OPLOCK;
  if (location->Parameters.Create.Options & FILE_RESERVE_OPFILTER) {
    if (open_count > 1 || !oplock->holders.empty()) return STATUS_OPLOCK_NOT_GRANTED;
  }
  oplock->reserved = location->FileObject;
  return STATUS_SUCCESS;
}

Status RequestOfLevel(POPLOCK pointer, PIRP irp, ULONG open_count, ULONG flags) {
  const auto& parameters = IoGetCurrentIrpStackLocation(irp)->Parameters.FileSystemControl;
  const auto* input = static_cast<const REQUEST_OPLOCK_INPUT_BUFFER*>(irp->AssociatedIrp.SystemBuffer);
  if (!input || parameters.InputBufferLength < sizeof *input ||
      parameters.OutputBufferLength < sizeof(REQUEST_OPLOCK_OUTPUT_BUFFER))
    return Finish(irp, STATUS_BUFFER_TOO_SMALL);
  OplockKind kind;
  if (input->StructureVersion != REQUEST_OPLOCK_CURRENT_VERSION || input->StructureLength < sizeof *input ||
      !KindOfCacheFlags(input->RequestedOplockLevel, &kind))
    return Finish(irp, STATUS_INVALID_PARAMETER);
  const bool request = input->Flags & REQUEST_OPLOCK_INPUT_FLAG_REQUEST;
  const bool acknowledge = input->Flags & REQUEST_OPLOCK_INPUT_FLAG_ACK;
  if (request == acknowledge) return Finish(irp, STATUS_INVALID_PARAMETER);
  if (acknowledge)
    return AcknowledgeLevel(pointer, irp, kind, input->Flags & REQUEST_OPLOCK_INPUT_FLAG_COMPLETE_ACK_ON_CLOSE);
  if (kind == OplockKind::kNone) return Finish(irp, STATUS_INVALID_PARAMETER);
  return RequestOplock(pointer, irp, kind, open_count, flags);
}

}  // namespace

Status OplockFsctrlEx(POPLOCK oplock, PIRP irp, ULONG open_count, ULONG flags) {
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  if (location->MajorFunction == IRP_MJ_CREATE) return ReserveAtCreate(oplock, irp, open_count);
  switch (location->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_REQUEST_OPLOCK_LEVEL_1:
      return RequestOplock(oplock, irp, OplockKind::kLevel1, open_count, flags);
    case FSCTL_REQUEST_OPLOCK_LEVEL_2:
      return RequestOplock(oplock, irp, OplockKind::kLevel2, open_count, flags);
    case FSCTL_REQUEST_BATCH_OPLOCK:
      return RequestOplock(oplock, irp, OplockKind::kBatch, open_count, flags);
    case FSCTL_REQUEST_FILTER_OPLOCK:
      return RequestOplock(oplock, irp, OplockKind::kFilter, open_count, flags);
    case FSCTL_REQUEST_OPLOCK:
      return RequestOfLevel(oplock, irp, open_count, flags);
    case FSCTL_OPLOCK_BREAK_ACKNOWLEDGE:
      return AcknowledgeLegacy(oplock, irp, Acknowledgement::kPlain);
    case FSCTL_OPLOCK_BREAK_ACK_NO_2:
      return AcknowledgeLegacy(oplock, irp, Acknowledgement::kNoLevel2);
    case FSCTL_OPBATCH_ACK_CLOSE_PENDING:
      return AcknowledgeLegacy(oplock, irp, Acknowledgement::kClosePending);
    case FSCTL_OPLOCK_BREAK_NOTIFY:
      return NotifyOfBreak(oplock, irp);
    default:
      return Finish(irp, STATUS_INVALID_PARAMETER);
  }
}

bool OplockIsSharedRequest(PIRP irp) {
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  const auto& parameters = location->Parameters.FileSystemControl;
  if (parameters.FsControlCode == FSCTL_REQUEST_OPLOCK_LEVEL_2) return true;
  const auto* input = static_cast<const REQUEST_OPLOCK_INPUT_BUFFER*>(irp->AssociatedIrp.SystemBuffer);
  if (parameters.FsControlCode != FSCTL_REQUEST_OPLOCK || !input || parameters.InputBufferLength < sizeof *input)
    return false;
  OplockKind kind;
  return (input->Flags & REQUEST_OPLOCK_INPUT_FLAG_REQUEST) && KindOfCacheFlags(input->RequestedOplockLevel, &kind) &&
         (kind == OplockKind::kR || kind == OplockKind::kRH);
}

}  // namespace nt::fsrtl
