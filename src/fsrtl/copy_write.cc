// Cached write by fast I/O: the file system's FastIoWrite entry, mostly. Extends FileSize within AllocationSize; anything more
// is the file system's. Order of steps: FsRtlCopyWrite in the specification of fast I/O. Locks: Resource (shared within the
// valid data, else exclusive), then PagingIoResource for stores that change a high half.
#include "src/ldr/export.h"
#include "src/fsrtl/write_range.h"

namespace nt::fsrtl {
namespace {

/// Only so large a hole before the write is zeroed here; larger ones go to the file system.
constexpr LONGLONG kMaxHoleBytes = 0x2000;

}  // namespace

bool WriteRange::Acquire(const LARGE_INTEGER* offset, ULONG length, bool wait, ULONG lock_key,
                         PIO_STATUS_BLOCK io_status) {
  if (!header_) return false;
  const bool append = offset->LowPart == FILE_WRITE_TO_END_OF_FILE && offset->HighPart == -1;
  start_ = append ? 0 : offset->QuadPart;
  if (start_ < 0 || __builtin_add_overflow(start_, static_cast<LONGLONG>(length), &end_)) return false;

  bool exclusive = append || end_ > LoadSize(header_->ValidDataLength);
  for (;;) {
    if (!(exclusive ? scope_.AcquireExclusive(header_->Resource, wait) : scope_.AcquireShared(header_->Resource, wait)))
      return false;
    if (append) {
      start_ = header_->FileSize.QuadPart;
      if (__builtin_add_overflow(start_, static_cast<LONGLONG>(length), &end_)) return false;
    }
    if (!file_->PrivateCacheMap || header_->IsFastIoPossible == FastIoIsNotPossible) return false;
    if (end_ > header_->AllocationSize.QuadPart) return false;
    if (start_ >= header_->ValidDataLength.QuadPart + kMaxHoleBytes) return false;
    if (exclusive || end_ <= header_->ValidDataLength.QuadPart) break;
    scope_.Release();  // the valid data shrank before the lock was ours
    exclusive = true;
  }
  if (header_->IsFastIoPossible == FastIoIsQuestionable &&
      !IsFastIoAllowed(file_, start_, length, lock_key, Direction::kWrite, io_status))
    return false;

  old_file_size_ = header_->FileSize.QuadPart;
  if (end_ > old_file_size_) {
    SetFileSize(end_);
    resized_ = true;
  }
  return true;
}

void WriteRange::SetFileSize(LONGLONG size) {
  StoreSize(header_, header_->FileSize, size);
  // The cache learns of the new end before bytes are put there, or its lazy writer could take them for bytes past the end.
  if (CcIsFileCached(file_)) __atomic_store_n(&CcGetFileSizePointer(file_)->QuadPart, size, __ATOMIC_RELAXED);
}

bool WriteRange::ZeroHole(bool wait) {
  if (start_ <= header_->ValidDataLength.QuadPart) return true;
  LARGE_INTEGER from = header_->ValidDataLength;
  LARGE_INTEGER to;
  to.QuadPart = start_;
  return cc::ZeroData(file_, &from, &to, wait);
}

void WriteRange::Commit(MovePosition move) {
  if (end_ > LoadSize(header_->ValidDataLength)) StoreSize(header_, header_->ValidDataLength, end_);
  SetFileObjectFlags(file_, resized_ ? FO_FILE_MODIFIED | FO_FILE_SIZE_CHANGED : FO_FILE_MODIFIED);
  if (move == MovePosition::kYes) file_->CurrentByteOffset.QuadPart = end_;
  resized_ = false;
}

void WriteRange::Rollback() {
  if (header_->PagingIoResource) ex::AcquireResourceExclusiveLite(header_->PagingIoResource, true);
  SetFileSize(old_file_size_);
  if (header_->PagingIoResource) ex::ReleaseResourceLite(header_->PagingIoResource);
  resized_ = false;
}

bool CopyWrite(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, bool wait, ULONG lock_key, void* buffer,
               PIO_STATUS_BLOCK io_status, PDEVICE_OBJECT device) {
  static_cast<void>(device);
  if ((file->Flags & FO_WRITE_THROUGH) || !cc::CanIWrite(file, length, wait, false) ||
      !cc::CopyWriteWontFlush(file, offset, length))
    return false;
  io_status->Status = STATUS_SUCCESS;
  io_status->Information = length;
  if (length == 0) return true;

  WriteRange range(file);
  if (!range.Acquire(offset, length, wait, lock_key, io_status)) return false;
  // The file system may have written here (FastIoCheckIfPossible).
  io_status->Status = STATUS_SUCCESS;
  io_status->Information = length;

  FastIoMarker marker;
  try {
    if (!range.ZeroHole(wait)) return false;
    if (wait && range.end() <= MAXULONG) {
      cc::FastCopyWrite(file, static_cast<ULONG>(range.start()), length, buffer);
    } else {
      LARGE_INTEGER where;
      where.QuadPart = range.start();
      if (!cc::CopyWrite(file, &where, length, wait, buffer)) return false;
    }
  } catch (const SehException& exception) {
    if (!IsNtstatusExpected(exception.code())) throw;
    return false;
  }
  range.Commit(MovePosition::kYes);
  return true;
}

}  // namespace nt::fsrtl
