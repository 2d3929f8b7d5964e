// The three sizes of a file: valid data <= file size <= allocation, at every instant.
#include "fat.h"

namespace fat {

LONGLONG RoundToCluster(const Vcb& vcb, LONGLONG bytes) {
  const LONGLONG mask = static_cast<LONGLONG>(vcb.geometry.cluster_bytes) - 1;
  return (bytes + mask) & ~mask;
}

CC_FILE_SIZES CacheSizes(const Fcb& fcb) {
  CC_FILE_SIZES sizes;
  sizes.AllocationSize = fcb.header.AllocationSize;
  sizes.FileSize = fcb.header.FileSize;
  sizes.ValidDataLength = fcb.header.ValidDataLength;
  return sizes;
}

NTSTATUS StartCaching(Fcb& fcb, PFILE_OBJECT file) {
  constexpr ULONG kReadAheadBytes = 128 * 1024;
  CC_FILE_SIZES sizes = CacheSizes(fcb);
  FAT_TRY_STATUS(seh::InitializeCacheMap(file, &sizes, FALSE, &g.callbacks, &fcb));
  CcSetReadAheadGranularity(file, kReadAheadBytes);
  UpdateFastIoState(fcb);
  return STATUS_SUCCESS;
}

void PublishSizes(Fcb& fcb, PFILE_OBJECT file) {
  if (file == nullptr || file->SectionObjectPointer == nullptr) return;
  CC_FILE_SIZES sizes = CacheSizes(fcb);
  seh::SetFileSizes(file, &sizes);
}

NTSTATUS EnsureAllocation(Fcb& fcb, PFILE_OBJECT file, LONGLONG bytes) {
  if (bytes <= fcb.header.AllocationSize.QuadPart) return STATUS_SUCCESS;
  const ULONG shift = fcb.vcb->geometry.cluster_shift;
  FAT_TRY_STATUS(ExtendChain(fcb, static_cast<ULONG>(RoundToCluster(*fcb.vcb, bytes) >> shift), false));
  {
    ExclusiveGuard paging(fcb.np->paging_resource);
    fcb.header.AllocationSize.QuadPart = static_cast<LONGLONG>(fcb.known_clusters) << shift;
  }
  CC_FILE_SIZES sizes = CacheSizes(fcb);
  return file != nullptr ? seh::SetFileSizes(file, &sizes) : STATUS_SUCCESS;
}

NTSTATUS SetEndOfFile(Fcb& fcb, PFILE_OBJECT file, LONGLONG bytes) {
  if (bytes > kMaxFileSize) return STATUS_DISK_FULL;
  const LONGLONG old = fcb.file_size();
  if (bytes == old) return STATUS_SUCCESS;
  if (bytes > old) {
    FAT_TRY_STATUS(EnsureAllocation(fcb, file, bytes));
    ExclusiveGuard paging(fcb.np->paging_resource);
    fcb.header.FileSize.QuadPart = bytes;
  } else {
    LARGE_INTEGER end;
    end.QuadPart = bytes;
    if (!MmCanFileBeTruncated(&fcb.np->section, &end)) return STATUS_USER_MAPPED_FILE;
    ExclusiveGuard paging(fcb.np->paging_resource);
    fcb.header.FileSize.QuadPart = bytes;
    if (fcb.header.ValidDataLength.QuadPart > bytes) fcb.header.ValidDataLength.QuadPart = bytes;
  }
  fcb.dirent_dirty = true;
  PublishSizes(fcb, file);
  return bytes < old ? SetAllocation(fcb, file, bytes) : STATUS_SUCCESS;
}

NTSTATUS SetAllocation(Fcb& fcb, PFILE_OBJECT file, LONGLONG bytes) {
  Vcb& vcb = *fcb.vcb;
  if (bytes > kMaxFileSize) return STATUS_DISK_FULL;
  if (bytes < fcb.file_size()) return SetEndOfFile(fcb, file, bytes);  // comes back here with equal sizes
  const LONGLONG rounded = RoundToCluster(vcb, bytes);
  if (rounded > fcb.header.AllocationSize.QuadPart) return EnsureAllocation(fcb, file, rounded);
  {
    ExclusiveGuard paging(fcb.np->paging_resource);
    fcb.header.AllocationSize.QuadPart = rounded;
    FAT_TRY_STATUS(TruncateChain(fcb, static_cast<ULONG>(rounded >> vcb.geometry.cluster_shift)));
  }
  return STATUS_SUCCESS;
}

NTSTATUS ZeroValidDataGap(Fcb& fcb, PFILE_OBJECT file, LONGLONG to, Wait wait) {
  const LONGLONG from = fcb.header.ValidDataLength.QuadPart;
  if (from >= to) return STATUS_SUCCESS;
  if (file != nullptr && file->PrivateCacheMap != nullptr) {
    FAT_TRY_STATUS(seh::ZeroData(file, from, to, static_cast<BOOLEAN>(wait)));
  } else {
    FAT_TRY_STATUS(ZeroStreamOnDisk(fcb, from, to));
  }
  fcb.header.ValidDataLength.QuadPart = to;
  return STATUS_SUCCESS;
}

}  // namespace fat
