// Counted strings and case.
#include <gtest/gtest.h>

#include <string>

#include "src/ex/ex.h"
#include "src/machine/test_machine.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

using namespace std::string_literals;

TEST(RtlStrings, InitUnicodeString_Null_IsEmpty) {
  UNICODE_STRING string;
  InitUnicodeString(&string, nullptr);
  EXPECT_EQ(string.Length, 0);
  EXPECT_EQ(string.MaximumLength, 0);
  EXPECT_EQ(string.Buffer, nullptr);
}

TEST(RtlStrings, InitUnicodeString_CountsTheTerminatorInMaximumLengthOnly) {
  UNICODE_STRING string;
  InitUnicodeString(&string, u"abc");
  EXPECT_EQ(string.Length, 6);
  EXPECT_EQ(string.MaximumLength, 8);
}

TEST(RtlStrings, InitUnicodeString_TooLong_IsCut_ExRefuses) {
  const std::u16string text(40'000, u'x');
  UNICODE_STRING string;
  InitUnicodeString(&string, text.c_str());
  EXPECT_EQ(string.Length, 0xFFFC);
  EXPECT_EQ(string.MaximumLength, 0xFFFE);
  EXPECT_EQ(InitUnicodeStringEx(&string, text.c_str()), STATUS_NAME_TOO_LONG);
}

TEST(RtlStrings, CopyUnicodeString_CutsAndTerminatesWhereThereIsRoom) {
  WCHAR room[4] = {u'!', u'!', u'!', u'!'};
  UNICODE_STRING out = {0, 4, room};
  const UNICODE_STRING source = UnicodeString(u"abc");
  CopyUnicodeString(&out, &source);
  EXPECT_EQ(View(out), u"ab");
  EXPECT_EQ(room[2], u'!');
  out.MaximumLength = 8;
  CopyUnicodeString(&out, &source);
  EXPECT_EQ(View(out), u"abc");
  EXPECT_EQ(room[3], 0);
  CopyUnicodeString(&out, nullptr);
  EXPECT_EQ(out.Length, 0);
}

TEST(RtlStrings, AppendUnicode_NoRoom_ChangesNothing) {
  WCHAR room[4] = {u'a', u'b'};
  UNICODE_STRING out = {4, 8, room};
  EXPECT_EQ(AppendUnicode(&out, u"cde"), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(View(out), u"ab");
  EXPECT_EQ(AppendUnicode(&out, u"cd"), STATUS_SUCCESS);
  EXPECT_EQ(View(out), u"abcd");
}

TEST(RtlStrings, Compare_OrdersByCharacterThenLength) {
  EXPECT_LT(CompareUnicode(u"abc", u"abd", Case::kSensitive), 0);
  EXPECT_GT(CompareUnicode(u"abc", u"ab", Case::kSensitive), 0);
  EXPECT_NE(CompareUnicode(u"ABC", u"abc", Case::kSensitive), 0);
  EXPECT_EQ(CompareUnicode(u"ABC", u"abc", Case::kInsensitive), 0);
  // Folded to upper case: '_' lies behind 'Z', before 'a'.
  EXPECT_GT(CompareUnicode(u"_", u"a", Case::kInsensitive), 0);
  EXPECT_LT(CompareUnicode(u"\u0416", u"\uFFFF", Case::kSensitive), 0);
  EXPECT_GT(CompareString("\xE9", "z", Case::kSensitive), 0);
}

TEST(RtlStrings, Prefix_FoldsWhenAsked) {
  EXPECT_TRUE(PrefixUnicode(u"\\Dev", u"\\device\\x", Case::kInsensitive));
  EXPECT_FALSE(PrefixUnicode(u"\\Dev", u"\\device\\x", Case::kSensitive));
  EXPECT_TRUE(PrefixUnicode(u"", u"x", Case::kSensitive));
  EXPECT_FALSE(PrefixUnicode(u"xy", u"x", Case::kSensitive));
  EXPECT_TRUE(SuffixUnicode(u".TXT", u"a.txt", Case::kInsensitive));
}

TEST(RtlStrings, Hash_IgnoresCaseWhenAsked) {
  EXPECT_EQ(HashUnicode(u"ABC", Case::kSensitive), (65u * 65599u + 66u) * 65599u + 67u);
  EXPECT_EQ(HashUnicode(u"abc", Case::kInsensitive), HashUnicode(u"ABC", Case::kSensitive));
}

TEST(RtlStrings, ValidateUnicodeString_OddLength_IsRefused) {
  WCHAR room[2] = {};
  UNICODE_STRING odd = {3, 4, room};
  EXPECT_EQ(ValidateUnicodeString(&odd), STATUS_INVALID_PARAMETER);
  UNICODE_STRING null_buffer = {0, 4, nullptr};
  EXPECT_EQ(ValidateUnicodeString(&null_buffer), STATUS_INVALID_PARAMETER);
  UNICODE_STRING good = {2, 4, room};
  EXPECT_EQ(ValidateUnicodeString(&good), STATUS_SUCCESS);
}

// ---- case ----

TEST(RtlCase, Upcase_FollowsTheFileSystemsTable) {
  EXPECT_EQ(UpcaseUnicodeChar(u'z'), u'Z');
  EXPECT_EQ(UpcaseUnicodeChar(u'{'), u'{');
  EXPECT_EQ(UpcaseUnicodeChar(0x00E9), 0x00C9);  // e acute
  EXPECT_EQ(UpcaseUnicodeChar(0x00F7), 0x00F7);  // division sign, between letters
  EXPECT_EQ(UpcaseUnicodeChar(0x00FF), 0x0178);  // y diaeresis
  EXPECT_EQ(UpcaseUnicodeChar(0x03C2), 0x03A3);  // final sigma
  EXPECT_EQ(UpcaseUnicodeChar(0x0451), 0x0401);  // Cyrillic io
  EXPECT_EQ(UpcaseUnicodeChar(0x1F80), 0x1F88);
  EXPECT_EQ(UpcaseUnicodeChar(0x24D0), 0x24B6);  // circled a
  EXPECT_EQ(UpcaseUnicodeChar(0xFF41), 0xFF21);  // fullwidth a
}

TEST(RtlCase, Upcase_LeavesWhatUnicodeWouldMap) {
  // Windows maps neither, so that names stay distinct where NTFS and exFAT keep them distinct.
  EXPECT_EQ(UpcaseUnicodeChar(0x00B5), 0x00B5);  // micro sign
  EXPECT_EQ(UpcaseUnicodeChar(0x00DF), 0x00DF);  // sharp s
  EXPECT_EQ(UpcaseUnicodeChar(0x0131), 0x0131);  // dotless i
  EXPECT_EQ(UpcaseUnicodeChar(0x017F), 0x017F);  // long s
  EXPECT_EQ(UpcaseUnicodeChar(0xD801), 0xD801);  // a surrogate
}

TEST(RtlCase, Upcase_IsIdempotent_AndDowncaseUndoesIt) {
  for (unsigned c = 0; c < 0x10000; ++c) {
    const WCHAR upper = UpcaseUnicodeChar(static_cast<WCHAR>(c));
    EXPECT_EQ(UpcaseUnicodeChar(upper), upper) << std::hex << c;
    const WCHAR lower = DowncaseUnicodeChar(static_cast<WCHAR>(c));
    EXPECT_EQ(UpcaseUnicodeChar(lower), upper) << std::hex << c;
  }
}

TEST(RtlCase, UpperChar_KeepsLettersWithoutACapitalInThePage) {
  EXPECT_EQ(UpperChar('a'), 'A');
  EXPECT_EQ(UpperChar('\xE9'), '\xC9');
  EXPECT_EQ(UpperChar('\xFF'), '\x9F');
  EXPECT_EQ(UpperChar('\xDF'), '\xDF');
}

TEST(RtlCase, UpcaseUnicodeString_SmallDestination_IsOverflow) {
  WCHAR room[2] = {};
  UNICODE_STRING out = {0, sizeof(room), room};
  const UNICODE_STRING source = UnicodeString(u"abc");
  EXPECT_EQ(UpcaseUnicodeString(&out, &source, FALSE), STATUS_BUFFER_OVERFLOW);
  const UNICODE_STRING fits = UnicodeString(u"ab");
  EXPECT_EQ(UpcaseUnicodeString(&out, &fits, FALSE), STATUS_SUCCESS);
  EXPECT_EQ(View(out), u"AB");
}

// ---- with the pool ----

class RtlPoolStrings : public machine::TestMachine {};

TEST_F(RtlPoolStrings, AllocatedStrings_GoBackToThePool) {
  const auto before = ex::CurrentPoolUse();
  const UNICODE_STRING source = UnicodeString(u"na\u00efve");
  UNICODE_STRING upper;
  ASSERT_EQ(UpcaseUnicodeString(&upper, &source, TRUE), STATUS_SUCCESS);
  EXPECT_EQ(View(upper), u"NA\u00cfVE");
  STRING oem;
  ASSERT_EQ(FromUnicodeString(OemPage(), &oem, &source, {.allocate = true}), STATUS_SUCCESS);
  EXPECT_EQ(View(oem), "na\x8bve");
  EXPECT_EQ(oem.Buffer[oem.Length], 0);
  UNICODE_STRING copy;
  ASSERT_EQ(DuplicateUnicodeString(RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE, &source, &copy), STATUS_SUCCESS);
  EXPECT_EQ(std::u16string(copy.Buffer), u"na\u00efve");
  FreeUnicodeString(&upper);
  FreeUnicodeString(&copy);
  FreeString(&oem);
  EXPECT_EQ(upper.Buffer, nullptr);
  EXPECT_EQ(ex::CurrentPoolUse().blocks, before.blocks);
}

}  // namespace
}  // namespace nt::rtl
