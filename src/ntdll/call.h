// One service call of a host program: enters the machine in the name of the thread's process, and keeps the copies in
// requestor memory that its arguments need. Not for siblings.
//
//   return Service([&](Call& call) -> NTSTATUS {
//     return io::NtOpenFile(call.InOut(handle), access, call.Attributes(attributes), call.InOut(iosb), share, options);
//   });
//
// A copy that cannot be made (bad memory of the program) ends the call with the status of the fault before the service
// runs: the accessors raise, Service catches.
#pragma once

#include <utility>
#include <vector>

#include "ntifs.h"
#include "src/base/status.h"
#include "src/ke/service.h"
#include "src/ldr/export.h"
#include "src/mm/layout.h"
#include "src/ps/ps.h"

namespace nt::ntdll {

/// Memory that the services cannot see: the program's own, outside requestor memory and the kernel's ranges.
bool IsForeign(const void* address);

/// A piece of requestor memory.
class Piece {
 public:
  explicit Piece(size_t bytes);
  Piece(Piece&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  Piece& operator=(Piece&&) = delete;
  ~Piece();
  char* data() const { return static_cast<char*>(data_); }
  size_t bytes() const { return bytes_; }

 private:
  void* data_;
  size_t bytes_;
};

class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// The value, visible to the service.
  template <class T>
  T* In(T* value) {
    return static_cast<T*>(CopyIn(value, sizeof(T)));
  }
  /// The same; what the service leaves there goes back when the call ends.
  template <class T>
  T* InOut(T* value) {
    return static_cast<T*>(CopyInOut(value, sizeof(T)));
  }
  void* InBuffer(const void* data, size_t bytes) { return CopyIn(data, bytes); }
  /// Whole, back at the end: for answers of at most some KiB.
  void* InOutBuffer(void* data, size_t bytes) { return CopyInOut(data, bytes); }
  /// With the name, and what else it points to.
  OBJECT_ATTRIBUTES* Attributes(OBJECT_ATTRIBUTES* attributes);
  UNICODE_STRING* String(UNICODE_STRING* string);

  /// Copies back what InOut keeps. STATUS_ACCESS_VIOLATION when the program's memory cannot be written.
  Status Finish();

 private:
  struct Back {
    void* to;
    const void* from;
    size_t bytes;
  };
  void* CopyIn(const void* data, size_t bytes);
  void* CopyInOut(void* data, size_t bytes);
  void* Allocate(size_t bytes);

  std::vector<Piece> pieces_;
  std::vector<Back> backs_;
};

/// The process that the thread runs in; nullptr: none.
ps::Process* AttachedProcess();

template <class F>
NTSTATUS Service(F&& body) {
  ps::Process* process = AttachedProcess();
  if (!process) return STATUS_THREAD_NOT_IN_PROCESS;
  NTSTATUS status = STATUS_SUCCESS;
  const bool alive = ke::CallIntoMachine([&] {
    ke::ServiceScope scope(process, UserMode);
    Call call;
    try {
      status = body(call);
      if (Status finished = call.Finish(); !finished.ok()) status = finished;
    } catch (const SehException& exception) {
      status = exception.code();
    }
  });
  return alive ? status : STATUS_SYSTEM_SHUTDOWN;
}

}  // namespace nt::ntdll
