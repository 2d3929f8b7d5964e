// Lock: the runtime's own mutex, with a rank. Locks are taken in ascending rank; a debug build checks it per thread.
//
// These locks guard runtime state only. No driver code runs while one is held, and none is held across a wait of the
// dispatcher (ke::WaitForSingleObject). clang's thread-safety analysis checks NT_GUARDED_BY.
#pragma once

#include <atomic>
#include <cstdint>

#define NT_CAPABILITY(x) NT_ANNOTATION(capability(x))
#define NT_SCOPED_CAPABILITY NT_ANNOTATION(scoped_lockable)
#define NT_GUARDED_BY(x) NT_ANNOTATION(guarded_by(x))
#define NT_PT_GUARDED_BY(x) NT_ANNOTATION(pt_guarded_by(x))
#define NT_REQUIRES(...) NT_ANNOTATION(requires_capability(__VA_ARGS__))
#define NT_ACQUIRE(...) NT_ANNOTATION(acquire_capability(__VA_ARGS__))
#define NT_RELEASE(...) NT_ANNOTATION(release_capability(__VA_ARGS__))
#define NT_TRY_ACQUIRE(...) NT_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define NT_EXCLUDES(...) NT_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NT_NO_THREAD_SAFETY_ANALYSIS NT_ANNOTATION(no_thread_safety_analysis)
#if defined(__clang__)
#define NT_ANNOTATION(x) __attribute__((x))
#else
#define NT_ANNOTATION(x)
#endif

namespace nt {

/// Ascending order of acquisition. A lock may be taken only while all held locks have a smaller rank. Leave gaps.
enum class LockRank : uint16_t {
  kMachine = 100,
  kRegistry = 200,
  kNamespace = 300,       // ob directories
  kHandleTable = 320,
  kObject = 340,
  kProcess = 360,
  kSecurity = 380,
  kIoDatabase = 400,      // drivers, devices, attachments, registered file systems
  kVpb = 420,
  kCancel = 430,          // the I/O system's cancel spin lock
  kIrpList = 440,         // a thread's list of IRPs
  kDeviceQueue = 450,
  kFileLock = 500,        // fsrtl
  kOplock = 520,
  kNotify = 540,
  kTunnel = 560,
  kMcb = 580,
  kCacheMap = 600,        // cc: a shared cache map
  kCacheGlobal = 620,     // cc: dirty lists, lazy writer
  kSection = 640,         // mm: the database of segments
  kSegment = 650,         // mm: one segment's pages
  kPhysicalMemory = 660,  // mm: slots and frames
  kLoader = 680,
  kWorkQueue = 700,
  kTimer = 720,
  kDispatcher = 740,      // ke: dispatcher objects, waits, queues of APCs and DPCs
  kPool = 800,
  kHost = 900,            // host block files, rings
  kLog = 950,             // leaf
};

class NT_CAPABILITY("mutex") Lock {
 public:
  explicit constexpr Lock(LockRank rank) : rank_(rank) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void Acquire() NT_ACQUIRE() {
    NoteAcquire();
    uint32_t expected = kFree;
    if (!state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed))
        [[unlikely]]
      AcquireSlow();
  }
  bool TryAcquire() NT_TRY_ACQUIRE(true) {
    uint32_t expected = kFree;
    if (!state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed))
      return false;
    NoteAcquire();
    return true;
  }
  void Release() NT_RELEASE() {
    NoteRelease();
    if (state_.exchange(kFree, std::memory_order_release) == kContended) [[unlikely]]
      WakeOne();
  }
  LockRank rank() const { return rank_; }
  /// After a bug check a thread leaves the machine without releasing: the locks stay held, the thread's list starts anew.
  static void ForgetHeldByThisThread();

 private:
  static constexpr uint32_t kFree = 0, kHeld = 1, kContended = 2;

  void AcquireSlow();
  void WakeOne();
#ifdef NDEBUG
  void NoteAcquire() {}
  void NoteRelease() {}
#else
  void NoteAcquire();
  void NoteRelease();
#endif

  std::atomic<uint32_t> state_{kFree};
  const LockRank rank_;
};

class NT_SCOPED_CAPABILITY LockGuard {
 public:
  explicit LockGuard(Lock& lock) NT_ACQUIRE(lock) : lock_(lock) { lock_.Acquire(); }
  ~LockGuard() NT_RELEASE() { lock_.Release(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  Lock& lock_;
};

}  // namespace nt
