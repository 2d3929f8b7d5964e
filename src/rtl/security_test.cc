// SIDs, ACLs and security descriptors.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

struct TestSid {
  TestSid(UCHAR authority, std::initializer_list<ULONG> sub_authorities) {
    const SID_IDENTIFIER_AUTHORITY value = {{0, 0, 0, 0, 0, authority}};
    EXPECT_EQ(InitializeSid(bytes, &value, static_cast<UCHAR>(sub_authorities.size())), STATUS_SUCCESS);
    std::copy(sub_authorities.begin(), sub_authorities.end(), reinterpret_cast<SID*>(bytes)->SubAuthority);
  }
  operator PSID() { return bytes; }
  alignas(4) unsigned char bytes[SECURITY_MAX_SID_SIZE] = {};
};

TEST(RtlSid, Text_TheDocumentedForms) {
  TestSid system(5, {18});
  EXPECT_EQ(SidText(system), u"S-1-5-18");
  TestSid admins(5, {32, 544});
  EXPECT_EQ(SidText(admins), u"S-1-5-32-544");
  TestSid large(0, {12, 72});
  const UCHAR authority[] = {0x00, 0x28, 0x65, 0x1F, 0xE8, 0x48};
  memcpy(large.bytes + 2, authority, 6);
  EXPECT_EQ(SidText(large), u"S-1-0x0028651FE848-12-72");
}

TEST(RtlSid, Equality_AndLengths) {
  TestSid a(5, {21, 1, 2}), b(5, {21, 1, 3}), c(5, {21, 1});
  EXPECT_TRUE(EqualSid(a, a));
  EXPECT_FALSE(EqualSid(a, b));
  EXPECT_TRUE(EqualPrefixSid(a, b));
  EXPECT_FALSE(EqualPrefixSid(a, c));
  EXPECT_EQ(LengthSid(a), 20u);
  TestSid copy(1, {});
  EXPECT_EQ(CopySid(19, copy, a), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(CopySid(20, copy, a), STATUS_SUCCESS);
  EXPECT_TRUE(EqualSid(copy, a));
  EXPECT_EQ(InitializeSid(copy, nullptr, 16), STATUS_INVALID_PARAMETER);
}

struct TestAcl {
  explicit TestAcl(ULONG bytes) : memory(bytes / 4) { EXPECT_EQ(CreateAcl(get(), bytes, ACL_REVISION), STATUS_SUCCESS); }
  PACL get() { return reinterpret_cast<PACL>(memory.data()); }
  std::vector<ULONG> memory;
};

TEST(RtlAcl, AddAccessAllowedAce_UntilFull) {
  TestSid world(1, {0});
  TestAcl acl(sizeof(ACL) + 2 * 20);
  EXPECT_EQ(AddKnownAce(acl.get(), ACL_REVISION, 0, GENERIC_READ, world, ACCESS_ALLOWED_ACE_TYPE), STATUS_SUCCESS);
  EXPECT_EQ(AddKnownAce(acl.get(), ACL_REVISION, 0, GENERIC_ALL, world, ACCESS_DENIED_ACE_TYPE), STATUS_SUCCESS);
  EXPECT_EQ(AddKnownAce(acl.get(), ACL_REVISION, 0, GENERIC_ALL, world, ACCESS_ALLOWED_ACE_TYPE),
            STATUS_ALLOTTED_SPACE_EXCEEDED);
  EXPECT_TRUE(ValidAcl(acl.get()));
  PVOID ace;
  ASSERT_EQ(GetAce(acl.get(), 1, &ace), STATUS_SUCCESS);
  EXPECT_EQ(static_cast<PACCESS_DENIED_ACE>(ace)->Header.AceType, ACCESS_DENIED_ACE_TYPE);
  EXPECT_EQ(GetAce(acl.get(), 2, &ace), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(DeleteAce(acl.get(), 0), STATUS_SUCCESS);
  ASSERT_EQ(GetAce(acl.get(), 0, &ace), STATUS_SUCCESS);
  EXPECT_EQ(static_cast<PACCESS_DENIED_ACE>(ace)->Mask, GENERIC_ALL);
  ACL_SIZE_INFORMATION size;
  ASSERT_EQ(QueryInformationAcl(acl.get(), &size, sizeof(size), AclSizeInformation), STATUS_SUCCESS);
  EXPECT_EQ(size.AceCount, 1u);
  EXPECT_EQ(size.AclBytesInUse, sizeof(ACL) + 20);
  EXPECT_EQ(size.AclBytesFree, 20u);
}

TEST(RtlAcl, AddAce_InsertsAtTheIndex) {
  TestSid a(5, {1}), b(5, {2}), c(5, {3});
  TestAcl from(256), to(256);
  AddKnownAce(from.get(), ACL_REVISION, 0, 1, b, ACCESS_ALLOWED_ACE_TYPE).Ignore();
  AddKnownAce(to.get(), ACL_REVISION, 0, 2, a, ACCESS_ALLOWED_ACE_TYPE).Ignore();
  AddKnownAce(to.get(), ACL_REVISION, 0, 3, c, ACCESS_ALLOWED_ACE_TYPE).Ignore();
  PVOID ace;
  ASSERT_EQ(GetAce(from.get(), 0, &ace), STATUS_SUCCESS);
  ASSERT_EQ(AddAce(to.get(), ACL_REVISION, 1, ace, static_cast<PACE_HEADER>(ace)->AceSize), STATUS_SUCCESS);
  const ACCESS_MASK expected[] = {2, 1, 3};
  for (ULONG i = 0; i < 3; ++i) {
    ASSERT_EQ(GetAce(to.get(), i, &ace), STATUS_SUCCESS);
    EXPECT_EQ(static_cast<PACCESS_ALLOWED_ACE>(ace)->Mask, expected[i]);
  }
}

TEST(RtlAcl, MapGenericMask_ReplacesGenericBits) {
  const GENERIC_MAPPING mapping = {1, 2, 4, 7};
  ACCESS_MASK mask = GENERIC_READ | GENERIC_EXECUTE | DELETE;
  MapGenericMask(&mask, &mapping);
  EXPECT_EQ(mask, 5u | DELETE);
}

class RtlDescriptor : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(AddKnownAce(dacl.get(), ACL_REVISION, 0, GENERIC_ALL, owner, ACCESS_ALLOWED_ACE_TYPE), STATUS_SUCCESS);
    ASSERT_EQ(CreateSecurityDescriptor(&absolute, SECURITY_DESCRIPTOR_REVISION), STATUS_SUCCESS);
    ASSERT_EQ(SetOwnerSecurityDescriptor(&absolute, owner, FALSE), STATUS_SUCCESS);
    ASSERT_EQ(SetGroupSecurityDescriptor(&absolute, group, TRUE), STATUS_SUCCESS);
    ASSERT_EQ(SetDaclSecurityDescriptor(&absolute, TRUE, dacl.get(), FALSE), STATUS_SUCCESS);
    ULONG bytes = 0;
    ASSERT_EQ(AbsoluteToSelfRelativeSd(&absolute, nullptr, &bytes), STATUS_BUFFER_TOO_SMALL);
    relative.resize(bytes / 4);
    ASSERT_EQ(AbsoluteToSelfRelativeSd(&absolute, relative.data(), &bytes), STATUS_SUCCESS);
    length = bytes;
  }
  TestSid owner{5, {32, 544}}, group{5, {18}};
  TestAcl dacl{64};
  SECURITY_DESCRIPTOR absolute;
  std::vector<ULONG> relative;
  ULONG length = 0;
};

TEST_F(RtlDescriptor, SelfRelative_HoldsTheSameParts) {
  PSECURITY_DESCRIPTOR d = relative.data();
  EXPECT_TRUE(ValidSecurityDescriptor(d));
  EXPECT_TRUE(ValidRelativeSecurityDescriptor(
      d, length, OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION));
  EXPECT_FALSE(ValidRelativeSecurityDescriptor(d, length, SACL_SECURITY_INFORMATION));
  EXPECT_EQ(LengthSecurityDescriptor(d), length);
  PSID sid;
  BOOLEAN defaulted;
  ASSERT_EQ(GetOwnerSecurityDescriptor(d, &sid, &defaulted), STATUS_SUCCESS);
  EXPECT_TRUE(EqualSid(sid, owner));
  EXPECT_FALSE(defaulted);
  ASSERT_EQ(GetGroupSecurityDescriptor(d, &sid, &defaulted), STATUS_SUCCESS);
  EXPECT_TRUE(EqualSid(sid, group));
  EXPECT_TRUE(defaulted);
  BOOLEAN present;
  PACL acl = nullptr;
  ASSERT_EQ(GetDaclSecurityDescriptor(d, &present, &acl, &defaulted), STATUS_SUCCESS);
  EXPECT_TRUE(present);
  EXPECT_EQ(memcmp(acl, dacl.get(), acl->AclSize), 0);
  ASSERT_EQ(GetSaclSecurityDescriptor(d, &present, &acl, &defaulted), STATUS_SUCCESS);
  EXPECT_FALSE(present);
  EXPECT_EQ(SetOwnerSecurityDescriptor(d, owner, FALSE), STATUS_INVALID_SECURITY_DESCR);
}

TEST_F(RtlDescriptor, BackToAbsolute_AndAgain_IsTheSame) {
  ULONG sizes[5] = {};
  EXPECT_EQ(SelfRelativeToAbsoluteSd(relative.data(), nullptr, &sizes[0], nullptr, &sizes[1], nullptr, &sizes[2], nullptr,
                                     &sizes[3], nullptr, &sizes[4]),
            STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(sizes[0], sizeof(SECURITY_DESCRIPTOR));
  EXPECT_EQ(sizes[2], 0u);
  SECURITY_DESCRIPTOR again;
  std::vector<ULONG> parts[5];
  for (int i = 1; i < 5; ++i) parts[i].resize(sizes[i] / 4 + 1);
  ASSERT_EQ(SelfRelativeToAbsoluteSd(relative.data(), &again, &sizes[0], reinterpret_cast<PACL>(parts[1].data()),
                                     &sizes[1], reinterpret_cast<PACL>(parts[2].data()), &sizes[2], parts[3].data(),
                                     &sizes[3], parts[4].data(), &sizes[4]),
            STATUS_SUCCESS);
  std::vector<ULONG> second(length / 4);
  ULONG bytes = length;
  ASSERT_EQ(AbsoluteToSelfRelativeSd(&again, second.data(), &bytes), STATUS_SUCCESS);
  EXPECT_EQ(second, relative);
}

TEST_F(RtlDescriptor, ValidRelative_NeverReadsOutside) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    // An exact copy on the heap: a sanitizer sees an access past its end.
    const ULONG bytes = round % 2 ? length : random() % (length + 1);
    std::vector<unsigned char> copy(reinterpret_cast<unsigned char*>(relative.data()),
                                    reinterpret_cast<unsigned char*>(relative.data()) + bytes);
    if (bytes && round % 2)
      for (int i = 0; i < 3; ++i) copy[random() % bytes] = static_cast<unsigned char>(random());
    copy.shrink_to_fit();
    if (ValidRelativeSecurityDescriptor(copy.data(), bytes, 0)) {
      EXPECT_GE(bytes, sizeof(SECURITY_DESCRIPTOR_RELATIVE));
    }
  }
}

}  // namespace
}  // namespace nt::rtl
