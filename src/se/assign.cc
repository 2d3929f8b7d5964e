// SeAssignSecurity: the descriptor of a new object, from its parent's, an explicit one, and the creator's token
// ([MS-DTYP] 2.5.3.4). Where each ACL comes from:
//
//                             explicit ACL given       given as a default        none
//   parent has inheritable    explicit                 inherited                 inherited
//   parent has none           explicit                 the default               the token's (DACL), none (SACL)
//
// With SEF_*_AUTO_INHERIT an explicit ACL that is not protected is followed by the inherited ACEs.
#include "src/ex/ex.h"
#include "src/ke/thread.h"
#include "src/rtl/rtl.h"
#include "src/se/acl_builder.h"

namespace nt::se {
namespace {

constexpr UCHAR kInheritFlags = OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE | NO_PROPAGATE_INHERIT_ACE | INHERIT_ONLY_ACE;

/// For whom ACEs are made.
struct NewObject {
  bool is_container;
  PSID owner;
  PSID group;
  const GENERIC_MAPPING* mapping;
};

/// CREATOR OWNER and CREATOR GROUP become the object's own.
PSID Concrete(PSID sid, const NewObject& object) {
  if (rtl::EqualSid(sid, Exports().SeCreatorOwnerSid)) return object.owner;
  if (rtl::EqualSid(sid, Exports().SeCreatorGroupSid) && object.group) return object.group;
  return sid;
}

/// Appends an ACE that takes effect on the object. When generic rights or creator SIDs have to become concrete and the ACE is
/// also inherited from here on, two are needed: one for the object, one for what is made below it.
void AppendEffective(const ACE_HEADER* ace, UCHAR flags, const NewObject& object, AclBuilder* acl) {
  if (!HasPlainLayout(ace)) return acl->Append(ace, flags);
  PSID sid = Concrete(SidOf(ace), object);
  ACCESS_MASK mask = MaskOf(ace);
  rtl::MapGenericMask(&mask, object.mapping);
  const bool changes = sid != SidOf(ace) || mask != MaskOf(ace);
  if (!changes || !(flags & (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE))) return acl->Append(ace, flags, sid, mask);
  acl->Append(ace, flags & ~kInheritFlags, sid, mask);
  acl->Append(ace, flags | INHERIT_ONLY_ACE);
}

/// The ACEs that an object gets from its parent's ACL.
void AppendInherited(PACL parent, const NewObject& object, UCHAR inherited_flag, AclBuilder* acl) {
  ForEachAce(parent, [&](const ACE_HEADER* ace) {
    const UCHAR kept = (ace->AceFlags & ~(kInheritFlags | INHERITED_ACE)) | inherited_flag;
    const UCHAR propagated = ace->AceFlags & (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE);
    const bool stops = ace->AceFlags & NO_PROPAGATE_INHERIT_ACE;
    if (!object.is_container) {
      if (ace->AceFlags & OBJECT_INHERIT_ACE) AppendEffective(ace, kept, object, acl);
    } else if (ace->AceFlags & CONTAINER_INHERIT_ACE) {
      AppendEffective(ace, stops ? kept : kept | propagated, object, acl);
    } else if ((ace->AceFlags & OBJECT_INHERIT_ACE) && !stops) {
      acl->Append(ace, kept | OBJECT_INHERIT_ACE | INHERIT_ONLY_ACE);
    }
  });
}

/// The ACEs that someone gave for this object.
void AppendGiven(PACL given, bool without_inherited, const NewObject& object, AclBuilder* acl) {
  ForEachAce(given, [&](const ACE_HEADER* ace) {
    if (without_inherited && (ace->AceFlags & INHERITED_ACE)) return;
    if (ace->AceFlags & INHERIT_ONLY_ACE) return acl->Append(ace, ace->AceFlags);
    AppendEffective(ace, ace->AceFlags, object, acl);
  });
}

/// The bits and sources of one of the two ACLs.
struct AclSource {
  PACL parent;
  PACL given;
  PACL fallback;               // the token's default DACL
  bool given_present;
  bool given_defaulted;
  bool given_protected;
  bool auto_inherit;
};

struct NewAcl {
  bool present = false;
  bool is_null = false;        // a NULL DACL that was given
  bool from_default = false;
  bool auto_inherited = false;
  std::vector<UCHAR> bytes;
  PACL acl() { return present && !is_null ? reinterpret_cast<PACL>(bytes.data()) : nullptr; }
};

Status Compute(const AclSource& source, const NewObject& object, NewAcl* result) {
  const UCHAR inherited_flag = source.auto_inherit ? INHERITED_ACE : 0;
  AclBuilder inherited;
  if (!(source.given_present && source.given_protected)) AppendInherited(source.parent, object, inherited_flag, &inherited);
  AclBuilder acl;
  result->auto_inherited = source.auto_inherit;
  if (source.given_present && (!source.given_defaulted || inherited.empty())) {
    result->present = true;
    result->from_default = source.given_defaulted;
    if (!source.given) {
      result->is_null = true;
      return STATUS_SUCCESS;
    }
    const bool merge = source.auto_inherit && !source.given_protected;
    AppendGiven(source.given, merge, object, &acl);
    if (merge) AppendInherited(source.parent, object, inherited_flag, &acl);
    return acl.Finish(&result->bytes);
  }
  if (!inherited.empty()) {
    result->present = true;
    return inherited.Finish(&result->bytes);
  }
  if (!source.fallback) return STATUS_SUCCESS;
  result->present = result->from_default = true;
  AppendGiven(source.fallback, false, object, &acl);
  return acl.Finish(&result->bytes);
}

SECURITY_DESCRIPTOR_CONTROL ControlOf(PSECURITY_DESCRIPTOR descriptor) {
  return descriptor ? static_cast<SECURITY_DESCRIPTOR*>(descriptor)->Control : SECURITY_DESCRIPTOR_CONTROL{0};
}

}  // namespace

Status AssignSecurityEx(PSECURITY_DESCRIPTOR parent, PSECURITY_DESCRIPTOR given, PSECURITY_DESCRIPTOR* fresh, GUID*,
                        bool is_container, ULONG flags, PSECURITY_SUBJECT_CONTEXT subject, PGENERIC_MAPPING mapping,
                        POOL_TYPE pool) {
  PACCESS_TOKEN token = EffectiveToken(subject);
  const auto& content = *AsToken(token)->content;
  const bool trusted = ke::CurrentThread()->previous_mode == KernelMode;
  const SECURITY_DESCRIPTOR_CONTROL given_control = ControlOf(given);

  DescriptorParts parts;
  parts.owner = given ? rtl::OwnerOf(given) : nullptr;
  if (parts.owner && !trusted && !(flags & SEF_AVOID_OWNER_CHECK) && !MayOwn(token, parts.owner)) return STATUS_INVALID_OWNER;
  if (!parts.owner && (flags & SEF_DEFAULT_OWNER_FROM_PARENT) && parent) parts.owner = rtl::OwnerOf(parent);
  if (!parts.owner) {
    parts.owner = content.owner.get();
    parts.control |= SE_OWNER_DEFAULTED;
  }
  parts.group = given ? rtl::GroupOf(given) : nullptr;
  if (!parts.group && (flags & SEF_DEFAULT_GROUP_FROM_PARENT) && parent) parts.group = rtl::GroupOf(parent);
  if (!parts.group) {
    parts.group = content.primary_group.get();
    parts.control |= SE_GROUP_DEFAULTED;
  }
  const NewObject object{is_container, parts.owner, parts.group, mapping};

  auto* default_dacl = content.default_dacl.empty()
                           ? nullptr
                           : reinterpret_cast<PACL>(const_cast<UCHAR*>(content.default_dacl.data()));
  const bool as_default = flags & SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT;
  NewAcl dacl, sacl;
  NT_TRY(Compute({parent ? rtl::DaclOf(parent) : nullptr, given ? rtl::DaclOf(given) : nullptr, default_dacl,
                  (given_control & SE_DACL_PRESENT) != 0, as_default || (given_control & SE_DACL_DEFAULTED),
                  (given_control & SE_DACL_PROTECTED) != 0, (flags & SEF_DACL_AUTO_INHERIT) != 0},
                 object, &dacl));
  PACL given_sacl = given ? rtl::SaclOf(given) : nullptr;
  if (given_sacl && !IsOnlyLabels(given_sacl) && !trusted && !(flags & SEF_AVOID_PRIVILEGE_CHECK) &&
      !TokenHasPrivilege(token, Exports().SeSecurityPrivilege))
    return STATUS_PRIVILEGE_NOT_HELD;
  NT_TRY(Compute({parent ? rtl::SaclOf(parent) : nullptr, given_sacl, nullptr, (given_control & SE_SACL_PRESENT) != 0,
                  as_default || (given_control & SE_SACL_DEFAULTED), (given_control & SE_SACL_PROTECTED) != 0,
                  (flags & SEF_SACL_AUTO_INHERIT) != 0},
                 object, &sacl));
  parts.dacl = dacl.acl();
  parts.sacl = sacl.acl();
  if (dacl.present) parts.control |= SE_DACL_PRESENT;
  if (dacl.from_default) parts.control |= SE_DACL_DEFAULTED;
  if (dacl.auto_inherited) parts.control |= SE_DACL_AUTO_INHERITED;
  if (sacl.present) parts.control |= SE_SACL_PRESENT;
  if (sacl.from_default) parts.control |= SE_SACL_DEFAULTED;
  if (sacl.auto_inherited) parts.control |= SE_SACL_AUTO_INHERITED;
  parts.control |= given_control & (SE_DACL_PROTECTED | SE_SACL_PROTECTED);
  return parts.Build(pool, fresh);
}

Status AssignSecurity(PSECURITY_DESCRIPTOR parent, PSECURITY_DESCRIPTOR given, PSECURITY_DESCRIPTOR* fresh,
                      bool is_container, PSECURITY_SUBJECT_CONTEXT subject, PGENERIC_MAPPING mapping, POOL_TYPE pool) {
  return se::AssignSecurityEx(parent, given, fresh, nullptr, is_container, 0, subject, mapping, pool);
}

Status DeassignSecurity(PSECURITY_DESCRIPTOR* descriptor) {
  if (*descriptor) ex::FreePool(std::exchange(*descriptor, nullptr));
  return STATUS_SUCCESS;
}

}  // namespace nt::se
