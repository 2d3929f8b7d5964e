// Exports: the cache manager. Conversions only.
#include "src/cc/cc.h"
#include "src/ldr/export.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(VOID, CcInitializeCacheMap, (PFILE_OBJECT file, PCC_FILE_SIZES sizes, BOOLEAN pin_access, PCACHE_MANAGER_CALLBACKS callbacks, PVOID context), (file, sizes, pin_access, callbacks, context)) {
  cc::InitializeCacheMap(file, sizes, pin_access, callbacks, context);
}
NT_EXPORT(VOID, CcInitializeCacheMapEx, (PFILE_OBJECT file, PCC_FILE_SIZES sizes, BOOLEAN pin_access, PCACHE_MANAGER_CALLBACKS callbacks, PVOID context, ULONG flags), (file, sizes, pin_access, callbacks, context, flags)) {
  cc::InitializeCacheMap(file, sizes, pin_access, callbacks, context);
  if (flags) cc::SetAdditionalCacheAttributesEx(file, flags);
}
NT_EXPORT(BOOLEAN, CcUninitializeCacheMap, (PFILE_OBJECT file, PLARGE_INTEGER truncate_size, PCACHE_UNINITIALIZE_EVENT event), (file, truncate_size, event)) {
  return cc::UninitializeCacheMap(file, truncate_size, event);
}
NT_EXPORT(VOID, CcSetFileSizes, (PFILE_OBJECT file, PCC_FILE_SIZES sizes), (file, sizes)) {
  cc::SetFileSizes(file, sizes);
}
NT_EXPORT(NTSTATUS, CcSetFileSizesEx, (PFILE_OBJECT file, PCC_FILE_SIZES sizes), (file, sizes)) {
  return cc::SetFileSizesEx(file, sizes);
}
NT_EXPORT(BOOLEAN, CcPurgeCacheSection, (PSECTION_OBJECT_POINTERS pointers, PLARGE_INTEGER offset, ULONG length, ULONG flags), (pointers, offset, length, flags)) {
  return cc::PurgeCacheSection(pointers, offset, length, flags);
}
NT_EXPORT(VOID, CcCoherencyFlushAndPurgeCache, (PSECTION_OBJECT_POINTERS pointers, PLARGE_INTEGER offset, ULONG length, PIO_STATUS_BLOCK iosb, ULONG flags), (pointers, offset, length, iosb, flags)) {
  cc::CoherencyFlushAndPurgeCache(pointers, offset, length, iosb, flags);
}
NT_EXPORT(VOID, CcFlushCache, (PSECTION_OBJECT_POINTERS pointers, PLARGE_INTEGER offset, ULONG length, PIO_STATUS_BLOCK iosb), (pointers, offset, length, iosb)) {
  cc::FlushCache(pointers, offset, length, iosb);
}
NT_EXPORT(LARGE_INTEGER, CcGetFlushedValidData, (PSECTION_OBJECT_POINTERS pointers, BOOLEAN bcb_list_held), (pointers, bcb_list_held)) {
  return cc::GetFlushedValidData(pointers, bcb_list_held);
}
NT_EXPORT(BOOLEAN, CcZeroData, (PFILE_OBJECT file, PLARGE_INTEGER start, PLARGE_INTEGER end, BOOLEAN wait), (file, start, end, wait)) {
  return cc::ZeroData(file, start, end, wait);
}
NT_EXPORT(PFILE_OBJECT, CcGetFileObjectFromSectionPtrs, (PSECTION_OBJECT_POINTERS pointers), (pointers)) {
  return cc::GetFileObjectFromSectionPtrs(pointers);
}
NT_EXPORT(PFILE_OBJECT, CcGetFileObjectFromSectionPtrsRef, (PSECTION_OBJECT_POINTERS pointers), (pointers)) {
  return cc::GetFileObjectFromSectionPtrsRef(pointers);
}
NT_EXPORT(PFILE_OBJECT, CcGetFileObjectFromBcb, (PVOID bcb), (bcb)) {
  return cc::GetFileObjectFromBcb(bcb);
}
NT_EXPORT(VOID, CcSetDirtyPageThreshold, (PFILE_OBJECT file, ULONG pages), (file, pages)) {
  cc::SetDirtyPageThreshold(file, pages);
}
NT_EXPORT(VOID, CcSetAdditionalCacheAttributes, (PFILE_OBJECT file, BOOLEAN read_ahead, BOOLEAN write_behind), (file, read_ahead, write_behind)) {
  cc::SetAdditionalCacheAttributes(file, read_ahead, write_behind);
}
NT_EXPORT(VOID, CcSetAdditionalCacheAttributesEx, (PFILE_OBJECT file, ULONG flags), (file, flags)) {
  cc::SetAdditionalCacheAttributesEx(file, flags);
}
NT_EXPORT(VOID, CcSetParallelFlushFile, (PFILE_OBJECT file, BOOLEAN enable), (file, enable)) {
  (void)file, (void)enable;  // a hint about how flushes are cut up; ours follow no order anyway
}
NT_EXPORT(VOID, CcSetLogHandleForFile, (PFILE_OBJECT file, PVOID log_handle, PFLUSH_TO_LSN routine), (file, log_handle, routine)) {
  cc::SetLogHandleForFile(file, log_handle, routine);
}
NT_EXPORT(LARGE_INTEGER, CcGetDirtyPages, (PVOID log_handle, PDIRTY_PAGE_ROUTINE routine, PVOID context1, PVOID context2), (log_handle, routine, context1, context2)) {
  return cc::GetDirtyPages(log_handle, routine, context1, context2);
}
NT_EXPORT(BOOLEAN, CcIsThereDirtyData, (PVPB vpb), (vpb)) {
  return cc::IsThereDirtyData(vpb);
}
NT_EXPORT(BOOLEAN, CcIsThereDirtyDataEx, (PVPB vpb, PULONG pages), (vpb, pages)) {
  return cc::IsThereDirtyDataEx(vpb, pages);
}
NT_EXPORT(NTSTATUS, CcWaitForCurrentLazyWriterActivity, (VOID), ()) {
  return cc::WaitForCurrentLazyWriterActivity();
}

NT_EXPORT(BOOLEAN, CcCopyRead, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN wait, PVOID buffer, PIO_STATUS_BLOCK iosb), (file, offset, length, wait, buffer, iosb)) {
  return cc::CopyRead(file, offset, length, wait, buffer, iosb);
}
NT_EXPORT(BOOLEAN, CcCopyReadEx, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN wait, PVOID buffer, PIO_STATUS_BLOCK iosb, PETHREAD issuer), (file, offset, length, wait, buffer, iosb, issuer)) {
  return cc::CopyReadEx(file, offset, length, wait, buffer, iosb, issuer);
}
NT_EXPORT(VOID, CcFastCopyRead, (PFILE_OBJECT file, ULONG offset, ULONG length, ULONG pages, PVOID buffer, PIO_STATUS_BLOCK iosb), (file, offset, length, pages, buffer, iosb)) {
  cc::FastCopyRead(file, offset, length, pages, buffer, iosb);
}
NT_EXPORT(BOOLEAN, CcCopyWrite, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN wait, PVOID buffer), (file, offset, length, wait, buffer)) {
  return cc::CopyWrite(file, offset, length, wait, buffer);
}
NT_EXPORT(BOOLEAN, CcCopyWriteEx, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN wait, PVOID buffer, PETHREAD issuer), (file, offset, length, wait, buffer, issuer)) {
  return cc::CopyWriteEx(file, offset, length, wait, buffer, issuer);
}
NT_EXPORT(VOID, CcFastCopyWrite, (PFILE_OBJECT file, ULONG offset, ULONG length, PVOID buffer), (file, offset, length, buffer)) {
  cc::FastCopyWrite(file, offset, length, buffer);
}
NT_EXPORT(BOOLEAN, CcCopyWriteWontFlush, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length), (file, offset, length)) {
  return cc::CopyWriteWontFlush(file, offset, length);
}
NT_EXPORT(BOOLEAN, CcCanIWrite, (PFILE_OBJECT file, ULONG bytes, BOOLEAN wait, UCHAR retrying), (file, bytes, wait, retrying)) {
  return cc::CanIWrite(file, bytes, wait, retrying);
}
NT_EXPORT(VOID, CcDeferWrite, (PFILE_OBJECT file, PCC_POST_DEFERRED_WRITE post, PVOID context1, PVOID context2, ULONG bytes, BOOLEAN retrying), (file, post, context1, context2, bytes, retrying)) {
  cc::DeferWrite(file, post, context1, context2, bytes, retrying);
}

NT_EXPORT(VOID, CcMdlRead, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, PMDL* chain, PIO_STATUS_BLOCK iosb), (file, offset, length, chain, iosb)) {
  cc::MdlRead(file, offset, length, chain, iosb);
}
NT_EXPORT(VOID, CcMdlReadComplete, (PFILE_OBJECT file, PMDL chain), (file, chain)) {
  cc::MdlReadComplete(file, chain);
}
NT_EXPORT(VOID, CcPrepareMdlWrite, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, PMDL* chain, PIO_STATUS_BLOCK iosb), (file, offset, length, chain, iosb)) {
  cc::PrepareMdlWrite(file, offset, length, chain, iosb);
}
NT_EXPORT(VOID, CcMdlWriteComplete, (PFILE_OBJECT file, PLARGE_INTEGER offset, PMDL chain), (file, offset, chain)) {
  cc::MdlWriteComplete(file, offset, chain);
}
NT_EXPORT(VOID, CcMdlWriteAbort, (PFILE_OBJECT file, PMDL chain), (file, chain)) {
  cc::MdlWriteAbort(file, chain);
}

NT_EXPORT(BOOLEAN, CcMapData, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG flags, PVOID* bcb, PVOID* buffer), (file, offset, length, flags, bcb, buffer)) {
  return cc::MapData(file, offset, length, flags, bcb, buffer);
}
NT_EXPORT(BOOLEAN, CcPinMappedData, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG flags, PVOID* bcb), (file, offset, length, flags, bcb)) {
  return cc::PinMappedData(file, offset, length, flags, bcb);
}
NT_EXPORT(BOOLEAN, CcPinRead, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, ULONG flags, PVOID* bcb, PVOID* buffer), (file, offset, length, flags, bcb, buffer)) {
  return cc::PinRead(file, offset, length, flags, bcb, buffer);
}
NT_EXPORT(BOOLEAN, CcPreparePinWrite, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN zero, ULONG flags, PVOID* bcb, PVOID* buffer), (file, offset, length, zero, flags, bcb, buffer)) {
  return cc::PreparePinWrite(file, offset, length, zero, flags, bcb, buffer);
}
NT_EXPORT(VOID, CcSetDirtyPinnedData, (PVOID bcb, PLARGE_INTEGER lsn), (bcb, lsn)) {
  cc::SetDirtyPinnedData(bcb, lsn);
}
NT_EXPORT(VOID, CcUnpinData, (PVOID bcb), (bcb)) {
  cc::UnpinData(bcb);
}
NT_EXPORT(VOID, CcUnpinDataForThread, (PVOID bcb, ERESOURCE_THREAD thread), (bcb, thread)) {
  cc::UnpinDataForThread(bcb, thread);
}
NT_EXPORT(VOID, CcSetBcbOwnerPointer, (PVOID bcb, PVOID owner), (bcb, owner)) {
  cc::SetBcbOwnerPointer(bcb, owner);
}
NT_EXPORT(VOID, CcRepinBcb, (PVOID bcb), (bcb)) {
  cc::RepinBcb(bcb);
}
NT_EXPORT(VOID, CcUnpinRepinnedBcb, (PVOID bcb, BOOLEAN write_through, PIO_STATUS_BLOCK iosb), (bcb, write_through, iosb)) {
  cc::UnpinRepinnedBcb(bcb, write_through, iosb);
}
NT_EXPORT(PVOID, CcRemapBcb, (PVOID bcb), (bcb)) {
  return cc::RemapBcb(bcb);
}

NT_EXPORT(VOID, CcScheduleReadAhead, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length), (file, offset, length)) {
  cc::ScheduleReadAhead(file, offset, length);
}
NT_EXPORT(VOID, CcScheduleReadAheadEx, (PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, PETHREAD issuer), (file, offset, length, issuer)) {
  (void)issuer;  // whose account the read would be on
  cc::ScheduleReadAhead(file, offset, length);
}
NT_EXPORT(VOID, CcSetReadAheadGranularity, (PFILE_OBJECT file, ULONG granularity), (file, granularity)) {
  cc::SetReadAheadGranularity(file, granularity);
}
