// RefPtr: shared ownership of an object that counts its own references (AddRef, ReleaseRef).
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace nt {

template <class T>
class RefCounted {
 public:
  void AddRef() const { count_.fetch_add(1, std::memory_order_relaxed); }
  void ReleaseRef() const {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete static_cast<const T*>(this);
  }

 protected:
  RefCounted() = default;
  ~RefCounted() = default;

 private:
  mutable std::atomic<uint32_t> count_{1};
};

template <class T>
class RefPtr {
 public:
  RefPtr() = default;
  RefPtr(std::nullptr_t) {}  // NOLINT
  RefPtr(const RefPtr& other) : pointer_(other.pointer_) {
    if (pointer_) pointer_->AddRef();
  }
  RefPtr(RefPtr&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  RefPtr& operator=(RefPtr other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~RefPtr() {
    if (pointer_) pointer_->ReleaseRef();
  }
  /// Takes over the reference that the caller holds.
  static RefPtr Adopt(T* pointer) {
    RefPtr result;
    result.pointer_ = pointer;
    return result;
  }
  static RefPtr Share(T* pointer) {
    if (pointer) pointer->AddRef();
    return Adopt(pointer);
  }
  T* get() const { return pointer_; }
  T* operator->() const { return pointer_; }
  T& operator*() const { return *pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }
  T* release() { return std::exchange(pointer_, nullptr); }

 private:
  T* pointer_ = nullptr;
};

}  // namespace nt
