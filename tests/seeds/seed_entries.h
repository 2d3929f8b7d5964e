// The 27 entries of the seed file system, and what they share with its IRPs.
#pragma once

#include "tests/seeds/seed_volume.h"

namespace nt::seeds {

inline constexpr ULONG_PTR kControlInformation = 0;
inline constexpr ULONG kControlCode = CTL_CODE(FILE_DEVICE_DISK_FILE_SYSTEM, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS);

/// The volume of the running test.
SeedVolume* TheVolume();
void RecordEntry(SeedVolume* volume, size_t entry, DEVICE_OBJECT* device, bool wait);
void FillSeedTable(FAST_IO_DISPATCH* table);

void FillBasic(FILE_BASIC_INFORMATION* information);
void FillStandard(FILE_STANDARD_INFORMATION* information);
void FillNetwork(FILE_NETWORK_OPEN_INFORMATION* information);

/// IRP_MN_COMPRESSED. The "compression" of the seed file system keeps every chunk as it is.
NTSTATUS CompressedByIrp(SeedVolume* volume, IRP* irp, IO_STACK_LOCATION* location);

}  // namespace nt::seeds
