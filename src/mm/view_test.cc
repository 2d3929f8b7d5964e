// Sections and views.
#include "src/mm/toy_test.h"

namespace nt::mm {
namespace {

// --- views --------------------------------------------------------------------------------------------------------------------------------

TEST_F(MmTest, View_ShowsTheFileAndZerosBehindItsEnd) {
  ToyFile file(300'000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READONLY);
  ob::DereferenceObject(object);
  auto* view = Map(section, PAGE_READONLY);
  EXPECT_EQ(std::memcmp(view, file.Content().data(), 300'000), 0);
  for (size_t i = 300'000; i < ((300'000 + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1)); i++) ASSERT_EQ(view[i], 0);
  EXPECT_EQ(file.mode_in_read.load(), KernelMode) << "a fault in the kernel is no service of a requestor";
  char value = 1;
  EXPECT_EQ(ldr::TryCopy(view, &value, 1), STATUS_ACCESS_VIOLATION) << "a store to a read-only view";
  ASSERT_EQ(ob::Close(section, KernelMode), STATUS_SUCCESS);
  EXPECT_EQ(view[1], file.At(1)) << "a view outlives the handle of its section";
  Unmap(view);
  EXPECT_EQ(ldr::TryCopy(&value, view, 1), STATUS_ACCESS_VIOLATION);
  EXPECT_TRUE(ForceSectionClosed(&file.pointers, false));
  EXPECT_EQ(file.closes, 1) << "the section held the last reference to the file object";
}

TEST_F(MmTest, View_StoresReachTheFileByFlushAndAreSeenAgainAfterwards) {
  ToyFile file(600'000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  auto* view = Map(section, PAGE_READWRITE);
  view[5] = static_cast<unsigned char>(~view[5]);
  view[400'000] = 0x5A;
  EXPECT_NE(file.At(5), view[5]);
  Flush(view);
  EXPECT_EQ(file.At(5), view[5]);
  EXPECT_EQ(file.At(400'000), 0x5A);
  EXPECT_GE(file.flushes, 1);
  const int writes = file.writes;
  Flush(view);
  EXPECT_EQ(file.writes, writes) << "nothing was dirty";
  view[5]++;  // the page was write-protected again
  Flush(view, 100);
  EXPECT_EQ(file.At(5), view[5]);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

TEST_F(MmTest, View_TwoViewsAndSystemSpaceShareTheirPages) {
  ToyFile file(1 << 20);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  auto* one = Map(section, PAGE_READWRITE);
  auto* two = Map(section, PAGE_READONLY, 0x40000, 0x20000);
  void* body;
  ASSERT_EQ(ob::ReferenceObjectByHandle(section, 0, nullptr, KernelMode, &body, nullptr), STATUS_SUCCESS);
  void* system = nullptr;
  SIZE_T system_bytes = 0;
  ASSERT_EQ(MapViewInSystemSpace(body, &system, &system_bytes), STATUS_SUCCESS);
  EXPECT_EQ(system_bytes, 1u << 20);
  EXPECT_FALSE(IsUserAddress(system));
  one[0x40010] = 0x77;
  EXPECT_EQ(two[0x10], 0x77);
  EXPECT_EQ(static_cast<unsigned char*>(system)[0x40010], 0x77);
  EXPECT_EQ(UnmapViewInSystemSpace(system), STATUS_SUCCESS);
  ob::DereferenceObject(body);
  Unmap(two);
  Unmap(one);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

TEST_F(MmTest, View_FailedReadIsAnInPageError_AndTheNextTryReads) {
  ToyFile file(100'000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READONLY);
  auto* view = Map(section, PAGE_READONLY);
  file.read_status = STATUS_DEVICE_DATA_ERROR;
  unsigned char byte = 0;
  EXPECT_EQ(ldr::TryCopy(&byte, view + 50'000, 1), STATUS_IN_PAGE_ERROR);
  file.read_status = STATUS_SUCCESS;
  EXPECT_EQ(ldr::TryCopy(&byte, view + 50'000, 1), STATUS_SUCCESS);
  EXPECT_EQ(byte, file.At(50'000));
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

TEST_F(MmTest, View_FaultIsNoDeliveryPointForUserApcs) {
  ToyFile file(100'000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READONLY);
  auto* view = Map(section, PAGE_READONLY);
  static int delivered;
  delivered = 0;
  KAPC apc;
  ke::InitializeApc(&apc, ke::GetCurrentThread(), OriginalApcEnvironment,
                    [](PKAPC, PKNORMAL_ROUTINE*, PVOID*, PVOID*, PVOID*) NTIO_MS_ABI {}, nullptr,
                    [](PVOID, PVOID, PVOID) NTIO_MS_ABI { delivered++; }, UserMode, nullptr);
  ASSERT_TRUE(ke::InsertQueueApc(&apc, nullptr, nullptr));
  ke::CurrentThread()->user_apc_pending = true;  // as after a wait that it ended
  EXPECT_EQ(view[0], file.At(0));
  EXPECT_EQ(delivered, 0) << "the thread is inside a service of the kernel";
  {
    ke::ServiceScope service(nullptr, UserMode);
  }
  EXPECT_EQ(delivered, 1);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

TEST_F(MmTest, ProcessEnd_UnmapsItsViewsAndFreesItsMemory) {
  ToyFile file(100'000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  ob::DereferenceObject(object);
  ps::Process* process;
  ASSERT_EQ(ps::CreateProcess(u"a", nullptr, &process), STATUS_SUCCESS);
  auto* kept = Map(section, PAGE_READONLY);
  void* body;
  ASSERT_EQ(ob::ReferenceObjectByHandle(section, 0, nullptr, KernelMode, &body, nullptr), STATUS_SUCCESS);
  void *base = nullptr, *memory = nullptr;
  SIZE_T view_bytes = 0, bytes = 3 * PAGE_SIZE;
  ASSERT_EQ(MapViewOfSection(body, process->eprocess(), &base, nullptr, &view_bytes, PAGE_READWRITE), STATUS_SUCCESS);
  ob::DereferenceObject(body);
  auto* view = static_cast<unsigned char*>(base);
  {
    const ke::ProcessAttachment attached(process);
    ASSERT_EQ(mm::NtAllocateVirtualMemory(kThisProcess, &memory, 0, &bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE),
              STATUS_SUCCESS);
  }
  EXPECT_EQ(mm::NtUnmapViewOfSection(kThisProcess, view), STATUS_NOT_MAPPED_VIEW) << "it is another process's";
  view[7] = 0x7E;
  static_cast<char*>(memory)[0] = 1;
  EXPECT_FALSE(CanFileBeTruncated(&file.pointers, nullptr));
  Unmap(kept);
  EXPECT_EQ(ob::Close(section, KernelMode), STATUS_SUCCESS);
  EXPECT_EQ(DoesFileHaveUserWritableReferences(&file.pointers), 1u);
  const uint64_t views = CurrentMemoryUse().views;
  ps::TerminateProcess(process, STATUS_SUCCESS);
  EXPECT_EQ(CurrentMemoryUse().views, views - 1);
  EXPECT_EQ(DoesFileHaveUserWritableReferences(&file.pointers), 0u);
  char value;
  EXPECT_EQ(ldr::TryCopy(&value, view, 1), STATUS_ACCESS_VIOLATION);
  EXPECT_EQ(ldr::TryCopy(&value, memory, 1), STATUS_ACCESS_VIOLATION);
  RunMappedPageWriter();
  EXPECT_EQ(file.At(7), 0x7E) << "what was stored through the view is not lost";
  EXPECT_TRUE(CanFileBeTruncated(&file.pointers, nullptr));
  EXPECT_TRUE(ForceSectionClosed(&file.pointers, false));
  EXPECT_EQ(file.closes, 1);
  ob::DereferenceObject(process);
}

TEST_F(MmTest, CreateSection_ChecksSizes) {
  ToyFile file(10'000), empty(0);
  FILE_OBJECT* object = Open(&file);
  FILE_OBJECT* empty_object = Open(&empty);
  const HANDLE handle = HandleOf(object), empty_handle = HandleOf(empty_object);
  HANDLE section = nullptr;
  LARGE_INTEGER size;
  size.QuadPart = 20'000;
  EXPECT_EQ(mm::NtCreateSection(&section, SECTION_ALL_ACCESS, nullptr, &size, PAGE_READONLY, SEC_COMMIT, handle), STATUS_SECTION_TOO_BIG);
  EXPECT_EQ(mm::NtCreateSection(&section, SECTION_ALL_ACCESS, nullptr, nullptr, PAGE_READONLY, SEC_COMMIT, empty_handle),
            STATUS_MAPPED_FILE_SIZE_ZERO);
  EXPECT_EQ(mm::NtCreateSection(&section, SECTION_ALL_ACCESS, nullptr, nullptr, 0x12345, SEC_COMMIT, handle), STATUS_INVALID_PAGE_PROTECTION);
  ASSERT_EQ(mm::NtCreateSection(&section, SECTION_ALL_ACCESS, nullptr, &size, PAGE_READWRITE, SEC_COMMIT, handle), STATUS_SUCCESS);
  EXPECT_EQ(file.size(), 20'000u) << "a writable section larger than the file extends it";
  SECTION_BASIC_INFORMATION basic;
  ASSERT_EQ(mm::NtQuerySection(section, SectionBasicInformation, &basic, sizeof basic, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(basic.MaximumSize.QuadPart, 20'000);
  size.QuadPart = 50'000;
  ASSERT_EQ(mm::NtExtendSection(section, &size), STATUS_SUCCESS);
  EXPECT_EQ(file.size(), 50'000u);
  void* base = nullptr;
  SIZE_T bytes = 100'000;
  LARGE_INTEGER offset{};
  EXPECT_EQ(mm::NtMapViewOfSection(section, kThisProcess, &base, 0, 0, &offset, &bytes, ViewUnmap, 0, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
  bytes = 0;
  base = reinterpret_cast<void*>(0x12340000);
  EXPECT_EQ(mm::NtMapViewOfSection(section, kThisProcess, &base, 0, 0, &offset, &bytes, ViewUnmap, 0, PAGE_READONLY), STATUS_CONFLICTING_ADDRESSES);
  for (HANDLE each : {section, handle, empty_handle}) EXPECT_EQ(ob::Close(each, KernelMode), STATUS_SUCCESS);
  ob::DereferenceObject(object);
  ob::DereferenceObject(empty_object);
}

TEST_F(MmTest, CreateSection_HugeViewIsRefusedNotFatal) {
  HANDLE section = nullptr;
  LARGE_INTEGER size;
  size.QuadPart = MAXLONGLONG & ~0xFFFFll;
  const Status status = mm::NtCreateSection(&section, SECTION_ALL_ACCESS, nullptr, &size, PAGE_READWRITE, SEC_COMMIT, nullptr);
  if (!status.ok()) return;  // refused at once: as good
  void* base = nullptr;
  SIZE_T bytes = 0;
  EXPECT_FALSE(mm::NtMapViewOfSection(section, kThisProcess, &base, 0, 0, nullptr, &bytes, ViewUnmap, 0, PAGE_READWRITE).ok());
  ob::Close(section, KernelMode).Ignore();
}

TEST_F(MmTest, AnonymousSection_KeepsItsPagesWithoutViews) {
  HANDLE section = nullptr;
  LARGE_INTEGER size;
  size.QuadPart = 1 << 20;
  ASSERT_EQ(mm::NtCreateSection(&section, SECTION_ALL_ACCESS, nullptr, &size, PAGE_READWRITE, SEC_COMMIT, nullptr), STATUS_SUCCESS);
  auto* view = Map(section, PAGE_READWRITE);
  EXPECT_EQ(view[500'000], 0);
  view[500'000] = 42;
  Flush(view);
  Unmap(view);
  view = Map(section, PAGE_READWRITE);
  EXPECT_EQ(view[500'000], 42);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
}

// --- MDLs over views -------------------------------------------------------------------------------------------------------------------------

TEST_F(MmTest, Mdl_OverAViewOfSeveralSlots_WritesAndMarksDirty) {
  ToyFile file(3 * 256 * 1024);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  auto* view = Map(section, PAGE_READWRITE);
  // Slots in another order than the pieces, so that the frames are not neighbours.
  for (size_t offset : {0x80000u, 0x0u, 0x40000u}) EXPECT_EQ(view[offset], file.At(offset));
  unsigned char* start = view + 0x3F000 + 100;
  TestMdl mdl(start, 0x2000);
  ProbeAndLockPages(mdl.mdl, UserMode, IoWriteAccess);
  EXPECT_EQ(mdl.frames()[0] & kSyntheticPfn, 0u);
  auto* mapped = static_cast<unsigned char*>(GetSystemAddressForMdl(mdl.mdl));
  ASSERT_NE(mapped, nullptr);
  EXPECT_EQ(std::memcmp(mapped, start, 0x2000), 0);
  Flush(view);  // the pages are clean now; a device writes to them
  std::memset(mapped, 0xEE, 0x2000);
  UnlockPages(mdl.mdl);
  EXPECT_EQ(start[0x1FFF], 0xEE);
  Flush(view);
  EXPECT_EQ(file.At(0x3F000 + 100), 0xEE);
  EXPECT_EQ(file.At(0x3F000 + 100 + 0x1FFF), 0xEE);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

// --- truncation under a system view ---------------------------------------------------------------------------------------------------------

/// MmCanFileBeTruncated does not count the kernel's own views; a page that was cut off and comes back must be tracked again.
TEST_F(MmTest, Truncate_UnderASystemView_KeepsTrackOfLaterStores) {
  ToyFile file(0x20000);
  FILE_OBJECT* object = Open(&file);
  void* section = nullptr;
  ASSERT_EQ(CreateSection(&section, SECTION_ALL_ACCESS, nullptr, nullptr, PAGE_READWRITE, SEC_COMMIT, nullptr, object), STATUS_SUCCESS);
  void* base = nullptr;
  SIZE_T bytes = 0;
  ASSERT_EQ(MapViewInSystemSpace(section, &base, &bytes), STATUS_SUCCESS);
  auto* view = static_cast<unsigned char*>(base);
  view[0x10000] = 1;
  {
    SegmentReference segment(&file.pointers);
    ASSERT_TRUE(segment);
    file.Resize(0x8000);
    segment->Truncate(0x8000);
    EXPECT_EQ(view[0x10000], 0);
    file.Resize(0x20000);
    segment->file_size = 0x20000;
    view[0x10000] = 0x44;
    uint64_t written = 0;
    EXPECT_EQ(segment->Flush(0, ~0ull, {}, &written), STATUS_SUCCESS);
  }
  EXPECT_EQ(file.At(0x10000), 0x44);
  EXPECT_EQ(UnmapViewInSystemSpace(base), STATUS_SUCCESS);
  ob::DereferenceObject(section);
  ob::DereferenceObject(object);
}

// --- many threads -----------------------------------------------------------------------------------------------------------------------------

TEST_F(SmallMemory, Views_ConcurrentStoresAndFlushesLoseNothing) {
  constexpr size_t kBytes = 1 << 20;
  ToyFile file(kBytes);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  auto* view = Map(section, PAGE_READWRITE);
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::vector<unsigned char> expected = file.Content();
  std::atomic<bool> stop{false};
  std::vector<std::unique_ptr<host::Thread>> threads;
  constexpr unsigned kThreads = 4;
  for (unsigned t = 0; t < kThreads; t++)
    threads.push_back(host::Thread::Start("writer", 1 << 20, [&, t] {
      ke::ServiceScope scope(nullptr, KernelMode);
      std::mt19937 random(seed + t);
      for (int i = 0; i < 3000; i++) {
        const size_t at = random() % (kBytes / kThreads) * kThreads + t;  // bytes of its own on everybody's pages
        view[at] = expected[at] = static_cast<unsigned char>(random());
      }
    }));
  threads.push_back(host::Thread::Start("flusher", 1 << 20, [&] {
    ke::ServiceScope scope(nullptr, KernelMode);
    while (!stop.load()) {
      void* base = view;
      SIZE_T bytes = 0;
      IO_STATUS_BLOCK iosb;
      EXPECT_EQ(mm::NtFlushVirtualMemory(kThisProcess, &base, &bytes, &iosb), STATUS_SUCCESS);
    }
  }));
  for (unsigned t = 0; t < kThreads; t++) threads[t]->Join();
  stop = true;
  threads.back()->Join();
  EXPECT_EQ(std::memcmp(view, expected.data(), kBytes), 0);
  Flush(view);
  EXPECT_TRUE(file.Content() == expected);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

TEST_F(SmallMemory, Views_UnmappedWhileOthersFault) {
  ToyFile file(1 << 20);
  file.delayed_reads = true;
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  for (int round = 0; round < 20; round++) {
    auto* view = Map(section, PAGE_READWRITE);
    std::vector<std::unique_ptr<host::Thread>> threads;
    for (int t = 0; t < 3; t++)
      threads.push_back(host::Thread::Start("reader", 1 << 20, [&, t] {
        ke::ServiceScope scope(nullptr, KernelMode);
        for (size_t at = static_cast<size_t>(t) * PAGE_SIZE; at < (1 << 20); at += 37 * PAGE_SIZE) {
          unsigned char byte;
          if (!ldr::TryCopy(&byte, view + at, 1).ok()) return;  // gone
          EXPECT_EQ(byte, file.At(at));
        }
      }));
    LARGE_INTEGER pause;
    pause.QuadPart = -20'000;
    ke::DelayExecutionThread(KernelMode, false, &pause).Ignore();
    Unmap(view);
    for (auto& thread : threads) thread->Join();
  }
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
  EXPECT_TRUE(ForceSectionClosed(&file.pointers, false));
  EXPECT_EQ(file.closes, 1);
}

}  // namespace
}  // namespace nt::mm
