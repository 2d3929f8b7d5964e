// The pool: alignment, page rule, accounting, and a randomised run against a model.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

#include "src/ex/ex.h"
#include "src/machine/test_machine.h"

namespace nt::ex {
namespace {

class PoolTest : public machine::TestMachine {};

TEST_F(PoolTest, Blocks_AreAligned_AndSmallOnesNeverCrossAPage) {
  for (SIZE_T bytes = 0; bytes < 3 * PAGE_SIZE; bytes += 7) {
    auto* block = static_cast<UCHAR*>(AllocatePool(NonPagedPoolNx, bytes, 'tset'));
    ASSERT_NE(block, nullptr);
    const auto address = reinterpret_cast<ULONG_PTR>(block);
    EXPECT_EQ(address % 16, 0u);
    if (bytes >= PAGE_SIZE) EXPECT_EQ(address % PAGE_SIZE, 0u) << bytes;
    else if (bytes) EXPECT_EQ(address / PAGE_SIZE, (address + bytes - 1) / PAGE_SIZE) << bytes;
    EXPECT_EQ(PoolBlockBytes(block), bytes);
    std::memset(block, 0xA5, bytes);
    FreePool(block);
    EXPECT_EQ(PoolBlockBytes(block), 0u);
  }
}

TEST_F(PoolTest, Random_AgainstAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const PoolUse before = CurrentPoolUse();
  struct Block {
    SIZE_T bytes;
    UCHAR fill;
  };
  std::map<UCHAR*, Block> live;
  for (int i = 0; i < 20000; i++) {
    if (live.size() < 500 && random() % 2) {
      const SIZE_T bytes = random() % 20 ? random() % 3000 : random() % 300000;
      auto* block = static_cast<UCHAR*>(AllocatePool(PagedPool, bytes, 'dnaR'));
      ASSERT_NE(block, nullptr);
      const auto fill = static_cast<UCHAR>(random());
      std::memset(block, fill, bytes);
      ASSERT_TRUE(live.emplace(block, Block{bytes, fill}).second) << "a live block was handed out again";
    } else if (!live.empty()) {
      auto entry = std::next(live.begin(), random() % live.size());
      for (SIZE_T k = 0; k < entry->second.bytes; k++) ASSERT_EQ(entry->first[k], entry->second.fill);
      FreePool(entry->first);
      live.erase(entry);
    }
  }
  for (auto& [block, what] : live) FreePool(block);
  const PoolUse after = CurrentPoolUse();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.bytes, before.bytes);
}

}  // namespace
}  // namespace nt::ex
