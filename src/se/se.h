// Security: tokens, subject contexts, access states, access checks, security descriptors of objects.
//
// Inner twins of the Se* routines. A token is an object of type Token; PACCESS_TOKEN is the address of a se::Token. Tokens do
// not change after they are made, apart from enabling privileges; a subject context holds references and needs no lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::ps {
struct Process;
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
};

struct Token {
  TokenContent* content;
  LUID token_id;
  LUID modified_id;
};
inline Token* AsToken(PACCESS_TOKEN token) { return static_cast<Token*>(token); }

/// A token object with one reference.
Status CreateToken(const TokenContent& content, PACCESS_TOKEN* token);
/// The System account: Administrators, every privilege enabled.
TokenContent SystemIdentity();
/// A Linux user as Windows sees it: S-1-22-1-uid with group S-1-22-2-gid; an administrator when `administrator`.
TokenContent UnixIdentity(uint32_t uid, uint32_t gid, bool administrator);
/// Replaces a process's primary token; takes over no reference.
void SetProcessToken(ps::Process* process, PACCESS_TOKEN token);
bool TokenIsAdmin(PACCESS_TOKEN token);
bool TokenHasGroup(PACCESS_TOKEN token, PSID sid, bool for_deny);
bool TokenHasPrivilege(PACCESS_TOKEN token, LUID privilege);
TOKEN_TYPE TokenType(PACCESS_TOKEN token);

// --- subject contexts (subject.cc) ---------------------------------------------------------------------------------------

void CaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT context);
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

/// The data export SeExports.
const SE_EXPORTS& Exports();

}  // namespace nt::se
