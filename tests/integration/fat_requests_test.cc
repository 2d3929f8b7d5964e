// drivers/fat: transfers, attributes by path, locks, oplocks, notification, rename, deletion.
#include "src/disk/disk.h"
#include "tests/integration/fat_test.h"

namespace fat_test {
namespace {

// A stack that leaves a transfer too little. The frames of unoptimised and sanitized builds would not fit into it.
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__)
constexpr size_t kShortStackBytes = 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr size_t kShortStackBytes = 0;
#else
constexpr size_t kShortStackBytes = 8 * 1024;
#endif
#else
constexpr size_t kShortStackBytes = 8 * 1024;
#endif

// --- transfers ---

TEST_F(FatTest, OverlappedNonCached_PendsAndCompletesFromBelow) {
  Start();
  Client& client = *client_;
  constexpr ULONG kBytes = 64 * 1024;
  constexpr int kRequests = 16;
  constexpr ULONG kOptions = FILE_NO_INTERMEDIATE_BUFFERING | FILE_NON_DIRECTORY_FILE,
                  kAccess = FILE_READ_DATA | FILE_WRITE_DATA;
  HANDLE handle = Open(u"\\data", kOptions, kAccess);
  // In pieces, with another file between: more runs than one.
  FILE_END_OF_FILE_INFORMATION size{};
  size.EndOfFile.QuadPart = kBytes * kRequests;
  ASSERT_EQ(client.Set(handle, FileEndOfFileInformation, &size, sizeof size), STATUS_SUCCESS);
  auto* buffers = client.New<char>(kBytes * kRequests + 4096);
  buffers = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(buffers) + 4095) & ~uintptr_t{4095});
  for (ULONG i = 0; i < kBytes * kRequests; i++) buffers[i] = static_cast<char>(i / 512 * 7 + i);
  const std::vector<char> expected(buffers, buffers + kBytes * kRequests);

  const auto run = [&](bool write) {
    auto* iosbs = client.New<IO_STATUS_BLOCK>(kRequests);
    auto* offsets = client.New<LARGE_INTEGER>(kRequests);
    int pended = 0;
    client.Enter([&] {
      for (int i = 0; i < kRequests; i++) {
        iosbs[i].Status = STATUS_PENDING;
        offsets[i].QuadPart = static_cast<LONGLONG>(i) * kBytes;
        const NTSTATUS status = write ? nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr, &iosbs[i],
                                                            buffers + i * kBytes, kBytes, &offsets[i], nullptr)
                                            .value()
                                      : nt::io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosbs[i],
                                                           buffers + i * kBytes, kBytes, &offsets[i], nullptr)
                                            .value();
        EXPECT_TRUE(NT_SUCCESS(status)) << ntio::DescribeStatus(status);
        pended += status == STATUS_PENDING;
      }
    });
    for (int i = 0; i < kRequests; i++) {
      NTSTATUS status;
      ASSERT_TRUE(Wait(&iosbs[i], &status)) << "request " << i;
      EXPECT_EQ(status, STATUS_SUCCESS);
      EXPECT_EQ(iosbs[i].Information, kBytes);
    }
    EXPECT_EQ(pended, kRequests);
  };
  client.Close(handle);
  handle = Open(u"\\data", kOptions, kAccess);
  ASSERT_NO_FATAL_FAILURE(run(true));
  ASSERT_NO_FATAL_FAILURE(run(true));  // now below valid data: in place
  std::memset(buffers, 0, kBytes * kRequests);
  ASSERT_NO_FATAL_FAILURE(run(false));
  EXPECT_EQ(std::memcmp(buffers, expected.data(), expected.size()), 0);
  client.Close(handle);
  // A cache that begins afterwards shows the same.
  ntio::OpenOptions options;
  auto file = machine_->Open(u"\\data", options);
  ASSERT_TRUE(file.ok());
  std::vector<std::byte> back(expected.size());
  EXPECT_EQ(file->Read(0, back).information, back.size());
  EXPECT_EQ(std::memcmp(back.data(), expected.data(), expected.size()), 0);
}

// irp-read-write.md section 4: a request that pended writes the status block for an error, too.
TEST_F(FatTest, OverlappedNonCached_ErrorBelow_EndsTheRequestWithIt) {
  Start();
  Client& client = *client_;
  HANDLE handle = Open(u"\\data");
  constexpr ULONG kBytes = 16 * 4096;
  auto* memory = client.New<char>(kBytes + 4096);
  memory = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory) + 4095) & ~uintptr_t{4095});
  auto* offset = client.New<LARGE_INTEGER>();
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  client.Enter([&] {
    const NTSTATUS written =
        nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr, iosb, memory, kBytes, offset, nullptr);
    EXPECT_EQ(written, STATUS_SUCCESS);
  });
  client.Close(handle);
  handle = Open(u"\\data", FILE_NO_INTERMEDIATE_BUFFERING, FILE_READ_DATA | FILE_WRITE_DATA);
  const auto inject = [&](NTSTATUS error) {
    client.Enter(
        [&] {
          auto* volume = nt::disk::FindVolume(machine_->VolumeDevice());
          ASSERT_NE(volume, nullptr);
          nt::disk::SetFaultInjector(volume, [error](nt::disk::Operation, uint64_t, uint32_t) { return error; });
        },
        KernelMode);
  };
  const auto run = [&](bool write) {
    auto* block = client.New<IO_STATUS_BLOCK>();
    block->Status = STATUS_PENDING;
    NTSTATUS begun = STATUS_UNSUCCESSFUL, ended = STATUS_UNSUCCESSFUL;
    client.Enter([&] {
      begun =
          write ? nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr, block, memory, kBytes, offset, nullptr).value()
                : nt::io::NtReadFile(handle, nullptr, nullptr, nullptr, block, memory, kBytes, offset, nullptr).value();
    });
    EXPECT_EQ(begun, STATUS_PENDING);
    EXPECT_TRUE(Wait(block, &ended));
    EXPECT_EQ(block->Information, NT_SUCCESS(ended) ? kBytes : 0u);
    return ended;
  };
  EXPECT_EQ(run(false), STATUS_SUCCESS);
  for (bool write : {false, true}) {
    inject(STATUS_IO_DEVICE_ERROR);
    EXPECT_EQ(run(write), STATUS_IO_DEVICE_ERROR);
    inject(STATUS_SUCCESS);
    EXPECT_EQ(run(write), STATUS_SUCCESS);
  }
  // The file was given back each time: it can be truncated.
  FILE_END_OF_FILE_INFORMATION size{};
  EXPECT_EQ(client.Set(handle, FileEndOfFileInformation, &size, sizeof size), STATUS_SUCCESS);
  client.Close(handle);
}

TEST_F(FatTest, ShortStack_TransfersGoOnAnotherThread) {
  ntio::MachineOptions options;
  options.kernel_stack_bytes = kShortStackBytes;
  Start(32, 64, options);
  std::vector<std::byte> data(300'000), back(300'000);
  for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<std::byte>(i * 31 >> 3);
  ntio::OpenOptions create;
  create.access = kReadWrite;
  create.disposition = FILE_OVERWRITE_IF;
  auto file = machine_->Open(u"\\file.bin", create);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->Write(0, data).ok());
  ASSERT_TRUE(file->Flush().ok());
  file->Close();
  ASSERT_TRUE(machine_->Dismount().ok());
  file = machine_->Open(u"\\file.bin");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->Read(0, back).information, back.size());
  EXPECT_EQ(data, back);
  file->Close();
}

// --- attributes by path ---

TEST_F(FatTest, QueryOpen_AnswersWithoutAnOpen) {
  Start();
  Client& client = *client_;
  HANDLE directory = Open(u"\\dir", FILE_DIRECTORY_FILE | kSynchronous);
  client.Close(directory);
  client.Close(Open(u"\\dir\\a file in it"));
  const auto before = machine_->Statistics();
  auto* info = client.New<FILE_NETWORK_OPEN_INFORMATION>();
  NTSTATUS status = STATUS_UNSUCCESSFUL, missing = STATUS_SUCCESS;
  client.Enter([&] {
    status = nt::io::NtQueryFullAttributesFile(client.Attributes(client.volume + u"\\DIR\\a file in it"), info).value();
  });
  EXPECT_EQ(status, STATUS_SUCCESS);
  EXPECT_EQ(info->FileAttributes, static_cast<ULONG>(FILE_ATTRIBUTE_ARCHIVE));
  const auto after = machine_->Statistics();
  EXPECT_EQ(after.fast_io.at("FastIoQueryOpen").returned_true, 1u);
  EXPECT_EQ(after.irp.at("IRP_MJ_CREATE").sent, before.irp.at("IRP_MJ_CREATE").sent);
  client.Enter([&] {
    missing = nt::io::NtQueryFullAttributesFile(client.Attributes(client.volume + u"\\dir\\none"), info).value();
  });
  EXPECT_EQ(missing, STATUS_OBJECT_NAME_NOT_FOUND);
}

// --- oplocks, notification, deletion ---

TEST_F(FatTest, Oplock_BatchHolderClosesInsteadOfASharingViolation) {
  Start();
  Client& client = *client_;
  HANDLE holder = nullptr;
  ASSERT_EQ(client.Open(u"\\file", &holder, kAll, 0, FILE_OPEN_IF, 0), STATUS_SUCCESS);
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  iosb->Status = STATUS_PENDING;
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  client.Enter([&] {
    status = nt::io::NtFsControlFile(holder, nullptr, nullptr, nullptr, iosb, FSCTL_REQUEST_BATCH_OPLOCK, nullptr, 0,
                                     nullptr, 0)
                 .value();
  });
  ASSERT_EQ(status, STATUS_PENDING);
  Client other;
  other.volume = client.volume;
  HANDLE second = nullptr;
  NTSTATUS opened = STATUS_UNSUCCESSFUL;
  std::thread opener([&] { opened = other.Open(u"\\file", &second, FILE_READ_DATA, 7, FILE_OPEN); });
  NTSTATUS broken = STATUS_UNSUCCESSFUL;
  EXPECT_TRUE(Wait(iosb, &broken));
  EXPECT_EQ(broken, STATUS_SUCCESS);
  client.Close(holder);
  opener.join();
  EXPECT_EQ(opened, STATUS_SUCCESS);
  other.Close(second);
}

TEST_F(FatTest, Oplock_ReadHandle_SharingViolationWaitsForTheHandle) {
  Start();
  Client& client = *client_;
  HANDLE holder = nullptr;
  ASSERT_EQ(client.Open(u"\\file", &holder, FILE_READ_DATA, FILE_SHARE_READ, FILE_OPEN_IF, 0), STATUS_SUCCESS);
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  iosb->Status = STATUS_PENDING;
  auto* in = client.New<REQUEST_OPLOCK_INPUT_BUFFER>();
  auto* out = client.New<REQUEST_OPLOCK_OUTPUT_BUFFER>();
  in->StructureVersion = REQUEST_OPLOCK_CURRENT_VERSION;
  in->StructureLength = sizeof *in;
  in->RequestedOplockLevel = OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_HANDLE;
  in->Flags = REQUEST_OPLOCK_INPUT_FLAG_REQUEST;
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  client.Enter([&] {
    status = nt::io::NtFsControlFile(holder, nullptr, nullptr, nullptr, iosb, FSCTL_REQUEST_OPLOCK, in, sizeof *in, out,
                                     sizeof *out)
                 .value();
  });
  ASSERT_EQ(status, STATUS_PENDING);
  Client other;
  other.volume = client.volume;
  HANDLE second = nullptr;
  NTSTATUS opened = STATUS_UNSUCCESSFUL;
  std::thread opener([&] { opened = other.Open(u"\\file", &second, FILE_WRITE_DATA, 7, FILE_OPEN); });
  NTSTATUS broken = STATUS_UNSUCCESSFUL;
  EXPECT_TRUE(Wait(iosb, &broken));
  EXPECT_EQ(out->NewOplockLevel, static_cast<ULONG>(OPLOCK_LEVEL_CACHE_READ));
  client.Close(holder);
  opener.join();
  EXPECT_EQ(opened, STATUS_SUCCESS);
  other.Close(second);
}

TEST_F(FatTest, Notify_RenameTellsBothNames_DeletedDirectoryEndsTheWatch) {
  Start();
  Client& client = *client_;
  client.Close(Open(u"\\dir", FILE_DIRECTORY_FILE | kSynchronous));
  HANDLE watch = nullptr;
  ASSERT_EQ(client.Open(u"\\dir", &watch, FILE_LIST_DIRECTORY | DELETE, 7, FILE_OPEN, FILE_DIRECTORY_FILE),
            STATUS_SUCCESS);
  auto* buffer = client.New<char>(4096);
  IO_STATUS_BLOCK* iosb = nullptr;
  const auto arm = [&] {
    iosb = client.New<IO_STATUS_BLOCK>();
    iosb->Status = STATUS_PENDING;
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    client.Enter([&] {
      status = nt::io::NtNotifyChangeDirectoryFile(watch, nullptr, nullptr, nullptr, iosb, buffer, 4096,
                                                   FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_SIZE, false)
                   .value();
    });
    return status;
  };
  const auto next = [&](ULONG* action) {
    NTSTATUS status;
    EXPECT_TRUE(Wait(iosb, &status));
    const auto* info = reinterpret_cast<const FILE_NOTIFY_INFORMATION*>(buffer);
    *action = info->Action;
    return std::u16string(reinterpret_cast<const char16_t*>(info->FileName), info->FileNameLength / 2);
  };
  ULONG action;
  ASSERT_EQ(arm(), STATUS_PENDING);
  HANDLE file = Open(u"\\dir\\before.txt");
  EXPECT_EQ(next(&action), u"before.txt");
  EXPECT_EQ(action, static_cast<ULONG>(FILE_ACTION_ADDED));
  ASSERT_EQ(arm(), STATUS_PENDING);
  EXPECT_EQ(client.Rename(file, u"after.txt"), STATUS_SUCCESS);
  EXPECT_EQ(next(&action), u"before.txt");
  EXPECT_EQ(action, static_cast<ULONG>(FILE_ACTION_RENAMED_OLD_NAME));
  const auto* first = reinterpret_cast<const FILE_NOTIFY_INFORMATION*>(buffer);
  ASSERT_NE(first->NextEntryOffset, 0u);
  const auto* renamed = reinterpret_cast<const FILE_NOTIFY_INFORMATION*>(buffer + first->NextEntryOffset);
  EXPECT_EQ(renamed->Action, static_cast<ULONG>(FILE_ACTION_RENAMED_NEW_NAME));
  // A write is told at cleanup.
  ASSERT_EQ(arm(), STATUS_PENDING);
  ntio::OpenOptions write;
  write.access = kReadWrite;
  auto writer = machine_->Open(u"\\dir\\after.txt", write);
  ASSERT_TRUE(writer.ok());
  std::vector<std::byte> data(10, std::byte{1});
  EXPECT_TRUE(writer->Write(0, data).ok());
  writer->Close();
  EXPECT_EQ(next(&action), u"after.txt");
  EXPECT_EQ(action, static_cast<ULONG>(FILE_ACTION_MODIFIED));
  ASSERT_EQ(arm(), STATUS_PENDING);
  EXPECT_EQ(client.Delete(file), STATUS_SUCCESS);
  client.Close(file);
  EXPECT_EQ(next(&action), u"after.txt");
  EXPECT_EQ(action, static_cast<ULONG>(FILE_ACTION_REMOVED));
  ASSERT_EQ(arm(), STATUS_PENDING);
  EXPECT_EQ(client.Delete(watch), STATUS_SUCCESS);
  NTSTATUS status;
  EXPECT_TRUE(Wait(iosb, &status));
  EXPECT_EQ(status, STATUS_DELETE_PENDING);
  client.Close(watch);
}

TEST_F(FatTest, Rename_ReplacesOnlyWhatMayGo) {
  Start();
  Client& client = *client_;
  client.Close(Open(u"\\sub", FILE_DIRECTORY_FILE | kSynchronous));
  client.Close(Open(u"\\target"));
  HANDLE source = Open(u"\\source");
  EXPECT_EQ(client.Rename(source, u"target"), STATUS_OBJECT_NAME_COLLISION);
  HANDLE target = Open(u"\\target");
  EXPECT_EQ(client.Rename(source, u"target", true), STATUS_ACCESS_DENIED);
  FILE_BASIC_INFORMATION basic{};
  basic.FileAttributes = FILE_ATTRIBUTE_READONLY;
  EXPECT_EQ(client.Set(target, FileBasicInformation, &basic, sizeof basic), STATUS_SUCCESS);
  client.Close(target);
  EXPECT_EQ(client.Rename(source, u"target", true), STATUS_ACCESS_DENIED);
  ASSERT_EQ(client.Open(u"\\target", &target, FILE_WRITE_ATTRIBUTES | FILE_READ_ATTRIBUTES, 7, FILE_OPEN),
            STATUS_SUCCESS);
  basic.FileAttributes = FILE_ATTRIBUTE_NORMAL;
  EXPECT_EQ(client.Set(target, FileBasicInformation, &basic, sizeof basic), STATUS_SUCCESS);
  FILE_BASIC_INFORMATION old{}, now{};
  EXPECT_EQ(client.Query(target, FileBasicInformation, &old), STATUS_SUCCESS);
  client.Close(target);
  EXPECT_EQ(client.Rename(source, u"sub", true), STATUS_ACCESS_DENIED);
  EXPECT_EQ(client.Rename(source, u"target", true), STATUS_SUCCESS);
  EXPECT_EQ(client.Query(source, FileBasicInformation, &now), STATUS_SUCCESS);
  EXPECT_EQ(now.CreationTime.QuadPart, old.CreationTime.QuadPart);
  EXPECT_EQ(client.Rename(source, client.volume + u"\\sub\\moved"), STATUS_SUCCESS);
  // A directory stays while something below it is open.
  HANDLE directory = Open(u"\\sub", FILE_DIRECTORY_FILE | kSynchronous);
  EXPECT_EQ(client.Rename(directory, u"other"), STATUS_ACCESS_DENIED);
  client.Close(source);
  EXPECT_EQ(client.Rename(directory, u"other"), STATUS_SUCCESS);
  client.Close(directory);
  EXPECT_EQ(List(u"\\").size(), 1u);
  EXPECT_EQ(List(u"\\other", u"MOVED").size(), 1u);
  EXPECT_TRUE(List(u"\\other", u"none").empty());
}

TEST_F(FatTest, ByteLocks_RefuseOthers_AndGoWithTheHandle) {
  Start();
  Client& client = *client_;
  HANDLE owner = Open(u"\\file"), other = Open(u"\\file");
  char* data = client.New<char>(100);
  auto* offset = client.New<LARGE_INTEGER>();
  auto* length = client.New<LARGE_INTEGER>();
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  length->QuadPart = 10;
  const auto call = [&](auto&& body) {
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    client.Enter([&] { status = body().value(); });
    return status;
  };
  const auto write = [&](HANDLE handle) {
    return call(
        [&] { return nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr, iosb, data, 20, offset, nullptr); });
  };
  const auto read = [&](HANDLE handle) {
    return call([&] { return nt::io::NtReadFile(handle, nullptr, nullptr, nullptr, iosb, data, 20, offset, nullptr); });
  };
  const auto lock = [&](HANDLE handle) {
    return call(
        [&] { return nt::io::NtLockFile(handle, nullptr, nullptr, nullptr, iosb, offset, length, 0, true, true); });
  };
  EXPECT_EQ(write(owner), STATUS_SUCCESS);
  EXPECT_EQ(read(other), STATUS_SUCCESS);  // both are cached now: fast I/O has to ask
  EXPECT_EQ(lock(owner), STATUS_SUCCESS);
  EXPECT_EQ(lock(other), STATUS_LOCK_NOT_GRANTED);
  EXPECT_EQ(read(other), STATUS_FILE_LOCK_CONFLICT);
  EXPECT_EQ(write(other), STATUS_FILE_LOCK_CONFLICT);
  EXPECT_EQ(write(owner), STATUS_SUCCESS);
  EXPECT_EQ(call([&] { return nt::io::NtUnlockFile(other, iosb, offset, length, 0); }), STATUS_RANGE_NOT_LOCKED);
  EXPECT_EQ(call([&] { return nt::io::NtUnlockFile(owner, iosb, offset, length, 0); }), STATUS_SUCCESS);
  EXPECT_EQ(read(other), STATUS_SUCCESS);
  EXPECT_EQ(lock(owner), STATUS_SUCCESS);
  client.Close(owner);
  EXPECT_EQ(write(other), STATUS_SUCCESS);
  client.Close(other);
}

TEST_F(FatTest, NonCachedWriteOverACache_BothSeeTheSame) {
  Start();
  Client& client = *client_;
  HANDLE cached = Open(u"\\file");
  HANDLE direct = Open(u"\\file", FILE_NO_INTERMEDIATE_BUFFERING | kSynchronous, FILE_READ_DATA | FILE_WRITE_DATA);
  char* memory = client.New<char>(3 * 4096);
  memory = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory) + 4095) & ~uintptr_t{4095});
  auto* offset = client.New<LARGE_INTEGER>();
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  const auto transfer = [&](HANDLE handle, bool write, LONGLONG at, ULONG bytes) {
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    offset->QuadPart = at;
    client.Enter([&] {
      status =
          write ? nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr, iosb, memory, bytes, offset, nullptr).value()
                : nt::io::NtReadFile(handle, nullptr, nullptr, nullptr, iosb, memory, bytes, offset, nullptr).value();
    });
    return status;
  };
  for (int round = 1; round < 20; round++) {
    std::memset(memory, round, 4096);
    ASSERT_EQ(transfer(cached, true, 0, 4000), STATUS_SUCCESS);
    std::memset(memory, 100 + round, 512);
    ASSERT_EQ(transfer(direct, true, 512, 512), STATUS_SUCCESS);
    std::memset(memory, 0, 4096);
    ASSERT_EQ(transfer(cached, false, 0, 4096), STATUS_SUCCESS);
    EXPECT_EQ(iosb->Information, 4000u);
    EXPECT_EQ(memory[511], round);
    EXPECT_EQ(memory[512], 100 + round);
    EXPECT_EQ(memory[1023], 100 + round);
    EXPECT_EQ(memory[3999], round);
    std::memset(memory, 0, 4096);
    ASSERT_EQ(transfer(direct, false, 0, 4096), STATUS_SUCCESS);
    EXPECT_EQ(iosb->Information, 4000u);
    EXPECT_EQ(memory[512], 100 + round);
    EXPECT_EQ(memory[3999], round);
  }
  client.Close(cached);
  client.Close(direct);
}

TEST_F(FatTest, Delete_StatusesAsDocumented) {
  Start();
  Client& client = *client_;
  HANDLE directory = Open(u"\\dir", FILE_DIRECTORY_FILE | kSynchronous);
  HANDLE file = Open(u"\\dir\\file");
  HANDLE none;
  EXPECT_EQ(client.Delete(directory), STATUS_DIRECTORY_NOT_EMPTY);
  FILE_BASIC_INFORMATION read_only{};
  read_only.FileAttributes = FILE_ATTRIBUTE_READONLY;
  EXPECT_EQ(client.Set(file, FileBasicInformation, &read_only, sizeof read_only), STATUS_SUCCESS);
  EXPECT_EQ(client.Delete(file), STATUS_CANNOT_DELETE);
  read_only.FileAttributes = FILE_ATTRIBUTE_NORMAL;
  EXPECT_EQ(client.Set(file, FileBasicInformation, &read_only, sizeof read_only), STATUS_SUCCESS);
  EXPECT_EQ(client.Delete(file), STATUS_SUCCESS);
  EXPECT_EQ(client.Open(u"\\dir\\file", &none, FILE_READ_DATA, 7, FILE_OPEN), STATUS_DELETE_PENDING);
  EXPECT_EQ(client.Open(u"\\dir\\file", &none, FILE_READ_DATA, 7, FILE_CREATE), STATUS_DELETE_PENDING);
  FILE_DISPOSITION_INFORMATION keep{FALSE};
  EXPECT_EQ(client.Set(file, FileDispositionInformation, &keep, sizeof keep), STATUS_SUCCESS);
  HANDLE second = Open(u"\\dir\\file", kSynchronous | FILE_DELETE_ON_CLOSE);
  client.Close(second);
  EXPECT_EQ(client.Open(u"\\dir\\file", &none, FILE_READ_DATA, 7, FILE_OPEN), STATUS_DELETE_PENDING);
  client.Close(file);
  EXPECT_EQ(client.Open(u"\\dir\\file", &none, FILE_READ_DATA, 7, FILE_OPEN), STATUS_OBJECT_NAME_NOT_FOUND);
  std::vector<char> link(sizeof(FILE_LINK_INFORMATION) + 16);
  reinterpret_cast<FILE_LINK_INFORMATION*>(link.data())->FileNameLength = 2;
  reinterpret_cast<FILE_LINK_INFORMATION*>(link.data())->FileName[0] = L'x';
  HANDLE other = Open(u"\\other");
  EXPECT_EQ(client.Set(other, FileLinkInformation, link.data(), link.size()), STATUS_INVALID_DEVICE_REQUEST);
  client.Close(other);
  EXPECT_EQ(client.Delete(directory), STATUS_SUCCESS);
  client.Close(directory);
  EXPECT_EQ(client.Open(u"\\1", &none, FILE_READ_DATA, 7, FILE_OPEN, FILE_OPEN_BY_FILE_ID), STATUS_NOT_IMPLEMENTED);
}

}  // namespace
}  // namespace fat_test
