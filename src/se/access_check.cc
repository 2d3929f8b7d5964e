// SeAccessCheck: privileges, the integrity label, the owner, then the DACL walk ([MS-DTYP] 2.5.3.2).
//
// An access-denied ACE ends the check when it denies a right that is still wanted; rights are gathered in the order of the list.
// The owner has READ_CONTROL and WRITE_DAC, unless an OWNER RIGHTS ACE says otherwise. A restricted token must pass a second
// walk in which only its restricted SIDs count.
#include <cstddef>

#include "src/ex/ex.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::se {
namespace {

constexpr ACCESS_MASK kOwnerRights = READ_CONTROL | WRITE_DAC;

struct Walk {
  ACCESS_MASK wanted = 0;   // not granted yet
  ACCESS_MASK granted = 0;
  ACCESS_MASK denied = 0;
  bool maximum = false;     // MAXIMUM_ALLOWED: collect everything
  bool refused = false;

  bool Passed() const { return !refused && wanted == 0 && !(maximum && granted == 0); }
};

/// Whom an ACE speaks of: the whole token, or only its restricted SIDs.
struct Subject {
  PACCESS_TOKEN token;
  bool restricted;
  bool Has(PSID sid, bool for_deny) const {
    if (!restricted) return TokenHasGroup(token, sid, for_deny);
    for (const auto& group : AsToken(token)->content->restricted_sids)
      if (rtl::EqualSid(group.sid.get(), sid)) return true;
    return false;
  }
};

void VisitAces(PACL dacl, const Subject& subject, bool is_owner, const GENERIC_MAPPING& mapping, Walk* walk) {
  PSID owner_rights = Exports().SeOwnerRightsSid;
  for (ULONG index = 0; index < dacl->AceCount && !walk->refused; index++) {
    PVOID entry;
    if (!NT_SUCCESS(rtl::GetAce(dacl, index, &entry))) return;
    const auto* ace = static_cast<const ACCESS_ALLOWED_ACE*>(entry);
    const bool allow = ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE;
    const bool deny = ace->Header.AceType == ACCESS_DENIED_ACE_TYPE;
    if ((!allow && !deny) || (ace->Header.AceFlags & INHERIT_ONLY_ACE)) continue;
    PSID sid = const_cast<ULONG*>(&ace->SidStart);
    if (!subject.Has(sid, deny) && !(is_owner && rtl::EqualSid(sid, owner_rights))) continue;
    ACCESS_MASK mask = ace->Mask;
    rtl::MapGenericMask(&mask, &mapping);
    if (allow) {
      walk->granted |= mask & ~walk->denied;
      walk->wanted &= ~mask;
    } else {
      walk->denied |= mask & ~walk->granted;
      if (walk->wanted & mask) walk->refused = true;
    }
    if (!walk->maximum && walk->wanted == 0) return;
  }
}

bool HasOwnerRightsAce(PACL dacl) {
  for (ULONG index = 0; index < dacl->AceCount; index++) {
    PVOID entry;
    if (!NT_SUCCESS(rtl::GetAce(dacl, index, &entry))) return false;
    const auto* ace = static_cast<const ACCESS_ALLOWED_ACE*>(entry);
    if (ace->Header.AceType <= ACCESS_DENIED_ACE_TYPE && !(ace->Header.AceFlags & INHERIT_ONLY_ACE) &&
        rtl::EqualSid(const_cast<ULONG*>(&ace->SidStart), Exports().SeOwnerRightsSid))
      return true;
  }
  return false;
}

void WalkDacl(PACL dacl, PSID owner, const Subject& subject, const GENERIC_MAPPING& mapping, Walk* walk) {
  const bool is_owner = owner && subject.Has(owner, false);
  if (is_owner && !HasOwnerRightsAce(dacl)) {
    walk->granted |= walk->maximum ? kOwnerRights : walk->wanted & kOwnerRights;
    walk->wanted &= ~kOwnerRights;
  }
  if (walk->wanted || walk->maximum) VisitAces(dacl, subject, is_owner, mapping, walk);
}

/// What the mandatory label lets a token of lower integrity do; without a label an object is of medium integrity and may not
/// be written from below ([MS-DTYP] 2.5.3.3).
ACCESS_MASK AllowedByIntegrity(PSECURITY_DESCRIPTOR descriptor, PACCESS_TOKEN token, const GENERIC_MAPPING& mapping) {
  ULONG level = SECURITY_MANDATORY_MEDIUM_RID;
  ACCESS_MASK policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
  PACL sacl = rtl::SaclOf(descriptor);
  for (ULONG index = 0; sacl && index < sacl->AceCount; index++) {
    PVOID entry;
    if (!NT_SUCCESS(rtl::GetAce(sacl, index, &entry))) break;
    const auto* ace = static_cast<const SYSTEM_MANDATORY_LABEL_ACE*>(entry);
    if (ace->Header.AceType != SYSTEM_MANDATORY_LABEL_ACE_TYPE || (ace->Header.AceFlags & INHERIT_ONLY_ACE)) continue;
    const auto* sid = reinterpret_cast<const SID*>(&ace->SidStart);
    if (sid->SubAuthorityCount == 0) continue;
    level = sid->SubAuthority[sid->SubAuthorityCount - 1];
    policy = ace->Mask;
    break;
  }
  if (TokenIntegrity(token) >= level) return ~0u;
  ACCESS_MASK allowed = SYNCHRONIZE | ACCESS_SYSTEM_SECURITY;
  if (!(policy & SYSTEM_MANDATORY_LABEL_NO_READ_UP)) allowed |= mapping.GenericRead;
  if (!(policy & SYSTEM_MANDATORY_LABEL_NO_WRITE_UP)) allowed |= mapping.GenericWrite;
  if (!(policy & SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP)) allowed |= mapping.GenericExecute;
  if (TokenHasPrivilege(token, Exports().SeRelabelPrivilege)) allowed |= WRITE_OWNER;
  return allowed;
}

/// The privileges that a check has used.
class UsedPrivileges {
 public:
  void Add(LUID privilege) { used_[count_++] = {privilege, SE_PRIVILEGE_USED_FOR_ACCESS}; }
  /// The set only informs: without memory there is none.
  void Give(PPRIVILEGE_SET* privileges) const {
    if (!privileges || count_ == 0) return;
    const SIZE_T bytes = offsetof(PRIVILEGE_SET, Privilege) + count_ * sizeof(LUID_AND_ATTRIBUTES);
    auto* set = static_cast<PPRIVILEGE_SET>(ex::AllocatePool(PagedPool, bytes, 'rPeS'));
    if (!set) return;
    set->PrivilegeCount = count_;
    set->Control = 0;
    for (ULONG i = 0; i < count_; i++) set->Privilege[i] = used_[i];
    *privileges = set;
  }

 private:
  LUID_AND_ATTRIBUTES used_[2];
  ULONG count_ = 0;
};

bool Refuse(PACCESS_MASK granted, NTSTATUS* status, NTSTATUS why) {
  *granted = 0;
  *status = why;
  return false;
}

}  // namespace

bool AccessCheck(PSECURITY_DESCRIPTOR descriptor, PSECURITY_SUBJECT_CONTEXT context, bool, ACCESS_MASK desired,
                 ACCESS_MASK previously_granted, PPRIVILEGE_SET* privileges, PGENERIC_MAPPING mapping,
                 KPROCESSOR_MODE mode, PACCESS_MASK granted, NTSTATUS* status) {
  if (privileges) *privileges = nullptr;
  rtl::MapGenericMask(&desired, mapping);
  if (mode == KernelMode) {
    *granted = desired & MAXIMUM_ALLOWED ? (desired & ~MAXIMUM_ALLOWED) | mapping->GenericAll : desired;
    *granted |= previously_granted;
    *status = STATUS_SUCCESS;
    return true;
  }
  if (!descriptor) return Refuse(granted, status, STATUS_ACCESS_DENIED);
  if (context->ClientToken && context->ImpersonationLevel < SecurityImpersonation)
    return Refuse(granted, status, STATUS_BAD_IMPERSONATION_LEVEL);
  if (desired == 0) {
    // Nothing asked for and nothing had: a handle that cannot be used is not given out.
    if (previously_granted == 0) return Refuse(granted, status, STATUS_ACCESS_DENIED);
    *granted = previously_granted;
    *status = STATUS_SUCCESS;
    return true;
  }
  PACCESS_TOKEN token = EffectiveToken(context);
  const auto& known = Exports();
  const bool maximum = desired & MAXIMUM_ALLOWED;
  ACCESS_MASK wanted = desired & ~MAXIMUM_ALLOWED;
  ACCESS_MASK by_privilege = 0;
  UsedPrivileges used;
  if (wanted & ACCESS_SYSTEM_SECURITY) {
    if (!TokenHasPrivilege(token, known.SeSecurityPrivilege)) return Refuse(granted, status, STATUS_PRIVILEGE_NOT_HELD);
    by_privilege |= ACCESS_SYSTEM_SECURITY;
    used.Add(known.SeSecurityPrivilege);
  }
  if ((wanted & WRITE_OWNER) && TokenHasPrivilege(token, known.SeTakeOwnershipPrivilege)) {
    by_privilege |= WRITE_OWNER;
    used.Add(known.SeTakeOwnershipPrivilege);
  }
  wanted &= ~by_privilege;
  const ACCESS_MASK integrity = AllowedByIntegrity(descriptor, token, *mapping);
  if (wanted & ~integrity) return Refuse(granted, status, STATUS_ACCESS_DENIED);

  Walk walk;
  walk.maximum = maximum;
  walk.wanted = wanted;
  walk.granted = previously_granted | by_privilege;
  if (PACL dacl = rtl::DaclOf(descriptor); !dacl) {
    walk.granted |= maximum ? mapping->GenericAll | wanted : wanted;
    walk.wanted = 0;
  } else {
    PSID owner = rtl::OwnerOf(descriptor);
    const Walk before = walk;
    WalkDacl(dacl, owner, {token, false}, *mapping, &walk);
    if (walk.Passed() && TokenIsRestricted(token)) {
      Walk second = before;
      ACCESS_MASK exempt = 0;
      if (AsToken(token)->content->write_restricted) {
        exempt = ~(mapping->GenericWrite & ~(mapping->GenericRead | mapping->GenericExecute));
        second.wanted &= ~exempt;
      }
      WalkDacl(dacl, owner, {token, true}, *mapping, &second);
      if (second.refused || second.wanted) walk.refused = true;
      if (maximum) walk.granted &= second.granted | exempt | before.granted;
    }
  }
  if (maximum) walk.granted &= integrity | by_privilege | previously_granted;
  if (!walk.Passed()) return Refuse(granted, status, STATUS_ACCESS_DENIED);
  used.Give(privileges);
  *granted = maximum ? walk.granted : (walk.granted & (desired | previously_granted)) | by_privilege;
  *status = STATUS_SUCCESS;
  return true;
}

}  // namespace nt::se
