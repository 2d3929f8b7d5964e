// Bitmaps: the contract, and a randomised run against a model of one bool a bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

struct Map {
  explicit Map(ULONG bits) : words((bits + 31) / 32 + 1) { InitializeBitMap(&map, words.data(), bits); }
  std::vector<ULONG> words;
  RTL_BITMAP map;
};

TEST(RtlBitmap, SetBits_TouchesNothingElse) {
  Map m(100);
  FillBits(&m.map, 31, 34, Bit::kSet);
  EXPECT_EQ(m.words[0], 0x80000000u);
  EXPECT_EQ(m.words[1], 0xFFFFFFFFu);
  EXPECT_EQ(m.words[2], 0x1u);
  EXPECT_TRUE(AreBits(&m.map, 31, 34, Bit::kSet));
  EXPECT_FALSE(AreBits(&m.map, 30, 2, Bit::kSet));
  EXPECT_EQ(CountBits(&m.map, 0, 100, Bit::kSet), 34u);
  EXPECT_EQ(CountBits(&m.map, 0, 100, Bit::kClear), 66u);
}

TEST(RtlBitmap, BufferOfWholeBytes_IsAccepted) {
  // As FASTFAT allocates one: 34 bits in 5 bytes, behind which the heap has room up to the word.
  std::unique_ptr<unsigned char[]> bytes(new unsigned char[5]());
  RTL_BITMAP map;
  InitializeBitMap(&map, reinterpret_cast<PULONG>(bytes.get()), 34);
  FillAllBits(&map, Bit::kClear);
  FillBits(&map, 30, 4, Bit::kSet);
  EXPECT_EQ(0xC0, bytes[3]);
  EXPECT_EQ(0x03, bytes[4]);
  EXPECT_EQ(4u, CountBits(&map, 0, 34, Bit::kSet));
  EXPECT_TRUE(TestBit(&map, 33));
  EXPECT_EQ(30u, FindBits(&map, 4, 0, Bit::kSet));
}

TEST(RtlBitmap, AreBits_EmptyOrOutOfRange_IsFalse) {
  Map m(64);
  EXPECT_FALSE(AreBits(&m.map, 0, 0, Bit::kClear));
  EXPECT_FALSE(AreBits(&m.map, 60, 5, Bit::kClear));
  EXPECT_FALSE(AreBits(&m.map, 64, 1, Bit::kClear));
  EXPECT_TRUE(AreBits(&m.map, 60, 4, Bit::kClear));
}

TEST(RtlBitmap, FindClearBits_SearchesFromTheHintAndThenFromTheStart) {
  Map m(64);
  FillBits(&m.map, 20, 44, Bit::kSet);
  EXPECT_EQ(FindBits(&m.map, 10, 5, Bit::kClear), 5u);
  EXPECT_EQ(FindBits(&m.map, 10, 30, Bit::kClear), 0u);
  EXPECT_EQ(FindBits(&m.map, 20, 15, Bit::kClear), 0u);  // a run that reaches past the hint
  EXPECT_EQ(FindBits(&m.map, 21, 0, Bit::kClear), kNoBit);
  EXPECT_EQ(FindBits(&m.map, 4, 1000, Bit::kClear), 0u);
}

TEST(RtlBitmap, FindClearBits_IgnoresBitsBehindTheEnd) {
  Map m(40);
  FillBits(&m.map, 0, 38, Bit::kSet);
  EXPECT_EQ(FindBits(&m.map, 2, 0, Bit::kClear), 38u);
  EXPECT_EQ(FindBits(&m.map, 3, 0, Bit::kClear), kNoBit);
}

TEST(RtlBitmap, FindClearBitsAndSet_SetsThem) {
  Map m(64);
  EXPECT_EQ(FindBitsAndFlip(&m.map, 5, 10, Bit::kClear), 10u);
  EXPECT_TRUE(AreBits(&m.map, 10, 5, Bit::kSet));
  EXPECT_EQ(CountBits(&m.map, 0, 64, Bit::kSet), 5u);
}

TEST(RtlBitmap, FindClearRuns_LongestFirst) {
  Map m(100);
  FillAllBits(&m.map, Bit::kSet);
  FillBits(&m.map, 3, 2, Bit::kClear);
  FillBits(&m.map, 40, 30, Bit::kClear);
  FillBits(&m.map, 90, 10, Bit::kClear);
  RTL_BITMAP_RUN runs[2];
  ASSERT_EQ(FindClearRuns(&m.map, runs, 2, TRUE), 2u);
  EXPECT_EQ(runs[0].StartingIndex, 40u);
  EXPECT_EQ(runs[1].StartingIndex, 90u);
  ASSERT_EQ(FindClearRuns(&m.map, runs, 2, FALSE), 2u);
  EXPECT_EQ(runs[0].StartingIndex, 3u);
  EXPECT_EQ(runs[1].NumberOfBits, 30u);
}

TEST(RtlBitmap, Runs_ForwardAndBackward) {
  Map m(100);
  FillAllBits(&m.map, Bit::kSet);
  FillBits(&m.map, 10, 5, Bit::kClear);
  FillBits(&m.map, 60, 40, Bit::kClear);
  ULONG start = 0;
  EXPECT_EQ(FindNextForwardRunClear(&m.map, 0, &start), 5u);
  EXPECT_EQ(start, 10u);
  EXPECT_EQ(FindNextForwardRunClear(&m.map, 12, &start), 3u);
  EXPECT_EQ(start, 12u);
  EXPECT_EQ(FindNextForwardRunClear(&m.map, 15, &start), 40u);
  EXPECT_EQ(FindNextForwardRunClear(&m.map, 100, &start), 0u);
  EXPECT_EQ(FindLastBackwardRunClear(&m.map, 59, &start), 5u);
  EXPECT_EQ(start, 10u);
  EXPECT_EQ(FindLastBackwardRunClear(&m.map, 69, &start), 10u);
  EXPECT_EQ(start, 60u);
  EXPECT_EQ(FindLastBackwardRunClear(&m.map, 9, &start), 0u);
}

TEST(RtlBitmap, Random_AgainstAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const ULONG bits = 1 + random() % 300;
    Map m(bits);
    std::vector<bool> model(bits);
    for (int step = 0; step < 20; ++step) {
      const ULONG start = random() % bits, count = random() % (bits - start + 1);
      const Bit value = random() % 2 ? Bit::kSet : Bit::kClear;
      FillBits(&m.map, start, count, value);
      std::fill_n(model.begin() + start, count, value == Bit::kSet);
    }
    for (ULONG i = 0; i < bits; ++i) ASSERT_EQ(TestBit(&m.map, i), model[i]);
    for (int step = 0; step < 20; ++step) {
      const ULONG length = 1 + random() % 20, hint = random() % bits;
      const bool value = random() % 2;
      const auto fits = [&](ULONG at) {
        return at + length <= bits &&
               std::all_of(model.begin() + at, model.begin() + at + length, [&](bool bit) { return bit == value; });
      };
      ULONG expected = kNoBit;
      for (ULONG at = hint; at < bits && expected == kNoBit; ++at)
        if (fits(at)) expected = at;
      for (ULONG at = 0; at < hint && expected == kNoBit; ++at)
        if (fits(at)) expected = at;
      ASSERT_EQ(FindBits(&m.map, length, hint, value ? Bit::kSet : Bit::kClear), expected);

      ULONG begin = hint, run = 0, end;
      while (begin < bits && model[begin]) ++begin;
      for (end = begin; end < bits && !model[end]; ++end) ++run;
      ULONG start = 0;
      ASSERT_EQ(FindNextForwardRunClear(&m.map, hint, &start), run);
      if (run) {
        ASSERT_EQ(start, begin);
      }

      LONG last = static_cast<LONG>(hint), first;
      while (last >= 0 && model[last]) --last;
      for (first = last; first > 0 && !model[first - 1];) --first;
      ASSERT_EQ(FindLastBackwardRunClear(&m.map, hint, &start), last < 0 ? 0u : static_cast<ULONG>(last - first + 1));
      if (last >= 0) {
        ASSERT_EQ(start, static_cast<ULONG>(first));
      }
      ASSERT_EQ(CountBits(&m.map, hint, bits - hint, Bit::kSet),
                static_cast<ULONG>(std::count(model.begin() + hint, model.end(), true)));
    }
  }
}

}  // namespace
}  // namespace nt::rtl
