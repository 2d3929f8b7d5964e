#include <gtest/gtest.h>

#include "src/fsrtl/fsrtl.h"
#include "src/machine/test_machine.h"
#include "src/rtl/rtl.h"

namespace nt::fsrtl {
namespace {

class TunnelTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    InitializeTunnelCache(&cache_);
  }
  void TearDown() override {
    DeleteTunnelCache(&cache_);
    TestMachine::TearDown();
  }
  void Add(ULONGLONG directory, std::u16string_view short_name, std::u16string_view long_name, bool by_short,
           uint64_t data) {
    UNICODE_STRING s = rtl::UnicodeString(short_name), l = rtl::UnicodeString(long_name);
    AddToTunnelCacheEx(&cache_, directory, &s, &l, by_short ? FSRTL_ADD_TC_KEY_BY_SHORT_NAME : 0, sizeof data, &data);
  }
  bool Find(ULONGLONG directory, std::u16string_view name, ULONG room = sizeof(uint64_t)) {
    UNICODE_STRING n = rtl::UnicodeString(name);
    short_ = {0, sizeof short_buffer_, reinterpret_cast<PWCH>(short_buffer_)};
    long_ = {0, sizeof long_buffer_, reinterpret_cast<PWCH>(long_buffer_)};
    data_bytes_ = room;
    return FindInTunnelCacheEx(&cache_, directory, &n, &short_, &long_, 0, &data_bytes_, &data_);
  }
  TUNNEL cache_{};
  char16_t short_buffer_[12], long_buffer_[64];
  UNICODE_STRING short_{}, long_{};
  ULONG data_bytes_ = 0;
  uint64_t data_ = 0;
};

TEST_F(TunnelTest, FindsByTheKeyName_WithoutCase) {
  Add(1, u"LONGNA~1.TXT", u"Long name.txt", false, 42);
  EXPECT_FALSE(Find(2, u"Long name.txt"));
  EXPECT_FALSE(Find(1, u"LONGNA~1.TXT")) << "the long name is the key";
  ASSERT_TRUE(Find(1, u"LONG NAME.TXT"));
  EXPECT_EQ(rtl::View(short_), u"LONGNA~1.TXT");
  EXPECT_EQ(rtl::View(long_), u"Long name.txt");
  EXPECT_EQ(data_, 42u);
  EXPECT_EQ(data_bytes_, sizeof(uint64_t));
}

TEST_F(TunnelTest, TheNewestOfOneName_Counts) {
  Add(1, u"A", u"", true, 1);
  Add(1, u"A", u"", true, 2);
  ASSERT_TRUE(Find(1, u"a"));
  EXPECT_EQ(data_, 2u);
}

TEST_F(TunnelTest, DeletedDirectory_IsForgotten) {
  Add(1, u"A", u"", true, 1);
  Add(2, u"A", u"", true, 2);
  DeleteKeyFromTunnelCache(&cache_, 1);
  EXPECT_FALSE(Find(1, u"A"));
  EXPECT_TRUE(Find(2, u"A"));
}

TEST_F(TunnelTest, FullCache_DropsTheOldest) {
  SetTunnelLimits({15, 3});
  for (ULONGLONG i = 0; i < 4; i++) Add(i, u"A", u"", true, i);
  EXPECT_FALSE(Find(0, u"A"));
  EXPECT_TRUE(Find(1, u"A"));
  EXPECT_TRUE(Find(3, u"A"));
}

TEST_F(TunnelTest, OldEntries_AreGone) {
  SetTunnelLimits({0, 256});
  Add(1, u"A", u"", true, 1);
  EXPECT_FALSE(Find(1, u"A"));
}

TEST_F(TunnelTest, TooSmallDataBuffer_FindsNothingAndKeepsTheEntry) {
  Add(1, u"A", u"", true, 1);
  EXPECT_FALSE(Find(1, u"A", 4));
  EXPECT_TRUE(Find(1, u"A"));
}

}  // namespace
}  // namespace nt::fsrtl
