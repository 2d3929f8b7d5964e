// Sections and views, MDLs, requestor memory, over the toy file system of cc's tests.
#include <random>

#include "src/cc/test_file_system.h"
#include "src/ldr/user_access.h"
#include "src/mm/segment.h"

namespace nt {
namespace {

class Memory : public toy::Machine {
 protected:
  void* MakeSection(FILE_OBJECT* object, ULONG protection, uint64_t bytes = 0) {
    LARGE_INTEGER size = At(bytes);
    void* section = nullptr;
    EXPECT_TRUE(mm::CreateSection(&section, SECTION_ALL_ACCESS, nullptr, &size, protection, SEC_COMMIT, nullptr, object).ok());
    return section;
  }
  char* Map(void* section, ULONG protection, uint64_t offset = 0, uint64_t bytes = 0) {
    void* base = nullptr;
    SIZE_T view_bytes = bytes;
    LARGE_INTEGER at = At(offset);
    EXPECT_TRUE(mm::MapViewOfSection(section, ps::GetCurrentProcess(), &base, &at, &view_bytes, protection).ok());
    return static_cast<char*>(base);
  }
  static void Unmap(char* view) { EXPECT_TRUE(mm::UnmapViewOfSection(ps::GetCurrentProcess(), view).ok()); }
  static void Fill(toy::File& file, uint32_t seed) {
    std::mt19937 random(seed);
    for (auto& byte : file.disk) byte = static_cast<char>(random());
  }
  /// The compiler does not know that the memory can fault.
  static char Load(const char* at) { return *const_cast<const volatile char*>(at); }
  static void Store(char* at, char value) { *const_cast<volatile char*>(at) = value; }
};

TEST_F(Memory, View_PagesInAndSharesPagesWithTheCache) {
  toy::File& file = NewFile(700 * 1024 + 100);
  Fill(file, 1);
  FILE_OBJECT* object = OpenCached(file);
  void* section = MakeSection(object, PAGE_READWRITE);
  char* view = Map(section, PAGE_READWRITE);
  EXPECT_TRUE(mm::IsUserRange(view, 700 * 1024));
  for (uint64_t at = 0; at < file.disk.size(); at += 1009) ASSERT_EQ(Load(view + at), file.disk[at]) << at;
  for (uint64_t at = file.disk.size(); at & 4095; at++) ASSERT_EQ(Load(view + at), 0);  // the tail of the last page
  const char data[] = "written through the cache";
  EXPECT_TRUE(Write(object, 300000, sizeof data, data));
  EXPECT_STREQ(view + 300000, data);
  Store(view + 500000, 'v');
  char byte = 0;
  EXPECT_TRUE(Read(object, 500000, 1, &byte));
  EXPECT_EQ(byte, 'v');
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  EXPECT_EQ(file.disk[500000], 'v');
  // A store after the flush is seen again.
  const uint32_t writes = file.writes;
  Store(view + 500001, 'w');
  EXPECT_EQ(Flush(file).Information, 4096u);
  EXPECT_EQ(file.writes, writes + 1);
  EXPECT_EQ(file.disk[500001], 'w');
  Unmap(view);
  ob::DereferenceObject(section);
  Close(object);
}

TEST_F(Memory, View_StoreWithoutRightIsAnAccessViolation) {
  toy::File& file = NewFile(8192);
  FILE_OBJECT* object = Open(file);
  void* section = MakeSection(object, PAGE_READONLY);
  char* view = Map(section, PAGE_READONLY);
  EXPECT_EQ(Raised([&] { ldr::CopyToUser(view, "x", 1); }), STATUS_ACCESS_VIOLATION);
  char byte = 'x';
  ldr::CopyFromUser(&byte, view, 1);
  EXPECT_EQ(byte, 0);
  EXPECT_EQ(Raised([&] { ldr::CopyFromUser(&byte, view + 8192, 1); }), STATUS_ACCESS_VIOLATION);
  Unmap(view);
  EXPECT_EQ(Raised([&] { ldr::CopyFromUser(&byte, view, 1); }), STATUS_ACCESS_VIOLATION);
  void* base = nullptr;
  SIZE_T bytes = 0;
  EXPECT_EQ(mm::MapViewOfSection(section, ps::GetCurrentProcess(), &base, nullptr, &bytes, PAGE_READWRITE),
            STATUS_SECTION_PROTECTION);
  ob::DereferenceObject(section);
  ob::DereferenceObject(object);
}

TEST_F(Memory, View_ReadErrorIsAnInPageError) {
  toy::File& file = NewFile(64 * 1024);
  file.fault = [](bool write, uint64_t, uint32_t) { return write ? STATUS_SUCCESS : STATUS_DEVICE_DATA_ERROR; };
  FILE_OBJECT* object = Open(file);
  void* section = MakeSection(object, PAGE_READONLY);
  char* view = Map(section, PAGE_READONLY);
  char byte;
  EXPECT_EQ(Raised([&] { ldr::CopyFromUser(&byte, view, 1); }), STATUS_IN_PAGE_ERROR);
  file.fault = nullptr;
  EXPECT_EQ(Raised([&] { ldr::CopyFromUser(&byte, view, 1); }), STATUS_SUCCESS);
  Unmap(view);
  ob::DereferenceObject(section);
  ob::DereferenceObject(object);
}

TEST_F(Memory, View_HoldsPagesAgainstPurgeAndTruncation) {
  toy::File& file = NewFile(64 * 1024);
  FILE_OBJECT* object = OpenCached(file);
  void* section = MakeSection(object, PAGE_READONLY);
  char* view = Map(section, PAGE_READONLY);
  EXPECT_EQ(Load(view), 0);
  EXPECT_FALSE(cc::PurgeCacheSection(&file.pointers, nullptr, 0, 0));
  LARGE_INTEGER size = At(4096);
  EXPECT_FALSE(mm::CanFileBeTruncated(&file.pointers, &size));
  size = At(64 * 1024);
  EXPECT_TRUE(mm::CanFileBeTruncated(&file.pointers, &size));
  EXPECT_FALSE(mm::CanFileBeTruncated(&file.pointers, nullptr));
  EXPECT_FALSE(mm::FlushImageSection(&file.pointers, MmFlushForDelete));
  EXPECT_TRUE(mm::FlushImageSection(&file.pointers, MmFlushForWrite));
  IO_STATUS_BLOCK iosb;
  cc::CoherencyFlushAndPurgeCache(&file.pointers, nullptr, 0, &iosb, 0);
  EXPECT_EQ(iosb.Status, STATUS_CACHE_PAGE_LOCKED);
  EXPECT_FALSE(mm::ForceSectionClosed(&file.pointers, false));
  Unmap(view);
  EXPECT_TRUE(mm::CanFileBeTruncated(&file.pointers, nullptr));
  ob::DereferenceObject(section);
  EXPECT_TRUE(cc::PurgeCacheSection(&file.pointers, nullptr, 0, 0));
  Close(object);
}

TEST_F(Memory, View_ReadIntoAViewOfTheSameFile) {
  toy::File& file = NewFile(1 << 20);
  Fill(file, 5);
  const auto before = file.disk;
  FILE_OBJECT* object = OpenCached(file);
  void* section = MakeSection(object, PAGE_READWRITE);
  char* view = Map(section, PAGE_READWRITE);
  EXPECT_TRUE(Read(object, 0, 300000, view + 600000));
  EXPECT_TRUE(Write(object, 300000, 200000, view + 100000));
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  EXPECT_EQ(0, std::memcmp(file.disk.data() + 600000, before.data(), 300000));
  EXPECT_EQ(0, std::memcmp(file.disk.data() + 300000, before.data() + 100000, 200000));
  Unmap(view);
  ob::DereferenceObject(section);
  Close(object);
}

TEST_F(Memory, MappedPageWriter_WritesWhatTheLazyWriterDoesNotSee) {
  toy::File& file = NewFile(300 * 1024);
  FILE_OBJECT* object = Open(file);
  void* section = MakeSection(object, PAGE_READWRITE);
  char* view = Map(section, PAGE_READWRITE);
  Store(view + 5000, 'a');
  Store(view + 299 * 1024, 'b');
  mm::RunMappedPageWriter();
  EXPECT_EQ(file.disk[5000], 'a');
  EXPECT_EQ(file.disk[299 * 1024], 'b');
  EXPECT_EQ(file.writes, 2u);
  mm::RunMappedPageWriter();
  EXPECT_EQ(file.writes, 2u);
  Store(view + 5000, 'c');
  void* base = view + 4096;
  SIZE_T bytes = 1;
  IO_STATUS_BLOCK iosb = {};
  EXPECT_TRUE(mm::NtFlushVirtualMemory(NtCurrentProcess(), &base, &bytes, &iosb).ok());
  EXPECT_EQ(base, view + 4096);
  EXPECT_EQ(bytes, 4096u);
  EXPECT_EQ(file.disk[5000], 'c');
  EXPECT_EQ(file.flushes, 1u);
  // Dirty data of a view that is gone is not lost.
  Store(view + 5000, 'd');
  Unmap(view);
  ob::DereferenceObject(section);
  ob::DereferenceObject(object);
  EXPECT_TRUE(mm::ForceSectionClosed(&file.pointers, false));
  EXPECT_EQ(file.disk[5000], 'd');
  EXPECT_EQ(file.closes, 1u);
}

TEST_F(Memory, View_ConcurrentStoresAndFlushes) {
  toy::File& file = NewFile(1 << 20);
  FILE_OBJECT* object = OpenCached(file);
  void* section = MakeSection(object, PAGE_READWRITE);
  char* view = Map(section, PAGE_READWRITE);
  std::atomic<bool> done{false};
  std::thread flusher([&] {
    ke::CallIntoMachine([&] {
      ke::ServiceScope scope(nullptr, KernelMode);
      while (!done) Flush(file);
    });
  });
  Parallel(3, [&](int i) {
    std::mt19937 random(static_cast<uint32_t>(i));
    for (int step = 0; step < 2000; step++)
      Store(view + (random() % ((1 << 20) / 3)) * 3 + i, static_cast<char>(step));
  });
  done = true;
  flusher.join();
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  EXPECT_EQ(0, std::memcmp(file.disk.data(), view, 1 << 20));
  Unmap(view);
  ob::DereferenceObject(section);
  Close(object);
}

TEST_F(Memory, Section_WithoutAFile) {
  void* section = MakeSection(nullptr, PAGE_READWRITE, 100000);
  char* first = Map(section, PAGE_READWRITE);
  void* base = nullptr;
  SIZE_T bytes = 0;
  ASSERT_TRUE(mm::MapViewInSystemSpace(section, &base, &bytes).ok());
  auto* second = static_cast<char*>(base);
  EXPECT_FALSE(mm::IsUserRange(second, 1));
  Store(first + 70000, 's');
  EXPECT_EQ(Load(second + 70000), 's');
  Store(second + 3, 't');
  EXPECT_EQ(Load(first + 3), 't');
  Unmap(first);
  EXPECT_TRUE(mm::UnmapViewInSystemSpace(base).ok());
  EXPECT_EQ(mm::UnmapViewInSystemSpace(base), STATUS_NOT_MAPPED_VIEW);
  ob::DereferenceObject(section);
}

TEST_F(Memory, Section_SizesAndRefusals) {
  toy::File& file = NewFile(5000);
  FILE_OBJECT* object = Open(file);
  void* section;
  LARGE_INTEGER size = At(6000);
  EXPECT_EQ(mm::CreateSection(&section, 0, nullptr, &size, PAGE_READONLY, SEC_COMMIT, nullptr, object), STATUS_SECTION_TOO_BIG);
  EXPECT_EQ(mm::CreateSection(&section, 0, nullptr, nullptr, PAGE_READONLY, SEC_IMAGE, nullptr, object), STATUS_NOT_SUPPORTED);
  EXPECT_EQ(mm::CreateSection(&section, 0, nullptr, nullptr, 0x77, SEC_COMMIT, nullptr, object), STATUS_INVALID_PAGE_PROTECTION);
  toy::File& empty = NewFile(0);
  FILE_OBJECT* nothing = Open(empty);
  EXPECT_EQ(mm::CreateSection(&section, 0, nullptr, nullptr, PAGE_READONLY, SEC_COMMIT, nullptr, nothing),
            STATUS_MAPPED_FILE_SIZE_ZERO);
  ob::DereferenceObject(nothing);
  ob::DereferenceObject(object);
}

TEST_F(Memory, Mdl_ProbeAndLock) {
  auto* buffer = static_cast<char*>(mm::UserArena::Allocate(20000));
  MDL* mdl = io::AllocateMdl(buffer + 100, 15000, false, false, nullptr);
  mm::ProbeAndLockPages(mdl, UserMode, IoWriteAccess);
  EXPECT_EQ(mm::GetSystemAddressForMdl(mdl), buffer + 100);
  MDL* partial = io::AllocateMdl(buffer + 5000, 4096, false, false, nullptr);
  io::BuildPartialMdl(mdl, partial, buffer + 5000, 4096);
  EXPECT_EQ(mm::GetSystemAddressForMdl(partial), buffer + 5000);
  mm::PrepareMdlForReuse(partial);
  io::FreeMdl(partial);
  mm::UnlockPages(mdl);
  EXPECT_EQ(mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA), 0);
  io::FreeMdl(mdl);
  mm::UserArena::Free(buffer, 20000);
  // Not there; and not the requestor's.
  mdl = io::AllocateMdl(reinterpret_cast<void*>(mm::kUserVirtualBase + 0x10000), 4096, false, false, nullptr);
  EXPECT_EQ(Raised([&] { mm::ProbeAndLockPages(mdl, UserMode, IoReadAccess); }), STATUS_ACCESS_VIOLATION);
  EXPECT_EQ(mdl->MdlFlags & MDL_PAGES_LOCKED, 0);
  io::FreeMdl(mdl);
  void* pool = ex::AllocatePool(NonPagedPoolNx, 4096, 'tseT');
  mdl = io::AllocateMdl(pool, 4096, false, false, nullptr);
  EXPECT_EQ(Raised([&] { mm::ProbeAndLockPages(mdl, UserMode, IoReadAccess); }), STATUS_ACCESS_VIOLATION);
  mm::BuildMdlForNonPagedPool(mdl);
  EXPECT_EQ(mm::GetSystemAddressForMdl(mdl), pool);
  io::FreeMdl(mdl);
  ex::FreePool(pool);
}

TEST_F(Memory, Mdl_OfAViewPinsAndDirties) {
  toy::File& file = NewFile(1 << 20);
  Fill(file, 3);
  FILE_OBJECT* object = OpenCached(file);
  void* section = MakeSection(object, PAGE_READWRITE);
  char* view = Map(section, PAGE_READWRITE);
  // Across two slots: the frames are not contiguous unless by chance.
  MDL* mdl = io::AllocateMdl(view + 0x3F000, 0x2000, false, false, nullptr);
  mm::ProbeAndLockPages(mdl, UserMode, IoWriteAccess);
  auto* memory = static_cast<char*>(mm::GetSystemAddressForMdl(mdl));
  EXPECT_EQ(0, std::memcmp(memory, file.disk.data() + 0x3F000, 0x2000));
  EXPECT_EQ(Flush(file).Status, STATUS_SUCCESS);
  std::memset(memory, 'q', 0x2000);
  mm::UnlockPages(mdl);
  io::FreeMdl(mdl);
  EXPECT_EQ(Flush(file).Information, 0x2000u);
  EXPECT_EQ(file.disk[0x3F000], 'q');
  EXPECT_EQ(file.disk[0x40FFF], 'q');
  Unmap(view);
  ob::DereferenceObject(section);
  Close(object);
}

TEST_F(Memory, Mdl_PagesForMdl) {
  PHYSICAL_ADDRESS none = {}, all = {};
  all.QuadPart = -1;
  MDL* mdl = mm::AllocatePagesForMdl(none, all, none, 10000);
  ASSERT_NE(mdl, nullptr);
  EXPECT_EQ(mdl->ByteCount, 12288u);
  auto* memory = static_cast<char*>(mm::GetSystemAddressForMdl(mdl));
  EXPECT_EQ(memory[12287], 0);
  mm::UnmapLockedPages(memory, mdl);
  mm::FreePagesFromMdl(mdl);
  ex::FreePool(mdl);
}

TEST_F(Memory, VirtualMemory) {
  void* base = nullptr;
  SIZE_T bytes = 10000;
  ASSERT_TRUE(mm::NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &bytes, MEM_RESERVE, PAGE_READWRITE).ok());
  EXPECT_EQ(bytes, 12288u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(base) & 0xFFFF, 0u);
  EXPECT_FALSE(mm::IsAddressValid(base));
  void* commit = static_cast<char*>(base) + 4096;
  bytes = 4096;
  ASSERT_TRUE(mm::NtAllocateVirtualMemory(NtCurrentProcess(), &commit, 0, &bytes, MEM_COMMIT, PAGE_READWRITE).ok());
  Store(static_cast<char*>(commit), 1);
  EXPECT_TRUE(mm::IsAddressValid(commit));
  EXPECT_FALSE(mm::IsNonPagedSystemAddressValid(commit));
  bytes = 0;
  EXPECT_EQ(mm::NtFreeVirtualMemory(NtCurrentProcess(), &commit, &bytes, MEM_RELEASE), STATUS_FREE_VM_NOT_AT_BASE);
  EXPECT_TRUE(mm::NtFreeVirtualMemory(NtCurrentProcess(), &base, &bytes, MEM_RELEASE).ok());
  EXPECT_EQ(bytes, 12288u);
  EXPECT_EQ(mm::NtFreeVirtualMemory(NtCurrentProcess(), &base, &bytes, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
}

TEST_F(Memory, UserArena_RecyclesAndAligns) {
  for (const size_t bytes : {1ul, 64ul, 65ul, 2048ul, 2049ul, 4096ul, 100000ul, 3ul << 20}) {
    void* first = mm::UserArena::Allocate(bytes);
    ASSERT_NE(first, nullptr);
    EXPECT_TRUE(mm::IsUserRange(first, bytes));
    if (bytes > 2048) EXPECT_EQ(reinterpret_cast<uintptr_t>(first) & 4095, 0u);
    std::memset(first, 1, bytes);
    mm::UserArena::Free(first, bytes);
    // The same, or a free one before it.
    void* second = mm::UserArena::Allocate(bytes);
    EXPECT_LE(second, first);
    mm::UserArena::Free(second, bytes);
  }
}

TEST_F(Memory, TrimmedMemoryReadsAsFile) {
  toy::File& file = NewFile(1 << 20);
  Fill(file, 8);
  FILE_OBJECT* object = OpenCached(file);
  std::vector<char> out(1 << 20);
  EXPECT_TRUE(Read(object, 0, 1 << 20, out.data()));
  EXPECT_TRUE(cc::PurgeCacheSection(&file.pointers, nullptr, 0, 0));
  EXPECT_EQ(mm::CurrentMemoryUse().cache_bytes, 0u);
  mm::TrimFreeMemory();
  EXPECT_TRUE(Read(object, 0, 1 << 20, out.data()));
  EXPECT_EQ(out, file.disk);
  Close(object);
}

}  // namespace
}  // namespace nt
