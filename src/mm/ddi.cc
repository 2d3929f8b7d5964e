// Exports: memory. Contract checks and conversions only.
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/ldr/ldr.h"
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"

using namespace nt;  // NOLINT: a file of exports only

extern "C" {
PVOID MmHighestUserAddress = reinterpret_cast<PVOID>(mm::kHighestUserAddress);
PVOID MmSystemRangeStart = reinterpret_cast<PVOID>(mm::kSystemRangeStart);
ULONG_PTR MmUserProbeAddress = mm::kUserProbeAddress;
}
NT_EXPORT_DATA(MmHighestUserAddress)
NT_EXPORT_DATA(MmSystemRangeStart)
NT_EXPORT_DATA(MmUserProbeAddress)
NT_EXPORT_DATA(MmSectionObjectType)

NT_EXPORT(VOID, MmProbeAndLockPages, (PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation), (mdl, mode, operation)) {
  mm::ProbeAndLockPages(mdl, mode, operation);
}
NT_EXPORT(VOID, MmProbeAndLockProcessPages, (PMDL mdl, PEPROCESS process, KPROCESSOR_MODE mode, LOCK_OPERATION operation), (mdl, process, mode, operation)) {
  mm::ProbeAndLockProcessPages(mdl, process, mode, operation);
}
NT_EXPORT(VOID, MmUnlockPages, (PMDL mdl), (mdl)) {
  mm::UnlockPages(mdl);
}
NT_EXPORT(VOID, MmBuildMdlForNonPagedPool, (PMDL mdl), (mdl)) {
  mm::BuildMdlForNonPagedPool(mdl);
}
NT_EXPORT(SIZE_T, MmSizeOfMdl, (PVOID base, SIZE_T length), (base, length)) {
  return mm::SizeOfMdl(base, length);
}
NT_EXPORT(PMDL, MmCreateMdl, (PMDL mdl, PVOID base, SIZE_T length), (mdl, base, length)) {
  return mm::CreateMdl(mdl, base, length);
}
NT_EXPORT(PVOID, MmMapLockedPages, (PMDL mdl, KPROCESSOR_MODE mode), (mdl, mode)) {
  return mm::MapLockedPages(mdl, mode);
}
NT_EXPORT(PVOID, MmMapLockedPagesSpecifyCache, (PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache, PVOID address, ULONG bug_check, ULONG priority), (mdl, mode, cache, address, bug_check, priority)) {
  return mm::MapLockedPagesSpecifyCache(mdl, mode, cache, address, bug_check, priority);
}
NT_EXPORT(VOID, MmUnmapLockedPages, (PVOID base, PMDL mdl), (base, mdl)) {
  mm::UnmapLockedPages(base, mdl);
}
NT_EXPORT(NTSTATUS, MmAdvanceMdl, (PMDL mdl, ULONG bytes), (mdl, bytes)) {
  return mm::AdvanceMdl(mdl, bytes);
}
NT_EXPORT(PMDL, MmAllocatePagesForMdl, (PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high, PHYSICAL_ADDRESS skip, SIZE_T bytes), (low, high, skip, bytes)) {
  return mm::AllocatePagesForMdl(low, high, skip, bytes);
}
NT_EXPORT(PMDL, MmAllocatePagesForMdlEx, (PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high, PHYSICAL_ADDRESS skip, SIZE_T bytes, MEMORY_CACHING_TYPE cache, ULONG flags), (low, high, skip, bytes, cache, flags)) {
  return mm::AllocatePagesForMdlEx(low, high, skip, bytes, cache, flags);
}
NT_EXPORT(VOID, MmFreePagesFromMdl, (PMDL mdl), (mdl)) {
  mm::FreePagesFromMdl(mdl);
}
NT_EXPORT(BOOLEAN, MmIsAddressValid, (PVOID address), (address)) {
  return mm::IsAddressValid(address);
}
NT_EXPORT(BOOLEAN, MmIsNonPagedSystemAddressValid, (PVOID address), (address)) {
  return mm::IsNonPagedSystemAddressValid(address);
}
NT_EXPORT(BOOLEAN, MmIsRecursiveIoFault, (VOID), ()) {
  return mm::IsRecursiveIoFault();
}
NT_EXPORT(BOOLEAN, MmIsThisAnNtAsSystem, (VOID), ()) {
  return FALSE;  // a workstation
}
NT_EXPORT(LOGICAL, MmIsDriverVerifying, (struct _DRIVER_OBJECT* driver), (driver)) {
  (void)driver;
  return FALSE;  // Driver Verifier does not run here
}
NT_EXPORT(LOGICAL, MmIsDriverVerifyingByAddress, (PVOID address), (address)) {
  (void)address;
  return FALSE;
}
NT_EXPORT(PHYSICAL_ADDRESS, MmGetPhysicalAddress, (PVOID address), (address)) {
  return mm::GetPhysicalAddress(address);
}
NT_EXPORT(PVOID, MmGetSystemRoutineAddress, (PUNICODE_STRING name), (name)) {
  return mm::GetSystemRoutineAddress(name);
}
NT_EXPORT(MM_SYSTEMSIZE, MmQuerySystemSize, (VOID), ()) {
  return mm::QuerySystemSize();
}
NT_EXPORT(PVOID, MmAllocateContiguousMemory, (SIZE_T bytes, PHYSICAL_ADDRESS highest), (bytes, highest)) {
  (void)highest;
  return ex::AllocatePool(NonPagedPoolNx, bytes < PAGE_SIZE ? PAGE_SIZE : bytes, 'tnoC');
}
NT_EXPORT(PVOID, MmAllocateContiguousMemorySpecifyCache, (SIZE_T bytes, PHYSICAL_ADDRESS lowest, PHYSICAL_ADDRESS highest, PHYSICAL_ADDRESS boundary, MEMORY_CACHING_TYPE cache), (bytes, lowest, highest, boundary, cache)) {
  (void)lowest, (void)highest, (void)boundary, (void)cache;
  return ex::AllocatePool(NonPagedPoolNx, bytes < PAGE_SIZE ? PAGE_SIZE : bytes, 'tnoC');
}
NT_EXPORT(VOID, MmFreeContiguousMemory, (PVOID base), (base)) {
  ex::FreePool(base);
}
NT_EXPORT(VOID, MmFreeContiguousMemorySpecifyCache, (PVOID base, SIZE_T bytes, MEMORY_CACHING_TYPE cache), (base, bytes, cache)) {
  (void)bytes, (void)cache;
  ex::FreePool(base);
}
NT_EXPORT(PVOID, MmAllocateNonCachedMemory, (SIZE_T bytes), (bytes)) {
  return ex::AllocatePool(NonPagedPoolNx, bytes < PAGE_SIZE ? PAGE_SIZE : bytes, 'tnoC');
}
NT_EXPORT(VOID, MmFreeNonCachedMemory, (PVOID base, SIZE_T bytes), (base, bytes)) {
  (void)bytes;
  ex::FreePool(base);
}

// Nothing is ever paged out of a driver image; the handle is the image.
static PVOID ImageHandle(PVOID address) {
  const ldr::Image* image = ldr::FindImage(reinterpret_cast<uint64_t>(address));
  if (!image)
    ke::BugCheckWithMessage("MmLockPagableDataSection: the address is in no driver image", MEMORY_MANAGEMENT,
                            reinterpret_cast<ULONG_PTR>(address));
  return reinterpret_cast<PVOID>(image->base);
}
NT_EXPORT(PVOID, MmLockPagableDataSection, (PVOID address), (address)) {
  return ImageHandle(address);
}
NT_EXPORT(VOID, MmLockPagableSectionByHandle, (PVOID handle), (handle)) {
  ImageHandle(handle);
}
NT_EXPORT(VOID, MmUnlockPagableImageSection, (PVOID handle), (handle)) {
  ImageHandle(handle);
}
NT_EXPORT(PVOID, MmPageEntireDriver, (PVOID address), (address)) {
  return ImageHandle(address);
}
NT_EXPORT(VOID, MmResetDriverPaging, (PVOID address), (address)) {
  ImageHandle(address);
}

NT_EXPORT(BOOLEAN, MmFlushImageSection, (PSECTION_OBJECT_POINTERS pointers, MMFLUSH_TYPE type), (pointers, type)) {
  return mm::FlushImageSection(pointers, type);
}
NT_EXPORT(BOOLEAN, MmCanFileBeTruncated, (PSECTION_OBJECT_POINTERS pointers, PLARGE_INTEGER size), (pointers, size)) {
  return mm::CanFileBeTruncated(pointers, size);
}
NT_EXPORT(BOOLEAN, MmForceSectionClosed, (PSECTION_OBJECT_POINTERS pointers, BOOLEAN delay), (pointers, delay)) {
  return mm::ForceSectionClosed(pointers, delay);
}
NT_EXPORT(BOOLEAN, MmForceSectionClosedEx, (PSECTION_OBJECT_POINTERS pointers, ULONG flags), (pointers, flags)) {
  return mm::ForceSectionClosedEx(pointers, flags);
}
NT_EXPORT(ULONG, MmDoesFileHaveUserWritableReferences, (PSECTION_OBJECT_POINTERS pointers), (pointers)) {
  return mm::DoesFileHaveUserWritableReferences(pointers);
}
NT_EXPORT(BOOLEAN, MmDisableModifiedWriteOfSection, (PSECTION_OBJECT_POINTERS pointers), (pointers)) {
  return mm::DisableModifiedWriteOfSection(pointers);
}
NT_EXPORT(NTSTATUS, MmPrefetchPages, (ULONG lists, PREAD_LIST* read_lists), (lists, read_lists)) {
  return mm::PrefetchPages(lists, read_lists);
}
NT_EXPORT(NTSTATUS, MmSetAddressRangeModified, (PVOID address, SIZE_T length), (address, length)) {
  return mm::SetAddressRangeModified(address, length);
}
NT_EXPORT(NTSTATUS, MmCreateSection, (PVOID* section, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PLARGE_INTEGER size, ULONG protection, ULONG allocation, HANDLE handle, PFILE_OBJECT file), (section, access, attributes, size, protection, allocation, handle, file)) {
  return mm::CreateSection(section, access, attributes, size, protection, allocation, handle, file);
}
NT_EXPORT(NTSTATUS, MmMapViewInSystemSpace, (PVOID section, PVOID* base, PSIZE_T bytes), (section, base, bytes)) {
  return mm::MapViewInSystemSpace(section, base, bytes);
}
NT_EXPORT(NTSTATUS, MmUnmapViewInSystemSpace, (PVOID base), (base)) {
  return mm::UnmapViewInSystemSpace(base);
}
NT_EXPORT(NTSTATUS, MmMapViewOfSection, (PVOID section, PEPROCESS process, PVOID* base, ULONG_PTR zero_bits, SIZE_T commit, PLARGE_INTEGER offset, PSIZE_T bytes, SECTION_INHERIT inherit, ULONG type, ULONG protect), (section, process, base, zero_bits, commit, offset, bytes, inherit, type, protect)) {
  (void)zero_bits, (void)commit, (void)inherit, (void)type;
  return mm::MapViewOfSection(section, process, base, offset, bytes, protect);
}
NT_EXPORT(NTSTATUS, MmUnmapViewOfSection, (PEPROCESS process, PVOID base), (process, base)) {
  return mm::UnmapViewOfSection(process, base);
}

// Services. Zw: previous mode KernelMode; Nt: that of the thread.
NT_EXPORT(NTSTATUS, NtCreateSection, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PLARGE_INTEGER size, ULONG protection, ULONG allocation, HANDLE file), (handle, access, attributes, size, protection, allocation, file)) {
  return mm::NtCreateSection(handle, access, attributes, size, protection, allocation, file);
}
NT_EXPORT(NTSTATUS, ZwCreateSection, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, PLARGE_INTEGER size, ULONG protection, ULONG allocation, HANDLE file), (handle, access, attributes, size, protection, allocation, file)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtCreateSection(handle, access, attributes, size, protection, allocation, file);
}
NT_EXPORT(NTSTATUS, NtOpenSection, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes), (handle, access, attributes)) {
  return mm::NtOpenSection(handle, access, attributes);
}
NT_EXPORT(NTSTATUS, ZwOpenSection, (PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes), (handle, access, attributes)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtOpenSection(handle, access, attributes);
}
NT_EXPORT(NTSTATUS, NtMapViewOfSection, (HANDLE section, HANDLE process, PVOID* base, ULONG_PTR zero_bits, SIZE_T commit, PLARGE_INTEGER offset, PSIZE_T bytes, SECTION_INHERIT inherit, ULONG type, ULONG protect), (section, process, base, zero_bits, commit, offset, bytes, inherit, type, protect)) {
  return mm::NtMapViewOfSection(section, process, base, zero_bits, commit, offset, bytes, inherit, type, protect);
}
NT_EXPORT(NTSTATUS, ZwMapViewOfSection, (HANDLE section, HANDLE process, PVOID* base, ULONG_PTR zero_bits, SIZE_T commit, PLARGE_INTEGER offset, PSIZE_T bytes, SECTION_INHERIT inherit, ULONG type, ULONG protect), (section, process, base, zero_bits, commit, offset, bytes, inherit, type, protect)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtMapViewOfSection(section, process, base, zero_bits, commit, offset, bytes, inherit, type, protect);
}
NT_EXPORT(NTSTATUS, NtUnmapViewOfSection, (HANDLE process, PVOID base), (process, base)) {
  return mm::NtUnmapViewOfSection(process, base);
}
NT_EXPORT(NTSTATUS, ZwUnmapViewOfSection, (HANDLE process, PVOID base), (process, base)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtUnmapViewOfSection(process, base);
}
NT_EXPORT(NTSTATUS, NtQuerySection, (HANDLE section, SECTION_INFORMATION_CLASS information_class, PVOID buffer, SIZE_T length, PSIZE_T returned), (section, information_class, buffer, length, returned)) {
  return mm::NtQuerySection(section, information_class, buffer, length, returned);
}
NT_EXPORT(NTSTATUS, ZwQuerySection, (HANDLE section, SECTION_INFORMATION_CLASS information_class, PVOID buffer, SIZE_T length, PSIZE_T returned), (section, information_class, buffer, length, returned)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtQuerySection(section, information_class, buffer, length, returned);
}
NT_EXPORT(NTSTATUS, NtExtendSection, (HANDLE section, PLARGE_INTEGER size), (section, size)) {
  return mm::NtExtendSection(section, size);
}
NT_EXPORT(NTSTATUS, ZwExtendSection, (HANDLE section, PLARGE_INTEGER size), (section, size)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtExtendSection(section, size);
}
NT_EXPORT(NTSTATUS, NtAllocateVirtualMemory, (HANDLE process, PVOID* base, ULONG_PTR zero_bits, PSIZE_T bytes, ULONG type, ULONG protect), (process, base, zero_bits, bytes, type, protect)) {
  return mm::NtAllocateVirtualMemory(process, base, zero_bits, bytes, type, protect);
}
NT_EXPORT(NTSTATUS, ZwAllocateVirtualMemory, (HANDLE process, PVOID* base, ULONG_PTR zero_bits, PSIZE_T bytes, ULONG type, ULONG protect), (process, base, zero_bits, bytes, type, protect)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtAllocateVirtualMemory(process, base, zero_bits, bytes, type, protect);
}
NT_EXPORT(NTSTATUS, NtFreeVirtualMemory, (HANDLE process, PVOID* base, PSIZE_T bytes, ULONG type), (process, base, bytes, type)) {
  return mm::NtFreeVirtualMemory(process, base, bytes, type);
}
NT_EXPORT(NTSTATUS, ZwFreeVirtualMemory, (HANDLE process, PVOID* base, PSIZE_T bytes, ULONG type), (process, base, bytes, type)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtFreeVirtualMemory(process, base, bytes, type);
}
NT_EXPORT(NTSTATUS, NtFlushVirtualMemory, (HANDLE process, PVOID* base, PSIZE_T bytes, PIO_STATUS_BLOCK iosb), (process, base, bytes, iosb)) {
  return mm::NtFlushVirtualMemory(process, base, bytes, iosb);
}
NT_EXPORT(NTSTATUS, ZwFlushVirtualMemory, (HANDLE process, PVOID* base, PSIZE_T bytes, PIO_STATUS_BLOCK iosb), (process, base, bytes, iosb)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtFlushVirtualMemory(process, base, bytes, iosb);
}
NT_EXPORT(NTSTATUS, NtProtectVirtualMemory, (HANDLE process, PVOID* base, PSIZE_T bytes, ULONG protect, PULONG old_protect), (process, base, bytes, protect, old_protect)) {
  return mm::NtProtectVirtualMemory(process, base, bytes, protect, old_protect);
}
NT_EXPORT(NTSTATUS, ZwProtectVirtualMemory, (HANDLE process, PVOID* base, PSIZE_T bytes, ULONG protect, PULONG old_protect), (process, base, bytes, protect, old_protect)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtProtectVirtualMemory(process, base, bytes, protect, old_protect);
}
NT_EXPORT(NTSTATUS, NtQueryVirtualMemory, (HANDLE process, PVOID base, MEMORY_INFORMATION_CLASS information_class, PVOID buffer, SIZE_T length, PSIZE_T returned), (process, base, information_class, buffer, length, returned)) {
  return mm::NtQueryVirtualMemory(process, base, information_class, buffer, length, returned);
}
NT_EXPORT(NTSTATUS, ZwQueryVirtualMemory, (HANDLE process, PVOID base, MEMORY_INFORMATION_CLASS information_class, PVOID buffer, SIZE_T length, PSIZE_T returned), (process, base, information_class, buffer, length, returned)) {
  ke::PreviousModeScope mode(KernelMode);
  return mm::NtQueryVirtualMemory(process, base, information_class, buffer, length, returned);
}
