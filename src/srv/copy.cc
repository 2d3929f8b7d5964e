// Copies for a server's worker threads, and the release of a client's locks.
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ps/ps.h"
#include "src/srv/request.h"

namespace nt::srv {
namespace {

template <auto kEntry>
bool TryCopy(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, ULONG lock_key, void* buffer,
             IO_STATUS_BLOCK* iosb) {
  if (!file->PrivateCacheMap) return false;
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(file);
  auto* entry = io::FastIoEntry<kEntry>(top);
  return entry && Fast([&] {
           return io::CallFastIo<kEntry>(entry, file, offset, length, BOOLEAN{FALSE}, lock_key, buffer, iosb, top) != 0;
         });
}

Status CopyByIrp(FILE_OBJECT* file, UCHAR major, LARGE_INTEGER* offset, ULONG length, ULONG lock_key, void* buffer,
                 IO_STATUS_BLOCK* iosb) {
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(file);
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  *iosb = {};
  IRP* const irp = io::BuildSynchronousFsdRequest(major, top, buffer, length, offset, &event, iosb);
  if (!irp) return iosb->Status = STATUS_INSUFFICIENT_RESOURCES;
  IO_STACK_LOCATION* const location = IoGetNextIrpStackLocation(irp);
  location->FileObject = file;
  location->Parameters.Read.Key = lock_key;
  if (file->Flags & FO_NO_INTERMEDIATE_BUFFERING) irp->Flags |= IRP_NOCACHE;
  const Status status = io::CallDriverAndWait(top, irp, &event, iosb);
  io::CountRequest(major, status);
  return status;
}

}  // namespace

Status Read(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, void* buffer, IO_STATUS_BLOCK* iosb,
            Route* route) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  IO_STATUS_BLOCK fast{};
  if (TryCopy<&FAST_IO_DISPATCH::FastIoRead>(file, &at, length, lock_key, buffer, &fast) &&
      (fast.Status == STATUS_SUCCESS || fast.Status == STATUS_BUFFER_OVERFLOW || fast.Status == STATUS_END_OF_FILE)) {
    *route = Route::kFastIo;
    *iosb = fast;
    return fast.Status;
  }
  *route = Route::kIrp;
  return CopyByIrp(file, IRP_MJ_READ, &at, length, lock_key, buffer, iosb);
}

Status Write(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, const void* buffer,
             IO_STATUS_BLOCK* iosb, Route* route) {
  LARGE_INTEGER at;
  at.QuadPart = offset;
  IO_STATUS_BLOCK fast{};
  auto* const data = const_cast<void*>(buffer);
  if (TryCopy<&FAST_IO_DISPATCH::FastIoWrite>(file, &at, length, lock_key, data, &fast) &&
      fast.Status == STATUS_SUCCESS) {
    *route = Route::kFastIo;
    *iosb = fast;
    return fast.Status;
  }
  *route = Route::kIrp;
  return CopyByIrp(file, IRP_MJ_WRITE, &at, length, lock_key, data, iosb);
}

Status UnlockAllByKey(FILE_OBJECT* file, PEPROCESS process, ULONG key, Route* route) {
  DEVICE_OBJECT* const top = io::GetRelatedDeviceObject(file);
  IO_STATUS_BLOCK iosb{};
  if (auto* entry = io::FastIoEntry<&FAST_IO_DISPATCH::FastIoUnlockAllByKey>(top);
      entry && Fast([&] {
        return io::CallFastIo<&FAST_IO_DISPATCH::FastIoUnlockAllByKey>(entry, file, static_cast<void*>(process), key,
                                                                       &iosb, top) != 0;
      })) {
    *route = Route::kFastIo;
    return iosb.Status;
  }
  *route = Route::kIrp;
  Request request(file, IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_ALL_BY_KEY);
  if (!request) return STATUS_INSUFFICIENT_RESOURCES;
  request.location()->Parameters.LockControl.Key = key;
  // The IRP names its process by the thread it belongs to.
  KAPC_STATE before;
  ke::StackAttachProcess(reinterpret_cast<PRKPROCESS>(process), &before);
  const Status status = request.Send(&iosb);
  ke::UnstackDetachProcess(&before);
  return status;
}

}  // namespace nt::srv
