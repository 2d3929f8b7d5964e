// A GoogleTest fixture with a booted machine; the test runs in a kernel-mode service of the System process.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "src/ke/service.h"
#include "src/machine/machine.h"

namespace nt::machine {

class TestMachine : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(Boot(), STATUS_SUCCESS);
    scope_ = std::make_unique<ke::ServiceScope>(nullptr, KernelMode);
  }
  void TearDown() override {
    scope_.reset();
    Shutdown();
  }

 private:
  std::unique_ptr<ke::ServiceScope> scope_;
};

}  // namespace nt::machine
