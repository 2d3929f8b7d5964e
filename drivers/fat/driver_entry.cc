// The driver's first and last breath: the \Fat device, the dispatch tables, the list of volumes.
#include "fat.h"

namespace fat {

Globals g;

namespace {

BOOLEAN NTAPI AcquireForLazyWrite(PVOID context, BOOLEAN wait) {
  Fcb* fcb = static_cast<Fcb*>(context);
  KeEnterCriticalRegion();
  if (!ExAcquireResourceSharedLite(&fcb->np->paging_resource, wait)) {
    KeLeaveCriticalRegion();
    return FALSE;
  }
  fcb->lazy_write_thread = KeGetCurrentThread();
  IoSetTopLevelIrp(reinterpret_cast<PIRP>(FSRTL_CACHE_TOP_LEVEL_IRP));
  return TRUE;
}

VOID NTAPI ReleaseFromLazyWrite(PVOID context) {
  Fcb* fcb = static_cast<Fcb*>(context);
  fcb->lazy_write_thread = nullptr;
  IoSetTopLevelIrp(nullptr);
  ExReleaseResourceLite(&fcb->np->paging_resource);
  KeLeaveCriticalRegion();
}

BOOLEAN NTAPI AcquireForReadAhead(PVOID context, BOOLEAN wait) {
  Fcb* fcb = static_cast<Fcb*>(context);
  KeEnterCriticalRegion();
  if (!ExAcquireResourceSharedLite(&fcb->np->resource, wait)) {
    KeLeaveCriticalRegion();
    return FALSE;
  }
  IoSetTopLevelIrp(reinterpret_cast<PIRP>(FSRTL_CACHE_TOP_LEVEL_IRP));
  return TRUE;
}

VOID NTAPI ReleaseFromReadAhead(PVOID context) {
  Fcb* fcb = static_cast<Fcb*>(context);
  IoSetTopLevelIrp(nullptr);
  ExReleaseResourceLite(&fcb->np->resource);
  KeLeaveCriticalRegion();
}

/// A DWORD below the driver's Parameters key; `value` stays what it is where there is none.
void ReadParameter(PUNICODE_STRING registry_path, PWSTR name, ULONG* value) {
  WCHAR path[256];
  static const WCHAR kParameters[] = L"\\Parameters";
  if (registry_path == nullptr || registry_path->Length + sizeof(kParameters) > sizeof(path)) return;
  RtlCopyMemory(path, registry_path->Buffer, registry_path->Length);
  RtlCopyMemory(path + registry_path->Length / sizeof(WCHAR), kParameters, sizeof(kParameters));
  RTL_QUERY_REGISTRY_TABLE table[2];
  RtlZeroMemory(table, sizeof(table));
  ULONG read = *value;
  table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
  table[0].Name = name;
  table[0].EntryContext = &read;
  table[0].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
  if (NT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, path, table, nullptr, nullptr))) *value = read;
}

}  // namespace
}  // namespace fat

using namespace fat;

extern "C" DRIVER_INITIALIZE DriverEntry;

extern "C" NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  RtlZeroMemory(&g, sizeof(g));
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, L"\\Fat");
  FAT_TRY_STATUS(IoCreateDevice(driver, 0, &name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &g.device));

  g.driver = driver;
  ExInitializeResourceLite(&g.mount_resource);
  InitializeListHead(&g.volumes);
  ExInitializeFastMutex(&g.list_mutex);
  ExInitializeFastMutex(&g.close_mutex);
  InitializeListHead(&g.close_queue);
  InitializeListHead(&g.stream_close_queue);
  KeInitializeEvent(&g.close_idle, NotificationEvent, TRUE);
  InitializeIdleClean();
  WCHAR update_last_access[] = L"UpdateLastAccess";
  ULONG update = 0;
  ReadParameter(registry_path, update_last_access, &update);
  g.update_last_access = update != 0;
  g.callbacks.AcquireForLazyWrite = AcquireForLazyWrite;
  g.callbacks.ReleaseFromLazyWrite = ReleaseFromLazyWrite;
  g.callbacks.AcquireForReadAhead = AcquireForReadAhead;
  g.callbacks.ReleaseFromReadAhead = ReleaseFromReadAhead;

  static const UCHAR kMajors[] = {
      IRP_MJ_CREATE,
      IRP_MJ_CLOSE,
      IRP_MJ_READ,
      IRP_MJ_WRITE,
      IRP_MJ_QUERY_INFORMATION,
      IRP_MJ_SET_INFORMATION,
      IRP_MJ_QUERY_EA,
      IRP_MJ_SET_EA,
      IRP_MJ_FLUSH_BUFFERS,
      IRP_MJ_QUERY_VOLUME_INFORMATION,
      IRP_MJ_SET_VOLUME_INFORMATION,
      IRP_MJ_DIRECTORY_CONTROL,
      IRP_MJ_FILE_SYSTEM_CONTROL,
      IRP_MJ_DEVICE_CONTROL,
      IRP_MJ_SHUTDOWN,
      IRP_MJ_LOCK_CONTROL,
      IRP_MJ_CLEANUP,
      IRP_MJ_PNP,
  };
  for (UCHAR major : kMajors) driver->MajorFunction[major] = FatDispatch;
  driver->DriverUnload = FatUnload;
  InitializeFastIo();
  driver->FastIoDispatch = &g.fast_io;

  g.device->Flags &= ~DO_DEVICE_INITIALIZING;
  IoRegisterFileSystem(g.device);
  return STATUS_SUCCESS;
}

extern "C" VOID NTAPI FatUnload(PDRIVER_OBJECT) {
  IoUnregisterFileSystem(g.device);
  StopIdleClean();

  FsRtlEnterFileSystem();
  IoSetTopLevelIrp(reinterpret_cast<PIRP>(FSRTL_FSP_TOP_LEVEL_IRP));  // closes that come from within are queued
  ForEachVolume([](Vcb& vcb) { DismountVolume(vcb, true); });
  IoSetTopLevelIrp(nullptr);
  FsRtlExitFileSystem();

  KeWaitForSingleObject(&g.close_idle, Executive, KernelMode, FALSE, nullptr);
  ExDeleteResourceLite(&g.mount_resource);
  IoDeleteDevice(g.device);
}
