// The configuration manager: the registry, in memory, made anew at each boot.
//
// A key object (type Key) is one opening of a registry key; each handle has its own. Names lie below \Registry:
// \Registry\Machine and \Registry\User. CurrentControlSet is a link to ControlSet001, as on Windows. Nothing is stored on
// disk; LoadRegFile and LoadInf bring content in. Zw*Key are the Nt services here with previous mode kernel.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::cm {

/// Needs ob and se. Creates the type Key, \Registry and the keys that every Windows has.
Status Boot();
/// Handles to keys must be closed. Drops all content.
void Shutdown();

// --- content from files (reg_file.cc, inf_file.cc) --------------------------------------------------------------------------

/// Merges a .reg file ("Windows Registry Editor Version 5.00" or "REGEDIT4"), UTF-16LE with a byte order mark or UTF-8. A
/// file with an error changes nothing.
/// @param why  "line 7: ..." when it fails
/// @returns STATUS_REGISTRY_CORRUPT for an error in the text, or the status of the key operation that failed
Status LoadRegFile(std::string_view text, std::string* why);
/// Does what installing a driver's .inf would do to the registry: AddService, AddReg, DelReg of its default install section,
/// or of the models' install sections when it has none. Files are not copied. An error in the text changes nothing.
/// @param why  "line 7: ..." when it fails
Status LoadInf(std::string_view text, std::string* why);

// --- for the runtime: absolute paths, kernel rights (registry_access.cc) -----------------------------------------------------

inline constexpr char16_t kServicesPath[] = u"\\Registry\\Machine\\System\\CurrentControlSet\\Services";
inline constexpr char16_t kControlPath[] = u"\\Registry\\Machine\\System\\CurrentControlSet\\Control";

struct Value {
  ULONG type = REG_NONE;
  std::vector<UCHAR> data;
};

/// Creates a key and every missing one above it; no error when it exists.
Status CreateKey(std::u16string_view path);
bool KeyExists(std::u16string_view path);
/// Deletes a key with all below. STATUS_CANNOT_DELETE for the roots.
Status DeleteTree(std::u16string_view path);
/// Creates the key when it is missing.
Status SetValue(std::u16string_view path, std::u16string_view name, ULONG type, const void* data, size_t bytes);
Status SetDword(std::u16string_view path, std::u16string_view name, ULONG value);
/// @param type  REG_SZ or REG_EXPAND_SZ; the terminator is added
Status SetString(std::u16string_view path, std::u16string_view name, std::u16string_view text, ULONG type = REG_SZ);
Status DeleteValue(std::u16string_view path, std::u16string_view name);
/// STATUS_OBJECT_NAME_NOT_FOUND: no such key or value.
Result<Value> QueryValue(std::u16string_view path, std::u16string_view name);
/// STATUS_OBJECT_TYPE_MISMATCH: the value is no DWORD.
Result<ULONG> QueryDword(std::u16string_view path, std::u16string_view name);
/// REG_SZ or REG_EXPAND_SZ, without terminator and not expanded.
Result<std::u16string> QueryString(std::u16string_view path, std::u16string_view name);
/// Names of the subkeys, sorted.
Result<std::vector<std::u16string>> SubKeys(std::u16string_view path);
Result<std::vector<std::u16string>> ValueNames(std::u16string_view path);

// --- services (key_services.cc, query.cc, notify.cc): parameters as documented for the Zw routines ---------------------------

Status NtCreateKey(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, ULONG title_index,
                   PUNICODE_STRING class_name, ULONG options, PULONG disposition);
Status NtOpenKey(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes);
Status NtOpenKeyEx(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, ULONG options);
Status NtDeleteKey(HANDLE handle);
Status NtDeleteValueKey(HANDLE handle, PUNICODE_STRING name);
Status NtRenameKey(HANDLE handle, PUNICODE_STRING name);
Status NtFlushKey(HANDLE handle);
Status NtEnumerateKey(HANDLE handle, ULONG index, KEY_INFORMATION_CLASS information_class, PVOID information, ULONG bytes,
                      PULONG needed);
Status NtEnumerateValueKey(HANDLE handle, ULONG index, KEY_VALUE_INFORMATION_CLASS information_class, PVOID information,
                           ULONG bytes, PULONG needed);
Status NtQueryKey(HANDLE handle, KEY_INFORMATION_CLASS information_class, PVOID information, ULONG bytes, PULONG needed);
Status NtQueryValueKey(HANDLE handle, PUNICODE_STRING name, KEY_VALUE_INFORMATION_CLASS information_class,
                       PVOID information, ULONG bytes, PULONG needed);
Status NtSetValueKey(HANDLE handle, PUNICODE_STRING name, ULONG title_index, ULONG type, PVOID data, ULONG bytes);
Status NtSetInformationKey(HANDLE handle, KEY_SET_INFORMATION_CLASS information_class, PVOID information, ULONG bytes);
/// Kernel mode: `apc_routine` is a WORK_QUEUE_ITEM and `apc_context` its WORK_QUEUE_TYPE, as documented.
Status NtNotifyChangeKey(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc_routine, PVOID apc_context,
                         PIO_STATUS_BLOCK io_status, ULONG filter, BOOLEAN watch_tree, PVOID buffer, ULONG buffer_bytes,
                         BOOLEAN asynchronous);

// --- Rtl*Registry* (rtl_registry.cc) -------------------------------------------------------------------------------------------

Status QueryRegistryValues(ULONG relative_to, PCWSTR path, PRTL_QUERY_REGISTRY_TABLE table, PVOID context,
                           PVOID environment);
Status WriteRegistryValue(ULONG relative_to, PCWSTR path, PCWSTR name, ULONG type, PVOID data, ULONG bytes);
Status DeleteRegistryValue(ULONG relative_to, PCWSTR path, PCWSTR name);
Status CreateRegistryKey(ULONG relative_to, PCWSTR path);
Status CheckRegistryKey(ULONG relative_to, PCWSTR path);

}  // namespace nt::cm
