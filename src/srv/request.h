// The IRP behind a declined fast call. Private to srv.
#pragma once

#include "src/ldr/export.h"
#include "src/srv/srv.h"

namespace nt::srv {

/// A request of the server's own: sent to the top of the file's stack, waited for, and taken back whole, so that the
/// I/O manager frees nothing of it.
class Request {
 public:
  Request(FILE_OBJECT* file, UCHAR major, UCHAR minor);
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  /// False: no memory for the IRP.
  explicit operator bool() const { return irp_ != nullptr; }
  IRP* irp() { return irp_; }
  IO_STACK_LOCATION* location() { return IoGetNextIrpStackLocation(irp_); }
  /// @returns the IRP's final status. What the driver left in irp()->MdlAddress is the caller's.
  Status Send(IO_STATUS_BLOCK* iosb);

 private:
  DEVICE_OBJECT* top_;
  IRP* irp_;
};

/// Runs a fast call. A Windows exception out of it counts as declined: the IRP decides.
template <class F>
bool Fast(F&& call) {
  try {
    return call();
  } catch (const SehException&) {
    return false;
  }
}

}  // namespace nt::srv
