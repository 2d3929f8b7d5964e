// Exports: run lists of the three kinds. An MCB is a LARGE_MCB with 32-bit numbers.
#include "ntifs.h"
#include "src/fsrtl/fsrtl.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

static bool Raised(PBASE_MCB mcb, Status status) {
  if (status == STATUS_INSUFFICIENT_RESOURCES && (mcb->Flags & MCB_FLAG_RAISE_ON_ALLOCATION_FAILURE)) Raise(status);
  return status.ok();
}
static PLARGE_MCB Large(PMCB mcb) { return &mcb->DummyFieldThatSizesThisStructureCorrectly; }

NT_EXPORT(VOID, FsRtlInitializeLargeMcb, (PLARGE_MCB mcb, POOL_TYPE pool_type), (mcb, pool_type)) {
  fsrtl::InitializeLargeMcb(mcb, pool_type);
}
NT_EXPORT(VOID, FsRtlUninitializeLargeMcb, (PLARGE_MCB mcb), (mcb)) { fsrtl::UninitializeLargeMcb(mcb); }
NT_EXPORT(VOID, FsRtlResetLargeMcb, (PLARGE_MCB mcb, BOOLEAN self_synchronized), (mcb, self_synchronized)) {
  fsrtl::ResetLargeMcb(mcb, self_synchronized);
}
NT_EXPORT(VOID, FsRtlTruncateLargeMcb, (PLARGE_MCB mcb, LONGLONG vbn), (mcb, vbn)) {
  fsrtl::TruncateLargeMcb(mcb, vbn);
}
NT_EXPORT(BOOLEAN, FsRtlAddLargeMcbEntry,
          (PLARGE_MCB mcb, LONGLONG vbn, LONGLONG lbn, LONGLONG sector_count),
          (mcb, vbn, lbn, sector_count)) {
  return fsrtl::AddLargeMcbEntry(mcb, vbn, lbn, sector_count);
}
NT_EXPORT(VOID, FsRtlRemoveLargeMcbEntry,
          (PLARGE_MCB mcb, LONGLONG vbn, LONGLONG sector_count),
          (mcb, vbn, sector_count)) {
  fsrtl::RemoveLargeMcbEntry(mcb, vbn, sector_count);
}
NT_EXPORT(BOOLEAN, FsRtlLookupLargeMcbEntry,
          (PLARGE_MCB mcb, LONGLONG vbn, PLONGLONG lbn, PLONGLONG sector_count_from_lbn, PLONGLONG starting_lbn,
           PLONGLONG sector_count_from_starting_lbn, PULONG index),
          (mcb, vbn, lbn, sector_count_from_lbn, starting_lbn, sector_count_from_starting_lbn, index)) {
  return fsrtl::LookupLargeMcbEntry(mcb, vbn, lbn, sector_count_from_lbn, starting_lbn,
      sector_count_from_starting_lbn, index);
}
NT_EXPORT(BOOLEAN, FsRtlLookupLastLargeMcbEntry, (PLARGE_MCB mcb, PLONGLONG vbn, PLONGLONG lbn), (mcb, vbn, lbn)) {
  return fsrtl::LookupLastLargeMcbEntryAndIndex(mcb, vbn, lbn, nullptr);
}
NT_EXPORT(BOOLEAN, FsRtlLookupLastLargeMcbEntryAndIndex,
          (PLARGE_MCB mcb, PLONGLONG vbn, PLONGLONG lbn, PULONG index),
          (mcb, vbn, lbn, index)) {
  return fsrtl::LookupLastLargeMcbEntryAndIndex(mcb, vbn, lbn, index);
}
NT_EXPORT(ULONG, FsRtlNumberOfRunsInLargeMcb, (PLARGE_MCB mcb), (mcb)) { return fsrtl::NumberOfRunsInLargeMcb(mcb); }
NT_EXPORT(BOOLEAN, FsRtlGetNextLargeMcbEntry,
          (PLARGE_MCB mcb, ULONG run_index, PLONGLONG vbn, PLONGLONG lbn, PLONGLONG sector_count),
          (mcb, run_index, vbn, lbn, sector_count)) {
  return fsrtl::GetNextLargeMcbEntry(mcb, run_index, vbn, lbn, sector_count);
}
NT_EXPORT(BOOLEAN, FsRtlSplitLargeMcb, (PLARGE_MCB mcb, LONGLONG vbn, LONGLONG amount), (mcb, vbn, amount)) {
  return fsrtl::SplitLargeMcb(mcb, vbn, amount);
}
NT_EXPORT(VOID, FsRtlInitializeBaseMcb, (PBASE_MCB mcb, POOL_TYPE pool_type), (mcb, pool_type)) {
  if (!fsrtl::InitializeBaseMcb(mcb, pool_type,
      MCB_FLAG_RAISE_ON_ALLOCATION_FAILURE).ok()) Raise(STATUS_INSUFFICIENT_RESOURCES);
}
NT_EXPORT(BOOLEAN, FsRtlInitializeBaseMcbEx,
          (PBASE_MCB mcb, POOL_TYPE pool_type, USHORT flags),
          (mcb, pool_type, flags)) {
  return Raised(mcb, fsrtl::InitializeBaseMcb(mcb, pool_type, flags));
}
NT_EXPORT(VOID, FsRtlUninitializeBaseMcb, (PBASE_MCB mcb), (mcb)) { fsrtl::UninitializeBaseMcb(mcb); }
NT_EXPORT(VOID, FsRtlResetBaseMcb, (PBASE_MCB mcb), (mcb)) { fsrtl::ResetBaseMcb(mcb); }
NT_EXPORT(VOID, FsRtlTruncateBaseMcb, (PBASE_MCB mcb, LONGLONG vbn), (mcb, vbn)) { fsrtl::TruncateBaseMcb(mcb, vbn); }
NT_EXPORT(BOOLEAN, FsRtlAddBaseMcbEntry,
          (PBASE_MCB mcb, LONGLONG vbn, LONGLONG lbn, LONGLONG sector_count),
          (mcb, vbn, lbn, sector_count)) {
  return Raised(mcb, fsrtl::AddBaseMcbEntry(mcb, vbn, lbn, sector_count));
}
NT_EXPORT(NTSTATUS, FsRtlAddBaseMcbEntryEx,
          (PBASE_MCB mcb, LONGLONG vbn, LONGLONG lbn, LONGLONG sector_count),
          (mcb, vbn, lbn, sector_count)) {
  return fsrtl::AddBaseMcbEntry(mcb, vbn, lbn, sector_count);
}
NT_EXPORT(BOOLEAN, FsRtlRemoveBaseMcbEntry,
          (PBASE_MCB mcb, LONGLONG vbn, LONGLONG sector_count),
          (mcb, vbn, sector_count)) {
  return Raised(mcb, fsrtl::RemoveBaseMcbEntry(mcb, vbn, sector_count));
}
NT_EXPORT(BOOLEAN, FsRtlLookupBaseMcbEntry,
          (PBASE_MCB mcb, LONGLONG vbn, PLONGLONG lbn, PLONGLONG sector_count_from_lbn, PLONGLONG starting_lbn,
           PLONGLONG sector_count_from_starting_lbn, PULONG index),
          (mcb, vbn, lbn, sector_count_from_lbn, starting_lbn, sector_count_from_starting_lbn, index)) {
  return fsrtl::LookupBaseMcbEntry(mcb, vbn, lbn, sector_count_from_lbn, starting_lbn,
      sector_count_from_starting_lbn, index);
}
NT_EXPORT(BOOLEAN, FsRtlLookupLastBaseMcbEntry, (PBASE_MCB mcb, PLONGLONG vbn, PLONGLONG lbn), (mcb, vbn, lbn)) {
  return fsrtl::LookupLastBaseMcbEntryAndIndex(mcb, vbn, lbn, nullptr);
}
NT_EXPORT(BOOLEAN, FsRtlLookupLastBaseMcbEntryAndIndex,
          (PBASE_MCB mcb, PLONGLONG vbn, PLONGLONG lbn, PULONG index),
          (mcb, vbn, lbn, index)) {
  return fsrtl::LookupLastBaseMcbEntryAndIndex(mcb, vbn, lbn, index);
}
NT_EXPORT(ULONG, FsRtlNumberOfRunsInBaseMcb, (PBASE_MCB mcb), (mcb)) { return fsrtl::NumberOfRunsInBaseMcb(mcb); }
NT_EXPORT(BOOLEAN, FsRtlGetNextBaseMcbEntry,
          (PBASE_MCB mcb, ULONG run_index, PLONGLONG vbn, PLONGLONG lbn, PLONGLONG sector_count),
          (mcb, run_index, vbn, lbn, sector_count)) {
  return fsrtl::GetNextBaseMcbEntry(mcb, run_index, vbn, lbn, sector_count);
}
NT_EXPORT(BOOLEAN, FsRtlSplitBaseMcb, (PBASE_MCB mcb, LONGLONG vbn, LONGLONG amount), (mcb, vbn, amount)) {
  return Raised(mcb, fsrtl::SplitBaseMcb(mcb, vbn, amount));
}
NT_EXPORT(VOID, FsRtlInitializeMcb, (PMCB mcb, POOL_TYPE pool_type), (mcb, pool_type)) {
  fsrtl::InitializeLargeMcb(Large(mcb), pool_type);
}
NT_EXPORT(VOID, FsRtlUninitializeMcb, (PMCB mcb), (mcb)) { fsrtl::UninitializeLargeMcb(Large(mcb)); }
NT_EXPORT(VOID, FsRtlTruncateMcb, (PMCB mcb, VBN vbn), (mcb, vbn)) { fsrtl::TruncateLargeMcb(Large(mcb), vbn); }
NT_EXPORT(BOOLEAN, FsRtlAddMcbEntry, (PMCB mcb, VBN vbn, LBN lbn, ULONG sector_count), (mcb, vbn, lbn, sector_count)) {
  return fsrtl::AddLargeMcbEntry(Large(mcb), vbn, lbn, sector_count);
}
NT_EXPORT(VOID, FsRtlRemoveMcbEntry, (PMCB mcb, VBN vbn, ULONG sector_count), (mcb, vbn, sector_count)) {
  fsrtl::RemoveLargeMcbEntry(Large(mcb), vbn, sector_count);
}
NT_EXPORT(BOOLEAN, FsRtlLookupMcbEntry,
          (PMCB mcb, VBN vbn, PLBN lbn, PULONG sector_count, PULONG index),
          (mcb, vbn, lbn, sector_count, index)) {
  LONGLONG large_lbn, large_count;
  if (!fsrtl::LookupLargeMcbEntry(Large(mcb), vbn, &large_lbn, &large_count, nullptr, nullptr, index)) return FALSE;
  if (lbn) *lbn = static_cast<LBN>(large_lbn);
  if (sector_count) *sector_count = static_cast<ULONG>(large_count);
  return TRUE;
}
NT_EXPORT(BOOLEAN, FsRtlLookupLastMcbEntry, (PMCB mcb, PVBN vbn, PLBN lbn), (mcb, vbn, lbn)) {
  LONGLONG large_vbn, large_lbn;
  if (!fsrtl::LookupLastLargeMcbEntryAndIndex(Large(mcb), &large_vbn, &large_lbn, nullptr)) return FALSE;
  if (vbn) *vbn = static_cast<VBN>(large_vbn);
  if (lbn) *lbn = static_cast<LBN>(large_lbn);
  return TRUE;
}
NT_EXPORT(ULONG, FsRtlNumberOfRunsInMcb, (PMCB mcb), (mcb)) { return fsrtl::NumberOfRunsInLargeMcb(Large(mcb)); }
NT_EXPORT(BOOLEAN, FsRtlGetNextMcbEntry,
          (PMCB mcb, ULONG run_index, PVBN vbn, PLBN lbn, PULONG sector_count),
          (mcb, run_index, vbn, lbn, sector_count)) {
  LONGLONG large_vbn, large_lbn, large_count;
  if (!fsrtl::GetNextLargeMcbEntry(Large(mcb), run_index, &large_vbn, &large_lbn, &large_count)) return FALSE;
  if (vbn) *vbn = static_cast<VBN>(large_vbn);
  if (lbn) *lbn = static_cast<LBN>(large_lbn);
  if (sector_count) *sector_count = static_cast<ULONG>(large_count);
  return TRUE;
}
