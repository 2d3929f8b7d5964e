// Requests to the storage device: IRPs of our own, one for each run of a stream, waited for together.
#include "fat.h"

namespace fat {
namespace {

constexpr ULONG kBounceBytes = 64 * 1024;

struct AsyncTransfer;
void FinishAsync(AsyncTransfer* transfer);

/// Requests in flight for one transfer; lives on the waiting thread's stack, or is an AsyncTransfer.
struct Transfer {
  KEVENT done;
  LONG outstanding;  // one more than the requests, until Finish
  LONG status;
  AsyncTransfer* async;

  explicit Transfer(AsyncTransfer* whole = nullptr) : outstanding(1), status(STATUS_SUCCESS), async(whole) {
    if (async == nullptr) KeInitializeEvent(&done, NotificationEvent, FALSE);
  }
  void Fail(NTSTATUS error) { InterlockedCompareExchange(&status, error, STATUS_SUCCESS); }
  void Drop() {
    if (InterlockedDecrement(&outstanding) != 0) return;
    if (async != nullptr) {
      FinishAsync(async);
    } else {
      KeSetEvent(&done, IO_DISK_INCREMENT, FALSE);
    }
  }
  NTSTATUS Finish() {
    if (InterlockedDecrement(&outstanding) != 0) {
      KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, nullptr);
    }
    return status;
  }
};

/// A transfer that completes a request of its own accord (nonpaged pool).
struct AsyncTransfer {
  Transfer transfer;
  PIRP irp;
  UCHAR* buffer;  // mapped, where bytes have to be zeroed
  ERESOURCE* resource;
  ERESOURCE_THREAD owner;
  AsyncEnd end;
};

/// The last run is done. At DISPATCH_LEVEL or below, in whatever thread.
void FinishAsync(AsyncTransfer* async) {
  PIRP irp = async->irp;
  const NTSTATUS status = async->transfer.status;
  const AsyncEnd& end = async->end;
  irp->IoStatus.Information = 0;
  if (NT_SUCCESS(status)) {
    if (end.zero_from < end.zero_to) RtlZeroMemory(async->buffer + end.zero_from, end.zero_to - end.zero_from);
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    if (end.file_flags != 0)
      InterlockedOr(reinterpret_cast<volatile LONG*>(&file->Flags), static_cast<LONG>(end.file_flags));
    irp->IoStatus.Information = end.information;
  }
  ExReleaseResourceForThreadLite(async->resource, async->owner);
  FreePool(async);
  CompleteIrp(irp, status);
}

NTSTATUS NTAPI RunComplete(PDEVICE_OBJECT, PIRP irp, PVOID context) {
  Transfer* transfer = static_cast<Transfer*>(context);
  if (!NT_SUCCESS(irp->IoStatus.Status)) transfer->Fail(irp->IoStatus.Status);
  IoFreeMdl(irp->MdlAddress);
  irp->MdlAddress = nullptr;
  IoFreeIrp(irp);
  transfer->Drop();
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/// Sends `length` bytes; takes ownership of `mdl`, which describes exactly them.
void Send(Transfer& transfer, PDEVICE_OBJECT target, UCHAR major, LONGLONG offset, ULONG length, PMDL mdl,
          bool write_through) {
  PIRP irp = IoAllocateIrp(target->StackSize, FALSE);
  if (irp == nullptr) {
    IoFreeMdl(mdl);
    transfer.Fail(STATUS_INSUFFICIENT_RESOURCES);
    return;
  }
  irp->MdlAddress = mdl;
  irp->RequestorMode = KernelMode;
  irp->Tail.Overlay.Thread = PsGetCurrentThread();
  PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
  next->MajorFunction = major;
  next->Flags = SL_OVERRIDE_VERIFY_VOLUME | (write_through ? SL_WRITE_THROUGH : 0);
  if (major == IRP_MJ_READ) {
    next->Parameters.Read.Length = length;
    next->Parameters.Read.ByteOffset.QuadPart = offset;
  } else {
    next->Parameters.Write.Length = length;
    next->Parameters.Write.ByteOffset.QuadPart = offset;
  }
  IoSetCompletionRoutine(irp, RunComplete, &transfer, TRUE, TRUE, TRUE);
  InterlockedIncrement(&transfer.outstanding);
  IoCallDriver(target, irp);
}

void SendPart(Transfer& transfer, PDEVICE_OBJECT target, UCHAR major, LONGLONG offset, ULONG length, PMDL whole,
              ULONG whole_offset, bool write_through) {
  UCHAR* address = static_cast<UCHAR*>(MmGetMdlVirtualAddress(whole)) + whole_offset;
  PMDL mdl = IoAllocateMdl(address, length, FALSE, FALSE, nullptr);
  if (mdl == nullptr) {
    transfer.Fail(STATUS_INSUFFICIENT_RESOURCES);
    return;
  }
  IoBuildPartialMdl(whole, mdl, address, length);
  Send(transfer, target, major, offset, length, mdl, write_through);
}

/// What is written to the first FAT goes to its copies too.
void SendMirrors(Transfer& transfer, const Vcb& vcb, LONGLONG offset, ULONG length, PMDL mdl, ULONG mdl_offset,
                 bool write_through) {
  const Geometry& geometry = vcb.geometry;
  const LONGLONG from = Max(offset, geometry.fat_base);
  const LONGLONG to = Min(offset + length, geometry.fat_base + geometry.fat_bytes);
  if (!geometry.mirrored || from >= to) return;
  for (ULONG copy = 1; copy < geometry.fat_count; ++copy) {
    SendPart(transfer, vcb.target, IRP_MJ_WRITE, from + copy * geometry.fat_bytes, static_cast<ULONG>(to - from), mdl,
             mdl_offset + static_cast<ULONG>(from - offset), write_through);
  }
}

void SendRuns(Transfer& transfer, Fcb& fcb, UCHAR major, LONGLONG offset, ULONG length, PMDL mdl, ULONG mdl_offset,
              bool write_through) {
  Vcb& vcb = *fcb.vcb;
  const ULONG whole = length;
  ULONG runs = 0;
  while (length != 0) {
    LONGLONG disk_offset;
    ULONG run;
    const NTSTATUS status = LookupRun(fcb, offset, length, &disk_offset, &run);
    if (!NT_SUCCESS(status)) {
      transfer.Fail(status);
      break;
    }
    SendPart(transfer, vcb.target, major, disk_offset, run, mdl, mdl_offset, write_through);
    ++runs;
    if (fcb.kind == FcbKind::kVolume && major == IRP_MJ_WRITE) {
      SendMirrors(transfer, vcb, offset, run, mdl, mdl_offset, write_through);
    }
    if (transfer.status != STATUS_SUCCESS) break;
    offset += run;
    mdl_offset += run;
    length -= run;
  }
  CountTransfer(fcb, major, whole - length, runs);
}

NTSTATUS NTAPI IoctlComplete(PDEVICE_OBJECT, PIRP, PVOID event) {
  KeSetEvent(static_cast<PKEVENT>(event), IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

}  // namespace

NTSTATUS TransferDisk(PDEVICE_OBJECT target, UCHAR major, LONGLONG offset, ULONG length, PVOID buffer) {
  PMDL mdl = IoAllocateMdl(buffer, length, FALSE, FALSE, nullptr);
  if (mdl == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  MmBuildMdlForNonPagedPool(mdl);
  Transfer transfer;
  Send(transfer, target, major, offset, length, mdl, false);
  return transfer.Finish();
}

NTSTATUS TransferDevice(PDEVICE_OBJECT target, UCHAR major, LONGLONG offset, ULONG length, PMDL mdl,
                        bool write_through) {
  Transfer transfer;
  SendPart(transfer, target, major, offset, length, mdl, 0, write_through);
  return transfer.Finish();
}

NTSTATUS TransferStream(Fcb& fcb, UCHAR major, LONGLONG offset, ULONG length, PMDL mdl, ULONG mdl_offset,
                        bool write_through) {
  Transfer transfer;
  SendRuns(transfer, fcb, major, offset, length, mdl, mdl_offset, write_through);
  return transfer.Finish();
}

NTSTATUS TransferAsync(IrpContext& context, Fcb& fcb, LONGLONG offset, ULONG length, ResourceGuard& guard,
                       const AsyncEnd& end) {
  PIRP irp = context.irp;
  AsyncTransfer* async = static_cast<AsyncTransfer*>(AllocateNonPaged(sizeof(AsyncTransfer)));
  if (async == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  async->transfer = Transfer(async);
  async->irp = irp;
  async->end = end;
  PVOID buffer = nullptr;
  if (end.zero_from < end.zero_to) {
    const NTSTATUS status = MapUserBuffer(irp, &buffer);
    if (!NT_SUCCESS(status)) {
      FreePool(async);
      return status;
    }
  }
  async->buffer = static_cast<UCHAR*>(buffer);
  // Who sends paging I/O may hold the resource itself, so what this thread has of it cannot change hands.
  async->owner = context.paging() ? ExGetCurrentResourceThread() : (reinterpret_cast<ERESOURCE_THREAD>(async) | 3);
  async->resource = guard.HandOver(async->owner);
  const UCHAR major = context.major;
  const bool write_through = context.write_through;
  const bool device = fcb.kind == FcbKind::kVolume && !context.paging();
  PMDL mdl = irp->MdlAddress;
  PDEVICE_OBJECT target = fcb.vcb->target;
  IoMarkIrpPending(irp);
  // The IRP, and with it the file, stay until the count of one that is ours is dropped.
  if (device) {
    SendPart(async->transfer, target, major, offset, length, mdl, 0, write_through);
  } else {
    SendRuns(async->transfer, fcb, major, offset, length, mdl, 0, write_through);
  }
  async->transfer.Drop();
  return STATUS_PENDING;
}

NTSTATUS TransferStreamUnaligned(Fcb& fcb, UCHAR major, LONGLONG offset, ULONG length, PVOID buffer) {
  const ULONG sector = fcb.vcb->geometry.sector_bytes;
  PoolBuffer bounce(AllocateNonPaged(kBounceBytes));
  if (!bounce) return STATUS_INSUFFICIENT_RESOURCES;
  PMDL mdl = IoAllocateMdl(bounce.As<void>(), kBounceBytes, FALSE, FALSE, nullptr);
  if (mdl == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  MmBuildMdlForNonPagedPool(mdl);

  NTSTATUS status = STATUS_SUCCESS;
  UCHAR* user = static_cast<UCHAR*>(buffer);
  while (length != 0 && NT_SUCCESS(status)) {
    const ULONG skip = static_cast<ULONG>(offset & (sector - 1));
    const ULONG part = Min(length, kBounceBytes - skip);
    const ULONG whole = (skip + part + sector - 1) & ~(sector - 1);
    const LONGLONG start = offset - skip;
    if (major == IRP_MJ_READ || whole != part) {
      status = TransferStream(fcb, IRP_MJ_READ, start, whole, mdl, 0, false);
    }
    if (NT_SUCCESS(status)) {
      if (major == IRP_MJ_READ) {
        RtlCopyMemory(user, bounce.As<UCHAR>() + skip, part);
      } else {
        RtlCopyMemory(bounce.As<UCHAR>() + skip, user, part);
        status = TransferStream(fcb, IRP_MJ_WRITE, start, whole, mdl, 0, false);
      }
    }
    offset += part;
    user += part;
    length -= part;
  }
  IoFreeMdl(mdl);
  return status;
}

NTSTATUS ZeroStreamOnDisk(Fcb& fcb, LONGLONG from, LONGLONG to) {
  const ULONG chunk = kBounceBytes;
  PoolBuffer zeroes(AllocatePaged(chunk));
  if (!zeroes) return STATUS_INSUFFICIENT_RESOURCES;
  RtlZeroMemory(zeroes.As<void>(), chunk);
  while (from < to) {
    const ULONG part = static_cast<ULONG>(Min(to - from, static_cast<LONGLONG>(chunk)));
    FAT_TRY_STATUS(TransferStreamUnaligned(fcb, IRP_MJ_WRITE, from, part, zeroes.As<void>()));
    from += part;
  }
  return STATUS_SUCCESS;
}

NTSTATUS ZeroCluster(Vcb& vcb, ULONG cluster) {
  const ULONG chunk = Min(vcb.geometry.cluster_bytes, kBounceBytes);
  PoolBuffer zeroes(AllocateNonPaged(chunk));
  if (!zeroes) return STATUS_INSUFFICIENT_RESOURCES;
  RtlZeroMemory(zeroes.As<void>(), chunk);
  for (ULONG done = 0; done < vcb.geometry.cluster_bytes; done += chunk) {
    FAT_TRY_STATUS(
        TransferDisk(vcb.target, IRP_MJ_WRITE, ClusterOffset(vcb, cluster) + done, chunk, zeroes.As<void>()));
  }
  return STATUS_SUCCESS;
}

NTSTATUS DeviceIoControl(PDEVICE_OBJECT target, ULONG code, PVOID in, ULONG in_bytes, PVOID out, ULONG out_bytes,
                         ULONG_PTR* information) {
  KEVENT event;
  IO_STATUS_BLOCK iosb;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  PIRP irp = IoBuildDeviceIoControlRequest(code, target, in, in_bytes, out, out_bytes, FALSE, &event, &iosb);
  if (irp == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  IoGetNextIrpStackLocation(irp)->Flags |= SL_OVERRIDE_VERIFY_VOLUME;
  NTSTATUS status = IoCallDriver(target, irp);
  if (status == STATUS_PENDING) {
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr);
    status = iosb.Status;
  }
  if (information != nullptr) *information = NT_SUCCESS(status) ? iosb.Information : 0;
  return status;
}

NTSTATUS FlushDisk(Vcb& vcb) {
  KEVENT event;
  PIRP irp = IoAllocateIrp(vcb.target->StackSize, FALSE);
  if (irp == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  irp->Tail.Overlay.Thread = PsGetCurrentThread();
  IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
  IoSetCompletionRoutine(irp, IoctlComplete, &event, TRUE, TRUE, TRUE);
  IoCallDriver(vcb.target, irp);
  KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr);
  const NTSTATUS status = irp->IoStatus.Status;
  IoFreeIrp(irp);
  // A device without a write cache need not know the request.
  return status == STATUS_INVALID_DEVICE_REQUEST || status == STATUS_NOT_IMPLEMENTED ? STATUS_SUCCESS : status;
}

}  // namespace fat
