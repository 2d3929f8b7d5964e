// Who in a stack answered: counts per driver, by thunks in the drivers' own tables.
//
// With statistics on, each entry of a driver's MajorFunction and FAST_IO_DISPATCH tables is replaced in place by a
// thunk that counts, calls the driver's routine and looks at the result. Legacy filters call the table of the driver
// below directly, so only there everything passes. The tables themselves stay the drivers' (they free them); with
// statistics off nothing is touched. A thunk is a function of its own for each slot and entry: it needs no argument to
// know whose it is.
//
// An entry that a driver stores later is found when the runtime next looks at it (FastIoEntry) or when the driver
// attaches, registers a file system, or returns from DriverEntry or a reinitialization routine.
//
// Lock: kDeviceQueue, over choosing slots and changing tables. Thunks take none.
#include "src/io/observe.h"

#include <array>
#include <memory>
#include <utility>

#include "src/io/internal.h"

namespace nt::io {
namespace {

constexpr size_t kSlots = 16;  // drivers that can be observed at a time; later ones are not
constexpr size_t kMajors = IRP_MJ_MAXIMUM_FUNCTION + 1;
constexpr size_t kEntries = DriverCounts::kFastIoEntries;

struct Slot {
  std::atomic<DRIVER_OBJECT*> driver;
  DriverCounts* counts;
  std::atomic<void*> read_only_table;  // a table that could not be written
  std::atomic<PDRIVER_DISPATCH> major[kMajors];
  std::atomic<void*> fast[kEntries];
};
Slot g_slots[kSlots];

struct Rows {
  Lock lock{LockRank::kDeviceQueue};
  std::vector<std::unique_ptr<DriverCounts>> list NT_GUARDED_BY(lock);
};
Rows g_rows;

// --- the call that a thunk is in
// ---------------------------------------------------------------------------------------------

/// What the thread's drivers are doing, innermost first. A call is passed on when the same entry, or the same IRP,
/// comes to another thunk inside it.
struct Frame {
  Frame(size_t entry, const IRP* irp_in) : above(t_top), fast_entry(entry), irp(irp_in) {
    if (irp) {
      for (Frame* frame = above; frame; frame = frame->above)
        if (frame->irp == irp) {
          frame->passed_on = true;
          break;
        }
    } else if (above && above->fast_entry == entry) {
      above->passed_on = true;
    }
    t_top = this;
  }
  ~Frame() { t_top = above; }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  Frame* const above;
  const size_t fast_entry;  // 0: a dispatch routine
  const IRP* const irp;
  bool passed_on = false;
  bool completed = false;
  static constinit thread_local Frame* t_top;
};
constinit thread_local Frame* Frame::t_top = nullptr;

void Add(std::atomic<uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

template <class R>
bool IsYes(const R& result) {
  if constexpr (std::is_same_v<R, BOOLEAN>)
    return result != 0;
  else
    return static_cast<LONG>(result) >= 0;
}

void CountEntry(const Slot& slot, size_t index, const Frame& frame, bool yes) {
  auto& row = slot.counts->fast_io[index];
  Add(row.called);
  Add(yes ? row.returned_true : row.returned_false);
  Add(frame.passed_on ? row.passed_on : yes ? row.answered : row.declined);
}

template <size_t kIndex, class R, class... P>
[[gnu::noinline]] R ObservedEntry(Slot& slot, P... arguments) {
  Frame frame(kIndex, nullptr);
  auto* const routine = reinterpret_cast<R(NTIO_MS_ABI*)(P...)>(slot.fast[kIndex].load(std::memory_order_relaxed));
  if constexpr (std::is_void_v<R>) {
    nt::CallDriver(routine, arguments...);
    CountEntry(slot, kIndex, frame, true);
  } else {
    const R result = nt::CallDriver(routine, arguments...);
    CountEntry(slot, kIndex, frame, IsYes(result));
    return result;
  }
}

[[gnu::noinline]] NTSTATUS ObservedDispatch(Slot& slot, size_t major, PDEVICE_OBJECT device, PIRP irp) {
  Frame frame(0, irp);
  auto& row = slot.counts->irp[major];
  Add(row.called);
  const NTSTATUS status = nt::CallDriver(slot.major[major].load(std::memory_order_relaxed), device, irp);
  // What happens to the IRP after this return, in another thread, is not seen here.
  if (frame.passed_on)
    Add(row.passed_on);
  else if (frame.completed) {
    Add(row.completed);
    if (NT_ERROR(status)) Add(row.failed);
  } else if (status == STATUS_PENDING) {
    Add(row.pended);
  }
  return status;
}

// --- thunks
// -------------------------------------------------------------------------------------------------------------------

/// A thunk is entered by the runtime, where it must be no more than a frame, and by drivers, where it is a boundary as
/// the exports are (docs/internals/seh.md): hence two calls, one of them inside a `try`.
#define NTIO_THUNK_BODY(R, ...)                                                                     \
  host::SchedulePoint();                                                                            \
  if (!ldr::FindImage(reinterpret_cast<uint64_t>(__builtin_return_address(0)))) return __VA_ARGS__; \
  try {                                                                                             \
    return __VA_ARGS__;                                                                             \
  } catch (const ldr::DriverBoundary& exception) {                                                  \
    ldr::RaiseAtCallerOf(__builtin_frame_address(0), exception);                                    \
  }                                                                                                 \
  return ldr::NoValue<R>()

template <size_t kSlot, size_t kIndex, class Routine>
struct EntryThunk;
template <size_t kSlot, size_t kIndex, class R, class... P>
struct EntryThunk<kSlot, kIndex, R(NTIO_MS_ABI*)(P...)> {
  static R NTIO_MS_ABI Call(P... arguments) {
    NTIO_THUNK_BODY(R, ObservedEntry<kIndex, R, P...>(g_slots[kSlot], arguments...));
  }
};

template <size_t kSlot, size_t kMajor>
NTSTATUS NTIO_MS_ABI DispatchThunk(PDEVICE_OBJECT device, PIRP irp) {
  NTIO_THUNK_BODY(NTSTATUS, ObservedDispatch(g_slots[kSlot], kMajor, device, irp));
}

struct Thunks {
  std::array<PDRIVER_DISPATCH, kMajors> major;
  std::array<void*, kEntries> fast;
};

template <size_t kSlot, size_t... kMajor>
constexpr std::array<PDRIVER_DISPATCH, kMajors> MajorThunks(std::index_sequence<kMajor...>) {
  return {DispatchThunk<kSlot, kMajor>...};
}

template <size_t kSlot>
Thunks MakeThunks() {
  Thunks thunks{MajorThunks<kSlot>(std::make_index_sequence<kMajors>()), {}};
#define NTIO_ENTRY(Number, Field) \
  thunks.fast[Number] = reinterpret_cast<void*>(&EntryThunk<kSlot, Number, decltype(FAST_IO_DISPATCH::Field)>::Call);
  NTIO_ENTRY(1, FastIoCheckIfPossible)
  NTIO_ENTRY(2, FastIoRead)
  NTIO_ENTRY(3, FastIoWrite)
  NTIO_ENTRY(4, FastIoQueryBasicInfo)
  NTIO_ENTRY(5, FastIoQueryStandardInfo)
  NTIO_ENTRY(6, FastIoLock)
  NTIO_ENTRY(7, FastIoUnlockSingle)
  NTIO_ENTRY(8, FastIoUnlockAll)
  NTIO_ENTRY(9, FastIoUnlockAllByKey)
  NTIO_ENTRY(10, FastIoDeviceControl)
  NTIO_ENTRY(11, AcquireFileForNtCreateSection)
  NTIO_ENTRY(12, ReleaseFileForNtCreateSection)
  NTIO_ENTRY(13, FastIoDetachDevice)
  NTIO_ENTRY(14, FastIoQueryNetworkOpenInfo)
  NTIO_ENTRY(15, AcquireForModWrite)
  NTIO_ENTRY(16, MdlRead)
  NTIO_ENTRY(17, MdlReadComplete)
  NTIO_ENTRY(18, PrepareMdlWrite)
  NTIO_ENTRY(19, MdlWriteComplete)
  NTIO_ENTRY(20, FastIoReadCompressed)
  NTIO_ENTRY(21, FastIoWriteCompressed)
  NTIO_ENTRY(22, MdlReadCompleteCompressed)
  NTIO_ENTRY(23, MdlWriteCompleteCompressed)
  NTIO_ENTRY(24, FastIoQueryOpen)
  NTIO_ENTRY(25, ReleaseForModWrite)
  NTIO_ENTRY(26, AcquireForCcFlush)
  NTIO_ENTRY(27, ReleaseForCcFlush)
#undef NTIO_ENTRY
  return thunks;
}

template <size_t... kSlot>
std::array<Thunks, kSlots> MakeAllThunks(std::index_sequence<kSlot...>) {
  return {MakeThunks<kSlot>()...};
}

const std::array<Thunks, kSlots>& AllThunks() {
  static const std::array<Thunks, kSlots> thunks = MakeAllThunks(std::make_index_sequence<kSlots>());
  return thunks;
}

bool IsThunk(const void* entry, size_t index) {
  for (const Thunks& thunks : AllThunks())
    if (thunks.fast[index] == entry) return true;
  return false;
}

// --- tables
// -------------------------------------------------------------------------------------------------------------------

Slot* FindSlot(const DRIVER_OBJECT* driver) {
  for (Slot& slot : g_slots)
    if (slot.driver.load(std::memory_order_acquire) == driver) return &slot;
  return nullptr;
}

Slot* TakeSlotLocked(DRIVER_OBJECT* driver) NT_REQUIRES(g_rows.lock) {
  if (Slot* slot = FindSlot(driver)) return slot;
  Slot* const slot = FindSlot(nullptr);
  if (!slot) return nullptr;
  const std::string name = DriverServiceName(driver);
  slot->counts = nullptr;
  for (auto& row : g_rows.list)
    if (row->name == name) slot->counts = row.get();
  if (!slot->counts) {
    slot->counts = g_rows.list.emplace_back(std::make_unique<DriverCounts>()).get();
    slot->counts->name = name;
  }
  slot->read_only_table = nullptr;
  slot->driver.store(driver, std::memory_order_release);
  return slot;
}

void ReplaceMajorsLocked(DRIVER_OBJECT* driver, Slot* slot, const Thunks& thunks) NT_REQUIRES(g_rows.lock) {
  for (size_t i = 0; i < kMajors; i++) {
    const PDRIVER_DISPATCH routine = driver->MajorFunction[i];
    if (!routine || routine == thunks.major[i] || routine == InvalidDeviceRequest) continue;
    bool thunk = false;
    for (const Thunks& other : AllThunks()) thunk |= other.major[i] == routine;
    if (thunk) continue;  // taken over from another driver's table
    slot->major[i].store(routine, std::memory_order_relaxed);
    __atomic_store_n(&driver->MajorFunction[i], thunks.major[i], __ATOMIC_RELEASE);
  }
}

void ReplaceEntriesLocked(DRIVER_OBJECT* driver, Slot* slot, const Thunks& thunks) NT_REQUIRES(g_rows.lock) {
  FAST_IO_DISPATCH* const table = driver->FastIoDispatch;
  if (!table || slot->read_only_table.load(std::memory_order_relaxed) == table) return;
  auto** const entries = reinterpret_cast<void**>(table);
  for (size_t i = 1; i < kEntries && (i + 1) * sizeof(void*) <= table->SizeOfFastIoDispatch; i++) {
    void* const routine = entries[i];
    if (!routine || IsThunk(routine, i)) continue;
    slot->fast[i].store(routine, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    if (ldr::TryCopy(&entries[i], &thunks.fast[i], sizeof(void*)).ok()) continue;
    slot->read_only_table = table;  // a constant of the image: the driver is seen by its IRPs only
    return;
  }
}

}  // namespace

void ObserveDriver(DRIVER_OBJECT* driver) {
  if (!StatisticsEnabled()) return;
  LockGuard guard(g_rows.lock);
  Slot* const slot = TakeSlotLocked(driver);
  if (!slot) return;
  const Thunks& thunks = AllThunks()[static_cast<size_t>(slot - g_slots)];
  ReplaceMajorsLocked(driver, slot, thunks);
  ReplaceEntriesLocked(driver, slot, thunks);
}

void ObserveEntry(DRIVER_OBJECT* driver, size_t index) {
  const FAST_IO_DISPATCH* const table = driver->FastIoDispatch;
  if (!table || table->SizeOfFastIoDispatch < (index + 1) * sizeof(void*)) return;
  const Slot* const slot = FindSlot(driver);
  if (slot && slot->read_only_table.load(std::memory_order_relaxed) == table) return;
  const void* const entry = reinterpret_cast<void* const*>(table)[index];
  if (entry && !IsThunk(entry, index)) ObserveDriver(driver);
}

void ForgetObserved(DRIVER_OBJECT* driver) {
  LockGuard guard(g_rows.lock);
  if (Slot* slot = FindSlot(driver)) slot->driver.store(nullptr, std::memory_order_release);
}

void NoteFilter(DRIVER_OBJECT* driver) {
  if (!StatisticsEnabled()) return;
  ObserveDriver(driver);
  LockGuard guard(g_rows.lock);
  if (Slot* slot = FindSlot(driver)) slot->counts->filter = true;
}

void NoteCompletion(const IRP* irp) {
  for (Frame* frame = Frame::t_top; frame; frame = frame->above)
    if (frame->irp == irp) {
      frame->completed = true;
      return;
    }
}

void ResetDriverCounts() {
  LockGuard guard(g_rows.lock);
  std::erase_if(g_rows.list, [](const auto& row) {
    for (const Slot& slot : g_slots)
      if (slot.driver.load() && slot.counts == row.get()) return false;
    return true;
  });
  for (auto& row : g_rows.list) {
    for (auto& entry : row->fast_io)
      entry.called = entry.returned_true = entry.returned_false = entry.answered = entry.declined = entry.passed_on = 0;
    for (auto& major : row->irp) major.called = major.completed = major.failed = major.passed_on = major.pended = 0;
  }
}

std::vector<const DriverCounts*> AllDriverCounts() {
  LockGuard guard(g_rows.lock);
  std::vector<const DriverCounts*> all;
  for (const auto& row : g_rows.list) all.push_back(row.get());
  return all;
}

}  // namespace nt::io
