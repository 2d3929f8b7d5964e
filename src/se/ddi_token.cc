// Exports: tokens, impersonation, services on tokens.
#include "ntifs.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/se/se.h"

namespace se = nt::se;
using nt::ke::AsThread;
using nt::ps::AsProcess;

NT_EXPORT(BOOLEAN, SeTokenIsAdmin, (PACCESS_TOKEN token), (token)) { return se::TokenIsAdmin(token); }
NT_EXPORT(BOOLEAN, SeTokenIsRestricted, (PACCESS_TOKEN token), (token)) { return se::TokenIsRestricted(token); }
NT_EXPORT(TOKEN_TYPE, SeTokenType, (PACCESS_TOKEN token), (token)) { return se::TokenType(token); }
NT_EXPORT(SECURITY_IMPERSONATION_LEVEL, SeTokenImpersonationLevel, (PACCESS_TOKEN token), (token)) {
  return se::AsToken(token)->content->level;
}
NT_EXPORT(NTSTATUS, SeQueryAuthenticationIdToken, (PACCESS_TOKEN token, PLUID id), (token, id)) {
  *id = se::AsToken(token)->content->authentication_id;
  return STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, SeQuerySessionIdToken, (PACCESS_TOKEN token, PULONG id), (token, id)) {
  *id = se::AsToken(token)->session_id;
  return STATUS_SUCCESS;
}
NT_EXPORT(NTSTATUS, SeSetSessionIdToken, (PACCESS_TOKEN token, ULONG id), (token, id)) {
  se::AsToken(token)->session_id = id;
  return STATUS_SUCCESS;
}
NT_EXPORT_PARTIAL(NTSTATUS, SeQueryInformationToken,
                  (PACCESS_TOKEN token, TOKEN_INFORMATION_CLASS information_class, PVOID* information),
                  (token, information_class, information), "no claims, app containers, linked tokens, TokenAccessInformation") {
  return se::QueryInformationToken(token, information_class, information);
}
NT_EXPORT(NTSTATUS, SeFilterToken,
          (PACCESS_TOKEN token, ULONG flags, PTOKEN_GROUPS disable, PTOKEN_PRIVILEGES privileges, PTOKEN_GROUPS restricted,
           PACCESS_TOKEN* filtered),
          (token, flags, disable, privileges, restricted, filtered)) {
  return se::FilterToken(token, flags, disable, privileges, restricted, filtered);
}
NT_EXPORT(NTSTATUS, SeLocateProcessImageName, (PEPROCESS process, PUNICODE_STRING* name), (process, name)) {
  return se::LocateProcessImageName(AsProcess(process), name);
}

// ---- tokens of processes and threads ----

NT_EXPORT(PACCESS_TOKEN, PsReferencePrimaryToken, (PEPROCESS process), (process)) {
  return se::ReferencePrimaryToken(AsProcess(process));
}
NT_EXPORT(VOID, PsDereferencePrimaryToken, (PACCESS_TOKEN token), (token)) { nt::ob::DereferenceObject(token); }
NT_EXPORT(PACCESS_TOKEN, PsReferenceImpersonationToken,
          (PETHREAD thread, PBOOLEAN copy_on_open, PBOOLEAN effective_only, PSECURITY_IMPERSONATION_LEVEL level),
          (thread, copy_on_open, effective_only, level)) {
  return se::ReferenceImpersonationToken(AsThread(thread), copy_on_open, effective_only, level);
}
NT_EXPORT(VOID, PsDereferenceImpersonationToken, (PACCESS_TOKEN token), (token)) {
  if (token) nt::ob::DereferenceObject(token);
}
NT_EXPORT(NTSTATUS, PsImpersonateClient,
          (PETHREAD thread, PACCESS_TOKEN token, BOOLEAN copy_on_open, BOOLEAN effective_only,
           SECURITY_IMPERSONATION_LEVEL level),
          (thread, token, copy_on_open, effective_only, level)) {
  return se::ImpersonateClient(AsThread(thread), token, copy_on_open, effective_only, level);
}
NT_EXPORT(NTSTATUS, PsAssignImpersonationToken, (PETHREAD thread, HANDLE token), (thread, token)) {
  return se::AssignImpersonationToken(AsThread(thread), token);
}
NT_EXPORT(BOOLEAN, PsDisableImpersonation, (PETHREAD thread, PSE_IMPERSONATION_STATE state), (thread, state)) {
  return se::DisableImpersonation(AsThread(thread), state);
}
NT_EXPORT(VOID, PsRestoreImpersonation, (PETHREAD thread, PSE_IMPERSONATION_STATE state), (thread, state)) {
  se::RestoreImpersonation(AsThread(thread), state);
}
NT_EXPORT(VOID, PsRevertToSelf, (), ()) {
  se::ImpersonateClient(nt::ke::CurrentThread(), nullptr, false, false, SecurityAnonymous).Ignore();  // cannot fail
}
NT_EXPORT(VOID, PsRevertThreadToSelf, (PETHREAD thread), (thread)) {
  se::ImpersonateClient(AsThread(thread), nullptr, false, false, SecurityAnonymous).Ignore();  // cannot fail
}
NT_EXPORT(BOOLEAN, PsIsThreadImpersonating, (PETHREAD thread), (thread)) {
  return se::IsThreadImpersonating(AsThread(thread));
}

// ---- client security ----

NT_EXPORT(NTSTATUS, SeCreateClientSecurity,
          (PETHREAD client, PSECURITY_QUALITY_OF_SERVICE quality, BOOLEAN remote, PSECURITY_CLIENT_CONTEXT context),
          (client, quality, remote, context)) {
  return se::CreateClientSecurity(AsThread(client), quality, remote, context);
}
NT_EXPORT(NTSTATUS, SeCreateClientSecurityFromSubjectContext,
          (PSECURITY_SUBJECT_CONTEXT subject, PSECURITY_QUALITY_OF_SERVICE quality, BOOLEAN remote,
           PSECURITY_CLIENT_CONTEXT context),
          (subject, quality, remote, context)) {
  return se::CreateClientSecurityFromSubjectContext(subject, quality, remote, context);
}
NT_EXPORT(NTSTATUS, SeImpersonateClientEx, (PSECURITY_CLIENT_CONTEXT context, PETHREAD thread), (context, thread)) {
  return se::ImpersonateClientEx(context, thread ? AsThread(thread) : nullptr);
}
NT_EXPORT(VOID, SeImpersonateClient, (PSECURITY_CLIENT_CONTEXT context, PETHREAD thread), (context, thread)) {
  se::ImpersonateClientEx(context, thread ? AsThread(thread) : nullptr).Ignore();  // the routine has no way to say so
}

// ---- services: Nt in the caller's mode, Zw in kernel mode ----

#define SE_SERVICE(Name, Params, Args, Call)                                   \
  NT_EXPORT(NTSTATUS, Zw##Name, Params, Args) {                                \
    nt::ke::PreviousModeScope mode(KernelMode);                                \
    return Call;                                                               \
  }                                                                            \
  NT_EXPORT(NTSTATUS, Nt##Name, Params, Args) { return Call; }

SE_SERVICE(OpenProcessToken, (HANDLE process, ACCESS_MASK access, PHANDLE token), (process, access, token),
           se::NtOpenProcessTokenEx(process, access, 0, token))
SE_SERVICE(OpenProcessTokenEx, (HANDLE process, ACCESS_MASK access, ULONG attributes, PHANDLE token),
           (process, access, attributes, token), se::NtOpenProcessTokenEx(process, access, attributes, token))
SE_SERVICE(OpenThreadToken, (HANDLE thread, ACCESS_MASK access, BOOLEAN as_self, PHANDLE token),
           (thread, access, as_self, token), se::NtOpenThreadTokenEx(thread, access, as_self, 0, token))
SE_SERVICE(OpenThreadTokenEx, (HANDLE thread, ACCESS_MASK access, BOOLEAN as_self, ULONG attributes, PHANDLE token),
           (thread, access, as_self, attributes, token),
           se::NtOpenThreadTokenEx(thread, access, as_self, attributes, token))
SE_SERVICE(QueryInformationToken,
           (HANDLE token, TOKEN_INFORMATION_CLASS information_class, PVOID information, ULONG bytes, PULONG needed),
           (token, information_class, information, bytes, needed),
           se::NtQueryInformationToken(token, information_class, information, bytes, needed))
SE_SERVICE(DuplicateToken,
           (HANDLE token, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, BOOLEAN effective_only, TOKEN_TYPE type,
            PHANDLE copy),
           (token, access, attributes, effective_only, type, copy),
           se::NtDuplicateToken(token, access, attributes, effective_only, type, copy))
SE_SERVICE(AdjustPrivilegesToken,
           (HANDLE token, BOOLEAN disable_all, PTOKEN_PRIVILEGES state, ULONG bytes, PTOKEN_PRIVILEGES previous,
            PULONG needed),
           (token, disable_all, state, bytes, previous, needed),
           se::NtAdjustPrivilegesToken(token, disable_all, state, bytes, previous, needed))
