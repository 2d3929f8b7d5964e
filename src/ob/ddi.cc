// The exports of the object manager.
#include "ntifs.h"
#include "src/base/check.h"
#include "src/ke/ke.h"
#include "src/ke/service.h"
#include "src/ldr/export.h"
#include "src/ldr/user_access.h"
#include "src/ob/ob.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(NTSTATUS, ObReferenceObjectByHandle,
          (HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode, PVOID* object,
           POBJECT_HANDLE_INFORMATION information),
          (handle, access, type, mode, object, information)) {
  return ob::ReferenceObjectByHandle(handle, access, type, mode, object, information);
}

NT_EXPORT(NTSTATUS, ObReferenceObjectByHandleWithTag,
          (HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode, ULONG tag, PVOID* object,
           POBJECT_HANDLE_INFORMATION information),
          (handle, access, type, mode, tag, object, information)) {
  static_cast<void>(tag);
  return ob::ReferenceObjectByHandle(handle, access, type, mode, object, information);
}

NT_EXPORT(NTSTATUS, ObReferenceObjectByPointer,
          (PVOID object, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode), (object, access, type, mode)) {
  return ob::ReferenceObjectByPointer(object, access, type, mode);
}

NT_EXPORT(LONG_PTR, ObfReferenceObject, (PVOID object), (object)) {
  ob::ReferenceObject(object);
  return ob::PointerCount(object);
}

// The count that is returned is for debugging only (as documented); after the last reference it is 0.
NT_EXPORT(LONG_PTR, ObfDereferenceObject, (PVOID object), (object)) {
  const LONG_PTR before = ob::PointerCount(object);
  ob::DereferenceObject(object);
  return before - 1;
}

NT_EXPORT(VOID, ObDereferenceObjectDeferDelete, (PVOID object), (object)) { ob::DereferenceObject(object); }

NT_EXPORT(NTSTATUS, ObOpenObjectByPointer,
          (PVOID object, ULONG attributes, PACCESS_STATE access_state, ACCESS_MASK access, POBJECT_TYPE type,
           KPROCESSOR_MODE mode, PHANDLE handle),
          (object, attributes, access_state, access, type, mode, handle)) {
  return ob::OpenObjectByPointer(object, attributes, access_state, access, type, mode, handle);
}

NT_EXPORT(NTSTATUS, ObQueryNameString,
          (PVOID object, POBJECT_NAME_INFORMATION name, ULONG bytes, PULONG needed), (object, name, bytes, needed)) {
  return ob::QueryNameString(object, name, bytes, needed);
}

NT_EXPORT(NTSTATUS, ObCloseHandle, (HANDLE handle, KPROCESSOR_MODE mode), (handle, mode)) {
  return ob::Close(handle, mode);
}

NT_EXPORT(VOID, ObMakeTemporaryObject, (PVOID object), (object)) { ob::MakeTemporaryObject(object); }

NT_EXPORT(BOOLEAN, ObIsKernelHandle, (HANDLE handle), (handle)) { return ob::IsKernelHandle(handle); }

NT_EXPORT(NTSTATUS, ZwClose, (HANDLE handle), (handle)) { return ob::Close(handle, KernelMode); }

NT_EXPORT(NTSTATUS, NtClose, (HANDLE handle), (handle)) { return ob::Close(handle, ke::CurrentThread()->previous_mode); }

NT_EXPORT(NTSTATUS, ZwMakeTemporaryObject, (HANDLE handle), (handle)) {
  void* object;
  NT_TRY(ob::ReferenceObjectByHandle(handle, DELETE, nullptr, KernelMode, &object, nullptr));
  ob::MakeTemporaryObject(object);
  ob::DereferenceObject(object);
  return STATUS_SUCCESS;
}

NT_EXPORT(NTSTATUS, ZwOpenSymbolicLinkObject, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes),
          (handle, access, attributes)) {
  return ob::OpenObjectByName(attributes, ob::g_symbolic_link_type, KernelMode, nullptr, access, nullptr, handle);
}

NT_EXPORT(NTSTATUS, ZwQuerySymbolicLinkObject, (HANDLE handle, PUNICODE_STRING target, PULONG needed),
          (handle, target, needed)) {
  void* link;
  NT_TRY(ob::ReferenceObjectByHandle(handle, 1, ob::g_symbolic_link_type, KernelMode, &link, nullptr));
  Status status = ob::QuerySymbolicLink(link, target, needed);
  ob::DereferenceObject(link);
  return status;
}

NT_EXPORT(NTSTATUS, ZwOpenDirectoryObject, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes),
          (handle, access, attributes)) {
  return ob::OpenObjectByName(attributes, ob::g_directory_type, KernelMode, nullptr, access, nullptr, handle);
}

namespace {

Status Duplicate(HANDLE source_process, HANDLE source, HANDLE target_process, HANDLE* target, ACCESS_MASK access,
                 ULONG attributes, ULONG options) {
  HANDLE made = nullptr;
  const bool user = ke::CurrentThread()->previous_mode != KernelMode;
  try {
    if (target && user) ldr::ProbeForWrite(target, sizeof(HANDLE), alignof(HANDLE));
    NT_TRY(ob::DuplicateObject(source_process, source, target_process, access, attributes, options, &made));
    if (target && user)
      ldr::WriteUser(target, made);
    else if (target)
      *target = made;
  } catch (const SehException& exception) {
    return exception.code();
  }
  return STATUS_SUCCESS;
}

}  // namespace

NT_EXPORT(NTSTATUS, ZwDuplicateObject,
          (HANDLE source_process, HANDLE source, HANDLE target_process, PHANDLE target, ACCESS_MASK access,
           ULONG attributes, ULONG options),
          (source_process, source, target_process, target, access, attributes, options)) {
  const ke::PreviousModeScope mode(KernelMode);
  return Duplicate(source_process, source, target_process, target, access, attributes, options);
}

NT_EXPORT(NTSTATUS, NtDuplicateObject,
          (HANDLE source_process, HANDLE source, HANDLE target_process, PHANDLE target, ACCESS_MASK access,
           ULONG attributes, ULONG options),
          (source_process, source, target_process, target, access, attributes, options)) {
  return Duplicate(source_process, source, target_process, target, access, attributes, options);
}
