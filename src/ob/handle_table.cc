// Handles: per-process tables of entries in chunks that never move.
//
// An entry's word is the object header's address; bit 0 is the entry's lock. A look-up locks the entry, references the object
// and unlocks: threads meet only on the same handle. Free entries are chained under the table's lock.
#include <array>
#include <atomic>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/host/host.h"
#include "src/ke/ke.h"
#include "src/ob/object.h"
#include "src/ps/ps.h"

namespace nt::ob {

class HandleTable {
 public:
  static constexpr uint32_t kChunkEntries = 512, kChunks = 2048;

  struct Entry {
    std::atomic<uint64_t> word{0};  // ObjectHeader*, bit 0: locked; 0: free
    ACCESS_MASK granted = 0;
    uint32_t attributes_or_next = 0;  // a free entry: the next free index + 1
  };

  ~HandleTable() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }

  Status Insert(ObjectHeader* header, ACCESS_MASK granted, ULONG attributes, uint32_t* index) {
    LockGuard guard(lock_);
    if (closed_) return STATUS_PROCESS_IS_TERMINATING;
    if (!free_) NT_TRY(Grow());
    *index = free_ - 1;
    Entry* entry = At(*index);
    free_ = entry->attributes_or_next;
    entry->granted = granted;
    entry->attributes_or_next = attributes;
    entry->word.store(reinterpret_cast<uint64_t>(header), std::memory_order_release);
    return STATUS_SUCCESS;
  }

  /// The entry, locked; or nullptr when the handle is not open.
  Entry* LockEntry(uint32_t index) {
    Entry* entry = At(index);
    if (!entry) return nullptr;
    for (unsigned spins = 0;; spins++) {
      uint64_t word = entry->word.load(std::memory_order_relaxed);
      if (word == 0) return nullptr;
      if (!(word & 1) && entry->word.compare_exchange_weak(word, word | 1, std::memory_order_acquire)) return entry;
      spins < 64 ? host::SpinPause() : host::Yield();
    }
  }
  static ObjectHeader* HeaderOf(Entry* locked) {
    return reinterpret_cast<ObjectHeader*>(locked->word.load(std::memory_order_relaxed) & ~1ull);
  }
  static void UnlockEntry(Entry* entry) { entry->word.fetch_and(~1ull, std::memory_order_release); }

  /// Frees a locked entry.
  void Remove(Entry* entry, uint32_t index) {
    entry->word.store(0, std::memory_order_release);
    LockGuard guard(lock_);
    entry->attributes_or_next = free_;
    free_ = index + 1;
  }

  /// No handle is made any more. @returns the end of the indices in use
  uint32_t BeginClosing() {
    LockGuard guard(lock_);
    closed_ = true;
    return used_;
  }

 private:
  Entry* At(uint32_t index) {
    if (index >= kChunkEntries * kChunks) return nullptr;
    Entry* chunk = chunks_[index / kChunkEntries].load(std::memory_order_acquire);
    return chunk ? &chunk[index % kChunkEntries] : nullptr;
  }

  Status Grow() NT_REQUIRES(lock_) {
    if (used_ >= kChunkEntries * kChunks) return STATUS_INSUFFICIENT_RESOURCES;
    auto* chunk = new Entry[kChunkEntries];
    for (uint32_t i = 0; i < kChunkEntries; i++)
      chunk[i].attributes_or_next = i + 1 < kChunkEntries ? used_ + i + 2 : 0;
    chunks_[used_ / kChunkEntries].store(chunk, std::memory_order_release);
    free_ = used_ + 1;
    used_ += kChunkEntries;
    return STATUS_SUCCESS;
  }

  Lock lock_{LockRank::kHandleTable};
  uint32_t free_ NT_GUARDED_BY(lock_) = 0;  // index + 1
  uint32_t used_ NT_GUARDED_BY(lock_) = 0;
  bool closed_ NT_GUARDED_BY(lock_) = false;
  std::array<std::atomic<Entry*>, kChunks> chunks_{};
};

namespace {

HandleTable* g_kernel_table = nullptr;

constexpr uint64_t kKernelHandleBits = 0xFFFFFFFF80000000ull;

HANDLE HandleOf(uint32_t index, bool kernel) {
  const uint64_t value = (static_cast<uint64_t>(index) + 1) * 4;
  return reinterpret_cast<HANDLE>(kernel ? value | kKernelHandleBits : value);
}

struct Place {
  HandleTable* table;
  uint32_t index;
};

/// Where a handle would be; table nullptr when it is none that `mode` may use.
Place Find(HANDLE handle, KPROCESSOR_MODE mode) {
  auto value = reinterpret_cast<uint64_t>(handle);
  HandleTable* table;
  if (IsKernelHandle(handle)) {
    if (mode != KernelMode) return {nullptr, 0};
    table = g_kernel_table;
    value &= ~kKernelHandleBits;
  } else {
    table = ps::CurrentProcess()->handle_table;
  }
  value &= ~3ull;
  if (value == 0 || value / 4 > UINT32_MAX) return {nullptr, 0};
  return {table, static_cast<uint32_t>(value / 4 - 1)};
}

void CloseEntry(ObjectHeader* header, ps::Process* process, ACCESS_MASK granted) {
  const HandleCounts before = UncountHandle(header, process);
  if (header->type->procedures.close)
    header->type->procedures.close(process, header->body(), granted, before.of_process, before.of_system);
  if (before.of_system == 1) LastHandleClosed(header);
  DereferenceObject(header->body());
}

}  // namespace

Status HandlesBoot() {
  CHECK(!g_kernel_table);
  g_kernel_table = new HandleTable;
  return STATUS_SUCCESS;
}

void HandlesShutdown() {
  CloseAllHandles(g_kernel_table, nullptr);
  DeleteHandleTable(std::exchange(g_kernel_table, nullptr));
}

HandleTable* CreateHandleTable() { return new HandleTable; }
void DeleteHandleTable(HandleTable* table) { delete table; }

void CloseAllHandles(HandleTable* table, ps::Process* process) {
  const uint32_t end = table->BeginClosing();
  for (uint32_t index = 0; index < end; index++) {
    auto* entry = table->LockEntry(index);
    if (!entry) continue;
    auto* header = HandleTable::HeaderOf(entry);
    const ACCESS_MASK granted = entry->granted;
    table->Remove(entry, index);
    CloseEntry(header, process, granted);
  }
}

bool IsKernelHandle(HANDLE handle) {
  const auto value = reinterpret_cast<uint64_t>(handle);
  return (value & kKernelHandleBits) == kKernelHandleBits && handle != NtCurrentProcess() && handle != NtCurrentThread();
}

Status InsertHandle(void* object, ACCESS_MASK granted, ULONG attributes, HANDLE* handle) {
  auto* header = ObjectHeader::Of(object);
  const bool kernel = attributes & OBJ_KERNEL_HANDLE;
  ps::Process* const process = kernel ? ps::InitialSystemProcess() : ps::CurrentProcess();
  auto* table = kernel ? g_kernel_table : process->handle_table;
  ReferenceObject(object);
  CountHandle(header, process);
  uint32_t index;
  Status status = table->Insert(header, granted, attributes, &index);
  if (!status.ok()) {
    UncountHandle(header, process);
    DereferenceObject(object);
    return status;
  }
  *handle = HandleOf(index, kernel);
  return STATUS_SUCCESS;
}

Status ReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode, void** object,
                               OBJECT_HANDLE_INFORMATION* information) {
  *object = nullptr;
  if (handle == NtCurrentProcess() || handle == NtCurrentThread()) {
    void* self = handle == NtCurrentProcess() ? static_cast<void*>(ps::CurrentProcess())
                                              : static_cast<void*>(ke::CurrentThread());
    if (type && TypeOf(self) != type) return STATUS_OBJECT_TYPE_MISMATCH;
    ReferenceObject(self);
    if (information) *information = {0, STANDARD_RIGHTS_ALL | SPECIFIC_RIGHTS_ALL};
    *object = self;
    return STATUS_SUCCESS;
  }
  const Place place = Find(handle, mode);
  auto* entry = place.table ? place.table->LockEntry(place.index) : nullptr;
  if (!entry) return STATUS_INVALID_HANDLE;
  auto* header = HandleTable::HeaderOf(entry);
  const ACCESS_MASK granted = entry->granted;
  Status status = STATUS_SUCCESS;
  if (type && header->type != type) status = STATUS_OBJECT_TYPE_MISMATCH;
  else if (mode != KernelMode && (MapAccess(header->type, access) & ~granted)) status = STATUS_ACCESS_DENIED;
  else header->pointers.fetch_add(1, std::memory_order_relaxed);
  if (information) *information = {entry->attributes_or_next, granted};
  HandleTable::UnlockEntry(entry);
  if (status.ok()) *object = header->body();
  return status;
}

Status Close(HANDLE handle, KPROCESSOR_MODE mode) {
  if (handle == NtCurrentProcess() || handle == NtCurrentThread()) return STATUS_SUCCESS;
  const Place place = Find(handle, mode);
  auto* entry = place.table ? place.table->LockEntry(place.index) : nullptr;
  if (!entry) {
    // A kernel-mode caller that closes what is not open has lost track of its handles.
    if (mode == KernelMode && IsKernelHandle(handle))
      ke::BugCheckEx(INVALID_KERNEL_HANDLE, reinterpret_cast<ULONG_PTR>(handle), 0, 0, 0);
    return STATUS_INVALID_HANDLE;
  }
  auto* header = HandleTable::HeaderOf(entry);
  const ACCESS_MASK granted = entry->granted;
  place.table->Remove(entry, place.index);
  if (place.table != g_kernel_table) {
    CloseEntry(header, ps::CurrentProcess(), granted);
    return STATUS_SUCCESS;
  }
  // Kernel handles are the System process's, and closed in its context.
  ps::Process* const system = ps::InitialSystemProcess();
  const ke::ProcessAttachment attached(system);
  CloseEntry(header, system, granted);
  return STATUS_SUCCESS;
}

}  // namespace nt::ob
