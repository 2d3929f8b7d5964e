// The first half that CopyWrite and PrepareMdlWrite share: take Resource as the range needs it, decide whether the fast path
// may serve it, raise FileSize; and the ends: Commit or Rollback.
#pragma once

#include "src/cc/cc.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/header_lock.h"

namespace nt::fsrtl {

enum class MovePosition : bool { kNo, kYes };

/// Life: Acquire, then ZeroHole and the copy under a FastIoMarker, then Commit; without Commit the destructor restores the
/// sizes. Invariant: ValidDataLength <= FileSize <= AllocationSize at every instant; AllocationSize never changes.
class WriteRange {
 public:
  explicit WriteRange(PFILE_OBJECT file) : file_(file), header_(HeaderOf(file)) {}
  ~WriteRange() {
    if (resized_) Rollback();
  }
  WriteRange(const WriteRange&) = delete;
  WriteRange& operator=(const WriteRange&) = delete;

  /// @param offset  both halves all ones: the end of the file
  /// @returns false: this write needs an IRP, nothing has changed
  bool Acquire(const LARGE_INTEGER* offset, ULONG length, bool wait, ULONG lock_key, PIO_STATUS_BLOCK io_status);
  /// Zeroes what lies between the valid data and the write. @returns false: it would block. Raises what Cc raises
  bool ZeroHole(bool wait);
  /// The bytes are in the cache: valid data, flags, position. Information bytes were written.
  void Commit(MovePosition move);

  LONGLONG start() const { return start_; }
  LONGLONG end() const { return end_; }

 private:
  void SetFileSize(LONGLONG size);
  void Rollback();

  FileResourceScope scope_;
  PFILE_OBJECT const file_;
  PFSRTL_ADVANCED_FCB_HEADER const header_;
  LONGLONG start_ = 0, end_ = 0;
  LONGLONG old_file_size_ = 0;
  bool resized_ = false;
};

}  // namespace nt::fsrtl
