// ACLs in the making, for inheritance and for changing descriptors. Private to se.
#pragma once

#include <vector>

#include "src/se/se.h"

namespace nt::se {

/// An ACL that grows.
class AclBuilder {
 public:
  void Append(const ACE_HEADER* ace, UCHAR flags);
  /// For an ACE of known layout (mask, SID): with another SID and mask.
  void Append(const ACE_HEADER* ace, UCHAR flags, PSID sid, ACCESS_MASK mask);
  bool empty() const { return count_ == 0; }
  /// STATUS_BAD_INHERITANCE_ACL: more than an ACL can hold.
  Status Finish(std::vector<UCHAR>* acl);

 private:
  std::vector<UCHAR> aces_;
  USHORT count_ = 0;
  UCHAR revision_ = ACL_REVISION;
};

/// ACEs of the layout header, mask, SID: allowed, denied, audit, alarm, label.
bool HasPlainLayout(const ACE_HEADER* ace);
inline ACCESS_MASK MaskOf(const ACE_HEADER* ace) { return reinterpret_cast<const ACCESS_ALLOWED_ACE*>(ace)->Mask; }
inline PSID SidOf(const ACE_HEADER* ace) {
  return const_cast<ULONG*>(&reinterpret_cast<const ACCESS_ALLOWED_ACE*>(ace)->SidStart);
}
/// Calls visit(const ACE_HEADER*) for each ACE; `acl` may be null.
template <class F>
void ForEachAce(PACL acl, F&& visit) {
  if (!acl) return;
  auto* at = reinterpret_cast<const UCHAR*>(acl + 1);
  const auto* end = reinterpret_cast<const UCHAR*>(acl) + acl->AclSize;
  for (USHORT i = 0; i < acl->AceCount && at + sizeof(ACE_HEADER) <= end; i++) {
    auto* ace = reinterpret_cast<const ACE_HEADER*>(at);
    visit(ace);
    at += ace->AceSize;
  }
}

/// What a new or changed descriptor consists of; Build makes it self-relative, in pool.
struct DescriptorParts {
  SECURITY_DESCRIPTOR_CONTROL control = 0;
  PSID owner = nullptr;
  PSID group = nullptr;
  PACL sacl = nullptr;
  PACL dacl = nullptr;
  Status Build(POOL_TYPE pool, PSECURITY_DESCRIPTOR* descriptor) const;
};

/// The owner is the token's user or a group that may own, or the subject may restore.
bool MayOwn(PACCESS_TOKEN token, PSID owner);
/// A SACL of mandatory labels alone, which needs no privilege.
bool IsOnlyLabels(PACL sacl);

}  // namespace nt::se
