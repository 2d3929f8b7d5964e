// Tokens: who a process or thread acts as.
#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/rtl/rtl.h"
#include "src/se/impersonation.h"
#include "src/se/se.h"

POBJECT_TYPE SeTokenObjectType = nullptr;
NT_EXPORT_DATA(SeTokenObjectType)

namespace nt::se {
namespace {

PACCESS_TOKEN g_system_token = nullptr;
std::atomic<LONG> g_next_luid{0x10000};

void* Inherit(ps::Process* process, ps::Process* parent) {
  static_cast<void>(process);
  if (void* token = parent ? ReferencePrimaryToken(parent) : nullptr) return token;
  ob::ReferenceObject(g_system_token);
  return g_system_token;
}

std::vector<LUID_AND_ATTRIBUTES> Privileges(bool all) {
  std::vector<LUID_AND_ATTRIBUTES> privileges;
  for (ULONG value = SE_MIN_WELL_KNOWN_PRIVILEGE; value <= SE_MAX_WELL_KNOWN_PRIVILEGE; value++)
    if (all || value == SE_CHANGE_NOTIFY_PRIVILEGE)
      privileges.push_back({{value, 0}, SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_ENABLED_BY_DEFAULT});
  return privileges;
}

/// An ACL that gives `rights` to each SID.
std::vector<UCHAR> MakeDacl(std::initializer_list<std::pair<PSID, ACCESS_MASK>> entries) {
  std::vector<UCHAR> acl(sizeof(ACL));
  for (auto& [sid, rights] : entries) acl.resize(acl.size() + sizeof(ACE_HEADER) + sizeof(ACCESS_MASK) + rtl::LengthSid(sid));
  auto* dacl = reinterpret_cast<PACL>(acl.data());
  CHECK(rtl::CreateAcl(dacl, static_cast<ULONG>(acl.size()), ACL_REVISION).ok());
  for (auto& [sid, rights] : entries)
    CHECK(rtl::AddKnownAce(dacl, ACL_REVISION, 0, rights, sid, ACCESS_ALLOWED_ACE_TYPE).ok());
  return acl;
}

constexpr ULONG kGroup = SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED;

}  // namespace

LUID NewLuid() { return {static_cast<ULONG>(g_next_luid.fetch_add(1)), 0}; }

Sid::Sid(uint8_t authority, std::initializer_list<uint32_t> sub_authorities) {
  bytes_[1] = static_cast<UCHAR>(sub_authorities.size());
  bytes_[7] = authority;
  auto* place = reinterpret_cast<uint32_t*>(bytes_ + 8);
  for (uint32_t value : sub_authorities) *place++ = value;
}
Sid::Sid(PSID sid) { CHECK(NT_SUCCESS(rtl::CopySid(sizeof bytes_, bytes_, sid))); }
bool Sid::operator==(const Sid& other) const { return rtl::EqualSid(get(), other.get()); }

Status Boot() {
  ob::TypeProcedures procedures;
  procedures.remove = [](void* body) {
    auto* token = static_cast<Token*>(body);
    delete token->content;
    token->~Token();
  };
  static const GENERIC_MAPPING kMapping{TOKEN_READ, TOKEN_WRITE, TOKEN_EXECUTE, TOKEN_ALL_ACCESS};
  NT_TRY(ob::CreateType(u"Token", procedures, kMapping, TOKEN_ALL_ACCESS, &SeTokenObjectType));
  NT_TRY(CreateToken(SystemIdentity(), &g_system_token));
  static const ps::TokenProcedures kTokens{Inherit, [](void* token) { ob::DereferenceObject(token); }};
  ps::SetTokenProcedures(&kTokens);
  SetProcessToken(ps::InitialSystemProcess(), g_system_token);
  ImpersonationBoot();
  return STATUS_SUCCESS;
}

void Shutdown() {
  SetProcessToken(ps::InitialSystemProcess(), nullptr);
  ob::DereferenceObject(std::exchange(g_system_token, nullptr));
}

Status CreateToken(const TokenContent& content, PACCESS_TOKEN* token) {
  void* body;
  NT_TRY(ob::CreateObject(SeTokenObjectType, sizeof(Token), &body));
  auto* fresh = new (body) Token{};
  fresh->content = new TokenContent(content);
  fresh->token_id = NewLuid();
  fresh->modified_id = NewLuid();
  *token = fresh;
  return STATUS_SUCCESS;
}

TokenContent SystemIdentity() {
  const auto& known = Exports();
  TokenContent content;
  content.user = Sid(known.SeLocalSystemSid);
  content.groups = {{Sid(known.SeAliasAdminsSid), SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED | SE_GROUP_OWNER},
                    {Sid(known.SeWorldSid), kGroup},
                    {Sid(known.SeAuthenticatedUsersSid), kGroup},
                    {Sid(known.SeSystemMandatorySid), SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED}};
  content.privileges = Privileges(true);
  content.owner = Sid(known.SeAliasAdminsSid);
  content.primary_group = content.user;
  content.authentication_id = SYSTEM_LUID;
  content.default_dacl =
      MakeDacl({{known.SeLocalSystemSid, GENERIC_ALL}, {known.SeAliasAdminsSid, GENERIC_READ | GENERIC_EXECUTE | READ_CONTROL}});
  return content;
}

TokenContent UnixIdentity(uint32_t uid, uint32_t gid, bool administrator) {
  constexpr uint8_t kUnixAuthority = 22;
  const auto& known = Exports();
  TokenContent content;
  content.user = Sid(kUnixAuthority, {1, uid});
  content.primary_group = Sid(kUnixAuthority, {2, gid});
  content.groups = {{content.primary_group, kGroup},
                    {Sid(known.SeWorldSid), kGroup},
                    {Sid(known.SeAuthenticatedUsersSid), kGroup},
                    {Sid(known.SeAliasUsersSid), kGroup},
                    {Sid(administrator ? known.SeHighMandatorySid : known.SeMediumMandatorySid),
                     SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED}};
  if (administrator) content.groups.push_back({Sid(known.SeAliasAdminsSid), kGroup | SE_GROUP_OWNER});
  content.privileges = Privileges(administrator);
  content.owner = content.user;
  content.authentication_id = NewLuid();
  content.default_dacl = MakeDacl({{content.user.get(), GENERIC_ALL}, {known.SeLocalSystemSid, GENERIC_ALL}});
  content.source = {{'n', 't', 'i', 'o'}, {}};
  return content;
}

bool TokenHasGroup(PACCESS_TOKEN token, PSID sid, bool for_deny) {
  const auto& content = *AsToken(token)->content;
  if ((for_deny || !content.user_deny_only) && rtl::EqualSid(content.user.get(), sid)) return true;
  for (const auto& group : content.groups)
    if (((group.attributes & SE_GROUP_ENABLED) || (for_deny && (group.attributes & SE_GROUP_USE_FOR_DENY_ONLY))) &&
        rtl::EqualSid(group.sid.get(), sid))
      return true;
  return false;
}

bool TokenHasPrivilege(PACCESS_TOKEN token, LUID privilege) {
  for (auto& held : AsToken(token)->content->privileges)
    if (held.Luid.LowPart == privilege.LowPart && held.Luid.HighPart == privilege.HighPart)
      return std::atomic_ref(held.Attributes).load(std::memory_order_relaxed) & SE_PRIVILEGE_ENABLED;
  return false;
}

ULONG TokenIntegrity(PACCESS_TOKEN token) {
  for (const auto& group : AsToken(token)->content->groups) {
    if (!(group.attributes & SE_GROUP_INTEGRITY)) continue;
    const auto* sid = static_cast<const SID*>(group.sid.get());
    return sid->SubAuthority[sid->SubAuthorityCount - 1];
  }
  return SECURITY_MANDATORY_UNTRUSTED_RID;
}

bool TokenIsAdmin(PACCESS_TOKEN token) { return TokenHasGroup(token, Exports().SeAliasAdminsSid, false); }
bool TokenIsRestricted(PACCESS_TOKEN token) { return !AsToken(token)->content->restricted_sids.empty(); }
TOKEN_TYPE TokenType(PACCESS_TOKEN token) { return AsToken(token)->content->type; }

Status DuplicateToken(PACCESS_TOKEN token, TOKEN_TYPE type, SECURITY_IMPERSONATION_LEVEL level, bool effective_only,
                      PACCESS_TOKEN* copy) {
  TokenContent content = *AsToken(token)->content;
  if (type == TokenImpersonation && content.type == TokenImpersonation && level > content.level)
    return STATUS_BAD_IMPERSONATION_LEVEL;
  if (type == TokenPrimary && content.type == TokenImpersonation && content.level < SecurityImpersonation)
    return STATUS_BAD_IMPERSONATION_LEVEL;
  content.type = type;
  content.level = type == TokenImpersonation ? level : SecurityAnonymous;
  if (effective_only) {
    std::erase_if(content.privileges, [](const LUID_AND_ATTRIBUTES& held) { return !(held.Attributes & SE_PRIVILEGE_ENABLED); });
    std::erase_if(content.groups, [](const Group& group) {
      return !(group.attributes & (SE_GROUP_ENABLED | SE_GROUP_USE_FOR_DENY_ONLY | SE_GROUP_INTEGRITY));
    });
  }
  NT_TRY(CreateToken(content, copy));
  AsToken(*copy)->modified_id = AsToken(token)->modified_id.load();
  AsToken(*copy)->session_id = AsToken(token)->session_id.load();
  return STATUS_SUCCESS;
}

}  // namespace nt::se
