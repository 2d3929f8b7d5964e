// Security descriptors in their two forms ([MS-DTYP] 2.4.6): absolute, with pointers, and self-relative, with offsets.
#include <algorithm>
#include <cstring>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

SECURITY_DESCRIPTOR* Absolute(PSECURITY_DESCRIPTOR descriptor) { return static_cast<SECURITY_DESCRIPTOR*>(descriptor); }
SECURITY_DESCRIPTOR_RELATIVE* Relative(PSECURITY_DESCRIPTOR descriptor) {
  return static_cast<SECURITY_DESCRIPTOR_RELATIVE*>(descriptor);
}

// Revision and control lie at the same place in both forms.
bool IsRelative(PSECURITY_DESCRIPTOR descriptor) { return Absolute(descriptor)->Control & SE_SELF_RELATIVE; }
bool KnownRevision(PSECURITY_DESCRIPTOR descriptor) {
  return Absolute(descriptor)->Revision == SECURITY_DESCRIPTOR_REVISION;
}

void* At(PSECURITY_DESCRIPTOR descriptor, ULONG offset) {
  return offset ? static_cast<unsigned char*>(descriptor) + offset : nullptr;
}

ULONG Padded(ULONG bytes) { return (bytes + 3) & ~3u; }
ULONG SidBytes(PSID sid) { return sid ? Padded(LengthSid(sid)) : 0; }
ULONG AclBytes(PACL acl) { return acl ? Padded(acl->AclSize) : 0; }

void SetControl(PSECURITY_DESCRIPTOR descriptor, SECURITY_DESCRIPTOR_CONTROL bit, bool on) {
  auto& control = Absolute(descriptor)->Control;
  control = static_cast<SECURITY_DESCRIPTOR_CONTROL>(on ? control | bit : control & ~bit);
}

/// What every Set routine asks of its descriptor.
Status CheckAbsolute(PSECURITY_DESCRIPTOR descriptor) {
  if (!KnownRevision(descriptor)) return STATUS_UNKNOWN_REVISION;
  if (IsRelative(descriptor)) return STATUS_INVALID_SECURITY_DESCR;
  return STATUS_SUCCESS;
}

bool ValidSidIn(PSECURITY_DESCRIPTOR descriptor, ULONG bytes, ULONG offset) {
  if (offset % 4 || offset < sizeof(SECURITY_DESCRIPTOR_RELATIVE) || offset > bytes ||
      bytes - offset < LengthRequiredSid(0))
    return false;
  PSID sid = At(descriptor, offset);
  return ValidSid(sid) && LengthSid(sid) <= bytes - offset;
}

bool ValidAclIn(PSECURITY_DESCRIPTOR descriptor, ULONG bytes, ULONG offset) {
  if (offset % 4 || offset < sizeof(SECURITY_DESCRIPTOR_RELATIVE) || offset > bytes || bytes - offset < sizeof(ACL))
    return false;
  auto* acl = static_cast<PACL>(At(descriptor, offset));
  return acl->AclSize <= bytes - offset && ValidAcl(acl);
}

}  // namespace

PSID OwnerOf(PSECURITY_DESCRIPTOR d) { return IsRelative(d) ? At(d, Relative(d)->Owner) : Absolute(d)->Owner; }
PSID GroupOf(PSECURITY_DESCRIPTOR d) { return IsRelative(d) ? At(d, Relative(d)->Group) : Absolute(d)->Group; }
PACL DaclOf(PSECURITY_DESCRIPTOR d) {
  if (!(Absolute(d)->Control & SE_DACL_PRESENT)) return nullptr;
  return IsRelative(d) ? static_cast<PACL>(At(d, Relative(d)->Dacl)) : Absolute(d)->Dacl;
}
PACL SaclOf(PSECURITY_DESCRIPTOR d) {
  if (!(Absolute(d)->Control & SE_SACL_PRESENT)) return nullptr;
  return IsRelative(d) ? static_cast<PACL>(At(d, Relative(d)->Sacl)) : Absolute(d)->Sacl;
}

Status CreateSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, ULONG revision) {
  if (revision != SECURITY_DESCRIPTOR_REVISION) return STATUS_UNKNOWN_REVISION;
  *Absolute(descriptor) = {};
  Absolute(descriptor)->Revision = SECURITY_DESCRIPTOR_REVISION;
  return STATUS_SUCCESS;
}

Status CreateSecurityDescriptorRelative(PISECURITY_DESCRIPTOR_RELATIVE descriptor, ULONG revision) {
  if (revision != SECURITY_DESCRIPTOR_REVISION) return STATUS_UNKNOWN_REVISION;
  *descriptor = {};
  descriptor->Revision = SECURITY_DESCRIPTOR_REVISION;
  descriptor->Control = SE_SELF_RELATIVE;
  return STATUS_SUCCESS;
}

bool ValidSecurityDescriptor(PSECURITY_DESCRIPTOR d) {
  if (!d || !KnownRevision(d)) return false;
  PSID owner = OwnerOf(d), group = GroupOf(d);
  PACL dacl = DaclOf(d), sacl = SaclOf(d);
  return (!owner || ValidSid(owner)) && (!group || ValidSid(group)) && (!dacl || ValidAcl(dacl)) &&
         (!sacl || ValidAcl(sacl));
}

bool ValidRelativeSecurityDescriptor(PSECURITY_DESCRIPTOR d, ULONG bytes, SECURITY_INFORMATION required) {
  if (bytes < sizeof(SECURITY_DESCRIPTOR_RELATIVE) || !KnownRevision(d) || !IsRelative(d)) return false;
  const auto* r = Relative(d);
  if (r->Owner ? !ValidSidIn(d, bytes, r->Owner) : (required & OWNER_SECURITY_INFORMATION) != 0) return false;
  if (r->Group ? !ValidSidIn(d, bytes, r->Group) : (required & GROUP_SECURITY_INFORMATION) != 0) return false;
  if (r->Control & SE_DACL_PRESENT) {
    if (r->Dacl && !ValidAclIn(d, bytes, r->Dacl)) return false;
  } else if (required & DACL_SECURITY_INFORMATION) {
    return false;
  }
  if (r->Control & SE_SACL_PRESENT) {
    if (r->Sacl && !ValidAclIn(d, bytes, r->Sacl)) return false;
  } else if (required & SACL_SECURITY_INFORMATION) {
    return false;
  }
  return true;
}

ULONG LengthSecurityDescriptor(PSECURITY_DESCRIPTOR d) {
  const ULONG header = IsRelative(d) ? sizeof(SECURITY_DESCRIPTOR_RELATIVE) : sizeof(SECURITY_DESCRIPTOR);
  return header + SidBytes(OwnerOf(d)) + SidBytes(GroupOf(d)) + AclBytes(DaclOf(d)) + AclBytes(SaclOf(d));
}

Status GetControlSecurityDescriptor(PSECURITY_DESCRIPTOR d, PSECURITY_DESCRIPTOR_CONTROL control, PULONG revision) {
  *revision = Absolute(d)->Revision;
  if (!KnownRevision(d)) return STATUS_UNKNOWN_REVISION;
  *control = Absolute(d)->Control;
  return STATUS_SUCCESS;
}

Status SetControlSecurityDescriptor(PSECURITY_DESCRIPTOR d, SECURITY_DESCRIPTOR_CONTROL of_interest,
                                    SECURITY_DESCRIPTOR_CONTROL to_set) {
  constexpr SECURITY_DESCRIPTOR_CONTROL kSettable = SE_DACL_UNTRUSTED | SE_SERVER_SECURITY | SE_DACL_AUTO_INHERIT_REQ |
                                                    SE_SACL_AUTO_INHERIT_REQ | SE_DACL_AUTO_INHERITED |
                                                    SE_SACL_AUTO_INHERITED | SE_DACL_PROTECTED | SE_SACL_PROTECTED;
  if ((of_interest & ~kSettable) || (to_set & ~of_interest)) return STATUS_INVALID_PARAMETER;
  auto& control = Absolute(d)->Control;
  control = static_cast<SECURITY_DESCRIPTOR_CONTROL>((control & ~of_interest) | to_set);
  return STATUS_SUCCESS;
}

Status SetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR d, BOOLEAN present, PACL dacl, BOOLEAN defaulted) {
  NT_TRY(CheckAbsolute(d));
  SetControl(d, SE_DACL_PRESENT, present);
  if (!present) return STATUS_SUCCESS;
  Absolute(d)->Dacl = dacl;
  SetControl(d, SE_DACL_DEFAULTED, defaulted);
  return STATUS_SUCCESS;
}

Status GetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR d, PBOOLEAN present, PACL* dacl, PBOOLEAN defaulted) {
  if (!KnownRevision(d)) return STATUS_UNKNOWN_REVISION;
  *present = (Absolute(d)->Control & SE_DACL_PRESENT) != 0;
  if (*present) {
    *dacl = DaclOf(d);
    *defaulted = (Absolute(d)->Control & SE_DACL_DEFAULTED) != 0;
  }
  return STATUS_SUCCESS;
}

Status SetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR d, BOOLEAN present, PACL sacl, BOOLEAN defaulted) {
  NT_TRY(CheckAbsolute(d));
  SetControl(d, SE_SACL_PRESENT, present);
  if (!present) return STATUS_SUCCESS;
  Absolute(d)->Sacl = sacl;
  SetControl(d, SE_SACL_DEFAULTED, defaulted);
  return STATUS_SUCCESS;
}

Status GetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR d, PBOOLEAN present, PACL* sacl, PBOOLEAN defaulted) {
  if (!KnownRevision(d)) return STATUS_UNKNOWN_REVISION;
  *present = (Absolute(d)->Control & SE_SACL_PRESENT) != 0;
  if (*present) {
    *sacl = SaclOf(d);
    *defaulted = (Absolute(d)->Control & SE_SACL_DEFAULTED) != 0;
  }
  return STATUS_SUCCESS;
}

Status SetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR d, PSID owner, BOOLEAN defaulted) {
  NT_TRY(CheckAbsolute(d));
  Absolute(d)->Owner = owner;
  SetControl(d, SE_OWNER_DEFAULTED, defaulted);
  return STATUS_SUCCESS;
}

Status GetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR d, PSID* owner, PBOOLEAN defaulted) {
  if (!KnownRevision(d)) return STATUS_UNKNOWN_REVISION;
  *owner = OwnerOf(d);
  *defaulted = (Absolute(d)->Control & SE_OWNER_DEFAULTED) != 0;
  return STATUS_SUCCESS;
}

Status SetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR d, PSID group, BOOLEAN defaulted) {
  NT_TRY(CheckAbsolute(d));
  Absolute(d)->Group = group;
  SetControl(d, SE_GROUP_DEFAULTED, defaulted);
  return STATUS_SUCCESS;
}

Status GetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR d, PSID* group, PBOOLEAN defaulted) {
  if (!KnownRevision(d)) return STATUS_UNKNOWN_REVISION;
  *group = GroupOf(d);
  *defaulted = (Absolute(d)->Control & SE_GROUP_DEFAULTED) != 0;
  return STATUS_SUCCESS;
}

Status MakeSelfRelativeSd(PSECURITY_DESCRIPTOR d, PSECURITY_DESCRIPTOR out, PULONG bytes) {
  PSID owner = OwnerOf(d), group = GroupOf(d);
  PACL dacl = DaclOf(d), sacl = SaclOf(d);
  const ULONG needed = sizeof(SECURITY_DESCRIPTOR_RELATIVE) + SidBytes(owner) + SidBytes(group) + AclBytes(dacl) +
                       AclBytes(sacl);
  if (*bytes < needed || !out) {
    *bytes = needed;
    return STATUS_BUFFER_TOO_SMALL;
  }
  *bytes = needed;
  const auto control = Absolute(d)->Control;
  memset(out, 0, needed);
  auto* r = Relative(out);
  r->Revision = Absolute(d)->Revision;
  r->Sbz1 = Absolute(d)->Sbz1;
  r->Control = static_cast<SECURITY_DESCRIPTOR_CONTROL>(control | SE_SELF_RELATIVE);
  ULONG at = sizeof(SECURITY_DESCRIPTOR_RELATIVE);
  const auto put = [&](const void* part, ULONG length, ULONG room) -> ULONG {
    if (!part) return 0;
    memcpy(At(out, at), part, length);
    at += room;
    return at - room;
  };
  r->Sacl = put(sacl, sacl ? sacl->AclSize : 0, AclBytes(sacl));
  r->Dacl = put(dacl, dacl ? dacl->AclSize : 0, AclBytes(dacl));
  r->Owner = put(owner, owner ? LengthSid(owner) : 0, SidBytes(owner));
  r->Group = put(group, group ? LengthSid(group) : 0, SidBytes(group));
  return STATUS_SUCCESS;
}

Status AbsoluteToSelfRelativeSd(PSECURITY_DESCRIPTOR absolute, PSECURITY_DESCRIPTOR relative, PULONG bytes) {
  if (IsRelative(absolute)) return STATUS_BAD_DESCRIPTOR_FORMAT;
  return MakeSelfRelativeSd(absolute, relative, bytes);
}

Status SelfRelativeToAbsoluteSd(PSECURITY_DESCRIPTOR relative, PSECURITY_DESCRIPTOR absolute, PULONG absolute_bytes,
                                PACL dacl, PULONG dacl_bytes, PACL sacl, PULONG sacl_bytes, PSID owner,
                                PULONG owner_bytes, PSID group, PULONG group_bytes) {
  if (!IsRelative(relative)) return STATUS_BAD_DESCRIPTOR_FORMAT;
  PSID from_owner = OwnerOf(relative), from_group = GroupOf(relative);
  PACL from_dacl = DaclOf(relative), from_sacl = SaclOf(relative);
  const ULONG needed[] = {sizeof(SECURITY_DESCRIPTOR), AclBytes(from_dacl), AclBytes(from_sacl), SidBytes(from_owner),
                          SidBytes(from_group)};
  PULONG const given[] = {absolute_bytes, dacl_bytes, sacl_bytes, owner_bytes, group_bytes};
  bool fits = true;
  for (int i = 0; i < 5; ++i) fits = fits && *given[i] >= needed[i];
  for (int i = 0; i < 5; ++i) *given[i] = needed[i];
  if (!fits) return STATUS_BUFFER_TOO_SMALL;

  auto* out = Absolute(absolute);
  *out = {};
  out->Revision = Relative(relative)->Revision;
  out->Sbz1 = Relative(relative)->Sbz1;
  out->Control = static_cast<SECURITY_DESCRIPTOR_CONTROL>(Relative(relative)->Control & ~SE_SELF_RELATIVE);
  const auto take = [](void* to, const void* from, ULONG bytes) { return from ? memcpy(to, from, bytes) : nullptr; };
  out->Owner = take(owner, from_owner, from_owner ? LengthSid(from_owner) : 0);
  out->Group = take(group, from_group, from_group ? LengthSid(from_group) : 0);
  out->Dacl = static_cast<PACL>(take(dacl, from_dacl, from_dacl ? from_dacl->AclSize : 0));
  out->Sacl = static_cast<PACL>(take(sacl, from_sacl, from_sacl ? from_sacl->AclSize : 0));
  return STATUS_SUCCESS;
}

}  // namespace nt::rtl
