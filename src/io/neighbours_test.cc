// Requests beside read and write, and what IRPs carry beside their data: spec irp-read-write 4 and 8.
#include "src/io/user_test.h"

namespace nt::io::test {
namespace {

class NeighboursTest : public UserTest {};

// 8: the flags of create, cleanup and close; cleanup at the last handle, close at the last reference.
TEST_F(NeighboursTest, CreateCleanupCloseFlags) {
  std::map<UCHAR, ULONG> flags;
  const auto create = toy->system.handlers[IRP_MJ_CREATE], close = toy->system.handlers[IRP_MJ_CLOSE];
  toy->system.handlers[IRP_MJ_CREATE] = [&](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION* location) {
    flags[IRP_MJ_CREATE] = irp->Flags;
    return create(device, irp, location);
  };
  toy->system.handlers[IRP_MJ_CLEANUP] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    flags[IRP_MJ_CLEANUP] = irp->Flags;
    EXPECT_EQ(ke::CurrentIrql(), PASSIVE_LEVEL);
    return Complete(irp, STATUS_UNSUCCESSFUL);  // a failure of cleanup is ignored
  };
  toy->system.handlers[IRP_MJ_CLOSE] = [&](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION* location) {
    flags[IRP_MJ_CLOSE] = irp->Flags;
    return close(device, irp, location);
  };
  HANDLE file = Open(FILE_SYNCHRONOUS_IO_NONALERT);
  constexpr ULONG kCreate = IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API | IRP_DEFER_IO_COMPLETION;
  EXPECT_EQ(flags[IRP_MJ_CREATE] & kCreate, kCreate);
  FILE_OBJECT* object = FileOfUser(file);
  ob::ReferenceObject(object);
  CloseUser(file);
  constexpr ULONG kCleanup = IRP_CLOSE_OPERATION | IRP_SYNCHRONOUS_API;
  EXPECT_EQ(flags[IRP_MJ_CLEANUP] & kCleanup, kCleanup);
  EXPECT_EQ(flags.count(IRP_MJ_CLOSE), 0u);
  ob::DereferenceObject(object);
  EXPECT_EQ(flags[IRP_MJ_CLOSE] & kCleanup, kCleanup);
}

// 8: bits 14 and 15 of a control code are checked against the granted access of a user's handle, not of the kernel's.
TEST_F(NeighboursTest, ControlCodesAskForAccess) {
  struct Row {
    ACCESS_MASK granted;
    ULONG needed;
    bool allowed;
  };
  for (const Row row : {Row{FILE_READ_ATTRIBUTES, FILE_ANY_ACCESS, true},
                        Row{FILE_READ_ATTRIBUTES, FILE_READ_ACCESS, false}, Row{FILE_READ_DATA, FILE_READ_ACCESS, true},
                        Row{FILE_READ_DATA, FILE_WRITE_ACCESS, false}, Row{FILE_WRITE_DATA, FILE_WRITE_ACCESS, true},
                        Row{FILE_WRITE_DATA, FILE_READ_ACCESS | FILE_WRITE_ACCESS, false},
                        Row{FILE_READ_DATA | FILE_WRITE_DATA, FILE_READ_ACCESS | FILE_WRITE_ACCESS, true}})
    for (const bool device : {false, true}) {
      SCOPED_TRACE(testing::Message() << std::hex << row.granted << " needed " << row.needed << " device " << device);
      HANDLE file = Open(FILE_SYNCHRONOUS_IO_NONALERT, row.granted | SYNCHRONIZE);
      const ULONG code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, METHOD_BUFFERED, row.needed);
      const UCHAR major = device ? IRP_MJ_DEVICE_CONTROL : IRP_MJ_FILE_SYSTEM_CONTROL;
      toy->system.handlers[major] = [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
        return Complete(irp, STATUS_SUCCESS);
      };
      const int sent = toy->system.Sent(major);
      const Status status = AsUser([&]() -> Status {
        const auto service = device ? io::NtDeviceIoControlFile : io::NtFsControlFile;
        return service(file, nullptr, nullptr, nullptr, &block->iosb, code, nullptr, 0, nullptr, 0);
      });
      EXPECT_EQ(status, row.allowed ? STATUS_SUCCESS : STATUS_ACCESS_DENIED);
      EXPECT_EQ(toy->system.Sent(major) - sent, row.allowed ? 1 : 0);
      CloseUser(file);
    }
}

// 8: a length below the fixed part never reaches the driver; BUFFER_OVERFLOW returns what fits.
TEST_F(NeighboursTest, QueriesOfShortLength) {
  HANDLE file = Open(FILE_SYNCHRONOUS_IO_NONALERT);
  toy->system.handlers[IRP_MJ_QUERY_INFORMATION] = [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
    const ULONG length = location->Parameters.QueryFile.Length;
    auto* name = static_cast<FILE_NAME_INFORMATION*>(irp->AssociatedIrp.SystemBuffer);
    name->FileNameLength = 100;
    std::memset(name->FileName, 'n', length - offsetof(FILE_NAME_INFORMATION, FileName));
    return Complete(irp, STATUS_BUFFER_OVERFLOW, length);
  };
  AsUser([&] {
    std::memset(block->buffer, 0, 64);
    EXPECT_EQ(io::NtQueryInformationFile(file, &block->iosb, block->buffer, 3, FileNameInformation),
              STATUS_INFO_LENGTH_MISMATCH);
    EXPECT_EQ(toy->system.Sent(IRP_MJ_QUERY_INFORMATION), 0);
    EXPECT_EQ(io::NtQueryInformationFile(file, &block->iosb, block->buffer, 16, FileNameInformation),
              STATUS_BUFFER_OVERFLOW);
    EXPECT_EQ(block->iosb.Status, STATUS_BUFFER_OVERFLOW);
    EXPECT_EQ(block->iosb.Information, 16u);
    EXPECT_EQ(block->buffer[15], 'n');
    EXPECT_EQ(block->buffer[16], 0);
  });
  CloseUser(file);
}

// 8: all MDLs of the chain are unlocked and freed when a request ends, however it ends.
TEST_F(NeighboursTest, MdlChainIsFreedWhole) {
  HANDLE file = Open(FILE_SYNCHRONOUS_IO_NONALERT);
  toy->volume->Flags |= DO_DIRECT_IO;
  for (const bool pend : {false, true})
    for (const NTSTATUS result : {STATUS_SUCCESS, STATUS_IO_DEVICE_ERROR}) {
      toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
        for (int i = 0; i < 3; i++) EXPECT_NE(AllocateMdl(block->buffer, 64, true, false, irp), nullptr);
        if (!pend) return Complete(irp, result);
        CompleteLater(irp, result, 0, 1);
        return STATUS_PENDING;
      };
      const auto read = [&] {
        AsUser([&] {
          block->offset.QuadPart = 0;
          io::NtReadFile(file, nullptr, nullptr, nullptr, &block->iosb, block->buffer, 512, &block->offset, nullptr)
              .Ignore();
        });
        JoinLateThreads();
      };
      read();
      const auto before = ex::CurrentPoolUse().blocks;
      for (int i = 0; i < 10; i++) read();
      EXPECT_LE(ex::CurrentPoolUse().blocks, before + 2);  // a late thread's own
    }
  CloseUser(file);
}

NTSTATUS NTIO_MS_ABI Keep(PDEVICE_OBJECT, PIRP, PVOID) { return STATUS_MORE_PROCESSING_REQUIRED; }
NTSTATUS NTIO_MS_ABI CountCompletion(PDEVICE_OBJECT, PIRP, PVOID count) {
  ++*static_cast<int*>(count);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

// 4: an associated IRP that a routine keeps does not count; the master goes with the last that is let go.
TEST_F(NeighboursTest, AssociatedIrpKeptByItsRoutineHoldsTheMaster) {
  int completions = 0;
  IRP* master = AllocateIrp(1);
  IoSetCompletionRoutine(master, CountCompletion, &completions, TRUE, TRUE, TRUE);
  IoSetNextIrpStackLocation(master);
  master->AssociatedIrp.IrpCount = 2;
  IRP* kept = MakeAssociatedIrp(master, 2);
  EXPECT_TRUE(kept->Flags & IRP_ASSOCIATED_IRP);
  EXPECT_EQ(kept->AssociatedIrp.MasterIrp, master);
  EXPECT_TRUE(ListEmpty(&kept->ThreadListEntry));  // no thread's end cancels it by itself
  IRP* other = MakeAssociatedIrp(master, 1);
  IoSetNextIrpStackLocation(kept);
  IoSetCompletionRoutine(kept, Keep, nullptr, TRUE, TRUE, TRUE);
  IoSetNextIrpStackLocation(kept);
  IoSetNextIrpStackLocation(other);
  Complete(kept, STATUS_SUCCESS);
  Complete(other, STATUS_SUCCESS);
  EXPECT_EQ(completions, 0);
  EXPECT_EQ(master->AssociatedIrp.IrpCount, 1);
  master->IoStatus.Status = STATUS_SUCCESS;
  CompleteRequest(kept);
  EXPECT_EQ(completions, 1);
  FreeIrp(master);
}

VOID NTIO_MS_ABI CancelIt(PDEVICE_OBJECT, PIRP irp) {
  ReleaseCancelSpinLock(irp->CancelIrql);
  Complete(irp, STATUS_CANCELLED);
}
VOID NTIO_MS_ABI Note(PVOID context, PVOID, PVOID) { ++*static_cast<int*>(context); }
VOID NTIO_MS_ABI NoKernelPart(PKAPC, PKNORMAL_ROUTINE*, PVOID*, PVOID*, PVOID*) {}

// 1, 8: a user APC ends the wait of an alertable synchronous handle and cancels the request; not of one that is not
// alertable.
TEST_F(NeighboursTest, AlertableHandleIsInterruptedByAnApc) {
  for (const bool alertable : {true, false}) {
    SCOPED_TRACE(alertable);
    HANDLE file = Open(alertable ? FILE_SYNCHRONOUS_IO_ALERT : FILE_SYNCHRONOUS_IO_NONALERT);
    std::atomic<IRP*> pended{nullptr};
    toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
      IoMarkIrpPending(irp);
      if (alertable) IoSetCancelRoutine(irp, CancelIt);
      pended = irp;
      return STATUS_PENDING;
    };
    int notes = 0;
    std::thread sender([&, thread = ke::CurrentThread()] {
      ke::CallIntoMachine([&] {
        ke::ServiceScope scope(nullptr, KernelMode);
        while (!pended) std::this_thread::yield();
        static KAPC apc;
        ke::InitializeApc(&apc, thread->nt(), OriginalApcEnvironment, NoKernelPart, nullptr, Note, UserMode, &notes);
        EXPECT_TRUE(ke::InsertQueueApc(&apc, nullptr, nullptr, 0));
        if (alertable) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        Complete(pended, STATUS_SUCCESS, 5);
      });
    });
    const NTSTATUS status = AsUser([&]() -> NTSTATUS {
      block->offset.QuadPart = 0;
      return io::NtReadFile(file, nullptr, nullptr, nullptr, &block->iosb, block->buffer, 8, &block->offset, nullptr);
    });
    sender.join();
    EXPECT_EQ(status, alertable ? STATUS_CANCELLED : STATUS_SUCCESS);
    if (!alertable) {
      EXPECT_EQ(notes, 0);
      LARGE_INTEGER now{};
      AsUser([&] { EXPECT_EQ(ke::DelayExecutionThread(UserMode, true, &now), STATUS_USER_APC); });
    }
    EXPECT_EQ(notes, 1);
    CloseUser(file);
  }
}

// 2, 4: IoBuildAsynchronousFsdRequest makes the buffers that the device asks for.
TEST_F(NeighboursTest, BuiltRequestsHaveTheBuffersOfTheirDevice) {
  DEVICE_OBJECT* device = toy->storage;
  auto* memory = static_cast<char*>(ex::AllocatePool(NonPagedPoolNx, 512, 'tset'));
  std::memset(memory, 'm', 512);
  LARGE_INTEGER offset;
  offset.QuadPart = 1024;
  IO_STATUS_BLOCK result{};
  for (const ULONG method : {0u, ULONG{DO_BUFFERED_IO}, ULONG{DO_DIRECT_IO}})
    for (const UCHAR major : {IRP_MJ_READ, IRP_MJ_WRITE}) {
      device->Flags = (device->Flags & ~static_cast<ULONG>(DO_BUFFERED_IO | DO_DIRECT_IO)) | method;
      IRP* irp = BuildAsynchronousFsdRequest(major, device, memory, 512, &offset, &result);
      ASSERT_NE(irp, nullptr);
      EXPECT_EQ(NextLocation(irp)->Parameters.Read.ByteOffset.QuadPart, 1024);
      EXPECT_EQ(irp->AssociatedIrp.SystemBuffer != nullptr, method == DO_BUFFERED_IO);
      EXPECT_EQ(irp->MdlAddress != nullptr, method == DO_DIRECT_IO);
      EXPECT_EQ(irp->UserBuffer == memory, method == 0 || (method == DO_BUFFERED_IO && major == IRP_MJ_READ));
      if (method == DO_BUFFERED_IO && major == IRP_MJ_WRITE)
        EXPECT_EQ(std::memcmp(irp->AssociatedIrp.SystemBuffer, memory, 512), 0);
      if (irp->MdlAddress) mm::UnlockPages(irp->MdlAddress);
      AbandonIrp(irp);
    }
  ex::FreePool(memory);
}

}  // namespace
}  // namespace nt::io::test
