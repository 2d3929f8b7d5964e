// The state of src/disk in one machine.
#pragma once

#include <memory>
#include <vector>

#include "src/base/lock.h"
#include "src/disk/device.h"

namespace nt::disk {

inline constexpr ULONG kPoolTag = 0x6b736944;  // "Disk"

struct State {
  PDRIVER_OBJECT driver = nullptr;
  Lock lock{LockRank::kMachine};
  std::vector<std::unique_ptr<Disk>> disks NT_GUARDED_BY(lock);
  ULONG next_disk NT_GUARDED_BY(lock) = 0;    // never reused, as a file object may still hold an old device
  ULONG next_volume NT_GUARDED_BY(lock) = 1;
  ULONG next_cdrom NT_GUARDED_BY(lock) = 0;
};
extern State* g_state;

}  // namespace nt::disk
