// Handles: per-process tables of entries in chunks that never move.
//
// A look-up is one compare-and-swap: an entry holds references to its object that are paid for in advance, and gives the
// caller one of them. So an object's pointer count is higher than the references in use, as on Windows. When none is left, or
// the handle is closed, the entry is locked by a bit of its word. Free entries are chained under the table's lock.
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
    std::atomic<uint64_t> word{0};   // ObjectHeader*, kLocked, references in advance; 0: free
    std::atomic<uint64_t> stamp{0};  // granted access (free: the next free index + 1), attributes, generation
  };
  static constexpr uint64_t kLocked = 1, kPointerMask = 0x0000fffffffffff0, kOneReference = 1ull << 48;
  static constexpr uint64_t kBatch = 0x7fff;  // references paid for at once
  static constexpr uint64_t kOneGeneration = 1ull << 48;

  static ACCESS_MASK GrantedOf(uint64_t stamp) { return static_cast<ACCESS_MASK>(stamp); }
  static ULONG AttributesOf(uint64_t stamp) { return static_cast<ULONG>(stamp >> 32 & 0xffff); }

  ~HandleTable() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }

  Status Insert(ObjectHeader* header, ACCESS_MASK granted, ULONG attributes, uint32_t* index) {
    LockGuard guard(lock_);
    if (closed_) return STATUS_PROCESS_IS_TERMINATING;
    if (!free_) NT_TRY(Grow());
    *index = free_ - 1;
    Entry* entry = At(*index);
    uint64_t stamp = entry->stamp.load(std::memory_order_relaxed);
    free_ = static_cast<uint32_t>(stamp);
    stamp = (stamp & ~(kOneGeneration - 1)) + kOneGeneration;
    stamp |= granted | static_cast<uint64_t>(attributes & 0xffff) << 32;
    entry->stamp.store(stamp, std::memory_order_relaxed);
    entry->word.store(reinterpret_cast<uint64_t>(header), std::memory_order_release);
    return STATUS_SUCCESS;
  }

  /// References the object of a handle. nullptr: the handle is not open.
  ObjectHeader* Reference(uint32_t index, uint64_t* stamp_out) {
    Entry* entry = At(index);
    if (!entry) return nullptr;
    for (unsigned spins = 0;; spins++) {
      uint64_t word = entry->word.load(std::memory_order_acquire);
      if (word == 0) return nullptr;
      if (word < kOneReference) {
        if (!(word & kLocked)) PayInAdvance(entry, word);
      } else if (!(word & kLocked)) {
        const uint64_t stamp = entry->stamp.load(std::memory_order_relaxed);
        if (entry->word.compare_exchange_strong(word, word - kOneReference, std::memory_order_acquire)) {
          auto* header = HeaderOf(word);
          *stamp_out = stamp;
          if (entry->stamp.load(std::memory_order_relaxed) == stamp) [[likely]]
            return header;
          DereferenceObject(header->body());  // closed and opened again between the two loads
        }
      }
      if (spins) spins < 64 ? host::SpinPause() : host::Yield();
    }
  }

  /// Frees an entry. The references in advance are given back; that of the handle is now the caller's.
  /// @returns nullptr when the handle is not open
  ObjectHeader* Remove(uint32_t index, uint64_t* stamp_out) {
    Entry* entry = At(index);
    uint64_t word = 0;
    for (unsigned spins = 0; entry; spins++) {
      word = entry->word.load(std::memory_order_relaxed);
      if (word == 0) return nullptr;
      if (!(word & kLocked) && entry->word.compare_exchange_weak(word, word | kLocked, std::memory_order_acquire)) break;
      spins < 64 ? host::SpinPause() : host::Yield();
    }
    if (!entry) return nullptr;
    auto* header = HeaderOf(word);
    header->pointers.fetch_sub(static_cast<LONG_PTR>(word / kOneReference), std::memory_order_release);
    const uint64_t stamp = *stamp_out = entry->stamp.load(std::memory_order_relaxed);
    LockGuard guard(lock_);
    entry->stamp.store((stamp & ~(kOneGeneration - 1)) | free_, std::memory_order_relaxed);
    entry->word.store(0, std::memory_order_release);
    free_ = index + 1;
    return header;
  }

  uint32_t End() {
    LockGuard guard(lock_);
    return used_;
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

  static ObjectHeader* HeaderOf(uint64_t word) { return reinterpret_cast<ObjectHeader*>(word & kPointerMask); }

  static void PayInAdvance(Entry* entry, uint64_t word) {
    if (!entry->word.compare_exchange_strong(word, word | kLocked, std::memory_order_acquire)) return;
    HeaderOf(word)->pointers.fetch_add(kBatch, std::memory_order_relaxed);
    entry->word.store(word + kBatch * kOneReference, std::memory_order_release);
  }

  Status Grow() NT_REQUIRES(lock_) {
    if (used_ >= kChunkEntries * kChunks) return STATUS_INSUFFICIENT_RESOURCES;
    auto* chunk = new Entry[kChunkEntries];
    for (uint32_t i = 0; i < kChunkEntries; i++)
      chunk[i].stamp.store(i + 1 < kChunkEntries ? used_ + i + 2 : 0, std::memory_order_relaxed);
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
bool g_closed_for_others = false;  // at the machine's end: a driver may close once more what was closed for it

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
  g_closed_for_others = false;
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
    uint64_t stamp;
    if (auto* header = table->Remove(index, &stamp)) CloseEntry(header, process, HandleTable::GrantedOf(stamp));
  }
}

void CloseSystemHandles(POBJECT_TYPE type, const std::function<void(void* object)>& visit) {
  ps::Process* const system = ps::InitialSystemProcess();
  const ke::ProcessAttachment attached(system);
  for (HandleTable* table : {g_kernel_table, system->handle_table}) {
    const uint32_t end = table->End();
    for (uint32_t index = 0; index < end; index++) {
      uint64_t stamp;
      auto* header = table->Reference(index, &stamp);
      if (!header) continue;
      if (header->type == type && table->Remove(index, &stamp)) {
        g_closed_for_others = true;
        visit(header->body());
        CloseEntry(header, system, HandleTable::GrantedOf(stamp));
      }
      DereferenceObject(header->body());
    }
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
  uint64_t stamp;
  auto* header = place.table ? place.table->Reference(place.index, &stamp) : nullptr;
  if (!header) return STATUS_INVALID_HANDLE;
  const ACCESS_MASK granted = HandleTable::GrantedOf(stamp);
  if (information) *information = {HandleTable::AttributesOf(stamp), granted};
  Status status = STATUS_SUCCESS;
  if (type && header->type != type) status = STATUS_OBJECT_TYPE_MISMATCH;
  else if (mode != KernelMode && (MapAccess(header->type, access) & ~granted)) status = STATUS_ACCESS_DENIED;
  if (!status.ok()) [[unlikely]] {
    DereferenceObject(header->body());
    return status;
  }
  *object = header->body();
  return STATUS_SUCCESS;
}

Status Close(HANDLE handle, KPROCESSOR_MODE mode) {
  if (handle == NtCurrentProcess() || handle == NtCurrentThread()) return STATUS_SUCCESS;
  const Place place = Find(handle, mode);
  uint64_t stamp;
  auto* header = place.table ? place.table->Remove(place.index, &stamp) : nullptr;
  if (!header) {
    // A kernel-mode caller that closes what is not open has lost track of its handles.
    if (mode == KernelMode && IsKernelHandle(handle) && !g_closed_for_others)
      ke::BugCheckEx(INVALID_KERNEL_HANDLE, reinterpret_cast<ULONG_PTR>(handle), 0, 0, 0);
    return STATUS_INVALID_HANDLE;
  }
  const ACCESS_MASK granted = HandleTable::GrantedOf(stamp);
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
