// NtNotifyChangeKey. The first call on a handle says what is watched; changes between two calls are remembered and complete the
// next call at once. Ends: a change (STATUS_NOTIFY_ENUM_DIR), the handle or the key goes away (STATUS_NOTIFY_CLEANUP).
#include <algorithm>

#include "src/cm/registry.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/user_access.h"
#include "src/ob/ob.h"

namespace nt::cm {

struct Watch {
  ULONG filter;
  bool tree;
  bool changed = false;  // since the last completion
  std::vector<Notices::Notice> waiting;
};

namespace {

std::vector<KeyObject*> g_watched NT_GUARDED_BY(g_lock);

void CompleteLocked(KeyObject* key, NTSTATUS status, Notices* notices) NT_REQUIRES(g_lock) {
  for (auto& notice : key->watch->waiting) notices->Add(notice, status);
  key->watch->waiting.clear();
}

bool IsBelow(const Node* node, const Node* ancestor) {
  for (; node; node = node->parent)
    if (node == ancestor) return true;
  return false;
}

}  // namespace

Notices::~Notices() {
  for (auto& [notice, status] : done_) {
    if (notice.io_status) {
      const IO_STATUS_BLOCK block{{status}, 0};
      ldr::TryCopy(notice.io_status, &block, sizeof block).Ignore();  // its owner took it away: nobody is left to tell
    }
    if (notice.waiter) {
      *notice.waiter_status = status;
      ke::SetEvent(notice.waiter);
    }
    if (notice.event) {
      ke::SetEvent(static_cast<PKEVENT>(notice.event));
      ob::DereferenceObject(notice.event);
    }
    if (notice.item) ex::QueueWorkItem(notice.item, notice.queue);
  }
}

void ReportLocked(Node* node, ULONG kind, Notices* notices) {
  for (KeyObject* key : g_watched) {
    if (!(key->watch->filter & kind)) continue;
    if (key->watch->tree ? !IsBelow(node, key->node) : node != key->node) continue;
    if (key->watch->waiting.empty()) key->watch->changed = true;
    else CompleteLocked(key, STATUS_NOTIFY_ENUM_DIR, notices);
  }
}

void ReportDeletedLocked(Node* node, Notices* notices) {
  for (KeyObject* key : g_watched)
    if (key->node == node) CompleteLocked(key, STATUS_NOTIFY_CLEANUP, notices);
}

void EndWatch(KeyObject* key) {
  Notices notices;
  LockGuard guard(g_lock);
  if (!key->watch) return;
  CompleteLocked(key, STATUS_NOTIFY_CLEANUP, &notices);
  std::erase(g_watched, key);
  delete std::exchange(key->watch, nullptr);
}

Status NtNotifyChangeKey(HANDLE handle, HANDLE event_handle, PIO_APC_ROUTINE apc_routine, PVOID apc_context,
                         PIO_STATUS_BLOCK io_status, ULONG filter, BOOLEAN watch_tree, PVOID, ULONG,
                         BOOLEAN asynchronous) {
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  filter &= ~REG_NOTIFY_THREAD_AGNOSTIC;  // requests here never end with their thread
  if (filter == 0 || (filter & ~REG_LEGAL_CHANGE_FILTER)) return STATUS_INVALID_PARAMETER;
  if (apc_routine && mode != KernelMode) return STATUS_NOT_SUPPORTED;  // user APCs are the requestor's, who has none here
  KeyReference key;
  NT_TRY(key.Open(handle, KEY_NOTIFY));
  Notices::Notice notice{};
  notice.io_status = io_status;
  if (event_handle) {
    NT_TRY(ob::ReferenceObjectByHandle(event_handle, EVENT_MODIFY_STATE, ExEventObjectType, mode, &notice.event, nullptr));
    ke::ClearEvent(static_cast<PKEVENT>(notice.event));
  }
  if (apc_routine) {
    notice.item = reinterpret_cast<PWORK_QUEUE_ITEM>(apc_routine);
    notice.queue = static_cast<WORK_QUEUE_TYPE>(reinterpret_cast<ULONG_PTR>(apc_context));
  }
  KEVENT done;
  NTSTATUS status = STATUS_PENDING;
  if (!asynchronous) {
    ke::InitializeEvent(&done, NotificationEvent, false);
    notice.waiter = &done;
    notice.waiter_status = &status;
  }
  {
    Notices notices;
    LockGuard guard(g_lock);
    KeyObject* object = key.get();
    if (object->node->deleted) {
      if (notice.event) ob::DereferenceObject(notice.event);
      return STATUS_KEY_DELETED;
    }
    if (!object->watch) {
      object->watch = new Watch{filter, watch_tree != FALSE, false, {}};
      g_watched.push_back(object);
    }
    object->watch->waiting.push_back(notice);
    if (std::exchange(object->watch->changed, false)) CompleteLocked(object, STATUS_NOTIFY_ENUM_DIR, &notices);
  }
  if (asynchronous) return STATUS_PENDING;
  ke::WaitFor(&done);
  return status;
}

}  // namespace nt::cm
