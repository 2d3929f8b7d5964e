// Boots a machine for each test, loads the driver as it was built, and calls it as a Windows program would.
#include <gtest/gtest.h>
#include <ntdef.h>
#include <ntio/driver_info.h>
#include <ntio/machine.h>
#include <ntstatus.h>

#include <string>

#include "include/greeter.h"

namespace {

class GreeterTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(machine_.booted().ok()) << machine_.booted().failure().message;
    const auto loaded = machine_.Load(GREETER);
    ASSERT_TRUE(loaded.ok()) << loaded.failure().message;
  }

  ntio::Machine machine_;
};

TEST_F(GreeterTest, Read_GivesTheTextFromAnOffset) {
  auto file = machine_.OpenNt(GREETER_DEVICE_NAME);
  ASSERT_TRUE(file.ok()) << file.failure().message;
  std::string text(100, '\0');
  const auto result = file->Read(6, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(result.status, STATUS_SUCCESS);
  EXPECT_EQ(text.substr(0, result.information), "from a driver");
  EXPECT_EQ(result.path, ntio::IoPath::kIrp);
}

TEST_F(GreeterTest, ReadBehindTheEnd_IsEndOfFile) {
  auto file = machine_.OpenNt(GREETER_DEVICE_NAME);
  ASSERT_TRUE(file.ok()) << file.failure().message;
  std::byte byte{};
  EXPECT_EQ(file->Read(19, {&byte, 1}).status, STATUS_END_OF_FILE);
}

TEST(ShippedDrivers, AreFoundByTheirBareName) {
  ntio::Machine machine;
  const auto loaded = machine.Load("fat");
  EXPECT_TRUE(loaded.ok()) << loaded.failure().message;
  EXPECT_TRUE(ntio::InspectDriver("fat").loads);
}

}  // namespace
