/* A driver that breaks in one way, chosen when it is built: what a bug-check report and a load failure look like.

   FAULT_IN_ENTRY      1 DriverEntry fails  2 raises  3 never returns
   FAULT_IN_DISPATCH   what happens when the I/O manager asks it to mount a volume:
                       1 reads address 8  2 divides by zero  3 overflows its stack  4 smashes its frame  5 writes to its code
                       6 completes the IRP twice  7 raises the IRQL and forgets it  8 fails an assertion  9 breaks into the debugger
                       10 fails an NT_ASSERT, and handles it */
#include <ntifs.h>

#ifndef FAULT_IN_ENTRY
#define FAULT_IN_ENTRY 0
#endif
#ifndef FAULT_IN_DISPATCH
#define FAULT_IN_DISPATCH 0
#endif

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH FaultyFsControl;

static volatile LONG Zero;
volatile LONG Sink;

#if FAULT_IN_DISPATCH == 3
static __attribute__((noinline)) LONG FaultyRecurse(volatile UCHAR *previous) {
  volatile UCHAR block[2048];
  block[0] = previous[0];
  block[sizeof block - 1] = (UCHAR)FaultyRecurse(block);
  return block[0] + block[sizeof block - 1];
}
#endif

#if FAULT_IN_DISPATCH == 4
static __attribute__((noinline)) VOID FaultyCopy(UCHAR *target, SIZE_T bytes) {
  RtlFillMemory(target, bytes, 0x41);
}
static __attribute__((noinline)) LONG FaultySmash(SIZE_T bytes) {
  UCHAR block[32];
  FaultyCopy(block, bytes);
  return block[0];
}
#endif

static NTSTATUS NTAPI FaultyFsControl(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
#if FAULT_IN_DISPATCH == 1
  Sink = *(volatile LONG *)(ULONG_PTR)(Zero + 8);
#elif FAULT_IN_DISPATCH == 2
  Sink = 100 / Zero;
#elif FAULT_IN_DISPATCH == 3
  {
    UCHAR first = 1;
    Sink = FaultyRecurse(&first);
  }
#elif FAULT_IN_DISPATCH == 4
  Sink = FaultySmash(256 + Zero);
#elif FAULT_IN_DISPATCH == 5
  *(volatile UCHAR *)(ULONG_PTR)&FaultyFsControl = 0xCC;
#elif FAULT_IN_DISPATCH == 8
  __try {
    RtlAssert("Zero == 1", "faulty.c", 77, "never ");
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Sink = 1;  // not reached: a failed assertion is no failed request
  }
#elif FAULT_IN_DISPATCH == 9
  __try {
    DbgBreakPointWithStatus(5);
    Sink = 100 / Zero;  // not reached
  } __except (GetExceptionCode() == STATUS_BREAKPOINT ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
    Sink = 2;
  }
  DbgBreakPoint();
#elif FAULT_IN_DISPATCH == 10
  __try {
    __int2c();  // what NT_ASSERT does
  } __except (GetExceptionCode() == STATUS_ASSERTION_FAILURE ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
    Sink = 3;
  }
#elif FAULT_IN_DISPATCH == 7
  {
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
  }
#endif
  Irp->IoStatus.Status = STATUS_UNRECOGNIZED_VOLUME;
  Irp->IoStatus.Information = 0;
#if FAULT_IN_DISPATCH == 6
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
#endif
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return STATUS_UNRECOGNIZED_VOLUME;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\FaultyFs");
  PDEVICE_OBJECT device;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(RegistryPath);
#if FAULT_IN_ENTRY == 1
  return STATUS_DEVICE_CONFIGURATION_ERROR;
#elif FAULT_IN_ENTRY == 2
  ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
#elif FAULT_IN_ENTRY == 3
  for (;;) {
    LARGE_INTEGER second;
    second.QuadPart = -10000000;
    KeDelayExecutionThread(KernelMode, FALSE, &second);
  }
#endif
  status = IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  DriverObject->MajorFunction[IRP_MJ_FILE_SYSTEM_CONTROL] = FaultyFsControl;
  IoRegisterFileSystem(device);
  return STATUS_SUCCESS;
}
