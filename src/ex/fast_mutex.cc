// FAST_MUTEX (and KGUARDED_MUTEX, which is the same structure): a mutex that does not recurse. Count is 1 when free; each
// waiter takes one away. The state is the structure's own, as drivers see it in a debugger.
#include <atomic>

#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ke/thread.h"

namespace nt::ex {
namespace {

std::atomic_ref<LONG> Count(PFAST_MUTEX mutex) { return std::atomic_ref<LONG>(*const_cast<LONG*>(&mutex->Count)); }

}  // namespace

void InitializeFastMutex(PFAST_MUTEX mutex) {
  mutex->Count = 1;
  mutex->Owner = nullptr;
  mutex->Contention = 0;
  ke::InitializeEvent(&mutex->Event, SynchronizationEvent, false);
}

void AcquireFastMutexUnsafe(PFAST_MUTEX mutex) {
  if (Count(mutex).fetch_sub(1, std::memory_order_acquire) != 1) {
    mutex->Contention++;
    ke::WaitForSingleObject(&mutex->Event, WrFastMutex, KernelMode, false, nullptr).Ignore();  // not alertable
  }
  mutex->Owner = ke::CurrentThread();
}

void ReleaseFastMutexUnsafe(PFAST_MUTEX mutex) {
  mutex->Owner = nullptr;
  if (Count(mutex).fetch_add(1, std::memory_order_release) < 0) ke::SetEvent(&mutex->Event, 0, false);
}

void AcquireFastMutex(PFAST_MUTEX mutex) {
  const KIRQL old = ke::RaiseIrql(APC_LEVEL);
  AcquireFastMutexUnsafe(mutex);
  mutex->OldIrql = old;
}

void ReleaseFastMutex(PFAST_MUTEX mutex) {
  const auto old = static_cast<KIRQL>(mutex->OldIrql);
  ReleaseFastMutexUnsafe(mutex);
  ke::LowerIrql(old);
}

bool TryToAcquireFastMutex(PFAST_MUTEX mutex) {
  const KIRQL old = ke::RaiseIrql(APC_LEVEL);
  LONG free = 1;
  if (!Count(mutex).compare_exchange_strong(free, 0, std::memory_order_acquire)) {
    ke::LowerIrql(old);
    return false;
  }
  mutex->Owner = ke::CurrentThread();
  mutex->OldIrql = old;
  return true;
}

}  // namespace nt::ex
