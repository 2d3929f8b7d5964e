// Exports: the file services. Zw*: previous mode becomes kernel. Nt*: it stands.
#include "src/io/internal.h"

using namespace nt;  // NOLINT: a file of exports only

#define NTIO_SERVICE(Name, Params, Args)              \
  NT_EXPORT(NTSTATUS, Zw##Name, Params, Args) {       \
    ke::PreviousModeScope scope(KernelMode);          \
    return io::Nt##Name Args;                         \
  }                                                   \
  NT_EXPORT(NTSTATUS, Nt##Name, Params, Args) { return io::Nt##Name Args; }

NTIO_SERVICE(CreateFile,
             (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK iosb,
              PLARGE_INTEGER allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options, PVOID ea,
              ULONG ea_length),
             (handle, access, attributes, iosb, allocation, file_attributes, share, disposition, options, ea, ea_length))
NTIO_SERVICE(OpenFile,
             (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PIO_STATUS_BLOCK iosb, ULONG share,
              ULONG options),
             (handle, access, attributes, iosb, share, options))
NTIO_SERVICE(ReadFile,
             (HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb, PVOID buffer,
              ULONG length, PLARGE_INTEGER offset, PULONG key),
             (file, event, apc, context, iosb, buffer, length, offset, key))
NTIO_SERVICE(WriteFile,
             (HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb, PVOID buffer,
              ULONG length, PLARGE_INTEGER offset, PULONG key),
             (file, event, apc, context, iosb, buffer, length, offset, key))
NTIO_SERVICE(DeviceIoControlFile,
             (HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb, ULONG code,
              PVOID input, ULONG input_length, PVOID output, ULONG output_length),
             (file, event, apc, context, iosb, code, input, input_length, output, output_length))
NTIO_SERVICE(FsControlFile,
             (HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb, ULONG code,
              PVOID input, ULONG input_length, PVOID output, ULONG output_length),
             (file, event, apc, context, iosb, code, input, input_length, output, output_length))
NTIO_SERVICE(QueryInformationFile,
             (HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length, FILE_INFORMATION_CLASS information_class),
             (file, iosb, buffer, length, information_class))
NTIO_SERVICE(SetInformationFile,
             (HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length, FILE_INFORMATION_CLASS information_class),
             (file, iosb, buffer, length, information_class))
NTIO_SERVICE(QueryVolumeInformationFile,
             (HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length, FS_INFORMATION_CLASS information_class),
             (file, iosb, buffer, length, information_class))
NTIO_SERVICE(SetVolumeInformationFile,
             (HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length, FS_INFORMATION_CLASS information_class),
             (file, iosb, buffer, length, information_class))
NTIO_SERVICE(QueryAttributesFile, (POBJECT_ATTRIBUTES attributes, PFILE_BASIC_INFORMATION information),
             (attributes, information))
NTIO_SERVICE(QueryFullAttributesFile, (POBJECT_ATTRIBUTES attributes, PFILE_NETWORK_OPEN_INFORMATION information),
             (attributes, information))
NTIO_SERVICE(QueryDirectoryFile,
             (HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb, PVOID buffer,
              ULONG length, FILE_INFORMATION_CLASS information_class, BOOLEAN single, PUNICODE_STRING pattern,
              BOOLEAN restart),
             (file, event, apc, context, iosb, buffer, length, information_class, single, pattern, restart))
NTIO_SERVICE(QueryDirectoryFileEx,
             (HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb, PVOID buffer,
              ULONG length, FILE_INFORMATION_CLASS information_class, ULONG flags, PUNICODE_STRING pattern),
             (file, event, apc, context, iosb, buffer, length, information_class, flags, pattern))
NTIO_SERVICE(NotifyChangeDirectoryFile,
             (HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb, PVOID buffer,
              ULONG length, ULONG filter, BOOLEAN tree),
             (file, event, apc, context, iosb, buffer, length, filter, tree))
NTIO_SERVICE(QueryEaFile,
             (HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length, BOOLEAN single, PVOID list,
              ULONG list_length, PULONG index, BOOLEAN restart),
             (file, iosb, buffer, length, single, list, list_length, index, restart))
NTIO_SERVICE(SetEaFile, (HANDLE file, PIO_STATUS_BLOCK iosb, PVOID buffer, ULONG length), (file, iosb, buffer, length))
NTIO_SERVICE(LockFile,
             (HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, PVOID context, PIO_STATUS_BLOCK iosb, PLARGE_INTEGER offset,
              PLARGE_INTEGER length, ULONG key, BOOLEAN fail_immediately, BOOLEAN exclusive),
             (file, event, apc, context, iosb, offset, length, key, fail_immediately, exclusive))
NTIO_SERVICE(UnlockFile,
             (HANDLE file, PIO_STATUS_BLOCK iosb, PLARGE_INTEGER offset, PLARGE_INTEGER length, ULONG key),
             (file, iosb, offset, length, key))
NTIO_SERVICE(FlushBuffersFile, (HANDLE file, PIO_STATUS_BLOCK iosb), (file, iosb))
NTIO_SERVICE(FlushBuffersFileEx,
             (HANDLE file, ULONG flags, PVOID parameters, ULONG parameters_bytes, PIO_STATUS_BLOCK iosb),
             (file, flags, parameters, parameters_bytes, iosb))
NTIO_SERVICE(DeleteFile, (POBJECT_ATTRIBUTES attributes), (attributes))
NTIO_SERVICE(CancelIoFile, (HANDLE file, PIO_STATUS_BLOCK iosb), (file, iosb))
NTIO_SERVICE(CancelIoFileEx, (HANDLE file, PIO_STATUS_BLOCK request, PIO_STATUS_BLOCK iosb), (file, request, iosb))

// --- security: of files, whose file system answers -----------------------------------------------------------------------------

namespace {

constexpr char kFilesOnly[] = "files only: objects of the namespace have no security descriptors here (STATUS_NOT_SUPPORTED)";

Status QuerySecurity(HANDLE handle, SECURITY_INFORMATION information, PVOID descriptor, ULONG length, PULONG needed) {
  const ACCESS_MASK access = (information & SACL_SECURITY_INFORMATION ? ACCESS_SYSTEM_SECURITY : 0) |
                             (information & ~static_cast<ULONG>(SACL_SECURITY_INFORMATION) ? READ_CONTROL : 0);
  io::Ref<FILE_OBJECT> file;
  Status status = io::ReferenceFile(handle, access, io::PreviousMode(), &file);
  if (status == STATUS_OBJECT_TYPE_MISMATCH) return STATUS_NOT_SUPPORTED;
  if (!status.ok()) return status;
  ULONG bytes = 0;
  status = io::QueryFileSecurity(file.get(), information, descriptor, length, &bytes);
  Status written = io::Guarded([&] { ldr::WriteUser(needed, bytes); });
  return written.ok() ? status : written;
}

Status SetSecurity(HANDLE handle, SECURITY_INFORMATION information, PVOID descriptor) {
  const ACCESS_MASK access =
      (information & (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION) ? WRITE_OWNER : 0) |
      (information & DACL_SECURITY_INFORMATION ? WRITE_DAC : 0) |
      (information & SACL_SECURITY_INFORMATION ? ACCESS_SYSTEM_SECURITY : 0);
  io::Ref<FILE_OBJECT> file;
  Status status = io::ReferenceFile(handle, access, io::PreviousMode(), &file);
  if (status == STATUS_OBJECT_TYPE_MISMATCH) return STATUS_NOT_SUPPORTED;
  return status.ok() ? io::SetFileSecurity(file.get(), information, descriptor) : status;
}

}  // namespace

NT_EXPORT_PARTIAL(NTSTATUS, ZwQuerySecurityObject,
                  (HANDLE handle, SECURITY_INFORMATION information, PSECURITY_DESCRIPTOR descriptor, ULONG length,
                   PULONG needed),
                  (handle, information, descriptor, length, needed), kFilesOnly) {
  ke::PreviousModeScope scope(KernelMode);
  return QuerySecurity(handle, information, descriptor, length, needed);
}
NT_EXPORT_PARTIAL(NTSTATUS, NtQuerySecurityObject,
                  (HANDLE handle, SECURITY_INFORMATION information, PSECURITY_DESCRIPTOR descriptor, ULONG length,
                   PULONG needed),
                  (handle, information, descriptor, length, needed), kFilesOnly) {
  return QuerySecurity(handle, information, descriptor, length, needed);
}
NT_EXPORT_PARTIAL(NTSTATUS, ZwSetSecurityObject,
                  (HANDLE handle, SECURITY_INFORMATION information, PSECURITY_DESCRIPTOR descriptor),
                  (handle, information, descriptor), kFilesOnly) {
  ke::PreviousModeScope scope(KernelMode);
  return SetSecurity(handle, information, descriptor);
}
NT_EXPORT_PARTIAL(NTSTATUS, NtSetSecurityObject,
                  (HANDLE handle, SECURITY_INFORMATION information, PSECURITY_DESCRIPTOR descriptor),
                  (handle, information, descriptor), kFilesOnly) {
  return SetSecurity(handle, information, descriptor);
}
