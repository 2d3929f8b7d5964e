// Exports: access checks, privileges, subject contexts, descriptors of objects, auditing.
#include "ntifs.h"
#include "src/ex/ex.h"
#include "src/ldr/export.h"
#include "src/ps/ps.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace se = nt::se;

NT_EXPORT(BOOLEAN, SeAccessCheck,
          (PSECURITY_DESCRIPTOR descriptor, PSECURITY_SUBJECT_CONTEXT context, BOOLEAN locked, ACCESS_MASK desired,
           ACCESS_MASK previous, PPRIVILEGE_SET* privileges, PGENERIC_MAPPING mapping, KPROCESSOR_MODE mode,
           PACCESS_MASK granted, PNTSTATUS status),
          (descriptor, context, locked, desired, previous, privileges, mapping, mode, granted, status)) {
  return se::AccessCheck(descriptor, context, locked, desired, previous, privileges, mapping, mode, granted, status);
}
NT_EXPORT(VOID, SeFreePrivileges, (PPRIVILEGE_SET privileges), (privileges)) { nt::ex::FreePool(privileges); }
NT_EXPORT(BOOLEAN, SePrivilegeCheck, (PPRIVILEGE_SET required, PSECURITY_SUBJECT_CONTEXT context, KPROCESSOR_MODE mode),
          (required, context, mode)) {
  return se::PrivilegeCheck(required, context, mode);
}
NT_EXPORT(BOOLEAN, SeSinglePrivilegeCheck, (LUID privilege, KPROCESSOR_MODE mode), (privilege, mode)) {
  return se::SinglePrivilegeCheck(privilege, mode);
}

// ---- subject contexts and access states ----

NT_EXPORT(VOID, SeCaptureSubjectContext, (PSECURITY_SUBJECT_CONTEXT context), (context)) {
  se::CaptureSubjectContext(context);
}
NT_EXPORT(VOID, SeCaptureSubjectContextEx, (PETHREAD thread, PEPROCESS process, PSECURITY_SUBJECT_CONTEXT context),
          (thread, process, context)) {
  se::CaptureSubjectContextEx(thread ? nt::ke::AsThread(thread) : nullptr, nt::ps::AsProcess(process), context);
}
NT_EXPORT(VOID, SeReleaseSubjectContext, (PSECURITY_SUBJECT_CONTEXT context), (context)) {
  se::ReleaseSubjectContext(context);
}
// A token's content does not change under a reader, so a captured context needs no lock.
NT_EXPORT(VOID, SeLockSubjectContext, (PSECURITY_SUBJECT_CONTEXT context), (context)) { static_cast<void>(context); }
NT_EXPORT(VOID, SeUnlockSubjectContext, (PSECURITY_SUBJECT_CONTEXT context), (context)) { static_cast<void>(context); }
NT_EXPORT(NTSTATUS, SeCreateAccessState,
          (PACCESS_STATE state, PVOID auxiliary, ACCESS_MASK desired, PGENERIC_MAPPING mapping),
          (state, auxiliary, desired, mapping)) {
  return se::CreateAccessState(state, static_cast<se::AuxAccessData*>(auxiliary), desired, mapping);
}
NT_EXPORT(VOID, SeDeleteAccessState, (PACCESS_STATE state), (state)) { se::DeleteAccessState(state); }
NT_EXPORT(VOID, SeSetAccessStateGenericMapping, (PACCESS_STATE state, PGENERIC_MAPPING mapping), (state, mapping)) {
  se::SetAccessStateGenericMapping(state, mapping);
}
NT_EXPORT(NTSTATUS, SeAppendPrivileges, (PACCESS_STATE state, PPRIVILEGE_SET privileges), (state, privileges)) {
  return se::AppendPrivileges(state, privileges);
}

// ---- descriptors ----

NT_EXPORT(BOOLEAN, SeValidSecurityDescriptor, (ULONG length, PSECURITY_DESCRIPTOR descriptor), (length, descriptor)) {
  return nt::rtl::ValidRelativeSecurityDescriptor(descriptor, length, 0);
}
NT_EXPORT(NTSTATUS, SeAssignSecurity,
          (PSECURITY_DESCRIPTOR parent, PSECURITY_DESCRIPTOR given, PSECURITY_DESCRIPTOR* fresh, BOOLEAN is_directory,
           PSECURITY_SUBJECT_CONTEXT subject, PGENERIC_MAPPING mapping, POOL_TYPE pool),
          (parent, given, fresh, is_directory, subject, mapping, pool)) {
  return se::AssignSecurity(parent, given, fresh, is_directory, subject, mapping, pool);
}
NT_EXPORT_PARTIAL(NTSTATUS, SeAssignSecurityEx,
                  (PSECURITY_DESCRIPTOR parent, PSECURITY_DESCRIPTOR given, PSECURITY_DESCRIPTOR* fresh, GUID* object_type,
                   BOOLEAN is_directory, ULONG flags, PSECURITY_SUBJECT_CONTEXT subject, PGENERIC_MAPPING mapping,
                   POOL_TYPE pool),
                  (parent, given, fresh, object_type, is_directory, flags, subject, mapping, pool),
                  "object ACEs are inherited whatever ObjectType is") {
  return se::AssignSecurityEx(parent, given, fresh, object_type, is_directory, flags, subject, mapping, pool);
}
NT_EXPORT(NTSTATUS, SeDeassignSecurity, (PSECURITY_DESCRIPTOR* descriptor), (descriptor)) {
  return se::DeassignSecurity(descriptor);
}
NT_EXPORT(NTSTATUS, SeQuerySecurityDescriptorInfo,
          (PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR descriptor, PULONG length, PSECURITY_DESCRIPTOR* object),
          (information, descriptor, length, object)) {
  return se::QuerySecurityDescriptorInfo(information, descriptor, length, object);
}
NT_EXPORT(NTSTATUS, SeSetSecurityDescriptorInfo,
          (PVOID object, PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR modification,
           PSECURITY_DESCRIPTOR* descriptor, POOL_TYPE pool, PGENERIC_MAPPING mapping),
          (object, information, modification, descriptor, pool, mapping)) {
  return se::SetSecurityDescriptorInfo(object, information, modification, descriptor, pool, mapping);
}
NT_EXPORT(NTSTATUS, SeSetSecurityDescriptorInfoEx,
          (PVOID object, PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR modification,
           PSECURITY_DESCRIPTOR* descriptor, ULONG flags, POOL_TYPE pool, PGENERIC_MAPPING mapping),
          (object, information, modification, descriptor, flags, pool, mapping)) {
  return se::SetSecurityDescriptorInfoEx(object, information, modification, descriptor, flags, pool, mapping);
}

// ---- auditing: it is off, as on a Windows without an audit policy. Then these say FALSE and do nothing there too. ----

NT_EXPORT(BOOLEAN, SeAuditingFileEvents, (BOOLEAN granted, PSECURITY_DESCRIPTOR descriptor), (granted, descriptor)) {
  static_cast<void>(granted), static_cast<void>(descriptor);
  return FALSE;
}
NT_EXPORT(BOOLEAN, SeAuditingFileOrGlobalEvents,
          (BOOLEAN granted, PSECURITY_DESCRIPTOR descriptor, PSECURITY_SUBJECT_CONTEXT subject),
          (granted, descriptor, subject)) {
  static_cast<void>(granted), static_cast<void>(descriptor), static_cast<void>(subject);
  return FALSE;
}
NT_EXPORT(BOOLEAN, SeAuditingHardLinkEvents, (BOOLEAN granted, PSECURITY_DESCRIPTOR descriptor), (granted, descriptor)) {
  static_cast<void>(granted), static_cast<void>(descriptor);
  return FALSE;
}
NT_EXPORT(BOOLEAN, SeAuditingFileEventsWithContext,
          (BOOLEAN granted, PSECURITY_DESCRIPTOR descriptor, PSECURITY_SUBJECT_CONTEXT subject),
          (granted, descriptor, subject)) {
  static_cast<void>(granted), static_cast<void>(descriptor), static_cast<void>(subject);
  return FALSE;
}
NT_EXPORT(BOOLEAN, SeAuditingHardLinkEventsWithContext,
          (BOOLEAN granted, PSECURITY_DESCRIPTOR descriptor, PSECURITY_SUBJECT_CONTEXT subject),
          (granted, descriptor, subject)) {
  static_cast<void>(granted), static_cast<void>(descriptor), static_cast<void>(subject);
  return FALSE;
}
NT_EXPORT(VOID, SeAuditHardLinkCreation, (PUNICODE_STRING file, PUNICODE_STRING link, BOOLEAN success),
          (file, link, success)) {
  static_cast<void>(file), static_cast<void>(link), static_cast<void>(success);
}
NT_EXPORT(VOID, SeOpenObjectAuditAlarm,
          (PUNICODE_STRING type, PVOID object, PUNICODE_STRING name, PSECURITY_DESCRIPTOR descriptor, PACCESS_STATE state,
           BOOLEAN created, BOOLEAN granted, KPROCESSOR_MODE mode, PBOOLEAN generate_on_close),
          (type, object, name, descriptor, state, created, granted, mode, generate_on_close)) {
  static_cast<void>(type), static_cast<void>(object), static_cast<void>(name), static_cast<void>(descriptor);
  static_cast<void>(state), static_cast<void>(created), static_cast<void>(granted), static_cast<void>(mode);
  *generate_on_close = FALSE;
}
NT_EXPORT(VOID, SeOpenObjectForDeleteAuditAlarm,
          (PUNICODE_STRING type, PVOID object, PUNICODE_STRING name, PSECURITY_DESCRIPTOR descriptor, PACCESS_STATE state,
           BOOLEAN created, BOOLEAN granted, KPROCESSOR_MODE mode, PBOOLEAN generate_on_close),
          (type, object, name, descriptor, state, created, granted, mode, generate_on_close)) {
  static_cast<void>(type), static_cast<void>(object), static_cast<void>(name), static_cast<void>(descriptor);
  static_cast<void>(state), static_cast<void>(created), static_cast<void>(granted), static_cast<void>(mode);
  *generate_on_close = FALSE;
}
NT_EXPORT(VOID, SeDeleteObjectAuditAlarm, (PVOID object, HANDLE handle), (object, handle)) {
  static_cast<void>(object), static_cast<void>(handle);
}
