// File: an open file of a volume. NT semantics: access, share, disposition, options; every request is an Nt* service call
// made in the name of the machine's requesting process, with RequestorMode UserMode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ntio/result.h"

namespace ntio {

class Machine;

/// How NtCreateFile is called; the constants are Windows' own (FILE_READ_DATA, FILE_SHARE_READ, FILE_OPEN, ...).
struct OpenOptions {
  uint32_t access = 0x80100000;       // GENERIC_READ | SYNCHRONIZE
  uint32_t share = 7;                 // FILE_SHARE_READ | WRITE | DELETE
  uint32_t disposition = 1;           // FILE_OPEN
  uint32_t options = 0x20;            // FILE_SYNCHRONOUS_IO_NONALERT
  uint32_t attributes = 0x80;         // FILE_ATTRIBUTE_NORMAL
  uint64_t allocation_bytes = 0;
};

/// Who answered a request.
enum class IoPath { kFastIo, kIrp };

struct IoResult {
  int32_t status = 0;       // NTSTATUS
  uint64_t information = 0; // bytes, or what the request defines
  IoPath path = IoPath::kIrp;
  bool stopped = false;     // the machine has bug-checked
  bool ok() const { return status >= 0; }
};

/// Memory of the requestor arena, below MmUserProbeAddress: requests on it reach the drivers without a copy.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return bytes_; }
  std::span<std::byte> span() { return {data_, bytes_}; }

 private:
  friend class Machine;
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

struct FileInfo {
  uint64_t size = 0;             // bytes (EndOfFile)
  uint64_t allocation = 0;       // bytes
  uint32_t attributes = 0;       // FILE_ATTRIBUTE_*
  uint32_t links = 0;
  uint64_t file_id = 0;
  int64_t creation_time = 0;     // 100 ns since 1601-01-01 UTC; 0: not kept
  int64_t last_access_time = 0;
  int64_t last_write_time = 0;
  int64_t change_time = 0;
  bool directory() const { return attributes & 0x10; }
};

struct DirectoryEntry {
  std::u16string name;
  std::u16string short_name;
  FileInfo info;
};

class File {
 public:
  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();
  explicit operator bool() const { return handle_ != nullptr; }
  /// The NT handle, valid in the machine's requesting process.
  void* handle() const { return handle_; }

  /// @param offset  bytes; a synchronous handle's position moves to the end of the transfer
  IoResult Read(uint64_t offset, std::span<std::byte> buffer);
  IoResult Write(uint64_t offset, std::span<const std::byte> buffer);
  IoResult Flush();
  /// FileEndOfFileInformation.
  IoResult SetSize(uint64_t bytes);
  /// FileBasicInformation; -1 or 0 leaves a time or the attributes as they are.
  IoResult SetBasic(int64_t creation_time, int64_t last_access_time, int64_t last_write_time, uint32_t attributes);
  /// FileDispositionInformation.
  IoResult SetDelete(bool remove);
  /// FileRenameInformation. @param target  full NT path or a name in the same directory
  IoResult Rename(const std::u16string& target, bool replace);
  Result<FileInfo> Query();
  /// All entries that match `pattern` ("*": all), "." and ".." included where the file system has them.
  Result<std::vector<DirectoryEntry>> List(const std::u16string& pattern = u"*");
  /// NtFsControlFile, synchronous.
  IoResult FsControl(uint32_t code, std::span<const std::byte> input, std::span<std::byte> output);
  /// NtDeviceIoControlFile, synchronous.
  IoResult DeviceControl(uint32_t code, std::span<const std::byte> input, std::span<std::byte> output);
  void Close();

 private:
  friend class Machine;
  File(Machine* machine, void* handle) : machine_(machine), handle_(handle) {}
  IoResult Control(bool device, uint32_t code, std::span<const std::byte> input, std::span<std::byte> output);
  Machine* machine_ = nullptr;
  void* handle_ = nullptr;
};

}  // namespace ntio
