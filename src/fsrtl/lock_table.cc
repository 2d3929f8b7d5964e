#include "src/fsrtl/lock_table.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/io/io.h"
#include "src/ldr/call.h"

namespace nt::fsrtl {

FILE_LOCK_INFO ByteLock::Info() const {
  FILE_LOCK_INFO info{};
  info.StartingByte.QuadPart = static_cast<LONGLONG>(range.start);
  info.Length.QuadPart = static_cast<LONGLONG>(range.last - range.start + 1);
  info.ExclusiveLock = exclusive;
  info.Key = owner.key;
  info.FileObject = owner.file;
  info.ProcessId = owner.process;
  info.EndingByte.QuadPart = static_cast<LONGLONG>(range.last);
  return info;
}

template <class F>
bool LockTable::AnySharedLocked(const LockRange& range, F&& test) {
  // No shared lock that starts below this reaches the range.
  const uint64_t from = range.start > longest_shared_ ? range.start - longest_shared_ : 0;
  for (auto it = shared_.lower_bound(from); it != shared_.end() && it->first <= range.last; ++it)
    if (it->second->lock.range.Overlaps(range) && test(it->second->lock)) return true;
  for (const Entry* entry : empty_)
    if (!entry->lock.exclusive && entry->lock.range.Overlaps(range) && test(entry->lock)) return true;
  return false;
}

template <class F>
bool LockTable::AnyExclusiveLocked(const LockRange& range, F&& test) {
  auto it = exclusive_.upper_bound(range.start);
  if (it != exclusive_.begin()) --it;
  for (; it != exclusive_.end() && it->first <= range.last; ++it)
    if (it->second->lock.range.Overlaps(range) && test(it->second->lock)) return true;
  for (const Entry* entry : empty_)
    if (entry->lock.exclusive && entry->lock.range.Overlaps(range) && test(entry->lock)) return true;
  return false;
}

bool LockTable::ConflictsLocked(const ByteLock& lock) {
  const auto any = [](const ByteLock&) { return true; };
  const auto of_another = [&](const ByteLock& held) { return held.owner != lock.owner; };
  if (lock.range.start == 0 && lock.range.empty()) return false;
  if (lock.exclusive) return AnyExclusiveLocked(lock.range, any) || AnySharedLocked(lock.range, any);
  return AnyExclusiveLocked(lock.range, of_another);
}

uint64_t LockTable::InsertLocked(const ByteLock& lock) {
  const uint64_t id = next_id_++;
  Entry* const entry = &entries_.emplace(id, Entry{id, lock}).first->second;
  if (lock.range.empty()) {
    empty_.push_back(entry);
  } else if (lock.exclusive) {
    CHECK(exclusive_.emplace(lock.range.start, entry).second);
  } else {
    shared_.emplace(lock.range.start, entry);
    longest_shared_ = std::max(longest_shared_, lock.range.last - lock.range.start);
  }
  count_.store(entries_.size(), std::memory_order_release);
  return id;
}

void LockTable::EraseLocked(uint64_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry* const entry = &found->second;
  if (entry->lock.range.empty()) {
    empty_.remove(entry);
  } else if (entry->lock.exclusive) {
    exclusive_.erase(entry->lock.range.start);
  } else {
    auto [it, end] = shared_.equal_range(entry->lock.range.start);
    while (it != end && it->second != entry) ++it;
    CHECK(it != end);
    shared_.erase(it);
    if (shared_.empty()) longest_shared_ = 0;
  }
  entries_.erase(found);
  count_.store(entries_.size(), std::memory_order_release);
}

LockTable::Answer LockTable::Add(const ByteLock& lock, PIRP irp, void* context, uint64_t* id) {
  LockGuard guard(lock_);
  if (!ConflictsLocked(lock)) {
    *id = InsertLocked(lock);
    return Answer::kGranted;
  }
  if (!irp) return Answer::kConflict;
  auto* const waiter = new Waiter{RefPtr<LockTable>::Share(this), lock, irp, context, {}};
  waiter->position = waiters_.insert(waiters_.end(), waiter);
  irp->IoStatus.Status = STATUS_PENDING;
  irp->IoStatus.Information = reinterpret_cast<ULONG_PTR>(waiter);
  IoMarkIrpPending(irp);
  IoSetCancelRoutine(irp, &LockTable::Cancel);
  if (__atomic_load_n(&irp->Cancel, __ATOMIC_SEQ_CST) && IoSetCancelRoutine(irp, nullptr)) {
    waiters_.erase(waiter->position);  // cancelled before it was queued; nobody else saw the routine
    waiter->table.release()->ReleaseRef();  // not the last: the caller has one
    delete waiter;
    return Answer::kCancelled;
  }
  return Answer::kPending;
}

bool LockTable::TakeWaiterLocked(Waiter* waiter, NTSTATUS status, uint64_t id, std::vector<Finished>* finished) {
  if (!IoSetCancelRoutine(waiter->irp, nullptr)) return false;
  waiters_.erase(waiter->position);
  finished->push_back({waiter->irp, waiter->context, status, id});
  waiter->table.release()->ReleaseRef();  // not the last: the caller has one
  delete waiter;
  return true;
}

void LockTable::GrantWaitersLocked(std::vector<Finished>* finished) {
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    Waiter* const waiter = *it++;
    if (ConflictsLocked(waiter->lock)) continue;
    const ByteLock lock = waiter->lock;
    if (!TakeWaiterLocked(waiter, STATUS_SUCCESS, 0, finished)) continue;
    finished->back().id = InsertLocked(lock);
  }
}

Status LockTable::Complete(PIRP irp, void* context, NTSTATUS status) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = 0;
  if (complete_) return CallDriver(complete_, context, irp);
  io::CompleteRequest(irp, IO_DISK_INCREMENT);
  return status;
}

void LockTable::Finish(std::vector<Finished> finished) {
  while (!finished.empty()) {
    std::vector<Finished> more;
    for (const Finished& done : finished) {
      const Status status = Complete(done.irp, done.context, done.status);
      if (done.id == 0 || status.ok()) continue;
      LockGuard guard(lock_);  // the file system refuses the lock after all
      EraseLocked(done.id);
      GrantWaitersLocked(&more);
    }
    finished = std::move(more);
  }
}

void LockTable::Withdraw(uint64_t id) {
  std::vector<Finished> finished;
  {
    LockGuard guard(lock_);
    EraseLocked(id);
    GrantWaitersLocked(&finished);
  }
  Finish(std::move(finished));
}

Status LockTable::RemoveOne(const LockRange& range, const LockOwner& owner, void* context) {
  std::vector<Finished> finished;
  FILE_LOCK_INFO info{};
  {
    LockGuard guard(lock_);
    // Of both kinds on one range the exclusive one goes first.
    uint64_t id = 0;
    if (range.empty()) {
      for (const bool exclusive : {true, false})
        for (const Entry* entry : empty_)
          if (!id && entry->lock == ByteLock{range, owner, exclusive}) id = entry->id;
    } else {
      const auto it = exclusive_.find(range.start);
      if (it != exclusive_.end() && it->second->lock.range == range && it->second->lock.owner == owner)
        id = it->second->id;
      auto [first, last] = shared_.equal_range(range.start);
      for (; !id && first != last; ++first)
        if (first->second->lock.range == range && first->second->lock.owner == owner) id = first->second->id;
    }
    if (!id) return STATUS_RANGE_NOT_LOCKED;
    info = entries_.at(id).lock.Info();
    EraseLocked(id);
    GrantWaitersLocked(&finished);
  }
  if (unlock_) CallDriver(unlock_, context, &info);
  Finish(std::move(finished));
  return STATUS_SUCCESS;
}

Status LockTable::RemoveAll(PFILE_OBJECT file, void* process, const ULONG* key, void* context) {
  const auto matches = [&](const LockOwner& owner) {
    return owner.file == file && owner.process == process && (!key || owner.key == *key);
  };
  std::vector<Finished> finished;
  std::vector<FILE_LOCK_INFO> removed;
  {
    LockGuard guard(lock_);
    for (auto it = entries_.begin(); it != entries_.end();) {
      const Entry entry = it->second;
      ++it;
      if (!matches(entry.lock.owner)) continue;
      removed.push_back(entry.lock.Info());
      EraseLocked(entry.id);
    }
    for (auto it = waiters_.begin(); it != waiters_.end();) {
      Waiter* const waiter = *it++;
      if (matches(waiter->lock.owner)) TakeWaiterLocked(waiter, STATUS_RANGE_NOT_LOCKED, 0, &finished);
    }
    GrantWaitersLocked(&finished);
  }
  if (unlock_)
    for (FILE_LOCK_INFO& info : removed) CallDriver(unlock_, context, &info);
  Finish(std::move(finished));
  return removed.empty() ? STATUS_RANGE_NOT_LOCKED : STATUS_SUCCESS;
}

void LockTable::Close() {
  std::vector<Finished> finished;
  {
    LockGuard guard(lock_);
    for (auto it = waiters_.begin(); it != waiters_.end();) TakeWaiterLocked(*it++, STATUS_RANGE_NOT_LOCKED, 0, &finished);
  }
  Finish(std::move(finished));
}

void NTIO_MS_ABI LockTable::Cancel(PDEVICE_OBJECT, PIRP irp) {
  io::ReleaseCancelSpinLock(irp->CancelIrql);
  auto* const waiter = reinterpret_cast<Waiter*>(irp->IoStatus.Information);
  const RefPtr<LockTable> table = waiter->table;
  void* const context = waiter->context;
  {
    LockGuard guard(table->lock_);
    table->waiters_.erase(waiter->position);
  }
  delete waiter;
  table->Complete(irp, context, STATUS_CANCELLED).Ignore();  // there is no lock to take back
}

bool LockTable::MayRead(const LockRange& range, const LockOwner& owner) {
  if (Empty()) return true;
  LockGuard guard(lock_);
  return !AnyExclusiveLocked(range, [&](const ByteLock& held) { return held.owner != owner; });
}

bool LockTable::MayWrite(const LockRange& range, const LockOwner& owner) {
  if (Empty()) return true;
  LockGuard guard(lock_);
  return !AnySharedLocked(range, [](const ByteLock&) { return true; }) &&
         !AnyExclusiveLocked(range, [&](const ByteLock& held) { return held.owner != owner; });
}

bool LockTable::AnyBelow(uint64_t end) {
  LockGuard guard(lock_);
  for (const auto& [id, entry] : entries_)
    if (entry.lock.range.start < end) return true;
  return false;
}

bool LockTable::AnyWaiting() {
  LockGuard guard(lock_);
  return !waiters_.empty();
}

uint64_t LockTable::Next(uint64_t id, FILE_LOCK_INFO* info) {
  LockGuard guard(lock_);
  const auto it = entries_.upper_bound(id);
  if (it == entries_.end()) return 0;
  *info = it->second.lock.Info();
  return it->first;
}

}  // namespace nt::fsrtl
