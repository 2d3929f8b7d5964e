// Paging I/O: the requests that mm and cc send for the pages of a file.
//
// They go to the top of the stack like any other, carry a locked MDL that stays the caller's, take no APC, and are answered
// by the event (synchronous ones) or by a call back from the completing thread.
#include "src/io/internal.h"

namespace nt::io {
namespace {

IRP* NewPagingIrp(FILE_OBJECT* file, DEVICE_OBJECT* top, UCHAR major, MDL* mdl, const LARGE_INTEGER* offset,
                  IO_STATUS_BLOCK* iosb) {
  IRP* irp = AllocateIrp(top->StackSize);
  if (!irp) return nullptr;
  irp->Flags = IRP_PAGING_IO | IRP_NOCACHE | (major == IRP_MJ_READ ? IRP_READ_OPERATION : IRP_WRITE_OPERATION);
  irp->MdlAddress = mdl;
  irp->UserBuffer = MmGetMdlVirtualAddress(mdl);
  irp->UserIosb = iosb;
  irp->RequestorMode = KernelMode;
  irp->Tail.Overlay.Thread = ke::CurrentThread()->ethread();
  irp->Tail.Overlay.OriginalFileObject = file;
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->MajorFunction = major;
  location->FileObject = file;
  location->Parameters.Read.Length = mdl->ByteCount;  // Write's fields lie at the same places
  location->Parameters.Read.ByteOffset = *offset;
  return irp;
}

void Count(UCHAR major, ULONG bytes) {
  if (!StatisticsEnabled()) [[likely]]
    return;
  auto& paging = TheStatistics().paging;
  (major == IRP_MJ_READ ? paging.reads : paging.writes).fetch_add(1, std::memory_order_relaxed);
  (major == IRP_MJ_READ ? paging.bytes_read : paging.bytes_written).fetch_add(bytes, std::memory_order_relaxed);
}

Status SendSynchronous(UCHAR major, FILE_OBJECT* file, MDL* mdl, const LARGE_INTEGER* offset, KEVENT* event,
                       IO_STATUS_BLOCK* iosb) {
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file);
  IRP* irp = NewPagingIrp(file, top, major, mdl, offset, iosb);
  if (!irp) {
    iosb->Status = STATUS_INSUFFICIENT_RESOURCES;
    iosb->Information = 0;
    ke::SetEvent(event);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  irp->Flags |= IRP_SYNCHRONOUS_PAGING_IO;
  irp->UserEvent = event;
  Count(major, mdl->ByteCount);
  return CallDriver(top, irp);
}

}  // namespace

Status PageRead(FILE_OBJECT* file, MDL* mdl, LARGE_INTEGER* offset, KEVENT* event, IO_STATUS_BLOCK* iosb) {
  mdl->MdlFlags |= MDL_IO_PAGE_READ;
  return SendSynchronous(IRP_MJ_READ, file, mdl, offset, event, iosb);
}

Status SynchronousPageWrite(FILE_OBJECT* file, MDL* mdl, LARGE_INTEGER* offset, KEVENT* event, IO_STATUS_BLOCK* iosb) {
  return SendSynchronous(IRP_MJ_WRITE, file, mdl, offset, event, iosb);
}

Status AsynchronousPageWrite(FILE_OBJECT* file, MDL* mdl, LARGE_INTEGER* offset, void (*done)(void* context), void* context,
                             IO_STATUS_BLOCK* iosb) {
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file);
  IRP* irp = NewPagingIrp(file, top, IRP_MJ_WRITE, mdl, offset, iosb);
  if (!irp) {
    iosb->Status = STATUS_INSUFFICIENT_RESOURCES;
    iosb->Information = 0;
    done(context);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  irp->Overlay.AsynchronousParameters.UserApcRoutine =
      reinterpret_cast<PIO_APC_ROUTINE>(reinterpret_cast<void*>(done));
  irp->Overlay.AsynchronousParameters.UserApcContext = context;
  Count(IRP_MJ_WRITE, mdl->ByteCount);
  return CallDriver(top, irp);
}

}  // namespace nt::io
