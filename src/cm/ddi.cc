// Exports: Zw*Key and Nt*Key, the registry routines of Rtl.
#include "src/cm/cm.h"
#include "src/ke/service.h"
#include "src/ldr/export.h"

namespace cm = nt::cm;

// An Nt service runs in the caller's previous mode, its Zw twin in kernel mode.
#define CM_SERVICE(Name, Params, Args)                                                        \
  NT_EXPORT(NTSTATUS, Zw##Name, Params, Args) {                                               \
    nt::ke::PreviousModeScope mode(KernelMode);                                               \
    return cm::Nt##Name Args;                                                                 \
  }                                                                                           \
  NT_EXPORT(NTSTATUS, Nt##Name, Params, Args) { return cm::Nt##Name Args; }

CM_SERVICE(CreateKey,
           (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, ULONG title, PUNICODE_STRING class_name,
            ULONG options, PULONG disposition),
           (handle, access, attributes, title, class_name, options, disposition))
CM_SERVICE(OpenKey, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes), (handle, access, attributes))
CM_SERVICE(OpenKeyEx, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, ULONG options),
           (handle, access, attributes, options))
CM_SERVICE(DeleteKey, (HANDLE handle), (handle))
CM_SERVICE(DeleteValueKey, (HANDLE handle, PUNICODE_STRING name), (handle, name))
CM_SERVICE(RenameKey, (HANDLE handle, PUNICODE_STRING name), (handle, name))
CM_SERVICE(FlushKey, (HANDLE handle), (handle))
CM_SERVICE(EnumerateKey,
           (HANDLE handle, ULONG index, KEY_INFORMATION_CLASS information_class, PVOID information, ULONG bytes,
            PULONG needed),
           (handle, index, information_class, information, bytes, needed))
CM_SERVICE(EnumerateValueKey,
           (HANDLE handle, ULONG index, KEY_VALUE_INFORMATION_CLASS information_class, PVOID information, ULONG bytes,
            PULONG needed),
           (handle, index, information_class, information, bytes, needed))
CM_SERVICE(QueryKey,
           (HANDLE handle, KEY_INFORMATION_CLASS information_class, PVOID information, ULONG bytes, PULONG needed),
           (handle, information_class, information, bytes, needed))
CM_SERVICE(QueryValueKey,
           (HANDLE handle, PUNICODE_STRING name, KEY_VALUE_INFORMATION_CLASS information_class, PVOID information,
            ULONG bytes, PULONG needed),
           (handle, name, information_class, information, bytes, needed))
CM_SERVICE(SetValueKey, (HANDLE handle, PUNICODE_STRING name, ULONG title, ULONG type, PVOID data, ULONG bytes),
           (handle, name, title, type, data, bytes))

#define CM_SERVICE_PARTIAL(Name, Params, Args, Reason)                                        \
  NT_EXPORT_PARTIAL(NTSTATUS, Zw##Name, Params, Args, Reason) {                               \
    nt::ke::PreviousModeScope mode(KernelMode);                                               \
    return cm::Nt##Name Args;                                                                 \
  }                                                                                           \
  NT_EXPORT_PARTIAL(NTSTATUS, Nt##Name, Params, Args, Reason) { return cm::Nt##Name Args; }

CM_SERVICE_PARTIAL(SetInformationKey,
                   (HANDLE handle, KEY_SET_INFORMATION_CLASS information_class, PVOID information, ULONG bytes),
                   (handle, information_class, information, bytes), "KeyWriteTimeInformation only")
CM_SERVICE_PARTIAL(NotifyChangeKey,
                   (HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc_routine, PVOID apc_context,
                    PIO_STATUS_BLOCK io_status, ULONG filter, BOOLEAN watch_tree, PVOID buffer, ULONG buffer_bytes,
                    BOOLEAN asynchronous),
                   (handle, event, apc_routine, apc_context, io_status, filter, watch_tree, buffer, buffer_bytes,
                    asynchronous),
                   "no user-mode APC routines")

NT_EXPORT(NTSTATUS, RtlQueryRegistryValues,
          (ULONG relative_to, PCWSTR path, PRTL_QUERY_REGISTRY_TABLE table, PVOID context, PVOID environment),
          (relative_to, path, table, context, environment)) {
  return cm::QueryRegistryValues(relative_to, path, table, context, environment);
}
NT_EXPORT(NTSTATUS, RtlQueryRegistryValuesEx,
          (ULONG relative_to, PCWSTR path, PRTL_QUERY_REGISTRY_TABLE table, PVOID context, PVOID environment),
          (relative_to, path, table, context, environment)) {
  return cm::QueryRegistryValues(relative_to, path, table, context, environment);
}
NT_EXPORT(NTSTATUS, RtlWriteRegistryValue,
          (ULONG relative_to, PCWSTR path, PCWSTR name, ULONG type, PVOID data, ULONG bytes),
          (relative_to, path, name, type, data, bytes)) {
  return cm::WriteRegistryValue(relative_to, path, name, type, data, bytes);
}
NT_EXPORT(NTSTATUS, RtlDeleteRegistryValue, (ULONG relative_to, PCWSTR path, PCWSTR name), (relative_to, path, name)) {
  return cm::DeleteRegistryValue(relative_to, path, name);
}
NT_EXPORT(NTSTATUS, RtlCreateRegistryKey, (ULONG relative_to, PWSTR path), (relative_to, path)) {
  return cm::CreateRegistryKey(relative_to, path);
}
NT_EXPORT(NTSTATUS, RtlCheckRegistryKey, (ULONG relative_to, PWSTR path), (relative_to, path)) {
  return cm::CheckRegistryKey(relative_to, path);
}
