// Unicode prefix tables: longest match, case, removal; a randomised run against a list.
#include <gtest/gtest.h>

#include <list>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

struct Item {
  explicit Item(std::u16string name) : text(std::move(name)), string(UnicodeString(text)) {}
  Item(const Item&) = delete;
  std::u16string text;
  UNICODE_STRING string;
  UNICODE_PREFIX_TABLE_ENTRY entry;
};

class RtlPrefix : public testing::Test {
 protected:
  void SetUp() override { InitializeUnicodePrefix(&table); }
  bool Insert(std::u16string name) {
    items.emplace_back(std::move(name));
    if (InsertUnicodePrefix(&table, &items.back().string, &items.back().entry)) return true;
    items.pop_back();
    return false;
  }
  std::u16string Find(std::u16string_view name, ULONG case_insensitive_index = 0) {
    const UNICODE_STRING string = UnicodeString(name);
    const auto* entry = FindUnicodePrefix(&table, &string, case_insensitive_index);
    return entry ? std::u16string(View(entry->Prefix)) : u"(none)";
  }
  std::multiset<std::u16string> All() {
    std::multiset<std::u16string> names;
    for (auto* entry = NextUnicodePrefix(&table, TRUE); entry; entry = NextUnicodePrefix(&table, FALSE))
      names.emplace(View(entry->Prefix));
    return names;
  }
  UNICODE_PREFIX_TABLE table;
  std::list<Item> items;
};

TEST_F(RtlPrefix, Find_TheLongestPrefixInWholeComponents) {
  for (auto name : {u"\\a", u"\\a\\b", u"\\a\\b\\c\\d", u"\\x"}) ASSERT_TRUE(Insert(name));
  EXPECT_EQ(Find(u"\\a\\b\\c"), u"\\a\\b");
  EXPECT_EQ(Find(u"\\a\\b\\c\\d\\e"), u"\\a\\b\\c\\d");
  EXPECT_EQ(Find(u"\\a\\bb"), u"\\a");
  EXPECT_EQ(Find(u"\\A\\B"), u"\\a\\b");
  EXPECT_EQ(Find(u"\\ab"), u"(none)");
  ASSERT_TRUE(Insert(u"\\"));
  EXPECT_EQ(Find(u"\\ab"), u"\\");
  EXPECT_EQ(Find(u"\\"), u"\\");
}

TEST_F(RtlPrefix, Insert_TheSameNameTwice_IsRefused_AnotherCaseIsNot) {
  EXPECT_TRUE(Insert(u"\\Abc"));
  EXPECT_FALSE(Insert(u"\\Abc"));
  EXPECT_TRUE(Insert(u"\\aBC"));
  EXPECT_TRUE(Insert(u"\\ABC"));
  EXPECT_FALSE(Insert(u"\\aBC"));
  EXPECT_EQ(All().size(), 3u);
  // With case as far as the index goes.
  EXPECT_EQ(Find(u"\\aBC\\x", 4), u"\\aBC");
  EXPECT_EQ(Find(u"\\ABC\\x", 4), u"\\ABC");
  EXPECT_EQ(Find(u"\\abc\\x", 4), u"(none)");
  EXPECT_NE(Find(u"\\abc\\x", 2), u"(none)");
}

TEST_F(RtlPrefix, Random_AgainstAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto name = [&] {
    std::u16string text;
    for (unsigned depth = 1 + random() % 4; depth; --depth) {
      text += u'\\';
      text += u"abAB"[random() % 4];
      if (random() % 3 == 0) text += u"xX"[random() % 2];
    }
    return text;
  };
  for (int step = 0; step < 4000; ++step) {
    if (random() % 2) {
      const auto text = name();
      const bool known =
          std::any_of(items.begin(), items.end(), [&](const Item& item) { return item.text == text; });
      ASSERT_EQ(Insert(text), !known);
    } else if (!items.empty()) {
      auto gone = std::next(items.begin(), static_cast<long>(random() % items.size()));
      RemoveUnicodePrefix(&table, &gone->entry);
      items.erase(gone);
    }
    std::multiset<std::u16string> expected;
    for (const Item& item : items) expected.insert(item.text);
    ASSERT_EQ(All(), expected);

    const auto text = name();
    const size_t exact = random() % 2 ? 0 : text.size();
    size_t longest = 0;
    for (const Item& item : items) {
      const bool whole = text.size() == item.text.size() || text[std::min(item.text.size(), text.size() - 1)] == u'\\';
      if (whole && PrefixUnicode(item.text, text, exact ? Case::kSensitive : Case::kInsensitive))
        longest = std::max(longest, item.text.size());
    }
    const auto found = Find(text, static_cast<ULONG>(exact));
    ASSERT_EQ(found == u"(none)" ? 0 : found.size(), longest);
  }
}

}  // namespace
}  // namespace nt::rtl
