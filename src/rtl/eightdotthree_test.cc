// Short names.
#include <gtest/gtest.h>

#include <set>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

class Generator {
 public:
  explicit Generator(std::u16string_view name, bool extended = false) : name_(name), extended_(extended) {}
  std::u16string Next() {
    WCHAR room[12];
    UNICODE_STRING out = {0, sizeof(room), room};
    const UNICODE_STRING name = UnicodeString(name_);
    EXPECT_EQ(Generate8dot3Name(&name, extended_, &context_, &out), STATUS_SUCCESS);
    return std::u16string(View(out));
  }
  GENERATE_NAME_CONTEXT context_ = {};

 private:
  std::u16string name_;
  bool extended_;
};

TEST(Rtl8dot3, Generate_SixCharactersAndANumber) {
  EXPECT_EQ(Generator(u"LongFileName.text").Next(), u"LONGFI~1.TEX");
  EXPECT_EQ(Generator(u"a b.c d.e").Next(), u"ABCD~1.E") << "spaces and inner dots are dropped";
  EXPECT_EQ(Generator(u"..hidden file").Next(), u"HIDDEN~1");
  EXPECT_EQ(Generator(u"a+b=c[d];e,f").Next(), u"A_B_C_~1");
  EXPECT_EQ(Generator(u"nodots at all").Next(), u"NODOTS~1");
}

TEST(Rtl8dot3, Generate_ExtendedCharacters_OnlyWhenAllowed) {
  EXPECT_EQ(Generator(u"\u00e9l\u00e8ve long").Next(), u"_L_VEL~1");
  EXPECT_EQ(Generator(u"\u00e9clair long", true).Next(), u"\u00c9CLAIR~1");
  EXPECT_EQ(Generator(u"\u4e2d\u6587abc long", true).Next(), u"__ABCL~1");
}

TEST(Rtl8dot3, Generate_AfterFourCollisions_TakesTheChecksum) {
  Generator generator(u"LongFileName.txt");
  std::set<std::u16string> seen;
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(generator.Next(), u"LONGFI~" + std::u16string(1, u'0' + i) + u".TXT");
  const auto fifth = generator.Next();
  EXPECT_EQ(fifth.substr(0, 2), u"LO");
  EXPECT_EQ(fifth.substr(6), u"~1.TXT");
  EXPECT_TRUE(generator.context_.ChecksumInserted);
  for (int i = 0; i < 20'000; ++i) {
    const auto next = generator.Next();
    ASSERT_TRUE(seen.insert(next).second);
    ASSERT_LE(next.size(), 12u);
    const UNICODE_STRING name = UnicodeString(next);
    ASSERT_TRUE(IsNameLegalDos8Dot3(&name, nullptr, nullptr));
  }
}

TEST(Rtl8dot3, Generate_ShortBase_TakesTheChecksumAtOnce) {
  const auto name = Generator(u"a .txt").Next();
  EXPECT_EQ(name.size(), 11u);
  EXPECT_EQ(name[0], u'A');
  EXPECT_EQ(name.substr(5), u"~1.TXT");
}

TEST(Rtl8dot3, Generate_AMillionTries_IsTheLimit) {
  Generator generator(u"LongFileName");
  generator.Next();
  generator.context_.ChecksumInserted = TRUE;
  generator.context_.LastIndexValue = 999'999;
  WCHAR room[12];
  UNICODE_STRING out = {0, sizeof(room), room};
  const UNICODE_STRING name = UnicodeString(u"LongFileName");
  EXPECT_EQ(Generate8dot3Name(&name, FALSE, &generator.context_, &out), STATUS_FILE_SYSTEM_LIMITATION);
}

bool Legal(std::u16string_view text, bool* spaces = nullptr) {
  const UNICODE_STRING name = UnicodeString(text);
  BOOLEAN has_spaces = FALSE;
  const bool legal = IsNameLegalDos8Dot3(&name, nullptr, &has_spaces);
  if (spaces) *spaces = has_spaces;
  return legal;
}

TEST(Rtl8dot3, IsNameLegal) {
  for (auto name : {u"A", u"FILE.TXT", u"file.txt", u"12345678.123", u".", u"..", u"A-B_C!.~1", u"\u00e9.TXT"})
    EXPECT_TRUE(Legal(name)) << ToUtf8(name);
  for (auto name : {u"", u"123456789", u"A.1234", u".TXT", u"A.", u"A.B.C", u"A+B", u"A:B", u"A*", u"A?", u"A\\B", u"A ",
                    u"A .TXT", u"A.T ", u"\u4e2d.TXT", u"..."})
    EXPECT_FALSE(Legal(name)) << ToUtf8(name);
  bool spaces = false;
  EXPECT_TRUE(Legal(u"A B.TXT", &spaces));
  EXPECT_TRUE(spaces);
}

TEST(Rtl8dot3, IsNameLegal_GivesTheUpcasedOemName) {
  char room[12];
  OEM_STRING oem = {0, sizeof(room), room};
  const UNICODE_STRING name = UnicodeString(u"\u00e9a.txt");
  EXPECT_TRUE(IsNameLegalDos8Dot3(&name, &oem, nullptr));
  EXPECT_EQ(View(oem), "\x90" "A.TXT");
}

}  // namespace
}  // namespace nt::rtl
