// Names, expressions with wild cards, legal characters. No machine: nothing here has state.
#include <gtest/gtest.h>

#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/legal_characters.h"
#include "src/rtl/rtl.h"

namespace nt::fsrtl {
namespace {

UNICODE_STRING U(std::u16string_view text) { return rtl::UnicodeString(text); }

ANSI_STRING A(std::string_view text) {
  ANSI_STRING string;
  string.Buffer = const_cast<char*>(text.data());
  string.Length = string.MaximumLength = static_cast<USHORT>(text.size());
  return string;
}

bool Matches(std::u16string_view expression, std::u16string_view name, bool ignore_case = false) {
  UNICODE_STRING e = U(expression), n = U(name);
  return IsNameInExpression(&e, &n, ignore_case, nullptr);
}

TEST(ExpressionTest, Table) {
  const struct {
    const char16_t* expression;
    const char16_t* name;
    bool matches;
  } kRows[] = {
      {u"", u"", true},          {u"*", u"", false},           {u"", u"a", false},
      {u"*", u"a.b", true},      {u"?", u"a", true},           {u"?", u"ab", false},
      {u"a*c", u"abbbc", true},  {u"a*c", u"abbb", false},     {u"*.txt", u"a.b.txt", true},
      {u"*.txt", u"txt", false}, {u"*a*b*", u"xxaxxbxx", true}, {u"a?c", u"abc", true},
      {u"a?c", u"ac", false},    {u"abc", u"ABC", false},
      // DOS_STAR: any run up to the last dot.
      {u"<", u"abc", true},      {u"<.txt", u"a.b.txt", true},  {u"<", u"abc.txt", false},
      {u"<.", u"abc.", true},    {u"<\"", u"abc", true},        {u"<\"*", u"abc.txt", true},
      {u"<\"*", u"abc", true},
      // DOS_QM: a character, or nothing before a dot and at the end.
      {u">>>", u"ab", true},     {u">>>", u"abcd", false},      {u">>>.txt", u"a.txt", true},
      {u"a>", u"a", true},       {u">a", u".a", false},         {u">.a", u".a", true},
      // DOS_DOT: a dot, or the end.
      {u"a\"b", u"a.b", true},   {u"a\"", u"a", true},          {u"a\"", u"a.", true},
      {u"a\"b", u"ab", false},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(Matches(row.expression, row.name), row.matches)
        << rtl::ToUtf8(row.expression) << " against " << rtl::ToUtf8(row.name);
}

TEST(ExpressionTest, IgnoreCase_FoldsTheNameOnly) {
  EXPECT_TRUE(Matches(u"ABC*", u"abcd", true));
  EXPECT_FALSE(Matches(u"abc", u"abc", true)) << "the expression has to be upcased";
  UNICODE_STRING expression = U(u"abc*"), name = U(u"ABCD");
  EXPECT_TRUE(IsNameInUnUpcasedExpression(&expression, &name, true, nullptr));
  EXPECT_FALSE(IsNameInUnUpcasedExpression(&expression, &name, false, nullptr));
}

TEST(ExpressionTest, LongExpressions_NeedNoStack) {
  const std::u16string name(3000, u'a');
  std::u16string expression;
  for (int i = 0; i < 1500; i++) expression += u"*a";
  EXPECT_TRUE(Matches(expression, name));
  EXPECT_FALSE(Matches(expression + u"b", name));
}

TEST(NamesTest, DissectName_SplitsAtTheFirstBackslash) {
  UNICODE_STRING first, rest;
  DissectName(U(u"\\a\\b\\c"), &first, &rest);
  EXPECT_EQ(rtl::View(first), u"a");
  EXPECT_EQ(rtl::View(rest), u"b\\c");
  DissectName(U(u"abc"), &first, &rest);
  EXPECT_EQ(rtl::View(first), u"abc");
  EXPECT_EQ(rest.Length, 0);
  DissectName(U(u"\\"), &first, &rest);
  EXPECT_EQ(first.Length, 0);
  EXPECT_EQ(rest.Length, 0);
}

TEST(NamesTest, WildCards) {
  for (const char16_t* text : {u"a*", u"?", u"a<", u">b", u"\""}) {
    UNICODE_STRING name = U(text);
    EXPECT_TRUE(DoesNameContainWildCards(&name)) << rtl::ToUtf8(text);
  }
  UNICODE_STRING plain = U(u"a.b;c");
  EXPECT_FALSE(DoesNameContainWildCards(&plain));
}

TEST(NamesTest, AreNamesEqual) {
  UNICODE_STRING a = U(u"Read.Me"), b = U(u"rEAD.mE"), c = U(u"Read.Me2");
  EXPECT_TRUE(AreNamesEqual(&a, &b, true, nullptr));
  EXPECT_FALSE(AreNamesEqual(&a, &b, false, nullptr));
  EXPECT_FALSE(AreNamesEqual(&a, &c, true, nullptr));
}

TEST(NamesTest, FatLegal) {
  for (const char* name : {"A", "ABCDEFGH", "ABCDEFGH.TXT", "A.B", ".", "..", "A B.C"})
    EXPECT_TRUE(IsFatDbcsLegal(A(name), false, false, false)) << name;
  for (const char* name : {"", "ABCDEFGHI", "A.BCDE", ".A", "A.", "A ", "A .B", "A..B", "A+B", "A/B", "A\\B", "A*"})
    EXPECT_FALSE(IsFatDbcsLegal(A(name), false, false, false)) << name;
  EXPECT_TRUE(IsFatDbcsLegal(A("A*"), true, false, false));
  EXPECT_TRUE(IsFatDbcsLegal(A("\\A\\B.C"), false, true, true));
  EXPECT_FALSE(IsFatDbcsLegal(A("\\A\\B.C"), false, true, false));
  EXPECT_FALSE(IsFatDbcsLegal(A("A\\\\B"), false, true, false));
}

TEST(NamesTest, LegalCharacterTable) {
  const UCHAR* table = LegalCharacters();
  EXPECT_EQ(table['A'], FSRTL_FAT_LEGAL | FSRTL_HPFS_LEGAL | FSRTL_NTFS_LEGAL | FSRTL_OLE_LEGAL);
  EXPECT_EQ(table['+'], FSRTL_HPFS_LEGAL | FSRTL_NTFS_LEGAL | FSRTL_OLE_LEGAL);
  EXPECT_TRUE(table['*'] & FSRTL_WILD_CHARACTER);
  EXPECT_FALSE(table['*'] & FSRTL_NTFS_LEGAL);
  EXPECT_EQ(table['/'], 0);
}

TEST(ExceptionsTest, Expected) {
  EXPECT_FALSE(IsNtstatusExpected(STATUS_ACCESS_VIOLATION));
  EXPECT_FALSE(IsNtstatusExpected(STATUS_DATATYPE_MISALIGNMENT));
  EXPECT_TRUE(IsNtstatusExpected(STATUS_IN_PAGE_ERROR));
  EXPECT_EQ(NormalizeNtstatus(STATUS_ACCESS_VIOLATION, STATUS_UNEXPECTED_IO_ERROR), STATUS_UNEXPECTED_IO_ERROR);
  EXPECT_EQ(NormalizeNtstatus(STATUS_DISK_FULL, STATUS_UNEXPECTED_IO_ERROR), STATUS_DISK_FULL);
}

}  // namespace
}  // namespace nt::fsrtl
