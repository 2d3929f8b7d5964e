// Status and Result: how the runtime reports an expected failure.
//
// A Status is an NTSTATUS that must not be dropped. It converts to and from NTSTATUS freely, since the meaning of a value
// (PENDING, REPARSE, BUFFER_OVERFLOW are not failures) belongs to the routine that returns it. A Result<T> is a value or
// the Status that kept it from being made; it serves creation and look-up.
#pragma once

#include <optional>
#include <utility>

#include "ntdef.h"
#include "ntstatus.h"

namespace nt {

class [[nodiscard]] Status {
 public:
  constexpr Status() : value_(STATUS_SUCCESS) {}
  constexpr Status(NTSTATUS value) : value_(value) {}  // NOLINT: implicit by design
  constexpr operator NTSTATUS() const { return value_; }
  constexpr NTSTATUS value() const { return value_; }

  /// NT_SUCCESS: success or informational.
  constexpr bool ok() const { return value_ >= 0; }
  /// NT_ERROR: severity 3. Warnings (BUFFER_OVERFLOW) are neither ok() nor an error.
  constexpr bool is_error() const { return (static_cast<ULONG>(value_) >> 30) == 3; }
  /// Says that a Status is dropped on purpose; the caller writes why.
  constexpr void Ignore() const {}

 private:
  NTSTATUS value_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(Status error) : status_(error) {}                              // NOLINT: implicit by design
  Result(NTSTATUS error) : status_(error) {}                            // NOLINT: implicit by design
  Result(T value) : status_(STATUS_SUCCESS), value_(std::move(value)) {}  // NOLINT: implicit by design

  bool ok() const { return value_.has_value(); }
  Status status() const { return status_; }
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T take() { return std::move(*value_); }
  T* operator->() { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

/// The name of a status ("STATUS_SUCCESS"), or nullptr when the table has none.
const char* StatusName(NTSTATUS status);

}  // namespace nt

/// Returns from the enclosing function when the expression is not NT_SUCCESS.
#define NT_TRY(expression)                       \
  do {                                           \
    if (::nt::Status try_status_ = (expression); \
        !try_status_.ok()) [[unlikely]]          \
      return try_status_;                        \
  } while (0)
