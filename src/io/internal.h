// What the files of io share. Not for siblings.
//
// Locks, in order: DEVICE_OBJECT::DeviceLock (a mount in progress; a dispatcher event) > FILE_OBJECT::Lock > State::database
// (drivers, devices, attachments, registrations; a base::Lock, never held over a call) > Thread::irp_list_lock (base::Lock).
// The VPB and cancel spin locks are KSPIN_LOCKs, as drivers see them; no base::Lock is held when they are taken.
#pragma once

#include <string>
#include <vector>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/ex/ex.h"
#include "src/host/host.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/ldr/ldr.h"
#include "src/ldr/user_access.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::io {

// --- objects --------------------------------------------------------------------------------------------------------------------

/// What follows a device's extension: DEVOBJ_EXTENSION, then ours.
struct DeviceExtra {
  DEVOBJ_EXTENSION nt;
  ULONG state;                   // kUnloadPending...
  DEVICE_OBJECT* attached_to;    // under database
  // Start-I/O
  LONG start_io_depth;
  ULONG start_io_key;
  UCHAR start_io_flags;          // kDeferred, kNonCancelable
  UCHAR packet_flags;            // kNextPacket..., pending calls of a deferred device
  bool file_system_registered;
  bool in_shutdown_list;
};
enum : ULONG { kUnloadPending = 1, kDeletePending = 2, kDeleted = 8 };
inline DeviceExtra* Extra(const DEVICE_OBJECT* device) {
  return reinterpret_cast<DeviceExtra*>(device->DeviceObjectExtension);
}

/// A file object and the I/O manager's private part.
struct File {
  FILE_OBJECT nt;
  DEVICE_OBJECT* counted_device;  // its ReferenceCount counts this open
  VPB* counted_vpb;               // likewise
  DEVICE_OBJECT* top_device_hint; // requests of this open start here instead of at the top
  bool opened;                    // the driver's create succeeded: cleanup and close are due
  bool cleanup_sent;
  bool ignore_sharing;
  bool remote_origin;
  ULONG notification_modes;       // FileIoCompletionNotificationInformation
};
inline File* Private(FILE_OBJECT* file) { return reinterpret_cast<File*>(file); }

struct DriverExtra;  // driver.cc

/// Per-thread data, component_data[0].
struct ThreadIo {
  LIST_ENTRY link;               // State::threads, under database
  ke::Thread* thread;
  DEVICE_OBJECT* device_to_verify;
};
ThreadIo* ThreadData(ke::Thread* thread);
inline constexpr int kThreadSlot = 0;

struct FsNotification {
  DRIVER_OBJECT* driver;
  PDRIVER_FS_NOTIFICATION routine;
};

struct IrpCache {
  Lock lock{LockRank::kIrpList};
  IRP* first NT_GUARDED_BY(lock) = nullptr;  // linked by Tail.Overlay.ListEntry.Flink
  unsigned count NT_GUARDED_BY(lock) = 0;
};
inline constexpr CCHAR kIrpCacheStacks[] = {3, 8, 16};
inline constexpr unsigned kIrpCacheDepth = 64;

enum FileSystemQueue { kDiskQueue, kCdromQueue, kTapeQueue, kNetworkQueue, kFileSystemQueues };

struct State {
  POBJECT_TYPE completion_type = nullptr;
  KSPIN_LOCK vpb_lock{};
  KSPIN_LOCK cancel_lock{};
  IrpCache irps[3];

  Lock database{LockRank::kIoDatabase};
  LIST_ENTRY file_systems[kFileSystemQueues];      // DEVICE_OBJECT::Queue.ListEntry
  std::vector<FsNotification> fs_notifications;
  std::vector<DRIVER_OBJECT*> drivers;             // oldest first
  std::vector<DEVICE_OBJECT*> shutdown;            // newest last; called newest first
  std::vector<DEVICE_OBJECT*> last_chance_shutdown;
  LIST_ENTRY threads;
  std::atomic<ULONG> next_device_name{1};

  DRIVER_OBJECT* raw_driver = nullptr;
  void* timers = nullptr;  // timer.cc
  void* pnp = nullptr;     // pnp.cc
};
extern State* g_state;

// --- lists ---------------------------------------------------------------------------------------------------------------------------

inline void ListInit(LIST_ENTRY* head) { head->Flink = head->Blink = head; }
inline bool ListEmpty(const LIST_ENTRY* head) { return head->Flink == head; }
inline void ListPushBack(LIST_ENTRY* head, LIST_ENTRY* entry) {
  entry->Flink = head;
  entry->Blink = head->Blink;
  head->Blink->Flink = entry;
  head->Blink = entry;
}
inline void ListPushFront(LIST_ENTRY* head, LIST_ENTRY* entry) { ListPushBack(head->Flink, entry); }
inline void ListRemove(LIST_ENTRY* entry) {
  CHECK_MSG(entry->Flink->Blink == entry && entry->Blink->Flink == entry, "corrupted list of the I/O manager");
  entry->Blink->Flink = entry->Flink;
  entry->Flink->Blink = entry->Blink;
  entry->Flink = entry->Blink = entry;
}

// --- references -------------------------------------------------------------------------------------------------------------------------

/// A counted reference to an object.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() { Reset(); }
  static void Take(T* object) { ob::ReferenceObject(object); }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  T* release() { return std::exchange(object_, nullptr); }
  /// Takes over the caller's reference.
  void Reset(T* object = nullptr) {
    if (object_) ob::DereferenceObject(object_);
    object_ = object;
  }
  void Share(T* object) {
    ob::ReferenceObject(object);
    Reset(object);
  }
  void** out() { return reinterpret_cast<void**>(&object_); }

 private:
  T* object_ = nullptr;
};

inline KPROCESSOR_MODE PreviousMode() { return ke::CurrentThread()->previous_mode; }

/// References the file object of a handle.
inline Status ReferenceFile(HANDLE handle, ACCESS_MASK access, KPROCESSOR_MODE mode, Ref<FILE_OBJECT>* file,
                            OBJECT_HANDLE_INFORMATION* information = nullptr) {
  return ob::ReferenceObjectByHandle(handle, access, IoFileObjectType, mode, file->out(), information);
}

// --- IRPs ---------------------------------------------------------------------------------------------------------------------------------

inline IO_STACK_LOCATION* CurrentLocation(IRP* irp) { return irp->Tail.Overlay.CurrentStackLocation; }
inline IO_STACK_LOCATION* NextLocation(IRP* irp) { return irp->Tail.Overlay.CurrentStackLocation - 1; }

/// FreeIrp of an IRP that a canceller may still be looking at (a thread-linked one).
void ReleaseIrp(IRP* irp);
/// Links to the current thread. One with IRP_DEFER_IO_COMPLETION is also held for its sender (CheckedState, irp.cc).
void LinkIrp(IRP* irp);
/// Keeps an IRP whose thread's list is locked, or that the caller owns, from being freed.
void PinIrp(IRP* irp);
void UnpinIrp(IRP* irp);
void UnlinkIrp(IRP* irp, ke::Thread* thread);
/// The second stage of completion: copy-back, status block, events, APC or port, release.
/// @param file  OriginalFileObject
void FinishRequest(IRP* irp, ke::Thread* thread, FILE_OBJECT* file);
/// Frees buffers and an IRP that was never sent.
void AbandonIrp(IRP* irp);

// --- rules for drivers (rules.cc) ---------------------------------------------------------------------------------------------------------

/// Bug check 0xC9 with rule, driver and IRP.
[[noreturn]] void ReportRule(ULONG rule, const std::string& sentence, DRIVER_OBJECT* driver, IRP* irp);

/// IRP::Reserved of an IRP that a service sends: a count of holders, and who has seen what.
struct CheckedState {
  static constexpr USHORT kReleased = 0x8000;
  static constexpr USHORT kSentPending = 0x4000;  // the sender got STATUS_PENDING
  static constexpr USHORT kDeferred = 0x2000;     // completed without the pending mark: the sender finishes it
  static constexpr int kLocationShift = 6;        // of kDeferred: the lowest location of those on top that lack the mark
  static constexpr USHORT kLocationMask = 0x1fc0;
  static constexpr USHORT kCountMask = 0x003f;

  static void NoteDeferred(IRP* irp, int unmarked_location);
  /// Drops the sender's hold.
  static void NoteReturned(IRP* irp, Status status);
};
/// For IRPs that end by an event: after a final status the event must be set.
void CheckAnswered(KEVENT* event, DRIVER_OBJECT* driver, IRP* irp, UCHAR major);

/// What driver code must leave as it found it.
struct ThreadBalance {
  explicit ThreadBalance(const ke::Thread* thread)
      : irql(thread->irql), kernel_apc_disable(thread->kernel_apc_disable), special_apc_disable(thread->special_apc_disable) {}
  bool operator==(const ThreadBalance&) const = default;
  KIRQL irql;
  int16_t kernel_apc_disable, special_apc_disable;
};
[[noreturn]] void ReportUnbalancedDispatch(const ThreadBalance& before, DRIVER_OBJECT* driver, UCHAR major);
[[noreturn]] void ReportUnbalancedCompletion(DEVICE_OBJECT* device, IRP* irp);

/// An IRP for a request on a file, from the current thread: no buffers, no event. nullptr: out of memory.
IRP* NewFileIrp(FILE_OBJECT* file, DEVICE_OBJECT* top, UCHAR major, UCHAR minor = 0);

/// The requests that wait by nature (IRP_SYNCHRONOUS_API): sends, waits, frees. `result` is written whenever the driver
/// completed it. `*written`: whether the caller's status block is to be written (not for an error that never pended).
Status SendAndWait(DEVICE_OBJECT* top, IRP* irp, IO_STATUS_BLOCK* result, bool* written = nullptr);

extern std::atomic<RequestDoneHook> g_request_done;

/// What an asynchronous service was given.
struct AsyncParameters {
  HANDLE event_handle = nullptr;
  PIO_APC_ROUTINE apc = nullptr;
  void* apc_context = nullptr;
  IO_STATUS_BLOCK* iosb = nullptr;
  KPROCESSOR_MODE mode = KernelMode;
  Ref<KEVENT> event;

  /// Checks against the port, references and resets the event.
  Status Prepare(FILE_OBJECT* file);
  /// After fast I/O has written the status block: says so, and signals the caller's event unless the file object is told not to.
  void TellFast(FILE_OBJECT* file) {
    if (RequestDoneHook hook = g_request_done.load(std::memory_order_acquire)) [[unlikely]]
      hook(iosb);
    if (event && !(Private(file)->notification_modes & FILE_SKIP_SET_USER_EVENT_ON_FAST_IO))
      ke::SetEvent(event.get(), 0, false);
  }
  /// After a fast I/O call that was final.
  void FinishFast(FILE_OBJECT* file, const IO_STATUS_BLOCK& result);
};

/// Sends an IRP of NewFileIrp in the way of the file object: waits when it is synchronous (whose lock the caller holds).
Status SendRequest(FILE_OBJECT* file, DEVICE_OBJECT* top, IRP* irp, AsyncParameters& parameters, bool synchronous);

/// DO_BUFFERED_IO, DO_DIRECT_IO or neither for a transfer; fills SystemBuffer or MdlAddress and UserBuffer.
/// @raises  what a bad buffer raises
Status SetTransferBuffer(IRP* irp, DEVICE_OBJECT* top, void* buffer, ULONG length, bool device_writes);

// --- the file object lock -----------------------------------------------------------------------------------------------------------------

Status AcquireFileLockSlow(FILE_OBJECT* file);
void WakeFileLock(FILE_OBJECT* file);
inline Status AcquireFileLock(FILE_OBJECT* file) {
  if (__atomic_exchange_n(&file->Busy, 1u, __ATOMIC_ACQUIRE) == 0) [[likely]]
    return STATUS_SUCCESS;
  return AcquireFileLockSlow(file);
}
inline void ReleaseFileLock(FILE_OBJECT* file) {
  __atomic_store_n(&file->Busy, 0u, __ATOMIC_RELEASE);
  host::LightBarrier();  // with AcquireFileLockSlow
  if (__atomic_load_n(&file->Waiters, __ATOMIC_RELAXED)) [[unlikely]]
    WakeFileLock(file);
}

/// Holds the lock of a synchronous file object; does nothing for others.
class FileLock {
 public:
  explicit FileLock(FILE_OBJECT* file) : file_(file->Flags & FO_SYNCHRONOUS_IO ? file : nullptr) {
    if (file_) status_ = AcquireFileLock(file_);
    if (!status_.ok() || status_ != STATUS_SUCCESS) file_ = nullptr;
  }
  ~FileLock() {
    if (file_) ReleaseFileLock(file_);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  /// USER_APC or ALERTED: not acquired.
  Status status() const { return status_; }
  bool synchronous() const { return file_ != nullptr; }

 private:
  FILE_OBJECT* file_;
  Status status_ = STATUS_SUCCESS;
};

// --- devices and volumes ----------------------------------------------------------------------------------------------------------------------

inline bool IsFileSystemType(DEVICE_TYPE type) {
  return type == FILE_DEVICE_DISK_FILE_SYSTEM || type == FILE_DEVICE_CD_ROM_FILE_SYSTEM ||
         type == FILE_DEVICE_TAPE_FILE_SYSTEM || type == FILE_DEVICE_NETWORK_FILE_SYSTEM ||
         type == FILE_DEVICE_FILE_SYSTEM;
}
/// Counts an open. STATUS_NO_SUCH_DEVICE for one being made or deleted, STATUS_ACCESS_DENIED for an exclusive one in use.
Status CountOpen(DEVICE_OBJECT* device);
void UncountOpen(DEVICE_OBJECT* device);
Status AllocateVpb(DEVICE_OBJECT* device);
void FreeDeviceVpb(DEVICE_OBJECT* device);
/// Mounts if need be and counts a reference to the VPB. @param raw_open  the volume itself is opened, not a file on it
Status ReferenceMountedVpb(DEVICE_OBJECT* device, bool raw_open, VPB** vpb);
void DereferenceVpb(VPB* vpb);
void CallDetachFastIo(DEVICE_OBJECT* device);
/// Whether `device` is below `top` in its stack, or is it.
bool IsInStack(DEVICE_OBJECT* top, DEVICE_OBJECT* device);

// --- file objects --------------------------------------------------------------------------------------------------------------------------------

Status NewFileObject(File** file);
void RemoveFile(void* object);
void CloseFile(ps::Process* process, void* object, ACCESS_MASK granted, ULONG_PTR process_handles,
               ULONG_PTR system_handles);
Status QueryFileName(void* object, OBJECT_NAME_INFORMATION* name, ULONG bytes, ULONG* needed);
void SendCleanup(File* file);

/// What an open was asked for; the parse context of files. Its address is recognised by `tag`.
struct OpenPacket {
  static constexpr ULONG kTag = 0x4e65704f;
  ULONG tag = kTag;
  FILE_OBJECT* related = nullptr;
  LARGE_INTEGER allocation{};
  ULONG file_attributes = 0;
  ULONG share = 0;
  ULONG disposition = FILE_OPEN;
  ULONG options = 0;              // create options
  ULONG io_options = 0;           // IO_FORCE_ACCESS_CHECK...
  void* ea_buffer = nullptr;      // captured, in pool
  ULONG ea_length = 0;
  CREATE_FILE_TYPE type = CreateFileTypeNone;
  void* type_parameters = nullptr;
  ECP_LIST* ecps = nullptr;
  DEVICE_OBJECT* device_hint = nullptr;
  TXN_PARAMETER_BLOCK* transaction = nullptr;
  // Opens without a handle
  FILE_NETWORK_OPEN_INFORMATION* query = nullptr;  // fill this, then close
  bool delete_only = false;
  // Results
  bool parsed = false;
  ULONG_PTR information = 0;
  Status final_status = STATUS_SUCCESS;
  FILE_OBJECT* file = nullptr;    // of the last open; borrowed
  int remounts = 0;
};
Status ParseDevice(void* parse_object, POBJECT_TYPE type, PACCESS_STATE access_state, KPROCESSOR_MODE mode,
                   ULONG attributes, UNICODE_STRING* complete_name, UNICODE_STRING* remaining_name, void* context,
                   PSECURITY_QUALITY_OF_SERVICE quality, void** object);
Status ParseFile(void* parse_object, POBJECT_TYPE type, PACCESS_STATE access_state, KPROCESSOR_MODE mode,
                 ULONG attributes, UNICODE_STRING* complete_name, UNICODE_STRING* remaining_name, void* context,
                 PSECURITY_QUALITY_OF_SERVICE quality, void** object);

// --- information classes (classes.cc) --------------------------------------------------------------------------------------------------------------

struct ClassRow {
  ULONG minimum_bytes;      // 0: not a class that this service takes
  ACCESS_MASK access;       // of the handle
  UCHAR alignment;
};
const ClassRow* QueryFileClass(FILE_INFORMATION_CLASS information_class);
const ClassRow* SetFileClass(FILE_INFORMATION_CLASS information_class);
const ClassRow* QueryVolumeClass(FS_INFORMATION_CLASS information_class);
const ClassRow* SetVolumeClass(FS_INFORMATION_CLASS information_class);
ULONG FileModeOf(const FILE_OBJECT* file);

/// Queues a packet that has no IRP to a port.
Status QueueMiniPacket(KQUEUE* port, void* key, void* apc_context, NTSTATUS status, ULONG_PTR information);
void RemoveCompletionPort(void* object);

// --- boot of parts ------------------------------------------------------------------------------------------------------------------------------------

Status RawBoot();
void TimersShutdown();
/// A driver has registered a file system.
void NoteFileSystem(DRIVER_OBJECT* driver);
void PnpBoot();
void PnpShutdown();
void CancelTimerOf(DEVICE_OBJECT* device);
void NoteFastIo(bool used);

/// Runs a body that touches the requestor's memory. @returns its status, or that of the exception
template <class F>
Status Guarded(F&& body) {
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return STATUS_SUCCESS;
    } else {
      return body();
    }
  } catch (const SehException& exception) {
    return exception.code();
  }
}

/// Its dispatch routines refuse everything from now on, and its other entries are gone.
void MakeDriverDeaf(DRIVER_OBJECT* driver);
/// Ends the threads, timers and cached streams of a driver that has no DriverUnload; the machine shuts down.
void SwitchOffDriver(DRIVER_OBJECT* driver);

}  // namespace nt::io
