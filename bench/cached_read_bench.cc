// Cached reads and writes in process, beside what they are measured against: memcpy of the same bytes, an empty system call,
// and pread of a file on tmpfs; all of them at random places of 64 MiB. The measure of a cached request is
// (request - memcpy) / getppid, within one run.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <vector>

#include "bench/image.h"
#include "ntio/machine.h"

namespace {

constexpr uint64_t kFileBytes = 64 << 20;

/// Multiples of the request's size, each as likely; a linear congruence, so that it costs nothing beside a request.
class RandomOffsets {
 public:
  explicit RandomOffsets(size_t request) : request_(request), count_(kFileBytes / request) {}
  uint64_t Next() {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return (state_ >> 33) % count_ * request_;
  }

 private:
  const uint64_t request_, count_;
  uint64_t state_ = 1;
};

// Argument: bytes of a request.
void BM_Memcpy(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  static const std::vector<std::byte> from(kFileBytes, std::byte{1});
  std::vector<std::byte> to(bytes);
  RandomOffsets offsets(bytes);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data() + offsets.Next(), bytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_Memcpy)->Arg(512)->Arg(4096);
BENCHMARK(BM_Memcpy)->Arg(4096)->Threads(2);

void BM_MemcpyTo(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  std::vector<std::byte> to(kFileBytes, std::byte{1}), from(bytes);
  RandomOffsets offsets(bytes);
  for (auto _ : state) {
    std::memcpy(to.data() + offsets.Next(), from.data(), bytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_MemcpyTo)->Arg(4096);

void BM_Getppid(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(syscall(SYS_getppid));
}
BENCHMARK(BM_Getppid);

void BM_Pread_Tmpfs(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  char name[] = "/dev/shm/ntio-bench-pread-XXXXXX";
  const int file = mkstemp(name);
  unlink(name);
  std::vector<std::byte> data(kFileBytes);
  if (write(file, data.data(), data.size()) != static_cast<ssize_t>(data.size())) state.SkipWithError("write");
  RandomOffsets offsets(bytes);
  for (auto _ : state)
    if (pread(file, data.data(), bytes, static_cast<off_t>(offsets.Next())) != state.range(0)) state.SkipWithError("pread");
  close(file);
}
BENCHMARK(BM_Pread_Tmpfs)->Arg(512)->Arg(4096);

// One machine for all threads of a benchmark.
class CachedFile : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State&) override {
    std::lock_guard guard(lock_);
    if (users_++) return;
    image_ = std::make_unique<bench::Image>(32, 300);
    machine_ = std::make_unique<ntio::Machine>();
    if (!machine_->Load("fat").ok() || !machine_->AddDisk(image_->path()).ok()) std::abort();
    auto file = Open(5);  // FILE_OVERWRITE_IF
    const std::vector<std::byte> data(kFileBytes, std::byte{1});
    if (!file.Write(0, data).ok()) std::abort();
  }
  void TearDown(const benchmark::State&) override {
    std::lock_guard guard(lock_);
    if (--users_) return;
    machine_.reset();
    image_.reset();
  }

 protected:
  ntio::File Open(uint32_t disposition = 1) {  // FILE_OPEN
    ntio::OpenOptions options;
    options.access = 0xC0100000;  // GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE
    options.share = 3;            // FILE_SHARE_READ | FILE_SHARE_WRITE
    options.disposition = disposition;
    auto file = machine_->Open(u"\\file.bin", options);
    if (!file.ok()) std::abort();
    return std::move(*file);
  }

  std::unique_ptr<bench::Image> image_;
  std::unique_ptr<ntio::Machine> machine_;

 private:
  std::mutex lock_;
  int users_ = 0;
};

BENCHMARK_DEFINE_F(CachedFile, NtReadFile)(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  auto file = Open();
  auto buffer = machine_->AllocateBuffer(bytes);
  if (!buffer.ok()) std::abort();
  static_cast<void>(file.Read(0, buffer->span()));  // by IRP: it starts caching for this file object
  RandomOffsets offsets(bytes);
  for (auto _ : state) {
    const auto result = file.Read(offsets.Next(), buffer->span());
    if (result.information != bytes || result.path != ntio::IoPath::kFastIo) state.SkipWithError("not a fast read");
  }
}
BENCHMARK_REGISTER_F(CachedFile, NtReadFile)->Arg(512)->Arg(4096);
BENCHMARK_REGISTER_F(CachedFile, NtReadFile)->Arg(4096)->Threads(2);

BENCHMARK_DEFINE_F(CachedFile, NtWriteFile)(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  auto file = Open();
  auto buffer = machine_->AllocateBuffer(bytes);
  if (!buffer.ok()) std::abort();
  RandomOffsets offsets(bytes);
  for (auto _ : state)
    if (file.Write(offsets.Next(), buffer->span()).information != bytes) state.SkipWithError("write");
}
BENCHMARK_REGISTER_F(CachedFile, NtWriteFile)->Arg(4096);

}  // namespace
