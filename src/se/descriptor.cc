// SeQuerySecurityDescriptorInfo and SeSetSecurityDescriptorInfo: parts of an object's descriptor, out and in.
#include "src/base/check.h"
#include "src/ke/thread.h"
#include "src/ldr/user_access.h"
#include "src/rtl/rtl.h"
#include "src/se/acl_builder.h"

namespace nt::se {
namespace {

constexpr SECURITY_DESCRIPTOR_CONTROL kOwnerBits = SE_OWNER_DEFAULTED, kGroupBits = SE_GROUP_DEFAULTED;
constexpr SECURITY_DESCRIPTOR_CONTROL kDaclBits = SE_DACL_PRESENT | SE_DACL_DEFAULTED | SE_DACL_AUTO_INHERIT_REQ |
                                                  SE_DACL_AUTO_INHERITED | SE_DACL_PROTECTED | SE_DACL_UNTRUSTED;
constexpr SECURITY_DESCRIPTOR_CONTROL kSaclBits =
    SE_SACL_PRESENT | SE_SACL_DEFAULTED | SE_SACL_AUTO_INHERIT_REQ | SE_SACL_AUTO_INHERITED | SE_SACL_PROTECTED;

SECURITY_DESCRIPTOR_CONTROL ControlOf(PSECURITY_DESCRIPTOR descriptor) {
  return static_cast<SECURITY_DESCRIPTOR*>(descriptor)->Control;
}

bool IsLabel(const ACE_HEADER* ace) { return ace->AceType == SYSTEM_MANDATORY_LABEL_ACE_TYPE; }

/// The labels of an ACL, or everything else.
Status Select(PACL acl, bool labels, AclBuilder* selected) {
  ForEachAce(acl, [&](const ACE_HEADER* ace) {
    if (IsLabel(ace) == labels) selected->Append(ace, ace->AceFlags);
  });
  return STATUS_SUCCESS;
}

/// An ACL as it is set: generic rights become those of the type; inherit-only ACEs keep theirs.
void AppendMapped(PACL acl, const GENERIC_MAPPING* mapping, bool without_inherited, AclBuilder* out) {
  ForEachAce(acl, [&](const ACE_HEADER* ace) {
    if (without_inherited && (ace->AceFlags & INHERITED_ACE)) return;
    if (!HasPlainLayout(ace) || (ace->AceFlags & INHERIT_ONLY_ACE)) return out->Append(ace, ace->AceFlags);
    ACCESS_MASK mask = MaskOf(ace);
    if (mapping) rtl::MapGenericMask(&mask, mapping);
    out->Append(ace, ace->AceFlags, SidOf(ace), mask);
  });
}

void AppendOldInherited(PACL acl, AclBuilder* out) {
  ForEachAce(acl, [&](const ACE_HEADER* ace) {
    if (ace->AceFlags & INHERITED_ACE) out->Append(ace, ace->AceFlags);
  });
}

}  // namespace

Status QuerySecurityDescriptorInfo(PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR descriptor, PULONG bytes,
                                   PSECURITY_DESCRIPTOR* object_descriptor) {
  const SECURITY_INFORMATION wanted = *information;
  PSECURITY_DESCRIPTOR object = *object_descriptor;
  SECURITY_DESCRIPTOR parts{};
  parts.Revision = SECURITY_DESCRIPTOR_REVISION;
  std::vector<UCHAR> sacl;
  if (object) {
    const SECURITY_DESCRIPTOR_CONTROL control = ControlOf(object);
    if (wanted & OWNER_SECURITY_INFORMATION) {
      parts.Owner = rtl::OwnerOf(object);
      parts.Control |= control & kOwnerBits;
    }
    if (wanted & GROUP_SECURITY_INFORMATION) {
      parts.Group = rtl::GroupOf(object);
      parts.Control |= control & kGroupBits;
    }
    if (wanted & DACL_SECURITY_INFORMATION) {
      parts.Dacl = rtl::DaclOf(object);
      parts.Control |= control & kDaclBits;
    }
    PACL whole = rtl::SaclOf(object);
    if (wanted & SACL_SECURITY_INFORMATION) {
      parts.Sacl = whole;
      parts.Control |= control & kSaclBits;
    } else if ((wanted & LABEL_SECURITY_INFORMATION) && whole) {
      AclBuilder labels;
      NT_TRY(Select(whole, true, &labels));
      if (!labels.empty()) {
        NT_TRY(labels.Finish(&sacl));
        parts.Sacl = reinterpret_cast<PACL>(sacl.data());
        parts.Control |= control & kSaclBits;
      }
    }
  }
  ULONG needed = 0;
  Status status = rtl::MakeSelfRelativeSd(&parts, nullptr, &needed);
  if (status != STATUS_BUFFER_TOO_SMALL) return status;
  const ULONG room = *bytes;
  *bytes = needed;
  if (room < needed) return STATUS_BUFFER_TOO_SMALL;
  // The buffer may be a requestor's.
  std::vector<UCHAR> relative(needed);
  NT_TRY(rtl::MakeSelfRelativeSd(&parts, relative.data(), &needed));
  ldr::CopyToUser(descriptor, relative.data(), needed);
  return STATUS_SUCCESS;
}

Status SetSecurityDescriptorInfoEx(PVOID, PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR modification,
                                   PSECURITY_DESCRIPTOR* object_descriptor, ULONG auto_inherit_flags, POOL_TYPE pool,
                                   PGENERIC_MAPPING mapping) {
  const SECURITY_INFORMATION set = *information;
  PSECURITY_DESCRIPTOR old = *object_descriptor;
  if (!old) return STATUS_NO_SECURITY_ON_OBJECT;
  if (!rtl::ValidSecurityDescriptor(modification)) return STATUS_INVALID_SECURITY_DESCR;
  const SECURITY_DESCRIPTOR_CONTROL old_control = ControlOf(old), new_control = ControlOf(modification);
  const auto take = [&](DescriptorParts* parts, SECURITY_DESCRIPTOR_CONTROL bits, bool from_new) {
    parts->control |= (from_new ? new_control : old_control) & bits;
  };
  DescriptorParts parts;
  parts.owner = rtl::OwnerOf(set & OWNER_SECURITY_INFORMATION ? modification : old);
  take(&parts, kOwnerBits, set & OWNER_SECURITY_INFORMATION);
  if (set & OWNER_SECURITY_INFORMATION) {
    if (!parts.owner) return STATUS_INVALID_OWNER;
    if (ke::CurrentThread()->previous_mode != KernelMode && !(auto_inherit_flags & SEF_AVOID_OWNER_CHECK)) {
      SECURITY_SUBJECT_CONTEXT subject;
      CaptureSubjectContext(&subject);
      const bool may = MayOwn(EffectiveToken(&subject), parts.owner);
      ReleaseSubjectContext(&subject);
      if (!may) return STATUS_INVALID_OWNER;
    }
  }
  parts.group = rtl::GroupOf(set & GROUP_SECURITY_INFORMATION ? modification : old);
  take(&parts, kGroupBits, set & GROUP_SECURITY_INFORMATION);
  if ((set & GROUP_SECURITY_INFORMATION) && !parts.group) return STATUS_INVALID_PRIMARY_GROUP;

  std::vector<UCHAR> dacl, sacl;
  if (set & DACL_SECURITY_INFORMATION) {
    take(&parts, kDaclBits, true);
    if (PACL given = rtl::DaclOf(modification)) {
      // Automatic inheritance keeps what came from the parent, unless the new list is protected.
      const bool merge = (auto_inherit_flags & SEF_DACL_AUTO_INHERIT) && !(new_control & SE_DACL_PROTECTED) &&
                         !(set & PROTECTED_DACL_SECURITY_INFORMATION);
      AclBuilder builder;
      AppendMapped(given, mapping, merge, &builder);
      if (merge) AppendOldInherited(rtl::DaclOf(old), &builder);
      if (auto_inherit_flags & SEF_DACL_AUTO_INHERIT) parts.control |= SE_DACL_AUTO_INHERITED;
      NT_TRY(builder.Finish(&dacl));
      parts.dacl = reinterpret_cast<PACL>(dacl.data());
    }
  } else {
    take(&parts, kDaclBits, false);
    parts.dacl = rtl::DaclOf(old);
  }
  if (set & PROTECTED_DACL_SECURITY_INFORMATION) parts.control |= SE_DACL_PROTECTED;
  if (set & UNPROTECTED_DACL_SECURITY_INFORMATION) parts.control &= ~SE_DACL_PROTECTED;

  const bool audit = set & SACL_SECURITY_INFORMATION, labels = set & LABEL_SECURITY_INFORMATION;
  if (audit || labels) {
    take(&parts, kSaclBits, true);
    AclBuilder builder;
    // Labels and the rest of the list are set separately; what is not set stays.
    if (audit) AppendMapped(rtl::SaclOf(modification), mapping, false, &builder);
    else {
      NT_TRY(Select(rtl::SaclOf(old), false, &builder));
      NT_TRY(Select(rtl::SaclOf(modification), true, &builder));
    }
    if (!builder.empty() || rtl::SaclOf(modification)) {
      parts.control |= SE_SACL_PRESENT;
      NT_TRY(builder.Finish(&sacl));
      parts.sacl = reinterpret_cast<PACL>(sacl.data());
    }
  } else {
    take(&parts, kSaclBits, false);
    parts.sacl = rtl::SaclOf(old);
  }
  if (set & PROTECTED_SACL_SECURITY_INFORMATION) parts.control |= SE_SACL_PROTECTED;
  if (set & UNPROTECTED_SACL_SECURITY_INFORMATION) parts.control &= ~SE_SACL_PROTECTED;

  PSECURITY_DESCRIPTOR fresh;
  NT_TRY(parts.Build(pool, &fresh));
  *object_descriptor = fresh;
  return STATUS_SUCCESS;
}

Status SetSecurityDescriptorInfo(PVOID object, PSECURITY_INFORMATION information, PSECURITY_DESCRIPTOR modification,
                                 PSECURITY_DESCRIPTOR* object_descriptor, POOL_TYPE pool, PGENERIC_MAPPING mapping) {
  return se::SetSecurityDescriptorInfoEx(object, information, modification, object_descriptor, 0, pool, mapping);
}

}  // namespace nt::se
