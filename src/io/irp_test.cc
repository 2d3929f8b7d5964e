// IRPs: stacks, completion routines, the pending bit, associated IRPs, cancellation, queues.
#include "src/io/csq.h"
#include "src/io/test_driver.h"
#include "src/mm/mm.h"

namespace nt::io::test {
namespace {

class IrpTest : public machine::TestMachine {};

TEST_F(IrpTest, Statistics_TellDisallowedFromDeclined) {
  ResetStatistics();
  FSRTL_COMMON_FCB_HEADER header{};
  FILE_OBJECT file{};
  file.FsContext = &header;
  file.PrivateCacheMap = &header;
  constexpr auto kRead = &FAST_IO_DISPATCH::FastIoRead;
  const size_t read = FastIoIndex<kRead>(), check = FastIoIndex<&FAST_IO_DISPATCH::FastIoCheckIfPossible>();
  header.IsFastIoPossible = FastIoIsPossible;
  CountFastIo(read, true, &file);
  CountFastIo(read, false, &file);  // declined: a miss of the cache, say
  EXPECT_EQ(TheStatistics().fast_io[read].disallowed, 0u);
  header.IsFastIoPossible = FastIoIsNotPossible;
  CountFastIo(read, false, &file);
  EXPECT_EQ(TheStatistics().fast_io[read].disallowed, 1u);
  header.IsFastIoPossible = FastIoIsQuestionable;
  CountFastIo(check, false, &file);
  CountFastIo(read, false, &file);
  CountFastIo(check, true, &file);
  CountFastIo(read, false, &file);
  EXPECT_EQ(TheStatistics().fast_io[read].disallowed, 2u);
  EXPECT_EQ(TheStatistics().fast_io[read].called, 5u);
  ResetStatistics();
  EXPECT_EQ(TheStatistics().fast_io[read].disallowed, 0u);
}

/// What a completion routine saw and what it is to return.
struct Seen {
  int calls = 0;
  DEVICE_OBJECT* device = nullptr;
  bool pending = false;
  NTSTATUS status = 0;
  NTSTATUS result = STATUS_SUCCESS;
  NTSTATUS change_status = STATUS_PENDING;  // PENDING: leave it
  bool mark = true;                         // propagate the pending bit, as a forwarding driver does
  KEVENT* event = nullptr;
};

NTSTATUS NTIO_MS_ABI Note(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
  auto* seen = static_cast<Seen*>(context);
  seen->calls++;
  seen->device = device;
  seen->pending = irp->PendingReturned;
  seen->status = irp->IoStatus.Status;
  if (seen->change_status != STATUS_PENDING) irp->IoStatus.Status = seen->change_status;
  if (seen->mark && irp->PendingReturned && irp->CurrentLocation <= irp->StackCount) IoMarkIrpPending(irp);
  if (seen->event) ke::SetEvent(seen->event);
  return seen->result;
}

/// Three devices: top, middle, bottom; and the routines that each sets for the one below.
struct Stack {
  Stack() : driver(u"\\Driver\\Stack") {
    bottom = driver.Device();
    middle = driver.Device();
    top = driver.Device();
    EXPECT_EQ(AttachDeviceToDeviceStack(middle, bottom), bottom);
    EXPECT_EQ(AttachDeviceToDeviceStack(top, bottom), middle);
    driver.fallback = [this](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
      if (device == bottom) return at_bottom(irp);
      IoCopyCurrentIrpStackLocationToNext(irp);
      Seen* seen = device == top ? &from_middle : &from_bottom;
      if (set_routines)
        IoSetCompletionRoutine(irp, Note, seen, on_success, on_error, on_cancel);
      return io::CallDriver(device == top ? middle : bottom, irp);
    };
  }
  /// Sends an IRP of a driver above, whose routine keeps it.
  NTSTATUS Send() {
    irp = AllocateIrp(top->StackSize);
    NextLocation(irp)->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    origin.result = STATUS_MORE_PROCESSING_REQUIRED;
    IoSetCompletionRoutine(irp, Note, &origin, TRUE, TRUE, TRUE);
    return io::CallDriver(top, irp);
  }
  ~Stack() {
    if (irp) FreeIrp(irp);
  }
  Driver driver;
  DEVICE_OBJECT *bottom, *middle, *top;
  bool set_routines = true, on_success = true, on_error = true, on_cancel = true;
  Seen origin, from_middle, from_bottom;
  std::function<NTSTATUS(IRP*)> at_bottom = [](IRP* irp) { return Complete(irp, STATUS_SUCCESS, 7); };
  IRP* irp = nullptr;
};

TEST_F(IrpTest, Attach_PropagatesStackSizeAndDetachUndoes) {
  Stack stack;
  EXPECT_EQ(stack.top->StackSize, 3);
  EXPECT_EQ(GetAttachedDevice(stack.bottom), stack.top);
  DEVICE_OBJECT* lower = GetLowerDeviceObject(stack.top);
  EXPECT_EQ(lower, stack.middle);
  ob::DereferenceObject(lower);
  DetachDevice(stack.middle);
  EXPECT_EQ(GetAttachedDevice(stack.bottom), stack.middle);
}

TEST_F(IrpTest, Complete_CallsRoutinesUpwardWithTheirOwnersDevice) {
  Stack stack;
  EXPECT_EQ(stack.Send(), STATUS_SUCCESS);
  EXPECT_EQ(stack.from_bottom.calls, 1);
  EXPECT_EQ(stack.from_bottom.device, stack.middle);
  EXPECT_EQ(stack.from_middle.device, stack.top);
  EXPECT_EQ(stack.origin.calls, 1);
  EXPECT_EQ(stack.origin.device, nullptr);
  EXPECT_EQ(stack.irp->IoStatus.Information, 7u);
}

TEST_F(IrpTest, Complete_InvocationMatrix) {
  for (int flags = 0; flags < 8; flags++) {
    for (int state = 0; state < 4; state++) {
      Stack stack;
      stack.on_success = flags & 1;
      stack.on_error = flags & 2;
      stack.on_cancel = flags & 4;
      const bool error = state & 1, cancel = state & 2;
      stack.at_bottom = [&](IRP* irp) {
        irp->Cancel = cancel;
        return Complete(irp, error ? STATUS_IO_DEVICE_ERROR : STATUS_SUCCESS);
      };
      stack.Send();
      const bool called = (!error && stack.on_success) || (error && stack.on_error) || (cancel && stack.on_cancel);
      EXPECT_EQ(stack.from_bottom.calls, called) << "flags " << flags << " state " << state;
      EXPECT_EQ(stack.origin.calls, 1);
    }
  }
}

// pitfalls 10: the next completion goes on above the routine that kept the IRP.
TEST_F(IrpTest, Complete_MoreProcessingResumesAbove) {
  Stack stack;
  stack.from_bottom.result = STATUS_MORE_PROCESSING_REQUIRED;
  stack.Send();
  EXPECT_EQ(stack.from_bottom.calls, 1);
  EXPECT_EQ(stack.from_middle.calls, 0);
  EXPECT_EQ(stack.origin.calls, 0);
  CompleteRequest(stack.irp);
  EXPECT_EQ(stack.from_bottom.calls, 1);
  EXPECT_EQ(stack.from_middle.calls, 1);
  EXPECT_EQ(stack.origin.calls, 1);
}

TEST_F(IrpTest, Complete_ChangedStatusDecidesAboutTheNextRoutine) {
  Stack stack;
  stack.on_error = false;
  stack.from_bottom.change_status = STATUS_IO_DEVICE_ERROR;
  stack.Send();
  EXPECT_EQ(stack.from_bottom.calls, 1);
  EXPECT_EQ(stack.from_middle.calls, 0);
  EXPECT_EQ(stack.origin.status, STATUS_IO_DEVICE_ERROR);
}

// pitfalls 11: without a routine the I/O manager carries the pending bit up itself.
TEST_F(IrpTest, Complete_PropagatesPendingWithoutRoutine) {
  Stack stack;
  stack.set_routines = false;
  stack.at_bottom = [&](IRP* irp) {
    IoMarkIrpPending(irp);
    Complete(irp, STATUS_SUCCESS);
    return STATUS_PENDING;
  };
  EXPECT_EQ(stack.Send(), STATUS_PENDING);
  EXPECT_TRUE(stack.origin.pending);
}

TEST_F(IrpTest, Complete_RoutineThatDoesNotMarkEndsPending) {
  Stack stack;
  stack.from_bottom.mark = stack.from_middle.mark = false;
  stack.at_bottom = [&](IRP* irp) {
    IoMarkIrpPending(irp);
    Complete(irp, STATUS_SUCCESS);
    return STATUS_PENDING;
  };
  stack.Send();
  EXPECT_TRUE(stack.from_bottom.pending);
  EXPECT_FALSE(stack.from_middle.pending);
}

TEST_F(IrpTest, Associated_LastOneCompletesTheMaster) {
  Stack stack;
  stack.at_bottom = [&](IRP* irp) {
    irp->AssociatedIrp.IrpCount = 3;
    IoMarkIrpPending(irp);
    std::vector<IRP*> parts;
    for (int i = 0; i < 3; i++) parts.push_back(MakeAssociatedIrp(irp, 1));
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = 3;
    for (int i = 0; i < 3; i++) {
      EXPECT_EQ(stack.origin.calls, 0);
      IoSetNextIrpStackLocation(parts[static_cast<size_t>(i)]);
      Complete(parts[static_cast<size_t>(i)], STATUS_SUCCESS);
    }
    return STATUS_PENDING;
  };
  EXPECT_EQ(stack.Send(), STATUS_PENDING);
  EXPECT_EQ(stack.origin.calls, 1);
  EXPECT_EQ(stack.irp->IoStatus.Information, 3u);
}

TEST_F(IrpTest, Allocate_SteadyStateAllocatesNothing) {
  IRP* first = AllocateIrp(2);
  FreeIrp(first);
  const auto before = ex::CurrentPoolUse().blocks;
  for (int i = 0; i < 100; i++) {
    IRP* irp = AllocateIrp(2);
    EXPECT_EQ(irp, first);
    EXPECT_EQ(irp->CurrentLocation, 3);
    FreeIrp(irp);
  }
  EXPECT_EQ(ex::CurrentPoolUse().blocks, before);
}

TEST_F(IrpTest, SynchronousFsdRequest_WaitsAndIsFreedByTheManager) {
  Stack stack;
  stack.bottom->Flags |= DO_BUFFERED_IO;
  stack.top->Flags |= DO_BUFFERED_IO;
  stack.at_bottom = [&](IRP* irp) {
    std::memset(irp->AssociatedIrp.SystemBuffer, 'x', 4);
    CompleteLater(irp, STATUS_SUCCESS, 4);
    return STATUS_PENDING;
  };
  char buffer[8] = {};
  KEVENT event;
  IO_STATUS_BLOCK iosb{};
  LARGE_INTEGER offset{};
  ke::InitializeEvent(&event, NotificationEvent, false);
  IRP* irp = BuildSynchronousFsdRequest(IRP_MJ_READ, stack.top, buffer, sizeof buffer, &offset, &event, &iosb);
  EXPECT_EQ(CallDriverAndWait(stack.top, irp, &event, &iosb), STATUS_SUCCESS);
  EXPECT_EQ(iosb.Information, 4u);
  EXPECT_EQ(std::string(buffer, 8), std::string("xxxx\0\0\0\0", 8));
}

TEST_F(IrpTest, ForwardIrpSynchronously_GivesTheIrpBack) {
  Stack stack;
  bool forwarded = false;
  stack.driver.fallback = [&](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
    if (device == stack.top) {
      forwarded = ForwardIrpSynchronously(stack.bottom, irp);
      EXPECT_EQ(irp->IoStatus.Information, 9u);
      return Complete(irp, STATUS_SUCCESS, 10);
    }
    CompleteLater(irp, STATUS_SUCCESS, 9);
    return STATUS_PENDING;
  };
  EXPECT_EQ(stack.Send(), STATUS_SUCCESS);
  EXPECT_TRUE(forwarded);
  EXPECT_EQ(stack.irp->IoStatus.Information, 10u);
}

// --- cancellation ---------------------------------------------------------------------------------------------------------------

VOID NTIO_MS_ABI CancelNow(PDEVICE_OBJECT, PIRP irp) {
  EXPECT_EQ(ke::CurrentIrql(), DISPATCH_LEVEL);
  ReleaseCancelSpinLock(irp->CancelIrql);
  Complete(irp, STATUS_CANCELLED);
}

TEST_F(IrpTest, Cancel_RunsTheRoutineOnce) {
  Stack stack;
  stack.set_routines = false;
  stack.at_bottom = [](IRP* irp) {
    IoMarkIrpPending(irp);
    IoSetCancelRoutine(irp, CancelNow);
    return STATUS_PENDING;
  };
  EXPECT_EQ(stack.Send(), STATUS_PENDING);
  EXPECT_TRUE(CancelIrp(stack.irp));
  EXPECT_EQ(ke::CurrentIrql(), PASSIVE_LEVEL);
  EXPECT_EQ(stack.origin.calls, 1);
  EXPECT_EQ(stack.origin.status, STATUS_CANCELLED);
  EXPECT_FALSE(CancelIrp(stack.irp));
  EXPECT_TRUE(stack.irp->Cancel);
}

struct Queue {
  IO_CSQ csq{};
  KSPIN_LOCK lock{};
  LIST_ENTRY list{};
  int cancelled = 0;
  static Queue* Of(PIO_CSQ csq) { return CONTAINING_RECORD(csq, Queue, csq); }
  static VOID NTIO_MS_ABI Insert(PIO_CSQ csq, PIRP irp) { ListPushBack(&Of(csq)->list, &irp->Tail.Overlay.ListEntry); }
  static VOID NTIO_MS_ABI Remove(PIO_CSQ, PIRP irp) { ListRemove(&irp->Tail.Overlay.ListEntry); }
  static PIRP NTIO_MS_ABI Peek(PIO_CSQ csq, PIRP irp, PVOID) {
    LIST_ENTRY* next = irp ? irp->Tail.Overlay.ListEntry.Flink : Of(csq)->list.Flink;
    return next == &Of(csq)->list ? nullptr : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
  }
  static VOID NTIO_MS_ABI Acquire(PIO_CSQ csq, PKIRQL irql) { *irql = ke::AcquireSpinLockRaiseToDpc(&Of(csq)->lock); }
  static VOID NTIO_MS_ABI Release(PIO_CSQ csq, KIRQL irql) { ke::ReleaseSpinLock(&Of(csq)->lock, irql); }
  static VOID NTIO_MS_ABI Cancelled(PIO_CSQ csq, PIRP irp) {
    Of(csq)->cancelled++;
    Complete(irp, STATUS_CANCELLED);
  }
  Queue() {
    ListInit(&list);
    CsqInitialize(&csq, IO_TYPE_CSQ, Insert, Remove, Peek, Acquire, Release, Cancelled).Ignore();
  }
};

TEST_F(IrpTest, Csq_CancelAndRemoveExcludeEachOther) {
  Queue queue;
  for (const bool cancel : {true, false}) {
    Stack stack;
    stack.set_routines = false;
    stack.at_bottom = [&](IRP* irp) {
      CsqInsertIrpEx(&queue.csq, irp, nullptr, nullptr).Ignore();
      return STATUS_PENDING;
    };
    EXPECT_EQ(stack.Send(), STATUS_PENDING);
    if (cancel) {
      EXPECT_TRUE(CancelIrp(stack.irp));
      EXPECT_EQ(CsqRemoveNextIrp(&queue.csq, nullptr), nullptr);
    } else {
      IRP* irp = CsqRemoveNextIrp(&queue.csq, nullptr);
      ASSERT_EQ(irp, stack.irp);
      EXPECT_FALSE(CancelIrp(irp));
      Complete(irp, STATUS_SUCCESS);
    }
    EXPECT_EQ(stack.origin.calls, 1);
  }
  EXPECT_EQ(queue.cancelled, 1);
}

// --- start-I/O -------------------------------------------------------------------------------------------------------------------

std::vector<IRP*>* g_started;
VOID NTIO_MS_ABI StartIo(PDEVICE_OBJECT device, PIRP irp) {
  EXPECT_EQ(ke::CurrentIrql(), DISPATCH_LEVEL);
  EXPECT_EQ(device->CurrentIrp, irp);
  g_started->push_back(irp);
}

TEST_F(IrpTest, StartIo_OneAtATimeInOrderOfKey) {
  Driver driver(u"\\Driver\\StartIo");
  driver.object->DriverStartIo = StartIo;
  DEVICE_OBJECT* device = driver.Device();
  std::vector<IRP*> started, irps;
  g_started = &started;
  for (int i = 0; i < 4; i++) irps.push_back(AllocateIrp(1));
  ULONG keys[] = {5, 30, 10, 20};
  for (size_t i = 0; i < 4; i++) StartPacket(device, irps[i], &keys[i], nullptr);
  EXPECT_EQ(started, std::vector<IRP*>{irps[0]});
  for (int i = 0; i < 3; i++) StartNextPacket(device, false);
  EXPECT_EQ(started, (std::vector<IRP*>{irps[0], irps[2], irps[3], irps[1]}));
  StartNextPacket(device, false);
  EXPECT_EQ(device->CurrentIrp, nullptr);
  for (IRP* irp : irps) FreeIrp(irp);
}

// --- MDLs, work items ---------------------------------------------------------------------------------------------------------------

TEST_F(IrpTest, PartialMdl_MapsTheParentsPages) {
  auto* memory = static_cast<char*>(ex::AllocatePool(NonPagedPoolNx, 3 * PAGE_SIZE, 'tset'));
  MDL* whole = AllocateMdl(memory, 3 * PAGE_SIZE, false, false, nullptr);
  mm::BuildMdlForNonPagedPool(whole);
  MDL* part = AllocateMdl(memory + 100, PAGE_SIZE, false, false, nullptr);
  BuildPartialMdl(whole, part, memory + PAGE_SIZE + 10, 20);
  EXPECT_EQ(mm::GetSystemAddressForMdl(part), memory + PAGE_SIZE + 10);
  EXPECT_EQ(part->ByteCount, 20u);
  EXPECT_EQ(MmGetMdlPfnArray(part)[0], MmGetMdlPfnArray(whole)[1]);
  BuildPartialMdl(whole, part, memory + 2 * PAGE_SIZE + 1, 0);
  EXPECT_EQ(part->ByteCount, static_cast<ULONG>(PAGE_SIZE - 1));
  FreeMdl(part);
  FreeMdl(whole);
  ex::FreePool(memory);
}

VOID NTIO_MS_ABI Work(PDEVICE_OBJECT, PVOID event) { ke::SetEvent(static_cast<PRKEVENT>(event)); }

TEST_F(IrpTest, WorkItem_KeepsItsDevice) {
  Driver driver(u"\\Driver\\Work");
  DEVICE_OBJECT* device = driver.Device();
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  PIO_WORKITEM item = AllocateWorkItem(device);
  QueueWorkItem(item, Work, DelayedWorkQueue, &event);
  ke::WaitFor(&event);
  ex::DrainWorkQueues();
  FreeWorkItem(item);
}

// --- sharing: every pair of opens -----------------------------------------------------------------------------------------------------

TEST_F(IrpTest, ShareAccess_Table) {
  File *first, *second;
  ASSERT_EQ(NewFileObject(&first), STATUS_SUCCESS);
  ASSERT_EQ(NewFileObject(&second), STATUS_SUCCESS);
  const ACCESS_MASK kAccess[] = {FILE_READ_DATA, FILE_WRITE_DATA, DELETE};
  for (ULONG a = 0; a < 8; a++)
    for (ULONG sa = 0; sa < 8; sa++)
      for (ULONG b = 0; b < 8; b++)
        for (ULONG sb = 0; sb < 8; sb++) {
          ACCESS_MASK access_a = FILE_READ_ATTRIBUTES, access_b = FILE_READ_ATTRIBUTES;
          for (int bit = 0; bit < 3; bit++) {
            if (a >> bit & 1) access_a |= kAccess[bit];
            if (b >> bit & 1) access_b |= kAccess[bit];
          }
          SHARE_ACCESS share;
          SetShareAccess(access_a, sa, &first->nt, &share);
          const SHARE_ACCESS before = share;
          // Attribute-only opens never conflict; otherwise each side's access must be shared by the other.
          const bool allowed = a == 0 || b == 0 || ((b & ~sa) == 0 && (a & ~sb) == 0);
          const NTSTATUS status = CheckShareAccess(access_b, sb, &second->nt, &share, true);
          ASSERT_EQ(status, allowed ? STATUS_SUCCESS : STATUS_SHARING_VIOLATION) << a << sa << b << sb;
          if (allowed) RemoveShareAccess(&second->nt, &share);
          ASSERT_EQ(std::memcmp(&before, &share, sizeof share), 0);
        }
  ob::DereferenceObject(first);
  ob::DereferenceObject(second);
}

}  // namespace
}  // namespace nt::io::test
