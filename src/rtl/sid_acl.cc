// SIDs and access control lists ([MS-DTYP] 2.4.2, 2.4.5).
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "src/rtl/pool.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

SID* AsSid(PSID sid) { return static_cast<SID*>(sid); }

unsigned char* Bytes(PACL acl) { return reinterpret_cast<unsigned char*>(acl); }
ACE_HEADER* FirstAce(PACL acl) { return reinterpret_cast<ACE_HEADER*>(acl + 1); }
ACE_HEADER* NextAce(ACE_HEADER* ace) {
  return reinterpret_cast<ACE_HEADER*>(reinterpret_cast<unsigned char*>(ace) + ace->AceSize);
}

/// The type has a mask and then a SID.
bool IsKnownAce(UCHAR type) {
  return type <= ACCESS_MAX_MS_V2_ACE_TYPE || type == SYSTEM_MANDATORY_LABEL_ACE_TYPE ||
         type == ACCESS_ALLOWED_CALLBACK_ACE_TYPE || type == ACCESS_DENIED_CALLBACK_ACE_TYPE ||
         type == SYSTEM_AUDIT_CALLBACK_ACE_TYPE || type == SYSTEM_SCOPED_POLICY_ID_ACE_TYPE ||
         type == SYSTEM_RESOURCE_ATTRIBUTE_ACE_TYPE;
}

bool ValidRevision(ULONG revision) { return revision >= MIN_ACL_REVISION && revision <= MAX_ACL_REVISION; }

}  // namespace

bool ValidSid(PSID sid) {
  return sid && (AsSid(sid)->Revision & 0x0F) == SID_REVISION &&
         AsSid(sid)->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES;
}

bool EqualSid(PSID a, PSID b) { return LengthSid(a) == LengthSid(b) && memcmp(a, b, LengthSid(a)) == 0; }

bool EqualPrefixSid(PSID a, PSID b) {
  if (AsSid(a)->Revision != AsSid(b)->Revision || AsSid(a)->SubAuthorityCount != AsSid(b)->SubAuthorityCount ||
      memcmp(&AsSid(a)->IdentifierAuthority, &AsSid(b)->IdentifierAuthority, sizeof(SID_IDENTIFIER_AUTHORITY)) != 0)
    return false;
  const unsigned last = std::max<unsigned>(AsSid(a)->SubAuthorityCount, 1) - 1;
  return memcmp(AsSid(a)->SubAuthority, AsSid(b)->SubAuthority, last * sizeof(ULONG)) == 0;
}

ULONG LengthRequiredSid(ULONG sub_authorities) {
  return static_cast<ULONG>(offsetof(SID, SubAuthority) + sub_authorities * sizeof(ULONG));
}
ULONG LengthSid(PSID sid) { return LengthRequiredSid(AsSid(sid)->SubAuthorityCount); }

Status InitializeSid(PSID sid, const SID_IDENTIFIER_AUTHORITY* authority, UCHAR sub_authorities) {
  if (sub_authorities > SID_MAX_SUB_AUTHORITIES) return STATUS_INVALID_PARAMETER;
  AsSid(sid)->Revision = SID_REVISION;
  AsSid(sid)->SubAuthorityCount = sub_authorities;
  AsSid(sid)->IdentifierAuthority = *authority;
  return STATUS_SUCCESS;
}

Status CopySid(ULONG bytes, PSID destination, PSID source) {
  const ULONG length = LengthSid(source);
  if (length > bytes) return STATUS_BUFFER_TOO_SMALL;
  memmove(destination, source, length);
  return STATUS_SUCCESS;
}

std::u16string SidText(PSID sid) {
  const UCHAR* a = AsSid(sid)->IdentifierAuthority.Value;
  char number[24];
  if (a[0] || a[1])
    snprintf(number, sizeof(number), "0x%02X%02X%02X%02X%02X%02X", a[0], a[1], a[2], a[3], a[4], a[5]);
  else
    snprintf(number, sizeof(number), "%u", unsigned{a[2]} << 24 | a[3] << 16 | a[4] << 8 | a[5]);
  std::string text = "S-" + std::to_string(AsSid(sid)->Revision) + '-' + number;
  for (unsigned i = 0; i < AsSid(sid)->SubAuthorityCount; ++i)
    text += '-' + std::to_string(AsSid(sid)->SubAuthority[i]);
  return std::u16string(text.begin(), text.end());
}

Status ConvertSidToUnicodeString(PUNICODE_STRING string, PSID sid, BOOLEAN allocate) {
  if (!ValidSid(sid)) return STATUS_INVALID_SID;
  const std::u16string text = SidText(sid);
  const size_t bytes = text.size() * sizeof(WCHAR);
  if (allocate) {
    auto* buffer = static_cast<WCHAR*>(PoolAllocate(bytes + sizeof(WCHAR)));
    if (!buffer) return STATUS_NO_MEMORY;
    *string = {0, static_cast<USHORT>(bytes + sizeof(WCHAR)), buffer};
  } else if (bytes > string->MaximumLength) {
    return STATUS_BUFFER_OVERFLOW;
  }
  memcpy(string->Buffer, text.data(), bytes);
  string->Length = static_cast<USHORT>(bytes);
  if (bytes + sizeof(WCHAR) <= string->MaximumLength) string->Buffer[text.size()] = 0;
  return STATUS_SUCCESS;
}

void MapGenericMask(PACCESS_MASK mask, const GENERIC_MAPPING* mapping) {
  if (*mask & GENERIC_READ) *mask |= mapping->GenericRead;
  if (*mask & GENERIC_WRITE) *mask |= mapping->GenericWrite;
  if (*mask & GENERIC_EXECUTE) *mask |= mapping->GenericExecute;
  if (*mask & GENERIC_ALL) *mask |= mapping->GenericAll;
  *mask &= ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
}

Status CreateAcl(PACL acl, ULONG bytes, ULONG revision) {
  if (bytes < sizeof(ACL)) return STATUS_BUFFER_TOO_SMALL;
  if (!ValidRevision(revision) || bytes > MAXUSHORT) return STATUS_INVALID_PARAMETER;
  *acl = {static_cast<UCHAR>(revision), 0, static_cast<USHORT>(bytes & ~3u), 0, 0};
  return STATUS_SUCCESS;
}

bool ValidAcl(PACL acl) {
  if (!acl || !ValidRevision(acl->AclRevision) || acl->AclSize < sizeof(ACL)) return false;
  const unsigned char* end = Bytes(acl) + acl->AclSize;
  ACE_HEADER* ace = FirstAce(acl);
  for (unsigned i = 0; i < acl->AceCount; ++i, ace = NextAce(ace)) {
    const auto* start = reinterpret_cast<unsigned char*>(ace);
    const size_t room = static_cast<size_t>(end - start);
    if (room < sizeof(ACE_HEADER) || ace->AceSize < sizeof(ACE_HEADER) || ace->AceSize > room || ace->AceSize % 4)
      return false;
    if (!IsKnownAce(ace->AceType)) continue;
    constexpr size_t kSidAt = offsetof(ACCESS_ALLOWED_ACE, SidStart);
    PSID sid = reinterpret_cast<unsigned char*>(ace) + kSidAt;
    if (ace->AceSize < kSidAt + LengthRequiredSid(0) || !ValidSid(sid) || ace->AceSize < kSidAt + LengthSid(sid))
      return false;
  }
  return true;
}

bool FirstFreeAce(PACL acl, PVOID* first) {
  const unsigned char* end = Bytes(acl) + acl->AclSize;
  ACE_HEADER* ace = FirstAce(acl);
  *first = nullptr;
  for (unsigned i = 0; i < acl->AceCount; ++i, ace = NextAce(ace))
    if (reinterpret_cast<unsigned char*>(ace) + sizeof(ACE_HEADER) > end) return false;
  if (reinterpret_cast<unsigned char*>(ace) > end) return false;
  // Exactly full: there is no first free byte.
  *first = reinterpret_cast<unsigned char*>(ace) < end ? ace : nullptr;
  return true;
}

Status AddAce(PACL acl, ULONG revision, ULONG index, PVOID aces, ULONG bytes) {
  PVOID free;
  if (!ValidAcl(acl) || !FirstFreeAce(acl, &free)) return STATUS_INVALID_PARAMETER;
  const unsigned char* list_end = static_cast<unsigned char*>(aces) + bytes;
  unsigned count = 0;
  auto* ace = static_cast<ACE_HEADER*>(aces);
  for (; reinterpret_cast<unsigned char*>(ace) < list_end; ace = NextAce(ace), ++count) {
    const size_t room = static_cast<size_t>(list_end - reinterpret_cast<unsigned char*>(ace));
    if (room < sizeof(ACE_HEADER) || ace->AceSize < sizeof(ACE_HEADER) || ace->AceSize > room)
      return STATUS_INVALID_PARAMETER;
  }
  if (!free || bytes > static_cast<size_t>(Bytes(acl) + acl->AclSize - static_cast<unsigned char*>(free)))
    return STATUS_BUFFER_TOO_SMALL;
  ACE_HEADER* at = FirstAce(acl);
  for (ULONG i = 0; i < index && i < acl->AceCount; ++i) at = NextAce(at);
  auto* slot = reinterpret_cast<unsigned char*>(at);
  memmove(slot + bytes, slot, static_cast<size_t>(static_cast<unsigned char*>(free) - slot));
  memcpy(slot, aces, bytes);
  acl->AceCount = static_cast<USHORT>(acl->AceCount + count);
  acl->AclRevision = static_cast<UCHAR>(std::max<ULONG>(acl->AclRevision, revision));
  return STATUS_SUCCESS;
}

Status DeleteAce(PACL acl, ULONG index) {
  if (!ValidAcl(acl) || index >= acl->AceCount) return STATUS_INVALID_PARAMETER;
  ACE_HEADER* ace = FirstAce(acl);
  for (ULONG i = 0; i < index; ++i) ace = NextAce(ace);
  ACE_HEADER* end = ace;
  for (ULONG i = index; i < acl->AceCount; ++i) end = NextAce(end);
  const USHORT gap = ace->AceSize;
  auto* start = reinterpret_cast<unsigned char*>(ace);
  auto* stop = reinterpret_cast<unsigned char*>(end);
  memmove(start, start + gap, static_cast<size_t>(stop - start) - gap);
  memset(stop - gap, 0, gap);
  --acl->AceCount;
  return STATUS_SUCCESS;
}

Status GetAce(PACL acl, ULONG index, PVOID* ace) {
  if (!acl || !ValidRevision(acl->AclRevision) || index >= acl->AceCount) return STATUS_INVALID_PARAMETER;
  const unsigned char* end = Bytes(acl) + acl->AclSize;
  ACE_HEADER* at = FirstAce(acl);
  for (ULONG i = 0; i < index; ++i) {
    if (reinterpret_cast<unsigned char*>(at) >= end) return STATUS_INVALID_PARAMETER;
    at = NextAce(at);
  }
  if (reinterpret_cast<unsigned char*>(at) >= end) return STATUS_INVALID_PARAMETER;
  *ace = at;
  return STATUS_SUCCESS;
}

Status AddKnownAce(PACL acl, ULONG revision, ULONG flags, ACCESS_MASK mask, PSID sid, UCHAR type) {
  if (!ValidSid(sid)) return STATUS_INVALID_SID;
  if (acl->AclRevision > MAX_ACL_REVISION || !ValidRevision(revision)) return STATUS_REVISION_MISMATCH;
  if (flags & ~static_cast<ULONG>(VALID_INHERIT_FLAGS | SUCCESSFUL_ACCESS_ACE_FLAG | FAILED_ACCESS_ACE_FLAG))
    return STATUS_INVALID_PARAMETER;
  PVOID free;
  if (!ValidAcl(acl) || !FirstFreeAce(acl, &free)) return STATUS_INVALID_ACL;
  const size_t bytes = offsetof(ACCESS_ALLOWED_ACE, SidStart) + LengthSid(sid);
  if (!free || bytes > static_cast<size_t>(Bytes(acl) + acl->AclSize - static_cast<unsigned char*>(free)))
    return STATUS_ALLOTTED_SPACE_EXCEEDED;
  auto* ace = static_cast<ACCESS_ALLOWED_ACE*>(free);
  ace->Header = {type, static_cast<UCHAR>(flags), static_cast<USHORT>(bytes)};
  ace->Mask = mask;
  memcpy(&ace->SidStart, sid, LengthSid(sid));
  ++acl->AceCount;
  acl->AclRevision = static_cast<UCHAR>(std::max<ULONG>(acl->AclRevision, revision));
  return STATUS_SUCCESS;
}

Status QueryInformationAcl(PACL acl, PVOID information, ULONG bytes, ACL_INFORMATION_CLASS information_class) {
  if (!ValidAcl(acl)) return STATUS_INVALID_PARAMETER;
  switch (information_class) {
    case AclRevisionInformation:
      if (bytes < sizeof(ACL_REVISION_INFORMATION)) return STATUS_BUFFER_TOO_SMALL;
      static_cast<PACL_REVISION_INFORMATION>(information)->AclRevision = acl->AclRevision;
      return STATUS_SUCCESS;
    case AclSizeInformation: {
      if (bytes < sizeof(ACL_SIZE_INFORMATION)) return STATUS_BUFFER_TOO_SMALL;
      PVOID free;
      if (!FirstFreeAce(acl, &free)) return STATUS_INVALID_PARAMETER;
      auto* size = static_cast<PACL_SIZE_INFORMATION>(information);
      size->AceCount = acl->AceCount;
      size->AclBytesInUse =
          free ? static_cast<ULONG>(static_cast<unsigned char*>(free) - Bytes(acl)) : ULONG{acl->AclSize};
      size->AclBytesFree = acl->AclSize - size->AclBytesInUse;
      return STATUS_SUCCESS;
    }
  }
  return STATUS_INVALID_INFO_CLASS;
}

}  // namespace nt::rtl
