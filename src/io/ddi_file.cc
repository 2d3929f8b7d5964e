// Exports: opening, file objects, sharing, information by file object, names.
#include "src/io/internal.h"

using namespace nt;  // NOLINT: a file of exports only

namespace nt::io {
Status QueryNetworkAttributes(OBJECT_ATTRIBUTES* attributes, ACCESS_MASK access, ULONG options,
                              FILE_NETWORK_OPEN_INFORMATION* information);
}

NT_EXPORT(NTSTATUS, IoCreateFile,
          (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK iosb,
           PLARGE_INTEGER allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options, PVOID ea,
           ULONG ea_length, CREATE_FILE_TYPE type, PVOID parameters, ULONG io_options),
          (handle, access, attributes, iosb, allocation, file_attributes, share, disposition, options, ea, ea_length, type,
           parameters, io_options)) {
  return io::CreateFile(handle, access, attributes, iosb, allocation, file_attributes, share, disposition, options, ea,
                        ea_length, type, parameters, io_options);
}
NT_EXPORT(NTSTATUS, IoCreateFileEx,
          (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK iosb,
           PLARGE_INTEGER allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options, PVOID ea,
           ULONG ea_length, CREATE_FILE_TYPE type, PVOID parameters, ULONG io_options, PIO_DRIVER_CREATE_CONTEXT context),
          (handle, access, attributes, iosb, allocation, file_attributes, share, disposition, options, ea, ea_length, type,
           parameters, io_options, context)) {
  if (context && context->TxnParameters) return STATUS_TRANSACTIONAL_CONFLICT;  // there are no transactions
  return io::CreateFile(handle, access, attributes, iosb, allocation, file_attributes, share, disposition, options, ea,
                        ea_length, type, parameters, io_options | IO_NO_PARAMETER_CHECKING, context);
}
NT_EXPORT(NTSTATUS, IoCreateFileSpecifyDeviceObjectHint,
          (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK iosb,
           PLARGE_INTEGER allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options, PVOID ea,
           ULONG ea_length, CREATE_FILE_TYPE type, PVOID parameters, ULONG io_options, PVOID device),
          (handle, access, attributes, iosb, allocation, file_attributes, share, disposition, options, ea, ea_length, type,
           parameters, io_options, device)) {
  IO_DRIVER_CREATE_CONTEXT context;
  IoInitializeDriverCreateContext(&context);
  context.DeviceObjectHint = device;
  return io::CreateFile(handle, access, attributes, iosb, allocation, file_attributes, share, disposition, options, ea,
                        ea_length, type, parameters, io_options | IO_NO_PARAMETER_CHECKING, &context);
}
NT_EXPORT(BOOLEAN, IoFastQueryNetworkAttributes,
          (POBJECT_ATTRIBUTES attributes, ACCESS_MASK access, ULONG options, PIO_STATUS_BLOCK iosb,
           PFILE_NETWORK_OPEN_INFORMATION information),
          (attributes, access, options, iosb, information)) {
  ke::PreviousModeScope scope(KernelMode);
  iosb->Status = io::QueryNetworkAttributes(attributes, access, options, information);
  iosb->Information = 0;
  return TRUE;
}

NT_EXPORT(PFILE_OBJECT, IoCreateStreamFileObject, (PFILE_OBJECT file, PDEVICE_OBJECT device), (file, device)) {
  return io::CreateStreamFileObject(file, device);
}
NT_EXPORT(PFILE_OBJECT, IoCreateStreamFileObjectEx, (PFILE_OBJECT file, PDEVICE_OBJECT device, PHANDLE handle),
          (file, device, handle)) {
  return io::CreateStreamFileObjectEx(file, device, handle);
}
NT_EXPORT(PFILE_OBJECT, IoCreateStreamFileObjectLite, (PFILE_OBJECT file, PDEVICE_OBJECT device), (file, device)) {
  return io::CreateStreamFileObjectLite(file, device);
}
NT_EXPORT(NTSTATUS, IoCreateStreamFileObjectEx2,
          (PIO_CREATE_STREAM_FILE_OPTIONS options, PFILE_OBJECT file, PDEVICE_OBJECT device, PFILE_OBJECT* stream,
           PHANDLE handle),
          (options, file, device, stream, handle)) {
  if (!options || options->Size < sizeof(*options) || options->TargetDeviceObject) return STATUS_INVALID_PARAMETER;
  const auto create = [&] {
    *stream = options->Flags & IO_CREATE_STREAM_FILE_LITE ? io::CreateStreamFileObjectLite(file, device)
                                                          : io::CreateStreamFileObjectEx(file, device, handle);
  };
  if (!(options->Flags & IO_CREATE_STREAM_FILE_RAISE_ON_ERROR)) return io::Guarded(create);
  create();
  return STATUS_SUCCESS;
}

NT_EXPORT(NTSTATUS, IoCheckShareAccess,
          (ACCESS_MASK desired, ULONG share, PFILE_OBJECT file, PSHARE_ACCESS access, BOOLEAN update),
          (desired, share, file, access, update)) {
  return io::CheckShareAccess(desired, share, file, access, update);
}
NT_EXPORT(NTSTATUS, IoCheckShareAccessEx,
          (ACCESS_MASK desired, ULONG share, PFILE_OBJECT file, PSHARE_ACCESS access, BOOLEAN update, PBOOLEAN permission),
          (desired, share, file, access, update, permission)) {
  return io::CheckShareAccessEx(desired, share, file, access, update, permission);
}
NT_EXPORT(VOID, IoSetShareAccess, (ACCESS_MASK desired, ULONG share, PFILE_OBJECT file, PSHARE_ACCESS access),
          (desired, share, file, access)) {
  io::SetShareAccess(desired, share, file, access);
}
NT_EXPORT(VOID, IoSetShareAccessEx,
          (ACCESS_MASK desired, ULONG share, PFILE_OBJECT file, PSHARE_ACCESS access, PBOOLEAN permission),
          (desired, share, file, access, permission)) {
  static_cast<void>(permission);  // the first open meets no other
  io::SetShareAccess(desired, share, file, access);
}
NT_EXPORT(VOID, IoUpdateShareAccess, (PFILE_OBJECT file, PSHARE_ACCESS access), (file, access)) {
  io::UpdateShareAccess(file, access);
}
NT_EXPORT(VOID, IoRemoveShareAccess, (PFILE_OBJECT file, PSHARE_ACCESS access), (file, access)) {
  io::RemoveShareAccess(file, access);
}
NT_EXPORT(BOOLEAN, IoIsFileObjectIgnoringSharing, (PFILE_OBJECT file), (file)) { return io::Private(file)->ignore_sharing; }
NT_EXPORT(NTSTATUS, IoSetFileObjectIgnoreSharing, (PFILE_OBJECT file), (file)) {
  io::Private(file)->ignore_sharing = true;
  return STATUS_SUCCESS;
}
NT_EXPORT(BOOLEAN, IoIsFileOriginRemote, (PFILE_OBJECT file), (file)) { return (file->Flags & FO_REMOTE_ORIGIN) != 0; }
NT_EXPORT(NTSTATUS, IoSetFileOrigin, (PFILE_OBJECT file, BOOLEAN remote), (file, remote)) {
  if (remote)
    file->Flags |= FO_REMOTE_ORIGIN;
  else
    file->Flags &= ~static_cast<ULONG>(FO_REMOTE_ORIGIN);
  return STATUS_SUCCESS;
}
// A create that is being undone by the filter that let it through.
NT_EXPORT(VOID, IoCancelFileOpen, (PDEVICE_OBJECT device, PFILE_OBJECT file), (device, file)) {
  static_cast<void>(device);
  file->Flags |= FO_FILE_OPEN_CANCELLED;
  auto* opened = io::Private(file);
  opened->opened = true;
  io::SendCleanup(opened);
}
NT_EXPORT(PTXN_PARAMETER_BLOCK, IoGetTransactionParameterBlock, (PFILE_OBJECT file), (file)) {
  static_cast<void>(file);  // no file is opened in a transaction
  return nullptr;
}
NT_EXPORT(NTSTATUS, IoReplaceFileObjectName, (PFILE_OBJECT file, PWSTR name, USHORT length), (file, name, length)) {
  if (length > file->FileName.MaximumLength) {
    auto* buffer = static_cast<WCHAR*>(ex::AllocatePool(PagedPool, length, 'mNoI'));
    if (!buffer) return STATUS_INSUFFICIENT_RESOURCES;
    if (file->FileName.Buffer) ex::FreePool(file->FileName.Buffer);
    file->FileName.Buffer = buffer;
    file->FileName.MaximumLength = length;
  }
  __builtin_memmove(file->FileName.Buffer, name, length);
  file->FileName.Length = length;
  return STATUS_SUCCESS;
}

NT_EXPORT(NTSTATUS, IoQueryFileInformation,
          (PFILE_OBJECT file, FILE_INFORMATION_CLASS information_class, ULONG length, PVOID buffer, PULONG returned),
          (file, information_class, length, buffer, returned)) {
  return io::QueryFileInformation(file, information_class, length, buffer, returned);
}
NT_EXPORT(NTSTATUS, IoSetInformation,
          (PFILE_OBJECT file, FILE_INFORMATION_CLASS information_class, ULONG length, PVOID buffer),
          (file, information_class, length, buffer)) {
  return io::SetInformation(file, information_class, length, buffer);
}
NT_EXPORT(NTSTATUS, IoQueryVolumeInformation,
          (PFILE_OBJECT file, FS_INFORMATION_CLASS information_class, ULONG length, PVOID buffer, PULONG returned),
          (file, information_class, length, buffer, returned)) {
  return io::QueryVolumeInformation(file, information_class, length, buffer, returned);
}
NT_EXPORT(NTSTATUS, IoQueryFileDosDeviceName, (PFILE_OBJECT file, POBJECT_NAME_INFORMATION* name), (file, name)) {
  return io::QueryFileDosDeviceName(file, name);
}
NT_EXPORT(NTSTATUS, IoCheckEaBufferValidity, (PFILE_FULL_EA_INFORMATION buffer, ULONG length, PULONG offset),
          (buffer, length, offset)) {
  return io::CheckEaBufferValidity(buffer, length, offset);
}
NT_EXPORT(NTSTATUS, IoCheckQuerySetFileInformation,
          (FILE_INFORMATION_CLASS information_class, ULONG length, BOOLEAN set), (information_class, length, set)) {
  return io::CheckQuerySetFileInformation(information_class, length, set);
}
NT_EXPORT(NTSTATUS, IoCheckQuerySetVolumeInformation,
          (FS_INFORMATION_CLASS information_class, ULONG length, BOOLEAN set), (information_class, length, set)) {
  return io::CheckQuerySetVolumeInformation(information_class, length, set);
}
NT_EXPORT(NTSTATUS, IoCheckDesiredAccess, (PACCESS_MASK desired, ACCESS_MASK granted), (desired, granted)) {
  *desired = ob::MapAccess(IoFileObjectType, *desired);
  return *desired & ~granted ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}
NT_EXPORT(PGENERIC_MAPPING, IoGetFileObjectGenericMapping, (), ()) { return io::GetFileObjectGenericMapping(); }
