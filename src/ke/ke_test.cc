// The kernel core alone: ke boots without ex, ob and ps. Random tests print their seed; NTIO_SEED replays it.
#include "src/ke/ke.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "src/ke/internal.h"

namespace nt::ke {
namespace {

uint64_t Seed() {
  static const uint64_t seed = [] {
    if (const char* text = std::getenv("NTIO_SEED")) return std::strtoull(text, nullptr, 0);
    uint64_t value;
    host::RandomBytes(std::as_writable_bytes(std::span(&value, 1)));
    return static_cast<unsigned long long>(value);
  }();
  return seed;
}

LARGE_INTEGER Relative(int64_t milliseconds) {
  LARGE_INTEGER time;
  time.QuadPart = -milliseconds * 10'000;
  return time;
}
LARGE_INTEGER Poll() {
  LARGE_INTEGER time;
  time.QuadPart = 0;
  return time;
}

class Threads {
 public:
  ~Threads() { Join(); }
  void Start(std::function<void()> body) {
    threads_.push_back(host::Thread::Start("test", 1024 * 1024 * 4, [body = std::move(body)] {
      ASSERT_TRUE(CallIntoMachine([&] {
        ServiceScope scope(nullptr, KernelMode);
        body();
      }));
    }));
  }
  void Join() {
    for (auto& thread : threads_) thread->Join();
    threads_.clear();
  }

 private:
  std::vector<std::unique_ptr<host::Thread>> threads_;
};

class KeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Boot(options_).ok());
    scope_ = std::make_unique<ServiceScope>(nullptr, KernelMode);
  }
  void TearDown() override {
    threads_.Join();
    scope_.reset();
    Shutdown();
  }
  /// Waits until `condition` holds, ten seconds at most.
  template <class F>
  static bool Eventually(F&& condition) {
    const uint64_t until = host::MonotonicNanoseconds() + 10'000'000'000;
    while (!condition()) {
      if (host::MonotonicNanoseconds() > until) return false;
      host::Yield();
    }
    return true;
  }
  static void AwaitWaiting(std::atomic<Thread*>& thread) {
    ASSERT_TRUE(Eventually([&] {
      Thread* at = thread.load();
      if (!at) return false;
      Dispatcher dispatcher;
      return at->waiting;
    }));
  }

  BootOptions options_;
  std::unique_ptr<ServiceScope> scope_;
  Threads threads_;
};

NTSTATUS Wait(void* object, const LARGE_INTEGER* timeout = nullptr) {
  return WaitForSingleObject(object, Executive, KernelMode, false, timeout);
}

// --- dispatcher objects ---------------------------------------------------------------------------------------------------

TEST_F(KeTest, NotificationEvent_StaysSignalledUntilReset) {
  KEVENT event;
  InitializeEvent(&event, NotificationEvent, false);
  auto poll = Poll();
  EXPECT_EQ(STATUS_TIMEOUT, Wait(&event, &poll));
  EXPECT_EQ(0, SetEvent(&event));
  EXPECT_EQ(1, SetEvent(&event));
  EXPECT_EQ(STATUS_SUCCESS, Wait(&event));
  EXPECT_EQ(STATUS_SUCCESS, Wait(&event));
  EXPECT_EQ(1, ResetEvent(&event));
  EXPECT_EQ(STATUS_TIMEOUT, Wait(&event, &poll));
}

TEST_F(KeTest, SynchronizationEvent_ReleasesOneWait) {
  KEVENT event;
  InitializeEvent(&event, SynchronizationEvent, true);
  auto poll = Poll();
  EXPECT_EQ(1, ReadStateEvent(&event));
  EXPECT_EQ(STATUS_SUCCESS, Wait(&event, &poll));
  EXPECT_EQ(STATUS_TIMEOUT, Wait(&event, &poll));
}

TEST_F(KeTest, WaitTimesOut) {
  KEVENT event;
  InitializeEvent(&event, NotificationEvent, false);
  auto timeout = Relative(20);
  const uint64_t before = host::MonotonicNanoseconds();
  EXPECT_EQ(STATUS_TIMEOUT, Wait(&event, &timeout));
  EXPECT_GE(host::MonotonicNanoseconds() - before, 20'000'000u);
  QuerySystemTime(&timeout);
  timeout.QuadPart += 200'000;
  EXPECT_EQ(STATUS_TIMEOUT, Wait(&event, &timeout));
  LARGE_INTEGER now;
  QuerySystemTime(&now);
  EXPECT_GE(now.QuadPart, timeout.QuadPart);
  EXPECT_TRUE(IsListEmpty(&event.Header.WaitListHead));
}

TEST_F(KeTest, EventOnTheStackOfTheWaiterMayGoAsSoonAsTheWaitEnds) {
  std::atomic<PKEVENT> mailbox{nullptr};
  constexpr int kRounds = 3000;
  threads_.Start([&] {
    for (int i = 0; i < kRounds; i++) {
      PKEVENT event;
      while (!(event = mailbox.exchange(nullptr))) host::Yield();
      SetEvent(event);
    }
  });
  for (int i = 0; i < kRounds; i++) {
    auto event = std::make_unique<KEVENT>();
    InitializeEvent(event.get(), i % 2 ? NotificationEvent : SynchronizationEvent, false);
    mailbox.store(event.get());
    EXPECT_EQ(STATUS_SUCCESS, Wait(event.get()));
  }
}

TEST_F(KeTest, WaitForMultiple_AnyAndAll) {
  KEVENT events[3];
  void* objects[3];
  for (int i = 0; i < 3; i++) {
    InitializeEvent(&events[i], SynchronizationEvent, false);
    objects[i] = &events[i];
  }
  auto poll = Poll();
  auto wait = [&](WAIT_TYPE type) {
    return WaitForMultipleObjects(3, objects, type, Executive, KernelMode, false, &poll, nullptr);
  };
  EXPECT_EQ(STATUS_TIMEOUT, wait(WaitAny));
  SetEvent(&events[2]);
  SetEvent(&events[1]);
  EXPECT_EQ(STATUS_TIMEOUT, wait(WaitAll));
  EXPECT_EQ(1, ReadStateEvent(&events[1])) << "a wait for all takes nothing until it takes all";
  EXPECT_EQ(STATUS_WAIT_1, wait(WaitAny));
  EXPECT_EQ(STATUS_WAIT_2, wait(WaitAny));
  for (auto& event : events) SetEvent(&event);
  EXPECT_EQ(STATUS_SUCCESS, wait(WaitAll));
  for (auto& event : events) EXPECT_EQ(0, ReadStateEvent(&event));
}

TEST_F(KeTest, WaitForMultiple_ManyObjectsWithBlocks_AllIsWokenByTheLast) {
  constexpr int kCount = 20;
  KEVENT events[kCount];
  void* objects[kCount];
  for (int i = 0; i < kCount; i++) {
    InitializeEvent(&events[i], NotificationEvent, false);
    objects[i] = &events[i];
  }
  std::atomic<bool> done{false};
  threads_.Start([&] {
    KWAIT_BLOCK blocks[kCount];
    EXPECT_EQ(STATUS_SUCCESS,
              WaitForMultipleObjects(kCount, objects, WaitAll, Executive, KernelMode, false, nullptr, blocks));
    done = true;
  });
  for (auto& event : events) {
    EXPECT_FALSE(done);
    SetEvent(&event);
  }
  threads_.Join();
  EXPECT_TRUE(done);
}

TEST_F(KeTest, PulseEvent_ReleasesPresentWaitersOnly) {
  KEVENT event;
  InitializeEvent(&event, NotificationEvent, false);
  std::atomic<Thread*> waiter{nullptr};
  threads_.Start([&] {
    waiter = CurrentThread();
    EXPECT_EQ(STATUS_SUCCESS, Wait(&event));
  });
  AwaitWaiting(waiter);
  EXPECT_EQ(0, PulseEvent(&event));
  threads_.Join();
  EXPECT_EQ(0, ReadStateEvent(&event));
}

TEST_F(KeTest, Semaphore_LimitIsRaised) {
  KSEMAPHORE semaphore;
  InitializeSemaphore(&semaphore, 1, 2);
  EXPECT_EQ(1, ReleaseSemaphore(&semaphore, 0, 1));
  try {
    ReleaseSemaphore(&semaphore, 0, 1);
    ADD_FAILURE();
  } catch (const SehException& exception) {
    EXPECT_EQ(STATUS_SEMAPHORE_LIMIT_EXCEEDED, exception.code());
  }
  EXPECT_EQ(2, ReadStateSemaphore(&semaphore));
}

TEST_F(KeTest, Mutex_RecursesDisablesApcsAndKnowsItsOwner) {
  KMUTEX mutex;
  InitializeMutex(&mutex);
  EXPECT_EQ(1, ReadStateMutex(&mutex));
  EXPECT_EQ(STATUS_SUCCESS, Wait(&mutex));
  EXPECT_EQ(STATUS_SUCCESS, Wait(&mutex));
  EXPECT_TRUE(AreApcsDisabled());
  threads_.Start([&] {
    auto poll = Poll();
    EXPECT_EQ(STATUS_TIMEOUT, Wait(&mutex, &poll));
    try {
      ReleaseMutex(&mutex);
      ADD_FAILURE();
    } catch (const SehException& exception) {
      EXPECT_EQ(STATUS_MUTANT_NOT_OWNED, exception.code());
    }
  });
  threads_.Join();
  EXPECT_EQ(-1, ReleaseMutex(&mutex));
  EXPECT_TRUE(AreApcsDisabled());
  EXPECT_EQ(0, ReleaseMutex(&mutex));
  EXPECT_FALSE(AreApcsDisabled());
}

TEST_F(KeTest, Mutant_OfAThreadThatEndedIsAbandoned) {
  KMUTANT mutant;
  InitializeMutant(&mutant, false);
  threads_.Start([&] { EXPECT_EQ(STATUS_SUCCESS, Wait(&mutant)); });
  threads_.Join();
  ASSERT_TRUE(Eventually([&] { return ReadStateMutant(&mutant) == 1; }));
  EXPECT_EQ(STATUS_ABANDONED_WAIT_0, Wait(&mutant));
  EXPECT_EQ(0, ReleaseMutant(&mutant, 0, false));
  EXPECT_EQ(STATUS_SUCCESS, Wait(&mutant));
  EXPECT_EQ(0, ReleaseMutant(&mutant, 0, false));
}

// --- queues -----------------------------------------------------------------------------------------------------------------

struct Item {
  LIST_ENTRY entry;
  int number;
};

TEST_F(KeTest, Queue_OrderAndStatuses) {
  KQUEUE queue;
  InitializeQueue(&queue, 1);
  Item items[3] = {{{}, 0}, {{}, 1}, {{}, 2}};
  auto poll = Poll();
  EXPECT_EQ(reinterpret_cast<PLIST_ENTRY>(static_cast<LONG_PTR>(STATUS_TIMEOUT)), RemoveQueue(&queue, KernelMode, &poll));
  EXPECT_EQ(0, InsertQueue(&queue, &items[0].entry));
  EXPECT_EQ(1, InsertQueue(&queue, &items[1].entry));
  EXPECT_EQ(2, InsertHeadQueue(&queue, &items[2].entry));
  EXPECT_EQ(3, ReadStateQueue(&queue));
  EXPECT_EQ(&items[2].entry, RemoveQueue(&queue, KernelMode, nullptr));
  PLIST_ENTRY got[4];
  EXPECT_EQ(2u, RemoveQueueEx(&queue, KernelMode, false, nullptr, got, 4));
  EXPECT_EQ(&items[0].entry, got[0]);
  EXPECT_EQ(&items[1].entry, got[1]);
  EXPECT_EQ(static_cast<ULONG>(STATUS_TIMEOUT), RemoveQueueEx(&queue, KernelMode, false, &poll, got, 4));
  InsertQueue(&queue, &items[0].entry);
  InsertQueue(&queue, &items[1].entry);
  PLIST_ENTRY first = RundownQueue(&queue);
  ASSERT_EQ(&items[0].entry, first);
  EXPECT_EQ(&items[1].entry, first->Flink);
  EXPECT_EQ(first, first->Flink->Flink);
  EXPECT_EQ(nullptr, RundownQueue(&queue));
  EXPECT_EQ(nullptr, CurrentThread()->queue);
}

TEST_F(KeTest, Queue_RunsAtMostMaximumAndReplacesBlockedThreads) {
  KQUEUE queue;
  InitializeQueue(&queue, 2);
  std::atomic<int> running{0}, most{0}, taken{0}, blocked{0};
  KEVENT release;
  InitializeEvent(&release, NotificationEvent, false);
  constexpr int kItems = 400, kThreads = 5;
  std::vector<Item> items(kItems + kThreads);
  for (int i = 0; i < kThreads; i++) {
    threads_.Start([&] {
      for (;;) {
        auto* item = CONTAINING_RECORD(RemoveQueue(&queue, KernelMode, nullptr), Item, entry);
        if (item->number < 0) return;
        const int now = ++running;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        taken++;
        if (item->number < 2) {  // the first two block: two others must take over
          running--;
          blocked++;
          Wait(&release);
          blocked--;
          running++;
        } else {
          host::Yield();
        }
        running--;
      }
    });
  }
  for (int i = 0; i < kItems; i++) {
    items[i].number = i;
    InsertQueue(&queue, &items[i].entry);
  }
  ASSERT_TRUE(Eventually([&] { return taken == kItems && blocked == 2; }));
  EXPECT_LE(most, 2);
  SetEvent(&release);
  for (int i = 0; i < kThreads; i++) {
    items[kItems + i].number = -1;
    InsertQueue(&queue, &items[kItems + i].entry);
  }
  threads_.Join();
  EXPECT_EQ(nullptr, RundownQueue(&queue));
}

// --- IRQL, spin locks, DPCs --------------------------------------------------------------------------------------------------

TEST_F(KeTest, Irql_DispatchLevelOwnsAProcessor) {
  EXPECT_EQ(PASSIVE_LEVEL, GetCurrentIrql());
  EXPECT_EQ(PASSIVE_LEVEL, RaiseIrql(APC_LEVEL));
  EXPECT_EQ(-1, CurrentThread()->processor);
  EXPECT_EQ(APC_LEVEL, RaiseIrqlToDpcLevel());
  EXPECT_EQ(static_cast<int>(GetCurrentProcessorNumber()), CurrentThread()->processor);
  ULONG number;
  void* self;
  __asm__("movl %%gs:0x184, %0" : "=r"(number));
  __asm__("movq %%gs:0x188, %0" : "=r"(self));
  EXPECT_EQ(GetCurrentProcessorNumber(), number);
  EXPECT_EQ(CurrentThread(), self);
  LowerIrql(PASSIVE_LEVEL);
  EXPECT_EQ(-1, CurrentThread()->processor);
}

TEST_F(KeTest, Irql_TwoThreadsAtDispatchNeverShareAProcessor) {
  std::atomic<int> owners[kMaxProcessors] = {};
  std::atomic<int> failures{0};
  for (int i = 0; i < 7; i++) {
    threads_.Start([&] {
      for (int k = 0; k < 2000; k++) {
        const KIRQL old = RaiseIrqlToDpcLevel();
        auto& owner = owners[GetCurrentProcessorNumber()];
        if (owner.fetch_add(1) != 0) failures++;
        if (k % 64 == 0) host::Yield();
        owner.fetch_sub(1);
        LowerIrql(old);
      }
    });
  }
  threads_.Join();
  EXPECT_EQ(0, failures);
}

TEST_F(KeTest, SpinLock_Excludes) {
  KSPIN_LOCK lock;
  InitializeSpinLock(&lock);
  int counter = 0;
  constexpr int kThreads = 4, kRounds = 3000;
  for (int i = 0; i < kThreads; i++) {
    threads_.Start([&, i] {
      for (int k = 0; k < kRounds; k++) {
        if (i % 2) {
          KIRQL old;
          AcquireSpinLock(&lock, &old);
          counter++;
          if (k % 100 == 0) host::Yield();
          ReleaseSpinLock(&lock, old);
        } else {
          KLOCK_QUEUE_HANDLE handle;
          AcquireInStackQueuedSpinLock(&lock, &handle);
          counter++;
          ReleaseInStackQueuedSpinLock(&handle);
        }
      }
    });
  }
  threads_.Join();
  EXPECT_EQ(kThreads * kRounds, counter);
  EXPECT_EQ(0u, lock);
  const KIRQL old = RaiseIrqlToDpcLevel();
  EXPECT_TRUE(TryToAcquireSpinLockAtDpcLevel(&lock));
  EXPECT_FALSE(TestSpinLock(&lock));
  EXPECT_FALSE(TryToAcquireSpinLockAtDpcLevel(&lock));
  ReleaseSpinLockFromDpcLevel(&lock);
  LowerIrql(old);
}

struct DpcRecord {
  std::atomic<int> runs{0};
  std::atomic<KIRQL> irql{0};
  std::atomic<ULONG> processor{99};
  std::atomic<void*> argument1{nullptr}, argument2{nullptr};
};
void NTIO_MS_ABI RecordDpc(PKDPC, PVOID context, PVOID argument1, PVOID argument2) {
  auto* record = static_cast<DpcRecord*>(context);
  record->irql = GetCurrentIrql();
  record->processor = GetCurrentProcessorNumber();
  record->argument1 = argument1;
  record->argument2 = argument2;
  record->runs++;
}

TEST_F(KeTest, Dpc_RunsAtOnceBelowDispatchAndAtLoweringOtherwise) {
  KDPC dpc;
  DpcRecord record;
  InitializeDpc(&dpc, RecordDpc, &record);
  int a, b;
  EXPECT_TRUE(InsertQueueDpc(&dpc, &a, &b));
  EXPECT_EQ(1, record.runs);
  EXPECT_EQ(DISPATCH_LEVEL, record.irql);
  EXPECT_EQ(&a, record.argument1);
  EXPECT_EQ(&b, record.argument2);
  const KIRQL old = RaiseIrqlToDpcLevel();
  EXPECT_TRUE(InsertQueueDpc(&dpc, nullptr, nullptr));
  EXPECT_FALSE(InsertQueueDpc(&dpc, nullptr, nullptr));
  EXPECT_TRUE(RemoveQueueDpc(&dpc));
  EXPECT_FALSE(RemoveQueueDpc(&dpc));
  EXPECT_TRUE(InsertQueueDpc(&dpc, nullptr, nullptr));
  EXPECT_EQ(1, record.runs);
  LowerIrql(old);
  EXPECT_EQ(2, record.runs);
}

TEST_F(KeTest, Dpc_WithTargetRunsThereAndFlushWaits) {
  KDPC dpcs[4];
  DpcRecord records[4];
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 4; i++) {
      InitializeDpc(&dpcs[i], RecordDpc, &records[i]);
      SetTargetProcessorDpc(&dpcs[i], static_cast<CCHAR>(i));
      if (round % 2) SetImportanceDpc(&dpcs[i], HighImportance);
      EXPECT_TRUE(InsertQueueDpc(&dpcs[i], nullptr, nullptr));
    }
    FlushQueuedDpcs();
    for (int i = 0; i < 4; i++) {
      EXPECT_EQ(round + 1, records[i].runs);
      EXPECT_EQ(static_cast<ULONG>(i), records[i].processor);
    }
  }
}

TEST_F(KeTest, Dpc_RandomInsertionsRunEachExactlyOnce) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(Seed()));
  struct Slot {
    KDPC dpc;
    std::atomic<int> inserted{0}, ran{0}, removed{0};
  };
  std::vector<Slot> slots(8);
  for (auto& slot : slots)
    InitializeDpc(
        &slot.dpc, [](PKDPC, PVOID context, PVOID, PVOID) NTIO_MS_ABI { static_cast<Slot*>(context)->ran++; }, &slot);
  for (int i = 0; i < 4; i++) {
    threads_.Start([&, i] {
      std::mt19937_64 random(Seed() + static_cast<unsigned>(i));
      for (int k = 0; k < 1500; k++) {
        auto& slot = slots[random() % slots.size()];
        const bool raise = random() % 2;
        const KIRQL old = raise ? RaiseIrqlToDpcLevel() : static_cast<KIRQL>(PASSIVE_LEVEL);
        for (int n = static_cast<int>(random() % 3); n >= 0; n--) {
          if (random() % 4 == 0) slot.removed += RemoveQueueDpc(&slot.dpc);
          else slot.inserted += InsertQueueDpc(&slot.dpc, nullptr, nullptr);
        }
        if (raise) LowerIrql(old);
      }
    });
  }
  threads_.Join();
  FlushQueuedDpcs();
  for (auto& slot : slots) EXPECT_EQ(slot.inserted, slot.ran + slot.removed);
}

// --- timers -----------------------------------------------------------------------------------------------------------------

TEST_F(KeTest, Timer_ExpiresSignalsAndRunsItsDpc) {
  KTIMER timer;
  KDPC dpc;
  DpcRecord record;
  InitializeTimer(&timer);
  InitializeDpc(&dpc, RecordDpc, &record);
  EXPECT_FALSE(SetTimer(&timer, Relative(10), &dpc));
  EXPECT_FALSE(ReadStateTimer(&timer));
  EXPECT_EQ(STATUS_SUCCESS, Wait(&timer));
  EXPECT_TRUE(ReadStateTimer(&timer));
  FlushQueuedDpcs();
  EXPECT_EQ(1, record.runs);
  EXPECT_EQ(DISPATCH_LEVEL, record.irql);
  EXPECT_FALSE(CancelTimer(&timer));
  EXPECT_FALSE(SetTimer(&timer, Relative(10000), &dpc));
  EXPECT_TRUE(SetTimer(&timer, Relative(10000), &dpc));
  EXPECT_TRUE(CancelTimer(&timer));
  EXPECT_FALSE(SetTimer(&timer, Poll(), &dpc)) << "due at once";
  EXPECT_EQ(2, record.runs);
}

TEST_F(KeTest, Timer_Periodic) {
  KTIMER timer;
  InitializeTimerEx(&timer, SynchronizationTimer);
  SetTimerEx(&timer, Relative(1), 2, nullptr);
  for (int i = 0; i < 5; i++) EXPECT_EQ(STATUS_SUCCESS, Wait(&timer));
  EXPECT_TRUE(CancelTimer(&timer));
}

TEST_F(KeTest, Timer_RandomSetAndCancelLosesNothing) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(Seed()));
  std::mt19937_64 random(Seed());
  std::vector<KTIMER> timers(30);
  for (auto& timer : timers) InitializeTimer(&timer);
  std::vector<bool> set(timers.size());
  for (int i = 0; i < 600; i++) {
    const size_t at = random() % timers.size();
    if (random() % 3 == 0) {
      const bool was_set = set[at];
      EXPECT_TRUE(!CancelTimer(&timers[at]) || was_set);
      set[at] = false;
    } else {
      LARGE_INTEGER due;
      due.QuadPart = -static_cast<LONGLONG>(random() % 200'000);
      SetTimer(&timers[at], due, nullptr);
      set[at] = true;
    }
  }
  for (size_t i = 0; i < timers.size(); i++) {
    if (!set[i]) continue;
    EXPECT_EQ(STATUS_SUCCESS, Wait(&timers[i]));
  }
}

// --- APCs -------------------------------------------------------------------------------------------------------------------

struct ApcRecord {
  KAPC apc;
  std::atomic<int> kernel{0}, normal{0};
  std::atomic<KIRQL> kernel_irql{9}, normal_irql{9};
  std::atomic<Thread*> ran_on{nullptr};
};
void NTIO_MS_ABI KernelApc(PKAPC apc, PKNORMAL_ROUTINE*, PVOID*, PVOID*, PVOID*) {
  auto* record = CONTAINING_RECORD(apc, ApcRecord, apc);
  record->kernel_irql = GetCurrentIrql();
  record->ran_on = CurrentThread();
  record->kernel++;
}
void NTIO_MS_ABI NormalApc(PVOID context, PVOID, PVOID) {
  auto* record = static_cast<ApcRecord*>(context);
  record->normal_irql = GetCurrentIrql();
  record->normal++;
}

void MakeApc(ApcRecord* record, Thread* thread, bool normal, KPROCESSOR_MODE mode = KernelMode) {
  InitializeApc(&record->apc, thread->nt(), OriginalApcEnvironment, KernelApc, nullptr, normal ? NormalApc : nullptr,
                mode, record);
}

TEST_F(KeTest, Apc_ToSelf) {
  ApcRecord special, normal;
  MakeApc(&special, CurrentThread(), false);
  MakeApc(&normal, CurrentThread(), true);
  EXPECT_TRUE(InsertQueueApc(&special.apc, nullptr, nullptr));
  EXPECT_EQ(1, special.kernel);
  EXPECT_EQ(APC_LEVEL, special.kernel_irql);
  {
    CriticalRegion region;
    EXPECT_TRUE(InsertQueueApc(&normal.apc, nullptr, nullptr));
    EXPECT_FALSE(InsertQueueApc(&normal.apc, nullptr, nullptr));
    EXPECT_EQ(0, normal.kernel) << "a critical region holds normal APCs back";
    EXPECT_TRUE(InsertQueueApc(&special.apc, nullptr, nullptr));
    EXPECT_EQ(2, special.kernel) << "but not special ones";
    EXPECT_TRUE(AreApcsDisabled());
    EXPECT_FALSE(AreAllApcsDisabled());
  }
  EXPECT_EQ(1, normal.normal);
  EXPECT_EQ(APC_LEVEL, normal.kernel_irql);
  EXPECT_EQ(PASSIVE_LEVEL, normal.normal_irql);
  EnterGuardedRegion();
  EXPECT_TRUE(InsertQueueApc(&special.apc, nullptr, nullptr));
  EXPECT_TRUE(AreAllApcsDisabled());
  EXPECT_EQ(2, special.kernel);
  LeaveGuardedRegion();
  EXPECT_EQ(3, special.kernel);
  const KIRQL old = RaiseIrql(APC_LEVEL);
  EXPECT_TRUE(InsertQueueApc(&special.apc, nullptr, nullptr));
  EXPECT_EQ(3, special.kernel);
  LowerIrql(old);
  EXPECT_EQ(4, special.kernel);
}

TEST_F(KeTest, Apc_InterruptsAWaitWhichGoesOn) {
  KEVENT event;
  InitializeEvent(&event, NotificationEvent, false);
  std::atomic<Thread*> waiter{nullptr};
  threads_.Start([&] {
    waiter = CurrentThread();
    EXPECT_EQ(STATUS_SUCCESS, Wait(&event));
  });
  AwaitWaiting(waiter);
  ApcRecord record;
  for (int i = 1; i <= 20; i++) {
    MakeApc(&record, waiter, i % 2);
    EXPECT_TRUE(InsertQueueApc(&record.apc, nullptr, nullptr));
    ASSERT_TRUE(Eventually([&] { return record.kernel == i && record.normal == (i + 1) / 2; }));
  }
  EXPECT_EQ(waiter.load(), record.ran_on);
  SetEvent(&event);
}

TEST_F(KeTest, Apc_UserApcEndsAnAlertableUserWait) {
  std::atomic<Thread*> waiter{nullptr};
  ApcRecord record;
  threads_.Start([&] {
    ServiceScope scope(nullptr, UserMode);
    waiter = CurrentThread();
    KEVENT event;
    InitializeEvent(&event, NotificationEvent, false);
    EXPECT_EQ(STATUS_USER_APC, WaitForSingleObject(&event, UserRequest, UserMode, true, nullptr));
    EXPECT_EQ(0, record.normal) << "it runs at the end of the service";
  });
  AwaitWaiting(waiter);
  MakeApc(&record, waiter, true, UserMode);
  EXPECT_TRUE(InsertQueueApc(&record.apc, nullptr, nullptr));
  threads_.Join();
  EXPECT_EQ(1, record.normal);
  EXPECT_EQ(PASSIVE_LEVEL, record.normal_irql);
}

TEST_F(KeTest, Apc_IsRefusedForAThreadOutsideTheMachine) {
  std::atomic<Thread*> other{nullptr};
  std::atomic<bool> stop{false};
  auto thread = host::Thread::Start("outside", 1024 * 1024, [&] {
    { ServiceScope scope(nullptr, KernelMode); }
    other = CurrentThread();
    while (!stop) host::Yield();
  });
  ASSERT_TRUE(Eventually([&] { return other.load() != nullptr; }));
  ApcRecord record;
  MakeApc(&record, other, false);
  EXPECT_FALSE(InsertQueueApcIfDelivered(&record.apc, nullptr, nullptr));
  EXPECT_EQ(0, record.kernel);
  stop = true;
  thread->Join();
}

TEST_F(KeTest, Apc_RaceWithTheEndOfAServiceRunsItOnceOrRefusesIt) {
  std::atomic<Thread*> target{nullptr};
  std::atomic<bool> stop{false};
  auto thread = host::Thread::Start("service", 4 * 1024 * 1024, [&] {
    while (!stop) {
      ServiceScope scope(nullptr, KernelMode);
      target = scope.thread();
    }
  });
  ASSERT_TRUE(Eventually([&] { return target.load() != nullptr; }));
  int accepted = 0, refused = 0;
  ApcRecord record;
  for (int i = 0; i < 2000; i++) {
    MakeApc(&record, target, false);
    const int before = record.kernel;
    if (InsertQueueApcIfDelivered(&record.apc, nullptr, nullptr)) {
      accepted++;
      ASSERT_TRUE(Eventually([&] { return record.kernel == before + 1; }));
    } else {
      refused++;
      EXPECT_EQ(before, record.kernel);
    }
  }
  stop = true;
  thread->Join();
  EXPECT_EQ(accepted, record.kernel);
  std::printf("accepted %d refused %d\n", accepted, refused);
}

TEST_F(KeTest, Alert_EndsAnAlertableWait) {
  std::atomic<Thread*> waiter{nullptr};
  threads_.Start([&] {
    waiter = CurrentThread();
    auto forever = Relative(1'000'000);
    EXPECT_EQ(STATUS_ALERTED, DelayExecutionThread(KernelMode, true, &forever));
  });
  AwaitWaiting(waiter);
  EXPECT_FALSE(AlertThread(waiter.load()->nt(), KernelMode));
}

// --- random waits -----------------------------------------------------------------------------------------------------------------

TEST_F(KeTest, Random_MixedWaitsKeepEveryToken) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(Seed()));
  constexpr int kObjects = 4, kThreads = 5, kRounds = 500;
  KSEMAPHORE semaphores[kObjects];
  KMUTANT mutants[kObjects];
  int holders[kObjects] = {};
  for (int i = 0; i < kObjects; i++) {
    InitializeSemaphore(&semaphores[i], 2, 100);
    InitializeMutant(&mutants[i], false);
  }
  for (int t = 0; t < kThreads; t++) {
    threads_.Start([&, t] {
      std::mt19937_64 random(Seed() * 31 + static_cast<unsigned>(t));
      for (int round = 0; round < kRounds; round++) {
        const auto a = static_cast<unsigned>(random() % kObjects);
        const auto b = static_cast<unsigned>((a + 1 + random() % (kObjects - 1)) % kObjects);
        auto short_wait = Relative(static_cast<int64_t>(random() % 2));
        const LARGE_INTEGER* timeout = random() % 4 ? nullptr : &short_wait;
        switch (random() % 3) {
          case 0: {  // one of two semaphores
            void* objects[] = {&semaphores[a], &semaphores[b]};
            const NTSTATUS status =
                WaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, false, timeout, nullptr);
            if (status == STATUS_TIMEOUT) break;
            ReleaseSemaphore(&semaphores[status == STATUS_WAIT_0 ? a : b], 0, 1);
            break;
          }
          case 1: {  // two mutants at once
            void* objects[] = {&mutants[a], &mutants[b]};
            const NTSTATUS status =
                WaitForMultipleObjects(2, objects, WaitAll, Executive, KernelMode, false, timeout, nullptr);
            if (status == STATUS_TIMEOUT) break;
            EXPECT_EQ(0, holders[a]++);
            EXPECT_EQ(0, holders[b]++);
            if (random() % 8 == 0) host::Yield();
            holders[a]--;
            holders[b]--;
            ReleaseMutant(&mutants[a], 0, false);
            ReleaseMutant(&mutants[b], 0, false);
            break;
          }
          default: {  // a mutant and a semaphore at once
            void* objects[] = {&mutants[a], &semaphores[b]};
            const NTSTATUS status =
                WaitForMultipleObjects(2, objects, WaitAll, Executive, KernelMode, false, timeout, nullptr);
            if (status == STATUS_TIMEOUT) break;
            EXPECT_EQ(0, holders[a]++);
            holders[a]--;
            ReleaseMutant(&mutants[a], 0, false);
            ReleaseSemaphore(&semaphores[b], 0, 1);
          }
        }
      }
    });
  }
  threads_.Join();
  for (int i = 0; i < kObjects; i++) {
    EXPECT_EQ(2, ReadStateSemaphore(&semaphores[i]));
    EXPECT_EQ(1, ReadStateMutant(&mutants[i]));
    EXPECT_TRUE(IsListEmpty(&semaphores[i].Header.WaitListHead));
    EXPECT_TRUE(IsListEmpty(&mutants[i].Header.WaitListHead));
  }
}

// --- stacks, time, processors, device queues ----------------------------------------------------------------------------------------

void NTIO_MS_ABI MeasureCallout(PVOID parameter) { *static_cast<ULONG_PTR*>(parameter) = GetRemainingStackSize(); }

TEST_F(KeTest, Stack_IsAccountedAndExpands) {
  AccountedStack stack;  // as a service entry from here
  ULONG_PTR low, high;
  GetStackLimits(&low, &high);
  EXPECT_EQ(KernelStackBytes(), high - low);
  const auto here = reinterpret_cast<ULONG_PTR>(__builtin_frame_address(0));  // ASan may move locals elsewhere
  EXPECT_TRUE(WithinStackLimits(here - 4096, 8));
  EXPECT_FALSE(WithinStackLimits(low - 8, 8));
  const ULONG_PTR remaining = GetRemainingStackSize();
  EXPECT_LT(remaining, KernelStackBytes() + 4096);
  ULONG_PTR inside = 0;
  EXPECT_EQ(STATUS_SUCCESS, ExpandKernelStackAndCallout(MeasureCallout, &inside, MAXIMUM_EXPANSION_SIZE));
  EXPECT_GT(inside, remaining);
  EXPECT_GE(inside + 8192, static_cast<ULONG_PTR>(MAXIMUM_EXPANSION_SIZE));
  EXPECT_EQ(STATUS_INVALID_PARAMETER_3,
            ExpandKernelStackAndCallout(MeasureCallout, &inside, MAXIMUM_EXPANSION_SIZE + 1));
  ULONG_PTR low_after, high_after;
  GetStackLimits(&low_after, &high_after);
  EXPECT_EQ(low, low_after);
}

TEST_F(KeTest, Time_Advances) {
  LARGE_INTEGER a, b;
  QueryTickCount(&a);
  auto delay = Relative(40);
  EXPECT_EQ(STATUS_SUCCESS, DelayExecutionThread(KernelMode, false, &delay));
  QueryTickCount(&b);
  EXPECT_GE(b.QuadPart - a.QuadPart, 2);
  KUSER_SHARED_DATA data{};
  UpdateSharedUserData(&data);
  EXPECT_EQ(data.SystemTime.High1Time, data.SystemTime.High2Time);
  LARGE_INTEGER now;
  QuerySystemTime(&now);
  EXPECT_LT(now.QuadPart - *reinterpret_cast<LONGLONG*>(const_cast<KSYSTEM_TIME*>(&data.SystemTime)), 50'000'000);
}

TEST_F(KeTest, Affinity_ChoosesTheProcessor) {
  for (ULONG number = 0; number < QueryActiveProcessorCount(nullptr); number++) {
    SetSystemAffinityThread(static_cast<KAFFINITY>(1) << number);
    EXPECT_EQ(number, GetCurrentProcessorNumber());
    const KIRQL old = RaiseIrqlToDpcLevel();
    EXPECT_EQ(number, GetCurrentProcessorNumber());
    LowerIrql(old);
  }
  RevertToUserAffinityThread();
  EXPECT_EQ(QueryActiveProcessors(), CurrentThread()->affinity);
}

TEST_F(KeTest, DeviceQueue_OrderAndBusy) {
  KDEVICE_QUEUE queue;
  KDEVICE_QUEUE_ENTRY entries[4] = {};
  InitializeDeviceQueue(&queue);
  EXPECT_FALSE(InsertDeviceQueue(&queue, &entries[0])) << "idle: the caller starts the request";
  EXPECT_TRUE(InsertByKeyDeviceQueue(&queue, &entries[1], 30));
  EXPECT_TRUE(InsertByKeyDeviceQueue(&queue, &entries[2], 10));
  EXPECT_TRUE(InsertByKeyDeviceQueue(&queue, &entries[3], 20));
  EXPECT_TRUE(RemoveEntryDeviceQueue(&queue, &entries[3]));
  EXPECT_FALSE(RemoveEntryDeviceQueue(&queue, &entries[3]));
  EXPECT_EQ(&entries[1], RemoveByKeyDeviceQueue(&queue, 15));
  EXPECT_EQ(&entries[2], RemoveByKeyDeviceQueue(&queue, 15)) << "none above the key: around to the first";
  EXPECT_EQ(nullptr, RemoveDeviceQueue(&queue));
  EXPECT_FALSE(queue.Busy);
}

// --- boot, services -------------------------------------------------------------------------------------------------------------------

TEST(KeBoot, AThousandMachines) {
  for (int i = 0; i < 1000; i++) {
    ASSERT_TRUE(Boot().ok());
    {
      ServiceScope scope(nullptr, UserMode);
      KEVENT event;
      InitializeEvent(&event, NotificationEvent, true);
      EXPECT_EQ(STATUS_SUCCESS, Wait(&event));
    }
    Shutdown();
  }
  EXPECT_EQ(nullptr, CurrentThreadOrNull());
}

TEST_F(KeTest, Service_SetsModeAndRestores) {
  EXPECT_EQ(KernelMode, CurrentThread()->previous_mode);
  {
    ServiceScope inner(nullptr, UserMode);
    EXPECT_EQ(UserMode, CurrentThread()->previous_mode);
    PreviousModeScope kernel(KernelMode);
    EXPECT_EQ(KernelMode, CurrentThread()->previous_mode);
  }
  EXPECT_EQ(KernelMode, CurrentThread()->previous_mode);
}

TEST(KeSpeed, Print) {
  ASSERT_TRUE(Boot().ok());
  constexpr int kRounds = 200'000;
  auto measure = [](const char* what, auto&& body) {
    const uint64_t before = host::MonotonicNanoseconds();
    for (int i = 0; i < kRounds; i++) body();
    std::printf("%-44s %6.1f ns\n", what, static_cast<double>(host::MonotonicNanoseconds() - before) / kRounds);
  };
  measure("CallIntoMachine + ServiceScope", [] { CallIntoMachine([] { ServiceScope scope(nullptr, UserMode); }); });
  {
    ServiceScope scope(nullptr, UserMode);
    KSPIN_LOCK lock = 0;
    KEVENT event;
    InitializeEvent(&event, SynchronizationEvent, false);
    measure("raise to DISPATCH_LEVEL and lower", [] { LowerIrql(RaiseIrqlToDpcLevel()); });
    measure("spin lock acquire and release", [&] { ReleaseSpinLock(&lock, AcquireSpinLockRaiseToDpc(&lock)); });
    measure("critical region", [] { CriticalRegion region; });
    measure("set event, wait", [&] {
      SetEvent(&event);
      Wait(&event);
    });
  }
  Shutdown();
}

}  // namespace
}  // namespace nt::ke
