// Stats: what a machine's requests did, counted since boot. Filled only when MachineOptions::statistics is set.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace ntio {

struct FastIoCount {
  uint64_t called = 0;
  uint64_t returned_true = 0;
  uint64_t returned_false = 0;
  uint64_t disallowed = 0;  // of returned_false: the file, or FastIoCheckIfPossible, said that fast I/O is not possible
};

struct IrpCount {
  uint64_t sent = 0;
  uint64_t failed = 0;
};

/// One fast I/O entry of one driver.
struct DriverFastIoCount {
  uint64_t called = 0;
  uint64_t returned_true = 0;
  uint64_t returned_false = 0;
  uint64_t answered = 0;   // TRUE, without asking the driver below
  uint64_t declined = 0;   // FALSE, without asking the driver below
  uint64_t passed_on = 0;  // the driver below was asked
};

/// One dispatch routine of one driver: what had become of the IRP when the routine returned.
struct DriverIrpCount {
  uint64_t called = 0;
  uint64_t completed = 0;  // by this driver
  uint64_t failed = 0;     // those of `completed` that ended with an error
  uint64_t passed_on = 0;
  uint64_t pended = 0;     // neither, and STATUS_PENDING
};

struct DriverCount {
  std::map<std::string, DriverFastIoCount> fast_io;
  std::map<std::string, DriverIrpCount> irp;
  bool filter = false;  // it attached to a file system or a volume
};

struct PagingCount {
  uint64_t reads = 0;
  uint64_t writes = 0;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
};

struct Stats {
  std::map<std::string, FastIoCount> fast_io;  // by field of FAST_IO_DISPATCH; only fields that were called
  std::map<std::string, IrpCount> irp;         // by IRP_MJ_ name; only codes that were sent
  PagingCount paging;
  /// By driver ("fat", "legacy_passthrough", the second of two: "legacy_passthrough-2"): what each of a stack did.
  std::map<std::string, DriverCount> drivers;
  /// The object that `--stats=json` prints.
  std::string Json() const;
  /// A table for people.
  std::string Text() const;
};

}  // namespace ntio
