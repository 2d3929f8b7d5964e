// What precedes an object's body. Private to ob.
#pragma once

#include <vector>

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

/// How many handles a process has to an object. The System process counts as nullptr: the kernel's handles are its own.
struct ProcessHandles {
  const ps::Process* process;
  ULONG_PTR handles;
};

struct alignas(16) ObjectHeader {
  std::atomic<LONG_PTR> pointers;
  std::atomic<LONG_PTR> handles;  // of all processes; written under the object's count lock (handle_count.cc)
  ProcessHandles first_count;     // the count lock; handles 0: free
  std::vector<ProcessHandles>* more_counts;  // the count lock; further processes
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

/// A handle more in `process`.
void CountHandle(ObjectHeader* header, const ps::Process* process);
struct HandleCounts {
  ULONG_PTR of_process, of_system;
};
/// A handle less. @returns how many there were, this one included
HandleCounts UncountHandle(ObjectHeader* header, const ps::Process* process);

/// Takes the object out of its directory and drops the namespace's reference. No effect when it has no name.
void RemoveName(ObjectHeader* header);
/// The last handle of an object is gone: a temporary object loses its name.
void LastHandleClosed(ObjectHeader* header);

Status NamespaceBoot();
void NamespaceShutdown();
Status HandlesBoot();
void HandlesShutdown();

}  // namespace nt::ob
