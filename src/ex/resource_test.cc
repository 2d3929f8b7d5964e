// ERESOURCE: recursion, order of waiters, hand-over, and a randomised run of readers and writers.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ke/service.h"
#include "src/ke/thread.h"
#include "src/machine/test_machine.h"

namespace nt::ex {
namespace {

// Every test runs with a fresh resource, and with one that is biased towards readers.
class ResourceTest : public machine::TestMachine, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    ASSERT_EQ(InitializeResourceLite(&resource_), STATUS_SUCCESS);
    if (GetParam()) Bias();
  }
  void Bias() {
    for (int i = 0; i < 300; i++) {
      ASSERT_TRUE(AcquireResourceSharedLite(&resource_, true));
      ReleaseResourceLite(&resource_);
    }
  }
  void TearDown() override {
    EXPECT_EQ(DeleteResourceLite(&resource_), STATUS_SUCCESS);
    TestMachine::TearDown();
  }
  ERESOURCE resource_{};
};

template <class F>
void OnOtherThread(F&& body) {
  std::thread thread([&] {
    ke::ServiceScope scope(nullptr, KernelMode);
    body();
  });
  thread.join();
}

TEST_P(ResourceTest, Exclusive_Recurses_AndExcludesOthers) {
  EXPECT_TRUE(AcquireResourceExclusiveLite(&resource_, true));
  EXPECT_TRUE(AcquireResourceExclusiveLite(&resource_, false));
  EXPECT_TRUE(AcquireResourceSharedLite(&resource_, false)) << "the exclusive owner may take it shared";
  EXPECT_TRUE(IsResourceAcquiredExclusiveLite(&resource_));
  EXPECT_EQ(IsResourceAcquiredSharedLite(&resource_), 3u);
  OnOtherThread([&] {
    EXPECT_FALSE(AcquireResourceExclusiveLite(&resource_, false));
    EXPECT_FALSE(AcquireResourceSharedLite(&resource_, false));
    EXPECT_EQ(IsResourceAcquiredSharedLite(&resource_), 0u);
  });
  for (int i = 0; i < 3; i++) ReleaseResourceLite(&resource_);
  OnOtherThread([&] {
    EXPECT_TRUE(AcquireResourceExclusiveLite(&resource_, false));
    ReleaseResourceLite(&resource_);
  });
}

TEST_P(ResourceTest, Shared_IsRecursive_EvenPastAnExclusiveWaiter) {
  ASSERT_TRUE(AcquireResourceSharedLite(&resource_, true));
  std::thread writer([&] {
    ke::ServiceScope scope(nullptr, KernelMode);
    AcquireResourceExclusiveLite(&resource_, true);
    ReleaseResourceLite(&resource_);
  });
  while (GetExclusiveWaiterCount(&resource_) == 0) std::this_thread::yield();
  EXPECT_TRUE(AcquireResourceSharedLite(&resource_, false)) << "this thread holds it shared already";
  OnOtherThread([&] {
    EXPECT_FALSE(AcquireResourceSharedLite(&resource_, false)) << "a newcomer stands behind the writer";
    EXPECT_TRUE(AcquireSharedStarveExclusive(&resource_, false));
    ReleaseResourceLite(&resource_);
  });
  EXPECT_FALSE(AcquireSharedWaitForExclusive(&resource_, false)) << "this form waits behind the writer even so";
  ReleaseResourceLite(&resource_);
  ReleaseResourceLite(&resource_);
  writer.join();
}

TEST_P(ResourceTest, ConvertExclusiveToShared_LetsReadersIn) {
  ASSERT_TRUE(AcquireResourceExclusiveLite(&resource_, true));
  ConvertExclusiveToSharedLite(&resource_);
  EXPECT_FALSE(IsResourceAcquiredExclusiveLite(&resource_));
  EXPECT_EQ(IsResourceAcquiredSharedLite(&resource_), 1u);
  OnOtherThread([&] {
    EXPECT_TRUE(AcquireResourceSharedLite(&resource_, false));
    ReleaseResourceLite(&resource_);
    EXPECT_FALSE(AcquireResourceExclusiveLite(&resource_, false));
  });
  ReleaseResourceLite(&resource_);
}

TEST_P(ResourceTest, OwnerPointer_IsReleasedByAnotherThread) {
  for (bool exclusive : {false, true}) {
    int token = 0;
    ASSERT_TRUE(exclusive ? AcquireResourceExclusiveLite(&resource_, true) : AcquireResourceSharedLite(&resource_, true));
    void* owner = reinterpret_cast<void*>(reinterpret_cast<ULONG_PTR>(&token) | 3);
    SetResourceOwnerPointer(&resource_, owner);
    EXPECT_EQ(IsResourceAcquiredSharedLite(&resource_), 0u) << "this thread is no owner any more";
    OnOtherThread([&] {
      EXPECT_FALSE(AcquireResourceExclusiveLite(&resource_, false));
      ReleaseResourceForThreadLite(&resource_, reinterpret_cast<ERESOURCE_THREAD>(owner));
      EXPECT_TRUE(AcquireResourceExclusiveLite(&resource_, false));
      ReleaseResourceLite(&resource_);
    });
  }
}

TEST_P(ResourceTest, ReleaseForThread_ReleasesWhatTheOtherThreadHolds) {
  ASSERT_TRUE(AcquireResourceSharedLite(&resource_, true));
  auto* self = reinterpret_cast<ERESOURCE_THREAD>(ke::CurrentThread()) ? ke::CurrentThread() : nullptr;
  OnOtherThread([&] { ReleaseResourceForThreadLite(&resource_, reinterpret_cast<ERESOURCE_THREAD>(self)); });
  EXPECT_EQ(IsResourceAcquiredSharedLite(&resource_), 0u);
}

TEST_P(ResourceTest, ManyAtOnce_AreHeldSharedAndReleasedInAnyOrder) {
  std::vector<ERESOURCE> others(30);
  for (auto& other : others) {
    InitializeResourceLite(&other);
    for (int i = 0; i < 300; i++) {
      AcquireResourceSharedLite(&other, true);
      ReleaseResourceLite(&other);
    }
  }
  for (auto& other : others) ASSERT_TRUE(AcquireResourceSharedLite(&other, true));
  ASSERT_TRUE(AcquireResourceSharedLite(&resource_, true));
  OnOtherThread([&] {
    EXPECT_FALSE(AcquireResourceExclusiveLite(&resource_, false));
    EXPECT_FALSE(AcquireResourceExclusiveLite(&others[0], false));
    EXPECT_FALSE(AcquireResourceExclusiveLite(&others[29], false));
  });
  for (auto& other : others) {
    EXPECT_EQ(IsResourceAcquiredSharedLite(&other), 1u);
    ReleaseResourceLite(&other);
  }
  ReleaseResourceLite(&resource_);
  OnOtherThread([&] {
    for (auto& other : others) {
      EXPECT_TRUE(AcquireResourceExclusiveLite(&other, false));
      ReleaseResourceLite(&other);
    }
  });
  for (auto& other : others) EXPECT_EQ(DeleteResourceLite(&other), STATUS_SUCCESS);
}

// A writer now and then among readers: the bias comes and goes under readers in every state.
TEST_P(ResourceTest, Random_RareWriters_RevokeTheBiasOfManyReaders) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  uint64_t a = 0, b = 0;
  std::atomic<int> broken{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; t++) {
    threads.emplace_back([&, t] {
      std::mt19937 random(seed + t);
      for (int i = 0; i < 30000; i++) {
        ke::ServiceScope scope(nullptr, KernelMode);
        const bool wait = random() % 4 != 0;
        if (random() % 500) {
          if (!AcquireResourceSharedLite(&resource_, wait)) continue;
          const bool again = random() % 2 && AcquireResourceSharedLite(&resource_, true);
          if (a != b) broken++;
          if (again) ReleaseResourceLite(&resource_);
        } else {
          if (!AcquireResourceExclusiveLite(&resource_, wait)) continue;
          a++;
          b++;
        }
        ReleaseResourceLite(&resource_);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(a, b);
}

// Readers see two counters equal; writers keep them so.
TEST_P(ResourceTest, Random_ReadersAndWriters_KeepTheInvariant) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  uint64_t a = 0, b = 0;
  std::atomic<int> broken{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; t++) {
    threads.emplace_back([&, t] {
      std::mt19937 random(seed + t);
      for (int i = 0; i < 5000; i++) {
        ke::ServiceScope scope(nullptr, KernelMode);
        const unsigned choice = random() % 10;
        const bool wait = random() % 4 != 0;
        if (choice < 6) {
          if (!AcquireResourceSharedLite(&resource_, wait)) continue;
          const bool again = random() % 2 && AcquireResourceSharedLite(&resource_, true);
          if (a != b) broken++;
          if (again) ReleaseResourceLite(&resource_);
          ReleaseResourceLite(&resource_);
        } else {
          if (!AcquireResourceExclusiveLite(&resource_, wait)) continue;
          a++;
          b++;
          if (choice == 9) {
            ConvertExclusiveToSharedLite(&resource_);
            if (a != b) broken++;
          }
          ReleaseResourceLite(&resource_);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(a, b);
}

INSTANTIATE_TEST_SUITE_P(Bias, ResourceTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "BiasedTowardsReaders" : "Fresh"; });

}  // namespace
}  // namespace nt::ex
