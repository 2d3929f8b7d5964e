// Exports: cached copy, MDL transfers, sizes and acquiring of files.
#include "ntifs.h"
#include "src/fsrtl/fsrtl.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(BOOLEAN, FsRtlCopyRead,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, ULONG length, BOOLEAN wait, ULONG lock_key, PVOID buffer,
           PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device_object),
          (file, file_offset, length, wait, lock_key, buffer, io_status, device_object)) {
  return fsrtl::CopyRead(file, file_offset, length, wait, lock_key, buffer, io_status, device_object);
}
NT_EXPORT(BOOLEAN, FsRtlCopyWrite,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, ULONG length, BOOLEAN wait, ULONG lock_key, PVOID buffer,
           PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device_object),
          (file, file_offset, length, wait, lock_key, buffer, io_status, device_object)) {
  return fsrtl::CopyWrite(file, file_offset, length, wait, lock_key, buffer, io_status, device_object);
}
NT_EXPORT(BOOLEAN, FsRtlMdlRead,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, ULONG length, ULONG lock_key, PMDL *mdl_chain,
           PIO_STATUS_BLOCK io_status),
          (file, file_offset, length, lock_key, mdl_chain, io_status)) {
  return fsrtl::MdlRead(file, file_offset, length, lock_key, mdl_chain, io_status);
}
NT_EXPORT(NTSTATUS, FsRtlMdlReadEx,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, ULONG length, ULONG lock_key, PMDL *mdl_chain,
           PIO_STATUS_BLOCK io_status),
          (file, file_offset, length, lock_key, mdl_chain, io_status)) {
  return fsrtl::MdlReadEx(file, file_offset, length, lock_key, mdl_chain, io_status);
}
NT_EXPORT(BOOLEAN, FsRtlMdlReadDev,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, ULONG length, ULONG lock_key, PMDL *mdl_chain,
           PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device_object),
          (file, file_offset, length, lock_key, mdl_chain, io_status, device_object)) {
  return fsrtl::MdlReadDev(file, file_offset, length, lock_key, mdl_chain, io_status, device_object);
}
NT_EXPORT(BOOLEAN, FsRtlMdlReadComplete, (PFILE_OBJECT file, PMDL mdl_chain), (file, mdl_chain)) {
  return fsrtl::MdlReadComplete(file, mdl_chain);
}
NT_EXPORT(BOOLEAN, FsRtlMdlReadCompleteDev,
          (PFILE_OBJECT file, PMDL mdl_chain, PDEVICE_OBJECT device_object),
          (file, mdl_chain, device_object)) {
  return fsrtl::MdlReadCompleteDev(file, mdl_chain, device_object);
}
NT_EXPORT(BOOLEAN, FsRtlPrepareMdlWrite,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, ULONG length, ULONG lock_key, PMDL *mdl_chain,
           PIO_STATUS_BLOCK io_status),
          (file, file_offset, length, lock_key, mdl_chain, io_status)) {
  return fsrtl::PrepareMdlWrite(file, file_offset, length, lock_key, mdl_chain, io_status);
}
NT_EXPORT(NTSTATUS, FsRtlPrepareMdlWriteEx,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, ULONG length, ULONG lock_key, PMDL *mdl_chain,
           PIO_STATUS_BLOCK io_status),
          (file, file_offset, length, lock_key, mdl_chain, io_status)) {
  return fsrtl::PrepareMdlWriteEx(file, file_offset, length, lock_key, mdl_chain, io_status);
}
NT_EXPORT(BOOLEAN, FsRtlPrepareMdlWriteDev,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, ULONG length, ULONG lock_key, PMDL *mdl_chain,
           PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device_object),
          (file, file_offset, length, lock_key, mdl_chain, io_status, device_object)) {
  return fsrtl::PrepareMdlWriteDev(file, file_offset, length, lock_key, mdl_chain, io_status, device_object);
}
NT_EXPORT(BOOLEAN, FsRtlMdlWriteComplete,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, PMDL mdl_chain),
          (file, file_offset, mdl_chain)) {
  return fsrtl::MdlWriteComplete(file, file_offset, mdl_chain);
}
NT_EXPORT(BOOLEAN, FsRtlMdlWriteCompleteDev,
          (PFILE_OBJECT file, PLARGE_INTEGER file_offset, PMDL mdl_chain, PDEVICE_OBJECT device_object),
          (file, file_offset, mdl_chain, device_object)) {
  return fsrtl::MdlWriteCompleteDev(file, file_offset, mdl_chain, device_object);
}
NT_EXPORT(VOID, FsRtlIncrementCcFastReadNotPossible, (), ()) {
  fsrtl::CountFastRead(fsrtl::FastReadEvent::kNotPossible);
}
NT_EXPORT(VOID, FsRtlIncrementCcFastReadWait, (), ()) { fsrtl::CountFastRead(fsrtl::FastReadEvent::kWait); }
NT_EXPORT(VOID, FsRtlIncrementCcFastReadNoWait, (), ()) { fsrtl::CountFastRead(fsrtl::FastReadEvent::kNoWait); }
NT_EXPORT(VOID, FsRtlIncrementCcFastReadResourceMiss, (), ()) {
  fsrtl::CountFastRead(fsrtl::FastReadEvent::kResourceMiss);
}
NT_EXPORT(LOGICAL, FsRtlIsPagingFile, (PFILE_OBJECT file), (file)) { return fsrtl::IsPagingFile(file); }
NT_EXPORT(LOGICAL, FsRtlIsSystemPagingFile, (PFILE_OBJECT file), (file)) { return fsrtl::IsPagingFile(file); }
NT_EXPORT(VOID, FsRtlAcquireFileExclusive, (PFILE_OBJECT file), (file)) { fsrtl::AcquireFileExclusive(file); }
NT_EXPORT(VOID, FsRtlReleaseFile, (PFILE_OBJECT file), (file)) { fsrtl::ReleaseFile(file); }
NT_EXPORT(NTSTATUS, FsRtlGetFileSize, (PFILE_OBJECT file, PLARGE_INTEGER file_size), (file, file_size)) {
  return fsrtl::GetFileSize(file, file_size);
}
NT_EXPORT(NTSTATUS, FsRtlRegisterFileSystemFilterCallbacks,
          (struct _DRIVER_OBJECT *filter_driver_object, PFS_FILTER_CALLBACKS callbacks),
          (filter_driver_object, callbacks)) {
  return fsrtl::RegisterFileSystemFilterCallbacks(filter_driver_object, callbacks);
}
