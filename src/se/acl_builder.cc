// ACLs in the making; descriptors from parts.
#include "src/se/acl_builder.h"

#include <cstring>

#include "src/ex/ex.h"
#include "src/rtl/rtl.h"

namespace nt::se {

bool HasPlainLayout(const ACE_HEADER* ace) {
  switch (ace->AceType) {
    case ACCESS_ALLOWED_ACE_TYPE:
    case ACCESS_DENIED_ACE_TYPE:
    case SYSTEM_AUDIT_ACE_TYPE:
    case SYSTEM_ALARM_ACE_TYPE:
    case SYSTEM_MANDATORY_LABEL_ACE_TYPE: return true;
    default: return false;
  }
}

void AclBuilder::Append(const ACE_HEADER* ace, UCHAR flags) {
  const size_t at = aces_.size();
  const auto* bytes = reinterpret_cast<const UCHAR*>(ace);
  aces_.insert(aces_.end(), bytes, bytes + ace->AceSize);
  reinterpret_cast<ACE_HEADER*>(aces_.data() + at)->AceFlags = flags;
  if (!HasPlainLayout(ace)) revision_ = ACL_REVISION_DS;
  count_++;
}

void AclBuilder::Append(const ACE_HEADER* ace, UCHAR flags, PSID sid, ACCESS_MASK mask) {
  const size_t at = aces_.size();
  const ULONG sid_bytes = rtl::LengthSid(sid);
  constexpr ULONG kBefore = sizeof(ACE_HEADER) + sizeof(ACCESS_MASK);
  aces_.resize(at + kBefore + sid_bytes);
  auto* fresh = reinterpret_cast<ACCESS_ALLOWED_ACE*>(aces_.data() + at);
  fresh->Header = {ace->AceType, flags, static_cast<USHORT>(kBefore + sid_bytes)};
  fresh->Mask = mask;
  std::memcpy(&fresh->SidStart, sid, sid_bytes);
  count_++;
}

Status AclBuilder::Finish(std::vector<UCHAR>* acl) {
  const size_t bytes = sizeof(ACL) + aces_.size();
  if (bytes > MAXUSHORT) return STATUS_BAD_INHERITANCE_ACL;
  acl->resize(bytes);
  const ACL header{revision_, 0, static_cast<USHORT>(bytes), count_, 0};
  std::memcpy(acl->data(), &header, sizeof header);
  if (!aces_.empty()) std::memcpy(acl->data() + sizeof header, aces_.data(), aces_.size());
  return STATUS_SUCCESS;
}

Status DescriptorParts::Build(POOL_TYPE pool, PSECURITY_DESCRIPTOR* descriptor) const {
  SECURITY_DESCRIPTOR absolute{};
  absolute.Revision = SECURITY_DESCRIPTOR_REVISION;
  absolute.Control = control & ~SE_SELF_RELATIVE;
  absolute.Owner = owner;
  absolute.Group = group;
  absolute.Sacl = sacl;
  absolute.Dacl = dacl;
  ULONG bytes = 0;
  Status status = rtl::MakeSelfRelativeSd(&absolute, nullptr, &bytes);
  if (status != STATUS_BUFFER_TOO_SMALL) return status;
  void* memory = ex::AllocatePool(pool, bytes, 'dSeS');
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  status = rtl::MakeSelfRelativeSd(&absolute, memory, &bytes);
  if (status.ok()) *descriptor = memory;
  else ex::FreePool(memory);
  return status;
}

bool MayOwn(PACCESS_TOKEN token, PSID owner) {
  const auto& content = *AsToken(token)->content;
  if (!content.user_deny_only && rtl::EqualSid(content.user.get(), owner)) return true;
  for (const auto& group : content.groups)
    if ((group.attributes & SE_GROUP_OWNER) && !(group.attributes & SE_GROUP_USE_FOR_DENY_ONLY) &&
        rtl::EqualSid(group.sid.get(), owner))
      return true;
  return TokenHasPrivilege(token, Exports().SeRestorePrivilege);
}

bool IsOnlyLabels(PACL sacl) {
  bool only = true;
  ForEachAce(sacl, [&](const ACE_HEADER* ace) { only = only && ace->AceType == SYSTEM_MANDATORY_LABEL_ACE_TYPE; });
  return only && sacl;
}

}  // namespace nt::se
