// The end of the machine for a driver that has no DriverUnload. On Windows such a driver runs until the power goes: its
// threads, timers and cached streams are alive then. Here its image and its devices go, so they have to go first.
#include "src/cc/cc.h"
#include "src/io/internal.h"
#include "src/ps/ps.h"

namespace nt::io {
namespace {

constexpr ULONG kThreadStuckInDeviceDriver = 0xea;
constexpr unsigned kPatienceSeconds = 30;

}  // namespace

void SwitchOffDriver(DRIVER_OBJECT* driver) {
  const auto image = reinterpret_cast<uintptr_t>(driver->DriverStart);
  if (!ps::SwitchOffThreads(image, driver->DriverSize, kPatienceSeconds)) {
    const std::string text =
        "a thread of " + DriverFileName(driver) + " does not wait, so that the machine cannot be switched off";
    ke::BugCheckWithMessage(text.c_str(), kThreadStuckInDeviceDriver, reinterpret_cast<ULONG_PTR>(driver));
  }
  ke::CancelTimersOf(image, driver->DriverSize);
  {
    LockGuard guard(g_state->database);
    for (DEVICE_OBJECT* device = driver->DeviceObject; device; device = device->NextDevice)
      ke::CancelTimersOf(reinterpret_cast<uintptr_t>(device), device->Size);
  }
  ke::FlushQueuedDpcs();
  // From here on it is not entered: what closes its files hears that it does not know how to.
  MakeDriverDeaf(driver);
  cc::DropMapsOf(driver);
}

}  // namespace nt::io
