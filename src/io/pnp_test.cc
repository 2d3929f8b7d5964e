// Target device changes: who registered for a device hears of custom events and of its volume's.
#include "src/fsrtl/fsrtl.h"
#include "src/io/pnp.h"
#include "src/io/test_driver.h"

namespace nt::io::test {
namespace {

struct Heard {
  GUID event;
  FILE_OBJECT* file;
  LONG first_byte;
};
std::vector<Heard> g_heard;
std::atomic<int> g_done{0}, g_calls{0};

NTSTATUS NTIO_MS_ABI Hear(PVOID structure, PVOID) {
  const auto* custom = static_cast<const TARGET_DEVICE_CUSTOM_NOTIFICATION*>(structure);
  g_heard.push_back({custom->Event, custom->FileObject, custom->CustomDataBuffer[0]});
  g_calls++;
  return STATUS_SUCCESS;
}
VOID NTIO_MS_ABI Done(PVOID) { g_done++; }

class TargetDevice : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    g_heard.clear();
    g_done = g_calls = 0;
    toy = std::make_unique<ToyVolume>();
    ASSERT_EQ(toy->Open(&handle), STATUS_SUCCESS);
    file = FileOf(handle);
    ASSERT_EQ(RegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, file, toy->system.object, Hear, nullptr,
                                           &registration),
              STATUS_SUCCESS);
  }
  void TearDown() override {
    if (registration) EXPECT_EQ(UnregisterPlugPlayNotification(registration), STATUS_SUCCESS);
    Close(handle);
    toy.reset();
    TestMachine::TearDown();
  }
  static TARGET_DEVICE_CUSTOM_NOTIFICATION Custom(ULONG kind) {
    TARGET_DEVICE_CUSTOM_NOTIFICATION custom{};
    custom.Version = 1;
    custom.Size = sizeof custom;
    custom.Event = {kind, 0x46f0, 0x11d0, {0xb0, 0x8f, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3f}};
    custom.NameBufferOffset = -1;
    custom.CustomDataBuffer[0] = 42;
    return custom;
  }

  std::unique_ptr<ToyVolume> toy;
  HANDLE handle = nullptr;
  FILE_OBJECT* file = nullptr;
  void* registration = nullptr;
};

TEST_F(TargetDevice, CustomEventReachesWhoRegistered) {
  auto custom = Custom(0x12345678);
  EXPECT_EQ(ReportTargetDeviceChange(toy->storage, &custom), STATUS_SUCCESS);
  ASSERT_EQ(g_heard.size(), 1u);
  EXPECT_EQ(g_heard[0].file, file);
  EXPECT_EQ(g_heard[0].event.Data1, 0x12345678u);
  EXPECT_EQ(g_heard[0].first_byte, 42);
  // Another device's listeners hear nothing of it.
  EXPECT_EQ(ReportTargetDeviceChange(toy->control, &custom), STATUS_SUCCESS);
  EXPECT_EQ(g_heard.size(), 1u);
  for (const ULONG kind : {0xcb3a4006u, 0xcb3a4007u, 0xcb3a4008u}) {
    custom = Custom(kind);
    EXPECT_EQ(ReportTargetDeviceChange(toy->storage, &custom), STATUS_INVALID_DEVICE_REQUEST)
        << "the system's own event";
  }
  EXPECT_EQ(UnregisterPlugPlayNotification(std::exchange(registration, nullptr)), STATUS_SUCCESS);
  custom = Custom(1);
  EXPECT_EQ(ReportTargetDeviceChange(toy->storage, &custom), STATUS_SUCCESS);
  EXPECT_EQ(g_heard.size(), 1u);
}

TEST_F(TargetDevice, AsynchronousReportCopiesAndSaysWhenItIsDone) {
  auto custom = Custom(7);
  EXPECT_EQ(ReportTargetDeviceChangeAsynchronous(toy->storage, &custom, Done, nullptr), STATUS_SUCCESS);
  custom.CustomDataBuffer[0] = 0;
  ex::DrainWorkQueues();
  EXPECT_EQ(g_done, 1);
  ASSERT_EQ(g_heard.size(), 1u);
  EXPECT_EQ(g_heard[0].first_byte, 42);
}

TEST_F(TargetDevice, VolumeEventsAreReported) {
  EXPECT_EQ(fsrtl::NotifyVolumeEvent(file, FSRTL_VOLUME_LOCK), STATUS_SUCCESS);
  ASSERT_EQ(g_heard.size(), 1u);
  EXPECT_EQ(g_heard[0].event.Data1, 0x50708874u) << "GUID_IO_VOLUME_LOCK";
  EXPECT_EQ(g_heard[0].file, file);
}

}  // namespace
}  // namespace nt::io::test
