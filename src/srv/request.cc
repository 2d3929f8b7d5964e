#include "src/srv/request.h"

#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ke/thread.h"

namespace nt::srv {

Request::Request(FILE_OBJECT* file, UCHAR major, UCHAR minor)
    : top_(io::GetRelatedDeviceObject(file)), irp_(io::AllocateIrp(top_->StackSize)) {
  if (!irp_) return;
  irp_->RequestorMode = KernelMode;
  irp_->Flags = IRP_SYNCHRONOUS_API;
  irp_->Tail.Overlay.Thread = ke::CurrentThread()->ethread();
  irp_->Tail.Overlay.OriginalFileObject = file;
  IO_STACK_LOCATION* const next = location();
  next->MajorFunction = major;
  next->MinorFunction = minor;
  next->FileObject = file;
}

Request::~Request() {
  if (!irp_) return;
  irp_->MdlAddress = nullptr;
  irp_->Tail.Overlay.AuxiliaryBuffer = nullptr;
  io::FreeIrp(irp_);
}

Status Request::Send(IO_STATUS_BLOCK* iosb) {
  const UCHAR major = location()->MajorFunction;
  KEVENT done;
  ke::InitializeEvent(&done, NotificationEvent, false);
  PIO_COMPLETION_ROUTINE keep = [](PDEVICE_OBJECT, PIRP, PVOID context) NTIO_MS_ABI -> NTSTATUS {
    ke::SetEvent(static_cast<PKEVENT>(context));
    return STATUS_MORE_PROCESSING_REQUIRED;
  };
  IoSetCompletionRoutine(irp_, keep, &done, TRUE, TRUE, TRUE);
  io::CallDriver(top_, irp_).Ignore();  // the IRP's own status counts
  ke::WaitFor(&done);
  *iosb = irp_->IoStatus;
  io::CountRequest(major, irp_->IoStatus.Status);
  return irp_->IoStatus.Status;
}

}  // namespace nt::srv
