// Counters of requests. One machine's worth; off, they cost a branch.
#include <utility>

#include "src/io/internal.h"
#include "src/io/observe.h"

namespace nt::io {
namespace {

Statistics g_statistics;
constinit thread_local bool t_fast = false;
constinit thread_local bool t_check_refused = false;  // by FastIoCheckIfPossible, in the fast I/O call that the thread is in

constexpr const char* kFastIoNames[] = {
    "SizeOfFastIoDispatch", "FastIoCheckIfPossible", "FastIoRead", "FastIoWrite", "FastIoQueryBasicInfo",
    "FastIoQueryStandardInfo", "FastIoLock", "FastIoUnlockSingle", "FastIoUnlockAll", "FastIoUnlockAllByKey",
    "FastIoDeviceControl", "AcquireFileForNtCreateSection", "ReleaseFileForNtCreateSection", "FastIoDetachDevice",
    "FastIoQueryNetworkOpenInfo", "AcquireForModWrite", "MdlRead", "MdlReadComplete", "PrepareMdlWrite",
    "MdlWriteComplete", "FastIoReadCompressed", "FastIoWriteCompressed", "MdlReadCompleteCompressed",
    "MdlWriteCompleteCompressed", "FastIoQueryOpen", "ReleaseForModWrite", "AcquireForCcFlush", "ReleaseForCcFlush"};
static_assert(std::size(kFastIoNames) == Statistics::kFastIoEntries);

constexpr const char* kMajorNames[] = {
    "IRP_MJ_CREATE", "IRP_MJ_CREATE_NAMED_PIPE", "IRP_MJ_CLOSE", "IRP_MJ_READ", "IRP_MJ_WRITE",
    "IRP_MJ_QUERY_INFORMATION", "IRP_MJ_SET_INFORMATION", "IRP_MJ_QUERY_EA", "IRP_MJ_SET_EA", "IRP_MJ_FLUSH_BUFFERS",
    "IRP_MJ_QUERY_VOLUME_INFORMATION", "IRP_MJ_SET_VOLUME_INFORMATION", "IRP_MJ_DIRECTORY_CONTROL",
    "IRP_MJ_FILE_SYSTEM_CONTROL", "IRP_MJ_DEVICE_CONTROL", "IRP_MJ_INTERNAL_DEVICE_CONTROL", "IRP_MJ_SHUTDOWN",
    "IRP_MJ_LOCK_CONTROL", "IRP_MJ_CLEANUP", "IRP_MJ_CREATE_MAILSLOT", "IRP_MJ_QUERY_SECURITY",
    "IRP_MJ_SET_SECURITY", "IRP_MJ_POWER", "IRP_MJ_SYSTEM_CONTROL", "IRP_MJ_DEVICE_CHANGE", "IRP_MJ_QUERY_QUOTA",
    "IRP_MJ_SET_QUOTA", "IRP_MJ_PNP"};
static_assert(std::size(kMajorNames) == IRP_MJ_MAXIMUM_FUNCTION + 1);

}  // namespace

Statistics& TheStatistics() { return g_statistics; }

void ResetStatistics() {
  for (auto& row : g_statistics.fast_io) row.called = row.returned_true = row.returned_false = row.disallowed = 0;
  for (auto& row : g_statistics.irp) row.sent = row.failed = 0;
  auto& paging = g_statistics.paging;
  paging.reads = paging.writes = paging.bytes_read = paging.bytes_written = 0;
  ResetDriverCounts();
}

void EnableStatistics(bool enable) {
  g_statistics_enabled.store(enable);
  if (!enable || !g_state) return;
  for (DRIVER_OBJECT* driver : Drivers()) ObserveDriver(driver);
}

const char* FastIoEntryName(size_t index) { return index < std::size(kFastIoNames) ? kFastIoNames[index] : "?"; }
const char* MajorFunctionName(UCHAR major) { return major < std::size(kMajorNames) ? kMajorNames[major] : "IRP_MJ_?"; }

void CountFastIo(size_t index, bool returned_true, const FILE_OBJECT* file) {
  auto& row = g_statistics.fast_io[index];
  row.called.fetch_add(1, std::memory_order_relaxed);
  (returned_true ? row.returned_true : row.returned_false).fetch_add(1, std::memory_order_relaxed);
  if (index == FastIoIndex<&FAST_IO_DISPATCH::FastIoCheckIfPossible>()) {
    t_check_refused = !returned_true;
    return;
  }
  const bool refused = std::exchange(t_check_refused, false);
  if (returned_true || !file || !file->PrivateCacheMap || !file->FsContext) return;
  const auto* header = static_cast<const FSRTL_COMMON_FCB_HEADER*>(file->FsContext);
  if (refused || header->IsFastIoPossible == FastIoIsNotPossible) row.disallowed.fetch_add(1, std::memory_order_relaxed);
}

void CountRequest(UCHAR major, NTSTATUS status) {
  if (!StatisticsEnabled()) return;
  auto& row = g_statistics.irp[major];
  row.sent.fetch_add(1, std::memory_order_relaxed);
  if (NT_ERROR(status)) row.failed.fetch_add(1, std::memory_order_relaxed);
}

void NoteFastIo(bool used) { t_fast = used; }
bool LastRequestWasFastIo() { return t_fast; }

}  // namespace nt::io
