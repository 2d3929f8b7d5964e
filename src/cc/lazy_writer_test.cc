// The lazy writer's workers: volumes and files that do not hold each other up.
#include <chrono>

#include "src/cc/cache_map.h"
#include "src/cc/test_file_system.h"

namespace nt {
namespace {

class LazyWriter : public toy::Machine {
 protected:
  void Configure() override {
    cc_options.start_lazy_writer = true;
    cc_options.lazy_write_interval_ms = 5;
    ke::InitializeEvent(&gate, NotificationEvent, false);
  }
  /// Paging writes of the file wait for the gate.
  void Block(toy::File& file) {
    file.before = [this](bool write, uint64_t) {
      if (!write) return;
      blocked++;
      ke::WaitFor(&gate);
    };
  }
  FILE_OBJECT* Dirty(toy::File& file, DEVICE_OBJECT* volume = nullptr) {
    FILE_OBJECT* object = OpenCached(file, false, 0, volume);
    EXPECT_TRUE(Write(object, 0, 4096, page));
    return object;
  }
  template <class F>
  static bool Eventually(F&& condition) {
    for (int i = 0; i < 2000; i++) {
      if (condition()) return true;
      LARGE_INTEGER interval;
      interval.QuadPart = -10'000 * 5;
      ke::DelayExecutionThread(KernelMode, false, &interval).Ignore();
    }
    return false;
  }

  KEVENT gate;
  std::atomic<int> blocked{0};
  char page[4096] = {1};
};

TEST_F(LazyWriter, BlockedVolume_DoesNotStopAnother) {
  DEVICE_OBJECT* other = NewVolume();
  std::vector<FILE_OBJECT*> objects;
  for (int i = 0; i < 8; i++) {
    toy::File& file = NewFile(4096);
    Block(file);
    objects.push_back(Dirty(file));
  }
  ASSERT_TRUE(Eventually([&] { return blocked == 2; })) << "a volume has two workers";
  std::vector<toy::File*> files;
  for (int i = 0; i < 20; i++) {
    files.push_back(&NewFile(4096));
    objects.push_back(Dirty(*files.back(), other));
  }
  for (toy::File* file : files) EXPECT_TRUE(Eventually([&] { return file->writes == 1; }));
  EXPECT_EQ(blocked, 2);
  ke::SetEvent(&gate);
  EXPECT_TRUE(cc::WaitForCurrentLazyWriterActivity().ok());
  EXPECT_EQ(mm::CurrentMemoryUse().dirty_bytes, 0u) << "what was queued when the call came is written";
  for (FILE_OBJECT* object : objects) Close(object);
}

TEST_F(LazyWriter, BlockedFile_DoesNotStopAnotherOfItsVolume) {
  toy::File &first = NewFile(4096), &second = NewFile(4096);
  Block(first);
  FILE_OBJECT* one = Dirty(first);
  ASSERT_TRUE(Eventually([&] { return blocked == 1; }));
  FILE_OBJECT* two = Dirty(second);
  EXPECT_TRUE(Eventually([&] { return second.writes == 1; }));
  ke::SetEvent(&gate);
  Close(one);
  Close(two);
}

TEST_F(LazyWriter, MapThatWaitsForAWorker_MayGo) {
  std::vector<FILE_OBJECT*> objects;
  for (int i = 0; i < 2; i++) {
    toy::File& file = NewFile(4096);
    Block(file);
    objects.push_back(Dirty(file));
  }
  ASSERT_TRUE(Eventually([&] { return blocked == 2; }));
  // Queued behind the two; then its data is thrown away and its map awaited, as file systems do with locks held that
  // the two may want.
  toy::File& waiting = NewFile(4096);
  FILE_OBJECT* object = Dirty(waiting);
  LARGE_INTEGER pause;
  pause.QuadPart = -10'000 * 30;
  ke::DelayExecutionThread(KernelMode, false, &pause).Ignore();
  CACHE_UNINITIALIZE_EVENT gone{};
  ke::InitializeEvent(&gone.Event, NotificationEvent, false);
  LARGE_INTEGER nothing{}, timeout;
  timeout.QuadPart = -10'000'000ll * 20;
  cc::UninitializeCacheMap(object, &nothing, &gone);
  EXPECT_EQ(ke::WaitForSingleObject(&gone.Event, Executive, KernelMode, false, &timeout), STATUS_SUCCESS);
  EXPECT_EQ(waiting.writes, 0u);
  ob::DereferenceObject(object);
  ke::SetEvent(&gate);
  for (FILE_OBJECT* each : objects) Close(each);
}

class NoWorkers : public LazyWriter {
  void Configure() override {
    LazyWriter::Configure();
    cc_options.lazy_workers = 0;
  }
};

TEST_F(NoWorkers, MapThatIsDropped_LeavesTheQueue) {
  toy::File &dropped = NewFile(4096), &later = NewFile(4096);
  FILE_OBJECT* object = Dirty(dropped);
  const auto queued = [] {
    LockGuard guard(cc::g_state->lock);
    return !IsListEmpty(&cc::g_state->lazy_queue);
  };
  ASSERT_TRUE(Eventually(queued));
  cc::DropMapsOf(driver);
  EXPECT_FALSE(queued());
  EXPECT_FALSE(cc::IsWorkLeft(~0ull));
  cc::Options options = cc_options;
  options.lazy_workers = 1;
  cc::SetOptions(options);
  FILE_OBJECT* other = Dirty(later);
  EXPECT_TRUE(Eventually([&] { return later.writes == 1; }));
  EXPECT_EQ(dropped.writes, 0u);
  ob::DereferenceObject(object);
  Close(other);
}

class FlushAll : public LazyWriter {
  void Configure() override {
    LazyWriter::Configure();
    cc_options.start_lazy_writer = false;
  }
};

TEST_F(FlushAll, MapsThatAreNotAtHand_MayGo) {
  toy::File &first = NewFile(4096), &second = NewFile(4096);
  Block(first);
  FILE_OBJECT *one = Dirty(first), *two = OpenCached(second, false);
  std::thread flusher([] {
    ke::CallIntoMachine([] {
      ke::ServiceScope scope(nullptr, KernelMode);
      EXPECT_EQ(cc::FlushAll(), STATUS_SUCCESS);
    });
  });
  EXPECT_TRUE(Eventually([&] { return blocked == 1; }));
  CACHE_UNINITIALIZE_EVENT gone{};
  ke::InitializeEvent(&gone.Event, NotificationEvent, false);
  LARGE_INTEGER timeout;
  timeout.QuadPart = -10'000'000ll * 20;
  cc::UninitializeCacheMap(two, nullptr, &gone);
  EXPECT_EQ(ke::WaitForSingleObject(&gone.Event, Executive, KernelMode, false, &timeout), STATUS_SUCCESS);
  ke::SetEvent(&gate);
  flusher.join();
  ob::DereferenceObject(two);
  Close(one);
}

int g_posted;
VOID NTIO_MS_ABI Post(PVOID, PVOID) { g_posted++; }

TEST_F(FlushAll, DeferredWrite_OfAFileAtItsOwnLimitHoldsBackOnlyItself) {
  toy::File &full = NewFile(1 << 20), &other = NewFile(1 << 20);
  FILE_OBJECT *first = Dirty(full), *second = Dirty(other);
  cc::SetDirtyPageThreshold(first, 1);
  cc::SetDirtyPageThreshold(second, 1);
  g_posted = 0;
  cc::DeferWrite(first, Post, nullptr, nullptr, 8192, false);
  cc::DeferWrite(second, Post, nullptr, nullptr, 8192, false);
  EXPECT_EQ(g_posted, 0);
  EXPECT_EQ(Flush(other).Status, STATUS_SUCCESS);
  cc::SetAdditionalCacheAttributes(first, false, true);  // the lazy writer leaves it alone
  cc::RunLazyWriter();
  EXPECT_EQ(g_posted, 1);
  EXPECT_EQ(Flush(full).Status, STATUS_SUCCESS);
  cc::RunLazyWriter();
  EXPECT_EQ(g_posted, 2);
  Close(first);
  Close(second);
}

}  // namespace
}  // namespace nt
