// FILE_LOCK: the byte-range lock package as file systems see it. The locks themselves are in LockTable.
#include "src/ex/ex.h"
#include "src/fsrtl/lock_table.h"
#include "src/io/io.h"
#include "src/ldr/export.h"
#include "src/ps/ps.h"

namespace nt::fsrtl {
namespace {

/// A reference, or null while there never was a lock.
RefPtr<LockTable> TableOf(PFILE_LOCK lock) {
  return RefPtr<LockTable>::Share(static_cast<LockTable*>(__atomic_load_n(&lock->LockInformation, __ATOMIC_ACQUIRE)));
}

RefPtr<LockTable> MakeTable(PFILE_LOCK lock) {
  if (auto table = TableOf(lock)) return table;
  auto* const fresh = new LockTable(lock->CompleteLockIrpRoutine, lock->UnlockRoutine);
  void* none = nullptr;
  if (!__atomic_compare_exchange_n(&lock->LockInformation, &none, static_cast<void*>(fresh), false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE))
    fresh->ReleaseRef();
  return TableOf(lock);
}

/// Requests that are being worked on count for FsRtlAreThereCurrentOrInProgressFileLocks.
class InProgress {
 public:
  explicit InProgress(PFILE_LOCK lock) : lock_(lock) {
    __atomic_fetch_add(&lock_->LockRequestsInProgress, 1, __ATOMIC_SEQ_CST);
  }
  ~InProgress() { __atomic_fetch_sub(&lock_->LockRequestsInProgress, 1, __ATOMIC_SEQ_CST); }
  InProgress(const InProgress&) = delete;
  InProgress& operator=(const InProgress&) = delete;

 private:
  PFILE_LOCK const lock_;
};

bool Wraps(LONGLONG offset, LONGLONG length) {
  return length != 0 &&
         static_cast<uint64_t>(offset) + (static_cast<uint64_t>(length) - 1) < static_cast<uint64_t>(offset);
}

void SetStatus(PIO_STATUS_BLOCK io_status, NTSTATUS status) {
  io_status->Status = status;
  io_status->Information = 0;
}

Status CompleteIrp(PFILE_LOCK lock, PIRP irp, void* context, NTSTATUS status) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = 0;
  if (lock->CompleteLockIrpRoutine) return CallDriver(lock->CompleteLockIrpRoutine, context, irp);
  io::CompleteRequest(irp, IO_DISK_INCREMENT);
  return status;
}

}  // namespace

void InitializeFileLock(PFILE_LOCK lock, PCOMPLETE_LOCK_IRP_ROUTINE complete_routine, PUNLOCK_ROUTINE unlock_routine) {
  *lock = {};
  lock->CompleteLockIrpRoutine = complete_routine;
  lock->UnlockRoutine = unlock_routine;
}

void UninitializeFileLock(PFILE_LOCK lock) {
  auto* const table = static_cast<LockTable*>(__atomic_exchange_n(&lock->LockInformation, nullptr, __ATOMIC_ACQ_REL));
  if (!table) return;
  table->Close();
  table->ReleaseRef();
}

PFILE_LOCK AllocateFileLock(PCOMPLETE_LOCK_IRP_ROUTINE complete_routine, PUNLOCK_ROUTINE unlock_routine) {
  auto* const lock = static_cast<PFILE_LOCK>(ex::AllocatePoolWithTag(PagedPool, sizeof(FILE_LOCK), 'lFsF'));
  if (lock) InitializeFileLock(lock, complete_routine, unlock_routine);
  return lock;
}

void FreeFileLock(PFILE_LOCK lock) {
  UninitializeFileLock(lock);
  ex::FreePool(lock);
}

bool PrivateLock(PFILE_LOCK lock, PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length, PEPROCESS process,
                 ULONG key, bool fail_immediately, bool exclusive, PIO_STATUS_BLOCK io_status, PIRP irp, void* context,
                 bool already_synchronized) {
  static_cast<void>(already_synchronized);
  InProgress in_progress(lock);
  if (Wraps(offset->QuadPart, length->QuadPart)) {
    SetStatus(io_status, STATUS_INVALID_LOCK_RANGE);
    if (irp) CompleteIrp(lock, irp, context, STATUS_INVALID_LOCK_RANGE).Ignore();  // no lock to take back
    return true;
  }
  const RefPtr<LockTable> table = MakeTable(lock);
  const ByteLock wanted{LockRange::Of(offset->QuadPart, length->QuadPart), {file, process, key}, exclusive};
  uint64_t id = 0;
  switch (table->Add(wanted, fail_immediately ? nullptr : irp, context, &id)) {
    case LockTable::Answer::kGranted:
      lock->FastIoIsQuestionable = TRUE;
      SetStatus(io_status, STATUS_SUCCESS);
      if (irp) {
        const Status status = CompleteIrp(lock, irp, context, STATUS_SUCCESS);
        io_status->Status = status;
        if (!status.ok()) table->Withdraw(id);
      }
      return true;
    case LockTable::Answer::kConflict:
      if (!fail_immediately) return false;  // an IRP has to wait
      SetStatus(io_status, STATUS_LOCK_NOT_GRANTED);
      if (irp) CompleteIrp(lock, irp, context, STATUS_LOCK_NOT_GRANTED).Ignore();  // no lock to take back
      return true;
    case LockTable::Answer::kCancelled:
      CompleteIrp(lock, irp, context, STATUS_CANCELLED).Ignore();  // no lock to take back
      break;
    case LockTable::Answer::kPending:
      break;
  }
  SetStatus(io_status, STATUS_PENDING);
  return true;
}

Status ProcessFileLock(PFILE_LOCK lock, PIRP irp, void* context) {
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  const auto& parameters = location->Parameters.LockControl;
  const PFILE_OBJECT file = location->FileObject;
  const PEPROCESS process = io::GetRequestorProcess(irp);
  LARGE_INTEGER offset = parameters.ByteOffset;
  Status status;
  switch (location->MinorFunction) {
    case IRP_MN_LOCK: {
      IO_STATUS_BLOCK io_status{};
      LARGE_INTEGER length = *parameters.Length;
      PrivateLock(lock, file, &offset, &length, process, parameters.Key, location->Flags & SL_FAIL_IMMEDIATELY,
                  location->Flags & SL_EXCLUSIVE_LOCK, &io_status, irp, context, false);
      return io_status.Status;
    }
    case IRP_MN_UNLOCK_SINGLE: {
      LARGE_INTEGER length = *parameters.Length;
      status = FastUnlockSingle(lock, file, &offset, &length, process, parameters.Key, context, false);
      break;
    }
    case IRP_MN_UNLOCK_ALL:
      status = FastUnlockAll(lock, file, process, context);
      break;
    case IRP_MN_UNLOCK_ALL_BY_KEY:
      status = FastUnlockAllByKey(lock, file, process, parameters.Key, context);
      break;
    default:
      status = STATUS_INVALID_DEVICE_REQUEST;
      break;
  }
  CompleteIrp(lock, irp, context, status).Ignore();  // the result of an unlock stands
  return status;
}

Status FastUnlockSingle(PFILE_LOCK lock, PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length,
                        PEPROCESS process, ULONG key, void* context, bool already_synchronized) {
  static_cast<void>(already_synchronized);
  if (Wraps(offset->QuadPart, length->QuadPart)) return STATUS_INVALID_LOCK_RANGE;
  const auto table = TableOf(lock);
  if (!table) return STATUS_RANGE_NOT_LOCKED;
  return table->RemoveOne(LockRange::Of(offset->QuadPart, length->QuadPart), {file, process, key}, context);
}

Status FastUnlockAll(PFILE_LOCK lock, PFILE_OBJECT file, PEPROCESS process, void* context) {
  const auto table = TableOf(lock);
  if (!table) return STATUS_RANGE_NOT_LOCKED;
  return table->RemoveAll(file, process, nullptr, context);
}

Status FastUnlockAllByKey(PFILE_LOCK lock, PFILE_OBJECT file, PEPROCESS process, ULONG key, void* context) {
  const auto table = TableOf(lock);
  if (!table) return STATUS_RANGE_NOT_LOCKED;
  return table->RemoveAll(file, process, &key, context);
}

bool FastCheckLockForRead(PFILE_LOCK lock, PLARGE_INTEGER offset, PLARGE_INTEGER length, ULONG key, PFILE_OBJECT file,
                          void* process) {
  auto* const table = static_cast<LockTable*>(__atomic_load_n(&lock->LockInformation, __ATOMIC_ACQUIRE));
  if (!table || table->Empty() || length->QuadPart == 0) return true;
  return table->MayRead(LockRange::Of(offset->QuadPart, length->QuadPart), {file, process, key});
}

bool FastCheckLockForWrite(PFILE_LOCK lock, PLARGE_INTEGER offset, PLARGE_INTEGER length, ULONG key, void* file,
                           void* process) {
  auto* const table = static_cast<LockTable*>(__atomic_load_n(&lock->LockInformation, __ATOMIC_ACQUIRE));
  if (!table || table->Empty() || length->QuadPart == 0) return true;
  return table->MayWrite(LockRange::Of(offset->QuadPart, length->QuadPart),
                         {static_cast<PFILE_OBJECT>(file), process, key});
}

bool CheckLockForReadAccess(PFILE_LOCK lock, PIRP irp) {
  if (!lock->LockInformation) return true;
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  LARGE_INTEGER offset = location->Parameters.Read.ByteOffset;
  LARGE_INTEGER length;
  length.QuadPart = location->Parameters.Read.Length;
  return FastCheckLockForRead(lock, &offset, &length, location->Parameters.Read.Key, location->FileObject,
                              io::GetRequestorProcess(irp));
}

bool CheckLockForWriteAccess(PFILE_LOCK lock, PIRP irp) {
  if (!lock->LockInformation) return true;
  const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  LARGE_INTEGER offset = location->Parameters.Write.ByteOffset;
  LARGE_INTEGER length;
  length.QuadPart = location->Parameters.Write.Length;
  return FastCheckLockForWrite(lock, &offset, &length, location->Parameters.Write.Key, location->FileObject,
                               io::GetRequestorProcess(irp));
}

bool CheckLockForOplockRequest(PFILE_LOCK lock, PLARGE_INTEGER allocation_size) {
  const auto table = TableOf(lock);
  if (!table || table->Empty()) return true;
  // Locks past what is allocated cannot collide with cached data.
  return !table->AnyBelow(static_cast<uint64_t>(allocation_size->QuadPart));
}

PFILE_LOCK_INFO GetNextFileLock(PFILE_LOCK lock, bool restart) {
  const auto table = TableOf(lock);
  if (!table) return nullptr;
  const auto last = restart ? 0 : reinterpret_cast<uint64_t>(lock->LastReturnedLock);
  const uint64_t id = table->Next(last, &lock->LastReturnedLockInfo);
  if (id == 0) return nullptr;
  lock->LastReturnedLock = reinterpret_cast<void*>(id);
  return &lock->LastReturnedLockInfo;
}

bool AreThereCurrentOrInProgressFileLocks(PFILE_LOCK lock) {
  if (__atomic_load_n(&lock->LockRequestsInProgress, __ATOMIC_SEQ_CST) != 0) return true;
  const auto table = TableOf(lock);
  return table && !table->Empty();
}

bool AreThereWaitingFileLocks(PFILE_LOCK lock) {
  const auto table = TableOf(lock);
  return table && table->AnyWaiting();
}

}  // namespace nt::fsrtl
