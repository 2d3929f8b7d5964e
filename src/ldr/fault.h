// Processor faults: what src/ldr does with each. Internal to the component.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/host/host.h"
#include "src/ldr/ldr.h"

namespace nt::ldr {

void InstallFaultHandling();

// ntio_user_fault.kind
inline constexpr uint64_t kUserFaultRead = 1, kUserFaultWrite = 2, kUserFaultBus = 4;
inline NTSTATUS UserFaultStatus(uint64_t kind) {
  return kind & kUserFaultBus ? STATUS_IN_PAGE_ERROR : STATUS_ACCESS_VIOLATION;
}

uint8_t ReadIrql();
void WriteIrql(uint8_t irql);

/// Asks the thread, at its own stack, to run `routine(argument)` and then to resume the faulted context.
void DeferToThread(void* ucontext, void (*routine)(void* ucontext, uint64_t first, uint64_t second), uint64_t first,
                   uint64_t second);

/// Emulates the instruction at the fault when it is one that kernel code may execute: cr8, KUSER_SHARED_DATA.
bool EmulateDriverInstruction(const host::FaultInfo& fault);

/// RtlCaptureStackBackTrace for the driver that called the export which calls this.
size_t CaptureDriverCallers(size_t skip, void** addresses, size_t capacity);

}  // namespace nt::ldr
