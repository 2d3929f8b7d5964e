// The host: everything the runtime takes from Linux. No other component calls the operating system, reads a clock, starts a
// thread or draws a random number; tests/tidy keeps it so. A simulated twin of this interface can then replace time and
// scheduling, and a seed replays a run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/host/barrier.h"
#include "src/host/schedule_point.h"

namespace host {

/// An errno value; 0 is success. Kept apart from NTSTATUS: src/disk and src/ldr translate.
using Error = int;

// --- waiting -----------------------------------------------------------------------------------------------------------

/// Absolute time on the monotonic clock, nanoseconds.
using Deadline = uint64_t;
inline constexpr Deadline kForever = ~0ull;

enum class WaitResult { kWoken, kTimedOut };

/// Sleeps while *address == expected, until woken or the deadline passes. May wake spuriously (kWoken).
WaitResult WaitOnAddress(std::atomic<uint32_t>* address, uint32_t expected, Deadline deadline);
void WakeAddress(std::atomic<uint32_t>* address, int count);

inline void SpinPause() { __builtin_ia32_pause(); }
/// Gives the processor to another thread.
void Yield();

// --- clocks ------------------------------------------------------------------------------------------------------------

uint64_t MonotonicNanoseconds();
/// Wall clock in 100 ns units since 1601-01-01 UTC (a LARGE_INTEGER system time).
uint64_t SystemTime100ns();
/// Minutes that local time lies behind UTC (positive west), as TIME_ZONE bias.
int LocalTimeBiasMinutes();

// --- threads -----------------------------------------------------------------------------------------------------------

/// A joined-on-destruction thread. Every host thread gets an alternate signal stack for the fault handler.
class Thread {
 public:
  Thread() = default;
  /// @param name  at most 15 characters, shown by debuggers
  /// @param stack_bytes  size of the Linux stack; the accounted kernel stack is smaller (src/ke)
  static std::unique_ptr<Thread> Start(const char* name, size_t stack_bytes, std::function<void()> body);
  virtual ~Thread() = default;
  virtual void Join() = 0;
  /// Lets the thread run on after this object is gone (a bug-checked machine leaks its threads).
  virtual void Detach() = 0;
};

uint64_t CurrentThreadId();
/// The bounds of the current Linux stack: [low, high).
void CurrentStackBounds(uintptr_t* low, uintptr_t* high);
/// Points the gs base of this thread at a processor control region. 10 ns where the processor has FSGSBASE.
void SetGsBase(const void* base);
/// Gives this thread an alternate signal stack, once; host::Thread does it itself, threads of an embedder need it.
void PrepareThreadForFaults();
unsigned ProcessorCount();

// --- random ------------------------------------------------------------------------------------------------------------

void RandomBytes(std::span<std::byte> out);

// --- memory ------------------------------------------------------------------------------------------------------------

inline constexpr size_t kPageBytes = 4096;
enum class Access { kNone, kRead, kReadWrite, kReadExecute };

/// Reserves address space at exactly `address` (or anywhere when 0). Returns nullptr when it is taken.
void* ReserveMemory(uintptr_t address, size_t bytes);
/// What this process may use at most: the machine's memory, or the limit of its control group when that is less.
uint64_t MemoryBytes();
/// Makes a reserved range usable, zero-filled.
Error CommitMemory(void* address, size_t bytes, Access access);
/// Gives the frames back; the range stays reserved and inaccessible.
void DecommitMemory(void* address, size_t bytes);
Error ProtectMemory(void* address, size_t bytes, Access access);
void ReleaseMemory(void* address, size_t bytes);

/// An anonymous sparse file of memory that can be mapped several times (memfd).
class MemoryFile {
 public:
  static std::unique_ptr<MemoryFile> Create(const char* name, uint64_t bytes);
  virtual ~MemoryFile() = default;
  /// Maps [offset, offset + bytes) at exactly `address` inside a reservation of ours (or anywhere when 0), shared.
  virtual void* Map(uintptr_t address, uint64_t offset, size_t bytes, Access access) = 0;
  /// Returns the frames of a range to the system; it reads as zero afterwards.
  virtual Error Punch(uint64_t offset, uint64_t bytes) = 0;
};
/// Removes a mapping made by MemoryFile::Map, leaving the range reserved and inaccessible.
void UnmapToReserved(void* address, size_t bytes);

// --- files -------------------------------------------------------------------------------------------------------------

/// Reads a whole regular file. On failure returns the errno and leaves *out empty.
Error ReadFile(const std::string& path, std::vector<std::byte>* out);

enum class BlockAccess { kReadOnly, kReadWrite };
enum class BlockEngine { kBest, kIoUring, kThreads };

/// A disk image or block device. Requests complete on a thread of the host, in any order.
class BlockFile {
 public:
  /// Called once per request, on a host thread: `error` 0 and `bytes` transferred, or errno.
  using Completion = void (*)(void* context, Error error, size_t bytes);

  /// Opens a regular file or a block device, and locks it as flock does: shared to read, exclusive to write.
  /// @returns 0; EBUSY when another open conflicts; ENOTBLK when it is neither file nor block device; with kIoUring the
  ///          errno of io_uring_setup where it is refused; or what open(2) says
  static Error Open(const std::string& path, BlockAccess access, BlockEngine engine, std::unique_ptr<BlockFile>* out);
  /// Waits for outstanding requests and the return of their completions, then closes. Not from a completion.
  virtual ~BlockFile() = default;
  virtual uint64_t SizeBytes() const = 0;
  /// The engine in use: kIoUring, or kThreads where io_uring is forbidden (why() then says what refused it).
  virtual BlockEngine engine() const = 0;
  virtual const std::string& why() const = 0;
  /// Between BeginBatch and EndBatch requests may be held back, to be handed over with one system call.
  virtual void BeginBatch() {}
  virtual void EndBatch() {}
  /// Fewer bytes than asked, with error 0, means that the file ends there.
  virtual void ReadAsync(uint64_t offset, void* buffer, size_t bytes, Completion completion, void* context) = 0;
  virtual void WriteAsync(uint64_t offset, const void* buffer, size_t bytes, Completion completion, void* context) = 0;
  /// Makes all completed writes durable.
  virtual void FlushAsync(Completion completion, void* context) = 0;
};

// --- faults ------------------------------------------------------------------------------------------------------------

/// What the processor was doing when it faulted. `machine` is the ucontext_t of the signal.
struct FaultInfo {
  int signal;           // SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP
  int code;             // si_code
  uintptr_t address;    // faulting address (CR2), valid when trap is a page fault
  unsigned trap;        // x86 trap number
  unsigned error_code;  // x86 page-fault error code
  void* machine;
};
/// Runs on the alternate signal stack. Returns true when the context was changed so that execution may resume.
using FaultHandler = bool (*)(const FaultInfo& fault);
/// Installs the process-wide handler; a fault it does not take goes to the handler that was there before.
void InstallFaultHandler(FaultHandler handler);

// --- output ------------------------------------------------------------------------------------------------------------

/// Writes a line to standard error, whole (driver debug output, bug-check reports).
void WriteError(const char* text, size_t bytes);

}  // namespace host
