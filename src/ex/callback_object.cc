// Callback objects: named lists of routines (ExCreateCallback).
//
// Routines are called in the order of their registration, at the caller's IRQL, without the lock; a registration that
// is being called stays until the call is over, and its ExUnregisterCallback waits for that.
#include "src/ex/ex_objects.h"

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"
#include "src/ob/ob.h"

struct _CALLBACK_OBJECT {
  KSPIN_LOCK lock;
  LIST_ENTRY registrations;  // of Registration, oldest first
  bool multiple;
};

namespace nt::ex {
namespace {

POBJECT_TYPE g_type = nullptr;

struct Registration {
  LIST_ENTRY entry;
  CALLBACK_OBJECT* callback;  // referenced
  PCALLBACK_FUNCTION function;
  void* context;
  uint32_t calls;  // under way
  bool going;
};

}  // namespace

Status CreateCallbackType() { return ob::CreateType(u"Callback", {}, &g_type); }

Status CreateSystemCallbacks() {
  for (const char16_t* name : {u"\\Callback\\SetSystemTime", u"\\Callback\\PowerState", u"\\Callback\\ProcessorAdd"}) {
    UNICODE_STRING path;
    path.Buffer = const_cast<WCHAR*>(name);
    path.Length = path.MaximumLength = static_cast<USHORT>(std::char_traits<char16_t>::length(name) * sizeof(WCHAR));
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, nullptr, nullptr);
    CALLBACK_OBJECT* callback;
    NT_TRY(CreateCallback(&callback, &attributes, true, true));
    ob::DereferenceObject(callback);
  }
  return STATUS_SUCCESS;
}

Status CreateCallback(CALLBACK_OBJECT** callback, OBJECT_ATTRIBUTES* attributes, bool create, bool multiple) {
  *callback = nullptr;
  if (!attributes->ObjectName || !attributes->ObjectName->Length) return STATUS_UNSUCCESSFUL;
  void* object;
  Status status = ob::LookupByAttributes(attributes, g_type, KernelMode, nullptr, nullptr, &object);
  if (!status.ok() && create) {
    NT_TRY(ob::CreateObject(g_type, sizeof(CALLBACK_OBJECT), &object));
    auto* fresh = static_cast<CALLBACK_OBJECT*>(object);
    ke::InitializeSpinLock(&fresh->lock);
    InitializeListHead(&fresh->registrations);
    fresh->multiple = multiple;
    OBJECT_ATTRIBUTES open_if = *attributes;
    open_if.Attributes |= OBJ_OPENIF;
    void* existing = nullptr;
    status = ob::InsertObject(object, &open_if, 0, nullptr, &existing);
    if (!status.ok() || existing) ob::DereferenceObject(object);
    if (existing && ob::TypeOf(existing) != g_type) {
      ob::DereferenceObject(existing);
      return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (existing) object = existing;
  }
  if (!status.ok()) return status;
  *callback = static_cast<CALLBACK_OBJECT*>(object);
  return STATUS_SUCCESS;
}

void* RegisterCallback(CALLBACK_OBJECT* callback, PCALLBACK_FUNCTION function, void* context) {
  auto* fresh = PoolNew<Registration>('bCxE');
  if (!fresh) return nullptr;
  *fresh = {{}, callback, function, context, 0, false};
  {
    const ke::SpinLockScope scope(&callback->lock);
    if (callback->multiple || IsListEmpty(&callback->registrations)) {
      InsertTailList(&callback->registrations, &fresh->entry);
      ob::ReferenceObject(callback);
      return fresh;
    }
  }
  PoolDelete(fresh);
  return nullptr;
}

void UnregisterCallback(void* registration) {
  auto* old = static_cast<Registration*>(registration);
  CALLBACK_OBJECT* callback = old->callback;
  for (;;) {
    {
      const ke::SpinLockScope scope(&callback->lock);
      old->going = true;
      if (!old->calls) {
        RemoveEntryList(&old->entry);
        break;
      }
    }
    LARGE_INTEGER interval;
    interval.QuadPart = -10'000;  // 1 ms
    ke::DelayExecutionThread(KernelMode, false, &interval).Ignore();
  }
  PoolDelete(old);
  ob::DereferenceObject(callback);
}

void NotifyCallback(CALLBACK_OBJECT* callback, void* argument1, void* argument2) {
  KIRQL irql = ke::AcquireSpinLockRaiseToDpc(&callback->lock);
  for (LIST_ENTRY* entry = callback->registrations.Flink; entry != &callback->registrations;) {
    auto* at = CONTAINING_RECORD(entry, Registration, entry);
    if (at->going) {
      entry = entry->Flink;
      continue;
    }
    at->calls++;
    ke::ReleaseSpinLock(&callback->lock, irql);
    CallDriver(at->function, at->context, argument1, argument2);
    irql = ke::AcquireSpinLockRaiseToDpc(&callback->lock);
    entry = entry->Flink;
    at->calls--;
  }
  ke::ReleaseSpinLock(&callback->lock, irql);
}

}  // namespace nt::ex
