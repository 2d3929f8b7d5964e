// File: the requests, each one Nt* service.
#include "ntio/file.h"

#include "src/api/state.h"
#include "src/io/io.h"
#include "src/mm/layout.h"
#include "src/ob/ob.h"

namespace ntio {
namespace {

IoResult Stopped() {
  IoResult result;
  result.status = STATUS_SYSTEM_SHUTDOWN;
  result.stopped = true;
  return result;
}

/// Data of a request: the caller's memory when it is requestor memory, else a copy there.
class Bounce {
 public:
  Bounce(ServiceBlock& block, const void* data, size_t bytes) : bytes_(bytes) {
    if (bytes == 0 || nt::mm::IsUserAddress(data)) memory_ = const_cast<void*>(data);
    else if (bytes <= ServiceBlock::kDataBytes) memory_ = block.data;
    else memory_ = owned_ = nt::mm::UserArena::Allocate(bytes);
    copied_ = memory_ != data;
  }
  ~Bounce() {
    if (owned_) nt::mm::UserArena::Free(owned_, bytes_);
  }
  Bounce(const Bounce&) = delete;
  Bounce& operator=(const Bounce&) = delete;
  bool failed() const { return bytes_ && !memory_; }
  void* data() const { return memory_; }
  void CopyIn(const void* from) {
    if (copied_ && bytes_) std::memcpy(memory_, from, bytes_);
  }
  void CopyOut(void* to, size_t bytes) {
    if (copied_) std::memcpy(to, memory_, std::min(bytes, bytes_));
  }

 private:
  void* memory_ = nullptr;
  void* owned_ = nullptr;
  size_t bytes_;
  bool copied_ = false;
};

constexpr size_t kMaxTransfer = 0xFFFFF000;  // a request's Length is 32 bits

}  // namespace

File::File(File&& other) noexcept
    : machine_(std::exchange(other.machine_, nullptr)), handle_(std::exchange(other.handle_, nullptr)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(machine_, other.machine_);
  std::swap(handle_, other.handle_);
  return *this;
}

File::~File() { Close(); }

void File::Close() {
  void* handle = std::exchange(handle_, nullptr);
  // Shutdown closed the handles of the requesting process.
  if (!handle || !machine_->state_->live) return;
  machine_->state_->Service([&](ServiceBlock&) { nt::ob::Close(handle, UserMode).Ignore(); });  // cannot fail: ours
}

IoResult File::Read(uint64_t offset, std::span<std::byte> buffer) {
  if (buffer.size() > kMaxTransfer) buffer = buffer.first(kMaxTransfer);
  IoResult result;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    Bounce bounce(block, buffer.data(), buffer.size());
    if (bounce.failed()) {
      result.status = STATUS_NO_MEMORY;
      return;
    }
    block.offset.QuadPart = static_cast<LONGLONG>(offset);
    const NTSTATUS status = nt::io::NtReadFile(handle_, nullptr, nullptr, nullptr, &block.iosb, bounce.data(),
                                               static_cast<ULONG>(buffer.size()), &block.offset, nullptr);
    SetResult(&result, status, block.iosb);
    if (!NT_ERROR(status)) bounce.CopyOut(buffer.data(), result.information);
  });
  if (!alive) result = Stopped();
  return result;
}

IoResult File::Write(uint64_t offset, std::span<const std::byte> buffer) {
  if (buffer.size() > kMaxTransfer) buffer = buffer.first(kMaxTransfer);
  IoResult result;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    Bounce bounce(block, buffer.data(), buffer.size());
    if (bounce.failed()) {
      result.status = STATUS_NO_MEMORY;
      return;
    }
    bounce.CopyIn(buffer.data());
    block.offset.QuadPart = static_cast<LONGLONG>(offset);
    const NTSTATUS status = nt::io::NtWriteFile(handle_, nullptr, nullptr, nullptr, &block.iosb, bounce.data(),
                                                static_cast<ULONG>(buffer.size()), &block.offset, nullptr);
    SetResult(&result, status, block.iosb);
  });
  if (!alive) result = Stopped();
  return result;
}

IoResult File::Flush() {
  IoResult result;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    const NTSTATUS status = nt::io::NtFlushBuffersFile(handle_, &block.iosb);
    SetResult(&result, status, block.iosb);
  });
  if (!alive) result = Stopped();
  return result;
}

IoResult File::SetSize(uint64_t bytes) {
  IoResult result;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    block.end_of_file.EndOfFile.QuadPart = static_cast<LONGLONG>(bytes);
    const NTSTATUS status = nt::io::NtSetInformationFile(handle_, &block.iosb, &block.end_of_file, sizeof block.end_of_file,
                                                         FileEndOfFileInformation);
    SetResult(&result, status, block.iosb);
  });
  if (!alive) result = Stopped();
  return result;
}

IoResult File::SetBasic(int64_t creation_time, int64_t last_access_time, int64_t last_write_time, uint32_t attributes) {
  IoResult result;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    block.basic = {};
    block.basic.CreationTime.QuadPart = creation_time;
    block.basic.LastAccessTime.QuadPart = last_access_time;
    block.basic.LastWriteTime.QuadPart = last_write_time;
    block.basic.FileAttributes = attributes;
    const NTSTATUS status =
        nt::io::NtSetInformationFile(handle_, &block.iosb, &block.basic, sizeof block.basic, FileBasicInformation);
    SetResult(&result, status, block.iosb);
  });
  if (!alive) result = Stopped();
  return result;
}

IoResult File::SetDelete(bool remove) {
  IoResult result;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    block.disposition.DeleteFile = remove;
    const NTSTATUS status = nt::io::NtSetInformationFile(handle_, &block.iosb, &block.disposition, sizeof block.disposition,
                                                         FileDispositionInformation);
    SetResult(&result, status, block.iosb);
  });
  if (!alive) result = Stopped();
  return result;
}

IoResult File::Rename(const std::u16string& target, bool replace) {
  IoResult result;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    const size_t name_bytes = target.size() * sizeof(char16_t);
    if (name_bytes > UNICODE_STRING_MAX_BYTES) {
      result.status = STATUS_OBJECT_NAME_INVALID;
      return;
    }
    auto* rename = reinterpret_cast<FILE_RENAME_INFORMATION*>(block.data);
    std::memset(rename, 0, sizeof *rename);
    rename->ReplaceIfExists = replace;
    rename->FileNameLength = static_cast<ULONG>(name_bytes);
    std::memcpy(rename->FileName, target.data(), name_bytes);
    const auto bytes = static_cast<ULONG>(offsetof(FILE_RENAME_INFORMATION, FileName) + name_bytes);
    const NTSTATUS status = nt::io::NtSetInformationFile(
        handle_, &block.iosb, rename, std::max<ULONG>(bytes, sizeof *rename), FileRenameInformation);
    SetResult(&result, status, block.iosb);
  });
  if (!alive) result = Stopped();
  return result;
}

Result<FileInfo> File::Query() {
  FileInfo info;
  NTSTATUS status = STATUS_SUCCESS;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    const auto query = [&](void* buffer, ULONG bytes, FILE_INFORMATION_CLASS kind) {
      if (NT_SUCCESS(status)) status = nt::io::NtQueryInformationFile(handle_, &block.iosb, buffer, bytes, kind);
      return NT_SUCCESS(status);
    };
    if (query(&block.basic, sizeof block.basic, FileBasicInformation)) {
      info.creation_time = block.basic.CreationTime.QuadPart;
      info.last_access_time = block.basic.LastAccessTime.QuadPart;
      info.last_write_time = block.basic.LastWriteTime.QuadPart;
      info.change_time = block.basic.ChangeTime.QuadPart;
      info.attributes = block.basic.FileAttributes;
    }
    if (query(&block.standard, sizeof block.standard, FileStandardInformation)) {
      info.size = static_cast<uint64_t>(block.standard.EndOfFile.QuadPart);
      info.allocation = static_cast<uint64_t>(block.standard.AllocationSize.QuadPart);
      info.links = block.standard.NumberOfLinks;
    }
    if (query(&block.internal, sizeof block.internal, FileInternalInformation))
      info.file_id = static_cast<uint64_t>(block.internal.IndexNumber.QuadPart);
  });
  if (!alive) return BugChecked();
  if (!NT_SUCCESS(status)) return Request(status);
  return info;
}

Result<std::vector<DirectoryEntry>> File::List(const std::u16string& pattern) {
  std::vector<DirectoryEntry> entries;
  NTSTATUS status = STATUS_SUCCESS;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    constexpr ULONG kBufferBytes = 64 * 1024;
    const size_t pattern_bytes = pattern.size() * sizeof(char16_t);
    if (pattern_bytes > ServiceBlock::kDataBytes - kBufferBytes) {
      status = STATUS_OBJECT_NAME_INVALID;
      return;
    }
    auto* pattern_memory = block.data + kBufferBytes;
    std::memcpy(pattern_memory, pattern.data(), pattern_bytes);
    block.name.Buffer = reinterpret_cast<WCHAR*>(pattern_memory);
    block.name.Length = block.name.MaximumLength = static_cast<USHORT>(pattern_bytes);
    for (bool first = true;; first = false) {
      status = nt::io::NtQueryDirectoryFile(handle_, nullptr, nullptr, nullptr, &block.iosb, block.data, kBufferBytes,
                                            FileBothDirectoryInformation, false, first ? &block.name : nullptr, first);
      if (status == STATUS_NO_MORE_FILES || (first && status == STATUS_NO_SUCH_FILE)) {
        status = STATUS_SUCCESS;
        return;
      }
      if (!NT_SUCCESS(status)) return;
      for (const char* place = block.data;;) {
        const auto* found = reinterpret_cast<const FILE_BOTH_DIR_INFORMATION*>(place);
        auto& entry = entries.emplace_back();
        entry.name.assign(found->FileName, found->FileNameLength / sizeof(WCHAR));
        entry.short_name.assign(found->ShortName, static_cast<size_t>(found->ShortNameLength) / sizeof(WCHAR));
        entry.info.size = static_cast<uint64_t>(found->EndOfFile.QuadPart);
        entry.info.allocation = static_cast<uint64_t>(found->AllocationSize.QuadPart);
        entry.info.attributes = found->FileAttributes;
        entry.info.creation_time = found->CreationTime.QuadPart;
        entry.info.last_access_time = found->LastAccessTime.QuadPart;
        entry.info.last_write_time = found->LastWriteTime.QuadPart;
        entry.info.change_time = found->ChangeTime.QuadPart;
        if (found->NextEntryOffset == 0) break;
        place += found->NextEntryOffset;
      }
    }
  });
  if (!alive) return BugChecked();
  if (!NT_SUCCESS(status)) return Request(status);
  return entries;
}

IoResult File::Control(bool device, uint32_t code, std::span<const std::byte> input, std::span<std::byte> output) {
  IoResult result;
  const bool alive = machine_->state_->Service([&](ServiceBlock& block) {
    // One block's data serves one of the two; the other gets memory of its own.
    Bounce in(block, input.data(), input.size());
    void* out = output.empty() ? nullptr : nt::mm::UserArena::Allocate(output.size());
    if (in.failed() || (!output.empty() && !out)) {
      result.status = STATUS_NO_MEMORY;
    } else {
      in.CopyIn(input.data());
      const auto service = device ? nt::io::NtDeviceIoControlFile : nt::io::NtFsControlFile;
      const NTSTATUS status = service(handle_, nullptr, nullptr, nullptr, &block.iosb, code, in.data(),
                                      static_cast<ULONG>(input.size()), out, static_cast<ULONG>(output.size()));
      SetResult(&result, status, block.iosb);
      if (!NT_ERROR(status) && out) std::memcpy(output.data(), out, std::min<size_t>(output.size(), result.information));
    }
    if (out) nt::mm::UserArena::Free(out, output.size());
  });
  if (!alive) result = Stopped();
  return result;
}

IoResult File::FsControl(uint32_t code, std::span<const std::byte> input, std::span<std::byte> output) {
  return Control(false, code, input, output);
}
IoResult File::DeviceControl(uint32_t code, std::span<const std::byte> input, std::span<std::byte> output) {
  return Control(true, code, input, output);
}

}  // namespace ntio
