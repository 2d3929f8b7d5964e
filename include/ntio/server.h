// ServerFile: a file as a file server in the kernel uses it: the cache's own pages by MDL, compressed data, locks freed
// by key.
//
// Every request is made in kernel mode in the System process, by fast I/O where the file system takes it and by the IRP
// of the same meaning where not; IoResult::path tells which. Close it before the machine shuts down: an open file keeps
// its volume.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ntio/file.h"
#include "ntio/result.h"

namespace ntio {

class Machine;
class ServerFile;

/// Pages of the cache, lent by the file system. Complete, or the destructor, gives them back; those of a write are file
/// data then.
class MdlTransfer {
 public:
  MdlTransfer(MdlTransfer&& other) noexcept;
  MdlTransfer& operator=(MdlTransfer&& other) noexcept;
  ~MdlTransfer();
  /// What the request that lent the pages came to; `information`: bytes.
  const IoResult& result() const { return result_; }
  /// The bytes, in order. Empty when nothing was lent, and after Complete.
  const std::vector<std::span<std::byte>>& pieces() const { return pieces_; }
  IoResult Complete();

 private:
  friend class ServerFile;
  struct State;
  MdlTransfer();
  Machine* machine_ = nullptr;
  std::unique_ptr<State> state_;
  std::vector<std::span<std::byte>> pieces_;
  IoResult result_;
};

class ServerFile {
 public:
  /// Opens `path` ("\\dir\\name") of a disk's volume with a kernel handle.
  static Result<ServerFile> Open(Machine& machine, const std::u16string& path, const OpenOptions& options = {},
                                 int disk = 0);
  ServerFile(ServerFile&& other) noexcept;
  ServerFile& operator=(ServerFile&& other) noexcept;
  ~ServerFile();
  void Close();
  /// The kernel handle.
  void* handle() const { return handle_; }

  /// Copies; the fast call is told not to wait.
  IoResult Read(uint64_t offset, std::span<std::byte> buffer, uint32_t lock_key = 0);
  IoResult Write(uint64_t offset, std::span<const std::byte> buffer, uint32_t lock_key = 0);

  MdlTransfer MdlRead(uint64_t offset, uint32_t bytes, uint32_t lock_key = 0);
  MdlTransfer PrepareMdlWrite(uint64_t offset, uint32_t bytes, uint32_t lock_key = 0);

  /// NtLockFile with FailImmediately, in the name of the System process.
  IoResult Lock(uint64_t offset, uint64_t bytes, uint32_t key, bool exclusive);
  /// Frees the System process's locks on this file that have `key`.
  IoResult UnlockAllByKey(uint32_t key);

  /// Compressed data. `chunks` has the bytes of a COMPRESSED_DATA_INFO and its sizes: filled by a read, given by a
  /// write.
  IoResult ReadCompressed(uint64_t offset, std::span<std::byte> buffer, std::span<std::byte> chunks,
                          uint32_t lock_key = 0);
  IoResult WriteCompressed(uint64_t offset, std::span<const std::byte> buffer, std::span<std::byte> chunks,
                           uint32_t lock_key = 0);
  MdlTransfer MdlReadCompressed(uint64_t offset, uint32_t bytes, std::span<std::byte> chunks, uint32_t lock_key = 0);
  MdlTransfer MdlWriteCompressed(uint64_t offset, uint32_t bytes, std::span<std::byte> chunks, uint32_t lock_key = 0);

 private:
  ServerFile(Machine* machine, void* handle, void* file) : machine_(machine), handle_(handle), file_(file) {}
  template <class F>
  IoResult Request(F&& body);
  template <class F>
  MdlTransfer Transfer(F&& body);
  Machine* machine_ = nullptr;
  void* handle_ = nullptr;
  void* file_ = nullptr;  // FILE_OBJECT, referenced
};

}  // namespace ntio
