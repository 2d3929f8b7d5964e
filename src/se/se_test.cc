// Tokens, access checks, descriptors of new and changed objects, impersonation.
#include "src/se/se.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/rtl/rtl.h"

namespace nt::se {
namespace {

constexpr ACCESS_MASK kRead = 0x1, kWrite = 0x2, kExecute = 0x4;
GENERIC_MAPPING g_mapping{READ_CONTROL | kRead, READ_CONTROL | kWrite, READ_CONTROL | kExecute, STANDARD_RIGHTS_REQUIRED | 0x7};

struct Ace {
  UCHAR type;
  UCHAR flags;
  ACCESS_MASK mask;
  Sid sid;
};
Ace Allow(ACCESS_MASK mask, const Sid& sid, UCHAR flags = 0) { return {ACCESS_ALLOWED_ACE_TYPE, flags, mask, sid}; }
Ace Deny(ACCESS_MASK mask, const Sid& sid, UCHAR flags = 0) { return {ACCESS_DENIED_ACE_TYPE, flags, mask, sid}; }
Ace Label(ULONG level, ACCESS_MASK policy) { return {SYSTEM_MANDATORY_LABEL_ACE_TYPE, 0, policy, Sid(16, {level})}; }

/// A descriptor of which a test gives the parts.
struct Descriptor {
  SECURITY_DESCRIPTOR descriptor;
  Sid owner, group;
  alignas(8) UCHAR dacl[600], sacl[200];

  Descriptor& Init() {
    EXPECT_TRUE(rtl::CreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION).ok());
    return *this;
  }
  Descriptor& Owner(const Sid& sid) {
    owner = sid;
    EXPECT_TRUE(rtl::SetOwnerSecurityDescriptor(&descriptor, owner.get(), FALSE).ok());
    return *this;
  }
  Descriptor& Group(const Sid& sid) {
    group = sid;
    EXPECT_TRUE(rtl::SetGroupSecurityDescriptor(&descriptor, group.get(), FALSE).ok());
    return *this;
  }
  static PACL Fill(UCHAR* bytes, ULONG room, std::initializer_list<Ace> aces) {
    auto* acl = reinterpret_cast<PACL>(bytes);
    EXPECT_TRUE(rtl::CreateAcl(acl, room, ACL_REVISION).ok());
    for (auto& ace : aces)
      EXPECT_TRUE(rtl::AddKnownAce(acl, ACL_REVISION, ace.flags, ace.mask, ace.sid.get(), ace.type).ok());
    return acl;
  }
  Descriptor& Dacl(std::initializer_list<Ace> aces) {
    EXPECT_TRUE(rtl::SetDaclSecurityDescriptor(&descriptor, TRUE, Fill(dacl, sizeof dacl, aces), FALSE).ok());
    return *this;
  }
  Descriptor& Sacl(std::initializer_list<Ace> aces) {
    EXPECT_TRUE(rtl::SetSaclSecurityDescriptor(&descriptor, TRUE, Fill(sacl, sizeof sacl, aces), FALSE).ok());
    return *this;
  }
  Descriptor& Control(SECURITY_DESCRIPTOR_CONTROL bits) {
    descriptor.Control |= bits;
    return *this;
  }
};

/// "A:3:S-1-1-0" for each ACE: type, flags, mask, SID.
std::string AclText(PACL acl) {
  if (!acl) return "none";
  std::string text;
  for (ULONG i = 0; i < acl->AceCount; i++) {
    PVOID entry;
    EXPECT_TRUE(rtl::GetAce(acl, i, &entry).ok());
    auto* ace = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%s%c%x:%x:", text.empty() ? "" : " ", "ADU"[ace->Header.AceType],
                  ace->Header.AceFlags, ace->Mask);
    text += buffer + rtl::ToUtf8(rtl::SidText(&ace->SidStart));
  }
  return text;
}

class SeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ke::Boot().ok());
    ASSERT_TRUE(ex::Boot().ok());
    ASSERT_TRUE(ob::Boot().ok());
    ASSERT_TRUE(ps::Boot().ok());
    scope_ = std::make_unique<ke::ServiceScope>(nullptr, KernelMode);
    ASSERT_TRUE(Boot().ok());
    ASSERT_TRUE(CreateToken(UnixIdentity(1000, 1000, false), &user_).ok());
    ASSERT_TRUE(CreateToken(UnixIdentity(0, 0, true), &admin_).ok());
    ASSERT_TRUE(CreateToken(SystemIdentity(), &system_).ok());
  }
  void TearDown() override {
    for (PACCESS_TOKEN token : {user_, admin_, system_}) ob::DereferenceObject(token);
    Shutdown();
    scope_.reset();
    ps::Shutdown();
    ob::Shutdown();
    ex::Shutdown();
    ke::Shutdown();
  }

  static SECURITY_SUBJECT_CONTEXT Subject(PACCESS_TOKEN token) { return {nullptr, SecurityAnonymous, token, nullptr}; }

  /// What is granted, or 0 with the status in last_.
  ACCESS_MASK Check(Descriptor& descriptor, PACCESS_TOKEN token, ACCESS_MASK desired, ACCESS_MASK previous = 0) {
    auto subject = Subject(token);
    ACCESS_MASK granted = 0xFFFFFFFF;
    const bool passed = AccessCheck(&descriptor.descriptor, &subject, false, desired, previous, nullptr, &g_mapping, UserMode,
                                    &granted, &last_);
    EXPECT_EQ(passed, last_ == STATUS_SUCCESS);
    if (!passed) {
      EXPECT_EQ(granted, 0u);
    }
    return granted;
  }

  const Sid me_{22, {1, 1000}}, my_group_{22, {2, 1000}}, other_{22, {1, 1001}}, everyone_{1, {0}};
  const Sid administrators_{5, {32, 544}}, creator_owner_{3, {0}}, creator_group_{3, {1}}, owner_rights_{3, {4}};
  PACCESS_TOKEN user_ = nullptr, admin_ = nullptr, system_ = nullptr;
  NTSTATUS last_ = STATUS_SUCCESS;

 private:
  std::unique_ptr<ke::ServiceScope> scope_;
};

TEST_F(SeTest, AccessCheck_Table) {
  const struct {
    const char* what;
    std::initializer_list<Ace> dacl;
    ACCESS_MASK desired;
    ACCESS_MASK granted;  // 0: denied
  } kCases[] = {
      {"no ACE", {}, kRead, 0},
      {"user", {Allow(kRead, me_)}, kRead, kRead},
      {"group", {Allow(kRead, my_group_)}, kRead, kRead},
      {"everyone", {Allow(kRead, everyone_)}, kRead, kRead},
      {"someone else", {Allow(kRead, other_)}, kRead, 0},
      {"gathered from two", {Allow(kRead, me_), Allow(kWrite, everyone_)}, kRead | kWrite, kRead | kWrite},
      {"a part is missing", {Allow(kRead, me_)}, kRead | kWrite, 0},
      {"denied first", {Deny(kRead, my_group_), Allow(kRead, me_)}, kRead, 0},
      {"denied after it was allowed", {Allow(kRead, me_), Deny(kRead, my_group_)}, kRead, kRead},
      {"what is denied is not wanted", {Deny(kWrite, me_), Allow(kRead, me_)}, kRead, kRead},
      {"inherit-only does not count", {Allow(kRead, me_, INHERIT_ONLY_ACE | OBJECT_INHERIT_ACE)}, kRead, 0},
      {"inherit-only does not deny", {Deny(kRead, me_, INHERIT_ONLY_ACE), Allow(kRead, me_)}, kRead, kRead},
      {"generic right asked", {Allow(READ_CONTROL | kRead, me_)}, GENERIC_READ, READ_CONTROL | kRead},
      {"generic right given", {Allow(GENERIC_ALL, me_)}, kWrite, kWrite},
      {"maximum", {Allow(kRead, me_), Allow(kExecute, everyone_)}, MAXIMUM_ALLOWED, kRead | kExecute},
      {"maximum without denied", {Deny(kWrite, everyone_), Allow(GENERIC_ALL, me_)}, MAXIMUM_ALLOWED,
       (STANDARD_RIGHTS_REQUIRED | 0x7) & ~kWrite},
      {"maximum of nothing", {Allow(kRead, other_)}, MAXIMUM_ALLOWED, 0},
      {"maximum and a right that is denied", {Allow(kRead, me_)}, MAXIMUM_ALLOWED | kWrite, 0},
      {"nothing asked", {Allow(kRead, me_)}, 0, 0},
      {"not the owner", {Allow(kRead, me_)}, WRITE_DAC, 0},
  };
  for (const auto& test : kCases) {
    Descriptor descriptor;
    descriptor.Init().Owner(other_).Dacl(test.dacl);
    EXPECT_EQ(Check(descriptor, user_, test.desired), test.granted) << test.what;
    if (!test.granted) {
      EXPECT_EQ(last_, STATUS_ACCESS_DENIED) << test.what;
    }
  }
}

TEST_F(SeTest, AccessCheck_NullDaclGrantsAll) {
  Descriptor descriptor;
  descriptor.Init().Owner(other_);
  EXPECT_EQ(Check(descriptor, user_, kWrite), kWrite);
  EXPECT_EQ(Check(descriptor, user_, MAXIMUM_ALLOWED), g_mapping.GenericAll);
}

TEST_F(SeTest, AccessCheck_OwnerReadsAndWritesTheDacl) {
  Descriptor descriptor;
  descriptor.Init().Owner(me_).Dacl({});
  EXPECT_EQ(Check(descriptor, user_, READ_CONTROL | WRITE_DAC), READ_CONTROL | WRITE_DAC);
  EXPECT_EQ(Check(descriptor, user_, WRITE_DAC | kRead), 0u);
  EXPECT_EQ(Check(descriptor, user_, MAXIMUM_ALLOWED), READ_CONTROL | WRITE_DAC);
  descriptor.Dacl({Allow(kRead, owner_rights_)});
  EXPECT_EQ(Check(descriptor, user_, WRITE_DAC), 0u) << "OWNER RIGHTS replaces what owners have";
  EXPECT_EQ(Check(descriptor, user_, kRead), kRead);
}

TEST_F(SeTest, AccessCheck_Privileges) {
  Descriptor descriptor;
  descriptor.Init().Owner(other_).Dacl({});
  EXPECT_EQ(Check(descriptor, user_, ACCESS_SYSTEM_SECURITY), 0u);
  EXPECT_EQ(last_, STATUS_PRIVILEGE_NOT_HELD);
  EXPECT_EQ(Check(descriptor, user_, WRITE_OWNER), 0u);
  EXPECT_EQ(last_, STATUS_ACCESS_DENIED);
  auto subject = Subject(admin_);
  PPRIVILEGE_SET used;
  ACCESS_MASK granted;
  ASSERT_TRUE(AccessCheck(&descriptor.descriptor, &subject, false, ACCESS_SYSTEM_SECURITY | WRITE_OWNER, kRead, &used, &g_mapping,
                          UserMode, &granted, &last_));
  EXPECT_EQ(granted, ACCESS_SYSTEM_SECURITY | WRITE_OWNER | kRead);
  ASSERT_TRUE(used);
  EXPECT_EQ(used->PrivilegeCount, 2u);
  ex::FreePool(used);
  EXPECT_EQ(Check(descriptor, user_, 0, kWrite), kWrite) << "what was granted before stays";
}

TEST_F(SeTest, AccessCheck_KernelModeIsNotChecked) {
  Descriptor descriptor;
  descriptor.Init().Owner(other_).Dacl({});
  auto subject = Subject(user_);
  ACCESS_MASK granted;
  EXPECT_TRUE(AccessCheck(&descriptor.descriptor, &subject, false, GENERIC_WRITE, 0, nullptr, &g_mapping, KernelMode, &granted, &last_));
  EXPECT_EQ(granted, g_mapping.GenericWrite);
  EXPECT_TRUE(AccessCheck(nullptr, &subject, false, MAXIMUM_ALLOWED, 0, nullptr, &g_mapping, KernelMode, &granted, &last_));
  EXPECT_EQ(granted, g_mapping.GenericAll);
  EXPECT_FALSE(AccessCheck(nullptr, &subject, false, kRead, 0, nullptr, &g_mapping, UserMode, &granted, &last_));
}

TEST_F(SeTest, AccessCheck_MandatoryLabel) {
  Descriptor descriptor;
  descriptor.Init().Owner(other_).Dacl({Allow(GENERIC_ALL, everyone_)});
  EXPECT_EQ(Check(descriptor, user_, kWrite), kWrite) << "no label: medium";
  descriptor.Sacl({Label(SECURITY_MANDATORY_HIGH_RID, SYSTEM_MANDATORY_LABEL_NO_WRITE_UP)});
  EXPECT_EQ(Check(descriptor, user_, kWrite), 0u);
  EXPECT_EQ(Check(descriptor, user_, kRead), kRead);
  EXPECT_EQ(Check(descriptor, user_, MAXIMUM_ALLOWED), READ_CONTROL | kRead | kExecute);
  EXPECT_EQ(Check(descriptor, admin_, kWrite), kWrite);
}

TEST_F(SeTest, AccessCheck_IdentificationLevelIsRefused) {
  Descriptor descriptor;
  descriptor.Init().Owner(other_).Dacl({Allow(GENERIC_ALL, everyone_)});
  SECURITY_SUBJECT_CONTEXT subject{user_, SecurityIdentification, system_, nullptr};
  ACCESS_MASK granted;
  EXPECT_FALSE(AccessCheck(&descriptor.descriptor, &subject, false, kRead, 0, nullptr, &g_mapping, UserMode, &granted, &last_));
  EXPECT_EQ(last_, STATUS_BAD_IMPERSONATION_LEVEL);
}

TEST_F(SeTest, FilterToken_RestrictedAndDenyOnly) {
  struct {
    TOKEN_GROUPS groups;
  } disable{{1, {{administrators_.get(), 0}}}}, restrict{{1, {{everyone_.get(), 0}}}};
  PACCESS_TOKEN filtered;
  ASSERT_EQ(FilterToken(admin_, DISABLE_MAX_PRIVILEGE, &disable.groups, nullptr, &restrict.groups, &filtered), STATUS_SUCCESS);
  EXPECT_TRUE(TokenIsAdmin(admin_));
  EXPECT_FALSE(TokenIsAdmin(filtered));
  EXPECT_TRUE(TokenIsRestricted(filtered));
  EXPECT_FALSE(TokenHasPrivilege(filtered, Exports().SeRestorePrivilege));
  EXPECT_TRUE(TokenHasPrivilege(filtered, Exports().SeChangeNotifyPrivilege));
  const Sid root(22, {1, 0});
  Descriptor descriptor;
  descriptor.Init().Owner(other_).Dacl({Allow(kRead, root)});
  EXPECT_EQ(Check(descriptor, admin_, kRead), kRead);
  EXPECT_EQ(Check(descriptor, filtered, kRead), 0u) << "the restricted SIDs must be allowed too";
  descriptor.Dacl({Allow(kRead | kWrite, root), Allow(kRead, everyone_)});
  EXPECT_EQ(Check(descriptor, filtered, kRead), kRead);
  EXPECT_EQ(Check(descriptor, filtered, MAXIMUM_ALLOWED), kRead);
  descriptor.Dacl({Deny(kRead, administrators_), Allow(kRead, everyone_)});
  EXPECT_EQ(Check(descriptor, filtered, kRead), 0u) << "a deny-only group still denies";
  PACCESS_TOKEN writer;
  ASSERT_EQ(FilterToken(admin_, WRITE_RESTRICTED, nullptr, nullptr, &restrict.groups, &writer), STATUS_SUCCESS);
  descriptor.Dacl({Allow(kRead | kWrite, root)});
  EXPECT_EQ(Check(descriptor, writer, kRead), kRead);
  EXPECT_EQ(Check(descriptor, writer, kWrite), 0u);
  EXPECT_EQ(FilterToken(admin_, 0x100, nullptr, nullptr, nullptr, &writer), STATUS_INVALID_PARAMETER);
  ob::DereferenceObject(writer);
  ob::DereferenceObject(filtered);
}

// --- descriptors -------------------------------------------------------------------------------------------------------------

class AssignTest : public SeTest {
 protected:
  struct Made {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    NTSTATUS status = STATUS_SUCCESS;
    ~Made() { DeassignSecurity(&descriptor).Ignore(); }
    std::string dacl() { return AclText(rtl::DaclOf(descriptor)); }
    std::u16string owner() { return rtl::SidText(rtl::OwnerOf(descriptor)); }
    SECURITY_DESCRIPTOR_CONTROL control() { return static_cast<SECURITY_DESCRIPTOR*>(descriptor)->Control; }
  };
  void Assign(Descriptor* parent, Descriptor* given, bool container, ULONG flags, PACCESS_TOKEN token, Made* made) {
    auto subject = Subject(token);
    made->status = se::AssignSecurityEx(parent ? &parent->descriptor : nullptr, given ? &given->descriptor : nullptr,
                                        &made->descriptor, nullptr, container, flags, &subject, &g_mapping, PagedPool);
  }
};

TEST_F(AssignTest, DefaultsComeFromTheToken) {
  Made made;
  Assign(nullptr, nullptr, false, 0, user_, &made);
  ASSERT_EQ(made.status, STATUS_SUCCESS);
  EXPECT_EQ(made.owner(), u"S-1-22-1-1000");
  EXPECT_EQ(rtl::SidText(rtl::GroupOf(made.descriptor)), u"S-1-22-2-1000");
  EXPECT_EQ(made.dacl(), "A0:f0007:S-1-22-1-1000 A0:f0007:S-1-5-18");
  EXPECT_TRUE(made.control() & SE_SELF_RELATIVE);
  EXPECT_TRUE(made.control() & SE_DACL_DEFAULTED);
  EXPECT_TRUE(rtl::ValidRelativeSecurityDescriptor(made.descriptor, rtl::LengthSecurityDescriptor(made.descriptor), 0x7));
}

TEST_F(AssignTest, InheritanceTable) {
  constexpr UCHAR kOi = OBJECT_INHERIT_ACE, kCi = CONTAINER_INHERIT_ACE, kNp = NO_PROPAGATE_INHERIT_ACE, kIo = INHERIT_ONLY_ACE;
  const struct {
    const char* what;
    Ace parent;
    const char* file;
    const char* directory;
  } kCases[] = {
      {"both", Allow(kRead, other_, kOi | kCi), "A0:1:S-1-22-1-1001", "A3:1:S-1-22-1-1001"},
      {"files", Allow(kRead, other_, kOi), "A0:1:S-1-22-1-1001", "A9:1:S-1-22-1-1001"},
      {"directories", Allow(kRead, other_, kCi), nullptr, "A2:1:S-1-22-1-1001"},
      {"inherit-only becomes effective", Allow(kRead, other_, kOi | kCi | kIo), "A0:1:S-1-22-1-1001", "A3:1:S-1-22-1-1001"},
      {"once", Allow(kRead, other_, kOi | kCi | kNp), "A0:1:S-1-22-1-1001", "A0:1:S-1-22-1-1001"},
      {"files, once", Allow(kRead, other_, kOi | kNp), "A0:1:S-1-22-1-1001", nullptr},
      {"generic", Allow(GENERIC_READ, other_, kOi | kCi), "A0:20001:S-1-22-1-1001",
       "A0:20001:S-1-22-1-1001 Ab:80000000:S-1-22-1-1001"},
      {"creator owner", Deny(kWrite, creator_owner_, kOi | kCi | kIo), "D0:2:S-1-22-1-1000", "D0:2:S-1-22-1-1000 Db:2:S-1-3-0"},
      {"creator group", Allow(kWrite, creator_group_, kCi), nullptr, "A0:2:S-1-22-2-1000 Aa:2:S-1-3-1"},
      {"none", Allow(kRead, other_), nullptr, nullptr},
  };
  const char* const kTokenDefault = "A0:f0007:S-1-22-1-1000 A0:f0007:S-1-5-18";
  for (const auto& test : kCases) {
    Descriptor parent;
    parent.Init().Owner(other_).Dacl({test.parent});
    Made file, directory;
    Assign(&parent, nullptr, false, 0, user_, &file);
    Assign(&parent, nullptr, true, 0, user_, &directory);
    EXPECT_EQ(file.dacl(), test.file ? test.file : kTokenDefault) << test.what;
    EXPECT_EQ(directory.dacl(), test.directory ? test.directory : kTokenDefault) << test.what;
  }
}

TEST_F(AssignTest, ExplicitDacl) {
  Descriptor parent, given;
  parent.Init().Owner(other_).Dacl({Allow(kRead, other_, OBJECT_INHERIT_ACE)});
  given.Init().Dacl({Allow(GENERIC_WRITE, creator_owner_), Allow(kRead, everyone_, INHERITED_ACE)});
  Made plain, merged, kept, defaulted;
  Assign(&parent, &given, false, 0, user_, &plain);
  EXPECT_EQ(plain.dacl(), "A0:20002:S-1-22-1-1000 A10:1:S-1-1-0");
  Assign(&parent, &given, false, SEF_DACL_AUTO_INHERIT, user_, &merged);
  EXPECT_EQ(merged.dacl(), "A0:20002:S-1-22-1-1000 A10:1:S-1-22-1-1001");
  EXPECT_TRUE(merged.control() & SE_DACL_AUTO_INHERITED);
  given.Control(SE_DACL_PROTECTED);
  Assign(&parent, &given, false, SEF_DACL_AUTO_INHERIT, user_, &kept);
  EXPECT_EQ(kept.dacl(), "A0:20002:S-1-22-1-1000 A10:1:S-1-1-0");
  EXPECT_TRUE(kept.control() & SE_DACL_PROTECTED);
  Descriptor fallback;
  fallback.Init().Dacl({Allow(kWrite, me_)}).Control(SE_DACL_DEFAULTED);
  Assign(&parent, &fallback, false, 0, user_, &defaulted);
  EXPECT_EQ(defaulted.dacl(), "A0:1:S-1-22-1-1001") << "what is inherited goes before a default";
  Descriptor null_dacl;
  null_dacl.Init().Control(SE_DACL_PRESENT);
  null_dacl.descriptor.Dacl = nullptr;
  Made open;
  Assign(&parent, &null_dacl, false, 0, user_, &open);
  EXPECT_EQ(open.dacl(), "none");
  EXPECT_TRUE(open.control() & SE_DACL_PRESENT);
}

TEST_F(AssignTest, RequestorsNeedRightsToOwnersAndSacls) {
  Descriptor foreign, audit, label;
  foreign.Init().Owner(other_);
  audit.Init().Sacl({{SYSTEM_AUDIT_ACE_TYPE, SUCCESSFUL_ACCESS_ACE_FLAG, kRead, everyone_}});
  label.Init().Sacl({Label(SECURITY_MANDATORY_LOW_RID, SYSTEM_MANDATORY_LABEL_NO_WRITE_UP)});
  {
    Made kernel;
    Assign(nullptr, &foreign, false, 0, user_, &kernel);
    EXPECT_EQ(kernel.status, STATUS_SUCCESS) << "a driver may do as it likes";
  }
  ke::PreviousModeScope mode(UserMode);
  Made a, b, c, d, e, f;
  Assign(nullptr, &foreign, false, 0, user_, &a);
  EXPECT_EQ(a.status, STATUS_INVALID_OWNER);
  Assign(nullptr, &foreign, false, SEF_AVOID_OWNER_CHECK, user_, &b);
  EXPECT_EQ(b.status, STATUS_SUCCESS);
  Assign(nullptr, &foreign, false, 0, admin_, &c);
  EXPECT_EQ(c.owner(), u"S-1-22-1-1001");
  Assign(nullptr, &audit, false, 0, user_, &d);
  EXPECT_EQ(d.status, STATUS_PRIVILEGE_NOT_HELD);
  Assign(nullptr, &audit, false, 0, admin_, &e);
  EXPECT_EQ(e.status, STATUS_SUCCESS);
  Assign(nullptr, &label, false, 0, user_, &f);
  EXPECT_EQ(f.status, STATUS_SUCCESS);
}

TEST_F(AssignTest, QueryAndSetParts) {
  Made made;
  Assign(nullptr, nullptr, false, 0, user_, &made);
  SECURITY_INFORMATION all = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
  ULONG bytes = 0;
  alignas(8) UCHAR buffer[400];
  EXPECT_EQ(QuerySecurityDescriptorInfo(&all, buffer, &bytes, &made.descriptor), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(bytes, rtl::LengthSecurityDescriptor(made.descriptor));
  ASSERT_EQ(QuerySecurityDescriptorInfo(&all, buffer, &bytes, &made.descriptor), STATUS_SUCCESS);
  EXPECT_EQ(AclText(rtl::DaclOf(buffer)), made.dacl());
  SECURITY_INFORMATION owner = OWNER_SECURITY_INFORMATION;
  bytes = sizeof buffer;
  ASSERT_EQ(QuerySecurityDescriptorInfo(&owner, buffer, &bytes, &made.descriptor), STATUS_SUCCESS);
  EXPECT_EQ(bytes, 20u + 16u);
  EXPECT_FALSE(rtl::DaclOf(buffer));
  PSECURITY_DESCRIPTOR none = nullptr;
  bytes = sizeof buffer;
  EXPECT_EQ(QuerySecurityDescriptorInfo(&all, buffer, &bytes, &none), STATUS_SUCCESS);
  EXPECT_EQ(bytes, 20u);

  Descriptor change;
  change.Init().Owner(other_).Dacl({Allow(GENERIC_READ, everyone_)});
  SECURITY_INFORMATION dacl = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
  EXPECT_EQ(SetSecurityDescriptorInfo(nullptr, &dacl, &change.descriptor, &none, PagedPool, &g_mapping), STATUS_NO_SECURITY_ON_OBJECT);
  Made changed;
  changed.descriptor = made.descriptor;
  ASSERT_EQ(SetSecurityDescriptorInfo(nullptr, &dacl, &change.descriptor, &changed.descriptor, PagedPool, &g_mapping), STATUS_SUCCESS);
  EXPECT_NE(changed.descriptor, made.descriptor) << "the old one is the caller's to free";
  EXPECT_EQ(changed.dacl(), "A0:20001:S-1-1-0");
  EXPECT_EQ(changed.owner(), u"S-1-22-1-1000") << "not asked for";
  EXPECT_TRUE(changed.control() & SE_DACL_PROTECTED);
  Made labelled;
  labelled.descriptor = changed.descriptor;
  change.Sacl({Label(SECURITY_MANDATORY_LOW_RID, SYSTEM_MANDATORY_LABEL_NO_WRITE_UP)});
  SECURITY_INFORMATION label = LABEL_SECURITY_INFORMATION;
  ASSERT_EQ(SetSecurityDescriptorInfo(nullptr, &label, &change.descriptor, &labelled.descriptor, PagedPool, &g_mapping), STATUS_SUCCESS);
  ASSERT_TRUE(rtl::SaclOf(labelled.descriptor));
  EXPECT_EQ(rtl::SaclOf(labelled.descriptor)->AceCount, 1);
  ke::PreviousModeScope mode(UserMode);
  SetProcessToken(ps::InitialSystemProcess(), user_);
  PSECURITY_DESCRIPTOR same = changed.descriptor;
  EXPECT_EQ(SetSecurityDescriptorInfo(nullptr, &owner, &change.descriptor, &same, PagedPool, &g_mapping), STATUS_INVALID_OWNER);
}

// --- tokens and impersonation ----------------------------------------------------------------------------------------------------

TEST_F(SeTest, QueryInformationToken) {
  PVOID information;
  ASSERT_EQ(QueryInformationToken(user_, ::TokenUser, &information), STATUS_SUCCESS);
  EXPECT_EQ(rtl::SidText(static_cast<TOKEN_USER*>(information)->User.Sid), u"S-1-22-1-1000");
  ex::FreePool(information);
  ASSERT_EQ(QueryInformationToken(admin_, ::TokenGroups, &information), STATUS_SUCCESS);
  auto* groups = static_cast<TOKEN_GROUPS*>(information);
  ASSERT_EQ(groups->GroupCount, 6u);
  const SID_AND_ATTRIBUTES* first = groups->Groups;
  EXPECT_EQ(rtl::SidText(first[5].Sid), u"S-1-5-32-544");
  ex::FreePool(information);
  ASSERT_EQ(QueryInformationToken(user_, ::TokenPrivileges, &information), STATUS_SUCCESS);
  EXPECT_EQ(static_cast<TOKEN_PRIVILEGES*>(information)->PrivilegeCount, 1u);
  ex::FreePool(information);
  information = nullptr;
  ASSERT_EQ(QueryInformationToken(user_, ::TokenIntegrityLevel, &information), STATUS_SUCCESS);
  EXPECT_EQ(reinterpret_cast<ULONG_PTR>(information), SECURITY_MANDATORY_MEDIUM_RID);
  EXPECT_EQ(QueryInformationToken(user_, ::TokenImpersonationLevel, &information), STATUS_INVALID_INFO_CLASS);
  EXPECT_EQ(QueryInformationToken(user_, ::TokenAccessInformation, &information), STATUS_INVALID_INFO_CLASS);
}

TEST_F(SeTest, TokenServicesByHandle) {
  HANDLE handle, copy;
  ASSERT_EQ(se::NtOpenProcessTokenEx(NtCurrentProcess(), TOKEN_ALL_ACCESS, OBJ_KERNEL_HANDLE, &handle), STATUS_SUCCESS);
  ULONG needed;
  alignas(8) UCHAR buffer[100];
  EXPECT_EQ(se::NtQueryInformationToken(handle, ::TokenUser, buffer, 8, &needed), STATUS_BUFFER_TOO_SMALL);
  ASSERT_EQ(se::NtQueryInformationToken(handle, ::TokenUser, buffer, sizeof buffer, &needed), STATUS_SUCCESS);
  EXPECT_EQ(reinterpret_cast<TOKEN_USER*>(buffer)->User.Sid, buffer + 16);
  EXPECT_EQ(rtl::SidText(buffer + 16), u"S-1-5-18");
  ASSERT_EQ(se::NtDuplicateToken(handle, 0, nullptr, FALSE, TokenPrimary, &copy), STATUS_SUCCESS);
  TOKEN_PRIVILEGES change{1, {{Exports().SeBackupPrivilege, 0}}}, previous{};
  ASSERT_EQ(se::NtAdjustPrivilegesToken(copy, FALSE, &change, sizeof previous, &previous, &needed), STATUS_SUCCESS);
  EXPECT_EQ(previous.PrivilegeCount, 1u);
  EXPECT_TRUE(previous.Privileges[0].Attributes & SE_PRIVILEGE_ENABLED);
  void* object;
  ASSERT_EQ(ob::ReferenceObjectByHandle(copy, 0, SeTokenObjectType, KernelMode, &object, nullptr), STATUS_SUCCESS);
  EXPECT_FALSE(TokenHasPrivilege(object, Exports().SeBackupPrivilege));
  EXPECT_TRUE(TokenHasPrivilege(object, Exports().SeRestorePrivilege));
  change.Privileges[0].Luid = {999, 0};
  EXPECT_EQ(se::NtAdjustPrivilegesToken(copy, FALSE, &change, 0, nullptr, nullptr), STATUS_NOT_ALL_ASSIGNED);
  EXPECT_EQ(se::NtAdjustPrivilegesToken(copy, TRUE, nullptr, 0, nullptr, nullptr), STATUS_SUCCESS);
  EXPECT_FALSE(TokenHasPrivilege(object, Exports().SeRestorePrivilege));
  ob::DereferenceObject(object);
  EXPECT_EQ(se::NtOpenThreadTokenEx(NtCurrentThread(), TOKEN_QUERY, TRUE, OBJ_KERNEL_HANDLE, &handle), STATUS_NO_TOKEN);
  EXPECT_EQ(ob::Close(copy, KernelMode), STATUS_SUCCESS);
  EXPECT_EQ(ob::Close(handle, KernelMode), STATUS_SUCCESS);
}

TEST_F(SeTest, ImpersonationAndClientSecurity) {
  auto* thread = ke::CurrentThread();
  const LONG_PTR references = ob::PointerCount(user_);
  ASSERT_EQ(se::ImpersonateClient(thread, user_, false, false, SecurityImpersonation), STATUS_SUCCESS);
  SECURITY_SUBJECT_CONTEXT subject;
  CaptureSubjectContext(&subject);
  EXPECT_EQ(EffectiveToken(&subject), user_);
  EXPECT_EQ(subject.ImpersonationLevel, SecurityImpersonation);
  EXPECT_FALSE(SinglePrivilegeCheck(Exports().SeRestorePrivilege, UserMode));
  EXPECT_TRUE(SinglePrivilegeCheck(Exports().SeRestorePrivilege, KernelMode));

  SECURITY_QUALITY_OF_SERVICE quality{sizeof quality, SecurityDelegation, SECURITY_STATIC_TRACKING, FALSE};
  SECURITY_CLIENT_CONTEXT client;
  EXPECT_EQ(CreateClientSecurityFromSubjectContext(&subject, &quality, false, &client), STATUS_BAD_IMPERSONATION_LEVEL);
  quality.ImpersonationLevel = SecurityImpersonation;
  ASSERT_EQ(CreateClientSecurityFromSubjectContext(&subject, &quality, false, &client), STATUS_SUCCESS);
  EXPECT_NE(client.ClientToken, user_);
  EXPECT_EQ(TokenType(client.ClientToken), TokenImpersonation);
  ReleaseSubjectContext(&subject);

  SE_IMPERSONATION_STATE state;
  EXPECT_TRUE(DisableImpersonation(thread, &state));
  EXPECT_FALSE(IsThreadImpersonating(thread));
  EXPECT_TRUE(SinglePrivilegeCheck(Exports().SeRestorePrivilege, UserMode));
  RestoreImpersonation(thread, &state);
  EXPECT_TRUE(IsThreadImpersonating(thread));
  ASSERT_EQ(se::ImpersonateClient(thread, nullptr, false, false, SecurityAnonymous), STATUS_SUCCESS);
  ASSERT_EQ(ImpersonateClientEx(&client, nullptr), STATUS_SUCCESS);
  BOOLEAN copy, effective;
  SECURITY_IMPERSONATION_LEVEL level;
  PACCESS_TOKEN token = ReferenceImpersonationToken(thread, &copy, &effective, &level);
  EXPECT_EQ(token, client.ClientToken);
  EXPECT_TRUE(copy);
  EXPECT_EQ(level, SecurityImpersonation);
  ob::DereferenceObject(token);
  HANDLE handle;
  ASSERT_EQ(se::NtOpenThreadTokenEx(NtCurrentThread(), TOKEN_QUERY, TRUE, OBJ_KERNEL_HANDLE, &handle), STATUS_SUCCESS);
  EXPECT_EQ(ob::Close(handle, KernelMode), STATUS_SUCCESS);
  ASSERT_EQ(se::ImpersonateClient(thread, nullptr, false, false, SecurityAnonymous), STATUS_SUCCESS);
  ob::DereferenceObject(client.ClientToken);
  EXPECT_EQ(ob::PointerCount(user_), references);
}

TEST_F(SeTest, AccessStateCollectsPrivileges) {
  ACCESS_STATE state;
  AuxAccessData auxiliary;
  ASSERT_EQ(CreateAccessState(&state, &auxiliary, GENERIC_READ, &g_mapping), STATUS_SUCCESS);
  EXPECT_EQ(state.RemainingDesiredAccess, g_mapping.GenericRead);
  EXPECT_TRUE(state.Flags & TOKEN_HAS_TRAVERSE_PRIVILEGE);
  PRIVILEGE_SET one{1, 0, {{Exports().SeBackupPrivilege, SE_PRIVILEGE_USED_FOR_ACCESS}}};
  for (int i = 0; i < 5; i++) ASSERT_EQ(AppendPrivileges(&state, &one), STATUS_SUCCESS);
  EXPECT_EQ(auxiliary.privileges_used->PrivilegeCount, 5u);
  EXPECT_TRUE(state.PrivilegesAllocated);
  DeleteAccessState(&state);
}

TEST_F(SeTest, LeavesNoPoolBehind) {
  const auto before = ex::CurrentPoolUse();
  PACCESS_TOKEN copy;
  ASSERT_EQ(DuplicateToken(admin_, TokenImpersonation, SecurityIdentification, true, &copy), STATUS_SUCCESS);
  EXPECT_EQ(AsToken(copy)->content->level, SecurityIdentification);
  PACCESS_TOKEN raised;
  EXPECT_EQ(DuplicateToken(copy, TokenImpersonation, SecurityDelegation, false, &raised), STATUS_BAD_IMPERSONATION_LEVEL);
  EXPECT_EQ(DuplicateToken(copy, TokenPrimary, SecurityAnonymous, false, &raised), STATUS_BAD_IMPERSONATION_LEVEL);
  ob::DereferenceObject(copy);
  PUNICODE_STRING name;
  ASSERT_EQ(LocateProcessImageName(ps::InitialSystemProcess(), &name), STATUS_SUCCESS);
  EXPECT_EQ(rtl::View(name), u"System");
  ex::FreePool(name);
  EXPECT_EQ(ex::CurrentPoolUse().blocks, before.blocks);
}

}  // namespace
}  // namespace nt::se
