// How the end of a request is told, from user mode: status block, events, APCs, completion ports and their skip modes.
// spec irp-read-write 2 (table of completions) and 3.
#include "src/ex/event_object.h"
#include "src/io/user_test.h"

namespace nt::io::test {
namespace {

constexpr NTSTATUS kUntouched = 0x0badf00d;
void* const kKey = reinterpret_cast<void*>(0x55);
void* const kContext = reinterpret_cast<void*>(0x66);

/// How the driver ends a read.
enum class Way { kAtOnce, kPendedDone, kPendedLater };

class CompletionTest : public UserTest {
 protected:
  void Answer(Way way, NTSTATUS status, ULONG_PTR information) {
    toy->system.handlers[IRP_MJ_READ] = [=](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
      if (way == Way::kAtOnce) return Complete(irp, status, information);
      if (way == Way::kPendedLater) {
        CompleteLater(irp, status, information, 2);
        return STATUS_PENDING;
      }
      IoMarkIrpPending(irp);
      Complete(irp, status, information);
      return STATUS_PENDING;
    };
  }
  NTSTATUS Read(HANDLE file, HANDLE event = nullptr, PIO_APC_ROUTINE apc = nullptr, void* context = nullptr) {
    return AsUser([&]() -> NTSTATUS {
      block->offset.QuadPart = 0;
      block->iosb = {{kUntouched}, 77};
      return io::NtReadFile(file, event, apc, context, &block->iosb, block->buffer, 16, &block->offset, nullptr);
    });
  }
  HANDLE NewEvent(bool state = true) {
    return AsUser([&] {
      EXPECT_EQ(ex::NtCreateEvent(&block->handle, EVENT_ALL_ACCESS, nullptr, NotificationEvent, state), STATUS_SUCCESS);
      return block->handle;
    });
  }
  bool IsSet(HANDLE event) {
    return AsUser([&] {
      Ref<KEVENT> object;
      EXPECT_EQ(ob::ReferenceObjectByHandle(event, 0, ExEventObjectType, UserMode, object.out(), nullptr),
                STATUS_SUCCESS);
      return ke::ReadStateEvent(object.get()) != 0;
    });
  }
  void AwaitLate() {
    JoinLateThreads();
    AsUser([] {});  // a second stage that was queued to this thread runs at the latest here
  }
};

VOID NTIO_MS_ABI CountApc(PVOID context, PIO_STATUS_BLOCK iosb, ULONG) {
  EXPECT_EQ(iosb->Information, 9u);
  ++*static_cast<int*>(context);
}

// The table of section 2: who is told of success, a warning, an error at once and an error after STATUS_PENDING, by
// each kind of handle. pitfalls 8.
TEST_F(CompletionTest, StatusBlockEventAndPort_ByStatusAndPending) {
  struct Row {
    Way way;
    NTSTATUS status;
    bool told;
  };
  const Row rows[] = {
      {Way::kAtOnce, STATUS_SUCCESS, true},
      {Way::kPendedDone, STATUS_SUCCESS, true},
      {Way::kPendedLater, STATUS_SUCCESS, true},
      {Way::kAtOnce, STATUS_BUFFER_OVERFLOW, true},
      {Way::kPendedLater, STATUS_BUFFER_OVERFLOW, true},
      {Way::kAtOnce, STATUS_IO_DEVICE_ERROR, false},
      {Way::kPendedDone, STATUS_IO_DEVICE_ERROR, true},
      {Way::kPendedLater, STATUS_IO_DEVICE_ERROR, true},
  };
  HANDLE sync = Open(FILE_SYNCHRONOUS_IO_NONALERT), async = Open(0), with_port = Open(0), port = NewPort();
  HANDLE event = NewEvent();
  ASSERT_EQ(Associate(with_port, port, kKey), STATUS_SUCCESS);
  for (const Row& row : rows)
    for (HANDLE file : {sync, async, with_port})
      for (const bool use_event : {false, true}) {
        SCOPED_TRACE(testing::Message() << "way " << int(row.way) << " status " << std::hex << row.status << " sync "
                                        << (file == sync) << " port " << (file == with_port) << " event " << use_event);
        Answer(row.way, row.status, 9);
        AsUser([&] { EXPECT_EQ(ex::NtSetEvent(event, nullptr), STATUS_SUCCESS); });
        ke::SetEvent(&FileOfUser(file)->Event);
        const NTSTATUS returned = Read(file, use_event ? event : nullptr, nullptr, kContext);
        EXPECT_EQ(returned, row.way != Way::kAtOnce && file != sync ? STATUS_PENDING : row.status);
        AwaitLate();
        EXPECT_EQ(block->iosb.Status, row.told ? row.status : kUntouched);
        EXPECT_EQ(block->iosb.Information, row.told ? 9u : 77u);
        if (use_event) EXPECT_EQ(IsSet(event), row.told);
        // A caller's event takes the place of the file object's; a synchronous file object's wait needs its own.
        EXPECT_EQ(ke::ReadStateEvent(&FileOfUser(file)->Event) != 0, row.told && (!use_event || file == sync));
        EXPECT_EQ(TakePacket(port), file == with_port && row.told ? STATUS_SUCCESS : STATUS_TIMEOUT);
        if (file == with_port && row.told) {
          EXPECT_EQ(block->packet_key, kKey);
          EXPECT_EQ(block->packet_context, kContext);
          EXPECT_EQ(block->packet.Status, row.status);
          EXPECT_EQ(block->packet.Information, 9u);
        }
      }
  // Without a context no packet is queued.
  Answer(Way::kAtOnce, STATUS_SUCCESS, 9);
  EXPECT_EQ(Read(with_port), STATUS_SUCCESS);
  EXPECT_EQ(TakePacket(port), STATUS_TIMEOUT);
  for (HANDLE handle : {sync, async, with_port, port, event}) CloseUser(handle);
}

// irp-read-write 2: user APCs come for success and for what pended, in the thread that asked, when it waits alertably.
TEST_F(CompletionTest, UserApc_ByStatusAndPending) {
  HANDLE async = Open(0);
  struct Row {
    Way way;
    NTSTATUS status;
    bool apc;
  };
  for (const Row row : {Row{Way::kAtOnce, STATUS_SUCCESS, true}, Row{Way::kPendedDone, STATUS_BUFFER_OVERFLOW, true},
                        Row{Way::kPendedLater, STATUS_SUCCESS, true}, Row{Way::kAtOnce, STATUS_IO_DEVICE_ERROR, false},
                        Row{Way::kPendedLater, STATUS_IO_DEVICE_ERROR, true}}) {
    SCOPED_TRACE(testing::Message() << "way " << int(row.way) << " status " << std::hex << row.status);
    Answer(row.way, row.status, 9);
    int calls = 0;
    Read(async, nullptr, CountApc, &calls);
    AwaitLate();
    EXPECT_EQ(calls, 0);  // only at an alertable wait
    LARGE_INTEGER interval;
    interval.QuadPart = -10'000;
    const Status waited = AsUser([&] { return ke::DelayExecutionThread(UserMode, true, &interval); });
    EXPECT_EQ(waited, row.apc ? STATUS_USER_APC : STATUS_SUCCESS);
    EXPECT_EQ(calls, row.apc ? 1 : 0);
  }
  CloseUser(async);
}

// FILE_IO_COMPLETION_NOTIFICATION_INFORMATION: each mode alone and all together.
TEST_F(CompletionTest, SkipModes) {
  HANDLE port = NewPort();
  for (ULONG modes = 0; modes < 8; modes++) {
    HANDLE file = Open(0);
    ASSERT_EQ(Associate(file, port, kKey), STATUS_SUCCESS);
    ASSERT_EQ(SetModes(file, modes), STATUS_SUCCESS);
    for (const Way way : {Way::kAtOnce, Way::kPendedDone, Way::kPendedLater})
      for (const NTSTATUS status : {STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW, STATUS_IO_DEVICE_ERROR}) {
        SCOPED_TRACE(testing::Message() << "modes " << modes << " way " << int(way) << " status " << std::hex
                                        << status);
        Answer(way, status, 9);
        Read(file, nullptr, nullptr, kContext);
        AwaitLate();
        const bool told = way != Way::kAtOnce || !NT_ERROR(status);
        const bool skipped =
            (modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS) && way == Way::kAtOnce && NT_SUCCESS(status);
        EXPECT_EQ(TakePacket(port), told && !skipped ? STATUS_SUCCESS : STATUS_TIMEOUT);
        EXPECT_EQ(ke::ReadStateEvent(&FileOfUser(file)->Event) != 0, told && !(modes & FILE_SKIP_SET_EVENT_ON_HANDLE));
      }
    CloseUser(file);
  }
  HANDLE file = Open(0);
  EXPECT_EQ(SetModes(file, 8), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(SetModes(file, 1), STATUS_SUCCESS);
  EXPECT_EQ(SetModes(file, 2), STATUS_SUCCESS);  // what is set stays set
  AsUser([&] {
    EXPECT_EQ(io::NtQueryInformationFile(file, &block->iosb, &block->modes, sizeof block->modes,
                                         FileIoCompletionNotificationInformation),
              STATUS_SUCCESS);
  });
  EXPECT_EQ(block->modes.Flags, 3u);
  CloseUser(file);
  CloseUser(port);
}

FAST_IO_DISPATCH g_table;
BOOLEAN NTIO_MS_ABI FastRead(PFILE_OBJECT, PLARGE_INTEGER, ULONG, BOOLEAN, ULONG, PVOID, PIO_STATUS_BLOCK iosb,
                             PDEVICE_OBJECT) {
  *iosb = {{STATUS_SUCCESS}, 9};
  return TRUE;
}

// FILE_SKIP_SET_USER_EVENT_ON_FAST_IO concerns fast I/O only.
TEST_F(CompletionTest, SkipUserEventOnFastIo) {
  HANDLE event = NewEvent();
  for (const ULONG modes : {0u, ULONG{FILE_SKIP_SET_USER_EVENT_ON_FAST_IO}})
    for (const bool fast : {false, true}) {
      HANDLE file = Open(FILE_SYNCHRONOUS_IO_NONALERT);
      ASSERT_EQ(SetModes(file, modes), STATUS_SUCCESS);
      Answer(Way::kAtOnce, STATUS_SUCCESS, 9);
      g_table = {};
      g_table.SizeOfFastIoDispatch = sizeof g_table;
      g_table.FastIoRead = FastRead;
      toy->system.object->FastIoDispatch = fast ? &g_table : nullptr;
      FileOfUser(file)->PrivateCacheMap = fast ? &g_table : nullptr;
      EXPECT_EQ(Read(file, event), STATUS_SUCCESS);
      EXPECT_EQ(LastRequestWasFastIo(), fast);
      EXPECT_EQ(IsSet(event), !(fast && modes));
      FileOfUser(file)->PrivateCacheMap = nullptr;
      toy->system.object->FastIoDispatch = nullptr;
      CloseUser(file);
    }
  CloseUser(event);
}

// FILE_COMPLETION_INFORMATION and its replacement: who may be associated, and with what.
TEST_F(CompletionTest, Association) {
  HANDLE sync = Open(FILE_SYNCHRONOUS_IO_NONALERT), file = Open(0), port = NewPort(), other = NewPort();
  EXPECT_EQ(Associate(sync, port, kKey), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(Associate(file, file, kKey), STATUS_OBJECT_TYPE_MISMATCH);
  EXPECT_EQ(Associate(file, nullptr, kKey), STATUS_INVALID_HANDLE);
  EXPECT_EQ(Associate(file, port, kKey), STATUS_SUCCESS);
  EXPECT_EQ(Associate(file, other, kKey), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(Associate(file, other, kContext, FileReplaceCompletionInformation), STATUS_SUCCESS);
  Answer(Way::kAtOnce, STATUS_SUCCESS, 9);
  EXPECT_EQ(Read(file, nullptr, nullptr, kKey), STATUS_SUCCESS);
  EXPECT_EQ(TakePacket(port), STATUS_TIMEOUT);
  EXPECT_EQ(TakePacket(other), STATUS_SUCCESS);
  EXPECT_EQ(block->packet_key, kContext);
  EXPECT_EQ(Associate(file, nullptr, nullptr, FileReplaceCompletionInformation), STATUS_SUCCESS);
  EXPECT_EQ(Read(file, nullptr, nullptr, kKey), STATUS_SUCCESS);
  EXPECT_EQ(TakePacket(other), STATUS_TIMEOUT);
  for (HANDLE handle : {sync, file, port, other}) CloseUser(handle);
}

// NtSetIoCompletion, NtQueryIoCompletion, NtRemoveIoCompletionEx: packets in order, several at once, timeout, bad
// input.
TEST_F(CompletionTest, PortServices) {
  HANDLE port = NewPort();
  AsUser([&] {
    for (ULONG_PTR i = 0; i < 40; i++)
      EXPECT_EQ(NtSetIoCompletion(port, kKey, reinterpret_cast<void*>(i), STATUS_SUCCESS, i), STATUS_SUCCESS);
    auto* depth = reinterpret_cast<IO_COMPLETION_BASIC_INFORMATION*>(block->buffer);
    EXPECT_EQ(NtQueryIoCompletion(port, IoCompletionBasicInformation, depth, sizeof *depth, &block->key),
              STATUS_SUCCESS);
    EXPECT_EQ(depth->Depth, 40);
    EXPECT_EQ(NtQueryIoCompletion(port, IoCompletionBasicInformation, depth, 3, nullptr), STATUS_INFO_LENGTH_MISMATCH);
    auto* packets = reinterpret_cast<FILE_IO_COMPLETION_INFORMATION*>(block->buffer);
    block->timeout.QuadPart = 0;
    EXPECT_EQ(NtRemoveIoCompletionEx(port, packets, 0, &block->key, &block->timeout, false), STATUS_INVALID_PARAMETER);
    EXPECT_EQ(NtRemoveIoCompletionEx(port, nullptr, 4, &block->key, &block->timeout, false), STATUS_ACCESS_VIOLATION);
    ULONG_PTR next = 0;
    for (const ULONG wanted : {1u, 5u, 100u, 100u}) {
      const ULONG expected = std::min<ULONG>({wanted, 32, static_cast<ULONG>(40 - next)});
      EXPECT_EQ(NtRemoveIoCompletionEx(port, packets, wanted, &block->key, &block->timeout, false), STATUS_SUCCESS);
      EXPECT_EQ(block->key, expected);
      for (ULONG i = 0; i < block->key; i++, next++) {
        EXPECT_EQ(packets[i].KeyContext, kKey);
        EXPECT_EQ(packets[i].ApcContext, reinterpret_cast<void*>(next));
        EXPECT_EQ(packets[i].IoStatusBlock.Information, next);
      }
    }
    EXPECT_EQ(next, 40u);
    EXPECT_EQ(NtRemoveIoCompletionEx(port, packets, 4, &block->key, &block->timeout, false), STATUS_TIMEOUT);
    EXPECT_EQ(block->key, 0u);
    EXPECT_EQ(
        NtRemoveIoCompletion(nullptr, &block->packet_key, &block->packet_context, &block->packet, &block->timeout),
        STATUS_INVALID_HANDLE);
  });
  CloseUser(port);
}

// A waiter gets the packet of a request that another thread completes.
TEST_F(CompletionTest, PortWaiterWakes) {
  HANDLE file = Open(0), port = NewPort();
  ASSERT_EQ(Associate(file, port, kKey), STATUS_SUCCESS);
  Answer(Way::kPendedLater, STATUS_SUCCESS, 9);
  EXPECT_EQ(Read(file, nullptr, nullptr, kContext), STATUS_PENDING);
  AsUser([&] {
    block->timeout.QuadPart = -100'000'000;
    auto* packets = reinterpret_cast<FILE_IO_COMPLETION_INFORMATION*>(block->buffer);
    EXPECT_EQ(NtRemoveIoCompletionEx(port, packets, 4, &block->key, &block->timeout, true), STATUS_SUCCESS);
    EXPECT_EQ(block->key, 1u);
    EXPECT_EQ(packets->IoStatusBlock.Information, 9u);
  });
  CloseUser(file);
  CloseUser(port);
}

}  // namespace
}  // namespace nt::io::test
