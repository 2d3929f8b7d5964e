// Times on the medium are local, in steps of two seconds (10 ms for creation); in memory they are system time.
#include "fat.h"

namespace fat {

LARGE_INTEGER DecodeTime(USHORT date, USHORT time, UCHAR tens_of_ms) {
  TIME_FIELDS fields;
  LARGE_INTEGER local;
  LARGE_INTEGER system;
  system.QuadPart = 0;
  if (date == 0) return system;
  fields.Year = static_cast<CSHORT>(1980 + (date >> 9));
  fields.Month = static_cast<CSHORT>((date >> 5) & 15);
  fields.Day = static_cast<CSHORT>(date & 31);
  fields.Hour = static_cast<CSHORT>(time >> 11);
  fields.Minute = static_cast<CSHORT>((time >> 5) & 63);
  fields.Second = static_cast<CSHORT>(2 * (time & 31) + tens_of_ms / 100);
  fields.Milliseconds = static_cast<CSHORT>(tens_of_ms % 100 * 10);
  fields.Weekday = 0;
  if (!RtlTimeFieldsToTime(&fields, &local)) return system;  // not a date
  ExLocalTimeToSystemTime(&local, &system);
  return system;
}

void EncodeTime(LARGE_INTEGER system_time, USHORT* date, USHORT* time, UCHAR* tens_of_ms) {
  *date = 0;
  if (time != nullptr) *time = 0;
  if (tens_of_ms != nullptr) *tens_of_ms = 0;
  if (system_time.QuadPart == 0) return;
  LARGE_INTEGER local;
  TIME_FIELDS fields;
  ExSystemTimeToLocalTime(&system_time, &local);
  RtlTimeToTimeFields(&local, &fields);
  if (fields.Year < 1980 || fields.Year > 2107) return;
  *date = static_cast<USHORT>(((fields.Year - 1980) << 9) | (fields.Month << 5) | fields.Day);
  if (time != nullptr) {
    *time = static_cast<USHORT>((fields.Hour << 11) | (fields.Minute << 5) | (fields.Second / 2));
  }
  if (tens_of_ms != nullptr) *tens_of_ms = static_cast<UCHAR>(fields.Second % 2 * 100 + fields.Milliseconds / 10);
}

LARGE_INTEGER Now() {
  LARGE_INTEGER now;
  KeQuerySystemTime(&now);
  return now;
}

}  // namespace fat
