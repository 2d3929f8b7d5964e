// The byte-range locks of one file: what FILE_LOCK::LockInformation points to, from the first lock on.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "src/base/lock.h"
#include "src/base/ref_ptr.h"
#include "src/fsrtl/fsrtl.h"

namespace nt::fsrtl {

struct LockOwner {
  PFILE_OBJECT file;
  void* process;
  ULONG key;
  bool operator==(const LockOwner&) const = default;
};

/// Bytes [start, last]. Empty when last + 1 == start: it then lies between two bytes.
struct LockRange {
  uint64_t start, last;

  static LockRange Of(LONGLONG offset, LONGLONG length) {
    const auto begin = static_cast<uint64_t>(offset);
    return {begin, begin + static_cast<uint64_t>(length) - 1};
  }
  /// True for {0, 0} too, which touches nothing.
  bool empty() const { return last + 1 == start; }
  bool Overlaps(const LockRange& other) const {
    if ((start == 0 && empty()) || (other.start == 0 && other.empty())) return false;
    return start <= other.last && other.start <= last;
  }
  bool operator==(const LockRange&) const = default;
};

struct ByteLock {
  LockRange range;
  LockOwner owner;
  bool exclusive;

  bool operator==(const ByteLock&) const = default;
  FILE_LOCK_INFO Info() const;
};

/// Lock order: lock_ (rank kFileLock) is a leaf but for pool. No IRP is completed and no driver called under it.
class LockTable : public RefCounted<LockTable> {
 public:
  LockTable(PCOMPLETE_LOCK_IRP_ROUTINE complete, PUNLOCK_ROUTINE unlock) : complete_(complete), unlock_(unlock) {}

  /// kPending: the IRP is queued and marked pending. kCancelled: marked pending, for the caller to complete.
  enum class Answer { kGranted, kConflict, kPending, kCancelled };
  /// With an IRP, a conflict queues it. @param id  of the lock that was granted
  Answer Add(const ByteLock& lock, PIRP irp, void* context, uint64_t* id);
  /// @returns STATUS_RANGE_NOT_LOCKED
  Status RemoveOne(const LockRange& range, const LockOwner& owner, void* context);
  /// The locks and queued requests of a file object and process, and key if given.
  Status RemoveAll(PFILE_OBJECT file, void* process, const ULONG* key, void* context);
  /// A lock whose completion routine failed. No unlock routine.
  void Withdraw(uint64_t id);
  /// Ends all requests that wait. The FILE_LOCK goes.
  void Close();

  bool MayRead(const LockRange& range, const LockOwner& owner);
  bool MayWrite(const LockRange& range, const LockOwner& owner);
  bool AnyBelow(uint64_t end);
  bool Empty() const { return count_.load(std::memory_order_acquire) == 0; }
  bool AnyWaiting();
  /// The first lock with an id above `id`. @returns 0: none
  uint64_t Next(uint64_t id, FILE_LOCK_INFO* info);

  /// Completes a lock IRP: by the file system's routine if it has one. @returns the final status
  Status Complete(PIRP irp, void* context, NTSTATUS status);

 private:
  struct Entry {
    uint64_t id;
    ByteLock lock;
  };
  struct Waiter {
    RefPtr<LockTable> table;
    ByteLock lock;
    PIRP irp;
    void* context;
    std::list<Waiter*>::iterator position;
  };
  struct Finished {
    PIRP irp;
    void* context;
    NTSTATUS status;
    uint64_t id;
  };

  bool ConflictsLocked(const ByteLock& lock) NT_REQUIRES(lock_);
  template <class F>
  bool AnySharedLocked(const LockRange& range, F&& test) NT_REQUIRES(lock_);
  template <class F>
  bool AnyExclusiveLocked(const LockRange& range, F&& test) NT_REQUIRES(lock_);
  uint64_t InsertLocked(const ByteLock& lock) NT_REQUIRES(lock_);
  void EraseLocked(uint64_t id) NT_REQUIRES(lock_);
  /// Grants what can be granted, in order of arrival.
  void GrantWaitersLocked(std::vector<Finished>* finished) NT_REQUIRES(lock_);
  /// @returns false: its cancel routine has begun, and completes it
  bool TakeWaiterLocked(Waiter* waiter, NTSTATUS status, uint64_t id, std::vector<Finished>* finished) NT_REQUIRES(lock_);
  void Finish(std::vector<Finished> finished);
  static void NTIO_MS_ABI Cancel(PDEVICE_OBJECT device, PIRP irp);

  const PCOMPLETE_LOCK_IRP_ROUTINE complete_;
  const PUNLOCK_ROUTINE unlock_;
  Lock lock_{LockRank::kFileLock};
  std::atomic<size_t> count_{0};
  uint64_t next_id_ NT_GUARDED_BY(lock_) = 1;
  std::map<uint64_t, Entry> entries_ NT_GUARDED_BY(lock_);                 // by id
  std::map<uint64_t, Entry*> exclusive_ NT_GUARDED_BY(lock_);              // by start; disjoint, not empty
  std::multimap<uint64_t, Entry*> shared_ NT_GUARDED_BY(lock_);            // by start; not empty
  uint64_t longest_shared_ NT_GUARDED_BY(lock_) = 0;                       // last - start, never shrinks while one is left
  std::list<Entry*> empty_ NT_GUARDED_BY(lock_);                           // locks of no bytes
  std::list<Waiter*> waiters_ NT_GUARDED_BY(lock_);
};

}  // namespace nt::fsrtl
