#include "tests/seeds/seed_volume.h"

#include <algorithm>

#include "src/cc/cc.h"
#include "src/cm/cm.h"
#include "src/fsrtl/fsrtl.h"
#include "src/mm/mm.h"
#include "tests/seeds/seed_entries.h"

namespace nt::seeds {

using io::test::Complete;

namespace {

// Mm and the cache manager know a file by its file object: the test has one volume at a time.
SeedVolume* g_volume = nullptr;

constexpr size_t kFileBytes = 64 * 1024;

std::u16string FilterService(int index) {
  std::u16string name = u"legacy_passthrough";
  if (index) name += u'-', name += static_cast<char16_t>(u'1' + index);
  return name;
}

BOOLEAN NTIO_MS_ABI AcquireLazy(PVOID context, BOOLEAN wait) {
  return ex::AcquireResourceSharedLite(&static_cast<SeedFile*>(context)->paging, wait);
}
VOID NTIO_MS_ABI ReleaseLazy(PVOID context) { ex::ReleaseResourceLite(&static_cast<SeedFile*>(context)->paging); }
BOOLEAN NTIO_MS_ABI AcquireAhead(PVOID context, BOOLEAN wait) {
  return ex::AcquireResourceSharedLite(&static_cast<SeedFile*>(context)->resource, wait);
}
VOID NTIO_MS_ABI ReleaseAhead(PVOID context) { ex::ReleaseResourceLite(&static_cast<SeedFile*>(context)->resource); }
CACHE_MANAGER_CALLBACKS g_callbacks = {AcquireLazy, ReleaseLazy, AcquireAhead, ReleaseAhead};

}  // namespace

SeedVolume* TheVolume() { return g_volume; }

// --- the file
// ------------------------------------------------------------------------------------------------------------------

SeedFile::SeedFile(size_t bytes) : disk(bytes) {
  for (size_t i = 0; i < bytes; i++) disk[i] = static_cast<char>('a' + i % 26);
  ex::InitializeResourceLite(&resource);
  ex::InitializeResourceLite(&paging);
  ex::InitializeFastMutex(&mutex);
  fsrtl::InitializeFileLock(&locks, nullptr, nullptr);
  header.NodeTypeCode = 0x0701;
  header.NodeByteSize = sizeof header;
  header.Resource = &resource;
  header.PagingIoResource = &paging;
  header.FastMutex = &mutex;
  header.IsFastIoPossible = FastIoIsPossible;
  InitializeListHead(&header.FilterContexts);
  header.FileSize.QuadPart = header.ValidDataLength.QuadPart = header.AllocationSize.QuadPart =
      static_cast<LONGLONG>(bytes);
}

SeedFile::~SeedFile() {
  fsrtl::UninitializeFileLock(&locks);
  ex::DeleteResourceLite(&paging);
  ex::DeleteResourceLite(&resource);
}

void SeedFile::StartCaching(FILE_OBJECT* opened) {
  if (opened->PrivateCacheMap) return;
  CC_FILE_SIZES sizes;
  sizes.AllocationSize = header.AllocationSize;
  sizes.FileSize = header.FileSize;
  sizes.ValidDataLength = header.ValidDataLength;
  cc::InitializeCacheMap(opened, &sizes, false, &g_callbacks, this);
}

// --- the volume
// -----------------------------------------------------------------------------------------------------------------

SeedVolume::SeedVolume(int filter_count) : disk(u"\\Driver\\SeedDisk"), system(u"\\FileSystem\\Seed") {
  EXPECT_EQ(g_volume, nullptr);
  g_volume = this;
  file = std::make_unique<SeedFile>(kFileBytes);
  storage = disk.Device(u"\\Device\\SeedDisk", FILE_DEVICE_DISK);
  storage->SectorSize = 512;
  storage->Flags |= DO_DIRECT_IO;
  control = system.Device(u"\\Seed", FILE_DEVICE_DISK_FILE_SYSTEM);
  UseTable(Table::kWhole);
  system.fallback = [this](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION* location) {
    return Dispatch(device, irp, location);
  };
  for (int i = 0; i < filter_count; i++) {
    io::DriverOptions options;
    options.path = std::string(NTIO_BUILD_DIR) + "/drivers/legacy_passthrough.sys";
    options.service = FilterService(i);
    std::string why;
    auto loaded = io::LoadDriver(options, &why);
    EXPECT_TRUE(loaded.ok()) << why;
    if (loaded.ok()) filters.push_back(loaded.value());
  }
  io::RegisterFileSystem(control);
}

SeedVolume::~SeedVolume() {
  io::test::JoinLateThreads();
  // What is dirty goes to the disk, and the cache lets go of the file.
  UseTable(Table::kWhole);
  for (Mode& mode : modes) mode = Mode::kReal;
  IO_STATUS_BLOCK flushed;
  cc::FlushCache(&file->pointers, nullptr, 0, &flushed);
  EXPECT_EQ(flushed.Status, STATUS_SUCCESS);
  cc::PurgeCacheSection(&file->pointers, nullptr, 0, 0);
  cc::RunLazyWriter(true);
  mm::ForceSectionClosed(&file->pointers, false);
  if (storage->Vpb && (storage->Vpb->Flags & VPB_MOUNTED)) {
    KIRQL irql;
    io::AcquireVpbSpinLock(&irql);
    EXPECT_EQ(storage->Vpb->ReferenceCount, 0u);
    storage->Vpb->Flags &= static_cast<USHORT>(~VPB_MOUNTED);
    DEVICE_OBJECT* device = std::exchange(storage->Vpb->DeviceObject, nullptr);
    io::ReleaseVpbSpinLock(irql);
    if (device && device->DriverObject == system.object) io::DeleteDevice(device);
  }
  io::UnregisterFileSystem(control);
  for (size_t i = filters.size(); i-- > 0;) EXPECT_EQ(io::UnloadDriver(filters[i]), STATUS_SUCCESS);
  system.object->FastIoDispatch = nullptr;
  g_volume = nullptr;
}

void SeedVolume::SetFilterParameter(int index, const char* name, ULONG value) {
  const std::u16string service = FilterService(index);
  char text[512];
  std::snprintf(text, sizeof text,
                "Windows Registry Editor Version 5.00\n\n"
                "[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\%s\\Parameters]\n\"%s\"=dword:%08x\n",
                std::string(service.begin(), service.end()).c_str(), name, value);
  std::string why;
  EXPECT_EQ(cm::LoadRegFile(text, &why), STATUS_SUCCESS) << why;
}

void SeedVolume::UseTable(Table shape, size_t entry) {
  std::memset(&table_, 0, sizeof table_);
  FillSeedTable(&table_);
  table_.SizeOfFastIoDispatch = sizeof table_;
  if (shape == Table::kWithout) reinterpret_cast<void**>(&table_)[entry] = nullptr;
  if (shape == Table::kShort) table_.SizeOfFastIoDispatch = static_cast<ULONG>(entry * sizeof(void*));
  system.object->FastIoDispatch = shape == Table::kNone ? nullptr : &table_;
}

HANDLE SeedVolume::Open(ULONG options, const char16_t* path) {
  UNICODE_STRING name = io::test::Name(path);
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
  IO_STATUS_BLOCK iosb;
  HANDLE handle = nullptr;
  EXPECT_EQ(io::NtCreateFile(
                &handle, FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE,
                &attributes, &iosb, nullptr, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, options, nullptr, 0),
            STATUS_SUCCESS);
  return handle;
}

HANDLE SeedVolume::OpenCached(ULONG options) {
  const HANDLE handle = Open(options);
  file->StartCaching(FileOf(handle));
  return handle;
}

void SeedVolume::Close(HANDLE handle) { io::test::Close(handle); }

void SeedVolume::Record(const Contact& contact) {
  std::lock_guard guard(lock_);
  contacts_.push_back(contact);
}

void RecordEntry(SeedVolume* volume, size_t entry, DEVICE_OBJECT* device, bool wait) {
  Contact contact;
  contact.entry = entry;
  contact.device = device;
  contact.wait = wait;
  contact.irql = ke::CurrentIrql();
  contact.top_level = io::GetTopLevelIrp();
  volume->Record(contact);
}

void SeedVolume::Forget() {
  std::lock_guard guard(lock_);
  contacts_.clear();
}

std::vector<Contact> SeedVolume::Contacts() {
  std::lock_guard guard(lock_);
  return contacts_;
}

int SeedVolume::FastCalls(size_t entry) {
  int count = 0;
  for (const Contact& contact : Contacts()) count += contact.entry == entry;
  return count;
}

int SeedVolume::Irps(UCHAR major, UCHAR minor, bool paging) {
  int count = 0;
  for (const Contact& contact : Contacts())
    count += contact.entry == 0 && contact.major == major && contact.minor == minor && contact.paging == paging;
  return count;
}

int SeedVolume::Irps(UCHAR major) {
  int count = 0;
  for (const Contact& contact : Contacts()) count += contact.entry == 0 && contact.major == major && !contact.paging;
  return count;
}

// --- IRPs
// -------------------------------------------------------------------------------------------------------------------------

NTSTATUS SeedVolume::Mount(IRP* irp, IO_STACK_LOCATION* location) {
  if (location->MinorFunction != IRP_MN_MOUNT_VOLUME) return Complete(irp, STATUS_INVALID_DEVICE_REQUEST);
  if (location->Parameters.MountVolume.Vpb->RealDevice != storage) return Complete(irp, STATUS_UNRECOGNIZED_VOLUME);
  volume = system.Device(nullptr, FILE_DEVICE_DISK_FILE_SYSTEM);
  ob::DereferenceObject(location->Parameters.MountVolume.DeviceObject);
  location->Parameters.MountVolume.Vpb->DeviceObject = volume;
  return Complete(irp, STATUS_SUCCESS);
}

/// Paging and non-cached transfers: from and to the "disk".
NTSTATUS SeedVolume::Transfer(IRP* irp, IO_STACK_LOCATION* location) {
  const bool write = location->MajorFunction == IRP_MJ_WRITE;
  const auto offset = static_cast<uint64_t>(location->Parameters.Read.ByteOffset.QuadPart);
  auto* memory = static_cast<char*>(irp->MdlAddress ? mm::GetSystemAddressForMdl(irp->MdlAddress) : irp->UserBuffer);
  if (!(irp->Flags & IRP_PAGING_IO)) {
    IO_STATUS_BLOCK flushed;
    cc::FlushCache(&file->pointers, nullptr, 0, &flushed);
  }
  std::lock_guard guard(file->disk_lock);
  if (offset >= file->disk.size()) return Complete(irp, write ? STATUS_SUCCESS : STATUS_END_OF_FILE);
  const auto bytes = std::min<uint64_t>(location->Parameters.Read.Length, file->disk.size() - offset);
  write ? std::memcpy(file->disk.data() + offset, memory, bytes)
        : std::memcpy(memory, file->disk.data() + offset, bytes);
  return Complete(irp, STATUS_SUCCESS, bytes);
}

NTSTATUS SeedVolume::Cached(IRP* irp, IO_STACK_LOCATION* location) {
  FILE_OBJECT* const opened = location->FileObject;
  const bool write = location->MajorFunction == IRP_MJ_WRITE;
  LARGE_INTEGER offset = location->Parameters.Read.ByteOffset;
  ULONG length = location->Parameters.Read.Length;
  const UCHAR minor = location->MinorFunction;
  if (minor & IRP_MN_COMPRESSED) return CompressedByIrp(this, irp, location);
  if (minor & IRP_MN_COMPLETE) {
    MDL* const chain = std::exchange(irp->MdlAddress, nullptr);
    write ? cc::MdlWriteComplete(opened, &offset, chain) : cc::MdlReadComplete(opened, chain);
    return Complete(irp, STATUS_SUCCESS);
  }
  if (!write && offset.QuadPart >= file->header.FileSize.QuadPart) return Complete(irp, STATUS_END_OF_FILE);
  if (offset.QuadPart + length > file->header.FileSize.QuadPart) {
    if (write) return Complete(irp, STATUS_DISK_FULL);
    length = static_cast<ULONG>(file->header.FileSize.QuadPart - offset.QuadPart);
  }
  if (!(write ? fsrtl::CheckLockForWriteAccess(&file->locks, irp) : fsrtl::CheckLockForReadAccess(&file->locks, irp)))
    return Complete(irp, STATUS_FILE_LOCK_CONFLICT);
  file->StartCaching(opened);
  IO_STATUS_BLOCK result{};
  if (minor & IRP_MN_MDL) {
    write ? cc::PrepareMdlWrite(opened, &offset, length, &irp->MdlAddress, &result)
          : cc::MdlRead(opened, &offset, length, &irp->MdlAddress, &result);
    return Complete(irp, result.Status, result.Information);
  }
  if (write) {
    cc::CopyWrite(opened, &offset, length, true, irp->UserBuffer);
    result = {{STATUS_SUCCESS}, length};
    opened->Flags |= FO_FILE_MODIFIED;
    if (opened->Flags & FO_WRITE_THROUGH) cc::FlushCache(&file->pointers, &offset, length, &result);
    result.Information = length;
  } else {
    cc::CopyRead(opened, &offset, length, true, irp->UserBuffer, &result);
  }
  if ((opened->Flags & FO_SYNCHRONOUS_IO) && NT_SUCCESS(result.Status))
    opened->CurrentByteOffset.QuadPart = offset.QuadPart + static_cast<LONGLONG>(result.Information);
  return Complete(irp, result.Status, result.Information);
}

NTSTATUS SeedVolume::Query(IRP* irp, IO_STACK_LOCATION* location) {
  void* const buffer = irp->AssociatedIrp.SystemBuffer;
  switch (location->Parameters.QueryFile.FileInformationClass) {
    case FileBasicInformation:
      FillBasic(static_cast<FILE_BASIC_INFORMATION*>(buffer));
      return Complete(irp, STATUS_SUCCESS, sizeof(FILE_BASIC_INFORMATION));
    case FileStandardInformation:
      FillStandard(static_cast<FILE_STANDARD_INFORMATION*>(buffer));
      return Complete(irp, STATUS_SUCCESS, sizeof(FILE_STANDARD_INFORMATION));
    case FileNetworkOpenInformation:
      FillNetwork(static_cast<FILE_NETWORK_OPEN_INFORMATION*>(buffer));
      return Complete(irp, STATUS_SUCCESS, sizeof(FILE_NETWORK_OPEN_INFORMATION));
    default:
      return Complete(irp, STATUS_INVALID_PARAMETER);
  }
}

NTSTATUS SeedVolume::Dispatch(DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION* location) {
  Contact contact;
  contact.major = location->MajorFunction;
  contact.minor = location->MinorFunction;
  contact.device = device;
  contact.paging = irp->Flags & IRP_PAGING_IO;
  contact.irql = ke::CurrentIrql();
  contact.top_level = io::GetTopLevelIrp();
  Record(contact);
  FILE_OBJECT* const opened = location->FileObject;
  irp->IoStatus.Information = 0;
  switch (location->MajorFunction) {
    case IRP_MJ_FILE_SYSTEM_CONTROL:
      if (device == control) return Mount(irp, location);
      return Complete(irp, STATUS_SUCCESS);
    case IRP_MJ_CREATE:
      opened->Vpb = storage->Vpb;
      if (opened->FileName.Length && std::u16string(opened->FileName.Buffer, opened->FileName.Length / 2) != u"\\file")
        return Complete(irp, STATUS_OBJECT_NAME_NOT_FOUND);
      opened->FsContext = file.get();
      opened->SectionObjectPointer = &file->pointers;
      return Complete(irp, STATUS_SUCCESS, FILE_OPENED);
    case IRP_MJ_CLEANUP:
      fsrtl::FastUnlockAll(&file->locks, opened, io::GetRequestorProcess(irp), nullptr).Ignore();
      cc::UninitializeCacheMap(opened, nullptr, nullptr);
      opened->Flags |= FO_CLEANUP_COMPLETE;
      return Complete(irp, STATUS_SUCCESS);
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
      if (irp->Flags & IRP_NOCACHE) return Transfer(irp, location);
      return Cached(irp, location);
    case IRP_MJ_QUERY_INFORMATION:
      return Query(irp, location);
    case IRP_MJ_LOCK_CONTROL:
      return fsrtl::ProcessFileLock(&file->locks, irp, nullptr).value();
    case IRP_MJ_FLUSH_BUFFERS: {
      IO_STATUS_BLOCK result{};
      cc::FlushCache(&file->pointers, nullptr, 0, &result);
      return Complete(irp, result.Status);
    }
    case IRP_MJ_DEVICE_CONTROL:
      return Complete(irp, STATUS_SUCCESS, kControlInformation);
    default:
      return Complete(irp, STATUS_SUCCESS);
  }
}

}  // namespace nt::seeds
