// MDLs that belong to IRPs.
#include "src/io/internal.h"
#include "src/mm/mm.h"

namespace nt::io {

MDL* AllocateMdl(void* address, ULONG length, bool secondary, bool, IRP* irp) {
  if (length > 0x7fffffff) return nullptr;
  const ULONG pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length);
  const SIZE_T bytes = sizeof(MDL) + pages * sizeof(PFN_NUMBER);
  auto* mdl = static_cast<MDL*>(ex::AllocatePool(NonPagedPoolNx, bytes, ' ldM'));
  if (!mdl) return nullptr;
  MmInitializeMdl(mdl, address, length);
  mdl->Process = nullptr;
  mdl->MappedSystemVa = nullptr;
  if (irp) {
    if (!secondary) {
      irp->MdlAddress = mdl;
    } else {
      MDL** end = &irp->MdlAddress;
      while (*end) end = &(*end)->Next;
      *end = mdl;
    }
  }
  return mdl;
}

void FreeMdl(MDL* mdl) {
  if (mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) mm::UnmapLockedPages(mdl->MappedSystemVa, mdl);
  ex::FreePool(mdl);
}

void BuildPartialMdl(MDL* source, MDL* target, void* address, ULONG length) {
  auto* base = static_cast<char*>(MmGetMdlVirtualAddress(source));
  const auto offset = static_cast<ULONG>(static_cast<char*>(address) - base);
  if (length == 0) length = source->ByteCount - offset;
  const ULONG pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length);
  // MDL::Size wraps for long MDLs, as on Windows; the pool block does not.
  const SIZE_T capacity = ex::PoolBlockBytes(target);
  if (offset + static_cast<ULONG64>(length) > source->ByteCount ||
      (capacity && capacity < sizeof(MDL) + pages * sizeof(PFN_NUMBER)))
    ke::BugCheckWithMessage("IoBuildPartialMdl beyond its source, or into an MDL that is too small",
                            TARGET_MDL_TOO_SMALL, reinterpret_cast<ULONG_PTR>(source), reinterpret_cast<ULONG_PTR>(target),
                            reinterpret_cast<ULONG_PTR>(address), length);
  target->Process = source->Process;
  target->StartVa = PAGE_ALIGN(address);
  target->ByteOffset = BYTE_OFFSET(address);
  target->ByteCount = length;
  target->MdlFlags = static_cast<CSHORT>((target->MdlFlags & (MDL_ALLOCATED_FIXED_SIZE | MDL_ALLOCATED_MUST_SUCCEED)) |
                                         (source->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA |
                                                              MDL_IO_PAGE_READ | MDL_IO_SPACE)) |
                                         MDL_PARTIAL);
  target->MappedSystemVa =
      source->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)
          ? static_cast<char*>(source->MappedSystemVa) + offset
          : nullptr;
  const auto first = (reinterpret_cast<ULONG_PTR>(PAGE_ALIGN(address)) - reinterpret_cast<ULONG_PTR>(source->StartVa)) >>
                     PAGE_SHIFT;
  const PPFN_NUMBER from = MmGetMdlPfnArray(source) + first;
  PPFN_NUMBER to = MmGetMdlPfnArray(target);
  for (ULONG i = 0; i < pages; i++) to[i] = from[i];
}

}  // namespace nt::io
