// Query and set of file and volume information: what the I/O manager answers itself, the three fast I/O queries, and the
// buffered IRP for the rest. Rename and link open the target's directory first.
#include <cstring>

#include "src/io/internal.h"

namespace nt::io {
namespace {

/// A buffered information request. @param set  the buffer goes in; else it comes out
/// QueryFile, SetFile, QueryVolume and SetVolume have Length and the class at the same places.
IRP* NewInformationIrp(FILE_OBJECT* file, DEVICE_OBJECT* top, UCHAR major, ULONG information_class, void* buffer,
                       ULONG length, bool set, Status* status) {
  IRP* irp = NewFileIrp(file, top, major);
  void* system = irp ? ex::AllocatePoolZero(NonPagedPoolNx, length ? length : 1, 'sysI') : nullptr;
  if (!system) {
    if (irp) FreeIrp(irp);
    *status = STATUS_INSUFFICIENT_RESOURCES;
    return nullptr;
  }
  irp->AssociatedIrp.SystemBuffer = system;
  irp->UserBuffer = buffer;
  irp->Flags = IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER | (set ? 0 : IRP_INPUT_OPERATION);
  IO_STACK_LOCATION* location = NextLocation(irp);
  location->Parameters.QueryFile.Length = length;
  location->Parameters.QueryFile.FileInformationClass = static_cast<FILE_INFORMATION_CLASS>(information_class);
  if (set) {
    *status = Guarded([&] { ldr::CopyFromUser(system, buffer, length); });
    if (!status->ok()) {
      AbandonIrp(irp);
      return nullptr;
    }
  }
  *status = STATUS_SUCCESS;
  return irp;
}

Status SendInformation(FILE_OBJECT* file, UCHAR major, ULONG information_class, void* buffer, ULONG length, bool set,
                       KPROCESSOR_MODE mode, IO_STATUS_BLOCK* result, bool* written) {
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file);
  Status status;
  IRP* irp = NewInformationIrp(file, top, major, information_class, buffer, length, set, &status);
  if (!irp) return status;
  irp->RequestorMode = mode;
  return SendAndWait(top, irp, result, written);
}

Status Answer(void* buffer, const void* from, ULONG bytes, IO_STATUS_BLOCK* iosb) {
  return Guarded([&] {
    ldr::CopyToUser(buffer, from, bytes);
    IO_STATUS_BLOCK result{};
    result.Information = bytes;
    ldr::WriteUser(iosb, result);
  });
}

Status WriteResult(IO_STATUS_BLOCK* iosb, const IO_STATUS_BLOCK& result, bool written, Status status) {
  if (!written) return status;
  Status copied = Guarded([&] { ldr::WriteUser(iosb, result); });
  return copied.ok() ? status : copied;
}

Status ProbeFor(IO_STATUS_BLOCK* iosb, void* buffer, ULONG length, const ClassRow& row, bool out) {
  return Guarded([&] {
    ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
    if (out)
      ldr::ProbeForWrite(buffer, length, row.alignment);
    else
      ldr::ProbeForRead(buffer, length, row.alignment);
  });
}

/// @returns whether a fast I/O routine gave the answer
template <auto kEntry, class T>
bool QueryFast(FILE_OBJECT* file, void* buffer, IO_STATUS_BLOCK* iosb, Status* status) {
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file);
  auto* routine = FastIoEntry<kEntry>(top);
  if (!routine) return false;
  T local{};
  IO_STATUS_BLOCK result{};
  if (!CallFastIo<kEntry>(routine, file, static_cast<BOOLEAN>(TRUE), &local, &result, top)) return false;
  NoteFastIo(true);
  *status = result.Status;
  if (NT_ERROR(result.Status)) return true;
  Status copied = Guarded([&] {
    ldr::CopyToUser(buffer, &local, sizeof local);
    ldr::WriteUser(iosb, result);
  });
  if (!copied.ok()) *status = copied;
  return true;
}

void FillOwnParts(FILE_OBJECT* file, ACCESS_MASK granted, FILE_ALL_INFORMATION* all) {
  all->AccessInformation.AccessFlags = granted;
  all->ModeInformation.Mode = FileModeOf(file);
  all->AlignmentInformation.AlignmentRequirement = GetRelatedDeviceObject(file)->AlignmentRequirement;
}

// --- set: what the I/O manager does itself --------------------------------------------------------------------------------------

Status SetPosition(FILE_OBJECT* file, LONGLONG offset) {
  if (offset < 0) return STATUS_INVALID_PARAMETER;
  if (file->Flags & FO_NO_INTERMEDIATE_BUFFERING) {
    const ULONG sector = GetRelatedDeviceObject(file)->SectorSize;
    if (sector && offset % sector) return STATUS_INVALID_PARAMETER;
  }
  file->CurrentByteOffset.QuadPart = offset;
  return STATUS_SUCCESS;
}

Status SetMode(FILE_OBJECT* file, ULONG mode) {
  constexpr ULONG kSynchronous = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT;
  const bool synchronous = file->Flags & FO_SYNCHRONOUS_IO;
  if ((mode & ~static_cast<ULONG>(FILE_VALID_SET_FLAGS)) || (mode & kSynchronous) == kSynchronous ||
      synchronous != ((mode & kSynchronous) != 0))
    return STATUS_INVALID_PARAMETER;
  const auto put = [&](ULONG flag, bool on) {
    on ? __atomic_or_fetch(&file->Flags, flag, __ATOMIC_RELAXED) : __atomic_and_fetch(&file->Flags, ~flag, __ATOMIC_RELAXED);
  };
  if (!(file->Flags & FO_NO_INTERMEDIATE_BUFFERING)) put(FO_WRITE_THROUGH, mode & FILE_WRITE_THROUGH);
  put(FO_SEQUENTIAL_ONLY, mode & FILE_SEQUENTIAL_ONLY);
  if (synchronous) put(FO_ALERTABLE_IO, mode & FILE_SYNCHRONOUS_IO_ALERT);
  return STATUS_SUCCESS;
}

Status SetCompletion(FILE_OBJECT* file, const FILE_COMPLETION_INFORMATION& information, bool replace) {
  if (!replace && ((file->Flags & FO_SYNCHRONOUS_IO) || file->CompletionContext)) return STATUS_INVALID_PARAMETER;
  IO_COMPLETION_CONTEXT* context = nullptr;
  if (information.Port || !replace) {
    Ref<void> port;
    NT_TRY(ob::ReferenceObjectByHandle(information.Port, IO_COMPLETION_MODIFY_STATE, g_state->completion_type, PreviousMode(), port.out(), nullptr));
    context = ex::PoolNew<IO_COMPLETION_CONTEXT>('  cI');
    if (!context) return STATUS_INSUFFICIENT_RESOURCES;
    *context = {port.release(), information.Key, 0};
  }
  IO_COMPLETION_CONTEXT* old = __atomic_exchange_n(&file->CompletionContext, context, __ATOMIC_ACQ_REL);
  if (old) {
    ob::DereferenceObject(old->Port);
    ex::FreePool(old);
  }
  return STATUS_SUCCESS;
}

// --- set: rename and link ---------------------------------------------------------------------------------------------------------

bool NamesTarget(FILE_INFORMATION_CLASS information_class) {
  switch (information_class) {
    case FileRenameInformation:
    case FileRenameInformationEx:
    case FileLinkInformation:
    case FileLinkInformationEx:
    case FileMoveClusterInformation: return true;
    default: return false;
  }
}

/// Opens the directory that the target name lies in, when the name says more than a name in the same directory.
Status OpenTarget(FILE_OBJECT* file, const FILE_RENAME_INFORMATION* rename, ULONG length, KPROCESSOR_MODE mode,
                  HANDLE* handle) {
  *handle = nullptr;
  constexpr ULONG kFixed = FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName);
  if ((rename->FileNameLength & 1) || rename->FileNameLength == 0 || rename->FileNameLength > length - kFixed ||
      rename->FileNameLength > 0xfffe)
    return STATUS_INVALID_PARAMETER;
  if (rename->FileName[0] != u'\\' && !rename->RootDirectory) return STATUS_SUCCESS;
  FILE_STANDARD_INFORMATION standard;
  ULONG returned;
  const bool directory =
      QueryFileInformation(file, FileStandardInformation, sizeof standard, &standard, &returned).ok() && standard.Directory;
  UNICODE_STRING name;
  name.Buffer = const_cast<WCHAR*>(rename->FileName);
  name.Length = name.MaximumLength = static_cast<USHORT>(rename->FileNameLength);
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name,
                             (file->Flags & FO_OPENED_CASE_SENSITIVE ? 0 : OBJ_CASE_INSENSITIVE) | OBJ_KERNEL_HANDLE |
                                 (mode != KernelMode ? OBJ_FORCE_ACCESS_CHECK : 0),
                             rename->RootDirectory, nullptr);
  if (mode != KernelMode && rename->RootDirectory) {
    // Checked in the requestor's mode, since the open below is the kernel's.
    Ref<FILE_OBJECT> root;
    NT_TRY(ReferenceFile(rename->RootDirectory, 0, mode, &root));
  }
  IO_STATUS_BLOCK iosb;
  ke::PreviousModeScope scope(KernelMode);
  Status status = CreateFile(handle, (directory ? FILE_ADD_SUBDIRECTORY : FILE_WRITE_DATA) | SYNCHRONIZE, &attributes,
                             &iosb, nullptr, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
                             FILE_OPEN_FOR_BACKUP_INTENT, nullptr, 0, CreateFileTypeNone, nullptr,
                             IO_FORCE_ACCESS_CHECK | IO_OPEN_TARGET_DIRECTORY | IO_NO_PARAMETER_CHECKING);
  if (!status.ok()) return status;
  Ref<FILE_OBJECT> target;
  status = ReferenceFile(*handle, 0, KernelMode, &target);
  if (status.ok() && target->DeviceObject != file->DeviceObject) status = STATUS_NOT_SAME_DEVICE;
  if (!status.ok()) {
    ob::Close(*handle, KernelMode).Ignore();  // just opened
    *handle = nullptr;
  }
  return status;
}

Status SendSet(FILE_OBJECT* file, FILE_INFORMATION_CLASS information_class, void* buffer, ULONG length,
               KPROCESSOR_MODE mode, IO_STATUS_BLOCK* result, bool* written) {
  DEVICE_OBJECT* top = GetRelatedDeviceObject(file);
  Status status;
  IRP* irp = NewInformationIrp(file, top, IRP_MJ_SET_INFORMATION, information_class, buffer, length, true, &status);
  if (!irp) return status;
  irp->RequestorMode = mode;
  IO_STACK_LOCATION* location = NextLocation(irp);
  HANDLE target_handle = nullptr;
  Ref<FILE_OBJECT> target;
  if (NamesTarget(information_class)) {
    const auto* rename = static_cast<const FILE_RENAME_INFORMATION*>(irp->AssociatedIrp.SystemBuffer);
    status = OpenTarget(file, rename, length, mode, &target_handle);
    if (status.ok() && target_handle) status = ReferenceFile(target_handle, 0, KernelMode, &target);
    if (!status.ok()) {
      if (target_handle) ob::Close(target_handle, KernelMode).Ignore();  // just opened
      AbandonIrp(irp);
      return status;
    }
    location->Parameters.SetFile.FileObject = target.get();
    if (information_class == FileMoveClusterInformation)
      location->Parameters.SetFile.ClusterCount = rename->Flags;
    else
      location->Parameters.SetFile.ReplaceIfExists = rename->ReplaceIfExists & 1;
  }
  status = SendAndWait(top, irp, result, written);
  if (target_handle) {
    target.Reset();
    ob::Close(target_handle, KernelMode).Ignore();  // ours
  }
  return status;
}

}  // namespace

Status NtQueryInformationFile(HANDLE handle, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length,
                              FILE_INFORMATION_CLASS information_class) {
  const KPROCESSOR_MODE mode = PreviousMode();
  const ClassRow* row = QueryFileClass(information_class);
  if (!row) return STATUS_INVALID_INFO_CLASS;
  if (length < row->minimum_bytes) return STATUS_INFO_LENGTH_MISMATCH;
  if (mode != KernelMode) NT_TRY(ProbeFor(iosb, buffer, length, *row, true));
  Ref<FILE_OBJECT> file;
  OBJECT_HANDLE_INFORMATION information;
  NT_TRY(ReferenceFile(handle, row->access, mode, &file, &information));

  switch (information_class) {
    case FileAccessInformation: {
      const FILE_ACCESS_INFORMATION answer{information.GrantedAccess};
      return Answer(buffer, &answer, sizeof answer, iosb);
    }
    case FileModeInformation: {
      const FILE_MODE_INFORMATION answer{FileModeOf(file.get())};
      return Answer(buffer, &answer, sizeof answer, iosb);
    }
    case FileAlignmentInformation: {
      const FILE_ALIGNMENT_INFORMATION answer{GetRelatedDeviceObject(file.get())->AlignmentRequirement};
      return Answer(buffer, &answer, sizeof answer, iosb);
    }
    case FileIoCompletionNotificationInformation: {
      const FILE_IO_COMPLETION_NOTIFICATION_INFORMATION answer{Private(file.get())->notification_modes};
      return Answer(buffer, &answer, sizeof answer, iosb);
    }
    default: break;
  }
  NoteFastIo(false);
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  if (information_class == FilePositionInformation && lock.synchronous()) {
    FILE_POSITION_INFORMATION answer;
    answer.CurrentByteOffset = file->CurrentByteOffset;
    return Answer(buffer, &answer, sizeof answer, iosb);
  }
  Status status;
  if (information_class == FileBasicInformation &&
      QueryFast<&FAST_IO_DISPATCH::FastIoQueryBasicInfo, FILE_BASIC_INFORMATION>(file.get(), buffer, iosb, &status))
    return status;
  if (information_class == FileStandardInformation &&
      QueryFast<&FAST_IO_DISPATCH::FastIoQueryStandardInfo, FILE_STANDARD_INFORMATION>(file.get(), buffer, iosb, &status))
    return status;
  if (information_class == FileNetworkOpenInformation &&
      QueryFast<&FAST_IO_DISPATCH::FastIoQueryNetworkOpenInfo, FILE_NETWORK_OPEN_INFORMATION>(file.get(), buffer, iosb,
                                                                                             &status))
    return status;

  DEVICE_OBJECT* top = GetRelatedDeviceObject(file.get());
  IRP* irp = NewInformationIrp(file.get(), top, IRP_MJ_QUERY_INFORMATION, information_class, buffer, length, false, &status);
  if (!irp) return status;
  if (information_class == FileAllInformation)
    FillOwnParts(file.get(), information.GrantedAccess,
                 static_cast<FILE_ALL_INFORMATION*>(irp->AssociatedIrp.SystemBuffer));
  IO_STATUS_BLOCK result;
  bool written = false;
  status = SendAndWait(top, irp, &result, &written);
  return WriteResult(iosb, result, written, status);
}

Status NtSetInformationFile(HANDLE handle, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length,
                            FILE_INFORMATION_CLASS information_class) {
  const KPROCESSOR_MODE mode = PreviousMode();
  const ClassRow* row = SetFileClass(information_class);
  if (!row) return STATUS_INVALID_INFO_CLASS;
  if (length < row->minimum_bytes) return STATUS_INFO_LENGTH_MISMATCH;
  if (mode != KernelMode) NT_TRY(ProbeFor(iosb, buffer, length, *row, false));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, row->access, mode, &file));
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  NoteFastIo(false);

  const auto own = [&](auto&& apply, auto sample) {
    Status status = Guarded([&] { sample = ldr::ReadUser(static_cast<const decltype(sample)*>(buffer)); });
    if (status.ok()) status = apply(sample);
    if (!status.ok()) return status;
    return Guarded([&] { ldr::WriteUser(iosb, IO_STATUS_BLOCK{}); });
  };
  switch (information_class) {
    case FilePositionInformation:
      if (!lock.synchronous()) break;
      return own([&](const FILE_POSITION_INFORMATION& in) { return SetPosition(file.get(), in.CurrentByteOffset.QuadPart); },
                 FILE_POSITION_INFORMATION{});
    case FileModeInformation:
      return own([&](const FILE_MODE_INFORMATION& in) { return SetMode(file.get(), in.Mode); }, FILE_MODE_INFORMATION{});
    case FileCompletionInformation:
    case FileReplaceCompletionInformation:
      return own(
          [&](const FILE_COMPLETION_INFORMATION& in) {
            return SetCompletion(file.get(), in, information_class == FileReplaceCompletionInformation);
          },
          FILE_COMPLETION_INFORMATION{});
    case FileIoCompletionNotificationInformation:
      return own(
          [&](const FILE_IO_COMPLETION_NOTIFICATION_INFORMATION& in) -> Status {
            if (in.Flags & ~7u) return STATUS_INVALID_PARAMETER;
            Private(file.get())->notification_modes |= in.Flags;
            return STATUS_SUCCESS;
          },
          FILE_IO_COMPLETION_NOTIFICATION_INFORMATION{});
    default: break;
  }
  IO_STATUS_BLOCK result;
  bool written = false;
  Status status = SendSet(file.get(), information_class, buffer, length, mode, &result, &written);
  return WriteResult(iosb, result, written, status);
}

Status NtQueryVolumeInformationFile(HANDLE handle, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length,
                                    FS_INFORMATION_CLASS information_class) {
  const KPROCESSOR_MODE mode = PreviousMode();
  const ClassRow* row = QueryVolumeClass(information_class);
  if (!row) return STATUS_INVALID_INFO_CLASS;
  if (length < row->minimum_bytes) return STATUS_INFO_LENGTH_MISMATCH;
  if (mode != KernelMode) NT_TRY(ProbeFor(iosb, buffer, length, *row, true));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, row->access, mode, &file));
  NoteFastIo(false);
  if (information_class == FileFsDeviceInformation && (file->Flags & FO_DIRECT_DEVICE_OPEN)) {
    // Nothing is mounted for this open: the storage device speaks for itself.
    const DEVICE_OBJECT* device = file->DeviceObject;
    FILE_FS_DEVICE_INFORMATION answer{device->DeviceType, device->Characteristics};
    if (device->Vpb && (device->Vpb->Flags & VPB_MOUNTED)) answer.Characteristics |= FILE_DEVICE_IS_MOUNTED;
    return Answer(buffer, &answer, sizeof answer, iosb);
  }
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  IO_STATUS_BLOCK result;
  bool written = false;
  Status status = SendInformation(file.get(), IRP_MJ_QUERY_VOLUME_INFORMATION, information_class, buffer, length, false,
                                  mode, &result, &written);
  return WriteResult(iosb, result, written, status);
}

Status NtSetVolumeInformationFile(HANDLE handle, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length,
                                  FS_INFORMATION_CLASS information_class) {
  const KPROCESSOR_MODE mode = PreviousMode();
  const ClassRow* row = SetVolumeClass(information_class);
  if (!row) return STATUS_INVALID_INFO_CLASS;
  if (length < row->minimum_bytes) return STATUS_INFO_LENGTH_MISMATCH;
  if (mode != KernelMode) NT_TRY(ProbeFor(iosb, buffer, length, *row, false));
  Ref<FILE_OBJECT> file;
  NT_TRY(ReferenceFile(handle, row->access, mode, &file));
  FileLock lock(file.get());
  if (lock.status() != STATUS_SUCCESS) return lock.status();
  NoteFastIo(false);
  IO_STATUS_BLOCK result;
  bool written = false;
  Status status = SendInformation(file.get(), IRP_MJ_SET_VOLUME_INFORMATION, information_class, buffer, length, true, mode,
                                  &result, &written);
  return WriteResult(iosb, result, written, status);
}

// --- by file object ------------------------------------------------------------------------------------------------------------------

Status QueryFileInformation(FILE_OBJECT* file, FILE_INFORMATION_CLASS information_class, ULONG length, void* buffer,
                            ULONG* returned) {
  IO_STATUS_BLOCK result{};
  Status status = SendInformation(file, IRP_MJ_QUERY_INFORMATION, information_class, buffer, length, false, KernelMode,
                                  &result, nullptr);
  *returned = static_cast<ULONG>(result.Information);
  return status;
}

Status QueryVolumeInformation(FILE_OBJECT* file, FS_INFORMATION_CLASS information_class, ULONG length, void* buffer,
                              ULONG* returned) {
  IO_STATUS_BLOCK result{};
  Status status = SendInformation(file, IRP_MJ_QUERY_VOLUME_INFORMATION, information_class, buffer, length, false,
                                  KernelMode, &result, nullptr);
  *returned = static_cast<ULONG>(result.Information);
  return status;
}

Status SetInformation(FILE_OBJECT* file, FILE_INFORMATION_CLASS information_class, ULONG length, void* buffer) {
  IO_STATUS_BLOCK result;
  return SendSet(file, information_class, buffer, length, KernelMode, &result, nullptr);
}

}  // namespace nt::io
