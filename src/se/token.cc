// Tokens: who a process or thread acts as.
#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

POBJECT_TYPE SeTokenObjectType = nullptr;
NT_EXPORT_DATA(SeTokenObjectType)

namespace nt::se {
namespace {

PACCESS_TOKEN g_system_token = nullptr;
std::atomic<LONG> g_next_luid{0x10000};

LUID NewLuid() { return {static_cast<ULONG>(g_next_luid.fetch_add(1)), 0}; }

void* Inherit(ps::Process* process, ps::Process* parent) {
  static_cast<void>(process);
  void* token = parent ? parent->token.load() : nullptr;
  if (!token) token = g_system_token;
  ob::ReferenceObject(token);
  return token;
}

std::vector<LUID_AND_ATTRIBUTES> Privileges(bool all) {
  std::vector<LUID_AND_ATTRIBUTES> privileges;
  for (ULONG value = SE_MIN_WELL_KNOWN_PRIVILEGE; value <= SE_MAX_WELL_KNOWN_PRIVILEGE; value++)
    if (all || value == SE_CHANGE_NOTIFY_PRIVILEGE)
      privileges.push_back({{value, 0}, SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_ENABLED_BY_DEFAULT});
  return privileges;
}

constexpr ULONG kGroup = SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED;

}  // namespace

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
  procedures.remove = [](void* token) { delete static_cast<Token*>(token)->content; };
  static const GENERIC_MAPPING kMapping{TOKEN_READ, TOKEN_WRITE, TOKEN_EXECUTE, TOKEN_ALL_ACCESS};
  NT_TRY(ob::CreateType(u"Token", procedures, kMapping, TOKEN_ALL_ACCESS, &SeTokenObjectType));
  NT_TRY(CreateToken(SystemIdentity(), &g_system_token));
  static const ps::TokenProcedures kTokens{Inherit, [](void* token) { ob::DereferenceObject(token); }};
  ps::SetTokenProcedures(&kTokens);
  SetProcessToken(ps::InitialSystemProcess(), g_system_token);
  return STATUS_SUCCESS;
}

void Shutdown() {
  SetProcessToken(ps::InitialSystemProcess(), nullptr);
  ps::SetTokenProcedures(nullptr);
  ob::DereferenceObject(std::exchange(g_system_token, nullptr));
}

Status CreateToken(const TokenContent& content, PACCESS_TOKEN* token) {
  void* body;
  NT_TRY(ob::CreateObject(SeTokenObjectType, sizeof(Token), &body));
  auto* fresh = static_cast<Token*>(body);
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
  return content;
}

void SetProcessToken(ps::Process* process, PACCESS_TOKEN token) {
  if (token) ob::ReferenceObject(token);
  if (void* before = process->token.exchange(token)) ob::DereferenceObject(before);
}

bool TokenHasGroup(PACCESS_TOKEN token, PSID sid, bool for_deny) {
  const auto& content = *AsToken(token)->content;
  if (rtl::EqualSid(content.user.get(), sid)) return true;
  for (const auto& group : content.groups)
    if (((group.attributes & SE_GROUP_ENABLED) || (for_deny && (group.attributes & SE_GROUP_USE_FOR_DENY_ONLY))) &&
        rtl::EqualSid(group.sid.get(), sid))
      return true;
  return false;
}

bool TokenHasPrivilege(PACCESS_TOKEN token, LUID privilege) {
  for (const auto& held : AsToken(token)->content->privileges)
    if (held.Luid.LowPart == privilege.LowPart && held.Luid.HighPart == privilege.HighPart)
      return held.Attributes & SE_PRIVILEGE_ENABLED;
  return false;
}

bool TokenIsAdmin(PACCESS_TOKEN token) { return TokenHasGroup(token, Exports().SeAliasAdminsSid, false); }
TOKEN_TYPE TokenType(PACCESS_TOKEN token) { return AsToken(token)->content->type; }

}  // namespace nt::se
