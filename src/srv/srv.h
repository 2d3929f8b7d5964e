// The kernel file-server client: what a file server in the kernel asks of a file system, and nothing else in Windows
// does.
//
// It transfers the cache's own pages by MDL, frees the byte-range locks of a client by key, and moves compressed data.
// Each request is tried by fast I/O at the top of the file's stack and, when that declines, sent as the IRP that means
// the same (IRP_MN_MDL, IRP_MN_COMPLETE_MDL, IRP_MN_COMPRESSED, IRP_MN_UNLOCK_ALL_BY_KEY). A declined fast call leaves
// nothing behind.
//
// Callers are at PASSIVE_LEVEL in kernel mode, inside the machine. No lock is held across a call into a driver.
#pragma once

#include "ntifs.h"
#include "src/base/status.h"

namespace nt::srv {

/// Who answered.
enum class Route { kNone, kFastIo, kIrp };

/// A transfer of the cache's pages, from the call that lends them to the one that gives them back.
/// Life: 1. MdlRead, PrepareMdlWrite or their compressed forms. 2. The owner reads or fills the pages of `chain`. 3.
/// Complete, whenever `chain` is not null: also after a failure, which may have lent some pages (Information tells how
/// many bytes).
struct MdlTransfer {
  FILE_OBJECT* file = nullptr;  // borrowed: the owner keeps it referenced
  LARGE_INTEGER offset{};
  bool write = false;
  bool compressed = false;
  MDL* chain = nullptr;
  IO_STATUS_BLOCK iosb{};
  Route begun = Route::kNone;
  Route finished = Route::kNone;
};

/// @param transfer  overwritten; @returns the status that the driver gave, also in transfer->iosb
Status MdlRead(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, MdlTransfer* transfer);
Status PrepareMdlWrite(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, MdlTransfer* transfer);
/// The same in compressed form. @param info  filled by a read; describes what is written by a write
Status MdlReadCompressed(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, COMPRESSED_DATA_INFO* info,
                         ULONG info_bytes, MdlTransfer* transfer);
Status MdlWriteCompressed(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, COMPRESSED_DATA_INFO* info,
                          ULONG info_bytes, MdlTransfer* transfer);
/// Gives the pages back; those of a write become file data. Does nothing without a chain.
Status Complete(MdlTransfer* transfer);

/// Copies. Fast I/O is asked not to wait (Wait = FALSE), on a cached file object only; the IRP may.
/// @param buffer  kernel memory
Status Read(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, void* buffer, IO_STATUS_BLOCK* iosb,
            Route* route);
Status Write(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, const void* buffer,
             IO_STATUS_BLOCK* iosb, Route* route);
/// Compressed data in a buffer of the caller.
Status ReadCompressed(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, void* buffer,
                      COMPRESSED_DATA_INFO* info, ULONG info_bytes, IO_STATUS_BLOCK* iosb, Route* route);
Status WriteCompressed(FILE_OBJECT* file, LONGLONG offset, ULONG length, ULONG lock_key, const void* buffer,
                       COMPRESSED_DATA_INFO* info, ULONG info_bytes, IO_STATUS_BLOCK* iosb, Route* route);

/// Frees the locks that `process` took on this file object with `key`, and no others.
Status UnlockAllByKey(FILE_OBJECT* file, PEPROCESS process, ULONG key, Route* route);

}  // namespace nt::srv
