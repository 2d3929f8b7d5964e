// Operations against oplocks: FsRtlCheckOplock and its kin. What an operation means is decided here, what it breaks by BreakOf.
#include "src/fsrtl/oplock.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"

namespace nt::fsrtl {
namespace {

constexpr ACCESS_MASK kAttributesOnly = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE;
/// Access that leaves a filter oplock alone.
constexpr ACCESS_MASK kFilterHarmless = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | FILE_READ_DATA | FILE_READ_EA |
                                        FILE_EXECUTE | SYNCHRONIZE | READ_CONTROL;

struct Create {
  ACCESS_MASK access;
  ULONG options;
  ULONG disposition;
  USHORT share;
};

Create CreateOf(PIO_STACK_LOCATION location) {
  const auto& parameters = location->Parameters.Create;
  // DesiredAccess of the security context: what was asked for, mapped.
  return {parameters.SecurityContext->DesiredAccess, parameters.Options & FILE_VALID_OPTION_FLAGS,
          parameters.Options >> 24, parameters.ShareAccess};
}

OplockOperation OperationOfCreate(const Create& create) {
  if (create.options & FILE_RESERVE_OPFILTER) return OplockOperation::kOpenReserve;
  if ((create.access & ~kAttributesOnly) == 0) return OplockOperation::kNothing;
  const bool breaks_filter = (create.access & ~kFilterHarmless) && !(create.share & FILE_SHARE_READ);
  if (create.disposition == FILE_SUPERSEDE || create.disposition == FILE_OVERWRITE ||
      create.disposition == FILE_OVERWRITE_IF)
    return breaks_filter ? OplockOperation::kOpenOverwriteNotSharingRead : OplockOperation::kOpenOverwrite;
  return breaks_filter ? OplockOperation::kOpenWriterNotSharingRead : OplockOperation::kOpen;
}

OplockOperation OperationOf(PIO_STACK_LOCATION location, ULONG flags) {
  if (flags & OPLOCK_FLAG_PARENT_OBJECT) return OplockOperation::kChildChange;
  if (flags & (OPLOCK_FLAG_REMOVING_FILE_OR_LINK | OPLOCK_FLAG_CLOSING_DELETE_ON_CLOSE))
    return OplockOperation::kDelete;
  switch (location->MajorFunction) {
    case IRP_MJ_CREATE:
      if (flags & OPLOCK_FLAG_BREAKING_FOR_SHARING_VIOLATION) return OplockOperation::kSharingViolation;
      return OperationOfCreate(CreateOf(location));
    case IRP_MJ_READ:
    case IRP_MJ_FLUSH_BUFFERS:
      return OplockOperation::kRead;
    case IRP_MJ_WRITE:
      return OplockOperation::kWrite;
    case IRP_MJ_LOCK_CONTROL:
      return OplockOperation::kLock;
    case IRP_MJ_SET_INFORMATION:
      switch (location->Parameters.SetFile.FileInformationClass) {
        case FileEndOfFileInformation:
          // The lazy writer's report of valid data changes nothing that others cache.
          return location->Parameters.SetFile.AdvanceOnly ? OplockOperation::kNothing : OplockOperation::kWrite;
        case FileAllocationInformation:
        case FileValidDataLengthInformation:
          return OplockOperation::kWrite;
        case FileRenameInformation:
        case FileRenameInformationEx:
        case FileLinkInformation:
        case FileLinkInformationEx:
        case FileShortNameInformation:
          return OplockOperation::kRename;
        case FileDispositionInformation:
        case FileDispositionInformationEx:
          return OplockOperation::kDelete;
        default:
          return OplockOperation::kNothing;
      }
    case IRP_MJ_FILE_SYSTEM_CONTROL:
      return location->Parameters.FileSystemControl.FsControlCode == FSCTL_SET_ZERO_DATA ? OplockOperation::kWrite
                                                                                         : OplockOperation::kNothing;
    default:
      return OplockOperation::kNothing;
  }
}

/// Of two kinds, what both allow.
OplockKind Lower(OplockKind a, OplockKind b) {
  if (IsLegacy(a) || IsLegacy(b)) return a == b ? a : OplockKind::kNone;
  ULONG flags = CacheFlags(a) & CacheFlags(b);
  if (!(flags & OPLOCK_LEVEL_CACHE_READ)) flags = 0;
  OplockKind kind = OplockKind::kNone;
  KindOfCacheFlags(flags, &kind);
  return kind;
}

struct Request {
  PIRP irp;
  PFILE_OBJECT file;
  OplockOperation operation;
  OplockKeyUse use;
  OplockModes modes;
  bool complete_if_oplocked;   // do not wait
  bool requires_oplock;        // break nothing
};

/// What the operation does to one holder, breaks under way considered.
OplockBreak BreakOfHolder(const Request& request, const OplockHolder& holder) {
  const bool same = SameOplockKey(request.file, holder.file, request.use);
  return BreakOf(request.operation, holder.kind, same);
}

/// Starts the breaks. @returns whether the operation has to wait
bool StartBreaksLocked(Oplock* oplock, const Request& request, OplockOutcome* outcome) NT_REQUIRES(oplock->lock) {
  bool waits = false;
  for (auto it = oplock->holders.begin(); it != oplock->holders.end();) {
    const auto holder = it++;
    const OplockBreak how = BreakOfHolder(request, *holder);
    if (!how.breaks) continue;
    if (holder->breaking) {
      holder->allowed = Lower(holder->allowed, how.to);
      waits |= how.waits;
    } else if (oplock->BreakLocked(holder, how, request.modes, outcome)) {
      waits |= how.waits;
    }
  }
  return waits;
}

Status Check(POPLOCK pointer, const Request& request, void* context, POPLOCK_WAIT_COMPLETE_ROUTINE completion,
             POPLOCK_FS_PREPOST_IRP post_irp) {
  const auto oplock = LoadOplock(pointer);
  if (!oplock || oplock->granted.load(std::memory_order_acquire) == 0 ||
      request.operation == OplockOperation::kNothing)
    return STATUS_SUCCESS;
  const bool for_handles = request.operation == OplockOperation::kSharingViolation ||
                           request.operation == OplockOperation::kRename ||
                           request.operation == OplockOperation::kDelete;
  for (;;) {
    OplockOutcome outcome;
    bool waits = false;
    {
      LockGuard guard(oplock->lock);
      if (request.requires_oplock) {
        for (const OplockHolder& holder : oplock->holders)
          if (BreakOfHolder(request, holder).breaks) return STATUS_CANNOT_BREAK_OPLOCK;
        return STATUS_SUCCESS;
      }
      waits = StartBreaksLocked(oplock.get(), request, &outcome);
    }
    outcome.CarryOut();
    if (!waits) return STATUS_SUCCESS;
    if (request.complete_if_oplocked) return STATUS_OPLOCK_BREAK_IN_PROGRESS;

    // A wait for handle caching ends with any break of it; the other waits with exclusive ownership's.
    KEVENT event;
    NTSTATUS event_status = STATUS_SUCCESS;
    auto* const waiter = new OplockWaiter{oplock,     request.irp, request.file, request.use,   for_handles,
                                          completion, context,     nullptr,      &event_status, {}};
    if (completion) {
      if (post_irp) CallDriver(post_irp, context, request.irp);
      IoMarkIrpPending(request.irp);
    } else {
      ke::InitializeEvent(&event, NotificationEvent, false);
      waiter->event = &event;
    }
    enum class Now { kQueued, kFree, kCancelled } now;
    {
      LockGuard guard(oplock->lock);
      if (!oplock->IsHeldUpLocked(request.file, for_handles, request.use))
        now = Now::kFree;  // it was acknowledged meanwhile
      else
        now = oplock->QueueWaiterLocked(waiter) ? Now::kQueued : Now::kCancelled;
    }
    if (now != Now::kQueued) delete waiter;
    if (completion) {
      if (now != Now::kQueued) {
        request.irp->IoStatus.Status = now == Now::kFree ? STATUS_SUCCESS : STATUS_CANCELLED;
        request.irp->IoStatus.Information = 0;
        CallDriver(completion, context, request.irp);
      }
      return STATUS_PENDING;
    }
    if (now == Now::kCancelled) return STATUS_CANCELLED;
    if (now == Now::kQueued) {
      ke::WaitFor(&event);
      if (event_status != STATUS_SUCCESS) return event_status;
    }
    // Look again: another oplock may have been granted since.
  }
}

/// The handle is closed: its oplocks go, and with them what waits for their acknowledgement.
void CloseHolder(POPLOCK pointer, PFILE_OBJECT file) {
  const auto oplock = LoadOplock(pointer);
  if (!oplock) return;
  OplockOutcome outcome;
  {
    LockGuard guard(oplock->lock);
    if (oplock->reserved == file) oplock->reserved = nullptr;
    for (auto holder = oplock->holders.begin(); holder != oplock->holders.end();) {
      if (holder->file != file) {
        ++holder;
        continue;
      }
      const NTSTATUS status = IsLegacy(holder->kind) ? STATUS_SUCCESS : STATUS_OPLOCK_HANDLE_CLOSED;
      const bool told = oplock->TellLocked(&*holder, OplockKind::kNone, false, status, {}, &outcome);
      holder = told ? oplock->EraseLocked(holder) : std::next(holder);
    }
    oplock->WakeWaitersLocked(&outcome);
  }
  outcome.CarryOut();
}

Request RequestOf(PIRP irp, OplockOperation operation, ULONG flags) {
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  Request request{};
  request.irp = irp;
  request.file = location->FileObject;
  request.operation = operation;
  request.use = (flags & OPLOCK_FLAG_IGNORE_OPLOCK_KEYS) ? OplockKeyUse::kIgnore
                : (flags & OPLOCK_FLAG_PARENT_OBJECT)    ? OplockKeyUse::kParent
                                                         : OplockKeyUse::kTarget;
  request.complete_if_oplocked = flags & OPLOCK_FLAG_COMPLETE_IF_OPLOCKED;
  if (location->MajorFunction == IRP_MJ_CREATE) {
    const Create create = CreateOf(location);
    if (create.options & FILE_COMPLETE_IF_OPLOCKED) request.complete_if_oplocked = true;
    request.requires_oplock = (create.options & FILE_OPEN_REQUIRING_OPLOCK) && operation != OplockOperation::kChildChange;
    if (operation == OplockOperation::kSharingViolation) request.modes = {true, create.access, create.share};
  }
  return request;
}

}  // namespace

Status CheckOplockEx(POPLOCK oplock, PIRP irp, ULONG flags, void* context, POPLOCK_WAIT_COMPLETE_ROUTINE completion,
                     POPLOCK_FS_PREPOST_IRP post_irp) {
  if (irp->Flags & IRP_PAGING_IO) return STATUS_SUCCESS;
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  const PFILE_OBJECT file = location->FileObject;
  if (location->MajorFunction == IRP_MJ_CREATE) {
    if (flags & OPLOCK_FLAG_BACK_OUT_ATOMIC_OPLOCK) {
      if (const auto present = LoadOplock(oplock)) {
        LockGuard guard(present->lock);
        if (present->reserved == file) present->reserved = nullptr;
      }
      return STATUS_SUCCESS;
    }
    AttachOplockKey(irp, file);
    if (flags & OPLOCK_FLAG_OPLOCK_KEY_CHECK_ONLY) return STATUS_SUCCESS;
  }
  if ((location->MajorFunction == IRP_MJ_CLEANUP || location->MajorFunction == IRP_MJ_CLOSE) &&
      !(flags & (OPLOCK_FLAG_CLOSING_DELETE_ON_CLOSE | OPLOCK_FLAG_REMOVING_FILE_OR_LINK | OPLOCK_FLAG_PARENT_OBJECT))) {
    CloseHolder(oplock, file);
    return STATUS_SUCCESS;
  }
  return Check(oplock, RequestOf(irp, OperationOf(location, flags), flags), context, completion, post_irp);
}

Status OplockBreakH(POPLOCK oplock, PIRP irp, ULONG flags, void* context, POPLOCK_WAIT_COMPLETE_ROUTINE completion,
                    POPLOCK_FS_PREPOST_IRP post_irp) {
  if (IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_CREATE)
    AttachOplockKey(irp, IoGetCurrentIrpStackLocation(irp)->FileObject);
  return Check(oplock, RequestOf(irp, OplockOperation::kSharingViolation, flags), context, completion, post_irp);
}

Status OplockBreakToNoneEx(POPLOCK oplock, PIRP irp, ULONG flags, void* context,
                           POPLOCK_WAIT_COMPLETE_ROUTINE completion, POPLOCK_FS_PREPOST_IRP post_irp) {
  Request request = RequestOf(irp, OplockOperation::kBreakToNone, flags);
  request.requires_oplock = false;
  request.use = OplockKeyUse::kIgnore;
  return Check(oplock, request, context, completion, post_irp);
}

}  // namespace nt::fsrtl
