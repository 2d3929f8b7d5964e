// Numbers, GUIDs and addresses as text.
#include <gtest/gtest.h>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

std::u16string Format(ULONGLONG value, ULONG base) {
  WCHAR room[70];
  UNICODE_STRING out = {0, sizeof(room), room};
  EXPECT_EQ(IntegerToUnicodeString(value, base, &out), STATUS_SUCCESS);
  return std::u16string(View(out));
}

TEST(RtlNumbers, IntegerToUnicodeString) {
  EXPECT_EQ(Format(0, 10), u"0");
  EXPECT_EQ(Format(255, 16), u"FF");
  EXPECT_EQ(Format(5, 2), u"101");
  EXPECT_EQ(Format(~0ull, 0), u"18446744073709551615");
  WCHAR room[2];
  UNICODE_STRING out = {0, sizeof(room), room};
  EXPECT_EQ(IntegerToUnicodeString(100, 10, &out), STATUS_BUFFER_OVERFLOW);
  EXPECT_EQ(IntegerToUnicodeString(1, 7, &out), STATUS_INVALID_PARAMETER);
}

TEST(RtlNumbers, UnicodeStringToInteger_TheDocumentedExamples) {
  const struct {
    std::u16string_view text;
    ULONG base;
    LONG value;
  } examples[] = {{u"123", 10, 123},  {u"-345", 10, -345},        {u"xyz", 10, 0}, {u"+678abc", 10, 678},
                  {u"+678abc", 16, 6785724}, {u"007", 10, 7},     {u"789", 8, 7},  {u"FGH", 16, 15},
                  {u" ", 10, 0},      {u"0x1F", 0, 31},           {u"0o17", 0, 15}, {u"0b101", 0, 5}};
  for (const auto& example : examples) {
    ULONG value = 99;
    EXPECT_EQ(UnicodeStringToInteger(example.text, example.base, &value), STATUS_SUCCESS);
    EXPECT_EQ(static_cast<LONG>(value), example.value);
  }
  ULONG value;
  EXPECT_EQ(UnicodeStringToInteger(u"", 10, &value), STATUS_INVALID_PARAMETER);
}

TEST(RtlNumbers, Guid_RoundTrip) {
  const GUID guid = {0x12345678, 0x9ABC, 0xDEF0, {0, 1, 2, 3, 4, 5, 6, 0xFF}};
  EXPECT_EQ(GuidText(guid), u"{12345678-9ABC-DEF0-0001-0203040506FF}");
  GUID parsed;
  ASSERT_EQ(GuidFromString(u"{12345678-9abc-def0-0001-0203040506ff}", &parsed), STATUS_SUCCESS);
  EXPECT_EQ(memcmp(&parsed, &guid, sizeof(guid)), 0);
  EXPECT_EQ(GuidFromString(u"{12345678-9abc-def0-0001-0203040506fg}", &parsed), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(GuidFromString(u"12345678-9abc-def0-0001-0203040506ff", &parsed), STATUS_INVALID_PARAMETER);
}

TEST(RtlNumbers, Addresses) {
  const unsigned char v4[] = {127, 0, 0, 1};
  EXPECT_EQ(Ipv4Text(v4, 0), "127.0.0.1");
  EXPECT_EQ(Ipv4Text(v4, 0x5000), "127.0.0.1:80");  // network order
  unsigned char v6[16] = {};
  EXPECT_EQ(Ipv6Text(v6, 0, 0), "::");
  v6[15] = 1;
  EXPECT_EQ(Ipv6Text(v6, 0, 0), "::1");
  v6[0] = 0xFE, v6[1] = 0x80;
  EXPECT_EQ(Ipv6Text(v6, 3, 0x5000), "[fe80::1%3]:80");
  unsigned char two_runs[16] = {0x20, 0x01, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};
  EXPECT_EQ(Ipv6Text(two_runs, 0, 0), "2001:0:1::1:2");
  unsigned char mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 9};
  EXPECT_EQ(Ipv6Text(mapped, 0, 0), "::ffff:10.0.0.9");
}

}  // namespace
}  // namespace nt::rtl
