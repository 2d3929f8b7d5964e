// Splay trees, generic tables and AVL tables: order, balance, enumeration; randomised runs against std::map.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <vector>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

struct Element {
  int key;
  int value;
};

int g_live = 0;
bool g_no_memory = false;
CLONG g_last_bytes = 0;

void* Allocate(CLONG bytes) {
  g_last_bytes = bytes;
  if (g_no_memory) return nullptr;
  ++g_live;
  return malloc(bytes);
}
void Free(void* block) {
  --g_live;
  free(block);
}
RTL_GENERIC_COMPARE_RESULTS CompareKeys(void* a, void* b) {
  const int x = static_cast<Element*>(a)->key, y = static_cast<Element*>(b)->key;
  return x < y ? GenericLessThan : x > y ? GenericGreaterThan : GenericEqual;
}

RTL_GENERIC_COMPARE_RESULTS NTAPI AvlCompare(PRTL_AVL_TABLE, PVOID a, PVOID b) { return CompareKeys(a, b); }
PVOID NTAPI AvlAllocate(PRTL_AVL_TABLE, CLONG bytes) { return Allocate(bytes); }
VOID NTAPI AvlFree(PRTL_AVL_TABLE, PVOID block) { Free(block); }
RTL_GENERIC_COMPARE_RESULTS NTAPI SplayCompare(PRTL_GENERIC_TABLE, PVOID a, PVOID b) { return CompareKeys(a, b); }
PVOID NTAPI SplayAllocate(PRTL_GENERIC_TABLE, CLONG bytes) { return Allocate(bytes); }
VOID NTAPI SplayFree(PRTL_GENERIC_TABLE, PVOID block) { Free(block); }

class RtlTables : public testing::Test {
 protected:
  void SetUp() override {
    g_live = 0;
    g_no_memory = false;
    InitializeGenericTableAvl(&avl, AvlCompare, AvlAllocate, AvlFree, nullptr);
    InitializeGenericTable(&splay, SplayCompare, SplayAllocate, SplayFree, nullptr);
  }
  void TearDown() override {
    while (auto* element = static_cast<Element*>(EnumerateGenericTableAvl(&avl, TRUE)))
      DeleteElementGenericTableAvl(&avl, element);
    while (auto* element = static_cast<Element*>(GetElementGenericTable(&splay, 0)))
      DeleteElementGenericTable(&splay, element);
    EXPECT_EQ(g_live, 0);
  }
  Element* InsertAvl(int key, bool* is_new = nullptr) {
    Element element = {key, key * 10};
    BOOLEAN made = FALSE;
    auto* inserted = static_cast<Element*>(InsertElementGenericTableAvl(&avl, &element, sizeof(element), &made));
    if (is_new) *is_new = made;
    return inserted;
  }
  Element* InsertSplay(int key) {
    Element element = {key, key * 10};
    return static_cast<Element*>(InsertElementGenericTable(&splay, &element, sizeof(element), nullptr));
  }

  RTL_AVL_TABLE avl;
  RTL_GENERIC_TABLE splay;
};

/// Checks links, order and balances below `node`; returns the height.
int CheckAvl(PRTL_BALANCED_LINKS node, PRTL_BALANCED_LINKS parent, std::vector<int>* keys) {
  if (!node) return 0;
  EXPECT_EQ(node->Parent, parent);
  const int left = CheckAvl(node->LeftChild, node, keys);
  keys->push_back(reinterpret_cast<Element*>(node + 1)->key);
  const int right = CheckAvl(node->RightChild, node, keys);
  EXPECT_EQ(node->Balance, right - left);
  EXPECT_LE(std::abs(right - left), 1);
  return 1 + std::max(left, right);
}

void CheckSplay(PRTL_SPLAY_LINKS node, PRTL_SPLAY_LINKS parent, std::vector<int>* keys) {
  if (!node) return;
  EXPECT_EQ(node->Parent, parent);
  CheckSplay(node->LeftChild, node, keys);
  keys->push_back(reinterpret_cast<Element*>(reinterpret_cast<char*>(node) + 40)->key);
  CheckSplay(node->RightChild, node, keys);
}

template <class Model>
std::vector<int> KeysOf(const Model& model) {
  std::vector<int> keys;
  for (const auto& [key, value] : model) keys.push_back(key);
  return keys;
}

TEST_F(RtlTables, Avl_AsksForItsLinksAndTheElement) {
  InsertAvl(1);
  EXPECT_EQ(g_last_bytes, sizeof(RTL_BALANCED_LINKS) + sizeof(Element));
  InsertSplay(1);
  EXPECT_EQ(g_last_bytes, sizeof(RTL_SPLAY_LINKS) + sizeof(LIST_ENTRY) + sizeof(Element));
}

TEST_F(RtlTables, Avl_InsertOfAnEqualElement_ReturnsTheFirst) {
  bool is_new = false;
  Element* first = InsertAvl(5, &is_new);
  EXPECT_TRUE(is_new);
  EXPECT_EQ(InsertAvl(5, &is_new), first);
  EXPECT_FALSE(is_new);
  EXPECT_EQ(avl.NumberGenericTableElements, 1u);
}

TEST_F(RtlTables, NoMemory_InsertReturnsNull) {
  g_no_memory = true;
  EXPECT_EQ(InsertAvl(1), nullptr);
  EXPECT_EQ(InsertSplay(1), nullptr);
  EXPECT_EQ(avl.NumberGenericTableElements, 0u);
  EXPECT_EQ(splay.TableRoot, nullptr);
}

TEST_F(RtlTables, Avl_Random_AgainstAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::map<int, int> model;
  for (int step = 0; step < 6000; ++step) {
    // Grows, then shrinks, so that deep trees are taken apart as well.
    const int key = static_cast<int>(random() % 400);
    if (random() % 100 < (step % 2000 < 1000 ? 70u : 30u)) {
      InsertAvl(key);
      model.emplace(key, key * 10);
    } else {
      Element probe = {key, 0};
      ASSERT_EQ(DeleteElementGenericTableAvl(&avl, &probe), model.erase(key) == 1);
    }
    std::vector<int> keys;
    ASSERT_EQ(CheckAvl(avl.BalancedRoot.RightChild, &avl.BalancedRoot, &keys), static_cast<int>(avl.DepthOfTree));
    ASSERT_EQ(keys, KeysOf(model));
    ASSERT_EQ(avl.NumberGenericTableElements, model.size());
    if (!model.empty()) {
      const ULONG index = random() % model.size();
      ASSERT_EQ(static_cast<Element*>(GetElementGenericTableAvl(&avl, index))->key, keys[index]);
    }
  }
}

TEST_F(RtlTables, Splay_Random_AgainstAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::map<int, int> model;
  std::vector<int> inserted;
  for (int step = 0; step < 4000; ++step) {
    const int key = static_cast<int>(random() % 200);
    Element probe = {key, 0};
    switch (random() % 3) {
      case 0:
        if (model.emplace(key, key * 10).second) inserted.push_back(key);
        ASSERT_EQ(InsertSplay(key)->key, key);
        break;
      case 1:
        ASSERT_EQ(DeleteElementGenericTable(&splay, &probe), model.erase(key) == 1);
        inserted.erase(std::remove(inserted.begin(), inserted.end(), key), inserted.end());
        break;
      default: {
        auto* found = static_cast<Element*>(LookupElementGenericTable(&splay, &probe));
        ASSERT_EQ(found != nullptr, model.count(key) == 1);
      }
    }
    std::vector<int> keys;
    CheckSplay(splay.TableRoot, splay.TableRoot, &keys);
    ASSERT_EQ(keys, KeysOf(model));
    if (!inserted.empty()) {
      const ULONG index = random() % inserted.size();
      ASSERT_EQ(static_cast<Element*>(GetElementGenericTable(&splay, index))->key, inserted[index]);
    }
  }
}

TEST_F(RtlTables, Enumerate_GivesKeysInOrder) {
  for (int key : {3, 1, 4, 5, 9, 2, 6}) InsertAvl(key), InsertSplay(key);
  const std::vector<int> expected = {1, 2, 3, 4, 5, 6, 9};
  std::vector<int> keys;
  for (auto* e = EnumerateGenericTable(&splay, TRUE); e; e = EnumerateGenericTable(&splay, FALSE))
    keys.push_back(static_cast<Element*>(e)->key);
  EXPECT_EQ(keys, expected);
  keys.clear();
  PVOID restart = nullptr;
  while (auto* e = static_cast<Element*>(EnumerateGenericTableWithoutSplaying(&splay, &restart))) keys.push_back(e->key);
  EXPECT_EQ(keys, expected);
  keys.clear();
  restart = nullptr;
  while (auto* e = static_cast<Element*>(EnumerateGenericTableWithoutSplayingAvl(&avl, &restart)))
    keys.push_back(e->key);
  EXPECT_EQ(keys, expected);
}

TEST_F(RtlTables, Avl_Enumerate_SurvivesDeletionOfTheCurrentElement) {
  for (int key = 0; key < 20; ++key) InsertAvl(key);
  std::vector<int> keys;
  for (auto* e = static_cast<Element*>(EnumerateGenericTableAvl(&avl, TRUE)); e;
       e = static_cast<Element*>(EnumerateGenericTableAvl(&avl, FALSE))) {
    keys.push_back(e->key);
    if (e->key % 2) DeleteElementGenericTableAvl(&avl, e);
  }
  ASSERT_EQ(keys.size(), 20u);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(avl.NumberGenericTableElements, 10u);
}

NTSTATUS NTAPI MatchEven(PRTL_AVL_TABLE, PVOID data, PVOID limit) {
  const int key = static_cast<Element*>(data)->key;
  if (key >= *static_cast<int*>(limit)) return STATUS_NO_MORE_MATCHES;
  return key % 2 ? STATUS_NO_MATCH : STATUS_SUCCESS;
}

TEST_F(RtlTables, Avl_LikeADirectory_ResumesByValueAfterADeletion) {
  for (int key = 0; key < 10; ++key) InsertAvl(key);
  PVOID restart = nullptr;
  ULONG deletes = 0;
  Element at = {-1, 0};
  int limit = 9;
  std::vector<int> keys;
  while (auto* e = static_cast<Element*>(
             EnumerateGenericTableLikeADirectory(&avl, MatchEven, &limit, TRUE, &restart, &deletes, &at))) {
    at = *e;
    keys.push_back(at.key);
    if (at.key == 4) {
      Element gone = {4, 0};
      DeleteElementGenericTableAvl(&avl, &gone);
    }
  }
  EXPECT_EQ(keys, (std::vector<int>{0, 2, 4, 6, 8}));
}

TEST_F(RtlTables, Avl_LikeADirectory_NextFlagDecidesAboutTheStart) {
  for (int key : {10, 20, 30}) InsertAvl(key);
  for (const auto& [start, next, expected] : {std::tuple{20, FALSE, 20}, {20, TRUE, 30}, {15, TRUE, 20}, {15, FALSE, 20}}) {
    PVOID restart = nullptr;
    ULONG deletes = 0;
    Element at = {start, 0};
    auto* e = static_cast<Element*>(
        EnumerateGenericTableLikeADirectory(&avl, nullptr, nullptr, next, &restart, &deletes, &at));
    ASSERT_NE(e, nullptr);
    EXPECT_EQ(e->key, expected);
  }
}

TEST_F(RtlTables, LookupFull_ThenInsertFull_AddsThere) {
  InsertAvl(1);
  Element element = {2, 20};
  PVOID where;
  TABLE_SEARCH_RESULT result;
  EXPECT_EQ(LookupElementGenericTableFullAvl(&avl, &element, &where, &result), nullptr);
  EXPECT_EQ(result, TableInsertAsRight);
  BOOLEAN is_new = FALSE;
  EXPECT_NE(InsertElementGenericTableFullAvl(&avl, &element, sizeof(element), &is_new, where, result), nullptr);
  EXPECT_TRUE(is_new);
  EXPECT_NE(LookupElementGenericTableAvl(&avl, &element), nullptr);
}

}  // namespace
}  // namespace nt::rtl
