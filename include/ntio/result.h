// Failure and Result: how the C++ API reports what went wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace ntio {

/// What kind of failure; the value is the exit code of the command line.
enum class FailureKind : int {
  kRequest = 1,     // a request failed: `status` is the NTSTATUS
  kUsage = 2,       // the caller's arguments
  kDriverLoad = 3,  // a driver did not load
  kVerifier = 4,    // the verifier found a violation
  kBugCheck = 5,    // the machine has stopped
};

struct Failure {
  FailureKind kind = FailureKind::kRequest;
  int32_t status = 0;   // NTSTATUS; 0 when none applies
  std::string message;  // one or more lines that say what happened and what to do
};

/// "STATUS_OBJECT_NAME_NOT_FOUND (0xC0000034)"
std::string DescribeStatus(int32_t status);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}            // NOLINT: implicit by design
  Result(Failure failure) : failure_(std::move(failure)) {}  // NOLINT: implicit by design
  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }
  T take() { return std::move(*value_); }
  const Failure& failure() const { return failure_; }

 private:
  std::optional<T> value_;
  Failure failure_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : failure_(std::move(failure)) {}  // NOLINT: implicit by design
  bool ok() const { return !failure_; }
  explicit operator bool() const { return ok(); }
  const Failure& failure() const { return *failure_; }

 private:
  std::optional<Failure> failure_;
};

}  // namespace ntio
