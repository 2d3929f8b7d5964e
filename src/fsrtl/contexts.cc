// Contexts that filters hang on streams (in the FSRTL header), files (through a pointer of the file system) and file objects.
//
// Lists are newest first. A stream's list is guarded by the header's FastMutex, the others by locks of this package. A look-up
// with a null owner takes any; with an owner and a null instance, any of the owner's. Free callbacks run unlocked.
#include <atomic>
#include <map>
#include <utility>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/state.h"
#include "src/ldr/call.h"

namespace nt::fsrtl {
namespace {

/// What FileContextSupportPointer's target points to, from the first context on.
struct FileContexts {
  Lock lock{LockRank::kObject};
  LIST_ENTRY list;
};

struct State {
  Lock lock{LockRank::kObject};
  std::map<PFILE_OBJECT, LIST_ENTRY> file_objects NT_GUARDED_BY(lock);
  std::atomic<size_t> count{0};  // file_objects.size(): most machines never have one

  void NoteLocked() NT_REQUIRES(lock) { count.store(file_objects.size(), std::memory_order_release); }
};
State* g_state = nullptr;

template <class Context>
Context* Find(PLIST_ENTRY list, void* owner, void* instance) {
  for (PLIST_ENTRY entry = list->Flink; entry != list; entry = entry->Flink) {
    auto* const context = CONTAINING_RECORD(entry, Context, Links);
    if (owner && context->OwnerId != owner) continue;
    if (owner && instance && context->InstanceId != instance) continue;
    return context;
  }
  return nullptr;
}

bool SupportsContexts(PFSRTL_ADVANCED_FCB_HEADER header) {
  return header && (header->Flags2 & FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS);
}

class HeaderScope {
 public:
  explicit HeaderScope(PFSRTL_ADVANCED_FCB_HEADER header) : mutex_(header->FastMutex) { ex::AcquireFastMutex(mutex_); }
  ~HeaderScope() { ex::ReleaseFastMutex(mutex_); }
  HeaderScope(const HeaderScope&) = delete;
  HeaderScope& operator=(const HeaderScope&) = delete;

 private:
  PFAST_MUTEX const mutex_;
};

FileContexts* Load(void** file_context) {
  return static_cast<FileContexts*>(__atomic_load_n(file_context, __ATOMIC_ACQUIRE));
}

}  // namespace

void BootContexts() {
  CHECK(!g_state);
  g_state = new State;
}

void ShutdownContexts() { delete std::exchange(g_state, nullptr); }

// --- streams ---------------------------------------------------------------------------------------------------------------

Status InsertPerStreamContext(PFSRTL_ADVANCED_FCB_HEADER header, PFSRTL_PER_STREAM_CONTEXT context) {
  if (!SupportsContexts(header)) return STATUS_INVALID_DEVICE_REQUEST;
  HeaderScope scope(header);
  InsertHeadList(&header->FilterContexts, &context->Links);
  return STATUS_SUCCESS;
}

PFSRTL_PER_STREAM_CONTEXT LookupPerStreamContext(PFSRTL_ADVANCED_FCB_HEADER header, void* owner, void* instance) {
  if (!SupportsContexts(header)) return nullptr;
  HeaderScope scope(header);
  return Find<FSRTL_PER_STREAM_CONTEXT>(&header->FilterContexts, owner, instance);
}

PFSRTL_PER_STREAM_CONTEXT RemovePerStreamContext(PFSRTL_ADVANCED_FCB_HEADER header, void* owner, void* instance) {
  if (!SupportsContexts(header)) return nullptr;
  HeaderScope scope(header);
  auto* const context = Find<FSRTL_PER_STREAM_CONTEXT>(&header->FilterContexts, owner, instance);
  if (context) RemoveEntryList(&context->Links);
  return context;
}

void TeardownPerStreamContexts(PFSRTL_ADVANCED_FCB_HEADER header) {
  if (!SupportsContexts(header)) return;
  for (;;) {
    PFSRTL_PER_STREAM_CONTEXT context;
    {
      HeaderScope scope(header);
      if (IsListEmpty(&header->FilterContexts)) return;
      context = CONTAINING_RECORD(RemoveHeadList(&header->FilterContexts), FSRTL_PER_STREAM_CONTEXT, Links);
    }
    CallDriver(context->FreeCallback, static_cast<PVOID>(context));
  }
}

// --- files -------------------------------------------------------------------------------------------------------------------

Status InsertPerFileContext(void** file_context, PFSRTL_PER_FILE_CONTEXT context) {
  if (!file_context) return STATUS_INVALID_DEVICE_REQUEST;
  if (!Load(file_context)) {
    auto* const fresh = ex::PoolNew<FileContexts>('cfsF');
    if (!fresh) return STATUS_INSUFFICIENT_RESOURCES;
    InitializeListHead(&fresh->list);
    void* none = nullptr;
    if (!__atomic_compare_exchange_n(file_context, &none, static_cast<void*>(fresh), false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
      ex::PoolDelete(fresh);
  }
  FileContexts* const contexts = Load(file_context);
  LockGuard guard(contexts->lock);
  InsertHeadList(&contexts->list, &context->Links);
  return STATUS_SUCCESS;
}

PFSRTL_PER_FILE_CONTEXT LookupPerFileContext(void** file_context, void* owner, void* instance) {
  FileContexts* const contexts = file_context ? Load(file_context) : nullptr;
  if (!contexts) return nullptr;
  LockGuard guard(contexts->lock);
  return Find<FSRTL_PER_FILE_CONTEXT>(&contexts->list, owner, instance);
}

PFSRTL_PER_FILE_CONTEXT RemovePerFileContext(void** file_context, void* owner, void* instance) {
  FileContexts* const contexts = file_context ? Load(file_context) : nullptr;
  if (!contexts) return nullptr;
  LockGuard guard(contexts->lock);
  auto* const context = Find<FSRTL_PER_FILE_CONTEXT>(&contexts->list, owner, instance);
  if (context) RemoveEntryList(&context->Links);
  return context;
}

void TeardownPerFileContexts(void** file_context) {
  auto* const contexts = static_cast<FileContexts*>(__atomic_exchange_n(file_context, nullptr, __ATOMIC_ACQ_REL));
  if (!contexts) return;
  while (!IsListEmpty(&contexts->list)) {
    auto* const context = CONTAINING_RECORD(RemoveHeadList(&contexts->list), FSRTL_PER_FILE_CONTEXT, Links);
    CallDriver(context->FreeCallback, static_cast<PVOID>(context));
  }
  ex::PoolDelete(contexts);
}

// --- file objects -----------------------------------------------------------------------------------------------------------
// Few filters use these, so a map of the machine holds them and a file object is not burdened. The owner removes its context
// before the file object goes.

Status InsertPerFileObjectContext(PFILE_OBJECT file, PFSRTL_PER_FILEOBJECT_CONTEXT context) {
  if (!file) return STATUS_INVALID_PARAMETER;
  LockGuard guard(g_state->lock);
  auto [it, fresh] = g_state->file_objects.try_emplace(file);
  if (fresh) InitializeListHead(&it->second);
  if (Find<FSRTL_PER_FILEOBJECT_CONTEXT>(&it->second, context->OwnerId, context->InstanceId))
    return STATUS_OBJECT_NAME_COLLISION;
  InsertHeadList(&it->second, &context->Links);
  g_state->NoteLocked();
  return STATUS_SUCCESS;
}

PFSRTL_PER_FILEOBJECT_CONTEXT LookupPerFileObjectContext(PFILE_OBJECT file, void* owner, void* instance) {
  if (g_state->count.load(std::memory_order_acquire) == 0) return nullptr;
  LockGuard guard(g_state->lock);
  const auto found = g_state->file_objects.find(file);
  if (found == g_state->file_objects.end()) return nullptr;
  return Find<FSRTL_PER_FILEOBJECT_CONTEXT>(&found->second, owner, instance);
}

PFSRTL_PER_FILEOBJECT_CONTEXT RemovePerFileObjectContext(PFILE_OBJECT file, void* owner, void* instance) {
  LockGuard guard(g_state->lock);
  const auto found = g_state->file_objects.find(file);
  if (found == g_state->file_objects.end()) return nullptr;
  auto* const context = Find<FSRTL_PER_FILEOBJECT_CONTEXT>(&found->second, owner, instance);
  if (context) RemoveEntryList(&context->Links);
  if (IsListEmpty(&found->second)) g_state->file_objects.erase(found);
  g_state->NoteLocked();
  return context;
}

void ForgetFileObjectContexts(PFILE_OBJECT file) {
  if (!g_state || g_state->count.load(std::memory_order_acquire) == 0) return;
  LockGuard guard(g_state->lock);
  g_state->file_objects.erase(file);
  g_state->NoteLocked();
}

}  // namespace nt::fsrtl
