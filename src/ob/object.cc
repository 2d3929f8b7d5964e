// Types, creation, reference counts.
#include "src/ob/object.h"

#include <cstring>
#include <new>

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"

namespace nt::ob {
namespace {

POBJECT_TYPE g_types = nullptr;

void Remove(ObjectHeader* header) {
  RemoveName(header);
  if (header->type->procedures.remove) header->type->procedures.remove(header->body());
  header->type->objects.fetch_sub(1, std::memory_order_relaxed);
  delete header->name;
  delete header->more_counts;
  header->~ObjectHeader();
  ex::FreePool(header);
}

void NTIO_MS_ABI RemoveLater(void* header) { Remove(static_cast<ObjectHeader*>(header)); }

}  // namespace

Status Boot() {
  NT_TRY(HandlesBoot());
  return NamespaceBoot();
}

void Shutdown() {
  NamespaceShutdown();
  HandlesShutdown();
  while (g_types) {
    POBJECT_TYPE type = g_types;
    g_types = type->next;
    type->~_OBJECT_TYPE();
    ex::FreePool(type);
  }
}

Status CreateType(const char16_t* name, const TypeProcedures& procedures, const GENERIC_MAPPING& mapping,
                  ACCESS_MASK valid_access, POBJECT_TYPE* type) {
  auto* fresh = ex::PoolNew<_OBJECT_TYPE>('TjbO');
  if (!fresh) return STATUS_INSUFFICIENT_RESOURCES;
  fresh->name = name;
  fresh->procedures = procedures;
  fresh->mapping = mapping;
  fresh->valid_access = valid_access;
  fresh->objects = 0;
  fresh->next = g_types;
  g_types = fresh;
  *type = fresh;
  return STATUS_SUCCESS;
}

const GENERIC_MAPPING& TypeMapping(POBJECT_TYPE type) { return type->mapping; }
const char16_t* TypeName(POBJECT_TYPE type) { return type->name; }

ACCESS_MASK MapAccess(POBJECT_TYPE type, ACCESS_MASK access) {
  if (access & GENERIC_READ) access |= type->mapping.GenericRead;
  if (access & GENERIC_WRITE) access |= type->mapping.GenericWrite;
  if (access & GENERIC_EXECUTE) access |= type->mapping.GenericExecute;
  if (access & (GENERIC_ALL | MAXIMUM_ALLOWED))
    access |= type->mapping.GenericAll ? type->mapping.GenericAll : (STANDARD_RIGHTS_ALL | SPECIFIC_RIGHTS_ALL);
  return access & ~static_cast<ACCESS_MASK>(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL | MAXIMUM_ALLOWED);
}

Status CreateObject(POBJECT_TYPE type, SIZE_T body_bytes, void** body) {
  auto* memory = ex::AllocatePoolZero(NonPagedPoolNx, sizeof(ObjectHeader) + body_bytes, 'jbbO');
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  auto* header = new (memory) ObjectHeader{};
  header->pointers.store(1, std::memory_order_relaxed);
  header->type = type;
  type->objects.fetch_add(1, std::memory_order_relaxed);
  *body = header->body();
  return STATUS_SUCCESS;
}

void ReferenceObject(void* object) {
  auto* header = ObjectHeader::Of(object);
  const LONG_PTR before = header->pointers.fetch_add(1, std::memory_order_relaxed);
  if (before <= 0)
    ke::BugCheckEx(REFERENCE_BY_POINTER, reinterpret_cast<ULONG_PTR>(header->type), reinterpret_cast<ULONG_PTR>(object),
                   0x10, static_cast<ULONG_PTR>(before));
}

void DereferenceObject(void* object) {
  auto* header = ObjectHeader::Of(object);
  const LONG_PTR before = header->pointers.fetch_sub(1, std::memory_order_acq_rel);
  if (before > 1) return;
  if (before < 1)
    ke::BugCheckEx(REFERENCE_BY_POINTER, reinterpret_cast<ULONG_PTR>(header->type), reinterpret_cast<ULONG_PTR>(object),
                   0x18, static_cast<ULONG_PTR>(before - 1));
  if (ke::GetCurrentIrql() <= APC_LEVEL) return Remove(header);
  header->remove_later.WorkerRoutine = RemoveLater;
  header->remove_later.Parameter = header;
  ex::QueueWorkItem(&header->remove_later, CriticalWorkQueue);
}

LONG_PTR PointerCount(const void* object) {
  return ObjectHeader::Of(object)->pointers.load(std::memory_order_relaxed);
}
ULONG_PTR HandleCount(const void* object) {
  return static_cast<ULONG_PTR>(ObjectHeader::Of(object)->handles.load(std::memory_order_relaxed));
}
POBJECT_TYPE TypeOf(const void* object) { return ObjectHeader::Of(object)->type; }

Status ReferenceObjectByPointer(void* object, ACCESS_MASK, POBJECT_TYPE type, KPROCESSOR_MODE mode) {
  if (type ? TypeOf(object) != type : mode != KernelMode) return STATUS_OBJECT_TYPE_MISMATCH;
  ReferenceObject(object);
  return STATUS_SUCCESS;
}

}  // namespace nt::ob
