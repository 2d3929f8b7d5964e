// A user-mode requestor for tests of io: a process of its own, its arguments in requestor memory, the toy volume below.
#pragma once

#include "src/io/test_driver.h"
#include "src/mm/mm.h"

namespace nt::io::test {

class UserTest : public machine::TestMachine {
 public:
  /// What a service is given, as a Windows program would have it on its stack.
  struct Block {
    IO_STATUS_BLOCK iosb;
    LARGE_INTEGER offset;
    ULONG key;
    HANDLE handle;
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    WCHAR text[64];
    FILE_COMPLETION_INFORMATION completion;
    FILE_IO_COMPLETION_NOTIFICATION_INFORMATION modes;
    void* packet_key;
    void* packet_context;
    IO_STATUS_BLOCK packet;
    LARGE_INTEGER timeout;
    alignas(4096) char buffer[3 * 4096];
  };

  void SetUp() override {
    TestMachine::SetUp();
    toy = std::make_unique<ToyVolume>();
    ASSERT_EQ(ps::CreateProcess(u"test", nullptr, &process), STATUS_SUCCESS);
    block = new (mm::UserArena::Allocate(sizeof(Block))) Block{};
  }
  void TearDown() override {
    JoinLateThreads();
    mm::UserArena::Free(block, sizeof(Block));
    ps::TerminateProcess(process, STATUS_SUCCESS);
    ob::DereferenceObject(process);
    toy.reset();
    TestMachine::TearDown();
  }

  /// One system service of the process.
  template <class F>
  auto AsUser(F&& body) {
    ke::ServiceScope scope(process, UserMode);
    return body();
  }
  HANDLE Open(ULONG options, ACCESS_MASK access = FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE,
              const std::u16string& path = u"\\Device\\ToyDisk\\file") {
    return AsUser([&] {
      path.copy(block->text, path.size());
      block->name = {static_cast<USHORT>(path.size() * 2), static_cast<USHORT>(path.size() * 2), block->text};
      InitializeObjectAttributes(&block->attributes, &block->name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
      EXPECT_EQ(io::NtCreateFile(&block->handle, access, &block->attributes, &block->iosb, nullptr, 0,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, options, nullptr, 0),
                STATUS_SUCCESS);
      return block->handle;
    });
  }
  void CloseUser(HANDLE handle) {
    AsUser([&] { EXPECT_EQ(ob::Close(handle, UserMode), STATUS_SUCCESS); });
  }
  /// The file object; the handle keeps it.
  FILE_OBJECT* FileOfUser(HANDLE handle) {
    return AsUser([&] {
      Ref<FILE_OBJECT> file;
      EXPECT_EQ(ReferenceFile(handle, 0, UserMode, &file), STATUS_SUCCESS);
      return file.get();
    });
  }
  HANDLE NewPort() {
    return AsUser([&] {
      EXPECT_EQ(NtCreateIoCompletion(&block->handle, IO_COMPLETION_ALL_ACCESS, nullptr, 0), STATUS_SUCCESS);
      return block->handle;
    });
  }
  Status Associate(HANDLE file, HANDLE port, void* key, FILE_INFORMATION_CLASS kind = FileCompletionInformation) {
    return AsUser([&]() -> Status {
      block->completion = {port, key};
      return io::NtSetInformationFile(file, &block->iosb, &block->completion, sizeof block->completion, kind);
    });
  }
  Status SetModes(HANDLE file, ULONG modes) {
    return AsUser([&]() -> Status {
      block->modes = {modes};
      return io::NtSetInformationFile(file, &block->iosb, &block->modes, sizeof block->modes,
                                      FileIoCompletionNotificationInformation);
    });
  }
  /// Takes a packet without waiting.
  Status TakePacket(HANDLE port) {
    return AsUser([&]() -> Status {
      block->timeout.QuadPart = 0;
      return NtRemoveIoCompletion(port, &block->packet_key, &block->packet_context, &block->packet, &block->timeout);
    });
  }

  std::unique_ptr<ToyVolume> toy;
  ps::Process* process = nullptr;
  Block* block = nullptr;
};

}  // namespace nt::io::test
