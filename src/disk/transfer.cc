// Reads, writes and flushes: splitting, the queue, completion through the disk's DPC. See device.h for a request's life.
//
// A request's state lies in IRP.Tail.Overlay.DriverContext, so nothing is allocated here; its list entry is
// Tail.Overlay.ListEntry. Pieces of one request may end in any order; the first failure to arrive is the request's status.
//
// The runtime's lock is never held when the host is called or a request is completed.
#include <algorithm>

#include "src/base/check.h"
#include "src/disk/device.h"
#include "src/io/io.h"
#include "src/ke/ke.h"

namespace nt::disk {
namespace {

struct RequestState {
  std::atomic<int32_t> references;  // pieces at the host, and one while pieces are left to issue
  std::atomic<int32_t> status;      // the first failure
  char* buffer;
  uint32_t issued_bytes;
  uint8_t has_cancel_routine;
  uint8_t flush_pending;            // write-through: a flush follows the data
};
static_assert(sizeof(RequestState) <= sizeof(IRP{}.Tail.Overlay.DriverContext));

RequestState& StateOf(PIRP irp) { return *reinterpret_cast<RequestState*>(irp->Tail.Overlay.DriverContext); }
PIRP IrpOf(PLIST_ENTRY entry) { return CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry); }
Device& DeviceOf(PIRP irp) {
  return *DeviceReference::ExtensionOf(IoGetCurrentIrpStackLocation(irp)->DeviceObject)->device;
}
bool IsWrite(PIRP irp) { return IoGetCurrentIrpStackLocation(irp)->MajorFunction == IRP_MJ_WRITE; }
bool IsFlush(PIRP irp) {
  const UCHAR major = IoGetCurrentIrpStackLocation(irp)->MajorFunction;
  return major == IRP_MJ_FLUSH_BUFFERS || major == IRP_MJ_SHUTDOWN;
}

void NoteFailure(PIRP irp, NTSTATUS status) {
  int32_t none = STATUS_SUCCESS;
  StateOf(irp).status.compare_exchange_strong(none, status, std::memory_order_relaxed);
}

}  // namespace

struct Disk::Piece {
  PIRP irp;
  Device* device;
  bool write;
  uint64_t offset;  // on the device
  char* buffer;
  uint32_t bytes;
};

/// Entry points with a foreign calling convention.
struct TransferCallbacks {
  /// Takes the cancel spin lock over from IoCancelIrp. The request waits in the queue, or Pump has just taken it out because
  /// this routine was on its way; then its entry points to itself.
  static VOID NTAPI Cancel(PDEVICE_OBJECT object, PIRP irp) {
    io::ReleaseCancelSpinLock(irp->CancelIrql);
    Disk& disk = DeviceReference::ExtensionOf(object)->device->disk();
    {
      LockGuard guard(disk.lock_);
      RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    }
    irp->IoStatus.Status = STATUS_CANCELLED;
    irp->IoStatus.Information = 0;
    io::CompleteRequest(irp, IO_NO_INCREMENT);
    ReleaseDevice(object);
  }

  static void PieceDone(void* context, host::Error error, size_t bytes) {
    auto* irp = static_cast<PIRP>(context);
    const bool write = IsWrite(irp);
    NTSTATUS status = STATUS_SUCCESS;
    if (error != 0)
      status = StatusFromErrno(error, write);
    else if (bytes == 0 || !IsWhole(irp, bytes))
      status = STATUS_IO_DEVICE_ERROR;  // the image became shorter while it was in use
    DeviceOf(irp).disk().PieceDone(irp, status);
  }

  static void FlushDone(void* context, host::Error error, size_t) {
    auto* irp = static_cast<PIRP>(context);
    if (error != 0) NoteFailure(irp, StatusFromErrno(error, true));
    DeviceOf(irp).disk().Finished(irp);
  }

 private:
  /// A transfer is short only at the end of the file. All pieces but the last have the full size; the last is told by its size.
  static bool IsWhole(PIRP irp, size_t bytes) {
    const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length;
    const uint32_t limit = DeviceOf(irp).disk().options().max_transfer_bytes;
    if (limit == 0 || length <= limit) return bytes == length;
    return bytes == limit || bytes == length % limit;
  }
};

void Disk::StartTransfer(PIRP irp, char* buffer) {
  auto* state = new (irp->Tail.Overlay.DriverContext) RequestState{};
  state->references = 1;
  state->buffer = buffer;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  state->flush_pending = IsWrite(irp) && (location->Flags & SL_WRITE_THROUGH) != 0;
  // Pump may complete the request, and another thread may then remove the disk.
  DeviceReference alive = DeviceReference::Share(location->DeviceObject);
  if (Enqueue(irp)) Pump();
}

/// Returns false when the request was cancelled already and is completed.
bool Disk::Enqueue(PIRP irp) {
  RequestState& state = StateOf(irp);
  bool cancelled = false;
  {
    LockGuard guard(lock_);
    if (!IsListEmpty(&queue_) || in_flight_ >= options_.queue_depth) {
      // It has to wait, so it can be cancelled. Should IoCancelIrp have come first, nobody calls the routine: it is ours again.
      state.has_cancel_routine = true;
      IoSetCancelRoutine(irp, TransferCallbacks::Cancel);
      cancelled = irp->Cancel && IoSetCancelRoutine(irp, nullptr) != nullptr;
    }
    if (!cancelled) InsertTailList(&queue_, &irp->Tail.Overlay.ListEntry);
  }
  if (cancelled) {
    NoteFailure(irp, STATUS_CANCELLED);
    state.flush_pending = false;
    DropReference(irp);
  }
  return !cancelled;
}

/// Hands pieces to the host while there is room.
void Disk::Pump() {
  file_->BeginBatch();
  for (;;) {
    Piece piece;
    bool any;
    {
      LockGuard guard(lock_);
      any = NextPiece(&piece);
    }
    if (!any) break;
    if (piece.bytes == 0) {  // nothing more to issue: cancelled, or the request failed meanwhile
      DropReference(piece.irp);
      continue;
    }
    // The request may be gone once the piece is issued, unless it is refused here.
    if (Status status = Issue(piece); status != STATUS_SUCCESS) {
      {
        LockGuard guard(lock_);
        in_flight_--;
      }
      NoteFailure(piece.irp, status);
      DropReference(piece.irp);
    }
  }
  file_->EndBatch();
}

/// Takes the next piece off the queue. bytes == 0: the caller drops the request's own reference.
bool Disk::NextPiece(Piece* piece) {
  while (in_flight_ < options_.queue_depth && !IsListEmpty(&queue_)) {
    PIRP irp = IrpOf(queue_.Flink);
    RequestState& state = StateOf(irp);
    if (state.has_cancel_routine) {
      state.has_cancel_routine = false;
      if (IoSetCancelRoutine(irp, nullptr) == nullptr) {
        // Its cancel routine runs and will complete it. Leave an entry that can be removed again.
        RemoveEntryList(&irp->Tail.Overlay.ListEntry);
        InitializeListHead(&irp->Tail.Overlay.ListEntry);
        continue;
      }
    }
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    const uint32_t length = location->Parameters.Read.Length;
    *piece = {};
    piece->irp = irp;
    if (irp->Cancel) NoteFailure(irp, STATUS_CANCELLED);
    if (state.status.load(std::memory_order_relaxed) != STATUS_SUCCESS || state.issued_bytes == length) {
      RemoveEntryList(&irp->Tail.Overlay.ListEntry);
      return true;
    }
    uint32_t bytes = length - state.issued_bytes;
    if (options_.max_transfer_bytes != 0) bytes = std::min(bytes, options_.max_transfer_bytes);
    piece->device = &DeviceOf(irp);
    piece->write = location->MajorFunction == IRP_MJ_WRITE;
    piece->offset = static_cast<uint64_t>(location->Parameters.Read.ByteOffset.QuadPart) + state.issued_bytes;
    piece->buffer = state.buffer + state.issued_bytes;
    piece->bytes = bytes;
    state.issued_bytes += bytes;
    in_flight_++;
    if (state.issued_bytes == length)
      RemoveEntryList(&irp->Tail.Overlay.ListEntry);  // the request's own reference becomes the piece's
    else
      state.references.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

Status Disk::Issue(const Piece& piece) {
  NTSTATUS status =
      piece.device->Inject(piece.write ? Operation::kWrite : Operation::kRead, piece.offset, piece.bytes);
  if (status != STATUS_SUCCESS) return status;
  const uint64_t offset = piece.device->start() + piece.offset;
  if (piece.write)
    file_->WriteAsync(offset, piece.buffer, piece.bytes, TransferCallbacks::PieceDone, piece.irp);
  else
    file_->ReadAsync(offset, piece.buffer, piece.bytes, TransferCallbacks::PieceDone, piece.irp);
  return STATUS_SUCCESS;
}

/// On a host thread, outside the machine.
void Disk::PieceDone(PIRP irp, NTSTATUS status) {
  if (status != STATUS_SUCCESS) NoteFailure(irp, status);
  bool more;
  {
    LockGuard guard(lock_);
    in_flight_--;
    more = !IsListEmpty(&queue_);
  }
  if (more) Pump();  // before the completion, so that the disk stays busy
  DropReference(irp);
}

void Disk::DropReference(PIRP irp) {
  RequestState& state = StateOf(irp);
  if (state.references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (state.flush_pending && state.status.load(std::memory_order_relaxed) == STATUS_SUCCESS) {
    state.flush_pending = false;
    file_->FlushAsync(TransferCallbacks::FlushDone, irp);
    return;
  }
  Finished(irp);
}

void Disk::StartFlush(PIRP irp) {
  new (irp->Tail.Overlay.DriverContext) RequestState{};
  PDEVICE_OBJECT object = IoGetCurrentIrpStackLocation(irp)->DeviceObject;
  DeviceReference alive = DeviceReference::Share(object);
  const NTSTATUS status = DeviceOf(irp).Inject(Operation::kFlush, 0, 0);
  if (status == STATUS_SUCCESS) {
    file_->FlushAsync(TransferCallbacks::FlushDone, irp);
    return;
  }
  NoteFailure(irp, status);
  Finished(irp);
}

/// Puts the request where the DPC finds it. Called on a host thread, or by a dispatch routine.
void Disk::Finished(PIRP irp) {
  const NTSTATUS status = StateOf(irp).status.load(std::memory_order_acquire);
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = NT_SUCCESS(status) && !IsFlush(irp) ? StateOf(irp).issued_bytes : 0;
  // A DPC that runs already can complete the request as soon as it is in the list; the device has to outlast the insertion.
  PDEVICE_OBJECT object = IoGetCurrentIrpStackLocation(irp)->DeviceObject;
  DeviceReference alive = DeviceReference::Share(object);
  {
    LockGuard guard(lock_);
    InsertTailList(&done_, &irp->Tail.Overlay.ListEntry);
  }
  auto queue_dpc = [this] {
    ke::InsertQueueDpc(&raw_->object()->Dpc, nullptr, nullptr);  // false: queued before, and will find the request
  };
  if (ke::Thread* thread = ke::CurrentThreadOrNull(); thread && (thread->system_thread || thread->service_depth > 0)) {
    queue_dpc();
    return;
  }
  // A machine that bug-checked completes nothing any more.
  ke::CallIntoMachine([&queue_dpc] {
    ke::ServiceScope scope(nullptr, KernelMode);
    queue_dpc();
  });
}

/// DISPATCH_LEVEL. Takes all at once: with the last reference of the last request the disk may go.
void Disk::RunDpc() {
  LIST_ENTRY done;
  InitializeListHead(&done);
  {
    LockGuard guard(lock_);
    while (!IsListEmpty(&done_)) InsertTailList(&done, RemoveHeadList(&done_));
  }
  while (!IsListEmpty(&done)) {
    PIRP irp = IrpOf(RemoveHeadList(&done));
    PDEVICE_OBJECT object = IoGetCurrentIrpStackLocation(irp)->DeviceObject;
    io::CompleteRequest(irp, IO_DISK_INCREMENT);
    ReleaseDevice(object);
  }
}

Status Disk::Verify(Device& device, uint64_t offset, uint64_t bytes) {
  struct Waiter {
    std::atomic<uint32_t> done{0};
    host::Error error = 0;
    size_t bytes = 0;
    static void Complete(void* context, host::Error error, size_t bytes) {
      auto* self = static_cast<Waiter*>(context);
      self->error = error;
      self->bytes = bytes;
      self->done.store(1, std::memory_order_release);
      host::WakeAddress(&self->done, 1);
    }
  };
  std::vector<char> scratch(std::min<uint64_t>(bytes, 256 * 1024));
  while (bytes > 0) {
    const auto piece = static_cast<uint32_t>(std::min<uint64_t>(bytes, scratch.size()));
    if (NTSTATUS injected = device.Inject(Operation::kRead, offset, piece); injected != STATUS_SUCCESS) return injected;
    Waiter waiter;
    file_->ReadAsync(device.start() + offset, scratch.data(), piece, Waiter::Complete, &waiter);
    while (waiter.done.load(std::memory_order_acquire) == 0) host::WaitOnAddress(&waiter.done, 0, host::kForever);
    if (waiter.error != 0) return StatusFromErrno(waiter.error, false);
    if (waiter.bytes != piece) return STATUS_IO_DEVICE_ERROR;
    offset += piece;
    bytes -= piece;
  }
  return STATUS_SUCCESS;
}

}  // namespace nt::disk
