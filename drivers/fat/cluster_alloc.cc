// Free clusters: one bitmap window at a time, filled from the FAT when a search enters it.
#include "fat.h"

namespace fat {
namespace {

ULONG WindowClusters(const Vcb& vcb, ULONG window) {
  return Min(kWindowClusters, vcb.geometry.cluster_count - window * kWindowClusters);
}

ULONG WindowFirst(ULONG window) { return kFirstCluster + window * kWindowClusters; }

/// Fills the bitmap (if `fill`) and counts the window's free clusters.
NTSTATUS ScanWindow(Vcb& vcb, ULONG window, bool fill, ULONG* free_clusters) {
  FatCursor cursor(vcb, FatCursor::Access::kRead);
  const ULONG count = WindowClusters(vcb, window);
  const ULONG first = WindowFirst(window);
  ULONG free = 0;
  if (fill) {
    vcb.free.window = FreeMap::kUnknown;
    RtlInitializeBitMap(&vcb.free.bitmap, vcb.free.bits, count);
    RtlSetAllBits(&vcb.free.bitmap);
  }
  for (ULONG i = 0; i < count; ++i) {
    ULONG value;
    FAT_TRY_STATUS(cursor.Read(first + i, &value));
    if (value != kFatFree) continue;
    ++free;
    if (fill) RtlClearBits(&vcb.free.bitmap, i, 1);
  }
  if (fill) vcb.free.window = window;
  vcb.free.window_free[window] = free;
  if (free_clusters != nullptr) *free_clusters = free;
  return STATUS_SUCCESS;
}

NTSTATUS EnterWindow(Vcb& vcb, ULONG window) {
  return vcb.free.window == window ? STATUS_SUCCESS : ScanWindow(vcb, window, true, nullptr);
}

void CountFreed(Vcb& vcb, ULONG cluster) {
  const ULONG index = cluster - kFirstCluster;
  const ULONG window = index / kWindowClusters;
  if (vcb.free.free_clusters < vcb.geometry.cluster_count) ++vcb.free.free_clusters;
  if (vcb.free.window_free[window] != FreeMap::kUnknown) ++vcb.free.window_free[window];
  if (vcb.free.window == window) RtlClearBits(&vcb.free.bitmap, index % kWindowClusters, 1);
}

void CountTaken(Vcb& vcb, ULONG window, ULONG bit, ULONG count) {
  RtlSetBits(&vcb.free.bitmap, bit, count);
  vcb.free.window_free[window] -= Min(count, vcb.free.window_free[window]);
  vcb.free.free_clusters -= Min(count, vcb.free.free_clusters);
}

/// Links first..first+count-1 and ends them; then links `previous` (if any) to them.
NTSTATUS LinkRun(Vcb& vcb, ULONG previous, ULONG first, ULONG count) {
  FatCursor cursor(vcb, FatCursor::Access::kWrite);
  for (ULONG i = 0; i < count; ++i) {
    FAT_TRY_STATUS(cursor.Write(first + i, i + 1 < count ? first + i + 1 : kFatEnd));
  }
  return previous != 0 ? cursor.Write(previous, first) : STATUS_SUCCESS;
}

void FreeRun(Vcb& vcb, ULONG first, ULONG count) {
  FatCursor cursor(vcb, FatCursor::Access::kWrite);
  for (ULONG i = 0; i < count; ++i) {
    if (NT_SUCCESS(cursor.Write(first + i, kFatFree))) CountFreed(vcb, first + i);
  }
}

NTSTATUS FreeChainLocked(Vcb& vcb, ULONG first) {
  FatCursor cursor(vcb, FatCursor::Access::kWrite);
  for (ULONG cluster = first;;) {
    if (!IsDataCluster(vcb, cluster)) return STATUS_FILE_CORRUPT_ERROR;
    ULONG next;
    FAT_TRY_STATUS(cursor.Read(cluster, &next));
    if (next == kFatFree || next == kFatBad) return STATUS_FILE_CORRUPT_ERROR;  // a loop ends here too
    FAT_TRY_STATUS(cursor.Write(cluster, kFatFree));
    CountFreed(vcb, cluster);
    if (next == kFatEnd) return STATUS_SUCCESS;
    cluster = next;
  }
}

void UndoAllocation(Vcb& vcb, PLARGE_MCB runs, ULONG taken) {
  for (ULONG vcn = 0; vcn < taken;) {
    LONGLONG lcn;
    LONGLONG run;
    if (!FsRtlLookupLargeMcbEntry(runs, vcn, &lcn, &run, nullptr, nullptr, nullptr)) break;
    FreeRun(vcb, static_cast<ULONG>(lcn), static_cast<ULONG>(run));
    vcn += static_cast<ULONG>(run);
  }
}

}  // namespace

NTSTATUS InitializeFreeMap(Vcb& vcb) {
  FreeMap& map = vcb.free;
  const Geometry& geometry = vcb.geometry;
  map.window_count = (geometry.cluster_count + kWindowClusters - 1) / kWindowClusters;
  map.window = FreeMap::kUnknown;
  map.hint = kFirstCluster;
  map.bits = static_cast<ULONG*>(AllocatePaged(kWindowClusters / 8));
  map.window_free = static_cast<ULONG*>(AllocatePaged(map.window_count * sizeof(ULONG)));
  if (map.bits == nullptr || map.window_free == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  RtlFillMemory(map.window_free, map.window_count * sizeof(ULONG), 0xFF);

  // FSInfo spares the scan, but only of a volume that was left in order.
  if (geometry.type == FatType::k32 && geometry.fsinfo_offset != 0) {
    CacheView view;
    FAT_TRY_STATUS(view.Map(vcb.volume_stream, geometry.fsinfo_offset, sizeof(FsInfoSector)));
    const FsInfoSector* info = view.As<FsInfoSector>(0);
    if (info->lead_signature == kFsInfoLead && info->signature == kFsInfoSignature) {
      if (IsDataCluster(vcb, info->next_free)) map.hint = info->next_free;
      if (!vcb.was_dirty && info->free_clusters <= geometry.cluster_count) {
        map.free_clusters = info->free_clusters;
        return STATUS_SUCCESS;
      }
    } else {
      vcb.geometry.fsinfo_offset = 0;  // not an FSInfo sector: never write there
    }
  }
  map.free_clusters = 0;
  for (ULONG window = 0; window < map.window_count; ++window) {
    ULONG free;
    FAT_TRY_STATUS(ScanWindow(vcb, window, window + 1 == map.window_count, &free));
    map.free_clusters += free;
  }
  return STATUS_SUCCESS;
}

void FreeFreeMap(Vcb& vcb) {
  if (vcb.free.bits != nullptr) FreePool(vcb.free.bits);
  if (vcb.free.window_free != nullptr) FreePool(vcb.free.window_free);
  vcb.free.bits = nullptr;
  vcb.free.window_free = nullptr;
}

NTSTATUS AllocateClusters(Vcb& vcb, ULONG hint, ULONG count, PLARGE_MCB runs, ULONG* first, ULONG* last) {
  ExclusiveGuard guard(vcb.fat_resource);
  FreeMap& map = vcb.free;
  if (count > map.free_clusters) return STATUS_DISK_FULL;
  if (!IsDataCluster(vcb, hint)) hint = IsDataCluster(vcb, map.hint) ? map.hint : kFirstCluster;

  const ULONG start_window = (hint - kFirstCluster) / kWindowClusters;
  ULONG taken = 0;
  ULONG previous = 0;
  NTSTATUS status = STATUS_SUCCESS;
  // The start window is visited twice: from the hint on, and at last its front part.
  for (ULONG visit = 0; visit <= map.window_count && taken < count && NT_SUCCESS(status); ++visit) {
    const ULONG window = (start_window + visit) % map.window_count;
    if (map.window_free[window] == 0) continue;
    status = EnterWindow(vcb, window);
    if (!NT_SUCCESS(status)) break;
    ULONG from = visit == 0 ? (hint - kFirstCluster) % kWindowClusters : 0;
    while (taken < count && from < map.bitmap.SizeOfBitMap) {
      ULONG bit = 0;
      ULONG run = RtlFindNextForwardRunClear(&map.bitmap, from, &bit);
      if (run == 0) break;
      run = Min(run, count - taken);
      const ULONG cluster = WindowFirst(window) + bit;
      status = seh::AddMcbRun(runs, taken, cluster, run);
      if (!NT_SUCCESS(status)) break;
      CountTaken(vcb, window, bit, run);
      const ULONG had = taken;
      taken += run;
      if (had == 0) *first = cluster;
      status = LinkRun(vcb, previous, cluster, run);
      if (!NT_SUCCESS(status)) break;
      previous = cluster + run - 1;
      from = bit + run;
    }
  }
  if (NT_SUCCESS(status) && taken < count) {
    map.free_clusters = taken;  // every window was searched: the count from FSInfo was wrong
    status = STATUS_DISK_FULL;
    UndoAllocation(vcb, runs, taken);
    map.free_clusters = taken;
    return status;
  }
  if (!NT_SUCCESS(status)) {
    UndoAllocation(vcb, runs, taken);
    return status;
  }
  *last = previous;
  map.hint = previous + 1;
  return STATUS_SUCCESS;
}

NTSTATUS FreeChain(Vcb& vcb, ULONG first) {
  ExclusiveGuard guard(vcb.fat_resource);
  return FreeChainLocked(vcb, first);
}

}  // namespace fat
