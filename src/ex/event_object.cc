// Event objects: NtCreateEvent and its relatives, and waiting on handles.
#include "src/ex/event_object.h"
#include "src/ex/ex_objects.h"

#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/ob/ob.h"

POBJECT_TYPE ExEventObjectType = nullptr;

namespace nt::ex {
namespace {

/// The object behind an event handle, referenced.
Status ReferenceEvent(HANDLE handle, ACCESS_MASK access, KEVENT** event) {
  void* object;
  NT_TRY(ob::ReferenceObjectByHandle(handle, access, ExEventObjectType, ke::CurrentThread()->previous_mode, &object, nullptr));
  *event = static_cast<KEVENT*>(object);
  return STATUS_SUCCESS;
}

template <class F>
Status WithEvent(HANDLE handle, F&& change) {
  KEVENT* event;
  NT_TRY(ReferenceEvent(handle, EVENT_MODIFY_STATE, &event));
  change(event);
  ob::DereferenceObject(event);
  return STATUS_SUCCESS;
}

}  // namespace

Status CreateObjectTypes() {
  static const GENERIC_MAPPING kMapping{STANDARD_RIGHTS_READ | EVENT_QUERY_STATE, STANDARD_RIGHTS_WRITE | EVENT_MODIFY_STATE,
                                        STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, EVENT_ALL_ACCESS};
  NT_TRY(ob::CreateType(u"Event", {}, kMapping, EVENT_ALL_ACCESS, &ExEventObjectType));
  NT_TRY(CreateCallbackType());
  return CreateSystemCallbacks();
}

Status NtCreateEvent(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, EVENT_TYPE type, bool state) {
  if (type != NotificationEvent && type != SynchronizationEvent) return STATUS_INVALID_PARAMETER;
  void* object;
  NT_TRY(ob::CreateObject(ExEventObjectType, sizeof(KEVENT), &object));
  ke::InitializeEvent(static_cast<KEVENT*>(object), type, state);
  void* existing = nullptr;
  Status status = ob::InsertObject(object, attributes, access, handle, &existing);
  ob::DereferenceObject(object);
  if (status == STATUS_OBJECT_NAME_EXISTS && existing) {
    Status opened = ob::OpenObjectByPointer(existing, attributes->Attributes, nullptr, access, ExEventObjectType, KernelMode, handle);
    ob::DereferenceObject(existing);
    return opened.ok() ? status : opened;
  }
  return status;
}

Status NtOpenEvent(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes) {
  return ob::OpenObjectByName(attributes, ExEventObjectType, ke::CurrentThread()->previous_mode, nullptr, access, nullptr, handle);
}

Status NtSetEvent(HANDLE handle, LONG* previous) {
  return WithEvent(handle, [&](KEVENT* event) {
    const LONG before = ke::SetEvent(event);
    if (previous) *previous = before;
  });
}

Status NtResetEvent(HANDLE handle, LONG* previous) {
  return WithEvent(handle, [&](KEVENT* event) {
    const LONG before = ke::ResetEvent(event);
    if (previous) *previous = before;
  });
}

Status NtWaitForSingleObject(HANDLE handle, bool alertable, LARGE_INTEGER* timeout) {
  void* object;
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  NT_TRY(ob::ReferenceObjectByHandle(handle, SYNCHRONIZE, nullptr, mode, &object, nullptr));
  // A file is waited for by the event it contains; other objects begin with their dispatcher header.
  void* waitable = ob::TypeOf(object) == IoFileObjectType ? &static_cast<FILE_OBJECT*>(object)->Event : object;
  Status status = ke::WaitForSingleObject(waitable, UserRequest, mode, alertable, timeout);
  ob::DereferenceObject(object);
  return status;
}

}  // namespace nt::ex
