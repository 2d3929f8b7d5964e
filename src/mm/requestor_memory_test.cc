// Requestor memory and MDLs against models.
#include <map>

#include "src/mm/toy_test.h"

namespace nt::mm {
namespace {

TEST_F(MmTest, UserArena_RandomAllocations_NeverOverlap) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  struct Block {
    size_t bytes;
    unsigned char fill;
  };
  std::map<unsigned char*, Block> live;
  for (int i = 0; i < 6000; i++) {
    if (live.size() < 200 && random() % 2) {
      const size_t bytes = 1 + (random() % 8 ? random() % 5000 : random() % 600000);
      auto* block = static_cast<unsigned char*>(UserArena::Allocate(bytes));
      ASSERT_NE(block, nullptr);
      EXPECT_TRUE(IsUserRange(block, bytes));
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u);
      if (bytes > 2048) EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % PAGE_SIZE, 0u);
      const auto fill = static_cast<unsigned char>(random());
      std::memset(block, fill, bytes);
      const auto [at, fresh] = live.emplace(block, Block{bytes, fill});
      ASSERT_TRUE(fresh);
      if (at != live.begin()) ASSERT_LE(std::prev(at)->first + std::prev(at)->second.bytes, block);
      if (std::next(at) != live.end()) ASSERT_LE(block + bytes, std::next(at)->first);
    } else if (!live.empty()) {
      const auto at = std::next(live.begin(), random() % live.size());
      ASSERT_EQ(at->first[0], at->second.fill);
      ASSERT_EQ(at->first[at->second.bytes - 1], at->second.fill);
      UserArena::Free(at->first, at->second.bytes);
      live.erase(at);
    }
  }
  for (const auto& [block, of] : live) UserArena::Free(block, of.bytes);
}

TEST_F(MmTest, UserArena_LargeBuffersTakeWholePagesAndAreJoinedAgain) {
  constexpr size_t kBytes = (65 << 20) + 1, kGranularity = 64 * 1024;
  char* buffers[3];
  for (auto& buffer : buffers) {
    buffer = static_cast<char*>(UserArena::Allocate(kBytes));
    ASSERT_NE(buffer, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer) % kGranularity, 0u);
  }
  EXPECT_EQ(buffers[1] - buffers[0], static_cast<ptrdiff_t>((65 << 20) + kGranularity));
  buffers[1][kBytes - 1] = 1;
  for (const int i : {0, 2, 1}) UserArena::Free(buffers[i], kBytes);
  EXPECT_EQ(UserArena::Allocate(3 * kBytes), buffers[0]) << "three free neighbours are one";
  UserArena::Free(buffers[0], 3 * kBytes);
  EXPECT_EQ(UserArena::Allocate(100'000), buffers[0]);
  EXPECT_EQ(UserArena::Allocate(100'000), buffers[0] + 2 * kGranularity);
}

TEST_F(MmTest, VirtualMemory_ReserveCommitProtectFree) {
  void* base = nullptr;
  SIZE_T bytes = 5 * PAGE_SIZE - 100;
  ASSERT_EQ(mm::NtAllocateVirtualMemory(kThisProcess, &base, 0, &bytes, MEM_RESERVE, PAGE_READWRITE), STATUS_SUCCESS);
  EXPECT_EQ(bytes, 5u * PAGE_SIZE);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(base) % 0x10000, 0u);
  char value = 7;
  EXPECT_EQ(ldr::TryCopy(base, &value, 1), STATUS_ACCESS_VIOLATION) << "reserved memory is not there yet";
  void* part = static_cast<char*>(base) + PAGE_SIZE;
  SIZE_T part_bytes = PAGE_SIZE;
  ASSERT_EQ(mm::NtAllocateVirtualMemory(kThisProcess, &part, 0, &part_bytes, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS);
  EXPECT_EQ(*static_cast<char*>(part), 0);
  EXPECT_EQ(ldr::TryCopy(part, &value, 1), STATUS_SUCCESS);
  EXPECT_EQ(ldr::TryCopy(base, &value, 1), STATUS_ACCESS_VIOLATION);
  ULONG old;
  ASSERT_EQ(mm::NtProtectVirtualMemory(kThisProcess, &part, &part_bytes, PAGE_READONLY, &old), STATUS_SUCCESS);
  EXPECT_EQ(old, static_cast<ULONG>(PAGE_READWRITE));
  EXPECT_EQ(ldr::TryCopy(part, &value, 1), STATUS_ACCESS_VIOLATION);
  EXPECT_EQ(*static_cast<char*>(part), 7);
  void* wrong = static_cast<char*>(base) + PAGE_SIZE;
  SIZE_T none = 0;
  EXPECT_EQ(mm::NtFreeVirtualMemory(kThisProcess, &wrong, &none, MEM_RELEASE), STATUS_FREE_VM_NOT_AT_BASE);
  ASSERT_EQ(mm::NtFreeVirtualMemory(kThisProcess, &base, &none, MEM_RELEASE), STATUS_SUCCESS);
  EXPECT_EQ(none, 5u * PAGE_SIZE);
  none = 0;
  EXPECT_EQ(mm::NtFreeVirtualMemory(kThisProcess, &base, &none, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
}

TEST_F(MmTest, VirtualMemory_NoProcessNoMemory) {
  void* base = nullptr;
  SIZE_T bytes = PAGE_SIZE;
  EXPECT_EQ(mm::NtAllocateVirtualMemory(reinterpret_cast<HANDLE>(0x7770), &base, 0, &bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
            STATUS_INVALID_HANDLE);
}

TEST_F(MmTest, ProbeAndLock_PartialMdlLeadsToTheSameBytes) {
  auto* pool = static_cast<char*>(ex::AllocatePool(PagedPool, 3 * PAGE_SIZE, 'tset'));
  auto* user = static_cast<char*>(UserArena::Allocate(3 * PAGE_SIZE));
  for (char* memory : {pool, user}) {
    TestMdl mdl(memory + 100, PAGE_SIZE + 50);
    ProbeAndLockPages(mdl.mdl, memory == user ? UserMode : KernelMode, IoWriteAccess);
    EXPECT_TRUE(mdl->MdlFlags & MDL_PAGES_LOCKED);
    EXPECT_EQ(mdl->Process != nullptr, memory == user);
    EXPECT_EQ(AddressOfPfn(mdl.frames()[1]), memory + PAGE_SIZE);
    for (const bool mapped : {false, true}) {
      if (mapped) EXPECT_EQ(GetSystemAddressForMdl(mdl.mdl), memory + 100);
      MDL* part = io::AllocateMdl(memory + 100, PAGE_SIZE + 50, false, false, nullptr);
      io::BuildPartialMdl(mdl.mdl, part, memory + 100 + 512, 256);
      EXPECT_EQ(GetSystemAddressForMdl(part), memory + 612);
      io::FreeMdl(part);
    }
    UnlockPages(mdl.mdl);
    EXPECT_FALSE(mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA));
  }
  UserArena::Free(user, 3 * PAGE_SIZE);
  ex::FreePool(pool);
}

TEST_F(MmTest, ProbeAndLock_RaisesAndLeavesTheMdlAsItWas) {
  auto* pool = static_cast<char*>(ex::AllocatePool(PagedPool, PAGE_SIZE, 'tset'));
  TestMdl kernel(pool, 100);
  EXPECT_EQ(RaisedBy([&] { ProbeAndLockPages(kernel.mdl, UserMode, IoReadAccess); }), STATUS_ACCESS_VIOLATION);
  EXPECT_EQ(kernel->MdlFlags & MDL_PAGES_LOCKED, 0);
  // Two good pages, then one that is not there.
  void* base = nullptr;
  SIZE_T bytes = 3 * PAGE_SIZE;
  ASSERT_EQ(mm::NtAllocateVirtualMemory(kThisProcess, &base, 0, &bytes, MEM_RESERVE, PAGE_READWRITE), STATUS_SUCCESS);
  SIZE_T two = 2 * PAGE_SIZE;
  ASSERT_EQ(mm::NtAllocateVirtualMemory(kThisProcess, &base, 0, &two, MEM_COMMIT, PAGE_READWRITE), STATUS_SUCCESS);
  TestMdl user(base, 3 * PAGE_SIZE);
  EXPECT_EQ(RaisedBy([&] { ProbeAndLockPages(user.mdl, UserMode, IoReadAccess); }), STATUS_ACCESS_VIOLATION);
  EXPECT_EQ(user->MdlFlags & MDL_PAGES_LOCKED, 0);
  SIZE_T none = 0;
  EXPECT_EQ(mm::NtFreeVirtualMemory(kThisProcess, &base, &none, MEM_RELEASE), STATUS_SUCCESS);
  ex::FreePool(pool);
}

TEST_F(MmTest, AdvanceMdl_DropsWholePagesInFront) {
  auto* memory = static_cast<char*>(ex::AllocatePool(NonPagedPoolNx, 4 * PAGE_SIZE, 'tset'));
  TestMdl mdl(memory + 10, 3 * PAGE_SIZE);
  ProbeAndLockPages(mdl.mdl, KernelMode, IoReadAccess);
  ASSERT_EQ(AdvanceMdl(mdl.mdl, PAGE_SIZE + 5), STATUS_SUCCESS);
  EXPECT_EQ(mdl->StartVa, memory + PAGE_SIZE);
  EXPECT_EQ(mdl->ByteOffset, 15u);
  EXPECT_EQ(mdl->ByteCount, 2u * PAGE_SIZE - 5);
  EXPECT_EQ(GetSystemAddressForMdl(mdl.mdl), memory + PAGE_SIZE + 15);
  UnlockPages(mdl.mdl);
  ex::FreePool(memory);
}

}  // namespace
}  // namespace nt::mm
