// Run lists: a map from virtual block numbers (of a file) to logical ones (of its volume), as runs.
//
// Mapping is an array of runs in pool, ordered, that starts at VBN 0 and leaves no gap: run i ends where run i + 1 starts. A
// hole is a run with LBN -1. No two neighbours can be merged, and the last run is never a hole.
#include <algorithm>
#include <cstring>

#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"

namespace nt::fsrtl {
namespace {

struct Run {
  LONGLONG next_vbn;  // one past its last VBN
  LONGLONG lbn;       // of its first VBN
};

constexpr LONGLONG kHole = -1;
constexpr ULONG kFirstRuns = 15;
constexpr ULONG kPoolTag = ' bcM';

Run* Runs(const BASE_MCB* mcb) { return static_cast<Run*>(mcb->Mapping); }
LONGLONG StartOf(const BASE_MCB* mcb, ULONG index) { return index == 0 ? 0 : Runs(mcb)[index - 1].next_vbn; }
LONGLONG EndOf(const BASE_MCB* mcb) { return mcb->PairCount == 0 ? 0 : Runs(mcb)[mcb->PairCount - 1].next_vbn; }

/// The run that holds `vbn`; PairCount when it lies past the last one.
ULONG Find(const BASE_MCB* mcb, LONGLONG vbn) {
  const Run* const runs = Runs(mcb);
  const Run* const found = std::upper_bound(runs, runs + mcb->PairCount, vbn,
                                            [](LONGLONG value, const Run& run) { return value < run.next_vbn; });
  return static_cast<ULONG>(found - runs);
}

LONGLONG LbnAt(const BASE_MCB* mcb, ULONG index, LONGLONG vbn) {
  const LONGLONG lbn = Runs(mcb)[index].lbn;
  return lbn == kHole ? kHole : lbn + (vbn - StartOf(mcb, index));
}

Status Reserve(PBASE_MCB mcb, ULONG runs) {
  if (runs <= mcb->MaximumPairCount) return STATUS_SUCCESS;
  ULONG room = mcb->MaximumPairCount * 2;
  if (room < runs) room = runs;
  auto* larger = static_cast<Run*>(
      ex::AllocatePoolWithTag(static_cast<POOL_TYPE>(mcb->PoolType), room * sizeof(Run), kPoolTag));
  if (!larger) return STATUS_INSUFFICIENT_RESOURCES;
  if (mcb->PairCount) memcpy(larger, mcb->Mapping, mcb->PairCount * sizeof(Run));
  if (mcb->Mapping) ex::FreePool(mcb->Mapping);
  mcb->Mapping = larger;
  mcb->MaximumPairCount = room;
  return STATUS_SUCCESS;
}

/// Replaces runs [first, last) by `count` new ones. Room is there.
void Replace(PBASE_MCB mcb, ULONG first, ULONG last, const Run* with, ULONG count) {
  Run* const runs = Runs(mcb);
  memmove(runs + first + count, runs + last, (mcb->PairCount - last) * sizeof(Run));
  if (count) memcpy(runs + first, with, count * sizeof(Run));
  mcb->PairCount = mcb->PairCount - (last - first) + count;
}

/// Appends to `list` the piece [start, end) with `lbn`, merged with what is there when it goes on.
struct Pieces {
  Run list[5];
  ULONG count = 0;
  LONGLONG start;  // VBN of list[0]

  void Add(LONGLONG end, LONGLONG lbn) {
    const LONGLONG begin = count == 0 ? start : list[count - 1].next_vbn;
    if (end <= begin) return;
    if (count > 0) {
      Run& last = list[count - 1];
      const LONGLONG last_start = count == 1 ? start : list[count - 2].next_vbn;
      if (last.lbn == kHole ? lbn == kHole : lbn != kHole && last.lbn + (begin - last_start) == lbn) {
        last.next_vbn = end;
        return;
      }
    }
    list[count++] = {end, lbn};
  }
};

/// Maps [vbn, vbn + count) to `lbn` (kHole: to nothing), whatever was there, within or at the end of the mapped range.
Status Overwrite(PBASE_MCB mcb, LONGLONG vbn, LONGLONG end, LONGLONG lbn) {
  // The runs touched, and one neighbour on either side, become at most five.
  ULONG first = Find(mcb, vbn);
  if (first > 0) first--;
  ULONG last = Find(mcb, end);  // holds `end`, or PairCount
  if (last < mcb->PairCount) last++;
  Pieces pieces;
  pieces.start = StartOf(mcb, first);
  for (ULONG i = first; i < last && StartOf(mcb, i) < vbn; i++)
    pieces.Add(std::min(Runs(mcb)[i].next_vbn, vbn), Runs(mcb)[i].lbn);
  const LONGLONG mapped_end = EndOf(mcb);
  if (mapped_end < vbn) pieces.Add(vbn, kHole);
  pieces.Add(end, lbn);
  for (ULONG i = first; i < last; i++) {
    const LONGLONG run_end = Runs(mcb)[i].next_vbn;
    if (run_end > end) pieces.Add(run_end, LbnAt(mcb, i, std::max(end, StartOf(mcb, i))));
  }
  const bool at_end = last == mcb->PairCount;
  if (at_end && pieces.count > 0 && pieces.list[pieces.count - 1].lbn == kHole) pieces.count--;
  NT_TRY(Reserve(mcb, mcb->PairCount - (last - first) + pieces.count));
  Replace(mcb, first, last, pieces.list, pieces.count);
  return STATUS_SUCCESS;
}

}  // namespace

Status InitializeBaseMcb(PBASE_MCB mcb, POOL_TYPE pool_type, USHORT flags) {
  *mcb = {};
  mcb->PoolType = static_cast<USHORT>(pool_type);
  mcb->Flags = flags;
  return Reserve(mcb, kFirstRuns);
}

void UninitializeBaseMcb(PBASE_MCB mcb) {
  if (mcb->Mapping) ex::FreePool(mcb->Mapping);
  mcb->Mapping = nullptr;
  mcb->PairCount = mcb->MaximumPairCount = 0;
}

void ResetBaseMcb(PBASE_MCB mcb) { mcb->PairCount = 0; }

void TruncateBaseMcb(PBASE_MCB mcb, LONGLONG vbn) {
  if (vbn <= 0) return ResetBaseMcb(mcb);
  const ULONG index = Find(mcb, vbn);
  if (index < mcb->PairCount) {
    const bool begins_here = StartOf(mcb, index) == vbn;
    if (!begins_here) Runs(mcb)[index].next_vbn = vbn;
    mcb->PairCount = begins_here ? index : index + 1;
  }
  if (mcb->PairCount > 0 && Runs(mcb)[mcb->PairCount - 1].lbn == kHole) mcb->PairCount--;
}

Status AddBaseMcbEntry(PBASE_MCB mcb, LONGLONG vbn, LONGLONG lbn, LONGLONG count) {
  LONGLONG end;
  if (vbn < 0 || lbn < 0 || count <= 0 || __builtin_add_overflow(vbn, count, &end)) return STATUS_INVALID_PARAMETER;
  // What is mapped there must say the same.
  for (ULONG i = Find(mcb, vbn); i < mcb->PairCount && StartOf(mcb, i) < end; i++) {
    if (Runs(mcb)[i].lbn == kHole) continue;
    const LONGLONG at = std::max(vbn, StartOf(mcb, i));
    if (LbnAt(mcb, i, at) != lbn + (at - vbn)) return STATUS_INVALID_PARAMETER;
  }
  return Overwrite(mcb, vbn, end, lbn);
}

Status RemoveBaseMcbEntry(PBASE_MCB mcb, LONGLONG vbn, LONGLONG count) {
  if (vbn < 0 || count <= 0) return STATUS_SUCCESS;
  const LONGLONG mapped_end = EndOf(mcb);
  LONGLONG end;
  if (__builtin_add_overflow(vbn, count, &end) || end > mapped_end) end = mapped_end;
  if (vbn >= end) return STATUS_SUCCESS;
  return Overwrite(mcb, vbn, end, kHole);
}

bool LookupBaseMcbEntry(const BASE_MCB* mcb, LONGLONG vbn, LONGLONG* lbn, LONGLONG* count_from_lbn,
                        LONGLONG* starting_lbn, LONGLONG* count_from_starting_lbn, ULONG* index) {
  if (vbn < 0) return false;
  const ULONG found = Find(mcb, vbn);
  if (found >= mcb->PairCount) return false;
  const Run& run = Runs(mcb)[found];
  if (lbn) *lbn = LbnAt(mcb, found, vbn);
  if (count_from_lbn) *count_from_lbn = run.next_vbn - vbn;
  if (starting_lbn) *starting_lbn = run.lbn;
  if (count_from_starting_lbn) *count_from_starting_lbn = run.next_vbn - StartOf(mcb, found);
  if (index) *index = found;
  return true;
}

bool LookupLastBaseMcbEntryAndIndex(const BASE_MCB* mcb, LONGLONG* vbn, LONGLONG* lbn, ULONG* index) {
  if (mcb->PairCount == 0) return false;
  const ULONG last = mcb->PairCount - 1;
  const LONGLONG last_vbn = Runs(mcb)[last].next_vbn - 1;
  if (vbn) *vbn = last_vbn;
  if (lbn) *lbn = LbnAt(mcb, last, last_vbn);
  if (index) *index = last;
  return true;
}

ULONG NumberOfRunsInBaseMcb(const BASE_MCB* mcb) { return mcb->PairCount; }

bool GetNextBaseMcbEntry(const BASE_MCB* mcb, ULONG index, LONGLONG* vbn, LONGLONG* lbn, LONGLONG* count) {
  if (index >= mcb->PairCount) return false;
  if (vbn) *vbn = StartOf(mcb, index);
  if (lbn) *lbn = Runs(mcb)[index].lbn;
  if (count) *count = Runs(mcb)[index].next_vbn - StartOf(mcb, index);
  return true;
}

Status SplitBaseMcb(PBASE_MCB mcb, LONGLONG vbn, LONGLONG amount) {
  if (vbn < 0 || amount <= 0) return STATUS_INVALID_PARAMETER;
  const ULONG index = Find(mcb, vbn);
  if (index >= mcb->PairCount) return STATUS_SUCCESS;  // nothing lies behind
  LONGLONG new_end;
  if (__builtin_add_overflow(EndOf(mcb), amount, &new_end)) return STATUS_INVALID_PARAMETER;
  const LONGLONG start = StartOf(mcb, index);
  const bool behind_hole = vbn == start && index > 0 && Runs(mcb)[index - 1].lbn == kHole;
  ULONG first_moved = index;  // runs from here on move by `amount`
  if (Runs(mcb)[index].lbn != kHole && !behind_hole) {
    NT_TRY(Reserve(mcb, mcb->PairCount + 2));
    Pieces pieces;
    pieces.start = start;
    pieces.Add(vbn, Runs(mcb)[index].lbn);
    pieces.Add(vbn + amount, kHole);
    const Run tail{Runs(mcb)[index].next_vbn, LbnAt(mcb, index, vbn)};
    pieces.list[pieces.count++] = tail;
    first_moved = index + pieces.count - 1;
    Replace(mcb, index, index + 1, pieces.list, pieces.count);
  } else if (behind_hole) {
    Runs(mcb)[index - 1].next_vbn += amount;
  }
  for (ULONG i = first_moved; i < mcb->PairCount; i++) Runs(mcb)[i].next_vbn += amount;
  return STATUS_SUCCESS;
}

}  // namespace nt::fsrtl
