// Drivers that break the rules for IRPs: each in a child process, which prints the report and exits.
// spec irp-read-write 3 and 4, "bad input" of the IRP path.
#include "src/io/test_driver.h"

#include <cstdlib>

namespace nt::io::test {
namespace {

class RulesTest : public ::testing::Test {
 protected:
  void SetUp() override { ::testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

/// One device "\Device\Bad" that `bad` serves, and a filter above it when `filter` is set; one read is sent.
[[noreturn]] void RunRead(Dispatch bad, Dispatch filter = nullptr, bool wait = true) {
  if (!machine::Boot().ok()) std::_Exit(99);
  const bool alive = ke::CallIntoMachine([&] {
    ke::ServiceScope scope(nullptr, KernelMode);
    static Driver* driver = new Driver(u"\\Driver\\Bad");
    DEVICE_OBJECT* device = driver->Device(u"\\Device\\Bad");
    driver->handlers[IRP_MJ_READ] = bad;
    if (filter) {
      static Driver* above = new Driver(u"\\Driver\\Above");
      DEVICE_OBJECT* top = above->Device();
      if (!AttachDeviceToDeviceStack(top, device)) std::_Exit(95);
      above->fallback = [device](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
        IoSkipCurrentIrpStackLocation(irp);
        return io::CallDriver(device, irp);
      };
      above->handlers[IRP_MJ_READ] = filter;
    }
    HANDLE handle;
    IO_STATUS_BLOCK iosb{};
    UNICODE_STRING name = Name(u"\\Device\\Bad");
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, nullptr, nullptr);
    if (!NT_SUCCESS(io::NtOpenFile(&handle, FILE_READ_DATA | SYNCHRONIZE, &attributes, &iosb, 0,
                                   wait ? FILE_SYNCHRONOUS_IO_NONALERT : 0)))
      std::_Exit(94);
    char buffer[8];
    LARGE_INTEGER offset{};
    io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, sizeof buffer, &offset, nullptr).Ignore();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    ke::ParkIfBugChecked();
  });
  std::_Exit(alive ? 98 : 5);
}

#define EXPECT_RULE(pattern, ...) EXPECT_EXIT(RunRead(__VA_ARGS__), ::testing::ExitedWithCode(5), pattern)

const Dispatch kPassOn = [](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
  IoCopyCurrentIrpStackLocationToNext(irp);
  return io::CallDriver(LowerDevice(device), irp);
};

TEST_F(RulesTest, CompletedTwice) {
  EXPECT_RULE("MULTIPLE_IRP_COMPLETE_REQUESTS(.|\n)*IRP_MJ_READ", [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    Complete(irp, STATUS_SUCCESS);
    return Complete(irp, STATUS_SUCCESS);
  });
}

TEST_F(RulesTest, PendingReturnedUnmarked_CompletedBefore) {
  EXPECT_RULE(
      "0x0*23D(.|\n)*DRIVER_VERIFIER_IOMANAGER_VIOLATION(.|\n)*Bad returned STATUS_PENDING for IRP_MJ_READ and did not "
      "mark",
      [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
        Complete(irp, STATUS_SUCCESS);
        return STATUS_PENDING;
      });
}

TEST_F(RulesTest, PendingReturnedUnmarked_CompletedLater) {
  EXPECT_RULE("Bad returned STATUS_PENDING for IRP_MJ_READ and did not mark(.|\n)*IRP 0x",
              [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
                LateThreads().emplace_back([irp] {
                  std::this_thread::sleep_for(std::chrono::milliseconds(50));
                  ke::CallIntoMachine([&] {
                    ke::ServiceScope scope(nullptr, KernelMode);
                    Complete(irp, STATUS_SUCCESS);
                  });
                });
                return STATUS_PENDING;
              });
}

TEST_F(RulesTest, PendingUnmarkedBelowAFilter_NamesTheLowerDriver) {
  EXPECT_RULE(
      "driver (.*)Bad returned STATUS_PENDING",
      [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
        Complete(irp, STATUS_SUCCESS);
        return STATUS_PENDING;
      },
      kPassOn);
}

NTSTATUS NTIO_MS_ABI DoesNotPassTheMarkOn(PDEVICE_OBJECT, PIRP, PVOID) { return STATUS_SUCCESS; }

TEST_F(RulesTest, MarkNotPassedOn_NamesTheUpperDriver) {
  EXPECT_RULE(
      "driver (.*)Above returned STATUS_PENDING",
      [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
        IoMarkIrpPending(irp);
        Complete(irp, STATUS_SUCCESS);
        return STATUS_PENDING;
      },
      [](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
        IoCopyCurrentIrpStackLocationToNext(irp);
        IoSetCompletionRoutine(irp, DoesNotPassTheMarkOn, nullptr, TRUE, TRUE, TRUE);
        return io::CallDriver(LowerDevice(device), irp);
      });
}

TEST_F(RulesTest, MarkedButNotPending) {
  EXPECT_RULE("0x0*23E(.|\n)*Bad marked the IRP of IRP_MJ_READ pending and did not return STATUS_PENDING",
              [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
                IoMarkIrpPending(irp);
                Complete(irp, STATUS_SUCCESS);
                return STATUS_SUCCESS;
              });
}

TEST_F(RulesTest, Forgotten) {
  EXPECT_RULE("0x0*226(.|\n)*Bad returned from IRP_MJ_READ with a final status and neither completed(.|\n)*IRP 0x",
              [](DEVICE_OBJECT*, IRP*, IO_STACK_LOCATION*) { return STATUS_SUCCESS; });
}

TEST_F(RulesTest, IrqlChangedByDispatch) {
  EXPECT_RULE("Bad changed the IRQL in its IRP_MJ_READ routine: it was 0 and is 2",
              [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
                ke::RaiseIrqlToDpcLevel();
                return Complete(irp, STATUS_SUCCESS);
              });
}

TEST_F(RulesTest, CriticalRegionNotLeft) {
  EXPECT_RULE("Bad entered a critical or guarded region in its IRP_MJ_READ routine",
              [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
                ke::EnterCriticalRegion();
                return Complete(irp, STATUS_SUCCESS);
              });
}

NTSTATUS NTIO_MS_ABI RaisesTheIrql(PDEVICE_OBJECT, PIRP, PVOID) {
  ke::RaiseIrqlToDpcLevel();
  return STATUS_SUCCESS;
}

TEST_F(RulesTest, IrqlChangedByCompletionRoutine) {
  EXPECT_RULE(
      "driver (.*)Above changed the IRQL or the APC state in a completion routine",
      [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) { return Complete(irp, STATUS_SUCCESS); },
      [](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
        IoCopyCurrentIrpStackLocationToNext(irp);
        IoSetCompletionRoutine(irp, RaisesTheIrql, nullptr, TRUE, TRUE, TRUE);
        return io::CallDriver(LowerDevice(device), irp);
      });
}

TEST_F(RulesTest, CancelRoutineLeftOnACompletedIrp) {
  EXPECT_RULE("while the IRP has a cancel routine", [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    IoSetCancelRoutine(irp, reinterpret_cast<PDRIVER_CANCEL>(1));
    return Complete(irp, STATUS_SUCCESS);
  });
}

TEST_F(RulesTest, StatusPendingInACompletedIrp) {
  EXPECT_RULE("with a status that is not final", [](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
    IoMarkIrpPending(irp);
    return Complete(irp, STATUS_PENDING);
  });
}

TEST_F(RulesTest, NoStackLocationLeft) {
  EXPECT_RULE("NO_MORE_IRP_STACK_LOCATIONS", [](DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION*) -> NTSTATUS {
    IoCopyCurrentIrpStackLocationToNext(irp);
    return io::CallDriver(device, irp);
  });
}

// A request that nobody completes although it was cancelled does not keep its thread for ever: it is named and cut
// loose.
TEST(ForgottenIrpTest, ThreadGoesWithoutItAndTheReportNamesIt) {
  ASSERT_EQ(machine::Boot(), STATUS_SUCCESS);
  {
    ke::ServiceScope scope(nullptr, KernelMode);
    SetCancelPatience(20'000'000);
    Driver driver(u"\\Driver\\Sleepy");
    driver.Device(u"\\Device\\Sleepy");
    IRP* kept = nullptr;
    driver.handlers[IRP_MJ_READ] = [&](DEVICE_OBJECT*, IRP* irp, IO_STACK_LOCATION*) {
      IoMarkIrpPending(irp);
      kept = irp;
      return STATUS_PENDING;
    };
    testing::internal::CaptureStderr();
    ke::Thread* thread;
    ASSERT_EQ(ps::CreateRuntimeThread(
                  "reader",
                  [](void*) {
                    ke::PreviousModeScope mode(KernelMode);
                    HANDLE handle;
                    static IO_STATUS_BLOCK iosb;
                    static char buffer[8];
                    UNICODE_STRING name = Name(u"\\Device\\Sleepy");
                    OBJECT_ATTRIBUTES attributes;
                    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, nullptr, nullptr);
                    ASSERT_EQ(io::NtOpenFile(&handle, FILE_READ_DATA, &attributes, &iosb, 0, 0), STATUS_SUCCESS);
                    LARGE_INTEGER offset{};
                    EXPECT_EQ(io::NtReadFile(handle, nullptr, nullptr, nullptr, &iosb, buffer, 8, &offset, nullptr),
                              STATUS_PENDING);
                    Close(handle);
                  },
                  nullptr, &thread),
              STATUS_SUCCESS);
    ke::WaitFor(thread);
    ob::DereferenceObject(thread);
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("rule 0x135: driver "), std::string::npos) << text;
    EXPECT_NE(text.find("Sleepy"), std::string::npos) << text;
    EXPECT_NE(text.find("IRP_MJ_READ"), std::string::npos) << text;
    Complete(kept, STATUS_CANCELLED);  // late, and frees it
    SetCancelPatience(0);
  }
  machine::Shutdown();
}

}  // namespace
}  // namespace nt::io::test
