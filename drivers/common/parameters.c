#include "parameters.h"

#include <ntddk.h>
#include <ntdddisk.h>
#include <ntstrsafe.h>

#define STORAGE_TAG 'rotS'

/* *Value is in pool and is freed by the caller. */
static NTSTATUS QueryValue(PUNICODE_STRING RegistryPath, PCWSTR Name, PKEY_VALUE_PARTIAL_INFORMATION* Value) {
  WCHAR pathBuffer[256];
  UNICODE_STRING path, name;
  OBJECT_ATTRIBUTES attributes;
  HANDLE key;
  ULONG bytes = 0;
  NTSTATUS status;

  *Value = NULL;
  RtlInitEmptyUnicodeString(&path, pathBuffer, sizeof pathBuffer);
  status = RtlUnicodeStringPrintf(&path, L"%wZ\\Parameters", RegistryPath);
  if (!NT_SUCCESS(status)) return status;
  InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
  status = ZwOpenKey(&key, KEY_READ, &attributes);
  if (!NT_SUCCESS(status)) return status;
  RtlInitUnicodeString(&name, Name);
  status = ZwQueryValueKey(key, &name, KeyValuePartialInformation, NULL, 0, &bytes);
  if (status == STATUS_BUFFER_TOO_SMALL || status == STATUS_BUFFER_OVERFLOW) {
    *Value = ExAllocatePoolWithTag(PagedPool, bytes, STORAGE_TAG);
    status = *Value ? ZwQueryValueKey(key, &name, KeyValuePartialInformation, *Value, bytes, &bytes)
                    : STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(status) && *Value) {
      ExFreePoolWithTag(*Value, STORAGE_TAG);
      *Value = NULL;
    }
  }
  ZwClose(key);
  return status;
}

ULONG StorageQueryDword(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Default) {
  PKEY_VALUE_PARTIAL_INFORMATION value;
  ULONG result = Default;
  if (!NT_SUCCESS(QueryValue(RegistryPath, Name, &value)) || !value) return Default;
  if (value->Type == REG_DWORD && value->DataLength == sizeof(ULONG))
    RtlCopyMemory(&result, value->Data, sizeof result);
  ExFreePoolWithTag(value, STORAGE_TAG);
  return result;
}

NTSTATUS StorageOpenDisks(PUNICODE_STRING RegistryPath, ULONG Minimum, ULONG Maximum, PFILE_OBJECT* Files,
                          PDEVICE_OBJECT* Devices, PULONG Count) {
  PKEY_VALUE_PARTIAL_INFORMATION value;
  PWCHAR text, end;
  ULONG count = 0;
  NTSTATUS status = QueryValue(RegistryPath, L"Disks", &value);
  *Count = 0;
  if (!value) return Minimum == 0 ? STATUS_SUCCESS : STATUS_DEVICE_CONFIGURATION_ERROR;
  status = value->Type == REG_MULTI_SZ ? STATUS_SUCCESS : STATUS_DEVICE_CONFIGURATION_ERROR;
  text = (PWCHAR)value->Data;
  end = text + value->DataLength / sizeof(WCHAR);
  while (NT_SUCCESS(status) && text < end && *text) {
    UNICODE_STRING name;
    PWCHAR stop = text;
    while (stop < end && *stop) stop++;
    if (count == Maximum) {
      status = STATUS_DEVICE_CONFIGURATION_ERROR;
      break;
    }
    name.Buffer = text;
    name.Length = name.MaximumLength = (USHORT)((stop - text) * sizeof(WCHAR));
    status = IoGetDeviceObjectPointer(&name, FILE_READ_ATTRIBUTES, &Files[count], &Devices[count]);
    if (NT_SUCCESS(status)) count++;
    text = stop + 1;
  }
  ExFreePoolWithTag(value, STORAGE_TAG);
  if (NT_SUCCESS(status) && count < Minimum) status = STATUS_DEVICE_CONFIGURATION_ERROR;
  if (!NT_SUCCESS(status)) {
    while (count > 0) ObDereferenceObject(Files[--count]);
    return status;
  }
  *Count = count;
  return STATUS_SUCCESS;
}

NTSTATUS StorageControl(PDEVICE_OBJECT Device, ULONG Code, PVOID Output, ULONG OutputBytes) {
  KEVENT event;
  IO_STATUS_BLOCK iosb;
  PIRP irp;
  NTSTATUS status;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  irp = IoBuildDeviceIoControlRequest(Code, Device, NULL, 0, Output, OutputBytes, FALSE, &event, &iosb);
  if (!irp) return STATUS_INSUFFICIENT_RESOURCES;
  status = IoCallDriver(Device, irp);
  if (status == STATUS_PENDING) {
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    status = iosb.Status;
  }
  return status;
}

NTSTATUS StorageCreateNamedDisk(PDRIVER_OBJECT DriverObject, ULONG ExtensionBytes, PCWSTR Prefix, ULONG Characteristics,
                                WCHAR NameBuffer[STORAGE_NAME_CHARS], PUNICODE_STRING Name, PDEVICE_OBJECT* Device) {
  ULONG number;
  NTSTATUS status = STATUS_OBJECT_NAME_COLLISION;
  for (number = 0; number < 64 && status == STATUS_OBJECT_NAME_COLLISION; number++) {
    RtlInitEmptyUnicodeString(Name, NameBuffer, STORAGE_NAME_CHARS * sizeof(WCHAR));
    status = RtlUnicodeStringPrintf(Name, L"\\Device\\%ws%u", Prefix, number);
    if (NT_SUCCESS(status))
      status = IoCreateDevice(DriverObject, ExtensionBytes, Name, FILE_DEVICE_DISK, Characteristics, FALSE, Device);
  }
  return status;
}
