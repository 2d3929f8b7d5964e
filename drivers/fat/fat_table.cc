// Entries of the FAT, read and changed in the cached volume stream, which begins at the boot sector.
#include "fat.h"

namespace fat {

NTSTATUS FatCursor::Locate(LONGLONG offset, UCHAR** at) {
  const LONGLONG page = offset & ~static_cast<LONGLONG>(PAGE_SIZE - 1);
  if (!view_ || base_ != page) {
    const LONGLONG end = vcb_.volume_fcb->file_size();
    const ULONG length = static_cast<ULONG>(Min(end - page, static_cast<LONGLONG>(PAGE_SIZE)));
    const NTSTATUS status = access_ == Access::kRead ? view_.Map(vcb_.volume_stream, page, length)
                                                     : view_.Pin(vcb_.volume_stream, page, length);
    if (!NT_SUCCESS(status)) return status;
    base_ = page;
  }
  *at = view_.As<UCHAR>(static_cast<ULONG>(offset - page));
  return STATUS_SUCCESS;
}

NTSTATUS FatCursor::ReadRaw(ULONG cluster, ULONG* value) {
  const Geometry& geometry = vcb_.geometry;
  UCHAR* at;
  switch (geometry.type) {
    case FatType::k12: {
      // An entry may lie across two pages: take its bytes one by one.
      const LONGLONG offset = geometry.fat_base + cluster + cluster / 2;
      FAT_TRY_STATUS(Locate(offset, &at));
      const ULONG low = *at;
      FAT_TRY_STATUS(Locate(offset + 1, &at));
      const ULONG both = low | (static_cast<ULONG>(*at) << 8);
      *value = (cluster & 1) != 0 ? both >> 4 : both & 0x0FFF;
      return STATUS_SUCCESS;
    }
    case FatType::k16:
      FAT_TRY_STATUS(Locate(geometry.fat_base + cluster * 2LL, &at));
      *value = *reinterpret_cast<volatile USHORT*>(at);
      return STATUS_SUCCESS;
    default:
      FAT_TRY_STATUS(Locate(geometry.fat_base + cluster * 4LL, &at));
      *value = *reinterpret_cast<volatile ULONG*>(at) & 0x0FFFFFFF;
      return STATUS_SUCCESS;
  }
}

NTSTATUS FatCursor::Read(ULONG cluster, ULONG* value) {
  FAT_TRY_STATUS(ReadRaw(cluster, value));
  const ULONG reserved = vcb_.geometry.type == FatType::k12   ? 0xFF0
                         : vcb_.geometry.type == FatType::k16 ? 0xFFF0
                                                              : 0x0FFFFFF0;
  if (*value >= reserved + 8) {
    *value = kFatEnd;
  } else if (*value >= reserved) {
    *value = kFatBad;
  }
  return STATUS_SUCCESS;
}

NTSTATUS FatCursor::Write(ULONG cluster, ULONG value) {
  const Geometry& geometry = vcb_.geometry;
  UCHAR* at;
  switch (geometry.type) {
    case FatType::k12: {
      const LONGLONG offset = geometry.fat_base + cluster + cluster / 2;
      const ULONG bits = value & 0x0FFF;
      FAT_TRY_STATUS(Locate(offset, &at));
      *at = static_cast<UCHAR>((cluster & 1) != 0 ? (*at & 0x0F) | (bits << 4) : bits);
      view_.SetDirty();
      FAT_TRY_STATUS(Locate(offset + 1, &at));
      *at = static_cast<UCHAR>((cluster & 1) != 0 ? bits >> 4 : (*at & 0xF0) | (bits >> 8));
      break;
    }
    case FatType::k16:
      FAT_TRY_STATUS(Locate(geometry.fat_base + cluster * 2LL, &at));
      *reinterpret_cast<volatile USHORT*>(at) = static_cast<USHORT>(value);
      break;
    default: {
      FAT_TRY_STATUS(Locate(geometry.fat_base + cluster * 4LL, &at));
      volatile ULONG* entry = reinterpret_cast<volatile ULONG*>(at);
      *entry = (*entry & 0xF0000000) | (value & 0x0FFFFFFF);  // the top four bits are not ours
      break;
    }
  }
  view_.SetDirty();
  return STATUS_SUCCESS;
}

NTSTATUS ReadFatEntry(Vcb& vcb, ULONG cluster, ULONG* value) {
  FatCursor cursor(vcb, FatCursor::Access::kRead);
  return cursor.Read(cluster, value);
}

}  // namespace fat
