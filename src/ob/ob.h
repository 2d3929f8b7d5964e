// The object manager: counted, typed, optionally named objects; handles; the namespace.
//
// Life of an object: 1. CreateObject: one reference, the creator's. 2. InsertObject gives it a name, a handle, or both; a name
// in the namespace holds a reference until the object becomes temporary. 3. Each handle holds a reference; when the last
// handle goes, the type's Close procedure hears of it and a temporary name is removed. 4. The last reference calls the type's
// Delete procedure and frees the memory, at PASSIVE_LEVEL or APC_LEVEL: a last dereference above that is finished by a worker.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::ps {
struct Process;
}

namespace nt::ob {

/// What a type does at the turns of its objects' lives. Every member may be null.
struct TypeProcedures {
  /// The last reference is gone. Runs at <= APC_LEVEL.
  void (*remove)(void* object) = nullptr;
  /// Access was decided when the object was opened, by its own rules (files): a duplicate has no more than its source.
  bool access_is_fixed = false;
  /// A handle was closed. `process_handles`, `system_handles`: how many the process, and all processes, had, this one
  /// included.
  void (*close)(ps::Process* process, void* object, ACCESS_MASK granted, ULONG_PTR process_handles,
                ULONG_PTR system_handles) = nullptr;
  /// Resolves the rest of a name below an object of this type. STATUS_REPARSE: start again with *complete_name.
  Status (*parse)(void* parse_object, POBJECT_TYPE type, PACCESS_STATE access_state, KPROCESSOR_MODE mode,
                  ULONG attributes, UNICODE_STRING* complete_name, UNICODE_STRING* remaining_name, void* context,
                  PSECURITY_QUALITY_OF_SERVICE quality, void** object) = nullptr;
  /// ObQueryNameString for objects whose names are not in the namespace (files).
  Status (*query_name)(void* object, OBJECT_NAME_INFORMATION* name, ULONG bytes, ULONG* needed) = nullptr;
};

Status Boot();
void Shutdown();

/// @param mapping  what GENERIC_* rights mean for the type
/// @param valid_access  the rights that a handle can have
Status CreateType(const char16_t* name, const TypeProcedures& procedures, const GENERIC_MAPPING& mapping,
                  ACCESS_MASK valid_access, POBJECT_TYPE* type);
inline Status CreateType(const char16_t* name, const TypeProcedures& procedures, POBJECT_TYPE* type) {
  return CreateType(name, procedures, GENERIC_MAPPING{}, GENERIC_ALL | STANDARD_RIGHTS_ALL | SPECIFIC_RIGHTS_ALL, type);
}
const GENERIC_MAPPING& TypeMapping(POBJECT_TYPE type);

// --- objects ---------------------------------------------------------------------------------------------------------------

/// Zeroed body of `body_bytes` in nonpaged pool, with one reference.
Status CreateObject(POBJECT_TYPE type, SIZE_T body_bytes, void** body);
void ReferenceObject(void* object);
void DereferenceObject(void* object);
LONG_PTR PointerCount(const void* object);
ULONG_PTR HandleCount(const void* object);
POBJECT_TYPE TypeOf(const void* object);
const char16_t* TypeName(POBJECT_TYPE type);
Status ReferenceObjectByPointer(void* object, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode);

/// Enters the object into the namespace (when `attributes` names one) and opens a handle to it (when `handle` is not null).
/// On failure the caller still holds its reference. STATUS_OBJECT_NAME_EXISTS with OBJ_OPENIF: *existing is referenced.
Status InsertObject(void* object, OBJECT_ATTRIBUTES* attributes, ACCESS_MASK access, HANDLE* handle,
                    void** existing = nullptr);
/// Names a permanent object (devices, drivers, links of the runtime).
Status InsertPermanent(void* object, const UNICODE_STRING* path);
/// Removes the name; the namespace's reference goes.
void MakeTemporaryObject(void* object);
/// Names below removed objects' parents stay valid; the name of an unnamed object is empty.
Status QueryNameString(void* object, OBJECT_NAME_INFORMATION* name, ULONG bytes, ULONG* needed);
std::u16string NameOf(void* object);

// --- the namespace -----------------------------------------------------------------------------------------------------------

Status OpenObjectByName(OBJECT_ATTRIBUTES* attributes, POBJECT_TYPE type, KPROCESSOR_MODE mode,
                        PACCESS_STATE access_state, ACCESS_MASK access, void* parse_context, HANDLE* handle);
/// As above, without a handle: a reference.
Status ReferenceObjectByName(const UNICODE_STRING* name, ULONG attributes, PACCESS_STATE access_state, ACCESS_MASK access,
                             POBJECT_TYPE type, KPROCESSOR_MODE mode, void* parse_context, void** object);
Status LookupByAttributes(OBJECT_ATTRIBUTES* attributes, POBJECT_TYPE type, KPROCESSOR_MODE mode,
                          PACCESS_STATE access_state, void* parse_context, void** object);
Status OpenObjectByPointer(void* object, ULONG attributes, PACCESS_STATE access_state, ACCESS_MASK access,
                           POBJECT_TYPE type, KPROCESSOR_MODE mode, HANDLE* handle);
/// Creates `path` and names it permanently, e.g. "\\Device".
Status CreateDirectoryObject(const UNICODE_STRING* path);
Status CreateSymbolicLink(const UNICODE_STRING* path, const UNICODE_STRING* target);
Status DeleteSymbolicLink(const UNICODE_STRING* path);
/// Calls `visit` for each entry of a directory, in order of name.
Status EnumerateDirectory(const UNICODE_STRING* path,
                          const std::function<void(const std::u16string& name, void* object)>& visit);
/// NtQuerySymbolicLinkObject's work on a referenced link.
Status QuerySymbolicLink(void* link, UNICODE_STRING* target, ULONG* needed);

// --- handles -------------------------------------------------------------------------------------------------------------------

/// A process's handles. Look-up takes no lock but the entry's own bit.
class HandleTable;
HandleTable* CreateHandleTable();
/// Closes every handle; from then on no handle can be made (STATUS_PROCESS_IS_TERMINATING).
void CloseAllHandles(HandleTable* table, ps::Process* process);
void DeleteHandleTable(HandleTable* table);

Status InsertHandle(void* object, ACCESS_MASK granted, ULONG attributes, HANDLE* handle);
Status ReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode, void** object,
                               OBJECT_HANDLE_INFORMATION* information);
Status Close(HANDLE handle, KPROCESSOR_MODE mode);
/// NtDuplicateObject. `target_process` nullptr with DUPLICATE_CLOSE_SOURCE: the source is closed and that is all. The
/// process handles need PROCESS_DUP_HANDLE.
Status DuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process, ACCESS_MASK access,
                       ULONG attributes, ULONG options, HANDLE* target);
/// The machine's end: closes what handles the kernel and the System process still have to objects of a type.
/// @param visit  called before each is closed
void CloseSystemHandles(POBJECT_TYPE type, const std::function<void(void* object)>& visit);
/// OBJ_KERNEL_HANDLE handles have the top bit set and live in the system process's table.
bool IsKernelHandle(HANDLE handle);

/// MapGenericMask for the type.
ACCESS_MASK MapAccess(POBJECT_TYPE type, ACCESS_MASK access);

extern POBJECT_TYPE g_directory_type, g_symbolic_link_type;

}  // namespace nt::ob
