// Exports: directory change notification, volume events, tunnel caches.
#include "ntifs.h"
#include "src/fsrtl/fsrtl.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(VOID, FsRtlNotifyInitializeSync, (PNOTIFY_SYNC *notify_sync), (notify_sync)) {
  fsrtl::NotifyInitializeSync(notify_sync);
}
NT_EXPORT(VOID, FsRtlNotifyUninitializeSync, (PNOTIFY_SYNC *notify_sync), (notify_sync)) {
  fsrtl::NotifyUninitializeSync(notify_sync);
}
NT_EXPORT(VOID, FsRtlNotifyFilterChangeDirectory,
          (PNOTIFY_SYNC notify_sync, PLIST_ENTRY notify_list, PVOID fs_context, PSTRING full_directory_name,
           BOOLEAN watch_tree, BOOLEAN ignore_buffer, ULONG completion_filter, PIRP notify_irp,
           PCHECK_FOR_TRAVERSE_ACCESS traverse_callback, PSECURITY_SUBJECT_CONTEXT subject_context,
           PFILTER_REPORT_CHANGE filter_callback),
          (notify_sync, notify_list, fs_context, full_directory_name, watch_tree, ignore_buffer, completion_filter,
           notify_irp, traverse_callback, subject_context, filter_callback)) {
  fsrtl::NotifyFilterChangeDirectory(notify_sync, notify_list, fs_context, full_directory_name, watch_tree,
      ignore_buffer, completion_filter, notify_irp, traverse_callback, subject_context, filter_callback);
}
NT_EXPORT(VOID, FsRtlNotifyFullChangeDirectory,
          (PNOTIFY_SYNC notify_sync, PLIST_ENTRY notify_list, PVOID fs_context, PSTRING full_directory_name,
           BOOLEAN watch_tree, BOOLEAN ignore_buffer, ULONG completion_filter, PIRP notify_irp,
           PCHECK_FOR_TRAVERSE_ACCESS traverse_callback, PSECURITY_SUBJECT_CONTEXT subject_context),
          (notify_sync, notify_list, fs_context, full_directory_name, watch_tree, ignore_buffer, completion_filter,
           notify_irp, traverse_callback, subject_context)) {
  fsrtl::NotifyFilterChangeDirectory(notify_sync, notify_list, fs_context, full_directory_name, watch_tree,
      ignore_buffer, completion_filter, notify_irp, traverse_callback, subject_context, nullptr);
}
NT_EXPORT(VOID, FsRtlNotifyChangeDirectory,
          (PNOTIFY_SYNC notify_sync, PVOID fs_context, PSTRING full_directory_name, PLIST_ENTRY notify_list,
           BOOLEAN watch_tree, ULONG completion_filter, PIRP notify_irp),
          (notify_sync, fs_context, full_directory_name, notify_list, watch_tree, completion_filter, notify_irp)) {
  fsrtl::NotifyFilterChangeDirectory(notify_sync, notify_list, fs_context, full_directory_name, watch_tree, true,
      completion_filter, notify_irp, nullptr, nullptr, nullptr);
}
NT_EXPORT(VOID, FsRtlNotifyFilterReportChange,
          (PNOTIFY_SYNC notify_sync, PLIST_ENTRY notify_list, PSTRING full_target_name, USHORT target_name_offset,
           PSTRING stream_name, PSTRING normalized_parent_name, ULONG filter_match, ULONG action,
           PVOID target_context, PVOID filter_context),
          (notify_sync, notify_list, full_target_name, target_name_offset, stream_name, normalized_parent_name,
           filter_match, action, target_context, filter_context)) {
  fsrtl::NotifyFilterReportChange(notify_sync, notify_list, full_target_name, target_name_offset, stream_name,
      normalized_parent_name, filter_match, action, target_context, filter_context);
}
NT_EXPORT(VOID, FsRtlNotifyFullReportChange,
          (PNOTIFY_SYNC notify_sync, PLIST_ENTRY notify_list, PSTRING full_target_name, USHORT target_name_offset,
           PSTRING stream_name, PSTRING normalized_parent_name, ULONG filter_match, ULONG action,
           PVOID target_context),
          (notify_sync, notify_list, full_target_name, target_name_offset, stream_name, normalized_parent_name,
           filter_match, action, target_context)) {
  fsrtl::NotifyFilterReportChange(notify_sync, notify_list, full_target_name, target_name_offset, stream_name,
      normalized_parent_name, filter_match, action, target_context, nullptr);
}
NT_EXPORT(VOID, FsRtlNotifyReportChange,
          (PNOTIFY_SYNC notify_sync, PLIST_ENTRY notify_list, PSTRING full_target_name,
           PUSHORT file_name_part_length, ULONG filter_match),
          (notify_sync, notify_list, full_target_name, file_name_part_length, filter_match)) {
  const auto offset = static_cast<USHORT>(full_target_name->Length - *file_name_part_length);
  fsrtl::NotifyFilterReportChange(notify_sync, notify_list, full_target_name, offset, nullptr, nullptr, filter_match,
      0, nullptr, nullptr);
}
NT_EXPORT(VOID, FsRtlNotifyCleanup,
          (PNOTIFY_SYNC notify_sync, PLIST_ENTRY notify_list, PVOID fs_context),
          (notify_sync, notify_list, fs_context)) {
  fsrtl::NotifyCleanup(notify_sync, notify_list, fs_context);
}
NT_EXPORT(VOID, FsRtlNotifyCleanupAll,
          (PNOTIFY_SYNC notify_sync, PLIST_ENTRY notify_list),
          (notify_sync, notify_list)) {
  fsrtl::NotifyCleanupAll(notify_sync, notify_list);
}
NT_EXPORT(NTSTATUS, FsRtlNotifyVolumeEvent, (PFILE_OBJECT file, ULONG event_code), (file, event_code)) {
  return fsrtl::NotifyVolumeEvent(file, event_code);
}
NT_EXPORT(NTSTATUS, FsRtlNotifyVolumeEventEx,
          (PFILE_OBJECT file, ULONG event_code, struct _TARGET_DEVICE_CUSTOM_NOTIFICATION *event),
          (file, event_code, event)) {
  return fsrtl::NotifyVolumeEventEx(file, event_code, event);
}
NT_EXPORT(VOID, FsRtlInitializeTunnelCache, (PTUNNEL cache), (cache)) { fsrtl::InitializeTunnelCache(cache); }
NT_EXPORT(VOID, FsRtlAddToTunnelCache,
          (PTUNNEL cache, ULONGLONG directory_key, PUNICODE_STRING short_name, PUNICODE_STRING long_name,
           BOOLEAN key_by_short_name, ULONG data_length, PVOID data),
          (cache, directory_key, short_name, long_name, key_by_short_name, data_length, data)) {
  fsrtl::AddToTunnelCacheEx(cache, directory_key, short_name, long_name,
      key_by_short_name ? FSRTL_ADD_TC_KEY_BY_SHORT_NAME : 0, data_length, data);
}
NT_EXPORT(VOID, FsRtlAddToTunnelCacheEx,
          (PTUNNEL cache, ULONGLONG directory_key, PUNICODE_STRING short_name, PUNICODE_STRING long_name,
           ULONG flags, ULONG data_length, PVOID data),
          (cache, directory_key, short_name, long_name, flags, data_length, data)) {
  fsrtl::AddToTunnelCacheEx(cache, directory_key, short_name, long_name, flags, data_length, data);
}
NT_EXPORT(BOOLEAN, FsRtlFindInTunnelCache,
          (PTUNNEL cache, ULONGLONG directory_key, PUNICODE_STRING name, PUNICODE_STRING short_name,
           PUNICODE_STRING long_name, PULONG data_length, PVOID data),
          (cache, directory_key, name, short_name, long_name, data_length, data)) {
  return fsrtl::FindInTunnelCacheEx(cache, directory_key, name, short_name, long_name, 0, data_length, data);
}
NT_EXPORT(BOOLEAN, FsRtlFindInTunnelCacheEx,
          (PTUNNEL cache, ULONGLONG directory_key, PUNICODE_STRING name, PUNICODE_STRING short_name,
           PUNICODE_STRING long_name, ULONG flags, PULONG data_length, PVOID data),
          (cache, directory_key, name, short_name, long_name, flags, data_length, data)) {
  return fsrtl::FindInTunnelCacheEx(cache, directory_key, name, short_name, long_name, flags, data_length, data);
}
NT_EXPORT(VOID, FsRtlDeleteKeyFromTunnelCache, (PTUNNEL cache, ULONGLONG directory_key), (cache, directory_key)) {
  fsrtl::DeleteKeyFromTunnelCache(cache, directory_key);
}
NT_EXPORT(VOID, FsRtlDeleteTunnelCache, (PTUNNEL cache), (cache)) { fsrtl::DeleteTunnelCache(cache); }
