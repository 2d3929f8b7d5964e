// Security: tokens, subject contexts, access states, access checks, security descriptors of objects.
//
// Inner twins of the Se* routines. A token is an object of type Token; PACCESS_TOKEN is the address of a se::Token. Tokens do
// not change after they are made, apart from the attributes of privileges and the session, which are read and written whole;
// a subject context holds references and needs no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::ps {
struct Process;
}
namespace nt::ke {
struct Thread;
}

namespace nt::se {

Status Boot();
void Shutdown();

/// A SID as a value.
class Sid {
 public:
  Sid() = default;
  Sid(uint8_t authority, std::initializer_list<uint32_t> sub_authorities);
  explicit Sid(PSID sid);
  PSID get() const { return const_cast<UCHAR*>(bytes_); }
  ULONG length() const { return 8 + 4ul * bytes_[1]; }
  bool operator==(const Sid& other) const;

 private:
  alignas(4) UCHAR bytes_[SECURITY_MAX_SID_SIZE] = {SID_REVISION};
};

struct Group {
  Sid sid;
  ULONG attributes;  // SE_GROUP_*
};

/// What a token is made from.
struct TokenContent {
  Sid user;
  std::vector<Group> groups;
  std::vector<LUID_AND_ATTRIBUTES> privileges;
  Sid owner;          // of objects the subject creates
  Sid primary_group;
  TOKEN_TYPE type = TokenPrimary;
  SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
  LUID authentication_id{};
  std::vector<UCHAR> default_dacl;     // an ACL, for objects made without one; empty: none
  std::vector<Group> restricted_sids;  // what a restricted token's second check needs
  bool user_deny_only = false;
  bool write_restricted = false;       // the second check is for writing only
  bool sandbox_inert = false;
  TOKEN_SOURCE source = {{'*', 'S', 'Y', 'S', 'T', 'E', 'M', '*'}, {}};
};

struct Token {
  TokenContent* content;
  LUID token_id;
  std::atomic<LUID> modified_id;
  std::atomic<ULONG> session_id;
};
inline Token* AsToken(PACCESS_TOKEN token) { return static_cast<Token*>(token); }

/// Locally unique in the machine's life.
LUID NewLuid();
/// A token object with one reference.
Status CreateToken(const TokenContent& content, PACCESS_TOKEN* token);
/// The System account: Administrators, every privilege enabled.
TokenContent SystemIdentity();
/// A Linux user as Windows sees it: S-1-22-1-uid with group S-1-22-2-gid; an administrator when `administrator`.
TokenContent UnixIdentity(uint32_t uid, uint32_t gid, bool administrator);
/// Replaces a process's primary token; takes over no reference.
void SetProcessToken(ps::Process* process, PACCESS_TOKEN token);
bool TokenIsAdmin(PACCESS_TOKEN token);
bool TokenIsRestricted(PACCESS_TOKEN token);
bool TokenHasGroup(PACCESS_TOKEN token, PSID sid, bool for_deny);
bool TokenHasPrivilege(PACCESS_TOKEN token, LUID privilege);
TOKEN_TYPE TokenType(PACCESS_TOKEN token);
/// The last sub-authority of the integrity group: SECURITY_MANDATORY_*_RID.
ULONG TokenIntegrity(PACCESS_TOKEN token);
/// A new primary or impersonation token with the same content. An impersonation token's level cannot be raised.
Status DuplicateToken(PACCESS_TOKEN token, TOKEN_TYPE type, SECURITY_IMPERSONATION_LEVEL level, bool effective_only,
                      PACCESS_TOKEN* copy);
Status FilterToken(PACCESS_TOKEN token, ULONG flags, PTOKEN_GROUPS sids_to_disable, PTOKEN_PRIVILEGES privileges_to_delete,
                   PTOKEN_GROUPS restricted_sids, PACCESS_TOKEN* filtered);

// --- queries of tokens (token_query.cc, token_services.cc) -----------------------------------------------------------------

/// *information: a paged pool block for the caller to free; TokenSessionId and TokenIntegrityLevel put a ULONG in its place.
Status QueryInformationToken(PACCESS_TOKEN token, TOKEN_INFORMATION_CLASS information_class, PVOID* information);
Status NtQueryInformationToken(HANDLE handle, TOKEN_INFORMATION_CLASS information_class, PVOID information, ULONG bytes,
                               PULONG needed);
Status NtOpenProcessTokenEx(HANDLE process, ACCESS_MASK access, ULONG attributes, PHANDLE handle);
Status NtOpenThreadTokenEx(HANDLE thread, ACCESS_MASK access, BOOLEAN open_as_self, ULONG attributes, PHANDLE handle);
Status NtDuplicateToken(HANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, BOOLEAN effective_only,
                        TOKEN_TYPE type, PHANDLE copy);
/// STATUS_NOT_ALL_ASSIGNED: the token lacks some of the privileges; the others are changed.
Status NtAdjustPrivilegesToken(HANDLE handle, BOOLEAN disable_all, PTOKEN_PRIVILEGES state, ULONG bytes,
                               PTOKEN_PRIVILEGES previous, PULONG needed);

// --- impersonation (impersonation.cc): also the Ps* routines about tokens ----------------------------------------------------

/// A reference to the process's token; null only while it begins or ends.
PACCESS_TOKEN ReferencePrimaryToken(ps::Process* process);
/// A reference, or null when the thread does not impersonate. Out parameters may be null.
PACCESS_TOKEN ReferenceImpersonationToken(ke::Thread* thread, PBOOLEAN copy_on_open, PBOOLEAN effective_only,
                                          PSECURITY_IMPERSONATION_LEVEL level);
/// @param token  null: the thread acts as its process again
Status ImpersonateClient(ke::Thread* thread, PACCESS_TOKEN token, bool copy_on_open, bool effective_only,
                         SECURITY_IMPERSONATION_LEVEL level);
Status AssignImpersonationToken(ke::Thread* thread, HANDLE token);
bool DisableImpersonation(ke::Thread* thread, PSE_IMPERSONATION_STATE state);
void RestoreImpersonation(ke::Thread* thread, PSE_IMPERSONATION_STATE state);
bool IsThreadImpersonating(ke::Thread* thread);
Status CreateClientSecurity(ke::Thread* client, PSECURITY_QUALITY_OF_SERVICE quality, bool remote_session,
                            PSECURITY_CLIENT_CONTEXT context);
Status CreateClientSecurityFromSubjectContext(PSECURITY_SUBJECT_CONTEXT subject, PSECURITY_QUALITY_OF_SERVICE quality,
                                              bool server_is_remote, PSECURITY_CLIENT_CONTEXT context);
/// @param thread  null: the current one
Status ImpersonateClientEx(PSECURITY_CLIENT_CONTEXT context, ke::Thread* thread);

// --- subject contexts (subject.cc) ---------------------------------------------------------------------------------------

void CaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT context);
/// @param thread  null: no impersonation
void CaptureSubjectContextEx(ke::Thread* thread, ps::Process* process, PSECURITY_SUBJECT_CONTEXT context);
void ReleaseSubjectContext(PSECURITY_SUBJECT_CONTEXT context);
inline PACCESS_TOKEN EffectiveToken(const SECURITY_SUBJECT_CONTEXT* context) {
  return context->ClientToken ? context->ClientToken : context->PrimaryToken;
}
bool SinglePrivilegeCheck(LUID privilege, KPROCESSOR_MODE mode);
bool PrivilegeCheck(PPRIVILEGE_SET required, PSECURITY_SUBJECT_CONTEXT context, KPROCESSOR_MODE mode);

// --- access (access_check.cc, access_state.cc) -------------------------------------------------------------------------------

/// SeAccessCheck. A null DACL grants everything, an empty one nothing but what owner and privileges give.
bool AccessCheck(PSECURITY_DESCRIPTOR descriptor, PSECURITY_SUBJECT_CONTEXT context, bool context_locked,
                 ACCESS_MASK desired, ACCESS_MASK previously_granted, PPRIVILEGE_SET* privileges,
                 PGENERIC_MAPPING mapping, KPROCESSOR_MODE mode, PACCESS_MASK granted, NTSTATUS* status);
/// @param auxiliary  storage for AUX_ACCESS_DATA, kept until DeleteAccessState
struct AuxAccessData {
  PPRIVILEGE_SET privileges_used;
  GENERIC_MAPPING mapping;
};
Status CreateAccessState(PACCESS_STATE state, AuxAccessData* auxiliary, ACCESS_MASK desired, PGENERIC_MAPPING mapping);
void DeleteAccessState(PACCESS_STATE state);
void SetAccessStateGenericMapping(PACCESS_STATE state, PGENERIC_MAPPING mapping);
Status AppendPrivileges(PACCESS_STATE state, PPRIVILEGE_SET privileges);

// --- descriptors of objects (assign.cc, descriptor.cc) -------------------------------------------------------------------------

/// *fresh: a self-relative descriptor in `pool`, for DeassignSecurity. Owner and SACL privileges are asked of requestors only.
Status AssignSecurityEx(PSECURITY_DESCRIPTOR parent, PSECURITY_DESCRIPTOR explicit_descriptor, PSECURITY_DESCRIPTOR* fresh,
                        GUID* object_type, bool is_container, ULONG auto_inherit_flags, PSECURITY_SUBJECT_CONTEXT subject,
                        PGENERIC_MAPPING mapping, POOL_TYPE pool);
Status AssignSecurity(PSECURITY_DESCRIPTOR parent, PSECURITY_DESCRIPTOR explicit_descriptor, PSECURITY_DESCRIPTOR* fresh,
                      bool is_container, PSECURITY_SUBJECT_CONTEXT subject, PGENERIC_MAPPING mapping, POOL_TYPE pool);
Status DeassignSecurity(PSECURITY_DESCRIPTOR* descriptor);
/// STATUS_BUFFER_TOO_SMALL sets *bytes to what is needed.
Status QuerySecurityDescriptorInfo(PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR descriptor, PULONG bytes,
                                   PSECURITY_DESCRIPTOR* object_descriptor);
/// Replaces *object_descriptor by a new one in `pool`; the caller frees the old one. STATUS_NO_SECURITY_ON_OBJECT when null.
Status SetSecurityDescriptorInfoEx(PVOID object, PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR modification,
                                   PSECURITY_DESCRIPTOR* object_descriptor, ULONG auto_inherit_flags, POOL_TYPE pool,
                                   PGENERIC_MAPPING mapping);
Status SetSecurityDescriptorInfo(PVOID object, PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR modification,
                                 PSECURITY_DESCRIPTOR* object_descriptor, POOL_TYPE pool, PGENERIC_MAPPING mapping);

/// The data export SeExports.
const SE_EXPORTS& Exports();
/// *name: one pool block for the caller to free.
Status LocateProcessImageName(ps::Process* process, PUNICODE_STRING* name);

}  // namespace nt::se
