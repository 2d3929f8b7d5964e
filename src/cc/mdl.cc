// MDLs over cache pages. One MDL a slot: pages of a stream are contiguous within 256 KiB only. The MDL pins its slot.
#include <algorithm>

#include "src/cc/cache_map.h"
#include "src/io/io.h"
#include "src/mm/mm.h"

namespace nt::cc {
namespace {

using mm::kSlotBytes;
using mm::kSlotShift;
using mm::Segment;

void AppendMdl(MDL** chain, MDL* mdl) {
  while (*chain) chain = &(*chain)->Next;
  *chain = mdl;
}

/// Over pinned pages; takes over the pin.
MDL* MdlOf(mm::Slot* slot, uint32_t in_piece, uint32_t part, bool write) {
  MDL* mdl = io::AllocateMdl(slot->data() + in_piece, part, false, false, nullptr);
  if (!mdl) {
    Segment::Unpin(slot);
    Raise(STATUS_INSUFFICIENT_RESOURCES);
  }
  PFN_NUMBER* frames = MmGetMdlPfnArray(mdl);
  const PFN_NUMBER first = mm::PfnOfAddress(mdl->StartVa);
  const ULONG count = ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl), part);
  for (ULONG i = 0; i < count; i++) frames[i] = first + i;
  mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
  mdl->MdlFlags |= MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | (write ? MDL_WRITE_OPERATION : 0);
  return mdl;
}

void ReleaseMdls(MDL* mdl) {
  while (mdl) {
    MDL* next = mdl->Next;
    Segment::Unpin(mm::SlotOfAddress(mdl->StartVa));
    mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA);
    io::FreeMdl(mdl);
    mdl = next;
  }
}

}  // namespace

void MdlRead(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, MDL** chain, IO_STATUS_BLOCK* iosb) {
  SharedCacheMap* map = MapOf(file);
  auto at = static_cast<uint64_t>(offset->QuadPart);
  ULONG left = length;
  iosb->Information = 0;
  while (left) {
    const uint32_t in_piece = static_cast<uint32_t>(at & (kSlotBytes - 1));
    const uint32_t part = std::min<uint32_t>(left, kSlotBytes - in_piece);
    mm::Slot* slot;
    const Status status = map->segment->PinPiece(at >> kSlotShift, mm::PageMaskOfBytes(in_piece, part), mm::Wait::kYes,
                                                 Segment::Fill::kRead, &slot);
    if (!status.ok()) {
      iosb->Status = status;
      Raise(status);  // what the chain holds so far is the caller's to complete
    }
    AppendMdl(chain, MdlOf(slot, in_piece, part, false));
    iosb->Information += part;
    at += part;
    left -= part;
  }
  iosb->Status = STATUS_SUCCESS;
  if (PrivateCacheMap* private_map = PrivateOf(file))
    NoteRead(private_map, map, static_cast<uint64_t>(offset->QuadPart), length);
}

void MdlReadComplete(FILE_OBJECT*, MDL* chain) { ReleaseMdls(chain); }

void PrepareMdlWrite(FILE_OBJECT* file, LARGE_INTEGER* offset, ULONG length, MDL** chain, IO_STATUS_BLOCK* iosb) {
  SharedCacheMap* map = MapOf(file);
  auto at = static_cast<uint64_t>(offset->QuadPart);
  ULONG left = length;
  iosb->Information = 0;
  const LONGLONG goal = map->valid_data_goal.load();
  const uint64_t zero_from =
      map->TracksValidData() ? (static_cast<uint64_t>(goal) + PAGE_SIZE - 1) & ~static_cast<uint64_t>(PAGE_SIZE - 1) : ~0ull;
  while (left) {
    const uint32_t in_piece = static_cast<uint32_t>(at & (kSlotBytes - 1));
    const uint32_t part = std::min<uint32_t>(left, kSlotBytes - in_piece);
    const uint64_t index = at >> kSlotShift;
    const uint64_t pages = mm::PageMaskOfBytes(in_piece, part);
    // Pages written in part hold file data around; the others need not be read.
    uint64_t partial = 0;
    const uint32_t end = in_piece + part;
    if ((in_piece & (PAGE_SIZE - 1)) && (at & ~static_cast<uint64_t>(PAGE_SIZE - 1)) < zero_from)
      partial |= 1ull << (in_piece >> PAGE_SHIFT);
    if ((end & (PAGE_SIZE - 1)) && ((index << kSlotShift) + (end & ~(PAGE_SIZE - 1u))) < zero_from)
      partial |= 1ull << (end >> PAGE_SHIFT);
    Status status = partial ? map->segment->MakePiece(index, partial, mm::Wait::kYes) : Status(STATUS_SUCCESS);
    mm::Slot* slot = nullptr;
    if (status.ok()) status = map->segment->PinPiece(index, pages, mm::Wait::kYes, Segment::Fill::kZero, &slot);
    if (!status.ok()) {
      iosb->Status = status;
      Raise(status);
    }
    AppendMdl(chain, MdlOf(slot, in_piece, part, true));
    iosb->Information += part;
    at += part;
    left -= part;
  }
  iosb->Status = STATUS_SUCCESS;
}

void MdlWriteComplete(FILE_OBJECT* file, LARGE_INTEGER* offset, MDL* chain) {
  SharedCacheMap* map = MapOf(file);
  const auto start = static_cast<uint64_t>(offset->QuadPart);
  uint64_t at = start;
  for (MDL* mdl = chain; mdl; mdl = mdl->Next) {
    const uint32_t in_piece = static_cast<uint32_t>(at & (kSlotBytes - 1));
    map->segment->MarkDirty(mm::SlotOfAddress(mdl->StartVa), mm::PageMaskOfBytes(in_piece, mdl->ByteCount));
    at += mdl->ByteCount;
  }
  map->AdvanceGoal(static_cast<LONGLONG>(at));
  if (file->Flags & FO_WRITE_THROUGH) {
    uint64_t written = 0;
    const Status status = FlushRange(map, start, at, false, ~0ull, &written);
    if (!status.ok()) Raise(status);  // and the chain stays the caller's
  }
  ReleaseMdls(chain);
}

void MdlWriteAbort(FILE_OBJECT*, MDL* chain) { ReleaseMdls(chain); }

}  // namespace nt::cc
