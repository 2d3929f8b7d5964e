// Time fields, and the seconds of other epochs.
#include <gtest/gtest.h>

#include <random>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

LONGLONG Time(CSHORT year, CSHORT month, CSHORT day, CSHORT hour = 0, CSHORT minute = 0, CSHORT second = 0,
              CSHORT milliseconds = 0) {
  const TIME_FIELDS fields = {year, month, day, hour, minute, second, milliseconds, 0};
  LARGE_INTEGER time;
  return TimeFieldsToTime(&fields, &time) ? time.QuadPart : -1;
}

TEST(RtlTime, KnownDates) {
  EXPECT_EQ(Time(1601, 1, 1), 0);
  EXPECT_EQ(Time(1970, 1, 1), 116'444'736'000'000'000);
  EXPECT_EQ(Time(1980, 1, 1), 119'600'064'000'000'000);
  EXPECT_EQ(Time(2000, 2, 29, 12, 34, 56, 789), 125'963'012'967'890'000);
  TIME_FIELDS fields;
  TimeToTimeFields(125'963'012'967'890'000, &fields);
  EXPECT_EQ(fields.Year, 2000);
  EXPECT_EQ(fields.Month, 2);
  EXPECT_EQ(fields.Day, 29);
  EXPECT_EQ(fields.Hour, 12);
  EXPECT_EQ(fields.Minute, 34);
  EXPECT_EQ(fields.Second, 56);
  EXPECT_EQ(fields.Milliseconds, 789);
  EXPECT_EQ(fields.Weekday, 2);  // a Tuesday
}

TEST(RtlTime, ImpossibleDates_AreRefused) {
  EXPECT_EQ(Time(1600, 12, 31), -1);
  EXPECT_EQ(Time(1900, 2, 29), -1);
  EXPECT_EQ(Time(2001, 4, 31), -1);
  EXPECT_EQ(Time(2001, 13, 1), -1);
  EXPECT_EQ(Time(2001, 0, 1), -1);
  EXPECT_EQ(Time(2001, 1, 0), -1);
  EXPECT_EQ(Time(2001, 1, 1, 24), -1);
  EXPECT_EQ(Time(2001, 1, 1, 0, 60), -1);
  EXPECT_EQ(Time(2001, 1, 1, 0, 0, 0, 1000), -1);
  EXPECT_NE(Time(30827, 12, 31), -1);
}

TEST(RtlTime, EveryDayOfFourCenturies_FollowsTheOneBefore) {
  TIME_FIELDS fields;
  LONGLONG time = 0;
  CSHORT weekday = 1;
  for (int day = 0; day < 146'097 + 1; ++day, time += 864'000'000'000) {
    TimeToTimeFields(time, &fields);
    ASSERT_EQ(fields.Weekday, weekday);
    weekday = static_cast<CSHORT>((weekday + 1) % 7);
    LARGE_INTEGER back;
    ASSERT_TRUE(TimeFieldsToTime(&fields, &back)) << fields.Year << '-' << fields.Month << '-' << fields.Day;
    ASSERT_EQ(back.QuadPart, time);
  }
  EXPECT_EQ(fields.Year, 2001);
}

TEST(RtlTime, Seconds_OutOfRange_AreRefused) {
  ULONG seconds = 0;
  EXPECT_FALSE(TimeToSecondsSince1980(Time(1979, 12, 31), &seconds));
  EXPECT_TRUE(TimeToSecondsSince1980(Time(1980, 1, 2), &seconds));
  EXPECT_EQ(seconds, 86'400u);
  EXPECT_TRUE(TimeToSecondsSince1970(Time(2106, 2, 7, 6, 28, 15), &seconds));
  EXPECT_EQ(seconds, 0xFFFFFFFFu);
  EXPECT_FALSE(TimeToSecondsSince1970(Time(2106, 2, 7, 6, 28, 16), &seconds));
  EXPECT_EQ(SecondsSince1970ToTime(1), Time(1970, 1, 1, 0, 0, 1));
  EXPECT_EQ(SecondsSince1980ToTime(0xFFFFFFFF), Time(1980, 1, 1) + 0xFFFFFFFFll * 10'000'000);
}

}  // namespace
}  // namespace nt::rtl
