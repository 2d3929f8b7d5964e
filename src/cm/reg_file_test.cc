// .reg files: every kind of value, and what is refused.
#include <gtest/gtest.h>

#include "src/cm/test_registry.h"

namespace nt::cm {
namespace {

constexpr char16_t kKey[] = u"\\Registry\\Machine\\Software\\Test";

class RegFileTest : public RegistryTest {
 protected:
  NTSTATUS Load(std::string_view text) { return LoadRegFile(text, &why_); }
  NTSTATUS LoadBody(const std::string& body) { return Load("Windows Registry Editor Version 5.00\r\n\r\n" + body); }
  std::string why_;
};

std::vector<UCHAR> Data(std::u16string_view name) {
  auto value = QueryValue(kKey, name);
  return value.ok() ? value->data : std::vector<UCHAR>{0xBA, 0xD0};
}
ULONG Type(std::u16string_view name) {
  auto value = QueryValue(kKey, name);
  return value.ok() ? value->type : 0xBAD;
}

TEST_F(RegFileTest, EveryKindOfValue) {
  ASSERT_EQ(LoadBody("; comment\r\n"
                     "[HKEY_LOCAL_MACHINE\\Software\\Test]\r\n"
                     "@=\"the default\"\r\n"
                     "\"text\"=\"a \\\"quoted\\\" C:\\\\path\" ; comment\r\n"
                     "\"number\"=dword:0000002A\r\n"
                     "\"bytes\"=hex:01,02,\\\r\n"
                     "  03,ff\r\n"
                     "\"expand\"=hex(2):25,00,41,00,25,00,00,00\r\n"
                     "\"multi\"=hex(7):61,00,00,00,62,00,00,00,00,00\r\n"
                     "\"quad\"=hex(b):08,07,06,05,04,03,02,01\r\n"
                     "\"none\"=hex(0):\r\n"
                     "\"odd\"=hex(12345678):7\r\n"
                     "\"two lines\"=\"one\r\ntwo\"\r\n"
                     "\"\xC3\xA4\xE2\x82\xAC\"=\"\xC3\xBC\"\r\n"),
            STATUS_SUCCESS)
      << why_;
  EXPECT_EQ(Text(QueryString(kKey, u"")), u"the default");
  EXPECT_EQ(Text(QueryString(kKey, u"TEXT")), u"a \"quoted\" C:\\path");
  EXPECT_EQ(Number(QueryDword(kKey, u"number")), 42);
  EXPECT_EQ(Data(u"bytes"), (std::vector<UCHAR>{1, 2, 3, 255}));
  EXPECT_EQ(Type(u"bytes"), REG_BINARY);
  EXPECT_EQ(Text(QueryString(kKey, u"expand")), u"%A%");
  EXPECT_EQ(Type(u"expand"), REG_EXPAND_SZ);
  EXPECT_EQ(Data(u"multi"), (std::vector<UCHAR>{'a', 0, 0, 0, 'b', 0, 0, 0, 0, 0}));
  EXPECT_EQ(Type(u"multi"), REG_MULTI_SZ);
  EXPECT_EQ(Type(u"quad"), REG_QWORD);
  EXPECT_EQ(Data(u"quad").size(), 8u);
  EXPECT_EQ(Type(u"none"), REG_NONE);
  EXPECT_TRUE(Data(u"none").empty());
  EXPECT_EQ(Type(u"odd"), 0x12345678u);
  EXPECT_EQ(Text(QueryString(kKey, u"two lines")), u"one\r\ntwo");
  EXPECT_EQ(Text(QueryString(kKey, u"\u00E4\u20AC")), u"\u00FC");
}

TEST_F(RegFileTest, Utf16WithMark) {
  std::string bytes = "\xFF\xFE";
  for (char c : std::string("Windows Registry Editor Version 5.00\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=\"b\"\n"))
    (bytes += c) += '\0';
  ASSERT_EQ(Load(bytes), STATUS_SUCCESS) << why_;
  EXPECT_EQ(Text(QueryString(kKey, u"a")), u"b");
}

TEST_F(RegFileTest, Regedit4HoldsAnsiText) {
  ASSERT_EQ(Load("REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"e\"=hex(2):41,80,00\n\"\xE4\"=dword:1\n"), STATUS_SUCCESS) << why_;
  EXPECT_EQ(Text(QueryString(kKey, u"e")), u"A\u20AC");
  EXPECT_EQ(Number(QueryDword(kKey, u"\u00E4")), 1);
}

TEST_F(RegFileTest, Deletions) {
  ASSERT_EQ(SetDword(kKey, u"gone", 1), STATUS_SUCCESS);
  ASSERT_EQ(SetDword(kKey, u"stays", 1), STATUS_SUCCESS);
  ASSERT_EQ(CreateKey(std::u16string(kKey) + u"\\Sub\\Below"), STATUS_SUCCESS);
  ASSERT_EQ(LoadBody("[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"gone\"=-\n\"never was\"=-\n"
                     "[-HKEY_LOCAL_MACHINE\\Software\\Test\\Sub]\n[-HKEY_LOCAL_MACHINE\\Software\\Nothing]\n"),
            STATUS_SUCCESS)
      << why_;
  EXPECT_EQ(Number(QueryDword(kKey, u"gone")), -1);
  EXPECT_EQ(Number(QueryDword(kKey, u"stays")), 1);
  EXPECT_FALSE(KeyExists(std::u16string(kKey) + u"\\Sub"));
}

TEST_F(RegFileTest, AnErrorNamesItsLineAndChangesNothing) {
  const struct {
    const char* text;
    const char* why;
  } kCases[] = {
      {"", "line 1: the file does not begin"},
      {"Windows Registry Editor Version 4.00\n", "line 1: the file does not begin"},
      {"REGEDIT4\n\"a\"=dword:1\n", "line 2: a value without a key"},
      {"REGEDIT4\n[HKLM\\A]\n", "line 2: no root key is called \"HKLM\""},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\A\n", "line 2: a key without ]"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\A\\\\B]\n", "line 2: an empty key name"},
      {"REGEDIT4\n[-HKEY_LOCAL_MACHINE]\n", "line 2: a root key cannot be deleted"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=dword:123456789\n", "line 3: dword:"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=dword:\n", "line 3: dword:"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\n\"a\"=hex:01,zz\n", "line 4: expected a hexadecimal byte"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=hex:123\n", "line 3: a byte of more"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=hex:01,\\ 02\n", "line 3: a backslash must end"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=hex(:01\n", "line 3: hex("},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=\"b\n\n", "line 3: a quote is not closed"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=\"\\n\"\n", "line 3: only"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\" 1\n", "line 3: expected ="},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=qword:1\n", "line 3: expected \"text\""},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n\"a\"=\"b\" c\n", "line 3: unexpected text"},
      {"REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\nname\n", "line 3: expected [key]"},
      {"\xFE\xFF\0R", "line 1: UTF-16 with the high byte"},
      {"\xFF\xFE\x41", "line 1: UTF-16 text of an odd"},
  };
  for (const auto& test : kCases) {
    why_.clear();
    EXPECT_EQ(Load(test.text), STATUS_REGISTRY_CORRUPT) << test.text;
    EXPECT_EQ(why_.substr(0, std::string_view(test.why).size()), test.why);
    EXPECT_FALSE(KeyExists(kKey)) << test.text;
  }
}

TEST_F(RegFileTest, CutAnywhereItNeitherCrashesNorHangs) {
  const std::string whole =
      "REGEDIT4\n[HKEY_LOCAL_MACHINE\\Software\\Test]\n@=\"d\\\\\"\n\"m\"=hex(7):61,00,\\\n 00\n\"n\"=dword:0a\n\"g\"=-\n";
  for (size_t length = 0; length <= whole.size(); length++) {
    const NTSTATUS status = Load(std::string_view(whole).substr(0, length));
    EXPECT_TRUE(status == STATUS_SUCCESS || (status == STATUS_REGISTRY_CORRUPT && !why_.empty())) << length;
  }
}

}  // namespace
}  // namespace nt::cm
