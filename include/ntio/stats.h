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
  uint64_t disallowed = 0;
};

struct IrpCount {
  uint64_t sent = 0;
  uint64_t failed = 0;
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
  /// The object that `--stats=json` prints.
  std::string Json() const;
  /// A table for people.
  std::string Text() const;
};

}  // namespace ntio
