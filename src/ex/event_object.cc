// Event objects: NtCreateEvent and its relatives, and waiting on handles.
#include "src/ex/event_object.h"
#include "src/ex/ex_objects.h"

#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/ldr/user_access.h"
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

/// A file is waited for by the event it contains; other objects begin with their dispatcher header.
void* Waitable(void* object) {
  return ob::TypeOf(object) == IoFileObjectType ? &static_cast<FILE_OBJECT*>(object)->Event : object;
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

Status NtQueryEvent(HANDLE handle, EVENT_INFORMATION_CLASS information_class, void* buffer, ULONG length, ULONG* returned) {
  if (information_class != EventBasicInformation) return STATUS_INVALID_INFO_CLASS;
  if (length != sizeof(EVENT_BASIC_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
  void* object;
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  NT_TRY(ob::ReferenceObjectByHandle(handle, EVENT_QUERY_STATE, ExEventObjectType, mode, &object, nullptr));
  auto* event = static_cast<KEVENT*>(object);
  const EVENT_BASIC_INFORMATION answer{
      event->Header.Type == EventNotificationObject ? NotificationEvent : SynchronizationEvent, ke::ReadStateEvent(event)};
  ob::DereferenceObject(object);
  try {
    if (mode != KernelMode) ldr::ProbeForWrite(buffer, length, 4);
    ldr::WriteUser(static_cast<EVENT_BASIC_INFORMATION*>(buffer), answer);
    if (returned) ldr::WriteUser(returned, static_cast<ULONG>(sizeof answer));
  } catch (const SehException& exception) {
    return exception.code();
  }
  return STATUS_SUCCESS;
}

Status NtWaitForSingleObject(HANDLE handle, bool alertable, LARGE_INTEGER* timeout) {
  void* object;
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  NT_TRY(ob::ReferenceObjectByHandle(handle, SYNCHRONIZE, nullptr, mode, &object, nullptr));
  Status status = ke::WaitForSingleObject(Waitable(object), UserRequest, mode, alertable, timeout);
  ob::DereferenceObject(object);
  return status;
}

Status NtWaitForMultipleObjects(ULONG count, const HANDLE* handles, WAIT_TYPE type, bool alertable,
                                LARGE_INTEGER* timeout) {
  if (count == 0 || count > MAXIMUM_WAIT_OBJECTS) return STATUS_INVALID_PARAMETER_1;
  if (type != WaitAll && type != WaitAny) return STATUS_INVALID_PARAMETER_3;
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  void *objects[MAXIMUM_WAIT_OBJECTS], *waitables[MAXIMUM_WAIT_OBJECTS];
  KWAIT_BLOCK blocks[MAXIMUM_WAIT_OBJECTS];
  Status status = STATUS_SUCCESS;
  ULONG taken = 0;
  for (; taken < count && status.ok(); taken++) {
    status = ob::ReferenceObjectByHandle(handles[taken], SYNCHRONIZE, nullptr, mode, &objects[taken], nullptr);
    if (!status.ok()) break;
    waitables[taken] = Waitable(objects[taken]);
    // Waiting for all of them is waiting for each once.
    for (ULONG i = 0; type == WaitAll && i < taken; i++)
      if (waitables[i] == waitables[taken]) status = STATUS_INVALID_PARAMETER_MIX;
  }
  if (status.ok()) status = ke::WaitForMultipleObjects(count, waitables, type, UserRequest, mode, alertable, timeout, blocks);
  for (ULONG i = 0; i < taken; i++) ob::DereferenceObject(objects[i]);
  return status;
}

}  // namespace nt::ex
