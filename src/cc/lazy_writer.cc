// The lazy writer: writes dirty pages in the background, tells file systems how far their valid data reaches, tears down the
// maps of closed files, and lets deferred writes go on.
//
// A pass finds the maps that are due; workers write them (lazy_work.cc): AcquireForLazyWrite (Wait is FALSE for a few
// passes, then TRUE), paging writes, ReleaseFromLazyWrite, then IRP_MJ_SET_INFORMATION with AdvanceOnly if valid data
// advanced. FALSE: the stream is left for the next pass.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <vector>

#include "src/cc/cache_map.h"
#include "src/host/host.h"
#include "src/io/io.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::cc {
namespace {

constexpr uint32_t kPatience = 4;  // passes that a refused stream is skipped before the writer waits for it

void LogLostWrite(SharedCacheMap* map, Status status) {
  char text[512];
  std::string name;
  for (USHORT i = 0; i < map->file->FileName.Length / sizeof(WCHAR) && i < 200; i++) {
    const WCHAR c = map->file->FileName.Buffer[i];
    name += c < 0x80 && c >= 0x20 ? static_cast<char>(c) : '?';
  }
  const char* status_name = StatusName(status);
  const int length = std::snprintf(text, sizeof text, "ntio: delayed write failed: %s: %s (0x%08x); the data is lost\n",
                                   name.c_str(), status_name ? status_name : "", static_cast<unsigned>(status.value()));
  host::WriteError(text, static_cast<size_t>(std::min<int>(length, sizeof text - 1)));
}

bool IsRetry(Status status) {
  return status == STATUS_FILE_LOCK_CONFLICT || status == STATUS_CANT_WAIT || status == STATUS_INSUFFICIENT_RESOURCES ||
         status == STATUS_VERIFY_REQUIRED;
}

NTSTATUS NTIO_MS_ABI EndOfFileSet(PDEVICE_OBJECT, PIRP irp, PVOID context) {
  *irp->UserIosb = irp->IoStatus;
  ke::SetEvent(static_cast<KEVENT*>(context));
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/// IRP_MJ_SET_INFORMATION, FileEndOfFileInformation, AdvanceOnly.
Status SetValidData(SharedCacheMap* map, LONGLONG valid_data_length) {
  DEVICE_OBJECT* device = io::GetRelatedDeviceObject(map->file);
  IRP* irp = io::AllocateIrp(static_cast<CCHAR>(device->StackSize + 1));
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  FILE_END_OF_FILE_INFORMATION information;
  information.EndOfFile.QuadPart = valid_data_length;
  KEVENT event;
  ke::InitializeEvent(&event, NotificationEvent, false);
  IO_STATUS_BLOCK iosb = {};
  irp->Flags = IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO;
  irp->RequestorMode = KernelMode;
  irp->UserIosb = &iosb;
  irp->UserEvent = &event;
  irp->Tail.Overlay.Thread = ps::GetCurrentThread();
  irp->Tail.Overlay.OriginalFileObject = map->file;
  irp->AssociatedIrp.SystemBuffer = &information;
  // A location of our own, so that the completion routine has a device.
  irp->CurrentLocation--;
  irp->Tail.Overlay.CurrentStackLocation--;
  IO_STACK_LOCATION* mine = irp->Tail.Overlay.CurrentStackLocation;
  mine->DeviceObject = device;
  IO_STACK_LOCATION* next = mine - 1;
  next->MajorFunction = IRP_MJ_SET_INFORMATION;
  next->FileObject = map->file;
  next->Parameters.SetFile.Length = sizeof information;
  next->Parameters.SetFile.FileInformationClass = FileEndOfFileInformation;
  next->Parameters.SetFile.AdvanceOnly = TRUE;
  next->CompletionRoutine = EndOfFileSet;
  next->Context = &event;
  next->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
  Status status = STATUS_SUCCESS;
  try {
    status = io::CallDriver(device, irp);
    ke::WaitFor(&event);
    status = iosb.Status;
  } catch (const SehException& exception) {
    return exception.code();  // who raised still has the IRP
  }
  irp->AssociatedIrp.SystemBuffer = nullptr;
  io::FreeIrp(irp);
  return status;
}

/// How many pages a pass is to write.
uint64_t TargetPages() {
  const bool urgent = g_state->urgent.load();
  const uint64_t dirty = static_cast<uint64_t>(std::max<int64_t>(mm::g_dirty_pages.load(), 0));
  const uint64_t limit = g_state->dirty_limit_pages.load();
  uint64_t target = std::max<uint64_t>(dirty / std::max(g_state->options.lazy_write_fraction, 1u), 256);
  if (dirty > limit / 2) target = std::max(target, dirty - limit / 2);
  if (urgent || g_state->throttled.load()) target = std::max(target, dirty / 2);
  return target;
}

/// The next pass starts with another file.
void RotateLocked() NT_REQUIRES(g_state->lock) {
  if (IsListEmpty(&g_state->maps)) return;
  LIST_ENTRY* first = RemoveHeadList(&g_state->maps);
  InsertTailList(&g_state->maps, first);
}

/// Whether a map has something to write that is due: everything of a stream that nobody caches any more, of the others
/// what nobody asked to hold back.
bool IsDue(const SharedCacheMap* map, bool urgent) {
  const bool closed = __atomic_load_n(&map->open_count, __ATOMIC_RELAXED) == 0;
  const bool valid_data_waits = map->TracksValidData() && map->valid_data_goal.load() > map->valid_data_length.load();
  if (!map->segment->dirty_pages() && !valid_data_waits) return false;
  if (closed) return true;
  return !((map->file->Flags & FO_TEMPORARY_FILE) && !urgent) && !map->disable_write_behind.load();
}

void EndPass(uint64_t pass) {
  uint64_t ended = g_state->passes_ended.load();
  while (ended < pass && !g_state->passes_ended.compare_exchange_weak(ended, pass)) {
  }
  ke::PulseEvent(&g_state->cleaned);
  PostDeferredWrites(false);
}

/// Queues what is due. Never blocks on a file system.
void QueuePass() {
  const uint64_t pass = g_state->passes_begun.fetch_add(1) + 1;
  const uint64_t target = TargetPages();
  const bool urgent = g_state->urgent.exchange(false);
  {
    LockGuard guard(g_state->lock);
    RotateLocked();
    uint64_t planned = 0;
    for (LIST_ENTRY* entry = g_state->maps.Flink; entry != &g_state->maps; entry = entry->Flink) {
      SharedCacheMap* map = MapOfEntry(entry);
      const bool closed = map->open_count == 0;
      const uint64_t dirty = map->segment->dirty_pages();
      if (closed ? true : IsDue(map, urgent) && planned < target) {  // a closed one may be ready to go
        QueueLazyWorkLocked(map, pass);
        planned += closed ? dirty : std::min<uint64_t>(dirty, g_state->options.maximum_write_bytes >> PAGE_SHIFT);
      }
    }
  }
  StartLazyWorkers();
  EndPass(pass);
}

void LazyWriterMain(void*) {
  while (!g_state->stop.load()) {
    LARGE_INTEGER timeout;
    timeout.QuadPart = -10'000ll * g_state->options.lazy_write_interval_ms;
    ke::WaitForSingleObject(&g_state->wake, Executive, KernelMode, false, &timeout).Ignore();  // either way: a pass
    if (g_state->stop.load()) return;
    QueuePass();
  }
}

/// The next map that this pass has not come by, referenced. What it has come by goes to the end of the list.
SharedCacheMap* NextOfPass(uint64_t pass) {
  LockGuard guard(g_state->lock);
  if (IsListEmpty(&g_state->maps)) return nullptr;
  SharedCacheMap* map = MapOfEntry(g_state->maps.Flink);
  if (map->lazy_pass >= pass) return nullptr;
  map->lazy_pass = pass;
  LIST_ENTRY* first = RemoveHeadList(&g_state->maps);
  InsertTailList(&g_state->maps, first);
  map->references++;
  return map;
}

/// The next map that this FlushAll has not come by, referenced.
SharedCacheMap* NextToFlush(uint64_t pass) {
  LockGuard guard(g_state->lock);
  for (LIST_ENTRY* entry = g_state->maps.Flink; entry != &g_state->maps; entry = entry->Flink) {
    SharedCacheMap* map = MapOfEntry(entry);
    if (map->flush_pass >= pass) continue;
    map->flush_pass = pass;
    map->references++;
    return map;
  }
  return nullptr;
}

void PauseForWorkers() {
  LARGE_INTEGER interval;
  interval.QuadPart = -10'000;  // 1 ms
  ke::WaitForSingleObject(&g_state->cleaned, Executive, KernelMode, false, &interval)
      .Ignore();  // looks again either way
}

/// Waits until no worker writes the map. @param all  false: do not wait
bool BeginWriting(SharedCacheMap* map, uint64_t pass, bool all) {
  for (;;) {
    {
      LockGuard guard(g_state->lock);
      if (BeginWritingLocked(map, pass)) return true;
    }
    if (!all) return false;
    PauseForWorkers();
  }
}

}  // namespace

/// @returns pages written
uint64_t WriteMap(SharedCacheMap* map, uint64_t maximum_bytes, bool patient) {
  CACHE_MANAGER_CALLBACKS* callbacks = map->callbacks;
  if (callbacks && callbacks->AcquireForLazyWrite) {
    const BOOLEAN wait = patient && map->skipped_passes < kPatience ? FALSE : TRUE;
    if (!CallDriver(callbacks->AcquireForLazyWrite, map->lazy_write_context, wait)) {
      map->skipped_passes++;
      return 0;
    }
  }
  map->skipped_passes = 0;
  // Everything below `goal` that is not dirty after the write is in the file.
  const LONGLONG goal = map->valid_data_goal.load();
  uint64_t written = 0;
  Status status = STATUS_SUCCESS;
  try {
    status = FlushRange(map, 0, ~0ull, true, maximum_bytes, &written);
  } catch (const SehException& exception) {
    status = exception.code();
  }
  if (callbacks && callbacks->ReleaseFromLazyWrite)
    CallDriver(callbacks->ReleaseFromLazyWrite, map->lazy_write_context);
  if (!status.ok() && !IsRetry(status)) LogLostWrite(map, status);
  const LONGLONG known = map->valid_data_length.load();
  if (status.ok() && known != MAXLONGLONG && goal > known) {
    const uint64_t dirty = map->segment->FirstDirty(0);
    const LONGLONG valid = dirty < static_cast<uint64_t>(goal) ? static_cast<LONGLONG>(dirty) : goal;
    if (valid > known && SetValidData(map, valid).ok()) {
      LONGLONG expected = known;
      map->valid_data_length.compare_exchange_strong(expected, valid);
    }
  }
  return written >> PAGE_SHIFT;
}

uint64_t RunLazyWriter(bool write_everything) {
  const uint64_t pass = g_state->passes_begun.fetch_add(1) + 1;
  const uint64_t target = write_everything ? ~0ull : TargetPages();
  const bool urgent = g_state->urgent.exchange(false);
  {
    LockGuard guard(g_state->lock);
    RotateLocked();
  }
  uint64_t written = 0;
  // Only the map at hand is referenced: writing it may wait for a resource whose owner waits for another map to be
  // gone.
  while (SharedCacheMap* map = NextOfPass(pass)) {
    const bool closed = __atomic_load_n(&map->open_count, __ATOMIC_RELAXED) == 0;
    const bool anything = map->segment->dirty_pages() ||
                          (map->TracksValidData() && map->valid_data_goal.load() > map->valid_data_length.load());
    const bool due = write_everything ? anything : IsDue(map, urgent) && (closed || written < target);
    // Who writes everything also waits for workers that come by a map with nothing to write.
    if ((due || write_everything) && BeginWriting(map, pass, write_everything)) {
      if (due)
        written += WriteMap(map, closed || write_everything ? ~0ull : g_state->options.maximum_write_bytes, !write_everything);
      EndWriting(map);
    } else {
      DereferenceMap(map);
    }
  }
  EndPass(pass);
  return written;
}

void WakeLazyWriter(bool urgent) {
  if (urgent) g_state->urgent.store(true);
  ke::SetEvent(&g_state->wake);
}

Status WaitForCurrentLazyWriterActivity() {
  if (!g_state->thread || IsLazyWorker()) {
    RunLazyWriter();
    return STATUS_SUCCESS;
  }
  // A pass that began after this call, and what it queued.
  const uint64_t wanted = g_state->passes_begun.load() + 1;
  while (g_state->passes_ended.load() < wanted && !g_state->stop.load()) {
    WakeLazyWriter(false);
    PauseForWorkers();
  }
  while (IsWorkLeft(wanted) && !g_state->stop.load()) PauseForWorkers();
  return STATUS_SUCCESS;
}

NTSTATUS FlushAll() {
  Status result = STATUS_SUCCESS;
  DrainReadAhead();
  // One map at a time is referenced, as in RunLazyWriter.
  const uint64_t pass = g_state->flushes.fetch_add(1) + 1;
  while (SharedCacheMap* map = NextToFlush(pass)) {
    IO_STATUS_BLOCK iosb = {};
    if (map->segment->dirty_pages()) {
      try {
        FlushCache(map->pointers, nullptr, 0, &iosb);
      } catch (const SehException& exception) {
        iosb.Status = exception.code();
      }
    }
    if (!NT_SUCCESS(iosb.Status)) {
      if (result.ok()) result = iosb.Status;
      LogLostWrite(map, iosb.Status);
      if (__atomic_load_n(&map->open_count, __ATOMIC_RELAXED) == 0) map->segment->Purge(0, ~0ull);
    }
    DereferenceMap(map);
  }
  // Valid data lengths, and what callbacks alone may write.
  RunLazyWriter(true);
  // A worker that has just written a map may still be tearing it down.
  while (AreWorkersBusy()) PauseForWorkers();
  PostDeferredWrites(true);
  return result;
}

Status StartLazyWriter() {
  ke::InitializeEvent(&g_state->wake, SynchronizationEvent, false);
  ke::InitializeEvent(&g_state->cleaned, NotificationEvent, false);
  mm::SetLowMemoryHook([] { WakeLazyWriter(true); });
  if (!g_state->options.start_lazy_writer) return STATUS_SUCCESS;
  return ps::CreateRuntimeThread("lazy-writer", LazyWriterMain, nullptr, &g_state->thread);
}

void StopLazyWriter() {
  mm::SetLowMemoryHook(nullptr);
  g_state->stop.store(true);
  if (!g_state->thread) return;
  ke::SetEvent(&g_state->wake);
  ke::WaitFor(g_state->thread);
  ob::DereferenceObject(g_state->thread);
  g_state->thread = nullptr;
  while (AreWorkersBusy()) PauseForWorkers();
}

}  // namespace nt::cc
