// What a volume did, counted per processor; told by FSCTL_FILESYSTEM_GET_STATISTICS.
#include "fat.h"

namespace fat {
namespace {

// Entries for different processors do not share a cache line.
struct alignas(64) PerProcessor {
  FILESYSTEM_STATISTICS common;
  FAT_STATISTICS fat;
};

PerProcessor& Mine(Vcb& vcb) {
  return static_cast<PerProcessor*>(vcb.statistics)[KeGetCurrentProcessorNumber() % vcb.statistics_count];
}

}  // namespace

NTSTATUS InitializeStatistics(Vcb& vcb) {
  const ULONG count = KeQueryActiveProcessorCount(nullptr);
  vcb.statistics = AllocateNonPaged(count * sizeof(PerProcessor));
  if (vcb.statistics == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  RtlZeroMemory(vcb.statistics, count * sizeof(PerProcessor));
  vcb.statistics_count = count;
  for (ULONG i = 0; i < count; ++i) {
    FILESYSTEM_STATISTICS& common = static_cast<PerProcessor*>(vcb.statistics)[i].common;
    common.FileSystemType = FILESYSTEM_STATISTICS_TYPE_FAT;
    common.Version = 1;
    common.SizeOfCompleteStructure = sizeof(PerProcessor);
  }
  return STATUS_SUCCESS;
}

void FreeStatistics(Vcb& vcb) {
  if (vcb.statistics != nullptr) FreePool(vcb.statistics);
  vcb.statistics = nullptr;
}

void CountCreate(Vcb& vcb, NTSTATUS status) {
  FAT_STATISTICS& fat = Mine(vcb).fat;
  ++fat.CreateHits;
  ++(NT_SUCCESS(status) ? fat.SuccessfulCreates : fat.FailedCreates);
}

void CountNonCached(Vcb& vcb, UCHAR major, ULONG bytes) {
  FAT_STATISTICS& fat = Mine(vcb).fat;
  const bool read = major == IRP_MJ_READ;
  ++(read ? fat.NonCachedReads : fat.NonCachedWrites);
  (read ? fat.NonCachedReadBytes : fat.NonCachedWriteBytes) += bytes;
}

void CountTransfer(const Fcb& fcb, UCHAR major, ULONG bytes, ULONG disk_requests) {
  FILESYSTEM_STATISTICS& common = Mine(*fcb.vcb).common;
  const bool read = major == IRP_MJ_READ;
  if (fcb.kind == FcbKind::kFile) {
    ++(read ? common.UserFileReads : common.UserFileWrites);
    (read ? common.UserFileReadBytes : common.UserFileWriteBytes) += bytes;
    (read ? common.UserDiskReads : common.UserDiskWrites) += disk_requests;
  } else {
    ++(read ? common.MetaDataReads : common.MetaDataWrites);
    (read ? common.MetaDataReadBytes : common.MetaDataWriteBytes) += bytes;
    (read ? common.MetaDataDiskReads : common.MetaDataDiskWrites) += disk_requests;
  }
}

NTSTATUS GetStatistics(IrpContext& context) {
  PIRP irp = context.irp;
  Vcb& vcb = *context.vcb;
  const ULONG room = context.stack()->Parameters.FileSystemControl.OutputBufferLength;
  const ULONG whole = vcb.statistics_count * sizeof(PerProcessor);
  if (room < sizeof(FILESYSTEM_STATISTICS)) return STATUS_BUFFER_TOO_SMALL;
  const ULONG bytes = Min(room, whole);
  RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, vcb.statistics, bytes);
  irp->IoStatus.Information = bytes;
  return bytes == whole ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

}  // namespace fat
