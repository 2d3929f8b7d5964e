// Duplicates of handles, within a process and between processes.
#include "src/base/check.h"
#include "src/ke/ke.h"
#include "src/ob/object.h"
#include "src/ps/ps.h"

namespace nt::ob {
namespace {

/// A reference to a process by its handle; released at the end of the scope.
class ProcessReference {
 public:
  ProcessReference() = default;
  ~ProcessReference() {
    if (process_) DereferenceObject(process_);
  }
  ProcessReference(const ProcessReference&) = delete;
  ProcessReference& operator=(const ProcessReference&) = delete;
  Status Take(HANDLE handle) {
    void* object;
    NT_TRY(ReferenceObjectByHandle(handle, PROCESS_DUP_HANDLE, PsProcessType, ke::CurrentThread()->previous_mode,
                                   &object, nullptr));
    process_ = static_cast<ps::Process*>(object);
    return STATUS_SUCCESS;
  }
  ps::Process* get() const { return process_; }

 private:
  ps::Process* process_ = nullptr;
};

Status Insert(ps::Process* process, void* object, ACCESS_MASK granted, ULONG attributes, HANDLE* handle) {
  const ke::ProcessAttachment attached(process);
  return InsertHandle(object, granted, attributes, handle);
}

}  // namespace

Status DuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process, ACCESS_MASK access,
                       ULONG attributes, ULONG options, HANDLE* target) {
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  ProcessReference from;
  NT_TRY(from.Take(source_process));
  void* object;
  OBJECT_HANDLE_INFORMATION information;
  {
    const ke::ProcessAttachment attached(from.get());
    NT_TRY(ReferenceObjectByHandle(source, 0, nullptr, mode, &object, &information));
  }
  Status status = STATUS_SUCCESS;
  ProcessReference to;
  if (target_process || !(options & DUPLICATE_CLOSE_SOURCE)) {
    status = to.Take(target_process);
    ACCESS_MASK granted = information.GrantedAccess;
    if (!(options & DUPLICATE_SAME_ACCESS)) {
      granted = MapAccess(TypeOf(object), access);
      const ObjectHeader* header = ObjectHeader::Of(object);
      if (status.ok() && header->type->procedures.access_is_fixed && (granted & ~information.GrantedAccess))
        status = STATUS_ACCESS_DENIED;
    }
    if (options & DUPLICATE_SAME_ATTRIBUTES) attributes = information.HandleAttributes;
    if (mode != KernelMode) attributes &= ~static_cast<ULONG>(OBJ_KERNEL_HANDLE);
    if (status.ok()) status = Insert(to.get(), object, granted, attributes, target);
  }
  if (options & DUPLICATE_CLOSE_SOURCE) {
    // Whatever became of the duplicate.
    const ke::ProcessAttachment attached(from.get());
    Close(source, mode).Ignore();  // somebody may have closed it meanwhile
  }
  DereferenceObject(object);
  return status;
}

}  // namespace nt::ob
