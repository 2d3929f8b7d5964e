// Files: mount and dismount, create, cleanup and close, reads and writes by fast I/O and by IRP, ports, cancellation.
#include "src/io/test_driver.h"

namespace nt::io::test {
namespace {

class FileTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    toy = std::make_unique<ToyVolume>();
  }
  void TearDown() override {
    toy.reset();
    TestMachine::TearDown();
  }
  std::unique_ptr<ToyVolume> toy;
  IO_STATUS_BLOCK iosb{};
  char buffer[16] = {};
  LARGE_INTEGER zero{};
};

// --- mount and open -----------------------------------------------------------------------------------------------------------------

TEST_F(FileTest, Open_MountsOnceAndCountsTheVpb) {
  HANDLE first, second;
  ASSERT_EQ(toy->Open(&first), STATUS_SUCCESS);
  EXPECT_EQ(toy->iosb.Information, static_cast<ULONG_PTR>(FILE_OPENED));
  EXPECT_EQ(toy->mounts_tried, 1);
  EXPECT_EQ(toy->last_name, u"\\file");
  EXPECT_TRUE(toy->storage->Vpb->Flags & VPB_MOUNTED);
  EXPECT_EQ(GetRelatedDeviceObject(FileOf(first)), toy->volume);
  ASSERT_EQ(toy->Open(&second), STATUS_SUCCESS);
  EXPECT_EQ(toy->mounts_tried, 1);
  EXPECT_EQ(toy->storage->Vpb->ReferenceCount, 2u);
  EXPECT_EQ(toy->storage->ReferenceCount, 2);
  Close(first);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 1);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLOSE), 1);
  EXPECT_EQ(toy->vpb_count_at_close, 1u);  // counted down before IRP_MJ_CLOSE is sent
  Close(second);
  EXPECT_EQ(toy->storage->ReferenceCount, 0);
}

TEST_F(FileTest, Open_CleanupAtLastHandleCloseAtLastReference) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  FILE_OBJECT* file = FileOf(handle);
  ob::ReferenceObject(file);
  Close(handle);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 1);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLOSE), 0);
  ob::DereferenceObject(file);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLOSE), 1);
}

TEST_F(FileTest, Open_FailureSendsNeitherCleanupNorClose) {
  HANDLE handle;
  toy->create_status = STATUS_OBJECT_NAME_NOT_FOUND;
  EXPECT_EQ(toy->Open(&handle), STATUS_OBJECT_NAME_NOT_FOUND);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CREATE), 1);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 0);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLOSE), 0);
  EXPECT_EQ(toy->storage->Vpb->ReferenceCount, 0u);
  EXPECT_EQ(toy->storage->ReferenceCount, 0);
}

TEST_F(FileTest, Open_UnrecognisedVolume_FileFailsVolumeIsRaw) {
  toy->recognised = false;
  HANDLE handle;
  EXPECT_EQ(toy->Open(&handle), STATUS_UNRECOGNIZED_VOLUME);
  EXPECT_FALSE(toy->storage->Vpb->Flags & VPB_MOUNTED);
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk"), STATUS_SUCCESS);
  EXPECT_TRUE(toy->storage->Vpb->Flags & VPB_MOUNTED);
  HANDLE file;
  EXPECT_EQ(toy->Open(&file), STATUS_UNRECOGNIZED_VOLUME);
  Close(handle);
  // Raw goes with its last open, so that a file system loaded later gets its turn.
  EXPECT_FALSE(toy->storage->Vpb->Flags & VPB_MOUNTED);
  toy->recognised = true;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  Close(handle);
}

TEST_F(FileTest, Open_ForAttributesOfTheDeviceDoesNotMount) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk", 0, FILE_READ_ATTRIBUTES), STATUS_SUCCESS);
  EXPECT_EQ(toy->mounts_tried, 0);
  EXPECT_TRUE(FileOf(handle)->Flags & FO_DIRECT_DEVICE_OPEN);
  EXPECT_EQ(GetRelatedDeviceObject(FileOf(handle)), toy->storage);
  Close(handle);
}

TEST_F(FileTest, Open_RelativeGivesTheRelatedFile) {
  HANDLE root, handle;
  ASSERT_EQ(toy->Open(&root), STATUS_SUCCESS);
  FILE_OBJECT* related = nullptr;
  toy->system.handlers[IRP_MJ_CREATE] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
    related = location->FileObject->RelatedFileObject;
    location->FileObject->Vpb = toy->storage->Vpb;
    EXPECT_EQ(location->FileObject->FileName.Length, 8);
    return Complete(irp, STATUS_SUCCESS);
  };
  ASSERT_EQ(toy->Open(&handle, u"name", FILE_SYNCHRONOUS_IO_NONALERT, FILE_READ_DATA | SYNCHRONIZE, root), STATUS_SUCCESS);
  EXPECT_EQ(related, FileOf(root));
  Close(handle);
  Close(root);
}

TEST_F(FileTest, Open_ReparseRestartsWithTheNewName) {
  int creates = 0;
  auto usual = toy->system.handlers[IRP_MJ_CREATE];
  toy->system.handlers[IRP_MJ_CREATE] = [&](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION* location) {
    if (creates++ > 0) return usual(device, irp, location);
    UNICODE_STRING& name = location->FileObject->FileName;
    const std::u16string other = u"\\Device\\ToyDisk\\other";
    ex::FreePool(name.Buffer);
    name.Buffer = static_cast<WCHAR*>(ex::AllocatePool(PagedPool, other.size() * 2, 'tset'));
    std::memcpy(name.Buffer, other.data(), other.size() * 2);
    name.Length = name.MaximumLength = static_cast<USHORT>(other.size() * 2);
    return Complete(irp, STATUS_REPARSE, IO_REPARSE);
  };
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  EXPECT_EQ(creates, 2);
  EXPECT_EQ(toy->last_name, u"\\other");
  Close(handle);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLOSE), 1);
}

TEST_F(FileTest, Open_PendedCreateIsWaitedFor) {
  toy->system.handlers[IRP_MJ_CREATE] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
    location->FileObject->Vpb = toy->storage->Vpb;
    CompleteLater(irp, STATUS_SUCCESS, FILE_CREATED);
    return STATUS_PENDING;
  };
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  EXPECT_EQ(toy->iosb.Information, static_cast<ULONG_PTR>(FILE_CREATED));
  Close(handle);
}

TEST_F(FileTest, Open_ChecksParametersWhenAsked) {
  UNICODE_STRING name = Name(u"\\Device\\ToyDisk\\file");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, nullptr, nullptr);
  HANDLE handle;
  EXPECT_EQ(CreateFile(&handle, FILE_READ_DATA, &attributes, &iosb, nullptr, 0, 0, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT,
                       nullptr, 0, CreateFileTypeNone, nullptr, IO_CHECK_CREATE_PARAMETERS),
            STATUS_INVALID_PARAMETER);  // synchronous I/O needs SYNCHRONIZE
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CREATE), 0);
}

TEST_F(FileTest, StreamFile_CountsTheVpbAndGetsItsCleanupAtOnce) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  FILE_OBJECT* stream = CreateStreamFileObject(nullptr, toy->storage);
  EXPECT_EQ(toy->storage->Vpb->ReferenceCount, 2u);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 1);
  FILE_OBJECT* lite = CreateStreamFileObjectLite(nullptr, toy->storage);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLEANUP), 1);
  ob::DereferenceObject(stream);
  ob::DereferenceObject(lite);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLOSE), 2);
  EXPECT_EQ(toy->storage->Vpb->ReferenceCount, 1u);
  Close(handle);
}

VOID NTIO_MS_ABI FsChange(PDEVICE_OBJECT device, BOOLEAN active);
std::vector<std::pair<DEVICE_OBJECT*, bool>>* g_changes;
VOID NTIO_MS_ABI FsChange(PDEVICE_OBJECT device, BOOLEAN active) { g_changes->emplace_back(device, active); }

TEST_F(FileTest, FsRegistrationChange_TellsOfPresentAndLaterFileSystems) {
  std::vector<std::pair<DEVICE_OBJECT*, bool>> changes;
  g_changes = &changes;
  Driver filter(u"\\FileSystem\\Filter");
  ASSERT_EQ(RegisterFsRegistrationChange(filter.object, FsChange), STATUS_SUCCESS);
  EXPECT_EQ(changes.size(), 4u);  // the toy and the three of raw
  EXPECT_EQ(RegisterFsRegistrationChange(filter.object, FsChange), STATUS_DEVICE_ALREADY_ATTACHED);
  changes.clear();
  DEVICE_OBJECT* later = filter.Device(nullptr, FILE_DEVICE_DISK_FILE_SYSTEM);
  RegisterFileSystem(later);
  UnregisterFileSystem(later);
  EXPECT_EQ(changes, (std::vector<std::pair<DEVICE_OBJECT*, bool>>{{later, true}, {later, false}}));
  UnregisterFsRegistrationChange(filter.object, FsChange);
}

// --- read and write -----------------------------------------------------------------------------------------------------------------

TEST_F(FileTest, Read_SynchronousHandleWaits) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
    EXPECT_EQ(location->Parameters.Read.ByteOffset.QuadPart, 5);
    EXPECT_TRUE(irp->Flags & IRP_READ_OPERATION);
    EXPECT_EQ(irp->UserBuffer, buffer);
    CompleteLater(irp, STATUS_SUCCESS, 3);
    return STATUS_PENDING;
  };
  FileOf(handle)->CurrentByteOffset.QuadPart = 5;
  EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, sizeof buffer, nullptr, nullptr),
            STATUS_SUCCESS);
  EXPECT_EQ(iosb.Information, 3u);
  Close(handle);
}

// pitfalls 8
TEST_F(FileTest, Read_FailureLeavesTheStatusBlockUnlessItPended) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  for (const bool pend : {false, true}) {
    toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
      if (!pend) return Complete(irp, STATUS_IO_DEVICE_ERROR);
      CompleteLater(irp, STATUS_IO_DEVICE_ERROR);
      return STATUS_PENDING;
    };
    iosb.Status = 0x1234;
    EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 4, &zero, nullptr), STATUS_IO_DEVICE_ERROR);
    EXPECT_EQ(iosb.Status, pend ? STATUS_IO_DEVICE_ERROR : 0x1234);
  }
  Close(handle);
}

TEST_F(FileTest, Read_AsynchronousHandleReturnsPending) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk\\file", 0), STATUS_SUCCESS);
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    CompleteLater(irp, STATUS_SUCCESS, 6);
    return STATUS_PENDING;
  };
  EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 6, nullptr, nullptr),
            STATUS_INVALID_PARAMETER);  // no offset
  EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 6, &zero, nullptr), STATUS_PENDING);
  ke::WaitFor(&FileOf(handle)->Event);
  EXPECT_EQ(iosb.Information, 6u);
  Close(handle);
}

// pitfalls 9
TEST_F(FileTest, Read_BufferedCopiesInformationBytesForWarningsNotErrors) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  toy->volume->Flags |= DO_BUFFERED_IO;
  for (const NTSTATUS status : {STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW, STATUS_IO_DEVICE_ERROR}) {
    toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
      std::memset(irp->AssociatedIrp.SystemBuffer, 'b', 8);
      return Complete(irp, status, 3);
    };
    std::memset(buffer, 0, sizeof buffer);
    EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 8, &zero, nullptr), status);
    EXPECT_EQ(std::string(buffer), NT_ERROR(status) ? "" : "bbb");
  }
  Close(handle);
}

TEST_F(FileTest, Read_DirectLocksPagesAndUnlocksThem) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  toy->volume->Flags |= DO_DIRECT_IO;
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    EXPECT_NE(irp->MdlAddress, nullptr);
    EXPECT_TRUE(irp->MdlAddress->MdlFlags & MDL_PAGES_LOCKED);
    return Complete(irp, STATUS_SUCCESS, 4);
  };
  auto* memory = static_cast<char*>(ex::AllocatePool(NonPagedPoolNx, 64, 'tset'));
  EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, memory, 64, &zero, nullptr), STATUS_SUCCESS);
  ex::FreePool(memory);
  Close(handle);
}

FAST_IO_DISPATCH g_fast;
struct FastAnswer {
  BOOLEAN taken;
  NTSTATUS status;
  int calls;
} g_answer;
BOOLEAN NTIO_MS_ABI FastRead(PFILE_OBJECT, PLARGE_INTEGER, ULONG length, BOOLEAN wait, ULONG, PVOID, PIO_STATUS_BLOCK iosb,
                             PDEVICE_OBJECT) {
  EXPECT_TRUE(wait);
  g_answer.calls++;
  iosb->Status = g_answer.status;
  iosb->Information = length;
  return g_answer.taken;
}

/// Installs a table whose read entry answers as g_answer says.
void UseFastRead(ToyVolume& toy, HANDLE handle, ULONG size = sizeof(FAST_IO_DISPATCH)) {
  g_fast = {};
  g_fast.SizeOfFastIoDispatch = size;
  g_fast.FastIoRead = FastRead;
  g_fast.FastIoWrite = FastRead;
  toy.system.object->FastIoDispatch = &g_fast;
  FileOf(handle)->PrivateCacheMap = &g_fast;
}

// pitfalls 2, 3; fast-io 3
TEST_F(FileTest, FastIo_OutcomesOfReadAndWrite) {
  struct Row {
    bool write;
    BOOLEAN taken;
    NTSTATUS status;
    bool final;
  };
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  UseFastRead(*toy, handle);
  g_statistics_enabled = true;
  for (const Row& row : {Row{false, TRUE, STATUS_SUCCESS, true}, Row{false, TRUE, STATUS_BUFFER_OVERFLOW, true},
                         Row{false, TRUE, STATUS_END_OF_FILE, true}, Row{false, TRUE, STATUS_INVALID_PARAMETER, false},
                         Row{false, FALSE, STATUS_SUCCESS, false}, Row{true, TRUE, STATUS_SUCCESS, true},
                         Row{true, TRUE, STATUS_BUFFER_OVERFLOW, false}, Row{true, FALSE, STATUS_SUCCESS, false}}) {
    ResetStatistics();
    g_answer = {row.taken, row.status, 0};
    const UCHAR major = row.write ? IRP_MJ_WRITE : IRP_MJ_READ;
    const int before = toy->system.Sent(major);
    Status status = row.write
                        ? io::NtWriteFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 4, &zero, nullptr)
                        : io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 4, &zero, nullptr);
    EXPECT_EQ(status, row.final ? row.status : STATUS_SUCCESS);
    EXPECT_EQ(g_answer.calls, 1);
    EXPECT_EQ(toy->system.Sent(major) - before, row.final ? 0 : 1);
    EXPECT_EQ(iosb.Information, row.final ? 4u : 0u);
    EXPECT_EQ(LastRequestWasFastIo(), row.final);
    const auto& count = TheStatistics().fast_io[row.write ? 3 : 2];
    EXPECT_EQ(count.called.load(), 1u);
    EXPECT_EQ(count.returned_true.load(), row.taken ? 1u : 0u);
    EXPECT_EQ(TheStatistics().irp[major].sent.load(), row.final ? 0u : 1u);
  }
  g_statistics_enabled = false;
  FileOf(handle)->PrivateCacheMap = nullptr;
  toy->system.object->FastIoDispatch = nullptr;
  Close(handle);
}

// pitfalls 1: an entry beyond SizeOfFastIoDispatch is not there, whatever lies in memory.
TEST_F(FileTest, FastIo_ShortTableIsDeclined) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  UseFastRead(*toy, handle, 2 * sizeof(void*));  // ends after FastIoCheckIfPossible
  g_answer = {TRUE, STATUS_SUCCESS, 0};
  io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 4, &zero, nullptr).Ignore();
  EXPECT_EQ(g_answer.calls, 0);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_READ), 1);
  FileOf(handle)->PrivateCacheMap = nullptr;
  toy->system.object->FastIoDispatch = nullptr;
  Close(handle);
}

// pitfalls 4
TEST_F(FileTest, FastIo_AsynchronousHandleNeverReadsFast) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk\\file", 0), STATUS_SUCCESS);
  UseFastRead(*toy, handle);
  g_answer = {TRUE, STATUS_SUCCESS, 0};
  io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 4, &zero, nullptr).Ignore();
  EXPECT_EQ(g_answer.calls, 0);
  FileOf(handle)->PrivateCacheMap = nullptr;
  toy->system.object->FastIoDispatch = nullptr;
  Close(handle);
}

TEST_F(FileTest, FastRead_SteadyStateAllocatesNothing) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  UseFastRead(*toy, handle);
  g_answer = {TRUE, STATUS_SUCCESS, 0};
  const auto before = ex::CurrentPoolUse().blocks;
  for (int i = 0; i < 100; i++)
    EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 4, &zero, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(ex::CurrentPoolUse().blocks, before);
  FileOf(handle)->PrivateCacheMap = nullptr;
  toy->system.object->FastIoDispatch = nullptr;
  Close(handle);
}

// --- attribute queries ------------------------------------------------------------------------------------------------------------------

int g_query_opens;
BOOLEAN NTIO_MS_ABI QueryOpen(PIRP irp, PFILE_NETWORK_OPEN_INFORMATION information, PDEVICE_OBJECT device) {
  g_query_opens++;
  EXPECT_EQ(CurrentLocation(irp)->DeviceObject, device);
  EXPECT_EQ(CurrentLocation(irp)->MajorFunction, IRP_MJ_CREATE);
  if (!g_answer.taken) return FALSE;
  information->FileAttributes = 0x77;
  irp->IoStatus.Status = STATUS_SUCCESS;
  irp->IoStatus.Information = sizeof *information;
  return TRUE;
}

TEST_F(FileTest, QueryFullAttributes_FastThenByOpening) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  Close(handle);
  g_fast = {};
  g_fast.SizeOfFastIoDispatch = sizeof g_fast;
  g_fast.FastIoQueryOpen = QueryOpen;
  toy->system.object->FastIoDispatch = &g_fast;
  toy->system.handlers[IRP_MJ_QUERY_INFORMATION] = [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    static_cast<FILE_NETWORK_OPEN_INFORMATION*>(irp->AssociatedIrp.SystemBuffer)->FileAttributes = 0x33;
    return Complete(irp, STATUS_SUCCESS, sizeof(FILE_NETWORK_OPEN_INFORMATION));
  };
  UNICODE_STRING name = Name(u"\\Device\\ToyDisk\\file");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
  for (const BOOLEAN taken : {TRUE, FALSE}) {
    g_answer.taken = taken;
    g_query_opens = 0;
    const int creates = toy->system.Sent(IRP_MJ_CREATE), closes = toy->system.Sent(IRP_MJ_CLOSE);
    FILE_NETWORK_OPEN_INFORMATION information{};
    EXPECT_EQ(io::NtQueryFullAttributesFile(&attributes, &information), STATUS_SUCCESS);
    EXPECT_EQ(information.FileAttributes, taken ? 0x77u : 0x33u);
    EXPECT_EQ(g_query_opens, 1);
    EXPECT_EQ(toy->system.Sent(IRP_MJ_CREATE) - creates, taken ? 0 : 1);
    EXPECT_EQ(toy->system.Sent(IRP_MJ_CLOSE) - closes, taken ? 0 : 1);
  }
  toy->system.object->FastIoDispatch = nullptr;
}

TEST_F(FileTest, QueryInformation_OwnAnswersReachNoDriver) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  FILE_POSITION_INFORMATION position;
  position.CurrentByteOffset.QuadPart = 99;
  EXPECT_EQ(io::NtSetInformationFile(handle, &iosb, &position, sizeof position, FilePositionInformation), STATUS_SUCCESS);
  position.CurrentByteOffset.QuadPart = 0;
  EXPECT_EQ(io::NtQueryInformationFile(handle, &iosb, &position, sizeof position, FilePositionInformation), STATUS_SUCCESS);
  EXPECT_EQ(position.CurrentByteOffset.QuadPart, 99);
  FILE_MODE_INFORMATION mode;
  EXPECT_EQ(io::NtQueryInformationFile(handle, &iosb, &mode, sizeof mode, FileModeInformation), STATUS_SUCCESS);
  EXPECT_EQ(mode.Mode, static_cast<ULONG>(FILE_SYNCHRONOUS_IO_NONALERT));
  EXPECT_EQ(io::NtQueryInformationFile(handle, &iosb, &mode, 1, FileModeInformation), STATUS_INFO_LENGTH_MISMATCH);
  EXPECT_EQ(io::NtQueryInformationFile(handle, &iosb, &mode, 4, FileRenameInformation), STATUS_INVALID_INFO_CLASS);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_QUERY_INFORMATION) + toy->system.Sent(IRP_MJ_SET_INFORMATION), 0);
  Close(handle);
}

TEST_F(FileTest, Rename_ToAFullNameOpensTheTargetDirectory) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  UCHAR flags = 0;
  auto usual = toy->system.handlers[IRP_MJ_CREATE];
  toy->system.handlers[IRP_MJ_CREATE] = [&](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION* location) {
    flags = location->Flags;
    return usual(device, irp, location);
  };
  FILE_OBJECT* target = nullptr;
  bool replace = false;
  toy->system.handlers[IRP_MJ_SET_INFORMATION] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
    target = location->Parameters.SetFile.FileObject;
    replace = location->Parameters.SetFile.ReplaceIfExists;
    return Complete(irp, STATUS_SUCCESS);
  };
  const std::u16string name = u"\\Device\\ToyDisk\\dir\\new";
  alignas(8) char storage[sizeof(FILE_RENAME_INFORMATION) + 64] = {};
  auto* rename = reinterpret_cast<FILE_RENAME_INFORMATION*>(storage);
  rename->ReplaceIfExists = TRUE;
  rename->FileNameLength = static_cast<ULONG>(name.size() * 2);
  std::memcpy(rename->FileName, name.data(), name.size() * 2);
  EXPECT_EQ(io::NtSetInformationFile(handle, &iosb, rename, sizeof storage, FileRenameInformation), STATUS_SUCCESS);
  EXPECT_NE(target, nullptr);
  EXPECT_TRUE(replace);
  EXPECT_TRUE(flags & SL_OPEN_TARGET_DIRECTORY);
  EXPECT_EQ(toy->last_name, u"\\dir\\new");
  EXPECT_EQ(toy->system.Sent(IRP_MJ_CLOSE), 1);  // the target's
  Close(handle);
}

// --- completion: ports, APCs, cancellation ----------------------------------------------------------------------------------------------

TEST_F(FileTest, CompletionPort_GetsOnePacketPerRequest) {
  HANDLE handle, port;
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk\\file", 0), STATUS_SUCCESS);
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, nullptr, OBJ_KERNEL_HANDLE, nullptr, nullptr);
  ASSERT_EQ(NtCreateIoCompletion(&port, GENERIC_ALL, &attributes, 1), STATUS_SUCCESS);
  FILE_COMPLETION_INFORMATION information{port, reinterpret_cast<void*>(0x55)};
  ASSERT_EQ(io::NtSetInformationFile(handle, &iosb, &information, sizeof information, FileCompletionInformation),
            STATUS_SUCCESS);
  EXPECT_EQ(io::NtSetInformationFile(handle, &iosb, &information, sizeof information, FileCompletionInformation),
            STATUS_INVALID_PARAMETER);
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    CompleteLater(irp, STATUS_SUCCESS, 2);
    return STATUS_PENDING;
  };
  EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, reinterpret_cast<void*>(0x66), &iosb, buffer, 2, &zero, nullptr),
            STATUS_PENDING);
  void *key = nullptr, *context = nullptr;
  IO_STATUS_BLOCK result{};
  EXPECT_EQ(NtRemoveIoCompletion(port, &key, &context, &result, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(key, reinterpret_cast<void*>(0x55));
  EXPECT_EQ(context, reinterpret_cast<void*>(0x66));
  EXPECT_EQ(result.Information, 2u);
  EXPECT_EQ(NtRemoveIoCompletion(port, &key, &context, &result, &zero), STATUS_TIMEOUT);
  EXPECT_EQ(NtSetIoCompletion(port, key, context, STATUS_SUCCESS, 9), STATUS_SUCCESS);  // freed with the port
  Close(handle);
  Close(port);
}

std::atomic<int> g_apcs;
VOID NTIO_MS_ABI Apc(PVOID context, PIO_STATUS_BLOCK iosb, ULONG) {
  EXPECT_EQ(context, reinterpret_cast<void*>(0x77));
  EXPECT_EQ(iosb->Information, 8u);
  g_apcs++;
}

TEST_F(FileTest, Apc_RunsInTheOriginatingThread) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk\\file", 0), STATUS_SUCCESS);
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    CompleteLater(irp, STATUS_SUCCESS, 8, 1);
    return STATUS_PENDING;
  };
  g_apcs = 0;
  EXPECT_EQ(io::NtReadFile(handle, nullptr, Apc, reinterpret_cast<void*>(0x77), &iosb, buffer, 8, &zero, nullptr),
            STATUS_PENDING);
  ke::WaitFor(&FileOf(handle)->Event);
  for (int i = 0; i < 1000 && g_apcs == 0; i++) {
    LARGE_INTEGER interval;
    interval.QuadPart = -10'000;
    ke::DelayExecutionThread(KernelMode, false, &interval).Ignore();
  }
  EXPECT_EQ(g_apcs, 1);
  Close(handle);
}

VOID NTIO_MS_ABI CancelRead(PDEVICE_OBJECT, PIRP irp) {
  ReleaseCancelSpinLock(irp->CancelIrql);
  Complete(irp, STATUS_CANCELLED);
}

void PendReads(ToyVolume& toy) {
  toy.system.handlers[IRP_MJ_READ] = [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    IoMarkIrpPending(irp);
    IoSetCancelRoutine(irp, CancelRead);
    return STATUS_PENDING;
  };
}

TEST_F(FileTest, CancelIoFile_CancelsTheThreadsRequests) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk\\file", 0), STATUS_SUCCESS);
  PendReads(*toy);
  IO_STATUS_BLOCK first{}, second{}, result{};
  EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &first, buffer, 8, &zero, nullptr), STATUS_PENDING);
  EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &second, buffer, 8, &zero, nullptr), STATUS_PENDING);
  EXPECT_EQ(io::NtCancelIoFileEx(handle, &second, &result), STATUS_SUCCESS);
  EXPECT_EQ(second.Status, STATUS_CANCELLED);
  EXPECT_EQ(first.Status, 0);
  EXPECT_EQ(io::NtCancelIoFile(handle, &result), STATUS_SUCCESS);
  EXPECT_EQ(first.Status, STATUS_CANCELLED);
  EXPECT_EQ(io::NtCancelIoFileEx(handle, nullptr, &result), STATUS_NOT_FOUND);
  Close(handle);
}

TEST_F(FileTest, ThreadExit_CancelsItsRequests) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk\\file", 0), STATUS_SUCCESS);
  PendReads(*toy);
  struct Context {
    HANDLE handle;
    IO_STATUS_BLOCK iosb;
    char buffer[8];
  } context{handle, {}, {}};
  ke::Thread* thread;
  ASSERT_EQ(ps::CreateRuntimeThread(
                "reader",
                [](void* raw) {
                  auto* call = static_cast<Context*>(raw);
                  LARGE_INTEGER offset{};
                  ke::PreviousModeScope scope(KernelMode);
                  EXPECT_EQ(io::NtReadFile(call->handle, nullptr, nullptr, nullptr, &call->iosb, call->buffer, 8, &offset,
                                           nullptr),
                            STATUS_PENDING);
                },
                &context, &thread),
            STATUS_SUCCESS);
  ke::WaitFor(thread);
  ob::DereferenceObject(thread);
  EXPECT_EQ(context.iosb.Status, STATUS_CANCELLED);
  Close(handle);
}

TEST_F(FileTest, FileLock_SerialisesASynchronousHandle) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  std::atomic<int> inside{0}, most{0};
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    const int now = ++inside;
    int seen = most.load();
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    inside--;
    return Complete(irp, STATUS_SUCCESS, 1);
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&] {
      for (int k = 0; k < 200; k++)
        ke::CallIntoMachine([&] {
          ke::ServiceScope scope(nullptr, KernelMode);
          IO_STATUS_BLOCK result{};
          char byte;
          LARGE_INTEGER offset{};
          EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &result, &byte, 1, &offset, nullptr), STATUS_SUCCESS);
        });
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most.load(), 1);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_READ), 800);
  Close(handle);
}

// The second stage of an IRP whose thread is outside the machine runs in the completing thread.
TEST_F(FileTest, AsynchronousRead_ThreadThatLeftTheMachine) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle, u"\\Device\\ToyDisk\\file", 0), STATUS_SUCCESS);
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    CompleteLater(irp, STATUS_SUCCESS, 5);
    return STATUS_PENDING;
  };
  IO_STATUS_BLOCK result{};
  std::thread([&] {
    ke::CallIntoMachine([&] {
      ke::ServiceScope scope(nullptr, KernelMode);
      EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &result, buffer, 5, &zero, nullptr), STATUS_PENDING);
    });
    for (int i = 0; i < 2000 && __atomic_load_n(&result.Information, __ATOMIC_ACQUIRE) != 5; i++)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }).join();
  EXPECT_EQ(result.Information, 5u);
  Close(handle);
}

// --- control, paging, shutdown -------------------------------------------------------------------------------------------------------------

TEST_F(FileTest, FsControl_BufferedGoesInAndComesOut) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  constexpr ULONG kCode = CTL_CODE(FILE_DEVICE_FILE_SYSTEM, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS);
  toy->system.handlers[IRP_MJ_FILE_SYSTEM_CONTROL] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
    EXPECT_EQ(location->Parameters.FileSystemControl.FsControlCode, kCode);
    auto* bytes = static_cast<char*>(irp->AssociatedIrp.SystemBuffer);
    for (int i = 0; i < 3; i++) bytes[i]++;
    return Complete(irp, STATUS_SUCCESS, 3);
  };
  char in[] = "abc", out[8] = {};
  EXPECT_EQ(io::NtFsControlFile(handle, nullptr, nullptr, nullptr, &iosb, kCode, in, 3, out, sizeof out), STATUS_SUCCESS);
  EXPECT_STREQ(out, "bcd");
  Close(handle);
}

TEST_F(FileTest, PageRead_CarriesTheFlagsAndSetsTheEvent) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  toy->system.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION* location) {
    EXPECT_EQ(irp->Flags & (IRP_NOCACHE | IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO),
              static_cast<ULONG>(IRP_NOCACHE | IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO));
    EXPECT_EQ(location->Parameters.Read.Length, 64u);
    CompleteLater(irp, STATUS_SUCCESS, 64);
    return STATUS_PENDING;
  };
  auto* memory = static_cast<char*>(ex::AllocatePool(NonPagedPoolNx, 64, 'tset'));
  MDL* mdl = AllocateMdl(memory, 64, false, false, nullptr);
  mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
  mdl->MappedSystemVa = memory;
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  EXPECT_EQ(PageRead(FileOf(handle), mdl, &zero, &event, &iosb), STATUS_PENDING);
  ke::WaitFor(&event);
  EXPECT_EQ(iosb.Information, 64u);
  FreeMdl(mdl);
  ex::FreePool(memory);
  Close(handle);
}

TEST_F(FileTest, Filter_AttachedToTheVolumeSeesRequestsFirst) {
  HANDLE handle;
  ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
  {
    Driver filter(u"\\FileSystem\\Above");
    DEVICE_OBJECT* device = filter.Device(nullptr, FILE_DEVICE_DISK_FILE_SYSTEM);
    DEVICE_OBJECT* lower = AttachDeviceToDeviceStack(device, toy->volume);
    ASSERT_EQ(lower, toy->volume);
    filter.fallback = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
      IoSkipCurrentIrpStackLocation(irp);
      return io::CallDriver(lower, irp);
    };
    EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 1, &zero, nullptr), STATUS_SUCCESS);
    EXPECT_EQ(filter.Sent(IRP_MJ_READ), 1);
    EXPECT_EQ(toy->system.Sent(IRP_MJ_READ), 1);
    EXPECT_EQ(GetBaseFileSystemDeviceObject(FileOf(handle)), toy->volume);
    EXPECT_NE(DescribeDeviceTree().find("Above"), std::string::npos);
  }
  EXPECT_EQ(GetRelatedDeviceObject(FileOf(handle)), toy->volume);
  Close(handle);
}

TEST_F(FileTest, Shutdown_ReachesRegisteredDevicesAndFileSystems) {
  ASSERT_EQ(RegisterShutdownNotification(toy->storage), STATUS_SUCCESS);
  NotifyShutdown();
  EXPECT_EQ(toy->disk.Sent(IRP_MJ_SHUTDOWN), 1);
  EXPECT_EQ(toy->system.Sent(IRP_MJ_SHUTDOWN), 1);
}

TEST_F(FileTest, BuiltInDriver_FailedEntryLeavesNothing) {
  auto failed = CreateBuiltInDriver(u"\\Driver\\Failing", [](PDRIVER_OBJECT driver, PUNICODE_STRING) NTIO_MS_ABI -> NTSTATUS {
    DEVICE_OBJECT* device;
    UNICODE_STRING name = Name(u"\\Device\\Failing");
    CreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, false, &device).Ignore();
    return STATUS_NO_SUCH_DEVICE;
  });
  EXPECT_EQ(failed.status(), STATUS_NO_SUCH_DEVICE);
  HANDLE handle;
  EXPECT_EQ(toy->Open(&handle, u"\\Device\\Failing"), STATUS_OBJECT_NAME_NOT_FOUND);
}

}  // namespace
}  // namespace nt::io::test
