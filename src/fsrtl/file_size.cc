// The size of a file by its file object, for Mm and the cache manager. Takes no lock of the file object: the caller may hold it.
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/header_lock.h"

namespace nt::fsrtl {
namespace {

/// FileStandardInformation by an IRP marked as paging I/O, which file systems answer without user locks.
Status QueryByIrp(PFILE_OBJECT file, PDEVICE_OBJECT top, FILE_STANDARD_INFORMATION* information) {
  IRP* const irp = io::AllocateIrp(top->StackSize);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  irp->RequestorMode = KernelMode;
  irp->Flags = IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO;
  irp->Tail.Overlay.Thread = ke::CurrentThread()->ethread();
  irp->Tail.Overlay.OriginalFileObject = file;
  irp->AssociatedIrp.SystemBuffer = information;
  PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
  location->MajorFunction = IRP_MJ_QUERY_INFORMATION;
  location->FileObject = file;
  location->DeviceObject = top;
  location->Parameters.QueryFile.FileInformationClass = FileStandardInformation;
  location->Parameters.QueryFile.Length = sizeof *information;
  PIO_COMPLETION_ROUTINE keep = [](PDEVICE_OBJECT, PIRP, PVOID context) NTIO_MS_ABI -> NTSTATUS {
    ke::SetEvent(static_cast<PKEVENT>(context));
    return STATUS_MORE_PROCESSING_REQUIRED;
  };
  IoSetCompletionRoutine(irp, keep, &event, TRUE, TRUE, TRUE);
  io::CallDriver(top, irp).Ignore();  // the IRP's own status counts
  ke::WaitFor(&event);
  const NTSTATUS status = irp->IoStatus.Status;
  io::FreeIrp(irp);
  return status;
}

}  // namespace

Status GetFileSize(PFILE_OBJECT file, PLARGE_INTEGER file_size) {
  file_size->QuadPart = 0;
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(file);
  FILE_STANDARD_INFORMATION information{};
  IO_STATUS_BLOCK io_status{};
  Status status = STATUS_UNSUCCESSFUL;
  bool answered = false;
  if (auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::FastIoQueryStandardInfo>(top)) {
    ke::CriticalRegion region;
    answered = io::CallFastIo<&FAST_IO_DISPATCH::FastIoQueryStandardInfo>(entry, file, BOOLEAN{TRUE}, &information,
                                                                           &io_status, top);
    status = io_status.Status;
  }
  if (!answered) status = QueryByIrp(file, top, &information);
  NT_TRY(status);
  if (information.Directory) return STATUS_FILE_IS_A_DIRECTORY;
  *file_size = information.EndOfFile;
  return STATUS_SUCCESS;
}

bool IsPagingFile(PFILE_OBJECT file) {
  const auto* header = HeaderOf(file);
  return header && (header->Flags2 & FSRTL_FLAG2_IS_PAGING_FILE);
}

}  // namespace nt::fsrtl
