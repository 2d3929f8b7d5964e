// System time: 100 ns units since 1601-01-01, in the proleptic Gregorian calendar.
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

constexpr LONGLONG kPerMillisecond = 10'000;
constexpr LONGLONG kPerSecond = 10'000'000;
constexpr LONGLONG kSecondsPerDay = 86'400;
constexpr LONGLONG kSecondsTo1970 = 11'644'473'600;
constexpr LONGLONG kSecondsTo1980 = 11'960'006'400;

/// Days from 1601-01-01 to a date; the year starts in March, so that leap days come last.
constexpr LONGLONG DaysOf(LONGLONG year, unsigned month, unsigned day) {
  year -= month <= 2;
  const LONGLONG era = year / 400;
  const LONGLONG year_of_era = year % 400;
  const LONGLONG day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const LONGLONG day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 584'694;
}
static_assert(DaysOf(1601, 1, 1) == 0 && DaysOf(1970, 1, 1) * kSecondsPerDay == kSecondsTo1970 &&
              DaysOf(1980, 1, 1) * kSecondsPerDay == kSecondsTo1980);

bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

bool ToSeconds(LONGLONG time_100ns, LONGLONG base, PULONG seconds) {
  if (time_100ns < 0) return false;
  const LONGLONG since = time_100ns / kPerSecond - base;
  if (since < 0 || since > 0xFFFFFFFFLL) return false;
  *seconds = static_cast<ULONG>(since);
  return true;
}

}  // namespace

void TimeToTimeFields(LONGLONG time_100ns, PTIME_FIELDS fields) {
  if (time_100ns < 0) time_100ns = 0;
  const LONGLONG seconds = time_100ns / kPerSecond;
  const LONGLONG days = seconds / kSecondsPerDay;
  const LONGLONG of_day = seconds % kSecondsPerDay;
  const LONGLONG shifted = days + 584'694;
  const LONGLONG era = shifted / 146'097;
  const LONGLONG day_of_era = shifted % 146'097;
  const LONGLONG year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const LONGLONG day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const LONGLONG month = (5 * day_of_year + 2) / 153;
  fields->Day = static_cast<CSHORT>(day_of_year - (153 * month + 2) / 5 + 1);
  fields->Month = static_cast<CSHORT>(month < 10 ? month + 3 : month - 9);
  fields->Year = static_cast<CSHORT>(year_of_era + era * 400 + (fields->Month <= 2));
  fields->Hour = static_cast<CSHORT>(of_day / 3600);
  fields->Minute = static_cast<CSHORT>(of_day / 60 % 60);
  fields->Second = static_cast<CSHORT>(of_day % 60);
  fields->Milliseconds = static_cast<CSHORT>(time_100ns / kPerMillisecond % 1000);
  fields->Weekday = static_cast<CSHORT>((days + 1) % 7);  // 1601-01-01 was a Monday
}

bool TimeFieldsToTime(const TIME_FIELDS* f, PLARGE_INTEGER time) {
  if (f->Year < 1601 || f->Year > 30827 || f->Month < 1 || f->Month > 12 || f->Day < 1 ||
      f->Day > DaysInMonth(f->Year, f->Month) || f->Hour < 0 || f->Hour > 23 || f->Minute < 0 || f->Minute > 59 ||
      f->Second < 0 || f->Second > 59 || f->Milliseconds < 0 || f->Milliseconds > 999)
    return false;
  const LONGLONG seconds =
      DaysOf(f->Year, f->Month, f->Day) * kSecondsPerDay + f->Hour * 3600 + f->Minute * 60 + f->Second;
  time->QuadPart = seconds * kPerSecond + f->Milliseconds * kPerMillisecond;
  return true;
}

bool TimeToSecondsSince1980(LONGLONG time_100ns, PULONG seconds) {
  return ToSeconds(time_100ns, kSecondsTo1980, seconds);
}
LONGLONG SecondsSince1980ToTime(ULONG seconds) { return (seconds + kSecondsTo1980) * kPerSecond; }
bool TimeToSecondsSince1970(LONGLONG time_100ns, PULONG seconds) {
  return ToSeconds(time_100ns, kSecondsTo1970, seconds);
}
LONGLONG SecondsSince1970ToTime(ULONG seconds) { return (seconds + kSecondsTo1970) * kPerSecond; }

}  // namespace nt::rtl
