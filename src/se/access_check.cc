// SeAccessCheck: the DACL walk. An access-denied ACE ends the check when it denies a right that is still wanted; rights are
// gathered in the order of the list. The owner has READ_CONTROL and WRITE_DAC, unless an OWNER RIGHTS ACE says otherwise.
#include "src/ex/ex.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::se {
namespace {

struct Walk {
  ACCESS_MASK wanted = 0;   // not granted yet
  ACCESS_MASK granted = 0;
  ACCESS_MASK denied = 0;
  bool maximum = false;     // MAXIMUM_ALLOWED: collect everything
  bool refused = false;
};

void VisitAces(PACL dacl, PACCESS_TOKEN token, bool is_owner, const GENERIC_MAPPING& mapping, Walk* walk) {
  PSID owner_rights = Exports().SeOwnerRightsSid;
  for (ULONG index = 0; index < dacl->AceCount && !walk->refused; index++) {
    PVOID entry;
    if (!NT_SUCCESS(rtl::GetAce(dacl, index, &entry))) return;
    const auto* ace = static_cast<const ACCESS_ALLOWED_ACE*>(entry);
    const bool allow = ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE;
    const bool deny = ace->Header.AceType == ACCESS_DENIED_ACE_TYPE;
    if ((!allow && !deny) || (ace->Header.AceFlags & INHERIT_ONLY_ACE)) continue;
    PSID sid = const_cast<ULONG*>(&ace->SidStart);
    if (!TokenHasGroup(token, sid, deny) && !(is_owner && rtl::EqualSid(sid, owner_rights))) continue;
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
  for (ULONG index = 0; dacl && index < dacl->AceCount; index++) {
    PVOID entry;
    if (!NT_SUCCESS(rtl::GetAce(dacl, index, &entry))) return false;
    const auto* ace = static_cast<const ACCESS_ALLOWED_ACE*>(entry);
    if (ace->Header.AceType <= ACCESS_DENIED_ACE_TYPE && !(ace->Header.AceFlags & INHERIT_ONLY_ACE) &&
        rtl::EqualSid(const_cast<ULONG*>(&ace->SidStart), Exports().SeOwnerRightsSid))
      return true;
  }
  return false;
}

void NotePrivilege(LUID privilege, PPRIVILEGE_SET* privileges) {
  if (!privileges || *privileges) return;
  auto* set = static_cast<PPRIVILEGE_SET>(ex::AllocatePool(PagedPool, sizeof(PRIVILEGE_SET), 'rPeS'));
  if (!set) return;  // the set only informs
  set->PrivilegeCount = 1;
  set->Control = 0;
  set->Privilege[0] = {privilege, SE_PRIVILEGE_USED_FOR_ACCESS};
  *privileges = set;
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
  if (!descriptor) {
    *granted = 0;
    *status = STATUS_ACCESS_DENIED;
    return false;
  }
  PACCESS_TOKEN token = EffectiveToken(context);
  const auto& known = Exports();
  Walk walk;
  walk.maximum = desired & MAXIMUM_ALLOWED;
  walk.wanted = desired & ~MAXIMUM_ALLOWED;
  walk.granted = previously_granted;

  if ((walk.wanted & ACCESS_SYSTEM_SECURITY) || (walk.maximum && TokenHasPrivilege(token, known.SeSecurityPrivilege))) {
    if (!TokenHasPrivilege(token, known.SeSecurityPrivilege)) {
      *granted = 0;
      *status = STATUS_PRIVILEGE_NOT_HELD;
      return false;
    }
    if (walk.wanted & ACCESS_SYSTEM_SECURITY) {
      walk.granted |= ACCESS_SYSTEM_SECURITY;
      walk.wanted &= ~ACCESS_SYSTEM_SECURITY;
      NotePrivilege(known.SeSecurityPrivilege, privileges);
    }
  }
  if ((walk.wanted & WRITE_OWNER) && TokenHasPrivilege(token, known.SeTakeOwnershipPrivilege)) {
    walk.granted |= WRITE_OWNER;
    walk.wanted &= ~WRITE_OWNER;
    NotePrivilege(known.SeTakeOwnershipPrivilege, privileges);
  }

  BOOLEAN present, defaulted;
  PACL dacl = nullptr;
  rtl::GetDaclSecurityDescriptor(descriptor, &present, &dacl, &defaulted).Ignore();  // a descriptor that is valid has both
  if (!present || !dacl) {
    walk.granted |= walk.maximum ? mapping->GenericAll | walk.wanted : walk.wanted;
    walk.wanted = 0;
  } else {
    PSID owner = rtl::OwnerOf(descriptor);
    const bool is_owner = owner && TokenHasGroup(token, owner, false);
    if (is_owner && !HasOwnerRightsAce(dacl)) {
      if (walk.maximum) walk.granted |= READ_CONTROL | WRITE_DAC;
      walk.granted |= walk.wanted & (READ_CONTROL | WRITE_DAC);
      walk.wanted &= ~static_cast<ACCESS_MASK>(READ_CONTROL | WRITE_DAC);
    }
    if (walk.wanted || walk.maximum) VisitAces(dacl, token, is_owner, *mapping, &walk);
  }
  if (walk.refused || walk.wanted != 0 || (walk.maximum && walk.granted == 0)) {
    *granted = 0;
    *status = STATUS_ACCESS_DENIED;
    return false;
  }
  *granted = walk.maximum ? walk.granted : (walk.granted & (desired | previously_granted));
  *status = STATUS_SUCCESS;
  return true;
}

}  // namespace nt::se
