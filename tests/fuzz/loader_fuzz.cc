// Fuzz target: whatever the bytes, the loader refuses them with a reason or loads them, and gives everything back.
//
//   cmake --preset asan -DNTIO_FUZZ=ON && cmake --build --preset asan --target loader_fuzz
//   build/asan/bin/loader_fuzz build/asan/fuzz/loader        libFuzzer, guided by the loader's coverage
//
// Without NTIO_FUZZ it has a main of its own, which runs each file of the folders it is given (ctest does).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "src/ldr/ldr.h"
#include "src/ldr/test_exports.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  nt::ldr::AddTestExports();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const bool lazy : {false, true}) {
    std::string why;
    auto image = nt::ldr::LoadImageFromBytes("fuzz.sys", std::as_bytes(std::span(data, size)),
                                             {.lazy_imports = lazy, .name = {}}, &why);
    if (image.ok()) nt::ldr::UnloadImage(image.value());
    else if (why.empty()) std::abort();  // refused without a reason
  }
  return 0;
}
