// Cached write, and zeroing through the cache.
//
// A page that is wholly overwritten is not read first: it is claimed as busy, filled, and becomes resident and dirty at once,
// so that no reader sees it half old, half zero. A page that lies wholly beyond valid data starts as zeros. Every other absent
// page is read. Pages become dirty after the bytes are in place: a flush that ran in between then writes them again.
#include <algorithm>
#include <bit>
#include <cstring>

#include "src/cc/cache_map.h"
#include "src/ex/ex.h"
#include "src/io/io.h"
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"
#include "src/mm/view.h"

namespace nt::cc {
namespace {

using mm::kSlotBytes;
using mm::kSlotShift;

struct Source {
  const char* bytes;  // a requestor's may be null, and faults
  bool zeros;         // instead of bytes
  void CopyTo(char* to, uint32_t count) {
    if (zeros) {
      std::memset(to, 0, count);
      return;
    }
    ldr::CopyFromUser(to, bytes, count);
    bytes += count;
  }
};

/// First byte of the first page that holds nothing of the file yet.
uint64_t ZeroFrom(const SharedCacheMap* map) {
  const LONGLONG goal = map->valid_data_goal.load(std::memory_order_relaxed);
  if (!map->TracksValidData() || goal < 0) return ~0ull;
  return (static_cast<uint64_t>(goal) + PAGE_SIZE - 1) & ~static_cast<uint64_t>(PAGE_SIZE - 1);
}

/// The pages of [in_piece, in_piece + part) that are covered from end to end.
uint64_t WholePages(uint32_t in_piece, uint32_t part) {
  const uint32_t first = (in_piece + PAGE_SIZE - 1) >> PAGE_SHIFT, end = (in_piece + part) >> PAGE_SHIFT;
  return first < end ? mm::PageMask(first, end - first) : 0;
}

/// Ends an overwrite whatever happens: the pages copied so far become dirty, the others absent again.
class Overwrite {
 public:
  Overwrite(mm::Segment& segment, uint64_t index, uint64_t pages) : segment_(segment) {
    const Status status = segment.BeginOverwrite(index, pages, &slot_, &claimed_);
    if (!status.ok()) Raise(status);
  }
  ~Overwrite() { segment_.EndOverwrite(slot_, claimed_, filled_); }
  Overwrite(const Overwrite&) = delete;
  Overwrite& operator=(const Overwrite&) = delete;
  uint64_t claimed() const { return claimed_; }
  void Fill(Source& source) {
    const uint32_t first = static_cast<uint32_t>(std::countr_zero(claimed_));
    const uint32_t count = static_cast<uint32_t>(std::countr_one(claimed_ >> first));
    for (uint32_t i = 0; i < count; i++) {
      source.CopyTo(slot_->data() + (first + i) * PAGE_SIZE, PAGE_SIZE);
      filled_ |= 1ull << (first + i);
    }
  }

 private:
  mm::Segment& segment_;
  mm::Slot* slot_ = nullptr;
  uint64_t claimed_ = 0, filled_ = 0;
};

/// One piece. @raises what the source's copy or the paging reads raise
void WritePiece(SharedCacheMap* map, uint64_t offset, uint32_t part, Source source) {
  mm::Segment& segment = *map->segment;
  const uint64_t index = offset >> kSlotShift;
  uint32_t in_piece = static_cast<uint32_t>(offset & (kSlotBytes - 1));
  const bool may_overwrite = source.zeros || !mm::IsViewAddress(source.bytes);
  mm::Hazard hazard;
  while (part) {
    const uint64_t pages = mm::PageMaskOfBytes(in_piece, part);
    if (mm::Slot* slot = segment.Protect(hazard, index, pages)) [[likely]] {
      source.CopyTo(slot->data() + in_piece, part);
      segment.MarkDirty(slot, pages);
      return;
    }
    // Something is absent: page by page, or run by run where whole pages may be claimed.
    const uint32_t in_page = in_piece & (PAGE_SIZE - 1);
    const uint32_t page = in_piece >> PAGE_SHIFT;
    uint32_t done = std::min<uint32_t>(part, PAGE_SIZE - in_page);
    if (in_page == 0 && part >= PAGE_SIZE && may_overwrite) {
      const uint64_t whole = WholePages(in_piece, part);
      // The run of absent pages that starts here.
      uint64_t resident = 0;
      if (const uint32_t number = segment.SlotNumberAt(index)) resident = mm::SlotOfNumber(number)->resident.load();
      if (!(resident >> page & 1)) {
        const uint64_t absent = (whole & ~resident) >> page;
        const uint64_t run = mm::PageMask(page, static_cast<uint32_t>(std::countr_one(absent)));
        Overwrite overwrite(segment, index, run);
        if (overwrite.claimed() && static_cast<uint32_t>(std::countr_zero(overwrite.claimed())) == page) {
          const uint32_t count = static_cast<uint32_t>(std::countr_one(overwrite.claimed() >> page));
          overwrite.Fill(source);
          done = count * PAGE_SIZE;
          in_piece += done;
          part -= done;
          continue;
        }
      }
    }
    const uint64_t page_start = (index << kSlotShift) + (static_cast<uint64_t>(page) << PAGE_SHIFT);
    const auto fill = page_start >= ZeroFrom(map) ? mm::Segment::Fill::kZero : mm::Segment::Fill::kRead;
    const Status status = segment.MakePiece(index, 1ull << page, mm::Wait::kYes, fill);
    if (!status.ok()) Raise(status);
    mm::Slot* slot = segment.Protect(hazard, index, 1ull << page);
    if (!slot) continue;
    source.CopyTo(slot->data() + in_piece, done);
    segment.MarkDirty(slot, 1ull << page);
    hazard.Clear();
    in_piece += done;
    part -= done;
  }
}

/// Whether a write would have to read, or wait for, a page.
bool WouldBlock(SharedCacheMap* map, uint64_t offset, uint64_t length) {
  mm::Segment& segment = *map->segment;
  const uint64_t zero_from = ZeroFrom(map);
  const auto partial = [&](uint64_t at) {
    const uint64_t start = at & ~static_cast<uint64_t>(PAGE_SIZE - 1);
    return start < zero_from && !segment.IsResident(start, PAGE_SIZE);
  };
  if ((offset & (PAGE_SIZE - 1)) || length < PAGE_SIZE)
    if (partial(offset)) return true;
  const uint64_t end = offset + length;
  return (end & (PAGE_SIZE - 1)) && partial(end - 1);
}

void WriteRange(SharedCacheMap* map, uint64_t offset, uint64_t length, Source source) {
  while (length) {
    const uint32_t in_piece = static_cast<uint32_t>(offset & (kSlotBytes - 1));
    const uint32_t part = static_cast<uint32_t>(std::min<uint64_t>(length, kSlotBytes - in_piece));
    WritePiece(map, offset, part, source);
    offset += part;
    length -= part;
    if (!source.zeros) source.bytes += part;
    // Per piece, so that what was copied before a fault counts.
    map->AdvanceGoal(static_cast<LONGLONG>(offset));
  }
}

constexpr uint32_t kZeroBytes = 64 * 1024;

/// Non-cached writes of zeros.
void ZeroOnDisk(FILE_OBJECT* file, uint64_t start, uint64_t end) {
  struct PoolBuffer {
    void* memory = ex::AllocatePoolZero(NonPagedPoolNx, kZeroBytes, kTagZero);
    ~PoolBuffer() {
      if (memory) ex::FreePool(memory);
    }
  } zeros;
  if (!zeros.memory) Raise(STATUS_INSUFFICIENT_RESOURCES);
  while (start < end) {
    const auto bytes = static_cast<ULONG>(std::min<uint64_t>(end - start, kZeroBytes));
    MDL* mdl = io::AllocateMdl(zeros.memory, bytes, false, false, nullptr);
    if (!mdl) Raise(STATUS_INSUFFICIENT_RESOURCES);
    mm::BuildMdlForNonPagedPool(mdl);
    KEVENT event;
    ke::InitializeEvent(&event, NotificationEvent, false);
    IO_STATUS_BLOCK iosb = {};
    LARGE_INTEGER offset;
    offset.QuadPart = static_cast<LONGLONG>(start);
    Status status = io::SynchronousPageWrite(file, mdl, &offset, &event, &iosb);
    if (status == STATUS_PENDING) ke::WaitFor(&event);
    if (status.ok()) status = iosb.Status;
    io::FreeMdl(mdl);
    if (!status.ok()) Raise(status);
    start += bytes;
  }
}

}  // namespace

bool CopyWrite(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool wait, void* buffer) {
  SharedCacheMap* map = MapOf(file);
  const bool write_through = file->Flags & FO_WRITE_THROUGH;
  const auto start = static_cast<uint64_t>(offset->QuadPart);
  if (!wait && (write_through || (length && WouldBlock(map, start, length)))) return false;
  WriteRange(map, start, length, {static_cast<const char*>(buffer), false});
  if (write_through) {
    uint64_t written = 0;
    const Status status = FlushRange(map, start, start + length, false, ~0ull, &written);
    if (!status.ok()) Raise(status);
  }
  return true;
}

bool CopyWriteEx(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, bool wait, void* buffer, PETHREAD) {
  return CopyWrite(file, offset, length, wait, buffer);
}

void FastCopyWrite(FILE_OBJECT* file, ULONG offset, ULONG length, void* buffer) {
  LARGE_INTEGER wide;
  wide.QuadPart = offset;
  CopyWrite(file, &wide, length, true, buffer);
}

bool CopyWriteWontFlush(FILE_OBJECT*, LARGE_INTEGER*, ULONG length) { return length <= 0x1000000; }

bool ZeroData(FILE_OBJECT* file, LARGE_INTEGER* start, LARGE_INTEGER* end, bool wait) {
  const auto from = static_cast<uint64_t>(start->QuadPart);
  const auto to = static_cast<uint64_t>(end->QuadPart);
  if (from >= to) return true;
  SharedCacheMap* map = file->SectionObjectPointer ? MapOf(file) : nullptr;
  const bool write_through = (file->Flags & FO_WRITE_THROUGH) || !PrivateOf(file);
  if (!map) {
    if (!wait) return false;
    ZeroOnDisk(file, from, to);
    return true;
  }
  if (!wait && (write_through || to - from > kSlotBytes || WouldBlock(map, from, to - from) || IsOverDirtyLimit(file, 0)))
    return false;
  if (write_through) {
    // Through the cache, since others look at it, and out again: whole pages go to the file.
    uint64_t done = 0;
    for (uint64_t at = from; at < to; at += done) {
      done = std::min<uint64_t>(to - at, kSlotBytes);
      WriteRange(map, at, done, {nullptr, true});
      uint64_t written = 0;
      const Status status = FlushRange(map, at, at + done, false, ~0ull, &written);
      if (!status.ok()) Raise(status);
    }
    return true;
  }
  uint64_t flushed = from;
  for (uint64_t at = from; at < to;) {
    const uint64_t part = std::min<uint64_t>(to - at, 4 * kSlotBytes);
    WriteRange(map, at, part, {nullptr, true});
    at += part;
    if (wait && at < to && IsOverDirtyLimit(file, 0)) {
      uint64_t written = 0;
      const Status status = FlushRange(map, flushed, at, false, ~0ull, &written);
      if (!status.ok()) Raise(status);
      flushed = at;
    }
  }
  return true;
}

}  // namespace nt::cc
