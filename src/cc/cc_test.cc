// The cache manager over a toy file system.
#include <chrono>
#include <cstdlib>
#include <random>

#include "src/cc/test_file_system.h"
#include "src/mm/segment.h"

namespace nt {
namespace {

class Cache : public toy::Machine {
 protected:
  static std::vector<char> Pattern(uint64_t bytes, uint32_t seed = 1) {
    std::vector<char> result(bytes);
    std::mt19937 random(seed);
    for (auto& byte : result) byte = static_cast<char>(random());
    return result;
  }
};
class SmallCache : public Cache {
  void Configure() override { mm_options.cache_bytes = 2 << 20; }
};

uint32_t Seed() {
  if (const char* given = std::getenv("NTIO_TEST_SEED")) return static_cast<uint32_t>(std::strtoul(given, nullptr, 10));
  return std::random_device{}();
}

TEST_F(Cache, CopyRead_MissReadsOnceThenHits) {
  toy::File& file = NewFile(300 * 1024);
  file.disk = Pattern(300 * 1024);
  FILE_OBJECT* object = OpenCached(file);
  EXPECT_TRUE(cc::IsFileCached(object));
  std::vector<char> out(300 * 1024);
  EXPECT_TRUE(Read(object, 0, 300 * 1024, out.data()));
  EXPECT_EQ(out, file.disk);
  const uint32_t reads = file.reads;
  EXPECT_LE(reads, 3u);
  EXPECT_TRUE(Read(object, 1234, 100000, out.data()));
  EXPECT_EQ(0, std::memcmp(out.data(), file.disk.data() + 1234, 100000));
  EXPECT_EQ(file.reads, reads);
  Close(object);
}

TEST_F(Cache, CopyRead_WaitFalse_ReturnsFalseOnMiss) {
  toy::File& file = NewFile(600 * 1024);
  FILE_OBJECT* object = OpenCached(file);
  char byte = 'x';
  EXPECT_FALSE(Read(object, 5000, 1, &byte, false));
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(file.reads, 0u);
  EXPECT_TRUE(Read(object, 5000, 1, &byte));
  EXPECT_TRUE(Read(object, 5000, 1, &byte, false));
  std::vector<char> out(400 * 1024, 'y');
  EXPECT_FALSE(Read(object, 5000, 400 * 1024, out.data(), false));  // the first part is resident, the rest is not
  EXPECT_EQ(out[0], 'y');
  Close(object);
}

TEST_F(Cache, CopyRead_RaisesThePagingReadsStatus) {
  toy::File& file = NewFile(64 * 1024);
  file.fault = [](bool, uint64_t offset, uint32_t bytes) {
    return offset <= 8192 && offset + bytes > 8192 ? STATUS_DEVICE_DATA_ERROR : STATUS_SUCCESS;
  };
  FILE_OBJECT* object = OpenCached(file);
  std::vector<char> out(4096);
  EXPECT_EQ(Raised([&] { Read(object, 8192, 100, out.data()); }), STATUS_DEVICE_DATA_ERROR);
  EXPECT_TRUE(Read(object, 0, 4096, out.data()));  // the neighbour is not to suffer
  file.fault = nullptr;
  EXPECT_TRUE(Read(object, 8192, 100, out.data()));
  Close(object);
}

TEST_F(Cache, CopyRead_PendedPagingReads) {
  toy::File& file = NewFile(1 << 20);
  file.disk = Pattern(1 << 20);
  file.pend = true;
  FILE_OBJECT* object = OpenCached(file);
  Parallel(4, [&](int i) {
    std::vector<char> out(100000);
    for (int round = 0; round < 5; round++) {
      const uint64_t at = static_cast<uint64_t>(i) * 7919 + static_cast<uint64_t>(round) * 150000;
      EXPECT_TRUE(Read(object, at, 100000, out.data()));
      EXPECT_EQ(0, std::memcmp(out.data(), file.disk.data() + at, 100000));
    }
  });
  Close(object);
}

TEST_F(Cache, CopyRead_FaultOfTheBufferIsAnAccessViolation) {
  toy::File& file = NewFile(8192);
  FILE_OBJECT* object = OpenCached(file);
  EXPECT_EQ(Raised([&] { Read(object, 0, 100, reinterpret_cast<char*>(0x10)); }), STATUS_ACCESS_VIOLATION);
  EXPECT_EQ(Raised([&] { Write(object, 0, 100, reinterpret_cast<char*>(0x10)); }), STATUS_ACCESS_VIOLATION);
  char byte;
  EXPECT_TRUE(Read(object, 0, 1, &byte));
  Close(object);
}

TEST_F(Cache, CopyWrite_ReachesTheFileByFlush) {
  toy::File& file = NewFile(100000);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(5000);
  EXPECT_TRUE(Write(object, 3000, 5000, data.data()));
  EXPECT_EQ(file.writes, 0u);
  EXPECT_TRUE(cc::IsThereDirtyData(object->Vpb));
  const IO_STATUS_BLOCK iosb = Flush(file);
  EXPECT_EQ(iosb.Status, STATUS_SUCCESS);
  EXPECT_EQ(iosb.Information, 8192u);
  EXPECT_EQ(0, std::memcmp(file.disk.data() + 3000, data.data(), 5000));
  EXPECT_FALSE(cc::IsThereDirtyData(object->Vpb));
  EXPECT_EQ(Flush(file).Information, 0u);
  Close(object);
}

TEST_F(Cache, CopyWrite_WholePagesAreNotRead) {
  toy::File& file = NewFile(1 << 20);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(512 * 1024);
  EXPECT_TRUE(Write(object, 128 * 1024, 512 * 1024, data.data()));
  EXPECT_EQ(file.reads, 0u);
  EXPECT_TRUE(Write(object, 700 * 1024 + 1, 10, data.data()));
  EXPECT_EQ(file.reads, 1u);
  Close(object);
}

TEST_F(Cache, CopyWrite_WaitFalse_FailsWhereAPageMustBeRead) {
  toy::File& file = NewFile(1 << 20);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(8192);
  EXPECT_FALSE(Write(object, 100, 10, data.data(), false));
  EXPECT_TRUE(Write(object, 4096, 8192, data.data(), false));
  EXPECT_TRUE(Write(object, 5000, 100, data.data(), false));
  Close(object);
  FILE_OBJECT* through = OpenCached(file, true, FO_WRITE_THROUGH);
  EXPECT_FALSE(Write(through, 4096, 4096, data.data(), false));
  EXPECT_TRUE(Write(through, 4096, 4096, data.data(), true));
  EXPECT_EQ(0, std::memcmp(file.disk.data() + 4096, data.data(), 4096));
  Close(through);
}

TEST_F(Cache, CopyWrite_FaultPartWayKeepsOldData) {
  toy::File& file = NewFile(64 * 1024);
  file.disk = Pattern(64 * 1024, 3);
  const auto before = file.disk;
  FILE_OBJECT* object = OpenCached(file);
  auto* buffer = static_cast<char*>(mm::UserArena::Allocate(4096));
  // The second page of the source is not there.
  void* base = nullptr;
  SIZE_T bytes = 4096;
  ASSERT_TRUE(mm::NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE).ok());
  std::memset(base, 'n', 4096);
  EXPECT_EQ(Raised([&] { Write(object, 8192, 8192, static_cast<char*>(base)); }), STATUS_ACCESS_VIOLATION);
  std::vector<char> out(64 * 1024);
  EXPECT_TRUE(Read(object, 0, 64 * 1024, out.data()));
  EXPECT_EQ(out[8192], 'n');
  EXPECT_EQ(0, std::memcmp(out.data() + 12288, before.data() + 12288, 64 * 1024 - 12288));
  bytes = 0;
  EXPECT_TRUE(mm::NtFreeVirtualMemory(NtCurrentProcess(), &base, &bytes, MEM_RELEASE).ok());
  mm::UserArena::Free(buffer, 4096);
  Close(object);
}

TEST_F(Cache, RandomOperationsAgreeWithAModel) {
  const uint32_t seed = Seed();
  SCOPED_TRACE("NTIO_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr uint64_t kBytes = 3 << 20;
  toy::File& file = NewFile(kBytes);
  file.disk = Pattern(kBytes, seed);
  std::vector<char> model = file.disk;
  FILE_OBJECT* object = OpenCached(file);
  std::vector<char> buffer(600 * 1024);
  for (int step = 0; step < 600; step++) {
    const uint64_t at = random() % kBytes;
    const auto bytes = static_cast<uint32_t>(std::min<uint64_t>(1 + random() % (random() % 8 ? 9000 : 600 * 1024), kBytes - at));
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        ASSERT_TRUE(Read(object, at, bytes, buffer.data()));
        ASSERT_EQ(0, std::memcmp(buffer.data(), model.data() + at, bytes)) << step;
        break;
      case 3:
      case 4:
        for (uint32_t i = 0; i < bytes; i++) buffer[i] = static_cast<char>(random());
        ASSERT_TRUE(Write(object, at, bytes, buffer.data()));
        std::memcpy(model.data() + at, buffer.data(), bytes);
        break;
      case 5: {
        LARGE_INTEGER offset = At(at);
        IO_STATUS_BLOCK iosb = {};
        cc::FlushCache(&file.pointers, &offset, bytes, &iosb);
        ASSERT_EQ(iosb.Status, STATUS_SUCCESS);
        ASSERT_EQ(0, std::memcmp(file.disk.data() + at, model.data() + at, bytes)) << step;
        break;
      }
      case 6: {
        LARGE_INTEGER offset = At(at);
        IO_STATUS_BLOCK iosb = {};
        cc::CoherencyFlushAndPurgeCache(&file.pointers, &offset, bytes, &iosb, 0);
        ASSERT_EQ(iosb.Status, STATUS_SUCCESS);
        break;
      }
      default: {
        const auto length = std::min<uint32_t>(bytes, 0x40000 - (at & 0x3FFFF));
        LARGE_INTEGER offset = At(at);
        void* bcb;
        void* memory;
        ASSERT_TRUE(cc::PinRead(object, &offset, length, PIN_WAIT | (random() % 2 ? PIN_EXCLUSIVE : 0), &bcb, &memory));
        ASSERT_EQ(0, std::memcmp(memory, model.data() + at, length)) << step;
        for (uint32_t i = 0; i < length; i += 97) static_cast<char*>(memory)[i] = model[at + i] = static_cast<char>(random());
        cc::SetDirtyPinnedData(bcb, nullptr);
        cc::UnpinData(bcb);
        break;
      }
    }
  }
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  EXPECT_TRUE(file.disk == model);
  Close(object);
}

TEST_F(SmallCache, EvictionUnderConcurrentReaders) {
  constexpr uint64_t kBytes = 8 << 20;
  toy::File& file = NewFile(kBytes);
  file.disk = Pattern(kBytes);
  FILE_OBJECT* object = OpenCached(file);
  const uint32_t seed = Seed();
  SCOPED_TRACE("NTIO_TEST_SEED=" + std::to_string(seed));
  Parallel(4, [&](int i) {
    std::mt19937 random(seed + static_cast<uint32_t>(i));
    std::vector<char> out(20000);
    for (int step = 0; step < 400; step++) {
      const uint64_t at = random() % (kBytes - 20000);
      ASSERT_TRUE(Read(object, at, 20000, out.data()));
      ASSERT_EQ(0, std::memcmp(out.data(), file.disk.data() + at, 20000));
    }
  });
  EXPECT_LE(mm::CurrentMemoryUse().cache_bytes, 3u << 20);
  Close(object);
}

TEST_F(SmallCache, WritersAndReadersUnderPressure) {
  constexpr uint64_t kBytes = 6 << 20;
  toy::File& file = NewFile(kBytes);
  FILE_OBJECT* object = OpenCached(file);
  std::atomic<bool> done{false};
  std::thread cleaner([&] {
    ke::CallIntoMachine([&] {
      ke::ServiceScope scope(nullptr, KernelMode);
      while (!done) cc::RunLazyWriter(true);
    });
  });
  // Each thread owns every fourth 12 KiB stripe, and checks what it wrote.
  Parallel(4, [&](int i) {
    std::mt19937 random(static_cast<uint32_t>(i) + 77);
    constexpr uint32_t kStripe = 12 * 1024;
    std::vector<char> model(kBytes, 0), out(kStripe);
    for (int step = 0; step < 300; step++) {
      const uint64_t stripe = random() % (kBytes / kStripe / 4) * 4 + static_cast<uint64_t>(i);
      const uint64_t at = stripe * kStripe;
      ASSERT_TRUE(Read(object, at, kStripe, out.data()));
      ASSERT_EQ(0, std::memcmp(out.data(), model.data() + at, kStripe));
      const uint32_t from = random() % kStripe, bytes = 1 + random() % (kStripe - from);
      for (uint32_t b = 0; b < bytes; b++) model[at + from + b] = static_cast<char>(random());
      ASSERT_TRUE(Write(object, at + from, bytes, model.data() + at + from));
    }
  });
  done = true;
  cleaner.join();
  Close(object);
}

TEST_F(Cache, Truncate_DropsPagesAndZeroesTheTail) {
  toy::File& file = NewFile(100000);
  file.disk = Pattern(100000);
  FILE_OBJECT* object = OpenCached(file);
  std::vector<char> out(100000);
  EXPECT_TRUE(Read(object, 0, 100000, out.data()));
  const auto data = Pattern(20000, 9);
  EXPECT_TRUE(Write(object, 60000, 20000, data.data()));
  file.disk.resize(5000);
  file.SetSizes(5000);
  CC_FILE_SIZES sizes = file.Sizes();
  cc::SetFileSizes(object, &sizes);
  ULONG dirty = 0;
  EXPECT_TRUE(cc::IsThereDirtyDataEx(object->Vpb, &dirty));
  EXPECT_EQ(dirty, 1u);  // the page of the new end: its zeros are to reach the disk
  file.disk.resize(50000, 'z');
  std::memset(file.disk.data() + 5000, 0, 45000);
  file.SetSizes(50000);
  sizes = file.Sizes();
  cc::SetFileSizes(object, &sizes);
  EXPECT_TRUE(Read(object, 4000, 10000, out.data()));
  for (int i = 1000; i < 10000; i++) ASSERT_EQ(out[i], 0) << i;
  Close(object);
}

TEST_F(Cache, Uninitialize_DirtyMapGoesByTheLazyWriterThenCloses) {
  toy::File& file = NewFile(8192);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(8192);
  EXPECT_TRUE(Write(object, 0, 8192, data.data()));
  CACHE_UNINITIALIZE_EVENT event;
  ke::InitializeEvent(&event.Event, NotificationEvent, false);
  EXPECT_FALSE(cc::UninitializeCacheMap(object, nullptr, &event));
  ob::DereferenceObject(object);
  EXPECT_EQ(ke::ReadStateEvent(&event.Event), 0);
  EXPECT_EQ(file.closes, 0u);
  EXPECT_NE(file.pointers.SharedCacheMap, nullptr);
  EXPECT_EQ(cc::RunLazyWriter(), 2u);
  EXPECT_NE(ke::ReadStateEvent(&event.Event), 0);
  EXPECT_EQ(file.pointers.SharedCacheMap, nullptr);
  EXPECT_EQ(file.disk, data);
  EXPECT_EQ(file.closes, 0u);  // its pages are still in memory
  EXPECT_TRUE(mm::ForceSectionClosed(&file.pointers, false));
  EXPECT_EQ(file.closes, 1u);
  EXPECT_EQ(file.pointers.DataSectionObject, nullptr);
}

TEST_F(Cache, DropMapsOf_TakesOpenDirtyAndPinnedStreams) {
  toy::File& file = NewFile(256 * 1024);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(8192);
  EXPECT_TRUE(Write(object, 0, 8192, data.data()));
  LARGE_INTEGER at = At(16384);
  void *bcb, *mapped, *buffer;
  EXPECT_TRUE(cc::PinRead(object, &at, 4096, PIN_WAIT, &bcb, &buffer));
  cc::SetDirtyPinnedData(bcb, nullptr);
  at = At(65536);
  EXPECT_TRUE(cc::MapData(object, &at, 4096, MAP_WAIT, &mapped, &buffer));
  CACHE_UNINITIALIZE_EVENT event;
  ke::InitializeEvent(&event.Event, NotificationEvent, false);
  cc::DropMapsOf(driver);
  EXPECT_EQ(file.pointers.SharedCacheMap, nullptr);
  EXPECT_EQ(file.pointers.DataSectionObject, nullptr);
  EXPECT_EQ(object->PrivateCacheMap, nullptr);
  EXPECT_EQ(file.writes, 0u) << "the driver is not asked any more";
  EXPECT_TRUE(cc::UninitializeCacheMap(object, nullptr, &event)) << "as if it had never been cached";
  ob::DereferenceObject(object);
  EXPECT_EQ(file.closes, 1u);
}

TEST_F(Cache, Uninitialize_NeverCachedFileObject) {
  toy::File& file = NewFile(4096);
  FILE_OBJECT* object = Open(file);
  CACHE_UNINITIALIZE_EVENT event;
  ke::InitializeEvent(&event.Event, NotificationEvent, false);
  EXPECT_TRUE(cc::UninitializeCacheMap(object, nullptr, &event));
  EXPECT_NE(ke::ReadStateEvent(&event.Event), 0);
  ob::DereferenceObject(object);
  EXPECT_EQ(file.closes, 1u);
}

TEST_F(Cache, Uninitialize_TruncateSizeDiscards) {
  toy::File& file = NewFile(8192);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(8192);
  EXPECT_TRUE(Write(object, 0, 8192, data.data()));
  LARGE_INTEGER zero = At(0);
  EXPECT_TRUE(cc::UninitializeCacheMap(object, &zero, nullptr));
  ob::DereferenceObject(object);
  EXPECT_EQ(file.writes, 0u);
  EXPECT_EQ(file.closes, 1u);
}

TEST_F(Cache, Reopen_FindsThePagesStillThere) {
  toy::File& file = NewFile(8192);
  file.disk = Pattern(8192);
  FILE_OBJECT* object = OpenCached(file);
  std::vector<char> out(8192);
  EXPECT_TRUE(Read(object, 0, 8192, out.data()));
  Close(object);
  const uint32_t reads = file.reads;
  object = OpenCached(file);
  EXPECT_TRUE(Read(object, 0, 8192, out.data(), false));
  EXPECT_EQ(out, file.disk);
  EXPECT_EQ(file.reads, reads);
  Close(object);
}

TEST_F(Cache, LazyWriter_AdvancesValidDataAndHonoursRefusal) {
  toy::File& file = NewFile(0);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(20000);
  file.disk.resize(20000);
  file.header.FileSize.QuadPart = 20000;
  file.header.AllocationSize.QuadPart = 20480;
  CC_FILE_SIZES sizes = file.Sizes();
  cc::SetFileSizes(object, &sizes);
  EXPECT_TRUE(Write(object, 0, 20000, data.data()));
  EXPECT_EQ(file.reads, 0u);  // beyond valid data nothing is read
  file.refuse_lazy = true;
  EXPECT_EQ(cc::RunLazyWriter(), 0u);
  file.refuse_lazy = false;
  EXPECT_EQ(cc::RunLazyWriter(), 5u);
  EXPECT_EQ(file.disk, data);
  EXPECT_EQ(file.advanced_to, 20000);
  EXPECT_EQ(io::GetTopLevelIrp(), nullptr);
  Close(object);
}

TEST_F(Cache, LazyWriter_SkipsTemporaryFiles) {
  toy::File& file = NewFile(8192);
  FILE_OBJECT* object = OpenCached(file, true, FO_TEMPORARY_FILE);
  const auto data = Pattern(8192);
  EXPECT_TRUE(Write(object, 0, 8192, data.data()));
  EXPECT_EQ(cc::RunLazyWriter(), 0u);
  EXPECT_FALSE(cc::IsThereDirtyData(object->Vpb));
  Close(object);
}

TEST_F(Cache, LazyWriter_FailedWriteIsLostAndDoesNotComeBack) {
  toy::File& file = NewFile(8192);
  FILE_OBJECT* object = OpenCached(file);
  file.fault = [](bool write, uint64_t, uint32_t) { return write ? STATUS_DEVICE_DATA_ERROR : STATUS_SUCCESS; };
  const auto data = Pattern(4096);
  EXPECT_TRUE(Write(object, 0, 4096, data.data()));
  EXPECT_EQ(cc::RunLazyWriter(), 0u);
  EXPECT_FALSE(cc::IsThereDirtyData(object->Vpb));
  file.fault = nullptr;
  Close(object);
}

TEST_F(Cache, Flush_FailureIsReportedAndDataStaysDirty) {
  toy::File& file = NewFile(8192);
  FILE_OBJECT* object = OpenCached(file);
  file.fault = [](bool write, uint64_t, uint32_t) { return write ? STATUS_DISK_FULL : STATUS_SUCCESS; };
  const auto data = Pattern(4096);
  EXPECT_TRUE(Write(object, 0, 4096, data.data()));
  EXPECT_EQ(Flush(file).Status, STATUS_DISK_FULL);
  EXPECT_TRUE(cc::IsThereDirtyData(object->Vpb));
  file.fault = nullptr;
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  Close(object);
}

TEST_F(Cache, MapThenPinMapped_OneUnpinSuffices) {
  toy::File& file = NewFile(1 << 20);
  file.disk = Pattern(1 << 20);
  FILE_OBJECT* object = OpenCached(file, false);
  LARGE_INTEGER offset = At(300 * 1024);
  void* bcb;
  void* memory;
  ASSERT_FALSE(cc::MapData(object, &offset, 512, 0, &bcb, &memory));
  ASSERT_TRUE(cc::MapData(object, &offset, 512, MAP_WAIT, &bcb, &memory));
  EXPECT_EQ(0, std::memcmp(memory, file.disk.data() + 300 * 1024, 512));
  EXPECT_EQ(cc::GetFileObjectFromBcb(bcb), object);
  EXPECT_FALSE(cc::PurgeCacheSection(&file.pointers, nullptr, 0, 0));  // mapped ranges block purge
  ASSERT_TRUE(cc::PinMappedData(object, &offset, 512, PIN_WAIT, &bcb));
  std::memset(memory, 'p', 512);
  cc::SetDirtyPinnedData(bcb, nullptr);
  EXPECT_EQ(cc::RunLazyWriter(true), 1u);  // pinned by this thread itself
  cc::UnpinData(bcb);
  EXPECT_EQ(file.disk[300 * 1024 + 511], 'p');
  EXPECT_TRUE(cc::PurgeCacheSection(&file.pointers, nullptr, 0, 0));
  Close(object);
}

TEST_F(Cache, PinnedDirtyDataIsWrittenAfterUnpinOnly) {
  toy::File& file = NewFile(1 << 20);
  FILE_OBJECT* object = OpenCached(file, false);
  KEVENT pinned, release;
  ke::InitializeEvent(&pinned, NotificationEvent, false);
  ke::InitializeEvent(&release, NotificationEvent, false);
  std::thread holder([&] {
    ke::CallIntoMachine([&] {
      ke::ServiceScope scope(nullptr, KernelMode);
      LARGE_INTEGER offset = At(4096);
      void* bcb;
      void* memory;
      ASSERT_TRUE(cc::PinRead(object, &offset, 4096, PIN_WAIT, &bcb, &memory));
      static_cast<char*>(memory)[0] = 1;
      cc::SetDirtyPinnedData(bcb, nullptr);
      ke::SetEvent(&pinned);
      ke::WaitFor(&release);
      static_cast<char*>(memory)[0] = 2;
      cc::UnpinData(bcb);
    });
  });
  ke::WaitFor(&pinned);
  EXPECT_EQ(cc::RunLazyWriter(true), 0u);
  EXPECT_EQ(file.writes, 0u);
  ke::SetEvent(&release);
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);  // waits for the pin
  holder.join();
  Flush(file);
  EXPECT_EQ(file.disk[4096], 2);
  Close(object);
}

TEST_F(Cache, OverlappingPinsShareTheirParts) {
  toy::File& file = NewFile(1 << 20);
  FILE_OBJECT* object = OpenCached(file, false);
  LARGE_INTEGER a = At(4096), b = At(0);
  void *bcb_a, *bcb_b, *memory_a, *memory_b;
  ASSERT_TRUE(cc::PinRead(object, &a, 8192, PIN_WAIT, &bcb_a, &memory_a));
  ASSERT_TRUE(cc::PinRead(object, &b, 20000, PIN_WAIT, &bcb_b, &memory_b));
  EXPECT_EQ(static_cast<char*>(memory_b) + 4096, memory_a);
  std::memset(memory_b, 'o', 20000);
  cc::RepinBcb(bcb_b);
  cc::SetDirtyPinnedData(bcb_b, nullptr);
  cc::UnpinData(bcb_a);
  cc::UnpinData(bcb_b);
  IO_STATUS_BLOCK iosb;
  cc::UnpinRepinnedBcb(bcb_b, true, &iosb);
  EXPECT_EQ(iosb.Status, STATUS_SUCCESS);
  EXPECT_EQ(file.disk[0], 'o');
  EXPECT_EQ(file.disk[19999], 'o');
  EXPECT_EQ(file.disk[20000], 0);
  Close(object);
}

TEST_F(Cache, BcbOwnerPointer_UnpinnedByAnotherThread) {
  toy::File& file = NewFile(64 * 1024);
  FILE_OBJECT* object = OpenCached(file, false);
  LARGE_INTEGER at = At(0);
  void *bcb, *memory;
  ASSERT_TRUE(cc::PinRead(object, &at, 512, PIN_WAIT | PIN_EXCLUSIVE, &bcb, &memory));
  alignas(8) static int owner;
  const auto owner_value = reinterpret_cast<ERESOURCE_THREAD>(&owner) | 3;
  cc::SetBcbOwnerPointer(bcb, reinterpret_cast<void*>(owner_value));
  Parallel(1, [&](int) { cc::UnpinDataForThread(bcb, owner_value); });
  Close(object);
}

TEST_F(Cache, PreparePinWrite_ZeroesWithoutReading) {
  toy::File& file = NewFile(1 << 20);
  file.disk = Pattern(1 << 20);
  FILE_OBJECT* object = OpenCached(file, false);
  LARGE_INTEGER at = At(8192);
  void *bcb, *memory;
  ASSERT_TRUE(cc::PreparePinWrite(object, &at, 8192, true, PIN_WAIT, &bcb, &memory));
  EXPECT_EQ(file.reads, 0u);
  cc::UnpinData(bcb);
  EXPECT_EQ(Flush(file).Information, 8192u);
  for (int i = 8192; i < 16384; i++) ASSERT_EQ(file.disk[i], 0);
  Close(object);
}

TEST_F(Cache, PinFlags_NoReadAndIfBcb) {
  toy::File& file = NewFile(1 << 20);
  FILE_OBJECT* object = OpenCached(file, false);
  LARGE_INTEGER at = At(0);
  void *bcb, *other, *memory;
  EXPECT_FALSE(cc::PinRead(object, &at, 512, PIN_WAIT | PIN_NO_READ, &bcb, &memory));
  EXPECT_FALSE(cc::PinRead(object, &at, 512, PIN_WAIT | PIN_IF_BCB, &bcb, &memory));
  ASSERT_TRUE(cc::PinRead(object, &at, 512, PIN_WAIT, &bcb, &memory));
  ASSERT_TRUE(cc::PinRead(object, &at, 512, PIN_WAIT | PIN_IF_BCB, &other, &memory));
  cc::UnpinData(other);
  cc::UnpinData(bcb);
  EXPECT_FALSE(cc::PinRead(object, &at, 512, PIN_WAIT | PIN_IF_BCB, &bcb, &memory));
  EXPECT_TRUE(cc::PinRead(object, &at, 512, PIN_WAIT | PIN_NO_READ, &bcb, &memory));
  cc::UnpinData(bcb);
  Close(object);
}

TEST_F(Cache, PinIfBcb_FindsADirtyRangeUntilItIsWritten) {
  toy::File& file = NewFile(1 << 20);
  FILE_OBJECT* object = OpenCached(file, false);
  LARGE_INTEGER at = At(0);
  void *bcb, *memory;
  ASSERT_TRUE(cc::PinRead(object, &at, 512, PIN_WAIT, &bcb, &memory));
  std::memset(memory, 0x5A, 512);
  cc::SetDirtyPinnedData(bcb, nullptr);
  cc::UnpinData(bcb);
  // As FASTFAT flushes its allocation table.
  ASSERT_TRUE(cc::PinRead(object, &at, PAGE_SIZE, PIN_WAIT | PIN_IF_BCB, &bcb, &memory));
  cc::SetDirtyPinnedData(bcb, nullptr);
  cc::RepinBcb(bcb);
  cc::UnpinData(bcb);
  IO_STATUS_BLOCK iosb;
  cc::UnpinRepinnedBcb(bcb, true, &iosb);
  EXPECT_EQ(iosb.Status, STATUS_SUCCESS);
  EXPECT_EQ(file.disk[0], 0x5A);
  EXPECT_FALSE(cc::PinRead(object, &at, PAGE_SIZE, PIN_WAIT | PIN_IF_BCB, &bcb, &memory));
  Close(object);
}

VOID NTIO_MS_ABI FlushToLsn(PVOID handle, LARGE_INTEGER lsn) { *static_cast<LONGLONG*>(handle) = lsn.QuadPart; }
VOID NTIO_MS_ABI CountDirty(PFILE_OBJECT, PLARGE_INTEGER, ULONG length, PLARGE_INTEGER, PLARGE_INTEGER newest, PVOID count, PVOID) {
  *static_cast<uint64_t*>(count) += length;
  EXPECT_EQ(newest->QuadPart, 500);
}

TEST_F(Cache, LogIsFlushedToTheHighestLsnFirst) {
  toy::File& file = NewFile(64 * 1024);
  FILE_OBJECT* object = OpenCached(file, false);
  LONGLONG flushed = 0;
  cc::SetLogHandleForFile(object, &flushed, FlushToLsn);
  LARGE_INTEGER at = At(0), low = At(300), high = At(500);
  void *bcb, *memory;
  ASSERT_TRUE(cc::PinRead(object, &at, 512, PIN_WAIT, &bcb, &memory));
  cc::SetDirtyPinnedData(bcb, &high);
  cc::SetDirtyPinnedData(bcb, &low);
  cc::UnpinData(bcb);
  uint64_t dirty = 0;
  EXPECT_EQ(cc::GetDirtyPages(&flushed, CountDirty, &dirty, nullptr).QuadPart, 300);
  EXPECT_EQ(dirty, 4096u);
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  EXPECT_EQ(flushed, 500);
  dirty = 0;
  EXPECT_EQ(cc::GetDirtyPages(&flushed, CountDirty, &dirty, nullptr).QuadPart, 0);
  EXPECT_EQ(dirty, 0u);
  Close(object);
}

TEST_F(Cache, MdlReadAndWrite) {
  toy::File& file = NewFile(1 << 20);
  file.disk = Pattern(1 << 20);
  FILE_OBJECT* object = OpenCached(file);
  LARGE_INTEGER at = At(250000);
  MDL* chain = nullptr;
  IO_STATUS_BLOCK iosb = {};
  cc::MdlRead(object, &at, 30000, &chain, &iosb);
  EXPECT_EQ(iosb.Information, 30000u);
  uint64_t offset = 250000;
  for (MDL* mdl = chain; mdl; mdl = mdl->Next) {
    EXPECT_EQ(0, std::memcmp(mm::GetSystemAddressForMdl(mdl), file.disk.data() + offset, mdl->ByteCount));
    offset += mdl->ByteCount;
  }
  EXPECT_EQ(offset, 280000u);
  cc::MdlReadComplete(object, chain);
  chain = nullptr;
  cc::PrepareMdlWrite(object, &at, 30000, &chain, &iosb);
  for (MDL* mdl = chain; mdl; mdl = mdl->Next) std::memset(mm::GetSystemAddressForMdl(mdl), 'm', mdl->ByteCount);
  cc::MdlWriteComplete(object, &at, chain);
  const char before = file.disk[249999], after = file.disk[280000];
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  EXPECT_EQ(file.disk[250000], 'm');
  EXPECT_EQ(file.disk[279999], 'm');
  EXPECT_EQ(file.disk[249999], before);
  EXPECT_EQ(file.disk[280000], after);
  Close(object);
}

TEST_F(Cache, ZeroData_CachedAndUncached) {
  toy::File& file = NewFile(1 << 20);
  std::memset(file.disk.data(), 'z', file.disk.size());
  FILE_OBJECT* object = OpenCached(file);
  LARGE_INTEGER from = At(1000), to = At(500000);
  EXPECT_TRUE(cc::ZeroData(object, &from, &to, true));
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  EXPECT_EQ(file.disk[999], 'z');
  for (int i = 1000; i < 500000; i++) ASSERT_EQ(file.disk[i], 0);
  EXPECT_EQ(file.disk[500000], 'z');
  Close(object);
  toy::File& other = NewFile(1 << 20);
  std::memset(other.disk.data(), 'z', other.disk.size());
  FILE_OBJECT* uncached = Open(other);
  from = At(512);
  to = At(512 * 300);
  EXPECT_FALSE(cc::ZeroData(uncached, &from, &to, false));
  EXPECT_TRUE(cc::ZeroData(uncached, &from, &to, true));
  EXPECT_EQ(other.disk[511], 'z');
  for (int i = 512; i < 512 * 300; i++) ASSERT_EQ(other.disk[i], 0);
  EXPECT_EQ(other.disk[512 * 300], 'z');
  ob::DereferenceObject(uncached);
}

TEST_F(Cache, Purge_UninitializesCacheMaps) {
  toy::File& file = NewFile(64 * 1024);
  FILE_OBJECT* object = OpenCached(file);
  FILE_OBJECT* second = OpenCached(file);
  char byte;
  Read(object, 0, 1, &byte);
  EXPECT_TRUE(cc::PurgeCacheSection(&file.pointers, nullptr, 0, UNINITIALIZE_CACHE_MAPS));
  EXPECT_EQ(object->PrivateCacheMap, nullptr);
  EXPECT_EQ(second->PrivateCacheMap, nullptr);
  EXPECT_EQ(file.pointers.SharedCacheMap, nullptr);
  Close(object);
  Close(second);
  EXPECT_EQ(file.closes, 2u);
}

TEST_F(Cache, Purge_ThatClosesTheFileObject_LeavesItsPointersAlone) {
  toy::File& file = NewFile(64 * 1024);
  FILE_OBJECT* object = OpenCached(file);
  char byte;
  Read(object, 0, 1, &byte);
  Close(object);
  ASSERT_EQ(file.closes, 0u);  // the pages keep the file object
  file.gone_at_close = true;   // FASTFAT deletes the Fcb then, with the pointers in it
  EXPECT_TRUE(cc::PurgeCacheSection(&file.pointers, nullptr, 0, 0));
  EXPECT_EQ(file.closes, 1u);
}

std::atomic<int> g_posted{0};
VOID NTIO_MS_ABI Post(PVOID, PVOID) { g_posted++; }

TEST_F(Cache, Throttling_DefersUntilTheLazyWriterHasWritten) {
  cc::Options options = cc_options;
  options.dirty_threshold_bytes = 256 * 1024;
  cc::SetOptions(options);
  toy::File& file = NewFile(4 << 20);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(256 * 1024);
  EXPECT_TRUE(cc::CanIWrite(object, 256 * 1024, false, false));
  EXPECT_TRUE(Write(object, 0, 256 * 1024, data.data()));
  EXPECT_FALSE(cc::CanIWrite(object, 4096, false, false));
  g_posted = 0;
  cc::DeferWrite(object, Post, nullptr, nullptr, 4096, false);
  EXPECT_EQ(g_posted, 0);
  cc::RunLazyWriter(true);
  EXPECT_EQ(g_posted, 1);
  EXPECT_TRUE(cc::CanIWrite(object, 4096, false, false));
  cc::DeferWrite(object, Post, nullptr, nullptr, 4096, false);
  EXPECT_EQ(g_posted, 2);  // at once
  cc::SetDirtyPageThreshold(object, 2);
  EXPECT_TRUE(Write(object, 0, 8192, data.data()));
  EXPECT_FALSE(cc::CanIWrite(object, 4096, false, false));
  cc::SetDirtyPageThreshold(object, 0);
  EXPECT_TRUE(cc::CanIWrite(object, 4096, false, false));
  Close(object);
}

TEST_F(Cache, ReadAhead_SequentialReaderFindsPagesThere) {
  toy::File& file = NewFile(4 << 20);
  file.disk = Pattern(4 << 20);
  FILE_OBJECT* object = OpenCached(file);
  std::vector<char> out(16384);
  for (uint64_t at = 0; at < 10 * 16384; at += 16384) EXPECT_TRUE(Read(object, at, 16384, out.data()));
  for (int i = 0; i < 200 && !file.ahead_acquires; i++) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_GT(file.ahead_acquires, 0u);
  Close(object);
}

class LazyCache : public Cache {
  void Configure() override {
    cc_options.start_lazy_writer = true;
    cc_options.lazy_write_interval_ms = 20;
    cc_options.dirty_threshold_bytes = 512 * 1024;
    mm_options.writer_interval_ms = 20;
  }
};

TEST_F(LazyCache, WritersThatWaitAreLetThrough) {
  toy::File& file = NewFile(8 << 20);
  FILE_OBJECT* object = OpenCached(file);
  const auto data = Pattern(8 << 20);
  for (uint64_t at = 0; at < data.size(); at += 128 * 1024) {
    EXPECT_TRUE(cc::CanIWrite(object, 128 * 1024, true, false));
    EXPECT_TRUE(Write(object, at, 128 * 1024, data.data() + at));
  }
  EXPECT_TRUE(cc::WaitForCurrentLazyWriterActivity().ok());
  Close(object);
  for (int i = 0; i < 400 && __atomic_load_n(&file.pointers.SharedCacheMap, __ATOMIC_ACQUIRE); i++)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(file.pointers.SharedCacheMap, nullptr);
  EXPECT_EQ(file.disk, data);
}

TEST_F(Cache, ConcurrentOpenAndClose) {
  toy::File& file = NewFile(64 * 1024);
  file.disk = Pattern(64 * 1024);
  Parallel(4, [&](int i) {
    std::vector<char> out(4096);
    for (int round = 0; round < 100; round++) {
      FILE_OBJECT* object = OpenCached(file);
      EXPECT_TRUE(Read(object, static_cast<uint64_t>(i) * 4096, 4096, out.data()));
      EXPECT_EQ(0, std::memcmp(out.data(), file.disk.data() + i * 4096, 4096));
      Close(object);
    }
  });
}

TEST_F(Cache, HeldRangesOutliveTheLastCleanup) {
  toy::File& file = NewFile(64 * 1024);
  FILE_OBJECT* object = OpenCached(file, false);
  LARGE_INTEGER at = At(0), other = At(8192);
  void *bcb, *pinned, *memory;
  MDL* chain = nullptr;
  IO_STATUS_BLOCK iosb;
  ASSERT_TRUE(cc::MapData(object, &at, 512, MAP_WAIT, &bcb, &memory));
  ASSERT_TRUE(cc::PinRead(object, &other, 512, PIN_WAIT, &pinned, &memory));
  cc::MdlRead(object, &at, 4096, &chain, &iosb);
  EXPECT_FALSE(cc::UninitializeCacheMap(object, nullptr, nullptr));
  EXPECT_EQ(cc::GetFileObjectFromBcb(bcb), object);
  cc::UnpinData(bcb);
  cc::UnpinData(pinned);
  cc::RunLazyWriter();
  EXPECT_EQ(file.pointers.SharedCacheMap, nullptr);
  EXPECT_FALSE(mm::ForceSectionClosed(&file.pointers, false));
  cc::MdlReadComplete(object, chain);
  EXPECT_TRUE(mm::ForceSectionClosed(&file.pointers, false));
  ob::DereferenceObject(object);
  EXPECT_EQ(file.closes, 1u);
}

}  // namespace
}  // namespace nt
