// Cached read: the sixth step of docs/DATA_PATH.md. Called by fsrtl and by file systems.
// Invariant: a slot stays this stream's, and its pages resident, while bytes are copied from it (mm::Hazard).
// A hit takes no lock, allocates nothing, makes no system call, and writes no line that other readers of the stream read.
#include <algorithm>

#include "src/cc/cache_map.h"
#include "src/ldr/user_access.h"

namespace nt::cc {
namespace {

using mm::kSlotBytes;
using mm::kSlotShift;

/// @returns false: Wait is no and something is absent; nothing was copied
bool Copy(SharedCacheMap* map, uint64_t offset, ULONG length, bool wait, void* buffer) {
  mm::Segment& segment = *map->segment;
  auto* to = static_cast<char*>(buffer);
  uint64_t left = length;
  const bool pieces = (offset & (kSlotBytes - 1)) + left > kSlotBytes;
  if (!wait && pieces && !segment.IsResident(offset, left)) return false;
  mm::Hazard hazard;
  while (left) {
    const uint32_t in_piece = static_cast<uint32_t>(offset & (kSlotBytes - 1));
    const uint32_t part = static_cast<uint32_t>(std::min<uint64_t>(left, kSlotBytes - in_piece));
    mm::Slot* slot = segment.Protect(hazard, offset >> kSlotShift, mm::PageMaskOfBytes(in_piece, part));
    if (!slot) [[unlikely]] {
      // After a first piece was copied without waiting, an eviction in between is waited for: nothing else can be said then.
      if (!wait && left == length) return false;
      const Status status = segment.MakePiece(offset >> kSlotShift, mm::PageMaskOfBytes(in_piece, part), mm::Wait::kYes);
      if (!status.ok()) Raise(status);
      continue;
    }
    ldr::CopyToUser(to, slot->data() + in_piece, part);
    to += part;
    offset += part;
    left -= part;
  }
  return true;
}

}  // namespace

bool CopyRead(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool wait, void* buffer, IO_STATUS_BLOCK* iosb) {
  SharedCacheMap* map = MapOf(file);
  const auto start = static_cast<uint64_t>(offset->QuadPart);
  if (!Copy(map, start, length, wait, buffer)) return false;
  iosb->Status = STATUS_SUCCESS;
  iosb->Information = length;
  if (PrivateCacheMap* private_map = PrivateOf(file)) NoteRead(private_map, map, start, length);
  return true;
}

bool CopyReadEx(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool wait, void* buffer, IO_STATUS_BLOCK* iosb,
                PETHREAD) {
  return CopyRead(file, offset, length, wait, buffer, iosb);
}

void FastCopyRead(FILE_OBJECT* file, ULONG offset, ULONG length, ULONG, void* buffer, IO_STATUS_BLOCK* iosb) {
  LARGE_INTEGER wide;
  wide.QuadPart = offset;
  CopyRead(file, &wide, length, true, buffer, iosb);
}

}  // namespace nt::cc
