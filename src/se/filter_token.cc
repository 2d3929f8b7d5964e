// SeFilterToken: a copy of a token that can do less.
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::se {
namespace {

bool SameLuid(const LUID& a, const LUID& b) { return a.LowPart == b.LowPart && a.HighPart == b.HighPart; }

void DenyOnly(TokenContent* content, PSID sid) {
  if (rtl::EqualSid(content->user.get(), sid)) content->user_deny_only = true;
  for (auto& group : content->groups) {
    if (!rtl::EqualSid(group.sid.get(), sid) || (group.attributes & SE_GROUP_INTEGRITY)) continue;
    group.attributes &= ~(SE_GROUP_ENABLED | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_OWNER);
    group.attributes |= SE_GROUP_USE_FOR_DENY_ONLY;
  }
}

/// LUA_TOKEN: what an administrator runs with until he elevates.
void RemoveAdministrator(TokenContent* content) {
  const auto& known = Exports();
  for (PSID sid : {known.SeAliasAdminsSid, known.SeAliasPowerUsersSid, known.SeAliasAccountOpsSid, known.SeAliasSystemOpsSid,
                   known.SeAliasPrintOpsSid, known.SeAliasBackupOpsSid})
    DenyOnly(content, sid);
  std::erase_if(content->privileges, [&](const LUID_AND_ATTRIBUTES& held) {
    for (const LUID& kept : {known.SeChangeNotifyPrivilege, known.SeShutdownPrivilege, known.SeUndockPrivilege,
                             known.SeIncreaseWorkingSetPrivilege, known.SeTimeZonePrivilege})
      if (SameLuid(held.Luid, kept)) return false;
    return true;
  });
  for (auto& group : content->groups)
    if (group.attributes & SE_GROUP_INTEGRITY) group.sid = Sid(known.SeMediumMandatorySid);
  content->owner = content->user;
}

}  // namespace

Status FilterToken(PACCESS_TOKEN token, ULONG flags, PTOKEN_GROUPS sids_to_disable, PTOKEN_PRIVILEGES privileges_to_delete,
                   PTOKEN_GROUPS restricted_sids, PACCESS_TOKEN* filtered) {
  if (flags & ~(DISABLE_MAX_PRIVILEGE | SANDBOX_INERT | LUA_TOKEN | WRITE_RESTRICTED)) return STATUS_INVALID_PARAMETER;
  TokenContent content = *AsToken(token)->content;
  const auto& known = Exports();
  if (flags & LUA_TOKEN) RemoveAdministrator(&content);
  if (flags & SANDBOX_INERT) content.sandbox_inert = true;
  if (flags & WRITE_RESTRICTED) content.write_restricted = true;
  for (ULONG i = 0; sids_to_disable && i < sids_to_disable->GroupCount; i++)
    DenyOnly(&content, sids_to_disable->Groups[i].Sid);
  std::erase_if(content.privileges, [&](const LUID_AND_ATTRIBUTES& held) {
    if ((flags & DISABLE_MAX_PRIVILEGE) && !SameLuid(held.Luid, known.SeChangeNotifyPrivilege)) return true;
    for (ULONG i = 0; privileges_to_delete && i < privileges_to_delete->PrivilegeCount; i++)
      if (SameLuid(held.Luid, privileges_to_delete->Privileges[i].Luid)) return true;
    return false;
  });
  if (restricted_sids && restricted_sids->GroupCount) {
    // Restricting a restricted token keeps what both lists have.
    std::vector<Group> restricted;
    for (ULONG i = 0; i < restricted_sids->GroupCount; i++) {
      const Sid sid(restricted_sids->Groups[i].Sid);
      bool keep = content.restricted_sids.empty();
      for (auto& before : content.restricted_sids) keep = keep || before.sid == sid;
      if (keep) restricted.push_back({sid, SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED});
    }
    if (restricted.empty()) restricted.push_back({Sid(known.SeNullSid), SE_GROUP_MANDATORY | SE_GROUP_ENABLED});
    content.restricted_sids = std::move(restricted);
  }
  return CreateToken(content, filtered);
}

}  // namespace nt::se
