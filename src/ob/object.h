// What precedes an object's body. Private to ob.
#pragma once

#include "src/ob/ob.h"

struct _OBJECT_TYPE {
  const char16_t* name;
  nt::ob::TypeProcedures procedures;
  GENERIC_MAPPING mapping;
  ACCESS_MASK valid_access;
  std::atomic<LONG_PTR> objects;
  _OBJECT_TYPE* next;
};

namespace nt::ob {

struct Directory;

struct alignas(16) ObjectHeader {
  std::atomic<LONG_PTR> pointers;
  std::atomic<LONG_PTR> handles;
  POBJECT_TYPE type;
  Directory* directory;   // guarded by the namespace lock; null: unnamed
  std::u16string* name;   // guarded by the namespace lock
  bool permanent;
  WORK_QUEUE_ITEM remove_later;

  void* body() { return this + 1; }
  static ObjectHeader* Of(const void* body) {
    return static_cast<ObjectHeader*>(const_cast<void*>(body)) - 1;
  }
};
static_assert(sizeof(ObjectHeader) % 16 == 0);

/// Takes the object out of its directory and drops the namespace's reference. No effect when it has no name.
void RemoveName(ObjectHeader* header);
/// The last handle of an object is gone: a temporary object loses its name.
void LastHandleClosed(ObjectHeader* header);

Status NamespaceBoot();
void NamespaceShutdown();
Status HandlesBoot();
void HandlesShutdown();

}  // namespace nt::ob
