// Requestor memory, as the runtime reaches it: copies and probes that turn a fault into a Windows exception
// (nt::SehException), at the cost of memcpy. No system call is made. A fault on a user view is paged in and retried
// (PageFaultHooks) before it counts as one.
//
// Only these may touch memory that a driver or a requestor gave by pointer and that is not known to be locked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/status.h"

namespace nt::ldr {

/// Copies bytes; neither range needs to be readable or writable.
/// @raises  STATUS_ACCESS_VIOLATION, STATUS_IN_PAGE_ERROR
void CopyFromUser(void* to, const void* user_from, size_t bytes);
void CopyToUser(void* user_to, const void* from, size_t bytes);
/// Both sides may fault.
void CopyUser(void* to, const void* from, size_t bytes);
void ZeroUser(void* to, size_t bytes);

/// The same without raising.
[[nodiscard]] Status TryCopy(void* to, const void* from, size_t bytes);

template <class T>
T ReadUser(const T* from) {
  T value;
  CopyFromUser(&value, from, sizeof value);
  return value;
}
template <class T>
void WriteUser(T* to, const T& value) {
  CopyToUser(to, &value, sizeof value);
}

/// ProbeForRead: range below the probe address and aligned. Reads nothing, as on NT.
/// @raises  STATUS_DATATYPE_MISALIGNMENT, STATUS_ACCESS_VIOLATION
void ProbeForRead(const volatile void* address, size_t bytes, uint32_t alignment);
/// ProbeForWrite: also touches every page for writing.
void ProbeForWrite(volatile void* address, size_t bytes, uint32_t alignment);
/// Tells the probes where requestor memory is always there and writable, so that they need not touch it. An empty range: nowhere.
void SetSteadyUserRange(uintptr_t start, uintptr_t end);
/// Touches every page of a range, whatever side it is on: a user view is paged in before a system call uses it.
void TouchForRead(const void* address, size_t bytes);
void TouchForWrite(void* address, size_t bytes);

}  // namespace nt::ldr
