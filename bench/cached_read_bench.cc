// A cached 4 KiB read in process, beside what it is measured against: memcpy of the same bytes, an empty system call, and
// pread of a file on tmpfs. The measure of a cached request is (request - memcpy) / getppid, within one run.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "bench/image.h"
#include "ntio/machine.h"

namespace {

constexpr size_t kBytes = 4096;
constexpr uint64_t kFileBytes = 8 << 20;

void BM_Memcpy_4K(benchmark::State& state) {
  std::vector<std::byte> from(kFileBytes), to(kBytes);
  uint64_t offset = 0;
  for (auto _ : state) {
    std::memcpy(to.data(), from.data() + offset, kBytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
    offset = (offset + kBytes) % kFileBytes;
  }
}
BENCHMARK(BM_Memcpy_4K);

void BM_Getppid(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(syscall(SYS_getppid));
}
BENCHMARK(BM_Getppid);

void BM_Pread_Tmpfs_4K(benchmark::State& state) {
  char name[] = "/dev/shm/ntio-bench-pread-XXXXXX";
  const int file = mkstemp(name);
  unlink(name);
  std::vector<std::byte> data(kFileBytes);
  if (write(file, data.data(), data.size()) != static_cast<ssize_t>(data.size())) state.SkipWithError("write");
  uint64_t offset = 0;
  for (auto _ : state) {
    if (pread(file, data.data(), kBytes, static_cast<off_t>(offset)) != kBytes) state.SkipWithError("pread");
    offset = (offset + kBytes) % kFileBytes;
  }
  close(file);
}
BENCHMARK(BM_Pread_Tmpfs_4K);

// One machine for all threads of a benchmark.
class CachedFile : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State& state) override {
    if (state.thread_index() != 0) return;
    image_ = std::make_unique<bench::Image>(32, 300);
    machine_ = std::make_unique<ntio::Machine>();
    if (!machine_->Load("fat").ok() || !machine_->AddDisk(image_->path()).ok()) std::abort();
    ntio::OpenOptions create;
    create.access = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE
    create.disposition = 5;      // FILE_OVERWRITE_IF
    auto file = machine_->Open(u"\\file.bin", create);
    const std::vector<std::byte> data(kFileBytes, std::byte{1});
    if (!file.ok() || !file->Write(0, data).ok()) std::abort();
  }
  void TearDown(const benchmark::State& state) override {
    if (state.thread_index() != 0) return;
    machine_.reset();
    image_.reset();
  }

 protected:
  std::unique_ptr<bench::Image> image_;
  std::unique_ptr<ntio::Machine> machine_;
};

BENCHMARK_DEFINE_F(CachedFile, NtReadFile_4K)(benchmark::State& state) {
  auto file = machine_->Open(u"\\file.bin");
  auto buffer = machine_->AllocateBuffer(kBytes);
  if (!file.ok() || !buffer.ok()) std::abort();
  for (uint64_t offset = 0; offset < kFileBytes; offset += kBytes) static_cast<void>(file->Read(offset, buffer->span()));
  uint64_t offset = 0;
  for (auto _ : state) {
    const auto result = file->Read(offset, buffer->span());
    if (result.information != kBytes || result.path != ntio::IoPath::kFastIo) state.SkipWithError("not a fast read");
    offset = (offset + kBytes) % kFileBytes;
  }
}
BENCHMARK_REGISTER_F(CachedFile, NtReadFile_4K)->Threads(1)->Threads(2);

BENCHMARK_DEFINE_F(CachedFile, NtWriteFile_4K)(benchmark::State& state) {
  ntio::OpenOptions write;
  write.access = 0xC0100000;
  auto file = machine_->Open(u"\\file.bin", write);
  auto buffer = machine_->AllocateBuffer(kBytes);
  if (!file.ok() || !buffer.ok()) std::abort();
  static_cast<void>(file->Write(0, buffer->span()));
  uint64_t offset = 0;
  for (auto _ : state) {
    if (file->Write(offset, buffer->span()).information != kBytes) state.SkipWithError("write");
    offset = (offset + kBytes) % kFileBytes;
  }
}
BENCHMARK_REGISTER_F(CachedFile, NtWriteFile_4K)->Threads(1);

}  // namespace
