// Boot to first byte: what a test that uses ntio pays before it starts. Target: boot, load fat.sys, mount, first read and
// shutdown within 20 ms.
#include <benchmark/benchmark.h>

#include "bench/image.h"
#include "ntio/machine.h"

namespace {

void PrepareFile(const std::string& image) {
  ntio::Machine machine;
  if (!machine.Load("fat").ok() || !machine.AddDisk(image).ok()) std::abort();
  ntio::OpenOptions create;
  create.access = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE
  create.disposition = 5;      // FILE_OVERWRITE_IF
  auto file = machine.Open(u"\\file.bin", create);
  if (!file.ok()) std::abort();
  const std::string data(64 * 1024, 'x');
  if (!file->Write(0, std::as_bytes(std::span(data))).ok()) std::abort();
  file->Close();
  if (!machine.Shutdown().ok()) std::abort();
}

void BM_Boot_Shutdown(benchmark::State& state) {
  for (auto _ : state) {
    ntio::Machine machine;
    if (!machine.booted().ok() || !machine.Shutdown().ok()) state.SkipWithError("boot");
  }
}
BENCHMARK(BM_Boot_Shutdown)->Unit(benchmark::kMillisecond);

void BM_Boot_Mount_FirstByte_Shutdown(benchmark::State& state) {
  bench::Image image(static_cast<int>(state.range(0)), state.range(0) == 32 ? 300 : 64);
  PrepareFile(image.path());
  for (auto _ : state) {
    ntio::Machine machine;
    if (!machine.Load("fat").ok() || !machine.AddDisk(image.path()).ok()) {
      state.SkipWithError("load");
      break;
    }
    auto file = machine.Open(u"\\file.bin");
    std::byte first[1];
    if (!file.ok() || file->Read(0, first).information != 1) {
      state.SkipWithError("read");
      break;
    }
    file->Close();
    if (!machine.Shutdown().ok()) state.SkipWithError("shutdown");
  }
}
BENCHMARK(BM_Boot_Mount_FirstByte_Shutdown)->Arg(16)->Arg(32)->Unit(benchmark::kMillisecond);

}  // namespace
