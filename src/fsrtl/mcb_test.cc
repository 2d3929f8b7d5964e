// Run lists: the documented cases, and random operations against a map of blocks.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "src/fsrtl/fsrtl.h"
#include "src/machine/test_machine.h"

namespace nt::fsrtl {
namespace {

class McbTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    InitializeLargeMcb(&mcb_, PagedPool);
  }
  void TearDown() override {
    UninitializeLargeMcb(&mcb_);
    TestMachine::TearDown();
  }
  LARGE_MCB mcb_{};
};

TEST_F(McbTest, LookupInHole_IsTrueWithLbnMinusOne_PastTheEnd_IsFalse) {
  ASSERT_TRUE(AddLargeMcbEntry(&mcb_, 10, 100, 5));
  LONGLONG lbn = 0, count = 0, starting_lbn = 0, whole = 0;
  ULONG index = 99;
  ASSERT_TRUE(LookupLargeMcbEntry(&mcb_, 4, &lbn, &count, &starting_lbn, &whole, &index));
  EXPECT_EQ(lbn, -1);
  EXPECT_EQ(count, 6);
  EXPECT_EQ(whole, 10);
  EXPECT_EQ(index, 0u);
  ASSERT_TRUE(LookupLargeMcbEntry(&mcb_, 12, &lbn, &count, &starting_lbn, &whole, &index));
  EXPECT_EQ(lbn, 102);
  EXPECT_EQ(count, 3);
  EXPECT_EQ(starting_lbn, 100);
  EXPECT_EQ(whole, 5);
  EXPECT_EQ(index, 1u);
  EXPECT_FALSE(LookupLargeMcbEntry(&mcb_, 15, &lbn, nullptr, nullptr, nullptr, nullptr));
  EXPECT_EQ(NumberOfRunsInLargeMcb(&mcb_), 2u) << "holes count";
}

TEST_F(McbTest, Add_MergesWhatGoesOn_AgreesWithTheSame_RefusesAnother) {
  EXPECT_TRUE(AddLargeMcbEntry(&mcb_, 0, 50, 4));
  EXPECT_TRUE(AddLargeMcbEntry(&mcb_, 4, 54, 4));
  EXPECT_EQ(NumberOfRunsInLargeMcb(&mcb_), 1u);
  EXPECT_TRUE(AddLargeMcbEntry(&mcb_, 2, 52, 10)) << "overlaps and agrees";
  EXPECT_EQ(NumberOfRunsInLargeMcb(&mcb_), 1u);
  EXPECT_FALSE(AddLargeMcbEntry(&mcb_, 2, 53, 1));
  LONGLONG vbn, lbn;
  ULONG index;
  ASSERT_TRUE(LookupLastLargeMcbEntryAndIndex(&mcb_, &vbn, &lbn, &index));
  EXPECT_EQ(vbn, 11);
  EXPECT_EQ(lbn, 61);
  EXPECT_EQ(index, 0u);
}

TEST_F(McbTest, Truncate_DropsTheTrailingHole) {
  ASSERT_TRUE(AddLargeMcbEntry(&mcb_, 0, 50, 4));
  ASSERT_TRUE(AddLargeMcbEntry(&mcb_, 8, 90, 4));
  TruncateLargeMcb(&mcb_, 8);
  EXPECT_EQ(NumberOfRunsInLargeMcb(&mcb_), 1u);
  LONGLONG lbn;
  EXPECT_FALSE(LookupLargeMcbEntry(&mcb_, 5, &lbn, nullptr, nullptr, nullptr, nullptr));
}

TEST_F(McbTest, LookupLast_OfAnEmptyList_IsFalse) {
  LONGLONG vbn, lbn;
  EXPECT_FALSE(LookupLastLargeMcbEntryAndIndex(&mcb_, &vbn, &lbn, nullptr));
}

TEST_F(McbTest, RandomOperations_AgreeWithAModel) {
  constexpr LONGLONG kBlocks = 200;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::map<LONGLONG, LONGLONG> model;
  const auto draw = [&](LONGLONG below) { return static_cast<LONGLONG>(random() % static_cast<uint64_t>(below)); };
  for (int step = 0; step < 20000; step++) {
    const LONGLONG vbn = draw(kBlocks), count = 1 + draw(20);
    switch (random() % 6) {
      case 0:
      case 1:
      case 2: {
        const LONGLONG lbn = random() % 2 ? vbn + 1000 * draw(3) : draw(100);
        bool agrees = true;
        for (LONGLONG i = 0; i < count; i++)
          if (model.count(vbn + i) && model[vbn + i] != lbn + i) agrees = false;
        ASSERT_EQ(AddLargeMcbEntry(&mcb_, vbn, lbn, count), agrees) << "step " << step;
        if (agrees)
          for (LONGLONG i = 0; i < count; i++) model[vbn + i] = lbn + i;
        break;
      }
      case 3:
      case 4:
        RemoveLargeMcbEntry(&mcb_, vbn, count);
        for (LONGLONG i = 0; i < count; i++) model.erase(vbn + i);
        break;
      case 5:
        if (random() % 4 == 0) {
          TruncateLargeMcb(&mcb_, vbn);
          model.erase(model.lower_bound(vbn), model.end());
        } else if (random() % 4 == 0 && (model.empty() || model.rbegin()->first < 2 * kBlocks)) {
          ASSERT_TRUE(SplitLargeMcb(&mcb_, vbn, count));
          std::map<LONGLONG, LONGLONG> moved;
          for (const auto& [from, to] : model) moved[from >= vbn ? from + count : from] = to;
          model = std::move(moved);
        }
        break;
    }
    const LONGLONG end = model.empty() ? 0 : model.rbegin()->first + 1;
    LONGLONG lbn, run;
    for (int probe = 0; probe < 8; probe++) {
      const LONGLONG at = draw(2 * kBlocks + 30);
      ASSERT_EQ(LookupLargeMcbEntry(&mcb_, at, &lbn, &run, nullptr, nullptr, nullptr), at < end) << "step " << step;
      if (at >= end) continue;
      ASSERT_EQ(lbn, model.count(at) ? model[at] : -1) << "step " << step << " vbn " << at;
      LONGLONG expected = 1;
      while (at + expected < end && (lbn == -1 ? !model.count(at + expected)
                                               : model.count(at + expected) && model[at + expected] == lbn + expected))
        expected++;
      ASSERT_EQ(run, expected) << "step " << step << " vbn " << at;
    }
    // The runs cover [0, end) without a gap.
    LONGLONG next = 0;
    for (ULONG i = 0; i < NumberOfRunsInLargeMcb(&mcb_); i++) {
      LONGLONG vbn_of_run, count_of_run;
      ASSERT_TRUE(GetNextLargeMcbEntry(&mcb_, i, &vbn_of_run, &lbn, &count_of_run));
      ASSERT_EQ(vbn_of_run, next);
      next += count_of_run;
    }
    ASSERT_EQ(next, end) << "step " << step;
  }
}

}  // namespace
}  // namespace nt::fsrtl
