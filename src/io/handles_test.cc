// Handles of several processes to one file: who gets FastIoUnlockAll, and when IRP_MJ_CLEANUP is sent.
#include "src/io/test_driver.h"

namespace nt::io::test {
namespace {

struct Unlocked {
  PEPROCESS process;
  BOOLEAN answer;
};
std::vector<Unlocked> g_unlocked;
BOOLEAN g_fast_answer;

BOOLEAN NTIO_MS_ABI UnlockAll(FILE_OBJECT*, PEPROCESS process, IO_STATUS_BLOCK* iosb, DEVICE_OBJECT*) {
  g_unlocked.push_back({process, g_fast_answer});
  iosb->Status = STATUS_SUCCESS;
  return g_fast_answer;
}

class HandlesTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    toy = std::make_unique<ToyVolume>();
    g_unlocked.clear();
    table.SizeOfFastIoDispatch = sizeof table;
    table.FastIoUnlockAll = UnlockAll;
    toy->system.object->FastIoDispatch = &table;
    toy->system.handlers[IRP_MJ_CLEANUP] = [this](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
      cleanup_process = ps::CurrentProcess();
      cleanup_requestor = GetRequestorProcess(irp);
      cleanup_process_id = ps::GetCurrentProcessId();
      return Complete(irp, STATUS_SUCCESS);
    };
    toy->system.handlers[IRP_MJ_LOCK_CONTROL] = [this](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
      minors.push_back(location->MinorFunction);
      lock_requestor = GetRequestorProcess(irp);
      return Complete(irp, STATUS_SUCCESS);
    };
    for (ps::Process** process : {&a, &b}) ASSERT_EQ(ps::CreateProcess(u"p", nullptr, process), STATUS_SUCCESS);
    HANDLE first;
    ASSERT_EQ(toy->Open(&first), STATUS_SUCCESS);
    ASSERT_EQ(ReferenceFile(first, 0, KernelMode, &file), STATUS_SUCCESS);
    for (auto& [process, count] : {std::pair{a, 2}, std::pair{b, 1}})
      for (int i = 0; i < count; i++) {
        const ke::ProcessAttachment attached(process);
        HANDLE handle;
        ASSERT_EQ(ob::InsertHandle(file.get(), FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
        handles[process].push_back(handle);
      }
    Close(first);
    EXPECT_TRUE(g_unlocked.empty()) << "nothing was locked";
  }
  void TearDown() override {
    file.Reset();
    for (ps::Process* process : {a, b}) {
      ps::TerminateProcess(process, STATUS_SUCCESS);
      ob::DereferenceObject(process);
    }
    toy->system.object->FastIoDispatch = nullptr;
    toy.reset();
    TestMachine::TearDown();
  }
  void CloseOne(ps::Process* process) {
    const ke::ProcessAttachment attached(process);
    EXPECT_EQ(ob::Close(handles[process].back(), UserMode), STATUS_SUCCESS);
    handles[process].pop_back();
  }

  std::unique_ptr<ToyVolume> toy;
  FAST_IO_DISPATCH table{};
  ps::Process *a = nullptr, *b = nullptr;
  std::map<ps::Process*, std::vector<HANDLE>> handles;
  Ref<FILE_OBJECT> file;
  ps::Process* cleanup_process = nullptr;
  PEPROCESS cleanup_requestor = nullptr, lock_requestor = nullptr;
  HANDLE cleanup_process_id = nullptr;
  std::vector<UCHAR> minors;
};

TEST_F(HandlesTest, LastHandleOfAProcess_UnlocksAllWhileOthersHoldTheFile) {
  file->LockOperation = TRUE;
  g_fast_answer = TRUE;
  CloseOne(a);
  EXPECT_TRUE(g_unlocked.empty()) << "the process has another handle";
  CloseOne(a);
  ASSERT_EQ(g_unlocked.size(), 1u);
  EXPECT_EQ(g_unlocked[0].process, a->eprocess());
  EXPECT_TRUE(minors.empty());
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 0);
  CloseOne(b);
  EXPECT_EQ(g_unlocked.size(), 1u) << "the last handle of all: cleanup unlocks";
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 1);
  EXPECT_EQ(cleanup_process, b);
}

TEST_F(HandlesTest, UnlockAll_IrpWhenFastIoDeclines) {
  file->LockOperation = TRUE;
  g_fast_answer = FALSE;
  CloseOne(a);
  CloseOne(a);
  EXPECT_EQ(g_unlocked.size(), 1u);
  EXPECT_EQ(minors, std::vector<UCHAR>{IRP_MN_UNLOCK_ALL});
  EXPECT_EQ(lock_requestor, a->eprocess());
}

TEST_F(HandlesTest, UnlockAll_NotWithoutLockOperation) {
  CloseOne(a);
  CloseOne(a);
  EXPECT_TRUE(g_unlocked.empty());
  EXPECT_TRUE(minors.empty());
}

TEST_F(HandlesTest, ProcessEnd_CleansUpInItsContext) {
  file->LockOperation = TRUE;
  g_fast_answer = TRUE;
  ps::TerminateProcess(a, STATUS_SUCCESS);
  ASSERT_EQ(g_unlocked.size(), 1u);
  EXPECT_EQ(g_unlocked[0].process, a->eprocess());
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 0);
  ps::TerminateProcess(b, STATUS_SUCCESS);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 1);
  EXPECT_EQ(cleanup_process, b);
  EXPECT_EQ(cleanup_requestor, b->eprocess());
  EXPECT_EQ(cleanup_process_id, ps::GetProcessId(b->eprocess()));
}

}  // namespace
}  // namespace nt::io::test
