/* Loading and unloading; the dispatch routine of everything that is only passed on. */
#include "filter.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD LpUnload;
static DRIVER_DISPATCH LpPassOn;

PDRIVER_OBJECT LpDriver;
LP_PARAMETERS LpParameters;
FAST_MUTEX LpAttachMutex;

/* The DWORD value, or 0. */
static ULONG LpReadValue(HANDLE Key, PCWSTR Name) {
  UNICODE_STRING name;
  union {
    KEY_VALUE_PARTIAL_INFORMATION Value;
    UCHAR Bytes[FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(ULONG)];
  } buffer;
  ULONG returned;
  RtlInitUnicodeString(&name, Name);
  if (!NT_SUCCESS(ZwQueryValueKey(Key, &name, KeyValuePartialInformation, &buffer, sizeof buffer, &returned))) return 0;
  if (buffer.Value.Type != REG_DWORD || buffer.Value.DataLength != sizeof(ULONG)) return 0;
  return *(UNALIGNED ULONG *)buffer.Value.Data;
}

static VOID LpReadParameters(PUNICODE_STRING RegistryPath) {
  OBJECT_ATTRIBUTES attributes;
  HANDLE service, key;
  UNICODE_STRING name;
  InitializeObjectAttributes(&attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
  if (!NT_SUCCESS(ZwOpenKey(&service, KEY_READ, &attributes))) return;
  RtlInitUnicodeString(&name, L"Parameters");
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, service, NULL);
  if (NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes))) {
    LpParameters.DeclineMask = LpReadValue(key, L"DeclineMask");
    LpParameters.AbsentMask = LpReadValue(key, L"AbsentMask");
    LpParameters.FailMask = LpReadValue(key, L"FailMask");
    LpParameters.FailStatus = LpReadValue(key, L"FailStatus");
    LpParameters.TableBytes = LpReadValue(key, L"TableBytes");
    LpParameters.NoTable = LpReadValue(key, L"NoTable");
    ZwClose(key);
  }
  ZwClose(service);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  PFAST_IO_DISPATCH fastIoDispatch;
  NTSTATUS status;
  ULONG i;

  LpDriver = DriverObject;
  ExInitializeFastMutex(&LpAttachMutex);
  LpReadParameters(RegistryPath);

  for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) DriverObject->MajorFunction[i] = LpPassOn;
  DriverObject->MajorFunction[IRP_MJ_FILE_SYSTEM_CONTROL] = LpFsControl;
  DriverObject->DriverUnload = LpUnload;

  /* The table lives as long as the driver object does. */
  if (!LpParameters.NoTable) {
    fastIoDispatch = (PFAST_IO_DISPATCH)ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(FAST_IO_DISPATCH), LP_TAG);
    if (fastIoDispatch == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(fastIoDispatch, sizeof(FAST_IO_DISPATCH));
    LpFillTable(fastIoDispatch);
    DriverObject->FastIoDispatch = fastIoDispatch;
  }

  status = IoRegisterFsRegistrationChange(DriverObject, LpFileSystemChange);
  if (!NT_SUCCESS(status) && DriverObject->FastIoDispatch != NULL) {
    ExFreePoolWithTag(DriverObject->FastIoDispatch, LP_TAG);
    DriverObject->FastIoDispatch = NULL;
  }
  return status;
}

/* Windows unloads such a filter at its own risk: a request that has found our device and not entered us yet cannot be known.
   The runtime unloads at the end of a machine, when no request is left. */
static VOID NTAPI LpUnload(PDRIVER_OBJECT DriverObject) {
  PFAST_IO_DISPATCH table = DriverObject->FastIoDispatch;
  IoUnregisterFsRegistrationChange(DriverObject, LpFileSystemChange);
  LpDetachAll();
  DriverObject->FastIoDispatch = NULL;
  if (table != NULL) ExFreePoolWithTag(table, LP_TAG);
}

static NTSTATUS NTAPI LpPassOn(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  IoSkipCurrentIrpStackLocation(Irp);
  return IoCallDriver(LpExtension(DeviceObject)->Lower, Irp);
}
