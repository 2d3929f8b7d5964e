// SeExports: the well-known SIDs and privileges. Lives as long as the process; a driver may read it at any time.
#include <array>

#include "src/ldr/export.h"
#include "src/se/se.h"

namespace nt::se {
namespace {

// Identifier authorities.
constexpr uint8_t kNull = 0, kWorld = 1, kLocal = 2, kCreator = 3, kNt = 5, kPackage = 15, kMandatory = 16, kProcessTrust = 19;

PSID Keep(uint8_t authority, std::initializer_list<uint32_t> sub_authorities) {
  static std::array<Sid, 48> kept;
  static size_t used = 0;
  kept[used] = Sid(authority, sub_authorities);
  return kept[used++].get();
}

constexpr LUID Privilege(ULONG value) { return {value, 0}; }

SE_EXPORTS Make() {
  SE_EXPORTS e{};
  e.SeCreateTokenPrivilege = Privilege(SE_CREATE_TOKEN_PRIVILEGE);
  e.SeAssignPrimaryTokenPrivilege = Privilege(SE_ASSIGNPRIMARYTOKEN_PRIVILEGE);
  e.SeLockMemoryPrivilege = Privilege(SE_LOCK_MEMORY_PRIVILEGE);
  e.SeIncreaseQuotaPrivilege = Privilege(SE_INCREASE_QUOTA_PRIVILEGE);
  e.SeUnsolicitedInputPrivilege = Privilege(0);  // no longer used by Windows
  e.SeTcbPrivilege = Privilege(SE_TCB_PRIVILEGE);
  e.SeSecurityPrivilege = Privilege(SE_SECURITY_PRIVILEGE);
  e.SeTakeOwnershipPrivilege = Privilege(SE_TAKE_OWNERSHIP_PRIVILEGE);
  e.SeLoadDriverPrivilege = Privilege(SE_LOAD_DRIVER_PRIVILEGE);
  e.SeCreatePagefilePrivilege = Privilege(SE_CREATE_PAGEFILE_PRIVILEGE);
  e.SeIncreaseBasePriorityPrivilege = Privilege(SE_INC_BASE_PRIORITY_PRIVILEGE);
  e.SeSystemProfilePrivilege = Privilege(SE_SYSTEM_PROFILE_PRIVILEGE);
  e.SeSystemtimePrivilege = Privilege(SE_SYSTEMTIME_PRIVILEGE);
  e.SeProfileSingleProcessPrivilege = Privilege(SE_PROF_SINGLE_PROCESS_PRIVILEGE);
  e.SeCreatePermanentPrivilege = Privilege(SE_CREATE_PERMANENT_PRIVILEGE);
  e.SeBackupPrivilege = Privilege(SE_BACKUP_PRIVILEGE);
  e.SeRestorePrivilege = Privilege(SE_RESTORE_PRIVILEGE);
  e.SeShutdownPrivilege = Privilege(SE_SHUTDOWN_PRIVILEGE);
  e.SeDebugPrivilege = Privilege(SE_DEBUG_PRIVILEGE);
  e.SeAuditPrivilege = Privilege(SE_AUDIT_PRIVILEGE);
  e.SeSystemEnvironmentPrivilege = Privilege(SE_SYSTEM_ENVIRONMENT_PRIVILEGE);
  e.SeChangeNotifyPrivilege = Privilege(SE_CHANGE_NOTIFY_PRIVILEGE);
  e.SeRemoteShutdownPrivilege = Privilege(SE_REMOTE_SHUTDOWN_PRIVILEGE);
  e.SeUndockPrivilege = Privilege(SE_UNDOCK_PRIVILEGE);
  e.SeSyncAgentPrivilege = Privilege(SE_SYNC_AGENT_PRIVILEGE);
  e.SeEnableDelegationPrivilege = Privilege(SE_ENABLE_DELEGATION_PRIVILEGE);
  e.SeManageVolumePrivilege = Privilege(SE_MANAGE_VOLUME_PRIVILEGE);
  e.SeImpersonatePrivilege = Privilege(SE_IMPERSONATE_PRIVILEGE);
  e.SeCreateGlobalPrivilege = Privilege(SE_CREATE_GLOBAL_PRIVILEGE);
  e.SeTrustedCredManAccessPrivilege = Privilege(SE_TRUSTED_CREDMAN_ACCESS_PRIVILEGE);
  e.SeRelabelPrivilege = Privilege(SE_RELABEL_PRIVILEGE);
  e.SeIncreaseWorkingSetPrivilege = Privilege(SE_INC_WORKING_SET_PRIVILEGE);
  e.SeTimeZonePrivilege = Privilege(SE_TIME_ZONE_PRIVILEGE);
  e.SeCreateSymbolicLinkPrivilege = Privilege(SE_CREATE_SYMBOLIC_LINK_PRIVILEGE);
  e.SeDelegateSessionUserImpersonatePrivilege = Privilege(SE_DELEGATE_SESSION_USER_IMPERSONATE_PRIVILEGE);

  e.SeNullSid = Keep(kNull, {0});
  e.SeWorldSid = Keep(kWorld, {0});
  e.SeLocalSid = Keep(kLocal, {0});
  e.SeCreatorOwnerSid = Keep(kCreator, {0});
  e.SeCreatorGroupSid = Keep(kCreator, {1});
  e.SeOwnerRightsSid = Keep(kCreator, {4});
  e.SeNtAuthoritySid = Keep(kNt, {});
  e.SeDialupSid = Keep(kNt, {1});
  e.SeNetworkSid = Keep(kNt, {2});
  e.SeBatchSid = Keep(kNt, {3});
  e.SeInteractiveSid = Keep(kNt, {4});
  e.SeAnonymousLogonSid = Keep(kNt, {7});
  e.SeAuthenticatedUsersSid = Keep(kNt, {11});
  e.SeRestrictedSid = Keep(kNt, {12});
  e.SeIUserSid = Keep(kNt, {17});
  e.SeLocalSystemSid = Keep(kNt, {18});
  e.SeLocalServiceSid = Keep(kNt, {19});
  e.SeNetworkServiceSid = Keep(kNt, {20});
  e.SeAliasAdminsSid = Keep(kNt, {32, 544});
  e.SeAliasUsersSid = Keep(kNt, {32, 545});
  e.SeAliasGuestsSid = Keep(kNt, {32, 546});
  e.SeAliasPowerUsersSid = Keep(kNt, {32, 547});
  e.SeAliasAccountOpsSid = Keep(kNt, {32, 548});
  e.SeAliasSystemOpsSid = Keep(kNt, {32, 549});
  e.SeAliasPrintOpsSid = Keep(kNt, {32, 550});
  e.SeAliasBackupOpsSid = Keep(kNt, {32, 551});
  e.SeUserModeDriversSid = Keep(kNt, {84, 0, 0, 0, 0, 0});
  e.SeTrustedInstallerSid = Keep(kNt, {80, 956008885, 3418522649, 1831038044, 1853292631, 2271478464});
  e.SeAllAppPackagesSid = Keep(kPackage, {2, 1});
  e.SeUntrustedMandatorySid = Keep(kMandatory, {0});
  e.SeLowMandatorySid = Keep(kMandatory, {0x1000});
  e.SeMediumMandatorySid = Keep(kMandatory, {0x2000});
  e.SeHighMandatorySid = Keep(kMandatory, {0x3000});
  e.SeSystemMandatorySid = Keep(kMandatory, {0x4000});
  e.SeProcTrustWinTcbSid = Keep(kProcessTrust, {1024, 8192});
  return e;
}

}  // namespace

const SE_EXPORTS& Exports() {
  static const SE_EXPORTS exports = Make();
  return exports;
}

}  // namespace nt::se

// Drivers read the variable SeExports, a pointer to the structure.
static const SE_EXPORTS* const g_se_exports_pointer = &nt::se::Exports();
[[gnu::section("ntio_exports"), gnu::used]] static const nt::ExportRecord ntio_export_row_SeExports{
    "SeExports", static_cast<const void*>(&g_se_exports_pointer), NTIO_EXPORT_LIBRARY, nullptr, true};
