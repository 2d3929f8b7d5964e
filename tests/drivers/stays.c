/* A driver that never ends, as one without DriverUnload may: threads in every kind of wait, one of them with a mutex and one in a
   critical region, and timers. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

typedef struct _STAYS_EXTENSION {
  KTIMER Timer;
  KTIMER TimerWithoutDpc;
  KDPC Dpc;
  KEVENT Never;
  KQUEUE Queue;
  KMUTEX Mutex;
  FAST_MUTEX FastMutex;
  LONG Expired;
} STAYS_EXTENSION, *PSTAYS_EXTENSION;

static VOID NTAPI StaysExpired(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
  UNREFERENCED_PARAMETER(Dpc);
  UNREFERENCED_PARAMETER(Argument1);
  UNREFERENCED_PARAMETER(Argument2);
  InterlockedIncrement(&((PSTAYS_EXTENSION)Context)->Expired);
}

static VOID NTAPI StaysWaits(PVOID Context) {
  PSTAYS_EXTENSION extension = Context;
  KeWaitForSingleObject(&extension->Mutex, Executive, KernelMode, FALSE, NULL);
  KeWaitForSingleObject(&extension->Never, Executive, KernelMode, FALSE, NULL);
}

static VOID NTAPI StaysWaitsForSome(PVOID Context) {
  PSTAYS_EXTENSION extension = Context;
  PVOID objects[2] = {&extension->Never, &extension->TimerWithoutDpc};
  ExAcquireFastMutex(&extension->FastMutex);  /* APC_LEVEL */
  KeWaitForMultipleObjects(2, objects, WaitAll, Executive, KernelMode, FALSE, NULL, NULL);
}

static VOID NTAPI StaysDelays(PVOID Context) {
  UNREFERENCED_PARAMETER(Context);
  KeEnterCriticalRegion();
  for (;;) {
    LARGE_INTEGER interval;
    interval.QuadPart = -10 * 1000 * 5;
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
  }
}

static VOID NTAPI StaysServes(PVOID Context) { KeRemoveQueue(&((PSTAYS_EXTENSION)Context)->Queue, KernelMode, NULL); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  static const PKSTART_ROUTINE routines[] = {StaysWaits, StaysWaitsForSome, StaysDelays, StaysServes};
  PDEVICE_OBJECT device;
  PSTAYS_EXTENSION extension;
  LARGE_INTEGER due;
  NTSTATUS status;
  ULONG i;
  UNREFERENCED_PARAMETER(RegistryPath);
  status = IoCreateDevice(DriverObject, sizeof(STAYS_EXTENSION), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  extension = device->DeviceExtension;
  KeInitializeEvent(&extension->Never, NotificationEvent, FALSE);
  KeInitializeQueue(&extension->Queue, 0);
  KeInitializeMutex(&extension->Mutex, 0);
  ExInitializeFastMutex(&extension->FastMutex);
  KeInitializeDpc(&extension->Dpc, StaysExpired, extension);
  KeInitializeTimer(&extension->Timer);
  KeInitializeTimer(&extension->TimerWithoutDpc);
  due.QuadPart = -10 * 1000;
  KeSetTimerEx(&extension->Timer, due, 1, &extension->Dpc);
  KeSetTimerEx(&extension->TimerWithoutDpc, due, 1, NULL);
  for (i = 0; i < RTL_NUMBER_OF(routines); i++) {
    HANDLE handle;
    status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routines[i], extension);
    if (!NT_SUCCESS(status)) return status;
    ZwClose(handle);
  }
  return STATUS_SUCCESS;
}
