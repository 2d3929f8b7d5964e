// Block files, both engines: data, order, many requests, ends of file, refusals, threads that end early.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

#include "src/host/block_file_internal.h"
#include "src/host/host.h"

namespace host {
namespace {

/// Waits for a number of completions.
class Gather {
 public:
  static void Complete(void* context, Error error, size_t bytes) {
    auto* self = static_cast<Gather*>(context);
    if (error != 0) self->error_.store(error);
    self->bytes_.fetch_add(bytes);
    self->count_.fetch_add(1, std::memory_order_release);
    WakeAddress(&self->count_, 1);
  }
  void WaitFor(uint32_t count) {
    for (uint32_t now; (now = count_.load(std::memory_order_acquire)) < count;) WaitOnAddress(&count_, now, kForever);
  }
  Error error() const { return error_.load(); }
  size_t bytes() const { return bytes_.load(); }

 private:
  std::atomic<uint32_t> count_{0};
  std::atomic<Error> error_{0};
  std::atomic<size_t> bytes_{0};
};

class BlockFileTest : public testing::TestWithParam<BlockEngine> {
 protected:
  void SetUp() override {
    char path[] = "/tmp/ntio_block_file_XXXXXX";
    const int fd = mkstemp(path);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(0, ftruncate(fd, kSize));
    close(fd);
    path_ = path;
  }
  void TearDown() override { unlink(path_.c_str()); }

  std::unique_ptr<BlockFile> Open(BlockAccess access = BlockAccess::kReadWrite) {
    std::unique_ptr<BlockFile> file;
    const Error error = BlockFile::Open(path_, access, GetParam(), &file);
    if (GetParam() == BlockEngine::kIoUring && (error == EPERM || error == ENOSYS)) return nullptr;
    EXPECT_EQ(0, error);
    return file;
  }

  static constexpr size_t kSize = 8u << 20;
  std::string path_;
};

#define OPEN_OR_SKIP(file, ...) \
  auto file = Open(__VA_ARGS__); \
  if (!file) GTEST_SKIP() << "io_uring is forbidden here"

TEST_P(BlockFileTest, ReadsWhatWasWritten) {
  OPEN_OR_SKIP(file);
  EXPECT_EQ(GetParam(), file->engine());
  EXPECT_EQ(kSize, file->SizeBytes());
  std::vector<char> out(1 << 20), in(1 << 20, '!');
  for (size_t i = 0; i < out.size(); i++) out[i] = static_cast<char>(i * 7 + i / 4096);
  Gather gather;
  file->WriteAsync(4096, out.data(), out.size(), Gather::Complete, &gather);
  gather.WaitFor(1);
  file->FlushAsync(Gather::Complete, &gather);
  gather.WaitFor(2);
  file->ReadAsync(4096, in.data(), in.size(), Gather::Complete, &gather);
  gather.WaitFor(3);
  EXPECT_EQ(0, gather.error());
  EXPECT_EQ(out.size() * 2, gather.bytes());
  EXPECT_EQ(out, in);
}

TEST_P(BlockFileTest, TakesMoreRequestsThanTheRingHolds) {
  OPEN_OR_SKIP(file);
  constexpr uint32_t kRequests = 2000;
  std::vector<uint32_t> out(kRequests * 128), in(kRequests * 128);
  for (size_t i = 0; i < out.size(); i++) out[i] = static_cast<uint32_t>(i);
  Gather written, read;
  file->BeginBatch();
  for (uint32_t i = 0; i < kRequests; i++)
    file->WriteAsync(i * 512ull, &out[i * 128], 512, Gather::Complete, &written);
  file->EndBatch();
  written.WaitFor(kRequests);
  for (uint32_t i = 0; i < kRequests; i++) file->ReadAsync(i * 512ull, &in[i * 128], 512, Gather::Complete, &read);
  read.WaitFor(kRequests);
  EXPECT_EQ(0, written.error());
  EXPECT_EQ(0, read.error());
  EXPECT_EQ(out, in);
}

TEST_P(BlockFileTest, ServesSeveralThreads) {
  OPEN_OR_SKIP(file);
  constexpr uint32_t kThreads = 4, kEach = 200;
  std::vector<std::unique_ptr<Thread>> threads;
  for (uint32_t t = 0; t < kThreads; t++) {
    threads.push_back(Thread::Start("client", 256 * 1024, [&, t] {
      char buffer[512], back[512];
      for (uint32_t i = 0; i < kEach; i++) {
        std::memset(buffer, static_cast<int>(t * 50 + i), sizeof(buffer));
        const uint64_t offset = (uint64_t{t} * kEach + i) * 512;
        Gather gather;
        file->WriteAsync(offset, buffer, 512, Gather::Complete, &gather);
        gather.WaitFor(1);
        file->ReadAsync(offset, back, 512, Gather::Complete, &gather);
        gather.WaitFor(2);
        EXPECT_EQ(0, gather.error());
        EXPECT_EQ(0, std::memcmp(buffer, back, 512));
      }
    }));
  }
  threads.clear();
}

TEST_P(BlockFileTest, OutlivesTheThreadThatAsked) {
  OPEN_OR_SKIP(file);
  std::vector<char> data(4 << 20, 'z');
  Gather gather;
  for (uint32_t round = 0; round < 20; round++) {
    Thread::Start("brief", 64 * 1024, [&] {
      file->WriteAsync(0, data.data(), data.size(), Gather::Complete, &gather);
      file->FlushAsync(Gather::Complete, &gather);
    })->Join();
  }
  gather.WaitFor(40);
  EXPECT_EQ(0, gather.error());
  EXPECT_EQ(20 * data.size(), gather.bytes());
}

TEST_P(BlockFileTest, WaitsForRequestsBeforeItCloses) {
  Gather gather;
  std::vector<char> data(1 << 20, 'q');
  {
    OPEN_OR_SKIP(file);
    for (uint64_t i = 0; i < 8; i++) file->WriteAsync(i << 20, data.data(), data.size(), Gather::Complete, &gather);
  }
  EXPECT_EQ(8u << 20, gather.bytes());
}

TEST_P(BlockFileTest, ReadStopsAtTheEndOfTheFile) {
  OPEN_OR_SKIP(file);
  std::vector<char> data(8192);
  Gather gather;
  file->ReadAsync(kSize - 1000, data.data(), data.size(), Gather::Complete, &gather);
  gather.WaitFor(1);
  EXPECT_EQ(0, gather.error());
  EXPECT_EQ(1000u, gather.bytes());
}

TEST_P(BlockFileTest, WriteToAReadOnlyFile_Fails) {
  OPEN_OR_SKIP(file, BlockAccess::kReadOnly);
  char data[512] = {};
  Gather gather;
  file->WriteAsync(0, data, sizeof(data), Gather::Complete, &gather);
  gather.WaitFor(1);
  EXPECT_EQ(EBADF, gather.error());
  EXPECT_EQ(0u, gather.bytes());
}

TEST_P(BlockFileTest, BufferThatIsNotThere_FailsWithEfault) {
  OPEN_OR_SKIP(file);
  Gather gather;
  void* nowhere = ReserveMemory(0, kPageBytes);
  file->ReadAsync(0, nowhere, 512, Gather::Complete, &gather);
  gather.WaitFor(1);
  EXPECT_EQ(EFAULT, gather.error());
  ReleaseMemory(nowhere, kPageBytes);
}

TEST_P(BlockFileTest, WritePastTheFileSizeLimit_IsShortThenFails) {
  OPEN_OR_SKIP(file);
  // The limit stands in for a full disk: a write that crosses it is short, the continuation fails.
  rlimit old;
  ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit = {kSize + 4096, old.rlim_max};
  ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
  std::vector<char> data(16384, 'w');
  Gather gather;
  file->WriteAsync(kSize, data.data(), data.size(), Gather::Complete, &gather);
  gather.WaitFor(1);
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(EFBIG, gather.error());
  EXPECT_EQ(4096u, gather.bytes());
}

TEST_P(BlockFileTest, SecondWriterIsTurnedAway) {
  OPEN_OR_SKIP(file);
  std::unique_ptr<BlockFile> second;
  EXPECT_EQ(EBUSY, BlockFile::Open(path_, BlockAccess::kReadWrite, GetParam(), &second));
  EXPECT_EQ(EBUSY, BlockFile::Open(path_, BlockAccess::kReadOnly, GetParam(), &second));
  file.reset();
  auto reader = Open(BlockAccess::kReadOnly);
  EXPECT_EQ(0, BlockFile::Open(path_, BlockAccess::kReadOnly, GetParam(), &second));
}

TEST_P(BlockFileTest, WhatIsNoDisk_IsRefused) {
  std::unique_ptr<BlockFile> file;
  EXPECT_EQ(ENOENT, BlockFile::Open(path_ + ".none", BlockAccess::kReadOnly, GetParam(), &file));
  EXPECT_EQ(EISDIR, BlockFile::Open("/tmp", BlockAccess::kReadOnly, GetParam(), &file));
  EXPECT_EQ(ENOTBLK, BlockFile::Open("/dev/null", BlockAccess::kReadOnly, GetParam(), &file));
  EXPECT_FALSE(file);
}

INSTANTIATE_TEST_SUITE_P(Engines, BlockFileTest, testing::Values(BlockEngine::kIoUring, BlockEngine::kThreads),
                         [](const auto& info) {
                           return info.param == BlockEngine::kIoUring ? std::string("IoUring") : std::string("Threads");
                         });

TEST(BlockRequest, ContinuesShortTransfers_AndRepeatsWithdrawnOnes) {
  internal::BlockRequest request{.operation = internal::BlockOperation::kWrite, .completion = nullptr, .context = nullptr};
  request.bytes = 100;
  Error error = -1;
  EXPECT_FALSE(request.Advance(-EINTR, &error));
  EXPECT_FALSE(request.Advance(-ECANCELED, &error));
  EXPECT_FALSE(request.force_async);
  EXPECT_FALSE(request.Advance(-EAGAIN, &error));
  EXPECT_TRUE(request.force_async);
  EXPECT_FALSE(request.Advance(60, &error));
  EXPECT_EQ(60u, request.done);
  EXPECT_TRUE(request.Advance(-ENOSPC, &error));
  EXPECT_EQ(ENOSPC, error);
  EXPECT_TRUE(request.Advance(40, &error));
  EXPECT_EQ(0, error);
}

}  // namespace
}  // namespace host
