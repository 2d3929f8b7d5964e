// The services on keys, change notices, and the routines of Rtl.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>

#include "src/cm/test_registry.h"

namespace nt::cm {
namespace {

constexpr char16_t kKey[] = u"\\Registry\\Machine\\Software\\Test";
std::u16string Below(const char16_t* name) { return std::u16string(kKey) + u"\\" + name; }

UNICODE_STRING Name(std::u16string_view text) { return rtl::UnicodeString(text); }

NTSTATUS SetDwordBy(HANDLE key, std::u16string_view name, ULONG number) {
  UNICODE_STRING text = Name(name);
  return cm::NtSetValueKey(key, &text, 0, REG_DWORD, &number, sizeof number);
}

using CmTest = RegistryTest;

TEST_F(CmTest, Boot_UsualKeysAreThere) {
  EXPECT_TRUE(KeyExists(kServicesPath));
  EXPECT_TRUE(KeyExists(u"\\REGISTRY\\machine\\SYSTEM\\currentcontrolset\\Control\\FileSystem"));
  EXPECT_TRUE(KeyExists(u"\\Registry\\User\\S-1-5-18"));
  EXPECT_FALSE(KeyExists(u"\\Registry\\Machine\\Nothing"));
  EXPECT_EQ(Number(QueryDword(u"\\Registry\\Machine\\System\\Select", u"Current")), 1);
}

TEST_F(CmTest, CreateKey_CreatesTheLastComponentOnly) {
  EXPECT_EQ(Create(Below(u"A\\B")), nullptr);
  EXPECT_EQ(last_, STATUS_OBJECT_NAME_NOT_FOUND);
  HANDLE key = Create(kKey);
  ASSERT_EQ(last_, STATUS_SUCCESS);
  EXPECT_EQ(disposition_, REG_CREATED_NEW_KEY);
  Close(key);
  key = Create(u"\\registry\\MACHINE\\software\\TEST");
  ASSERT_EQ(last_, STATUS_SUCCESS);
  EXPECT_EQ(disposition_, REG_OPENED_EXISTING_KEY);

  UNICODE_STRING name = Name(u"Sub");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, key, nullptr);
  HANDLE sub;
  ASSERT_EQ(cm::NtCreateKey(&sub, KEY_READ, &attributes, 0, nullptr, 0, nullptr), STATUS_SUCCESS);
  EXPECT_TRUE(KeyExists(Below(u"Sub")));
  name = Name(u"\\Sub");
  HANDLE none;
  EXPECT_EQ(cm::NtOpenKey(&none, KEY_READ, &attributes), STATUS_OBJECT_PATH_SYNTAX_BAD);
  Close(sub);
  Close(key);
}

TEST_F(CmTest, CreateKey_ClassAndLimits) {
  UNICODE_STRING name = Name(kKey), class_name = Name(u"Kind");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, nullptr, nullptr);
  HANDLE key;
  ASSERT_EQ(cm::NtCreateKey(&key, KEY_READ, &attributes, 0, &class_name, 0, nullptr), STATUS_SUCCESS);
  alignas(8) UCHAR buffer[200];
  ULONG needed;
  ASSERT_EQ(cm::NtQueryKey(key, KeyNodeInformation, buffer, sizeof buffer, &needed), STATUS_SUCCESS);
  const auto* node = reinterpret_cast<KEY_NODE_INFORMATION*>(buffer);
  EXPECT_EQ(node->NameLength, 8u);
  EXPECT_EQ(node->ClassLength, 8u);
  EXPECT_EQ(std::memcmp(buffer + node->ClassOffset, u"Kind", 8), 0);
  Close(key);
  EXPECT_EQ(Create(Below(std::u16string(256, u'x').c_str())), nullptr);
  EXPECT_EQ(last_, STATUS_INVALID_PARAMETER);
  EXPECT_EQ(Create(Below(u"y"), 0x100), nullptr);
  EXPECT_EQ(last_, STATUS_INVALID_PARAMETER);
}

TEST_F(CmTest, Volatile_ChildMustBeVolatile) {
  Close(Create(kKey, REG_OPTION_VOLATILE));
  EXPECT_EQ(Create(Below(u"a")), nullptr);
  EXPECT_EQ(last_, STATUS_CHILD_MUST_BE_VOLATILE);
  HANDLE key = Create(Below(u"a"), REG_OPTION_VOLATILE);
  EXPECT_EQ(last_, STATUS_SUCCESS);
  Close(key);
}

TEST_F(CmTest, DeleteKey_WithSubkeysIsRefusedAndHandlesGoStale) {
  HANDLE key = Create(kKey), sub = Create(Below(u"a"));
  EXPECT_EQ(cm::NtDeleteKey(key), STATUS_CANNOT_DELETE);
  EXPECT_EQ(cm::NtDeleteKey(sub), STATUS_SUCCESS);
  EXPECT_EQ(SetDwordBy(sub, u"x", 1), STATUS_KEY_DELETED);
  EXPECT_EQ(cm::NtFlushKey(sub), STATUS_KEY_DELETED);
  EXPECT_EQ(cm::NtDeleteKey(key), STATUS_SUCCESS);
  Close(sub);
  Close(key);
  EXPECT_FALSE(KeyExists(kKey));
  HANDLE root = Open(u"\\Registry\\Machine");
  EXPECT_EQ(cm::NtDeleteKey(root), STATUS_CANNOT_DELETE);
  Close(root);
}

TEST_F(CmTest, QueryValueKey_SizesAndStatuses) {
  HANDLE key = Create(kKey);
  ASSERT_EQ(SetDwordBy(key, u"Num", 0x11223344), STATUS_SUCCESS);
  UNICODE_STRING name = Name(u"nUM");
  alignas(8) UCHAR buffer[64];
  ULONG needed = 0;
  EXPECT_EQ(cm::NtQueryValueKey(key, &name, KeyValuePartialInformation, buffer, 0, &needed), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(needed, 16u);
  EXPECT_EQ(cm::NtQueryValueKey(key, &name, KeyValuePartialInformation, buffer, 12, &needed), STATUS_BUFFER_OVERFLOW);
  EXPECT_EQ(reinterpret_cast<KEY_VALUE_PARTIAL_INFORMATION*>(buffer)->DataLength, 4u);
  ASSERT_EQ(cm::NtQueryValueKey(key, &name, KeyValuePartialInformation, buffer, 16, &needed), STATUS_SUCCESS);
  EXPECT_EQ(std::memcmp(reinterpret_cast<KEY_VALUE_PARTIAL_INFORMATION*>(buffer)->Data, "\x44\x33\x22\x11", 4), 0);
  ASSERT_EQ(cm::NtQueryValueKey(key, &name, KeyValueFullInformation, buffer, sizeof buffer, &needed), STATUS_SUCCESS);
  const auto* full = reinterpret_cast<KEY_VALUE_FULL_INFORMATION*>(buffer);
  EXPECT_EQ(full->DataOffset, 28u);  // 20 + 3 characters, rounded up to 4
  EXPECT_EQ(full->NameLength, 6u);
  EXPECT_EQ(std::memcmp(full->Name, u"Num", 6), 0) << "the name as it was set";
  ASSERT_EQ(cm::NtQueryValueKey(key, &name, KeyValueBasicInformation, buffer, sizeof buffer, &needed), STATUS_SUCCESS);
  EXPECT_EQ(cm::NtQueryValueKey(key, &name, MaxKeyValueInfoClass, buffer, sizeof buffer, &needed), STATUS_INVALID_PARAMETER);
  name = Name(u"none");
  EXPECT_EQ(cm::NtQueryValueKey(key, &name, KeyValuePartialInformation, buffer, 16, &needed), STATUS_OBJECT_NAME_NOT_FOUND);
  EXPECT_EQ(cm::NtDeleteValueKey(key, &name), STATUS_OBJECT_NAME_NOT_FOUND);
  name = Name(u"num");
  EXPECT_EQ(cm::NtDeleteValueKey(key, &name), STATUS_SUCCESS);
  Close(key);
}

TEST_F(CmTest, Enumerate_SubkeysSortedValuesInOrder) {
  HANDLE key = Create(kKey);
  for (const char16_t* name : {u"b", u"C", u"a"}) Close(Create(Below(name)));
  for (const char16_t* name : {u"z", u"", u"m"}) ASSERT_EQ(SetDwordBy(key, name, 1), STATUS_SUCCESS);
  std::u16string keys, values;
  alignas(8) UCHAR buffer[128];
  ULONG needed, index = 0;
  while (cm::NtEnumerateKey(key, index, KeyBasicInformation, buffer, sizeof buffer, &needed) == STATUS_SUCCESS) {
    keys += reinterpret_cast<KEY_BASIC_INFORMATION*>(buffer)->Name[0];
    index++;
  }
  EXPECT_EQ(keys, u"abC");
  EXPECT_EQ(cm::NtEnumerateKey(key, 3, KeyBasicInformation, buffer, sizeof buffer, &needed), STATUS_NO_MORE_ENTRIES);
  for (index = 0; cm::NtEnumerateValueKey(key, index, KeyValueBasicInformation, buffer, sizeof buffer, &needed) ==
                  STATUS_SUCCESS; index++) {
    auto* value = reinterpret_cast<KEY_VALUE_BASIC_INFORMATION*>(buffer);
    values += value->NameLength ? value->Name[0] : u'-';
  }
  EXPECT_EQ(values, u"z-m");
  EXPECT_EQ(cm::NtEnumerateValueKey(key, 3, KeyValueBasicInformation, buffer, sizeof buffer, &needed), STATUS_NO_MORE_ENTRIES);
  KEY_FULL_INFORMATION full;
  ASSERT_EQ(cm::NtQueryKey(key, KeyFullInformation, &full, sizeof full, &needed), STATUS_SUCCESS);
  EXPECT_EQ(full.SubKeys, 3u);
  EXPECT_EQ(full.Values, 3u);
  EXPECT_EQ(full.MaxNameLen, 2u);
  EXPECT_EQ(full.MaxValueDataLen, 4u);
  ASSERT_EQ(cm::NtQueryKey(key, KeyNameInformation, buffer, sizeof buffer, &needed), STATUS_SUCCESS);
  const auto* name = reinterpret_cast<KEY_NAME_INFORMATION*>(buffer);
  EXPECT_EQ(std::u16string(name->Name, name->NameLength / 2), u"\\REGISTRY\\Machine\\Software\\Test");
  Close(key);
}

TEST_F(CmTest, Link_CurrentControlSetLeadsToControlSet001) {
  ASSERT_EQ(SetDword(std::u16string(kServicesPath) + u"\\X", u"Start", 3), STATUS_SUCCESS);
  EXPECT_EQ(Number(QueryDword(u"\\Registry\\Machine\\System\\ControlSet001\\Services\\X", u"Start")), 3);
}

TEST_F(CmTest, Link_CreatedByADriver) {
  Close(Create(kKey));
  Close(Create(Below(u"Target")));
  HANDLE link = Create(Below(u"Link"), REG_OPTION_CREATE_LINK | REG_OPTION_VOLATILE);
  ASSERT_EQ(last_, STATUS_SUCCESS);
  EXPECT_EQ(SetDwordBy(link, u"x", 1), STATUS_ACCESS_DENIED);
  UNICODE_STRING name = Name(u"SymbolicLinkValue");
  std::u16string target = Below(u"Target");
  ASSERT_EQ(cm::NtSetValueKey(link, &name, 0, REG_LINK, target.data(), static_cast<ULONG>(target.size() * 2)), STATUS_SUCCESS);
  Close(link);
  ASSERT_EQ(SetDword(Below(u"Link"), u"n", 7), STATUS_SUCCESS);
  EXPECT_EQ(Number(QueryDword(Below(u"Target"), u"n")), 7);
  target = Below(u"Link");  // to itself
  UNICODE_STRING path = Name(target);
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &path, OBJ_KERNEL_HANDLE, nullptr, nullptr);
  ASSERT_EQ(cm::NtOpenKeyEx(&link, KEY_ALL_ACCESS, &attributes, REG_OPTION_OPEN_LINK), STATUS_SUCCESS);
  ASSERT_EQ(cm::NtSetValueKey(link, &name, 0, REG_LINK, target.data(), static_cast<ULONG>(target.size() * 2)), STATUS_SUCCESS);
  Close(link);
  EXPECT_EQ(Open(Below(u"Link")), nullptr);
  EXPECT_EQ(last_, STATUS_OBJECT_NAME_NOT_FOUND);
}

TEST_F(CmTest, Rename) {
  HANDLE key = Create(kKey), a = Create(Below(u"a"));
  Close(Create(Below(u"b")));
  UNICODE_STRING name = Name(u"B");
  EXPECT_EQ(cm::NtRenameKey(a, &name), STATUS_CANNOT_DELETE);
  name = Name(u"c");
  EXPECT_EQ(cm::NtRenameKey(a, &name), STATUS_SUCCESS);
  EXPECT_TRUE(KeyExists(Below(u"c")));
  EXPECT_FALSE(KeyExists(Below(u"a")));
  Close(a);
  Close(key);
}

TEST_F(CmTest, AccessCheck_UsersReadOnly) {
  Close(Create(kKey));
  PACCESS_TOKEN token;
  ASSERT_EQ(se::CreateToken(se::UnixIdentity(1000, 1000, false), &token), STATUS_SUCCESS);
  se::SetProcessToken(ps::InitialSystemProcess(), token);
  UNICODE_STRING path = Name(kKey);
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
  HANDLE key;
  {
    ke::PreviousModeScope mode(UserMode);
    EXPECT_EQ(cm::NtOpenKey(&key, KEY_SET_VALUE, &attributes), STATUS_ACCESS_DENIED);
    ASSERT_EQ(cm::NtOpenKey(&key, MAXIMUM_ALLOWED, &attributes), STATUS_SUCCESS);
    EXPECT_EQ(SetDwordBy(key, u"x", 1), STATUS_ACCESS_DENIED);
    EXPECT_EQ(ob::Close(key, UserMode), STATUS_SUCCESS);
  }
  attributes.Attributes |= OBJ_FORCE_ACCESS_CHECK;
  EXPECT_EQ(cm::NtOpenKey(&key, GENERIC_WRITE, &attributes), STATUS_ACCESS_DENIED);
  attributes.Attributes &= ~OBJ_FORCE_ACCESS_CHECK;
  ASSERT_EQ(cm::NtOpenKey(&key, GENERIC_WRITE, &attributes), STATUS_SUCCESS);
  Close(key);
  ob::DereferenceObject(token);
}

TEST_F(CmTest, Notify_WorkItemRunsOnChange) {
  HANDLE key = Create(kKey);
  struct Shared {
    WORK_QUEUE_ITEM item;
    KEVENT ran;
  } shared{};
  ke::InitializeEvent(&shared.ran, NotificationEvent, false);
  shared.item.WorkerRoutine = [](void* context) NTIO_MS_ABI { ke::SetEvent(&static_cast<Shared*>(context)->ran); };
  shared.item.Parameter = &shared;
  IO_STATUS_BLOCK block{};
  const auto watch = [&](ULONG filter, BOOLEAN tree) -> NTSTATUS {
    ke::ClearEvent(&shared.ran);
    return cm::NtNotifyChangeKey(key, nullptr, reinterpret_cast<PIO_APC_ROUTINE>(&shared.item),
                                 reinterpret_cast<PVOID>(DelayedWorkQueue), &block, filter, tree, nullptr, 0, TRUE);
  };
  EXPECT_EQ(watch(0, FALSE), STATUS_INVALID_PARAMETER);
  ASSERT_EQ(watch(REG_NOTIFY_CHANGE_LAST_SET, FALSE), STATUS_PENDING);
  block.Status = STATUS_PENDING;
  Close(Create(Below(u"sub")));  // a name: not asked for
  EXPECT_EQ(block.Status, STATUS_PENDING);
  ASSERT_EQ(SetDword(kKey, u"x", 1), STATUS_SUCCESS);
  ke::WaitFor(&shared.ran);
  EXPECT_EQ(block.Status, STATUS_NOTIFY_ENUM_DIR);
  // A change between two calls completes the second at once.
  ASSERT_EQ(SetDword(kKey, u"x", 2), STATUS_SUCCESS);
  ASSERT_EQ(watch(REG_NOTIFY_CHANGE_LAST_SET, FALSE), STATUS_PENDING);
  ke::WaitFor(&shared.ran);
  // The handle goes: cleanup.
  ASSERT_EQ(watch(REG_NOTIFY_CHANGE_LAST_SET, FALSE), STATUS_PENDING);
  Close(key);
  ke::WaitFor(&shared.ran);
  EXPECT_EQ(block.Status, STATUS_NOTIFY_CLEANUP);
}

TEST_F(CmTest, Notify_TreeAndDeletion) {
  HANDLE key = Create(kKey), sub = Create(Below(u"sub"));
  IO_STATUS_BLOCK block{};
  block.Status = STATUS_PENDING;
  ASSERT_EQ(cm::NtNotifyChangeKey(key, nullptr, nullptr, nullptr, &block, REG_NOTIFY_CHANGE_NAME, TRUE, nullptr, 0, TRUE),
            STATUS_PENDING);
  Close(Create(Below(u"sub\\deep")));
  EXPECT_EQ(block.Status, STATUS_NOTIFY_ENUM_DIR);
  Close(key);
  IO_STATUS_BLOCK gone{};
  ASSERT_EQ(cm::NtNotifyChangeKey(sub, nullptr, nullptr, nullptr, &gone, REG_NOTIFY_CHANGE_NAME, FALSE, nullptr, 0, TRUE),
            STATUS_PENDING);
  ASSERT_EQ(DeleteTree(kKey), STATUS_SUCCESS);
  EXPECT_TRUE(gone.Status == STATUS_NOTIFY_CLEANUP || gone.Status == STATUS_NOTIFY_ENUM_DIR);
  Close(sub);
}

struct Seen {
  std::u16string text;
  NTSTATUS answer = STATUS_SUCCESS;
};
NTSTATUS NTIO_MS_ABI Note(PWSTR name, ULONG type, PVOID data, ULONG bytes, PVOID context, PVOID) {
  auto* seen = static_cast<Seen*>(context);
  seen->text += name ? name : u"(null)";
  seen->text += u'=';
  if (type == REG_SZ) seen->text += static_cast<PWSTR>(data);
  else seen->text += static_cast<char16_t>(u'0' + type);
  seen->text += bytes ? u";" : u"!";
  return seen->answer;
}

TEST_F(CmTest, QueryRegistryValues_RoutineSeesValuesSplitAndExpanded) {
  ASSERT_EQ(SetString(kKey, u"s", u"text"), STATUS_SUCCESS);
  ASSERT_EQ(SetString(kKey, u"e", u"%SystemRoot%\\%no%", REG_EXPAND_SZ), STATUS_SUCCESS);
  ASSERT_EQ(SetValue(kKey, u"m", REG_MULTI_SZ, u"a\0b\0", 10), STATUS_SUCCESS);
  ASSERT_EQ(SetDword(Below(u"sub"), u"d", 5), STATUS_SUCCESS);
  Seen seen;
  WCHAR s[] = u"s", e[] = u"e", m[] = u"m", sub[] = u"sub", d[] = u"d", none[] = u"none", fallback[] = u"dflt";
  RTL_QUERY_REGISTRY_TABLE table[] = {
      {Note, 0, s, nullptr, REG_NONE, nullptr, 0},
      {Note, 0, e, nullptr, REG_NONE, nullptr, 0},
      {Note, RTL_QUERY_REGISTRY_NOEXPAND, e, nullptr, REG_NONE, nullptr, 0},
      {Note, 0, m, nullptr, REG_NONE, nullptr, 0},
      {Note, 0, none, nullptr, REG_SZ, fallback, 0},
      {Note, 0, none, nullptr, REG_NONE, nullptr, 0},
      {nullptr, RTL_QUERY_REGISTRY_SUBKEY, sub, nullptr, REG_NONE, nullptr, 0},
      {Note, 0, d, nullptr, REG_NONE, nullptr, 0},
      {Note, RTL_QUERY_REGISTRY_NOVALUE, nullptr, nullptr, REG_NONE, nullptr, 0},
      {Note, RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_DELETE, s, nullptr, REG_NONE, nullptr, 0},
      {},
  };
  ASSERT_EQ(QueryRegistryValues(RTL_REGISTRY_ABSOLUTE, kKey, table, &seen, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(seen.text, u"s=text;e=C:\\Windows\\%no%;e=2;m=a;m=b;none=dflt;d=4;(null)=0!s=text;");
  EXPECT_EQ(QueryValue(kKey, u"s").status(), STATUS_OBJECT_NAME_NOT_FOUND);
  RTL_QUERY_REGISTRY_TABLE required[] = {{Note, RTL_QUERY_REGISTRY_REQUIRED, none, nullptr, 0, nullptr, 0}, {}};
  EXPECT_EQ(QueryRegistryValues(RTL_REGISTRY_ABSOLUTE, kKey, required, &seen, nullptr), STATUS_OBJECT_NAME_NOT_FOUND);
  seen.answer = STATUS_ACCESS_DENIED;
  RTL_QUERY_REGISTRY_TABLE all[] = {{Note, 0, nullptr, nullptr, 0, nullptr, 0}, {}};
  EXPECT_EQ(QueryRegistryValues(RTL_REGISTRY_ABSOLUTE, kKey, all, &seen, nullptr), STATUS_ACCESS_DENIED);
  EXPECT_EQ(QueryRegistryValues(RTL_REGISTRY_SERVICES, u"None", all, &seen, nullptr), STATUS_OBJECT_NAME_NOT_FOUND);
  EXPECT_EQ(QueryRegistryValues(RTL_REGISTRY_SERVICES | RTL_REGISTRY_OPTIONAL, u"None", all, &seen, nullptr), STATUS_SUCCESS);
}

TEST_F(CmTest, QueryRegistryValues_Direct) {
  const std::u16string path = std::u16string(kServicesPath) + u"\\Drv";
  ASSERT_EQ(SetDword(path, u"d", 77), STATUS_SUCCESS);
  ASSERT_EQ(SetString(path, u"s", u"text"), STATUS_SUCCESS);
  ASSERT_EQ(SetValue(path, u"b", REG_BINARY, "12345678", 8), STATUS_SUCCESS);
  WCHAR d[] = u"d", s[] = u"s", b[] = u"b", buffer[3];
  ULONG number = 0, fallback = 9, missing = 0;
  WCHAR none[] = u"none";
  UNICODE_STRING allocated{}, small{0, sizeof buffer, buffer};
  LONG bare[2] = {-8, 0};
  ULONG described[4] = {16};
  constexpr ULONG kDirect = RTL_QUERY_REGISTRY_DIRECT, kChecked = kDirect | RTL_QUERY_REGISTRY_TYPECHECK;
  RTL_QUERY_REGISTRY_TABLE table[] = {
      {nullptr, kChecked, d, &number, REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT, nullptr, 0},
      {nullptr, kDirect, none, &missing, REG_DWORD, &fallback, sizeof fallback},
      {nullptr, kDirect, s, &allocated, REG_NONE, nullptr, 0},
      {nullptr, kDirect, b, bare, REG_NONE, nullptr, 0},
      {nullptr, kDirect, b, described, REG_NONE, nullptr, 0},
      {},
  };
  ASSERT_EQ(QueryRegistryValues(RTL_REGISTRY_SERVICES, u"Drv", table, nullptr, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(number, 77u);
  EXPECT_EQ(missing, 9u);
  EXPECT_EQ(rtl::View(allocated), u"text");
  rtl::FreeUnicodeString(&allocated);
  EXPECT_EQ(std::memcmp(bare, "12345678", 8), 0);
  EXPECT_EQ(described[0], 8u);
  EXPECT_EQ(described[1], REG_BINARY);
  EXPECT_EQ(std::memcmp(described + 2, "12345678", 8), 0);
  const auto one = [&](ULONG flags, PWSTR name, PVOID place, ULONG type) -> NTSTATUS {
    RTL_QUERY_REGISTRY_TABLE single[] = {{nullptr, flags, name, place, type, nullptr, 0}, {}};
    return QueryRegistryValues(RTL_REGISTRY_SERVICES, u"Drv", single, nullptr, nullptr);
  };
  EXPECT_EQ(one(kDirect, s, &small, REG_NONE), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(one(kChecked, s, &small, REG_DWORD << 24), STATUS_OBJECT_TYPE_MISMATCH);
  EXPECT_EQ(one(kDirect, nullptr, &small, REG_NONE), STATUS_INVALID_PARAMETER);
  bare[0] = -7;
  EXPECT_EQ(one(kDirect, b, bare, REG_NONE), STATUS_BUFFER_TOO_SMALL);
}

TEST_F(CmTest, WriteCheckDeleteRegistry) {
  WCHAR path[] = u"Drv";
  EXPECT_EQ(CheckRegistryKey(RTL_REGISTRY_SERVICES, path), STATUS_OBJECT_NAME_NOT_FOUND);
  EXPECT_EQ(CreateRegistryKey(RTL_REGISTRY_SERVICES, path), STATUS_SUCCESS);
  EXPECT_EQ(CheckRegistryKey(RTL_REGISTRY_SERVICES, path), STATUS_SUCCESS);
  ULONG number = 3;
  EXPECT_EQ(WriteRegistryValue(RTL_REGISTRY_SERVICES, path, u"n", REG_DWORD, &number, 4), STATUS_SUCCESS);
  EXPECT_EQ(Number(QueryDword(std::u16string(kServicesPath) + u"\\Drv", u"n")), 3);
  HANDLE key = Open(std::u16string(kServicesPath) + u"\\Drv");
  const auto as_path = static_cast<PCWSTR>(key);
  EXPECT_EQ(WriteRegistryValue(RTL_REGISTRY_HANDLE, as_path, u"n", REG_DWORD, &number, 2), STATUS_SUCCESS);
  EXPECT_EQ(DeleteRegistryValue(RTL_REGISTRY_HANDLE, as_path, u"n"), STATUS_SUCCESS);
  EXPECT_EQ(DeleteRegistryValue(RTL_REGISTRY_SERVICES, path, u"n"), STATUS_OBJECT_NAME_NOT_FOUND);
  Close(key);
  EXPECT_EQ(CheckRegistryKey(RTL_REGISTRY_MAXIMUM, path), STATUS_INVALID_PARAMETER);
}

TEST_F(CmTest, ObjectNameOfAKey) {
  HANDLE key = Create(kKey);
  void* object;
  ASSERT_EQ(ob::ReferenceObjectByHandle(key, 0, nullptr, KernelMode, &object, nullptr), STATUS_SUCCESS);
  alignas(8) UCHAR buffer[200];
  ULONG needed;
  ASSERT_EQ(ob::QueryNameString(object, reinterpret_cast<OBJECT_NAME_INFORMATION*>(buffer), sizeof buffer, &needed),
            STATUS_SUCCESS);
  EXPECT_EQ(rtl::View(reinterpret_cast<OBJECT_NAME_INFORMATION*>(buffer)->Name), u"\\REGISTRY\\Machine\\Software\\Test");
  ob::DereferenceObject(object);
  Close(key);
}

}  // namespace
}  // namespace nt::cm
