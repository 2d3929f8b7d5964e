// For tests: an IRP in the hands of a file system, whose completion the test sees.
#pragma once

#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ps/ps.h"

namespace nt::fsrtl {

class TestIrp {
 public:
  TestIrp(UCHAR major, PFILE_OBJECT file, UCHAR minor = 0) : irp_(io::AllocateIrp(2)) {
    IoSetNextIrpStackLocation(irp_);
    PIO_COMPLETION_ROUTINE keep = [](PDEVICE_OBJECT, PIRP irp, PVOID context) NTIO_MS_ABI -> NTSTATUS {
      auto* const self = static_cast<TestIrp*>(context);
      self->status_ = irp->IoStatus.Status;
      self->information_ = irp->IoStatus.Information;
      self->completions_++;
      return STATUS_MORE_PROCESSING_REQUIRED;
    };
    IoSetCompletionRoutine(irp_, keep, this, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp_);
    irp_->Tail.Overlay.Thread = ke::CurrentThread()->ethread();
    irp_->RequestorMode = KernelMode;
    location()->MajorFunction = major;
    location()->MinorFunction = minor;
    location()->FileObject = file;
  }
  ~TestIrp() { io::FreeIrp(irp_); }
  TestIrp(const TestIrp&) = delete;
  TestIrp& operator=(const TestIrp&) = delete;

  PIRP get() const { return irp_; }
  PIO_STACK_LOCATION location() const { return IoGetCurrentIrpStackLocation(irp_); }
  bool completed() const { return completions_ == 1; }
  int completions() const { return completions_; }
  NTSTATUS status() const { return status_; }
  ULONG_PTR information() const { return information_; }

 private:
  PIRP irp_;
  int completions_ = 0;
  NTSTATUS status_ = STATUS_PENDING;
  ULONG_PTR information_ = 0;
};

inline LARGE_INTEGER Large(LONGLONG value) {
  LARGE_INTEGER large;
  large.QuadPart = value;
  return large;
}

}  // namespace nt::fsrtl
