#include "src/ldr/user_access.h"

#include <atomic>

#include "src/ldr/export.h"
#include "src/ldr/fault.h"
#include "src/ldr/trampolines.h"
#include "src/mm/layout.h"

namespace nt::ldr {
namespace {

std::atomic<uintptr_t> g_steady_start{0}, g_steady_end{0};

[[noreturn, gnu::noinline]] void RaiseUserFault(const ntio_user_fault& fault) {
  EXCEPTION_RECORD record = {};
  record.ExceptionCode = UserFaultStatus(fault.kind);
  record.NumberParameters = 2;
  record.ExceptionInformation[0] = fault.kind & kUserFaultWrite ? 1 : 0;
  record.ExceptionInformation[1] = fault.address;
  RaiseRecord(record);
}

inline void Check(const ntio_user_fault& fault) {
  if (fault.kind) [[unlikely]]
    RaiseUserFault(fault);
}

}  // namespace

void CopyFromUser(void* to, const void* user_from, size_t bytes) { Check(ntio_user_copy(to, user_from, bytes)); }
void CopyToUser(void* user_to, const void* from, size_t bytes) { Check(ntio_user_copy(user_to, from, bytes)); }
void CopyUser(void* to, const void* from, size_t bytes) { Check(ntio_user_copy(to, from, bytes)); }
void ZeroUser(void* to, size_t bytes) { Check(ntio_user_fill(to, 0, bytes)); }

Status TryCopy(void* to, const void* from, size_t bytes) {
  const ntio_user_fault fault = ntio_user_copy(to, from, bytes);
  return fault.kind ? UserFaultStatus(fault.kind) : STATUS_SUCCESS;
}

void ProbeForRead(const volatile void* address, size_t bytes, uint32_t alignment) {
  if (bytes == 0) return;
  const auto start = reinterpret_cast<uint64_t>(address);
  if (start & (alignment - 1)) Raise(STATUS_DATATYPE_MISALIGNMENT);
  if (start + bytes < start || start + bytes > mm::kUserProbeAddress) Raise(STATUS_ACCESS_VIOLATION);
}

void SetSteadyUserRange(uintptr_t start, uintptr_t end) {
  g_steady_start.store(start, std::memory_order_relaxed);
  g_steady_end.store(end, std::memory_order_relaxed);
}

void ProbeForWrite(volatile void* address, size_t bytes, uint32_t alignment) {
  if (bytes == 0) return;
  ProbeForRead(address, bytes, alignment);
  const auto start = reinterpret_cast<uintptr_t>(address);
  if (start >= g_steady_start.load(std::memory_order_relaxed) &&
      start + bytes <= g_steady_end.load(std::memory_order_relaxed)) [[likely]]
    return;
  Check(ntio_user_touch_write(const_cast<void*>(address), bytes));
}

void TouchForRead(const void* address, size_t bytes) {
  if (bytes) Check(ntio_user_touch_read(address, bytes));
}
void TouchForWrite(void* address, size_t bytes) {
  if (bytes) Check(ntio_user_touch_write(address, bytes));
}

}  // namespace nt::ldr
