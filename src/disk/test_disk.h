// What the tests of the disk driver share: IRPs built by hand, and a machine with an image file.
#pragma once

#include "src/disk/disk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "ntddvol.h"
#include "mountdev.h"
#include "ntdddisk.h"
#include "src/ex/ex.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/machine/test_machine.h"
#include "src/mm/mm.h"
#include "src/ob/ob.h"

namespace nt::disk {

/// One IRP on its way, and its outcome.
class Request {
 public:
  Request(PDEVICE_OBJECT device, UCHAR major) : device_(device) {
    irp_ = io::AllocateIrp(device->StackSize, false);
    ke::InitializeEvent(&done_, NotificationEvent, false);
    location()->MajorFunction = major;
    IoSetCompletionRoutine(irp_, OnDone, this, TRUE, TRUE, TRUE);
  }
  ~Request() {
    if (mdl_) io::FreeMdl(mdl_);
    io::FreeIrp(irp_);
  }

  PIO_STACK_LOCATION location() { return IoGetNextIrpStackLocation(irp_); }
  PIRP irp() { return irp_; }

  Request& Transfer(void* buffer, ULONG bytes, LONGLONG offset) {
    mdl_ = io::AllocateMdl(buffer, bytes, false, false, nullptr);
    mm::BuildMdlForNonPagedPool(mdl_);
    irp_->MdlAddress = mdl_;
    location()->Parameters.Read.Length = bytes;
    location()->Parameters.Read.ByteOffset.QuadPart = offset;
    return *this;
  }
  Request& Control(ULONG code, void* buffer, ULONG input, ULONG output) {
    irp_->AssociatedIrp.SystemBuffer = buffer;
    location()->Parameters.DeviceIoControl.IoControlCode = code;
    location()->Parameters.DeviceIoControl.InputBufferLength = input;
    location()->Parameters.DeviceIoControl.OutputBufferLength = output;
    return *this;
  }

  NTSTATUS Send() { return returned_ = io::CallDriver(device_, irp_); }
  NTSTATUS Wait() {
    ke::WaitFor(&done_);
    // The rule of drivers: STATUS_PENDING is returned exactly when the IRP was marked pending.
    EXPECT_EQ(returned_ == STATUS_PENDING, irp_->PendingReturned != FALSE);
    return irp_->IoStatus.Status;
  }
  NTSTATUS Run() {
    Send();
    return Wait();
  }
  bool done() { return ke::ReadStateEvent(&done_) != 0; }
  ULONG_PTR information() const { return irp_->IoStatus.Information; }
  KIRQL completion_irql() const { return completion_irql_; }

 private:
  static NTSTATUS NTAPI OnDone(PDEVICE_OBJECT, PIRP, PVOID context) {
    auto* self = static_cast<Request*>(context);
    self->completion_irql_ = ke::GetCurrentIrql();
    ke::SetEvent(&self->done_);
    return STATUS_MORE_PROCESSING_REQUIRED;
  }

  PDEVICE_OBJECT device_;
  PIRP irp_;
  PMDL mdl_ = nullptr;
  KEVENT done_;
  NTSTATUS returned_ = STATUS_SUCCESS;
  KIRQL completion_irql_ = 0;
};

class DiskTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    machine::TestMachine::SetUp();
    buffer_ = static_cast<uint8_t*>(ex::AllocatePoolZero(NonPagedPoolNx, kBuffer, 0x74736944));
    back_ = static_cast<uint8_t*>(ex::AllocatePoolZero(NonPagedPoolNx, kBuffer, 0x74736944));
    char path[] = "/tmp/ntio_disk_XXXXXX";
    close(mkstemp(path));
    path_ = path;
    Resize(kBytes);
  }
  void TearDown() override {
    unlink(path_.c_str());
    ex::FreePool(buffer_);
    ex::FreePool(back_);
    machine::TestMachine::TearDown();
  }

  void Resize(uint64_t bytes) { ASSERT_EQ(0, truncate(path_.c_str(), static_cast<off_t>(bytes))); }
  void Put(uint64_t at, const std::vector<uint8_t>& bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  /// Sector 0: partition 1 at sector 64, 128 sectors; partition 2 at sector 256, 64 sectors.
  void PutPartitions() {
    Put(440, {0x78, 0x56, 0x34, 0x12});
    Put(446, {0x80, 0, 0, 0, 0x0c, 0, 0, 0, 64, 0, 0, 0, 128, 0, 0, 0});
    Put(462, {0x00, 0, 0, 0, 0x07, 0, 0, 0, 0, 1, 0, 0, 64, 0, 0, 0});
    Put(510, {0x55, 0xaa});
  }
  Options Defaults() const {
    Options options;
    options.path = path_;
    return options;
  }
  PDEVICE_OBJECT Add(const Options& options) {
    std::string why;
    auto device = AddDisk(options, &why);
    EXPECT_TRUE(device.ok()) << why;
    return device.ok() ? device.value() : nullptr;
  }
  NTSTATUS Read(PDEVICE_OBJECT device, void* buffer, ULONG bytes, LONGLONG offset) {
    return Request(device, IRP_MJ_READ).Transfer(buffer, bytes, offset).Run();
  }
  NTSTATUS Write(PDEVICE_OBJECT device, void* buffer, ULONG bytes, LONGLONG offset) {
    return Request(device, IRP_MJ_WRITE).Transfer(buffer, bytes, offset).Run();
  }
  template <class T>
  NTSTATUS Ask(PDEVICE_OBJECT device, ULONG code, T* answer) {
    return Request(device, IRP_MJ_DEVICE_CONTROL).Control(code, answer, 0, sizeof(T)).Run();
  }

  static constexpr uint64_t kBytes = 1 << 20;
  static constexpr ULONG kBuffer = 65536;
  std::string path_;
  uint8_t* buffer_ = nullptr;
  uint8_t* back_ = nullptr;
};

}  // namespace nt::disk
