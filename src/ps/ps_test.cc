// Processes and threads over ke, ex and ob.
#include "src/ps/ps.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>

#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ob/ob.h"

namespace nt::ps {
namespace {

void BootMachine() {
  ASSERT_TRUE(ke::Boot().ok());
  ASSERT_TRUE(ex::Boot().ok());
  ASSERT_TRUE(ob::Boot().ok());
  ASSERT_TRUE(Boot().ok());
}
void ShutdownMachine() {
  Shutdown();
  ob::Shutdown();
  ex::Shutdown();
  ke::Shutdown();
}

class PsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    BootMachine();
    scope_ = std::make_unique<ke::ServiceScope>(nullptr, KernelMode);
  }
  void TearDown() override {
    scope_.reset();
    ShutdownMachine();
  }
  std::unique_ptr<ke::ServiceScope> scope_;
};

TEST_F(PsTest, SystemProcess) {
  EXPECT_EQ(reinterpret_cast<HANDLE>(4), GetProcessId(PsInitialSystemProcess));
  EXPECT_EQ(PsInitialSystemProcess, GetCurrentProcess());
  EXPECT_STREQ("System", GetProcessImageFileName(PsInitialSystemProcess));
  EXPECT_TRUE(IsSystemProcess(PsInitialSystemProcess));
  PEPROCESS found;
  ASSERT_EQ(STATUS_SUCCESS, LookupProcessByProcessId(reinterpret_cast<HANDLE>(4), &found));
  EXPECT_EQ(PsInitialSystemProcess, found);
  ob::DereferenceObject(found);
  EXPECT_EQ(STATUS_INVALID_CID, LookupProcessByProcessId(reinterpret_cast<HANDLE>(400), &found));
  EXPECT_EQ(PsThreadType, ob::TypeOf(GetCurrentThread()));
  ob::ReferenceObject(GetCurrentThread());
  ob::DereferenceObject(GetCurrentThread());
  PETHREAD thread;
  ASSERT_EQ(STATUS_SUCCESS, LookupThreadByThreadId(GetCurrentThreadId(), &thread));
  EXPECT_EQ(GetCurrentThread(), thread);
  ob::DereferenceObject(thread);
}

struct Seen {
  KEVENT go;
  std::atomic<int> steps{0};
  HANDLE thread_id = nullptr;
};
void NTIO_MS_ABI ThreadRoutine(PVOID context) {
  auto* seen = static_cast<Seen*>(context);
  seen->steps++;
  seen->thread_id = GetCurrentThreadId();
  EXPECT_TRUE(IsSystemThread(GetCurrentThread()));
  ke::WaitFor(&seen->go);
  TerminateSystemThread(STATUS_NO_MORE_ENTRIES).Ignore();
  seen->steps = 100;
}

TEST_F(PsTest, SystemThread_RunsIsWaitableAndEndsByTerminate) {
  Seen seen;
  ke::InitializeEvent(&seen.go, NotificationEvent, false);
  OBJECT_ATTRIBUTES attributes{};
  attributes.Length = sizeof(attributes);
  attributes.Attributes = OBJ_KERNEL_HANDLE;
  HANDLE handle;
  CLIENT_ID id;
  ASSERT_EQ(STATUS_SUCCESS,
            CreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, nullptr, &id, ThreadRoutine, &seen));
  void* object;
  ASSERT_EQ(STATUS_SUCCESS,
            ob::ReferenceObjectByHandle(handle, SYNCHRONIZE, PsThreadType, KernelMode, &object, nullptr));
  EXPECT_EQ(STATUS_SUCCESS, ob::Close(handle, KernelMode));
  LARGE_INTEGER poll{};
  EXPECT_EQ(STATUS_TIMEOUT, ke::WaitForSingleObject(object, Executive, KernelMode, false, &poll));
  ke::SetEvent(&seen.go);
  ke::WaitFor(object);
  EXPECT_EQ(1, seen.steps);
  EXPECT_EQ(id.UniqueThread, seen.thread_id);
  EXPECT_EQ(STATUS_NO_MORE_ENTRIES, GetThreadExitStatus(static_cast<PETHREAD>(object)));
  EXPECT_TRUE(IsThreadTerminating(static_cast<PETHREAD>(object)));
  ob::DereferenceObject(object);
  EXPECT_EQ(STATUS_INVALID_PARAMETER, TerminateSystemThread(STATUS_SUCCESS)) << "not a system thread";
}

TEST_F(PsTest, RuntimeThreads_ManyAtOnce) {
  std::atomic<int> count{0};
  std::vector<ke::Thread*> threads;
  for (int i = 0; i < 20; i++) {
    ke::Thread* thread;
    ASSERT_EQ(STATUS_SUCCESS, CreateRuntimeThread(
                                  "test", [](void* context) { (*static_cast<std::atomic<int>*>(context))++; }, &count,
                                  &thread));
    threads.push_back(thread);
  }
  for (auto* thread : threads) {
    ke::WaitFor(thread);
    ob::DereferenceObject(thread);
  }
  EXPECT_EQ(20, count);
}

int g_created, g_ended, g_created_ex;
NTSTATUS g_veto;
void NTIO_MS_ABI OnProcess(HANDLE, HANDLE, BOOLEAN create) { create ? g_created++ : g_ended++; }
void NTIO_MS_ABI OnProcessEx(PEPROCESS, HANDLE, PPS_CREATE_NOTIFY_INFO info) {
  if (!info) return;
  g_created_ex++;
  EXPECT_EQ(16u, info->ImageFileName->Length);
  info->CreationStatus = g_veto;
}

TEST_F(PsTest, Process_LivesNotifiesAndIsVetoed) {
  g_created = g_ended = g_created_ex = 0;
  g_veto = STATUS_SUCCESS;
  ASSERT_TRUE(SetCreateProcessNotifyRoutine(OnProcess, false).ok());
  ASSERT_TRUE(SetCreateProcessNotifyRoutineEx(OnProcessEx, false).ok());
  EXPECT_EQ(STATUS_INVALID_PARAMETER, SetCreateProcessNotifyRoutine(OnProcess, false));
  Process* process;
  ASSERT_TRUE(CreateProcess(u"/bin/cat", nullptr, &process).ok());
  EXPECT_EQ(1, g_created);
  EXPECT_EQ(1, g_created_ex);
  EXPECT_STREQ("cat", GetProcessImageFileName(process->eprocess()));
  HANDLE handle = nullptr;
  {
    ke::ServiceScope service(process, UserMode);
    EXPECT_EQ(process, CurrentProcess());
    EXPECT_EQ(process->eprocess(), GetThreadProcess(GetCurrentThread()));
    EXPECT_EQ(GetProcessId(process->eprocess()), GetCurrentProcessId());
    ASSERT_TRUE(ob::InsertHandle(PsInitialSystemProcess, PROCESS_ALL_ACCESS, 0, &handle).ok());
  }
  EXPECT_NE(process, CurrentProcess());
  const auto references = ob::PointerCount(PsInitialSystemProcess);
  TerminateProcess(process, STATUS_SUCCESS);
  EXPECT_EQ(references - 1, ob::PointerCount(PsInitialSystemProcess)) << "its handles are closed";
  EXPECT_EQ(1, g_ended);
  LARGE_INTEGER poll{};
  EXPECT_EQ(STATUS_SUCCESS, ke::WaitForSingleObject(process, Executive, KernelMode, false, &poll));
  ob::DereferenceObject(process);
  g_veto = STATUS_ACCESS_DENIED;
  EXPECT_EQ(STATUS_ACCESS_DENIED, CreateProcess(u"/bin/cat", nullptr, &process));
  ASSERT_TRUE(SetCreateProcessNotifyRoutine(OnProcess, true).ok());
  ASSERT_TRUE(SetCreateProcessNotifyRoutineEx(OnProcessEx, true).ok());
}

TEST_F(PsTest, TimersAndDpcsUseThreadObjects) {
  KTIMER timer;
  ke::InitializeTimer(&timer);
  LARGE_INTEGER due;
  due.QuadPart = -10'000;
  ke::SetTimer(&timer, due, nullptr);
  ke::WaitFor(&timer);
}

TEST(PsBoot, AThousandMachinesDoNotGrow) {
  size_t baseline = 0;
  for (int i = 0; i < 1000; i++) {
    BootMachine();
    {
      ke::ServiceScope scope(nullptr, UserMode);
      if (i % 10 == 0) {
        ke::Thread* thread;
        ASSERT_TRUE(CreateRuntimeThread("test", [](void*) {}, nullptr, &thread).ok());
        ke::WaitFor(thread);
        ob::DereferenceObject(thread);
      }
    }
    ShutdownMachine();
#if !defined(__SANITIZE_ADDRESS__)
    if (i == 100) baseline = mallinfo2().uordblks;
#endif
  }
  EXPECT_TRUE(baseline == 0 || mallinfo2().uordblks <= baseline + 4096);
}

}  // namespace
}  // namespace nt::ps
