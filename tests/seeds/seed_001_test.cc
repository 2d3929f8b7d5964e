// Seed 001, registering fast I/O dispatch routines: what the example does, done by drivers/filters/legacy_passthrough.
// docs/SEEDS.md is the table of the claims.
#include "src/ldr/ldr.h"
#include "src/io/observe.h"
#include "tests/seeds/seed_entries.h"

namespace nt::seeds {
namespace {

class Seed001 : public SeedTest {
 protected:
  static const void* EntryOf(const FAST_IO_DISPATCH* table, size_t n) {
    return reinterpret_cast<void* const*>(table)[n];
  }
  static Status Read(HANDLE handle) {
    char buffer[16];
    LARGE_INTEGER offset = At(0);
    IO_STATUS_BLOCK iosb;
    return io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, sizeof buffer, &offset, nullptr);
  }
};

// S001.01: DriverEntry is given its own driver object. S001.02 to S001.05: a table of its own is allocated,
// initialized, filled with its routines, and its address is in the FastIoDispatch member.
TEST_F(Seed001, S001_01_to_05_TheFiltersTableIsInItsDriverObject) {
  SeedVolume volume(2);
  ASSERT_EQ(volume.filters.size(), 2u);
  for (DRIVER_OBJECT* driver : volume.filters) {
    const ldr::Image* image = ldr::FindImage(reinterpret_cast<uint64_t>(driver->MajorFunction[IRP_MJ_CREATE]));
    ASSERT_NE(image,
              nullptr);  // S001.01: what DriverEntry stored through its argument is in this object, for this image
    EXPECT_EQ(reinterpret_cast<uint64_t>(driver->DriverStart), image->base);
    const FAST_IO_DISPATCH* table = driver->FastIoDispatch;
    ASSERT_NE(table, nullptr);                                              // S001.05
    EXPECT_EQ(ldr::FindImage(reinterpret_cast<uint64_t>(table)), nullptr);  // S001.02: from pool
    for (size_t n = 1; n < kEntries; n++)                                   // S001.03, S001.04
      if (EntryOf(table, n)) EXPECT_EQ(ldr::FindImage(reinterpret_cast<uint64_t>(EntryOf(table, n))), image) << n;
  }
  // Two instances of one image have two driver objects and two tables.
  EXPECT_NE(volume.filters[0]->FastIoDispatch, volume.filters[1]->FastIoDispatch);
}

// S001.07: the rest of the table is NULL. S001.08: its size is the structure's. S001.09 to S001.13: the 21 entries.
TEST_F(Seed001, S001_07_to_13_TheTableOfTheExample) {
  SeedVolume volume(1);
  ASSERT_EQ(volume.filters.size(), 1u);
  const FAST_IO_DISPATCH* table = volume.filters[0]->FastIoDispatch;
  EXPECT_EQ(table->SizeOfFastIoDispatch, sizeof(FAST_IO_DISPATCH));  // S001.08
  size_t filled = 0;
  for (size_t n = 1; n < kEntries; n++) {
    const bool acquire_or_release = n == 11 || n == 12 || n == 15 || n >= 25;
    // S001.09: 1-5, S001.10: 6-10, S001.11: 13 and 14, S001.12: 16-19, S001.13: 20-24; S001.07: the others
    EXPECT_EQ(EntryOf(table, n) == nullptr, acquire_or_release) << io::FastIoEntryName(n);
    filled += EntryOf(table, n) != nullptr;
  }
  EXPECT_EQ(filled, 21u);
}

// S001.06: before the member is stored no fast routine is called, afterwards it is; and it may be stored late.
BOOLEAN NTIO_MS_ABI LateRead(PFILE_OBJECT, PLARGE_INTEGER, ULONG, BOOLEAN, ULONG, PVOID, PIO_STATUS_BLOCK,
                             PDEVICE_OBJECT);
int g_late_calls = 0;
BOOLEAN NTIO_MS_ABI LateRead(PFILE_OBJECT, PLARGE_INTEGER, ULONG, BOOLEAN, ULONG, PVOID, PIO_STATUS_BLOCK,
                             PDEVICE_OBJECT) {
  g_late_calls++;
  return FALSE;
}

TEST_F(Seed001, S001_06_NothingIsCalledBeforeTheMemberIsStored) {
  for (const bool statistics : {false, true}) {
    SCOPED_TRACE(statistics);
    io::ResetStatistics();
    io::EnableStatistics(statistics);
    g_late_calls = 0;
    {
      SeedVolume volume;
      volume.Close(volume.Open());
      io::test::Driver late(u"\\FileSystem\\Late");
      DEVICE_OBJECT* const device = late.Device(nullptr, FILE_DEVICE_DISK_FILE_SYSTEM);
      DEVICE_OBJECT* below = nullptr;
      ASSERT_EQ(io::AttachDeviceToDeviceStackSafe(device, volume.volume, &below), STATUS_SUCCESS);
      late.fallback = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
        IoSkipCurrentIrpStackLocation(irp);
        return io::CallDriver(below, irp).value();
      };
      FAST_IO_DISPATCH table{};
      table.SizeOfFastIoDispatch = sizeof table;
      table.FastIoRead = LateRead;
      const HANDLE handle = volume.OpenCached();
      EXPECT_EQ(Read(handle), STATUS_SUCCESS);
      EXPECT_EQ(g_late_calls, 0);
      late.object->FastIoDispatch = &table;
      EXPECT_EQ(Read(handle), STATUS_SUCCESS);
      EXPECT_EQ(g_late_calls, 1);
      late.object->FastIoDispatch = nullptr;
      EXPECT_EQ(Read(handle), STATUS_SUCCESS);
      EXPECT_EQ(g_late_calls, 1);
      volume.Close(handle);
      io::DetachDevice(below);
    }
    uint64_t counted = 0;
    for (const auto* row : io::AllDriverCounts())
      if (row->name == "Late") counted = row->fast_io[2].declined;
    EXPECT_EQ(counted, statistics ? 1u : 0u);
    io::EnableStatistics(false);
  }
}

// S001.14: the six entries are NULL, and such a filter works over any file system: sections, flushes and the mapped
// page writer reach the file system itself (Acquire in seed_000_test.cc); here, that it attaches to each that
// registers.
TEST_F(Seed001, S001_14_AttachesToEveryFileSystem) {
  SeedVolume volume(1);
  const DRIVER_OBJECT* const filter = volume.filters[0];
  EXPECT_EQ(volume.control->AttachedDevice->DriverObject, filter);
  // The raw file system was registered before the filter was loaded, the seed file system after.
  int attached = 0;
  for (DRIVER_OBJECT* driver : io::Drivers()) {
    if (io::DriverServiceName(driver) != "RAW") continue;
    for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice)
      attached += device->AttachedDevice && device->AttachedDevice->DriverObject == filter;
  }
  EXPECT_EQ(attached, 2);  // its disk and CD-ROM devices; the filter leaves tapes alone
}

// A filter that is loaded when the volume is mounted already attaches to it.
TEST_F(Seed001, FilterLoadedAfterTheMount) {
  SeedVolume volume;
  const HANDLE handle = volume.OpenCached();
  io::DriverOptions options;
  options.path = std::string(NTIO_BUILD_DIR) + "/drivers/legacy_passthrough.sys";
  std::string why;
  auto filter = io::LoadDriver(options, &why);
  ASSERT_TRUE(filter.ok()) << why;
  ASSERT_NE(volume.volume->AttachedDevice, nullptr);
  EXPECT_EQ(volume.volume->AttachedDevice->DriverObject, filter.value());
  EXPECT_EQ(Read(handle), STATUS_SUCCESS);
  volume.Close(handle);
  EXPECT_EQ(io::UnloadDriver(filter.value()), STATUS_SUCCESS);
}

}  // namespace
}  // namespace nt::seeds
