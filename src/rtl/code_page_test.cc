// OEM, ANSI and UTF-8 conversions.
#include <gtest/gtest.h>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

std::string ToOem(std::u16string_view text, Upper upper) {
  char room[64];
  ULONG bytes = 0;
  EXPECT_EQ(FromUnicodeN(OemPage(), room, sizeof(room), &bytes, text.data(), text.size() * 2, upper), STATUS_SUCCESS);
  return std::string(room, bytes);
}

TEST(RtlCodePage, EveryByteSurvivesTheRoundTrip) {
  for (USHORT number : {437, 850, 1252}) {
    ASSERT_EQ(SelectOemCodePage(number), STATUS_SUCCESS);
    for (unsigned byte = 0; byte < 256; ++byte)
      EXPECT_EQ(FromUnicode(OemPage(), ToUnicode(OemPage(), static_cast<unsigned char>(byte))), byte) << number;
  }
  EXPECT_EQ(SelectOemCodePage(932), STATUS_INVALID_PARAMETER);
  ASSERT_EQ(SelectOemCodePage(437), STATUS_SUCCESS);
}

TEST(RtlCodePage, Oem437_IsNotAnsi) {
  EXPECT_EQ(ToUnicode(OemPage(), 0x82), 0x00E9);
  EXPECT_EQ(ToUnicode(OemPage(), 0xB0), 0x2591);
  EXPECT_EQ(ToUnicode(AnsiPage(), 0x80), 0x20AC);
  EXPECT_EQ(ToUnicode(AnsiPage(), 0x81), 0x0081);
}

TEST(RtlCodePage, UpcaseToOem_GoesThroughThePage) {
  EXPECT_EQ(ToOem(u"ab\u00e9", Upper::kYes), "AB\x90");
  // 437 has a grave in small only; its capital is the best fit.
  EXPECT_EQ(ToOem(u"\u00e0", Upper::kNo), "\x85");
  EXPECT_EQ(ToOem(u"\u00e0", Upper::kYes), "A");
  EXPECT_EQ(ToOem(u"\u4e2d", Upper::kNo), "?");
}

TEST(RtlCodePage, CountedOem_Unmappable_IsRefused_ButAQuestionMarkIsNot) {
  char room[8];
  OEM_STRING out = {0, sizeof(room), room};
  const ConvertOptions counted = {.terminate = false, .upper = Upper::kYes, .refuse_unmappable = true};
  const UNICODE_STRING chinese = UnicodeString(u"a\u4e2d");
  EXPECT_EQ(FromUnicodeString(OemPage(), &out, &chinese, counted), STATUS_UNMAPPABLE_CHARACTER);
  const UNICODE_STRING question = UnicodeString(u"a?");
  EXPECT_EQ(FromUnicodeString(OemPage(), &out, &question, counted), STATUS_SUCCESS);
  EXPECT_EQ(View(out), "A?");
  // Exactly full: no terminator is written.
  const UNICODE_STRING eight = UnicodeString(u"12345678");
  EXPECT_EQ(FromUnicodeString(OemPage(), &out, &eight, counted), STATUS_SUCCESS);
  const UNICODE_STRING nine = UnicodeString(u"123456789");
  EXPECT_EQ(FromUnicodeString(OemPage(), &out, &nine, counted), STATUS_BUFFER_OVERFLOW);
}

TEST(RtlCodePage, ToUnicodeString_TerminatedNeedsRoom_CountedDoesNot) {
  WCHAR room[3];
  UNICODE_STRING out = {0, sizeof(room), room};
  char text[] = "abc";
  const OEM_STRING source = {3, 3, text};
  EXPECT_EQ(ToUnicodeString(OemPage(), &out, &source, {}), STATUS_BUFFER_OVERFLOW);
  EXPECT_EQ(ToUnicodeString(OemPage(), &out, &source, {.terminate = false}), STATUS_SUCCESS);
  EXPECT_EQ(View(out), u"abc");
}

TEST(RtlCodePage, NForms_ConvertWhatFits) {
  WCHAR wide[2];
  ULONG bytes = 0;
  EXPECT_EQ(ToUnicodeN(OemPage(), wide, sizeof(wide), &bytes, "abc", 3), STATUS_BUFFER_OVERFLOW);
  EXPECT_EQ(bytes, 4u);
  char narrow[2];
  EXPECT_EQ(FromUnicodeN(OemPage(), narrow, 2, &bytes, u"abc", 6, Upper::kNo), STATUS_BUFFER_OVERFLOW);
  EXPECT_EQ(bytes, 2u);
}

TEST(RtlUtf8, RoundTrip_OfEveryLength) {
  const std::u16string text = u"a\u00e9\u20ac\U0001F600";
  EXPECT_EQ(ToUtf8(text), "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(FromUtf8(ToUtf8(text)), text);
}

TEST(RtlUtf8, IllFormed_BecomesReplacementCharacters) {
  char room[16];
  ULONG bytes = 0;
  const WCHAR lone[] = {u'a', 0xD800, u'b'};
  EXPECT_EQ(UnicodeToUtf8N(room, sizeof(room), &bytes, lone, sizeof(lone)), STATUS_SOME_NOT_MAPPED);
  EXPECT_EQ(std::string(room, bytes), "a\xEF\xBF\xBD" "b");
  EXPECT_EQ(FromUtf8("\xC0\xAF"), u"\uFFFD\uFFFD");      // overlong
  EXPECT_EQ(FromUtf8("\xED\xA0\x80"), u"\uFFFD\uFFFD\uFFFD");  // an encoded surrogate
  EXPECT_EQ(FromUtf8("\xE2\x82"), u"\uFFFD");              // cut
  EXPECT_EQ(FromUtf8("\xF4\x90\x80\x80"), u"\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
}

TEST(RtlUtf8, SmallBuffer_HoldsWholeCharactersOnly) {
  char room[4];
  ULONG bytes = 0;
  EXPECT_EQ(UnicodeToUtf8N(room, sizeof(room), &bytes, u"\u20ac\u20ac", 4), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(bytes, 3u);
  EXPECT_EQ(UnicodeToUtf8N(nullptr, 0, &bytes, u"\u20ac\u20ac", 4), STATUS_SUCCESS);
  EXPECT_EQ(bytes, 6u);
  EXPECT_EQ(UnicodeToUtf8N(room, 4, &bytes, nullptr, 2), STATUS_INVALID_PARAMETER_4);
  EXPECT_EQ(UnicodeToUtf8N(room, 4, &bytes, u"ab", 3), STATUS_INVALID_PARAMETER_5);
}

}  // namespace
}  // namespace nt::rtl
