// Handles of several processes: counts, duplicates, access.
#include "src/ob/ob.h"

#include <atomic>
#include <random>
#include <thread>

#include "src/ke/ke.h"
#include "src/ke/service.h"
#include "src/machine/test_machine.h"
#include "src/ps/ps.h"

namespace nt::ob {
namespace {

struct Closed {
  ps::Process* process;
  ps::Process* current;
  ULONG_PTR process_handles, system_handles;
};
std::vector<Closed> g_closed;
int g_removed;

class HandleTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    g_closed.clear();
    g_removed = 0;
    TypeProcedures procedures;
    procedures.close = [](ps::Process* process, void*, ACCESS_MASK, ULONG_PTR of_process, ULONG_PTR of_system) {
      g_closed.push_back({process, ps::CurrentProcess(), of_process, of_system});
    };
    procedures.remove = [](void*) { g_removed++; };
    ASSERT_EQ(CreateType(u"Toy", procedures, kMapping, kAll, &type), STATUS_SUCCESS);
    procedures.access_is_fixed = true;
    ASSERT_EQ(CreateType(u"FixedToy", procedures, kMapping, kAll, &fixed_type), STATUS_SUCCESS);
    ASSERT_EQ(ps::CreateProcess(u"a", nullptr, &a), STATUS_SUCCESS);
    ASSERT_EQ(ps::CreateProcess(u"b", nullptr, &b), STATUS_SUCCESS);
    ASSERT_EQ(
        OpenObjectByPointer(a, OBJ_KERNEL_HANDLE, nullptr, PROCESS_ALL_ACCESS, PsProcessType, KernelMode, &a_handle),
        STATUS_SUCCESS);
    ASSERT_EQ(
        OpenObjectByPointer(b, OBJ_KERNEL_HANDLE, nullptr, PROCESS_ALL_ACCESS, PsProcessType, KernelMode, &b_handle),
        STATUS_SUCCESS);
  }
  void TearDown() override {
    for (HANDLE handle : {a_handle, b_handle}) EXPECT_EQ(Close(handle, KernelMode), STATUS_SUCCESS);
    for (ps::Process* process : {a, b}) {
      ps::TerminateProcess(process, STATUS_SUCCESS);
      DereferenceObject(process);
    }
    TestMachine::TearDown();
  }
  void* NewToy(bool fixed = false) {
    void* object = nullptr;
    EXPECT_EQ(CreateObject(fixed ? fixed_type : type, 16, &object), STATUS_SUCCESS);
    return object;
  }
  HANDLE Open(ps::Process* process, void* object, ACCESS_MASK access = 1, ULONG attributes = 0) {
    const ke::ProcessAttachment attached(process);
    HANDLE handle = nullptr;
    EXPECT_EQ(InsertHandle(object, access, attributes, &handle), STATUS_SUCCESS);
    return handle;
  }
  NTSTATUS CloseIn(ps::Process* process, HANDLE handle) {
    const ke::ProcessAttachment attached(process);
    return Close(handle, UserMode);
  }

  static constexpr GENERIC_MAPPING kMapping{1, 2, 4, 7};
  static constexpr ACCESS_MASK kAll = STANDARD_RIGHTS_ALL | 7;
  POBJECT_TYPE type = nullptr, fixed_type = nullptr;
  ps::Process *a = nullptr, *b = nullptr;
  HANDLE a_handle = nullptr, b_handle = nullptr;
};

TEST_F(HandleTest, Close_SaysHowManyTheProcessAndAllProcessesHad) {
  void* toy = NewToy();
  const HANDLE a1 = Open(a, toy), a2 = Open(a, toy), b1 = Open(b, toy);
  const HANDLE kernel = Open(a, toy, 1, OBJ_KERNEL_HANDLE), system = Open(ps::InitialSystemProcess(), toy);
  EXPECT_EQ(HandleCount(toy), 5u);
  EXPECT_EQ(CloseIn(a, a1), STATUS_SUCCESS);
  EXPECT_EQ(CloseIn(a, a2), STATUS_SUCCESS);
  EXPECT_EQ(CloseIn(b, b1), STATUS_SUCCESS);
  {
    // A kernel handle belongs to System, whoever closes it.
    const ke::ProcessAttachment attached(a);
    EXPECT_EQ(Close(kernel, KernelMode), STATUS_SUCCESS);
  }
  EXPECT_EQ(CloseIn(ps::InitialSystemProcess(), system), STATUS_SUCCESS);
  const Closed expected[] = {{a, a, 2, 5},
                             {a, a, 1, 4},
                             {b, b, 1, 3},
                             {ps::InitialSystemProcess(), ps::InitialSystemProcess(), 2, 2},
                             {ps::InitialSystemProcess(), ps::InitialSystemProcess(), 1, 1}};
  ASSERT_EQ(g_closed.size(), std::size(expected));
  for (size_t i = 0; i < std::size(expected); i++) {
    EXPECT_EQ(g_closed[i].process, expected[i].process) << i;
    EXPECT_EQ(g_closed[i].current, expected[i].current) << i;
    EXPECT_EQ(g_closed[i].process_handles, expected[i].process_handles) << i;
    EXPECT_EQ(g_closed[i].system_handles, expected[i].system_handles) << i;
  }
  EXPECT_EQ(g_removed, 0);
  DereferenceObject(toy);
  EXPECT_EQ(g_removed, 1);
}

TEST_F(HandleTest, ProcessEnd_ClosesItsHandlesInItsContext) {
  void* toy = NewToy();
  Open(a, toy);
  Open(a, toy);
  const HANDLE kept = Open(b, toy);
  DereferenceObject(toy);
  ps::TerminateProcess(a, STATUS_SUCCESS);
  ASSERT_EQ(g_closed.size(), 2u);
  EXPECT_EQ(g_closed[0].current, a);
  EXPECT_EQ(g_closed[1].process_handles, 1u);
  EXPECT_EQ(g_closed[1].system_handles, 2u);
  HANDLE late;
  EXPECT_EQ(DuplicateObject(b_handle, kept, a_handle, 0, 0, DUPLICATE_SAME_ACCESS, &late),
            STATUS_PROCESS_IS_TERMINATING);
  EXPECT_EQ(CloseIn(b, kept), STATUS_SUCCESS);
  EXPECT_EQ(g_removed, 1);
}

TEST_F(HandleTest, Duplicate_BetweenProcesses) {
  void* toy = NewToy();
  const HANDLE source = Open(a, toy, 3, OBJ_INHERIT);
  HANDLE target;
  ASSERT_EQ(
      DuplicateObject(a_handle, source, b_handle, 0, 0, DUPLICATE_SAME_ACCESS | DUPLICATE_SAME_ATTRIBUTES, &target),
      STATUS_SUCCESS);
  {
    const ke::ProcessAttachment attached(b);
    void* object;
    OBJECT_HANDLE_INFORMATION information;
    ASSERT_EQ(ReferenceObjectByHandle(target, 3, type, UserMode, &object, &information), STATUS_SUCCESS);
    EXPECT_EQ(object, toy);
    EXPECT_EQ(information.GrantedAccess, 3u);
    EXPECT_EQ(information.HandleAttributes, static_cast<ULONG>(OBJ_INHERIT));
    DereferenceObject(object);
  }
  // Moved: the source is gone.
  HANDLE moved;
  ASSERT_EQ(DuplicateObject(b_handle, target, a_handle, 1, 0, DUPLICATE_CLOSE_SOURCE, &moved), STATUS_SUCCESS);
  EXPECT_EQ(CloseIn(b, target), STATUS_INVALID_HANDLE);
  // Into the kernel's table, which user mode cannot name.
  HANDLE kernel;
  ASSERT_EQ(DuplicateObject(a_handle, moved, b_handle, 1, OBJ_KERNEL_HANDLE, 0, &kernel), STATUS_SUCCESS);
  EXPECT_TRUE(IsKernelHandle(kernel));
  {
    const ke::PreviousModeScope user(UserMode);
    HANDLE refused;
    EXPECT_EQ(DuplicateObject(NtCurrentProcess(), kernel, NtCurrentProcess(), 1, 0, 0, &refused),
              STATUS_INVALID_HANDLE);
  }
  EXPECT_EQ(Close(kernel, KernelMode), STATUS_SUCCESS);
  // No target: the source is only closed.
  EXPECT_EQ(DuplicateObject(a_handle, moved, nullptr, 0, 0, DUPLICATE_CLOSE_SOURCE, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(CloseIn(a, moved), STATUS_INVALID_HANDLE);
  EXPECT_EQ(CloseIn(a, source), STATUS_SUCCESS);
  EXPECT_EQ(HandleCount(toy), 0u);
  DereferenceObject(toy);
}

TEST_F(HandleTest, Duplicate_OfAFixedTypeGetsNoMoreAccess) {
  void *toy = NewToy(), *fixed = NewToy(true);
  const HANDLE toy_handle = Open(a, toy, 1), fixed_handle = Open(a, fixed, 1);
  HANDLE target;
  ASSERT_EQ(DuplicateObject(a_handle, toy_handle, a_handle, GENERIC_ALL, 0, 0, &target), STATUS_SUCCESS);
  EXPECT_EQ(CloseIn(a, target), STATUS_SUCCESS);
  EXPECT_EQ(DuplicateObject(a_handle, fixed_handle, a_handle, GENERIC_ALL, 0, 0, &target), STATUS_ACCESS_DENIED);
  // The source goes also when there is no duplicate.
  EXPECT_EQ(DuplicateObject(a_handle, fixed_handle, a_handle, GENERIC_ALL, 0, DUPLICATE_CLOSE_SOURCE, &target),
            STATUS_ACCESS_DENIED);
  EXPECT_EQ(CloseIn(a, fixed_handle), STATUS_INVALID_HANDLE);
  EXPECT_EQ(CloseIn(a, toy_handle), STATUS_SUCCESS);
  DereferenceObject(toy);
  DereferenceObject(fixed);
}

TEST_F(HandleTest, Duplicate_NeedsDupHandleAccessToBothProcesses) {
  void* toy = NewToy();
  const HANDLE source = Open(b, toy);
  HANDLE weak;
  ASSERT_EQ(OpenObjectByPointer(b, 0, nullptr, PROCESS_QUERY_INFORMATION, PsProcessType, KernelMode, &weak),
            STATUS_SUCCESS);
  {
    const ke::PreviousModeScope user(UserMode);
    HANDLE target;
    EXPECT_EQ(DuplicateObject(weak, source, NtCurrentProcess(), 1, 0, 0, &target), STATUS_ACCESS_DENIED);
    EXPECT_EQ(DuplicateObject(b_handle, source, NtCurrentProcess(), 1, 0, 0, &target), STATUS_INVALID_HANDLE)
        << "a kernel handle is none for user mode";
  }
  EXPECT_EQ(Close(weak, KernelMode), STATUS_SUCCESS);
  EXPECT_EQ(CloseIn(b, source), STATUS_SUCCESS);
  DereferenceObject(toy);
}

// One thread closes a handle and opens it again, on either of two objects with different access; others look it up. What they
// get is one of the two states, whole.
TEST_F(HandleTest, Random_LookUpsAgainstCloseAndReopen) {
  void* const toys[] = {NewToy(), NewToy()};
  const ps::Process* const before = ps::CurrentProcess();
  std::atomic<HANDLE> handle{Open(ps::InitialSystemProcess(), toys[0], 1)};
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, found{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; t++)
    threads.emplace_back([&] {
      while (!stop) {
        ke::ServiceScope scope(ps::InitialSystemProcess(), KernelMode);
        void* object;
        OBJECT_HANDLE_INFORMATION information;
        if (ReferenceObjectByHandle(handle, 0, type, KernelMode, &object, &information) != STATUS_SUCCESS) continue;
        found++;
        if (object != toys[0] && object != toys[1]) wrong++;
        if (information.GrantedAccess != (object == toys[0] ? 1u : 2u)) wrong++;
        DereferenceObject(object);
      }
    });
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20000 || found == 0; i++) {
    ke::ServiceScope scope(ps::InitialSystemProcess(), KernelMode);
    EXPECT_EQ(Close(handle, KernelMode), STATUS_SUCCESS);
    const unsigned which = random() % 2;
    HANDLE fresh;
    ASSERT_EQ(InsertHandle(toys[which], which + 1, 0, &fresh), STATUS_SUCCESS);
    handle = fresh;
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ps::CurrentProcess(), before);
  EXPECT_EQ(CloseIn(ps::InitialSystemProcess(), handle), STATUS_SUCCESS);
  for (void* toy : toys) {
    EXPECT_EQ(PointerCount(toy), 1);
    DereferenceObject(toy);
  }
  EXPECT_EQ(g_removed, 2);
}

TEST_F(HandleTest, ReferenceByHandle_ChecksAccessForUserModeOnly) {
  void* toy = NewToy();
  const HANDLE handle = Open(ps::InitialSystemProcess(), toy, 1);
  void* object;
  EXPECT_EQ(ReferenceObjectByHandle(handle, 2, type, UserMode, &object, nullptr), STATUS_ACCESS_DENIED);
  EXPECT_EQ(object, nullptr);
  EXPECT_EQ(ReferenceObjectByHandle(handle, GENERIC_WRITE, type, UserMode, &object, nullptr), STATUS_ACCESS_DENIED);
  EXPECT_EQ(ReferenceObjectByHandle(handle, 1, fixed_type, UserMode, &object, nullptr), STATUS_OBJECT_TYPE_MISMATCH);
  for (const KPROCESSOR_MODE mode :
       {static_cast<KPROCESSOR_MODE>(KernelMode), static_cast<KPROCESSOR_MODE>(UserMode)}) {
    ASSERT_EQ(ReferenceObjectByHandle(handle, mode == KernelMode ? 2 : GENERIC_READ, type, mode, &object, nullptr),
              STATUS_SUCCESS);
    EXPECT_EQ(object, toy);
    DereferenceObject(object);
  }
  EXPECT_EQ(Close(handle, UserMode), STATUS_SUCCESS);
  DereferenceObject(toy);
}

}  // namespace
}  // namespace nt::ob
