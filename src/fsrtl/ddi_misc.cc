// Exports: contexts of filters, extra create parameters, volumes, and the rest.
#include "ntifs.h"
#include "src/fsrtl/fsrtl.h"
#include "src/ldr/export.h"
#include "src/ps/ps.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(NTSTATUS, FsRtlInsertPerStreamContext,
          (PFSRTL_ADVANCED_FCB_HEADER per_stream_context, PFSRTL_PER_STREAM_CONTEXT context),
          (per_stream_context, context)) {
  return fsrtl::InsertPerStreamContext(per_stream_context, context);
}
NT_EXPORT(PFSRTL_PER_STREAM_CONTEXT, FsRtlLookupPerStreamContextInternal,
          (PFSRTL_ADVANCED_FCB_HEADER stream_context, PVOID owner_id, PVOID instance_id),
          (stream_context, owner_id, instance_id)) {
  return fsrtl::LookupPerStreamContext(stream_context, owner_id, instance_id);
}
NT_EXPORT(PFSRTL_PER_STREAM_CONTEXT, FsRtlRemovePerStreamContext,
          (PFSRTL_ADVANCED_FCB_HEADER stream_context, PVOID owner_id, PVOID instance_id),
          (stream_context, owner_id, instance_id)) {
  return fsrtl::RemovePerStreamContext(stream_context, owner_id, instance_id);
}
NT_EXPORT(VOID, FsRtlTeardownPerStreamContexts, (PFSRTL_ADVANCED_FCB_HEADER advanced_header), (advanced_header)) {
  fsrtl::TeardownPerStreamContexts(advanced_header);
}
NT_EXPORT(NTSTATUS, FsRtlInsertPerFileContext,
          (PVOID *per_file_context_pointer, PFSRTL_PER_FILE_CONTEXT context),
          (per_file_context_pointer, context)) {
  return fsrtl::InsertPerFileContext(per_file_context_pointer, context);
}
NT_EXPORT(PFSRTL_PER_FILE_CONTEXT, FsRtlLookupPerFileContext,
          (PVOID *per_file_context_pointer, PVOID owner_id, PVOID instance_id),
          (per_file_context_pointer, owner_id, instance_id)) {
  return fsrtl::LookupPerFileContext(per_file_context_pointer, owner_id, instance_id);
}
NT_EXPORT(PFSRTL_PER_FILE_CONTEXT, FsRtlRemovePerFileContext,
          (PVOID *per_file_context_pointer, PVOID owner_id, PVOID instance_id),
          (per_file_context_pointer, owner_id, instance_id)) {
  return fsrtl::RemovePerFileContext(per_file_context_pointer, owner_id, instance_id);
}
NT_EXPORT(VOID, FsRtlTeardownPerFileContexts, (PVOID *per_file_context_pointer), (per_file_context_pointer)) {
  fsrtl::TeardownPerFileContexts(per_file_context_pointer);
}
NT_EXPORT(NTSTATUS, FsRtlInsertPerFileObjectContext,
          (PFILE_OBJECT file, PFSRTL_PER_FILEOBJECT_CONTEXT context),
          (file, context)) {
  return fsrtl::InsertPerFileObjectContext(file, context);
}
NT_EXPORT(PFSRTL_PER_FILEOBJECT_CONTEXT, FsRtlLookupPerFileObjectContext,
          (PFILE_OBJECT file, PVOID owner_id, PVOID instance_id),
          (file, owner_id, instance_id)) {
  return fsrtl::LookupPerFileObjectContext(file, owner_id, instance_id);
}
NT_EXPORT(PFSRTL_PER_FILEOBJECT_CONTEXT, FsRtlRemovePerFileObjectContext,
          (PFILE_OBJECT file, PVOID owner_id, PVOID instance_id),
          (file, owner_id, instance_id)) {
  return fsrtl::RemovePerFileObjectContext(file, owner_id, instance_id);
}
NT_EXPORT(NTSTATUS, FsRtlAllocateExtraCreateParameterList,
          (FSRTL_ALLOCATE_ECPLIST_FLAGS flags, PECP_LIST *ecp_list),
          (flags, ecp_list)) {
  return fsrtl::AllocateExtraCreateParameterList(flags, ecp_list);
}
NT_EXPORT(VOID, FsRtlFreeExtraCreateParameterList, (PECP_LIST ecp_list), (ecp_list)) {
  fsrtl::FreeExtraCreateParameterList(ecp_list);
}
NT_EXPORT(NTSTATUS, FsRtlAllocateExtraCreateParameter,
          (LPCGUID ecp_type, ULONG size_of_context, FSRTL_ALLOCATE_ECP_FLAGS flags,
           PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK cleanup_callback, ULONG pool_tag, PVOID *ecp_context),
          (ecp_type, size_of_context, flags, cleanup_callback, pool_tag, ecp_context)) {
  return fsrtl::AllocateExtraCreateParameter(ecp_type, size_of_context, flags, cleanup_callback, pool_tag,
      ecp_context);
}
NT_EXPORT(VOID, FsRtlFreeExtraCreateParameter, (PVOID ecp_context), (ecp_context)) {
  fsrtl::FreeExtraCreateParameter(ecp_context);
}
NT_EXPORT(VOID, FsRtlInitExtraCreateParameterLookasideList,
          (PVOID lookaside, FSRTL_ECP_LOOKASIDE_FLAGS flags, SIZE_T size, ULONG tag),
          (lookaside, flags, size, tag)) {
  fsrtl::InitExtraCreateParameterLookasideList(lookaside, flags, size, tag);
}
NT_EXPORT(VOID, FsRtlDeleteExtraCreateParameterLookasideList,
          (PVOID lookaside, FSRTL_ECP_LOOKASIDE_FLAGS flags),
          (lookaside, flags)) {
  fsrtl::DeleteExtraCreateParameterLookasideList(lookaside, flags);
}
NT_EXPORT(NTSTATUS, FsRtlAllocateExtraCreateParameterFromLookasideList,
          (LPCGUID ecp_type, ULONG size_of_context, FSRTL_ALLOCATE_ECP_FLAGS flags,
           PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK cleanup_callback, PVOID lookaside_list, PVOID *ecp_context),
          (ecp_type, size_of_context, flags, cleanup_callback, lookaside_list, ecp_context)) {
  return fsrtl::AllocateExtraCreateParameterFromLookasideList(ecp_type, size_of_context, flags, cleanup_callback,
      lookaside_list, ecp_context);
}
NT_EXPORT(NTSTATUS, FsRtlInsertExtraCreateParameter, (PECP_LIST ecp_list, PVOID ecp_context), (ecp_list, ecp_context)) {
  return fsrtl::InsertExtraCreateParameter(ecp_list, ecp_context);
}
NT_EXPORT(NTSTATUS, FsRtlFindExtraCreateParameter,
          (PECP_LIST ecp_list, LPCGUID ecp_type, PVOID *ecp_context, ULONG *ecp_context_size),
          (ecp_list, ecp_type, ecp_context, ecp_context_size)) {
  return fsrtl::FindExtraCreateParameter(ecp_list, ecp_type, ecp_context, ecp_context_size);
}
NT_EXPORT(NTSTATUS, FsRtlRemoveExtraCreateParameter,
          (PECP_LIST ecp_list, LPCGUID ecp_type, PVOID *ecp_context, ULONG *ecp_context_size),
          (ecp_list, ecp_type, ecp_context, ecp_context_size)) {
  return fsrtl::RemoveExtraCreateParameter(ecp_list, ecp_type, ecp_context, ecp_context_size);
}
NT_EXPORT(NTSTATUS, FsRtlGetEcpListFromIrp, (PIRP irp, PECP_LIST *ecp_list), (irp, ecp_list)) {
  return fsrtl::GetEcpListFromIrp(irp, ecp_list);
}
NT_EXPORT(NTSTATUS, FsRtlSetEcpListIntoIrp, (PIRP irp, PECP_LIST ecp_list), (irp, ecp_list)) {
  return fsrtl::SetEcpListIntoIrp(irp, ecp_list);
}
NT_EXPORT(NTSTATUS, FsRtlGetNextExtraCreateParameter,
          (PECP_LIST ecp_list, PVOID current_ecp_context, LPGUID next_ecp_type, PVOID *next_ecp_context,
           ULONG *next_ecp_context_size),
          (ecp_list, current_ecp_context, next_ecp_type, next_ecp_context, next_ecp_context_size)) {
  return fsrtl::GetNextExtraCreateParameter(ecp_list, current_ecp_context, next_ecp_type, next_ecp_context,
      next_ecp_context_size);
}
NT_EXPORT(VOID, FsRtlAcknowledgeEcp, (PVOID ecp_context), (ecp_context)) { fsrtl::AcknowledgeEcp(ecp_context); }
NT_EXPORT(BOOLEAN, FsRtlIsEcpAcknowledged, (PVOID ecp_context), (ecp_context)) {
  return fsrtl::IsEcpAcknowledged(ecp_context);
}
NT_EXPORT(BOOLEAN, FsRtlIsEcpFromUserMode, (PVOID ecp_context), (ecp_context)) {
  return fsrtl::IsEcpFromUserMode(ecp_context);
}
NT_EXPORT(VOID, FsRtlPrepareToReuseEcp, (PVOID ecp_context), (ecp_context)) { fsrtl::PrepareToReuseEcp(ecp_context); }
// The only volumes are those of disk images: nothing mirrors them, nothing checks them before use, nobody waits for a
// dismount to end.
NT_EXPORT(BOOLEAN, FsRtlAreVolumeStartupApplicationsComplete, (), ()) { return TRUE; }
NT_EXPORT(VOID, FsRtlDismountComplete,
          (PDEVICE_OBJECT device_object, NTSTATUS dismount_status),
          (device_object, dismount_status)) {
  static_cast<void>(device_object);
  static_cast<void>(dismount_status);

}
NT_EXPORT(NTSTATUS, FsRtlBalanceReads, (PDEVICE_OBJECT target_device), (target_device)) {
  return fsrtl::BalanceReads(target_device);
}
NT_EXPORT(NTSTATUS, FsRtlSyncVolumes,
          (PDEVICE_OBJECT target_device, PLARGE_INTEGER byte_offset, PLARGE_INTEGER byte_count),
          (target_device, byte_offset, byte_count)) {
  return fsrtl::SyncVolumes(target_device, byte_offset, byte_count);
}
NT_EXPORT(NTSTATUS, FsRtlGetSectorSizeInformation,
          (PDEVICE_OBJECT device_object, PFILE_FS_SECTOR_SIZE_INFORMATION sector_size_info),
          (device_object, sector_size_info)) {
  return fsrtl::GetSectorSizeInformation(device_object, sector_size_info);
}
NT_EXPORT(NTSTATUS, FsRtlValidateReparsePointBuffer,
          (ULONG buffer_length, PREPARSE_DATA_BUFFER reparse_buffer),
          (buffer_length, reparse_buffer)) {
  return fsrtl::ValidateReparsePointBuffer(buffer_length, reparse_buffer);
}
NT_EXPORT(PERESOURCE, FsRtlAllocateResource, (), ()) { return fsrtl::AllocateResource(); }
NT_EXPORT(VOID, FsRtlUpdateDiskCounters, (ULONG64 bytes_read, ULONG64 bytes_written), (bytes_read, bytes_written)) {
  ps::UpdateDiskCounters(ps::GetCurrentProcess(), bytes_read, bytes_written, bytes_read ? 1 : 0,
      bytes_written ? 1 : 0, 0);
}
NT_EXPORT(BOOLEAN, FsRtlIs32BitProcess, (PEPROCESS process), (process)) {
  static_cast<void>(process);
  return FALSE;
}
NT_EXPORT(BOOLEAN, FsRtlIsMobileOS, (), ()) { return FALSE; }
NT_EXPORT(BOOLEAN, FsRtlIsDaxVolume, (PFILE_OBJECT file), (file)) {
  static_cast<void>(file);
  return FALSE;
}
