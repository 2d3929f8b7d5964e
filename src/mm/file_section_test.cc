// What file systems ask about the sections of their files; the mapped page writer; eviction; the end.
#include "src/mm/toy_test.h"

namespace nt::mm {
namespace {

TEST_F(MmTest, FileSystemQuestions_FollowSectionsAndViews) {
  ToyFile file(0x50000);
  SECTION_OBJECT_POINTERS* const pointers = &file.pointers;
  LARGE_INTEGER small, large;
  small.QuadPart = 0x10000;
  large.QuadPart = 0x50000;
  EXPECT_TRUE(FlushImageSection(pointers, MmFlushForWrite));
  EXPECT_TRUE(FlushImageSection(pointers, MmFlushForDelete));
  EXPECT_TRUE(CanFileBeTruncated(pointers, nullptr));
  EXPECT_TRUE(ForceSectionClosed(pointers, true));
  EXPECT_EQ(DoesFileHaveUserWritableReferences(pointers), 0u);
  EXPECT_FALSE(DisableModifiedWriteOfSection(pointers)) << "there is no section";

  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  ob::DereferenceObject(object);
  auto* view = Map(section, PAGE_READWRITE);
  view[0x20000] = 1;
  EXPECT_TRUE(FlushImageSection(pointers, MmFlushForWrite)) << "a data section is no image";
  EXPECT_FALSE(FlushImageSection(pointers, MmFlushForDelete));
  EXPECT_FALSE(CanFileBeTruncated(pointers, &small));
  EXPECT_FALSE(CanFileBeTruncated(pointers, nullptr));
  EXPECT_TRUE(CanFileBeTruncated(pointers, &large));
  EXPECT_FALSE(ForceSectionClosed(pointers, false));
  EXPECT_GT(DoesFileHaveUserWritableReferences(pointers), 0u);

  ob::Close(section, KernelMode).Ignore();
  EXPECT_FALSE(CanFileBeTruncated(pointers, &small)) << "the view is still there";
  EXPECT_FALSE(ForceSectionClosed(pointers, false));
  Unmap(view);
  EXPECT_TRUE(CanFileBeTruncated(pointers, &small));
  EXPECT_TRUE(FlushImageSection(pointers, MmFlushForDelete));
  EXPECT_EQ(DoesFileHaveUserWritableReferences(pointers), 0u);
  EXPECT_NE(pointers->DataSectionObject, nullptr) << "pages stay in memory after the last use";
  EXPECT_EQ(file.closes, 0) << "and keep the file object";
  EXPECT_TRUE(ForceSectionClosed(pointers, false));
  EXPECT_EQ(pointers->DataSectionObject, nullptr);
  EXPECT_EQ(file.closes, 1);
  EXPECT_EQ(file.At(0x20000), 1) << "dirty pages were written, not dropped";
}

// learn.microsoft.com, SetEndOfFile: the views must be unmapped and the mapping object be closed first.
TEST_F(MmTest, CanFileBeTruncated_ASectionWithoutViewsForbidsItToo) {
  ToyFile file(0x50000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READONLY);
  LARGE_INTEGER small;
  small.QuadPart = 0x10000;
  EXPECT_FALSE(CanFileBeTruncated(&file.pointers, &small));
  ob::Close(section, KernelMode).Ignore();
  EXPECT_TRUE(CanFileBeTruncated(&file.pointers, &small));
  ob::DereferenceObject(object);
}

TEST_F(MmTest, ForceSectionClosed_FailedWriteKeepsTheData) {
  ToyFile file(0x20000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  auto* view = Map(section, PAGE_READWRITE);
  view[0] = static_cast<unsigned char>(~file.At(0));
  const unsigned char wanted = view[0];
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  file.write_status = STATUS_DEVICE_DATA_ERROR;
  EXPECT_FALSE(ForceSectionClosed(&file.pointers, false));
  file.write_status = STATUS_SUCCESS;
  EXPECT_TRUE(ForceSectionClosed(&file.pointers, false));
  EXPECT_EQ(file.At(0), wanted);
  ob::DereferenceObject(object);
}

TEST_F(MmTest, MappedPageWriter_LeavesWhatOnlyTheCacheManagerMayWrite) {
  ToyFile file(0x50000), kept_back(0x10000);
  FILE_OBJECT* object = Open(&file);
  FILE_OBJECT* other = Open(&kept_back);
  const HANDLE section = SectionOf(object, PAGE_READWRITE), other_section = SectionOf(other, PAGE_READWRITE);
  EXPECT_TRUE(DisableModifiedWriteOfSection(&kept_back.pointers));
  auto* view = Map(section, PAGE_READWRITE);
  auto* other_view = Map(other_section, PAGE_READWRITE);
  view[0x4FFFF] = 0x31;
  other_view[0] = static_cast<unsigned char>(~kept_back.At(0));
  Unmap(view);
  RunMappedPageWriter();
  EXPECT_EQ(file.At(0x4FFFF), 0x31);
  EXPECT_EQ(CurrentMemoryUse().dirty_bytes, static_cast<uint64_t>(PAGE_SIZE));
  EXPECT_EQ(kept_back.writes, 0);
  Flush(other_view);
  Unmap(other_view);
  ob::Close(section, KernelMode).Ignore();
  ob::Close(other_section, KernelMode).Ignore();
  ob::DereferenceObject(object);
  ob::DereferenceObject(other);
}

TEST_F(MmTest, MappedPageWriter_DoesNotWaitForAFileThatIsHeld) {
  ToyFile file(0x10000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  auto* view = Map(section, PAGE_READWRITE);
  view[0] = static_cast<unsigned char>(~file.At(0));
  const unsigned char wanted = view[0];
  std::atomic<int> step{0};
  auto holder = host::Thread::Start("holder", 1 << 20, [&] {
    ke::ServiceScope scope(nullptr, KernelMode);
    ke::CriticalRegion region;
    ex::AcquireResourceExclusiveLite(&file.resource, true);
    step = 1;
    while (step != 2) host::Yield();
    ex::ReleaseResourceLite(&file.resource);
  });
  while (step != 1) host::Yield();
  RunMappedPageWriter();
  EXPECT_EQ(file.writes, 0);
  step = 2;
  holder->Join();
  RunMappedPageWriter();
  EXPECT_EQ(file.At(0), wanted);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

std::vector<LONGLONG> g_endings;
NTSTATUS NTIO_MS_ABI NoteEnding(PFILE_OBJECT, PLARGE_INTEGER ending, PERESOURCE*, PDEVICE_OBJECT) {
  g_endings.push_back(ending->QuadPart);
  return STATUS_INVALID_DEVICE_REQUEST;  // the default acquires
}

TEST_F(MmTest, MappedPageWriter_EndsWhereTheFileEnds) {
  ToyFile file(100'000);
  FAST_IO_DISPATCH table{};
  table.SizeOfFastIoDispatch = sizeof table;
  table.AcquireForModWrite = NoteEnding;
  g_endings.clear();
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  auto* view = Map(section, PAGE_READWRITE);
  view[5] = 1;
  view[99'999] = 2;
  device_->DriverObject->FastIoDispatch = &table;
  RunMappedPageWriter();
  device_->DriverObject->FastIoDispatch = nullptr;
  EXPECT_EQ(g_endings, (std::vector<LONGLONG>{0x10000, 100'000}));
  EXPECT_EQ(file.At(5), 1);
  EXPECT_EQ(file.At(99'999), 2);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

TEST_F(MmTest, PrefetchPages_ReadsBeforeTheAccess) {
  ToyFile file(0x80000);
  FILE_OBJECT* object = Open(&file);
  alignas(READ_LIST) char memory[sizeof(READ_LIST) + 3 * sizeof(FILE_SEGMENT_ELEMENT)] = {};
  auto* list = reinterpret_cast<READ_LIST*>(memory);
  list->FileObject = object;
  list->NumberOfEntries = 2;
  FILE_SEGMENT_ELEMENT* elements = list->List;
  elements[0].Alignment = 0x10000 | 5;  // a priority in the low bits
  elements[1].Alignment = 0x60000;
  READ_LIST* lists[] = {list};
  ASSERT_EQ(PrefetchPages(1, lists), STATUS_SUCCESS);
  const int reads = file.reads;
  EXPECT_GE(reads, 1);
  const HANDLE section = SectionOf(object, PAGE_READONLY);
  auto* view = Map(section, PAGE_READONLY);
  EXPECT_EQ(view[0x10000], file.At(0x10000));
  EXPECT_EQ(view[0x60000], file.At(0x60000));
  EXPECT_EQ(file.reads, reads);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

TEST_F(MmTest, Addresses_AreJudgedWithoutPagingIn) {
  ToyFile file(0x20000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READONLY);
  auto* view = Map(section, PAGE_READONLY);
  EXPECT_FALSE(IsAddressValid(view));
  EXPECT_EQ(file.reads, 0);
  EXPECT_EQ(view[0], file.At(0));
  EXPECT_TRUE(IsAddressValid(view));
  EXPECT_FALSE(IsNonPagedSystemAddressValid(view));
  void* pool = ex::AllocatePool(NonPagedPoolNx, 100, 'tset');
  EXPECT_TRUE(IsAddressValid(pool));
  EXPECT_TRUE(IsNonPagedSystemAddressValid(pool));
  EXPECT_FALSE(IsAddressValid(nullptr));
  EXPECT_FALSE(IsAddressValid(reinterpret_cast<void*>(kSystemViewBase + 0x100000)));
  EXPECT_FALSE(IsAddressValid(reinterpret_cast<void*>(kPoolBase + kPoolBytes - PAGE_SIZE))) << "pool that was never used";
  EXPECT_EQ(GetPhysicalAddress(static_cast<char*>(pool) + 1).QuadPart, GetPhysicalAddress(pool).QuadPart + 1);
  ex::FreePool(pool);
  UNICODE_STRING name;
  char16_t text[] = u"MmGetSystemRoutineAddress", wrong[] = u"MmNoSuchRoutine";
  name.Buffer = text;
  name.Length = name.MaximumLength = sizeof text - 2;
  EXPECT_NE(GetSystemRoutineAddress(&name), nullptr);
  name.Buffer = wrong;
  name.Length = name.MaximumLength = sizeof wrong - 2;
  EXPECT_EQ(GetSystemRoutineAddress(&name), nullptr);
  Unmap(view);
  ob::Close(section, KernelMode).Ignore();
  ob::DereferenceObject(object);
}

TEST_F(SmallMemory, Eviction_ReadersSeeTheFile) {
  ToyFile file(8 << 20);
  FILE_OBJECT* object = Open(&file);
  Result<Segment*> made = AcquireSegment(object);
  ASSERT_TRUE(made.ok());
  Segment* segment = made.take();
  segment->file_size = 8 << 20;
  const std::vector<unsigned char> expected = file.Content();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::vector<std::unique_ptr<host::Thread>> threads;
  std::atomic<int> wrong{0};
  for (unsigned t = 0; t < 4; t++)
    threads.push_back(host::Thread::Start("reader", 1 << 20, [&, t] {
      ke::ServiceScope scope(nullptr, KernelMode);
      std::mt19937 random(seed + t);
      std::vector<unsigned char> copy(PAGE_SIZE);
      for (int i = 0; i < 1500; i++) {
        const uint64_t page = random() % (expected.size() / PAGE_SIZE);
        const uint64_t bit = 1ull << (page % kSlotPages);
        Hazard hazard;
        Slot* slot = segment->Protect(hazard, page / kSlotPages, bit);
        while (!slot) {
          if (!segment->MakePiece(page / kSlotPages, bit, Wait::kYes).ok()) wrong++;
          slot = segment->Protect(hazard, page / kSlotPages, bit);
        }
        std::memcpy(copy.data(), slot->data() + (page % kSlotPages) * PAGE_SIZE, PAGE_SIZE);
        if (std::memcmp(copy.data(), &expected[page * PAGE_SIZE], PAGE_SIZE) != 0) wrong++;
      }
    }));
  for (auto& thread : threads) thread->Join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(CurrentMemoryUse().cache_bytes, CurrentMemoryUse().limit_bytes + (1u << 20));
  ReleaseSegment(segment);
  ob::DereferenceObject(object);
}

TEST_F(MmTest, CloseAllSegments_WritesUnmapsAndClosesFiles) {
  ToyFile file(0x20000);
  FILE_OBJECT* object = Open(&file);
  const HANDLE section = SectionOf(object, PAGE_READWRITE);
  ob::DereferenceObject(object);
  auto* view = Map(section, PAGE_READWRITE);
  view[0x1000] = 0x66;
  ob::Close(section, KernelMode).Ignore();
  CloseAllSegments();
  EXPECT_EQ(file.At(0x1000), 0x66);
  EXPECT_EQ(file.closes, 1);
  EXPECT_EQ(CurrentMemoryUse().segments, 0u);
  EXPECT_EQ(CurrentMemoryUse().views, 0u);
}

}  // namespace
}  // namespace nt::mm
