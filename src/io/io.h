// The I/O manager: drivers, devices, IRPs, file objects, volumes, and the file services. What siblings include.
//
// Twins of Io*, Iof* and Po* routines have their parameters and meaning; what they promise to drivers stands in
// include/wdk/nt/io.h. Below: what differs, and what only the runtime uses.
//
// Every call into a driver goes through nt::CallDriver with no base::Lock held. A Windows exception that a dispatch routine
// raises passes through here to whoever called.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "ntifs.h"
#include "src/base/status.h"
#include "src/ldr/call.h"

namespace nt::ke {
struct Thread;
}

// Data exports, declared in nt/io.h: IoFileObjectType, IoDriverObjectType, IoDeviceObjectType.

namespace nt::io {

Status Boot();
/// Frees what is left: every driver must be unloaded (UnloadAllDrivers).
void Shutdown();

// --- machine shutdown (shutdown.cc), in this order, before Shutdown and before the disks go --------------------------------------

/// IRP_MJ_SHUTDOWN to registered devices, then to registered file systems, then to last-chance devices.
void NotifyShutdown();
/// Flushes, locks if possible, and dismounts every mounted volume.
/// @returns the first failure to flush or dismount; goes on to the end in any case
Status DismountAllVolumes();
/// Unloads drivers, newest first. A driver without an unload routine loses its devices and its image.
void UnloadAllDrivers();

// --- drivers (driver.cc) -------------------------------------------------------------------------------------------------------

struct DriverOptions {
  std::string path;              // of the .sys
  std::u16string service;        // name of the service key and the driver object; empty: the file name without .sys
  bool file_system = true;       // \FileSystem\<service>, else \Driver\<service>; the service key's Type value wins
  bool lazy_imports = false;     // a missing import bug-checks when it is called instead of refusing the driver
  unsigned entry_timeout_seconds = 30;  // a DriverEntry that does not return: bug check naming the driver; 0: no limit
};
/// Maps the image, makes the driver object, runs DriverEntry in a system thread and then its reinitialization routines.
/// @param why  on failure one or more sentences for the user; may be null
/// @returns the driver object (borrowed: lives until UnloadDriver)
Result<DRIVER_OBJECT*> LoadDriver(const DriverOptions& options, std::string* why = nullptr);
/// The machine's end, before file systems go: unloads the drivers that were loaded after the last file system, and may
/// still have handles to close.
void UnloadDriversAboveFileSystems();
/// Then: closes handles to files that nobody closed, and names them on standard error.
void CloseLeakedFiles();
/// What a file object was opened by, below its device's name, for reports. Asks no driver.
std::string DescribeFile(const FILE_OBJECT* file);
/// NtLoadDriver: ImagePath of the service key is a path of the host. STATUS_IMAGE_ALREADY_LOADED.
Status LoadDriverByServiceKey(const UNICODE_STRING* key);
Status UnloadDriverByServiceKey(const UNICODE_STRING* key);
/// A driver inside the runtime, or one of a test. `entry` runs on the calling thread.
/// @param name  full, "\\Driver\\Disk"
Result<DRIVER_OBJECT*> CreateBuiltInDriver(const char16_t* name, PDRIVER_INITIALIZE entry);
/// DriverUnload, then the image and the driver object go. STATUS_INVALID_DEVICE_REQUEST without an unload routine;
/// STATUS_PENDING when its devices are still referenced: the unload follows the last reference.
Status UnloadDriver(DRIVER_OBJECT* driver);
/// Deletes a driver object whose devices are gone (IoDeleteDriver), or whose devices are to be deleted by force.
void DeleteDriver(DRIVER_OBJECT* driver, bool delete_devices = false);
/// All driver objects, oldest first, borrowed.
std::vector<DRIVER_OBJECT*> Drivers();
/// "fat.sys" for an image, the object's name for a built-in driver.
std::string DriverFileName(DRIVER_OBJECT* driver);
/// "fat": the last part of the driver object's name. Two instances of an image differ in it.
std::string DriverServiceName(DRIVER_OBJECT* driver);
Status AllocateDriverObjectExtension(DRIVER_OBJECT* driver, void* client_id, ULONG bytes, void** extension);
void* GetDriverObjectExtension(DRIVER_OBJECT* driver, void* client_id);
void RegisterDriverReinitialization(DRIVER_OBJECT* driver, PDRIVER_REINITIALIZE routine, void* context);
void RegisterBootDriverReinitialization(DRIVER_OBJECT* driver, PDRIVER_REINITIALIZE routine, void* context);

// --- devices (device.cc, attach.cc) ---------------------------------------------------------------------------------------------

Status CreateDevice(DRIVER_OBJECT* driver, ULONG extension_bytes, const UNICODE_STRING* name, DEVICE_TYPE type,
                    ULONG characteristics, bool exclusive, DEVICE_OBJECT** device);
void DeleteDevice(DEVICE_OBJECT* device);
Status CreateSymbolicLink(const UNICODE_STRING* link, const UNICODE_STRING* device_name);
Status DeleteSymbolicLink(const UNICODE_STRING* link);

Status AttachDevice(DEVICE_OBJECT* source, UNICODE_STRING* target, DEVICE_OBJECT** attached);
/// @returns the device that `source` now stands on; nullptr: the stack cannot be attached to
DEVICE_OBJECT* AttachDeviceToDeviceStack(DEVICE_OBJECT* source, DEVICE_OBJECT* target);
Status AttachDeviceToDeviceStackSafe(DEVICE_OBJECT* source, DEVICE_OBJECT* target, DEVICE_OBJECT** attached_to);
Status AttachDeviceByPointer(DEVICE_OBJECT* source, DEVICE_OBJECT* target);
void DetachDevice(DEVICE_OBJECT* target);
inline DEVICE_OBJECT* GetAttachedDevice(DEVICE_OBJECT* device) {
  while (DEVICE_OBJECT* above = __atomic_load_n(&device->AttachedDevice, __ATOMIC_ACQUIRE)) device = above;
  return device;
}
DEVICE_OBJECT* GetAttachedDeviceReference(DEVICE_OBJECT* device);
DEVICE_OBJECT* GetLowerDeviceObject(DEVICE_OBJECT* device);
DEVICE_OBJECT* GetDeviceAttachmentBaseRef(DEVICE_OBJECT* device);
/// The device directly below, borrowed, or nullptr.
DEVICE_OBJECT* LowerDevice(DEVICE_OBJECT* device);
/// The top of the stack that requests on this file go to.
DEVICE_OBJECT* GetRelatedDeviceObject(FILE_OBJECT* file);
/// The file system's own device, under all filters.
DEVICE_OBJECT* GetBaseFileSystemDeviceObject(FILE_OBJECT* file);
Status GetDiskDeviceObject(DEVICE_OBJECT* file_system_device, DEVICE_OBJECT** disk_device);
Status GetDeviceObjectPointer(const UNICODE_STRING* name, ACCESS_MASK access, FILE_OBJECT** file, DEVICE_OBJECT** device);
Status EnumerateDeviceObjectList(DRIVER_OBJECT* driver, DEVICE_OBJECT** list, ULONG list_bytes, ULONG* count);
/// Device stacks as text: every storage device, what is mounted and attached.
std::string DescribeDeviceTree();

// --- IRPs (irp.cc, irp_build.cc, call_driver.cc, complete.cc, cancel.cc) ------------------------------------------------------------

IRP* AllocateIrp(CCHAR stack_size, bool charge_quota = false);
void FreeIrp(IRP* irp);
void InitializeIrp(IRP* irp, USHORT packet_bytes, CCHAR stack_size);
void ReuseIrp(IRP* irp, NTSTATUS status);
IRP* MakeAssociatedIrp(IRP* master, CCHAR stack_size);
IRP* BuildAsynchronousFsdRequest(ULONG major, DEVICE_OBJECT* device, void* buffer, ULONG length, LARGE_INTEGER* offset,
                                 IO_STATUS_BLOCK* iosb);
IRP* BuildSynchronousFsdRequest(ULONG major, DEVICE_OBJECT* device, void* buffer, ULONG length, LARGE_INTEGER* offset,
                                KEVENT* event, IO_STATUS_BLOCK* iosb);
IRP* BuildDeviceIoControlRequest(ULONG code, DEVICE_OBJECT* device, void* input, ULONG input_length, void* output,
                                 ULONG output_length, bool internal, KEVENT* event, IO_STATUS_BLOCK* iosb);
/// IoCallDriver. Bug check NO_MORE_IRP_STACK_LOCATIONS.
Status CallDriver(DEVICE_OBJECT* device, IRP* irp);
/// IoCompleteRequest. Bug check MULTIPLE_IRP_COMPLETE_REQUESTS; DRIVER_VERIFIER_IOMANAGER_VIOLATION for a bad status.
void CompleteRequest(IRP* irp, CCHAR boost = IO_NO_INCREMENT);
/// Sends an IRP that the I/O manager frees, with `event` and `iosb` set at completion, and waits. @returns the final status
Status CallDriverAndWait(DEVICE_OBJECT* device, IRP* irp, KEVENT* event, IO_STATUS_BLOCK* iosb);
bool ForwardIrpSynchronously(DEVICE_OBJECT* device, IRP* irp);
Status SetCompletionRoutineEx(DEVICE_OBJECT* device, IRP* irp, PIO_COMPLETION_ROUTINE routine, void* context,
                              bool on_success, bool on_error, bool on_cancel);
bool CancelIrp(IRP* irp);
void AcquireCancelSpinLock(KIRQL* irql);
void ReleaseCancelSpinLock(KIRQL irql);
/// Links an IRP to the current thread, which then cancels it when it ends.
void QueueThreadIrp(IRP* irp);
/// Cancels and waits for the current thread's IRPs (thread exit).
void CancelThreadIo(ke::Thread* thread);
/// How long a thread that ends waits for its cancelled IRPs before it goes without them. Default, also 0: five minutes.
void SetCancelPatience(uint64_t nanoseconds);
/// Called when the status block of a user request was written, before an event, an APC or a packet tells of it; on the thread
/// that does stage 2, at <= DISPATCH_LEVEL. One for the process; nullptr: none.
using RequestDoneHook = void (*)(IO_STATUS_BLOCK* iosb);
void SetRequestDoneHook(RequestDoneHook hook);
bool IsOperationSynchronous(IRP* irp);
PEPROCESS GetRequestorProcess(IRP* irp);
ULONG GetRequestorProcessId(IRP* irp);
void SetTopLevelIrp(IRP* irp);
IRP* GetTopLevelIrp();
/// An IRP and its stack locations as text, for reports. Takes no lock.
std::string DescribeIrp(const IRP* irp);

// --- start-I/O queues, DPCs, timers (start_io.cc, timer.cc) ---------------------------------------------------------------------------

void StartPacket(DEVICE_OBJECT* device, IRP* irp, ULONG* key, PDRIVER_CANCEL cancel);
void StartNextPacket(DEVICE_OBJECT* device, bool cancelable);
void StartNextPacketByKey(DEVICE_OBJECT* device, bool cancelable, ULONG key);
void SetStartIoAttributes(DEVICE_OBJECT* device, bool deferred, bool non_cancelable);
/// IoInitializeDpcRequest and IoRequestDpc, which drivers get as macros.
void InitializeDpcRequest(DEVICE_OBJECT* device, PIO_DPC_ROUTINE routine);
bool RequestDpc(DEVICE_OBJECT* device, IRP* irp, void* context);
Status InitializeTimer(DEVICE_OBJECT* device, PIO_TIMER_ROUTINE routine, void* context);
void StartTimer(DEVICE_OBJECT* device);
void StopTimer(DEVICE_OBJECT* device);

// --- MDLs (mdl.cc) --------------------------------------------------------------------------------------------------------------

MDL* AllocateMdl(void* address, ULONG length, bool secondary, bool charge_quota, IRP* irp);
void FreeMdl(MDL* mdl);
void BuildPartialMdl(MDL* source, MDL* target, void* address, ULONG length);

// --- paging I/O (paging.cc): used by mm and cc ---------------------------------------------------------------------------------------

/// IRP_NOCACHE | IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO to the top device. `event` is set and `iosb` written at completion
/// whatever the result. @returns what the driver returned; STATUS_PENDING: wait for `event`
Status PageRead(FILE_OBJECT* file, MDL* mdl, LARGE_INTEGER* offset, KEVENT* event, IO_STATUS_BLOCK* iosb);
Status SynchronousPageWrite(FILE_OBJECT* file, MDL* mdl, LARGE_INTEGER* offset, KEVENT* event, IO_STATUS_BLOCK* iosb);
/// Not synchronous: `done(context)` is called once, on the completing thread at <= DISPATCH_LEVEL, after *iosb was written.
Status AsynchronousPageWrite(FILE_OBJECT* file, MDL* mdl, LARGE_INTEGER* offset, void (*done)(void* context), void* context,
                             IO_STATUS_BLOCK* iosb);

// --- volumes (volume.cc, mount.cc, verify.cc) -----------------------------------------------------------------------------------------

void RegisterFileSystem(DEVICE_OBJECT* device);
void UnregisterFileSystem(DEVICE_OBJECT* device);
Status RegisterFsRegistrationChange(DRIVER_OBJECT* driver, PDRIVER_FS_NOTIFICATION routine, bool mount_aware = false);
void UnregisterFsRegistrationChange(DRIVER_OBJECT* driver, PDRIVER_FS_NOTIFICATION routine);
void AcquireVpbSpinLock(KIRQL* irql);
void ReleaseVpbSpinLock(KIRQL irql);
/// Mounts what a registered file system recognises. STATUS_SUCCESS also when something is mounted already.
Status MountVolume(DEVICE_OBJECT* device, bool allow_raw);
Status VerifyVolume(DEVICE_OBJECT* device, bool allow_raw);
DEVICE_OBJECT* GetDeviceToVerify(PETHREAD thread);
void SetDeviceToVerify(PETHREAD thread, DEVICE_OBJECT* device);
void SetHardErrorOrVerifyDevice(IRP* irp, DEVICE_OBJECT* device);
/// There is no user to ask: logged, then the request is completed with its status.
void RaiseHardError(IRP* irp, VPB* vpb, DEVICE_OBJECT* real_device);
bool RaiseInformationalHardError(NTSTATUS status, const UNICODE_STRING* text, PKTHREAD thread);
bool SetThreadHardErrorMode(bool enable);
Status RegisterShutdownNotification(DEVICE_OBJECT* device);
Status RegisterLastChanceShutdownNotification(DEVICE_OBJECT* device);
void UnregisterShutdownNotification(DEVICE_OBJECT* device);

// --- file objects (file_object.cc, parse.cc, share_access.cc, names.cc) --------------------------------------------------------------------

FILE_OBJECT* CreateStreamFileObject(FILE_OBJECT* file, DEVICE_OBJECT* device);
FILE_OBJECT* CreateStreamFileObjectEx(FILE_OBJECT* file, DEVICE_OBJECT* device, HANDLE* handle);
FILE_OBJECT* CreateStreamFileObjectLite(FILE_OBJECT* file, DEVICE_OBJECT* device);
Status CheckShareAccess(ACCESS_MASK desired, ULONG share, FILE_OBJECT* file, SHARE_ACCESS* access, bool update);
Status CheckShareAccessEx(ACCESS_MASK desired, ULONG share, FILE_OBJECT* file, SHARE_ACCESS* access, bool update,
                          const BOOLEAN* write_permission);
void SetShareAccess(ACCESS_MASK desired, ULONG share, FILE_OBJECT* file, SHARE_ACCESS* access);
void UpdateShareAccess(FILE_OBJECT* file, SHARE_ACCESS* access);
void RemoveShareAccess(FILE_OBJECT* file, SHARE_ACCESS* access);
Status QueryFileDosDeviceName(FILE_OBJECT* file, OBJECT_NAME_INFORMATION** name);
Status VolumeDeviceToDosName(DEVICE_OBJECT* volume, UNICODE_STRING* name);
GENERIC_MAPPING* GetFileObjectGenericMapping();
Status CheckEaBufferValidity(FILE_FULL_EA_INFORMATION* buffer, ULONG length, ULONG* error_offset);
Status CheckQuerySetFileInformation(FILE_INFORMATION_CLASS information_class, ULONG length, bool set);
Status CheckQuerySetVolumeInformation(FS_INFORMATION_CLASS information_class, ULONG length, bool set);
/// By file object, not by handle; previous mode does not matter.
Status QueryFileInformation(FILE_OBJECT* file, FILE_INFORMATION_CLASS information_class, ULONG length, void* buffer,
                            ULONG* returned);
Status QueryVolumeInformation(FILE_OBJECT* file, FS_INFORMATION_CLASS information_class, ULONG length, void* buffer,
                              ULONG* returned);
Status SetInformation(FILE_OBJECT* file, FILE_INFORMATION_CLASS information_class, ULONG length, void* buffer);

// --- ECPs of an IRP -------------------------------------------------------------------------------------------------------------

Status SetIrpExtraCreateParameter(IRP* irp, ECP_LIST* list);
void ClearIrpExtraCreateParameter(IRP* irp);
Status GetIrpExtraCreateParameter(IRP* irp, ECP_LIST** list);

// --- work items (work_item.cc) ----------------------------------------------------------------------------------------------------

PIO_WORKITEM AllocateWorkItem(DEVICE_OBJECT* device);
void FreeWorkItem(PIO_WORKITEM item);
void QueueWorkItem(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE routine, WORK_QUEUE_TYPE queue, void* context);
void QueueWorkItemEx(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE_EX routine, WORK_QUEUE_TYPE queue, void* context);

// --- services: Nt* with the thread's previous mode ------------------------------------------------------------------------------------

Status CreateFile(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, IO_STATUS_BLOCK* iosb,
                  LARGE_INTEGER* allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options,
                  void* ea_buffer, ULONG ea_length, CREATE_FILE_TYPE type, void* parameters, ULONG io_options,
                  IO_DRIVER_CREATE_CONTEXT* context = nullptr);  // IoCreateFile(Ex)
Status NtCreateFile(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, IO_STATUS_BLOCK* iosb,
                    LARGE_INTEGER* allocation, ULONG file_attributes, ULONG share, ULONG disposition, ULONG options,
                    void* ea_buffer, ULONG ea_length);
Status NtOpenFile(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, IO_STATUS_BLOCK* iosb, ULONG share,
                  ULONG options);
Status NtReadFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb, void* buffer,
                  ULONG length, LARGE_INTEGER* offset, ULONG* key);
Status NtWriteFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb, void* buffer,
                   ULONG length, LARGE_INTEGER* offset, ULONG* key);
Status NtQueryInformationFile(HANDLE file, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length,
                              FILE_INFORMATION_CLASS information_class);
Status NtSetInformationFile(HANDLE file, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length,
                            FILE_INFORMATION_CLASS information_class);
Status NtQueryVolumeInformationFile(HANDLE file, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length,
                                    FS_INFORMATION_CLASS information_class);
Status NtSetVolumeInformationFile(HANDLE file, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length,
                                  FS_INFORMATION_CLASS information_class);
Status NtQueryDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                            void* buffer, ULONG length, FILE_INFORMATION_CLASS information_class, bool single_entry,
                            UNICODE_STRING* pattern, bool restart);
Status NtQueryDirectoryFileEx(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                              void* buffer, ULONG length, FILE_INFORMATION_CLASS information_class, ULONG flags,
                              UNICODE_STRING* pattern);
Status NtNotifyChangeDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context,
                                   IO_STATUS_BLOCK* iosb, void* buffer, ULONG length, ULONG filter, bool watch_tree);
Status NtFsControlFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                       ULONG code, void* input, ULONG input_length, void* output, ULONG output_length);
Status NtDeviceIoControlFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                             ULONG code, void* input, ULONG input_length, void* output, ULONG output_length);
Status NtFlushBuffersFile(HANDLE file, IO_STATUS_BLOCK* iosb);
Status NtFlushBuffersFileEx(HANDLE file, ULONG flags, void* parameters, ULONG parameters_bytes, IO_STATUS_BLOCK* iosb);
Status NtLockFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE apc, void* apc_context, IO_STATUS_BLOCK* iosb,
                  LARGE_INTEGER* offset, LARGE_INTEGER* length, ULONG key, bool fail_immediately, bool exclusive);
Status NtUnlockFile(HANDLE file, IO_STATUS_BLOCK* iosb, LARGE_INTEGER* offset, LARGE_INTEGER* length, ULONG key);
Status NtDeleteFile(OBJECT_ATTRIBUTES* attributes);
Status NtQueryAttributesFile(OBJECT_ATTRIBUTES* attributes, FILE_BASIC_INFORMATION* information);
Status NtQueryFullAttributesFile(OBJECT_ATTRIBUTES* attributes, FILE_NETWORK_OPEN_INFORMATION* information);
Status NtCancelIoFile(HANDLE file, IO_STATUS_BLOCK* iosb);
Status NtCancelIoFileEx(HANDLE file, IO_STATUS_BLOCK* request, IO_STATUS_BLOCK* iosb);
/// Requests that the thread waits for in a service. STATUS_NOT_FOUND: none.
Status NtCancelSynchronousIoFile(HANDLE thread, IO_STATUS_BLOCK* request, IO_STATUS_BLOCK* iosb);
Status NtQueryEaFile(HANDLE file, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length, bool single_entry, void* ea_list,
                     ULONG ea_list_length, ULONG* ea_index, bool restart);
Status NtSetEaFile(HANDLE file, IO_STATUS_BLOCK* iosb, void* buffer, ULONG length);
/// For file handles: IRP_MJ_QUERY_SECURITY and IRP_MJ_SET_SECURITY.
Status QueryFileSecurity(FILE_OBJECT* file, SECURITY_INFORMATION information, void* descriptor, ULONG length,
                         ULONG* needed);
Status SetFileSecurity(FILE_OBJECT* file, SECURITY_INFORMATION information, void* descriptor);
Status NtCreateIoCompletion(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, ULONG threads);
Status NtSetIoCompletion(HANDLE port, void* key, void* apc_context, NTSTATUS status, ULONG_PTR information);
Status NtOpenIoCompletion(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes);
Status NtQueryIoCompletion(HANDLE port, IO_COMPLETION_INFORMATION_CLASS information_class, void* buffer, ULONG length,
                           ULONG* returned);
Status NtRemoveIoCompletion(HANDLE port, void** key, void** apc_context, IO_STATUS_BLOCK* iosb,
                            LARGE_INTEGER* timeout);
/// Takes up to `count` packets, at most 32 a call.
Status NtRemoveIoCompletionEx(HANDLE port, FILE_IO_COMPLETION_INFORMATION* information, ULONG count, ULONG* removed,
                              LARGE_INTEGER* timeout, bool alertable);

// --- fast I/O -------------------------------------------------------------------------------------------------------------------------

/// Index of an entry, from 1 as in the documentation: FastIoCheckIfPossible is 1.
template <auto kEntry>
inline size_t FastIoIndex() {
  alignas(FAST_IO_DISPATCH) static constexpr char kProbe[sizeof(FAST_IO_DISPATCH)] = {};
  const auto* table = reinterpret_cast<const FAST_IO_DISPATCH*>(kProbe);
  return static_cast<size_t>(reinterpret_cast<const char*>(&(table->*kEntry)) - kProbe) / sizeof(void*);
}

inline constinit std::atomic<bool> g_statistics_enabled{false};
inline bool StatisticsEnabled() { return g_statistics_enabled.load(std::memory_order_relaxed); }
/// Makes sure that the driver's entry is counted (observe.cc). Statistics are on.
void ObserveEntry(DRIVER_OBJECT* driver, size_t index);

/// A device's own driver's entry, or nullptr: no table, a table that ends before it, or an empty entry.
///   auto* read = io::FastIoEntry<&FAST_IO_DISPATCH::FastIoRead>(device);
template <auto kEntry>
inline auto FastIoEntry(DEVICE_OBJECT* device) {
  if (StatisticsEnabled()) [[unlikely]] ObserveEntry(device->DriverObject, FastIoIndex<kEntry>());
  const FAST_IO_DISPATCH* table = device->DriverObject->FastIoDispatch;
  using Routine = std::remove_cvref_t<decltype(table->*kEntry)>;
  if (!table || table->SizeOfFastIoDispatch < (FastIoIndex<kEntry>() + 1) * sizeof(void*)) return Routine{nullptr};
  return table->*kEntry;
}

// --- statistics (statistics.cc) -------------------------------------------------------------------------------------------------------

struct Statistics {
  static constexpr size_t kFastIoEntries = 28;  // index 1..27
  struct FastIo {
    std::atomic<uint64_t> called, returned_true, returned_false;
    std::atomic<uint64_t> disallowed;  // of returned_false: the file says fast I/O is not possible, or FastIoCheckIfPossible did
  } fast_io[kFastIoEntries];
  struct Major {
    std::atomic<uint64_t> sent, failed;
  } irp[IRP_MJ_MAXIMUM_FUNCTION + 1];
  struct Paging {
    std::atomic<uint64_t> reads, writes, bytes_read, bytes_written;
  } paging;
};
/// What one driver did, whoever called it. Its own answers are told from what it passed on to the driver below.
struct DriverCounts {
  static constexpr size_t kFastIoEntries = Statistics::kFastIoEntries;
  std::string name;     // DriverServiceName
  bool filter = false;  // it attached to a file system or a volume
  struct FastIo {
    std::atomic<uint64_t> called, returned_true, returned_false;
    std::atomic<uint64_t> answered, declined, passed_on;  // TRUE of its own, FALSE of its own, the rest
  } fast_io[kFastIoEntries];
  struct Major {
    std::atomic<uint64_t> called;
    std::atomic<uint64_t> completed, failed;  // by this driver in its dispatch routine; failed: with an error
    std::atomic<uint64_t> passed_on, pended;
  } irp[IRP_MJ_MAXIMUM_FUNCTION + 1];
};
/// Counters since the last Reset; they count only while enabled.
Statistics& TheStatistics();
void ResetStatistics();
/// From here on every driver's tables are observed, those of loaded drivers, too.
void EnableStatistics(bool enable);
/// The drivers observed since the last Reset, unloaded ones included, in order of appearance.
std::vector<const DriverCounts*> AllDriverCounts();
/// "FastIoRead"
const char* FastIoEntryName(size_t index);
/// "IRP_MJ_READ"
const char* MajorFunctionName(UCHAR major);

/// @param file  that was asked about; nullptr where an entry has none
void CountFastIo(size_t index, bool returned_true, const FILE_OBJECT* file = nullptr);
/// A request of its own that a sibling sent to the top of a stack, and what became of it.
void CountRequest(UCHAR major, NTSTATUS status);

inline const FILE_OBJECT* FileOf(const FILE_OBJECT* file) { return file; }
inline const FILE_OBJECT* FileOf(const void*) { return nullptr; }

/// Calls an entry that FastIoEntry found, and counts the call.
///   if (read && io::CallFastIo<&FAST_IO_DISPATCH::FastIoRead>(read, file, ...)) ...
template <auto kEntry, class Routine, class... A>
inline auto CallFastIo(Routine routine, A... arguments) {
  using R = decltype(routine(arguments...));
  if constexpr (std::is_void_v<R>) {
    nt::CallDriver(routine, arguments...);
    if (StatisticsEnabled()) [[unlikely]] CountFastIo(FastIoIndex<kEntry>(), true);
  } else {
    const R result = nt::CallDriver(routine, arguments...);
    if (StatisticsEnabled()) [[unlikely]]
      CountFastIo(FastIoIndex<kEntry>(), std::is_same_v<R, BOOLEAN> ? result != 0 : static_cast<LONG>(result) >= 0,
                  FileOf(std::get<0>(std::tie(arguments...))));
    return result;
  }
}

/// Whether the last request that the current thread made by a service was answered by fast I/O (the C++ API reports it).
bool LastRequestWasFastIo();

}  // namespace nt::io
