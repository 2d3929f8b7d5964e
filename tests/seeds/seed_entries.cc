#include "tests/seeds/seed_entries.h"

#include <algorithm>

#include "src/cc/cc.h"
#include "src/fsrtl/fsrtl.h"
#include "src/mm/mm.h"

namespace nt::seeds {
namespace {

constexpr ULONG kChunkBytes = 4096;

/// Notes the call. @returns whether the entry is to do its work
bool Enter(size_t entry, DEVICE_OBJECT* device, bool wait = true) {
  SeedVolume* const volume = TheVolume();
  RecordEntry(volume, entry, device, wait);
  return volume->modes[entry] == Mode::kReal;
}

SeedFile& TheFile() { return *TheVolume()->file; }

BOOLEAN Answer(IO_STATUS_BLOCK* iosb, ULONG_PTR information = 0) {
  iosb->Status = STATUS_SUCCESS;
  iosb->Information = information;
  return TRUE;
}

BOOLEAN NTIO_MS_ABI CheckIfPossible(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN wait, ULONG key,
                                    BOOLEAN read, PIO_STATUS_BLOCK, PDEVICE_OBJECT device) {
  if (!Enter(1, device, wait)) return FALSE;
  LARGE_INTEGER bytes;
  bytes.QuadPart = length;
  PEPROCESS process = ps::GetCurrentProcess();
  return read ? fsrtl::FastCheckLockForRead(&TheFile().locks, offset, &bytes, key, file, process)
              : fsrtl::FastCheckLockForWrite(&TheFile().locks, offset, &bytes, key, file, process);
}

BOOLEAN NTIO_MS_ABI Read(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN wait, ULONG key, PVOID buffer,
                         PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT device) {
  if (!Enter(2, device, wait)) return FALSE;
  if (TheVolume()->status_of_true != STATUS_SUCCESS)
    return Answer(iosb), iosb->Status = TheVolume()->status_of_true, TRUE;
  return fsrtl::CopyRead(file, offset, length, wait, key, buffer, iosb, device);
}

BOOLEAN NTIO_MS_ABI Write(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN wait, ULONG key, PVOID buffer,
                          PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT device) {
  if (!Enter(3, device, wait)) return FALSE;
  if (TheVolume()->status_of_true != STATUS_SUCCESS)
    return Answer(iosb), iosb->Status = TheVolume()->status_of_true, TRUE;
  return fsrtl::CopyWrite(file, offset, length, wait, key, buffer, iosb, device);
}

BOOLEAN NTIO_MS_ABI QueryBasic(PFILE_OBJECT, BOOLEAN wait, PFILE_BASIC_INFORMATION buffer, PIO_STATUS_BLOCK iosb,
                               PDEVICE_OBJECT device) {
  if (!Enter(4, device, wait)) return FALSE;
  FillBasic(buffer);
  return Answer(iosb, sizeof *buffer);
}

BOOLEAN NTIO_MS_ABI QueryStandard(PFILE_OBJECT, BOOLEAN wait, PFILE_STANDARD_INFORMATION buffer, PIO_STATUS_BLOCK iosb,
                                  PDEVICE_OBJECT device) {
  if (!Enter(5, device, wait)) return FALSE;
  FillStandard(buffer);
  return Answer(iosb, sizeof *buffer);
}

BOOLEAN NTIO_MS_ABI LockRange(PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length, PEPROCESS process,
                              ULONG key, BOOLEAN fail, BOOLEAN exclusive, PIO_STATUS_BLOCK iosb,
                              PDEVICE_OBJECT device) {
  if (!Enter(6, device)) return FALSE;
  return fsrtl::FastLock(&TheFile().locks, file, offset, length, process, key, fail, exclusive, iosb, nullptr, false);
}

BOOLEAN NTIO_MS_ABI UnlockSingle(PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length, PEPROCESS process,
                                 ULONG key, PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT device) {
  if (!Enter(7, device)) return FALSE;
  Answer(iosb);
  iosb->Status = fsrtl::FastUnlockSingle(&TheFile().locks, file, offset, length, process, key, nullptr, false).value();
  return TRUE;
}

BOOLEAN NTIO_MS_ABI UnlockAll(PFILE_OBJECT file, PEPROCESS process, PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT device) {
  if (!Enter(8, device)) return FALSE;
  Answer(iosb);
  iosb->Status = fsrtl::FastUnlockAll(&TheFile().locks, file, process, nullptr).value();
  return TRUE;
}

BOOLEAN NTIO_MS_ABI UnlockAllByKey(PFILE_OBJECT file, PVOID process, ULONG key, PIO_STATUS_BLOCK iosb,
                                   PDEVICE_OBJECT device) {
  if (!Enter(9, device)) return FALSE;
  Answer(iosb);
  iosb->Status =
      fsrtl::FastUnlockAllByKey(&TheFile().locks, file, static_cast<PEPROCESS>(process), key, nullptr).value();
  return TRUE;
}

BOOLEAN NTIO_MS_ABI Control(PFILE_OBJECT, BOOLEAN wait, PVOID, ULONG, PVOID, ULONG, ULONG code, PIO_STATUS_BLOCK iosb,
                            PDEVICE_OBJECT device) {
  if (!Enter(10, device, wait)) return FALSE;
  EXPECT_EQ(code, kControlCode);
  return Answer(iosb, kControlInformation);
}

VOID NTIO_MS_ABI AcquireForSection(PFILE_OBJECT) {
  Enter(11, nullptr);
  ex::AcquireResourceExclusiveLite(&TheFile().resource, true);
}
VOID NTIO_MS_ABI ReleaseForSection(PFILE_OBJECT) {
  Enter(12, nullptr);
  ex::ReleaseResourceLite(&TheFile().resource);
}

VOID NTIO_MS_ABI DetachDevice(PDEVICE_OBJECT source, PDEVICE_OBJECT target) {
  Enter(13, source);
  io::DetachDevice(target);
}

BOOLEAN NTIO_MS_ABI QueryNetwork(PFILE_OBJECT, BOOLEAN wait, PFILE_NETWORK_OPEN_INFORMATION buffer,
                                 PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT device) {
  if (!Enter(14, device, wait)) return FALSE;
  FillNetwork(buffer);
  return Answer(iosb, sizeof *buffer);
}

NTSTATUS NTIO_MS_ABI AcquireForModWrite(PFILE_OBJECT, PLARGE_INTEGER, PERESOURCE* resource, PDEVICE_OBJECT device) {
  if (!Enter(15, device)) return TheVolume()->refusal;
  *resource = &TheFile().paging;
  return ex::AcquireResourceSharedLite(*resource, false) ? STATUS_SUCCESS : STATUS_CANT_WAIT;
}

BOOLEAN NTIO_MS_ABI MdlReadEntry(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG key, PMDL* chain,
                                 PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT device) {
  return Enter(16, device) && fsrtl::MdlReadDev(file, offset, length, key, chain, iosb, device);
}
BOOLEAN NTIO_MS_ABI MdlReadCompleteEntry(PFILE_OBJECT file, PMDL chain, PDEVICE_OBJECT device) {
  return Enter(17, device) && fsrtl::MdlReadCompleteDev(file, chain, device);
}
BOOLEAN NTIO_MS_ABI PrepareMdlWriteEntry(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG key, PMDL* chain,
                                         PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT device) {
  return Enter(18, device) && fsrtl::PrepareMdlWriteDev(file, offset, length, key, chain, iosb, device);
}
BOOLEAN NTIO_MS_ABI MdlWriteCompleteEntry(PFILE_OBJECT file, PLARGE_INTEGER offset, PMDL chain, PDEVICE_OBJECT device) {
  return Enter(19, device) && fsrtl::MdlWriteCompleteDev(file, offset, chain, device);
}

// --- compressed: chunks of 4 KiB, each kept as it is
// -----------------------------------------------------------------------------

void Describe(COMPRESSED_DATA_INFO* info, ULONG info_bytes, ULONG length) {
  const ULONG chunks = (length + kChunkBytes - 1) / kChunkBytes;
  ASSERT_LE(FIELD_OFFSET(COMPRESSED_DATA_INFO, CompressedChunkSizes) + chunks * sizeof(ULONG), info_bytes);
  info->CompressionFormatAndEngine = COMPRESSION_FORMAT_LZNT1;
  info->CompressionUnitShift = 16;
  info->ChunkShift = 12;
  info->ClusterShift = 12;
  info->NumberOfChunks = static_cast<USHORT>(chunks);
  for (ULONG i = 0; i < chunks; i++) info->CompressedChunkSizes[i] = std::min(kChunkBytes, length - i * kChunkBytes);
}

/// Either form, for fast I/O and for IRPs. @param buffer  nullptr: by MDL
NTSTATUS Compressed(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, void* buffer, MDL** chain,
                    IO_STATUS_BLOCK* iosb, COMPRESSED_DATA_INFO* info, ULONG info_bytes, bool write) {
  TheFile().StartCaching(file);
  if (!write) Describe(info, info_bytes, length);
  iosb->Information = length;
  iosb->Status = STATUS_SUCCESS;
  if (buffer)
    write ? cc::CopyWrite(file, offset, length, true, buffer) : cc::CopyRead(file, offset, length, true, buffer, iosb);
  else
    write ? cc::PrepareMdlWrite(file, offset, length, chain, iosb) : cc::MdlRead(file, offset, length, chain, iosb);
  return iosb->Status;
}

BOOLEAN NTIO_MS_ABI ReadCompressed(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG, PVOID buffer,
                                   PMDL* chain, PIO_STATUS_BLOCK iosb, PCOMPRESSED_DATA_INFO info, ULONG info_bytes,
                                   PDEVICE_OBJECT device) {
  if (!Enter(20, device)) return FALSE;
  Compressed(file, offset, length, buffer, chain, iosb, info, info_bytes, false);
  return TRUE;
}
BOOLEAN NTIO_MS_ABI WriteCompressed(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG, PVOID buffer,
                                    PMDL* chain, PIO_STATUS_BLOCK iosb, PCOMPRESSED_DATA_INFO info, ULONG info_bytes,
                                    PDEVICE_OBJECT device) {
  if (!Enter(21, device)) return FALSE;
  Compressed(file, offset, length, buffer, chain, iosb, info, info_bytes, true);
  return TRUE;
}
BOOLEAN NTIO_MS_ABI MdlReadCompleteCompressed(PFILE_OBJECT file, PMDL chain, PDEVICE_OBJECT device) {
  if (!Enter(22, device)) return FALSE;
  cc::MdlReadComplete(file, chain);
  return TRUE;
}
BOOLEAN NTIO_MS_ABI MdlWriteCompleteCompressed(PFILE_OBJECT file, PLARGE_INTEGER offset, PMDL chain,
                                               PDEVICE_OBJECT device) {
  if (!Enter(23, device)) return FALSE;
  cc::MdlWriteComplete(file, offset, chain);
  return TRUE;
}

BOOLEAN NTIO_MS_ABI QueryOpen(PIRP irp, PFILE_NETWORK_OPEN_INFORMATION information, PDEVICE_OBJECT device) {
  if (!Enter(24, device)) return FALSE;
  // Parameters of a create, in a location that names the device that is asked.
  IO_STACK_LOCATION* const location = irp->Tail.Overlay.CurrentStackLocation;
  EXPECT_EQ(location->MajorFunction, IRP_MJ_CREATE);
  EXPECT_EQ(location->DeviceObject, device);
  FillNetwork(information);
  Answer(&irp->IoStatus, FILE_OPENED);
  return TRUE;
}

NTSTATUS NTIO_MS_ABI ReleaseForModWrite(PFILE_OBJECT, PERESOURCE resource, PDEVICE_OBJECT device) {
  EXPECT_EQ(ke::CurrentIrql(), APC_LEVEL);
  if (!Enter(25, device)) return TheVolume()->refusal;
  ex::ReleaseResourceLite(resource);
  return STATUS_SUCCESS;
}

NTSTATUS NTIO_MS_ABI AcquireForCcFlush(PFILE_OBJECT, PDEVICE_OBJECT device) {
  if (!Enter(26, device)) return TheVolume()->refusal;
  ex::AcquireResourceExclusiveLite(&TheFile().resource, true);
  ex::AcquireResourceSharedLite(&TheFile().paging, true);
  return STATUS_SUCCESS;
}
NTSTATUS NTIO_MS_ABI ReleaseForCcFlush(PFILE_OBJECT, PDEVICE_OBJECT device) {
  if (!Enter(27, device)) return TheVolume()->refusal;
  ex::ReleaseResourceLite(&TheFile().paging);
  ex::ReleaseResourceLite(&TheFile().resource);
  return STATUS_SUCCESS;
}

}  // namespace

void FillBasic(FILE_BASIC_INFORMATION* information) {
  *information = {};
  information->CreationTime.QuadPart = 1;
  information->LastWriteTime.QuadPart = 2;
  information->FileAttributes = FILE_ATTRIBUTE_ARCHIVE;
}

void FillStandard(FILE_STANDARD_INFORMATION* information) {
  *information = {};
  information->AllocationSize = TheFile().header.AllocationSize;
  information->EndOfFile = TheFile().header.FileSize;
  information->NumberOfLinks = 1;
}

void FillNetwork(FILE_NETWORK_OPEN_INFORMATION* information) {
  *information = {};
  information->CreationTime.QuadPart = 1;
  information->AllocationSize = TheFile().header.AllocationSize;
  information->EndOfFile = TheFile().header.FileSize;
  information->FileAttributes = FILE_ATTRIBUTE_ARCHIVE;
}

NTSTATUS CompressedByIrp(SeedVolume*, IRP* irp, IO_STACK_LOCATION* location) {
  FILE_OBJECT* const file = location->FileObject;
  const bool write = location->MajorFunction == IRP_MJ_WRITE;
  LARGE_INTEGER offset = location->Parameters.Read.ByteOffset;
  if (location->MinorFunction & IRP_MN_COMPLETE) {
    MDL* const chain = std::exchange(irp->MdlAddress, nullptr);
    write ? cc::MdlWriteComplete(file, &offset, chain) : cc::MdlReadComplete(file, chain);
    return io::test::Complete(irp, STATUS_SUCCESS);
  }
  const auto* auxiliary = reinterpret_cast<FSRTL_AUXILIARY_BUFFER*>(irp->Tail.Overlay.AuxiliaryBuffer);
  IO_STATUS_BLOCK result{};
  Compressed(file, &offset, location->Parameters.Read.Length,
             location->MinorFunction & IRP_MN_MDL ? nullptr : irp->UserBuffer, &irp->MdlAddress, &result,
             static_cast<COMPRESSED_DATA_INFO*>(auxiliary->Buffer), auxiliary->Length, write);
  return io::test::Complete(irp, result.Status, result.Information);
}

void FillSeedTable(FAST_IO_DISPATCH* table) {
  table->FastIoCheckIfPossible = CheckIfPossible;
  table->FastIoRead = Read;
  table->FastIoWrite = Write;
  table->FastIoQueryBasicInfo = QueryBasic;
  table->FastIoQueryStandardInfo = QueryStandard;
  table->FastIoLock = LockRange;
  table->FastIoUnlockSingle = UnlockSingle;
  table->FastIoUnlockAll = UnlockAll;
  table->FastIoUnlockAllByKey = UnlockAllByKey;
  table->FastIoDeviceControl = Control;
  table->AcquireFileForNtCreateSection = AcquireForSection;
  table->ReleaseFileForNtCreateSection = ReleaseForSection;
  table->FastIoDetachDevice = DetachDevice;
  table->FastIoQueryNetworkOpenInfo = QueryNetwork;
  table->AcquireForModWrite = AcquireForModWrite;
  table->MdlRead = MdlReadEntry;
  table->MdlReadComplete = MdlReadCompleteEntry;
  table->PrepareMdlWrite = PrepareMdlWriteEntry;
  table->MdlWriteComplete = MdlWriteCompleteEntry;
  table->FastIoReadCompressed = ReadCompressed;
  table->FastIoWriteCompressed = WriteCompressed;
  table->MdlReadCompleteCompressed = MdlReadCompleteCompressed;
  table->MdlWriteCompleteCompressed = MdlWriteCompleteCompressed;
  table->FastIoQueryOpen = QueryOpen;
  table->ReleaseForModWrite = ReleaseForModWrite;
  table->AcquireForCcFlush = AcquireForCcFlush;
  table->ReleaseForCcFlush = ReleaseForCcFlush;
}

}  // namespace nt::seeds
