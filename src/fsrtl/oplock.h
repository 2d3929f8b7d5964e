// The oplocks of one stream: what OPLOCK points to, from the first grant on.
//
// Holder: life 1. granted: its request IRP is pending. 2. breaking: the IRP was completed with the news, and an acknowledgement
// or a close is awaited (Level 2 and R skip this). 3. gone, or granted again at the lower level, with the acknowledgement's IRP.
// Waiter: an operation that a break holds up.
//
// Locks: Oplock::lock (rank kOplock). Under it only state changes; IRPs that end and routines to call are collected in an
// Outcome and carried out after it is released.
#pragma once

#include <atomic>
#include <list>
#include <vector>

#include "src/base/lock.h"
#include "src/base/ref_ptr.h"
#include "src/fsrtl/fsrtl.h"

namespace nt::fsrtl {

enum class OplockKind : uint8_t { kNone, kLevel2, kLevel1, kBatch, kFilter, kR, kRH, kRW, kRWH };

inline bool IsLegacy(OplockKind kind) { return kind >= OplockKind::kLevel2 && kind <= OplockKind::kFilter; }
inline bool IsExclusive(OplockKind kind) {
  return kind == OplockKind::kLevel1 || kind == OplockKind::kBatch || kind == OplockKind::kFilter ||
         kind == OplockKind::kRW || kind == OplockKind::kRWH;
}
inline bool CachesHandle(OplockKind kind) { return kind == OplockKind::kRH || kind == OplockKind::kRWH; }
/// OPLOCK_LEVEL_CACHE_* of a kind that FSCTL_REQUEST_OPLOCK grants.
ULONG CacheFlags(OplockKind kind);
/// kNone for 0. @returns false for a combination that is no level (W, H, HW)
bool KindOfCacheFlags(ULONG flags, OplockKind* kind);

/// What an operation means to other openers' oplocks: the rows of the break table.
enum class OplockOperation : uint8_t {
  kNothing,
  kOpen,
  kOpenWriterNotSharingRead,  // breaks a filter oplock
  kOpenOverwrite,
  kOpenOverwriteNotSharingRead,
  kOpenReserve,               // FILE_RESERVE_OPFILTER
  kSharingViolation,
  kRead,
  kWrite,                     // and changes of the sizes
  kLock,
  kRename,
  kDelete,
  kWritableSection,
  kChildChange,               // in a directory
  kBreakToNone,
};

struct OplockBreak {
  bool breaks = false;
  OplockKind to = OplockKind::kNone;
  bool acknowledged = false;  // the holder has to answer
  bool waits = false;         // the operation waits for it
};
/// The break table.
OplockBreak BreakOf(OplockOperation operation, OplockKind held, bool same_key);

enum class OplockKeyUse : uint8_t { kTarget, kParent, kIgnore };

/// What the breaking open wanted, for REQUEST_OPLOCK_OUTPUT_BUFFER.
struct OplockModes {
  bool provided = false;
  ACCESS_MASK access = 0;
  USHORT share = 0;
};

/// What is to be done once the lock is released.
struct OplockOutcome {
  struct Completion {
    PIRP irp;
    NTSTATUS status;
    ULONG_PTR information;
  };
  struct Resumption {
    PIRP irp;
    POPLOCK_WAIT_COMPLETE_ROUTINE routine;  // null: complete the IRP
    void* context;
    NTSTATUS status;
  };
  std::vector<Completion> completions;
  std::vector<Resumption> resumptions;
  std::vector<PKEVENT> events;
  void CarryOut();
};

struct OplockHolder {
  PIRP irp;             // pending; null while breaking, unless the answer comes at close
  PFILE_OBJECT file;
  OplockKind kind;
  bool breaking;
  OplockKind told;      // what the holder was told to go down to
  OplockKind allowed;   // what it may keep: `told`, or less when another operation came since
  HANDLE process_id;
};

struct Oplock;

struct OplockWaiter {
  RefPtr<Oplock> oplock;
  PIRP irp;
  PFILE_OBJECT file;
  OplockKeyUse use;
  bool for_handles;     // waits for handle caching (or a batch oplock) to end, else for exclusive ownership
  POPLOCK_WAIT_COMPLETE_ROUTINE routine;
  void* context;
  PKEVENT event;        // of a thread that waits in place
  NTSTATUS* event_status;
  std::list<OplockWaiter*>::iterator position;
};

struct Oplock : RefCounted<Oplock> {
  using Holder = std::list<OplockHolder>::iterator;

  Lock lock{LockRank::kOplock};
  std::list<OplockHolder> holders NT_GUARDED_BY(lock);
  std::list<OplockWaiter*> waiters NT_GUARDED_BY(lock);
  PFILE_OBJECT reserved NT_GUARDED_BY(lock) = nullptr;  // opened with an oplock to be asked for
  std::atomic<uint32_t> granted{0};                      // holders.size(), for tests without the lock

  void NoteLocked() NT_REQUIRES(lock) { granted.store(static_cast<uint32_t>(holders.size()), std::memory_order_release); }
  Holder EraseLocked(Holder holder) NT_REQUIRES(lock);
  /// Ends a holder's pending IRP with the news that it has `to` now. @returns false: being cancelled, its routine ends it
  bool TellLocked(OplockHolder* holder, OplockKind to, bool acknowledge, NTSTATUS status, const OplockModes& modes,
                  OplockOutcome* outcome) NT_REQUIRES(lock);
  /// Tells a holder to go down. @returns whether it stays in the list, breaking
  bool BreakLocked(Holder holder, const OplockBreak& how, const OplockModes& modes, OplockOutcome* outcome)
      NT_REQUIRES(lock);
  /// Makes `irp` the pending IRP of the holder. @returns false: it was cancelled; the holder is gone
  bool PendLocked(Holder holder, PIRP irp, OplockOutcome* outcome) NT_REQUIRES(lock);
  /// Whether a break holds up an operation of `file`.
  bool IsHeldUpLocked(PFILE_OBJECT file, bool for_handles, OplockKeyUse use) NT_REQUIRES(lock);
  /// Lets go on what no break holds up any more.
  void WakeWaitersLocked(OplockOutcome* outcome) NT_REQUIRES(lock);
  /// @returns false: its IRP was cancelled already, and it was not queued
  bool QueueWaiterLocked(OplockWaiter* waiter) NT_REQUIRES(lock);
};

bool SameOplockKey(PFILE_OBJECT a, PFILE_OBJECT b, OplockKeyUse use);
/// Takes the key from a create request's ECPs to its file object.
void AttachOplockKey(PIRP irp, PFILE_OBJECT file);

RefPtr<Oplock> LoadOplock(POPLOCK oplock);
RefPtr<Oplock> MakeOplock(POPLOCK oplock);

}  // namespace nt::fsrtl
