// NtReadFile and NtWriteFile from user mode: the parameter checks of spec irp-read-write 1 in a table, the boundaries
// of offsets and lengths, the three kinds of buffers of section 2, and buffers that are bad, read-only or gone
// meanwhile.
#include "src/ex/event_object.h"
#include "src/io/user_test.h"

namespace nt::io::test {
namespace {

constexpr ULONG kSynchronous = FILE_SYNCHRONOUS_IO_NONALERT;
constexpr NTSTATUS kUntouched = 0x0badf00d;

struct Call {
  HANDLE file = nullptr, event = nullptr;
  PIO_APC_ROUTINE apc = nullptr;
  IO_STATUS_BLOCK* iosb = nullptr;
  void* buffer = nullptr;
  ULONG length = 16;
  LARGE_INTEGER* offset = nullptr;
  ULONG* key = nullptr;
};

class TransferTest : public UserTest {
 public:
  void SetUp() override {
    UserTest::SetUp();
    page = Allocate(PAGE_READONLY);
    gone = Allocate(PAGE_READWRITE);
    Free(gone);
    toy->system.handlers[IRP_MJ_READ] =
        toy->system.handlers[IRP_MJ_WRITE] = [this](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
          last = *location;
          last_flags = irp->Flags;
          return Complete(irp, STATUS_SUCCESS, 0);
        };
  }
  void TearDown() override {
    Free(page);
    UserTest::TearDown();
  }
  char* Allocate(ULONG protect, SIZE_T bytes = PAGE_SIZE) {
    return AsUser([&] {
      block->packet_key = nullptr;
      block->packet.Information = bytes;
      EXPECT_EQ(mm::NtAllocateVirtualMemory(NtCurrentProcess(), &block->packet_key, 0, &block->packet.Information,
                                            MEM_RESERVE | MEM_COMMIT, protect),
                STATUS_SUCCESS);
      return static_cast<char*>(block->packet_key);
    });
  }
  void Free(char* memory) {
    AsUser([&] {
      block->packet_key = memory;
      block->packet.Information = 0;
      EXPECT_EQ(
          mm::NtFreeVirtualMemory(NtCurrentProcess(), &block->packet_key, &block->packet.Information, MEM_RELEASE),
          STATUS_SUCCESS);
    });
  }
  Call Usual(HANDLE file) {
    block->offset.QuadPart = 0;
    block->key = 7;
    return {file, nullptr, nullptr, &block->iosb, block->buffer, 16, &block->offset, &block->key};
  }
  NTSTATUS Do(bool write, const Call& call) {
    return AsUser([&]() -> NTSTATUS {
      return write ? io::NtWriteFile(call.file, call.event, call.apc, nullptr, call.iosb, call.buffer, call.length,
                                     call.offset, call.key)
                   : io::NtReadFile(call.file, call.event, call.apc, nullptr, call.iosb, call.buffer, call.length,
                                    call.offset, call.key);
    });
  }
  int Sent() const { return toy->system.Sent(IRP_MJ_READ) + toy->system.Sent(IRP_MJ_WRITE); }
  HANDLE NewEvent(ACCESS_MASK access = EVENT_ALL_ACCESS, bool state = true) {
    return AsUser([&] {
      EXPECT_EQ(ex::NtCreateEvent(&block->handle, access, nullptr, NotificationEvent, state), STATUS_SUCCESS);
      return block->handle;
    });
  }
  /// On every kind of device.
  template <class F>
  void ForEachMethod(F&& body) {
    for (const ULONG method : {0u, ULONG{DO_BUFFERED_IO}, ULONG{DO_DIRECT_IO}, ULONG{DO_BUFFERED_IO | DO_DIRECT_IO}}) {
      toy->volume->Flags = (toy->volume->Flags & ~static_cast<ULONG>(DO_BUFFERED_IO | DO_DIRECT_IO)) | method;
      body(method);
    }
  }

  char* page = nullptr;  // read-only
  char* gone = nullptr;  // not there
  IO_STACK_LOCATION last{};
  ULONG last_flags = 0;
};

VOID NTIO_MS_ABI NoApc(PVOID, PIO_STATUS_BLOCK, ULONG) {}
void* const kKernel = reinterpret_cast<void*>(0x7a2000000000);

// irp-read-write 1, row by row: the status, and that nothing changed.
TEST_F(TransferTest, BadParameters_EachHasItsStatusAndChangesNothing) {
  HANDLE sync = Open(kSynchronous), async = Open(0), unbuffered = Open(kSynchronous | FILE_NO_INTERMEDIATE_BUFFERING);
  HANDLE attributes = Open(kSynchronous, FILE_READ_ATTRIBUTES | SYNCHRONIZE);
  HANDLE with_port = Open(0), port = NewPort();
  ASSERT_EQ(Associate(with_port, port, nullptr), STATUS_SUCCESS);
  HANDLE event = NewEvent(), query_event = NewEvent(EVENT_QUERY_STATE | SYNCHRONIZE);
  toy->volume->AlignmentRequirement = FILE_LONG_ALIGNMENT;
  char* const above = reinterpret_cast<char*>(MmUserProbeAddress) - 8;
  constexpr LONGLONG kLowest = std::numeric_limits<LONGLONG>::min();
  struct Row {
    const char* name;
    HANDLE file;
    void (*change)(TransferTest&, Call&);
    NTSTATUS read, write;
  };
  static HANDLE static_query;
  static char* static_above;
  static_query = query_event;
  static_above = above;
  // clang-format off
  const Row rows[] = {
      {"1 no handle", nullptr, [](TransferTest&, Call&) {}, STATUS_INVALID_HANDLE, STATUS_INVALID_HANDLE},
      {"1 not a file", event, [](TransferTest&, Call&) {}, STATUS_OBJECT_TYPE_MISMATCH, STATUS_OBJECT_TYPE_MISMATCH},
      {"1 neither read nor write access", attributes, [](TransferTest&, Call&) {}, STATUS_ACCESS_DENIED, STATUS_ACCESS_DENIED},
      {"2 status block NULL", sync, [](TransferTest&, Call& c) { c.iosb = nullptr; }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"2 status block in kernel space", sync, [](TransferTest&, Call& c) { c.iosb = static_cast<IO_STATUS_BLOCK*>(kKernel); }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"2 status block misaligned", sync, [](TransferTest& t, Call& c) { c.iosb = reinterpret_cast<IO_STATUS_BLOCK*>(t.block->buffer + 2); }, STATUS_DATATYPE_MISALIGNMENT, STATUS_DATATYPE_MISALIGNMENT},
      {"2 status block read-only", sync, [](TransferTest& t, Call& c) { c.iosb = reinterpret_cast<IO_STATUS_BLOCK*>(t.page); }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"2 status block unmapped", sync, [](TransferTest& t, Call& c) { c.iosb = reinterpret_cast<IO_STATUS_BLOCK*>(t.gone); }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"2 buffer in kernel space", sync, [](TransferTest&, Call& c) { c.buffer = kKernel; }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"2 buffer across the probe address", sync, [](TransferTest&, Call& c) { c.buffer = static_above; }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"2 buffer wraps", sync, [](TransferTest&, Call& c) { c.buffer = reinterpret_cast<void*>(~0ull - 3); }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"2 longest length", sync, [](TransferTest&, Call& c) { c.buffer = static_above - 0x10000; c.length = ~0u; }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"2 byte offset unmapped", sync, [](TransferTest& t, Call& c) { c.offset = reinterpret_cast<LARGE_INTEGER*>(t.gone); }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"3 port and APC", with_port, [](TransferTest&, Call& c) { c.apc = NoApc; }, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
      {"4 unbuffered, length", unbuffered, [](TransferTest&, Call& c) { c.length = 100; }, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
      {"4 unbuffered, offset", unbuffered, [](TransferTest&, Call& c) { c.length = 512; c.offset->QuadPart = 511; }, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
      {"4 unbuffered, buffer", unbuffered, [](TransferTest&, Call& c) { c.length = 512; c.buffer = static_cast<char*>(c.buffer) + 1; }, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
      {"5 key unmapped", sync, [](TransferTest& t, Call& c) { c.key = reinterpret_cast<ULONG*>(t.gone); }, STATUS_ACCESS_VIOLATION, STATUS_ACCESS_VIOLATION},
      {"6 offset -3", sync, [](TransferTest&, Call& c) { c.offset->QuadPart = -3; }, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
      {"6 lowest offset", async, [](TransferTest&, Call& c) { c.offset->QuadPart = kLowest; }, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
      {"6 end of file is for writes", sync, [](TransferTest&, Call& c) { c.offset->QuadPart = -1; }, STATUS_INVALID_PARAMETER, STATUS_SUCCESS},
      {"7 no such event", sync, [](TransferTest&, Call& c) { c.event = reinterpret_cast<HANDLE>(0x1234); }, STATUS_INVALID_HANDLE, STATUS_INVALID_HANDLE},
      {"7 event is a file", sync, [](TransferTest&, Call& c) { c.event = c.file; }, STATUS_OBJECT_TYPE_MISMATCH, STATUS_OBJECT_TYPE_MISMATCH},
      {"7 event may not be modified", sync, [](TransferTest&, Call& c) { c.event = static_query; }, STATUS_ACCESS_DENIED, STATUS_ACCESS_DENIED},
      {"9 asynchronous without offset", async, [](TransferTest&, Call& c) { c.offset = nullptr; }, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
      {"9 asynchronous at the position", async, [](TransferTest&, Call& c) { c.offset->QuadPart = -2; }, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
  };
  // clang-format on
  FILE_OBJECT* file = FileOfUser(sync);
  file->CurrentByteOffset.QuadPart = 99;
  for (const Row& row : rows) {
    for (const bool write : {false, true}) {
      SCOPED_TRACE(std::string(row.name) + (write ? ", write" : ", read"));
      Call call = Usual(row.file);
      row.change(*this, call);
      block->iosb = {{kUntouched}, 77};
      std::memset(block->buffer, 'u', sizeof block->buffer);
      const int sent = Sent();
      const NTSTATUS expected = write ? row.write : row.read;
      EXPECT_EQ(Do(write, call), expected);
      if (NT_SUCCESS(expected)) continue;
      EXPECT_EQ(Sent(), sent);
      EXPECT_EQ(block->iosb.Status, kUntouched);
      EXPECT_EQ(block->iosb.Information, 77u);
      EXPECT_EQ(std::string(block->buffer, sizeof block->buffer), std::string(sizeof block->buffer, 'u'));
      EXPECT_EQ(file->CurrentByteOffset.QuadPart, 99);
    }
  }
  toy->volume->AlignmentRequirement = 0;
  for (HANDLE handle : {sync, async, unbuffered, attributes, with_port, port, event, query_event}) CloseUser(handle);
}

// irp-read-write 1 row 2: a page that cannot be written is no buffer for a read, and one for a write.
TEST_F(TransferTest, ReadOnlyAndUnmappedBuffers) {
  HANDLE file = Open(kSynchronous);
  ForEachMethod([&](ULONG method) {
    SCOPED_TRACE(method);
    Call call = Usual(file);
    call.buffer = page;
    EXPECT_EQ(Do(false, call), STATUS_ACCESS_VIOLATION);
    EXPECT_EQ(Do(true, call), STATUS_SUCCESS);
    call.buffer = gone;
    EXPECT_EQ(Do(false, call), STATUS_ACCESS_VIOLATION);
    // Neither I/O hands the driver the address as it is; the other methods touch it before the driver is called.
    const int sent = Sent();
    EXPECT_EQ(Do(true, call), method ? STATUS_ACCESS_VIOLATION : STATUS_SUCCESS);
    EXPECT_EQ(Sent() - sent, method ? 0 : 1);
  });
  CloseUser(file);
}

// irp-read-write 2: the memory goes away while the driver has the request.
TEST_F(TransferTest, BufferUnmappedMeanwhile) {
  HANDLE file = Open(kSynchronous);
  for (const bool pend : {false, true}) {
    SCOPED_TRACE(pend);
    toy->volume->Flags = (toy->volume->Flags & ~static_cast<ULONG>(DO_DIRECT_IO)) | DO_BUFFERED_IO;
    char* memory = Allocate(PAGE_READWRITE);
    toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
      Free(memory);
      std::memset(irp->AssociatedIrp.SystemBuffer, 'b', 16);
      if (!pend) return Complete(irp, STATUS_SUCCESS, 16);
      CompleteLater(irp, STATUS_SUCCESS, 16);
      return STATUS_PENDING;
    };
    Call call = Usual(file);
    call.buffer = memory;
    block->iosb = {};
    const NTSTATUS status = Do(false, call);
    // The copy back fails; the machine lives, and the status block says what happened when the request pended.
    if (pend) {
      EXPECT_EQ(status, STATUS_ACCESS_VIOLATION);
      EXPECT_EQ(block->iosb.Status, STATUS_ACCESS_VIOLATION);
    } else {
      EXPECT_TRUE(status == STATUS_SUCCESS || status == STATUS_ACCESS_VIOLATION);
    }
  }
  CloseUser(file);
}

// irp-read-write 2: what the IRP carries for each method, and precedence of buffered over direct. S004.10, S004.13.
TEST_F(TransferTest, Methods_SetUpTheBuffersOfTheTopDevice) {
  HANDLE file = Open(kSynchronous);
  ForEachMethod([&](ULONG method) {
    for (const bool write : {false, true}) {
      for (const ULONG length : {0u, 16u, 5000u}) {
        SCOPED_TRACE(testing::Message() << "method " << method << " write " << write << " length " << length);
        const bool buffered = method & DO_BUFFERED_IO, direct = !buffered && (method & DO_DIRECT_IO);
        std::memset(block->buffer, 'u', sizeof block->buffer);
        toy->system.handlers[write ? IRP_MJ_WRITE : IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp,
                                                                       IO_STACK_LOCATION* location) {
          EXPECT_EQ(location->Parameters.Read.Length, length);
          EXPECT_EQ(irp->AssociatedIrp.SystemBuffer != nullptr, buffered && length);
          EXPECT_EQ(irp->MdlAddress != nullptr, direct && length);
          EXPECT_EQ(irp->UserBuffer, block->buffer);
          EXPECT_EQ(bool(irp->Flags & IRP_BUFFERED_IO), buffered);
          EXPECT_EQ(bool(irp->Flags & IRP_DEALLOCATE_BUFFER), buffered && length);
          EXPECT_EQ(bool(irp->Flags & IRP_INPUT_OPERATION), buffered && length && !write);
          EXPECT_TRUE(irp->Flags & (write ? IRP_WRITE_OPERATION : IRP_READ_OPERATION));
          EXPECT_TRUE(irp->Flags & IRP_DEFER_IO_COMPLETION);
          EXPECT_EQ(irp->RequestorMode, UserMode);
          char* data = buffered           ? static_cast<char*>(irp->AssociatedIrp.SystemBuffer)
                       : direct && length ? static_cast<char*>(mm::GetSystemAddressForMdl(irp->MdlAddress))
                                          : static_cast<char*>(irp->UserBuffer);
          if (direct && length) {
            EXPECT_TRUE(irp->MdlAddress->MdlFlags & MDL_PAGES_LOCKED);
            EXPECT_EQ(MmGetMdlByteCount(irp->MdlAddress), length);
            EXPECT_EQ(MmGetMdlVirtualAddress(irp->MdlAddress), block->buffer);
          }
          for (ULONG i = 0; i < length; i++) {
            if (write)
              EXPECT_EQ(data[i], 'u');
            else
              data[i] = 'd';
          }
          return Complete(irp, STATUS_SUCCESS, length);
        };
        Call call = Usual(file);
        call.length = length;
        EXPECT_EQ(Do(write, call), STATUS_SUCCESS);
        EXPECT_EQ(block->iosb.Information, length);
        for (ULONG i = 0; i < sizeof block->buffer; i++)
          ASSERT_EQ(block->buffer[i], !write && i < length ? 'd' : 'u') << i;
      }
    }
  });
  CloseUser(file);
}

// irp-read-write 2: exactly Information bytes come back, for success and warnings, not for errors or VERIFY_REQUIRED.
TEST_F(TransferTest, Buffered_CopiesBackByStatus) {
  HANDLE file = Open(kSynchronous);
  toy->volume->Flags |= DO_BUFFERED_IO;
  struct Row {
    NTSTATUS status;
    bool copies;
  };
  for (const Row row :
       {Row{STATUS_SUCCESS, true}, Row{STATUS_BUFFER_OVERFLOW, true}, Row{STATUS_NO_MORE_FILES, true},
        Row{STATUS_END_OF_FILE, false}, Row{STATUS_IO_DEVICE_ERROR, false}, Row{STATUS_VERIFY_REQUIRED, false}})
    for (const bool pend : {false, true}) {
      SCOPED_TRACE(testing::Message() << std::hex << row.status << " pend " << pend);
      toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
        std::memset(irp->AssociatedIrp.SystemBuffer, 'b', 16);
        if (!pend) return Complete(irp, row.status, 5);
        CompleteLater(irp, row.status, 5, 1);
        return STATUS_PENDING;
      };
      std::memset(block->buffer, 'u', 16);
      EXPECT_EQ(Do(false, Usual(file)), row.status);
      EXPECT_EQ(std::string(block->buffer, 16), row.copies ? "bbbbbuuuuuuuuuuu" : "uuuuuuuuuuuuuuuu");
    }
  CloseUser(file);
}

// irp-read-write 1: every boundary of 32 and 63 bits reaches the driver as it was given.
TEST_F(TransferTest, Offsets_ReachTheDriverWhole) {
  HANDLE sync = Open(kSynchronous), async = Open(0);
  const LONGLONG offsets[] = {0,          1,           0x7fffffff,         0x80000000,
                              0xffffffff, 0x100000000, 0x7ffffffffffffffe, 0x7fffffffffffffff};
  for (HANDLE file : {sync, async})
    for (const LONGLONG offset : offsets)
      for (const ULONG length : {0u, 1u, 4096u, 4097u})
        for (const bool write : {false, true}) {
          SCOPED_TRACE(testing::Message() << "offset " << offset << " length " << length << " write " << write);
          Call call = Usual(file);
          call.length = length;
          block->offset.QuadPart = offset;
          const int sent = Sent();
          EXPECT_EQ(Do(write, call), STATUS_SUCCESS);
          EXPECT_EQ(Sent() - sent, 1);
          EXPECT_EQ(last.Parameters.Read.ByteOffset.QuadPart, offset);
          EXPECT_EQ(last.Parameters.Read.Length, length);
          EXPECT_EQ(last.Parameters.Read.Key, 7u);
        }
  // The longest length that fits below the probe address; neither I/O touches nothing of a write's buffer.
  Call call = Usual(sync);
  call.length = ~0u;
  EXPECT_EQ(Do(true, call), STATUS_SUCCESS);
  EXPECT_EQ(last.Parameters.Write.Length, ~0u);
  // An MDL of more than 2 GiB is not made.
  toy->volume->Flags |= DO_DIRECT_IO;
  EXPECT_EQ(Do(true, call), STATUS_INSUFFICIENT_RESOURCES);
  CloseUser(sync);
  CloseUser(async);
}

// irp-read-write 1 rows 6, 8: the special offsets, and the append-only handle.
TEST_F(TransferTest, SpecialOffsets) {
  constexpr LONGLONG kNone = -100, kPosition = 4711;
  struct Row {
    bool synchronous, append_only, write;
    LONGLONG offset, seen;
  };
  const Row rows[] = {
      {true, false, false, kNone, kPosition},
      {true, false, false, -2, kPosition},
      {true, false, false, 5, 5},
      {true, false, true, kNone, kPosition},
      {true, false, true, -2, kPosition},
      {true, false, true, 5, 5},
      {true, false, true, -1, -1},
      {false, false, true, -1, -1},
      {true, true, true, kNone, -1},
      {true, true, true, 5, -1},
      {true, true, true, -2, -1},
      {false, true, true, kNone, -1},
      {false, true, true, 5, -1},
      {false, true, true, -2, -1},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << "sync " << row.synchronous << " append " << row.append_only << " write "
                                    << row.write << " offset " << row.offset);
    HANDLE file =
        Open(row.synchronous ? kSynchronous : 0,
             row.append_only ? FILE_APPEND_DATA | SYNCHRONIZE : FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE);
    FileOfUser(file)->CurrentByteOffset.QuadPart = kPosition;
    Call call = Usual(file);
    if (row.offset == kNone) call.offset = nullptr;
    block->offset.QuadPart = row.offset;
    EXPECT_EQ(Do(row.write, call), STATUS_SUCCESS);
    EXPECT_EQ(last.Parameters.Write.ByteOffset.QuadPart, row.seen);
    CloseUser(file);
  }
}

// irp-read-write 1 row 10, 2: flags of the file object arrive in the IRP.
TEST_F(TransferTest, FileFlagsArriveInTheIrp) {
  HANDLE plain = Open(kSynchronous), through = Open(kSynchronous | FILE_WRITE_THROUGH);
  HANDLE unbuffered = Open(kSynchronous | FILE_NO_INTERMEDIATE_BUFFERING);
  Call call = Usual(plain);
  EXPECT_EQ(Do(true, call), STATUS_SUCCESS);
  EXPECT_FALSE(last.Flags & SL_WRITE_THROUGH);
  EXPECT_FALSE(last_flags & IRP_NOCACHE);
  call.file = through;
  EXPECT_EQ(Do(true, call), STATUS_SUCCESS);
  EXPECT_TRUE(last.Flags & SL_WRITE_THROUGH);
  call.file = unbuffered;
  call.length = 512;
  EXPECT_EQ(Do(true, call), STATUS_SUCCESS);
  EXPECT_TRUE(last_flags & IRP_NOCACHE);
  EXPECT_EQ(Do(false, call), STATUS_SUCCESS);
  EXPECT_TRUE(last_flags & IRP_NOCACHE);
  for (HANDLE handle : {plain, through, unbuffered}) CloseUser(handle);
}

// irp-read-write 0: a slot that no driver filled. S004.01, S004.02: the majors and the routines that get them.
TEST_F(TransferTest, EmptySlotIsInvalidDeviceRequest) {
  HANDLE file = Open(kSynchronous);
  const PDRIVER_DISPATCH saved = toy->system.object->MajorFunction[IRP_MJ_READ];
  auto empty = CreateBuiltInDriver(u"\\Driver\\Empty", nullptr);
  ASSERT_TRUE(empty.ok());
  toy->system.object->MajorFunction[IRP_MJ_READ] = empty.value()->MajorFunction[IRP_MJ_READ];
  EXPECT_EQ(Do(false, Usual(file)), STATUS_INVALID_DEVICE_REQUEST);
  toy->system.object->MajorFunction[IRP_MJ_READ] = saved;
  EXPECT_EQ(Do(true, Usual(file)), STATUS_SUCCESS);
  EXPECT_EQ(last.MajorFunction, IRP_MJ_WRITE);
  EXPECT_EQ(Do(false, Usual(file)), STATUS_SUCCESS);
  EXPECT_EQ(last.MajorFunction, IRP_MJ_READ);
  DeleteDriver(empty.value(), true);
  CloseUser(file);
}

}  // namespace
}  // namespace nt::io::test
