// What the loader's tests share.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace nt::ldr {

/// Adds the Test* exports to the runtime's table, once.
void AddTestExports();
void* TestBadPageAddress();
extern std::atomic<uint64_t> g_test_destructors;

/// Path of a driver built by tests/ldr/build_drivers.sh.
inline std::string TestDriver(const std::string& name) { return std::string(NTIO_LDR_TEST_DRIVERS) + "/" + name + ".sys"; }

}  // namespace nt::ldr
