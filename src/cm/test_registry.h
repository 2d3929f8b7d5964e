// A GoogleTest fixture: the components below the registry, and the registry.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "src/cm/cm.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::cm {

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ke::Boot().ok());
    ASSERT_TRUE(ex::Boot().ok());
    ASSERT_TRUE(ob::Boot().ok());
    ASSERT_TRUE(ps::Boot().ok());
    ASSERT_TRUE(ex::StartWorkers().ok());
    scope_ = std::make_unique<ke::ServiceScope>(nullptr, KernelMode);
    ASSERT_TRUE(se::Boot().ok());
    ASSERT_TRUE(Boot().ok());
  }
  void TearDown() override {
    cm::Shutdown();
    se::Shutdown();
    ex::StopWorkers();
    scope_.reset();
    ps::Shutdown();
    ob::Shutdown();
    ex::Shutdown();
    ke::Shutdown();
  }

  /// Opens or creates by absolute path; nullptr when it fails, with the status in last_.
  HANDLE Open(std::u16string_view path, ACCESS_MASK access = KEY_ALL_ACCESS) {
    UNICODE_STRING name = rtl::UnicodeString(path);
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
    HANDLE handle = nullptr;
    last_ = cm::NtOpenKey(&handle, access, &attributes);
    return handle;
  }
  HANDLE Create(std::u16string_view path, ULONG options = 0) {
    UNICODE_STRING name = rtl::UnicodeString(path);
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
    HANDLE handle = nullptr;
    last_ = cm::NtCreateKey(&handle, KEY_ALL_ACCESS, &attributes, 0, nullptr, options, &disposition_);
    return handle;
  }
  void Close(HANDLE handle) { EXPECT_EQ(ob::Close(handle, KernelMode), STATUS_SUCCESS); }

  NTSTATUS last_ = STATUS_SUCCESS;
  ULONG disposition_ = 0;

 private:
  std::unique_ptr<ke::ServiceScope> scope_;
};

inline std::u16string Text(Result<std::u16string> result) { return result.ok() ? result.value() : u"<none>"; }
inline long long Number(Result<ULONG> result) { return result.ok() ? static_cast<long long>(result.value()) : -1; }

}  // namespace nt::cm
