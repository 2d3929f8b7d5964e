// Stats: the machine's counters by name.
#include "ntio/stats.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "src/api/state.h"
#include "src/io/io.h"

namespace ntio {

Stats Machine::Statistics() const {
  Stats stats;
  const auto& counters = nt::io::TheStatistics();
  for (size_t i = 1; i < nt::io::Statistics::kFastIoEntries; i++) {
    const auto& entry = counters.fast_io[i];
    if (entry.called == 0) continue;
    auto& count = stats.fast_io[nt::io::FastIoEntryName(i)];
    count.called = entry.called;
    count.returned_true = entry.returned_true;
    count.returned_false = entry.returned_false;
    count.disallowed = entry.disallowed;
  }
  for (size_t i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
    const auto& major = counters.irp[i];
    if (major.sent == 0) continue;
    auto& count = stats.irp[nt::io::MajorFunctionName(static_cast<UCHAR>(i))];
    count.sent = major.sent;
    count.failed = major.failed;
  }
  stats.paging.reads = counters.paging.reads;
  stats.paging.writes = counters.paging.writes;
  stats.paging.bytes_read = counters.paging.bytes_read;
  stats.paging.bytes_written = counters.paging.bytes_written;
  for (const auto* row : nt::io::AllDriverCounts()) {
    auto& driver = stats.drivers[row->name];
    driver.filter = row->filter;
    for (size_t i = 1; i < nt::io::DriverCounts::kFastIoEntries; i++) {
      const auto& entry = row->fast_io[i];
      if (entry.called == 0) continue;
      driver.fast_io[nt::io::FastIoEntryName(i)] = {entry.called,   entry.returned_true, entry.returned_false,
                                                    entry.answered, entry.declined,      entry.passed_on};
    }
    for (size_t i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
      const auto& major = row->irp[i];
      if (major.called == 0) continue;
      driver.irp[nt::io::MajorFunctionName(static_cast<UCHAR>(i))] = {major.called, major.completed, major.failed,
                                                                      major.passed_on, major.pended};
    }
  }
  return stats;
}

std::string Stats::Json() const {
  nlohmann::ordered_json json;
  json["fast_io"] = nlohmann::ordered_json::object();
  for (const auto& [name, count] : fast_io)
    json["fast_io"][name] = {{"called", count.called},
                             {"returned_true", count.returned_true},
                             {"returned_false", count.returned_false},
                             {"disallowed", count.disallowed}};
  json["irp"] = nlohmann::ordered_json::object();
  for (const auto& [name, count] : irp) json["irp"][name] = {{"sent", count.sent}, {"failed", count.failed}};
  json["paging"] = {{"reads", paging.reads},
                    {"writes", paging.writes},
                    {"bytes_read", paging.bytes_read},
                    {"bytes_written", paging.bytes_written}};
  json["filters"] = nlohmann::ordered_json::object();
  for (const auto& [name, driver] : drivers) {
    if (!driver.filter) continue;
    uint64_t completed = 0, disallowed = 0, pended = 0;
    for (const auto& [entry, count] : driver.fast_io) completed += count.answered, disallowed += count.declined;
    for (const auto& [major, count] : driver.irp) completed += count.completed, pended += count.pended;
    json["filters"][name] = {{"completed", completed}, {"disallowed", disallowed}, {"pended", pended}};
  }
  json["drivers"] = nlohmann::ordered_json::object();
  for (const auto& [name, driver] : drivers) {
    auto& object = json["drivers"][name];
    object["fast_io"] = nlohmann::ordered_json::object();
    for (const auto& [entry, count] : driver.fast_io)
      object["fast_io"][entry] = {{"called", count.called},         {"returned_true", count.returned_true},
                                  {"returned_false", count.returned_false}, {"answered", count.answered},
                                  {"declined", count.declined},     {"passed_on", count.passed_on}};
    object["irp"] = nlohmann::ordered_json::object();
    for (const auto& [major, count] : driver.irp)
      object["irp"][major] = {{"called", count.called},
                              {"completed", count.completed},
                              {"failed", count.failed},
                              {"passed_on", count.passed_on},
                              {"pended", count.pended}};
  }
  return json.dump(2);
}

std::string Stats::Text() const {
  std::string text;
  char line[160];
  const auto print = [&](auto... arguments) {
    std::snprintf(line, sizeof line, arguments...);
    text += line;
  };
  print("%-34s %10s %10s %10s %10s\n", "fast I/O", "called", "TRUE", "FALSE", "disallowed");
  for (const auto& [name, count] : fast_io)
    print("  %-32s %10llu %10llu %10llu %10llu\n", name.c_str(), static_cast<unsigned long long>(count.called),
          static_cast<unsigned long long>(count.returned_true), static_cast<unsigned long long>(count.returned_false),
          static_cast<unsigned long long>(count.disallowed));
  print("%-34s %10s %10s\n", "IRPs", "sent", "failed");
  for (const auto& [name, count] : irp)
    print("  %-32s %10llu %10llu\n", name.c_str(), static_cast<unsigned long long>(count.sent),
          static_cast<unsigned long long>(count.failed));
  print("%-34s %10s %14s\n", "paging", "requests", "bytes");
  print("  %-32s %10llu %14llu\n", "reads", static_cast<unsigned long long>(paging.reads),
        static_cast<unsigned long long>(paging.bytes_read));
  print("  %-32s %10llu %14llu\n", "writes", static_cast<unsigned long long>(paging.writes),
        static_cast<unsigned long long>(paging.bytes_written));
  const auto number = [](uint64_t count) { return static_cast<unsigned long long>(count); };
  for (const auto& [name, driver] : drivers) {
    if (driver.fast_io.empty() && driver.irp.empty()) continue;
    print("%-34s %10s %10s %10s %10s\n", ("driver " + name).c_str(), "called", "answered", "declined", "passed on");
    for (const auto& [entry, count] : driver.fast_io)
      print("  %-32s %10llu %10llu %10llu %10llu\n", entry.c_str(), number(count.called), number(count.answered),
            number(count.declined), number(count.passed_on));
    for (const auto& [major, count] : driver.irp)
      print("  %-32s %10llu %10llu %10s %10llu%s\n", major.c_str(), number(count.called), number(count.completed), "",
            number(count.passed_on), count.pended ? ("  " + std::to_string(count.pended) + " pended").c_str() : "");
  }
  return text;
}

}  // namespace ntio
