// Sections: made over a file (under the file system's section-sync acquisition) or over nothing; mapped as views.
#include "src/mm/section.h"

#include <algorithm>
#include <string>

#include "src/fsrtl/fsrtl.h"
#include "src/host/host.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ldr/user_access.h"
#include "src/mm/mm.h"
#include "src/mm/view.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

extern "C" {
POBJECT_TYPE MmSectionObjectType = nullptr;
}

namespace nt::mm {
namespace {

bool IsWritable(ULONG protection) { return protection & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE); }

void RemoveSection(void* object) {
  auto* section = static_cast<Section*>(object);
  if (!section->segment) return;
  if (section->user && section->writable) section->segment->writable_sections.fetch_sub(1);
  if (section->user) section->segment->user_sections.fetch_sub(1);
  ReleaseSegment(section->segment);
}

/// File systems look at these bits of their header.
void SetUserMapped(FILE_OBJECT* file, bool writable) {
  auto* header = static_cast<FSRTL_COMMON_FCB_HEADER*>(file->FsContext);
  if (!header) return;
  __atomic_fetch_or(&header->Flags, static_cast<UCHAR>(FSRTL_FLAG_USER_MAPPED_FILE), __ATOMIC_RELAXED);
  if (writable) __atomic_fetch_or(&header->Flags2, static_cast<UCHAR>(FSRTL_FLAG2_WRITABLE_USER_MAPPED_FILE), __ATOMIC_RELAXED);
}

Status ExtendFile(FILE_OBJECT* file, uint64_t size) {
  FILE_END_OF_FILE_INFORMATION information;
  information.EndOfFile.QuadPart = static_cast<LONGLONG>(size);
  return io::SetInformation(file, FileEndOfFileInformation, sizeof information, &information);
}

/// Size and segment of a section over a file; the file is held by the caller where it was asked for by handle.
Status OverFile(FILE_OBJECT* file, uint64_t wanted, bool writable, Segment** segment, uint64_t* size) {
  LARGE_INTEGER file_size;
  NT_TRY(fsrtl::GetFileSize(file, &file_size));
  *size = wanted ? wanted : static_cast<uint64_t>(file_size.QuadPart);
  if (*size == 0) return STATUS_MAPPED_FILE_SIZE_ZERO;
  if (*size > static_cast<uint64_t>(file_size.QuadPart)) {
    if (!writable) return STATUS_SECTION_TOO_BIG;
    NT_TRY(ExtendFile(file, *size));
    file_size.QuadPart = static_cast<LONGLONG>(*size);
  }
  Result<Segment*> made = AcquireSegment(file);
  if (!made.ok()) return made.status();
  *segment = made.take();
  (*segment)->file_size.store(static_cast<uint64_t>(file_size.QuadPart), std::memory_order_relaxed);
  return STATUS_SUCCESS;
}

void RaiseSectionSize(Segment* segment, uint64_t size) {
  uint64_t known = segment->section_size.load();
  while (known < size && !segment->section_size.compare_exchange_weak(known, size)) {
  }
}

Status ReferenceSection(HANDLE handle, ACCESS_MASK access, Section** section) {
  void* object;
  NT_TRY(ob::ReferenceObjectByHandle(handle, access, MmSectionObjectType, ke::CurrentThread()->previous_mode, &object, nullptr));
  *section = static_cast<Section*>(object);
  return STATUS_SUCCESS;
}

/// One address space: any process will do, but it must be one.
Status ReferenceProcess(HANDLE handle, ps::Process** process) {
  if (handle == reinterpret_cast<HANDLE>(static_cast<LONG_PTR>(-1))) {
    *process = ps::CurrentProcess();
    ob::ReferenceObject(*process);
    return STATUS_SUCCESS;
  }
  void* object;
  NT_TRY(ob::ReferenceObjectByHandle(handle, 0, PsProcessType, ke::CurrentThread()->previous_mode, &object, nullptr));
  *process = static_cast<ps::Process*>(object);
  return STATUS_SUCCESS;
}

Status MapView(Section* section, PEPROCESS process, uintptr_t* base, uint64_t offset, uint64_t* bytes, bool writable, bool user) {
  if (offset & 0xFFFF) return STATUS_MAPPED_ALIGNMENT;
  const uint64_t size = section->size;
  if (offset >= size) return STATUS_INVALID_VIEW_SIZE;
  if (*bytes == 0) *bytes = size - offset;
  if (*bytes > size - offset) return STATUS_INVALID_VIEW_SIZE;
  ReferenceSegment(section->segment);
  NT_TRY(CreateView(section->segment, offset, *bytes, writable, user, process, base));
  if (user && ps::AsProcess(process)->terminated) {
    DeleteView(*base, true, process).Ignore();  // whoever ended the process may have been faster
    return STATUS_PROCESS_IS_TERMINATING;
  }
  *bytes = (*bytes + PAGE_SIZE - 1) & ~static_cast<uint64_t>(PAGE_SIZE - 1);
  return STATUS_SUCCESS;
}

}  // namespace

Status SectionsBoot() {
  ob::TypeProcedures procedures;
  procedures.remove = RemoveSection;
  GENERIC_MAPPING mapping = {};
  mapping.GenericRead = STANDARD_RIGHTS_READ | SECTION_QUERY | SECTION_MAP_READ;
  mapping.GenericWrite = STANDARD_RIGHTS_WRITE | SECTION_MAP_WRITE;
  mapping.GenericExecute = STANDARD_RIGHTS_EXECUTE | SECTION_MAP_EXECUTE;
  mapping.GenericAll = SECTION_ALL_ACCESS;
  return ob::CreateType(u"Section", procedures, mapping, SECTION_ALL_ACCESS | SYNCHRONIZE, &MmSectionObjectType);
}

Status CreateSection(void** section_out, ACCESS_MASK, OBJECT_ATTRIBUTES*, LARGE_INTEGER* maximum_size, ULONG protection,
                     ULONG allocation_attributes, HANDLE file_handle, FILE_OBJECT* file) {
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  if (allocation_attributes & (SEC_IMAGE | SEC_LARGE_PAGES)) return STATUS_NOT_SUPPORTED;
  switch (protection & ~static_cast<ULONG>(PAGE_NOCACHE | PAGE_WRITECOMBINE)) {
    case PAGE_READONLY:
    case PAGE_READWRITE:
      break;
    case PAGE_WRITECOPY:
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_READWRITE:
    case PAGE_EXECUTE_WRITECOPY:
      return STATUS_NOT_SUPPORTED;
    default:
      return STATUS_INVALID_PAGE_PROTECTION;
  }
  const bool writable = IsWritable(protection);
  const uint64_t wanted = maximum_size ? static_cast<uint64_t>(maximum_size->QuadPart) : 0;
  if (maximum_size && maximum_size->QuadPart < 0) return STATUS_SECTION_TOO_BIG;
  Segment* segment = nullptr;
  uint64_t size = 0;
  if (file_handle) {
    void* object;
    NT_TRY(ob::ReferenceObjectByHandle(file_handle, writable ? FILE_READ_DATA | FILE_WRITE_DATA : FILE_READ_DATA,
                                       IoFileObjectType, mode, &object, nullptr));
    file = static_cast<FILE_OBJECT*>(object);
    Status status = file->SectionObjectPointer ? STATUS_SUCCESS : STATUS_INVALID_FILE_FOR_SECTION;
    if (status.ok() && writable) fsrtl::BreakOplockForWritableSection(file);
    if (status.ok()) status = fsrtl::AcquireToCreateMappedSection(file, protection, allocation_attributes);
    if (status.ok()) {
      try {
        status = OverFile(file, wanted, writable, &segment, &size);
      } catch (const SehException& exception) {
        status = exception.code();
      }
      if (status.ok()) SetUserMapped(file, writable);
      fsrtl::ReleaseFile(file);
    }
    ob::DereferenceObject(file);
    if (!status.ok()) return status;
  } else if (file) {
    if (!file->SectionObjectPointer) return STATUS_INVALID_FILE_FOR_SECTION;
    NT_TRY(OverFile(file, wanted, writable, &segment, &size));
  } else {
    if (!wanted) return STATUS_INVALID_PARAMETER_4;
    size = wanted;
    Result<Segment*> made = CreateAnonymousSegment();
    if (!made.ok()) return made.status();
    segment = made.take();
    segment->file_size.store(size);
  }
  void* object;
  const Status status = ob::CreateObject(MmSectionObjectType, sizeof(Section), &object);
  if (!status.ok()) {
    ReleaseSegment(segment);
    return status;
  }
  auto* section = static_cast<Section*>(object);
  section->segment = segment;
  section->size = size;
  section->protection = protection;
  section->attributes = allocation_attributes | (segment->file() ? SEC_FILE : 0);
  section->user = file_handle != nullptr;
  section->writable = writable;
  RaiseSectionSize(segment, size);
  if (section->user) segment->user_sections.fetch_add(1);
  if (section->user && writable) segment->writable_sections.fetch_add(1);
  *section_out = section;
  return STATUS_SUCCESS;
}

void CloseLeakedSections() {
  ob::CloseSystemHandles(MmSectionObjectType, [](void* object) {
    const FILE_OBJECT* file = static_cast<Section*>(object)->segment->file();
    const std::string text = "ntio: shutdown closes a handle to a section " +
                             (file ? "of the file " + io::DescribeFile(file) : std::string("without a file")) +
                             " that was left open\n";
    host::WriteError(text.data(), text.size());
  });
}

Status NtCreateSection(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, LARGE_INTEGER* maximum_size,
                       ULONG protection, ULONG allocation_attributes, HANDLE file) {
  const bool user = ke::CurrentThread()->previous_mode != KernelMode;
  LARGE_INTEGER size = {};
  if (maximum_size) size = user ? ldr::ReadUser(maximum_size) : *maximum_size;
  void* section;
  NT_TRY(CreateSection(&section, access, attributes, maximum_size ? &size : nullptr, protection, allocation_attributes, file, nullptr));
  HANDLE opened = nullptr;
  const Status status = ob::InsertObject(section, attributes, access, &opened);
  ob::DereferenceObject(section);
  if (!status.ok()) return status;
  if (user)
    ldr::WriteUser(handle, opened);
  else
    *handle = opened;
  return status;
}

Status NtOpenSection(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes) {
  return ob::OpenObjectByName(attributes, MmSectionObjectType, ke::CurrentThread()->previous_mode, nullptr, access, nullptr, handle);
}

Status NtMapViewOfSection(HANDLE section_handle, HANDLE process_handle, void** base, ULONG_PTR, SIZE_T, LARGE_INTEGER* offset,
                          SIZE_T* view_bytes, SECTION_INHERIT, ULONG type, ULONG protect) {
  const bool user = ke::CurrentThread()->previous_mode != KernelMode;
  if (type & ~static_cast<ULONG>(MEM_TOP_DOWN | MEM_RESERVE)) return STATUS_INVALID_PARAMETER_9;
  bool writable;
  switch (protect & ~static_cast<ULONG>(PAGE_NOCACHE | PAGE_WRITECOMBINE)) {
    case PAGE_READONLY:
      writable = false;
      break;
    case PAGE_READWRITE:
      writable = true;
      break;
    case PAGE_NOACCESS:
    case PAGE_WRITECOPY:
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_READWRITE:
    case PAGE_EXECUTE_WRITECOPY:
      return STATUS_NOT_SUPPORTED;
    default:
      return STATUS_INVALID_PAGE_PROTECTION;
  }
  auto at = reinterpret_cast<uintptr_t>(user ? ldr::ReadUser(base) : *base);
  uint64_t from = 0;
  if (offset) from = static_cast<uint64_t>((user ? ldr::ReadUser(offset) : *offset).QuadPart);
  uint64_t bytes = user ? ldr::ReadUser(view_bytes) : *view_bytes;
  Section* section;
  NT_TRY(ReferenceSection(section_handle, writable ? SECTION_MAP_WRITE : SECTION_MAP_READ, &section));
  ps::Process* process;
  Status status = ReferenceProcess(process_handle, &process);
  if (status.ok()) {
    status = writable && !section->writable ? Status(STATUS_SECTION_PROTECTION)
                                            : MapView(section, process->eprocess(), &at, from, &bytes, writable, true);
    ob::DereferenceObject(process);
  }
  ob::DereferenceObject(section);
  if (!status.ok()) return status;
  auto* address = reinterpret_cast<void*>(at);
  if (user) {
    ldr::WriteUser(base, address);
    ldr::WriteUser(view_bytes, static_cast<SIZE_T>(bytes));
  } else {
    *base = address;
    *view_bytes = bytes;
  }
  return status;
}

Status NtUnmapViewOfSection(HANDLE process_handle, void* base) {
  ps::Process* process;
  NT_TRY(ReferenceProcess(process_handle, &process));
  const Status status = DeleteView(reinterpret_cast<uintptr_t>(base), true, process->eprocess());
  ob::DereferenceObject(process);
  return status;
}

Status MapViewOfSection(void* section_object, PEPROCESS process, void** base, LARGE_INTEGER* offset, SIZE_T* view_bytes,
                        ULONG protect) {
  auto* section = static_cast<Section*>(section_object);
  if (protect != PAGE_READONLY && protect != PAGE_READWRITE) return STATUS_NOT_SUPPORTED;
  const bool writable = protect == PAGE_READWRITE;
  if (writable && !section->writable) return STATUS_SECTION_PROTECTION;
  auto at = reinterpret_cast<uintptr_t>(*base);
  uint64_t bytes = *view_bytes;
  NT_TRY(MapView(section, process, &at, offset ? static_cast<uint64_t>(offset->QuadPart) : 0, &bytes, writable, true));
  *base = reinterpret_cast<void*>(at);
  *view_bytes = bytes;
  return STATUS_SUCCESS;
}
Status UnmapViewOfSection(PEPROCESS process, void* base) {
  return DeleteView(reinterpret_cast<uintptr_t>(base), true, process);
}

Status MapViewInSystemSpace(void* section_object, void** base, SIZE_T* view_bytes) {
  auto* section = static_cast<Section*>(section_object);
  uintptr_t at = 0;
  uint64_t bytes = *view_bytes;
  NT_TRY(MapView(section, nullptr, &at, 0, &bytes, section->writable, false));
  *base = reinterpret_cast<void*>(at);
  *view_bytes = bytes;
  return STATUS_SUCCESS;
}
Status UnmapViewInSystemSpace(void* base) { return DeleteView(reinterpret_cast<uintptr_t>(base), false); }

Status NtExtendSection(HANDLE handle, LARGE_INTEGER* new_size) {
  const bool user = ke::CurrentThread()->previous_mode != KernelMode;
  LARGE_INTEGER wanted = user ? ldr::ReadUser(new_size) : *new_size;
  Section* section;
  NT_TRY(ReferenceSection(handle, SECTION_EXTEND_SIZE, &section));
  Status status = STATUS_SUCCESS;
  Segment* segment = section->segment;
  if (!segment->file()) {
    status = STATUS_SECTION_NOT_EXTENDED;
  } else if (static_cast<uint64_t>(wanted.QuadPart) > section->size) {
    LARGE_INTEGER file_size = {};
    status = fsrtl::GetFileSize(segment->file(), &file_size);
    if (status.ok() && wanted.QuadPart > file_size.QuadPart)
      status = section->writable ? ExtendFile(segment->file(), static_cast<uint64_t>(wanted.QuadPart))
                                 : Status(STATUS_SECTION_NOT_EXTENDED);
    if (status.ok()) {
      section->size = static_cast<uint64_t>(wanted.QuadPart);
      RaiseSectionSize(segment, section->size);
      segment->file_size.store(static_cast<uint64_t>(std::max(wanted.QuadPart, file_size.QuadPart)));
    }
  } else {
    wanted.QuadPart = static_cast<LONGLONG>(section->size);
  }
  ob::DereferenceObject(section);
  if (status.ok()) {
    if (user)
      ldr::WriteUser(new_size, wanted);
    else
      *new_size = wanted;
  }
  return status;
}

Status NtQuerySection(HANDLE handle, SECTION_INFORMATION_CLASS information_class, void* buffer, SIZE_T length,
                      SIZE_T* returned) {
  if (information_class != SectionBasicInformation)
    return information_class == SectionImageInformation ? STATUS_SECTION_NOT_IMAGE : STATUS_INVALID_INFO_CLASS;
  if (length < sizeof(SECTION_BASIC_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
  const bool user = ke::CurrentThread()->previous_mode != KernelMode;
  Section* section;
  NT_TRY(ReferenceSection(handle, SECTION_QUERY, &section));
  SECTION_BASIC_INFORMATION information = {};
  information.AllocationAttributes = section->attributes;
  information.MaximumSize.QuadPart = static_cast<LONGLONG>(section->size);
  ob::DereferenceObject(section);
  if (user) {
    ldr::CopyToUser(buffer, &information, sizeof information);
    if (returned) ldr::WriteUser(returned, static_cast<SIZE_T>(sizeof information));
  } else {
    *static_cast<SECTION_BASIC_INFORMATION*>(buffer) = information;
    if (returned) *returned = sizeof information;
  }
  return STATUS_SUCCESS;
}

Status FlushView(uintptr_t address, uint64_t bytes, uintptr_t* base, uint64_t* flushed, IO_STATUS_BLOCK* iosb) {
  uint64_t offset, left;
  Segment* segment = SegmentOfView(address & ~static_cast<uintptr_t>(PAGE_SIZE - 1), &offset, &left, nullptr, nullptr, nullptr);
  if (!segment) return STATUS_NOT_MAPPED_VIEW;
  const uintptr_t start = address & ~static_cast<uintptr_t>(PAGE_SIZE - 1);
  uint64_t length = bytes ? ((address + bytes + PAGE_SIZE - 1) & ~static_cast<uint64_t>(PAGE_SIZE - 1)) - start : left;
  length = std::min(length, left);
  *base = start;
  *flushed = length;
  Status status = STATUS_SUCCESS;
  FILE_OBJECT* file = segment->file();
  uint64_t written = 0;
  if (file) {
    try {
      status = fsrtl::AcquireFileForCcFlush(file);
      if (status.ok()) {
        status = segment->Flush(offset, offset + length, {}, &written);
        fsrtl::ReleaseFileForCcFlush(file);
      }
      if (status.ok()) {
        // The medium's cache too.
        KEVENT event;
        ke::InitializeEvent(&event, NotificationEvent, false);
        IO_STATUS_BLOCK flush = {};
        DEVICE_OBJECT* device = io::GetRelatedDeviceObject(file);
        IRP* irp = io::BuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, device, nullptr, 0, nullptr, &event, &flush);
        if (irp) {
          auto* next = irp->Tail.Overlay.CurrentStackLocation - 1;
          next->FileObject = file;
          const Status result = io::CallDriverAndWait(device, irp, &event, &flush);
          // A file system without flush has nothing to flush.
          if (!result.ok() && result != STATUS_INVALID_DEVICE_REQUEST && result != STATUS_NOT_IMPLEMENTED) status = result;
        } else {
          status = STATUS_INSUFFICIENT_RESOURCES;
        }
      }
    } catch (const SehException& exception) {
      status = exception.code();
    }
  }
  iosb->Status = status;
  iosb->Information = written;
  ReleaseSegment(segment);
  return status;
}

}  // namespace nt::mm
