// Cluster chains: walked once, kept as runs in a LARGE_MCB.
// A chain from the medium may loop, leave the volume or run into free clusters. Walking it costs at most one step a
// cluster of the volume, and Brent's marks find a loop after a few times its length.
#include "fat.h"

namespace fat {
namespace {

constexpr ULONG kWalkAhead = 65536;

/// Appends vcn known_clusters.. ; the caller then counts them.
NTSTATUS AddRun(Fcb& fcb, ULONG vcn, ULONG cluster, ULONG count) {
  return seh::AddMcbRun(&fcb.mcb, vcn, cluster, count);
}

bool Loops(Fcb& fcb, ULONG cluster) {
  if (cluster == fcb.brent_mark) return true;
  if (++fcb.brent_steps == fcb.brent_limit) {
    fcb.brent_mark = cluster;
    fcb.brent_limit *= 2;
    fcb.brent_steps = 0;
  }
  return false;
}

/// Walks until `vcn` is known with the run around it, or the chain ends. chain_resource exclusive.
NTSTATUS Walk(Fcb& fcb, ULONG vcn) {
  Vcb& vcb = *fcb.vcb;
  FatCursor cursor(vcb, FatCursor::Access::kRead);
  if (fcb.known_clusters == 0) {
    if (fcb.first_cluster == 0) {
      fcb.chain_complete = true;
      return STATUS_SUCCESS;
    }
    if (!IsDataCluster(vcb, fcb.first_cluster)) return STATUS_FILE_CORRUPT_ERROR;
    FAT_TRY_STATUS(AddRun(fcb, 0, fcb.first_cluster, 1));
    fcb.known_clusters = 1;
    fcb.last_cluster = fcb.first_cluster;
    fcb.brent_mark = fcb.first_cluster;
    fcb.brent_limit = 2;
    fcb.brent_steps = 0;
  }

  ULONG run_vcn = fcb.known_clusters;
  ULONG run_cluster = 0;
  ULONG run_count = 0;
  ULONG last = fcb.last_cluster;
  NTSTATUS status = STATUS_SUCCESS;
  bool complete = false;
  for (;;) {
    const ULONG known = run_vcn + run_count;
    ULONG next;
    status = cursor.Read(last, &next);
    if (!NT_SUCCESS(status)) break;
    if (next == kFatEnd) {
      complete = true;
      break;
    }
    if (!IsDataCluster(vcb, next) || known >= vcb.geometry.cluster_count ||
        (fcb.is_directory() && (static_cast<ULONGLONG>(known) << vcb.geometry.cluster_shift) >= kMaxDirectoryBytes)) {
      status = STATUS_FILE_CORRUPT_ERROR;
      break;
    }
    if (next != last + 1 || run_count == 0) {
      if (run_count != 0) {
        status = AddRun(fcb, run_vcn, run_cluster, run_count);
        if (!NT_SUCCESS(status)) return status;
        fcb.known_clusters = known;
        fcb.last_cluster = last;
      }
      if (known > vcn && next != last + 1) return STATUS_SUCCESS;
      run_vcn = known;
      run_cluster = next;
      run_count = 0;
    }
    if (Loops(fcb, next)) {  // marks what the walk takes, and only that: it may be resumed here
      status = STATUS_FILE_CORRUPT_ERROR;
      break;
    }
    ++run_count;
    last = next;
    if (run_vcn + run_count > vcn && run_vcn + run_count - vcn > kWalkAhead) break;
  }
  if (run_count != 0) {
    FAT_TRY_STATUS(AddRun(fcb, run_vcn, run_cluster, run_count));
    fcb.known_clusters = run_vcn + run_count;
    fcb.last_cluster = last;
  }
  if (complete) fcb.chain_complete = true;
  return status;
}

bool LookupKnown(Fcb& fcb, ULONG vcn, ULONG* cluster, ULONG* count) {
  LONGLONG lcn;
  LONGLONG run;
  if (vcn >= fcb.known_clusters) return false;
  if (!FsRtlLookupLargeMcbEntry(&fcb.mcb, vcn, &lcn, &run, nullptr, nullptr, nullptr) || lcn == -1) return false;
  *cluster = static_cast<ULONG>(lcn);
  *count = static_cast<ULONG>(run);
  return true;
}

}  // namespace

NTSTATUS LookupCluster(Fcb& fcb, ULONG vcn, ULONG* cluster, ULONG* count) {
  if (LookupKnown(fcb, vcn, cluster, count)) return STATUS_SUCCESS;
  ExclusiveGuard guard(fcb.np->chain_resource);
  NTSTATUS status = STATUS_SUCCESS;
  if (vcn >= fcb.known_clusters && !fcb.chain_complete) status = Walk(fcb, vcn);
  // What lies before a bad link is still readable.
  if (LookupKnown(fcb, vcn, cluster, count)) return STATUS_SUCCESS;
  return NT_SUCCESS(status) ? STATUS_END_OF_FILE : status;
}

NTSTATUS LoadWholeChain(Fcb& fcb) {
  ExclusiveGuard guard(fcb.np->chain_resource);
  while (!fcb.chain_complete) FAT_TRY_STATUS(Walk(fcb, fcb.known_clusters));
  return STATUS_SUCCESS;
}

bool IsChainKnown(const Fcb& fcb, LONGLONG end) {
  return fcb.chain_complete || (static_cast<LONGLONG>(fcb.known_clusters) << fcb.vcb->geometry.cluster_shift) >= end;
}

NTSTATUS LookupRun(Fcb& fcb, LONGLONG offset, ULONG length, LONGLONG* disk_offset, ULONG* run_length) {
  Vcb& vcb = *fcb.vcb;
  const Geometry& geometry = vcb.geometry;
  if (fcb.kind == FcbKind::kVolume || (fcb.kind == FcbKind::kRoot && geometry.type != FatType::k32)) {
    *disk_offset = offset + (fcb.kind == FcbKind::kRoot ? geometry.root_base : 0);
    *run_length = length;
    return STATUS_SUCCESS;
  }
  ULONG cluster;
  ULONG count;
  const ULONG vcn = static_cast<ULONG>(offset >> geometry.cluster_shift);
  const NTSTATUS status = LookupCluster(fcb, vcn, &cluster, &count);
  if (status == STATUS_END_OF_FILE) return STATUS_FILE_CORRUPT_ERROR;  // the chain is shorter than the size says
  if (!NT_SUCCESS(status)) return status;
  const ULONG within = static_cast<ULONG>(offset & (geometry.cluster_bytes - 1));
  const ULONGLONG available = (static_cast<ULONGLONG>(count) << geometry.cluster_shift) - within;
  *disk_offset = ClusterOffset(vcb, cluster) + within;
  *run_length = static_cast<ULONG>(Min(available, static_cast<ULONGLONG>(length)));
  return STATUS_SUCCESS;
}

void ResetChain(Fcb& fcb, ULONG first_cluster) {
  FsRtlTruncateLargeMcb(&fcb.mcb, 0);
  fcb.first_cluster = first_cluster;
  fcb.known_clusters = 0;
  fcb.last_cluster = 0;
  fcb.chain_complete = first_cluster == 0;
}

NTSTATUS ExtendChain(Fcb& fcb, ULONG clusters_wanted, bool zero_new) {
  Vcb& vcb = *fcb.vcb;
  FAT_TRY_STATUS(LoadWholeChain(fcb));
  if (clusters_wanted <= fcb.known_clusters) return STATUS_SUCCESS;
  const ULONG more = clusters_wanted - fcb.known_clusters;

  LARGE_MCB runs;
  FAT_TRY_STATUS(seh::InitializeMcb(&runs));
  ULONG first = 0;
  ULONG last = 0;
  NTSTATUS status = AllocateClusters(vcb, fcb.last_cluster + 1, more, &runs, &first, &last);
  if (!NT_SUCCESS(status)) {
    FsRtlUninitializeLargeMcb(&runs);
    return status;
  }

  ExclusiveGuard guard(fcb.np->chain_resource);
  const ULONG old_known = fcb.known_clusters;
  for (ULONG vcn = 0; vcn < more && NT_SUCCESS(status);) {
    LONGLONG lcn;
    LONGLONG run;
    if (!FsRtlLookupLargeMcbEntry(&runs, vcn, &lcn, &run, nullptr, nullptr, nullptr)) break;
    for (LONGLONG i = 0; zero_new && i < run && NT_SUCCESS(status); ++i) {
      status = ZeroCluster(vcb, static_cast<ULONG>(lcn + i));
    }
    if (NT_SUCCESS(status)) status = AddRun(fcb, old_known + vcn, static_cast<ULONG>(lcn), static_cast<ULONG>(run));
    vcn += static_cast<ULONG>(run);
  }
  FsRtlUninitializeLargeMcb(&runs);

  // The new clusters are a chain already: one link makes them part of the file.
  if (NT_SUCCESS(status) && old_known != 0) {
    ExclusiveGuard fat(vcb.fat_resource);
    FatCursor cursor(vcb, FatCursor::Access::kWrite);
    status = cursor.Write(fcb.last_cluster, first);
  }
  if (!NT_SUCCESS(status)) {
    FsRtlTruncateLargeMcb(&fcb.mcb, old_known);
    FreeChain(vcb, first);
    return status;
  }
  if (old_known == 0) {
    fcb.first_cluster = first;
    fcb.dirent_dirty = true;
  }
  fcb.known_clusters = clusters_wanted;
  fcb.last_cluster = last;
  fcb.brent_mark = 0;  // the walk is over: the whole chain is known
  return STATUS_SUCCESS;
}

NTSTATUS TruncateChain(Fcb& fcb, ULONG clusters_kept) {
  Vcb& vcb = *fcb.vcb;
  if (clusters_kept == 0) {
    const ULONG first = fcb.first_cluster;
    ExclusiveGuard guard(fcb.np->chain_resource);
    ResetChain(fcb, 0);
    fcb.dirent_dirty = true;
    return first != 0 ? FreeChain(vcb, first) : STATUS_SUCCESS;
  }

  ULONG keep_last;
  ULONG count;
  const NTSTATUS status = LookupCluster(fcb, clusters_kept - 1, &keep_last, &count);
  if (status == STATUS_END_OF_FILE) return STATUS_SUCCESS;
  if (!NT_SUCCESS(status)) return status;

  ExclusiveGuard guard(fcb.np->chain_resource);
  ULONG rest;
  {
    ExclusiveGuard fat(vcb.fat_resource);
    FatCursor cursor(vcb, FatCursor::Access::kWrite);
    FAT_TRY_STATUS(cursor.Read(keep_last, &rest));
    if (rest == kFatEnd) return STATUS_SUCCESS;
    FAT_TRY_STATUS(cursor.Write(keep_last, kFatEnd));
  }
  FsRtlTruncateLargeMcb(&fcb.mcb, clusters_kept);
  fcb.known_clusters = clusters_kept;
  fcb.last_cluster = keep_last;
  fcb.chain_complete = true;
  return FreeChain(vcb, rest);
}

}  // namespace fat
