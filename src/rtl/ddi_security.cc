// Exports: SIDs, ACLs, security descriptors.
#include "src/ldr/export.h"
#include "src/rtl/pool.h"
#include "src/rtl/rtl.h"

namespace rtl = nt::rtl;

// ---- SIDs ----

NT_EXPORT(BOOLEAN, RtlValidSid, (PSID sid), (sid)) { return rtl::ValidSid(sid); }
NT_EXPORT(BOOLEAN, RtlEqualSid, (PSID a, PSID b), (a, b)) { return rtl::EqualSid(a, b); }
NT_EXPORT(BOOLEAN, RtlEqualPrefixSid, (PSID a, PSID b), (a, b)) { return rtl::EqualPrefixSid(a, b); }
NT_EXPORT(ULONG, RtlLengthRequiredSid, (ULONG count), (count)) { return rtl::LengthRequiredSid(count); }
NT_EXPORT(ULONG, RtlLengthSid, (PSID sid), (sid)) { return rtl::LengthSid(sid); }
NT_EXPORT(NTSTATUS, RtlInitializeSid, (PSID sid, PSID_IDENTIFIER_AUTHORITY authority, UCHAR count),
          (sid, authority, count)) {
  return rtl::InitializeSid(sid, authority, count);
}
NT_EXPORT(PSID_IDENTIFIER_AUTHORITY, RtlIdentifierAuthoritySid, (PSID sid), (sid)) {
  return &static_cast<SID*>(sid)->IdentifierAuthority;
}
NT_EXPORT(PULONG, RtlSubAuthoritySid, (PSID sid, ULONG index), (sid, index)) {
  return static_cast<SID*>(sid)->SubAuthority + index;
}
NT_EXPORT(PUCHAR, RtlSubAuthorityCountSid, (PSID sid), (sid)) { return &static_cast<SID*>(sid)->SubAuthorityCount; }
NT_EXPORT(NTSTATUS, RtlCopySid, (ULONG bytes, PSID destination, PSID source), (bytes, destination, source)) {
  return rtl::CopySid(bytes, destination, source);
}
NT_EXPORT(NTSTATUS, RtlConvertSidToUnicodeString, (PUNICODE_STRING string, PSID sid, BOOLEAN allocate),
          (string, sid, allocate)) {
  return rtl::ConvertSidToUnicodeString(string, sid, allocate);
}
NT_EXPORT(NTSTATUS, RtlAllocateAndInitializeSid,
          (PSID_IDENTIFIER_AUTHORITY authority, UCHAR count, ULONG s0, ULONG s1, ULONG s2, ULONG s3, ULONG s4,
           ULONG s5, ULONG s6, ULONG s7, PSID* sid),
          (authority, count, s0, s1, s2, s3, s4, s5, s6, s7, sid)) {
  const ULONG sub_authorities[] = {s0, s1, s2, s3, s4, s5, s6, s7};
  if (count > std::size(sub_authorities)) return STATUS_INVALID_SID;
  auto* made = static_cast<SID*>(rtl::PoolAllocate(rtl::LengthRequiredSid(count)));
  if (!made) return STATUS_NO_MEMORY;
  const nt::Status status = rtl::InitializeSid(made, authority, count);
  for (unsigned i = 0; i < count; ++i) made->SubAuthority[i] = sub_authorities[i];
  *sid = made;
  return status;
}
NT_EXPORT(PVOID, RtlFreeSid, (PSID sid), (sid)) {
  rtl::PoolFree(sid);
  return nullptr;
}

// ---- ACLs ----

NT_EXPORT(VOID, RtlMapGenericMask, (PACCESS_MASK mask, const GENERIC_MAPPING* mapping), (mask, mapping)) {
  rtl::MapGenericMask(mask, mapping);
}
NT_EXPORT(NTSTATUS, RtlCreateAcl, (PACL acl, ULONG bytes, ULONG revision), (acl, bytes, revision)) {
  return rtl::CreateAcl(acl, bytes, revision);
}
NT_EXPORT(BOOLEAN, RtlValidAcl, (PACL acl), (acl)) { return rtl::ValidAcl(acl); }
NT_EXPORT(BOOLEAN, RtlFirstFreeAce, (PACL acl, PVOID* first), (acl, first)) { return rtl::FirstFreeAce(acl, first); }
NT_EXPORT(NTSTATUS, RtlAddAce, (PACL acl, ULONG revision, ULONG index, PVOID aces, ULONG bytes),
          (acl, revision, index, aces, bytes)) {
  return rtl::AddAce(acl, revision, index, aces, bytes);
}
NT_EXPORT(NTSTATUS, RtlDeleteAce, (PACL acl, ULONG index), (acl, index)) { return rtl::DeleteAce(acl, index); }
NT_EXPORT(NTSTATUS, RtlGetAce, (PACL acl, ULONG index, PVOID* ace), (acl, index, ace)) {
  return rtl::GetAce(acl, index, ace);
}
NT_EXPORT(NTSTATUS, RtlAddAccessAllowedAce, (PACL acl, ULONG revision, ACCESS_MASK mask, PSID sid),
          (acl, revision, mask, sid)) {
  return rtl::AddKnownAce(acl, revision, 0, mask, sid, ACCESS_ALLOWED_ACE_TYPE);
}
NT_EXPORT(NTSTATUS, RtlAddAccessAllowedAceEx, (PACL acl, ULONG revision, ULONG flags, ACCESS_MASK mask, PSID sid),
          (acl, revision, flags, mask, sid)) {
  return rtl::AddKnownAce(acl, revision, flags, mask, sid, ACCESS_ALLOWED_ACE_TYPE);
}
NT_EXPORT(NTSTATUS, RtlAddAccessDeniedAce, (PACL acl, ULONG revision, ACCESS_MASK mask, PSID sid),
          (acl, revision, mask, sid)) {
  return rtl::AddKnownAce(acl, revision, 0, mask, sid, ACCESS_DENIED_ACE_TYPE);
}
NT_EXPORT(NTSTATUS, RtlAddAccessDeniedAceEx, (PACL acl, ULONG revision, ULONG flags, ACCESS_MASK mask, PSID sid),
          (acl, revision, flags, mask, sid)) {
  return rtl::AddKnownAce(acl, revision, flags, mask, sid, ACCESS_DENIED_ACE_TYPE);
}
NT_EXPORT(NTSTATUS, RtlQueryInformationAcl,
          (PACL acl, PVOID information, ULONG bytes, ACL_INFORMATION_CLASS information_class),
          (acl, information, bytes, information_class)) {
  return rtl::QueryInformationAcl(acl, information, bytes, information_class);
}

// ---- security descriptors ----

NT_EXPORT(NTSTATUS, RtlCreateSecurityDescriptor, (PSECURITY_DESCRIPTOR descriptor, ULONG revision),
          (descriptor, revision)) {
  return rtl::CreateSecurityDescriptor(descriptor, revision);
}
NT_EXPORT(NTSTATUS, RtlCreateSecurityDescriptorRelative, (PISECURITY_DESCRIPTOR_RELATIVE descriptor, ULONG revision),
          (descriptor, revision)) {
  return rtl::CreateSecurityDescriptorRelative(descriptor, revision);
}
NT_EXPORT(BOOLEAN, RtlValidSecurityDescriptor, (PSECURITY_DESCRIPTOR descriptor), (descriptor)) {
  return rtl::ValidSecurityDescriptor(descriptor);
}
NT_EXPORT(BOOLEAN, RtlValidRelativeSecurityDescriptor,
          (PSECURITY_DESCRIPTOR descriptor, ULONG bytes, SECURITY_INFORMATION required), (descriptor, bytes, required)) {
  return rtl::ValidRelativeSecurityDescriptor(descriptor, bytes, required);
}
NT_EXPORT(ULONG, RtlLengthSecurityDescriptor, (PSECURITY_DESCRIPTOR descriptor), (descriptor)) {
  return rtl::LengthSecurityDescriptor(descriptor);
}
NT_EXPORT(NTSTATUS, RtlGetControlSecurityDescriptor,
          (PSECURITY_DESCRIPTOR descriptor, PSECURITY_DESCRIPTOR_CONTROL control, PULONG revision),
          (descriptor, control, revision)) {
  return rtl::GetControlSecurityDescriptor(descriptor, control, revision);
}
NT_EXPORT(NTSTATUS, RtlSetControlSecurityDescriptor,
          (PSECURITY_DESCRIPTOR descriptor, SECURITY_DESCRIPTOR_CONTROL of_interest, SECURITY_DESCRIPTOR_CONTROL to_set),
          (descriptor, of_interest, to_set)) {
  return rtl::SetControlSecurityDescriptor(descriptor, of_interest, to_set);
}
NT_EXPORT(NTSTATUS, RtlSetDaclSecurityDescriptor,
          (PSECURITY_DESCRIPTOR descriptor, BOOLEAN present, PACL dacl, BOOLEAN defaulted),
          (descriptor, present, dacl, defaulted)) {
  return rtl::SetDaclSecurityDescriptor(descriptor, present, dacl, defaulted);
}
NT_EXPORT(NTSTATUS, RtlGetDaclSecurityDescriptor,
          (PSECURITY_DESCRIPTOR descriptor, PBOOLEAN present, PACL* dacl, PBOOLEAN defaulted),
          (descriptor, present, dacl, defaulted)) {
  return rtl::GetDaclSecurityDescriptor(descriptor, present, dacl, defaulted);
}
NT_EXPORT(NTSTATUS, RtlSetSaclSecurityDescriptor,
          (PSECURITY_DESCRIPTOR descriptor, BOOLEAN present, PACL sacl, BOOLEAN defaulted),
          (descriptor, present, sacl, defaulted)) {
  return rtl::SetSaclSecurityDescriptor(descriptor, present, sacl, defaulted);
}
NT_EXPORT(NTSTATUS, RtlGetSaclSecurityDescriptor,
          (PSECURITY_DESCRIPTOR descriptor, PBOOLEAN present, PACL* sacl, PBOOLEAN defaulted),
          (descriptor, present, sacl, defaulted)) {
  return rtl::GetSaclSecurityDescriptor(descriptor, present, sacl, defaulted);
}
NT_EXPORT(NTSTATUS, RtlSetOwnerSecurityDescriptor, (PSECURITY_DESCRIPTOR descriptor, PSID owner, BOOLEAN defaulted),
          (descriptor, owner, defaulted)) {
  return rtl::SetOwnerSecurityDescriptor(descriptor, owner, defaulted);
}
NT_EXPORT(NTSTATUS, RtlGetOwnerSecurityDescriptor, (PSECURITY_DESCRIPTOR descriptor, PSID* owner, PBOOLEAN defaulted),
          (descriptor, owner, defaulted)) {
  return rtl::GetOwnerSecurityDescriptor(descriptor, owner, defaulted);
}
NT_EXPORT(NTSTATUS, RtlSetGroupSecurityDescriptor, (PSECURITY_DESCRIPTOR descriptor, PSID group, BOOLEAN defaulted),
          (descriptor, group, defaulted)) {
  return rtl::SetGroupSecurityDescriptor(descriptor, group, defaulted);
}
NT_EXPORT(NTSTATUS, RtlGetGroupSecurityDescriptor, (PSECURITY_DESCRIPTOR descriptor, PSID* group, PBOOLEAN defaulted),
          (descriptor, group, defaulted)) {
  return rtl::GetGroupSecurityDescriptor(descriptor, group, defaulted);
}
NT_EXPORT(NTSTATUS, RtlMakeSelfRelativeSD,
          (PSECURITY_DESCRIPTOR descriptor, PSECURITY_DESCRIPTOR relative, PULONG bytes),
          (descriptor, relative, bytes)) {
  return rtl::MakeSelfRelativeSd(descriptor, relative, bytes);
}
NT_EXPORT(NTSTATUS, RtlAbsoluteToSelfRelativeSD,
          (PSECURITY_DESCRIPTOR absolute, PSECURITY_DESCRIPTOR relative, PULONG bytes), (absolute, relative, bytes)) {
  return rtl::AbsoluteToSelfRelativeSd(absolute, relative, bytes);
}
NT_EXPORT(NTSTATUS, RtlSelfRelativeToAbsoluteSD,
          (PSECURITY_DESCRIPTOR relative, PSECURITY_DESCRIPTOR absolute, PULONG absolute_bytes, PACL dacl,
           PULONG dacl_bytes, PACL sacl, PULONG sacl_bytes, PSID owner, PULONG owner_bytes, PSID group,
           PULONG group_bytes),
          (relative, absolute, absolute_bytes, dacl, dacl_bytes, sacl, sacl_bytes, owner, owner_bytes, group,
           group_bytes)) {
  return rtl::SelfRelativeToAbsoluteSd(relative, absolute, absolute_bytes, dacl, dacl_bytes, sacl, sacl_bytes, owner,
                                       owner_bytes, group, group_bytes);
}
