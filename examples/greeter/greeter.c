/* A device that holds one text: reads at an offset copy from it, reads behind its end fail with STATUS_END_OF_FILE. */
#include <ntddk.h>

#include "greeter.h"

static const CHAR Text[] = GREETER_TEXT;

static DRIVER_DISPATCH GreeterOpen;
static DRIVER_DISPATCH GreeterRead;
static DRIVER_UNLOAD GreeterUnload;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information) {
  Irp->IoStatus.Status = Status;
  Irp->IoStatus.Information = Information;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
  return Status;
}

static NTSTATUS NTAPI GreeterOpen(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  UNREFERENCED_PARAMETER(DeviceObject);
  return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI GreeterRead(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
  LONGLONG offset = stack->Parameters.Read.ByteOffset.QuadPart;
  ULONG length = stack->Parameters.Read.Length;
  UNREFERENCED_PARAMETER(DeviceObject);
  if (offset < 0) return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
  if (length == 0) return Complete(Irp, STATUS_SUCCESS, 0);
  if (offset >= (LONGLONG)sizeof Text - 1) return Complete(Irp, STATUS_END_OF_FILE, 0);
  if (length > sizeof Text - 1 - (ULONG)offset) length = sizeof Text - 1 - (ULONG)offset;
  RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Text + offset, length);
  return Complete(Irp, STATUS_SUCCESS, length);
}

static VOID NTAPI GreeterUnload(PDRIVER_OBJECT DriverObject) { IoDeleteDevice(DriverObject->DeviceObject); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNICODE_STRING name;
  PDEVICE_OBJECT device;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(RegistryPath);
  RtlInitUnicodeString(&name, (PCWSTR)GREETER_DEVICE_NAME);
  status = IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  DriverObject->MajorFunction[IRP_MJ_CREATE] = GreeterOpen;
  DriverObject->MajorFunction[IRP_MJ_CLEANUP] = GreeterOpen;
  DriverObject->MajorFunction[IRP_MJ_CLOSE] = GreeterOpen;
  DriverObject->MajorFunction[IRP_MJ_READ] = GreeterRead;
  DriverObject->DriverUnload = GreeterUnload;
  return STATUS_SUCCESS;
}
