// Cached read by fast I/O: the file system's FastIoRead entry, mostly. No system call, no allocation; the only lock is the
// file's resource, shared. Order of steps: FsRtlCopyRead in the specification of fast I/O.
#include <atomic>

#include "src/cc/cc.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/header_lock.h"
#include "src/ldr/export.h"

namespace nt::fsrtl {
namespace {

struct Counters {
  std::atomic<uint64_t> no_wait, wait, resource_miss, not_possible;
};
constinit Counters g_counters{};

bool Miss(FastReadEvent event) {
  CountFastRead(event);
  return false;
}

}  // namespace

bool CopyRead(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, bool wait, ULONG lock_key, void* buffer,
              PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device) {
  static_cast<void>(device);  // the question goes to the top of the stack
  if (length == 0) {
    io_status->Status = STATUS_SUCCESS;
    io_status->Information = 0;
    return true;
  }
  const LONGLONG start = offset->QuadPart;
  LONGLONG end;
  if (start < 0 || __builtin_add_overflow(start, static_cast<LONGLONG>(length), &end)) {
    io_status->Status = STATUS_INVALID_PARAMETER;
    io_status->Information = 0;
    return false;
  }
  auto* const header = HeaderOf(file);
  if (!header) return false;

  FileResourceScope scope;
  if (!scope.AcquireShared(header->Resource, wait)) return Miss(FastReadEvent::kResourceMiss);
  if (!file->PrivateCacheMap || header->IsFastIoPossible == FastIoIsNotPossible)
    return Miss(FastReadEvent::kNotPossible);
  if (header->IsFastIoPossible == FastIoIsQuestionable &&
      !IsFastIoAllowed(file, start, length, lock_key, Direction::kRead, io_status))
    return Miss(FastReadEvent::kNotPossible);

  const LONGLONG file_size = LoadSize(header->FileSize);
  if (start >= file_size) {
    io_status->Status = STATUS_END_OF_FILE;
    io_status->Information = 0;
    return true;
  }
  if (end > file_size) {
    length = static_cast<ULONG>(file_size - start);
    end = file_size;
  }

  bool copied = false;
  {
    FastIoMarker marker;
    try {
      if (wait && end <= MAXULONG) {
        cc::FastCopyRead(file, static_cast<ULONG>(start), length, ADDRESS_AND_SIZE_TO_SPAN_PAGES(start, length), buffer,
                         io_status);
        copied = true;
      } else {
        LARGE_INTEGER where;
        where.QuadPart = start;
        copied = cc::CopyRead(file, &where, length, wait, buffer, io_status);
      }
    } catch (const SehException& exception) {
      if (!IsNtstatusExpected(exception.code())) throw;
    }
  }
  SetFileObjectFlags(file, FO_FILE_FAST_IO_READ);
  if (copied) file->CurrentByteOffset.QuadPart = start + static_cast<LONGLONG>(io_status->Information);
  return copied;
}

void CountFastRead(FastReadEvent event) {
  auto& counter = event == FastReadEvent::kNoWait         ? g_counters.no_wait
                  : event == FastReadEvent::kWait         ? g_counters.wait
                  : event == FastReadEvent::kResourceMiss ? g_counters.resource_miss
                                                          : g_counters.not_possible;
  counter.fetch_add(1, std::memory_order_relaxed);
}

FastReadCounters CurrentFastReadCounters() {
  return {g_counters.no_wait.load(std::memory_order_relaxed), g_counters.wait.load(std::memory_order_relaxed),
          g_counters.resource_miss.load(std::memory_order_relaxed),
          g_counters.not_possible.load(std::memory_order_relaxed)};
}

}  // namespace nt::fsrtl
