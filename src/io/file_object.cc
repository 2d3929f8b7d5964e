// File objects: their lock, their last handle and last reference, and stream file objects.
//
// Life: 1. made by an open (parse.cc) or by IoCreateStreamFileObject. 2. the last handle sends IRP_MJ_CLEANUP, in the closing
// thread. 3. the last reference sends IRP_MJ_CLOSE, in any thread at <= APC_LEVEL; the VPB's count goes before, the device's
// after. Nothing is sent for an open that the driver failed.
#include <algorithm>
#include <cstring>

#include "src/fsrtl/fsrtl.h"
#include "src/io/internal.h"

namespace nt::io {

Status NewFileObject(File** out) {
  void* body;
  NT_TRY(ob::CreateObject(IoFileObjectType, sizeof(File), &body));
  auto* file = static_cast<File*>(body);
  file->nt.Type = IO_TYPE_FILE;
  file->nt.Size = sizeof(FILE_OBJECT);
  ke::InitializeEvent(&file->nt.Lock, SynchronizationEvent, false);
  ke::InitializeEvent(&file->nt.Event, NotificationEvent, false);
  ListInit(&file->nt.IrpList);
  *out = file;
  return STATUS_SUCCESS;
}

// --- the lock of a synchronous file object -----------------------------------------------------------------------------------

Status AcquireFileLockSlow(FILE_OBJECT* file) {
  const bool alertable = (file->Flags & FO_ALERTABLE_IO) != 0;
  const KPROCESSOR_MODE mode = PreviousMode();
  __atomic_fetch_add(&file->Waiters, 1u, __ATOMIC_SEQ_CST);
  host::HeavyBarrier();  // a release after this sees the waiter; the exchange below sees a release before
  Status status = STATUS_SUCCESS;
  while (__atomic_exchange_n(&file->Busy, 1u, __ATOMIC_SEQ_CST) != 0) {
    status = ke::WaitForSingleObject(&file->Lock, Executive, mode, alertable, nullptr);
    if (status == STATUS_ALERTED || status == STATUS_USER_APC) break;
    status = STATUS_SUCCESS;
  }
  __atomic_fetch_sub(&file->Waiters, 1u, __ATOMIC_SEQ_CST);
  // A wake-up that came together with the alert belongs to the next in line.
  if (status != STATUS_SUCCESS) ke::SetEvent(&file->Lock, 0, false);
  return status;
}

void WakeFileLock(FILE_OBJECT* file) { ke::SetEvent(&file->Lock, 0, false); }

// --- cleanup and close -----------------------------------------------------------------------------------------------------------

void SendCleanup(File* file) {
  if (file->cleanup_sent || !file->opened) return;
  file->cleanup_sent = true;
  DEVICE_OBJECT* top = GetRelatedDeviceObject(&file->nt);
  IRP* irp = NewFileIrp(&file->nt, top, IRP_MJ_CLEANUP);
  CHECK_MSG(irp, "no pool for IRP_MJ_CLEANUP");
  irp->RequestorMode = KernelMode;
  irp->Flags |= IRP_CLOSE_OPERATION;
  IO_STATUS_BLOCK result;
  KEVENT event;
  ke::InitializeEvent(&event, SynchronizationEvent, false);
  irp->Flags |= IRP_SYNCHRONOUS_API;
  irp->UserEvent = &event;
  irp->UserIosb = &result;
  FileLock lock(&file->nt);
  if (StatisticsEnabled()) TheStatistics().irp[IRP_MJ_CLEANUP].sent.fetch_add(1, std::memory_order_relaxed);
  DRIVER_OBJECT* driver = top->DriverObject;
  if (CallDriver(top, irp) == STATUS_PENDING)
    ke::WaitFor(&event);
  else
    CheckAnswered(&event, driver, irp, IRP_MJ_CLEANUP);
}

namespace {

void SendClose(File* file) {
  DEVICE_OBJECT* top = GetRelatedDeviceObject(&file->nt);
  IRP* irp = NewFileIrp(&file->nt, top, IRP_MJ_CLOSE);
  CHECK_MSG(irp, "no pool for IRP_MJ_CLOSE");
  irp->RequestorMode = KernelMode;
  irp->Flags |= IRP_CLOSE_OPERATION | IRP_SYNCHRONOUS_API;
  KEVENT event;
  IO_STATUS_BLOCK result;
  ke::InitializeEvent(&event, SynchronizationEvent, false);
  irp->UserEvent = &event;
  irp->UserIosb = &result;
  // The file system sees the count without this file: it may dismount now, and free the VPB itself.
  if (VPB* vpb = std::exchange(file->counted_vpb, nullptr)) DereferenceVpb(vpb);
  if (StatisticsEnabled()) TheStatistics().irp[IRP_MJ_CLOSE].sent.fetch_add(1, std::memory_order_relaxed);
  DRIVER_OBJECT* driver = top->DriverObject;
  if (CallDriver(top, irp) == STATUS_PENDING)
    ke::WaitFor(&event);
  else
    CheckAnswered(&event, driver, irp, IRP_MJ_CLOSE);
}

}  // namespace

void CloseFile(ps::Process* process, void* object, ACCESS_MASK, ULONG_PTR process_handles, ULONG_PTR system_handles) {
  auto* file = static_cast<File*>(object);
  if (process_handles == 1 && system_handles > 1 && file->nt.LockOperation) {
    DEVICE_OBJECT* top = GetRelatedDeviceObject(&file->nt);
    IO_STATUS_BLOCK result{};
    PEPROCESS owner = (process ? process : ps::InitialSystemProcess())->eprocess();
    FileLock lock(&file->nt);
    auto* unlock = FastIoEntry<&FAST_IO_DISPATCH::FastIoUnlockAll>(top);
    if (!unlock || !CallFastIo<&FAST_IO_DISPATCH::FastIoUnlockAll>(unlock, &file->nt, owner, &result, top)) {
      if (IRP* irp = NewFileIrp(&file->nt, top, IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_ALL)) {
        irp->RequestorMode = KernelMode;
        SendAndWait(top, irp, &result).Ignore();  // nobody is told of a failure to unlock at close
      }
    }
  }
  if (system_handles == 1) SendCleanup(file);
}

void RemoveFile(void* object) {
  auto* file = static_cast<File*>(object);
  if (file->opened) {
    if (!(file->nt.Flags & FO_STREAM_FILE)) SendCleanup(file);  // the open succeeded but got no handle
    SendClose(file);
  }
  if (VPB* vpb = std::exchange(file->counted_vpb, nullptr)) DereferenceVpb(vpb);
  if (file->nt.FileName.Buffer) ex::FreePool(file->nt.FileName.Buffer);
  fsrtl::DestroyFileObjectExtension(&file->nt);
  if (IO_COMPLETION_CONTEXT* context = file->nt.CompletionContext) {
    ob::DereferenceObject(context->Port);
    ex::FreePool(context);
  }
  if (file->counted_device) {
    DEVICE_OBJECT* device = file->counted_device;
    UncountOpen(device);
    ob::DereferenceObject(device);
  }
}

// --- stream file objects ------------------------------------------------------------------------------------------------------------

namespace {

Status NewStream(FILE_OBJECT* related, DEVICE_OBJECT* device, bool lite, HANDLE* handle, FILE_OBJECT** out) {
  if (related) device = related->DeviceObject;
  if (!device) return STATUS_INVALID_PARAMETER;
  NT_TRY(CountOpen(device));
  File* file;
  Status status = NewFileObject(&file);
  if (!status.ok()) {
    UncountOpen(device);
    return status;
  }
  ob::ReferenceObject(device);
  file->counted_device = device;
  file->nt.DeviceObject = device;
  file->nt.Flags = FO_STREAM_FILE;
  {
    ke::SpinLockScope scope(&g_state->vpb_lock);
    VPB* vpb = related && related->Vpb ? related->Vpb : device->Vpb;
    if (vpb) {
      vpb->ReferenceCount++;
      file->counted_vpb = vpb;
      file->nt.Vpb = vpb;
    }
  }
  file->opened = true;
  if (handle) {
    status = ob::InsertHandle(file, FILE_READ_DATA, OBJ_KERNEL_HANDLE, handle);
    if (!status.ok()) {
      file->opened = false;
      ob::DereferenceObject(file);
      return status;
    }
    file->nt.Flags |= FO_HANDLE_CREATED;
  } else if (!lite) {
    // As if it had been opened and its handle closed: the file system gets its cleanup now.
    SendCleanup(file);
  }
  file->cleanup_sent = !handle;
  *out = &file->nt;
  return STATUS_SUCCESS;
}

}  // namespace

FILE_OBJECT* CreateStreamFileObjectEx(FILE_OBJECT* file, DEVICE_OBJECT* device, HANDLE* handle) {
  FILE_OBJECT* stream = nullptr;
  Status status = NewStream(file, device, false, handle, &stream);
  if (!status.ok()) Raise(status);
  return stream;
}
FILE_OBJECT* CreateStreamFileObject(FILE_OBJECT* file, DEVICE_OBJECT* device) {
  return CreateStreamFileObjectEx(file, device, nullptr);
}
FILE_OBJECT* CreateStreamFileObjectLite(FILE_OBJECT* file, DEVICE_OBJECT* device) {
  FILE_OBJECT* stream = nullptr;
  Status status = NewStream(file, device, true, nullptr, &stream);
  if (!status.ok()) Raise(status);
  return stream;
}

// --- the name of an open file ---------------------------------------------------------------------------------------------------------

/// ObQueryNameString: the device's name, then the name that the file system gives.
Status QueryFileName(void* object, OBJECT_NAME_INFORMATION* name, ULONG bytes, ULONG* needed) {
  auto* file = static_cast<FILE_OBJECT*>(object);
  if (!file->DeviceObject) return STATUS_OBJECT_PATH_INVALID;
  std::u16string text = ob::NameOf(file->DeviceObject);
  if (!(file->Flags & (FO_VOLUME_OPEN | FO_DIRECT_DEVICE_OPEN)) && (file->FileName.Length || file->FsContext)) {
    constexpr ULONG kBytes = sizeof(FILE_NAME_INFORMATION) + 0x8000;
    auto* information = static_cast<FILE_NAME_INFORMATION*>(ex::AllocatePool(PagedPool, kBytes, 'mNoI'));
    if (!information) return STATUS_INSUFFICIENT_RESOURCES;
    ULONG returned;
    Status status = QueryFileInformation(file, FileNameInformation, kBytes, information, &returned);
    if (status.ok()) text.append(information->FileName, information->FileNameLength / sizeof(WCHAR));
    ex::FreePool(information);
    if (!status.ok()) {
      // A file system that knows no names: what the file was opened by.
      if (status != STATUS_INVALID_DEVICE_REQUEST && status != STATUS_INVALID_PARAMETER &&
          status != STATUS_NOT_IMPLEMENTED)
        return status;
      text.append(file->FileName.Buffer ? file->FileName.Buffer : u"", file->FileName.Length / sizeof(WCHAR));
    }
  }
  const auto text_bytes = static_cast<ULONG>(text.size() * sizeof(WCHAR));
  const ULONG total = static_cast<ULONG>(sizeof(OBJECT_NAME_INFORMATION)) + text_bytes + sizeof(WCHAR);
  if (needed) *needed = total;
  if (bytes < sizeof(OBJECT_NAME_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
  if (bytes < total) return STATUS_BUFFER_OVERFLOW;
  auto* buffer = reinterpret_cast<WCHAR*>(name + 1);
  std::copy(text.begin(), text.end(), buffer);
  buffer[text.size()] = 0;
  name->Name.Buffer = buffer;
  name->Name.Length = static_cast<USHORT>(text_bytes);
  name->Name.MaximumLength = static_cast<USHORT>(text_bytes + sizeof(WCHAR));
  return STATUS_SUCCESS;
}

}  // namespace nt::io
