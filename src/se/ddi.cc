// Exports: tokens, subject contexts, access checks.
#include "ntifs.h"
#include "src/ex/ex.h"
#include "src/ldr/export.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(BOOLEAN, SeAccessCheck,
          (PSECURITY_DESCRIPTOR descriptor, PSECURITY_SUBJECT_CONTEXT context, BOOLEAN locked, ACCESS_MASK desired,
           ACCESS_MASK previous, PPRIVILEGE_SET* privileges, PGENERIC_MAPPING mapping, KPROCESSOR_MODE mode,
           PACCESS_MASK granted, PNTSTATUS status),
          (descriptor, context, locked, desired, previous, privileges, mapping, mode, granted, status)) {
  return se::AccessCheck(descriptor, context, locked, desired, previous, privileges, mapping, mode, granted, status);
}
NT_EXPORT(VOID, SeFreePrivileges, (PPRIVILEGE_SET privileges), (privileges)) { ex::FreePool(privileges); }
NT_EXPORT(BOOLEAN, SePrivilegeCheck, (PPRIVILEGE_SET required, PSECURITY_SUBJECT_CONTEXT context, KPROCESSOR_MODE mode),
          (required, context, mode)) {
  return se::PrivilegeCheck(required, context, mode);
}
NT_EXPORT(BOOLEAN, SeSinglePrivilegeCheck, (LUID privilege, KPROCESSOR_MODE mode), (privilege, mode)) {
  return se::SinglePrivilegeCheck(privilege, mode);
}
NT_EXPORT(VOID, SeCaptureSubjectContext, (PSECURITY_SUBJECT_CONTEXT context), (context)) {
  se::CaptureSubjectContext(context);
}
NT_EXPORT(VOID, SeReleaseSubjectContext, (PSECURITY_SUBJECT_CONTEXT context), (context)) {
  se::ReleaseSubjectContext(context);
}
// A token's content does not change under a reader, so a captured context needs no lock.
NT_EXPORT(VOID, SeLockSubjectContext, (PSECURITY_SUBJECT_CONTEXT context), (context)) { static_cast<void>(context); }
NT_EXPORT(VOID, SeUnlockSubjectContext, (PSECURITY_SUBJECT_CONTEXT context), (context)) { static_cast<void>(context); }
NT_EXPORT(BOOLEAN, SeTokenIsAdmin, (PACCESS_TOKEN token), (token)) { return se::TokenIsAdmin(token); }
NT_EXPORT(TOKEN_TYPE, SeTokenType, (PACCESS_TOKEN token), (token)) { return se::TokenType(token); }
NT_EXPORT(BOOLEAN, SeValidSecurityDescriptor, (ULONG length, PSECURITY_DESCRIPTOR descriptor), (length, descriptor)) {
  return rtl::ValidRelativeSecurityDescriptor(descriptor, length, 0);
}

NT_EXPORT(PACCESS_TOKEN, PsReferencePrimaryToken, (PEPROCESS process), (process)) {
  void* token = ps::AsProcess(process)->token.load();
  ob::ReferenceObject(token);
  return token;
}
#undef PsDereferencePrimaryToken
NT_EXPORT(VOID, PsDereferencePrimaryToken, (PACCESS_TOKEN token), (token)) { ob::DereferenceObject(token); }
