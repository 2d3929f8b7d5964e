// Cancellation from user mode: by file, by request, by thread. spec irp-read-write 5.
#include "src/io/user_test.h"

namespace nt::io::test {
namespace {

VOID NTIO_MS_ABI CancelPended(PDEVICE_OBJECT, PIRP irp) {
  ReleaseCancelSpinLock(irp->CancelIrql);
  Complete(irp, STATUS_CANCELLED);
}

class CancelTest : public UserTest {
 protected:
  void SetUp() override {
    UserTest::SetUp();
    toy->system.handlers[IRP_MJ_READ] = [this](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
      IoMarkIrpPending(irp);
      IoSetCancelRoutine(irp, CancelPended);
      // The setter's part of the race: who swaps the routine out completes.
      if (irp->Cancel && IoSetCancelRoutine(irp, nullptr)) Complete(irp, STATUS_CANCELLED);
      started++;
      return STATUS_PENDING;
    };
  }
  /// A status block and a buffer of its own for each request, in the block's buffer.
  IO_STATUS_BLOCK* Iosb(int i) { return reinterpret_cast<IO_STATUS_BLOCK*>(block->buffer) + i; }
  Status Read(HANDLE file, IO_STATUS_BLOCK* iosb) {
    return AsUser([&]() -> Status {
      *iosb = {};
      block->offset.QuadPart = 0;
      return io::NtReadFile(file, nullptr, nullptr, nullptr, iosb, block->buffer + 4096, 8, &block->offset, nullptr);
    });
  }
  void AwaitStarted(int count) {
    while (started < count) std::this_thread::yield();
  }
  std::atomic<int> started{0};
};

TEST_F(CancelTest, CancelIoFileEx_OneAllAndNone) {
  HANDLE file = Open(0), other = Open(0);
  for (int i = 0; i < 3; i++) EXPECT_EQ(Read(file, Iosb(i)), STATUS_PENDING);
  EXPECT_EQ(Read(other, Iosb(3)), STATUS_PENDING);
  AsUser([&] {
    EXPECT_EQ(io::NtCancelIoFileEx(file, nullptr, nullptr), STATUS_ACCESS_VIOLATION);
    EXPECT_EQ(io::NtCancelIoFileEx(file, Iosb(3), &block->iosb), STATUS_NOT_FOUND);  // another file's
    EXPECT_EQ(io::NtCancelIoFileEx(file, Iosb(1), &block->iosb), STATUS_SUCCESS);
  });
  EXPECT_EQ(Iosb(0)->Status, 0);
  EXPECT_EQ(Iosb(1)->Status, STATUS_CANCELLED);
  EXPECT_EQ(Iosb(1)->Information, 0u);
  AsUser([&] { EXPECT_EQ(io::NtCancelIoFileEx(file, nullptr, &block->iosb), STATUS_SUCCESS); });
  EXPECT_EQ(Iosb(0)->Status, STATUS_CANCELLED);
  EXPECT_EQ(Iosb(2)->Status, STATUS_CANCELLED);
  EXPECT_EQ(Iosb(3)->Status, 0);
  AsUser([&] {
    EXPECT_EQ(io::NtCancelIoFileEx(file, nullptr, &block->iosb), STATUS_NOT_FOUND);
    EXPECT_EQ(io::NtCancelIoFile(other, &block->iosb), STATUS_SUCCESS);
    EXPECT_EQ(io::NtCancelIoFile(other, &block->iosb), STATUS_SUCCESS);  // nothing to cancel is success here
    EXPECT_EQ(io::NtCancelIoFile(nullptr, &block->iosb), STATUS_INVALID_HANDLE);
  });
  EXPECT_EQ(Iosb(3)->Status, STATUS_CANCELLED);
  CloseUser(file);
  CloseUser(other);
}

TEST_F(CancelTest, CancelIoFile_OnlyTheCallersThread) {
  HANDLE file = Open(0);
  std::thread elsewhere([&] {
    ke::CallIntoMachine([&] { EXPECT_EQ(Read(file, Iosb(0)), STATUS_PENDING); });
    // The request would be cancelled with its thread: that waits for the other thread's cancellation.
    while (__atomic_load_n(&Iosb(0)->Status, __ATOMIC_ACQUIRE) == 0) std::this_thread::yield();
  });
  AwaitStarted(1);
  AsUser([&] {
    EXPECT_EQ(io::NtCancelIoFile(file, &block->iosb), STATUS_SUCCESS);
    EXPECT_EQ(Iosb(0)->Status, 0);
    EXPECT_EQ(io::NtCancelIoFileEx(file, nullptr, &block->iosb), STATUS_SUCCESS);
  });
  elsewhere.join();
  EXPECT_EQ(Iosb(0)->Status, STATUS_CANCELLED);
  CloseUser(file);
}

TEST_F(CancelTest, CancelSynchronousIoFile_EndsTheWaitOfAnotherThread) {
  HANDLE file = Open(FILE_SYNCHRONOUS_IO_NONALERT), async = Open(0);
  std::atomic<ke::Thread*> reader{nullptr};
  NTSTATUS result = STATUS_SUCCESS;
  std::thread elsewhere([&] {
    ke::CallIntoMachine([&] {
      ke::ServiceScope scope(process, UserMode);
      reader = ke::CurrentThread();
      EXPECT_EQ(Read(async, Iosb(1)), STATUS_PENDING);
      result = Read(file, Iosb(0));
      EXPECT_EQ(io::NtCancelIoFile(async, &block->iosb), STATUS_SUCCESS);
    });
  });
  AwaitStarted(2);
  HANDLE thread = AsUser([&] {
    HANDLE opened = nullptr;
    EXPECT_EQ(ob::OpenObjectByPointer(reader.load(), 0, nullptr, THREAD_TERMINATE, PsThreadType, KernelMode, &opened),
              STATUS_SUCCESS);
    return opened;
  });
  AsUser([&] {
    EXPECT_EQ(NtCancelSynchronousIoFile(file, nullptr, &block->packet), STATUS_OBJECT_TYPE_MISMATCH);
    EXPECT_EQ(NtCancelSynchronousIoFile(thread, Iosb(1), &block->packet), STATUS_NOT_FOUND);  // not waited for
    EXPECT_EQ(NtCancelSynchronousIoFile(thread, nullptr, &block->packet), STATUS_SUCCESS);
  });
  elsewhere.join();
  EXPECT_EQ(result, STATUS_CANCELLED);
  EXPECT_EQ(Iosb(0)->Status, STATUS_CANCELLED);
  AsUser([&] { EXPECT_EQ(NtCancelSynchronousIoFile(thread, nullptr, &block->packet), STATUS_NOT_FOUND); });
  CloseUser(thread);
  CloseUser(file);
  CloseUser(async);
}

std::atomic<IRP*> g_pending;  // under the cancel spin lock

VOID NTIO_MS_ABI ForgetAndCancel(PDEVICE_OBJECT device, PIRP irp) {
  IRP* expected = irp;
  g_pending.compare_exchange_strong(expected, nullptr);
  CancelPended(device, irp);
}

// Requests, completions and cancellations race on two threads: each request ends once, with one of the two statuses.
TEST_F(CancelTest, CompletionAndCancellationRace) {
  HANDLE file = Open(0);
  g_pending = nullptr;
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
    IoMarkIrpPending(irp);
    KIRQL irql;
    AcquireCancelSpinLock(&irql);
    IoSetCancelRoutine(irp, ForgetAndCancel);
    g_pending = irp;
    ReleaseCancelSpinLock(irql);
    return STATUS_PENDING;
  };
  std::atomic<bool> stop{false};
  std::atomic<int> completed{0};
  std::thread completer([&] {
    ke::CallIntoMachine([&] {
      ke::ServiceScope scope(nullptr, KernelMode);
      while (!stop) {
        KIRQL irql;
        AcquireCancelSpinLock(&irql);
        IRP* irp = g_pending.exchange(nullptr);
        const bool mine = irp && IoSetCancelRoutine(irp, nullptr);
        ReleaseCancelSpinLock(irql);
        if (mine) {
          Complete(irp, STATUS_SUCCESS, 8);
          completed++;
        }
      }
    });
  });
  int cancelled = 0;
  for (int i = 0; i < 2000; i++) {
    ASSERT_EQ(Read(file, Iosb(0)), STATUS_PENDING);
    AsUser([&] { io::NtCancelIoFileEx(file, nullptr, &block->iosb).Ignore(); });
    for (;;) {
      const NTSTATUS status = __atomic_load_n(&Iosb(0)->Status, __ATOMIC_ACQUIRE);
      if (status == STATUS_CANCELLED) cancelled++;
      if (status == STATUS_CANCELLED || Iosb(0)->Information == 8) break;
      AsUser([] {});
      std::this_thread::yield();
    }
  }
  stop = true;
  completer.join();
  EXPECT_EQ(cancelled + completed.load(), 2000);
  CloseUser(file);
}

}  // namespace
}  // namespace nt::io::test
