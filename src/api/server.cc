// ServerFile: the face of src/srv.
#include "ntio/server.h"

#include <utility>

#include "src/api/state.h"
#include "src/io/io.h"
#include "src/ob/ob.h"
#include "src/srv/srv.h"

namespace ntio {
namespace {

IoPath PathOf(nt::srv::Route route) { return route == nt::srv::Route::kFastIo ? IoPath::kFastIo : IoPath::kIrp; }

IoResult Outcome(NTSTATUS status, ULONG_PTR information, nt::srv::Route route) {
  IoResult result;
  result.status = status;
  result.information = NT_ERROR(status) ? 0 : information;
  result.path = PathOf(route);
  return result;
}

IoResult Stopped() {
  IoResult result;
  result.status = STATUS_SYSTEM_SHUTDOWN;
  result.stopped = true;
  return result;
}

COMPRESSED_DATA_INFO* InfoOf(std::span<std::byte> chunks) {
  return reinterpret_cast<COMPRESSED_DATA_INFO*>(chunks.data());
}
FILE_OBJECT* FileOf(void* file) { return static_cast<FILE_OBJECT*>(file); }
LONGLONG At(uint64_t offset) { return static_cast<LONGLONG>(offset); }

}  // namespace

struct MdlTransfer::State {
  nt::srv::MdlTransfer transfer;
};

// --- MdlTransfer
// -----------------------------------------------------------------------------------------------------------

MdlTransfer::MdlTransfer() : state_(std::make_unique<State>()) {}
MdlTransfer::MdlTransfer(MdlTransfer&& other) noexcept = default;

MdlTransfer& MdlTransfer::operator=(MdlTransfer&& other) noexcept {
  std::swap(machine_, other.machine_);
  std::swap(state_, other.state_);
  std::swap(pieces_, other.pieces_);
  std::swap(result_, other.result_);
  return *this;
}

MdlTransfer::~MdlTransfer() {
  if (state_) Complete();
}

IoResult MdlTransfer::Complete() {
  IoResult result;
  if (!state_ || !state_->transfer.chain) return result;
  pieces_.clear();
  const bool alive = machine_->state_->live && machine_->state_->Kernel([&] {
    auto& transfer = state_->transfer;
    FILE_OBJECT* const file = transfer.file;
    const nt::Status status = nt::srv::Complete(&transfer);
    result = Outcome(status, transfer.iosb.Information, transfer.finished);
    if (!transfer.chain) nt::ob::DereferenceObject(file);
  });
  return alive ? result : Stopped();
}

// --- ServerFile
// ------------------------------------------------------------------------------------------------------------

Result<ServerFile> ServerFile::Open(Machine& machine, const std::u16string& path, const OpenOptions& options,
                                    int disk) {
  const std::u16string device = machine.VolumeDevice(disk);
  if (device.empty()) return Failure{FailureKind::kUsage, 0, "there is no disk " + std::to_string(disk)};
  std::u16string full = device + path;
  HANDLE handle = nullptr;
  void* file = nullptr;
  nt::Status status = STATUS_SUCCESS;
  const bool alive = machine.state_->Kernel([&] {
    UNICODE_STRING name;
    name.Buffer = full.data();
    name.Length = name.MaximumLength = static_cast<USHORT>(full.size() * sizeof(WCHAR));
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
    IO_STATUS_BLOCK iosb{};
    LARGE_INTEGER allocation;
    allocation.QuadPart = At(options.allocation_bytes);
    status = nt::io::NtCreateFile(&handle, options.access, &attributes, &iosb,
                                  options.allocation_bytes ? &allocation : nullptr, options.attributes, options.share,
                                  options.disposition, options.options, nullptr, 0);
    if (!status.ok()) return;
    status = nt::ob::ReferenceObjectByHandle(handle, 0, IoFileObjectType, KernelMode, &file, nullptr);
  });
  if (!alive) return BugChecked();
  if (!status.ok()) return ntio::Request(status);
  return ServerFile(&machine, handle, file);
}

ServerFile::ServerFile(ServerFile&& other) noexcept
    : machine_(std::exchange(other.machine_, nullptr)),
      handle_(std::exchange(other.handle_, nullptr)),
      file_(std::exchange(other.file_, nullptr)) {}

ServerFile& ServerFile::operator=(ServerFile&& other) noexcept {
  std::swap(machine_, other.machine_);
  std::swap(handle_, other.handle_);
  std::swap(file_, other.file_);
  return *this;
}

ServerFile::~ServerFile() { Close(); }

void ServerFile::Close() {
  void* const handle = std::exchange(handle_, nullptr);
  void* const file = std::exchange(file_, nullptr);
  if (!handle || !machine_->state_->live) return;
  machine_->state_->Kernel([&] {
    nt::ob::Close(handle, KernelMode).Ignore();  // cannot fail: ours
    nt::ob::DereferenceObject(file);
  });
}

template <class F>
IoResult ServerFile::Request(F&& body) {
  IoResult result;
  const bool alive = machine_->state_->Kernel([&] {
    nt::srv::Route route = nt::srv::Route::kNone;
    IO_STATUS_BLOCK iosb{};
    const nt::Status status = body(&iosb, &route);
    result = Outcome(status, iosb.Information, route);
  });
  return alive ? result : Stopped();
}

template <class F>
MdlTransfer ServerFile::Transfer(F&& body) {
  MdlTransfer result;
  result.machine_ = machine_;
  const bool alive = machine_->state_->Kernel([&] {
    auto& transfer = result.state_->transfer;
    const nt::Status status = body(&transfer);
    result.result_ = Outcome(status, transfer.iosb.Information, transfer.begun);
    if (!transfer.chain) return;
    nt::ob::ReferenceObject(transfer.file);  // until Complete
    for (MDL* mdl = transfer.chain; mdl; mdl = mdl->Next)
      result.pieces_.emplace_back(static_cast<std::byte*>(nt::mm::GetSystemAddressForMdl(mdl)), mdl->ByteCount);
  });
  if (!alive) result.result_ = Stopped();
  return result;
}

IoResult ServerFile::Read(uint64_t offset, std::span<std::byte> buffer, uint32_t lock_key) {
  return Request([&](IO_STATUS_BLOCK* iosb, nt::srv::Route* route) {
    return nt::srv::Read(FileOf(file_), At(offset), static_cast<ULONG>(buffer.size()), lock_key, buffer.data(), iosb,
                         route);
  });
}

IoResult ServerFile::Write(uint64_t offset, std::span<const std::byte> buffer, uint32_t lock_key) {
  return Request([&](IO_STATUS_BLOCK* iosb, nt::srv::Route* route) {
    return nt::srv::Write(FileOf(file_), At(offset), static_cast<ULONG>(buffer.size()), lock_key, buffer.data(), iosb,
                          route);
  });
}

MdlTransfer ServerFile::MdlRead(uint64_t offset, uint32_t bytes, uint32_t lock_key) {
  return Transfer([&](nt::srv::MdlTransfer* transfer) {
    return nt::srv::MdlRead(FileOf(file_), At(offset), bytes, lock_key, transfer);
  });
}

MdlTransfer ServerFile::PrepareMdlWrite(uint64_t offset, uint32_t bytes, uint32_t lock_key) {
  return Transfer([&](nt::srv::MdlTransfer* transfer) {
    return nt::srv::PrepareMdlWrite(FileOf(file_), At(offset), bytes, lock_key, transfer);
  });
}

IoResult ServerFile::Lock(uint64_t offset, uint64_t bytes, uint32_t key, bool exclusive) {
  return Request([&](IO_STATUS_BLOCK* iosb, nt::srv::Route* route) {
    LARGE_INTEGER start, length;
    start.QuadPart = At(offset);
    length.QuadPart = At(bytes);
    const nt::Status status =
        nt::io::NtLockFile(handle_, nullptr, nullptr, nullptr, iosb, &start, &length, key, true, exclusive);
    *route = nt::io::LastRequestWasFastIo() ? nt::srv::Route::kFastIo : nt::srv::Route::kIrp;
    return status;
  });
}

IoResult ServerFile::UnlockAllByKey(uint32_t key) {
  return Request([&](IO_STATUS_BLOCK*, nt::srv::Route* route) {
    return nt::srv::UnlockAllByKey(FileOf(file_), nt::ps::GetCurrentProcess(), key, route);
  });
}

IoResult ServerFile::ReadCompressed(uint64_t offset, std::span<std::byte> buffer, std::span<std::byte> chunks,
                                    uint32_t lock_key) {
  return Request([&](IO_STATUS_BLOCK* iosb, nt::srv::Route* route) {
    return nt::srv::ReadCompressed(FileOf(file_), At(offset), static_cast<ULONG>(buffer.size()), lock_key,
                                   buffer.data(), InfoOf(chunks), static_cast<ULONG>(chunks.size()), iosb, route);
  });
}

IoResult ServerFile::WriteCompressed(uint64_t offset, std::span<const std::byte> buffer, std::span<std::byte> chunks,
                                     uint32_t lock_key) {
  return Request([&](IO_STATUS_BLOCK* iosb, nt::srv::Route* route) {
    return nt::srv::WriteCompressed(FileOf(file_), At(offset), static_cast<ULONG>(buffer.size()), lock_key,
                                    buffer.data(), InfoOf(chunks), static_cast<ULONG>(chunks.size()), iosb, route);
  });
}

MdlTransfer ServerFile::MdlReadCompressed(uint64_t offset, uint32_t bytes, std::span<std::byte> chunks,
                                          uint32_t lock_key) {
  return Transfer([&](nt::srv::MdlTransfer* transfer) {
    return nt::srv::MdlReadCompressed(FileOf(file_), At(offset), bytes, lock_key, InfoOf(chunks),
                                      static_cast<ULONG>(chunks.size()), transfer);
  });
}

MdlTransfer ServerFile::MdlWriteCompressed(uint64_t offset, uint32_t bytes, std::span<std::byte> chunks,
                                           uint32_t lock_key) {
  return Transfer([&](nt::srv::MdlTransfer* transfer) {
    return nt::srv::MdlWriteCompressed(FileOf(file_), At(offset), bytes, lock_key, InfoOf(chunks),
                                       static_cast<ULONG>(chunks.size()), transfer);
  });
}

}  // namespace ntio
